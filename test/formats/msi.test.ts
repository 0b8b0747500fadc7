import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { buildCfb, toClassIdBytes } from '../../fixtures/cfb-builder.ts';
import {
  buildMsi,
  columns,
  type MsiRecipe,
  type MsiTableRecipe,
  packageClassId,
} from '../../fixtures/msi-builder.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { readUpTo, toByteSource } from '../../src/bytes/byte-source.ts';
import { parseCfb } from '../../src/formats/cfb/compound-file.ts';
import { identify } from '../../src/formats/index.ts';
import type { Fact, Finding, Format, Member } from '../../src/formats/model.ts';
import { msiFormat, msmFormat, mspFormat } from '../../src/formats/msi.ts';
import { type MsiDatabase, parseMsi } from '../../src/formats/msi/database.ts';
import { decodeStreamName, encodeStreamName } from '../../src/formats/msi/stream-name.ts';
import { readSummary, summaryBytesMax, tryIsoTime } from '../../src/formats/msi/summary.ts';
import { openFile } from '../../src/platform/files.ts';
import { corpus } from '../corpus.ts';
import { mutate } from '../mutation.ts';
import { readAll, type ReadResult } from './reading.ts';

function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(fileURLToPath(new URL(`../../fixtures/msi/${name}`, import.meta.url))));
}

function open(bytes: Uint8Array): { readonly database: MsiDatabase; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const report = (finding: Finding): void => {
    findings.push(finding);
  };
  const budget = new Budget(bytes.length);
  return { database: parseMsi(parseCfb(toByteSource(bytes), report, budget), report, budget), findings };
}

function idOf(bytes: Uint8Array): string {
  return identify(bytes.subarray(0, 4096), toByteSource(bytes)).id;
}

function factsOf({ reading }: ReadResult, kind: Fact['kind']): Record<string, Fact['value']> {
  return Object.fromEntries(
    (reading?.facts ?? []).filter((fact) => fact.kind === kind).map(({ name, value }) => [name ?? '', value]),
  );
}

async function listMembers(format: Format, bytes: Uint8Array): Promise<readonly Member[]> {
  const reading = await format.read(toByteSource(bytes), {
    budget: new Budget(bytes.length),
    report: () => {},
  });
  const members: Member[] = [];
  for await (const member of reading.members?.() ?? []) members.push(member);
  return members;
}

const fileColumns = columns(
  'File:s72*',
  'Component_:s72',
  'FileName:l255',
  'FileSize:i4',
  'Version:S72',
  'Language:S20',
  'Attributes:I2',
  'Sequence:i4',
);
const directoryColumns = columns('Directory:s72*', 'Directory_Parent:S72', 'DefaultDir:l255');
const componentColumns = columns(
  'Component:s72*',
  'ComponentId:S38',
  'Directory_:s72',
  'Attributes:i2',
  'Condition:S255',
  'KeyPath:S72',
);
const mediaColumns = columns(
  'DiskId:i2*',
  'LastSequence:i4',
  'DiskPrompt:L64',
  'Cabinet:S255',
  'VolumeLabel:S32',
  'Source:S72',
);
const properties: MsiTableRecipe = {
  name: 'Property',
  columns: columns('Property:s72*', 'Value:l0'),
  rows: [
    ['ProductCode', '{11111111-2222-3333-4444-555555555555}'],
    ['ProductName', 'Fixture'],
    ['PartnerCode', '59'],
  ],
};

