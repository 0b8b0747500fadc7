import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/bytes/cursor.ts';
import { crc64Bytes } from '../../../src/formats/codecs/crc64-bytes.ts';
import { Crc64, type Crc64Loop, createCrc64Loop, sumPlainly } from '../../../src/formats/codecs/crc64.ts';
import { createRandom } from '../../mutation.ts';
import { hasWat2wasm, makeWasm } from '../../wat2wasm.ts';

function sum(loop: Crc64Loop, chunks: readonly Uint8Array[]): string {
  const crc = new Crc64(loop);
  for (const chunk of chunks) crc.update(chunk);
  return toHex(crc.finish());
}

const loops: readonly (readonly [string, Crc64Loop])[] = [
  ['in TypeScript', sumPlainly],
  ['in WebAssembly', createCrc64Loop()],
];

function makeNoise(size: number): Uint8Array {
  const random = createRandom(size);
  return Uint8Array.from({ length: size }, () => random(256));
}

describe.each(loops)('when the loop runs %s', (_name, loop) => {
  it('gives the known sums', () => {
    // The check value of CRC-64/XZ in https://reveng.sourceforge.io/crc-catalogue/17plus.htm, lowest byte first.
    expect(sum(loop, [new Uint8Array(Buffer.from('123456789'))])).toBe('fa3919dfbbc95d99');
    expect(sum(loop, [])).toBe('0000000000000000');
  });

  it('gives the same in whatever chunks, from whatever place in memory', () => {
    const bytes = makeNoise(300_000);
    const whole = sum(sumPlainly, [bytes]);
    for (const size of [1, 7, 16, 255, 4096, 131_073, 300_000]) {
      const shifted = new Uint8Array(bytes.length + 3).subarray(3);
      shifted.set(bytes);
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(shifted.subarray(at, at + size));
      expect(sum(loop, chunks)).toBe(whole);
    }
  });

  it('keeps sums apart that are made in turn', () => {
    const [one, other] = [makeNoise(5000), makeNoise(6000)];
    const [first, second] = [new Crc64(loop), new Crc64(loop)];
    for (let at = 0; at < 6000; at += 1000) {
      first.update(one.subarray(at, at + 1000));
      second.update(other.subarray(at, at + 1000));
    }
    expect(toHex(first.finish())).toBe(sum(sumPlainly, [one]));
    expect(toHex(second.finish())).toBe(sum(sumPlainly, [other]));
  });
});

describe('when the kernel is made again', () => {
  it.skipIf(!hasWat2wasm)('is made of the bytes that are committed', () => {
    const source = new URL('../../../src/formats/codecs/crc64.wat', import.meta.url);
    expect(makeWasm(readFileSync(source, 'utf8')).toString('base64')).toBe(crc64Bytes);
  });

  it('is used where there is WebAssembly', () => {
    expect(createCrc64Loop()).not.toBe(sumPlainly);
  });
});
