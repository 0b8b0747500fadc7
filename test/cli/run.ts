import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const mainPath = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built program as a person would, in a folder of its own. */
export function runTelltale(
  args: readonly string[],
  options: { readonly cwd: string; readonly input?: string; readonly env?: Record<string, string> },
): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [mainPath, ...args], {
    cwd: options.cwd,
    input: options.input ?? '',
    encoding: 'utf8',
    env: { ...process.env, ...options.env },
    maxBuffer: 1 << 28,
  });
  return { code: status, stdout, stderr };
}
