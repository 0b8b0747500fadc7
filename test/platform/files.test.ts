import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readPassing } from '../../src/bytes/byte-source.ts';
import { openBriefly, openFile } from '../../src/platform/files.ts';
import { createRandom } from '../mutation.ts';

const folder = mkdtempSync(join(tmpdir(), 'telltale-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, size: number): { readonly path: string; readonly bytes: Uint8Array } {
  const random = createRandom(size);
  const bytes = Uint8Array.from({ length: size }, () => random(256));
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { path, bytes };
}

const pageBytes = 64 * 1024;

// Up to 2 MiB a file is read at once, a larger one page by page.
describe.each([0, 1, 1000, 32 * pageBytes, 32 * pageBytes + 1])('when a file of %i bytes is read', (size) => {
  const { path, bytes } = write(`${size}.bin`, size);

  it('gives every range as it is in the file', () => {
    const source = openFile(path);
    try {
      expect(source.size).toBe(size);
      for (const [from, to] of [
        [0, size],
        [0, Math.min(16, size)],
        [size >> 1, size],
        [Math.max(0, size - 70_000), size],
        [size, size],
      ] as const) {
        expect(Buffer.compare(source.read(from, to - from), bytes.subarray(from, to))).toBe(0);
      }
      const passed = [...readPassing(source)].reduce((sum, chunk) => sum + chunk.length, 0);
      expect(passed).toBe(size);
      expect(() => source.read(size, 1)).toThrow(/wants 1 bytes/);
    } finally {
      source.close();
    }
  });

  it('gives them also when it is opened for each of them', () => {
    const source = openBriefly(path);
    const half = size >> 1;
    expect(Buffer.compare(source.read(half, size - half), bytes.subarray(half))).toBe(0);
    if (size > 1) expect(() => source.read(half, size)).toThrow(/wants/);
  });
});

describe('when a file changes while it is open', () => {
  it.each([1000, 3_000_000])('says so where it became shorter, of %i bytes', (size) => {
    const { path } = write('shrinking.bin', size);
    const source = openFile(path);
    truncateSync(path, 500);
    try {
      expect(() => source.read(size - 10, 10)).toThrow('became shorter while it was read');
    } finally {
      source.close();
    }
    const brief = openBriefly(path);
    truncateSync(path, 400);
    expect(() => brief.read(0, 1)).toThrow('changed its size while it was read');
  });
});
