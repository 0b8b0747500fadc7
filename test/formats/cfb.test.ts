import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildCfb, type CfbRecipe, toClassIdBytes } from '../../fixtures/cfb-builder.ts';
import { Budget, defaultLimits, type Limits } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { cfbFormat } from '../../src/formats/cfb.ts';
import { parseCfb } from '../../src/formats/cfb/compound-file.ts';
import type { CompoundEntry, CompoundFile } from '../../src/formats/cfb/model.ts';
import { listStreams } from '../../src/formats/cfb/streams.ts';
import { identify } from '../../src/formats/index.ts';
import type { Finding } from '../../src/formats/model.ts';
import { openFile } from '../../src/platform/files.ts';
import { corpus } from '../corpus.ts';
import { createRandom, mutate } from '../mutation.ts';
import { readAll } from './reading.ts';

const has7zz = spawnSync('7zz', ['i']).error === undefined;
if (!has7zz) console.warn('SKIPPED: compound files compared with 7zz, because it is not installed');

const folder = mkdtempSync(join(tmpdir(), 'telltale-cfb-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Opened {
  readonly file: CompoundFile;
  readonly findings: readonly Finding[];
}

function open(bytes: Uint8Array, limits: Partial<Limits> = {}): Opened {
  const findings: Finding[] = [];
  const budget = new Budget(bytes.length, { ...defaultLimits, ...limits });
  const file = parseCfb(toByteSource(bytes), (finding) => findings.push(finding), budget);
  return { file, findings };
}

function readStreams(file: CompoundFile): Record<string, Buffer> {
  const streams: Record<string, Buffer> = {};
  for (const { entry, storages } of listStreams(file)) {
    const source = file.openStream(entry);
    streams[[...storages, entry].map(({ name }) => name).join('/')] = Buffer.from(
      source.read(0, source.size),
    );
  }
  return streams;
}

function text(length: number, seed = 1): Buffer {
  const random = createRandom(seed);
  return Buffer.from(Uint8Array.from({ length }, () => random(256)));
}

const small = text(100, 1);
const middle = text(4095, 2);
const border = text(4096, 3);
const large = text(60_001, 4);
const clsid = '{00020906-0000-0000-C000-000000000046}';

const usual: CfbRecipe = {
  clsid: toClassIdBytes(clsid),
  entries: [
    { name: 'small', data: small },
    { name: 'middle', data: middle },
    { name: 'border', data: border, created: 130_000_000_000_000_000n },
    { name: 'large', data: large },
    { name: 'nothing', data: new Uint8Array(0) },
    {
      name: 'Folder',
      stateBits: 7,
      entries: [
        { name: 'inside', data: text(700, 5) },
        { name: 'Deeper', entries: [{ name: 'bottom', data: text(9000, 6) }] },
      ],
    },
  ],
};
const expected = {
  small,
  middle,
  border,
  large,
  nothing: Buffer.alloc(0),
  'Folder/inside': text(700, 5),
  'Folder/Deeper/bottom': text(9000, 6),
};

/** Overwrites 32-bit numbers. */
function patch(
  bytes: Uint8Array,
  ...numbers: readonly (readonly [offset: number, value: number])[]
): Uint8Array {
  const copy = Buffer.from(bytes);
  for (const [offset, value] of numbers) copy.writeUInt32LE(value >>> 0, offset);
  return new Uint8Array(copy);
}

function findEntry(file: CompoundFile, name: string): CompoundEntry {
  const found = [...listStreams(file)].find(({ entry }) => entry.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found.entry;
}

/** Offset of the table entry of a sector, in files with one sector of table. */
function fatEntryOf(bytes: Uint8Array, sector: number): number {
  const fatSector = Buffer.from(bytes).readUInt32LE(0x4c);
  return 512 + fatSector * 512 + sector * 4;
}

describe('when a compound file is whole', () => {
  it.each([
    ['version 3', { ...usual }],
    ['version 4', { ...usual, version: 4 as const }],
    ['version 3 in pieces', { ...usual, isFragmented: true }],
    ['version 4 in pieces', { ...usual, version: 4 as const, isFragmented: true }],
    ['version 3 with its table first', { ...usual, isTableFirst: true }],
  ])('gives every stream of %s', (_name, recipe) => {
    const { file, findings } = open(buildCfb(recipe));
    expect(findings).toEqual([]);
    expect(readStreams(file)).toEqual(expected);
    expect(file).toMatchObject({ missingBytes: 0, trailing: undefined, orphans: [] });
    expect(file.root.clsid).toBe(clsid);
    expect(file.root.children.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      'stream large',
      'stream small',
      'stream border',
      'storage Folder',
      'stream middle',
      'stream nothing',
    ]);
    expect(findEntry(file, 'border').created).toBe(130_000_000_000_000_000n);
    expect(file.root.children[3]).toMatchObject({ stateBits: 7, clsid: '' });
  });

  it('reads any range of a stream that lies in pieces', () => {
    const { file } = open(buildCfb({ ...usual, isFragmented: true }));
    const source = file.openStream(findEntry(file, 'large'));
    const random = createRandom(7);
    for (let turn = 0; turn < 500; turn += 1) {
      const offset = random(large.length);
      const length = random(large.length - offset + 1);
      expect(Buffer.from(source.read(offset, length)).equals(large.subarray(offset, offset + length))).toBe(
        true,
      );
    }
    expect(() => source.read(large.length, 1)).toThrow(TelltaleError);
  });

  it('tells where streams lie', () => {
    const bytes = buildCfb(usual);
    const { file } = open(bytes);
    for (const name of ['small', 'large', 'bottom'] as const) {
      const ranges = file.locate(findEntry(file, name));
      expect(ranges).toHaveLength(1);
      const [{ offset, size } = { offset: 0, size: 0 }] = ranges;
      const stream = file.openStream(findEntry(file, name));
      expect(
        Buffer.from(bytes.subarray(offset, offset + size)).equals(Buffer.from(stream.read(0, stream.size))),
      ).toBe(true);
    }
    const pieces = open(buildCfb({ ...usual, isFragmented: true })).file;
    expect(pieces.locate(findEntry(pieces, 'large')).length).toBeGreaterThan(50);
  });

  it('follows the list of the allocation table behind the header', () => {
    // More than 109 sectors of table: over 7,143,424 bytes.
    const huge = text(9_000_000, 8);
    const { file, findings } = open(
      buildCfb({ entries: [{ name: 'huge', data: huge }], isFragmented: true }),
    );
    expect(findings).toEqual([]);
    const stream = file.openStream(findEntry(file, 'huge'));
    expect(Buffer.from(stream.read(0, stream.size)).equals(huge)).toBe(true);
  });

  it('is an OLE compound file for the table of formats, with its streams as members', async () => {
    const bytes = buildCfb(usual);
    expect(identify(bytes.subarray(0, 4096), toByteSource(bytes)).id).toBe('ole');
    const result = await readAll(cfbFormat, bytes);
    expect(result.faults).toBe(0);
    expect(result.members.map(({ name, bytes: { length } }) => `${name} ${length}`)).toEqual([
      'large 60001',
      'small 100',
      'border 4096',
      'middle 4095',
      'nothing 0',
      'Folder/inside 700',
      'Folder/Deeper/bottom 9000',
    ]);
    expect(
      result.reading?.regions.some(({ name, size }) => name === 'stream "large"' && size === 60_001),
    ).toBe(true);
    expect(cfbFormat.probe(bytes.subarray(0, 7), toByteSource(bytes.subarray(0, 7)))).toBe(false);
  });
});

describe.skipIf(!has7zz)('when 7-Zip lists the same file', () => {
  it.each([
    ['version 3', { ...usual, isFragmented: true }],
    ['version 4', { ...usual, version: 4 as const }],
  ])('it sees the same streams in %s', (name, recipe) => {
    const path = join(folder, `${name.replace(' ', '-')}.ole`);
    writeFileSync(path, buildCfb(recipe));
    for (const [stream, bytes] of Object.entries(expected)) {
      if (bytes.length === 0) continue;
      const { stdout } = spawnSync('7zz', ['x', '-so', '-tcompound', path, stream]);
      expect(stdout.equals(bytes), stream).toBe(true);
    }
  });
});

describe('when bytes belong to no stream', () => {
  it('lists free sectors, sectors of no stream and data behind the last sector', async () => {
    const hidden = Buffer.from('hidden here');
    const bytes = buildCfb({ ...usual, freeSectors: [hidden, hidden], trailing: Buffer.from('PK appended') });
    const { file } = open(bytes);
    expect(file.regions.map(({ name, size }) => [name, size])).toEqual([
      ['free sectors', 1024],
      ['data behind the last sector', 11],
    ]);
    const [first] = file.regions;
    expect(Buffer.from(bytes).indexOf(hidden)).toBe(first?.offset);
    const result = await readAll(cfbFormat, bytes);
    expect(result.members.at(-1)).toMatchObject({ name: '[trailing]', relation: 'part' });
    expect(result.members.at(-1)?.bytes.toString()).toBe('PK appended');
    expect(result.findings.map(({ code }) => code)).toEqual(['malformed/structure']);
    // The table calls the sectors used, but no chain leads there.
    const sector = ((first?.offset ?? 0) - 512) / 512;
    const fat = Buffer.from(bytes).readUInt32LE(0x4c) * 512 + 512;
    const orphaned = patch(bytes, [fat + sector * 4, 0xfffffffe]);
    expect(open(orphaned).file.regions[0]).toMatchObject({ name: 'sectors of no stream', size: 512 });
  });

  it('finds streams that hang on no storage', async () => {
    const bytes = buildCfb({ ...usual, orphans: [{ name: 'lost', data: text(5000, 9) }] });
    const result = await readAll(cfbFormat, bytes);
    expect(result.members.at(-1)?.name).toBe('[orphan] lost');
    expect(result.members.at(-1)?.bytes.equals(text(5000, 9))).toBe(true);
    expect(result.findings[0]?.message).toContain('belong to no storage');
  });

  it('tells slack that is not zero', async () => {
    const bytes = buildCfb(usual);
    const { file } = open(bytes);
    const [range] = file.locate(findEntry(file, 'large'));
    const end = (range?.offset ?? 0) + (range?.size ?? 0);
    const slackAt = Buffer.from(bytes);
    slackAt.write('secret', end);
    const result = await readAll(cfbFormat, slackAt);
    expect(result.reading?.regions).toContainEqual({
      name: 'slack behind stream "large"',
      offset: end,
      size: 512 - (60_001 % 512),
    });
  });
});

describe('when the structure is malformed', () => {
  const simple = buildCfb({
    entries: [
      { name: 'one', data: large },
      { name: 'two', data: text(5000, 3) },
    ],
  });
  const directoryAt = (id: number): number => 512 + Buffer.from(simple).readUInt32LE(0x30) * 512 + id * 128;

  it.each<[string, Uint8Array, string]>([
    ['another magic', patch(simple, [0, 0]), 'malformed/header'],
    ['a cut header', simple.subarray(0, 300), 'malformed/truncated'],
    ['an unknown version', patch(simple, [0x18, 0x0005003e]), 'unsupported/version'],
    ['impossible sectors', patch(simple, [0x1c, 0x001ffffe]), 'malformed/header'],
    ['no directory', patch(simple, [0x30, 0xfffffffe]), 'malformed/structure'],
    ['a directory outside', patch(simple, [0x30, 5_000_000]), 'malformed/structure'],
    ['nothing but a header', simple.subarray(0, 512), 'malformed/structure'],
  ])('refuses %s', (_name, bytes, code) => {
    let thrown: unknown;
    try {
      open(bytes);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TelltaleError);
    expect(thrown instanceof TelltaleError && thrown.code).toBe(code);
  });

  it.each<[string, Uint8Array, string, number]>([
    // Sector 1 is the first of "one": it leads back to itself, so nothing ends.
    ['a chain that leads to itself', patch(simple, [fatEntryOf(simple, 1), 1]), 'malformed/cycle', 512],
    ['a chain that runs in a circle', patch(simple, [fatEntryOf(simple, 9), 2]), 'malformed/cycle', 512 * 9],
    [
      'a chain that ends early',
      patch(simple, [fatEntryOf(simple, 4), 0xfffffffe]),
      'malformed/truncated',
      512 * 4,
    ],
    [
      'a chain that leads to a free sector',
      patch(simple, [fatEntryOf(simple, 4), 0xffffffff]),
      'malformed/truncated',
      512 * 4,
    ],
    [
      'a chain that leads out of the file',
      patch(simple, [fatEntryOf(simple, 4), 4_000_000]),
      'malformed/truncated',
      512 * 4,
    ],
    [
      'a stream without an end in sight',
      patch(simple, [directoryAt(1) + 120, 0x7fffffff]),
      'malformed/truncated',
      118 * 512,
    ],
    [
      'a stream that begins outside',
      patch(simple, [directoryAt(1) + 116, 0x00ffffff]),
      'malformed/truncated',
      0,
    ],
  ])('reports %s', (_name, bytes, code, size) => {
    const { file, findings } = open(bytes);
    expect(findings.map((finding) => finding.code)).toContain(code);
    expect(findings.every(({ consequence }) => consequence !== '')).toBe(true);
    const entry = findEntry(file, 'one');
    expect(file.openStream(entry).size).toBe(size);
    expect(file.openStream(entry).read(0, size).length).toBe(size);
  });

  it('reads sectors of two streams for both, and says so', () => {
    const crossed = patch(simple, [directoryAt(2) + 116, 1]);
    const { file, findings } = open(crossed);
    expect(findings.map(({ code }) => code)).toEqual(['malformed/overlap']);
    expect(
      Buffer.from(file.openStream(findEntry(file, 'two')).read(0, 5000)).equals(large.subarray(0, 5000)),
    ).toBe(true);
  });

  it.each<[string, Uint8Array, string]>([
    [
      'a directory entry that is its own neighbour',
      patch(simple, [directoryAt(1) + 68, 1]),
      'malformed/cycle',
    ],
    [
      'two entries that point to each other',
      patch(simple, [directoryAt(1) + 72, 2], [directoryAt(2) + 72, 1]),
      'malformed/cycle',
    ],
    ['an entry that does not exist', patch(simple, [directoryAt(2) + 72, 77]), 'malformed/structure'],
    ['the root as its own child', patch(simple, [directoryAt(0) + 76, 0]), 'malformed/cycle'],
    ['an entry of an unknown type', patch(simple, [directoryAt(1) + 64, 0x01090008]), 'malformed/structure'],
    ['a name without an end', patch(simple, [directoryAt(1) + 64, 0x010200ff]), 'malformed/name'],
    [
      'two entries of one name',
      buildCfb({
        entries: [
          { name: 'One', data: small },
          { name: 'oNE', data: small },
        ],
      }),
      'malformed/structure',
    ],
    ['a count of table sectors that is wrong', patch(simple, [0x2c, 900]), 'malformed/structure'],
    ['a table sector outside', patch(simple, [0x4c, 0x00ffffff]), 'malformed/structure'],
    [
      'a list of table sectors in a circle',
      patch(simple, [0x44, 3], [512 + 3 * 512 + 508, 3]),
      'malformed/structure',
    ],
    ['an unknown byte order', patch(simple, [0x1c, 0x0009feff]), 'malformed/header'],
    ['another limit for small streams', patch(simple, [0x38, 1]), 'malformed/header'],
  ])('reports %s and goes on', (_name, bytes, code) => {
    const { file, findings } = open(bytes);
    expect(findings.map((finding) => finding.code)).toContain(code);
    expect(() => readStreams(file)).not.toThrow();
  });

  it('does not lose streams whose place in the tree is lost', () => {
    const { file } = open(patch(simple, [directoryAt(0) + 76, 0xffffffff]));
    expect(file.orphans.map(({ name }) => name)).toEqual(['one', 'two']);
    expect(Object.keys(readStreams(file))).toEqual(['one', 'two']);
  });

  it('counts what is missing behind the end of the file', () => {
    // The allocation table stands at the end: with it, all but the first sector of each chain is gone.
    const { file, findings } = open(simple.subarray(0, simple.length - 1024));
    expect(file.missingBytes).toBe(512 + large.length - 512 + 5000 - 512);
    expect(findings.length).toBeGreaterThan(2);
    expect(findings.every(({ incomplete }) => incomplete)).toBe(true);
  });

  it('keeps the order of the allocation table when one sector of it is lost', () => {
    const long = text(200_000, 4);
    const whole = buildCfb({ entries: [{ name: 'long', data: long }] });
    // The table has four sectors; the first is said to lie outside.
    const { file } = open(
      patch(whole, [0x4c, 0x00ffff00], [512 + Buffer.from(whole).readUInt32LE(0x30) * 512 + 128 + 116, 129]),
    );
    const source = file.openStream(findEntry(file, 'long'));
    expect(source.size).toBeGreaterThan(100_000);
    expect(Buffer.from(source.read(0, 512)).equals(Buffer.from(whole.subarray(512 * 130, 512 * 131)))).toBe(
      true,
    );
  });

  it('stops at a limit of entries, depth and time', () => {
    const many = buildCfb({
      entries: Array.from({ length: 300 }, (_, index) => ({ name: `s${index}`, data: small })),
    });
    expect(open(many, { members: 100 }).findings.map(({ code }) => code)).toContain('limit/members');
    let nested: CfbRecipe['entries'] = [{ name: 'bottom', data: small }];
    for (let depth = 0; depth < 200; depth += 1) nested = [{ name: `d${depth}`, entries: nested }];
    expect(open(buildCfb({ entries: nested })).findings.map(({ code }) => code)).toContain('limit/depth');
    expect(() => open(many, { milliseconds: -1 })).toThrow(TelltaleError);
  });

  it('takes no squares of time for many entries over one long chain', () => {
    const entries = Array.from({ length: 4000 }, (_, index) => ({ name: `s${index}`, data: small }));
    const bytes = Buffer.from(
      buildCfb({ entries: [...entries, { name: 'large', data: text(4_000_000, 1) }] }),
    );
    const { file } = open(bytes);
    const { firstSector } = findEntry(file, 'large');
    for (const { entry } of listStreams(file)) {
      bytes.writeUInt32LE(firstSector, entry.offset + 116);
      bytes.writeUInt32LE(3_900_000, entry.offset + 120);
    }
    const started = performance.now();
    const again = open(bytes);
    expect(performance.now() - started).toBeLessThan(3000);
    expect(again.findings.map(({ code }) => code)).toContain('limit/count');
    let bytesInAll = 0;
    for (const { entry } of listStreams(again.file)) bytesInAll += entry.size;
    expect(bytesInAll).toBeLessThan(bytes.length * 3);
  });
});

describe('when compound files are damaged at random', () => {
  it('2,000 mutants neither crash nor hang nor read what is not there', async () => {
    const seed = buildCfb({
      entries: [
        { name: 'small', data: small },
        { name: 'large', data: text(5000, 2) },
        { name: 'Folder', entries: [{ name: 'inside', data: text(300, 5) }] },
      ],
      isFragmented: true,
    });
    let damaged = 0;
    let slowest = 0;
    for (const { bytes, description } of mutate(seed, 2000, 21)) {
      const started = performance.now();
      const result = await readAll(cfbFormat, bytes);
      slowest = Math.max(slowest, performance.now() - started);
      if (result.faults > 0) damaged += 1;
      const inAll = result.members.reduce((sum, member) => sum + member.bytes.length, 0);
      expect(inAll, description).toBeLessThanOrEqual(bytes.length * 3 + 4096);
      for (const { offset, size } of result.reading?.regions ?? [])
        expect(offset + size, description).toBeLessThanOrEqual(bytes.length);
    }
    expect(damaged).toBeGreaterThan(500);
    expect(slowest).toBeLessThan(1000);
  });
});

describe.skipIf(!corpus.available)('when the file is a real one', () => {
  const path = corpus.path('windows-skype4com-1.0.36.0-merge-module/Skype4COM.msm');

  it('has the streams that 7-Zip and msiinfo list, and no fault', () => {
    const source = openFile(path);
    const findings: Finding[] = [];
    const file = parseCfb(source, (finding) => findings.push(finding), new Budget(source.size));
    expect(findings).toEqual([]);
    expect([...listStreams(file)]).toHaveLength(14);
    expect(file.regions).toEqual([]);
    expect(file.root.clsid).toBe('{000C1084-0000-0000-C000-000000000046}');
    source.close();
  });

  it.skipIf(!has7zz)('gives the cabinet byte for byte', () => {
    const bytes = new Uint8Array(readFileSync(path));
    const { file } = open(bytes);
    const cabinet = spawnSync('7zz', ['x', '-so', '-tcompound', path, 'MergeModule.CABinet'], {
      maxBuffer: 1e8,
    }).stdout;
    expect(cabinet.length).toBe(627_842);
    const streams = [...listStreams(file)].filter(({ entry }) => entry.size === 627_842);
    expect(streams).toHaveLength(1);
    const [stream] = streams;
    if (stream === undefined) return;
    expect(cabinet.equals(Buffer.from(file.openStream(stream.entry).read(0, 627_842)))).toBe(true);
  });
});
