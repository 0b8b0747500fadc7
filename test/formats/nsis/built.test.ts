import { describe, expect, it } from 'vitest';
import { hasTools } from '../../end-to-end/packing.ts';
import { createRandom } from '../../mutation.ts';
import { pourAll } from '../sevenzip-pouring.ts';
import {
  type Built,
  buildHeader,
  buildInstaller,
  type Instruction,
  type Kind,
  type TextPart,
  toPositions,
} from './builder.ts';
import { expectSame, isReadHere, ours } from './comparing.ts';

const canPackLzma = hasTools(['xz']);
if (!canPackLzma)
  console.warn('SKIPPED: built installers with LZMA, because xz is not installed (package xz-utils)');

const operation = {
  setFileAttributes: 10,
  createDir: 11,
  extractFile: 20,
  assignVariable: 25,
  getDialogItem: 35,
  closeFile: 54,
  openFile: 55,
  writeUninstaller: 62,
} as const;
const genericWrite = 0x4000_0000;
const createAlways = 2;

const packings: readonly Built['packing'][] = [
  'stored',
  'deflate',
  'deflate of NSIS 2',
  ...(canPackLzma ? (['lzma', 'solid lzma'] as const) : []),
];
const kinds: readonly Kind[] = ['unicode 3', 'ansi 3', 'ansi 2'];

const ordinary = [
  'a',
  'b.txt',
  'sub\\file.dll',
  'x y',
  'deep\\er\\c',
  '~',
  'file.',
  ' lead',
  'a/b',
  '$$',
  '%',
];
const odd = [
  ...ordinary,
  'C:\\x',
  'q:',
  '$INSTDIR\\z',
  'nested\\',
  '\\',
  '..',
  '/',
  '//x',
  '\xc3\xbc',
  '\xc4\xe3\xba\xc3\\x.txt',
  '\xed\xa0\x80',
  '\xf0\x9f\x98\x80',
  '\xee\xbe\x80',
  '\xef\xbb\xbf',
  'na\u0007me',
];

/** An installer of random instructions; one in four with odd names, attributes and places. */
function makeRandom(random: (bound: number) => number): Built {
  const pick = <T>(values: readonly T[], otherwise: T): T => values[random(values.length)] ?? otherwise;
  const isOdd = random(4) === 0;
  const packing = pick(packings, 'stored');
  const makeText = (): readonly TextPart[] => {
    const parts: TextPart[] = [];
    if (random(2) === 0)
      parts.push({ variable: pick([21, 22, 23, 25, 26, 31, 29, 10, 3, 27, 28, 30, 40], 21) }, '\\');
    else if (random(4) === 0) {
      const folder = [pick([2, 26, 38, 60, 99], 2), pick([2, 35, 12, 70], 2)] as const;
      parts.push(random(2) === 0 ? { language: 5 } : { folder }, '\\');
    }
    if (random(8) !== 0) parts.push(pick(isOdd ? odd : ordinary, 'a'));
    if (random(6) === 0)
      parts.push(pick<TextPart>([{ literal: 'z' }, { variable: 24 }, { language: 200 }], 'b'));
    return parts;
  };
  const items = Array.from({ length: random(5) }, () => {
    const factor = random(256);
    return Uint8Array.from({ length: pick([0, 1, 5, 300, 2000], 0) }, (_, index) => (index % 7) * factor);
  });
  const positions = toPositions({ items, packing });
  const makePosition = (): number =>
    isOdd && random(6) === 0 ? random(400) : (positions[random(Math.max(1, items.length))] ?? 0);
  const makeInstructions = (): readonly Instruction[] => {
    const name = makeText();
    switch (random(10)) {
      case 0:
      case 1:
        return [[operation.createDir, name, 1]];
      case 2:
        return [[operation.assignVariable, pick([31, 29], 31), [{ variable: pick([22, 21], 22) }]]];
      case 3:
        return [
          [operation.extractFile, 0, name, makePosition()],
          [operation.setFileAttributes, name, pick(isOdd ? [1, 2, 16, 0x8000] : [1, 2, 32], 1)],
        ];
      case 4: {
        const which = random(items.length + 1);
        const changes = pick([0, 9, items[which]?.length ?? 7, items[which]?.length ?? 7], 0);
        const other = [{ variable: 21 }, '\\', ...name];
        return [
          [operation.writeUninstaller, name, positions[which] ?? 0, changes, random(2) === 0 ? 0 : other],
        ];
      }
      case 5:
        return [
          [operation.openFile, 0, genericWrite, createAlways, name],
          [operation.closeFile, pick([0, 0, 1], 0)],
        ];
      case 6:
        return [
          isOdd
            ? [random(74), random(3), random(3), 0, random(2), random(2)]
            : [operation.getDialogItem, pick([29, 5], 5), [{ variable: pick([27, 29, 3], 27) }], ['1']],
        ];
      default:
        return [[operation.extractFile, 0, name, makePosition(), 1, 2]];
    }
  };
  return {
    kind: pick(kinds, 'unicode 3'),
    instructions: Array.from({ length: 1 + random(12) }, makeInstructions).flat(),
    items,
    packing,
    is64: random(8) === 0,
  };
}

