/** A piece of memory in use. */
interface Range {
  readonly piece: number;
  readonly start: number;
}

/** Gives out ranges of one piece of memory, round and round: what was taken first is free first. */
export class PieceMemory {
  readonly bytes: number;
  readonly #used: Range[] = [];
  /** Where the next range begins, if there is room. */
  #head = 0;

  /** @param bytes - of the memory */
  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** Offset of a range for a piece, undefined when there is no room. @param size - in bytes, at least 1 */
  tryTake(piece: number, size: number): number | undefined {
    const oldest = this.#used[0];
    if (oldest === undefined) this.#head = 0;
    const isRound = oldest !== undefined && this.#head <= oldest.start;
    let start = this.#head;
    if (start + size > (isRound ? oldest.start : this.bytes)) {
      // From the start again, where all before the oldest range is free.
      if (isRound || oldest === undefined || size > oldest.start) return undefined;
      start = 0;
    }
    this.#used.push({ piece, start });
    this.#head = start + size;
    return start;
  }

  /** Frees the ranges of all pieces before this one. */
  freeBefore(piece: number): void {
    let count = 0;
    while ((this.#used[count]?.piece ?? piece) < piece) count += 1;
    this.#used.splice(0, count);
  }
}
