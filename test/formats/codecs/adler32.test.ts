import { describe, expect, it } from 'vitest';
import { findAdler32 } from '../../../src/formats/codecs/adler32.ts';
import { adler32 } from '../../../src/platform/inflate.ts';
import { createRandom } from '../../mutation.ts';

describe('when bytes are summed', () => {
  it('gives the values of RFC 1950 and zlib', () => {
    expect(adler32(new Uint8Array(0))).toBe(1);
    expect(adler32(new TextEncoder().encode('Wikipedia'))).toBe(0x11e60398);
    // zlib.adler32(b'\xff' * 1000000)
    expect(adler32(new Uint8Array(1_000_000).fill(0xff))).toBe(0x3843e1be);
  });
});

describe('when a range is looked for by its checksum', () => {
  it('is found wherever it is', () => {
    const random = createRandom(5);
    const bytes = Uint8Array.from({ length: 200_000 }, () => random(256));
    for (const [offset, length] of [
      [0, 100],
      [1, 100],
      [199_900, 100],
      [70_000, 100_000],
      [0, 200_000],
    ] as const) {
      const wanted = adler32(bytes.subarray(offset, offset + length));
      expect(findAdler32(bytes, length, wanted)).toBe(offset);
    }
  });

  it('is not found when it is not there', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    expect(findAdler32(bytes, 2, 0xffffffff)).toBeUndefined();
    expect(findAdler32(bytes, 5, 1)).toBeUndefined();
    expect(findAdler32(bytes, 0, 1)).toBeUndefined();
  });
});
