import { availableParallelism } from 'node:os';
import { TelltaleError, toErrorFamily } from '../../bytes/errors.ts';
import { isBundleName } from '../../formats/app-bundle.ts';
import { toDescription } from '../../jobs/description.ts';
import { toFailedMeasure } from '../../jobs/failed.ts';
import { type FileMeasure, sumUp } from '../../jobs/goodware.ts';
import { createPool, type ScanPool } from '../../jobs/pool.ts';
import { toFileJob } from '../../jobs/settings.ts';
import type { DatabaseReference } from '../../platform/database-references.ts';
import { type FolderEntry, listFiles } from '../../platform/folders.ts';
import { toVisible } from '../../report/escape.ts';
import type { GoodwareReport } from '../../report/goodware.ts';
import { shortenMiddle } from '../../report/width.ts';
import { compile } from '../../signatures/compile.ts';
import type { Database } from '../../signatures/load.ts';
import { type SharedOptions, toLimits } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';

/** Options of `db check` that are about goodware. */
export interface GoodwareOptions extends SharedOptions {
  /** Files and folders that have nothing to do with the products of the database. */
  readonly goodware?: readonly string[];
  readonly jobs?: number;
  readonly verbose?: boolean;
}

/**
 * Counts how common everything is that a database looks for, in software that has nothing to do with its products.
 *
 * @throws TelltaleError `usage/arguments` when a path is not there
 */
export async function measureGoodware(
  database: Database,
  databases: readonly DatabaseReference[],
  options: GoodwareOptions,
  terminal: Terminal,
): Promise<GoodwareReport> {
  const folders = options.goodware ?? [];
  const entries = folders.flatMap((folder) => {
    const found = [...listFiles(folder, isBundleName)];
    const [only] = found;
    if (only?.kind === 'problem' && only.path === folder)
      throw new TelltaleError('usage/arguments', `--goodware ${folder}: ${only.error.message}`);
    return found;
  });
  const pool = await createPool({
    databases,
    usesKnownBuilds: options.knownBuilds,
    limits: toLimits(options),
    jobs:
      options.jobs === 0 ? 0 : Math.min(options.jobs ?? availableParallelism(), Math.max(1, entries.length)),
  });
  try {
    let done = 0;
    const measures: Promise<FileMeasure>[] = [];
    for (const entry of entries) {
      const measure = toMeasure(entry, pool).then((result) => {
        done += 1;
        terminal.progress(
          ` ${done} of ${entries.length}  ${shortenMiddle(toVisible(result.path), Math.max(20, terminal.columns - 24))}`,
        );
        return result;
      });
      // In this thread, one after the other: a second file would only take memory.
      if (options.jobs === 0) await measure;
      measures.push(measure);
    }
    const counted = await Promise.all(measures);
    const fault = pool.databaseFault();
    if (fault !== undefined) throw new TelltaleError('usage/database', fault);
    return {
      schema: 'telltale/db-goodware/1',
      folders,
      database: toDescription(database),
      ...sumUp(compile(database), counted),
    };
  } finally {
    terminal.progress('');
    await pool.close();
  }
}

function toMeasure(entry: FolderEntry, pool: ScanPool): Promise<FileMeasure> {
  return entry.kind === 'problem'
    ? Promise.resolve(toFailedMeasure(entry.path, entry.error))
    : pool.measure(toFileJob(entry));
}

/**
 * How the command ends for this part, apart from what fired: members that cannot be read are told and counted, whole
 * files are missed.
 */
export function toGoodwareExit(report: GoodwareReport): ExitName {
  if (report.problems.some(({ code }) => toErrorFamily(code) === 'internal')) return 'bug';
  if (report.files === 0) return 'nothing';
  return report.filesUnread > 0 ? 'incomplete' : 'ok';
}
