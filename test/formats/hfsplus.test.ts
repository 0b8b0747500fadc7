import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { buildHfsPlus, type HfsItem, hfsOffsets, type HfsSpec } from '../../fixtures/hfsplus-builder.ts';
import { Budget, defaultLimits } from '../../src/bytes/budget.ts';
import { type ByteSource, toByteSource } from '../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { tryReadHfsPlus } from '../../src/formats/hfsplus/index.ts';
import type { Format, Reading } from '../../src/formats/model.ts';
import { readWithSevenZip } from '../../src/formats/sevenzip/index.ts';
import { type Mutant, mutate } from '../mutation.ts';
import { pourAll, type PourOptions, type PourResult, sevenZipFormats } from './sevenzip-pouring.ts';

const containers = fileURLToPath(new URL('../../fixtures/containers/', import.meta.url));
const forks = new Uint8Array(gunzipSync(readFileSync(`${containers}forks.hfs.gz`)));

const hfsFormat = sevenZipFormats.find(({ id }) => id === 'hfs');
if (hfsFormat === undefined) throw new Error('there is no format "hfs"');
const ours: Format = hfsFormat;
const theirs: Format = {
  ...hfsFormat,
  read: (source, context) => readWithSevenZip({ type: 'hfs' }, source, context),
};

const toContents = ({ members }: PourResult): unknown =>
  members.map(({ name, size, sha256, declaredSize, finding }) => [name, size, sha256, declaredSize, finding]);

/** What pours was left to 7-Zip; our members can be had one by one. */
const isLeft = ({ passes, thrown }: PourResult): boolean => passes.length > 0 || thrown !== undefined;

/** Reads a volume both ways. */
async function compare(
  volume: Uint8Array | ByteSource,
  options: PourOptions = {},
): Promise<{ result: PourResult; isOurs: boolean }> {
  const result = await pourAll(volume, options, ours);
  const other = await pourAll(volume, options, theirs);
  expect(toContents(result)).toEqual(toContents(other));
  expect(result.facts).toEqual(other.facts);
  expect(result.findings).toEqual(other.findings);
  expect(result.thrown?.code).toBe(other.thrown?.code);
  return { result, isOurs: !isLeft(result) };
}

/** Our reader alone; undefined when it leaves the volume to 7-Zip. */
function tryRead(volume: Uint8Array, members = defaultLimits.members): Reading | undefined {
  const source = toByteSource(volume);
  const budget = new Budget(source.size, { ...defaultLimits, members });
  return tryReadHfsPlus(source, 0, { budget, report: () => undefined });
}

const text = (content: string): Uint8Array => Buffer.from(content);
const large = Buffer.alloc(20_000, '0123456789');

const ordinary: readonly HfsItem[] = [
  { path: 'a.txt', data: text('hello') },
  { path: 'empty', data: text('') },
  { path: 'folder' },
  { path: 'folder/large', data: large },
  { path: 'folder/inner' },
  { path: 'folder/inner/program', data: text('MZ'), mode: 0o100755 },
  { path: '文件夹' },
  { path: '文件夹/说明.txt', data: text('text') },
];

const build = (items: readonly HfsItem[], more: Partial<HfsSpec> = {}): Uint8Array =>
  buildHfsPlus({ name: 'Vol ume', items, ...more });

