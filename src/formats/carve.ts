/**
 * Carving: finds files that lie inside bytes which no format explained, by their structure. A wrapper that nobody
 * knows is thus still opened. A start counts only when its header holds together: a magic number alone is everywhere.
 *
 * Found: portable executables (NSIS and Inno Setup installers with their data), OLE compound files, cabinets, ZIP, 7z
 * and RAR archives, NSIS data.
 * Not found: anything that is compressed or encrypted as a whole; such regions are listed with size and entropy.
 */
import { type ByteSource, readUpTo, sliceSource } from '../bytes/byte-source.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { type MarkPlaces, noMarks } from '../bytes/mark-places.ts';
import type { Member, ReadContext } from './model.ts';
import { directoryIndex } from './pe/image.ts';
import { parsePe } from './pe/parse.ts';
import { crc32 } from '../platform/inflate.ts';

/** A part of an artifact, in bytes from its start. */
export interface ByteRange {
  readonly offset: number;
  readonly size: number;
}

const chunkBytes = 1 << 20;
/** The longest header that a check wants to see. */
const headerBytes = 512;
/** Smaller remainders hold no program worth the name. */
const smallestBytes = 64;

/** Methods that have a number in APPNOTE.TXT 4.4.5 and are in use. */
const zipMethods: ReadonlySet<number> = new Set([0, 1, 6, 8, 9, 10, 12, 14, 93, 95, 96, 97, 98, 99]);
/** All flags of the first header, https://github.com/kichik/nsis/blob/master/Source/exehead/fileform.h */
const nsisFlagsMax = 0x1f;

/** A file format that can be found in the middle of something else. */
interface Pattern {
  readonly name: string;
  /** First bytes. */
  readonly magic: readonly number[];
  /** How far before the magic the file starts. */
  readonly lead?: number;
  /**
   * Whether the header holds together, and how many bytes the file has.
   *
   * @param rest - from the start of the file to the end of the region
   * @returns its size in bytes, `rest.size` where only the format itself can tell, or undefined when it is none
   */
  measure(rest: ByteSource): number | undefined;
}

const toBytes = (text: string): readonly number[] => Array.from(text, (character) => character.charCodeAt(0));

function toView(source: ByteSource, length: number): DataView | undefined {
  const bytes = readUpTo(source, 0, length);
  return bytes.length < length ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** `MZ` */
const programMagic = [0x4d, 0x5a] as const;

const patterns: readonly Pattern[] = [
  {
    name: 'program',
    magic: programMagic,
    measure(rest) {
      const view = toView(rest, 0x40);
      if (view === undefined) return undefined;
      const peOffset = view.getUint32(0x3c, true);
      const isPlausible = peOffset >= peOffsetRange.least && peOffset <= peOffsetRange.most;
      if (!isPlausible || peOffset + 0x18 > rest.size) return undefined;
      const signature = rest.read(peOffset, 4);
      if (signature[0] !== 0x50 || signature[1] !== 0x45 || signature[2] !== 0 || signature[3] !== 0)
        return undefined;
      try {
        // Faults of the carved program are told when it is read as a member.
        const { declaredEnd, sections, directories } = parsePe(rest, () => undefined);
        if (sections.length === 0) return undefined;
        // Behind a certificate table nothing belongs to the program. Without one, the data of an installer may follow.
        const isSigned = (directories[directoryIndex.certificate]?.size ?? 0) > 0;
        const end = Math.min(rest.size, Math.max(declaredEnd, 0x200));
        return !isSigned && hasInstallerData(rest, end) ? rest.size : end;
      } catch (error) {
        if (error instanceof TelltaleError) return undefined;
        throw error;
      }
    },
  },
  {
    name: 'compound file',
    magic: [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1],
    measure(rest) {
      const view = toView(rest, 512);
      // Byte order mark and sector shift of [MS-CFB] 2.2.
      const shift = view?.getUint16(0x1e, true);
      return view?.getUint16(0x1c, true) === 0xfffe && (shift === 9 || shift === 12) ? rest.size : undefined;
    },
  },
  {
    name: 'cabinet',
    magic: toBytes('MSCF\0\0\0\0'),
    measure(rest) {
      const view = toView(rest, 36);
      if (view === undefined) return undefined;
      const size = view.getUint32(8, true);
      const isVersion = view.getUint8(25) === 1 && view.getUint8(24) <= 3;
      return isVersion && size >= 36 ? Math.min(size, rest.size) : undefined;
    },
  },
  {
    name: 'ZIP archive',
    magic: [0x50, 0x4b, 3, 4],
    measure(rest) {
      const view = toView(rest, 30);
      if (view === undefined) return undefined;
      const version = view.getUint16(4, true) & 0xff;
      const method = view.getUint16(8, true);
      const nameLength = view.getUint16(26, true);
      const isPlausible =
        version >= 10 && version <= 63 && zipMethods.has(method) && nameLength > 0 && nameLength < 1024;
      // The same four bytes stand in every program that reads such archives; a name behind them does not.
      const name = readUpTo(rest, 30, nameLength);
      const isName = name.length === nameLength && name.every((byte) => byte >= 0x20 && byte !== 0x7f);
      return isPlausible && isName ? rest.size : undefined;
    },
  },
  {
    name: '7z archive',
    magic: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c],
    measure(rest) {
      const view = toView(rest, 32);
      if (view === undefined || view.getUint32(8, true) !== crc32(rest.read(12, 20))) return undefined;
      const end = 32 + Number(view.getBigUint64(12, true)) + Number(view.getBigUint64(20, true));
      return end > rest.size ? rest.size : end;
    },
  },
  {
    name: 'RAR archive',
    magic: toBytes('Rar!\x1a\x07'),
    measure: ({ size }) => (size > 20 ? size : undefined),
  },
  {
    name: 'NSIS data',
    magic: [0xef, 0xbe, 0xad, 0xde, ...toBytes('NullsoftInst')],
    lead: 4,
    measure(rest) {
      // Flags, the two marks, then the length of the header and of everything; programs that read NSIS have the marks.
      const view = toView(rest, 28);
      if (view === undefined || view.getUint32(0, true) > nsisFlagsMax) return undefined;
      return view.getInt32(20, true) > 0 && view.getInt32(24, true) > 0 ? rest.size : undefined;
    },
  },
  {
    name: 'Inno Setup data',
    magic: toBytes('zlb\x1a'),
    measure: ({ size }) => (size > 64 ? size : undefined),
  },
];