/** One file in one folder, with the rest as given. */
function installing(
  directories: readonly (readonly (string | undefined)[])[],
  more: Partial<MsiRecipe> = {},
  files: readonly (readonly (string | number | undefined)[])[] = [
    ['key.exe', 'C', 'LONGNA~1.EXE|Long name.exe', 1234, '1.2.3.4', '1033', undefined, 1],
  ],
  media: readonly (readonly (string | number | undefined)[])[] = [
    [1, 10, undefined, '#disk.cab', undefined, undefined],
  ],
): MsiRecipe {
  return {
    tables: [
      properties,
      { name: 'File', columns: fileColumns, rows: files },
      {
        name: 'Component',
        columns: componentColumns,
        rows: [['C', undefined, 'TARGET', 0, undefined, 'key.exe']],
      },
      { name: 'Directory', columns: directoryColumns, rows: directories },
      { name: 'Media', columns: mediaColumns, rows: media },
    ],
    streams: [{ name: 'disk.cab', data: Buffer.from('MSCF not really') }],
    summary: [
      [4, 'Fixture Publisher'],
      [15, 2],
    ],
    ...more,
  };
}

async function pathOf(recipe: MsiRecipe): Promise<Fact['value'] | undefined> {
  const result = await readAll(msiFormat, buildMsi(recipe));
  return result.reading?.facts.find(({ kind }) => kind === 'memberName')?.value;
}

describe('when a stream has an encoded name', () => {
  it.each([
    ['Property', true, '\u4840\u4559\u44f2\u4568\u4737'],
    ['_StringPool', true, '\u4840\u3f3f\u4577\u446c\u3e6a\u44b2\u482f'],
    ['fixture.cab', false, undefined],
    ['Binary.Helper', false, undefined],
    ['\u0005SummaryInformation', false, '\u0005SummaryInformation'],
  ])('%s is read', (text, isTable, stored) => {
    const name = text.startsWith('\u0005') ? text : encodeStreamName(text, isTable);
    if (stored !== undefined) expect(name).toBe(stored);
    expect(decodeStreamName(name)).toEqual({ text, isTable });
  });

  it('leaves other characters alone', () => {
    expect(decodeStreamName('Überraschung 聊天')).toEqual({ text: 'Überraschung 聊天', isTable: false });
    expect(decodeStreamName('')).toEqual({ text: '', isTable: false });
    for (const odd of ['a-b', 'ab-', '-', 'ä.cab'])
      expect(decodeStreamName(encodeStreamName(odd, false)).text).toBe(odd);
  });
});

