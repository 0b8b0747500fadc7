import { createHash, type Hash, hash as toDigestAtOnce } from 'node:crypto';

export type DigestAlgorithm = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** Digests of one stream under several algorithms, in one pass. */
export class Digester {
  readonly #hashes: readonly (readonly [DigestAlgorithm, Hash])[];

  constructor(algorithms: readonly DigestAlgorithm[]) {
    this.#hashes = algorithms.map((algorithm) => [algorithm, createHash(algorithm)] as const);
  }

  update(chunk: Uint8Array): void {
    for (const [, hash] of this.#hashes) hash.update(chunk);
  }

  /** Lower-case hexadecimal by algorithm; the digester is spent afterwards. */
  finish(): Partial<Record<DigestAlgorithm, string>> {
    return Object.fromEntries(this.#hashes.map(([algorithm, hash]) => [algorithm, hash.digest('hex')]));
  }
}

/** The raw digest of some bytes. */
export function toDigest(algorithm: DigestAlgorithm, ...parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return toDigestAtOnce(algorithm, first, 'buffer');
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/**
 * Whether some bytes have a digest that is stated whole or by its first bytes.
 *
 * As text and in one call: a digest object for each page of a program takes as long again as digesting the page.
 */
export function hasDigest(algorithm: DigestAlgorithm, bytes: Uint8Array, stated: Uint8Array): boolean {
  const { buffer, byteOffset, byteLength } = stated;
  return toDigestAtOnce(algorithm, bytes, 'hex').startsWith(
    Buffer.from(buffer, byteOffset, byteLength).toString('hex'),
  );
}
