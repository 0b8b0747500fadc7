import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { hasClamscan, hasYara } from '../signatures/export/peers.ts';
import { type Ended, mainPath, runTelltale } from './run.ts';

let folder = '';
const run = (...args: readonly string[]): Ended => runTelltale(args, { cwd: folder });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-db-export-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('when the database is exported', () => {
  it.each(['yara', 'stix', 'csv'])('writes %s to standard output, and says how much is in it', (to) => {
    const { code, stdout, stderr } = run('db', 'export', '--to', to);
    expect(code).toBe(0);
    expect(stdout).toContain('tom-host-skypetools');
    expect(stderr).toMatch(
      /^telltale: \d+ indicators exported(?: \(\d+ approximately\))?, \d+ left out[^\n]*\n$/,
    );
  });

  it('writes the same into a file', () => {
    const { code, stdout, stderr } = run('db', 'export', '--to', 'yara');
    expect(run('db', 'export', '--to', 'yara', '--output', '导出.yar')).toEqual({ code, stdout: '', stderr });
    expect(readFileSync(join(folder, '导出.yar'), 'utf8')).toBe(stdout);
  });

  it('writes a ClamAV database into a folder', () => {
    expect(run('db', 'export', '--to', 'clamav', '--output', 'clamav').code).toBe(0);
    expect(readdirSync(join(folder, 'clamav')).sort()).toEqual(['telltale.hsb', 'telltale.ldb']);
  });

  it('leaves the ledger out when it is told to', () => {
    expect(run('db', 'export', '--to', 'stix', '--no-known-builds').stdout).not.toContain('"known-build"');
  });

  it('refuses what cannot be', () => {
    const refusals: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /required option '--to <tool>' not specified/],
      [['--to', 'sigma'], /Allowed choices are yara, clamav, stix, csv/],
      [['--to', 'clamav'], /--output FOLDER says where they go/],
      [['--to', 'csv', '--any-format'], /no meaning for csv/],
      [['--to', 'yara', '--output', 'nowhere/x.yar'], /nowhere\/x\.yar cannot be written/],
      [['--to', 'yara', '--database', 'nowhere'], /nowhere: does not exist/],
    ];
    for (const [args, message] of refusals) {
      const { code, stdout, stderr } = run('db', 'export', ...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(message);
    }
  });
});

/** The shell lines of the document, which a person would paste. */
const lines = [
  ...readFileSync(new URL('../../docs/interchange.md', import.meta.url), 'utf8').matchAll(
    /```sh\n([\s\S]*?)```/g,
  ),
].flatMap(([, block = '']) =>
  block.split('\n').filter((line) => /^(?:telltale db export|yara|clamscan) /.test(line)),
);

describe.skipIf(!hasYara || !hasClamscan)('when a person follows the document', () => {
  it('finds the edition with each tool, and no tool complains', () => {
    const place = mkdtempSync(join(tmpdir(), 'telltale-document-'));
    spawnSync('mkdir', ['unpacked'], { cwd: place });
    writeFileSync(join(place, 'unpacked', 'Skype.exe'), buildTomSkype());
    const seen = lines.map((line) => {
      const command = line
        .replace(/^telltale /, `"${process.execPath}" "${mainPath}" `)
        .replace(/ +#.*$/, '');
      const { stdout, stderr, status } = spawnSync('bash', ['-c', command], { cwd: place, encoding: 'utf8' });
      const tool = line.split(' ')[0] ?? '';
      if (tool !== 'telltale') expect(stderr, line).toBe('');
      if (tool === 'telltale') expect(status, line).toBe(0);
      return { tool, isFound: /tom.host.skypetools/.test(stdout) };
    });
    expect(seen.filter(({ tool }) => tool === 'telltale').length).toBeGreaterThan(3);
    expect(seen.filter(({ tool }) => tool === 'yara')).not.toEqual([]);
    expect(seen.filter(({ tool }) => tool === 'clamscan')).not.toEqual([]);
    expect(seen.filter(({ tool, isFound }) => tool !== 'telltale' && !isFound)).toEqual([]);
    expect(existsSync(join(place, 'telltale.csv'))).toBe(true);
    rmSync(place, { recursive: true });
  });
});
