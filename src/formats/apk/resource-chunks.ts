/**
 * Chunks of Android's binary resource files: a header of type, header size and size, then the content.
 *
 * Specification: ResourceTypes.h of Android
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/libs/androidfw/include/androidfw/ResourceTypes.h
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';

export const chunkHeaderBytes = 8;

/** Types of chunks that are read. */
export const chunkTypes = {
  stringPool: 0x0001,
  table: 0x0002,
  xml: 0x0003,
  xmlStartElement: 0x0102,
  xmlEndElement: 0x0103,
  xmlResourceMap: 0x0180,
  tablePackage: 0x0200,
  tableType: 0x0201,
} as const;

/** A chunk header as it stands there, checked against the bytes around it. Offsets from the start of the source. */
export interface ResourceChunk {
  readonly type: number;
  readonly offset: number;
  readonly headerSize: number;
  readonly size: number;
  /** Offset behind the chunk. */
  readonly end: number;
}

/**
 * Reads the header of the chunk at `offset`. A size that leads out of `end` is cut there, when `mayBeCut`.
 *
 * @throws TelltaleError `malformed/structure` when the sizes cannot be those of a chunk inside `end`,
 *   `malformed/out-of-range` when there is no whole header
 */
export function readChunk(source: ByteSource, offset: number, end: number, mayBeCut = false): ResourceChunk {
  if (offset + chunkHeaderBytes > end) {
    throw new TelltaleError('malformed/out-of-range', 'ends inside the header of a chunk', {
      offset,
      wanted: chunkHeaderBytes,
    });
  }
  const cursor = new Cursor(source.read(offset, chunkHeaderBytes));
  const type = cursor.u16();
  const headerSize = cursor.u16();
  const stated = cursor.u32();
  const size = mayBeCut ? Math.min(stated, end - offset) : stated;
  if (headerSize < chunkHeaderBytes || size < headerSize || offset + size > end) {
    throw new TelltaleError(
      'malformed/structure',
      `has a chunk of type 0x${type.toString(16)} that says it has ${stated} bytes, ${headerSize} of them header; ${end - offset} are there`,
      { offset, wanted: stated },
    );
  }
  return { type, offset, headerSize, size, end: offset + size };
}
