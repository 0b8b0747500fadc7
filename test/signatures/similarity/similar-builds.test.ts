import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../../src/bytes/budget.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { fingerprintFile } from '../../../src/jobs/fingerprint-file.ts';
import { shippedDatabase } from '../../../src/platform/shipped.ts';
import { type Fingerprint, toFingerprint } from '../../../src/signatures/similarity/fingerprint.ts';
import {
  leastScore,
  mostDistance,
  parseSimilarBuilds,
  type SimilarBuild,
  SimilarBuilds,
  toSimilarLine,
} from '../../../src/signatures/similarity/similar-builds.ts';
import { compareSsdeep, tryParseSsdeep } from '../../../src/signatures/similarity/ssdeep.ts';
import { toTlshDistance, tryParseTlsh } from '../../../src/signatures/similarity/tlsh.ts';
import { corpus } from '../../corpus.ts';
import { shippedKnowledge } from '../../end-to-end/scan-bytes.ts';
import { borderSamples, readRealSamples, toEditedSamples, toRandomBytes, uniformSamples } from './samples.ts';

const shipped = parseSimilarBuilds(
  readFileSync(`${shippedDatabase}/skype/similar/windows.tsv`, 'utf8'),
).rows.map(({ build }) => build);

function toBuild(sha256: string, bytes: Uint8Array, change: Partial<SimilarBuild> = {}): SimilarBuild {
  const { tlsh, ssdeep } = toFingerprint(toByteSource(bytes));
  return {
    sha256,
    tlsh: tlsh ?? '',
    ssdeep,
    platform: 'windows',
    variant: 'official',
    product: 'Demo',
    version: '1.0',
    fileName: 'demo.exe',
    part: '',
    size: bytes.length,
    sources: ['paper'],
    note: '',
    ...change,
  };
}

const bytes = toRandomBytes(100_000, 1);
const builds = new SimilarBuilds([toBuild('a', bytes)]);
const edited = new Map(toEditedSamples('x', bytes));

function alike(name: string): ReturnType<SimilarBuilds['findAlike']> {
  const other = edited.get(name);
  if (other === undefined) throw new Error('no such sample');
  return builds.findAlike('b', other.length, toFingerprint(toByteSource(other)));
}

