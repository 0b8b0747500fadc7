import { serveThread } from '../platform/threads.ts';
import { PieceBoard, type PieceTask, unpackOffered } from './piece-board.ts';
import { openShared } from './shared-source.ts';

/** A thread that unpacks pieces of one container after the other. */
serveThread<PieceTask, never>(({ source, pieces, board, memory }) =>
  unpackOffered(new PieceBoard(board), openShared(source), pieces, memory),
);
