/** Shannon entropy: how evenly the byte values of a range are spread. Packed or encrypted data comes near 8. */
import { type ByteSource, readPassing, sliceSource } from '../../bytes/byte-source.ts';
import { tryAllocate, tryInstantiate } from '../../platform/wasm-kernels.ts';
import { entropyBytes } from './entropy-bytes.ts';

/** A byte that repeats would wait for its own counter; neighbours count in tables of their own. */
const tables = 4;
const countersBytes = tables * 256 * 4;
const memoryBytes = 64 * 1024;
/** The kernel takes so many bytes at once. */
const stepBytes = 8;

/** Adds how often each byte occurs to the tables, whose sums count. */
export type CountLoop = (bytes: Uint8Array, counts: Uint32Array) => void;

/** Four bytes at a time; a function for the counting would be called for each byte. */
export const countPlainly: CountLoop = (bytes, counts) => {
  const even = bytes.length - (bytes.length % tables);
  for (let at = 0; at < even; at += tables) {
    const one = bytes[at] ?? 0;
    const two = 256 + (bytes[at + 1] ?? 0);
    const three = 512 + (bytes[at + 2] ?? 0);
    const four = 768 + (bytes[at + 3] ?? 0);
    counts[one] = (counts[one] ?? 0) + 1;
    counts[two] = (counts[two] ?? 0) + 1;
    counts[three] = (counts[three] ?? 0) + 1;
    counts[four] = (counts[four] ?? 0) + 1;
  }
  for (let at = even; at < bytes.length; at += 1) {
    const one = bytes[at] ?? 0;
    counts[one] = (counts[one] ?? 0) + 1;
  }
};

/** The loop and the tables that it counts in. */
interface Counting {
  readonly counts: Uint32Array;
  readonly count: CountLoop;
}

/** In WebAssembly; plainly where there is none. */
export function createCounting(): Counting {
  const memory = tryAllocate(memoryBytes);
  const run = memory && tryInstantiate<(at: number, end: number) => void>(entropyBytes, memory);
  if (memory === undefined || run === undefined)
    return { counts: new Uint32Array(tables * 256), count: countPlainly };
  const room = new Uint8Array(memory.buffer, countersBytes);
  return {
    counts: new Uint32Array(memory.buffer, 0, tables * 256),
    count: (bytes, counts) => {
      const even = bytes.length - (bytes.length % stepBytes);
      for (let at = 0; at < even; at += room.length) {
        const piece = bytes.subarray(at, Math.min(at + room.length, even));
        room.set(piece);
        run(countersBytes, countersBytes + piece.length);
      }
      countPlainly(bytes.subarray(even), counts);
    },
  };
}

let shared: Counting | undefined;

/**
 * Entropy in bits a byte, 0 to 8, rounded to three decimals so that the same bytes give the same number everywhere.
 *
 * @param limitBytes - only so many bytes from the start are measured
 */
export function measureEntropy(source: ByteSource, limitBytes: number): number {
  const measured = Math.min(source.size, limitBytes);
  if (measured === 0) return 0;
  const { counts, count } = (shared ??= createCounting());
  counts.fill(0);
  for (const chunk of readPassing(sliceSource(source, 0, measured))) count(chunk, counts);
  let entropy = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    const occurrences =
      (counts[byte] ?? 0) + (counts[byte + 256] ?? 0) + (counts[byte + 512] ?? 0) + (counts[byte + 768] ?? 0);
    if (occurrences > 0) entropy -= (occurrences / measured) * Math.log2(occurrences / measured);
  }
  return Math.round(entropy * 1000) / 1000;
}
