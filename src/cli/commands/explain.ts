import { TelltaleError } from '../../bytes/errors.ts';
import { toSafeJson } from '../../report/escape.ts';
import { toIndicatorText, toVariantText } from '../../report/explanation.ts';
import { loadDatabase, type ProductDatabase } from '../../signatures/load.ts';
import type { Indicator, Variant } from '../../signatures/schema.ts';
import { toCitations } from '../../verdict/result.ts';
import { type SharedOptions, toDatabases } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';

export interface ExplainOptions extends SharedOptions {
  readonly format: 'text' | 'json';
}

type Found =
  | { readonly kind: 'variant'; readonly product: ProductDatabase; readonly variant: Variant }
  | {
      readonly kind: 'indicator';
      readonly product: ProductDatabase;
      readonly variant: Variant;
      readonly indicator: Indicator;
    };

/** `telltale explain`: what the database says of a variant or an indicator, and who says so. */
export function runExplain(id: string, options: ExplainOptions, terminal: Terminal): ExitName {
  const database = loadDatabase(toDatabases(options));
  const found = find(id, database.products);
  if (found === undefined) {
    const known = database.products.flatMap(({ variants }) => variants.map((variant) => variant.id)).sort();
    throw new TelltaleError(
      'usage/arguments',
      `there is no variant or indicator "${id}"; the variants are ${known.join(', ')}`,
    );
  }
  if (options.format === 'json') terminal.out(`${toSafeJson(toDocument(found), 2)}\n`);
  else if (found.kind === 'variant') terminal.out(toVariantText(found.variant, found.product, terminal));
  else terminal.out(toIndicatorText(found.indicator, found.variant, found.product, terminal));
  return 'ok';
}

function find(id: string, products: readonly ProductDatabase[]): Found | undefined {
  for (const product of products) {
    for (const variant of product.variants) {
      if (variant.id === id) return { kind: 'variant', product, variant };
    }
    for (const variant of product.variants) {
      const indicator = variant.indicators.find((one) => one.id === id);
      if (indicator !== undefined) return { kind: 'indicator', product, variant, indicator };
    }
  }
  return undefined;
}

function toDocument(found: Found): Readonly<Record<string, unknown>> {
  const body = found.kind === 'variant' ? found.variant : { ...found.indicator, variant: found.variant.id };
  const ids =
    found.kind === 'indicator'
      ? found.indicator.sources
      : [
          ...found.variant.surveillance.sources,
          ...(found.variant.notes ?? []).flatMap(({ sources }) => sources),
          ...(found.variant.notConclude ?? []).flatMap(({ sources }) => sources),
          ...found.variant.indicators.flatMap(({ sources }) => sources),
        ];
  return {
    schema: 'telltale/explain/1',
    kind: found.kind,
    product: found.product.product.id,
    ...body,
    citations: toCitations([...new Set(ids)].sort(), found.product),
  };
}
