import type { Authenticity, SignatureResult } from '../authenticity/model.ts';
import type { Fact } from '../formats/model.ts';
import { type Artifact, type ProductObservation, walkArtifacts } from '../scan/model.ts';
import type { ProductDatabase } from '../signatures/load.ts';
import type { Publisher, VariantRole } from '../signatures/schema.ts';
import { type Case, decide, isGraver } from './judge.ts';
import type { Judgement, VerdictName } from './model.ts';
import { nameVariants, otherEditionRoles, type PlacedMatch, resemblingRoles } from './weigh.ts';

/** Judgements of an artifact and of everything inside it. */
export type Assessment = ReadonlyMap<Artifact, Judgement>;

/** Judges a tree for one product, the innermost members first. */
export function assess(root: Artifact, product: ProductDatabase): Assessment {
  const judgements = new Map<Artifact, Judgement>();
  judge(root, product, judgements);
  return judgements;
}

function judge(
  artifact: Artifact,
  product: ProductDatabase,
  judgements: Map<Artifact, Judgement>,
): Judgement {
  for (const member of artifact.members) judge(member, product, judgements);

  const program = toProgram(artifact);
  const observations = program.flatMap((piece) =>
    piece.observations.filter((one) => one.product === product.product.id),
  );
  const members = program.flatMap((piece) => piece.members).filter((member) => member.relation !== 'image');
  const telltales = collectTelltales(artifact, product.product.id);
  const named = nameVariants(telltales, otherEditionRoles);
  const fakes = nameVariants(telltales, impostorRoles);
  const knownBuild = artifact.observations.find((one) => one.product === product.product.id)?.knownBuild;
  const knownVariant =
    knownBuild === undefined ? undefined : product.variants.find(({ id }) => id === knownBuild.variant);
  const gravest = toGravest(members, judgements);
  const { signer, bearsPinnedCertificate } = toSigner(artifact.authenticity, product);
  const facts: Case = {
    nature: artifact.format.nature,
    claim: toClaim(
      observations,
      signer === 'pinned' || signer === 'claimed' || bearsPinnedCertificate,
      gravest !== undefined,
    ),
    fake: fakes.length > 0,
    otherEdition: named.length > 0,
    unrelated: observations.some(({ telltales: own }) =>
      own.some(
        ({ variant, indicator }) => variant.role === 'unrelated' && indicator.strength !== 'suggestive',
      ),
    ),
    knownBuild:
      knownBuild === undefined
        ? 'none'
        : knownVariant !== undefined && otherEditionRoles.has(knownVariant.role)
          ? 'other-edition'
          : 'official',
    knownByWeakDigest: knownBuild?.weak ?? false,
    integrity: artifact.authenticity?.integrity,
    signer,
    bearsPinnedCertificate,
    sealBroken: hasBrokenSeal(artifact),
    bytesMissing: artifact.problems.some(({ code }) => code === 'malformed/truncated'),
    gravestMember: gravest?.verdict ?? 'other',
  };
  const { row, verdict } = decide(facts);
  const judgement: Judgement = {
    verdict,
    rule: row.id,
    reason: row.reason,
    product: verdict === 'other' ? undefined : product.product.id,
    variant: toVariant(row.id, {
      named,
      fakes,
      knownVariant: knownVariant?.id,
      observations,
      gravestVariant: gravest?.variant,
    }),
    decidedBy:
      row.verdict === 'as-member' || (artifact.format.nature === 'transport' && gravest?.verdict === verdict)
        ? gravest?.decidedBy
        : undefined,
  };
  judgements.set(artifact, judgement);
  for (const piece of program) {
    if (piece === artifact) continue;
    judgements.set(piece, {
      ...judgement,
      rule: 'same-program',
      reason: 'it is the same program in another form',
    });
  }
  return judgement;
}

/** Who signed it, as this product sees it: the publisher of another product is just somebody else. */
function toSigner(
  authenticity: Authenticity | undefined,
  product: ProductDatabase,
): Pick<Case, 'signer' | 'bearsPinnedCertificate'> {
  if (authenticity === undefined) return { signer: 'none', bearsPinnedCertificate: false };
  const isOurs = product.publishers.some(({ id }) => id === authenticity.publisher);
  return {
    signer:
      authenticity.signer === 'none' || authenticity.signer === 'other' || isOurs
        ? authenticity.signer
        : 'other',
    bearsPinnedCertificate: authenticity.signatures.some((signature) =>
      product.publishers.some((publisher) => bearsPin(signature, publisher)),
    ),
  };
}

