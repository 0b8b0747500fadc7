/**
 * The structure of an Apple disk image (UDIF): the trailer, the property list with a block table for each partition, and
 * what the tables say. All numbers are big-endian.
 *
 * References: https://newosxbook.com/DMG.html, https://github.com/apple-oss-distributions (none of it describes the
 * format officially), 7-Zip's DmgHandler.
 */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, sliceSource } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { crc32 } from '../../platform/inflate.ts';
import { parsePlist, plistBytesLimit, type PlistValue, tryGet } from '../plist.ts';
import { endsAsDiskImage, udifTrailerBytes } from '../recognised.ts';

export const udifSectorBytes = 512;
/** Images have chunks of 256 KiB or 1 MiB; a larger one would have to be kept in memory. */
const chunkBytesMax = 16 * 1024 * 1024;
/** 4 PiB. */
const sectorsMax = 2 ** 43;
const tableHeaderBytes = 204;
const chunkEntryBytes = 40;
const crcType = 2;

const kind = { zero: 0, raw: 1, ignored: 2, zlib: 0x80000005, comment: 0x7ffffffe, end: 0xffffffff } as const;

/** A checksum as the image has it; undefined when it is of another kind than CRC-32, or none. */
export type StatedCrc = number | undefined;

/** One run of sectors; `ignored` reads as zero and is in no checksum. */
export interface UdifChunk {
  readonly kind: 'zero' | 'ignored' | 'raw' | 'zlib';
  /** Where it begins in the partition, and how long it is, in bytes. */
  readonly start: number;
  readonly size: number;
  /** Where its packed bytes lie in the file. */
  readonly offset: number;
  readonly packedBytes: number;
}

/** A partition that can be read here. */
export interface UdifTable {
  /** In order, without gaps. */
  readonly chunks: readonly UdifChunk[];
  readonly size: number;
  readonly crc: StatedCrc;
}

export interface UdifImage {
  /** The one partition that holds files. */
  readonly table: UdifTable;
  /** All packed data of the image. */
  readonly packed: ByteSource;
  /** Of all packed data. */
  readonly packedCrc: StatedCrc;
}

const malformed = (message: string, offset?: number): TelltaleError =>
  new TelltaleError('malformed/structure', message, offset === undefined ? {} : { offset });
const unsupported = (message: string): TelltaleError => new TelltaleError('unsupported/feature', message);

/** Kinds of partitions that hold files; everything else that is known does not. */
const volumeNames = /Apple_(?:HFS|HFSX|UFS|APFS|ISO)/;
const otherNames =
  /C12A7328-F81F-11D2-BA4B-00A0C93EC93B|Apple_Free|DDM|Apple_partition_map| GPT |MBR|Driver|Patches/;

/** Whether a partition of this name may hold files. */
function mayHoldFiles(name: string): boolean {
  return volumeNames.test(name) || !otherNames.test(name);
}

/** A checksum field: kind, bits, and room for 1,024 bits. */
function readChecksum(cursor: Cursor): { readonly crc: StatedCrc; readonly bytes: Uint8Array } {
  const type = cursor.u32be();
  const bits = cursor.u32be();
  const bytes = cursor.bytes(128);
  if (bits > 1024 || bits % 8 !== 0) throw malformed('states a checksum of an impossible length');
  const crc = type === crcType && bits === 32 ? new Cursor(bytes).u32be() : undefined;
  return { crc, bytes: bytes.subarray(0, bits / 8) };
}

interface NamedTable {
  readonly name: string;
  readonly data: Uint8Array;
}

/** @throws TelltaleError `malformed/structure` */
function listTables(plist: PlistValue): readonly NamedTable[] {
  const list = tryGet(plist, 'resource-fork', 'blkx');
  if (list?.kind !== 'array') throw malformed('has a property list without block tables');
  return list.items.map((item) => {
    const data = tryGet(item, 'Data');
    if (data?.kind !== 'data') throw malformed('has a block table without data');
    const names = [tryGet(item, 'Name'), tryGet(item, 'CFName')];
    const name = names.find((value) => value?.kind === 'string' && value.value !== '');
    return { name: name?.kind === 'string' ? name.value : '', data: data.value };
  });
}

interface TableHeader {
  readonly firstSector: number;
  readonly sectors: number;
  readonly checksum: ReturnType<typeof readChecksum>;
}

function readTableHeader(data: Uint8Array): TableHeader {
  const cursor = new Cursor(data);
  if (cursor.u32be() !== 0x6d697368 || cursor.u32be() !== 1)
    throw malformed('has a block table that is none');
  const firstSector = cursor.u64be();
  const sectors = cursor.u64be();
  if (cursor.u64be() !== 0) throw unsupported('has a block table whose data begins elsewhere');
  if (sectors > sectorsMax) throw malformed('has a block table of more sectors than there can be');
  return { firstSector, sectors, checksum: readChecksum(cursor.seek(64)) };
}

/**
 * The chunks of a table. They have to stand one after the other, as every writer puts them.
 *
 * @param packed - range of the packed data in the file
 * @throws TelltaleError `malformed/structure`, `malformed/out-of-range`, `unsupported/method`, `unsupported/feature`,
 *   `limit/time`
 */
