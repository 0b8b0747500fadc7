import { toHex } from '../bytes/cursor.ts';
import { type Artifact, type Problem, walkArtifacts } from '../scan/model.ts';
import { toBaseName } from '../scan/names.ts';
import type { RuleFinding } from '../scan/rule-search.ts';
import type { Evidence, IndicatorMatch } from '../signatures/evaluate.ts';
import type { Database, ProductDatabase } from '../signatures/load.ts';
import { toPattern } from '../signatures/name-pattern.ts';
import { compareLikeness } from '../signatures/similarity/similar-builds.ts';
import type { Source, Variant } from '../signatures/schema.ts';
import { strengths } from '../signatures/vocabulary.ts';
import { toLink } from '../signatures/source-link.ts';
import { type Assessment, assess, collectFacts, collectTelltales, toProgram } from './assess.ts';
import { toPrintableBytes } from './printable-bytes.ts';
import { isGraver } from './judge.ts';
import { toIncompleteReasons, toProblemResult } from './unread.ts';
import {
  type Citation,
  type ClosestResult,
  type FileResult,
  type Judgement,
  type KnownBuildResult,
  type Note,
  type Telltale,
  type TelltaleEvidence,
  type TreeNode,
} from './model.ts';

/**
 * Turns a walked tree into everything that is said about one file. Several products are judged independently; the
 * gravest answer is told.
 *
 * @param path - as the person gave it
 * @param ruleSearch - told as it is; it changes no verdict
 */
export function toFileResult(
  path: string,
  root: Artifact,
  database: Database,
  ruleSearch: RuleSearchResult = { findings: [], problems: [] },
): FileResult {
  const [first, ...others] = database.products.map((product) => ({
    product,
    assessment: assess(root, product),
  }));
  if (first === undefined) throw new Error('a database without a product');
  let chosen = first;
  for (const other of others) {
    if (isGraver(judgementOf(root, other.assessment).verdict, judgementOf(root, chosen.assessment).verdict))
      chosen = other;
  }
  const { product, assessment } = chosen;
  const judgement = judgementOf(root, assessment);
  const isProduct = judgement.product !== undefined;
  const deciding = findArtifact(root, judgement.decidedBy) ?? root;
  const problems = [
    ...[...walkArtifacts(root)].flatMap((artifact) => artifact.problems),
    ...ruleSearch.problems,
  ].map(toProblemResult);
  const knownBuild = toKnownBuild(deciding, product);
  const { version, title } = isProduct ? toIdentity(deciding, knownBuild) : { version: null, title: null };
  const variant = product.variants.find(({ id }) => id === judgement.variant);
  const platformId = isProduct ? (knownBuild?.platform ?? toPlatform(deciding, product)) : undefined;
  // A transport has no signature of its own: that of the member that decided is told.
  const authenticity = root.authenticity ?? deciding.authenticity ?? null;

  return {
    path,
    size: root.size ?? null,
    sha256: root.digests.sha256 ?? null,
    product: judgement.product ?? null,
    productName: isProduct ? product.product.name : null,
    verdict: judgement.verdict,
    rule: judgement.rule,
    reason: judgement.reason,
    decidedBy: judgement.decidedBy ?? null,
    variant: judgement.variant ?? null,
    variantName: variant?.name ?? null,
    variantOrigin: variant === undefined ? null : toOrigin(variant),
    title: isProduct ? (title ?? product.product.name) : null,
    version,
    platform: platformId ?? null,
    platformName: product.product.platforms.find(({ id }) => id === platformId)?.name ?? null,
    integrity: authenticity?.integrity ?? null,
    signer: authenticity?.signer ?? null,
    authenticity,
    knownBuild: toKnownBuild(root, product) ?? knownBuild ?? null,
    closest: knownBuild === undefined ? toClosest(root, deciding, product) : null,
    complete: problems.every(({ incomplete }) => !incomplete),
    incompleteReasons: toIncompleteReasons(problems),
    problems,
    telltales: toTelltales(root, product),
    notes: toNotes(root, product, judgement, deciding),
    readBeside: [],
    rules: ruleSearch.findings,
    tree: toTreeNode(root, assessment),
  };
}

/** What the person's own rules found, and where they were not tried. */
export interface RuleSearchResult {
  readonly findings: readonly RuleFinding[];
  readonly problems: readonly Problem[];
}

function judgementOf(artifact: Artifact, assessment: Assessment): Judgement {
  const judgement = assessment.get(artifact);
  if (judgement === undefined) throw new Error('an artifact was not judged');
  return judgement;
}

function findArtifact(root: Artifact, path: string | undefined): Artifact | undefined {
  if (path === undefined) return undefined;
  for (const artifact of walkArtifacts(root)) if (artifact.path === path) return artifact;
  return undefined;
}

