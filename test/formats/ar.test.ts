import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { arFormat, debFormat, parseControl } from '../../src/formats/ar.ts';
import { gzipFormat } from '../../src/formats/gzip.ts';
import { tarFormat } from '../../src/formats/tar.ts';
import { corpus } from '../corpus.ts';
import { mutate } from '../mutation.ts';
import { type ReadResult, readAll } from './reading.ts';

// oxlint-disable no-console -- a skipped test must be heard
const folder = mkdtempSync(join(tmpdir(), 'telltale-ar-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function hasTool(name: string): boolean {
  const found = (process.env['PATH'] ?? '').split(':').some((path) => existsSync(join(path, name)));
  if (!found) console.warn(`SKIPPED: archives made by ${name}, because it is not installed`);
  return found;
}

function arMember(name: string, data: Uint8Array | string, size = Buffer.from(data).length): Buffer {
  const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(size).padEnd(10)}\`\n`;
  const bytes = Buffer.from(data);
  return Buffer.concat([Buffer.from(header), bytes, Buffer.alloc(bytes.length & 1, 0x0a)]);
}
function ar(...members: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from('!<arch>\n'), ...members]);
}

function tarHeader(name: string, size: number, type = '0', prefix = ''): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(type, 156);
  header.write('ustar\x0000', 257);
  header.write(prefix, 345);
  let sum = 8 * 0x20;
  for (const [index, byte] of header.entries()) if (index < 148 || index >= 156) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
function tarMember(name: string, data: string, type = '0', prefix = ''): Buffer {
  const bytes = Buffer.from(data);
  return Buffer.concat([
    tarHeader(name, bytes.length, type, prefix),
    bytes,
    Buffer.alloc(-bytes.length & 511),
  ]);
}
function paxRecord(key: string, value: string): string {
  for (let length = 1; ; length += 1) {
    const text = `${length} ${key}=${value}\n`;
    if (Buffer.byteLength(text) === length) return text;
  }
}
function tar(...members: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...members, Buffer.alloc(1024)]);
}

const control =
  'Package: skypeforlinux\nVersion: 8.58\nMaintainer: Skype <info@skype.net>\nDescription: calls\n and chats\n .\n more\n';
const deb = ar(
  arMember('debian-binary', '2.0\n'),
  arMember('control.tar.gz', gzipSync(tar(tarMember('./', '', '5'), tarMember('./control', control)))),
  arMember('data.tar', tar(tarMember('./usr/bin/skype', 'ELF'))),
);

function names(result: ReadResult): string[] {
  return result.members.map(({ name }) => name);
}
function contents(result: ReadResult): Record<string, string> {
  return Object.fromEntries(result.members.map(({ name, bytes }) => [name, bytes.toString()]));
}

describe('when the archive is an ar', () => {
  it('reads plain, GNU and BSD names', async () => {
    const long = 'a-name-that-is-longer-than-sixteen.o';
    const result = await readAll(
      arFormat,
      ar(
        arMember('/', 'symbols'),
        arMember('//', `${long}/\nother-long-name-of-a-member.o/\n`),
        arMember('short.o/', 'one'),
        arMember('/0', 'two'),
        arMember(`/${long.length + 2}`, 'three'),
        arMember('#1/20', `bsd name.o${'\0'.repeat(10)}four`),
      ),
    );
    expect(result.faults).toBe(0);
    expect(contents(result)).toEqual({
      'short.o': 'one',
      [long]: 'two',
      'other-long-name-of-a-member.o': 'three',
      'bsd name.o': 'four',
    });
  });

  it('names a member that goes on past the end, with the bytes promised and there', async () => {
    const result = await readAll(arFormat, ar(arMember('whole', 'x'), arMember('cut', 'abc', 5000)));
    expect(contents(result)).toMatchObject({ whole: 'x' });
    expect(result.members[1]?.bytes.subarray(0, 3).toString()).toBe('abc');
    expect(result.findings[0]).toMatchObject({ code: 'malformed/truncated', incomplete: true });
    expect(result.findings[0]?.message).toBe('"cut" should have 5000 bytes, 4 are there');
  });

  it('names bad headers, unsafe names and thin archives', async () => {
    const bad = await readAll(arFormat, ar(arMember('a', 'x'), Buffer.alloc(60, 0x41)));
    expect(bad.findings[0]?.code).toBe('malformed/header');
    const unsafe = await readAll(arFormat, ar(arMember('../x', 'x')));
    expect(unsafe.findings[0]?.code).toBe('malformed/name');
    const thin = await readAll(arFormat, Buffer.from('!<thin>\n'));
    expect(thin.findings[0]?.code).toBe('unsupported/feature');
    const many = await readAll(arFormat, ar(...Array.from({ length: 20 }, () => arMember('m', 'x'))), {
      limits: { members: 5 },
    });
    expect(many.findings[0]?.code).toBe('limit/members');
    expect(many.members.length).toBe(5);
  });
});

