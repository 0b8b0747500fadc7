import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  buildIso,
  isoFlags,
  type IsoSpec,
  type RecordSpec,
  toIsoDirectory,
} from '../../../fixtures/iso9660-builder.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { identify } from '../../../src/formats/index.ts';
import { chainSources } from '../../../src/bytes/chain-sources.ts';
import { iso9660Format } from '../../../src/formats/iso9660/index.ts';
import { mutate } from '../../mutation.ts';
import { readAll, type ReadResult } from '../reading.ts';

const containers = fileURLToPath(new URL('../../../fixtures/containers/', import.meta.url));
const disc = new Uint8Array(gunzipSync(readFileSync(`${containers}disc.iso.gz`)));
const rootLocation = 20;

/** An image whose root directory holds the records. */
function build(records: readonly RecordSpec[], more: Partial<IsoSpec> = {}): Uint8Array {
  return buildIso({
    rootLocation,
    ...more,
    blocks: {
      [rootLocation]: toIsoDirectory(rootLocation, records),
      39: new Uint8Array(2048),
      ...more.blocks,
    },
  });
}

const block = (text: string): Uint8Array => Buffer.alloc(2048, text);

async function readImage(image: Uint8Array, members?: number): Promise<ReadResult> {
  return await readAll(iso9660Format, image, members === undefined ? {} : { limits: { members } });
}

const toTexts = ({ members }: ReadResult): readonly (readonly [string, string])[] =>
  members.map(({ name, bytes }) => [name, bytes.toString('latin1')]);
const toCodes = ({ findings }: ReadResult): string[] => findings.map(({ code }) => code);

describe('when a disc image is whole', () => {
  it('yields the payload as ranges of the image', async () => {
    const source = toByteSource(disc);
    expect(identify(disc.subarray(0, 4096), source)).toBe(iso9660Format);
    const { members, faults } = await readImage(disc);
    expect(faults).toBe(0);
    expect(members.map(({ name, kind }) => [name, kind])).toEqual([
      ['app.exe', 'source'],
      ['readme.txt', 'source'],
      ['文件夹/说明.txt', 'source'],
    ]);
    for (const { name, bytes } of members) {
      const whole = createHash('sha256')
        .update(readFileSync(`${containers}payload/${name}`))
        .digest('hex');
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(whole);
    }
  });

  it('gives the same when it is read twice', async () => {
    const [first, second] = [await readImage(disc), await readImage(disc)];
    expect(toTexts(second)).toEqual(toTexts(first));
    expect(second.reading?.facts).toEqual(first.reading?.facts);
  });
});

describe('when a file is in several extents', () => {
  it('puts those together that lie apart, and names one place for those that do not', async () => {
    const goesOn = isoFlags.goesOn;
    const result = await readImage(
      build(
        [
          { id: 'APART;1', location: 30, size: 2048, flags: goesOn },
          { id: 'APART;1', location: 35, size: 3 },
          { id: 'TOGETHER;1', location: 31, size: 2048, flags: goesOn },
          { id: 'TOGETHER;1', location: 32, size: 4 },
        ],
        { blocks: { 30: block('a'), 31: block('b'), 32: block('c'), 35: block('d') } },
      ),
    );
    expect(result.faults).toBe(0);
    expect(toTexts(result)).toEqual([
      ['APART', `${'a'.repeat(2048)}ddd`],
      ['TOGETHER', `${'b'.repeat(2048)}cccc`],
    ]);
    expect(result.members.map(({ containerOffset }) => containerOffset)).toEqual([undefined, 31 * 2048]);
  });

  it('says when the last one is missing', async () => {
    const result = await readImage(
      build([{ id: 'OPEN;1', location: 30, size: 2048, flags: isoFlags.goesOn }], {
        blocks: { 30: block('a') },
      }),
    );
    expect(toCodes(result)).toEqual(['malformed/structure']);
    expect(toTexts(result)).toEqual([['OPEN', 'a'.repeat(2048)]]);
  });

  it('reads any part of a chain', () => {
    const parts = ['one', '', 'two', 'three'].map((text) => toByteSource(Buffer.from(text)));
    const chain = chainSources(parts);
    const text = 'onetwothree';
    for (let from = 0; from <= text.length; from += 1) {
      for (let to = from; to <= text.length; to += 1)
        expect(Buffer.from(chain.read(from, to - from)).toString()).toBe(text.slice(from, to));
    }
    expect(() => chain.read(0, 12)).toThrow('wants 12 bytes');
  });
});

