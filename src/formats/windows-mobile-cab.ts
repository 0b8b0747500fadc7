/**
 * The control file of a Windows CE or Windows Mobile installation cabinet (`*.000`): who made the package, for what
 * devices, and under what names the other members of the cabinet are installed.
 *
 * Specification: https://www.cabextract.org.uk/wince_cab_format/
 * Not read: registry keys and shortcuts (their bytes are searched), XML control files (`_setup.xml`) of later devices.
 */
import { type ByteSource, readUpTo } from '../bytes/byte-source.ts';
import { Cursor, cutAtZero, toLatin1 } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import type { Fact, Format, ReadContext, Reading } from './model.ts';
import { decodeZipText } from './zip/records.ts';

const headerBytes = 0x64;
/** A control file lists files, folders and registry keys; its own offsets of texts have 16 bits. */
const manifestBytesLimit = 4 * 1024 * 1024;

/** Processors, as the specification lists them. */
const processors: Readonly<Record<number, string>> = {
  0: 'any',
  103: 'SH3',
  104: 'SH4',
  386: 'x86',
  486: 'x86',
  586: 'x86',
  1824: 'ARM 720',
  2080: 'ARM 820',
  2336: 'ARM 920',
  2577: 'StrongARM',
  4000: 'MIPS R4000',
  10_003: 'Hitachi SH3',
  10_004: 'Hitachi SH3E',
  10_005: 'Hitachi SH4',
  70_001: 'ARM 7TDMI',
};

/** A file as the control file lists it. */
export interface MobileFile {
  /** The name that it is installed under; that in the cabinet is eight characters and this number. */
  readonly name: string;
  /** Extension of the member in the cabinet: 1 is `.001`. */
  readonly number: number;
  /** Folder with its parts joined by `\`; undefined when the control file does not define it. */
  readonly folder: string | undefined;
}

/** What the control file of an installation cabinet says. */
export interface MobileManifest {
  readonly appName: string;
  readonly provider: string;
  /** Lowest and highest version of Windows CE, `major.minor.build`; undefined where there is no bound. */
  readonly minimumVersion: string | undefined;
  readonly maximumVersion: string | undefined;
  readonly processor: string;
  readonly files: readonly MobileFile[];
  /** Faults that ended the reading of a list. */
  readonly faults: readonly TelltaleError[];
  /** Bytes that the header promises. */
  readonly declaredBytes: number;
}

/**
 * The control file of an installation cabinet, or undefined when the bytes are none.
 *
 * @param bytes - the whole file
 */
export function tryReadMobileManifest(bytes: Uint8Array): MobileManifest | undefined {
  if (bytes.length < headerBytes || toLatin1(bytes.subarray(0, 4)) !== 'MSCE') return undefined;
  const cursor = new Cursor(bytes, 8);
  const declaredBytes = cursor.u32();
  cursor.skip(8);
  const processor = cursor.u32();
  const [minMajor, minMinor, maxMajor, maxMinor, minBuild, maxBuild] = [
    cursor.u32(),
    cursor.u32(),
    cursor.u32(),
    cursor.u32(),
    cursor.u32(),
    cursor.u32(),
  ];
  const [stringCount, folderCount, fileCount] = [cursor.u16(), cursor.u16(), cursor.u16()];
  cursor.skip(6);
  const [stringOffset, folderOffset, fileOffset] = [cursor.u32(), cursor.u32(), cursor.u32()];
  cursor.skip(12);
  const faults: TelltaleError[] = [];
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error;
      faults.push(error);
    }
  };
  const takeText = (): string => {
    const [offset, length] = [cursor.u16(), cursor.u16()];
    let text = '';
    attempt(() => {
      text = toText(new Cursor(bytes, offset).bytes(length));
    });
    return text;
  };
  const appName = takeText();
  const provider = takeText();
  const strings = new Map<number, string>();
  attempt(() => readStrings(new Cursor(bytes, stringOffset), stringCount, strings));
  const folders = new Map<number, string>();
  attempt(() => readFolders(new Cursor(bytes, folderOffset), folderCount, strings, folders));
  const files: MobileFile[] = [];
  attempt(() => readFiles(new Cursor(bytes, fileOffset), fileCount, folders, files));
  return {
    appName,
    provider,
    minimumVersion: toVersion(minMajor, minMinor, minBuild),
    maximumVersion: toVersion(maxMajor, maxMinor, maxBuild),
    processor: processors[processor] ?? String(processor),
    files,
    faults,
    declaredBytes,
  };
}

