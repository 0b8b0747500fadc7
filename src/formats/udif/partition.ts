/** A partition of a disk image as bytes: chunks are unpacked when they are read, and kept for a while. */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, assertRange } from '../../bytes/byte-source.ts';
import { Crc32Joiner, crc32OfZeros } from '../../bytes/crc32-join.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { crc32, decoderRoomBytes, tryInflateZlibBlock, ZlibDecoders } from '../../platform/inflate.ts';
import type { UdifChunk, UdifTable } from './image.ts';

/** Unpacked chunks that are kept: whoever reads goes back and forth between directories and files. */
const keptBytesMax = 16 * 1024 * 1024;

/** Of what is not packed, so much is handed on at once. */
const plainBytes = 256 * 1024;
/** Chunks that are being unpacked or wait for their turn. */
const aheadMax = 6;
const aheadBytesMax = 32 * 1024 * 1024;
/** So much of the plan is looked at in one go: files may share chunks without end. */
const planTurnsMax = 64;

/** A range of a partition, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly size: number;
}

interface ChunkAhead {
  readonly size: number;
  readonly bytes: Promise<Uint8Array | undefined>;
}

/** Chunks that are unpacked before they are asked for. */
class ChunksAhead {
  readonly #isKept: (index: number) => boolean;
  readonly #start: (index: number) => ChunkAhead | undefined;
  readonly #waiting = new Map<number, ChunkAhead>();
  #waitingBytes = 0;
  #plan: Iterator<number, void, void> | undefined;
  /** The member that the plan goes on with. */
  nextMember: number | undefined;

  /**
   * @param isKept - whether a chunk is there already
   * @param start - begins to unpack a chunk
   */
  constructor(isKept: (index: number) => boolean, start: (index: number) => ChunkAhead | undefined) {
    this.#isKept = isKept;
    this.#start = start;
  }

  /** @param plan - numbers of chunks in the order in which they will be taken */
  begin(plan: Iterator<number, void, void>): void {
    this.#waiting.clear();
    this.#waitingBytes = 0;
    this.#plan = plan;
    this.#startMore();
  }

  /** A chunk, unpacked; undefined when it is not on its way. */
  take(index: number): ChunkAhead['bytes'] | undefined {
    const taken = this.#waiting.get(index);
    if (taken !== undefined) {
      this.#waiting.delete(index);
      this.#waitingBytes -= taken.size;
    }
    this.#startMore();
    return taken?.bytes;
  }

  #startMore(): void {
    for (
      let turns = 0;
      turns < planTurnsMax && this.#waiting.size < aheadMax && this.#waitingBytes < aheadBytesMax;
      turns += 1
    ) {
      const next = this.#plan?.next();
      if (next === undefined || next.done === true) return;
      if (this.#isKept(next.value) || this.#waiting.has(next.value)) continue;
      const started = this.#start(next.value);
      if (started === undefined) continue;
      this.#waiting.set(next.value, started);
      this.#waitingBytes += started.size;
    }
  }
}

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
  readonly #decoders = new ZlibDecoders();

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
    return this.#keep(index, chunk, tryInflateZlibBlock(this.#readPacked(chunk), chunk.size));
  }

  #readPacked({ offset, packedBytes }: UdifChunk): Uint8Array {
    return this.#source.read(offset, packedBytes);
  }

  /** Takes note of an unpacked chunk. @throws TelltaleError `malformed/compressed-data` when there is none */
  #keep(index: number, chunk: UdifChunk, bytes: Uint8Array | undefined): Uint8Array {
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
   * The ranges of some members, to be read in this order, each from its start to its end. While a chunk is looked at,
   * the next ones are unpacked in other threads.
   */
  readAhead(
    members: readonly (readonly ByteRange[])[],
  ): (member: number) => AsyncGenerator<Uint8Array, void, void> {
    const ahead = new ChunksAhead(
      (index) => this.#kept.has(index),
      (index) => this.#tryStart(index),
    );
    return (member) => this.#readMember(members, member, ahead);
  }

  async *#readMember(
    members: readonly (readonly ByteRange[])[],
    member: number,
    ahead: ChunksAhead,
  ): AsyncGenerator<Uint8Array, void, void> {
    if (ahead.nextMember !== member) ahead.begin(this.#planFrom(members, member));
    // Until it was read to its end, nobody knows what comes next.
    ahead.nextMember = undefined;
    const ranges = members[member] ?? [];
    const isSmall = ranges.reduce((sum, { size }) => sum + size, 0) < 4 * decoderRoomBytes;
    for (const { offset, size } of ranges) {
      for (let at = offset; at < offset + size; ) {
        const index = this.#find(at);
        const chunk = this.#table.chunks[index];
        if (chunk === undefined) return;
        const length = Math.min(offset + size, chunk.start + chunk.size) - at;
        if (chunk.kind === 'zlib') {
          const bytes = await this.#take(index, chunk, ahead);
          const part = bytes.subarray(at - chunk.start, at - chunk.start + length);
          // A small file must not keep the memory that it shares with others.
          yield isSmall ? part.slice() : part;
          at += length;
        } else {
          const part = this.#readIn(index, chunk, at, Math.min(length, plainBytes));
          yield part;
          at += part.length;
        }
      }
    }
    ahead.nextMember = member + 1;
  }

  /** Numbers of packed chunks in the order in which they will be asked for. */
  *#planFrom(members: readonly (readonly ByteRange[])[], first: number): Generator<number, void, void> {
    const { chunks } = this.#table;
    let last = -1;
    for (let member = first; member < members.length; member += 1) {
      for (const { offset, size } of members[member] ?? []) {
        for (
          let index = this.#find(offset);
          (chunks[index]?.start ?? this.size) < offset + size;
          index += 1
        ) {
          if (index === last || chunks[index]?.kind !== 'zlib') continue;
          yield index;
          last = index;
        }
      }
    }
  }

  /** Gives the memory of decoders back. */
  close(): void {
    this.#decoders.close();
  }

  /** Begins to unpack a chunk; undefined when it cannot be read, which is told when it is its turn. */
  #tryStart(index: number): ChunkAhead | undefined {
    const chunk = this.#table.chunks[index];
    if (chunk?.kind !== 'zlib') return undefined;
    try {
      return { size: chunk.size, bytes: this.#decoders.tryDecode(this.#readPacked(chunk), chunk.size) };
    } catch (error) {
      if (error instanceof TelltaleError) return undefined;
      throw error;
    }
  }

  async #take(index: number, chunk: UdifChunk, ahead: ChunksAhead): Promise<Uint8Array> {
    const decoding = ahead.take(index);
    if (decoding === undefined || this.#kept.has(index)) return this.#unpack(index, chunk);
    return this.#keep(index, chunk, await decoding);
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
