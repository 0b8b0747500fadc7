import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { joinBytes } from '../../../src/bytes/byte-source.ts';
import { runTool } from '../../end-to-end/packing.ts';
import { createRandom } from '../../mutation.ts';

/** A pseudo-random file: words that pack well, with noise between them that does not. */
export function makeContent(size: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const isNoise = random(8) === 0;
    const length = 1 + random(isNoise ? 3000 : 200);
    const word = 97 + random(26);
    for (let index = 0; index < length && filled < size; index += 1) {
      bytes[filled] = isNoise ? random(256) : word + (index % 7);
      filled += 1;
    }
  }
  return bytes;
}

function makeNoise(size: number): Uint8Array {
  const random = createRandom(9);
  return Uint8Array.from({ length: size }, () => random(256));
}

/** Files that installers are made of, by name. */
const contents: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ['app.exe', makeContent(150_000, 1)],
  ['readme.txt', new TextEncoder().encode('Read me.\r\n'.repeat(20))],
  ['empty.txt', new Uint8Array(0)],
  ['noise.bin', makeNoise(9000)],
  ['mixed.bin', joinBytes([makeNoise(90_000), makeContent(60_000, 5)])],
  ['tree/a.txt', makeContent(70_000, 3)],
  ['tree/b/c.dll', makeContent(3000, 4)],
  ['tree/b/readme.txt', new TextEncoder().encode('Read me.\r\n'.repeat(20))],
  ['文件夹/说明.txt', new TextEncoder().encode('合成样本\n')],
];

/** Writes the files into a folder. */
export function makeFiles(folder: string): void {
  for (const [name, bytes] of contents) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
}

/** The data of an installer, from its first header on, as the program around it has them. */
export function toInstallerData(program: Uint8Array): Uint8Array {
  const bytes = Buffer.from(program.buffer, program.byteOffset, program.length);
  const at = bytes.indexOf(Buffer.from('\xef\xbe\xad\xdeNullsoftInst', 'latin1')) - 4;
  if (at < 0) throw new Error('is no installer');
  return new Uint8Array(bytes.subarray(at));
}

/** Compiles a script that has no output file of its own, in the folder of its files; the whole program. */
export function compileInstaller(folder: string, script: string): Uint8Array {
  writeFileSync(join(folder, 'made.nsi'), `OutFile made.exe\n${script}`);
  runTool('makensis', ['-V1', 'made.nsi'], folder);
  return new Uint8Array(readFileSync(join(folder, 'made.exe')));
}
