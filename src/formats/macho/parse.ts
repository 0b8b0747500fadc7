/**
 * Reads the headers of Mach-O files: the list of programs of a fat file, the load commands of each.
 *
 * References: https://github.com/apple-oss-distributions/xnu (EXTERNAL_HEADERS/mach-o/loader.h, fat.h,
 * osfmk/mach/machine.h)
 */
import { type ByteSource, readUpTo, sliceSource } from '../../bytes/byte-source.ts';
import { Cursor, cutAtZero, toHex } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import type { Finding, ReadContext } from '../model.ts';
import type {
  MachOImage,
  MachOLibrary,
  MachOPlatform,
  MachOProgram,
  MachOSection,
  MachOSegment,
} from './image.ts';
import { isFatHead, loadCommandsLimit, magics, tryReadMagic } from './magic.ts';
import { findGaps, hasContent, type Range } from './ranges.ts';

const sectionsLimit = 4_096;
const librariesLimit = 4_096;
/** Names in load commands are paths. */
const nameBytesLimit = 4_096;
/** Ranges between the programs of a fat file that are looked at. */
const uncoveredLimit = 32;

const cpuNames: ReadonlyMap<number, { readonly machine: string; readonly architecture: string }> = new Map([
  [7, { machine: 'x86', architecture: 'i386' }],
  [0x01000007, { machine: 'x64', architecture: 'x86_64' }],
  [12, { machine: 'arm', architecture: 'arm' }],
  [0x0100000c, { machine: 'arm64', architecture: 'arm64' }],
  [0x0200000c, { machine: 'arm64', architecture: 'arm64_32' }],
  [18, { machine: 'ppc', architecture: 'ppc' }],
  [0x01000012, { machine: 'ppc64', architecture: 'ppc64' }],
  [6, { machine: 'm68k', architecture: 'm68k' }],
]);

const subtypeNames: ReadonlyMap<string, string> = new Map([
  ['arm/6', 'armv6'],
  ['arm/9', 'armv7'],
  ['arm/11', 'armv7s'],
  ['arm/12', 'armv7k'],
  ['arm64/2', 'arm64e'],
  ['x86_64/8', 'x86_64h'],
  ['ppc/9', 'ppc750'],
  ['ppc/10', 'ppc7400'],
  ['ppc/100', 'ppc970'],
]);

/** What Apple's tools and we call a processor. The high byte of a subtype holds capabilities. */
export function toCpuName(
  cpu: number,
  subtype: number,
): { readonly machine: string; readonly architecture: string } {
  const known = cpuNames.get(cpu);
  if (known === undefined) {
    const text = `cpu-0x${cpu.toString(16)}`;
    return { machine: text, architecture: text };
  }
  const architecture = subtypeNames.get(`${known.architecture}/${subtype & 0xffffff}`) ?? known.architecture;
  return { machine: known.machine, architecture };
}

const fileTypes: readonly string[] = [
  'unknown',
  'object',
  'executable',
  'fixed library',
  'core dump',
  'preloaded',
  'dynamic library',
  'dynamic linker',
  'bundle',
  'library stub',
  'debug symbols',
  'kernel extension',
  'file set',
];

const platformNames: readonly string[] = [
  'unknown',
  'macOS',
  'iOS',
  'tvOS',
  'watchOS',
  'bridgeOS',
  'Mac Catalyst',
  'iOS Simulator',
  'tvOS Simulator',
  'watchOS Simulator',
  'DriverKit',
  'visionOS',
  'visionOS Simulator',
];

/**
 * Reads a Mach-O file, fat or not. Damage is reported and reading goes on.
 *
 * @throws TelltaleError `malformed/header`, `malformed/truncated` when no program in it can be read, `limit/time`
 */
export function parseMachO(source: ByteSource, context: ReadContext): MachOProgram {
  const head = readUpTo(source, 0, 8);
  if (isFatHead(head)) return parseFat(source, context);
  const image = parseImage(source, 0, source.size, context);
  return { source, isFat: false, images: [image], unreadable: 0, uncovered: [], hasOverlap: false };
}

