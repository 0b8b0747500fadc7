/** The catalog and the attributes of an HFS+ volume as one list, in the order and with the names of 7-Zip. */
import type { Budget } from '../../bytes/budget.ts';
import { Cursor } from '../../bytes/cursor.ts';
import {
  cutExtents,
  type Extent,
  forkBytes,
  type HfsVolume,
  isEmptyFork,
  openTree,
  readFork,
  readLeafRecords,
  toExtents,
  toOdd,
  toWholeFork,
} from './volume.ts';

/** Folders in folders. */
const levelsMax = 256;
/** The name of a folder stands once and before the name of every file in it: what counts is the sum. */
const nameCharactersMax = 32 * 1024 * 1024;
/** A longer path is content, not a link. */
const linkBytesMax = 1023;

const rootParentId = 1;
const recordType = { folder: 1, file: 2 } as const;
/** Type, flags, ids, dates, permissions, Finder information. */
const commonBytes = 88;
const modeMask = 0o170000;
const modes = { none: 0, folder: 0o040000, file: 0o100000, link: 0o120000 } as const;
const inlineAttribute = 0x10;
const compressionAttribute = 'com.apple.decmpfs';

/** A file, a folder, a link, or a stream beside the content of one of them. */
export interface HfsEntry {
  /** As 7-Zip lists it. */
  readonly name: string;
  /** As 7-Zip unpacks it: with control characters in it. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link';
  readonly size: number;
  /** Where its content lies in the volume. */
  readonly extents: readonly Extent[];
}

interface Item {
  readonly id: number;
  readonly parent: number;
  readonly name: string;
  readonly kind: HfsEntry['kind'];
  readonly size: number;
  readonly extents: readonly Extent[];
  readonly resource: { readonly size: number; readonly extents: readonly Extent[] } | undefined;
}

interface Attribute {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly extents: readonly Extent[];
}

/**
 * Every entry of the volume.
 *
 * @throws TelltaleError for everything that is not in order or that is not read here, also when there are more entries
 *   than the budget allows; `limit/time`
 */
export function readEntries(volume: HfsVolume, budget: Budget): readonly HfsEntry[] {
  const attributes = readAttributes(volume, budget);
  const items = readItems(volume, budget);
  const toPath = createPaths(items);
  const entries: HfsEntry[] = [];
  let characters = 0;
  const add = (path: string, kind: HfsEntry['kind'], content: Pick<HfsEntry, 'size' | 'extents'>): void => {
    characters += path.length;
    if (entries.length >= budget.limits.members || characters > nameCharactersMax) {
      throw toOdd('has more names than are read');
    }
    const { size, extents } = content;
    entries.push({ name: path.replaceAll('\r', '_'), path, kind, size, extents });
  };
  for (const item of items.values()) {
    const path = toPath(item);
    add(path, item.kind, item);
    if (item.resource !== undefined) add(`${path}:rsrc`, 'file', item.resource);
  }
  for (const attribute of attributes) {
    const item = items.get(attribute.id);
    if (item === undefined) throw toOdd('has an attribute of nothing');
    add(`${toPath(item)}:${attribute.name}`, 'file', attribute);
  }
  return entries;
}

