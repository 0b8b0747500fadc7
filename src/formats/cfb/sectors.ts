/**
 * Sectors of a compound file and the tables that link them to chains.
 *
 * Specification: [MS-CFB], sections 2.2 to 2.5
 * https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb/53989ce4-7b05-4f8d-829b-d08d6148375b
 */
import type { Budget } from '../../bytes/budget.ts';
import { assertRange, type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';

/** Special sector numbers; everything above `lastRegular` is no sector. */
export const sectorMarks = {
  lastRegular: 0xfffffffa,
  difat: 0xfffffffc,
  fat: 0xfffffffd,
  endOfChain: 0xfffffffe,
  free: 0xffffffff,
} as const;

export const compoundMagic = Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1);
export const headerBytes = 512;
export const miniSectorBytes = 64;
/** Streams below this size lie in the mini stream. */
export const miniCutoffBytes = 4096;
export const directoryEntryBytes = 128;
const difatEntriesInHeader = 109;
const difatOffset = 0x4c;
const turnsPerTimeCheck = 4096;

/** The header as it stands, unverified but for what makes reading possible. */
export interface CompoundHeader {
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly byteOrder: number;
  readonly sectorBytes: number;
  readonly miniSectorShift: number;
  readonly fatSectors: number;
  readonly firstDirectorySector: number;
  readonly miniCutoff: number;
  readonly firstMiniFatSector: number;
  readonly miniFatSectors: number;
  readonly firstDifatSector: number;
  readonly difatSectors: number;
}

/**
 * Reads the header.
 *
 * @throws TelltaleError `malformed/truncated`, `malformed/header`, `unsupported/version`
 */
export function parseHeader(source: ByteSource): CompoundHeader {
  const head = readUpTo(source, 0, headerBytes);
  if (!compoundMagic.every((byte, index) => head[index] === byte)) {
    throw new TelltaleError('malformed/header', 'does not begin as a compound file', { offset: 0 });
  }
  if (head.length < headerBytes) {
    throw new TelltaleError('malformed/truncated', `ends inside its header of ${headerBytes} bytes`, {
      offset: head.length,
    });
  }
  const cursor = new Cursor(head, 0x18);
  const minorVersion = cursor.u16();
  const majorVersion = cursor.u16();
  const byteOrder = cursor.u16();
  const sectorShift = cursor.u16();
  const miniSectorShift = cursor.u16();
  if (majorVersion !== 3 && majorVersion !== 4) {
    throw new TelltaleError('unsupported/version', `is a compound file of version ${majorVersion}`, {
      offset: 0x1a,
    });
  }
  // The version is but a label; only these two sizes were ever written.
  if (sectorShift !== 9 && sectorShift !== 12) {
    throw new TelltaleError('malformed/header', `states sectors of 2^${sectorShift} bytes`, { offset: 0x1e });
  }
  cursor.seek(0x2c);
  const fatSectors = cursor.u32();
  const firstDirectorySector = cursor.u32();
  cursor.skip(4);
  const miniCutoff = cursor.u32();
  const firstMiniFatSector = cursor.u32();
  const miniFatSectors = cursor.u32();
  const firstDifatSector = cursor.u32();
  const difatSectors = cursor.u32();
  return {
    majorVersion,
    minorVersion,
    byteOrder,
    sectorBytes: 1 << sectorShift,
    miniSectorShift,
    fatSectors,
    firstDirectorySector,
    miniCutoff,
    firstMiniFatSector,
    miniFatSectors,
    firstDifatSector,
    difatSectors,
  };
}

/** A space divided into sectors, and the table that links them. */
export interface SectorSpace {
  readonly source: ByteSource;
  /** Offset of sector 0 in the source. */
  readonly base: number;
  readonly sectorBytes: number;
  /** Sectors that begin inside the source; the last one may be cut. */
  readonly sectors: number;
  /** The sector behind this one in its chain, or a mark; undefined when the table does not reach so far. */
  next(sector: number): number | undefined;
}

/** Sectors of the whole file. */
export interface FileSpace extends SectorSpace {
  /** Sectors that hold the table itself, in order. */
  readonly fatSectors: readonly number[];
  /** Sectors that hold the list of those. */
  readonly difatSectors: readonly number[];
  /** Why the list of table sectors ended early; undefined when it did not. */
  readonly fault: string | undefined;
}

/** A chain that begins at this sector has no bytes. */
export function isSector(sector: number): boolean {
  return sector <= sectorMarks.lastRegular;
}

