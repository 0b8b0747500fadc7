import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { scanStrings, StringScanner } from '../../src/diff/printable-runs.ts';
import { createRandom } from '../mutation.ts';

type Found = readonly [text: string, encoding: string, offset: number];

function find(
  bytes: Uint8Array,
  without: readonly { offset: number; size: number }[] = [],
): readonly Found[] {
  const found: Found[] = [];
  scanStrings(
    toByteSource(bytes),
    without,
    (...one) => found.push(one),
    () => true,
  );
  return found.toSorted((a, b) => a[2] - b[2]);
}

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
const join = (...pieces: readonly (Uint8Array | readonly number[] | string)[]): Uint8Array =>
  new Uint8Array(
    Buffer.concat(
      pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : Uint8Array.from(piece))),
    ),
  );

describe('when bytes hold text', () => {
  it('finds ASCII, and nothing shorter than six characters', () => {
    expect(find(join('\0short\0longer\0'))).toEqual([['longer', 'ascii', 7]]);
  });

  it('finds UTF-8 between bytes that are none', () => {
    expect(find(join([0xff, 0xc3], 'Größe der 软件', [0xe8, 0x00]))).toEqual([
      ['Größe der 软件', 'utf-8', 2],
    ]);
  });

  it('counts characters, not bytes', () => {
    expect(find(join('\0软件软\0'))).toEqual([]);
    expect(find(join('\0软件软件软件\0'))).toEqual([['软件软件软件', 'utf-8', 1]]);
  });

  it('refuses overlong forms, surrogates and invisible characters as letters', () => {
    expect(find(join([0xc1, 0x81], 'abc', [0xed, 0xa0, 0x80], 'def', '\u202e', 'ghi'))).toEqual([]);
  });

  it('finds UTF-16LE at even and at odd offsets', () => {
    expect(find(join('\0\0', utf16('even one'), '\0\0'))).toEqual([['even one', 'utf-16le', 2]]);
    expect(find(join('\u0001', utf16('odd one'), '\0\0'))).toEqual([['odd one', 'utf-16le', 1]]);
  });

  it('takes Chinese UTF-16 only between control characters', () => {
    const text = '软件下载中心站';
    expect(find(join('\0\0', utf16(text), '\0\0'))).toEqual([[text, 'utf-16le', 2]]);
    // As in a string table: the length stands before it.
    expect(find(join([text.length, 0], utf16(text), [3, 0]))).toEqual([[text, 'utf-16le', 2]]);
    expect(find(join([0xff, 0xd8], utf16(text), [0xff, 0xd8]))).toEqual([]);
  });

  it('does not take ASCII for Chinese', () => {
    expect(find(join('\0\0', 'http://skypetools.example/', '\0\0'))).toEqual([
      ['http://skypetools.example/', 'ascii', 2],
    ]);
  });

  it('leaves out what lies in the given ranges', () => {
    const bytes = join('first one\0', 'second one\0', 'third one\0');
    expect(find(bytes, [{ offset: 10, size: 11 }]).map(([text]) => text)).toEqual(['first one', 'third one']);
  });

  it('cuts what has no end', () => {
    const lengths = find(new Uint8Array(10_000).fill(0x41)).map(([text]) => text.length);
    expect(lengths).toEqual([4096, 4096, 1808]);
  });

  it('gives the same whatever the chunks', () => {
    const random = createRandom(7);
    const bytes = Uint8Array.from({ length: 5000 }, () => (random(10) < 7 ? 0x20 + random(95) : 0));
    const scan = (size: number): readonly Found[] => {
      const found: Found[] = [];
      const scanner = new StringScanner((...one) => found.push(one));
      for (let at = 0; at < bytes.length; at += size) scanner.update(bytes.subarray(at, at + size));
      scanner.finish();
      return found;
    };
    expect(scan(5000).length).toBeGreaterThan(50);
    for (const size of [1, 2, 3, 7, 1000]) expect(scan(size)).toEqual(scan(5000));
  });
});

const hasStrings = spawnSync('strings', ['--version']).error === undefined;
if (!hasStrings) console.warn('SKIPPED: comparison with strings, because binutils is not installed');

describe.skipIf(!hasStrings)('when strings of binutils reads the same bytes', () => {
  it.each([1, 2, 3, 4])('finds the same ASCII and UTF-16 of ASCII letters (seed %i)', (seed) => {
    const random = createRandom(seed);
    // No tab, which strings takes for printable, and nothing beyond ASCII, which it does not read.
    const pieces = Array.from({ length: 400 }, (): Uint8Array => {
      const text = Array.from({ length: random(14) }, () => String.fromCharCode(0x20 + random(95))).join('');
      const gap = Uint8Array.from({ length: 2 + random(3) }, () => 0x80 + random(64));
      return join(random(2) === 0 ? utf16(text) : text, gap);
    });
    const bytes = join(...pieces);
    const peer = (encoding: string): readonly string[] => {
      const { stdout } = spawnSync('strings', ['-a', '-n', '6', '-e', encoding, '-t', 'd'], {
        input: bytes,
      });
      return stdout
        .toString('latin1')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.replace(/^ */, ''))
        .sort();
    };
    const ours = (encoding: string): readonly string[] =>
      find(bytes)
        .filter((one) => one[1] === encoding)
        .map(([text, , offset]) => `${offset} ${text}`)
        .sort();
    expect(ours('ascii').length).toBeGreaterThan(20);
    expect(ours('ascii')).toEqual(peer('s'));
    expect(ours('utf-16le')).toEqual(peer('l'));
  });
});
