import { countEdits } from '../signatures/closest-name.ts';

/** A word that a person may have meant. */
export interface Candidate {
  /** What is suggested. */
  readonly id: string;
  /** By which people know it, too. */
  readonly names: readonly string[];
}

const longestWord = 80;
/** Letters in which a word may differ from what was meant, for each letter that it has. */
const errorsPerLetter = 0.34;
/** A part of a word that is shorter says too little. */
const shortestPart = 3;

/**
 * What a mistyped word may have meant, the likeliest first: words that differ by few letters, then those that hold it
 * as a part. Case is ignored.
 */
export function listSuggestions(
  word: string,
  candidates: readonly Candidate[],
  limit = 5,
): readonly string[] {
  const wanted = word.toLowerCase().slice(0, longestWord);
  if (wanted === '') return [];
  const allowed = Math.max(1, Math.floor(wanted.length * errorsPerLetter));
  const ranked = candidates.flatMap(({ id, names }) => {
    const words = [id, ...names.map((name) => name.toLowerCase())];
    const distance = Math.min(
      ...words
        .filter((one) => one.length <= wanted.length + longestWord)
        .map((one) => countEdits(wanted, one)),
    );
    if (distance <= allowed) return [{ id, rank: distance }];
    const isPart = wanted.length >= shortestPart && words.some((one) => one.includes(wanted));
    return isPart ? [{ id, rank: longestWord + id.length }] : [];
  });
  const sorted = ranked.sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  return [...new Set(sorted.map(({ id }) => id))].slice(0, limit);
}
