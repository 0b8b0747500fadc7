/**
 * The records of a ZIP file, as they lie in it; nothing is judged here.
 *
 * Specification: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (sections 4.3 to 4.6).
 */
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import type { Budget } from '../../bytes/budget.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { crc32 } from '../../platform/inflate.ts';

export const localSignature = 0x04034b50;
export const descriptorSignature = 0x08074b50;
export const centralSignature = 0x02014b50;
export const endSignature = 0x06054b50;
export const end64Signature = 0x06064b50;
export const locator64Signature = 0x07064b50;
export const digitalSignatureSignature = 0x05054b50;

export const localHeaderBytes = 30;
export const centralHeaderBytes = 46;
export const endRecordBytes = 22;
export const locator64Bytes = 20;
export const end64RecordBytes = 56;
export const maximumCommentBytes = 0xffff;

const saturated16 = 0xffff;
const saturated32 = 0xffffffff;

/** General purpose bit flags (section 4.4.4). */
export const flag = {
  encrypted: 0x0001,
  descriptor: 0x0008,
  strongEncryption: 0x0040,
  utf8: 0x0800,
  maskedHeader: 0x2000,
} as const;

/** Names of compression methods (section 4.4.5), as people know them. */
const methodNames: Readonly<Record<number, string>> = {
  0: 'stored',
  1: 'Shrink',
  2: 'Reduce 1',
  3: 'Reduce 2',
  4: 'Reduce 3',
  5: 'Reduce 4',
  6: 'Implode',
  8: 'Deflate',
  9: 'Deflate64',
  10: 'PKWARE DCL Implode',
  12: 'bzip2',
  14: 'LZMA',
  16: 'IBM z/OS CMPSC',
  18: 'IBM TERSE',
  19: 'IBM LZ77',
  20: 'Zstandard (old number)',
  93: 'Zstandard',
  94: 'MP3',
  95: 'XZ',
  96: 'JPEG',
  97: 'WavPack',
  98: 'PPMd',
  99: 'AES encryption',
};

export function toMethodName(method: number): string {
  return methodNames[method] ?? `method ${method}`;
}

/** What a local header and a central record both say about a member; sizes in bytes, claims all of them. */
export interface EntryHeader {
  /** Offset of the record in the source. */
  readonly offset: number;
  /** Length of the record in bytes, with name, extra field and comment. */
  readonly length: number;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly rawName: Uint8Array;
  readonly name: string;
  /** As in the AES extra field 0x9901: key length in bits and the method below the encryption. */
  readonly aes: { readonly bits: number; readonly method: number } | undefined;
}

export interface CentralRecord extends EntryHeader {
  /** Offset of the local header, counted from where the archive believes to start. */
  readonly localOffset: number;
  readonly disk: number;
  readonly madeBy: number;
  readonly externalAttributes: number;
}

/** The upper half of code page 437, the character set of ZIP where nothing else is said (appendix D). */
const codePage437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const looseGb18030 = new TextDecoder('gb18030', { ignoreBOM: true });

/**
 * A name or comment as text. UTF-8 when it is valid UTF-8, whatever the flag says, since many writers forget the
 * flag; else GB18030, in which Chinese Windows software writes names; else code page 437.
 */
export function decodeZipText(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    const chinese = looseGb18030.decode(bytes);
    if (!chinese.includes('\ufffd')) return chinese;
    let text = '';
    for (const byte of bytes) {
      text += byte < 0x80 ? String.fromCharCode(byte) : (codePage437[byte - 0x80] ?? '\ufffd');
    }
    return text;
  }
}

interface Extra {
  readonly size: number;
  readonly compressedSize: number;
  readonly localOffset: number;
  readonly disk: number;
  readonly unicodeName: string | undefined;
  readonly aes: EntryHeader['aes'];
}

