import { type Piece, tryUnpackPiece } from '../formats/pieces.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import type { SharedSource } from './shared-source.ts';

/*
 * What passes between a thread that hands pieces on and those that unpack them for it. All pieces of a container are
 * told at once; from there on everything passes through shared memory: the taker offers a piece with a place for its
 * bytes, whoever is free claims it.
 */

/** The pieces of a container. */
export interface PieceTask {
  readonly source: SharedSource;
  readonly pieces: readonly Piece[];
  readonly board: SharedArrayBuffer;
  /** For unpacked bytes. */
  readonly memory: SharedArrayBuffer;
}

/**
 * `left`: not offered, or withdrawn; it is unpacked by whoever takes it. `claimed`: being unpacked. `faulty`: not in
 * order, or not to be unpacked for another reason. As a number it is the place in this list.
 */
const states = ['left', 'offered', 'claimed', 'done', 'faulty'] as const;

export type PieceState = (typeof states)[number];

function toNumber(state: PieceState): number {
  return states.indexOf(state);
}

/** Numbers before those of the pieces: how many pieces were offered or left, how many are finished, whether it is over. */
const places = { thoughtOf: 0, finished: 1, over: 2, pieces: 3 } as const;
const numbersPerPiece = 2;

/** Where each piece stands. */
export class PieceBoard {
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Int32Array;

  /** @param shared - the memory of the other side, or a number of pieces for a new board */
  constructor(shared: SharedArrayBuffer | number) {
    this.memory =
      typeof shared === 'number'
        ? new SharedArrayBuffer((places.pieces + shared * numbersPerPiece) * Int32Array.BYTES_PER_ELEMENT)
        : shared;
    this.#numbers = new Int32Array(this.memory);
  }

  /** Pieces from here on were not thought of yet. */
  get thoughtOf(): number {
    return Atomics.load(this.#numbers, places.thoughtOf);
  }

  get finished(): number {
    return Atomics.load(this.#numbers, places.finished);
  }

  get isOver(): boolean {
    return Atomics.load(this.#numbers, places.over) !== 0;
  }

  stateOf(piece: number): PieceState {
    return states[Atomics.load(this.#numbers, toPlace(piece))] ?? 'left';
  }

  /** Offset in the memory for unpacked bytes. Only of a piece that was offered. */
  offsetOf(piece: number): number {
    return Atomics.load(this.#numbers, toPlace(piece) + 1);
  }

  /** @param offset - in the memory for unpacked bytes */
  offer(piece: number, offset: number): void {
    Atomics.store(this.#numbers, toPlace(piece) + 1, offset);
    Atomics.store(this.#numbers, toPlace(piece), toNumber('offered'));
  }

  /** Lets threads look at the pieces before this one. */
  show(thoughtOf: number): void {
    Atomics.store(this.#numbers, places.thoughtOf, thoughtOf);
    Atomics.notify(this.#numbers, places.thoughtOf);
  }

  /** Whether the caller is the one who unpacks the piece. */
  tryClaim(piece: number): boolean {
    return this.#tryTurn(piece, 'claimed');
  }

  /** Whether nobody has begun with the piece, and nobody will. */
  tryWithdraw(piece: number): boolean {
    return this.#tryTurn(piece, 'left');
  }

  #tryTurn(piece: number, to: PieceState): boolean {
    const offered = toNumber('offered');
    return Atomics.compareExchange(this.#numbers, toPlace(piece), offered, toNumber(to)) === offered;
  }

  finish(piece: number, isInOrder: boolean): void {
    Atomics.store(this.#numbers, toPlace(piece), toNumber(isInOrder ? 'done' : 'faulty'));
    Atomics.add(this.#numbers, places.finished, 1);
    Atomics.notify(this.#numbers, places.finished);
  }

  end(): void {
    Atomics.store(this.#numbers, places.over, 1);
    Atomics.notify(this.#numbers, places.thoughtOf);
  }

  /** @param seen - waits while it is so many */
  waitForOffer(seen: number): void {
    if (!this.isOver) Atomics.wait(this.#numbers, places.thoughtOf, seen, waitMilliseconds);
  }

  /** @param seen - waits while it is so many, or for a short while */
  waitForFinish(seen: number): void {
    Atomics.wait(this.#numbers, places.finished, seen, waitMilliseconds);
  }
}

/** How long anybody waits before looking again whether it is over. */
const waitMilliseconds = 100;

function toPlace(piece: number): number {
  return places.pieces + piece * numbersPerPiece;
}

/** Unpacks what is offered until it is over. */
export function unpackOffered(
  board: PieceBoard,
  source: ByteSource,
  pieces: readonly Piece[],
  memory: SharedArrayBuffer,
): void {
  for (let next = 0; !board.isOver; ) {
    const seen = board.thoughtOf;
    for (; next < seen && !board.isOver; next += 1) {
      const piece = pieces[next];
      if (piece === undefined || !board.tryClaim(next)) continue;
      const output = new Uint8Array(memory, board.offsetOf(next), piece.size);
      board.finish(next, isUnpacked(source, piece, output));
    }
    board.waitForOffer(seen);
  }
}

function isUnpacked(source: ByteSource, piece: Piece, output: Uint8Array): boolean {
  try {
    return tryUnpackPiece(source, piece, output);
  } catch {
    // Whatever it is, the reader comes upon it again, and tells it.
    return false;
  }
}
