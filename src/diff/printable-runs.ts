/**
 * Strings in bytes, as an analyst means the word: six or more printable characters in a row, in ASCII or UTF-8, or in
 * UTF-16LE at any offset.
 *
 * Almost any two bytes are a letter of some script in UTF-16. A run with letters beyond ASCII therefore counts only
 * when a control character (a NUL, or the small number that is the length in a string table) stands on both sides of
 * it, when all its letters are Latin or of one other script, and when fewer than half of its units can be
 * ASCII text, or UTF-16 text read from the wrong place.
 */
import { type ByteSource, readChunks, sliceSource } from '../bytes/byte-source.ts';
import type { StringEncoding } from './model.ts';

/** Shorter runs are no strings. */
export const shortestCharacters = 6;
/** A longer run is several strings of this length, in bytes or UTF-16 units. */
const longestRun = 4096;

export type StringSink = (text: string, encoding: StringEncoding, offset: number) => void;

const cut = 0;
const plain = 1;
const high = 2;

/** What a byte is in a run of ASCII or UTF-8. */
const byteClasses = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x80 ? high : byte >= 0x20 && byte < 0x7f ? plain : cut,
);

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]$/u;
const scripts: readonly RegExp[] = [
  /^[\p{Script=Common}\p{Script=Inherited}\p{Script=Latin}]$/u,
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}]$/u,
  /^\p{Script=Cyrillic}$/u,
  /^\p{Script=Greek}$/u,
  /^\p{Script=Arabic}$/u,
  /^\p{Script=Hebrew}$/u,
  /^\p{Script=Thai}$/u,
  /^\p{Script=Devanagari}$/u,
];

/** Classes of UTF-16 units: no part of a run, ASCII, and from `high` on the script. Made when it is first needed. */
let unitClasses: Uint8Array | undefined;

function toUnitClasses(): Uint8Array {
  unitClasses ??= Uint8Array.from({ length: 0x10000 }, (_, unit) => {
    if (unit < 0x80) return byteClasses[unit] ?? cut;
    const character = String.fromCharCode(unit);
    if (!printable.test(character)) return cut;
    const script = scripts.findIndex((pattern) => pattern.test(character));
    return script < 0 ? cut : high + script;
  });
  return unitClasses;
}

/** Finds the strings of some bytes that come chunk by chunk. */
export class StringScanner {
  readonly #narrow: NarrowRun;
  readonly #wide: readonly [WideRun, WideRun];
  #offset: number;
  #previous = -1;

  /** @param offset - of the first byte, in bytes from the start of the member */
  constructor(sink: StringSink, offset = 0) {
    this.#offset = offset;
    this.#narrow = new NarrowRun(sink);
    this.#wide = [new WideRun(sink), new WideRun(sink)];
  }

  update(chunk: Uint8Array): void {
    const [even, odd] = this.#wide;
    let previous = this.#previous;
    let offset = this.#offset;
    for (const byte of chunk) {
      this.#narrow.see(byte, offset);
      if (previous >= 0) (offset % 2 === 0 ? odd : even).see(previous | (byte << 8), offset - 1);
      previous = byte;
      offset += 1;
    }
    this.#previous = previous;
    this.#offset = offset;
  }

  finish(): void {
    this.#narrow.end();
    for (const run of this.#wide) run.end(true);
  }
}

const decoder = new TextDecoder();

/** A run of bytes that may be ASCII or UTF-8. */
class NarrowRun {
  readonly #sink: StringSink;
  readonly #bytes = new Uint8Array(longestRun + 4);
  #length = 0;
  #start = 0;
  #hasHigh = false;

  constructor(sink: StringSink) {
    this.#sink = sink;
  }

