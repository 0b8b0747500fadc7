/**
 * The resource directory: a tree of three levels (type, name, language) whose leaves point to bytes.
 *
 * @see https://learn.microsoft.com/windows/win32/debug/pe-format#the-rsrc-section
 * @see https://learn.microsoft.com/windows/win32/menurc/resource-types
 */
import type { Budget } from '../../bytes/budget.ts';
import { Cursor, toUtf16 } from '../../bytes/cursor.ts';
import { tryMap } from './address.ts';
import { type PeImage, directoryIndex } from './image.ts';
import type { Report } from './parse.ts';

/** Directory entries over the whole tree. */
const entriesLimit = 50_000;
const nameLimitCharacters = 256;
const directoryHeaderBytes = 16;
const entryBytes = 8;
const dataEntryBytes = 16;

/** Types that Windows defines; every other number or name is the program's own. */
export const standardTypes: ReadonlyMap<number, string> = new Map([
  [1, 'CURSOR'],
  [2, 'BITMAP'],
  [3, 'ICON'],
  [4, 'MENU'],
  [5, 'DIALOG'],
  [6, 'STRING'],
  [7, 'FONTDIR'],
  [8, 'FONT'],
  [9, 'ACCELERATOR'],
  [10, 'RCDATA'],
  [11, 'MESSAGETABLE'],
  [12, 'GROUP_CURSOR'],
  [14, 'GROUP_ICON'],
  [16, 'VERSION'],
  [17, 'DLGINCLUDE'],
  [19, 'PLUGPLAY'],
  [20, 'VXD'],
  [21, 'ANICURSOR'],
  [22, 'ANIICON'],
  [23, 'HTML'],
  [24, 'MANIFEST'],
]);

export const resourceType = { rcdata: 10, version: 16, manifest: 24 } as const;

export type ResourceKey = number | string;

/** A leaf of the tree. */
export interface PeResource {
  readonly type: ResourceKey;
  readonly name: ResourceKey;
  readonly language: ResourceKey;
  readonly rva: number;
  /** As the tree states it, in bytes. */
  readonly size: number;
  /** Where all its bytes lie in the file; undefined when they are not all there. */
  readonly offset: number | undefined;
  /** File offset of the 16-byte data entry. */
  readonly entryOffset: number;
}

/** The name of a type as Windows' headers have it without `RT_`; other numbers in decimal, own names as they are. */
export function toTypeName(type: ResourceKey): string {
  return typeof type === 'number' ? (standardTypes.get(type) ?? String(type)) : type;
}

/**
 * Every leaf of the resource tree in the order of the file. Cycles, absurd counts and entries outside the directory
 * are reported, once for each kind, and the rest is read.
 */
export function readResources(image: PeImage, budget: Budget, report: Report): PeResource[] {
  const directory = image.directories[directoryIndex.resource];
  if (directory === undefined || directory.rva === 0 || directory.size === 0) return [];
  const tree = tryMap(image, directory.rva);
  if (tree === undefined) {
    report({
      code: 'malformed/out-of-range',
      message: `keeps its resource directory at address 0x${directory.rva.toString(16)}, which is not in the file`,
      offset: directory.entryOffset,
      consequence: 'version information, manifest and embedded files were not read',
      incomplete: true,
    });
    return [];
  }

  const leaves: PeResource[] = [];
  const reported = new Set<string>();
  const reportOnce: Report = (finding) => {
    const kind = `${finding.code} ${finding.consequence}`;
    if (reported.has(kind)) return;
    reported.add(kind);
    report(finding);
  };
  let entriesSeen = 0;

  const readName = (at: number): string => {
    if (at + 2 > tree.bytes.size) {
      reportOutside(at, 'the name of a resource was not read');
      return '';
    }
    const cursor = new Cursor(tree.bytes, at);
    const length = cursor.u16();
    const taken = Math.min(length, nameLimitCharacters, Math.floor(cursor.remaining / 2));
    if (taken < length) {
      reportOnce({
        code: 'malformed/name',
        message: `has a resource name of ${length} characters`,
        offset: tree.offset + at,
        consequence: `only the first ${taken} characters are shown`,
        incomplete: false,
      });
    }
    return toUtf16(cursor.bytes(2 * taken));
  };

  const reportOutside = (at: number, consequence: string): void =>
    reportOnce({
      code: 'malformed/out-of-range',
      message: `points to offset ${at} of its resource directory, which has ${tree.bytes.size} bytes in the file`,
      offset: tree.offset + Math.min(at, tree.bytes.size),
      consequence,
      incomplete: true,
    });

  const readLeaf = (at: number, keys: readonly ResourceKey[]): void => {
    if (at + dataEntryBytes > tree.bytes.size) {
      reportOutside(at, 'a resource was not found');
      return;
    }
    const cursor = new Cursor(tree.bytes, at);
    const rva = cursor.u32();
    const size = cursor.u32();
    const start = image.toOffset(rva);
    const offset = start !== undefined && start + size <= image.source.size ? start : undefined;
    const [type = 0, name = 0, language = 0] = keys;
    leaves.push({ type, name, language, rva, size, offset, entryOffset: tree.offset + at });
  };

  const readDirectory = (at: number, keys: readonly ResourceKey[], path: readonly number[]): void => {
    if (at + directoryHeaderBytes > tree.bytes.size) {
      reportOutside(at, 'a part of the resource tree was not read');
      return;
    }
    const header = new Cursor(tree.bytes, at + 12);
    const count = header.u16() + header.u16();
    for (let index = 0; index < count; index += 1) {
      const entryAt = at + directoryHeaderBytes + entryBytes * index;
      if (entryAt + entryBytes > tree.bytes.size) {
        reportOutside(entryAt, 'the other entries of a resource directory were not read');
        return;
      }
      entriesSeen += 1;
      if (entriesSeen > entriesLimit) {
        reportOnce({
          code: 'limit/count',
          message: `has more than ${entriesLimit} entries in its resource tree`,
          offset: tree.offset + entryAt,
          consequence: 'the other resources were not looked at',
          incomplete: true,
        });
        return;
      }
      if (entriesSeen % 1024 === 0) budget.checkTime();
      const cursor = new Cursor(tree.bytes, entryAt);
      const id = cursor.u32();
      const target = cursor.u32();
      const key = id >= 0x8000_0000 ? readName(id - 0x8000_0000) : id;
      const keysHere = [...keys, key];
      if (target < 0x8000_0000) {
        readLeaf(target, keysHere);
        continue;
      }
      const below = target - 0x8000_0000;
      if (path.includes(below)) {
        reportOnce({
          code: 'malformed/cycle',
          message: 'has a resource directory that contains itself',
          offset: tree.offset + entryAt,
          consequence: 'the loop was not followed',
          incomplete: false,
        });
      } else if (keysHere.length >= 3) {
        reportOnce({
          code: 'malformed/structure',
          message: 'has a resource tree of more than three levels',
          offset: tree.offset + entryAt,
          consequence: 'what lies deeper was not looked at; Windows cannot reach it either',
          incomplete: true,
        });
      } else {
        readDirectory(below, keysHere, [...path, below]);
      }
    }
  };

  readDirectory(0, [], [0]);
  return leaves;
}
