import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildPlainSkype, buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { toHex } from '../../src/bytes/cursor.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { toDigest } from '../../src/platform/digests.ts';
import { type Ended, runTelltale } from './run.ts';

let folder = '';
const put = (name: string, content: Uint8Array | string): void => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), content);
};
const run = (args: readonly string[], cwd = '.', env: Record<string, string> = {}): Ended =>
  runTelltale(args, { cwd: join(folder, cwd), env });
const day = (date: string): Record<string, string> => ({
  SOURCE_DATE_EPOCH: String(Date.parse(date) / 1000),
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-policy-'));
  put('files/tom.exe', buildTomSkype());
  put('files/plain.exe', buildPlainSkype());
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const tomDigest = toHex(toDigest('sha256', buildTomSkype()));
const exception = (expires: string): string =>
  JSON.stringify({
    exceptions: [{ sha256: tomDigest, reason: 'kept for research', owner: 'archive', expires }],
  });

describe('when a policy file is there', () => {
  it('is found upwards, applied and named', () => {
    put('telltale.json', '{ "failOn": ["unverified"] }');
    const { code, stdout } = run(['scan', 'plain.exe'], 'files');
    expect(code).toBe(exitCodes.violation.code);
    expect(stdout).toContain('policy of ../telltale.json violated (fail on unverified) by 1 file;');
    expect(run(['scan', 'tom.exe'], 'files')).toMatchObject({
      code: exitCodes.ok.code,
      stdout: expect.stringContaining(' policy of ../telltale.json met\n'),
    });
  });

  it('gives way to options, and to --no-policy', () => {
    put('telltale.json', '{ "failOn": ["unverified"], "require": { "minimumVersion": "99" } }');
    expect(run(['scan', '--no-policy', 'files/plain.exe']).code).toBe(exitCodes.ok.code);
    expect(run(['scan', '--fail-on', 'none', 'files/plain.exe']).stdout).toContain(
      'violated (require version)',
    );
    expect(run(['scan', '--fail-on', 'none', '--require', 'product=skype', 'files/plain.exe']).code).toBe(0);
  });

  it('can be given by name', () => {
    put('strict.json', '{ "require": { "verdict": ["official"] } }');
    const { code, stdout } = run(['scan', '--policy', 'strict.json', 'files/plain.exe']);
    expect(code).toBe(exitCodes.violation.code);
    expect(stdout).toContain('require official: files/plain.exe: it is unverified');
    expect(run(['scan', '--policy', 'nowhere.json', 'files'])).toMatchObject({
      code: exitCodes.usage.code,
      stderr: expect.stringContaining('the policy nowhere.json cannot be read'),
    });
  });

  it('is refused with file, line and field when it is wrong', () => {
    put(
      'telltale.json',
      '{\n  "failOn": ["evil"],\n  "requires": {},\n  "exceptions": [{ "sha256": "00" }]\n}\n',
    );
    const { code, stderr } = run(['scan', 'files']);
    expect(code).toBe(exitCodes.usage.code);
    expect(stderr).toContain('telltale.json:2:14: failOn[0]: ');
    expect(stderr).toContain('telltale.json:3:3: requires: unknown field');
    expect(stderr).toContain('telltale.json:4:18: exceptions[0].owner: is missing (string expected)');
    expect(stderr).toContain('telltale.json:4:30: exceptions[0].sha256: 64 lower-case hexadecimal digits');
  });
});

describe('when a policy has an exception', () => {
  it('lets the file through until it ends, with reason and owner', () => {
    put('telltale.json', exception('2026-06-30'));
    const { code, stdout } = run(['scan', 'files/tom.exe'], '.', day('2026-06-30'));
    expect(code).toBe(exitCodes.ok.code);
    expect(stdout).toContain(' let through   files/tom.exe: kept for research (archive, until 2026-06-30)');
  });

  it('fails when it has ended, and says so', () => {
    put('telltale.json', exception('2026-06-30'));
    const { code, stdout } = run(['scan', 'files/tom.exe'], '.', day('2026-07-01'));
    expect(code).toBe(exitCodes.violation.code);
    expect(stdout).toContain(
      'exception expired: files/tom.exe: the exception of archive (kept for research) ended',
    );
  });
});

describe('when files are locked', () => {
  const lockName = 'telltale.lock.json';

  it('writes digests and verdicts, and finds nothing changed', () => {
    const { code, stdout } = run(['lock', 'files']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${lockName}: 2 files locked\n` });
    const lock: { files: { path: string; sha256: string; verdict: string }[] } = JSON.parse(
      readFileSync(join(folder, lockName), 'utf8'),
    );
    expect(lock.files.map(({ path, verdict }) => `${path} ${verdict}`)).toEqual([
      'files/plain.exe unverified',
      'files/tom.exe variant',
    ]);
    expect(lock.files[1]?.sha256).toBe(tomDigest);
    expect(run(['scan', '--locked', '--fail-on', 'none'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(` policy of ${lockName} met\n`),
    });
    // Also from a folder below, where the lock is found upwards.
    expect(run(['scan', '--locked', '--fail-on', 'none', '.'], 'files').code).toBe(0);
  });

  it('fails on files that changed, came or went', () => {
    run(['lock', 'files']);
    put('files/plain.exe', buildPlainSkype().fill(0, -1));
    put('files/new.txt', 'new\n');
    rmSync(join(folder, 'files/tom.exe'));
    const { code, stdout } = run(['scan', '--locked', '--fail-on', 'none', 'files']);
    expect(code).toBe(exitCodes.violation.code);
    expect(stdout).toContain('lock: new file: files/new.txt: it is not in the lock');
    expect(stdout).toContain('lock: missing file: files/tom.exe');
    expect(stdout).toContain('violated (lock: missing file, lock: new file) by 2 files');
    put('files/plain.exe', buildTomSkype());
    expect(run(['scan', '--locked', '--fail-on', 'none', 'files']).stdout).toContain(
      'lock: changed content: files/plain.exe',
    );
  });

  it('fails when everything it names is gone', () => {
    run(['lock', 'files']);
    rmSync(join(folder, 'files'), { recursive: true });
    mkdirSync(join(folder, 'files'));
    expect(run(['scan', '--locked', 'files']).code).toBe(exitCodes.violation.code);
    expect(run(['scan', '--locked']).code).toBe(exitCodes.violation.code);
  });

  it('says when there is no lock, or no path', () => {
    expect(run(['scan', '--locked', 'files']).stderr).toContain('there is no telltale.lock.json');
    expect(run(['scan'])).toMatchObject({
      code: exitCodes.usage.code,
      stderr: expect.stringContaining('no path was given'),
    });
  });

  it('says which files it could not read fully', () => {
    put('files/secret.zip', buildZip({ entries: [{ name: 'a.exe', data: 'x'.repeat(40), flags: 1 }] }));
    expect(run(['lock', 'files'])).toMatchObject({
      code: exitCodes.incomplete.code,
      stdout: expect.stringContaining('files/secret.zip: was not read fully'),
    });
  });
});

describe('when a requirement is given as an option', () => {
  it.each([
    ['official,other', 'require official or other'],
    ['product=aim', 'require product'],
    ['platform=macos,platform=linux', 'require platform'],
    ['publisher=skype', 'require publisher'],
    ['version>=99', 'require version'],
    ['known-build', 'require known build'],
  ])('%s', (list, rule) => {
    expect(run(['scan', '--require', list, 'files/plain.exe'])).toMatchObject({
      code: exitCodes.violation.code,
      stdout: expect.stringContaining(`violated (${rule})`),
    });
  });

  it('refuses one that does not exist', () => {
    for (const list of ['offical', 'version>=x', 'product=', '']) {
      expect(run(['scan', '--require', list, 'files'])).toMatchObject({
        code: exitCodes.usage.code,
        stderr: expect.stringContaining('cannot be required'),
      });
    }
  });
});
