import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildPe } from '../../fixtures/pe-builder.ts';
import {
  type UpxFixtureOptions,
  fixHeaderChecksum,
  packUpx,
  toPackHeaderOffset,
} from '../../fixtures/upx-builder.ts';
import { Budget, type Limits, defaultLimits } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import type { Finding } from '../../src/formats/model.ts';
import { peFormat } from '../../src/formats/pe/index.ts';
import { parsePe } from '../../src/formats/pe/parse.ts';
import { type UpxInfo, tryUnpackUpx, upxLimitations } from '../../src/formats/upx.ts';
import { corpus } from '../corpus.ts';
import { mutate } from '../mutation.ts';
import { readAll } from './reading.ts';

const encoder = new TextEncoder();
const text = encoder.encode('the quick brown fox; http://ui.example.test/ui/0/; '.repeat(40));
const resourceText = encoder.encode('LANG strings that UPX compresses. '.repeat(20));

/** Code with calls inside, a jump, a conditional jump, and a call to outside. */
function buildCode(): Uint8Array {
  const code = new Uint8Array(0x200).fill(0x90);
  const view = new DataView(code.buffer);
  for (let at = 16; at < 400; at += 16) {
    code[at] = at % 32 === 0 ? 0xe8 : 0xe9;
    view.setInt32(at + 1, 100 - at, true);
  }
  code.set([0x0f, 0x84], 410);
  view.setInt32(412, -50, true);
  code[440] = 0xe8;
  view.setInt32(441, 0x123456, true);
  return code;
}

const code = buildCode();
const pe = buildPe({
  sections: [
    { name: '.text', data: code, characteristics: 0x60000020 },
    { name: '.data', data: text },
  ],
  versionInfo: { CompanyName: 'Telltale Tests', ProductName: 'Packed Thing' },
  fileVersion: '6.3.0.105',
  resources: [
    { type: 10, name: 'LANG_EN', data: resourceText },
    { type: 'USRFILE', name: 7, data: resourceText.subarray(5) },
    { type: 24, name: 1, data: encoder.encode('<assembly/>') },
  ],
  imports: [
    { library: 'KERNEL32.dll', symbols: ['CreateFileW', 'ExitProcess'] },
    { library: 'ws2_32.dll', symbols: ['#115', 'send'] },
  ],
});
const pe64 = buildPe({
  machine: 'x64',
  sections: [{ name: '.data', data: text }],
  imports: [{ library: 'USER32.dll', symbols: ['MessageBoxW', '#7'] }],
});

interface Unpacked {
  readonly image: Uint8Array | undefined;
  readonly info: UpxInfo | undefined;
  readonly findings: readonly Finding[];
}

function unpack(packed: Uint8Array, limits: Partial<Limits> = {}): Unpacked {
  const findings: Finding[] = [];
  const budget = new Budget(packed.length, { ...defaultLimits, ...limits });
  const image = parsePe(toByteSource(packed), () => undefined);
  const unpacked = tryUnpackUpx(image, { budget, report: (finding) => findings.push(finding) });
  return { image: unpacked?.image, info: unpacked?.info, findings };
}

/** Name and bytes of each section as the headers place them. */
function toSections(bytes: Uint8Array): Map<string, Buffer> {
  const { sections } = parsePe(toByteSource(bytes), () => undefined);
  return new Map(
    sections.map(({ name, rawOffset, rawSize }) => [
      name,
      Buffer.from(bytes.subarray(rawOffset, rawOffset + rawSize)),
    ]),
  );
}

const codesOf = (findings: readonly Finding[]): string[] => findings.map(({ code: errorCode }) => errorCode);

/** Unpacks with one byte of the pack header changed. */
function unpackEdited(offset: number, value: number): Unpacked {
  const packed = packUpx(pe, { method: 'lzma' });
  packed[toPackHeaderOffset(packed) + offset] = value;
  fixHeaderChecksum(packed);
  return unpack(packed);
}

