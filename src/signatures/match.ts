import { type MarkPlaces, noMarks } from '../bytes/mark-places.ts';
import type { RegularExpression } from '../platform/regular-expressions.ts';
import { foldByte } from './automaton/fold.ts';
import type { Searcher } from './automaton/searcher.ts';
import type { CompiledDatabase, Probe, TextEncoding } from './compile.ts';

/*
 * Looks for all probes of a database in one artifact, chunk by chunk.
 *
 * The automaton finds the folded literals; each hit is then checked here: exact bytes, neighbours, regular
 * expression. That needs bytes behind the hit which may not have come yet, so hits near the end of what is known wait
 * for the next chunk.
 */

/** Bytes before and after an anchor in which its regular expression is tried. */
const regexReachBytes = 512;
/** The most that any check wants to see on either side of a literal. */
const reachBytes = regexReachBytes;
const windowBytes = 256 * 1024;

const hitsKept = 16;
const contextBytes = 24;
const shownBytes = 64;
/**
 * A file could repeat an anchor without end, and a regular expression is slow: behind this many places it is not
 * tried any more, and the hits say so.
 */
const maxRegexPlaces = 5_000;
/** Behind this many marks in one artifact none is noted any more. */
const maxMarks = 100_000;
const markBytesMax = 64;

/** One place at which a probe matched. */
export interface Hit {
  /** Byte offset from the start of the artifact. */
  readonly offset: number;
  /** Bytes that matched. */
  readonly length: number;
  readonly encoding: TextEncoding | undefined;
  /** The bytes that matched with up to 24 bytes on each side, at most 64 in all. */
  readonly bytes: Uint8Array;
  /** How many of {@link bytes} stand before the match. */
  readonly bytesBefore: number;
}

export interface ProbeHits {
  /** How often it occurs in the artifact. */
  readonly count: number;
  /** The first 16, in rising order. */
  readonly first: readonly Hit[];
}

/** What was found in one artifact. */
export class Hits {
  readonly #byProbe: ReadonlyMap<number, ProbeHits>;
  /** Whether a regular expression was not tried at all of its places, because there were too many. */
  readonly isCutShort: boolean;
  /** Of the marks that whoever compiled the database wanted to know. */
  readonly marks: MarkPlaces;

  constructor(
    byProbe: ReadonlyMap<number, ProbeHits> = new Map(),
    isCutShort = false,
    marks: MarkPlaces = noMarks,
  ) {
    this.#byProbe = byProbe;
    this.isCutShort = isCutShort;
    this.marks = marks;
  }

  /** Indexes of the probes that have hits. */
  get probes(): Iterable<number> {
    return this.#byProbe.keys();
  }

  get(probe: Probe): ProbeHits | undefined {
    return this.#byProbe.get(probe.index);
  }
}

/** Windows to use again; most artifacts are small, and there are many. */
const spareWindows: Uint8Array[] = [];
const spareWindowsKept = 4;

/** The bytes of the artifact that are at hand. */
interface Window {
  bytes: Uint8Array;
  /** How many, the history among them. */
  filled: number;
  /** Offset in the artifact of the first one; negative at first, when the history is empty. */
  base: number;
}

/** Looks for everything in one artifact. Feed it all bytes in order, then finish it; it is spent afterwards. */
export class Matcher {
  readonly #compiled: CompiledDatabase;
  readonly #searcher: Searcher | undefined;
  /** Bytes of the past at the front of the window. */
  readonly #historyBytes: number;
  readonly #window: Window = { bytes: new Uint8Array(0), filled: 0, base: 0 };
  /** Pattern and start offset of hits that wait for bytes behind them. */
  #waiting: (readonly [number, number])[] = [];
  readonly #whole: Scope;
  /** One behind the other. */
  readonly #parts: Scope[] = [];

