import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { compareBytes } from '../../src/diff/bytes.ts';
import { type ByteChanges, rangesListed } from '../../src/diff/model.ts';
import { createRandom } from '../mutation.ts';

function compare(before: Uint8Array, after: Uint8Array): ByteChanges {
  return compareBytes(
    { source: toByteSource(before), regions: [{ name: '.text', offset: 0x10, size: 0x100 }] },
    { source: toByteSource(after), regions: [{ name: '.text', offset: 0x10, size: 0x100 }] },
    () => undefined,
  );
}

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 7) & 0xff);

describe('when both are equally long', () => {
  it('names place, length, old and new bytes', () => {
    const after = bytes(0x120);
    after.set([1, 2, 3, 4], 0x20);
    expect(compare(bytes(0x120), after)).toEqual({
      kind: 'patched',
      commonStart: 0x20,
      commonEnd: 0x120 - 0x24,
      differing: 4,
      total: 1,
      ranges: [
        {
          before: { offset: 0x20, length: 4, place: '.text+0x10', hex: 'e0e7eef5' },
          after: { offset: 0x20, length: 4, place: '.text+0x10', hex: '01020304' },
        },
      ],
    });
  });

  it('keeps together what a few equal bytes part, and parts what more do', () => {
    const after = bytes(0x120);
    for (const at of [0x20, 0x24, 0x40]) after[at] = (after[at] ?? 0) ^ 1;
    const { ranges, differing } = compare(bytes(0x120), after);
    expect(ranges.map(({ before: { offset, length } }) => [offset, length])).toEqual([
      [0x20, 5],
      [0x40, 1],
    ]);
    expect(differing).toBe(3);
  });

  it('lists so many ranges and counts all', () => {
    const before = new Uint8Array(16 * (rangesListed + 20));
    const after = before.map((_, at) => (at % 16 === 0 ? 1 : 0));
    const { total, ranges } = compare(before, after);
    expect([total, ranges.length]).toEqual([rangesListed + 20, rangesListed]);
  });
});

describe('when one is longer', () => {
  it('finds what was put in, and what was taken out', () => {
    const before = bytes(200);
    const after = Uint8Array.from([...before.subarray(0, 50), 0xaa, 0xbb, ...before.subarray(50)]);
    expect(compare(before, after).ranges[0]).toMatchObject({
      before: { offset: 50, length: 0, hex: '' },
      after: { offset: 50, length: 2, hex: 'aabb' },
    });
    expect(compare(after, before).ranges[0]).toMatchObject({
      before: { offset: 50, length: 2, hex: 'aabb' },
      after: { offset: 50, length: 0 },
    });
  });

  it('does not count a byte for the start and for the end', () => {
    const changes = compare(new Uint8Array(10), new Uint8Array(14));
    expect(changes).toMatchObject({ kind: 'shifted', commonStart: 10, commonEnd: 0 });
    expect(changes.ranges[0]?.after.length).toBe(4);
  });

  it('takes an empty one for what it is', () => {
    expect(compare(new Uint8Array(0), bytes(5)).ranges[0]?.after).toMatchObject({ offset: 0, length: 5 });
  });
});

const hasCmp = spawnSync('cmp', ['--version']).error === undefined;
if (!hasCmp) console.warn('SKIPPED: comparison with cmp, because diffutils is not installed');

describe.skipIf(!hasCmp)('when cmp compares the same bytes', () => {
  it('counts as many and finds the same first one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'telltale-cmp-'));
    try {
      const random = createRandom(3);
      for (let round = 0; round < 5; round += 1) {
        const before = Uint8Array.from({ length: 3000 }, () => random(4));
        const after = before.map((byte) => (random(20) === 0 ? byte ^ 1 : byte));
        writeFileSync(join(folder, 'a'), before);
        writeFileSync(join(folder, 'b'), after);
        const lines = spawnSync('cmp', ['-l', 'a', 'b'], { cwd: folder, encoding: 'utf8' })
          .stdout.trimEnd()
          .split('\n');
        const { differing, commonStart } = compare(before, after);
        expect(differing).toBe(lines.length);
        expect(commonStart + 1).toBe(Number(lines[0]?.trim().split(/\s+/)[0]));
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