interface FatEntry extends Range {
  readonly name: string;
}

function parseFat(source: ByteSource, context: ReadContext): MachOProgram {
  const cursor = new Cursor(source);
  const is64 = cursor.u32be() === magics.fat64;
  const count = cursor.u32be();
  const entries: FatEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    try {
      const cpu = cursor.u32be();
      const subtype = cursor.u32be();
      const offset = is64 ? cursor.u64be() : cursor.u32be();
      const size = is64 ? cursor.u64be() : cursor.u32be();
      cursor.skip(is64 ? 8 : 4);
      entries.push({ offset, size, name: toCpuName(cpu, subtype).architecture });
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error;
      context.report({
        code: error.code,
        message: `lists ${count} programs, but number ${index + 1} in the list cannot be read`,
        offset: 8,
        consequence: 'the programs from there on were not found',
        incomplete: true,
      });
      break;
    }
  }
  const headerEnd = 8 + count * (is64 ? 32 : 20);
  const images: MachOImage[] = [];
  for (const { offset, size, name } of entries) {
    if (offset >= source.size) {
      context.report({
        code: 'malformed/out-of-range',
        message: `should have the program for ${name} at offset ${offset}, behind its end`,
        offset: Math.min(offset, source.size),
        consequence: 'it is missing',
        incomplete: true,
      });
      continue;
    }
    const available = Math.min(size, source.size - offset);
    if (available < size) {
      context.report({
        code: 'malformed/truncated',
        message: `should have ${size} bytes of the program for ${name}, ${available} are there`,
        offset,
        consequence: 'the rest of it is missing',
        incomplete: true,
      });
    }
    try {
      images.push(parseImage(sliceSource(source, offset, available), offset, size, context));
    } catch (error) {
      if (!(error instanceof TelltaleError) || error.code === 'limit/time') throw error;
      context.report({
        code: error.code,
        message: `the program for ${name} cannot be read: ${error.message}`,
        offset: offset + (error.offset ?? 0),
        consequence: 'its structure and its signature were not looked at',
        incomplete: true,
      });
    }
  }
  const hasOverlap = reportOverlaps(entries, headerEnd, context);
  const covered: Range[] = [{ offset: 0, size: headerEnd }, ...entries];
  const uncovered = findGaps(covered, source.size)
    .slice(0, uncoveredLimit)
    .filter((gap) => hasContent(source, gap, context.budget));
  if (images.length === 0) {
    throw new TelltaleError('malformed/header', `lists ${count} programs, none of which can be read`, {
      offset: 8,
    });
  }
  return { source, isFat: true, images, unreadable: count - images.length, uncovered, hasOverlap };
}

function reportOverlaps(entries: readonly FatEntry[], headerEnd: number, context: ReadContext): boolean {
  let reached = headerEnd;
  for (const { offset, size, name } of entries.toSorted((a, b) => a.offset - b.offset)) {
    if (offset < reached) {
      context.report({
        code: 'malformed/overlap',
        message: `the program for ${name} shares bytes with another one or with the header`,
        offset,
        consequence: 'one program is a disguised part of another; both were looked at',
        incomplete: false,
      });
      return true;
    }
    reached = offset + size;
  }
  return false;
}

/** Numbers in the byte order of the file. */
class Reader {
  readonly cursor: Cursor;
  readonly #isBig: boolean;
  readonly #is64: boolean;

  constructor(source: ByteSource | Uint8Array, isBig: boolean, is64: boolean, offset = 0) {
    this.cursor = new Cursor(source, offset);
    this.#isBig = isBig;
    this.#is64 = is64;
  }
  u32(): number {
    return this.#isBig ? this.cursor.u32be() : this.cursor.u32();
  }
  u64(): number {
    return this.#isBig ? this.cursor.u64be() : this.cursor.u64();
  }
  u64big(): bigint {
    const [first, second] = [BigInt(this.u32()), BigInt(this.u32())];
    return this.#isBig ? (first << 32n) | second : (second << 32n) | first;
  }
  /** An address, 32 or 64 bits wide. */
  address(): bigint {
    return this.#is64 ? this.u64big() : BigInt(this.u32());
  }
  /** An offset or size in the file, as wide as an address. */
  fileNumber(): number {
    return this.#is64 ? this.u64() : this.u32();
  }
  name(): string {
    return toText(this.cursor.bytes(16));
  }
}