describe('when an HFS+ volume is in order', () => {
  const volumes: readonly (readonly [string, readonly HfsItem[], Partial<HfsSpec>])[] = [
    ['files and folders', ordinary, {}],
    ['another size of blocks', ordinary, { blockBytes: 4096, nodeBytes: 8192 }],
    ['HFSX', ordinary, { isHfsX: true }],
    [
      'many files in small nodes',
      Array.from({ length: 300 }, (_, index) => ({ path: `file ${index}`, data: text(`content ${index}`) })),
      { nodeBytes: 1024 },
    ],
    [
      'files in pieces',
      [
        { path: 'in 3', data: large, pieces: 3 },
        { path: 'in 8', data: large, pieces: 8 },
        { path: 'in 14', data: large, pieces: 14 },
        { path: 'in 40', data: large, pieces: 40 },
        { path: 'whole', data: large },
      ],
      {},
    ],
    [
      'links',
      [
        ...ordinary,
        { path: 'link', data: text('folder/large'), mode: 0o120755 },
        { path: 'out', data: text('../../etc/passwd'), mode: 0o120755 },
        { path: 'Applications', data: text('/Applications'), mode: 0o120755 },
      ],
      {},
    ],
    [
      'resource forks',
      [
        { path: 'both', data: text('data'), resource: text('resource') },
        { path: 'folder' },
        { path: 'folder/Icon\r', data: text(''), resource: large },
      ],
      {},
    ],
    [
      'attributes',
      [
        { path: 'a.txt', data: text('hello'), attributes: { 'com.apple.FinderInfo': Buffer.alloc(32, 1) } },
        {
          path: 'folder',
          attributes: { 'com.apple.quarantine': text('q;'), 'org.example_x': text('') },
        },
        {
          path: 'both',
          data: text('d'),
          resource: text('r'),
          attributes: { a: text('odd'), b: large.subarray(0, 3000) },
        },
      ],
      {},
    ],
    [
      'private folders and a journal',
      [
        ...ordinary,
        { path: '.journal', data: large },
        { path: '.journal_info_block', data: text('here') },
        { path: '\0\0\0\0HFS+ Private Data' },
        { path: '\0\0\0\0HFS+ Private Data/iNode17', data: text('a file with two names') },
        { path: '.HFS+ Private Directory Data\r' },
        { path: '.HFS+ Private Directory Data\r/dir_18' },
        { path: '.HFS+ Private Directory Data\r/dir_18/inside', data: text('in') },
        { path: 'hard link', data: text('') },
      ],
      {},
    ],
    [
      'names',
      [
        { path: 'e\u0301te\u0301', data: text('decomposed') },
        { path: '\u00e9t\u00e9', data: text('composed') },
        { path: '\u{1f600}', data: text('beyond the first plane') },
        { path: ' ', data: text('a blank') },
        { path: ' leading and trailing ', data: text('blanks') },
        { path: '...', data: text('dots') },
        { path: 'con.', data: text('a device elsewhere') },
        { path: 'slash', name: 'read/me', data: text('a slash') },
        { path: '\u202efdp.exe', data: text('another direction') },
        { path: 'n'.repeat(255), data: text('long') },
        { path: 'n'.repeat(255).replace('n', 'm') },
        { path: `${'n'.repeat(255).replace('n', 'm')}/${'文'.repeat(255)}`, data: text('longer') },
      ],
      {},
    ],
    [
      'modes',
      [
        { path: 'none', data: text('1'), mode: 0 },
        { path: 'bits', data: text('2'), mode: 0o4755 },
        { path: 'folder', mode: 0 },
      ],
      {},
    ],
    ['nothing but its root', [], {}],
  ];

  it.each(volumes)('reads %s as 7-Zip does', async (_title, items, more) => {
    const { result, isOurs } = await compare(build(items, more));
    expect([isOurs, result.faults]).toEqual([true, 0]);
  });

  it('reads what xorriso wrote, with a fork that shares its bytes', async () => {
    const { result, isOurs } = await compare(forks);
    expect([isOurs, result.faults]).toEqual([true, 0]);
    expect(result.members.map(({ name }) => name)).toEqual([
      'demo/app.exe',
      'demo/readme.txt',
      'demo/readme.txt:rsrc',
      'demo/文件夹/说明.txt',
    ]);
  });

  it('says where members stand, when they are in one piece', () => {
    const volume = build([
      { path: 'one', data: large },
      { path: 'two', data: large, pieces: 2 },
    ]);
    const members = [...toSync(tryRead(volume))];
    expect(members.map(({ name, content }) => [name, content.kind])).toEqual([
      ['Vol ume/one', 'source'],
      ['Vol ume/two', 'source'],
    ]);
    const places = members.map(({ content }) =>
      content.kind === 'source' ? content.containerOffset : undefined,
    );
    expect(places).toEqual([Buffer.from(volume).indexOf(large), undefined]);
  });

  it.each([
    ['bytes', text('tail of the volume')],
    ['zeros', new Uint8Array(600)],
  ])('says what follows the volume: %s', async (_title, tail) => {
    const { isOurs } = await compare(Buffer.concat([build(ordinary), tail]));
    expect(isOurs).toBe(true);
  });
});

