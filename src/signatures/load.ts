import { RE2JS } from 're2js';
import type { z } from 'zod';
import type { PublisherPins } from '../authenticity/publisher-pins.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { type ProductFiles, toDatabaseDigest } from '../platform/database-files.ts';
import type { PackSeal } from '../platform/database-pack.ts';
import {
  type DatabaseContent,
  type DatabaseReference,
  readDatabases,
} from '../platform/database-references.ts';
import { findPlace, isSuspectJson, type JsonPlaces, readJsonPlaces, toLineAndColumn } from './json-places.ts';
import { type KnownBuild, KnownBuilds, parseKnownBuilds } from './known-builds.ts';
import {
  type Indicator,
  type Product,
  type Publisher,
  productSchema,
  publishersSchema,
  type Source,
  sourcesSchema,
  type Variant,
  variantSchema,
} from './schema.ts';
import { joinTranslations } from './translations.ts';
import { parseSimilarBuilds, type SimilarBuild, SimilarBuilds } from './similarity/similar-builds.ts';

/*
 * Reads signature databases from folders and packs, checks everything, and composes them.
 *
 * Several folders may speak of one product: a later one adds pins, sources, variants, indicators and known builds to
 * an earlier one, and replaces an indicator, a claim or a scope of the same id. It needs only the files in which it
 * has something to say; its own `publishers.json` alone is enough to pin one more certificate.
 */

/** Everything that is known of one product, from all folders. */
export interface ProductDatabase {
  readonly product: Product;
  /** The folders that it came from, in the order in which they were composed. */
  readonly folders: readonly string[];
  readonly sources: ReadonlyMap<string, Source>;
  readonly publishers: readonly Publisher[];
  /** Sorted by id. */
  readonly variants: readonly Variant[];
  readonly knownBuilds: KnownBuilds;
  /** What files may be alike. */
  readonly similarBuilds: SimilarBuilds;
}

export interface Database {
  /** Sorted by id. */
  readonly products: readonly ProductDatabase[];
  /** SHA-256 over the names and bytes of all files, in lower-case hexadecimal. */
  readonly digest: string;
  /** Revision of the product; with several products `id revision` of each, joined by commas. */
  readonly version: string;
  /** The packs among the databases, in the order in which they were given. */
  readonly packs: readonly PackSeal[];
}

/** Something wrong in a database, and where. */
export interface DatabaseProblem {
  /** Path of the file as the person would write it. */
  readonly file: string;
  /** 1-based; absent when the complaint is about a file or folder as a whole. */
  readonly line?: number;
  readonly column?: number;
  /** `indicators[2].when.host`; empty for the whole file. */
  readonly field: string;
  readonly message: string;
}

const problemsShown = 20;

/** `file:line:column: field: message` */
export function toProblemLine({ file, line, column, field, message }: DatabaseProblem): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  return field === '' ? `${place}: ${message}` : `${place}: ${field}: ${message}`;
}

/**
 * Loads and composes databases. A folder holds one product, or one folder a product; a pack is one file.
 *
 * @throws TelltaleError `usage/database`, with up to 20 problems, one a line: file, line, column, field
 */
export function loadDatabase(references: readonly DatabaseReference[]): Database {
  return loadContent(readDatabases(references));
}

/**
 * Composes databases whose files are in memory.
 *
 * @throws TelltaleError as {@link loadDatabase}
 */
export function loadContent(content: DatabaseContent): Database {
  const { database, problems } = composeDatabase(content);
  if (database !== undefined && problems.length === 0) return database;
  const lines = problems.slice(0, problemsShown).map(toProblemLine);
  if (problems.length > problemsShown) lines.push(`and ${problems.length - problemsShown} more`);
  throw new TelltaleError('usage/database', lines.join('\n'));
}

/**
 * As {@link loadDatabase}, with all problems as data; the database is there only when there are none.
 *
 * @throws TelltaleError `usage/database` when a folder or pack cannot be read at all, or does not meet what is
 *   demanded of it
 */
