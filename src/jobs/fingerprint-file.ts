import type { Limits } from '../bytes/budget.ts';
import type { Knowledge } from '../scan/knowledge.ts';
import { type Artifact, pathSeparator } from '../scan/model.ts';
import { type Fingerprint, toFingerprint } from '../signatures/similarity/fingerprint.ts';
import { leastComparedBytes } from '../signatures/similarity/similar-builds.ts';
import { toProgram } from '../verdict/assess.ts';
import { readArtifacts } from './scan-file.ts';

/** What files that are alike to this one are recognised by. */
export interface FileFingerprint extends Fingerprint {
  /** Path inside the file; empty for the file itself. */
  readonly part: string;
  readonly sha256: string;
  readonly size: number;
}

/**
 * Fingerprints of a file and of its unpacked images; packed bytes are not alike where the programs in them are.
 * Pieces that are too small to be compared, or could not be read, have none.
 *
 * @throws TelltaleError `unreadable/…`
 */
export async function fingerprintFile(
  path: string,
  knowledge: Knowledge,
  limits: Limits,
): Promise<{ readonly root: Artifact; readonly fingerprints: readonly FileFingerprint[] }> {
  const root = await readArtifacts({ path }, knowledge, limits);
  const wanted = new Set(toProgram(root).map((piece) => piece.path));
  const byPath = new Map<string, Fingerprint>();
  await readArtifacts({ path }, knowledge, limits, {
    visitor: (place, source) => {
      if (wanted.has(place) && source.size >= leastComparedBytes) byPath.set(place, toFingerprint(source));
    },
  });
  return {
    root,
    fingerprints: toProgram(root).flatMap((piece): FileFingerprint[] => {
      const fingerprint = byPath.get(piece.path);
      const { sha256 } = piece.digests;
      if (fingerprint === undefined || sha256 === undefined || piece.size === undefined) return [];
      const part = piece.path.slice(path.length + pathSeparator.length);
      return [{ part, sha256, size: piece.size, ...fingerprint }];
    }),
  };
}
