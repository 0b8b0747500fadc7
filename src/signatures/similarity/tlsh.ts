import { toHex } from '../../bytes/cursor.ts';
import { tryAllocate, tryInstantiate } from '../../platform/wasm-kernels.ts';
import { tlshBytes } from './tlsh-bytes.ts';

/*
 * TLSH, a locality sensitive digest by Trend Micro. A window of five bytes slides over the data, six of its triplets
 * are counted in 128 buckets, and the digest says for each bucket in which quarter of all counts it lies. Alike data
 * fills the buckets alike, so digests have a distance.
 *
 * Format: version 4, `T1` and 70 hexadecimal digits: 128 buckets, a checksum of one byte. Tools before version 4
 * print the same digits without `T1`, and nothing for less than 256 bytes, where version 4 asks for 50.
 * References: https://github.com/trendmicro/tlsh (Apache 2.0 or BSD), where the permutation and the constants of the
 * length classes come from; Oliver, Cheng, Chen: TLSH, a locality sensitive hash, 2013 (TLSH_CTC_final.pdf there)
 * Not supported: 256 buckets, checksums of three bytes, data of more than 4,224,281,216 bytes.
 */

const bucketsCounted = 256;
const bucketsUsed = 128;
const codeBytes = bucketsUsed / 4;
const tailBytes = 4;
const leastBytes = 50;
/** The longest data that has a length class. */
const mostBytes = 4_224_281_216;

const pattern = /^T1[0-9A-F]{70}$/;

const permutationHex =
  '0157310cb0b266a679c10654f9e62ca30ec5d5b5a155da5040ef18e2ec8e26c86eb168678dfdff324d6551122d601fde' +
  '196bbe4656edf02248f214d6f4e395eb61ea39163cfa52afd0057fc76f3e87f8aea9d33a429a6ac3f5ab11bbb6b300f3' +
  '8438944b80859e64827e5b0d99f6d8db7744df4e5358c9637a0b5c208872340a8a1e30b79c233d1a8f4afb5e81a23f98' +
  'aa0773a7f1ce0396373b97dc5a3517837dad0fee4f5f59106989e1e0d9a0257b7649029d2e74099186e4cfd4cad745e5' +
  '1bbc437ca8fc2a041d6c15f713cd27cbe928ba93c6c09b21a4bf62cca5b4754c8c24d2ac29369f08b9e871c4e72f9278' +
  '33411c90fedd5dbdc28b702b476db8d1';

/** The permutation of the Pearson hash. */
const permutation = toBytes(permutationHex);

/**
 * The first step of the hash, with the salt in it, for the seven hashes of a window: row 0 is the checksum, the others
 * are the triplets in the order of their salts.
 */
const salts = [0, 2, 3, 5, 7, 11, 13] as const;
const firstStep = new Uint8Array(salts.length * 256);
for (const [row, salt] of salts.entries()) {
  for (let byte = 0; byte < 256; byte += 1)
    firstStep[row * 256 + byte] = permutation[(permutation[salt] ?? 0) ^ byte] ?? 0;
}

/** A digest, taken apart for comparing. */
export interface TlshDigest {
  readonly checksum: number;
  /** Class of the length, about its logarithm to the base of 1.1. */
  readonly lengthClass: number;
  /** First and second quartile as a share of the third, modulo 16. */
  readonly firstRatio: number;
  readonly secondRatio: number;
  /** Two bits a bucket, in the order of the text. */
  readonly code: Uint8Array;
}

/** What lasts from chunk to chunk. */
export interface TlshCounting {
  /** Counted before the last step of the hash, which only gives the buckets another order. */
  readonly counts: Uint32Array;
  /** The last four bytes, oldest first. */
  readonly tail: Uint8Array;
  checksum: number;
}

/** The loop over the bytes behind the first four: the one thing worth replacing with something faster. */
export type TlshLoop = (counting: TlshCounting, bytes: Uint8Array) => void;