export function readDatabase(references: readonly DatabaseReference[]): ReadDatabase {
  return composeDatabase(readDatabases(references));
}

interface ReadDatabase {
  readonly database: Database | undefined;
  readonly problems: readonly DatabaseProblem[];
}

function composeDatabase({ parts, packs }: DatabaseContent): ReadDatabase {
  const problems: DatabaseProblem[] = [];
  const partsById = new Map<string, ProductFiles[]>();
  for (const part of parts) partsById.set(part.id, [...(partsById.get(part.id) ?? []), part]);
  const products: ProductDatabase[] = [];
  for (const [, ofProduct] of [...partsById].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const product = composeProduct(ofProduct, problems);
    if (product !== undefined) products.push(product);
  }
  if (products.length === 0 && problems.length === 0) {
    problems.push({ file: '', field: '', message: 'no database was given' });
  }
  if (problems.length > 0) return { database: undefined, problems };
  const only = products.length === 1 ? products[0] : undefined;
  return {
    database: {
      products,
      digest: toDatabaseDigest(parts),
      version:
        only?.product.revision ??
        products.map(({ product }) => `${product.id} ${product.revision}`).join(', '),
      packs,
    },
    problems,
  };
}

// ------------------------------------------------------------------------------------------- one file

/** A data file and the way from a field to its line. */
class DataFile {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  readonly #problems: DatabaseProblem[];
  #places: JsonPlaces | undefined;

  constructor(folder: string, name: string, text: string, problems: DatabaseProblem[]) {
    this.name = name;
    this.path = `${folder.replace(/\/+$/, '')}/${name}`;
    this.text = text;
    this.#problems = problems;
  }

  get places(): JsonPlaces {
    this.#places ??= readJsonPlaces(this.text);
    return this.#places;
  }

  /** A complaint about the value at a path, or about its key. */
  complain(path: readonly PropertyKey[], message: string, at: 'value' | 'key' = 'value'): void {
    const place = findPlace(this.places.root, path);
    const offset = at === 'key' ? (place.keyStart ?? place.start) : place.start;
    this.#problems.push({
      file: this.path,
      ...toLineAndColumn(this.text, offset),
      field: toField(path),
      message,
    });
  }

  complainAt(offset: number, message: string): void {
    this.#problems.push({ file: this.path, ...toLineAndColumn(this.text, offset), field: '', message });
  }

  complainOfLine(line: number, column: number, field: string, message: string): void {
    this.#problems.push({ file: this.path, line, column, field, message });
  }

  /** Whether there is a value at exactly this path. */
  has(path: readonly PropertyKey[]): boolean {
    const parent = findPlace(this.places.root, path.slice(0, -1));
    const last = path.at(-1);
    return last === undefined || (typeof last !== 'symbol' && parent.children.has(last));
  }
}

/** `indicators[2].when.host` */
function toField(path: readonly PropertyKey[]): string {
  let field = '';
  for (const step of path) {
    if (typeof step === 'number') field += `[${step}]`;
    else field += `${field === '' ? '' : '.'}${String(step)}`;
  }
  return field;
}

/** The value of a file that meets its schema; undefined after complaints. */
function parseFile<Value>(file: DataFile, schema: z.ZodType<Value>): Value | undefined {
  let value: unknown;
  let complaint: string | undefined;
  try {
    value = JSON.parse(file.text);
  } catch (error) {
    complaint = error instanceof Error ? error.message : 'unknown error';
  }
  // Before validation: nesting without end would exhaust the stack there.
  if (complaint !== undefined || isSuspectJson(file.text, value)) {
    const { faults } = file.places;
    for (const { offset, message } of faults) file.complainAt(offset, message);
    if (faults.length === 0) file.complainAt(0, `is not JSON: ${complaint ?? 'it repeats a key'}`);
    return undefined;
  }
  // Each schema is used on a few small files: making code for it costs more than it saves.
  const result = schema.safeParse(value, { jitless: true });
  if (result.success) return result.data;
  for (const issue of result.error.issues) complainOfIssue(file, issue, []);
  return undefined;
}

