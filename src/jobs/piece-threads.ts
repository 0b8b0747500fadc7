import type { ByteSource } from '../bytes/byte-source.ts';
import type { Piece, PiecesAhead, Unpackers } from '../formats/pieces.ts';
import { startThread, type Thread } from '../platform/threads.ts';
import { PieceBoard, type PieceTask } from './piece-board.ts';
import { PieceMemory } from './piece-memory.ts';
import { type SharedSource, tryShare } from './shared-source.ts';

const MiB = 1024 * 1024;

export interface PieceLimits {
  /** Pieces that were unpacked and wait for their turn, or are being unpacked, in bytes. */
  readonly waitingBytesMax: number;
  /** A larger piece is streamed by its reader. */
  readonly pieceBytesMax: number;
  /** For less than that, in all pieces but the first, no thread is started. */
  readonly worthBytesMin: number;
  /** A piece that takes longer is given up, with the threads: they may be no more. */
  readonly milliseconds: number;
}

const defaultLimits: PieceLimits = {
  waitingBytesMax: 64 * MiB,
  pieceBytesMax: 32 * MiB,
  worthBytesMin: 4 * MiB,
  milliseconds: 10_000,
};

/** Threads that unpack pieces for one thread, which waits for them without turning to anything else. */
export class PieceThreads {
  readonly #entry: URL;
  readonly #limits: PieceLimits;
  readonly #threads = new Set<Thread<PieceTask>>();
  /** Used again for one container after the other. */
  #memory: SharedArrayBuffer | undefined;
  #current: Ahead | undefined;

  /** @param entry - the module that the threads run; without, the one of ours, wherever the build puts this one */
  constructor(
    entry: URL = new URL('../jobs/unpacker.js', import.meta.url),
    limits: Partial<PieceLimits> = {},
  ) {
    this.#entry = entry;
    this.#limits = { ...defaultLimits, ...limits };
  }

