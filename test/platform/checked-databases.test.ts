import {
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
  CheckedDatabases,
  entriesKept,
  findFolderFault,
} from '../../src/platform/checked-databases.ts';

const digest = 'ab'.repeat(32);
const owner = process.geteuid?.();
const isWindows = process.platform === 'win32';
if (owner === 0)
  console.warn('SKIPPED: a folder that cannot be written to, because nothing keeps root from writing');

let home: string;
let folder: CacheFolder;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'telltale-cache-'));
  folder = { path: join(home, 'deep', 'telltale'), owner };
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const entry = (of = digest): string => join(folder.path, `${of}.checked`);
const isKnown = (of = digest): boolean => new CheckedDatabases(folder).has(of);
const keep = (of = digest): void => new CheckedDatabases(folder).keep(of);

describe('when a database passed all checks', () => {
  it('is known afterwards, and no other is', () => {
    expect(isKnown()).toBe(false);
    keep();
    expect(isKnown()).toBe(true);
    expect(isKnown('cd'.repeat(32))).toBe(false);
    expect(readdirSync(folder.path)).toEqual([`${digest}.checked`]);
  });

  it.skipIf(isWindows)('is kept where only the user reads and writes', () => {
    keep();
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
    expect(statSync(entry()).mode & 0o777).toBe(0o600);
  });

  it('is not kept without a folder', () => {
    const checked = new CheckedDatabases();
    checked.keep(digest);
    expect(checked.has(digest)).toBe(false);
    expect(readdirSync(home)).toEqual([]);
  });

  it('knows the database that ships without any folder', () => {
    const record: { readonly databases: readonly string[] } = JSON.parse(
      readFileSync(new URL('../../dist/checked-databases.json', import.meta.url), 'utf8'),
    );
    expect(record.databases).toHaveLength(1);
    expect(new CheckedDatabases().has(record.databases[0] ?? '')).toBe(true);
  });
});

describe('when an entry is not what was written', () => {
  it.each([
    ['shorter', () => truncateSync(entry(), 40)],
    ['empty', () => truncateSync(entry(), 0)],
    ['longer', () => writeFileSync(entry(), `${readFileSync(entry(), 'utf8')}\n`)],
    ['huge', () => truncateSync(entry(), 2 ** 33)],
    [
      'of another build',
      () =>
        writeFileSync(
          entry(),
          readFileSync(entry(), 'utf8').replace(/ [0-9a-f]{64} /, ` ${'0'.repeat(64)} `),
        ),
    ],
    ['of another version', () => writeFileSync(entry(), readFileSync(entry(), 'utf8').replace(/ \d/, ' 9'))],
    ['of another form', () => writeFileSync(entry(), readFileSync(entry(), 'utf8').replace('/1', '/2'))],
    [
      'of another database',
      () => writeFileSync(entry(), readFileSync(entry(), 'utf8').replace('abab', 'cdcd')),
    ],
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
    expect(names.filter((name) => name.endsWith('.checked'))).toHaveLength(entriesKept);
    expect(names.filter((name) => !name.endsWith('.checked')).sort()).toEqual(
      [`${digest}.${'2'.repeat(16)}.part`, 'notes.txt'].sort(),
    );
  });
});
