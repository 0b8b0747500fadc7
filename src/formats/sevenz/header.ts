/**
 * Headers of 7z archives, as far as everything in them is in order and known: the database of packed streams, of
 * folders (what is unpacked in one go), and of files.
 *
 * Specification: `7zFormat.txt` of the LZMA SDK (https://www.7-zip.org/sdk.html), and
 * https://py7zr.readthedocs.io/en/latest/archive_format.html. What else is accepted and what is refused follows
 * `CPP/7zip/Archive/7z/7zIn.cpp` of 7-Zip 24.09 (https://github.com/ip7z/7zip), which reads everything that is refused
 * here.
 *
 * Refused: headers with properties that are not known, with additional streams, archive properties or anti items;
 * folders of no file; whatever contradicts itself.
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import { Cursor, toHex } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { crc32 } from '../../platform/inflate.ts';
import type { Decoded } from '../codecs/decoded.ts';
import { decodeLzma2Into, decodeLzmaInto } from '../codecs/lzma.ts';
import { type Coder, type CoderGraph, type Stage, toStage } from './stages.ts';

/** What is unpacked in one go: one file, or in solid archives many. */
export interface Folder {
  readonly stage: Stage;
  /** Sizes and checksums of the files in it, one behind the other. */
  readonly parts: readonly Part[];
}

interface Part {
  readonly size: number;
  readonly crc32: number | undefined;
}

export interface FileRecord {
  readonly name: string;
  readonly isFolder: boolean;
  /** Of Windows in the lower half; the upper one is the mode of Unix where {@link hasUnixMode} is set. */
  readonly attributes: number | undefined;
  /** Whether it is in a folder of the archive; others are empty. */
  readonly hasStream: boolean;
}

export interface ArchiveHeader {
  readonly folders: readonly Folder[];
  /** In stored order: those that have a stream are the parts of the folders, one after the other. */
  readonly files: readonly FileRecord[];
  /** Where the archive ends, in bytes. */
  readonly end: number;
}

/** Most bytes of a header, packed or not: more than a hundred thousand names of usual length. */
const headerBytesMax = 32 * 1024 * 1024;
/** Writers take no larger one than the header is; 7-Zip takes memory for all of it. */
const headerDictionaryBytesMax = 256 * 1024 * 1024;
const magic = '377abcaf271c';
const startBytes = 32;
/** A folder has two coders mostly, and four with BCJ2. */
const codersMax = 8;
/** Sizes are safe to add up below this. */
const sizeMax = 10 ** 15;

const property = {
  end: 0x00,
  header: 0x01,
  mainStreams: 0x04,
  files: 0x05,
  packing: 0x06,
  unpacking: 0x07,
  substreams: 0x08,
  sizes: 0x09,
  checksums: 0x0a,
  folders: 0x0b,
  unpackedSizes: 0x0c,
  substreamCounts: 0x0d,
  emptyStreams: 0x0e,
  emptyFiles: 0x0f,
  antiItems: 0x10,
  names: 0x11,
  creationTimes: 0x12,
  accessTimes: 0x13,
  changeTimes: 0x14,
  attributes: 0x15,
  packedHeader: 0x17,
  padding: 0x19,
} as const;

/**
 * The header of an archive that begins where the source begins.
 *
 * @param filesMax - archives with more files are refused
 * @throws TelltaleError when anything is not in order, or not known
 */
export function readHeader(source: ByteSource, filesMax: number): ArchiveHeader {
  const start = new Cursor(source.read(0, startBytes));
  check(toHex(start.bytes(6)) === magic);
  check(start.u8() === 0);
  start.skip(1);
  const startCrc = start.u32();
  check(crc32(source.read(12, 20)) === startCrc);
  const offset = startBytes + start.u64();
  const size = start.u64();
  const expected = start.u32();
  check(size > 0 && size <= headerBytesMax);
  const bytes = source.read(offset, size);
  check(crc32(bytes) === expected);
  const end = offset + size;
  const cursor = new Cursor(bytes);
  switch (cursor.u8()) {
    case property.header:
      return { ...readDatabase(cursor, offset, filesMax), end };
    case property.packedHeader: {
      const packed = readStreams(cursor, offset);
      check(cursor.remaining === 0);
      const header = new Cursor(unpackHeader(source, packed));
      check(header.u8() === property.header);
      // No stream reaches into the packed header.
      return { ...readDatabase(header, packed.start, filesMax), end };
    }
    default:
      throw refuse();
  }
}

