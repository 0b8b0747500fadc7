/**
 * Symbian installation files: what their headers say. Members are not opened.
 *
 * Two formats share the extension. Up to Symbian OS 8 (EPOC): a fixed header with pointers. From 9.1 (SISX): nested
 * fields of type and length, of which the controller, mostly packed with zlib, names package and vendor.
 *
 * Specification: https://thoukydides.github.io/riscos-psifs/sis.html (old),
 * https://web.archive.org/web/20101011053920/http://developer.symbian.org/wiki/images/b/b7/SymbianOSv9.x_SIS_File_Format_Specification.pdf
 */
import { type ByteSource, readUpTo, sliceSource, toByteSource } from '../bytes/byte-source.ts';
import { Cursor, toUtf16 } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { inflate } from '../platform/inflate.ts';
import { toBoundedReport } from './bounded-report.ts';
import type { Fact, Format, ReadContext, Reading } from './model.ts';
import { decodeZipText } from './zip/records.ts';

const uidBytes = 16;
const oldHeaderBytes = 0x44;
/** Files of EPOC release 6 and later have more in each record: unpacked lengths and MIME types. */
const release6Uid = 0x10003a12;
const release5Uid = 0x1000006d;
const installUid = 0x10000419;
const sisxUid = 0x10201a7a;
const unicodeOption = 1;

const languagesLimit = 128;
const nameBytesLimit = 2048;
const filesLimit = 10_000;
const findingsLimit = 16;
/** The controller names files and holds certificates; real ones have some kilobytes. */
const controllerBytesLimit = 4 * 1024 * 1024;
const fieldsLimit = 4096;

/** Numbers that name languages; only those that say something about an edition, the others stay numbers. */
const languages: Readonly<Record<number, string>> = {
  1: 'English',
  2: 'French',
  3: 'German',
  4: 'Spanish',
  5: 'Italian',
  10: 'American English',
  16: 'Russian',
  29: 'Chinese (Taiwan)',
  30: 'Chinese (Hong Kong)',
  31: 'Chinese (PRC)',
  32: 'Japanese',
};

export const sisFormat: Format = {
  id: 'symbian-sis',
  title: 'Symbian installation file',
  nature: 'acting',
  extensions: ['sis', 'sisx'],
  references: [
    'https://thoukydides.github.io/riscos-psifs/sis.html',
    'https://web.archive.org/web/20101011053920/http://developer.symbian.org/wiki/images/b/b7/SymbianOSv9.x_SIS_File_Format_Specification.pdf',
  ],
  limitations: [
    'Only headers are read: members are not looked at, and signatures are not checked.',
    'Of SISX files the package, its vendor and its version are told, not the files that it installs.',
  ],
  probe(head) {
    if (head.length < uidBytes) return false;
    const cursor = new Cursor(head);
    const [uid1, uid2, uid3] = [cursor.u32(), cursor.u32(), cursor.u32()];
    return uid1 === sisxUid || (uid3 === installUid && (uid2 === release5Uid || uid2 === release6Uid));
  },
  read,
};

/** @throws TelltaleError `malformed/out-of-range` when the header is cut off, `limit/time`, `limit/bytes` */
async function read(source: ByteSource, context: ReadContext): Promise<Reading> {
  const report = toBoundedReport(context.report.bind(context), findingsLimit);
  const bounded: ReadContext = { ...context, report };
  const uids = new Cursor(source);
  const [uid1, uid2, uid3] = [uids.u32(), uids.u32(), uids.u32()];
  const facts: Fact[] = [uid1, uid2, uid3].map((uid, index) => ({
    kind: 'packageField',
    name: `UID${index + 1}`,
    value: toUidText(uid),
    offset: index * 4,
  }));
  const isSisx = uid1 === sisxUid;
  facts.unshift({
    kind: 'packageId',
    value: toUidText(isSisx ? uid3 : uid1),
    offset: isSisx ? 8 : 0,
  });
  if (isSisx) await tryReadSisx(source, facts, bounded);
  else readOld(source, uid2 === release6Uid, facts, bounded);
  report({
    code: 'unsupported/format',
    message: 'is a Symbian installation file, of which only the headers are read',
    offset: 0,
    consequence: 'its members were not looked at',
    incomplete: true,
  });
  return { facts, regions: [] };
}

