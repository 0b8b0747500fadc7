import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readChunks, toByteSource } from '../../../src/bytes/byte-source.ts';
import { createBranchFilter, createDeltaFilter } from '../../../src/formats/codecs/branch-filter.ts';
import { decodeBcj2 } from '../../../src/formats/sevenz/bcj2.ts';
import { tryUnpackSevenZFolder } from '../../../src/formats/sevenz/decoding.ts';
import type { Stage } from '../../../src/formats/sevenz/stages.ts';
import { hasTools } from '../../end-to-end/packing.ts';
import { pourBoth, readPlain } from './comparison.ts';
import { makeText } from '../../sample-text.ts';
import { makeChance, makeCode, packWithBsdtar, packWithSevenZip, tree } from './packing.ts';

const isPossible = hasTools(['7zz']);
if (!isPossible) console.warn('SKIPPED: archives by 7zz, because it is not installed (package 7zip)');
if (!hasTools(['bsdtar']))
  console.warn('SKIPPED: archives by bsdtar, because it is not installed (package libarchive-tools)');

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const filters = ['BCJ', 'BCJ2', 'ARM', 'ARMT', 'ARM64', 'PPC', 'SPARC', 'Delta:1', 'Delta:4', 'Delta:256'];

/** Methods by 7zz's names, and whether ours reads them. */
const recipes: readonly (readonly [string, readonly string[], boolean])[] = [
  ['what is usual', [], true],
  ['a header that is not packed', ['-mhc=off'], true],
  ['a folder for each file', ['-ms=off'], true],
  ['a folder for each file, sorted by kind', ['-ms=off', '-mqs=on'], true],
  ['folders of 16 KB', ['-ms=16k'], true],
  ['LZMA', ['-m0=lzma', '-mf=off'], true],
  ['LZMA with all bits', ['-m0=lzma:lc=8:lp=4:pb=4'], true],
  ['LZMA2 in many chunks', ['-m0=lzma2:c=8k:d=4k:lc=0:lp=4:pb=0'], true],
  ['nothing packed', ['-m0=copy'], true],
  ['Deflate', ['-m0=deflate'], true],
  ['bzip2', ['-m0=bzip2'], true],
  ['all times', ['-mtc=on', '-mta=on', '-mtm=on'], true],
  ['no times', ['-mtm=off'], true],
  ['two filters', ['-m0=delta:2', '-m1=bcj', '-m2=lzma'], true],
  [
    'BCJ2 as in its days',
    ['-m0=bcj2', '-m1=lzma:d=20', '-m2=lzma:d=19', '-m3=lzma:d=19', '-mb0:1', '-mb0s1:2', '-mb0s2:3'],
    true,
  ],
  ...filters.map((name) => [`the filter ${name}`, [`-mf=${name}`], true] as const),
  ['the filter IA64', ['-mf=IA64'], false],
  ['the filter RISCV', ['-mf=RISCV'], false],
  ['PPMd', ['-m0=ppmd'], false],
  ['Deflate64', ['-m0=deflate64'], false],
  ['a password', ['-psecret'], false],
];

describe.skipIf(!isPossible).each(recipes)('when 7zz packs with %s', (_what, switches, isPlain) => {
  it('gives what 7-Zip gives, which is what was packed', async () => {
    const archive = packWithSevenZip(switches);
    expect(readPlain(archive) !== undefined).toBe(isPlain);
    const [mine, others] = await pourBoth(archive);
    expect(mine).toEqual(others);
    if (switches.includes('-psecret')) return;
    expect(mine.faults).toBe(0);
    const unpacked = mine.members.map((member) => [member.name, member.sha256] as const);
    expect(Object.fromEntries(unpacked)).toEqual(
      Object.fromEntries([...tree].map(([name, bytes]) => [name, sha256(bytes)])),
    );
    const links = mine.facts.filter(({ detail }) => detail?.['kind'] === 'link');
    expect(links.map(({ value }) => value)).toEqual(['tree/link']);
  });
});

describe.skipIf(!hasTools(['bsdtar']))('when bsdtar packs', () => {
  const methods = ['store', 'deflate', 'bzip2', 'lzma1', 'lzma2', 'ppmd'];

  it.each(methods)('reads %s as 7-Zip does', async (method) => {
    const archive = packWithBsdtar(method);
    expect(readPlain(archive) !== undefined).toBe(method !== 'ppmd');
    const [mine, others] = await pourBoth(archive);
    expect(mine).toEqual(others);
    expect([mine.faults, mine.members.length]).toEqual([0, tree.size]);
  });
});

