/*
 * Sets of features by their hash. A sample of some megabytes has hundreds of thousands of strings, nearly all of which
 * no other sample shares: only hashes are kept until that is known, in flat tables.
 *
 * A key is a whole number from 1 below 2^53, made of two 32-bit hashes. Two features with the same key are taken for
 * one; what is proposed in the end was read again and matched, so that such a chance can hide a feature and no more.
 */

const startSlots = 1 << 12;

/** What tells the kinds of features apart that may have the same bytes. */
export const hashSeeds = {
  text: 0x7465_7874,
  host: 0x686f_7374,
  hanzi: 0x6762_6b00,
  window: 0x7769_6e00,
} as const;

/** The key of some bytes. */
export function toKey(seed: number, bytes: Uint8Array, from: number, to: number): number {
  let first = seed | 0;
  let second = ~seed | 0;
  for (let index = from; index < to; index += 1) {
    const byte = bytes[index] ?? 0;
    first = Math.imul(first ^ byte, 0x0100_0193);
    second = Math.imul(((second << 13) | (second >>> 19)) ^ byte, 0xcc9e_2d51);
  }
  first = Math.imul(first ^ (first >>> 16), 0x85eb_ca6b);
  second = Math.imul(second ^ (second >>> 15), 0xc2b2_ae35);
  first ^= first >>> 13;
  second ^= second >>> 16;
  return (first >>> 0) * 0x20_0000 + (second >>> 11) || 1;
}

/** Place of a key in a table whose length is a power of two: the first free one, or the one that holds it. */
function findSlot(keys: Float64Array, key: number): number {
  const mask = keys.length - 1;
  let slot = (key / 0x20_0000) & mask;
  while (keys[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & mask;
  return slot;
}

/** Features of one sample. */
export class FeatureSet {
  readonly #limit: number;
  #keys = new Float64Array(startSlots);
  #size = 0;
  /** Whether features were left out because there were too many. */
  isFull = false;

  /** @param limit - the most features that are kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  has(key: number): boolean {
    return this.#keys[findSlot(this.#keys, key)] === key;
  }

  add(key: number): void {
    const slot = findSlot(this.#keys, key);
    if (this.#keys[slot] === key) return;
    if (this.#size >= this.#limit) {
      this.isFull = true;
      return;
    }
    this.#keys[slot] = key;
    this.#size += 1;
    if (this.#size * 2 > this.#keys.length) this.#grow();
  }

  *[Symbol.iterator](): Generator<number> {
    for (const key of this.#keys) if (key !== 0) yield key;
  }

  #grow(): void {
    const old = this.#keys;
    this.#keys = new Float64Array(old.length * 2);
    for (const key of old) if (key !== 0) this.#keys[findSlot(this.#keys, key)] = key;
  }
}

/** In how many samples each feature was seen. */
export class FeatureCounts {
  #keys = new Float64Array(startSlots);
  #counts = new Int32Array(startSlots);
  #size = 0;

  /**
   * Counts the features of one more sample.
   *
   * @param takesNew - false when what was not seen so far can no longer become frequent enough
   */
  addSample(features: Iterable<number>, takesNew: boolean): void {
    for (const key of features) {
      const slot = findSlot(this.#keys, key);
      if (this.#keys[slot] === key) {
        this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
      } else if (takesNew) {
        this.#keys[slot] = key;
        this.#counts[slot] = 1;
        this.#size += 1;
        if (this.#size * 2 > this.#keys.length) this.#grow();
      }
    }
  }

  /** Features that at least so many samples have. */
  toCommon(least: number): FeatureSet {
    const common = new FeatureSet(Number.POSITIVE_INFINITY);
    for (const [slot, key] of this.#keys.entries()) {
      if (key !== 0 && (this.#counts[slot] ?? 0) >= least) common.add(key);
    }
    return common;
  }

  #grow(): void {
    const keys = this.#keys;
    const counts = this.#counts;
    this.#keys = new Float64Array(keys.length * 2);
    this.#counts = new Int32Array(keys.length * 2);
    for (const [old, key] of keys.entries()) {
      if (key === 0) continue;
      const slot = findSlot(this.#keys, key);
      this.#keys[slot] = key;
      this.#counts[slot] = counts[old] ?? 0;
    }
  }
}