const allMethods = [
  { method: 'nrv2b' },
  { method: 'nrv2b', wordBits: 8 },
  { method: 'nrv2b', wordBits: 16 },
  { method: 'nrv2d' },
  { method: 'nrv2d', wordBits: 8 },
  { method: 'nrv2d', wordBits: 16 },
  { method: 'nrv2e' },
  { method: 'nrv2e', wordBits: 8 },
  { method: 'nrv2e', wordBits: 16 },
  { method: 'lzma' },
] as const satisfies readonly UpxFixtureOptions[];

describe('when an ordinary program was packed', () => {
  it.each(allMethods)('gives its sections back: $method, words of $wordBits bits', (options) => {
    const { image, info, findings } = unpack(packUpx(pe, options));
    expect(findings).toEqual([]);
    expect(info?.checksums).toEqual({ header: true, compressed: true, uncompressed: true });
    expect(info?.headers).toBe('original');
    expect(info?.format).toBe('win32/pe');
    expect(info?.originalFileBytes).toBe(pe.length);
    expect(info?.unpackedBytes).toBe(info?.uncompressedBytes);
    const sections = toSections(image ?? new Uint8Array(0));
    const original = toSections(pe);
    expect([...sections.keys()]).toEqual([...original.keys(), '.upxinfo', 'UPX2', '.upximp']);
    expect(sections.get('.text')).toEqual(original.get('.text'));
    expect(sections.get('.data')).toEqual(original.get('.data'));
  });

  it.each([0x16, 0x26, 0x49])('undoes filter %i', (filter) => {
    const { image, findings } = unpack(packUpx(pe, { method: 'lzma', filter }));
    expect(findings).toEqual([]);
    expect(toSections(image ?? new Uint8Array(0)).get('.text')).toEqual(Buffer.from(code));
  });

  it('places every section at its address', () => {
    const { image } = unpack(packUpx(pe, { method: 'nrv2e' }));
    const rebuilt = parsePe(toByteSource(image ?? new Uint8Array(0)), () => undefined);
    for (const section of rebuilt.sections) expect(section.rawOffset).toBe(section.virtualAddress);
    expect(rebuilt.overlay).toBeUndefined();
    expect(rebuilt.declaredEnd).toBe(image?.length);
  });

  it('is readable as a PE with version, resources and imports', async () => {
    const { image } = unpack(packUpx(pe, { method: 'lzma', filter: 0x26 }));
    const { reading, findings, members } = await readAll(peFormat, image ?? new Uint8Array(0));
    expect(findings).toEqual([]);
    const facts = reading?.facts ?? [];
    expect(facts.find(({ kind, name }) => kind === 'versionInfo' && name === 'ProductName')?.value).toBe(
      'Packed Thing',
    );
    expect(facts.find(({ kind }) => kind === 'fileVersion')?.value).toBe('6.3.0.105');
    expect(facts.filter(({ kind }) => kind === 'importedLibrary').map(({ value }) => value)).toEqual([
      'kernel32.dll',
      'ws2_32.dll',
    ]);
    const original = await readAll(peFormat, pe);
    const toImportHash = (result: typeof original): unknown =>
      result.reading?.facts.find(({ kind }) => kind === 'importHash')?.value;
    expect(toImportHash(original)).toBeDefined();
    expect(facts.find(({ kind }) => kind === 'importHash')?.value).toBe(toImportHash(original));
    expect(members.find(({ name }) => name === '.rsrc/RCDATA/LANG_EN')?.bytes).toEqual(
      Buffer.from(resourceText),
    );
    expect(members.find(({ name }) => name === '.rsrc/USRFILE/7')?.bytes.subarray(0, 8)).toEqual(
      Buffer.from(resourceText.subarray(5, 13)),
    );
  });

  it('is offered by the PE format as a member', async () => {
    const { members, reading } = await readAll(peFormat, packUpx(pe, { method: 'lzma' }));
    expect(members[0]?.name).toBe('[upx]');
    expect(members[0]?.bytes.includes('http://ui.example.test/')).toBe(true);
    expect(reading?.facts.find(({ kind }) => kind === 'packer')?.value).toBe('UPX');
  });

  it('is unpacked as PE32+ too', async () => {
    const { image, info, findings } = unpack(packUpx(pe64, { method: 'nrv2e' }));
    expect(findings).toEqual([]);
    expect(info?.format).toBe('win64/pe');
    const rebuilt = await readAll(peFormat, image ?? new Uint8Array(0));
    const original = await readAll(peFormat, pe64);
    const toImports = ({ reading }: typeof original): unknown =>
      reading?.facts
        .filter(({ kind }) => kind === 'importedLibrary' || kind === 'importHash')
        .map(({ value }) => value);
    expect(toImports(rebuilt)).toEqual(toImports(original));
    expect(toImports(rebuilt)).toHaveLength(2);
  });
});

