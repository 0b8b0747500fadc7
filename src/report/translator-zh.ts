import type { Database } from '../signatures/load.ts';
import type { Product, Variant } from '../signatures/schema.ts';
import { localize } from '../signatures/translations.ts';
import { toOrigin } from '../verdict/result.ts';
import { engineTexts, rewrittenTexts } from './messages/engine-zh.ts';
import { TemplateCatalogue } from './templates.ts';
import type { Translator } from './translator.ts';

/** Puts what the databases and the engine say into simplified Chinese. */
export function createChineseTranslator(database: Pick<Database, 'products'>): Translator {
  const engine = new TemplateCatalogue({ ...engineTexts, ...rewrittenTexts });
  const dictionary = toDictionary(database);
  return {
    language: 'zh',
    translate: (text) => dictionary.get(text) ?? engine.tryTranslate(text) ?? text,
  };
}

/** The texts of a database that can stand in a result, with their translations; of two for one text the first counts. */
function toDictionary({ products }: Pick<Database, 'products'>): Map<string, string> {
  const dictionary = new Map<string, string>();
  const add = (text: string | null | undefined, translation: string | undefined): void => {
    if (typeof text === 'string' && translation !== undefined && !dictionary.has(text)) {
      dictionary.set(text, translation);
    }
  };
  for (const { product, variants } of products) {
    addScopes(product, add);
    for (const variant of variants) addVariant(variant, add);
  }
  return dictionary;
}

type Add = (text: string | null | undefined, translation: string | undefined) => void;

function addScopes({ claims, scopes = [] }: Product, add: Add): void {
  for (const claim of claims) add(claim.title, localize(claim, 'title', 'zh'));
  for (const scope of scopes) {
    const title = localize(scope, 'title', 'zh');
    const note = localize(scope, 'note', 'zh');
    add(scope.title, title);
    add(scope.note, note);
    add(`${scope.title}: ${scope.note}`, `${title}：${note}`);
  }
}

function addVariant(variant: Variant, add: Add): void {
  const { surveillance, notes = [], indicators, years } = variant;
  for (const field of ['name', 'publisher', 'region', 'summary'] as const) {
    add(variant[field], localize(variant, field, 'zh'));
  }
  const period = [years?.from, years?.to].filter((year) => year !== undefined).join(' 至 ');
  const origin = [localize(variant, 'region', 'zh'), localize(variant, 'publisher', 'zh'), period];
  add(toOrigin(variant), origin.filter((part) => part !== undefined && part !== '').join('，'));
  add(surveillance.text, localize(surveillance, 'text', 'zh'));
  for (const note of notes) add(note.text, localize(note, 'text', 'zh'));
  for (const indicator of indicators) {
    add(indicator.title, localize(indicator, 'title', 'zh'));
    add(indicator.note, localize(indicator, 'note', 'zh'));
  }
}
