import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { entropyBytes } from '../../../src/formats/pe/entropy-bytes.ts';
import { countPlainly, createCounting, measureEntropy } from '../../../src/formats/pe/entropy.ts';
import { createRandom } from '../../mutation.ts';
import { hasWat2wasm, makeWasm } from '../../wat2wasm.ts';

function toBytes(length: number, seed: number, values: number): Uint8Array {
  const random = createRandom(seed);
  return Uint8Array.from({ length }, () => random(values));
}

describe('when the entropy of bytes is measured', () => {
  it.each([
    ['nothing', new Uint8Array(0), 0],
    ['one value', new Uint8Array(1000).fill(7), 0],
    ['two values as often', Uint8Array.from({ length: 1000 }, (_, at) => at % 2), 1],
    ['every value as often', Uint8Array.from({ length: 4096 }, (_, at) => at & 0xff), 8],
    ['three of one, one of another', Uint8Array.of(1, 1, 2, 1), 0.811],
  ])('is right for %s', (_, bytes, expected) => {
    expect(measureEntropy(toByteSource(bytes), 1 << 20)).toBe(expected);
  });

  it('stops at the limit, and starts anew each time', () => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => (at < 100_000 ? 0 : at & 0xff));
    expect(measureEntropy(toByteSource(bytes), 100_000)).toBe(0);
    expect(measureEntropy(toByteSource(bytes.subarray(100_000)), 99_840)).toBe(8);
  });
});

describe('when the bytes are counted in WebAssembly', () => {
  it.skipIf(!hasWat2wasm)('is made of the bytes that are committed', () => {
    const source = new URL('../../../src/formats/pe/entropy.wat', import.meta.url);
    expect(makeWasm(readFileSync(source, 'utf8')).toString('base64')).toBe(entropyBytes);
  });

  it('counts what the plain loop counts, whatever the length is', () => {
    const { count, counts } = createCounting();
    expect(count).not.toBe(countPlainly);
    for (const [index, length] of [0, 1, 7, 8, 9, 4095, 61_440, 61_441, 200_003].entries()) {
      const bytes = toBytes(length, index, index % 2 === 0 ? 256 : 3);
      const plain = new Uint32Array(1024);
      countPlainly(bytes, plain);
      counts.fill(0);
      count(bytes, counts);
      expect(toSums(counts), String(length)).toEqual(toSums(plain));
      expect(toSums(counts).reduce((sum, one) => sum + one, 0)).toBe(length);
    }
  });
});

function toSums(counts: Uint32Array): readonly number[] {
  return Array.from({ length: 256 }, (_, byte) =>
    [0, 256, 512, 768].reduce((sum, table) => sum + (counts[table + byte] ?? 0), 0),
  );
}
