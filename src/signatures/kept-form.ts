import type { DatabaseContent } from '../platform/database-references.ts';
import type { Automaton } from './automaton/automaton.ts';
import type { Database, ProductDatabase } from './compose.ts';
import { type KnownBuild, KnownBuilds } from './known-builds.ts';
import type { Source } from './schema.ts';
import { type SimilarBuild, SimilarBuilds } from './similarity/similar-builds.ts';

/*
 * A database that passed all checks, and its automaton, as bytes to keep: a length, JSON of so many bytes, and behind it
 * the tables, each at a whole number of words. Only bytes that this very program wrote come back here: see
 * `KeptDatabases`.
 */

/** A database and, where there is anything to look for, its automaton. */
export interface BuiltDatabase {
  readonly database: Database;
  readonly automaton: Automaton | undefined;
}

interface KeptProduct extends Pick<ProductDatabase, 'product' | 'publishers' | 'variants'> {
  readonly sources: readonly (readonly [string, Source])[];
  readonly knownBuilds: readonly KnownBuild[];
  readonly similarBuilds: readonly SimilarBuild[];
}

interface KeptForm {
  readonly version: string;
  readonly products: readonly KeptProduct[];
  readonly automaton:
    | (Pick<Automaton, 'patternCount' | 'overlap' | 'stateCount' | 'classCount'> & {
        /** In entries, in the order of the tables. */
        readonly lengths: readonly number[];
      })
    | undefined;
}

const wordBytes = 8;

function toWholeWords(bytes: number): number {
  return Math.ceil(bytes / wordBytes) * wordBytes;
}

function toTables(automaton: Automaton): readonly (Int32Array | Uint32Array | Uint8Array)[] {
  const { patternLengths, ways, classes, table, firstPattern, nextPattern, nextState, filter } = automaton;
  return [patternLengths, ways, classes, table, firstPattern, nextPattern, nextState, filter];
}

/**
 * The bytes to keep. Tables of more than `tableBytesMax` are left out: to read them back takes as long as to build them.
 */
export function toKeptForm(
  { database, automaton: built }: BuiltDatabase,
  tableBytesMax = Number.POSITIVE_INFINITY,
): Uint8Array {
  const allTables = built === undefined ? [] : toTables(built);
  const isLarge = allTables.reduce((sum, { byteLength }) => sum + byteLength, 0) > tableBytesMax;
  const [automaton, tables] = isLarge ? [undefined, []] : [built, allTables];
  const form: KeptForm = {
    version: database.version,
    products: database.products.map(({ product, sources, publishers, variants, ...ledgers }) => ({
      product,
      sources: [...sources],
      publishers,
      variants,
      knownBuilds: ledgers.knownBuilds.rows,
      similarBuilds: ledgers.similarBuilds.rows,
    })),
    automaton: automaton && {
      patternCount: automaton.patternCount,
      overlap: automaton.overlap,
      stateCount: automaton.stateCount,
      classCount: automaton.classCount,
      lengths: tables.map(({ length }) => length),
    },
  };
  const json = new TextEncoder().encode(JSON.stringify(form));
  let size = toWholeWords(wordBytes + json.length);
  for (const { byteLength } of tables) size += toWholeWords(byteLength);
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, wordBytes);
  let at = toWholeWords(wordBytes + json.length);
  for (const { buffer, byteOffset, byteLength } of tables) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += toWholeWords(byteLength);
  }
  return bytes;
}

/**
 * What was kept, with tables that lie in the bytes given.
 *
 * @param bytes - from {@link toKeptForm} of the same program, at a whole number of words of their memory
 * @param content - the files of the database as they are now, from which folders and packs are named
 * @throws RangeError or SyntaxError for bytes that are not whole
 */
export function takeKeptForm(bytes: Uint8Array, content: DatabaseContent, digest: string): BuiltDatabase {
  const { buffer, byteOffset } = bytes;
  const jsonBytes = new DataView(buffer, byteOffset, wordBytes).getUint32(0, true);
  const form: KeptForm = JSON.parse(
    new TextDecoder().decode(new Uint8Array(buffer, byteOffset + wordBytes, jsonBytes)),
  );
  const products = form.products.map(({ product, sources, publishers, variants, ...ledgers }) => ({
    product,
    folders: content.parts.filter(({ id }) => id === product.id).map(({ folder }) => folder),
    sources: new Map(sources),
    publishers,
    variants,
    knownBuilds: new KnownBuilds(ledgers.knownBuilds),
    similarBuilds: new SimilarBuilds(ledgers.similarBuilds),
  }));
  const database: Database = { products, digest, version: form.version, packs: content.packs };
  if (form.automaton === undefined) return { database, automaton: undefined };
  const { lengths, ...numbers } = form.automaton;
  let at = byteOffset + toWholeWords(wordBytes + jsonBytes);
  let taken = 0;
  const take = (entryBytes: number): readonly [ArrayBufferLike, number, number] => {
    const length = lengths[taken] ?? 0;
    const place = at;
    taken += 1;
    at += toWholeWords(length * entryBytes);
    return [buffer, place, length];
  };
  const automaton: Automaton = {
    ...numbers,
    patternLengths: new Uint32Array(...take(4)),
    ways: new Int32Array(...take(4)),
    classes: new Uint8Array(...take(1)),
    table: new Int32Array(...take(4)),
    firstPattern: new Int32Array(...take(4)),
    nextPattern: new Int32Array(...take(4)),
    nextState: new Int32Array(...take(4)),
    filter: new Uint8Array(...take(1)),
  };
  return { database, automaton };
}