/** What packages and property lists call the version that people see. */
const versionFields = [
  'Version',
  'versionName',
  'CFBundleShortVersionString',
  'version',
  'Identity.Version',
] as const;

/** What the program calls itself and which version it says that it is. */
function toIdentity(
  artifact: Artifact,
  knownBuild: KnownBuildResult | undefined,
): { readonly version: string | null; readonly title: string | null } {
  const facts = collectFacts(artifact);
  const text = (kind: string, name?: string): string | undefined => {
    for (const fact of facts) {
      if (
        fact.kind === kind &&
        fact.name === name &&
        typeof fact.value === 'string' &&
        fact.value.trim() !== ''
      ) {
        return fact.value.trim();
      }
    }
    return undefined;
  };
  const said =
    text('versionInfo', 'FileVersion') ??
    text('fileVersion') ??
    text('versionInfo', 'ProductVersion') ??
    text('msiProperty', 'ProductVersion') ??
    text('installerProperty', 'AppVersion') ??
    versionFields.map((name) => text('packageField', name)).find((value) => value !== undefined);
  const version =
    knownBuild?.version !== undefined && knownBuild.version !== ''
      ? knownBuild.version
      : said?.replaceAll(/\s*,\s*/g, '.');
  return {
    version: version ?? null,
    title:
      knownBuild?.product ?? text('versionInfo', 'ProductName') ?? text('msiProperty', 'ProductName') ?? null,
  };
}

function toPlatform(artifact: Artifact, product: ProductDatabase): string | undefined {
  return product.product.platforms.find(({ formats }) => formats.includes(artifact.format.id))?.id;
}

function toKnownBuild(artifact: Artifact, product: ProductDatabase): KnownBuildResult | undefined {
  const match = artifact.observations.find((one) => one.product === product.product.id)?.knownBuild;
  if (match === undefined) return undefined;
  const { product: name, version, platform, fileName, variant, algorithm, weak, grade, sources } = match;
  return { product: name, version, platform, fileName, variant, algorithm, weak, grade, sources };
}

const closestTold = 3;

/**
 * Builds that are most alike to the file or to the member that decided; where there are none, to anything in it. Of a
 * build and its unpacked image only the more alike is told.
 */
function toClosest(
  root: Artifact,
  deciding: Artifact,
  { product }: ProductDatabase,
): readonly ClosestResult[] | null {
  const collect = (artifacts: Iterable<Artifact>) =>
    [...artifacts].flatMap(({ path, closest = [] }) =>
      closest.filter((one) => one.product === product.id).map((one) => ({ path, one })),
    );
  const near = collect(new Set([...toProgram(root), ...toProgram(deciding)]));
  const found = near.length > 0 ? near : collect(walkArtifacts(root));
  const told = new Set<string>();
  const results: ClosestResult[] = [];
  for (const { path, one } of found.sort((a, b) => compareLikeness(a.one, b.one))) {
    const { sha256, version, variant, platform, fileName, part } = one.build;
    const name = [one.build.product, version, variant, platform, fileName].join('\t');
    if (told.has(name)) continue;
    told.add(name);
    results.push({
      path,
      sha256,
      product: one.build.product,
      version,
      variant,
      platform,
      platformName: product.platforms.find(({ id }) => id === platform)?.name ?? null,
      fileName,
      part: part === '' ? null : part,
      likeness: one.percent,
      ssdeep: one.ssdeep,
      tlsh: one.tlsh ?? null,
    });
    if (results.length === closestTold) break;
  }
  return results.length === 0 ? null : results;
}

/** One line for each indicator, with every place where it was seen; decisive ones first. */
function toTelltales(root: Artifact, product: ProductDatabase): readonly Telltale[] {
  const byIndicator = new Map<string, { telltale: Telltale; evidence: TelltaleEvidence[] }>();
  for (const { path, match } of collectTelltales(root, product.product.id)) {
    const { indicator } = match;
    let entry = byIndicator.get(indicator.id);
    if (entry === undefined) {
      const evidence: TelltaleEvidence[] = [];
      entry = {
        evidence,
        telltale: { ...toTelltaleHead(match, product), evidence },
      };
      byIndicator.set(indicator.id, entry);
    }
    for (const one of match.evidence) entry.evidence.push(toEvidence(path, one));
  }
  return [...byIndicator.values()]
    .map(({ telltale }) => telltale)
    .sort(
      (a, b) =>
        strengths.indexOf(a.strength) - strengths.indexOf(b.strength) ||
        compare(a.variant, b.variant) ||
        compare(a.id, b.id),
    );
}

