import { describe, expect, it } from 'vitest';
import { buildSis, buildSisx } from '../../fixtures/sis-builder.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { sisFormat } from '../../src/formats/sis.ts';
import { mutate } from '../mutation.ts';
import { codesOf, factsOf, fieldOf } from './reading-facts.ts';
import { readAll } from './reading.ts';

const old = {
  uid: 0x20003b78,
  languages: [
    { code: 1, name: 'Skype' },
    { code: 31, name: 'Skype 中文' },
  ],
  version: [1, 5, 12],
  files: [
    { target: '!:\\system\\apps\\Skype\\Skype.app', data: 'app' },
    { target: '!:\\system\\apps\\Skype\\Skype.rsc', data: 'rsc', perLanguage: true },
    { target: 'C:\\readme.txt', data: 'text' },
  ],
} as const;
const sisx = {
  uid: 0x20003b78,
  vendor: 'Skype',
  names: ['Skype', 'Skype 中文'],
  vendorNames: ['Skype Software', 'Skype'],
  version: [1, 0, 4],
} as const;

const isSis = (bytes: Uint8Array): boolean => sisFormat.probe(bytes.subarray(0, 4096), toByteSource(bytes));

describe('when the file is of EPOC release 6', () => {
  it.each([[false], [true]])(
    'gives names, languages, version and files (with conditions: %s)',
    async (conditional) => {
      const bytes = buildSis({ ...old, conditional });
      expect(isSis(bytes)).toBe(true);
      const result = await readAll(sisFormat, bytes);
      expect(codesOf(result)).toEqual(['unsupported/format']);
      expect(result.findings[0]).toMatchObject({
        incomplete: true,
        consequence: 'its members were not looked at',
      });
      expect(factsOf(result, 'packageId')).toEqual(['0x20003b78']);
      expect(fieldOf(result, 'Name')).toEqual(['Skype', 'Skype 中文']);
      expect(fieldOf(result, 'Language')).toEqual(['English', 'Chinese (PRC)']);
      expect(fieldOf(result, 'Version')).toEqual(['1.5.12']);
      expect(factsOf(result, 'memberName')).toEqual(old.files.map(({ target }) => target));
      for (const { kind, value, offset = 0 } of result.reading?.facts ?? []) {
        if (kind === 'memberName') {
          const length = String(value).length * 2;
          expect(bytes.subarray(offset, offset + length).toString('utf16le')).toBe(value);
        }
      }
    },
  );
});

describe('when the file is of EPOC release 3 to 5', () => {
  it('reads names of one byte a character', async () => {
    const result = await readAll(
      sisFormat,
      buildSis({ ...old, isRelease6: false, languages: [{ code: 99, name: 'Psion' }] }),
    );
    expect(codesOf(result)).toEqual(['unsupported/format']);
    expect(fieldOf(result, 'Name')).toEqual(['Psion']);
    expect(fieldOf(result, 'Language')).toEqual(['99']);
    expect(fieldOf(result, 'UID2')).toEqual(['0x1000006d']);
    expect(factsOf(result, 'memberName')).toHaveLength(3);
  });
});

describe('when the file is a SISX file', () => {
  it.each([
    ['packed', {}],
    ['not packed', { compressed: false }],
    ['with lengths of eight bytes', { longLengths: true }],
  ])('gives name, vendor and version (%s)', async (_name, options) => {
    const bytes = buildSisx({ ...sisx, ...options });
    expect(isSis(bytes)).toBe(true);
    const result = await readAll(sisFormat, bytes);
    expect(codesOf(result)).toEqual(['unsupported/format']);
    expect(factsOf(result, 'packageId')).toEqual(['0x20003b78']);
    expect(fieldOf(result, 'PackageUID')).toEqual(['0x20003b78']);
    expect(fieldOf(result, 'Vendor')).toEqual(['Skype']);
    expect(fieldOf(result, 'Name')).toEqual(['Skype', 'Skype 中文']);
    expect(fieldOf(result, 'VendorName')).toEqual(['Skype Software', 'Skype']);
    expect(fieldOf(result, 'Version')).toEqual(['1.0.4']);
  });

  it('tells a description that is cut off, and gives what precedes', async () => {
    const whole = buildSisx({ ...sisx, compressed: false });
    const result = await readAll(sisFormat, whole.subarray(0, whole.indexOf(Buffer.from('中文', 'utf16le'))));
    expect(codesOf(result)).toContain('unsupported/format');
    expect(fieldOf(result, 'Vendor')).toEqual(['Skype']);
    expect(factsOf(result, 'packageId')).toEqual(['0x20003b78']);
  });

  it.each([
    ['contents of another type', (bytes: Buffer) => bytes.fill(9, 16, 20)],
    ['a packed part that is none', (bytes: Buffer) => bytes.fill(0xff, 56, 80)],
  ])('tells %s', async (_name, damage) => {
    const result = await readAll(sisFormat, damage(buildSisx(sisx)));
    expect(result.findings.length).toBeGreaterThan(1);
    expect(result.findings[0]).toMatchObject({ incomplete: true });
    expect(factsOf(result, 'packageId')).toEqual(['0x20003b78']);
  });
});

describe('when a Symbian file is malformed', () => {
  const pointers = [
    ['languages', 0x30],
    ['files', 0x34],
    ['names', 0x40],
  ] as const;
  it.each(pointers)('tells a pointer to %s that leads outside, and reads the rest', async (_name, at) => {
    const bytes = buildSis(old);
    bytes.writeUInt32LE(0xfffffff0, at);
    const result = await readAll(sisFormat, bytes);
    expect(codesOf(result)).toContain('malformed/out-of-range');
    expect(fieldOf(result, 'Version')).toEqual(['1.5.12']);
  });

  it.each([
    ['languages', 0x12],
    ['files', 0x14],
  ])('does not believe a number of %s that is absurd', async (_name, at) => {
    const bytes = buildSis(old);
    bytes.writeUInt16LE(0xffff, at);
    const result = await readAll(sisFormat, bytes);
    expect(result.thrown).toBeUndefined();
    expect(result.findings.length).toBeGreaterThan(1);
    expect(result.reading?.facts.length).toBeLessThan(500);
  });

  it('tells a record of a kind that is not known', async () => {
    const bytes = buildSis(old);
    bytes.writeUInt32LE(77, bytes.readUInt32LE(0x34));
    expect(codesOf(await readAll(sisFormat, bytes))).toContain('unsupported/feature');
  });

  it('refuses a header that is cut off', async () => {
    const result = await readAll(sisFormat, buildSis(old).subarray(0, 40));
    expect(result.thrown?.code).toBe('malformed/out-of-range');
    expect(isSis(Buffer.alloc(15))).toBe(false);
    expect(isSis(Buffer.alloc(64))).toBe(false);
  });
});

describe('when Symbian files are damaged in 2,000 ways', () => {
  it.each([
    ['old', buildSis(old)],
    ['SISX', buildSisx(sisx)],
    ['SISX, not packed', buildSisx({ ...sisx, compressed: false })],
  ])('never crashes, hangs or says that it saw everything (%s)', async (_name, seed) => {
    for (const mutant of mutate(seed, 2000, 7)) {
      const started = performance.now();
      const result = await readAll(sisFormat, mutant.bytes, { limits: { milliseconds: 3000 } });
      expect(performance.now() - started, mutant.description).toBeLessThan(3500);
      expect(result.faults, mutant.description).toBeGreaterThan(0);
    }
  });
});
