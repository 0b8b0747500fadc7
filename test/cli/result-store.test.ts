import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildPlainSkype, buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { type OpenedStore, ResultStore, type StoreHeader } from '../../src/cli/result-store.ts';
import { tryReadIdentity } from '../../src/platform/file-identity.ts';
import type { FileResult } from '../../src/verdict/model.ts';
import { toSlim } from '../../src/verdict/slim.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';
import { createRandom } from '../mutation.ts';

const header: StoreHeader = {
  schema: 'telltale/store/1',
  tool: '1.0.0',
  database: '0'.repeat(64),
  usesKnownBuilds: true,
  limits: { depth: 16 },
};
const identity = { size: 5, modified: '1', changed: '2', inode: '3:4' };
const tom = await scanBytes('tom.exe', buildTomSkype());
const plain = await scanBytes('plain.exe', buildPlainSkype());

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-store-'));
  path = join(folder, 'state');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(wanted: StoreHeader = header): ResultStore {
  const opened = ResultStore.open(path, wanted);
  if (opened.kind !== 'ready') throw new Error(`the store is ${opened.kind}`);
  return opened.store;
}

function fill(...files: readonly FileResult[]): void {
  const store = open();
  for (const file of files) store.add(file.path, identity, file);
  store.close();
}

/** What a store has, read and closed. */
function look(): readonly (FileResult | undefined)[] {
  const store = open();
  const found = ['tom.exe', 'plain.exe'].map((name) => store.tryGet(name, identity, 'identity', true));
  store.close();
  return found;
}

describe('when results are stored', () => {
  it('gives them back as they were', () => {
    fill(tom, plain);
    expect(look()).toEqual([tom, plain]);
  });

  it('gives a slim one where the tree is not wanted', () => {
    fill(tom);
    const store = open();
    expect(store.tryGet('tom.exe', identity, 'identity', false)).toEqual(toSlim(tom));
    store.close();
  });

  it('takes the last of several for one file', () => {
    fill(tom, { ...plain, path: 'tom.exe' });
    expect(look()[0]?.verdict).toBe(plain.verdict);
  });

  it('does not take a file that changed for the same', () => {
    fill(tom);
    const store = open();
    for (const change of [{ size: 6 }, { modified: '9' }, { changed: '9' }, { inode: '9' }]) {
      expect(store.tryGet('tom.exe', { ...identity, ...change }, 'identity', true)).toBeUndefined();
    }
    const touched = { ...identity, modified: '9', changed: '9' };
    expect(store.tryGet('tom.exe', touched, { sha256: tom.sha256 ?? '' }, true)).toEqual(tom);
    expect(store.tryGet('tom.exe', touched, { sha256: '0'.repeat(64) }, true)).toBeUndefined();
    store.close();
  });

  it('reads the identity of files, and of nothing else', () => {
    writeFileSync(path, 'hello');
    expect(tryReadIdentity(path)?.size).toBe(5);
    expect(tryReadIdentity(folder)).toBeUndefined();
    expect(tryReadIdentity(join(folder, 'nothing'))).toBeUndefined();
  });
});

describe('when a store was cut off or damaged', () => {
  it('goes on behind the last whole line, wherever it was cut', () => {
    fill(tom, plain);
    const whole = readFileSync(path);
    const trees = readFileSync(`${path}.trees`);
    const random = createRandom(7);
    const cutOf = (bytes: Buffer): Buffer => bytes.subarray(0, random(bytes.length));
    for (let round = 0; round < 60; round += 1) {
      writeFileSync(path, cutOf(whole));
      writeFileSync(`${path}.trees`, round % 3 === 0 ? cutOf(trees) : trees);
      const before = look();
      for (const [index, found] of before.entries()) {
        if (found !== undefined) expect(found).toEqual([tom, plain][index]);
      }
      fill(...[tom, plain].filter((_, index) => before[index] === undefined));
      expect(look()).toEqual([tom, plain]);
    }
  });

  it('believes no line that was changed', () => {
    fill(tom, plain);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"verdict":"variant"', '"verdict":"official"'));
    expect(look()[0]).toBeUndefined();
    fill(tom);
    const trees = readFileSync(`${path}.trees`, 'utf8');
    writeFileSync(`${path}.trees`, trees.replaceAll('variant', 'varianz'));
    expect(look()[0]).toBeUndefined();
  });

  it('leaves out results whose tree is gone', () => {
    fill(tom, plain);
    truncateSync(`${path}.trees`, 10);
    const opened = ResultStore.open(path, header);
    expect(opened).toMatchObject({ kind: 'ready', entries: 0, dropped: 2 });
    if (opened.kind === 'ready') opened.store.close();
  });

  it('refuses a file that is something else, and leaves it alone', () => {
    writeFileSync(path, 'my thesis\nchapter one\n');
    expect(() => ResultStore.open(path, header)).toThrow(/is no state of a scan/);
    expect(readFileSync(path, 'utf8')).toBe('my thesis\nchapter one\n');
  });
});

describe('when a store does not fit', () => {
  it.each<readonly [string, Partial<StoreHeader>]>([
    ['telltale 1.0.0', { tool: '2.0.0' }],
    ['another database', { database: '1'.repeat(64) }],
    ['another use of the ledger of known builds', { usesKnownBuilds: false }],
    ['other limits', { limits: { depth: 3 } }],
  ])('says that it was made with %s', (difference, change) => {
    fill(tom);
    expect(ResultStore.open(path, { ...header, ...change })).toEqual({ kind: 'other', difference });
    expect(look()[0]).toEqual(tom);
  });

  it('can be begun anew', () => {
    fill(tom);
    const opened = ResultStore.replace(path, { ...header, tool: '2.0.0' });
    expect(opened).toMatchObject({ kind: 'ready', entries: 0 });
    if (opened.kind === 'ready') opened.store.close();
    expect(ResultStore.open(path, header).kind).toBe('other');
  });
});

describe('when two scans use one store', () => {
  const close = (opened: OpenedStore): void => {
    if (opened.kind === 'ready') opened.store.close();
  };

  it('lets one of them write', () => {
    writeFileSync(`${path}.lock`, `1 ${hostname()}\n`);
    expect(ResultStore.open(path, header)).toEqual({ kind: 'busy', holder: `1 ${hostname()}` });
    writeFileSync(`${path}.lock`, '4242 another-machine\n');
    expect(ResultStore.open(path, header).kind).toBe('busy');
  });

  it('takes over from one that died', () => {
    // No process has a number beyond the largest one of Linux.
    for (const left of [`99999999 ${hostname()}\n`, '']) {
      writeFileSync(`${path}.lock`, left);
      const opened = ResultStore.open(path, header);
      expect(opened.kind).toBe('ready');
      close(opened);
    }
  });

  it('survives lines of another writer', () => {
    fill(tom);
    appendFileSync(path, 'not a line of ours\n');
    expect(look()[0]).toEqual(tom);
  });
});
