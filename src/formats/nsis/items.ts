/**
 * The files of an NSIS installer, unpacked one after the other. Solid data are decoded once; members that follow a
 * fault in them cannot be reached.
 */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, readPassing, sliceSource } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { tryInflateUpTo } from '../../platform/inflate.ts';
import type { MemberInflow, MemberSink } from '../model.ts';
import { type Fault, toFault, toMemberFinding } from '../sevenzip/faults.ts';
import { Unfamiliar } from '../sevenzip/in-order.ts';
import { decodeItem, itemBytesMax, type Packing, tryOpenSolid } from './packing.ts';
import type { ScriptFile } from './script.ts';
import { StreamReader } from './stream-reader.ts';

/** Where an item of data that are not solid stands, behind its size. */
interface Range {
  readonly offset: number;
  readonly bytes: number;
  readonly isPacked: boolean;
}

/** A file, and where its data are. */
export interface Item extends ScriptFile {
  /** What the distance to the next item leaves for it, as 7-Zip says it; undefined for the last one, and others. */
  readonly size: number | undefined;
  /** The next file has the same data. */
  readonly isShared: boolean;
  /** The changes of an uninstaller and its data, or the data of another file; empty where data are solid. */
  readonly ranges: readonly Range[];
}

const packedFlag = 0x8000_0000;
/** A file that is there under several names is kept up to here, and decoded again above. */
const keptBytesMax = 16 * 1024 * 1024;
/** The properties of LZMA, and what starts its decoder. */
const lzmaBytesMin = 10;

/**
 * Finds the data of the files.
 *
 * @throws Unfamiliar or TelltaleError when some are not where they should be
 */
export function locateItems(
  source: ByteSource,
  packing: Packing,
  files: readonly ScriptFile[],
): readonly Item[] {
  const sizes = estimateSizes(files);
  return files.map((given, index) => {
    const { position, patchBytes } = given;
    const isShared = position !== undefined && files[index + 1]?.position === position;
    const file = { ...given, isShared, ranges: [] };
    if (position === undefined) return { ...file, size: 0 };
    if (packing.isSolid) return { ...file, size: sizes[index] };
    const first = locateItem(source, packing, packing.dataStart + position);
    const ranges =
      patchBytes === 0 ? [first] : [first, locateItem(source, packing, first.offset + first.bytes)];
    return { ...file, size: first.isPacked ? undefined : first.bytes, ranges };
  });
}

function locateItem(source: ByteSource, { method, end }: Packing, at: number): Range {
  const stored = new Cursor(source, at).u32();
  const isPacked = stored >= packedFlag;
  const range = { offset: at + 4, bytes: isPacked ? stored - packedFlag : stored, isPacked };
  const isOdd =
    range.offset + range.bytes > end ||
    (isPacked && (method === 'stored' || (method === 'lzma' && range.bytes < lzmaBytesMin)));
  if (isOdd) throw new Unfamiliar();
  return range;
}

/** The files come in the order of their data: behind the size of a file, its bytes end where the next one begins. */
function estimateSizes(files: readonly ScriptFile[]): readonly (number | undefined)[] {
  let next = 0;
  return files.map(({ position }) => {
    if (position === undefined) return undefined;
    while (next < files.length && (files[next]?.position ?? 0) < position + 4) next += 1;
    const following = files[next]?.position;
    return following === undefined ? undefined : following - position - 4;
  });
}

/** What a file turned out to be: whole, faulty, no longer wanted, or one that only the other decoder can tell about. */
type Outcome = 'whole' | 'stopped' | 'other' | Fault;
/** Takes bytes of a file; false: no more is wanted. */
type Use = (piece: Uint8Array) => boolean;

const damaged = toFault('Data Error');

function toError({ code, message }: Fault): TelltaleError {
  return new TelltaleError(code, message);
}

/** What a decoder threw is a fault of the data, or there is no memory for it; another limit goes on up. */
function toDataFault(error: unknown): Fault {
  if (error instanceof TelltaleError && error.code.startsWith('malformed/')) return damaged;
  if (error instanceof TelltaleError && error.code === 'limit/memory') return error;
  throw error;
}

/** A pass over the files, from the first to the last. */
interface Pass {
  unpack(item: Item, use: Use): Outcome;
  /** Passes over a file that is not wanted. */
  skip(item: Item): void;
  close(): void;
}

/** Data that are one stream: behind a fault nothing can be reached. */
class SolidPass implements Pass {
  readonly #source: ByteSource;
  readonly #packing: Packing;
  readonly #budget: Budget;
  #stream: StreamReader | undefined;
  #fault: Fault | undefined;
  #isForOther = false;
  /** The file before, for when it is there under another name as well; without its bytes when it is too large. */
  #last: { readonly position: number; readonly pieces: readonly Uint8Array[] | undefined } | undefined;

  constructor(source: ByteSource, packing: Packing, budget: Budget) {
    this.#source = source;
    this.#packing = packing;
    this.#budget = budget;
  }

  skip(item: Item): void {
    this.unpack(item, () => true);
  }

