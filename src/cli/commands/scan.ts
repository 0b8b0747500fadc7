import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Chalk } from 'chalk';
import { TelltaleError, toErrorFamily } from '../../bytes/errors.ts';
import { isBundleName } from '../../formats/app-bundle.ts';
import type { DatabaseDescription } from '../../jobs/description.ts';
import { createPool } from '../../jobs/pool.ts';
import { toFailedResult } from '../../jobs/failed.ts';
import type { FileJob } from '../../jobs/settings.ts';
import { listFiles } from '../../platform/folders.ts';
import { toVisible } from '../../report/escape.ts';
import { type ScanReport, summarize } from '../../report/model.ts';
import { loadReporter, type ReportFormat, reportFormats, toWhole } from '../../report/reporters.ts';
import type { TextOptions } from '../../report/text.ts';
import { shortenMiddle } from '../../report/width.ts';
import type { FileResult } from '../../verdict/model.ts';
import { defaultPolicy, findViolations, type Policy } from '../../verdict/policy.ts';
import { type SharedOptions, toLimits } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import { readVersion, shippedDatabase } from '../../platform/shipped.ts';
import type { Terminal } from '../terminal.ts';

export interface ScanOptions extends SharedOptions {
  readonly format: ReportFormat;
  readonly output?: readonly string[];
  readonly failOn?: Policy['failOn'];
  readonly require?: 'official';
  readonly jobs?: number;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
}

/** What stands in the list of things to scan: a file, or what was wrong with a path. */
type Item =
  | { readonly kind: 'job'; readonly job: FileJob }
  | { readonly kind: 'result'; readonly result: FileResult };

/** `telltale scan`: judges files and folders. */
export async function runScan(
  paths: readonly string[],
  options: ScanOptions,
  terminal: Terminal,
): Promise<ExitName> {
  const databases = toDatabases(options);
  const outputs = toOutputs(options);
  const items = [...listItems(paths)];
  if (items.length === 0) {
    terminal.err('telltale: nothing to scan: the paths hold no files\n');
    return 'nothing';
  }

  const limits = toLimits(options);
  const jobs = Math.min(options.jobs ?? availableParallelism(), Math.max(1, items.length));
  const pool = await createPool({
    databases,
    usesKnownBuilds: options.knownBuilds,
    limits,
    jobs: options.jobs === 0 ? 0 : jobs,
  });
  const text: TextOptions = {
    colour: terminal.colour,
    columns: terminal.columns,
    isVerbose: options.verbose ?? false,
  };
  const reporter = outputs.stdout === undefined ? undefined : await loadReporter(outputs.stdout);
  const interruption = watchForInterrupt();
  const files: FileResult[] = [];
  let database: DatabaseDescription;
  try {
    // The workers load the database, so this thread need not: a scan of one file starts sooner.
    database = await pool.describeDatabase();
    for await (const file of scanInOrder(items, (job) => pool.scan(job), jobs, interruption.signal)) {
      files.push(file);
      if (reporter?.toFile !== undefined && isWorthALine(file, options)) {
        terminal.out(reporter.toFile(file, text));
      }
      if (items.length > 1) {
        terminal.progress(
          ` ${files.length} of ${items.length}  ${shortenMiddle(toVisible(file.path), Math.max(20, terminal.columns - 24))}`,
        );
      }
    }
  } finally {
    terminal.progress('');
    await pool.close();
    interruption.stop();
  }

  const report = toReport(files, database, options);
  if (reporter !== undefined) terminal.out(reporter.toEnd(report, text));
  const plain = { ...text, colour: new Chalk({ level: 0 }) };
  for (const { format, path } of outputs.files) {
    writeReport(path, toWhole(await loadReporter(format), report, plain));
  }
  return interruption.signal.aborted ? 'interrupted' : toExit(report);
}

/** Database folders: the shipped one first, unless the person leaves it out. */
export function toDatabases(options: SharedOptions): readonly string[] {
  const own = options.database ?? [];
  if (options.onlyDatabase !== true) return [shippedDatabase, ...own];
  if (own.length === 0)
    throw new TelltaleError('usage/arguments', '--only-database needs at least one --database');
  return own;
}

interface Outputs {
  readonly stdout: ReportFormat | undefined;
  readonly files: readonly { readonly format: ReportFormat; readonly path: string }[];
}

/** `--output FILE` moves the report into a file; `--output FORMAT=FILE` writes one more beside it. */
function toOutputs(options: ScanOptions): Outputs {
  const files: { format: ReportFormat; path: string }[] = [];
  let stdout: ReportFormat | undefined = options.format;
  for (const output of options.output ?? []) {
    const equals = output.indexOf('=');
    const format = reportFormats.find((name) => name === output.slice(0, Math.max(0, equals)));
    if (format !== undefined) {
      files.push({ format, path: output.slice(equals + 1) });
    } else {
      files.push({ format: options.format, path: output });
      stdout = undefined;
    }
    if (files.at(-1)?.path === '')
      throw new TelltaleError('usage/arguments', `--output "${output}" names no file`);
  }
  return { stdout, files };
}

function* listItems(paths: readonly string[]): Generator<Item> {
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

/** With --quiet, a text report names only files that are not simply in order. */
function isWorthALine(file: FileResult, { quiet, format }: ScanOptions): boolean {
  return (
    quiet !== true ||
    format !== 'text' ||
    !file.complete ||
    (file.verdict !== 'official' && file.verdict !== 'other')
  );
}

function toReport(
  files: readonly FileResult[],
  database: DatabaseDescription,
  options: ScanOptions,
): ScanReport {
  const policy: Policy = {
    failOn: options.failOn ?? defaultPolicy.failOn,
    require: options.require,
  };
  return {
    schema: 'telltale/scan/1',
    tool: { name: 'telltale', version: readVersion() },
    database: {
      products: database.products,
      digest: database.digest,
      usesKnownBuilds: options.knownBuilds,
    },
    policy: {
      failOn: policy.failOn,
      require: policy.require ?? null,
      violations: findViolations(files, policy),
    },
    files,
    summary: summarize(files),
  };
}

function writeReport(path: string, content: string): void {
  try {
    writeFileSync(path, content);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TelltaleError('usage/arguments', `the report cannot be written to ${path}: ${reason}`);
  }
}

function toExit(report: ScanReport): ExitName {
  if (report.policy.violations.length > 0) return 'violation';
  const families = report.files.flatMap(({ problems }) => problems.map(({ code }) => toErrorFamily(code)));
  if (families.includes('internal')) return 'bug';
  return report.summary.incomplete > 0 ? 'incomplete' : 'ok';
}
