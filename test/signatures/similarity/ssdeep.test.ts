import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compareSsdeep, SsdeepHasher, tryParseSsdeep } from '../../../src/signatures/similarity/ssdeep.ts';
import {
  borderSamples,
  readPairSamples,
  readRealSamples,
  type Sample,
  shortSamples,
  toChunks,
  toEditedSamples,
  toRandomBytes,
  uniformSamples,
} from './samples.ts';

const hasTool = spawnSync('ssdeep', ['-V']).status === 0;
if (!hasTool) console.warn('SKIPPED: digests and scores against ssdeep, because it is not installed');

const folder = mkdtempSync(join(tmpdir(), 'telltale-ssdeep-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function toSsdeep(...chunks: readonly Uint8Array[]): string {
  const hasher = new SsdeepHasher();
  for (const chunk of chunks) hasher.update(chunk);
  return hasher.finish();
}

function run(args: readonly string[]): string {
  const { stdout, error } = spawnSync('ssdeep', args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (error !== undefined) throw error;
  return stdout;
}

/** What the tool prints for each sample. */
function askTool(samples: readonly Sample[]): ReadonlyMap<string, string> {
  for (const [name, bytes] of samples) writeFileSync(join(folder, name), bytes);
  const lines = run(['-s', '-b', ...samples.map(([name]) => name)]).split('\n');
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const [, digest = '', name = ''] = /^(\d+:[^,]*),"(.*)"$/.exec(line) ?? [];
      return name === '' ? [] : [[name, digest]];
    }),
  );
}

/** What the tool says of every pair of digests. */
function askToolForScores(digests: readonly string[]): ReadonlyMap<string, number> {
  const list = join(folder, 'digests');
  const rows = digests.map((digest, index) => `${digest},"${index}"`);
  writeFileSync(list, ['ssdeep,1.1--blocksize:hash:hash,filename', ...rows, ''].join('\n'));
  const scores = new Map<string, number>();
  for (const line of run(['-s', '-a', '-l', '-x', 'digests']).split('\n')) {
    const [, one = '', other = '', score = ''] =
      /^digests:(\d+) matches digests:(\d+) \((\d+)\)$/.exec(line) ?? [];
    if (score !== '') scores.set(`${one}-${other}`, Number(score));
  }
  return scores;
}

function compare(one: string, other: string): number {
  const [first, second] = [tryParseSsdeep(one), tryParseSsdeep(other)];
  if (first === undefined || second === undefined) throw new Error('no digest');
  return compareSsdeep(first, second);
}

describe.skipIf(!hasTool)('when digests are compared with those of ssdeep', () => {
  it.each([
    ['every length up to 600', () => shortSamples],
    ['sizes at which the block size changes', () => borderSamples],
    ['data of little information', () => uniformSamples],
    ['programs', readRealSamples],
  ])('is equal for %s', (_, make) => {
    const samples = make();
    const told = askTool(samples);
    expect(told.size).toBe(samples.length);
    expect(new Map(samples.map(([name, bytes]) => [name, toSsdeep(bytes)]))).toEqual(told);
    // With the size told beforehand, as well.
    const hashed = samples.map(([name, bytes]): [string, string] => {
      const hasher = new SsdeepHasher(bytes.length);
      hasher.update(bytes);
      return [name, hasher.finish()];
    });
    expect(new Map(hashed)).toEqual(told);
  });

  it('scores every pair as ssdeep does', () => {
    const samples = [
      ...readPairSamples(),
      ...shortSamples.slice(200, 220),
      ...shortSamples.slice(200, 220).flatMap((sample) => toEditedSamples(...sample)),
    ];
    const digests = samples.map(([, bytes]) => toSsdeep(bytes));
    const scores = askToolForScores(digests);
    const found = [...scores].filter(([, score]) => score > 0);
    expect(found.length).toBeGreaterThan(50);
    expect(new Set(found.map(([, score]) => score)).size).toBeGreaterThan(20);
    const wrong = [...scores].filter(([pair, score]) => {
      const [one = 0, other = 0] = pair.split('-').map(Number);
      return compare(digests[one] ?? '', digests[other] ?? '') !== score;
    });
    expect(wrong).toEqual([]);
  });
});

