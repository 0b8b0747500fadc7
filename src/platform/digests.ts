import { createHash, type Hash } from 'node:crypto';

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
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}
