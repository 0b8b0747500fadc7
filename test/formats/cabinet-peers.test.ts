import { describe, expect, it } from 'vitest';
import { buildCabinet, type CabinetFileSpec } from '../../fixtures/cabinet-builder.ts';
import { type ByteSource, toByteSource } from '../../src/bytes/byte-source.ts';
import { Budget } from '../../src/bytes/budget.ts';
import type { Format } from '../../src/formats/model.ts';
import { tryListCabinet } from '../../src/formats/sevenzip/cabinet.ts';
import { readWithSevenZip } from '../../src/formats/sevenzip/index.ts';
import { mutate } from '../mutation.ts';
import { makeText } from '../sample-text.ts';
import { identifySevenZip, type PouredMember, pourAll, type PourResult } from './sevenzip-pouring.ts';

const cabinetFormat = identifySevenZip(toByteSource(buildCabinet([])));
/** As 7-Zip lists and unpacks it. */
const bySevenZip: Format = {
  ...cabinetFormat,
  read: (source, context) => readWithSevenZip({ type: 'cab' }, source, context),
};

type Compared = Omit<PourResult, 'members' | 'passes'> & {
  readonly members: readonly Omit<PouredMember, 'chunks'>[];
};

function toCompared({ members, passes: _passes, ...rest }: PourResult): Compared {
  return { ...rest, members: members.map(({ chunks: _chunks, ...member }) => member) };
}

async function expectSame(bytes: Uint8Array, description = ''): Promise<PourResult> {
  const ours = await pourAll(bytes, {}, cabinetFormat);
  expect(toCompared(ours), description).toEqual(toCompared(await pourAll(bytes, {}, bySevenZip)));
  return ours;
}

const isListed = (bytes: Uint8Array): boolean => {
  const source: ByteSource = toByteSource(bytes);
  return tryListCabinet(source, new Budget(source.size)) !== undefined;
};

const file = (name: CabinetFileSpec['name'], size: number, attributes?: number): CabinetFileSpec => ({
  name,
  content: makeText(size, size + 1),
  ...(attributes === undefined ? {} : { attributes }),
});

const several = buildCabinet([
  { isPacked: true, files: [file('a.txt', 70_000), file('empty', 0), file('Folder\\b.txt', 5)] },
  { isPacked: false, files: [file('stored.bin', 40_000)] },
  { isPacked: true, files: [file('软件/说明.txt', 1000), file('c', 32_768)] },
]);