describe('when the packed file was disguised', () => {
  it('is found under other section names', () => {
    const packed = packUpx(pe, { method: 'lzma', sectionNames: ['.text', 'CODE'] });
    const { info, findings } = unpack(packed);
    expect(findings).toEqual([]);
    expect(info?.checksums.uncompressed).toBe(true);
  });

  it('is found with the data moved away from the header', () => {
    const { info, findings } = unpack(packUpx(pe, { method: 'nrv2b', gapBytes: 77 }));
    expect(findings).toEqual([]);
    expect(info?.payloadOffset).toBe((info?.headerOffset ?? 0) + 32 + 77);
  });

  it('is found with the header moved away from the data', () => {
    const packed = packUpx(pe, { method: 'nrv2b' });
    const at = toPackHeaderOffset(packed);
    packed.copyWithin(at - 5, at, at + 32);
    packed.fill(0, at + 27, at + 32);
    const { info, findings } = unpack(packed);
    expect(findings).toEqual([]);
    expect(info?.payloadOffset).toBe((info?.headerOffset ?? 0) + 37);
  });

  it('reports an edited header checksum, and unpacks', () => {
    const packed = packUpx(pe, { method: 'lzma' });
    const at = toPackHeaderOffset(packed) + 31;
    packed[at] = (packed[at] ?? 0) ^ 1;
    const { info, findings } = unpack(packed);
    expect(codesOf(findings)).toEqual(['malformed/checksum']);
    expect(findings[0]?.incomplete).toBe(true);
    expect(info?.checksums).toEqual({ header: false, compressed: true, uncompressed: true });
  });

  it('reports a wiped header while the section names still say UPX', () => {
    const packed = packUpx(pe, { method: 'lzma' });
    packed.fill(0, toPackHeaderOffset(packed), toPackHeaderOffset(packed) + 4);
    const { image, findings } = unpack(packed);
    expect(image).toBeUndefined();
    expect(codesOf(findings)).toEqual(['malformed/header']);
    expect(findings[0]?.incomplete).toBe(true);
  });

  it('prefers the header whose data are right to a decoy before it', () => {
    const packed = packUpx(pe, { method: 'lzma' });
    const at = toPackHeaderOffset(packed);
    const decoy = packed.slice(at, at + 32);
    decoy[16] = (decoy[16] ?? 0) ^ 0xff;
    decoy[12] = (decoy[12] ?? 0) ^ 0xff;
    packed.set(decoy, at - 40);
    fixHeaderChecksum(packed);
    const { info, findings } = unpack(packed);
    expect(findings).toEqual([]);
    expect(info?.headerOffset).toBe(at);
  });
});

describe('when the program is not packed', () => {
  it('gives nothing and reports nothing', () => {
    expect(unpack(pe)).toEqual({ image: undefined, info: undefined, findings: [] });
  });

  it('takes no notice of a UPX file that it only carries', () => {
    const carrier = buildPe({ resources: [{ type: 10, name: 1, data: packUpx(pe, { method: 'lzma' }) }] });
    expect(unpack(carrier)).toEqual({ image: undefined, info: undefined, findings: [] });
  });
});

