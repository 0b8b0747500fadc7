import type { ByteSource } from '../bytes/byte-source.ts';
import type { Hits } from '../signatures/match.ts';
import type { Artifact } from './model.ts';
import type { ArtifactObserver } from './observer.ts';

/** Sees the bytes of an artifact while they are at hand; they may not be kept. */
export type Visitor = (path: string, source: ByteSource) => void;

/**
 * Sees everything that occurs in an artifact, its members first: also what no statement of the database asks for
 * there, and what stands in the first part of an artifact that could not be read to its end.
 */
export type Witness = (artifact: Artifact, hits: Hits) => void;

/** Whoever wants to see more of a walk than its result. None of them changes it. */
export interface Onlookers {
  /** Is shown the bytes of every artifact that could be read, its members first. */
  readonly visitor?: Visitor;
  readonly witness?: Witness;
  /** Is fed the bytes of every artifact that could be read, the artifact before its members. */
  readonly observer?: ArtifactObserver;
  /** Every digest that a ledger has is wanted of the artifact given, also where no line can be about it. */
  readonly wantsAllDigests?: boolean;
  /** Is told the name of every file beside the one that is read that was asked for, also of one that is not there. */
  readonly onSibling?: (name: string) => void;
}