describe('when a package was made by wixl', () => {
  const bytes = fixture('phone.msi');

  it('is a Windows Installer package', () => {
    expect(idOf(bytes)).toBe('msi');
    expect(msmFormat.probe(bytes.subarray(0, 4096), toByteSource(bytes))).toBe(false);
  });

  it('tells its properties, summary and tool', async () => {
    const result = await readAll(msiFormat, bytes);
    expect(result.faults).toBe(0);
    expect(factsOf(result, 'msiProperty')).toMatchObject({
      ProductCode: '{11111111-2222-3333-4444-555555555555}',
      UpgradeCode: '{66666666-7777-8888-9999-AAAAAAAAAAAA}',
      Manufacturer: 'Fixture Publisher',
      ProductName: 'Fixture Phone',
      ProductVersion: '1.2.3',
      ProductLanguage: '1033',
      PartnerCode: '59',
      Title: 'Installation Database',
      Author: 'Fixture Publisher',
      Template: 'Intel;1033',
      CreatingApplication: 'msitools 0.101',
      PackageCode: expect.stringMatching(/^\{[0-9A-F-]{36}\}$/),
    });
    const author = result.reading?.facts.find(({ name }) => name === 'Author');
    expect(author?.detail).toEqual({ origin: 'summary' });
    expect(result.reading?.facts).toContainEqual({ kind: 'createdBy', value: 'msitools 0.101' });
    expect(factsOf(result, 'msiTable')).toMatchObject({ File: 2, Registry: 1, Binary: 1, CustomAction: 2 });
    expect(factsOf(result, 'customAction')).toEqual({
      RunHelper: 'DLL in the package',
      SetFolder: 'sets a property',
    });
    expect(factsOf(result, 'msiRow')).toEqual({
      Feature: 'Complete',
      Upgrade: '{66666666-7777-8888-9999-AAAAAAAAAAAA}',
      Media: '#fixture.cab',
    });
  });

  it('knows where files are installed, and their digests', async () => {
    const result = await readAll(msiFormat, bytes);
    const files = result.reading?.facts.filter(({ kind }) => kind === 'memberName');
    expect(files?.map(({ value }) => value)).toEqual([
      'ProgramFilesFolder/Fixture Company/Phone/Fixture Phone.exe',
      'ProgramFilesFolder/Fixture Company/readme.txt',
    ]);
    expect(files?.[0]?.detail).toEqual({
      key: 'main.exe',
      component: 'Main',
      size: 38,
      sequence: 1,
      md5: createHash('md5').update('This stands where a program would be.\n').digest('hex'),
    });
  });

  it('gives cabinet, binary, icon and strings as members, with the names of what is in the cabinet', async () => {
    const result = await readAll(msiFormat, bytes);
    expect(result.members.map(({ name, relation }) => `${relation} ${name}`).sort()).toEqual([
      'file Binary/Helper',
      'file Icon/Phone.ico',
      'file [cab] fixture.cab',
      'part [strings]',
    ]);
    for (const { bytes: member, containerOffset = -1 } of result.members)
      expect(
        member.equals(Buffer.from(bytes).subarray(containerOffset, containerOffset + member.length)),
      ).toBe(true);
    expect(result.members.find(({ name }) => name === 'Binary/Helper')?.bytes.toString()).toBe('helper');
    const cabinet = (await listMembers(msiFormat, bytes)).find(({ name }) => name === '[cab] fixture.cab');
    expect(cabinet?.rename?.('main.exe')).toBe('ProgramFilesFolder/Fixture Company/Phone/Fixture Phone.exe');
    expect(cabinet?.rename?.('unknown')).toBeUndefined();
  });

  it('names the ranges of its streams', async () => {
    const { reading } = await readAll(msiFormat, bytes);
    expect(reading?.regions.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['stream "!_StringData"', 'stream "fixture.cab"']),
    );
  });
});

describe('when a merge module was made by msibuild', () => {
  const bytes = fixture('phone.msm');

  it('is read as one', async () => {
    expect(idOf(bytes)).toBe('msm');
    const result = await readAll(msmFormat, bytes);
    expect(result.faults).toBe(0);
    expect(factsOf(result, 'msiProperty')).toMatchObject({
      ModuleID: 'Fixture.6F88B3BF_1A40_4409_9A67_3EC9E8B8AD33',
      ModuleVersion: '1.2.3',
      ModuleLanguage: '0',
      Author: 'Fixture Publisher',
    });
    expect(result.members.map(({ name }) => name).sort()).toEqual(['[cab] MergeModule.CABinet', '[strings]']);
    const cabinet = (await listMembers(msmFormat, bytes)).find(({ rename }) => rename !== undefined);
    expect(cabinet?.rename?.('main.exe')).toBe('CommonFilesFolder/Fixture Company/Fixture Phone.exe');
  });
});

describe('when a package is signed', () => {
  it('names the streams of the signature and hands the file on', async () => {
    const result = await readAll(msiFormat, fixture('phone-signed.msi'));
    expect(Object.keys(factsOf(result, 'signatureStream')).sort()).toEqual([
      '\u0005DigitalSignature',
      '\u0005MsiDigitalSignatureEx',
    ]);
    expect(result.reading?.signed?.kind).toBe('msi');
    expect(result.members.some(({ name }) => name.includes('Signature'))).toBe(false);
  });
});

