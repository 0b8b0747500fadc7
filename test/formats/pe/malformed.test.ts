import { describe, expect, it } from 'vitest';
import { buildPe } from '../../../fixtures/pe-builder.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import type { Finding } from '../../../src/formats/model.ts';
import { peFormat } from '../../../src/formats/pe/index.ts';
import { parsePe } from '../../../src/formats/pe/parse.ts';
import { readVersionInfo } from '../../../src/formats/pe/version-info.ts';
import { type PeReading, fullOptions, readPe, toMemberBytes } from './reading.ts';

const whole = buildPe(fullOptions('x86'));
const image = readPe(whole).image;

/** A copy of the full fixture with 32-bit numbers overwritten. */
function patch(changes: Readonly<Record<number, number>>, from: Uint8Array = whole): Uint8Array {
  const bytes = Uint8Array.from(from);
  const view = new DataView(bytes.buffer);
  for (const [offset, value] of Object.entries(changes)) view.setUint32(Number(offset), value, true);
  return bytes;
}

function codesOf({ findings }: PeReading): readonly string[] {
  return findings.map((finding) => finding.code);
}

/** A version string proves that everything else was still read. */
function hasCompanyName({ facts }: PeReading): boolean {
  return facts.some((fact) => fact.kind === 'versionInfo' && fact.name === 'CompanyName');
}

