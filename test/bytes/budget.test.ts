import { describe, expect, it } from 'vitest';
import { Budget, defaultLimits } from '../../src/bytes/budget.ts';

const limits = {
  ...defaultLimits,
  bytesProduced: 1000,
  expansionRatio: 10,
  ratioFloorBytes: 500,
  members: 3,
  depth: 2,
  milliseconds: 50,
};

describe('when a budget is spent', () => {
  it('stops at the bytes, over everything that was produced', () => {
    const budget = new Budget(1000, limits);
    budget.chargeBytes(600);
    budget.chargeBytes(400);
    expect(() => budget.chargeBytes(1)).toThrow(expect.objectContaining({ code: 'limit/bytes' }));
    expect(budget.bytesProduced).toBe(1001);
  });

  it('stops at the ratio, but only above the floor', () => {
    const budget = new Budget(10, limits);
    budget.chargeBytes(500);
    expect(() => budget.chargeBytes(1)).toThrow(expect.objectContaining({ code: 'limit/ratio' }));
  });

  it('says before whether there is room', () => {
    const bytes = new Budget(1000, limits);
    bytes.chargeBytes(900);
    expect([bytes.hasRoomFor(100), bytes.hasRoomFor(101)]).toEqual([true, false]);
    const ratio = new Budget(60, limits);
    ratio.chargeBytes(400);
    expect([ratio.hasRoomFor(100), ratio.hasRoomFor(200), ratio.hasRoomFor(201)]).toEqual([
      true,
      true,
      false,
    ]);
    const floor = new Budget(10, limits);
    expect([floor.hasRoomFor(500), floor.hasRoomFor(501)]).toEqual([true, false]);
  });

  it('stops at the members and at the depth', () => {
    const budget = new Budget(10, limits);
    for (let index = 0; index < 3; index += 1) budget.chargeMember();
    expect(() => budget.chargeMember()).toThrow(expect.objectContaining({ code: 'limit/members' }));
    budget.checkDepth(2);
    expect(() => budget.checkDepth(3)).toThrow(expect.objectContaining({ code: 'limit/depth' }));
  });

  it('stops at the deadline', () => {
    let now = 0;
    const budget = new Budget(10, limits, () => now);
    now = 50;
    budget.checkTime();
    now = 51;
    expect(() => budget.checkTime()).toThrow(expect.objectContaining({ code: 'limit/time' }));
  });
});
