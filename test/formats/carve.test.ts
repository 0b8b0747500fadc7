import { describe, expect, it } from 'vitest';
import { buildPe } from '../../fixtures/pe-builder.ts';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import type { MarkPlaces } from '../../src/bytes/mark-places.ts';
import { type ByteRange, carve, carveMarks, findUnexplained } from '../../src/formats/carve.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';
import { createRandom } from '../mutation.ts';

function noise(size: number, seed = 7): Uint8Array {
  const random = createRandom(seed);
  return Uint8Array.from({ length: size }, () => random(256));
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function carveAll(
  bytes: Uint8Array,
  traces?: MarkPlaces,
  ranges: readonly ByteRange[] = [{ offset: 0, size: bytes.length }],
): readonly string[] {
  const source = toByteSource(bytes);
  const context = { budget: new Budget(bytes.length), report: () => undefined };
  return [...carve(source, ranges, context, traces)].map(
    ({ name, content }) => `${name} ${content.kind === 'source' ? content.source.size : 0}`,
  );
}

describe('when unknown bytes hold files', () => {
  const program = buildTomSkype();
  const archive = buildZip({ entries: [{ name: 'a/b.exe', data: program }] });

  it('finds programs and archives by their structure', () => {
    const bytes = join(noise(1001), program, noise(77, 8), archive);
    expect(carveAll(bytes)).toEqual([
      `[carved program at 0x3e9] ${program.length}`,
      `[carved ZIP archive at 0x${(1001 + program.length + 77).toString(16)}] ${archive.length}`,
    ]);
  });

  it('finds nothing in noise, and nothing behind a bare magic number', () => {
    expect(carveAll(noise(3_000_000))).toEqual([]);
    const magics = [
      'MZ',
      'PK\u0003\u0004',
      'MSCF\0\0\0\0',
      "7z\u00bc\u00af'\u001c",
      '\u00d0\u00cf\u0011\u00e0\u00a1\u00b1\u001a\u00e1',
    ];
    expect(carveAll(join(...magics.flatMap((magic) => [Buffer.from(magic, 'latin1'), noise(200)])))).toEqual(
      [],
    );
  });

  it('finds a file that lies across the border of what is read at once', () => {
    const bytes = join(new Uint8Array((1 << 20) - 3), program, new Uint8Array(100));
    expect(carveAll(bytes)).toEqual([
      `[carved program at 0x${((1 << 20) - 3).toString(16)}] ${program.length}`,
    ]);
  });

  it('opens an unknown wrapper around another edition', async () => {
    const wrapper = buildPe({ overlay: join(noise(333), archive) });
    const result = await scanBytes('setup.exe', wrapper);
    expect(result).toMatchObject({ verdict: 'variant', variant: 'tom' });
    const paths = result.telltales.flatMap(({ evidence }) => evidence.map(({ path }) => path));
    expect(paths.some((path) => /^setup\.exe » \[overlay\].* » a\/b\.exe$/.test(path))).toBe(true);
  });

  it('opens a program that lies in a section of another one', async () => {
    const result = await scanBytes(
      'x.exe',
      buildPe({ sections: [{ name: '.blob', data: join(noise(50), program) }] }),
    );
    expect(result).toMatchObject({ verdict: 'variant', variant: 'tom' });
  });

  it('says of an overlay that it cannot open how large and how even it is', async () => {
    const result = await scanBytes('x.exe', buildPe({ overlay: noise(20_000) }));
    expect(result.complete).toBe(false);
    expect(result.problems.map(({ message }) => message).join()).toMatch(
      /20000 bytes of unknown content .*entropy 7\.9/,
    );
  });
});

describe('when ranges are explained', () => {
  it('gives what is left, in order', () => {
    expect(
      findUnexplained(1000, [
        { offset: 500, size: 100 },
        { offset: 0, size: 100 },
        { offset: 550, size: 100 },
      ]),
    ).toEqual([
      { offset: 100, size: 400 },
      { offset: 650, size: 350 },
    ]);
    expect(findUnexplained(1000, [{ offset: 0, size: 990 }])).toEqual([]);
    expect(findUnexplained(1000, [{ offset: 900, size: 9e15 }])).toEqual([{ offset: 0, size: 900 }]);
  });
});

/** Where the marks stand, found one by one. */
function trace(bytes: Uint8Array, end = Number.POSITIVE_INFINITY): MarkPlaces {
  const all = Buffer.from(bytes);
  const found = carveMarks.flatMap((mark, index) => {
    const places: (readonly [number, number])[] = [];
    for (let at = all.indexOf(mark); at >= 0; at = all.indexOf(mark, at + 1)) places.push([index, at]);
    return places;
  });
  return { found: found.filter(([, at]) => at < end).sort(([, a], [, b]) => a - b), end };
}

describe('when the places of the marks are known', () => {
  const program = buildTomSkype();
  const archive = buildZip({ entries: [{ name: 'a/b.exe', data: program }] });
  const pieces = [
    program,
    archive,
    program.subarray(0, 300),
    Uint8Array.of(0x4d, 0x5a),
    Buffer.from('PE\0\0zlb\x1aRar!\x1a\x07', 'latin1'),
    Buffer.from('\0\0\0\0\xef\xbe\xad\xdeNullsoftInst' + 'x'.repeat(40), 'latin1'),
    Buffer.from('MZ'.repeat(200)),
  ];

  it('finds what a search finds, in whatever ranges, also when the places end early', () => {
    const random = createRandom(11);
    let carved = 0;
    for (let round = 0; round < 200; round += 1) {
      const parts = Array.from({ length: 1 + random(6) }, () => [
        noise(random(400), random(1000)),
        pieces[random(pieces.length)] ?? program,
      ]).flat();
      const bytes = join(...parts);
      const cut = random(bytes.length);
      const ranges = [
        { offset: 0, size: cut },
        { offset: cut, size: bytes.length - cut },
      ];
      const searched = carveAll(bytes, undefined, ranges);
      carved += searched.length;
      expect(carveAll(bytes, trace(bytes), ranges)).toEqual(searched);
      expect(carveAll(bytes, trace(bytes, random(bytes.length)), ranges)).toEqual(searched);
    }
    expect(carved).toBeGreaterThan(200);
  });
});
