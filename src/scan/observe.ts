import type { Authenticity } from '../authenticity/model.ts';
import type { Fact, Format, Region } from '../formats/model.ts';
import { type Evidence, evaluate, type IndicatorMatch, type SignerView } from '../signatures/evaluate.ts';
import type { KnownBuildMatch } from '../signatures/known-builds.ts';
import type { ProductDatabase } from '../signatures/load.ts';
import type { Hits } from '../signatures/match.ts';
import type { ArtifactDigests } from './artifact-digests.ts';
import type { Knowledge } from './knowledge.ts';
import { type Artifact, type Problem, type ProductObservation, walkArtifacts } from './model.ts';
import { toBaseName } from './names.ts';
import { toPlace } from './place.ts';

/** What the walk found out about one artifact, before the database was asked. */
export interface Findings {
  readonly name: string;
  /** It is the file that was given: its report says whether the ledger has it. */
  readonly isGiven: boolean;
  readonly format: Pick<Format, 'id' | 'nature'>;
  /** Formats of the programs that this artifact is a part of. */
  readonly programs: readonly string[];
  readonly facts: readonly Fact[];
  readonly regions: readonly Region[];
  readonly hits: Hits;
  readonly size: number;
  readonly digests: ArtifactDigests;
  /** Something in it could not be read. */
  readonly hasUnread: boolean;
  readonly authenticity: Authenticity | undefined;
  readonly members: readonly Artifact[];
}

/** Asks the database about one artifact, product by product; products that have nothing to say are left out. */
export function observe(knowledge: Knowledge, findings: Findings): readonly ProductObservation[] {
  const evaluation = evaluate(knowledge.compiled, {
    formats: [findings.format.id, ...findings.programs],
    program: findings.format.nature === 'acting' || findings.programs.length > 0,
    fileName: toBaseName(findings.name),
    facts: findings.facts,
    hits: findings.hits,
    memberNames: findings.members.map((member) => toBaseName(member.name)),
    signers: toSigners(findings.authenticity),
    digests: findings.digests.first,
  });
  const observations: ProductObservation[] = [];
  for (const database of knowledge.database.products) {
    const { id } = database.product;
    const told = {
      product: id,
      telltales: evaluation.indicators
        .filter((match) => match.product === id && !isSeenInside(match, findings.members))
        .map((match) => ({
          ...match,
          evidence: match.evidence.map((one) => toPlaced(one, findings.regions)),
        })),
      claims: evaluation.claims.filter((match) => match.product === id),
      scopes: evaluation.scopes.filter((match) => match.product === id),
    };
    const isTold = told.telltales.length + told.claims.length + told.scopes.length > 0;
    const knownBuild = knowledge.usesKnownBuilds
      ? findKnownBuild(database, findings, findings.isGiven ? isTold : told.claims.length > 0)
      : undefined;
    if (isTold || knownBuild !== undefined) observations.push({ ...told, knownBuild });
  }
  return observations;
}

/**
 * Asks the ledger. SHA-256 is always looked up. The other digests cost several times as much, and a file of the product
 * has something to show for itself: they are looked up when the file or something in it claims the product, has the
 * name or the size of a line, or could not be read to its end; and for the file given when anything in it tells of the
 * product, because its report then says whether it is in the ledger.
 */
function findKnownBuild(
  { product: { id, claims }, knownBuilds }: ProductDatabase,
  { name, size, digests, hasUnread, members }: Findings,
  isWorthIt: boolean,
): KnownBuildMatch | undefined {
  const mayBeListed =
    isWorthIt ||
    hasUnread ||
    claims.length === 0 ||
    knownBuilds.isListed(toBaseName(name), size) ||
    mayHold(members, id);
  return knownBuilds.find(mayBeListed ? digests.all : digests.first);
}

/** Whether something could not be read, and may be anything. A list that is longer than what is told of it was read. */
export function isUnread(problems: readonly Problem[]): boolean {
  return problems.some(({ code, incomplete }) => incomplete && code !== 'limit/count');
}

/** Whether a member claims a product, or could not be read. */
function mayHold(members: readonly Artifact[], product: string): boolean {
  return members.some(
    (member) =>
      isUnread(member.problems) ||
      member.observations.some((one) => one.product === product && one.claims.length > 0) ||
      mayHold(member.members, product),
  );
}

function toSigners(authenticity: Authenticity | undefined): readonly SignerView[] {
  if (authenticity === undefined) return [];
  const views: SignerView[] = [];
  for (const signature of authenticity.signatures) {
    const { signer } = signature;
    // A pinned certificate on a signature that does not hold proves nothing about these bytes.
    const pin = signature.outcome === 'holds' ? signature.pin : undefined;
    if (signer === undefined) continue;
    views.push({
      status: pin !== undefined ? 'pinned' : authenticity.signer === 'claimed' ? 'claimed' : 'other',
      ...(pin === undefined ? {} : { publisher: pin.publisher }),
      commonName: signer.subjectCommonName,
      issuerCommonName: signer.issuerCommonName,
      ...toOrganization(signer.issuer),
      sha1: signer.sha1,
      sha256: signer.sha256,
    });
  }
  return views;
}

/** The organisation in a distinguished name as the certificate summary writes it. */
function toOrganization(name: string): { readonly issuerOrganization?: string } {
  const organization = /(?:^|, )O=((?:\\.|[^,\\])*)/.exec(name)?.[1];
  return organization === undefined ? {} : { issuerOrganization: organization.replaceAll(/\\(.)/g, '$1') };
}

/** Names the region of an evidence by its offset: the smallest one that holds it. */
function toPlaced(evidence: Evidence, regions: readonly Region[]): Evidence {
  const { offset } = evidence;
  if (offset === undefined || evidence.region !== undefined) return evidence;
  const region = toPlace(regions, offset);
  return region === undefined ? evidence : { ...evidence, region };
}

/**
 * Bytes of a stored member lie in its container too. The same telltale is told once, at the deepest place: here it is
 * dropped when all of its bytes lie inside members in which it matched as well.
 */
function isSeenInside(match: IndicatorMatch, members: readonly Artifact[]): boolean {
  if (match.evidence.length === 0) return false;
  const holders = members.filter((member) =>
    [...walkArtifacts(member)].some((artifact) =>
      artifact.observations.some((one) =>
        one.telltales.some((told) => told.indicator.id === match.indicator.id),
      ),
    ),
  );
  const isHeld = (offset: number, length: number): boolean =>
    holders.some(
      ({ containerOffset, size }) =>
        containerOffset !== undefined &&
        size !== undefined &&
        offset >= containerOffset &&
        offset + length <= containerOffset + size,
    );
  return match.evidence.every(
    ({ offset, length = 0, furtherOffsets = [] }) =>
      offset !== undefined && [offset, ...furtherOffsets].every((place) => isHeld(place, length)),
  );
}
