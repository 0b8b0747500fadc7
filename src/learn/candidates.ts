import { toHex } from '../bytes/cursor.ts';
import { type Artifact, pathSeparator, walkArtifacts } from '../scan/model.ts';
import { toPlace } from '../scan/place.ts';
import { listPlaced, type SeenFeature } from './fact-features.ts';
import type { Candidate, Feature, SampleSightings, Sighting, Specificity } from './model.ts';
import { changeByte, missHost, missText } from './near-miss.ts';
import { judgeBytes, judgeHanzi, judgeHost, judgeText } from './specificity.ts';
import type { CollectedText, CollectedWindow, RawPlace, WindowContext } from './survey.ts';
import { windowBytes } from './window-scanner.ts';

/** A sample that was walked, and what is asked of its tree. */
export interface WalkedSample {
  readonly path: string;
  /** Places of the artifacts of a path, in the order of the walk. */
  toSighting(place: RawPlace): Sighting;
}

export function toWalkedSample(path: string, root: Artifact): WalkedSample {
  const byPath = new Map<string, { readonly artifact: Artifact; readonly format: string }[]>();
  for (const { artifact, format } of listPlaced(root)) {
    const same = byPath.get(artifact.path);
    if (same === undefined) byPath.set(artifact.path, [{ artifact, format }]);
    else same.push({ artifact, format });
  }
  return {
    path,
    toSighting({ path: at, offset, encoding }) {
      const found = (byPath.get(at) ?? []).find(({ artifact }) => offset < (artifact.size ?? 0));
      const region = found === undefined ? undefined : toPlace(found.artifact.regions, offset);
      return {
        path: at,
        offset,
        ...(region === undefined ? {} : { region }),
        ...(encoding === undefined ? {} : { encoding }),
        format: found?.format ?? 'data',
      };
    },
  };
}

/** Regions that are read for what they are: what stands in them is learnt as fields and signers, or is plumbing. */
const readElsewhere = /^(?:certificate table|VERSIONINFO|header)(?:\+|$)/;

/** Bytes of one file lie in its containers too; the deepest place says most. */
function toDeepest(places: readonly Sighting[]): readonly Sighting[] {
  return places
    .filter(({ region }) => region === undefined || !readElsewhere.test(region))
    .filter(({ path }) => !places.some((other) => other.path.startsWith(path + pathSeparator)));
}

// -------------------------------------------------------------------------------------------------- texts

/** Texts as candidates; undefined when they stand only where they are read as something else. */
export function tryToTextCandidate(
  { kind, text, bytes, places }: CollectedText,
  samples: readonly WalkedSample[],
): Candidate | undefined {
  const sightings: SampleSightings[] = [];
  for (const [number, { artifacts, first }] of [...places].sort(([a], [b]) => a - b)) {
    const sample = samples[number];
    if (sample === undefined) continue;
    const seen = toDeepest(first.map((place) => sample.toSighting(place)));
    if (seen.length > 0) sightings.push({ sample: sample.path, artifacts, places: seen });
  }
  if (sightings.length === 0) return undefined;
  const encodings = new Set(sightings.flatMap((one) => one.places.map(({ encoding }) => encoding)));
  const isWide = !encodings.has('ascii');
  return { ...toTextFeature(kind, text, bytes, isWide), sightings };
}

function toTextFeature(
  kind: CollectedText['kind'],
  text: string,
  bytes: Uint8Array | undefined,
  isWide: boolean,
): Feature {
  const place = isWide ? 'utf16' : 'content';
  switch (kind) {
    case 'host':
      return {
        kind: 'host',
        key: `host\0${text}`,
        title: `host ${text}`,
        value: text,
        when: { host: text },
        hit: { [place]: [`http://${text}/`] },
        nearMisses: missHost(text),
        specificity: judgeHost(text),
      };
    case 'text':
      return {
        kind: 'text',
        key: `text\0${text}`,
        title: `text ${text}`,
        value: text,
        when: { text },
        hit: { [place]: [text] },
        nearMisses: missText(text, isWide),
        specificity: judgeText(text),
      };
    case 'hanzi':
      return {
        ...toBytesFeature(bytes ?? new Uint8Array(0), judgeHanzi(text)),
        kind: 'text',
        title: `text ${text} in GBK`,
        value: text,
      };
  }
}

function toBytesFeature(bytes: Uint8Array, specificity: Specificity): Feature {
  const hex = toHex(bytes);
  return {
    kind: 'bytes',
    key: `bytes\0${hex}`,
    title: `bytes ${hex.slice(0, 16)}…`,
    value: hex,
    when: { bytes: hex },
    hit: { bytes: [hex] },
    nearMisses: [{ why: 'one bit is another', bytes: [changeByte(bytes)] }],
    specificity,
  };
}

// --------------------------------------------------------------------------------------------- byte runs

const shownRunBytes = 32;
/** Runs that begin this near to a better one are parts of the same block. */
const blockBytes = 1024;

