import type { Budget } from '../bytes/budget.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
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
}
