import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tlshBytes } from '../../../src/signatures/similarity/tlsh-bytes.ts';
import {
  countPlainly,
  createTlshLoop,
  TlshHasher,
  toTlshDistance,
  tryParseTlsh,
} from '../../../src/signatures/similarity/tlsh.ts';
import {
  borderSamples,
  readPairSamples,
  readRealSamples,
  type Sample,
  shortSamples,
  toChunks,
  toRandomBytes,
  uniformSamples,
} from './samples.ts';
import { hasWat2wasm, makeWasm } from '../../wat2wasm.ts';

const hasTool = spawnSync('tlsh', ['-version']).status === 0;
if (!hasTool) console.warn('SKIPPED: digests and distances against tlsh, because it is not installed');

const folder = mkdtempSync(join(tmpdir(), 'telltale-tlsh-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function toTlsh(...chunks: readonly Uint8Array[]): string | undefined {
  const hasher = new TlshHasher();
  for (const chunk of chunks) hasher.update(chunk);
  return hasher.finish();
}

function run(args: readonly string[]): string {
  const { stdout, error } = spawnSync('tlsh', args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error !== undefined) throw error;
  return stdout;
}

let rounds = 0;

/** What the tool prints for each sample, written as version 4 does. Those that it refuses are not there. */
function askTool(samples: readonly Sample[]): ReadonlyMap<string, string> {
  const inner = `round-${(rounds += 1)}`;
  mkdirSync(join(folder, inner));
  for (const [name, bytes] of samples) writeFileSync(join(folder, inner, name), bytes);
  return new Map(
    run(['-r', inner])
      .split('\n')
      .flatMap((line): [string, string][] => {
        const [, digest = '', name = ''] = /^(?:T1)?([0-9A-F]{70})\t.*\/([^/]+)$/.exec(line) ?? [];
        return name === '' ? [] : [[name, `T1${digest}`]];
      }),
  );
}

function toDigests(samples: readonly Sample[]): ReadonlyMap<string, string> {
  return new Map(
    samples.flatMap(([name, bytes]): [string, string][] => {
      const digest = toTlsh(bytes);
      return digest === undefined ? [] : [[name, digest]];
    }),
  );
}

function toDistance(one: string, other: string): number {
  const [first, second] = [tryParseTlsh(one), tryParseTlsh(other)];
  if (first === undefined || second === undefined) throw new Error('no digest');
  return toTlshDistance(first, second);
}

describe.skipIf(!hasTool)('when digests are compared with those of tlsh', () => {
  it.each([
    ['every length up to 600', () => shortSamples, 300],
    ['sizes at which the length class changes', () => borderSamples, 150],
    ['data of little information', () => uniformSamples, 3],
    ['programs', readRealSamples, 4],
  ])('is equal for %s', (_, make, least) => {
    const samples = make();
    const told = askTool(samples);
    expect(told.size).toBeGreaterThan(least);
    // Debian's tool is of a version that refuses less than 256 bytes.
    const long = samples.filter(([, bytes]) => bytes.length >= 256);
    expect(toDigests(long)).toEqual(told);
  });

  it('measures every pair as tlsh does', () => {
    const samples = [...readPairSamples(), ...shortSamples.slice(580)];
    const digests = [...toDigests(samples).values()];
    writeFileSync(
      join(folder, 'list'),
      digests.map((digest, index) => `${digest.slice(2)}\t${index}\n`).join(''),
    );
    const told = run(['-xref', '-l', 'list'])
      .split('\n')
      .flatMap((line) => {
        const [, one = '', other = '', distance = ''] = /^(\d+)\t(\d+)\t(\d+)$/.exec(line) ?? [];
        return distance === ''
          ? []
          : [{ one: Number(one), other: Number(other), distance: Number(distance) }];
      });
    expect(told.length).toBeGreaterThan(400);
    expect(new Set(told.map(({ distance }) => distance)).size).toBeGreaterThan(100);
    const wrong = told.filter(
      ({ one, other, distance }) => toDistance(digests[one] ?? '', digests[other] ?? '') !== distance,
    );
    expect(wrong).toEqual([]);
  });
});

describe('when data comes in chunks', () => {
  it('has the same digest however it is cut', () => {
    const bytes = toRandomBytes(20_000, 6);
    const whole = toTlsh(bytes);
    expect(whole).toMatch(/^T1/);
    for (let round = 0; round < 30; round += 1) {
      expect(toTlsh(...toChunks(bytes, round))).toBe(whole);
    }
  });
});

describe('when there is too little to tell', () => {
  it('has no digest below 50 bytes', () => {
    const bytes = toRandomBytes(50, 3);
    expect(toTlsh()).toBeUndefined();
    expect(toTlsh(bytes.subarray(0, 49))).toBeUndefined();
    expect(toTlsh(bytes)).toMatch(/^T1[0-9A-F]{70}$/);
  });

  it('has no digest of uniform data', () => {
    expect(toTlsh(new Uint8Array(100_000))).toBeUndefined();
  });
});

describe('when a digest is read', () => {
  const digest = toTlsh(toRandomBytes(5000, 9)) ?? '';

  it('is at no distance from itself', () => {
    expect(toDistance(digest, digest)).toBe(0);
  });

  it.each([
    '',
    'T1',
    digest.slice(2),
    digest.toLowerCase(),
    `${digest}0`,
    `${digest}\n`,
    `T2${digest.slice(2)}`,
  ])('refuses %j', (text) => {
    expect(tryParseTlsh(text)).toBeUndefined();
  });
});

describe('when the loop runs in WebAssembly', () => {
  it.skipIf(!hasWat2wasm)('is made of the bytes that are committed', () => {
    const source = new URL('../../../src/signatures/similarity/tlsh.wat', import.meta.url);
    expect(makeWasm(readFileSync(source, 'utf8')).toString('base64')).toBe(tlshBytes);
  });

  it('counts what the plain loop counts, in whatever chunks, also when two are counted in turn', () => {
    const loop = createTlshLoop();
    expect(loop).not.toBe(countPlainly);
    const one = toRandomBytes(400_000, 1);
    const other = new Uint8Array(Buffer.from('The quick brown fox. '.repeat(9_000)));
    const hashers = [one, other].map(() => new TlshHasher(loop));
    const plain = [one, other].map(() => new TlshHasher(countPlainly));
    for (const [index, bytes] of [one, other].entries()) plain[index]?.update(bytes);
    for (let at = 0, size = 1; at < one.length; at += size, size = (size * 7) % 70_001) {
      hashers[0]?.update(one.subarray(at, at + size));
      hashers[1]?.update(other.subarray(at, at + size));
    }
    expect(hashers.map((hasher) => hasher.finish())).toEqual(plain.map((hasher) => hasher.finish()));
    expect(new TlshHasher(loop).finish()).toBeUndefined();
  });
});
