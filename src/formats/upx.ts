/**
 * UPX in portable executables: finds the pack header, decodes the compressed program and lays it out as a file that
 * the PE reader can read.
 *
 * A packed program has an empty section for the unpacked image (usually `UPX0`), one with the compressed data and
 * the loader (`UPX1`), and one with what Windows must see before it runs: the resource tree, icons, version
 * information, exports (`.rsrc` or `UPX2`). A header of 32 bytes starts with `UPX!`:
 *
 * | offset | field |
 * |---|---|
 * | 4 | version, format, method, level: one byte each |
 * | 8 | Adler-32 of the uncompressed, then of the compressed bytes |
 * | 16 | length of the uncompressed, then of the compressed bytes, then of the original file |
 * | 28 | filter, filter marker, unused, header checksum (sum of bytes 4 to 30 modulo 251) |
 *
 * What was compressed is the memory image from the first section on, the imports in a form of UPX's own, and the
 * "extra info": original PE header, section table, and where the imports are. Its last four bytes tell where the
 * extra info starts.
 *
 * The result is a memory image: file offset equals relative virtual address. Original sections keep their names,
 * addresses and sizes; what UPX put behind them is the section `.upxinfo`. The packed file's own `.rsrc` (or `UPX2`)
 * stays where it is in memory and the resource and export directories point to it, as in the running program:
 * compressed resources lie in the original sections, the others in it. Nothing is written over unpacked bytes and none
 * are left out, so a crafted header cannot hide them.
 *
 * Specification: none but the source, https://github.com/upx/upx (`src/packhead.cpp`, `src/pefile.cpp`,
 * `src/filter/`); the code here is ours.
 */
import { readUpTo } from '../bytes/byte-source.ts';
import { Cursor } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { adler32 } from '../platform/inflate.ts';
import { findAdler32 } from './codecs/adler32.ts';
import { isKnownFilter, undoCallTrick } from './codecs/call-trick.ts';
import type { Decoded } from './codecs/decoded.ts';
import { decodeLzmaInto } from './codecs/lzma.ts';
import { type NrvVariant, type NrvWordBits, decodeNrvInto } from './codecs/nrv.ts';
import type { ReadContext } from './model.ts';
import { type PeImage, type PeSection, directoryIndex } from './pe/image.ts';

/** What is not read, one sentence each, for the data sheet of portable executables. */
export const upxLimitations: readonly string[] = [
  'A UPX file whose `UPX!` mark was wiped is reported only when its section names still say UPX, and is not unpacked.',
  'UPX methods other than NRV2B, NRV2D, NRV2E and LZMA (deflate, Zstandard) are reported, not unpacked.',
  'UPX pack headers of versions before 10 (UPX 0.9x) are reported, not unpacked.',
  'Of an unpacked UPX image the relocation, debug and bound-import tables are not rebuilt, so addresses that need relocation stay as UPX stores them.',
  'The import table of an unpacked UPX image is rebuilt in a section `.upximp` of its own, in the order that UPX stores.',
];

/** Facts about the packing, from the pack header unless said otherwise. */
export interface UpxInfo {
  /** Offset of `UPX!` in the packed file. */
  readonly headerOffset: number;
  /** Offset of the compressed bytes in the packed file. */
  readonly payloadOffset: number;
  /** Version of the pack header: 13 for UPX 2.92 to 3.9x, 14 since. */
  readonly version: number;
  /** `win32/pe`, `win64/pe` or `wince/arm`. */
  readonly format: string;
  /** `LZMA`, `NRV2B_LE32`, ... */
  readonly method: string;
  readonly level: number;
  readonly filter: number;
  /** First byte of the operands that the filter changed. */
  readonly filterMarker: number;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  /** Size of the file before packing. */
  readonly originalFileBytes: number;
  /** Counted, not from the header: as much as could be unpacked. */
  readonly unpackedBytes: number;
  /** Whether each checksum holds; `uncompressed` is false as well when not everything was unpacked. */
  readonly checksums: {
    readonly header: boolean;
    readonly compressed: boolean;
    readonly uncompressed: boolean;
  };
  /** Whose headers the rebuilt image has: the original ones, or those of the packed file when there were none. */
  readonly headers: 'original' | 'packed';
  /** Libraries in the rebuilt import table. */
  readonly importedLibraries: number;
}

const magic = [0x55, 0x50, 0x58, 0x21] as const; // UPX!
const packHeaderBytes = 32;
const upxSectionName = /^UPX\d/;
const oldestVersion = 10;
const newestVersion = 14;
const formatNames: ReadonlyMap<number, string> = new Map([
  [9, 'win32/pe'],
  [21, 'wince/arm'],
  [36, 'win64/pe'],
]);
const win64Format = 36;

type Method =
  | { readonly name: string; readonly variant: NrvVariant; readonly wordBits: NrvWordBits }
  | { readonly name: string; readonly variant: 'lzma' | 'unsupported' };

