/** Reading RPM packages; rpm.ts says what of them, and by which specification. */
import { type ByteSource, readUpTo, sliceSource } from '../../bytes/byte-source.ts';
import { Cursor, toHex } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { type DigestAlgorithm, Digester } from '../../platform/digests.ts';
import { toBoundedReport } from '../bounded-report.ts';
import { toQuotedName, tryDescribeUnsafeName } from '../member-name.ts';
import type { Fact, Finding, Member, ReadContext, Reading, Region } from '../model.ts';
import { tryReadOpenPgpIssuer } from '../openpgp-signature.ts';
import { leadBytes, leadMagic, listedFilesLimit } from './limits.ts';
import { decodeZipText } from '../zip/records.ts';

/** `8E AD E8 01`, then four reserved bytes. */
const headerMagic = 0x8eade801;
const headerIntroBytes = 16;
const indexEntryBytes = 16;
const signatureAlignment = 8;
/** What rpm itself accepts as a number of tags. */
const indexEntriesLimit = 65_535;
/** rpm accepts 256 MiB; packages with very many files come to some tens. */
const storeBytesLimit = 64 * 1024 * 1024;
const textBytesLimit = 64 * 1024;
/** A long folder name is stored once and could stand before every file: what counts is the sum. */
const listedCharactersLimit = 16 * 1024 * 1024;
const signatureBytesLimit = 64 * 1024;
const findingsLimit = 32;
const hashChunkBytes = 1 << 20;

const typeBytes: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1 };
const valueType = {
  int16: 3,
  int32: 4,
  int64: 5,
  text: 6,
  binary: 7,
  textArray: 8,
  translatedText: 9,
} as const;

/** Tags of the header proper that are told as they are. */
const textTags: readonly (readonly [number, string])[] = [
  [1000, 'Name'],
  [1001, 'Version'],
  [1002, 'Release'],
  [1022, 'Arch'],
  [1021, 'OS'],
  [1004, 'Summary'],
  [1007, 'BuildHost'],
  [1010, 'Distribution'],
  [1011, 'Vendor'],
  [1014, 'License'],
  [1015, 'Packager'],
  [1016, 'Group'],
  [1020, 'URL'],
  [1044, 'SourceRPM'],
  [1064, 'RPMVersion'],
  [1124, 'PayloadFormat'],
  [1125, 'PayloadCompressor'],
  [1126, 'PayloadFlags'],
];

const tag = {
  name: 1000,
  epoch: 1003,
  buildTime: 1006,
  oldFileNames: 1027,
  fileDigests: 1035,
  dirIndexes: 1116,
  baseNames: 1117,
  dirNames: 1118,
  payloadCompressor: 1125,
  fileDigestAlgorithm: 5011,
  payloadDigest: 5092,
  payloadDigestAlgorithm: 5093,
} as const;

/** Scripts that run as root when the package is installed or removed. */
const scriptTags: readonly (readonly [number, string])[] = [
  [1023, 'prein'],
  [1024, 'postin'],
  [1025, 'preun'],
  [1026, 'postun'],
  [1079, 'verifyscript'],
  [1151, 'pretrans'],
  [1152, 'posttrans'],
  [5104, 'preuntrans'],
  [5105, 'postuntrans'],
];

/** Tags of the signature header. */
const signatureTag = {
  dsa: 267,
  rsa: 268,
  sha1: 269,
  longSize: 270,
  sha256: 273,
  openPgp: 278,
  size: 1000,
  pgp: 1002,
  md5: 1004,
  gpg: 1005,
} as const;

const signatureNames: readonly (readonly [number, string])[] = [
  [signatureTag.rsa, 'RSA over the header'],
  [signatureTag.dsa, 'DSA over the header'],
  [signatureTag.pgp, 'PGP over header and payload'],
  [signatureTag.gpg, 'GPG over header and payload'],
  [signatureTag.openPgp, 'OpenPGP over the header'],
];

