import type { ProductDatabase } from '../signatures/load.ts';
import { tryParseVersion } from '../signatures/evaluate.ts';
import type { KnownBuild } from '../signatures/known-builds.ts';
import {
  type Claim,
  type Indicator,
  type IndicatorTest,
  type Language,
  type Publisher,
  type Scope,
  type Source,
  type Variant,
  variantRoles,
} from '../signatures/schema.ts';
import { strengths } from '../signatures/vocabulary.ts';
import { localize } from '../signatures/translations.ts';
import { toLink } from '../signatures/source-link.ts';
import { toConditionText } from './condition-text.ts';
import { type Messages, messages } from './messages/index.ts';

/*
 * What the database says of one of its subjects, as a document without a form: sections of entries. Text and markdown
 * are made from the same dossier. Its texts are plain and come from databases of strangers, too: whoever writes them
 * somewhere escapes them.
 */

/** Something that a database describes under an id. */
export type Subject =
  | { readonly kind: 'variant'; readonly product: ProductDatabase; readonly variant: Variant }
  | {
      readonly kind: 'indicator';
      readonly product: ProductDatabase;
      readonly variant: Variant;
      readonly indicator: Indicator;
    }
  | { readonly kind: 'claim'; readonly product: ProductDatabase; readonly claim: Claim }
  | { readonly kind: 'scope'; readonly product: ProductDatabase; readonly scope: Scope }
  | {
      readonly kind: 'source';
      readonly product: ProductDatabase;
      readonly id: string;
      readonly source: Source;
    };

export interface Dossier {
  readonly id: string;
  readonly title: string;
  readonly sections: readonly Section[];
}

export interface Section {
  /** Empty for the first section, which stands below the title. */
  readonly heading: string;
  /** Sources are listed once where several dossiers stand on one page. */
  readonly kind: 'statements' | 'sources';
  readonly entries: readonly Entry[];
}

/** One statement, who says so, and what belongs to it. */
export interface Entry {
  /** Empty where the text needs none. */
  readonly label: string;
  readonly text: string;
  /** Id under which the database has it. */
  readonly id?: string;
  readonly cites?: readonly Reference[];
  readonly entries?: readonly Entry[];
}

/** A source, short. */
export interface Reference {
  readonly short: string;
  /** As a person reads it: an address, or `owner/name@commit:path`. Absent for what a stranger cannot open. */
  readonly link?: string;
  /** What a browser opens. */
  readonly address?: string;
}

export interface DossierOptions {
  readonly language: Language;
  /** Also what the fixtures contain. */
  readonly isVerbose: boolean;
}

interface Context extends DossierOptions {
  readonly product: ProductDatabase;
  readonly words: Messages;
}

/** Everything that the database says of a subject. */
export function toDossier(subject: Subject, options: DossierOptions): Dossier {
  const context: Context = { ...options, product: subject.product, words: messages[options.language] };
  switch (subject.kind) {
    case 'variant':
      return toVariantDossier(subject.variant, context);
    case 'indicator':
      return toIndicatorDossier(subject.indicator, subject.variant, context);
    case 'claim':
      return toClaimDossier(subject.claim, context);
    case 'scope':
      return toScopeDossier(subject.scope, context);
    case 'source':
      return toSourceDossier(subject.id, subject.source, context);
  }
}

// ---------------------------------------------------------------------------------------------- variants

function toVariantDossier(variant: Variant, context: Context): Dossier {
  const { language, words, product } = context;
  const { common, explain } = words;
  const { labels, sections } = explain;
  const { surveillance, notes = [], notConclude = [], indicators } = variant;
  const surveillanceText = localize(surveillance, 'text', language);
  const status = common.surveillance[surveillance.status];
  return toDocument(variant.id, localize(variant, 'name', language), [
    {
      heading: '',
      entries: [
        say(labels.role, common.roles[variant.role]),
        ...sayIfThere(labels.publisher, localize(variant, 'publisher', language)),
        ...sayIfThere(labels.region, localize(variant, 'region', language)),
        say(labels.platforms, toPlatformNames(variant, product)),
        ...toYearEntries(variant, words),
        say(labels.summary, localize(variant, 'summary', language)),
      ],
    },
    {
      heading: sections.documented,
      entries: [
        {
          ...say(
            labels.surveillance,
            surveillanceText === undefined ? status : explain.labelled(status, surveillanceText),
          ),
          cites: toReferences(surveillance.sources, product),
        },
        ...notes.map((note) => ({
          ...say(labels.note, localize(note, 'text', language)),
          cites: toReferences(note.sources, product),
        })),
      ],
    },
    {
      heading: sections.notConclude,
      entries: notConclude.map((note) => ({
        ...say('', localize(note, 'text', language)),
        cites: toReferences(note.sources, product),
      })),
    },
    { heading: sections.scope, entries: toScopeEntries(variant, context) },
    ...strengths.map((strength) => ({
      heading: sections.indicators[strength],
      entries: indicators
        .filter((one) => one.strength === strength)
        .map((one) => ({
          ...say('', localize(one, 'title', language)),
          id: one.id,
          entries: toIndicatorEntries(one, context),
        })),
    })),
    toSourcesSection(listVariantSources(variant), context),
  ]);
}

