import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../mutation.ts';
import { leastBits, toLiteralChance } from '../../src/signatures/literal-chance.ts';

const bitsOf = (text: string): number => toLiteralChance(new TextEncoder().encode(text)).bits;

describe('when a literal is judged', () => {
  it.each([
    'Microsoft',
    'microsoft windows',
    'http://',
    '.com',
    'https://www.',
    'kernel32.dll',
    'cannot be run in DOS',
    'abcdefgh',
    'aaaaaaaaaaa',
  ])('%s is common', (text) => {
    expect(bitsOf(text)).toBeLessThan(leastBits);
  });

  it.each(['TOM-Skype', 'skypet.ru', 'chinaGmf', '893994044', 'Manijeh Ardene', '港灯港灯'])(
    '%s is rare',
    (text) => {
      expect(bitsOf(text)).toBeGreaterThan(leastBits);
    },
  );

  it('grows with every byte that is no run and no word', () => {
    let before = 0;
    for (let length = 1; length <= 12; length += 1) {
      const bits = bitsOf('Qx7-kZw_9vJp'.slice(0, length));
      expect(bits).toBeGreaterThan(before);
      before = bits;
    }
    expect(toLiteralChance(new Uint8Array(0)).bits).toBe(0);
  });

  it('names the words that make it common', () => {
    expect(toLiteralChance(new TextEncoder().encode('Microsoft.com')).words).toEqual(['microsoft', '.com']);
  });
});

describe('when a real program is looked through', () => {
  const program = readFileSync(process.execPath);

  it.each(['http://', '.com', 'Microsoft', 'error', '\0'.repeat(12), 'password'])(
    '%j is found in it, as expected',
    (text) => {
      expect(bitsOf(text)).toBeLessThan(leastBits);
      expect(program.includes(text, 0, 'latin1')).toBe(true);
    },
  );

  it('holds no made-up text that is rare', () => {
    const random = createRandom(11);
    const rare: string[] = [];
    for (let round = 0; round < 1000; round += 1) {
      const length = 8 + random(5);
      const text = Array.from({ length }, () => String.fromCharCode(0x61 + random(26))).join('');
      if (bitsOf(text) >= leastBits) rare.push(text);
    }
    expect(rare.length).toBeGreaterThan(500);
    // A search of the whole program for each takes its time: one in forty.
    const tried = rare.filter((_, index) => index % 40 === 0);
    expect(tried.filter((text) => program.includes(text, 0, 'latin1'))).toEqual([]);
  });
});
