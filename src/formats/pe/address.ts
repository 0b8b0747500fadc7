/** Reading at relative virtual addresses, within the file and within one section. */
import { type ByteSource, readUpTo, sliceSource } from '../../bytes/byte-source.ts';
import { cutAtZero, toLatin1 } from '../../bytes/cursor.ts';
import type { PeImage } from './image.ts';

/** A piece of a section that is stored in the file, with its place there. */
export interface MappedRange {
  /** File offset of its first byte. */
  readonly offset: number;
  /** Everything from there to the end of the section's stored bytes. */
  readonly bytes: ByteSource;
}

/** What is stored from `rva` to the end of its section, or undefined when nothing is. */
export function tryMap(image: PeImage, rva: number): MappedRange | undefined {
  const offset = image.toOffset(rva);
  if (offset === undefined) return undefined;
  const section = image.sections.find(
    (candidate) => rva >= candidate.virtualAddress && rva - candidate.virtualAddress < candidate.rawSize,
  );
  const declared =
    section === undefined ? image.sizeOfHeaders : offset + section.rawSize - (rva - section.virtualAddress);
  const end = Math.min(Math.max(declared, offset), image.source.size);
  return { offset, bytes: sliceSource(image.source, offset, end - offset) };
}

/** A zero-ended text of one byte a character, at most `limitBytes` long; undefined when nothing is stored there. */
export function tryReadText(image: PeImage, rva: number, limitBytes: number): string | undefined {
  const offset = image.toOffset(rva);
  if (offset === undefined) return undefined;
  return toLatin1(cutAtZero(readUpTo(image.source, offset, limitBytes)));
}
