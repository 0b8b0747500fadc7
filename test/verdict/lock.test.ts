import { describe, expect, it } from 'vitest';
import { buildPlainSkype, buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { findDrift, toLock } from '../../src/verdict/lock.ts';
import type { FileResult } from '../../src/verdict/model.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';

const tom = await scanBytes('files/a.exe', buildTomSkype());
const plain = await scanBytes('files/b.exe', buildPlainSkype());
const digest = '0'.repeat(64);
const same = (path: string): string => path;

function listDrift(
  before: readonly FileResult[],
  after: readonly FileResult[],
  isCovered: (path: string) => boolean = () => true,
): readonly string[] {
  return findDrift(after, toLock(before, digest, same), same, isCovered).map(
    ({ path, rule }) => `${rule}: ${path}`,
  );
}

describe('when files are held against a lock', () => {
  it('says nothing while they are the same, in any order', () => {
    expect(listDrift([tom, plain], [plain, tom])).toEqual([]);
  });

  it('finds other bytes', () => {
    expect(listDrift([tom], [{ ...plain, path: tom.path }])).toEqual(['lock: changed content: files/a.exe']);
  });

  it('finds another verdict on the same bytes', () => {
    expect(listDrift([tom], [{ ...tom, verdict: 'official', variant: 'official' }])).toEqual([
      'lock: changed verdict: files/a.exe',
      'lock: changed verdict: files/a.exe',
    ]);
  });

  it('finds files that came and went', () => {
    expect(listDrift([tom], [plain])).toEqual([
      'lock: new file: files/b.exe',
      'lock: missing file: files/a.exe',
    ]);
  });

  it('misses only what it looked for', () => {
    expect(listDrift([tom, plain], [plain], (path) => path === plain.path)).toEqual([]);
  });

  it('never takes a file that cannot be read for the same', () => {
    const unread = { ...tom, sha256: null, tree: null };
    expect(listDrift([unread], [unread])).toEqual(['lock: unread: files/a.exe']);
  });

  it('compares a bundle, which has no digest of its own, by what is in it', () => {
    const bundle = (inner: FileResult): FileResult => ({
      ...tom,
      sha256: null,
      tree: tom.tree === null ? null : { ...tom.tree, members: inner.tree === null ? [] : [inner.tree] },
    });
    expect(listDrift([bundle(plain)], [bundle(plain)])).toEqual([]);
    expect(listDrift([bundle(plain)], [bundle(tom)])).toEqual(['lock: changed content: files/a.exe']);
  });
});

describe('when a lock is written', () => {
  it('is sorted, and holds a file once', () => {
    expect(toLock([plain, tom, plain], digest, same).files.map(({ path }) => path)).toEqual([
      'files/a.exe',
      'files/b.exe',
    ]);
  });
});