export const countPlainly: TlshLoop = (counting, bytes) => {
  const { counts } = counting;
  let [p4 = 0, p3 = 0, p2 = 0, p1 = 0] = counting.tail;
  let { checksum } = counting;
  for (const c of bytes) {
    checksum = permutation[(permutation[(firstStep[c] ?? 0) ^ p1] ?? 0) ^ checksum] ?? 0;
    const t2 = (permutation[(firstStep[256 + c] ?? 0) ^ p1] ?? 0) ^ p2;
    const t3 = (permutation[(firstStep[512 + c] ?? 0) ^ p1] ?? 0) ^ p3;
    const t5 = (permutation[(firstStep[768 + c] ?? 0) ^ p2] ?? 0) ^ p3;
    const t7 = (permutation[(firstStep[1024 + c] ?? 0) ^ p2] ?? 0) ^ p4;
    const t11 = (permutation[(firstStep[1280 + c] ?? 0) ^ p1] ?? 0) ^ p4;
    const t13 = (permutation[(firstStep[1536 + c] ?? 0) ^ p3] ?? 0) ^ p4;
    counts[t2] = (counts[t2] ?? 0) + 1;
    counts[t3] = (counts[t3] ?? 0) + 1;
    counts[t5] = (counts[t5] ?? 0) + 1;
    counts[t7] = (counts[t7] ?? 0) + 1;
    counts[t11] = (counts[t11] ?? 0) + 1;
    counts[t13] = (counts[t13] ?? 0) + 1;
    p4 = p3;
    p3 = p2;
    p2 = p1;
    p1 = c;
  }
  counting.tail.set([p4, p3, p2, p1]);
  counting.checksum = checksum;
};

// Where things stand in the memory of the loop in WebAssembly, see tlsh.wat.
const countsAt = (1 + salts.length) * 256;
const stateAt = countsAt + bucketsCounted * 4;
const bytesAt = 4096;
const memoryBytes = 128 * 1024;

/** The loop in WebAssembly; the plain one where there is none. */
export function createTlshLoop(): TlshLoop {
  const memory = tryAllocate(memoryBytes);
  const run = memory && tryInstantiate<(at: number, end: number) => void>(tlshBytes, memory);
  if (memory === undefined || run === undefined) return countPlainly;
  const all = new Uint8Array(memory.buffer);
  all.set(permutation);
  all.set(firstStep, permutation.length);
  const counts = new Uint32Array(memory.buffer, countsAt, bucketsCounted);
  const state = new Uint32Array(memory.buffer, stateAt, tailBytes + 1);
  const room = all.subarray(bytesAt);
  return (counting, bytes) => {
    counts.set(counting.counts);
    state.set(counting.tail);
    state[tailBytes] = counting.checksum;
    for (let at = 0; at < bytes.length; at += room.length) {
      const piece = bytes.subarray(at, at + room.length);
      room.set(piece);
      run(bytesAt, bytesAt + piece.length);
    }
    counting.counts.set(counts);
    counting.tail.set(state.subarray(0, tailBytes));
    counting.checksum = state[tailBytes] ?? 0;
  };
}

let sharedLoop: TlshLoop | undefined;

