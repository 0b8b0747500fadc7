/** Names from files can be long, and the work grows with the product of the lengths. */
const maxCharacters = 64;

/**
 * The name that was probably meant: the one with the fewest edits (insert, delete, replace, swap of neighbours), at
 * most a third of its length.
 *
 * @returns undefined when none is near; of equally near ones the first
 */
export function tryClosestName(name: string, candidates: Iterable<string>): string | undefined {
  let closest: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    if (Math.max(name.length, candidate.length) > maxCharacters) continue;
    const edits = countEdits(name, candidate);
    if (edits < fewest && edits * 3 <= candidate.length) {
      fewest = edits;
      closest = candidate;
    }
  }
  return closest;
}

/** Letters to insert, delete, replace or swap with their neighbour (optimal string alignment). */
export function countEdits(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      let edits = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        edits = Math.min(edits, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

/** `; did you mean "x"?`, or nothing. */
export function toSuggestion(name: string, candidates: Iterable<string>): string {
  const closest = tryClosestName(name, candidates);
  return closest === undefined ? '' : `; did you mean "${closest}"?`;
}
