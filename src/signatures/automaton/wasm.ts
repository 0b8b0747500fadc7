/** Memory and code for kernels in WebAssembly, which import nothing but `host.memory` and export `search`. */

import type { Kernel } from './kernel.ts';

const pageBytes = 64 * 1024;

/** Rounded up to whole words of eight bytes. */
export function toWhole(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/**
 * Memory that does not grow; undefined where there is no room, no WebAssembly, or numbers are stored the other way round
 * than WebAssembly does.
 */
export function tryAllocate(bytes: number): WebAssembly.Memory | undefined {
  if (!isLittleEndian()) return undefined;
  const pages = Math.ceil(bytes / pageBytes);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch {
    return undefined;
  }
}

function isLittleEndian(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
}

const compiled = new Map<string, WebAssembly.Module>();

/**
 * A kernel over a memory; undefined where there is no WebAssembly.
 *
 * @param base64 - the bytes of the module
 */
export function tryInstantiate<Search extends (...values: number[]) => number | void>(
  base64: string,
  memory: WebAssembly.Memory,
): ((...values: Parameters<Search>) => number) | undefined {
  try {
    const module = compiled.get(base64) ?? new WebAssembly.Module(toBytes(base64));
    compiled.set(base64, module);
    const { search } = new WebAssembly.Instance(module, { host: { memory } }).exports;
    return typeof search === 'function' ? (...values) => Number(search(...values)) : undefined;
  } catch {
    return undefined;
  }
}

function toBytes(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/**
 * A search of windows that may be larger than the memory: piece by piece, each repeating the end of the one before.
 *
 * @param pieceBytes - the most that a piece may have
 * @param neededOverlap - bytes that each piece repeats
 */
export function toPieces(
  pieceBytes: number,
  neededOverlap: number,
  searchPiece: Kernel['search'],
): Kernel['search'] {
  return (bytes, overlap, sink) => {
    let from = 0;
    let known = overlap;
    while (bytes.length - from > pieceBytes) {
      const start = from;
      searchPiece(bytes.subarray(start, start + pieceBytes), known, (end, row) => sink(start + end, row));
      from += pieceBytes - neededOverlap;
      known = neededOverlap;
    }
    if (from === 0) searchPiece(bytes, overlap, sink);
    else searchPiece(bytes.subarray(from), known, (end, row) => sink(from + end, row));
  };
}
