/** A literal that was found in a file, by the SHA-256 of its bytes. */
export interface FoundPair {
  readonly digest: string;
  readonly indicator: string;
}

/** Whether two programs found the same, and what differs. */
export type Agreement =
  | {
      readonly kind: 'agreed';
      /** How many finds they agree on. */
      readonly common: number;
      /** What only telltale can see, because it looks deeper than the other program: told, but no contradiction. */
      readonly deeper: readonly string[];
      /** What was compared, in words. */
      readonly basis: string;
    }
  | { readonly kind: 'differs'; readonly differences: readonly string[]; readonly basis: string };

const toKey = ({ digest, indicator }: FoundPair): string => `${indicator} in ${digest}`;

/**
 * Compares what two programs found. Everything that the peer found has to be among what telltale found, and the other
 * way about; only what telltale found inside of what the peer had as one file is left out of that.
 *
 * @param basis - what is compared, in words
 */
export function comparePairs(
  own: readonly FoundPair[],
  peer: readonly FoundPair[],
  deeper: readonly string[],
  basis: string,
): Agreement {
  const ownKeys = new Set(own.map(toKey));
  const peerKeys = new Set(peer.map(toKey));
  const differences = [
    ...[...peerKeys].filter((key) => !ownKeys.has(key)).map((key) => `only the peer found ${key}`),
    ...[...ownKeys].filter((key) => !peerKeys.has(key)).map((key) => `only telltale found ${key}`),
  ].sort();
  if (differences.length > 0) return { kind: 'differs', differences, basis };
  if (peerKeys.size === 0) {
    return { kind: 'differs', differences: ['neither found anything, so nothing was compared'], basis };
  }
  return { kind: 'agreed', common: peerKeys.size, deeper: [...new Set(deeper)].sort(), basis };
}

/**
 * Compares names that were found anywhere in one file, with a program that does not say in which member. Names of
 * telltale that the peer does not have are told as deeper finds when it cannot be expected to see everything.
 */
export function compareNames(own: readonly string[], peer: readonly string[], basis: string): Agreement {
  const ownNames = new Set(own);
  const peerNames = new Set(peer);
  const missing = [...peerNames].filter((name) => !ownNames.has(name)).sort();
  if (missing.length > 0) {
    return { kind: 'differs', differences: missing.map((name) => `only the peer found ${name}`), basis };
  }
  if (peerNames.size === 0) {
    return {
      kind: 'differs',
      differences: [
        ownNames.size === 0
          ? 'neither found anything, so nothing was compared'
          : `only telltale found anything: ${[...ownNames].sort().join(', ')}`,
      ],
      basis,
    };
  }
  const deeper = [...ownNames].filter((name) => !peerNames.has(name)).sort();
  return { kind: 'agreed', common: peerNames.size, deeper, basis };
}
