import { formats } from '../formats/index.ts';
import type { ArtifactObserver, ArtifactTap } from '../scan/observer.ts';
import { type FeatureSet, hashSeeds, toKey } from './feature-table.ts';
import { type TextEncodingSeen, type TextFind, type TextKind, TextScanner } from './text-scanner.ts';
import { windowBytes, type WindowFind, windowMarginBytes, WindowScanner } from './window-scanner.ts';

/*
 * What is learnt from bytes, in two passes: the survey keeps hashes only, until it is known which of them all samples
 * have and none of the others; the collection then reads these few, with their places.
 */

/** Archives that can act by themselves; like all containers, they hold the bytes of their members, which come again. */
const actingArchives = ['apk', 'aab', 'appx', 'deb', 'ipa', 'jar', 'nsis', 'rpm', 'xap'] as const;

/** What is of no interest: containers, and pages and texts, which are no programs. */
const unobserved: ReadonlySet<string> = new Set([
  ...formats.filter(({ nature }) => nature === 'transport').map(({ id }) => id),
  ...actingArchives,
  'html',
  'text',
]);

/** Where byte runs are looked for. */
const withWindows: ReadonlySet<string> = new Set(['pe', 'elf', 'macho', 'dex', 'data']);

/** Hears the key of every feature in the bytes of a file. */
export function createSurvey(onKey: (key: number) => void): ArtifactObserver {
  const onText = ({ kind, bytes, from, to }: TextFind): void =>
    onKey(toKey(hashSeeds[kind], bytes, from, to));
  const onWindow = ({ bytes, at }: WindowFind): void => onKey(toWindowKey(bytes, at));
  return { begin: (_, format) => createTap(format, onText, onWindow) };
}

function toWindowKey(bytes: Uint8Array, at: number): number {
  return toKey(hashSeeds.window, bytes, at, at + windowBytes);
}

function createTap(
  format: string,
  onText: (find: TextFind) => void,
  onWindow: (find: WindowFind) => void,
): ArtifactTap | undefined {
  if (unobserved.has(format)) return undefined;
  const texts = new TextScanner(onText);
  const windows = withWindows.has(format) ? new WindowScanner(onWindow) : undefined;
  return {
    update(chunk) {
      texts.update(chunk);
      windows?.update(chunk);
    },
    finish() {
      texts.finish();
    },
  };
}

/** A place in bytes, before its region is known. */
export interface RawPlace {
  readonly path: string;
  /** Number of the artifact in the order of the walk, which sets artifacts of the same path apart. */
  readonly artifact: number;
  readonly offset: number;
  readonly encoding?: TextEncodingSeen;
}

export interface CollectedText {
  readonly kind: TextKind;
  readonly text: string;
  /** GBK bytes, for `hanzi`. */
  readonly bytes: Uint8Array | undefined;
  /** By number of the sample. */
  readonly places: Map<number, RawPlaces>;
}

export interface RawPlaces {
  artifacts: number;
  last: number;
  readonly first: RawPlace[];
}

/** A shared window with what surrounds it in one sample. */
export interface WindowContext {
  readonly place: RawPlace;
  readonly bytes: Uint8Array;
  /** Where the window begins in {@link bytes}. */
  readonly at: number;
}

export interface CollectedWindow {
  /** By number of the sample. */
  readonly contexts: Map<number, WindowContext>;
}

/** Places that are kept of one feature in one sample. */
const placesKept = 6;

/** Reads what samples have in common, sample by sample. */
export class Collection {
  readonly #wanted: (key: number) => boolean;
  readonly #textLimit: number;
  readonly #windowLimit: number;
  readonly texts = new Map<number, CollectedText>();
  readonly windows = new Map<number, CollectedWindow>();
  /** Keys of windows from here on are left out: a choice by chance that is the same for every sample. */
  #windowBound = Number.POSITIVE_INFINITY;
  #sample = 0;
  #artifact = 0;
  /** Whether texts were left out because there were too many. */
  isTextLimitHit = false;

  get isWindowLimitHit(): boolean {
    return this.#windowBound !== Number.POSITIVE_INFINITY;
  }

  constructor(
    common: FeatureSet,
    struck: FeatureSet,
    limits: { readonly texts: number; readonly windows: number },
  ) {
    this.#wanted = (key) => common.has(key) && !struck.has(key);
    this.#textLimit = limits.texts;
    this.#windowLimit = limits.windows;
  }

  /** @param sample - number of the sample that is walked */
  observe(sample: number): ArtifactObserver {
    this.#sample = sample;
    this.#artifact = 0;
    return {
      begin: (path, format) => {
        this.#artifact += 1;
        const artifact = this.#artifact;
        return createTap(
          format,
          (find) => this.#takeText(find, path, artifact),
          (find) => this.#takeWindow(find, path, artifact),
        );
      },
    };
  }

  #takeText({ kind, bytes, from, to, offset, encoding }: TextFind, path: string, artifact: number): void {
    const key = toKey(hashSeeds[kind], bytes, from, to);
    if (!this.#wanted(key)) return;
    let collected = this.texts.get(key);
    if (collected === undefined) {
      if (this.texts.size >= this.#textLimit) {
        this.isTextLimitHit = true;
        return;
      }
      const own = bytes.slice(from, to);
      const text = new TextDecoder(kind === 'hanzi' ? 'gb18030' : 'utf-8').decode(own);
      collected = { kind, text, bytes: kind === 'hanzi' ? own : undefined, places: new Map() };
      this.texts.set(key, collected);
    }
    let places = collected.places.get(this.#sample);
    if (places === undefined) {
      places = { artifacts: 0, last: 0, first: [] };
      collected.places.set(this.#sample, places);
    }
    if (places.last !== artifact) places.artifacts += 1;
    // One place an artifact: the first.
    if (places.last !== artifact && places.first.length < placesKept)
      places.first.push({ path, artifact, offset, encoding });
    places.last = artifact;
  }

  #takeWindow({ offset, bytes, at }: WindowFind, path: string, artifact: number): void {
    const key = toWindowKey(bytes, at);
    if (key >= this.#windowBound || !this.#wanted(key)) return;
    let collected = this.windows.get(key);
    if (collected === undefined) {
      collected = { contexts: new Map() };
      this.windows.set(key, collected);
      if (this.windows.size >= 2 * this.#windowLimit) this.#thinOut();
    }
    if (collected.contexts.has(this.#sample)) return;
    const from = Math.max(0, at - windowMarginBytes);
    collected.contexts.set(this.#sample, {
      place: { path, artifact, offset },
      bytes: bytes.slice(from, Math.min(bytes.length, at + windowBytes + windowMarginBytes)),
      at: at - from,
    });
  }

  #thinOut(): void {
    const keys = [...this.windows.keys()].sort((a, b) => a - b);
    this.#windowBound = keys[this.#windowLimit] ?? this.#windowBound;
    for (const key of keys) if (key >= this.#windowBound) this.windows.delete(key);
  }
}