type Issue = z.core.$ZodIssue;

function complainOfIssue(file: DataFile, issue: Issue, parents: readonly PropertyKey[]): void {
  const path = [...parents, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) file.complain([...path, key], 'unknown field', 'key');
      return;
    case 'invalid_key':
      file.complain(
        path,
        `not allowed as a key: ${issue.issues.map((inner) => inner.message).join(', ')}`,
        'key',
      );
      return;
    case 'invalid_union': {
      const branch = toIntendedBranch(issue.errors);
      if (branch === undefined) file.complain(path, 'is of none of the kinds that are allowed here');
      else for (const inner of branch) complainOfIssue(file, inner, path);
      return;
    }
    case 'invalid_type':
      if (file.has(path)) file.complain(path, issue.message);
      else file.complain(path, `is missing (${issue.expected} expected)`);
      return;
    default:
      file.complain(path, issue.message);
  }
}

/** The branch of a union that the author meant: the one of which nothing is missing, with the fewest complaints. */
function toIntendedBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const meant = branches.filter(
    (issues) => !issues.some((issue) => issue.code === 'invalid_type' && issue.path.length <= 1),
  );
  const deepest = meant.filter(
    (issues) => !issues.some((issue) => issue.code === 'unrecognized_keys' && issue.path.length === 0),
  );
  return [...(deepest.length > 0 ? deepest : meant)].sort((a, b) => a.length - b.length)[0];
}

// ---------------------------------------------------------------------------------------- one product

interface Located<Value> {
  readonly file: DataFile;
  readonly value: Value;
}

/** A line of a table. */
interface LocatedRow<Build> {
  readonly file: DataFile;
  readonly line: number;
  readonly build: Build;
}

/** What the folders say of one product, file by file, before it is composed. */
interface Statements {
  readonly products: Located<Product>[];
  readonly sources: Located<Readonly<Record<string, Source>>>[];
  readonly publishers: Located<readonly Publisher[]>[];
  readonly variants: Located<Variant>[];
  readonly knownBuilds: LocatedRow<KnownBuild>[];
  readonly similarBuilds: LocatedRow<SimilarBuild>[];
}

function composeProduct(
  parts: readonly ProductFiles[],
  problems: DatabaseProblem[],
): ProductDatabase | undefined {
  const problemsBefore = problems.length;
  const statements = readStatements(parts, problems);
  const id = parts[0]?.id ?? '';
  const folders = parts.map((part) => part.folder);
  const product = composeProductFile(statements.products);
  const composed = {
    sources: composeSources(statements.sources),
    publishers: composePublishers(statements.publishers),
    variants: composeVariants(statements.variants),
    knownBuilds: composeKnownBuilds(statements.knownBuilds),
    similarBuilds: composeSimilarBuilds(statements.similarBuilds),
  };
  if (product === undefined) {
    // A product.json with faults was complained of already.
    if (!parts.some((part) => part.files.some((file) => file.name === 'product.json'))) {
      problems.push({
        file: folders.join(', '),
        field: '',
        message: `no folder has a product.json for "${id}"`,
      });
    }
    return undefined;
  }
  // References into a file that could not be read would only repeat the complaint about it.
  if (problems.length === problemsBefore) checkReferences(statements, product, composed);
  return { product, folders, ...composed };
}

function keep<Value>(list: Located<Value>[], file: DataFile, value: Value | undefined): Value | undefined {
  if (value !== undefined) list.push({ file, value });
  return value;
}

function keepRows<Build, Table extends { readonly rows: readonly { line: number; build: Build }[] }>(
  list: LocatedRow<Build>[],
  file: DataFile,
  table: Table,
): Table {
  for (const row of table.rows) list.push({ file, ...row });
  return table;
}

