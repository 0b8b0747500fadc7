import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packDmg } from '../../fixtures/containers/pack-dmg.ts';
import { buildInno } from '../../fixtures/inno/inno-builder.ts';
import { buildPe } from '../../fixtures/pe-builder.ts';
import { buildPlainSkype, buildTomSkype, toTextSection } from '../../fixtures/synthetic-skype.ts';

/*
 * One payload tree, packed in every way with real tools: a synthetic TOM-Skype with its filter program, an
 * official-looking build, a text, and a file with a Chinese name.
 */

/** Writes the payload tree and returns the sha256 of each file by its path in the tree. */
export function makePayload(folder: string): ReadonlyMap<string, string> {
  const files: Readonly<Record<string, Uint8Array | string>> = {
    'Phone/Skype.exe': buildTomSkype(),
    'Phone/ContentFilter.exe': buildPe({
      versionInfo: { ProductName: 'Tom Word Review', CompanyName: 'Tom Online', FileVersion: '1.0.0.1' },
      sections: [{ name: '.data', data: toTextSection([]) }],
    }),
    'Setup/SkypeSetup.exe': buildPlainSkype(),
    'readme.txt': 'A payload that says what it is: synthetic.\n'.repeat(40),
    '软件/说明.txt': '合成样本\n',
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return new Map(Object.keys(files).map((name) => [name, digestOf(join(folder, name))]));
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** A way to pack the payload with tools of the system. */
export interface Packing {
  readonly name: string;
  /** Programs that it needs. */
  readonly tools: readonly string[];
  /**
   * @param payload - folder of the payload
   * @param work - an empty folder to work in
   * @returns the path of the packed file
   */
  pack(payload: string, work: string): string;
  /** The tool stores some names in another form than they have. */
  readonly renames?: boolean;
}

/** Runs a tool and fails with what it said. */
export function runTool(command: string, args: readonly string[], cwd: string, input?: Uint8Array): Buffer {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: 'C.UTF-8', SOURCE_DATE_EPOCH: '1200000000' },
    ...(input === undefined ? {} : { input }),
  });
  if (status !== 0)
    throw new Error(`${command} ended with ${status ?? error?.message}: ${stderr?.toString() ?? ''}`);
  return stdout;
}