describe('when values have every type that a column can have', () => {
  const table: MsiTableRecipe = {
    name: 'Everything',
    columns: columns('Key:s72*', 'Small:I2', 'Large:I4', 'Text:L0', 'Stream:V0'),
    rows: [
      ['a', 0, 0, 'text', 1],
      ['b', -32767, -2147483647, undefined, undefined],
      ['c', 32767, 2147483647, 'x'.repeat(70_000), undefined],
      ['d', undefined, undefined, 'text', 1],
    ],
  };

  it.each([
    ['two', false],
    ['three', true],
  ])('reads them with string numbers of %s bytes', (_name, hasLongReferences) => {
    const { database, findings } = open(buildMsi({ tables: [properties, table], hasLongReferences }));
    expect(findings).toEqual([]);
    expect([...(database.tables.get('Everything')?.rows() ?? [])].map((row) => [...row.values()])).toEqual(
      table.rows,
    );
    expect(database.tables.get('Everything')?.columns).toMatchObject([
      { name: 'Key', kind: 'string', size: 72, isKey: true, isNullable: false },
      { name: 'Small', kind: 'integer', width: 2, isNullable: true },
      { name: 'Large', kind: 'integer', width: 4 },
      { name: 'Text', kind: 'string', isLocalizable: true },
      { name: 'Stream', kind: 'binary', width: 2 },
    ]);
  });

  it.each<[string, number, string, readonly number[]]>([
    ['936', 936, '聊天', [0xc1, 0xc4, 0xcc, 0xec]],
    ['932', 932, '日本', [0x93, 0xfa, 0x96, 0x7b]],
    ['1252', 1252, 'Café', [0x43, 0x61, 0x66, 0xe9]],
    ['65001', 65001, 'Café', [0x43, 0x61, 0x66, 0xc3, 0xa9]],
    ['neutral, with UTF-8 in it', 0, 'Café', [0x43, 0x61, 0x66, 0xc3, 0xa9]],
  ])('reads text in code page %s', (_name, codePage, text, stored) => {
    const bytes = buildMsi({
      codePage,
      encode: (each) => (each === text ? Uint8Array.from(stored) : Buffer.from(each, 'latin1')),
      tables: [{ ...properties, rows: [['ProductName', text]] }],
    });
    const { database, findings } = open(bytes);
    expect(findings).toEqual([]);
    expect(database.codePage).toBe(codePage);
    expect([...(database.tables.get('Property')?.rows() ?? [])][0]?.get('Value')).toBe(text);
  });

  it('says that it does not know a code page', () => {
    const { findings } = open(buildMsi({ codePage: 4711, tables: [properties] }));
    expect(findings).toMatchObject([{ code: 'unsupported/feature', incomplete: false }]);
  });
});

describe('when folders are put together to paths', () => {
  it.each<[string, readonly (readonly (string | undefined)[])[], string]>([
    [
      'a system folder, whatever stands above it',
      [
        ['TARGETDIR', undefined, 'SourceDir'],
        ['ProgramFilesFolder', 'TARGETDIR', 'PFiles'],
        ['TARGET', 'ProgramFilesFolder', 'SKYPEL~1|Long Folder'],
      ],
      'ProgramFilesFolder/Long Folder/Long name.exe',
    ],
    [
      'a folder of target and source',
      [
        ['TARGETDIR', undefined, 'SourceDir'],
        ['TARGET', 'TARGETDIR', 'Short|Target Name:src|Source Name'],
      ],
      'TARGETDIR/Target Name/Long name.exe',
    ],
    [
      'a folder that is its parent',
      [
        ['TARGETDIR', undefined, 'SourceDir'],
        ['TARGET', 'TARGETDIR', '.:source'],
      ],
      'TARGETDIR/Long name.exe',
    ],
    ['a folder that is a root', [['TARGET', 'TARGET', 'Root']], 'Root/Long name.exe'],
    ['a folder of which nothing is known', [], 'TARGET/Long name.exe'],
    ['a folder whose parent is not there', [['TARGET', 'NOWHERE', 'Name']], 'NOWHERE/Name/Long name.exe'],
  ])('%s', async (_name, directories, path) => {
    expect(await pathOf(installing(directories))).toBe(path);
  });

  it('folders in a circle end, and are told', async () => {
    const bytes = buildMsi(
      installing([
        ['TARGET', 'B', 'a'],
        ['B', 'C', 'b'],
        ['C', 'TARGET', 'c'],
      ]),
    );
    const result = await readAll(msiFormat, bytes);
    expect(result.findings).toMatchObject([{ code: 'malformed/cycle' }]);
    expect(result.reading?.facts.find(({ kind }) => kind === 'memberName')?.value).toBe(
      'c/b/a/Long name.exe',
    );
  });

  it('a path that climbs out of its folder is told', async () => {
    const result = await readAll(msiFormat, buildMsi(installing([['TARGET', 'TARGETDIR', '..']])));
    expect(result.findings).toMatchObject([{ code: 'malformed/name' }]);
  });
});

