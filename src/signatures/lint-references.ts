import { formats } from '../formats/index.ts';
import { toSuggestion } from './closest-name.ts';
import { type DataFile, walk } from './data-file.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { LocatedRow, Statements } from './load.ts';
import { type LocatedStatement, listConditions } from './located-statement.ts';

/** Sources that nothing cites. */
export function checkSources(products: readonly Statements[]): readonly Diagnostic[] {
  return products.flatMap(
    ({ products: frames, variants, publishers, sources, knownBuilds, similarBuilds }) => {
      const cited = new Set([...knownBuilds, ...similarBuilds].flatMap(({ build }) => build.sources));
      for (const { value } of [...frames, ...variants, ...publishers]) {
        walk(value, [], (at, path) => {
          if (path.at(-2) === 'sources' && typeof at === 'string') cited.add(at);
        });
      }
      // Of a source that two folders define, the last definition.
      const owners = new Map(
        sources.flatMap(({ file, value }) => Object.keys(value).map((id) => [id, file] as const)),
      );
      return [...owners]
        .filter(([id]) => !cited.has(id))
        .map(([id, file]) =>
          file.toDiagnostic('source/unused', ['sources', id], `nothing cites "${id}"`, { at: 'key' }),
        );
    },
  );
}

/** Artifacts that are no format of a file: an application bundle is a folder. */
const formatIds: ReadonlySet<string> = new Set([...formats.map(({ id }) => id), 'app-bundle']);
const artifactIds: ReadonlySet<string> = new Set([...formatIds, 'program', 'any']);

/** Formats that no file is ever recognised as. */
export function checkFormats(
  products: readonly Statements[],
  statements: readonly LocatedStatement[],
): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const check = (
    file: DataFile,
    path: readonly PropertyKey[],
    format: string,
    known: ReadonlySet<string>,
  ): void => {
    if (known.has(format)) return;
    const message = `no file is recognised as "${format}"${toSuggestion(format, known)}`;
    diagnostics.push(file.toDiagnostic('reference/unknown-format', path, message));
  };
  for (const { products: frames } of products) {
    for (const { file, value } of frames) {
      for (const [index, platform] of value.platforms.entries()) {
        for (const [position, format] of platform.formats.entries()) {
          check(file, ['platforms', index, 'formats', position], format, formatIds);
        }
      }
    }
  }
  for (const statement of statements) {
    for (const [index, format] of statement.in.entries()) {
      check(statement.file, [...statement.path, 'in', index], format, artifactIds);
    }
    if (statement.kind !== 'indicator') continue;
    for (const list of ['hit', 'nearMiss'] as const) {
      for (const [index, { format }] of statement.indicator.tests[list].entries()) {
        check(statement.file, [...statement.path, 'tests', list, index, 'format'], format, formatIds);
      }
    }
  }
  return diagnostics;
}

// --------------------------------------------------------------------------------------------- digests

interface DigestUse {
  readonly digest: string;
  readonly file: DataFile;
  readonly path: readonly PropertyKey[];
  readonly product: string;
  readonly variant: string;
}

/** Digests that are listed twice, and digests that are claimed for two variants. */
export function checkDigests(
  products: readonly Statements[],
  statements: readonly LocatedStatement[],
): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const ledger = new Map<string, Statements['knownBuilds'][number]>();
  for (const { product, knownBuilds, similarBuilds } of products) {
    for (const row of knownBuilds) {
      ledger.set(`${product} ${row.build.algorithm}:${row.build.digest}`, row);
    }
    diagnostics.push(
      ...listRepeated(knownBuilds, ({ algorithm, digest }) => `${algorithm}:${digest}`, 'digest'),
      ...listRepeated(similarBuilds, ({ sha256 }) => sha256, 'sha256'),
    );
  }

  const uses = new Map<string, DigestUse>();
  for (const use of statements.flatMap(listDigests)) {
    const row = ledger.get(`${use.product} sha256:${use.digest}`);
    if (row !== undefined && row.build.variant !== use.variant) {
      diagnostics.push(
        use.file.toDiagnostic(
          'digest/two-variants',
          use.path,
          `the ledger knows this file as "${row.build.variant}"`,
          { related: { ...row.file.toCellPlace(row.line, 'variant'), message: 'the line of the ledger' } },
        ),
      );
    }
    const key = `${use.product} ${use.digest}`;
    const earlier = uses.get(key);
    if (earlier === undefined) {
      uses.set(key, use);
      continue;
    }
    const isSame = earlier.variant === use.variant;
    diagnostics.push(
      use.file.toDiagnostic(
        isSame ? 'digest/repeated' : 'digest/two-variants',
        use.path,
        isSame
          ? 'this digest is listed before'
          : `this digest is in an indicator of the variant "${earlier.variant}" too`,
        { related: { ...earlier.file.toPlace(earlier.path), message: 'the first is here' } },
      ),
    );
  }
  return diagnostics;
}

/** Lines of one table with the digest of a line before. */
function listRepeated<Build>(
  rows: readonly LocatedRow<Build>[],
  toKey: (build: Build) => string,
  column: string,
): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const seen = new Map<string, LocatedRow<Build>>();
  for (const row of rows) {
    const { file, line, build } = row;
    const earlier = seen.get(toKey(build));
    // Another folder may well repeat what is known; in one file it is a slip. A contradiction was refused before.
    if (earlier?.file === file) {
      const related = { ...file.toCellPlace(earlier.line, column), message: 'the first is here' };
      diagnostics.push(
        file.toCellDiagnostic('digest/repeated', line, column, 'this digest has a line before', related),
      );
    }
    seen.set(toKey(build), row);
  }
  return diagnostics;
}

/** The digests that an indicator asks for, outside of what it excludes. */
function listDigests(statement: LocatedStatement): readonly DigestUse[] {
  if (statement.kind !== 'indicator') return [];
  const { file, product, variant } = statement;
  return [...listConditions(statement.when, [...statement.path, 'when'])].flatMap(([condition, path]) =>
    'digest' in condition && !path.includes('none')
      ? condition.digest.map((digest, index) => ({
          digest,
          file,
          path: [...path, 'digest', index],
          product,
          variant,
        }))
      : [],
  );
}
