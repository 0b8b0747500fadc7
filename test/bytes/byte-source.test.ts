import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ByteSource, readPassing, sliceSource, toByteSource } from '../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { openFile, readOpenFile } from '../../src/platform/files.ts';

const work = mkdtempSync(join(tmpdir(), 'telltale-source-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const bytes = Uint8Array.from({ length: 700_001 }, (_, index) => (index * 7919) >> 3);
const path = join(work, 'bytes.bin');
writeFileSync(path, bytes);

/** What passes, copied at once: a chunk is not good for longer. */
function copy(source: ByteSource): Buffer {
  return Buffer.concat([...toCopies(source)]);
}

function* toCopies(source: ByteSource): Generator<Uint8Array> {
  for (const chunk of readPassing(source)) yield chunk.slice();
}

describe('when all bytes pass', () => {
  it('gives those of a file, of a part of it, and of memory', () => {
    const file = openFile(path);
    expect(copy(file).equals(bytes)).toBe(true);
    expect(copy(sliceSource(file, 123, 600_000)).equals(bytes.subarray(123, 600_123))).toBe(true);
    expect(copy(toByteSource(bytes)).equals(bytes)).toBe(true);
    expect(copy(sliceSource(file, 5, 0))).toHaveLength(0);
    file.close();
  });

  it('uses the same memory for every chunk of a file', () => {
    const file = openFile(path);
    const memories = new Set([...readPassing(file)].map(({ buffer }) => buffer));
    expect(memories.size).toBe(1);
    file.close();
  });
});

describe('when a place in an open file is handed on', () => {
  it('leads to the same bytes, also through slices of slices', () => {
    const file = openFile(path);
    const inner = sliceSource(sliceSource(file, 1000, 500_000), 24, 400_000);
    if (inner.range === undefined) throw new Error('has no place');
    expect(inner.range.offset).toBe(1024);
    const again = readOpenFile(inner.range, inner.size);
    expect(copy(again).equals(bytes.subarray(1024, 401_024))).toBe(true);
    expect(() => again.read(400_000, 1)).toThrow(TelltaleError);
    file.close();
  });
});
