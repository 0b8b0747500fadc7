import { type ByteSource, sliceSource } from '../../bytes/byte-source.ts';
import { type InflatedWhole, tryInflateWhole } from '../../platform/inflate.ts';
import type { ZipEntry } from './directory.ts';

/** Decoded bytes that wait for their turn, or are being decoded. */
const waitingBytesMax = 32 * 1024 * 1024;
/** Larger members are streamed, so that memory does not grow with them. */
const wholeBytesMax = 16 * 1024 * 1024;
/** Members in other threads at once; there are no more threads than that for it. */
const waitingMax = 4;

/**
 * Decodes deflated members in other threads while the ones before them are looked at. Members are independent of each
 * other in a ZIP archive; what comes out, and in which order, is the same as one after the other.
 */
export class DecodeAhead {
  readonly #source: ByteSource;
  readonly #entries: readonly ZipEntry[];
  readonly #places: ReadonlyMap<ZipEntry, number>;
  readonly #waiting = new Map<ZipEntry, Promise<InflatedWhole | undefined>>();
  #waitingBytes = 0;
  /** The first entry that was not thought of yet. */
  #next = 0;

  /** @param entries - deflated members in the order in which they will be asked for */
  constructor(source: ByteSource, entries: readonly ZipEntry[]) {
    this.#source = source;
    this.#entries = entries;
    this.#places = new Map(entries.map((entry, index) => [entry, index]));
  }

  /** A member, decoded; undefined when it is not one to decode at once, or is not in order. */
  async take(entry: ZipEntry): Promise<InflatedWhole | undefined> {
    const place = this.#places.get(entry);
    if (place === undefined) return undefined;
    if (place >= this.#next) {
      this.#start(entry);
      this.#next = place + 1;
    }
    const decoding = this.#waiting.get(entry);
    this.#startMore();
    if (decoding === undefined) return undefined;
    const decoded = await decoding;
    this.#waiting.delete(entry);
    this.#waitingBytes -= entry.size ?? 0;
    this.#startMore();
    return decoded;
  }

  #startMore(): void {
    while (this.#waiting.size < waitingMax) {
      const entry = this.#entries[this.#next];
      if (entry === undefined || this.#waitingBytes + (entry.size ?? 0) > waitingBytesMax) return;
      this.#start(entry);
      this.#next += 1;
    }
  }

  #start(entry: ZipEntry): void {
    const { size, dataOffset, available } = entry;
    if (size === undefined || size > wholeBytesMax || available > wholeBytesMax || dataOffset === undefined)
      return;
    this.#waiting.set(entry, tryInflateWhole(sliceSource(this.#source, dataOffset, available), size));
    this.#waitingBytes += size;
  }
}