function toUidText(uid: number): string {
  return `0x${uid.toString(16).padStart(8, '0')}`;
}

function toLanguage(code: number): string {
  return languages[code] ?? String(code);
}

function readOld(source: ByteSource, isRelease6: boolean, facts: Fact[], context: ReadContext): void {
  const cursor = new Cursor(source, uidBytes);
  const header = new Cursor(cursor.bytes(oldHeaderBytes - uidBytes));
  header.skip(2);
  const [languageCount, fileCount] = [header.u16(), header.u16()];
  header.skip(2 + 2 + 2 + 2 + 2);
  const installerVersion = header.u32();
  const options = header.u16();
  header.skip(2);
  const [major, minor, build] = [header.u16(), header.u16(), header.u32()];
  const [languagePointer, filePointer] = [header.u32(), header.u32()];
  header.skip(8);
  const namePointer = header.u32();
  const isUnicode = (options & unicodeOption) !== 0;
  facts.push(
    { kind: 'packageField', name: 'Version', value: `${major}.${minor}.${build}`, offset: 0x28 },
    { kind: 'packageField', name: 'InstallerVersion', value: installerVersion, offset: 0x20 },
    { kind: 'packageField', name: 'Languages', value: languageCount, offset: 0x12 },
    { kind: 'packageField', name: 'Files', value: fileCount, offset: 0x14 },
  );
  const texts: TextReader = { source, isUnicode };
  attempt(context, 'the languages of the package were not read', () => {
    const list = new Cursor(source, languagePointer);
    for (let i = 0; i < Math.min(languageCount, languagesLimit); i += 1) {
      facts.push({ kind: 'packageField', name: 'Language', value: toLanguage(list.u16()) });
    }
  });
  attempt(context, 'the name of the package was not read', () => {
    for (const { text, offset } of readNames(texts, namePointer, languageCount)) {
      facts.push({ kind: 'packageField', name: 'Name', value: text, offset });
    }
  });
  attempt(context, 'the names of further files were not read', () => {
    readFileNames(texts, filePointer, { fileCount, languageCount, isRelease6 }, facts, context);
  });
}

function attempt(context: ReadContext, consequence: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TelltaleError) || error.code.startsWith('limit/')) throw error;
    context.report({
      code: error.code,
      message: error.message,
      ...(error.offset === undefined ? {} : { offset: error.offset }),
      consequence,
      incomplete: true,
    });
  }
}

/** Where texts lie and how they are written. */
interface TextReader {
  readonly source: ByteSource;
  readonly isUnicode: boolean;
}

/** A length in bytes and an offset into the file. */
function readText({ source, isUnicode }: TextReader, offset: number, bytes: number): string {
  const raw = new Cursor(source, offset).bytes(Math.min(bytes, nameBytesLimit));
  return isUnicode ? toUtf16(raw) : decodeZipText(raw);
}

/** As many lengths as languages, then as many offsets. */
function readNames(
  texts: TextReader,
  offset: number,
  languageCount: number,
): readonly { readonly text: string; readonly offset: number }[] {
  const count = Math.min(languageCount, languagesLimit);
  const lengths = new Cursor(texts.source, offset);
  const offsets = new Cursor(texts.source, offset + languageCount * 4);
  const names: { text: string; offset: number }[] = [];
  for (let i = 0; i < count; i += 1) {
    const length = lengths.u32();
    const place = offsets.u32();
    names.push({ text: readText(texts, place, length), offset: place });
  }
  return names;
}

/** Records that are files; options and conditions lie between them, and their lengths depend on their kind. */
const recordKind = { file: 0, filePerLanguage: 1, options: 2, if: 3, elseIf: 4, else: 5, endIf: 6 } as const;