  unpack(item: Item, use: Use): Outcome {
    if (this.#fault !== undefined) return this.#fault;
    if (item.position === undefined) return 'whole';
    if (this.#isForOther) return 'other';
    if (this.#last?.position === item.position) {
      const { pieces } = this.#last;
      if (pieces !== undefined) return pieces.every(use) ? 'whole' : 'stopped';
      // From the start once more.
      this.close();
    }
    try {
      return this.#decode(item.position, item, use);
    } catch (error) {
      this.#fault = toDataFault(error);
      return this.#fault;
    }
  }

  #decode(position: number, { patchBytes, isShared }: Item, use: Use): Outcome {
    this.#stream ??= tryOpenSolid(this.#source, this.#packing, this.#budget);
    const stream = this.#stream;
    if (stream === undefined) {
      this.#isForOther = true;
      return 'other';
    }
    const distance = this.#packing.dataStart + position - stream.position;
    // It lies inside of the one before it.
    if (distance < 0) throw toError(damaged);
    stream.skip(distance);
    if (patchBytes > 0) {
      if (takeSize(stream) !== patchBytes) throw toError(damaged);
      stream.skip(patchBytes);
    }
    const size = takeSize(stream);
    const pieces: Uint8Array[] = [];
    const keeps = isShared && size <= keptBytesMax;
    this.#last = { position, pieces: keeps ? pieces : undefined };
    const isWanted = stream.pass(size, (piece) => {
      if (keeps) pieces.push(piece.slice());
      return use(piece);
    });
    return isWanted ? 'whole' : 'stopped';
  }

  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }
}

function takeSize(stream: StreamReader): number {
  return new Cursor(stream.take(4)).u32();
}

/** Data of which each item is a stream of its own. */
class SeparatePass implements Pass {
  readonly #source: ByteSource;
  readonly #packing: Packing;
  readonly #budget: Budget;

  constructor(source: ByteSource, packing: Packing, budget: Budget) {
    this.#source = source;
    this.#packing = packing;
    this.#budget = budget;
  }

  skip(): void {}

  close(): void {}

  unpack({ ranges, patchBytes }: Item, use: Use): Outcome {
    const data = ranges.at(-1);
    if (data === undefined) return 'whole';
    const changes = ranges.length > 1 ? ranges[0] : undefined;
    if (changes !== undefined) {
      const outcome = this.#checkChanges(changes, patchBytes);
      if (outcome !== 'whole') return outcome;
    }
    const bytes = sliceSource(this.#source, data.offset, data.bytes);
    if (!data.isPacked) return passAll(readPassing(bytes), use);
    if (this.#packing.method === 'lzma') return passAll(decodeItem(bytes, this.#budget), use);
    // A stream that zlib refuses may be in order all the same: old versions leave out a part of stored blocks.
    const unpacked = tryInflateUpTo(bytes.read(0, bytes.size), itemBytesMax);
    this.#budget.checkTime();
    return unpacked === undefined ? 'other' : passAll([unpacked], use);
  }

  /** The changes to the program of an uninstaller are not used: it is not here. They have to be in order, though. */
  #checkChanges({ offset, bytes, isPacked }: Range, patchBytes: number): Outcome {
    if (!isPacked) return bytes === patchBytes ? 'whole' : damaged;
    const packed = sliceSource(this.#source, offset, bytes);
    if (this.#packing.method === 'deflate') {
      const unpacked = tryInflateUpTo(packed.read(0, bytes), itemBytesMax);
      return unpacked === undefined || unpacked.length < patchBytes ? 'other' : 'whole';
    }
    const stream = new StreamReader(decodeItem(packed, this.#budget));
    try {
      stream.skip(patchBytes);
      return 'whole';
    } catch (error) {
      return toDataFault(error);
    } finally {
      stream.close();
    }
  }
}

function passAll(pieces: Iterable<Uint8Array>, use: Use): Outcome {
  let isBegun = false;
  try {
    for (const piece of pieces) {
      isBegun = true;
      if (!use(piece)) return 'stopped';
    }
    return 'whole';
  } catch (error) {
    const fault = toDataFault(error);
    // The other decoder may have more memory.
    return fault.code === 'limit/memory' && !isBegun ? 'other' : fault;
  }
}

/** How far {@link pourItems} came. */
export type PourEnd =
  | { readonly kind: 'done' }
  /** The sink has no room, or wants no more: the number of the first file that was not delivered. */
  | { readonly kind: 'next'; readonly number: number }
  /** From that file on it is for the other decoder. */
  | { readonly kind: 'other'; readonly number: number };

/**
 * Unpacks the files from number `from` on into the sink, in stored order.
 *
 * @throws TelltaleError `limit/time`, `limit/memory`, after the file on its way was ended with it
 */
export function pourItems(
  source: ByteSource,
  packing: Packing,
  items: readonly Item[],
  budget: Budget,
  sink: MemberSink,
  from: number,
): PourEnd {
  const pass = packing.isSolid
    ? new SolidPass(source, packing, budget)
    : new SeparatePass(source, packing, budget);
  try {
    for (const [number, item] of items.entries()) {
      if (number < from) {
        pass.skip(item);
        continue;
      }
      const end = pourItem(pass, item, sink, number);
      if (end !== undefined) return end;
    }
    return { kind: 'done' };
  } finally {
    pass.close();
  }
}

function pourItem(pass: Pass, item: Item, sink: MemberSink, number: number): PourEnd | undefined {
  let inflow: MemberInflow | undefined;
  let isRefused = false;
  /** Not before the first byte: up to there it may be for the other decoder. */
  const begin = (): MemberInflow | undefined => {
    if (inflow !== undefined || isRefused) return inflow;
    const begun = sink.begin({ name: item.name, relation: 'file' }, item.size);
    if (begun === 'later' || begun === 'stop') isRefused = true;
    else inflow = begun;
    return inflow;
  };
  let outcome: Outcome;
  try {
    outcome = pass.unpack(item, (piece) => begin()?.write(piece) === true);
  } catch (error) {
    if (error instanceof TelltaleError) inflow?.end(toMemberFinding(error));
    throw error;
  }
  if (outcome === 'other') return { kind: 'other', number };
  const ended = begin();
  if (ended === undefined) return { kind: 'next', number };
  if (outcome === 'stopped' || outcome === 'whole') ended.end();
  else ended.end(toMemberFinding(outcome));
  return outcome === 'stopped' ? { kind: 'next', number: number + 1 } : undefined;
}
