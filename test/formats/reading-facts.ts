import type { FactKind } from '../../src/formats/model.ts';
import type { ReadResult } from './reading.ts';

/** Values of the facts of a kind, with their names where they have one. */
export function factsOf(result: ReadResult, kind: FactKind): unknown[] {
  return (result.reading?.facts ?? [])
    .filter((fact) => fact.kind === kind)
    .map(({ name, value }) => (name === undefined ? value : [name, value]));
}

/** Values of a field of a package, in the order of the file. */
export function fieldOf(result: ReadResult, wanted: string): unknown[] {
  return (result.reading?.facts ?? [])
    .filter(({ kind, name }) => kind === 'packageField' && name === wanted)
    .map(({ value }) => value);
}

export function codesOf(result: ReadResult): string[] {
  return result.findings.map(({ code }) => code);
}
