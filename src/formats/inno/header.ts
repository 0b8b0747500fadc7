/**
 * Inno Setup's setup data: its header, the records of the script's sections, and the locations of the files.
 */
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { crc32 } from '../../platform/inflate.ts';
import type { ReadContext } from '../model.ts';
import { type Block, readBlock } from './block.ts';
import { headerLayout, languageLayout, locationLayout, type RecordKind, recordLayouts } from './layouts.ts';
import { createRecordReader, type InnoRecord, type RecordReader } from './records.ts';
import { type InnoVersion, type SetupId, setupIdBytes, toVersionNumber, tryReadSetupId } from './version.ts';

/** Records over all kinds that are passed over or kept; the largest installers have some ten thousand. */
const recordsLimit = 400_000;
/** Records that are kept, and locations: each takes about a kilobyte of memory. */
const keptRecordsLimit = 100_000;
const noLocation = 0xffff_ffff;

export type CompressionMethod = 'stored' | 'zlib' | 'bzip2' | 'lzma' | 'lzma2';

/** Everything that the setup data says. */
export interface SetupData {
  readonly id: SetupId;
  readonly version: InnoVersion;
  readonly header: InnoRecord;
  readonly compression: CompressionMethod;
  readonly languages: readonly InnoRecord[];
  readonly records: ReadonlyMap<RecordKind, readonly InnoRecord[]>;
  readonly locations: readonly InnoRecord[];
  /** Libraries that the installer carries to unpack and decrypt itself. */
  readonly libraries: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** The decoded header: every text of the script is in it. */
  readonly bytes: Uint8Array;
  /** Offset of the first byte behind the setup data. */
  readonly end: number;
}

/** Kinds whose records are kept; the others are only passed over. */
const keptKinds: ReadonlySet<RecordKind> = new Set([
  'type',
  'component',
  'task',
  'directory',
  'file',
  'run',
  'uninstallRun',
]);

/**
 * Reads the setup data. What is damaged, unknown or encrypted is reported.
 *
 * @param offset - where the text in front of the data starts
 * @returns undefined when nothing can be read
 */
export function tryReadSetupData(
  source: ByteSource,
  offset: number,
  context: ReadContext,
): SetupData | undefined {
  const { report, budget } = context;
  const id = tryReadSetupId(readUpTo(source, offset, setupIdBytes));
  if (id === undefined) {
    const isGone = offset + setupIdBytes > source.size;
    report({
      code: isGone ? 'malformed/truncated' : 'malformed/header',
      message: isGone
        ? 'ends before its Inno Setup data'
        : 'has no Inno Setup data where its loader would look for it',
      offset: Math.min(offset, source.size),
      consequence: nothingRead,
      incomplete: true,
    });
    return undefined;
  }
  const [first] = id.versions;
  if (first === undefined) {
    report({
      code: 'unsupported/version',
      message: `is an Inno Setup installer of the unknown version "${id.text}"`,
      offset,
      consequence: nothingRead,
      incomplete: true,
    });
    return undefined;
  }
  let at = offset + id.size;
  if (first.number >= encryptionHeaderSince) {
    const use = readEncryptionHeader(source, at, report);
    if (use === undefined) return undefined;
    at += encryptionHeaderBytes;
  }
  let headerBlock: Block;
  let locationBlock: Block | undefined;
  try {
    headerBlock = readBlock(source, at, first, budget);
  } catch (error) {
    reportError(error, nothingRead, report);
    return undefined;
  }
  if (headerBlock.fault !== undefined) {
    reportError(headerBlock.fault, 'the list of installed files may be wrong or cut off', report);
  }
  try {
    locationBlock = readBlock(source, headerBlock.end, first, budget);
    if (locationBlock.fault !== undefined) {
      reportError(locationBlock.fault, 'some installed files may not have been found', report);
    }
  } catch (error) {
    reportError(error, 'the installed files could not be found', report);
  }
  return parse(id, headerBlock, locationBlock, context);
}

const nothingRead = 'the installed files were not looked at';
const encryptionHeaderSince = toVersionNumber('6.5.0');
/** CRC-32, use, salt 16, iterations 4, nonce 24, password test 4. */
const encryptionHeaderBytes = 53;

/** @returns undefined when everything behind it is encrypted or it is not there */
function readEncryptionHeader(
  source: ByteSource,
  offset: number,
  report: ReadContext['report'],
): number | undefined {
  const bytes = readUpTo(source, offset, encryptionHeaderBytes);
  if (bytes.length < encryptionHeaderBytes) {
    report({
      code: 'malformed/truncated',
      message: 'ends before its Inno Setup data',
      offset: source.size,
      consequence: nothingRead,
      incomplete: true,
    });
    return undefined;
  }
  const cursor = new Cursor(bytes);
  if (cursor.u32() !== crc32(bytes.subarray(4))) {
    report({
      code: 'malformed/checksum',
      message: 'has Inno Setup data whose encryption header does not match its checksum',
      offset,
      consequence: 'whether its files are encrypted is taken from the files themselves',
      incomplete: false,
    });
  }
  const use = cursor.u8();
  if (use < 2) return use;
  report({
    code: use === 2 ? 'encrypted/container' : 'unsupported/feature',
    message:
      use === 2
        ? 'is an Inno Setup installer that is encrypted as a whole'
        : `is encrypted in an unknown way (${use})`,
    offset,
    consequence: nothingRead,
    incomplete: true,
  });
  return undefined;
}

