import type { Fact } from '../formats/model.ts';
import { type Artifact, pathSeparator, walkArtifacts } from '../scan/model.ts';
import { toBaseName } from '../scan/names.ts';
import type { Evidence, IndicatorMatch } from '../signatures/evaluate.ts';
import type { Database, ProductDatabase } from '../signatures/load.ts';
import { strengths } from '../signatures/vocabulary.ts';
import { toEvidence, toTelltaleHead } from '../verdict/result.ts';
import { toFactText } from './facts.ts';
import type { Carrier, MemberChange, MemberHalf, TelltaleChange, TelltaleChanges } from './model.ts';

/** Finds the entries in which an artifact stands, and the side that it is on. */
export type Entries = (artifact: Artifact) => readonly MemberChange[];

type Side = 'before' | 'after';

/** Telltales that only one side has, with where they are and whether what differs carries them. */
export function compareTelltales(
  before: Artifact,
  after: Artifact,
  entries: Entries,
  database: Database,
): TelltaleChanges {
  const left = collect(before, database);
  const right = collect(after, database);
  const only = (own: Found, others: Found, side: Side): readonly TelltaleChange[] =>
    [...own.values()]
      .filter(({ key }) => !others.has(key))
      .map((one) => toChange(one, side, entries))
      .sort(byStrength);
  return {
    came: only(right, left, 'after'),
    went: only(left, right, 'before'),
    stayed: [...left.values()]
      .filter(({ key }) => right.has(key))
      .map(({ match: { indicator } }) => ({
        id: indicator.id,
        title: indicator.title,
        strength: indicator.strength,
      }))
      .sort(byStrength),
  };
}

interface FoundTelltale {
  readonly key: string;
  readonly product: ProductDatabase;
  readonly match: IndicatorMatch;
  readonly places: { readonly artifact: Artifact; readonly evidence: Evidence }[];
}

type Found = ReadonlyMap<string, FoundTelltale>;

function collect(root: Artifact, { products }: Database): Found {
  const found = new Map<string, FoundTelltale>();
  for (const artifact of walkArtifacts(root)) {
    for (const { product: id, telltales } of artifact.observations) {
      const product = products.find((one) => one.product.id === id);
      if (product === undefined) continue;
      for (const match of telltales) {
        const key = `${id}\0${match.indicator.id}`;
        let entry = found.get(key);
        if (entry === undefined) {
          entry = { key, product, match, places: [] };
          found.set(key, entry);
        }
        for (const evidence of match.evidence) entry.places.push({ artifact, evidence });
      }
    }
  }
  return found;
}

function byStrength(
  a: Pick<TelltaleChange, 'strength' | 'id'>,
  b: Pick<TelltaleChange, 'strength' | 'id'>,
): number {
  return strengths.indexOf(a.strength) - strengths.indexOf(b.strength) || (a.id < b.id ? -1 : 1);
}

function toChange({ match, product, places }: FoundTelltale, side: Side, entries: Entries): TelltaleChange {
  return {
    ...toTelltaleHead(match, product),
    places: places.map(({ artifact, evidence }) => ({
      ...toEvidence(artifact.path, evidence),
      carriedBy: toCarrier(evidence, side, entries(artifact)),
    })),
  };
}

/** Which part of the difference holds a piece of evidence. */
function toCarrier(evidence: Evidence, side: Side, entries: readonly MemberChange[]): Carrier {
  if (entries.some(({ state }) => state === 'added' || state === 'removed')) return 'member';
  const found = entries.map((entry) => toCarrierIn(evidence, side, entry));
  return found.find((carrier) => carrier !== 'none') ?? 'none';
}

function toCarrierIn(evidence: Evidence, side: Side, entry: MemberChange): Carrier {
  switch (evidence.kind) {
    case 'fileName':
      return toOwnName(entry.before) === toOwnName(entry.after) ? 'none' : 'name';
    case 'signer':
      return entry.signature === null ? 'none' : 'signature';
    // The members directly inside are entries of their own; that one of them differs is what makes this hold.
    case 'memberName':
      return entry.state === 'changed' || entry.state === 'renamed-and-changed' ? 'name' : 'none';
    default: {
      const { fact, offset, length = 1 } = evidence;
      if (fact !== undefined && isChangedFact(fact, side, entry)) return 'fact';
      return offset === undefined ? 'none' : toPlacedCarrier(offset, length, side, entry);
    }
  }
}

/** The file name, whatever it lies in. */
function toOwnName(half: MemberHalf | null): string {
  return toBaseName(half?.path.split(pathSeparator).at(-1) ?? '');
}

function isChangedFact({ kind, name, value, detail }: Fact, side: Side, { facts }: MemberChange): boolean {
  const text = toFactText({ kind, value, ...(detail === undefined ? {} : { detail }) });
  return facts.some((change) => change.kind === kind && change.name === name && change[side] === text);
}

function toPlacedCarrier(offset: number, length: number, side: Side, entry: MemberChange): Carrier {
  const region = entry.regions
    .filter(
      ({ [side]: half }) => half !== undefined && offset >= half.offset && offset < half.offset + half.size,
    )
    .sort((a, b) => (a[side]?.size ?? 0) - (b[side]?.size ?? 0))[0];
  // Behind bytes that were put in everything lies elsewhere: a region with the same content did not change.
  if (region?.state === 'same' || region?.state === 'renamed') return 'none';
  const { bytes } = entry;
  if (bytes !== null) {
    const isIn = bytes.ranges.some(
      ({ [side]: range }) => offset < range.offset + range.length && offset + length > range.offset,
    );
    if (isIn) return 'bytes';
    if (bytes.total === bytes.ranges.length) return 'none';
  }
  return region === undefined ? 'none' : 'region';
}
