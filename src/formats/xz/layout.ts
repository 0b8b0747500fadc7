/**
 * How an xz file is laid out: its streams, and the blocks in them, as the index at the end of each stream tells.
 *
 * Specification: https://tukaani.org/xz/xz-file-format.txt; the numbers of sections are those of version 1.2.0.
 */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { crc32 } from '../../platform/inflate.ts';
import type { BranchKind } from '../codecs/branch-filter.ts';
import { tryToLzma2DictionaryBytes } from '../codecs/lzma-core.ts';
import { tryInOrder } from '../sevenzip/in-order.ts';

export type XzCheck = 'none' | 'crc32' | 'crc64' | 'sha256';

/** What is to be undone behind LZMA2. */
export type XzFilter =
  | { readonly kind: 'branch'; readonly of: BranchKind }
  | { readonly kind: 'delta'; readonly distance: number };

/** One block, which is unpacked without any other. Plain data: it may be handed to another thread. */
export interface XzBlock {
  /** Of the packed bytes in the container. */
  readonly offset: number;
  readonly packedBytes: number;
  /** Unpacked, as the index says. */
  readonly bytes: number;
  readonly dictionaryBytes: number;
  /** In the order in which they are undone. */
  readonly filters: readonly XzFilter[];
  readonly check: XzCheck;
}

export interface XzLayout {
  /** In stored order, of all streams. */
  readonly blocks: readonly XzBlock[];
  /** Unpacked, as the indexes say. */
  readonly bytes: number;
}

const streamHeaderBytes = 12;
const indexBytesMax = 4 * 1024 * 1024;
/** `xz -T0` makes one for each 24 MiB. */
const blocksMax = 65_536;
const streamsMax = 4096;
const blocksBetweenTimeChecks = 256;
const paddingChunkBytes = 64 * 1024;

/** Section 2.1.1.2. Others are reserved, with sizes of their own. */
const checks: ReadonlyMap<number, XzCheck> = new Map([
  [0x00, 'none'],
  [0x01, 'crc32'],
  [0x04, 'crc64'],
  [0x0a, 'sha256'],
]);
export const checkBytes: Readonly<Record<XzCheck, number>> = { none: 0, crc32: 4, crc64: 8, sha256: 32 };

const lzma2Id = 0x21;
const deltaId = 0x03;
const branchIds: ReadonlyMap<number, BranchKind> = new Map([
  [0x04, 'x86'],
  [0x05, 'powerpc'],
  [0x07, 'arm'],
  [0x08, 'arm-thumb'],
  [0x09, 'sparc'],
  [0x0a, 'arm64'],
]);

/**
 * The layout of a file in which all headers and indexes are whole, agree, and need nothing but the filters named here;
 * undefined for all others.
 *
 * @throws TelltaleError `limit/time`
 */
export function tryReadXzLayout(source: ByteSource, budget: Budget): XzLayout | undefined {
  return tryInOrder(() => readStreams(source, budget));
}

/** From the end to the start, because only the end of a stream says how long it is. */
function readStreams(source: ByteSource, budget: Budget): XzLayout | undefined {
  const streams: (readonly XzBlock[])[] = [];
  let blockCount = 0;
  let end = source.size;
  while (end > 0) {
    end = skipPadding(source, end, budget);
    const stream = tryReadStream(source, end, budget);
    if (stream === undefined || streams.length === streamsMax) return undefined;
    blockCount += stream.blocks.length;
    if (blockCount > blocksMax) return undefined;
    streams.push(stream.blocks);
    end = stream.start;
  }
  if (streams.length === 0) return undefined;
  const blocks = streams.toReversed().flat();
  const bytes = blocks.reduce((sum, block) => sum + block.bytes, 0);
  return Number.isSafeInteger(bytes) ? { blocks, bytes } : undefined;
}

/** Section 2.2: zeros, four at a time. @returns where they begin; 0 where there is nothing else */
function skipPadding(source: ByteSource, from: number, budget: Budget): number {
  let end = from;
  while (end > 0) {
    const chunk = readUpTo(source, Math.max(0, end - paddingChunkBytes), Math.min(end, paddingChunkBytes));
    const zeros = chunk.length - 1 - chunk.findLastIndex((byte) => byte !== 0);
    end -= zeros - (zeros % 4);
    if (zeros < chunk.length) break;
    budget.checkTime();
  }
  return end;
}

interface Stream {
  readonly start: number;
  readonly blocks: readonly XzBlock[];
}

