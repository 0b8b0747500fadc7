/**
 * DEFLATE streams, raw or wrapped as zlib or gzip, over native zlib.
 *
 * Specifications: https://www.rfc-editor.org/rfc/rfc1950 (zlib), https://www.rfc-editor.org/rfc/rfc1951 (DEFLATE),
 * https://www.rfc-editor.org/rfc/rfc1952 (gzip).
 * The wrappers are read here and only the raw stream goes to the native decoder, so that its end is known to the
 * byte and every fault has a name of ours.
 * Not supported: preset dictionaries.
 */
import {
  type ZlibOptions,
  constants,
  createInflate,
  createInflateRaw,
  crc32 as nativeCrc32,
  inflateRaw as nativeInflateRaw,
  inflateRawSync,
  inflateSync,
} from 'node:zlib';
import type { TransformOptions } from 'node:stream';
import { type ByteSource, joinBytes, readUpTo, sliceSource } from '../bytes/byte-source.ts';
import { Cursor } from '../bytes/cursor.ts';
import { decodeDeflate } from '../bytes/deflate.ts';
import { TelltaleError } from '../bytes/errors.ts';

export type DeflateWrapper = 'raw' | 'zlib' | 'gzip';

/** Where a compressed stream ended. */
export interface InflateEnd {
  /** Bytes of the source that belong to the stream, wrappers included. */
  readonly consumedBytes: number;
  readonly producedBytes: number;
}

const inputChunkBytes = 64 * 1024;
/** Large, because each chunk costs a turn of the event loop; the memory is touched only as far as it is filled. */
const outputChunkBytes = 1024 * 1024;
/** Room for two chunks: one is decoded while the other is looked at. */
const streamOptions: ZlibOptions & TransformOptions = {
  chunkSize: outputChunkBytes,
  readableHighWaterMark: 2 * outputChunkBytes,
};
/** Below this the native decoder takes longer to set up than ours to decode. */
const smallStreamBytes = 4096;
/** A gzip header has two texts of any length; none of ours is longer. */
const gzipTextBytes = 64 * 1024;

/** CRC-32 as in ZIP and gzip. @param value - the checksum of the bytes before, to go on from */
export function crc32(bytes: Uint8Array, value = 0): number {
  return nativeCrc32(bytes, value);
}