  /**
   * What a reader is given.
   *
   * @param threadsMax - how many threads may unpack beside the reader
   * @param isOver - nothing more is wanted
   */
  toUnpackers(threadsMax: number, isOver: () => boolean): Unpackers {
    return {
      begin: (source, pieces) => {
        this.#current?.end();
        // Threads that do not come back may still write into the memory.
        if (this.#current?.isSettled() === false) return undefined;
        this.#current = this.#tryBegin(source, pieces, threadsMax, isOver);
        return this.#current;
      },
    };
  }

  #tryBegin(
    source: ByteSource,
    pieces: readonly Piece[],
    threadsMax: number,
    isOver: () => boolean,
  ): Ahead | undefined {
    const { pieceBytesMax, waitingBytesMax, worthBytesMin } = this.#limits;
    const worth = pieces.slice(1).filter(({ size }) => size > 0 && size <= pieceBytesMax);
    const worthBytes = worth.reduce((sum, { size }) => sum + size, 0);
    const threads = Math.min(threadsMax, worth.length);
    if (threads === 0 || worthBytes < worthBytesMin) return undefined;
    const shared = tryShare(source);
    if (shared === undefined) return undefined;
    const wantedBytes = Math.min(waitingBytesMax, worthBytes);
    try {
      if (this.#memory === undefined || this.#memory.byteLength < wantedBytes)
        this.#memory = new SharedArrayBuffer(wantedBytes);
      const memory = this.#memory;
      const ahead = new Ahead(pieces, memory, threads, this.#limits, isOver);
      this.#post(shared, pieces, ahead.board, memory, threads);
      return ahead;
    } catch {
      // A system without room for a thread or its memory has none to spare: the reader goes on alone.
      return undefined;
    }
  }

  #post(
    source: SharedSource,
    pieces: readonly Piece[],
    board: SharedArrayBuffer,
    memory: SharedArrayBuffer,
    count: number,
  ): void {
    while (this.#threads.size < count) {
      const thread = startThread<PieceTask, never>(
        this.#entry,
        () => {},
        () => this.#threads.delete(thread),
      );
      this.#threads.add(thread);
    }
    for (const thread of [...this.#threads].slice(0, count)) thread.post({ source, pieces, board, memory });
  }

  /** Ends what was begun; returns when no thread reads the source any more. */
  async settle(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    current?.end();
    if (current?.isSettled() === false) await this.close();
  }

  /** Ends all threads, whatever they do. */
  async close(): Promise<void> {
    this.#memory = undefined;
    await Promise.all([...this.#threads].map((thread) => thread.end()));
  }
}

/** The pieces of one container. */
class Ahead implements PiecesAhead {
  readonly #pieces: readonly Piece[];
  readonly #board: PieceBoard;
  readonly #bytes: SharedArrayBuffer;
  readonly #memory: PieceMemory;
  readonly #threads: number;
  readonly #limits: PieceLimits;
  readonly #isOver: () => boolean;
  /** The first piece that was not thought of yet. The first of all is for the reader: its bytes are wanted now. */
  #next = 1;
  /** Of pieces that were thought of, in bytes: what is offered to threads, and what is left to the reader. */
  #offeredBytes = 0;
  #leftBytes: number;
  /** The piece that was taken last. */
  #taken = -1;
  /** A thread did not come back. */
  #isGivenUp = false;

  constructor(
    pieces: readonly Piece[],
    memory: SharedArrayBuffer,
    threads: number,
    limits: PieceLimits,
    isOver: () => boolean,
  ) {
    this.#pieces = pieces;
    this.#board = new PieceBoard(pieces.length);
    this.#bytes = memory;
    this.#memory = new PieceMemory(Math.min(memory.byteLength, limits.waitingBytesMax));
    this.#threads = threads;
    this.#limits = limits;
    this.#isOver = isOver;
    this.#leftBytes = pieces[0]?.size ?? 0;
    this.#offer();
  }

  get board(): SharedArrayBuffer {
    return this.#board.memory;
  }

  take(index: number): Uint8Array | undefined {
    // Of earlier pieces the memory is used again.
    if (this.#isGivenUp || index <= this.#taken) return undefined;
    this.#taken = index;
    this.#memory.freeBefore(index);
    // Pieces before this one are not wanted any more.
    for (; this.#next <= index; this.#next += 1) this.#leave(this.#next);
    this.#offer();
    const piece = this.#pieces[index];
    if (piece === undefined) return undefined;
    const end = performance.now() + this.#limits.milliseconds;
    for (;;) {
      const seen = this.#board.finished;
      switch (this.#board.stateOf(index)) {
        case 'done':
          return new Uint8Array(this.#bytes, this.#board.offsetOf(index), piece.size);
        case 'left':
        case 'faulty':
          return undefined;
        case 'offered':
          // Nobody was free for it.
          if (this.#board.tryWithdraw(index)) return undefined;
          break;
        case 'claimed':
          if (this.#isOver()) return undefined;
          if (performance.now() > end) {
            this.#isGivenUp = true;
            this.end();
            return undefined;
          }
          this.#board.waitForFinish(seen);
      }
    }
  }

  /** Offers pieces while there is room: as much to each thread as is left to the reader, which is at work as well. */
  #offer(): void {
    for (; this.#next < this.#pieces.length; this.#next += 1) {
      const size = this.#pieces[this.#next]?.size ?? 0;
      if (
        size === 0 ||
        size > Math.min(this.#limits.pieceBytesMax, this.#memory.bytes) ||
        this.#offeredBytes >= this.#threads * this.#leftBytes
      ) {
        this.#leave(this.#next);
        continue;
      }
      const offset = this.#memory.tryTake(this.#next, size);
      if (offset === undefined) break;
      this.#offeredBytes += size;
      this.#board.offer(this.#next, offset);
    }
    this.#board.show(this.#next);
  }

  #leave(index: number): void {
    this.#leftBytes += this.#pieces[index]?.size ?? 0;
  }

  /** No piece is begun from now on. */
  end(): void {
    this.#board.end();
    for (let index = 0; index < this.#next; index += 1) this.#board.tryWithdraw(index);
  }

  /** Nobody is unpacking a piece. */
  get #isIdle(): boolean {
    for (let index = 0; index < this.#next; index += 1)
      if (this.#board.stateOf(index) === 'claimed') return false;
    return true;
  }

  /** After the end: waits until nobody is unpacking a piece, but no longer than one may take. */
  isSettled(): boolean {
    const end = performance.now() + this.#limits.milliseconds;
    for (;;) {
      const seen = this.#board.finished;
      if (this.#isIdle) return true;
      if (this.#isGivenUp || performance.now() > end) return false;
      this.#board.waitForFinish(seen);
    }
  }
}
