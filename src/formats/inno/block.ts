/**
 * Compressed blocks of Inno Setup: a small header with a checksum, then pieces of 4,096 bytes, each behind its CRC-32;
 * the pieces together are one stream, stored or compressed with zlib (before 4.1.6) or LZMA.
 *
 * @see https://github.com/jrsoftware/issrc `TCompressedBlockReader` in `Projects/Src/Compression.Base.pas`
 * @see https://github.com/dscharrer/innoextract `src/stream/block.cpp`
 */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, joinBytes, readUpTo, toByteSource } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { decodeDeflate } from '../../bytes/deflate.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { crc32, isZlibHeader } from '../../platform/inflate.ts';
import { decodeLzmaChunks, toLzmaProperties } from '../codecs/lzma.ts';
import { type InnoVersion, toVersionNumber } from './version.ts';

const pieceBytes = 4096;
const checksumBytes = 4;
/** Setup data of large installers has a few hundred kilobytes, setup programs three megabytes. */
export const blockLimitBytes = 64 * 1024 * 1024;
const lzmaPropertyBytes = 5;

/** What a block gave. */
export interface Block {
  readonly bytes: Uint8Array;
  /** Offset of the first byte behind the block. */
  readonly end: number;
  /** Why it is not whole, or not certain; the first fault. */
  readonly fault: TelltaleError | undefined;
}

/**
 * Decodes one block. Damage ends the decoding, a wrong checksum does not.
 *
 * @param offset - where the block starts in the source
 * @param budget - charged for the decoded bytes
 * @throws TelltaleError `malformed/truncated` when there is no room for a block header, `malformed/checksum` when the
 *   header does not match its checksum (its size cannot be trusted then), and limits
 */
export function readBlock(source: ByteSource, offset: number, version: InnoVersion, budget: Budget): Block {
  const header = readBlockHeader(source, offset, version);
  const start = offset + header.size;
  const available = Math.max(0, source.size - start);
  let fault: TelltaleError | undefined;
  const note = (error: TelltaleError): void => {
    fault ??= error;
  };
  if (header.storedBytes > available) {
    note(
      new TelltaleError(
        'malformed/truncated',
        `ends ${header.storedBytes - available} bytes before its setup data does`,
        {
          offset: source.size,
        },
      ),
    );
  }
  const end = start + Math.min(header.storedBytes, available);
  const pieces = readPieces(source, start, end, note);
  const decoded: Uint8Array[] = [];
  let size = 0;
  try {
    for (const chunk of decodePieces(pieces, header.compression, budget)) {
      budget.chargeBytes(chunk.length);
      size += chunk.length;
      if (size > Math.min(blockLimitBytes, budget.limits.memberBytesInMemory)) {
        throw new TelltaleError(
          'limit/memory',
          `has setup data that unpacks to more than ${blockLimitBytes} bytes`,
          { offset },
        );
      }
      decoded.push(chunk.slice());
    }
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    // Offsets inside the compressed stream mean nothing to anyone.
    note(new TelltaleError(error.code, error.message, { offset }));
  }
  return { bytes: joinBytes(decoded), end, fault };
}

/** Offset of the first byte behind a block, by its header alone; undefined when the header is damaged. */
export function tryFindBlockEnd(
  source: ByteSource,
  offset: number,
  version: InnoVersion,
): number | undefined {
  try {
    const header = readBlockHeader(source, offset, version);
    return offset + header.size + header.storedBytes;
  } catch (error) {
    if (error instanceof TelltaleError) return undefined;
    throw error;
  }
}

type Compression = 'stored' | 'zlib' | 'lzma';

interface BlockHeader {
  readonly size: number;
  /** With the checksums of the pieces. */
  readonly storedBytes: number;
  readonly compression: Compression;
}

const lzmaSince = toVersionNumber('4.1.6');
const flagSince = toVersionNumber('4.0.9');
const longSizeSince = toVersionNumber('6.7.0');

