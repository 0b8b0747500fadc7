import type { ChalkInstance } from 'chalk';
import {
  type Diagnostic,
  type DiagnosticCode,
  type DiagnosticPlace,
  type DiagnosticSeverity,
  diagnosticCodes,
  type DiagnosticSubject,
  toDiagnosticKind,
  toPlaceText,
} from '../signatures/diagnostic.ts';
import { toVisible } from './escape.ts';
import { padColumns, toColumns, wrap } from './width.ts';

/*
 * Diagnostics of a database, as a compiler shows them: the code and the message, the place, the line with carets under
 * what is meant, and with the first diagnostic of each code why it matters and how to mend it.
 */

export interface DiagnosticTextOptions {
  readonly colour: ChalkInstance;
  /** Terminal columns; lines are shortened and sentences wrapped to them. */
  readonly columns: number;
  /** The text of a file, where it is text. */
  readonly tryReadText: (file: string) => string | undefined;
}

/** What was checked, for the last line. */
export interface DiagnosticSums {
  readonly indicators: number;
  /** False when the database does not load. */
  readonly complete: boolean;
}

/**
 * All diagnostics and the sum line.
 *
 * @param supplement - text that goes between them
 */
export function toDiagnosticsText(
  diagnostics: readonly Diagnostic[],
  sums: DiagnosticSums,
  options: DiagnosticTextOptions,
  supplement = '',
): string {
  const explained = new Set<DiagnosticCode>();
  const blocks = diagnostics.map((diagnostic) => {
    const isFirst = !explained.has(diagnostic.code);
    explained.add(diagnostic.code);
    return `${toDiagnosticText(diagnostic, isFirst, options)}\n`;
  });
  return [...blocks, supplement, toSumLine(diagnostics, sums)].join('');
}

export function countSeverity(diagnostics: readonly Diagnostic[], severity: DiagnosticSeverity): number {
  return diagnostics.filter((one) => one.severity === severity).length;
}

function toSumLine(diagnostics: readonly Diagnostic[], { indicators, complete }: DiagnosticSums): string {
  const errors = toCount(countSeverity(diagnostics, 'error'), 'error');
  const warnings = toCount(countSeverity(diagnostics, 'warning'), 'warning');
  return complete
    ? ` ${errors}, ${warnings} in ${toCount(indicators, 'indicator')}\n`
    : ` ${errors}, ${warnings}; the database does not load, so its indicators were not tried\n`;
}

