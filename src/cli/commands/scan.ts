import { Chalk } from 'chalk';
import { TelltaleError } from '../../bytes/errors.ts';
import { type CacheFolder, findFolderFault } from '../../platform/kept-databases.ts';
import { toVisible } from '../../report/escape.ts';
import { toScanReport } from '../../report/model.ts';
import {
  loadReporter,
  type ReportFormat,
  reportFormats,
  type ReportOptions,
  toWhole,
} from '../../report/reporters.ts';
import { createTranslator } from '../../report/translator.ts';
import type { Language } from '../../signatures/schema.ts';
import { findDrift } from '../../verdict/lock.ts';
import type { FileResult } from '../../verdict/model.ts';
import { applyPolicy } from '../../verdict/policy.ts';
import { toDatabases } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import { readVersion } from '../../platform/shipped.ts';
import { writeReport } from '../output-file.ts';
import { choosePolicy, type FoundLock, type PolicyOptions, readLock, readToday } from '../policy-options.ts';
import { listItems, type ScanningOptions, scanItems } from '../scanning.ts';
import type { Terminal } from '../terminal.ts';

export interface ScanOptions extends ScanningOptions, PolicyOptions {
  readonly format: ReportFormat;
  readonly lang: Language;
  readonly output?: readonly string[];
  readonly locked?: boolean;
  readonly lockFile?: string;
  /** Nanoseconds since 1970. */
  readonly since?: bigint;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
}

/** `telltale scan`: judges files and folders. */
export async function runScan(
  given: readonly string[],
  options: ScanOptions,
  terminal: Terminal,
): Promise<ExitName> {
  const outputs = toOutputs(options);
  const { policy, file: policyFile } = await choosePolicy(options);
  const lock = options.locked === true ? await readLock(options.lockFile) : undefined;
  const paths = given.length > 0 ? given : toLockedPaths(lock);
  const { items, leftOut } = listItems(paths, options.since);
  if (items.length + leftOut === 0 && lock === undefined) {
    terminal.err('telltale: nothing to scan: the paths hold no files\n');
    return 'nothing';
  }
  const text: ReportOptions = {
    colour: terminal.colour,
    columns: terminal.columns,
    isVerbose: options.verbose ?? false,
    translator: await createTranslator(options.lang, async () =>
      (await import('../../signatures/load.ts')).loadDatabase(toDatabases(options)),
    ),
  };
  const reporter = outputs.stdout === undefined ? undefined : await loadReporter(outputs.stdout);
  const written = await Promise.all(
    outputs.files.map(async ({ format, path }) => ({ path, reporter: await loadReporter(format) })),
  );
  if (options.verbose === true && options.cacheFolder !== undefined) noteCache(options.cacheFolder, terminal);
  const { files, database, isInterrupted } = await scanItems(items, options, terminal, {
    onFile(file) {
      if (reporter?.toFile !== undefined && isWorthALine(file, options)) {
        terminal.out(reporter.toFile(file, text));
      }
    },
    showsTree: reporter?.usesTree === true,
    // A lock compares a bundle by what is in it.
    keepsTree:
      lock !== undefined ||
      written.some((one) => one.reporter.usesTree) ||
      (reporter?.usesTree === true && reporter.toFile === undefined),
  });

  const { violations, exceptions } = applyPolicy(files, policy, readToday());
  const report = toScanReport({
    files,
    expectedFiles: items.length,
    leftOut,
    isInterrupted,
    toolVersion: readVersion(),
    database: { ...database, usesKnownBuilds: options.knownBuilds },
    rules: database.rules,
    policy: {
      file: policyFile,
      lock: lock?.path ?? null,
      failOn: policy.failOn,
      require: policy.require,
      violations: [...violations, ...(lock === undefined ? [] : findDriftFrom(lock, files, paths))],
      exceptions,
    },
  });
  if (reporter !== undefined) terminal.out(reporter.toEnd(report, text));
  const plain = { ...text, colour: new Chalk({ level: 0 }) };
  for (const one of written) writeReport(one.path, toWhole(one.reporter, report, plain));
  return report.outcome;
}

/** A folder that others could write to is not used; whoever wonders why a scan starts slowly is told. */
function noteCache(folder: CacheFolder, terminal: Terminal): void {
  const fault = findFolderFault(folder);
  if (fault !== undefined)
    terminal.err(`telltale: the cache ${toVisible(folder.path)} is not used: it ${fault}\n`);
}

/** Without paths, what the lock names. */
function toLockedPaths(lock: FoundLock | undefined): readonly string[] {
  if (lock === undefined) {
    throw new TelltaleError('usage/arguments', 'no path was given; telltale scan --help shows how');
  }
  return lock.lock.files.map(({ path }) => lock.toScanPath(path));
}

/** A file of the lock is missed when what was scanned is the file itself or a folder above it. */
function findDriftFrom(
  { lock, toLockPath }: FoundLock,
  files: readonly FileResult[],
  paths: readonly string[],
): ReturnType<typeof findDrift> {
  const roots = paths.map(toLockPath);
  return findDrift(files, lock, toLockPath, (path) =>
    roots.some((root) => root === '.' || path === root || path.startsWith(`${root}/`)),
  );
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

/** With --quiet, a text report names only files that are not simply in order. */
function isWorthALine(file: FileResult, { quiet, format }: ScanOptions): boolean {
  return (
    quiet !== true ||
    format !== 'text' ||
    !file.complete ||
    file.rules.length > 0 ||
    (file.verdict !== 'official' && file.verdict !== 'other')
  );
}
