import type { FileResult } from './model.ts';

/**
 * A result without what lies in the file: its tree ends at the root, which keeps neither facts nor members. Most forms
 * of report need no more, and a hundred thousand of these fit into memory.
 */
export function toSlim(file: FileResult): FileResult {
  return file.tree === null ? file : { ...file, tree: { ...file.tree, facts: [], members: [] } };
}
