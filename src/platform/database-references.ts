import { statSync } from 'node:fs';
import { DatabaseFilesError, type ProductFiles, readDatabaseFiles } from './database-files.ts';
import type { Pack, PackSeal } from './database-pack.ts';
import { isOlder, type Minimum, revisionPattern } from './revisions.ts';
import type { PublicKey } from './signing-keys.ts';

/** What a person demands of a database before it is used. Plain data: it crosses to workers. */
export interface DatabaseDemands {
  /** Only packs that are signed with one of these keys are accepted; undefined accepts folders and any pack. */
  readonly trusted?: readonly PublicKey[];
  /** The smallest revisions that are accepted. */
  readonly minimum: readonly Minimum[];
}

/** Where a database is: the path of a folder or a pack, alone or with demands. Plain data: it crosses to workers. */
export type DatabaseReference = string | { readonly path: string; readonly demands: DatabaseDemands };

function toPath(reference: DatabaseReference): string {
  return typeof reference === 'string' ? reference : reference.path;
}

/** The files of several databases, in the order in which they are composed. */
export interface DatabaseContent {
  readonly parts: readonly ProductFiles[];
  readonly packs: readonly PackSeal[];
}

const noDemands: DatabaseDemands = { minimum: [] };

/** Reads a pack and checks its digests and its signature; in `database-pack.ts`, which a folder does not need. */
export type PackReader = (path: string, trusted?: readonly PublicKey[]) => Pack;

/**
 * Reads databases, each a folder or a pack, and holds them to what is demanded.
 *
 * @param readPack - undefined where no reference is a pack
 * @param refuse - told of each database that cannot be read, is not what it says, or falls short of a demand; the
 *   others are read all the same. By default the first such error is thrown.
 * @throws DatabaseFilesError as above
 */
export function readReferences(
  references: readonly DatabaseReference[],
  readPack: PackReader | undefined,
  refuse: (error: DatabaseFilesError) => void = throwError,
): DatabaseContent {
  const refused: DatabaseFilesError[] = [];
  const attempt = <Value>(action: () => Value): readonly Value[] => {
    try {
      return [action()];
    } catch (error) {
      if (!(error instanceof DatabaseFilesError)) throw error;
      refused.push(error);
      refuse(error);
      return [];
    }
  };
  const databases = references.flatMap((reference) => {
    const path = toPath(reference);
    const demands = typeof reference === 'string' ? noDemands : reference.demands;
    return attempt(() => ({ path, minimum: demands.minimum, ...readOne(path, demands, readPack) }));
  });
  // What could not be read may be what speaks of a product.
  if (refused.length === 0) attempt(() => checkRevisions(databases));
  return {
    parts: databases.flatMap(({ parts }) => parts),
    packs: databases.flatMap(({ seal }) => (seal === undefined ? [] : [seal])),
  };
}

function throwError(error: DatabaseFilesError): never {
  throw error;
}

interface OneDatabase {
  readonly parts: readonly ProductFiles[];
  readonly products: readonly StatedRevision[];
  readonly seal?: PackSeal;
}

/** A product and what its database says of its age. */
export interface StatedRevision {
  readonly id: string;
  readonly revision: string | undefined;
}

function readOne(path: string, { trusted }: DatabaseDemands, readPack: PackReader | undefined): OneDatabase {
  if (isFile(path)) {
    if (readPack === undefined) throw new DatabaseFilesError('database/unreadable', path, 'is not a folder');
    const { products, seal } = readPack(path, trusted);
    return { parts: products, products, seal };
  }
  if (trusted !== undefined) {
    throw new DatabaseFilesError(
      'pack/unsigned',
      path,
      'is not a pack, and with --trust only packs signed with a trusted key are used',
    );
  }
  const parts = readDatabaseFiles(path);
  return { parts, products: parts.map((part) => ({ id: part.id, revision: readRevision(part) })) };
}

/** Whether a database is in a pack. */
export function isPackReference(reference: DatabaseReference): boolean {
  return isFile(toPath(reference));
}

/** The revision that the `product.json` of a product states; undefined where there is none that can be read. */
export function readRevision({ files }: Pick<ProductFiles, 'files'>): string | undefined {
  const file = files.find(({ name }) => name === 'product.json');
  if (file === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.bytes));
    if (typeof value !== 'object' || value === null || !('revision' in value)) return undefined;
    return typeof value.revision === 'string' && revisionPattern.test(value.revision)
      ? value.revision
      : undefined;
  } catch {
    // Loading tells what is wrong with the file; here it only states no revision.
    return undefined;
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    // What is not there, or may not be read, is complained of where it is read as a folder.
    return false;
  }
}

/**
 * Holds databases to the smallest revisions: whatever speaks of such a product must state one that is new enough, and
 * something must speak of it.
 *
 * @throws DatabaseFilesError
 */
export function checkRevisions(
  databases: readonly {
    readonly path: string;
    readonly products: readonly StatedRevision[];
    readonly minimum: readonly Minimum[];
  }[],
): void {
  for (const { path, products, minimum } of databases) {
    for (const { product, revision: least } of minimum) {
      for (const { revision } of products.filter(({ id }) => id === product)) {
        if (revision === undefined) {
          fail(path, `${product}: states no revision, and ${least} is the oldest that is accepted`);
        } else if (isOlder(revision, least)) {
          fail(path, `${product}: revision ${revision} is older than ${least}, the oldest that is accepted`);
        }
      }
    }
  }
  const spokenOf = new Set(databases.flatMap(({ products }) => products.map(({ id }) => id)));
  for (const { product, revision } of databases.flatMap(({ minimum }) => minimum)) {
    if (!spokenOf.has(product))
      fail('--min-revision', `no database speaks of "${product}", and at least ${revision} is demanded`);
  }
}

function fail(path: string, complaint: string): never {
  throw new DatabaseFilesError('database/too-old', path, complaint);
}