/** Adler-32 as in zlib (RFC 1950 section 8). @param value - the checksum of the bytes before */
export function adler32(bytes: Uint8Array, value = 1): number {
  let low = value & 0xffff;
  let high = value >>> 16;
  // 5552 is the most bytes that cannot overflow 32 bits before the remainder is taken.
  for (let start = 0; start < bytes.length; start += 5552) {
    const end = Math.min(bytes.length, start + 5552);
    for (let i = start; i < end; i += 1) {
      low += bytes[i] ?? 0;
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  return ((high << 16) | low) >>> 0;
}

/**
 * Decodes a stream lazily: nothing is read before the first chunk is asked for, and little more than what was
 * asked for is decoded, whatever the ratio. Leaving the loop early frees the decoder.
 *
 * Everything that precedes a fault is yielded before the fault is thrown. A chunk may be empty: it is a chance to
 * stop while a damaged stream is decoded a second time.
 *
 * @param ended - called once, when the stream ended as it should
 * @throws TelltaleError `malformed/compressed-data`, `malformed/truncated` (both with the approximate offset in the
 *   compressed data), `malformed/header`, `malformed/checksum`, `malformed/size-mismatch`, `unsupported/feature`
 */
export async function* inflate(
  source: ByteSource,
  wrapper: DeflateWrapper,
  ended?: (end: InflateEnd) => void,
): AsyncGenerator<Uint8Array, void, void> {
  let producedBytes = 0;
  let consumedBytes = 0;
  switch (wrapper) {
    case 'raw':
      consumedBytes = yield* inflateRaw(source, 0, (chunk) => {
        producedBytes += chunk.length;
      });
      break;
    case 'zlib': {
      const start = readZlibHeader(source);
      let checksum = 1;
      const end = yield* inflateRaw(source, start, (chunk) => {
        producedBytes += chunk.length;
        checksum = adler32(chunk, checksum);
      });
      if (readTrailer(source, end, 4).u32be() !== checksum) throw toChecksumError('zlib', end);
      consumedBytes = end + 4;
      break;
    }
    case 'gzip':
      // A gzip file may be several streams one after the other; together they are one file.
      do {
        const start = readGzipHeader(source, consumedBytes).dataOffset;
        let checksum = 0;
        let length = 0;
        const end = yield* inflateRaw(source, start, (chunk) => {
          length += chunk.length;
          checksum = crc32(chunk, checksum);
        });
        producedBytes += length;
        const trailer = readTrailer(source, end, 8);
        if (trailer.u32() !== checksum) throw toChecksumError('gzip', end);
        if (trailer.u32() !== length % 2 ** 32) {
          throw new TelltaleError('malformed/size-mismatch', 'gzip data has another length than it states', {
            offset: end + 4,
          });
        }
        consumedBytes = end + 8;
      } while (isGzipHeader(readUpTo(source, consumedBytes, 4)));
      break;
  }
  ended?.({ consumedBytes, producedBytes });
}

/** A raw stream decoded at once. */
export interface InflatedWhole {
  readonly bytes: Uint8Array;
  /** Bytes of the source that belong to the stream. */
  readonly consumedBytes: number;
}

/** For a stream that is decoded into one piece of memory, and into no more than is expected. */
function toWholeOptions(expectedBytes: number): ZlibOptions {
  // One byte more, or the decoder would set out for a second round.
  return { chunkSize: Math.max(64, expectedBytes + 1), maxOutputLength: Math.max(1, expectedBytes) };
}

/** Pieces in which a stream of unknown size is decoded. */
const wholeChunkBytes = 128 * 1024;
/** Below this, handing a stream to another thread costs more than decoding it. */
const smallWholeBytes = 32 * 1024;

/**
 * Decodes a raw stream at once, large ones in another thread while the caller goes on. Only for what is in order: ends
 * where it should, and has the size that is expected. Undefined for everything else, which {@link inflate} reads with
 * care, as far as it goes.
 *
 * @param expectedBytes - after decoding; no more memory than that is taken
 */
export async function tryInflateWhole(
  source: ByteSource,
  expectedBytes: number,
): Promise<InflatedWhole | undefined> {
  const options = { ...toWholeOptions(expectedBytes), info: true };
  try {
    const packed = source.read(0, source.size);
    const decoded: unknown =
      Math.max(source.size, expectedBytes) <= smallWholeBytes
        ? inflateRawSync(packed, options)
        : await new Promise((resolve, reject) => {
            nativeInflateRaw(packed, options, (error, result) => (error ? reject(error) : resolve(result)));
          });
    if (!isNativeResult(decoded) || decoded.buffer.length !== expectedBytes) return undefined;
    return { bytes: decoded.buffer, consumedBytes: decoded.engine.bytesWritten };
  } catch {
    // Whatever is wrong with it is found again, and told, by whoever reads it with care.
    return undefined;
  }
}

/**
 * Decodes a raw stream that goes on from bytes before it; undefined when it is not in order or has another size.
 *
 * @param expectedBytes - after decoding; no more memory than that is taken
 * @param history - what the stream may refer to, at most 32 KiB
 */
export function tryInflateBlock(
  packed: Uint8Array,
  expectedBytes: number,
  history: Uint8Array,
): Uint8Array | undefined {
  try {
    const decoded = inflateRawSync(packed, {
      ...toWholeOptions(expectedBytes),
      ...(history.length === 0 ? {} : { dictionary: history }),
    });
    return decoded.length === expectedBytes ? decoded : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Decodes a raw stream at once; undefined when it is not in order, or has more than `bytesMax` bytes. What follows the
 * stream does not matter.
 */
export function tryInflateUpTo(packed: Uint8Array, bytesMax: number): Uint8Array | undefined {
  try {
    return inflateRawSync(packed, { chunkSize: wholeChunkBytes, maxOutputLength: bytesMax });
  } catch {
    return undefined;
  }
}

/**
 * Decodes a zlib stream at once; undefined when it is not in order, has another size, or is followed by anything.
 *
 * @param expectedBytes - after decoding; no more memory than that is taken
 */
export function tryInflateZlibBlock(packed: Uint8Array, expectedBytes: number): Uint8Array | undefined {
  try {
    const decoded: unknown = inflateSync(packed, { ...toWholeOptions(expectedBytes), info: true });
    if (!isNativeResult(decoded) || decoded.engine.bytesWritten !== packed.length) return undefined;
    return decoded.buffer.length === expectedBytes ? decoded.buffer : undefined;
  } catch {
    return undefined;
  }
}

/** Room of a decoder that is used again: so many bytes are decoded before it takes more memory. */
export const decoderRoomBytes = 1024 * 1024;

/** Decodes zlib streams beside the caller, several at once; decoders and their memory are used again. */
export class ZlibDecoders {
  readonly #idle: ZlibDecoder[] = [];

  /**
   * As {@link tryInflateZlibBlock}, a large one in another thread. What comes out shares memory, of at most
   * {@link decoderRoomBytes}, with what else came out.
   */
  async tryDecode(packed: Uint8Array, expectedBytes: number): Promise<Uint8Array | undefined> {
    if (Math.max(packed.length, expectedBytes) <= smallWholeBytes) {
      return tryInflateZlibBlock(packed, expectedBytes);
    }
    const decoder = this.#idle.pop() ?? new ZlibDecoder();
    const decoded = await decoder.tryDecode(packed, expectedBytes);
    if (decoded === undefined) decoder.close();
    else this.#idle.push(decoder);
    return decoded;
  }

  /** Gives the memory of idle decoders back; they are made anew when they are needed. */
  close(): void {
    for (const decoder of this.#idle.splice(0)) decoder.close();
  }
}

/** One decoder of streams that are whole, one after the other. */
class ZlibDecoder {
  /** With this flag, a stream that ends too early is a fault. */
  readonly #engine = createInflate({ flush: constants.Z_FINISH, chunkSize: decoderRoomBytes });
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #expectedBytes = 0;
  #settle: ((isWhole: boolean) => void) | undefined;

  constructor() {
    this.#engine.on('data', (piece: unknown) => {
      if (!(piece instanceof Uint8Array)) return;
      this.#bytes += piece.length;
      if (this.#bytes > this.#expectedBytes) this.#fail();
      else this.#pieces.push(piece);
    });
    // It ends when something follows the stream.
    for (const event of ['error', 'end', 'close']) this.#engine.on(event, () => this.#fail());
  }

  /** Undefined when the stream is not in order; the decoder is of no use any more. */
  async tryDecode(packed: Uint8Array, expectedBytes: number): Promise<Uint8Array | undefined> {
    this.#pieces = [];
    this.#bytes = 0;
    this.#expectedBytes = expectedBytes;
    const before = this.#engine.bytesWritten;
    const isWhole = await new Promise<boolean>((resolve) => {
      this.#settle = resolve;
      this.#engine.write(packed, (error) => (error ? this.#fail() : resolve(true)));
    });
    this.#settle = undefined;
    const taken = this.#engine.bytesWritten - before;
    if (!isWhole || taken !== packed.length || this.#bytes !== expectedBytes) return undefined;
    this.#engine.reset();
    const decoded = joinBytes(this.#pieces);
    this.#pieces = [];
    return decoded;
  }

  close(): void {
    this.#engine.destroy();
  }

  #fail(): void {
    this.#pieces = [];
    this.#settle?.(false);
  }
}

/** What zlib gives with `info`, which its types do not know. */
function isNativeResult(
  value: unknown,
): value is { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'buffer' in value &&
    value.buffer instanceof Uint8Array &&
    'engine' in value &&
    typeof value.engine === 'object' &&
    value.engine !== null &&
    'bytesWritten' in value.engine &&
    typeof value.engine.bytesWritten === 'number'
  );
}

/** What a gzip header says (RFC 1952 section 2.3). */
export interface GzipHeader {
  readonly dataOffset: number;
  /** Original file name as bytes; ISO 8859-1 by the specification, anything in practice. */
  readonly rawName: Uint8Array | undefined;
  readonly comment: Uint8Array | undefined;
}

/** The magic, method 8 and no reserved flag. */
export function isGzipHeader(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b && head[2] === 8 && ((head[3] ?? 0xff) & 0xe0) === 0;
}

/** @throws TelltaleError `malformed/header` or `malformed/truncated` */
export function readGzipHeader(source: ByteSource, offset = 0): GzipHeader {
  const fixed = readUpTo(source, offset, 10);
  if (!isGzipHeader(fixed)) throw new TelltaleError('malformed/header', 'has no gzip header', { offset });
  if (fixed.length < 10) throw toTruncatedHeader('gzip', source);
  const flags = fixed[3] ?? 0;
  let position = offset + 10;
  if ((flags & 4) !== 0) position += 2 + readTrailer(source, position, 2).u16();
  const readText = (): Uint8Array => {
    const window = readUpTo(source, position, gzipTextBytes);
    const length = window.indexOf(0);
    if (length < 0) throw toTruncatedHeader('gzip', source);
    position += length + 1;
    return window.slice(0, length);
  };
  const rawName = (flags & 8) === 0 ? undefined : readText();
  const comment = (flags & 16) === 0 ? undefined : readText();
  if ((flags & 2) !== 0) position += 2;
  return { dataOffset: position, rawName, comment };
}

/** Method 8, a window of at most 32 KiB, a right header check, no preset dictionary (RFC 1950 section 2.2). */
export function isZlibHeader(head: Uint8Array): boolean {
  const [method = 0, flags = 0] = head;
  return (
    head.length >= 2 &&
    (method & 15) === 8 &&
    method >> 4 <= 7 &&
    (method * 256 + flags) % 31 === 0 &&
    (flags & 0x20) === 0
  );
}

function readZlibHeader(source: ByteSource): number {
  const head = readUpTo(source, 0, 2);
  if (isZlibHeader(head)) return 2;
  if (head.length === 2 && isZlibHeader(Uint8Array.of(head[0] ?? 0, zlibFlagsWithoutDictionary(head)))) {
    throw new TelltaleError('unsupported/feature', 'zlib data needs a dictionary that it does not carry', {
      offset: 0,
    });
  }
  throw new TelltaleError('malformed/header', 'has no zlib header', { offset: 0 });
}

/** The flags that the header would have without its dictionary bit; header check recomputed. */
function zlibFlagsWithoutDictionary(head: Uint8Array): number {
  const [method = 0, flags = 0] = head;
  if ((method * 256 + flags) % 31 !== 0 || (flags & 0x20) === 0) return 0xff;
  const level = flags & 0xc0;
  return level + ((31 - ((method * 256 + level) % 31)) % 31);
}

function readTrailer(source: ByteSource, offset: number, length: number): Cursor {
  const bytes = readUpTo(source, offset, length);
  if (bytes.length < length) {
    throw new TelltaleError('malformed/truncated', 'ends before the checksum of its compressed data', {
      offset: source.size,
      wanted: length - bytes.length,
    });
  }
  return new Cursor(bytes);
}

function toTruncatedHeader(wrapper: string, source: ByteSource): TelltaleError {
  return new TelltaleError('malformed/truncated', `ends inside its ${wrapper} header`, {
    offset: source.size,
  });
}

function toChecksumError(wrapper: string, offset: number): TelltaleError {
  return new TelltaleError(
    'malformed/checksum',
    `${wrapper} data does not have the checksum that it states`,
    {
      offset,
    },
  );
}

/**
 * One raw stream.
 *
 * @param seen - called with each chunk that is yielded, in order
 * @returns offset of the first byte behind the stream
 */
async function* inflateRaw(
  source: ByteSource,
  start: number,
  seen: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, number, void> {
  const rest = sliceSource(source, Math.min(start, source.size), Math.max(0, source.size - start));
  if (rest.size <= smallStreamBytes) return yield* inflateExactly(rest, start, 0, seen);
  const engine = createInflateRaw(streamOptions);
  let fed = 0;
  const feed = (): void => {
    if (engine.destroyed || engine.readableEnded || engine.writableEnded) return;
    let chunk: Uint8Array;
    try {
      chunk = readUpTo(rest, fed, inputChunkBytes);
    } catch (error) {
      engine.destroy(error instanceof Error ? error : undefined);
      return;
    }
    if (chunk.length === 0) {
      engine.end();
      return;
    }
    fed += chunk.length;
    // The callback comes when the decoder has taken the whole chunk, so no more than one chunk waits.
    engine.write(chunk, (error) => {
      if (!error) feed();
    });
  };

  let produced = 0;
  let nativeFault: unknown;
  try {
    feed();
    try {
      for await (const chunk of engine) {
        if (!(chunk instanceof Uint8Array)) continue;
        produced += chunk.length;
        seen(chunk);
        // A short chunk must not keep the large buffer alive that it lies in.
        yield chunk.length * 2 < outputChunkBytes ? new Uint8Array(chunk) : chunk;
      }
    } catch (error) {
      nativeFault = error;
    }
    if (nativeFault === undefined) return start + engine.bytesWritten;
  } finally {
    // After an early exit the decoder must neither hold memory nor report to nobody.
    engine.on('error', () => {});
    engine.destroy();
  }

  // The native decoder threw away what it had decoded since its last full buffer. Decode once more, exactly, and
  // go on where the native decoder stopped yielding.
  const end = yield* inflateExactly(rest, start, produced, seen);
  // The two decoders disagree, so the data is at least not ordinary.
  const reason = nativeFault instanceof Error ? nativeFault.message : 'unknown fault';
  throw new TelltaleError('malformed/compressed-data', `compressed data is refused by zlib (${reason})`, {
    offset: end,
  });
}

/**
 * One raw stream by the decoder that loses nothing before a fault.
 *
 * @param start - offset of `rest` in the source, for the offsets of faults
 * @param skipped - bytes that were yielded before and are not yielded again
 * @returns offset of the first byte behind the stream, in the source
 */
function* inflateExactly(
  rest: ByteSource,
  start: number,
  skipped: number,
  seen: (chunk: Uint8Array) => void,
): Generator<Uint8Array, number, void> {
  let decoded = 0;
  const exact = decodeDeflate(rest);
  for (;;) {
    let next: IteratorResult<Uint8Array, number>;
    try {
      next = exact.next();
    } catch (error) {
      if (error instanceof TelltaleError && error.offset !== undefined) {
        throw new TelltaleError(error.code, error.message, { offset: start + error.offset });
      }
      throw error;
    }
    if (next.done) return start + next.value;
    const chunk = next.value.subarray(Math.min(next.value.length, Math.max(0, skipped - decoded)));
    decoded += next.value.length;
    seen(chunk);
    yield chunk;
  }
}
