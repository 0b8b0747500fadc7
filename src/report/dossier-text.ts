import type { ChalkInstance } from 'chalk';
import type { Dossier, Entry, Reference, VariantGroup } from './dossier.ts';
import { toVisible } from './escape.ts';
import { padColumns, toColumns, wrap } from './width.ts';

export interface DossierTextOptions {
  readonly colour: ChalkInstance;
  readonly columns: number;
}

const indent = 2;
const labelColumns = 14;
/** However narrow the terminal is. */
const leastColumns = 24;

/** A dossier for a terminal. */
export function toDossierText({ id, title, sections }: Dossier, options: DossierTextOptions): string {
  const page = new Page(options);
  page.line(0, `${options.colour.bold(toVisible(title))}  (${toVisible(id)})`);
  for (const { heading, entries } of sections) {
    if (heading !== '') {
      page.blank();
      page.line(0, options.colour.bold(toVisible(heading)));
    }
    for (const [index, entry] of entries.entries()) {
      const isBlock = isTitled(entry);
      if (isBlock && index > 0) page.blank();
      page.entry(entry, indent);
    }
  }
  return page.toString();
}

/** The variants of a product by role, for a terminal. */
export function toListText(
  title: string,
  groups: readonly VariantGroup[],
  hint: string,
  options: DossierTextOptions,
): string {
  const page = new Page(options);
  const all = groups.flatMap(({ variants }) => variants);
  const idColumns = Math.max(0, ...all.map(({ id }) => id.length)) + 2;
  const yearColumns = Math.max(0, ...all.map(({ years }) => toColumns(years)));
  // Where not all fits, the longest names push their years out of the column.
  const nameColumns = Math.min(
    Math.max(0, ...all.map(({ name }) => toColumns(toVisible(name)))) + 2,
    Math.max(0, options.columns - indent - idColumns - yearColumns),
  );
  page.line(0, options.colour.bold(toVisible(title)));
  for (const { heading, variants } of groups) {
    page.blank();
    page.line(0, options.colour.bold(toVisible(heading)));
    for (const { id, name, years } of variants) {
      const shown = padColumns(`${toVisible(name)}  `, nameColumns);
      page.line(indent, `${padColumns(id, idColumns)}${shown}${years}`.trimEnd());
    }
  }
  page.blank();
  page.line(0, toVisible(hint));
  return page.toString();
}

/** Whether an entry is a title above statements of its own. */
function isTitled({ label, entries }: Entry): boolean {
  return label === '' && entries !== undefined;
}

class Page {
  readonly #lines: string[] = [];
  readonly #colour: ChalkInstance;
  readonly #columns: number;

  constructor({ colour, columns }: DossierTextOptions) {
    this.#colour = colour;
    this.#columns = columns;
  }

  /** A line as it is. */
  line(at: number, text: string): void {
    this.#lines.push(' '.repeat(at) + text);
  }

  blank(): void {
    this.#lines.push('');
  }

  entry(entry: Entry, at: number): void {
    const { label, text, id, cites = [], entries = [] } = entry;
    const shown = toVisible(id === undefined ? text : `${text}  [${id}]`);
    if (isTitled(entry)) {
      for (const line of this.#wrap(shown, at)) this.line(at, this.#colour.bold(line));
      for (const child of entries) this.entry(child, at + indent);
      return;
    }
    if (label === '') {
      this.#say('- ', shown, at);
      for (const reference of cites) this.#cite('', reference, at + indent);
      return;
    }
    const deep = at + labelColumns;
    const lead = padColumns(label, labelColumns - 1) + ' ';
    if (text === '') {
      for (const [index, reference] of cites.entries()) {
        if (index === 0) this.#cite(this.#colour.dim(lead), reference, at);
        else this.#cite('', reference, deep);
      }
    } else {
      this.#say(this.#colour.dim(lead), shown, at, toColumns(lead));
      for (const reference of cites) this.#cite('', reference, deep);
    }
    for (const child of entries) this.entry(child, deep);
  }

  /** A text behind a lead, its further lines below its first. */
  #say(lead: string, text: string, at: number, leadColumns = toColumns(lead)): void {
    const [first = '', ...rest] = this.#wrap(text, at + leadColumns);
    this.line(at, lead + first);
    for (const line of rest) this.line(at + leadColumns, line);
  }

  /** The name of a source and, behind it or below it, where it can be opened. */
  #cite(lead: string, { short, link }: Reference, at: number): void {
    const name = toVisible(short);
    const place = link === undefined ? '' : toVisible(link);
    const start = at + (lead === '' ? 0 : labelColumns);
    const isOneLine = start + toColumns(name) + 2 + toColumns(place) <= this.#columns;
    const dim = (text: string): string => this.#colour.dim(text);
    this.line(at, lead + dim(place !== '' && isOneLine ? `${name}  ${place}` : name));
    if (place !== '' && !isOneLine) this.line(start + indent, dim(place));
  }

  #wrap(text: string, at: number): readonly string[] {
    return wrap(text, Math.max(leastColumns, this.#columns - at));
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}
