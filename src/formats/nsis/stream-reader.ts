import { TelltaleError } from '../../bytes/errors.ts';

/** Bytes one after the other from chunks that are cut anywhere. */
export class StreamReader {
  readonly #chunks: Iterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Bytes taken so far. */
  position = 0;

  constructor(chunks: Iterator<Uint8Array>) {
    this.#chunks = chunks;
  }

  /**
   * Hands on the next bytes, piece by piece.
   *
   * @param use - takes a piece, which is good only during the call; false: no more is wanted
   * @returns whether all were wanted
   * @throws TelltaleError `malformed/truncated` when there are fewer, and what the decoder throws
   */
  pass(length: number, use: (piece: Uint8Array) => boolean): boolean {
    for (let left = length; left > 0; ) {
      while (this.#chunk.length === 0) {
        const next = this.#chunks.next();
        if (next.done === true)
          throw new TelltaleError('malformed/truncated', 'the compressed stream ends too early');
        this.#chunk = next.value;
      }
      const piece = this.#chunk.subarray(0, left);
      this.#chunk = this.#chunk.subarray(piece.length);
      this.position += piece.length;
      left -= piece.length;
      if (!use(piece)) return false;
    }
    return true;
  }

  /** @throws TelltaleError as {@link pass} */
  skip(length: number): void {
    this.pass(length, () => true);
  }

  /** Bytes of their own. @throws TelltaleError as {@link pass} */
  take(length: number): Uint8Array {
    const taken = new Uint8Array(length);
    let filled = 0;
    this.pass(length, (piece) => {
      taken.set(piece, filled);
      filled += piece.length;
      return true;
    });
    return taken;
  }

  /** Lets the decoder go. */
  close(): void {
    this.#chunks.return?.();
  }
}
