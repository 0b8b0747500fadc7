import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ByteSource, readPassing, sliceSource, toByteSource } from '../../src/bytes/byte-source.ts';
import { chainSources } from '../../src/bytes/chain-sources.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';

/** As a file: every read takes memory, unless it is given some. */
function toFileLike(bytes: Uint8Array): ByteSource {
  const { size, read } = toByteSource(bytes);
  return {
    size,
    read: (offset, length) => read(offset, length).slice(),
    readInto: (offset, target) => target.set(read(offset, target.length)),
  };
}

const toRandom = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, index) => Math.imul(index, 2_654_435_761) >>> 13));

describe('when sources are put one behind the other', () => {
  const sizes = fc.array(fc.oneof(fc.nat(40), fc.integer({ min: 16_000, max: 20_000 })), { maxLength: 8 });

  it('gives the same bytes wherever they are read, also of a part', () => {
    fc.assert(
      fc.property(
        sizes,
        fc.boolean(),
        fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 20 }),
        (parts, isFile, reads) => {
          const whole = toRandom(parts.reduce((sum, size) => sum + size, 0));
          let at = 0;
          const chain = chainSources(
            parts.map((size) => {
              at += size;
              const link = whole.subarray(at - size, at);
              return isFile ? toFileLike(link) : toByteSource(link);
            }),
          );
          expect(chain.size).toBe(whole.length);
          for (const [from, length] of reads) {
            const offset = from % (whole.length + 1);
            const size = length % (whole.length - offset + 1);
            expect(whole.subarray(offset, offset + size).equals(chain.read(offset, size))).toBe(true);
            const passing = Array.from(
              readPassing(sliceSource(chain, offset, size)),
              (chunk) => chunk.length,
            );
            expect(passing.reduce((sum, one) => sum + one, 0)).toBe(size);
          }
          expect(() => chain.read(whole.length, 1)).toThrow(TelltaleError);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('hands memory on without a copy, run by run', () => {
    const links = [toRandom(20_000), toRandom(300_000), toRandom(50_000)];
    const slice = sliceSource(chainSources(links.map(toByteSource)), 1000, 350_000);
    const chunks = [...readPassing(slice)];
    expect(chunks.map(({ length }) => length)).toEqual([19_000, 262_144, 37_856, 31_000]);
    expect(new Set(chunks.map(({ buffer }) => buffer))).toEqual(new Set(links.map(({ buffer }) => buffer)));
    expect(Buffer.concat(chunks).equals(Buffer.concat(links).subarray(1000, 351_000))).toBe(true);
  });

  it('puts many short runs together', () => {
    const links = Array.from({ length: 1000 }, () => toRandom(100));
    const chunks = [...readPassing(chainSources(links.map(toByteSource)))];
    expect(chunks).toHaveLength(1);
    expect(Buffer.concat(chunks).equals(Buffer.concat(links))).toBe(true);
  });
});
