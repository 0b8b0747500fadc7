import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildPe } from '../../fixtures/pe-builder.ts';
import { packUpx } from '../../fixtures/upx-builder.ts';
import { toRandomBytes } from '../signatures/similarity/samples.ts';
import { type Ended, runTelltale } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'telltale-fingerprint-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
}

const run = (...args: readonly string[]): Ended => runTelltale(args, { cwd: folder });

const code = toRandomBytes(40_000, 1, 200);
const toProgram = (data: Uint8Array): Uint8Array =>
  buildPe({
    sections: [{ name: '.data', data }],
    versionInfo: { ProductName: 'Skype', CompanyName: 'Skype Technologies S.A.', FileVersion: '9.9.0.1' },
  });
put('下载/Skype 9.exe', packUpx(toProgram(code), { method: 'nrv2e' }));
put('edited.exe', toProgram(Uint8Array.from(code, (byte, at) => (at < 300 ? 0 : byte))));
put('plain.exe', toProgram(code));
put('small.txt', 'hello\n');

describe('when lines for a table are asked for', () => {
  it('prints one for the file and one for its unpacked image, and says what is missing', () => {
    const { code: exit, stdout, stderr } = run('db', 'fingerprint', '下载/Skype 9.exe');
    const cells = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(exit).toBe(0);
    expect(cells.map((row) => row.slice(3, 9))).toEqual([
      ['windows', '', 'Skype', '9.9.0.1', 'Skype 9.exe', ''],
      ['windows', '', 'Skype', '9.9.0.1', 'Skype 9.exe', '[upx]'],
    ]);
    expect(stderr).toBe(
      'telltale: 下载/Skype 9.exe has nothing under variant, sources: fill that in before the line is used\n',
    );
  });

  it('makes a database by which an edited file is recognised', () => {
    const { stdout } = run('db', 'fingerprint', '--header', '--source', 'a/b@1234567:c', 'plain.exe');
    put('own/skype/similar/windows.tsv', stdout);
    const refused = run('scan', '--database', 'own', 'edited.exe');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/own\/skype\/similar\/windows\.tsv:2:\d+: variant: is empty/);

    put('own/skype/similar/windows.tsv', stdout.replace('\twindows\t\t', '\twindows\tofficial\t'));
    const told = run('scan', '--database', 'own', 'edited.exe');
    expect(told.stdout).toMatch(
      /closest to {3}Skype 9\.9\.0\.1 for Windows, 9\d % alike \(a hint, not\s+proof\)/,
    );
    expect(run('scan', '--database', 'own', 'plain.exe').stdout).not.toContain('closest to');
    expect(run('scan', 'edited.exe').stdout).not.toContain('closest to');
    expect(run('db', 'stats', '--database', 'own').stdout).toMatch(/similar {7}15 /);
    const json: unknown = JSON.parse(
      run('scan', '--format', 'json', '--database', 'own', 'edited.exe').stdout,
    );
    expect(json).toMatchObject({ files: [{ verdict: 'unverified', closest: [{ version: '9.9.0.1' }] }] });
  });

  it('goes on after what cannot be read, and says so', () => {
    const { code: exit, stdout, stderr } = run('db', 'fingerprint', 'missing.exe', 'small.txt', 'plain.exe');
    expect(exit).toBe(3);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain('telltale: missing.exe does not exist\n');
    expect(stderr).toContain('telltale: small.txt has no line of its own: it has fewer than 4096 bytes');
  });
});

describe('when the shipped table is read', () => {
  it('ends with a line feed and names its columns', () => {
    const text = readFileSync(new URL('../../signatures/skype/similar/windows.tsv', import.meta.url), 'utf8');
    expect(text).toMatch(/^sha256\ttlsh\tssdeep\t[^\n]*\n[\s\S]*[^\n]\n$/);
  });
});
