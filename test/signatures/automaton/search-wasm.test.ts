import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildAutomaton } from '../../../src/signatures/automaton/automaton.ts';
import type { KernelFactory } from '../../../src/signatures/automaton/kernel.ts';
import { searchBytes } from '../../../src/signatures/automaton/search-bytes.ts';
import { createPlainKernel } from '../../../src/signatures/automaton/search-plain.ts';
import { createWasmKernel } from '../../../src/signatures/automaton/search-wasm.ts';
import { createRandom } from '../../mutation.ts';
import { hasWat2wasm, makeWasm } from '../../wat2wasm.ts';

/** Ends and rows of all hits, in the order in which they are told. */
function list(
  make: KernelFactory,
  patterns: readonly Uint8Array[],
  window: Uint8Array,
  overlap: number,
): readonly number[] {
  const hits: number[] = [];
  make(buildAutomaton(patterns)).search(window, overlap, (end, row) => hits.push(end, row));
  return hits;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('when the kernel is made from its source', () => {
  it.skipIf(!hasWat2wasm)('gives the bytes that are committed', () => {
    const source = new URL('../../../src/signatures/automaton/search.wat', import.meta.url);
    expect(makeWasm(readFileSync(source, 'utf8')).toString('base64')).toBe(searchBytes);
  });
});

describe('when a window is searched in WebAssembly', () => {
  it('tells what the plain loop tells, in the same order, with any overlap', () => {
    const random = createRandom(5);
    for (let round = 0; round < 60; round += 1) {
      const alphabet = 2 + random(4);
      const bytesOf = (length: number): Uint8Array =>
        Uint8Array.from({ length }, () => 0x40 + random(alphabet));
      const patterns = Array.from({ length: 1 + random(20) }, () => bytesOf(1 + random(12)));
      const window = bytesOf(4000 + random(20_000));
      const overlap = random(2) === 0 ? 0 : 12 + random(30);
      expect(list(createWasmKernel, patterns, window, overlap)).toEqual(
        list(createPlainKernel, patterns, window, overlap),
      );
    }
  });

  it('tells all of more hits than it has room for', () => {
    const window = new Uint8Array(60_000).fill(0x61);
    const found = list(createWasmKernel, [encode('aa'), encode('aaa')], window, 0);
    expect(found).toHaveLength((window.length - 1) * 2);
    expect(found).toEqual(list(createPlainKernel, [encode('aa'), encode('aaa')], window, 0));
  });

  it('takes windows that are larger than its memory, and finds what lies across its pieces', () => {
    const random = createRandom(9);
    const window = Uint8Array.from({ length: 1_400_001 }, () => random(256));
    const needle = encode('a needle of some length');
    for (let at = 0; at + needle.length < window.length; at += 65_521) window.set(needle, at);
    for (const at of [524_288 - 5, 1_048_576 - 40, window.length - needle.length]) window.set(needle, at);
    const patterns = [needle, encode('needle'), Uint8Array.of(1, 2)];
    for (const overlap of [0, 22, 500]) {
      expect(list(createWasmKernel, patterns, window, overlap)).toEqual(
        list(createPlainKernel, patterns, window, overlap),
      );
    }
  });

  it('is used again and again without a trace of what came before', () => {
    const kernel = createWasmKernel(buildAutomaton([encode('skype')]));
    const count = (window: Uint8Array): number => {
      let hits = 0;
      kernel.search(window, 0, () => (hits += 1));
      return hits;
    };
    const full = new Uint8Array(9000);
    full.set(encode('skype'), 8990);
    expect([count(full), count(new Uint8Array(9000)), count(full)]).toEqual([1, 0, 1]);
  });

  it('leaves literals that are longer than a window to the other loop', () => {
    const long = new Uint8Array(200_000).fill(7);
    const window = new Uint8Array(600_000);
    window.set(long, 300_000);
    expect(list(createWasmKernel, [long], window, 0)).toEqual(list(createPlainKernel, [long], window, 0));
  });
});