describe('when a disc image lies', () => {
  it('reports numbers that differ in their byte orders, and goes by the first', async () => {
    const result = await readImage(
      build([{ id: 'A;1', location: 30, size: 3, sizeBigEndian: 2048 }], { blocks: { 30: block('a') } }),
    );
    expect(toTexts(result)).toEqual([['A', 'aaa']]);
    expect(result.findings).toMatchObject([{ code: 'malformed/structure', incomplete: true }]);
  });

  it('reads each folder once, when folders go round in a circle', async () => {
    const directory = isoFlags.directory;
    const result = await readImage(
      build([{ id: 'SUB', location: 21, size: 2048, flags: directory }], {
        blocks: {
          21: toIsoDirectory(21, [
            { id: 'UP', location: rootLocation, size: 2048, flags: directory },
            { id: 'SELF', location: 21, size: 2048, flags: directory },
            { id: 'FILE;1', location: 30, size: 1 },
          ]),
          30: block('f'),
        },
      }),
    );
    expect(toTexts(result)).toEqual([['SUB/FILE', 'f']]);
    expect(toCodes(result)).toEqual(['malformed/cycle', 'malformed/cycle']);
  });

  it('reads a folder that is in two extents', async () => {
    const { directory, goesOn } = isoFlags;
    const result = await readImage(
      build(
        [
          { id: 'SUB', location: 21, size: 2048, flags: directory | goesOn },
          { id: 'SUB', location: 23, size: 2048, flags: directory },
        ],
        {
          blocks: {
            21: toIsoDirectory(21, [{ id: 'ONE;1', location: 30, size: 1 }]),
            23: toIsoDirectory(23, [{ id: 'TWO;1', location: 30, size: 2 }]),
            30: block('f'),
          },
        },
      ),
    );
    expect(toTexts(result)).toEqual([
      ['SUB/ONE', 'f'],
      ['SUB/TWO', 'ff'],
    ]);
  });

  it('says of files behind the end, in part or whole, what is missing', async () => {
    const result = await readImage(
      build(
        [
          { id: 'CUT;1', location: 39, size: 5000 },
          { id: 'GONE;1', location: 1_000_000, size: 10 },
          { id: 'EMPTY;1', location: 2_000_000, size: 0 },
        ],
        {},
      ),
    );
    expect(result.members.map(({ name, bytes, kind }) => [name, bytes.length, kind])).toEqual([
      ['CUT', 2048, 'source'],
      ['GONE', 0, 'unreadable'],
      ['EMPTY', 0, 'source'],
    ]);
    expect(toCodes(result).sort()).toEqual([
      'malformed/out-of-range',
      'malformed/truncated',
      'malformed/truncated',
    ]);
  });

  it('reports files that share some of their bytes, not those that share all', async () => {
    const result = await readImage(
      build(
        [
          { id: 'A;1', location: 30, size: 4096 },
          { id: 'LINK;1', location: 30, size: 4096 },
          { id: 'PART;1', location: 31, size: 100 },
        ],
        { blocks: { 30: block('a'), 31: block('b') } },
      ),
    );
    expect(result.findings).toMatchObject([
      { code: 'malformed/overlap', message: '"PART" shares bytes with "A"', incomplete: false },
    ]);
  });

  it('names what is interleaved, and does not read it', async () => {
    const { members } = await readImage(
      build([{ id: 'STRIPES;1', location: 30, size: 2048, unitSize: 1 }], { blocks: { 30: block('a') } }),
    );
    expect(members).toMatchObject([
      { name: 'STRIPES', kind: 'unreadable', fault: { code: 'unsupported/feature' } },
    ]);
  });

  it('passes over the attributes in front of a file', async () => {
    const result = await readImage(
      build([{ id: 'A;1', location: 30, size: 2, attributeBlocks: 1 }], {
        blocks: { 30: block('x'), 31: block('a') },
      }),
    );
    expect(toTexts(result)).toEqual([['A', 'aa']]);
  });

  it('says when records are none, and reads those in the next sector', async () => {
    const records = Array.from({ length: 60 }, (_one, index) => ({
      id: `F${index};1`,
      location: 30,
      size: 1,
    }));
    const directory = toIsoDirectory(rootLocation, records);
    // The tenth record claims to go on behind the sector.
    let at = 0;
    for (let index = 0; index < 10; index += 1) at += directory[at] ?? 0;
    directory[at] = 255;
    directory[at + 32] = 255;
    const result = await readImage(
      build([], { rootBytes: 4096, blocks: { [rootLocation]: directory, 30: block('a') } }),
    );
    expect(toCodes(result)).toEqual(['malformed/structure']);
    expect(result.members.length).toBeLessThan(60);
    expect(result.members.at(-1)?.name).toBe('F59');
  });

  it('reports names that climb', async () => {
    const result = await readImage(
      build([{ id: '../../x;1', location: 30, size: 1 }], { blocks: { 30: block('a') } }),
    );
    expect(result.findings).toMatchObject([{ code: 'malformed/name', incomplete: false }]);
  });

  it('stops at the limit of members, and of levels', async () => {
    const many = Array.from({ length: 40 }, (_one, index) => ({ id: `F${index};1`, location: 30, size: 1 }));
    const cut = await readImage(build(many, { blocks: { 30: block('a') }, rootBytes: 4096 }), 20);
    expect(cut.members).toHaveLength(20);
    expect(toCodes(cut)).toEqual(['limit/members']);

    const levels = Object.fromEntries(
      Array.from({ length: 300 }, (_one, index) => [
        21 + index,
        toIsoDirectory(21 + index, [
          { id: 'D', location: 22 + index, size: 2048, flags: isoFlags.directory },
        ]),
      ]),
    );
    const deep = await readImage(
      build([{ id: 'D', location: 21, size: 2048, flags: isoFlags.directory }], { blocks: levels }),
    );
    expect(toCodes(deep)).toContain('limit/depth');
    expect(deep.reading?.facts.length).toBeGreaterThan(250);
  });

  it('does not take a directory of four gigabytes for its word', async () => {
    const started = performance.now();
    const result = await readImage(build([], { rootBytes: 0xfffff800 }));
    expect(toCodes(result)).toContain('malformed/truncated');
    expect(performance.now() - started).toBeLessThan(2000);
  });

  describe('when it has Rock Ridge fields', () => {
    const entry = (kind: string, data: readonly number[]): Buffer =>
      Buffer.concat([Buffer.from(kind), Buffer.from([4 + data.length, 1]), Buffer.from(data)]);
    const both = (value: number): number[] => {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32LE(value, 0);
      bytes.writeUInt32BE(value, 4);
      return [...bytes];
    };
    /** The root directory; its first record says that SUSP is used, and is longer by that. */
    const toRoot = (records: readonly RecordSpec[]): Buffer => {
      const root = toIsoDirectory(rootLocation, records);
      const own = Buffer.concat([root.subarray(0, 34), Buffer.from([0x53, 0x50, 7, 1, 0xbe, 0xef, 0, 0])]);
      own.writeUInt8(own.length, 0);
      return Buffer.concat([own, root.subarray(34)]).subarray(0, 2048);
    };

    it('ends the chain of a field that goes on in itself', async () => {
      const name = entry('NM', [1, ...Buffer.from('again')]);
      const loop = entry('CE', [...both(30), ...both(0), ...both(100)]);
      const root = toRoot([{ id: 'A;1', location: 31, size: 1, systemUse: loop }]);
      const blocks = { [rootLocation]: root, 30: Buffer.concat([name, loop]), 31: block('a') };
      const result = await readImage(build([], { blocks }));
      expect(result.faults).toBe(0);
      expect(result.members[0]?.name).toMatch(/^(?:again)+$/);
    });

    it('shows a folder that says it was moved, and that nothing points to', async () => {
      const root = toRoot([
        {
          id: 'MOVED',
          location: 21,
          size: 2048,
          flags: isoFlags.directory,
          systemUse: entry('RE', []),
        },
        { id: 'LAST;1', location: 31, size: 1 },
      ]);
      const inside = toIsoDirectory(21, [{ id: 'HIDDEN;1', location: 31, size: 2 }]);
      const result = await readImage(
        build([], { blocks: { [rootLocation]: root, 21: inside, 31: block('a') } }),
      );
      expect(toTexts(result)).toEqual([
        ['LAST', 'a'],
        ['MOVED/HIDDEN', 'aa'],
      ]);
    });

    it('does not let a file hide behind a folder that it stands for', async () => {
      const child = entry('CL', both(21));
      const root = toRoot([{ id: 'DOOR', location: 31, size: 3, systemUse: child }]);
      const inside = toIsoDirectory(21, [{ id: 'ROOM;1', location: 31, size: 1 }]);
      const result = await readImage(
        build([], { blocks: { [rootLocation]: root, 21: inside, 31: block('a') } }),
      );
      expect(toTexts(result)).toEqual([
        ['DOOR/ROOM', 'a'],
        ['DOOR', 'aaa'],
      ]);
    });
  });

  it('is told by 7-Zip what it does not know', async () => {
    const { thrown, reading } = await readImage(build([], { blockSize: 512 }));
    expect(reading).toBeUndefined();
    expect(thrown?.code).toMatch(/^(?:malformed|unsupported)\//);
  });

  it('refuses descriptors without an end', async () => {
    const image = new Uint8Array(0x9000);
    image.set(Buffer.from('CD001'), 0x8001);
    expect((await readImage(image)).thrown?.code).toBe('malformed/header');
  });
});

describe('when a disc image is damaged', () => {
  it('reads 600 damaged copies without a crash or a hang, and is never silent about a cut end', async () => {
    let slowest = 0;
    let faulty = 0;
    const silent: string[] = [];
    // In front of the descriptors is nothing: the damage goes where they and the directories are.
    const head = disc.subarray(0, 0x8000);
    for (const { bytes, description } of mutate(disc.subarray(0x8000), 600, 11)) {
      const started = performance.now();
      const result = await readImage(Buffer.concat([head, bytes]));
      slowest = Math.max(slowest, performance.now() - started);
      if (result.faults > 0) faulty += 1;
      // A file has no checksum here: only what is no longer there can be told.
      else if (description.includes('end@')) silent.push(description);
    }
    expect(slowest).toBeLessThan(2000);
    expect(faulty).toBeGreaterThan(60);
    expect(silent).toEqual([]);
  });
});
