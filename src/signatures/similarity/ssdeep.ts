import { TelltaleError } from '../../bytes/errors.ts';

/*
 * ssdeep, context triggered piecewise hashing by Jesse Kornblum after Andrew Tridgell's spamsum. A rolling hash over
 * seven bytes cuts the data into pieces, one digit of 64 stands for each piece, and two digests are compared by their
 * edit distance. Bytes that are put in or taken away change the digits near them and no others.
 *
 * Format: `blocksize:digits:digits`, as ssdeep 2.14 prints and compares it. The first digits are of pieces of about
 * `blocksize` bytes (3 times a power of two), at most 64; the second of pieces twice as long, at most 32.
 * References: Kornblum: Identifying almost identical files using context triggered piecewise hashing, 2006
 * (https://doi.org/10.1016/j.diin.2006.06.015); https://ssdeep-project.github.io/ssdeep/
 * Not supported: data of more than 48 GiB.
 *
 * Which block size fits is known at the end only, so all that may still fit are hashed at once, as ssdeep does: a
 * larger one begins when the one below cuts for the first time, the smallest ends when the one above has enough digits.
 * Ours is how they are hashed. A piece hash has six bits and is multiplied by 19 for each byte, which takes eleven.
 * Three of them fit into a number of 32 bits, so one multiplication moves three hashes; and they are moved only when a
 * piece ends, over all the bytes since the last one, in a loop that keeps them in registers.
 */

const smallestBlock = 3;
const blockSizes = 30;
const digits = 64;
const halfDigits = digits / 2;
const windowBytes = 7;
/** The largest block size is only ever the second one of a digest. */
const mostBytes = smallestBlock * 2 ** (blockSizes - 2) * digits;

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const pattern = /^(\d{1,12}):([A-Za-z0-9+/]{0,64}):([A-Za-z0-9+/]{0,64})$/;

/** What a piece hash begins with: the low six bits of 0x28021967. */
const firstHash = 0x27;
/** The low six bits of 0x01000193. */
const hashFactor = 0x13;
/** No digit. */
const none = 255;

/** A piece hash in a number of three, and the bits of all three. */
const laneBits = 11;
const laneMask = 63;
const laneOnes = 1 | (1 << laneBits) | (1 << (2 * laneBits));
const allLanes = Math.imul(laneMask, laneOnes);

/**
 * Computes the digest of data that comes in chunks.
 *
 * Block sizes are named by their level: level 0 is 3 bytes, each next one twice as much.
 */
export class SsdeepHasher {
  /** Two lanes a level: the hash of the piece, and the one of the shorter second digits. */
  readonly #hashes = new Int32Array(Math.ceil((blockSizes * 2) / 3));
  /** Digits of all levels, 64 each. */
  readonly #pieces = new Uint8Array(blockSizes * digits).fill(none);
  /** How many pieces have ended on a level, at most 63: what comes after is one piece. */
  readonly #ended = new Uint8Array(blockSizes);
  /** The digit that the last of the second digits would have, where the data ended in a piece. */
  readonly #lastHalf = new Uint8Array(blockSizes).fill(none);
  readonly #tail = new Uint8Array(windowBytes);
  readonly #declaredSize: number | undefined;
  /** Levels below this one are of no interest. */
  readonly #lowest: number;
  /** Levels above this one cannot fit. */
  readonly #highest: number;
  /** Levels from here are still hashed, */
  #first: number;
  /** up to here, exclusive. */
  #end: number;
  #size = 0;
  /** The three parts of the rolling hash: sum, weighted sum, and shifts. */
  #sum = 0;
  #weighted = 0;
  #shifted = 0;

  /**
   * @param size - bytes that will come, when that is known: then fewer block sizes have to be tried
   * @param leastBlockSize - a digest of smaller blocks is not asked for: see {@link tryFinish}
   */
  constructor(size?: number, leastBlockSize = smallestBlock) {
    this.#declaredSize = size;
    this.#highest = blockSizes - 1;
    if (size !== undefined) this.#highest = Math.min(toLevel(size) + 1, this.#highest);
    this.#lowest = Math.min(toLevelOf(leastBlockSize), this.#highest);
    this.#first = this.#lowest;
    this.#end = this.#first + 1;
    // Until the first piece of a level ends, its hash is that of the level below.
    this.#setHash(this.#first, firstHash, firstHash);
  }

