import type { Limits } from '../bytes/budget.ts';
import type { Knowledge } from '../scan/knowledge.ts';
import { type Artifact, walkArtifacts } from '../scan/model.ts';
import type { CompiledCondition, CompiledDatabase, Probe } from '../signatures/compile.ts';
import type { Evidence } from '../signatures/evaluate.ts';
import { listProbes } from '../signatures/lint.ts';
import type { Hits } from '../signatures/match.ts';
import type { Strength } from '../signatures/schema.ts';
import type { ProblemResult } from '../verdict/model.ts';
import { toProblemResult } from '../verdict/unread.ts';
import { toFailedMeasure } from './failed.ts';
import { readArtifacts } from './scan-file.ts';
import type { FileJob } from './settings.ts';

/*
 * How common is what a database looks for, in software that has nothing to do with its products?
 *
 * A file is walked as in a scan. Beside what fires there, every occurrence of every pattern is counted: also where an
 * indicator does not apply, or where the rest of its condition does not hold. Bytes that are stored in a container as
 * they are belong to its member, so each occurrence counts once, at its deepest place.
 */

/** Places of one statement that are told for one file; all are counted. */
const placesKept = 8;
/** Problems of one file that are told; all are counted. */
const problemsKept = 1_000;

/** Artifacts that are several members together; they have no bytes of their own. */
const gatheredFormats: ReadonlySet<string> = new Set(['app-bundle', 'folder']);

/** A text, host, expression or row of bytes that a database looks for, in all encodings. */
export interface Pattern {
  readonly kind: Probe['kind'];
  /** As the database has it. */
  readonly text: string;
  readonly probes: readonly Probe[];
  /** Ids of the indicators, claims and scopes that ask for it, sorted. */
  readonly usedBy: readonly string[];
}

/** Where a statement held. */
export interface FiringPlace {
  readonly file: string;
  /** Nested path; text is as in the file. */
  readonly member: string;
  /** Byte offset from the start of the member, where the evidence has one. */
  readonly offset?: number;
  /** What matched; parts of it may be text from the file. */
  readonly evidence: string;
}

interface Firing {
  /** Index among the statements of the compiled database. */
  readonly statement: number;
  readonly artifacts: number;
  /** The first 8. */
  readonly places: readonly FiringPlace[];
}

interface PatternCount {
  /** Index among the patterns of the compiled database. */
  readonly pattern: number;
  readonly occurrences: number;
  readonly artifacts: number;
}

/** What was counted in one file. Plain data: it crosses between threads. */
export interface FileMeasure {
  readonly path: string;
  /** Undefined when nothing of the file could be read. */
  readonly size: number | undefined;
  /** Bytes of the file and everything that was unpacked from it. */
  readonly bytesSearched: number;
  readonly artifacts: number;
  /** Artifacts by format. */
  readonly formats: Readonly<Record<string, number>>;
  readonly patterns: readonly PatternCount[];
  /** Indicators of which a pattern occurs, by index, with the number of artifacts. */
  readonly occurring: readonly (readonly [number, number])[];
  readonly indicators: readonly Firing[];
  readonly claims: readonly Firing[];
  /** Artifacts that could not be read fully. */
  readonly artifactsUnread: number;
  /** How often each code made the result incomplete. */
  readonly unread: Readonly<Record<string, number>>;
  /** The first 1,000. */
  readonly problems: readonly ProblemResult[];
}

/** An indicator, with the files and artifacts in which it fires. */
interface CountedIndicator {
  readonly product: string;
  readonly indicator: string;
  readonly variant: string;
  readonly strength: Strength;
  readonly files: number;
  readonly artifacts: number;
}

/** An indicator, and how common it is. */
export interface IndicatorCount extends CountedIndicator {
  /** Files and artifacts in which at least one of its patterns occurs, whether it applies there or not. */
  readonly occursInFiles: number;
  readonly occursInArtifacts: number;
}

/** An indicator that fired. */
export interface FiredIndicator extends CountedIndicator {
  /** The first 8 of each file. */
  readonly places: readonly FiringPlace[];
}

/** A statement that a file belongs to the product, and that held. */
export interface FiredClaim {
  readonly product: string;
  readonly claim: string;
  readonly files: number;
  readonly artifacts: number;
  readonly places: readonly FiringPlace[];
}

