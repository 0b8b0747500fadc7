/**
 * Cabinets packed with MSZIP, or not packed, over native zlib: about three times as fast as the decoder that reads every
 * other cabinet, which need not even be loaded. Only for cabinets in which everything is in order, which is found out
 * before the first byte is handed on; what is wrong with the others is told by that decoder.
 *
 * [MS-CAB] https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-mcab/,
 * [MS-MCI] https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-mci/
 */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import type { MemberInflow, MemberSink, ReadContext, Reading } from '../model.ts';
import {
  type Block,
  blockBytesMax,
  type CabinetFolderPiece,
  parseBlock,
  tryUnpackBlock,
} from './cabinet-blocks.ts';
import { type Fault, toFault, toMemberFinding } from './faults.ts';
import { tryInOrder } from './in-order.ts';
import type { ListedItem } from './listing.ts';

/** A folder as the tables state it. */
interface FolderEntry {
  readonly isPacked: boolean;
  /** Of its first block. */
  readonly offset: number;
  readonly blockCount: number;
}

/** A file as the tables state it. */
interface FileEntry {
  readonly size: number;
  /** From the start of the unpacked folder. */
  readonly offset: number;
  readonly folder: number;
  readonly attributes: number;
  readonly rawName: Uint8Array;
}

/** Everything that stands in front of the data. */
interface Tables {
  readonly folders: readonly FolderEntry[];
  /** In the order in which they are unpacked in one go: one behind the other, one folder behind the other. */
  readonly files: readonly FileEntry[];
  /** Bytes between the head of a block and its data. */
  readonly blockReserve: number;
  /** Header, folders and files follow each other, and data comes behind them, as every program writes it. */
  readonly isOrdinary: boolean;
}

interface Folder extends FolderEntry {
  readonly blocks: readonly Block[];
  /** Unpacked. */
  readonly bytes: number;
}

interface CabinetFile {
  readonly item: ListedItem;
  readonly folder: Folder;
  /** From the start of the unpacked folder. */
  readonly offset: number;
  readonly size: number;
}

/** A cabinet in which everything is in order, with its files in the order in which they are unpacked. */
export interface PlainCabinet {
  readonly files: readonly CabinetFile[];
  readonly blockReserve: number;
}

