import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { hasTools } from '../../end-to-end/packing.ts';
import { type Mutant, mutate } from '../../mutation.ts';
import type { PourResult } from '../sevenzip-pouring.ts';
import { pourBoth, readPlain, withoutExtent } from './comparison.ts';
import { packWithSevenZip } from './packing.ts';

const isPossible = hasTools(['7zz']);
if (!isPossible)
  console.warn('SKIPPED: mutants of archives by 7zz, because it is not installed (package 7zip)');

const solid = new Uint8Array(
  readFileSync(fileURLToPath(new URL('../../../fixtures/containers/solid.7z', import.meta.url))),
);
const startBytes = 32;
const millisecondsPerMutant = 2000;

const toView = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const findHeader = (archive: Uint8Array): number =>
  startBytes + Number(toView(archive).getBigUint64(12, true));

/** Damage to what is packed; all checksums of headers hold. */
function* mutateData(archive: Uint8Array, count: number, seed: number): Generator<Mutant> {
  const end = findHeader(archive);
  for (const { bytes, description } of mutate(archive.slice(startBytes, end), count, seed)) {
    const mutant = archive.slice();
    mutant.fill(0, startBytes, end);
    mutant.set(bytes.subarray(0, end - startBytes), startBytes);
    yield { bytes: mutant, description };
  }
}

/** Damage to the header, with checksums made to hold. */
function* mutateHeader(archive: Uint8Array, count: number, seed: number): Generator<Mutant> {
  const start = findHeader(archive);
  for (const { bytes, description } of mutate(archive.slice(start), count, seed)) {
    const mutant = new Uint8Array(start + bytes.length);
    mutant.set(archive.subarray(0, start));
    mutant.set(bytes, start);
    const view = toView(mutant);
    view.setBigUint64(20, BigInt(bytes.length), true);
    view.setUint32(28, crc32(bytes), true);
    view.setUint32(8, crc32(mutant.subarray(12, startBytes)), true);
    yield { bytes: mutant, description };
  }
}

/** What is told, where it has to be the same. */
const toTold = ({ facts, findings, thrown, members }: PourResult): object => ({
  facts,
  findings,
  thrown,
  members: members.map(({ name, declaredSize }) => [name, declaredSize]),
});

/**
 * Where data breaks off, the two decoders may differ by a few bytes, and then it may be the checksum that one of them
 * tells of, or nothing when what it has is what was packed.
 */
function toComparable(result: PourResult, other: PourResult, whole: ReadonlySet<string>): readonly object[] {
  return result.members.map((member, index) => {
    const codes = [member, other.members[index]].map((one) => one?.finding?.code);
    if (!codes.includes('malformed/compressed-data')) return member;
    return { isDamaged: member.finding !== undefined || whole.has(member.sha256) };
  });
}

/** @returns how many mutants the reader of ours took on */
async function compare(archive: Uint8Array, mutants: Iterable<Mutant>): Promise<number> {
  const [{ members }] = await pourBoth(archive);
  const whole = new Set(members.map(({ sha256 }) => sha256));
  let plain = 0;
  for (const { bytes, description } of mutants) {
    if (readPlain(bytes) === undefined) continue;
    plain += 1;
    const started = performance.now();
    const [mine, others] = await pourBoth(bytes, { limits: { bytesProduced: 64 * 1024 * 1024 } });
    expect(performance.now() - started, description).toBeLessThan(millisecondsPerMutant);
    expect(toTold(mine), description).toEqual(toTold(others));
    expect(toComparable(mine, others, whole), description).toEqual(toComparable(others, mine, whole));
  }
  return plain;
}

describe('when an archive is damaged', () => {
  it('reads damaged copies as 7-Zip does, or leaves them to it', async () => {
    expect(await compare(solid, mutate(solid, 80, 3))).toBeGreaterThan(5);
    expect(await compare(solid, mutateHeader(solid, 150, 4))).toBeLessThan(150);
  });
});

/** Switches of 7zz, and how many mutants of data and headers at least are read. */
const seeds: readonly (readonly [string, readonly string[], number, number])[] = [
  ['solid LZMA2', ['-mf=off'], 25, 8],
  ['LZMA in a folder for each file', ['-ms=off', '-m0=lzma', '-mf=off'], 20, 8],
  ['LZMA2 in many chunks', ['-m0=lzma2:c=8k:d=4k', '-mf=off'], 20, 8],
  ['nothing packed', ['-m0=copy', '-mf=off'], 20, 8],
  ['LZMA and BCJ', ['-m0=lzma', '-mf=BCJ'], 20, 8],
  ['LZMA and BCJ2', ['-m0=lzma', '-mf=BCJ2'], 25, 8],
  ['LZMA2 and a delta filter', ['-mf=delta:2'], 15, 8],
  ['bzip2', ['-m0=bzip2', '-mf=off'], 15, 8],
];

describe.skipIf(!isPossible).each(seeds)(
  'when an archive with %s is damaged',
  (_what, switches, damaged, headers) => {
    it('tells of every member what 7-Zip tells', async () => {
      const archive = packWithSevenZip(['-mhc=off', ...switches]);
      expect(readPlain(archive)).toBeDefined();
      expect(await compare(archive, mutateData(archive, damaged, 5))).toBe(damaged);
      expect(await compare(archive, mutateHeader(archive, headers * 12, 6))).toBeGreaterThan(headers / 2);
    });
  },
);

describe.skipIf(!isPossible)('when an archive with Deflate is damaged', () => {
  it('calls no member whole that is not', async () => {
    // 7-Zip decodes codes that contradict themselves, and then finds nothing of what was packed.
    const archive = packWithSevenZip(['-m0=deflate', '-mf=off']);
    for (const { bytes, description } of mutateData(archive, 25, 7)) {
      const [mine, others] = await pourBoth(bytes);
      const whole = ({ members }: PourResult): readonly object[] =>
        members.filter(({ finding }) => finding === undefined).map(withoutExtent);
      expect(whole(mine), description).toEqual(whole(others));
      expect(mine.faults > 0, description).toBe(others.faults > 0);
    }
  });
});
