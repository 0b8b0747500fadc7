import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isBundleName } from '../formats/app-bundle.ts';
import type { DatabaseDescription } from '../jobs/description.ts';
import { toFailedResult } from '../jobs/failed.ts';
import { createPool } from '../jobs/pool.ts';
import type { FileJob } from '../jobs/settings.ts';
import { listFiles } from '../platform/folders.ts';
import { toVisible } from '../report/escape.ts';
import { shortenMiddle } from '../report/width.ts';
import type { FileResult } from '../verdict/model.ts';
import { type SharedOptions, toDatabases, toLimits } from './arguments.ts';
import type { Terminal } from './terminal.ts';

/** Options of every command that scans. */
export interface ScanningOptions extends SharedOptions {
  readonly jobs?: number;
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

/** The files under the paths, each path in its turn; `-` stands for a list on standard input. */
export function* listItems(paths: readonly string[]): Generator<Item> {
  for (const path of paths.flatMap((given) => (given === '-' ? readList() : [given]))) {
    for (const entry of listFiles(path, isBundleName)) {
      if (entry.kind === 'bundle') {
        yield { kind: 'job', job: { path: entry.path, isBundle: true } };
        continue;
      }
      yield entry.kind === 'file'
        ? {
            kind: 'job',
            job: { path: entry.path, ...(entry.rawPath === undefined ? {} : { rawPath: entry.rawPath }) },
          }
        : { kind: 'result', result: toFailedResult(entry.path, entry.error) };
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
 * @param onFile - is told each result as soon as it is its turn
 * @throws TelltaleError `usage/database`
 */
export async function scanItems(
  items: readonly Item[],
  options: ScanningOptions,
  terminal: Terminal,
  onFile: (file: FileResult) => void = () => {},
): Promise<Scanned> {
  const jobs = Math.min(options.jobs ?? availableParallelism(), Math.max(1, items.length));
  const pool = await createPool({
    databases: toDatabases(options),
    usesKnownBuilds: options.knownBuilds,
    limits: toLimits(options),
    jobs: options.jobs === 0 ? 0 : jobs,
  });
  const interruption = watchForInterrupt();
  const files: FileResult[] = [];
  try {
    // The workers load the database, so this thread need not: a scan of one file starts sooner.
    const database = await pool.describeDatabase();
    for await (const file of scanInOrder(items, (job) => pool.scan(job), jobs, interruption.signal)) {
      files.push(file);
      onFile(file);
      if (items.length > 1) {
        terminal.progress(
          ` ${files.length} of ${items.length}  ${shortenMiddle(toVisible(file.path), Math.max(20, terminal.columns - 24))}`,
        );
      }
    }
    return { files, database, isInterrupted: interruption.signal.aborted };
  } finally {
    terminal.progress('');
    await pool.close();
    interruption.stop();
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