function reportError(error: unknown, consequence: string, report: ReadContext['report']): void {
  if (!(error instanceof TelltaleError)) throw error;
  report({
    code: error.code,
    message: error.message,
    ...(error.offset === undefined ? {} : { offset: error.offset }),
    consequence,
    incomplete: true,
  });
}

interface Complaint {
  readonly code: 'malformed/structure' | 'limit/count';
  readonly message: string;
}

function toComplaint(message: string): Complaint {
  return { code: 'malformed/structure', message };
}

/** One try at a layout. */
interface Attempt {
  readonly data: SetupData;
  /** What is wrong with it; nothing is, for the right layout of undamaged data. */
  readonly complaint: Complaint | undefined;
  /** How far into the header it came. */
  readonly reached: number;
}

/** Reads by each layout that is in use under the text, and takes the first that fits. */
function parse(
  id: SetupId,
  headerBlock: Block,
  locationBlock: Block | undefined,
  context: ReadContext,
): SetupData | undefined {
  let best: Attempt | undefined;
  for (const version of id.versions) {
    const attempt = attemptLayout(id, version, headerBlock, locationBlock, context);
    if (attempt === undefined) continue;
    if (attempt.complaint === undefined) return attempt.data;
    if (best === undefined || attempt.reached > best.reached) best = attempt;
  }
  context.report({
    code: best?.complaint?.code ?? 'malformed/structure',
    message:
      best?.complaint?.message ??
      `has Inno Setup data (${id.text}) that does not have the layout that belongs to its version`,
    consequence:
      best === undefined
        ? nothingRead
        : 'what was read may be wrong, and some installed files may not have been found',
    incomplete: true,
  });
  return best?.data;
}

function attemptLayout(
  id: SetupId,
  version: InnoVersion,
  headerBlock: Block,
  locationBlock: Block | undefined,
  { budget }: ReadContext,
): Attempt | undefined {
  const cursor = new Cursor(headerBlock.bytes);
  const languages: InnoRecord[] = [];
  const records = new Map<RecordKind, InnoRecord[]>();
  const libraries: { name: string; bytes: Uint8Array }[] = [];
  let complaint: Complaint | undefined;
  let kept = 0;
  let total = 0;
  let header: InnoRecord;
  try {
    header = createRecordReader(headerLayout, version)(cursor);
  } catch (error) {
    if (error instanceof TelltaleError) return undefined;
    throw error;
  }
  const compression = toCompression(header, version);
  if (compression === undefined) return undefined;

  const readMany = (count: number, read: RecordReader, keep?: InnoRecord[]): void => {
    for (let index = 0; index < count; index += 1) {
      total += 1;
      if (keep !== undefined) kept += 1;
      if (total > recordsLimit || kept > keptRecordsLimit) {
        const limit = kept > keptRecordsLimit ? keptRecordsLimit : recordsLimit;
        throw new TelltaleError(
          'limit/count',
          `has more records in its Inno Setup data than the ${limit} that are read`,
        );
      }
      if (total % 1024 === 0) budget.checkTime();
      const record = read(cursor);
      keep?.push(record);
    }
  };
  try {
    for (const size of ['LicenseSize', 'InfoBeforeSize', 'InfoAfterSize'])
      cursor.skip(header.numbers.get(size) ?? 0);
    readMany(countLanguages(header, version), createRecordReader(languageLayout, version), languages);
    if (version.number < imagesLastSince) readImages(cursor, header, compression, version, libraries);
    for (const { kind, count, layout } of recordLayouts) {
      const ofKind: InnoRecord[] = [];
      records.set(kind, ofKind);
      readMany(
        header.numbers.get(count) ?? 0,
        createRecordReader(layout, version),
        keptKinds.has(kind) ? ofKind : undefined,
      );
    }
    if (version.number >= imagesLastSince) readImages(cursor, header, compression, version, libraries);
    if (cursor.remaining > 0) {
      complaint = toComplaint(`has ${cursor.remaining} bytes in its Inno Setup data behind the last record`);
    }
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    if (error.code === 'limit/time') throw error;
    complaint =
      error.code === 'limit/count'
        ? { code: 'limit/count', message: error.message }
        : toComplaint(`has Inno Setup data that ends inside its records, of which ${total} were read`);
  }
  const locations = readLocations(version, header, locationBlock, budget.checkTime.bind(budget));
  complaint ??= locations.complaint;
  complaint ??= findImplausible(records.get('file') ?? [], header);
  return {
    data: {
      id,
      version,
      header,
      compression,
      languages,
      records,
      locations: locations.records,
      libraries,
      bytes: headerBlock.bytes,
      end: locationBlock?.end ?? headerBlock.end,
    },
    complaint,
    reached: cursor.offset,
  };
}

