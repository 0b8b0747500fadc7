import { describe, expect, it } from 'vitest';
import { KnownBuilds, parseKnownBuilds } from '../../src/signatures/known-builds.ts';
import { knownBuildHeader, toRow } from './database-fixture.ts';

function ledger(...rows: readonly string[]): KnownBuilds {
  const { rows: parsed, faults } = parseKnownBuilds([knownBuildHeader, ...rows].join('\n'));
  expect(faults).toEqual([]);
  return new KnownBuilds(parsed.map(({ build }) => build));
}

const md5 = toRow({ algorithm: 'md5', digest: '1'.repeat(32), fileName: 'weak.exe' });
const sha256 = toRow({ digest: '2'.repeat(64), fileName: 'strong.exe', size: '123', note: 'first' });

describe('when a digest is looked up', () => {
  it('prefers the strong one', () => {
    const both = ledger(md5, sha256);
    expect(both.find({ md5: '1'.repeat(32), sha256: '2'.repeat(64) })).toMatchObject({
      fileName: 'strong.exe',
      size: 123,
      weak: false,
    });
    expect(both.find({ md5: '1'.repeat(32), sha256: '3'.repeat(64) })).toMatchObject({
      fileName: 'weak.exe',
      weak: true,
    });
    expect(both.find({ sha1: '1'.repeat(40) })).toBeUndefined();
    expect(both.find({})).toBeUndefined();
  });

  it('does not take a digest of one algorithm for that of another', () => {
    expect(ledger(sha256).find({ sha512: '2'.repeat(64) })).toBeUndefined();
  });
});

describe('when a scan asks which digests it must compute', () => {
  it('names those that the ledger has, and sha256 always', () => {
    expect([...ledger(sha256).algorithmsNeeded]).toEqual(['sha256']);
    expect([...ledger(md5).algorithmsNeeded].sort()).toEqual(['md5', 'sha256']);
  });
});

describe('when statistics are asked for', () => {
  it('counts rows', () => {
    expect(ledger(md5, sha256).statistics()).toEqual({
      rows: 2,
      byAlgorithm: { md5: 1, sha256: 1 },
      byPlatform: { windows: 2 },
      byVariant: { official: 2 },
    });
  });
});

describe('when a ledger has two thousand lines', () => {
  it('is read in a moment', () => {
    const rows = Array.from({ length: 2000 }, (_, index) =>
      toRow({ digest: index.toString(16).padStart(64, '0') }),
    );
    const text = [knownBuildHeader, ...rows].join('\n');
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round += 1) {
      const began = performance.now();
      expect(parseKnownBuilds(text).rows.length).toBe(2000);
      best = Math.min(best, performance.now() - began);
    }
    expect(best).toBeLessThan(50);
  });
});
