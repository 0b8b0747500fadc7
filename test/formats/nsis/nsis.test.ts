import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Budget } from '../../../src/bytes/budget.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { tryReadInstaller } from '../../../src/formats/nsis/index.ts';
import { readWithSevenZip, sevenZipVolumeFormats } from '../../../src/formats/sevenzip/index.ts';
import type { Format } from '../../../src/formats/model.ts';
import { hasTools } from '../../end-to-end/packing.ts';
import { pourAll, type PourOptions, type PourResult } from '../sevenzip-pouring.ts';
import { compileInstaller, makeFiles, toInstallerData } from './makensis.ts';

const isPossible = hasTools(['makensis']);
if (!isPossible) console.warn('SKIPPED: NSIS installers, because makensis is not installed (package nsis)');

const found = sevenZipVolumeFormats.find(({ id }) => id === 'nsis');
if (found === undefined) throw new Error('there is no format for NSIS');
const ours: Format = found;
/** The same without the reader of ours. */
const theirs: Format = {
  ...ours,
  read: (source, context) => readWithSevenZip({ type: 'nsis', guessesSizes: true }, source, context),
};

const folder = mkdtempSync(join(tmpdir(), 'telltale-nsis-'));
beforeAll(() => makeFiles(folder));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function isReadHere(data: Uint8Array): boolean {
  const source = toByteSource(data);
  const context = { budget: new Budget(source.size), report: () => undefined };
  return tryReadInstaller(source, 0, context) !== undefined;
}

/** What anybody can see of a result. */
function toVisible({ facts, findings, members, thrown }: PourResult): unknown {
  return {
    facts,
    findings,
    thrown: thrown?.message,
    members: members.map(({ name, declaredSize, size, sha256, finding }) => ({
      name,
      declaredSize,
      size,
      sha256,
      finding,
    })),
  };
}

async function expectSame(data: Uint8Array, options: PourOptions = {}): Promise<PourResult> {
  const result = await pourAll(data, options, ours);
  expect(toVisible(result)).toEqual(toVisible(await pourAll(data, options, theirs)));
  return result;
}

const everything = `
Name demo
InstallDir $PROGRAMFILES\\demo
Var Own
Page components
Page directory
Page instfiles
UninstPage instfiles
LicenseData readme.txt
Page license
Section "main"
  SetOutPath $INSTDIR
  File app.exe
  File readme.txt
  File empty.txt
  File noise.bin
  File /r tree
  SetOutPath $INSTDIR\\sub
  File /oname=other.exe app.exe
  SetOutPath $OUTDIR\\deeper
  File noise.bin
  SetOutPath "$Own\\x"
  File readme.txt
  SetOutPath $APPDATA\\demo
  File readme.txt
  SetOutPath $COMMONFILES64
  File readme.txt
  SetOutPath "$R0\\$_CLICK"
  File readme.txt
  File "/oname=$PLUGINSDIR\\plain.txt" readme.txt
  File "/oname=$TEMP\\$9.txt" readme.txt
  File "/oname=$WINDIR\\in.txt" readme.txt
  SetFileAttributes "$WINDIR\\in.txt" HIDDEN|READONLY
  InitPluginsDir
  System::Call 'kernel32::GetTickCount()i.r0'
  FileOpen $0 made.txt w
  FileClose $0
  FileOpen $0 written.txt w
  FileWrite $0 x
  FileClose $0
  CreateShortCut $DESKTOP\\demo.lnk $INSTDIR\\app.exe
  WriteUninstaller $INSTDIR\\Uninstall.exe
SectionEnd
Section /o "more"
  SetOutPath $SMPROGRAMS\\demo
  File tree\\b\\c.dll
  WriteUninstaller second.exe
SectionEnd
Section Uninstall
  SetOutPath $TEMP\\back
  File readme.txt
  File tree\\a.txt
  Delete $INSTDIR\\app.exe
  RMDir /r $INSTDIR
SectionEnd
`;

const packings = [
  ['lzma, solid', 'SetCompressor /SOLID lzma', true],
  ['lzma', 'SetCompressor lzma', true],
  ['zlib, solid', 'SetCompressor /SOLID zlib', false],
  ['zlib', 'SetCompressor zlib', true],
  ['bzip2, solid', 'SetCompressor /SOLID bzip2', false],
  ['bzip2', 'SetCompressor bzip2', false],
  ['nothing', 'SetCompress off', true],
  ['nothing solid', 'SetCompressor /SOLID lzma\nSetCompress off', true],
] as const;
const texts = ['Unicode true', 'Unicode false', 'Target amd64-unicode'] as const;

describe.skipIf(!isPossible)('when an installer is made with everything in it', () => {
  it.each(packings.flatMap((packing) => texts.map((text) => [...packing, text] as const)))(
    'reads one packed with %s (%s, here: %s, %s) as 7-Zip does',
    async (_name, packing, isOurs, text) => {
      const data = toInstallerData(compileInstaller(folder, `${text}\n${packing}\n${everything}`));
      const result = await expectSame(data);
      expect(isReadHere(data)).toBe(isOurs);
      expect(result.faults).toBe(0);
    },
  );
});
