import type { Authenticity } from '../authenticity/model.ts';
import type { Limits } from '../bytes/budget.ts';
import { TelltaleError } from '../bytes/errors.ts';
import type { Knowledge } from '../scan/knowledge.ts';
import { type Artifact, walkArtifacts } from '../scan/model.ts';
import { toHeadline } from '../verdict/headline.ts';
import { toFileResult } from '../verdict/result.ts';
import { type Compared, compareContents, type Wanted } from './contents.ts';
import { compareFacts } from './facts.ts';
import {
  type Comparison,
  type MemberChange,
  type MemberHalf,
  type MemberState,
  memberStates,
  type SideResult,
  type SignatureView,
  type StringChanges,
  stringsListedInAll,
} from './model.ts';
import { type ArtifactPair, likenessCompared, pairArtifacts, toInnerPaths } from './pair.ts';
import { compareRegions, compareResources } from './regions.ts';
import { readSide, type SideTree } from './side.ts';
import { compareTelltales } from './telltales.ts';

/**
 * Compares two files, folders or bundles, with everything inside them.
 *
 * @param before - path of what is compared with
 * @param after - path of what may have changed
 * @throws TelltaleError `unreadable/…` when one of the paths cannot be read
 */
export async function compareFiles(
  before: string,
  after: string,
  knowledge: Knowledge,
  limits: Limits,
): Promise<Comparison> {
  const read = async (path: string): Promise<SideTree> => {
    try {
      return await readSide(path, knowledge, limits);
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error;
      throw new TelltaleError(error.code, `${path} ${error.message}`);
    }
  };
  return await compareTrees(await read(before), await read(after), knowledge, limits);
}

async function compareTrees(
  before: SideTree,
  after: SideTree,
  knowledge: Knowledge,
  limits: Limits,
): Promise<Comparison> {
  const sketches = new Map([...before.sketches, ...after.sketches]);
  const { pairs, removed, added, cutShort } = pairArtifacts(before.root, after.root, sketches);
  const states = toStates(before.root, pairs);
  const wanted = new Map<ArtifactPair | Artifact, Wanted>();
  for (const pair of pairs) {
    const state = states.get(pair);
    if (state === 'changed' || state === 'renamed-and-changed') wanted.set(pair, pair);
  }
  for (const artifact of removed) wanted.set(artifact, { before: artifact, after: undefined });
  for (const artifact of added) wanted.set(artifact, { before: undefined, after: artifact });
  const readable = [...wanted.values()].filter(
    ({ before: left, after: right }) => hasBytes(left) && hasBytes(right),
  );
  const contents = await compareContents({ before, after }, readable, knowledge, limits);

  const paths = new Map([...toInnerPaths(before.root), ...toInnerPaths(after.root)]);
  const contentOf = (key: ArtifactPair | Artifact): Compared | undefined => {
    const one = wanted.get(key);
    return one === undefined ? undefined : contents.get(one);
  };
  const entries = new Map<Artifact, MemberChange[]>();
  const remember = (change: MemberChange, ...artifacts: readonly Artifact[]): MemberChange => {
    for (const artifact of artifacts) entries.set(artifact, [...(entries.get(artifact) ?? []), change]);
    return change;
  };
  const members = [
    ...pairs.map((pair) =>
      remember(
        toPairChange(pair, states.get(pair) ?? 'unread', contentOf(pair), paths),
        pair.before,
        pair.after,
      ),
    ),
    ...removed.map((one) => remember(toSingleChange(one, 'removed', contentOf(one), paths), one)),
    ...added.map((one) => remember(toSingleChange(one, 'added', contentOf(one), paths), one)),
  ].sort((a, b) => compareText(toSortKey(a), toSortKey(b)));

  const telltales = compareTelltales(
    before.root,
    after.root,
    (artifact) => entries.get(artifact) ?? [],
    knowledge.database,
  );
  const { listed, isCut } = limitStrings(members);
  const limitsHit = [
    ...(cutShort
      ? [
          `more than ${likenessCompared} members were left over on a side; the others were not compared for likeness`,
        ]
      : []),
    ...(isCut ? [`only the first ${stringsListedInAll} strings are listed, over all members`] : []),
  ];
  const sides = { before: toSideResult(before, knowledge), after: toSideResult(after, knowledge) };
  const differs = members.some(({ state }) => state !== 'same' && state !== 'unread');
  const isIdentical = !differs && before.root.digests.sha256 !== undefined;
  const isEverything =
    sides.before.complete &&
    sides.after.complete &&
    limitsHit.length === 0 &&
    members.every(
      ({ state, notCompared, strings }) =>
        state !== 'unread' && notCompared.length === 0 && strings?.cutShort !== true,
    );
  return {
    ...sides,
    differs,
    complete: isIdentical || isEverything,
    summary: {
      members: members.length,
      states: countStates(members),
    },
    telltales,
    members: listed,
    limits: limitsHit,
  };
}

