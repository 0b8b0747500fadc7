/**
 * The text files of JAR signatures: MANIFEST.MF and the .SF files.
 *
 * Specification: https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html
 *
 * Read as Android reads them: a line that begins with a space goes on with the one before, any line end, sections behind
 * empty lines. A name or value may have spaces at its ends.
 */
import { joinBytes } from '../bytes/byte-source.ts';
import { TelltaleError } from '../bytes/errors.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';

/** Sections of one file; one for each member of the package. */
const sectionsMax = 200_000;

/** Lines of one file; a line costs far more memory than its bytes. */
const linesMax = 1_000_000;

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const space = 0x20;

/** A digest as it is stated, under the name of its algorithm. */
export interface StatedDigest {
  readonly algorithm: DigestAlgorithm;
  /** Lower-case hexadecimal; empty when it is no base64. */
  readonly value: string;
}

export interface ManifestSection {
  /** Bytes of the section with the empty line behind it. */
  readonly start: number;
  readonly end: number;
  /** Names in lower case. */
  readonly attributes: readonly (readonly [string, string])[];
}

export interface JarManifest {
  readonly bytes: Uint8Array;
  /** Without a name: what is said of the whole. */
  readonly main: ManifestSection;
  /** By the name of a member. */
  readonly members: ReadonlyMap<string, ManifestSection>;
  /** Names that several sections bear. */
  readonly repeated: readonly string[];
  /** Sections behind the first that name no member. */
  readonly nameless: number;
}

/**
 * @throws TelltaleError `limit/count` beyond 200,000 sections or 1,000,000 lines
 */
export function parseJarManifest(bytes: Uint8Array): JarManifest {
  const sections = [...readSections(bytes)];
  const main = sections[0] ?? { start: 0, end: 0, attributes: [] };
  const members = new Map<string, ManifestSection>();
  const repeated: string[] = [];
  let nameless = 0;
  for (const section of sections.slice(1)) {
    const name = findAttribute(section, 'name');
    if (name === undefined) nameless += 1;
    else if (members.has(name)) repeated.push(name);
    else members.set(name, section);
  }
  return { bytes, main, members, repeated, nameless };
}

function* readSections(bytes: Uint8Array): Generator<ManifestSection> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let at = 0;
  let count = 0;
  let lines = 0;
  const countLine = (): void => {
    lines += 1;
    if (lines > linesMax) {
      throw new TelltaleError('limit/count', `a list of digests has more than ${linesMax} lines`, {
        offset: at,
      });
    }
  };
  while (at < bytes.length) {
    const first = readLine(bytes, at);
    if (first.end === at) {
      at = first.next;
      continue;
    }
    const start = at;
    const attributes: (readonly [string, string])[] = [];
    for (;;) {
      const line = readLine(bytes, at);
      if (line.end === at) {
        at = line.next;
        break;
      }
      countLine();
      const pieces = [bytes.subarray(at, line.end)];
      at = line.next;
      while (bytes[at] === space) {
        countLine();
        const more = readLine(bytes, at);
        pieces.push(bytes.subarray(at + 1, more.end));
        at = more.next;
      }
      attributes.push(toAttribute(decoder.decode(joinBytes(pieces))));
    }
    count += 1;
    if (count > sectionsMax) {
      throw new TelltaleError('limit/count', `a list of digests has more than ${sectionsMax} sections`, {
        offset: start,
      });
    }
    yield { start, end: at, attributes };
  }
}

/** `end`: behind the last byte of the line. `next`: behind its line end. */
function readLine(bytes: Uint8Array, start: number): { readonly end: number; readonly next: number } {
  let end = start;
  while (end < bytes.length && bytes[end] !== carriageReturn && bytes[end] !== lineFeed) end += 1;
  if (end === bytes.length) return { end, next: end };
  const isPair = bytes[end] === carriageReturn && bytes[end + 1] === lineFeed;
  return { end, next: end + (isPair ? 2 : 1) };
}

function toAttribute(line: string): readonly [string, string] {
  const colon = line.indexOf(': ');
  return colon < 0 ? [line.toLowerCase(), ''] : [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
}

/** @param name - in lower case */
export function findAttribute({ attributes }: ManifestSection, name: string): string | undefined {
  return attributes.find(([one]) => one === name)?.[1];
}

const algorithmNames: Readonly<Record<string, DigestAlgorithm>> = {
  md5: 'md5',
  sha: 'sha1',
  sha1: 'sha1',
  'sha-1': 'sha1',
  'sha-256': 'sha256',
  'sha-384': 'sha384',
  'sha-512': 'sha512',
};

/**
 * The digests of a section by known algorithms.
 *
 * @param suffix - `-digest`, or that of a digest of something else: `-digest-manifest`
 */
export function toDigests({ attributes }: ManifestSection, suffix = '-digest'): readonly StatedDigest[] {
  return attributes.flatMap(([name, value]) => {
    if (!name.endsWith(suffix)) return [];
    const algorithm = algorithmNames[name.slice(0, -suffix.length)];
    return algorithm === undefined ? [] : [{ algorithm, value: toHexOfBase64(value) }];
  });
}

function toHexOfBase64(text: string): string {
  try {
    return Array.from(atob(text), (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join(
      '',
    );
  } catch {
    return '';
  }
}
