import type { Authenticity, Integrity, SignerStatus } from '../authenticity/model.ts';
import type { ErrorCode } from '../bytes/errors.ts';
import type { RuleFinding } from '../scan/rule-search.ts';
import type { Strength, VariantRole } from '../signatures/schema.ts';

/** From the gravest to the least; a transport takes the gravest verdict among its members. */
export const verdicts = [
  'impostor',
  'modified',
  'variant',
  'damaged',
  'unverified',
  'official',
  'other',
] as const;
export type VerdictName = (typeof verdicts)[number];

/** Why a result is incomplete. */
export const incompleteReasons = [
  'limit',
  'timeout',
  'encrypted',
  'malformed',
  'unsupported',
  'unreadable',
  'internal',
] as const;
export type IncompleteReason = (typeof incompleteReasons)[number];

/** A source as the report cites it. */
export interface Citation {
  readonly id: string;
  readonly title: string;
  /** Author and year. */
  readonly short: string;
  readonly kind: string;
  /** Where a stranger can open it; absent for unresolved sources. */
  readonly link?: string;
}

/** The place and the bytes that matched. */
export interface TelltaleEvidence {
  readonly kind: string;
  /** Nested path of the artifact. */
  readonly path: string;
  readonly region?: string;
  readonly offset?: number;
  /** What matched, in plain text. */
  readonly text: string;
  /** The matched bytes with a little around them, at most 64, non-printable ones as `\xNN`. */
  readonly bytes?: string;
  /** The same bytes in lower-case hexadecimal; `bytes` cannot be turned back, because it shows UTF-16 as letters. */
  readonly hex?: string;
  /** How many of these bytes stand before the match. */
  readonly matchStart?: number;
  /** How many of these bytes belong to the match; what it has beyond them is not shown. */
  readonly matchLength?: number;
  /** How often it occurs there. */
  readonly count?: number;
}

/** An indicator that matched, somewhere in the file. */
export interface Telltale {
  readonly id: string;
  readonly title: string;
  readonly variant: string;
  readonly variantName: string;
  readonly role: VariantRole;
  readonly strength: Strength;
  readonly evidence: readonly TelltaleEvidence[];
  readonly sources: readonly Citation[];
  readonly testedOnRealFile: boolean;
  readonly note?: string;
}

/** A known official (or regional) build by its digest. */
export interface KnownBuildResult {
  readonly product: string;
  readonly version: string;
  readonly platform: string;
  readonly fileName: string;
  readonly variant: string;
  readonly algorithm: string;
  /** Rests on MD5 or SHA-1 alone. */
  readonly weak: boolean;
  readonly grade: string;
  readonly sources: readonly string[];
}

/** A known build that the file, or something in it, is alike to. */
export interface ClosestResult {
  /** Nested path of the artifact that was compared. */
  readonly path: string;
  /** Of the known build. */
  readonly sha256: string;
  readonly product: string;
  readonly version: string;
  readonly variant: string;
  readonly platform: string;
  readonly platformName: string | null;
  readonly fileName: string;
  /** Member of the known build that was compared; null for the build itself. */
  readonly part: string | null;
  /** 100: the same bytes. */
  readonly likeness: number;
  /** Score of ssdeep, 0 to 100. */
  readonly ssdeep: number;
  /** Distance of TLSH, from 0 up. */
  readonly tlsh: number | null;
}

/** Something worth saying beside the verdict, with its sources. */
export interface Note {
  readonly kind: 'surveillance' | 'variant' | 'scope' | 'name';
  readonly text: string;
  readonly sources: readonly Citation[];
}

/** The judgement of one artifact. */
export interface Judgement {
  readonly verdict: VerdictName;
  /** Row of the decision table that decided. */
  readonly rule: string;
  /** One plain sentence: why. */
  readonly reason: string;
  /** Product id; undefined when it claims to be none. */
  readonly product: string | undefined;
  /** Variant id: the edition that was named, also for official editions. */
  readonly variant: string | undefined;
  /** Path of the member that decided, when it was not the artifact itself. */
  readonly decidedBy: string | undefined;
}

export interface ProblemResult {
  readonly code: ErrorCode;
  readonly path: string;
  readonly offset?: number;
  readonly message: string;
  readonly consequence: string;
  readonly incomplete: boolean;
}

export interface FactResult {
  readonly kind: string;
  readonly name?: string;
  readonly value: string | number | boolean;
  readonly region?: string;
  readonly offset?: number;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

/** One node of the tree, as it is printed. */
export interface TreeNode {
  readonly path: string;
  readonly name: string;
  readonly relation: 'root' | 'file' | 'part' | 'image';
  readonly format: string;
  readonly formatTitle: string;
  readonly size: number | null;
  readonly sha256: string | null;
  readonly verdict: VerdictName;
  readonly rule: string;
  readonly facts: readonly FactResult[];
  readonly problems: readonly ProblemResult[];
  readonly members: readonly TreeNode[];
}

/** Everything that is said about one file given. */
export interface FileResult {
  readonly path: string;
  readonly size: number | null;
  readonly sha256: string | null;
  readonly product: string | null;
  readonly productName: string | null;
  readonly verdict: VerdictName;
  readonly rule: string;
  readonly reason: string;
  readonly decidedBy: string | null;
  readonly variant: string | null;
  readonly variantName: string | null;
  /** Where, by whom and when it was offered, as far as the database says. */
  readonly variantOrigin: string | null;
  /** What the file calls itself or the ledger calls it: 'Skype', 'Skype4COM'. */
  readonly title: string | null;
  readonly version: string | null;
  readonly platform: string | null;
  readonly platformName: string | null;
  readonly integrity: Integrity | null;
  readonly signer: SignerStatus | null;
  readonly authenticity: Authenticity | null;
  readonly knownBuild: KnownBuildResult | null;
  /** At most three, the most alike first; null when there is none. */
  readonly closest: readonly ClosestResult[] | null;
  readonly complete: boolean;
  readonly incompleteReasons: readonly IncompleteReason[];
  readonly problems: readonly ProblemResult[];
  readonly telltales: readonly Telltale[];
  readonly notes: readonly Note[];
  /** Names of files in the same folder that were asked for, because this one says that it goes on there. */
  readonly readBeside: readonly string[];
  /** YARA rules of the person's own that matched, sorted by rule, file and path: they change no verdict. */
  readonly rules: readonly RuleFinding[];
  readonly tree: TreeNode | null;
}
