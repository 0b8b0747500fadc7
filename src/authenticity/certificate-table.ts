/**
 * The certificate table of a portable executable: where it is, what is in it, and where the signature is when the
 * table is not where the headers put it.
 *
 * Specification: PE format, "The Attribute Certificate Table" https://learn.microsoft.com/windows/win32/debug/pe-format
 *
 * Read: WIN_CERTIFICATE entries of type PKCS#7, revisions 1.0 and 2.0.
 * Not supported: entries of other types (X.509, TS_STACK); Windows ignores them too. They are remarked on.
 */
import type { Budget } from '../bytes/budget.ts';
import { type ByteSource, readUpTo } from '../bytes/byte-source.ts';
import { Cursor } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { directoryIndex, type PeImage } from '../formats/pe/image.ts';
import { parseSignedData, type SignedData } from './cms.ts';
import { tags, toDamage, tryDeclaredLength } from './der.ts';
import { type AuthenticityProblem, toProblem } from './model.ts';

/** Bytes of a PKCS#7 blob that are read into memory; the largest real one we know has 40 KiB. */
export const blobBytesMax = 16 * 1024 * 1024;
/** Entries of the certificate table. */
export const tableEntriesMax = 32;
/** Blocks that look like a signature and are opened, when the table is not where it should be. */
const candidatesMax = 64;
const chunkBytes = 1024 * 1024;
const entryHeaderBytes = 8;
/** Entries and the table itself start at multiples of this. */
const alignmentBytes = 8;

export interface Range {
  readonly offset: number;
  readonly size: number;
}

/** A PKCS#7 blob, opened or not openable. */
export interface SignatureBlob {
  readonly place: Range;
  readonly signedData: SignedData | undefined;
  readonly problem: TelltaleError | undefined;
}

export type Located =
  | {
      readonly kind: 'none';
      readonly integrity: 'unsigned' | 'signature-removed' | 'damaged';
      readonly detail: string;
      readonly problems: readonly AuthenticityProblem[];
    }
  | {
      readonly kind: 'table';
      /** What the digest leaves out. */
      readonly table: Range;
      readonly blobs: readonly SignatureBlob[];
      readonly foundElsewhere: number | undefined;
      readonly problems: readonly AuthenticityProblem[];
    };

export function locateTable(image: PeImage, budget: Budget): Located {
  const { source } = image;
  const directory = image.directories[directoryIndex.certificate];
  if (directory === undefined || (directory.rva === 0 && directory.size === 0))
    return locateNothing(image, budget);
  const table: Range = { offset: directory.rva, size: directory.size };
  const problems: AuthenticityProblem[] = [];
  if (table.offset > 0 && table.size >= entryHeaderBytes && table.offset + table.size <= source.size) {
    const read = readTable(source, table, budget);
    if (read !== undefined) return { kind: 'table', foundElsewhere: undefined, ...read };
    problems.push(
      toProblem(
        'certificate-table',
        'The bytes that the headers call the certificate table are no certificate table.',
        table.offset,
      ),
    );
  } else {
    const where = `at offset ${table.offset} with ${table.size} bytes`;
    problems.push(
      toProblem(
        'certificate-table',
        `The headers put the certificate table ${where}, which does not lie in the file of ${source.size} bytes.`,
        directory.entryOffset,
      ),
    );
  }
  const found = findDisplacedBlock(image, table, budget);
  if (found !== undefined) {
    const read = readTable(source, found, budget);
    if (read !== undefined) {
      return {
        kind: 'table',
        foundElsewhere: found.offset,
        ...read,
        problems: [...problems, ...read.problems],
      };
    }
  }
  return { kind: 'none', ...judgeAbsence(image, table), problems };
}

/** No directory entry. A signature block in the overlay is worth a remark, nothing more. */
function locateNothing(image: PeImage, budget: Budget): Located {
  const problems: AuthenticityProblem[] = [];
  if (image.overlay !== undefined) {
    const [stray] = findBlocks(image.source, image.overlay, budget);
    if (stray !== undefined) {
      problems.push(
        toProblem(
          'stray-signature',
          'A signature block lies behind the sections, but the headers do not name it.',
          stray.offset,
        ),
      );
    }
  }
  return { kind: 'none', integrity: 'unsigned', detail: 'The file is not signed.', problems };
}

function endOfSections({ sections, sizeOfHeaders }: PeImage): number {
  return sections.reduce(
    (end, { rawOffset, rawSize }) => (rawSize === 0 ? end : Math.max(end, rawOffset + rawSize)),
    sizeOfHeaders,
  );
}