/** Whether the signature was made with a pinned certificate, whatever it is a signature of. */
function bearsPin(
  { signer, chain, certificateOf }: SignatureResult,
  { id, authenticode, androidCertificates = [] }: Publisher,
): boolean {
  if (certificateOf === id) return true;
  if (signer === undefined) return false;
  return (
    androidCertificates.some((pin) => isPinned(pin, signer)) ||
    authenticode.leaves.some((pin) => isPinned(pin, signer)) ||
    authenticode.intermediates.some(
      (pin) =>
        pin.commonNames.includes(signer.subjectCommonName) &&
        chain.slice(1).some((issuer) => isPinned(pin, issuer)),
    )
  );
}

function isPinned(pin: CertificatePin, { sha1, sha256 }: CertificatePin): boolean {
  return pin.sha256 === undefined ? pin.sha1 === sha1 : pin.sha256 === sha256;
}

interface CertificatePin {
  readonly sha1?: string | undefined;
  readonly sha256?: string | undefined;
}

const impostorRoles: ReadonlySet<VariantRole> = new Set(['impostor']);

/** The artifact and its unpacked images: one program in several forms. */
export function toProgram(artifact: Artifact): readonly Artifact[] {
  return [artifact, ...artifact.members.filter(({ relation }) => relation === 'image').flatMap(toProgram)];
}

/** Every telltale in the artifact and inside it. */
export function collectTelltales(artifact: Artifact, product: string): readonly PlacedMatch[] {
  const placed: PlacedMatch[] = [];
  for (const piece of walkArtifacts(artifact)) {
    for (const observation of piece.observations) {
      if (observation.product !== product) continue;
      for (const match of observation.telltales) placed.push({ path: piece.path, match });
    }
  }
  return placed;
}

function toClaim(
  observations: readonly ProductObservation[],
  bySigner: boolean,
  byMember: boolean,
): Case['claim'] {
  const claims = observations.flatMap((one) => one.claims);
  if (bySigner || claims.some(({ claim }) => claim.strength === 'asserts')) return 'asserts';
  const telltales = observations.flatMap((one) => one.telltales);
  const resembles =
    claims.length > 0 ||
    telltales.some(
      ({ variant, indicator }) =>
        resemblingRoles.has(variant.role) ||
        (indicator.strength !== 'suggestive' && variant.role !== 'unrelated'),
    );
  if (resembles) return 'resembles';
  return byMember ? 'contains' : 'none';
}

interface Gravest {
  readonly verdict: VerdictName;
  readonly variant: string | undefined;
  readonly decidedBy: string;
}

function toGravest(
  members: readonly Artifact[],
  judgements: ReadonlyMap<Artifact, Judgement>,
): Gravest | undefined {
  let gravest: Gravest | undefined;
  for (const member of members) {
    const judgement = judgements.get(member);
    if (judgement === undefined || judgement.product === undefined || judgement.verdict === 'other') continue;
    if (gravest !== undefined && !isGraver(judgement.verdict, gravest.verdict)) continue;
    gravest = {
      verdict: judgement.verdict,
      variant: judgement.variant,
      decidedBy: judgement.decidedBy ?? member.path,
    };
  }
  return gravest;
}

/** Which edition is named: by the row that decided, otherwise by a telltale that only informs. */
function toVariant(
  rule: string,
  known: {
    readonly named: readonly string[];
    readonly fakes: readonly string[];
    readonly knownVariant: string | undefined;
    readonly observations: readonly ProductObservation[];
    readonly gravestVariant: string | undefined;
  },
): string | undefined {
  switch (rule) {
    case 'known-fake':
      return known.fakes[0];
    case 'another-edition':
      return known.named[0];
    case 'gravest-member':
    case 'carries-worse':
      return known.gravestVariant;
    case 'no-claim':
      return undefined;
    default: {
      if (known.knownVariant !== undefined) return known.knownVariant;
      const informing = known.observations
        .flatMap(({ telltales }) => telltales)
        .filter(({ variant, indicator }) =>
          variant.role === 'edition'
            ? indicator.strength !== 'suggestive'
            : resemblingRoles.has(variant.role) ||
              variant.role === 'unrelated' ||
              variant.role === 'co-brand',
        );
      const [first] = informing.map(({ variant }) => variant.id).sort();
      if (first !== undefined) return first;
      return rule === 'proved' ? 'official' : undefined;
    }
  }
}

/** All facts of a program, its unpacked images included, outermost first. */
export function collectFacts(artifact: Artifact): readonly Fact[] {
  return toProgram(artifact).flatMap(({ facts }) => facts);
}

/** Programs with tens of thousands of facts are in use: a plain loop is not much, a call for each fact is. */
function hasBrokenSeal({ facts }: Artifact): boolean {
  for (const fact of facts) if (fact.kind === 'sealBroken') return true;
  return false;
}
