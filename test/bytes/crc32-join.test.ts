import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Crc32Joiner, crc32OfZeros } from '../../src/bytes/crc32-join.ts';
import { createRandom } from '../mutation.ts';

describe('when checksums of parts are joined', () => {
  it('gives the checksum of the whole', () => {
    const random = createRandom(3);
    const whole = Buffer.from(Array.from({ length: 5000 }, () => random(256)));
    for (let round = 0; round < 50; round += 1) {
      const joiner = new Crc32Joiner();
      for (let at = 0; at < whole.length; ) {
        const part = whole.subarray(at, at + random(700));
        joiner.add(crc32(part), part.length);
        at += part.length;
      }
      expect(joiner.sum).toBe(crc32(whole));
    }
  });

  it('knows the checksum of zeros without reading them', () => {
    for (const length of [0, 1, 2, 511, 512, 4096, 1_000_003]) {
      expect(crc32OfZeros(length)).toBe(crc32(new Uint8Array(length)));
    }
    // 5 GiB: https://www.rfc-editor.org/rfc/rfc1952 has no limit, and neither has this.
    const joiner = new Crc32Joiner();
    for (let part = 0; part < 5; part += 1) joiner.add(crc32OfZeros(2 ** 30), 2 ** 30);
    expect(crc32OfZeros(5 * 2 ** 30)).toBe(joiner.sum);
  });
});
