/** @throws RangeError for an empty list */
export function toMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new RangeError('there is no median of nothing');
  return (upper + lower) / 2;
}

/** A ratio with the smallest and the largest of the rounds. */
export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * The ratio of two measured series: the median of the ratios round by round, because the two runs of one round lie
 * side by side in time and share what else the machine did. Rounds that only one of them has are left out.
 *
 * @throws RangeError when they have no round in common
 */
export function toRatio(own: readonly number[], other: readonly number[]): Ratio {
  const ratios = own.slice(0, other.length).map((value, round) => value / (other[round] ?? Number.NaN));
  return { median: toMedian(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The slope is taken over at least this factor in x: over less, it would be noise. */
const leastFactor = 4;

/**
 * How a cost grows, as a power: 1 is linear, 2 quadratic. It is the slope in a plot of both logarithms at the large
 * end, from the last point that is at most a quarter as large to the largest, with the cost at the smallest x taken away
 * first: the start of the program is not growth.
 *
 * @returns undefined when there are too few points, or when they do not rise above the first
 */
export function toGrowthExponent(points: readonly Point[]): number | undefined {
  const sorted = [...points].sort((a, b) => a.x - b.x);
  const first = sorted[0];
  const last = sorted.at(-1);
  if (first === undefined || last === undefined || sorted.length < 3) return undefined;
  const start = sorted.findLast(({ x }) => x <= last.x / leastFactor);
  if (start === undefined || start === first) return undefined;
  const rise = (point: Point): number => point.y - first.y;
  if (rise(start) <= 0 || rise(last) <= 0) return undefined;
  return Math.log(rise(last) / rise(start)) / Math.log((last.x - first.x) / (start.x - first.x));
}
