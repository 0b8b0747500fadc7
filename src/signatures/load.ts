import type { z } from 'zod';
import { TelltaleError } from '../bytes/errors.ts';
import type { DatabaseContent, DatabaseReference } from '../platform/database-references.ts';
import { readDatabases } from '../platform/databases.ts';
import { compileExpression } from '../platform/regular-expressions.ts';
import { toSuggestion } from './closest-name.ts';
import {
  composeDatabase,
  type Database,
  type DatabaseReading,
  type ProductDatabase,
  type StatementReader,
  type Statements,
} from './compose.ts';
import { type DataFile, walk } from './data-file.ts';
import { type Diagnostic, type DiagnosticCode, toDiagnosticLine, toWholeDiagnostic } from './diagnostic.ts';
import { type JsonFileFault, parseJsonFile } from './json-file.ts';
import { parseKnownBuilds } from './known-builds.ts';
import {
  type Indicator,
  type Product,
  productSchema,
  publishersSchema,
  type Source,
  sourcesSchema,
  variantSchema,
} from './schema.ts';

/*
 * Reads signature databases from folders and packs, checks everything, and has them composed.
 */

export type {
  Database,
  DatabaseReading,
  Located,
  LocatedRow,
  ProductDatabase,
  Statements,
} from './compose.ts';

const problemsShown = 20;

/**
 * Loads and composes databases. A folder holds one product, or one folder a product; a pack is one file.
 *
 * @throws TelltaleError `usage/database`, with up to 20 problems, one a line: file, line, column, field, code
 */
export function loadDatabase(references: readonly DatabaseReference[]): Database {
  const { database, problems } = readDatabase(references);
  if (database !== undefined && problems.length === 0) return database;
  const lines = problems.slice(0, problemsShown).map(toDiagnosticLine);
  if (problems.length > problemsShown) lines.push(`and ${problems.length - problemsShown} more`);
  throw new TelltaleError('usage/database', lines.join('\n'));
}

/** As {@link loadDatabase}, with all problems as data, and with the files. */
export function readDatabase(references: readonly DatabaseReference[]): DatabaseReading {
  const problems: Diagnostic[] = [];
  const content = readDatabases(references, ({ fault, path, complaint }) => {
    problems.push(toWholeDiagnostic(fault, path, complaint));
  });
  return composeDatabase(content, problems, checkingReader);
}

/** As {@link readDatabase}, of databases whose files are in memory. */
export function readContent(content: DatabaseContent): DatabaseReading {
  return composeDatabase(content, [], checkingReader);
}

/** Takes nothing on trust. */
const checkingReader: StatementReader = {
  readProduct: (file) => parseFile(file, productSchema),
  readSources: (file) => parseFile(file, sourcesSchema),
  readPublishers: (file) => parseFile(file, publishersSchema),
  readVariant: (file) => parseFile(file, variantSchema),
  readKnownBuilds: (file) => parseKnownBuilds(file.text),
  check: checkReferences,
};

// ------------------------------------------------------------------------------------------- one file

/** The value of a file that meets its schema; undefined after complaints. */
function parseFile<Value>(file: DataFile, schema: z.ZodType<Value>): Value | undefined {
  const { value, faults } = parseJsonFile(file.json, schema);
  for (const fault of faults) complainOfFault(file, fault);
  return value;
}

function complainOfFault(file: DataFile, fault: JsonFileFault): void {
  const { kind, path } = fault;
  switch (kind) {
    case 'syntax':
    case 'repeated-key':
    case 'too-deep':
      file.complainOfFault(`json/${kind}`, fault);
      return;
    case 'unknown-field':
    case 'wrong-type':
    case 'wrong-value':
      file.complainOfFault(`schema/${kind}`, fault);
      return;
    case 'no-branch':
      file.complainOfFault(isConditionPath(path) ? 'schema/unknown-condition' : 'schema/wrong-type', fault);
      return;
    case 'too-few': {
      const code = tryEmptyListCode(path);
      if (code === undefined) file.complainOfFault('schema/wrong-value', fault);
      else file.complainOfFault(code, { ...fault, message: 'is an empty list' });
      return;
    }
    case 'missing-field':
      complainOfMissing(file, fault);
  }
}

/** Whether a condition stands at a path: under `when`, or in a list of conditions. */
function isConditionPath(path: readonly PropertyKey[]): boolean {
  const list = path.at(-2);
  return path.at(-1) === 'when' || list === 'all' || list === 'any' || list === 'none' || list === 'of';
}

