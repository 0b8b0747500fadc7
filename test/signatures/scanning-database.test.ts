import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CacheFolder, CheckedDatabases } from '../../src/platform/checked-databases.ts';
import { readDatabaseFiles, toDatabaseDigest } from '../../src/platform/database-files.ts';
import { shippedDatabase } from '../../src/platform/shipped.ts';
import { compile } from '../../src/signatures/compile.ts';
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
  const cache = { path: join(folder, 'cache'), owner: process.geteuid?.() };
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

describe('when a database is loaded for a scan', () => {
  it('is the same with and without the checks: the one that ships', async () => {
    const quick = await loadForScanning([shippedDatabase], undefined);
    const full = loadDatabase([shippedDatabase]);
    expect(new CheckedDatabases().has(full.digest)).toBe(true);
    expect(toFields(quick)).toEqual(toFields(full));
    expect(compile(quick).patterns).toEqual(compile(full).patterns);
  });

  it('is the same with and without the checks: one in a folder', async () => {
    const { references, cache } = prepare();
    const first = await loadForScanning(references, cache);
    expect(readdirSync(cache.path)).toEqual([`${first.digest}.checked`]);
    const second = await loadForScanning(references, cache);
    expect(toFields(second)).toEqual(toFields(loadDatabase(references)));
    expect(toFields(second)).toEqual(toFields(first));
  });

  it('is checked anew when a byte of it changed', async () => {
    const { references, cache, path } = prepare();
    const { digest } = await loadForScanning(references, cache);
    writeFileSync(path, JSON.stringify({ ...tom, name: 7 }));
    await expect(loadForScanning(references, cache)).rejects.toThrow(/tom\.json:.*name/);
    expect(readdirSync(cache.path)).toEqual([`${digest}.checked`]);
  });

  it('has all its faults told when an entry lies', async () => {
    const { references, cache, path } = prepare();
    // A database of this digest never passed a check, and the entry says that it did.
    writeFileSync(path, JSON.stringify({ ...tom, indicators: undefined }));
    new CheckedDatabases(cache).keep(toDatabaseDigest(references.flatMap((one) => readDatabaseFiles(one))));
    await expect(loadForScanning(references, cache)).rejects.toThrow(/tom\.json:.*indicators/);
  });

  it('complains of a database that is not there as loading does', async () => {
    const { references, cache } = prepare();
    const missing = [`${references[0]}/nowhere`];
    expect(() => loadDatabase(missing)).toThrow(/nowhere/);
    const message = await loadForScanning(missing, cache).catch((error: Error) => error.message);
    expect(() => loadDatabase(missing)).toThrow(message);
  });
});
