import type { Fact } from '../formats/model.ts';
import { type Artifact, pathSeparator, walkArtifacts } from '../scan/model.ts';
import { toBaseName } from '../scan/names.ts';
import type { Pairing } from './model.ts';
import { pairByKey } from './pair-by-key.ts';
import { type Sketch, toLikeness } from './sketch.ts';

export interface ArtifactPair {
  readonly before: Artifact;
  readonly after: Artifact;
  readonly by: Pairing;
  readonly likeness?: number;
}

export interface ArtifactPairs {
  readonly pairs: readonly ArtifactPair[];
  readonly removed: readonly Artifact[];
  readonly added: readonly Artifact[];
  /** More members were left over than are compared with each other. */
  readonly cutShort: boolean;
}

/** So many members of each side that neither path nor content pairs are compared for likeness. */
export const likenessCompared = 500;
const leastLikeness = 0.5;
const fewestFacts = 4;

/**
 * Finds out which members of two trees belong together: by path, outermost first; then by content; then by likeness.
 * Swapping the trees swaps the result and changes nothing else.
 *
 * @param sketches - of the strings of members, where they are known
 */
export function pairArtifacts(
  before: Artifact,
  after: Artifact,
  sketches: ReadonlyMap<Artifact, Sketch>,
): ArtifactPairs {
  return new Pairer(before, after, sketches).run();
}

/** Path of every artifact inside its root; empty for the root itself. */
export function toInnerPaths(root: Artifact): ReadonlyMap<Artifact, string> {
  const paths = new Map<Artifact, string>();
  const visit = (artifact: Artifact, path: string): void => {
    paths.set(artifact, path);
    for (const member of artifact.members)
      visit(member, path === '' ? member.name : path + pathSeparator + member.name);
  };
  visit(root, '');
  return paths;
}

interface Candidate {
  readonly before: Artifact;
  readonly after: Artifact;
  readonly by: Pairing;
  readonly likeness: number;
}

/** The surest first. */
const ranks: Readonly<Partial<Record<Pairing, number>>> = { name: 0, identity: 1, strings: 2, facts: 2 };

class Pairer {
  readonly #before: Artifact;
  readonly #after: Artifact;
  readonly #sketches: ReadonlyMap<Artifact, Sketch>;
  readonly #inner: ReadonlyMap<Artifact, string>;
  readonly #taken = new Set<Artifact>();
  readonly #pairs: ArtifactPair[] = [];

  constructor(before: Artifact, after: Artifact, sketches: ReadonlyMap<Artifact, Sketch>) {
    this.#before = before;
    this.#after = after;
    this.#sketches = sketches;
    this.#inner = new Map([...toInnerPaths(before), ...toInnerPaths(after)]);
  }

  run(): ArtifactPairs {
    this.#pairRoots();
    this.#pairContents();
    const cutShort = this.#pairAlike();
    return {
      pairs: this.#pairs,
      removed: this.#left(this.#before),
      added: this.#left(this.#after),
      cutShort,
    };
  }

  /**
   * The two that were given belong together, unless one of them has its like inside the other: a program, and an
   * archive that holds its next version.
   */
  #pairRoots(): void {
    const before = this.#before;
    const after = this.#after;
    if (before.format.id !== after.format.id) {
      const inside = [
        ...after.members.flatMap((member) => [...walkArtifacts(member)]).map((one) => [before, one] as const),
        ...before.members.flatMap((member) => [...walkArtifacts(member)]).map((one) => [one, after] as const),
      ];
      const same = inside.find(([one, other]) => isSameContent(one, other));
      if (same !== undefined) {
        this.#add({ before: same[0], after: same[1], by: 'content' });
        return;
      }
      const alike = inside
        .filter(([one, other]) => one.format.id === other.format.id && isFile(one) && isFile(other))
        .flatMap(([one, other]) => this.#toCandidate(one, other) ?? []);
      const [best] = this.#sort(alike);
      if (best !== undefined) {
        this.#add(toPair(best));
        return;
      }
    }
    this.#add({ before, after, by: 'root' });
  }