/** How far behind the sections of a program the data of an installer begins. */
const installerDataGapBytes = 512;
const installerMagics = [
  '\xef\xbe\xad\xdeNullsoftInst',
  'zlb\x1a',
  'idska32\x1a',
  '7z\xbc\xaf\x27\x1c',
  'Rar!\x1a\x07',
].map(toBytes);

function hasInstallerData(rest: ByteSource, end: number): boolean {
  const behind = readUpTo(rest, end, installerDataGapBytes + 16);
  for (let at = 0; at < Math.min(behind.length, installerDataGapBytes); at += 1) {
    if (installerMagics.some((magic) => startsWith(behind, at, magic))) return true;
  }
  return false;
}

const programPattern = patterns.find(({ name }) => name === 'program');
const peSignature = toBytes('PE\0\0');
/** Where `MZ` may stand before the signature. */
const peOffsetRange = { least: 0x40, most: 0x1000 };

/**
 * Bytes to look for while the artifact is read for other reasons, so that it is not read once more. `MZ` is everywhere:
 * a program is found by its PE signature, whose place the header at `MZ` states.
 */
export const carveMarks: readonly Uint8Array[] = patterns.map((pattern) =>
  Uint8Array.from(pattern === programPattern ? peSignature : pattern.magic),
);

const patternsByFirstByte = new Map<number, readonly Pattern[]>();
for (const pattern of patterns) {
  const first = pattern.magic[0] ?? 0;
  patternsByFirstByte.set(first, [...(patternsByFirstByte.get(first) ?? []), pattern]);
}
const isFirstByte = new Uint8Array(256);
for (const first of patternsByFirstByte.keys()) isFirstByte[first] = 1;

/**
 * The ranges of an artifact that none of the given ones covers, in order.
 *
 * @param explained - in any order, overlapping or not
 */
export function findUnexplained(size: number, explained: readonly ByteRange[]): readonly ByteRange[] {
  const gaps: ByteRange[] = [];
  let at = 0;
  for (const { offset, size: length } of explained.toSorted((a, b) => a.offset - b.offset)) {
    if (offset > at) gaps.push({ offset: at, size: Math.min(offset, size) - at });
    at = Math.max(at, offset + length);
    if (at >= size) break;
  }
  if (at < size) gaps.push({ offset: at, size: size - at });
  return gaps.filter((gap) => gap.size >= smallestBytes);
}

/**
 * Files that begin inside the given ranges, in order. A file that is found is not searched again here: it is a member,
 * and whatever reads it looks inside.
 *
 * @param traces - where {@link carveMarks} stand in the source; without, the ranges are searched for them
 */
