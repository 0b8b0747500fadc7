/**
 * Filters for programs, undone: before compressing, the targets of calls and jumps, which are relative, are made
 * absolute, so that calls of the same function look alike. For Intel code this is BCJ; there is one for each processor.
 *
 * Specification: `Bra.c` and `Bra86.c` of the LZMA SDK (https://www.7-zip.org/sdk.html, public domain).
 */
import { findCall } from '../codecs/call-places.ts';

export type BranchFilterKind = 'x86' | 'arm' | 'thumb' | 'arm64' | 'powerpc' | 'sparc';

/**
 * Undoes the filter in place, over bytes that follow those of the last call that it was done with.
 *
 * @param bytes - at the start of their buffer
 * @param position - of the first of them in the program
 * @returns how many of them are done; the others come again, with more behind them. Those at the very end stay as
 *   they are
 */
type BranchFilter = (bytes: Uint8Array, position: number) => number;

/**
 * Undoes a filter over a program that comes in chunks.
 *
 * @yields chunks that are good only until the next one is asked for
 * @throws what the chunks throw, after everything that came before was yielded
 */
export function* decodeBranches(kind: BranchFilterKind, chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  const undo = kind === 'x86' ? createX86Filter() : filters[kind];
  let room = new Uint8Array(0);
  let held = 0;
  let position = 0;
  try {
    for (const chunk of chunks) {
      const filled = held + chunk.length;
      if (room.length < filled) {
        const larger = new Uint8Array(filled);
        larger.set(room.subarray(0, held));
        room = larger;
      }
      room.set(chunk, held);
      const done = undo(room.subarray(0, filled), position);
      position += done;
      if (done > 0) yield room.subarray(0, done);
      room.copyWithin(0, done, filled);
      held = filled - done;
    }
  } catch (error) {
    if (held > 0) yield room.subarray(0, held);
    throw error;
  }
  if (held > 0) yield room.subarray(0, held);
}

/** Each byte is the difference to the one so many bytes before. */
export function* decodeDelta(distance: number, chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  const last = new Uint8Array(distance);
  let at = 0;
  for (const chunk of chunks) {
    const bytes = new Uint8Array(chunk.length);
    for (let index = 0; index < chunk.length; index += 1) {
      const byte = ((chunk[index] ?? 0) + (last[at] ?? 0)) & 0xff;
      bytes[index] = byte;
      last[at] = byte;
      at = at + 1 === distance ? 0 : at + 1;
    }
    yield bytes;
  }
}

const isSign = (byte: number | undefined): boolean => byte === 0x00 || byte === 0xff;
const instructionBytes = 5;

/**
 * `call` and `jmp` with a target whose highest byte is 00 or FF. Instructions may not overlap: how near the last three
 * bytes that look like one are is kept in a mask of three bits, the nearest the highest.
 */
function createX86Filter(): BranchFilter {
  let mask = 0;
  return (bytes, position) => {
    const end = bytes.length - (instructionBytes - 1);
    if (end <= 0) return 0;
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    let at = 0;
    for (;;) {
      const from = at;
      // The instruction before may reach to the end.
      if (from < end) at = Math.min(findCall(bytes, words, from), end);
      const gap = at - from;
      mask = gap > 2 ? 0 : mask >> gap;
      if (at >= end) return at;
      const isInAnother = mask !== 0 && (mask > 4 || mask === 3 || isSign(bytes[at + (mask >> 1) + 1]));
      if (isInAnother || !isSign(bytes[at + 4])) {
        mask = (mask >> 1) | 4;
        at += 1;
        continue;
      }
      const next = position + at + instructionBytes;
      let target =
        (bytes[at + 1] ?? 0) |
        ((bytes[at + 2] ?? 0) << 8) |
        ((bytes[at + 3] ?? 0) << 16) |
        ((bytes[at + 4] ?? 0) << 24);
      target = (target - next) | 0;
      if (mask !== 0) {
        const shift = (mask & 6) << 2;
        if (isSign((target >>> shift) & 0xff)) target = ((target ^ ((0x100 << shift) - 1)) - next) | 0;
        mask = 0;
      }
      bytes[at + 1] = target & 0xff;
      bytes[at + 2] = (target >> 8) & 0xff;
      bytes[at + 3] = (target >> 16) & 0xff;
      bytes[at + 4] = (target & 0x100_0000) === 0 ? 0x00 : 0xff;
      at += instructionBytes;
    }
  };
}