function refuse(): TelltaleError {
  return new TelltaleError('malformed/header', 'has a header that is not as usual');
}

function check(isInOrder: boolean): asserts isInOrder {
  if (!isInOrder) throw refuse();
}

/** The unpacked header; nothing may be wrong with it, not even its end. */
function unpackHeader(source: ByteSource, { folders }: Streams): Uint8Array {
  const [folder, ...others] = folders;
  check(folder?.crc32 !== undefined && others.length === 0);
  const { stage } = folder;
  check((stage.kind === 'lzma' || stage.kind === 'lzma2') && stage.input.kind === 'stored');
  check(Math.max(stage.bytes, stage.input.bytes) <= headerBytesMax);
  check(stage.dictionaryBytes <= headerDictionaryBytesMax);
  const packed = source.read(stage.input.offset, stage.input.bytes);
  const output = new Uint8Array(stage.bytes);
  const { fault, inputBytes } = decodeInto(packed, output, stage);
  check(fault === undefined && crc32(output) === folder.crc32);
  check(inputBytes === packed.length || (stage.kind === 'lzma' && isEndOfLzma(packed, inputBytes, stage)));
  return output;
}

type LzmaStage = Extract<Stage, { readonly kind: 'lzma' | 'lzma2' }>;

function decodeInto(packed: Uint8Array, output: Uint8Array, stage: LzmaStage): Decoded {
  const { dictionaryBytes } = stage;
  return stage.kind === 'lzma'
    ? decodeLzmaInto(packed, output, stage, { dictionaryBytes })
    : decodeLzma2Into(packed, output, { dictionaryBytes });
}

/** Whether there is nothing behind the last symbol but an end marker. */
function isEndOfLzma(packed: Uint8Array, end: number, stage: LzmaStage): boolean {
  // The range coder does without the last byte when no more symbols come; it is zero.
  const isEnd = (at: number): boolean =>
    at === packed.length || (at === packed.length - 1 && packed[at] === 0);
  if (isEnd(end)) return true;
  // With room for more, the decoder comes to the marker.
  const { fault, inputBytes, outputBytes } = decodeInto(packed, new Uint8Array(stage.bytes + 1), stage);
  return fault?.code === 'malformed/size-mismatch' && outputBytes === stage.bytes && isEnd(inputBytes);
}

function readDatabase(
  cursor: Cursor,
  streamsEnd: number,
  filesMax: number,
): Pick<ArchiveHeader, 'folders' | 'files'> {
  let id = cursor.u8();
  let folders: readonly Folder[] = [];
  if (id === property.mainStreams) {
    const streams = readStreams(cursor, streamsEnd);
    check(streams.folders.every(({ parts }) => parts.length > 0));
    folders = streams.folders;
    id = cursor.u8();
  }
  check(id === property.files);
  const files = readFiles(cursor, filesMax);
  check(cursor.u8() === property.end && cursor.remaining === 0);
  const streamed = files.filter(({ hasStream }) => hasStream).length;
  check(streamed === folders.reduce((sum, { parts }) => sum + parts.length, 0));
  return { folders, files };
}

/** The first byte tells by its highest bits how many bytes follow, lowest first; its other bits are the highest. */
function readNumber(cursor: Cursor): number {
  const first = cursor.u8();
  let value = 0;
  let unit = 1;
  for (let mask = 0x80; mask > 0; mask >>= 1) {
    if ((first & mask) === 0) {
      value += (first & (mask - 1)) * unit;
      break;
    }
    value += cursor.u8() * unit;
    unit *= 256;
  }
  check(value <= sizeMax);
  return value;
}

/** A number of things that take a byte each at least. */
function readCount(cursor: Cursor): number {
  const count = readNumber(cursor);
  check(count <= cursor.remaining);
  return count;
}

