/**
 * The seal of a bundle: the digests of its files in `_CodeSignature/CodeResources`, which the code signature of the
 * bundle's program covers in turn.
 *
 * References: https://developer.apple.com/documentation/technotes/tn3126-inside-code-signing-hashes,
 * https://developer.apple.com/library/archive/technotes/tn2206/,
 * https://github.com/apple-oss-distributions/Security (OSX/libsecurity_codesigning/lib/resources.cpp)
 *
 * Read: version 2 (`files2`, `rules2`: SHA-1 and SHA-256, links, nested code) and, where that is absent, version 1
 * (`files`, `rules`: SHA-1). Nothing here reads a file: names and digests come in, names go out.
 * Not supported: requirements of nested code (shown, not evaluated).
 */
import type { Budget } from '../bytes/budget.ts';
import { toHex } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { type PlistDictionary, type PlistValue, tryGet } from '../formats/plist.ts';
import { compileExpression, type RegularExpression } from '../platform/regular-expressions.ts';

/** Rules of one seal; Apple's own have 20. */
export const sealRulesLimit = 256;
/** Of one rule. */
const patternCharactersLimit = 1024;

/** A file of the bundle as it is. */
export interface SealedFile {
  /** Lower-case hexadecimal; undefined when it was not computed. */
  readonly sha1?: string | undefined;
  readonly sha256?: string | undefined;
  /** What it points to, when it is a link. */
  readonly link?: string | undefined;
}

export interface SealOptions {
  /** The program of the bundle, relative to the contents: `MacOS/Skype`. Its own signature covers it. */
  readonly executable?: string;
  /** First 20 bytes of the digests of the code directories of nested code, hexadecimal, by path of file or folder. */
  readonly nestedCdHashes?: ReadonlyMap<string, readonly string[]>;
  readonly budget: Budget;
}

export interface NestedCode {
  /** File or folder. */
  readonly path: string;
  readonly cdHash: string | undefined;
  /** What may stand in its place, as text. */
  readonly requirement: string | undefined;
}

export interface SealCheck {
  /** Version of the seal that was read. */
  readonly version: 1 | 2;
  /**
   * `holds`: every listed file is there and as listed, and there is no other. `broken`: not so. `unproved`: nothing
   * speaks against it, but digests of some files are not known.
   */
  readonly state: 'holds' | 'broken' | 'unproved';
  /** Listed, there, and with other bytes or another target. */
  readonly altered: readonly string[];
  /** Listed and not there, though not optional. */
  readonly missing: readonly string[];
  /** There, not listed, and not left out by a rule. */
  readonly added: readonly string[];
  /** Listed and there, but without a digest to compare. */
  readonly unchecked: readonly string[];
  readonly nested: readonly NestedCode[];
  /** Nested code that is there in another build than the one that was sealed. */
  readonly exchanged: readonly string[];
  readonly filesHeld: number;
  /** Some files are covered by SHA-1 alone. */
  readonly weak: boolean;
}

/** What no seal covers, whatever its rules: itself, and what the store adds after signing. */
const exempt = /^(?:_CodeSignature(?:\/|$)|CodeResources$|_MASReceipt(?:\/|$)|SC_Info(?:\/|$))/;

interface Rule {
  readonly pattern: RegularExpression;
  readonly weight: number;
  readonly omit: boolean;
}

/**
 * Compares the files of a bundle with its seal.
 *
 * @param codeResources - the property list `CodeResources`
 * @param entries - files and links by path relative to the contents of the bundle; folders are left out
 * @throws TelltaleError `malformed/structure` when it is no seal, `limit/count`, `limit/time`
 */
export function checkSeal(
  codeResources: PlistValue,
  entries: ReadonlyMap<string, SealedFile>,
  options: SealOptions,
): SealCheck {
  const { budget, executable, nestedCdHashes } = options;
  const second = tryGet(codeResources, 'files2');
  const version = second?.kind === 'dictionary' ? 2 : 1;
  const files = version === 2 ? second : tryGet(codeResources, 'files');
  if (files?.kind !== 'dictionary') {
    throw new TelltaleError('malformed/structure', 'the seal of the bundle lists no files');
  }
  const repeated = [...tryGetRepeated(codeResources), ...files.repeatedKeys];
  const rules = readRules(tryGet(codeResources, version === 2 ? 'rules2' : 'rules'));
  const altered: string[] = [];
  const missing: string[] = [];
  const unchecked: string[] = [];
  const nested: NestedCode[] = [];
  const exchanged: string[] = [];
  let filesHeld = 0;
  let weak = false;
  let turns = 0;
  const folders = toFolders(entries.keys());
  for (const [path, stated] of files.entries) {
    turns += 1;
    if ((turns & 0x3ff) === 0) budget.checkTime();
    const listed = readListed(stated);
    const entry = entries.get(path);
    if (listed.kind === 'unreadable') {
      altered.push(path);
      continue;
    }
    if (listed.kind === 'nested') {
      nested.push({ path, cdHash: listed.cdHash, requirement: listed.requirement });
      if (entry === undefined && !folders.has(path)) {
        if (!listed.optional) missing.push(path);
        continue;
      }
      const actual = nestedCdHashes?.get(path);
      if (actual === undefined || listed.cdHash === undefined) unchecked.push(path);
      else if (actual.includes(listed.cdHash)) filesHeld += 1;
      else exchanged.push(path);
      continue;
    }
    if (entry === undefined) {
      if (!listed.optional) missing.push(path);
      continue;
    }
    const outcome = compare(listed, entry);
    if (outcome === 'altered') altered.push(path);
    else if (outcome === 'unknown') unchecked.push(path);
    else {
      filesHeld += 1;
      weak ||= outcome === 'weak';
    }
  }
  // Software may read the other value of a key that is there twice, so what it covers is not known.
  for (const path of repeated) if (!altered.includes(path)) altered.push(path);

  const nestedFolders = new Set(nested.map(({ path }) => path));
  const added: string[] = [];
  for (const path of entries.keys()) {
    turns += 1;
    if ((turns & 0x3ff) === 0) budget.checkTime();
    if (files.entries.has(path) || path === executable || exempt.test(path) || isInside(path, nestedFolders))
      continue;
    if (isCovered(path, rules)) added.push(path);
  }
  const isBroken = altered.length + missing.length + added.length + exchanged.length > 0;
  return {
    version,
    state: isBroken ? 'broken' : unchecked.length > 0 ? 'unproved' : 'holds',
    altered,
    missing,
    added,
    unchecked,
    nested,
    exchanged,
    filesHeld,
    weak,
  };
}