/** Finds the sectors of the allocation table. Bounded by the sectors that the file has. */
export function openFileSpace(source: ByteSource, header: CompoundHeader, budget?: Budget): FileSpace {
  const { sectorBytes } = header;
  const base = sectorBytes;
  const sectors = Math.max(0, Math.ceil((source.size - base) / sectorBytes));
  const fatSectors: number[] = [];
  const difatSectors: number[] = [];
  const seen = new Set<number>();
  let fault: string | undefined;

  const take = (sector: number): boolean => {
    if (!isSector(sector)) return false;
    if (sector >= sectors) {
      fault ??= `names sector ${sector} for its allocation table, but has ${sectors} sectors`;
      return false;
    }
    if (seen.has(sector)) {
      fault ??= `names sector ${sector} twice for its allocation table`;
      return false;
    }
    seen.add(sector);
    return true;
  };

  // A sector that cannot be used keeps its place in the list, or all that follow would be taken for others.
  const takeFat = (sector: number): void => {
    if (!isSector(sector)) return;
    fatSectors.push(take(sector) ? sector : sectorMarks.free);
  };

  const inHeader = new Cursor(source, difatOffset);
  for (let index = 0; index < difatEntriesInHeader; index += 1) {
    takeFat(inHeader.u32());
  }
  const entriesPerSector = sectorBytes / 4 - 1;
  for (let sector = header.firstDifatSector; take(sector); ) {
    budget?.checkTime();
    difatSectors.push(sector);
    const entries = new Cursor(readUpTo(source, base + sector * sectorBytes, sectorBytes));
    if (entries.source.size < sectorBytes) {
      fault ??= 'ends inside the list of its allocation table';
      break;
    }
    for (let index = 0; index < entriesPerSector; index += 1) {
      takeFat(entries.u32());
    }
    sector = entries.u32();
  }

  const entriesPerFatSector = sectorBytes / 4;
  const table = toTableReader((index) => {
    const sector = fatSectors[index];
    return sector === undefined ? undefined : readUpTo(source, base + sector * sectorBytes, sectorBytes);
  }, entriesPerFatSector);
  return { source, base, sectorBytes, sectors, next: table, fatSectors, difatSectors, fault };
}

/** Numbers of a table that lies in blocks, of which the last one used is kept. */
function toTableReader(
  readBlock: (index: number) => Uint8Array | undefined,
  entriesPerBlock: number,
): (entry: number) => number | undefined {
  let keptIndex = -1;
  let kept: DataView | undefined;
  return (entry) => {
    const index = Math.floor(entry / entriesPerBlock);
    if (index !== keptIndex) {
      const block = readBlock(index);
      kept = block === undefined ? undefined : new DataView(block.buffer, block.byteOffset, block.byteLength);
      keptIndex = index;
    }
    const offset = (entry % entriesPerBlock) * 4;
    return kept === undefined || offset + 4 > kept.byteLength ? undefined : kept.getUint32(offset, true);
  };
}

/** The small sectors inside the mini stream. */
export function openMiniSpace(miniStream: ByteSource, miniFat: ByteSource): SectorSpace {
  const blockBytes = 4096;
  return {
    source: miniStream,
    base: 0,
    sectorBytes: miniSectorBytes,
    sectors: Math.ceil(miniStream.size / miniSectorBytes),
    next: toTableReader((index) => {
      const block = readUpTo(miniFat, index * blockBytes, blockBytes);
      return block.length === 0 ? undefined : block;
    }, blockBytes / 4),
  };
}

/** A run of bytes of a stream that lies together in its space. */
export interface Extent {
  /** Offset in the stream. */
  readonly position: number;
  /** Offset in the source of the space. */
  readonly offset: number;
  readonly size: number;
}

/** The runs of a chain, as far as `size` bytes of it are there. */
export function findExtents(space: SectorSpace, first: number, size: number, budget: Budget): Extent[] {
  const extents: Extent[] = [];
  let position = 0;
  let sector = first;
  let start = 0;
  let run = 0;
  const flush = (): void => {
    if (run > 0) extents.push({ position: position - run, offset: start, size: run });
    run = 0;
  };
  for (let turns = 0; position < size && sector < space.sectors && turns <= space.sectors; turns += 1) {
    if (turns % turnsPerTimeCheck === 0) budget.checkTime();
    const offset = space.base + sector * space.sectorBytes;
    const length = Math.min(space.sectorBytes, size - position, space.source.size - offset);
    if (run === 0 || start + run !== offset) {
      flush();
      start = offset;
    }
    run += length;
    position += length;
    sector = space.next(sector) ?? sectorMarks.endOfChain;
  }
  flush();
  return extents;
}

/** The bytes of a chain by random access. Its runs are found when the first byte is asked for. */
export class ChainSource implements ByteSource {
  readonly size: number;
  readonly #space: SectorSpace;
  readonly #first: number;
  readonly #budget: Budget;
  #extents: readonly Extent[] | undefined;

  /** @param size - bytes that the chain was found to have */
  constructor(space: SectorSpace, first: number, size: number, budget: Budget) {
    this.#space = space;
    this.#first = first;
    this.#budget = budget;
    this.size = size;
  }

  get extents(): readonly Extent[] {
    this.#extents ??= findExtents(this.#space, this.#first, this.size, this.#budget);
    return this.#extents;
  }

