import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { TelltaleError } from '../bytes/errors.ts';
import { toHex } from '../bytes/cursor.ts';
import { isBundleName } from '../formats/app-bundle.ts';
import type { DatabaseDescription } from '../jobs/description.ts';
import { toFailedResult } from '../jobs/failed.ts';
import { createPool } from '../jobs/pool.ts';
import { type FileJob, toFileJob } from '../jobs/settings.ts';
import type { CacheFolder } from '../platform/kept-databases.ts';
import { tryReadIdentity } from '../platform/file-identity.ts';
import { listFiles } from '../platform/folders.ts';
import { readVersion } from '../platform/shipped.ts';
import { toVisible } from '../report/escape.ts';
import { shortenMiddle } from '../report/width.ts';
import type { FileResult } from '../verdict/model.ts';
import { toSlim } from '../verdict/slim.ts';
import { type SharedOptions, toDatabases, toLimits } from './arguments.ts';
import type { StoreHeader } from './result-store.ts';
import type { StoredResults, StoreOptions } from './stored-results.ts';
import type { Terminal } from './terminal.ts';

/** Options of every command that scans. */
export interface ScanningOptions extends SharedOptions, StoreOptions {
  readonly jobs?: number;
  /** Files of YARA rules. */
  readonly rules?: readonly string[];
  /** Of the user; undefined keeps nothing there. */
  readonly cacheFolder?: CacheFolder;
}

/** What is made of each result. */
export interface ResultUse {
  /** Is told each result as soon as it is its turn. */
  onFile?(file: FileResult): void;
  /** Whether that needs what lies in the file. */
  readonly showsTree: boolean;
  /** Whether what lies in the files is needed when all are scanned; otherwise it is let go, to save memory. */
  readonly keepsTree: boolean;
}

/** What stands in the list of things to scan: a file, or what was wrong with a path. */
export type Item =
  | { readonly kind: 'job'; readonly job: FileJob }
  | { readonly kind: 'result'; readonly result: FileResult };

/** What a scan of many files gave. */
export interface Scanned {
  /** In the order of the list; without those that an interrupt left out. */
  readonly files: readonly FileResult[];
  readonly database: DatabaseDescription;
  readonly isInterrupted: boolean;
}

/** What is to be scanned. */
export interface ItemList {
  readonly items: readonly Item[];
  /** Files that did not change since the moment that was asked for. */
  readonly leftOut: number;
}

/**
 * The files under the paths, sorted, each once, so that it does not matter in which order they are given; `-` stands
 * for a list on standard input.
 *
 * @param since - nanoseconds since 1970: files whose content and entry both are older are left out
 */