function toText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(cutAtZero(bytes));
}

/** `10.13.4` from two bytes and one byte each. */
function toVersion(packed: number): string {
  const [major, minor, patch] = [packed >>> 16, (packed >>> 8) & 0xff, packed & 0xff];
  return patch === 0 ? `${major}.${minor}` : `${major}.${minor}.${patch}`;
}

/** `a.b.c.d.e`, 24 and four times 10 bits. */
function toSourceVersion(packed: bigint): string {
  const parts = [packed >> 40n, ...[30n, 20n, 10n, 0n].map((shift) => (packed >> shift) & 0x3ffn)];
  while (parts.length > 2 && parts.at(-1) === 0n) parts.pop();
  return parts.join('.');
}

function toUuid(bytes: Uint8Array): string {
  return toHex(bytes)
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    .toUpperCase();
}

/** What the load commands say, as it comes together. */
interface Draft {
  segments: MachOSegment[];
  sections: number;
  libraries: MachOLibrary[];
  runPaths: string[];
  installName: string | undefined;
  uuid: string | undefined;
  platforms: MachOPlatform[];
  sourceVersion: string | undefined;
  entryOffset: number | undefined;
  encryption: (Range & { readonly id: number }) | undefined;
  codeSignature: Range | undefined;
}

/**
 * Reads one program.
 *
 * @param fileOffset - where it begins in the file, for the places in findings
 * @throws TelltaleError `malformed/header`, `malformed/truncated`
 */
export function parseImage(
  source: ByteSource,
  fileOffset: number,
  declaredSize: number,
  context: ReadContext,
): MachOImage {
  const magic = tryReadMagic(readUpTo(source, 0, 4));
  if (magic === undefined) {
    throw new TelltaleError('malformed/header', 'does not begin with the magic of a Mach-O program', {
      offset: 0,
    });
  }
  const { is64, isBigEndian } = magic;
  const headerBytes = is64 ? 32 : 28;
  if (source.size < headerBytes) {
    throw new TelltaleError('malformed/truncated', 'ends inside its header', { offset: source.size });
  }
  const header = new Reader(source, isBigEndian, is64, 4);
  const names = toCpuName(header.u32(), header.u32());
  const fileType = header.u32();
  const commands = header.u32();
  const commandBytes = header.u32();
  const flags = header.u32();
  const report = (finding: Finding): void =>
    context.report({ ...finding, offset: fileOffset + (finding.offset ?? 0) });
  const available = Math.min(commandBytes, source.size - headerBytes);
  if (available < commandBytes) {
    report({
      code: 'malformed/truncated',
      message: `should have ${commandBytes} bytes of load commands, ${available} are there`,
      offset: headerBytes,
      consequence: 'the rest of them is missing',
      incomplete: true,
    });
  }
  const draft: Draft = {
    segments: [],
    sections: 0,
    libraries: [],
    runPaths: [],
    installName: undefined,
    uuid: undefined,
    platforms: [],
    sourceVersion: undefined,
    entryOffset: undefined,
    encryption: undefined,
    codeSignature: undefined,
  };
  readCommands(source, headerBytes, available, commands, magic, draft, report, context);
  const headerEnd = headerBytes + available;
  const ends = [headerEnd, ...draft.segments.map(({ offset, fileSize }) => offset + fileSize)];
  if (draft.codeSignature !== undefined) ends.push(draft.codeSignature.offset + draft.codeSignature.size);
  const declaredEnd = Math.max(...ends);
  if (declaredEnd > source.size) {
    report({
      code: 'malformed/truncated',
      message: `should have ${declaredEnd} bytes by its load commands, ${source.size} are there`,
      offset: source.size,
      consequence: 'the rest of it is missing',
      incomplete: true,
    });
  }
  const { sections: _count, ...parsed } = draft;
  return {
    source,
    fileOffset,
    declaredSize,
    is64,
    isBigEndian,
    ...names,
    fileType: fileTypes[fileType] ?? `type ${fileType}`,
    flags,
    ...parsed,
    headerEnd,
    declaredEnd,
  };
}

