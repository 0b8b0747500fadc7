/**
 * The largest limit for each of many so that all together stay below the limit for all: what is small is shown whole,
 * what is large is cut alike.
 *
 * @param counts - how much there is of each
 */
export function toShare(counts: readonly number[], limitForEach: number, limitForAll: number): number {
  const isWithin = (share: number): boolean =>
    counts.reduce((sum, count) => sum + Math.min(count, share), 0) <= limitForAll;
  let low = 0;
  let high = limitForEach;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (isWithin(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