function readStatements(parts: readonly ProductFiles[], problems: DatabaseProblem[]): Statements {
  const statements: Statements = {
    products: [],
    sources: [],
    publishers: [],
    variants: [],
    knownBuilds: [],
    similarBuilds: [],
  };
  for (const { folder, id, files } of parts) {
    for (const { name, bytes } of files) {
      const file = toDataFile(folder, name, bytes, problems);
      if (file === undefined) continue;
      if (name === 'product.json') {
        const product = keep(statements.products, file, parseFile(file, productSchema));
        if (product !== undefined && product.id !== id) {
          file.complain(['id'], `"${product.id}" is not the name of the folder, "${id}"`);
        }
      } else if (name === 'sources.json') {
        keep(statements.sources, file, parseFile(file, sourcesSchema)?.sources);
      } else if (name === 'publishers.json') {
        const content = parseFile(file, publishersSchema);
        keep(statements.publishers, file, content?.publishers);
        keep(statements.sources, file, content?.sources);
      } else if (name.startsWith('variants/')) {
        const variant = keep(statements.variants, file, parseFile(file, variantSchema));
        if (variant !== undefined && name !== `variants/${variant.id}.json`) {
          file.complain(['id'], `"${variant.id}" is not the name of the file`);
        }
      } else {
        // Two kinds of table, read alike.
        const { faults } = name.startsWith('similar/')
          ? keepRows(statements.similarBuilds, file, parseSimilarBuilds(file.text))
          : keepRows(statements.knownBuilds, file, parseKnownBuilds(file.text));
        for (const { line, column, field, message } of faults)
          file.complainOfLine(line, column, field, message);
      }
    }
  }
  return statements;
}

function toDataFile(
  folder: string,
  name: string,
  bytes: Uint8Array,
  problems: DatabaseProblem[],
): DataFile | undefined {
  try {
    return new DataFile(folder, name, new TextDecoder('utf-8', { fatal: true }).decode(bytes), problems);
  } catch {
    problems.push({ file: `${folder}/${name}`, field: '', message: 'is not UTF-8 text' });
    return undefined;
  }
}

// ------------------------------------------------------------------------------------------ composing

/** The first product file is the frame; later ones add claims, scopes and names, or replace those of the same id. */
function composeProductFile(files: readonly Located<Product>[]): Product | undefined {
  let product: Product | undefined;
  for (const { file, value } of files) {
    complainOfRepeatedIds(file, ['claims'], value.claims);
    complainOfRepeatedIds(file, ['scopes'], value.scopes ?? []);
    if (product === undefined) {
      product = value;
    } else {
      const scopes = mergeById(product.scopes ?? [], value.scopes ?? []);
      const names = [...new Set([...(product.names ?? []), ...(value.names ?? [])])];
      product = {
        ...product,
        platforms: mergeById(product.platforms, value.platforms),
        claims: mergeById(product.claims, value.claims),
        ...(scopes.length === 0 ? {} : { scopes }),
        ...(names.length === 0 ? {} : { names }),
      };
    }
  }
  return product;
}

/** The list with each added item in the place of the one with its id, or at the end. */
function mergeById<Item extends { readonly id: string }>(
  list: readonly Item[],
  added: readonly Item[],
): Item[] {
  const byId = new Map(list.map((item) => [item.id, item]));
  for (const item of added) byId.set(item.id, item);
  return [...byId.values()];
}

function complainOfRepeatedIds(
  file: DataFile,
  path: readonly PropertyKey[],
  items: readonly { readonly id: string }[],
): void {
  const seen = new Set<string>();
  for (const [index, { id }] of items.entries()) {
    if (seen.has(id)) file.complain([...path, index, 'id'], `"${id}" is here a second time`);
    seen.add(id);
  }
}

function composeSources(
  files: readonly Located<Readonly<Record<string, Source>>>[],
): ReadonlyMap<string, Source> {
  const sources = new Map<string, Source>();
  for (const { file, value } of files) {
    for (const [id, source] of Object.entries(value)) {
      const earlier = sources.get(id);
      if (earlier !== undefined && toCanonical(earlier) !== toCanonical(source)) {
        file.complain(['sources', id], `"${id}" is another source in a folder before this one`, 'key');
      }
      sources.set(id, source);
    }
  }
  return sources;
}

