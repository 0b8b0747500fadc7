import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Budget, defaultLimits } from '../../../src/bytes/budget.ts';
import { type ByteSource, joinBytes, toByteSource } from '../../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import type { Format } from '../../../src/formats/model.ts';
import { readWithSevenZip } from '../../../src/formats/sevenzip/index.ts';
import { tryUnpackXzBlock } from '../../../src/formats/xz/block.ts';
import { tryReadPlainXz } from '../../../src/formats/xz/index.ts';
import { tryReadXzLayout, type XzLayout } from '../../../src/formats/xz/layout.ts';
import { crc32 } from '../../../src/platform/inflate.ts';
import { hasTools, runTool } from '../../end-to-end/packing.ts';
import { createRandom, mutate } from '../../mutation.ts';
import { pourAll, type PourOptions, type PourResult, sevenZipFormats } from '../sevenzip-pouring.ts';

const isPossible = hasTools(['xz']);
if (!isPossible) console.warn('SKIPPED: xz files, because xz is not installed');

const work = mkdtempSync(join(tmpdir(), 'telltale-xz-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/**
 * Words, and between them what filters for programs change: calls and jumps with near and far addresses, some of them
 * inside one another.
 */
function makeCode(size: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  while (at + 16 < size) {
    switch (random(7)) {
      case 0:
        at += Buffer.from(bytes.buffer).write(`${random(3000).toString(36)} `, at, 'latin1');
        break;
      case 1:
        bytes[at] = 0xe8 + random(2);
        view.setInt32(at + 1, random(1 << 24) * (random(2) === 0 ? 1 : -1), true);
        at += 1 + random(5);
        break;
      case 2:
        view.setUint32(at - (at % 4), (0xeb00_0000 | random(1 << 24)) >>> 0, true);
        at += 4;
        break;
      case 3:
        view.setUint16(at, 0xf000 | random(1 << 11), true);
        view.setUint16(at + 2, 0xf800 | random(1 << 11), true);
        at += 4 + random(2) * 2;
        break;
      case 4:
        view.setUint32(at - (at % 4), (0x9400_0000 | random(1 << 26)) >>> 0, true);
        at += 4;
        break;
      case 5:
        // PowerPC and SPARC, highest byte first.
        view.setUint32(at - (at % 4), (0x4800_0001 | (random(1 << 24) << 2)) >>> 0, false);
        view.setUint32(at - (at % 4) + 4, (0x4000_0000 | random(1 << 22)) >>> 0, false);
        at += 8;
        break;
      default:
        view.setUint32(at - (at % 4), (0x9000_0000 | random(1 << 29) | (random(4) << 29)) >>> 0, true);
        at += 4;
    }
  }
  return bytes;
}

const code = makeCode(300_000, 1);
const other = makeCode(70_001, 2);

function pack(bytes: Uint8Array, ...options: readonly string[]): Uint8Array {
  return new Uint8Array(runTool('xz', ['-c', ...options], work, bytes));
}

const empty = isPossible ? pack(new Uint8Array(0)) : new Uint8Array(0);

/** The format as it is, and without the reader of ours. */
function toFormats(): { readonly ours: Format; readonly sevenZip: Format } {
  const ours = sevenZipFormats.find(({ id }) => id === 'xz');
  if (ours === undefined) throw new Error('there is no xz');
  const opening = { type: 'xz', soleName: '[decompressed]' };
  return {
    ours,
    sevenZip: { ...ours, read: (source, context) => readWithSevenZip(opening, source, context) },
  };
}

async function pourBoth(
  bytes: Uint8Array,
  options: PourOptions = {},
): Promise<{ readonly ours: PourResult; readonly sevenZip: PourResult }> {
  const formats = toFormats();
  return {
    ours: await pourAll(bytes, options, formats.ours),
    sevenZip: await pourAll(bytes, options, formats.sevenZip),
  };
}

/** What anyone is told. 7-Zip lists no size. */
function toTold({ facts, findings, members, thrown }: PourResult): unknown {
  return {
    facts,
    findings,
    thrown: thrown?.message,
    members: members.map(({ name, size, sha256, finding }) => ({ name, size, sha256, finding })),
  };
}

/** Many times as fast as `toEqual`. */
function isSame(one: Uint8Array, two: Uint8Array): boolean {
  return Buffer.compare(one, two) === 0;
}

const noOther = (): never => expect.unreachable();

function isOurs(bytes: Uint8Array): boolean {
  const context = { budget: new Budget(bytes.length), report: () => expect.unreachable() };
  return tryReadPlainXz(toByteSource(bytes), context, noOther) !== undefined;
}

function readLayout(bytes: Uint8Array): XzLayout {
  const layout = tryReadXzLayout(toByteSource(bytes), new Budget(bytes.length));
  if (layout === undefined) throw new Error('is not read');
  return layout;
}

const switches: readonly (readonly string[])[] = [
  [],
  ['-0'],
  ['-9e'],
  ['-T2', '--block-size=50000'],
  ['-T1', '--block-size=50000'],
  ['-T2', '--block-size=50000', '--check=none'],
  ['--check=none'],
  ['--check=crc32'],
  ['--check=crc64', '--block-size=65536'],
  ['--check=sha256', '--block-size=65536'],
  ['--lzma2=preset=6,dict=4KiB'],
  ['--lzma2=preset=6,lc=0,lp=4,pb=0'],
  ['--lzma2=preset=0,mode=fast,mf=hc3'],
  ['--x86', '--lzma2'],
  ['--arm', '--lzma2'],
  ['--armthumb', '--lzma2'],
  ['--arm64', '--lzma2'],
  ['--powerpc', '--lzma2'],
  ['--sparc', '--lzma2'],
  ['--delta=dist=1', '--lzma2'],
  ['--delta=dist=256', '--lzma2'],
  ['--delta=dist=3', '--x86', '--lzma2'],
  ['--x86', '--delta=dist=4', '--arm64', '--lzma2', '--block-size=33333'],
  ['--block-list=10000,0'],
];

describe.skipIf(!isPossible)('when an xz file is in order', () => {
  it.each(switches.map((options) => [options.join(' '), options] as const))(
    'gives what was packed, and what 7-Zip gives: xz %s',
    async (_name, options) => {
      const bytes = pack(code, ...options);
      expect(isOurs(bytes)).toBe(true);
      const { ours, sevenZip } = await pourBoth(bytes, { keepBytes: true });
      expect(isSame(joinBytes(ours.members[0]?.chunks ?? []), code)).toBe(true);
      expect(toTold(ours)).toEqual(toTold(sevenZip));
      expect(ours.members[0]?.declaredSize).toBe(code.length);
    },
  );

  const [one, two] = isPossible
    ? [pack(code, '--block-size=100000'), pack(other, '--check=crc32')]
    : [empty, empty];
  const zeros = (count: number): Uint8Array => new Uint8Array(count);
  const incompressible = makeNoise(100_000);
  it.each<readonly [string, readonly Uint8Array[], readonly Uint8Array[]]>([
    ['two streams', [one, two], [code, other]],
    ['padding between streams and behind', [one, zeros(8), two, zeros(4)], [code, other]],
    ['much padding', [one, zeros(200_000)], [code]],
    ['a stream of nothing', [empty], []],
    ['streams of nothing around one', [empty, two, empty, zeros(4)], [other]],
    ['one byte', isPossible ? [pack(Uint8Array.of(1))] : [], [Uint8Array.of(1)]],
    ['what does not compress', isPossible ? [pack(incompressible)] : [], [incompressible]],
  ])('gives what was packed, and what 7-Zip gives: %s', async (_name, parts, contents) => {
    const bytes = joinBytes(parts);
    expect(isOurs(bytes)).toBe(true);
    const { ours, sevenZip } = await pourBoth(bytes, { keepBytes: true });
    const expected = joinBytes(contents);
    expect(isSame(joinBytes(ours.members[0]?.chunks ?? []), expected)).toBe(true);
    expect(isSame(runTool('xz', ['-dc'], work, bytes), expected)).toBe(true);
    expect(toTold(ours)).toEqual(toTold(sevenZip));
  });

  it('asks for a second pass, and stops when told to, as 7-Zip does', async () => {
    const full = await pourBoth(one, { membersPerPass: 1 });
    expect(toTold(full.ours)).toEqual(toTold(full.sevenZip));
    expect(full.ours.passes).toEqual(full.sevenZip.passes);
    const limits = { bytesProduced: 150_000 };
    const { ours, sevenZip } = await pourBoth(one, { limits });
    expect(ours.members[0]?.finding).toEqual(sevenZip.members[0]?.finding);
    expect(ours.passes).toEqual(sevenZip.passes);
  });

  it('says that time is up', async () => {
    let now = 0;
    const { ours: format } = toFormats();
    const result = await pourAll(one, { now: () => (now += 1000), limits: { milliseconds: 6000 } }, format);
    expect(result.members[0]?.finding?.code).toBe('limit/time');
  });

  it('has blocks that can be unpacked in any order, as plain data', () => {
    const bytes = joinBytes([one, two]);
    const { blocks, bytes: size } = readLayout(bytes);
    expect(blocks.map((block) => block.bytes)).toEqual([100_000, 100_000, 100_000, 70_001]);
    const output = new Uint8Array(size);
    const source = toByteSource(bytes);
    const budget = new Budget(bytes.length);
    let end = size;
    for (const block of structuredClone(blocks).toReversed()) {
      end -= block.bytes;
      expect(tryUnpackXzBlock(source, block, output.subarray(end, end + block.bytes), budget)).toBe(true);
    }
    expect(isSame(output, joinBytes([code, other]))).toBe(true);
    const damaged = bytes.slice();
    const [, second] = blocks;
    if (second === undefined) expect.unreachable();
    const at = second.offset + 1000;
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    const room = new Uint8Array(second.bytes);
    expect(tryUnpackXzBlock(toByteSource(damaged), second, room, budget)).toBe(false);
    const short = { ...second, bytes: second.bytes - 1 };
    expect(tryUnpackXzBlock(source, short, new Uint8Array(short.bytes), budget)).toBe(false);
  });

  it('takes a dictionary that is larger than memory for no larger than the content', async () => {
    // What the header states is not what was used: 1.5 GiB.
    const bytes = pack(other, '--lzma2=dict=1536MiB');
    const result = await pourAll(bytes, {}, toFormats().ours);
    expect(result.faults).toBe(0);
    expect(result.members[0]?.size).toBe(other.length);
    const limits = { memberBytesInMemory: 1 << 20 };
    const context = { budget: new Budget(bytes.length, { ...defaultLimits, ...limits }), report: () => {} };
    expect(tryReadPlainXz(toByteSource(bytes), context, noOther)).toBeUndefined();
  });
});

function makeNoise(size: number): Uint8Array {
  const random = createRandom(size);
  return Uint8Array.from({ length: size }, () => random(256));
}

/** A copy with a byte changed. */
function flip(bytes: Uint8Array, at: number, bits = 1): Uint8Array {
  const changed = bytes.slice();
  changed[at] = (changed[at] ?? 0) ^ bits;
  return changed;
}

/** Where the index of a file of one stream begins. */
function findIndex(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.length - 12 - (view.getUint32(bytes.length - 8, true) + 1) * 4;
}

/** A copy with a byte changed, and the checksum behind the range made to hold. */
function flipSealed(bytes: Uint8Array, at: number, start: number, end: number, bits = 1): Uint8Array {
  const changed = flip(bytes, at, bits);
  new DataView(changed.buffer).setUint32(end, crc32(changed.subarray(start, end)), true);
  return changed;
}

describe.skipIf(!isPossible)('when headers are out of order, or not understood', () => {
  const bytes = isPossible ? pack(code, '-T2', '--block-size=100000') : empty;
  const index = isPossible ? findIndex(bytes) : 0;
  const header = 12;
  const headerEnd = header + ((bytes[header] ?? 0) + 1) * 4 - 4;
  it.each<readonly [string, Uint8Array]>([
    ['magic', flip(bytes, 1)],
    ['flags of the stream', flip(bytes, 7)],
    ['header of a block', flip(bytes, header + 1)],
    ['index', flip(bytes, index + 2)],
    ['footer', flip(bytes, bytes.length - 3)],
    ['cut', bytes.subarray(0, -4)],
    ['cut in a block', bytes.subarray(0, 20_000)],
    ['data behind', joinBytes([bytes, Uint8Array.of(1, 2, 3, 4)])],
    ['odd padding', joinBytes([bytes, new Uint8Array(3)])],
    ['padding before', joinBytes([new Uint8Array(4), bytes])],
    ['a reserved flag of a block', flipSealed(bytes, header + 1, header, headerEnd, 4)],
    ['another size in the header of a block', flipSealed(bytes, header + 3, header, headerEnd)],
    ['padding in the header of a block', flipSealed(bytes, headerEnd - 1, header, headerEnd)],
    ['a dictionary of no size', flipSealed(bytes, findDictionary(bytes), header, headerEnd, 0x20)],
    ['an index with another number of blocks', flipSealed(bytes, index + 1, index, bytes.length - 16)],
    ['an index with other places', flipSealed(bytes, index + 2, index, bytes.length - 16, 4)],
    ['a filter that is not read', isPossible ? pack(code, '--ia64', '--lzma2') : empty],
  ])('leaves it to 7-Zip: %s', (_name, changed) => {
    expect(isPossible && isOurs(bytes)).toBe(true);
    expect(isOurs(changed)).toBe(false);
  });

  it('leaves noise to 7-Zip, whatever its length', () => {
    for (let size = 0; size < 64; size += 1) expect(isOurs(makeNoise(size))).toBe(false);
    expect(isOurs(new Uint8Array(100_000))).toBe(false);
  });
});

/** Where the header of the first block states the size of the dictionary: behind the identity of LZMA2 and a length. */
function findDictionary(bytes: Uint8Array): number {
  return bytes.indexOf(0x21, 12) + 2;
}

/** The same words, and all bytes that 7-Zip gives before it sees the damage; a few more where we see it later. */
function expectNoLess({ ours, sevenZip }: Awaited<ReturnType<typeof pourBoth>>, description = ''): void {
  const toWords = ({ facts, findings, members }: PourResult): unknown => [
    facts,
    findings,
    members.map(({ finding }) => finding),
  ];
  expect(toWords(ours), description).toEqual(toWords(sevenZip));
  const [mine, theirs] = [ours, sevenZip].map(({ members: [member] }) => joinBytes(member?.chunks ?? []));
  if (mine === undefined || theirs === undefined) expect.unreachable();
  expect(isSame(mine.subarray(0, theirs.length), theirs), description).toBe(true);
}

describe.skipIf(!isPossible)('when damage shows while a block is unpacked', () => {
  for (const [name, options] of [
    ['with sizes in the headers', ['-T2', '--block-size=100000']],
    ['without sizes in the headers', ['-T1', '--block-size=100000', '--check=crc32']],
    ['with a filter', ['--x86', '--lzma2', '--block-size=100000', '--check=sha256']],
  ] as const) {
    const bytes = isPossible ? pack(code, ...options) : empty;
    const second = isPossible ? readLayout(bytes).blocks[1] : undefined;
    const { offset = 0, packedBytes = 0 } = second ?? {};
    const end = offset + packedBytes;
    const index = isPossible ? findIndex(bytes) : 0;
    it.each<readonly [string, Uint8Array]>([
      ['a bit in the middle', flip(bytes, offset + (packedBytes >> 1))],
      ['the first chunk', flip(bytes, offset)],
      ['an end that comes early', flip(bytes, offset, bytes[offset])],
      ['no end', flip(bytes, end - 1)],
      ['the check', flip(bytes, end + (-end & 3))],
      [
        'a size that the index states wrongly',
        flipSealed(bytes, findSecondSize(bytes, index), index, bytes.length - 16),
      ],
    ])(`says what 7-Zip says, ${name}: %s`, async (_name, changed) => {
      expectNoLess(await pourBoth(changed, { keepBytes: true }));
    });
  }

  it('says what is wrong with the source, not with the data', async () => {
    const bytes = pack(code, '--block-size=100000');
    const whole = toByteSource(bytes);
    const [, second] = readLayout(bytes).blocks;
    const broken: ByteSource = {
      size: whole.size,
      read(offset, length) {
        if (offset === second?.offset) throw new TelltaleError('malformed/checksum', 'has a bad sector');
        return whole.read(offset, length);
      },
    };
    const { members } = await pourAll(broken, {}, toFormats().ours);
    expect(members[0]?.size).toBe(100_000);
    expect(members[0]?.finding).toMatchObject({ code: 'malformed/checksum', message: 'has a bad sector' });
  });
});

/** The last byte of the unpacked size in the second record of an index. */
function findSecondSize(bytes: Uint8Array, index: number): number {
  let at = index + 2;
  for (let number = 0; number < 3; number += 1) {
    while ((bytes[at] ?? 0) >= 0x80) at += 1;
    at += 1;
  }
  return at;
}

describe.skipIf(!isPossible)('when a file is mutated', () => {
  const small = makeCode(24_000, 3);
  it.each([
    ['blocks', ['-T2', '--block-size=6000']],
    ['no checks', ['--check=none', '--block-size=6000']],
    ['filters', ['--delta=dist=2', '--x86', '--lzma2', '--block-size=12000']],
  ] as const)('never tells less than 7-Zip, and never breaks: %s', async (_name, options) => {
    const seed = pack(small, ...options);
    let read = 0;
    for (const { bytes, description } of mutate(seed, 120, 7)) {
      if (!isOurs(bytes)) continue;
      read += 1;
      const limits = { milliseconds: 10_000 };
      expectNoLess(await pourBoth(bytes, { limits, keepBytes: true }), description);
    }
    expect(read).toBeGreaterThan(10);
  });
});
