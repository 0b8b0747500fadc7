import type { TelltaleError } from '../../bytes/errors.ts';

/**
 * How far a decoder came. Everything up to `outputBytes` was decoded by the rules of the format; whether it is what
 * was compressed is for a checksum to say.
 */
export interface Decoded {
  /** Bytes written to the output. */
  readonly outputBytes: number;
  /** Bytes of the input that were used. */
  readonly inputBytes: number;
  /** Why it stopped early; its offset counts from the start of the input. Absent when all of it was decoded. */
  readonly fault?: TelltaleError;
}
