import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { readVersion } from './shipped.ts';

/*
 * Which databases were found to be valid before, by digest.
 *
 * Checking a database takes longer than scanning a small file. What is kept is only that the check was passed: the
 * database itself is read from its own files each time, and its digest is computed from them. An entry is a file with
 * exactly one possible content, which names this build of the program and the digest, so there is nothing to parse in
 * it and nothing to believe but that one statement. The build says the same of the database that ships.
 */

/** Where entries are kept. Plain data: it crosses to workers. */
export interface CacheFolder {
  /** Absolute; it is made when there is something to keep. */
  readonly path: string;
  /** The user whose folder and files it must be; undefined where the system has no such numbers. */
  readonly owner: number | undefined;
}

/** Entries beyond are removed, the oldest first. */
export const entriesKept = 32;
/** A file that another process did not finish is left alone for so long. */
const unfinishedMilliseconds = 60 * 60 * 1000;
const entryPattern = /^[0-9a-f]{64}\.checked$/;
const unfinishedPattern = /^[0-9a-f]{64}\.[0-9a-f]{16}\.part$/;
const writableByOthers = 0o022;

/** What the build left: its own digest, and those of the databases that were valid. */
interface BuildRecord {
  readonly build: string;
  readonly databases: readonly string[];
}

const buildRecordPlace = new URL('../../dist/checked-databases.json', import.meta.url);

function readBuildRecord(): BuildRecord | undefined {
  try {
    const record: unknown = JSON.parse(readFileSync(buildRecordPlace, 'utf8'));
    if (typeof record !== 'object' || record === null || !('build' in record) || !('databases' in record))
      return undefined;
    const { build, databases } = record;
    if (typeof build !== 'string' || !Array.isArray(databases)) return undefined;
    return { build, databases: databases.filter((digest): digest is string => typeof digest === 'string') };
  } catch {
    // A program that was not built, or by somebody else: everything is checked.
    return undefined;
  }
}

/** Databases that passed all checks before. Nothing here throws: what cannot be used is not used. */
export class CheckedDatabases {
  readonly #folder: CacheFolder | undefined;
  readonly #build: BuildRecord | undefined;

  /** @param folder - undefined when nothing is to be kept, and nothing that was kept is to be used */
  constructor(folder?: CacheFolder) {
    this.#build = readBuildRecord();
    // Without a build to name, an entry of another program would be as good as one of this.
    this.#folder = this.#build === undefined ? undefined : folder;
  }

  /** @param digest - of the files as they are now, in lower-case hexadecimal */
  has(digest: string): boolean {
    if (this.#build?.databases.includes(digest) === true) return true;
    if (this.#folder === undefined || findFolderFault(this.#folder) !== undefined) return false;
    const expected = this.#toEntry(digest);
    return (
      tryReadOwn(join(this.#folder.path, `${digest}.checked`), this.#folder, expected.length) === expected
    );
  }

  /** Keeps that a database passed all checks. */
  keep(digest: string): void {
    const folder = this.#folder;
    if (folder === undefined) return;
    try {
      makeFolder(folder.path);
      if (findFolderFault(folder) !== undefined) return;
      const unfinished = join(folder.path, `${digest}.${randomBytes(8).toString('hex')}.part`);
      try {
        // Whoever reads sees the whole entry or none.
        writeFileSync(unfinished, this.#toEntry(digest), { flag: 'wx', mode: 0o600 });
        renameSync(unfinished, join(folder.path, `${digest}.checked`));
      } catch (error) {
        tryUnlink(unfinished);
        throw error;
      }
      removeOld(folder.path);
    } catch {
      // A read-only or a full disk: the next scan checks again.
    }
  }

  #toEntry(digest: string): string {
    return `telltale-checked/1 ${readVersion()} ${this.#build?.build ?? ''} ${digest}\n`;
  }
}

/** Why a folder is not used; undefined when it is, or is not there yet. */
export function findFolderFault(folder: CacheFolder): string | undefined {
  try {
    return findFault(lstatSync(folder.path), folder, 'isDirectory', 'is no folder');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return code === 'ENOENT' ? undefined : `cannot be used (${code})`;
  }
}

function findFault(
  status: Stats,
  { owner }: CacheFolder,
  kind: 'isDirectory' | 'isFile',
  complaint: string,
): string | undefined {
  if (!status[kind]()) return complaint;
  // Where there are no such numbers, the folder of the user is closed to others by the system.
  if (owner === undefined) return undefined;
  if (status.uid !== owner) return 'belongs to another user';
  return (status.mode & writableByOthers) === 0 ? undefined : 'is writable by other users';
}

/** The text of a file of the user's own; undefined for any other, and for one of another size. */
function tryReadOwn(path: string, folder: CacheFolder, size: number): string | undefined {
  let descriptor: number | undefined;
  try {
    // No link is followed, and no pipe is waited for.
    descriptor = openSync(
      path,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
    const status = fstatSync(descriptor);
    if (findFault(status, folder, 'isFile', '') !== undefined || status.size !== size) return undefined;
    const bytes = Buffer.alloc(size);
    return readSync(descriptor, bytes, 0, size, 0) === size ? bytes.toString('latin1') : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The option `recursive` of Node does not come back under `/proc`, where a folder can be neither found nor made. */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have been faster.
    if (!statSync(path).isDirectory()) throw error;
  }
}

function removeOld(folder: string): void {
  const entries: { readonly path: string; readonly modified: number }[] = [];
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (entryPattern.test(name)) entries.push({ path, modified: toModified(path) });
    else if (unfinishedPattern.test(name) && Date.now() - toModified(path) > unfinishedMilliseconds)
      tryUnlink(path);
  }
  entries.sort((a, b) => b.modified - a.modified);
  for (const { path } of entries.slice(entriesKept)) tryUnlink(path);
}

function toModified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function tryUnlink(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another process was faster.
  }
}
