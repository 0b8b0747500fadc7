/*
 * Finds texts in bytes, whatever the format: runs of printable ASCII and UTF-8, the same in UTF-16LE, and Chinese text
 * as GBK. A run is given as it is, and in the parts that other builds may share: its words with a separator in them,
 * and the hosts.
 *
 * Not read: UTF-16BE, Shift-JIS, Big5, text of fewer than 6 characters (4 with Chinese ones), and letters beyond ASCII
 * other than those of Chinese, Japanese and Korean. Those are byte runs at best.
 */
export type TextKind = 'text' | 'host' | 'hanzi';
export type TextEncodingSeen = 'ascii' | 'utf-16le' | 'gbk';

/** A text that was found. */
export interface TextFind {
  readonly kind: TextKind;
  /** UTF-8, for `hanzi` GBK; valid during the call. A host is in lower case. */
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  /** Of the first byte, from the start of the artifact. */
  readonly offset: number;
  readonly encoding: TextEncodingSeen;
}

/** Longer runs are known by their beginning. */
const longestTextBytes = 120;
const shortestText = 6;
const shortestToken = 8;
const shortestHost = 6;
/** A run is looked at so far; what follows is a run of its own. */
const reachBytes = 2048;
/** Bytes before a run that tell whether it is one. */
const contextBytes = 4;

const encoder = new TextEncoder();

/** Takes the bytes of one artifact, chunk by chunk. */
export class TextScanner {
  readonly #sink: (find: TextFind) => void;
  #carry = new Uint8Array(0);
  /** Offset in the artifact of the first byte of the carry. */
  #base = 0;
  /** Offsets from which on each of the three searches has still to look. */
  readonly #next = { narrow: 0, wide: 0, hanzi: 0 };

  constructor(sink: (find: TextFind) => void) {
    this.#sink = sink;
  }

  update(chunk: Uint8Array): void {
    const window = copyBehind(this.#carry, chunk);
    const kept = Math.min(window.length, reachBytes + contextBytes);
    this.#search(window, Math.max(0, window.length - reachBytes));
    this.#base += window.length - kept;
    this.#carry = window.slice(window.length - kept);
  }

  finish(): void {
    this.#search(this.#carry, this.#carry.length);
  }

  /** @param limit - runs that begin behind it are left for the next time */
  #search(window: Uint8Array, limit: number): void {
    const base = this.#base;
    this.#next.narrow = base + this.#searchNarrow(window, Math.max(0, this.#next.narrow - base), limit);
    this.#next.wide = base + this.#searchWide(window, Math.max(0, this.#next.wide - base), limit);
    this.#next.hanzi = base + this.#searchHanzi(window, Math.max(0, this.#next.hanzi - base), limit);
  }

  #searchNarrow(window: Uint8Array, start: number, limit: number): number {
    let at = start;
    while (at < limit) {
      let characters = 0;
      let wide = 0;
      let end = at;
      const stop = Math.min(window.length, at + reachBytes);
      while (end < stop) {
        const byte = window[end] ?? 0;
        if (isPrintable(byte)) {
          end += 1;
        } else if (byte >= 0xe3 && byte <= 0xed && isEastAsian(window, end)) {
          end += 3;
          wide += 1;
        } else {
          break;
        }
        characters += 1;
      }
      if (characters >= shortestText || (wide >= 2 && characters >= 4)) {
        this.#takeRun(window, at, end, this.#base + at, 'ascii', 1);
      }
      at = end === at ? at + 1 : end;
    }
    return at;
  }

  #searchWide(window: Uint8Array, start: number, limit: number): number {
    const classes = toUnitClasses();
    let at = start;
    while (at < limit) {
      // Nearly everywhere no run of two characters begins; the high bytes alone show that without the large table.
      if (
        !mayBeHigh(window[at + 1] ?? 0) ||
        !mayBeHigh(window[at + 3] ?? 0) ||
        classes[(window[at] ?? 0) | ((window[at + 1] ?? 0) << 8)] === 0
      ) {
        at += 1;
        continue;
      }
      const { end, characters, ideographs } = measureWide(window, at, classes);
      const isText =
        ideographs === 0 ? characters >= shortestText : isWideText(window, at, end, characters, ideographs);
      if (!isText) {
        at += 1;
        continue;
      }
      const text =
        ideographs === 0 ? compact(window, at, end) : encoder.encode(decodeWide(window.subarray(at, end)));
      this.#takeRun(text, 0, text.length, this.#base + at, 'utf-16le', ideographs === 0 ? 2 : 0);
      at = end;
    }
    return at;
  }

  #searchHanzi(window: Uint8Array, start: number, limit: number): number {
    let at = start;
    while (at < limit) {
      if (!isFrequentHanzi(window, at)) {
        at += 1;
        continue;
      }
      let from = at;
      while (from > start && at - from < longestTextBytes && isPrintable(window[from - 1] ?? 0)) from -= 1;
      let end = at;
      let hanzi = 0;
      while (end < window.length && end - from < longestTextBytes) {
        if (isFrequentHanzi(window, end)) hanzi += 1;
        else if (isPrintable(window[end] ?? 0)) {
          end += 1;
          continue;
        } else if (!isHanziPunctuation(window, end)) break;
        end += 2;
      }
      if (hanzi >= 4 && isLineEdge(window[from - 1]) && isLineEdge(window[end])) {
        this.#sink({
          kind: 'hanzi',
          bytes: window,
          from,
          to: end,
          offset: this.#base + from,
          encoding: 'gbk',
        });
        at = end;
      } else {
        at += 2;
      }
    }
    return at;
  }

  /** @param width - bytes of a character in the artifact; 0 when they differ */
  #takeRun(
    bytes: Uint8Array,
    first: number,
    last: number,
    offset: number,
    encoding: TextEncodingSeen,
    width: number,
  ): void {
    const give = (kind: TextKind, from: number, to: number, given = bytes, origin = from): void =>
      this.#sink({ kind, bytes: given, from, to, offset: offset + (origin - first) * width, encoding });
    let from = first;
    let to = last;
    while (from < to && bytes[from] === 0x20) from += 1;
    while (to > from && bytes[to - 1] === 0x20) to -= 1;
    if (to - from < (encoding === 'ascii' ? shortestText : 4)) return;
    give('text', from, toCutEnd(bytes, from, to));

    for (let token = from; token < to; ) {
      let end = token;
      while (end < to && !isDelimiter(bytes[end] ?? 0)) end += 1;
      const isWhole = token === from && end === to;
      const traits = toTraits(bytes, token, end);
      if (!isWhole && end - token >= shortestToken && traits.isTelling) {
        give('text', token, toCutEnd(bytes, token, end));
      }
      if (traits.hasInnerDot) {
        for (const { host, at } of findHosts(bytes, token, end)) give('host', 0, host.length, host, at);
      }
      token = end + 1;
    }
  }
}