describe.skipIf(!isPossible)('when 7zz keeps no attributes', () => {
  it('tells folders from files, where the list of 7-Zip does not', async () => {
    const archive = packWithSevenZip(['-mtr=off']);
    const [mine, others] = await pourBoth(archive);
    expect(mine.faults).toBe(0);
    expect(mine.facts.map(({ value }) => value)).toEqual(others.facts.map(({ value }) => value));
    // Without its attributes the link is a file.
    expect(mine.members.map(({ name }) => name).sort()).toEqual([...tree.keys(), 'tree/link'].sort());
  });
});

const size = 60_000;

/** Filtered and not packed. */
function packFiltered(filter: string, content: Uint8Array): readonly [archive: Uint8Array, stage: Stage] {
  const switches =
    filter === 'BCJ2'
      ? ['-m0=bcj2', '-m1=copy', '-m2=copy', '-m3=copy', '-mb0:1', '-mb0s1:2', '-mb0s2:3']
      : [`-mf=${filter}`, '-m0=copy'];
  const archive = packWithSevenZip([...switches, '-x!tree/link'], new Map([['tree/a.exe', content]]));
  const folder = readPlain(archive)?.folders[0];
  if (folder === undefined) throw new Error('is not read');
  return [archive, folder.stage];
}

/** Unpacks it from chunks of a length. */
function decodeCut(archive: Uint8Array, stage: Stage, length: number): Buffer {
  const open = (input: Stage): Iterable<Uint8Array> => {
    if (input.kind !== 'stored') throw new Error('is packed');
    return readChunks(toByteSource(archive.slice(input.offset, input.offset + input.bytes)), length);
  };
  const pieces: Uint8Array[] = [];
  if (stage.kind === 'bcj2') {
    const [program, calls, jumps, choices] = stage.inputs;
    const chunks = decodeBcj2([open(program), open(calls), open(jumps), open(choices)], stage.bytes);
    for (const piece of chunks) pieces.push(piece.slice());
  } else if (stage.kind === 'branch' || stage.kind === 'delta') {
    const filter =
      stage.kind === 'delta' ? createDeltaFilter(stage.distance) : createBranchFilter(stage.filter);
    for (const chunk of open(stage.input)) pieces.push(filter.write(chunk).slice());
    pieces.push(filter.end().slice());
  }
  return Buffer.concat(pieces);
}

describe.skipIf(!isPossible).each(filters)('when 7zz filters with %s', (filter) => {
  it('undoes it, in whatever chunks it comes', () => {
    const content = makeCode(size, 1);
    const [archive, stage] = packFiltered(filter, content);
    for (const length of [1, 2, 3, 7, 4096, 19_999, size]) {
      expect(decodeCut(archive, stage, length).equals(content), `chunks of ${length}`).toBe(true);
    }
  });

  it('undoes it in short and odd pieces', () => {
    for (const length of [1, 3, 4, 5, 9, 64, 65_537]) {
      const content = makeCode(length, length);
      const [archive, stage] = packFiltered(filter, content);
      const output = new Uint8Array(length);
      const piece = { method: '7z-folder', stage, size: length } as const;
      expect(tryUnpackSevenZFolder(toByteSource(archive), piece, output), `${length}`).toBe(true);
      expect(Buffer.compare(output, content), `${length}`).toBe(0);
    }
  });
});

describe.skipIf(!isPossible)('when a folder is unpacked by itself', () => {
  const content = makeText(200_000, 5);
  const archive = packWithSevenZip(
    ['-m0=lzma', '-ms=off'],
    new Map([
      ['tree/a.txt', content],
      ['tree/b.bin', makeChance(9, 9)],
    ]),
  );
  const piece = readPlain(archive)?.folders.find(({ size: bytes }) => bytes === content.length);

  it('gives all of it, from a description that is plain data', () => {
    if (piece === undefined) throw new Error('is not read');
    const output = new Uint8Array(piece.size);
    expect(tryUnpackSevenZFolder(toByteSource(archive), structuredClone(piece), output)).toBe(true);
    expect(Buffer.compare(output, content)).toBe(0);
  });

  it('says so when there is no room, or it is damaged', () => {
    if (piece === undefined) throw new Error('is not read');
    expect(tryUnpackSevenZFolder(toByteSource(archive), piece, new Uint8Array(piece.size - 1))).toBe(false);
    const cut = toByteSource(archive.subarray(0, 100));
    expect(tryUnpackSevenZFolder(cut, piece, new Uint8Array(piece.size))).toBe(false);
    const changed = archive.slice();
    changed.fill(0xff, 40, 60);
    expect(tryUnpackSevenZFolder(toByteSource(changed), piece, new Uint8Array(piece.size))).toBe(false);
  });
});