/** The headers name a table and no signature block is anywhere: was it taken out, or is the file cut? */
function judgeAbsence(
  image: PeImage,
  table: Range,
): { integrity: 'signature-removed' | 'damaged'; detail: string } {
  const { size } = image.source;
  const missing = endOfSections(image) - size;
  if (missing > 0) {
    return {
      integrity: 'damaged',
      detail: `The file ends ${missing} bytes before the end of its sections, and its signature is missing.`,
    };
  }
  // Behind the sections may follow data of an installer: a gap before the table means that some is gone.
  const gap = table.offset - size;
  if (gap >= alignmentBytes) {
    return {
      integrity: 'damaged',
      detail: `The file ends ${gap} bytes before the place at which its headers put the signature.`,
    };
  }
  const rest = readUpTo(image.source, table.offset, entryHeaderBytes);
  const isCut = rest.length === entryHeaderBytes && isEntryHeader(rest) && table.offset + table.size > size;
  if (isCut) {
    return { integrity: 'damaged', detail: 'The file ends inside its signature.' };
  }
  return {
    integrity: 'signature-removed',
    detail: `The headers name a signature at offset ${table.offset}, everything else is there, the signature is not.`,
  };
}

function isEntryHeader(bytes: Uint8Array): boolean {
  const cursor = new Cursor(bytes);
  const length = cursor.u32();
  const revision = cursor.u16();
  return length > entryHeaderBytes && (revision === 0x0200 || revision === 0x0100) && cursor.u16() === 2;
}

/**
 * The entries of a certificate table.
 *
 * @returns undefined when the first entry holds no PKCS#7 signed data: then this is no certificate table
 */
function readTable(
  source: ByteSource,
  table: Range,
  budget: Budget,
): { table: Range; blobs: readonly SignatureBlob[]; problems: readonly AuthenticityProblem[] } | undefined {
  const end = table.offset + table.size;
  const blobs: SignatureBlob[] = [];
  const problems: AuthenticityProblem[] = [];
  let at = table.offset;
  for (let index = 0; at < end; index += 1) {
    if (index >= tableEntriesMax) {
      problems.push(
        toProblem('limit', `The certificate table has more than ${tableEntriesMax} entries.`, at),
      );
      break;
    }
    const entry = tryEntry(source, at, end);
    if (entry === undefined) break;
    const { length, revision, type } = entry;
    const content: Range = { offset: at + entryHeaderBytes, size: length - entryHeaderBytes };
    const blob =
      type === 2 && (revision === 0x0200 || revision === 0x0100) ? tryBlob(source, content) : undefined;
    if (blob === undefined) {
      if (index === 0) return undefined;
      problems.push(
        toProblem(
          'hidden-bytes',
          `An entry of ${length} bytes in the certificate table is no signature; no digest covers it.`,
          at,
        ),
      );
    } else {
      blobs.push(blob);
      const used = blob.place.size;
      noteUncovered(
        source,
        { offset: content.offset + used, size: content.size - used },
        'behind the signature in the certificate table',
        problems,
        budget,
      );
    }
    at += Math.ceil(length / alignmentBytes) * alignmentBytes;
  }
  if (blobs.length === 0) return undefined;
  if (at < end)
    noteUncovered(
      source,
      { offset: at, size: end - at },
      'at the end of the certificate table',
      problems,
      budget,
    );
  return { table, blobs, problems };
}

function tryEntry(
  source: ByteSource,
  at: number,
  end: number,
): { length: number; revision: number; type: number } | undefined {
  if (at + entryHeaderBytes > end) return undefined;
  const cursor = new Cursor(source, at);
  const length = cursor.u32();
  if (length <= entryHeaderBytes || at + length > end) return undefined;
  return { length, revision: cursor.u16(), type: cursor.u16() };
}

/** SEQUENCE with the object identifier of signed data; whether the rest can be read is another question. */
function tryBlob(source: ByteSource, content: Range): SignatureBlob | undefined {
  const head = readUpTo(source, content.offset, Math.min(content.size, 24));
  if (head[0] !== tags.sequence || indexOfSignedData(head, 0) !== headLength(head)) return undefined;
  const declared = tryDeclaredLength(head);
  if (declared === undefined) return undefined;
  // Only as much as the blob itself says: padding behind it can have any size.
  const wanted = declared === 0 ? content.size : declared;
  const size = Math.min(wanted, content.size);
  const place: Range = { offset: content.offset, size };
  if (size > blobBytesMax) {
    const problem = new TelltaleError('limit/count', `the signature has more than ${blobBytesMax} bytes`, {
      offset: content.offset,
    });
    return { place, signedData: undefined, problem };
  }
  try {
    const signedData = parseSignedData(source.read(content.offset, size), content.offset);
    return { place: signedData.place, signedData, problem: undefined };
  } catch (error) {
    return { place, signedData: undefined, problem: toDamage(error) };
  }
}

/** Bytes of tag and length at the start of an element. */
function headLength(head: Uint8Array): number {
  const first = head[1] ?? 0;
  return first > 0x80 ? 2 + (first & 0x7f) : 2;
}

