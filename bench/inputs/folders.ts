import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '../../test/mutation.ts';
import { buildInnoSetup, buildMsi, buildNsis } from './containers.ts';
import { readSmallPrograms, writeMember } from './payloads.ts';
import { makeDistinct, plantLiterals } from './planting.ts';
import type { Recipe } from './recipe.ts';
import { runTool } from './run-tool.ts';
import type { Scale } from './scale.ts';

/** Small programs in turn, each copy another file; every tenth has a planted literal. */
function makeSmallFile(programs: readonly { readonly content: Buffer }[], number: number): Buffer {
  const content = programs[number % programs.length]?.content ?? Buffer.alloc(0);
  return makeDistinct(
    number % 10 === 0 ? plantLiterals(content, 5_000 + number, 1, number / 10) : content,
    number,
  );
}

export function createSmallFolder({ prefix, smallFileCount }: Scale, smallPrograms: Recipe): Recipe {
  return {
    id: `${prefix}folder-small`,
    title: `folder of ${smallFileCount} small Windows programs`,
    parameters: { revision: 2, smallFileCount },
    needs: [smallPrograms],
    build(folder, context) {
      const programs = readSmallPrograms(context.folderOf(smallPrograms));
      for (let number = 0; number < smallFileCount; number += 1) {
        const path = join(
          folder,
          String(number % 20).padStart(2, '0'),
          `${String(number).padStart(4, '0')}.exe`,
        );
        writeMember(path, makeSmallFile(programs, number));
      }
    },
  };
}

export function createInstallerFolder(
  { prefix, installerCount, installerBytes }: Scale,
  smallPrograms: Recipe,
): Recipe {
  return {
    id: `${prefix}folder-installers`,
    title: `folder of ${installerCount} installers of about 1 MB: NSIS, Inno Setup and MSI`,
    parameters: { revision: 2, installerCount, installerBytes },
    needs: [smallPrograms],
    tools: [
      { program: 'makensis', debianPackage: 'nsis' },
      { program: 'wixl', debianPackage: 'wixl' },
      { program: 'xz', debianPackage: 'xz-utils' },
    ],
    build(folder, context) {
      const programs = readSmallPrograms(context.folderOf(smallPrograms));
      for (let number = 0; number < installerCount; number += 1) {
        const work = join(folder, 'work');
        const random = createRandom(6_000 + number);
        for (let bytes = 0, index = 0; bytes < installerBytes; index += 1) {
          const program = programs[random(programs.length)];
          if (program === undefined) throw new Error('there are no small programs');
          const content = makeDistinct(
            plantLiterals(program.content, 7_000 + number * 100 + index, 1, index),
            number * 100 + index,
          );
          writeMember(join(work, `${index}-${program.name}`), content);
          bytes += content.length;
        }
        const name = join(folder, `setup-${String(number).padStart(3, '0')}`);
        if (number % 3 === 0) buildNsis(work, `${name}.exe`, number);
        else if (number % 3 === 1) buildInnoSetup(work, `${name}.exe`);
        else buildMsi(work, `${name}.msi`, number);
        rmSync(work, { recursive: true });
      }
    },
  };
}

/** The installer that cold starts are measured with: about 1 MB, NSIS. */
export const oneInstaller = 'setup-000.exe';

/** Files of the folders that grow are at most so large, so that 10,000 of them stay below 400 MB. */
const growthFileBytes = 40_000;

export function createGrowingFolders({ prefix, growthFileCounts }: Scale, smallPrograms: Recipe): Recipe {
  return {
    id: `${prefix}growth-files`,
    title: `folders of ${growthFileCounts.join(', ')} small programs`,
    parameters: { revision: 2, growthFileCounts, growthFileBytes },
    needs: [smallPrograms],
    build(folder, context) {
      const programs = readSmallPrograms(context.folderOf(smallPrograms)).filter(
        ({ content }) => content.length <= growthFileBytes,
      );
      for (const count of growthFileCounts) {
        for (let number = 0; number < count; number += 1) {
          const path = join(folder, String(count), String(number % 100).padStart(2, '0'), `${number}.exe`);
          writeMember(path, makeSmallFile(programs, number));
        }
      }
    },
  };
}

const memberBytes = 1_024;

/** ZIP archives of so many small members: pieces of a real program, each with its number. */
export function createGrowingArchives({ prefix, growthMemberCounts }: Scale, smallPrograms: Recipe): Recipe {
  return {
    id: `${prefix}growth-members`,
    title: `ZIP archives of ${growthMemberCounts.join(', ')} members of 1 kB`,
    parameters: { revision: 2, growthMemberCounts, memberBytes },
    needs: [smallPrograms],
    tools: [{ program: '7zz', debianPackage: '7zip' }],
    build(folder, context) {
      const bytes = Buffer.concat(
        readSmallPrograms(context.folderOf(smallPrograms)).map(({ content }) => content),
      );
      const work = join(folder, 'work');
      for (const count of growthMemberCounts) {
        for (let number = 0; number < count; number += 1) {
          if (number % 1_000 === 0) mkdirSync(join(work, String(number / 1_000)), { recursive: true });
          const start = (number * 4_099) % (bytes.length - memberBytes);
          const piece = Buffer.from(bytes.subarray(start, start + memberBytes));
          piece.write(`member ${number} `, 'latin1');
          writeFileSync(join(work, String(Math.floor(number / 1_000)), `${number}.dat`), piece);
        }
        runTool(
          '7zz',
          ['a', '-bd', '-bso0', '-tzip', '-mx=1', '-mtm=off', join(folder, `${count}.zip`), '-r', '*.dat'],
          work,
        );
        rmSync(work, { recursive: true });
      }
    },
  };
}

/** Archives of one set of programs once, twice and so on, each time as other files: 1x to 16x. */
export function createGrowingSizes({ prefix, growthFactors }: Scale, smallPrograms: Recipe): Recipe {
  return {
    id: `${prefix}growth-size`,
    title: `ZIP and solid 7z archives of a set of programs ${growthFactors.join(', ')} times`,
    parameters: { revision: 1, growthFactors },
    needs: [smallPrograms],
    tools: [{ program: '7zz', debianPackage: '7zip' }],
    build(folder, context) {
      const programs = readSmallPrograms(context.folderOf(smallPrograms));
      const work = join(folder, 'work');
      for (const factor of growthFactors) {
        for (let copy = 0; copy < factor; copy += 1) {
          for (const [index, { name, content }] of programs.entries()) {
            writeMember(join(work, String(copy), name), makeDistinct(content, copy * 1_000 + index));
          }
        }
        runTool(
          '7zz',
          ['a', '-bd', '-bso0', '-tzip', '-mx=5', '-mtm=off', join(folder, `${factor}.zip`), '.'],
          work,
        );
        // A dictionary smaller than one set, so that every further set costs what the first did.
        runTool(
          '7zz',
          [
            'a',
            '-bd',
            '-bso0',
            '-t7z',
            '-m0=LZMA2:d1m',
            '-mx=5',
            '-ms=on',
            '-mtm=off',
            join(folder, `${factor}.7z`),
            '.',
          ],
          work,
        );
        rmSync(work, { recursive: true });
      }
    },
  };
}
