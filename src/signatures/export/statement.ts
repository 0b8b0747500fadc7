import type { Database, ProductDatabase } from '../load.ts';
import type { Condition, Indicator, Source, Variant } from '../schema.ts';
import { toLink } from '../source-link.ts';

/*
 * What all exports share: the list of indicators, the head that says what was exported, and the account of what
 * another language cannot say.
 */

/** Which program exports which database. */
export interface ExportOrigin {
  readonly database: Database;
  /** Version of this program. */
  readonly version: string;
}

/** One indicator with what belongs to it. */
export interface Statement {
  readonly product: ProductDatabase;
  readonly variant: Variant;
  readonly indicator: Indicator;
  /** In the order of the indicator; ids that are not known are left out. */
  readonly sources: readonly Source[];
}

/** Something that an export says in part only, or not at all. */
export interface Omission {
  readonly product: string;
  readonly variant: string;
  readonly indicator: string;
  readonly kind: 'left-out' | 'in-part' | 'approximate';
  readonly reason: string;
}

/** One file of an export. */
export interface ExportedFile {
  readonly name: string;
  readonly text: string;
}

export interface Exported {
  readonly files: readonly ExportedFile[];
  /** Indicators that are in it, wholly or in part. */
  readonly count: number;
  /** In the order of the indicators. */
  readonly omissions: readonly Omission[];
}

/** All indicators, sorted by product, variant and id. */
export function listStatements({ products }: Database): readonly Statement[] {
  return products.flatMap((product) =>
    product.variants.flatMap((variant) =>
      variant.indicators
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .map((indicator) => ({
          product,
          variant,
          indicator,
          sources: indicator.sources.flatMap((id) => product.sources.get(id) ?? []),
        })),
    ),
  );
}

/** What can be opened of the sources of a statement. */
export function listLinks({ sources }: Statement): readonly string[] {
  return [...new Set(sources.flatMap((source) => toLink(source) ?? []))];
}

/** `skype 2026.11` of every product. */
export function toRevisions({ products }: Database): string {
  return products.map(({ product }) => `${product.id} ${product.revision}`).join(', ');
}

/** The lines at the top of an export, without the sign of a comment. */
export function toHead({ database, version }: ExportOrigin): readonly string[] {
  return [
    `Exported by telltale ${version} from its signature database; not to be edited, but exported anew.`,
    `Database: ${toRevisions(database)}, sha256 ${database.digest}`,
  ];
}

/** The lines that account for what is not in an export, without the sign of a comment. */
export function toAccount(omissions: readonly Omission[]): readonly string[] {
  const lines = omissions.map(
    ({ product, variant, indicator, kind, reason }) =>
      `${omissionTitles[kind]}: ${product} ${variant} ${indicator}: ${reason}`,
  );
  return lines.length === 0 ? ['Every indicator is here as telltale has it.'] : lines;
}

const omissionTitles = {
  'left-out': 'left out',
  'in-part': 'in part',
  approximate: 'approximate',
} as const satisfies Record<Omission['kind'], string>;

/** A condition that combines no others. */
export type LeafCondition = Exclude<
  Condition,
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly none: readonly Condition[] }
  | { readonly atLeast: number }
>;

/** What became of a condition in another language. */
export type Translation<Term> =
  | {
      readonly kind: 'said';
      readonly term: Term;
      /** In what it differs from the condition; empty when it does not. */
      readonly remarks: readonly string[];
      /** It may be silent where the condition holds. */
      readonly isNarrower: boolean;
      /** Alternatives that could not be said. */
      readonly missing: readonly string[];
    }
  | { readonly kind: 'unsayable'; readonly reason: string };

/** How a language joins terms. */
export interface Language<Term> {
  toLeaf(condition: LeafCondition): Translation<Term>;
  all(terms: readonly Term[]): Term;
  any(terms: readonly Term[]): Term;
  none(terms: readonly Term[]): Term;
}

export function toSaid<Term>(
  term: Term,
  remarks: readonly string[] = [],
  isNarrower = false,
): Translation<Term> {
  return { kind: 'said', term, remarks, isNarrower, missing: [] };
}

