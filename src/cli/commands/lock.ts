import { toSafeJson, toVisible } from '../../report/escape.ts';
import { toLock } from '../../verdict/lock.ts';
import type { ExitName } from '../exit-codes.ts';
import { writeReport } from '../output-file.ts';
import { createLockPath } from '../policy-options.ts';
import { listItems, type ScanningOptions, scanItems } from '../scanning.ts';
import type { Terminal } from '../terminal.ts';

export interface LockOptions extends ScanningOptions {
  readonly output: string;
  readonly quiet?: boolean;
}

/** `telltale lock`: writes digests and verdicts of files down. */
export async function runLock(
  paths: readonly string[],
  options: LockOptions,
  terminal: Terminal,
): Promise<ExitName> {
  const { items } = listItems(paths);
  if (items.length === 0) {
    terminal.err('telltale: nothing to lock: the paths hold no files\n');
    return 'nothing';
  }
  const { files, database, isInterrupted } = await scanItems(items, options, terminal, {
    showsTree: false,
    keepsTree: true,
  });
  // Half a lock would call the other half new.
  if (isInterrupted) return 'interrupted';
  const lock = toLock(files, database.digest, createLockPath(options.output));
  writeReport(options.output, `${toSafeJson(lock, 2)}\n`, 'lock');
  const unread = files.filter(({ complete }) => !complete);
  terminal.out(`${toVisible(options.output)}: ${lock.files.length} files locked\n`);
  for (const { path } of unread) terminal.out(`${toVisible(path)}: was not read fully\n`);
  return unread.length > 0 ? 'incomplete' : 'ok';
}
