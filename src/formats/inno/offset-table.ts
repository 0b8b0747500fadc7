/**
 * Where Inno Setup's loader finds its parts: the offset table.
 *
 * Before 5.1.5 the DOS header holds `Inno` and the table's offset, twice, at 0x30; since then the table is RCDATA
 * resource 11111. The first 12 bytes name its layout.
 *
 * @see https://github.com/jrsoftware/issrc `TSetupLdrOffsetTable`
 * @see https://github.com/dscharrer/innoextract `src/loader/offsets.cpp`
 */
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { crc32 } from '../../platform/inflate.ts';
import type { ReadContext } from '../model.ts';

/** Offsets from the start of the file. */
export interface OffsetTable {
  /** Of the table itself. */
  readonly offset: number;
  readonly size: number;
  /** How long the loader wants the whole file to be. */
  readonly declaredFileSize: number;
  /** The setup program, compressed; 0 when there is none. */
  readonly programOffset: number;
  /** Only in tables before 4.1.6; later the block says it. */
  readonly programCompressedSize: number | undefined;
  readonly programSize: number;
  readonly programChecksum: { readonly kind: 'crc32' | 'adler32'; readonly value: number };
  /** The setup data: text, header, locations. */
  readonly headerOffset: number;
  /** The chunks of the files, or 0 when they are in files of their own beside the installer. */
  readonly dataOffset: number;
}

export const offsetTableResource = 11111;
const pointerOffset = 0x30;
const pointerMagic = 0x6f6e6e49; // `Inno`
const idBytes = 12;

/** How a table looks, by the text in its first 12 bytes. */
interface Layout {
  readonly id: string;
  readonly hasRevision: boolean;
  readonly hasCompressedSize: boolean;
  readonly checksum: 'crc32' | 'adler32';
  readonly hasMessageOffset: boolean;
  readonly hasTableChecksum: boolean;
}

const layouts: readonly Layout[] = [
  // 1.2.10
  {
    id: 'rDlPtS02\x87eVx',
    hasRevision: false,
    hasCompressedSize: true,
    checksum: 'adler32',
    hasMessageOffset: true,
    hasTableChecksum: false,
  },
  // 4.0.0
  {
    id: 'rDlPtS04\x87eVx',
    hasRevision: false,
    hasCompressedSize: true,
    checksum: 'adler32',
    hasMessageOffset: false,
    hasTableChecksum: false,
  },
  // 4.0.3
  {
    id: 'rDlPtS05\x87eVx',
    hasRevision: false,
    hasCompressedSize: true,
    checksum: 'crc32',
    hasMessageOffset: false,
    hasTableChecksum: false,
  },
  // 4.0.10
  {
    id: 'rDlPtS06\x87eVx',
    hasRevision: false,
    hasCompressedSize: true,
    checksum: 'crc32',
    hasMessageOffset: false,
    hasTableChecksum: true,
  },
  // 4.1.6
  {
    id: 'rDlPtS07\x87eVx',
    hasRevision: false,
    hasCompressedSize: false,
    checksum: 'crc32',
    hasMessageOffset: false,
    hasTableChecksum: true,
  },
  // 5.1.5, and with 64-bit offsets (revision 2) 6.5.0
  {
    id: 'rDlPtS\xcd\xe6\xd7{\x0b*',
    hasRevision: true,
    hasCompressedSize: false,
    checksum: 'crc32',
    hasMessageOffset: false,
    hasTableChecksum: true,
  },
  // the same, from compilers that others changed
  {
    id: 'nS5W7dT\x83\xaa\x1b\x0fj',
    hasRevision: true,
    hasCompressedSize: false,
    checksum: 'crc32',
    hasMessageOffset: false,
    hasTableChecksum: true,
  },
];

/** File offset of the table to which the DOS header points, or undefined when it points to none. */
export function tryFindPointedTable(source: ByteSource): number | undefined {
  const bytes = readUpTo(source, pointerOffset, 12);
  if (bytes.length < 12) return undefined;
  const cursor = new Cursor(bytes);
  if (cursor.u32() !== pointerMagic) return undefined;
  const offset = cursor.u32();
  return offset === ~cursor.u32() >>> 0 ? offset : undefined;
}

/**
 * Reads the offset table.
 *
 * @param offset - where it starts in the file
 * @returns undefined when there is none, or none that can be read; the latter is reported
 */
export function tryReadOffsetTable(
  source: ByteSource,
  offset: number,
  report: ReadContext['report'],
): OffsetTable | undefined {
  const id = readUpTo(source, offset, idBytes);
  const layout = layouts.find(
    ({ id: text }) =>
      id.length === idBytes && [...text].every((character, index) => character.charCodeAt(0) === id[index]),
  );
  if (layout === undefined) {
    const looksLikeOne = id[0] === 0x72 && id[1] === 0x44 && id[2] === 0x6c && id[3] === 0x50; // `rDlP`
    if (looksLikeOne) {
      report({
        code: 'unsupported/version',
        message: 'is an Inno Setup installer whose offset table has an unknown layout',
        offset,
        consequence: 'the installed files were not looked at',
        incomplete: true,
      });
    }
    return undefined;
  }
  const cursor = new Cursor(readUpTo(source, offset, 64), idBytes);
  try {
    const revision = layout.hasRevision ? cursor.u32() : 1;
    if (revision !== 1 && revision !== 2) {
      report({
        code: 'unsupported/version',
        message: `is an Inno Setup installer whose offset table has the unknown revision ${revision}`,
        offset,
        consequence: 'the installed files were not looked at',
        incomplete: true,
      });
      return undefined;
    }
    const readOffset = (): number => (revision === 2 ? cursor.u64() : cursor.u32());
    const declaredFileSize = readOffset();
    const programOffset = readOffset();
    const programCompressedSize = layout.hasCompressedSize ? cursor.u32() : undefined;
    const programSize = cursor.u32();
    const programChecksum = { kind: layout.checksum, value: cursor.u32() };
    if (layout.hasMessageOffset) cursor.u32();
    const headerOffset = readOffset();
    const dataOffset = readOffset();
    if (revision === 2) cursor.u32();
    const checkedBytes = cursor.offset;
    if (layout.hasTableChecksum && cursor.u32() !== crc32(source.read(offset, checkedBytes))) {
      report({
        code: 'malformed/checksum',
        message:
          'has an Inno Setup offset table that does not match its own checksum; the installer would refuse to run',
        offset,
        consequence: 'its offsets are used as they are',
        incomplete: false,
      });
    }
    return {
      offset,
      size: cursor.offset,
      declaredFileSize,
      programOffset,
      programCompressedSize,
      programSize,
      programChecksum,
      headerOffset,
      dataOffset,
    };
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    report({
      code: 'malformed/truncated',
      message: 'has an Inno Setup offset table that is cut off or holds impossible offsets',
      offset,
      consequence: 'the installed files were not looked at',
      incomplete: true,
    });
    return undefined;
  }
}
