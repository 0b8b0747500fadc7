/**
 * String pools of Android's binary resource files, in UTF-8 or UTF-16, read one string at a time.
 *
 * Specification: ResStringPool_header in ResourceTypes.h of Android
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/libs/androidfw/include/androidfw/ResourceTypes.h
 *
 * Offsets may overlap without end, so what is decoded from one pool is limited as a whole.
 * Not read: styles (spans of markup in a string).
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import { Cursor, toUtf16 } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import type { Finding } from '../model.ts';
import type { ResourceChunk } from './resource-chunks.ts';

/** Characters that one pool gives in all. */
const decodedCharactersLimit = 16 * 1024 * 1024;
const poolHeaderBytes = 28;
const utf8Flag = 0x100;
/** The largest lengths that the two encodings can state have 15 and 31 bits; no real name comes near. */
const stringBytesLimit = 1024 * 1024;

export class StringPool {
  /** Strings that the pool has, as far as there is room for their offsets. */
  readonly count: number;
  readonly #source: ByteSource;
  readonly #chunk: ResourceChunk;
  readonly #report: (finding: Finding) => void;
  readonly #stringsStart: number;
  readonly #isUtf8: boolean;
  readonly #decoded = new Map<number, string | undefined>();
  #charactersLeft = decodedCharactersLimit;
  #isFaultTold = false;

  /**
   * @param source - the whole file; the chunk lies in it
   * @throws TelltaleError `malformed/structure`, `malformed/out-of-range`
   */
  constructor(source: ByteSource, chunk: ResourceChunk, report: (finding: Finding) => void) {
    this.#source = source;
    this.#chunk = chunk;
    this.#report = report;
    if (chunk.size < poolHeaderBytes) {
      throw new TelltaleError('malformed/structure', 'has a pool of strings without a header', {
        offset: chunk.offset,
      });
    }
    const cursor = new Cursor(source, chunk.offset + 8);
    const stated = cursor.u32();
    cursor.skip(4);
    this.#isUtf8 = (cursor.u32() & utf8Flag) !== 0;
    const stringsStart = cursor.u32();
    this.#stringsStart = chunk.offset + stringsStart;
    const room = Math.max(0, Math.floor((Math.min(stringsStart, chunk.size) - chunk.headerSize) / 4));
    this.count = Math.min(stated, room);
    if (stated > room) {
      this.#tell(
        `says that it has ${stated} strings, where there is room for ${room}`,
        'strings beyond that number are not known',
        chunk.offset,
      );
    }
  }

  /** One string; undefined when there is none or it cannot be read, which is reported once a pool. */
  get(index: number): string | undefined {
    if (index >= this.count) return undefined;
    if (this.#decoded.has(index)) return this.#decoded.get(index);
    let text: string | undefined;
    try {
      text = this.#decode(index);
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error;
      this.#tell(
        error.message,
        'a name or a text is therefore not known',
        error.offset ?? this.#chunk.offset,
      );
    }
    this.#decoded.set(index, text);
    return text;
  }

  #decode(index: number): string {
    const { end, headerSize, offset } = this.#chunk;
    const at = this.#stringsStart + new Cursor(this.#source, offset + headerSize + index * 4).u32();
    if (at >= end) {
      throw new TelltaleError('malformed/out-of-range', 'has a string that begins outside of its pool', {
        offset: at,
      });
    }
    const cursor = new Cursor(this.#source, at);
    let length: number;
    if (this.#isUtf8) {
      // Its length in UTF-16 units comes first.
      readLength8(cursor);
      length = readLength8(cursor);
    } else {
      length = readLength16(cursor) * 2;
    }
    if (length > stringBytesLimit || cursor.offset + length > end) {
      throw new TelltaleError(
        'malformed/out-of-range',
        `has a string of ${length} bytes that leaves its pool`,
        {
          offset: at,
          wanted: length,
        },
      );
    }
    this.#charactersLeft -= length;
    if (this.#charactersLeft < 0) {
      throw new TelltaleError('limit/memory', 'has strings that share their bytes, more than are decoded', {
        offset: at,
      });
    }
    const bytes = cursor.bytes(length);
    return this.#isUtf8 ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes) : toUtf16(bytes);
  }

  #tell(message: string, consequence: string, offset: number): void {
    if (this.#isFaultTold) return;
    this.#isFaultTold = true;
    this.#report({ code: 'malformed/structure', message, offset, consequence, incomplete: false });
  }
}

/** One byte, or two when the first has its top bit. */
function readLength8(cursor: Cursor): number {
  const first = cursor.u8();
  return (first & 0x80) === 0 ? first : ((first & 0x7f) << 8) | cursor.u8();
}

/** As {@link readLength8} in units of 16 bits. */
function readLength16(cursor: Cursor): number {
  const first = cursor.u16();
  return (first & 0x8000) === 0 ? first : (first & 0x7fff) * 0x10000 + cursor.u16();
}