/** Whether the lists themselves are in the seal twice. */
function tryGetRepeated(value: PlistValue): readonly string[] {
  if (value.kind !== 'dictionary') return [];
  return value.repeatedKeys.filter((key) => /^(?:files|rules)2?$/.test(key));
}

/** Every folder that has something in it. */
function toFolders(paths: Iterable<string>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at);
      // What is around a known folder is known as well.
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return folders;
}

function isInside(path: string, folders: ReadonlySet<string>): boolean {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    if (folders.has(path.slice(0, at))) return true;
  }
  return false;
}

type Listed =
  | {
      readonly kind: 'file';
      readonly sha1: string | undefined;
      readonly sha256: string | undefined;
      readonly optional: boolean;
    }
  | { readonly kind: 'link'; readonly target: string; readonly optional: boolean }
  | {
      readonly kind: 'nested';
      readonly cdHash: string | undefined;
      readonly requirement: string | undefined;
      readonly optional: boolean;
    }
  | { readonly kind: 'unreadable' };

function readListed(stated: PlistValue): Listed {
  if (stated.kind === 'data') {
    return { kind: 'file', sha1: toHex(stated.value), sha256: undefined, optional: false };
  }
  if (stated.kind !== 'dictionary') return { kind: 'unreadable' };
  const optional = isTrue(stated, 'optional');
  const link = tryGet(stated, 'symlink');
  if (link?.kind === 'string') return { kind: 'link', target: link.value, optional };
  const cdHash = tryGetHex(stated, 'cdhash');
  const requirement = tryGet(stated, 'requirement');
  if (cdHash !== undefined || requirement?.kind === 'string') {
    return {
      kind: 'nested',
      cdHash,
      requirement: requirement?.kind === 'string' ? requirement.value : undefined,
      optional,
    };
  }
  const [sha1, sha256] = [tryGetHex(stated, 'hash'), tryGetHex(stated, 'hash2')];
  return sha1 === undefined && sha256 === undefined
    ? { kind: 'unreadable' }
    : { kind: 'file', sha1, sha256, optional };
}

function isTrue(dictionary: PlistDictionary, key: string): boolean {
  const value = dictionary.entries.get(key);
  return value?.kind === 'boolean' && value.value;
}

function tryGetHex(dictionary: PlistDictionary, key: string): string | undefined {
  const value = dictionary.entries.get(key);
  return value?.kind === 'data' ? toHex(value.value) : undefined;
}

/** `weak`: the same by SHA-1, and nothing better is listed or known. */
function compare(
  listed: Exclude<Listed, { kind: 'nested' } | { kind: 'unreadable' }>,
  entry: SealedFile,
): 'same' | 'weak' | 'altered' | 'unknown' {
  if (listed.kind === 'link') return entry.link === listed.target ? 'same' : 'altered';
  if (entry.link !== undefined) return 'altered';
  const pairs = [
    [listed.sha1, entry.sha1],
    [listed.sha256, entry.sha256],
  ] as const;
  const known = pairs.filter(([stated, actual]) => stated !== undefined && actual !== undefined);
  if (known.some(([stated, actual]) => stated !== actual)) return 'altered';
  if (known.length === 0) return 'unknown';
  return listed.sha256 !== undefined && entry.sha256 !== undefined ? 'same' : 'weak';
}

function readRules(value: PlistValue | undefined): readonly Rule[] {
  if (value?.kind !== 'dictionary') return [];
  if (value.entries.size > sealRulesLimit) {
    throw new TelltaleError('limit/count', `the seal of the bundle has more than ${sealRulesLimit} rules`);
  }
  return [...value.entries].map(([text, rule]) => {
    if (text.length > patternCharactersLimit) {
      throw new TelltaleError('limit/count', 'a rule in the seal of the bundle is too long');
    }
    let pattern: RegularExpression;
    try {
      // Linear in time whatever the pattern: the seal is as hostile as the rest.
      pattern = compileExpression(text);
    } catch {
      throw new TelltaleError('malformed/structure', `a rule in the seal of the bundle is no pattern`);
    }
    const weight = tryGet(rule, 'weight');
    return {
      pattern,
      weight: weight?.kind === 'real' || weight?.kind === 'integer' ? Number(weight.value) : 1,
      omit: (rule.kind === 'boolean' && !rule.value) || (rule.kind === 'dictionary' && isTrue(rule, 'omit')),
    };
  });
}

/** The heaviest rule that fits decides; without rules everything is covered. */
function isCovered(path: string, rules: readonly Rule[]): boolean {
  if (rules.length === 0) return true;
  let heaviest: Rule | undefined;
  for (const rule of rules) {
    if (heaviest !== undefined && rule.weight <= heaviest.weight) continue;
    if (rule.pattern.matcher(path).find()) heaviest = rule;
  }
  return heaviest !== undefined && !heaviest.omit;
}
