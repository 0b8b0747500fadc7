/**
 * telltale as a library: which build is this file, really, and how do you know?
 *
 * @example
 * const [result] = await scan(['SkypeSetup.exe']);
 * console.log(result.verdict, result.reason);
 *
 * @packageDocumentation
 */
import { defaultLimits, type Limits } from './bytes/budget.ts';
import { TelltaleError } from './bytes/errors.ts';
import { isBundleName } from './formats/app-bundle.ts';
import { createPool } from './jobs/pool.ts';
import { toFailedResult } from './jobs/failed.ts';
import { toFileJob } from './jobs/settings.ts';
import { readArtifacts } from './jobs/scan-file.ts';
import { listFiles } from './platform/folders.ts';
import type { DatabaseReference } from './platform/database-references.ts';
import { shippedDatabase } from './platform/shipped.ts';
import { toKnowledge } from './scan/knowledge.ts';
import type { Artifact } from './scan/model.ts';
import { loadForScanning } from './signatures/scanning-database.ts';
import type { FileResult } from './verdict/model.ts';

export interface ScanRequest {
  /** Folders and packs, the first one the base; the shipped one when left out. */
  readonly databases?: readonly DatabaseReference[];
  /** False judges without the ledger of known builds. */
  readonly usesKnownBuilds?: boolean;
  readonly limits?: Partial<Limits>;
  /** Files of YARA rules of your own; needs the package `@litko/yara-x`. */
  readonly rules?: readonly string[];
  /** Worker threads; 0, the default, scans in this thread. */
  readonly jobs?: number;
}

/**
 * Judges files and folders. Nothing is executed, written or sent.
 *
 * @param paths - files, or folders that are walked in byte order of their names
 * @returns one result a file, in the order of the paths; a file that cannot be read has a result that says so
 * @throws TelltaleError `usage/database` when a database cannot be used
 */
export async function scan(
  paths: readonly string[],
  request: ScanRequest = {},
): Promise<readonly FileResult[]> {
  const pool = await createPool({
    databases: request.databases ?? [shippedDatabase],
    usesKnownBuilds: request.usesKnownBuilds ?? true,
    limits: { ...defaultLimits, ...request.limits },
    rules: request.rules ?? [],
    jobs: request.jobs ?? 0,
  });
  try {
    await pool.describeDatabase();
    const results: Promise<FileResult>[] = [];
    for (const path of paths) {
      for (const entry of listFiles(path, isBundleName)) {
        const result =
          entry.kind === 'problem'
            ? Promise.resolve(toFailedResult(entry.path, entry.error))
            : pool.scan(toFileJob(entry));
        // In this thread, one after the other: a second file would only take memory.
        if (request.jobs === undefined || request.jobs === 0) await result;
        results.push(result);
      }
    }
    const judged = await Promise.all(results);
    const fault = pool.databaseFault();
    if (fault !== undefined) throw new TelltaleError('usage/database', fault);
    return judged;
  } finally {
    await pool.close();
  }
}

/**
 * Reads one file and everything inside it, without judging.
 *
 * @throws TelltaleError `unreadable/…`, `usage/database`
 */
export async function inspect(path: string, request: ScanRequest = {}): Promise<Artifact> {
  const { database, automaton } = await loadForScanning(request.databases ?? [shippedDatabase], undefined);
  const knowledge = toKnowledge(database, request.usesKnownBuilds ?? true, automaton);
  return await readArtifacts(
    { path },
    knowledge,
    { ...defaultLimits, ...request.limits },
    { wantsAllDigests: true },
  );
}

export { defaultLimits, type Limits } from './bytes/budget.ts';
export { type ErrorCode, TelltaleError } from './bytes/errors.ts';
export type { DatabaseDemands, DatabaseReference } from './platform/database-references.ts';
export { type Artifact, type Problem, walkArtifacts } from './scan/model.ts';
export { type Database, loadDatabase } from './signatures/load.ts';
export { decisionTable } from './verdict/judge.ts';
export type { FileResult, Telltale, TreeNode, VerdictName } from './verdict/model.ts';