const headerBytes = 36;
const version = 0x0103;
const flag = { hasPrevious: 1, hasNext: 2, hasReserve: 4 } as const;
const method = { none: 0, mszip: 1 } as const;
const methodMask = 0x0f;
const blocksBetweenTimeChecks = 64;
const filesBetweenTimeChecks = 1024;
/** The specification allows 256 bytes, with the 0 at the end. */
const nameBytesMax = 255;
const attribute = {
  readOnly: 0x01,
  hidden: 0x02,
  system: 0x04,
  archive: 0x20,
  execute: 0x40,
  utf8: 0x80,
} as const;
/** Takes nothing for what it is not, and nothing away. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ordinaryAttributes = Object.values(attribute).reduce((sum, bit) => sum | bit, 0);

/** The tables of a cabinet that stands alone, with methods that are read here. */
function tryParseTables(source: ByteSource, budget: Budget): Tables | undefined {
  const header = new Cursor(source.read(0, headerBytes), 4);
  const areReservedZero = [header.u32(), header.seek(12).u32(), header.seek(20).u32()].every(
    (one) => one === 0,
  );
  const size = header.seek(8).u32();
  const filesAt = header.seek(16).u32();
  const stated = header.seek(24).u16();
  const folderCount = header.u16();
  const fileCount = header.u16();
  const flags = header.u16();
  if ((flags & ~flag.hasReserve) !== 0) return undefined;
  let foldersAt = headerBytes;
  let folderReserve = 0;
  let blockReserve = 0;
  if ((flags & flag.hasReserve) !== 0) {
    const reserve = new Cursor(source.read(headerBytes, 4));
    foldersAt += 4 + reserve.u16();
    folderReserve = reserve.u8();
    blockReserve = reserve.u8();
  }
  const folders: FolderEntry[] = [];
  let at = foldersAt;
  for (let index = 0; index < folderCount; index += 1) {
    const entry = new Cursor(source.read(at, 8));
    const offset = entry.u32();
    const blockCount = entry.u16();
    const type = entry.u16() & methodMask;
    if (type !== method.none && type !== method.mszip) return undefined;
    folders.push({ isPacked: type === method.mszip, offset, blockCount });
    at += 8 + folderReserve;
  }
  const areBehind = filesAt === at;
  const files: FileEntry[] = [];
  let last: FileEntry | undefined;
  at = filesAt;
  for (let index = 0; index < fileCount; index += 1) {
    if (index % filesBetweenTimeChecks === 0) budget.checkTime();
    const entry = new Cursor(source.read(at, 16));
    const fileSize = entry.u32();
    const offset = entry.u32();
    const folder = entry.u16();
    const attributes = entry.skip(4).u16();
    const name = readUpTo(source, at + 16, nameBytesMax + 1);
    const nameBytes = name.indexOf(0);
    if (nameBytes < 0 || folder >= folders.length) return undefined;
    const file: FileEntry = {
      size: fileSize,
      offset,
      folder,
      attributes,
      rawName: name.subarray(0, nameBytes),
    };
    if (last !== undefined && !isBehind(file, last)) return undefined;
    files.push(file);
    last = file;
    at += 16 + nameBytes + 1;
  }
  const isOrdinary =
    areReservedZero &&
    size === source.size &&
    stated === version &&
    areBehind &&
    folders.every(({ offset }) => offset >= at && offset <= size);
  return { folders, files, blockReserve, isOrdinary };
}

function isBehind(file: FileEntry, last: FileEntry): boolean {
  return file.folder === last.folder ? file.offset >= last.offset + last.size : file.folder > last.folder;
}

/**
 * The files of a cabinet as the other decoder would list them; undefined when there is anything in its tables about which
 * that decoder might say more.
 *
 * @throws TelltaleError `limit/time`
 */
export function tryListCabinet(source: ByteSource, budget: Budget): readonly ListedItem[] | undefined {
  return tryInOrder(() => {
    const tables = tryParseTables(source, budget);
    if (tables === undefined || !tables.isOrdinary) return undefined;
    const { files, folders } = tables;
    if (files.length === 0 || files.length > budget.limits.members) return undefined;
    const items: ListedItem[] = [];
    for (const [index, file] of files.entries()) {
      const name = tryDecodeName(file);
      const last = files[index - 1];
      if (name === undefined || (file.attributes & ~ordinaryAttributes) !== 0) return undefined;
      // Of two that are the same the other decoder lists one.
      const isRepeated =
        items.at(-1)?.name === name && last?.size === file.size && last.offset === file.offset;
      if (isRepeated) return undefined;
      items.push({
        name,
        kind: 'file',
        size: file.size,
        crc32: undefined,
        isEncrypted: false,
        method: folders[file.folder]?.isPacked === true ? 'MSZip' : 'None',
        target: undefined,
      });
    }
    return items;
  });
}

/** A name that means the same to everybody: ASCII, or said to be UTF-8 and of visible letters. Backslashes separate. */
function tryDecodeName({ rawName, attributes }: FileEntry): string | undefined {
  const isUtf8 = (attributes & attribute.utf8) !== 0;
  if (!isUtf8 && rawName.some((byte) => byte >= 0x80)) return undefined;
  let name: string;
  try {
    name = utf8.decode(rawName);
  } catch {
    return undefined;
  }
  const isPlain = /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]+$/u.test(name);
  return isPlain && name.trim() !== '' && !/[/\\]$/.test(name) ? name.replaceAll('\\', '/') : undefined;
}

