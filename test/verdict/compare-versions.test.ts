import { assert, array, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions } from '../../src/verdict/compare-versions.ts';

describe('when versions are compared', () => {
  it.each([
    ['7.2', '7.10'],
    ['7.2.0.103', '7.2.0.104'],
    ['1.2', '1.2.0.1'],
    ['8.9.0.1 beta', '8.10'],
    ['1, 0, 31, 0', '1.0.36'],
  ])('%s is before %s', (first, second) => {
    expect(compareVersions(first, second)).toBeLessThan(0);
    expect(compareVersions(second, first)).toBeGreaterThan(0);
  });

  it('takes missing numbers for zero', () => {
    expect(compareVersions('7.2', '7.2.0.0')).toBe(0);
  });

  it('is an order', () => {
    const version = array(nat(20), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
    assert(
      property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) {
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });
});
