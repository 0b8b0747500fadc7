import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type ByteSource, type FileRange, assertRange, sliceSource } from '../bytes/byte-source.ts';
import { type ErrorCode, TelltaleError } from '../bytes/errors.ts';

/** An open file as a source. Reads go through a small cache of pages, so that parsers can ask for a few bytes. */
export interface FileSource extends ByteSource {
  close(): void;
}

const pageBytes = 64 * 1024;
const pagesKept = 32;
/** A file that is no larger than its pages may be together is read at once: a folder has thousands of these. */
const wholeBytes = pageBytes * pagesKept;

/**
 * Opens a file for random access; it is never locked, and only a small one is read whole.
 *
 * @throws TelltaleError `unreadable/missing`, `unreadable/permission`, `unreadable/not-a-file`, `unreadable/io`
 */
export function openFile(path: string | Uint8Array): FileSource {
  const { descriptor, size } = openDescriptor(path);
  const bytes = size <= wholeBytes ? readWhole(descriptor, size) : readPages(descriptor, size);
  return {
    ...bytes,
    range: { descriptor, offset: 0 },
    close() {
      bytes.forget();
      closeSync(descriptor);
    },
  };
}

function openDescriptor(path: string | Uint8Array): { readonly descriptor: number; readonly size: number } {
  let descriptor: number;
  try {
    descriptor = openSync(typeof path === 'string' ? path : Buffer.from(path), 'r');
  } catch (error) {
    throw toUnreadable(error);
  }
  const status = fstatSync(descriptor);
  if (!status.isFile()) {
    closeSync(descriptor);
    throw new TelltaleError('unreadable/not-a-file', 'is not a regular file');
  }
  return { descriptor, size: status.size };
}

/**
 * Part of a file that is open elsewhere in this process.
 *
 * @param size - in bytes
 */
export function readOpenFile(range: FileRange, size: number): ByteSource {
  const { descriptor, offset } = range;
  return { ...sliceSource(readPages(descriptor, offset + size), offset, size), range };
}

/** What an open file is read through. */
interface OpenBytes extends ByteSource {
  /** Lets the memory go. */
  forget(): void;
}

/** The first read reads everything. */
function readWhole(descriptor: number, size: number): OpenBytes {
  let whole: Uint8Array | undefined;
  return {
    size,
    read(offset, length) {
      assertRange(size, offset, length);
      whole ??= readExactly(descriptor, 0, size);
      return whole.subarray(offset, offset + length);
    },
    forget() {
      whole = undefined;
    },
  };
}

function readExactly(descriptor: number, offset: number, length: number): Uint8Array {
  // All of it is written before anybody sees it.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  readInto(descriptor, offset, bytes);
  return bytes;
}

function readInto(descriptor: number, offset: number, bytes: Uint8Array): void {
  const { length } = bytes;
  let filled = 0;
  while (filled < length) {
    let count: number;
    try {
      count = readSync(descriptor, bytes, filled, length - filled, offset + filled);
    } catch (error) {
      throw toUnreadable(error);
    }
    if (count === 0) {
      throw new TelltaleError('unreadable/changed', 'became shorter while it was read', {
        offset: offset + filled,
      });
    }
    filled += count;
  }
}

function readPages(descriptor: number, size: number): OpenBytes {
  const pages = new Map<number, Uint8Array>();

  const readPage = (index: number): Uint8Array => {
    let page = pages.get(index);
    if (page === undefined) {
      page = readExactly(descriptor, index * pageBytes, Math.min(pageBytes, size - index * pageBytes));
    } else {
      pages.delete(index);
    }
    pages.set(index, page);
    if (pages.size > pagesKept) {
      const oldest = pages.keys().next();
      if (!oldest.done) pages.delete(oldest.value);
    }
    return page;
  };

  return {
    size,
    read(offset, length) {
      assertRange(size, offset, length);
      const first = Math.floor(offset / pageBytes);
      const last = Math.floor((offset + Math.max(length, 1) - 1) / pageBytes);
      if (length === 0) return new Uint8Array(0);
      if (first === last)
        return readPage(first).subarray(offset - first * pageBytes, offset - first * pageBytes + length);
      return readExactly(descriptor, offset, length);
    },
    readInto(offset, target) {
      assertRange(size, offset, target.length);
      readInto(descriptor, offset, target);
    },
    forget() {
      pages.clear();
    },
  };
}

/**
 * A file as a source that is open only while it is read, for folders of many files.
 *
 * @throws TelltaleError `unreadable/…`, now and at every read
 */
export function openBriefly(path: string | Uint8Array): ByteSource {
  const { descriptor: first, size } = openDescriptor(path);
  closeSync(first);
  return {
    size,
    read(offset, length) {
      assertRange(size, offset, length);
      const { descriptor, size: sizeNow } = openDescriptor(path);
      try {
        if (sizeNow !== size)
          throw new TelltaleError('unreadable/changed', 'changed its size while it was read');
        return readExactly(descriptor, offset, length);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

/**
 * All bytes of a small file, which may be a pipe as well: it is read once, from its start to its end.
 *
 * @throws TelltaleError `unreadable/…`; `limit/bytes` when there is more than `bytesMax`
 */
export function readSmallFile(path: string, bytesMax: number): Uint8Array {
  const room = new Uint8Array(bytesMax + 1);
  let filled = 0;
  try {
    const descriptor = openSync(path, 'r');
    try {
      for (;;) {
        const count = readSync(descriptor, room, filled, room.length - filled, null);
        filled += count;
        if (count === 0 || filled > bytesMax) break;
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw toUnreadable(error);
  }
  if (filled > bytesMax) throw new TelltaleError('limit/bytes', `is larger than ${bytesMax} bytes`);
  return room.slice(0, filled);
}

/** Turns an error of the operating system into one of ours. */
export function toUnreadable(error: unknown): TelltaleError {
  const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  const codes: Readonly<Record<string, readonly [ErrorCode, string]>> = {
    ENOENT: ['unreadable/missing', 'does not exist'],
    EACCES: ['unreadable/permission', 'may not be read (permission denied)'],
    EPERM: ['unreadable/permission', 'may not be read (operation not permitted)'],
    EISDIR: ['unreadable/not-a-file', 'is a folder'],
    ELOOP: ['unreadable/not-a-file', 'is a chain of links without end'],
  };
  const [code, message] = codes[reason] ?? ['unreadable/io', `could not be read (${reason})`];
  return new TelltaleError(code, message);
}
