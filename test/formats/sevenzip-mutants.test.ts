import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { mutate } from '../mutation.ts';
import { identifySevenZip, pourAll, type PourResult } from './sevenzip-pouring.ts';

const containers = fileURLToPath(new URL('../../fixtures/containers/', import.meta.url));
const mutantsPerSeed = 300;
const millisecondsPerMutant = 4000;

const { POSITIVE_INFINITY: anyNumber } = Number;

/**
 * The seeds, and how many damaged copies may give other members without a word. Where a format has no checksum over
 * the content of members, a changed byte is a changed member and nobody can tell. The checksum of a cabinet is the
 * exclusive or of its words: two flips of the same bit cancel each other out.
 */
const seeds: readonly (readonly [string, number])[] = [
  ['solid.7z', 0],
  ['plain.cab', 1],
  ['app.exe.xz', 0],
  ['app.exe.bz2', 0],
  ['app.exe.zst', 0],
  ['image.dmg', 0],
  ['archive.xar', 0],
  ['image.wim', 0],
  ['image.squashfs', anyNumber],
  ['app.exe.lzma', anyNumber],
  ['solid.nsis', anyNumber],
  ['archive.cpio', anyNumber],
  ['forks.hfs.gz', anyNumber],
];

function read(name: string): Uint8Array {
  const bytes = readFileSync(`${containers}${name}`);
  return new Uint8Array(name.endsWith('.gz') ? gunzipSync(bytes) : bytes);
}

const toContents = ({ members }: PourResult): string[] => members.map(({ sha256 }) => sha256).sort();

describe.each(seeds)('when %s is damaged', (name, silentMax) => {
  it(`reads ${mutantsPerSeed} damaged copies without a crash, a hang or a wrong silence`, async () => {
    const seed = read(name);
    const format = identifySevenZip(toByteSource(seed));
    const whole = toContents(await pourAll(seed));
    const silent: string[] = [];
    let slowest = 0;
    let faulty = 0;
    for (const { bytes, description } of mutate(seed, mutantsPerSeed, 7)) {
      const started = performance.now();
      const result = await pourAll(bytes, { limits: { bytesProduced: 64 * 1024 * 1024 } }, format);
      slowest = Math.max(slowest, performance.now() - started);
      if (result.faults > 0) faulty += 1;
      // A member that is there twice or once more is no silence; one that is missing or another is.
      const found = new Set(toContents(result));
      if (result.faults === 0 && whole.some((digest) => !found.has(digest))) silent.push(description);
    }
    expect(slowest).toBeLessThan(millisecondsPerMutant);
    expect(faulty).toBeGreaterThan(mutantsPerSeed / 20);
    expect(silent.length, silent.join('\n')).toBeLessThanOrEqual(silentMax);
  });
});