function toYearEntries({ years }: Variant, { explain }: Messages): readonly Entry[] {
  if (years === undefined || (years.from === undefined && years.to === undefined)) return [];
  const text = explain.years(years.from, years.to);
  return [say(explain.labels.years, years.to === undefined ? explain.openYears(text) : text)];
}

/** Ids of all sources that a variant cites, sorted. */
export function listVariantSources({
  surveillance,
  notes = [],
  notConclude = [],
  indicators,
}: Variant): readonly string[] {
  const ids = [surveillance, ...notes, ...notConclude, ...indicators].flatMap(({ sources }) => sources);
  return [...new Set(ids)].sort();
}

function toPlatformNames(variant: Variant, { product }: ProductDatabase): string {
  return variant.platforms
    .map((id) => product.platforms.find((platform) => platform.id === id)?.name ?? id)
    .join(', ');
}

function toScopeEntries(variant: Variant, { words, product }: Context): readonly Entry[] {
  const { labels, ...explain } = words.explain;
  const { indicators } = variant;
  const builds = toBuildGroups(variant.id, product);
  const total = builds.reduce((sum, { digests }) => sum + digests, 0);
  return [
    say(
      labels.indicators,
      indicators.length === 0 ? explain.noIndicators : explain.strengthCounts(countStrengths(variant)),
    ),
    ...(indicators.length === 0
      ? []
      : [say(labels.realFiles, explain.seenInRealFiles(countSeen(variant), indicators.length))]),
    {
      ...say(labels.knownBuilds, total === 0 ? explain.noKnownBuilds : explain.knownBuildTotal(total)),
      entries: builds.map(({ name, digests, versions, oldest, newest }) =>
        say(
          '',
          explain.knownBuilds(name === '' ? explain.unnamedBuild : name, digests, versions, oldest, newest),
        ),
      ),
    },
  ];
}

/** Indicators of a variant by strength. */
export function countStrengths({ indicators }: Variant): Readonly<Record<Indicator['strength'], number>> {
  const counts = { decisive: 0, strong: 0, suggestive: 0 };
  for (const { strength } of indicators) counts[strength] += 1;
  return counts;
}

/** Indicators of a variant that were seen to fire on a real file of it. */
export function countSeen({ indicators }: Variant): number {
  return indicators.filter(({ testedOnRealFile }) => testedOnRealFile).length;
}

/** What the ledger holds of a variant under one product name. */
export interface BuildGroup {
  /** Empty where no source names the product. */
  readonly name: string;
  readonly digests: number;
  /** Different versions. */
  readonly versions: number;
  /** By their numbers; empty where no version is recorded. */
  readonly oldest: string;
  readonly newest: string;
}

/** The known builds of a variant, sorted by the name of their product. */
export function toBuildGroups(variant: string, { knownBuilds }: ProductDatabase): readonly BuildGroup[] {
  const byName = new Map<string, KnownBuild[]>();
  for (const build of knownBuilds.rows) {
    if (build.variant !== variant) continue;
    const group = byName.get(build.product);
    if (group === undefined) byName.set(build.product, [build]);
    else group.push(build);
  }
  return [...byName]
    .sort(([a], [b]) => compare(a, b))
    .map(([name, builds]) => {
      const versions = [
        ...new Set(builds.map(({ version }) => version).filter((version) => version !== '')),
      ].sort(compareVersions);
      return {
        name,
        digests: builds.length,
        versions: versions.length,
        oldest: versions[0] ?? '',
        newest: versions.at(-1) ?? '',
      };
    });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By their numbers: 4.9 before 4.10. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [tryParseVersion(a) ?? [], tryParseVersion(b) ?? []];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return compare(a, b);
}

// -------------------------------------------------------------------------------------------- indicators