/** Numbers of OpenPGP (RFC 9580, section 9.5); files carry MD5 when the tag is missing. */
const digestAlgorithms: Readonly<Record<number, DigestAlgorithm>> = {
  1: 'md5',
  2: 'sha1',
  8: 'sha256',
  9: 'sha384',
  10: 'sha512',
};

interface IndexEntry {
  readonly type: number;
  /** From the start of the store. */
  readonly offset: number;
  readonly count: number;
}

/** A part of the package that is stored as it is: a script. */
interface StoredPart {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** What the headers of a package say. */
export interface RpmHeader {
  readonly facts: readonly Fact[];
  readonly regions: readonly Region[];
  readonly scripts: readonly StoredPart[];
  /** From the start of the package; undefined when the headers could not be read to their end. */
  readonly payloadOffset: number | undefined;
  /** `gzip`, `bzip2`, `xz`, `lzma`, `zstd`; a claim. */
  readonly payloadCompressor: string | undefined;
}

/**
 * Facts, scripts and payload of one package.
 *
 * @throws TelltaleError as {@link readRpmHeader}
 */
export function readRpm(source: ByteSource, context: ReadContext): Reading {
  const header = readRpmHeader(source, context);
  return { facts: header.facts, regions: header.regions, members: () => toMembers(source, header) };
}

function* toMembers(source: ByteSource, header: RpmHeader): Generator<Member, void, void> {
  const toPart = ({ name, offset, size }: StoredPart): Member => ({
    name: `[${name}]`,
    relation: 'part',
    content: { kind: 'source', source: sliceSource(source, offset, size), containerOffset: offset },
  });
  for (const script of header.scripts) yield toPart(script);
  const { payloadOffset } = header;
  if (payloadOffset !== undefined && payloadOffset < source.size) {
    yield toPart({ name: 'payload', offset: payloadOffset, size: source.size - payloadOffset });
  }
}

/**
 * The facts in the headers of a package, also when its payload is cut off.
 *
 * @throws TelltaleError `malformed/header` or `malformed/truncated` when there is no header to read, `limit/time`
 */
export function readRpmHeader(source: ByteSource, context: ReadContext): RpmHeader {
  const report = toBoundedReport(context.report.bind(context), findingsLimit);
  const bounded: ReadContext = { ...context, report };
  const lead = new Cursor(source);
  if (lead.u32be() !== leadMagic)
    throw new TelltaleError('malformed/header', 'does not begin like an RPM package', { offset: 0 });
  const major = lead.u8();
  const minor = lead.u8();
  const facts: Fact[] = [
    { kind: 'packageField', name: 'FormatVersion', value: `${major}.${minor}`, offset: 4 },
    { kind: 'packageField', name: 'Type', value: lead.u16be() === 1 ? 'source' : 'binary', offset: 6 },
  ];
  const signature = readHeader(source, leadBytes, bounded);
  const main = readHeader(
    source,
    Math.ceil(signature.end / signatureAlignment) * signatureAlignment,
    bounded,
  );
  const isWhole = main.storeBytes === main.declaredStoreBytes;
  const payloadOffset = isWhole ? main.end : undefined;
  addMainFacts(main, facts, bounded);
  addSignatureFacts(signature, facts);
  if (payloadOffset !== undefined) {
    checkSeals(source, signature, main, payloadOffset, facts, bounded);
  }
  const regions: Region[] = [
    { name: 'lead', offset: 0, size: leadBytes },
    { name: 'signature header', offset: leadBytes, size: Math.min(signature.end, source.size) - leadBytes },
    { name: 'header', offset: main.start, size: Math.min(main.end, source.size) - main.start },
  ];
  if (payloadOffset !== undefined && payloadOffset < source.size) {
    regions.push({ name: 'payload', offset: payloadOffset, size: source.size - payloadOffset });
  }
  return {
    facts,
    regions,
    scripts: readScripts(main),
    payloadOffset,
    payloadCompressor: main.tryText(tag.payloadCompressor),
  };
}

/**
 * @param start - offset of the magic
 * @throws TelltaleError `malformed/header`, `malformed/truncated`, `limit/memory`, `limit/count`
 */
function readHeader(source: ByteSource, start: number, context: ReadContext): RpmHeaderReader {
  if (start + headerIntroBytes > source.size) {
    throw new TelltaleError('malformed/truncated', 'ends before its headers', { offset: source.size });
  }
  const cursor = new Cursor(source, start);
  if (cursor.u32be() !== headerMagic) {
    throw new TelltaleError('malformed/header', 'has no header where one should be', { offset: start });
  }
  cursor.skip(4);
  const entries = cursor.u32be();
  const storeBytes = cursor.u32be();
  if (entries > indexEntriesLimit) {
    throw new TelltaleError('limit/count', `has a header with ${entries} tags`, { offset: start + 8 });
  }
  if (storeBytes > storeBytesLimit) {
    throw new TelltaleError('limit/memory', `has a header of ${storeBytes} bytes`, { offset: start + 12 });
  }
  return new RpmHeaderReader(source, start, entries, storeBytes, context);
}

/** One header: an index of tags and the store that their values lie in. Nothing in the index is trusted. */
class RpmHeaderReader {
  readonly start: number;
  /** Offset of the first byte behind the header, as it states. */
  readonly end: number;
  readonly storeOffset: number;
  readonly declaredStoreBytes: number;
  readonly #store: Uint8Array;
  readonly #entries = new Map<number, IndexEntry>();
  readonly #context: ReadContext;

