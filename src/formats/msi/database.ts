/**
 * The relational database inside an installer package: strings, tables, columns, rows.
 *
 * There is no published specification of the storage format. Facts: Wine, `dlls/msi/table.c` and `string.c`; the column
 * types as in `MsiDatabaseExport`. Names of tables: https://learn.microsoft.com/windows/win32/msi/database-tables
 *
 * Tables are stored column by column. A string is a number of 2 or 3 bytes into the string pool; numbers are stored with
 * their sign turned round, so that 0 is "no value".
 *
 * Not supported: transforms (`.mst`, and the storages in `.msp`), whose tables have another layout.
 */
import type { Budget } from '../../bytes/budget.ts';
import type { ByteSource } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import type { CompoundEntry, CompoundFile } from '../cfb/model.ts';
import { toQuotedName } from '../member-name.ts';
import type { Finding } from '../model.ts';
import { decodeText, isKnownCodePage } from './code-page.ts';
import { decodeStreamName } from './stream-name.ts';
import { readSummary, type SummaryInformation } from './summary.ts';

/** The largest packages have a few hundred thousand strings. */
export const stringsMax = 2_000_000;
/** Bytes of text that are kept in memory; what comes behind them is clipped to so much a string. */
export const textBytesMax = 64 * 1024 * 1024;
const clippedBytes = 256;
/** Bytes of one table that are read into memory. */
export const tableBytesMax = 64 * 1024 * 1024;
export const tablesMax = 1024;
export const rowsMax = 1_000_000;
/** Columns of one table; Windows Installer allows 31. */
const columnsMax = 255;
const turnsPerTimeCheck = 4096;

const columnBits = {
  sizeMask: 0xff,
  valid: 0x100,
  localizable: 0x200,
  string: 0x800,
  nullable: 0x1000,
  key: 0x2000,
};

export interface MsiColumn {
  readonly name: string;
  readonly kind: 'string' | 'integer' | 'binary';
  /** Bytes of one value in the table stream. */
  readonly width: 2 | 3 | 4;
  /** Characters of a string at most (0: any), or bytes of a number. */
  readonly size: number;
  readonly isNullable: boolean;
  readonly isKey: boolean;
  readonly isLocalizable: boolean;
}

/** A value: text, a number, or nothing. A binary column says 1 when the row has a stream. */
export type MsiValue = string | number | undefined;

export interface MsiTable {
  readonly name: string;
  readonly columns: readonly MsiColumn[];
  readonly rowCount: number;
  /** Rows in stored order, values by column name. */
  rows(): Generator<ReadonlyMap<string, MsiValue>>;
}

export interface MsiDatabase {
  readonly file: CompoundFile;
  /** Of the strings; 0 is neutral. */
  readonly codePage: number;
  readonly stringCount: number;
  readonly tables: ReadonlyMap<string, MsiTable>;
  readonly summary: SummaryInformation;
  /** A stream of the root by its decoded name: `Binary.WixCA`, `MergeModule.CABinet`. */
  findStream(name: string): CompoundEntry | undefined;
}

/** Text by number. What was decoded is kept, so that a text that many rows name is in memory once. */
class StringPool {
  readonly codePage: number;
  readonly referenceBytes: 2 | 3;
  readonly #data: ByteSource;
  readonly #offsets: Float64Array;
  readonly #lengths: Uint32Array;
  readonly #decoded = new Map<number, string>();
  #decodedBytes = 0;
  readonly count: number;
  /** Why not all strings were found. */
  readonly fault: string | undefined;

  constructor(pool: ByteSource, data: ByteSource, budget: Budget) {
    this.#data = data;
    const cursor = new Cursor(pool);
    const low = pool.size >= 4 ? cursor.u16() : 0;
    const high = pool.size >= 4 ? cursor.u16() : 0;
    this.codePage = low + (high & 0x7fff) * 0x10000;
    this.referenceBytes = (high & 0x8000) !== 0 ? 3 : 2;
    const records = Math.floor(pool.size / 4);
    const slots = Math.min(records, stringsMax) + 1;
    this.#offsets = new Float64Array(slots);
    this.#lengths = new Uint32Array(slots);
    let fault: string | undefined = records > stringsMax ? `has more than ${stringsMax} strings` : undefined;
    let count = 0;
    let offset = 0;
    for (let record = 1; record < records && count + 1 < slots; record += 1) {
      if (record % turnsPerTimeCheck === 0) budget.checkTime();
      let length = cursor.u16();
      const references = cursor.u16();
      // A string of 64 KiB or more has no length here; the next record is its length.
      if (length === 0 && references !== 0 && record + 1 < records) {
        length = cursor.u32();
        record += 1;
      }
      if (offset + length > data.size) {
        fault ??= `promises ${offset + length} bytes of text, ${data.size} are there`;
        break;
      }
      count += 1;
      this.#offsets[count] = offset;
      this.#lengths[count] = length;
      offset += length;
    }
    this.count = count;
    this.fault = fault;
  }

