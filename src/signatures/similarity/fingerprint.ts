import { type ByteSource, readPassing } from '../../bytes/byte-source.ts';
import { SsdeepHasher } from './ssdeep.ts';
import { TlshHasher } from './tlsh.ts';

/** Two digests that are alike for alike bytes. */
export interface Fingerprint {
  /** Undefined for bytes that are too few or too uniform to have one. */
  readonly tlsh: string | undefined;
  readonly ssdeep: string;
}

/**
 * Reads a source once and computes both digests.
 *
 * @param onChunk - called before each chunk; may throw to stop
 * @throws TelltaleError what reading throws, and `limit/bytes` above 48 GiB
 */
export function toFingerprint(source: ByteSource, onChunk: () => void = () => undefined): Fingerprint {
  const tlsh = new TlshHasher();
  const ssdeep = new SsdeepHasher(source.size);
  for (const chunk of readPassing(source)) {
    onChunk();
    tlsh.update(chunk);
    ssdeep.update(chunk);
  }
  return { tlsh: tlsh.finish(), ssdeep: ssdeep.finish() };
}

/**
 * As {@link toFingerprint}, but each digest is computed, over a reading of its own, when it is asked for first.
 *
 * @throws TelltaleError from the digests, what {@link toFingerprint} throws
 */
export function toFingerprintLater(source: ByteSource, onChunk: () => void): Fingerprint {
  let tlsh: { readonly digest: string | undefined } | undefined;
  let ssdeep: string | undefined;
  const feed = (hasher: { update(chunk: Uint8Array): void }): void => {
    for (const chunk of readPassing(source)) {
      onChunk();
      hasher.update(chunk);
    }
  };
  return {
    get tlsh() {
      if (tlsh === undefined) {
        const hasher = new TlshHasher();
        feed(hasher);
        tlsh = { digest: hasher.finish() };
      }
      return tlsh.digest;
    },
    get ssdeep() {
      if (ssdeep === undefined) {
        const hasher = new SsdeepHasher(source.size);
        feed(hasher);
        ssdeep = hasher.finish();
      }
      return ssdeep;
    },
  };
}
