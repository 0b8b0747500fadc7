import type { ByteSource } from '../bytes/byte-source.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import { type ComparedFingerprint, toFingerprintLater } from '../signatures/similarity/fingerprint.ts';
import type { Likeness } from '../signatures/similarity/similar-builds.ts';
import type { Knowledge } from './knowledge.ts';
import type { Artifact } from './model.ts';

/** A build that an artifact is alike to. */
export interface ClosestBuild extends Likeness {
  /** Id of the product. */
  readonly product: string;
}

/** Whether the very file is in the database, so that there is no question what it is alike to. */
export function isRecorded(
  { database, usesKnownBuilds }: Knowledge,
  digests: Readonly<Partial<Record<DigestAlgorithm, string>>>,
): boolean {
  return database.products.some(
    ({ knownBuilds, similarBuilds }) =>
      (usesKnownBuilds && knownBuilds.find(digests) !== undefined) ||
      (digests.sha256 !== undefined && similarBuilds.has(digests.sha256)),
  );
}

/**
 * Known builds that an artifact is alike to, the most alike first. Only programs and installers are compared, and only
 * with builds of a product that they claim to be, that something in them tells of, or whose publisher is said to have
 * signed them although they are not intact: the bytes may be read once more for each digest.
 *
 * @param checkTime - throws when there is no time left
 */
export function findClosest(
  { database }: Knowledge,
  artifact: Artifact,
  source: ByteSource,
  checkTime: () => void,
): readonly ClosestBuild[] {
  if (artifact.format.nature !== 'acting') return [];
  const found: ClosestBuild[] = [];
  const { authenticity } = artifact;
  // What a publisher signed and nobody changed is what it says it is.
  const doubted = authenticity?.integrity === 'intact' ? undefined : authenticity?.publisher;
  let fingerprint: ComparedFingerprint | undefined;
  for (const { product, publishers, similarBuilds } of database.products) {
    if (!similarBuilds.mayBeAlike(source.size)) continue;
    const isOfInterest =
      artifact.observations.some(
        (one) => one.product === product.id && one.claims.length + one.telltales.length > 0,
      ) || publishers.some(({ id }) => id === doubted);
    if (!isOfInterest) continue;
    fingerprint ??= toFingerprintLater(source, toLeastBlockSize(database), checkTime);
    for (const likeness of similarBuilds.findAlike(artifact.digests.sha256, source.size, fingerprint))
      found.push({ ...likeness, product: product.id });
  }
  return found;
}

/** Of all products together: the digest is computed once. */
function toLeastBlockSize({ products }: Knowledge['database']): number {
  return Math.min(...products.map(({ similarBuilds }) => similarBuilds.leastBlockSize ?? Infinity));
}
