import type { Limits } from '../bytes/budget.ts';
import type { CacheFolder } from '../platform/kept-databases.ts';
import type { FolderEntry } from '../platform/folders.ts';
import type { DatabaseReference } from '../platform/database-references.ts';

/** How a scan is done. Plain data: it crosses to workers. */
export interface ScanSettings {
  /** Folders and packs, the first one the base. */
  readonly databases: readonly DatabaseReference[];
  readonly usesKnownBuilds: boolean;
  readonly limits: Limits;
  /** Files of YARA rules of the person's own. */
  readonly rules?: readonly string[];
  /** Where it is kept that a database passed all checks; without it, each worker checks it anew. */
  readonly cache?: CacheFolder;
  /** Worker threads; 0 scans in this thread, where a file that hangs cannot be stopped. */
  readonly jobs: number;
  /** Whether what lies in a file is of no interest: it is left where it was found, because handing it over takes long. */
  readonly isSlim?: boolean;
  /** Whether each worker may decode in a thread of its own, for processors that would have nothing to do. */
  readonly decodesAside?: boolean;
  /** How many further threads each worker may have then, for pieces of one container. */
  readonly pieceThreads?: number;
}

/** One file to scan. Plain data: it crosses to a worker. */
export interface FileJob {
  /** As the person gave it, and as it is shown. */
  readonly path: string;
  /** The bytes of the path, where the text would not lead back to the file. */
  readonly rawPath?: Uint8Array;
  /** A folder that is one program. */
  readonly isBundle?: boolean;
}

/** What is to be read of something that was found under a path. */
export function toFileJob(entry: Exclude<FolderEntry, { readonly kind: 'problem' }>): FileJob {
  if (entry.kind === 'bundle') return { path: entry.path, isBundle: true };
  return { path: entry.path, ...(entry.rawPath === undefined ? {} : { rawPath: entry.rawPath }) };
}
