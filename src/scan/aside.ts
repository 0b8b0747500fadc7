import type { Digests } from './artifact-digests.ts';
import type { Budget } from '../bytes/budget.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import type { FileOnDisk, Finding, Format, Member } from '../formats/model.ts';

/** What is to be decoded beside the walk. */
export interface AsideRequest {
  readonly format: Pick<Format, 'id'>;
  readonly source: ByteSource;
  readonly file?: FileOnDisk;
  readonly budget: Budget;
  /** Faults of the container that show while it is decoded. */
  report(finding: Finding): void;
}

/** Digests that another thread computes while the walk goes on. */
export interface DigestsAside {
  /** Begins, unless it has begun already. */
  start(): void;
  /** Waits for them. Undefined when it was never begun, or the thread failed: then the walk digests by itself. */
  take(): Digests | undefined;
  /** Ends it; the source may be closed afterwards. */
  cancel(): void;
}

/**
 * Decodes what pours (see `Reading.pour`) in another thread, so that members are examined while the next ones are being
 * decoded. The decoder waits when it is too far ahead: memory is bounded, and no member is decoded twice.
 */
export interface AsideDecoder {
  /**
   * The members of a container in stored order, to be read each to its end before the next one is asked for; undefined
   * when there is no thread for it, or it is not worth one: then it is decoded in this thread.
   *
   * @throws TelltaleError when the members are asked for and the thread fails
   */
  tryPour(request: AsideRequest): AsyncIterable<Member> | undefined;

  /** Digests of a source that is large enough for a thread of its own; undefined when it is not, or there is none. */
  tryDigest?(source: ByteSource, algorithms: readonly DigestAlgorithm[]): DigestsAside | undefined;
}
