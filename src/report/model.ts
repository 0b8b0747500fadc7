import { toErrorFamily } from '../bytes/errors.ts';
import type { PackSeal } from '../platform/database-pack.ts';
import type { FileResult, VerdictName } from '../verdict/model.ts';
import type { PolicyOutcome, Requirements, Violation } from '../verdict/policy.ts';

/** Counts over a scan. */
export interface ScanSummary {
  readonly files: number;
  readonly verdicts: Readonly<Record<VerdictName, number>>;
  /** Files of which something was not read, whatever their verdict. */
  readonly incomplete: number;
  /** Files that an interrupt left out. */
  readonly notScanned: number;
  /** Files that were not looked at, because they did not change since the moment that was asked for. */
  readonly leftOut: number;
}

/** A whole scan: what every report is a pure function of. */
export interface ScanReport {
  readonly schema: 'telltale/scan/1';
  readonly tool: { readonly name: 'telltale'; readonly version: string };
  readonly database: {
    readonly products: readonly { readonly id: string; readonly name: string; readonly revision: string }[];
    /** Over all database files. */
    readonly digest: string;
    readonly usesKnownBuilds: boolean;
    /** The packs among the databases, and who vouches for them; absent when there are none. */
    readonly packs?: readonly PackSeal[];
  };
  /** Files of YARA rules that were run as well. */
  readonly rules: readonly { readonly path: string; readonly sha256: string }[];
  readonly policy: PolicyReport;
  /** What the exit code says. */
  readonly outcome: ScanOutcome;
  readonly files: readonly FileResult[];
  readonly summary: ScanSummary;
}

/**
 * From the gravest to the least: `interrupted`: not all files were scanned. `violation`: a file violates the policy.
 * `bug`: a fault of ours. `incomplete`: nothing violates the policy, but something was not read. `ok`: none of these.
 */
export const scanOutcomes = ['interrupted', 'violation', 'bug', 'incomplete', 'ok'] as const;
export type ScanOutcome = (typeof scanOutcomes)[number];

/** The policy that was applied, and what it said. */
export interface PolicyReport extends PolicyOutcome {
  /** Path of the policy file; null when there was none. */
  readonly file: string | null;
  /** Path of the lock that the files were held against; null when they were not. */
  readonly lock: string | null;
  readonly failOn: readonly string[];
  readonly require: Requirements;
}

/** What stands before a file: its verdict, or that too little of it was read to have one. */
export type Word = VerdictName | 'incomplete';

/** A file that claims nothing, but was not read to its end, has no verdict worth a word. */
export function toWord(file: FileResult): Word {
  return file.verdict === 'other' && !file.complete ? 'incomplete' : file.verdict;
}

/** What a scan report is made of. */
export interface ScanParts {
  readonly files: readonly FileResult[];
  /** How many files there were to scan. */
  readonly expectedFiles: number;
  readonly leftOut: number;
  readonly isInterrupted: boolean;
  readonly toolVersion: string;
  readonly database: ScanReport['database'];
  readonly rules: ScanReport['rules'];
  readonly policy: PolicyReport;
}

export function toScanReport(parts: ScanParts): ScanReport {
  const { products, digest, usesKnownBuilds, packs = [] } = parts.database;
  return {
    schema: 'telltale/scan/1',
    tool: { name: 'telltale', version: parts.toolVersion },
    database: { products, digest, usesKnownBuilds, ...(packs.length === 0 ? {} : { packs }) },
    rules: parts.rules.map(({ path, sha256 }) => ({ path, sha256 })),
    policy: parts.policy,
    outcome: toOutcome(parts),
    files: parts.files,
    summary: summarize(parts),
  };
}

function toOutcome({ isInterrupted, policy, files }: ScanParts): ScanOutcome {
  if (isInterrupted) return 'interrupted';
  if (policy.violations.length > 0) return 'violation';
  if (files.some(({ problems }) => problems.some(({ code }) => toErrorFamily(code) === 'internal'))) {
    return 'bug';
  }
  return files.some(({ complete }) => !complete) ? 'incomplete' : 'ok';
}

function summarize({ files, expectedFiles, leftOut }: ScanParts): ScanSummary {
  const counts: Record<VerdictName, number> = {
    impostor: 0,
    modified: 0,
    variant: 0,
    damaged: 0,
    unverified: 0,
    official: 0,
    other: 0,
  };
  for (const { verdict } of files) counts[verdict] += 1;
  return {
    files: files.length,
    verdicts: counts,
    incomplete: files.filter(({ complete }) => !complete).length,
    notScanned: expectedFiles - files.length,
    leftOut,
  };
}

/** Violations by the path of their file, in their order: a folder may have as many as it has files. */
export function toViolationsByPath(
  violations: readonly Violation[],
): ReadonlyMap<string, readonly Violation[]> {
  const byPath = new Map<string, Violation[]>();
  for (const violation of violations) {
    const known = byPath.get(violation.path);
    if (known === undefined) byPath.set(violation.path, [violation]);
    else known.push(violation);
  }
  return byPath;
}

/** Files by their path; of several that are shown alike the first. */
export function toFilesByPath(files: readonly FileResult[]): ReadonlyMap<string, FileResult> {
  return new Map(files.toReversed().map((file) => [file.path, file]));
}
