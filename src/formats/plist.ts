/**
 * Apple property lists, binary and XML, and what the well-known ones say about a program.
 *
 * Binary: eight bytes `bplist00`, objects, a table of their offsets, a trailer of 32 bytes with the sizes of offsets
 * and references, the number of objects, the top object and the place of the table (all big-endian).
 * XML: `<plist>` with `dict`, `array`, `string`, `integer`, `real`, `date`, `data`, `true`, `false`.
 *
 * References: https://github.com/apple-oss-distributions/CF (CFBinaryPList.c, CFPropertyList.c),
 * https://www.apple.com/DTDs/PropertyList-1.0.dtd,
 * https://developer.apple.com/documentation/bundleresources/information-property-list
 *
 * Not supported: the old text form in braces, `bplist15` and later. A provisioning profile is read through its
 * content; its signature is not checked here.
 *
 * Objects may be referred to from many places, so that a few hundred bytes can stand for more values than there is
 * memory: values are counted as they are put together, containers once for every time they are reached.
 */
import { toGrouped } from '../bytes/amounts.ts';
import type { Budget } from '../bytes/budget.ts';
import { type ByteSource, readUpTo } from '../bytes/byte-source.ts';
import { Cursor, toLatin1 } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import type { Fact, Format, ReadContext, Reading } from './model.ts';
import { parseXml, tryReadXmlRoot, type XmlElement } from './xml.ts';

/** The seal of a large application lists 20,000 files in 6 MiB. */
export const plistBytesLimit = 32 * 1024 * 1024;
/** Values in one list, shared ones counted at each place. */
export const plistValuesLimit = 500_000;
/** Containers inside each other. */
export const plistDepthLimit = 128;
/** Characters of one fact. */
const factCharactersLimit = 4096;
/** Entries of a list in Info.plist that become facts. */
const listedFactsLimit = 64;
const trailerBytes = 32;
const magicBytes = 8;
/** Seconds from 1970 to 2001, where Apple's dates begin. */
const appleEpochSeconds = 978_307_200;
/** The last moment that a JavaScript date can name. */
const latestMilliseconds = 8.64e15;

/** A value of a property list. */
export type PlistValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'real'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  /** `value` in ISO 8601, or as written where it is no moment. */
  | { readonly kind: 'date'; readonly value: string }
  | { readonly kind: 'data'; readonly value: Uint8Array }
  | { readonly kind: 'uid'; readonly value: bigint }
  | { readonly kind: 'array'; readonly items: readonly PlistValue[] }
  | PlistDictionary;

export interface PlistDictionary {
  readonly kind: 'dictionary';
  /** The last value of a key that is there several times. */
  readonly entries: ReadonlyMap<string, PlistValue>;
  /** Keys that are there several times: software may disagree about which value counts. */
  readonly repeatedKeys: readonly string[];
}

/**
 * Reads a property list, binary or XML.
 *
 * @throws TelltaleError `malformed/*`, `unsupported/*`, `limit/count`, `limit/memory`, `limit/time`
 */
export function parsePlist(bytes: Uint8Array, budget: Budget): PlistValue {
  const { value, fault } = readPlist(bytes, budget);
  if (fault !== undefined) throw fault;
  if (value === undefined) throw new TelltaleError('malformed/structure', 'holds no value', { offset: 0 });
  return value;
}

/**
 * As {@link parsePlist}, but keeps what of an XML list comes before its fault.
 *
 * @throws TelltaleError `limit/time`
 */
export function readPlist(
  bytes: Uint8Array,
  budget: Budget,
): { readonly value: PlistValue | undefined; readonly fault: TelltaleError | undefined } {
  try {
    if (bytes.length > plistBytesLimit) {
      throw new TelltaleError('limit/memory', `is a property list of more than ${plistBytesLimit} bytes`, {
        offset: 0,
      });
    }
    if (isBinaryPlist(bytes)) return { value: new BinaryReader(bytes, budget).read(), fault: undefined };
    const { root, fault } = parseXml(bytes.subarray(countLeadingSpace(bytes)), budget);
    if (root === undefined) {
      throw (
        fault ??
        new TelltaleError('unsupported/format', 'is neither a binary nor an XML property list', { offset: 0 })
      );
    }
    return { value: new XmlPlistReader(budget).read(root), fault };
  } catch (error) {
    if (!(error instanceof TelltaleError) || error.code === 'limit/time') throw error;
    return { value: undefined, fault: error };
  }
}

