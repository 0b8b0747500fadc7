import type { ProductDatabase } from './load.ts';
import type { Language, Product, Variant } from './schema.ts';

/*
 * Texts of a database in the language of the reader. English is what every text is written in; a translation stands
 * beside it, in an object of the same fields (see schema.ts).
 */

/** An object with texts and, perhaps, their translations. */
type Translated<Field extends string> = { readonly [Name in Field]?: string | undefined } & {
  readonly zh?: { readonly [Name in Field]?: string | undefined } | undefined;
};

/** A text in the language asked for; in English where it is not translated. */
export function localize<Field extends string>(
  owner: Translated<NoInfer<Field>> & { readonly [Name in NoInfer<Field>]: string },
  field: Field,
  language: Language,
): string;
export function localize<Field extends string>(
  owner: Translated<NoInfer<Field>>,
  field: Field,
  language: Language,
): string | undefined;
export function localize<Field extends string>(
  owner: Translated<Field>,
  field: Field,
  language: Language,
): string | undefined {
  // A translation of a text that is not there says nothing.
  const english = owner[field];
  return language === 'en' || english === undefined ? english : (owner[language]?.[field] ?? english);
}

/** A text that has no translation. */
export interface MissingTranslation {
  /** Data file of the product: `product.json`, `variants/<id>.json`. */
  readonly file: string;
  /** Way to the object in that file: `['indicators', 3]`. */
  readonly path: readonly (string | number)[];
  /** Field of that object: `title`. */
  readonly field: string;
}

const variantFields = ['name', 'publisher', 'region', 'summary'] as const;
const noteFields = ['text'] as const;
const indicatorFields = ['title', 'note'] as const;
const claimFields = ['title'] as const;
const scopeFields = ['title', 'note'] as const;

/**
 * Every text of a product that has no translation. A proper name needs none: a publisher, or a name of one word
 * (`PowerSpritz`).
 *
 * @param product - its files are named as if it came from one folder
 */
export function listMissingTranslations({
  product,
  variants,
}: Pick<ProductDatabase, 'product' | 'variants'>): readonly MissingTranslation[] {
  return [
    ...listMissingInProduct(product),
    ...variants.flatMap((variant) => listMissingInVariant(variant, `variants/${variant.id}.json`)),
  ];
}

/** As {@link listMissingTranslations}, of one `product.json`. */
export function listMissingInProduct(
  { claims, scopes = [] }: Product,
  file = 'product.json',
): readonly MissingTranslation[] {
  return [
    ...claims.flatMap((claim, index) => listMissing(claim, claimFields, file, ['claims', index])),
    ...scopes.flatMap((scope, index) => listMissing(scope, scopeFields, file, ['scopes', index])),
  ];
}

/** As {@link listMissingTranslations}, of one file of a variant. */
export function listMissingInVariant(
  variant: Variant,
  file = `variants/${variant.id}.json`,
): readonly MissingTranslation[] {
  const { notes = [], notConclude = [], indicators, surveillance } = variant;
  return [
    ...listMissing(variant, variantFields, file, []).filter(
      ({ field }) => field !== 'publisher' && !(field === 'name' && !/\s/.test(variant.name)),
    ),
    ...listMissing(surveillance, noteFields, file, ['surveillance']),
    ...notes.flatMap((note, index) => listMissing(note, noteFields, file, ['notes', index])),
    ...notConclude.flatMap((note, index) => listMissing(note, noteFields, file, ['notConclude', index])),
    ...indicators.flatMap((one, index) => listMissing(one, indicatorFields, file, ['indicators', index])),
  ];
}

function listMissing<Field extends string>(
  owner: Translated<NoInfer<Field>>,
  fields: readonly Field[],
  file: string,
  path: MissingTranslation['path'],
): readonly MissingTranslation[] {
  return fields
    .filter((field) => owner[field] !== undefined && owner.zh?.[field] === undefined)
    .map((field) => ({ file, path, field }));
}

/**
 * The translations of a variant that a later file states anew: its own, and the earlier ones of texts that it leaves
 * as they are. The translation of a text that was replaced would say something else than the text.
 */
export function joinTranslations(earlier: Variant | undefined, later: Variant): Pick<Variant, 'zh'> {
  if (earlier?.zh === undefined) return later.zh === undefined ? {} : { zh: later.zh };
  const zh = { ...earlier.zh };
  for (const field of variantFields) {
    if (later[field] !== undefined && later[field] !== earlier[field]) delete zh[field];
  }
  return { zh: { ...zh, ...later.zh } };
}