/** The same text for the same content, in whatever order its fields stand. */
function toCanonical(value: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function composePublishers(files: readonly Located<readonly Publisher[]>[]): readonly Publisher[] {
  const publishers = new Map<string, Publisher>();
  for (const { file, value } of files) {
    complainOfRepeatedIds(file, ['publishers'], value);
    for (const publisher of value) {
      const earlier = publishers.get(publisher.id);
      publishers.set(publisher.id, earlier === undefined ? publisher : joinPublishers(earlier, publisher));
    }
  }
  return [...publishers.values()];
}

function joinPublishers(first: Publisher, second: Publisher): Publisher {
  return {
    ...second,
    ...first,
    commonNames: [...new Set(join(first.commonNames, second.commonNames))],
    authenticode: {
      leaves: join(first.authenticode.leaves, second.authenticode.leaves),
      intermediates: join(first.authenticode.intermediates, second.authenticode.intermediates),
    },
    appleTeams: join(first.appleTeams, second.appleTeams),
    appxPublishers: join(first.appxPublishers, second.appxPublishers),
    androidCertificates: join(first.androidCertificates, second.androidCertificates),
    aptKeys: join(first.aptKeys, second.aptKeys),
  };
}

function join<Item>(one: readonly Item[] | undefined, other: readonly Item[] | undefined): Item[] {
  return [...(one ?? []), ...(other ?? [])];
}

/** A later file of a variant replaces what it is and joins what gives it away. */
function composeVariants(files: readonly Located<Variant>[]): readonly Variant[] {
  const variants = new Map<string, Variant>();
  const variantOfIndicator = new Map<string, string>();
  for (const { file, value } of files) {
    complainOfRepeatedIds(file, ['indicators'], value.indicators);
    for (const [index, { id }] of value.indicators.entries()) {
      const owner = variantOfIndicator.get(id);
      if (owner !== undefined && owner !== value.id) {
        file.complain(['indicators', index, 'id'], `"${id}" is an indicator of the variant "${owner}" too`);
      }
      variantOfIndicator.set(id, value.id);
    }
    const earlier = variants.get(value.id);
    const indicators = mergeById(earlier?.indicators ?? [], value.indicators);
    const translations = joinTranslations(earlier, value);
    variants.set(value.id, { ...earlier, ...value, ...translations, indicators });
  }
  for (const { file, value } of files) {
    for (const [index, { id }] of value.indicators.entries()) {
      if (variants.has(id)) file.complain(['indicators', index, 'id'], `"${id}" is the id of a variant too`);
    }
  }
  return [...variants.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function composeKnownBuilds(rows: Statements['knownBuilds']): KnownBuilds {
  return new KnownBuilds(
    composeRows(rows, ({ algorithm, digest }) => `${algorithm}:${digest}`, [
      'platform',
      'variant',
      'product',
      'version',
      'size',
    ]),
  );
}

function composeSimilarBuilds(rows: Statements['similarBuilds']): SimilarBuilds {
  return new SimilarBuilds(
    composeRows(rows, ({ sha256 }) => sha256, [
      'tlsh',
      'ssdeep',
      'platform',
      'variant',
      'product',
      'version',
      'part',
      'size',
    ]),
  );
}

/**
 * One line for each digest, with the sources of all its lines.
 *
 * @param claimed - what two lines of one digest must agree on
 */
function composeRows<Build extends { readonly sources: readonly string[] }>(
  rows: readonly LocatedRow<Build>[],
  toKey: (build: Build) => string,
  claimed: readonly (keyof Build & string)[],
): readonly Build[] {
  const byKey = new Map<string, Build>();
  for (const { file, line, build } of rows) {
    const key = toKey(build);
    const earlier = byKey.get(key);
    if (earlier === undefined) {
      byKey.set(key, build);
      continue;
    }
    const contradicted = claimed.find((column) => earlier[column] !== build[column]);
    if (contradicted !== undefined) {
      const [said, says] = [earlier, build].map((one) => String(one[contradicted] ?? ''));
      file.complainOfLine(
        line,
        1,
        contradicted,
        `another line has "${said ?? ''}" for this digest, not "${says ?? ''}"`,
      );
    }
    byKey.set(key, { ...earlier, sources: [...new Set([...earlier.sources, ...build.sources])] });
  }
  return [...byKey.values()];
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
        file.complain(['platforms', index], `"${platform}" is no platform of the product`);
    }
    for (const [index, indicator] of value.indicators.entries()) {
      if (indicator.strength === 'decisive' && !hasOpenableSource(indicator, sources)) {
        file.complain(
          ['indicators', index, 'sources'],
          'a decisive indicator needs a source that a stranger can open, and these are all unresolved',
        );
      }
    }
  }
  for (const { file, line, build } of [...statements.knownBuilds, ...statements.similarBuilds]) {
    if (!variants.has(build.variant)) {
      file.complainOfLine(line, 1, 'variant', `"${build.variant}" is no variant of the product`);
    }
    if (!platforms.has(build.platform)) {
      file.complainOfLine(line, 1, 'platform', `"${build.platform}" is no platform of the product`);
    }
    for (const source of build.sources) {
      if (!/[/:]/.test(source) && !sources.has(source)) {
        file.complainOfLine(line, 1, 'sources', `there is no source "${source}"`);
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
  if (parent === 'sources' && !sources.has(value)) file.complain(path, `there is no source "${value}"`);
  if (parent === 'signer' && key === 'publisher' && !publishers.has(value)) {
    file.complain(path, `there is no publisher "${value}"`);
  }
  if (key === 'regex' || key === 'matches') {
    try {
      RE2JS.compile(value);
    } catch (error) {
      file.complain(
        path,
        `is no regular expression of RE2: ${error instanceof Error ? error.message : 'unknown error'}`,
      );
    }
  }
}

/** Visits a value and everything in it. `path` is one array that changes: copy what must be kept. */
function walk(
  value: unknown,
  path: PropertyKey[],
  visit: (value: unknown, path: readonly PropertyKey[]) => void,
): void {
  if (typeof value !== 'object' || value === null) {
    visit(value, path);
    return;
  }
  const isList = Array.isArray(value);
  for (const [key, item] of Object.entries(value)) {
    path.push(isList ? Number(key) : key);
    walk(item, path, visit);
    path.pop();
  }
}

// ----------------------------------------------------------------------------------------------- pins

/** The pins of all products in the shape in which signatures are checked; a publisher of several products once. */
export function toPublisherPins(database: Database): PublisherPins {
  const byId = new Map<string, PublisherPins['publishers'][number]>();
  for (const { publishers } of database.products) {
    for (const publisher of publishers) {
      const { id, name, commonNames, authenticode } = publisher;
      const earlier = byId.get(id);
      byId.set(id, {
        id,
        name: earlier?.name ?? name,
        commonNames: [...new Set([...(earlier?.commonNames ?? []), ...commonNames])],
        leaves: [
          ...(earlier?.leaves ?? []),
          ...authenticode.leaves.map(({ sha1, sha256, from, to }) => ({ sha1, sha256, from, to })),
        ],
        intermediates: [
          ...(earlier?.intermediates ?? []),
          ...authenticode.intermediates.map((pin) => ({
            sha1: pin.sha1,
            sha256: pin.sha256,
            commonNames: pin.commonNames,
            organizations: pin.organizations,
            from: pin.from,
            to: pin.to,
          })),
        ],
        appleTeams: [
          ...(earlier?.appleTeams ?? []),
          ...(publisher.appleTeams ?? []).map(({ team, from, to }) => ({ team, from, to })),
        ],
        androidCertificates: [
          ...(earlier?.androidCertificates ?? []),
          ...(publisher.androidCertificates ?? []).map(({ sha256, from, to }) => ({ sha256, from, to })),
        ],
        appxPublishers: [
          ...(earlier?.appxPublishers ?? []),
          ...(publisher.appxPublishers ?? []).map((one) => one.publisher),
        ],
      });
    }
  }
  return { publishers: [...byId.values()] };
}