function readFileNames(
  texts: TextReader,
  start: number,
  counts: { readonly fileCount: number; readonly languageCount: number; readonly isRelease6: boolean },
  facts: Fact[],
  context: ReadContext,
): void {
  const cursor = new Cursor(texts.source, start);
  for (let i = 0; i < counts.fileCount; i += 1) {
    if (i % 256 === 0) context.budget.checkTime();
    if (i >= filesLimit) {
      context.report({
        code: 'limit/count',
        message: `lists more than ${filesLimit} files`,
        offset: cursor.offset,
        consequence: 'the names of the others were not read',
        incomplete: true,
      });
      return;
    }
    const kind = cursor.u32();
    if (kind === recordKind.else || kind === recordKind.endIf) continue;
    if (kind === recordKind.if || kind === recordKind.elseIf) {
      cursor.skip(cursor.u32());
      continue;
    }
    if (kind === recordKind.options) {
      // Lengths and offsets of each option in each language, then 16 bytes of what was selected.
      cursor.skip(Math.min(cursor.u32(), 0xffff) * counts.languageCount * 8 + 16);
      continue;
    }
    if (kind !== recordKind.file && kind !== recordKind.filePerLanguage) {
      throw new TelltaleError('unsupported/feature', `has a file record of an unknown kind (${kind})`, {
        offset: cursor.offset - 4,
      });
    }
    cursor.skip(8);
    const [sourceLength, sourceOffset, targetLength, targetOffset] = [
      cursor.u32(),
      cursor.u32(),
      cursor.u32(),
      cursor.u32(),
    ];
    const isNamed = targetLength > 0;
    facts.push({
      kind: 'memberName',
      value: readText(texts, isNamed ? targetOffset : sourceOffset, isNamed ? targetLength : sourceLength),
      offset: isNamed ? targetOffset : sourceOffset,
    });
    const forks = kind === recordKind.filePerLanguage ? counts.languageCount : 1;
    // Length and offset of each, and in release 6 its unpacked length, then length and offset of the MIME type.
    cursor.skip(forks * 8 + (counts.isRelease6 ? forks * 4 + 8 : 0));
  }
}

/** Numbers of SISX fields that are read. */
const fieldType = {
  text: 1,
  array: 2,
  compressed: 3,
  version: 4,
  uid: 9,
  contents: 12,
  controller: 13,
  info: 14,
} as const;

interface Field {
  readonly type: number;
  /** Of the value, from the start of the source that the field was read from. */
  readonly offset: number;
  readonly value: ByteSource;
}

/** The fields of a value one after the other, each padded to four bytes. */
function* readFields(source: ByteSource): Generator<Field, void, void> {
  let position = 0;
  for (let count = 0; position + 8 <= source.size && count < fieldsLimit; count += 1) {
    const cursor = new Cursor(source, position);
    const type = cursor.u32();
    const length = readFieldLength(cursor);
    yield { type, offset: cursor.offset, value: toValue(source, cursor.offset, length) };
    position = Math.ceil((cursor.offset + length) / 4) * 4;
  }
}

/** Four bytes, or eight when the first bit of them is set. */
function readFieldLength(cursor: Cursor): number {
  const low = cursor.u32();
  if (low < 0x80000000) return low;
  return low - 0x80000000 + cursor.u32() * 2 ** 31;
}

/** As much of a value as is there: in a file that is cut off, its first fields can still be read. */
function toValue(source: ByteSource, offset: number, length: number): ByteSource {
  return sliceSource(source, offset, Math.min(length, source.size - offset));
}

/** The elements of an array: one type for all, then length and value of each. */
function* readArray(array: ByteSource): Generator<Field, void, void> {
  const cursor = new Cursor(array);
  const type = cursor.u32();
  for (let count = 0; cursor.remaining >= 4 && count < languagesLimit; count += 1) {
    const length = readFieldLength(cursor);
    yield { type, offset: cursor.offset, value: toValue(array, cursor.offset, length) };
    const next = Math.ceil((cursor.offset + length) / 4) * 4;
    if (next > array.size) return;
    cursor.seek(next);
  }
}

