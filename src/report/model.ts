import type { FileResult, VerdictName } from '../verdict/model.ts';
import type { Violation } from '../verdict/policy.ts';

/** Counts over a scan. */
export interface ScanSummary {
  readonly files: number;
  readonly verdicts: Readonly<Record<VerdictName, number>>;
  /** Files of which something was not read, whatever their verdict. */
  readonly incomplete: number;
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
  };
  readonly policy: {
    readonly failOn: readonly string[];
    readonly require: string | null;
    readonly violations: readonly Violation[];
  };
  readonly files: readonly FileResult[];
  readonly summary: ScanSummary;
}

/** Counts the verdicts. */
export function summarize(files: readonly FileResult[]): ScanSummary {
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
  };
}