function readCommands(
  source: ByteSource,
  start: number,
  length: number,
  count: number,
  { is64, isBigEndian }: { readonly is64: boolean; readonly isBigEndian: boolean },
  draft: Draft,
  report: (finding: Finding) => void,
  context: ReadContext,
): void {
  const end = start + length;
  let at = start;
  for (let index = 0; index < count; index += 1) {
    if ((index & 0xff) === 0) context.budget.checkTime();
    const stop = (message: string, code: Finding['code'] = 'malformed/structure'): void =>
      report({
        code,
        message,
        offset: at,
        consequence: 'the load commands from there on were not read',
        incomplete: true,
      });
    if (index >= loadCommandsLimit) {
      stop(`has more than ${loadCommandsLimit} load commands`, 'limit/count');
      return;
    }
    if (at + 8 > end) {
      stop(`states ${count} load commands, but there is room for ${index}`);
      return;
    }
    const head = new Reader(source, isBigEndian, is64, at);
    const kind = head.u32();
    const size = head.u32();
    if (size < 8 || size > end - at) {
      stop(`a load command states ${size} bytes, which cannot be`);
      return;
    }
    // A reader over the command alone: nothing in it reaches beyond its end.
    const reader = new Reader(source.read(at, size), isBigEndian, is64, 8);
    try {
      readCommand(kind, reader, at, draft, report);
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error;
      report({
        code: error.code,
        message: `the load command 0x${kind.toString(16)} cannot be read: ${error.message}`,
        offset: at,
        consequence: 'what it says was not taken into account',
        incomplete: true,
      });
    }
    at += size;
  }
  if (at < end) {
    report({
      code: 'malformed/structure',
      message: `has ${end - at} bytes of load commands more than the ${count} that it states`,
      offset: at,
      consequence: 'software may disagree about what it loads',
      incomplete: false,
    });
  }
}

const libraryCommands: ReadonlyMap<number, MachOLibrary['how']> = new Map([
  [0x0c, 'load'],
  [0x80000018, 'weak'],
  [0x8000001f, 'reexport'],
  [0x20, 'lazy'],
  [0x80000023, 'upward'],
]);

/** LC_VERSION_MIN_* in the order of their numbers. */
const minimumCommands: ReadonlyMap<number, string> = new Map([
  [0x24, 'macOS'],
  [0x25, 'iOS'],
  [0x2f, 'tvOS'],
  [0x30, 'watchOS'],
]);

