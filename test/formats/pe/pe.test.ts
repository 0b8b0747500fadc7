import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildPe } from '../../../fixtures/pe-builder.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import type { Fact } from '../../../src/formats/model.ts';
import { peFormat } from '../../../src/formats/pe/index.ts';
import { corpus } from '../../corpus.ts';
import { fullOptions, readPe, toMemberBytes } from './reading.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

const full = readPe(buildPe(fullOptions('x86')));
const valuesOf = (kind: Fact['kind'], facts: readonly Fact[] = full.facts) =>
  facts.filter((fact) => fact.kind === kind).map((fact) => fact.value);
const bytesAt = (fact: Fact | undefined, length: number): Uint8Array =>
  full.image.source.read(fact?.offset ?? -1, length);

describe('when the file says what it is', () => {
  it('reads the headers', () => {
    expect(valuesOf('machine')).toEqual(['x86']);
    expect(valuesOf('subsystem')).toEqual(['windows-gui']);
    expect(valuesOf('timeDateStamp')).toEqual(['2009-07-01T00:00:00Z']);
    expect(valuesOf('linkerVersion')).toEqual(['9.0']);
    expect(valuesOf('machine', readPe(buildPe({ machine: 'x64' })).facts)).toEqual(['x64']);
  });

  it('reads version strings with language and place', () => {
    const strings = full.facts.filter((fact) => fact.kind === 'versionInfo');
    expect(strings.map((fact) => [fact.name, fact.value])).toEqual([
      ['CompanyName', 'Skype Technologies S.A.'],
      ['FileDescription', 'Skype Setup'],
      ['ProductName', 'Skype\u2122'],
      ['ProductVersion', '4.0.0.226'],
    ]);
    expect(strings[0]).toMatchObject({ region: 'VERSIONINFO', detail: { language: '040904b0' } });
    expect(bytesAt(strings[0], 10)).toEqual(
      Uint8Array.from([...'Skype'].flatMap((c) => [c.charCodeAt(0), 0])),
    );
  });

  it('reads the numbers of the fixed version information', () => {
    expect(valuesOf('fileVersion')).toEqual(['4.0.0.225']);
    expect(valuesOf('productVersion')).toEqual(['4.0.0.226']);
  });

  it('reads imports, with the hash that pefile gives', () => {
    const libraries = ['kernel32.dll', 'wsock32.dll', 'oleaut32.dll', 'mfc42.dll', 'winspool.drv'];
    expect(valuesOf('importedLibrary')).toEqual(libraries);
    // md5 of kernel32.exitprocess,kernel32.getprocaddress,wsock32.wsastartup,wsock32.accept,oleaut32.sysfreestring,
    // oleaut32.variantinit,mfc42.ord1000,winspool.drv.openprintera
    expect(valuesOf('importHash')).toEqual(['cda464ec5e8f6154267d951bcde21fb9']);
  });

  it('reads exports', () => {
    expect(valuesOf('moduleName')).toEqual(['Fixture.dll']);
    expect(valuesOf('exportedName')).toEqual(['Alpha', 'Beta', 'Zeta']);
  });

  it('reads traces of the build', () => {
    expect(valuesOf('debugPath')).toEqual(['d:\\build\\skype\\Fixture.pdb']);
    expect(valuesOf('richHeader')).toHaveLength(1);
    expect(valuesOf('dotnet')).toEqual(['v2.0.50727']);
    expect(valuesOf('manifest')).toEqual(['Skype.SkypeSetup']);
    const path = full.facts.find((fact) => fact.kind === 'debugPath');
    expect(path?.region).toBe('.rdata');
    expect(bytesAt(path, 8)).toEqual(ascii('d:\\build'));
  });

  it('measures the entropy of each section', () => {
    const bytes = Uint8Array.from({ length: 4096 }, (_, index) => index & 0xff);
    const { facts } = readPe(buildPe({ sections: [{ name: '.even', data: bytes }] }));
    const even = facts.find((fact) => fact.kind === 'section' && fact.name === '.even');
    expect(even?.value).toBe(8);
    expect(even?.detail).toMatchObject({ rawSize: 4096, virtualSize: 4096 });
  });
});

describe('when evidence needs an address', () => {
  it('names headers, sections, version information and what lies behind', () => {
    const names = full.regions.map((region) => region.name);
    expect(names).toEqual(['header', '.text', '.data', '.rdata', '.rsrc', 'overlay', 'VERSIONINFO']);
    for (const { offset, size } of full.regions)
      expect(offset + size).toBeLessThanOrEqual(full.image.source.size);
  });

  it('maps addresses to offsets and back out of gaps', () => {
    const { image } = full;
    const text = image.sections[0];
    expect(image.toOffset(0)).toBe(0);
    expect(image.toOffset(text?.virtualAddress ?? 0)).toBe(text?.rawOffset);
    expect(image.toOffset((text?.virtualAddress ?? 0) + 0x200)).toBeUndefined();
    expect(image.toOffset(0x7fff_ffff)).toBeUndefined();
    expect(image.toOffset(-1)).toBeUndefined();
  });
});