const methods: ReadonlyMap<number, Method> = new Map<number, Method>([
  [2, { name: 'NRV2B_LE32', variant: 'nrv2b', wordBits: 32 }],
  [3, { name: 'NRV2B_8', variant: 'nrv2b', wordBits: 8 }],
  [4, { name: 'NRV2B_LE16', variant: 'nrv2b', wordBits: 16 }],
  [5, { name: 'NRV2D_LE32', variant: 'nrv2d', wordBits: 32 }],
  [6, { name: 'NRV2D_8', variant: 'nrv2d', wordBits: 8 }],
  [7, { name: 'NRV2D_LE16', variant: 'nrv2d', wordBits: 16 }],
  [8, { name: 'NRV2E_LE32', variant: 'nrv2e', wordBits: 32 }],
  [9, { name: 'NRV2E_8', variant: 'nrv2e', wordBits: 8 }],
  [10, { name: 'NRV2E_LE16', variant: 'nrv2e', wordBits: 16 }],
  [14, { name: 'LZMA', variant: 'lzma' }],
  [15, { name: 'DEFLATE', variant: 'unsupported' }],
  [16, { name: 'ZSTD', variant: 'unsupported' }],
]);

/** How far from the start of the file and of the second section's data the pack header is looked for. */
const headerSearchBytes = 64 * 1024;
/** UPX puts the header up to so far before the data of its second section. */
const headerLeadBytes = 64;
/** So many marks are looked at; each costs a checksum over up to the whole file. */
const candidatesMaximum = 16;
/** A payload that is not behind its header is looked for in files up to this size. */
const payloadSearchBytes = 64 * 1024 * 1024;
/** Below this, what a damaged stream gave is not worth showing. */
const usefulBytesMinimum = 64;
/** The rebuilt headers must fit before the first section. */
const firstSectionRvaMinimum = 0x400;
/** Windows loads no more sections than this. */
const sectionsMaximum = 96;
/** UPX itself makes one or two sections behind the compressed one. */
const keptSectionsMaximum = 4;
const librariesMaximum = 4096;
const importsMaximum = 65_536;
const importNameBytesMaximum = 512;
const pageBytes = 0x1000;

/** IMAGE_SCN_CNT_INITIALIZED_DATA, IMAGE_SCN_MEM_READ. */
const readableData = 0x40000040;
const coffHeaderBytes = 24;
const sectionHeaderBytes = 40;
const directoryCount = 16;
const importDescriptorBytes = 20;

interface PackHeader {
  readonly offset: number;
  readonly version: number;
  readonly format: number;
  readonly method: number;
  readonly level: number;
  readonly uncompressedAdler: number;
  readonly compressedAdler: number;
  readonly uncompressedBytes: number;
  readonly compressedBytes: number;
  readonly originalFileBytes: number;
  readonly filter: number;
  readonly filterMarker: number;
  readonly isChecksumRight: boolean;
}

/**
 * Unpacks a portable executable that UPX packed.
 *
 * @param image - the packed file's headers
 * @param context - takes faults; the budget is charged with the size of the unpacked image before it is allocated
 * @returns the unpacked program as a PE file, with facts about the packing; undefined when the file is not packed
 *   with UPX, or (reported) nothing could be unpacked. When the info's checksums do not all hold, a fault was
 *   reported and the image may be partial or wrong.
 */
export function tryUnpackUpx(
  image: PeImage,
  context: ReadContext,
): { image: Uint8Array; info: UpxInfo } | undefined {
  const header = findPackHeader(image);
  if (header === undefined) {
    reportUnreadableHeader(image, context);
    return undefined;
  }
  const method = methods.get(header.method);
  if (header.version > newestVersion || header.version < oldestVersion) {
    return giveUp(
      context,
      'unsupported/version',
      `is packed with UPX, header version ${header.version}`,
      header.offset,
    );
  }
  if (method === undefined || method.variant === 'unsupported') {
    const name = method?.name ?? `number ${header.method}`;
    return giveUp(context, 'unsupported/method', `is packed with UPX, method ${name}`, header.offset);
  }
  if (!header.isChecksumRight) {
    context.report({
      code: 'malformed/checksum',
      message: 'its UPX header does not match its own checksum',
      offset: header.offset,
      consequence: 'the header was changed after packing; the program was unpacked as the header says',
      incomplete: true,
    });
  }

  const target = allocateImage(image, header, context);
  if (target === undefined) return undefined;
  const { memory, base, kept } = target;
  const unpacked = memory.subarray(base, base + header.uncompressedBytes);

  const payload = readPayload(image, header, context);
  const decoded = decode(method, payload.bytes, unpacked, context);
  const isUncompressedRight = checkDecoded(decoded, header, payload, unpacked, context);
  if (decoded.outputBytes < usefulBytesMinimum) return undefined;

  let layout: Layout | undefined;
  if (decoded.fault === undefined)
    layout = restoreOriginalLayout(image, header, unpacked, base, kept, context);
  layout ??= keepPackedLayout(image, decoded.outputBytes, base, kept);
  const imports = layout.imports;
  const written = writeImage(image, memory, layout);
  return {
    image: written,
    info: {
      headerOffset: header.offset,
      payloadOffset: payload.offset,
      version: header.version,
      format: formatNames.get(header.format) ?? 'unknown',
      method: method.name,
      level: header.level,
      filter: header.filter,
      filterMarker: header.filterMarker,
      compressedBytes: header.compressedBytes,
      uncompressedBytes: header.uncompressedBytes,
      originalFileBytes: header.originalFileBytes,
      unpackedBytes: decoded.outputBytes,
      checksums: {
        header: header.isChecksumRight,
        compressed: payload.isRight,
        uncompressed: isUncompressedRight,
      },
      headers: layout.headers,
      importedLibraries: imports.length,
    },
  };
}