/** How common everything is that a database looks for. */
export interface GoodwareMeasure {
  /** Files looked at, and those of which nothing could be read. */
  readonly files: number;
  readonly filesUnread: number;
  readonly filesIncomplete: number;
  readonly artifacts: number;
  readonly artifactsUnread: number;
  /** Of the files as they lie there. */
  readonly bytes: number;
  /** With everything that was unpacked from them. */
  readonly bytesSearched: number;
  /** Sorted by number, then by id. */
  readonly formats: readonly { readonly format: string; readonly artifacts: number }[];
  /** In the order of the database: product, variant, strength, id. */
  readonly indicators: readonly IndicatorCount[];
  /** Strongest first. */
  readonly fired: readonly FiredIndicator[];
  readonly claims: readonly FiredClaim[];
  /** Most common first. */
  readonly patterns: readonly {
    readonly kind: Probe['kind'];
    readonly text: string;
    readonly usedBy: readonly string[];
    readonly files: number;
    readonly artifacts: number;
    readonly occurrences: number;
  }[];
  /** Codes of what could not be read; most common first. */
  readonly unread: readonly { readonly code: string; readonly count: number }[];
  /** In the order of the files, at most 1,000 for each. */
  readonly problems: readonly ProblemResult[];
}

/** All patterns of a database, without repetitions, in a fixed order. */
export function listPatterns(compiled: CompiledDatabase): readonly Pattern[] {
  const byKey = new Map<
    string,
    { readonly probes: Set<Probe>; readonly usedBy: Set<string>; readonly first: Probe }
  >();
  const gather = (id: string, condition: CompiledCondition): void => {
    for (const probe of listProbes(condition)) {
      const key = JSON.stringify([probe.kind, probe.label, probe.boundary, probe.ignoreCase]);
      const known = byKey.get(key) ?? { probes: new Set(), usedBy: new Set(), first: probe };
      known.probes.add(probe);
      known.usedBy.add(id);
      byKey.set(key, known);
    }
  };
  for (const { indicator, condition } of compiled.indicators) gather(indicator.id, condition);
  for (const { claim, condition } of compiled.claims) gather(claim.id, condition);
  for (const { scope, condition } of compiled.scopes) gather(scope.id, condition);
  return [...byKey.values()].map(({ probes, usedBy, first }) => ({
    kind: first.kind,
    text: first.label,
    probes: [...probes],
    usedBy: [...usedBy].sort(),
  }));
}

/** Counts everything in one file. Never throws: what cannot be read is told in the result. */
export async function measureFile(job: FileJob, knowledge: Knowledge, limits: Limits): Promise<FileMeasure> {
  const counter = new FileCounter(job.path, knowledge.compiled);
  try {
    const root = await readArtifacts(job, knowledge, limits, {
      witness: (artifact, hits) => counter.count(artifact, hits),
    });
    return counter.finish(root);
  } catch (error) {
    return toFailedMeasure(job.path, error);
  }
}

/** Counts while one file is walked, members before their containers. */
class FileCounter {
  readonly #path: string;
  readonly #compiled: CompiledDatabase;
  readonly #patterns: readonly Pattern[];
  /** Indexes of indicators by the index of a pattern. */
  readonly #indicatorsOf: readonly (readonly number[])[];
  /** What occurs in artifacts whose container has not come yet, by the index of the pattern. */
  readonly #totals = new Map<Artifact, ReadonlyMap<number, number>>();
  readonly #counts = new Map<number, { occurrences: number; artifacts: number }>();
  readonly #occurring = new Map<number, number>();
  readonly #indicators: FiringGatherer;
  readonly #claims: FiringGatherer;

  constructor(path: string, compiled: CompiledDatabase) {
    this.#path = path;
    this.#compiled = compiled;
    this.#patterns = listPatterns(compiled);
    this.#indicatorsOf = toIndicatorsOfPatterns(compiled, this.#patterns);
    this.#indicators = new FiringGatherer(path);
    this.#claims = new FiringGatherer(path);
  }