describe('when files are not in the package', () => {
  const folders = [['TARGET', 'TARGETDIR', 'x']] as const;
  const file = (attributes: number | undefined): readonly (string | number | undefined)[] => [
    'key.exe',
    'C',
    'a.exe',
    1,
    undefined,
    undefined,
    attributes,
    1,
  ];

  it.each<[string, MsiRecipe, string | undefined, string]>([
    [
      'a cabinet beside it',
      installing(folders, {}, [file(undefined)], [[1, 10, undefined, 'data1.cab', undefined, undefined]]),
      'unreadable/missing',
      'data1.cab',
    ],
    [
      'a cabinet that is promised',
      installing(folders, { streams: [] }, [file(undefined)]),
      'malformed/structure',
      'disk.cab',
    ],
    ['a file that says so', installing(folders, {}, [file(0x2000)]), 'unreadable/missing', 'a.exe'],
    [
      'a package that says so',
      installing(folders, { summary: [[15, 0]] }, [file(undefined)]),
      'unreadable/missing',
      'a.exe',
    ],
    [
      'nothing, when a file says that it is compressed',
      installing(folders, { summary: [[15, 0]] }, [file(0x4000)]),
      undefined,
      '',
    ],
  ])('it says so for %s', async (_name, recipe, code, text) => {
    const { findings } = await readAll(msiFormat, buildMsi(recipe));
    expect(findings.map((finding) => finding.code)).toEqual(code === undefined ? [] : [code]);
    expect(findings[0]?.message ?? '').toContain(text);
  });
});

describe('when something is in a package that no table names', () => {
  it('is a member all the same', async () => {
    const payload = Buffer.from('MZ payload');
    const bytes = buildMsi({
      tables: [properties],
      streams: [
        { name: 'left.over', data: payload },
        { name: 'hidden.cab', data: Buffer.from('MSCF hidden') },
      ],
      entries: [
        { name: encodeStreamName('NoTable', true), data: payload },
        { name: 'Transform', entries: [{ name: encodeStreamName('inner.dll', false), data: payload }] },
      ],
      cfb: {
        orphans: [{ name: encodeStreamName('lost.dll', false), data: payload }],
        trailing: Buffer.from('PK appended'),
      },
    });
    const result = await readAll(msiFormat, bytes);
    expect(result.members.map(({ name }) => name).sort()).toEqual([
      '!NoTable',
      'Transform/inner.dll',
      '[cab] hidden.cab',
      '[orphan]/lost.dll',
      '[strings]',
      '[trailing]',
      'left.over',
    ]);
    expect(idOf(bytes)).toBe('msi');
  });
});

describe('when it is a patch or a transform', () => {
  it('a patch is incomplete, a transform is a compound file', async () => {
    const patch = buildMsi({
      clsid: '{000C1086-0000-0000-C000-000000000046}',
      tables: [properties],
      summary: [[9, '{A}']],
    });
    expect(idOf(patch)).toBe('msp');
    const result = await readAll(mspFormat, patch);
    expect(result.findings).toMatchObject([{ code: 'unsupported/feature', incomplete: true }]);
    expect(factsOf(result, 'msiProperty')).toMatchObject({ PatchCode: '{A}' });
    expect(idOf(buildMsi({ clsid: '{000C1082-0000-0000-C000-000000000046}', tables: [properties] }))).toBe(
      'ole',
    );
  });
});

