import { type Automaton, rowMask } from './automaton.ts';
import { filterBytes } from './filter-bytes.ts';
import type { Kernel } from './kernel.ts';
import { createFourStreamKernel } from './search-four-streams.ts';
import { createWasmKernel } from './search-wasm.ts';
import { toWhole, tryAllocate, tryInstantiate } from '../../platform/wasm-kernels.ts';
import { toPieces } from './pieces.ts';

/*
 * A filter before the automaton. Most bytes of most files begin no pattern, and four of them together say so: the
 * filter looks at every second place, and only where a pattern may begin is the trie followed, from its root. The
 * places that it looks at do not depend on each other, so that a processor looks at several at once.
 *
 * Every pattern has to have four bytes or more: at one of its first two places it is seen. What holds too many places
 * at which something may begin is searched by the automaton, which takes the same time for all bytes.
 */

const windowBytes = 512 * 1024;
/** Behind the window the filter reads on, without effect. */
const paddingBytes = 16;
/** Below this many new bytes a window is not worth the copying. */
const minBytes = 1024;
const hitsKept = 32 * 1024;
const hitBytes = 8;
/** When the trie is followed for more bytes than this share of the window, the automaton is faster. */
const stepsPerByte = 1;
const maxTableBytes = 128 * 1024 * 1024;
const hitBit = -0x80000000;

type Search = (
  trie: number,
  classes: number,
  filter: number,
  shift: number,
  window: number,
  from: number,
  length: number,
  overlap: number,
  hits: number,
  capacity: number,
  stepsMax: number,
) => number;

/** The kernel with the filter; the one without where a pattern is too short, or there is no room for the tables. */
export function createFilteredKernel(automaton: Automaton): Kernel {
  const { classes, overlap: neededOverlap, table, filter } = automaton;
  if (filter.length === 0 || neededOverlap > windowBytes / 4) return createWasmKernel(automaton);
  if (table.byteLength > maxTableBytes) return createWasmKernel(automaton);

  const filterBits = Math.log2(filter.length);
  const classesAt = table.byteLength;
  const filterAt = classesAt + classes.length * 2;
  const hitsAt = toWhole(filterAt + filter.length);
  const windowAt = hitsAt + hitsKept * hitBytes;
  const memory = tryAllocate(windowAt + windowBytes + paddingBytes);
  const search = memory && tryInstantiate<Search>(filterBytes, memory);
  if (memory === undefined || search === undefined) return createWasmKernel(automaton);

  const { buffer } = memory;
  const trie = new Int32Array(buffer, 0, table.length);
  fillTrie(trie, automaton);
  new Uint16Array(buffer, classesAt, classes.length).set(Uint16Array.from(classes, (one) => one * 4));
  new Uint8Array(buffer, filterAt, filter.length).set(filter);
  const window = new Uint8Array(buffer, windowAt, windowBytes + paddingBytes);
  const hits = new Int32Array(buffer, hitsAt, hitsKept * 2);

  const small = createFourStreamKernel(automaton);
  let whole: Kernel | undefined;

  const searchPiece = (
    bytes: Uint8Array,
    overlap: number,
    sink: (end: number, row: number) => void,
  ): void => {
    if (bytes.length - overlap < minBytes) {
      small.search(bytes, overlap, sink);
      return;
    }
    window.set(bytes);
    const count = search(
      0,
      classesAt,
      filterAt,
      32 - filterBits,
      windowAt,
      Math.max(0, overlap - neededOverlap),
      bytes.length,
      overlap,
      hitsAt,
      hitsKept,
      bytes.length * stepsPerByte,
    );
    if (count < 0 || count > hitsKept) {
      // Its tables are large, and hardly any file needs it.
      whole ??= createWasmKernel(automaton);
      whole.search(bytes, overlap, sink);
      return;
    }
    // They come in the order of their starts. Of those that end at the same place the first is the longest, and its
    // state knows the others.
    const longest = new Map<number, number>();
    for (let index = 0; index < count; index += 1) {
      const end = hits[2 * index] ?? 0;
      if (!longest.has(end)) longest.set(end, ((hits[2 * index + 1] ?? 0) & rowMask) >>> 2);
    }
    for (const [end, row] of [...longest].sort(([a], [b]) => a - b)) sink(end, row);
  };

  return { search: toPieces(windowBytes, neededOverlap, searchPiece) };
}

/** Fills in the automaton without what leads back, where there are zeros: entries as byte offsets, 0 where no pattern goes on. */
function fillTrie(trie: Int32Array, { ways, classCount, firstPattern }: Automaton): void {
  for (let state = 1; state < ways.length; state += 1) {
    const isEnd = (firstPattern[state] ?? -1) >= 0;
    trie[ways[state] ?? 0] = ((state * classCount) << 2) | (isEnd ? hitBit : 0);
  }
}
