import type { z } from 'zod';
import { findPlace, isSuspectJson, type JsonPlaces, readJsonPlaces, toLineAndColumn } from './json-places.ts';

/** Something wrong in a JSON file, and where. */
export interface JsonFault {
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** `exceptions[2].expires`; empty for the whole file. */
  readonly field: string;
  readonly message: string;
}

/** Reads a JSON file that people write, and says of each fault where it stands. */
export function parseJsonFile<Value>(
  text: string,
  schema: z.ZodType<Value>,
): { readonly value: Value | undefined; readonly faults: readonly JsonFault[] } {
  const places = readJsonPlaces(text);
  const at = (offset: number, field: string, message: string): JsonFault => ({
    ...toLineAndColumn(text, offset),
    field,
    message,
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : 'unknown error';
    const faults = places.faults.map((fault) => at(fault.offset, '', fault.message));
    return { value: undefined, faults: faults.length > 0 ? faults : [at(0, '', `is not JSON: ${message}`)] };
  }
  if (isSuspectJson(text, value)) {
    return { value: undefined, faults: places.faults.map((fault) => at(fault.offset, '', fault.message)) };
  }
  const result = schema.safeParse(value, { jitless: true });
  if (result.success) return { value: result.data, faults: [] };
  const faults = result.error.issues.flatMap((issue): readonly JsonFault[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const place = findPlace(places.root, [...issue.path, key]);
        return at(place.keyStart ?? place.start, toField([...issue.path, key]), 'unknown field');
      });
    }
    const { start } = findPlace(places.root, issue.path);
    const isMissing = issue.code === 'invalid_type' && !hasPlace(places.root, issue.path);
    const message = isMissing ? `is missing (${issue.expected} expected)` : issue.message;
    return [at(start, toField(issue.path), message)];
  });
  return { value: undefined, faults: faults.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** Whether a value stands at exactly this path. */
function hasPlace(root: JsonPlaces['root'], path: readonly PropertyKey[]): boolean {
  const last = path.at(-1);
  return (
    last === undefined || (typeof last !== 'symbol' && findPlace(root, path.slice(0, -1)).children.has(last))
  );
}

function toField(path: readonly PropertyKey[]): string {
  let field = '';
  for (const step of path) {
    if (typeof step === 'number') field += `[${step}]`;
    else field += `${field === '' ? '' : '.'}${String(step)}`;
  }
  return field;
}
