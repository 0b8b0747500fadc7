/*
 * A part of the build: scans a few small files, and writes down what the engine compiled for it, beside the files of the
 * program. In a thread it does so for what threads run, in a process for the rest. See `src/platform/compiled-code.ts`.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { isMainThread } from 'node:worker_threads';

// What ran once would be forgotten before it is written down.
setFlagsFromString('--no-flush-bytecode');
const root = fileURLToPath(new URL('..', import.meta.url));
const samples = join(root, 'fixtures/containers');
const paths = [
  join(root, 'package.json'),
  ...(existsSync(samples) ? readdirSync(samples, { withFileTypes: true }) : [])
    .filter((entry) => entry.isFile())
    .map(({ name }) => join(samples, name)),
];
const { code } = await import('../dist/platform/program-code.js');
await (isMainThread ? runProgram() : runThreads());
// The engine compares its options with those of the reader.
setFlagsFromString('--flush-bytecode');
code.keep();
process.exit();

async function runProgram() {
  const [{ startEarly }, { run }] = [
    await import('../dist/program/pool.js'),
    await import('../dist/program/run.js'),
  ];
  await startEarly(1);
  await run([process.execPath, 'telltale', 'scan', '--no-policy', ...paths]);
}

async function runThreads() {
  const { default: scan } = await import('../dist/jobs/worker.js');
  await import('../dist/jobs/decoder.js');
  await import('../dist/jobs/digester.js');
  const MiB = 1024 * 1024;
  const settings = {
    databases: [join(root, 'signatures')],
    usesKnownBuilds: true,
    limits: {
      bytesProduced: 64 * MiB,
      expansionRatio: 200,
      ratioFloorBytes: 64 * MiB,
      members: 1000,
      depth: 8,
      milliseconds: 10_000,
      memberBytesInMemory: 64 * MiB,
    },
    jobs: 1,
  };
  for (const path of paths) await scan({ settings, job: { path } });
}
