/**
 * The digests of a Windows package that its signature is over.
 *
 * There is no published specification; facts: osslsigncode, `appx.c` https://github.com/mtrojnar/osslsigncode, whose
 * signatures Windows accepts.
 *
 * - `AXPC`: everything from the start of the file to the central directory, without the record of the signature file.
 * - `AXCD`: the central directory and what follows it, as they would be without the signature file; the numbers of
 *   volumes in the end record count as zero.
 * - `AXCT`, `AXBM`, `AXCI`: `[Content_Types].xml`, the block map, the catalogue of code, unpacked.
 *
 * Not covered: the records of the signature file itself.
 */
import type { Budget } from '../bytes/budget.ts';
import { type ByteSource, readPassing, sliceSource } from '../bytes/byte-source.ts';
import { Cursor } from '../bytes/cursor.ts';
import { footprintNames } from '../formats/appx/footprint.ts';
import type { AppxPackage } from '../formats/appx/package.ts';
import type { ZipEntry } from '../formats/zip.ts';
import {
  type CentralRecord,
  centralHeaderBytes,
  type EndRecord,
  end64RecordBytes,
  endRecordBytes,
  flag,
  localHeaderBytes,
  locator64Bytes,
  tryReadCentralRecord,
  tryReadDescriptor,
} from '../formats/zip/records.ts';
import { type DigestAlgorithm, Digester } from '../platform/digests.ts';

export const recordTags = ['AXPC', 'AXCD', 'AXCT', 'AXBM', 'AXCI'] as const;
export type RecordTag = (typeof recordTags)[number];

/** What a record is about, for messages. */
export const recordNames: Readonly<Record<RecordTag, string>> = {
  AXPC: 'the files of the package',
  AXCD: 'the central directory',
  AXCT: 'the list of content types',
  AXBM: 'the block map',
  AXCI: 'the catalogue of code',
};

/** Where the parts of a package lie that its signature counts one by one. */
export interface AppxLayout {
  /** The record of the signature file before the central directory: header, data, sizes behind them. */
  readonly signature: { readonly offset: number; readonly size: number };
  /** Its record in the central directory. */
  readonly signatureRecord: CentralRecord;
  readonly directoryOffset: number;
  readonly directoryEnd: number;
  /** Records of the central directory, that of the signature file included. */
  readonly count: number;
  readonly end: EndRecord;
  /** Extra fields and comment of the signature file in both of its records. */
  readonly uncoveredBytes: number;
  /** How numbers that no digest covers contradict the file; one sentence each. */
  readonly contradictions: readonly string[];
}

/**
 * Finds the parts.
 *
 * @returns one sentence when the records are not where they have to be
 * @throws TelltaleError `limit/time`
 */
export function toLayout(
  { source, archive }: AppxPackage,
  signature: ZipEntry,
  budget: Budget,
): AppxLayout | string {
  const { end } = archive;
  if (end === undefined) return 'The package has no readable central directory.';
  if (signature.dataOffset === undefined || signature.view !== 'directory') {
    return 'The signature file has no record in the central directory or none before it.';
  }
  if (signature.name !== footprintNames.signature) {
    return `The signature file is not named ${footprintNames.signature}.`;
  }
  if (signature.compressedSize !== undefined && signature.available < signature.compressedSize) {
    return 'The package ends inside of its signature file.';
  }
  const directoryOffset = end.tailOffset - end.directorySize;
  if (directoryOffset < 0) return 'The central directory is not where the end record says.';
  let at = directoryOffset;
  let count = 0;
  let signatureRecord: CentralRecord | undefined;
  while (at < end.tailOffset) {
    if (count % 1024 === 0) budget.checkTime();
    const record = tryReadCentralRecord(source, at, end.tailOffset);
    if (record === undefined) return 'The central directory cannot be read to its end.';
    if (signatureRecord === undefined && record.localOffset + archive.baseOffset === signature.headerOffset) {
      signatureRecord = record;
    }
    at += record.length;
    count += 1;
  }
  if (signatureRecord === undefined) return 'The signature file is not where the central directory says.';
  const size = toRecordBytes(source, signature, signature.dataOffset);
  if (signature.headerOffset + size > directoryOffset) {
    return 'The signature file reaches into the central directory.';
  }
  return {
    signature: { offset: signature.headerOffset, size },
    signatureRecord,
    directoryOffset,
    directoryEnd: end.tailOffset,
    count,
    end,
    uncoveredBytes:
      signature.dataOffset -
      signature.headerOffset -
      localHeaderBytes -
      signature.rawName.length +
      (signatureRecord.length - centralHeaderBytes - signature.rawName.length),
    contradictions: findContradictions(source, end, directoryOffset, count),
  };
}

function toRecordBytes(source: ByteSource, entry: ZipEntry, dataOffset: number): number {
  const size = dataOffset - entry.headerOffset + entry.available;
  const expected =
    entry.crc32 === undefined || entry.size === undefined
      ? undefined
      : { crc32: entry.crc32, size: entry.size };
  const localFlags = new Cursor(source, entry.headerOffset + 6).u16();
  if ((localFlags & flag.descriptor) === 0) return size;
  return (
    size + (tryReadDescriptor(source, dataOffset + entry.available, entry.available, expected)?.length ?? 0)
  );
}

