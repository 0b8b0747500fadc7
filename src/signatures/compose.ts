import type { z } from 'zod';
import { type ProductFiles, toDatabaseDigest } from '../platform/database-files.ts';
import type { PackSeal } from '../platform/database-pack.ts';
import type { DatabaseContent } from '../platform/database-references.ts';
import { DataFile, toCanonical, toDataPath } from './data-file.ts';
import { type Diagnostic, toWholeDiagnostic } from './diagnostic.ts';
import { type KnownBuild, KnownBuilds, type parseKnownBuilds } from './known-builds.ts';
import type { Product, Publisher, publishersSchema, Source, sourcesSchema, Variant } from './schema.ts';
import { parseSimilarBuilds, type SimilarBuild, SimilarBuilds } from './similarity/similar-builds.ts';
import type { TableFault } from './table.ts';
import { joinTranslations } from './translations.ts';

/*
 * Composes signature databases from their files.
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

/** What {@link readDatabase} found out. */
export interface DatabaseReading {
  /** There only when there are no problems. */
  readonly database: Database | undefined;
  readonly problems: readonly Diagnostic[];
  /** What the files say, by product and in the order of composition, with the way back to the place of each field. */
  readonly statements: readonly Statements[];
  /** All files that are text, also those with faults. */
  readonly files: readonly DataFile[];
}

/** How the files are read and checked; elsewhere, because what it needs takes long to load. */
export interface StatementReader {
  /** Undefined after complaints, as for the others. */
  readProduct(file: DataFile): Product | undefined;
  readSources(file: DataFile): z.infer<typeof sourcesSchema> | undefined;
  readPublishers(file: DataFile): z.infer<typeof publishersSchema> | undefined;
  readVariant(file: DataFile): Variant | undefined;
  readKnownBuilds(file: DataFile): ReturnType<typeof parseKnownBuilds>;
  /** Complains of what the files of a product say of each other. */
  check(
    statements: Statements,
    product: Product,
    composed: Pick<ProductDatabase, 'sources' | 'publishers' | 'variants'>,
  ): void;
}

/**
 * Composes the files of databases.
 *
 * @param problems - those of reading; those of composing are added
 */
export function composeDatabase(
  { parts, packs }: DatabaseContent,
  problems: Diagnostic[],
  reader: StatementReader,
): DatabaseReading {
  const partsById = new Map<string, ProductFiles[]>();
  for (const part of parts) partsById.set(part.id, [...(partsById.get(part.id) ?? []), part]);
  const products: ProductDatabase[] = [];
  const statements: Statements[] = [];
  const files: DataFile[] = [];
  for (const [, ofProduct] of [...partsById].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const ofFiles = readStatements(ofProduct, problems, files, reader);
    statements.push(ofFiles);
    const product = composeProduct(ofProduct, ofFiles, problems, reader);
    if (product !== undefined) products.push(product);
  }
  if (products.length === 0 && problems.length === 0) {
    problems.push(toWholeDiagnostic('database/empty', '--database', 'no database was given'));
  }
  if (problems.length > 0) return { database: undefined, problems, statements, files };
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
    statements,
    files,
  };
}

// ---------------------------------------------------------------------------------------- one product

/** A value and the file that it stands in. */
export interface Located<Value> {
  readonly file: DataFile;
  readonly value: Value;
}

/** What the folders say of one product, file by file, as it was before it is composed. */
export interface Statements {
  /** Id of the product. */
  readonly product: string;
  readonly products: Located<Product>[];
  /** From `sources.json` and `publishers.json`, where they stand under `sources`. */
  readonly sources: Located<Readonly<Record<string, Source>>>[];
  readonly publishers: Located<readonly Publisher[]>[];
  readonly variants: Located<Variant>[];
  readonly knownBuilds: LocatedRow<KnownBuild>[];
  readonly similarBuilds: LocatedRow<SimilarBuild>[];
}

/** A line of a table. */
export interface LocatedRow<Build> {
  readonly file: DataFile;
  /** 1-based. */
  readonly line: number;
  readonly build: Build;
}

function composeProduct(
  parts: readonly ProductFiles[],
  statements: Statements,
  problems: Diagnostic[],
  reader: StatementReader,
): ProductDatabase | undefined {
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
      problems.push(
        toWholeDiagnostic(
          'database/no-product',
          folders.join(', '),
          `no folder has a product.json for "${id}"`,
          { product: id },
        ),
      );
    }
    return undefined;
  }
  // References into a file that could not be read would only repeat the complaint about it.
  if (!problems.some((problem) => problem.subject.product === id))
    reader.check(statements, product, composed);
  return { product, folders, ...composed };
}

function keep<Value>(list: Located<Value>[], file: DataFile, value: Value | undefined): Value | undefined {
  if (value !== undefined) list.push({ file, value });
  return value;
}

/** Keeps the rows of a table, and returns its faults. */
function keepRows<Build>(
  list: LocatedRow<Build>[],
  file: DataFile,
  table: {
    readonly rows: readonly { readonly line: number; readonly build: Build }[];
    readonly faults: readonly TableFault[];
  },
): readonly TableFault[] {
  for (const row of table.rows) list.push({ file, ...row });
  return table.faults;
}