describe('when a file is compared with known builds', () => {
  it('is told by its ssdeep score', () => {
    const [found] = alike('x-changed');
    expect(found).toMatchObject({ build: { sha256: 'a' } });
    expect(found?.ssdeep).toBeGreaterThan(90);
    expect(found?.percent).toBe(Math.min(found?.ssdeep ?? 0, 99));
  });

  it('is never wholly alike unless it is the same', () => {
    const fingerprint = toFingerprint(toByteSource(bytes));
    expect(builds.findAlike('b', bytes.length, fingerprint)).toMatchObject([
      { percent: 99, ssdeep: 100, tlsh: 0 },
    ]);
    expect(builds.findAlike('a', bytes.length, fingerprint)).toMatchObject([{ percent: 100 }]);
  });

  it('is told by its TLSH distance where the score says nothing', () => {
    // One byte in 400 changed: no seven digits in a row stay.
    const sprinkled = Uint8Array.from(bytes, (byte, index) => (index % 400 === 0 ? byte ^ 0xff : byte));
    const [found] = builds.findAlike('b', sprinkled.length, toFingerprint(toByteSource(sprinkled)));
    expect(found?.ssdeep).toBe(0);
    expect(found?.tlsh).toBeLessThanOrEqual(mostDistance);
    expect(found?.percent).toBe(100 - (found?.tlsh ?? 0));
  });

  it('is not told below the thresholds', () => {
    const other = toFingerprint(toByteSource(toRandomBytes(100_000, 2)));
    expect(builds.findAlike('b', 100_000, other)).toEqual([]);
    const ssdeep = '1536:abcdefg0123456789:x';
    const weak = new SimilarBuilds([{ ...toBuild('a', bytes), tlsh: '', ssdeep }]);
    const near = weak.findAlike('b', bytes.length, { tlsh: undefined, ssdeep: '1536:abcdefgABCDEFGHIJ:y' });
    expect(near).toMatchObject([{ percent: 43, ssdeep: 43 }]);
    const far = `1536:abcdefg${'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.repeat(2)}:y`;
    expect(leastScore).toBeGreaterThan(20);
    expect(weak.findAlike('b', bytes.length, { tlsh: undefined, ssdeep: far })).toEqual([]);
  });

  it('puts the most alike first, and names decide between equals', () => {
    const both = new SimilarBuilds([
      toBuild('c', edited.get('x-half') ?? bytes, { version: '3.0' }),
      toBuild('d', bytes, { version: '2.0' }),
      toBuild('e', bytes, { version: '1.0' }),
    ]);
    const found = both.findAlike(
      'b',
      bytes.length,
      toFingerprint(toByteSource(edited.get('x-changed') ?? bytes)),
    );
    expect(found.map(({ build }) => build.version)).toEqual(['1.0', '2.0', '3.0']);
  });

  it('is worth it only from 4 KB on, and in the neighbourhood of a known size', () => {
    expect([4095, 24_999, 25_000, 400_000, 400_001].map((size) => builds.mayBeAlike(size))).toEqual([
      false,
      false,
      true,
      true,
      false,
    ]);
    expect(new SimilarBuilds([]).mayBeAlike(100_000)).toBe(false);
  });

  /** Counts which digests are asked for. */
  function watch(sample: Uint8Array): { readonly fingerprint: Fingerprint; readonly asked: Set<string> } {
    const asked = new Set<string>();
    const known = toFingerprint(toByteSource(sample));
    const fingerprint = {
      get tlsh() {
        asked.add('tlsh');
        return known.tlsh;
      },
      get ssdeep() {
        asked.add('ssdeep');
        return known.ssdeep;
      },
    };
    return { fingerprint, asked };
  }

  it('computes nothing for a size that can be alike to none', () => {
    const small = watch(toRandomBytes(20_000, 3));
    expect(builds.findAlike('b', 20_000, small.fingerprint)).toEqual([]);
    expect([...small.asked]).toEqual([]);
    const large = watch(toRandomBytes(180_000, 3));
    expect(builds.findAlike('b', 180_000, large.fingerprint)).toEqual([]);
    expect([...large.asked]).toEqual(['ssdeep']);
  });

  it('tells the distance of what its score found, also where the size is too far for the distance alone', () => {
    const doubled = edited.get('x-twice') ?? bytes;
    const [found] = builds.findAlike('b', doubled.length, watch(doubled).fingerprint);
    expect(found?.ssdeep).toBeGreaterThanOrEqual(leastScore);
    expect(found?.tlsh).toBeGreaterThan(mostDistance);
  });

  it('finds what comparing every digest with every line finds', () => {
    const samples = [...borderSamples.slice(-90), ...uniformSamples, ...edited];
    const rows = [...samples.slice(0, 100), ['x', bytes] as const].map(([name, sample]) =>
      toBuild(name, sample),
    );
    const table = new SimilarBuilds(rows);
    let told = 0;
    for (const [name, sample] of samples) {
      const own = toFingerprint(toByteSource(sample));
      const found = table.findAlike(undefined, sample.length, own);
      expect(found.map(({ build }) => build.sha256).sort(), name).toEqual(
        rows
          .filter((row) => isAlike(own, row))
          .map(({ sha256 }) => sha256)
          .sort(),
      );
      told += found.length;
    }
    expect(told).toBeGreaterThan(samples.length);
  });
});

/** By both digests, whatever the sizes are. */
function isAlike(one: Fingerprint, row: SimilarBuild): boolean {
  const [ssdeep, otherSsdeep] = [one.ssdeep, row.ssdeep].map(tryParseSsdeep);
  const [tlsh, otherTlsh] = [one.tlsh ?? '', row.tlsh].map(tryParseTlsh);
  if (ssdeep === undefined || otherSsdeep === undefined) throw new Error('no digest');
  const isNear =
    tlsh !== undefined && otherTlsh !== undefined && toTlshDistance(tlsh, otherTlsh) <= mostDistance;
  return isNear || compareSsdeep(ssdeep, otherSsdeep) >= leastScore;
}