  see(byte: number, offset: number): void {
    const kind = byteClasses[byte] ?? cut;
    if (kind === cut) {
      if (this.#length > 0) this.end();
      return;
    }
    // Not in the middle of a character, unless a run of continuation bytes is no text anyway.
    if (this.#length >= longestRun && ((byte & 0xc0) !== 0x80 || this.#length >= this.#bytes.length))
      this.end();
    if (this.#length === 0) this.#start = offset;
    this.#bytes[this.#length] = byte;
    this.#length += 1;
    if (kind === high) this.#hasHigh = true;
  }

  end(): void {
    const length = this.#length;
    const hasHigh = this.#hasHigh;
    this.#length = 0;
    this.#hasHigh = false;
    if (length < shortestCharacters) return;
    if (hasHigh) this.#split(this.#bytes.subarray(0, length));
    else this.#sink(decoder.decode(this.#bytes.subarray(0, length)), 'ascii', this.#start);
  }

  /** Emits what is valid UTF-8 between bytes that are not. */
  #split(bytes: Uint8Array): void {
    let text = '';
    let characters = 0;
    let from = 0;
    let isAscii = true;
    const emit = (): void => {
      if (characters >= shortestCharacters) this.#sink(text, isAscii ? 'ascii' : 'utf-8', this.#start + from);
    };
    for (let at = 0; at < bytes.length; ) {
      const [codePoint, size] = decodeUtf8(bytes, at);
      if (codePoint < 0) {
        emit();
        text = '';
        characters = 0;
        isAscii = true;
        from = at + size;
      } else {
        text += String.fromCodePoint(codePoint);
        characters += 1;
        if (codePoint >= 0x80) isAscii = false;
      }
      at += size;
    }
    emit();
  }
}

/** The character at an offset and its length in bytes; -1 where there is none that can be seen. */
function decodeUtf8(bytes: Uint8Array, at: number): readonly [number, number] {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return [lead, 1];
  const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + size > bytes.length) return [-1, 1];
  let codePoint = lead & (0x7f >> size);
  for (let next = 1; next < size; next += 1) {
    const byte = bytes[at + next] ?? 0;
    if ((byte & 0xc0) !== 0x80) return [-1, 1];
    codePoint = (codePoint << 6) | (byte & 0x3f);
  }
  const isShortest = codePoint >= (size === 4 ? 0x10000 : size === 3 ? 0x800 : 0x80);
  const isCharacter = codePoint <= 0x10ffff && (codePoint < 0xd800 || codePoint > 0xdfff);
  if (!isShortest || !isCharacter) return [-1, 1];
  return printable.test(String.fromCodePoint(codePoint)) ? [codePoint, size] : [-1, size];
}

/** A run of UTF-16LE units that all begin at even, or all at odd offsets. */
class WideRun {
  readonly #sink: StringSink;
  readonly #classes = toUnitClasses();
  readonly #units = new Uint16Array(longestRun);
  #length = 0;
  #start = 0;
  #script = plain;
  #followsControl = true;
  /** Units of two ASCII characters, or of one and the NUL before it: other text, read from the wrong place. */
  #asciiPairs = 0;

  constructor(sink: StringSink) {
    this.#sink = sink;
  }

  see(unit: number, offset: number): void {
    const kind = this.#classes[unit] ?? cut;
    if (kind === cut) {
      if (this.#length > 0) this.end(unit < 0x20);
      this.#followsControl = unit < 0x20;
      return;
    }
    if (this.#length >= longestRun) this.end(true);
    if (kind > plain) {
      if (this.#script > high && kind > high && kind !== this.#script) {
        this.end(false);
      }
      this.#script = Math.max(this.#script, kind);
    }
    if (this.#length === 0) {
      this.#start = offset;
      this.#asciiPairs = 0;
    }
    const low = unit & 0xff;
    if ((low === 0 || byteClasses[low] === plain) && byteClasses[unit >> 8] === plain) this.#asciiPairs += 1;
    this.#units[this.#length] = unit;
    this.#length += 1;
  }

  /** @param beforeControl - whether a control character, or the end, follows */
  end(beforeControl: boolean): void {
    const isText =
      this.#script === plain ||
      (this.#followsControl && beforeControl && this.#asciiPairs * 2 < this.#length);
    if (isText) this.#emit(0, this.#length);
    else this.#emitAscii();
    this.#length = 0;
    this.#script = plain;
    // A run that was only cut because of its length goes on.
    this.#followsControl = beforeControl;
  }

  /** Bytes before and behind ASCII letters may look like letters of another script: the ASCII part is still a string. */
  #emitAscii(): void {
    let from = 0;
    for (let at = 0; at <= this.#length; at += 1) {
      if (at < this.#length && (this.#units[at] ?? 0) < 0x80) continue;
      this.#emit(from, at);
      from = at + 1;
    }
  }

  #emit(from: number, to: number): void {
    if (to - from < shortestCharacters) return;
    const text = String.fromCharCode(...this.#units.subarray(from, to));
    this.#sink(text, 'utf-16le', this.#start + 2 * from);
  }
}

/** A range in bytes. */
export interface ByteSpan {
  readonly offset: number;
  readonly size: number;
}

/**
 * The strings of a source, without those in some ranges of it.
 *
 * @param goesOn - is asked for every chunk; false ends the search, and it may throw
 */
export function scanStrings(
  source: ByteSource,
  without: readonly ByteSpan[],
  sink: StringSink,
  goesOn: () => boolean,
): void {
  let from = 0;
  const scan = (to: number): void => {
    if (to - from < shortestCharacters) return;
    const scanner = new StringScanner(sink, from);
    for (const chunk of readChunks(sliceSource(source, from, to - from))) {
      if (!goesOn()) return;
      scanner.update(chunk);
    }
    scanner.finish();
  };
  for (const { offset, size } of without.toSorted((a, b) => a.offset - b.offset)) {
    scan(Math.min(offset, source.size));
    from = Math.min(source.size, Math.max(from, offset + size));
  }
  scan(source.size);
}
