import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Resources of Android itself, against which aapt compiles (Debian package android-framework-res). */
export const framework = '/usr/share/android-framework-res/framework-res.apk';

const isThere = (tool: string, ...given: readonly string[]): boolean =>
  spawnSync(tool, [...given]).error === undefined;

/** Which of Android's build tools are installed here. What is missing is said, once. */
export const androidTools = {
  apksigner: isThere('apksigner', '--version'),
  aapt: isThere('aapt', 'version'),
  zipalign: isThere('zipalign'),
  keytool: isThere('keytool', '-help'),
  framework: existsSync(framework),
};

const missing = Object.entries(androidTools)
  .filter(([, isInstalled]) => !isInstalled)
  .map(([name]) => (name === 'framework' ? 'android-framework-res' : name));
if (missing.length > 0) {
  console.warn(
    `SKIPPED: comparisons with Android's tools, because these are not installed: ${missing.join(', ')}`,
  );
}

/** Runs a tool to its end. @returns its exit code and both of its streams */
export function runTool(tool: string, ...given: readonly string[]): { code: number; output: string } {
  const { status, stdout, stderr, error } = spawnSync(tool, [...given], {
    encoding: 'utf8',
    maxBuffer: 1 << 27,
  });
  if (error !== undefined) throw error;
  return { code: status ?? -1, output: stdout + stderr };
}

/** As {@link runTool}, for a tool that has to succeed. */
export function makeWith(tool: string, ...given: readonly string[]): string {
  const { code, output } = runTool(tool, ...given);
  if (code !== 0) throw new Error(`${tool} ${given.join(' ')}: ${output}`);
  return output;
}
