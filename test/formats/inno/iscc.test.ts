import { describe, expect, it } from 'vitest';
import { readInnoFixture, restoreInstaller } from '../../../fixtures/inno/cut.ts';
import { installedFiles, payload } from '../../../fixtures/inno/payload.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { openInstaller, toContents } from './pouring.ts';

const withLargeProgram = [
  '5.5.9-zip',
  '5.5.9-zip-solid',
  '5.5.9-bzip',
  '5.5.9-bzip-solid',
  '5.5.9-lzma',
  '5.5.9-lzma-solid',
  '5.5.9-lzma2',
  '5.5.9-lzma2-solid',
  '5.6.1-lzma2-solid',
  '6.0.2-lzma2-solid',
  '6.2.0-lzma2-solid',
  '6.3.1-lzma2-solid',
  '6.4.1-zip',
  '6.4.1-zip-solid',
  '6.4.1-bzip',
  '6.4.1-bzip-solid',
  '6.4.1-lzma',
  '6.4.1-lzma-solid',
  '6.4.1-lzma2',
  '6.4.1-lzma2-solid',
] as const;

const withoutLargeProgram = installedFiles.filter(([name]) => !name.endsWith('Calls.dll'));

function toExpected(files: typeof installedFiles): readonly (readonly [string, string])[] {
  return files.map(([name, bytes]) => [name, Buffer.from(bytes).toString('latin1')] as const);
}

describe("when Inno Setup's own compiler made the installer", () => {
  it.each(withLargeProgram)('unpacks every file of %s', async (name) => {
    const { findings, files, parts } = await openInstaller(restoreInstaller(name));
    expect(findings).toEqual([]);
    expect(files.flatMap(({ finding }) => finding ?? [])).toEqual([]);
    expect(toContents(files)).toEqual(toExpected(installedFiles));
    expect(parts.map((part) => part.name).filter((part) => part.startsWith('[overlay'))).toEqual([]);
  });

  it.each(['5.5.9-none', '6.4.1-none', '5.5.9-password'])('unpacks every file of %s', async (name) => {
    const { findings, files } = await openInstaller(restoreInstaller(name));
    expect(findings).toEqual([]);
    expect(toContents(files)).toEqual(toExpected(withoutLargeProgram));
  });

  it.each([
    ['5.5.9-lzma', '5.5.7 (u)'],
    // the text was not changed with the layout
    ['5.6.1-lzma2-solid', '5.5.7 (u)'],
    ['6.0.2-lzma2-solid', '6.0.0 (u)'],
    ['6.2.0-lzma2-solid', '6.1.0 (u)'],
    ['6.3.1-lzma2-solid', '6.3.0'],
    ['6.4.1-lzma2-solid', '6.4.0.1'],
  ])('says of %s that its data is of version %s', async (name, label) => {
    const { setup } = await openInstaller(restoreInstaller(name));
    expect(setup?.facts.find(({ kind }) => kind === 'installer')?.value).toBe(`Inno Setup ${label}`);
  });

  it('says what is installed', async () => {
    const { setup, parts } = await openInstaller(restoreInstaller('6.4.1-lzma'));
    const properties = (setup?.facts ?? []).filter(({ kind }) => kind === 'installerProperty');
    expect(properties.map(({ name, value }) => [name, value])).toEqual([
      ['AppName', 'Skype Fixture'],
      ['AppVerName', 'Skype Fixture 3.8'],
      ['AppId', '{6B1E0C8A-1111-2222-3333-444455556666}'],
      ['AppVersion', '3.8.0.115'],
      ['AppPublisher', 'Fixture Publisher'],
      ['AppPublisherURL', 'http://fixture.example/'],
      ['DefaultDirName', '{pf}\\Fixture'],
      ['DefaultGroupName', 'Fixture'],
      ['CreateUninstallRegKey', 'yes'],
      ['Language', 'en'],
      ['Type', 'full'],
      ['Component', 'main'],
      ['Task', 'desktopicon'],
      ['Directory', '{app}/Logs'],
      ['ExternalFile', '{src}\\outside.dat'],
    ]);
    expect(parts.map(({ name }) => name)).toEqual(['[setup data]', '[code]']);
    expect(parts[0]?.bytes.includes(Buffer.from('Software\\Fixture', 'utf16le'))).toBe(true);
    expect(parts[1]?.bytes.subarray(0, 4).toString()).toBe('IFPS');
  });

  it('gives the libraries that unpack the installer', async () => {
    const { parts } = await openInstaller(restoreInstaller('5.5.9-bzip'));
    const library = parts.find(({ name }) => name === '[decompressor]');
    expect(library?.bytes.subarray(0, 2).toString()).toBe('MZ');
  });

  it('names regions that lie in the file', async () => {
    const installer = restoreInstaller('5.5.9-lzma');
    const { setup } = await openInstaller(installer);
    expect(setup?.regions.map(({ name }) => name)).toEqual([
      'Inno Setup offset table',
      'Inno Setup data',
      'Inno Setup files',
    ]);
    for (const { offset, size } of setup?.regions ?? [])
      expect(offset + size).toBeLessThanOrEqual(installer.length);
    const data = setup?.regions[1];
    const text = Buffer.from(installer.subarray(data?.offset, (data?.offset ?? 0) + 10)).toString();
    expect(text).toBe('Inno Setup');
  });
});

