/**
 * Pieces of containers that can be unpacked each without the others, so that several processors can be at work on one
 * container: what they are, and what unpacks them. A reader describes the pieces of its container, takes them one after
 * the other, and unpacks by itself what it does not get.
 *
 * A further method is a member of the union and a line of the table.
 */
import { Budget } from '../bytes/budget.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import { tryUnpackSevenZFolder } from './sevenz/decoding.ts';
import type { SevenZFolderPiece } from './sevenz/stages.ts';
import { type CabinetFolderPiece, tryUnpackFolder } from './sevenzip/cabinet-blocks.ts';
import { tryUnpackXzBlock } from './xz/block.ts';
import type { XzBlock } from './xz/layout.ts';

/** Plain data: it crosses to threads. Each has its unpacked `size` in bytes, and places in the source of its container. */
export type Piece =
  | CabinetFolderPiece
  | SevenZFolderPiece
  | { readonly method: 'xz-block'; readonly block: XzBlock; readonly size: number };

/**
 * Unpacks a piece whole. A pure function of what is given.
 *
 * @param source - the container
 * @param output - of the size of the piece; what stands in it is only good when all is in order
 * @returns whether everything is in order that can be checked; whoever reads it with care tells what is not
 * @throws TelltaleError, which means that it is not in order
 */
export function tryUnpackPiece(source: ByteSource, piece: Piece, output: Uint8Array): boolean {
  switch (piece.method) {
    case 'cabinet-folder':
      return tryUnpackFolder(source, piece, output);
    case '7z-folder':
      return tryUnpackSevenZFolder(source, piece, output);
    case 'xz-block':
      // A piece is not large: whoever waits for it looks at the time.
      return tryUnpackXzBlock(source, piece.block, output, new Budget(source.size));
  }
}

/** Pieces of one container that are unpacked before they are asked for. */
export interface PiecesAhead {
  /**
   * The piece, when it was unpacked and is in order; it stays good until the next one is taken. Undefined: it is for the
   * reader to unpack, and to say what is wrong with it.
   *
   * @param index - in the list of pieces; greater than at the time before
   */
  take(index: number): Uint8Array | undefined;
}

/** Whatever unpacks pieces beside the reader. */
export interface Unpackers {
  /**
   * Begins with the pieces of a container; whatever was begun before is over. Undefined when it is not worth it.
   *
   * @param source - the container
   * @param pieces - in the order in which they will be taken; it need not be all of them
   */
  begin(source: ByteSource, pieces: readonly Piece[]): PiecesAhead | undefined;
}