/** Before 4.0 the header did not count them: there was one, and none at all before 2.0.1. */
function countLanguages(header: InnoRecord, { number }: InnoVersion): number {
  return header.numbers.get('NumLanguages') ?? (number >= toVersionNumber('2.0.1') ? 1 : 0);
}

const methods = {
  before425: ['zlib', 'bzip2', 'lzma'],
  only425: ['stored', 'bzip2', 'lzma'],
  before539: ['stored', 'zlib', 'bzip2', 'lzma'],
  since539: ['stored', 'zlib', 'bzip2', 'lzma', 'lzma2'],
} as const;

/** @returns undefined for a number that no version has */
function toCompression(header: InnoRecord, { number }: InnoVersion): CompressionMethod | undefined {
  const method = header.numbers.get('CompressMethod');
  if (method === undefined) return header.members.has('BzipUsed') ? 'bzip2' : 'zlib';
  if (number >= toVersionNumber('5.3.9')) return methods.since539[method];
  if (number >= toVersionNumber('4.2.6')) return methods.before539[method];
  if (number >= toVersionNumber('4.2.5')) return methods.only425[method];
  return methods.before425[method];
}

/** One picture for each size of screen; Inno Setup itself brings five to seven. */
const imagesLimit = 1000;
const imagesLastSince = toVersionNumber('4.0.0');
const severalImagesSince = toVersionNumber('5.6.0');

/** The pictures of the wizard, then libraries that the installer needs to unpack itself. */
function readImages(
  cursor: Cursor,
  header: InnoRecord,
  compression: CompressionMethod,
  version: InnoVersion,
  libraries: { name: string; bytes: Uint8Array }[],
): void {
  const { number } = version;
  let groups = number >= toVersionNumber('2.0.0') || version.isIsx ? 2 : 1;
  if (number >= toVersionNumber('6.6.0')) groups = 4;
  if (number >= toVersionNumber('6.7.0')) groups = 6;
  for (let group = 0; group < groups; group += 1) {
    const count = number >= severalImagesSince ? cursor.u32() : 1;
    if (count > imagesLimit) {
      throw new TelltaleError('limit/count', `has more than ${imagesLimit} pictures of one kind`);
    }
    for (let index = 0; index < count; index += 1) cursor.skip(cursor.u32());
  }
  const hasDecompressor =
    compression === 'bzip2' ||
    (compression === 'lzma' && number === toVersionNumber('4.1.5')) ||
    (compression === 'zlib' && number >= toVersionNumber('4.2.6'));
  const addLibrary = (name: string): void => {
    libraries.push({ name, bytes: cursor.bytes(cursor.u32()) });
  };
  if (hasDecompressor) addLibrary('[decompressor]');
  if ((header.bytes.get('SevenZipLibraryName')?.length ?? 0) > 0) addLibrary('[7-Zip library]');
  if (header.members.has('EncryptionUsed') && number < toVersionNumber('6.4.0')) addLibrary('[decryptor]');
}

function readLocations(
  version: InnoVersion,
  header: InnoRecord,
  block: Block | undefined,
  checkTime: () => void,
): { readonly records: readonly InnoRecord[]; readonly complaint: Complaint | undefined } {
  const records: InnoRecord[] = [];
  if (block === undefined) return { records, complaint: undefined };
  const read = createRecordReader(locationLayout, version);
  const cursor = new Cursor(block.bytes);
  const promised = header.numbers.get('NumLocations') ?? 0;
  try {
    while (records.length < promised && records.length < keptRecordsLimit) {
      if (records.length % 1024 === 0) checkTime();
      records.push(read(cursor));
    }
  } catch (error) {
    if (!(error instanceof TelltaleError) || error.code === 'limit/time') throw error;
  }
  if (records.length < promised) {
    return {
      records,
      complaint: toComplaint(
        `has ${records.length} locations of files that can be read in its Inno Setup data, where ${promised} are promised`,
      ),
    };
  }
  return {
    records,
    complaint:
      cursor.remaining > 0
        ? toComplaint(
            `has ${cursor.remaining} bytes in its Inno Setup data behind the last location of a file`,
          )
        : undefined,
  };
}

/** Whether a file entry points to data in the installer. */
export function hasLocation(file: InnoRecord): boolean {
  return (file.numbers.get('LocationEntry') ?? noLocation) !== noLocation;
}

/** Signs that the records were read by a wrong layout. */
function findImplausible(files: readonly InnoRecord[], header: InnoRecord): Complaint | undefined {
  const locations = header.numbers.get('NumLocations') ?? 0;
  for (const file of files) {
    const location = file.numbers.get('LocationEntry') ?? noLocation;
    if (location !== noLocation && location >= locations) {
      return toComplaint(`has a file entry that points to location ${location} of ${locations}`);
    }
    const type = file.numbers.get('FileType') ?? 0;
    if (type > 2) return toComplaint(`has a file entry of the unknown kind ${type}`);
  }
  return undefined;
}
