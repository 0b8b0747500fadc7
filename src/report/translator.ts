import type { Database } from '../signatures/load.ts';
import type { Language } from '../signatures/schema.ts';

/**
 * Puts the texts of a result into the language of the reader. A result is in English, whoever reads it; technical
 * identifiers, names and quotations stay as they are.
 */
export interface Translator {
  readonly language: Language;
  /** The text in that language; as it is where there is no translation. */
  translate(text: string): string;
}

/** English is what results are written in. */
export const english: Translator = { language: 'en', translate: (text) => text };

/**
 * A translator of what a database and the engine say. What another language needs is loaded only for it.
 *
 * @param loadDatabase - is asked only where the language needs it
 */
export async function createTranslator(
  language: Language,
  loadDatabase: () => Promise<Pick<Database, 'products'>>,
): Promise<Translator> {
  if (language === 'en') return english;
  const { createChineseTranslator } = await import('./translator-zh.ts');
  return createChineseTranslator(await loadDatabase());
}
