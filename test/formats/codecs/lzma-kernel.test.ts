import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { lzmaKernelSource } from '../../../scripts/lzma-kernel.ts';
import { lzmaBytes } from '../../../src/formats/codecs/lzma-bytes.ts';
import { hasWat2wasm, makeWasm } from '../../wat2wasm.ts';

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
    const bytes = makeWasm(lzmaKernelSource);
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