/** A surrogate without its other half becomes U+FFFD. */
const utf16 = new TextDecoder('utf-16be', { ignoreBOM: true });
/** What 7-Zip lists or unpacks under another name than the one that stands there; a carriage return is known. */
const notPlain = /[\u0000-\u000c\u000e-\u001f\u007f-\u009f\\:\ue000-\uf8ff\ufffd-\uffff]|^\.{0,2}$/;
/** 7-Zip changes some of the others. */
const plainAttribute = /^[\w.#$%&()+,;=@~-]*\w[\w.#$%&()+,;=@~-]*$/;

/** The name of a file as 7-Zip unpacks it; a slash stands for the colon that people see. */
function toPlainName(text: string): string {
  if (text === '\0\0\0\0HFS+ Private Data') return '[HFS+ Private Data]';
  if (text === ' ') return '[]';
  if (notPlain.test(text)) throw toOdd('has a name that is not plain');
  return text.replaceAll('/', '_');
}

function readItems(volume: HfsVolume, budget: Budget): ReadonlyMap<number, Item> {
  const items = new Map<number, Item>();
  let files = 0;
  for (const { bytes } of readLeafRecords(openTree(volume.catalog, volume), budget)) {
    const cursor = new Cursor(bytes);
    const keyBytes = cursor.u16be();
    const parent = cursor.u32be();
    const characters = cursor.u16be();
    if (keyBytes !== 6 + characters * 2) throw toOdd('has a catalog record with an odd key');
    const start = 2 + keyBytes;
    const type = cursor.seek(start).u16be();
    if (type !== recordType.folder && type !== recordType.file) continue;
    const isFolder = type === recordType.folder;
    if (bytes.length !== start + commonBytes + (isFolder ? 0 : 2 * forkBytes)) {
      throw toOdd('has a catalog record of an odd size');
    }
    if (items.size >= budget.limits.members) throw toOdd('has more files than are read');
    const name = toPlainName(utf16.decode(cursor.seek(8).bytes(characters * 2)));
    const id = cursor.seek(start + 8).u32be();
    const mode = cursor.seek(start + 0x2a).u16be() & modeMask;
    if (id === rootParentId || items.has(id)) throw toOdd('has files of an odd id');
    if (isFolder) {
      if (mode !== modes.folder && mode !== modes.none) throw toOdd('has a folder of another kind');
      items.set(id, { id, parent, name, kind: 'folder', size: 0, extents: [], resource: undefined });
      continue;
    }
    files += 1;
    if (mode !== modes.file && mode !== modes.link && mode !== modes.none) {
      throw toOdd('has a file of another kind');
    }
    const forks = start + commonBytes;
    const data = readContent(bytes.subarray(forks, forks + forkBytes), 'data', id, volume);
    const resource = readContent(bytes.subarray(forks + forkBytes), 'resource', id, volume);
    const isLink = mode === modes.link;
    if (isLink && (data.size === 0 || data.size > linkBytesMax)) throw toOdd('has a link that is none');
    items.set(id, {
      id,
      parent,
      name,
      kind: isLink ? 'link' : 'file',
      ...data,
      resource: resource.size === 0 ? undefined : resource,
    });
  }
  if (files !== volume.files || items.size - files !== volume.folders + 1) {
    throw toOdd('has more or fewer files than it states');
  }
  return items;
}

/** A fork of a file; one with blocks behind its end is taken for damaged by 7-Zip. */
function readContent(
  bytes: Uint8Array,
  type: 'data' | 'resource',
  id: number,
  volume: HfsVolume,
): Pick<HfsEntry, 'size' | 'extents'> {
  const stated = readFork(bytes);
  const { size, blocks } = stated;
  if (blocks !== Math.ceil(size / volume.blockBytes)) throw toOdd('has blocks behind the end of a file');
  return { size, extents: toExtents(toWholeFork(stated, type, id, volume), size, volume) };
}

function readAttributes(volume: HfsVolume, budget: Budget): readonly Attribute[] {
  const { attributes: fork } = volume;
  const attributes: Attribute[] = [];
  if (isEmptyFork(fork)) return attributes;
  if (fork.size === 0) throw toOdd('has an attributes file without content');
  const tree = openTree(fork, volume);
  for (const { bytes, offset } of readLeafRecords(tree, budget)) {
    const cursor = new Cursor(bytes);
    const keyBytes = cursor.u16be();
    const id = cursor.skip(2).u32be();
    const startBlock = cursor.u32be();
    const characters = cursor.u16be();
    if (startBlock !== 0 || keyBytes !== 12 + characters * 2) throw toOdd('has an attribute with an odd key');
    const name = utf16.decode(cursor.bytes(characters * 2));
    // The attributes of compressed files, and those that are files of their own, are left to 7-Zip.
    if (name === compressionAttribute || !plainAttribute.test(name))
      throw toOdd('has an attribute that is not read');
    if (cursor.u32be() !== inlineAttribute || cursor.u32be() !== 0 || cursor.u32be() !== 0) {
      throw toOdd('has an attribute that is not read');
    }
    const size = cursor.u32be();
    if (size > cursor.remaining) throw toOdd('has an attribute that is cut off');
    if (attributes.length >= budget.limits.members) throw toOdd('has more attributes than are read');
    attributes.push({ id, name, size, extents: cutExtents(tree.extents, offset + cursor.offset, size) });
  }
  return attributes;
}

/** Paths of items from the root on; a folder that is not there, or that is a file, is not in order. */
function createPaths(items: ReadonlyMap<number, Item>): (item: Item) => string {
  const folders = new Map<number, Folder>();
  /** @param below - folders in it that wait for its path */
  const toFolder = (id: number, below: number): Folder => {
    const known = folders.get(id);
    if (known !== undefined) return known;
    const item = items.get(id);
    if (item?.kind !== 'folder' || below > levelsMax) throw toOdd('has a folder that is none');
    const above = item.parent === rootParentId ? undefined : toFolder(item.parent, below + 1);
    const folder =
      above === undefined
        ? { path: item.name, level: 0 }
        : { path: `${above.path}/${item.name}`, level: above.level + 1 };
    if (folder.level > levelsMax) throw toOdd('has too many folders in folders');
    folders.set(id, folder);
    return folder;
  };
  return ({ parent, name }) => (parent === rootParentId ? name : `${toFolder(parent, 0).path}/${name}`);
}

interface Folder {
  readonly path: string;
  /** Folders above it. */
  readonly level: number;
}
