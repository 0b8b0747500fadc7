import type { DatabaseFilesError } from './database-files.ts';
import { readPack } from './database-pack.ts';
import { type DatabaseContent, type DatabaseReference, readReferences } from './database-references.ts';

/** {@link readReferences}, of folders and packs alike. */
export function readDatabases(
  references: readonly DatabaseReference[],
  refuse?: (error: DatabaseFilesError) => void,
): DatabaseContent {
  return readReferences(references, readPack, refuse);
}
