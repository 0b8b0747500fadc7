import type { MemberChange, SideResult, TelltaleChange } from '../diff/model.ts';
import type { DiffReport } from './diff-model.ts';
import {
  describeMember,
  type Line,
  selectMembers,
  type Sign,
  stateSigns,
  stateTitles,
  toMemberTitle,
  toOutcome,
  toPlaceTexts,
  toSum,
} from './diff-rows.ts';
import { toVisible } from './escape.ts';
import { marks, paint, type TextOptions, toCount } from './text.ts';
import { padColumns, shortenMiddle, wrap } from './width.ts';

const indent = 16;
const labelColumns = 14;
const linesAtOnce = 8;
/** Addresses are what a person looks for; other strings are samples. */
const linesOf: Readonly<Record<string, number>> = { addresses: 24, 'strings went': 4, 'strings came': 4 };
const telltalesAtOnce = 12;
const problemsAtOnce = 5;

/** A comparison as a person reads it: what the two are, which telltales came and went, then member by member. */
export function toDiffText(report: DiffReport, options: TextOptions): string {
  const page = new Page(options);
  const { before, after, telltales } = report;
  page.paragraph(`${before.path} → ${after.path}: ${toSum(report)}`);
  page.side('before', before);
  page.side('after', after);
  page.telltales('+', telltales.came, after);
  page.telltales('-', telltales.went, before);
  if (telltales.stayed.length > 0) {
    const shown = options.isVerbose ? `: ${telltales.stayed.map(({ title }) => title).join('; ')}` : '';
    page.row('telltales', [{ sign: ' ', text: `${telltales.stayed.length} on both sides${shown}` }]);
  }
  for (const one of selectMembers(report.members, options.isVerbose)) {
    if (one.kind === 'member') page.member(one.member, one.inside);
    else page.paragraph(`${one.text} (-v shows all)`);
  }
  for (const limit of report.limits) page.paragraph(`limit: ${limit}`);
  const databases = report.database.products.map(({ id, revision }) => `${id} ${revision}`).join(', ');
  page.paragraph(
    `${toOutcome(report)}    ${options.colour.dim(`telltale ${report.tool.version}, ${databases}`)}`,
    true,
  );
  return page.toString();
}

class Page {
  readonly #options: TextOptions;
  readonly #room: number;
  readonly #lines: string[] = [];

  constructor(options: TextOptions) {
    this.#options = options;
    this.#room = Math.max(40, options.columns - indent - labelColumns);
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  /** @param isOurs - holds colour, and nothing from a file */
  paragraph(text: string, isOurs = false): void {
    if (isOurs) {
      this.#lines.push(` ${text}`);
      return;
    }
    for (const line of wrap(toVisible(text), Math.max(40, this.#options.columns - 1)))
      this.#lines.push(` ${line}`);
  }

  side(label: string, side: SideResult): void {
    const word = side.verdict === 'other' && !side.complete ? 'incomplete' : side.verdict;
    const tint = paint(word, this.#options);
    const head = `${tint(`${marks[word]} ${padColumns(word, indent - 4)}`)}`;
    this.#lines.push(
      ` ${head} ${this.#options.colour.dim(padColumns(label, labelColumns))}${shorten(side.headline, this.#room, this.#options)}`,
    );
    this.#say('', side.reason);
    const problems = side.problems.filter(({ incomplete }) => incomplete);
    const shown = this.#options.isVerbose ? problems : problems.slice(0, problemsAtOnce);
    for (const { path, message, consequence } of shown)
      this.#say('not read', `${path}: ${message}; ${consequence}`);
    this.#more(problems.length - shown.length);
  }

  telltales(sign: Sign, changes: readonly TelltaleChange[], side: SideResult): void {
    const { isVerbose } = this.#options;
    const shown = isVerbose ? changes : changes.slice(0, telltalesAtOnce);
    for (const { strength, title, variantName, places, sources, testedOnRealFile, id } of shown) {
      this.#head(sign, strength, `${title} (${variantName})${isVerbose ? `  [${id}]` : ''}`);
      for (const place of isVerbose ? places : places.slice(0, 1)) {
        const { place: where, quote, carrier } = toPlaceTexts(place, side);
        this.#say('in', isVerbose ? where : shortenMiddle(toVisible(where), this.#room));
        this.#say('', isVerbose ? quote : shortenMiddle(toVisible(quote), this.#room));
        this.#say('', carrier);
      }
      if (!isVerbose) this.#more(places.length - 1);
      const cited = isVerbose
        ? sources.map(
            ({ short, title: name, link }) => `${short}: ${name}${link === undefined ? '' : ` ${link}`}`,
          )
        : [[...new Set(sources.map(({ short }) => short))].join(', ')];
      for (const source of cited) if (source !== '') this.#say('source', source);
      if (!testedOnRealFile) this.#say('untested', 'no real file that carries it was available to us');
    }
    this.#more(changes.length - shown.length, 'telltales');
  }

  member(member: MemberChange, inside: number): void {
    const title = toMemberTitle(member) + (inside === 0 ? '' : `  and ${toCount(inside, 'member')} in it`);
    this.#head(stateSigns[member.state], stateTitles[member.state], title);
    for (const { label, lines, further } of describeMember(member)) {
      const limit = linesOf[label] ?? linesAtOnce;
      const shown = this.#options.isVerbose ? lines : lines.slice(0, limit);
      this.row(label, shown);
      const hidden = lines.length - shown.length;
      if (this.#options.isVerbose && further > 0) this.#say('', `and ${further} more that are not listed`);
      else this.#more(hidden + further);
    }
  }

  row(label: string, lines: readonly Line[]): void {
    lines.forEach(({ sign, text }, index) => {
      this.#say(index === 0 ? label : '', text, sign);
    });
  }

  #head(sign: string, word: string, title: string): void {
    const { colour } = this.#options;
    const text = `${sign} ${padColumns(word, indent - 4)}`;
    const [first = '', ...rest] = wrap(toVisible(title), this.#room + labelColumns);
    // A long word pushes the title to the next line rather than out of its column.
    const isLong = text.length > indent - 2;
    if (isLong) this.#lines.push(` ${tintSign(sign, colour)(text)}`);
    this.#lines.push(
      isLong
        ? ' '.repeat(indent) + colour.bold(first)
        : ` ${tintSign(sign, colour)(text)} ${colour.bold(first)}`,
    );
    for (const line of rest) this.#lines.push(' '.repeat(indent) + colour.bold(line));
  }

  #say(label: string, text: string, sign: Sign = ' '): void {
    const { colour } = this.#options;
    const lead = sign === ' ' ? '' : `${sign} `;
    const [first = '', ...rest] = wrap(toVisible(text), this.#room - lead.length);
    const tint = tintSign(sign, colour);
    this.#lines.push(' '.repeat(indent) + colour.dim(padColumns(label, labelColumns)) + tint(lead + first));
    for (const line of rest) this.#lines.push(' '.repeat(indent + labelColumns + lead.length) + tint(line));
  }

  #more(count: number, noun = ''): void {
    if (count > 0) this.#say('', `and ${count} more${noun === '' ? '' : ` ${noun}`} (-v shows all)`);
  }
}

function shorten(text: string, columns: number, { isVerbose }: TextOptions): string {
  return isVerbose ? toVisible(text) : shortenMiddle(toVisible(text), columns);
}

function tintSign(sign: string, colour: TextOptions['colour']): (text: string) => string {
  switch (sign) {
    case '+':
      return (text) => colour.green(text);
    case '-':
      return (text) => colour.red(text);
    case '?':
      return (text) => colour.yellow(text);
    default:
      return (text) => text;
  }
}
