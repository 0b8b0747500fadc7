import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { restoreInstaller } from '../../../fixtures/inno/cut.ts';
import { buildInno } from '../../../fixtures/inno/inno-builder.ts';
import { payload } from '../../../fixtures/inno/payload.ts';
import {
  type InnoVersion,
  listKnownTexts,
  setupIdBytes,
  toVersionNumber,
  tryReadSetupId,
} from '../../../src/formats/inno/version.ts';
import { openInstaller, type PouredFile } from './pouring.ts';

/** A layout, and one of the texts under which it is found. */
interface Known {
  readonly text: string;
  readonly version: InnoVersion;
  readonly dotted: string;
}

function listLayouts(): readonly Known[] {
  return listKnownTexts().flatMap((text) => {
    const bytes = new Uint8Array(setupIdBytes);
    bytes.set(Buffer.from(text, 'latin1'));
    return (tryReadSetupId(bytes)?.versions ?? []).map((version) => {
      const parts = [24, 16, 8, 0].map((shift) => (version.number >>> shift) & 0xff);
      return { text, version, dotted: (parts[3] === 0 ? parts.slice(0, 3) : parts).join('.') };
    });
  });
}

const layouts = listLayouts();
const files = [
  { destination: '{app}\\Phone\\Skype.exe', content: payload.smallProgram },
  { destination: '{app}\\words.txt', content: payload.words },
  { destination: '{app}\\again.txt', content: payload.words, sameAs: 1 },
] as const;

function build({ text, version, dotted }: Known): Uint8Array {
  const filtersCalls = version.number >= toVersionNumber('4.1.8');
  return buildInno({
    version: dotted,
    id: text,
    unicode: version.isUnicode,
    isx: version.isIsx,
    // 4.2.5 is the one version without zlib.
    compression: dotted === '4.2.5' ? 'lzma' : 'zlib',
    files: files.map((file) => ({ ...file, filtersCalls })),
    program: payload.largeProgram.subarray(0, 5000),
  }).installer;
}

describe('when the data has any of the known layouts', () => {
  it('knows more than a hundred of them', () => {
    expect(layouts.length).toBeGreaterThan(120);
    expect(new Set(layouts.map(({ dotted }) => dotted)).size).toBeGreaterThan(80);
  });

  it.each(layouts.map((known) => [known.text.replace('\x1a', ''), known.dotted, known] as const))(
    '%s read as %s',
    async (_text, _dotted, known) => {
      const { findings, files: poured, parts, setup } = await openInstaller(build(known));
      expect(findings).toEqual([]);
      expect(poured.map(({ name, bytes, finding }) => [name, bytes.toString('latin1'), finding])).toEqual(
        files.map(({ destination, content }) => [
          destination.replaceAll('\\', '/'),
          Buffer.from(content).toString('latin1'),
          undefined,
        ]),
      );
      const program = parts.find(({ name }) => name === '[setup program]');
      expect(program?.fault).toBeUndefined();
      expect(program?.bytes.equals(payload.largeProgram.subarray(0, 5000))).toBe(true);
      const commands = setup?.facts.filter(({ name }) => name === 'Run').map(({ value }) => value);
      expect(commands).toEqual(['{app}\\Fixture.exe /quiet']);
    },
  );

  it('names the same properties in all of them', async () => {
    for (const known of layouts) {
      const { setup } = await openInstaller(build(known));
      const values = new Map((setup?.facts ?? []).map(({ name, value }) => [name, value]));
      expect(values.get('AppVerName'), known.text).toBe('Fixture 3.8');
      expect(values.get('DefaultDirName'), known.text).toBe('{pf}\\Fixture');
      if (known.version.number >= toVersionNumber('1.3.3')) {
        expect(values.get('AppVersion'), known.text).toBe('3.8.0.115');
        expect(values.get('AppId'), known.text).toBe('{6B1E0C8A}');
      }
    }
  });
});

const hasInnoextract = spawnSync('innoextract', ['--version']).error === undefined;
if (!hasInnoextract)
  console.warn('SKIPPED: Inno Setup against innoextract, because innoextract is not installed');

/** What Debian's innoextract 1.9 reads: later layouts, and loaders, it does not know. */
const innoextractUntil = toVersionNumber('6.3.0');

describe.skipIf(!hasInnoextract)('when innoextract reads the same installer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-inno-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Path without the braces of constants, and digest, of everything that innoextract unpacks. */
  const extract = (installer: Uint8Array): readonly string[] => {
    const target = mkdtempSync(join(folder, 'out-'));
    const path = join(target, 'setup.exe');
    writeFileSync(path, installer);
    execFileSync('innoextract', ['--silent', '--extract', '--output-dir', join(target, 'files'), path], {
      stdio: 'pipe',
    });
    const found: string[] = [];
    const list = (at: string): void => {
      for (const name of readdirSync(at)) {
        const full = join(at, name);
        if (statSync(full).isDirectory()) list(full);
        else found.push(`${relative(join(target, 'files'), full)} ${toDigest(readFileSync(full))}`);
      }
    };
    list(join(target, 'files'));
    return found.sort();
  };
  const toLines = (poured: readonly PouredFile[]): readonly string[] =>
    poured.map(({ name, bytes }) => `${name.replaceAll(/[{}]/g, '')} ${toDigest(bytes)}`).sort();

  it('gives the same files for every layout that it knows', async () => {
    let compared = 0;
    for (const known of layouts) {
      if (known.version.number >= innoextractUntil) continue;
      const installer = build(known);
      const { files: poured } = await openInstaller(installer);
      expect(extract(installer), `${known.text} as ${known.dotted}`).toEqual(toLines(poured));
      compared += 1;
    }
    expect(compared).toBeGreaterThan(110);
  }, 120_000);

  it.each([
    '5.5.9-none',
    '5.5.9-zip',
    '5.5.9-zip-solid',
    '5.5.9-bzip',
    '5.5.9-bzip-solid',
    '5.5.9-lzma',
    '5.5.9-lzma-solid',
    '5.5.9-lzma2',
    '5.5.9-lzma2-solid',
    '5.5.9-password',
    '5.6.1-lzma2-solid',
    '6.0.2-lzma2-solid',
    '6.2.0-lzma2-solid',
  ])("gives the same files for %s, which Inno Setup's own compiler made", async (name) => {
    const installer = restoreInstaller(name);
    const { files: poured } = await openInstaller(installer);
    expect(extract(installer)).toEqual(toLines(poured));
  });
});

function toDigest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