async function tryReadSisx(source: ByteSource, facts: Fact[], context: ReadContext): Promise<void> {
  try {
    await readSisx(source, facts, context);
  } catch (error) {
    attempt(context, 'the name of the package was not read', () => {
      throw error;
    });
  }
}

async function readSisx(source: ByteSource, facts: Fact[], context: ReadContext): Promise<void> {
  const body = sliceSource(source, Math.min(uidBytes, source.size), Math.max(0, source.size - uidBytes));
  const [contents] = readFields(body);
  if (contents?.type !== fieldType.contents) {
    context.report({
      code: 'malformed/structure',
      message: 'has no contents where they should be',
      offset: uidBytes,
      consequence: 'the name of the package was not read',
      incomplete: true,
    });
    return;
  }
  const compressed = [...readFields(contents.value)].find(({ type }) => type === fieldType.compressed);
  const info = compressed === undefined ? undefined : await tryReadInfo(compressed.value, context);
  if (info === undefined) {
    context.report({
      code: 'malformed/structure',
      message: 'has no description of its package that could be read',
      offset: uidBytes + contents.offset,
      consequence: 'the name of the package was not read',
      incomplete: true,
    });
    return;
  }
  attempt(context, 'not everything about the package was read', () => addInfoFacts(info, facts));
}

/** Unpacks the controller and finds the description of the package in it. */
async function tryReadInfo(compressed: ByteSource, context: ReadContext): Promise<ByteSource | undefined> {
  if (compressed.size < 12) return undefined;
  const algorithm = new Cursor(compressed).u32();
  const data = sliceSource(compressed, 12, compressed.size - 12);
  const unpacked = algorithm === 0 ? data : await inflateStart(data, context);
  const [controller] = readFields(unpacked);
  if (controller?.type !== fieldType.controller) return undefined;
  const [info] = readFields(controller.value);
  return info?.type === fieldType.info ? info.value : undefined;
}

/** What a zlib stream unpacks to, up to the limit or its first fault. */
async function inflateStart(data: ByteSource, context: ReadContext): Promise<ByteSource> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of inflate(data, 'zlib')) {
      context.budget.chargeBytes(chunk.length);
      length += chunk.length;
      chunks.push(chunk);
      if (length > controllerBytesLimit) break;
    }
  } catch (error) {
    if (!(error instanceof TelltaleError) || error.code.startsWith('limit/')) throw error;
    context.report({
      code: error.code,
      message: `has a packed description: ${error.message}`,
      consequence: 'what was unpacked before the fault was read',
      incomplete: true,
    });
  }
  const bytes = new Uint8Array(length);
  let position = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, position);
    position += chunk.length;
  }
  return toByteSource(bytes);
}

/** UID, unique vendor name, names, vendor names, version: in this order. */
function addInfoFacts(info: ByteSource, facts: Fact[]): void {
  const arrays = ['Name', 'VendorName'];
  for (const field of readFields(info)) {
    const { type, value } = field;
    if (type === fieldType.text) {
      facts.push({ kind: 'packageField', name: 'Vendor', value: toFieldText(value) });
    } else if (type === fieldType.array) {
      const name = arrays.shift();
      if (name === undefined) continue;
      for (const element of readArray(value)) {
        if (element.type === fieldType.text) {
          facts.push({ kind: 'packageField', name, value: toFieldText(element.value) });
        }
      }
    } else if (type === fieldType.version) {
      const cursor = new Cursor(value);
      facts.push({
        kind: 'packageField',
        name: 'Version',
        value: `${cursor.i32()}.${cursor.i32()}.${cursor.i32()}`,
      });
    } else if (type === fieldType.uid) {
      facts.push({ kind: 'packageField', name: 'PackageUID', value: toUidText(new Cursor(value).u32()) });
    }
  }
}

function toFieldText(value: ByteSource): string {
  return toUtf16(readUpTo(value, 0, nameBytesLimit));
}
