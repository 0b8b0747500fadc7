import type { CompiledCondition } from './compile.ts';

/*
 * Most statements ask for bytes, and most files hold none of them: such a statement need not be looked at. What is
 * needed for a condition is some probe of a set, without which it cannot hold; a condition that can hold without any hit
 * has no such set.
 */

/** Which statements of a list have to be looked at. Numbers are places in the list. */
export interface Triggers {
  /** Whatever was found. */
  readonly always: readonly number[];
  /** When a probe, by its index, has a hit. */
  readonly byProbe: ReadonlyMap<number, readonly number[]>;
}

/** @param conditions - of the statements, in the order of their list */
export function toTriggers(conditions: readonly CompiledCondition[]): Triggers {
  const always: number[] = [];
  const byProbe = new Map<number, number[]>();
  for (const [place, condition] of conditions.entries()) {
    const needed = tryFindNeeded(condition);
    if (needed === undefined) always.push(place);
    else {
      for (const probe of needed) {
        const places = byProbe.get(probe);
        if (places === undefined) byProbe.set(probe, [place]);
        else places.push(place);
      }
    }
  }
  return { always, byProbe };
}

/** The places of the statements that may hold, in rising order. @param hitProbes - indexes of all probes with hits */
export function findTriggered({ always, byProbe }: Triggers, hitProbes: Iterable<number>): readonly number[] {
  const triggered = new Set<number>();
  for (const probe of hitProbes) for (const place of byProbe.get(probe) ?? []) triggered.add(place);
  if (triggered.size === 0) return always;
  for (const place of always) triggered.add(place);
  return [...triggered].sort((a, b) => a - b);
}

/** Probes of which one has a hit wherever the condition holds; undefined when it can hold without any. */
function tryFindNeeded(condition: CompiledCondition): ReadonlySet<number> | undefined {
  switch (condition.kind) {
    case 'content':
      return new Set(condition.probes.map(({ index }) => index));
    case 'all':
      // Any of the sets will do; the first one is as good as another.
      for (const one of condition.of) {
        const needed = tryFindNeeded(one);
        if (needed !== undefined) return needed;
      }
      return undefined;
    case 'any':
      return tryUnite(condition.of);
    case 'atLeast':
      return condition.count > 0 ? tryUnite(condition.of) : undefined;
    case 'none':
    case 'fileName':
    case 'memberName':
    case 'version':
    case 'factValue':
    case 'signer':
    case 'digest':
      return undefined;
  }
}

function tryUnite(conditions: readonly CompiledCondition[]): ReadonlySet<number> | undefined {
  const united = new Set<number>();
  for (const condition of conditions) {
    const needed = tryFindNeeded(condition);
    if (needed === undefined) return undefined;
    for (const probe of needed) united.add(probe);
  }
  return united;
}
