import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { packDmg } from '../../fixtures/containers/pack-dmg.ts';
import { buildInno } from '../../fixtures/inno/inno-builder.ts';
import { root } from '../root.ts';
import { copyTree, writeMember } from './payloads.ts';
import { makeDistinct } from './planting.ts';
import { listFiles, type Recipe, type Tool } from './recipe.ts';
import { runTool } from './run-tool.ts';
import type { Scale } from './scale.ts';

/*
 * One container of every kind, packed with Debian's tools from the trees of payloads.ts. Inno Setup's own compiler is a
 * Windows program; its installers come from the writer in fixtures/inno, with the chunk packed by xz.
 */

const sevenZip: Tool = { program: '7zz', debianPackage: '7zip' };
const makeudif = join(root, 'fixtures/containers/make-udif.py');

/** 8 MiB, as the compiler of Inno Setup and 7-Zip's usual setting have it. */
const dictionaryBytes = 8 << 20;

function listTop(folder: string): readonly string[] {
  return [...new Set(listFiles(folder).map((name) => name.split('/')[0] ?? name))].sort();
}

/** Packs with 7-Zip, in sorted order. */
function packSevenZip(payload: string, target: string, args: readonly string[]): void {
  runTool('7zz', ['a', '-bd', '-bso0', '-mtm=off', ...args, target, ...listTop(payload)], payload);
}

export function createZip({ prefix }: Scale, payload: Recipe): Recipe {
  return {
    id: `${prefix}zip`,
    title: 'ZIP, deflate',
    parameters: { revision: 1 },
    needs: [payload],
    tools: [sevenZip],
    build: (folder, context) =>
      packSevenZip(context.folderOf(payload), join(folder, 'program.zip'), ['-tzip', '-mm=Deflate', '-mx=5']),
  };
}

export function createSevenZip({ prefix }: Scale, payload: Recipe): Recipe {
  return {
    id: `${prefix}7z`,
    title: '7z, LZMA2, solid',
    parameters: { revision: 1 },
    needs: [payload],
    tools: [sevenZip],
    build: (folder, context) =>
      packSevenZip(context.folderOf(payload), join(folder, 'program.7z'), [
        '-t7z',
        '-m0=LZMA2',
        '-mx=5',
        '-ms=on',
      ]),
  };
}

export function createCab({ prefix }: Scale, payload: Recipe): Recipe {
  return {
    id: `${prefix}cab`,
    title: 'CAB, MSZIP',
    parameters: { revision: 1 },
    needs: [payload],
    tools: [{ program: 'gcab', debianPackage: 'gcab' }],
    build(folder, context) {
      const tree = context.folderOf(payload);
      runTool('gcab', ['-c', '-z', join(folder, 'program.cab'), ...listFiles(tree)], tree);
    },
  };
}

/** A package with a cabinet in it. The codes follow from the seed. */
export function buildMsi(payload: string, target: string, seed: number): void {
  const files = listFiles(payload);
  const toGuid = (number: number): string =>
    `6B1E0C8A-1111-2222-${String(seed).padStart(4, '0')}-${String(number).padStart(12, '0')}`;
  const components = files.map(
    (name, index) => `
   <Component Id="c${index}" Guid="${toGuid(index + 10)}">
    <File Id="f${index}" Name="${String(index).padStart(3, '0')}-${basename(name)}" DiskId="1" Source="${name}" KeyPath="yes"/>
   </Component>`,
  );
  const source = `<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
 <Product Id="${toGuid(1)}" UpgradeCode="${toGuid(2)}" Name="Measured ${seed}" Language="1033" Version="1.0.0" Manufacturer="Benchmark">
  <Package InstallerVersion="200" Compressed="yes" Id="${toGuid(3)}"/>
  <Media Id="1" Cabinet="program.cab" EmbedCab="yes"/>
  <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFilesFolder"><Directory Id="INSTALLDIR" Name="Measured">${components.join('')}
  </Directory></Directory></Directory>
  <Feature Id="all" Level="1">${files.map((_, index) => `<ComponentRef Id="c${index}"/>`).join('')}</Feature>
 </Product>
</Wix>
`;
  const path = `${target}.wxs`;
  writeFileSync(path, source);
  runTool('wixl', ['-o', target, path], payload);
  rmSync(path);
}

export function createMsi({ prefix }: Scale, payload: Recipe): Recipe {
  return {
    id: `${prefix}msi`,
    title: 'MSI with a cabinet, MSZIP',
    parameters: { revision: 1 },
    needs: [payload],
    tools: [{ program: 'wixl', debianPackage: 'wixl' }],
    build: (folder, context) => buildMsi(context.folderOf(payload), join(folder, 'program.msi'), 1),
  };
}