/** @param at - of the command in the program */
function readCommand(
  kind: number,
  reader: Reader,
  at: number,
  draft: Draft,
  report: (finding: Finding) => void,
): void {
  const repeated = (what: string): void =>
    report({
      code: 'malformed/structure',
      message: `states ${what} more than once`,
      offset: at,
      consequence: 'software may disagree about which one counts; the last one was taken',
      incomplete: false,
    });
  const how = libraryCommands.get(kind);
  if (how !== undefined) {
    const nameOffset = reader.u32();
    reader.cursor.skip(4);
    const [current, compatibility] = [reader.u32(), reader.u32()];
    const name = readText(reader, nameOffset);
    if (draft.libraries.length >= librariesLimit) {
      throw new TelltaleError('limit/count', `there are more than ${librariesLimit} libraries`);
    }
    draft.libraries.push({
      name,
      how,
      currentVersion: toVersion(current),
      compatibilityVersion: toVersion(compatibility),
      offset: at,
    });
    return;
  }
  const minimumFor = minimumCommands.get(kind);
  if (minimumFor !== undefined) {
    draft.platforms.push({
      platform: minimumFor,
      minimum: toVersion(reader.u32()),
      sdk: toVersion(reader.u32()),
    });
    return;
  }
  switch (kind) {
    case 0x01: // LC_SEGMENT
    case 0x19: // LC_SEGMENT_64
      readSegment(reader, kind === 0x19, draft);
      return;
    case 0x0d: // LC_ID_DYLIB
      draft.installName = readText(reader, reader.u32());
      return;
    case 0x8000001c: // LC_RPATH
      draft.runPaths.push(readText(reader, reader.u32()));
      return;
    case 0x1b: // LC_UUID
      draft.uuid = toUuid(reader.cursor.bytes(16));
      return;
    case 0x1d: {
      // LC_CODE_SIGNATURE
      if (draft.codeSignature !== undefined) repeated('a code signature');
      draft.codeSignature = { offset: reader.u32(), size: reader.u32() };
      return;
    }
    case 0x21: // LC_ENCRYPTION_INFO
    case 0x2c: {
      // LC_ENCRYPTION_INFO_64
      const [offset, size, id] = [reader.u32(), reader.u32(), reader.u32()];
      if (draft.encryption !== undefined) repeated('an encrypted range');
      // The graver statement counts: bytes that are encrypted cannot be searched.
      if (draft.encryption === undefined || draft.encryption.id === 0)
        draft.encryption = { offset, size, id };
      return;
    }
    case 0x2a: // LC_SOURCE_VERSION
      draft.sourceVersion = toSourceVersion(reader.u64big());
      return;
    case 0x32: {
      // LC_BUILD_VERSION
      const platform = reader.u32();
      draft.platforms.push({
        platform: platformNames[platform] ?? `platform ${platform}`,
        minimum: toVersion(reader.u32()),
        sdk: toVersion(reader.u32()),
      });
      return;
    }
    case 0x80000028: // LC_MAIN
      draft.entryOffset = reader.u64();
      return;
    default:
      return;
  }
}

/** Text at an offset of the command, up to its end or a NUL. */
function readText(reader: Reader, offset: number): string {
  const { cursor } = reader;
  cursor.seek(offset);
  return toText(cursor.bytes(Math.min(cursor.remaining, nameBytesLimit)));
}

function readSegment(reader: Reader, is64: boolean, draft: Draft): void {
  // A 32-bit program may have a 64-bit segment command; the command says how wide its own numbers are.
  const wide = (): bigint => (is64 ? reader.u64big() : BigInt(reader.u32()));
  const safe = (): number => (is64 ? reader.u64() : reader.u32());
  const name = reader.name();
  wide();
  const virtualSize = wide();
  const offset = safe();
  const fileSize = safe();
  reader.cursor.skip(8);
  const count = reader.u32();
  reader.cursor.skip(4);
  const sections: MachOSection[] = [];
  const segment: MachOSegment = { name, offset, fileSize, virtualSize, sections };
  // Kept also when its sections turn out to be unreadable.
  draft.segments.push(segment);
  for (let index = 0; index < count; index += 1) {
    const sectionName = reader.name();
    const segmentName = reader.name();
    wide();
    const size = wide();
    const sectionOffset = reader.u32();
    reader.cursor.skip(12);
    const type = reader.u32() & 0xff;
    reader.cursor.skip(is64 ? 12 : 8);
    draft.sections += 1;
    if (draft.sections > sectionsLimit) {
      throw new TelltaleError('limit/count', `there are more than ${sectionsLimit} sections`);
    }
    // S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL
    const isZeroFilled = type === 0x1 || type === 0xc || type === 0x12;
    sections.push({
      segment: segmentName,
      name: sectionName,
      offset: isZeroFilled ? 0 : sectionOffset,
      size: isZeroFilled ? 0 : Number(size),
      isZeroFilled,
    });
  }
}
