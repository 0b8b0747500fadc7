/**
 * Digests of the content of an Android package: everything outside its signing block.
 *
 * Specification: https://source.android.com/docs/security/features/apksigning/v2#integrity-protected-contents
 *
 * Read: the digests over chunks of 1 MiB with SHA-256 and SHA-512, and the hash tree of fs-verity with SHA-256.
 */
import type { Budget } from '../bytes/budget.ts';
import { type ByteSource, toByteSource } from '../bytes/byte-source.ts';
import { toHex } from '../bytes/cursor.ts';
import type { PackageLayout } from '../formats/apk/signing-block.ts';
import { type DigestAlgorithm, toDigest } from '../platform/digests.ts';

export type ContentDigest = 'chunked-sha256' | 'chunked-sha512' | 'verity-sha256';

const chunkBytes = 1 << 20;
const chunkMark = 0xa5;
const topMark = 0x5a;
/** Offset of the offset of the central directory in the end record, and its size. */
const directoryOffsetField = 16;
const verityPageBytes = 4096;
/** fs-verity is used with a salt of eight zeros here. */
const veritySalt = new Uint8Array(8);
const sha256Bytes = 32;

/** A part of the file, or bytes that stand for a part. */
interface Section {
  readonly source: ByteSource;
  readonly offset: number;
  readonly size: number;
}

/**
 * Digests of the content, in lower-case hexadecimal. A hash tree is left out where the signing block does not take whole
 * pages, because Android takes none there.
 *
 * @param blockOffset - where the signing block begins
 * @throws TelltaleError `limit/time`, or `unreadable/*` from the source
 */
export function digestContent(
  source: ByteSource,
  layout: PackageLayout,
  blockOffset: number,
  kinds: ReadonlySet<ContentDigest>,
  budget: Budget,
): Partial<Record<ContentDigest, string>> {
  // The signature was made as if the block were not there: the record then points to where the block begins.
  const end = Uint8Array.from(source.read(layout.endOffset, source.size - layout.endOffset));
  new DataView(end.buffer).setUint32(directoryOffsetField, blockOffset, true);
  const sections: readonly Section[] = [
    { source, offset: 0, size: blockOffset },
    { source, offset: layout.directoryOffset, size: layout.endOffset - layout.directoryOffset },
    { source: toByteSource(end), offset: 0, size: end.length },
  ];
  const digests: Partial<Record<ContentDigest, string>> = {};
  for (const kind of kinds) {
    switch (kind) {
      case 'chunked-sha256':
        digests[kind] = digestChunks(sections, 'sha256', budget);
        break;
      case 'chunked-sha512':
        digests[kind] = digestChunks(sections, 'sha512', budget);
        break;
      case 'verity-sha256':
        if (
          blockOffset % verityPageBytes === 0 &&
          (layout.directoryOffset - blockOffset) % verityPageBytes === 0
        ) {
          digests[kind] = digestTree(sections, budget);
        }
        break;
    }
  }
  return digests;
}

function digestChunks(sections: readonly Section[], algorithm: DigestAlgorithm, budget: Budget): string {
  const digests: Uint8Array[] = [];
  for (const { source, offset, size } of sections) {
    for (let at = 0; at < size; at += chunkBytes) {
      budget.checkTime();
      const chunk = source.read(offset + at, Math.min(chunkBytes, size - at));
      digests.push(toDigest(algorithm, toMark(chunkMark, chunk.length), chunk));
    }
  }
  return toHex(toDigest(algorithm, toMark(topMark, digests.length), ...digests));
}

/** A byte and a number of 32 bits. */
function toMark(mark: number, number: number): Uint8Array {
  const bytes = new Uint8Array(5);
  bytes[0] = mark;
  new DataView(bytes.buffer).setUint32(1, number, true);
  return bytes;
}

/** Root of the hash tree, then the number of bytes that it covers. */
function digestTree(sections: readonly Section[], budget: Budget): string {
  const covered = sections.reduce((sum, { size }) => sum + size, 0);
  let level = new Uint8Array(Math.ceil(covered / verityPageBytes) * sha256Bytes);
  let index = 0;
  for (const page of readPages(sections)) {
    if (index % 256 === 0) budget.checkTime();
    level.set(toDigest('sha256', veritySalt, page), index * sha256Bytes);
    index += 1;
  }
  while (level.length > verityPageBytes) {
    const next = new Uint8Array(Math.ceil(level.length / verityPageBytes) * sha256Bytes);
    for (let at = 0; at < level.length; at += verityPageBytes) {
      const page = new Uint8Array(verityPageBytes);
      page.set(level.subarray(at, at + verityPageBytes));
      next.set(toDigest('sha256', veritySalt, page), (at / verityPageBytes) * sha256Bytes);
    }
    level = next;
  }
  const top = new Uint8Array(verityPageBytes);
  top.set(level);
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, BigInt(covered), true);
  return toHex(toDigest('sha256', veritySalt, top)) + toHex(size);
}

/** The sections one behind the other, in pages; the last one is filled with zeros. */
function* readPages(sections: readonly Section[]): Generator<Uint8Array> {
  let page = new Uint8Array(verityPageBytes);
  let filled = 0;
  for (const { source, offset, size } of sections) {
    for (let at = 0; at < size; ) {
      const wanted = Math.min(verityPageBytes - filled, size - at);
      page.set(source.read(offset + at, wanted), filled);
      filled += wanted;
      at += wanted;
      if (filled < verityPageBytes) continue;
      yield page;
      page = new Uint8Array(verityPageBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield page;
}
