import { readFileSync } from 'node:fs';
import { compile } from '../../src/signatures/compile.ts';
import { loadDatabase } from '../../src/signatures/load.ts';
import { Matcher } from '../../src/signatures/match.ts';

/*
 * The matcher alone, in a process of its own: matching-run DATABASE FILE. It prints what one pass over the file takes,
 * the first one of the process, from which the compiler of the engine has still to learn. Loading the database,
 * compiling it and reading the file are outside of the time, as they are for yara.
 */

const chunkBytes = 1 << 20;

const [database = '', path = ''] = process.argv.slice(2);
const compiled = compile(loadDatabase([database]));
const bytes = readFileSync(path);
const processor = process.cpuUsage();
const start = process.hrtime.bigint();
const matcher = new Matcher(compiled);
for (let at = 0; at < bytes.length; at += chunkBytes) matcher.update(bytes.subarray(at, at + chunkBytes));
matcher.finish();
const wallSeconds = Number(process.hrtime.bigint() - start) / 1e9;
const { user, system } = process.cpuUsage(processor);
process.stdout.write(
  JSON.stringify({
    wallSeconds,
    cpuSeconds: (user + system) / 1e6,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    exitCode: 0,
  }),
);