/**
 * What was kept and a new chunk, in an array of its own: chunks are of several classes (Node's Buffer is one), and the
 * engine makes fast code for a loop over arrays of one class only.
 */
export function copyBehind(carry: Uint8Array, chunk: Uint8Array): Uint8Array {
  const whole = new Uint8Array(carry.length + chunk.length);
  whole.set(carry);
  whole.set(chunk, carry.length);
  return whole;
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}

/** A character of three bytes from the East Asian blocks. */
function isEastAsian(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  const third = bytes[at + 2] ?? 0;
  if ((second & 0xc0) !== 0x80 || (third & 0xc0) !== 0x80) return false;
  return first !== 0xed || second < 0xa0;
}

/** The end of a text, or of its beginning when it is too long; never within a character. */
function toCutEnd(bytes: Uint8Array, from: number, to: number): number {
  if (to - from <= longestTextBytes) return to;
  let end = from + longestTextBytes;
  while (end > from && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return end;
}

// ------------------------------------------------------------------------------------------ UTF-16LE

/** 1: printable ASCII. 2: a character of GB 2312, which holds nearly all that Chinese programs say. */
let unitClasses: Uint8Array | undefined;

function toUnitClasses(): Uint8Array {
  if (unitClasses !== undefined) return unitClasses;
  const classes = new Uint8Array(0x1_0000);
  for (let unit = 0x20; unit < 0x7f; unit += 1) classes[unit] = 1;
  const decoder = new TextDecoder('gb18030');
  for (let lead = 0xa1; lead <= 0xf7; lead += 1) {
    if (lead > 0xa3 && lead < 0xb0) continue;
    for (let trail = 0xa1; trail <= 0xfe; trail += 1) {
      const unit = decoder.decode(Uint8Array.of(lead, trail)).charCodeAt(0);
      // Level 1 and 2, and punctuation; not the letters of other scripts that stand in the same table.
      if (unit >= 0x3000) classes[unit] = 2;
    }
  }
  unitClasses = classes;
  return classes;
}

/** Whether a byte is the high half of a character of a text: ASCII, punctuation, ideographs, full-width forms. */
function mayBeHigh(byte: number): boolean {
  return byte === 0 || (byte >= 0x4e && byte <= 0x9f) || byte === 0x30 || byte === 0xff;
}

function measureWide(
  window: Uint8Array,
  at: number,
  classes: Uint8Array,
): { readonly end: number; readonly characters: number; readonly ideographs: number } {
  const stop = Math.min(window.length - 1, at + reachBytes);
  let end = at;
  let ideographs = 0;
  while (end < stop) {
    const kind = classes[(window[end] ?? 0) | ((window[end + 1] ?? 0) << 8)];
    if (kind === 0) break;
    if (kind === 2) ideographs += 1;
    end += 2;
  }
  return { end, characters: (end - at) >> 1, ideographs };
}

/**
 * Pairs of bytes in programs are often Chinese characters by chance: a text stands between zeros or behind its length,
 * and is not plain ASCII read in pairs.
 */
function isWideText(
  window: Uint8Array,
  at: number,
  end: number,
  characters: number,
  ideographs: number,
): boolean {
  if (ideographs < 2 || characters < 4) return false;
  const before = at < 2 ? 0 : (window[at - 2] ?? 0) | ((window[at - 1] ?? 0) << 8);
  const after = end + 1 >= window.length ? 0 : (window[end] ?? 0) | ((window[end + 1] ?? 0) << 8);
  if (before !== characters && (before !== 0 || after !== 0)) return false;
  for (let index = at; index < end; index += 1) if (!isPrintable(window[index] ?? 0)) return true;
  return false;
}

function compact(window: Uint8Array, from: number, to: number): Uint8Array {
  const text = new Uint8Array((to - from) >> 1);
  for (let index = 0; index < text.length; index += 1) text[index] = window[from + 2 * index] ?? 0;
  return text;
}

function decodeWide(bytes: Uint8Array): string {
  return new TextDecoder('utf-16le').decode(bytes);
}

// ------------------------------------------------------------------------------------------------ GBK

/** The 3,755 characters of level 1, sorted by sound: what everyday text is made of. */
function isFrequentHanzi(bytes: Uint8Array, at: number): boolean {
  const lead = bytes[at] ?? 0;
  const trail = bytes[at + 1] ?? 0;
  return lead >= 0xb0 && lead <= 0xd7 && trail >= 0xa1 && trail <= 0xfe;
}

function isHanziPunctuation(bytes: Uint8Array, at: number): boolean {
  const lead = bytes[at] ?? 0;
  const trail = bytes[at + 1] ?? 0;
  return lead >= 0xa1 && lead <= 0xa3 && trail >= 0xa1 && trail <= 0xfe;
}

function isLineEdge(byte: number | undefined): boolean {
  return byte === undefined || byte === 0 || byte === 0x0a || byte === 0x0d;
}

// --------------------------------------------------------------------------------------- parts of a run

const delimiters: ReadonlySet<number> = new Set(
  [...' "\'<>()[]{}|;,=&?`*\t'].map((character) => character.charCodeAt(0)),
);

function isDelimiter(byte: number): boolean {
  return delimiters.has(byte);
}

function isLetterOrDigit(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a);
}

