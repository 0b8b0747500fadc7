import type { DatabaseReference } from '../platform/database-references.ts';
import { toKnowledge } from '../scan/knowledge.ts';
import { toKeptForm } from '../signatures/kept-form.ts';
import { loadDatabase } from '../signatures/load.ts';

/**
 * Checks databases and compiles them for every scan that follows: what the build does with the one that ships.
 *
 * @returns the digest of their files, in lower-case hexadecimal, and the bytes to keep
 * @throws TelltaleError `usage/database`
 */
export function compileForKeeping(references: readonly DatabaseReference[]): {
  readonly digest: string;
  readonly form: Uint8Array;
} {
  const database = loadDatabase(references);
  const { automaton } = toKnowledge(database).compiled;
  return { digest: database.digest, form: toKeptForm({ database, automaton }) };
}
