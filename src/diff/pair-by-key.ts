/** What two lists have in common by a key, and what is left of each, in its order. */
export interface KeyedPairs<T> {
  readonly pairs: readonly (readonly [T, T])[];
  readonly rest: readonly T[];
  readonly others: readonly T[];
}

/**
 * Pairs the things of two lists that have the same key; of several with one key the first with the first.
 *
 * @param toKey - undefined for what is not to be paired
 */
export function pairByKey<T>(
  left: readonly T[],
  right: readonly T[],
  toKey: (one: T) => string | undefined,
): KeyedPairs<T> {
  const waiting = new Map<string, T[]>();
  for (const one of right.toReversed()) {
    const key = toKey(one);
    if (key === undefined) continue;
    const queue = waiting.get(key);
    if (queue === undefined) waiting.set(key, [one]);
    else queue.push(one);
  }
  const pairs: (readonly [T, T])[] = [];
  const rest: T[] = [];
  const taken = new Set<T>();
  for (const one of left) {
    const key = toKey(one);
    const other = key === undefined ? undefined : waiting.get(key)?.pop();
    if (other === undefined) {
      rest.push(one);
      continue;
    }
    taken.add(other);
    pairs.push([one, other]);
  }
  return { pairs, rest, others: right.filter((one) => !taken.has(one)) };
}
