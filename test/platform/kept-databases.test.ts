import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type CacheFolder,
  KeptDatabases,
  entriesKept,
  entryBytesMax,
  findFolderFault,
} from '../../src/platform/kept-databases.ts';

const digest = 'ab'.repeat(32);
const owner = process.geteuid?.();
const isWindows = process.platform === 'win32';
if (owner === 0)
  console.warn('SKIPPED: a folder that cannot be written to, because nothing keeps root from writing');

let home: string;
let folder: CacheFolder;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'telltale-cache-'));
  folder = { path: join(home, 'deep', 'telltale'), owner, secret: join(home, 'state', 'secret') };
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const entry = (of = digest): string => join(folder.path, `${of}.compiled`);
const form = new TextEncoder().encode('a database, compiled');
const read = (of = digest): Uint8Array | undefined => new KeptDatabases(folder).tryRead(of);
const isKnown = (of = digest): boolean => read(of) !== undefined;
const keep = (of = digest): void => new KeptDatabases(folder).keep(of, form);
/** Exchanges text in the entry. */
function edit(from: RegExp | string, to: string): void {
  const text = readFileSync(entry(), 'latin1').replace(from, to);
  writeFileSync(entry(), Buffer.from(text, 'latin1'));
}

describe('when a database passed all checks', () => {
  it('is known afterwards, and no other is', () => {
    expect(isKnown()).toBe(false);
    keep();
    expect(read()).toEqual(form);
    expect(isKnown('cd'.repeat(32))).toBe(false);
    expect(readdirSync(folder.path)).toEqual([`${digest}.compiled`]);
  });

  it.skipIf(isWindows)('is kept where only the user reads and writes', () => {
    keep();
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
    expect(statSync(entry()).mode & 0o777).toBe(0o600);
    expect(statSync(folder.secret ?? '').mode & 0o777).toBe(0o600);
  });

  it('is not kept without a folder', () => {
    const kept = new KeptDatabases();
    kept.keep(digest, form);
    expect(kept.tryRead(digest)).toBeUndefined();
    expect(readdirSync(home)).toEqual([]);
  });

  it('is not kept where there is no place for the secret', () => {
    folder = { ...folder, secret: undefined };
    keep();
    expect(isKnown()).toBe(false);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('is not kept when it is larger than is worth it', () => {
    new KeptDatabases(folder).keep(digest, new Uint8Array(entryBytesMax + 1));
    expect(isKnown()).toBe(false);
  });

  it('knows the database that ships without any folder', () => {
    const record: { readonly databases: Readonly<Record<string, string>> } = JSON.parse(
      readFileSync(new URL('../../dist/databases/record.json', import.meta.url), 'utf8'),
    );
    const [shipped = '', ...others] = Object.keys(record.databases);
    expect(others).toEqual([]);
    const bytes = new KeptDatabases().tryRead(shipped);
    expect(bytes && createHash('sha256').update(bytes).digest('hex')).toBe(record.databases[shipped]);
  });
});

describe('when somebody else filled the folder', () => {
  it('uses nothing that was sealed with another secret', () => {
    keep();
    folder = { ...folder, secret: join(home, 'other', 'secret') };
    expect(isKnown()).toBe(false);
    keep('cd'.repeat(32));
    expect(isKnown('cd'.repeat(32))).toBe(true);
    expect(isKnown()).toBe(false);
  });

  it('uses nothing when the secret is gone, and makes another', () => {
    keep();
    const before = readFileSync(folder.secret ?? '');
    rmSync(folder.secret ?? '');
    expect(isKnown()).toBe(false);
    keep();
    expect(isKnown()).toBe(true);
    expect(readFileSync(folder.secret ?? '')).not.toEqual(before);
  });

  it.skipIf(isWindows).each([
    ['readable by others', () => chmodSync(folder.secret ?? '', 0o640)],
    ['too short', () => truncateSync(folder.secret ?? '', 31)],
    ['too long', () => writeFileSync(folder.secret ?? '', new Uint8Array(33))],
    [
      'a link',
      () => {
        writeFileSync(join(home, 'elsewhere'), readFileSync(folder.secret ?? ''), { mode: 0o600 });
        rmSync(folder.secret ?? '');
        symlinkSync(join(home, 'elsewhere'), folder.secret ?? '');
      },
    ],
  ])('uses and keeps nothing with a secret that is %s, and leaves it as it is', (_, damage) => {
    keep();
    damage();
    const before = readFileSync(folder.secret ?? '');
    expect(isKnown()).toBe(false);
    expect(() => keep('cd'.repeat(32))).not.toThrow();
    expect(isKnown('cd'.repeat(32))).toBe(false);
    expect(readFileSync(folder.secret ?? '')).toEqual(before);
  });
});

describe('when an entry is not what was written', () => {
  it.each([
    ['shorter', () => truncateSync(entry(), 40)],
    ['empty', () => truncateSync(entry(), 0)],
    ['longer', () => appendFileSync(entry(), 'x')],
    ['with another byte in it', () => edit(/compiled$/, 'compileD')],
    ['with another byte before it', () => edit('\0\0', '\0x')],
    ['huge', () => truncateSync(entry(), 2 ** 33)],
    ['of another build', () => edit(/ [0-9a-f]{64} /, ` ${'0'.repeat(64)} `)],
    ['of another version', () => edit(/ \d/, ' 9')],
    ['of another form', () => edit('/1', '/2')],
    ['of another database', () => edit('abab', 'cdcd')],
    ['with another seal', () => edit(/ [0-9a-f]{64}\n/, ` ${'0'.repeat(64)}\n`)],
    [
      'a folder',
      () => {
        rmSync(entry());
        mkdirSync(entry());
      },
    ],
  ] as const)('%s: it is not used, and can be written anew', (what, damage) => {
    keep();
    damage();
    expect(isKnown()).toBe(false);
    expect(() => keep()).not.toThrow();
    expect(isKnown()).toBe(what !== 'a folder');
  });

  it.skipIf(isWindows)('a link to one: it is not followed', () => {
    keep();
    const moved = join(home, 'moved');
    writeFileSync(moved, readFileSync(entry()), { mode: 0o600 });
    rmSync(entry());
    symlinkSync(moved, entry());
    expect(isKnown()).toBe(false);
  });
});

describe.skipIf(isWindows)('when others could have written it', () => {
  it.each([
    [0o720, 'group'],
    [0o702, 'everybody'],
  ])('does not use a folder of mode %o (%s)', (mode) => {
    keep();
    chmodSync(folder.path, mode);
    expect(isKnown()).toBe(false);
    expect(findFolderFault(folder)).toBe('is writable by other users');
    keep('cd'.repeat(32));
    expect(readdirSync(folder.path)).toHaveLength(1);
  });

  it.each([0o620, 0o602, 0o666])('does not use an entry of mode %o', (mode) => {
    keep();
    chmodSync(entry(), mode);
    expect(isKnown()).toBe(false);
  });

  it('does not use what belongs to another user', () => {
    keep();
    folder = { ...folder, owner: (owner ?? 0) + 1 };
    expect(isKnown()).toBe(false);
    expect(findFolderFault(folder)).toBe('belongs to another user');
  });

  it('does not use a link in the place of the folder', () => {
    keep();
    const link = join(home, 'link');
    symlinkSync(folder.path, link);
    folder = { ...folder, path: link };
    expect(isKnown()).toBe(false);
    expect(findFolderFault(folder)).toBe('is no folder');
  });
});

describe('when nothing can be kept', () => {
  it('goes on where a file stands in the way of the folder', () => {
    writeFileSync(join(home, 'deep'), '');
    keep();
    expect(isKnown()).toBe(false);
    expect(findFolderFault(folder)).toBe('cannot be used (ENOTDIR)');
  });

  it.skipIf(isWindows || owner === 0)('goes on where the disk is read-only', () => {
    mkdirSync(folder.path, { recursive: true, mode: 0o500 });
    keep();
    expect(isKnown()).toBe(false);
  });
});

describe('when many were kept', () => {
  it('removes the oldest, and what others left unfinished long ago', () => {
    keep();
    const stale = join(folder.path, `${digest}.${'1'.repeat(16)}.part`);
    const fresh = join(folder.path, `${digest}.${'2'.repeat(16)}.part`);
    const foreign = join(folder.path, 'notes.txt');
    for (const path of [stale, fresh, foreign]) writeFileSync(path, '');
    for (const path of [stale, foreign, entry()]) utimesSync(path, 1, 1);
    const digests = Array.from({ length: entriesKept }, (_, index) => index.toString(16).padStart(64, '0'));
    for (const one of digests) keep(one);
    expect(isKnown()).toBe(false);
    expect(digests.every((one) => isKnown(one))).toBe(true);
    const names = readdirSync(folder.path);
    expect(names.filter((name) => name.endsWith('.compiled'))).toHaveLength(entriesKept);
    expect(names.filter((name) => !name.endsWith('.compiled')).sort()).toEqual(
      [`${digest}.${'2'.repeat(16)}.part`, 'notes.txt'].sort(),
    );
  });
});
