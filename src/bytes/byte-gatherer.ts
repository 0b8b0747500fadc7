/** Most bytes that are set aside for what has not come yet, whatever a container promises. */
const trustedBytes = 256 * 1024 * 1024;

/**
 * Puts chunks together in memory, each byte copied at most once when the promised size holds, and not at all when one
 * chunk is everything.
 */
export class ByteGatherer {
  readonly #expectedBytes: number;
  #bytes: Uint8Array | undefined;
  #size = 0;

  /** @param expectedBytes - a claim of the container, not believed beyond 256 MiB */
  constructor(expectedBytes = 0) {
    this.#expectedBytes = Math.min(expectedBytes, trustedBytes);
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /**
   * @param chunk - is looked at during the call only, unless it may be kept
   * @param mayKeep - the chunk belongs to the gatherer from now on, and holds little memory beside its bytes
   */
  add(chunk: Uint8Array, mayKeep: boolean): void {
    if (chunk.length === 0) return;
    const needed = this.#size + chunk.length;
    if (this.#bytes === undefined && mayKeep) {
      this.#bytes = chunk;
    } else {
      if (this.#bytes === undefined || this.#bytes.length < needed) this.#grow(needed);
      this.#bytes?.set(chunk, this.#size);
    }
    this.#size = needed;
  }

  /** What is gathered by now; shares memory with the gatherer. */
  get gathered(): Uint8Array {
    return this.#bytes?.subarray(0, this.#size) ?? new Uint8Array(0);
  }

  /** Everything; the gatherer is spent afterwards. Holds little memory beside its bytes. */
  finish(): Uint8Array {
    const { gathered } = this;
    const held = this.#bytes?.length ?? 0;
    this.#bytes = undefined;
    return held > gathered.length + (gathered.length >> 2) ? gathered.slice() : gathered;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#expectedBytes, this.#size * 2));
    larger.set(this.gathered);
    this.#bytes = larger;
  }
}