function giveUp(
  context: ReadContext,
  code: TelltaleError['code'],
  message: string,
  offset: number | undefined,
): undefined {
  const finding = { code, message, consequence: 'the packed program was not looked at', incomplete: true };
  context.report(offset === undefined ? finding : { ...finding, offset });
  return undefined;
}

/** Sections that say UPX without a header to unpack by are worth a word: the content stays unseen. */
function reportUnreadableHeader(image: PeImage, context: ReadContext): void {
  const [first, second] = image.sections;
  if (first === undefined || second === undefined) return;
  if (!upxSectionName.test(first.name) || !upxSectionName.test(second.name) || first.rawSize !== 0) return;
  giveUp(
    context,
    'malformed/header',
    'its sections are named as UPX does, but there is no readable UPX header',
    second.rawOffset,
  );
}

/**
 * The best pack header: one whose checksums hold before one that only looks right. A UPX file carried in the resources
 * of another program is not meant: here the first section is empty or has UPX's name, and the header stands before
 * the end of the second.
 */
function findPackHeader(image: PeImage): PackHeader | undefined {
  const [first, second] = image.sections;
  if (first === undefined || second === undefined) return undefined;
  if (first.rawSize !== 0 && !upxSectionName.test(first.name)) return undefined;
  let best: PackHeader | undefined;
  let candidates = 0;
  for (const offset of findMarks(image, second)) {
    const header = tryReadPackHeader(image, offset);
    if (header === undefined) continue;
    candidates += 1;
    if (candidates > candidatesMaximum) break;
    const bytes = readUpTo(image.source, offset + packHeaderBytes, header.compressedBytes);
    const isPayloadRight =
      bytes.length === header.compressedBytes && adler32(bytes) === header.compressedAdler;
    if (isPayloadRight) return header;
    if (header.isChecksumRight) best ??= header;
  }
  return best;
}

/** Offsets of `UPX!` near the start of the file and of the section with the compressed data. */
function findMarks(image: PeImage, packed: PeSection): number[] {
  const offsets = new Set<number>();
  for (const start of [0, Math.max(0, packed.rawOffset - headerLeadBytes)]) {
    const bytes = readUpTo(image.source, start, headerSearchBytes);
    for (let at = bytes.indexOf(magic[0]); at >= 0; at = bytes.indexOf(magic[0], at + 1)) {
      if (bytes[at + 1] === magic[1] && bytes[at + 2] === magic[2] && bytes[at + 3] === magic[3]) {
        offsets.add(start + at);
      }
    }
  }
  const end = packed.rawOffset + packed.rawSize;
  return [...offsets].filter((offset) => offset < end).sort((a, b) => a - b);
}

function tryReadPackHeader(image: PeImage, offset: number): PackHeader | undefined {
  const bytes = readUpTo(image.source, offset, packHeaderBytes);
  if (bytes.length < packHeaderBytes) return undefined;
  let sum = 0;
  for (const byte of bytes.subarray(4, packHeaderBytes - 1)) sum += byte;
  const cursor = new Cursor(bytes, 4);
  const header = {
    offset,
    version: cursor.u8(),
    format: cursor.u8(),
    method: cursor.u8(),
    level: cursor.u8() & 15,
    uncompressedAdler: cursor.u32(),
    compressedAdler: cursor.u32(),
    uncompressedBytes: cursor.u32(),
    compressedBytes: cursor.u32(),
    originalFileBytes: cursor.u32(),
    filter: cursor.u8(),
    filterMarker: cursor.u8(),
    isChecksumRight: sum % 251 === bytes[packHeaderBytes - 1],
  };
  const isForThisImage =
    formatNames.has(header.format) && (header.format === win64Format) === image.isPe32Plus;
  const isPlausible = header.compressedBytes >= 2 && header.uncompressedBytes >= 2;
  return isForThisImage && isPlausible ? header : undefined;
}

interface Target {
  /** Zeros, then the kept sections of the packed file; file offset equals relative virtual address. */
  readonly memory: Uint8Array;
  /** Where the unpacked image starts. */
  readonly base: number;
  readonly kept: readonly LaidOutSection[];
}

