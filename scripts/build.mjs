/*
 * Builds `dist/`: the program in a few files for Node, and the declarations of types beside them.
 *
 * Node takes longer to find and link two hundred small files than to run what is in them, so rolldown joins them. What
 * only some commands and some kinds of file need stays in chunks of its own. Nothing is minified: a stack trace names
 * functions and lines that a person can look up.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** Packages that stay what they are and are installed with the program; everything else becomes a part of it. */
const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const installed = Object.keys({ ...dependencies, ...peerDependencies });

rmSync(dist, { recursive: true, force: true });

/**
 * Writes a part of the program.
 *
 * @param format - `esm` for Node to load; `cjs` for what is loaded with its compiled code
 * @param input - entries by the place of their file in `dist`, without its ending
 * @param folder - of the other files. What a module asks for is found relative to it: each must lie one folder below
 *   `dist`, as the sources do below `src`
 * @param together - for each name of a file, the modules that it holds with all that they import without waiting,
 *   as far as no file before it does
 * @param elsewhere - what the first file imports, and the place of the file to import instead
 */
async function bundle(format, input, folder, together, elsewhere = {}) {
  const ending = format === 'esm' ? 'js' : 'cjs';
  const entries = new Set(Object.values(input).map((place) => join(root, place)));
  const groups = new Map();
  const gather = {
    name: 'gather',
    resolveId(source, importer) {
      const place = importer === join(root, 'src/cli/main.ts') ? elsewhere[source] : undefined;
      return place === undefined ? null : { id: place, external: true };
    },
    renderChunk: (code) => (format === 'cjs' ? code.replaceAll('await import(', 'await importOther(') : null),
    buildEnd() {
      const taken = new Set();
      for (const [name, starts] of Object.entries(together)) {
        const waiting = starts.map((start) => join(root, start));
        for (const id of waiting) {
          if (taken.has(id)) continue;
          taken.add(id);
          // An entry stays by itself: whoever shares its file would run it.
          if (!entries.has(id)) groups.set(id, name);
          waiting.push(...(this.getModuleInfo(id)?.importedIds ?? []));
        }
      }
    },
  };
  const build = await rolldown({
    cwd: root,
    platform: 'node',
    input,
    external: (id) => installed.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [gather],
    preserveEntrySignatures: 'allow-extension',
    // A report that the terminal uses as well is loaded with it; the import that waits is for the others.
    checks: { ineffectiveDynamicImport: false },
  });
  const { output } = await build.write({
    dir: dist,
    format,
    comments: false,
    // The worker has a default export beside others, for the pool that loads it.
    exports: 'named',
    entryFileNames: `[name].${ending}`,
    chunkFileNames: `${folder}/[name].${ending}`,
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: Object.keys(together).map((name) => ({ name, test: (id) => groups.get(id) === name })),
    },
  });
  await build.close();
  return output;
}

const output = [
  // The first file of the program hands over to what is compiled already.
  ...(await bundle(
    'esm',
    { 'cli/main': 'src/cli/main.ts', 'platform/compiled-code': 'src/platform/compiled-code.ts' },
    'chunks',
    { start: ['src/cli/standard-output.ts', 'src/platform/shipped.ts'] },
    { './run.ts': '../program/run.js', '../jobs/pool.ts': '../program/pool.js' },
  )),
  ...(await bundle(
    'cjs',
    {
      'program/run': 'src/cli/run.ts',
      'program/pool': 'src/jobs/pool.ts',
      'program/library': 'src/index.ts',
    },
    'program',
    {
      start: ['src/jobs/pool.ts'],
      scanning: ['src/cli/program.ts', 'src/cli/commands/scan.ts', 'src/report/text.ts'],
    },
  )),
  // Threads share no code: each gets what it needs in as few files as can be.
  ...(await bundle(
    'cjs',
    {
      'threads/worker': 'src/jobs/worker.ts',
      'threads/decoder': 'src/jobs/decoder.ts',
      'threads/compilation': 'src/jobs/compilation.ts',
      'threads/unpacker': 'src/jobs/unpacker.ts',
      'threads/digester': 'src/jobs/digester.ts',
    },
    'threads',
    {
      digests: ['src/jobs/digester.ts'],
      pieces: ['src/jobs/unpacker.ts'],
      formats: ['src/jobs/decoder.ts'],
      scanning: ['src/jobs/worker.ts', 'src/authenticity/authenticode.ts'],
    },
  )),
];

// What other files import by their place: the way to the files that are loaded with their compiled code.
writeFileSync(
  join(dist, 'platform/program-code.js'),
  `import { CompiledCode } from './compiled-code.js';
export const code = new CompiledCode();
`,
);
mkdirSync(join(dist, 'jobs'));
for (const [place, file] of [
  ['index', 'program/library'],
  ['program/run', 'program/run'],
  ['program/pool', 'program/pool'],
  ['jobs/worker', 'threads/worker'],
  ['jobs/decoder', 'threads/decoder'],
  ['jobs/unpacker', 'threads/unpacker'],
  ['jobs/digester', 'threads/digester'],
]) {
  const { exports: names } = output.find(({ fileName }) => fileName === `${file}.cjs`);
  const toHere = relative(dirname(join(dist, place)), dist) || '.';
  writeFileSync(
    join(dist, `${place}.js`),
    `import { code } from '${toHere}/platform/program-code.js';
const module = code.load(new URL('${toHere}/${file}.cjs', import.meta.url));
${names.map((name) => `export ${name === 'default' ? 'default' : `const ${name} =`} module.${name};`).join('\n')}
`,
  );
}
chmodSync(join(dist, 'cli/main.js'), 0o755);

/** What third-party code is in the program; a test holds the list of licences to it. */
const bundled = new Set(
  output
    .flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []))
    .flatMap((id) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ?? []),
);
writeFileSync(join(dist, 'bundled.json'), `${JSON.stringify([...bundled].sort())}\n`);

// The database that ships is a part of the program: checked and compiled by this very build, by the digest of its files.
const build = createHash('sha256');
for (const chunk of output) build.update(chunk.type === 'chunk' ? chunk.code : chunk.source);
const record = { build: build.digest('hex'), databases: {} };
const kept = join(dist, 'databases');
mkdirSync(kept);
if (existsSync(join(root, 'signatures'))) {
  const { compileForKeeping } = createRequire(import.meta.url)(join(dist, 'threads/compilation.cjs'));
  try {
    const { digest, form } = compileForKeeping([join(root, 'signatures')]);
    writeFileSync(join(kept, `${digest}.compiled`), form);
    record.databases[digest] = createHash('sha256').update(form).digest('hex');
  } catch (error) {
    // `npm test` says what is wrong with it; without it, the program still checks the databases of others.
    console.error(error instanceof Error ? error.message : error);
  }
}
writeFileSync(join(kept, 'record.json'), `${JSON.stringify(record)}\n`);

// What the engine compiles for a few small files, the program and its threads need not compile again.
const trial = join(root, 'scripts/keep-compiled-code.mjs');
await once(new Worker(trial), 'exit');
execFileSync(process.execPath, [trial], { stdio: ['ignore', 'ignore', 'inherit'] });

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
