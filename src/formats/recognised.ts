/**
 * Formats that are known by their magic but not opened: each says so, so that nothing about them is silence.
 *
 * A row of the table becomes a Format whose `read` reports one `unsupported/format` finding. When a format gets a
 * reader of its own, its row goes away.
 */
import { type ByteSource, readUpTo } from '../bytes/byte-source.ts';
import { Cursor } from '../bytes/cursor.ts';
import type { Format, FormatNature } from './model.ts';

/** What stays unseen, by the kind of thing. */
const consequences = {
  container: 'its members were not looked at',
  program: 'strings in it were searched, its structure and signature were not read',
} as const;

interface RecognisedRow {
  readonly id: string;
  readonly title: string;
  readonly nature: FormatNature;
  readonly kind: keyof typeof consequences;
  readonly extensions: readonly string[];
  readonly references: readonly string[];
  /** See {@link Format.probe}. */
  readonly probe: (head: Uint8Array, source: ByteSource) => boolean;
}

export const sectorBytes = 512;
/** NSIS looks for its data at every sector; the overlay begins a few sectors before it at most. */
export const nsisSearchBytes = 1024 * 1024;
export const isoDescriptorOffset = 0x8001;
export const udifTrailerBytes = 512;
/** Fat Mach-O and Java classes share a magic. Java's next number is at least 45 (JDK 1.1), fat files have few slices. */
const maximumFatSlices = 30;
/** 256 GiB: lzma-alone has no magic, so that its size has to be believable. */
const maximumLzmaBytes = 2 ** 38;

/** Whether bytes, given as text of one character a byte, lie at an offset of the head. */
export function has(head: Uint8Array, text: string, offset = 0): boolean {
  if (head.length < offset + text.length) return false;
  for (let i = 0; i < text.length; i += 1) if (head[offset + i] !== text.charCodeAt(i)) return false;
  return true;
}

export function atStart(...magics: readonly string[]): RecognisedRow['probe'] {
  return (head) => magics.some((magic) => has(head, magic));
}

/** At an offset that may lie outside of the head. */
export function hasFar(source: ByteSource, text: string, offset: number): boolean {
  return has(readUpTo(source, offset, text.length), text);
}

/**
 * Whether the file ends as a disk image whose property list is where it says: stricter than the magic, which would be
 * too little to overrule another format.
 */
export function endsAsDiskImage(source: ByteSource): boolean {
  const trailer = readUpTo(source, source.size - udifTrailerBytes, udifTrailerBytes);
  if (!has(trailer, 'koly\0\0\0\x04\0\0\x02\0') || trailer.length < udifTrailerBytes) return false;
  const [high, low] = [new Cursor(trailer, 216).u32be(), new Cursor(trailer, 220).u32be()];
  return hasFar(source, '<?xml', high * 2 ** 32 + low);
}

/** Flags, then `EF BE AD DE`, then `NullsoftInst` (struct firstheader of NSIS 2 and 3). */
export function isNsisHeader(bytes: Uint8Array): boolean {
  return has(bytes, '\xef\xbe\xad\xdeNullsoftInst', 4);
}

/** The header at one of the sectors in the first `searchedBytes`. */
export function findsNsisHeader(bytes: ByteSource, searchedBytes: number): boolean {
  const end = Math.min(bytes.size, searchedBytes);
  for (let offset = 0; offset + 20 <= end; offset += sectorBytes) {
    if (isNsisHeader(bytes.read(offset, 20))) return true;
  }
  return false;
}

function isJavaClass(head: Uint8Array): boolean {
  return has(head, '\xca\xfe\xba\xbe') && head.length >= 8 && new Cursor(head, 4).u32be() > maximumFatSlices;
}

/** Properties, dictionary size, uncompressed size, and the first byte of the range coder, which is always 0. */
export function isLzmaAlone(head: Uint8Array): boolean {
  if (head.length < 18 || head[0] !== 0x5d || head[13] !== 0) return false;
  const cursor = new Cursor(head, 1);
  const dictionary = cursor.u32();
  const size = cursor.u64big();
  // Encoders write a power of two, or one and a half of it.
  const isRound =
    dictionary >= 4096 && [1, 3].some((factor) => Number.isInteger(Math.log2(dictionary / factor)));
  return isRound && (size === 0xffffffffffffffffn || size <= BigInt(maximumLzmaBytes));
}

/** `BZh`, the level, then the magic of a block or of the end. */
export function isBzip2(head: Uint8Array): boolean {
  const level = head[3] ?? 0;
  return (
    has(head, 'BZh') &&
    level >= 0x31 &&
    level <= 0x39 &&
    (has(head, '1AY&SY', 4) || has(head, '\x17rE8P\x90', 4))
  );
}

const rows: readonly RecognisedRow[] = [
  {
    id: 'inno-offsets',
    title: 'Inno Setup loader table',
    nature: 'acting',
    kind: 'container',
    extensions: [],
    references: ['https://github.com/dscharrer/innoextract', 'https://jrsoftware.org/isinfo.php'],
    probe: atStart('rDlPtS'),
  },
  {
    id: 'inno-data',
    title: 'Inno Setup data',
    nature: 'acting',
    kind: 'container',
    extensions: [],
    references: ['https://github.com/dscharrer/innoextract', 'https://jrsoftware.org/isinfo.php'],
    probe: atStart('zlb\x1a', 'idska32\x1a', 'Inno Setup Setup Data ('),
  },
  {
    id: 'java-class',
    title: 'Java class',
    nature: 'acting',
    kind: 'program',
    extensions: ['class'],
    references: ['https://docs.oracle.com/javase/specs/jvms/se21/html/jvms-4.html'],
    probe: isJavaClass,
  },
];

function toFormat(row: RecognisedRow): Format {
  const { kind, ...sheet } = row;
  const consequence = consequences[kind];
  return {
    ...sheet,
    limitations: [
      kind === 'container'
        ? 'Recognised only: its members are not looked at.'
        : 'Recognised only: strings in it are searched, its structure and signature are not read.',
    ],
    read(_source, context) {
      context.report({
        code: 'unsupported/format',
        message: `is recognised (${row.title}), but not opened`,
        offset: 0,
        consequence,
        incomplete: true,
      });
      return { facts: [], regions: [] };
    },
  };
}

/** In probing order. Programs, archives with a reader and portable executables come before. */
export const recognisedFormats: readonly Format[] = rows.map(toFormat);