/** The extra fields that matter here; a field that is cut off ends the reading of them, as everywhere. */
function readExtra(
  extra: Uint8Array,
  rawName: Uint8Array,
  claimed: { size: number; compressedSize: number; localOffset: number; disk: number },
): Extra {
  let { size, compressedSize, localOffset, disk } = claimed;
  let unicodeName: string | undefined;
  let aes: EntryHeader['aes'];
  const cursor = new Cursor(extra);
  while (cursor.remaining >= 4) {
    const id = cursor.u16();
    const length = cursor.u16();
    if (length > cursor.remaining) break;
    const field = new Cursor(cursor.bytes(length));
    if (id === 0x0001) {
      // Only the values that do not fit their 32 bits are here, in this order (section 4.5.3).
      if (size === saturated32 && field.remaining >= 8) size = toLength(field.u64big());
      if (compressedSize === saturated32 && field.remaining >= 8) compressedSize = toLength(field.u64big());
      if (localOffset === saturated32 && field.remaining >= 8) localOffset = toLength(field.u64big());
      if (disk === saturated16 && field.remaining >= 4) disk = field.u32();
    } else if (id === 0x7075 && length > 5 && field.u8() === 1 && field.u32() === crc32(rawName)) {
      try {
        unicodeName = strictUtf8.decode(field.bytes(field.remaining));
      } catch {
        // Not UTF-8 after all: the name in the header counts.
      }
    } else if (id === 0x9901 && length >= 7) {
      field.skip(4);
      const strength = field.u8();
      aes = { bits: 64 + strength * 64, method: field.u16() };
    }
  }
  return { size, compressedSize, localOffset, disk, unicodeName, aes };
}

/** No file is longer than 2^53 - 1 bytes; a larger number is a lie that any bound will catch. */
function toLength(value: bigint): number {
  return Number(value > BigInt(Number.MAX_SAFE_INTEGER) ? BigInt(Number.MAX_SAFE_INTEGER) : value);
}

/** Little-endian number of four bytes, or undefined at the end of the source. */
export function tryReadSignature(source: ByteSource, offset: number): number | undefined {
  if (offset < 0 || offset + 4 > source.size) return undefined;
  return new Cursor(source, offset).u32();
}

/** @returns undefined when there is no whole local header at the offset */
export function tryReadLocalHeader(source: ByteSource, offset: number): EntryHeader | undefined {
  if (offset < 0 || offset + localHeaderBytes > source.size) return undefined;
  const fixed = new Cursor(source.read(offset, localHeaderBytes));
  if (fixed.u32() !== localSignature) return undefined;
  fixed.skip(2);
  const flags = fixed.u16();
  const method = fixed.u16();
  fixed.skip(4);
  const checksum = fixed.u32();
  const compressedSize = fixed.u32();
  const size = fixed.u32();
  const nameLength = fixed.u16();
  const extraLength = fixed.u16();
  if (offset + localHeaderBytes + nameLength + extraLength > source.size) return undefined;
  const variable = source.read(offset + localHeaderBytes, nameLength + extraLength);
  const rawName = variable.slice(0, nameLength);
  const extra = readExtra(variable.subarray(nameLength), rawName, {
    size,
    compressedSize,
    localOffset: 0,
    disk: 0,
  });
  return {
    offset,
    length: localHeaderBytes + nameLength + extraLength,
    flags,
    method,
    crc32: checksum,
    compressedSize: extra.compressedSize,
    size: extra.size,
    rawName,
    name: extra.unicodeName ?? decodeZipText(rawName),
    aes: extra.aes,
  };
}