function toIndicatorDossier(indicator: Indicator, variant: Variant, context: Context): Dossier {
  const { language, words } = context;
  const { labels } = words.explain;
  return toDocument(indicator.id, localize(indicator, 'title', language), [
    {
      heading: '',
      entries: [
        { ...say(labels.variant, localize(variant, 'name', language)), id: variant.id },
        say(labels.strength, words.common.strengths[indicator.strength]),
        ...toIndicatorEntries(indicator, context),
      ],
    },
    toSourcesSection(indicator.sources, context),
  ]);
}

function toIndicatorEntries(indicator: Indicator, context: Context): readonly Entry[] {
  const { language, words, product } = context;
  const { labels, ...explain } = words.explain;
  const { hit, nearMiss } = indicator.tests;
  return [
    say(labels.condition, toConditionText(indicator.when, language)),
    say(labels.artifacts, toArtifactText(indicator.in, words)),
    ...sayIfThere(labels.note, localize(indicator, 'note', language)),
    say(labels.tested, indicator.testedOnRealFile ? explain.testedOnRealFile : explain.testedOnFixtures),
    {
      ...say(labels.fixtures, explain.fixtures(hit.length, nearMiss.length)),
      entries: [
        ...hit.flatMap((test) => toFixtureEntries(labels.hit, test, context)),
        ...nearMiss.flatMap((test) => toFixtureEntries(labels.nearMiss, test, context)),
      ],
    },
    { ...say(labels.sources, ''), cites: toReferences(indicator.sources, product) },
  ];
}

function toArtifactText(artifacts: readonly string[], { explain }: Messages): string {
  if (artifacts.includes('any')) return explain.artifacts.any;
  const formats = artifacts.filter((id) => id !== 'program');
  return explain.eitherArtifact([
    ...(artifacts.includes('program') ? [explain.artifacts.program] : []),
    ...(formats.length === 0 ? [] : [explain.formats(formats)]),
  ]);
}

/** A fixture in short is the reason why it is there; one without a reason is shown only with its content. */
function toFixtureEntries(label: string, test: IndicatorTest, context: Context): readonly Entry[] {
  const { labelled } = context.words.explain;
  if (!context.isVerbose) return test.why === undefined ? [] : [say('', labelled(label, test.why))];
  const content = describeFixture(test, context.words);
  return [say('', labelled(label, test.why === undefined ? content : labelled(test.why, content)))];
}

