import { CheckedDatabases, type CacheFolder } from '../platform/checked-databases.ts';
import { toDatabaseDigest } from '../platform/database-files.ts';
import { type DatabaseReference, isPackReference, readReferences } from '../platform/database-references.ts';
import { composeDatabase, type Database, type StatementReader } from './compose.ts';
import { takeKnownBuilds } from './known-builds.ts';
import type { Product, Variant } from './schema.ts';

/*
 * A database for a scan: as `loadDatabase` loads it, but without the checks where these very bytes passed them before.
 */

/**
 * Loads and composes databases, and keeps that they passed all checks.
 *
 * @param cache - where that is kept; undefined keeps nothing and uses only what the build says of the shipped database
 * @throws TelltaleError `usage/database`
 */
export async function loadForScanning(
  references: readonly DatabaseReference[],
  cache: CacheFolder | undefined,
): Promise<Database> {
  const checked = new CheckedDatabases(cache);
  const known = await tryCompose(references, checked);
  if (known !== undefined) return known;
  const { loadDatabase } = await import('./load.ts');
  const database = loadDatabase(references);
  checked.keep(database.digest);
  return database;
}

/** Undefined when there is anything to check or to complain of, which is then done in full. */
async function tryCompose(
  references: readonly DatabaseReference[],
  checked: CheckedDatabases,
): Promise<Database | undefined> {
  const readPack = references.some(isPackReference)
    ? (await import('../platform/database-pack.ts')).readPack
    : undefined;
  try {
    const content = readReferences(references, readPack);
    const digest = toDatabaseDigest(content.parts);
    return checked.has(digest) ? composeDatabase(content, [], trustingReader, digest).database : undefined;
  } catch {
    // Whatever it is, a full check says it in words, and with its place.
    return undefined;
  }
}

/** Takes files whose digest passed all checks: what is in them has the shape that the schemas demand. */
const trustingReader: StatementReader = {
  readProduct(file) {
    const product: Product = JSON.parse(file.text);
    return product;
  },
  readSources(file) {
    const sources: ReturnType<StatementReader['readSources']> = JSON.parse(file.text);
    return sources;
  },
  readPublishers(file) {
    const publishers: ReturnType<StatementReader['readPublishers']> = JSON.parse(file.text);
    return publishers;
  },
  readVariant(file) {
    const variant: Variant = JSON.parse(file.text);
    return variant;
  },
  readKnownBuilds: (file) => ({ rows: takeKnownBuilds(file.text), faults: [] }),
  check: () => undefined,
};