function* toSync(
  reading: Reading | undefined,
): Generator<
  NonNullable<Reading['members']> extends () => infer All
    ? All extends Iterable<infer One>
      ? One
      : never
    : never
> {
  const members = reading?.members?.();
  if (members === undefined || !(Symbol.iterator in members)) throw new Error('has no members one by one');
  yield* members;
}

/** Changes 32 bits of a volume in place. */
const put = (offset: number, value: number): Partial<HfsSpec> => ({
  changeVolume: (volume) => void volume.writeUInt32BE(value, offset),
});

describe('when something about a volume is odd', () => {
  /** Changes a record of the catalog: 32 bits at an offset from where the name ends. */
  const inRecord = (name: string, offset: number, value: number): Partial<HfsSpec> => ({
    changeCatalog(catalog) {
      const key = Buffer.from(name, 'utf16le').swap16();
      const at = catalog.indexOf(key) + key.length;
      if (at <= key.length) throw new Error(`no record of ${name}`);
      catalog.writeUInt32BE(value, at + offset);
    },
  });
  const dataFork = 88;
  const attribute = (name: string): readonly HfsItem[] => [
    { path: 'a.txt', data: text('hello'), attributes: { [name]: text('value') } },
  ];
  const file = (name: string, more: Partial<HfsItem> = {}): readonly HfsItem[] => [
    { path: 'other', data: text('other') },
    { path: 'odd', name, data: text('odd'), ...more },
  ];
  const odd: readonly (readonly [string, readonly HfsItem[], Partial<HfsSpec>])[] = [
    ['boot blocks that hold something', ordinary, put(0, 1)],
    ['more files than it states', ordinary, put(hfsOffsets.fileCount, 3)],
    ['fewer folders than it states', ordinary, put(hfsOffsets.folderCount, 70)],
    ['blocks of 513 bytes', ordinary, put(hfsOffsets.blockSize, 513)],
    ['more blocks than there are', ordinary, put(hfsOffsets.totalBlocks, 0xffffffff)],
    ['a catalog behind its end', ordinary, put(hfsOffsets.catalogFork + 16, 0x7fffffff)],
    ['a catalog of more blocks than stated', ordinary, put(hfsOffsets.catalogFork + 12, 1)],
    ['an attributes file behind its end', attribute('a'), put(hfsOffsets.attributesFork + 16, 0x7fffffff)],
    ['an extents file behind its end', ordinary, put(hfsOffsets.extentsFork + 16, 0x7fffffff)],
    ['a file behind its end', ordinary, inRecord('a.txt', dataFork + 16, 0x00ffffff)],
    ['a file larger than its blocks', ordinary, inRecord('a.txt', dataFork + 4, 0x10000)],
    ['a file of more bytes than there can be', ordinary, inRecord('a.txt', dataFork, 0x7fffffff)],
    ['a file with blocks behind its end', ordinary, inRecord('large', dataFork + 4, 3)],
    ['a file without its blocks', ordinary, inRecord('a.txt', dataFork + 20, 0)],
    ['a name that climbs', file('..'), {}],
    ['a name that is a dot', file('.'), {}],
    ['a name with a line end', file('a\nb'), {}],
    ['a name with a NUL', file('a\0b'), {}],
    ['a name with half a character', file('a\ud800b'), {}],
    ['a name with a backslash', file('a\\b'), {}],
    ['a name with a colon', file('a:b'), {}],
    ['no name', file(''), {}],
    ['a character of nobody', file('a\uf05cb'), {}],
    ['a long link', file('link', { data: Buffer.alloc(1024, 'a'), mode: 0o120755 }), {}],
    ['an empty link', file('link', { data: text(''), mode: 0o120755 }), {}],
    ['a pipe', file('pipe', { mode: 0o010644 }), {}],
    ['a file that is a folder', file('file', { mode: 0o040755 }), {}],
    ['two files of one id', file('file', { id: 16 }), {}],
    ['a file in a folder that is not there', file('file', { parent: 99 }), {}],
    ['a file in a file', file('file', { parent: 16 }), {}],
    ['a compressed file', attribute('com.apple.decmpfs'), {}],
    ['an attribute with a colon', attribute('com.apple.metadata:kMDItemWhereFroms'), {}],
    ['an attribute with a slash', attribute('a/b'), {}],
  ];

  it.each(odd)('leaves it to 7-Zip: %s', async (_title, items, more) => {
    const volume = build(items, more);
    expect(tryRead(volume)).toBeUndefined();
    const { isOurs } = await compare(volume);
    expect(isOurs).toBe(false);
  });

  it('leaves it to 7-Zip when it is cut off anywhere', () => {
    const volume = build(ordinary);
    for (let size = 0; size < volume.length; size += 97)
      expect(tryRead(volume.subarray(0, size))).toBeUndefined();
    expect(tryRead(volume)).toBeDefined();
  });

  it('leaves it to 7-Zip when it holds more than is looked at', async () => {
    const volume = build(ordinary);
    // With the root folder.
    expect(tryRead(volume, ordinary.length)).toBeUndefined();
    expect(tryRead(volume, ordinary.length + 1)).toBeDefined();
    const { result } = await compare(volume, { limits: { members: ordinary.length } });
    expect(result.findings.map(({ code }) => code)).toEqual(['limit/members']);
  });
});

