import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildEdition, planted } from '../../fixtures/synthetic-editions.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { product, sources, toVariant } from '../signatures/database-fixture.ts';
import { type Ended, runTelltale } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'telltale-learn-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, content: Uint8Array | string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
}

const database = ['--only-database', '--database', 'database'];
const run = (...args: readonly string[]): Ended => runTelltale(args, { cwd: folder });
const learn = (...args: readonly string[]): Ended => run('db', 'learn', ...database, ...args);

beforeAll(() => {
  put('样本/1.exe', buildEdition({ edition: 'eastern', build: 1 }));
  put(
    '样本/软件.zip',
    buildZip({ entries: [{ name: 'client.exe', data: buildEdition({ edition: 'eastern', build: 2 }) }] }),
  );
  put('others/1.exe', buildEdition({ edition: 'western', build: 1 }));
  put('goodware/1.exe', buildEdition({ edition: 'stranger', build: 1 }));
  put('database/demo/product.json', JSON.stringify(product));
  put('database/demo/sources.json', JSON.stringify({ sources: { paper: sources.sources.paper } }));
  put('database/demo/variants/official.json', JSON.stringify(toVariant('official', [], 'official')));
});

describe('when a person learns from samples', () => {
  const request = [
    '--variant',
    'eastern',
    '--role',
    'regional',
    '样本',
    '--against',
    'others',
    '--goodware',
    'goodware',
  ];

  it('shows the proposals and says how a draft is written', () => {
    const { code, stdout, stderr } = learn(...request);
    expect(code).toBe(0);
    expect(stdout).toContain(`host ${planted.host}`);
    expect(stdout).toContain('样本/软件.zip » client.exe » .data');
    expect(stdout).toMatch(/shared by all 2 samples; compared with 1 of other editions and 1 of goodware/);
    expect(stderr).toBe('telltale: --output FILE writes the proposals as a draft\n');
  });

  it('writes a draft that db check refuses for its sources only, and takes when they are filled in', () => {
    const file = 'database/demo/variants/eastern.json';
    const { code, stderr } = learn(...request, '--output', file);
    expect(code).toBe(0);
    expect(stderr).toContain(`telltale: wrote ${file}; telltale db check refuses it`);
    const checked = run('db', 'check', ...database, '--format', 'json');
    expect(checked.code).toBe(2);
    const { diagnostics }: { diagnostics: { code: string; file: string; field: string }[] } = JSON.parse(
      checked.stdout,
    );
    expect(diagnostics.length).toBeGreaterThan(5);
    for (const [at, diagnostic] of diagnostics.entries()) {
      expect(diagnostic).toMatchObject({ code: 'source/none', file, field: `indicators[${at}].sources` });
    }

    put(file, readFileSync(join(folder, file), 'utf8').replaceAll('"sources": []', '"sources": ["paper"]'));
    expect(run('db', 'check', ...database)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(' 0 errors, 0 warnings'),
    });
    const scanned = run('scan', ...database, '--format', 'json', 'others/1.exe', '样本/软件.zip');
    const report: { files: { verdict: string; variant: string | null }[] } = JSON.parse(scanned.stdout);
    expect(report.files.map(({ verdict, variant }) => [verdict, variant])).toEqual([
      ['other', null],
      ['variant', 'eastern'],
    ]);
    rmSync(join(folder, file));
  });

  it('never writes over a file, or through a link, unless told', () => {
    put('draft/eastern.json', 'mine');
    expect(learn(...request, '-o', 'draft/eastern.json')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is there already; --force writes over it'),
    });
    expect(readFileSync(join(folder, 'draft/eastern.json'), 'utf8')).toBe('mine');
    expect(learn(...request, '-o', 'draft/eastern.json', '--force').code).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, 'draft/eastern.json'), 'utf8'))).toMatchObject({
      id: 'eastern',
    });
    symlinkSync('elsewhere.json', join(folder, 'draft/link.json'));
    expect(learn(...request, '-o', 'draft/link.json', '--force').code).toBe(2);
    expect(existsSync(join(folder, 'draft/elsewhere.json'))).toBe(false);
  });

  it('writes the draft to standard output when asked, and the report elsewhere', () => {
    const { stdout, stderr } = learn(...request, '-o', '-');
    expect(JSON.parse(stdout)).toMatchObject({ id: 'eastern', role: 'regional' });
    expect(stderr).toContain('proposals for "eastern"');
  });

  it('reports as data', () => {
    const { stdout } = learn(...request, '--format', 'json', '--max', '2');
    const report: { schema: string; proposals: unknown[]; draft: { indicators: unknown[] } } =
      JSON.parse(stdout);
    expect(report.schema).toBe('telltale/db-learn/1');
    expect([report.proposals.length, report.draft.indicators.length]).toEqual([2, 2]);
  });

  it('says what it could not read', () => {
    const { code, stdout, stderr } = learn(...request, '--against', 'nowhere');
    expect(code).toBe(3);
    expect(stdout).toContain(`host ${planted.host}`);
    expect(stderr).toContain('nothing was learnt from nowhere, because it does not exist');
    mkdirSync(join(folder, 'empty'));
    expect(learn('--variant', 'eastern', 'empty').code).toBe(4);
    put('cut.exe', buildEdition({ edition: 'eastern', build: 3 }).subarray(0, 100));
    const cut = learn('--variant', 'eastern', 'cut.exe', '-o', 'none.json');
    expect(cut.code).toBe(3);
    expect(cut.stdout).toContain('nothing was learnt from cut.exe, because it');
    expect(existsSync(join(folder, 'none.json'))).toBe(false);
  });

  it.each([
    [['样本'], "required option '--variant <id>' not specified"],
    [['--variant', 'Osten!', '样本'], 'is no id'],
    [['--variant', 'eastern', '--role', 'enemy', '样本'], 'is no role'],
    [['--variant', 'eastern', '--min-share', '0', '样本'], 'a number above 0, up to 1'],
    [['--variant', 'eastern', '--product', 'other', '样本'], 'there is no product "other"; there are demo'],
    [['--variant', 'eastern'], "missing required argument 'sample'"],
  ])('refuses %j', (args, message) => {
    expect(learn(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});
