import { TelltaleError } from '../bytes/errors.ts';
import { toBaseName } from '../scan/names.ts';

/**
 * A file in the same folder; undefined when there is none. The name comes from the scanned file: only a plain one is
 * followed.
 */
export function openSibling<Source>(
  path: string,
  name: string,
  open: (path: string) => Source,
): Source | undefined {
  if (name === '' || name === '.' || name === '..' || /[/\\:\0]/.test(name)) return undefined;
  try {
    return open(path.slice(0, path.length - toBaseName(path).length) + name);
  } catch (error) {
    if (error instanceof TelltaleError) return undefined;
    throw error;
  }
}
