/**
 * The APK Signing Block: pairs of a number and a value between the last member of an Android package and its central
 * directory. Here only its outline; what the signatures in it prove is another question.
 *
 * Specification: https://source.android.com/docs/security/features/apksigning/v2#apk-signing-block
 */
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { Cursor, toLatin1 } from '../../bytes/cursor.ts';
import type { ZipArchive } from '../zip.ts';
import { endRecordBytes } from '../zip/records.ts';

const magic = 'APK Sig Block 42';
/** Size, size again, magic. */
const footerBytes = 24;
const sizeFieldBytes = 8;
/** A real block has at most a dozen. */
const pairsLimit = 1_024;

/** Numbers of pairs that are known. */
export const blockIds = {
  v2: 0x7109871a,
  v3: 0xf05368c0,
  v31: 0x1b93ad61,
  padding: 0x42726577,
  stampV1: 0x2b09189e,
  stampV2: 0x6dff800d,
  dependencies: 0x504b4453,
  frosting: 0x2146444e,
} as const;

const blockNames: ReadonlyMap<number, string> = new Map([
  [blockIds.v2, 'APK Signature Scheme v2'],
  [blockIds.v3, 'APK Signature Scheme v3'],
  [blockIds.v31, 'APK Signature Scheme v3.1'],
  [blockIds.padding, 'padding'],
  [blockIds.stampV1, 'source stamp v1'],
  [blockIds.stampV2, 'source stamp v2'],
  [blockIds.dependencies, 'dependency list of Google Play'],
  [blockIds.frosting, 'metadata of Google Play'],
]);

/** What a pair is, or its number. */
export function toBlockName(id: number): string {
  return blockNames.get(id) ?? `0x${id.toString(16).padStart(8, '0')}`;
}

export function isKnownBlock(id: number): boolean {
  return blockNames.has(id);
}

/** One pair. Offset and size are those of its value, in the file. */
export interface SigningBlockPair {
  readonly id: number;
  readonly offset: number;
  readonly size: number;
}

export interface SigningBlock {
  /** With both of its size fields and the magic. */
  readonly offset: number;
  readonly size: number;
  readonly pairs: readonly SigningBlockPair[];
  /** Why not all of it could be read; one phrase. */
  readonly damage: string | undefined;
}

/**
 * Where Android looks for central directory and signing block: the end record ends the file, and the directory fills
 * the space between the offset that the record states and the record.
 */
export interface PackageLayout {
  readonly directoryOffset: number;
  readonly endOffset: number;
}

/** @returns the layout, or why Android would find none: one sentence */
export function toLayout(source: ByteSource, { end }: ZipArchive): PackageLayout | string {
  if (end === undefined) return 'The end of the package is missing.';
  const behind = source.size - (end.offset + endRecordBytes + end.commentLength);
  if (behind !== 0) {
    return behind > 0
      ? `${behind} bytes follow the end of the package.`
      : 'The package ends inside its comment.';
  }
  if (end.zip64 !== 'none') return 'The package has a zip64 end record, which Android does not take.';
  if (end.directoryOffset + end.directorySize !== end.offset) {
    return 'The list of members is not where the end record of the package puts it.';
  }
  return { directoryOffset: end.directoryOffset, endOffset: end.offset };
}

/**
 * The block that ends at `directoryOffset`.
 *
 * @returns undefined when there is none
 */
export function tryReadSigningBlock(source: ByteSource, directoryOffset: number): SigningBlock | undefined {
  if (directoryOffset < footerBytes + sizeFieldBytes || directoryOffset > source.size) return undefined;
  const footer = new Cursor(source.read(directoryOffset - footerBytes, footerBytes));
  const stated = footer.u64big();
  if (toLatin1(footer.bytes(magic.length)) !== magic) return undefined;
  const none = { offset: directoryOffset - footerBytes, size: footerBytes, pairs: [] };
  if (stated < BigInt(footerBytes) || stated > BigInt(directoryOffset - sizeFieldBytes)) {
    return { ...none, damage: `it says that it has ${stated} bytes` };
  }
  const size = Number(stated) + sizeFieldBytes;
  const offset = directoryOffset - size;
  const cursor = new Cursor(source, offset);
  if (cursor.u64big() !== stated) return { ...none, damage: 'its two sizes are not the same' };
  const end = directoryOffset - footerBytes;
  const pairs: SigningBlockPair[] = [];
  let damage: string | undefined;
  while (cursor.offset < end) {
    if (pairs.length >= pairsLimit) {
      damage = `it has more than ${pairsLimit} parts`;
      break;
    }
    if (cursor.offset + 12 > end) {
      damage = `${end - cursor.offset} bytes behind its last part belong to none`;
      break;
    }
    const length = cursor.u64big();
    if (length < 4n || length > BigInt(end - cursor.offset)) {
      damage = `a part of it says that it has ${length} bytes`;
      break;
    }
    const next = cursor.offset + Number(length);
    pairs.push({ id: cursor.u32(), offset: cursor.offset, size: Number(length) - 4 });
    cursor.seek(next);
  }
  return { offset, size, pairs, damage };
}

/** Whether a pair holds anything but zeros. */
export function hasContent(source: ByteSource, { offset, size }: SigningBlockPair): boolean {
  const step = 1 << 20;
  for (let at = offset; at < offset + size; at += step) {
    if (readUpTo(source, at, Math.min(step, offset + size - at)).some((byte) => byte !== 0)) return true;
  }
  return false;
}