  count(artifact: Artifact, hits: Hits): void {
    if (gatheredFormats.has(artifact.format.id)) return;
    const totals = new Map<number, number>();
    for (const [index, { probes }] of this.#patterns.entries()) {
      const total = probes.reduce((sum, probe) => sum + (hits.get(probe)?.count ?? 0), 0);
      if (total > 0) totals.set(index, total);
    }
    const stored = listStored(artifact).map((member) => this.#totals.get(member));
    const occurring = new Set<number>();
    for (const [index, total] of totals) {
      const own = total - stored.reduce((sum, counts) => sum + (counts?.get(index) ?? 0), 0);
      if (own <= 0) continue;
      const count = this.#counts.get(index) ?? { occurrences: 0, artifacts: 0 };
      count.occurrences += own;
      count.artifacts += 1;
      this.#counts.set(index, count);
      for (const indicator of this.#indicatorsOf[index] ?? []) occurring.add(indicator);
    }
    for (const indicator of occurring)
      this.#occurring.set(indicator, (this.#occurring.get(indicator) ?? 0) + 1);
    // What stands in the members counts in this artifact from here on.
    for (const member of walkArtifacts(artifact)) this.#totals.delete(member);
    if (totals.size > 0) this.#totals.set(artifact, totals);
  }

  finish(root: Artifact): FileMeasure {
    const formats: Record<string, number> = {};
    const unread: Record<string, number> = {};
    const problems: ProblemResult[] = [];
    let artifacts = 0;
    let artifactsUnread = 0;
    let bytesSearched = 0;
    for (const artifact of walkArtifacts(root)) {
      this.#gatherFirings(artifact);
      artifacts += 1;
      formats[artifact.format.id] = (formats[artifact.format.id] ?? 0) + 1;
      // Bytes that lie in the container as they are were counted there.
      if (artifact.containerOffset === undefined && !gatheredFormats.has(artifact.format.id))
        bytesSearched += artifact.size ?? 0;
      const incomplete = artifact.problems.filter((problem) => problem.incomplete);
      if (incomplete.length > 0) artifactsUnread += 1;
      for (const problem of incomplete) {
        unread[problem.code] = (unread[problem.code] ?? 0) + 1;
        if (problems.length < problemsKept) problems.push(toProblemResult(problem));
      }
    }
    return {
      path: this.#path,
      size: root.size ?? 0,
      bytesSearched,
      artifacts,
      formats,
      patterns: [...this.#counts].map(([pattern, count]) => ({ pattern, ...count })),
      occurring: [...this.#occurring],
      indicators: this.#indicators.list(),
      claims: this.#claims.list(),
      artifactsUnread,
      unread,
      problems,
    };
  }

  #gatherFirings(artifact: Artifact): void {
    for (const { product, telltales, claims } of artifact.observations) {
      for (const { indicator, evidence } of telltales) {
        const index = this.#compiled.indicators.findIndex(
          (one) => one.product === product && one.indicator.id === indicator.id,
        );
        this.#indicators.add(index, artifact, evidence);
      }
      for (const { claim, evidence } of claims) {
        const index = this.#compiled.claims.findIndex(
          (one) => one.product === product && one.claim.id === claim.id,
        );
        this.#claims.add(index, artifact, evidence);
      }
    }
  }
}

/** Members whose bytes lie in their container as they are; a bundle only gathers members of the container. */
function listStored(artifact: Artifact): readonly Artifact[] {
  return artifact.members.flatMap((member) =>
    member.containerOffset !== undefined
      ? [member]
      : gatheredFormats.has(member.format.id)
        ? listStored(member)
        : [],
  );
}

function toIndicatorsOfPatterns(
  compiled: CompiledDatabase,
  patterns: readonly Pattern[],
): readonly (readonly number[])[] {
  const users = new Map<Probe, number[]>();
  for (const [index, { condition }] of compiled.indicators.entries()) {
    for (const probe of new Set(listProbes(condition)))
      users.set(probe, [...(users.get(probe) ?? []), index]);
  }
  return patterns.map(({ probes }) => [...new Set(probes.flatMap((probe) => users.get(probe) ?? []))]);
}

class FiringGatherer {
  readonly #file: string;
  readonly #firings = new Map<number, { artifacts: number; readonly places: FiringPlace[] }>();

  constructor(file: string) {
    this.#file = file;
  }

  add(statement: number, artifact: Artifact, evidence: readonly Evidence[]): void {
    const firing = this.#firings.get(statement) ?? { artifacts: 0, places: [] };
    this.#firings.set(statement, firing);
    firing.artifacts += 1;
    if (firing.places.length >= placesKept) return;
    const offset = evidence.find((one) => one.offset !== undefined)?.offset;
    firing.places.push({
      file: this.#file,
      member: artifact.path,
      ...(offset === undefined ? {} : { offset }),
      evidence: evidence.map(({ text }) => text).join(', '),
    });
  }