/** Entitlements often begin with an empty line, which XML does not allow before its declaration, and Apple does. */
function countLeadingSpace(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
  return Math.max(0, first);
}

/** Counts the values of one list. */
class Tally {
  readonly #budget: Budget;
  #count = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  take(offset: number): void {
    this.#count += 1;
    if ((this.#count & 0xfff) === 0) this.#budget.checkTime();
    if (this.#count > plistValuesLimit) {
      throw new TelltaleError('limit/count', `stands for more than ${plistValuesLimit} values`, { offset });
    }
  }

  /** @param depth - containers around */
  checkDepth(depth: number, offset: number): void {
    if (depth > plistDepthLimit) {
      throw new TelltaleError('limit/count', `nests more than ${plistDepthLimit} values`, { offset });
    }
  }
}

function toDictionary(pairs: Iterable<readonly [string, PlistValue]>): PlistDictionary {
  const entries = new Map<string, PlistValue>();
  const repeatedKeys: string[] = [];
  for (const [key, value] of pairs) {
    if (entries.has(key)) repeatedKeys.push(key);
    entries.set(key, value);
  }
  return { kind: 'dictionary', entries, repeatedKeys };
}

function toDate(milliseconds: number): PlistValue {
  const isMoment = Number.isFinite(milliseconds) && Math.abs(milliseconds) <= latestMilliseconds;
  return {
    kind: 'date',
    value: isMoment ? new Date(milliseconds).toISOString().replace('.000Z', 'Z') : String(milliseconds),
  };
}

// --------------------------------------------------------------------------------------------- binary

export function isBinaryPlist(bytes: Uint8Array): boolean {
  return bytes.length >= magicBytes && toLatin1(bytes.subarray(0, 6)) === 'bplist';
}

function toMalformed(message: string, offset: number): TelltaleError {
  return new TelltaleError('malformed/structure', message, { offset });
}

function isSize(size: number): boolean {
  return size >= 1 && size <= 8;
}

class BinaryReader {
  readonly #bytes: Uint8Array;
  readonly #tally: Tally;
  readonly #offsetSize: number;
  readonly #referenceSize: number;
  readonly #objects: number;
  readonly #top: number;
  readonly #table: number;
  /** Simple values, so that one that is referred to often costs no more than once. */
  readonly #simple = new Map<number, PlistValue>();
  /** Containers around the value that is being read. */
  readonly #around = new Set<number>();
  #textBytes = 0;