/** The most telling shared byte runs, best first, from blocks that lie apart. */
export function toRunCandidates(
  windows: Iterable<CollectedWindow>,
  samples: readonly WalkedSample[],
  limit: number,
): readonly Candidate[] {
  const candidates = [...windows].flatMap((window) => tryToRunCandidate(window, samples) ?? []);
  candidates.sort(compareCandidates);
  const kept: Candidate[] = [];
  for (const candidate of candidates) {
    if (kept.length >= limit) break;
    if (!kept.some((other) => isSameBlock(other, candidate))) kept.push(candidate);
  }
  return kept;
}

function isSameBlock(one: Candidate, other: Candidate): boolean {
  const [a, b] = [one, other].map(({ sightings }) => sightings[0]?.places[0]);
  return (
    a !== undefined &&
    b !== undefined &&
    a.path === b.path &&
    Math.abs((a.offset ?? 0) - (b.offset ?? 0)) < blockBytes
  );
}

function tryToRunCandidate(
  { contexts }: CollectedWindow,
  samples: readonly WalkedSample[],
): Candidate | undefined {
  const all = [...contexts].sort(([a], [b]) => a - b);
  const first = all[0]?.[1];
  if (first === undefined) return undefined;
  const others = all.slice(1).map(([, context]) => context);
  const before = countShared(first, others, -1);
  const after = countShared(first, others, 1);
  const run = first.bytes.subarray(first.at - before, first.at + windowBytes + after);
  const { start, end } = trimZeros(run, findMostTelling(run));
  const bytes = run.slice(start, end);
  const sightings = all.flatMap(([number, { place }]) => {
    const sample = samples[number];
    if (sample === undefined) return [];
    const places = toDeepest([sample.toSighting({ ...place, offset: place.offset - before + start })]);
    return places.length === 0 ? [] : [{ sample: sample.path, artifacts: 1, places }];
  });
  if (sightings.length === 0) return undefined;
  return { ...toBytesFeature(bytes, judgeBytes(bytes, sightings[0]?.places[0]?.region)), sightings };
}

/** How many bytes before or behind a window are the same in all contexts. */
function countShared(first: WindowContext, others: readonly WindowContext[], step: 1 | -1): number {
  const edge = (context: WindowContext, distance: number): number | undefined =>
    context.bytes[step < 0 ? context.at - distance : context.at + windowBytes - 1 + distance];
  let shared = 0;
  for (;;) {
    const byte = edge(first, shared + 1);
    if (byte === undefined || others.some((other) => edge(other, shared + 1) !== byte)) return shared;
    shared += 1;
  }
}

/** The piece of a run from a place on, without zeros around it, but never shorter than a window. */
function trimZeros(run: Uint8Array, from: number): { readonly start: number; readonly end: number } {
  let start = from;
  let end = Math.min(run.length, from + shownRunBytes);
  while (end - start > windowBytes && run[start] === 0) start += 1;
  while (end - start > windowBytes && run[end - 1] === 0) end -= 1;
  return { start, end };
}

/** Where in a run the piece begins that has the most different bytes other than zero; the first one of equals. */
function findMostTelling(run: Uint8Array): number {
  const counts = new Uint16Array(256);
  let different = 0;
  let best = 0;
  let most = -1;
  for (const [at, byte] of run.entries()) {
    if (counts[byte] === 0 && byte !== 0) different += 1;
    counts[byte] = (counts[byte] ?? 0) + 1;
    const start = at - shownRunBytes + 1;
    const leaving = start > 0 ? run[start - 1] : undefined;
    if (leaving !== undefined) {
      counts[leaving] = (counts[leaving] ?? 0) - 1;
      if (counts[leaving] === 0 && leaving !== 0) different -= 1;
    }
    if (start >= 0 && different > most) {
      most = different;
      best = start;
    }
  }
  return best;
}

// -------------------------------------------------------------------------------------------------- facts

/** What the samples say of themselves, counted sample by sample. */
export class FactCounts {
  readonly #limit: number;
  readonly #features = new Map<
    string,
    { readonly feature: Feature; readonly sightings: Map<string, MutableSightings> }
  >();
  isFull = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  addSample(sample: string, seen: Iterable<SeenFeature>): void {
    for (const { feature, sighting } of seen) {
      let known = this.#features.get(feature.key);
      if (known === undefined) {
        if (this.#features.size >= this.#limit) {
          this.isFull = true;
          continue;
        }
        known = { feature, sightings: new Map() };
        this.#features.set(feature.key, known);
      }
      const sightings = known.sightings.get(sample) ?? { sample, artifacts: 0, places: [] };
      known.sightings.set(sample, sightings);
      sightings.artifacts += 1;
      if (sightings.places.length < placesKept) sightings.places.push(sighting);
    }
  }

  strike(seen: Iterable<SeenFeature>): void {
    for (const { feature } of seen) this.#features.delete(feature.key);
  }

