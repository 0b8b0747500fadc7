/** A partition of a disk image as bytes: chunks are unpacked when they are read, and kept for a while. */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, assertRange } from '../../bytes/byte-source.ts';
import { Crc32Joiner, crc32OfZeros } from '../../bytes/crc32-join.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { crc32, tryInflateZlibBlock } from '../../platform/inflate.ts';
import type { UdifChunk, UdifTable } from './image.ts';

/** Unpacked chunks that are kept: whoever reads goes back and forth between directories and files. */
const keptBytesMax = 16 * 1024 * 1024;

export class UdifPartition implements ByteSource {
  readonly size: number;
  readonly #source: ByteSource;
  readonly #table: UdifTable;
  /** Unpacked chunks by their number, the one that was used last at the end. */
  readonly #kept = new Map<number, Uint8Array>();
  #keptBytes = 0;
  /** Checksums of chunks that were unpacked, by their number. */
  readonly #sums = new Map<number, number>();
  #unpacked = 0;

  constructor(source: ByteSource, table: UdifTable) {
    this.#source = source;
    this.#table = table;
    this.size = table.size;
  }

  /** How many chunks were unpacked so far, those counted again that were unpacked again. */
  get unpackedChunks(): number {
    return this.#unpacked;
  }

  /** @throws TelltaleError `malformed/out-of-range`, `malformed/compressed-data` */
  read(offset: number, length: number): Uint8Array {
    assertRange(this.size, offset, length);
    const first = this.#find(offset);
    const chunk = this.#table.chunks[first];
    if (chunk === undefined || length === 0) return new Uint8Array(0);
    if (offset + length <= chunk.start + chunk.size) return this.#readIn(first, chunk, offset, length);
    const bytes = new Uint8Array(length);
    for (let filled = 0, index = first; filled < length; index += 1) {
      const next = this.#table.chunks[index];
      if (next === undefined) break;
      const at = offset + filled;
      const part = this.#readIn(index, next, at, Math.min(length - filled, next.start + next.size - at));
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  /** Number of the chunk in which an offset lies. */
  #find(offset: number): number {
    const { chunks } = this.#table;
    let low = 0;
    let high = chunks.length;
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if ((chunks[middle]?.start ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low;
  }

  #readIn(index: number, chunk: UdifChunk, offset: number, length: number): Uint8Array {
    const at = offset - chunk.start;
    switch (chunk.kind) {
      case 'zero':
      case 'ignored':
        return new Uint8Array(length);
      case 'raw':
        return this.#source.read(chunk.offset + at, length);
      case 'zlib':
        return this.#unpack(index, chunk).subarray(at, at + length);
    }
  }

  #unpack(index: number, chunk: UdifChunk): Uint8Array {
    const kept = this.#kept.get(index);
    if (kept !== undefined) {
      this.#kept.delete(index);
      this.#kept.set(index, kept);
      return kept;
    }
    const bytes = tryInflateZlibBlock(this.#source.read(chunk.offset, chunk.packedBytes), chunk.size);
    if (bytes === undefined) {
      throw new TelltaleError('malformed/compressed-data', 'has damaged compressed data', {
        offset: chunk.offset,
      });
    }
    this.#unpacked += 1;
    if (!this.#sums.has(index)) this.#sums.set(index, crc32(bytes));
    this.#kept.set(index, bytes);
    this.#keptBytes += bytes.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#keptBytes <= keptBytesMax || oldest === index) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= length;
    }
    return bytes;
  }

  /**
   * Whether the partition has the checksum that the image states; what was not read before is read for that. True when
   * it states none.
   *
   * @throws TelltaleError `malformed/compressed-data`, `limit/time`
   */
  hasStatedChecksum(budget: Budget): boolean {
    const { chunks, crc } = this.#table;
    if (crc === undefined) return true;
    const whole = new Crc32Joiner();
    // Runs that are to be ignored are left out by Apple's software; other writers sum them as the zeros that they are.
    const counted = new Crc32Joiner();
    for (const [index, chunk] of chunks.entries()) {
      budget.checkTime();
      let sum: number;
      if (chunk.kind === 'zero' || chunk.kind === 'ignored') {
        sum = crc32OfZeros(chunk.size);
      } else sum = this.#sumUp(index, chunk, budget);
      whole.add(sum, chunk.size);
      if (chunk.kind !== 'ignored') counted.add(sum, chunk.size);
    }
    return whole.sum === crc || counted.sum === crc;
  }

  #sumUp(index: number, chunk: UdifChunk, budget: Budget): number {
    if (chunk.kind === 'zlib') {
      return this.#sums.get(index) ?? crc32(this.#unpack(index, chunk));
    }
    let sum = 0;
    for (let at = 0; at < chunk.size; at += keptBytesMax / 16) {
      budget.checkTime();
      sum = crc32(this.#source.read(chunk.offset + at, Math.min(keptBytesMax / 16, chunk.size - at)), sum);
    }
    return sum;
  }
}