/** Numbers in the end records, which are signed as they would be without the signature file: now they have to be right. */
function findContradictions(
  source: ByteSource,
  end: EndRecord,
  directoryOffset: number,
  count: number,
): string[] {
  const found: string[] = [];
  const behind = source.size - (end.offset + endRecordBytes + end.commentLength);
  if (behind > 0) found.push(`${behind} bytes follow the package, which no digest covers.`);
  if (end.directoryOffset !== directoryOffset) {
    found.push('The end record puts the central directory where it is not.');
  }
  const isSaturated = end.zip64 === 'used';
  const cursor = new Cursor(source, end.offset + 4);
  const volumes = [cursor.u16(), cursor.u16()];
  const counts = [cursor.u16(), cursor.u16()];
  if (volumes.some((volume) => volume !== 0 && !(isSaturated && volume === 0xffff))) {
    found.push('The end record speaks of several volumes.');
  }
  if (
    counts.some((stated) => stated !== count && !(isSaturated && stated === 0xffff)) ||
    end.entries !== count
  ) {
    found.push('The end record counts other members than the central directory lists.');
  }
  if (isSaturated && end.tailOffset + end64RecordBytes <= end.offset - locator64Bytes) {
    const large = new Cursor(source, end.tailOffset + 24);
    if (large.u64big() !== BigInt(count) || large.u64big() !== BigInt(count)) {
      found.push('The zip64 end record counts other members than the central directory lists.');
    }
    const locator = new Cursor(source, end.offset - locator64Bytes + 8);
    if (locator.u64big() !== BigInt(end.tailOffset)) {
      found.push('The zip64 end record is not where its locator says.');
    }
  }
  return found;
}

/**
 * The digests of a package, in lower-case hexadecimal; one that cannot be made is left out.
 *
 * @throws TelltaleError `limit/time`, or `unreadable/*` from the source
 */
export function digestAppx(
  appxPackage: AppxPackage,
  layout: AppxLayout,
  algorithm: DigestAlgorithm,
  budget: Budget,
): Partial<Record<RecordTag, string>> {
  const digests: Partial<Record<RecordTag, string>> = {};
  const add = (tag: RecordTag, pour: (take: (bytes: Uint8Array) => void) => boolean): void => {
    const digester = new Digester([algorithm]);
    if (!pour((bytes) => digester.update(bytes))) return;
    const digest = digester.finish()[algorithm];
    if (digest !== undefined) digests[tag] = digest;
  };
  const { source, footprint } = appxPackage;
  const { signature, directoryOffset } = layout;
  add('AXPC', (take) => {
    const behind = signature.offset + signature.size;
    for (const [from, to] of [
      [0, signature.offset],
      [behind, directoryOffset],
    ] as const) {
      for (const chunk of readPassing(sliceSource(source, from, to - from))) {
        budget.checkTime();
        take(chunk);
      }
    }
    return true;
  });
  add('AXCD', (take) => pourDirectory(source, layout, take, budget));
  for (const [tag, role] of [
    ['AXCT', 'contentTypes'],
    ['AXBM', 'blockMap'],
    ['AXCI', 'codeIntegrity'],
  ] as const) {
    const bytes = footprint.get(role)?.bytes;
    if (bytes !== undefined) {
      add(tag, (take) => {
        take(bytes);
        return true;
      });
    }
  }
  return digests;
}

/** The central directory and the end records as they would be without the signature file. */
function pourDirectory(
  source: ByteSource,
  layout: AppxLayout,
  take: (bytes: Uint8Array) => void,
  budget: Budget,
): boolean {
  const { signature, signatureRecord, directoryOffset, directoryEnd, end } = layout;
  const recordEnd = signatureRecord.offset + signatureRecord.length;
  for (const [from, to] of [
    [directoryOffset, signatureRecord.offset],
    [recordEnd, directoryEnd],
  ] as const) {
    for (const chunk of readPassing(sliceSource(source, from, to - from))) {
      budget.checkTime();
      take(chunk);
    }
  }
  const count = layout.count - 1;
  const size = directoryEnd - directoryOffset - signatureRecord.length;
  const offset = directoryOffset - signature.size;

  if (end.zip64 === 'used') {
    const large = source.read(end.tailOffset, end.offset - end.tailOffset).slice();
    if (large.length < end64RecordBytes + locator64Bytes) return false;
    const view = new DataView(large.buffer, large.byteOffset, large.byteLength);
    view.setBigUint64(24, BigInt(count), true);
    view.setBigUint64(32, BigInt(count), true);
    view.setBigUint64(40, BigInt(size), true);
    view.setBigUint64(48, BigInt(offset), true);
    view.setBigUint64(large.length - locator64Bytes + 8, BigInt(offset + size), true);
    take(large);
  } else if (end.tailOffset !== end.offset) {
    return false;
  }

  const length = Math.min(endRecordBytes + end.commentLength, source.size - end.offset);
  const record = source.read(end.offset, length).slice();
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  view.setUint32(4, 0, true);
  for (const at of [8, 10]) {
    if (view.getUint16(at, true) !== 0xffff) view.setUint16(at, count & 0xffff, true);
  }
  if (view.getUint32(12, true) !== 0xffffffff) view.setUint32(12, size % 2 ** 32, true);
  if (view.getUint32(16, true) !== 0xffffffff) view.setUint32(16, offset % 2 ** 32, true);
  take(record);
  return true;
}
