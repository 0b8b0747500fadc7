/** The blocks that a folder of a cabinet is packed in, and what unpacks them. See `cabinet.ts` for the specification. */
import type { ByteSource } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { tryInflateBlock } from '../../platform/inflate.ts';

/** One block of packed data (CFDATA): where its bytes stand, and how many they become. */
export interface Block {
  readonly checksum: number;
  readonly offset: number;
  readonly packedBytes: number;
  readonly bytes: number;
}

/** A block becomes at most this, and the next one may refer to all of it. */
export const blockBytesMax = 32 * 1024;
/** Checksum and both sizes. */
const blockHeadBytes = 8;

/**
 * @param at - of the block in the cabinet
 * @param reserve - bytes between the head and the data
 * @throws TelltaleError `malformed/out-of-range`
 */
export function parseBlock(source: ByteSource, at: number, reserve: number): Block {
  const head = new Cursor(source.read(at, blockHeadBytes));
  return {
    checksum: head.u32(),
    packedBytes: head.u16(),
    bytes: head.u16(),
    offset: at + blockHeadBytes + reserve,
  };
}

/** What a block packed with MSZIP becomes; undefined when it is damaged. @param last - what the block before it became */
export function tryUnpackBlock(
  source: ByteSource,
  { offset, packedBytes, bytes }: Block,
  last: Uint8Array,
): Uint8Array | undefined {
  const packed = source.read(offset, packedBytes);
  if (packed[0] !== 0x43 || packed[1] !== 0x4b) return undefined;
  return tryInflateBlock(packed.subarray(2), bytes, last);
}

/** A folder packed with MSZIP. */
export interface CabinetFolderPiece {
  readonly method: 'cabinet-folder';
  /** Of its first block in the cabinet. */
  readonly offset: number;
  readonly blockCount: number;
  /** Bytes between the head of a block and its data. */
  readonly reserve: number;
  /** Unpacked, in bytes. */
  readonly size: number;
}

/**
 * Unpacks a folder whole. Checksums are those of whoever found the folder.
 *
 * @param output - of the size of the piece
 * @returns whether all of it is in order
 */
export function tryUnpackFolder(
  source: ByteSource,
  { offset, blockCount, reserve }: CabinetFolderPiece,
  output: Uint8Array,
): boolean {
  let at = offset;
  let filled = 0;
  let last: Uint8Array = new Uint8Array(0);
  for (let left = blockCount; left > 0; left -= 1) {
    const block = parseBlock(source, at, reserve);
    const bytes = tryUnpackBlock(source, block, last);
    if (bytes?.length !== block.bytes || filled + bytes.length > output.length) return false;
    output.set(bytes, filled);
    filled += bytes.length;
    last = bytes;
    at = block.offset + block.packedBytes;
  }
  return filled === output.length;
}