describe('when a volume is built to hold up its reader', () => {
  const timed = (volume: Uint8Array): number => {
    const started = performance.now();
    expect(tryRead(volume)).toBeUndefined();
    return performance.now() - started;
  };

  it('leaves nodes in a circle to 7-Zip, at once', async () => {
    const volume = build(
      Array.from({ length: 100 }, (_, index) => ({ path: `file ${index}`, data: text('') })),
      {
        nodeBytes: 1024,
        changeCatalog(catalog) {
          // The second leaf is followed by the first.
          catalog.writeUInt32BE(1, 2 * 1024);
        },
      },
    );
    expect(timed(volume)).toBeLessThan(500);
    const { isOurs, result } = await compare(volume);
    expect(isOurs).toBe(false);
    expect(result.faults).toBeGreaterThan(0);
  });

  it('leaves folders in a circle to 7-Zip, at once', () => {
    const volume = build([
      { path: 'a', id: 16, parent: 17 },
      { path: 'b', id: 17, parent: 16 },
      { path: 'c', data: text('c'), parent: 17 },
    ]);
    expect(timed(volume)).toBeLessThan(500);
  });

  it('leaves folders in folders without end to 7-Zip', () => {
    const nest = (levels: number): Uint8Array =>
      build(
        Array.from({ length: levels }, (_, index) => ({
          path: `${index}`,
          id: 100 + index,
          parent: index === 0 ? 2 : 99 + index,
        })),
      );
    expect(tryRead(nest(250))).toBeDefined();
    expect(timed(nest(300))).toBeLessThan(500);
  });

  it('leaves names to 7-Zip that together take more memory than all files', () => {
    const folder = 'f'.repeat(255);
    const deep = Array.from({ length: 200 }, (_, index) => ({
      path: `${index}`,
      name: folder,
      id: 100 + index,
      parent: index === 0 ? 2 : 99 + index,
    }));
    const files = Array.from({ length: 1000 }, (_, index) => ({
      path: `file ${index}`,
      data: text(''),
      parent: 299,
    }));
    expect(timed(build([...deep, ...files], { nodeBytes: 8192 }))).toBeLessThan(2000);
  });

  it('charges files that share their bytes', async () => {
    const volume = build([
      { path: 'first', data: large },
      ...Array.from({ length: 50 }, (_, index) => ({
        path: `again ${index}`,
        data: text(''),
        dataFork: { size: large.length, blocks: 40, extents: [[3, 40]] as const },
      })),
    ]);
    expect(tryRead(volume)).toBeDefined();
    const { findings, members } = await pourAll(volume, { limits: { bytesProduced: 100_000 } }, ours);
    expect(findings).toEqual([]);
    expect(members.at(-1)?.finding?.code).toBe('limit/bytes');
    expect(members.length).toBeLessThan(10);
  });

  it('asks the clock', () => {
    let now = 0;
    const source = toByteSource(
      build(
        Array.from({ length: 300 }, (_, index) => ({ path: `file ${index}`, data: text('') })),
        { nodeBytes: 1024 },
      ),
    );
    const budget = new Budget(source.size, defaultLimits, () => (now += 20_000));
    expect(() => tryReadHfsPlus(source, 0, { budget, report: () => undefined })).toThrow(TelltaleError);
  });
});

