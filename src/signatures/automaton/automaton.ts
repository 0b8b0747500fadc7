import { TelltaleError } from '../../bytes/errors.ts';
import { foldByte } from './fold.ts';
import { toGramFilter } from './gram-filter.ts';

/*
 * A dense Aho-Corasick automaton over byte classes.
 *
 * Aho and Corasick, "Efficient string matching: an aid to bibliographic search" (1975),
 * https://doi.org/10.1145/360825.360855. Failure links are resolved while building, so that one byte costs one
 * look-up in a table of states times classes. Both cases of an ASCII letter share a class: one automaton finds every
 * spelling, and whoever needs the exact bytes compares them on a hit. Bytes that occur in no pattern share one class.
 *
 * A table entry is `offset of the next state's row`, with the highest bit set when patterns end in that state. A
 * negative entry is therefore a hit, which a search over four positions sees with one comparison.
 */

/** The tables. Read-only for everybody but the builder. */
export interface Automaton {
  /** Folded patterns found; indexes are those of the patterns given. */
  readonly patternCount: number;
  readonly patternLengths: Uint32Array;
  /** Bytes before a position that decide what ends there: the longest pattern without its last byte. */
  readonly overlap: number;
  readonly stateCount: number;
  readonly classCount: number;
  /** Index of the table entry by which each state is reached from the one before it in its pattern; 0 for the root. */
  readonly ways: Int32Array;
  /** Class of each of the 256 bytes. */
  readonly classes: Uint8Array;
  /** `stateCount * classCount` entries; the same bits as a `Uint32Array` in which bit 31 marks a hit. */
  readonly table: Int32Array;
  /** First pattern that ends in a state, or -1. */
  readonly firstPattern: Int32Array;
  /** Another pattern with the same folded bytes, or -1. */
  readonly nextPattern: Int32Array;
  /** The longest proper suffix of a state in which a pattern ends, or -1. */
  readonly nextState: Int32Array;
  /** Which four bytes a pattern may begin with; a power of two of places, none when a pattern has fewer. */
  readonly filter: Uint8Array;
}

/** Row offset in a table entry. */
export const rowMask = 0x7fffffff;
const hitBit = -0x80000000;

const maxTableBytes = 256 * 1024 * 1024;

/**
 * Builds the automaton of some patterns; case of ASCII letters does not count. The same pattern may come twice.
 *
 * @throws TelltaleError `usage/database` for an empty pattern, or when the table would need more than 256 MiB
 */
export function buildAutomaton(patterns: readonly Uint8Array[]): Automaton {
  const { classes, classCount } = toClasses(patterns);
  const trie = buildTrie(patterns, classes);
  const { stateCount } = trie;
  if (stateCount * classCount * 4 > maxTableBytes) {
    throw new TelltaleError(
      'usage/database',
      `the literals of the database need more than ${maxTableBytes} bytes of tables`,
    );
  }

  // Breadth first, and numbered so: the rows that are read most lie together, and the row of a state's longest
  // proper suffix is complete when the state's own row, which differs from it by the children only, is written.
  const table = new Int32Array(stateCount * classCount);
  const firstPattern = new Int32Array(stateCount).fill(-1);
  const nextState = new Int32Array(stateCount).fill(-1);
  const nodes = new Int32Array(stateCount);
  const suffixes = new Int32Array(stateCount);
  const ways = new Int32Array(stateCount);
  let queued = 1;
  for (let state = 0; state < queued; state += 1) {
    const row = state * classCount;
    const suffixRow = at(suffixes, state) * classCount;
    if (state > 0) table.copyWithin(row, suffixRow, suffixRow + classCount);
    for (let node = at(trie.firstChild, at(nodes, state)); node > 0; node = at(trie.sibling, node)) {
      const symbol = at(trie.symbol, node);
      const child = queued;
      queued += 1;
      const suffix = state === 0 ? 0 : (at(table, suffixRow + symbol) & rowMask) / classCount;
      nodes[child] = node;
      suffixes[child] = suffix;
      ways[child] = row + symbol;
      firstPattern[child] = at(trie.firstPattern, node);
      nextState[child] = at(firstPattern, suffix) >= 0 ? suffix : at(nextState, suffix);
      const isHit = at(firstPattern, child) >= 0 || at(nextState, child) >= 0;
      table[row + symbol] = (child * classCount) | (isHit ? hitBit : 0);
    }
  }

  return {
    patternCount: patterns.length,
    patternLengths: Uint32Array.from(patterns, (pattern) => pattern.length),
    overlap: patterns.reduce((longest, pattern) => Math.max(longest, pattern.length - 1), 0),
    stateCount,
    classCount,
    ways,
    classes,
    table,
    firstPattern,
    nextPattern: trie.nextPattern,
    nextState,
    filter: toGramFilter(patterns),
  };
}