  constructor(bytes: Uint8Array, budget: Budget) {
    this.#bytes = bytes;
    this.#tally = new Tally(budget);
    if (toLatin1(bytes.subarray(6, 7)) !== '0') {
      throw new TelltaleError(
        'unsupported/version',
        `is a binary property list of version "${toLatin1(bytes.subarray(6, 8))}"`,
        { offset: 6 },
      );
    }
    if (bytes.length < magicBytes + trailerBytes) {
      throw new TelltaleError('malformed/truncated', 'has no room for the end record of a property list', {
        offset: bytes.length,
        wanted: trailerBytes,
      });
    }
    const at = bytes.length - trailerBytes;
    const trailer = new Cursor(bytes, at + 6);
    this.#offsetSize = trailer.u8();
    this.#referenceSize = trailer.u8();
    this.#objects = trailer.u64be();
    this.#top = trailer.u64be();
    this.#table = trailer.u64be();
    if (!isSize(this.#offsetSize) || !isSize(this.#referenceSize)) {
      throw toMalformed('states a size of offsets or references that is none', at + 6);
    }
    if (
      this.#table < magicBytes ||
      this.#table > at ||
      this.#objects > Math.floor((at - this.#table) / this.#offsetSize)
    ) {
      throw toMalformed(`states ${this.#objects} objects, for whose offsets there is no room`, at + 8);
    }
  }

  read(): PlistValue {
    return this.#object(this.#top, 0);
  }

  /** A big-endian number of 1 to 8 bytes; what does not fit a safe integer is out of every range. */
  #number(at: number, size: number): number {
    let value = 0;
    for (const byte of new Cursor(this.#bytes, at).bytes(size)) value = value * 256 + byte;
    return value;
  }

  #big(at: number, size: number): bigint {
    let value = 0n;
    for (const byte of new Cursor(this.#bytes, at).bytes(size)) value = value * 256n + BigInt(byte);
    return value;
  }

  /** Bytes of an object; they all lie before the table of offsets. */
  #within(at: number, length: number): Uint8Array {
    if (length > this.#table - at) {
      throw new TelltaleError(
        'malformed/out-of-range',
        `an object wants ${length} bytes, more than there are`,
        {
          offset: at,
          wanted: length,
        },
      );
    }
    return this.#bytes.subarray(at, at + length);
  }

  #object(index: number, depth: number): PlistValue {
    if (!(index < this.#objects))
      throw toMalformed(`refers to an object ${index} that is not there`, this.#table);
    const known = this.#simple.get(index);
    const at = this.#number(this.#table + index * this.#offsetSize, this.#offsetSize);
    this.#tally.take(at);
    if (known !== undefined) return known;
    if (at < magicBytes || at >= this.#table) {
      throw new TelltaleError('malformed/out-of-range', `the object ${index} lies outside of the objects`, {
        offset: at,
      });
    }
    const marker = this.#bytes[at] ?? 0;
    const kind = marker >> 4;
    if (kind === 0xa || kind === 0xb || kind === 0xc || kind === 0xd) {
      this.#tally.checkDepth(depth, at);
      if (this.#around.has(index)) {
        throw new TelltaleError('malformed/cycle', 'a value lies inside itself', { offset: at });
      }
      this.#around.add(index);
      const value = this.#container(at, kind, depth);
      this.#around.delete(index);
      return value;
    }
    const value = this.#toSimple(at, marker);
    this.#simple.set(index, value);
    return value;
  }

  /** The count of an object and where its content begins: in the marker, or in an integer behind it. */
  #count(at: number): { readonly count: number; readonly start: number } {
    const nibble = (this.#bytes[at] ?? 0) & 0xf;
    if (nibble !== 0xf) return { count: nibble, start: at + 1 };
    const marker = this.#bytes[at + 1] ?? 0;
    const size = 1 << (marker & 0xf);
    if (marker >> 4 !== 1 || size > 8) throw toMalformed('a count is not written as one', at + 1);
    this.#within(at + 2, size);
    return { count: this.#number(at + 2, size), start: at + 2 + size };
  }

  #container(at: number, kind: number, depth: number): PlistValue {
    const { count, start } = this.#count(at);
    const perEntry = kind === 0xd ? 2 : 1;
    this.#within(start, count * perEntry * this.#referenceSize);
    const reference = (index: number): number =>
      this.#number(start + index * this.#referenceSize, this.#referenceSize);
    if (kind !== 0xd) {
      const items: PlistValue[] = [];
      for (let index = 0; index < count; index += 1) items.push(this.#object(reference(index), depth + 1));
      return { kind: 'array', items };
    }
    const pairs: [string, PlistValue][] = [];
    for (let index = 0; index < count; index += 1) {
      const key = this.#object(reference(index), depth + 1);
      if (key.kind !== 'string') throw toMalformed(`a key is a ${key.kind}, not a string`, at);
      pairs.push([key.value, this.#object(reference(count + index), depth + 1)]);
    }
    return toDictionary(pairs);
  }

  #toSimple(at: number, marker: number): PlistValue {
    const low = marker & 0xf;
    switch (marker >> 4) {
      case 0x0:
        if (low === 0) return { kind: 'null' };
        if (low === 8 || low === 9) return { kind: 'boolean', value: low === 9 };
        break;
      case 0x1: {
        const size = 1 << low;
        if (size > 16) break;
        this.#within(at + 1, size);
        // 1, 2 and 4 bytes are unsigned, 8 and 16 signed.
        const value = this.#big(at + 1, size);
        return { kind: 'integer', value: size < 8 ? value : BigInt.asIntN(size * 8, value) };
      }
      case 0x2: {
        if (low !== 2 && low !== 3) break;
        return { kind: 'real', value: this.#float(at + 1, 1 << low) };
      }
      case 0x3:
        if (low !== 3) break;
        return toDate((this.#float(at + 1, 8) + appleEpochSeconds) * 1000);
      case 0x4: {
        const { count, start } = this.#count(at);
        return { kind: 'data', value: this.#text(start, count) };
      }
      case 0x5: {
        const { count, start } = this.#count(at);
        return { kind: 'string', value: toLatin1(this.#text(start, count)) };
      }
      case 0x6: {
        const { count, start } = this.#count(at);
        return { kind: 'string', value: decodeUtf16Be(this.#text(start, count * 2)) };
      }
      case 0x7: {
        const { count, start } = this.#count(at);
        return { kind: 'string', value: new TextDecoder('utf-8').decode(this.#text(start, count)) };
      }
      case 0x8:
        if (low > 7) break;
        this.#within(at + 1, low + 1);
        return { kind: 'uid', value: this.#big(at + 1, low + 1) };
      default:
        break;
    }
    throw toMalformed(`an object has the unknown mark 0x${marker.toString(16)}`, at);
  }

  #float(at: number, size: number): number {
    const bytes = this.#within(at, size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return size === 4 ? view.getFloat32(0) : view.getFloat64(0);
  }

  /** Strings and data of a right list do not overlap, so together they are no longer than the list. */
  #text(at: number, length: number): Uint8Array {
    const bytes = this.#within(at, length);
    this.#textBytes += length;
    if (this.#textBytes > this.#bytes.length) {
      throw new TelltaleError('malformed/overlap', 'holds objects that share bytes', { offset: at });
    }
    return bytes;
  }
}

function decodeUtf16Be(bytes: Uint8Array): string {
  return new TextDecoder('utf-16be', { ignoreBOM: true }).decode(bytes);
}

// ------------------------------------------------------------------------------------------------ XML

class XmlPlistReader {
  readonly #tally: Tally;

  constructor(budget: Budget) {
    this.#tally = new Tally(budget);
  }

  read(root: XmlElement): PlistValue | undefined {
    if (root.name !== 'plist') {
      throw new TelltaleError(
        'unsupported/format',
        `is XML of the kind "${root.name.slice(0, 64)}", not a plist`,
        {
          offset: root.offset,
        },
      );
    }
    const [first, ...others] = root.children;
    if (others.length > 0)
      throw toMalformed('holds several values, not one', others[0]?.offset ?? root.offset);
    return first === undefined ? undefined : this.#value(first, 0);
  }

  #value(element: XmlElement, depth: number): PlistValue {
    const { name, text, offset, children } = element;
    this.#tally.take(offset);
    switch (name) {
      case 'dict':
        this.#tally.checkDepth(depth, offset);
        return this.#dictionary(element, depth);
      case 'array':
        this.#tally.checkDepth(depth, offset);
        return { kind: 'array', items: children.map((child) => this.#value(child, depth + 1)) };
      case 'string':
        return { kind: 'string', value: text };
      case 'true':
      case 'false':
        return { kind: 'boolean', value: name === 'true' };
      case 'integer': {
        const found = /^\s*([+-]?)(0[xX][0-9a-fA-F]{1,32}|\d{1,39})\s*$/.exec(text);
        if (found === null) throw toMalformed('an integer is not written as one', offset);
        const value = BigInt(found[2] ?? '0');
        return { kind: 'integer', value: found[1] === '-' ? -value : value };
      }
      case 'real': {
        const value = toReal(text.trim());
        if (value === undefined) throw toMalformed('a number is not written as one', offset);
        return { kind: 'real', value };
      }
      case 'date': {
        const milliseconds = Date.parse(text.trim());
        return Number.isNaN(milliseconds) ? { kind: 'date', value: text.trim() } : toDate(milliseconds);
      }
      case 'data':
        return { kind: 'data', value: decodeBase64(text, offset) };
      default:
        throw toMalformed(`an element "${name.slice(0, 64)}" is none of a property list`, offset);
    }
  }

  #dictionary(element: XmlElement, depth: number): PlistValue {
    const pairs: [string, PlistValue][] = [];
    let key: string | undefined;
    for (const child of element.children) {
      if (child.name === 'key') {
        if (key !== undefined) throw toMalformed('a key has no value', child.offset);
        key = child.text;
        continue;
      }
      if (key === undefined) throw toMalformed('a value has no key', child.offset);
      pairs.push([key, this.#value(child, depth + 1)]);
      key = undefined;
    }
    // A last key without a value is what a cut list ends with; the fault of the XML says so.
    const dictionary = toDictionary(pairs);
    const uid = dictionary.entries.size === 1 ? dictionary.entries.get('CF$UID') : undefined;
    return uid?.kind === 'integer' ? { kind: 'uid', value: uid.value } : dictionary;
  }
}

function toReal(text: string): number | undefined {
  const named: Readonly<Record<string, number>> = {
    nan: Number.NaN,
    inf: Infinity,
    '+inf': Infinity,
    '-inf': -Infinity,
    infinity: Infinity,
    '+infinity': Infinity,
    '-infinity': -Infinity,
  };
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$/.test(text)) return Number(text);
  return named[text.toLowerCase()];
}

function decodeBase64(text: string, offset: number): Uint8Array {
  try {
    return Uint8Array.from(atob(text.replace(/[\s\0]+/g, '')), (character) => character.charCodeAt(0));
  } catch {
    throw new TelltaleError('malformed/encoding', 'data is not in Base64', { offset });
  }
}

// ---------------------------------------------------------------------------------------------- access

/** The value of a key in a dictionary, or of a path of keys; undefined when there is none. */
export function tryGet(value: PlistValue | undefined, ...path: readonly string[]): PlistValue | undefined {
  let current = value;
  for (const key of path) {
    if (current?.kind !== 'dictionary') return undefined;
    current = current.entries.get(key);
  }
  return current;
}

/** A simple value as what a fact can hold; undefined for containers and data. */
export function tryToScalar(value: PlistValue | undefined): string | number | boolean | undefined {
  switch (value?.kind) {
    case 'string':
    case 'date':
      return value.value.slice(0, factCharactersLimit);
    case 'boolean':
      return value.value;
    case 'real':
      return Number.isFinite(value.value) ? value.value : String(value.value);
    case 'integer':
    case 'uid': {
      const number = Number(value.value);
      return Number.isSafeInteger(number) ? number : String(value.value);
    }
    default:
      return undefined;
  }
}

// ----------------------------------------------------------------------------------------------- facts

/** Keys of Info.plist that say what a program is and what made it. */
const infoKeys = [
  'CFBundleName',
  'CFBundleDisplayName',
  'CFBundleExecutable',
  'CFBundlePackageType',
  'CFBundleShortVersionString',
  'CFBundleVersion',
  'CFBundleGetInfoString',
  'CFBundleSignature',
  'CFBundleDevelopmentRegion',
  'NSHumanReadableCopyright',
  'LSMinimumSystemVersion',
  'LSApplicationCategoryType',
  'MinimumOSVersion',
  'DTPlatformName',
  'DTPlatformVersion',
  'DTSDKName',
  'DTXcode',
  'DTCompiler',
  'BuildMachineOSBuild',
  'SUFeedURL',
] as const;

/**
 * Keys of iTunesMetadata.plist about the product. The file also names who bought it (account, name, date of purchase,
 * download tickets); a list of what is taken makes sure that none of that is.
 */
const storeKeys = [
  'itemId',
  's',
  'softwareVersionBundleId',
  'softwareVersionExternalIdentifier',
  'bundleDisplayName',
  'bundleShortVersionString',
  'bundleVersion',
  'itemName',
  'artistName',
  'artistId',
  'copyright',
  'genre',
  'kind',
  'releaseDate',
  'product-type',
] as const;

const profileKeys = [
  'Name',
  'AppIDName',
  'UUID',
  'TeamName',
  'CreationDate',
  'ExpirationDate',
  'ProvisionsAllDevices',
] as const;

function toFields(value: PlistValue, keys: readonly string[]): Fact[] {
  return keys.flatMap((name): Fact[] => {
    const scalar = tryToScalar(tryGet(value, name));
    return scalar === undefined || scalar === '' ? [] : [{ kind: 'packageField', name, value: scalar }];
  });
}

function toStrings(value: PlistValue | undefined): readonly string[] {
  const items = value?.kind === 'array' ? value.items : value === undefined ? [] : [value];
  return items
    .slice(0, listedFactsLimit)
    .flatMap((item) => (item.kind === 'string' ? [item.value.slice(0, factCharactersLimit)] : []));
}

/** What Info.plist, iTunesMetadata.plist or a provisioning profile says about a program. */
export function toPlistFacts(value: PlistValue): readonly Fact[] {
  const facts: Fact[] = [];
  const bundleId = tryToScalar(tryGet(value, 'CFBundleIdentifier'));
  if (typeof bundleId === 'string' && bundleId !== '') {
    facts.push({ kind: 'bundleId', value: bundleId });
  }
  if (
    tryGet(value, 'CFBundleIdentifier') !== undefined ||
    tryGet(value, 'CFBundleExecutable') !== undefined
  ) {
    facts.push(...toFields(value, infoKeys), ...toListedInfo(value));
  }
  const storeBundleId = tryToScalar(tryGet(value, 'softwareVersionBundleId'));
  if (storeBundleId !== undefined || tryGet(value, 'itemId') !== undefined) {
    if (typeof storeBundleId === 'string') facts.push({ kind: 'bundleId', value: storeBundleId });
    facts.push(...toFields(value, storeKeys));
  }
  facts.push(...toProfileFacts(value));
  return facts;
}

function toListedInfo(value: PlistValue): Fact[] {
  const facts: Fact[] = [];
  for (const platform of toStrings(tryGet(value, 'CFBundleSupportedPlatforms'))) {
    facts.push({ kind: 'packageField', name: 'CFBundleSupportedPlatforms', value: platform });
  }
  const types = tryGet(value, 'CFBundleURLTypes');
  for (const type of types?.kind === 'array' ? types.items.slice(0, listedFactsLimit) : []) {
    for (const scheme of toStrings(tryGet(type, 'CFBundleURLSchemes'))) {
      facts.push({ kind: 'packageField', name: 'CFBundleURLScheme', value: scheme });
    }
  }
  // The digest of the header of each asar archive: https://www.electronjs.org/docs/latest/tutorial/asar-integrity
  const archives = tryGet(value, 'ElectronAsarIntegrity');
  for (const [file, seal] of archives?.kind === 'dictionary'
    ? [...archives.entries].slice(0, listedFactsLimit)
    : []) {
    const hash = tryToScalar(tryGet(seal, 'hash'));
    const algorithm = tryToScalar(tryGet(seal, 'algorithm'));
    if (typeof hash !== 'string') continue;
    facts.push({
      kind: 'packageField',
      name: 'ElectronAsarIntegrity',
      value: hash.toLowerCase(),
      detail: { file, ...(typeof algorithm === 'string' ? { algorithm } : {}) },
    });
  }
  return facts;
}

function toProfileFacts(value: PlistValue): Fact[] {
  const teams = toStrings(tryGet(value, 'TeamIdentifier'));
  const entitlements = tryGet(value, 'Entitlements');
  if (teams.length === 0 || entitlements === undefined) return [];
  const appId = tryToScalar(tryGet(entitlements, 'application-identifier'));
  const devices = tryGet(value, 'ProvisionedDevices');
  return [
    ...teams.map((team): Fact => ({ kind: 'packageField', name: 'TeamIdentifier', value: team })),
    ...(appId === undefined
      ? []
      : [{ kind: 'packageField', name: 'application-identifier', value: appId } as const]),
    ...toFields(value, profileKeys),
    // How many, not which: serial numbers of devices are nobody's business.
    ...(devices?.kind === 'array'
      ? [{ kind: 'packageField', name: 'ProvisionedDevices', value: devices.items.length } as const]
      : []),
  ];
}

// --------------------------------------------------------------------------------------------- formats

function readWhole(source: ByteSource): Uint8Array {
  if (source.size > plistBytesLimit) {
    throw new TelltaleError('limit/memory', `is a property list of more than ${plistBytesLimit} bytes`);
  }
  return source.read(0, source.size);
}

/** @param base - offset of the bytes in the artifact */
function toReading(bytes: Uint8Array, base: number, context: ReadContext): Reading {
  const { value, fault } = readPlist(bytes, context.budget);
  if (fault !== undefined) {
    if (value === undefined) throw fault;
    context.report({
      code: fault.code,
      message: fault.message,
      ...(fault.offset === undefined ? {} : { offset: base + fault.offset }),
      consequence: 'what follows in the property list was not read',
      incomplete: true,
    });
  }
  if (value?.kind === 'dictionary' && value.repeatedKeys.length > 0) {
    context.report({
      code: 'malformed/structure',
      message: `has the key "${value.repeatedKeys[0]?.slice(0, 64) ?? ''}" more than once`,
      offset: base,
      consequence: 'software may disagree about which value counts; the last one was taken',
      incomplete: false,
    });
  }
  return { facts: value === undefined ? [] : toPlistFacts(value), regions: [] };
}

export const plistFormat: Format = {
  id: 'plist',
  title: 'Apple property list',
  nature: 'passive',
  extensions: ['plist'],
  references: [
    'https://github.com/apple-oss-distributions/CF',
    'https://developer.apple.com/documentation/bundleresources/information-property-list',
  ],
  limitations: [
    'The old text form in braces and binary lists of version 1 and later are not read.',
    `Lists above ${plistBytesLimit / 1024 / 1024} MiB, ${toGrouped(plistValuesLimit)} values or ${plistDepthLimit} levels are not read.`,
    'Who bought a program, which iTunesMetadata.plist says, is not shown.',
  ],
  probe(head) {
    return isBinaryPlist(head) || tryReadXmlRoot(head.subarray(countLeadingSpace(head)))?.name === 'plist';
  },
  read(source, context) {
    return toReading(readWhole(source), 0, context);
  },
};

/** OBJECT IDENTIFIER 1.2.840.113549.1.7.2, signed data. */
const signedDataOid = '\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02';
/** ContentInfo, SignedData and the digests lie before the content. */
const profilePreambleBytes = 512;
/** Devices of a profile are its largest part: 100 of each kind. */
const profileBytesLimit = 4 * 1024 * 1024;

/** Where the property list in a provisioning profile begins; undefined when there is none. */
function tryFindProfileList(head: Uint8Array): number | undefined {
  if (head[0] !== 0x30 || !toLatin1(head.subarray(0, 32)).includes(signedDataOid)) return undefined;
  const start = toLatin1(head.subarray(0, profilePreambleBytes));
  const at = /<\?xml [^>]{0,200}\?>\s{0,8}<!DOCTYPE plist|<plist[ >]/.exec(start)?.index;
  return at;
}

/**
 * A provisioning profile: a property list, signed. The content is found by its own marks: the structure around it
 * matters to whoever checks the signature.
 */
export const provisioningProfileFormat: Format = {
  id: 'provisioning-profile',
  title: 'Apple provisioning profile',
  nature: 'passive',
  extensions: ['mobileprovision', 'provisionprofile'],
  references: [
    'https://developer.apple.com/documentation/technotes/tn3125-inside-code-signing-provisioning-profiles',
    'https://www.rfc-editor.org/rfc/rfc5652',
  ],
  limitations: [
    'Its signature is not checked, so that everything in it is a claim.',
    'Devices are counted, not named; certificates in it are not read.',
  ],
  probe(head) {
    return tryFindProfileList(head) !== undefined;
  },
  read(source, context) {
    const bytes = readUpTo(source, 0, profileBytesLimit);
    const start = tryFindProfileList(bytes);
    if (start === undefined) throw toMalformed('holds no property list', 0);
    const mark = new TextEncoder().encode('</plist>');
    const end = findLast(bytes, mark);
    if (end === undefined) {
      throw new TelltaleError('malformed/truncated', 'holds a property list without an end', {
        offset: start,
      });
    }
    return toReading(bytes.subarray(start, end + mark.length), start, context);
  },
};

function findLast(bytes: Uint8Array, mark: Uint8Array): number | undefined {
  for (let at = bytes.length - mark.length; at >= 0; at -= 1) {
    if (mark.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return undefined;
}
