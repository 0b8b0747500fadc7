import { describe, expect, it } from 'vitest';
import { encodeCalls } from '../../../fixtures/inno/inno-builder.ts';
import { payload } from '../../../fixtures/inno/payload.ts';
import { createCallFilter } from '../../../src/formats/inno/call-filter.ts';
import { createRandom } from '../../mutation.ts';

const kinds = ['4.1.8', '5.2.0', '5.3.9'] as const;

function undo(kind: (typeof kinds)[number], bytes: Uint8Array, chunkBytes: number): Buffer {
  const filter = createCallFilter(kind);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes)
    parts.push(filter.write(bytes.subarray(at, at + chunkBytes)));
  parts.push(filter.end());
  return Buffer.concat(parts);
}

describe.each(kinds)('when the filter of %s was applied', (kind) => {
  it('undoes it, cut anywhere', () => {
    const filtered = encodeCalls(payload.largeProgram, kind);
    expect(Buffer.from(filtered).equals(payload.largeProgram)).toBe(false);
    for (const chunkBytes of [1, 4, 5, 1000, 65_536, 1 << 20]) {
      expect(undo(kind, filtered, chunkBytes).equals(payload.largeProgram)).toBe(true);
    }
  });

  it('undoes it in bytes that are mostly calls', () => {
    const random = createRandom(3);
    const bytes = Uint8Array.from({ length: 140_000 }, () => {
      const kindOfByte = random(6);
      return kindOfByte === 0
        ? 0xe8
        : kindOfByte === 1
          ? 0xe9
          : kindOfByte === 2
            ? 0xff
            : kindOfByte === 3
              ? 0
              : random(256);
    });
    const filtered = encodeCalls(bytes, kind);
    for (const chunkBytes of [3, 4096]) expect(undo(kind, filtered, chunkBytes).equals(bytes)).toBe(true);
  });

  it('leaves what is too short alone', () => {
    for (const bytes of [[], [0xe8], [0xe8, 0, 0, 0]]) {
      const filtered = encodeCalls(Uint8Array.from(bytes), kind);
      expect([...undo(kind, filtered, 2)]).toEqual(bytes);
    }
  });
});