  /** @throws TelltaleError `limit/bytes` above 48 GiB */
  update(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > mostBytes)
      throw new TelltaleError('limit/bytes', `no ssdeep digest of more than ${mostBytes} bytes`);
    const tail = this.#tail;
    let [sum, weighted, shifted] = [this.#sum, this.#weighted, this.#shifted];
    let mask = (1 << this.#first) - 1;
    let hashed = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      const leaving = at < windowBytes ? (tail[at] ?? 0) : (chunk[at - windowBytes] ?? 0);
      weighted = (weighted - sum + windowBytes * byte) | 0;
      sum = (sum + byte - leaving) | 0;
      shifted = (shifted << 5) ^ byte;
      // A piece of 3 times 2^n bytes ends where the hash and one is a multiple of 3 times 2^n.
      const rolled = (sum + weighted + shifted + 1) | 0;
      if ((rolled & mask) !== 0 || (rolled >>> 0) % smallestBlock !== 0 || rolled === 0) continue;
      this.#advance(chunk, hashed, at + 1);
      hashed = at + 1;
      this.#endPieces(31 - Math.clz32(rolled & -rolled));
      mask = (1 << this.#first) - 1;
    }
    this.#advance(chunk, hashed, chunk.length);
    [this.#sum, this.#weighted, this.#shifted] = [sum, weighted, shifted];
    if (chunk.length >= windowBytes) {
      tail.set(chunk.subarray(chunk.length - windowBytes));
    } else {
      tail.copyWithin(0, chunk.length);
      tail.set(chunk, windowBytes - chunk.length);
    }
  }

  /** Moves the hashes of all levels over a range of bytes. */
  #advance(chunk: Uint8Array, from: number, to: number): void {
    const hashes = this.#hashes;
    const last = Math.trunc((this.#end * 2 - 1) / 3);
    // Two numbers at once: each step of one waits for the step before it.
    for (let word = Math.trunc((this.#first * 2) / 3); word <= last; word += 2) {
      let one = hashes[word] ?? 0;
      let other = hashes[word + 1] ?? 0;
      for (let at = from; at < to; at += 1) {
        const bytes = Math.imul(chunk[at] ?? 0, laneOnes);
        one = (Math.imul(one, hashFactor) ^ bytes) & allLanes;
        other = (Math.imul(other, hashFactor) ^ bytes) & allLanes;
      }
      hashes[word] = one;
      if (word + 1 < hashes.length) hashes[word + 1] = other;
    }
  }

  /** A piece ends on every level from the first to `top`. */
  #endPieces(top: number): void {
    for (let level = this.#first; level <= top && level < this.#end; level += 1) {
      const ended = this.#ended[level] ?? 0;
      const hash = this.#getHash(level);
      const half = this.#getHash(level, 1);
      if (ended === 0 && level < this.#highest) {
        this.#setHash(level + 1, hash, half);
        this.#end = level + 2;
      }
      this.#pieces[level * digits + ended] = hash;
      this.#lastHalf[level] = half;
      if (ended === digits - 1) {
        this.#dropFirst();
        continue;
      }
      this.#ended[level] = ended + 1;
      if (ended + 1 < halfDigits) {
        this.#setHash(level, firstHash, firstHash);
        this.#lastHalf[level] = none;
      } else {
        this.#setHash(level, firstHash, half);
      }
    }
  }

  /** Leaves out the smallest block size when neither the size of the data nor the number of digits can choose it. */
  #dropFirst(): void {
    const isNeeded =
      this.#end - this.#first < 2 ||
      toBlockSize(this.#first) * digits >= (this.#declaredSize ?? this.#size) ||
      (this.#ended[this.#first + 1] ?? 0) < halfDigits;
    if (!isNeeded) this.#first += 1;
  }

  #getHash(level: number, half: 0 | 1 = 0): number {
    const lane = level * 2 + half;
    return ((this.#hashes[Math.trunc(lane / 3)] ?? 0) >>> ((lane % 3) * laneBits)) & laneMask;
  }

  #setHash(level: number, hash: number, half: number): void {
    for (const [index, value] of [hash, half].entries()) {
      const lane = level * 2 + index;
      const word = Math.trunc(lane / 3);
      const shift = (lane % 3) * laneBits;
      this.#hashes[word] = ((this.#hashes[word] ?? 0) & ~(laneMask << shift)) | (value << shift);
    }
  }

  /**
   * The digest; `3::` for no data.
   *
   * @throws TelltaleError `malformed/size-mismatch` when not as many bytes came as were declared
   */
  finish(): string {
    const digest = this.tryFinish();
    if (digest === undefined) throw new Error('the digest is one of smaller blocks than were hashed');
    return digest;
  }

  /**
   * As {@link finish}; undefined when the digest has smaller blocks than are of interest.
   *
   * @throws TelltaleError `malformed/size-mismatch`
   */
  tryFinish(): string | undefined {
    if (this.#declaredSize !== undefined && this.#size !== this.#declaredSize) {
      throw new TelltaleError(
        'malformed/size-mismatch',
        `has ${this.#size} bytes instead of ${this.#declaredSize}`,
      );
    }
    let level = Math.min(Math.max(toLevel(this.#size), this.#first), this.#end - 1);
    while (level > this.#first && (this.#ended[level] ?? 0) < halfDigits) level -= 1;
    const isEnough = (this.#ended[level] ?? 0) >= halfDigits && level <= toLevel(this.#size);
    if (level === this.#lowest && this.#lowest > 0 && !isEnough) return undefined;

    const isOpen = ((this.#sum + this.#weighted + this.#shifted) | 0) !== 0;
    const next = level + 1;
    const ended = this.#ended[level] ?? 0;
    const first = this.#toDigits(
      level,
      ended,
      isOpen ? this.#getHash(level) : this.#pieces[level * digits + ended],
    );
    const second =
      next < this.#end
        ? this.#toDigits(
            next,
            Math.min(this.#ended[next] ?? 0, halfDigits - 1),
            isOpen ? this.#getHash(next, 1) : this.#lastHalf[next],
          )
        : this.#toDigits(level, 0, isOpen ? this.#getHash(level) : none);
    return `${toBlockSize(level)}:${first}:${second}`;
  }

  /** So many digits of a level, and the one of the piece that the data ended in. */
  #toDigits(level: number, count: number, last = none): string {
    const text = [...this.#pieces.subarray(level * digits, level * digits + count), last];
    return text.map((digit) => alphabet[digit] ?? '').join('');
  }
}

/** The smallest level whose pieces of average length fit into the digits. */
function toLevel(size: number): number {
  let level = 0;
  while (toBlockSize(level) * digits < size) level += 1;
  return level;
}

function toLevelOf(blockSize: number): number {
  return Math.log2(blockSize / smallestBlock);
}

function toBlockSize(level: number): number {
  return smallestBlock * 2 ** level;
}

/** A digest, taken apart for comparing; sequences of more than three equal digits are cut to three. */
export interface SsdeepDigest {
  readonly blockSize: number;
  readonly first: string;
  readonly second: string;
}

/** Takes a digest apart; undefined when it is none. */
export function tryParseSsdeep(text: string): SsdeepDigest | undefined {
  const [, size = '', first = '', second = ''] = pattern.exec(text) ?? [];
  const blockSize = Number(size);
  const level = toLevelOf(blockSize);
  if (!Number.isInteger(level) || level < 0 || level >= blockSizes) return undefined;
  return { blockSize, first: cutSequences(first), second: cutSequences(second) };
}

/** Long sequences of one digit say little, and would count for much. */
function cutSequences(text: string): string {
  return text.replaceAll(/(.)\1{3,}/g, '$1$1$1');
}

/**
 * How alike two digests are: 0 (nothing in common) to 100. Only digests of the same or of neighbouring block sizes can
 * be compared; others have 0.
 */
export function compareSsdeep(one: SsdeepDigest, other: SsdeepDigest): number {
  if (one.blockSize === other.blockSize) {
    if (one.first === other.first && one.second === other.second) return 100;
    return Math.max(
      scoreStrings(one.first, other.first, one.blockSize),
      scoreStrings(one.second, other.second, one.blockSize * 2),
    );
  }
  if (one.blockSize * 2 === other.blockSize) return scoreStrings(one.second, other.first, other.blockSize);
  if (one.blockSize === other.blockSize * 2) return scoreStrings(one.first, other.second, one.blockSize);
  return 0;
}

/** The block size below; the smallest has none. */
export function toSmallerBlock(blockSize: number): number {
  return Math.max(smallestBlock, blockSize / 2);
}

/**
 * Whether data of a size can have a digest that {@link compareSsdeep} compares with another one: its block size is what
 * its size asks for or smaller.
 *
 * @param size - in bytes
 */
export function isSsdeepComparable(size: number, digest: SsdeepDigest): boolean {
  return digest.blockSize <= toBlockSize(toLevel(size) + 1);
}

function scoreStrings(one: string, other: string, blockSize: number): number {
  if (!haveCommonSubstring(one, other)) return 0;
  const total = one.length + other.length;
  const distance = Math.floor((toEditDistance(one, other) * digits) / total);
  const score = 100 - Math.floor((100 * distance) / digits);
  // Few digits of small pieces are little data: they cannot score higher than they are long.
  return Math.min(score, (blockSize / smallestBlock) * Math.min(one.length, other.length));
}

/** Without seven digits in a row in common, the likeness is chance. */
function haveCommonSubstring(one: string, other: string): boolean {
  const seen = new Set<string>();
  for (let at = 0; at + windowBytes <= one.length; at += 1) seen.add(one.slice(at, at + windowBytes));
  for (let at = 0; at + windowBytes <= other.length; at += 1) {
    if (seen.has(other.slice(at, at + windowBytes))) return true;
  }
  return false;
}

/** Digits to put in and to take away; to replace one is both. */
function toEditDistance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      current.push(
        one[row - 1] === other[column - 1]
          ? (above[column - 1] ?? 0)
          : 1 + Math.min(above[column] ?? 0, current[column - 1] ?? 0),
      );
    }
    above = current;
  }
  return above[other.length] ?? 0;
}
