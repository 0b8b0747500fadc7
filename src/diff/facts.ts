import type { Fact } from '../formats/model.ts';
import { type FactChange, factsListed } from './model.ts';

/** Compared as regions and resources, or what merely repeats the name and the bytes of a member. */
const toldElsewhere: ReadonlySet<string> = new Set(['section', 'resource', 'memberName', 'listedDigest']);

/**
 * Facts that only one side has. Of a kind that is there once under a name on each side, both values are told
 * together. Where in the file a fact stands is no difference.
 *
 * @returns by kind, name and value; at most {@link factsListed}, and how many more there are
 */
export function compareFacts(
  before: readonly Fact[],
  after: readonly Fact[],
): { readonly facts: readonly FactChange[]; readonly furtherFacts: number } {
  const groups = new Map<
    string,
    { readonly first: Fact; readonly before: string[]; readonly after: string[] }
  >();
  const add = (fact: Fact, side: 'before' | 'after'): void => {
    if (toldElsewhere.has(fact.kind)) return;
    const key = JSON.stringify([fact.kind, fact.name ?? null]);
    let group = groups.get(key);
    if (group === undefined) {
      group = { first: fact, before: [], after: [] };
      groups.set(key, group);
    }
    group[side].push(toFactText(fact));
  };
  for (const fact of before) add(fact, 'before');
  for (const fact of after) add(fact, 'after');

  const changes: FactChange[] = [];
  for (const { first, before: left, after: right } of groups.values()) {
    const { kind, name } = first;
    const of = name === undefined ? { kind } : { kind, name };
    const went = subtract(left, right);
    const came = subtract(right, left);
    const [old] = went;
    const [now] = came;
    if (old !== undefined && now !== undefined && went.length === 1 && came.length === 1) {
      changes.push({ ...of, change: 'changed', before: old, after: now });
      continue;
    }
    for (const value of went) changes.push({ ...of, change: 'went', before: value });
    for (const value of came) changes.push({ ...of, change: 'came', after: value });
  }
  changes.sort((a, b) => compare(toKey(a), toKey(b)));
  return { facts: changes.slice(0, factsListed), furtherFacts: Math.max(0, changes.length - factsListed) };
}

/** The value of a fact with its details; two facts that say the same have the same text. */
export function toFactText({ value, detail }: Fact): string {
  const said = String(value);
  if (detail === undefined) return said;
  const details = Object.entries(detail).map(([key, one]) => `${key} ${one}`);
  return `${said} (${details.sort().join(', ')})`;
}

/** What is in the first list and not in the second, each as often as it is there more often; sorted. */
function subtract(own: readonly string[], others: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const text of others) counts.set(text, (counts.get(text) ?? 0) + 1);
  return own
    .filter((text) => {
      const left = counts.get(text) ?? 0;
      if (left > 0) counts.set(text, left - 1);
      return left === 0;
    })
    .sort(compare);
}

const order = { changed: '0', went: '1', came: '2' } as const;

function toKey({ kind, name, change, before, after }: FactChange): string {
  return [kind, name ?? '', order[change], before ?? after ?? ''].join('\0');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
