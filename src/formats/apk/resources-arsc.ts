/**
 * resources.arsc, the compiled resources of an Android package: only what is needed to say what a resource number
 * stands for, in every language.
 *
 * Specification: ResTable_header and following in ResourceTypes.h of Android
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/libs/androidfw/include/androidfw/ResourceTypes.h
 *
 * Read: packages, tables of types in their three layouts (full, sparse, 16-bit offsets), entries in their two (plain,
 * compact), references from one entry to another.
 * Not read: complex entries (styles, plurals, arrays), libraries, overlays, staged aliases.
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import { Cursor, cutAtZero, toLatin1, toUtf16 } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { toBoundedReport } from '../bounded-report.ts';
import type { Finding, ReadContext } from '../model.ts';
import { valueTypes } from './axml.ts';
import { chunkTypes, readChunk, type ResourceChunk } from './resource-chunks.ts';
import { StringPool } from './string-pool.ts';

const packagesLimit = 64;
/** Tables of types over all packages; a large real one has about 3,000. */
const typeTablesLimit = 65_536;
/** References from one resource to the next. */
const referenceDepthLimit = 8;
/** Values of one resource; real ones have about 100 languages. */
const valuesLimit = 1_024;
/** Entries that are looked at for one resource, references included. */
const entriesLimit = 262_144;
const findingsLimit = 16;
const packageNameBytes = 256;
/** Header of a package up to the offset of the types, which newer files have (ResTable_package::typeIdOffset). */
const packageHeaderBytes = 288;
const noEntry = 0xffffffff;

/** One value of a resource, for one configuration of the device. */
export interface ResourceValue {
  /** BCP 47, `zh-Hant-TW`; empty for the default. */
  readonly language: string;
  /** Dots an inch; 0 for any. */
  readonly density: number;
  readonly value:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'number'; readonly number: number };
}

export interface ResourceTable {
  readonly packages: readonly { readonly id: number; readonly name: string }[];
  /** All values of a resource, references followed; empty when it is not here. Never throws on damage. */
  resolve(id: number): readonly ResourceValue[];
}

interface TypeTable {
  readonly chunk: ResourceChunk;
  readonly isSparse: boolean;
  readonly hasShortOffsets: boolean;
  readonly entryCount: number;
  /** Offset in the source. */
  readonly entriesStart: number;
  readonly language: string;
  readonly density: number;
}

interface ResourcePackage {
  readonly id: number;
  readonly name: string;
  /** By the number of the type, as it stands in resource numbers. */
  readonly types: Map<number, TypeTable[]>;
}

/** Res_value as it stands there. */
interface RawValue {
  readonly type: number;
  readonly data: number;
}

/**
 * Reads the outline of a table; entries are read when they are asked for. Damage is reported and reading goes on.
 *
 * @throws TelltaleError `malformed/structure` or `malformed/out-of-range` when it is no table at all, `limit/time`
 */
export function readResourceTable(source: ByteSource, context: ReadContext): ResourceTable {
  const report = toBoundedReport(
    (finding) => context.report({ ...finding, message: `table of resources ${finding.message}` }),
    findingsLimit,
  );
  const root = readChunk(source, 0, source.size, true);
  if (root.type !== chunkTypes.table) {
    throw new TelltaleError('malformed/header', 'does not begin with a table of resources', { offset: 0 });
  }
  let pool: StringPool | undefined;
  const packages: ResourcePackage[] = [];
  const outline = { typeTables: 0 };
  for (const chunk of listChunks(source, root.offset + root.headerSize, root.end, context, report)) {
    try {
      if (chunk.type === chunkTypes.stringPool) pool ??= new StringPool(source, chunk, report);
      else if (chunk.type === chunkTypes.tablePackage && packages.length < packagesLimit) {
        packages.push(readPackage(source, chunk, outline, context, report));
      }
    } catch (error) {
      report(toUnread(error, chunk.offset));
    }
  }
  return {
    packages: packages.map(({ id, name }) => ({ id, name })),
    resolve: (id) => {
      try {
        return [...collect({ source, packages, pool, entriesLeft: entriesLimit }, id, 0).values()];
      } catch (error) {
        report(toUnread(error, 0));
        return [];
      }
    },
  };
}