export function toUnsayable<Term>(reason: string): Translation<Term> {
  return { kind: 'unsayable', reason };
}

const combinationsLimit = 100;

/**
 * Says a condition in another language. An alternative that cannot be said is missing from the result, which then
 * finds less; a demand that cannot be said would make it find more, and so nothing is said at all.
 */
export function translate<Term>(condition: Condition, language: Language<Term>): Translation<Term> {
  if ('all' in condition)
    return joinAll(
      condition.all.map((one) => translate(one, language)),
      language,
    );
  if ('any' in condition)
    return joinAny(
      condition.any.map((one) => translate(one, language)),
      language,
    );
  if ('none' in condition) {
    const parts = condition.none.map((one) => translate(one, language));
    const said = joinAll(parts, { all: (terms) => language.none(terms) });
    return said.kind === 'said' && (said.isNarrower || said.missing.length > 0)
      ? toUnsayable('it rules out what can be said in part only')
      : said;
  }
  if ('atLeast' in condition) {
    const parts = condition.of.map((one) => translate(one, language));
    const sets = listCombinations(parts, condition.atLeast);
    return sets === undefined
      ? toUnsayable('it asks for some of too many alternatives')
      : joinAny(
          sets.map((set) => joinAll(set, language)),
          language,
        );
  }
  return language.toLeaf(condition);
}

function joinAll<Term>(
  parts: readonly Translation<Term>[],
  language: Pick<Language<Term>, 'all'>,
): Translation<Term> {
  const unsayable = parts.find((part) => part.kind === 'unsayable');
  if (unsayable !== undefined) return unsayable;
  return join(parts, [], (terms) => language.all(terms));
}

function joinAny<Term>(parts: readonly Translation<Term>[], language: Language<Term>): Translation<Term> {
  const missing = [...new Set(parts.flatMap((part) => (part.kind === 'unsayable' ? [part.reason] : [])))];
  if (parts.every(({ kind }) => kind === 'unsayable')) return toUnsayable(missing.join('; '));
  return join(parts, missing, (terms) => language.any(terms));
}

function join<Term>(
  parts: readonly Translation<Term>[],
  missing: readonly string[],
  combine: (terms: readonly Term[]) => Term,
): Translation<Term> {
  const said = parts.filter((part) => part.kind === 'said');
  return {
    kind: 'said',
    term: combine(said.map(({ term }) => term)),
    remarks: [...new Set(said.flatMap(({ remarks }) => remarks))],
    isNarrower: missing.length > 0 || said.some(({ isNarrower }) => isNarrower),
    missing: [...new Set([...missing, ...said.flatMap((part) => part.missing)])],
  };
}

/** Every choice of so many of the items; undefined when there are too many. */
function listCombinations<Item>(
  items: readonly Item[],
  count: number,
): readonly (readonly Item[])[] | undefined {
  let sets: (readonly [number, readonly Item[]])[] = [[0, []]];
  for (let size = 0; size < count; size += 1) {
    sets = sets.flatMap(([from, set]) =>
      items.slice(from).map((item, index) => [from + index + 1, [...set, item]] as const),
    );
    if (sets.length > combinationsLimit) return undefined;
  }
  return sets.length === 0 ? undefined : sets.map(([, set]) => set);
}

/** Complaints about one statement, in the order in which a person wants them. */
export function toOmissions<Term>(
  { product, variant, indicator }: Statement,
  translation: Translation<Term>,
): readonly Omission[] {
  const place = { product: product.product.id, variant: variant.id, indicator: indicator.id };
  if (translation.kind === 'unsayable') return [{ ...place, kind: 'left-out', reason: translation.reason }];
  const omissions: Omission[] = [];
  if (translation.missing.length > 0) {
    omissions.push({ ...place, kind: 'in-part', reason: `without ${translation.missing.join('; ')}` });
  }
  if (translation.remarks.length > 0) {
    omissions.push({ ...place, kind: 'approximate', reason: translation.remarks.join('; ') });
  }
  return omissions;
}