export function hasTools(tools: readonly string[]): boolean {
  return tools.every((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0);
}

function listPayload(payload: string): readonly string[] {
  return readdirSync(payload, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(payload, join(entry.parentPath, entry.name)))
    .sort();
}

const sevenZip = (name: string, extension: string, ...options: readonly string[]): Packing => ({
  name,
  tools: ['7zz'],
  pack(payload, work) {
    const path = join(work, `packed.${extension}`);
    runTool('7zz', ['a', '-bd', '-bso0', ...options, path, '.'], payload);
    return path;
  },
});

const tar = (compressor: string, extension: string): Packing => ({
  name: `tar with ${compressor}`,
  tools: ['tar', compressor],
  pack(payload, work) {
    const path = join(work, `packed.tar.${extension}`);
    runTool('tar', ['-cf', path, `--use-compress-program=${compressor}`, '.'], payload);
    return path;
  },
});

const squashfs = (compressor: string): Packing => ({
  name: `squashfs (${compressor})`,
  tools: ['mksquashfs'],
  pack(payload, work) {
    const path = join(work, 'packed.snap');
    runTool(
      'mksquashfs',
      [payload, path, '-comp', compressor, '-quiet', '-no-progress', '-noappend', '-all-root'],
      work,
    );
    return path;
  },
});

const deb = (compressor: string): Packing => ({
  name: `deb (${compressor})`,
  tools: ['dpkg-deb'],
  pack(payload, work) {
    const root = join(work, 'root');
    mkdirSync(join(root, 'DEBIAN'), { recursive: true });
    writeFileSync(
      join(root, 'DEBIAN', 'control'),
      'Package: demo\nVersion: 1.0\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: a payload\n',
    );
    runTool('cp', ['-r', payload, join(root, 'opt')], work);
    runTool('dpkg-deb', ['--root-owner-group', `-Z${compressor}`, '-b', root, 'packed.deb'], work);
    return join(work, 'packed.deb');
  },
});

const rpm = (compressor: string): Packing => ({
  name: `rpm (${compressor})`,
  tools: ['rpmbuild'],
  pack(payload, work) {
    const spec = [
      'Name: demo',
      'Version: 1.0',
      'Release: 1',
      'Summary: a payload',
      'License: none',
      'BuildArch: noarch',
      '%description',
      'a payload',
      '%install',
      'mkdir -p %{buildroot}/opt/demo',
      `cp -r ${payload}/. %{buildroot}/opt/demo`,
      '%files',
      '/opt/demo',
      '',
    ].join('\n');
    writeFileSync(join(work, 'demo.spec'), spec);
    runTool(
      'rpmbuild',
      [
        '--quiet',
        '-bb',
        '--define',
        `_topdir ${work}/top`,
        '--define',
        `_rpmdir ${work}`,
        '--define',
        `_binary_payload ${compressor}`,
        '--define',
        '__os_install_post %{nil}',
        'demo.spec',
      ],
      work,
    );
    return join(work, 'noarch', 'demo-1.0-1.noarch.rpm');
  },
});

const nsis = (compressor: string): Packing => ({
  name: `NSIS (${compressor})`,
  tools: ['makensis'],
  pack(payload, work) {
    const files = listPayload(payload).map((name) => {
      const folder = name.includes('/')
        ? `\\${name.slice(0, name.lastIndexOf('/')).replaceAll('/', '\\')}`
        : '';
      return `SetOutPath "$INSTDIR${folder}"\nFile "${join(payload, name)}"`;
    });
    const script = [
      'Unicode true',
      `SetCompressor ${compressor}`,
      'Name demo',
      'OutFile packed.exe',
      'InstallDir $PROGRAMFILES\\demo',
      'Section',
      ...files,
      'SectionEnd',
      '',
    ];
    writeFileSync(join(work, 'demo.nsi'), script.join('\n'));
    runTool('makensis', ['-V1', 'demo.nsi'], work);
    return join(work, 'packed.exe');
  },
});

/** A cabinet with the files under plain names, as installer packages hold them. */
export function packCabinet(payload: string, path: string, compressed: boolean): string {
  runTool('gcab', ['-c', ...(compressed ? ['-z'] : []), path, ...listPayload(payload)], payload);
  return path;
}

/** An installer package of the payload. */
export function packMsi(payload: string, work: string): string {
  const byFolder = new Map<string, string[]>();
  for (const name of listPayload(payload)) {
    const folder = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : '';
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), name]);
  }
  const components: string[] = [];
  const folders = [...byFolder].map(([folder, names], index) => {
    const files = names.map((name, at) => {
      const id = `f${index}_${at}`;
      components.push(`c${id}`);
      const guid = `{ABCDEFAB-0000-0000-0000-${String(index * 100 + at).padStart(12, '0')}}`;
      return `<Component Id="c${id}" Guid="${guid}"><File Id="${id}" Name="${name.slice(name.lastIndexOf('/') + 1)}" Source="${relative(work, join(payload, name))}" KeyPath="yes"/></Component>`;
    });
    return folder === ''
      ? files.join('')
      : `<Directory Id="d${index}" Name="${folder}">${files.join('')}</Directory>`;
  });
  const source = `<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
<Product Id="{11111111-2222-3333-4444-555555555555}" Name="Demo" Language="1033" Version="1.0.0" Manufacturer="Somebody" UpgradeCode="{66666666-7777-8888-9999-AAAAAAAAAAAA}">
<Package InstallerVersion="200" Compressed="yes"/><Media Id="1" Cabinet="demo.cab" EmbedCab="yes"/>
<Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFilesFolder"><Directory Id="INSTALLDIR" Name="Demo">${folders.join('')}</Directory></Directory></Directory>
<Feature Id="All" Level="1">${components.map((id) => `<ComponentRef Id="${id}"/>`).join('')}</Feature>
</Product></Wix>`;
  writeFileSync(join(work, 'demo.wxs'), source);
  runTool('wixl', ['-o', 'packed.msi', 'demo.wxs'], work);
  return join(work, 'packed.msi');
}

/** Made by our own writer, which is checked against innoextract and against installers of the real compiler. */
const inno = (
  version: string,
  compression: 'stored' | 'zlib' | 'lzma' | 'lzma2',
  unicode: boolean,
): Packing => ({
  name: `Inno Setup ${version} (${compression})`,
  tools: [],
  pack(payload, work) {
    const { installer } = buildInno({
      version,
      compression,
      // Solid compression came with 4.0.
      solid: !version.startsWith('2.'),
      unicode,
      ...(unicode ? {} : { language: { id: 0x0804, codePage: 936 }, encode: toGbk }),
      files: listPayload(payload).map((name) => ({
        destination: `{app}\\${name.replaceAll('/', '\\')}`,
        content: new Uint8Array(readFileSync(join(payload, name))),
      })),
    });
    writeFileSync(join(work, 'setup.exe'), installer);
    return join(work, 'setup.exe');
  },
});

/** The letters of the payload's names in GBK; everything else is ASCII. */
function toGbk(text: string): Uint8Array {
  const letters: Readonly<Record<string, readonly number[]>> = {
    软: [0xc8, 0xed],
    件: [0xbc, 0xfe],
    说: [0xcb, 0xb5],
    明: [0xc3, 0xf7],
  };
  return Uint8Array.from([...text].flatMap((letter) => letters[letter] ?? [letter.charCodeAt(0)]));
}