function tryReadStream(source: ByteSource, end: number, budget: Budget): Stream | undefined {
  const footer = new Cursor(source.read(end - streamHeaderBytes, streamHeaderBytes));
  const sum = footer.u32();
  const fields = footer.bytes(6);
  if (sum !== crc32(fields) || footer.u16() !== 0x5a59) return undefined;
  const [backward, flags] = [new Cursor(fields), fields.subarray(4)];
  const indexBytes = (backward.u32() + 1) * 4;
  const check = flags[0] === 0 ? checks.get(flags[1] ?? 0) : undefined;
  if (check === undefined || indexBytes > indexBytesMax) return undefined;
  const indexAt = end - streamHeaderBytes - indexBytes;
  const records = tryReadIndex(source.read(indexAt, indexBytes));
  if (records === undefined) return undefined;
  const start =
    records.reduce((at, { unpaddedBytes }) => at - toWhole(unpaddedBytes), indexAt) - streamHeaderBytes;
  if (!hasHeader(source.read(start, streamHeaderBytes), flags)) return undefined;

  const blocks: XzBlock[] = [];
  let at = start + streamHeaderBytes;
  for (const record of records) {
    if (blocks.length % blocksBetweenTimeChecks === 0) budget.checkTime();
    const block = tryReadBlockHeader(source, at, record, check);
    if (block === undefined) return undefined;
    blocks.push(block);
    at += toWhole(record.unpaddedBytes);
  }
  return { start, blocks };
}

/** Section 2.1.1. */
function hasHeader(header: Uint8Array, flags: Uint8Array): boolean {
  const magic = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
  return (
    magic.every((byte, index) => header[index] === byte) &&
    flags.every((byte, index) => header[6 + index] === byte) &&
    new Cursor(header, 8).u32() === crc32(header.subarray(6, 8))
  );
}

/** A record of the index. */
interface IndexRecord {
  /** Of the header of the block, its packed bytes and its check. */
  readonly unpaddedBytes: number;
  readonly bytes: number;
}

/** Section 4. */
function tryReadIndex(index: Uint8Array): readonly IndexRecord[] | undefined {
  const cursor = new Cursor(index);
  if (cursor.u8() !== 0) return undefined;
  const count = readNumber(cursor);
  if (count > blocksMax) return undefined;
  const records: IndexRecord[] = [];
  for (let left = count; left > 0; left -= 1)
    records.push({ unpaddedBytes: readNumber(cursor), bytes: readNumber(cursor) });
  const padding = cursor.bytes(toWhole(cursor.offset) - cursor.offset);
  const isInOrder =
    cursor.offset === index.length - 4 &&
    padding.every((byte) => byte === 0) &&
    cursor.u32() === crc32(index.subarray(0, -4));
  return isInOrder ? records : undefined;
}

/** Section 3.1. */
function tryReadBlockHeader(
  source: ByteSource,
  at: number,
  { unpaddedBytes, bytes }: IndexRecord,
  check: XzCheck,
): XzBlock | undefined {
  const size = (new Cursor(source.read(at, 1)).u8() + 1) * 4;
  const header = source.read(at, size);
  // A size of zero would be that of an index.
  if (size === 4 || new Cursor(header, size - 4).u32() !== crc32(header.subarray(0, -4))) return undefined;
  const cursor = new Cursor(header.subarray(0, -4), 1);
  const flags = cursor.u8();
  if ((flags & 0x3c) !== 0) return undefined;
  const packedBytes = unpaddedBytes - size - checkBytes[check];
  if (packedBytes <= 0) return undefined;
  if ((flags & 0x40) !== 0 && readNumber(cursor) !== packedBytes) return undefined;
  if ((flags & 0x80) !== 0 && readNumber(cursor) !== bytes) return undefined;

  const filters: XzFilter[] = [];
  for (let left = flags & 0x03; left > 0; left -= 1) {
    const filter = tryToFilter(readNumber(cursor), cursor.bytes(readNumber(cursor)));
    if (filter === undefined) return undefined;
    // Undone in the opposite order.
    filters.unshift(filter);
  }
  if (readNumber(cursor) !== lzma2Id || readNumber(cursor) !== 1) return undefined;
  // Section 5.3.1.
  const dictionaryBytes = tryToLzma2DictionaryBytes(cursor.u8());
  if (dictionaryBytes === undefined || cursor.bytes(cursor.remaining).some((byte) => byte !== 0))
    return undefined;
  return {
    offset: at + size,
    packedBytes,
    bytes,
    dictionaryBytes,
    filters,
    check,
  };
}

function tryToFilter(id: number, properties: Uint8Array): XzFilter | undefined {
  if (id === deltaId) {
    return properties.length === 1 ? { kind: 'delta', distance: (properties[0] ?? 0) + 1 } : undefined;
  }
  const of = branchIds.get(id);
  // The place of the first byte, which no program writes.
  return of === undefined || properties.some((byte) => byte !== 0) || properties.length % 4 !== 0
    ? undefined
    : { kind: 'branch', of };
}

/** Section 1.2: seven bits a byte, the lowest first. @throws TelltaleError `malformed/header` */
function readNumber(cursor: Cursor): number {
  let value = 0;
  for (let place = 0; place < 9; place += 1) {
    const byte = cursor.u8();
    value += (byte & 0x7f) * 2 ** (7 * place);
    if (byte < 0x80) {
      if ((byte === 0 && place > 0) || !Number.isSafeInteger(value)) break;
      return value;
    }
  }
  throw new TelltaleError('malformed/header', 'holds a number that is none', { offset: cursor.offset });
}

/** Rounded up to a multiple of four. */
function toWhole(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}
