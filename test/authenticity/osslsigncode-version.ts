import { spawnSync } from 'node:child_process';

/** The version of osslsigncode as a number (`2.09` for 2.9), or undefined when it is not installed. */
function readVersion(): number | undefined {
  const { stdout, error } = spawnSync('osslsigncode', ['--version'], { encoding: 'utf8' });
  const match = /osslsigncode (\d+)\.(\d+)/.exec(stdout ?? '');
  return error !== undefined || match === null ? undefined : Number(match[1]) + Number(match[2]) / 100;
}

const version = readVersion();

/** Signs and verifies programs and installer packages. */
export const hasOsslsigncode = version !== undefined;

/** Makes timestamps of its own and knows app packages, both of which came with 2.6 to 2.9. */
export const hasNewOsslsigncode = version !== undefined && version >= 2.09;

if (!hasOsslsigncode) {
  console.warn('SKIPPED: comparison of signatures with osslsigncode, because it is not installed');
} else if (!hasNewOsslsigncode) {
  console.warn(
    `SKIPPED: stamped signatures and app packages against osslsigncode, because it is older than 2.9`,
  );
}