/** Whether there are bytes to compare; a side that is not there needs none. */
function hasBytes(artifact: Artifact | undefined): boolean {
  return artifact === undefined || (artifact.digests.sha256 !== undefined && artifact.format.id !== 'unread');
}

/** What became of each pair. Folders and bundles have no bytes: what is in them decides. */
function toStates(root: Artifact, pairs: readonly ArtifactPair[]): ReadonlyMap<ArtifactPair, MemberState> {
  const states = new Map<ArtifactPair, MemberState>();
  const byBefore = new Map<Artifact, ArtifactPair>();
  for (const pair of pairs) if (pair.by !== 'form') byBefore.set(pair.before, pair);

  const visit = (artifact: Artifact, isInsideSame: boolean): void => {
    const pair = byBefore.get(artifact);
    const isSame = pair !== undefined && (isSameContent(pair) || (isInsideSame && pair.by === 'path'));
    for (const member of artifact.members) visit(member, isSame);
    if (pair !== undefined)
      states.set(pair, isSame ? toSameState(pair) : toOtherState(pair, byBefore, states));
  };
  visit(root, false);
  for (const pair of pairs) {
    if (pair.by === 'form') states.set(pair, isSameContent(pair) ? 'same' : 'changed');
  }
  return states;
}

function isSameContent({ before, after }: ArtifactPair): boolean {
  return (
    before.digests.sha256 !== undefined &&
    before.digests.sha256 === after.digests.sha256 &&
    isWhole(before) &&
    isWhole(after)
  );
}

/** Of a member that was cut off, the digest is that of what was there. */
function isWhole({ format, problems }: Artifact): boolean {
  return format.id !== 'unread' || problems.every(({ code }) => code === 'limit/memory');
}

function toSameState({ by }: ArtifactPair): MemberState {
  return by === 'path' || by === 'root' ? 'same' : 'renamed';
}

function toOtherState(
  pair: ArtifactPair,
  byBefore: ReadonlyMap<Artifact, ArtifactPair>,
  states: ReadonlyMap<ArtifactPair, MemberState>,
): MemberState {
  const { before, after, by } = pair;
  const changed = by === 'path' || by === 'root' ? 'changed' : 'renamed-and-changed';
  if (!isWhole(before) || !isWhole(after)) return 'unread';
  if (before.digests.sha256 !== undefined || after.digests.sha256 !== undefined) return changed;
  const partners = new Set<Artifact>();
  const others = new Set(after.members);
  const inside: MemberState[] = [];
  for (const member of before.members) {
    const inner = byBefore.get(member);
    if (inner === undefined || !others.has(inner.after)) return changed;
    partners.add(inner.after);
    inside.push(states.get(inner) ?? 'unread');
  }
  const hasOwnChanges =
    compareFacts(before.facts, after.facts).facts.length > 0 ||
    JSON.stringify(toSignatureView(before.authenticity)) !==
      JSON.stringify(toSignatureView(after.authenticity)) ||
    after.members.some((member) => !partners.has(member));
  if (hasOwnChanges || inside.some((state) => state !== 'same' && state !== 'unread')) return changed;
  return inside.includes('unread') ? 'unread' : toSameState(pair);
}

function toPairChange(
  pair: ArtifactPair,
  state: MemberState,
  content: Compared | undefined,
  paths: ReadonlyMap<Artifact, string>,
): MemberChange {
  const { before, after, by, likeness } = pair;
  const base = {
    state,
    pairedBy: by,
    ...(likeness === undefined ? {} : { likeness: Math.round(likeness * 100) / 100 }),
    before: toHalf(before, paths),
    after: toHalf(after, paths),
  };
  if (state === 'same' || state === 'renamed') return { ...base, ...nothing };
  const unread = [before, after].flatMap(({ problems, format }) =>
    format.id === 'unread' || state === 'unread' ? problems.filter(({ incomplete }) => incomplete) : [],
  );
  const signature = {
    before: toSignatureView(before.authenticity),
    after: toSignatureView(after.authenticity),
  };
  const hasSigned = JSON.stringify(signature.before) !== JSON.stringify(signature.after);
  return {
    ...base,
    ...nothing,
    // What a member that was not read does not say is no difference.
    ...(state === 'unread' ? {} : compareFacts(before.facts, after.facts)),
    ...(content?.kind === 'compared' ? content.content : withoutBytes(before, after)),
    signature: hasSigned && state !== 'unread' ? signature : null,
    notCompared: [
      ...(content?.kind === 'failed' ? [content.reason] : []),
      ...new Set(unread.map(({ message, consequence }) => `${message}; ${consequence}`)),
    ],
  };
}