describe('when the packed data are damaged', () => {
  const packed = packUpx(pe, { method: 'nrv2e' });
  const payloadBytes = (unpack(packed).info?.compressedBytes ?? 0) & ~1;

  it('reports the checksum and gives what was unpacked before', () => {
    const broken = Uint8Array.from(packed);
    const middle = toPackHeaderOffset(broken) + 32 + payloadBytes / 2;
    for (let at = middle; at < middle + 40; at += 1) broken[at] = 0;
    const { image, info, findings } = unpack(broken);
    expect(codesOf(findings)[0]).toBe('malformed/checksum');
    expect(findings.every(({ incomplete }) => incomplete)).toBe(true);
    expect(info?.checksums.compressed).toBe(false);
    expect(info?.checksums.uncompressed).toBe(false);
    expect(Buffer.from(image ?? []).includes('the quick brown fox')).toBe(true);
  });

  it('reports a cut file and gives the first part', () => {
    const cut = packed.slice(0, toPackHeaderOffset(packed) + 32 + payloadBytes / 2);
    const { image, info, findings } = unpack(cut);
    expect(codesOf(findings)).toEqual(['malformed/truncated', 'malformed/truncated']);
    expect(info?.headers).toBe('packed');
    expect(info?.unpackedBytes).toBeLessThan(info?.uncompressedBytes ?? 0);
    expect(Buffer.from(image ?? []).includes('the quick brown fox')).toBe(true);
    const rebuilt = parsePe(toByteSource(image ?? new Uint8Array(0)), () => undefined);
    expect(rebuilt.sections[0]?.rawSize).toBe(info?.unpackedBytes);
  });

  it('reports a wrong checksum of the unpacked program', () => {
    const edited = Uint8Array.from(packed);
    const at = toPackHeaderOffset(edited) + 8;
    edited[at] = (edited[at] ?? 0) ^ 1;
    fixHeaderChecksum(edited);
    const { image, info, findings } = unpack(edited);
    expect(codesOf(findings)).toEqual(['malformed/checksum']);
    expect(info?.checksums).toEqual({ header: true, compressed: true, uncompressed: false });
    expect(image).toBeDefined();
  });

  it('gives the bytes as one block without the extra info', () => {
    const { image, info, findings } = unpack(packUpx(pe, { method: 'lzma', withoutExtraInfo: true }));
    expect(codesOf(findings)).toEqual(['malformed/structure']);
    expect(info?.headers).toBe('packed');
    expect(Buffer.from(image ?? []).includes('the quick brown fox')).toBe(true);
  });
});

describe('when the extra info was crafted', () => {
  /** Changes the original headers in the extra info. */
  const craft =
    (change: (headers: DataView) => void) =>
    (plain: Uint8Array): Uint8Array => {
      const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
      const at = view.getUint32(plain.length - 4, true);
      change(new DataView(plain.buffer, plain.byteOffset + at, plain.length - at));
      return plain;
    };

  it('keeps bytes that no section covers', () => {
    const edit = craft((headers) => headers.setUint16(6, 1, true));
    const { image, info } = unpack(packUpx(pe, { method: 'lzma', edit }));
    expect(info?.headers).toBe('original');
    const sections = toSections(image ?? new Uint8Array(0));
    expect([...sections.keys()]).toEqual(['.text', '.upxinfo', '.rsrc']);
    expect(sections.get('.upxinfo')?.includes('the quick brown fox')).toBe(true);
  });

  it('keeps the bytes of a section that claims to have none', () => {
    const edit = craft((headers) => headers.setUint32(248 + 40 + 16, 0, true));
    const { image } = unpack(packUpx(pe, { method: 'lzma', edit }));
    expect(toSections(image ?? new Uint8Array(0)).get('.data')).toEqual(Buffer.from(text));
  });

  it('reads an image of nothing but zeros', () => {
    const plainPe = buildPe({ sections: [{ name: '.text', data: new Uint8Array(0x200) }] });
    const edit = craft((headers) => headers.setUint32(248 + 16, 0, true));
    const packed = packUpx(plainPe, { method: 'lzma', edit });
    const third = parsePe(toByteSource(packed), () => undefined).sections[2];
    new DataView(packed.buffer).setUint32((third?.headerOffset ?? 0) + 16, 0, true);
    const { image, info, findings } = unpack(packed);
    expect(findings).toEqual([]);
    expect(info?.headers).toBe('original');
    expect([...toSections(image ?? new Uint8Array(0)).keys()]).toEqual(['.text', '.upxinfo']);
  });
});

