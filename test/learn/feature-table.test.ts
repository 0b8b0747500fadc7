import { describe, expect, it } from 'vitest';
import { FeatureCounts, FeatureSet, hashSeeds, toKey } from '../../src/learn/feature-table.ts';

const keyOf = (text: string): number => {
  const bytes = new TextEncoder().encode(text);
  return toKey(hashSeeds.text, bytes, 0, bytes.length);
};
const keys = Array.from({ length: 50_000 }, (_, index) => keyOf(`feature ${index}`));

describe('when features are kept by their hash', () => {
  it('gives different features different keys, and kinds of their own', () => {
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.every((key) => Number.isSafeInteger(key) && key > 0)).toBe(true);
    const bytes = new TextEncoder().encode('paloma.cn');
    expect(toKey(hashSeeds.text, bytes, 0, 9)).not.toBe(toKey(hashSeeds.host, bytes, 0, 9));
  });

  it('holds what was added, and nothing else', () => {
    const set = new FeatureSet(1_000_000);
    for (const key of keys.slice(0, 30_000)) set.add(key);
    for (const key of keys.slice(0, 10)) set.add(key);
    expect(set.size).toBe(30_000);
    expect(keys.filter((key) => set.has(key)).length).toBe(30_000);
    expect([...set].sort()).toEqual(keys.slice(0, 30_000).sort());
  });

  it('says when there were too many', () => {
    const set = new FeatureSet(100);
    for (const key of keys.slice(0, 100)) set.add(key);
    expect(set.isFull).toBe(false);
    set.add(keys[100] ?? 0);
    expect({ full: set.isFull, size: set.size }).toEqual({ full: true, size: 100 });
  });

  it('counts samples, and takes nothing new when it comes too late', () => {
    const counts = new FeatureCounts();
    counts.addSample(keys.slice(0, 20_000), true);
    counts.addSample(keys.slice(5_000, 25_000), true);
    counts.addSample(keys.slice(6_000, 30_000), false);
    expect(counts.toCommon(3).size).toBe(14_000);
    expect(counts.toCommon(2).size).toBe(20_000 - 5_000 + 5_000);
    expect(counts.toCommon(1).has(keys[29_000] ?? 0)).toBe(false);
  });
});
