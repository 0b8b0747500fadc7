import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildAutomaton } from '../../../src/signatures/automaton/automaton.ts';
import { foldByte } from '../../../src/signatures/automaton/fold.ts';
import { createFourStreamKernel } from '../../../src/signatures/automaton/search-four-streams.ts';
import { createWasmKernel } from '../../../src/signatures/automaton/search-wasm.ts';
import { createPlainKernel } from '../../../src/signatures/automaton/search-plain.ts';
import { createSearcher } from '../../../src/signatures/automaton/searcher.ts';
import { createRandom } from '../../mutation.ts';

type Found = readonly [pattern: number, start: number];

/** Every occurrence, by comparing at every offset. */
function searchNaively(patterns: readonly Uint8Array[], bytes: Uint8Array): Found[] {
  const found: Found[] = [];
  for (const [index, pattern] of patterns.entries()) {
    for (let start = 0; start + pattern.length <= bytes.length; start += 1) {
      if (pattern.every((byte, at) => foldByte(byte) === foldByte(bytes[start + at] ?? -1)))
        found.push([index, start]);
    }
  }
  return sortFound(found);
}

function sortFound(found: readonly Found[]): Found[] {
  return [...found].sort(([p, s], [q, t]) => s - t || p - q);
}

/** Windows of the given sizes, each repeating the overlap that the searcher asks for. */
function searchInWindows(
  patterns: readonly Uint8Array[],
  bytes: Uint8Array,
  sizes: readonly number[],
  kernel?: typeof createPlainKernel,
): Found[] {
  const searcher = createSearcher(buildAutomaton(patterns), kernel);
  const found: Found[] = [];
  let turn = 0;
  for (let from = 0; from < bytes.length; turn += 1) {
    const to = Math.min(bytes.length, from + (sizes[turn % sizes.length] ?? 1));
    const overlap = Math.min(from, searcher.overlap);
    const base = from - overlap;
    searcher.search(bytes.subarray(base, to), overlap, (pattern, start) =>
      found.push([pattern, base + start]),
    );
    from = to;
  }
  return sortFound(found);
}

const few = fc.constantFrom(0x61, 0x62, 0x41, 0x00, 0xff);
const bytesOf = (maxLength: number, minLength = 0): fc.Arbitrary<Uint8Array> =>
  fc.array(few, { minLength, maxLength }).map((values) => Uint8Array.from(values));
const patternLists = fc.array(bytesOf(6, 1), { minLength: 1, maxLength: 12 });

describe('when random patterns are searched in random bytes', () => {
  it('finds what comparing at every offset finds, in windows of any size', () => {
    fc.assert(
      fc.property(
        patternLists,
        bytesOf(200),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (patterns, bytes, sizes) => {
          const expected = searchNaively(patterns, bytes);
          expect(searchInWindows(patterns, bytes, [bytes.length + 1])).toEqual(expected);
          expect(searchInWindows(patterns, bytes, sizes)).toEqual(expected);
          expect(searchInWindows(patterns, bytes, sizes, createPlainKernel)).toEqual(expected);
          expect(searchInWindows(patterns, bytes, sizes, createFourStreamKernel)).toEqual(expected);
        },
      ),
      { numRuns: 500, seed: 7 },
    );
  });
});

describe('when a window is large enough for four streams', () => {
  it.each([
    ['in WebAssembly', createWasmKernel],
    ['in TypeScript', createFourStreamKernel],
  ])('finds the same as one stream, each occurrence once, in rising order of its end, %s', (_, kernel) => {
    const random = createRandom(11);
    const patterns = ['skype.tom.com', 'tom.com', 'tom', 'M', 'skypetools', 'xx', 'xxx'].map((text) =>
      new TextEncoder().encode(text),
    );
    const automaton = buildAutomaton(patterns);
    const searcher = createSearcher(automaton, kernel);
    for (const length of [4096, 4097, 4098, 4099, 5000, 10_003]) {
      const bytes = Uint8Array.from({ length }, () => 0x78 - random(3));
      // One occurrence across each border between two quarters, for every way to lie across it.
      for (let shift = 0; shift < 14; shift += 1) {
        const copy = bytes.slice();
        for (const quarter of [1, 2, 3, 4]) {
          copy.set(
            new TextEncoder().encode('SKYPE.tom.COM'),
            Math.max(0, Math.floor(length / 4) * quarter - 13 - (4 - quarter) + shift - 1) % (length - 13),
          );
        }
        const ends: number[] = [];
        const found: Found[] = [];
        searcher.search(copy, 0, (pattern, start) => {
          found.push([pattern, start]);
          ends.push(start + (patterns[pattern]?.length ?? 0));
        });
        expect(sortFound(found)).toEqual(searchNaively(patterns, copy));
        expect(ends).toEqual([...ends].sort((a, b) => a - b));
      }
    }
  });

  it('agrees with one stream on windows with an overlap', () => {
    const random = createRandom(3);
    const patterns = [Uint8Array.of(0, 0, 0), Uint8Array.of(1, 0, 2, 1, 1, 0, 2, 1), Uint8Array.of(2)];
    const bytes = Uint8Array.from({ length: 40_000 }, () => random(3));
    const sizes = [4500, 9001, 333, 6000];
    for (const kernel of [createWasmKernel, createFourStreamKernel]) {
      expect(searchInWindows(patterns, bytes, sizes, kernel)).toEqual(
        searchInWindows(patterns, bytes, sizes, createPlainKernel),
      );
    }
    expect(searchInWindows(patterns, bytes, sizes)).toEqual(searchNaively(patterns, bytes));
  });
});

describe('when patterns are peculiar', () => {
  it('finds a pattern that comes twice under both numbers', () => {
    const pattern = Uint8Array.of(0x61, 0x62);
    expect(searchInWindows([pattern, pattern], Uint8Array.of(0x41, 0x62), [9])).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });

  it('takes patterns that use all 256 bytes', () => {
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    expect(searchInWindows([all], Uint8Array.from([...all, ...all]), [100])).toEqual([
      [0, 0],
      [0, 256],
    ]);
  });

  it('refuses an empty pattern', () => {
    expect(() => buildAutomaton([new Uint8Array(0)])).toThrow('an empty literal would match everywhere');
  });
});
