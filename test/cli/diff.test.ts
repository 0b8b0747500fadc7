import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSkypeLike, buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { put } from '../diff/compare-bytes.ts';
import { type Ended, mainPath, runTelltale } from './run.ts';

let folder = '';
const run = (...args: readonly string[]): Ended => runTelltale(['diff', ...args], { cwd: folder });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-cli-diff-'));
  const locked = (name: string): Uint8Array =>
    buildZip({ entries: [{ name, data: 'x'.repeat(40), flags: 1 }] });
  put(folder, {
    'official.exe': buildSkypeLike({ version: '5.1.0.112' }),
    '软件 tom.exe': buildTomSkype(),
    one: { 'a.zip': locked('x'), 'b.txt': 'a text' },
    two: { 'a.zip': locked('x'), 'b.txt': 'a text' },
    empty: {},
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('when diff ends', () => {
  it('gives 0 when the two are the same', () => {
    expect(run('official.exe', 'official.exe')).toMatchObject({
      code: exitCodes.ok.code,
      stdout: expect.stringContaining('the two are identical, byte for byte'),
      stderr: '',
    });
    expect(run('empty', 'empty').code).toBe(exitCodes.ok.code);
  });

  it('gives 1 when they differ', () => {
    const { code, stdout, stderr } = run('official.exe', '软件 tom.exe');
    expect({ code, stderr }).toEqual({ code: exitCodes.violation.code, stderr: '' });
    expect(stdout).toMatch(/official\.exe → 软件 tom\.exe: 1 member: 1 changed/);
    expect(run('empty', 'one').code).toBe(exitCodes.violation.code);
  });

  it('gives 2 for wrong usage', () => {
    for (const args of [
      [],
      ['official.exe'],
      ['--format', 'xml', 'one', 'two'],
      ['--output', '', 'one', 'two'],
      ['--output', 'nowhere/x.html', 'one', 'two'],
    ])
      expect(run(...args)).toMatchObject({
        code: exitCodes.usage.code,
        stdout: '',
        stderr: expect.stringMatching(/.../),
      });
  });

  it('gives 3 when there is no difference in what could be read, or a path cannot be read', () => {
    expect(run('--max-depth', '1', 'one', 'two')).toMatchObject({
      code: exitCodes.incomplete.code,
      stdout: expect.stringContaining('no difference was found, but'),
    });
    expect(run('official.exe', 'missing\u001b.exe')).toEqual({
      code: exitCodes.incomplete.code,
      stdout: '',
      stderr: 'telltale: missing\\u{1b}.exe does not exist; nothing was compared\n',
    });
  });

  it('ends quietly when its reader goes away, before or after the last byte', () => {
    const script =
      'set -o pipefail; "$0" "$1" diff --format json official.exe * | head -c 1; echo " ${PIPESTATUS[0]}"';
    const ended = spawnSync(
      'bash',
      ['-c', script.replace(' *', ' "软件 tom.exe"'), process.execPath, mainPath],
      {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env },
      },
    );
    expect(ended.stderr).toBe('');
    expect(ended.stdout).toMatch(/^\{ (?:141|1)\n$/);
  });
});

describe('when the report is written into a file', () => {
  it('leaves stdout empty, and writes the same bytes each time', () => {
    for (const format of ['text', 'json', 'html']) {
      const printed = run('--format', format, 'official.exe', '软件 tom.exe').stdout;
      expect(printed.length).toBeGreaterThan(500);
      expect(run('--format', format, '--output', 'report', 'official.exe', '软件 tom.exe').stdout).toBe('');
      expect(readFileSync(join(folder, 'report'), 'utf8')).toBe(printed);
    }
  });
});
