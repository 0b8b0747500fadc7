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

/** As far as it was computed for comparing. */
export interface ComparedFingerprint {
  readonly tlsh: string | undefined;
  /** Undefined for a digest of smaller blocks than can be compared. */
  readonly ssdeep: string | undefined;
}

/**
 * As {@link toFingerprint}, but each digest is computed, over a reading of its own, when it is asked for first.
 *
 * @param leastBlockSize - an ssdeep digest of smaller blocks is not asked for
 * @throws TelltaleError from the digests, what {@link toFingerprint} throws
 */
export function toFingerprintLater(
  source: ByteSource,
  leastBlockSize: number,
  onChunk: () => void,
): ComparedFingerprint {
  const feed = <Hasher extends { update(chunk: Uint8Array): void }>(hasher: Hasher): Hasher => {
    for (const chunk of readPassing(source)) {
      onChunk();
      hasher.update(chunk);
    }
    return hasher;
  };
  const known: { tlsh?: string | undefined; ssdeep?: string | undefined } = {};
  return {
    get tlsh() {
      if (!('tlsh' in known)) known.tlsh = feed(new TlshHasher()).finish();
      return known.tlsh;
    },
    get ssdeep() {
      if (!('ssdeep' in known))
        known.ssdeep = feed(new SsdeepHasher(source.size, leastBlockSize)).tryFinish();
      return known.ssdeep;
    },
  };
}
