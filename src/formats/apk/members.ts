/**
 * Members of an Android package: which there are, at little cost, and their bytes as Android reads them.
 *
 * Android believes the central directory alone, takes every method but Deflate for "stored" and does not look at the
 * flag that says that a member is encrypted. Packages are made that other software cannot open for that reason.
 * https://android.googlesource.com/platform/system/libziparchive/
 */
import { Budget, defaultLimits } from '../../bytes/budget.ts';
import { type ByteSource, readChunks, readUpTo, sliceSource, toByteSource } from '../../bytes/byte-source.ts';
import { toLatin1 } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { inflate } from '../../platform/inflate.ts';
import type { ReadContext } from '../model.ts';
import type { ZipArchive, ZipEntry } from '../zip.ts';
import {
  centralHeaderBytes,
  centralSignature,
  endRecordBytes,
  findEndRecordsBackward,
  maximumCommentBytes,
  tryReadEndRecord,
  tryReadLocalHeader,
  tryReadSignature,
} from '../zip/records.ts';

const deflated = 8;
/** Bytes of a central directory that are looked through to tell what a file is. */
const probedDirectoryBytes = 64 * 1024 * 1024;
const windowBytes = 256 * 1024;
/** Local headers that are looked at when there is no directory. */
const probedLocalHeaders = 64;
const probedEndRecords = 16;
const probeMilliseconds = 2_000;

/**
 * Names that the central directory lists, as bytes read one character each. Where there is none, those of the first
 * members. Never throws.
 */
export function* listNames(source: ByteSource): Generator<string> {
  try {
    const budget = new Budget(source.size, { ...defaultLimits, milliseconds: probeMilliseconds });
    const directory = tryFindDirectory(source, budget);
    if (directory === undefined) yield* listLocalNames(source);
    else yield* listCentralNames(source, directory, budget);
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
  }
}

interface Directory {
  readonly start: number;
  readonly end: number;
}

function tryFindDirectory(source: ByteSource, budget: Budget): Directory | undefined {
  const tail = Math.max(0, source.size - endRecordBytes - maximumCommentBytes);
  let seen = 0;
  for (const offset of findEndRecordsBackward(source, tail, source.size, budget)) {
    const end = tryReadEndRecord(source, offset);
    seen += 1;
    if (seen > probedEndRecords) return undefined;
    if (end === undefined) continue;
    for (const start of [end.tailOffset - end.directorySize, end.directoryOffset]) {
      if (start < end.tailOffset && tryReadSignature(source, start) === centralSignature) {
        return { start, end: end.tailOffset };
      }
    }
  }
  return undefined;
}

/** Offset of the central directory; undefined when there is none. Never throws. */
export function tryFindDirectoryStart(source: ByteSource): number | undefined {
  try {
    return tryFindDirectory(source, new Budget(source.size))?.start;
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    return undefined;
  }
}

function* listCentralNames(source: ByteSource, { start, end }: Directory, budget: Budget): Generator<string> {
  const limit = Math.min(end, start + probedDirectoryBytes);
  let window: Uint8Array = new Uint8Array(0);
  let windowStart = start;
  const read = (offset: number, length: number): Uint8Array => {
    if (offset < windowStart || offset + length > windowStart + window.length) {
      window = readUpTo(source, offset, Math.max(length, windowBytes));
      windowStart = offset;
      budget.checkTime();
    }
    return window.subarray(offset - windowStart, offset - windowStart + length);
  };
  for (let offset = start; offset + centralHeaderBytes <= limit; ) {
    const header = read(offset, centralHeaderBytes);
    if (header.length < centralHeaderBytes) return;
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    if (view.getUint32(0, true) !== centralSignature) return;
    const nameLength = view.getUint16(28, true);
    const name = read(offset + centralHeaderBytes, nameLength);
    if (name.length < nameLength) return;
    yield toLatin1(name);
    offset += centralHeaderBytes + nameLength + view.getUint16(30, true) + view.getUint16(32, true);
  }
}

function* listLocalNames(source: ByteSource): Generator<string> {
  let offset = 0;
  for (let seen = 0; seen < probedLocalHeaders; seen += 1) {
    const header = tryReadLocalHeader(source, offset);
    if (header === undefined) return;
    yield toLatin1(header.rawName);
    offset += header.length + header.compressedSize;
  }
}

/** The name as Android reads it: UTF-8, whatever the flags and extra fields say. */
export function toAndroidName({ rawName }: ZipEntry): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(rawName);
}

/** A member that the central directory lists; the first of several. */
export function findListed(archive: ZipArchive, name: string): ZipEntry | undefined {
  return archive.entries.find((entry) => entry.view === 'directory' && toAndroidName(entry) === name);
}

/**
 * The bytes of a member as Android reads them. Nothing is charged.
 *
 * @throws TelltaleError `malformed/*` after the last byte that could be decoded
 */
export async function* decodeAsAndroid(
  source: ByteSource,
  entry: ZipEntry,
): AsyncGenerator<Uint8Array, void, void> {
  if (entry.dataOffset === undefined) {
    throw new TelltaleError(
      'malformed/structure',
      'is listed, but there is no local header where the list says',
      {
        offset: entry.headerOffset,
      },
    );
  }
  if (entry.method === deflated) {
    yield* inflate(sliceSource(source, entry.dataOffset, entry.available), 'raw');
    return;
  }
  yield* readChunks(toStoredRange(source, entry, entry.dataOffset));
}

function toStoredRange(source: ByteSource, entry: ZipEntry, dataOffset: number): ByteSource {
  const size = entry.method === 0 ? entry.available : Math.min(entry.size ?? 0, source.size - dataOffset);
  return sliceSource(source, dataOffset, size);
}

/**
 * A member for random access: a stored one as it lies there, another one in memory. Bytes are charged.
 *
 * @param limit - bytes that may be kept in memory
 * @throws TelltaleError as {@link decodeAsAndroid}, and `limit/memory` beyond the limit, `limit/*` of the budget
 */
export async function openAsAndroid(
  source: ByteSource,
  entry: ZipEntry,
  limit: number,
  { budget }: Pick<ReadContext, 'budget'>,
): Promise<ByteSource> {
  if (entry.method !== deflated && entry.dataOffset !== undefined) {
    return toStoredRange(source, entry, entry.dataOffset);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of decodeAsAndroid(source, entry)) {
    budget.chargeBytes(chunk.length);
    size += chunk.length;
    if (size > limit) {
      throw new TelltaleError('limit/memory', `unpacks to more than ${limit} bytes`, {
        offset: entry.headerOffset,
      });
    }
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return toByteSource(whole);
}

/** How Android reads a member otherwise than other software; undefined when it does not. */
export function tryDescribeTrick(entry: ZipEntry): string | undefined {
  if ((entry.flags & 1) !== 0) return 'is marked as encrypted, which Android does not look at';
  if (entry.method !== deflated && entry.method !== 0) {
    return `is marked as packed with method ${entry.method}, which Android takes for not packed`;
  }
  return undefined;
}
