import { array, assert, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toShare } from '../../../src/report/html/share.ts';

describe('when room is shared', () => {
  it.each([
    [[1, 2, 3], 10, 100, 10],
    [[5, 50, 500], 1000, 105, 50],
    [[5, 50, 500], 20, 1000, 20],
    [[1, 1, 1], 10, 2, 0],
    [[], 10, 0, 10],
  ])('gives each of %j at most %d of %d: %d', (counts, each, all, share) => {
    expect(toShare(counts, each, all)).toBe(share);
  });

  it('never gives more than there is, nor less than it could', () => {
    const sum = (counts: readonly number[], share: number): number =>
      counts.reduce((total, count) => total + Math.min(count, share), 0);
    assert(
      property(array(nat(50)), nat(60), nat(400), (counts, each, all) => {
        const share = toShare(counts, each, all);
        expect(share).toBeLessThanOrEqual(each);
        expect(sum(counts, share)).toBeLessThanOrEqual(all);
        if (share < each) expect(sum(counts, share + 1)).toBeGreaterThan(all);
      }),
    );
  });
});