describe('when a cabinet is listed without 7-Zip', () => {
  it('says the same of several folders, packed and not, with reserves and without checksums', async () => {
    expect(isListed(several)).toBe(true);
    const { members } = await expectSame(several);
    expect(members.map(({ name, size }) => [name, size])).toEqual([
      ['a.txt', 70_000],
      ['empty', 0],
      ['Folder/b.txt', 5],
      ['stored.bin', 40_000],
      ['软件/说明.txt', 1000],
      ['c', 32_768],
    ]);
    const files = [file('a', 100_000), file('b', 1)];
    for (const options of [{ areUnchecked: true }, { reserve: [20, 3, 5] as const }]) {
      const cabinet = buildCabinet(
        [
          { isPacked: true, files },
          { isPacked: true, files: [file('z', 40_000)] },
        ],
        options,
      );
      expect(isListed(cabinet)).toBe(true);
      await expectSame(cabinet);
    }
  });

  const asciiNames = [
    '../up',
    '/rooted',
    '\\rooted',
    'C:\\x',
    'c:x',
    './dot',
    'a//b',
    'a\\..\\b',
    ' lead',
    'trail ',
    'trail.',
    'CON',
    'a = b',
    '----------',
    '--',
    'Path = x',
    '{',
    '}',
    '*',
    '?',
    'a|b<c>"d"',
    '%00',
    '~',
    'x'.repeat(255),
    '$&',
    'ERRORS:',
  ];
  it.each(asciiNames)('says the same of a file called "%s"', async (name) => {
    const cabinet = buildCabinet([{ isPacked: true, files: [file(name, 10), file('next', 20)] }]);
    expect(isListed(cabinet)).toBe(true);
    await expectSame(cabinet);
  });

  const otherNames = [
    'é',
    'ü\u0308',
    '中文 名.exe',
    '\u{1f600}.txt',
    '\u3000',
    'a\u00a0b',
    '\u{20000}',
    '\ufffd',
    '한국어',
    'ß→€',
    'x\u0301y',
    'עברית',
    '\u{1d11e}',
  ];
  it.each(otherNames)('says the same of a file called "%s", said to be UTF-8', async (name) => {
    await expectSame(buildCabinet([{ isPacked: true, files: [file(name, 10), file('next', 20)] }]));
  });

  it('leaves to 7-Zip what it might name or list otherwise', async () => {
    const cabinets: Readonly<Record<string, readonly CabinetFileSpec[]>> = {
      'a name in no known code page': [file(Uint8Array.of(0xd6, 0xd0), 10)],
      'a name that is not UTF-8': [file(Uint8Array.of(0xff, 0x41), 10, 0xa0)],
      'a control character': [file('a\u0007b', 10)],
      'a line end': [file('a\nb', 10)],
      'a delete character': [file('a\u007fb', 10)],
      'a mark of direction': [file('a\u202eb', 10)],
      'a private letter': [file('a\ue000b', 10)],
      'a mark of byte order': [file('\ufeffa', 10)],
      'no name': [file('', 10), file('b', 1)],
      'a name of a space': [file(' ', 10), file('b', 1)],
      'a name that ends as a folder': [file('a\\', 10)],
      'a name that is too long': [file('x'.repeat(256), 10)],
      'a folder': [file('a', 0, 0x10)],
      'a link': [file('a', 10, 0x420)],
      'a file twice': [file('a', 0), file('a', 0), file('b', 5)],
    };
    for (const [what, files] of Object.entries(cabinets)) {
      const cabinet = buildCabinet([{ isPacked: true, files }]);
      expect(isListed(cabinet), what).toBe(false);
      await expectSame(cabinet, what);
    }
  });

  it('leaves to 7-Zip what does not follow each other, belongs to a set, or is not all of the file', async () => {
    const changed = (change: (view: DataView, bytes: Uint8Array) => void): Uint8Array => {
      const bytes = several.slice();
      change(new DataView(bytes.buffer), bytes);
      return bytes;
    };
    const cabinets: Readonly<Record<string, Uint8Array>> = {
      'bytes behind it': Uint8Array.of(...several, 1, 2, 3),
      'zeros behind it': Uint8Array.of(...several, 0, 0, 0),
      'an end too early': several.subarray(0, several.length - 7),
      'the next cabinet of a set': changed((view) => view.setUint16(30, 2, true)),
      'reserved numbers': changed((view) => view.setUint32(12, 1, true)),
      'another version': changed((view) => view.setUint16(24, 0x0104, true)),
      'no files': changed((view) => view.setUint16(28, 0, true)),
      'fewer files': changed((view) => view.setUint16(28, 3, true)),
      'a folder that is not there': changed((view) => view.setUint16(60 + 8, 9, true)),
      'data in front of the tables': changed((view) => view.setUint32(36, 4, true)),
      LZX: changed((view) => view.setUint16(36 + 6, 0x1503, true)),
    };
    for (const [what, cabinet] of Object.entries(cabinets)) {
      if (what !== 'fewer files') expect(isListed(cabinet), what).toBe(false);
      await expectSame(cabinet, what);
    }
  });

  it('leaves damaged data to 7-Zip, with the list that it made', async () => {
    const cabinet = several.slice();
    cabinet.fill(0x5a, cabinet.length - 300, cabinet.length - 280);
    expect(isListed(cabinet)).toBe(true);
    const { members } = await expectSame(cabinet);
    expect(members.at(-1)?.finding?.code).toBe('malformed/compressed-data');
  });

  it('says the same of 80 mutants', async () => {
    let listed = 0;
    for (const { bytes, description } of mutate(several, 80, 5)) {
      if (!cabinetFormat.probe(bytes, toByteSource(bytes))) continue;
      if (isListed(bytes)) listed += 1;
      await expectSame(bytes, description);
    }
    expect(listed).toBeGreaterThan(5);
  });
});