/** Whether a part says more than a plain word: it has a separator or a digit inside. */
function toTraits(
  bytes: Uint8Array,
  from: number,
  to: number,
): { readonly isTelling: boolean; readonly hasInnerDot: boolean } {
  let isTelling = false;
  let hasInnerDot = false;
  for (let at = from + 1; at < to - 1; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x2e && isLetterOrDigit(bytes[at - 1] ?? 0) && isLetterOrDigit(bytes[at + 1] ?? 0))
      hasInnerDot = true;
    // . / \ : _ - @ and digits
    if ((byte >= 0x2d && byte <= 0x3a) || byte === 0x5c || byte === 0x5f || byte === 0x40) isTelling = true;
  }
  return { isTelling, hasInnerDot };
}

/** Endings under which the hosts of programs lie; behind `://` every ending counts. */
const endings: ReadonlySet<string> = new Set(
  `com net org info biz cn hk tw jp kr sg my th vn ph in ru ua de fr uk nl lu ch at it es pt pl cz se no fi dk eu us ca
   br mx au nz za io me tv cc mobi asia name pro edu gov mil im co`.split(/\s+/),
);
/** First labels of package names of Java, Android and .NET, which look like hosts: `java.net`, `org.json.me`. */
const packageRoots =
  /^(?:com|org|net|io|java|javax|android|androidx|kotlin|kotlinx|dalvik|sun|system|microsoft|cn)\./;
const hostName = /[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+/gi;

function* findHosts(
  bytes: Uint8Array,
  from: number,
  to: number,
): Generator<{ readonly host: Uint8Array; readonly at: number }> {
  let token = '';
  for (let at = from; at < to; at += 1) token += String.fromCharCode(bytes[at] ?? 0);
  for (const match of token.matchAll(hostName)) {
    const [name] = match;
    const last = name.slice(name.lastIndexOf('.') + 1);
    const before = token.slice(0, match.index);
    const isHost = before.endsWith('://')
      ? /^[a-z]{2,}$/i.test(last) || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name)
      : name.length >= shortestHost &&
        endings.has(last) &&
        name === name.toLowerCase() &&
        !packageRoots.test(name) &&
        // In a path it is the name of a file.
        (before.endsWith('//') || !/[\w\\/.-]$/.test(before));
    if (isHost) yield { host: encoder.encode(name.toLowerCase()), at: from + match.index };
  }
}
