import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { defaultLimits, type Limits } from '../../src/bytes/budget.ts';
import { compareFiles } from '../../src/diff/compare.ts';
import type { Comparison, MemberChange } from '../../src/diff/model.ts';
import type { Knowledge } from '../../src/scan/knowledge.ts';
import { shippedKnowledge } from '../end-to-end/scan-bytes.ts';

/** What stands under a path: the bytes of a file, or files by name. */
export type Contents = Uint8Array | string | { readonly [name: string]: Contents };

/** Compares made-up files or folders, written to disk for the time of the comparison. */
export async function compareBytes(
  before: readonly [string, Contents],
  after: readonly [string, Contents],
  options: { readonly limits?: Partial<Limits>; readonly knowledge?: Knowledge } = {},
): Promise<Comparison> {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-diff-'));
  try {
    const left = join(folder, 'a', before[0]);
    const right = join(folder, 'b', after[0]);
    put(left, before[1]);
    put(right, after[1]);
    return await compareFiles(left, right, options.knowledge ?? shippedKnowledge(), {
      ...defaultLimits,
      ...options.limits,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function put(path: string, contents: Contents): void {
  if (typeof contents === 'string' || contents instanceof Uint8Array) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
    return;
  }
  mkdirSync(path, { recursive: true });
  for (const [name, inner] of Object.entries(contents)) put(join(path, name), inner);
}

/** State, pairing and inner paths of every member, in the order of the report. */
export function outline({ members }: Comparison): readonly string[] {
  return members.map(({ state, pairedBy, before, after }) =>
    [state, pairedBy ?? '-', before?.inner ?? '-', after?.inner ?? '-'].join(' | '),
  );
}

/** The one member with that path on either side. */
export function memberAt({ members }: Comparison, inner: string): MemberChange {
  const found = members.filter(({ before, after }) => before?.inner === inner || after?.inner === inner);
  const [member] = found;
  if (member === undefined || found.length > 1) throw new Error(`${found.length} members at "${inner}"`);
  return member;
}

/** The comparison as it has to be when the two are swapped. */
export function mirror(comparison: Comparison): unknown {
  const names: Readonly<Record<string, string>> = {
    before: 'after',
    after: 'before',
    came: 'went',
    went: 'came',
    added: 'removed',
    removed: 'added',
  };
  const turn = (value: unknown): unknown => {
    if (Array.isArray(value)) return sortedAsSet(value.map(turn));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [names[key] ?? key, turn(one)]));
    return typeof value === 'string' ? (names[value] ?? value) : value;
  };
  return turn(comparison);
}

/** Lists of one side each stand in an order of their own. */
export function sortedAsSet(items: readonly unknown[]): readonly unknown[] {
  const toText = (item: unknown): string =>
    JSON.stringify(item, (_, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    );
  return items.toSorted((a, b) => (toText(a) < toText(b) ? -1 : 1));
}
