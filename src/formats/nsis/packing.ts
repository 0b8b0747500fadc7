/**
 * How the data of an NSIS installer are packed, and the script in front of them.
 *
 * https://github.com/kichik/nsis/blob/master/Source/exehead/fileform.h (struct firstheader, and the notes before it):
 * solid data are one stream, which holds the script and all files, each with its size in front; else each of them is a
 * stream of its own. Nothing says which method it is, it is told by how the stream begins.
 */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, readPassing, readUpTo, sliceSource } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { decodeDeflate } from '../../bytes/deflate.ts';
import { tryInflateBlock, tryInflateUpTo } from '../../platform/inflate.ts';
import { decodeLzmaChunks, toLzmaProperties } from '../codecs/lzma.ts';
import { isNsisHeader } from '../recognised.ts';
import { Unfamiliar } from '../sevenzip/in-order.ts';
import { StreamReader } from './stream-reader.ts';

export type Method = 'stored' | 'deflate' | 'lzma';

/** Where everything is; offsets in the source. */
export interface Packing {
  readonly isSolid: boolean;
  readonly method: Method;
  /** Of the script, unpacked. */
  readonly headerBytes: number;
  /** Of solid data, or of the packed script behind its size. */
  readonly start: number;
  /** Of the first item that is no script; for solid data in the unpacked stream. */
  readonly dataStart: number;
  /** End of everything that belongs to the installer. */
  readonly end: number;
}

const firstHeaderBytes = 28;
/** Uninstaller, silent, and whether the checksum is there. */
const knownFlags = 0xf;
const packedFlag = 0x8000_0000;
/** A size, the properties of LZMA and two bytes of its stream. */
const beginningBytes = 12;
const lzmaPropertiesBytes = 5;
const headerBytesMax = 16 * 1024 * 1024;
/** What is packed with deflate is unpacked at once, up to here. */
export const itemBytesMax = 64 * 1024 * 1024;

/**
 * How it is packed.
 *
 * @param source - begins with the first header
 * @param dictionaryBytesMax - as much memory as there is for decoding solid data
 * @throws Unfamiliar or TelltaleError when it is none of the ways that are read here
 */
export function readPacking(source: ByteSource, dictionaryBytesMax: number): Packing {
  const first = source.read(0, firstHeaderBytes);
  const flags = new Cursor(first).u32();
  const headerBytes = new Cursor(first, 20).u32();
  const end = new Cursor(first, 24).u32();
  if (!isNsisHeader(first) || (flags & ~knownFlags) !== 0 || end > source.size) throw new Unfamiliar();
  if (headerBytes === 0 || headerBytes > headerBytesMax || end < firstHeaderBytes + beginningBytes)
    throw new Unfamiliar();
  const beginning = source.read(firstHeaderBytes, beginningBytes);
  const size = new Cursor(beginning).u32();
  const shared = { headerBytes, end };
  const start = firstHeaderBytes + 4;
  if (size === headerBytes)
    return { ...shared, isSolid: false, method: 'stored', start, dataStart: start + headerBytes };
  if (isLzma(beginning)) {
    const dictionaryBytes = new Cursor(beginning, 1).u32();
    if (dictionaryBytes > dictionaryBytesMax) throw new Unfamiliar();
    return { ...shared, isSolid: true, method: 'lzma', start: firstHeaderBytes, dataStart: 4 + headerBytes };
  }
  const item = beginning.subarray(4);
  const isSolid = beginning[3] !== 0x80;
  // A stream behind the byte of 7-Zip's own filter, and bzip2 in the variant of NSIS.
  if (isFiltered(beginning) || isBzip2(isSolid ? beginning : item) || (!isSolid && isFiltered(item)))
    throw new Unfamiliar();
  if (isSolid)
    return { ...shared, isSolid, method: 'deflate', start: firstHeaderBytes, dataStart: 4 + headerBytes };
  const dataStart = start + size - packedFlag;
  if (dataStart > end) throw new Unfamiliar();
  return { ...shared, isSolid, method: isLzma(item) ? 'lzma' : 'deflate', start, dataStart };
}

