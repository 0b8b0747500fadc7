import { type ByteSource, assertRange, toByteSource } from './byte-source.ts';
import { TelltaleError } from './errors.ts';

/**
 * A bounds-checked reader over a source: the only way in which a parser touches bytes.
 * Every method throws `malformed/out-of-range` with offset and wanted length when the bytes are not there.
 * Offsets count from the start of the source.
 */
export class Cursor {
  readonly source: ByteSource;
  #offset: number;

  constructor(source: ByteSource | Uint8Array, offset = 0) {
    this.source = source instanceof Uint8Array ? toByteSource(source) : source;
    this.#offset = offset;
  }

  /** Where the next read starts. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes left from here to the end; never negative. */
  get remaining(): number {
    return Math.max(0, this.source.size - this.#offset);
  }

  /** Moves to an absolute offset; the end itself is allowed, past it is not. */
  seek(offset: number): this {
    assertRange(this.source.size, offset, 0);
    this.#offset = offset;
    return this;
  }

  skip(length: number): this {
    return this.seek(this.#offset + length);
  }

  /** Moves forward to the next multiple of `alignment` bytes. */
  align(alignment: number): this {
    return this.seek(Math.ceil(this.#offset / alignment) * alignment);
  }

  bytes(length: number): Uint8Array {
    const taken = this.source.read(this.#offset, length);
    this.#offset += length;
    return taken;
  }

  #view(length: number): DataView {
    const taken = this.bytes(length);
    return new DataView(taken.buffer, taken.byteOffset, taken.byteLength);
  }

  // Put together byte by byte: a DataView for each number takes longer than the rest.
  u8(): number {
    return this.bytes(1)[0] ?? 0;
  }
  u16(): number {
    const taken = this.bytes(2);
    return (taken[0] ?? 0) | ((taken[1] ?? 0) << 8);
  }
  u32(): number {
    return this.i32() >>> 0;
  }
  i32(): number {
    const taken = this.bytes(4);
    return (taken[0] ?? 0) | ((taken[1] ?? 0) << 8) | ((taken[2] ?? 0) << 16) | ((taken[3] ?? 0) << 24);
  }
  u16be(): number {
    const taken = this.bytes(2);
    return ((taken[0] ?? 0) << 8) | (taken[1] ?? 0);
  }
  u32be(): number {
    const taken = this.bytes(4);
    return (
      (((taken[0] ?? 0) << 24) | ((taken[1] ?? 0) << 16) | ((taken[2] ?? 0) << 8) | (taken[3] ?? 0)) >>> 0
    );
  }
  u64big(): bigint {
    return this.#view(8).getBigUint64(0, true);
  }
  /**
   * An unsigned 64-bit number, little-endian.
   *
   * @throws TelltaleError `malformed/out-of-range` above 2^53 - 1: no file offset or length is that large
   */
  u64(): number {
    return this.#toSafe(this.u64big());
  }
  /** As {@link u64}, big-endian. */
  u64be(): number {
    return this.#toSafe(this.#view(8).getBigUint64(0));
  }

  #toSafe(value: bigint): number {
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new TelltaleError(
        'malformed/out-of-range',
        `holds the number ${value}, too large for an offset or length`,
        {
          offset: this.#offset - 8,
          wanted: 8,
        },
      );
    }
    return Number(value);
  }

  /** One byte a character, up to `length` bytes, cut at the first NUL. */
  latin1(length: number): string {
    return toLatin1(cutAtZero(this.bytes(length)));
  }
}

/** The bytes before the first NUL. */
export function cutAtZero(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** So many arguments a function takes everywhere. */
const argumentsMax = 8192;

/** One character a byte; the right reading for identifiers of unknown code page. */
export function toLatin1(bytes: Uint8Array): string {
  // Spread arguments would go through an iterator, which takes six times as long.
  if (bytes.length <= argumentsMax) return Reflect.apply(String.fromCharCode, undefined, bytes);
  let text = '';
  for (let at = 0; at < bytes.length; at += argumentsMax)
    text += toLatin1(bytes.subarray(at, at + argumentsMax));
  return text;
}

/** UTF-16LE to text; an odd last byte is dropped, lone surrogates become U+FFFD. */
export function toUtf16(bytes: Uint8Array): string {
  return new TextDecoder('utf-16le').decode(bytes.subarray(0, bytes.length & ~1));
}

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index += 1) text += hexPairs[bytes[index] ?? 0] ?? '';
  return text;
}
