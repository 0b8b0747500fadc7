import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { corpus } from '../../corpus.ts';
import { hasTools } from '../../end-to-end/packing.ts';
import { mutate } from '../../mutation.ts';
import { pourAll } from '../sevenzip-pouring.ts';
import { expectSame, isReadHere, ours, theirs } from './comparing.ts';
import { compileInstaller, makeFiles, toInstallerData } from './makensis.ts';

const isPossible = hasTools(['makensis']);
if (!isPossible) console.warn('SKIPPED: NSIS installers, because makensis is not installed (package nsis)');

const folder = mkdtempSync(join(tmpdir(), 'telltale-nsis-'));
beforeAll(() => makeFiles(folder));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const make = (script: string): Uint8Array => toInstallerData(compileInstaller(folder, script));

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
LoadLanguageFile "\${NSISDIR}/Contrib/Language files/English.nlf"
LoadLanguageFile "\${NSISDIR}/Contrib/Language files/SimpChinese.nlf"
LangString Folder 1033 "texts"
LangString Folder 2052 "texts"
Section "main"
  SetOutPath $INSTDIR
  File app.exe
  File readme.txt
  File empty.txt
  File noise.bin
  File mixed.bin
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
  SetOutPath "$INSTDIR\\$(Folder)"
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
  WriteRegBin HKCU Software\\demo bytes 0123456789abcdef
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
  ['LZMA, solid', 'SetCompressor /SOLID lzma', true],
  ['LZMA', 'SetCompressor lzma', true],
  ['deflate, solid', 'SetCompressor /SOLID zlib', true],
  ['deflate', 'SetCompressor zlib', true],
  ['bzip2, solid', 'SetCompressor /SOLID bzip2', false],
  ['bzip2', 'SetCompressor bzip2', false],
  ['nothing', 'SetCompress off', true],
] as const;
const targets = ['Unicode true', 'Unicode false', 'Target amd64-unicode'] as const;

describe.skipIf(!isPossible)('when an installer has everything in it', () => {
  it.each(packings.flatMap((packing) => targets.map((target) => [...packing, target] as const)))(
    'reads one packed with %s (%s, without 7-Zip: %s, %s) as 7-Zip does',
    async (_name, packing, isOurs, target) => {
      const data = make(`${target}\n${packing}\n${everything}`);
      const result = await expectSame(data);
      expect(isReadHere(data)).toBe(isOurs);
      expect(result.faults).toBe(0);
      const names = result.members.map(({ name }) => name);
      expect(names).toContain('app.exe');
      expect(names).toContain('$PLUGINSDIR/System.dll');
      expect(names).toContain('Uninstall.exe.nsis');
    },
  );

  it('reads the data of its uninstaller', async () => {
    const data = make(`SetCompressor /SOLID lzma\n${everything}`);
    const { members } = await pourAll(data, { keepBytes: true }, ours);
    const uninstaller = members.find(({ name }) => name === 'Uninstall.exe.nsis');
    const inner = new Uint8Array(Buffer.concat(uninstaller?.chunks ?? []));
    expect(isReadHere(inner)).toBe(true);
    const result = await expectSame(inner);
    expect(result.members.map(({ name }) => name)).toContain('$TEMP/back/readme.txt');
  });

  it('goes on in another pass, wherever the first one ended', async () => {
    for (const packing of ['SetCompressor /SOLID lzma', 'SetCompressor zlib'])
      await expectSame(make(`${packing}\n${everything}`), { membersPerPass: 5 });
  });
});

const small = `Name demo
Page instfiles
Section
  SetOutPath $INSTDIR
  File readme.txt
  File tree\\b\\c.dll
  File empty.txt
  SetOutPath $INSTDIR\\again
  File readme.txt
  WriteUninstaller un.exe
SectionEnd
Section Uninstall
  Delete $INSTDIR\\c.dll
SectionEnd
`;

describe.skipIf(!isPossible)('when something is around the data of an installer', () => {
  it('tells of data behind it as 7-Zip does', async () => {
    const data = make(`SetCompressor /SOLID lzma\n${small}`);
    const followed = new Uint8Array(Buffer.concat([data, Buffer.from('something else')]));
    expect(isReadHere(followed)).toBe(true);
    expect((await expectSame(followed)).findings.map(({ message }) => message)).toEqual([
      'is followed by 14 bytes that do not belong to it',
    ]);
  });

  it('leaves one that ends too early to 7-Zip', async () => {
    const cut = make(`SetCompressor zlib\n${small}`).subarray(0, -100);
    expect(isReadHere(cut)).toBe(false);
    expect((await expectSame(cut)).faults).toBeGreaterThan(0);
  });

  it('leaves one with more members than allowed to 7-Zip', async () => {
    const data = make(`SetCompressor zlib\n${small}`);
    const { findings } = await pourAll(data, { limits: { members: 2 } }, ours);
    expect(findings.map(({ code }) => code)).toContain('limit/members');
  });

  it.each(['SetCompressor /SOLID lzma', 'SetCompressor lzma'])(
    'keeps what came before time was up (%s)',
    async (packing) => {
      const data = make(`${packing}\n${everything}`);
      // The clock goes on by a second whenever it is asked.
      let seconds = 0;
      const now = (): number => {
        seconds += 1;
        return seconds * 1000;
      };
      const result = await pourAll(data, { limits: { milliseconds: 12_000 }, now }, ours);
      const codes = [...result.findings, ...result.members.map(({ finding }) => finding)].map(
        (finding) => finding?.code,
      );
      expect(codes).toContain('limit/time');
    },
  );
});

describe.skipIf(!isPossible)('when an installer is damaged', () => {
  it.each(['SetCompressor /SOLID lzma', 'SetCompressor lzma', 'SetCompressor zlib', 'SetCompress off'])(
    'tells no less than 7-Zip does, in time (%s)',
    async (packing) => {
      const data = make(`${packing}\n${small}`);
      let slowest = 0;
      let readHere = 0;
      for (const { bytes, description } of mutate(data, 100, 5)) {
        if (!isReadHere(bytes)) continue;
        readHere += 1;
        const started = performance.now();
        const result = await pourAll(bytes, {}, ours);
        slowest = Math.max(slowest, performance.now() - started);
        const expected = await pourAll(bytes, {}, theirs);
        const name = (one: { readonly name: string }): string => one.name;
        expect([description, result.members.map(name)]).toEqual([description, expected.members.map(name)]);
        expect(result.facts).toEqual(expected.facts);
        if (expected.faults > 0) expect([description, result.faults > 0]).toEqual([description, true]);
        for (const [index, member] of result.members.entries()) {
          const other = expected.members[index];
          expect([description, member.name, member.finding]).toEqual([
            description,
            other?.name,
            other?.finding,
          ]);
          // Of a damaged member as much, or more: 7-Zip drops what it has not written yet.
          expect(member.size).toBeGreaterThanOrEqual(other?.size ?? 0);
          if (member.finding === undefined) expect(member.sha256).toBe(other?.sha256);
        }
      }
      expect(readHere).toBeGreaterThan(10);
      expect(slowest).toBeLessThan(4000);
    },
  );
});

describe.skipIf(!corpus.available)('when it is a real launcher', () => {
  it('reads it without 7-Zip, as 7-Zip does', async () => {
    const data = toInstallerData(
      new Uint8Array(readFileSync(corpus.path('portableapps-nsis-launcher/sPortable.exe'))),
    );
    expect(isReadHere(data)).toBe(true);
    await expectSame(data);
  });
});
