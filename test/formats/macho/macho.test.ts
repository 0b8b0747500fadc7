import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildSignedMachO } from '../../../fixtures/apple-signer.ts';
import { buildFat, buildMachO } from '../../../fixtures/macho-builder.ts';
import { buildXmlPlist } from '../../../fixtures/plist-builder.ts';
import { Budget } from '../../../src/bytes/budget.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import { fatMachoFormat, machoFormat } from '../../../src/formats/macho/index.ts';
import type { Fact, Finding, Format, Member, Reading } from '../../../src/formats/model.ts';
import { corpus } from '../../corpus.ts';
import { mutate } from '../../mutation.ts';
import { toSigned } from '../signed.ts';

interface Read {
  readonly reading: Reading;
  readonly facts: readonly Fact[];
  readonly findings: readonly Finding[];
}

async function read(format: Format, bytes: Uint8Array): Promise<Read> {
  const findings: Finding[] = [];
  const reading = await format.read(toByteSource(bytes), {
    budget: new Budget(bytes.length),
    report: (finding) => void findings.push(finding),
  });
  return { reading, facts: reading.facts, findings };
}

function fieldsOf(facts: readonly Fact[], kind: Fact['kind'], name?: string): readonly Fact['value'][] {
  return facts
    .filter((fact) => fact.kind === kind && (name === undefined || fact.name === name))
    .map(({ value }) => value);
}

async function membersOf({ reading }: Read): Promise<Member[]> {
  const members: Member[] = [];
  for await (const member of reading.members?.() ?? []) members.push(member);
  return members;
}

const rich = {
  libraries: ['/usr/lib/libSystem.B.dylib', '@rpath/Skype.framework/Versions/A/Skype'],
  runPaths: ['@executable_path/../Frameworks'],
  uuid: Uint8Array.from({ length: 16 }, (_, index) => index * 17),
  minimumMacOs: 0x000a0900,
  build: [2, 0x000c0102, 0x000d0000],
  sourceVersion: (8n << 40n) | (23n << 30n) | (10n << 10n),
  entryOffset: 4096,
  infoPlist: buildXmlPlist({ CFBundleIdentifier: 'com.example.tool', CFBundleVersion: '1.2' }),
} as const;

describe('when a program is whole', () => {
  it.each([
    ['x86_64', 'x64', {}],
    ['arm64', 'arm64', { cpu: 0x0100000c, subtype: 0 }],
    ['arm64e', 'arm64', { cpu: 0x0100000c, subtype: 0x80000002 }],
    ['i386', 'x86', { cpu: 7, is64: false }],
    ['ppc', 'ppc', { cpu: 18, subtype: 0, is64: false, isBigEndian: true }],
    ['ppc64', 'ppc64', { cpu: 0x01000012, subtype: 0, isBigEndian: true }],
  ] as const)('reads its load commands (%s)', async (architecture, machine, recipe) => {
    const { bytes } = buildMachO({ ...rich, ...recipe });
    expect(machoFormat.probe(bytes.subarray(0, 4096), toByteSource(bytes))).toBe(true);
    const { facts, findings, reading } = await read(machoFormat, bytes);
    expect(findings).toEqual([]);
    expect(facts[0]).toEqual({ kind: 'machine', value: machine, detail: { architecture } });
    expect(fieldsOf(facts, 'importedLibrary')).toEqual(rich.libraries);
    expect(fieldsOf(facts, 'programField', 'runPath')).toEqual(rich.runPaths);
    expect(fieldsOf(facts, 'programField', 'uuid')).toEqual(['00112233-4455-6677-8899-AABBCCDDEEFF']);
    expect(fieldsOf(facts, 'programField', 'minimumSystem')).toEqual(['10.9', '12.1.2']);
    expect(fieldsOf(facts, 'programField', 'sourceVersion')).toEqual(['8.23.0.10']);
    expect(fieldsOf(facts, 'programField', 'entryOffset')).toEqual([4096]);
    expect(fieldsOf(facts, 'bundleId')).toEqual(['com.example.tool']);
    expect(fieldsOf(facts, 'section').length).toBe(2);
    const text = reading.regions.find(({ name }) => name === '__TEXT,__text');
    expect(text).toMatchObject({ offset: 4096, size: 6000 });
    expect(text?.entropy).toBeGreaterThan(7);
  });

  it('names what its code signature says', async () => {
    const bytes = buildSignedMachO(
      {},
      {
        identifier: 'com.skype.skype',
        teamId: 'AL798K98FX',
        flags: 0x10000,
        entitlements: { 'com.apple.security.app-sandbox': true },
      },
    );
    const { facts, findings } = await read(machoFormat, bytes);
    expect(findings).toEqual([]);
    const said = (name: string): readonly Fact['value'][] => fieldsOf(facts, 'codeSignature', name);
    expect(said('identifier')).toEqual(['com.skype.skype']);
    expect(said('teamId')).toEqual(['AL798K98FX']);
    expect(said('flag')).toEqual(['adhoc', 'runtime']);
    expect(said('entitlement')).toEqual(['com.apple.security.app-sandbox']);
    expect(said('cdHash')[0]).toMatch(/^[0-9a-f]{40}$/);
  });
});