describe('when the method, version or filter is not supported', () => {
  it('reports method 15', () => {
    const { image, findings } = unpackEdited(6, 15);
    expect(image).toBeUndefined();
    expect(findings).toMatchObject([{ code: 'unsupported/method', incomplete: true }]);
    expect(findings[0]?.message).toContain('DEFLATE');
  });

  it('reports header version 200', () => {
    const { image, findings } = unpackEdited(4, 200);
    expect(image).toBeUndefined();
    expect(codesOf(findings)).toEqual(['unsupported/version']);
  });

  it('reports an unknown filter and gives the image as stored', () => {
    const { image, findings } = unpack(packUpx(pe, { method: 'lzma', filter: 0x80 }));
    expect(codesOf(findings)).toEqual(['unsupported/method']);
    expect(toSections(image ?? new Uint8Array(0)).get('.data')).toEqual(toSections(pe).get('.data'));
  });

  it('says in the limitations what is not read', () => {
    expect(upxLimitations.every((line) => line.endsWith('.'))).toBe(true);
  });
});

describe('when the promised sizes are absurd', () => {
  it('refuses more than the image may hold', () => {
    const packed = packUpx(pe, { method: 'nrv2b' });
    new DataView(packed.buffer).setUint32(toPackHeaderOffset(packed) + 16, 0xffffffff, true);
    fixHeaderChecksum(packed);
    const { image, findings } = unpack(packed);
    expect(image).toBeUndefined();
    expect(codesOf(findings)).toEqual(['malformed/size-mismatch']);
  });

  it('refuses what the budget does not allow, before it allocates', () => {
    expect(codesOf(unpack(packUpx(pe, { method: 'lzma' }), { memberBytesInMemory: 5000 }).findings)).toEqual([
      'limit/memory',
    ]);
    expect(codesOf(unpack(packUpx(pe, { method: 'lzma' }), { bytesProduced: 5000 }).findings)).toEqual([
      'limit/bytes',
    ]);
  });
});

const installers = ['5.0.0.156', '6.3.0.105', '6.22.64.107', '7.2.0.103', '7.40.66.104'];

function readInstaller(version: string): Uint8Array {
  return new Uint8Array(readFileSync(corpus.path(`windows-stub-${version}/SkypeSetup.exe`)));
}

