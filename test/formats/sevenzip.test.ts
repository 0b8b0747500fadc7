import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { ListingParser } from '../../src/formats/sevenzip/listing.ts';
import { openFile } from '../../src/platform/files.ts';
import { corpus } from '../corpus.ts';
import { identifySevenZip, pourAll, type PourResult, sevenZipFormats } from './sevenzip-pouring.ts';

const containers = fileURLToPath(new URL('../../fixtures/containers/', import.meta.url));
const payload = join(containers, 'payload');
const scratch = mkdtempSync(join(tmpdir(), 'telltale-sevenzip-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function readFixture(name: string): Uint8Array {
  const bytes = readFileSync(join(containers, name));
  return new Uint8Array(name.endsWith('.gz') ? gunzipSync(bytes) : bytes);
}

const appBytes = readFileSync(join(payload, 'app.exe'));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const digests: Readonly<Record<string, string>> = {
  'app.exe': sha256(appBytes),
  'readme.txt': sha256(readFileSync(join(payload, 'readme.txt'))),
  '文件夹/说明.txt': sha256(readFileSync(join(payload, '文件夹/说明.txt'))),
};

/** Digest by name, without a folder that all are in. */
function toDigests({ members }: PourResult, folder = ''): Record<string, string> {
  return Object.fromEntries(
    members.map(({ name, sha256: digest }) => [
      name.startsWith(folder) ? name.slice(folder.length) : name,
      digest,
    ]),
  );
}

function hasTool(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

const hasSevenZip = hasTool('7zz');
if (!hasSevenZip) console.warn('SKIPPED: comparisons with 7zz, because it is not installed (package 7zip)');

describe('when a container holds the payload', () => {
  const whole: readonly (readonly [string, string, string])[] = [
    ['solid.7z', '7z', ''],
    ['plain.cab', 'cab', ''],
    ['image.squashfs', 'squashfs', ''],
    ['archive.cpio', 'cpio', ''],
    ['image.wim', 'wim', ''],
    ['image.dmg', 'udif', 'demo/'],
    ['solid.nsis', 'nsis', '$PLUGINSDIR/'],
  ];

  it.each(whole)('yields the same three members from %s (%s)', async (name, format, folder) => {
    const result = await pourAll(readFixture(name));
    expect(result.format).toBe(format);
    expect(result.findings).toEqual([]);
    expect(toDigests(result, folder)).toEqual(digests);
    expect(result.members.every(({ finding }) => finding === undefined)).toBe(true);
    expect(result.faults).toBe(0);
    expect(result.facts.filter(({ kind }) => kind === 'memberName').length).toBeGreaterThanOrEqual(3);
  });

  it.each(['app.exe.xz', 'app.exe.bz2', 'app.exe.zst', 'app.exe.lzma'])('decompresses %s', async (name) => {
    const result = await pourAll(readFixture(name));
    expect(result.faults).toBe(0);
    expect(toDigests(result)).toEqual({ '[decompressed]': digests['app.exe'] });
  });

  it('opens a xar archive with its table of contents', async () => {
    const result = await pourAll(readFixture('archive.xar'));
    expect([result.format, result.faults]).toEqual(['xar', 0]);
    expect(result.members.map(({ name }) => name)).toEqual(['app.exe', 'readme.txt', '[TOC].xml']);
    expect(toDigests(result)).toMatchObject({
      'app.exe': digests['app.exe'],
      'readme.txt': digests['readme.txt'],
    });
  });

  it('yields resource forks of an HFS+ volume as members of their own', async () => {
    const result = await pourAll(readFixture('forks.hfs.gz'));
    expect([result.format, result.faults]).toEqual(['hfs', 0]);
    expect(toDigests(result, 'demo/')).toEqual({ ...digests, 'readme.txt:rsrc': digests['readme.txt'] });
  });

  it('opens a self-extractor behind its configuration', async () => {
    const configuration = Buffer.from(';!@Install@!UTF-8!\nRunProgram="app.exe"\n;!@InstallEnd@!');
    const result = await pourAll(Buffer.concat([configuration, readFixture('solid.7z')]));
    expect([result.format, result.faults]).toEqual(['7z-sfx', 0]);
    expect(toDigests(result)).toEqual(digests);
  });

  it('gives the same members in passes of one', async () => {
    // Members of a disk image can be had one by one.
    for (const [name, , folder] of whole.filter(([, id]) => id !== 'udif')) {
      const result = await pourAll(readFixture(name), { membersPerPass: 1 });
      expect([name, result.passes, result.faults]).toEqual([name, [0, 1, 2], 0]);
      expect(toDigests(result, folder)).toEqual(digests);
    }
  });
});

/** A variable-length number of RAR 5: seven bits a byte, low ones first. */
function toVint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...toVint(Math.floor(value / 128))];
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** A stored RAR 5 archive (https://www.rarlab.com/technote.htm). */
function buildRar5(files: readonly (readonly [string, Uint8Array])[], mainFlags = 0): Buffer {
  const toHeader = (fields: readonly number[], data: Uint8Array = new Uint8Array(0)): Buffer => {
    const body = Buffer.from([...toVint(fields.length), ...fields]);
    return Buffer.concat([u32(crc32(body)), body, data]);
  };
  const parts = [Buffer.from('Rar!\x1a\x07\x01\x00', 'latin1'), toHeader([1, 0, mainFlags])];
  for (const [name, data] of files) {
    const utf8 = Buffer.from(name);
    // File header with a data area; file flags say that there is a checksum; stored; made by Unix.
    const sizes = [...toVint(data.length), 4, ...toVint(data.length)];
    const fields = [2, 2, ...sizes, 0, ...u32(crc32(data)), 0, 1, ...toVint(utf8.length), ...utf8];
    parts.push(toHeader(fields, data));
  }
  return Buffer.concat([...parts, toHeader([5, 0, 0])]);
}

/** A stored RAR 4 archive (https://forensics.wiki/rar/). */
function buildRar4(files: readonly (readonly [string, Uint8Array])[]): Buffer {
  const toBlock = (body: Buffer, data: Uint8Array = new Uint8Array(0)): Buffer => {
    const crc = Buffer.alloc(2);
    crc.writeUInt16LE(crc32(body) & 0xffff);
    return Buffer.concat([crc, body, data]);
  };
  const main = Buffer.from([0x73, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0]);
  const parts = [Buffer.from('Rar!\x1a\x07\x00', 'latin1'), toBlock(main)];
  for (const [name, data] of files) {
    const ascii = Buffer.from(name);
    const body = Buffer.alloc(30);
    body.writeUInt8(0x74, 0);
    body.writeUInt16LE(0x8000, 1);
    body.writeUInt16LE(32 + ascii.length, 3);
    body.writeUInt32LE(data.length, 5);
    body.writeUInt32LE(data.length, 9);
    body.writeUInt8(2, 13);
    body.writeUInt32LE(crc32(data), 14);
    body.writeUInt8(20, 22);
    body.writeUInt8(0x30, 23);
    body.writeUInt16LE(ascii.length, 24);
    body.writeUInt32LE(0x20, 26);
    parts.push(toBlock(Buffer.concat([body, ascii]), data));
  }
  return Buffer.concat([...parts, toBlock(Buffer.from([0x7b, 0, 0x40, 7, 0]))]);
}

describe('when an archive is RAR', () => {
  it('opens versions 5 and 4, stored', async () => {
    const five = await pourAll(buildRar5([['文件夹/app.exe', appBytes]]));
    expect([five.format, five.faults, toDigests(five)]).toEqual([
      'rar',
      0,
      { '文件夹/app.exe': digests['app.exe'] },
    ]);
    const four = await pourAll(buildRar4([['app.exe', appBytes]]));
    expect([four.format, four.faults, toDigests(four)]).toEqual([
      'rar',
      0,
      { 'app.exe': digests['app.exe'] },
    ]);
  });

  it('says when a checksum does not hold', async () => {
    const bytes = buildRar5([['app.exe', appBytes]]);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    const { members } = await pourAll(bytes);
    expect(members[0]).toMatchObject({
      size: appBytes.length,
      finding: { code: 'malformed/checksum', incomplete: true },
    });
  });
});

const tmp = (name: string): string => join(scratch, name);
const run = (tool: string, args: readonly string[], cwd = payload): void => {
  execFileSync(tool, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
};

interface Built {
  readonly tool: string;
  readonly debianPackage: string;
  readonly name: string;
  readonly format: string;
  readonly folder?: string;
  build(path: string): void;
}

const builds: readonly Built[] = [
  ...['LZMA', 'LZMA2', 'PPMd', 'BZip2', 'Deflate', 'Copy'].map(
    (method): Built => ({
      tool: '7zz',
      debianPackage: '7zip',
      name: `${method}.7z`,
      format: '7z',
      build: (path) => run('7zz', ['a', `-m0=${method}`, path, '.']),
    }),
  ),
  {
    tool: 'gcab',
    debianPackage: 'gcab',
    name: 'stored.cab',
    format: 'cab',
    build: (path) => run('gcab', ['-c', path, 'app.exe', 'readme.txt', '文件夹/说明.txt']),
  },
  ...['gzip', 'xz', 'lzo', 'zstd'].map(
    (method): Built => ({
      tool: 'mksquashfs',
      debianPackage: 'squashfs-tools',
      name: `${method}.squashfs`,
      format: 'squashfs',
      build: (path) => run('mksquashfs', ['.', path, '-comp', method, '-noappend', '-quiet', '-no-progress']),
    }),
  ),
  {
    tool: 'wimlib-imagex',
    debianPackage: 'wimtools',
    name: 'lzx.wim',
    format: 'wim',
    build: (path) => run('wimlib-imagex', ['capture', '.', path, '--compress=LZX']),
  },
  ...['zlib', 'bzip2', 'lzma'].map(
    (compressor): Built => ({
      tool: 'makensis',
      debianPackage: 'nsis',
      name: `${compressor}.exe`,
      format: 'nsis',
      folder: '$PLUGINSDIR/',
      build(path) {
        const script = [
          'Unicode true',
          `SetCompressor ${compressor}`,
          'Name demo',
          `OutFile ${path}`,
          'Section',
          'SetOutPath $INSTDIR',
          `File ${payload}/app.exe`,
          `File ${payload}/readme.txt`,
          'SetOutPath $PLUGINSDIR\\文件夹',
          `File ${payload}/文件夹/说明.txt`,
          'SectionEnd',
        ].join('\n');
        writeFileSync(`${path}.nsi`, script);
        run('makensis', ['-V1', `${path}.nsi`]);
        const program = readFileSync(path);
        writeFileSync(
          path,
          program.subarray(program.indexOf(Buffer.from('\xef\xbe\xad\xdeNullsoftInst', 'latin1')) - 4),
        );
      },
    }),
  ),
];

describe.each(builds)('when $tool packs $name', ({ tool, debianPackage, name, format, folder, build }) => {
  const isThere = hasTool(tool);
  if (!isThere) console.warn(`SKIPPED: ${name}, because ${tool} is not installed (package ${debianPackage})`);
  it.skipIf(!isThere)('yields the payload', async () => {
    const path = tmp(name);
    build(path);
    const result = await pourAll(new Uint8Array(readFileSync(path)));
    expect(result.format).toBe(format);
    expect(result.findings).toEqual([]);
    expect(toDigests(result, folder)).toEqual(digests);
    expect(result.faults).toBe(0);
    if (!hasSevenZip || format === 'nsis') return;
    const out = tmp(`${name}.out`);
    run('7zz', ['x', `-o${out}`, path]);
    for (const [member, digest] of Object.entries(toDigests(result))) {
      expect([member, sha256(readFileSync(join(out, member)))]).toEqual([member, digest]);
    }
  });
});

describe.skipIf(!hasSevenZip)('when an archive is encrypted', () => {
  it('names the members and says that they were not read', async () => {
    run('7zz', ['a', '-psecret', tmp('members.7z'), 'app.exe', 'readme.txt']);
    const result = await pourAll(new Uint8Array(readFileSync(tmp('members.7z'))));
    expect(result.members.map(({ name, finding }) => [name, finding?.code]).sort()).toEqual([
      ['app.exe', 'encrypted/member'],
      ['readme.txt', 'encrypted/member'],
    ]);
    expect(result.facts).toContainEqual(expect.objectContaining({ kind: 'encrypted' }));
  });

  it('says so when the names are encrypted as well', async () => {
    run('7zz', ['a', '-psecret', '-mhe=on', tmp('headers.7z'), 'app.exe']);
    const result = await pourAll(new Uint8Array(readFileSync(tmp('headers.7z'))));
    expect(result.thrown?.code).toBe('encrypted/container');
    expect(result.members).toEqual([]);
  });
});

describe('when a container is damaged', () => {
  it('delivers what comes before the damage in a solid archive', async () => {
    const bytes = readFixture('solid.7z');
    bytes[bytes.length - 500] = (bytes[bytes.length - 500] ?? 0) ^ 0x55;
    const { members } = await pourAll(bytes);
    expect(members).toHaveLength(3);
    expect(members[0]).toMatchObject({
      name: 'readme.txt',
      sha256: digests['readme.txt'],
      finding: undefined,
    });
    expect(members[2]).toMatchObject({ name: 'app.exe', finding: { incomplete: true } });
  });

  it('says that a cut 7z archive ends too early', async () => {
    const { thrown, members } = await pourAll(readFixture('solid.7z').subarray(0, 900));
    expect([thrown?.code, members]).toEqual(['malformed/truncated', []]);
  });

  it.each([
    'plain.cab',
    'archive.cpio',
    'app.exe.xz',
    'app.exe.bz2',
    'app.exe.zst',
    'solid.nsis',
    'image.squashfs',
    'image.dmg',
    'archive.xar',
    'image.wim',
  ])('is never silent about a cut %s', async (name) => {
    const bytes = readFixture(name);
    for (const part of [0.5, 0.75, 0.95]) {
      const cut = bytes.subarray(0, Math.floor(bytes.findLastIndex((byte) => byte !== 0) * part));
      const format = identifySevenZip(toByteSource(bytes));
      const result = await pourAll(cut, {}, format);
      expect([name, part, result.faults > 0]).toEqual([name, part, true]);
    }
  });

  it('returns the decoded half of a cut stream', async () => {
    const { members } = await pourAll(readFixture('app.exe.xz').subarray(0, 900), { keepBytes: true });
    const [member] = members;
    const bytes = Buffer.concat(member?.chunks ?? []);
    expect(bytes.length).toBeGreaterThan(300);
    expect(bytes.equals(appBytes.subarray(0, bytes.length))).toBe(true);
    expect(member?.finding).toMatchObject({ code: 'malformed/truncated', incomplete: true });
  });

  it('names the cabinet in which a set goes on', async () => {
    const cabinet = Buffer.from(readFixture('plain.cab'));
    const next = Buffer.from('disk2.cab\0Disk 2\0');
    // CFHEADER: size at 8, first file at 16, folders at 26, flags at 30; CFFOLDER: first data block at 36.
    cabinet.writeUInt16LE(cabinet.readUInt16LE(30) | 2, 30);
    cabinet.writeUInt32LE(cabinet.readUInt32LE(8) + next.length, 8);
    cabinet.writeUInt32LE(cabinet.readUInt32LE(16) + next.length, 16);
    cabinet.writeUInt32LE(cabinet.readUInt32LE(36) + next.length, 36);
    const result = await pourAll(Buffer.concat([cabinet.subarray(0, 36), next, cabinet.subarray(36)]));
    expect(result.findings).toContainEqual(
      expect.objectContaining({ code: 'malformed/truncated', message: expect.stringContaining('disk2.cab') }),
    );
  });

  it('reports data behind the archive', async () => {
    const result = await pourAll(Buffer.concat([readFixture('solid.7z'), Buffer.from('something else')]));
    expect(result.findings).toEqual([
      expect.objectContaining({
        code: 'malformed/structure',
        offset: readFixture('solid.7z').length,
        incomplete: true,
      }),
    ]);
    expect(toDigests(result)).toEqual(digests);
  });
});

/** A cpio archive in the new ASCII format, with any names. */
function buildCpio(files: readonly (readonly [string, Uint8Array, number?])[]): Buffer {
  const parts: Buffer[] = [];
  let inode = 1;
  for (const [name, data, mode = 0o100644] of [...files, ['TRAILER!!!', new Uint8Array(0), 0] as const]) {
    const nameBytes = Buffer.from(`${name}\0`);
    const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, nameBytes.length, 0];
    inode += 1;
    const header = Buffer.from(
      `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`,
    );
    const pad = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4);
    parts.push(header, nameBytes, pad(header.length + nameBytes.length), Buffer.from(data), pad(data.length));
  }
  return Buffer.concat(parts);
}

describe('when names are hostile', () => {
  const one = Buffer.from('one');
  const two = Buffer.from('two');

  it('keeps control characters, lines and blanks in names', async () => {
    const names = [
      'a\nPath = fake.exe\nSize = 9',
      '----------',
      'tab\there',
      'esc\u001b[2J',
      '}',
      'ends. ',
      'ru\u202etxt.exe',
    ];
    const result = await pourAll(
      buildCpio(names.map((name, index) => [name, Buffer.from(`content ${index}`)])),
    );
    expect(result.members.map(({ name }) => name)).toEqual(names);
    expect(result.members.map(({ sha256: digest }) => digest)).toEqual(
      names.map((_name, index) => sha256(Buffer.from(`content ${index}`))),
    );
    expect(result.members.every(({ finding }) => finding === undefined)).toBe(true);
  });

  it('shows names that climb as they are stored, and warns', async () => {
    const result = await pourAll(
      buildCpio([
        ['../../etc/passwd', one],
        ['/root/x', two],
        ['C:\\x', one],
      ]),
    );
    expect(result.members.map(({ name, size }) => [name, size])).toEqual([
      ['../../etc/passwd', 3],
      ['/root/x', 3],
      ['C:\\x', 3],
    ]);
    expect(result.findings.map(({ code, incomplete }) => [code, incomplete])).toEqual([
      ['malformed/name', false],
      ['malformed/name', false],
      ['malformed/name', false],
    ]);
  });

  it('yields members of the same name one after the other', async () => {
    const result = await pourAll(
      buildCpio([
        ['same', one],
        ['same', two],
        ['same', one],
      ]),
    );
    expect(result.members.map(({ sha256: digest }) => digest)).toEqual([one, two, one].map(sha256));
    expect(result.faults).toBe(0);
  });

  it('names links and follows none', async () => {
    const target = Buffer.from('../../../etc/passwd');
    const result = await pourAll(
      buildCpio([
        ['link', target, 0o120777],
        ['link', two],
        ['after', one],
      ]),
    );
    expect(result.members.map(({ name, size }) => [name, size])).toEqual([
      ['link', 3],
      ['after', 3],
    ]);
    expect(result.facts[0]).toEqual({
      kind: 'memberName',
      value: 'link',
      detail: { kind: 'link', target: '../../../etc/passwd' },
    });
  });

  it('says when members lie before the headers that can be read', async () => {
    // 7-Zip wants no content in a folder, and takes the next header for the first.
    const result = await pourAll(
      buildCpio([
        ['folder', Buffer.from('hidden'), 0o040755],
        ['after', one],
      ]),
    );
    expect(result.members.map(({ name }) => name)).toEqual(['after']);
    expect(result.findings).toEqual([
      expect.objectContaining({ code: 'malformed/header', incomplete: true }),
    ]);
  });

  it('is not led astray by a listing that a comment imitates', () => {
    const parser = new ListingParser(10);
    const text = '--\nPath = a\nType = Rar\nComment = \n{\nhello\n}\n\n----------\nPath = real\nSize = 3\n\n';
    for (const byte of Buffer.from(text)) parser.update(Uint8Array.of(byte));
    const { levels, items } = parser.finish();
    expect(levels.map(({ type }) => type)).toEqual(['Rar']);
    expect(items.map(({ name, size }) => [name, size])).toEqual([['real', 3]]);
  });
});

describe('when a limit is hit', () => {
  it('stops listing at the limit of members', async () => {
    const many = buildCpio(Array.from({ length: 50 }, (_one, index) => [`file ${index}`, Buffer.from('x')]));
    const result = await pourAll(many, { limits: { members: 20 } });
    expect(result.findings).toContainEqual(
      expect.objectContaining({ code: 'limit/members', incomplete: true }),
    );
    expect(result.facts).toHaveLength(20);
  });

  it('stops at the deadline, and keeps what came before it', async () => {
    const bytes = buildCpio([
      ['first', Buffer.from('whole')],
      ['second', Buffer.alloc(4 * 1024 * 1024)],
    ]);
    let calls = 0;
    let lastCall = Number.POSITIVE_INFINITY;
    const now = (): number => {
      calls += 1;
      return calls < lastCall ? 0 : 1e9;
    };
    expect((await pourAll(bytes, { now })).faults).toBe(0);
    lastCall = calls - 10;
    calls = 0;
    const result = await pourAll(bytes, { now });
    expect(result.findings.map(({ code }) => code)).toContain('limit/time');
    expect(result.members[0]).toMatchObject({ name: 'first', size: 5 });
  });

  it.skipIf(!hasTool('xz'))('stops a stream of 10 GB of zeros within seconds', async () => {
    const path = tmp('zeros.xz');
    execFileSync('sh', ['-c', `head -c 1000000000 /dev/zero | xz -T2 -1c > ${path}`]);
    const one = readFileSync(path);
    // Streams one after the other are one file (xz file format, section 2).
    const bomb = Buffer.concat(Array.from({ length: 10 }, () => one));
    const started = performance.now();
    const result = await pourAll(new Uint8Array(bomb), { limits: { ratioFloorBytes: 64 * 1024 * 1024 } });
    expect(performance.now() - started).toBeLessThan(5000);
    expect(result.members[0]?.finding?.code).toBe('limit/ratio');
    expect(result.members[0]?.size).toBeLessThan(600 * 1024 * 1024);
  });

  it.skipIf(!hasSevenZip)('stops a 7z archive of 10 GB of zeros within seconds', async () => {
    const path = tmp('zeros.7z');
    const inner = tmp('zeros');
    // A hole: nothing is written to the disk.
    execFileSync('truncate', ['-s', '10G', inner]);
    execFileSync('sh', ['-c', `head -c 300000000 ${inner} | 7zz a -mx=1 -sizeros ${path}`], {
      stdio: 'ignore',
    });
    const started = performance.now();
    const result = await pourAll(new Uint8Array(readFileSync(path)), {
      limits: { bytesProduced: 64 * 1024 * 1024 },
    });
    expect(performance.now() - started).toBeLessThan(5000);
    expect(result.members[0]?.finding?.code).toBe('limit/bytes');
    expect(result.members[0]?.size).toBeLessThanOrEqual(64 * 1024 * 1024);
  });

  it('refuses to take 1.5 GiB for a dictionary that is only declared', async () => {
    const bytes = Buffer.from(readFixture('app.exe.lzma'));
    bytes.writeUInt32LE(0x60000000, 1);
    const before = process.memoryUsage().rss;
    const result = await pourAll(bytes);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
    expect(result.members.map(({ size, finding }) => [size, finding?.code])).toEqual([[0, 'limit/memory']]);
    expect(result.findings.map(({ code }) => code)).toEqual(['limit/memory']);
  });
});

describe('when the process goes on', () => {
  it('has no exit code, no listeners and no output from the decoder', async () => {
    const exitCode = process.exitCode;
    const listeners = process.eventNames().map((name) => [name, process.listenerCount(name)]);
    await pourAll(readFixture('solid.7z').subarray(0, 900));
    await pourAll(readFixture('solid.7z'));
    expect(process.exitCode).toBe(exitCode);
    expect(process.eventNames().map((name) => [name, process.listenerCount(name)])).toEqual(listeners);
  });
});

function latin(text: string, length = 600): Buffer {
  return Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(length, 0x80)]);
}