/** @throws what is not about the bytes of the table */
function toUnread(error: unknown, offset: number): Finding {
  if (!(error instanceof TelltaleError) || error.code === 'limit/time') throw error;
  return {
    code: error.code,
    message: error.message,
    offset: error.offset ?? offset,
    consequence: 'names and texts that the manifest takes from there are not known',
    incomplete: true,
  };
}

function* listChunks(
  source: ByteSource,
  from: number,
  end: number,
  context: ReadContext,
  report: (finding: Finding) => void,
): Generator<ResourceChunk> {
  let count = 0;
  for (let offset = from; offset < end; ) {
    count += 1;
    if (count % 1024 === 0) context.budget.checkTime();
    let chunk: ResourceChunk;
    try {
      chunk = readChunk(source, offset, end);
    } catch (error) {
      report(toUnread(error, offset));
      return;
    }
    yield chunk;
    offset = chunk.end;
  }
}

function readPackage(
  source: ByteSource,
  chunk: ResourceChunk,
  outline: { typeTables: number },
  context: ReadContext,
  report: (finding: Finding) => void,
): ResourcePackage {
  const cursor = new Cursor(source, chunk.offset + 8);
  const id = cursor.u32();
  const name = cutAtNul(toUtf16(cursor.bytes(packageNameBytes)));
  cursor.skip(16);
  const typeIdOffset = chunk.headerSize >= packageHeaderBytes ? cursor.u32() : 0;
  const types = new Map<number, TypeTable[]>();
  for (const inner of listChunks(source, chunk.offset + chunk.headerSize, chunk.end, context, report)) {
    if (inner.type !== chunkTypes.tableType) continue;
    outline.typeTables += 1;
    if (outline.typeTables > typeTablesLimit) {
      throw new TelltaleError('limit/count', `has more than ${typeTablesLimit} tables of types`, {
        offset: inner.offset,
      });
    }
    try {
      const { type, table } = readTypeTable(source, inner);
      const number = type + typeIdOffset;
      const known = types.get(number);
      if (known === undefined) types.set(number, [table]);
      else known.push(table);
    } catch (error) {
      report(toUnread(error, inner.offset));
    }
  }
  return { id, name, types };
}

