import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPlainSkype } from '../../fixtures/synthetic-skype.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { readVersion } from '../../src/platform/shipped.ts';
import { reportFormats } from '../../src/report/reporters.ts';
import { loadDatabase } from '../../src/signatures/load.ts';
import { type Ended, runTelltale } from './run.ts';

/** The database changes with every indicator: it is no part of what these tests hold still. */
const shipped = loadDatabase([fileURLToPath(new URL('../../signatures/', import.meta.url))]);
const still = (text: string): string =>
  text
    .replaceAll(shipped.digest, 'DIGEST')
    .replaceAll(shipped.digest.slice(0, 8), 'DIGEST')
    .replaceAll(shipped.version, 'REVISION')
    .replaceAll(readVersion(), 'VERSION');

let folder = '';
const run = (...args: readonly string[]): Ended => runTelltale(args, { cwd: folder });
const put = (name: string, bytes: Uint8Array | string): void => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), bytes);
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-formats-'));
  put('copy/Skype.exe', buildPlainSkype());
  put('plain/notes.txt', 'Nothing to do with it.\n');
  put('locked/secret.zip', buildZip({ entries: [{ name: 'client.exe', data: 'x'.repeat(40), flags: 1 }] }));
  mkdirSync(join(folder, 'empty'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One command for each way in which a scan can end by itself. */
const endings = {
  ok: ['plain'],
  violation: ['--fail-on', 'unverified', 'copy'],
  usage: ['--fail-on', 'evil', 'plain'],
  incomplete: ['locked'],
  nothing: ['empty'],
} as const;

describe.each(reportFormats)('when a scan is reported as %s', (format) => {
  it.each(Object.entries(endings))('is what it was when it ends with %s', async (name, args) => {
    const { code, stdout, stderr } = run('scan', '--format', format, ...args);
    expect(code).toBe(exitCodes[name as keyof typeof endings].code);
    await expect(
      still(`--- exit code ${code}\n--- stderr\n${stderr}--- stdout\n${stdout}`),
    ).toMatchFileSnapshot(`__snapshots__/formats/${format}-${name}.txt`);
  });

  it('is the same on any number of workers, in whichever order the files are named', () => {
    const paths = ['copy', 'locked', 'plain'];
    const once = run('scan', '--format', format, '--jobs', '1', ...paths);
    expect(once.stdout).not.toBe('');
    expect(run('scan', '--format', format, '--jobs', '2', ...paths.toReversed())).toEqual(once);
    expect(run('scan', '--format', format, '--jobs', '0', ...paths)).toEqual(once);
  });

  it('is the same in a file', () => {
    const { stdout } = run('scan', '--format', format, 'copy', 'plain');
    const beside = run('scan', '--output', `${format}=report`, 'copy', 'plain');
    expect(readFileSync(join(folder, 'report'), 'utf8')).toBe(stdout);
    expect(beside.stdout).toContain('unverified');
    rmSync(join(folder, 'report'));
  });
});
