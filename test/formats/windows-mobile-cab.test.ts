import { describe, expect, it } from 'vitest';
import { buildMobileManifest } from '../../fixtures/mobile-manifest-builder.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { tryReadMobileManifest, windowsMobileManifestFormat } from '../../src/formats/windows-mobile-cab.ts';
import { mutate } from '../mutation.ts';
import { codesOf, factsOf, fieldOf } from './reading-facts.ts';
import { readAll } from './reading.ts';

const seed = buildMobileManifest({
  appName: 'Skype Skype for Pocket PC',
  provider: 'Skype',
  strings: ['%CE1%', 'Skype', 'Sounds'],
  folders: [
    [1, 2],
    [1, 2, 3],
  ],
  files: [
    { name: 'skype.exe', folder: 1 },
    { name: 'ring.wav', folder: 2 },
    { name: 'lost.bin', folder: 9 },
  ],
});
const format = windowsMobileManifestFormat;

describe('when the file is the control file of an installation cabinet', () => {
  it('gives name, provider, processor, version and the names that files are installed under', async () => {
    expect(format.probe(seed, toByteSource(seed))).toBe(true);
    const result = await readAll(format, seed);
    expect(result.faults).toBe(0);
    expect(factsOf(result, 'packageId')).toEqual(['Skype Skype for Pocket PC']);
    expect(fieldOf(result, 'Provider')).toEqual(['Skype']);
    expect(fieldOf(result, 'Processor')).toEqual(['StrongARM']);
    expect(fieldOf(result, 'MinimumVersion')).toEqual(['4.20']);
    expect(fieldOf(result, 'MaximumVersion')).toEqual([]);
    expect(factsOf(result, 'memberName')).toEqual([
      '%CE1%\\Skype\\skype.exe',
      '%CE1%\\Skype\\Sounds\\ring.wav',
      'lost.bin',
    ]);
    expect(result.reading?.facts.at(-1)).toMatchObject({ detail: { extension: '003' } });
  });
});

describe('when a control file is malformed', () => {
  it.each([
    ['strings', 0x3c],
    ['folders', 0x40],
    ['files', 0x44],
  ])('tells an offset of %s that leads outside, and reads the rest', async (_name, at) => {
    const bytes = Buffer.from(seed);
    bytes.writeUInt32LE(0xfffffff0, at);
    const result = await readAll(format, bytes);
    expect(codesOf(result)).toEqual(['malformed/out-of-range']);
    expect(fieldOf(result, 'Provider')).toEqual(['Skype']);
  });

  it('tells names that lie outside, and an end that is missing', async () => {
    const bytes = Buffer.from(seed);
    bytes.writeUInt16LE(0xffff, 0x54);
    expect(codesOf(await readAll(format, bytes))).toEqual(['malformed/out-of-range']);
    const cut = await readAll(format, seed.subarray(0, -3));
    expect(codesOf(cut)).toEqual(['malformed/truncated', 'malformed/out-of-range']);
    expect(factsOf(cut, 'memberName')).toHaveLength(2);
  });

  it('is none when the header is cut off or begins otherwise', async () => {
    expect(tryReadMobileManifest(seed.subarray(0, 50))).toBeUndefined();
    expect(tryReadMobileManifest(Buffer.alloc(200))).toBeUndefined();
    expect(format.probe(seed.subarray(0, 50), toByteSource(seed.subarray(0, 50)))).toBe(false);
    expect((await readAll(format, seed.subarray(0, 50))).thrown?.code).toBe('malformed/header');
  });

  it('survives 2,000 kinds of damage', async () => {
    for (const mutant of mutate(seed, 2000, 9)) {
      const started = performance.now();
      const result = await readAll(format, mutant.bytes, { limits: { milliseconds: 3000 } });
      expect(performance.now() - started, mutant.description).toBeLessThan(3500);
      expect(result.reading?.facts.length ?? 0).toBeLessThan(70_000);
    }
  });
});
