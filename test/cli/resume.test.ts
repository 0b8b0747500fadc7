import { spawn } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildPlainSkype, buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { createRandom } from '../mutation.ts';
import { type Ended, mainPath, runTelltale } from './run.ts';

let folder = '';
const put = (name: string, content: Uint8Array | string): void => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), content);
};
const run = (...args: readonly string[]): Ended => runTelltale(args, { cwd: folder });
const scan = (...args: readonly string[]): Ended => run('scan', '--format', 'json', ...args, 'files');

/** Paths of the files that a store holds, in the order in which they were finished. */
const listStored = (name: string): readonly string[] =>
  readFileSync(join(folder, name), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line.slice(17)).path);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-resume-'));
  put('files/软件.zip', buildZip({ entries: [{ name: 'Tom-SkypeSetup.exe', data: buildTomSkype() }] }));
  put('files/plain.exe', buildPlainSkype());
  put('files/secret.zip', buildZip({ entries: [{ name: 'a.exe', data: 'x'.repeat(40), flags: 1 }] }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('when a scan is killed and resumed', () => {
  it('gives the report of one uninterrupted run, wherever it was killed', async () => {
    // Enough work that most kills meet the scan in the middle.
    const data = Buffer.alloc(3_000_000, 'filler ');
    for (let index = 0; index < 24; index += 1) {
      put(
        `files/many/${String(index).padStart(2, '0')}.zip`,
        buildZip({ entries: [{ name: `${index}.exe`, data }] }),
      );
    }
    const began = performance.now();
    const whole = scan();
    const duration = performance.now() - began;
    expect(whole.code).toBe(exitCodes.violation.code);

    const random = createRandom(20);
    let kills = 0;
    for (let round = 0; kills < 20; round += 1) {
      const state = `state-${round}`;
      let isDone = false;
      // Killed again and again, until a run comes to its end by itself.
      for (let attempt = 0; attempt < 4 && !isDone && kills < 20; attempt += 1) {
        isDone = await killAfter(state, duration / 4 + random(Math.ceil(duration * 0.75)));
        if (!isDone) kills += 1;
      }
      const resumed = scan('--resume', state);
      expect(resumed.stdout).toBe(whole.stdout);
      expect(resumed.code).toBe(whole.code);
      const stored = listStored(state);
      // Nothing was scanned twice, and nothing was lost.
      expect(new Set(stored).size).toBe(stored.length);
      expect(stored).toHaveLength(27);
    }
    expect(kills).toBe(20);
  }, 400_000);

  /** Whether the scan ended before it was killed. */
  async function killAfter(state: string, milliseconds: number): Promise<boolean> {
    const child = spawn(process.execPath, [mainPath, 'scan', '--resume', state, '--quiet', 'files'], {
      cwd: folder,
      stdio: 'ignore',
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
    const signal = await new Promise<NodeJS.Signals | null>((resolve) => {
      child.on('exit', (_code, by) => resolve(by));
    });
    clearTimeout(timer);
    return signal === null;
  }
});

describe('when a scan goes on with a state', () => {
  it('says so, and takes a torn last line', () => {
    const whole = scan('--resume', 'state');
    expect(whole.stderr).toBe('');
    appendFileSync(join(folder, 'state'), '0123456789abcdef {"path":"files/pl');
    const again = scan('--resume', 'state');
    expect(again.stdout).toBe(whole.stdout);
    expect(again.stderr).toBe('telltale: going on with state: 3 files are done\n');
  });

  it('scans a file again that changed meanwhile', () => {
    scan('--resume', 'state');
    put('files/plain.exe', buildTomSkype());
    const { stdout } = scan('--resume', 'state');
    expect(stdout).toBe(scan().stdout);
    expect(listStored('state')).toHaveLength(4);
  });

  it('refuses a state of other settings, of another scan that runs, and a file that is none', () => {
    scan('--resume', 'state');
    expect(scan('--resume', 'state', '--max-depth', '3')).toMatchObject({
      code: exitCodes.usage.code,
      stderr: expect.stringContaining('is the state of a scan with other limits'),
    });
    writeFileSync(join(folder, 'state.lock'), `${process.pid} ${hostname()}\n`);
    expect(scan('--resume', 'state').stderr).toContain('another scan writes to state');
    expect(scan('--resume', 'files/plain.exe').stderr).toContain('is no state of a scan');
  });
});

describe('when results are cached', () => {
  it('reports the same, and scans only what changed', () => {
    const first = scan('--cache', 'cache');
    expect(scan('--cache', 'cache').stdout).toBe(first.stdout);
    expect(listStored('cache')).toHaveLength(3);
    put('files/new.txt', 'new\n');
    put('files/plain.exe', buildTomSkype());
    expect(scan('--cache', 'cache').stdout).toBe(scan().stdout);
    expect(listStored('cache').slice(3).sort()).toEqual(['files/new.txt', 'files/plain.exe']);
  });

  it('goes by the bytes: a copy over a file is seen, whatever its times say', () => {
    scan('--cache', 'cache');
    // The same size and time of the content, and other bytes.
    const other = Buffer.from(buildPlainSkype());
    other[other.length - 1] = (other[other.length - 1] ?? 0) ^ 1;
    utimesSync(join(folder, 'files/plain.exe'), 1, 1);
    scan('--cache', 'cache');
    put('files/plain.exe', other);
    utimesSync(join(folder, 'files/plain.exe'), 1, 1);
    expect(scan('--cache', 'cache').stdout).toBe(scan().stdout);
    expect(scan('--cache', 'cache', '--cache-quick').stdout).toBe(scan().stdout);
  });

  it('knows a file that was touched by its bytes', () => {
    scan('--cache', 'cache');
    utimesSync(join(folder, 'files/plain.exe'), 1, 1);
    scan('--cache', 'cache');
    expect(listStored('cache')).toHaveLength(3);
    scan('--cache', 'cache', '--cache-quick');
    expect(listStored('cache')).toHaveLength(4);
  });

  it('begins anew for another database, and goes on without one that is in use', () => {
    scan('--cache', 'cache');
    const other = scan('--cache', 'cache', '--no-known-builds');
    expect(other.stderr).toContain('the cache cache is of another use of the ledger of known builds');
    expect(other.stdout).toBe(scan('--no-known-builds').stdout);
    writeFileSync(join(folder, 'cache.lock'), '1 another-machine\n');
    expect(scan('--cache', 'cache')).toMatchObject({
      code: exitCodes.violation.code,
      stderr: expect.stringContaining('is in use (process 1 another-machine); this scan does without'),
    });
  });

  it('does not keep what another moment may change', () => {
    copyFileSync(join(folder, 'files/plain.exe'), join(folder, 'big.exe'));
    const { stdout } = run('scan', '--cache', 'cache', '--timeout', '0.001', '--format', 'json', 'big.exe');
    if (JSON.parse(stdout).files[0].incompleteReasons.includes('timeout')) {
      expect(listStored('cache')).toEqual([]);
    } else {
      expect(listStored('cache')).toEqual(['big.exe']);
    }
  });

  it('helps in text, which needs no trees', () => {
    const first = run('scan', '--cache', 'cache', 'files').stdout;
    expect(run('scan', '--cache', 'cache', 'files').stdout).toBe(first);
    expect(run('scan', 'files').stdout).toBe(first);
  });
});

describe('when only what changed is wanted', () => {
  it('leaves out what is older, and says how much', () => {
    const { code, stdout } = run('scan', '--since', '2999-01-01', 'files');
    expect({ code, stdout }).toEqual({
      code: exitCodes.ok.code,
      stdout: expect.stringMatching(/^ 0 files: 3 older not looked at /),
    });
    expect(run('scan', '--since', '2001-01-01', 'files').stdout).toBe(run('scan', 'files').stdout);
  });

  it('counts the moment when a file arrived, not only that of its content', () => {
    utimesSync(join(folder, 'files/plain.exe'), 1, 1);
    expect(run('scan', '--since', '2001-01-01', 'files/plain.exe').stdout).toContain('1 file: ');
  });

  it('takes the age of a file, and refuses what is no time', () => {
    put('stamp', '');
    utimesSync(join(folder, 'stamp'), 2_000_000_000, 2_000_000_000);
    expect(run('scan', '--since', 'stamp', 'files').stdout).toContain('3 older not looked at');
    for (const value of ['yesterday', '2026-13-01', '']) {
      expect(run('scan', '--since', value, 'files').code).toBe(exitCodes.usage.code);
    }
  });
});
