import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The tests of the command line run the built program, so it is built before anything else. */
export default function setup(): void {
  const root = fileURLToPath(new URL('..', import.meta.url));
  try {
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'pipe' });
  } catch (error) {
    // Type errors are the business of `npm run typecheck`, which `npm test` runs first; the program is built all the same.
    if (!existsSync(`${root}/dist/cli/main.js`)) throw error;
  }
}
