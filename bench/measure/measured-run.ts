import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from '../root.ts';

const script = join(root, 'bench/measure/measured-run.py');

export const measurementSchema = z.object({
  wallSeconds: z.number().nonnegative(),
  /** User and system time of all processes. */
  cpuSeconds: z.number().nonnegative(),
  /** The largest resident size of any one process. */
  peakBytes: z.number().nonnegative(),
  exitCode: z.number().int(),
});

/** What one run of a program took. */
export type Measurement = z.infer<typeof measurementSchema>;

/** A program to be measured. */
export interface Command {
  /** As the figures name it: `telltale`, `clamscan`. */
  readonly name: string;
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** Exit codes that are no failure. */
  readonly goodExits: readonly number[];
  /** Clears away what the last run left, outside of the time. */
  readonly prepare?: () => void;
}

/** What a run wrote, beside what it took. */
export interface MeasuredRun extends Measurement {
  readonly stdoutPath: string;
}

/** Where the output of the last run of a command is. */
export function toStdoutPath(folder: string, name: string): string {
  return join(folder, `${name}.stdout`);
}

/**
 * Runs a command once.
 *
 * @param folder - where its output goes; that of the run before is overwritten
 * @throws Error with what it wrote on standard error, when it ends with any other exit code
 */
export function runMeasured(command: Command, folder: string): MeasuredRun {
  command.prepare?.();
  const result = join(folder, `${command.name}.measured.json`);
  const stdoutPath = toStdoutPath(folder, command.name);
  const stderrPath = join(folder, `${command.name}.stderr`);
  const run = spawnSync('python3', [script, result, stdoutPath, stderrPath, ...command.argv], {
    encoding: 'utf8',
  });
  if (run.status !== 0) {
    throw new Error(`${command.argv.join(' ')} could not be run: ${run.error?.message ?? run.stderr}`);
  }
  const measurement = measurementSchema.parse(JSON.parse(readFileSync(result, 'utf8')));
  if (!command.goodExits.includes(measurement.exitCode)) {
    const said = readFileSync(stderrPath, 'utf8').slice(-2_000).trim();
    throw new Error(`${command.argv.join(' ')} ended with exit code ${measurement.exitCode}: ${said}`);
  }
  return { ...measurement, stdoutPath };
}

/**
 * Measures commands alternately: each once a round, and another one first in each round, so that what else the machine
 * does falls on all of them alike.
 *
 * @param rounds - of each command, by its place in the list; the last rounds have only those that want so many
 * @returns the measurements of each command, in the order of the commands
 */
export function measureAlternately(
  commands: readonly Command[],
  rounds: (index: number) => number,
  folder: string,
): readonly (readonly Measurement[])[] {
  const results: Measurement[][] = commands.map(() => []);
  const most = Math.max(...commands.map((_, index) => rounds(index)));
  for (let round = 0; round < most; round += 1) {
    for (let turn = 0; turn < commands.length; turn += 1) {
      const index = (turn + round) % commands.length;
      const command = commands[index];
      if (command === undefined || round >= rounds(index)) continue;
      const { wallSeconds, cpuSeconds, peakBytes, exitCode } = runMeasured(command, folder);
      results[index]?.push({ wallSeconds, cpuSeconds, peakBytes, exitCode });
    }
  }
  return results;
}
