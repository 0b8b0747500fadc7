#!/usr/bin/env node
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
  const { run } = await import('./run.ts');
  process.exitCode = exitCodes[await run(process.argv)].code;
}