describe('when the tables are malformed', () => {
  /** The package, with streams put in place of its own. */
  function replacing(streams: Record<string, Uint8Array | undefined>): Uint8Array {
    const { file } = open(buildMsi({ tables: [properties] })).database;
    const entries = file.root.children.flatMap((entry) => {
      const { text } = decodeStreamName(entry.name);
      const source = file.openStream(entry);
      const bytes = text in streams ? streams[text] : source.read(0, source.size);
      return bytes === undefined ? [] : [{ name: entry.name, data: bytes }];
    });
    return buildCfb({ clsid: toClassIdBytes(packageClassId), entries });
  }

  it.each<[string, Record<string, Uint8Array | undefined>, string]>([
    ['no strings', { _StringData: undefined }, 'malformed/structure'],
    ['strings that are cut', { _StringData: Buffer.from('short') }, 'malformed/size-mismatch'],
    ['a pool without strings', { _StringPool: Buffer.alloc(0) }, 'none'],
    [
      'a string of 4 GiB',
      { _StringPool: Buffer.from([0, 0, 0, 0, 0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff]) },
      'malformed/size-mismatch',
    ],
    ['a table that is no multiple of its rows', { Property: Buffer.alloc(7) }, 'malformed/size-mismatch'],
    ['a table without columns', { _Columns: undefined }, 'malformed/structure'],
    ['columns that are described twice', { _Columns: Buffer.alloc(80, 1) }, 'malformed/structure'],
  ])('says so for %s', (_name, streams, code) => {
    const { findings, database } = open(replacing(streams));
    if (code === 'none') expect(database.tables.size).toBe(0);
    else expect(findings.map((finding) => finding.code)).toContain(code);
    for (const table of database.tables.values()) expect([...table.rows()].length).toBe(table.rowCount);
  });

  it('string numbers that lead nowhere are no value', () => {
    const { database } = open(replacing({ Property: Buffer.alloc(12, 0xff) }));
    for (const row of database.tables.get('Property')?.rows() ?? [])
      expect([...row.values()]).toEqual([undefined, undefined]);
  });

  it('an empty package is one', async () => {
    const result = await readAll(msiFormat, buildMsi({ tables: [] }));
    expect(result.thrown).toBeUndefined();
  });
});

describe('when summary information is malformed', () => {
  function summaryOf(bytes: Uint8Array): { codes: string[]; count: number } {
    const codes: string[] = [];
    const { properties: found } = readSummary(toByteSource(bytes), ({ code }) => codes.push(code));
    return { codes, count: found.length };
  }
  const head = (...numbers: readonly number[]): Buffer => {
    const buffer = Buffer.alloc(48 + numbers.length * 4);
    buffer.writeUInt16LE(0xfffe, 0);
    buffer.writeUInt32LE(1, 24);
    buffer.writeUInt32LE(48, 44);
    for (const [index, number] of numbers.entries()) buffer.writeUInt32LE(number, 48 + index * 4);
    return buffer;
  };

  const padded = (size: number): Buffer => {
    const start = head(20, 1, 14, 16, 3, 200);
    return Buffer.concat([start, Buffer.alloc(size - start.length)]);
  };

  it.each<[string, Uint8Array, string[], number]>([
    ['no property set', Buffer.alloc(100), ['malformed/header'], 0],
    ['an empty one', new Uint8Array(0), ['malformed/out-of-range'], 0],
    ['a million properties', head(8, 1_000_000), ['limit/count'], 0],
    ['a place outside', head(16, 1, 4, 9999), ['malformed/out-of-range'], 0],
    ['text of 4 GiB', head(24, 1, 4, 16, 30, 0xffffffff), ['malformed/out-of-range'], 0],
    ['text of UTF-16 without an end', head(24, 1, 4, 16, 31, 0x7fffffff), ['malformed/out-of-range'], 0],
    ['a time at the end of time', head(28, 1, 12, 16, 64, 0xffffffff, 0xffffffff), [], 0],
    ['an unknown type', head(20, 1, 4, 16, 8), [], 0],
    ['a number', head(20, 1, 14, 16, 3, 200), [], 1],
    ['a number in 64 KiB', padded(summaryBytesMax), [], 1],
    ['a number in more than that', padded(summaryBytesMax + 1), ['limit/memory'], 1],
  ])('%s', (_name, bytes, codes, count) => {
    expect(summaryOf(bytes)).toEqual({ codes, count });
  });

  it('times are those of the calendar', () => {
    expect(tryIsoTime(129_399_248_320_000_000n)).toBe('2011-01-19T15:33:52.000Z');
    expect(tryIsoTime(0n)).toBeUndefined();
    expect(tryIsoTime(0xffffffffffffffffn)).toBeUndefined();
  });
});

