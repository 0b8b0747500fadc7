import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from '../../end-to-end/packing.ts';
import { createRandom } from '../../mutation.ts';
import { makeText } from '../../sample-text.ts';

export function makeChance(size: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  return Uint8Array.from({ length: size }, () => random(256));
}

/**
 * Bytes that all filters for programs find much in: opcodes of calls and jumps of every processor, highest bytes of
 * near targets, and chance between them.
 */
export function makeCode(size: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  const usual = [
    0xe8, 0xe9, 0x0f, 0x80, 0x8f, 0x00, 0xff, 0xeb, 0xf0, 0xf8, 0x94, 0x97, 0x90, 0xb0, 0x48, 0x4b, 0x40,
    0x7f,
  ];
  return Uint8Array.from({ length: size }, () => {
    const kind = random(8);
    return kind < 5 ? (usual[random(usual.length)] ?? 0) : kind === 5 ? random(4) : random(256);
  });
}

/** The files that are packed. */
export const tree: ReadonlyMap<string, Uint8Array> = new Map([
  ['tree/code.exe', makeCode(20_000, 1)],
  ['tree/empty.txt', new Uint8Array(0)],
  ['tree/folder/chance.bin', makeChance(2000, 2)],
  ['tree/folder/short.txt', new Uint8Array(Buffer.from('short'))],
  ['tree/text.txt', makeText(10_000, 3)],
  ['tree/文件夹/说明 😀.txt', new Uint8Array(Buffer.from('说明'))],
]);

/** Packs the tree, with a link and an empty folder in it, and gives the archive. @param switches - of 7zz */
export function packWithSevenZip(
  switches: readonly string[],
  files: ReadonlyMap<string, Uint8Array> = tree,
): Uint8Array {
  return pack(files, '7zz', ['a', '-bd', '-snl', ...switches, 'x.7z', 'tree']);
}

/** @param method - `store`, `deflate`, `bzip2`, `lzma1`, `lzma2`, `ppmd` */
export function packWithBsdtar(method: string): Uint8Array {
  const options = ['--options', `7zip:compression=${method}`];
  return pack(tree, 'bsdtar', ['--format=7zip', ...options, '-cf', 'x.7z', 'tree']);
}

function pack(files: ReadonlyMap<string, Uint8Array>, tool: string, args: readonly string[]): Uint8Array {
  const work = mkdtempSync(join(tmpdir(), 'telltale-sevenz-'));
  try {
    for (const [name, bytes] of files) {
      mkdirSync(join(work, name, '..'), { recursive: true });
      writeFileSync(join(work, name), bytes);
    }
    mkdirSync(join(work, 'tree/nothing'), { recursive: true });
    symlinkSync('text.txt', join(work, 'tree/link'));
    runTool(tool, args, work);
    return new Uint8Array(readFileSync(join(work, 'x.7z')));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
