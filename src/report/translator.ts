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
