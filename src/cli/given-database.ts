import type { PackSeal } from '../platform/database-pack.ts';
import { toVisible } from '../report/escape.ts';
import { toSealLine } from '../report/text.ts';
import { type Database, loadDatabase } from '../signatures/load.ts';
import { type SharedOptions, toDatabases } from './arguments.ts';
import type { Terminal } from './terminal.ts';

/**
 * The databases of the options, loaded. Says on stderr of each pack whose signer nobody checked.
 *
 * @throws TelltaleError `usage/arguments`, `usage/database`
 */
export function loadGivenDatabase(options: SharedOptions, terminal: Terminal): Database {
  const database = loadDatabase(toDatabases(options));
  notePacks(database.packs, terminal);
  return database;
}

export function notePacks(packs: readonly PackSeal[], terminal: Terminal): void {
  for (const seal of packs) {
    if (!seal.trusted) terminal.err(`telltale: ${toVisible(toSealLine(seal))}\n`);
  }
}
