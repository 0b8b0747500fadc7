import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import type { Results } from './report/results.ts';

export function describeMachine(loadBefore: number): Results['machine'] {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    system: `${readSystemName()}, Linux ${release()}`,
    loadBefore,
    loadAfter: readLoad(),
  };
}

/** Processes that ran or waited for a processor, on average over the last minute. */
export function readLoad(): number {
  return loadavg()[0] ?? 0;
}

function readSystemName(): string {
  try {
    return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

const versionArguments: readonly (readonly [name: string, argv: readonly string[], pattern: RegExp])[] = [
  ['7zz', ['7zz', 'i'], /7-Zip[^\d]*([\d.]+)/],
  ['yara', ['yara', '--version'], /([\d.]+)/],
  ['clamscan', ['clamscan', '--version'], /ClamAV ([\d.]+)/],
  ['osslsigncode', ['osslsigncode', '--version'], /osslsigncode ([\d.]+)/],
  ['innoextract', ['innoextract', '--version'], /innoextract ([\d.]+)/],
  ['sha256sum', ['sha256sum', '--version'], /coreutils\) ([\d.]+)/],
];

/** Versions of what is compared; of those that are not there, nothing. */
export function readToolVersions(): Record<string, string> {
  const versions: Record<string, string> = { node: process.versions.node };
  for (const [name, [program = '', ...args], pattern] of versionArguments) {
    const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    const version = pattern.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1];
    if (version !== undefined) versions[name] = version;
  }
  return versions;
}
