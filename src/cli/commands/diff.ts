import { Chalk } from 'chalk';
import { TelltaleError, toErrorFamily } from '../../bytes/errors.ts';
import { compareFiles } from '../../diff/compare.ts';
import type { Comparison } from '../../diff/model.ts';
import { toDescription } from '../../jobs/description.ts';
import { readVersion } from '../../platform/shipped.ts';
import { toDiffHtml } from '../../report/diff-html.ts';
import { type DiffReport, toDiffJson } from '../../report/diff-model.ts';
import { toDiffText } from '../../report/diff-text.ts';
import { toVisible } from '../../report/escape.ts';
import { toKnowledge } from '../../scan/knowledge.ts';
import { type SharedOptions, toLimits } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { loadGivenDatabase } from '../given-database.ts';
import { writeReport } from '../output-file.ts';

export const diffFormats = ['text', 'json', 'html'] as const;

export interface DiffOptions extends SharedOptions {
  readonly format: (typeof diffFormats)[number];
  readonly output?: string;
  readonly verbose?: boolean;
}

/** `telltale diff`: what changed between two builds. */
export async function runDiff(
  before: string,
  after: string,
  options: DiffOptions,
  terminal: Terminal,
): Promise<ExitName> {
  if (options.output === '') throw new TelltaleError('usage/arguments', '--output "" names no file');
  const knowledge = toKnowledge(loadGivenDatabase(options, terminal), options.knownBuilds);
  let comparison: Comparison;
  try {
    comparison = await compareFiles(before, after, knowledge, toLimits(options));
  } catch (error) {
    if (!(error instanceof TelltaleError) || toErrorFamily(error.code) !== 'unreadable') throw error;
    terminal.err(`telltale: ${toVisible(error.message)}; nothing was compared\n`);
    return 'incomplete';
  }
  const report: DiffReport = {
    schema: 'telltale/diff/1',
    tool: { name: 'telltale', version: readVersion() },
    database: { ...toDescription(knowledge.database), usesKnownBuilds: options.knownBuilds },
    ...comparison,
  };
  if (options.output === undefined) terminal.out(toWhole(report, options, terminal));
  else
    writeReport(options.output, toWhole(report, options, { ...terminal, colour: new Chalk({ level: 0 }) }));
  return toExit(report);
}

function toWhole(
  report: DiffReport,
  options: DiffOptions,
  terminal: Pick<Terminal, 'colour' | 'columns'>,
): string {
  const isVerbose = options.verbose ?? false;
  switch (options.format) {
    case 'json':
      return toDiffJson(report);
    case 'html':
      return toDiffHtml(report, { isVerbose });
    case 'text':
      return toDiffText(report, { colour: terminal.colour, columns: terminal.columns, isVerbose });
  }
}

/** As diff does: a difference is 1, and it outranks what could not be read. */
function toExit({ differs, complete, before, after }: DiffReport): ExitName {
  if (differs) return 'violation';
  const isBug = [...before.problems, ...after.problems].some(
    ({ code }) => toErrorFamily(code) === 'internal',
  );
  if (isBug) return 'bug';
  return complete ? 'ok' : 'incomplete';
}
