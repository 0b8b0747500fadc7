import {
  type Diagnostic,
  type DiagnosticCode,
  type DiagnosticPlace,
  type DiagnosticSubject,
  diagnosticKinds,
} from './diagnostic.ts';
import { type JsonFileFault, LocatedJson, type TextSpan, toField } from './json-file.ts';
import { findCell } from './table.ts';

/** What a complaint may say beside its message. */
export interface ComplaintExtras {
  /** The value at the path, or its key. */
  readonly at?: 'value' | 'key';
  readonly related?: NonNullable<Diagnostic['related']>;
  readonly notes?: readonly string[];
}

/** A data file, and the way from a field of it to a diagnostic. */
export class DataFile {
  /** Inside of the product folder: `variants/tom.json`. */
  readonly name: string;
  /** As a person would write it. */
  readonly path: string;
  readonly text: string;
  readonly json: LocatedJson;
  /** The product folder that it lies in, as a person would write it. */
  readonly folder: string;
  readonly #product: string;
  readonly #diagnostics: Diagnostic[];
  #lines: readonly string[] | undefined;

  /** @param diagnostics - where the complaints of {@link complain} and its kin go */
  constructor(
    place: { readonly folder: string; readonly product: string; readonly name: string },
    text: string,
    diagnostics: Diagnostic[],
  ) {
    this.name = place.name;
    this.folder = place.folder;
    this.path = toDataPath(place.folder, place.name);
    this.text = text;
    this.json = new LocatedJson(text);
    this.#product = place.product;
    this.#diagnostics = diagnostics;
  }

  /** A diagnostic of the value at a path, or of its key; of the object around it, where nothing is at the path. */
  toDiagnostic(
    code: DiagnosticCode,
    path: readonly PropertyKey[],
    message: string,
    { at = 'value', related, notes }: ComplaintExtras = {},
  ): Diagnostic {
    return {
      ...this.#toPlain(code, this.toPlace(path, at), toField(path), message, path),
      ...(related === undefined ? {} : { related }),
      ...(notes === undefined ? {} : { notes }),
    };
  }

  complain(
    code: DiagnosticCode,
    path: readonly PropertyKey[],
    message: string,
    extras: ComplaintExtras = {},
  ): void {
    this.#diagnostics.push(this.toDiagnostic(code, path, message, extras));
  }

  complainOfFault(code: DiagnosticCode, { line, column, length, path, field, message }: JsonFileFault): void {
    const place = { file: this.path, line, column, length };
    this.#diagnostics.push(this.#toPlain(code, place, field, message, path));
  }

  /** A diagnostic of a cell of a table. `line` is 1-based, `field` the name of the column. */
  toCellDiagnostic(
    code: DiagnosticCode,
    line: number,
    field: string,
    message: string,
    related?: Diagnostic['related'],
  ): Diagnostic {
    return {
      ...this.#toPlain(code, this.toCellPlace(line, field), field, message),
      ...(related === undefined ? {} : { related }),
    };
  }

  complainOfCell(
    code: DiagnosticCode,
    line: number,
    field: string,
    message: string,
    related?: Diagnostic['related'],
  ): void {
    this.#diagnostics.push(this.toCellDiagnostic(code, line, field, message, related));
  }

  complainOfLine(code: DiagnosticCode, span: TextSpan, field: string, message: string): void {
    this.#diagnostics.push(this.#toPlain(code, { file: this.path, ...span }, field, message));
  }

  toCellPlace(line: number, field: string): DiagnosticPlace {
    this.#lines ??= this.text.split(/\r?\n/);
    return { file: this.path, line, ...findCell(this.#lines, line, field) };
  }

  toPlace(path: readonly PropertyKey[], at: 'value' | 'key' = 'value'): DiagnosticPlace {
    return { file: this.path, ...this.json.toSpan(path, at) };
  }

  #toPlain(
    code: DiagnosticCode,
    place: DiagnosticPlace,
    field: string,
    message: string,
    path: readonly PropertyKey[] = [],
  ): Diagnostic {
    const { severity } = diagnosticKinds[code];
    return { code, severity, ...place, field, subject: this.#toSubject(path), message };
  }

  #toSubject([list, index]: readonly PropertyKey[]): DiagnosticSubject {
    const variant = /^variants\/(.+)\.json$/.exec(this.name)?.[1];
    const indicator =
      variant !== undefined && list === 'indicators' && typeof index === 'number'
        ? this.json.tryReadText(['indicators', index, 'id'])
        : undefined;
    return {
      product: this.#product,
      ...(variant === undefined ? {} : { variant }),
      ...(indicator === undefined ? {} : { indicator }),
    };
  }
}

/** The path of a file in a product folder, as a person would write it. */
export function toDataPath(folder: string, name: string): string {
  return `${folder.replace(/\/+$/, '')}/${name}`;
}

/** Visits a value and everything in it. `path` is one array that changes: copy what must be kept. */
export function walk(
  value: unknown,
  path: PropertyKey[],
  visit: (value: unknown, path: readonly PropertyKey[]) => void,
): void {
  if (typeof value !== 'object' || value === null) {
    visit(value, path);
    return;
  }
  const isList = Array.isArray(value);
  for (const [key, item] of Object.entries(value)) {
    path.push(isList ? Number(key) : key);
    walk(item, path, visit);
    path.pop();
  }
}

/** The same text for the same content, in whatever order its fields stand. */
export function toCanonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