/** The trie of the folded patterns; node 0 is the root, and as a child 0 means none. */
interface Trie {
  readonly stateCount: number;
  readonly firstChild: Int32Array;
  readonly sibling: Int32Array;
  /** Class of the byte that leads to the node. */
  readonly symbol: Int32Array;
  /** Pattern that ends in the node, or -1. */
  readonly firstPattern: Int32Array;
  readonly nextPattern: Int32Array;
}

function buildTrie(patterns: readonly Uint8Array[], classes: Uint8Array): Trie {
  const limit = patterns.reduce((sum, pattern) => sum + pattern.length, 1);
  if (limit * 4 > maxTableBytes) {
    throw new TelltaleError(
      'usage/database',
      `the literals of the database are longer than ${maxTableBytes / 4} bytes together`,
    );
  }
  const firstChild = new Int32Array(limit);
  const sibling = new Int32Array(limit);
  const symbol = new Int32Array(limit);
  const firstPattern = new Int32Array(limit).fill(-1);
  const nextPattern = new Int32Array(patterns.length).fill(-1);
  let stateCount = 1;
  for (const [index, pattern] of patterns.entries()) {
    let node = 0;
    for (const byte of pattern) {
      const wanted = classes[byte] ?? 0;
      let child = at(firstChild, node);
      while (child > 0 && at(symbol, child) !== wanted) child = at(sibling, child);
      if (child === 0) {
        child = stateCount;
        stateCount += 1;
        symbol[child] = wanted;
        sibling[child] = at(firstChild, node);
        firstChild[node] = child;
      }
      node = child;
    }
    nextPattern[index] = at(firstPattern, node);
    firstPattern[node] = index;
  }
  return { stateCount, firstChild, sibling, symbol, firstPattern, nextPattern };
}

/** Indexes that the builder itself made lie inside their arrays. */
function at(array: Int32Array, index: number): number {
  return array[index] ?? 0;
}

function toClasses(patterns: readonly Uint8Array[]): {
  readonly classes: Uint8Array;
  readonly classCount: number;
} {
  const used = new Uint8Array(256);
  for (const pattern of patterns) {
    if (pattern.length === 0)
      throw new TelltaleError('usage/database', 'an empty literal would match everywhere');
    for (const byte of pattern) used[foldByte(byte)] = 1;
  }
  const classes = new Uint8Array(256);
  const folded = used.reduce((sum, flag) => sum + flag, 0);
  // Class 0 is for the bytes of no pattern. When every byte is used there is none such, and 256 classes suffice.
  let next = folded === 256 ? 0 : 1;
  for (let byte = 0; byte < 256; byte += 1) {
    if (used[byte] === 0) continue;
    classes[byte] = next;
    next += 1;
  }
  for (let byte = 0x41; byte <= 0x5a; byte += 1) classes[byte] = classes[foldByte(byte)] ?? 0;
  return { classes, classCount: Math.max(1, next) };
}