function thrownBy(bytes: Uint8Array): TelltaleError {
  try {
    parsePe(toByteSource(bytes), () => {});
  } catch (error) {
    if (error instanceof TelltaleError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const optional = image.optionalHeaderOffset;
const directoriesAt = optional + 96;
const directoryAt = (index: number): number => directoriesAt + 8 * index;
const sectionAt = (index: number): number => optional + 224 + 40 * index;
const rsrc = image.sections.find((section) => section.name === '.rsrc');
const tree = rsrc?.rawOffset ?? 0;

describe('when the PE header is not where it should be', () => {
  it('says that the file ends first', () => {
    const error = thrownBy(patch({ 0x3c: 0x7fff_fff0 }).subarray(0, 0x80));
    expect(error.code).toBe('malformed/truncated');
    expect(error.offset).toBe(0x7fff_fff0);
    expect(thrownBy(whole.subarray(0, 40)).code).toBe('malformed/truncated');
    expect(thrownBy(whole.subarray(0, image.peOffset + 10)).code).toBe('malformed/truncated');
  });

  it('finds a header that the pointer misses, and says so', () => {
    const reading = readPe(patch({ 0x3c: 0xffff_ffff }));
    expect(codesOf(reading)).toEqual(['malformed/header']);
    expect(reading.image.peOffset).toBe(image.peOffset);
    expect(hasCompanyName(reading)).toBe(true);
  });

  it('reads on behind an overwritten signature', () => {
    const reading = readPe(patch({ [image.peOffset]: 0xdead_beef }));
    expect(codesOf(reading)).toEqual(['malformed/header']);
    expect(hasCompanyName(reading)).toBe(true);
  });

  it('gives up when the header itself is overwritten', () => {
    const bytes = Uint8Array.from(whole).fill(0xee, image.peOffset, image.peOffset + 64);
    expect(thrownBy(bytes).code).toBe('malformed/header');
  });

  it('does not take anything else', () => {
    expect(thrownBy(new Uint8Array(100)).code).toBe('malformed/header');
  });
});

describe('when the file is cut', () => {
  it('is damaged at every length, says how much is missing, and nothing else breaks', () => {
    for (let length = 512; length < whole.length - 25; length += 512) {
      const cut = whole.subarray(0, length);
      expect(peFormat.probe(cut.subarray(0, 4096), toByteSource(cut))).toBe(true);
      const reading = readPe(cut);
      const truncated = reading.findings.find(
        (finding) => finding.code === 'malformed/truncated' && finding.offset === length,
      );
      expect(truncated?.incomplete).toBe(true);
      expect(truncated?.message).toContain(`${reading.image.declaredEnd - length} bytes are missing`);
      for (const member of reading.members) toMemberBytes(member);
    }
  });

  it('reads what is left of the headers', () => {
    const cut = readPe(whole.subarray(0, image.peOffset + 30));
    expect(codesOf(cut)).toContain('malformed/truncated');
    expect(cut.image.machine).toBe(0x14c);
    const sections = readPe(whole.subarray(0, sectionAt(1)));
    expect(sections.image.sections).toHaveLength(1);
    expect(codesOf(sections)).toContain('malformed/truncated');
  });
});

describe('when the headers are absurd', () => {
  it('stops at the sections that fit', () => {
    const bytes = Uint8Array.from(whole);
    new DataView(bytes.buffer).setUint16(image.peOffset + 6, 65_535, true);
    const reading = readPe(bytes);
    expect(codesOf(reading)).toContain('malformed/truncated');
    expect(hasCompanyName(reading)).toBe(true);
  });

  it('reads no more sections than the limit', () => {
    const bytes = new Uint8Array(whole.length + 40 * 70_000);
    bytes.set(whole);
    new DataView(bytes.buffer).setUint16(image.peOffset + 6, 65_535, true);
    const reading = readPe(bytes);
    expect(reading.image.sections).toHaveLength(2048);
    expect(codesOf(reading)).toContain('limit/count');
  });

  it('reads sixteen directories when more are claimed', () => {
    const reading = readPe(patch({ [directoriesAt - 4]: 0xffff_ffff }));
    expect(reading.image.directories).toHaveLength(16);
    expect(codesOf(reading)).toEqual(['malformed/structure']);
    expect(hasCompanyName(reading)).toBe(true);
  });

  it('reads as many directories as there are', () => {
    const reading = readPe(patch({ [directoriesAt - 4]: 2 }));
    expect(reading.image.directories).toHaveLength(2);
    expect(hasCompanyName(reading)).toBe(false);
  });

  it('takes sizes that are negative when signed as missing bytes', () => {
    const reading = readPe(patch({ [sectionAt(1) + 16]: 0xffff_fe00 }));
    expect(codesOf(reading)).toContain('malformed/truncated');
    expect(codesOf(reading)).toContain('malformed/overlap');
    expect(reading.image.overlay).toBeUndefined();
    expect(hasCompanyName(reading)).toBe(true);
  });

  it('reports sections that share bytes', () => {
    const rawOffset = image.sections[0]?.rawOffset ?? 0;
    expect(codesOf(readPe(patch({ [sectionAt(1) + 20]: rawOffset })))).toContain('malformed/overlap');
  });

  it('reports a certificate table behind the end of the file', () => {
    const reading = readPe(patch({ [directoryAt(4)]: whole.length + 100, [directoryAt(4) + 4]: 5000 }));
    expect(reading.image.declaredEnd).toBe(whole.length + 5100);
    expect(reading.findings[0]).toMatchObject({ code: 'malformed/truncated', offset: whole.length });
    expect(reading.findings[0]?.message).toContain('the certificate table');
    expect(reading.members.at(-1)?.name).toBe('[overlay]');
  });

  it('reads an optional header of unknown kind as a 32-bit one', () => {
    const bytes = Uint8Array.from(whole);
    new DataView(bytes.buffer).setUint16(optional, 0x107, true);
    expect(codesOf(readPe(bytes))).toContain('malformed/header');
  });
});

describe('when a directory points outside the file', () => {
  it.each([
    [0, 'exported names were not read'],
    [1, 'imported libraries were not read'],
    [2, 'version information, manifest and embedded files were not read'],
    [6, 'the path of its debug symbols was not read'],
    [13, 'libraries that are loaded late were not read'],
    [14, 'the .NET runtime version was not read'],
  ])('reports directory %i and reads the others', (index, consequence) => {
    const reading = readPe(patch({ [directoryAt(index)]: 0x7000_0000, [directoryAt(index) + 4]: 100 }));
    expect(reading.findings).toHaveLength(1);
    expect(reading.findings[0]).toMatchObject({ consequence, offset: directoryAt(index), incomplete: true });
    expect(hasCompanyName(reading)).toBe(index !== 2);
  });
});

describe('when the import directory is absurd', () => {
  const imports = image.toOffset(image.directories[1]?.rva ?? 0) ?? 0;

  it('reports a library name outside the file and gives no hash', () => {
    const reading = readPe(patch({ [imports + 12]: 0x7000_0000 }));
    expect(codesOf(reading)).toEqual(['malformed/out-of-range']);
    expect(reading.facts.some((fact) => fact.kind === 'importHash')).toBe(false);
  });

  it('ends with the section when no descriptor of zeros does', () => {
    const filler = new Uint8Array(4096).fill(1);
    const bytes = buildPe({ sections: [{ name: '.fill', data: filler }], imports: [] });
    const { image: plain } = readPe(bytes);
    const fill = plain.sections.find((section) => section.name === '.fill')?.virtualAddress ?? 0;
    const reading = readPe(
      patch(
        { [plain.optionalHeaderOffset + 96 + 8]: fill, [plain.optionalHeaderOffset + 96 + 12]: 40 },
        bytes,
      ),
    );
    expect(reading.findings[0]?.code).toBe('malformed/out-of-range');
  });
});

describe('when the export directory is absurd', () => {
  it('lists as many names as there is room for', () => {
    const exports = image.toOffset(image.directories[0]?.rva ?? 0) ?? 0;
    const reading = readPe(patch({ [exports + 24]: 0xffff_ffff }));
    expect(codesOf(reading)).toEqual(['malformed/out-of-range']);
    expect(reading.facts.filter((fact) => fact.kind === 'exportedName').length).toBeGreaterThanOrEqual(3);
  });
});

describe('when the resource tree is hostile', () => {
  it('does not follow a directory into itself', () => {
    // The first entry of the root points to the root.
    const reading = readPe(patch({ [tree + 16 + 4]: 0x8000_0000 }));
    expect(codesOf(reading)).toContain('malformed/cycle');
    expect(hasCompanyName(reading)).toBe(true);
  });

  it('does not read a fourth level', () => {
    // Root, type and name each have one entry here: the language entry is made a directory at its own offset + 24.
    const small = buildPe({ resources: [{ type: 10, name: 1, data: new Uint8Array(64) }] });
    const at = readPe(small).image.sections.find((section) => section.name === '.rsrc')?.rawOffset ?? 0;
    const reading = readPe(patch({ [at + 48 + 16 + 4]: 0x8000_0048 }, small));
    expect(codesOf(reading)).toContain('malformed/structure');
  });

  it('reports entries, names and leaves outside the directory', () => {
    const counts = readPe(patch({ [tree + 12]: 0xffff_ffff }));
    expect(counts.findings.length).toBeGreaterThan(0);
    const leaf = readPe(patch({ [tree + 16 + 4]: 0x7fff_0000 }));
    expect(codesOf(leaf)).toEqual(['malformed/out-of-range']);
    const name = readPe(patch({ [tree + 16]: 0xffff_ffff }));
    expect(codesOf(name)).toEqual(['malformed/out-of-range']);
    expect(hasCompanyName(name)).toBe(true);
  });

  it('reports resources whose bytes are not in the file', () => {
    const entry = tree + 16 + 8;
    const levels = new DataView(whole.buffer, whole.byteOffset);
    const toBelow = (at: number): number => tree + (levels.getUint32(at + 4, true) & 0x7fff_ffff);
    const dataEntry = toBelow(toBelow(toBelow(entry) + 16) + 16);
    const reading = readPe(patch({ [dataEntry + 4]: 0x7fff_ffff }));
    expect(reading.findings).toHaveLength(1);
    expect(reading.findings[0]?.message).toContain('1 of 9 resources');
    expect(hasCompanyName(reading)).toBe(true);
  });

  it('stops at the limit when directories are shared many times over', () => {
    // Three directories of 1,300 entries each that all point to the next one: 2 billion paths.
    const data = new Uint8Array(0x8000);
    const view = new DataView(data.buffer);
    for (const [index, at] of [0, 0x2a00, 0x5400].entries()) {
      view.setUint16(at + 14, 1300, true);
      for (let entry = 0; entry < 1300; entry += 1) {
        view.setUint32(at + 16 + 8 * entry, entry + 1, true);
        view.setUint32(at + 20 + 8 * entry, index === 2 ? 0 : 0x8000_0000 + 0x2a00 * (index + 1), true);
      }
    }
    const bytes = buildPe({ sections: [{ name: '.rsrc', data }] });
    const { image: plain } = readPe(bytes);
    const rva = plain.sections[1]?.virtualAddress ?? 0;
    const at = plain.optionalHeaderOffset + 96 + 16;
    const started = performance.now();
    const reading = readPe(patch({ [at]: rva, [at + 4]: data.length }, bytes));
    expect(codesOf(reading)).toContain('limit/count');
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

const readDamaged = (bytes: Uint8Array) => {
  const findings: Finding[] = [];
  const info = readVersionInfo(bytes, (finding) => {
    findings.push(finding);
  });
  return { info, findings };
};

describe('when version information is damaged', () => {
  const version = readPe(whole);
  const region = version.regions.find((candidate) => candidate.name === 'VERSIONINFO');
  const good = whole.slice(region?.offset, (region?.offset ?? 0) + (region?.size ?? 0));

  it('reads the strings all the same when the root is overwritten', () => {
    const { info, findings } = readDamaged(Uint8Array.from(good).fill(0, 0, 36));
    expect(info.fileVersion).toBe('4.0.0.225');
    expect(info.strings).toHaveLength(4);
    expect(findings.map((finding) => finding.code)).toEqual(['malformed/structure']);
  });

  it('does not loop on a block of length zero', () => {
    const bytes = Uint8Array.from(good);
    bytes.fill(0, 92, 94); // StringFileInfo
    const { info, findings } = readDamaged(bytes);
    expect(info.strings).toEqual([]);
    expect(findings).toHaveLength(1);
  });

  it('reads the strings before the cut', () => {
    const { info } = readDamaged(good.subarray(0, good.length >> 1));
    expect(info.strings[0]?.value).toBe('Skype Technologies S.A.');
    for (let length = 0; length < good.length; length += 1) readDamaged(good.subarray(0, length));
  });

  it('takes nothing from other bytes', () => {
    expect(readDamaged(new Uint8Array(0)).info.strings).toEqual([]);
    const { info, findings } = readDamaged(new Uint8Array(500).fill(0x41));
    expect(info).toMatchObject({ fileVersion: undefined, strings: [] });
    expect(findings.length).toBeGreaterThan(0);
  });
});
