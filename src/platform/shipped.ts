import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder of the database that ships with the program. */
export const shippedDatabase = fileURLToPath(new URL('../../signatures/', import.meta.url));

/** The version of the program, from its package. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  if (
    typeof manifest === 'object' &&
    manifest !== null &&
    'version' in manifest &&
    typeof manifest.version === 'string'
  ) {
    return manifest.version;
  }
  throw new Error('package.json has no version');
}