function cutAtNul(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

function readTypeTable(source: ByteSource, chunk: ResourceChunk): { type: number; table: TypeTable } {
  const cursor = new Cursor(source, chunk.offset + 8);
  const type = cursor.u8();
  const flags = cursor.u8();
  cursor.skip(2);
  const entryCount = cursor.u32();
  const entriesStart = chunk.offset + cursor.u32();
  const configSize = Math.min(cursor.u32(), 64);
  const config = cursor
    .seek(cursor.offset - 4)
    .bytes(Math.min(Math.max(4, configSize), chunk.end - cursor.offset));
  return {
    type,
    table: {
      chunk,
      isSparse: (flags & 1) !== 0,
      hasShortOffsets: (flags & 2) !== 0,
      entryCount,
      entriesStart,
      ...readConfig(config),
    },
  };
}

/** Language and density of a ResTable_config; fields that it is too short for are those of any device. */
function readConfig(config: Uint8Array): Pick<TypeTable, 'language' | 'density'> {
  const field = (offset: number, length: number): Uint8Array =>
    config.length >= offset + length ? config.subarray(offset, offset + length) : new Uint8Array(length);
  const language = toLanguageCode(field(8, 2), 0x61);
  const region = toLanguageCode(field(10, 2), 0x30);
  const script = toLatin1(cutAtZero(field(36, 4)));
  const variant = toLatin1(cutAtZero(field(40, 8)));
  const density = field(14, 2);
  return {
    language: [language, script, region, variant].filter((part) => part !== '').join('-'),
    density: (density[0] ?? 0) | ((density[1] ?? 0) << 8),
  };
}

/** Two letters as they are, or three packed into 15 bits (ResTable_config::unpackLanguageOrRegion). */
function toLanguageCode(packed: Uint8Array, base: number): string {
  const [first = 0, second = 0] = packed;
  if (first === 0) return '';
  if ((first & 0x80) === 0) return String.fromCharCode(first, second);
  const letters = [second & 0x1f, ((second & 0xe0) >> 5) + ((first & 0x03) << 3), (first & 0x7c) >> 2];
  return String.fromCharCode(...letters.map((letter) => letter + base));
}

/** What following references costs; a table can be made in which every entry leads to every other. */
interface Search {
  readonly source: ByteSource;
  readonly packages: readonly ResourcePackage[];
  readonly pool: StringPool | undefined;
  entriesLeft: number;
}

/**
 * The values of a resource by configuration; the first for a configuration counts, as software reads them in stored
 * order.
 */
function collect(search: Search, id: number, depth: number): Map<string, ResourceValue> {
  if (depth > referenceDepthLimit) {
    throw new TelltaleError('malformed/cycle', 'has references that lead to each other');
  }
  const found = new Map<string, ResourceValue>();
  const add = (value: ResourceValue): void => {
    const key = `${value.language} ${value.density}`;
    if (!found.has(key) && found.size < valuesLimit) found.set(key, value);
  };
  const entry = id & 0xffff;
  for (const { id: packageId, types } of search.packages) {
    if (packageId !== id >>> 24) continue;
    for (const table of types.get((id >>> 16) & 0xff) ?? []) {
      search.entriesLeft -= 1;
      if (search.entriesLeft < 0) {
        throw new TelltaleError('limit/count', `needs more than ${entriesLimit} entries for one resource`);
      }
      const raw = tryReadEntry(search.source, table, entry);
      if (raw === undefined) continue;
      const { language, density } = table;
      switch (raw.type) {
        case valueTypes.string: {
          const text = search.pool?.get(raw.data);
          if (text !== undefined) add({ language, density, value: { kind: 'text', text } });
          break;
        }
        case valueTypes.reference:
        case valueTypes.dynamicReference: {
          const values = [...collect(search, raw.data, depth + 1).values()];
          if (language === '') {
            for (const value of values) add(value);
            break;
          }
          const same = values.find((value) => value.language === language);
          const nearest = same ?? values.find((value) => value.language === '');
          if (nearest !== undefined) add({ language, density, value: nearest.value });
          break;
        }
        case valueTypes.decimal:
        case valueTypes.hexadecimal:
        case valueTypes.boolean:
          add({ language, density, value: { kind: 'number', number: raw.data | 0 } });
          break;
        default:
          break;
      }
    }
  }
  return found;
}

/** @returns undefined when the table has no such entry, or a complex one */
function tryReadEntry(source: ByteSource, table: TypeTable, entry: number): RawValue | undefined {
  const offset = tryFindEntry(source, table, entry);
  if (offset === undefined) return undefined;
  const { end } = table.chunk;
  if (offset + 8 > end) {
    throw new TelltaleError('malformed/out-of-range', 'has an entry that lies outside of its table', {
      offset,
    });
  }
  const cursor = new Cursor(source.read(offset, Math.min(16, end - offset)));
  const size = cursor.u16();
  const flags = cursor.u16();
  // Compact: the flags hold the type of the value, the key stands in the place of the size.
  if ((flags & 8) !== 0) return { type: flags >> 8, data: cursor.u32() };
  if ((flags & 1) !== 0) return undefined;
  const value = new Cursor(source.read(offset + size, Math.min(8, Math.max(0, end - offset - size))), 3);
  return { type: value.u8(), data: value.u32() };
}

function tryFindEntry(source: ByteSource, table: TypeTable, entry: number): number | undefined {
  const { chunk, entryCount, entriesStart } = table;
  const start = chunk.offset + chunk.headerSize;
  const bytesAt = (offset: number, length: number): Cursor => {
    if (offset + length > chunk.end) {
      throw new TelltaleError('malformed/out-of-range', 'has a table of types that is cut', { offset });
    }
    return new Cursor(source.read(offset, length));
  };
  if (table.isSparse) {
    let low = 0;
    let high = entryCount - 1;
    while (low <= high) {
      const middle = Math.floor((low + high) / 2);
      const pair = bytesAt(start + middle * 4, 4);
      const index = pair.u16();
      if (index === entry) return entriesStart + pair.u16() * 4;
      if (index < entry) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
  if (entry >= entryCount) return undefined;
  if (table.hasShortOffsets) {
    const short = bytesAt(start + entry * 2, 2).u16();
    return short === 0xffff ? undefined : entriesStart + short * 4;
  }
  const long = bytesAt(start + entry * 4, 4).u32();
  return long === noEntry ? undefined : entriesStart + long;
}
