import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { TelltaleError } from '../bytes/errors.ts';
import { type FileIdentity, isSameIdentity } from '../platform/file-identity.ts';
import type { FileResult, TreeNode } from '../verdict/model.ts';
import { toSlim } from '../verdict/slim.ts';

/*
 * Results of finished files on disk, so that a scan can go on where it was cut off, and a later one need not look at
 * what did not change.
 *
 * Two files, both only ever appended to. STORE holds a line of JSON for each file: who it is, the result without its
 * tree, and where the tree lies. STORE.trees holds the trees, a line each. The tree is written first: a line in STORE
 * speaks only of what is there. Whatever is cut off or damaged at the end is left out and written over; a line that
 * does not parse, or whose tree is not where it says, counts as not there.
 */

/** What must be the same for a stored result to be worth anything. */
export interface StoreHeader {
  readonly schema: 'telltale/store/1';
  readonly tool: string;
  /** Digest of the database. */
  readonly database: string;
  readonly usesKnownBuilds: boolean;
  readonly limits: Readonly<Record<string, number>>;
}

interface Entry {
  readonly path: string;
  readonly identity: FileIdentity;
  readonly sha256: string | null;
  readonly result: FileResult;
  /** Null when the result has no tree. */
  readonly tree: TreePlace | null;
}

/** Where a tree lies in the file of trees, in bytes, and the checksum of its line. */
interface TreePlace {
  readonly offset: number;
  readonly length: number;
  readonly checksum: string;
}

/** What opening a store found. */
export type OpenedStore =
  | {
      readonly kind: 'ready';
      readonly store: ResultStore;
      readonly entries: number;
      readonly dropped: number;
    }
  /** Made by another version, with another database or with other limits. */
  | { readonly kind: 'other'; readonly difference: string }
  /** Another scan writes to it. */
  | { readonly kind: 'busy'; readonly holder: string };

export class ResultStore {
  readonly #lines: number;
  readonly #trees: number;
  readonly #lockPath: string;
  readonly #entries: Map<string, Entry>;
  #treesEnd: number;
  #isClosed = false;

  private constructor(lines: number, trees: number, lockPath: string, entries: Map<string, Entry>) {
    this.#lines = lines;
    this.#trees = trees;
    this.#lockPath = lockPath;
    this.#entries = entries;
    this.#treesEnd = fstatSync(trees).size;
  }

  /**
   * Opens a store, or begins one. A process that died does not keep it.
   *
   * @throws TelltaleError `usage/arguments` when the files cannot be read or written, or are something else
   */
  static open(path: string, header: StoreHeader): OpenedStore {
    const lockPath = `${path}.lock`;
    const holder = tryLock(lockPath);
    if (holder !== undefined) return { kind: 'busy', holder };
    try {
      const content = existsSync(path) ? readFileSync(path) : undefined;
      if (content === undefined || content.length === 0) return ResultStore.#begin(path, lockPath, header);
      const { header: found, rows, end } = readRows(content, path);
      // Nothing but a torn first line: nothing was stored yet.
      if (found === undefined) return ResultStore.#begin(path, lockPath, header);
      const difference = tryFindDifference(found, header);
      if (difference !== undefined) {
        rmSync(lockPath, { force: true });
        return { kind: 'other', difference };
      }
      const trees = openSync(`${path}.trees`, 'a+');
      const treesSize = fstatSync(trees).size;
      const sound = rows.filter(({ tree }) => tree === null || tree.offset + tree.length <= treesSize);
      const lines = openSync(path, 'r+');
      ftruncateSync(lines, end);
      closeSync(lines);
      const entries = new Map(sound.map((entry) => [entry.path, entry]));
      const store = new ResultStore(openSync(path, 'a'), trees, lockPath, entries);
      return { kind: 'ready', store, entries: entries.size, dropped: rows.length - sound.length };
    } catch (error) {
      rmSync(lockPath, { force: true });
      throw toComplaint(path, error);
    }
  }

  /** Begins a store anew, in the place of what is there. @throws TelltaleError `usage/arguments` */
  static replace(path: string, header: StoreHeader): OpenedStore {
    const lockPath = `${path}.lock`;
    const holder = tryLock(lockPath);
    if (holder !== undefined) return { kind: 'busy', holder };
    try {
      return ResultStore.#begin(path, lockPath, header);
    } catch (error) {
      rmSync(lockPath, { force: true });
      throw toComplaint(path, error);
    }
  }

