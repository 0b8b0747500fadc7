/**
 * Compares versions number by number; missing numbers count as zero, and what follows the numbers does not count.
 *
 * @returns below zero when the first is the earlier one
 */
export function compareVersions(first: string, second: string): number {
  const left = toNumbers(first);
  const right = toNumbers(second);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Version blocks write `1, 0, 36, 0` as well. */
function toNumbers(version: string): readonly number[] {
  const [numbers = ''] = /^\d+(?:(?:\.|, ?)\d+)*/.exec(version.trim()) ?? [];
  return numbers.split(/\.|, ?/).map(Number);
}
