import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { lzmaKernelSource } from '../../../scripts/lzma-kernel.ts';
import { lzmaBytes } from '../../../src/formats/codecs/lzma-bytes.ts';

const hasWat2wasm = spawnSync('wat2wasm', ['--version']).status === 0;
if (!hasWat2wasm) {
  console.warn(
    'SKIPPED: wat2wasm (Debian: wabt) is not installed; the bytes of the LZMA kernel were not made again',
  );
}

/** The module that holds the bytes. */
function toModule(base64: string): string {
  const rows = base64.match(/.{1,105}/g) ?? [];
  return [
    '/** `scripts/lzma-kernel.ts` through `wat2wasm`, in base64; a test makes it again. */',
    'export const lzmaBytes =',
    `${rows.map((row) => `  '${row}'`).join(' +\n')};`,
    '',
  ].join('\n');
}

describe('when the kernel is made from its source', () => {
  it.skipIf(!hasWat2wasm)('gives the bytes that are committed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'telltale-wat-'));
    const [source, output] = [join(folder, 'lzma.wat'), join(folder, 'lzma.wasm')];
    writeFileSync(source, lzmaKernelSource);
    execFileSync('wat2wasm', [source, '-o', output]);
    const bytes = readFileSync(output);
    rmSync(folder, { recursive: true });
    expect(WebAssembly.validate(bytes)).toBe(true);
    const made = bytes.toString('base64');
    if (process.env['UPDATE_KERNEL'] === '1') {
      writeFileSync(
        fileURLToPath(new URL('../../../src/formats/codecs/lzma-bytes.ts', import.meta.url)),
        toModule(made),
      );
    } else {
      expect(made).toBe(lzmaBytes);
    }
  });
});
