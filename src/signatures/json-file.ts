import type { z } from 'zod';
import { findPlace, isSuspectJson, type JsonPlaces, readJsonPlaces, toLineAndColumn } from './json-places.ts';

/*
 * JSON files that people write: their values, and where everything in them stands.
 */

/** A part of a text, on one line. */
export interface TextSpan {
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units of the line. */
  readonly column: number;
  /** In UTF-16 code units. */
  readonly length: number;
}

/** The way from a field of a JSON text to its place. Places are looked for only when there is something to say. */
export class LocatedJson {
  readonly text: string;
  #places: JsonPlaces | undefined;

  constructor(text: string) {
    this.text = text;
  }

  get places(): JsonPlaces {
    this.#places ??= readJsonPlaces(this.text);
    return this.#places;
  }

  /** The value at a path, or its key; the object around it, where nothing is at the path. */
  toSpan(path: readonly PropertyKey[], at: 'value' | 'key' = 'value'): TextSpan {
    const place = findPlace(this.places.root, path);
    const { start, end } = at === 'key' ? (place.key ?? place) : place;
    return this.toSpanAt(start, end);
  }

  /** What of the text between two offsets stands on its first line. */
  toSpanAt(start: number, end: number): TextSpan {
    const lineEnd = this.text.indexOf('\n', start);
    const stop = Math.min(end, lineEnd < 0 ? this.text.length : lineEnd);
    return { ...toLineAndColumn(this.text, start), length: Math.max(0, stop - start) };
  }

  /** Whether there is a value at exactly this path. */
  has(path: readonly PropertyKey[]): boolean {
    const parent = findPlace(this.places.root, path.slice(0, -1));
    const last = path.at(-1);
    return last === undefined || (typeof last !== 'symbol' && parent.children.has(last));
  }

  /** The text at a path, read from its place: a file with faults has no value to ask. */
  tryReadText(path: readonly PropertyKey[]): string | undefined {
    if (!this.has(path)) return undefined;
    const { start, end } = findPlace(this.places.root, path);
    if (this.text[start] !== '"') return undefined;
    const value: unknown = JSON.parse(this.text.slice(start, end));
    return typeof value === 'string' ? value : undefined;
  }
}

/** Something wrong in a JSON file, and where. */
export interface JsonFileFault extends TextSpan {
  /**
   * - `syntax`, `repeated-key`, `too-deep`: of the text; nothing else was looked at
   * - `too-few`: a list without the items that it needs
   * - `no-branch`: a value that is none of those that the schema lets choose from
   */
  readonly kind:
    | 'syntax'
    | 'repeated-key'
    | 'too-deep'
    | 'unknown-field'
    | 'missing-field'
    | 'wrong-type'
    | 'wrong-value'
    | 'too-few'
    | 'no-branch';
  readonly path: readonly PropertyKey[];
  /** The path as a person writes it: `exceptions[2].expires`; empty for the whole file. */
  readonly field: string;
  readonly message: string;
}

/**
 * The value of a file that meets its schema, or what is wrong with it.
 *
 * @returns faults in the order of the schema
 */
export function parseJsonFile<Value>(
  json: LocatedJson,
  schema: z.ZodType<Value>,
): { readonly value: Value | undefined; readonly faults: readonly JsonFileFault[] } {
  let value: unknown;
  let complaint: string | undefined;
  try {
    value = JSON.parse(json.text);
  } catch (error) {
    complaint = error instanceof Error ? error.message : 'unknown error';
  }
  // Before validation: nesting without end would exhaust the stack there.
  if (complaint !== undefined || isSuspectJson(json.text, value)) {
    const faults = json.places.faults.map(
      ({ kind, offset, length, message }): JsonFileFault => ({
        kind,
        ...json.toSpanAt(offset, offset + length),
        path: [],
        field: '',
        message,
      }),
    );
    const message = `is not JSON: ${complaint ?? 'it repeats a key'}`;
    const whole: JsonFileFault = { kind: 'syntax', ...json.toSpanAt(0, 1), path: [], field: '', message };
    return { value: undefined, faults: faults.length > 0 ? faults : [whole] };
  }
  // Each schema is used on a few small files: making code for it costs more than it saves.
  const result = schema.safeParse(value, { jitless: true });
  if (result.success) return { value: result.data, faults: [] };
  return { value: undefined, faults: result.error.issues.flatMap((issue) => toFaults(json, issue, [])) };
}

type Issue = z.core.$ZodIssue;

function toFaults(
  json: LocatedJson,
  issue: Issue,
  parents: readonly PropertyKey[],
): readonly JsonFileFault[] {
  const path = [...parents, ...issue.path];
  const toFault = (
    kind: JsonFileFault['kind'],
    message: string,
    at: 'value' | 'key' = 'value',
    place = path,
  ): JsonFileFault => ({ kind, ...json.toSpan(place, at), path: place, field: toField(place), message });

  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => toFault('unknown-field', 'unknown field', 'key', [...path, key]));
    case 'invalid_key': {
      const reasons = issue.issues.map((inner) => inner.message).join(', ');
      return [toFault('wrong-value', `not allowed as a key: ${reasons}`, 'key')];
    }
    case 'invalid_union': {
      const branch = toIntendedBranch(issue.errors);
      return branch === undefined
        ? [toFault('no-branch', 'is of none of the kinds that are allowed here')]
        : branch.flatMap((inner) => toFaults(json, inner, path));
    }
    case 'invalid_type':
      return [
        json.has(path)
          ? toFault('wrong-type', issue.message)
          : toFault('missing-field', `is missing (${issue.expected} expected)`),
      ];
    case 'too_small':
      return [toFault(issue.origin === 'array' ? 'too-few' : 'wrong-value', issue.message)];
    default:
      return [toFault('wrong-value', issue.message)];
  }
}

/** The branch of a union that the author meant: the one of which nothing is missing, with the fewest complaints. */
function toIntendedBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const meant = branches.filter(
    (issues) => !issues.some((issue) => issue.code === 'invalid_type' && issue.path.length <= 1),
  );
  const deepest = meant.filter(
    (issues) => !issues.some((issue) => issue.code === 'unrecognized_keys' && issue.path.length === 0),
  );
  return [...(deepest.length > 0 ? deepest : meant)].sort((a, b) => a.length - b.length)[0];
}

/** `indicators[2].when.host` */
export function toField(path: readonly PropertyKey[]): string {
  let field = '';
  for (const step of path) {
    if (typeof step === 'number') field += `[${step}]`;
    else field += `${field === '' ? '' : '.'}${String(step)}`;
  }
  return field;
}