function toText(bytes: Uint8Array): string {
  return decodeZipText(cutAtZero(bytes));
}

function toVersion(major: number, minor: number, build: number): string | undefined {
  if (major === 0 && minor === 0 && build === 0) return undefined;
  return build === 0 ? `${major}.${minor}` : `${major}.${minor}.${build}`;
}

/** Counts have 16 bits, and each entry takes bytes: the lists are bounded by themselves. */
function readStrings(cursor: Cursor, count: number, strings: Map<number, string>): void {
  for (let i = 0; i < count; i += 1) {
    const id = cursor.u16();
    strings.set(id, toText(cursor.bytes(cursor.u16())));
  }
}

/** A folder is a list of numbers of strings, which ends with a zero. */
function readFolders(
  cursor: Cursor,
  count: number,
  strings: ReadonlyMap<number, string>,
  folders: Map<number, string>,
): void {
  for (let i = 0; i < count; i += 1) {
    const id = cursor.u16();
    const spec = new Cursor(cursor.bytes(cursor.u16()));
    const parts: string[] = [];
    while (spec.remaining >= 2 && parts.length < 64) {
      const part = spec.u16();
      if (part === 0) break;
      parts.push((strings.get(part) ?? `%${part}%`).slice(0, 260));
    }
    folders.set(id, parts.join('\\'));
  }
}

function readFiles(
  cursor: Cursor,
  count: number,
  folders: ReadonlyMap<number, string>,
  files: MobileFile[],
): void {
  for (let i = 0; i < count; i += 1) {
    const number = cursor.u16();
    const folder = cursor.u16();
    // The number again, then flags.
    cursor.skip(6);
    files.push({ name: toText(cursor.bytes(cursor.u16())), number, folder: folders.get(folder) });
  }
}

export const windowsMobileManifestFormat: Format = {
  id: 'msce',
  title: 'control file of a Windows Mobile installation cabinet',
  nature: 'passive',
  extensions: ['000'],
  references: ['https://www.cabextract.org.uk/wince_cab_format/'],
  limitations: ['Registry keys and shortcuts are searched as bytes, not read.'],
  probe(head) {
    return head.length >= headerBytes && toLatin1(head.subarray(0, 8)) === 'MSCE\0\0\0\0';
  },
  read,
};

/** @throws TelltaleError `malformed/header` when the header is cut off */
function read(source: ByteSource, context: ReadContext): Reading {
  const manifest = tryReadMobileManifest(readUpTo(source, 0, manifestBytesLimit));
  if (manifest === undefined) {
    throw new TelltaleError('malformed/header', 'has no whole header of a control file', { offset: 0 });
  }
  if (manifest.declaredBytes > source.size) {
    context.report({
      code: 'malformed/truncated',
      message: `states a size of ${manifest.declaredBytes} bytes and has ${source.size}`,
      offset: 8,
      consequence: 'entries at its end are missing',
      incomplete: true,
    });
  }
  for (const fault of manifest.faults.slice(0, 8)) {
    context.report({
      code: fault.code,
      message: fault.message,
      ...(fault.offset === undefined ? {} : { offset: fault.offset }),
      consequence: 'some names in the control file were not read',
      incomplete: true,
    });
  }
  const { appName, provider, processor, minimumVersion, maximumVersion, files } = manifest;
  const facts: Fact[] = [];
  if (appName !== '') facts.push({ kind: 'packageId', value: appName });
  const fields = {
    AppName: appName,
    Provider: provider,
    Processor: processor,
    MinimumVersion: minimumVersion,
    MaximumVersion: maximumVersion,
  };
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && value !== '') facts.push({ kind: 'packageField', name, value });
  }
  for (const { name, number, folder } of files) {
    facts.push({
      kind: 'memberName',
      value: folder === undefined ? name : `${folder}\\${name}`,
      detail: { extension: String(number).padStart(3, '0') },
    });
  }
  return { facts, regions: [] };
}
