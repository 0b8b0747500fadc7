import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { type Ended, mainPath } from '../cli/run.ts';
import { type DownloadName, makeWorkplace } from './downloads.ts';

const script = fileURLToPath(new URL('../../examples/pipeline.sh', import.meta.url));

let folder = '';
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the example as a job would: in the folder of the job, with the program on hand. */
function runPipeline(...names: readonly DownloadName[]): Ended {
  folder = makeWorkplace(...names);
  const { status, stdout, stderr } = spawnSync('bash', [script, 'downloads', '--database', 'database'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, TELLTALE: `${process.execPath} ${mainPath}` },
  });
  return { code: status, stdout, stderr };
}

describe('when the example of a pipeline runs', () => {
  it('is green on files that are official, and leaves its reports', () => {
    const { code, stdout } = runPipeline('official');
    expect({ code, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({
      code: 0,
      last: 'pipeline: all files are official',
    });
    for (const name of ['telltale.xml', 'telltale.sarif', 'telltale.md']) {
      expect(existsSync(join(folder, name)), name).toBe(true);
    }
    expect(readFileSync(join(folder, 'telltale.xml'), 'utf8')).toContain('failures="0" errors="0"');
  });

  it('is red on another edition', () => {
    const { code, stdout } = runPipeline('official', 'variant');
    expect(code).toBe(1);
    expect(stdout).toContain('TOM-Skype');
    expect(stdout).toContain('pipeline: STOP: at least one file is not proved to be official');
    expect(readFileSync(join(folder, 'telltale.xml'), 'utf8')).toContain('failures="1"');
  });

  it('is red on a file that could not be read fully', () => {
    const { code, stdout } = runPipeline('official', 'unread');
    expect(code).toBe(1);
    expect(stdout).toContain('require official: downloads/bundle.zip: it was not read fully (encrypted)');
  });

  it('is red on what is not Skype, and on nothing at all', () => {
    expect(runPipeline('other').code).toBe(1);
    rmSync(folder, { recursive: true, force: true });
    const { code, stdout } = runPipeline();
    expect(code).toBe(4);
    expect(stdout).toContain('pipeline: STOP: there was nothing to scan');
  });
});
