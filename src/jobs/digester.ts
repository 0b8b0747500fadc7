import { readPassing } from '../bytes/byte-source.ts';
import { Digester } from '../platform/digests.ts';
import { serveThread } from '../platform/threads.ts';
import { DigestBoard, type DigestTask } from './digest-board.ts';
import { openShared } from './shared-source.ts';

/** A thread that digests one source after the other. */
serveThread<DigestTask, never>(({ source, algorithms, board: memory }) => {
  const board = new DigestBoard(memory);
  if (!board.tryBegin()) return;
  try {
    const digester = new Digester(algorithms);
    for (const chunk of readPassing(openShared(source))) {
      if (board.isCancelled) break;
      digester.update(chunk);
      board.step();
    }
    if (board.isCancelled) board.fail();
    else board.finish(digester.finish());
  } catch {
    // Whatever it is, whoever waits reads the bytes itself, and tells it.
    board.fail();
  }
});
