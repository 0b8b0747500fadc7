/**
 * Containers that are opened with 7-Zip, compiled to WebAssembly (7z-wasm): one table, one implementation.
 *
 * 7-Zip is a decoder here and nothing more: which format it is was decided by a probe of ours, it reads through a
 * source, and it writes into whoever examines the members. See `program.ts` for the walls around it.
 *
 * https://github.com/use-strict/7z-wasm (7-Zip 24.09), https://7-zip.org
 */
import { type ByteSource, readUpTo, sliceSource, toByteSource } from '../../bytes/byte-source.ts';
import { Cursor, toHex } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { loadSevenZip } from '../../platform/sevenzip-module.ts';
import { tryReadHfsPlus } from '../hfsplus/index.ts';
import { toQuotedName } from '../member-name.ts';
import type { Format, FormatNature, MemberSink, ReadContext, Reading } from '../model.ts';
import { tryReadInstaller } from '../nsis/index.ts';
import {
  atStart,
  endsAsDiskImage,
  findsNsisHeader,
  has,
  isBzip2,
  isLzmaAlone,
  isNsisHeader,
  nsisSearchBytes,
  sectorBytes,
} from '../recognised.ts';
import { tryReadSevenZ } from '../sevenz/archive.ts';
import { tryReadPlainXz } from '../xz/index.ts';
import { toCabinetPour, tryListCabinet } from './cabinet.ts';
import { reportTail, toListedFacts } from './listed.ts';
import type { Listing } from './listing.ts';
import { isAboutTail } from './faults.ts';
import { type Container, listContainer, pourContainer, toContainerCode } from './unpacking.ts';

/** How 7-Zip is to open a container. */
export interface Opening {
  /** What 7-Zip calls it; undefined: it finds out by itself, because two levels are opened in one step. */
  readonly type: string | undefined | ((head: Uint8Array) => string);
  /** The name that 7-Zip sees, where the extension matters. */
  readonly archiveName?: string;
  /** Formats that are one stream have one member, called this. */
  readonly soleName?: string;
  /** Where the container begins in the source, in bytes. */
  readonly start?: (source: ByteSource) => number;
  /** Whether even the names are encrypted; 7-Zip breaks off on such headers as on damaged ones. */
  readonly isEncrypted?: (container: ByteSource) => boolean;
  /** The list has no sizes of members, only what lies between two of them. */
  readonly guessesSizes?: boolean;
  /** Whether it is a volume in a partition, which may be larger. */
  readonly isPartition?: boolean;
  /**
   * A reader of ours, which is faster, for containers in which everything is in order; undefined for all others.
   *
   * @param start - of the container in the artifact, in bytes
   */
  readonly tryReadPlain?: (
    container: ByteSource,
    start: number,
    context: ReadContext,
  ) => Reading | undefined | Promise<Reading | undefined>;
}

interface Row extends Opening {
  readonly id: string;
  readonly title: string;
  readonly nature: FormatNature;
  readonly extensions: readonly string[];
  readonly references: readonly string[];
  readonly limitations?: readonly string[];
  /** See {@link Format.probe}. */
  readonly probe: (head: Uint8Array, source: ByteSource) => boolean;
}

/** The configuration of a self-extractor is a text of a few lines. */
const configurationBytesMax = 1024 * 1024;
const packedHeaderBytesMax = 4096;
const headBytes = 64;

