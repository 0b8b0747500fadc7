/**
 * 7z archives, without 7-Zip: for those in which everything is in order and known. Names, order and faults are those
 * that 7-Zip gives, which opens all others.
 *
 * Headers in `header.ts`, methods in `stages.ts`. Faults in packed data show only while they are unpacked: a member whose
 * checksum does not hold says so; where a stream breaks off, the members behind it in the same folder are refused.
 */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, joinBytes } from '../../bytes/byte-source.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { crc32 } from '../../platform/inflate.ts';
import type { MemberInflow, MemberSink, ReadContext, Reading } from '../model.ts';
import type { PiecesAhead } from '../pieces.ts';
import { type Fault, toFault, toMemberFinding } from '../sevenzip/faults.ts';
import { tryInOrder } from '../sevenzip/in-order.ts';
import { reportTail, toListedFacts } from '../sevenzip/listed.ts';
import type { ListedItem } from '../sevenzip/listing.ts';
import { decodeStage, toDictionaryBytes } from './decoding.ts';
import { type FileRecord, type Folder, readHeader } from './header.ts';
import type { SevenZFolderPiece } from './stages.ts';

/** A file, or a link. */
export interface Entry {
  readonly item: ListedItem;
  /** Number of the folder that it is unpacked from; undefined for empty files outside of all folders. */
  readonly folder: number | undefined;
  /** From the start of the unpacked folder, in bytes. */
  readonly offset: number;
  readonly size: number;
}

/** An archive in which everything is in order. */
export interface PlainArchive {
  /** Everything that is listed. */
  readonly items: readonly ListedItem[];
  readonly folders: readonly SevenZFolderPiece[];
  /** What is unpacked, in this order: one folder after the other, and in each from its start. */
  readonly entries: readonly Entry[];
  /** Where it ends, in bytes. */
  readonly end: number;
}

/** A link above this is none to 7-Zip. */
const linkBytesMax = 1024;
const nameCharactersMax = 1024;
/** Parts that 7-Zip changes, and control, private and special characters, which it may show in another way. */
const unusualName =
  /(?:^|\/)\.{0,2}(?:\/|$)|[\u0000-\u001f\u007f-\u009f\u2028\u2029\ue000-\uf8ff\ufdd0-\ufdef\ufeff\ufffd-\uffff\u{f0000}-\u{10ffff}]/u;

const attribute = { folder: 0x10, reparsePoint: 0x400, unixMode: 0x8000 } as const;
/** The kind of file in the mode of Unix. */
const unixKind = { mask: 0xf000, folder: 0x4000, file: 0x8000, link: 0xa000 } as const;

/**
 * The archive, when everything in it is in order and known, and it needs no more memory than it may have.
 *
 * @throws TelltaleError `limit/time`
 */
export function tryReadPlainArchive(source: ByteSource, budget: Budget): PlainArchive | undefined {
  return tryInOrder(() => readPlainArchive(source, budget));
}

function readPlainArchive(source: ByteSource, budget: Budget): PlainArchive | undefined {
  const { limits } = budget;
  const { folders, files, end } = readHeader(source, limits.members);
  if (folders.some(({ stage }) => toDictionaryBytes(stage) > limits.memberBytesInMemory)) return undefined;
  const items: ListedItem[] = [];
  const entries: Entry[] = [];
  const place = new Place(folders);
  for (const file of files) {
    const part = file.hasStream ? place.next() : undefined;
    const item = tryToItem(file, part);
    if (item === undefined) return undefined;
    items.push(item);
    const { size = 0 } = item;
    const { folder, offset } = part ?? { folder: place.open, offset: 0 };
    if (item.kind !== 'folder') entries.push({ item, folder, offset, size });
  }
  const pieces = folders.map(({ stage }) => ({ method: '7z-folder', stage, size: stage.bytes }) as const);
  return { items, folders: pieces, entries, end };
}

interface PlacedPart {
  readonly folder: number;
  readonly offset: number;
  readonly size: number;
  readonly crc32: number | undefined;
}

/** Goes from part to part through all folders. */
class Place {
  readonly #folders: readonly Folder[];
  #folder = 0;
  #part = 0;
  #offset = 0;

  constructor(folders: readonly Folder[]) {
    this.#folders = folders;
  }