function digestsOf(result: ReadResult): unknown[][] {
  return (result.reading?.facts ?? [])
    .filter(({ kind }) => kind === 'listedDigest')
    .map(({ name, value }) => [name, value]);
}

describe('when the archive is a Debian package', () => {
  it('names the files that it would install, with their digests, and stops at a limit', async () => {
    const build = (md5sums: string): Buffer =>
      ar(
        arMember('debian-binary', '2.0\n'),
        arMember(
          'control.tar.gz',
          gzipSync(tar(tarMember('md5sums', md5sums), tarMember('control', control))),
        ),
      );
    const digest = 'AB'.repeat(16);
    const result = await readAll(debFormat, build(`${digest}  usr/bin/a b\nnonsense\n${digest} *etc/c\r\n`));
    expect(result.faults).toBe(0);
    expect(digestsOf(result)).toEqual([
      ['usr/bin/a b', digest.toLowerCase()],
      ['etc/c', digest.toLowerCase()],
    ]);
    expect(result.reading?.facts).toContainEqual({ kind: 'packageId', value: 'skypeforlinux' });
    const long = await readAll(debFormat, build(`${digest}  f\n`.repeat(50_001)));
    expect(digestsOf(long)).toHaveLength(50_000);
    expect(long.findings.map(({ code }) => code)).toEqual(['limit/count']);
  });

  it('gives the fields of the control file as facts', async () => {
    expect(
      debFormat.probe(deb.subarray(0, 4096), { size: deb.length, read: (at, n) => deb.subarray(at, at + n) }),
    ).toBe(true);
    const result = await readAll(debFormat, deb);
    expect(result.faults).toBe(0);
    expect(names(result)).toEqual(['debian-binary', 'control.tar.gz', 'data.tar']);
    expect(result.reading?.facts).toContainEqual({ kind: 'packageId', value: 'skypeforlinux' });
    expect(result.reading?.facts).toContainEqual({
      kind: 'packageField',
      name: 'Maintainer',
      value: 'Skype <info@skype.net>',
    });
    expect(result.reading?.facts).toContainEqual({
      kind: 'packageField',
      name: 'Description',
      value: 'calls\nand chats\n.\nmore',
    });
  });

  it('reads the control file through the members too', async () => {
    const [, controlArchive] = (await readAll(debFormat, deb)).members;
    const [inner] = (await readAll(gzipFormat, controlArchive?.bytes ?? Buffer.alloc(0))).members;
    const tarResult = await readAll(tarFormat, inner?.bytes ?? Buffer.alloc(0));
    expect(tarResult.faults).toBe(0);
    expect(contents(tarResult)).toEqual({ './control': control });
  });

  it('parses control files with odd lines', () => {
    expect(parseControl('A: 1\r\nnot a field\n b\nC:\n')).toEqual([
      ['A', '1\nb'],
      ['C', ''],
    ]);
  });

  it.skipIf(!hasTool('dpkg-deb'))('reads what dpkg-deb wrote', async () => {
    const root = join(folder, 'package');
    mkdirSync(join(root, 'DEBIAN'), { recursive: true });
    mkdirSync(join(root, 'usr/share'), { recursive: true });
    writeFileSync(
      join(root, 'DEBIAN/control'),
      'Package: made\nVersion: 1\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: d\n',
    );
    writeFileSync(join(root, 'usr/share/file'), 'content');
    const md5sums = execFileSync('md5sum', ['usr/share/file'], { cwd: root });
    writeFileSync(join(root, 'DEBIAN/md5sums'), md5sums);
    const path = join(folder, 'made.deb');
    execFileSync('dpkg-deb', ['--build', '-Zgzip', '--root-owner-group', root, path]);
    const result = await readAll(debFormat, readFileSync(path));
    expect(result.faults).toBe(0);
    expect(result.reading?.facts).toContainEqual({ kind: 'packageId', value: 'made' });
    expect(digestsOf(result)).toEqual([['usr/share/file', '9a0364b9e99bb480dd25e1f0284c8555']]);
    const data = await readAll(gzipFormat, result.members[2]?.bytes ?? Buffer.alloc(0));
    expect(contents(await readAll(tarFormat, data.members[0]?.bytes ?? Buffer.alloc(0)))).toEqual({
      './usr/share/file': 'content',
    });
  });

  it.skipIf(!corpus.available)(
    'reads the control facts of a real package that is cut off, and names the cut',
    async () => {
      const result = await readAll(
        debFormat,
        readFileSync(corpus.path('linux-deb-8.58.0.93-truncated/skypeforlinux-64.deb')),
      );
      expect(result.reading?.facts).toContainEqual({ kind: 'packageId', value: 'skypeforlinux' });
      expect(result.reading?.facts).toContainEqual(
        expect.objectContaining({ name: 'Maintainer', value: 'Skype Technologies S.A. <info@skype.net>' }),
      );
      expect(result.reading?.facts).toContainEqual(
        expect.objectContaining({ name: 'Version', value: '8.58.0.93' }),
      );
      expect(names(result)).toEqual(['debian-binary', 'control.tar.gz', 'data.tar.xz']);
      // All of its files are known by name and digest, though hardly any of them is there.
      const digests = digestsOf(result);
      expect(digests).toHaveLength(88);
      expect(digests).toContainEqual([expect.any(String), '5c9207a6aeddee3f04df14c8b304bcd4']);
      for (const [name] of digests) expect(name).toMatch(/^(?:usr|opt)\//);
      expect(result.findings).toEqual([
        expect.objectContaining({ code: 'malformed/truncated', incomplete: true }),
      ]);
      expect(result.findings[0]?.message).toMatch(/^"data\.tar\.xz" should have \d+ bytes, \d+ are there$/);
      const inner = await readAll(gzipFormat, result.members[1]?.bytes ?? Buffer.alloc(0));
      const tarResult = await readAll(tarFormat, inner.members[0]?.bytes ?? Buffer.alloc(0));
      expect(tarResult.faults).toBe(0);
      expect(contents(tarResult)['./md5sums']).toContain('5c9207a6aeddee3f04df14c8b304bcd4');
    },
  );
});

describe('when the archive is a tar', () => {
  it('reads ustar prefixes, GNU long names and pax paths and sizes', async () => {
    const path = `deep/${'x'.repeat(150)}/skype`;
    const result = await readAll(
      tarFormat,
      tar(
        tarMember('name', 'one', '0', 'prefix'),
        tarMember('././@LongLink', `${path}\0`, 'L'),
        tarMember('short', 'two'),
        tarMember('pax', paxRecord('path', '路径/文件') + paxRecord('size', '5'), 'x'),
        tarMember('plain', 'three'),
        tarMember('link', '', '2'),
        tarMember('folder/', '', '5'),
      ),
    );
    expect(result.faults).toBe(0);
    expect(contents(result)).toEqual({ 'prefix/name': 'one', [path]: 'two', '路径/文件': 'three' });
    expect(result.reading?.facts.map(({ value }) => value)).toContain('folder/');
  });

  it('names truncation, bad checksums, traversal and data behind the end', async () => {
    const whole = tar(tarMember('a', 'x'.repeat(1000)), tarMember('b', 'y'));
    const cut = await readAll(tarFormat, whole.subarray(0, 700));
    expect(cut.findings[0]?.message).toBe('"a" should have 1000 bytes, 188 are there');
    expect(cut.members[0]?.bytes.length).toBe(188);
    const bad = Buffer.from(whole);
    bad[1536] = 0x63;
    expect((await readAll(tarFormat, bad)).findings[0]?.code).toBe('malformed/checksum');
    expect((await readAll(tarFormat, tar(tarMember('../../x', 'x')))).findings[0]?.code).toBe(
      'malformed/name',
    );
    const behind = await readAll(tarFormat, Buffer.concat([whole, tarMember('hidden', 'z')]));
    expect(behind.findings[0]).toMatchObject({ code: 'malformed/structure', incomplete: true });
    expect((await readAll(tarFormat, tarMember('a', 'x'))).findings[0]?.code).toBe('malformed/truncated');
  });

  it.skipIf(!hasTool('tar'))('reads what GNU tar wrote in each of its formats', async () => {
    const root = join(folder, 'tree');
    const deep = join(root, 'd'.repeat(90), 'e'.repeat(90));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, '文件'), 'deep');
    writeFileSync(join(root, 'top'), 'top');
    for (const format of ['gnu', 'pax', 'ustar']) {
      const path = join(folder, `${format}.tar`);
      execFileSync('tar', [`--format=${format}`, '-cf', path, '.'], { cwd: root });
      const result = await readAll(tarFormat, readFileSync(path));
      expect(result.faults).toBe(0);
      expect(contents(result)).toEqual({
        './top': 'top',
        [`./${'d'.repeat(90)}/${'e'.repeat(90)}/文件`]: 'deep',
      });
    }
  });
});

describe('when packages are damaged', () => {
  it.each([
    ['deb', debFormat, deb],
    [
      'ar',
      arFormat,
      ar(
        arMember('//', 'long-long-long-name/\n'),
        arMember('/0', 'x'),
        arMember('#1/4', 'nameabc'),
        arMember('z/', 'z'),
      ),
    ],
    [
      'tar',
      tarFormat,
      tar(tarMember('././@LongLink', 'long\0', 'L'), tarMember('a', 'one'), tarMember('b', 'two')),
    ],
  ] as const)('never crashes or hangs on 2,000 damaged copies (%s)', async (_id, format, seed) => {
    for (const mutant of mutate(seed, 2000, 8)) {
      const started = performance.now();
      const result = await readAll(format, mutant.bytes, { limits: { milliseconds: 2000 } });
      expect(performance.now() - started, mutant.description).toBeLessThan(2500);
      expect(result.members.every(({ bytes }) => bytes.length <= mutant.bytes.length)).toBe(true);
    }
  });
});
