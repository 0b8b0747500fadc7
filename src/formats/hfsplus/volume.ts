/** The header of an HFS+ volume, its forks, and the records of its B-trees (TN1150). All numbers are big-endian. */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, sliceSource } from '../../bytes/byte-source.ts';
import { chainSources } from '../../bytes/chain-sources.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';

const bootBlockBytes = 1024;
const headerBytes = 512;
/** Offsets of the forks in the header. */
const forkOffsets = { extents: 0xc0, catalog: 0x110, attributes: 0x160 } as const;
const catalogFileId = 4;
const attributesFileId = 8;

export const forkBytes = 80;
const extentsPerRecord = 8;
const forkType = { data: 0, resource: 0xff } as const;

const nodeDescriptorBytes = 14;
const leafKind = 0xff;
const nodeBytesMin = 512;
const nodeBytesMax = 32_768;
/** A catalog of 100,000 files has some 6,000 leaves; more than this are not followed. */
const leavesMax = 65_536;
/** Runs of blocks beside those in the records of files; a volume in more pieces is left to 7-Zip. */
const overflowRecordsMax = 65_536;

/** A range of the volume, in bytes. */
export interface Extent {
  readonly offset: number;
  readonly size: number;
}

/** A run of allocation blocks. */
interface BlockRun {
  readonly start: number;
  readonly count: number;
}

/** A fork as a record states it. */
export interface Fork {
  /** In bytes. */
  readonly size: number;
  /** In allocation blocks. */
  readonly blocks: number;
  readonly runs: readonly BlockRun[];
}

export interface HfsVolume {
  readonly source: ByteSource;
  readonly blockBytes: number;
  readonly blocks: number;
  readonly files: number;
  /** Without the root folder. */
  readonly folders: number;
  readonly overflow: ExtentsOverflow;
  readonly catalog: Fork;
  readonly attributes: Fork;
}

/** Further extents of forks, by the id of the file. */
interface ExtentsOverflow {
  readonly data: ReadonlyMap<number, Overflow>;
  readonly resource: ReadonlyMap<number, Overflow>;
}

interface Overflow {
  /** Blocks of the fork before these. */
  readonly startBlock: number;
  readonly runs: BlockRun[];
}

/** Something is not as every ordinary writer has it. */
export function toOdd(message: string, offset?: number): TelltaleError {
  return new TelltaleError('unsupported/feature', message, offset === undefined ? {} : { offset });
}

/** A fork of a record or of the header, without extents in the overflow file. @param bytes - 80 of them */
export function readFork(bytes: Uint8Array): Fork {
  const cursor = new Cursor(bytes);
  const size = cursor.u64be();
  const blocks = cursor.skip(4).u32be();
  return { size, blocks, runs: readRuns(cursor) };
}

function readRuns(cursor: Cursor): BlockRun[] {
  const runs: BlockRun[] = [];
  for (let index = 0; index < extentsPerRecord; index += 1) {
    const start = cursor.u32be();
    const count = cursor.u32be();
    if (count > 0) runs.push({ start, count });
  }
  return runs;
}

/** Whether there is nothing of it. */
export function isEmptyFork({ size, blocks, runs }: Fork): boolean {
  return size === 0 && blocks === 0 && runs.length === 0;
}

function countBlocks(runs: readonly BlockRun[]): number {
  return runs.reduce((sum, { count }) => sum + count, 0);
}

/**
 * The volume, when it is whole and its header, its extents overflow file and the forks of its other files are in order.
 *
 * @throws TelltaleError for everything else
 */
