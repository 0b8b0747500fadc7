import { type FileResult, verdicts } from '../verdict/model.ts';
import { explain, type Statement, toLocalHeadline } from './explain.ts';
import { toHtmlCode, toMarkdownCellCode, toMarkdownCode, toMarkdownLink, toCommentText } from './markdown.ts';
import { type Messages, messages } from './messages/index.ts';
import { type ScanReport, toWord, type Word } from './model.ts';
import type { ReportOptions } from './reporters.ts';
import { marks, toCounts } from './text.ts';
import { shortenMiddle } from './width.ts';

/*
 * A scan as GitHub markdown, short enough for a comment on a pull request. Names of files stand in code; nothing that a
 * file says of itself can become a link, a mention, a row or a heading.
 */

/** GitHub takes comments of 65,536 characters; a heading of one's own should still fit. */
const charactersLimit = 60_000;
/** Room for what is said when the report is cut, and for the last line. */
const endCharacters = 1_000;
const rowsLimit = 50;
const detailsLimit = 20;
/** A name of a file has up to 4,096 bytes, each of which can become eight characters. */
const codeColumns = 240;
const textColumns = 300;

/** The report of a scan in markdown. */
export function toScanMarkdown(report: ScanReport, options: ReportOptions): string {
  const words = messages[options.translator.language].scan;
  const page = new Page(words);
  const files = [...report.files].sort((a, b) => toGravity(a) - toGravity(b));
  page.add([`## ${marks[toOutcomeWord(report)]} ${words.markdown.title(report.outcome)}`, '']);
  page.add([words.outcomes[report.outcome], '']);
  addCounts(page, report, words);
  addPolicy(page, report, options, words);
  addFiles(page, files, options, words);
  addDetails(page, files, report, options, words);
  return page.end(report);
}

/** The mark of the heading is that of the verdict which means the same. */
function toOutcomeWord({ outcome }: ScanReport): Word {
  switch (outcome) {
    case 'violation':
      return 'variant';
    case 'ok':
      return 'official';
    case 'interrupted':
    case 'bug':
    case 'incomplete':
      return 'incomplete';
  }
}

/** The gravest first, so that a limit leaves out the least. */
function toGravity(file: FileResult): number {
  const order = verdicts.filter((name) => name !== 'official' && name !== 'other');
  const at = order.findIndex((name) => name === file.verdict);
  if (at >= 0) return at;
  return order.length + (file.complete ? (file.verdict === 'official' ? 1 : 2) : 0);
}

/** Whole blocks, as long as there is room: what is cut leaves no open table, list or element behind. */
class Page {
  readonly #words: Messages['scan'];
  readonly #lines: string[] = [];
  #characters = 0;
  #isCut = false;

  constructor(words: Messages['scan']) {
    this.#words = words;
  }

  /** Adds all of these lines, or none. */
  add(lines: readonly string[]): boolean {
    const characters = lines.reduce((sum, line) => sum + line.length + 1, 0);
    if (this.#characters + characters > charactersLimit - endCharacters) {
      this.#isCut = true;
      return false;
    }
    this.#lines.push(...lines);
    this.#characters += characters;
    return true;
  }