function complainOfMissing(file: DataFile, fault: JsonFileFault): void {
  const { path } = fault;
  const [parent, field] = [path.at(-2), path.at(-1)];
  if (field === 'tests') {
    file.complainOfFault('test/hit-missing', { ...fault, message: 'there are no tests' });
    file.complainOfFault('test/near-miss-missing', { ...fault, message: 'there are no tests' });
    return;
  }
  const isPin =
    path[0] === 'publishers' && typeof parent === 'number' && (field === 'from' || field === 'to');
  const code = isPin ? 'pin/no-period' : (tryEmptyListCode(path) ?? 'schema/missing-field');
  file.complainOfFault(code, fault);
}

/** What it means when a list that must not be empty is empty or missing, where that has a code of its own. */
function tryEmptyListCode(path: readonly PropertyKey[]): DiagnosticCode | undefined {
  const [parent, field] = [path.at(-2), path.at(-1)];
  if (field === 'hit' && parent === 'tests') return 'test/hit-missing';
  if (field === 'nearMiss' && parent === 'tests') return 'test/near-miss-missing';
  // What is said of surveillance may rest on nothing; the sources of a file are a record.
  return field === 'sources' && parent !== undefined && parent !== 'surveillance' ? 'source/none' : undefined;
}

// -------------------------------------------------------------------------------------- cross checks

function checkReferences(
  statements: Statements,
  product: Product,
  composed: Pick<ProductDatabase, 'sources' | 'publishers' | 'variants'>,
): void {
  const { sources } = composed;
  const platforms = new Set(product.platforms.map(({ id }) => id));
  const publishers = new Set(composed.publishers.map(({ id }) => id));
  const variants = new Set(composed.variants.map(({ id }) => id));

  for (const { file, value } of [...statements.products, ...statements.variants, ...statements.publishers]) {
    walk(value, file.name === 'publishers.json' ? ['publishers'] : [], (at, path) => {
      checkValue(file, at, path, sources, publishers);
    });
  }
  for (const { file, value } of statements.variants) {
    for (const [index, platform] of value.platforms.entries()) {
      if (!platforms.has(platform))
        file.complain(
          'reference/unknown-platform',
          ['platforms', index],
          `"${platform}" is no platform of the product${toSuggestion(platform, platforms)}`,
        );
    }
    for (const [index, indicator] of value.indicators.entries()) {
      if (indicator.strength === 'decisive' && !hasOpenableSource(indicator, sources)) {
        file.complain(
          'source/not-openable',
          ['indicators', index, 'sources'],
          'a decisive indicator needs a source that a stranger can open, and these are all unresolved',
        );
      }
    }
  }
  for (const { file, line, build } of [...statements.knownBuilds, ...statements.similarBuilds]) {
    if (!variants.has(build.variant)) {
      file.complainOfCell(
        'reference/unknown-variant',
        line,
        'variant',
        `"${build.variant}" is no variant of the product${toSuggestion(build.variant, variants)}`,
      );
    }
    if (!platforms.has(build.platform)) {
      file.complainOfCell(
        'reference/unknown-platform',
        line,
        'platform',
        `"${build.platform}" is no platform of the product${toSuggestion(build.platform, platforms)}`,
      );
    }
    for (const source of build.sources) {
      if (!/[/:]/.test(source) && !sources.has(source)) {
        file.complainOfCell(
          'source/unknown',
          line,
          'sources',
          `there is no source "${source}"${toSuggestion(source, sources.keys())}`,
        );
      }
    }
  }
}

/** Whether somebody else can open what the indicator rests on. */
export function hasOpenableSource(indicator: Indicator, sources: ReadonlyMap<string, Source>): boolean {
  return indicator.sources.some((id) => {
    const source = sources.get(id);
    return source !== undefined && source.kind !== 'unresolved';
  });
}

/** Complains of an unknown source id, an unknown publisher in a signer, or a regular expression that is none. */
function checkValue(
  file: DataFile,
  value: unknown,
  path: readonly PropertyKey[],
  sources: ReadonlyMap<string, Source>,
  publishers: ReadonlySet<string>,
): void {
  if (typeof value !== 'string') return;
  const [parent, key] = [path.at(-2), path.at(-1)];
  if (parent === 'sources' && !sources.has(value)) {
    file.complain(
      'source/unknown',
      path,
      `there is no source "${value}"${toSuggestion(value, sources.keys())}`,
    );
  }
  if (parent === 'signer' && key === 'publisher' && !publishers.has(value)) {
    file.complain(
      'reference/unknown-publisher',
      path,
      `there is no publisher "${value}"${toSuggestion(value, publishers)}`,
    );
  }
  if (key === 'regex' || key === 'matches') {
    try {
      compileExpression(value);
    } catch (error) {
      file.complain(
        'pattern/regex-syntax',
        path,
        `is no regular expression of RE2: ${error instanceof Error ? error.message : 'unknown error'}`,
      );
    }
  }
}
