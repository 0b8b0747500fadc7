import { describe, expect, it } from 'vitest';
import { isKnownFilter, undoCallTrick } from '../../../src/formats/codecs/call-trick.ts';

// call +0x10 at 4; jmp -2 at 12; 0f 84 jcc +0x20 at 20; then a lone e8 too close to the end.
// call +0x10 at 4; jmp -2 at 12; jcc +0x20 (0f 84) at 20; an e8 too close to the end.
const code = Uint8Array.from(
  [
    [0x90, 0x90, 0x90, 0x90, 0xe8, 0x10, 0, 0, 0],
    [0x90, 0x90, 0x90, 0xe9, 0xfe, 0xff, 0xff, 0xff],
    [0x90, 0x90, 0x0f, 0x84, 0x20, 0, 0, 0],
    [0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xe8, 1, 2, 3],
  ].flat(),
);
const addend = 0x100;

/** Filters as UPX does, one place at a time. */
function store(places: readonly number[], change: (view: DataView, operand: number) => void): Uint8Array {
  const bytes = Uint8Array.from(code);
  const view = new DataView(bytes.buffer);
  for (const place of places) change(view, place + 1);
  return bytes;
}

const toTarget = (view: DataView, operand: number): number =>
  (view.getInt32(operand, true) + operand + addend) >>> 0;
const littleAbsolute = (view: DataView, operand: number): void =>
  view.setUint32(operand, toTarget(view, operand), true);
const bigAbsolute = (view: DataView, operand: number): void =>
  view.setUint32(operand, toTarget(view, operand), false);
const bigMarked = (view: DataView, operand: number): void =>
  view.setUint32(operand, (toTarget(view, operand) + 0x7f000000) >>> 0, false);
const turned = (view: DataView, operand: number): void =>
  view.setUint32(operand, view.getUint32(operand, true), false);

describe('when code was filtered', () => {
  it.each([
    [0x11, [4], littleAbsolute],
    [0x12, [12], littleAbsolute],
    [0x13, [4, 12], littleAbsolute],
    [0x14, [4], bigAbsolute],
    [0x15, [12], bigAbsolute],
    [0x16, [4, 12], bigAbsolute],
    [0x1a, [4], turned],
    [0x1b, [12], turned],
    [0x1c, [4, 12], turned],
    [0x24, [4], bigMarked],
    [0x25, [12], bigMarked],
    [0x26, [4, 12], bigMarked],
    [0x36, [4, 12], bigMarked],
    [0x46, [4, 12], bigMarked],
    [0x49, [4, 12, 20], bigMarked],
  ] as const)('undoes filter 0x%s', (filter, places, change) => {
    const bytes = store(places, change);
    const range = { filter, marker: 0x7f, offset: 0, length: bytes.length, addend };
    expect(undoCallTrick(bytes, range)).toBe(places.length);
    expect([...bytes]).toEqual([...code]);
  });

  it('undoes the call of 0x1d and turns its jump', () => {
    const bytes = store([4], bigAbsolute);
    turned(new DataView(bytes.buffer), 13);
    undoCallTrick(bytes, { filter: 0x1d, marker: 0, offset: 0, length: bytes.length, addend });
    expect([...bytes]).toEqual([...code]);
  });
});

describe('when an operand does not carry the marker', () => {
  it('is left alone', () => {
    const bytes = Uint8Array.from(code);
    expect(
      undoCallTrick(bytes, { filter: 0x26, marker: 0x7f, offset: 0, length: bytes.length, addend }),
    ).toBe(0);
    expect([...bytes]).toEqual([...code]);
  });
});

describe('when the range starts later or reaches outside', () => {
  it('counts from the range and stays inside the bytes', () => {
    const bytes = Uint8Array.of(1, 2, 3, ...store([4, 12], bigMarked));
    const range = { filter: 0x26, marker: 0x7f, offset: 3, length: 1e9, addend };
    expect(undoCallTrick(bytes, range)).toBe(2);
    expect([...bytes.subarray(3)]).toEqual([...code]);
    expect(undoCallTrick(new Uint8Array(3), { ...range, offset: 0 })).toBe(0);
  });
});

describe('when the filter is unknown', () => {
  it('changes nothing and says so', () => {
    const bytes = Uint8Array.from(code);
    expect(isKnownFilter(0x80)).toBe(false);
    expect(isKnownFilter(0)).toBe(true);
    expect(isKnownFilter(0x49)).toBe(true);
    const range = { filter: 0x80, marker: 0, offset: 0, length: bytes.length, addend };
    expect(undoCallTrick(bytes, range)).toBeUndefined();
    expect([...bytes]).toEqual([...code]);
  });
});
