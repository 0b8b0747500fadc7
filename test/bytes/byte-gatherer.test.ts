import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteGatherer } from '../../src/bytes/byte-gatherer.ts';

/** Memory that is held by what was gathered. */
function measureHeld({ gathered }: ByteGatherer): number {
  return [...new Set(gathered.map(({ buffer }) => buffer))].reduce(
    (sum, { byteLength }) => sum + byteLength,
    0,
  );
}

describe('when chunks are gathered', () => {
  it('gives them in order, whatever was promised and whoever owns them', () => {
    const small = fc.uint8Array({ maxLength: 300 });
    const large = fc.tuple(fc.integer({ min: 32_000, max: 40_000 }), fc.nat(255)).map(([length, fill]) => {
      const bytes = new Uint8Array(length).fill(fill);
      bytes[0] = 0xab;
      return bytes;
    });
    const chunk = fc.record({ bytes: fc.oneof(small, large), mayKeep: fc.boolean() });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), fc.nat(2_000), (chunks, promised) => {
        const gatherer = new ByteGatherer(promised);
        const expected = Buffer.concat(chunks.map(({ bytes }) => bytes));
        for (const { bytes, mayKeep } of chunks) {
          gatherer.add(bytes, mayKeep);
          // Whoever does not give its chunk away uses it again.
          if (!mayKeep) bytes.fill(0xee);
        }
        expect(gatherer.size).toBe(expected.length);
        expect(Buffer.concat(gatherer.gathered).equals(expected)).toBe(true);
        const whole = gatherer.finish();
        expect(whole.size).toBe(expected.length);
        expect(expected.equals(whole.read(0, whole.size))).toBe(true);
        expect(measureHeld(gatherer)).toBeLessThanOrEqual(Math.max(2 * expected.length, 400));
      }),
    );
  });

  it('does not copy chunks that may be kept, unless they are small', () => {
    const chunks = [
      Uint8Array.of(1, 2, 3),
      new Uint8Array(64 * 1024),
      Uint8Array.of(4),
      new Uint8Array(80_000),
    ];
    const gatherer = new ByteGatherer(3);
    for (const chunk of chunks) gatherer.add(chunk, true);
    const isKept = gatherer.gathered.map(({ buffer }, index) => buffer === chunks[index]?.buffer);
    expect(isKept).toEqual([true, true, false, true]);
  });

  it('copies all together when the first one is small, and takes memory once', () => {
    const gatherer = new ByteGatherer(1_000_000);
    for (const size of [10, 100_000, 20, 300_000]) gatherer.add(new Uint8Array(size), true);
    expect(gatherer.gathered).toHaveLength(1);
    expect(gatherer.gathered[0]?.buffer.byteLength).toBe(1_000_000);
  });

  it('sets little aside for a small chunk between two that are kept', () => {
    const gatherer = new ByteGatherer(100_000_000);
    for (const size of [100_000, 20, 300_000, 30]) gatherer.add(new Uint8Array(size), true);
    expect(gatherer.gathered.map(({ length }) => length)).toEqual([100_000, 20, 300_000, 30]);
    expect(measureHeld(gatherer)).toBeLessThan(600_000);
  });

  it('does not set aside what a container promises beyond measure', () => {
    const gatherer = new ByteGatherer(2 ** 40);
    gatherer.add(Uint8Array.of(1), false);
    expect(measureHeld(gatherer)).toBeLessThanOrEqual(256 * 1024 * 1024);
    gatherer.finish();
    expect(measureHeld(gatherer)).toBe(1);
  });
});
