/**
 * The headers of a portable executable: DOS header, PE signature, COFF header, optional header, data directories
 * and section table.
 *
 * The fixed structures are decoded by pe-library's `Format` classes. They read a fixed number of bytes whatever the
 * file holds, so each gets a zero-filled copy of exactly that size, and what is missing is reported here. The
 * section table is read with a cursor: its count is untrusted, and pe-library decodes section names as UTF-8, which
 * loses bytes.
 *
 * @see https://learn.microsoft.com/windows/win32/debug/pe-format
 */
import { Format as Layout } from 'pe-library';
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import type { Finding } from '../model.ts';
import { type PeDirectory, type PeImage, type PeSection, directoryIndex } from './image.ts';

/** Takes a fault; reading goes on. */
export type Report = (finding: Finding) => void;

const dosHeaderBytes = 64;
const coffHeaderBytes = 24; // with the signature
const sectionHeaderBytes = 40;
/** Signature, COFF header, PE32+ optional header and sixteen directories: the largest of the fixed headers. */
const ntHeaderBytes =
  coffHeaderBytes + Layout.ImageOptionalHeader64.size + Layout.ImageDataDirectoryArray.size;

/** Beyond this many sections no more are read; Windows itself loads at most 96 to 65,535, compilers write about ten. */
export const sectionsLimit = 2048;
/** How far into a file a PE signature is looked for when the DOS header does not point to one. */
const signatureSearchBytes = 4096;
const pageBytes = 0x1000;
const sectorBytes = 0x200;

const pe32Magic = 0x10b;
const pe32PlusMagic = 0x20b;

/** COFF machine types that ordinary Windows programs have. */
const commonMachines: ReadonlySet<number> = new Set([
  0x14c, 0x1c0, 0x1c2, 0x1c4, 0x200, 0x8664, 0xaa64, 0xebc,
]);

/** Texts of the DOS stub by Microsoft's, Borland's and GNU linkers. */
const stubTexts = [
  'This program cannot be run in DOS mode',
  'This program must be run under Win32',
  'This program must be run under Win64',
  'This program requires Win32',
] as const;

/** Whether the bytes at `offset` are `PE\0\0`. */
function hasSignature(bytes: Uint8Array, offset: number): boolean {
  return (
    bytes[offset] === 0x50 && bytes[offset + 1] === 0x45 && bytes[offset + 2] === 0 && bytes[offset + 3] === 0
  );
}

/** Whether a COFF header of a common machine with an optional header stands behind the four bytes of a signature. */
function hasPlausibleHeaders(bytes: Uint8Array): boolean {
  if (bytes.length < coffHeaderBytes + 2) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint16(coffHeaderBytes, true);
  return commonMachines.has(view.getUint16(4, true)) && (magic === pe32Magic || magic === pe32PlusMagic);
}

function hasStubText(head: Uint8Array): boolean {
  let text = '';
  for (const byte of head.subarray(0, 512)) text += String.fromCharCode(byte);
  return stubTexts.some((stub) => text.includes(stub));
}

/**
 * Is this a portable executable, whole or damaged? Damaged means: it starts as one, but the PE header is cut off by
 * the end of the file or overwritten. Plain DOS programs and 16-bit Windows or OS/2 programs are not meant.
 */
