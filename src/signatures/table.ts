/*
 * Tab-separated tables of a database: the first line names the columns in their order, empty lines and lines that
 * begin with # are passed over.
 */

export type TableFaultKind = 'header' | 'columns' | 'value' | 'no-source';

/** What is wrong with a line. */
export interface TableFault {
  readonly kind: TableFaultKind;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units of the line. */
  readonly column: number;
  /** Of the text at fault, in UTF-16 code units. */
  readonly length: number;
  readonly field: string;
  readonly message: string;
}

/** The cells of one line, by the names of their columns. */
export interface TableLine<Column extends string> {
  /** 1-based. */
  readonly line: number;
  readonly cells: Readonly<Record<Column, string>>;
  complain(column: Column, message: string, kind?: 'no-source'): void;
}

/**
 * Reads a table. All faults are collected; a line with a fault gives no row.
 *
 * @param toRow - makes a row of a line, or complains; undefined after complaints
 */
export function parseTable<Column extends string, Row>(
  text: string,
  columns: readonly Column[],
  toRow: (line: TableLine<Column>) => Row | undefined,
): { readonly rows: readonly Row[]; readonly faults: readonly TableFault[] } {
  const rows: Row[] = [];
  const faults: TableFault[] = [];
  const [header, ...lines] = text.split('\n');
  if (header === undefined || header.replace(/\r$/, '') !== columns.join('\t')) {
    faults.push({
      kind: 'header',
      line: 1,
      column: 1,
      length: header?.length ?? 0,
      field: 'header',
      message: `the first line must name the columns, tabs between them: ${columns.join(' ')}`,
    });
    return { rows, faults };
  }
  for (const [index, raw] of lines.entries()) {
    const content = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (content === '' || content.startsWith('#')) continue;
    const line = index + 2;
    const values = content.split('\t');
    if (values.length !== columns.length) {
      faults.push({
        kind: 'columns',
        line,
        column: 1,
        length: content.length,
        field: 'row',
        message: `has ${values.length} columns instead of ${columns.length}`,
      });
      continue;
    }
    const before = faults.length;
    const row = toRow({
      line,
      cells: toCells(columns, values),
      complain(field, message, kind) {
        faults.push({
          kind: kind ?? 'value',
          line,
          ...toCellSpan(values, columns.indexOf(field)),
          field,
          message,
        });
      },
    });
    if (row !== undefined && faults.length === before) rows.push(row);
  }
  return { rows, faults };
}

/** Where a cell stands in its line. */
function toCellSpan(values: readonly string[], position: number): Pick<TableFault, 'column' | 'length'> {
  return {
    column: values.slice(0, position).reduce((sum, cell) => sum + cell.length + 1, 1),
    length: values[position]?.length ?? 0,
  };
}

/**
 * Where the cell of a column stands in a table whose first line names its columns.
 *
 * @param line - 1-based
 */
export function findCell(
  lines: readonly string[],
  line: number,
  column: string,
): ReturnType<typeof toCellSpan> {
  const position = (lines[0] ?? '').split('\t').indexOf(column);
  return toCellSpan((lines[line - 1] ?? '').split('\t'), position);
}

function toCells<Column extends string>(
  columns: readonly Column[],
  values: readonly string[],
): Readonly<Record<Column, string>> {
  const cells: Partial<Record<Column, string>> = {};
  for (const [index, column] of columns.entries()) cells[column] = values[index] ?? '';
  return cells as Record<Column, string>;
}

const source = /^(?:[\w.-]+\/[\w.-]+@[0-9a-f]{7,40}:\S+|https?:\/\/\S+|[a-z0-9]+(?:[-.][a-z0-9]+)*)$/;

/** Sources in a cell, with blanks between them; complains of none at all, and of what is no source. */
export function parseSources(
  cell: string,
  complain: (message: string, kind?: 'no-source') => void,
): readonly string[] {
  const sources = cell.split(' ').filter((one) => one !== '');
  if (sources.length === 0) complain('at least one source is needed', 'no-source');
  for (const one of sources) {
    if (!source.test(one)) complain(`"${one}" is not owner/name@commit:path, an address or a source id`);
  }
  return sources;
}

/** Bytes in a cell; undefined for an empty one, and after a complaint of anything else. */
export function parseSize(cell: string, complain: (message: string) => void): number | undefined {
  if (cell === '') return undefined;
  if (/^(?:0|[1-9]\d{0,14})$/.test(cell)) return Number(cell);
  complain('must be a number of bytes, or empty');
  return undefined;
}