/**
 * The cabinet, when it is whole, alone, packed with nothing but MSZIP, every checksum holds, and its files are those of
 * the list.
 *
 * @param items - what the other decoder lists, or would list, in its order
 * @throws TelltaleError `limit/time`
 */
export function tryReadPlainCabinet(
  source: ByteSource,
  items: readonly ListedItem[],
  budget: Budget,
): PlainCabinet | undefined {
  return tryInOrder(() => {
    const tables = tryParseTables(source, budget);
    if (tables?.files.length !== items.length) return undefined;
    const folders: Folder[] = [];
    for (const entry of tables.folders) {
      const blocks = tryReadBlocks(source, entry, tables.blockReserve, budget);
      if (blocks === undefined) return undefined;
      folders.push({ ...entry, blocks, bytes: blocks.reduce((sum, { bytes }) => sum + bytes, 0) });
    }
    const files: CabinetFile[] = [];
    for (const [index, item] of items.entries()) {
      const { size, offset, folder: number } = tables.files[index] ?? {};
      const folder = number === undefined ? undefined : folders[number];
      if (folder === undefined || size === undefined || offset === undefined) return undefined;
      if (item.kind !== 'file' || item.size !== size || item.isEncrypted) return undefined;
      if (offset + size > folder.bytes) return undefined;
      files.push({ item, folder, offset, size });
    }
    return { files, blockReserve: tables.blockReserve };
  });
}

function tryReadBlocks(
  source: ByteSource,
  { offset, blockCount }: FolderEntry,
  reserve: number,
  budget: Budget,
): readonly Block[] | undefined {
  const blocks: Block[] = [];
  let at = offset;
  for (let index = 0; index < blockCount; index += 1) {
    if (index % blocksBetweenTimeChecks === 0) budget.checkTime();
    const block = parseBlock(source, at, reserve);
    const { bytes, checksum, packedBytes } = block;
    if (bytes === 0 || bytes > blockBytesMax) return undefined;
    // What lies between two blocks of history would be missing: only the last one may be short.
    if (bytes < blockBytesMax && index < blockCount - 1) return undefined;
    if (checksum !== 0 && checksum !== sumUp(source.read(at + 4, 4 + reserve + packedBytes)))
      return undefined;
    blocks.push(block);
    at = block.offset + packedBytes;
  }
  return blocks;
}

/** The checksum of [MS-CAB] 3.1, over the sizes of a block, its reserve and its data. */
function sumUp(bytes: Uint8Array): number {
  // The specification begins with the data and ends with the sizes; an exclusive or does not care, but its words do.
  const data = bytes.subarray(4);
  const sizes = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const whole = data.length - (data.length % 4);
  let sum = sizes;
  for (let at = 0; at < whole; at += 4) sum ^= view.getUint32(at, true);
  let rest = 0;
  for (let at = whole; at < data.length; at += 1) rest = (rest << 8) | (data[at] ?? 0);
  return (sum ^ rest) >>> 0;
}

type Pour = NonNullable<Reading['pour']>;

/**
 * Pours a cabinet in which everything is in order, and leaves every other one to another decoder.
 *
 * @param items - what the other decoder lists, or would list, in its order
 */
export function toCabinetPour(
  source: ByteSource,
  items: readonly ListedItem[],
  context: ReadContext,
  otherwise: Pour,
): Pour {
  // It may be poured again, from where the memory was full: looking once is enough.
  let found: { readonly cabinet: PlainCabinet | undefined } | undefined;
  return (sink, from) => {
    found ??= { cabinet: tryReadPlainCabinet(source, items, context.budget) };
    const { cabinet } = found;
    return cabinet === undefined ? otherwise(sink, from) : pourCabinet(source, cabinet, sink, from, context);
  };
}

/**
 * Unpacks the members from number `from` on into the sink, in stored order.
 *
 * @returns the number of the first member that was not delivered, or undefined when all were
 * @throws TelltaleError `limit/time`
 */
