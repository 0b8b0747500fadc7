import { toGrouped } from '../bytes/amounts.ts';
import type { ChalkInstance } from 'chalk';
import type { DatabaseDescription } from '../jobs/description.ts';
import type { FiringPlace, GoodwareMeasure } from '../jobs/goodware.ts';
import { toVisible } from './escape.ts';
import { padColumns, shortenMiddle, toColumns, wrap } from './width.ts';

/** What `db check --goodware` found out; the shape is the same in every format. */
export interface GoodwareReport extends GoodwareMeasure {
  readonly schema: 'telltale/db-goodware/1';
  readonly folders: readonly string[];
  readonly database: DatabaseDescription;
}

export interface GoodwareTextOptions {
  readonly colour: ChalkInstance;
  readonly columns: number;
  /** All patterns, places and unread members instead of the first ones. */
  readonly isVerbose: boolean;
}

const shownPatterns = 20;
const shownProblems = 5;

/**
 * The measure as a person reads it: what it holds over, how common the patterns are, what was not read. What fired is
 * told by the diagnostics of the check.
 */
export function toGoodwareText(report: GoodwareReport, options: GoodwareTextOptions): string {
  const { colour, isVerbose } = options;
  if (report.files === 0) return ' goodware: the paths hold no files\n';
  const lines: string[] = [];
  const say = (text: string, indent: number, tint: (text: string) => string = (plain) => plain): void => {
    for (const line of wrap(text, Math.max(40, options.columns - indent)))
      lines.push(' '.repeat(indent) + tint(line));
  };
  const place = ({ member, offset, evidence }: FiringPlace): void => {
    const at = offset === undefined ? '' : ` at 0x${offset.toString(16)}`;
    const room = Math.max(40, options.columns - 10);
    const path = toVisible(member);
    lines.push(`          ${isVerbose ? path : shortenMiddle(path, room - at.length)}${at}`);
    say(toVisible(evidence), 10, colour.dim);
  };

  say(
    `goodware: ${toCount(report.files, 'file')}, ${toAmount(report.bytes)}; with everything unpacked ${toCount(report.artifacts, 'artifact')}, ${toAmount(report.bytesSearched)}`,
    1,
    colour.bold,
  );
  const most = report.formats
    .slice(0, 12)
    .map(({ format, artifacts }) => `${toGrouped(artifacts)} ${format}`);
  const others = report.formats.length - most.length;
  say(`${most.join(', ')}${others > 0 ? `, and ${toCount(others, 'other format')}` : ''}`, 3);

  for (const { claim, files, artifacts, places } of report.claims) {
    say(
      `${colour.yellow('warning')} the claim ${toVisible(claim)} holds for ${toCount(artifacts, 'artifact')} of ${toCount(files, 'file')}, which a scan would not call "other"`,
      1,
    );
    for (const one of isVerbose ? places : places.slice(0, 1)) place(one);
  }

  const common = report.patterns.filter(({ artifacts }) => artifacts > 0);
  lines.push('');
  say(
    `patterns that occur at all: ${toGrouped(common.length)} of ${toGrouped(report.patterns.length)}, wherever they stand`,
    1,
    colour.bold,
  );
  if (common.length > 0) lines.push(...toTable(isVerbose ? common : common.slice(0, shownPatterns), options));
  if (!isVerbose && common.length > shownPatterns)
    say(`and ${toGrouped(common.length - shownPatterns)} rarer ones (-v shows all)`, 3);

  lines.push('');
  lines.push(...toUnreadLines(report, options));
  return `${lines.join('\n')}\n`;
}

function toTable(patterns: GoodwareMeasure['patterns'], options: GoodwareTextOptions): readonly string[] {
  const rows = patterns.map(({ kind, text, files, artifacts, occurrences, usedBy }) => [
    toGrouped(files),
    toGrouped(artifacts),
    toGrouped(occurrences),
    toVisible(`${kind} ${text}`),
    toVisible(usedBy.join(', ')),
  ]);
  const heads = ['files', 'artifacts', 'times', 'pattern', 'asked for by'];
  const patternColumns = Math.max(24, Math.min(44, Math.floor((options.columns - 30) / 2)));
  return [heads, ...rows].map((cells, row) => {
    const [files = '', artifacts = '', times = '', pattern = '', users = ''] = cells;
    const shown = options.isVerbose ? pattern : shortenMiddle(pattern, patternColumns);
    const line = `   ${padStart(files, 5)} ${padStart(artifacts, 9)} ${padStart(times, 7)}  ${padColumns(shown, patternColumns)}  `;
    const room = Math.max(20, options.columns - toColumns(line));
    const whole = line + (options.isVerbose ? users : shortenMiddle(users, room));
    return row === 0 ? options.colour.dim(whole) : whole;
  });
}

function toUnreadLines(
  report: GoodwareReport,
  { colour, isVerbose }: GoodwareTextOptions,
): readonly string[] {
  if (report.unread.length === 0) return [' everything was read'];
  const lines = [
    ` not read fully: ${toCount(report.artifactsUnread, 'artifact')} in ${toCount(report.filesIncomplete, 'file')}${
      report.filesUnread === 0 ? '' : `; of ${toCount(report.filesUnread, 'file')} nothing could be read`
    }`,
    `   ${report.unread.map(({ code, count }) => `${toGrouped(count)} ${code}`).join(', ')}`,
  ];
  // A file of which nothing could be read comes first: the measure does not hold over it.
  const ordered = [
    ...report.problems.filter(({ code }) => isGrave(code)),
    ...report.problems.filter(({ code }) => !isGrave(code)),
  ];
  const shown = isVerbose ? ordered : ordered.slice(0, shownProblems);
  for (const { path, code, message } of shown)
    lines.push(colour.dim(`   ${code}  ${toVisible(`${path}: ${message}`)}`));
  const count = report.unread.reduce((sum, one) => sum + one.count, 0);
  if (count > shown.length)
    lines.push(`   and ${toGrouped(count - shown.length)} more (--format json has them)`);
  return lines;
}

function isGrave(code: string): boolean {
  return code.startsWith('unreadable/') || code.startsWith('limit/') || code.startsWith('internal/');
}

function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - toColumns(text))) + text;
}

function toCount(count: number, noun: string): string {
  return `${toGrouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** In binary units, as sizes are given on the command line. */
function toAmount(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? toCount(bytes, 'byte') : `${value.toFixed(1)} ${units[unit]}`;
}
