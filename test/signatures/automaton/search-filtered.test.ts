import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildAutomaton } from '../../../src/signatures/automaton/automaton.ts';
import { filterBytes } from '../../../src/signatures/automaton/filter-bytes.ts';
import type { KernelFactory } from '../../../src/signatures/automaton/kernel.ts';
import { createFilteredKernel } from '../../../src/signatures/automaton/search-filtered.ts';
import { createPlainKernel } from '../../../src/signatures/automaton/search-plain.ts';
import { createSearcher } from '../../../src/signatures/automaton/searcher.ts';
import { createRandom } from '../../mutation.ts';
import { hasWat2wasm, makeWasm } from '../../wat2wasm.ts';

/** Patterns and starts of all hits, in the order in which they are told. */
function list(
  make: KernelFactory,
  patterns: readonly Uint8Array[],
  window: Uint8Array,
  overlap: number,
): readonly number[] {
  const hits: number[] = [];
  createSearcher(buildAutomaton(patterns), make).search(window, overlap, (pattern, start) =>
    hits.push(pattern, start),
  );
  return hits;
}

function expectSame(patterns: readonly Uint8Array[], window: Uint8Array, overlap: number): number {
  const found = list(createFilteredKernel, patterns, window, overlap);
  expect(found).toEqual(list(createPlainKernel, patterns, window, overlap));
  return found.length / 2;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('when the filter is made from its source', () => {
  it.skipIf(!hasWat2wasm)('gives the bytes that are committed', () => {
    const source = new URL('../../../src/signatures/automaton/filter.wat', import.meta.url);
    expect(makeWasm(readFileSync(source, 'utf8')).toString('base64')).toBe(filterBytes);
  });
});

describe('when a window is searched through the filter', () => {
  it('tells what the plain loop tells, in the same order, with any overlap', () => {
    const random = createRandom(5);
    let found = 0;
    for (let round = 0; round < 150; round += 1) {
      const alphabet = 2 + random(6);
      // Letters of both cases, and bytes that differ from them in the bit that the filter does not see.
      const letters = [0x41, 0x61, 0x42, 0x00, 0x20, 0xff, 0x62, 0x5b];
      const bytesOf = (length: number): Uint8Array =>
        Uint8Array.from({ length }, () => letters[random(alphabet)] ?? 0);
      const patterns = Array.from({ length: 1 + random(20) }, () => bytesOf(4 + random(12)));
      const window = bytesOf(2000 + random(20_000));
      found += expectSame(patterns, window, random(2) === 0 ? 0 : 15 + random(30));
    }
    expect(found).toBeGreaterThan(10_000);
  });

  it('finds a pattern at every place, up to both ends of the window and across the overlap', () => {
    const patterns = [encode('NeeD'), encode('needle'), encode('dles')];
    for (const overlap of [0, 5, 16]) {
      for (let at = 0; at < 40; at += 1) {
        const window = new Uint8Array(2_000).fill(0x2e);
        window.set(encode('nEEDLEs'), at);
        window.set(encode('needle'), window.length - 6 - at);
        expectSame(patterns, window, overlap);
      }
    }
  });

  it('tells all of more hits than it has room for', () => {
    const window = new Uint8Array(60_000).fill(0x61);
    expect(expectSame([encode('aaaa'), encode('aaaaaaa')], window, 0)).toBeGreaterThan(100_000);
  });

  it('searches what begins everywhere and goes on nowhere', () => {
    const random = createRandom(4);
    const window = new Uint8Array(500_000).map(() => (random(500) === 0 ? 0x62 : 0x61));
    const long = new Uint8Array(400).fill(0x61);
    expect(expectSame([long, encode('abab')], window, 0)).toBeGreaterThan(0);
  });

  it('leaves patterns of less than four bytes to the automaton', () => {
    const window = encode('an ox and an ox and an axe'.repeat(200));
    expect(expectSame([encode('ox'), encode('an axe')], window, 0)).toBe(600);
  });

  it('takes windows that are larger than its memory, and finds what lies across its pieces', () => {
    const random = createRandom(9);
    const window = Uint8Array.from({ length: 1_400_001 }, () => random(256));
    const needle = encode('a needle of some length');
    for (let at = 0; at + needle.length < window.length; at += 65_521) window.set(needle, at);
    for (const at of [524_288 - 5, 1_048_576 - 40, window.length - needle.length]) window.set(needle, at);
    for (const overlap of [0, 22, 500])
      expect(
        expectSame([needle, encode('needle'), Uint8Array.of(1, 2, 3, 4)], window, overlap),
      ).toBeGreaterThan(40);
  });

  it('knows thousands of patterns', () => {
    const random = createRandom(3);
    const patterns = Array.from({ length: 5_000 }, (_, index) =>
      encode(`word-${index * 7919}-${random(1000)}`),
    );
    const window = encode(
      Array.from({ length: 3_000 }, () => `WORD-${random(5_000) * 7919}-${random(1000)}`).join(' '),
    );
    for (let at = 0; at + 40 < window.length; at += 1_000) window.set(patterns[random(5_000)] ?? window, at);
    expect(expectSame(patterns, window, 0)).toBeGreaterThan(20);
  });
});