export function isPe(head: Uint8Array, source: ByteSource): boolean {
  if (head[0] !== 0x4d || head[1] !== 0x5a) return false;
  if (head.length < dosHeaderBytes) {
    // So short that only the linkers' usual first bytes tell: `4D 5A 90 00 03 00`, Borland `4D 5A 50 00 02 00`.
    const usual = (head[2] === 0x90 && head[4] === 3) || (head[2] === 0x50 && head[4] === 2);
    return head.length >= 6 && usual && head[3] === 0 && head[5] === 0;
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const peOffset = view.getUint32(0x3c, true);
  const signed = readUpTo(source, peOffset, coffHeaderBytes + 2);
  if (signed.length >= 4) {
    if (hasSignature(signed, 0) || hasPlausibleHeaders(signed)) return true;
    // NE, LE, LX: other formats with the same DOS stub.
    const isOther = (signed[0] === 0x4e || signed[0] === 0x4c) && (signed[1] === 0x45 || signed[1] === 0x58);
    return !isOther && hasStubText(head);
  }
  if (hasStubText(head)) return true;
  // The header would stand behind the end of the file: the fields must at least look like a linker's.
  const relocationTable = view.getUint16(0x18, true);
  return (
    relocationTable >= 0x40 && peOffset >= dosHeaderBytes && peOffset % 4 === 0 && peOffset < 0x1000_0000
  );
}

/**
 * Reads the headers. Damage is reported and what is missing reads as zero.
 *
 * @param source - the whole file
 * @param report - takes each fault
 * @throws TelltaleError `malformed/header` when there is no PE header, `malformed/truncated` when the file ends
 * before or inside the COFF header
 */
export function parsePe(source: ByteSource, report: Report): PeImage {
  const peOffset = findPeOffset(source, report);
  const headers = toLayout(source, peOffset, ntHeaderBytes);
  const nt = Layout.ImageNtHeaders.from(headers);
  const { fileHeader, optionalHeader } = nt;

  const optionalHeaderOffset = peOffset + coffHeaderBytes;
  const magic = optionalHeader.magic;
  const isPe32Plus = magic === pe32PlusMagic;
  const fixedBytes = isPe32Plus ? Layout.ImageOptionalHeader64.size : Layout.ImageOptionalHeader.size;
  if (optionalHeaderOffset + fixedBytes > source.size) {
    report({
      code: 'malformed/truncated',
      message: 'ends inside the optional header',
      offset: source.size,
      consequence: 'only the first header fields were read; the program itself is missing',
      incomplete: true,
    });
  } else if (magic !== pe32Magic && !isPe32Plus) {
    report({
      code: 'malformed/header',
      message: `has an optional header of unknown kind 0x${magic.toString(16)}`,
      offset: optionalHeaderOffset,
      consequence: 'it was read as a 32-bit one; its fields may be wrong',
      incomplete: true,
    });
  }

  const directories = readDirectories(
    source,
    nt.optionalHeaderDataDirectory,
    optionalHeader.numberOfRvaAndSizes,
    optionalHeaderOffset + fixedBytes,
    report,
  );
  const sectionTableOffset = optionalHeaderOffset + fileHeader.sizeOfOptionalHeader;
  const sections = readSections(source, sectionTableOffset, fileHeader.numberOfSections, report);

  const { fileAlignment, sectionAlignment, sizeOfHeaders } = optionalHeader;
  const imageBase =
    optionalHeader instanceof Layout.ImageOptionalHeader64
      ? optionalHeader.imageBaseBigInt
      : BigInt(optionalHeader.imageBase);

  const place = placeTail(source, sections, sizeOfHeaders, directories[directoryIndex.certificate]);
  reportMissingBytes(source, sections, directories[directoryIndex.certificate], place.declaredEnd, report);
  reportOverlaps(sections, directories[directoryIndex.certificate], report);

  return {
    source,
    peOffset,
    machine: fileHeader.machine,
    characteristics: fileHeader.characteristics,
    timeDateStamp: fileHeader.timeDateStamp,
    isPe32Plus,
    optionalHeaderOffset,
    sizeOfOptionalHeader: fileHeader.sizeOfOptionalHeader,
    linkerVersion: `${optionalHeader.majorLinkerVersion}.${optionalHeader.minorLinkerVersion}`,
    entryPointRva: optionalHeader.addressOfEntryPoint,
    imageBase,
    sectionAlignment,
    fileAlignment,
    sizeOfImage: optionalHeader.sizeOfImage,
    sizeOfHeaders,
    subsystem: optionalHeader.subsystem,
    checksum: optionalHeader.checkSum,
    checksumOffset: optionalHeaderOffset + 64,
    directories,
    sections,
    ...place,
    toOffset: createAddressMap(source.size, sections, sizeOfHeaders, sectionAlignment, fileAlignment),
  };
}

/** Up to `length` bytes from `offset`, the rest zero, as pe-library wants them. */
function toLayout(source: ByteSource, offset: number, length: number): ArrayBuffer {
  const buffer = new ArrayBuffer(length);
  new Uint8Array(buffer).set(readUpTo(source, offset, length));
  return buffer;
}

function findPeOffset(source: ByteSource, report: Report): number {
  const dos = Layout.ImageDosHeader.from(toLayout(source, 0, dosHeaderBytes));
  if (!dos.isValid()) {
    throw new TelltaleError('malformed/header', 'does not start with MZ', { offset: 0, wanted: 2 });
  }
  if (source.size < dosHeaderBytes) {
    throw new TelltaleError('malformed/truncated', `ends after ${source.size} bytes, inside the DOS header`, {
      offset: source.size,
      wanted: dosHeaderBytes - source.size,
    });
  }
  const pointed = dos.newHeaderAddress;
  const there = readUpTo(source, pointed, coffHeaderBytes + 2);
  if (hasSignature(there, 0)) {
    if (there.length >= coffHeaderBytes) return pointed;
    throw new TelltaleError('malformed/truncated', 'ends inside the COFF header', {
      offset: source.size,
      wanted: pointed + coffHeaderBytes - source.size,
    });
  }
  if (hasPlausibleHeaders(there)) {
    report({
      code: 'malformed/header',
      message: 'has other bytes where the PE signature should be',
      offset: pointed,
      consequence:
        'Windows does not start this file; the headers behind the signature were read all the same',
      incomplete: false,
    });
    return pointed;
  }
  const head = readUpTo(source, 0, signatureSearchBytes);
  for (let offset = 4; offset + coffHeaderBytes + 2 <= head.length; offset += 4) {
    if (hasSignature(head, offset) && hasPlausibleHeaders(head.subarray(offset))) {
      report({
        code: 'malformed/header',
        message: `points to offset ${pointed} for its PE header, but the header is at ${offset}`,
        offset: 0x3c,
        consequence: 'Windows does not start this file; it was read from the header that was found',
        incomplete: false,
      });
      return offset;
    }
  }
  if (pointed + coffHeaderBytes > source.size) {
    throw new TelltaleError(
      'malformed/truncated',
      `ends after ${source.size} bytes, but its PE header should be at offset ${pointed}`,
      { offset: pointed, wanted: coffHeaderBytes },
    );
  }
  throw new TelltaleError('malformed/header', 'has no PE header where the DOS header points', {
    offset: pointed,
    wanted: 4,
  });
}

function readDirectories(
  source: ByteSource,
  table: Layout.ImageDataDirectoryArray,
  count: number,
  tableOffset: number,
  report: Report,
): PeDirectory[] {
  if (count > table.length) {
    report({
      code: 'malformed/structure',
      message: `claims ${count} data directories, more than there are kinds`,
      offset: tableOffset - 4,
      consequence: `the first ${table.length} were read, as Windows does`,
      incomplete: false,
    });
  }
  const directories: PeDirectory[] = [];
  // As in Windows, the size of the optional header does not matter here, only the count.
  for (let index = 0; index < Math.min(count, table.length); index += 1) {
    const entryOffset = tableOffset + 8 * index;
    if (entryOffset + 8 > source.size) break;
    const { virtualAddress, size } = table.get(index);
    directories.push({ rva: virtualAddress, size, entryOffset });
  }
  return directories;
}

function readSections(source: ByteSource, tableOffset: number, count: number, report: Report): PeSection[] {
  const fitting = Math.max(0, Math.floor((source.size - tableOffset) / sectionHeaderBytes));
  if (count > fitting) {
    report({
      code: 'malformed/truncated',
      message: `claims ${count} sections, but the file ends after ${fitting} section headers`,
      offset: tableOffset + fitting * sectionHeaderBytes,
      consequence: 'the other sections are missing or were not found',
      incomplete: true,
    });
  } else if (count > sectionsLimit) {
    report({
      code: 'limit/count',
      message: `claims ${count} sections; at most ${sectionsLimit} are read`,
      offset: tableOffset + sectionsLimit * sectionHeaderBytes,
      consequence: 'the other sections were not looked at',
      incomplete: true,
    });
  }
  const sections: PeSection[] = [];
  for (let index = 0; index < Math.min(count, fitting, sectionsLimit); index += 1) {
    const headerOffset = tableOffset + index * sectionHeaderBytes;
    const cursor = new Cursor(source, headerOffset);
    const name = cursor.latin1(8);
    const virtualSize = cursor.u32();
    const virtualAddress = cursor.u32();
    const rawSize = cursor.u32();
    const rawOffset = cursor.u32();
    const characteristics = cursor.skip(12).u32();
    sections.push({ name, virtualAddress, virtualSize, rawOffset, rawSize, characteristics, headerOffset });
  }
  return sections;
}

function toRange(from: number, to: number): { offset: number; size: number } | undefined {
  return to > from ? { offset: from, size: to - from } : undefined;
}

/** Where the data of the sections ends, and what lies behind. */
function placeTail(
  source: ByteSource,
  sections: readonly PeSection[],
  sizeOfHeaders: number,
  certificates: PeDirectory | undefined,
): Pick<PeImage, 'declaredEnd' | 'overlay' | 'trailing'> {
  let dataEnd = sizeOfHeaders;
  for (const section of sections) {
    if (section.rawSize > 0) dataEnd = Math.max(dataEnd, section.rawOffset + section.rawSize);
  }
  const hasCertificates = certificates !== undefined && certificates.rva > 0 && certificates.size > 0;
  const certificatesEnd = hasCertificates ? certificates.rva + certificates.size : 0;
  const declaredEnd = Math.max(dataEnd, certificatesEnd);

  if (!hasCertificates || certificates.rva < dataEnd || certificates.rva >= source.size) {
    return { declaredEnd, overlay: toRange(dataEnd, source.size) };
  }
  let before = toRange(dataEnd, certificates.rva);
  if (
    before !== undefined &&
    before.size < 8 &&
    source.read(before.offset, before.size).every((b) => b === 0)
  ) {
    before = undefined; // the padding that aligns the certificate table to 8 bytes
  }
  const trailing = toRange(certificatesEnd, source.size);
  const overlay = before ?? trailing;
  return trailing === undefined ? { declaredEnd, overlay } : { declaredEnd, overlay, trailing };
}

function reportMissingBytes(
  source: ByteSource,
  sections: readonly PeSection[],
  certificates: PeDirectory | undefined,
  declaredEnd: number,
  report: Report,
): void {
  if (declaredEnd <= source.size) return;
  const cut = sections
    .filter((section) => section.rawSize > 0 && section.rawOffset + section.rawSize > source.size)
    .map((section) => `section ${section.name}`);
  const affected = cut.length > 4 ? [`${cut.length} sections`] : cut;
  if (
    certificates !== undefined &&
    certificates.size > 0 &&
    certificates.rva + certificates.size > source.size
  ) {
    affected.push('the certificate table');
  }
  if (affected.length === 0) affected.push('the headers');
  report({
    code: 'malformed/truncated',
    message:
      `ends after ${source.size} bytes, but its headers promise ${declaredEnd}: ` +
      `${declaredEnd - source.size} bytes are missing (${affected.join(', ')})`,
    offset: source.size,
    consequence: 'the missing bytes were not looked at, and no signature over the whole file can hold',
    incomplete: true,
  });
}

function reportOverlaps(
  sections: readonly PeSection[],
  certificates: PeDirectory | undefined,
  report: Report,
): void {
  const ranges = sections
    .filter((section) => section.rawSize > 0)
    .map((section) => ({
      what: `section ${section.name}`,
      start: section.rawOffset,
      end: section.rawOffset + section.rawSize,
    }));
  if (certificates !== undefined && certificates.rva > 0 && certificates.size > 0) {
    ranges.push({
      what: 'the certificate table',
      start: certificates.rva,
      end: certificates.rva + certificates.size,
    });
  }
  ranges.sort((a, b) => a.start - b.start);
  let furthest = ranges[0];
  for (const range of ranges.slice(1)) {
    if (furthest === undefined) break;
    if (range.start < furthest.end) {
      report({
        code: 'malformed/overlap',
        message: `stores ${range.what} inside ${furthest.what}`,
        offset: range.start,
        consequence: 'the same bytes have two meanings; both were looked at',
        incomplete: false,
      });
      return; // one example is enough: a hostile table would give thousands
    }
    if (range.end > furthest.end) furthest = range;
  }
}

/** Maps relative virtual addresses to file offsets as the Windows loader does. */
function createAddressMap(
  fileSize: number,
  sections: readonly PeSection[],
  sizeOfHeaders: number,
  sectionAlignment: number,
  fileAlignment: number,
): (rva: number) => number | undefined {
  const granularity = Math.max(sectionAlignment, pageBytes);
  const ranges = sections
    .map((section) => ({
      start: section.virtualAddress,
      // The loader maps whole pages of the virtual size, and reads raw data from the start of a disk sector.
      length:
        section.virtualSize === 0
          ? section.rawSize
          : Math.min(section.rawSize, Math.ceil(section.virtualSize / granularity) * granularity),
      offset:
        fileAlignment < sectorBytes
          ? section.rawOffset
          : Math.floor(section.rawOffset / sectorBytes) * sectorBytes,
    }))
    .filter((range) => range.length > 0)
    .sort((a, b) => a.start - b.start);
  const firstStart = ranges[0]?.start ?? Number.POSITIVE_INFINITY;
  const headerEnd = Math.min(sizeOfHeaders, firstStart);

  return (rva) => {
    if (!Number.isSafeInteger(rva) || rva < 0) return undefined;
    if (rva < headerEnd) return rva < fileSize ? rva : undefined;
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ranges[middle]?.start ?? 0) <= rva) low = middle + 1;
      else high = middle;
    }
    const range = ranges[low - 1];
    if (range === undefined || rva - range.start >= range.length) return undefined;
    const offset = range.offset + rva - range.start;
    return offset < fileSize ? offset : undefined;
  };
}
