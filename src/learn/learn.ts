/*
 * Learns what the samples of an edition have in common and nothing else has.
 *
 * 1. The samples are walked; features are counted by their hash.
 * 2. The other files are walked; what is seen in them is struck out.
 * 3. The samples are walked again to read what is left, with its places.
 * 4. The most telling proposals become indicators of a database in memory, with which all files are scanned: what does
 *    not fire on the samples, fires on another file, or fails its own tests is dropped.
 */
import type { Limits } from '../bytes/budget.ts';
import { TelltaleError, toErrorFamily } from '../bytes/errors.ts';
import { readArtifacts } from '../jobs/scan-file.ts';
import type { FileJob } from '../jobs/settings.ts';
import { type Knowledge, toKnowledge } from '../scan/knowledge.ts';
import { type Artifact, type Problem, walkArtifacts } from '../scan/model.ts';
import type { ArtifactObserver } from '../scan/observer.ts';
import { checkConditions } from '../signatures/lint-conditions.ts';
import { checkIndicatorTests } from '../signatures/lint.ts';
import type { ProductDatabase } from '../signatures/load.ts';
import { listDraftStatements } from '../signatures/located-statement.ts';
import type { VariantRole } from '../signatures/schema.ts';
import {
  compareCandidates,
  FactCounts,
  groupCandidates,
  listFired,
  rankAcrossKinds,
  toRunCandidates,
  toWalkedSample,
  tryToTextCandidate,
  type WalkedSample,
  weigh,
} from './candidates.ts';
import {
  type DraftSettings,
  listKnownConditions,
  toIndicator,
  toTrialDatabase,
  toUnusedId,
  toVariant,
} from './draft.ts';
import { listFactFeatures } from './fact-features.ts';
import { FeatureCounts, FeatureSet } from './feature-table.ts';
import type { Candidate, Dropped, Learnt, LearntSource, Proposal, SourceRole } from './model.ts';
import { leastScore } from './specificity.ts';
import { Collection, createSurvey } from './survey.ts';

/** Features of one sample. */
const featuresLimit = 4_000_000;
/** Different things that samples say of themselves, over all samples. */
const factsLimit = 500_000;
/** Shared texts that are read. */
const textsLimit = 50_000;
/** Shared windows whose surroundings are compared. */
const windowsLimit = 2_000;
/** Byte runs that are tried. */
const runsLimit = 12;
/** Candidates that are tried on all files. */
const triedLimit = 600;
const runsProposed = 5;

export interface LearnSource {
  readonly role: SourceRole;
  readonly job: FileJob;
}

export interface LearnRequest {
  readonly product: ProductDatabase;
  readonly variant: string;
  readonly role: VariantRole;
  readonly sources: readonly LearnSource[];
  /** Share of the samples that must have a feature, above 0 up to 1. */
  readonly minShare: number;
  /** The most proposals. */
  readonly max: number;
  readonly isReal: boolean;
  readonly limits: Limits;
  /** Told what is being done. */
  progress?(text: string): void;
}

/** A file while it is learnt from. */
interface Entry extends LearnSource {
  outcome: LearntSource['outcome'];
  reason: string | undefined;
  /** SHA-256, once it was read. */
  digest: string | undefined;
}

/**
 * Proposes indicators. The order in which the files are given does not matter.
 *
 * @throws TelltaleError `usage/…` when the request makes no sense
 */
export async function learn(request: LearnRequest): Promise<Learnt> {
  return await new Lesson(request).run();
}

class Lesson {
  readonly #request: LearnRequest;
  readonly #entries: readonly Entry[];
  readonly #plain: Knowledge;
  readonly #limits = new Set<string>();
  readonly #dropped = { weak: 0, samples: 0, others: 0, goodware: 0, ownTests: 0, known: 0 };
  #step = '';
  #withheld = 0;
  #untried = 0;

  constructor(request: LearnRequest) {
    this.#request = request;
    this.#entries = toEntries(request.sources);
    this.#plain = this.#toKnowledge([]);
  }

