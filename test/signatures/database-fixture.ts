import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { type CompiledDatabase, compile } from '../../src/signatures/compile.ts';
import { type Database, loadDatabase } from '../../src/signatures/load.ts';
import type { Condition } from '../../src/signatures/schema.ts';
import { knownBuildColumns, similarBuildColumns } from '../../src/signatures/vocabulary.ts';

const written: string[] = [];
afterAll(() => {
  for (const folder of written) rmSync(folder, { recursive: true, force: true });
  // Thousands of folders take a while on a machine that is busy.
}, 120_000);

/** Writes files below a new folder, which goes with the test file, and returns it; objects are written as JSON. */
export function writeFolder(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-database-'));
  written.push(folder);
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(
      path,
      content instanceof Uint8Array || typeof content === 'string'
        ? content
        : JSON.stringify(content, null, 2),
    );
  }
  return folder;
}

export const product = {
  id: 'demo',
  name: 'Demo',
  revision: '2026.11',
  platforms: [{ id: 'windows', name: 'Windows', formats: ['pe'] }],
  claims: [
    {
      id: 'demo-product-name',
      title: 'product name Demo',
      strength: 'asserts',
      when: { versionInfo: { field: 'ProductName', is: { equals: 'Demo' } } },
      in: ['pe'],
      sources: ['paper'],
    },
  ],
};

export const sources = {
  sources: {
    paper: { title: 'A paper', short: 'Doe 2011', kind: 'primary', url: 'https://example.org/paper' },
    rumour: { title: 'An excerpt', short: 'excerpt 1', kind: 'unresolved', excerpt: '1' },
  },
};

/** An indicator whose tests are its least demand; `change` replaces fields. */
export function toIndicator(
  when: Condition,
  change: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    id: 'demo-indicator',
    title: 'a mark',
    when,
    in: ['any'],
    strength: 'strong',
    sources: ['paper'],
    tests: { hit: [{ format: 'pe' }], nearMiss: [{ format: 'pe' }] },
    testedOnRealFile: false,
    ...change,
  };
}

export function toVariant(
  id: string,
  indicators: readonly unknown[],
  role = 'regional',
): Record<string, unknown> {
  return {
    id,
    name: id,
    role,
    platforms: ['windows'],
    surveillance: { status: 'unknown', sources: [] },
    summary: 'A variant.',
    indicators,
  };
}

export const knownBuildHeader = knownBuildColumns.join('\t');

/** A line of a ledger; the digest is one digit repeated. */
export function toRow(
  change: Readonly<Partial<Record<(typeof knownBuildColumns)[number], string>>> = {},
): string {
  const row: Record<(typeof knownBuildColumns)[number], string> = {
    algorithm: 'sha256',
    digest: 'a'.repeat(64),
    platform: 'windows',
    variant: 'official',
    product: 'Demo',
    version: '1.0',
    fileName: 'demo.exe',
    size: '',
    grade: 'high',
    sources: 'owner/name@0123456789abcdef:a/path.json',
    note: '',
    ...change,
  };
  return knownBuildColumns.map((column) => row[column]).join('\t');
}

export const similarBuildHeader = similarBuildColumns.join('\t');

/** A line of a table of similar builds. */
export function toSimilarRow(
  change: Readonly<Partial<Record<(typeof similarBuildColumns)[number], string>>> = {},
): string {
  const row: Record<(typeof similarBuildColumns)[number], string> = {
    sha256: 'a'.repeat(64),
    tlsh: '',
    ssdeep: '96:abc:de',
    platform: 'windows',
    variant: 'official',
    product: 'Demo',
    version: '1.0',
    fileName: 'demo.exe',
    part: '',
    size: '5000',
    sources: 'owner/name@0123456789abcdef:a/demo.exe',
    note: '',
    ...change,
  };
  return similarBuildColumns.map((column) => row[column]).join('\t');
}

/** A database of one product with one variant. */
export function loadIndicators(indicators: readonly unknown[]): Database {
  return loadDatabase([
    writeFolder({
      'demo/product.json': product,
      'demo/sources.json': sources,
      'demo/variants/tom.json': toVariant('tom', indicators),
    }),
  ]);
}

/** A compiled database with one indicator for each condition, `i0`, `i1`, … */
export function compileConditions(
  conditions: readonly Condition[],
  artifacts: readonly string[] = ['any'],
  marks: readonly Uint8Array[] = [],
): CompiledDatabase {
  const indicators = conditions.map((when, index) => toIndicator(when, { id: `i${index}`, in: artifacts }));
  return compile(loadIndicators(indicators), undefined, marks);
}