function describeFixture(test: IndicatorTest, { explain, conditions }: Messages): string {
  const names = explain.fixtureParts;
  const quoteAll = (texts: readonly string[]): string => texts.map(conditions.quote).join(', ');
  const parts: (readonly [string, string])[] = [[names.format, test.format]];
  if (test.fileName !== undefined) parts.push([names.fileName, test.fileName]);
  if (test.content !== undefined) parts.push([names.content, quoteAll(test.content)]);
  if (test.utf16 !== undefined) parts.push([names.utf16, quoteAll(test.utf16)]);
  if (test.bytes !== undefined) parts.push([names.bytes, test.bytes.join(', ')]);
  if (test.memberNames !== undefined) parts.push([names.memberNames, quoteAll(test.memberNames)]);
  if (test.facts !== undefined) {
    const facts = test.facts.map(
      ({ kind, name, value }) =>
        `${name === undefined ? kind : `${kind} ${name}`} = ${conditions.quote(value)}`,
    );
    parts.push([names.facts, facts.join(', ')]);
  }
  if (test.signer !== undefined) {
    const { status, ...further } = test.signer;
    const fields = Object.entries(further).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name} = ${conditions.quote(value)}`],
    );
    parts.push([names.signer, [status, ...fields].join(', ')]);
  }
  if (test.sha256 !== undefined) parts.push([names.sha256, test.sha256]);
  return parts.map(([name, value]) => `${name} ${value}`).join('; ');
}

// ------------------------------------------------------------------------------------- claims and scopes

function toClaimDossier(claim: Claim, context: Context): Dossier {
  const { labels, ...explain } = context.words.explain;
  const strength = explain.labelled(claim.strength, explain.claimStrengths[claim.strength]);
  return toStatementDossier(claim, explain.claimTitle, [say(labels.strength, strength)], context);
}

function toScopeDossier(scope: Scope, context: Context): Dossier {
  const { labels, scopeTitle } = context.words.explain;
  return toStatementDossier(
    scope,
    scopeTitle,
    [say(labels.note, localize(scope, 'note', context.language))],
    context,
  );
}

function toStatementDossier(
  statement: Claim | Scope,
  kind: string,
  entries: readonly Entry[],
  context: Context,
): Dossier {
  const { language, words, product } = context;
  const { labels } = words.explain;
  return toDocument(statement.id, localize(statement, 'title', language), [
    {
      heading: '',
      entries: [
        say(labels.kind, kind),
        { ...say(labels.product, product.product.name), id: product.product.id },
        ...entries,
        say(labels.condition, toConditionText(statement.when, language)),
        say(labels.artifacts, toArtifactText(statement.in, words)),
      ],
    },
    toSourcesSection(statement.sources, context),
  ]);
}

// ----------------------------------------------------------------------------------------------- sources

function toSourceDossier(id: string, source: Source, context: Context): Dossier {
  const { words } = context;
  const { labels, sections } = words.explain;
  const { variants, indicators, claims, pins, ledgerLines } = listDependents(id, context);
  const rests: readonly (readonly [string, readonly Entry[]])[] = [
    [sections.rests.variants, variants],
    [sections.rests.indicators, indicators],
    [sections.rests.claims, claims],
    [sections.rests.pins, pins],
  ];
  const isUnused = rests.every(([, entries]) => entries.length === 0) && ledgerLines === 0;
  return toDocument(id, source.title, [
    {
      heading: '',
      entries: [
        ...toSourceEntries(source, words),
        ...(ledgerLines === 0 ? [] : [say(labels.knownBuilds, words.explain.ledgerLines(ledgerLines))]),
        ...(isUnused ? [say('', words.explain.nothingRests)] : []),
      ],
    },
    ...rests.map(([heading, entries]) => ({ heading, entries })),
  ]);
}

function toSourceEntries(source: Source, { common, explain }: Messages): readonly Entry[] {
  const { labels } = explain;
  const link = toLink(source);
  const address = toAddress(source);
  const kind = common.sourceKinds[source.kind];
  return [
    say(labels.citedAs, source.short),
    say(labels.kind, source.kind === 'unresolved' ? explain.labelled(kind, explain.unresolved) : kind),
    ...(link === undefined
      ? []
      : [
          {
            ...say(labels.link, ''),
            cites: [{ short: link, ...(address === undefined ? {} : { address }) }],
          },
        ]),
    ...sayIfThere(labels.excerpt, source.excerpt),
    ...sayIfThere(labels.accessed, source.accessed),
    ...sayIfThere(labels.note, source.note),
  ];
}

/** What rests on a source, by id. */
export interface Dependents<Item = string> {
  readonly variants: readonly Item[];
  readonly indicators: readonly Item[];
  /** Claims and scopes. */
  readonly claims: readonly Item[];
  readonly pins: readonly Item[];
  /** Lines of the ledger of known builds. */
  readonly ledgerLines: number;
}

function listDependents(source: string, { product, language, words }: Context): Dependents<Entry> {
  const isCited = ({ sources }: { readonly sources: readonly string[] }): boolean => sources.includes(source);
  const { variants, publishers, knownBuilds } = product;
  const { claims, scopes = [] } = product.product;
  return {
    variants: variants
      .filter(({ surveillance, notes = [], notConclude = [] }) =>
        [surveillance, ...notes, ...notConclude].some(isCited),
      )
      .map((variant) => ({ ...say('', localize(variant, 'name', language)), id: variant.id })),
    indicators: variants
      .flatMap(({ indicators }) => indicators)
      .filter(isCited)
      .map((indicator) => ({ ...say('', localize(indicator, 'title', language)), id: indicator.id })),
    claims: [
      ...claims
        .filter(isCited)
        .map((claim) => ({ ...say('', localize(claim, 'title', language)), id: claim.id })),
      ...scopes
        .filter(isCited)
        .map((scope) => ({ ...say('', localize(scope, 'title', language)), id: scope.id })),
    ],
    pins: publishers.flatMap((publisher) => listPins(publisher, isCited, words.explain.pinKinds)),
    ledgerLines: knownBuilds.rows.filter(isCited).length,
  };
}

/** Days of a pin; its bounds are dates. */
function period(from: string | undefined, to: string | undefined): string {
  return from === undefined && to === undefined ? '' : `, ${from ?? '?'} – ${to ?? '?'}`;
}

function listPins(
  publisher: Publisher,
  isCited: (pin: { readonly sources: readonly string[] }) => boolean,
  kinds: Messages['explain']['pinKinds'],
): readonly Entry[] {
  const {
    authenticode,
    appleTeams = [],
    appxPublishers = [],
    androidCertificates = [],
    aptKeys = [],
  } = publisher;
  return [
    ...authenticode.leaves
      .filter(isCited)
      .map(({ subject, from, to }) => say(kinds.leaf, `${subject}${period(from, to)}`)),
    ...authenticode.intermediates
      .filter(isCited)
      .map(({ name, from, to }) => say(kinds.intermediate, `${name}${period(from, to)}`)),
    ...appleTeams.filter(isCited).map(({ team, from, to }) => say(kinds.team, `${team}${period(from, to)}`)),
    ...appxPublishers.filter(isCited).map((one) => say(kinds.appx, one.publisher)),
    ...androidCertificates
      .filter(isCited)
      .map(({ sha256, from, to }) => say(kinds.android, `${sha256}${period(from, to)}`)),
    ...aptKeys.filter(isCited).map(({ keyId, user }) => say(kinds.apt, `${keyId} ${user}`)),
  ];
}

/** Ids of what rests on a source. Pins are named by their subject, team, package publisher or fingerprint. */
export function toDependentIds(source: string, product: ProductDatabase): Dependents {
  const dependents = listDependents(source, {
    product,
    language: 'en',
    isVerbose: false,
    words: messages.en,
  });
  return {
    variants: toIds(dependents.variants),
    indicators: toIds(dependents.indicators),
    claims: toIds(dependents.claims),
    pins: toIds(dependents.pins),
    ledgerLines: dependents.ledgerLines,
  };
}

function toIds(entries: readonly Entry[]): readonly string[] {
  return entries.map(({ id, text }) => id ?? text);
}

/** Sources in full, sorted by what people call them. */
export function toSourcesSection(
  ids: readonly string[],
  { product, words }: Pick<Context, 'product' | 'words'>,
): Section {
  const found = [...new Set(ids)].flatMap((id) => {
    const source = product.sources.get(id);
    return source === undefined ? [] : [{ id, source }];
  });
  return {
    heading: words.explain.sections.sources,
    kind: 'sources',
    entries: found
      .sort((a, b) => compare(a.source.short, b.source.short) || compare(a.id, b.id))
      .map(({ id, source }) => ({ ...say('', source.title), id, entries: toSourceEntries(source, words) })),
  };
}

function toReferences(ids: readonly string[], { sources }: ProductDatabase): readonly Reference[] {
  return ids.flatMap((id) => {
    const source = sources.get(id);
    return source === undefined ? [] : [toReference(source)];
  });
}

function toReference(source: Source): Reference {
  const link = toLink(source);
  const address = toAddress(source);
  return {
    short: source.short,
    ...(link === undefined ? {} : { link }),
    ...(address === undefined ? {} : { address }),
  };
}

/** What a browser opens. A repository without a host is one of GitHub. */
function toAddress({ url, repository, commit = 'HEAD', path }: Source): string | undefined {
  if (url !== undefined || repository === undefined) return url;
  const root = `https://github.com/${repository}`;
  // A path with patterns stands for several files: the folders before it are shown.
  const isPattern = path !== undefined && /[*{}]/.test(path);
  const shown = isPattern ? path.slice(0, path.search(/[^/]*[*{}]/)) : (path ?? '');
  const place = shown
    .split('/')
    .filter((step) => step !== '')
    .map(encodeURIComponent);
  return [root, path === undefined || isPattern ? 'tree' : 'blob', commit, ...place].join('/');
}

