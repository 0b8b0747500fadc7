import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { iso9660Format } from '../../../src/formats/iso9660/index.ts';
import type { Format } from '../../../src/formats/model.ts';
import { readWithSevenZip } from '../../../src/formats/sevenzip/index.ts';
import { readAll } from '../reading.ts';
import { pourAll } from '../sevenzip-pouring.ts';

const scratch = mkdtempSync(join(tmpdir(), 'telltale-iso-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const tree = join(scratch, 'tree');

beforeAll(() => {
  const folders = ['a', 'a/b', 'empty', '文件夹', Array.from({ length: 10 }, (_one, n) => `d${n}`).join('/')];
  for (const folder of folders) mkdirSync(join(tree, folder), { recursive: true });
  const files: readonly (readonly [string, Uint8Array])[] = [
    ['README.TXT', Buffer.from('read me')],
    ['no-extension', Buffer.from('x')],
    ['nothing.bin', Buffer.alloc(0)],
    ['a/program with blanks.exe', randomBytes(70_000)],
    ['a/b/same.exe', Buffer.from('one and the same')],
    ['文件夹/说明.txt', Buffer.from('说明')],
    [`a/${'long-'.repeat(30)}name.dat`, Buffer.from('long')],
    [`${folders.at(-1)}/deep.txt`, Buffer.from('deep')],
    ['boot.img', Buffer.alloc(1440 * 1024, 'boot')],
    ['loader.bin', randomBytes(5000)],
  ];
  for (const [name, bytes] of files) writeFileSync(join(tree, name), bytes);
  for (let index = 0; index < 120; index += 1)
    writeFileSync(join(tree, 'a/b', `file ${index}.txt`), `number ${index}`);
});

const sevenZipIso: Format = {
  ...iso9660Format,
  read: (source, context) => readWithSevenZip({ type: 'iso' }, source, context),
};

interface Recipe {
  readonly name: string;
  readonly tool: string;
  readonly args: readonly string[];
}

const mkisofs = (tool: string, name: string, ...args: string[]): Recipe => ({
  name: `${tool} ${name}`,
  tool,
  args: [...(tool === 'xorriso' ? ['-as', 'mkisofs'] : []), '-quiet', ...args],
});

/** With names that are the same in Rock Ridge without its continuations and its moved folders. */
const recipes: readonly Recipe[] = [
  mkisofs('genisoimage', 'plain', '-D'),
  mkisofs('genisoimage', 'with versions', '-D', '-iso-level', '3', '-N'),
  mkisofs('genisoimage', 'Joliet', '-J', '-joliet-long', '-D'),
  mkisofs('genisoimage', 'Joliet and Rock Ridge', '-J', '-joliet-long', '-R'),
  mkisofs('genisoimage', 'Rock Ridge', '-R', '-D', '-x', `*${'long-'.repeat(30)}*`),
  mkisofs('genisoimage', 'UDF bridge', '-udf', '-J', '-joliet-long', '-R'),
  mkisofs('genisoimage', 'not padded', '-J', '-joliet-long', '-no-pad'),
  mkisofs('genisoimage', 'floppy', '-J', '-joliet-long', '-b', 'boot.img', '-c', 'boot.cat'),
  mkisofs(
    'genisoimage',
    'two loaders',
    '-D',
    '-b',
    'loader.bin',
    '-no-emul-boot',
    '-boot-load-size',
    '4',
    '-c',
    'boot.cat',
    '-eltorito-alt-boot',
    '-b',
    'boot.img',
    '-no-emul-boot',
  ),
  mkisofs('xorriso', 'plain', '-m', `*${'long-'.repeat(30)}*`),
  mkisofs('xorriso', 'Joliet', '-J', '-joliet-long'),
  mkisofs('xorriso', 'Rock Ridge', '-R', '-m', `*${'long-'.repeat(30)}*`),
  mkisofs('xorriso', 'HFS+ hybrid', '-hfsplus', '-J', '-joliet-long'),
  mkisofs(
    'xorriso',
    'loader to the end of the disc',
    '-J',
    '-joliet-long',
    '-b',
    'loader.bin',
    '-no-emul-boot',
    '-boot-load-size',
    '1',
    '-c',
    'boot.cat',
  ),
];

const hasTool = (name: string): boolean => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;

function build({ tool, args }: Recipe): Uint8Array {
  const path = join(scratch, 'image.iso');
  rmSync(path, { force: true });
  execFileSync(tool, [...args, '-o', path, tree], { stdio: ['ignore', 'ignore', 'pipe'] });
  return new Uint8Array(readFileSync(path));
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.each(recipes)('when $name makes an image', (recipe) => {
  const isThere = hasTool(recipe.tool);
  if (!isThere)
    console.warn(`SKIPPED: ${recipe.name}, because ${recipe.tool} is not installed (package ${recipe.tool})`);

  it.skipIf(!isThere)('reads it as 7-Zip does', async () => {
    const image = build(recipe);
    const ours = await readAll(iso9660Format, toByteSource(image));
    const theirs = await pourAll(image, {}, sevenZipIso);
    expect(ours.members.length).toBeGreaterThan(120);
    expect(ours.members.map(({ name, bytes }) => [name, sha256(bytes)])).toEqual(
      theirs.members.map(({ name, sha256: digest }) => [name, digest]),
    );
    expect(ours.reading?.facts).toEqual(theirs.facts);
    expect(ours.findings).toEqual(theirs.findings);
    expect([ours.faults, theirs.faults]).toEqual([0, 0]);
    // Nothing is unpacked: every member is a range of the image.
    for (const { bytes, containerOffset = -1 } of ours.members) {
      expect(bytes.equals(image.subarray(containerOffset, containerOffset + bytes.length))).toBe(true);
    }
  });
});

describe.skipIf(!hasTool('genisoimage'))('when Rock Ridge is all there is', () => {
  it('gives long names, links and folders that were moved as they were', async () => {
    symlinkSync('../README.TXT', join(tree, 'a/link'));
    symlinkSync('/usr/./bin/../lib', join(tree, 'a/absolute'));
    const image = build(mkisofs('genisoimage', 'Rock Ridge', '-R'));
    const { members, reading, findings } = await readAll(iso9660Format, toByteSource(image));
    const names = members.map(({ name }) => name);
    expect(findings.filter(({ code }) => code !== 'malformed/name')).toEqual([]);
    expect(names).toContain('d0/d1/d2/d3/d4/d5/d6/d7/d8/d9/deep.txt');
    expect(names).toContain(`a/${'long-'.repeat(30)}name.dat`);
    expect(names.filter((name) => name.toLowerCase().includes('rr_moved'))).toEqual([]);
    const links = (reading?.facts ?? []).filter(({ detail }) => detail?.['kind'] === 'link');
    expect(links).toEqual([
      { kind: 'memberName', value: 'a/absolute', detail: { kind: 'link', target: '/usr/./bin/../lib' } },
      { kind: 'memberName', value: 'a/link', detail: { kind: 'link', target: '../README.TXT' } },
    ]);
    const { status, stdout } = spawnSync('isoinfo', ['-R', '-f', '-i', join(scratch, 'image.iso')], {
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    const listed = new Set(stdout.split('\n'));
    // It shows the folders that were moved where they were moved to.
    const unmoved = names.filter((name) => !name.startsWith('d0/'));
    expect(unmoved.filter((name) => !listed.has(`/${name}`))).toEqual([]);
    expect(unmoved.length).toBeGreaterThan(120);
  });
});