/** @returns undefined when there is no whole central record at the offset, before `end` */
export function tryReadCentralRecord(
  source: ByteSource,
  offset: number,
  end: number,
): CentralRecord | undefined {
  if (offset + centralHeaderBytes > end) return undefined;
  const fixed = new Cursor(source.read(offset, centralHeaderBytes));
  if (fixed.u32() !== centralSignature) return undefined;
  const madeBy = fixed.u16();
  fixed.skip(2);
  const flags = fixed.u16();
  const method = fixed.u16();
  fixed.skip(4);
  const checksum = fixed.u32();
  const compressedSize = fixed.u32();
  const size = fixed.u32();
  const nameLength = fixed.u16();
  const extraLength = fixed.u16();
  const commentLength = fixed.u16();
  const disk = fixed.u16();
  fixed.skip(2);
  const externalAttributes = fixed.u32();
  const localOffset = fixed.u32();
  const length = centralHeaderBytes + nameLength + extraLength + commentLength;
  if (offset + length > end) return undefined;
  const variable = source.read(offset + centralHeaderBytes, nameLength + extraLength);
  const rawName = variable.slice(0, nameLength);
  const extra = readExtra(variable.subarray(nameLength), rawName, {
    size,
    compressedSize,
    localOffset,
    disk,
  });
  return {
    offset,
    length,
    flags,
    method,
    crc32: checksum,
    compressedSize: extra.compressedSize,
    size: extra.size,
    rawName,
    name: extra.unicodeName ?? decodeZipText(rawName),
    aes: extra.aes,
    localOffset: extra.localOffset,
    disk: extra.disk,
    madeBy,
    externalAttributes,
  };
}

/** The numbers behind a member that was written as a stream (section 4.3.9). */
export interface DataDescriptor {
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Length of the record in bytes: with or without signature, with sizes of 32 or 64 bits. */
  readonly length: number;
}

/** Deflate expands at most about 1,032 times; a size above that is chance. */
const maximumExpansion = 1040;

/**
 * The descriptor at `offset`, if one of its four layouts states the compressed size that is expected.
 *
 * @param expected - what another record states, to tell the layouts apart where both fit
 */
export function tryReadDescriptor(
  source: ByteSource,
  offset: number,
  compressedSize: number,
  expected?: { readonly crc32: number; readonly size: number },
): DataDescriptor | undefined {
  const bytes = readUpTo(source, offset, 24);
  const isSigned = bytes.length >= 4 && new Cursor(bytes).u32() === descriptorSignature;
  const fitting: DataDescriptor[] = [];
  for (const start of isSigned ? [4, 0] : [0]) {
    if (bytes.length >= start + 20) {
      const cursor = new Cursor(bytes, start);
      const checksum = cursor.u32();
      const stated = toLength(cursor.u64big());
      const size = toLength(cursor.u64big());
      if (stated === compressedSize && size <= compressedSize * maximumExpansion + 64) {
        fitting.push({ crc32: checksum, compressedSize, size, length: start + 20 });
      }
    }
    if (bytes.length >= start + 12) {
      const cursor = new Cursor(bytes, start);
      const checksum = cursor.u32();
      const stated = cursor.u32();
      if (stated === compressedSize) {
        fitting.push({ crc32: checksum, compressedSize, size: cursor.u32(), length: start + 12 });
      }
    }
  }
  return (
    fitting.find(({ crc32: sum, size }) => sum === expected?.crc32 && size === expected.size) ?? fitting[0]
  );
}

/** The end of central directory record, with the zip64 one where it takes its place. */
export interface EndRecord {
  /** Offset of the `PK\5\6` record. */
  readonly offset: number;
  readonly disk: number;
  readonly directoryDisk: number;
  readonly entries: number;
  readonly directorySize: number;
  /** As stated: counted from where the archive believes to start. */
  readonly directoryOffset: number;
  readonly commentLength: number;
  /** Where the records behind the directory begin: the zip64 record if there is one, else this record. */
  readonly tailOffset: number;
  readonly zip64: 'none' | 'used' | 'ignored' | 'missing';
  /** The zip64 record says that the directory is encrypted or compressed. */
  readonly isDirectoryEncrypted: boolean;
}

