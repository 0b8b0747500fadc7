import { type Automaton, rowMask } from './automaton.ts';
import type { Kernel } from './kernel.ts';
import { createFourStreamKernel } from './search-four-streams.ts';
import { searchBytes } from './search-bytes.ts';
import { toWhole, tryAllocate, tryInstantiate } from '../../platform/wasm-kernels.ts';
import { toPieces } from './pieces.ts';

/*
 * The loop of search-four-streams.ts in WebAssembly: look-ups without checks of bounds, and a table that holds byte
 * offsets, so that nothing is shifted. The window is copied into its memory, which costs a fiftieth of the search.
 */

/** Larger windows are searched in pieces. */
const windowBytes = 512 * 1024;
/** Below this many new bytes a window is not worth the copying. */
const minBytesForStreams = 4096;
/** Hits of one stream in one window; where there are more, the window is searched again by the other loop. */
const hitsKept = 8 * 1024;
const hitBytes = 8;
const streams = 4;
const countBytes = (streams + 1) * 4;
/** The table of a database of thousands of literals; a larger one is searched by the other loop. */
const maxTableBytes = 128 * 1024 * 1024;

type Search = (
  table: number,
  classes: number,
  window: number,
  quarter: number,
  lead: number,
  hits: number,
  capacity: number,
  counts: number,
) => void;

/** The kernel in WebAssembly; the one in TypeScript where there is none, or no room for the tables. */
export function createWasmKernel(automaton: Automaton): Kernel {
  const twin = createFourStreamKernel(automaton);
  const { table, classes, overlap: neededOverlap } = automaton;
  if (table.byteLength > maxTableBytes || neededOverlap > windowBytes / 4) return twin;

  const classesAt = table.byteLength;
  const countsAt = classesAt + classes.length * 2;
  const hitsAt = countsAt + toWhole(countBytes);
  const windowAt = hitsAt + streams * hitsKept * hitBytes;
  const memory = tryAllocate(windowAt + windowBytes);
  const search = memory && tryInstantiate<Search>(searchBytes, memory);
  if (memory === undefined || search === undefined) return twin;

  const { buffer } = memory;
  const entries = new Int32Array(buffer, 0, table.length);
  // A row as a byte offset; the sign, which marks a hit, stays.
  for (let index = 0; index < table.length; index += 1) {
    const entry = table[index] ?? 0;
    entries[index] = ((entry & rowMask) << 2) | (entry & ~rowMask);
  }
  new Uint16Array(buffer, classesAt, classes.length).set(Uint16Array.from(classes, (one) => one * 4));
  const window = new Uint8Array(buffer, windowAt, windowBytes);
  const hits = new Int32Array(buffer, hitsAt, streams * hitsKept * 2);
  const counts = new Int32Array(buffer, countsAt, streams + 1);

  const searchPiece = (
    bytes: Uint8Array,
    overlap: number,
    sink: (end: number, row: number) => void,
  ): void => {
    // Each stream needs the full overlap to lead in; a window at the start of an artifact may have less.
    const lead = Math.max(overlap, neededOverlap);
    if (bytes.length - lead < minBytesForStreams) {
      twin.search(bytes, overlap, sink);
      return;
    }
    window.set(bytes);
    const quarter = (bytes.length - lead) >>> 2;
    search(0, classesAt, windowAt, quarter, lead, hitsAt, hitsKept, countsAt);
    if (counts.subarray(0, streams).some((count) => count > hitsKept)) {
      twin.search(bytes, overlap, sink);
      return;
    }
    // What ends in the lead of the first quarter, and was not told with an earlier window.
    if (overlap < lead) twin.search(bytes.subarray(0, lead), overlap, sink);
    for (let stream = 0; stream < streams; stream += 1) {
      const from = stream * hitsKept * 2;
      for (let index = 0; index < (counts[stream] ?? 0); index += 1) {
        sink(hits[from + 2 * index] ?? 0, ((hits[from + 2 * index + 1] ?? 0) & rowMask) >>> 2);
      }
    }
    // What four does not divide.
    let row = ((counts[streams] ?? 0) & rowMask) >>> 2;
    for (let index = lead + streams * quarter; index < bytes.length; index += 1) {
      const entry = table[row + (classes[bytes[index] ?? 0] ?? 0)] ?? 0;
      row = entry & rowMask;
      if (entry < 0) sink(index, row);
    }
  };

  return { search: toPieces(windowBytes, neededOverlap, searchPiece) };
}
