import type { Limits } from '../bytes/budget.ts';
import type { Finding, Member } from '../formats/model.ts';
import type { SharedSource } from './shared-source.ts';

/*
 * What passes between a walk and the thread that decodes for it. Bytes pass through shared memory that is used again and
 * again: a few slots, one after the other. The decoder fills a slot and says so; it waits when the walk has not taken
 * yet what is in the next one.
 */

const slotCount = 16;
const slotBytes = 512 * 1024;
/** One number for each slot, and one that says whether the decoder shall stop. */
const numbersBytes = (slotCount + 1) * 4;

/** The memory that a walk and its decoder share. */
export class Slots {
  readonly memory: SharedArrayBuffer;
  readonly #isTaken: Int32Array;

  /** @param memory - of the other side; without, new memory */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(numbersBytes + slotCount * slotBytes)) {
    this.memory = memory;
    this.#isTaken = new Int32Array(memory, 0, slotCount + 1);
  }

  /** All slots are free, and nothing is cancelled. Only while nobody else uses them. */
  reset(): void {
    this.#isTaken.fill(0);
  }

  get isCancelled(): boolean {
    return Atomics.load(this.#isTaken, slotCount) !== 0;
  }

  /** Tells the decoder to stop, also when it waits for a slot. */
  cancel(): void {
    Atomics.store(this.#isTaken, slotCount, 1);
    for (let slot = 0; slot < slotCount; slot += 1) Atomics.notify(this.#isTaken, slot);
  }

  /** The memory of a slot. @param turn - counts slots from the start, round and round */
  at(turn: number, length = slotBytes): Uint8Array {
    return new Uint8Array(this.memory, numbersBytes + (turn % slotCount) * slotBytes, length);
  }

  /** Waits until a slot is free, or nothing more is wanted. */
  waitFor(turn: number): void {
    const slot = turn % slotCount;
    while (Atomics.load(this.#isTaken, slot) !== 0 && !this.isCancelled)
      Atomics.wait(this.#isTaken, slot, 1, waitMilliseconds);
  }

  take(turn: number): void {
    Atomics.store(this.#isTaken, turn % slotCount, 1);
  }

  free(turn: number): void {
    Atomics.store(this.#isTaken, turn % slotCount, 0);
    Atomics.notify(this.#isTaken, turn % slotCount);
  }
}

/** How long the decoder waits before it looks again whether it shall stop. */
const waitMilliseconds = 500;

/** A container to decode. */
export interface PourRequest {
  readonly format: string;
  readonly source: SharedSource;
  /** Of the file on disk that the source is, if it is one: files beside it are found by it. */
  readonly path: string | undefined;
  readonly fileBytes: number;
  /** With the time that is left. */
  readonly limits: Limits;
  readonly slots: SharedArrayBuffer;
  /** How many threads the decoder may have of its own, for pieces of the container. */
  readonly pieceThreads: number;
}

type MemberName = Omit<Member, 'content' | 'rename'>;

/** What the thread says, in this order: any number of members and reports, then `done`. */
export type PourMessage =
  | { readonly kind: 'begin'; readonly member: MemberName; readonly declaredSize: number | undefined }
  /** Bytes of the member stand in the next slot. */
  | { readonly kind: 'bytes'; readonly length: number }
  | { readonly kind: 'end'; readonly finding: Finding | undefined }
  | {
      readonly kind: 'refuse';
      readonly member: MemberName;
      readonly finding: Finding;
      readonly declaredSize: number | undefined;
    }
  | { readonly kind: 'report'; readonly finding: Finding }
  | { readonly kind: 'sibling'; readonly name: string }
  /** The finding says why it broke off. */
  | { readonly kind: 'done'; readonly finding: Finding | undefined };