function readChunks(
  data: Uint8Array,
  packed: { readonly offset: number; readonly size: number },
  budget: Budget,
): readonly UdifChunk[] {
  const cursor = new Cursor(data, tableHeaderBytes - 4);
  const count = cursor.u32be();
  if (tableHeaderBytes + count * chunkEntryBytes !== data.length) {
    throw malformed('has a block table of another length than it states');
  }
  const chunks: UdifChunk[] = [];
  let start = 0;
  for (let index = 0; index < count; index += 1) {
    if (index % 4096 === 0) budget.checkTime();
    const type = cursor.u32be();
    cursor.skip(4);
    const sector = cursor.u64be();
    const sectors = cursor.u64be();
    const offset = cursor.u64be();
    const packedBytes = cursor.u64be();
    if (sector > sectorsMax || sectors > sectorsMax || sector * udifSectorBytes !== start) {
      throw malformed('has a block table with gaps, or with blocks that overlap');
    }
    if (type === kind.comment) continue;
    if (type === kind.end) {
      if (index < count - 1) throw malformed('has a block table that ends before its end');
      return chunks;
    }
    const size = sectors * udifSectorBytes;
    if (size === 0) continue;
    const isStored = type === kind.raw || type === kind.zlib;
    if (!isStored && type !== kind.zero && type !== kind.ignored) {
      throw new TelltaleError('unsupported/method', 'is packed with a method that is not read');
    }
    if (isStored && (offset > packed.size || packedBytes > packed.size - offset)) {
      throw new TelltaleError('malformed/out-of-range', 'has a block behind the end of its data');
    }
    if (type === kind.raw && packedBytes !== size) throw malformed('has a stored block of another size');
    if (type === kind.zlib && size > chunkBytesMax) {
      throw unsupported(`has blocks of more than ${chunkBytesMax} bytes`);
    }
    chunks.push({
      kind: type === kind.zlib ? 'zlib' : type === kind.raw ? 'raw' : type === kind.zero ? 'zero' : 'ignored',
      start,
      size,
      offset: packed.offset + offset,
      packedBytes,
    });
    start += size;
  }
  throw malformed('has a block table without an end');
}

/**
 * Reads an image of one partition with files, in chunks that are stored, empty or packed with zlib, in which everything
 * is in order but the content.
 *
 * @throws TelltaleError `malformed/*`, `unsupported/*` for everything else, and `limit/*`
 */
export function parseUdif(source: ByteSource, budget: Budget): UdifImage {
  const end = source.size - udifTrailerBytes;
  if (!endsAsDiskImage(source)) {
    throw new TelltaleError('unsupported/feature', 'has its tables elsewhere than in a property list');
  }
  const trailer = new Cursor(source.read(end, udifTrailerBytes), 24);
  const packed = { offset: trailer.u64be(), size: trailer.u64be() };
  const segments = trailer.seek(60).u32be();
  const packedSum = readChecksum(trailer.seek(80));
  const plistOffset = trailer.u64be();
  const plistBytes = trailer.u64be();
  const masterSum = readChecksum(trailer.seek(352));
  const sectors = trailer.seek(492).u64be();
  if (segments > 1) throw unsupported('continues in other files');
  if (packed.offset > end || packed.size > end - packed.offset || plistBytes > end - plistOffset) {
    throw new TelltaleError('malformed/out-of-range', 'has data behind its end', { offset: end });
  }
  if (plistBytes > plistBytesLimit) {
    throw new TelltaleError('limit/memory', `is a property list of more than ${plistBytesLimit} bytes`, {
      offset: plistOffset,
    });
  }
  const tables = listTables(parsePlist(source.read(plistOffset, plistBytes), budget));
  const headers = tables.map(({ data }) => readTableHeader(data));
  let next = 0;
  let sum = 0;
  for (const { firstSector, sectors: count, checksum } of headers) {
    if (firstSector !== next) throw malformed('has partitions that do not follow one another');
    next += count;
    sum = crc32(checksum.bytes, sum);
  }
  if (next !== sectors) throw malformed('has more or fewer sectors than it states');
  if (masterSum.crc !== undefined && masterSum.crc !== sum) {
    throw new TelltaleError('malformed/checksum', 'does not have the checksum that the container states');
  }
  const held = tables.findIndex(({ name }) => mayHoldFiles(name));
  const [table, header] = [tables[held], headers[held]];
  if (table === undefined || header === undefined) throw unsupported('has no partition that may hold files');
  if (tables.some(({ name }, index) => index !== held && mayHoldFiles(name))) {
    throw unsupported('has several partitions that may hold files');
  }
  const chunks = readChunks(table.data, packed, budget);
  const last = chunks.at(-1);
  const size = last === undefined ? 0 : last.start + last.size;
  if (size !== header.sectors * udifSectorBytes)
    throw malformed('has a block table of another size than it states');
  return {
    table: { chunks, size, crc: header.checksum.crc },
    packed: sliceSource(source, packed.offset, packed.size),
    packedCrc: packedSum.crc,
  };
}