/** Computes the digest of data that comes in chunks. */
export class TlshHasher {
  readonly #loop: TlshLoop;
  readonly #counting: TlshCounting = {
    counts: new Uint32Array(bucketsCounted),
    tail: new Uint8Array(tailBytes),
    checksum: 0,
  };
  #size = 0;

  constructor(loop: TlshLoop = (sharedLoop ??= createTlshLoop())) {
    this.#loop = loop;
  }

  update(chunk: Uint8Array): void {
    const { tail } = this.#counting;
    // Nothing is counted before the window is full.
    const first = Math.min(chunk.length, Math.max(0, tailBytes - this.#size));
    for (const byte of chunk.subarray(0, first)) {
      tail.copyWithin(0, 1);
      tail[tailBytes - 1] = byte;
    }
    if (first < chunk.length) this.#loop(this.#counting, chunk.subarray(first));
    this.#size += chunk.length;
  }

  /** `T1` and 70 upper-case hexadecimal digits; undefined for data that is too short, too long or too uniform. */
  finish(): string | undefined {
    if (this.#size < leastBytes || this.#size > mostBytes) return undefined;
    const used = new Uint32Array(bucketsUsed);
    for (const [value, count] of this.#counting.counts.entries()) {
      const bucket = permutation[value] ?? 0;
      if (bucket < bucketsUsed) used[bucket] = count;
    }
    const sorted = used.toSorted();
    if (sorted.filter((count) => count > 0).length <= bucketsUsed / 2) return undefined;
    const [first = 0, second = 0, third = 0] = [
      sorted[bucketsUsed / 4 - 1],
      sorted[bucketsUsed / 2 - 1],
      sorted[(bucketsUsed * 3) / 4 - 1],
    ];
    const bytes = new Uint8Array(3 + codeBytes);
    bytes[0] = swapDigits(this.#counting.checksum);
    bytes[1] = swapDigits(toLengthClass(this.#size));
    bytes[2] = (toRatio(first, third) << 4) | toRatio(second, third);
    for (const [bucket, count] of used.entries()) {
      const quarter = count > third ? 3 : count > second ? 2 : count > first ? 1 : 0;
      const at = bytes.length - 1 - (bucket >> 2);
      bytes[at] = (bytes[at] ?? 0) | (quarter << ((bucket & 3) * 2));
    }
    return `T1${toHex(bytes).toUpperCase()}`;
  }
}

function toBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The reference keeps these bytes with their halves exchanged. */
function swapDigits(byte: number): number {
  return ((byte & 15) << 4) | (byte >> 4);
}

/** In 32-bit integers and single precision, as the reference computes it: counts above 42 million wrap around. */
function toRatio(quartile: number, third: number): number {
  return Math.trunc(Math.fround(Math.fround(Math.imul(quartile, 100) >>> 0) / Math.fround(third))) % 16;
}

/** Small data in steps of a half, then of three tenths, then of a tenth. */
function toLengthClass(size: number): number {
  const logarithm = Math.fround(Math.log(Math.fround(size)));
  if (size <= 656) return Math.floor(logarithm / 0.4054651);
  if (size <= 3199) return Math.floor(logarithm / 0.26236426 - 8.72777);
  return Math.floor(logarithm / 0.09531018 - 62.5472);
}

/** Takes a digest apart; undefined when it is none. */
export function tryParseTlsh(text: string): TlshDigest | undefined {
  if (!pattern.test(text)) return undefined;
  const bytes = toBytes(text.slice(2));
  const [checksum = 0, lengthClass = 0, ratios = 0] = bytes;
  return {
    checksum: swapDigits(checksum),
    lengthClass: swapDigits(lengthClass),
    firstRatio: ratios >> 4,
    secondRatio: ratios & 15,
    code: bytes.subarray(3),
  };
}

/** A step of more than one class of length, or more than one step of a ratio, weighs so much. */
const stepWeight = 12;
/** Three quarters apart weighs more than three steps. */
const farApart = 6;

/**
 * How far two digests are from each other, the lengths of the data included. 0: the same digest; about 200: no relation.
 */
export function toTlshDistance(one: TlshDigest, other: TlshDigest): number {
  let distance = weighLengths(one.lengthClass, other.lengthClass);
  for (const ratios of [
    toCircular(one.firstRatio, other.firstRatio, 16),
    toCircular(one.secondRatio, other.secondRatio, 16),
  ]) {
    distance += ratios <= 1 ? ratios : (ratios - 1) * stepWeight;
  }
  if (one.checksum !== other.checksum) distance += 1;
  for (const [at, byte] of one.code.entries()) {
    const against = other.code[at] ?? 0;
    for (let shift = 0; shift < 8; shift += 2) {
      const steps = Math.abs(((byte >> shift) & 3) - ((against >> shift) & 3));
      distance += steps === 3 ? farApart : steps;
    }
  }
  return distance;
}

/**
 * How far data of a size is at least from a digest, whatever its bytes are.
 *
 * @param size - in bytes
 */
export function toLeastTlshDistance(size: number, digest: TlshDigest): number {
  return weighLengths(toLengthClass(size) & 0xff, digest.lengthClass);
}

function weighLengths(one: number, other: number): number {
  const classes = toCircular(one, other, 256);
  return classes <= 1 ? classes : classes * stepWeight;
}

/** The shorter way around a ring of so many places. */
function toCircular(one: number, other: number, places: number): number {
  const way = Math.abs(one - other);
  return Math.min(way, places - way);
}