function at(offset: number, text: string, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.write(text, offset, 'latin1');
  return bytes;
}

/** Magic bytes as their specifications give them, with nothing of meaning behind them. */
const samples: readonly (readonly [string, Uint8Array])[] = [
  ['cab', latin('MSCF\0\0\0\0')],
  ['7z', latin('7z\xbc\xaf\x27\x1c\0\x04')],
  ['7z-sfx', latin(';!@Install@!UTF-8!\nTitle="x"\n')],
  ['rar', latin('Rar!\x1a\x07\0')],
  ['rar', latin('Rar!\x1a\x07\x01\0')],
  ['xz', latin('\xfd7zXZ\0')],
  ['bzip2', latin('BZh91AY&SY')],
  ['zstd', latin('\x28\xb5\x2f\xfd')],
  ['hfs', at(1024, 'H+\0\x04', 4096)],
  ['hfs', at(1024, 'HX\0\x05', 4096)],
  ['apfs', at(32, 'NXSB', 4096)],
  ['squashfs', latin('hsqs')],
  ['cpio', latin('070701000001A2000081A4')],
  ['cpio', latin('0707070000010000020000')],
  ['xar', latin('xar!\0\x1c\0\x01')],
  ['wim', latin('MSWIM\0\0\0')],
  ['nsis', latin('\0\0\0\0\xef\xbe\xad\xdeNullsoftInst')],
  [
    'lzma',
    Buffer.concat([
      Buffer.from([0x5d, 0, 0, 0x80, 0]),
      Buffer.alloc(8, 0xff),
      Buffer.from([0, 0x2f, 1, 2, 3, 4, 5]),
    ]),
  ],
];