  /** A table with as many rows as there is room for, and a line for those that are left out. */
  addTable(
    columns: readonly string[],
    alignments: readonly string[],
    rows: readonly (readonly string[])[],
  ): void {
    if (!this.add([toRow(columns), toRow(alignments)])) return;
    let shown = 0;
    for (const row of rows.slice(0, rowsLimit)) {
      if (!this.add([toRow(row)])) break;
      shown += 1;
    }
    if (shown < rows.length) this.add(['', this.#words.markdown.moreRows(rows.length - shown)]);
    this.add(['']);
  }

  end({ tool, database }: ScanReport): string {
    const databases = database.products.map(({ id, revision }) => `${id} ${revision}`).join(', ');
    const { cut, madeBy } = this.#words.markdown;
    const last = madeBy(`telltale ${tool.version}`, clip(databases, codeColumns));
    return `${[...this.#lines, ...(this.#isCut ? [cut(charactersLimit), ''] : []), toCommentText(last)].join('\n')}\n`;
  }
}

function toRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function clip(text: string, columns: number): string {
  return shortenMiddle(text, columns);
}

function toCell(text: string): string {
  return toCommentText(clip(text, textColumns));
}

function toPathCell(path: string): string {
  return toMarkdownCellCode(clip(path, codeColumns));
}

function addCounts(page: Page, report: ScanReport, words: Messages['scan']): void {
  const { markdown, summary } = words;
  const { incomplete, notScanned, leftOut } = report.summary;
  const partial = incomplete - report.files.filter((file) => toWord(file) === 'incomplete').length;
  const rows = toCounts(report).map(({ word, count }) => [
    `${marks[word]} ${words.verdict(word)}`,
    String(count),
  ]);
  if (rows.length > 0)
    page.addTable([markdown.columns.verdict, markdown.columns.files], ['---', '---:'], rows);
  for (const line of [
    ...(partial > 0 ? [summary.partial(partial)] : []),
    ...(notScanned > 0 ? [summary.interrupted(notScanned)] : []),
    ...(leftOut > 0 ? [summary.leftOut(leftOut)] : []),
  ]) {
    page.add([`- ${line}`, '']);
  }
}

function addPolicy(
  page: Page,
  { policy }: ScanReport,
  { translator }: ReportOptions,
  { markdown }: Messages['scan'],
): void {
  const { violations, exceptions } = policy;
  if (violations.length > 0) {
    page.add([`### ${markdown.violations}`, '']);
    page.addTable(
      [markdown.columns.path, markdown.rule, markdown.detail],
      ['---', '---', '---'],
      violations.map(({ path, rule, detail }) => [
        toPathCell(path),
        toCell(translator.translate(rule)),
        toCell(translator.translate(detail)),
      ]),
    );
  }
  if (exceptions.length > 0) {
    page.add([`### ${markdown.exceptions}`, '']);
    page.addTable(
      [markdown.columns.path, markdown.detail],
      ['---', '---'],
      exceptions.map(({ path, reason, owner, expires }) => [
        toPathCell(path),
        toCell(markdown.exception(reason, owner, expires)),
      ]),
    );
  }
}

function addFiles(
  page: Page,
  files: readonly FileResult[],
  { translator }: ReportOptions,
  words: Messages['scan'],
): void {
  if (files.length === 0) return;
  const { columns, files: heading } = words.markdown;
  page.add([`### ${heading}`, '']);
  page.addTable(
    [columns.verdict, columns.path, columns.what, columns.why],
    ['---', '---', '---', '---'],
    files.map((file) => [
      `${marks[toWord(file)]} ${words.verdict(toWord(file))}`,
      toPathCell(file.path),
      toCell(toLocalHeadline(file, translator)),
      toCell(toReason(file, translator, words)),
    ]),
  );
}

/** Why, in a few words: the first telltale that weighs, or the reason; and that something was not read. */
function toReason(
  file: FileResult,
  translator: ReportOptions['translator'],
  { markdown }: Messages['scan'],
): string {
  const telltale = file.telltales.find(
    ({ strength, variant }) => strength !== 'suggestive' && variant === file.variant,
  );
  const reason =
    file.verdict === 'other'
      ? ''
      : translator.translate(telltale === undefined ? file.reason : telltale.title);
  return markdown.reasons(
    [reason, ...(file.complete ? [] : [markdown.notFullyRead])].filter((part) => part !== ''),
  );
}

function addDetails(
  page: Page,
  files: readonly FileResult[],
  { policy }: ScanReport,
  options: ReportOptions,
  words: Messages['scan'],
): void {
  const violating = new Set(policy.violations.map(({ path }) => path));
  const told = files.filter(
    (file) =>
      violating.has(file.path) ||
      !file.complete ||
      file.rules.length > 0 ||
      (file.verdict !== 'official' && file.verdict !== 'other'),
  );
  if (told.length === 0) return;
  page.add([`### ${words.markdown.details}`, '']);
  let shown = 0;
  for (const file of told.slice(0, detailsLimit)) {
    if (!page.add(toDetails(file, options, words))) break;
    shown += 1;
  }
  if (shown < told.length) page.add([words.markdown.moreDetails(told.length - shown), '']);
}

function toDetails(file: FileResult, options: ReportOptions, words: Messages['scan']): readonly string[] {
  const word = toWord(file);
  return [
    `<details><summary>${marks[word]} ${words.verdict(word)}: ${toHtmlCode(clip(file.path, codeColumns))}</summary>`,
    '',
    `**${toCell(toLocalHeadline(file, options.translator))}**`,
    '',
    ...explain(file, options).flatMap(toStatementLines),
    '',
    '</details>',
    '',
  ];
}

function toStatementLines({ label, text, support, sources }: Statement): readonly string[] {
  const title = label === '' ? '' : `**${toCommentText(label)}** `;
  const lines = [`- ${title}${toCell(text)}`];
  for (const { kind, text: line } of support) {
    if (kind !== 'source') lines.push(`  - ${toMarkdownCode(clip(line, codeColumns))}`);
    else if (sources === undefined) lines.push(`  - ${toCell(line)}`);
  }
  const links = (sources ?? []).map(({ short, link }) =>
    toMarkdownLink(clip(short, codeColumns), link, toCommentText),
  );
  if (links.length > 0) lines.push(`  - ${[...new Set(links)].join(', ')}`);
  return lines;
}
