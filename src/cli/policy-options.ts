import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { TelltaleError } from '../bytes/errors.ts';
import { readSmallFile } from '../platform/files.ts';
import { type Lock, lockFileName } from '../verdict/lock.ts';
import { defaultPolicy, type Policy, policyFileName, type Requirements } from '../verdict/policy.ts';

/** Options that say what a gate lets through. */
export interface PolicyOptions {
  readonly failOn?: Policy['failOn'];
  readonly require?: Requirements;
  /** A file; false looks for none; without it, it is looked for from the working folder upwards. */
  readonly policy?: string | false;
}

/** The policy of a run, and the file that it came from, as it is shown. */
export interface ChosenPolicy {
  readonly policy: Policy;
  readonly file: string | null;
}

/** The policy file with what the options put in place of its parts. @throws TelltaleError `usage/arguments` */
export async function choosePolicy(options: PolicyOptions): Promise<ChosenPolicy> {
  const { file, policy } = await readPolicy(options.policy);
  return {
    file,
    policy: {
      failOn: options.failOn ?? policy.failOn,
      require: options.require ?? policy.require,
      exceptions: policy.exceptions,
    },
  };
}

async function readPolicy(option: string | false | undefined): Promise<ChosenPolicy> {
  if (option === false) return { file: null, policy: defaultPolicy };
  const path = option ?? findUpwards(policyFileName);
  if (path === undefined) return { file: null, policy: defaultPolicy };
  // Most scans have none: what reads it is loaded for those that do.
  const { parsePolicy } = await import('../verdict/policy-file.ts');
  return { file: path, policy: parsePolicy(path, readTextFile(path, 'policy')) };
}

/** The nearest file of a name in the working folder or above it, relative to the working folder. */
function findUpwards(name: string): string | undefined {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return relative(process.cwd(), join(folder, name));
    if (folder === dirname(folder)) return undefined;
  }
}

const maxBytes = 32 * 1024 * 1024;

function readTextFile(path: string, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readSmallFile(path, maxBytes));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TelltaleError('usage/arguments', `the ${what} ${path} cannot be read: ${reason}`);
  }
}

/** A lock that was found, and how its paths and those of a scan go together. */
export interface FoundLock {
  readonly path: string;
  readonly lock: Lock;
  toLockPath(path: string): string;
  /** The path of a locked file, to be scanned. */
  toScanPath(path: string): string;
}

/** @throws TelltaleError `usage/arguments` when there is none, or none that can be used */
export async function readLock(option: string | undefined): Promise<FoundLock> {
  const path = option ?? findUpwards(lockFileName);
  if (path === undefined) {
    throw new TelltaleError(
      'usage/arguments',
      `there is no ${lockFileName} in this folder or above it; telltale lock writes one`,
    );
  }
  const { parseLock } = await import('../verdict/policy-file.ts');
  const lock = parseLock(path, readTextFile(path, 'lock'));
  return {
    path,
    lock,
    toLockPath: createLockPath(path),
    toScanPath: (file) => relative(process.cwd(), resolve(dirname(path), file)) || '.',
  };
}

/** How a lock at this place writes the path of a file: from its own folder, with slashes. */
export function createLockPath(lockPath: string): (path: string) => string {
  const folder = dirname(resolve(lockPath));
  return (path) => relative(folder, resolve(path)).replaceAll('\\', '/') || '.';
}

/** The day of today in UTC, or that of SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/). */
export function readToday(): string {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  const time = epoch !== undefined && /^\d{1,11}$/.test(epoch) ? new Date(Number(epoch) * 1000) : new Date();
  return time.toISOString().slice(0, 10);
}
