import { DataFile } from './data-file.ts';
import type { Statements } from './load.ts';
import type { AllowableCode } from './diagnostic.ts';
import type { Condition, Indicator, Variant } from './schema.ts';

interface Located {
  /** Id of the product. */
  readonly product: string;
  readonly file: DataFile;
  /** `indicators`, 2: where it stands in its file. */
  readonly path: readonly PropertyKey[];
  readonly id: string;
  readonly when: Condition;
  readonly in: readonly string[];
  readonly allow: readonly { readonly code: AllowableCode; readonly reason: string }[];
}

/** An indicator, a claim or a scope, and where it stands. */
export type LocatedStatement =
  | (Located & { readonly kind: 'claim' | 'scope' })
  | (Located & { readonly kind: 'indicator'; readonly variant: string; readonly indicator: Indicator });

/** The statements that count: where a later folder replaces one of the same id, the later one. */
export function listStatements(products: readonly Statements[]): readonly LocatedStatement[] {
  const byKey = new Map<string, LocatedStatement>();
  const put = (statement: LocatedStatement): void => {
    byKey.set(`${statement.product}\0${statement.kind}\0${statement.id}`, statement);
  };
  for (const { product, products: frames, variants } of products) {
    for (const { file, value } of frames) {
      for (const [index, { id, when, in: artifacts, allow = [] }] of value.claims.entries()) {
        put({ kind: 'claim', product, file, path: ['claims', index], id, when, in: artifacts, allow });
      }
      for (const [index, { id, when, in: artifacts, allow = [] }] of (value.scopes ?? []).entries()) {
        put({ kind: 'scope', product, file, path: ['scopes', index], id, when, in: artifacts, allow });
      }
    }
    for (const { file, value } of variants) {
      for (const [index, indicator] of value.indicators.entries()) {
        const { id, when, in: artifacts, allow = [] } = indicator;
        put({
          kind: 'indicator',
          product,
          file,
          path: ['indicators', index],
          id,
          when,
          in: artifacts,
          allow,
          variant: value.id,
          indicator,
        });
      }
    }
  }
  return [...byKey.values()];
}

/** The statements of a variant that is in no file yet, with the places that they would have in one. */
export function listDraftStatements(product: string, variant: Variant): readonly LocatedStatement[] {
  const name = `variants/${variant.id}.json`;
  const file = new DataFile({ folder: product, product, name }, JSON.stringify(variant), []);
  return listStatements([
    {
      product,
      products: [],
      sources: [],
      publishers: [],
      variants: [{ file, value: variant }],
      knownBuilds: [],
      similarBuilds: [],
    },
  ]);
}

/** A condition and all in it, with their paths. */
export function* listConditions(
  condition: Condition,
  path: readonly PropertyKey[],
): Generator<readonly [Condition, readonly PropertyKey[]]> {
  yield [condition, path];
  const list = tryList(condition);
  if (list === undefined) return;
  for (const [index, child] of list.of.entries()) yield* listConditions(child, [...path, list.field, index]);
}

/** A condition that combines others. */
export interface ConditionList {
  /** The field that holds them. */
  readonly field: 'all' | 'any' | 'none' | 'of';
  readonly of: readonly Condition[];
  /** How many of them must hold; none of them for `none`. */
  readonly needed: number;
}

/** The list of a condition that combines others. */
export function tryList(condition: Condition): ConditionList | undefined {
  if ('all' in condition) return { field: 'all', of: condition.all, needed: condition.all.length };
  if ('any' in condition) return { field: 'any', of: condition.any, needed: 1 };
  if ('none' in condition) return { field: 'none', of: condition.none, needed: 0 };
  if ('atLeast' in condition) return { field: 'of', of: condition.of, needed: condition.atLeast };
  return undefined;
}
