import { describe, expect, it } from 'vitest';
import {
  type BuiltFile,
  buildSevenZ,
  type SevenZOptions,
  wrapSevenZ,
} from '../../../fixtures/sevenz-builder.ts';
import { Budget, defaultLimits } from '../../../src/bytes/budget.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import type { Finding } from '../../../src/formats/model.ts';
import { tryUnpackPiece } from '../../../src/formats/pieces.ts';
import { pourArchive } from '../../../src/formats/sevenz/archive.ts';
import { pourAll } from '../sevenzip-pouring.ts';
import { ours, pourBoth, readPlain } from './comparison.ts';

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));
const unix = (mode: number): number => (0x8000 | (mode << 16)) >>> 0;
const link = unix(0xa1ff);
const after: BuiltFile = { name: 'z', bytes: text('Z') };

interface Case {
  readonly title: string;
  readonly files: readonly BuiltFile[];
  readonly options?: SevenZOptions;
  /** Of the members that are not whole. */
  readonly codes?: readonly string[];
}

/** What the reader of ours takes on. */
const plain: readonly Case[] = [
  {
    title: 'folders with every attribute',
    files: [0x10, 0x11, 0x12, 0x14, 0x17, 0x2010, unix(0x41ed) | 0x11]
      .map((attributes, index): BuiltFile => ({ name: `folder ${index}`, attributes }))
      .concat({ name: 'folder 0/x', bytes: text('x'), attributes: 0x21 }),
  },
  {
    title: 'links, whatever they point to',
    files: ['x', 'x\0y', '\u0001', '../../../etc/passwd', '/', 'x/\ny/', 'y'.repeat(1000)].flatMap(
      (target, index): readonly BuiltFile[] => [
        { name: `link ${index}`, bytes: text(target), attributes: link },
        { name: `file ${index}`, bytes: text(`${index}`) },
      ],
    ),
  },
  {
    title: 'a link with a wrong checksum in a solid folder',
    files: [{ name: 'l', bytes: text('zz'), attributes: link, crc32: 5 }, after],
    options: { isSolid: true },
  },
  {
    title: 'a file with a wrong checksum',
    files: [{ name: 'a', bytes: text('A') }, { name: 'b', bytes: text('BB'), crc32: 1 }, after],
    options: { isSolid: true },
    codes: ['malformed/checksum'],
  },
  {
    title: 'names that are safe and odd',
    files: [
      'C:/a',
      'c:',
      'd\\e',
      'CON',
      'a.',
      'a ',
      ' ',
      '...',
      '.hidden',
      'a:b:c',
      'a<>|?*"',
      'é\u0301',
      '\u202e\u200b',
      '😀',
      '文件夹/说明.txt',
      'n'.repeat(1000),
    ].map((name): BuiltFile => ({ name, bytes: text(name) })),
  },
  {
    title: 'names that are there more than once',
    files: ['same', 'same', 'x/same', 'same/child'].map((name, index) => ({ name, bytes: text(`${index}`) })),
  },
  {
    title: 'empty files everywhere',
    files: [
      { name: 'a', bytes: text('') },
      { name: 'b', bytes: text('B') },
      { name: 'c', bytes: text('') },
      { name: 'd', bytes: text('D') },
      { name: 'e', bytes: text(''), hasStream: true },
      { name: 'f', bytes: text('') },
    ],
    options: { isSolid: true },
  },
  { title: 'nothing but an empty file', files: [{ name: 'a', bytes: text('') }, { name: 'b' }] },
  {
    title: 'a program that may do everything',
    files: [{ name: 'a', bytes: text('A'), attributes: unix(0x8fff) }],
  },
  {
    title: 'padding in the header',
    files: [after],
    options: { extraProperty: Uint8Array.of(0x19, 2, 0, 0) },
  },
];

