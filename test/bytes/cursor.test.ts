import { describe, expect, it } from 'vitest';
import { readChunks, readUpTo, sliceSource, toByteSource } from '../../src/bytes/byte-source.ts';
import { Cursor, cutAtZero, toHex, toLatin1, toUtf16 } from '../../src/bytes/cursor.ts';
import { TelltaleError, toErrorFamily } from '../../src/bytes/errors.ts';

const bytes = Uint8Array.from({ length: 32 }, (_, index) => index);

function thrown(action: () => unknown): TelltaleError {
  try {
    action();
  } catch (error) {
    if (error instanceof TelltaleError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('when a cursor reads', () => {
  it('reads numbers in both byte orders and moves on', () => {
    const cursor = new Cursor(bytes);
    expect([cursor.u8(), cursor.u16(), cursor.u32(), cursor.offset]).toEqual([0, 0x0201, 0x06050403, 7]);
    expect([cursor.u16be(), cursor.u32be(), cursor.u64big()]).toEqual([
      0x0708,
      0x090a0b0c,
      0x14131211100f0e0dn,
    ]);
    expect(cursor.remaining).toBe(32 - 21);
    expect(cursor.align(8).offset).toBe(24);
    expect(new Cursor(Uint8Array.of(0xff, 0xff, 0xff, 0xff)).i32()).toBe(-1);
    expect(new Cursor(Uint8Array.of(0x61, 0x62, 0, 0x63)).latin1(4)).toBe('ab');
  });

  it.each([
    ['past the end', () => new Cursor(bytes, 30).u32(), 30, 4],
    ['from beyond the end', () => new Cursor(bytes, 4_000_000_000).u8(), 4_000_000_000, 1],
    ['to a negative place', () => new Cursor(bytes).seek(-1), -1, 0],
    ['a negative length', () => new Cursor(bytes).bytes(-4), 0, -4],
    ['a number that is no length', () => new Cursor(bytes).bytes(Number.NaN), 0, Number.NaN],
  ])('refuses to go %s, with the place', (_, action, offset, wanted) => {
    const error = thrown(action);
    expect({ code: error.code, offset: error.offset, wanted: error.wanted }).toEqual({
      code: 'malformed/out-of-range',
      offset,
      wanted,
    });
  });

  it('refuses a 64-bit number that no file can hold', () => {
    const error = thrown(() => new Cursor(new Uint8Array(8).fill(0xff)).u64());
    expect({ code: error.code, offset: error.offset }).toEqual({ code: 'malformed/out-of-range', offset: 0 });
  });
});

describe('when a source is made of another', () => {
  it('keeps a slice inside its range', () => {
    const slice = sliceSource(toByteSource(bytes), 8, 8);
    expect([...slice.read(0, 8)]).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
    expect(thrown(() => slice.read(4, 5)).code).toBe('malformed/out-of-range');
    expect(thrown(() => sliceSource(toByteSource(bytes), 30, 3)).code).toBe('malformed/out-of-range');
  });

  it('reads up to the end, and nothing behind it', () => {
    const source = toByteSource(bytes);
    expect(readUpTo(source, 30, 10)).toHaveLength(2);
    expect(readUpTo(source, 32, 10)).toHaveLength(0);
    expect([...readChunks(source, 10)].map(({ length }) => length)).toEqual([10, 10, 10, 2]);
  });

  it('never shares memory through slice, also over a Buffer', () => {
    const read = toByteSource(Buffer.from([1, 2, 3])).read(0, 3);
    const copy = read.slice();
    copy[0] = 9;
    expect(read[0]).toBe(1);
  });
});

describe('when bytes become text', () => {
  it('reads what it can and never throws', () => {
    expect(toLatin1(Uint8Array.of(0x41, 0xe9))).toBe('Aé');
    expect(toUtf16(Uint8Array.of(0x6f, 0x8f, 0x41))).toBe('软'.replace('软', String.fromCharCode(0x8f6f)));
    expect(toUtf16(Uint8Array.of(0x00, 0xd8))).toBe('\ufffd');
    expect(toHex(Uint8Array.of(0, 255, 16))).toBe('00ff10');
    expect([...cutAtZero(Uint8Array.of(1, 0, 2))]).toEqual([1]);
    expect(toErrorFamily('limit/time')).toBe('limit');
  });
});
