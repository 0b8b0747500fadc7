import { statSync } from 'node:fs';

/** A file as the system knows it; the times are in nanoseconds since 1970, as text. */
export interface FileIdentity {
  /** Bytes. */
  readonly size: number;
  readonly modified: string;
  /** The last change of the entry itself, which a program cannot set. */
  readonly changed: string;
  readonly inode: string;
}

/** The identity of a file; undefined when it is not there or no file. */
export function tryReadIdentity(path: string | Uint8Array): FileIdentity | undefined {
  try {
    const status = statSync(typeof path === 'string' ? path : Buffer.from(path), { bigint: true });
    if (!status.isFile()) return undefined;
    return {
      size: Number(status.size),
      modified: String(status.mtimeNs),
      changed: String(status.ctimeNs),
      inode: `${status.dev}:${status.ino}`,
    };
  } catch {
    return undefined;
  }
}

export function isSameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.size === b.size && a.modified === b.modified && a.changed === b.changed && a.inode === b.inode;
}