/** What it leaves to 7-Zip. */
const odd: readonly Case[] = [
  ...[
    '.',
    'a/.',
    '../a',
    'a/',
    'a//b',
    '/a',
    '\ue000',
    '\uef80',
    '\ufeffa',
    'a\ufffd',
    'a\u2028b',
    'a\u0085b',
    'a\tb',
    'a\nb',
    '\ud800',
    'n'.repeat(5000),
    '',
  ].map(
    (name): Case => ({
      title: `the name ${JSON.stringify(name).slice(0, 20)}`,
      files: [{ name, bytes: text('A') }, after],
    }),
  ),
  ...[0x1000, 0x2000, 0x6000, 0xc000, 0, 0x4000].map(
    (kind): Case => ({
      title: `a file of the kind ${kind.toString(16)}`,
      files: [{ name: 'a', bytes: text('A'), attributes: unix(kind | 0o644) }, after],
    }),
  ),
  { title: 'an empty link', files: [{ name: 'a', bytes: text(''), attributes: link }, after] },
  { title: 'a long link', files: [{ name: 'a', bytes: text('y'.repeat(1025)), attributes: link }, after] },
  { title: 'a reparse point', files: [{ name: 'a', bytes: text('A'), attributes: 0x420 }, after] },
  {
    title: 'a file that says that it is a folder',
    files: [{ name: 'a', bytes: text('A'), attributes: 0x10 }, after],
  },
  {
    title: 'an empty file with a checksum',
    files: [{ name: 'a', bytes: text(''), hasStream: true, crc32: 7 }, after],
    options: { isSolid: true },
  },
  {
    title: 'a property that is not known',
    files: [after],
    options: { extraProperty: Uint8Array.of(0x30, 1, 5) },
  },
  {
    title: 'padding that is not empty',
    files: [after],
    options: { extraProperty: Uint8Array.of(0x19, 2, 0, 1) },
  },
  { title: 'a method that is not known', files: [after], options: { method: Uint8Array.of(4) } },
  { title: 'encryption', files: [after], options: { method: Uint8Array.of(6, 0xf1, 7, 1) } },
];

describe.each(plain)('when an archive has $title', ({ files, options, codes = [] }) => {
  it('reads it as 7-Zip does', async () => {
    const bytes = buildSevenZ(files, options);
    expect(readPlain(bytes)?.items.length).toBe(files.length);
    const [mine, others] = await pourBoth(bytes);
    expect(mine).toEqual(others);
    expect(mine.members.flatMap(({ finding }) => finding?.code ?? [])).toEqual(codes);
  });
});

describe.each(odd)('when an archive has $title', ({ files, options }) => {
  it('leaves it to 7-Zip', () => {
    expect(readPlain(buildSevenZ(files, options))).toBeUndefined();
  });
});

const three: readonly BuiltFile[] = [
  { name: 'a', bytes: text('A'.repeat(1000)) },
  { name: 'b', bytes: text('B'.repeat(2000)) },
  { name: 'c', bytes: text('C'.repeat(3000)) },
];

describe('when an archive is not whole, or has more behind it', () => {
  it('leaves what is cut to 7-Zip', () => {
    const bytes = buildSevenZ(three);
    for (let length = 0; length < bytes.length; length += 97)
      expect(readPlain(bytes.subarray(0, length))).toBeUndefined();
  });

  it('leaves every header with a changed byte to 7-Zip', () => {
    const bytes = buildSevenZ(three);
    for (const at of [...Array(32).keys(), bytes.length - 1, bytes.length - 20]) {
      // The second half of the version says nothing.
      if (at === 7) continue;
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x40;
      expect(readPlain(changed), `byte ${at}`).toBeUndefined();
    }
  });

  it.each([
    ['zeros', new Uint8Array(100), 0],
    ['something', text('behind it'), 1],
  ])('tells of %s behind it what 7-Zip tells', async (_what, tail, faults) => {
    const bytes = new Uint8Array(Buffer.concat([buildSevenZ(three), tail]));
    expect(readPlain(bytes)).toBeDefined();
    const [mine, others] = await pourBoth(bytes);
    expect(mine).toEqual(others);
    expect(mine.faults).toBe(faults);
  });

  it('finds it behind the configuration of a self-extractor, with the right offset', async () => {
    const bytes = Buffer.concat([
      text(';!@Install@!UTF-8!\n;!@InstallEnd@!'),
      buildSevenZ(three),
      text('tail'),
    ]);
    const result = await pourAll(new Uint8Array(bytes));
    expect([result.format, result.members.map(({ name }) => name)]).toEqual(['7z-sfx', ['a', 'b', 'c']]);
    expect(result.findings.map(({ offset }) => offset)).toEqual([bytes.length - 4]);
  });
});

describe('when a header lies about counts', () => {
  it('takes no memory for what cannot be there', () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0];
    const headers = [
      [1, 5, ...huge],
      [1, 5, 0xc0, 0xff, 0xff, 0x0f],
      [1, 4, 6, 0, ...huge],
      [1, 4, 6, 0, 1, 9, 1, 0, 7, 0x0b, 0xe0, 0xff, 0xff, 0xff],
      [1, 4, 6, 0, 1, 9, 1, 0, 7, 0x0b, 1, 0, 0x7f],
      // A folder of 2^28 files.
      [1, 4, 6, 0, 1, 9, 1, 0, 7, 0x0b, 1, 0, 1, 1, 0, 0x0c, 1, 0, 8, 0x0d, 0xf0, 0, 0, 0, 0x10, 9],
      [0x17, 6, 0, 1, 9, 1, 0, 7, 0x0b, 1, 0, 1, 1, 0, 0x0c, ...huge],
      [],
    ];
    for (const header of headers) {
      const started = performance.now();
      expect(readPlain(wrapSevenZ(text('x'), Uint8Array.from(header)))).toBeUndefined();
      expect(performance.now() - started).toBeLessThan(200);
    }
  });

  it('leaves more members than there may be to 7-Zip, which tells of it', async () => {
    const bytes = buildSevenZ(three);
    const result = await pourAll(bytes, { limits: { members: 2 } }, ours);
    expect(result.findings.map(({ code }) => code)).toEqual(['limit/members']);
  });
});