  async run(): Promise<Learnt> {
    const counts = new FeatureCounts();
    const facts = new FactCounts(factsLimit);
    const samples = await this.#surveySamples(counts, facts);
    const least = this.#toLeast(samples.length);
    if (samples.length === 0) return this.#toLearnt(0, []);
    const common = counts.toCommon(least);
    const struck = await this.#surveyOthers(common, facts);
    const candidates = await this.#collect(samples, common, struck, facts, least);
    const proposals = await this.#select(candidates, samples, least);
    return this.#toLearnt(least, proposals);
  }

  /** How many of so many samples must have a feature. */
  #toLeast(samples: number): number {
    return Math.max(1, Math.ceil(this.#request.minShare * samples - 1e-9));
  }

  get #settings(): DraftSettings {
    const counts = (role: SourceRole): number =>
      this.#entries.filter((entry) => entry.role === role && entry.outcome !== 'left-out').length;
    const { variant, role, isReal } = this.#request;
    return {
      variant,
      role,
      isReal,
      samples: counts('sample'),
      compared: counts('other') + counts('goodware'),
    };
  }

  #toKnowledge(indicators: Parameters<typeof toVariant>[2]): Knowledge {
    const { product, variant, role, isReal } = this.#request;
    const settings = { variant, role, isReal, samples: 0, compared: 0 };
    return toKnowledge(toTrialDatabase(product, toVariant(product, settings, indicators)), false);
  }

  async #read(entry: Entry, knowledge: Knowledge, observer?: ArtifactObserver): Promise<Artifact> {
    this.#request.progress?.(`${this.#step}  ${entry.job.path}`);
    return await readArtifacts(
      entry.job,
      knowledge,
      this.#request.limits,
      observer === undefined ? {} : { observer },
    );
  }

  /** Reads a file for the first time, and notes how well that went; undefined when nothing can be learnt from it. */
  async #tryRead(entry: Entry, observer: ArtifactObserver): Promise<Artifact | undefined> {
    let root: Artifact;
    try {
      root = await this.#read(entry, this.#plain, observer);
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error;
      leaveOut(entry, `it ${error.message}`);
      return undefined;
    }
    entry.digest = root.digests.sha256;
    const incomplete = [...walkArtifacts(root)].flatMap(({ problems }) =>
      problems.filter((problem) => problem.incomplete),
    );
    const obstacle = incomplete.find((problem) => isObstacle(problem, root));
    if (obstacle !== undefined && entry.role === 'sample') {
      leaveOut(entry, describe(obstacle));
      return undefined;
    }
    const [first] = incomplete;
    if (first !== undefined) {
      entry.outcome = 'in-part';
      const further = incomplete.length - 1;
      entry.reason = `${describe(first)}${further > 0 ? `; and ${further} more` : ''}`;
    }
    return root;
  }

  async #surveySamples(counts: FeatureCounts, facts: FactCounts): Promise<readonly Entry[]> {
    this.#step = 'reading the samples';
    const samples: Entry[] = [];
    const given = this.#entries.filter(({ role }) => role === 'sample');
    let missed = 0;
    for (const entry of given) {
      const features = new FeatureSet(featuresLimit);
      const root = await this.#tryRead(
        entry,
        createSurvey((key) => features.add(key)),
      );
      const twin = samples.find(({ digest }) => digest !== undefined && digest === entry.digest);
      if (root !== undefined && twin !== undefined) {
        leaveOut(entry, `it is byte for byte the same file as ${twin.job.path}, and counts once`);
      }
      if (root === undefined || twin !== undefined) {
        missed += 1;
        continue;
      }
      if (features.isFull) {
        this.#limits.add(
          `${entry.job.path} has more than ${featuresLimit} texts and byte runs; the others in it were not compared`,
        );
      }
      // What is new in the last samples could not become frequent enough any more, however many are left out.
      const possible = given.length - missed;
      counts.addSample(features, possible - samples.length >= this.#toLeast(possible));
      facts.addSample(entry.job.path, listFactFeatures(root));
      samples.push(entry);
    }
    if (facts.isFull) {
      this.#limits.add(
        `the samples state more than ${factsLimit} different facts; the others were not compared`,
      );
    }
    return samples;
  }

  async #surveyOthers(common: FeatureSet, facts: FactCounts): Promise<FeatureSet> {
    this.#step = 'reading what they are compared with';
    const struck = new FeatureSet(Number.POSITIVE_INFINITY);
    const samples = new Map(
      this.#entries
        .filter(
          ({ role, outcome, digest }) => role === 'sample' && outcome !== 'left-out' && digest !== undefined,
        )
        .map(({ digest, job }) => [digest, job.path]),
    );
    for (const entry of this.#entries) {
      if (entry.role === 'sample') continue;
      const seen = new FeatureSet(Number.POSITIVE_INFINITY);
      const root = await this.#tryRead(
        entry,
        createSurvey((key) => {
          if (common.has(key)) seen.add(key);
        }),
      );
      if (root === undefined) continue;
      const twin = samples.get(entry.digest);
      if (twin !== undefined) {
        leaveOut(entry, `it is byte for byte the sample ${twin}, which would strike out everything`);
        continue;
      }
      for (const key of seen) struck.add(key);
      facts.strike(listFactFeatures(root));
    }
    return struck;
  }

  async #collect(
    samples: readonly Entry[],
    common: FeatureSet,
    struck: FeatureSet,
    facts: FactCounts,
    least: number,
  ): Promise<readonly Candidate[]> {
    this.#step = 'reading what the samples share';
    const collection = new Collection(common, struck, { texts: textsLimit, windows: windowsLimit });
    const walked: WalkedSample[] = [];
    for (const [number, entry] of samples.entries()) {
      const root = await this.#read(entry, this.#plain, collection.observe(number));
      walked.push(toWalkedSample(entry.job.path, root));
    }
    if (collection.isTextLimitHit)
      this.#limits.add(`the samples share more than ${textsLimit} texts; the others were not looked at`);
    if (collection.isWindowLimitHit)
      this.#limits.add(
        `the samples share more than ${windowsLimit} byte runs; the others were not looked at`,
      );
    const texts = [...collection.texts.values()].flatMap((text) => tryToTextCandidate(text, walked) ?? []);
    const runs = toRunCandidates(collection.windows.values(), walked, runsLimit);
    return [...texts, ...runs, ...facts.toCandidates(least)]
      .filter(({ sightings }) => sightings.length >= least)
      .map((candidate) => weigh(candidate, samples.length));
  }

  async #select(
    candidates: readonly Candidate[],
    samples: readonly Entry[],
    least: number,
  ): Promise<readonly Proposal[]> {
    const tried = this.#chooseTried(candidates);
    const { product, variant, max } = this.#request;
    const settings = this.#settings;
    const trialIds = new Set<string>();
    const byId = new Map(tried.map((candidate) => [toUnusedId(candidate, 'trial', trialIds), candidate]));
    const knowledge = this.#toKnowledge(
      [...byId].map(([id, candidate]) => toIndicator(id, candidate, settings)),
    );
    const failed = this.#runOwnTests(knowledge);

    this.#step = 'trying the proposals';
    const firedOn = new Map<string, number>();
    const firedOnOthers = new Map<string, SourceRole>();
    for (const entry of this.#entries) {
      if (entry.outcome === 'left-out' || (entry.role === 'sample' && !samples.includes(entry))) continue;
      for (const id of listFired(await this.#read(entry, knowledge))) {
        if (entry.role === 'sample') firedOn.set(id, (firedOn.get(id) ?? 0) + 1);
        else if (firedOnOthers.get(id) !== 'other') firedOnOthers.set(id, entry.role);
      }
    }
    const sound: Candidate[] = [];
    for (const [id, candidate] of byId) {
      const foreign = firedOnOthers.get(id);
      if (failed.has(id)) this.#dropped.ownTests += 1;
      else if ((firedOn.get(id) ?? 0) < least) this.#dropped.samples += 1;
      else if (foreign === 'other') this.#dropped.others += 1;
      else if (foreign !== undefined) this.#dropped.goodware += 1;
      else sound.push(candidate);
    }
    const groups = limitRuns(groupCandidates(rankAcrossKinds(sound)));
    this.#withheld = Math.max(0, groups.length - max);
    const used = new Set([
      ...product.variants.map(({ id }) => id),
      ...product.variants.flatMap(({ indicators }) => indicators.map(({ id }) => id)),
      variant,
    ]);
    return groups.slice(0, max).map(({ leader, also }) => ({
      indicator: toIndicator(toUnusedId(leader, variant, used), leader, settings),
      kind: leader.kind,
      score: leader.specificity.score,
      reason: leader.specificity.reason,
      sightings: leader.sightings,
      also: also.map(({ kind, title }) => ({ kind, title })),
    }));
  }

  /** The most telling ones that the database does not have yet. */
  #chooseTried(candidates: readonly Candidate[]): readonly Candidate[] {
    const { product, variant } = this.#request;
    const known = listKnownConditions(product.variants.find(({ id }) => id === variant));
    const fresh = candidates.filter(({ when }) => !known.has(JSON.stringify(when).toLowerCase()));
    this.#dropped.known = candidates.length - fresh.length;
    const telling = fresh
      .filter(({ specificity }) => specificity.score >= leastScore)
      .sort(compareCandidates);
    this.#dropped.weak = fresh.length - telling.length;
    this.#untried = Math.max(0, telling.length - triedLimit);
    return telling.slice(0, triedLimit);
  }

  /** Ids of the indicators that a check of the database would complain of. */
  #runOwnTests({ database, compiled }: Knowledge): ReadonlySet<string> {
    const statements = database.products.flatMap(({ product, variants }) =>
      variants.flatMap((variant) => listDraftStatements(product.id, variant)),
    );
    return new Set(
      [...checkIndicatorTests(database, statements, compiled), ...checkConditions(statements)].flatMap(
        ({ subject }) => subject.indicator ?? [],
      ),
    );
  }

  #toLearnt(least: number, proposals: readonly Proposal[]): Learnt {
    const { product, variant } = this.#request;
    const dropped: Dropped = { ...this.#dropped };
    return {
      product: product.product.id,
      variant,
      least,
      sources: this.#entries.map(({ role, job, outcome, reason }) => ({
        path: job.path,
        role,
        outcome,
        ...(reason === undefined ? {} : { reason }),
      })),
      proposals,
      withheld: this.#withheld,
      untried: this.#untried,
      dropped,
      limits: [...this.#limits].sort(),
      draft:
        proposals.length === 0
          ? undefined
          : toVariant(
              product,
              this.#settings,
              proposals.map(({ indicator }) => indicator),
            ),
    };
  }
}