describe('when a line is written', () => {
  it('is read again as it was, and cannot grow another column or line', () => {
    const cells = { ...toBuild('a'.repeat(64), bytes), size: '100000', sources: 'a/b@0123456:c' };
    const header = readFileSync(`${shippedDatabase}/skype/similar/windows.tsv`, 'utf8').split('\n')[0] ?? '';
    const text = `${header}\n${toSimilarLine({ ...cells, fileName: 'a\tb\nc.exe' })}\n`;
    const { rows, faults } = parseSimilarBuilds(text);
    expect(faults).toEqual([]);
    expect(rows.map(({ build }) => build)).toEqual([
      { ...cells, fileName: 'a b c.exe', size: 100_000, sources: ['a/b@0123456:c'] },
    ]);
  });
});

/** Corpus folder of each recorded file. */
const folders: Readonly<Record<string, string>> = {
  'SkypeSetup.exe': 'windows-stub-',
  'Skype4COM.dll': 'windows-skype4com-',
  'Skype4COM.msm': 'windows-skype4com-1.0.36.0-merge-module',
};

function toCorpusPath({ fileName, version }: SimilarBuild): string {
  const folder = folders[fileName] ?? '';
  return corpus.path(`${folder.endsWith('-') ? folder + version : folder}/${fileName}`);
}

describe.skipIf(!corpus.available)('when the recorded builds are at hand', () => {
  const roots = shipped.filter(({ part }) => part === '');

  it('has a line for each of them', () => {
    expect(roots).toHaveLength(9);
    expect(shipped).toHaveLength(14);
  });

  it.each(roots.map((build) => [`${build.fileName} ${build.version}`, build] as const))(
    'computes the lines of %s again',
    async (_, root) => {
      const { fingerprints } = await fingerprintFile(toCorpusPath(root), shippedKnowledge(), defaultLimits);
      const lines = shipped.filter(
        ({ product, version, fileName }) =>
          product === root.product && version === root.version && fileName === root.fileName,
      );
      expect(fingerprints).toEqual(
        lines.map(({ part, sha256, size, tlsh, ssdeep }) => ({ part, sha256, size, tlsh, ssdeep })),
      );
    },
  );

  /** What a build would be closest to if it were not recorded itself. */
  function leaveOut(version: string, part: string): readonly string[] {
    const own = shipped.find((build) => build.version === version && build.part === part);
    const others = new SimilarBuilds(shipped.filter((build) => build.version !== version));
    if (own === undefined) throw new Error('no such build');
    return others
      .findAlike(own.sha256, own.size, { tlsh: own.tlsh, ssdeep: own.ssdeep })
      .map(({ build, percent }) => `${build.version} ${percent}`);
  }

  it('finds the generation of an installer that is left out', () => {
    expect(leaveOut('7.2.0.103', '')).toEqual(['6.3.0.105 79', '6.22.64.107 78', '7.40.66.104 74']);
    expect(leaveOut('7.2.0.103', '[upx]')).toEqual(['6.22.64.107 80', '7.40.66.104 72', '6.3.0.105 47']);
    expect(leaveOut('1.0.36.0', '')).toEqual(['1.0.31.0 71']);
    expect(leaveOut('4.0.0.226', '')).toEqual([]);
  });
});

describe('when a program has nothing to do with the recorded builds', () => {
  const recorded = new SimilarBuilds(shipped);
  const unrelated = readRealSamples().filter(([name]) => !/stub|skype4com/.test(name));

  it.each(unrelated)('says nothing of %s', (_, program) => {
    expect(unrelated.length).toBeGreaterThanOrEqual(4);
    expect(recorded.findAlike(undefined, program.length, toFingerprint(toByteSource(program)))).toEqual([]);
  });
});