export function pourCabinet(
  source: ByteSource,
  { files, blockReserve }: PlainCabinet,
  sink: MemberSink,
  from: number,
  { budget, unpackers }: Pick<ReadContext, 'budget' | 'unpackers'>,
): number | undefined {
  const folders = new Set(files.slice(from).map(({ folder }) => folder));
  const packed = [...folders].filter(({ isPacked }) => isPacked);
  const places = new Map(packed.map((folder, index) => [folder, index]));
  const ahead = unpackers?.begin(
    source,
    packed.map((folder) => toPiece(folder, blockReserve)),
  );
  let current: { readonly folder: Folder; readonly unpacking: Unpacking } | undefined;
  for (const [number, { item, folder, offset, size }] of files.entries()) {
    if (number < from) continue;
    const inflow = sink.begin({ name: item.name, relation: 'file' }, size);
    if (inflow === 'later' || inflow === 'stop') return number;
    if (current?.folder !== folder) {
      const place = places.get(folder);
      const unpacked = place === undefined ? undefined : ahead?.take(place);
      const unpacking =
        unpacked === undefined ? new BlockByBlock(source, folder, budget) : new Unpacked(unpacked);
      current = { folder, unpacking };
    }
    const fault = current.unpacking.pour(offset, size, inflow);
    if (fault === 'stopped') {
      inflow.end();
      return number + 1;
    }
    inflow.end(fault === undefined ? undefined : toMemberFinding(fault));
  }
  return undefined;
}

function toPiece({ offset, blockCount, bytes }: Folder, reserve: number): CabinetFolderPiece {
  return { method: 'cabinet-folder', offset, blockCount, reserve, size: bytes };
}

/** A folder on its way: gives a part of it, none before the one that was given last. */
interface Unpacking {
  pour(offset: number, size: number, inflow: MemberInflow): Fault | 'stopped' | undefined;
}

/** A folder that was unpacked before. */
class Unpacked implements Unpacking {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  pour(offset: number, size: number, inflow: MemberInflow): 'stopped' | undefined {
    return size === 0 || inflow.write(this.#bytes.subarray(offset, offset + size)) ? undefined : 'stopped';
  }
}

class BlockByBlock implements Unpacking {
  readonly #folder: Folder;
  readonly #source: ByteSource;
  readonly #budget: Budget;
  #next = 0;
  /** What the last block became, which is all the history that the next one needs. */
  #last: Uint8Array = new Uint8Array(0);
  /** Where {@link #last} stands in the unpacked folder. */
  #lastAt = 0;
  #fault: Fault | undefined;

  constructor(source: ByteSource, folder: Folder, budget: Budget) {
    this.#source = source;
    this.#folder = folder;
    this.#budget = budget;
  }

  pour(offset: number, size: number, inflow: MemberInflow): Fault | 'stopped' | undefined {
    const end = offset + size;
    for (let at = offset; at < end; ) {
      while (at >= this.#lastAt + this.#last.length) {
        if (!this.#advance()) return this.#fault;
      }
      const piece = this.#last.subarray(at - this.#lastAt, Math.min(this.#last.length, end - this.#lastAt));
      if (!inflow.write(piece)) return 'stopped';
      at += piece.length;
    }
    return undefined;
  }

  #advance(): boolean {
    const { blocks, isPacked } = this.#folder;
    const block = blocks[this.#next];
    if (block === undefined || this.#fault !== undefined) return false;
    if (this.#next % blocksBetweenTimeChecks === 0) this.#budget.checkTime();
    const bytes = isPacked
      ? tryUnpackBlock(this.#source, block, this.#last)
      : this.#source.read(block.offset, block.packedBytes);
    if (bytes?.length !== block.bytes) {
      this.#fault = toFault('Data Error');
      return false;
    }
    this.#lastAt += this.#last.length;
    this.#last = bytes;
    this.#next += 1;
    return true;
  }
}