function readFlags(cursor: Cursor, count: number): readonly boolean[] {
  const bytes = cursor.bytes(Math.ceil(count / 8));
  return Array.from(
    { length: count },
    (_, index) => ((bytes[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0,
  );
}

/** Which of so many are there: all, or those that have a bit. */
function readPresence(cursor: Cursor, count: number): readonly boolean[] {
  return cursor.u8() === 0 ? readFlags(cursor, count) : Array.from({ length: count }, () => true);
}

function readChecksums(cursor: Cursor, count: number): readonly (number | undefined)[] {
  return readPresence(cursor, count).map((isThere) => (isThere ? cursor.u32() : undefined));
}

interface FolderRecord extends Folder {
  /** Over all of it. */
  readonly crc32: number | undefined;
}

interface Streams {
  readonly folders: readonly FolderRecord[];
  /** Where the first packed stream begins, in the archive. */
  readonly start: number;
}

/** @param end - of the room for packed streams, from the start of the archive */
function readStreams(cursor: Cursor, end: number): Streams {
  check(cursor.u8() === property.packing);
  const start = startBytes + readNumber(cursor);
  const packedSizes = readPackedSizes(cursor);
  check(start + packedSizes.reduce((sum, size) => sum + size, 0) <= end);
  check(cursor.u8() === property.unpacking);
  const folders = readFolders(cursor, start, packedSizes);
  const id = cursor.u8();
  if (id === property.end) return { folders, start };
  check(id === property.substreams);
  const divided = readParts(cursor, folders);
  check(cursor.u8() === property.end);
  return { folders: divided, start };
}

function readPackedSizes(cursor: Cursor): readonly number[] {
  const count = readCount(cursor);
  check(cursor.u8() === property.sizes);
  const sizes = Array.from({ length: count }, () => readNumber(cursor));
  let id = cursor.u8();
  if (id === property.checksums) {
    // Nobody checks them.
    readChecksums(cursor, count);
    id = cursor.u8();
  }
  check(id === property.end);
  return sizes;
}

function readFolders(cursor: Cursor, start: number, packedSizes: readonly number[]): readonly FolderRecord[] {
  check(cursor.u8() === property.folders);
  const count = readCount(cursor);
  check(cursor.u8() === 0);
  const graphs = Array.from({ length: count }, () => readGraph(cursor));
  check(cursor.u8() === property.unpackedSizes);
  const sizes = graphs.map(({ coders }) => coders.map(() => readNumber(cursor)));
  let id = cursor.u8();
  let checksums: readonly (number | undefined)[] = [];
  if (id === property.checksums) {
    checksums = readChecksums(cursor, count);
    id = cursor.u8();
  }
  check(id === property.end);
  let next = 0;
  let offset = start;
  const folders = graphs.map((graph, index): FolderRecord => {
    const packed = graph.packed.map((input) => {
      const bytes = packedSizes[next];
      check(bytes !== undefined);
      next += 1;
      offset += bytes;
      return { input, offset: offset - bytes, bytes };
    });
    const stage = toStage(graph, packed, sizes[index] ?? []);
    check(stage !== undefined);
    return { stage, crc32: checksums[index], parts: [] };
  });
  check(next === packedSizes.length);
  return folders;
}

/** What a folder is packed with: coders, which input of one is which output of another, and the packed inputs. */
function readGraph(cursor: Cursor): CoderGraph {
  const count = readNumber(cursor);
  check(count > 0 && count <= codersMax);
  const coders = Array.from({ length: count }, () => readCoder(cursor));
  const inputs = coders.reduce((sum, coder) => sum + coder.inputs, 0);
  const bonds = Array.from({ length: count - 1 }, () => ({
    input: readNumber(cursor),
    coder: readNumber(cursor),
  }));
  const packedCount = inputs - bonds.length;
  check(packedCount > 0);
  if (packedCount > 1)
    return { coders, bonds, packed: Array.from({ length: packedCount }, () => readNumber(cursor)) };
  const bound = new Set(bonds.map(({ input }) => input));
  const packed = Array.from({ length: inputs }, (_, input) => input).filter((input) => !bound.has(input));
  return { coders, bonds, packed };
}

function readCoder(cursor: Cursor): Coder {
  const flags = cursor.u8();
  check((flags & 0xc0) === 0);
  let method = 0;
  for (const byte of cursor.bytes(flags & 0x0f)) method = method * 256 + byte;
  check(Number.isSafeInteger(method));
  let inputs = 1;
  if ((flags & 0x10) !== 0) {
    inputs = readNumber(cursor);
    check(inputs > 0 && inputs <= codersMax && readNumber(cursor) === 1);
  }
  const properties = (flags & 0x20) === 0 ? new Uint8Array(0) : cursor.bytes(readCount(cursor)).slice();
  return { method, inputs, properties };
}

/** Divides the folders into the files in them. */
function readParts(cursor: Cursor, folders: readonly FolderRecord[]): readonly FolderRecord[] {
  let id = cursor.u8();
  let counts: readonly number[] = folders.map(() => 1);
  if (id === property.substreamCounts) {
    counts = folders.map(() => readNumber(cursor));
    id = cursor.u8();
  }
  const isDivided = id === property.sizes;
  const sizes = folders.map(({ stage }, index) => {
    const count = counts[index] ?? 0;
    check(count === 1 || (isDivided && count > 0 && count <= cursor.remaining + 1));
    const listed = Array.from({ length: count - 1 }, () => readNumber(cursor));
    const rest = listed.reduce((left, size) => left - size, stage.bytes);
    check(rest >= 0);
    return [...listed, rest];
  });
  if (isDivided) id = cursor.u8();
  const isKnown = folders.map((folder, index) => counts[index] === 1 && folder.crc32 !== undefined);
  let checksums: readonly (number | undefined)[] = [];
  if (id === property.checksums) {
    const missing = sizes.reduce(
      (sum, { length }, index) => (isKnown[index] === true ? sum : sum + length),
      0,
    );
    checksums = readChecksums(cursor, missing);
    id = cursor.u8();
  }
  check(id === property.end);
  let next = 0;
  return folders.map((folder, index) => ({
    ...folder,
    parts: (sizes[index] ?? []).map((size): Part => {
      if (isKnown[index] === true) return { size, crc32: folder.crc32 };
      next += 1;
      return { size, crc32: checksums[next - 1] };
    }),
  }));
}

function readFiles(cursor: Cursor, filesMax: number): readonly FileRecord[] {
  const count = readCount(cursor);
  check(count > 0 && count <= filesMax);
  const none: readonly boolean[] = [];
  const seen = new Set<number>();
  let names: readonly string[] | undefined;
  let attributes: readonly (number | undefined)[] = [];
  let isEmpty = none;
  let emptyCount = 0;
  let isEmptyFile = none;
  for (let id = cursor.u8(); id !== property.end; id = cursor.u8()) {
    const record = new Cursor(cursor.bytes(readNumber(cursor)));
    check(!seen.has(id) || id === property.padding);
    seen.add(id);
    switch (id) {
      case property.names:
        check(record.u8() === 0);
        names = readNames(record, count);
        break;
      case property.attributes: {
        const presence = readPresence(record, count);
        check(record.u8() === 0);
        attributes = presence.map((isThere) => (isThere ? record.u32() : undefined));
        break;
      }
      case property.emptyStreams:
        isEmpty = readFlags(record, count);
        emptyCount = isEmpty.filter(Boolean).length;
        break;
      case property.emptyFiles:
        isEmptyFile = readFlags(record, emptyCount);
        break;
      case property.antiItems:
        check(!readFlags(record, emptyCount).includes(true));
        break;
      case property.creationTimes:
      case property.accessTimes:
      case property.changeTimes: {
        const there = readPresence(record, count).filter(Boolean).length;
        check(record.u8() === 0);
        record.skip(there * 8);
        break;
      }
      case property.padding:
        check(record.bytes(record.remaining).every((byte) => byte === 0));
        break;
      default:
        throw refuse();
    }
    check(record.remaining === 0);
  }
  check(names !== undefined);
  let empties = 0;
  return names.map((name, index): FileRecord => {
    const hasStream = isEmpty[index] !== true;
    if (!hasStream) empties += 1;
    const isFolder = !hasStream && isEmptyFile[empties - 1] !== true;
    return { name, isFolder, attributes: attributes[index], hasStream };
  });
}

/** Texts in UTF-16, each with a zero behind it. */
function readNames(cursor: Cursor, count: number): readonly string[] {
  const bytes = cursor.bytes(cursor.remaining);
  let text: string;
  try {
    text = new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Halves of characters.
    throw refuse();
  }
  const names = text.split('\0');
  check(names.length === count + 1 && names.at(-1) === '');
  return names.slice(0, count);
}
