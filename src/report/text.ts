import type { ChalkInstance } from 'chalk';
import type { PackSeal } from '../platform/database-pack.ts';
import type { Language } from '../signatures/schema.ts';
import { type FileResult, verdicts } from '../verdict/model.ts';
import { toVisible } from './escape.ts';
import { explain, toLocalHeadline } from './explain.ts';
import { messages } from './messages/index.ts';
import { type ScanReport, toWord, type Word } from './model.ts';
import type { ReportOptions } from './reporters.ts';
import { padColumns, shortenMiddle, wrap } from './width.ts';

export interface TextOptions {
  /** Everything that is known, not only what matters most. */
  readonly isVerbose: boolean;
  readonly colour: ChalkInstance;
  /** Terminal columns; evidence paths are shortened and sentences wrapped to them. */
  readonly columns: number;
}

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

/** Columns before what is said of a file, and columns of the labels there; Chinese verdicts stand beside the English. */
const layouts: Readonly<Record<Language, { readonly indent: number; readonly labelColumns: number }>> = {
  en: { indent: 16, labelColumns: 13 },
  zh: { indent: 22, labelColumns: 12 },
};

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
export function toFileText(file: FileResult, options: ReportOptions): string {
  const { language } = options.translator;
  const { indent, labelColumns } = layouts[language];
  const word = toWord(file);
  const tint = paint(word, options);
  const lines = [
    ` ${tint(`${marks[word]} ${padColumns(messages[language].scan.verdict(word), indent - 4)}`)} ${options.colour.bold(toVisible(file.path))}`,
  ];
  const room = Math.max(40, options.columns - indent);
  for (const line of wrap(toVisible(toLocalHeadline(file, options.translator)), room))
    lines.push(' '.repeat(indent) + line);
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
export function toSummaryText(report: ScanReport, options: ReportOptions): string {
  const { colour } = options;
  const { language } = options.translator;
  const words = messages[language].scan.summary;
  const lines = toPolicyLines(report, options);
  const { summary } = report;
  const parts = toCounts(report).map(({ word, count }) => words.count(count, word));
  const partial = summary.incomplete - report.files.filter((file) => toWord(file) === 'incomplete').length;
  if (partial > 0) parts.push(words.partial(partial));
  if (summary.notScanned > 0) parts.push(words.interrupted(summary.notScanned));
  if (summary.leftOut > 0) parts.push(words.leftOut(summary.leftOut));
  for (const seal of report.database.packs ?? []) lines.push(` ${toVisible(toSealLine(seal, language))}`);
  const databases = report.database.products.map(({ id, revision }) => `${id} ${revision}`).join(', ');
  lines.push(
    ` ${words.files(summary.files, parts)}    ${colour.dim(`telltale ${report.tool.version}, ${databases}`)}`,
  );
  return `${lines.join('\n')}\n`;
}

/** How many files stand under each word, from the least grave; words without a file are left out. */
export function toCounts({ files }: ScanReport): readonly { readonly word: Word; readonly count: number }[] {
  const words = files.map(toWord);
  return [...verdicts.toReversed(), 'incomplete' as const].flatMap((word) => {
    const count = words.filter((one) => one === word).length;
    return count === 0 ? [] : [{ word, count }];
  });
}

/** Which rules were violated by what; with a policy file also that none was. */
function toPolicyLines({ policy }: ScanReport, { colour, translator, isVerbose }: ReportOptions): string[] {
  const words = messages[translator.language].scan.policy;
  const { violations, exceptions } = policy;
  const lines: string[] = [];
  const origins = [policy.file, policy.lock].filter((path) => path !== null);
  for (const { path, reason, owner, expires } of exceptions) {
    lines.push(toVisible(` ${words.letThrough(path, reason, owner, expires)}`));
  }
  if (violations.length > 0) {
    const rules = [...new Set(violations.map(({ rule }) => rule))].sort();
    const count = new Set(violations.map(({ path }) => path)).size;
    // The report of a file says its verdict already.
    for (const { path, rule, detail } of violations) {
      if (rule.startsWith('fail on ') && !isVerbose) continue;
      const line = words.violation(translator.translate(rule), path, translator.translate(detail));
      lines.push(` ${colour.red(toVisible(line))}`);
    }
    const shown = rules.map((rule) => translator.translate(rule));
    lines.push(
      ` ${colour.red(toVisible(words.violated(words.of(origins), shown, count)))}${words.showsEverything}`,
    );
  } else if (origins.length > 0) {
    lines.push(toVisible(` ${words.met(words.of(origins))}`));
  }
  return lines;
}

/** Who vouches for a pack, in one sentence. */
export function toSealLine({ path, signedBy, trusted }: PackSeal, language: Language = 'en'): string {
  const words = messages[language].scan.seal;
  if (signedBy === null) return words.unsigned(path);
  const key = signedBy.slice(0, 8);
  return trusted ? words.trusted(path, key) : words.unchecked(path, key);
}

export function toCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
