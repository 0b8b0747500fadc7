import { type ByteSource, type FileRange, toByteSource } from '../bytes/byte-source.ts';
import { readOpenFile } from '../platform/files.ts';

/** A source that several threads may read: a part of an open file, or bytes in shared memory. Plain data. */
export type SharedSource =
  | { readonly kind: 'file'; readonly range: FileRange; readonly size: number }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** What other threads need to read the same; undefined when they cannot, because the bytes stand nowhere as they are. */
export function tryShare(source: ByteSource): SharedSource | undefined {
  const { range, size, readInto } = source;
  if (range !== undefined) return { kind: 'file', range, size };
  // It would have to be copied.
  if (readInto !== undefined) return undefined;
  // A source that has to decode what is read is not asked for all of it.
  if (!isShared(source.read(0, Math.min(size, 1)))) return undefined;
  const bytes = source.read(0, size);
  return isShared(bytes) ? { kind: 'bytes', bytes } : undefined;
}

function isShared({ buffer }: Uint8Array): boolean {
  return buffer instanceof SharedArrayBuffer;
}

/** @returns the source that was shared */
export function openShared(shared: SharedSource): ByteSource {
  return shared.kind === 'file' ? readOpenFile(shared.range, shared.size) : toByteSource(shared.bytes);
}
