import type { ProductDatabase } from '../signatures/load.ts';
import type { Language } from '../signatures/schema.ts';
import { listVariantSources, toDossier, toSourcesSection, toVariantGroups } from './dossier.ts';
import { toDossierMarkdown, toListMarkdown, toSectionLines } from './dossier-markdown.ts';
import { toMarkdownCode, toMarkdownText } from './markdown.ts';
import { messages } from './messages/index.ts';

/**
 * A page of everything that is known of the variants of a product: contents, a dossier each, and all sources once.
 *
 * @param otherPage - the same page in the other language
 */
export function toVariantsDocument(product: ProductDatabase, language: Language, otherPage: string): string {
  const words = messages[language];
  const { document } = words.explain;
  const groups = toVariantGroups(product, language);
  const dossiers = groups.flatMap(({ variants }) =>
    variants.flatMap(({ id }) =>
      product.variants
        .filter((variant) => variant.id === id)
        .map((variant) =>
          toDossierMarkdown(
            toDossier({ kind: 'variant', product, variant }, { language, isVerbose: false }),
            2,
            true,
          ),
        ),
    ),
  );
  const ids = product.variants.flatMap((variant) => listVariantSources(variant));
  const command = toMarkdownCode(`telltale explain ID${language === 'en' ? '' : ` --lang ${language}`}`);
  return [
    `# ${toMarkdownText(document.title(product.product.name))}`,
    '',
    `[${document.otherLanguage}](${otherPage})`,
    '',
    `${document.introduction(command)} ${document.generated}`,
    '',
    `## ${document.contents}`,
    '',
    toListMarkdown(groups, 3, (id) => `#${id}`),
    ...dossiers,
    ...toSectionLines(toSourcesSection(ids, { product, words }), 2),
    '',
  ].join('\n');
}