/** `06 09 2a 86 48 86 f7 0d 01 07 02`: the object identifier 1.2.840.113549.1.7.2, signedData. */
const signedDataMark = Uint8Array.of(0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02);
/** The rarest byte of the mark in code and text, to search for. */
const rareIndex = 6;

function indexOfSignedData(bytes: Uint8Array, from: number): number {
  for (let at = from + rareIndex; ; at += 1) {
    at = bytes.indexOf(signedDataMark[rareIndex] ?? 0, at);
    if (at < 0) return -1;
    const start = at - rareIndex;
    if (
      start + signedDataMark.length <= bytes.length &&
      signedDataMark.every((byte, index) => bytes[start + index] === byte)
    ) {
      return start;
    }
  }
}

/** A remark when bytes are more than alignment: more than 8 of them, or not all zero. */
function noteUncovered(
  source: ByteSource,
  range: Range,
  where: string,
  problems: AuthenticityProblem[],
  budget: Budget,
): void {
  let isZero = true;
  for (let at = 0; at < range.size && isZero; at += chunkBytes) {
    budget.checkTime();
    isZero = source
      .read(range.offset + at, Math.min(chunkBytes, range.size - at))
      .every((byte) => byte === 0);
  }
  if (range.size <= alignmentBytes && isZero) return;
  const what = isZero ? 'zero bytes' : 'bytes';
  problems.push(
    toProblem('hidden-bytes', `${range.size} ${what} lie ${where}; no digest covers them.`, range.offset),
  );
}

/**
 * Signature blocks in a range, by their own structure: WIN_CERTIFICATE header, SEQUENCE, object identifier of signed
 * data; at any alignment.
 */
function findBlocks(source: ByteSource, range: Range, budget: Budget): Range[] {
  const blocks: Range[] = [];
  const end = Math.min(range.offset + range.size, source.size);
  // Chunks overlap by what one mark with its headers can need.
  const overlapBytes = 32;
  for (let at = range.offset; at < end; at += chunkBytes) {
    budget.checkTime();
    const from = Math.max(range.offset, at - overlapBytes);
    const chunk = source.read(from, Math.min(at + chunkBytes, end) - from);
    for (let mark = indexOfSignedData(chunk, 0); mark >= 0; mark = indexOfSignedData(chunk, mark + 1)) {
      const block = tryBlockAround(source, from + mark, range.offset, end);
      if (block === undefined || blocks.some(({ offset }) => offset === block.offset)) continue;
      blocks.push(block);
      // Keep the last ones: a signature stands at the end of its file.
      if (blocks.length > candidatesMax) blocks.shift();
    }
  }
  return blocks;
}

/** The block whose signed-data mark is at an offset. */
function tryBlockAround(source: ByteSource, mark: number, start: number, end: number): Range | undefined {
  // Tag and length of the SEQUENCE take 2 to 6 bytes.
  for (let lead = 2; lead <= 6; lead += 1) {
    const offset = mark - lead - entryHeaderBytes;
    if (offset < start) return undefined;
    const head = readUpTo(source, offset, entryHeaderBytes + lead);
    const blobHead = head.subarray(entryHeaderBytes);
    if (
      blobHead[0] !== tags.sequence ||
      headLength(blobHead) !== lead ||
      !isEntryHeader(head.subarray(0, entryHeaderBytes))
    )
      continue;
    const length = new Cursor(head).u32();
    const declared = tryDeclaredLength(blobHead);
    if (declared === undefined || entryHeaderBytes + declared > length || offset + length > end) continue;
    return { offset, size: length };
  }
  return undefined;
}

/**
 * The file's own signature block, when it is not where the headers put it. Files carry other signed files, whose
 * blocks look alike; taken is one of the very size that the headers state, else one at the very end, else one behind
 * complete sections.
 */
function findDisplacedBlock(image: PeImage, table: Range, budget: Budget): Range | undefined {
  const { source } = image;
  const blocks = findBlocks(source, { offset: 0, size: source.size }, budget).toReversed();
  const found =
    blocks.find(({ size }) => size === table.size) ??
    blocks.find(({ offset, size }) => source.size - (offset + size) < alignmentBytes) ??
    blocks.find(({ offset }) => offset >= endOfSections(image));
  if (found === undefined) return undefined;
  const padding = Math.min(
    source.size - (found.offset + found.size),
    (alignmentBytes - (found.size % alignmentBytes)) % alignmentBytes,
  );
  return { offset: found.offset, size: found.size + padding };
}

/** Zeros that fill up the table to a multiple of 8 at the end of the file; they belong to it. */
export function tablePadding(source: ByteSource, table: Range): number {
  const end = table.offset + table.size;
  const behind = source.size - end;
  if (behind <= 0 || behind >= alignmentBytes || source.size % alignmentBytes !== 0) return 0;
  return source.read(end, behind).every((byte) => byte === 0) ? behind : 0;
}
