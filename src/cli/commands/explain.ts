import { TelltaleError } from '../../bytes/errors.ts';
import { type Subject, toDossier, toVariantGroups } from '../../report/dossier.ts';
import { toListDocument, toSeveralDocument } from '../../report/dossier-json.ts';
import { toDossierMarkdown, toListMarkdown } from '../../report/dossier-markdown.ts';
import { toDossierText, toListText } from '../../report/dossier-text.ts';
import { toSafeJson } from '../../report/escape.ts';
import { toMarkdownText } from '../../report/markdown.ts';
import { messages } from '../../report/messages/index.ts';
import type { ProductDatabase } from '../../signatures/load.ts';
import type { Language } from '../../signatures/schema.ts';
import { localize } from '../../signatures/translations.ts';
import type { SharedOptions } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import { listSuggestions } from '../suggestions.ts';
import type { Terminal } from '../terminal.ts';
import { loadGivenDatabase } from '../given-database.ts';

export interface ExplainOptions extends SharedOptions {
  readonly format: 'text' | 'json' | 'markdown';
  readonly lang: Language;
  readonly verbose?: boolean;
}

/**
 * `telltale explain`: what the database says of a variant, an indicator, a claim, a scope or a source, and who says
 * so; without an id, which variants there are.
 *
 * @param id - as reports name it, in any case; `product/id` asks one product only
 */
export function runExplain(id: string | undefined, options: ExplainOptions, terminal: Terminal): ExitName {
  const { products } = loadGivenDatabase(options, terminal);
  terminal.out(
    id === undefined ? toList(products, options, terminal) : toDossiers(id, products, options, terminal),
  );
  return 'ok';
}

function toList(
  products: readonly ProductDatabase[],
  { format, lang }: ExplainOptions,
  terminal: Terminal,
): string {
  const { list } = messages[lang].explain;
  switch (format) {
    case 'json':
      return `${toSafeJson(toListDocument(products, lang), 2)}\n`;
    case 'markdown':
      return products
        .map(
          (product) =>
            `# ${toMarkdownText(list.title(product.product.name))}\n\n${toListMarkdown(toVariantGroups(product, lang), 2)}`,
        )
        .join('\n');
    case 'text':
      return products
        .map((product) =>
          toListText(list.title(product.product.name), toVariantGroups(product, lang), list.hint, terminal),
        )
        .join('\n');
  }
}

function toDossiers(
  id: string,
  products: readonly ProductDatabase[],
  { format, lang, verbose }: ExplainOptions,
  terminal: Terminal,
): string {
  const subjects = findSubjects(id, products);
  if (subjects.length === 0) throw new TelltaleError('usage/arguments', toComplaint(id, products));
  if (format === 'json') return `${toSafeJson(toSeveralDocument(subjects, lang), 2)}\n`;
  const dossiers = subjects.map((subject) =>
    toDossier(subject, { language: lang, isVerbose: verbose ?? false }),
  );
  return dossiers
    .map((dossier) => (format === 'markdown' ? toDossierMarkdown(dossier) : toDossierText(dossier, terminal)))
    .join('\n');
}

/** Everything of this id: several products, or a source and a variant, can share one. */
function findSubjects(wanted: string, products: readonly ProductDatabase[]): readonly Subject[] {
  const [owner, name] = splitId(wanted);
  return products
    .filter(({ product }) => owner === undefined || product.id === owner)
    .flatMap((product) => listSubjects(product).filter((subject) => toId(subject) === name));
}

function splitId(wanted: string): readonly [owner: string | undefined, name: string] {
  const lower = wanted.toLowerCase();
  const slash = lower.indexOf('/');
  return slash < 0 ? [undefined, lower] : [lower.slice(0, slash), lower.slice(slash + 1)];
}

function listSubjects(product: ProductDatabase): readonly Subject[] {
  const { claims, scopes = [] } = product.product;
  return [
    ...product.variants.map((variant): Subject => ({ kind: 'variant', product, variant })),
    ...product.variants.flatMap((variant) =>
      variant.indicators.map((indicator): Subject => ({ kind: 'indicator', product, variant, indicator })),
    ),
    ...claims.map((claim): Subject => ({ kind: 'claim', product, claim })),
    ...scopes.map((scope): Subject => ({ kind: 'scope', product, scope })),
    ...[...product.sources].map(([id, source]): Subject => ({ kind: 'source', product, id, source })),
  ];
}

function toId(subject: Subject): string {
  switch (subject.kind) {
    case 'variant':
      return subject.variant.id;
    case 'indicator':
      return subject.indicator.id;
    case 'claim':
      return subject.claim.id;
    case 'scope':
      return subject.scope.id;
    case 'source':
      return subject.id;
  }
}

function toComplaint(wanted: string, products: readonly ProductDatabase[]): string {
  const candidates = products.flatMap(listSubjects).map((subject) => ({
    id: toId(subject),
    names:
      subject.kind === 'variant'
        ? [subject.variant.name, localize(subject.variant, 'name', 'zh')]
        : subject.kind === 'source'
          ? [subject.source.short]
          : [],
  }));
  const suggestions = listSuggestions(splitId(wanted)[1], candidates);
  const help =
    suggestions.length === 0
      ? 'telltale explain lists the variants'
      : `did you mean ${suggestions.join(', ')}? telltale explain lists the variants`;
  return `the database has nothing under the id "${wanted}"; ${help}`;
}