/** Damaged copies in which nothing but the catalog and what follows it is changed. */
function* mutateTrees(seed: Uint8Array, count: number): Generator<Mutant> {
  const view = new DataView(seed.buffer, seed.byteOffset);
  const start = view.getUint32(hfsOffsets.catalogFork + 16) * view.getUint32(hfsOffsets.blockSize);
  const trees = seed.subarray(start, -1024);
  for (const { bytes, description } of mutate(trees, count, 12)) {
    // One that is cut is another volume altogether.
    if (bytes.length !== trees.length) continue;
    yield { bytes: Buffer.concat([seed.subarray(0, start), bytes, seed.subarray(-1024)]), description };
  }
}

describe('when a volume is damaged anywhere', () => {
  it('reads as 7-Zip does whatever it does not leave to it', async () => {
    const seed = build(
      [
        ...ordinary.filter(({ path }) => path !== 'folder/large'),
        { path: 'in pieces', data: large.subarray(0, 6000), pieces: 10 },
        { path: 'forked', data: text('data'), resource: text('resource') },
        { path: 'noted', data: text('data'), attributes: { a: text('1'), 'com.example.b': text('22') } },
        { path: 'link', data: text('a.txt'), mode: 0o120755 },
      ],
      { nodeBytes: 1024 },
    );
    const toShape = (reading: Reading | undefined): string =>
      JSON.stringify([
        reading?.facts,
        ...[...toSync(reading)].map(({ name, content }) => [
          name,
          content.kind === 'source' ? [content.source.size, content.containerOffset] : undefined,
        ]),
      ]);
    const whole = toShape(tryRead(seed));
    let [slowest, read, left, changed] = [0, 0, 0, 0];
    for (const { bytes, description } of [...mutate(seed, 500, 11), ...mutateTrees(seed, 3000)]) {
      const started = performance.now();
      const reading = tryRead(bytes);
      slowest = Math.max(slowest, performance.now() - started);
      if (reading === undefined) {
        left += 1;
        continue;
      }
      read += 1;
      const isChanged = toShape(reading) !== whole;
      if (isChanged) changed += 1;
      // Of those that differ from the seed in nothing but content, some are enough.
      else if (read % 64 !== 0) continue;
      const { isOurs } = await compare(bytes).catch((error: unknown) => {
        throw new Error(`differs: ${description}`, { cause: error });
      });
      expect(isOurs).toBe(true);
    }
    expect(slowest).toBeLessThan(1000);
    expect(left).toBeGreaterThan(300);
    expect(read).toBeGreaterThan(100);

    expect(changed).toBeGreaterThan(5);
  });
});