export function readVolume(source: ByteSource, budget: Budget): HfsVolume {
  if (source.read(0, bootBlockBytes).some((byte) => byte !== 0))
    throw toOdd('has something in its boot blocks');
  const header = source.read(bootBlockBytes, headerBytes);
  const cursor = new Cursor(header);
  const signature = cursor.u32be();
  if (signature !== 0x482b0004 && signature !== 0x48580005) throw toOdd('is another kind of volume');
  cursor.seek(0x20);
  const files = cursor.u32be();
  const folders = cursor.u32be();
  const blockBytes = cursor.u32be();
  const blocks = cursor.u32be();
  if (blockBytes < 512 || (blockBytes & (blockBytes - 1)) !== 0) throw toOdd('has blocks of an odd size');
  if (blocks * blockBytes > source.size) throw toOdd('ends too early');
  const toFork = (offset: number): Fork => readFork(header.subarray(offset, offset + forkBytes));
  const bare = { source, blockBytes, blocks, files, folders };
  const overflow = readOverflow({ ...bare, fork: toFork(forkOffsets.extents) }, budget);
  const catalog = withOverflow(toFork(forkOffsets.catalog), overflow.data.get(catalogFileId));
  const attributes = withOverflow(toFork(forkOffsets.attributes), overflow.data.get(attributesFileId));
  return { ...bare, overflow, catalog, attributes };
}

/**
 * A fork with the extents that stand in the overflow file.
 *
 * @throws TelltaleError when they do not go on where the record ends
 */
function withOverflow(fork: Fork, more: Overflow | undefined): Fork {
  if (more === undefined) return fork;
  if (countBlocks(fork.runs) !== more.startBlock) throw toOdd('has extents that do not follow one another');
  return { ...fork, runs: [...fork.runs, ...more.runs] };
}

/** The fork of a file. @throws TelltaleError when its extents in the overflow file do not go on where its record ends */
export function toWholeFork(fork: Fork, type: keyof typeof forkType, id: number, volume: HfsVolume): Fork {
  return withOverflow(fork, volume.overflow[type].get(id));
}

/**
 * Where the bytes of a fork lie, neighbours put together.
 *
 * @param bytes - so many from its start
 * @throws TelltaleError when they do not lie in the volume, or the fork has more or fewer blocks than it states
 */
export function toExtents(
  { runs, blocks }: Fork,
  bytes: number,
  volume: Pick<HfsVolume, 'blockBytes' | 'blocks'>,
): readonly Extent[] {
  if (countBlocks(runs) !== blocks) throw toOdd('has more or fewer blocks than it states');
  if (bytes > blocks * volume.blockBytes) throw toOdd('is larger than its blocks');
  const extents: Extent[] = [];
  let left = bytes;
  for (const { start, count } of runs) {
    if (start + count > volume.blocks) throw toOdd('has blocks behind the end');
    const size = Math.min(left, count * volume.blockBytes);
    const offset = start * volume.blockBytes;
    left -= size;
    if (size === 0) continue;
    const last = extents.at(-1);
    if (last !== undefined && last.offset + last.size === offset) {
      extents[extents.length - 1] = { offset: last.offset, size: last.size + size };
    } else extents.push({ offset, size });
  }
  return extents;
}

/** A range of something that lies in extents, as extents of its own. */
export function cutExtents(extents: readonly Extent[], offset: number, size: number): readonly Extent[] {
  const cut: Extent[] = [];
  let at = 0;
  for (const extent of extents) {
    const from = Math.max(offset, at);
    const to = Math.min(offset + size, at + extent.size);
    if (from < to) cut.push({ offset: extent.offset + from - at, size: to - from });
    at += extent.size;
  }
  return cut;
}

/** The bytes in some extents, one behind the other. */
export function openExtents(source: ByteSource, extents: readonly Extent[]): ByteSource {
  return chainSources(extents.map(({ offset, size }) => sliceSource(source, offset, size)));
}

interface OverflowFile extends Pick<HfsVolume, 'source' | 'blockBytes' | 'blocks'> {
  readonly fork: Fork;
}

