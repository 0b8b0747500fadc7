import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Resource } from 'resedit';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { buildPe } from '../../../fixtures/pe-builder.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import type { Fact } from '../../../src/formats/model.ts';
import { readVersionInfo } from '../../../src/formats/pe/version-info.ts';
import { corpus } from '../../corpus.ts';
import { fullOptions, readPe } from './reading.ts';

const python = '/usr/bin/python3';
const hasPefile = spawnSync(python, ['-c', 'import pefile']).status === 0;
// oxlint-disable-next-line no-console -- a skipped comparison must be seen
if (!hasPefile) console.warn('SKIPPED: comparison with pefile, because python3-pefile is not installed');

const oracleShape = z.array(
  z.object({
    machine: z.number(),
    timeDateStamp: z.number(),
    subsystem: z.number(),
    checksum: z.number(),
    imageBase: z.string(),
    directories: z.array(z.tuple([z.number(), z.number()])),
    sections: z.array(
      z.tuple([z.string(), z.number(), z.number(), z.number(), z.number(), z.number(), z.number()]),
    ),
    versionStrings: z.array(z.tuple([z.string(), z.string(), z.string()])),
    fileVersions: z.array(z.string()),
    resources: z.array(
      z.tuple([
        z.union([z.string(), z.number()]),
        z.union([z.string(), z.number()]),
        z.union([z.string(), z.number()]),
        z.number(),
      ]),
    ),
    libraries: z.array(z.string()),
    delayed: z.array(z.string()),
    imphash: z.string(),
    richHash: z.string(),
    moduleName: z.string().nullable(),
    exports: z.array(z.string()),
    debugPaths: z.array(z.string()),
    overlayOffset: z.number().nullable(),
  }),
);
type Oracle = z.infer<typeof oracleShape>[number];

