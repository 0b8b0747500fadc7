import type { Authenticity } from '../authenticity/model.ts';
import type { Fact, Finding, FormatNature, Region } from '../formats/model.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import type { ClaimMatch, IndicatorMatch, ScopeMatch } from '../signatures/evaluate.ts';
import type { KnownBuildMatch } from '../signatures/known-builds.ts';
import type { ClosestBuild } from './closest.ts';

/** A fault with the path of the artifact in which it lies. */
export interface Problem extends Finding {
  readonly path: string;
}

/** What matched in one artifact for one product. */
export interface ProductObservation {
  readonly product: string;
  readonly telltales: readonly IndicatorMatch[];
  readonly claims: readonly ClaimMatch[];
  readonly scopes: readonly ScopeMatch[];
  readonly knownBuild: KnownBuildMatch | undefined;
}

/** One artifact with everything that was observed in it, and its members in stored order. */
export interface Artifact {
  /** Nested path, joined with {@link pathSeparator}; text is as in the file. */
  readonly path: string;
  readonly name: string;
  readonly relation: 'root' | 'file' | 'part' | 'image';
  /** Where its bytes lie in the container, when they are stored there as they are. */
  readonly containerOffset?: number;
  readonly format: { readonly id: string; readonly title: string; readonly nature: FormatNature };
  /** Bytes that were really there; undefined when none could be read. */
  readonly size: number | undefined;
  /** Bytes that the container promised, when the member could not be read to its end. */
  readonly declaredSize?: number;
  readonly digests: Readonly<Partial<Record<DigestAlgorithm, string>>>;
  readonly facts: readonly Fact[];
  readonly regions: readonly Region[];
  readonly authenticity: Authenticity | undefined;
  readonly observations: readonly ProductObservation[];
  /** Known builds that it is alike to. A hint: no judgement looks at it. */
  readonly closest?: readonly ClosestBuild[];
  readonly problems: readonly Problem[];
  readonly members: readonly Artifact[];
}

/** Between the names of a nested path. */
export const pathSeparator = ' » ';

/** The artifact and everything inside it, the artifact first. */
export function* walkArtifacts(artifact: Artifact): Generator<Artifact> {
  yield artifact;
  for (const member of artifact.members) yield* walkArtifacts(member);
}
