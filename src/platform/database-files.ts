import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { toHex } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { toDigest } from './digests.ts';
import { toUnreadable } from './files.ts';

/** One file of a signature database. */
export interface DatabaseFile {
  /** Path inside its product folder, with `/`: `variants/tom.json`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The files of one product in one folder. */
export interface ProductFiles {
  /** As a person would write it: the folder given, and the product folder in it. */
  readonly folder: string;
  /** Name of the product folder, which must be the id of the product. */
  readonly id: string;
  /** Sorted by name. */
  readonly files: readonly DatabaseFile[];
}

/** What makes a database unusable as a whole. */
export type DatabaseFault =
  /** The operating system refuses it, or it is beyond a limit. */
  | 'database/unreadable'
  /** There is no database in the folder. */
  | 'database/empty'
  /** Data under a name that no part of a database has. */
  | 'database/stray-file'
  /** It states no revision, or an older one than is accepted; or nothing speaks of a product that is demanded. */
  | 'database/too-old'
  /** Not written as packs are. */
  | 'pack/malformed'
  /** A digest or the signature does not hold. */
  | 'pack/altered'
  /** Without a signature where one is demanded. */
  | 'pack/unsigned'
  /** Signed with a key that is not trusted. */
  | 'pack/untrusted-key';

/** A folder, a file or a pack of a database that cannot be used at all. */
export class DatabaseFilesError extends TelltaleError {
  readonly fault: DatabaseFault;
  readonly path: string;
  /** What is wrong, without the path. */
  readonly complaint: string;

  constructor(fault: DatabaseFault, path: string, complaint: string) {
    super('usage/database', `${path}: ${complaint}`);
    this.fault = fault;
    this.path = path;
    this.complaint = complaint;
  }
}

export const maxFileBytes = 32 * 1024 * 1024;
export const maxFilesPerProduct = 2_000;

/** Names in a product folder that hold data; anything else with such an ending is a slip of the pen. */
const topLevelNames: ReadonlySet<string> = new Set(['product.json', 'sources.json', 'publishers.json']);
const subfolderEndings: readonly (readonly [string, string])[] = [
  ['variants', '.json'],
  ['known-builds', '.tsv'],
  ['similar', '.tsv'],
];

/** Whether a part of a database may have this name inside its product folder. */
export function isDataName(name: string): boolean {
  const [subfolder = '', file, ...deeper] = name.split('/');
  if (file === undefined) return topLevelNames.has(name);
  const ending = subfolderEndings.find(([known]) => known === subfolder)?.[1];
  return ending !== undefined && deeper.length === 0 && file.endsWith(ending);
}

/**
 * SHA-256 over names and bytes in the order of composition, each behind its length, so that no two databases read
 * alike; in lower-case hexadecimal.
 */
export function toDatabaseDigest(parts: readonly ProductFiles[]): string {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  for (const { id, files } of parts) {
    for (const { name, bytes } of files) {
      pieces.push(encoder.encode(`${id}/${name}\0${bytes.length}\0`), bytes);
    }
  }
  return toHex(toDigest('sha256', ...pieces));
}

/**
 * Reads the files of a signature database. `folder` is a product folder, when data files lie in it, or else a
 * folder of product folders. Files that are not data (`README.md`) are passed over.
 *
 * @throws DatabaseFilesError when the folder cannot be read, holds no database, or holds a JSON or TSV
 *   file under a name that no part of a database has
 */
export function readDatabaseFiles(folder: string): readonly ProductFiles[] {
  const entries = listFolder(folder);
  if (isProductFolder(entries)) return [readProduct(folder, basename(resolve(folder)))];
  const products = entries
    .filter((entry) => entry.isFolder)
    .map((entry) => join(folder, entry.name))
    .filter((path) => isProductFolder(listFolder(path)))
    .map((path) => readProduct(path, basename(path)));
  if (products.length === 0) {
    throw new DatabaseFilesError(
      'database/empty',
      folder,
      'holds no signature database (no product folder with data files)',
    );
  }
  return products;
}

interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** Entries sorted by name in code unit order, hidden ones left out; links are followed. */
function listFolder(folder: string): readonly FolderEntry[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.name.startsWith('.'))
      .map((entry) => ({
        name: entry.name,
        isFolder: entry.isSymbolicLink()
          ? statSync(join(folder, entry.name)).isDirectory()
          : entry.isDirectory(),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw new DatabaseFilesError('database/unreadable', folder, toFolderComplaint(error));
  }
}

function toFolderComplaint(error: unknown): string {
  return error instanceof Error && 'code' in error && error.code === 'ENOTDIR'
    ? 'is not a folder'
    : toUnreadable(error).message;
}

function isProductFolder(entries: readonly FolderEntry[]): boolean {
  return entries.some(({ name, isFolder }) =>
    isFolder ? subfolderEndings.some(([subfolder]) => subfolder === name) : topLevelNames.has(name),
  );
}

function readProduct(folder: string, id: string): ProductFiles {
  const names: string[] = [];
  for (const { name, isFolder } of listFolder(folder)) {
    const ending = subfolderEndings.find(([subfolder]) => subfolder === name)?.[1];
    if (isFolder && ending !== undefined) {
      for (const inner of listFolder(join(folder, name))) {
        if (!inner.isFolder && inner.name.endsWith(ending)) names.push(`${name}/${inner.name}`);
        else if (!inner.isFolder) refuseStray(join(folder, name), inner.name);
      }
    } else if (!isFolder && topLevelNames.has(name)) {
      names.push(name);
    } else if (!isFolder) {
      refuseStray(folder, name);
    }
  }
  if (names.length > maxFilesPerProduct) {
    throw new DatabaseFilesError(
      'database/unreadable',
      folder,
      `holds more than ${maxFilesPerProduct} data files`,
    );
  }
  return { folder, id, files: names.sort().map((name) => ({ name, bytes: readData(join(folder, name)) })) };
}

/** A misspelt `publisher.json` would otherwise be a set of pins that silently never counts. */
function refuseStray(folder: string, name: string): void {
  if (/\.(?:json|tsv)$/i.test(name)) {
    throw new DatabaseFilesError(
      'database/stray-file',
      join(folder, name),
      'no part of a signature database has this name here',
    );
  }
}

function readData(path: string): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > maxFileBytes) {
      throw new DatabaseFilesError('database/unreadable', path, `is larger than ${maxFileBytes} bytes`);
    }
    return readFileSync(path);
  } catch (error) {
    if (error instanceof TelltaleError) throw error;
    throw new DatabaseFilesError('database/unreadable', path, toUnreadable(error).message);
  }
}
