import { createHmac, randomBytes } from 'node:crypto';
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
import { toHex } from '../bytes/cursor.ts';
import { toDigest } from './digests.ts';
import { readVersion } from './shipped.ts';

/*
 * Databases that passed all checks before, compiled, by the digest of their files.
 *
 * Checking and compiling a database takes longer than scanning a small file. The files themselves are read each time,
 * and their digest says which entry is theirs. What is in an entry decides verdicts, so each is sealed with a secret of
 * the user that does not lie in the same folder: a folder that somebody else filled, or that was unpacked from an
 * archive of a build server, holds no entry that counts. The build keeps the database that ships as a part of the
 * program.
 */

/** Where entries are kept. Plain data: it crosses to workers. */
export interface CacheFolder {
  /** Absolute; it is made when there is something to keep. */
  readonly path: string;
  /** The user whose folder and files it must be; undefined where the system has no such numbers. */
  readonly owner: number | undefined;
  /** Absolute path of the file with the secret; undefined where there is no place for it, and nothing is kept. */
  readonly secret: string | undefined;
}

/** Entries beyond are removed, the oldest first. */
export const entriesKept = 32;
/** As are those beyond so many bytes together. */
export const bytesKept = 256 * 1024 * 1024;
/** Larger ones are not kept. */
export const entryBytesMax = 64 * 1024 * 1024;
/** What stands before the compiled database; a whole number of words of any size. */
const headBytes = 320;
const secretBytes = 32;
/** A file that another process did not finish is left alone for so long. */
const unfinishedMilliseconds = 60 * 60 * 1000;
const entryPattern = /^[0-9a-f]{64}\.compiled$/;
const unfinishedPattern = /^[0-9a-f]{64}\.[0-9a-f]{16}\.part$/;
const writableByOthers = 0o022;
const openToOthers = 0o077;

/** What the build left: its own digest, and the databases that were valid, with the digest of their compiled form. */
interface BuildRecord {
  readonly build: string;
  readonly databases: Readonly<Record<string, string>>;
}

const buildRecordPlace = new URL('../../dist/databases/record.json', import.meta.url);

function readBuildRecord(): BuildRecord | undefined {
  try {
    const record: unknown = JSON.parse(readFileSync(buildRecordPlace, 'utf8'));
    if (typeof record !== 'object' || record === null || !('build' in record) || !('databases' in record))
      return undefined;
    const { build, databases } = record;
    if (typeof build !== 'string' || typeof databases !== 'object' || databases === null) return undefined;
    const entries = Object.entries(databases).map(([digest, form]) => [digest, String(form)] as const);
    return { build, databases: Object.fromEntries(entries) };
  } catch {
    // A program that was not built, or by somebody else: everything is checked and compiled.
    return undefined;
  }
}

/** Compiled databases that were kept. Nothing here throws: what cannot be used is not used. */
export class KeptDatabases {
  readonly #folder: CacheFolder | undefined;
  readonly #build: BuildRecord | undefined;

  /** @param folder - undefined when nothing is to be kept, and nothing that was kept is to be used */
  constructor(folder?: CacheFolder) {
    this.#build = readBuildRecord();
    // Without a build to name, an entry of another program would be as good as one of this.
    this.#folder = this.#build === undefined ? undefined : folder;
  }

  /**
   * What was kept of a database, in memory of its own that begins at a whole number of words.
   *
   * @param digest - of the files as they are now, in lower-case hexadecimal
   */
  tryRead(digest: string): Uint8Array | undefined {
    const shipped = this.#build?.databases[digest];
    if (shipped !== undefined) {
      const form = tryReadWhole(new URL(`${digest}.compiled`, buildRecordPlace));
      if (form !== undefined && toHex(toDigest('sha256', form)) === shipped) return form;
    }
    const folder = this.#folder;
    if (folder === undefined || findFolderFault(folder) !== undefined) return undefined;
    const secret = tryReadSecret(folder);
    if (secret === undefined) return undefined;
    const entry = tryReadOwn(toPath(folder, digest), folder, writableByOthers, entryBytesMax + headBytes);
    if (entry === undefined || entry.length < headBytes) return undefined;
    const form = entry.subarray(headBytes);
    const head = this.#toHead(digest, form, secret);
    return head.every((byte, index) => entry[index] === byte) ? form : undefined;
  }

