import type { Condition, Indicator, IndicatorTest, Variant } from '../signatures/schema.ts';
import type { TextEncodingSeen } from './text-scanner.ts';

/** What a proposal rests on. */
export type LearntKind =
  | 'signer'
  | 'identity'
  | 'host'
  | 'text'
  | 'bytes'
  | 'digest'
  | 'versionInfo'
  | 'version'
  | 'resource'
  | 'name'
  | 'import'
  | 'export'
  | 'fact';

/** One place at which a feature was seen. */
export interface Sighting {
  /** Nested path, as a report of the scan names it. */
  readonly path: string;
  /** Named place in the artifact: `.data+0x59`. */
  readonly region?: string;
  /** Byte offset from the start of the artifact. */
  readonly offset?: number;
  readonly encoding?: TextEncodingSeen;
  /** Id of the format by which an indicator reaches the artifact. */
  readonly format: string;
}

/** The made-up artifact of a test without its format. */
export type TestBody = Omit<IndicatorTest, 'format'>;

/** Something that can be asked for, and how it is tested. */
export interface Feature {
  readonly kind: LearntKind;
  /** The same for the same feature in whatever file. */
  readonly key: string;
  /** As a person reads it; text from files: escape before printing. */
  readonly title: string;
  readonly value: string;
  readonly when: Condition;
  readonly hit: TestBody;
  readonly nearMisses: readonly TestBody[];
  readonly specificity: Specificity;
}

/** How much a feature says. */
export interface Specificity {
  /** 0 to 100; nothing but an order. */
  readonly score: number;
  readonly reason: string;
}

/** A feature with all places, sample by sample. */
export interface Candidate extends Feature {
  readonly sightings: readonly SampleSightings[];
}

export interface SampleSightings {
  /** Path of the sample. */
  readonly sample: string;
  /** How many artifacts of the sample have it. */
  readonly artifacts: number;
  /** The first few. */
  readonly places: readonly Sighting[];
}

export interface Proposal {
  readonly indicator: Indicator;
  readonly kind: LearntKind;
  readonly score: number;
  readonly reason: string;
  readonly sightings: readonly SampleSightings[];
  /** What always comes with it: contained in it, or beside it in every sample. */
  readonly also: readonly { readonly kind: LearntKind; readonly title: string }[];
}

export type SourceRole = 'sample' | 'other' | 'goodware';

/** What became of one of the files. */
export interface LearntSource {
  readonly path: string;
  readonly role: SourceRole;
  /**
   * - `read`: whole.
   * - `in-part`: something in it could not be read; it counts all the same.
   * - `left-out`: nothing was learnt from it.
   */
  readonly outcome: 'read' | 'in-part' | 'left-out';
  /** Why it was not read whole, or left out. Text from files may be in it: escape before printing. */
  readonly reason?: string;
}

/** Proposals that did not stand the test, by what they failed. */
export interface Dropped {
  /** Said too little to be tried. */
  readonly weak: number;
  /** Did not fire on enough of the samples. */
  readonly samples: number;
  readonly others: number;
  readonly goodware: number;
  /** Failed the tests that were made for them, or would be found by chance. */
  readonly ownTests: number;
  /** The database has them already. */
  readonly known: number;
}

export interface Learnt {
  readonly product: string;
  readonly variant: string;
  /** Samples in which something must be seen to be proposed. */
  readonly least: number;
  readonly sources: readonly LearntSource[];
  /** Best first. */
  readonly proposals: readonly Proposal[];
  /** Sound proposals beyond the number that was asked for. */
  readonly withheld: number;
  /** Shared features that were not tried, because more telling ones were. */
  readonly untried: number;
  readonly dropped: Dropped;
  /** Limits that were reached, one plain sentence each. */
  readonly limits: readonly string[];
  /** The variant file, its sources to be filled in; undefined when nothing was learnt. */
  readonly draft: Variant | undefined;
}