describe('when packages are damaged at random', () => {
  it('2,000 mutants neither crash nor hang', async () => {
    const seed = buildMsi(
      installing([
        ['TARGETDIR', undefined, 'SourceDir'],
        ['TARGET', 'TARGETDIR', 'x'],
      ]),
    );
    expect(seed.length).toBeLessThan(10_000);
    let damaged = 0;
    let slowest = 0;
    for (const { bytes, description } of mutate(seed, 2000, 31)) {
      const started = performance.now();
      const result = await readAll(msiFormat, bytes);
      slowest = Math.max(slowest, performance.now() - started);
      if (result.faults > 0) damaged += 1;
      expect(
        result.members.reduce((sum, member) => sum + member.bytes.length, 0),
        description,
      ).toBeLessThanOrEqual(bytes.length * 3 + 4096);
      idOf(bytes);
    }
    expect(damaged).toBeGreaterThan(300);
    expect(slowest).toBeLessThan(1000);
  });

  it('500 mutants of a real tool neither', async () => {
    for (const { bytes } of mutate(fixture('phone.msm'), 500, 32)) {
      const started = performance.now();
      await readAll(msmFormat, bytes);
      expect(performance.now() - started).toBeLessThan(1000);
    }
  });
});

describe.skipIf(!corpus.available)('when the merge module is a real one', () => {
  it('tells what msiinfo tells', async () => {
    const source = openFile(corpus.path('windows-skype4com-1.0.36.0-merge-module/Skype4COM.msm'));
    expect(identify(readUpTo(source, 0, 4096), source).id).toBe('msm');
    const result = await readAll(msmFormat, source);
    expect(result.faults).toBe(0);
    expect(factsOf(result, 'msiProperty')).toMatchObject({
      Author: 'Skype Technologies',
      Subject: 'Skype for COM',
      Template: 'Intel;1033',
      PackageCode: '{8915F3D6-4910-4B5E-8254-C449E6B1EAD1}',
      CreateTime: '2011-01-19T15:33:52.000Z',
      ModuleVersion: '1.0.36',
    });
    expect(result.reading?.facts).toContainEqual({
      kind: 'createdBy',
      name: 'WiX 2.0.5805.0',
      value: 'Windows Installer XML v2.0.5805.0 (candle/light)',
    });
    expect(factsOf(result, 'msiTable')).toMatchObject({ Registry: 660, File: 1, _Validation: 67 });
    const file = result.reading?.facts.find(({ kind }) => kind === 'memberName');
    expect(file?.value).toBe('CommonFilesFolder/Skype/Skype4COM.dll');
    expect(file?.detail).toMatchObject({ size: 2_254_216, version: '1.0.36.0' });
    expect(result.members.map(({ name, bytes }) => `${name} ${bytes.length}`)).toEqual([
      '[strings] 82450',
      '[cab] MergeModule.CABinet 627842',
    ]);
    source.close();
  });
});
