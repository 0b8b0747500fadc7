import type { Command } from '../measure/measured-run.ts';
import type { Recipe, Tool } from '../inputs/recipe.ts';
import type { Comparison, Curve } from '../report/results.ts';

/** A part of the benchmark that can be asked for by its name. */
export interface Part {
  readonly id: string;
  readonly title: string;
  /** Inputs that it reads. */
  readonly needs: readonly Recipe[];
  /** Other programs that it runs. */
  readonly tools: readonly Tool[];
  /** How often everything is measured unless the person says otherwise. */
  readonly rounds: number;
  readonly isLarge?: boolean;
  run(context: PartContext): PartResult;
}

export interface PartContext {
  /** Where an input is. */
  folderOf(recipe: Recipe): string;
  /** For what is written and thrown away. */
  readonly work: string;
  /** Program and first arguments of telltale: `node dist/cli/main.js`. */
  readonly telltale: readonly string[];
  readonly rounds: number;
  /** The rules that the peers load. */
  readonly exports: Exports;
  tell(line: string): void;
}

/** Rules of one choice of databases, in the languages of the peers. */
export interface ExportedRules {
  /** Arguments of telltale that load the same. */
  readonly options: readonly string[];
  readonly yara: string;
  readonly clamav: string;
  /** Indicators that are nothing but literals, by the name of their rule in yara. */
  readonly indicators: ReadonlyMap<string, string>;
}

export interface Exports {
  /** The database that ships with 1,000 literals added: what most parts look for. */
  everything(): ExportedRules;
  /** Some literals and nothing else. */
  literals(count: number): ExportedRules;
}

export interface PartResult {
  readonly comparisons: readonly Comparison[];
  readonly curves: readonly Curve[];
}

/** Exit codes of `telltale scan` with which a report was made. */
const scanExits = [0, 1, 3];

/** A scan as a user runs it: default settings, the report as text. */
export function toScan(
  { telltale }: PartContext,
  options: readonly string[],
  paths: readonly string[],
  name = 'telltale',
): Command {
  return { name, argv: [...telltale, 'scan', ...options, ...paths], goodExits: scanExits };
}

/** The same scan with the JSON report, to compare what was found. */
export function toReportingScan(
  context: PartContext,
  options: readonly string[],
  paths: readonly string[],
): Command {
  return toScan(context, ['--format', 'json', ...options], paths, 'telltale-report');
}