  #add(pair: ArtifactPair): void {
    this.#taken.add(pair.before).add(pair.after);
    this.#pairs.push(pair);
    this.#pairMembers(pair.before, pair.after);
  }

  /** Pairs the members of two artifacts by name; of several of one name the same content, then their order, decides. */
  #pairMembers(before: Artifact, after: Artifact): void {
    const free = (artifact: Artifact): readonly Artifact[] =>
      artifact.members.filter((member) => !this.#taken.has(member));
    const exact = pairByKey(free(before), free(after), (one) =>
      one.digests.sha256 === undefined ? undefined : `${toNameKey(one)}\0${one.digests.sha256}`,
    );
    const named = pairByKey(exact.rest, exact.others, toNameKey);
    for (const [one, other] of [...exact.pairs, ...named.pairs])
      this.#add({ before: one, after: other, by: 'path' });
    this.#pairForms(before, after);
  }

  /** A program that is packed on one side only is compared in its unpacked form, too. */
  #pairForms(before: Artifact, after: Artifact): void {
    const [packed, ...others] = before.members.filter(isImage);
    const [packedAfter, ...othersAfter] = after.members.filter(isImage);
    if (others.length + othersAfter.length > 0 || (packed === undefined) === (packedAfter === undefined))
      return;
    const pair: ArtifactPair = { before: packed ?? before, after: packedAfter ?? after, by: 'form' };
    const image = packed ?? packedAfter;
    if (image === undefined || this.#taken.has(image)) return;
    this.#taken.add(image);
    this.#pairs.push(pair);
    this.#pairMembers(pair.before, pair.after);
  }

  /** The same bytes under another path. What holds nothing is no content. */
  #pairContents(): void {
    const rounds = [
      (one: Artifact): string | undefined => joinKeys(toContentKey(one), toLikeName(one)),
      toContentKey,
    ];
    for (const round of rounds) {
      const { pairs } = pairByKey(this.#left(this.#before), this.#left(this.#after), round);
      for (const [before, after] of pairs) {
        // The members of a pair before this one are taken with it.
        if (!this.#taken.has(before) && !this.#taken.has(after)) this.#add({ before, after, by: 'content' });
      }
    }
  }

  #pairAlike(): boolean {
    const left = this.#left(this.#before).filter(isComparable);
    const right = this.#left(this.#after).filter(isComparable);
    const candidates: Candidate[] = [];
    for (const before of left.slice(0, likenessCompared)) {
      for (const after of right.slice(0, likenessCompared)) {
        const candidate = this.#toCandidate(before, after);
        if (candidate !== undefined) candidates.push(candidate);
      }
    }
    for (const candidate of this.#sort(candidates)) {
      if (!this.#taken.has(candidate.before) && !this.#taken.has(candidate.after))
        this.#add(toPair(candidate));
    }
    return Math.min(left.length, right.length) > 0 && Math.max(left.length, right.length) > likenessCompared;
  }

  #toCandidate(before: Artifact, after: Artifact): Candidate | undefined {
    if (before.relation === 'image' || after.relation === 'image') return undefined;
    const strings = toLikeness(this.#sketches.get(before) ?? [], this.#sketches.get(after) ?? []);
    const facts = toFactLikeness(before.facts, after.facts);
    const likeness = Math.max(strings, facts);
    const isSameFormat = before.format.id === after.format.id;
    if (toLikeName(before) === toLikeName(after)) return { before, after, by: 'name', likeness };
    if (!isSameFormat) return undefined;
    if (isSameProgram(before, after)) return { before, after, by: 'identity', likeness };
    if (likeness < leastLikeness) return undefined;
    return { before, after, by: strings >= facts ? 'strings' : 'facts', likeness };
  }

  /** In an order that does not depend on which tree is which. */
  #sort(candidates: readonly Candidate[]): readonly Candidate[] {
    const rank = ({ by }: Candidate): number => ranks[by] ?? 0;
    const keyed = candidates.map((candidate) => ({
      candidate,
      key: [candidate.before, candidate.after]
        .map((one) => this.#inner.get(one) ?? '')
        .sort()
        .join('\0'),
    }));
    return keyed
      .sort(
        (a, b) =>
          rank(a.candidate) - rank(b.candidate) ||
          b.candidate.likeness - a.candidate.likeness ||
          (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
      )
      .map(({ candidate }) => candidate);
  }

  /** What is not paired yet, outermost first, by path. */
  #left(root: Artifact): readonly Artifact[] {
    return [...walkArtifacts(root)]
      .filter((artifact) => !this.#taken.has(artifact))
      .map((artifact) => ({ artifact, path: this.#inner.get(artifact) ?? '' }))
      .sort((a, b) => toDepth(a.path) - toDepth(b.path) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
      .map(({ artifact }) => artifact);
  }
}

function toPair({ before, after, by, likeness }: Candidate): ArtifactPair {
  return by === 'strings' || by === 'facts' ? { before, after, by, likeness } : { before, after, by };
}

function isImage({ relation }: Artifact): boolean {
  return relation === 'image';
}

function isFile({ relation }: Artifact): boolean {
  return relation !== 'part' && relation !== 'image';
}

function isComparable({ relation, format, size }: Artifact): boolean {
  return relation !== 'image' && format.id !== 'unread' && (size ?? 0) > 0;
}

/** Undefined for what holds nothing. An unpacked form is never the same file as something stored. */
function toContentKey({ digests, size, relation }: Artifact): string | undefined {
  if (digests.sha256 === undefined || (size ?? 0) === 0) return undefined;
  return `${relation === 'image' ? 'image' : 'stored'}\0${digests.sha256}`;
}

function toDepth(path: string): number {
  return path.split(pathSeparator).length;
}

function isSameContent(one: Artifact, other: Artifact): boolean {
  return one.digests.sha256 !== undefined && one.digests.sha256 === other.digests.sha256;
}

function toNameKey({ name, relation }: Artifact): string {
  return `${relation}\0${name}`;
}

/** A file keeps its name when it moves to another folder; the name of a part says where in the file it stands. */
function toLikeName({ name, relation }: Artifact): string {
  return relation === 'part' ? `part\0${name}` : toBaseName(name).toLowerCase();
}

function joinKeys(first: string | undefined, second: string): string | undefined {
  return first === undefined ? undefined : `${first}\0${second}`;
}

/** Fields that name a program rather than a build of it. */
const identities: readonly (readonly [Fact['kind'], string | undefined])[] = [
  ['versionInfo', 'OriginalFilename'],
  ['versionInfo', 'InternalName'],
  ['moduleName', undefined],
  ['bundleId', undefined],
  ['packageId', undefined],
  ['programField', 'installName'],
  ['msiProperty', 'UpgradeCode'],
  ['installerProperty', 'AppId'],
];

function isSameProgram(before: Artifact, after: Artifact): boolean {
  return identities.some(([kind, name]) => {
    const one = toIdentity(before, kind, name);
    return one !== undefined && one === toIdentity(after, kind, name);
  });
}

function toIdentity({ facts }: Artifact, kind: Fact['kind'], name: string | undefined): string | undefined {
  const fact = facts.find((one) => one.kind === kind && one.name === name);
  const value = fact === undefined ? '' : String(fact.value).trim().toLowerCase();
  return value === '' ? undefined : value;
}

/** Facts that nearly every file of a format has. */
const commonplace: ReadonlySet<string> = new Set([
  'machine',
  'subsystem',
  'linkerVersion',
  'section',
  'timeDateStamp',
]);

/** How many of the facts of both are in both, from 0 to 1. */
function toFactLikeness(one: readonly Fact[], other: readonly Fact[]): number {
  const left = toFactKeys(one);
  const right = toFactKeys(other);
  if (left.size < fewestFacts || right.size < fewestFacts) return 0;
  let shared = 0;
  for (const key of left) if (right.has(key)) shared += 1;
  return shared / (left.size + right.size - shared);
}

function toFactKeys(facts: readonly Fact[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { kind, name, value } of facts) {
    if (commonplace.has(kind)) continue;
    keys.add(JSON.stringify([kind, name ?? null, value]));
  }
  return keys;
}