describe('when data comes in chunks', () => {
  it('has the same digest however it is cut', () => {
    const bytes = toRandomBytes(30_000, 6);
    const whole = toSsdeep(bytes);
    for (let round = 0; round < 30; round += 1) {
      expect(toSsdeep(...toChunks(bytes, round))).toBe(whole);
    }
  });
});

describe('when another size was declared', () => {
  it.each([0, 99, 101, 100_000])('refuses %i instead of 100', (size) => {
    const hasher = new SsdeepHasher(size);
    hasher.update(toRandomBytes(100, 1));
    expect(() => hasher.finish()).toThrow(`has 100 bytes instead of ${size}`);
  });
});

describe('when small blocks are of no interest', () => {
  const samples = [...shortSamples.filter((_, index) => index % 20 === 0), ...borderSamples.slice(0, 60)];
  const larger = [...uniformSamples, ...toEditedSamples('x', toRandomBytes(150_000, 5))];

  it.each([3, 24, 768, 1536, 3072, 12_288])('has the same digest, or none below %i', (least) => {
    let told = 0;
    let left = 0;
    for (const [name, bytes] of [...samples, ...larger]) {
      for (const size of [bytes.length, undefined]) {
        const all = new SsdeepHasher(size);
        const some = new SsdeepHasher(size, least);
        for (const chunk of [bytes.subarray(0, 5000), bytes.subarray(5000)]) {
          all.update(chunk);
          some.update(chunk);
        }
        const digest = all.finish();
        const isOfInterest = (tryParseSsdeep(digest)?.blockSize ?? 0) >= least;
        expect(some.tryFinish(), name).toBe(isOfInterest ? digest : undefined);
        if (isOfInterest) told += 1;
        else left += 1;
      }
    }
    if (least > 3) expect(left).toBeGreaterThan(20);
    if (least < 12_288) expect(told).toBeGreaterThan(5);
  });

  it('does not pretend that there is one', () => {
    expect(() => new SsdeepHasher(0, 6).finish()).toThrow('smaller blocks');
  });
});

describe('when there is nothing to hash', () => {
  it('has the digest that ssdeep gives', () => {
    expect(toSsdeep()).toBe('3::');
    expect(toSsdeep(new Uint8Array(0), new Uint8Array(0))).toBe('3::');
  });
});

describe('when a digest is read', () => {
  it('takes what the tool prints', () => {
    expect(tryParseSsdeep('96:abc:de')).toEqual({ blockSize: 96, first: 'abc', second: 'de' });
    expect(tryParseSsdeep('3::')).toEqual({ blockSize: 3, first: '', second: '' });
  });

  it('cuts sequences to three', () => {
    expect(tryParseSsdeep('3:aaaaaabbbbccc:ddddd')).toMatchObject({ first: 'aaabbbccc', second: 'ddd' });
  });

  it.each([
    '',
    '3:',
    '3:a',
    '4:a:b',
    '0:a:b',
    '-3:a:b',
    '03.0:a:b',
    '3:a:b:c',
    '3:a-:b',
    `3:${'a'.repeat(65)}:b`,
    '3:a:b\n',
    '3221225472:a:b',
  ])('refuses %j', (text) => {
    expect(tryParseSsdeep(text)).toBeUndefined();
  });
});

describe('when two digests are compared', () => {
  const [one, other] = [toRandomBytes(40_000, 31), toRandomBytes(40_000, 32)].map((bytes) => toSsdeep(bytes));

  it('knows the same from another, in both directions', () => {
    expect(compare(one ?? '', one ?? '')).toBe(100);
    expect(compare(one ?? '', other ?? '')).toBe(0);
  });

  it('compares only neighbouring block sizes', () => {
    const text = 'abcdefghijklmnop';
    expect(compare(`96:${text}:x`, `192:y:${text}`)).toBe(0);
    expect(compare(`96:x:${text}`, `192:${text}:y`)).toBe(100);
    expect(compare(`192:${text}:y`, `96:x:${text}`)).toBe(100);
    expect(compare(`96:${text}:${text}`, `384:${text}:${text}`)).toBe(0);
  });

  it('asks for seven digits in a row', () => {
    expect(compare('1536:abcdefXghijkl:a', '1536:abcdefYghijkl:b')).toBe(0);
    expect(compare('1536:abcdefgXhijkl:a', '1536:abcdefgYhijkl:b')).toBeGreaterThan(80);
  });
});