function readBlockHeader(source: ByteSource, offset: number, version: InnoVersion): BlockHeader {
  const hasFlag = version.number >= flagSince;
  const hasLongSize = version.number >= longSizeSince;
  const fieldBytes = hasFlag ? (hasLongSize ? 9 : 5) : 8;
  const bytes = readUpTo(source, offset, checksumBytes + fieldBytes);
  if (bytes.length < checksumBytes + fieldBytes) {
    throw new TelltaleError('malformed/truncated', 'ends before its setup data', { offset: source.size });
  }
  const cursor = new Cursor(bytes);
  if (cursor.u32() !== crc32(bytes.subarray(checksumBytes))) {
    throw new TelltaleError('malformed/checksum', 'has setup data whose header does not match its checksum', {
      offset,
    });
  }
  const size = bytes.length;
  if (hasFlag) {
    const storedBytes = hasLongSize ? cursor.u64() : cursor.u32();
    const isCompressed = cursor.u8() !== 0;
    const compression = isCompressed ? (version.number >= lzmaSince ? 'lzma' : 'zlib') : 'stored';
    return { size, storedBytes, compression };
  }
  const compressedBytes = cursor.u32();
  const uncompressedBytes = cursor.u32();
  const isStored = compressedBytes === 0xffff_ffff;
  const contentBytes = isStored ? uncompressedBytes : compressedBytes;
  return {
    size,
    storedBytes: contentBytes + Math.ceil(contentBytes / pieceBytes) * checksumBytes,
    compression: isStored ? 'stored' : 'zlib',
  };
}

function* readPieces(
  source: ByteSource,
  start: number,
  end: number,
  note: (error: TelltaleError) => void,
): Generator<Uint8Array> {
  for (let at = start; at < end; ) {
    const piece = source.read(at, Math.min(checksumBytes + pieceBytes, end - at));
    if (piece.length <= checksumBytes) {
      note(
        new TelltaleError('malformed/truncated', 'has setup data that ends in a checksum', { offset: at }),
      );
      return;
    }
    const content = piece.subarray(checksumBytes);
    if (new Cursor(piece).u32() !== crc32(content)) {
      note(
        new TelltaleError('malformed/checksum', 'has setup data that does not match its checksum', {
          offset: at,
        }),
      );
    }
    yield content;
    at += piece.length;
  }
}

function* decodePieces(
  pieces: Iterable<Uint8Array>,
  compression: Compression,
  budget: Budget,
): Generator<Uint8Array> {
  switch (compression) {
    case 'stored':
      yield* pieces;
      return;
    case 'zlib': {
      const stream = toByteSource(joinBytes([...pieces]));
      if (!isZlibHeader(readUpTo(stream, 0, 2))) {
        throw new TelltaleError('malformed/header', 'has setup data without a zlib header');
      }
      yield* decodeDeflate(stream, 2);
      return;
    }
    case 'lzma':
      yield* decodeLzmaWithHeader(pieces, budget);
  }
}

/**
 * LZMA as Inno Setup stores it: one byte of properties, four of dictionary size, then the stream.
 *
 * @yields chunks with memory of their own
 * @throws TelltaleError as `decodeLzmaChunks`
 */
export function* decodeLzmaWithHeader(input: Iterable<Uint8Array>, budget: Budget): Generator<Uint8Array> {
  const chunks = input[Symbol.iterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < lzmaPropertyBytes) {
    const next = chunks.next();
    if (next.done === true) throw new TelltaleError('malformed/truncated', 'ends before its compressed data');
    const joined = new Uint8Array(head.length + next.value.length);
    joined.set(head);
    joined.set(next.value, head.length);
    head = joined;
  }
  const cursor = new Cursor(head);
  const properties = cursor.u8();
  const dictionaryBytes = cursor.u32();
  const rest = head.subarray(lzmaPropertyBytes);
  yield* decodeLzmaChunks(prepend(rest, chunks), {
    ...toLzmaProperties(properties),
    dictionaryBytes,
    budget,
  });
}

function* prepend(first: Uint8Array, rest: Iterator<Uint8Array>): Generator<Uint8Array> {
  if (first.length > 0) yield first;
  for (let next = rest.next(); next.done !== true; next = rest.next()) yield next.value;
}
