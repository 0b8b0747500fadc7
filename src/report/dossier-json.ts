import type { ProductDatabase } from '../signatures/load.ts';
import type { Claim, Indicator, Language, Scope } from '../signatures/schema.ts';
import { toCitations } from '../verdict/result.ts';
import { toConditionText } from './condition-text.ts';
import {
  countSeen,
  countStrengths,
  listVariantSources,
  type Subject,
  toBuildGroups,
  toDependentIds,
} from './dossier.ts';

const schema = 'telltale/explain/1';

type Document = Readonly<Record<string, unknown>>;

/**
 * What the database has of a subject, as data: its own fields with their translations, conditions in words of the
 * language, counts, and the sources in full.
 */
export function toDossierDocument(subject: Subject, language: Language): Document {
  const { product } = subject;
  const head = { schema, kind: subject.kind, language, product: product.product.id };
  switch (subject.kind) {
    case 'variant': {
      const { variant } = subject;
      return {
        ...head,
        ...variant,
        indicators: variant.indicators.map((indicator) => withConditionText(indicator, language)),
        counts: {
          ...countStrengths(variant),
          total: variant.indicators.length,
          seenInRealFile: countSeen(variant),
        },
        knownBuilds: toBuildGroups(variant.id, product),
        citations: toSources(listVariantSources(variant), product),
      };
    }
    case 'indicator':
      return {
        ...head,
        ...withConditionText(subject.indicator, language),
        variant: subject.variant.id,
        citations: toSources(subject.indicator.sources, product),
      };
    case 'claim':
      return {
        ...head,
        ...withConditionText(subject.claim, language),
        citations: toSources(subject.claim.sources, product),
      };
    case 'scope':
      return {
        ...head,
        ...withConditionText(subject.scope, language),
        citations: toSources(subject.scope.sources, product),
      };
    case 'source': {
      // The kind of the source is among the citations: here it would hide that of the document.
      const { kind: _, ...source } = subject.source;
      return {
        ...head,
        id: subject.id,
        ...source,
        restsOnIt: toDependentIds(subject.id, product),
        citations: toSources([subject.id], product),
      };
    }
  }
}

/** Several subjects of one id, each as {@link toDossierDocument} has it. */
export function toSeveralDocument(subjects: readonly Subject[], language: Language): Document {
  const [only] = subjects;
  if (only !== undefined && subjects.length === 1) return toDossierDocument(only, language);
  return {
    schema,
    kind: 'several',
    language,
    found: subjects.map((subject) => toDossierDocument(subject, language)),
  };
}

/** All variants of the products, each with what a list needs; sorted by id. */
export function toListDocument(products: readonly ProductDatabase[], language: Language): Document {
  return {
    schema,
    kind: 'list',
    language,
    products: products.map(({ product, variants }) => ({
      id: product.id,
      name: product.name,
      revision: product.revision,
      variants: variants.map(({ id, name, zh, role, years }) => ({
        id,
        name,
        ...(zh?.name === undefined ? {} : { zh: { name: zh.name } }),
        role,
        ...(years === undefined ? {} : { years }),
      })),
    })),
  };
}

function withConditionText(statement: Indicator | Claim | Scope, language: Language): Document {
  return { ...statement, conditionText: toConditionText(statement.when, language) };
}

function toSources(ids: readonly string[], product: ProductDatabase): readonly Document[] {
  return toCitations([...new Set(ids)].sort(), product).map((citation) => {
    const accessed = product.sources.get(citation.id)?.accessed;
    return { ...citation, ...(accessed === undefined ? {} : { accessed }) };
  });
}
