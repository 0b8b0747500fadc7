import type { Integrity, SignerStatus } from '../authenticity/model.ts';
import type { FactKind } from '../formats/model.ts';
import type { Strength } from '../signatures/schema.ts';
import type { FileResult, Telltale, TelltaleEvidence } from '../verdict/model.ts';

/*
 * What changed between two builds. Plain data with `before` and `after` on equal terms: when the two are swapped, the
 * result is the mirror image. Text is as in the files: escape before printing.
 */

/** What became of a member. `unread`: it could not be read, so nothing can be said. */
export const memberStates = [
  'same',
  'changed',
  'renamed',
  'renamed-and-changed',
  'added',
  'removed',
  'unread',
] as const;
export type MemberState = (typeof memberStates)[number];

/**
 * How two members were found to belong together.
 *
 * - `root`: the two that were given. `path`: the same name in the same place. `content`: the same bytes.
 * - `name`: the same file name in another place. `identity`: a field that names the program says the same.
 * - `strings`, `facts`: the same format, and no other member shares as many.
 * - `form`: the unpacked form of a program, against the same program that is not packed.
 */
export const pairings = ['root', 'path', 'content', 'name', 'identity', 'strings', 'facts', 'form'] as const;
export type Pairing = (typeof pairings)[number];

/** One side of a member. */
export interface MemberHalf {
  /** Nested path, beginning with the path that was given. */
  readonly path: string;
  /** Nested path inside what was given; empty for that itself. */
  readonly inner: string;
  readonly format: string;
  readonly formatTitle: string;
  readonly size: number | null;
  readonly sha256: string | null;
}

export type Change = 'came' | 'went' | 'changed';

export interface FactChange {
  readonly kind: FactKind;
  readonly name?: string;
  readonly change: Change;
  /** Value, with its details in brackets. */
  readonly before?: string;
  readonly after?: string;
}

/** A section or another named range on one side. */
export interface RegionHalf {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** Bits a byte. */
  readonly entropy?: number;
  readonly sha256?: string;
  /** Characteristics of a section, hexadecimal. */
  readonly characteristics?: string;
}

/** `unknown`: of the same size, but its bytes could not be compared. */
export const regionStates = ['same', 'changed', 'renamed', 'added', 'removed', 'unknown'] as const;
export interface RegionChange {
  readonly state: (typeof regionStates)[number];
  readonly before?: RegionHalf;
  readonly after?: RegionHalf;
}

/** A resource that is not a member of its own. */
export interface ResourceChange {
  readonly name: string;
  readonly change: Change;
  /** Bytes. */
  readonly before?: number;
  readonly after?: number;
}

export interface SignatureView {
  readonly integrity: Integrity;
  readonly integrityDetail: string;
  readonly signer: SignerStatus;
  readonly signatures: readonly {
    readonly outcome: string;
    readonly digestAlgorithm: string;
    readonly signer: string | null;
    readonly certificateSha1: string | null;
    /** The earliest verified timestamp. */
    readonly signingTime: string | null;
  }[];
}

export interface SignatureChange {
  readonly before: SignatureView | null;
  readonly after: SignatureView | null;
}

export const stringEncodings = ['ascii', 'utf-8', 'utf-16le'] as const;
export type StringEncoding = (typeof stringEncodings)[number];
export const stringKinds = ['url', 'host', 'text'] as const;

export interface FoundString {
  readonly text: string;
  readonly kind: (typeof stringKinds)[number];
  readonly encoding: StringEncoding;
  /** First place, in bytes from the start of the member. */
  readonly offset: number;
  /** The same as region and distance: `.data+0x59`. */
  readonly place?: string;
}

/** Strings of one side only: addresses first, then what reads like words, each by its text. Of an added or removed member, addresses alone. */
export interface StringList {
  readonly total: number;
  /** The first of them, at most {@link stringsListed}. */
  readonly listed: readonly FoundString[];
}

