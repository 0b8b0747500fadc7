import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteGatherer } from '../../src/bytes/byte-gatherer.ts';

describe('when chunks are gathered', () => {
  it('gives them in order, whatever was promised and whoever owns them', () => {
    const chunk = fc.record({ bytes: fc.uint8Array({ maxLength: 300 }), mayKeep: fc.boolean() });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), fc.nat(2_000), (chunks, promised) => {
        const gatherer = new ByteGatherer(promised);
        const expected = chunks.flatMap(({ bytes }) => [...bytes]);
        for (const { bytes, mayKeep } of chunks) {
          gatherer.add(bytes, mayKeep);
          // Whoever does not give its chunk away uses it again.
          if (!mayKeep) bytes.fill(0xee);
        }
        expect(gatherer.size).toBe(expected.length);
        expect([...gatherer.gathered]).toEqual(expected);
        const whole = gatherer.finish();
        expect([...whole]).toEqual(expected);
        expect(whole.buffer.byteLength).toBeLessThanOrEqual(Math.max(2 * expected.length, 400));
      }),
    );
  });

  it('does not copy a chunk that is everything', () => {
    const chunk = Uint8Array.of(1, 2, 3);
    const gatherer = new ByteGatherer(3);
    gatherer.add(chunk, true);
    expect(gatherer.finish().buffer).toBe(chunk.buffer);
  });

  it('does not set aside what a container promises beyond measure', () => {
    const gatherer = new ByteGatherer(2 ** 40);
    gatherer.add(Uint8Array.of(1), false);
    expect(gatherer.gathered.buffer.byteLength).toBeLessThanOrEqual(256 * 1024 * 1024);
    expect(gatherer.finish().buffer.byteLength).toBe(1);
  });
});