interface LaidOutSection {
  readonly name: string;
  readonly rva: number;
  readonly virtualSize: number;
  /** Bytes in the file; 0 for a section of zeros. */
  readonly rawSize: number;
  readonly characteristics: number;
}

/** Checks sizes, then makes the memory image with the packed file's own data sections in place. */
function allocateImage(image: PeImage, header: PackHeader, context: ReadContext): Target | undefined {
  const base = image.sections[0]?.virtualAddress ?? 0;
  const unpackedEnd = base + header.uncompressedBytes;
  if (base < firstSectionRvaMinimum || unpackedEnd > image.sizeOfImage) {
    return giveUp(
      context,
      'malformed/size-mismatch',
      `its UPX header promises ${header.uncompressedBytes} bytes, which do not fit in an image of ${image.sizeOfImage}`,
      header.offset,
    );
  }
  const fitting: PeSection[] = [];
  let memoryBytes = unpackedEnd;
  for (const section of image.sections.slice(2, 2 + keptSectionsMaximum)) {
    const end = section.virtualAddress + section.rawSize;
    if (section.rawSize === 0) continue;
    if (section.virtualAddress < memoryBytes || end > alignUp(image.sizeOfImage, pageBytes)) {
      context.report({
        code: 'malformed/overlap',
        message: `its section ${section.name} does not lie behind the unpacked program`,
        offset: section.headerOffset,
        consequence: 'resources and exports in this section are missing in the unpacked program',
        incomplete: true,
      });
      continue;
    }
    fitting.push(section);
    memoryBytes = end;
  }
  const { budget } = context;
  if (memoryBytes > budget.limits.memberBytesInMemory) {
    return giveUp(context, 'limit/memory', `would unpack to ${memoryBytes} bytes in memory`, header.offset);
  }
  try {
    budget.chargeBytes(memoryBytes);
  } catch (error) {
    if (error instanceof TelltaleError) return giveUp(context, error.code, error.message, header.offset);
    throw error;
  }
  const memory = new Uint8Array(memoryBytes);
  const kept = fitting.map((section) => {
    const bytes = readUpTo(image.source, section.rawOffset, section.rawSize);
    memory.set(bytes, section.virtualAddress);
    return {
      name: section.name,
      rva: section.virtualAddress,
      virtualSize: section.virtualSize,
      rawSize: section.rawSize,
      characteristics: section.characteristics,
    };
  });
  return { memory, base, kept };
}

interface Payload {
  readonly bytes: Uint8Array;
  readonly offset: number;
  /** The compressed bytes are there and match their checksum. */
  readonly isRight: boolean;
}

/** The compressed bytes: behind the header, or wherever bytes with the right checksum are. */
function readPayload(image: PeImage, header: PackHeader, context: ReadContext): Payload {
  const { source } = image;
  const offset = header.offset + packHeaderBytes;
  const bytes = readUpTo(source, offset, header.compressedBytes);
  const actual = adler32(bytes);
  if (bytes.length === header.compressedBytes && actual === header.compressedAdler) {
    return { bytes, offset, isRight: true };
  }
  if (source.size <= payloadSearchBytes) {
    const whole = source.read(0, source.size);
    const moved = findAdler32(whole, header.compressedBytes, header.compressedAdler);
    if (moved !== undefined) {
      return { bytes: whole.subarray(moved, moved + header.compressedBytes), offset: moved, isRight: true };
    }
  }
  const missing = header.compressedBytes - bytes.length;
  context.report(
    missing > 0
      ? {
          code: 'malformed/truncated',
          message: `${missing} of ${header.compressedBytes} bytes of its UPX-compressed program are missing`,
          offset: source.size,
          consequence: 'only the first part of the packed program can be unpacked',
          incomplete: true,
        }
      : {
          code: 'malformed/checksum',
          message:
            'its UPX-compressed program does not match its checksum ' +
            `(Adler-32 ${toHex32(actual)}, the header says ${toHex32(header.compressedAdler)})`,
          offset,
          consequence:
            'the program was changed or damaged after packing; what was unpacked of it may be wrong',
          incomplete: true,
        },
  );
  return { bytes, offset, isRight: false };
}