function askPefile(path: string): Oracle {
  const script = fileURLToPath(new URL('./pefile-oracle.py', import.meta.url));
  const { stdout, stderr } = spawnSync(python, [script, path], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (stdout === '') throw new Error(stderr);
  const [oracle] = oracleShape.parse(JSON.parse(stdout));
  if (oracle === undefined) throw new Error('pefile gave nothing');
  return oracle;
}

const folder = mkdtempSync(join(tmpdir(), 'telltale-pe-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Name and path of every executable to compare on. */
function listSamples(): (readonly [string, string])[] {
  const built: Readonly<Record<string, Uint8Array>> = {
    'built-plain.exe': buildPe(),
    'built-full-x86.dll': buildPe(fullOptions('x86')),
    'built-full-x64.dll': buildPe(fullOptions('x64')),
  };
  const samples = Object.entries(built).map(([name, bytes]) => {
    writeFileSync(join(folder, name), bytes);
    return [name, join(folder, name)] as const;
  });
  const real = corpus.available
    ? readdirSync(corpus.path(''), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .flatMap((entry) => readdirSync(corpus.path(entry.name)).map((file) => `${entry.name}/${file}`))
        .filter((name) => /\.(?:exe|dll)$/i.test(name))
        .sort()
        .map((name) => [name, corpus.path(name)] as const)
    : [];
  // Launchers that Python's packaging tools carry: small real programs by another compiler.
  const extra = (process.env['TELLTALE_EXTRA_EXECUTABLES'] ?? '').split(':').filter((path) => path !== '');
  return [...samples, ...real, ...extra.map((path) => [path, path] as const)];
}

const of = (facts: readonly Fact[], kind: Fact['kind']): readonly Fact[] =>
  facts.filter((fact) => fact.kind === kind);

const sorted = (list: readonly unknown[]): string[] => list.map((entry) => JSON.stringify(entry)).sort();

describe.skipIf(!hasPefile)('when pefile reads the same file', () => {
  it.each(listSamples())('agrees on %s', (_name, path) => {
    const oracle = askPefile(path);
    const bytes = new Uint8Array(readFileSync(path));
    const { image, facts } = readPe(bytes);

    expect(image.machine).toBe(oracle.machine);
    expect(image.timeDateStamp).toBe(oracle.timeDateStamp);
    expect(image.subsystem).toBe(oracle.subsystem);
    expect(image.checksum).toBe(oracle.checksum);
    expect(image.imageBase.toString()).toBe(oracle.imageBase);
    expect(image.directories.map(({ rva, size }) => [rva, size])).toEqual(oracle.directories);
    expect(
      image.sections.map((s) => [
        s.name,
        s.virtualAddress,
        s.virtualSize,
        s.rawOffset,
        s.rawSize,
        s.characteristics,
      ]),
    ).toEqual(oracle.sections.map((section) => section.slice(0, 6)));
    of(facts, 'section').forEach((fact, index) => {
      expect(fact.value).toBeCloseTo(oracle.sections[index]?.[6] ?? -1, 2);
    });

    const strings = of(facts, 'versionInfo').map((f) => [f.detail?.['language'], f.name, f.value]);
    expect(sorted(strings)).toEqual(sorted(oracle.versionStrings));
    expect(of(facts, 'fileVersion').map((f) => f.value)).toEqual(oracle.fileVersions);

    const libraries = of(facts, 'importedLibrary');
    expect(libraries.filter((f) => f.detail === undefined).map((f) => f.value)).toEqual(oracle.libraries);
    expect(libraries.filter((f) => f.detail !== undefined).map((f) => f.value)).toEqual(oracle.delayed);
    expect(of(facts, 'importHash')[0]?.value ?? '').toBe(oracle.imphash);
    expect(of(facts, 'richHeader')[0]?.value ?? '').toBe(oracle.richHash);
    expect(of(facts, 'moduleName')[0]?.value ?? null).toBe(oracle.moduleName);
    expect(sorted(of(facts, 'exportedName').map((f) => f.value))).toEqual(sorted(oracle.exports));
    expect(of(facts, 'debugPath').map((f) => f.value)).toEqual(oracle.debugPaths);

    const ours = of(facts, 'resource');
    expect(ours.map((f) => f.value)).toEqual(oracle.resources.map((resource) => resource[3]));
    expect(ours.map((f) => f.name?.split('/').slice(1).join('/'))).toEqual(
      oracle.resources.map(([, name, language]) => `${name}/${language}`),
    );

    const certificates = image.directories[4];
    const tailStarts = [image.overlay?.offset, certificates?.size ? certificates.rva : undefined]
      .filter((offset) => offset !== undefined)
      .filter((offset) => offset < bytes.length);
    // pefile looks for the end of the data only within the file, so a cut file has no comparable answer.
    if (image.declaredEnd <= bytes.length) {
      expect(tailStarts.length === 0 ? null : Math.min(...tailStarts)).toBe(oracle.overlayOffset);
    }
  });
});

describe('when resedit decodes the same version information', () => {
  it('reads the same strings', () => {
    const version = Resource.VersionInfo.create({
      lang: 1031,
      fixedInfo: { fileVersionMS: 0x4_0001, fileVersionLS: 0x2_0003 },
      strings: [
        { lang: 1031, codepage: 1200, values: { CompanyName: 'Skype Technologies S.A.', Leer: '' } },
        { lang: 2052, codepage: 936, values: { ProductName: '\u8baf\u5ba2', Odd: 'x' } },
      ],
    });
    const findings: string[] = [];
    const ours = readVersionInfo(new Uint8Array(version.generateResource().bin), (finding) => {
      findings.push(finding.message);
    });
    expect(findings).toEqual([]);
    expect(ours.fileVersion).toBe('4.1.2.3');
    const theirs = version.getAllLanguagesForStringValues().flatMap((language) => {
      const table = ((language.lang << 16) | language.codepage).toString(16).padStart(8, '0');
      return Object.entries(version.getStringValues(language)).map(([key, value]) => [table, key, value]);
    });
    expect(ours.strings.map(({ language, key, value }) => [language, key, value])).toEqual(theirs);
  });
});

describe.skipIf(!corpus.available)('when the file is a whole official one', () => {
  it.each([
    'windows-stub-4.0.0.226/SkypeSetup.exe',
    'windows-stub-5.0.0.156/SkypeSetup.exe',
    'windows-stub-7.40.66.104/SkypeSetup.exe',
    'windows-skype4com-1.0.36.0/Skype4COM.dll',
    'windows-unsigned-media-dll-7.41/VideoN.dll',
  ])('finds no fault in %s', (name) => {
    const { findings } = readPe(new Uint8Array(readFileSync(corpus.path(name))));
    expect(findings).toEqual([]);
  });

  it('knows that the edited one is cut', () => {
    const bytes = new Uint8Array(readFileSync(corpus.path('windows-stub-6.3.0.105-edited/SkypeSetup.exe')));
    const { image, findings } = readPe(bytes);
    expect(image.declaredEnd).toBeGreaterThan(bytes.length);
    expect(findings.map((finding) => finding.code)).toContain('malformed/truncated');
  });

  it('yields the compressed languages and the two embedded libraries of the 4.0 installer', () => {
    const source = toByteSource(
      new Uint8Array(readFileSync(corpus.path('windows-stub-4.0.0.226/SkypeSetup.exe'))),
    );
    const { members } = readPe(source.read(0, source.size));
    const names = members.map((member) => member.name);
    expect(names).toContain('.rsrc/LANGZIP/LANG_EN');
    expect(names).toContain('.rsrc/GOOGLE/GCAPIDLL');
    expect(names.filter((name) => name.startsWith('.rsrc/LANGZIP/')).length).toBeGreaterThan(20);
  });
});