  /** 0 is no value; a number without a string is one too. */
  get(id: number): string | undefined {
    const length = this.#lengths[id];
    if (id === 0 || id > this.count || length === undefined) return undefined;
    const known = this.#decoded.get(id);
    if (known !== undefined) return known;
    const isKept = this.#decodedBytes + length <= textBytesMax;
    const bytes = this.#data.read(this.#offsets[id] ?? 0, isKept ? length : Math.min(length, clippedBytes));
    const text = decodeText(bytes, this.codePage);
    if (isKept) {
      this.#decoded.set(id, text);
      this.#decodedBytes += length;
    }
    return text;
  }
}

/** A column-wise table; its bytes are read when rows are asked for, and not kept. */
class Table implements MsiTable {
  readonly name: string;
  readonly columns: readonly MsiColumn[];
  readonly rowCount: number;
  readonly #stream: ByteSource;
  readonly #strings: StringPool;
  readonly #budget: Budget;

  constructor(
    name: string,
    columns: readonly MsiColumn[],
    stream: ByteSource,
    strings: StringPool,
    budget: Budget,
  ) {
    this.name = name;
    this.columns = columns;
    const rowBytes = columns.reduce((sum, { width }) => sum + width, 0);
    this.rowCount = rowBytes === 0 ? 0 : Math.floor(stream.size / rowBytes);
    this.#stream = stream;
    this.#strings = strings;
    this.#budget = budget;
  }

  *rows(): Generator<ReadonlyMap<string, MsiValue>> {
    const count = Math.min(this.rowCount, rowsMax);
    const bytes = this.#stream.read(0, this.#stream.size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let row = 0; row < count; row += 1) {
      if (row % 256 === 0) this.#budget.checkTime();
      const values = new Map<string, MsiValue>();
      let start = 0;
      for (const column of this.columns) {
        values.set(column.name, this.#value(view, column, start + row * column.width));
        start += column.width * this.rowCount;
      }
      yield values;
    }
  }

  #value(view: DataView, { kind, width }: MsiColumn, at: number): MsiValue {
    const stored =
      width === 2
        ? view.getUint16(at, true)
        : width === 4
          ? view.getUint32(at, true)
          : view.getUint16(at, true) + view.getUint8(at + 2) * 0x10000;
    if (stored === 0) return undefined;
    if (kind === 'string') return this.#strings.get(stored);
    if (kind === 'binary') return stored;
    return width === 2 ? stored - 0x8000 : stored - 0x80000000;
  }
}

function toColumn(name: string, type: number, referenceBytes: 2 | 3): MsiColumn {
  const size = type & columnBits.sizeMask;
  const isString = (type & columnBits.string) !== 0;
  // A string of no size that may not be localised is a stream beside the table.
  const isBinary = isString && (type & ~columnBits.nullable) === (columnBits.string | columnBits.valid);
  const kind = isBinary ? 'binary' : isString ? 'string' : 'integer';
  return {
    name,
    kind,
    width: kind === 'string' ? referenceBytes : kind === 'integer' && size === 4 ? 4 : 2,
    size,
    isNullable: (type & columnBits.nullable) !== 0,
    isKey: (type & columnBits.key) !== 0,
    isLocalizable: (type & columnBits.localizable) !== 0,
  };
}

/** The layout of the tables that describe all others; it is the same in every package. */
const catalogueTypes = {
  _Tables: [['Name', 0x2d40]],
  _Columns: [
    ['Table', 0x2d40],
    ['Number', 0x2502],
    ['Name', 0x0d40],
    ['Type', 0x0502],
  ],
} as const;

/**
 * Opens the database of an installer package.
 *
 * @param report - called for each fault; reading goes on
 * @throws TelltaleError `limit/time`
 */