function toHex32(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/** Bytes before the LZMA stream that hold its properties. */
const lzmaPropertyBytes = 2;

function decode(method: Method, input: Uint8Array, output: Uint8Array, context: ReadContext): Decoded {
  if ('wordBits' in method) {
    return decodeNrvInto(method.variant, input, output, method.wordBits, context.budget);
  }
  const [first = 0, second = 0] = input;
  const properties = { lc: second & 15, lp: second >> 4, pb: first & 7 };
  if (input.length < lzmaPropertyBytes || first >> 3 !== properties.lc + properties.lp) {
    const fault = new TelltaleError(
      'malformed/compressed-data',
      'the LZMA properties contradict each other',
      {
        offset: 0,
      },
    );
    return { outputBytes: 0, inputBytes: 0, fault };
  }
  const decoded = decodeLzmaInto(input.subarray(lzmaPropertyBytes), output, properties, context);
  const inputBytes = decoded.inputBytes + lzmaPropertyBytes;
  if (decoded.fault === undefined) return { ...decoded, inputBytes };
  const { code, message, offset = 0 } = decoded.fault;
  const fault = new TelltaleError(code, message, { offset: offset + lzmaPropertyBytes });
  return { ...decoded, inputBytes, fault };
}

/** Reports what is wrong with what was decoded. @returns whether all of it is there and matches its checksum */
function checkDecoded(
  decoded: Decoded,
  header: PackHeader,
  payload: Payload,
  unpacked: Uint8Array,
  context: ReadContext,
): boolean {
  if (decoded.fault !== undefined) {
    context.report({
      code: decoded.fault.code,
      message:
        `its UPX-compressed program was unpacked up to byte ${decoded.outputBytes} of ${header.uncompressedBytes}: ` +
        decoded.fault.message,
      offset: payload.offset + (decoded.fault.offset ?? decoded.inputBytes),
      consequence:
        'the rest of the packed program was not looked at, and the last bytes before it may be wrong',
      incomplete: true,
    });
    return false;
  }
  if (adler32(unpacked) === header.uncompressedAdler) return true;
  context.report({
    code: 'malformed/checksum',
    message: 'its unpacked program does not match the checksum in the UPX header',
    offset: header.offset,
    consequence: 'what was unpacked is not what was packed; it was looked at all the same',
    incomplete: true,
  });
  return false;
}

interface ImportedLibrary {
  readonly name: Uint8Array;
  /** Where the loader writes the addresses. */
  readonly addressTableRva: number;
  readonly symbols: readonly (Uint8Array | number)[];
}

/** A PE file to be written: headers from `template`, with these sections and directories. */
interface Layout {
  readonly headers: 'original' | 'packed';
  /** PE signature, COFF header and optional header with sixteen directories. */
  readonly template: Uint8Array;
  readonly sections: readonly LaidOutSection[];
  readonly imports: readonly ImportedLibrary[];
  /** Where the unpacked bytes end. */
  readonly unpackedEnd: number;
  /** Directories of the packed file that replace those of the template. */
  readonly replaced: readonly number[];
  /** Directories without meaning in the unpacked image. */
  readonly cleared: readonly number[];
}

const neverValidDirectories = [
  directoryIndex.import,
  directoryIndex.certificate,
  directoryIndex.relocation,
  directoryIndex.debug,
  directoryIndex.boundImport,
  directoryIndex.importAddress,
] as const;

function toHeaderBytes(isPe32Plus: boolean): number {
  return coffHeaderBytes + (isPe32Plus ? 240 : 224);
}

/** Offset of the directory table from the PE signature. */
function toDirectoriesOffset(isPe32Plus: boolean): number {
  return toHeaderBytes(isPe32Plus) - directoryCount * 8;
}

/** Undoes the filter and reads the original headers from the extra info; undefined (reported) without them. */
function restoreOriginalLayout(
  image: PeImage,
  header: PackHeader,
  unpacked: Uint8Array,
  base: number,
  kept: readonly LaidOutSection[],
  context: ReadContext,
): Layout | undefined {
  const headerBytes = toHeaderBytes(image.isPe32Plus);
  try {
    const cursor = new Cursor(unpacked);
    const extraInfoOffset = cursor.seek(unpacked.length - 4).u32();
    const template = cursor.seek(extraInfoOffset).bytes(headerBytes).slice();
    const fields = new Cursor(template);
    const signature = fields.u32();
    const sectionCount = fields.seek(6).u16();
    const optionalMagic = fields.seek(coffHeaderBytes).u16();
    const isHeader =
      signature === 0x4550 && // PE\0\0
      optionalMagic === (image.isPe32Plus ? 0x20b : 0x10b) &&
      sectionCount > 0 &&
      sectionCount <= sectionsMaximum;
    if (!isHeader)
      throw new TelltaleError('malformed/header', 'it is not a PE header', { offset: extraInfoOffset });

    const sections: LaidOutSection[] = [];
    for (let index = 0; index < sectionCount; index += 1) sections.push(readSection(cursor));
    if (sections[0]?.rva !== base) {
      throw new TelltaleError('malformed/header', 'its first section is elsewhere', {
        offset: extraInfoOffset,
      });
    }
    const laidOut = fitSections(sections, unpacked, base);
    const tail = toTailSection(laidOut, base, unpacked.length);
    const laidOutCount = laidOut.length + tail.length + kept.length + 1;
    if (!hasRoomForHeaders(image, laidOutCount, base)) {
      throw new TelltaleError('malformed/header', 'it has too many sections', { offset: extraInfoOffset });
    }

    const codeBytes = fields.seek(28).u32();
    const codeRva = fields.seek(44).u32();
    undoFilter(header, unpacked, codeRva - base, codeBytes, context);

    const importDirectory = fields.seek(toDirectoriesOffset(image.isPe32Plus) + 8 * directoryIndex.import);
    const hasImports = importDirectory.u32() !== 0 && importDirectory.u32() > importDescriptorBytes;
    const imports = hasImports ? readImports(image, unpacked, cursor.u32(), base, context) : [];

    const replaced: number[] = [];
    for (const index of [directoryIndex.resource, directoryIndex.export]) {
      if ((image.directories[index]?.size ?? 0) > 0) replaced.push(index);
    }
    return {
      headers: 'original',
      template,
      sections: [...laidOut, ...tail, ...renameDuplicates(kept, laidOut)],
      imports,
      unpackedEnd: base + unpacked.length,
      replaced,
      cleared: neverValidDirectories,
    };
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    context.report({
      code: error.code === 'malformed/out-of-range' ? 'malformed/structure' : error.code,
      message: `its unpacked program does not carry the original headers where UPX puts them: ${error.message}`,
      offset: header.offset,
      consequence:
        'the unpacked bytes were looked at as one block; the names of its sections, its imports and its filtered code were not',
      incomplete: true,
    });
    return undefined;
  }
}

function readSection(cursor: Cursor): LaidOutSection {
  const name = cursor.latin1(8);
  const virtualSize = cursor.u32();
  const rva = cursor.u32();
  const rawSize = cursor.u32();
  cursor.skip(16);
  const characteristics = cursor.u32();
  return { name, rva, virtualSize, rawSize, characteristics };
}

/**
 * The sections in order of address, each with as many bytes as it had in its file, or up to its last byte that is not
 * zero where the header says less. Those outside the unpacked bytes are left out.
 */
function fitSections(
  sections: readonly LaidOutSection[],
  unpacked: Uint8Array,
  base: number,
): LaidOutSection[] {
  const inside = sections
    .filter((section) => section.rva >= base && section.rva < base + unpacked.length)
    .sort((a, b) => a.rva - b.rva);
  return inside.map((section, index) => {
    const next = inside[index + 1]?.rva ?? base + unpacked.length;
    const room = next - section.rva;
    const rawSize = Math.min(section.rawSize, room);
    let used = Math.min(section.virtualSize, room);
    while (used > rawSize && unpacked[section.rva - base + used - 1] === 0) used -= 1;
    return { ...section, rawSize: Math.max(rawSize, used) };
  });
}

/** What was unpacked behind the last section: UPX's list of imports and its extra info, or whatever else is there. */
function toTailSection(
  sections: readonly LaidOutSection[],
  base: number,
  unpackedBytes: number,
): LaidOutSection[] {
  let end = base;
  for (const { rva, virtualSize, rawSize } of sections) {
    end = Math.max(end, rva + Math.max(Math.min(virtualSize, unpackedBytes), rawSize));
  }
  const rva = alignUp(end, pageBytes);
  const size = base + unpackedBytes - rva;
  if (size <= 0) return [];
  return [{ name: '.upxinfo', rva, virtualSize: size, rawSize: size, characteristics: readableData }];
}

/** The packed file's `.rsrc` beside an original `.rsrc` would make places ambiguous. */
function renameDuplicates(
  kept: readonly LaidOutSection[],
  original: readonly LaidOutSection[],
): LaidOutSection[] {
  const names = new Set(original.map((section) => section.name));
  return kept.map((section, index) =>
    names.has(section.name) ? { ...section, name: `UPX${index + 2}` } : section,
  );
}

function undoFilter(
  header: PackHeader,
  unpacked: Uint8Array,
  offset: number,
  length: number,
  context: ReadContext,
): void {
  if (header.filter === 0) return;
  if (!isKnownFilter(header.filter)) {
    context.report({
      code: 'unsupported/method',
      message: `its code is stored through the unknown UPX filter 0x${header.filter.toString(16)}`,
      offset: header.offset,
      consequence:
        'the code was looked at as stored, with altered call targets; data and text are not affected',
      incomplete: true,
    });
    return;
  }
  if (offset < 0 || offset + length > unpacked.length) {
    context.report({
      code: 'malformed/structure',
      message: 'its UPX filter covers bytes that are not in the unpacked program',
      offset: header.offset,
      consequence:
        'the code was looked at as stored, with altered call targets; data and text are not affected',
      incomplete: true,
    });
    return;
  }
  undoCallTrick(unpacked, {
    filter: header.filter,
    marker: header.filterMarker,
    offset,
    length,
    addend: offset,
  });
}

/**
 * The imports as UPX stores them: for each library the place of its name in the packed file's import table and of
 * its address table, then a list of `01 name 00`, `ff ordinal`, or another byte with the place of an ordinal in the
 * packed file's import table; a zero ends the list.
 */
function readImports(
  image: PeImage,
  unpacked: Uint8Array,
  offset: number,
  base: number,
  context: ReadContext,
): ImportedLibrary[] {
  const libraries: ImportedLibrary[] = [];
  const packedImportsRva = image.directories[directoryIndex.import]?.rva ?? 0;
  let count = 0;
  try {
    const cursor = new Cursor(unpacked, offset);
    for (;;) {
      const nameAt = cursor.u32();
      if (nameAt === 0) break;
      const addressTableRva = cursor.u32() + base;
      const name = readPackedName(image, packedImportsRva + nameAt);
      const symbols: (Uint8Array | number)[] = [];
      for (let kind = cursor.u8(); kind !== 0; kind = cursor.u8()) {
        if (kind === 1) symbols.push(readName(unpacked, cursor));
        else if (kind === 0xff) symbols.push(cursor.u16());
        else symbols.push(readPackedOrdinal(image, packedImportsRva + cursor.u32()));
        count += 1;
        if (count > importsMaximum) {
          throw new TelltaleError('limit/count', `there are more than ${importsMaximum}`, { offset });
        }
        if (count % 4096 === 0) context.budget.checkTime();
      }
      libraries.push({ name, addressTableRva, symbols });
      if (libraries.length >= librariesMaximum) {
        throw new TelltaleError('limit/count', `there are more than ${librariesMaximum} libraries`, {
          offset,
        });
      }
    }
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    context.report({
      code: error.code === 'malformed/out-of-range' ? 'malformed/structure' : error.code,
      message: `the imports of its unpacked program could not all be read: ${error.message}`,
      consequence: `the names of ${libraries.length} imported libraries were restored, the others were not`,
      incomplete: true,
    });
  }
  return libraries;
}

function readName(bytes: Uint8Array, cursor: Cursor): Uint8Array {
  const length = bytes.subarray(cursor.offset, cursor.offset + importNameBytesMaximum).indexOf(0);
  if (length < 0) {
    throw new TelltaleError('malformed/name', 'a name has no end', { offset: cursor.offset });
  }
  const name = cursor.bytes(length);
  cursor.skip(1);
  return name;
}

function toPackedOffset(image: PeImage, rva: number): number {
  const offset = image.toOffset(rva);
  if (offset === undefined) {
    throw new TelltaleError('malformed/structure', 'a name is not in the packed file', { offset: rva });
  }
  return offset;
}

function readPackedName(image: PeImage, rva: number): Uint8Array {
  const bytes = readUpTo(image.source, toPackedOffset(image, rva), importNameBytesMaximum);
  return readName(bytes, new Cursor(bytes)).slice();
}

function readPackedOrdinal(image: PeImage, rva: number): number {
  return new Cursor(image.source, toPackedOffset(image, rva)).u16();
}

/** Without original headers: the packed file's, with all that was unpacked as the first section. */
function keepPackedLayout(
  image: PeImage,
  unpackedBytes: number,
  base: number,
  kept: readonly LaidOutSection[],
): Layout {
  const template = new Uint8Array(toHeaderBytes(image.isPe32Plus));
  const available = coffHeaderBytes + Math.min(image.sizeOfOptionalHeader, template.length - coffHeaderBytes);
  template.set(readUpTo(image.source, image.peOffset, available));
  const [first] = image.sections;
  const unpackedSection: LaidOutSection = {
    name: first?.name ?? 'UPX0',
    rva: base,
    virtualSize: unpackedBytes,
    rawSize: unpackedBytes,
    characteristics: first?.characteristics ?? 0,
  };
  return {
    headers: 'packed',
    template,
    sections: [unpackedSection, ...kept],
    imports: [],
    unpackedEnd: base + unpackedBytes,
    replaced: [directoryIndex.resource, directoryIndex.export],
    // The loader's own tables say nothing about the packed program.
    cleared: [
      ...neverValidDirectories,
      directoryIndex.tls,
      directoryIndex.loadConfig,
      directoryIndex.exception,
    ],
  };
}

const dosHeaderBytes = 0x40;

/** Where the PE header goes: behind the DOS program of the packed file, which is the original's, where there is room. */
function toPeOffset(image: PeImage, sectionCount: number, firstSectionRva: number): number {
  const rest = toHeaderBytes(image.isPe32Plus) + sectionCount * sectionHeaderBytes;
  const isUsual = image.peOffset >= dosHeaderBytes && image.peOffset + rest <= firstSectionRva;
  return isUsual ? image.peOffset : dosHeaderBytes;
}

function hasRoomForHeaders(image: PeImage, sectionCount: number, firstSectionRva: number): boolean {
  const peOffset = toPeOffset(image, sectionCount, firstSectionRva);
  return peOffset + toHeaderBytes(image.isPe32Plus) + sectionCount * sectionHeaderBytes <= firstSectionRva;
}

function writeImage(image: PeImage, memory: Uint8Array, layout: Layout): Uint8Array {
  const { isPe32Plus } = image;
  const sections = [...layout.sections];
  // All that was unpacked stays, even where no section covers it.
  let end = layout.unpackedEnd;
  for (const section of sections) {
    if (section.rawSize > 0) end = Math.max(end, section.rva + section.rawSize);
  }
  const importsRva = alignUp(end, pageBytes);
  const imports =
    layout.imports.length > 0 ? buildImportTable(layout.imports, importsRva, isPe32Plus) : undefined;
  if (imports !== undefined) {
    sections.push({
      name: '.upximp',
      rva: importsRva,
      virtualSize: imports.length,
      rawSize: imports.length,
      characteristics: readableData,
    });
  }

  const bytes = imports === undefined ? memory.subarray(0, end) : new Uint8Array(importsRva + imports.length);
  if (imports !== undefined) {
    bytes.set(memory.subarray(0, end));
    bytes.set(imports, importsRva);
  }
  const firstRva = sections[0]?.rva ?? pageBytes;
  const peOffset = toPeOffset(image, sections.length, firstRva);
  bytes.set(readUpTo(image.source, 0, peOffset));
  bytes.set(layout.template, peOffset);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint16(0, 0x5a4d, true); // MZ
  view.setUint32(0x3c, peOffset, true);
  view.setUint16(peOffset + 6, sections.length, true);
  view.setUint32(peOffset + 12, 0, true); // symbol table
  view.setUint32(peOffset + 16, 0, true);
  const headerBytes = toHeaderBytes(isPe32Plus);
  view.setUint16(peOffset + 20, headerBytes - coffHeaderBytes, true);
  if (layout.headers === 'packed') view.setUint32(peOffset + 40, 0, true); // the loader's entry point
  const tableOffset = peOffset + headerBytes;
  view.setUint32(peOffset + 80, alignUp(bytes.length, pageBytes), true);
  view.setUint32(peOffset + 84, tableOffset + sections.length * sectionHeaderBytes, true);
  view.setUint32(peOffset + 88, 0, true); // checksum

  const directories = peOffset + toDirectoriesOffset(isPe32Plus);
  view.setUint32(directories - 4, directoryCount, true);
  const setDirectory = (index: number, rva: number, size: number): void => {
    view.setUint32(directories + 8 * index, rva, true);
    view.setUint32(directories + 8 * index + 4, size, true);
  };
  for (const index of layout.cleared) setDirectory(index, 0, 0);
  for (const index of layout.replaced) {
    const directory = image.directories[index];
    setDirectory(index, directory?.rva ?? 0, directory?.size ?? 0);
  }
  if (imports !== undefined) {
    setDirectory(directoryIndex.import, importsRva, (layout.imports.length + 1) * importDescriptorBytes);
  }

  sections.forEach((section, index) => {
    const at = tableOffset + index * sectionHeaderBytes;
    bytes.fill(0, at, at + sectionHeaderBytes);
    for (let i = 0; i < Math.min(8, section.name.length); i += 1) bytes[at + i] = section.name.charCodeAt(i);
    view.setUint32(at + 8, section.virtualSize, true);
    view.setUint32(at + 12, section.rva, true);
    view.setUint32(at + 16, section.rawSize, true);
    view.setUint32(at + 20, section.rawSize > 0 ? section.rva : 0, true);
    view.setUint32(at + 36, section.characteristics, true);
  });
  return bytes;
}

/** An ordinary import directory with all of its tables and names, for this address. */
function buildImportTable(
  libraries: readonly ImportedLibrary[],
  rva: number,
  isPe32Plus: boolean,
): Uint8Array {
  const thunkBytes = isPe32Plus ? 8 : 4;
  const namesOf = (library: ImportedLibrary): Uint8Array[] =>
    library.symbols.filter((symbol): symbol is Uint8Array => typeof symbol !== 'number');
  let size = (libraries.length + 1) * importDescriptorBytes;
  let thunks = alignUp(size, 8);
  size = thunks;
  for (const library of libraries) size += (library.symbols.length + 1) * thunkBytes;
  let names = size;
  for (const library of libraries) {
    size += library.name.length + 1;
    for (const name of namesOf(library)) size += name.length + 3;
  }
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  libraries.forEach((library, index) => {
    const descriptor = index * importDescriptorBytes;
    view.setUint32(descriptor, rva + thunks, true);
    view.setUint32(descriptor + 12, rva + names, true);
    view.setUint32(descriptor + 16, library.addressTableRva, true);
    bytes.set(library.name, names);
    names += library.name.length + 1;
    for (const symbol of library.symbols) {
      if (typeof symbol === 'number') {
        view.setUint16(thunks, symbol, true);
        view.setUint8(thunks + thunkBytes - 1, 0x80);
      } else {
        view.setUint32(thunks, rva + names, true);
        bytes.set(symbol, names + 2);
        names += symbol.length + 3;
      }
      thunks += thunkBytes;
    }
    thunks += thunkBytes;
  });
  return bytes;
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
