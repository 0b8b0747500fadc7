import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { root } from '../root.ts';
import { plantLiterals } from './planting.ts';
import { type BuildContext, listFiles, type Recipe } from './recipe.ts';
import { recipeMoment, runTool } from './run-tool.ts';
import type { Scale, Taken } from './scale.ts';

const manifestPath = join(root, 'fixtures/goodware/manifest.json');

/** Packages by the name of their file, with what the manifest of the goodware says they are. */
export function readPackages(names: readonly string[]): readonly { name: string; integrity: string }[] {
  const manifest: unknown = JSON.parse(readFileSync(manifestPath, 'utf8'));
  const listed = toRecords(manifest, 'packages');
  return [...new Set(names)].sort().map((name) => {
    const entry = listed.find(
      (one) => `${toText(one, 'name').replace('@', '').replace('/', '-')}-${toText(one, 'version')}` === name,
    );
    if (entry === undefined) throw new Error(`${name} is not in the manifest of the goodware`);
    return { name, integrity: toText(entry, 'integrity') };
  });
}

function toRecords(value: unknown, key: string): readonly object[] {
  const list: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  if (!Array.isArray(list)) throw new Error(`the manifest of the goodware has no list "${key}"`);
  return list.filter((one): one is object => typeof one === 'object' && one !== null);
}

function toText(value: object, key: string): string {
  const text: unknown = Reflect.get(value, key);
  return typeof text === 'string' ? text : '';
}

/** Takes files out of a package. @returns the content of each, in the order asked for */
export function takeMembers(
  { goodware }: BuildContext,
  from: string,
  members: readonly string[],
): readonly Buffer[] {
  const archive = join(goodware, `${from}.tgz`);
  if (!existsSync(archive)) {
    throw new Error(`${archive} is not there; node scripts/fetch-goodware.mjs fetches it`);
  }
  const work = mkdtempSync(join(tmpdir(), 'telltale-bench-'));
  try {
    runTool('tar', ['xzf', archive, '-C', work, ...members], work);
    return members.map((member) => readFileSync(join(work, member)));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Writes a file with a fixed time, because packers keep the time. */
export function writeMember(path: string, content: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, recipeMoment, recipeMoment);
}

function writeTaken(folder: string, files: readonly Taken[], context: BuildContext, seed: number): void {
  const packages = [...new Set(files.map(({ from }) => from))];
  let index = 0;
  for (const from of packages) {
    const own = files.filter((file) => file.from === from);
    const contents = takeMembers(
      context,
      from,
      own.map(({ member }) => member),
    );
    for (const [at, file] of own.entries()) {
      writeMember(join(folder, file.as), plantLiterals(contents[at] ?? Buffer.alloc(0), seed + index));
      index += 1;
    }
  }
}

/** Raised when the planting of literals changes. */
const planting = { revision: 1 };

const toPackages = (files: readonly Taken[]): ReturnType<typeof readPackages> =>
  readPackages(files.map(({ from }) => from));

export function createWindowsPayload({ prefix, windowsFiles: files }: Scale): Recipe {
  return {
    id: `${prefix}payload-windows`,
    title: 'a Windows program with its libraries, literals planted',
    parameters: { planting, files, packages: toPackages(files) },
    build: (folder, context) => writeTaken(folder, files, context, 1_000),
  };
}

export function createLinuxPayload({ prefix, linuxFiles: files, linuxArchive }: Scale): Recipe {
  return {
    id: `${prefix}payload-linux`,
    title: 'a Linux program with its libraries, literals planted',
    parameters: {
      planting,
      files,
      linuxArchive: linuxArchive ?? 'none',
      packages: toPackages([...files, ...(linuxArchive === undefined ? [] : [linuxArchive.archive])]),
    },
    tools: [{ program: '7zz', debianPackage: '7zip' }],
    build(folder, context) {
      writeTaken(folder, files, context, 2_000);
      if (linuxArchive === undefined) return;
      const { archive, members } = linuxArchive;
      const [packed] = takeMembers(context, archive.from, [archive.member]);
      const path = join(folder, archive.as);
      writeFileSync(path, packed ?? '');
      for (const [index, name] of members.entries()) {
        const content = runTool('7zz', ['x', '-so', path, name], folder);
        writeMember(join(folder, 'usr/lib/app', name), plantLiterals(content, 2_100 + index));
      }
      rmSync(path);
    },
  };
}

export function createMacPayload({ prefix, macFiles: files }: Scale): Recipe {
  return {
    id: `${prefix}payload-mac`,
    title: 'a Mac program with its libraries, literals planted',
    parameters: { planting, files, packages: toPackages(files) },
    build: (folder, context) => writeTaken(folder, files, context, 3_000),
  };
}

export function createProgram({ prefix, program }: Scale): Recipe {
  return {
    id: `${prefix}raw`,
    title: 'one large Windows program, in no container',
    parameters: { planting, program, packages: toPackages([program]) },
    build(folder, context) {
      const [content] = takeMembers(context, program.from, [program.member]);
      writeMember(join(folder, program.as), plantLiterals(content ?? Buffer.alloc(0), 4_000, 12));
    },
  };
}

const nsisFolder = '/usr/share/nsis';
const smallestBytes = 3_000;
const largestBytes = 400_000;

/** Small Windows programs, by which the folders are filled: those of packages, and the plug-ins of NSIS. */
export function createSmallPrograms({ prefix, smallPackages }: Scale): Recipe {
  return {
    id: `${prefix}small-programs`,
    title: 'small Windows programs of different origin, each once',
    parameters: { revision: 1, smallestBytes, largestBytes, packages: readPackages(smallPackages) },
    tools: [{ program: 'makensis', debianPackage: 'nsis' }],
    build(folder, context) {
      const seen = new Set<string>();
      const add = (name: string, content: Buffer): void => {
        const isProgram = content[0] === 0x4d && content[1] === 0x5a;
        const isSmall = content.length >= smallestBytes && content.length <= largestBytes;
        const key = content.toString('latin1');
        if (!isProgram || !isSmall || seen.has(key)) return;
        writeMember(join(folder, `${String(seen.size).padStart(3, '0')}-${basename(name)}`), content);
        seen.add(key);
      };
      for (const from of smallPackages) {
        const names = runTool('tar', ['tzf', join(context.goodware, `${from}.tgz`)], folder)
          .toString()
          .split('\n')
          .filter((name) => /\.(?:exe|dll|node|e32)$/i.test(name))
          .sort();
        for (const [index, content] of takeMembers(context, from, names).entries())
          add(names[index] ?? '', content);
      }
      for (const name of listFiles(nsisFolder).filter((one) => /\.(?:exe|dll)$/i.test(one))) {
        add(name, readFileSync(join(nsisFolder, name)));
      }
    },
  };
}

/** The contents of small programs in the order of their names. */
export function readSmallPrograms(
  folder: string,
): readonly { readonly name: string; readonly content: Buffer }[] {
  return listFiles(folder).map((name) => ({ name, content: readFileSync(join(folder, name)) }));
}

/** Copies a tree with the times of the recipes. */
export function copyTree(from: string, to: string): void {
  for (const name of listFiles(from)) {
    const path = join(to, name);
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(join(from, name), path);
    utimesSync(path, recipeMoment, recipeMoment);
  }
}
