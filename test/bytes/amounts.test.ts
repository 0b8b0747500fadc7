import { describe, expect, it } from 'vitest';
import { toGrouped } from '../../src/bytes/amounts.ts';

describe('when a whole number is written', () => {
  it('has its thousands apart, as English has them', () => {
    for (const value of [
      0,
      5,
      999,
      1000,
      12_345,
      999_999,
      1_000_000,
      1_234_567_890,
      2 ** 53 - 1,
      -1,
      -1234,
    ]) {
      expect(toGrouped(value)).toBe(value.toLocaleString('en-US'));
    }
  });
});