  /** Keeps the compiled form of a database that passed all checks. */
  keep(digest: string, form: Uint8Array): void {
    const folder = this.#folder;
    if (folder === undefined || form.length > entryBytesMax) return;
    try {
      makeFolder(folder.path);
      if (findFolderFault(folder) !== undefined) return;
      const secret = tryReadSecret(folder) ?? makeSecret(folder);
      if (secret === undefined) return;
      const unfinished = join(folder.path, `${digest}.${randomBytes(8).toString('hex')}.part`);
      try {
        // Whoever reads sees the whole entry or none.
        writeFileSync(unfinished, this.#toHead(digest, form, secret), { flag: 'wx', mode: 0o600 });
        writeFileSync(unfinished, form, { flag: 'a' });
        renameSync(unfinished, toPath(folder, digest));
      } catch (error) {
        tryUnlink(unfinished);
        throw error;
      }
      removeOld(folder.path);
    } catch {
      // A read-only or a full disk: the next scan compiles again.
    }
  }

  /** What an entry begins with, which is possible in one way only. */
  #toHead(digest: string, form: Uint8Array, secret: Uint8Array): Uint8Array {
    const says = `telltale-compiled/1 ${readVersion()} ${this.#build?.build ?? ''} ${digest}`;
    const seal = createHmac('sha256', secret).update(`${says}\n`).update(form).digest('hex');
    const head = new Uint8Array(headBytes);
    head.set(new TextEncoder().encode(`${says} ${seal}\n`).subarray(0, headBytes));
    return head;
  }
}

function toPath(folder: CacheFolder, digest: string): string {
  return join(folder.path, `${digest}.compiled`);
}

/** Why a folder is not used; undefined when it is, or is not there yet. */
export function findFolderFault(folder: CacheFolder): string | undefined {
  try {
    return findFault(lstatSync(folder.path), folder, writableByOthers, 'isDirectory', 'is no folder');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return code === 'ENOENT' ? undefined : `cannot be used (${code})`;
  }
}

function findFault(
  status: Stats,
  { owner }: CacheFolder,
  forbidden: number,
  kind: 'isDirectory' | 'isFile',
  complaint: string,
): string | undefined {
  if (!status[kind]()) return complaint;
  // Where there are no such numbers, the folder of the user is closed to others by the system.
  if (owner === undefined) return undefined;
  if (status.uid !== owner) return 'belongs to another user';
  return (status.mode & forbidden) === 0 ? undefined : 'is writable by other users';
}

/** A file of the user's own; undefined for any other, and for a larger one. */
function tryReadOwn(
  path: string,
  folder: CacheFolder,
  forbidden: number,
  bytesMax: number,
): Uint8Array | undefined {
  let descriptor: number | undefined;
  try {
    // No link is followed, and no pipe is waited for.
    descriptor = openSync(
      path,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
    const status = fstatSync(descriptor);
    if (findFault(status, folder, forbidden, 'isFile', '') !== undefined || status.size > bytesMax)
      return undefined;
    return tryReadDescriptor(descriptor, status.size);
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function tryReadWhole(place: URL): Uint8Array | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(place, 'r');
    return tryReadDescriptor(descriptor, fstatSync(descriptor).size);
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Not into the memory that Node shares out for small buffers: tables are looked at in place. */
function tryReadDescriptor(descriptor: number, size: number): Uint8Array | undefined {
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const count = readSync(descriptor, bytes, filled, size - filled, filled);
    if (count === 0) return undefined;
    filled += count;
  }
  return bytes;
}

function tryReadSecret(folder: CacheFolder): Uint8Array | undefined {
  if (folder.secret === undefined) return undefined;
  const secret = tryReadOwn(folder.secret, folder, openToOthers, secretBytes);
  return secret?.length === secretBytes ? secret : undefined;
}

/** Makes a secret where there is none; one that is there and cannot be used stays what it is. */
function makeSecret(folder: CacheFolder): Uint8Array | undefined {
  if (folder.secret === undefined) return undefined;
  makeFolder(dirname(folder.secret));
  try {
    writeFileSync(folder.secret, randomBytes(secretBytes), { flag: 'wx', mode: 0o600 });
  } catch {
    // Another process may have been faster.
  }
  return tryReadSecret(folder);
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
  const entries: { readonly path: string; readonly modified: number; readonly size: number }[] = [];
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const status = statSync(path, { throwIfNoEntry: false });
    if (status === undefined) continue;
    const { mtimeMs: modified, size } = status;
    if (entryPattern.test(name)) entries.push({ path, modified, size });
    else if (unfinishedPattern.test(name) && Date.now() - modified > unfinishedMilliseconds) tryUnlink(path);
  }
  entries.sort((a, b) => b.modified - a.modified);
  let bytes = 0;
  for (const [index, { path, size }] of entries.entries()) {
    bytes += size;
    if (index >= entriesKept || bytes > bytesKept) tryUnlink(path);
  }
}

function tryUnlink(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another process was faster.
  }
}