function readOverflow({ fork, ...volume }: OverflowFile, budget: Budget): ExtentsOverflow {
  const overflow = { data: new Map<number, Overflow>(), resource: new Map<number, Overflow>() };
  if (isEmptyFork(fork)) return overflow;
  /** Id of the last file of each type: they come in ascending order. */
  const last = { data: -1, resource: -1 };
  let end = 0;
  let node = 0;
  let records = 0;
  for (const record of readLeafRecords(openTree(fork, volume), budget)) {
    const { bytes } = record;
    records += 1;
    if (records > overflowRecordsMax) throw toOdd('is in too many pieces');
    if (bytes.length !== 12 + extentsPerRecord * 8) throw toOdd('has an extents record of an odd size');
    const cursor = new Cursor(bytes);
    if (cursor.u16be() !== 10) throw toOdd('has an extents record with an odd key');
    const stated = cursor.u8();
    const id = cursor.skip(1).u32be();
    const startBlock = cursor.u32be();
    const type = stated === forkType.data ? 'data' : stated === forkType.resource ? 'resource' : undefined;
    if (type === undefined) throw toOdd('has extents of an unknown fork');
    const runs = readRuns(cursor);
    const known = overflow[type].get(id);
    if (known === undefined) {
      if (id < last[type]) throw toOdd('has extents records out of order');
      overflow[type].set(id, { startBlock, runs });
      end = startBlock;
    } else {
      // 7-Zip does not read a list that goes on from one node to the next.
      if (id !== last[type] || startBlock !== end || record.node !== node) {
        throw toOdd('has extents that do not follow one another');
      }
      known.runs.push(...runs);
    }
    last[type] = id;
    end += countBlocks(runs);
    node = record.node;
  }
  return overflow;
}

/** A B-tree file. */
export interface TreeFile {
  readonly file: ByteSource;
  /** Where it lies in the volume. */
  readonly extents: readonly Extent[];
}

/** @throws TelltaleError when it does not lie in the volume */
export function openTree(fork: Fork, volume: Pick<HfsVolume, 'source' | 'blockBytes' | 'blocks'>): TreeFile {
  if (fork.blocks >= volume.blocks || fork.size > fork.blocks * volume.blockBytes) {
    throw toOdd('has a tree that is larger than the volume');
  }
  const extents = toExtents(fork, fork.blocks * volume.blockBytes, volume);
  return { file: openExtents(volume.source, extents), extents };
}

/** A record of a leaf. */
export interface LeafRecord {
  readonly bytes: Uint8Array;
  /** In the file of the tree. */
  readonly offset: number;
  /** Number of the node in which it stands. */
  readonly node: number;
}

/**
 * The records of all leaves, in the order of the links between them. The index above the leaves is not used.
 *
 * @throws TelltaleError when a node is not in order, or the links run in a circle; `limit/time`
 */
export function* readLeafRecords({ file }: TreeFile, budget: Budget): Generator<LeafRecord, void, void> {
  const header = new Cursor(file, nodeDescriptorBytes + 10);
  const firstLeaf = header.u32be();
  const nodeBytes = header.skip(4).u16be();
  const nodes = header.skip(2).u32be();
  if (nodeBytes < nodeBytesMin || nodeBytes > nodeBytesMax || (nodeBytes & (nodeBytes - 1)) !== 0) {
    throw toOdd('has nodes of an odd size');
  }
  if (nodes * nodeBytes > file.size) throw toOdd('has more nodes than it has room for');
  const seen = new Set<number>();
  for (let number = firstLeaf; number !== 0; ) {
    budget.checkTime();
    if (number >= nodes || seen.has(number)) throw toOdd('has nodes that are not there, or in a circle');
    if (seen.size >= leavesMax) throw toOdd(`has more than ${leavesMax} leaves`);
    seen.add(number);
    const start = number * nodeBytes;
    const node = file.read(start, nodeBytes);
    const view = new DataView(node.buffer, node.byteOffset, node.byteLength);
    const records = view.getUint16(10);
    const limit = nodeBytes - (records + 1) * 2;
    if (view.getUint8(8) !== leafKind || limit < nodeDescriptorBytes)
      throw toOdd('has a node that is no leaf');
    let offset = view.getUint16(nodeBytes - 2);
    for (let index = 0; index < records; index += 1) {
      const next = view.getUint16(nodeBytes - 2 * (index + 2));
      if (offset < nodeDescriptorBytes || offset >= next || next > limit)
        throw toOdd('has records that overlap');
      yield { bytes: node.subarray(offset, next), offset: start + offset, node: number };
      offset = next;
    }
    number = view.getUint32(0);
  }
}