/** A filter over instructions of four bytes. */
function createWordFilter(
  isLittleEndian: boolean,
  undo: (word: number, position: number) => number,
): BranchFilter {
  return (bytes, position) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = bytes.length & ~3;
    for (let at = 0; at < end; at += 4) {
      const word = view.getUint32(at, isLittleEndian);
      const undone = undo(word, position + at);
      if (undone !== word) view.setUint32(at, undone, isLittleEndian);
    }
    return end;
  };
}

const filters: Readonly<Record<Exclude<BranchFilterKind, 'x86'>, BranchFilter>> = {
  // BL, always.
  arm: createWordFilter(true, (word, position) =>
    word >>> 24 === 0xeb ? (((word - ((position + 8) >>> 2)) & 0xff_ffff) | 0xeb00_0000) >>> 0 : word,
  ),
  // BL with a target of 26 bits, and ADRP within 512 MiB.
  arm64: createWordFilter(true, (word, position) => {
    if (word >>> 26 === 0x25) return (((word - (position >>> 2)) & 0x3ff_ffff) | 0x9400_0000) >>> 0;
    if ((word & 0x9f00_0000) >>> 0 !== 0x9000_0000) return word;
    const moved = ((word & 0x6fff_ffff) + 0x10_0000) >>> 0;
    if ((moved & 0xe0_0000) !== 0) return word;
    const page = ((moved & 0xffff_ffe0) | (moved >>> 26)) - ((position >>> 9) & ~7);
    return (
      ((word & 0x1f) | 0x9000_0000 | (page << 26) | (((page & 0x1f_ffff) - 0x10_0000) & 0xff_ffe0)) >>> 0
    );
  }),
  // `bl` with a relative target.
  powerpc: createWordFilter(false, (word, position) =>
    (word & 0xfc00_0003) >>> 0 === 0x4800_0001
      ? ((((word & 0x3ff_fffc) - position) & 0x3ff_fffc) | 0x4800_0001) >>> 0
      : word,
  ),
  // `call` with a target of 23 bits.
  sparc: createWordFilter(false, (word, position) => {
    const top = word >>> 22;
    if (top !== 0x100 && top !== 0x1ff) return word;
    const target = (((word << 2) >>> 0) - position) >>> 2;
    return (((0 - ((target >>> 22) & 1)) << 22) & 0x3fff_ffff) | (target & 0x3f_ffff) | 0x4000_0000;
  }),
  // BL, in two halves of two bytes.
  thumb: (bytes, position) => {
    const end = bytes.length - 4;
    let at = 0;
    for (; at <= end; at += 2) {
      const high = bytes[at + 1] ?? 0;
      const low = bytes[at + 3] ?? 0;
      if ((high & 0xf8) !== 0xf0 || (low & 0xf8) !== 0xf8) continue;
      const stored = ((high & 7) << 19) | ((bytes[at] ?? 0) << 11) | ((low & 7) << 8) | (bytes[at + 2] ?? 0);
      const target = ((stored << 1) - (position + at + 4)) >>> 1;
      bytes[at + 1] = 0xf0 | ((target >>> 19) & 7);
      bytes[at] = (target >>> 11) & 0xff;
      bytes[at + 3] = 0xf8 | ((target >>> 8) & 7);
      bytes[at + 2] = target & 0xff;
      at += 2;
    }
    return Math.max(0, at);
  },
};
