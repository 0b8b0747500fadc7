import { describe, expect, it } from 'vitest';
import { buildMachO } from '../../fixtures/macho-builder.ts';
import { buildXmlPlist } from '../../fixtures/plist-builder.ts';
import { buildZip, type ZipEntryRecipe } from '../../fixtures/zip-builder.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { ipaFormat } from '../../src/formats/ipa.ts';
import type { Fact, Finding, Reading } from '../../src/formats/model.ts';
import { mutate } from '../mutation.ts';

const info = buildXmlPlist({
  CFBundleIdentifier: 'com.skype.tomskype',
  CFBundleExecutable: 'Skype',
  CFBundleShortVersionString: '4.17',
  MinimumOSVersion: '4.3',
});
const store = buildXmlPlist({
  itemId: 304878510,
  softwareVersionBundleId: 'com.skype.tomskype',
  appleId: 'buyer@example.com',
});

const entries: readonly ZipEntryRecipe[] = [
  { name: 'iTunesMetadata.plist', data: store },
  { name: 'Payload/Skype.app/Info.plist', data: info },
  { name: 'Payload/Skype.app/Skype', data: buildMachO({ code: new Uint8Array(64) }).bytes },
  { name: 'Payload/Skype.app/SC_Info/Skype.sinf', data: 'seal' },
];

async function read(
  bytes: Uint8Array,
): Promise<{ reading: Reading; facts: readonly Fact[]; findings: Finding[] }> {
  const findings: Finding[] = [];
  const reading = await ipaFormat.read(toByteSource(bytes), {
    budget: new Budget(bytes.length),
    report: (finding) => void findings.push(finding),
  });
  return { reading, facts: reading.facts, findings };
}

function isIpa(recipe: readonly ZipEntryRecipe[]): boolean {
  const bytes = buildZip({ entries: recipe });
  return ipaFormat.probe(bytes.subarray(0, 4096), toByteSource(bytes));
}

describe('when an archive is an iOS package', () => {
  const bytes = buildZip({ entries });

  it('is told from other archives', () => {
    expect(isIpa(entries)).toBe(true);
    expect(isIpa([{ name: 'Payload/readme.txt', data: 'x' }])).toBe(false);
    expect(isIpa([{ name: 'AndroidManifest.xml', data: 'x' }])).toBe(false);
  });

  it('gives what its lists say, and not who bought it', async () => {
    const { facts, findings } = await read(bytes);
    expect(findings).toEqual([]);
    expect(facts).toContainEqual({
      kind: 'bundleId',
      value: 'com.skype.tomskype',
      region: 'Payload/Skype.app/Info.plist',
    });
    expect(facts).toContainEqual({
      kind: 'packageField',
      name: 'itemId',
      value: 304878510,
      region: 'iTunesMetadata.plist',
    });
    expect(facts.filter(({ kind }) => kind === 'encrypted').map(({ value }) => value)).toEqual(['FairPlay']);
    expect(JSON.stringify(facts)).not.toContain('buyer');
  });

  it('keeps the members of the archive', async () => {
    const { reading } = await read(bytes);
    const names: string[] = [];
    for await (const { name } of reading.members?.() ?? []) names.push(name);
    expect(names).toEqual(entries.map(({ name }) => name));
  });

  it('says when there are several programs, and when a list cannot be read', async () => {
    const second = { name: 'Payload/Other.app/Info.plist', data: 'bplist00 broken' };
    const { facts, findings } = await read(buildZip({ entries: [...entries, second] }));
    expect(facts.filter(({ name }) => name === 'ipa.ambiguous').length).toBe(1);
    expect(findings.map(({ incomplete }) => incomplete)).toEqual([true]);
  });
});

describe('when packages are damaged at random', () => {
  it('throws nothing but its own errors', async () => {
    const seed = buildZip({ entries });
    let survived = 0;
    for (const { bytes, description } of mutate(seed, 2_000)) {
      const started = performance.now();
      ipaFormat.probe(bytes.subarray(0, 4096), toByteSource(bytes));
      try {
        await read(bytes);
        survived += 1;
      } catch (error) {
        expect(error, description).toBeInstanceOf(TelltaleError);
      }
      expect(performance.now() - started, description).toBeLessThan(5_000);
    }
    expect(survived).toBeGreaterThan(500);
  });
});
