import { foldByte } from './fold.ts';

/*
 * Which four bytes a pattern may begin with: the table of the filter before the automaton (`filter.wat`).
 */

/** What the filter looks at. Shorter patterns it cannot see. */
const gramBytes = 4;
/** A pattern may begin at the four bytes, or one byte before them. */
const isHere = 1;
const isBefore = 2;
/** 2^32 divided by the golden ratio: the factor of Fibonacci hashing. */
const hashFactor = 0x9e3779b1;

/**
 * Marks the hashes of what patterns begin with. Every spelling of a letter has the same hash.
 *
 * @returns a power of two of places; none when a pattern is too short for it
 */
export function toGramFilter(patterns: readonly Uint8Array[]): Uint8Array {
  if (patterns.some((pattern) => pattern.length < gramBytes)) return new Uint8Array(0);
  const bits = toFilterBits(patterns.length);
  const filter = new Uint8Array(2 ** bits);
  const mark = (gram: number, bit: number): void => {
    const place = Math.imul(gram | 0x20202020, hashFactor) >>> (32 - bits);
    filter[place] = (filter[place] ?? 0) | bit;
  };
  for (const pattern of patterns) {
    // The latest byte in the highest bits.
    let gram = 0;
    for (let index = 0; index < gramBytes; index += 1)
      gram = (gram >>> 8) | (foldByte(pattern[index] ?? 0) << 24);
    mark(gram, isHere);
    const next = pattern[gramBytes];
    if (next !== undefined) mark((gram >>> 8) | (foldByte(next) << 24), isBefore);
    // Behind the end of a pattern may stand anything.
    else for (let any = 0; any < 256; any += 1) mark((gram >>> 8) | (any << 24), isBefore);
  }
  return filter;
}

/** One place in a hundred for each pattern's two, in what a processor keeps nearest. */
function toFilterBits(patternCount: number): number {
  return Math.min(20, Math.max(16, Math.ceil(Math.log2(patternCount * 200))));
}
