import { execFileSync } from 'node:child_process';

/** The moment that packers write into what they make, so that the same recipe makes the same bytes. */
export const recipeMoment = 1_200_000_000;

/**
 * Runs a program of a recipe.
 *
 * @throws Error with what the program wrote, when it does not succeed
 */
export function runTool(
  program: string,
  args: readonly string[],
  folder: string,
  input?: Uint8Array,
): Buffer {
  return execFileSync(program, args, {
    cwd: folder,
    env: { ...process.env, SOURCE_DATE_EPOCH: String(recipeMoment), TZ: 'UTC', LC_ALL: 'C.UTF-8' },
    maxBuffer: 1 << 30,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(input === undefined ? {} : { input }),
  });
}
