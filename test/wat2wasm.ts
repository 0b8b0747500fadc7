import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasWat2wasm = spawnSync('wat2wasm', ['--version']).status === 0;
if (!hasWat2wasm)
  console.warn(
    'SKIPPED: wat2wasm (Debian: wabt) is not installed; the bytes of the kernels were not made again',
  );

/** The module that wat2wasm makes of a source. Throws what it complains of. */
export function makeWasm(source: string): Buffer<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-wat-'));
  try {
    const [from, to] = [join(folder, 'kernel.wat'), join(folder, 'kernel.wasm')];
    writeFileSync(from, source);
    const { status, stderr } = spawnSync('wat2wasm', [from, '-o', to], { encoding: 'utf8' });
    if (status !== 0 || stderr !== '') throw new Error(stderr);
    return readFileSync(to);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