function toCount(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function toDiagnosticText(diagnostic: Diagnostic, isFirst: boolean, options: DiagnosticTextOptions): string {
  const { colour } = options;
  const { code, severity, message, field, subject, related, notes = [] } = diagnostic;
  const tint = severity === 'error' ? colour.red : colour.yellow;
  const gutter = String(Math.max(diagnostic.line ?? 0, related?.line ?? 0)).length;
  const about = field === '' && /^(?:database|pack)\//.test(code) ? diagnostic.file : toLastField(field);
  const headline = toVisible(speaksOfIts(code) ? `${about}: ${message}` : message);
  const lines = [`${tint.bold(`${severity}[${code}]`)}${colour.bold(`: ${headline}`)}`];
  lines.push(...toExcerpt(diagnostic, gutter, tint, options));
  const remark = (label: string, text: string): void => {
    lines.push(...toRemark(label, text, gutter, options));
  };
  if (related !== undefined) {
    remark('note', related.message);
    lines.push(...toExcerpt(related, gutter, colour.cyan, options));
  }
  for (const note of notes) remark('note', note);
  const where = [toSubjectText(subject), field].filter((part) => part !== '').join(', ');
  if (where !== '') remark('in', where);
  if (isFirst) {
    const { why, help } = toDiagnosticKind(code);
    remark('why', why);
    remark('help', help);
  }
  return `${lines.join('\n')}\n`;
}

/** Whether the messages of a code say something of a field or a folder without naming it: "is missing". */
function speaksOfIts(code: DiagnosticCode): boolean {
  return /^(?:database|pack|schema|table)\/|\/none$|-missing$|\/no-period$|\/regex-syntax$/.test(code);
}

/** `host` of `indicators[2].when.host`; with its indexes, where it is an item of a list. */
function toLastField(field: string): string {
  return field.split('.').at(-1) ?? field;
}

/** The smallest thing that has an id of its own. */
function toSubjectText({ product, variant, indicator }: DiagnosticSubject): string {
  if (indicator !== undefined) return `indicator ${indicator}`;
  if (variant !== undefined) return `variant ${variant}`;
  return product === undefined ? '' : `product ${product}`;
}

function toRemark(
  label: string,
  text: string,
  gutter: number,
  { colour, columns }: DiagnosticTextOptions,
): readonly string[] {
  const lead = `${' '.repeat(gutter)} = `;
  const indent = ' '.repeat(lead.length + label.length + 2);
  const [first = '', ...rest] = wrap(toVisible(text), Math.max(40, columns - indent.length));
  return [`${colour.blue(lead)}${colour.bold(`${label}:`)} ${first}`, ...rest.map((line) => indent + line)];
}

// -------------------------------------------------------------------------------------------- excerpts

/** The place, and the line with carets under the text at fault; the place alone where there is no line. */
function toExcerpt(
  place: DiagnosticPlace,
  gutter: number,
  tint: ChalkInstance,
  { colour, columns, tryReadText }: DiagnosticTextOptions,
): readonly string[] {
  const blank = ' '.repeat(gutter);
  const lines = [`${blank}${colour.blue('-->')} ${toVisible(toPlaceText(place))}`];
  const text = place.line === undefined ? undefined : tryReadText(place.file)?.split('\n')[place.line - 1];
  if (text === undefined || place.line === undefined) return lines;
  const { line, indent, carets } = toWindow(
    text.replace(/\r$/, ''),
    (place.column ?? 1) - 1,
    place.length ?? 1,
    Math.max(leastColumns, columns - gutter - 3),
  );
  return [
    ...lines,
    colour.blue(`${blank} |`),
    `${colour.blue(`${padColumns(String(place.line), gutter)} |`)} ${line}`.trimEnd(),
    `${colour.blue(`${blank} |`)} ${' '.repeat(indent)}${tint.bold('^'.repeat(carets))}`,
  ];
}

const leastColumns = 40;
const tabColumns = 4;
const cut = '…';

interface Cell {
  readonly text: string;
  readonly columns: number;
}

/** What a person sees of one character: tabs are blanks, and what would not show is escaped. */
function toCell(character: string): Cell {
  const text = character === '\t' ? ' '.repeat(tabColumns) : toVisible(character);
  return { text, columns: toColumns(text) };
}

/**
 * The part of a line around a place that fits, and where the carets go.
 *
 * @param start - of the text at fault, in UTF-16 code units
 * @param length - likewise
 * @param columns - room for the line
 */
function toWindow(
  line: string,
  start: number,
  length: number,
  columns: number,
): { readonly line: string; readonly indent: number; readonly carets: number } {
  // A line can be as long as its file: only characters that could be shown are looked at.
  const nearFrom = toCharacterStart(line, Math.max(0, start - columns));
  const nearTo = Math.min(line.length, start + columns);
  const before = Array.from(line.slice(nearFrom, start), toCell);
  const faultTo = Math.min(nearTo, start + length);
  const fault = Array.from(line.slice(start, faultTo), toCell);
  const behind = Array.from(line.slice(faultTo, nearTo), toCell);

  const isWhole =
    nearFrom === 0 && nearTo === line.length && sumColumns([...before, ...fault, ...behind]) <= columns;
  if (isWhole) {
    return {
      line: join([...before, ...fault, ...behind]),
      indent: sumColumns(before),
      carets: Math.max(1, sumColumns(fault)),
    };
  }
  // A third of the room for what stands before, more where the rest is short.
  const room = columns - 2 * cut.length;
  const wanted = Math.min(sumColumns([...fault, ...behind]), room);
  const shownBefore = takeLast(before, Math.max(Math.floor(room / 3), room - wanted));
  const shownFault = takeFirst(fault, room - sumColumns(shownBefore));
  const shownBehind =
    shownFault.length < fault.length
      ? []
      : takeFirst(behind, room - sumColumns(shownBefore) - sumColumns(shownFault));
  const lead = nearFrom > 0 || shownBefore.length < before.length ? cut : '';
  const isCutBehind =
    nearTo < line.length || shownFault.length < fault.length || shownBehind.length < behind.length;
  return {
    line: `${lead}${join([...shownBefore, ...shownFault, ...shownBehind])}${isCutBehind ? cut : ''}`,
    indent: lead.length + sumColumns(shownBefore),
    carets: Math.max(1, sumColumns(shownFault)),
  };
}

/** An offset that does not part a pair of surrogates. */
function toCharacterStart(line: string, offset: number): number {
  return /[\udc00-\udfff]/.test(line.charAt(offset)) ? offset + 1 : offset;
}

function takeFirst(cells: readonly Cell[], columns: number): readonly Cell[] {
  let used = 0;
  const end = cells.findIndex((cell) => {
    used += cell.columns;
    return used > columns;
  });
  return end < 0 ? cells : cells.slice(0, end);
}

function takeLast(cells: readonly Cell[], columns: number): readonly Cell[] {
  return takeFirst(cells.toReversed(), columns).toReversed();
}

function sumColumns(cells: readonly Cell[]): number {
  return cells.reduce((sum, cell) => sum + cell.columns, 0);
}

function join(cells: readonly Cell[]): string {
  return cells.map(({ text }) => text).join('');
}

// ----------------------------------------------------------------------------------------------- codes

/** Everything about one code. */
export function toCodeText(
  code: DiagnosticCode,
  { colour, columns }: Pick<DiagnosticTextOptions, 'colour' | 'columns'>,
): string {
  const { severity, phase, allowable, title, why, help } = toDiagnosticKind(code);
  const room = Math.max(40, columns - 8);
  const part = (label: string, text: string): string =>
    wrap(text, room)
      .map((line, index) => `  ${colour.dim(padColumns(index === 0 ? label : '', 6))}${line}`)
      .join('\n');
  return [
    `${colour.bold(code)} (${severity}): ${title}`,
    part('why', why),
    part('help', help),
    part(
      'when',
      phase === 'load' ? 'A scan refuses a database with it.' : 'Only db check finds it; a scan goes on.',
    ),
    ...(allowable === true
      ? [part('allow', 'The statement may have { "allow": [{ "code": …, "reason": … }] }.')]
      : []),
    '',
  ].join('\n');
}

/** All codes with their titles, one a line. */
export function toCodeList({ colour }: Pick<DiagnosticTextOptions, 'colour'>): string {
  const width = Math.max(...diagnosticCodes.map((code) => code.length));
  return diagnosticCodes
    .map((code) => {
      const { severity, title } = toDiagnosticKind(code);
      return ` ${colour.bold(padColumns(code, width))}  ${padColumns(severity, 'warning'.length)}  ${title}\n`;
    })
    .join('');
}
