import { describe, expect, it } from 'vitest';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { sklgFormat } from '../../src/formats/sklg.ts';
import { mutate } from '../mutation.ts';
import { codesOf, factsOf } from './reading-facts.ts';
import { readAll } from './reading.ts';

/** A table as those in real programs: one more offset than texts, the last one that of the end. */
function build(language: string, texts: readonly string[]): Buffer {
  const header = Buffer.alloc(28);
  const table = Buffer.alloc((texts.length + 1) * 4);
  const body = texts.map((text) => Buffer.from(`${text}\0`));
  let offset = 0;
  for (const [i, text] of body.entries()) {
    table.writeUInt32LE(offset, i * 4);
    offset += text.length;
  }
  table.writeUInt32LE(offset, texts.length * 4);
  header.write('SKLG\x02');
  header.write(language, 5);
  header.writeUInt32LE(28 + table.length + offset, 12);
  header.writeUInt32LE(texts.length, 16);
  header.writeUInt32LE(28, 20);
  header.writeUInt32LE(28 + table.length, 24);
  return Buffer.concat([header, table, ...body]);
}

const seed = build('zh-CN', ['呼叫', '聊天', 'OK']);

describe('when the resource is a table of texts', () => {
  it('gives language and number of texts, and the regions', async () => {
    expect(sklgFormat.probe(seed, toByteSource(seed))).toBe(true);
    const result = await readAll(sklgFormat, seed);
    expect(result.faults).toBe(0);
    expect(factsOf(result, 'stringTable')).toEqual([['zh-CN', 3]]);
    expect(result.reading?.regions).toEqual([
      { name: 'header', offset: 0, size: 28 },
      { name: 'offset table', offset: 28, size: 16 },
      { name: 'texts', offset: 44, size: seed.length - 44 },
    ]);
  });

  it('fits the numbers of a real one: 3,917 texts, offsets at 0x1c, texts at 0x3d54', () => {
    const table = build(
      'en',
      Array.from({ length: 3917 }, () => ''),
    );
    expect([table.readUInt32LE(16), table.readUInt32LE(20), table.readUInt32LE(24)]).toEqual([
      3917, 0x1c, 0x3d54,
    ]);
  });
});

describe('when a table of texts is malformed', () => {
  it.each([
    ['an unknown version', 4, 9, 'unsupported/version', false],
    ['too many texts', 19, 0x7f, 'malformed/structure', false],
    ['a table inside the header', 20, 3, 'malformed/structure', false],
    ['a size beyond the end', 14, 1, 'malformed/truncated', true],
  ])('tells %s', async (_name, at, value, code, incomplete) => {
    const bytes = Buffer.from(seed);
    bytes[at] = value;
    const result = await readAll(sklgFormat, bytes);
    expect(codesOf(result)).toContain(code);
    expect(result.findings[0]?.incomplete).toBe(incomplete);
  });

  it('survives 2,000 kinds of damage', async () => {
    for (const mutant of mutate(seed, 2000, 13)) {
      const result = await readAll(sklgFormat, mutant.bytes);
      expect(
        result.reading?.regions.every(({ offset, size }) => offset + size <= mutant.bytes.length) ?? true,
      ).toBe(true);
    }
  });
});