describe('when there is no room for all members at once', () => {
  it.each([false, true])('goes on from any of them (solid: %s)', async (isSolid) => {
    const bytes = buildSevenZ([{ name: '0', bytes: text('') }, ...three, { name: '9', bytes: text('') }], {
      isSolid,
    });
    const whole = await pourAll(bytes, {}, ours);
    for (const membersPerPass of [1, 2, 3]) {
      const [mine, others] = await pourBoth(bytes, { membersPerPass });
      expect(mine).toEqual(others);
      expect(mine.members).toEqual(whole.members);
      expect(mine.passes.length).toBe(Math.ceil(5 / membersPerPass));
    }
  });

  it('stops in a member of which no more is wanted', async () => {
    const bytes = buildSevenZ(three, { isSolid: true });
    const [mine, others] = await pourBoth(bytes, { limits: { bytesProduced: 2500 } });
    expect(mine).toEqual(others);
    expect(mine.members.map(({ finding }) => finding?.code)).toEqual([undefined, 'limit/bytes']);
  });

  it('says so when time is up, and leaves no member open', () => {
    const bytes = buildSevenZ([...three, { name: 'd', bytes: new Uint8Array(600_000) }]);
    const archive = readPlain(bytes);
    if (archive === undefined) throw new Error('is not read');
    for (const [checks, whole, open] of [
      [1, 1, 0],
      [3, 3, 0],
      [4, 3, 1],
      [6, 4, 0],
    ] as const) {
      let now = -checks;
      const findings: Finding[] = [];
      const ends: (string | undefined)[] = [];
      const next = pourArchive(
        toByteSource(bytes),
        archive,
        {
          // The clock goes on each time that it is looked at; the first time is when it starts.
          budget: new Budget(bytes.length, { ...defaultLimits, milliseconds: 0 }, () => Math.max(0, now++)),
          report: (finding) => findings.push(finding),
        },
        {
          begin: () => ({ write: () => true, end: (finding) => ends.push(finding?.code) }),
          refuse: () => expect.unreachable(),
        },
        0,
      );
      expect(next).toBeUndefined();
      expect(ends).toEqual([...Array.from({ length: whole }), ...(open === 1 ? ['limit/time'] : [])]);
      expect(findings.map(({ code, consequence }) => [code, consequence])).toEqual(
        whole === 4 ? [] : [['limit/time', 'the members from there on were not looked at']],
      );
    }
  });
});

describe('when folders are unpacked ahead', () => {
  it('takes what is there, and unpacks the others', () => {
    const bytes = buildSevenZ([...three, { name: 'd', bytes: text('') }]);
    const source = toByteSource(bytes);
    const archive = readPlain(bytes);
    if (archive === undefined) throw new Error('is not read');
    for (const from of [0, 1]) {
      const taken: number[] = [];
      const poured: string[] = [];
      pourArchive(
        source,
        archive,
        {
          budget: new Budget(bytes.length),
          report: () => expect.unreachable(),
          unpackers: {
            begin: (given, pieces) => {
              expect([given, pieces]).toEqual([source, archive.folders.slice(from)]);
              return {
                take(index) {
                  taken.push(index);
                  const piece = pieces[index];
                  if (piece === undefined || index === 1) return undefined;
                  const output = new Uint8Array(piece.size);
                  return tryUnpackPiece(source, piece, output) ? output : undefined;
                },
              };
            },
          },
        },
        {
          begin: ({ name }) => {
            let size = 0;
            return {
              write: (chunk) => {
                size += chunk.length;
                return true;
              },
              end: (finding) => poured.push(`${name} ${size} ${finding?.code}`),
            };
          },
          refuse: () => expect.unreachable(),
        },
        from,
      );
      expect(taken).toEqual([0, 1, 2].slice(0, 3 - from));
      expect(poured).toEqual(
        ['a 1000 undefined', 'b 2000 undefined', 'c 3000 undefined', 'd 0 undefined'].slice(from),
      );
    }
  });
});
