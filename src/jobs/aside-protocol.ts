import type { Limits } from '../bytes/budget.ts';
import type { FileRange } from '../bytes/byte-source.ts';
import type { Finding, Member } from '../formats/model.ts';

/*
 * What passes between a walk and the thread that decodes for it. Bytes are handed over, not copied. Two numbers are
 * shared: how many bytes are under way, for which the decoder waits, and whether it shall stop.
 */

/** Indexes of the shared numbers. */
export const shared = { bytesUnderWay: 0, isCancelled: 1 } as const;

/** The decoder waits while more than this is under way. */
export const bytesUnderWayMax = 8 * 1024 * 1024;

/** A container to decode. */
export interface PourRequest {
  readonly format: string;
  readonly source:
    | { readonly kind: 'file'; readonly range: FileRange; readonly size: number }
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array };
  /** Of the file on disk that the source is, if it is one: files beside it are found by it. */
  readonly path: string | undefined;
  readonly fileBytes: number;
  /** With the time that is left. */
  readonly limits: Limits;
  readonly shared: SharedArrayBuffer;
}

type MemberName = Omit<Member, 'content' | 'rename'>;

/** What the thread says, in this order: any number of members and reports, then `done`. */
export type PourMessage =
  | { readonly kind: 'begin'; readonly member: MemberName; readonly declaredSize: number | undefined }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
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