  read(offset: number, length: number): Uint8Array {
    assertRange(this.size, offset, length);
    if (length === 0) return new Uint8Array(0);
    const { extents } = this;
    let low = 0;
    let high = extents.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((extents[middle]?.position ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const extent = extents[low];
    if (extent !== undefined && offset + length <= extent.position + extent.size) {
      return this.#space.source.read(extent.offset + offset - extent.position, length);
    }
    const bytes = new Uint8Array(length);
    let filled = 0;
    for (let index = low; filled < length; index += 1) {
      const run = extents[index];
      if (run === undefined) {
        throw new TelltaleError(
          'malformed/truncated',
          `its chain of sectors ends ${length - filled} bytes early`,
          {
            offset: offset + filled,
            wanted: length - filled,
          },
        );
      }
      const skip = offset + filled - run.position;
      const count = Math.min(run.size - skip, length - filled);
      bytes.set(this.#space.source.read(run.offset + skip, count), filled);
      filled += count;
    }
    return bytes;
  }
}

/** What following a chain to its end found. */
export interface ChainWalk {
  readonly sectors: number;
  /** Bytes that are there, not more than wanted. */
  readonly bytes: number;
  /** Bytes of the chain, up to what was wanted, that its sectors promise behind the end of the source. */
  readonly missing: number;
  /** `end`: as it should. `open`: a free or reserved sector follows. `unlinked`: the table does not reach so far. */
  readonly ending: 'end' | 'open' | 'unlinked' | 'outside' | 'cycle' | 'limit';
  /** The last sector number that was looked at. */
  readonly last: number;
  readonly isCrossLinked: boolean;
}

/** Follows chains once and remembers to which chain each sector belongs. */
export class ChainLedger {
  readonly #space: SectorSpace;
  /** 0: no chain yet. 4 bytes for each sector, so under one percent of the file. */
  readonly #owners: Uint32Array;
  readonly #budget: Budget;
  #chains = 0;
  /** Turns over sectors of another chain: without a limit many entries over one long chain would cost squares. */
  #foreignTurnsLeft: number;

  constructor(space: SectorSpace, budget: Budget) {
    this.#space = space;
    this.#owners = new Uint32Array(space.sectors);
    this.#budget = budget;
    this.#foreignTurnsLeft = space.sectors + 1024;
  }

  /** Takes sectors that are in no chain. */
  claim(sectors: readonly number[]): void {
    this.#chains += 1;
    for (const sector of sectors) this.#owners[sector] = this.#chains;
  }

  isOwned(sector: number): boolean {
    return (this.#owners[sector] ?? 0) !== 0;
  }

  /**
   * Follows a chain to its end, also behind the bytes wanted.
   *
   * @param wanted - bytes of the stream; undefined when only the chain itself says it
   */
  follow(first: number, wanted: number | undefined): ChainWalk {
    const { sectors: total, sectorBytes, base, source } = this.#space;
    this.#chains += 1;
    let sectors = 0;
    let bytes = 0;
    let missing = 0;
    let isCrossLinked = false;
    let sector = first;
    let ending: ChainWalk['ending'] = 'end';
    for (;;) {
      if (sector === sectorMarks.endOfChain) break;
      if (!isSector(sector)) {
        ending = 'open';
        break;
      }
      if (sector >= total) {
        ending = 'outside';
        missing = wanted === undefined ? sectorBytes : Math.max(0, wanted - bytes);
        break;
      }
      const owner = this.#owners[sector];
      if (owner === this.#chains || sectors > total) {
        ending = 'cycle';
        break;
      }
      if (owner === 0) {
        this.#owners[sector] = this.#chains;
      } else {
        isCrossLinked = true;
        if (bytes >= (wanted ?? Number.POSITIVE_INFINITY)) break;
        this.#foreignTurnsLeft -= 1;
        if (this.#foreignTurnsLeft < 0) {
          ending = 'limit';
          break;
        }
      }
      if (sectors % turnsPerTimeCheck === 0) this.#budget.checkTime();
      sectors += 1;
      const there = Math.min(sectorBytes, source.size - (base + sector * sectorBytes));
      const room = (wanted ?? Number.POSITIVE_INFINITY) - bytes;
      bytes += Math.min(there, room);
      missing += Math.max(0, Math.min(sectorBytes, room) - there);
      // A cut sector is the last one of the file: nothing behind it can be in its place.
      if (there < sectorBytes && room > there) {
        ending = 'outside';
        missing = wanted === undefined ? missing : wanted - bytes;
        break;
      }
      const next = this.#space.next(sector);
      if (next === undefined) {
        // With the table the rest of the chain is gone: this is how a file looks whose end was cut off.
        ending = 'unlinked';
        missing = wanted === undefined ? sectorBytes : Math.max(0, wanted - bytes);
        break;
      }
      sector = next;
    }
    return { sectors, bytes, missing, ending, last: sector, isCrossLinked };
  }
}
