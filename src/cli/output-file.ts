import { closeSync, constants, openSync, writeFileSync, writeSync } from 'node:fs';
import { TelltaleError } from '../bytes/errors.ts';

export interface OutputOptions {
  /** Write over a file that is there; a link is never followed. */
  readonly force: boolean;
  /** Permissions of a new file, 0o644 when left out; the process may take some away. */
  readonly mode?: number;
}

/**
 * Writes a new file: never over another one unless told, never through a link.
 *
 * @throws TelltaleError `usage/arguments` when there is a file already, or it cannot be written
 */
export function writeFile(
  target: string,
  chunks: Iterable<Uint8Array>,
  { force, mode }: OutputOptions,
): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_NOFOLLOW } = constants;
  let descriptor: number;
  try {
    descriptor = openSync(
      target,
      O_WRONLY | O_CREAT | (force ? O_TRUNC | (O_NOFOLLOW ?? 0) : O_EXCL),
      mode ?? 0o644,
    );
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST')
      throw new TelltaleError('usage/arguments', `${target} is there already; --force writes over it`);
    if (code === 'ELOOP')
      throw new TelltaleError(
        'usage/arguments',
        `${target} is a link; telltale does not write through links`,
      );
    throw new TelltaleError(
      'usage/arguments',
      `${target} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  try {
    for (const chunk of chunks) writeAll(descriptor, chunk);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes all bytes to an open file or pipe. */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}

/**
 * Writes a report, in the place of an earlier one.
 *
 * @param what - for the message: `report`, `lock`
 * @throws TelltaleError `usage/arguments`
 */
export function writeReport(path: string, content: string, what = 'report'): void {
  try {
    writeFileSync(path, content);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TelltaleError('usage/arguments', `the ${what} cannot be written to ${path}: ${reason}`);
  }
}