/** Byte runs say little to a person: a few are enough. */
function limitRuns(groups: ReturnType<typeof groupCandidates>): ReturnType<typeof groupCandidates> {
  let runs = 0;
  return groups.filter(({ leader }) => {
    if (leader.kind !== 'bytes') return true;
    runs += 1;
    return runs <= runsProposed;
  });
}

const roleOrder: readonly SourceRole[] = ['sample', 'other', 'goodware'];

/** In an order that does not depend on how they were given; a path that was given twice counts once. */
function toEntries(sources: readonly LearnSource[]): readonly Entry[] {
  const byPath = new Map(sources.map((source) => [`${source.role}\0${source.job.path}`, source]));
  return [...byPath.values()]
    .sort(
      (a, b) => roleOrder.indexOf(a.role) - roleOrder.indexOf(b.role) || (a.job.path < b.job.path ? -1 : 1),
    )
    .map((source) => ({ ...source, outcome: 'read', reason: undefined, digest: undefined }));
}

function leaveOut(entry: Entry, reason: string): void {
  entry.outcome = 'left-out';
  entry.reason = reason;
}

const obstacleFamilies: ReadonlySet<string> = new Set([
  'malformed',
  'limit',
  'encrypted',
  'unreadable',
  'internal',
]);
const treeWideCodes: ReadonlySet<string> = new Set([
  'limit/bytes',
  'limit/ratio',
  'limit/members',
  'limit/time',
]);

/** Whether so little of a sample was read that what it lacks proves nothing. */
function isObstacle({ code, path }: Problem, root: Artifact): boolean {
  return treeWideCodes.has(code) || (path === root.path && obstacleFamilies.has(toErrorFamily(code)));
}

function describe({ message, consequence }: Problem): string {
  return `it ${message}; ${consequence}`;
}