const udif = fileURLToPath(new URL('../../fixtures/containers/make-udif.py', import.meta.url));

/** Every way of packing that a tool of Debian offers. */
export const packings: readonly Packing[] = [
  sevenZip('zip', 'zip', '-tzip'),
  sevenZip('7z, solid LZMA2', '7z', '-ms=on'),
  sevenZip('7z, PPMd', '7z', '-m0=PPMd'),
  sevenZip('7z, BZip2, not solid', '7z', '-m0=BZip2', '-ms=off'),
  sevenZip('wim', 'wim', '-twim'),
  tar('gzip', 'gz'),
  tar('bzip2', 'bz2'),
  tar('xz', 'xz'),
  tar('zstd', 'zst'),
  squashfs('gzip'),
  squashfs('xz'),
  squashfs('zstd'),
  deb('gzip'),
  deb('xz'),
  deb('zstd'),
  rpm('w9.gzdio'),
  rpm('w7.xzdio'),
  rpm('w9.zstdio'),
  nsis('zlib'),
  nsis('/SOLID lzma'),
  nsis('bzip2'),
  {
    name: 'cabinet (MSZIP)',
    tools: ['gcab'],
    pack: (payload, work) => packCabinet(payload, join(work, 'packed.cab'), true),
  },
  {
    name: 'cabinet (stored)',
    tools: ['gcab'],
    pack: (payload, work) => packCabinet(payload, join(work, 'packed.cab'), false),
  },
  // wixl drops names that its code page does not have.
  { name: 'MSI', tools: ['wixl'], pack: packMsi, renames: true },
  {
    name: 'ISO 9660 with Joliet',
    tools: ['genisoimage'],
    pack(payload, work) {
      runTool('genisoimage', ['-quiet', '-J', '-R', '-o', join(work, 'packed.iso'), payload], work);
      return join(work, 'packed.iso');
    },
  },
  {
    name: 'cpio',
    tools: ['cpio'],
    pack(payload, work) {
      const path = join(work, 'packed.cpio');
      writeFileSync(
        path,
        runTool(
          'cpio',
          ['-o', '-H', 'newc', '--quiet'],
          payload,
          Buffer.from(`${listPayload(payload).join('\n')}\n`),
        ),
      );
      return path;
    },
  },
  {
    // bsdtar writes names beyond ASCII as base64, and 7-Zip shows them so.
    name: 'xar',
    tools: ['bsdtar'],
    renames: true,
    pack(payload, work) {
      const path = join(work, 'packed.pkg');
      runTool('bsdtar', ['-c', '--format', 'xar', '-f', path, '.'], payload);
      // bsdtar leaves 20 bytes behind the heap, which belong to nothing and would be reported.
      writeFileSync(path, readFileSync(path).subarray(0, -20));
      return path;
    },
  },
  {
    name: 'DMG (zlib) with HFS+',
    tools: ['xorriso', '7zz', 'python3'],
    pack(payload, work) {
      const path = join(work, 'packed.dmg');
      packDmg(payload, 'demo', work, udif, path);
      return path;
    },
  },
  {
    name: '7z self-extractor',
    tools: ['7zz'],
    pack(payload, work) {
      runTool('7zz', ['a', '-bd', '-bso0', join(work, 'inner.7z'), '.'], payload);
      writeFileSync(
        join(work, 'packed.exe'),
        Buffer.concat([buildPe(), readFileSync(join(work, 'inner.7z'))]),
      );
      return join(work, 'packed.exe');
    },
  },
  inno('2.0.8', 'zlib', false),
  inno('4.2.0', 'lzma', false),
  inno('5.5.7', 'lzma2', true),
  inno('6.1.0', 'lzma2', true),
  inno('6.4.0.1', 'stored', true),
  {
    name: 'installer in a cabinet in an MSI in a ZIP in an ISO',
    tools: ['makensis', 'gcab', 'wixl', '7zz', 'genisoimage'],
    pack(payload, work) {
      const step = (name: string): string => {
        const folder = join(work, name);
        mkdirSync(folder, { recursive: true });
        return folder;
      };
      const installer = nsis('/SOLID lzma').pack(payload, step('1'));
      copyFileSync(installer, join(step('2in'), 'setup.exe'));
      const cabinet = packCabinet(join(work, '2in'), join(step('2'), 'disk1.cab'), true);
      copyFileSync(cabinet, join(step('3in'), 'disk1.cab'));
      const msi = packMsi(join(work, '3in'), step('3'));
      copyFileSync(msi, join(step('4in'), 'package.msi'));
      runTool(
        '7zz',
        ['a', '-bd', '-bso0', '-tzip', join(step('5in'), 'download.zip'), '.'],
        join(work, '4in'),
      );
      runTool('genisoimage', ['-quiet', '-J', '-R', '-o', join(work, 'packed.iso'), join(work, '5in')], work);
      return join(work, 'packed.iso');
    },
  },
];
