/*
 * Builds `dist/`: the program in a few files for Node, and the declarations of types beside them.
 *
 * Node takes longer to find and link two hundred small files than to run what is in them, so rolldown joins them. What
 * only some commands and some kinds of file need stays in chunks of its own. Nothing is minified: a stack trace names
 * functions and lines that a person can look up.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** Packages that stay what they are and are installed with the program; everything else becomes a part of it. */
const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const installed = Object.keys({ ...dependencies, ...peerDependencies });

rmSync(dist, { recursive: true, force: true });
const bundle = await rolldown({
  cwd: root,
  platform: 'node',
  input: {
    index: 'src/index.ts',
    'cli/main': 'src/cli/main.ts',
    'jobs/decoder': 'src/jobs/decoder.ts',
    'jobs/pool': 'src/jobs/pool.ts',
    'jobs/worker': 'src/jobs/worker.ts',
  },
  external: (id) => installed.some((name) => id === name || id.startsWith(`${name}/`)),
});
const { output } = await bundle.write({
  dir: dist,
  format: 'esm',
  comments: false,
  // Files are found relative to the modules that ask for them: each must lie one folder below the root of `dist`.
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
});
await bundle.close();
chmodSync(join(dist, 'cli/main.js'), 0o755);

/** What third-party code is in the program; a test holds the list of licences to it. */
const bundled = new Set(
  output
    .flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []))
    .flatMap((id) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ?? []),
);
writeFileSync(join(dist, 'bundled.json'), `${JSON.stringify([...bundled].sort())}\n`);

// A database that passed all checks of this very build needs none when the program runs.
const build = createHash('sha256');
for (const chunk of output) build.update(chunk.type === 'chunk' ? chunk.code : chunk.source);
const record = { build: build.digest('hex'), databases: [] };
const place = join(dist, 'checked-databases.json');
if (existsSync(join(root, 'signatures'))) {
  const { loadDatabase } = await import(pathToFileURL(join(dist, 'index.js')).href);
  try {
    record.databases.push(loadDatabase([join(root, 'signatures')]).digest);
  } catch (error) {
    // `npm test` says what is wrong with it; without it, the program still checks the databases of others.
    console.error(error instanceof Error ? error.message : error);
  }
}
writeFileSync(place, `${JSON.stringify(record)}\n`);

// A fault in a type does not keep the program from being built; `npm run check` finds it.
try {
  execFileSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
} catch (error) {
  if (!existsSync(join(dist, 'index.d.ts'))) throw error;
  process.exitCode = 1;
}