describe('when the App Store encrypted the code', () => {
  it('says so, and that the code was not searched', async () => {
    const { bytes } = buildMachO({ encryption: { offset: 4096, size: 4096, id: 1 } });
    const { facts, findings } = await read(machoFormat, bytes);
    expect(fieldsOf(facts, 'encrypted')).toEqual(['FairPlay']);
    expect(findings.map(({ code, incomplete }) => ({ code, incomplete }))).toEqual([
      { code: 'encrypted/container', incomplete: true },
    ]);
  });

  it('does not say so of a program that only could be', async () => {
    const { bytes } = buildMachO({ encryption: { offset: 4096, size: 4096, id: 0 } });
    expect(fieldsOf((await read(machoFormat, bytes)).facts, 'encrypted')).toEqual([]);
  });
});

describe('when bytes follow the program', () => {
  it('shows them as an overlay', async () => {
    const { bytes } = buildMachO();
    const result = await read(machoFormat, Buffer.concat([bytes, Buffer.from('PK appended')]));
    expect(fieldsOf(result.facts, 'overlay')).toEqual([11]);
    const [overlay] = await membersOf(result);
    expect(overlay?.name).toBe('[overlay]');
  });
});

describe('when load commands lie', () => {
  it.each([
    ['a size of nothing', [1, 0, 0, 0, 0, 0, 0, 0]],
    ['a size beyond the end', [1, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f]],
    ['a segment that is cut', [0x19, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    [
      'a name outside of its command',
      [0x0c, 0, 0, 0, 24, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ],
  ])('reports %s and keeps the rest', async (_what, command) => {
    const { bytes } = buildMachO({ ...rich, commands: [Uint8Array.from(command)] });
    const { facts, findings } = await read(machoFormat, bytes);
    expect(findings.length).toBe(1);
    expect(findings[0]?.incomplete).toBe(true);
    expect(fieldsOf(facts, 'importedLibrary')).toEqual(rich.libraries);
  });

  it('reports a program that is cut', async () => {
    const { bytes } = buildMachO();
    const { findings } = await read(machoFormat, bytes.subarray(0, 5000));
    expect(findings.map(({ code }) => code)).toEqual(['malformed/truncated']);
    await expect(read(machoFormat, bytes.subarray(0, 20))).rejects.toThrow(TelltaleError);
  });
});

const slice = (cpu: number): { cpu: number; subtype: number; bytes: Uint8Array } => ({
  cpu,
  subtype: 3,
  bytes: buildMachO({ cpu }).bytes,
});

describe('when a file holds several programs', () => {
  it.each([false, true])('shows each as a member (64-bit list: %s)', async (is64) => {
    const bytes = buildFat([slice(7), slice(0x01000007)], is64);
    expect(fatMachoFormat.probe(bytes.subarray(0, 4096), toByteSource(bytes))).toBe(true);
    const result = await read(fatMachoFormat, bytes);
    expect(result.findings).toEqual([]);
    expect(fieldsOf(result.facts, 'machine')).toEqual(['x86', 'x64']);
    expect((await membersOf(result)).map(({ name, relation }) => ({ name, relation }))).toEqual([
      { name: '[i386]', relation: 'part' },
      { name: '[x86_64]', relation: 'part' },
    ]);
  });

  it('shows bytes that belong to none of them', async () => {
    const bytes = Buffer.from(buildFat([slice(7), slice(0x01000007)]));
    bytes.write('hidden', 2000);
    const result = await read(fatMachoFormat, bytes);
    expect(fieldsOf(result.facts, 'unlistedBytes').length).toBe(1);
    expect((await membersOf(result)).map(({ name }) => name)).toContain('[unlisted at 0x30]');
  });

  it('says when two are for the same processor', async () => {
    const { facts } = await read(fatMachoFormat, buildFat([slice(7), slice(7)]));
    expect(fieldsOf(facts, 'ambiguous').length).toBe(1);
  });

  it('reports programs that share bytes or lie outside', async () => {
    const shared = buildFat([slice(7), { ...slice(0x01000007), stated: { offset: 4096 } }]);
    expect((await read(fatMachoFormat, shared)).findings.map(({ code }) => code)).toContain(
      'malformed/overlap',
    );
    const outside = buildFat([slice(7), { ...slice(0x01000007), stated: { offset: 0x7fffffff } }]);
    expect((await read(fatMachoFormat, outside)).findings.map(({ code }) => code)).toContain(
      'malformed/out-of-range',
    );
  });

  it('is no Java class, and a Java class is none', () => {
    const javaClass = Buffer.from('cafebabe00000034000d0a', 'hex');
    expect(fatMachoFormat.probe(javaClass, toByteSource(javaClass))).toBe(false);
  });
});

const hasObjdump = spawnSync('llvm-objdump', ['--version']).status === 0;
if (!hasObjdump) console.warn('SKIPPED: Mach-O headers against llvm-objdump, because it is not installed');
const folder = mkdtempSync(join(tmpdir(), 'telltale-macho-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The load commands that the tool sees. */
function objdump(path: string, ...options: readonly string[]): string {
  const run = spawnSync('llvm-objdump', ['--macho', '--private-headers', ...options, path], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout;
}

function namesIn(text: string, command: string): string[] {
  return text
    .split('Load command')
    .filter((block) => new RegExp(`cmd ${command}\\b`).test(block))
    .map((block) => /\n\s*name (.+) \(offset/.exec(block)?.[1] ?? '');
}

function expectAgreement(text: string, facts: readonly Fact[]): void {
  const imported = facts.filter(
    ({ kind, detail }) => kind === 'importedLibrary' && detail?.['how'] === 'load',
  );
  expect(imported.map(({ value }) => value)).toEqual(namesIn(text, 'LC_LOAD_DYLIB'));
  const sections = [...text.matchAll(/sectname (\S+)\n\s*segname (\S+)/g)].map(
    ([, name, segment]) => `${segment},${name}`,
  );
  expect(facts.filter(({ kind }) => kind === 'section').map(({ name }) => name)).toEqual(sections);
  const uuid = /uuid (\S+)/.exec(text)?.[1];
  expect(fieldsOf(facts, 'programField', 'uuid')).toEqual(uuid === undefined ? [] : [uuid]);
}

describe.skipIf(!hasObjdump)('when llvm-objdump reads the same file', () => {
  it.each([
    ['x86_64', {}],
    ['i386', { cpu: 7, is64: false }],
  ])('agrees on the program that we build (%s)', async (name, recipe) => {
    const path = join(folder, name);
    const { bytes } = buildMachO({ ...rich, ...recipe });
    writeFileSync(path, bytes);
    expectAgreement(objdump(path), (await read(machoFormat, bytes)).facts);
  });

  it.skipIf(!corpus.available || spawnSync('7zz', ['i']).status !== 0)(
    'reads the real programs of the disk image, and agrees on the one that the tool takes',
    async () => {
      const image = corpus.path('macos-skypeframework-2.6.0.142/skype_framework.dmg');
      expect(spawnSync('7zz', ['x', '-y', `-o${folder}/dmg`, image]).status).toBe(0);
      const base = join(folder, 'dmg', 'Skype API for Mac');
      const fat = readFileSync(join(base, 'Skype.framework/Versions/A/Skype'));
      const result = await read(fatMachoFormat, fat);
      expect(result.findings).toEqual([]);
      expect(fieldsOf(result.facts, 'machine')).toEqual(['ppc', 'x86']);
      expect(toSigned(result.reading, 'macho')?.program.uncovered).toEqual([]);
      for (const { name, content } of await membersOf(result)) {
        if (content.kind !== 'source') throw new Error('a program is a range of the file');
        const bytes = content.source.read(0, content.source.size);
        const { facts, findings } = await read(machoFormat, bytes);
        expect(findings, name).toEqual([]);
        expect(fieldsOf(facts, 'programField', 'installName'), name).toEqual([
          '@executable_path/../Frameworks/Skype.framework/Versions/A/Skype',
        ]);
        expect(fieldsOf(facts, 'importedLibrary').length, name).toBeGreaterThan(2);
      }
      // The tool refuses the prebound library: "cmd value of 23 is obsolete and not supported".
      const program = join(base, 'SkypeAPITest.app/Contents/MacOS/SkypeAPITest');
      expectAgreement(objdump(program), (await read(machoFormat, readFileSync(program))).facts);
    },
  );
});

describe('when files are damaged at random', () => {
  const small = {
    code: new Uint8Array(64),
    libraries: ['/usr/lib/libSystem.B.dylib'],
    infoPlist: rich.infoPlist,
  };
  it.each<[string, Format, Uint8Array]>([
    [
      'one program',
      machoFormat,
      buildSignedMachO(
        { ...small, signatureBytes: 1024 },
        { teamId: 'AAAAAAAAAA', entitlements: { a: true } },
      ),
    ],
    [
      'several',
      fatMachoFormat,
      buildFat([
        { cpu: 7, subtype: 3, bytes: buildMachO({ ...small, cpu: 7, is64: false }).bytes },
        { cpu: 12, subtype: 9, bytes: buildMachO({ ...small, cpu: 12 }).bytes },
      ]),
    ],
  ])('throws nothing but its own errors (%s)', async (_what, format, seed) => {
    let survived = 0;
    for (const { bytes, description } of mutate(seed, 2_000)) {
      const started = performance.now();
      try {
        const result = await read(format, bytes);
        survived += 1;
        for (const { offset, size } of result.reading.regions) {
          expect(offset + size, description).toBeLessThanOrEqual(bytes.length);
        }
        await membersOf(result);
      } catch (error) {
        expect(error, description).toBeInstanceOf(TelltaleError);
      }
      expect(performance.now() - started, description).toBeLessThan(5_000);
    }
    expect(survived).toBeGreaterThan(1_000);
  });
});