describe('when the instructions of an installer are random', () => {
  it('reads what it reads as 7-Zip does, in passes of any length', async () => {
    const random = createRandom(4);
    let readHere = 0;
    for (let number = 0; number < 130; number += 1) {
      const built = makeRandom(random);
      const membersPerPass = random(3) === 0 ? 1 + random(3) : Number.POSITIVE_INFINITY;
      const data = buildInstaller(built);
      if (!isReadHere(data)) continue;
      readHere += 1;
      await expectSame(data, { membersPerPass });
    }
    expect(readHere).toBeGreaterThan(25);
  });
});

const file = (name: string, position: number): Instruction => [
  operation.extractFile,
  0,
  [{ variable: 21 }, '\\', name],
  position,
];

describe('when an installer is of NSIS 2', () => {
  it('reads names with the variables of its version', async () => {
    const window: Instruction = [operation.getDialogItem, 5, [{ variable: 27 }], ['1']];
    const oldest: Instruction = [operation.getDialogItem, 29, [{ variable: 27 }], ['1']];
    const named: Instruction = [operation.extractFile, 0, [{ variable: 29 }, { variable: 40 }, 'x'], 0];
    const make = (instructions: readonly Instruction[]): Uint8Array =>
      buildInstaller({ kind: 'ansi 2', instructions, items: [new Uint8Array(9)], packing: 'stored' });
    const names = [];
    for (const instructions of [[named], [window, named], [oldest, named]]) {
      const data = make(instructions);
      expect(isReadHere(data)).toBe(true);
      names.push((await expectSame(data)).members.map(({ name }) => name));
    }
    expect(names).toEqual([['$HWNDPARENT$_8_x'], ['$_OUTDIR$_10_x'], ['$_0_$_11_x']]);
  });

  it('leaves items whose stored blocks zlib does not know to 7-Zip', async () => {
    const content = Uint8Array.from({ length: 500 }, (_, index) => (index * index) & 0xff);
    const packed = buildInstaller({
      kind: 'ansi 2',
      instructions: [file('a', 0)],
      items: [content],
      packing: 'deflate of NSIS 2',
    });
    // The script in stored blocks is for 7-Zip from the start.
    expect(isReadHere(packed)).toBe(false);
    expect((await expectSame(packed)).members.map(({ size }) => size)).toEqual([500]);
  });

  it('leaves forks with other numbers of instructions to 7-Zip', () => {
    const uninstaller: Instruction = [
      operation.writeUninstaller + 1,
      ['un.exe'],
      0,
      0,
      [{ variable: 21 }, '\\', 'un.exe'],
    ];
    const built = { kind: 'ansi 2', instructions: [uninstaller], items: [], packing: 'stored' } as const;
    expect(isReadHere(buildInstaller(built))).toBe(false);
  });
});

