import { readPassing } from '../bytes/byte-source.ts';
import { TelltaleError } from '../bytes/errors.ts';
import type { FileJob } from '../jobs/settings.ts';
import { Digester } from '../platform/digests.ts';
import { type FileIdentity, isSameIdentity, tryReadIdentity } from '../platform/file-identity.ts';
import { openFile } from '../platform/files.ts';
import { toVisible } from '../report/escape.ts';
import type { FileResult, IncompleteReason } from '../verdict/model.ts';
import { ResultStore, type StoreHeader } from './result-store.ts';
import type { Terminal } from './terminal.ts';

/** Options that keep results of earlier scans. */
export interface StoreOptions {
  /** Where to go on with a scan that was cut off. */
  readonly resume?: string;
  /** Where results are kept from one scan to the next. */
  readonly cache?: string;
  /** Whether a file of the same size, times and inode is taken for unchanged without reading it. */
  readonly cacheQuick?: boolean;
}

/** Results that another moment may change: they are not kept from one scan to the next. */
const passing: ReadonlySet<IncompleteReason> = new Set(['timeout', 'unreadable', 'internal']);

/** Scans through the stores: what they have is not scanned again, and what is scanned is kept. */
export interface StoredResults {
  scan(job: FileJob, scan: (job: FileJob) => Promise<FileResult>): Promise<FileResult>;
  close(): void;
}

/**
 * @param needsTree - whether results need their trees
 * @throws TelltaleError `usage/arguments` when a state cannot be gone on with
 */
export function openStoredResults(
  options: StoreOptions,
  header: StoreHeader,
  needsTree: boolean,
  terminal: Terminal,
): StoredResults {
  const state = options.resume === undefined ? undefined : openState(options.resume, header, terminal);
  const cache = options.cache === undefined ? undefined : openCache(options.cache, header, terminal);

  const tryFind = (job: FileJob, identity: FileIdentity): FileResult | undefined => {
    const finished = state?.tryGet(job.path, identity, 'identity', needsTree);
    if (finished !== undefined) return finished;
    if (cache?.mayHave(job.path, identity) !== true) return undefined;
    const unchanged = options.cacheQuick === true ? 'identity' : tryReadDigest(job);
    if (unchanged === undefined) return undefined;
    const kept = cache.tryGet(job.path, identity, unchanged, needsTree);
    if (kept !== undefined) state?.add(job.path, identity, kept);
    return kept;
  };

  return {
    async scan(job, scan) {
      // A bundle is a folder: nothing tells at a glance that all in it is as it was.
      const identity = job.isBundle === true ? undefined : tryReadIdentity(job.rawPath ?? job.path);
      if (identity === undefined) return await scan(job);
      const found = tryFind(job, identity);
      if (found !== undefined) return found;
      const result = await scan(job);
      const after = tryReadIdentity(job.rawPath ?? job.path);
      // What was read may be of neither state of the file.
      if (after === undefined || !isSameIdentity(after, identity)) return result;
      // What could not be read, or not be judged, is tried again.
      if (!result.incompleteReasons.includes('unreadable')) state?.add(job.path, identity, result);
      const keeps =
        result.readBeside.length === 0 && !result.incompleteReasons.some((one) => passing.has(one));
      if (keeps) cache?.add(job.path, identity, result);
      return result;
    },
    close() {
      state?.close();
      cache?.close();
    },
  };
}

/** A state that does not fit is an error: the scan would not be the one that was cut off. */
function openState(path: string, header: StoreHeader, terminal: Terminal): ResultStore {
  const opened = ResultStore.open(path, header);
  switch (opened.kind) {
    case 'busy':
      throw new TelltaleError('usage/arguments', `another scan writes to ${path} (process ${opened.holder})`);
    case 'other':
      throw new TelltaleError(
        'usage/arguments',
        `${path} is the state of a scan with ${opened.difference}: use the same, or another file`,
      );
    case 'ready':
      if (opened.entries > 0) {
        terminal.err(`telltale: going on with ${toVisible(path)}: ${opened.entries} files are done\n`);
      }
      return opened.store;
  }
}

/** A cache that does not fit is begun anew, one that is in use is left alone; the scan goes on, and says so. */
function openCache(path: string, header: StoreHeader, terminal: Terminal): ResultStore | undefined {
  const opened = ResultStore.open(path, header);
  if (opened.kind === 'other') {
    terminal.err(`telltale: the cache ${toVisible(path)} is of ${opened.difference}, and begins anew\n`);
  }
  const used = opened.kind === 'other' ? ResultStore.replace(path, header) : opened;
  if (used.kind === 'ready') return used.store;
  const holder = used.kind === 'busy' ? ` (process ${used.holder})` : '';
  terminal.err(
    `telltale: the cache ${toVisible(path)} is in use${toVisible(holder)}; this scan does without\n`,
  );
  return undefined;
}

/** SHA-256 of a file; undefined when it cannot be read, which the scan will tell. */
function tryReadDigest(job: FileJob): { readonly sha256: string } | undefined {
  try {
    const source = openFile(job.rawPath ?? job.path);
    try {
      const digester = new Digester(['sha256']);
      for (const chunk of readPassing(source)) digester.update(chunk);
      const { sha256 } = digester.finish();
      return sha256 === undefined ? undefined : { sha256 };
    } finally {
      source.close();
    }
  } catch (error) {
    if (error instanceof TelltaleError) return undefined;
    throw error;
  }
}
