import type { Language } from '../../signatures/schema.ts';
import { en, type Messages } from './en.ts';
import { zh } from './zh.ts';

/** What the tool says, in each language; a language or a message that is missing does not compile. */
export const messages = { en, zh } as const satisfies Record<Language, Messages>;

export type { Messages } from './en.ts';