/** Regions and resources by name and size, where the bytes are not at hand. */
function withoutBytes(before: Artifact, after: Artifact): Pick<MemberChange, 'regions' | 'resources'> {
  const sides = [
    { artifact: before, source: undefined },
    { artifact: after, source: undefined },
  ] as const;
  return {
    regions: compareRegions(...sides, () => undefined),
    resources: compareResources(...sides, () => undefined),
  };
}

const nothing = {
  facts: [],
  furtherFacts: 0,
  regions: [],
  resources: [],
  signature: null,
  strings: null,
  bytes: null,
  notCompared: [],
} as const;

function toSingleChange(
  artifact: Artifact,
  state: 'added' | 'removed',
  content: Compared | undefined,
  paths: ReadonlyMap<Artifact, string>,
): MemberChange {
  const half = toHalf(artifact, paths);
  return {
    state,
    pairedBy: null,
    before: state === 'removed' ? half : null,
    after: state === 'added' ? half : null,
    ...nothing,
    ...(content?.kind === 'compared' ? { strings: content.content.strings } : {}),
    notCompared: content?.kind === 'failed' ? [content.reason] : [],
  };
}

function toHalf(artifact: Artifact, paths: ReadonlyMap<Artifact, string>): MemberHalf {
  const { path, format, size, digests } = artifact;
  return {
    path,
    inner: paths.get(artifact) ?? '',
    format: format.id,
    formatTitle: format.title,
    size: size ?? null,
    sha256: digests.sha256 ?? null,
  };
}

function toSignatureView(authenticity: Authenticity | undefined): SignatureView | null {
  if (authenticity === undefined) return null;
  const { integrity, integrityDetail, signer, signatures } = authenticity;
  return {
    integrity,
    integrityDetail,
    signer,
    signatures: signatures.map((one) => ({
      outcome: one.outcome,
      digestAlgorithm: one.digestAlgorithm,
      signer: one.signer?.subjectCommonName ?? null,
      certificateSha1: one.signer?.sha1 ?? null,
      signingTime: one.signingTime ?? null,
    })),
  };
}

function toSideResult({ path, kind, root }: SideTree, { database }: Knowledge): SideResult {
  const result = toFileResult(path, root, database);
  return {
    path,
    kind,
    size: result.size,
    sha256: result.sha256,
    headline: toHeadline(result),
    verdict: result.verdict,
    rule: result.rule,
    reason: result.reason,
    variant: result.variant,
    variantName: result.variantName,
    version: result.version,
    complete: [...walkArtifacts(root)].every(({ problems }) =>
      problems.every(({ incomplete }) => !incomplete),
    ),
    incompleteReasons: result.incompleteReasons,
    problems: result.problems,
  };
}

function countStates(members: readonly MemberChange[]): Readonly<Record<MemberState, number>> {
  const counts: Record<MemberState, number> = {
    same: 0,
    changed: 0,
    renamed: 0,
    'renamed-and-changed': 0,
    added: 0,
    removed: 0,
    unread: 0,
  };
  for (const { state } of members) counts[state] += 1;
  return counts;
}

/** The lists of strings of all members together have a limit of their own. */
function limitStrings(members: readonly MemberChange[]): {
  readonly listed: readonly MemberChange[];
  readonly isCut: boolean;
} {
  let left = stringsListedInAll;
  let isCut = false;
  const cut = (strings: StringChanges): StringChanges => {
    const count = strings.came.listed.length + strings.went.listed.length;
    if (count <= left) {
      left -= count;
      return strings;
    }
    isCut = true;
    return {
      ...strings,
      came: { ...strings.came, listed: [] },
      went: { ...strings.went, listed: [] },
    };
  };
  const listed = members.map((member) =>
    member.strings === null ? member : { ...member, strings: cut(member.strings) },
  );
  return { listed, isCut };
}

/** The same whichever side is first. */
function toSortKey({ before, after, state, pairedBy }: MemberChange): string {
  const inner = [before, after].flatMap((half) => (half === null ? [] : [half.inner])).sort();
  // What was removed under a name stands beside what was added under it.
  const rank = memberStates.indexOf(state === 'removed' ? 'added' : state);
  return [...inner, String(rank), pairedBy ?? ''].join('\0');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
