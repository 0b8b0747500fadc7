import { describe, expect, it } from 'vitest';
import { toGrowthExponent, toMedian, toRatio } from '../../bench/measure/statistics.ts';

describe('when rounds are summed up', () => {
  it('takes the middle, or the mean of both middles', () => {
    expect(toMedian([9, 1, 5])).toBe(5);
    expect(toMedian([4, 1, 3, 100])).toBe(3.5);
    expect(toMedian([7])).toBe(7);
    expect(() => toMedian([])).toThrow(RangeError);
  });

  it('compares round by round, so that a slow moment of the machine falls on both', () => {
    // The ratio of the medians would be 0.6: 3 to 5.
    expect(toRatio([1, 3, 30], [2, 5, 60])).toEqual({ median: 0.5, least: 0.5, most: 0.6 });
  });

  it('leaves out rounds that only one of them has', () => {
    expect(toRatio([1, 2, 1000], [2, 4])).toEqual({ median: 0.5, least: 0.5, most: 0.5 });
    expect(() => toRatio([1], [])).toThrow(RangeError);
  });
});

describe('when a cost grows', () => {
  const xs = [1, 10, 100, 1_000, 10_000];
  const grow = (cost: (x: number) => number): number | undefined =>
    toGrowthExponent(xs.map((x) => ({ x, y: cost(x) })));

  it('tells the power, whatever the start of the program costs', () => {
    expect(grow((x) => 0.5 + 0.001 * x)).toBeCloseTo(1, 5);
    expect(grow((x) => 0.5 + 1e-6 * x ** 2)).toBeCloseTo(2, 1);
    expect(grow((x) => 0.5 + 0.01 * x ** 0.5)).toBeLessThan(0.6);
  });

  it('sees what only shows at the large end', () => {
    expect(grow((x) => 1 + 0.001 * x + 1e-7 * x ** 2)).toBeGreaterThan(1.15);
  });

  it('says nothing of what does not rise, or of too few points', () => {
    expect(grow(() => 3)).toBeUndefined();
    expect(
      toGrowthExponent([
        { x: 1, y: 1 },
        { x: 2, y: 2 },
      ]),
    ).toBeUndefined();
  });
});
