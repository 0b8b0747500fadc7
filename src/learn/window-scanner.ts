/*
 * Finds byte runs that several files share, wherever they lie: of every 48 windows of 16 bytes the one with the
 * smallest hash is taken, so that two files that share a run of 63 bytes or more take the same window in it (unless that one window is left out).
 *
 * S. Schleimer, D. Wilkerson, A. Aiken, "Winnowing: local algorithms for document fingerprinting", SIGMOD 2003,
 * https://theory.stanford.edu/~aiken/publications/papers/sigmod03.pdf
 *
 * Windows of text are left out, because texts are found as texts; so are windows of few different bytes, and those in
 * blocks that look compressed or encrypted.
 */
import { copyBehind } from './text-scanner.ts';

export const windowBytes = 16;
const windowsPerChoice = 48;
/** Bytes around a window that are shown with it. */
export const windowMarginBytes = 64;
const carriedBytes = windowBytes + windowsPerChoice + 2 * windowMarginBytes;

const leastDifferentBytes = 10;
const mostPrintableBytes = 11;
const mostZeroBytes = 4;
const blockBytes = 4096;
/** In bits a byte: programs stay below, compressed data of a whole block does not. */
const packedEntropyBits = 7.3;
const smallestBlockBytes = 1024;

export interface WindowFind {
  /** Of the window, from the start of the artifact. */
  readonly offset: number;
  /** Valid during the call. */
  readonly bytes: Uint8Array;
  /** Where the window begins in {@link bytes}. */
  readonly at: number;
}

const multiplier = 0x0100_0193;
/** The multiplier as often as a byte was multiplied when it leaves its window. */
const leaving = Array.from({ length: windowBytes - 1 }).reduce<number>(
  (power) => Math.imul(power, multiplier),
  1,
);

/** Takes the bytes of one artifact, chunk by chunk. */
export class WindowScanner {
  readonly #sink: (find: WindowFind) => void;
  #carry = new Uint8Array(0);
  #base = 0;
  #last = -1;

  constructor(sink: (find: WindowFind) => void) {
    this.#sink = sink;
  }

  update(chunk: Uint8Array): void {
    const bytes = copyBehind(this.#carry, chunk);
    this.#search(bytes);
    const kept = Math.min(bytes.length, carriedBytes);
    this.#base += bytes.length - kept;
    this.#carry = bytes.slice(bytes.length - kept);
  }

  /** Looks through what is not packed, stretch by stretch. */
  #search(bytes: Uint8Array): void {
    let from = 0;
    for (let block = 0; block < bytes.length; block += blockBytes) {
      const end = Math.min(bytes.length, block + blockBytes);
      if (measureBlock(bytes, block, end) < packedEntropyBits) continue;
      this.#searchStretch(bytes, from, block);
      from = end;
    }
    this.#searchStretch(bytes, from, bytes.length);
  }

  #searchStretch(bytes: Uint8Array, from: number, to: number): void {
    const count = to - from - windowBytes + 1;
    if (count <= 0) return;
    const hashes = toHashes(bytes, from, count);
    let end = Math.min(windowsPerChoice, count) - 1;
    let smallest = findSmallest(hashes, 0, end);
    this.#take(bytes, from + smallest, hashes[smallest]);
    while (end < count - 1) {
      // The choice stands until a smaller hash comes, or it lies before all of the windows that are compared.
      const reach = Math.min(smallest + windowsPerChoice, count - 1);
      const smaller = findSmaller(hashes, end + 1, reach, hashes[smallest] ?? leftOut);
      if (smaller >= 0) {
        smallest = smaller;
        end = smaller;
      } else if (reach < smallest + windowsPerChoice) {
        return;
      } else {
        end = reach;
        smallest = findSmallest(hashes, smallest + 1, end);
      }
      this.#take(bytes, from + smallest, hashes[smallest]);
    }
  }

  #take(bytes: Uint8Array, at: number, hash: number | undefined): void {
    const offset = this.#base + at;
    if (offset <= this.#last) return;
    this.#last = offset;
    if (hash !== leftOut && isTelling(bytes, at)) this.#sink({ offset, bytes, at });
  }
}

/** A hash for each window; windows with many zeros have the highest, so that they are chosen last. */
function toHashes(bytes: Uint8Array, from: number, count: number): Int32Array {
  const hashes = new Int32Array(count);
  let hash = 0;
  let zeros = 0;
  for (let at = 0; at < windowBytes - 1; at += 1) {
    const byte = bytes[from + at] ?? 0;
    hash = (Math.imul(hash, multiplier) + byte + 1) | 0;
    if (byte === 0) zeros += 1;
  }
  for (let at = 0; at < count; at += 1) {
    const entering = bytes[from + at + windowBytes - 1] ?? 0;
    hash = (Math.imul(hash, multiplier) + entering + 1) | 0;
    if (entering === 0) zeros += 1;
    hashes[at] = zeros > mostZeroBytes ? leftOut : Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
    const gone = bytes[from + at] ?? 0;
    hash = (hash - Math.imul(leaving, gone + 1)) | 0;
    if (gone === 0) zeros -= 1;
  }
  return hashes;
}

function findSmallest(hashes: Int32Array, from: number, to: number): number {
  let smallest = from;
  let least = hashes[from] ?? leftOut;
  for (let at = from + 1; at <= to; at += 1) {
    const hash = hashes[at] ?? leftOut;
    if (hash < least) {
      least = hash;
      smallest = at;
    }
  }
  return smallest;
}

function findSmaller(hashes: Int32Array, from: number, to: number, than: number): number {
  for (let at = from; at <= to; at += 1) if ((hashes[at] ?? leftOut) < than) return at;
  return -1;
}

const leftOut = 0x7fff_ffff;

/** When each byte was last seen, counted in windows: cheaper than a new set for each. */
const lastSeen = new Uint32Array(256);
let windowsJudged = 0;

/** Whether a window is neither text nor a pattern of few bytes. */
function isTelling(bytes: Uint8Array, at: number): boolean {
  windowsJudged = windowsJudged >= 0xffff_fff0 ? 1 : windowsJudged + 1;
  let different = 0;
  let printable = 0;
  for (let index = at; index < at + windowBytes; index += 1) {
    const byte = bytes[index] ?? 0;
    if (lastSeen[byte] !== windowsJudged) {
      lastSeen[byte] = windowsJudged;
      different += 1;
    }
    if (byte >= 0x20 && byte < 0x7f) printable += 1;
  }
  return different >= leastDifferentBytes && printable <= mostPrintableBytes && !isEastAsianText(bytes, at);
}

/** Characters of three bytes one behind the other: UTF-8 of East Asian text. */
function isEastAsianText(bytes: Uint8Array, at: number): boolean {
  let characters = 0;
  for (let index = at; index < at + windowBytes - 2; index += 1) {
    const first = bytes[index] ?? 0;
    const isCharacter =
      first >= 0xe3 &&
      first <= 0xed &&
      ((bytes[index + 1] ?? 0) & 0xc0) === 0x80 &&
      ((bytes[index + 2] ?? 0) & 0xc0) === 0x80;
    if (isCharacter) characters += 1;
  }
  return characters >= 3;
}

const entropyCounts = new Uint32Array(256);

/** In bits a byte. A short block cannot come near 8, and is not judged. */
function measureBlock(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < smallestBlockBytes) return 0;
  const counts = entropyCounts.fill(0);
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    counts[byte] = (counts[byte] ?? 0) + 1;
  }
  const total = end - start;
  let entropy = 0;
  for (const count of counts) if (count > 0) entropy -= (count / total) * Math.log2(count / total);
  return entropy;
}
