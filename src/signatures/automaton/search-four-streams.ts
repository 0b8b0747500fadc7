import { type Automaton, rowMask } from './automaton.ts';
import type { Kernel } from './kernel.ts';
import { createPlainKernel } from './search-plain.ts';

/*
 * Four positions of one window advance at once. Each look-up in the table waits for the one before it; four
 * independent chains hide that wait. The window is cut into quarters, and each chain first runs over the end of the
 * quarter before its own, which leads it into the right state.
 */

/** Below this many new bytes a quarter would be mostly overlap. */
const minBytesForStreams = 4096;

/** Positions and rows of hits, in two columns that grow. */
class HitList {
  #ends = new Int32Array(256);
  #rows = new Int32Array(256);
  length = 0;

  push(end: number, row: number): void {
    if (this.length === this.#ends.length) {
      this.#ends = grow(this.#ends);
      this.#rows = grow(this.#rows);
    }
    this.#ends[this.length] = end;
    this.#rows[this.length] = row;
    this.length += 1;
  }

  drain(sink: (end: number, row: number) => void): void {
    for (let index = 0; index < this.length; index += 1) sink(this.#ends[index] ?? 0, this.#rows[index] ?? 0);
    this.length = 0;
  }
}

function grow(column: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(column.length * 2);
  larger.set(column);
  return larger;
}

export function createFourStreamKernel(automaton: Automaton): Kernel {
  const { table, classes, overlap: neededOverlap } = automaton;
  const plain = createPlainKernel(automaton);
  const lists = [new HitList(), new HitList(), new HitList(), new HitList()] as const;
  const [list0, list1, list2, list3] = lists;

  return {
    search(window, overlap, sink) {
      const mask = rowMask;
      // Each chain needs the full overlap to lead in; a window at the start of an artifact may have less.
      const lead = Math.max(overlap, neededOverlap);
      const quarter = window.length - lead < minBytesForStreams ? 0 : (window.length - lead) >>> 2;
      // What ends in the lead of the first quarter, and was not told with an earlier window.
      if (quarter > 0 && overlap < lead) plain.search(window.subarray(0, lead), overlap, sink);
      const second = quarter;
      const third = 2 * quarter;
      const fourth = 3 * quarter;
      const end = quarter === 0 ? 0 : quarter + lead;
      let row0 = 0;
      let row1 = 0;
      let row2 = 0;
      let row3 = 0;
      for (let index = 0; index < end; index += 1) {
        // The entry of a hit is negative; its row is the rest of the bits.
        row0 = table[(row0 & mask) + (classes[window[index] ?? 0] ?? 0)] ?? 0;
        row1 = table[(row1 & mask) + (classes[window[second + index] ?? 0] ?? 0)] ?? 0;
        row2 = table[(row2 & mask) + (classes[window[third + index] ?? 0] ?? 0)] ?? 0;
        row3 = table[(row3 & mask) + (classes[window[fourth + index] ?? 0] ?? 0)] ?? 0;
        if ((row0 | row1 | row2 | row3) < 0 && index >= lead) {
          if (row0 < 0) list0.push(index, row0 & mask);
          if (row1 < 0) list1.push(second + index, row1 & mask);
          if (row2 < 0) list2.push(third + index, row2 & mask);
          if (row3 < 0) list3.push(fourth + index, row3 & mask);
        }
      }
      for (const list of lists) list.drain(sink);
      // What four does not divide, or all of a small window: the last chain goes on alone.
      for (let index = quarter === 0 ? 0 : fourth + end; index < window.length; index += 1) {
        row3 = table[(row3 & mask) + (classes[window[index] ?? 0] ?? 0)] ?? 0;
        if (row3 < 0 && index >= overlap) sink(index, row3 & mask);
      }
    },
  };
}