describe('when there is a magic and nothing behind it', () => {
  it.each(samples)('is known as %s, and not silent', async (id, bytes) => {
    expect(identifySevenZip(toByteSource(bytes)).id).toBe(id);
    const result = await pourAll(bytes);
    expect(result.faults).toBeGreaterThan(0);
    expect(result.members.filter(({ finding }) => finding === undefined)).toEqual([]);
  });

  it('has a sample for every format', () => {
    const missing = sevenZipFormats.filter(({ id }) => !samples.some(([sampled]) => sampled === id));
    expect(missing).toEqual([]);
  });
});

describe('when the table is read', () => {
  it('has a data sheet for every format', () => {
    const ids = sevenZipFormats.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { title, references, limitations } of sevenZipFormats) {
      expect(title).not.toBe('');
      expect(references.length).toBeGreaterThan(0);
      expect(limitations.length).toBeGreaterThan(0);
    }
  });
});

describe.skipIf(!corpus.available)('when the file is real', () => {
  it('opens an Apple disk image to the framework in it', async () => {
    const source = openFile(corpus.path('macos-skypeframework-2.6.0.142/skype_framework.dmg'));
    try {
      const result = await pourAll(source);
      expect(result.faults).toBe(0);
      expect(
        result.members.find(({ name }) => name.endsWith('/Skype.framework/Versions/A/Skype'))?.sha256,
      ).toBe('9c9c0df2754e5a8c026bbde03ee23e094a6e5543251c090f10e2e19f6ff34b98');
    } finally {
      source.close();
    }
  });

  it('opens the NSIS data of a launcher', async () => {
    const program = readFileSync(corpus.path('portableapps-nsis-launcher/sPortable.exe'));
    const start = program.indexOf(Buffer.from('\xef\xbe\xad\xdeNullsoftInst', 'latin1')) - 4;
    const result = await pourAll(
      new Uint8Array(program.subarray(start, start + program.readUInt32LE(start + 24))),
    );
    expect(result.faults).toBe(0);
    expect(result.members.map(({ name, size }) => [name, size])).toEqual([
      ['$PLUGINSDIR/FindProcDLL.dll', 4096],
      ['$PLUGINSDIR/registry.dll', 29_696],
      ['$PLUGINSDIR/nsExec.dll', 6656],
      ['$PLUGINSDIR/System.dll', 11_776],
    ]);
  });

  it.skipIf(!hasSevenZip)('opens the cabinet of a merge module as 7zz does', async () => {
    const folder = tmp('module');
    mkdirSync(folder);
    run('7zz', [
      'e',
      '-tCompound',
      `-o${folder}`,
      corpus.path('windows-skype4com-1.0.36.0-merge-module/Skype4COM.msm'),
      'MergeModule.CABinet',
    ]);
    const result = await pourAll(new Uint8Array(readFileSync(join(folder, 'MergeModule.CABinet'))));
    expect(result.faults).toBe(0);
    expect(result.members.map(({ sha256: digest }) => digest)).toContain(
      'bbb93044bb0894923bb640d01690deafb9c24d4f0d3b44edd47ee66fe7b84bca',
    );
  });
});