describe('when the files are encrypted', () => {
  it.each(['6.2.0-encrypted', '6.3.1-encrypted', '6.4.1-encrypted'])(
    'refuses them, by name: %s',
    async (name) => {
      const { files, findings, setup, parts } = await openInstaller(restoreInstaller(name));
      expect(findings).toEqual([]);
      const refused = files.filter(({ wasRefused }) => wasRefused);
      expect(refused.map((file) => file.name)).toEqual(
        withoutLargeProgram.slice(0, -1).map(([path]) => path),
      );
      for (const { finding } of refused) {
        expect(finding).toMatchObject({ code: 'encrypted/member', incomplete: true });
      }
      expect(setup?.facts.some(({ kind }) => kind === 'encrypted')).toBe(true);
      expect(parts.some((part) => part.name.startsWith('[overlay'))).toBe(false);
    },
  );
});

describe('when the data is in a file beside the installer', () => {
  const installer = restoreInstaller('6.2.0-slices');

  it('says which file that is', async () => {
    const { files } = await openInstaller(installer, { path: '/downloads/6.2.0-slices.exe' });
    const [first] = files;
    expect(first?.finding).toMatchObject({
      code: 'unreadable/missing',
      message: 'its data is in "6.2.0-slices-1.bin", which was not given',
      incomplete: true,
    });
    expect(files.filter(({ wasRefused }) => wasRefused)).toHaveLength(4);
  });

  it('reads it when it is given', async () => {
    const asked: string[] = [];
    const { files } = await openInstaller(installer, {
      path: 'C:\\downloads\\6.2.0-slices.exe',
      openSlice: (name) => {
        asked.push(name);
        return toByteSource(readInnoFixture(name));
      },
    });
    expect([...new Set(asked)]).toEqual(['6.2.0-slices-1.bin']);
    expect(toContents(files)).toEqual(toExpected(withoutLargeProgram));
  });
});

describe('when there is no room for everything in one pass', () => {
  it.each(['6.4.1-lzma2-solid', '6.4.1-zip', '5.5.9-bzip-solid'])(
    'comes again for the rest of %s',
    async (name) => {
      const { files, passes } = await openInstaller(restoreInstaller(name), { roomPerPass: 4000 });
      expect(passes).toBeGreaterThan(2);
      expect(toContents(files)).toEqual(toExpected(installedFiles));
      expect(files.every(({ finding }) => finding === undefined)).toBe(true);
    },
  );
});

describe('when a limit ends the work', () => {
  it('stops in the middle of a file', async () => {
    const limits = { bytesProduced: payload.smallProgram.length + 200_000 };
    const { thrown, files } = await openInstaller(restoreInstaller('6.4.1-none'), { limits });
    expect(thrown).toBeUndefined();
    expect(files).toHaveLength(withoutLargeProgram.length);
    const tight = await openInstaller(restoreInstaller('6.4.1-lzma2-solid'), { limits });
    expect(tight.thrown).toHaveProperty('code', 'limit/bytes');
  });
});
