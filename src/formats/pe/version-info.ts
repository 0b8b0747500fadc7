/**
 * VERSIONINFO: a tree of blocks of `length, value length, type, key, value, children`, each aligned to four bytes.
 *
 * Read here and not with resedit, which edits resources of well-formed files: a block of length 0 makes its reader
 * loop for ever, strings of equal language and name replace each other, and it does not tell where a string lies.
 * The tests compare the two on well-formed input.
 *
 * Tolerated as Windows does: a value length counted in bytes instead of characters, a wrong block type, missing
 * padding at the end. Not read: the 16-bit form of Windows 3.
 *
 * @see https://learn.microsoft.com/windows/win32/menurc/vs-versioninfo
 */
import { Cursor, toUtf16 } from '../../bytes/cursor.ts';
import type { Report } from './parse.ts';

/** Lengths have sixteen bits. */
export const versionInfoLimitBytes = 0x1_0000;
const stringsLimit = 1024;
const blockHeaderBytes = 6;
const fixedInfoBytes = 52;
const fixedInfoSignature = 0xfeef04bd;

/** One string of a string table. */
export interface VersionString {
  readonly key: string;
  readonly value: string;
  /** LANGID and code page, eight hexadecimal digits as written: `040904b0`. */
  readonly language: string;
  /** Offset of the value in the resource. */
  readonly offset: number;
}

export interface VersionInfo {
  /** `a.b.c.d`, absent without VS_FIXEDFILEINFO. */
  readonly fileVersion: string | undefined;
  readonly productVersion: string | undefined;
  /** Offset of VS_FIXEDFILEINFO in the resource. */
  readonly fixedInfoOffset: number | undefined;
  readonly strings: readonly VersionString[];
}

interface Block {
  readonly key: string;
  readonly end: number;
  /** Where the value or, without one, the first child starts. */
  readonly bodyOffset: number;
  readonly valueLength: number;
}

/**
 * Decodes an RT_VERSION resource. Faults are reported with their offset in the resource, and what can be read is.
 *
 * @param bytes - the resource, at most {@link versionInfoLimitBytes}
 */
export function readVersionInfo(bytes: Uint8Array, report: Report): VersionInfo {
  const strings: VersionString[] = [];
  const reportDamage = (message: string, offset: number): void =>
    report({
      code: 'malformed/structure',
      message,
      offset,
      consequence: 'a part of the version information was not read',
      incomplete: true,
    });

  const root = tryReadBlock(bytes, 0, bytes.length);
  if (root === undefined || root.key !== 'VS_VERSION_INFO') {
    reportDamage('has version information that does not start with VS_VERSION_INFO', 0);
  }
  const fixedAt = findFixedInfo(bytes);
  // Without a usable root the children are still where they always are.
  const childrenAt =
    fixedAt !== undefined
      ? fixedAt + fixedInfoBytes
      : root === undefined
        ? bytes.length
        : alignUp(root.bodyOffset + root.valueLength);
  const end = root === undefined || root.end <= childrenAt ? bytes.length : root.end;

  const readChildren = (from: number, to: number, visit: (block: Block) => void): void => {
    let at = alignUp(from);
    while (at + blockHeaderBytes <= to) {
      const block = tryReadBlock(bytes, at, to);
      if (block === undefined) {
        // Zeros up to the end are padding.
        if (bytes.subarray(at, to).some((byte) => byte !== 0)) {
          reportDamage('has version information with a block of impossible length', at);
        }
        return;
      }
      visit(block);
      at = alignUp(block.end);
    }
  };

  readChildren(childrenAt, end, (info) => {
    if (info.key !== 'StringFileInfo') return; // VarFileInfo repeats the languages of the tables
    readChildren(info.bodyOffset, info.end, (table) => {
      readChildren(table.bodyOffset, table.end, (entry) => {
        if (strings.length >= stringsLimit) return;
        const value = toUtf16(bytes.subarray(entry.bodyOffset, entry.end));
        const stop = value.indexOf('\0');
        strings.push({
          key: entry.key,
          value: stop < 0 ? value : value.slice(0, stop),
          language: table.key,
          offset: entry.bodyOffset,
        });
        if (strings.length === stringsLimit) {
          report({
            code: 'limit/count',
            message: `has more than ${stringsLimit - 1} version strings`,
            offset: entry.bodyOffset,
            consequence: 'the other version strings were not read',
            incomplete: true,
          });
        }
      });
    });
  });

  const fixed = fixedAt === undefined ? undefined : new Cursor(bytes, fixedAt + 8);
  return {
    fileVersion: fixed === undefined ? undefined : toVersion(fixed.u32(), fixed.u32()),
    productVersion: fixed === undefined ? undefined : toVersion(fixed.u32(), fixed.u32()),
    fixedInfoOffset: fixedAt,
    strings,
  };
}

/** A block that is longer than its parent ends with it; undefined for one that cannot be. */
function tryReadBlock(bytes: Uint8Array, at: number, limit: number): Block | undefined {
  if (at + blockHeaderBytes > limit) return undefined;
  const cursor = new Cursor(bytes, at);
  const length = cursor.u16();
  const valueLength = cursor.u16();
  if (length < blockHeaderBytes) return undefined;
  const end = Math.min(at + length, limit);
  const keyAt = at + blockHeaderBytes;
  let keyEnd = keyAt;
  while (keyEnd + 2 <= end && (bytes[keyEnd] !== 0 || bytes[keyEnd + 1] !== 0)) keyEnd += 2;
  const key = toUtf16(bytes.subarray(keyAt, Math.min(keyEnd, end)));
  return { key, end, bodyOffset: Math.min(alignUp(keyEnd + 2), end), valueLength };
}

/** By its signature: before it come only the root's header and key. */
function findFixedInfo(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at <= 64 && at + fixedInfoBytes <= bytes.length; at += 4) {
    if (view.getUint32(at, true) === fixedInfoSignature) return at;
  }
  return undefined;
}

function alignUp(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}

function toVersion(high: number, low: number): string {
  return `${high >>> 16}.${high & 0xffff}.${low >>> 16}.${low & 0xffff}`;
}
