import type { StoredMembers } from '../formats/model.ts';
import { type DigestAlgorithm, Digester } from '../platform/digests.ts';
import type { Hits, Matcher } from '../signatures/match.ts';
import type { Digests } from './artifact-digests.ts';

/** Smaller members are looked at by themselves: that takes no time, and there may be many. */
export const passingBytesMin = 64 * 1024;

/** What was found of a member while its container passed. */
export interface PassedMember {
  readonly digests: Digests;
  /** Only once the matcher of the container is finished. */
  readonly hits: () => Hits;
}

/**
 * Digests members of a container, and has them searched, while the bytes of the container pass: a tar archive need not
 * be gone through once more for what is in it.
 */
export class PassingMembers {
  readonly #layout: StoredMembers;
  readonly #matcher: Matcher;
  readonly #algorithms: readonly DigestAlgorithm[];
  readonly #passed = new Map<string, PassedMember>();
  readonly #header: Uint8Array;
  #headerFilled = 0;
  /** Bytes before the next header that are of no interest. */
  #gap: number;
  /** The member that is passing. */
  #current:
    | {
        readonly offset: number;
        readonly size: number;
        readonly digester: Digester;
        readonly hits: () => Hits;
      }
    | undefined;
  #currentLeft = 0;
  /** Of the next byte in the container. */
  #position = 0;
  #isOver = false;

  /**
   * @param matcher - of the container; it is fed the same chunks, each after this was
   * @param algorithms - digests that members will need
   */
  constructor(layout: StoredMembers, matcher: Matcher, algorithms: readonly DigestAlgorithm[]) {
    this.#layout = layout;
    this.#matcher = matcher;
    this.#algorithms = algorithms;
    this.#gap = layout.start;
    this.#header = new Uint8Array(layout.headerBytes);
  }

  /** The next bytes of the container. */
  update(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.#isOver; ) {
      const taken = this.#take(chunk.subarray(at));
      at += taken;
      this.#position += taken;
    }
  }

  /** A member that was there, and passed to its end. */
  tryFind(offset: number, size: number): PassedMember | undefined {
    return this.#passed.get(toKey(offset, size));
  }

  /** @returns how many bytes were taken, at least one */
  #take(bytes: Uint8Array): number {
    if (this.#current !== undefined) {
      const part = bytes.subarray(0, this.#currentLeft);
      this.#current.digester.update(part);
      this.#currentLeft -= part.length;
      if (this.#currentLeft === 0) this.#finishMember();
      return part.length;
    }
    if (this.#gap > 0) {
      const passed = Math.min(this.#gap, bytes.length);
      this.#gap -= passed;
      return passed;
    }
    const part = bytes.subarray(0, this.#header.length - this.#headerFilled);
    this.#header.set(part, this.#headerFilled);
    this.#headerFilled += part.length;
    if (this.#headerFilled === this.#header.length) this.#readHeader(this.#position + part.length);
    return part.length;
  }

  #readHeader(end: number): void {
    this.#headerFilled = 0;
    const found = this.#layout.parse(this.#header);
    if (found === undefined) {
      this.#isOver = true;
      return;
    }
    const { memberBytes, bytesToNext } = found;
    if (memberBytes < passingBytesMin) {
      this.#gap = bytesToNext;
      return;
    }
    this.#gap = bytesToNext - memberBytes;
    this.#currentLeft = memberBytes;
    this.#current = {
      offset: end,
      size: memberBytes,
      digester: new Digester(this.#algorithms),
      hits: this.#matcher.addPart(end, memberBytes),
    };
  }

  #finishMember(): void {
    if (this.#current === undefined) return;
    const { offset, size, digester, hits } = this.#current;
    this.#current = undefined;
    this.#passed.set(toKey(offset, size), { digests: digester.finish(), hits });
  }
}

function toKey(offset: number, size: number): string {
  return `${offset}+${size}`;
}