function readStatements(
  parts: readonly ProductFiles[],
  problems: Diagnostic[],
  allFiles: DataFile[],
  reader: StatementReader,
): Statements {
  const statements: Statements = {
    product: parts[0]?.id ?? '',
    products: [],
    sources: [],
    publishers: [],
    variants: [],
    knownBuilds: [],
    similarBuilds: [],
  };
  for (const { folder, id, files } of parts) {
    for (const { name, bytes } of files) {
      const file = toDataFile({ folder, product: id, name }, bytes, problems);
      if (file === undefined) continue;
      allFiles.push(file);
      if (name === 'product.json') {
        const product = keep(statements.products, file, reader.readProduct(file));
        if (product !== undefined && product.id !== id) {
          file.complain('id/file-name', ['id'], `"${product.id}" is not the name of the folder, "${id}"`);
        }
      } else if (name === 'sources.json') {
        keep(statements.sources, file, reader.readSources(file)?.sources);
      } else if (name === 'publishers.json') {
        const content = reader.readPublishers(file);
        keep(statements.publishers, file, content?.publishers);
        keep(statements.sources, file, content?.sources);
      } else if (name.startsWith('variants/')) {
        const variant = keep(statements.variants, file, reader.readVariant(file));
        if (variant !== undefined && name !== `variants/${variant.id}.json`) {
          file.complain('id/file-name', ['id'], `"${variant.id}" is not the name of the file`);
        }
      } else {
        // Two kinds of table, read alike.
        const faults = name.startsWith('similar/')
          ? keepRows(statements.similarBuilds, file, parseSimilarBuilds(file.text))
          : keepRows(statements.knownBuilds, file, reader.readKnownBuilds(file));
        for (const { kind, field, message, ...place } of faults) {
          file.complainOfLine(kind === 'no-source' ? 'source/none' : `table/${kind}`, place, field, message);
        }
      }
    }
  }
  return statements;
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true });

function toDataFile(
  place: { readonly folder: string; readonly product: string; readonly name: string },
  bytes: Uint8Array,
  problems: Diagnostic[],
): DataFile | undefined {
  try {
    return new DataFile(place, strictDecoder.decode(bytes), problems);
  } catch {
    const { folder, name, product } = place;
    problems.push(
      toWholeDiagnostic('json/encoding', toDataPath(folder, name), 'the file is not UTF-8 text', { product }),
    );
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
  const seen = new Map<string, number>();
  for (const [index, { id }] of items.entries()) {
    const first = seen.get(id);
    if (first === undefined) {
      seen.set(id, index);
      continue;
    }
    file.complain('id/duplicate', [...path, index, 'id'], `"${id}" is here a second time`, {
      related: { ...file.toPlace([...path, first, 'id']), message: 'the first is here' },
    });
  }
}

function composeSources(
  files: readonly Located<Readonly<Record<string, Source>>>[],
): ReadonlyMap<string, Source> {
  const sources = new Map<string, Located<Source>>();
  for (const { file, value } of files) {
    for (const [id, source] of Object.entries(value)) {
      const earlier = sources.get(id);
      if (earlier !== undefined && toCanonical(earlier.value) !== toCanonical(source)) {
        const other = { ...earlier.file.toPlace(['sources', id], 'key'), message: 'the other is here' };
        file.complain(
          'source/conflict',
          ['sources', id],
          `"${id}" is another source in a folder before this one`,
          { at: 'key', related: other },
        );
      }
      sources.set(id, { file, value: source });
    }
  }
  return new Map([...sources].map(([id, { value }]) => [id, value]));
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
  const owners = new Map<
    string,
    { readonly variant: string; readonly file: DataFile; readonly index: number }
  >();
  for (const { file, value } of files) {
    complainOfRepeatedIds(file, ['indicators'], value.indicators);
    for (const [index, { id }] of value.indicators.entries()) {
      const owner = owners.get(id);
      if (owner !== undefined && owner.variant !== value.id) {
        file.complain(
          'id/duplicate',
          ['indicators', index, 'id'],
          `"${id}" is an indicator of the variant "${owner.variant}" too`,
          {
            related: {
              ...owner.file.toPlace(['indicators', owner.index, 'id']),
              message: 'the other is here',
            },
          },
        );
      }
      owners.set(id, { variant: value.id, file, index });
    }
    const earlier = variants.get(value.id);
    const indicators = mergeById(earlier?.indicators ?? [], value.indicators);
    const translations = joinTranslations(earlier, value);
    variants.set(value.id, { ...earlier, ...value, ...translations, indicators });
  }
  for (const { file, value } of files) {
    for (const [index, { id }] of value.indicators.entries()) {
      if (variants.has(id)) {
        file.complain('id/of-a-variant', ['indicators', index, 'id'], `"${id}" is the id of a variant too`);
      }
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
  const byKey = new Map<string, LocatedRow<Build>>();
  for (const row of rows) {
    const { file, line, build } = row;
    const key = toKey(build);
    const earlier = byKey.get(key);
    if (earlier === undefined) {
      byKey.set(key, row);
      continue;
    }
    const first = earlier.build;
    const contradicted = claimed.find((column) => first[column] !== build[column]);
    if (contradicted !== undefined) {
      const [said, says] = [first, build].map((one) => String(one[contradicted] ?? ''));
      file.complainOfCell(
        'digest/conflict',
        line,
        contradicted,
        `another line has "${said ?? ''}" for this digest, not "${says ?? ''}"`,
        { ...earlier.file.toCellPlace(earlier.line, contradicted), message: 'the other line is here' },
      );
    }
    const sources = [...new Set([...first.sources, ...build.sources])];
    byKey.set(key, { ...earlier, build: { ...first, sources } });
  }
  return [...byKey.values()].map(({ build }) => build);
}