  constructor(compiled: CompiledDatabase) {
    this.#compiled = compiled;
    const window = this.#window;
    this.#whole = new Scope(compiled, window, 0, Number.POSITIVE_INFINITY);
    if (compiled.searcher === undefined) {
      this.#historyBytes = 0;
      return;
    }
    this.#searcher = compiled.searcher;
    // A waiting hit begins at most `reach` and its own length before the end; its checks reach back as far again.
    this.#historyBytes = 2 * reachBytes + this.#searcher.overlap + 1;
    window.base = -this.#historyBytes;
    window.filled = this.#historyBytes;
    window.bytes = takeWindow(this.#historyBytes + windowBytes);
    window.bytes.fill(0, 0, this.#historyBytes);
  }

  /** Whether there is anything to look for; without, bytes need not be fed. */
  get hasPatterns(): boolean {
    return this.#searcher !== undefined;
  }

  /** Whether any probe has a hit by now. */
  get hasHits(): boolean {
    return this.#whole.hasHits;
  }

  /**
   * Looks through a part also as through an artifact of its own, which costs little beside what is done anyhow.
   *
   * @param offset - not before the end of the part before, and not of bytes that were fed already
   * @param size - in bytes
   * @returns what was found in the part, once all is finished
   */
  addPart(offset: number, size: number): () => Hits {
    const part = new Scope(this.#compiled, this.#window, offset, offset + size);
    this.#parts.push(part);
    return () => part.finish();
  }

  update(chunk: Uint8Array): void {
    const searcher = this.#searcher;
    const window = this.#window;
    if (searcher === undefined) return;
    for (let taken = 0; taken < chunk.length; ) {
      if (window.filled === window.bytes.length) this.#search(searcher, false);
      const length = Math.min(chunk.length - taken, window.bytes.length - window.filled);
      window.bytes.set(chunk.subarray(taken, taken + length), window.filled);
      window.filled += length;
      taken += length;
    }
  }

  finish(): Hits {
    const window = this.#window;
    if (this.#searcher !== undefined) {
      this.#search(this.#searcher, true);
      if (spareWindows.length < spareWindowsKept) spareWindows.push(window.bytes);
      window.bytes = new Uint8Array(0);
    }
    return this.#whole.finish();
  }

  #search(searcher: Searcher, isLast: boolean): void {
    const window = this.#window;
    const { base, filled } = window;
    const settledEnd = isLast ? Number.POSITIVE_INFINITY : base + filled - reachBytes;
    const lengths = this.#compiled.patterns;
    const waited = this.#waiting;
    this.#waiting = [];
    const judge = (pattern: number, offset: number): void => {
      // Before the start of the artifact the window holds zeros.
      if (offset < 0) return;
      const end = offset + (lengths[pattern]?.length ?? 0);
      if (end > settledEnd) {
        this.#waiting.push([pattern, offset]);
        return;
      }
      this.#whole.check(pattern, offset);
      const part = this.#findPart(offset);
      if (part !== undefined && end <= part.end) part.check(pattern, offset);
    };
    for (const [pattern, offset] of waited) judge(pattern, offset);

    const from = this.#historyBytes - searcher.overlap;
    searcher.search(window.bytes.subarray(from, filled), searcher.overlap, (pattern, start) => {
      judge(pattern, base + from + start);
    });

    if (!isLast) {
      const past = filled - this.#historyBytes;
      window.bytes.copyWithin(0, past, filled);
      window.base += past;
      window.filled = this.#historyBytes;
    }
  }

  /** The part that an offset lies in. */
  #findPart(offset: number): Scope | undefined {
    const parts = this.#parts;
    let [low, high] = [0, parts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((parts[middle]?.end ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const part = parts[low];
    return part !== undefined && part.start <= offset ? part : undefined;
  }
}

/** What is found in one range of the bytes, as if there were no others. */
class Scope {
  readonly start: number;
  readonly end: number;
  readonly #compiled: CompiledDatabase;
  readonly #window: Window;
  readonly #results = new Map<number, { count: number; readonly first: Hit[] }>();
  readonly #regexPlaces = new Map<number, number>();
  readonly #regexEnds = new Map<number, number>();
  #isCutShort = false;
  readonly #marks: (readonly [number, number])[] = [];
  #marksEnd = Number.POSITIVE_INFINITY;

  constructor(compiled: CompiledDatabase, window: Window, start: number, end: number) {
    this.#compiled = compiled;
    this.#window = window;
    this.start = start;
    this.end = end;
  }

  get hasHits(): boolean {
    return this.#results.size > 0;
  }

  /** With offsets from the start of the range. */
  finish(): Hits {
    const { start } = this;
    const end = this.#marksEnd - start;
    const found = this.#marks
      .map(([mark, offset]) => [mark, offset - start] as const)
      .filter(([, offset]) => offset < end)
      .sort(([, a], [, b]) => a - b);
    return new Hits(this.#results, this.#isCutShort, { found, end });
  }

  /** Checks a literal that lies in the range, with as many bytes at hand as a check may want to see. */
  check(pattern: number, offset: number): void {
    if (pattern >= this.#compiled.firstMark) {
      this.#mark(pattern, offset);
      return;
    }
    for (const probe of this.#compiled.probesOfPattern[pattern] ?? []) {
      if (!this.#isSpelled(probe, offset) || !this.#hasBoundary(probe, offset)) continue;
      if (probe.regex === undefined) this.#record(probe, offset, probe.literal.length);
      else this.#tryRegex(probe, probe.regex(), offset);
    }
  }

  #mark(pattern: number, offset: number): void {
    const bytes = this.#compiled.marks[pattern - this.#compiled.firstMark] ?? new Uint8Array(0);
    if (offset >= this.#marksEnd || !bytes.every((byte, index) => this.#byteAt(offset + index) === byte))
      return;
    if (this.#marks.length < maxMarks) this.#marks.push([pattern - this.#compiled.firstMark, offset]);
    // Hits come in the order of their ends: what is not noted begins here, or a mark's length before.
    else this.#marksEnd = offset - markBytesMax;
  }

  /** Where the bytes of the range that are at hand begin and end. */
  get #reachStart(): number {
    return Math.max(this.start, this.#window.base);
  }
  get #reachEnd(): number {
    return Math.min(this.end, this.#window.base + this.#window.filled);
  }

  /** A byte of the range; -1 outside it. */
  #byteAt(offset: number): number {
    const { bytes, filled, base } = this.#window;
    const index = offset - base;
    const isOutside = offset < this.start || offset >= this.end || index < 0 || index >= filled;
    return isOutside ? -1 : (bytes[index] ?? -1);
  }

  #slice(start: number, end: number): Uint8Array {
    const { bytes, base } = this.#window;
    return bytes.slice(start - base, end - base);
  }

  /** Exact bytes, or in UTF-16 letters that differ in case only: the automaton also folds halves of other letters. */
  #isSpelled(probe: Probe, offset: number): boolean {
    const { literal, ignoreCase, encoding } = probe;
    if (ignoreCase && encoding === 'ascii') return true;
    for (let index = 0; index < literal.length; index += 1) {
      const wanted = literal[index] ?? 0;
      const found = this.#byteAt(offset + index);
      if (found === wanted) continue;
      const isLowHalfOfAscii = index % 2 === 0 && literal[index + 1] === 0;
      if (!ignoreCase || !isLowHalfOfAscii || foldByte(found) !== foldByte(wanted)) return false;
    }
    return true;
  }

  #hasBoundary(probe: Probe, offset: number): boolean {
    if (probe.boundary === 'none') return true;
    const width = probe.encoding === 'utf-16le' ? 2 : 1;
    const end = offset + probe.literal.length;
    const before = (count: number): number => this.#unitAt(offset - count * width, width);
    const after = (count: number): number => this.#unitAt(end + (count - 1) * width, width);
    if (probe.boundary === 'word') {
      return (!isWordUnit(before(1)) || this.#isLengthPrefix(offset, width)) && !isWordUnit(after(1));
    }
    if (isHostUnit(after(1)) || (after(1) === dot && isAlphanumeric(after(2)))) return false;
    if (isHostUnit(before(1))) return this.#isLengthPrefix(offset, width);
    return probe.boundary === 'host-with-subdomains' || before(1) !== dot || !isLabelUnit(before(2));
  }

  /** A code unit of the range; -1 when it does not lie wholly inside. */
  #unitAt(offset: number, width: number): number {
    const low = this.#byteAt(offset);
    if (width === 1 || low < 0) return low;
    const high = this.#byteAt(offset + 1);
    return high < 0 ? -1 : low | (high << 8);
  }

  /**
   * Whether the unit before a text is its length rather than a letter. String tables of DEX files and of Android
   * resources put the length before the text and a zero behind it; the length 0x30 looks like the digit 0.
   */
  #isLengthPrefix(offset: number, width: number): boolean {
    const length = this.#unitAt(offset - width, width);
    if (length <= 0 || length >= 0x80) return false;
    for (let index = 0; index < length; index += 1) {
      if (this.#unitAt(offset + index * width, width) <= 0) return false;
    }
    return this.#unitAt(offset + length * width, width) === 0;
  }

  /** Tries the expression around an anchor, and records the match that holds the anchor. */
  #tryRegex(probe: Probe, regex: RegularExpression, anchor: number): void {
    // Several anchors in one match are one match.
    if (anchor < (this.#regexEnds.get(probe.index) ?? -1)) return;
    const places = (this.#regexPlaces.get(probe.index) ?? 0) + 1;
    if (places > maxRegexPlaces) {
      this.#isCutShort = true;
      return;
    }
    this.#regexPlaces.set(probe.index, places);

    const anchorEnd = anchor + probe.literal.length;
    const isWide = probe.encoding === 'utf-16le';
    let start = Math.max(this.#reachStart, anchor - regexReachBytes);
    if (isWide) start += (anchor - start) % 2;
    const end = Math.min(this.#reachEnd, anchorEnd + regexReachBytes);
    const bytes = this.#slice(start, end);
    const width = isWide ? 2 : 1;
    const matcher = regex.matcher(isWide ? toUnits(bytes) : bytes);
    while (matcher.find()) {
      const from = start + matcher.start() * width;
      const to = start + matcher.end() * width;
      if (from > anchor) return;
      if (to >= anchorEnd) {
        this.#regexEnds.set(probe.index, to);
        this.#record(probe, from, to - from);
        return;
      }
    }
  }

  #record(probe: Probe, offset: number, length: number): void {
    let result = this.#results.get(probe.index);
    if (result === undefined) {
      result = { count: 0, first: [] };
      this.#results.set(probe.index, result);
    }
    result.count += 1;
    if (result.first.length >= hitsKept) return;
    const shown = Math.min(length, shownBytes);
    const margin = Math.min(contextBytes, Math.floor((shownBytes - shown) / 2));
    const from = Math.max(this.#reachStart, offset - margin);
    const to = Math.min(this.#reachEnd, offset + shown + margin);
    result.first.push({
      offset: offset - this.start,
      length,
      encoding: probe.encoding,
      bytes: this.#slice(from, to),
      bytesBefore: offset - from,
    });
  }
}

function takeWindow(size: number): Uint8Array {
  const index = spareWindows.findIndex((window) => window.length >= size);
  return index < 0 ? new Uint8Array(size) : (spareWindows.splice(index, 1)[0] ?? new Uint8Array(size));
}

/** UTF-16LE as it is, one character a unit, so that places in the text are places in the bytes. */
function toUnits(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index + 1 < bytes.length; index += 2) {
    text += String.fromCharCode((bytes[index] ?? 0) | ((bytes[index + 1] ?? 0) << 8));
  }
  return text;
}

const dot = 0x2e;
const hyphen = 0x2d;
const underscore = 0x5f;

function isAlphanumeric(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
}

function isHostUnit(unit: number): boolean {
  return isAlphanumeric(unit) || unit === hyphen;
}

function isLabelUnit(unit: number): boolean {
  return isHostUnit(unit) || unit === underscore;
}

function isWordUnit(unit: number): boolean {
  return isAlphanumeric(unit) || unit === underscore;
}