export interface StringChanges {
  readonly came: StringList;
  readonly went: StringList;
  /** Some strings of a member with very many were left out: what came or went may be wrong. */
  readonly cutShort: boolean;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
  readonly place?: string;
  /** The first bytes, hexadecimal, at most 32 of them. */
  readonly hex: string;
}

export interface RangeChange {
  readonly before: ByteRange;
  readonly after: ByteRange;
}

export interface ByteChanges {
  /** `patched`: as long as before. `shifted`: one range between a common start and a common end. */
  readonly kind: 'patched' | 'shifted';
  readonly commonStart: number;
  readonly commonEnd: number;
  /** For patched members: bytes that differ, one by one. */
  readonly differing?: number;
  /** Ranges in all; a few equal bytes do not end a range. */
  readonly total: number;
  /** The first of them, at most {@link rangesListed}. */
  readonly ranges: readonly RangeChange[];
}

/** One member, on both sides. */
export interface MemberChange {
  readonly state: MemberState;
  readonly pairedBy: Pairing | null;
  /** For strings and facts: how much is shared, from 0 to 1. */
  readonly likeness?: number;
  readonly before: MemberHalf | null;
  readonly after: MemberHalf | null;
  readonly facts: readonly FactChange[];
  /** Facts beyond those that are listed. */
  readonly furtherFacts: number;
  readonly regions: readonly RegionChange[];
  readonly resources: readonly ResourceChange[];
  readonly signature: SignatureChange | null;
  readonly strings: StringChanges | null;
  readonly bytes: ByteChanges | null;
  /** Sentences: what of it could not be compared, and why. */
  readonly notCompared: readonly string[];
}

/**
 * In which part of the difference a telltale lies: a member of one side only, bytes that differ, a region that differs
 * (where bytes could not be aligned), a fact that differs, a name that differs or a signature that differs. `none`: its own
 * place did not change, so that the change lies in something else that it asks for.
 */
export const carriers = ['member', 'bytes', 'region', 'fact', 'name', 'signature', 'none'] as const;
export type Carrier = (typeof carriers)[number];

export interface TelltalePlace extends TelltaleEvidence {
  readonly carriedBy: Carrier;
}

export interface TelltaleChange extends Omit<Telltale, 'evidence'> {
  readonly places: readonly TelltalePlace[];
}

export interface TelltaleChanges {
  readonly came: readonly TelltaleChange[];
  readonly went: readonly TelltaleChange[];
  /** On both sides, by id. */
  readonly stayed: readonly { readonly id: string; readonly title: string; readonly strength: Strength }[];
}

/** What is said of one of the two. */
export interface SideResult
  extends Pick<
    FileResult,
    | 'path'
    | 'size'
    | 'sha256'
    | 'verdict'
    | 'rule'
    | 'reason'
    | 'variant'
    | 'variantName'
    | 'version'
    | 'complete'
    | 'incompleteReasons'
    | 'problems'
  > {
  readonly kind: 'file' | 'folder' | 'bundle';
  /** What it is, in a line. */
  readonly headline: string;
}

export interface DiffSummary {
  readonly members: number;
  readonly states: Readonly<Record<MemberState, number>>;
}

/** The whole comparison, without what is known of tool and database. */
export interface Comparison {
  readonly before: SideResult;
  readonly after: SideResult;
  /** Whether anything differs. */
  readonly differs: boolean;
  /** Whether everything was read and compared. */
  readonly complete: boolean;
  readonly summary: DiffSummary;
  readonly telltales: TelltaleChanges;
  /** By path. */
  readonly members: readonly MemberChange[];
  /** Sentences about limits that were hit while the two were compared. */
  readonly limits: readonly string[];
}

export const stringsListed = 5000;
/** Over all members. */
export const stringsListedInAll = 200_000;
export const rangesListed = 500;
export const factsListed = 2000;