  constructor(source: ByteSource, start: number, entries: number, storeBytes: number, context: ReadContext) {
    this.start = start;
    this.storeOffset = start + headerIntroBytes + entries * indexEntryBytes;
    this.end = this.storeOffset + storeBytes;
    this.declaredStoreBytes = storeBytes;
    this.#context = context;
    this.#store = readUpTo(source, this.storeOffset, storeBytes);
    const index = new Cursor(readUpTo(source, start + headerIntroBytes, entries * indexEntryBytes));
    let repeated = 0;
    for (let i = 0; i < entries && index.remaining >= indexEntryBytes; i += 1) {
      const id = index.u32be();
      const entry = { type: index.u32be(), offset: index.u32be(), count: index.u32be() };
      if (this.#entries.has(id)) repeated += 1;
      else this.#entries.set(id, entry);
    }
    if (this.#store.length < storeBytes) {
      context.report({
        code: 'malformed/truncated',
        message: `ends inside a header that should have ${storeBytes} bytes of values, ${this.#store.length} are there`,
        offset: source.size,
        consequence: 'fields of the package and all of its files are missing',
        incomplete: true,
      });
    }
    if (repeated > 0) {
      context.report({
        code: 'malformed/structure',
        message: `has ${repeated} tags twice in one header`,
        offset: start,
        consequence: 'software may disagree about which one counts; the first was read',
        incomplete: false,
      });
    }
  }

  get storeBytes(): number {
    return this.#store.length;
  }

  has(id: number): boolean {
    return this.#entries.has(id);
  }

  /** Offset in the package of a tag's value, where it lies inside the store. */
  tryOffset(id: number): number | undefined {
    const entry = this.#entries.get(id);
    return entry === undefined || entry.offset >= this.#store.length
      ? undefined
      : this.storeOffset + entry.offset;
  }

  /** The bytes of a text without its zero, or up to the limit. */
  tryTextBytes(id: number, limitBytes: number): Uint8Array | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.count === 0) return undefined;
    const { text, textArray, translatedText } = valueType;
    if (entry.type !== text && entry.type !== textArray && entry.type !== translatedText) {
      this.#reportEntry(id, 'is not text');
      return undefined;
    }
    if (entry.offset >= this.#store.length) {
      this.#reportEntry(id, 'points outside of its header');
      return undefined;
    }
    const end = this.#store.indexOf(0, entry.offset);
    const whole = this.#store.subarray(entry.offset, end < 0 ? undefined : end);
    return whole.subarray(0, limitBytes);
  }