// --------------------------------------------------------------------------------------------- documents

function toDocument(
  id: string,
  title: string,
  sections: readonly (Omit<Section, 'kind'> & Partial<Pick<Section, 'kind'>>)[],
): Dossier {
  return {
    id,
    title,
    sections: sections
      .filter(({ entries }) => entries.length > 0)
      .map((section) => ({ kind: 'statements', ...section })),
  };
}

function say(label: string, text: string): Entry {
  return { label, text };
}

function sayIfThere(label: string, text: string | undefined): readonly Entry[] {
  return text === undefined ? [] : [say(label, text)];
}

// ------------------------------------------------------------------------------------------------- lists

/** Variants of one role. */
export interface VariantGroup {
  readonly role: Variant['role'];
  readonly heading: string;
  readonly variants: readonly {
    readonly id: string;
    readonly name: string;
    /** Empty where no year is recorded. */
    readonly years: string;
  }[];
}

/** All variants of a product by role, and by id within a role. */
export function toVariantGroups({ variants }: ProductDatabase, language: Language): readonly VariantGroup[] {
  const { common, explain } = messages[language];
  return variantRoles
    .map((role) => ({
      role,
      heading: common.roleGroups[role],
      variants: variants
        .filter((variant) => variant.role === role)
        .map((variant) => ({
          id: variant.id,
          name: localize(variant, 'name', language),
          years: variant.years === undefined ? '' : explain.years(variant.years.from, variant.years.to),
        })),
    }))
    .filter((group) => group.variants.length > 0);
}
