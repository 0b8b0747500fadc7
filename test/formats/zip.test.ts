import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import StreamZip from 'node-stream-zip';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type ZipEntryRecipe,
  buildCentralRecord,
  buildEnd,
  buildLocalEntry,
  buildZip,
  extraField,
  unicodePathField,
} from '../../fixtures/zip-builder.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { zipFormat } from '../../src/formats/zip.ts';
import { openFile } from '../../src/platform/files.ts';
import { createRandom } from '../mutation.ts';
import { type ReadResult, readAll } from './reading.ts';

const folder = mkdtempSync(join(tmpdir(), 'telltale-zip-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// oxlint-disable no-console -- a skipped test must be heard
function hasTool(name: string): boolean {
  const found = (process.env['PATH'] ?? '').split(':').some((path) => existsSync(join(path, name)));
  if (!found) console.warn(`SKIPPED: archives made by ${name}, because it is not installed`);
  return found;
}

const text = 'Chat keywords are fetched from skypetools.tom.com. '.repeat(40);
const twoMembers: readonly ZipEntryRecipe[] = [
  { name: 'a.txt', data: text },
  { name: 'b/c.bin', data: 'stored as it is', method: 0 },
];

function probe(bytes: Uint8Array): boolean {
  return zipFormat.probe(bytes.subarray(0, 4096), toByteSource(bytes));
}
function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}
function contents(result: ReadResult): Record<string, string> {
  return Object.fromEntries(result.members.map(({ name, bytes }) => [name, bytes.toString('latin1')]));
}
function ambiguities(result: ReadResult): unknown[] {
  return (result.reading?.facts ?? []).filter(({ kind }) => kind === 'ambiguous').map(({ value }) => value);
}
function codes(result: ReadResult): string[] {
  return result.findings.map(({ code }) => code);
}

async function expectSameAsOrdinary(path: string): Promise<void> {
  const source = openFile(path);
  const result = await readAll(zipFormat, source, { path });
  source.close();
  expect(result.faults).toBe(0);
  expect(ambiguities(result)).toEqual([]);
  const zip = new StreamZip.async({ file: path });
  const entries = Object.values(await zip.entries()).filter((entry) => !entry.isDirectory);
  expect(result.members.map(({ name }) => name).sort()).toEqual(entries.map(({ name }) => name).sort());
  for (const entry of entries) {
    const theirs = entry.size === 0 ? Buffer.alloc(0) : await zip.entryData(entry);
    expect(result.members.find(({ name }) => name === entry.name)?.bytes.equals(theirs)).toBe(true);
  }
  await zip.close();
}

async function compare(name: string, bytes: Uint8Array): Promise<unknown[]> {
  const path = write(name, bytes);
  const source = openFile(path);
  try {
    return ambiguities(await readAll(zipFormat, source, { path }));
  } finally {
    source.close();
  }
}

describe('when the archive is ordinary', () => {
  it('yields members in stored order, whole, without a finding', async () => {
    const result = await readAll(zipFormat, buildZip({ entries: twoMembers, comment: 'by hand' }));
    expect(result.faults).toBe(0);
    expect(contents(result)).toEqual({ 'a.txt': text, 'b/c.bin': 'stored as it is' });
    expect(result.members.map(({ kind }) => kind)).toEqual(['stream', 'source']);
    expect(result.members[1]?.containerOffset).toBeGreaterThan(0);
    expect(ambiguities(result)).toEqual([]);
    expect(result.reading?.facts).toContainEqual(
      expect.objectContaining({ kind: 'archiveComment', value: 'by hand' }),
    );
    expect(
      result.reading?.facts.filter(({ kind }) => kind === 'memberName').map(({ value }) => value),
    ).toEqual(['a.txt', 'b/c.bin']);
    expect(result.reading?.regions.map(({ name }) => name)).toEqual(['central directory', 'comment']);
  });

  it('reads an empty archive, empty members and folders', async () => {
    expect((await readAll(zipFormat, buildZip({ entries: [] }))).faults).toBe(0);
    const result = await readAll(
      zipFormat,
      buildZip({
        entries: [
          { name: 'empty', data: '', method: 0 },
          { name: 'folder/', data: '', method: 0 },
          { name: 'empty deflated', data: '' },
        ],
      }),
    );
    expect(result.faults).toBe(0);
    expect(contents(result)).toEqual({ empty: '', 'empty deflated': '' });
  });

  it.each(['signed', 'unsigned', 'zip64'] as const)(
    'reads sizes behind the data (%s)',
    async (descriptor) => {
      const result = await readAll(
        zipFormat,
        buildZip({ entries: twoMembers.map((entry) => ({ ...entry, descriptor })) }),
      );
      expect(result.faults).toBe(0);
      expect(contents(result)['a.txt']).toBe(text);
      expect(result.reading?.regions.map(({ name }) => name)).toEqual(['central directory']);
    },
  );

  it('reads zip64 fields and end records that nothing needs', async () => {
    const entries = twoMembers.map((entry) => ({ ...entry, zip64: true }));
    const result = await readAll(zipFormat, buildZip({ entries, zip64: true }));
    expect(result.faults).toBe(0);
    expect(contents(result)['b/c.bin']).toBe('stored as it is');
  });

  it('opens a zip in a zip, stored and deflated', async () => {
    const inner = buildZip({ entries: twoMembers });
    const outer = await readAll(
      zipFormat,
      buildZip({
        entries: [
          { name: 'inner.zip', data: inner, method: 0 },
          { name: 'inner2.zip', data: inner },
        ],
      }),
    );
    expect(outer.faults).toBe(0);
    for (const member of outer.members) {
      const nested = await readAll(zipFormat, member.bytes);
      expect(nested.faults).toBe(0);
      expect(contents(nested)['a.txt']).toBe(text);
    }
  });
});

describe('when probed', () => {
  it('knows archives with and without a stub, and nothing else', () => {
    expect(probe(buildZip({ entries: twoMembers }))).toBe(true);
    expect(probe(buildZip({ entries: [] }))).toBe(true);
    expect(probe(buildZip({ entries: twoMembers, prefix: Buffer.from('MZ stub') }))).toBe(true);
    expect(probe(buildZip({ entries: twoMembers, prefix: Buffer.from('MZ stub'), rebased: true }))).toBe(
      true,
    );
    expect(probe(Buffer.from('PK'))).toBe(false);
    expect(probe(Buffer.alloc(0))).toBe(false);
    expect(probe(Buffer.from('text that speaks of PK\u0005\u0006 and ends with many more characters'))).toBe(
      false,
    );
  });
});

describe('when bytes stand before or behind the archive', () => {
  it.each([true, false])('finds members behind a stub (offsets count it: %s)', async (rebased) => {
    const prefix = Buffer.from('#!stub of some length\n');
    const result = await readAll(
      zipFormat,
      buildZip({ entries: twoMembers, prefix, rebased, zip64: !rebased }),
    );
    expect(result.members.map(({ name, relation }) => `${name} ${relation}`)).toEqual([
      '[prefix] part',
      'a.txt file',
      'b/c.bin file',
    ]);
    expect(result.members[0]?.bytes.equals(prefix)).toBe(true);
    expect(contents(result)['a.txt']).toBe(text);
    expect(result.reading?.regions[0]).toEqual({ name: 'stub', offset: 0, size: prefix.length });
    expect(result.findings.every(({ incomplete }) => !incomplete)).toBe(true);
  });

  it.each([10, 70_000, 600_000])('yields %i bytes behind the archive as a part', async (length) => {
    const trailing = Buffer.alloc(length, 0x2e);
    const result = await readAll(zipFormat, buildZip({ entries: twoMembers, trailing }));
    expect(contents(result)['a.txt']).toBe(text);
    expect(result.members.at(-1)?.name).toBe('[trailing]');
    expect(result.members.at(-1)?.bytes.equals(trailing)).toBe(true);
    expect(result.reading?.regions.map(({ name }) => name)).toContain('trailing data');
    expect(codes(result)).toEqual(['malformed/structure']);
  });

  it('reads both of two archives one after the other', async () => {
    const first = buildZip({ entries: [{ name: 'first.exe', data: 'one' }] });
    const second = buildZip({ entries: [{ name: 'second.exe', data: 'two' }] });
    const result = await readAll(zipFormat, Buffer.concat([first, second]));
    expect(contents(result)).toMatchObject({ 'first.exe': 'one', 'second.exe': 'two' });
    expect(ambiguities(result).length).toBeGreaterThan(0);
  });
});

describe('when the two lists disagree', () => {
  it('shows a member that the central directory does not list', async () => {
    const result = await readAll(
      zipFormat,
      buildZip({
        entries: [
          { name: 'hidden0.exe', data: 'MZ0', only: 'hidden' },
          ...twoMembers,
          { name: 'hidden1.exe', data: 'MZ1', only: 'hidden', descriptor: 'signed' },
          { name: 'd.txt', data: 'listed' },
          { name: 'hidden2.exe', data: text, only: 'hidden' },
        ],
      }),
    );
    expect(contents(result)).toMatchObject({
      'hidden0.exe': 'MZ0',
      'hidden1.exe': 'MZ1',
      'hidden2.exe': text,
    });
    expect(result.members.every(({ fault }) => fault === undefined)).toBe(true);
    expect(ambiguities(result)).toEqual(['the central directory does not list "hidden0.exe" and 2 more']);
    expect(result.members.find(({ name }) => name === 'hidden1.exe')?.facts[0]?.kind).toBe('ambiguous');
  });

  it('shows hidden members between junk', async () => {
    const result = await readAll(
      zipFormat,
      buildZip({
        entries: [
          { name: 'a', data: 'a' },
          { name: 'h', data: text, only: 'hidden', gapBefore: Buffer.from('junk PK\u0003\u0004 junk') },
          { name: 'b', data: 'b', gapBefore: Buffer.from('more junk') },
        ],
      }),
    );
    expect(contents(result)).toMatchObject({ a: 'a', h: text, b: 'b' });
  });

  it('names differing names, methods and sizes, and reads both views where bytes differ', async () => {
    const renamed = await readAll(
      zipFormat,
      buildZip({ entries: [{ name: 'good.txt', data: 'x', local: { name: 'evil.exe' } }] }),
    );
    expect(ambiguities(renamed)).toEqual(['local header and central directory disagree on "good.txt"']);
    expect(renamed.members[0]?.facts[0]?.value).toContain('evil.exe');

    const packed = deflateRawSync('the deflated view');
    const twoViews = await readAll(
      zipFormat,
      buildZip({
        entries: [
          { name: 'v', data: 'the deflated view', packed, local: { method: 0, size: packed.length } },
        ],
      }),
    );
    expect(twoViews.members.map(({ kind }) => kind)).toEqual(['stream', 'source']);
    expect(twoViews.members[0]?.bytes.toString()).toBe('the deflated view');
    expect(twoViews.members[1]?.bytes.equals(packed)).toBe(true);
  });

  it('names two members of the same name', async () => {
    const result = await readAll(
      zipFormat,
      buildZip({
        entries: [
          { name: 'Skype.exe', data: 'one' },
          { name: 'Skype.exe', data: 'two' },
        ],
      }),
    );
    expect(result.members.map(({ bytes }) => bytes.toString())).toEqual(['one', 'two']);
    expect(ambiguities(result)).toEqual(['more than one member is named "Skype.exe"']);
  });

  it('says so of an entry that points at nothing', async () => {
    const result = await readAll(
      zipFormat,
      buildZip({
        entries: [
          { name: 'there', data: 'x' },
          { name: 'gone', data: 'y', only: 'dangling', central: { localOffset: 5 } },
          { name: 'far', data: 'y', only: 'dangling', central: { localOffset: 0xfffffff0 } },
        ],
      }),
    );
    expect(
      result.members.filter(({ kind }) => kind === 'unreadable').map(({ fault }) => fault?.code),
    ).toEqual(['malformed/structure', 'malformed/structure']);
  });

  it('weighs two end records, one inside the comment of the other', async () => {
    const inner = buildZip({ entries: [{ name: 'shown.txt', data: 'shown' }] });
    const hiddenLocal = buildLocalEntry({ name: 'hidden.txt', data: 'hidden' });
    const directory = buildCentralRecord({ name: 'hidden.txt', data: 'hidden' }, 0);
    const fake = buildEnd({
      entries: 1,
      directorySize: directory.length,
      directoryOffset: inner.length - 22 + hiddenLocal.length,
    });
    const bytes = Buffer.concat([hiddenLocal, inner]);
    const commented = Buffer.concat([bytes, directory, fake]);
    // The comment of the outer end record covers the second directory and end record.
    commented.writeUInt16LE(directory.length + fake.length, bytes.length - 2);
    const result = await readAll(zipFormat, commented);
    expect(contents(result)).toMatchObject({ 'shown.txt': 'shown', 'hidden.txt': 'hidden' });
    expect(ambiguities(result).length).toBeGreaterThan(0);
  });

  it('names a count that is too small', async () => {
    const result = await readAll(zipFormat, buildZip({ entries: twoMembers, end: { entries: 1 } }));
    expect(Object.keys(contents(result))).toEqual(['a.txt', 'b/c.bin']);
    expect(ambiguities(result)).toEqual(['its end record counts 1 members, its central directory lists 2']);
  });
});

describe('when members share bytes', () => {
  it('names the overlap and reads each member', async () => {
    const kernel = deflateRawSync(Buffer.alloc(200_000));
    const local = buildLocalEntry({ name: 'k', packed: kernel, data: Buffer.alloc(200_000) });
    const records = Array.from({ length: 20 }, (_, index) =>
      buildCentralRecord({ name: `k${index}`, packed: kernel, data: Buffer.alloc(200_000) }, 0),
    );
    const directory = Buffer.concat(records);
    const bomb = Buffer.concat([
      local,
      directory,
      buildEnd({ entries: 20, directorySize: directory.length, directoryOffset: local.length }),
    ]);
    const result = await readAll(zipFormat, bomb);
    expect(codes(result)).toContain('malformed/overlap');
    expect(result.members.length).toBe(20);
    const stopped = await readAll(zipFormat, bomb, { limits: { bytesProduced: 1_000_000 } });
    expect(stopped.members.some(({ fault }) => fault?.code === 'limit/bytes')).toBe(true);
  });
});

describe('when names are unsafe or in other encodings', () => {
  it.each([
    ['../../etc/passwd', 'climbs out'],
    ['..\\..\\windows\\evil.dll', 'climbs out'],
    ['/etc/passwd', 'absolute'],
    ['C:\\evil.exe', 'drive letter'],
    ['a\\b.exe', 'backslashes'],
    ['good.txt\0.exe', 'NUL'],
    ['a\u001b[2J.txt', 'control characters'],
  ])('reads %j and reports its name', async (name, phrase) => {
    const result = await readAll(zipFormat, buildZip({ entries: [{ name, data: 'x' }] }));
    expect(result.members[0]?.name).toBe(name);
    expect(result.members[0]?.bytes.toString()).toBe('x');
    expect(result.findings).toEqual([expect.objectContaining({ code: 'malformed/name', incomplete: false })]);
    expect(result.findings[0]?.message).toContain(phrase);
  });

  it('decodes UTF-8 with and without its flag, GB18030, code page 437 and unicode path fields', async () => {
    const gbk = Buffer.from([0xcc, 0xd4, 0xb1, 0xa6, 0x2e, 0x65, 0x78, 0x65]);
    const cp437 = Buffer.from([0x81, 0x2e, 0x74, 0x78, 0x74]);
    const result = await readAll(
      zipFormat,
      buildZip({
        entries: [
          { name: '聊天.exe', data: '1' },
          { name: Buffer.from('聊天2.exe'), data: '2' },
          { name: gbk, data: '3' },
          { name: cp437, data: '4' },
          { name: Buffer.from('?.exe'), data: '5', extra: unicodePathField(Buffer.from('?.exe'), '词.exe') },
          { name: Buffer.from('x.exe'), data: '6', extra: unicodePathField(Buffer.from('other'), '词.exe') },
        ],
      }),
    );
    expect(result.faults).toBe(0);
    expect(result.members.map(({ name }) => name)).toEqual([
      '聊天.exe',
      '聊天2.exe',
      '淘宝.exe',
      'ü.txt',
      '词.exe',
      'x.exe',
    ]);
  });
});

describe('when members cannot be read', () => {
  it.each([
    [{ flags: 1 }, 'ZipCrypto'],
    [
      { flags: 1, method: 99, extra: extraField(0x9901, Buffer.from([2, 0, 0x41, 0x45, 3, 8, 0])) },
      'AES-256',
    ],
    [{ flags: 0x41 }, 'strong encryption'],
    [{ flags: 0x2001 }, 'strong encryption with a masked header'],
  ] as const)('names encryption %#', async (knobs, how) => {
    const result = await readAll(zipFormat, buildZip({ entries: [{ name: 's', data: 'secret', ...knobs }] }));
    expect(result.members[0]?.kind).toBe('unreadable');
    expect(result.members[0]?.fault?.code).toBe('encrypted/member');
    expect(result.members[0]?.facts).toContainEqual({ kind: 'encrypted', value: how });
  });

  it('names an encrypted central directory', async () => {
    const local = buildLocalEntry({ name: 'x', data: 'x' });
    const directory = Buffer.alloc(60, 0xee);
    const end = buildEnd({
      entries: 1,
      directorySize: 60,
      directoryOffset: local.length,
      zip64Offset: local.length + 60,
    });
    // Version 2 of the zip64 record: 28 bytes more, with the encryption algorithm.
    const extended = Buffer.concat([end.subarray(0, 56), Buffer.alloc(28, 1), end.subarray(56)]);
    extended.writeBigUInt64LE(72n, 4);
    const result = await readAll(zipFormat, Buffer.concat([local, directory, extended]));
    expect(codes(result)).toContain('encrypted/container');
    expect(contents(result)).toMatchObject({ x: 'x' });
  });

  it.each([
    [9, 'Deflate64'],
    [12, 'bzip2'],
    [14, 'LZMA'],
    [93, 'Zstandard'],
    [95, 'XZ'],
    [98, 'PPMd'],
    [77, 'method 77'],
  ])('names method %i', async (method, name) => {
    const result = await readAll(zipFormat, buildZip({ entries: [{ name: 'm', data: 'x', method }] }));
    expect(result.members[0]?.fault).toMatchObject({ code: 'unsupported/method', incomplete: true });
    expect(result.members[0]?.fault?.message).toContain(name);
  });
});

describe('when checksums and sizes are wrong', () => {
  it('gives all bytes and then the fault', async () => {
    const wrong = { central: { crc32: 1 }, local: { crc32: 1 } };
    const result = await readAll(
      zipFormat,
      buildZip({
        entries: [
          { name: 'd', data: text, ...wrong },
          { name: 's', data: text, method: 0, ...wrong },
          { name: 'long', data: text, central: { size: 7 }, local: { size: 7 } },
          { name: 'slack', data: text, packed: Buffer.concat([deflateRawSync(text), Buffer.from('slack')]) },
        ],
      }),
    );
    expect(result.members.map(({ bytes }) => bytes.toString() === text)).toEqual([true, true, true, true]);
    expect(result.members.map(({ fault }) => fault?.code)).toEqual([
      'malformed/checksum',
      undefined,
      'malformed/size-mismatch',
      'malformed/size-mismatch',
    ]);
    expect(codes(result)).toEqual(['malformed/checksum']);
    expect(result.findings[0]?.message).toContain('"s"');
  });

  it('gives what precedes damage in the middle of a member', async () => {
    const random = createRandom(3);
    const data = Buffer.from(Array.from({ length: 40_000 }, () => random(200)));
    const bytes = buildZip({ entries: [{ name: 'd', data }] });
    bytes.fill(0xff, 20_000, 20_040);
    const result = await readAll(zipFormat, bytes);
    const [member] = result.members;
    expect(member?.fault?.code).toMatch(/^malformed\//);
    expect(member?.bytes.length).toBeGreaterThan(10_000);
    expect(member?.bytes.subarray(0, 10_000).equals(data.subarray(0, 10_000))).toBe(true);
  });
});

describe('when the archive is truncated', () => {
  it('recovers members from their local headers', async () => {
    const whole = buildZip({
      entries: [
        { name: 'first', data: text },
        { name: 'streamed', data: text, descriptor: 'signed' },
        { name: 'plain', data: text, descriptor: 'unsigned' },
        { name: 'last', data: text, method: 0 },
      ],
    });
    const result = await readAll(zipFormat, whole.subarray(0, whole.indexOf('last') + 104));
    expect(result.findings[0]).toMatchObject({ code: 'malformed/truncated', incomplete: true });
    expect(result.members.map(({ name }) => name)).toEqual(['first', 'streamed', 'plain', 'last']);
    expect(contents(result)).toMatchObject({
      first: text,
      streamed: text,
      plain: text,
      last: text.slice(0, 100),
    });
    expect(result.findings.at(-1)).toMatchObject({ code: 'malformed/truncated', incomplete: true });
  });

  it('is never silent and never throws, wherever it is cut', async () => {
    const whole = buildZip({ entries: twoMembers, comment: 'note' });
    for (let length = 4; length < whole.length; length += 1) {
      const result = await readAll(zipFormat, whole.subarray(0, length));
      expect(result.faults, `cut at ${length}`).toBeGreaterThan(0);
    }
  });

  it('is not taken for the whole archive that it holds at its end', async () => {
    const inner = buildZip({ entries: twoMembers });
    const outer = buildZip({
      entries: [
        { name: 'before.txt', data: text },
        { name: 'inner.zip', data: inner, method: 0 },
        { name: 'lost.txt', data: text },
      ],
    });
    for (const cut of [outer.indexOf('lost.txt') + 5, outer.indexOf('lost.txt') - 30]) {
      const result = await readAll(zipFormat, outer.subarray(0, cut));
      expect(result.findings[0]).toMatchObject({ code: 'malformed/truncated', incomplete: true });
      expect(result.members.map(({ name }) => name)).toEqual(['before.txt', 'inner.zip']);
      expect(result.members[1]?.bytes.equals(inner)).toBe(true);
    }
  });

  it('names one volume of several', async () => {
    const result = await readAll(zipFormat, buildZip({ entries: twoMembers, end: { disk: 2 } }));
    expect(codes(result)).toContain('unsupported/feature');
  });
});

describe('when the archive is larger than memory', () => {
  it('finds members at both ends of a 5 GB zip64 archive and checks the large one', async () => {
    const hugeBytes = 5 * 2 ** 30;
    const zeros = Buffer.alloc(1 << 20);
    let hugeCrc = 0;
    for (let at = 0; at < hugeBytes; at += zeros.length) hugeCrc = crc32(zeros, hugeCrc);
    const huge: ZipEntryRecipe = {
      name: 'huge.bin',
      method: 0,
      zip64: true,
      local: { crc32: hugeCrc, compressedSize: hugeBytes, size: hugeBytes },
      central: { crc32: hugeCrc, compressedSize: hugeBytes, size: hugeBytes },
    };
    const first = buildLocalEntry({ name: 'first', data: text });
    const hugeHeader = buildLocalEntry(huge);
    const last = buildLocalEntry({ name: 'last', data: text });
    const dataStart = first.length + hugeHeader.length;
    const lastStart = dataStart + hugeBytes;
    const directory = Buffer.concat([
      buildCentralRecord({ name: 'first', data: text }, 0),
      buildCentralRecord(huge, first.length),
      buildCentralRecord({ name: 'last', data: text }, lastStart),
    ]);
    const directoryOffset = lastStart + last.length;
    const tail = Buffer.concat([
      last,
      directory,
      buildEnd({
        entries: 3,
        directorySize: directory.length,
        directoryOffset,
        zip64Offset: directoryOffset + directory.length,
      }),
    ]);
    const head = Buffer.concat([first, hugeHeader]);
    const size = lastStart + tail.length;
    const source = {
      size,
      read(offset: number, length: number): Uint8Array {
        if (offset >= dataStart && offset + length <= lastStart && length <= zeros.length) {
          return zeros.subarray(0, length);
        }
        const bytes = Buffer.alloc(length);
        for (const [start, part] of [
          [0, head],
          [lastStart, tail],
        ] as const) {
          const from = Math.max(offset, start);
          const to = Math.min(offset + length, start + part.length);
          if (from < to) part.copy(bytes, from - offset, from - start, to - start);
        }
        return bytes;
      },
    };
    const result = await readAll(zipFormat, source, { keepBytes: false });
    expect(result.faults).toBe(0);
    expect(result.members.map(({ name }) => name)).toEqual(['first', 'huge.bin', 'last']);
    expect(result.members[1]?.containerOffset).toBe(dataStart);
  });
});

describe('when there are very many members', () => {
  const count = 200_000;
  const local = buildLocalEntry({ name: '000000', data: 'x', method: 0 });
  const central = buildCentralRecord({ name: '000000', data: 'x', method: 0 }, 0);
  const bytes = Buffer.alloc(count * (local.length + central.length) + 98);
  for (let index = 0; index < count; index += 1) {
    const name = String(index).padStart(6, '0');
    local.copy(bytes, index * local.length);
    bytes.write(name, index * local.length + 30);
    const at = count * local.length + index * central.length;
    central.copy(bytes, at);
    bytes.write(name, at + 46);
    bytes.writeUInt32LE(index * local.length, at + 42);
  }
  buildEnd({
    entries: count,
    directorySize: count * central.length,
    directoryOffset: count * local.length,
    zip64Offset: count * (local.length + central.length),
  }).copy(bytes, count * (local.length + central.length));

  it('reads 200,000 members', async () => {
    const started = performance.now();
    const result = await readAll(zipFormat, bytes, { limits: { members: 300_000 } });
    expect(result.faults).toBe(0);
    expect(result.members.length).toBe(count);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('stops at the limit and says so', async () => {
    const result = await readAll(zipFormat, bytes, { limits: { members: 1000 } });
    expect(result.members.length).toBe(1000);
    expect(result.findings).toContainEqual(
      expect.objectContaining({ code: 'limit/members', incomplete: true }),
    );
  });

  it('recovers 50,000 of them from a file that is cut off', async () => {
    const path = write('many.zip', bytes.subarray(0, 50_000 * local.length + 10));
    const source = openFile(path);
    const started = performance.now();
    const result = await readAll(zipFormat, source, { path });
    source.close();
    expect(result.members.length).toBe(50_000);
    expect(result.findings[0]?.code).toBe('malformed/truncated');
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('stops by time', async () => {
    const result = await readAll(zipFormat, bytes, { limits: { milliseconds: -1 } });
    expect(result.thrown?.code).toBe('limit/time');
  });
});

describe('when ordinary software lists the same file', () => {
  it('agrees on ordinary archives', async () => {
    expect(await compare('plain.zip', buildZip({ entries: twoMembers }))).toEqual([]);
    expect(await compare('zip64.zip', buildZip({ entries: twoMembers, zip64: true }))).toEqual([]);
    expect(await compare('empty.zip', buildZip({ entries: [] }))).toEqual([]);
    const gbk = Buffer.from([0xcc, 0xd4, 0xb1, 0xa6]);
    expect(await compare('gbk.zip', buildZip({ entries: [{ name: gbk, data: 'x' }] }))).toEqual([]);
  });

  it('tells of a difference', async () => {
    expect(await compare('count.zip', buildZip({ entries: twoMembers, end: { entries: 1 } }))).toContain(
      'ordinary software lists 1 members, the central directory has 2',
    );
    const stub = buildZip({ entries: twoMembers, prefix: Buffer.from('stub'.repeat(9)) });
    expect(await compare('stub.zip', stub)).toEqual([
      expect.stringMatching(/^ordinary software refuses the archive/),
    ]);
  });

  it('survives 300 damaged files', async () => {
    const seed = buildZip({ entries: twoMembers, zip64: true, comment: 'c' });
    const random = createRandom(5);
    for (let index = 0; index < 300; index += 1) {
      const bytes = Buffer.from(seed);
      // Damage the end, on which the reader leans.
      for (let n = 0; n < 2; n += 1)
        bytes[bytes.length - 1 - random(110)] = random(2) === 0 ? 0xff : random(256);
      const facts = await compare('mutant.zip', bytes);
      expect(Array.isArray(facts)).toBe(true);
    }
  });
});

describe('when real tools made the archive', () => {
  const input = join(folder, 'input');
  mkdirSync(join(input, 'folder'), { recursive: true });
  writeFileSync(join(input, 'prose.txt'), text);
  writeFileSync(join(input, 'folder', '文件.txt'), 'Chinese name');
  writeFileSync(
    join(input, 'random.bin'),
    Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) & 0xff)),
  );
  writeFileSync(join(input, 'empty'), '');

  it.skipIf(!hasTool('zip'))('reads what Info-ZIP wrote, as a file and as a stream', async () => {
    execFileSync('zip', ['-qr', join(folder, 'infozip.zip'), '.'], { cwd: input });
    await expectSameAsOrdinary(join(folder, 'infozip.zip'));
    const streamed = execFileSync('zip', ['-qr', '-', '.'], { cwd: input });
    writeFileSync(join(folder, 'streamed.zip'), streamed);
    await expectSameAsOrdinary(join(folder, 'streamed.zip'));
    execFileSync('zip', ['-qr', '-P', 'secret', join(folder, 'crypt.zip'), '.'], { cwd: input });
    const crypt = await readAll(zipFormat, readFileSync(join(folder, 'crypt.zip')));
    expect(
      crypt.members.filter(({ fault }) => fault?.code === 'encrypted/member').length,
    ).toBeGreaterThanOrEqual(3);
  });

  it.skipIf(!hasTool('7zz'))('reads what 7-Zip wrote and names what it does not read', async () => {
    execFileSync('7zz', ['a', '-tzip', '-bso0', join(folder, '7z.zip'), '.'], { cwd: input });
    await expectSameAsOrdinary(join(folder, '7z.zip'));
    for (const [method, name] of [
      ['Deflate64', 'Deflate64'],
      ['BZip2', 'bzip2'],
      ['LZMA', 'LZMA'],
      ['PPMd', 'PPMd'],
    ] as const) {
      const path = join(folder, `${method}.zip`);
      execFileSync('7zz', ['a', '-tzip', `-mm=${method}`, '-bso0', path, 'prose.txt'], { cwd: input });
      const [member] = (await readAll(zipFormat, readFileSync(path))).members;
      expect(member?.fault?.code).toBe('unsupported/method');
      expect(member?.fault?.message).toContain(name);
    }
    const path = join(folder, 'aes.zip');
    execFileSync('7zz', ['a', '-tzip', '-psecret', '-mem=AES256', '-bso0', path, 'prose.txt'], {
      cwd: input,
    });
    const [member] = (await readAll(zipFormat, readFileSync(path))).members;
    expect(member?.facts).toContainEqual({ kind: 'encrypted', value: 'AES-256' });
  });
});
