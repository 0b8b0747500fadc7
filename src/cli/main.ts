#!/usr/bin/env node
import { availableParallelism } from 'node:os';
import { readVersion } from '../platform/shipped.ts';
import { exitCodes } from './exit-codes.ts';
import { writeFully } from './standard-output.ts';

/*
 * The one place where the program ends. A script that only asks for the version does not wait for anything else to
 * be loaded.
 */
if (process.argv.length === 3 && process.argv[2] === '--version') {
  writeFully(1, `${readVersion()}\n`);
} else {
  // Two threads load more in the same time than one.
  const early = scansInWorkers(process.argv) ? await import('../jobs/pool.ts') : undefined;
  await early?.startEarly(availableParallelism());
  const { run } = await import('./run.ts');
  process.exitCode = exitCodes[await run(process.argv)].code;
  await early?.stopEarly();
}

/** A guess from the words alone: a wrong one only costs a worker that nobody uses. */
function scansInWorkers([, , command, ...rest]: readonly string[]): boolean {
  return (
    (command === 'scan' || command === 'lock') &&
    !rest.some((word) => /^(?:-h$|--(?:help|jobs|rules))/.test(word))
  );
}