/** What the database says of an indicator that matched. */
export function toTelltaleHead(
  { variant, indicator }: IndicatorMatch,
  product: ProductDatabase,
): Omit<Telltale, 'evidence'> {
  return {
    id: indicator.id,
    title: indicator.title,
    variant: variant.id,
    variantName: variant.name,
    role: variant.role,
    strength: indicator.strength,
    sources: toCitations(indicator.sources, product),
    testedOnRealFile: indicator.testedOnRealFile,
    ...(indicator.note === undefined ? {} : { note: indicator.note }),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** @param path - of the artifact in which it was seen */
export function toEvidence(path: string, evidence: Evidence): TelltaleEvidence {
  return {
    kind: evidence.kind,
    path,
    ...(evidence.region === undefined ? {} : { region: evidence.region }),
    ...(evidence.offset === undefined ? {} : { offset: evidence.offset }),
    text: evidence.text,
    ...toShownBytes(evidence),
    ...(evidence.count === undefined ? {} : { count: evidence.count }),
  };
}

function toShownBytes({
  bytes,
  bytesBefore = 0,
  length = 0,
}: Evidence): Pick<TelltaleEvidence, 'bytes' | 'hex' | 'matchStart' | 'matchLength'> {
  if (bytes === undefined) return {};
  return {
    bytes: toPrintableBytes(bytes),
    hex: toHex(bytes),
    matchStart: bytesBefore,
    matchLength: Math.max(0, Math.min(length, bytes.length - bytesBefore)),
  };
}

/** Sources by id, as the report cites them. */
export function toCitations(ids: readonly string[], product: ProductDatabase): readonly Citation[] {
  return ids.flatMap((id) => {
    const source = product.sources.get(id);
    return source === undefined ? [] : [toCitation(id, source)];
  });
}

function toCitation(id: string, source: Source): Citation {
  const link = toLink(source);
  return {
    id,
    title: source.title,
    short: source.short,
    kind: source.kind,
    ...(link === undefined ? {} : { link }),
  };
}

/** Where and when an edition was offered, and by whom: `China, TOM Online, 2004 to 2013`. */
export function toOrigin({ region, publisher, years }: Variant): string | null {
  const period =
    years === undefined
      ? undefined
      : [years.from, years.to].filter((year) => year !== undefined).join(' to ');
  const parts = [region, publisher, period].filter((part) => part !== undefined && part !== '');
  return parts.length === 0 ? null : parts.join(', ');
}

function toNotes(
  root: Artifact,
  product: ProductDatabase,
  judgement: Judgement,
  deciding: Artifact,
): readonly Note[] {
  const notes: Note[] = [];
  for (const variant of product.variants) {
    // What is known of the official edition in general explains no single file; explain tells it.
    if (variant.id !== judgement.variant || variant.role === 'official') continue;
    const { status, text, sources } = variant.surveillance;
    if (status !== 'unknown' && text !== undefined) {
      notes.push({ kind: 'surveillance', text, sources: toCitations(sources, product) });
    }
    for (const note of variant.notes ?? []) {
      notes.push({ kind: 'variant', text: note.text, sources: toCitations(note.sources, product) });
    }
  }
  if (judgement.product !== undefined) {
    const seen = new Set<string>();
    for (const piece of toProgram(deciding)) {
      for (const { product: id, scopes } of piece.observations) {
        if (id !== product.product.id) continue;
        for (const { scope } of scopes) {
          if (seen.has(scope.id)) continue;
          seen.add(scope.id);
          notes.push({
            kind: 'scope',
            text: `${scope.title}: ${scope.note}`,
            sources: toCitations(scope.sources, product),
          });
        }
      }
    }
  } else if (
    (product.product.names ?? []).some((pattern) => toPattern(pattern).test(toBaseName(root.name)))
  ) {
    notes.push({
      kind: 'name',
      text: `is named like ${product.product.name}, but nothing that was read in it says that it is`,
      sources: [],
    });
  }
  for (const fact of root.facts) {
    if (fact.kind === 'extensionMismatch') {
      notes.push({
        kind: 'name',
        text: `is named .${fact.name ?? ''}, but its content is another: ${fact.value}`,
        sources: [],
      });
    }
  }
  return notes;
}

function toTreeNode(artifact: Artifact, assessment: Assessment): TreeNode {
  const judgement = judgementOf(artifact, assessment);
  return {
    path: artifact.path,
    name: artifact.name,
    relation: artifact.relation,
    format: artifact.format.id,
    formatTitle: artifact.format.title,
    size: artifact.size ?? null,
    sha256: artifact.digests.sha256 ?? null,
    verdict: judgement.verdict,
    rule: judgement.rule,
    facts: artifact.facts,
    problems: artifact.problems.map(toProblemResult),
    members: artifact.members.map((member) => toTreeNode(member, assessment)),
  };
}