/** What makensis writes: the usual properties, a dictionary of whole 64 KiB, and the first byte of any stream. */
function isLzma(bytes: Uint8Array): boolean {
  const [properties, low, second, , , first, next = 0x80] = bytes;
  return properties === 0x5d && low === 0 && second === 0 && first === 0 && next < 0x80;
}

function isFiltered(bytes: Uint8Array): boolean {
  return (bytes[0] ?? 2) <= 1 && isLzma(bytes.subarray(1));
}

/** The magic of a block in one byte, and the start of its text, which is below 900,000. */
function isBzip2([first, second = 0]: Uint8Array): boolean {
  return first === 0x31 && second < 14;
}

/**
 * The script, unpacked.
 *
 * @throws Unfamiliar or TelltaleError when it is damaged; `limit/time`
 */
export function unpackHeader(source: ByteSource, packing: Packing, budget: Budget): Uint8Array {
  const { isSolid, method, headerBytes, start, dataStart, end } = packing;
  const packed = sliceSource(source, start, (isSolid ? end : dataStart) - start);
  switch (method) {
    case 'stored':
      return packed.read(0, headerBytes);
    case 'deflate': {
      if (isSolid) return takeHeader(decodeSlowly(packed, budget), packing);
      const unpacked = tryInflateBlock(packed.read(0, packed.size), headerBytes, new Uint8Array(0));
      if (unpacked === undefined) throw new Unfamiliar();
      return unpacked;
    }
    case 'lzma':
      return takeHeader(decodeItem(packed, budget, isSolid ? dataStart : headerBytes), packing);
  }
}

/** Only as much as is needed: native zlib would decode it all. */
function* decodeSlowly(packed: ByteSource, budget: Budget): Generator<Uint8Array> {
  for (const chunk of decodeDeflate(packed)) {
    budget.checkTime();
    yield chunk;
  }
}

/** The script is the first item of solid data, with its size in front. */
function takeHeader(chunks: Generator<Uint8Array>, { isSolid, headerBytes }: Packing): Uint8Array {
  const stream = new StreamReader(chunks);
  try {
    if (isSolid && new Cursor(stream.take(4)).u32() !== headerBytes) throw new Unfamiliar();
    return stream.take(headerBytes);
  } finally {
    stream.close();
  }
}

/** Solid data from their start: the size of the script, the script, and the items; undefined when zlib refuses them. */
export function tryOpenSolid(
  source: ByteSource,
  { method, start, end }: Packing,
  budget: Budget,
): StreamReader | undefined {
  const packed = sliceSource(source, start, end - start);
  if (method === 'lzma') return new StreamReader(decodeItem(packed, budget));
  if (packed.size > itemBytesMax) return undefined;
  const unpacked = tryInflateUpTo(packed.read(0, packed.size), itemBytesMax);
  return unpacked && new StreamReader([unpacked].values());
}

/**
 * A stream of LZMA with its properties in front, up to its end mark. A chunk is good only until the next one.
 *
 * @param bytes - no more than that is wanted
 * @throws TelltaleError as {@link decodeLzmaChunks}
 */
export function* decodeItem(packed: ByteSource, budget: Budget, bytes?: number): Generator<Uint8Array> {
  const head = readUpTo(packed, 0, lzmaPropertiesBytes);
  const properties = new Cursor(head).u8();
  const dictionaryBytes = new Cursor(head, 1).u32();
  const rest = sliceSource(packed, lzmaPropertiesBytes, packed.size - lzmaPropertiesBytes);
  yield* decodeLzmaChunks(readPassing(rest), {
    ...toLzmaProperties(properties),
    dictionaryBytes,
    ...(bytes === undefined ? {} : { outputBytes: bytes }),
    budget,
    usesChunksAgain: true,
  });
}