export function* carve(
  source: ByteSource,
  ranges: readonly ByteRange[],
  context: ReadContext,
  traces: MarkPlaces = noMarks,
): Generator<Member> {
  const starts = toStarts(source, traces, context);
  let passed = 0;
  for (const { offset, size } of ranges) {
    const region = sliceSource(source, offset, size);
    let at = 0;
    while (at < region.size) {
      context.budget.checkTime();
      let found: Found | undefined;
      for (; found === undefined && passed < starts.length; passed += 1) {
        const start = starts[passed];
        if (start === undefined || start.offset >= offset + size) break;
        if (start.offset >= offset + at) found = tryStart(region, start.offset - offset, start.pattern);
      }
      found ??= findNext(region, Math.max(at, traces.end - peOffsetRange.most - offset));
      if (found === undefined) break;
      const start = offset + found.offset;
      yield {
        name: `[carved ${found.pattern.name} at 0x${start.toString(16)}]`,
        relation: 'part',
        content: { kind: 'source', source: sliceSource(source, start, found.size), containerOffset: start },
      };
      at = found.offset + found.size;
    }
  }
}

interface Found extends ByteRange {
  readonly pattern: Pattern;
}

interface Start {
  /** From the start of the artifact. */
  readonly offset: number;
  readonly pattern: Pattern;
}

/** Where files may begin by the traces of them, in rising order. */
function toStarts(source: ByteSource, traces: MarkPlaces, { budget }: ReadContext): readonly Start[] {
  const starts: Start[] = [];
  for (const [mark, offset] of traces.found) {
    budget.checkTime();
    const pattern = patterns[mark];
    if (pattern === undefined) continue;
    if (pattern === programPattern) {
      for (const start of findProgramStarts(source, offset)) starts.push({ offset: start, pattern });
    } else if (offset >= (pattern.lead ?? 0)) starts.push({ offset: offset - (pattern.lead ?? 0), pattern });
  }
  return starts.sort((a, b) => a.offset - b.offset);
}

/** Places of `MZ` whose header says that the PE signature stands where it does. */
function* findProgramStarts(source: ByteSource, signatureOffset: number): Generator<number> {
  const from = Math.max(0, signatureOffset - peOffsetRange.most);
  const before = readUpTo(source, from, signatureOffset - from);
  const view = new DataView(before.buffer, before.byteOffset, before.byteLength);
  for (let at = before.indexOf(programMagic[0]); at >= 0; at = before.indexOf(programMagic[0], at + 1)) {
    if (at + peOffsetRange.least > before.length) return;
    if (before[at + 1] === programMagic[1] && view.getUint32(at + 0x3c, true) === before.length - at)
      yield from + at;
  }
}

/** The file that begins where a trace of it stands. */
function tryStart(region: ByteSource, start: number, pattern: Pattern): Found | undefined {
  const head = readUpTo(region, start + (pattern.lead ?? 0), pattern.magic.length);
  return startsWith(head, 0, pattern.magic) ? tryMeasure(region, start, pattern) : undefined;
}

/** The file that begins at an offset, behind which the magic number of a pattern was seen. */
function tryMeasure(region: ByteSource, start: number, pattern: Pattern): Found | undefined {
  const size = pattern.measure(sliceSource(region, start, region.size - start));
  // The region as a whole is what is being read already.
  if (size === undefined || size < smallestBytes || (start === 0 && size === region.size)) return undefined;
  return { pattern, offset: start, size };
}

/** The first file that begins at or behind an offset of a region. */
function findNext(region: ByteSource, from: number): Found | undefined {
  for (let chunkStart = from; chunkStart < region.size; chunkStart += chunkBytes) {
    // The chunk overlaps the next one by a header, so that a magic number on the border is seen.
    const chunk = readUpTo(region, chunkStart, chunkBytes + headerBytes);
    const end = Math.min(chunk.length, chunkBytes);
    for (let index = 0; index < end; index += 1) {
      const first = chunk[index] ?? 0;
      if (isFirstByte[first] === 0) continue;
      for (const pattern of patternsByFirstByte.get(first) ?? []) {
        const start = chunkStart + index - (pattern.lead ?? 0);
        if (start < from || !startsWith(chunk, index, pattern.magic)) continue;
        const found = tryMeasure(region, start, pattern);
        if (found !== undefined) return found;
      }
    }
  }
  return undefined;
}

function startsWith(bytes: Uint8Array, at: number, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[at + index] === byte);
}
