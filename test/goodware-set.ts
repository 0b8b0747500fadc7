import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const root = fileURLToPath(new URL('..', import.meta.url));
export const fetchGoodware = join(root, 'scripts/fetch-goodware.mjs');

const manifestSchema = z.object({
  packages: z.array(
    z.object({ name: z.string(), version: z.string(), bytes: z.number(), small: z.boolean() }),
  ),
});
export const manifestText = readFileSync(join(root, 'fixtures/goodware/manifest.json'), 'utf8');
export const manifest = manifestSchema.parse(JSON.parse(manifestText));

const fromEnvironment = process.env.TELLTALE_GOODWARE ?? '';
const cache = fromEnvironment === '' ? join(homedir(), '.cache/telltale/goodware') : fromEnvironment;

const small = manifest.packages.filter((one) => one.small);
const checked = spawnSync(process.execPath, [fetchGoodware, '--small', '--check', '--into', cache], {
  encoding: 'utf8',
});

/** The small part of the goodware, where it was fetched. It never becomes part of the project. */
export const goodware = {
  /** Everything is there, and matches its digest. */
  available: checked.status === 0,
  /** Where it is. */
  folder: cache,
  paths: small.map(({ name, version }) =>
    join(cache, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`),
  ),
};

if (!goodware.available) {
  console.warn(
    `SKIPPED: tests on goodware; node scripts/fetch-goodware.mjs --small fetches it\n${checked.stderr}`,
  );
}