  static #begin(path: string, lockPath: string, header: StoreHeader): OpenedStore {
    writeFileSync(`${path}.trees`, '');
    // Under another name first: a header is whole or not there.
    writeFileSync(`${path}.new`, `${JSON.stringify(header)}\n`);
    renameSync(`${path}.new`, path);
    const store = new ResultStore(openSync(path, 'a'), openSync(`${path}.trees`, 'a+'), lockPath, new Map());
    return { kind: 'ready', store, entries: 0, dropped: 0 };
  }

  /**
   * The stored result of a file that did not change.
   *
   * @param isSame - `identity`: size, times and inode are the same. `digest`: the SHA-256 of its bytes is
   * @param needsTree - whether the tree is wanted; without, the result is slim
   */
  tryGet(
    path: string,
    identity: FileIdentity,
    isSame: 'identity' | { readonly sha256: string },
    needsTree: boolean,
  ): FileResult | undefined {
    const entry = this.#entries.get(path);
    if (entry === undefined || entry.identity.size !== identity.size) return undefined;
    if (isSame === 'identity' ? !isSameIdentity(entry.identity, identity) : entry.sha256 !== isSame.sha256) {
      return undefined;
    }
    if (!needsTree || entry.tree === null) return entry.result;
    const tree = this.#tryReadTree(entry.tree);
    return tree === undefined ? undefined : { ...entry.result, tree };
  }

  /** Whether a path is known with this size, so that comparing digests is worth the reading. */
  mayHave(path: string, { size }: FileIdentity): boolean {
    return this.#entries.get(path)?.identity.size === size;
  }

  /** Stores a result. One call writes one line, which is there as a whole or not at all. */
  add(path: string, identity: FileIdentity, file: FileResult): void {
    if (this.#isClosed) return;
    let tree: Entry['tree'] = null;
    if (file.tree !== null) {
      const bytes = Buffer.from(`${JSON.stringify(file.tree)}\n`);
      writeAll(this.#trees, bytes);
      tree = { offset: this.#treesEnd, length: bytes.length, checksum: toChecksum(bytes) };
      this.#treesEnd += bytes.length;
    }
    const entry: Entry = { path, identity, sha256: file.sha256, result: toSlim(file), tree };
    const { result, ...rest } = entry;
    const content = JSON.stringify({ ...rest, result });
    writeAll(this.#lines, Buffer.from(`${toChecksum(content)} ${content}\n`));
    this.#entries.set(path, entry);
  }

  #tryReadTree({ offset, length, checksum }: TreePlace): TreeNode | undefined {
    const bytes = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const count = readSync(this.#trees, bytes, filled, length - filled, offset + filled);
      if (count === 0) return undefined;
      filled += count;
    }
    return toChecksum(bytes) === checksum ? JSON.parse(bytes.toString('utf8')) : undefined;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#lines);
    closeSync(this.#trees);
    rmSync(this.#lockPath, { force: true });
  }
}

/** The header and the lines that are whole, and where the last of them ends. */
function readRows(
  content: Buffer,
  path: string,
): { readonly header: StoreHeader | undefined; readonly rows: readonly Entry[]; readonly end: number } {
  const rows: Entry[] = [];
  let header: StoreHeader | undefined;
  let end = 0;
  for (let start = 0; start < content.length; ) {
    const stop = content.indexOf(0x0a, start);
    if (stop < 0) break;
    const line = content.toString('utf8', start, stop);
    start = stop + 1;
    if (header === undefined) {
      header = tryParseHeader(line);
      if (header === undefined) {
        throw new TelltaleError('usage/arguments', `${path} is there already, and is no state of a scan`);
      }
    } else {
      const row = tryParseRow(line);
      // Behind a damaged line nothing can be trusted to be where it was.
      if (row === undefined) break;
      rows.push(row);
    }
    end = start;
  }
  return { header, rows, end };
}

function tryParseHeader(line: string): StoreHeader | undefined {
  try {
    const value: StoreHeader = JSON.parse(line);
    return value.schema === 'telltale/store/1' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The checksum stands before the entry; what has it was written by us, and is whole. */
function tryParseRow(line: string): Entry | undefined {
  const content = line.slice(checksumDigits + 1);
  return line.slice(0, checksumDigits) === toChecksum(content) ? JSON.parse(content) : undefined;
}

const checksumDigits = 16;

function toChecksum(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, checksumDigits);
}

function tryFindDifference(found: StoreHeader, wanted: StoreHeader): string | undefined {
  if (found.tool !== wanted.tool) return `telltale ${found.tool}`;
  if (found.database !== wanted.database) return 'another database';
  if (found.usesKnownBuilds !== wanted.usesKnownBuilds) return 'another use of the ledger of known builds';
  return JSON.stringify(found.limits) === JSON.stringify(wanted.limits) ? undefined : 'other limits';
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}

/** Takes the lock; returns who holds it when somebody does. A holder that died on this machine does not count. */
function tryLock(path: string): string | undefined {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(path, `${process.pid} ${hostname()}\n`, { flag: 'wx' });
      return undefined;
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw toComplaint(path, error);
    }
    const holder = readHolder(path);
    const [pid = '', host = ''] = holder.split(' ');
    // An empty one was left by a process that died while it wrote it.
    if (holder !== '' && (host !== hostname() || isAlive(Number(pid)))) return holder;
    rmSync(path, { force: true });
  }
  return readHolder(path);
}

function readHolder(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function toComplaint(path: string, error: unknown): TelltaleError {
  if (error instanceof TelltaleError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new TelltaleError('usage/arguments', `${path} cannot be used: ${reason}`);
}
