import { TelltaleError } from './errors.ts';

/** A place in an open file. */
export interface FileRange {
  /** The number by which the system knows the open file; good in every thread of the process while it is open. */
  readonly descriptor: number;
  readonly offset: number;
}

/**
 * Random access to the bytes of one artifact: a file, a range of another source, or decoded bytes.
 * Synchronous, so that parsers stay plain functions. A source never changes while it is open.
 */
export interface ByteSource {
  /** Length in bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`. The result may share memory with the source: never write to it.
   *
   * @throws TelltaleError `malformed/out-of-range` when the range does not lie inside the source
   */
  read(offset: number, length: number): Uint8Array;
  /**
   * As {@link read}, into memory of the caller, for a source that would have to take memory for each call. Absent where
   * `read` copies nothing.
   *
   * @throws TelltaleError `malformed/out-of-range`
   */
  readInto?(offset: number, target: Uint8Array): void;
  /**
   * Offset at which a run of bytes ends that {@link read} hands out without a copy, given where it begins. Absent where
   * that makes no difference.
   */
  runEnd?(offset: number): number;
  /** Where the bytes stand, one after the other, in an open file; absent when they do not. */
  readonly range?: FileRange;
}

/**
 * Checks that `length` bytes from `offset` lie inside `size`.
 *
 * @throws TelltaleError `malformed/out-of-range`
 */
export function assertRange(size: number, offset: number, length: number): void {
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > size
  ) {
    throw new TelltaleError(
      'malformed/out-of-range',
      `wants ${length} bytes at offset ${offset}, but there are ${size} bytes`,
      { offset, wanted: length },
    );
  }
}

/**
 * A source over bytes in memory; nothing is copied. A Buffer is seen as plain bytes, because its `slice` shares memory
 * where that of a Uint8Array copies.
 */
export function toByteSource(given: Uint8Array): ByteSource {
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  return {
    size: bytes.length,
    read(offset, length) {
      assertRange(bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/**
 * A source over a range of another source; nothing is copied.
 *
 * @throws TelltaleError `malformed/out-of-range` when the range does not lie inside the parent
 */
export function sliceSource(parent: ByteSource, offset: number, length: number): ByteSource {
  assertRange(parent.size, offset, length);
  const { range } = parent;
  return {
    size: length,
    ...(range === undefined ? {} : { range: { ...range, offset: range.offset + offset } }),
    read(at, wanted) {
      assertRange(length, at, wanted);
      return parent.read(offset + at, wanted);
    },
    ...(parent.runEnd === undefined
      ? {}
      : { runEnd: (at: number) => Math.min(length, (parent.runEnd?.(offset + at) ?? parent.size) - offset) }),
    ...(parent.readInto === undefined
      ? {}
      : {
          readInto(at: number, target: Uint8Array) {
            assertRange(length, at, target.length);
            parent.readInto?.(offset + at, target);
          },
        }),
  };
}

/** Bytes from `offset`, at most `length`, fewer at the end of the source; empty past the end. */
export function readUpTo(source: ByteSource, offset: number, length: number): Uint8Array {
  if (offset < 0 || offset >= source.size) return new Uint8Array(0);
  return source.read(offset, Math.min(length, source.size - offset));
}

/** The whole source, chunk by chunk from the start. */
export function* readChunks(source: ByteSource, bytesPerChunk = 1 << 20): Generator<Uint8Array> {
  for (let offset = 0; offset < source.size; offset += bytesPerChunk) {
    yield source.read(offset, Math.min(bytesPerChunk, source.size - offset));
  }
}

/** Chunks of this size stay in the cache of a processor while they are digested and searched. */
const passingBytes = 256 * 1024;
const runBytesMin = 16 * 1024;

/**
 * The whole source, chunk by chunk from the start. Each chunk is good only until the next one is asked for: memory is
 * used again, which for a file is several times as fast as {@link readChunks}.
 */
export function* readPassing(source: ByteSource): Generator<Uint8Array> {
  if (source.readInto === undefined) {
    for (let offset = 0; offset < source.size; ) {
      const wanted = Math.min(passingBytes, source.size - offset);
      const run = (source.runEnd?.(offset) ?? source.size) - offset;
      // Many short runs take longer one by one than put together.
      const length = run < Math.min(wanted, runBytesMin) ? wanted : Math.min(wanted, run);
      yield source.read(offset, length);
      offset += length;
    }
    return;
  }
  const room = new Uint8Array(Math.min(passingBytes, source.size));
  for (let offset = 0; offset < source.size; offset += room.length) {
    const chunk = room.subarray(0, Math.min(room.length, source.size - offset));
    source.readInto(offset, chunk);
    yield chunk;
  }
}

/** Pieces put together; a single piece is handed back as it is. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let filled = 0;
  for (const piece of pieces) {
    whole.set(piece, filled);
    filled += piece.length;
  }
  return whole;
}
