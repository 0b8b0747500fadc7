import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Budget } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import type { Finding } from '../../src/formats/model.ts';
import { type PlainCabinet, pourCabinet, tryReadPlainCabinet } from '../../src/formats/sevenzip/cabinet.ts';
import type { ListedItem } from '../../src/formats/sevenzip/listing.ts';
import { hasTools, runTool } from '../end-to-end/packing.ts';
import { createRandom, mutate } from '../mutation.ts';
import { makeText } from '../sample-text.ts';

const isPossible = hasTools(['gcab']);
if (!isPossible) console.warn('SKIPPED: cabinets, because gcab is not installed');

const work = mkdtempSync(join(tmpdir(), 'telltale-cabinet-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const contents: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ['a.txt', makeText(100_000, 1)],
  ['empty', new Uint8Array(0)],
  ['b.txt', makeText(32_768, 2)],
  ['c.txt', makeText(5, 3)],
  ['d.bin', new Uint8Array(200_000)],
];

function toItem(name: string, size: number): ListedItem {
  return {
    name,
    kind: 'file',
    size,
    crc32: undefined,
    isEncrypted: false,
    method: 'MSZip',
    target: undefined,
  };
}
const items = contents.map(([name, { length }]) => toItem(name, length));

function makeCabinet(...options: readonly string[]): Uint8Array {
  for (const [name, bytes] of contents) writeFileSync(join(work, name), bytes);
  const names = contents.map(([name]) => name);
  runTool('gcab', ['-c', '-n', ...options, 'x.cab', ...names], work);
  return new Uint8Array(readFileSync(join(work, 'x.cab')));
}

/** A block whose checksum is 0 is not checked: what is changed then shows only while it is unpacked. */
function withoutChecksums(cabinet: Uint8Array): Uint8Array {
  const bytes = cabinet.slice();
  const view = new DataView(bytes.buffer);
  let at = view.getUint32(36, true);
  for (let left = view.getUint16(40, true); left > 0; left -= 1) {
    view.setUint32(at, 0, true);
    at += 8 + view.getUint16(at + 4, true);
  }
  return bytes;
}

interface Poured {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly finding: Finding | undefined;
}

/** What comes out; the sink wants no more after so many bytes. */
function pour(
  bytes: Uint8Array,
  cabinet: PlainCabinet,
  from = 0,
  wanted = Number.POSITIVE_INFINITY,
): { readonly poured: readonly Poured[]; readonly next: number | undefined } {
  const poured: Poured[] = [];
  let total = 0;
  const next = pourCabinet(
    toByteSource(bytes),
    cabinet,
    {
      begin({ name }) {
        const chunks: Uint8Array[] = [];
        return {
          write(chunk) {
            chunks.push(chunk.slice());
            total += chunk.length;
            return total <= wanted;
          },
          end(finding) {
            poured.push({ name, bytes: new Uint8Array(Buffer.concat(chunks)), finding });
          },
        };
      },
      refuse: () => expect.unreachable(),
    },
    from,
    { budget: new Budget(bytes.length) },
  );
  return { poured, next };
}

const read = (bytes: Uint8Array, listed = items): PlainCabinet | undefined =>
  tryReadPlainCabinet(toByteSource(bytes), listed, new Budget(bytes.length));

describe.skipIf(!isPossible)('when a cabinet is in order', () => {
  for (const options of [['-z'], []]) {
    it(`gives its files, ${options.length === 0 ? 'stored' : 'packed'}`, () => {
      const bytes = makeCabinet(...options);
      const cabinet = read(bytes);
      if (cabinet === undefined) throw new Error('is not read');
      const { poured, next } = pour(bytes, cabinet);
      expect(next).toBeUndefined();
      expect(poured.map(({ name, finding }) => [name, finding])).toEqual(
        contents.map(([name]) => [name, undefined]),
      );
      for (const [index, [, content]] of contents.entries())
        expect(Buffer.compare(poured[index]?.bytes ?? new Uint8Array(1), content)).toBe(0);
    });
  }

  it('goes on from any member, and stops when nothing more is wanted', () => {
    const bytes = makeCabinet('-z');
    const cabinet = read(bytes);
    if (cabinet === undefined) throw new Error('is not read');
    expect(pour(bytes, cabinet, 2).poured.map(({ name }) => name)).toEqual(['b.txt', 'c.txt', 'd.bin']);
    expect(
      Buffer.compare(
        pour(bytes, cabinet, 2).poured[0]?.bytes ?? new Uint8Array(0),
        contents[2]?.[1] ?? new Uint8Array(1),
      ),
    ).toBe(0);
    expect(pour(bytes, cabinet, 0, 50_000)).toMatchObject({ next: 1, poured: [{ name: 'a.txt' }] });
  });
});

describe.skipIf(!isPossible)('when a cabinet is not in order', () => {
  it('leaves it to the other decoder, whichever byte of the packed data is changed', () => {
    const bytes = makeCabinet('-z');
    const random = createRandom(3);
    for (let round = 0; round < 200; round += 1) {
      const changed = bytes.slice();
      const at = 400 + random(bytes.length - 400);
      changed[at] = (changed[at] ?? 0) ^ (1 << random(8));
      expect(read(changed)).toBeUndefined();
    }
  });

  it('leaves it to the other decoder when the lists differ', () => {
    const bytes = makeCabinet('-z');
    expect(read(bytes, items.slice(1))).toBeUndefined();
    expect(read(bytes, [toItem('a.txt', 99_999), ...items.slice(1)])).toBeUndefined();
    expect(read(bytes.subarray(0, bytes.length - 1))).toBeUndefined();
  });

  it('reads 2,000 mutants or leaves them, and gives no other bytes than are promised', () => {
    const bytes = withoutChecksums(makeCabinet('-z'));
    let plain = 0;
    for (const { bytes: mutant, description } of mutate(bytes, 2_000, 9)) {
      try {
        const cabinet = read(mutant);
        if (cabinet === undefined) continue;
        plain += 1;
        for (const [index, { bytes: given, finding }] of pour(mutant, cabinet).poured.entries())
          if (finding === undefined) expect(given.length, description).toBe(items[index]?.size);
      } catch (error) {
        expect(error, description).toBeInstanceOf(TelltaleError);
      }
    }
    expect(plain).toBeGreaterThan(100);
  });

  it('says that data is damaged when only the unpacking shows it', () => {
    const bytes = makeCabinet('-z');
    const view = new DataView(bytes.buffer);
    const first = view.getUint32(36, true);
    // No checksum, and the first letters of the signature of a block.
    view.setUint32(first, 0, true);
    bytes[first + 8] = 0x58;
    const cabinet = read(bytes);
    if (cabinet === undefined) throw new Error('is not read');
    const { poured } = pour(bytes, cabinet);
    expect(poured.map(({ finding }) => finding?.code)).toEqual([
      'malformed/compressed-data',
      undefined,
      'malformed/compressed-data',
      'malformed/compressed-data',
      'malformed/compressed-data',
    ]);
  });
});