describe('when resources may hold files', () => {
  it('yields those, and names the language only where there are several', () => {
    expect(full.members.map((member) => member.name)).toEqual([
      '.rsrc/LANGZIP/LANG_EN',
      '.rsrc/BITMAP/7',
      '.rsrc/RCDATA/101',
      '.rsrc/RCDATA/102/1031',
      '.rsrc/RCDATA/102/1033',
      '[overlay]',
    ]);
    expect(full.members.every((member) => member.relation === 'part')).toBe(true);
    expect(toMemberBytes(full.members[2])).toEqual(ascii('MZ is how programs start'));
    expect(toMemberBytes(full.members.at(-1))).toEqual(ascii('PK overlay of odd length.'));
  });

  it('tells where each member lies in the program', () => {
    const content = full.members[2]?.content;
    const offset = content?.kind === 'source' ? content.containerOffset : undefined;
    expect(full.image.source.read(offset ?? -1, 2)).toEqual(ascii('MZ'));
  });

  it('lists every resource with type, name, language and size', () => {
    const resources = full.facts.filter((fact) => fact.kind === 'resource');
    expect(resources.map((fact) => [fact.name, fact.value])).toContainEqual(['RCDATA/TINY/1033', 4]);
    expect(resources).toHaveLength(9);
  });
});

describe('when bytes lie behind the sections', () => {
  const table = Uint8Array.of(16, 0, 0, 0, 0, 2, 2, 0, 1, 2, 3, 4, 5, 6, 7, 8);

  it('does not take the certificate table or its padding for an overlay', () => {
    const { image, facts, regions } = readPe(buildPe({ certificateTable: table }));
    expect(image.overlay).toBeUndefined();
    expect(facts.filter((fact) => fact.kind === 'overlay')).toEqual([]);
    expect(regions.at(-1)).toMatchObject({ name: 'certificate table', size: 16 });
  });

  it('finds bytes behind the certificate table', () => {
    const signed = buildPe({ certificateTable: table });
    const { image, members } = readPe(Uint8Array.from([...signed, 1, 2, 3]));
    expect(image.overlay).toEqual({ offset: signed.length, size: 3 });
    expect(image.trailing).toEqual(image.overlay);
    expect(members.map((member) => member.name)).toEqual(['[overlay]']);
  });

  it('keeps overlay and bytes behind the certificate table apart', () => {
    const signed = buildPe({ certificateTable: table, overlay: ascii('overlay!') });
    const { members, regions } = readPe(Uint8Array.from([...signed, 1, 2, 3]));
    expect(members.map((member) => member.name)).toEqual(['[overlay]', '[behind certificate table]']);
    expect(toMemberBytes(members[1])).toEqual(Uint8Array.of(1, 2, 3));
    expect(regions.map((region) => region.name)).toContain('behind certificate table');
  });
});

const probe = (bytes: Uint8Array): boolean => peFormat.probe(bytes.subarray(0, 4096), toByteSource(bytes));

const withDosHeader = (peOffset: number, size: number): Uint8Array => {
  const bytes = new Uint8Array(size);
  bytes.set([0x4d, 0x5a]);
  new DataView(bytes.buffer).setUint32(0x3c, peOffset, true);
  return bytes;
};

describe('when deciding whether a file is a portable executable', () => {
  const whole = buildPe({ machine: 'x64' });

  it('takes whole and cut ones', () => {
    expect(probe(whole)).toBe(true);
    for (const length of [16, 63, 64, 100, 128, 140, 512])
      expect(probe(whole.subarray(0, length))).toBe(true);
  });

  it('takes one with an overwritten signature or pointer', () => {
    const signature = Uint8Array.from(whole);
    signature.fill(0xee, 0x80, 0x84);
    expect(probe(signature)).toBe(true);
    const pointer = Uint8Array.from(whole);
    pointer.fill(0xff, 0x3c, 0x40);
    expect(probe(pointer)).toBe(true);
  });

  it('leaves other things alone', () => {
    expect(probe(new Uint8Array(0))).toBe(false);
    expect(probe(ascii('MZ'))).toBe(false);
    expect(
      probe(ascii('MZ is the name of a text file about Mark Zbikowski, who has a header of his own.')),
    ).toBe(false);
    expect(probe(withDosHeader(0, 4096))).toBe(false);
    const newExecutable = withDosHeader(0x80, 4096);
    newExecutable.set(ascii('NE'), 0x80);
    newExecutable.set(ascii('This program cannot be run in DOS mode'), 0x4e);
    expect(probe(newExecutable)).toBe(false);
  });
});

describe.skipIf(!corpus.available)('when the program is packed with UPX', () => {
  it.each([
    'windows-stub-5.0.0.156/SkypeSetup.exe',
    'windows-stub-6.3.0.105/SkypeSetup.exe',
    'windows-stub-7.40.66.104/SkypeSetup.exe',
  ])('yields the unpacked image first, and no resource that is still packed: %s', (name) => {
    const outer = readPe(new Uint8Array(readFileSync(corpus.path(name))));
    expect(valuesOf('packer', outer.facts)).toEqual(['UPX']);
    expect(outer.members[0]?.name).toBe('[upx]');
    expect(outer.members.map((member) => member.name)).not.toContain('.rsrc/LANGZIP/LANG_EN');
    const inner = readPe(toMemberBytes(outer.members[0]));
    expect(inner.findings).toEqual([]);
    expect(inner.members.map((member) => member.name)).toContain('.rsrc/LANGZIP/LANG_EN');
    expect(valuesOf('fileVersion', inner.facts)).toEqual(valuesOf('fileVersion', outer.facts));
  });
});