/** An installer with one solid block of LZMA. */
export function buildNsis(payload: string, target: string, seed: number): void {
  const folders = [...new Set(listFiles(payload).map((name) => dirname(name)))].sort();
  const lines = folders.flatMap((folder) => [
    `SetOutPath "$INSTDIR\\${folder === '.' ? '' : folder.replaceAll('/', '\\')}"`,
    ...listFiles(payload)
      .filter((name) => dirname(name) === folder)
      .map((name) => `File "${join(payload, name)}"`),
  ]);
  const script = `Unicode true
SetCompressor /SOLID lzma
SetCompressorDictSize 8
Name "Measured ${seed}"
OutFile "${target}"
InstallDir "$PROGRAMFILES\\Measured"
RequestExecutionLevel user
Page instfiles
Section
${lines.join('\n')}
SectionEnd
`;
  runTool('makensis', ['-V1', '-'], payload, Buffer.from(script));
}

export function createNsis({ prefix }: Scale, payload: Recipe): Recipe {
  return {
    id: `${prefix}nsis`,
    title: 'NSIS installer, LZMA, solid',
    parameters: { revision: 1 },
    needs: [payload],
    tools: [{ program: 'makensis', debianPackage: 'nsis' }],
    build: (folder, context) => buildNsis(context.folderOf(payload), join(folder, 'setup.exe'), 1),
  };
}

/** An installer of Inno Setup 6.1, which innoextract reads, with one solid chunk of LZMA2. */
export function buildInnoSetup(payload: string, target: string): void {
  const files = listFiles(payload).map((name) => ({
    destination: `{app}\\${name.replaceAll('/', '\\')}`,
    content: readFileSync(join(payload, name)),
    filtersCalls: /\.(?:exe|dll)$/.test(name),
  }));
  const { installer } = buildInno({
    version: '6.1.0',
    unicode: true,
    compression: 'lzma2',
    solid: true,
    files,
    packChunk: (content) => {
      const stream = runTool(
        'xz',
        ['--format=raw', `--lzma2=preset=6,dict=${dictionaryBytes}`, '--threads=1', '-c'],
        dirname(target),
        content,
      );
      // The dictionary's size, as LZMA2 writes it: 2^(n/2 + 12) for even n.
      return Buffer.concat([Buffer.of(2 * (Math.log2(dictionaryBytes) - 12)), stream]);
    },
  });
  writeFileSync(target, installer);
}

export function createInno({ prefix }: Scale, payload: Recipe): Recipe {
  return {
    id: `${prefix}inno`,
    title: 'Inno Setup installer, LZMA2, solid',
    parameters: { revision: 1, dictionaryBytes },
    needs: [payload],
    tools: [{ program: 'xz', debianPackage: 'xz-utils' }],
    build: (folder, context) => buildInnoSetup(context.folderOf(payload), join(folder, 'setup.exe')),
  };
}

export function createDmg({ prefix }: Scale, payload: Recipe): Recipe {
  return {
    id: `${prefix}dmg`,
    title: 'DMG, HFS+ in zlib blocks',
    parameters: { revision: 1 },
    needs: [payload],
    tools: [
      sevenZip,
      { program: 'xorriso', debianPackage: 'xorriso' },
      { program: 'python3', debianPackage: 'python3' },
    ],
    build(folder, context) {
      const work = join(folder, 'work');
      mkdirSync(join(work, 'tree'), { recursive: true });
      copyTree(context.folderOf(payload), join(work, 'tree'));
      packDmg('tree/', 'App', work, makeudif, join(folder, 'App.dmg'));
      rmSync(work, { recursive: true });
    },
  };
}

export function createDeb({ prefix }: Scale, payload: Recipe): Recipe {
  return {
    id: `${prefix}deb`,
    title: 'DEB, xz',
    parameters: { revision: 1 },
    needs: [payload],
    tools: [{ program: 'dpkg-deb', debianPackage: 'dpkg' }],
    build(folder, context) {
      const work = join(folder, 'work');
      copyTree(context.folderOf(payload), work);
      writeMember(
        join(work, 'DEBIAN/control'),
        Buffer.from(
          'Package: app\nVersion: 1.0\nArchitecture: amd64\nMaintainer: Nobody <nobody@example.org>\nDescription: measured\n',
        ),
      );
      runTool(
        'dpkg-deb',
        ['-Zxz', '-z6', '--root-owner-group', '--build', work, join(folder, 'app.deb')],
        folder,
      );
      rmSync(work, { recursive: true });
    },
  };
}

export function createIso({ prefix, isoCopies, program }: Scale, payload: Recipe): Recipe {
  return {
    id: `${prefix}iso`,
    title: 'ISO image of more than 4 GB',
    parameters: { revision: 1, isoCopies },
    needs: [payload],
    tools: [{ program: 'genisoimage', debianPackage: 'genisoimage' }],
    build(folder, context) {
      const work = join(folder, 'work');
      const content = readFileSync(join(context.folderOf(payload), program.as));
      for (let copy = 0; copy < isoCopies; copy += 1) {
        writeMember(join(work, `DISC${copy}/PROGRAM.EXE`), makeDistinct(content, copy));
      }
      runTool('genisoimage', ['-quiet', '-J', '-R', '-o', join(folder, 'part.iso'), work], folder);
      rmSync(work, { recursive: true });
      renameSync(join(folder, 'part.iso'), join(folder, 'disc.iso'));
    },
  };
}
