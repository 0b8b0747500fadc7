import type { ByteSource } from '../bytes/byte-source.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import { startThread, type Thread } from '../platform/threads.ts';
import type { Digests } from '../scan/artifact-digests.ts';
import type { DigestsAside } from '../scan/aside.ts';
import { DigestBoard, type DigestTask } from './digest-board.ts';
import { type SharedSource, tryShare } from './shared-source.ts';

/** A thread that does not come forward for so long is given up. */
const patienceMilliseconds = 2_000;

/** A thread that digests for one walk after the other; it is started when it is first wanted. */
export class DigestThread {
  readonly #entry: URL;
  readonly #patience: number;
  #thread: Thread<DigestTask> | undefined;
  /** It did not come back, and may still hold what it was given. */
  #isGivenUp = false;

  /**
   * @param entry - the module that the thread runs; without, the one of ours, wherever the build puts this one
   * @param patience - in milliseconds
   */
  constructor(entry: URL = new URL('../jobs/digester.js', import.meta.url), patience = patienceMilliseconds) {
    this.#entry = entry;
    this.#patience = patience;
  }

  /** Digests that can be begun at any time; undefined when no other thread can read the source. */
  tryDigest(source: ByteSource, algorithms: readonly DigestAlgorithm[]): DigestsAside | undefined {
    if (this.#isGivenUp || algorithms.length === 0) return undefined;
    const shared = tryShare(source);
    if (shared === undefined) return undefined;
    let board: DigestBoard | undefined;
    return {
      start: () => {
        board ??= this.#start(shared, algorithms);
      },
      take: () => (board === undefined ? undefined : this.#take(board)),
      cancel: () => {
        board?.cancel();
        // Its file is closed next.
        if (board !== undefined) this.#isGivenUp ||= !board.waitForEnd(this.#patience);
      },
    };
  }

  async close(): Promise<void> {
    await this.#thread?.end();
  }

  #start(source: SharedSource, algorithms: readonly DigestAlgorithm[]): DigestBoard {
    this.#thread ??= startThread<DigestTask, never>(
      this.#entry,
      () => {},
      () => {
        this.#thread = undefined;
      },
    );
    const board = new DigestBoard();
    this.#thread.post({ source, algorithms, board: board.memory });
    return board;
  }

  #take(board: DigestBoard): Digests | undefined {
    if (board.waitForEnd(this.#patience)) return board.tryReadAnswer();
    this.#isGivenUp = true;
    return undefined;
  }
}
