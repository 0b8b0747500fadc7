import type { Database, ProductDatabase } from '../signatures/load.ts';
import { KnownBuilds } from '../signatures/known-builds.ts';
import { SimilarBuilds } from '../signatures/similarity/similar-builds.ts';
import type { Condition, Indicator, Source, Strength, Variant, VariantRole } from '../signatures/schema.ts';
import { pathSeparator } from '../scan/model.ts';
import { toBaseName } from '../scan/names.ts';
import type { Candidate, LearntKind, SampleSightings, Sighting } from './model.ts';

/** What a draft is made for. */
export interface DraftSettings {
  readonly variant: string;
  readonly role: VariantRole;
  /** The samples are real files of the variant. */
  readonly isReal: boolean;
  readonly samples: number;
  /** How many files the samples were compared with. */
  readonly compared: number;
}

/** A score from which on something may name the variant together with another kind. */
const strongScore = 60;
const neverStrong: ReadonlySet<LearntKind> = new Set(['name', 'version', 'import']);

/** Never decisive: that takes a source and a person. */
export function suggestStrength(candidate: Candidate, { samples, compared }: DraftSettings): Strength {
  const isStrong =
    samples >= 2 &&
    compared >= 1 &&
    candidate.specificity.score >= strongScore &&
    !neverStrong.has(candidate.kind);
  return isStrong ? 'strong' : 'suggestive';
}

/** An indicator whose sources a person has to fill in. */
export function toIndicator(id: string, candidate: Candidate, settings: DraftSettings): Indicator {
  const { title, when, hit, nearMisses, kind } = candidate;
  const artifacts = toArtifacts(candidate.sightings);
  const format = artifacts.find((one) => one !== 'program') ?? 'pe';
  const isContent = kind === 'text' || kind === 'host';
  return {
    id,
    title: shorten(title),
    when,
    in: artifacts,
    strength: suggestStrength(candidate, settings),
    sources: [],
    tests: {
      hit: [{ format, ...hit }],
      nearMiss: [
        ...nearMisses.map((test) => ({ ...test, format })),
        ...(isContent
          ? [
              {
                why: 'a web page that quotes it is no evidence',
                format: 'html',
                ...(hit.bytes === undefined ? { content: [candidate.value] } : { bytes: hit.bytes }),
              },
            ]
          : []),
      ],
    },
    testedOnRealFile: settings.isReal,
    note: toNote(candidate, settings),
  };
}

const titleCharacters = 100;

function shorten(title: string): string {
  const characters = [...title];
  return characters.length <= titleCharacters
    ? title
    : `${characters.slice(0, titleCharacters - 1).join('')}…`;
}

/** Formats in which it was seen in the fewest words: in each sample the first place counts. */
function toArtifacts(sightings: readonly SampleSightings[]): string[] {
  return [...new Set(sightings.flatMap(({ places }) => places[0]?.format ?? []))].sort();
}

const placesInNote = 3;

function toNote({ specificity, sightings }: Candidate, { samples, compared }: DraftSettings): string {
  const places = sightings
    .slice(0, placesInNote)
    .flatMap(({ sample, places: [first] }) => (first === undefined ? [] : toPlaceText(sample, first)));
  const further = sightings.length - places.length;
  return [
    `Learnt: ${specificity.reason}, seen in ${sightings.length} of ${samples} samples`,
    compared === 0
      ? ', which were compared with no other files.'
      : ` and in none of the ${compared} files that they were compared with.`,
    ` Places: ${places.join('; ')}${further > 0 ? `; and ${further} more` : ''}.`,
  ].join('');
}

/** The place without the folder in which the sample lay, which is nobody's concern but the finder's. */
function toPlaceText(sample: string, { path, region, offset, encoding }: Sighting): string {
  const inner = path.startsWith(sample) ? toBaseName(sample) + path.slice(sample.length) : path;
  const at = region ?? (offset === undefined ? undefined : `0x${offset.toString(16)}`);
  return [inner, ...(at === undefined ? [] : [at])].join(pathSeparator) + toEncodingText(encoding);
}

function toEncodingText(encoding: Sighting['encoding']): string {
  switch (encoding) {
    case undefined:
      return '';
    case 'ascii':
      return ' (UTF-8)';
    case 'utf-16le':
      return ' (UTF-16LE)';
    case 'gbk':
      return ' (GBK)';
  }
}

/** The variant file: what is there already, or a frame to be filled in, with the new indicators. */
export function toVariant(
  product: ProductDatabase,
  settings: DraftSettings,
  indicators: readonly Indicator[],
): Variant {
  const known = product.variants.find(({ id }) => id === settings.variant);
  if (known !== undefined) return { ...known, indicators: [...indicators] };
  return {
    id: settings.variant,
    name: settings.variant,
    role: settings.role,
    platforms: toPlatforms(product, indicators),
    surveillance: { status: 'unknown', sources: [] },
    summary: 'A draft: say in two or three plain sentences what this edition is, and cite who says so.',
    indicators: [...indicators],
  };
}

/** Platforms whose formats the indicators are for; all of them when that cannot be told. */
function toPlatforms({ product }: ProductDatabase, indicators: readonly Indicator[]): string[] {
  const formats = new Set(indicators.flatMap((indicator) => indicator.in));
  const fitting = product.platforms.filter((platform) =>
    platform.formats.some((format) => formats.has(format)),
  );
  return (fitting.length > 0 ? fitting : product.platforms).map(({ id }) => id);
}

/** An id that nothing else in the product has. */
export function toUnusedId(candidate: Candidate, variant: string, used: Set<string>): string {
  const words = (
    candidate.kind === 'digest' || candidate.kind === 'bytes' ? candidate.value.slice(0, 12) : candidate.value
  )
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '');
  const base = [variant, candidate.kind.toLowerCase(), ...(words === '' ? [] : [words])].join('-');
  let id = base;
  for (let number = 2; used.has(id); number += 1) id = `${base}-${number}`;
  used.add(id);
  return id;
}

const standIn = 'learnt-stand-in';
const standInSource: Source = {
  title: 'Stands for the source that a person will fill in',
  short: 'stand-in',
  kind: 'primary',
  url: 'https://example.org/',
};

/** A database of nothing but these indicators, as if their sources had been filled in. */
export function toTrialDatabase(product: ProductDatabase, variant: Variant): Database {
  const indicators = variant.indicators.map((indicator) => ({ ...indicator, sources: [standIn] }));
  return {
    products: [
      {
        product: { ...product.product, claims: [], scopes: [], names: [] },
        folders: [],
        sources: new Map([...product.sources, [standIn, standInSource]]),
        publishers: product.publishers,
        variants: [{ ...variant, indicators }],
        knownBuilds: new KnownBuilds([]),
        similarBuilds: new SimilarBuilds([]),
      },
    ],
    digest: '',
    packs: [],
    version: product.product.revision,
  };
}

/** Every leaf of the conditions that a variant has already, as text to compare with. */
export function listKnownConditions(variant: Variant | undefined): ReadonlySet<string> {
  const known = new Set<string>();
  const add = (condition: Condition): void => {
    known.add(JSON.stringify(condition).toLowerCase());
    if ('all' in condition) for (const one of condition.all) add(one);
    if ('any' in condition) for (const one of condition.any) add(one);
    if ('of' in condition) for (const one of condition.of) add(one);
  };
  for (const { when } of variant?.indicators ?? []) add(when);
  return known;
}
