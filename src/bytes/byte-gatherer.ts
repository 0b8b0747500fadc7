import { type ByteSource, toByteSource } from './byte-source.ts';
import { chainSources } from './chain-sources.ts';

/** Most bytes that are set aside for what has not come yet, whatever a container promises. */
const trustedBytes = 256 * 1024 * 1024;
/** Chunks that may be kept are copied together below this: thousands of small ones would take longer to search. */
const pieceBytesMin = 64 * 1024;
/** Room for what is copied between two pieces. */
const betweenBytes = 64 * 1024;

/**
 * Keeps chunks in memory: as they are where that is allowed and the first one is large, or else copied together, in memory
 * that is taken once where it is known how much there will be.
 */
export class ByteGatherer {
  readonly #expectedBytes: number;
  /** What nothing is added to any more, in order. */
  readonly #pieces: Uint8Array[] = [];
  #piecesBytes = 0;
  /** Decided by the first chunk. */
  #keepsPieces = false;
  /** Chunks that were copied since the last piece. */
  #copied: Uint8Array | undefined;
  #copiedBytes = 0;

  /** @param expectedBytes - a claim of the container, not believed beyond 256 MiB */
  constructor(expectedBytes = 0) {
    this.#expectedBytes = Math.min(expectedBytes, trustedBytes);
  }

  /** Bytes so far. */
  get size(): number {
    return this.#piecesBytes + this.#copiedBytes;
  }

  /**
   * @param chunk - is looked at during the call only, unless it may be kept
   * @param mayKeep - the chunk belongs to the gatherer from now on, and holds little memory beside its bytes
   */
  add(chunk: Uint8Array, mayKeep: boolean): void {
    if (chunk.length === 0) return;
    // A chunk that is all there is need not be copied either.
    if (this.size === 0)
      this.#keepsPieces = mayKeep && chunk.length >= Math.min(pieceBytesMin, this.#expectedBytes);
    if (this.#keepsPieces && mayKeep && (this.size === 0 || chunk.length >= pieceBytesMin)) {
      this.#closePiece();
      this.#addPiece(chunk);
      return;
    }
    const needed = this.#copiedBytes + chunk.length;
    if (this.#copied === undefined || this.#copied.length < needed) this.#grow(needed);
    this.#copied?.set(chunk, this.#copiedBytes);
    this.#copiedBytes = needed;
  }

  /** What is gathered by now, in order; shares memory with the gatherer. */
  get gathered(): readonly Uint8Array[] {
    const copied = this.#copied?.subarray(0, this.#copiedBytes);
    return copied === undefined ? this.#pieces : [...this.#pieces, copied];
  }

  /** Everything; the gatherer is spent afterwards. Holds little memory beside its bytes. */
  finish(): ByteSource {
    this.#closePiece();
    return chainSources(this.#pieces.map(toByteSource));
  }

  #addPiece(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#piecesBytes += piece.length;
  }

  #closePiece(): void {
    const held = this.#copied;
    if (held === undefined) return;
    const copied = held.subarray(0, this.#copiedBytes);
    this.#copied = undefined;
    this.#copiedBytes = 0;
    this.#addPiece(held.length > copied.length + (copied.length >> 2) ? copied.slice() : copied);
  }

  #grow(needed: number): void {
    const expected = this.#keepsPieces ? betweenBytes : this.#expectedBytes;
    const larger = new Uint8Array(Math.max(needed, expected, this.#copiedBytes * 2));
    if (this.#copied !== undefined) larger.set(this.#copied.subarray(0, this.#copiedBytes));
    this.#copied = larger;
  }
}