export function parseMsi(
  file: CompoundFile,
  report: (finding: Finding) => void,
  budget: Budget,
): MsiDatabase {
  const streams = new Map<string, CompoundEntry>();
  const tableStreams = new Map<string, CompoundEntry>();
  for (const entry of file.root.children) {
    if (entry.kind !== 'stream') continue;
    const { text, isTable } = decodeStreamName(entry.name);
    const home = isTable ? tableStreams : streams;
    if (!home.has(text)) home.set(text, entry);
  }
  const open = (name: string): ByteSource | undefined => {
    const entry = tableStreams.get(name);
    return entry === undefined ? undefined : file.openStream(entry);
  };
  const nothing: ByteSource = { size: 0, read: () => new Uint8Array(0) };

  const pool = open('_StringPool');
  const data = open('_StringData');
  if (pool === undefined || data === undefined) {
    report({
      code: 'malformed/structure',
      message: 'has no strings for its tables',
      consequence: 'the tables could not be read: names and properties of the product are not known',
      incomplete: true,
    });
  }
  const strings = new StringPool(pool ?? nothing, data ?? nothing, budget);
  if (strings.fault !== undefined) {
    report({
      code: strings.fault.startsWith('has more') ? 'limit/count' : 'malformed/size-mismatch',
      message: `has a list of strings that ${strings.fault}`,
      consequence: 'values whose text is missing are not shown',
      incomplete: true,
    });
  }
  if ((data?.size ?? 0) > textBytesMax) {
    report({
      code: 'limit/memory',
      message: `has ${data?.size ?? 0} bytes of text in its tables`,
      consequence: 'all of it was searched for known bytes, but long values may be told in part only',
      incomplete: true,
    });
  }
  if (!isKnownCodePage(strings.codePage)) {
    report({
      code: 'unsupported/feature',
      message: `has text in the code page ${strings.codePage}, which is not known`,
      consequence: 'letters other than A to Z may be shown wrong',
      incomplete: false,
    });
  }

  const loadTable = (name: string, columns: readonly MsiColumn[]): Table => {
    const stream = open(name);
    const size = stream?.size ?? 0;
    if (size > tableBytesMax) {
      report({
        code: 'limit/memory',
        message: `has a table ${toQuotedName(name)} of ${size} bytes`,
        consequence: 'the table was not read',
        incomplete: true,
      });
    }
    const readable = stream === undefined || size > tableBytesMax ? nothing : stream;
    const table = new Table(name, columns, readable, strings, budget);
    const rowBytes = columns.reduce((sum, { width }) => sum + width, 0);
    if (rowBytes > 0 && readable.size % rowBytes !== 0) {
      report({
        code: 'malformed/size-mismatch',
        message: `has a table ${toQuotedName(name)} of ${readable.size} bytes, which is no multiple of its rows of ${rowBytes}`,
        consequence: 'values of the table may be wrong',
        incomplete: true,
      });
    }
    if (table.rowCount > rowsMax) {
      report({
        code: 'limit/count',
        message: `has a table ${toQuotedName(name)} of ${table.rowCount} rows`,
        consequence: `the rows behind the first ${rowsMax} were not read`,
        incomplete: true,
      });
    }
    return table;
  };

  const names = listTableNames(loadTable('_Tables', toCatalogueColumns('_Tables', strings)), report);
  const columns = collectColumns(
    loadTable('_Columns', toCatalogueColumns('_Columns', strings)),
    strings.referenceBytes,
    report,
  );
  const tables = new Map<string, MsiTable>();
  for (const name of names) {
    budget.checkTime();
    const layout = columns.get(name);
    if (layout === undefined) {
      report({
        code: 'malformed/structure',
        message: `has a table ${toQuotedName(name)} without columns`,
        consequence: 'the table was not read',
        incomplete: true,
      });
      continue;
    }
    tables.set(name, loadTable(name, layout));
  }
  const summaryEntry = streams.get('\u0005SummaryInformation');
  return {
    file,
    codePage: strings.codePage,
    stringCount: strings.count,
    tables,
    summary:
      summaryEntry === undefined
        ? { codePage: undefined, properties: [] }
        : readSummary(file.openStream(summaryEntry), report),
    findStream: (name) => streams.get(name),
  };
}

function toCatalogueColumns(name: keyof typeof catalogueTypes, strings: StringPool): MsiColumn[] {
  return catalogueTypes[name].map(([column, type]) => toColumn(column, type, strings.referenceBytes));
}

function listTableNames(table: MsiTable, report: (finding: Finding) => void): string[] {
  const names: string[] = [];
  for (const row of table.rows()) {
    const name = row.get('Name');
    if (typeof name !== 'string') continue;
    if (names.length >= tablesMax) {
      report({
        code: 'limit/count',
        message: `has more than ${tablesMax} tables`,
        consequence: 'the further ones were not read',
        incomplete: true,
      });
      break;
    }
    names.push(name);
  }
  return names;
}

function collectColumns(
  table: MsiTable,
  referenceBytes: 2 | 3,
  report: (finding: Finding) => void,
): Map<string, MsiColumn[]> {
  const numbered = new Map<string, Map<number, MsiColumn>>();
  let isOdd = false;
  for (const row of table.rows()) {
    const owner = row.get('Table');
    const number = row.get('Number');
    const name = row.get('Name');
    const type = row.get('Type');
    if (
      typeof owner !== 'string' ||
      typeof number !== 'number' ||
      typeof name !== 'string' ||
      typeof type !== 'number'
    ) {
      isOdd = true;
      continue;
    }
    const columns = numbered.get(owner) ?? new Map<number, MsiColumn>();
    numbered.set(owner, columns);
    if (number < 1 || number > columnsMax || columns.has(number)) isOdd = true;
    else columns.set(number, toColumn(name, type & 0xffff, referenceBytes));
  }
  const ordered = new Map<string, MsiColumn[]>();
  for (const [owner, columns] of numbered) {
    const numbers = [...columns.keys()].sort((a, b) => a - b);
    if (numbers.some((number, index) => number !== index + 1)) isOdd = true;
    ordered.set(
      owner,
      numbers.flatMap((number) => columns.get(number) ?? []),
    );
  }
  if (isOdd) {
    report({
      code: 'malformed/structure',
      message: 'has columns that are described twice or not at all',
      consequence: 'values of some tables may be wrong or missing',
      incomplete: true,
    });
  }
  return ordered;
}