function findSevenZipStart(source: ByteSource): number {
  const magic = [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c] as const;
  const bytes = readUpTo(source, 0, configurationBytesMax);
  for (let at = bytes.indexOf(magic[0]); at >= 0; at = bytes.indexOf(magic[0], at + 1)) {
    if (magic.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  throw new TelltaleError('malformed/structure', 'has a configuration and no 7z archive behind it', {
    offset: 0,
  });
}

/** Whether the header of a 7z archive is packed with AES-256: coder 06 F1 07 01 in the header of the header. */
function hasEncryptedHeader(container: ByteSource): boolean {
  const cursor = new Cursor(container, 12);
  const offset = cursor.u64();
  const size = cursor.u64();
  const header = readUpTo(container, 32 + offset, Math.min(size, packedHeaderBytesMax));
  // kEncodedHeader; a header that is packed is described in less than a hundred bytes.
  return header[0] === 0x17 && toHex(header).includes('06f10701');
}

function findNsisStart(source: ByteSource): number {
  const end = Math.min(source.size, nsisSearchBytes) - 20;
  for (let offset = 0; offset <= end; offset += sectorBytes) {
    if (isNsisHeader(source.read(offset, 20))) return offset;
  }
  return 0;
}

const xzOpening: Opening = { type: 'xz', soleName: '[decompressed]' };

/** Archives and packed files. */
const archives: readonly Row[] = [
  {
    id: 'cab',
    title: 'Microsoft cabinet',
    nature: 'transport',
    extensions: ['cab'],
    references: ['https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-mcab/'],
    // Four reserved bytes follow, always 0.
    type: 'cab',
    limitations: ['Members that begin in another cabinet of a set are not read.'],
    tryReadPlain: tryReadCabinet,
    probe: atStart('MSCF\0\0\0\0'),
  },
  {
    id: '7z',
    title: '7z archive',
    nature: 'transport',
    extensions: ['7z'],
    references: ['https://py7zr.readthedocs.io/en/latest/archive_format.html'],
    type: '7z',
    isEncrypted: hasEncryptedHeader,
    tryReadPlain: tryReadSevenZ,
    probe: atStart('7z\xbc\xaf\x27\x1c'),
  },
  {
    id: '7z-sfx',
    title: 'configuration of a 7-Zip self-extractor',
    nature: 'acting',
    extensions: [],
    references: ['https://7-zip.org/sdk.html'],
    type: '7z',
    isEncrypted: hasEncryptedHeader,
    tryReadPlain: tryReadSevenZ,
    start: findSevenZipStart,
    limitations: ['The commands in the configuration are searched as text, not interpreted.'],
    probe: atStart(';!@Install@!UTF-8!', '\xef\xbb\xbf;!@Install@!UTF-8!'),
  },
  {
    id: 'rar',
    title: 'RAR archive',
    nature: 'transport',
    extensions: ['rar'],
    references: ['https://www.rarlab.com/technote.htm'],
    type: (head) => (head[6] === 1 ? 'rar5' : 'rar'),
    limitations: ['Recovery records are not used.'],
    probe: atStart('Rar!\x1a\x07\x00', 'Rar!\x1a\x07\x01\x00'),
  },
  {
    id: 'xz',
    title: 'xz file',
    nature: 'transport',
    extensions: ['xz', 'txz'],
    references: ['https://tukaani.org/xz/xz-file-format.txt'],
    ...xzOpening,
    tryReadPlain: (container, _start, context) =>
      tryReadPlainXz(container, context, () => readWithSevenZip(xzOpening, container, context)),
    // The first chunk of a disk image may be packed so.
    probe: (head, source) => has(head, '\xfd7zXZ\0') && !endsAsDiskImage(source),
  },
  {
    id: 'bzip2',
    title: 'bzip2 file',
    nature: 'transport',
    extensions: ['bz2', 'tbz2'],
    references: ['https://sourceware.org/bzip2/'],
    type: 'bzip2',
    soleName: '[decompressed]',
    probe: (head, source) => isBzip2(head) && !endsAsDiskImage(source),
  },
  {
    id: 'zstd',
    title: 'Zstandard file',
    nature: 'transport',
    extensions: ['zst'],
    references: ['https://www.rfc-editor.org/rfc/rfc8878'],
    type: 'zstd',
    soleName: '[decompressed]',
    limitations: ['Dictionaries are not known.'],
    probe: atStart('\x28\xb5\x2f\xfd'),
  },
];

/** Volumes, and what has a weaker magic. */
const volumes: readonly Row[] = [
  {
    id: 'hfs',
    title: 'HFS+ volume',
    nature: 'transport',
    extensions: ['hfs'],
    references: ['https://developer.apple.com/library/archive/technotes/tn/tn1150.html'],
    type: 'hfs',
    tryReadPlain: tryReadHfsPlus,
    probe: (head) => has(head, 'H+\0\x04', 1024) || has(head, 'HX\0\x05', 1024),
  },
  {
    id: 'apfs',
    title: 'APFS container',
    nature: 'transport',
    extensions: ['apfs'],
    references: ['https://developer.apple.com/support/downloads/Apple-File-System-Reference.pdf'],
    type: 'apfs',
    limitations: ['Snapshots are not read.'],
    probe: (head) => has(head, 'NXSB', 32),
  },
  {
    id: 'squashfs',
    title: 'SquashFS image (Snap packages)',
    nature: 'acting',
    extensions: ['snap', 'squashfs', 'sfs'],
    references: ['https://dr-emann.github.io/squashfs/'],
    type: 'SquashFS',
    probe: atStart('hsqs', 'sqsh'),
  },
  {
    id: 'cpio',
    title: 'cpio archive',
    nature: 'transport',
    extensions: ['cpio'],
    references: ['https://man.freebsd.org/cgi/man.cgi?query=cpio&sektion=5'],
    type: 'cpio',
    probe: (head) =>
      /^0707(?:0[12][0-9A-Fa-f]{6}|07[0-7]{6})/.test(String.fromCharCode(...head.subarray(0, 12))),
  },
  {
    id: 'xar',
    title: 'xar archive (Mac installer package)',
    nature: 'acting',
    extensions: ['pkg', 'xar', 'mpkg'],
    references: ['https://github.com/apple-oss-distributions/xar'],
    type: 'xar',
    limitations: ['Signatures are not checked.'],
    probe: atStart('xar!'),
  },
  {
    id: 'wim',
    title: 'Windows Imaging file',
    nature: 'transport',
    extensions: ['wim', 'swm', 'esd'],
    references: [
      'https://learn.microsoft.com/windows-hardware/manufacture/desktop/windows-imaging-file-format',
    ],
    type: 'wim',
    probe: atStart('MSWIM\0\0\0'),
  },
  {
    id: 'nsis',
    title: 'NSIS installer data',
    nature: 'acting',
    extensions: [],
    references: ['https://nsis.sourceforge.io/', 'https://github.com/kichik/nsis'],
    // Only near the start: an archive that holds an installer has the same header at a sector further in.
    type: 'nsis',
    start: findNsisStart,
    guessesSizes: true,
    tryReadPlain: tryReadInstaller,
    limitations: [
      'The script is not interpreted: names of members come from it, what it does with them is not told.',
      'The checksum over the whole program is not checked; members have none of their own.',
    ],
    probe: (head) => !has(head, 'MZ') && findsNsisHeader(toByteSource(head), head.length),
  },
  {
    id: 'lzma',
    title: 'LZMA file',
    nature: 'transport',
    extensions: ['lzma'],
    references: ['https://tukaani.org/xz/'],
    type: 'lzma',
    soleName: '[decompressed]',
    limitations: ['It has no checksum.'],
    probe: isLzmaAlone,
  },
];

/** What is true of everything that 7-Zip opens. */
export const sevenZipLimitations: readonly string[] = [
  'Encrypted members are named, not read: no password is tried.',
  'Folders, links and devices are named, not yielded.',
  'Other volumes of a set are not looked for.',
];

function toFormat(row: Row): Format {
  const { id, title, nature, extensions, references, probe } = row;
  return {
    id,
    title,
    nature,
    extensions,
    references,
    limitations: [...(row.limitations ?? []), ...sevenZipLimitations],
    probe,
    read: (source, context) => readWithSevenZip(row, source, context),
  };
}

/**
 * Lists the container; its members are unpacked when they are poured.
 *
 * @throws TelltaleError when nothing could be listed
 */
export async function readWithSevenZip(
  row: Opening,
  source: ByteSource,
  context: ReadContext,
): Promise<Reading> {
  const start = row.start?.(source) ?? 0;
  const inner = start === 0 ? source : sliceSource(source, start, source.size - start);
  if (inner.size > headBytes && row.isEncrypted?.(inner) === true) {
    throw new TelltaleError('encrypted/container', 'is encrypted with all of its names', { offset: start });
  }
  const plain = await row.tryReadPlain?.(inner, start, context);
  if (plain !== undefined) return plain;
  const container: Container = {
    program: await loadSevenZip(),
    source: inner,
    type: typeof row.type === 'function' ? row.type(readUpTo(inner, 0, headBytes)) : row.type,
    archiveName: row.archiveName ?? 'archive',
    ...(row.soleName === undefined ? {} : { soleName: row.soleName }),
    guessesSizes: row.guessesSizes === true,
  };
  const result = listContainer(container, context);
  const { listing, faults, missing } = result;
  if (listing.levels.length === 0) {
    // That it cannot be opened follows from whatever else is wrong.
    const fault = faults.find((one) => one.code !== 'malformed/header' && !isAboutTail(one)) ?? faults[0];
    throw new TelltaleError(
      fault === undefined ? 'malformed/header' : toContainerCode(fault.code),
      fault?.message ?? 'has headers that cannot be read',
      { offset: start },
    );
  }
  for (const fault of faults) {
    const { code, message } = fault;
    if (isAboutTail(fault)) continue;
    context.report({
      code: toContainerCode(code),
      message,
      consequence: 'members that are not there or not whole were not looked at',
      incomplete: true,
    });
  }
  reportHead(listing, start, context);
  const tailBytes = Number(listing.levels[0]?.properties.get('Tail Size') ?? 0);
  if (
    row.isPartition !== true &&
    Number.isSafeInteger(tailBytes) &&
    tailBytes > 0 &&
    tailBytes <= inner.size
  ) {
    reportTail(inner, tailBytes, start, context);
  }
  if (missing.length > 0) {
    context.report({
      code: 'malformed/truncated',
      message: `continues in files that are not there: ${missing.map(toQuotedName).join(', ')}`,
      consequence: 'members in them were not looked at',
      incomplete: true,
    });
  }
  if (listing.isCut) {
    context.report({
      code: 'limit/members',
      message: `holds more than ${context.budget.limits.members} members`,
      consequence: 'the rest was not looked at',
      incomplete: true,
    });
  }
  const facts = row.soleName === undefined ? toListedFacts(listing.items, context) : [];
  const pour = (sink: MemberSink, from: number): number | undefined =>
    pourContainer(container, result, context, sink, from);
  const isPerhapsPlain = row.type === 'cab' && faults.length + missing.length === 0 && !listing.isCut;
  return {
    facts,
    regions: [],
    pour: isPerhapsPlain ? toCabinetPour(inner, listing.items, context, pour) : pour,
  };
}

/** A cabinet whose tables are in order; what is in them is found out when it is poured. */
function tryReadCabinet(source: ByteSource, _start: number, context: ReadContext): Reading | undefined {
  const items = tryListCabinet(source, context.budget);
  if (items === undefined) return undefined;
  const listed = { listing: { levels: [], items, isCut: false }, faults: [], missing: [] };
  return {
    facts: toListedFacts(items, context),
    regions: [],
    pour: toCabinetPour(source, items, context, async (sink, from) => {
      const container = { program: await loadSevenZip(), source, type: 'cab', archiveName: 'archive' };
      return pourContainer(container, listed, context, sink, from);
    }),
  };
}

/** 7-Zip passes over headers that it does not like, and goes on at the next that it does. */
function reportHead(listing: Listing, start: number, context: ReadContext): void {
  const offset = Number(listing.levels[0]?.properties.get('Offset') ?? 0);
  if (!Number.isSafeInteger(offset) || offset <= 0) return;
  context.report({
    code: 'malformed/header',
    message: `has headers that cannot be read, and others behind them at byte ${offset}`,
    offset: start,
    consequence: 'members before that place were searched as bytes, not unpacked',
    incomplete: true,
  });
}

/** In probing order: the weakest magic last. */
export const sevenZipArchiveFormats: readonly Format[] = archives.map(toFormat);
/** In probing order, after the images that hold such volumes. */
export const sevenZipVolumeFormats: readonly Format[] = volumes.map(toFormat);
