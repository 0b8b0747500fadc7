import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../shared/corpus/', import.meta.url));

/** The real files beside the checkout, where they are there. They never become part of the project. */
export const corpus = {
  available: existsSync(folder),
  /** Full path of a corpus file, e.g. `windows-stub-4.0.0.226/SkypeSetup.exe`. */
  path(name: string): string {
    return `${folder}${name}`;
  },
};

if (!corpus.available)
  console.warn('SKIPPED: tests on real files, because the corpus folder is not beside the checkout');