  /** What at least so many samples have. */
  toCandidates(least: number): readonly Candidate[] {
    return [...this.#features.values()]
      .filter(({ sightings }) => sightings.size >= least)
      .map(({ feature, sightings }) => ({ ...feature, sightings: [...sightings.values()] }));
  }
}

interface MutableSightings {
  readonly sample: string;
  artifacts: number;
  readonly places: Sighting[];
}

const placesKept = 6;

// ------------------------------------------------------------------------------------------------- ranking

/** What is found all over a sample says less, and so does what only some samples have. */
export function weigh(candidate: Candidate, sampleCount: number): Candidate {
  const { sightings, specificity } = candidate;
  const most = Math.max(...sightings.map(({ artifacts }) => artifacts));
  const missing = 1 - sightings.length / sampleCount;
  const score = specificity.score - (most > 4 ? 6 : 0) - Math.round(20 * missing);
  return { ...candidate, specificity: { ...specificity, score: Math.max(0, score) } };
}

export function compareCandidates(a: Candidate, b: Candidate): number {
  return b.specificity.score - a.specificity.score || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** Further ones of a kind step back a little, so that independent kinds come first. */
const stepBack = 2;
const mostSteps = 40;

export function rankAcrossKinds(candidates: readonly Candidate[]): readonly Candidate[] {
  const seen = new Map<string, number>();
  return [...candidates]
    .sort(compareCandidates)
    .map((candidate) => {
      const before = seen.get(candidate.kind) ?? 0;
      seen.set(candidate.kind, before + 1);
      return { candidate, rank: candidate.specificity.score - Math.min(mostSteps, before * stepBack) };
    })
    .sort((a, b) => b.rank - a.rank || compareCandidates(a.candidate, b.candidate))
    .map(({ candidate }) => candidate);
}

export interface Group {
  readonly leader: Candidate;
  readonly also: readonly Candidate[];
}

/** Texts this near to each other, at the same distance in every sample, are one find. */
const neighbourBytes = 1024;

/** Puts together what is contained in another, or always comes with it; the best of each group leads it. */
export function groupCandidates(ranked: readonly Candidate[]): readonly Group[] {
  const groups: { readonly leader: Candidate; readonly also: Candidate[] }[] = [];
  for (const candidate of ranked) {
    const group = groups.find(({ leader }) => belongsTo(candidate, leader));
    if (group === undefined) groups.push({ leader: candidate, also: [] });
    else group.also.push(candidate);
  }
  return groups;
}

function isText({ kind }: Candidate): boolean {
  return kind === 'text' || kind === 'host';
}

function belongsTo(one: Candidate, leader: Candidate): boolean {
  if (isText(one) && isText(leader) && !('bytes' in one.when)) {
    const [a, b] = [one.value.toLowerCase(), leader.value.toLowerCase()];
    if (a.includes(b) || b.includes(a)) return one.kind === leader.kind || one.kind === 'text';
    return one.kind === 'text' && leader.kind === 'text' && isBeside(one, leader);
  }
  // A Chinese text in GBK is asked for as bytes too.
  if ('bytes' in one.when && 'bytes' in leader.when) return isBeside(one, leader);
  if (one.kind !== leader.kind) return false;
  switch (one.kind) {
    case 'versionInfo':
      return one.value.toLowerCase() === leader.value.toLowerCase();
    case 'version':
    case 'signer':
    case 'export':
    case 'import':
    case 'resource':
    case 'digest':
      return isInSameArtifacts(one, leader);
    default:
      return false;
  }
}

function isBeside(one: Candidate, other: Candidate): boolean {
  if (one.sightings.length !== other.sightings.length) return false;
  const distances = one.sightings.map(({ sample, places }) => {
    const [a, b] = [places[0], other.sightings.find((seen) => seen.sample === sample)?.places[0]];
    return a?.path === b?.path && a?.offset !== undefined && b?.offset !== undefined
      ? a.offset - b.offset
      : Number.POSITIVE_INFINITY;
  });
  const [first = Number.POSITIVE_INFINITY] = distances;
  return Math.abs(first) <= neighbourBytes && distances.every((distance) => distance === first);
}

/** In every sample, the first place of the one is that of the other, or lies inside or around it. */
function isInSameArtifacts(one: Candidate, other: Candidate): boolean {
  if (one.sightings.length !== other.sightings.length) return false;
  return one.sightings.every(({ sample, places }) => {
    const a = places[0]?.path;
    const b = other.sightings.find((seen) => seen.sample === sample)?.places[0]?.path;
    if (a === undefined || b === undefined) return false;
    return a === b || a.startsWith(b + pathSeparator) || b.startsWith(a + pathSeparator);
  });
}

/** Ids of the indicators that fired anywhere in a tree. */
export function listFired(root: Artifact): ReadonlySet<string> {
  const fired = new Set<string>();
  for (const { observations } of walkArtifacts(root)) {
    for (const { telltales } of observations) for (const { indicator } of telltales) fired.add(indicator.id);
  }
  return fired;
}