/** @returns undefined when there is no end record at the offset */
export function tryReadEndRecord(source: ByteSource, offset: number): EndRecord | undefined {
  if (offset < 0 || offset + endRecordBytes > source.size) return undefined;
  const cursor = new Cursor(source.read(offset, endRecordBytes));
  if (cursor.u32() !== endSignature) return undefined;
  const disks = { disk: cursor.u16(), directoryDisk: cursor.u16() };
  cursor.skip(2);
  const plain = {
    offset,
    ...disks,
    entries: cursor.u16(),
    directorySize: cursor.u32(),
    directoryOffset: cursor.u32(),
    commentLength: cursor.u16(),
    tailOffset: offset,
    isDirectoryEncrypted: false,
  };
  const isSaturated =
    plain.entries === saturated16 ||
    plain.directorySize === saturated32 ||
    plain.directoryOffset === saturated32 ||
    plain.disk === saturated16;
  const locatorOffset = offset - locator64Bytes;
  if (tryReadSignature(source, locatorOffset) !== locator64Signature) {
    return { ...plain, zip64: isSaturated ? 'missing' : 'none' };
  }
  const stated = toLength(new Cursor(source, locatorOffset + 8).u64big());
  // Behind a stub the stated offset is too small; the record then lies right before its locator.
  for (const at of [stated, locatorOffset - end64RecordBytes]) {
    if (tryReadSignature(source, at) !== end64Signature || at + end64RecordBytes > locatorOffset) continue;
    const record = new Cursor(source.read(at, end64RecordBytes));
    const recordSize = toLength(record.skip(4).u64big());
    record.skip(4);
    const disk = record.u32();
    const directoryDisk = record.u32();
    record.skip(8);
    const large = {
      entries: toLength(record.u64big()),
      directorySize: toLength(record.u64big()),
      directoryOffset: toLength(record.u64big()),
    };
    // A record of version 2 goes on with method and key of an encrypted directory (section 7.3.4).
    const isDirectoryEncrypted = recordSize >= 72 && at + 84 <= locatorOffset;
    if (isSaturated) {
      return { ...plain, ...large, disk, directoryDisk, tailOffset: at, zip64: 'used', isDirectoryEncrypted };
    }
    const isSame =
      large.entries === plain.entries &&
      large.directorySize === plain.directorySize &&
      large.directoryOffset === plain.directoryOffset;
    return { ...plain, tailOffset: at, zip64: isSame ? 'used' : 'ignored', isDirectoryEncrypted };
  }
  return { ...plain, tailOffset: locatorOffset, zip64: 'missing' };
}

const scanBytes = 256 * 1024;
const firstScanBytes = 256;

/** Offsets of `PK` followed by one of the given third and fourth bytes, forward from `from`, before `to`. */
export function* findRecords(
  source: ByteSource,
  from: number,
  to: number,
  kinds: ReadonlySet<number>,
  budget: Budget,
): Generator<{ readonly offset: number; readonly signature: number }> {
  // What is sought is mostly near: small windows first, so that a file of many small members is not read over and over.
  let windowBytes = firstScanBytes;
  for (let start = from; start < to; ) {
    budget.checkTime();
    // Four bytes that straddle two windows are seen by the first one.
    const bytes = readUpTo(source, start, Math.min(windowBytes + 3, to - start));
    for (let at = bytes.indexOf(0x50); at >= 0 && at < windowBytes; at = bytes.indexOf(0x50, at + 1)) {
      if (bytes[at + 1] !== 0x4b || at + 4 > bytes.length) continue;
      const signature = (0x4b50 | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
      if (kinds.has(signature)) yield { offset: start + at, signature };
    }
    start += windowBytes;
    windowBytes = Math.min(scanBytes, windowBytes * 4);
  }
}

/** As {@link findRecords} for end records, backward from the end of the source, down to `from`. */
export function* findEndRecordsBackward(
  source: ByteSource,
  from: number,
  to: number,
  budget: Budget,
): Generator<number> {
  const kinds = new Set([endSignature]);
  for (let end = to; end > from; end -= scanBytes) {
    const start = Math.max(from, end - scanBytes);
    const found = [...findRecords(source, start, Math.min(source.size, end + 3), kinds, budget)];
    for (const { offset } of found.toReversed()) if (offset < end) yield offset;
  }
}