describe('when an installer is odd', () => {
  const items = [new Uint8Array(300).fill(7), new Uint8Array(20).fill(8)];
  const built = { kind: 'unicode 3', instructions: [file('a', 0), file('b', 304)], items } as const;

  it('is read without 7-Zip when it is not', () => {
    expect(isReadHere(buildInstaller({ ...built, packing: 'stored' }))).toBe(true);
  });

  it.each([
    ['unknown flags', { flags: 20 }],
    ['an item behind its end', { instructions: [file('a', 5000)] }],
    ['a name that climbs', { instructions: [file('..\\a', 0)] }],
    ['an instruction with too many parameters', { instructions: [[3, 1, 1] as Instruction] }],
    ['a fork of NSIS 2 in Unicode', { kind: 'unicode of a fork' as const }],
  ])('leaves one with %s to 7-Zip', async (_what, change) => {
    const data = buildInstaller({ ...built, packing: 'stored', ...change });
    expect(isReadHere(data)).toBe(false);
    await expectSame(data);
  });

  it('does not read one long name a million times', () => {
    const name = 'x'.repeat(900);
    const instructions = Array.from({ length: 50_000 }, (_, index) => file(name, index));
    const data = buildInstaller({ ...built, instructions, packing: 'stored' });
    const started = performance.now();
    expect(isReadHere(data)).toBe(false);
    expect(performance.now() - started).toBeLessThan(4000);
  });

  it.each([0, 1, 2, 40, 68, 303])('leaves one whose header ends at byte %i to 7-Zip', (length) => {
    const whole = { ...built, packing: 'stored' } as const;
    expect(isReadHere(buildInstaller(whole, buildHeader(whole).subarray(0, length)))).toBe(false);
  });
});

describe.skipIf(!canPackLzma)('when files of solid data share it', () => {
  it('gives each of them the same bytes, whatever their size', async () => {
    // More than is kept.
    const items = [new Uint8Array(17 * 1024 * 1024).fill(1), new Uint8Array(100).fill(2)];
    const [, second = 0] = toPositions({ items, packing: 'solid lzma' });
    const instructions = [
      file('a', 0),
      file('b', 0),
      file('c', second),
      file('d', second),
      file('e', second),
    ];
    const data = buildInstaller({ kind: 'unicode 3', instructions, items, packing: 'solid lzma' });
    expect(isReadHere(data)).toBe(true);
    const { members } = await expectSame(data);
    expect(members.map(({ name, size }) => [name, size])).toEqual([
      ['a', 17 * 1024 * 1024],
      ['b', 17 * 1024 * 1024],
      ['c', 100],
      ['d', 100],
      ['e', 100],
    ]);
    expect(new Set(members.map(({ sha256 }) => sha256)).size).toBe(2);
  });

  it('tells of one that lies inside of another, and of all behind it', async () => {
    const items = [new Uint8Array(300).fill(7), new Uint8Array(20).fill(8)];
    const instructions = [file('a', 0), file('b', 100), file('c', 304)];
    const data = buildInstaller({ kind: 'unicode 3', instructions, items, packing: 'solid lzma' });
    expect(isReadHere(data)).toBe(true);
    expect((await expectSame(data)).members.map(({ finding }) => finding?.code)).toEqual([
      undefined,
      'malformed/compressed-data',
      'malformed/compressed-data',
    ]);
  });

  it('stops when no more is wanted', async () => {
    const items = [new Uint8Array(1_000_000), new Uint8Array(20)];
    const instructions = [file('a', 0), file('b', 1_000_004)];
    const data = buildInstaller({ kind: 'unicode 3', instructions, items, packing: 'solid lzma' });
    const { members } = await pourAll(data, { limits: { bytesProduced: 300_000 } }, ours);
    expect(members.map(({ name, finding }) => [name, finding?.code])).toEqual([['a', 'limit/bytes']]);
  });
});
