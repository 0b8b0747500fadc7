import { TelltaleError } from '../bytes/errors.ts';
import { type Knowledge, toKnowledge } from '../scan/knowledge.ts';
import { RuleSet } from '../platform/yara-rules.ts';
import { loadForScanning } from '../signatures/scanning-database.ts';
import type { FileResult } from '../verdict/model.ts';
import { toSlim } from '../verdict/slim.ts';
import { AsideThreads } from './aside-threads.ts';
import { type DatabaseDescription, toDescription } from './description.ts';
import { type FileMeasure, measureFile } from './goodware.ts';
import { scanFile } from './scan-file.ts';
import type { FileJob, ScanSettings } from './settings.ts';

/** What a worker is given: a file to scan or to measure, or the question what its database is. */
export interface WorkerTask {
  readonly settings: ScanSettings;
  /** Absent when only the database is asked for. */
  readonly job?: FileJob;
  /** To count what occurs in the file instead of judging it. */
  readonly measures?: boolean;
  /** Digest of the database that the other workers have; one that finds another on disk must not judge by it. */
  readonly databaseDigest?: string;
}

/** What a worker answers. Errors do not keep their class on the way, so a database or rules that cannot be used are an answer too. */
export type WorkerAnswer =
  | { readonly kind: 'result'; readonly result: FileResult }
  | { readonly kind: 'measure'; readonly measure: FileMeasure }
  | { readonly kind: 'database'; readonly description: DatabaseDescription }
  | { readonly kind: 'unusable'; readonly message: string };

interface Equipment {
  readonly knowledge: Knowledge;
  readonly rules: RuleSet | undefined;
  readonly aside: AsideThreads | undefined;
}

let equipment: Promise<Equipment> | undefined;

/** Runs in a worker: one file a task; database and rules are loaded once, with the settings of the first task. */
export default async function run({
  job,
  settings,
  databaseDigest,
  measures,
}: WorkerTask): Promise<WorkerAnswer> {
  let loaded: Equipment;
  try {
    equipment ??= equip(settings);
    loaded = await equipment;
  } catch (error) {
    if (error instanceof TelltaleError) return { kind: 'unusable', message: error.message };
    throw error;
  }
  const { knowledge, rules, aside } = loaded;
  const { digest } = knowledge.database;
  if (databaseDigest !== undefined && digest !== databaseDigest) {
    const message = `the database was changed during the scan: its digest was ${databaseDigest}, and is ${digest}`;
    return { kind: 'unusable', message };
  }
  if (job === undefined) return { kind: 'database', description: toDescription(knowledge.database, rules) };
  if (measures === true)
    return { kind: 'measure', measure: await measureFile(job, knowledge, settings.limits) };
  const result = await scanFile(job, knowledge, settings.limits, rules, aside);
  return { kind: 'result', result: settings.isSlim === true ? toSlim(result) : result };
}

/**
 * Loads what a scan needs.
 *
 * @throws TelltaleError `usage/database` or `usage/arguments`
 */
export async function equip(settings: ScanSettings): Promise<Equipment> {
  const { database, automaton, keep } = await loadForScanning(settings.databases, settings.cache);
  const knowledge = toKnowledge(database, settings.usesKnownBuilds, automaton);
  keep(knowledge.compiled.automaton);
  const { rules = [] } = settings;
  return {
    knowledge,
    rules: rules.length === 0 ? undefined : await RuleSet.load(rules),
    aside: settings.decodesAside === true ? new AsideThreads(settings.pieceThreads) : undefined,
  };
}
