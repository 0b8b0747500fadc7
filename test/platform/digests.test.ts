import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type DigestAlgorithm, hasDigest } from '../../src/platform/digests.ts';

describe('when a digest is compared with the one that is stated', () => {
  const bytes = Buffer.from('a page of a program');

  it.each<DigestAlgorithm>(['md5', 'sha1', 'sha256', 'sha384', 'sha512'])('knows it by %s', (algorithm) => {
    const digest = new Uint8Array(createHash(algorithm).update(bytes).digest());
    expect(hasDigest(algorithm, bytes, digest)).toBe(true);
    expect(hasDigest(algorithm, bytes, digest.subarray(0, 16))).toBe(true);
    expect(hasDigest(algorithm, bytes, digest.subarray(1))).toBe(false);
    expect(hasDigest(algorithm, bytes, Buffer.concat([digest, Buffer.alloc(1)]))).toBe(false);
    expect(hasDigest(algorithm, bytes.subarray(1), digest)).toBe(false);
    for (const at of [0, digest.length - 1]) {
      const other = digest.map((byte, index) => (index === at ? byte ^ 1 : byte));
      expect(hasDigest(algorithm, bytes, other)).toBe(false);
    }
  });
});
