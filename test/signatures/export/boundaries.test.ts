import { describe, expect, it } from 'vitest';
import { encodeText } from '../../../src/signatures/compile.ts';
import type { Condition } from '../../../src/signatures/schema.ts';
import { createRandom } from '../../mutation.ts';
import { loadIndicators, toIndicator } from '../database-fixture.ts';
import {
  type Files,
  hasClamscan,
  hasYara,
  runClamscan,
  runTelltaleMatcher,
  runYara,
  writeFiles,
} from './peers.ts';

/** Each kind of literal, alone and combined. */
const conditions: readonly Condition[] = [
  { host: 'skype.tom.com' },
  { host: 'skype.tom.com', subdomains: true },
  { text: 'TOM-Skype', wholeWord: true },
  { text: 'tom-skype', wholeWord: true, ignoreCase: true },
  { text: 'tom-skype', wholeWord: true, encodings: ['utf-16le'] },
  { text: 'Tom-Skype/"\\x' },
  { text: 'keyFILE', ignoreCase: true },
  { text: '软件Zz中', ignoreCase: true },
  { text: '软件Zz中', ignoreCase: true, wholeWord: true },
  { bytes: '00ff4d5a' },
  { all: [{ host: 'skype.tom.com' }, { text: 'keyfile' }] },
  { any: [{ text: 'keyfile' }, { bytes: '00ff4d5a' }, { digest: ['00'.repeat(32)] }] },
  { all: [{ text: 'keyfile' }, { none: [{ host: 'skype.tom.com' }, { bytes: '00ff4d5a' }] }] },
  { all: [{ text: 'keyfile' }, { none: [{ all: [{ host: 'skype.tom.com' }, { bytes: '00ff4d5a' }] }] }] },
  {
    atLeast: 2,
    of: [{ text: 'keyfile' }, { bytes: '00ff4d5a' }, { text: 'TOM-Skype', wholeWord: true }],
  },
];
const database = loadIndicators(conditions.map((when, index) => toIndicator(when, { id: `i${index}` })));

const needles = [
  'skype.tom.com',
  'SKYPE.tom.COM',
  'TOM-Skype',
  'tom-SKYPE',
  'tom-skype',
  'Tom-Skype/"\\x',
  'keyfile',
  '软件zZ中',
  '软件Zz中',
];
const neighbours = [
  '',
  ' ',
  '.',
  '_',
  '-',
  'a',
  'Z',
  '0',
  '@',
  '/',
  '\0',
  '中',
  'é',
  '..',
  'a.',
  '-.',
  '_.',
  '!.',
  '.a',
  '. ',
  '.-',
  '.\0',
  '\n',
];

/** Texts with something on either side, at the ends of a file and in its middle, in tables of strings too. */
function makeFiles(): Files {
  const random = createRandom(20_261_122);
  const pick = <Item>(items: readonly Item[], fallback: Item): Item =>
    items[random(items.length)] ?? fallback;
  const files = new Map<string, Uint8Array>();
  for (let number = 0; number < 500; number += 1) {
    const pieces: Uint8Array[] = [];
    const count = 1 + random(3);
    for (let at = 0; at < count; at += 1) {
      const needle = pick(needles, '');
      const encoding = pick(['ascii', 'utf-16le'] as const, 'ascii');
      const text = pick(neighbours, '') + needle + pick(neighbours, '');
      if (random(3) === 0) pieces.push(...toTableEntry(needle, encoding, random));
      else pieces.push(encodeText(text, encoding));
      if (random(4) === 0) pieces.push(Uint8Array.of(...[0x00, 0xff, 0x4d, 0x5a].slice(random(2))));
      if (random(3) === 0) pieces.push(Uint8Array.of(pick([0x00, 0x20, 0x41, 0x2e], 0)));
      if (at + 1 < count) pieces.push(Uint8Array.from({ length: random(4) * 7 }, () => 0x20));
    }
    // ClamAV passes over files of a few bytes.
    if (random(2) === 0) pieces.push(new Uint8Array(32));
    files.set(`f${String(number).padStart(4, '0')}`, Buffer.concat(pieces));
  }
  return files;
}

/** A length, a text of that many units that begins with the needle, and a zero; at times one too few or too many. */
function toTableEntry(
  needle: string,
  encoding: 'ascii' | 'utf-16le',
  random: (limit: number) => number,
): readonly Uint8Array[] {
  const lengths = [0x2d, 0x2e, 0x30, 0x39, 0x41, 0x5a, 0x5f, 0x61, 0x7a];
  const length = lengths[random(lengths.length)] ?? 0x30;
  const ownUnits = encodeText(needle, encoding).length / (encoding === 'ascii' ? 1 : 2);
  const rest = '/'.repeat(Math.max(0, length - ownUnits + [0, 0, 0, 1, -1][random(5)]!));
  return [encodeText(`\0${String.fromCharCode(length)}${needle}${rest}\0`, encoding)];
}

const files = makeFiles();

describe.skipIf(!hasYara)('when YARA looks for texts beside other texts', () => {
  it('finds what telltale finds, and nothing else', () => {
    const { found, stderr, status } = runYara(database, writeFiles(files));
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const expected = runTelltaleMatcher(database, files);
    expect([...new Set(Object.values(expected).flat())].sort()).toEqual(
      conditions.map((_, index) => `i${index}`).sort(),
    );
    expect(found).toEqual(expected);
  });
});

describe.skipIf(!hasClamscan)('when ClamAV looks for texts beside other texts', () => {
  it('finds what telltale finds, and nothing else', () => {
    const { found, stderr } = runClamscan(database, writeFiles(files));
    expect(stderr).toBe('');
    expect(found).toEqual(runTelltaleMatcher(database, files));
  });
});
