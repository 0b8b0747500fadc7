import { toHex } from '../bytes/cursor.ts';
import { toDigest } from '../platform/digests.ts';
import type { FileResult, TreeNode } from './model.ts';
import type { Violation } from './policy.ts';

/** The name under which a lock is written and looked for. */
export const lockFileName = 'telltale.lock.json';

/** What a lock says of one file. */
export interface LockedFile {
  /** Relative to the folder of the lock, with `/`. */
  readonly path: string;
  /** Of the file; of a bundle, over the names and digests of what is in it. Null when it could not be read. */
  readonly sha256: string | null;
  readonly verdict: string;
  readonly variant: string | null;
  readonly version: string | null;
  readonly platform: string | null;
  readonly complete: boolean;
}

/** Digests and verdicts of files as they were when somebody looked at them; sorted by path. */
export interface Lock {
  readonly schema: 'telltale/lock/1';
  /** Digest of the database that gave the verdicts. */
  readonly database: string;
  readonly files: readonly LockedFile[];
}

/** @param toPath - the path of a file as the lock writes it */
export function toLock(
  files: readonly FileResult[],
  database: string,
  toPath: (path: string) => string,
): Lock {
  const locked = files.map((file): LockedFile => {
    const { verdict, variant, version, platform, complete } = file;
    const sha256 = toContentDigest(file);
    return { path: toPath(file.path), sha256, verdict, variant, version, platform, complete };
  });
  // A file that was given twice stands there once.
  const byPath = new Map(locked.map((file) => [file.path, file]));
  return {
    schema: 'telltale/lock/1',
    database,
    files: [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

function toContentDigest({ sha256, tree }: FileResult): string | null {
  if (sha256 !== null || tree === null || tree.members.length === 0) return sha256;
  const rows: string[] = [];
  const list = (node: TreeNode): void => {
    rows.push(JSON.stringify([node.name, node.relation, node.sha256]));
    for (const member of node.members) list(member);
  };
  for (const member of tree.members) list(member);
  return toHex(toDigest('sha256', new TextEncoder().encode(rows.join('\n'))));
}

/**
 * What is no longer as the lock has it.
 *
 * @param toPath - the path of a file as the lock writes it
 * @param isCovered - whether a path of the lock lies below what was scanned, so that it is missed when it is not there
 */
export function findDrift(
  files: readonly FileResult[],
  lock: Lock,
  toPath: (path: string) => string,
  isCovered: (path: string) => boolean,
): readonly Violation[] {
  const locked = new Map(lock.files.map((file) => [file.path, file]));
  const seen = new Set<string>();
  const drift: Violation[] = [];
  for (const file of files) {
    const path = toPath(file.path);
    seen.add(path);
    const before = locked.get(path);
    if (before === undefined) {
      drift.push({ path: file.path, rule: 'lock: new file', detail: 'it is not in the lock' });
      continue;
    }
    drift.push(...findChanges(file, before).map((change) => ({ path: file.path, ...change })));
  }
  for (const { path } of lock.files) {
    if (!seen.has(path) && isCovered(path)) {
      drift.push({ path, rule: 'lock: missing file', detail: 'the lock has it, and it is not there' });
    }
  }
  return drift;
}

function findChanges(file: FileResult, before: LockedFile): readonly Omit<Violation, 'path'>[] {
  const sha256 = toContentDigest(file);
  if (sha256 === null) return [{ rule: 'lock: unread', detail: 'its bytes could not be read and compared' }];
  if (sha256 !== before.sha256) {
    const was = before.sha256 === null ? 'none' : `${before.sha256.slice(0, 16)}…`;
    return [
      {
        rule: 'lock: changed content',
        detail: `its sha256 is ${sha256.slice(0, 16)}…, and the lock has ${was}`,
      },
    ];
  }
  const changes: string[] = [];
  for (const field of ['verdict', 'variant', 'version', 'platform', 'complete'] as const) {
    if (file[field] !== before[field])
      changes.push(`its ${field} is ${toWord(file[field])}, and the lock has ${toWord(before[field])}`);
  }
  return changes.map((detail) => ({ rule: 'lock: changed verdict', detail }));
}

function toWord(value: string | boolean | null): string {
  if (value === null) return 'none';
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : value;
}
