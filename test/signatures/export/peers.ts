import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { identify } from '../../../src/formats/index.ts';
import { toDigest } from '../../../src/platform/digests.ts';
import { toHex } from '../../../src/bytes/cursor.ts';
import { compile, type CompiledDatabase } from '../../../src/signatures/compile.ts';
import { evaluate } from '../../../src/signatures/evaluate.ts';
import { exportClamav } from '../../../src/signatures/export/clamav.ts';
import { exportYara } from '../../../src/signatures/export/yara.ts';
import type { Database } from '../../../src/signatures/load.ts';
import { Matcher } from '../../../src/signatures/match.ts';
import type { Condition } from '../../../src/signatures/schema.ts';

/** Debian's tools that load what is exported. */
const hasTool = (name: string): boolean => spawnSync(name, ['--version']).error === undefined;
export const hasYara = hasTool('yara');
export const hasClamscan = hasTool('clamscan');
for (const [name, isThere] of [
  ['yara', hasYara],
  ['clamscan', hasClamscan],
] as const) {
  if (!isThere) console.warn(`SKIPPED: exports loaded by ${name}, because it is not installed`);
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-export-'));
  folders.push(folder);
  return folder;
}

/** Ids of indicators by the name of the file in which they were found, sorted. */
export type Found = Readonly<Record<string, readonly string[]>>;

/** Files by name, as they are given to the tools. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** Writes the files into a folder of their own. */
export function writeFiles(files: Files): string {
  const folder = makeFolder();
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  return folder;
}

function toFound(pairs: readonly (readonly [string, string])[]): Found {
  const found: Record<string, string[]> = {};
  for (const [file, indicator] of pairs) (found[file] ??= []).push(indicator);
  return Object.fromEntries(
    Object.entries(found)
      .map(([file, ids]) => [file, [...new Set(ids)].sort()] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** What YARA finds with the export of a database, and everything that it complains of. */
export function runYara(
  database: Database,
  folder: string,
  anyFormat = false,
): { readonly found: Found; readonly stderr: string; readonly status: number | null } {
  const rules = join(makeFolder(), 'telltale.yar');
  const [file] = exportYara({ database, version: '0' }, { anyFormat }).files;
  writeFileSync(rules, file?.text ?? '');
  const { stdout, stderr, status } = spawnSync('yara', ['-r', '-m', rules, folder], {
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  const pairs = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): readonly [string, string] => [
      line.slice(line.lastIndexOf('/') + 1),
      /\[id="([^"]*)"/.exec(line)?.[1] ?? line,
    ]);
  return { found: toFound(pairs), stderr, status };
}

/** What clamscan finds with the export of a database and nothing else, without opening anything itself. */
export function runClamscan(
  database: Database,
  folder: string,
  anyFormat = false,
): { readonly found: Found; readonly stderr: string; readonly status: number | null } {
  const signatures = makeFolder();
  mkdirSync(signatures, { recursive: true });
  for (const { name, text } of exportClamav({ database, version: '0' }, { anyFormat }).files)
    writeFileSync(join(signatures, name), text);
  const { stdout, stderr, status } = spawnSync(
    'clamscan',
    ['-d', signatures, '-r', '--allmatch', '--infected', '--no-summary', ...closed, folder],
    { encoding: 'utf8', maxBuffer: 1e8 },
  );
  const pairs = [...stdout.matchAll(/([^/\n]+): Telltale\.[a-z0-9-]+\.(\S+)\.UNOFFICIAL FOUND/g)].map(
    ([, file = '', indicator = '']) => [file, indicator] as const,
  );
  return { found: toFound(pairs), stderr, status };
}

/** ClamAV would open these itself, and tell of a container what lies in it. */
const closed = ['archive', 'pe', 'elf', 'ole2', 'pdf', 'swf', 'html', 'mail', 'onenote', 'image'].map(
  (kind) => `--scan-${kind}=no`,
);

/** Whether an indicator rests on bytes and digests alone. */
export function isLiteral(condition: Condition): boolean {
  if ('all' in condition) return condition.all.every(isLiteral);
  if ('any' in condition) return condition.any.every(isLiteral);
  if ('none' in condition) return condition.none.every(isLiteral);
  if ('atLeast' in condition) return condition.of.every(isLiteral);
  return 'text' in condition || 'host' in condition || 'bytes' in condition || 'digest' in condition;
}

/** What telltale's own matcher finds in each file, taken for itself, of indicators that are literal. */
export function runTelltaleMatcher(database: Database, files: Files, anyFormat = false): Found {
  const compiled = compile(database);
  const pairs = [...files].flatMap(([name, bytes]) =>
    listLiteralMatches(compiled, bytes, anyFormat).map((id) => [name, id] as const),
  );
  return toFound(pairs);
}

function listLiteralMatches(
  compiled: CompiledDatabase,
  bytes: Uint8Array,
  anyFormat: boolean,
): readonly string[] {
  const matcher = new Matcher(compiled);
  matcher.update(bytes);
  const source = toByteSource(bytes);
  const format = identify(bytes.subarray(0, 4096), source);
  const { indicators } = evaluate(
    anyFormat
      ? {
          ...compiled,
          indicators: compiled.indicators.map((one) => ({ ...one, filter: { ...one.filter, any: true } })),
        }
      : compiled,
    {
      formats: [format.id],
      program: format.nature === 'acting',
      fileName: '',
      facts: [],
      hits: matcher.finish(),
      memberNames: [],
      signers: [],
      digests: { sha256: toHex(toDigest('sha256', bytes)) },
    },
  );
  return indicators.filter(({ indicator }) => isLiteral(indicator.when)).map(({ indicator }) => indicator.id);
}

/** Only the indicators that are literal. */
export function onlyLiteral(found: Found, database: Database): Found {
  const literal = new Set(
    database.products.flatMap(({ variants }) =>
      variants.flatMap(({ indicators }) =>
        indicators.filter(({ when }) => isLiteral(when)).map(({ id }) => id),
      ),
    ),
  );
  return toFound(
    Object.entries(found).flatMap(([file, ids]) =>
      ids.filter((id) => literal.has(id)).map((id) => [file, id] as const),
    ),
  );
}
