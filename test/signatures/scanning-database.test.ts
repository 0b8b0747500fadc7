import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CacheFolder, KeptDatabases } from '../../src/platform/kept-databases.ts';
import { shippedDatabase } from '../../src/platform/shipped.ts';
import { toKnowledge } from '../../src/scan/knowledge.ts';
import type { CompiledDatabase } from '../../src/signatures/compile.ts';
import { takeKeptForm, toKeptForm } from '../../src/signatures/kept-form.ts';
import { type Database, loadDatabase } from '../../src/signatures/load.ts';
import { loadForScanning } from '../../src/signatures/scanning-database.ts';
import { product, sources, toIndicator, toVariant, writeFolder } from './database-fixture.ts';

const tom = toVariant('tom', [
  toIndicator({ regex: 'a mark [0-9]+', anchor: 'a mark' }, { strength: 'strong' }),
]);

function prepare(): {
  readonly references: readonly string[];
  readonly path: string;
  readonly cache: CacheFolder;
} {
  const folder = writeFolder({
    'db/demo/product.json': product,
    'db/demo/sources.json': sources,
    [`db/demo/variants/tom.json`]: tom,
  });
  const cache = {
    path: join(folder, 'cache'),
    owner: process.geteuid?.(),
    secret: join(folder, 'state', 'secret'),
  };
  return { references: [`${folder}/db`], path: `${folder}/db/demo/variants/tom.json`, cache };
}

/** All that is in a database, maps and sets as lists, in whatever order the fields of its objects stand. */
function toFields(database: Database): unknown {
  return JSON.parse(
    JSON.stringify(database, (_, value: unknown) =>
      value instanceof Map || value instanceof Set ? [...value] : value,
    ),
  );
}

/** Loads as a scan does, and keeps what is to be kept. */
async function loadAndCompile(
  references: readonly string[],
  cache?: CacheFolder,
): Promise<{ readonly database: Database; readonly wasKept: boolean; readonly compiled: CompiledDatabase }> {
  const { database, automaton, keep } = await loadForScanning(references, cache);
  const { compiled } = toKnowledge(database, true, automaton);
  keep(compiled.automaton);
  return { database, wasKept: automaton !== undefined && compiled.automaton === automaton, compiled };
}

describe('when a database is loaded for a scan', () => {
  it('is the same with and without what was kept: the one that ships', async () => {
    const quick = await loadAndCompile([shippedDatabase]);
    const full = loadDatabase([shippedDatabase]);
    expect(quick.wasKept).toBe(true);
    expect(toFields(quick.database)).toEqual(toFields(full));
    expect(quick.compiled.automaton).toEqual(toKnowledge(full).compiled.automaton);
  });

  it('is the same with and without what was kept: one in a folder', async () => {
    const { references, cache } = prepare();
    const first = await loadAndCompile(references, cache);
    expect(first.wasKept).toBe(false);
    expect(readdirSync(cache.path)).toEqual([`${first.database.digest}.compiled`]);
    const second = await loadAndCompile(references, cache);
    expect(second.wasKept).toBe(true);
    expect(toFields(second.database)).toEqual(toFields(loadDatabase(references)));
    expect(toFields(second.database)).toEqual(toFields(first.database));
    expect(second.compiled.automaton).toEqual(first.compiled.automaton);
  });

  it('finds the same with tables that were kept', async () => {
    const { references, cache } = prepare();
    const [first, second] = [
      await loadAndCompile(references, cache),
      await loadAndCompile(references, cache),
    ].map(({ compiled }) => {
      const found: (readonly [number, number])[] = [];
      const text = new TextEncoder().encode(`${'A MARK 7 a marq MZ '.repeat(500)}a mark 12`);
      compiled.searcher?.search(text, 0, (pattern, start) => found.push([pattern, start]));
      return found;
    });
    expect(first?.length).toBeGreaterThan(500);
    expect(second).toEqual(first);
  });

  it('is the same from wherever its folder lies', async () => {
    const { references, cache } = prepare();
    await loadAndCompile(references, cache);
    const moved = `${references[0]}-moved`;
    renameSync(references[0] ?? '', moved);
    const { database, wasKept } = await loadAndCompile([moved], cache);
    expect(wasKept).toBe(true);
    expect(toFields(database)).toEqual(toFields(loadDatabase([moved])));
  });

  it('is checked anew when a byte of it changed', async () => {
    const { references, cache, path } = prepare();
    const { database } = await loadAndCompile(references, cache);
    writeFileSync(path, JSON.stringify({ ...tom, name: 7 }));
    await expect(loadForScanning(references, cache)).rejects.toThrow(/tom\.json:.*name/);
    expect(readdirSync(cache.path)).toEqual([`${database.digest}.compiled`]);
  });

  it.each([
    ['is no JSON', () => new Uint8Array(64).fill(8)],
    ['ends too early', (form: Uint8Array) => form.slice(0, form.length >> 1)],
    ['is empty', () => new Uint8Array(0)],
  ])('is checked and compiled when what was kept %s', async (_, damage) => {
    const { references, cache } = prepare();
    const first = await loadAndCompile(references, cache);
    const kept = new KeptDatabases(cache);
    kept.keep(
      first.database.digest,
      damage(kept.tryRead(first.database.digest) ?? expect.fail('nothing was kept')),
    );
    const second = await loadAndCompile(references, cache);
    expect(second.wasKept).toBe(false);
    expect(toFields(second.database)).toEqual(toFields(first.database));
  });

  it('builds tables anew when those that were kept are of other patterns', async () => {
    const { references, cache } = prepare();
    const { database, compiled } = await loadAndCompile(references, cache);
    const { compiled: shipped } = await loadAndCompile([shippedDatabase]);
    new KeptDatabases(cache).keep(database.digest, toKeptForm({ database, automaton: shipped.automaton }));
    const again = await loadAndCompile(references, cache);
    expect(again.wasKept).toBe(false);
    expect(again.compiled.automaton).toEqual(compiled.automaton);
  });

  it('keeps the statements without the tables when these are large', async () => {
    const { references, cache } = prepare();
    const { database, compiled } = await loadAndCompile(references, cache);
    const form = toKeptForm({ database, automaton: compiled.automaton }, 100);
    const taken = takeKeptForm(form, { parts: [], packs: [] }, database.digest);
    expect(taken.automaton).toBeUndefined();
    expect(taken.database.products.map(({ variants }) => variants)).toEqual(
      database.products.map(({ variants }) => variants),
    );
    expect(form.length).toBeLessThan(toKeptForm({ database, automaton: compiled.automaton }).length);
  });

  it('complains of a database that is not there as loading does', async () => {
    const { references, cache } = prepare();
    const missing = [`${references[0]}/nowhere`];
    expect(() => loadDatabase(missing)).toThrow(/nowhere/);
    const message = await loadForScanning(missing, cache).catch((error: Error) => error.message);
    expect(() => loadDatabase(missing)).toThrow(message);
  });
});
