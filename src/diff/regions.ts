import { type ByteSource, readChunks, sliceSource } from '../bytes/byte-source.ts';
import { Digester } from '../platform/digests.ts';
import type { Artifact } from '../scan/model.ts';
import { pairByKey } from './pair-by-key.ts';
import type { RegionChange, RegionHalf, ResourceChange } from './model.ts';

/** Regions may overlap: so many times the size of a member is digested at most. */
const digestedTimes = 8;

/** An artifact, and its bytes where they are at hand. */
export interface RegionSide {
  readonly artifact: Artifact;
  readonly source: ByteSource | undefined;
}

/**
 * Sections and other named ranges: first those of the same name in their order, then those of the same content.
 *
 * @throws TelltaleError `limit/time`, through `checkTime`; what the sources throw
 */
export function compareRegions(
  before: RegionSide,
  after: RegionSide,
  checkTime: () => void,
): readonly RegionChange[] {
  let left = toHalves(before, checkTime);
  let right = toHalves(after, checkTime);
  const changes: RegionChange[] = [];
  const pair = (toKey: (half: RegionHalf) => string | undefined): void => {
    const { pairs, rest, others } = pairByKey(left, right, toKey);
    for (const [one, other] of pairs) changes.push({ state: toState(one, other), before: one, after: other });
    left = rest;
    right = others;
  };
  pair(({ name }) => name);
  pair(({ sha256 }) => sha256);
  changes.push(
    ...left.map((one): RegionChange => ({ state: 'removed', before: one })),
    ...right.map((one): RegionChange => ({ state: 'added', after: one })),
  );
  return changes.sort((a, b) => toStart(a) - toStart(b) || (toNames(a) < toNames(b) ? -1 : 1));
}

function toStart({ before, after }: RegionChange): number {
  return Math.min(before?.offset ?? Infinity, after?.offset ?? Infinity);
}

function toNames({ before, after }: RegionChange): string {
  return [before?.name, after?.name]
    .filter((name) => name !== undefined)
    .sort()
    .join('\0');
}

function toState(before: RegionHalf, after: RegionHalf): RegionChange['state'] {
  if (before.size !== after.size || before.characteristics !== after.characteristics) return 'changed';
  if (before.sha256 === undefined || after.sha256 === undefined) return 'unknown';
  if (before.sha256 !== after.sha256) return 'changed';
  return before.name === after.name ? 'same' : 'renamed';
}

function toHalves({ artifact, source }: RegionSide, checkTime: () => void): readonly RegionHalf[] {
  let left = (source?.size ?? 0) * digestedTimes;
  const sections = artifact.facts.filter(({ kind }) => kind === 'section');
  return artifact.regions.map(({ name, offset, size, entropy }) => {
    const section = sections.find((fact) => fact.name === name && fact.detail?.rawOffset === offset);
    const measured = entropy ?? (typeof section?.value === 'number' ? section.value : undefined);
    const flags = section?.detail?.characteristics;
    let sha256: string | undefined;
    if (source !== undefined && size <= left && offset + size <= source.size) {
      left -= size;
      sha256 = digest(sliceSource(source, offset, size), checkTime);
    }
    return {
      name,
      offset,
      size,
      ...(measured === undefined ? {} : { entropy: measured }),
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(typeof flags === 'number' ? { characteristics: `0x${flags.toString(16)}` } : {}),
    };
  });
}

/** SHA-256, lower-case hexadecimal. */
export function digest(source: ByteSource, checkTime: () => void): string {
  const digester = new Digester(['sha256']);
  for (const chunk of readChunks(source)) {
    checkTime();
    digester.update(chunk);
  }
  return digester.finish().sha256 ?? '';
}

/** Resources that came, went, or have another size or content; those that are members are told as members. */
export function compareResources(
  before: RegionSide,
  after: RegionSide,
  checkTime: () => void,
): readonly ResourceChange[] {
  const left = listResources(before);
  const right = listResources(after);
  const changes: ResourceChange[] = [];
  for (const [name, one] of left) {
    const other = right.get(name);
    if (other === undefined) changes.push({ name, change: 'went', before: one.size });
    else if (one.size !== other.size || hasOtherBytes(one, other, checkTime))
      changes.push({ name, change: 'changed', before: one.size, after: other.size });
  }
  for (const [name, { size }] of right)
    if (!left.has(name)) changes.push({ name, change: 'came', after: size });
  return changes.sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface Resource {
  readonly size: number;
  /** Undefined where they are not at hand. */
  readonly bytes: ByteSource | undefined;
}

/** By name; of several under one name the first. */
function listResources({ artifact, source }: RegionSide): ReadonlyMap<string, Resource> {
  // Of a packed program the resources are members of its unpacked form.
  const forms = [artifact, ...artifact.members.filter(({ relation }) => relation === 'image')];
  const members = new Set(forms.flatMap((form) => form.members.map(({ name }) => name)));
  // A member has the language of the resource in its name only where that is needed to tell it from another.
  const isMember = (name: string): boolean =>
    members.has(`.rsrc/${name}`) || members.has(`.rsrc/${name.slice(0, name.lastIndexOf('/'))}`);
  const resources = new Map<string, Resource>();
  for (const { kind, name, value, offset } of artifact.facts) {
    if (kind !== 'resource' || name === undefined || typeof value !== 'number') continue;
    if (resources.has(name) || isMember(name)) continue;
    const isThere = source !== undefined && offset !== undefined && offset + value <= source.size;
    resources.set(name, { size: value, bytes: isThere ? sliceSource(source, offset, value) : undefined });
  }
  return resources;
}

function hasOtherBytes(one: Resource, other: Resource, checkTime: () => void): boolean {
  if (one.bytes === undefined || other.bytes === undefined) return false;
  return digest(one.bytes, checkTime) !== digest(other.bytes, checkTime);
}
