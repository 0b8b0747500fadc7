import type { Kernel } from './kernel.ts';

/**
 * A search of windows that may be larger than the memory: piece by piece, each repeating the end of the one before.
 *
 * @param pieceBytes - the most that a piece may have
 * @param neededOverlap - bytes that each piece repeats
 */
export function toPieces(
  pieceBytes: number,
  neededOverlap: number,
  searchPiece: Kernel['search'],
): Kernel['search'] {
  return (bytes, overlap, sink) => {
    let from = 0;
    let known = overlap;
    while (bytes.length - from > pieceBytes) {
      const start = from;
      searchPiece(bytes.subarray(start, start + pieceBytes), known, (end, row) => sink(start + end, row));
      from += pieceBytes - neededOverlap;
      known = neededOverlap;
    }
    if (from === 0) searchPiece(bytes, overlap, sink);
    else searchPiece(bytes.subarray(from), known, (end, row) => sink(from + end, row));
  };
}
