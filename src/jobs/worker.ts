import { TelltaleError } from '../bytes/errors.ts';
import { type Knowledge, toKnowledge } from '../scan/knowledge.ts';
import { loadDatabase } from '../signatures/load.ts';
import type { FileResult } from '../verdict/model.ts';
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

/** What a worker answers. Errors do not keep their class between threads, so a bad database is an answer as well. */
export type WorkerAnswer =
  | { readonly kind: 'result'; readonly result: FileResult }
  | { readonly kind: 'measure'; readonly measure: FileMeasure }
  | { readonly kind: 'database'; readonly description: DatabaseDescription }
  | { readonly kind: 'bad-database'; readonly message: string };

let knowledge: Knowledge | undefined;

/** Runs in a worker thread: one file a task; the database is loaded once, with the settings of the first task. */
export default async function run({
  job,
  settings,
  databaseDigest,
  measures,
}: WorkerTask): Promise<WorkerAnswer> {
  try {
    knowledge ??= toKnowledge(loadDatabase(settings.databases), settings.usesKnownBuilds);
  } catch (error) {
    if (error instanceof TelltaleError) return { kind: 'bad-database', message: error.message };
    throw error;
  }
  const { digest } = knowledge.database;
  if (databaseDigest !== undefined && digest !== databaseDigest) {
    const message = `the database was changed during the scan: its digest was ${databaseDigest}, and is ${digest}`;
    return { kind: 'bad-database', message };
  }
  if (job === undefined) return { kind: 'database', description: toDescription(knowledge.database) };
  if (measures === true)
    return { kind: 'measure', measure: await measureFile(job, knowledge, settings.limits) };
  return { kind: 'result', result: await scanFile(job, knowledge, settings.limits) };
}