  tryText(id: number): string | undefined {
    const bytes = this.tryTextBytes(id, textBytesLimit);
    return bytes === undefined ? undefined : decodeZipText(bytes);
  }

  /** The texts of a list, at most `limit` of them; fewer when the store ends. */
  readTexts(id: number, limit: number): readonly string[] {
    const entry = this.#entries.get(id);
    if (entry === undefined) return [];
    if (
      entry.type !== valueType.textArray &&
      entry.type !== valueType.text &&
      entry.type !== valueType.translatedText
    ) {
      this.#reportEntry(id, 'is not a list of texts');
      return [];
    }
    const texts: string[] = [];
    let position = entry.offset;
    while (texts.length < Math.min(entry.count, limit)) {
      if (texts.length % 1024 === 0) this.#context.budget.checkTime();
      const end = position < this.#store.length ? this.#store.indexOf(0, position) : -1;
      if (end < 0) {
        this.#reportEntry(id, `promises ${entry.count} texts, ${texts.length} are there`);
        break;
      }
      texts.push(decodeZipText(this.#store.subarray(position, Math.min(end, position + textBytesLimit))));
      position = end + 1;
    }
    return texts;
  }

  /** The numbers of a tag, at most `limit` of them; fewer when the store ends. */
  readNumbers(id: number, limit: number): readonly number[] {
    const entry = this.#entries.get(id);
    if (entry === undefined) return [];
    const { int16, int32, int64 } = valueType;
    if (entry.type !== int16 && entry.type !== int32 && entry.type !== int64) {
      this.#reportEntry(id, 'is not a list of numbers');
      return [];
    }
    const cursor = new Cursor(this.#store);
    const size = typeBytes[entry.type] ?? 1;
    const numbers: number[] = [];
    if (entry.offset <= this.#store.length) cursor.seek(entry.offset);
    else cursor.seek(this.#store.length);
    while (numbers.length < Math.min(entry.count, limit)) {
      if (cursor.remaining < size) {
        this.#reportEntry(id, `promises ${entry.count} numbers, ${numbers.length} are there`);
        break;
      }
      if (entry.type === int64) {
        const high = cursor.u32be();
        numbers.push(high * 2 ** 32 + cursor.u32be());
      } else numbers.push(entry.type === int16 ? cursor.u16be() : cursor.u32be());
    }
    return numbers;
  }

  tryBinary(id: number, limitBytes: number): Uint8Array | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.type !== valueType.binary) return undefined;
    const end = Math.min(entry.offset + Math.min(entry.count, limitBytes), this.#store.length);
    return entry.offset < end ? this.#store.subarray(entry.offset, end) : undefined;
  }

  #reportEntry(id: number, what: string): void {
    this.#context.report({
      code: 'malformed/structure',
      message: `has a tag (${id}) that ${what}`,
      offset: this.start,
      consequence: 'what it says was not read, or not all of it',
      incomplete: true,
    });
  }
}

function addMainFacts(main: RpmHeaderReader, facts: Fact[], context: ReadContext): void {
  for (const [id, name] of textTags) {
    const value = main.tryText(id);
    if (value === undefined) continue;
    const offset = main.tryOffset(id);
    const place = offset === undefined ? {} : { offset, region: 'header' };
    if (id === tag.name) facts.push({ kind: 'packageId', value, ...place });
    facts.push({ kind: 'packageField', name, value, ...place });
  }
  const [epoch] = main.readNumbers(tag.epoch, 1);
  if (epoch !== undefined) facts.push({ kind: 'packageField', name: 'Epoch', value: epoch });
  const [buildTime] = main.readNumbers(tag.buildTime, 1);
  // Date ends 8.64e12 seconds after 1970.
  if (buildTime !== undefined && buildTime <= 8.64e12) {
    const value = new Date(buildTime * 1000).toISOString().replace('.000Z', 'Z');
    facts.push({ kind: 'packageField', name: 'BuildTime', value });
  }
  addFileFacts(main, facts, context);
}

/** The files that the package installs, with their digests: known even when the payload is missing. */
function addFileFacts(main: RpmHeaderReader, facts: Fact[], context: ReadContext): void {
  const names = readFileNames(main, context);
  const digests = main.readTexts(tag.fileDigests, listedFilesLimit + 1);
  const [number = 1] = main.readNumbers(tag.fileDigestAlgorithm, 1);
  const algorithm = digestAlgorithms[number] ?? `OpenPGP ${number}`;
  const offset = main.tryOffset(tag.baseNames) ?? main.tryOffset(tag.oldFileNames);
  const place = offset === undefined ? {} : { offset, region: 'header' };
  let characters = 0;
  let listed = 0;
  for (const [index, name] of names.slice(0, listedFilesLimit).entries()) {
    if (index % 1024 === 0) context.budget.checkTime();
    characters += name.length;
    if (characters > listedCharactersLimit) break;
    listed += 1;
    facts.push({ kind: 'memberName', value: name, ...place });
    const digest = digests[index] ?? '';
    // Folders and links have an empty one.
    if (/^[0-9a-f]{32,128}$/i.test(digest)) {
      facts.push({ kind: 'listedDigest', name, value: digest.toLowerCase(), detail: { algorithm } });
    }
    // All names in a package are absolute; anything else that could mislead is told.
    const danger = tryDescribeUnsafeName(name.replace(/^\//, ''));
    if (danger !== undefined) {
      context.report({
        code: 'malformed/name',
        message: `lists a file whose name ${danger}: ${toQuotedName(name)}`,
        ...(offset === undefined ? {} : { offset }),
        consequence: 'nothing is written here, but other software may write to an unexpected place',
        incomplete: false,
      });
    }
  }
  if (listed < names.length) {
    context.report({
      code: 'limit/count',
      message: `lists more than ${listed} files`,
      ...(offset === undefined ? {} : { offset }),
      consequence: 'the names of the others are known only from the payload',
      incomplete: false,
    });
  }
}

/** Names are split into folders and last parts; very old packages have them whole. */
function readFileNames(main: RpmHeaderReader, context: ReadContext): readonly string[] {
  if (!main.has(tag.baseNames)) return main.readTexts(tag.oldFileNames, listedFilesLimit + 1);
  const baseNames = main.readTexts(tag.baseNames, listedFilesLimit + 1);
  const folders = main.readTexts(tag.dirNames, listedFilesLimit + 1);
  const indexes = main.readNumbers(tag.dirIndexes, listedFilesLimit + 1);
  let homeless = 0;
  const names = baseNames.map((baseName, i) => {
    const folder = folders[indexes[i] ?? -1];
    if (folder === undefined) homeless += 1;
    return `${folder ?? ''}${baseName}`;
  });
  if (homeless > 0) {
    context.report({
      code: 'malformed/structure',
      message: `lists ${homeless} files in folders that it does not list`,
      offset: main.start,
      consequence: 'where they would be installed is not known',
      incomplete: false,
    });
  }
  return names;
}

function addSignatureFacts(signature: RpmHeaderReader, facts: Fact[]): void {
  for (const [id, name] of signatureNames) {
    if (!signature.has(id)) continue;
    const bytes =
      id === signatureTag.openPgp
        ? tryFromBase64(signature.tryText(id))
        : signature.tryBinary(id, signatureBytesLimit);
    const issuer = bytes === undefined ? undefined : tryReadOpenPgpIssuer(bytes);
    const offset = signature.tryOffset(id);
    facts.push({
      kind: 'signatureKey',
      name,
      value: issuer?.keyId ?? 'unknown',
      ...(offset === undefined ? {} : { offset, region: 'signature header' }),
      ...(issuer?.fingerprint === undefined ? {} : { detail: { fingerprint: issuer.fingerprint } }),
    });
  }
}

function tryFromBase64(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  try {
    return Uint8Array.from(atob(text.replaceAll(/\s/g, '')), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Digests that the package states of its own parts. They vouch for nothing but that the parts belong together. */
function checkSeals(
  source: ByteSource,
  signature: RpmHeaderReader,
  main: RpmHeaderReader,
  payloadOffset: number,
  facts: Fact[],
  context: ReadContext,
): void {
  const check = (
    name: string,
    offset: number,
    end: number,
    algorithm: DigestAlgorithm,
    expected: string,
  ): void => {
    const digester = new Digester([algorithm]);
    for (let at = offset; at < end; at += hashChunkBytes) {
      context.budget.checkTime();
      digester.update(source.read(at, Math.min(hashChunkBytes, end - at)));
    }
    const value = digester.finish()[algorithm] ?? '';
    if (value === expected.toLowerCase()) return;
    facts.push({ kind: 'sealBroken', name, value, offset, detail: { algorithm, expected } });
    context.report({
      code: 'malformed/checksum',
      message: `has a ${name.slice(1, -1)} that does not have the ${algorithm} that the package states`,
      offset,
      consequence: 'its bytes are not those that were packed',
      incomplete: false,
    });
  };
  const sha256 = signature.tryText(signatureTag.sha256);
  const sha1 = signature.tryText(signatureTag.sha1);
  if (sha256 !== undefined) check('[header]', main.start, payloadOffset, 'sha256', sha256);
  else if (sha1 !== undefined) check('[header]', main.start, payloadOffset, 'sha1', sha1);

  const [size] = [
    ...signature.readNumbers(signatureTag.longSize, 1),
    ...signature.readNumbers(signatureTag.size, 1),
  ];
  const there = source.size - main.start;
  if (size !== undefined && there < size) {
    context.report(toCutFinding(source, size, there));
    return;
  }
  if (size !== undefined && there > size) {
    facts.push({ kind: 'unlistedBytes', value: there - size, offset: main.start + size });
    context.report({
      code: 'malformed/size-mismatch',
      message: `goes on for ${there - size} bytes behind its stated end`,
      offset: main.start + size,
      consequence: 'these bytes are not part of the package; they were searched as part of the payload',
      incomplete: false,
    });
  }
  const end = size === undefined ? source.size : Math.max(payloadOffset, main.start + size);
  const [payloadDigest] = main.readTexts(tag.payloadDigest, 1);
  const algorithm = digestAlgorithms[main.readNumbers(tag.payloadDigestAlgorithm, 1)[0] ?? 0];
  if (payloadDigest !== undefined && algorithm !== undefined) {
    check('[payload]', payloadOffset, end, algorithm, payloadDigest);
    return;
  }
  const md5 = signature.tryBinary(signatureTag.md5, 16);
  if (md5?.length === 16) check('[header and payload]', main.start, end, 'md5', toHex(md5));
}

function toCutFinding(source: ByteSource, size: number, there: number): Finding {
  return {
    code: 'malformed/truncated',
    message: `should have ${size} bytes of header and payload, ${there} are there`,
    offset: source.size,
    consequence: 'files of the package are missing; their names and digests are known from its header',
    incomplete: true,
  };
}

function readScripts(main: RpmHeaderReader): readonly StoredPart[] {
  const scripts: StoredPart[] = [];
  for (const [id, name] of scriptTags) {
    const offset = main.tryOffset(id);
    const size = main.tryTextBytes(id, main.storeBytes)?.length ?? 0;
    if (offset !== undefined && size > 0) scripts.push({ name, offset, size });
  }
  return scripts;
}