export function listItems(paths: readonly string[], since?: bigint): ItemList {
  const byName = new Map([...listAll(paths)].map((item) => [toName(item), item]));
  const all = [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
  const items = since === undefined ? all : all.filter((item) => !isOlder(item, since));
  return { items, leftOut: all.length - items.length };
}

/** The path; two names of different bytes that are shown alike are two files. */
function toName(item: Item): string {
  if (item.kind === 'result') return item.result.path;
  const { path, rawPath } = item.job;
  return rawPath === undefined ? path : `${path}\0${toHex(rawPath)}`;
}

/** A copied file keeps the time of its content, so that of its entry counts as well. A bundle is always looked at. */
function isOlder(item: Item, since: bigint): boolean {
  if (item.kind === 'result' || item.job.isBundle === true) return false;
  const identity = tryReadIdentity(item.job.rawPath ?? item.job.path);
  return identity !== undefined && BigInt(identity.modified) < since && BigInt(identity.changed) < since;
}

function* listAll(paths: readonly string[]): Generator<Item> {
  for (const path of paths.flatMap((given) => (given === '-' ? readList() : [given]))) {
    for (const entry of listFiles(path, isBundleName)) {
      yield entry.kind === 'problem'
        ? { kind: 'result', result: toFailedResult(entry.path, entry.error) }
        : { kind: 'job', job: toFileJob(entry) };
    }
  }
}

/** Paths on standard input, one a line, or separated by NUL as `find -print0` writes them. */
function readList(): readonly string[] {
  const list = readFileSync(0, 'utf8');
  return list.split(list.includes('\0') ? '\0' : /\r?\n/).filter((line) => line !== '');
}

/**
 * Scans files, several at once, with progress on the terminal. An interrupt ends it in order.
 *
 * @throws TelltaleError `usage/arguments` when a state cannot be gone on with, and `usage/database`, also when the
 *   database was changed during the scan: no report may then claim that all files were judged by one database
 */
export async function scanItems(
  items: readonly Item[],
  options: ScanningOptions,
  terminal: Terminal,
  use: ResultUse,
): Promise<Scanned> {
  if (options.rules !== undefined && (options.resume !== undefined || options.cache !== undefined)) {
    // A kept result would have to know the rules, and everything that they include.
    throw new TelltaleError('usage/arguments', '--rules cannot be used with --cache or --resume');
  }
  const jobs = Math.min(options.jobs ?? availableParallelism(), Math.max(1, items.length));
  const limits = toLimits(options);
  const pool = await createPool({
    databases: toDatabases(options),
    usesKnownBuilds: options.knownBuilds,
    limits,
    jobs: options.jobs === 0 ? 0 : jobs,
    rules: options.rules ?? [],
    // A state or a cache keeps everything: the next report may show it.
    isSlim: !use.showsTree && !use.keepsTree && options.resume === undefined && options.cache === undefined,
    // Whoever names a number wants so many threads and no more.
    decodesAside: options.jobs === undefined && jobs < availableParallelism(),
    pieceThreads: Math.floor((availableParallelism() - jobs) / jobs),
    ...(options.cacheFolder === undefined ? {} : { cache: options.cacheFolder }),
  });
  const interruption = watchForInterrupt();
  const files: FileResult[] = [];
  let stored: StoredResults | undefined;
  try {
    // The workers load the database, so this thread need not: a scan of one file starts sooner.
    const database = await pool.describeDatabase();
    for (const { path, warnings } of database.rules) warnOfRules(path, warnings, terminal);
    if (options.resume !== undefined || options.cache !== undefined) {
      const header: StoreHeader = {
        schema: 'telltale/store/1',
        tool: readVersion(),
        database: database.digest,
        usesKnownBuilds: options.knownBuilds,
        limits: { ...limits },
      };
      const { openStoredResults } = await import('./stored-results.ts');
      stored = openStoredResults(options, header, use.showsTree || use.keepsTree, terminal);
    }
    const scan = (job: FileJob): Promise<FileResult> =>
      stored === undefined ? pool.scan(job) : stored.scan(job, (one) => pool.scan(one));
    for await (const file of scanInOrder(items, scan, jobs, interruption.signal)) {
      files.push(use.keepsTree ? file : toSlim(file));
      use.onFile?.(file);
      if (items.length > 1) {
        terminal.progress(
          ` ${files.length} of ${items.length}  ${shortenMiddle(toVisible(file.path), Math.max(20, terminal.columns - 24))}`,
        );
      }
    }
    const fault = pool.databaseFault();
    if (fault !== undefined) throw new TelltaleError('usage/database', fault);
    return { files, database, isInterrupted: interruption.signal.aborted };
  } finally {
    terminal.progress('');
    // First: what a worker that is stopped now answers is no result to keep.
    stored?.close();
    await pool.close();
    interruption.stop();
  }
}

const warningsShown = 3;

/** The compiler draws each place over many lines; one line each is enough to find it. */
function warnOfRules(path: string, warnings: readonly string[], terminal: Terminal): void {
  for (const warning of warnings.slice(0, warningsShown)) {
    terminal.err(`telltale: ${toVisible(`${path}: ${warning}`)}\n`);
  }
  if (warnings.length > warningsShown) {
    const more = warnings.length - warningsShown;
    terminal.err(`telltale: ${toVisible(path)}: and ${more} more ${more === 1 ? 'warning' : 'warnings'}\n`);
  }
}

/** Runs several files at once and hands the results out in the order of the list. */
async function* scanInOrder(
  items: readonly Item[],
  scan: (job: FileJob) => Promise<FileResult>,
  jobs: number,
  signal: AbortSignal,
): AsyncGenerator<FileResult> {
  const running: Promise<FileResult>[] = [];
  let next = 0;
  const start = (): void => {
    const item = items[next];
    next += 1;
    if (item !== undefined)
      running.push(item.kind === 'result' ? Promise.resolve(item.result) : scan(item.job));
  };
  const interrupted = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  // A few more than there are workers, so that a slow file does not leave the others idle while it is waited for.
  while (running.length < jobs + 8 && next < items.length) start();
  while (running.length > 0) {
    const result = await Promise.race([running.shift(), interrupted]);
    if (result === undefined) return;
    yield result;
    if (next < items.length) start();
  }
}

/** The first interrupt ends the scan in order, with a report of what is finished; the second ends the program. */
function watchForInterrupt(): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const onInterrupt = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, onInterrupt);
  return {
    signal: controller.signal,
    stop() {
      for (const name of signals) process.off(name, onInterrupt);
    },
  };
}