describe.skipIf(!corpus.available)('when UPX itself packed a real installer', () => {
  it.each(installers)('unpacks %s whole', async (version) => {
    const bytes = readInstaller(version);
    const start = performance.now();
    const { image, info, findings } = unpack(bytes);
    expect(performance.now() - start).toBeLessThan(3000); // loaded machines; a quiet one needs 0.15 s
    expect(findings).toEqual([]);
    expect(info).toMatchObject({
      method: 'LZMA',
      level: 10,
      filter: 0x26,
      headers: 'original',
      headerOffset: 0x3e0,
      checksums: { header: true, compressed: true, uncompressed: true },
    });
    expect(info?.importedLibraries).toBeGreaterThan(20);
    const rebuilt = await readAll(peFormat, image ?? new Uint8Array(0));
    expect(rebuilt.findings).toEqual([]);
    const facts = rebuilt.reading?.facts ?? [];
    expect(facts.find(({ kind, name }) => kind === 'versionInfo' && name === 'FileVersion')?.value).toBe(
      version,
    );
    expect(facts.filter(({ kind }) => kind === 'section').map(({ name }) => name)).toContain('.itext');
    expect(Buffer.from(image ?? []).includes(Buffer.from('ui.skype.com', 'utf16le'))).toBe(true);
    const languages = rebuilt.members.filter(({ name }) => name.startsWith('.rsrc/LANGZIP/'));
    expect(languages.length).toBeGreaterThan(20);
    // Plain text with a byte order mark, whatever the resource type says.
    for (const { bytes: strings } of languages)
      expect([...strings.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  });

  it('restores the call targets of the code', () => {
    const { image = new Uint8Array(0) } = unpack(readInstaller('6.3.0.105'));
    const section = parsePe(toByteSource(image), () => undefined).sections[0];
    const from = section?.rawOffset ?? 0;
    const machineCode = image.subarray(from, from + (section?.rawSize ?? 0));
    const view = new DataView(machineCode.buffer, machineCode.byteOffset, machineCode.byteLength);
    let calls = 0;
    let prologues = 0;
    for (let at = 0; at + 5 < machineCode.length; at += 1) {
      const target = machineCode[at] === 0xe8 ? at + 5 + view.getInt32(at + 1, true) : -1;
      if (target < 0 || target >= machineCode.length) continue;
      calls += 1;
      // push register, mov, or jmp through the import table
      if ([0x50, 0x51, 0x52, 0x53, 0x55, 0x56, 0x57, 0x8b, 0xff].includes(machineCode[target] ?? 0))
        prologues += 1;
    }
    expect(calls).toBeGreaterThan(15_000);
    expect(prologues / calls).toBeGreaterThan(0.7);
  });

  it('reports the edited installer and claims nothing whole', () => {
    const { image, info, findings } = unpack(readInstaller('6.3.0.105-edited'));
    expect(codesOf(findings)).toEqual(['malformed/checksum', 'malformed/compressed-data']);
    expect(findings.every(({ incomplete }) => incomplete)).toBe(true);
    expect(info?.checksums).toEqual({ header: true, compressed: false, uncompressed: false });
    expect(info?.headers).toBe('packed');
    // The file was edited at 0x92d; nothing is unpacked from far behind that.
    expect(findings[1]?.offset).toBeLessThan(0x92d + 100);
    expect(info?.unpackedBytes).toBeLessThan(5000);
    expect(image).toBeDefined();
  });
});

describe('when a packed file is damaged anywhere', () => {
  const small = buildPe({
    sections: [{ name: '.data', data: text.subarray(0, 700) }],
    resources: [{ type: 10, name: 'A', data: resourceText.subarray(0, 100) }],
    fileVersion: '1.2.3.4',
    imports: [{ library: 'KERNEL32.dll', symbols: ['ExitProcess', '#3'] }],
  });
  const families = ['nrv2b', 'nrv2d', 'nrv2e', 'lzma'] as const;

  it.each(families)('never throws anything unknown, hangs or grows: 2,000 mutants of %s', (method) => {
    const seed = packUpx(small, { method, filter: 0x26 });
    const memberBytesInMemory = 4 * 1024 * 1024;
    let unpackedWhole = 0;
    for (const { bytes, description } of mutate(seed, 2000, 20)) {
      const start = performance.now();
      try {
        const { image, info, findings } = unpack(bytes, { memberBytesInMemory });
        expect(image?.length ?? 0, description).toBeLessThanOrEqual(memberBytesInMemory + 1024 * 1024);
        if (info !== undefined && findings.length === 0) unpackedWhole += 1;
        if (image !== undefined) parsePe(toByteSource(image), () => undefined);
      } catch (error) {
        // parsePe gives up on files without PE headers.
        expect(error, description).toBeInstanceOf(TelltaleError);
      }
      expect(performance.now() - start, description).toBeLessThan(1000);
    }
    expect(unpackedWhole).toBeGreaterThan(0);
  });

  it('never fails in the rebuilding: 1,000 mutants of the extra info and imports, packed with right checksums', () => {
    // The last bytes of what is compressed: the list of imports and the original headers.
    const tailBytes = 700;
    let tail: Uint8Array = new Uint8Array(0);
    packUpx(small, {
      method: 'nrv2b',
      edit(plain) {
        tail = plain.slice(-tailBytes);
        return plain;
      },
    });
    const kinds = new Set<string>();
    for (const { bytes, description } of mutate(tail, 1000, 21)) {
      const packed = packUpx(small, {
        method: 'nrv2b',
        edit: (plain) => Buffer.concat([plain.subarray(0, plain.length - tailBytes), bytes]),
      });
      const { image, info, findings } = unpack(packed);
      expect(info?.checksums.uncompressed, description).toBe(true);
      kinds.add(`${info?.headers} ${codesOf(findings).join()}`);
      // What was unpacked is all there, whatever the headers say.
      expect(Buffer.from(image ?? []).includes('the quick brown fox'), description).toBe(true);
      parsePe(toByteSource(image ?? new Uint8Array(0)), () => undefined);
    }
    expect(kinds).toContain('original ');
    expect(kinds.size).toBeGreaterThan(2);
  });
});
