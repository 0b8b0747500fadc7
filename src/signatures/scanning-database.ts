import { toDatabaseDigest } from '../platform/database-files.ts';
import { type DatabaseReference, isPackReference, readReferences } from '../platform/database-references.ts';
import { type CacheFolder, KeptDatabases } from '../platform/kept-databases.ts';
import type { Automaton } from './automaton/automaton.ts';
import { type BuiltDatabase, takeKeptForm, toKeptForm } from './kept-form.ts';

/*
 * A database for a scan: as `loadDatabase` loads it, but without checking and composing it where these very bytes
 * passed the checks before.
 */

/** Larger ones are built each time: to read back the 24 MB of 1,000 literals in two encodings saves 0.02 s. */
const tableBytesMax = 8 * 1024 * 1024;

/** A database for a scan, with its automaton where that was kept. */
export interface ScanningDatabase extends BuiltDatabase {
  /** Keeps it for the next scan, unless it was kept already. @param automaton - as it was built now */
  keep(automaton: Automaton | undefined): void;
}

/**
 * Loads databases, from what was kept of them where there is something.
 *
 * @param cache - where that is kept; undefined keeps nothing and uses only what the build left of the shipped database
 * @throws TelltaleError `usage/database`
 */
export async function loadForScanning(
  references: readonly DatabaseReference[],
  cache: CacheFolder | undefined,
): Promise<ScanningDatabase> {
  const kept = new KeptDatabases(cache);
  const known = await tryTake(references, kept);
  if (known !== undefined) return { ...known, keep: () => undefined };
  const { loadDatabase } = await import('./load.ts');
  const database = loadDatabase(references);
  return {
    database,
    automaton: undefined,
    keep(automaton) {
      if (cache !== undefined) kept.keep(database.digest, toKeptForm({ database, automaton }, tableBytesMax));
    },
  };
}

/** Undefined when there is anything to check or to complain of, which is then done in full. */
async function tryTake(
  references: readonly DatabaseReference[],
  kept: KeptDatabases,
): Promise<BuiltDatabase | undefined> {
  const readPack = references.some(isPackReference)
    ? (await import('../platform/database-pack.ts')).readPack
    : undefined;
  try {
    const content = readReferences(references, readPack);
    const digest = toDatabaseDigest(content.parts);
    const form = kept.tryRead(digest);
    return form && takeKeptForm(form, content, digest);
  } catch {
    // Whatever it is, a full check says it in words, and with its place.
    return undefined;
  }
}