  list(): readonly Firing[] {
    return [...this.#firings].map(([statement, firing]) => ({ statement, ...firing }));
  }
}

/** Adds up what was counted in many files; the result does not depend on the order in which they were finished. */
export function sumUp(compiled: CompiledDatabase, measures: readonly FileMeasure[]): GoodwareMeasure {
  const sum = (pick: (measure: FileMeasure) => number): number =>
    measures.reduce((total, measure) => total + pick(measure), 0);
  const occurring = new Table();
  const patterns = new Table();
  const occurrences = new Map<number, number>();
  for (const measure of measures) {
    for (const [indicator, artifacts] of measure.occurring) occurring.add(indicator, artifacts);
    for (const { pattern, artifacts, ...counted } of measure.patterns) {
      patterns.add(pattern, artifacts);
      occurrences.set(pattern, (occurrences.get(pattern) ?? 0) + counted.occurrences);
    }
  }
  const indicatorFirings = gatherFirings(measures.map(({ indicators }) => indicators));
  const claimFirings = gatherFirings(measures.map(({ claims }) => claims));
  const indicators = compiled.indicators.map(({ product, variant, indicator }, index) => {
    const fired = indicatorFirings.get(index);
    const { files: occursInFiles, artifacts: occursInArtifacts } = occurring.get(index);
    return {
      product,
      indicator: indicator.id,
      variant: variant.id,
      strength: indicator.strength,
      files: fired?.files ?? 0,
      artifacts: fired?.artifacts ?? 0,
      occursInFiles,
      occursInArtifacts,
    };
  });
  return {
    files: measures.length,
    filesUnread: measures.filter(({ size }) => size === undefined).length,
    filesIncomplete: measures.filter(({ unread }) => Object.keys(unread).length > 0).length,
    artifacts: sum((measure) => measure.artifacts),
    artifactsUnread: sum((measure) => measure.artifactsUnread),
    bytes: sum(({ size }) => size ?? 0),
    bytesSearched: sum((measure) => measure.bytesSearched),
    formats: addNumbers(measures.map(({ formats }) => formats)).map(([format, artifacts]) => ({
      format,
      artifacts,
    })),
    indicators,
    fired: indicators
      .flatMap(({ occursInFiles: _files, occursInArtifacts: _artifacts, ...indicator }, index) => {
        const places = indicatorFirings.get(index)?.places;
        return places === undefined ? [] : [{ ...indicator, places }];
      })
      .sort((a, b) => strengthRank[a.strength] - strengthRank[b.strength]),
    claims: compiled.claims.flatMap(({ product, claim }, index) => {
      const fired = claimFirings.get(index);
      return fired === undefined ? [] : [{ product, claim: claim.id, ...fired }];
    }),
    patterns: listPatterns(compiled)
      .map(({ kind, text, usedBy }, index) => ({
        kind,
        text,
        usedBy,
        ...patterns.get(index),
        occurrences: occurrences.get(index) ?? 0,
      }))
      .sort(
        (a, b) =>
          b.files - a.files ||
          b.artifacts - a.artifacts ||
          b.occurrences - a.occurrences ||
          compareText(a.text, b.text) ||
          compareText(a.kind, b.kind),
      ),
    unread: addNumbers(measures.map(({ unread }) => unread)).map(([code, count]) => ({ code, count })),
    problems: measures.flatMap(({ problems }) => problems),
  };
}

const strengthRank = { decisive: 0, strong: 1, suggestive: 2 } as const satisfies Record<Strength, number>;

/** Files and artifacts by index. */
class Table {
  readonly #counts = new Map<number, { files: number; artifacts: number }>();

  /** Counts one more file. */
  add(index: number, artifacts: number): void {
    const count = this.#counts.get(index) ?? { files: 0, artifacts: 0 };
    count.files += 1;
    count.artifacts += artifacts;
    this.#counts.set(index, count);
  }

  get(index: number): { readonly files: number; readonly artifacts: number } {
    return this.#counts.get(index) ?? { files: 0, artifacts: 0 };
  }
}

function gatherFirings(
  perFile: readonly (readonly Firing[])[],
): ReadonlyMap<
  number,
  { readonly files: number; readonly artifacts: number; readonly places: readonly FiringPlace[] }
> {
  const gathered = new Map<number, { files: number; artifacts: number; places: readonly FiringPlace[] }>();
  for (const { statement, artifacts, places } of perFile.flat()) {
    const before = gathered.get(statement) ?? { files: 0, artifacts: 0, places: [] };
    gathered.set(statement, {
      files: before.files + 1,
      artifacts: before.artifacts + artifacts,
      places: [...before.places, ...places],
    });
  }
  return gathered;
}

/** Largest number first, then by name. */
function addNumbers(tables: readonly Readonly<Record<string, number>>[]): readonly [string, number][] {
  const sums = new Map<string, number>();
  for (const [name, number] of tables.flatMap((table) => Object.entries(table)))
    sums.set(name, (sums.get(name) ?? 0) + number);
  return [...sums].sort(([a, ofA], [b, ofB]) => ofB - ofA || compareText(a, b));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
