import type { ChalkInstance } from 'chalk';
import type { PackSeal } from '../platform/database-pack.ts';
import { toHeadline } from '../verdict/headline.ts';
import type { FileResult, VerdictName } from '../verdict/model.ts';
import { verdicts } from '../verdict/model.ts';
import { toVisible } from './escape.ts';
import { type ExplainOptions, explain } from './explain.ts';
import type { ScanReport } from './model.ts';
import { padColumns, shortenMiddle, wrap } from './width.ts';

export interface TextOptions extends ExplainOptions {
  readonly colour: ChalkInstance;
  /** Terminal columns; evidence paths are shortened and sentences wrapped to them. */
  readonly columns: number;
}

/** What stands before a file: its verdict, or that too little of it was read to have one. */
export type Word = VerdictName | 'incomplete';

export const marks: Readonly<Record<Word, string>> = {
  impostor: '✖',
  modified: '✖',
  variant: '✖',
  damaged: '!',
  unverified: '?',
  official: '✔',
  other: '·',
  incomplete: '…',
};

const indent = 16;
const labelColumns = 13;

/** A file that claims nothing, but was not read to its end, has no verdict worth a word. */
export function toWord(file: FileResult): Word {
  return file.verdict === 'other' && !file.complete ? 'incomplete' : file.verdict;
}

export function paint(word: Word, { colour }: Pick<TextOptions, 'colour'>): (text: string) => string {
  switch (word) {
    case 'official':
      return (text) => colour.green(text);
    case 'impostor':
    case 'modified':
    case 'variant':
      return (text) => colour.red(text);
    case 'damaged':
    case 'unverified':
    case 'incomplete':
      return (text) => colour.yellow(text);
    case 'other':
      return (text) => colour.dim(text);
  }
}

/** One file, as a person reads it. */
export function toFileText(file: FileResult, options: TextOptions): string {
  const word = toWord(file);
  const tint = paint(word, options);
  const lines = [
    ` ${tint(`${marks[word]} ${padColumns(word, indent - 4)}`)} ${options.colour.bold(toVisible(file.path))}`,
  ];
  const room = Math.max(40, options.columns - indent);
  for (const line of wrap(toVisible(toHeadline(file)), room)) lines.push(' '.repeat(indent) + line);
  for (const { label, text, support } of explain(file, options)) {
    const [first = '', ...rest] = wrap(toVisible(text), room - labelColumns);
    lines.push(' '.repeat(indent) + options.colour.dim(padColumns(label, labelColumns)) + first);
    const deep = ' '.repeat(indent + labelColumns);
    for (const line of rest) lines.push(deep + line);
    for (const { kind, text: supporting } of support) {
      const visible = toVisible(supporting);
      const width = Math.max(30, room - labelColumns);
      const shown =
        kind === 'source' || options.isVerbose ? wrap(visible, width) : [shortenMiddle(visible, width)];
      for (const line of shown) lines.push(deep + options.colour.dim(line));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The last lines: whether the policy failed, and the sum. */
export function toSummaryText(report: ScanReport, options: TextOptions): string {
  const { colour } = options;
  const lines = toPolicyLines(report, options);
  const { summary, files } = report;
  const words = files.map(toWord);
  const parts = [...verdicts.toReversed(), 'incomplete' as const].flatMap((word) => {
    const count = words.filter((one) => one === word).length;
    return count === 0 ? [] : [`${count} ${word}`];
  });
  const partial = summary.incomplete - words.filter((word) => word === 'incomplete').length;
  if (partial > 0) parts.push(`${partial} of them not read fully`);
  if (summary.notScanned > 0) parts.push(`interrupted with ${summary.notScanned} more to scan`);
  if (summary.leftOut > 0) parts.push(`${summary.leftOut} older not looked at`);
  for (const seal of report.database.packs ?? []) lines.push(` ${toVisible(toSealLine(seal))}`);
  const databases = report.database.products.map(({ id, revision }) => `${id} ${revision}`).join(', ');
  lines.push(
    ` ${toCount(summary.files, 'file')}: ${parts.join(', ')}    ${colour.dim(`telltale ${report.tool.version}, ${databases}`)}`,
  );
  return `${lines.join('\n')}\n`;
}

/** Which rules were violated by what; with a policy file also that none was. */
function toPolicyLines({ policy }: ScanReport, options: TextOptions): string[] {
  const { colour } = options;
  const { violations, exceptions } = policy;
  const lines: string[] = [];
  const origin = [policy.file, policy.lock].filter((path) => path !== null).join(' and ');
  for (const { path, reason, owner, expires } of exceptions) {
    lines.push(toVisible(` let through   ${path}: ${reason} (${owner}, until ${expires})`));
  }
  if (violations.length > 0) {
    const rules = [...new Set(violations.map(({ rule }) => rule))].sort().join(', ');
    const count = toCount(new Set(violations.map(({ path }) => path)).size, 'file');
    // The report of a file says its verdict already.
    for (const { path, rule, detail } of violations) {
      if (rule.startsWith('fail on ') && !options.isVerbose) continue;
      lines.push(` ${colour.red(toVisible(`${rule}: ${path}: ${detail}`))}`);
    }
    lines.push(
      ` ${colour.red(toVisible(`policy${origin === '' ? '' : ` of ${origin}`} violated (${rules}) by ${count}`))}; telltale scan -v shows everything`,
    );
  } else if (origin !== '') {
    lines.push(toVisible(` policy of ${origin} met`));
  }
  return lines;
}

/** Who vouches for a pack, in one sentence. */
export function toSealLine({ path, signedBy, trusted }: PackSeal): string {
  if (signedBy === null) return `database ${path}: not signed`;
  const key = `signed with the key ${signedBy.slice(0, 8)}…`;
  return trusted
    ? `database ${path}: ${key}, which is trusted`
    : `database ${path}: ${key}; whose key that is was not checked (--trust KEY checks it)`;
}

export function toCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
