import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { buildUdif, udifKinds, type UdifRun, type UdifSpec } from '../../fixtures/udif-builder.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { type ByteSource, readUpTo, toByteSource } from '../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { identify } from '../../src/formats/index.ts';
import type { Format } from '../../src/formats/model.ts';
import { readWithSevenZip } from '../../src/formats/sevenzip/index.ts';
import { parseUdif } from '../../src/formats/udif/image.ts';
import { udifFormat } from '../../src/formats/udif/index.ts';
import { UdifPartition } from '../../src/formats/udif/partition.ts';
import { openFile } from '../../src/platform/files.ts';
import { corpus } from '../corpus.ts';
import { mutate } from '../mutation.ts';
import { pourAll, type PourOptions, type PourResult } from './sevenzip-pouring.ts';

const containers = fileURLToPath(new URL('../../fixtures/containers/', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'telltale-udif-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

const read = (name: string): Uint8Array => {
  const bytes = readFileSync(join(containers, name));
  return new Uint8Array(name.endsWith('.gz') ? gunzipSync(bytes) : bytes);
};

/** In whole sectors. */
function pad(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil(bytes.length / 512) * 512);
  padded.set(bytes);
  return padded;
}

const hfs = pad(read('forks.hfs.gz'));
const iso = pad(read('disc.iso.gz'));
const name = 'whole disk (Apple_HFS : 0)';

const sevenZipUdif: Format = {
  ...udifFormat,
  read: (source, context) =>
    readWithSevenZip({ type: undefined, archiveName: 'archive.dmg' }, source, context),
};

const ours = (image: Uint8Array | ByteSource, options: PourOptions = {}): Promise<PourResult> =>
  pourAll(image, options, udifFormat);
const theirs = (image: Uint8Array | ByteSource, options: PourOptions = {}): Promise<PourResult> =>
  pourAll(image, options, sevenZipUdif);

const toContents = ({ members }: PourResult): unknown =>
  members.map(({ name: member, sha256, declaredSize, finding }) => [member, sha256, declaredSize, finding]);

/** Reads an image both ways, and says whether it was unpacked here. */
async function compare(image: Uint8Array | ByteSource): Promise<{ result: PourResult; isOurs: boolean }> {
  const reads = vi.spyOn(UdifPartition.prototype, 'hasStatedChecksum');
  const result = await ours(image);
  const isOurs = reads.mock.calls.length > 0;
  const other = await theirs(image);
  expect(toContents(result)).toEqual(toContents(other));
  expect(result.facts).toEqual(other.facts);
  expect(result.findings).toEqual(other.findings);
  expect(result.thrown?.code).toBe(other.thrown?.code);
  return { result, isOurs };
}

describe('when a disk image is packed with zlib', () => {
  const images: readonly (readonly [string, UdifSpec])[] = [
    ['HFS+', { partitions: [{ name, bytes: hfs }] }],
    ['HFS+ in small chunks', { partitions: [{ name, bytes: hfs }], chunkBytes: 4096 }],
    [
      'HFS+ in stored and packed chunks',
      {
        partitions: [{ name, bytes: hfs, pack: (_chunk, index) => (index % 2 === 0 ? 'raw' : 'zlib') }],
        chunkBytes: 2048,
      },
    ],
    [
      'HFS+ between other partitions',
      {
        partitions: [
          { name: 'Driver Descriptor Map (DDM : 0)', bytes: new Uint8Array(512).fill(1) },
          { name: 'Apple (Apple_partition_map : 1)', bytes: new Uint8Array(4096).fill(2) },
          { name: 'disk image (Apple_HFS : 2)', bytes: hfs },
          { name: ' (Apple_Free : 3)', bytes: new Uint8Array(1024) },
        ],
      },
    ],
    [
      'HFS+ without a known name',
      { partitions: [{ name: 'whole disk (unknown partition : 0)', bytes: hfs }] },
    ],
    ['ISO 9660', { partitions: [{ name: 'whole disk (Apple_ISO : 0)', bytes: iso }], chunkBytes: 8192 }],
  ];

  it.each(images)('reads %s as 7-Zip does', async (_title, spec) => {
    const { result, isOurs } = await compare(buildUdif(spec));
    expect([isOurs, result.faults]).toEqual([true, 0]);
    expect(result.members.length).toBeGreaterThanOrEqual(3);
  });

  it('passes over comments, and over empty runs that no checksum counts', async () => {
    const chunkBytes = 4096;
    const image = buildUdif({
      chunkBytes,
      partitions: [
        {
          name,
          bytes: hfs,
          pack: (chunk) => (chunk.every((byte) => byte === 0) ? 'ignored' : 'zlib'),
        },
      ],
      changeRuns: (runs) => {
        const [first, last] = [runs[0], runs.at(-1)];
        if (first === undefined || last === undefined) return runs;
        return [
          { ...first, kind: udifKinds.comment, sectors: 0 },
          ...runs.slice(0, -1),
          { ...last, kind: udifKinds.comment },
          last,
        ];
      },
    });
    const { isOurs, result } = await compare(image);
    expect([isOurs, result.faults]).toEqual([true, 0]);
  });

  it('gives the same when it is read twice', async () => {
    const image = read('image.dmg');
    const whole = await ours(image);
    expect(whole.members).toHaveLength(3);
    expect(whole.passes).toEqual([]);
    expect(toContents(await ours(image))).toEqual(toContents(whole));
  });

  it('gives another volume in passes of one', async () => {
    const image = buildUdif({ partitions: [{ name: 'whole disk (Apple_ISO : 0)', bytes: iso }] });
    const whole = await ours(image);
    const inPasses = await ours(image, { membersPerPass: 1 });
    expect(inPasses.passes).toEqual([0, 1, 2]);
    expect(inPasses.faults).toBe(0);
    expect(toContents(inPasses)).toEqual(toContents(whole));
  });

  it('unpacks no chunk twice when it is read from its start to its end', () => {
    const bytes = Buffer.alloc(40 * 1024 * 1024, 'a partition that is larger than what is kept of it ');
    const image = toByteSource(buildUdif({ partitions: [{ name, bytes }] }));
    const { table } = parseUdif(image, new Budget(image.size));
    const partition = new UdifPartition(image, table);
    for (let at = 0; at < bytes.length; at += 100_000) {
      const part = partition.read(at, Math.min(100_000, bytes.length - at));
      if (!bytes.subarray(at, at + part.length).equals(part)) throw new Error(`differs at ${at}`);
    }
    expect(partition.unpackedChunks).toBe(table.chunks.length);
    expect(partition.hasStatedChecksum(new Budget(image.size))).toBe(true);
    expect(partition.unpackedChunks).toBe(table.chunks.length);
    expect(() => partition.read(bytes.length - 1, 2)).toThrow(TelltaleError);
  });
});

describe('when members of a partition are read ahead', () => {
  const bytes = Buffer.alloc(3 * 1024 * 1024);
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(Math.imul(at, 2654435761) >>> 5, at);
  bytes.fill(0, 1024 * 1024, 1024 * 1024 + 400_000);
  const pack: NonNullable<UdifSpec['partitions'][0]['pack']> = (chunk, index) =>
    chunk.every((byte) => byte === 0) ? 'zero' : index % 5 === 4 ? 'raw' : 'zlib';
  const open = (): UdifPartition => {
    const image = toByteSource(buildUdif({ partitions: [{ name, bytes, pack }], chunkBytes: 65_536 }));
    return new UdifPartition(image, parseUdif(image, new Budget(image.size)).table);
  };
  const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
    const all: Uint8Array[] = [];
    for await (const chunk of chunks) all.push(chunk);
    return Buffer.concat(all);
  };
  /** In pieces, across chunks, out of order, twice the same, and nothing. */
  const members = [
    [{ offset: 0, size: 300_000 }],
    [],
    [
      { offset: 2_000_000, size: 100_001 },
      { offset: 5, size: 70_000 },
    ],
    [{ offset: 1_000_000, size: 1_000_000 }],
    [{ offset: 1_000_000, size: 100 }],
    [{ offset: 1_000_100, size: 100 }],
    [{ offset: bytes.length - 1, size: 1 }],
  ];
  const toExpected = (member: number): Buffer =>
    Buffer.concat((members[member] ?? []).map(({ offset, size }) => bytes.subarray(offset, offset + size)));

  it.each([
    ['in order', [0, 1, 2, 3, 4, 5, 6]],
    ['in another order, some twice', [3, 3, 0, 6, 2, 1, 4]],
  ])('gives the bytes of each, %s', async (_title, order) => {
    const readMember = open().readAhead(members);
    for (const member of order) {
      expect([member, (await collect(readMember(member))).equals(toExpected(member))]).toEqual([
        member,
        true,
      ]);
    }
  });

  it('goes on with the next when one is left before its end', async () => {
    const partition = open();
    const readMember = partition.readAhead(members);
    for await (const chunk of readMember(3)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect((await collect(readMember(4))).equals(toExpected(4))).toBe(true);
    expect((await collect(readMember(5))).equals(toExpected(5))).toBe(true);
  });

  it('unpacks each chunk once', async () => {
    const partition = open();
    const whole = [{ offset: 0, size: bytes.length }];
    const halves = [
      [{ offset: 0, size: 1_500_000 }],
      [{ offset: 1_500_000, size: bytes.length - 1_500_000 }],
    ];
    const packed = Array.from({ length: 48 }, (_, index) =>
      bytes.subarray(index * 65_536, (index + 1) * 65_536),
    ).filter((chunk, index) => pack(chunk, index) === 'zlib').length;
    const readHalf = partition.readAhead(halves);
    expect(Buffer.concat([await collect(readHalf(0)), await collect(readHalf(1))]).equals(bytes)).toBe(true);
    expect(partition.unpackedChunks).toBe(packed);
    expect((await collect(open().readAhead([whole])(0))).equals(bytes)).toBe(true);
    expect(partition.hasStatedChecksum(new Budget(bytes.length))).toBe(true);
    expect(partition.unpackedChunks).toBe(packed);
  });
});

describe('when chunks are packed otherwise', () => {
  const hasPython = spawnSync('sh', ['-c', 'command -v python3']).status === 0;
  if (!hasPython) console.warn('SKIPPED: disk images with other methods, because python3 is not installed');

  it.skipIf(!hasPython).each(['bzip2', 'lzma'])('leaves an image with %s to 7-Zip', async (method) => {
    const [volume, path] = [join(scratch, 'volume'), join(scratch, 'image.dmg')];
    writeFileSync(volume, hfs);
    execFileSync('python3', [join(containers, 'make-udif.py'), volume, path, method]);
    const image = new Uint8Array(readFileSync(path));
    // The file begins as a bzip2 or xz file does.
    expect(identify(image.subarray(0, 4096), toByteSource(image))).toBe(udifFormat);
    const { result, isOurs } = await compare(image);
    expect(isOurs).toBe(false);
    expect(result.members.length).toBeGreaterThanOrEqual(3);
    expect(result.faults).toBe(0);
  });
});

describe('when the content of a disk image is damaged', () => {
  const chunkBytes = 512;
  /** Number of the chunk in which a member lies. */
  const chunkOf = (text: string): number => Math.floor(Buffer.from(hfs).indexOf(text) / chunkBytes);
  const program = chunkOf('This program cannot') < 0 ? chunkOf('MZ') : chunkOf('This program cannot');

  it('gives the other members, and says which one is not whole', async () => {
    let at = 0;
    const image = buildUdif({
      chunkBytes,
      partitions: [{ name, bytes: hfs }],
      changeRuns(runs) {
        at = (runs[program]?.offset ?? 0) + 20;
        return runs;
      },
      changePacked(packed) {
        packed[at] = (packed[at] ?? 0) ^ 0xff;
      },
    });
    const result = await ours(image);
    const whole = await ours(buildUdif({ partitions: [{ name, bytes: hfs }] }));
    expect(result.members.map(({ name: member }) => member)).toEqual(
      whole.members.map(({ name: member }) => member),
    );
    const toFaulty = ({ members }: PourResult): unknown =>
      members.flatMap(({ name: member, finding }) => (finding === undefined ? [] : [[member, finding.code]]));
    expect(toFaulty(result)).toEqual([['demo/app.exe', 'malformed/compressed-data']]);
    expect(result.findings.map(({ code }) => code)).toEqual(['malformed/checksum']);
    for (const [index, { sha256, finding }] of result.members.entries()) {
      if (finding === undefined) expect(sha256).toBe(whole.members[index]?.sha256);
    }
  });

  it('says when a stored chunk was changed', async () => {
    const image = buildUdif({
      chunkBytes,
      partitions: [{ name, bytes: hfs, pack: () => 'raw' }],
      changePacked(packed) {
        packed[program * chunkBytes + 5] = (packed[program * chunkBytes + 5] ?? 0) ^ 1;
      },
      changeTrailer(trailer) {
        // Nothing but the checksum of the partition is left to notice it.
        trailer.fill(0, 80, 88);
      },
    });
    const { findings } = await ours(image);
    expect(findings).toMatchObject([{ code: 'malformed/checksum', incomplete: true }]);
  });

  it('says when the packed data does not have its checksum', async () => {
    const image = buildUdif({
      partitions: [{ name, bytes: hfs }],
      changeTrailer: (trailer) => void trailer.writeUInt32BE(1, 88),
    });
    await compare(image);
    expect((await ours(image)).findings.map(({ code }) => code)).toEqual(['malformed/checksum']);
  });

  it('leaves an image to 7-Zip whose tables do not have theirs', async () => {
    const image = buildUdif({
      partitions: [{ name, bytes: hfs }],
      changeTrailer: (trailer) => void trailer.writeUInt32BE(1, 360),
    });
    const { isOurs, result } = await compare(image);
    expect([isOurs, result.faults]).toEqual([false, 1]);
  });
});

describe('when a block table lies', () => {
  const change = (patch: Partial<UdifRun>, index = 0): NonNullable<UdifSpec['changeRuns']> => {
    return (runs) => runs.map((run, at) => (at === index ? { ...run, ...patch } : run));
  };
  const trailer = (offset: number, value: bigint): Partial<UdifSpec> => ({
    changeTrailer: (bytes) => void bytes.writeBigUInt64BE(value, offset),
  });
  const lies: readonly (readonly [string, string, Partial<UdifSpec>])[] = [
    ['a block behind the end', 'malformed/out-of-range', { changeRuns: change({ offset: 2 ** 40 }) }],
    ['a block of too many bytes', 'malformed/out-of-range', { changeRuns: change({ packedBytes: 2 ** 45 }) }],
    ['a gap', 'malformed/structure', { changeRuns: change({ sector: 9 }, 1) }],
    ['an overlap', 'malformed/structure', { changeRuns: change({ sector: 0 }, 1) }],
    ['more sectors than there can be', 'malformed/structure', { changeRuns: change({ sectors: 2 ** 50 }) }],
    ['a chunk of 64 MiB', 'unsupported/feature', { changeRuns: change({ sectors: 2 ** 17 }) }],
    [
      'another size than it states',
      'malformed/structure',
      {
        changeRuns: (runs) =>
          runs
            .slice(1, 1)
            .concat(runs.at(-1) ?? [])
            .map((run) => ({ ...run, sector: 0 })),
      },
    ],
    ['no end', 'malformed/structure', { changeRuns: (runs) => runs.slice(0, -1) }],
    ['an end before its end', 'malformed/structure', { changeRuns: change({ kind: udifKinds.end }) }],
    ['ADC', 'unsupported/method', { changeRuns: change({ kind: udifKinds.adc }) }],
    ['an unknown method', 'unsupported/method', { changeRuns: change({ kind: 0x80001234 }) }],
    ['packed data behind the end', 'malformed/out-of-range', trailer(32, 2n ** 50n)],
    ['a number above all offsets', 'malformed/out-of-range', trailer(32, 2n ** 63n)],
    ['more sectors than in its tables', 'malformed/structure', trailer(492, 5n)],
    ['a property list behind the end', 'unsupported/feature', trailer(216, 2n ** 40n)],
    ['a property list too long', 'malformed/out-of-range', trailer(224, 2n ** 40n)],
    [
      'several segments',
      'unsupported/feature',
      { changeTrailer: (bytes) => void bytes.writeUInt32BE(2, 60) },
    ],
  ];

  it.each(lies)('refuses %s with %s', async (_title, code, spec) => {
    const image = buildUdif({ partitions: [{ name, bytes: hfs }], chunkBytes: 4096, ...spec });
    const source = toByteSource(image);
    let thrown: unknown;
    try {
      parseUdif(source, new Budget(source.size));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TelltaleError);
    expect(thrown).toMatchObject({ code });
    // 7-Zip is asked, and nothing is silent but what it can read as well.
    const { result } = await compare(image);
    expect(result.faults > 0 || result.members.length >= 3).toBe(true);
  });

  it('refuses two partitions that may hold files', () => {
    const image = toByteSource(
      buildUdif({
        partitions: [
          { name, bytes: hfs },
          { name: 'other', bytes: hfs },
        ],
      }),
    );
    expect(() => parseUdif(image, new Budget(image.size))).toThrow(
      'has several partitions that may hold files',
    );
  });

  it('is not led to take memory for an empty run of a terabyte', async () => {
    const image = buildUdif({
      partitions: [{ name, bytes: hfs }],
      changeRuns(runs) {
        const last = runs.at(-1);
        if (last === undefined) return runs;
        const empty = { ...last, kind: udifKinds.zero, sectors: 2 ** 31 };
        return [...runs.slice(0, -1), empty, { ...last, sector: last.sector + 2 ** 31 }];
      },
    });
    const before = process.memoryUsage().rss;
    const started = performance.now();
    await ours(image);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  it('is known by its trailer, and not silent when there is nothing else', async () => {
    const image = new Uint8Array(10_000);
    image.set(Buffer.from('koly\0\0\0\x04', 'latin1'), 9488);
    expect(identify(readUpTo(toByteSource(image), 0, 4096), toByteSource(image))).toBe(udifFormat);
    const { faults, members } = await ours(image);
    expect(faults).toBeGreaterThan(0);
    expect(members).toEqual([]);
  });
});

describe('when a disk image is damaged anywhere', () => {
  it('reads 200 damaged copies without a crash, a hang or a wrong silence', async () => {
    const seed = buildUdif({
      chunkBytes: 4096,
      partitions: [{ name, bytes: hfs, pack: (_chunk, index) => (index % 3 === 0 ? 'raw' : 'zlib') }],
    });
    const whole = (await ours(seed)).members.map(({ sha256 }) => sha256);
    const silent: string[] = [];
    let [slowest, faulty] = [0, 0];
    for (const { bytes, description } of mutate(seed, 200, 5)) {
      const started = performance.now();
      const result = await ours(bytes, { limits: { bytesProduced: 64 * 1024 * 1024 } });
      slowest = Math.max(slowest, performance.now() - started);
      if (result.faults > 0) faulty += 1;
      const found = new Set(result.members.map(({ sha256 }) => sha256));
      if (result.faults === 0 && whole.some((digest) => !found.has(digest))) silent.push(description);
    }
    expect(slowest).toBeLessThan(4000);
    expect(faulty).toBeGreaterThan(20);
    expect(silent).toEqual([]);
  });
});

describe.skipIf(!corpus.available)('when the disk image is real', () => {
  it('reads it as 7-Zip does', async () => {
    const source = openFile(corpus.path('macos-skypeframework-2.6.0.142/skype_framework.dmg'));
    try {
      const { result, isOurs } = await compare(source);
      expect([isOurs, result.faults]).toEqual([true, 0]);
      // Not even the volume was left to 7-Zip.
      expect(result.passes).toEqual([]);
      expect(result.members.length).toBeGreaterThan(10);
    } finally {
      source.close();
    }
  });
});
