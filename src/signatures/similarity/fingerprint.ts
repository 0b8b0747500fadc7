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