  /** The folder of which there are parts before and behind; empty files there fail with it. */
  get open(): number | undefined {
    return this.#part === 0 ? undefined : this.#folder;
  }

  next(): PlacedPart | undefined {
    const folder = this.#folders[this.#folder];
    const part = folder?.parts[this.#part];
    if (folder === undefined || part === undefined) return undefined;
    const placed = { folder: this.#folder, offset: this.#offset, ...part };
    this.#part += 1;
    this.#offset += part.size;
    if (this.#part === folder.parts.length) {
      this.#folder += 1;
      this.#part = 0;
      this.#offset = 0;
    }
    return placed;
  }
}

/** As 7-Zip lists it; undefined for names and kinds of files that are not usual. */
function tryToItem(file: FileRecord, part: PlacedPart | undefined): ListedItem | undefined {
  const { name, isFolder } = file;
  const kind = tryToKind(file);
  const size = part?.size ?? 0;
  if (kind === undefined || (kind === 'folder') !== isFolder || (file.hasStream && part === undefined))
    return undefined;
  if (name === '' || name.length > nameCharactersMax || unusualName.test(name)) return undefined;
  // An empty file with a checksum that is not that of nothing.
  if (size === 0 && (part?.crc32 ?? 0) !== 0) return undefined;
  if (kind === 'link' && (size === 0 || size > linkBytesMax)) return undefined;
  return { name, kind, size, crc32: part?.crc32, isEncrypted: false, method: '', target: undefined };
}

function tryToKind({ isFolder, attributes }: FileRecord): ListedItem['kind'] | undefined {
  const usual = isFolder ? 'folder' : 'file';
  if (attributes === undefined) return usual;
  if ((attributes & attribute.reparsePoint) !== 0) return undefined;
  if ((attributes & attribute.folder) !== 0 && !isFolder) return undefined;
  const mode = attributes >>> 16;
  if ((attributes & attribute.unixMode) === 0) return mode === 0 ? usual : undefined;
  switch (mode & unixKind.mask) {
    case unixKind.folder:
      return 'folder';
    case unixKind.file:
      return 'file';
    case unixKind.link:
      return 'link';
    default:
      return undefined;
  }
}

/**
 * A reading of the archive; undefined when 7-Zip has to open it.
 *
 * @param start - of the archive in the artifact, in bytes
 * @throws TelltaleError `limit/time`
 */
export function tryReadSevenZ(source: ByteSource, start: number, context: ReadContext): Reading | undefined {
  const archive = tryReadPlainArchive(source, context.budget);
  if (archive === undefined) return undefined;
  const tailBytes = source.size - archive.end;
  if (tailBytes > 0) reportTail(source, tailBytes, start, context);
  return {
    facts: toListedFacts(archive.items, context),
    regions: [],
    pour: (sink, from) => pourArchive(source, archive, context, sink, from),
  };
}

/**
 * Unpacks the members from number `from` on into the sink, in stored order.
 *
 * @returns the number of the first member that was not delivered, or undefined when all were
 */
export function pourArchive(
  source: ByteSource,
  { entries, folders }: PlainArchive,
  context: ReadContext,
  sink: MemberSink,
  from: number,
): number | undefined {
  let unpacking: Unpacking | undefined;
  let ahead: PiecesAhead | undefined;
  /** Of the folder that is the first piece. */
  let first: number | undefined;
  /** Of the next member. */
  let number = 0;
  try {
    for (const { item, folder: index, offset, size } of entries) {
      if (item.kind === 'file' && number < from) {
        number += 1;
        continue;
      }
      const folder = index === undefined ? undefined : folders[index];
      if (index !== undefined && folder !== undefined && unpacking?.folder !== folder) {
        unpacking?.close();
        if (first === undefined) {
          first = index;
          ahead = context.unpackers?.begin(source, folders.slice(index));
        }
        unpacking = new Unpacking(source, folder, context.budget, ahead?.take(index - first));
      }
      const reader = folder === undefined ? undefined : unpacking;
      const absence = reader?.advance(offset, size);
      let content: Content = (inflow) => reader?.pour(item, (piece) => inflow.write(piece));
      if (item.kind === 'link') {
        const link = absence === undefined ? reader?.tryTakeBrokenLink(item) : undefined;
        if (link === undefined) continue;
        content = link;
      }
      number += 1;
      if (number <= from) continue;
      const member = { name: item.name, relation: 'file' } as const;
      if (absence !== undefined) {
        sink.refuse(member, toMemberFinding(absence), size);
        continue;
      }
      const inflow = sink.begin(member, size);
      if (inflow === 'later' || inflow === 'stop') return number - 1;
      const fault = content(inflow);
      if (fault === 'stopped') {
        inflow.end();
        return number;
      }
      inflow.end(fault === undefined ? undefined : toMemberFinding(fault));
      if (fault?.code === 'limit/time') throw new TelltaleError(fault.code, fault.message);
    }
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    context.report({
      code: error.code,
      message: error.message,
      consequence: 'the members from there on were not looked at',
      incomplete: true,
    });
  } finally {
    unpacking?.close();
  }
  return undefined;
}

/** Hands on a member. */
type Content = (inflow: MemberInflow) => Fault | 'stopped' | undefined;

/** One folder on its way. */
class Unpacking {
  readonly folder: SevenZFolderPiece;
  readonly #chunks: Iterator<Uint8Array>;
  readonly #budget: Budget;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Where the chunk stands in the unpacked folder. */
  #chunkAt = 0;
  #fault: Fault | undefined;

  /** @param whole - the folder, when it was unpacked already */
  constructor(source: ByteSource, folder: SevenZFolderPiece, budget: Budget, whole: Uint8Array | undefined) {
    this.folder = folder;
    this.#budget = budget;
    this.#chunks =
      whole === undefined ? decodeStage(source, folder.stage, budget) : [whole][Symbol.iterator]();
  }

  /**
   * Goes to a place, which lies not before the last one.
   *
   * @param size - of what is wanted there, in bytes
   * @returns why there is nothing of it
   * @throws TelltaleError `limit/time`
   */
  advance(offset: number, size: number): Fault | undefined {
    if (size > 0) while (this.#fault === undefined && !this.#holds(offset)) this.#next();
    if (this.#fault?.code === 'limit/time') throw new TelltaleError(this.#fault.code, this.#fault.message);
    if (size === 0 || !this.#holds(offset)) return this.#fault;
    this.#chunk = this.#chunk.subarray(offset - this.#chunkAt);
    this.#chunkAt = offset;
    return undefined;
  }

  /** Hands on a member that begins where the chunk begins. */
  pour(
    { size = 0, crc32: expected }: ListedItem,
    write: (piece: Uint8Array) => boolean,
  ): Fault | 'stopped' | undefined {
    let checksum = 0;
    for (let left = size; left > 0; ) {
      if (this.#chunk.length === 0) {
        if (this.#fault !== undefined) return this.#fault;
        this.#next();
        continue;
      }
      const piece = this.#chunk.subarray(0, left);
      left -= piece.length;
      this.#chunk = this.#chunk.subarray(piece.length);
      this.#chunkAt += piece.length;
      if (expected !== undefined) checksum = crc32(piece, checksum);
      if (!write(piece)) return 'stopped';
    }
    return expected === undefined || expected === checksum ? undefined : toFault('CRC Failed');
  }

  /**
   * Passes over a link, which is named, not yielded; 7-Zip makes a file of one that is cut, or whose path is empty.
   *
   * @returns the content of that file
   */
  tryTakeBrokenLink(item: ListedItem): Content | undefined {
    const pieces: Uint8Array[] = [];
    const fault = this.pour(item, (piece) => {
      pieces.push(piece.slice());
      return true;
    });
    const bytes = joinBytes(pieces);
    if (bytes.length === item.size && bytes[0] !== 0) return undefined;
    return (inflow) => (inflow.write(bytes) ? fault : 'stopped');
  }

  #holds(offset: number): boolean {
    return offset < this.#chunkAt + this.#chunk.length;
  }

  close(): void {
    this.#chunks.return?.();
  }

  /** Takes the next chunk, or learns why there is none. */
  #next(): void {
    this.#chunkAt += this.#chunk.length;
    this.#chunk = new Uint8Array(0);
    try {
      this.#budget.checkTime();
      const next = this.#chunks.next();
      if (next.done === true) this.#fault = toFault('Data Error');
      else this.#chunk = next.value;
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error;
      // What a decoder of ours does not read is not damaged for that.
      this.#fault = /^(?:limit|unsupported)\//.test(error.code) ? error : toFault('Data Error');
    }
  }
}
