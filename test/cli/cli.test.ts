import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPe } from '../../fixtures/pe-builder.ts';
import { buildPlainSkype, buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { type Ended, mainPath, runTelltale } from './run.ts';

let folder = '';
const run = (...args: readonly string[]): Ended => runTelltale(args, { cwd: folder });
const put = (name: string, bytes: Uint8Array | string): void => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), bytes);
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-cli-'));
  put('copy/Skype.exe', buildPlainSkype());
  put(
    'tom/skype_cn.zip',
    buildZip({ entries: [{ name: '软件/Tom-SkypeSetup.exe', data: buildTomSkype() }] }),
  );
  put('plain/notes.txt', 'Nothing to do with it.\n');
  put('locked/secret.zip', buildZip({ entries: [{ name: 'client.exe', data: 'x'.repeat(40), flags: 1 }] }));
  put('odd/a\u202egpj.exe', buildPe());
  put('odd/\u001b[31mred.txt', 'red\n');
  mkdirSync(join(folder, 'empty'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The database digest and revision change with every indicator: they are no part of what these tests hold still. */
const still = (text: string): string =>
  text
    .replaceAll(/skype \d{4}\.\d{2}/g, 'skype DATABASE')
    .replaceAll(/telltale \d+\.\d+\.\d+/g, 'telltale VERSION');

const examples: readonly (readonly [keyof typeof exitCodes, string, readonly string[]])[] = [
  ['ok', 'a text', ['scan', 'plain']],
  ['ok', 'a copied version block is nothing to fail on by default', ['scan', 'copy']],
  ['violation', 'another edition', ['scan', 'tom']],
  [
    'violation',
    'a copied version block where an official file is required',
    ['scan', '--require', 'official', 'copy'],
  ],
  ['violation', 'a verdict that was asked for', ['scan', '--fail-on', 'unverified', 'copy']],
  ['violation', 'an unknown digest', ['lookup', 'd41d8cd98f00b204e9800998ecf8427e']],
  ['usage', 'an unknown option', ['scan', '--colour', 'plain']],
  ['usage', 'an unknown verdict', ['scan', '--fail-on', 'evil', 'plain']],
  ['usage', 'no command', []],
  ['usage', 'something that is no digest', ['lookup', 'hello']],
  ['usage', 'an unknown variant', ['explain', 'nonsense']],
  ['usage', 'a database that is not there', ['scan', '--database', 'nowhere', 'plain']],
  ['incomplete', 'an encrypted archive', ['scan', 'locked']],
  ['incomplete', 'a path that is not there', ['scan', 'missing.exe']],
  ['incomplete', 'a file that cannot be inspected', ['inspect', 'missing.exe']],
  ['nothing', 'an empty folder', ['scan', 'empty']],
];

describe('when the program ends', () => {
  it.each(examples)('%s: %s', (name, _, args) => {
    const { code, stdout, stderr } = run(...args);
    expect(code).toBe(exitCodes[name].code);
    expect(still(`--- stdout\n${stdout}--- stderr\n${stderr}`)).toMatchSnapshot();
  });

  it('has an example for every exit code that can be provoked', () => {
    const shown = new Set(examples.map(([name]) => name));
    expect(Object.keys(exitCodes).filter((name) => !shown.has(name as keyof typeof exitCodes))).toEqual([
      'bug',
      'interrupted',
      'readerGone',
    ]);
  });
});

describe('when reports are written', () => {
  it('gives JSON that follows the published schema', () => {
    const schema: unknown = JSON.parse(
      readFileSync(new URL('../../schemas/scan.json', import.meta.url), 'utf8'),
    );
    if (typeof schema !== 'object' || schema === null) throw new Error('no schema');
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    for (const target of ['.', 'tom', 'copy', 'missing.exe']) {
      const document: unknown = JSON.parse(run('scan', '--format', 'json', target).stdout);
      validate(document);
      expect(validate.errors ?? []).toEqual([]);
    }
    expect(validate({ schema: 'telltale/scan/1' })).toBe(false);
  });

  it('gives the same bytes each time, on any number of workers', () => {
    const once = run('scan', '--format', 'json', '--jobs', '1', '.').stdout;
    expect(run('scan', '--format', 'json', '--jobs', '2', '.').stdout).toBe(once);
    expect(run('scan', '--format', 'json', '--jobs', '0', '.').stdout).toBe(once);
  });

  it('gives the same bytes in whichever order the files are named, and however often', () => {
    const paths = ['tom', 'copy/Skype.exe', 'plain/notes.txt', 'missing.exe'];
    const once = run('scan', '--format', 'json', ...paths).stdout;
    expect(run('scan', '--format', 'json', ...paths.toReversed(), 'tom').stdout).toBe(once);
  });

  it('gives a line for each file and one for the sum as ndjson', () => {
    const lines = run('scan', '--format', 'ndjson', '.').stdout.trimEnd().split('\n');
    const parsed: { type: string }[] = lines.map((line) => JSON.parse(line));
    expect(parsed.map(({ type }) => type)).toEqual([...parsed.slice(1).map(() => 'file'), 'summary']);
  });

  it('writes into files, and leaves stdout to one report', () => {
    const ended = run('scan', 'copy', '--output', 'json=out.json', '--output', 'ndjson=out.ndjson');
    expect(ended.stdout).toContain('unverified');
    expect(readFileSync(join(folder, 'out.json'), 'utf8')).toBe(
      run('scan', 'copy', '--format', 'json').stdout,
    );
    expect(run('scan', 'copy', '--output', 'out.txt').stdout).toBe('');
    expect(readFileSync(join(folder, 'out.txt'), 'utf8')).toContain('unverified');
    for (const name of ['out.json', 'out.ndjson', 'out.txt']) rmSync(join(folder, name));
  });

  it('lets nothing unprintable through', () => {
    for (const format of ['text', 'json', 'ndjson']) {
      const { stdout } = run('scan', '--format', format, 'odd');
      expect(stdout).not.toMatch(/[\u001b\u202e]/);
      expect(stdout).toMatch(/202e/);
    }
  });

  it('uses no colour in a pipe', () => {
    expect(runTelltale(['scan', 'tom'], { cwd: folder, env: { FORCE_COLOR: '' } }).stdout).not.toContain(
      '\u001b',
    );
  });

  it('shows only what is not in order with --quiet', () => {
    const { stdout } = run('scan', '--quiet', 'plain', 'copy');
    expect(stdout).not.toContain('notes.txt');
    expect(stdout).toContain('Skype.exe');
  });

  it('names the files of a list on standard input', () => {
    const { stdout, code } = runTelltale(['scan', '-'], {
      cwd: folder,
      input: 'plain/notes.txt\ncopy/Skype.exe\n',
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/copy\/Skype\.exe[\s\S]*plain\/notes\.txt/);
    const zero = runTelltale(['scan', '-'], { cwd: folder, input: 'plain/notes.txt\0copy/Skype.exe\0' });
    expect(zero.stdout).toBe(stdout);
  });

  it('ends when its reader goes away, and does not pretend that all was well', () => {
    const script = 'set -o pipefail; "$0" "$1" scan --format ndjson . | head -c 1; echo " ${PIPESTATUS[0]}"';
    const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, mainPath], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect({ stdout, stderr }).toEqual({ stdout: `{ ${exitCodes.readerGone.code}\n`, stderr: '' });
  });
});

describe('when a folder holds trouble', () => {
  let trouble = '';
  beforeAll(() => {
    trouble = mkdtempSync(join(tmpdir(), 'telltale-trouble-'));
    const at = (name: string): string => join(trouble, name);
    writeFileSync(at('1-empty.exe'), '');
    writeFileSync(
      at('2-broken.zip'),
      buildZip({ entries: [{ name: 'a.txt', data: 'hello '.repeat(500) }] }).subarray(0, 60),
    );
    writeFileSync(at('3-forbidden.exe'), 'x');
    chmodSync(at('3-forbidden.exe'), 0);
    writeFileSync(at('4-huge.bin'), '');
    truncateSync(at('4-huge.bin'), 2 ** 30);
    symlinkSync('nowhere', at('5-dangling'));
    symlinkSync(tmpdir(), at('6-elsewhere'));
    writeFileSync(
      Buffer.concat([Buffer.from(`${trouble}/`), Buffer.from([0xc8, 0xed, 0xbc, 0xfe]), Buffer.from('.txt')]),
      'named in GBK\n',
    );
    writeFileSync(at('7-good.exe'), buildPlainSkype());
  });
  afterAll(() => rmSync(trouble, { recursive: true, force: true }));

  it('scans all of it and names file, place and reason', () => {
    const { code, stdout } = runTelltale(['scan', '--format', 'json', '.'], { cwd: trouble });
    const report: {
      files: {
        path: string;
        verdict: string;
        complete: boolean;
        problems: { code: string; message: string; consequence: string }[];
      }[];
    } = JSON.parse(stdout);
    const seen = report.files.map(({ path, complete, problems }) => [
      path,
      complete,
      problems.map((one) => one.code),
    ]);
    const isRoot = process.getuid?.() === 0;
    expect(seen).toEqual([
      ['./1-empty.exe', false, ['malformed/truncated']],
      ['./2-broken.zip', false, expect.arrayContaining(['malformed/truncated'])],
      ['./3-forbidden.exe', isRoot, isRoot ? [] : ['unreadable/permission']],
      ['./4-huge.bin', true, []],
      ['./5-dangling', false, ['unreadable/missing']],
      ['./6-elsewhere', false, ['unreadable/not-a-file']],
      ['./7-good.exe', true, []],
      ['./软件.txt', true, []],
    ]);
    for (const { problems } of report.files) {
      for (const problem of problems)
        expect(problem.message.length * problem.consequence.length).toBeGreaterThan(0);
    }
    expect(code).toBe(3);
  });

  it('takes two names of different bytes for two files, although they are shown alike', () => {
    writeFileSync(join(trouble, '软件.txt'), 'named in UTF-8\n');
    const { stdout } = runTelltale(['scan', '--format', 'ndjson', '.'], { cwd: trouble });
    rmSync(join(trouble, '软件.txt'));
    expect(stdout.match(/"path":"\.\/软件\.txt","size":/g)).toHaveLength(2);
  });

  it('stops at the deadline and goes on with the next file', () => {
    const vast = join(folder, '..', `${basename(folder)}-vast.bin`);
    writeFileSync(vast, '');
    truncateSync(vast, 2 ** 36);
    const { stdout } = runTelltale(['scan', '--format', 'json', '--timeout', '2', vast, '7-good.exe'], {
      cwd: trouble,
    });
    rmSync(vast);
    const report: { files: { verdict: string; incompleteReasons: string[] }[] } = JSON.parse(stdout);
    expect(report.files.map(({ verdict, incompleteReasons }) => [verdict, incompleteReasons])).toEqual([
      ['other', ['timeout']],
      ['unverified', []],
    ]);
  });
});

describe('when a member is written', () => {
  const member = '软件/Tom-SkypeSetup.exe';

  it('writes it under its own name, and not over a file', () => {
    const first = run('extract', 'tom/skype_cn.zip', member);
    expect(first).toEqual({ code: 0, stdout: '', stderr: 'telltale: wrote Tom-SkypeSetup.exe\n' });
    expect(readFileSync(join(folder, 'Tom-SkypeSetup.exe')).equals(buildTomSkype())).toBe(true);
    expect(run('extract', 'tom/skype_cn.zip', member)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is there already'),
    });
    expect(run('extract', '--force', 'tom/skype_cn.zip', `skype_cn.zip » ${member}`).code).toBe(0);
    rmSync(join(folder, 'Tom-SkypeSetup.exe'));
  });

  it('never writes through a link, or outside the folder', () => {
    symlinkSync('elsewhere.exe', join(folder, 'link.exe'));
    expect(run('extract', '-f', '-o', 'link.exe', 'tom/skype_cn.zip', member).code).toBe(2);
    expect(existsSync(join(folder, 'elsewhere.exe'))).toBe(false);
    rmSync(join(folder, 'link.exe'));
    put(
      'evil.zip',
      buildZip({
        entries: [
          { name: '../../escape.txt', data: 'x' },
          { name: 'a\\..\\nul', data: 'y' },
        ],
      }),
    );
    expect(run('extract', 'evil.zip', '../../escape.txt').stderr).toContain('wrote escape.txt');
    expect(run('extract', 'evil.zip', 'a\\..\\nul').stderr).toContain('wrote _nul');
    for (const name of ['evil.zip', 'escape.txt', '_nul']) rmSync(join(folder, name));
  });

  it('writes to standard output', () => {
    const { stdout } = spawnSync(
      process.execPath,
      [mainPath, 'extract', '-o', '-', 'tom/skype_cn.zip', member],
      { cwd: folder },
    );
    expect(stdout.equals(buildTomSkype())).toBe(true);
  });

  it('says what is not there, and what could not be read', () => {
    expect(run('extract', 'tom/skype_cn.zip', 'nothing')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no member "nothing"'),
    });
    expect(run('extract', 'locked/secret.zip', 'client.exe')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('encrypted'),
    });
  });
});

describe('when a person asks', () => {
  it('shows what is inside', () => {
    const { stdout, code } = run('inspect', 'tom/skype_cn.zip');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /skype_cn\.zip[\s\S]*软件\/Tom-SkypeSetup\.exe[\s\S]*CompanyName: Skype Technologies S\.A\./,
    );
  });

  it('shows what an installer package says of itself', () => {
    const { stdout } = run(
      'inspect',
      fileURLToPath(new URL('../../fixtures/msi/phone.msi', import.meta.url)),
    );
    expect(stdout).toMatch(/msiProperty PartnerCode: 59/);
    expect(stdout).toMatch(/msiProperty UpgradeCode: \{66666666-/);
    expect(stdout).toMatch(/ProgramFilesFolder\/Fixture Company\/Phone\/Fixture Phone\.exe/);
  });

  it('explains an edition, an indicator and a source', () => {
    const { stdout } = run('explain', 'tom');
    expect(stdout).toMatch(/TOM-Skype/);
    expect(stdout).toMatch(/https:\/\/nartv\.org/);
    const [, indicator] = /^Decisive[^\n]*\n +.*\[([\w.-]+)\]/m.exec(stdout) ?? [];
    expect(run('explain', indicator ?? '').stdout).toMatch(/speaks for\s+TOM-Skype {2}\[tom\]/);
    expect(run('explain', 'villeneuve-2006').stdout).toMatch(
      /Indicators that rest on it[\s\S]*\[tom-host-skypetools\]/,
    );
    expect(run('explain', 'web-installer').stdout).toMatch(/Skype {2}\[skype\]/);
  });

  it('explains in Chinese, and as markdown and JSON', () => {
    expect(run('explain', 'TOM', '--lang', 'zh').stdout).toMatch(
      /^TOM 版 Skype（TOM-Skype） {2}\(tom\)\n {2}类别 /,
    );
    expect(run('explain', 'tom', '--lang', 'zh', '--format', 'markdown').stdout).toMatch(
      /^# TOM 版 Skype（TOM-Skype）$/m,
    );
    const document: unknown = JSON.parse(run('explain', 'tom', '--lang', 'zh', '--format', 'json').stdout);
    expect(document).toMatchObject({
      schema: 'telltale/explain/1',
      kind: 'variant',
      language: 'zh',
      id: 'tom',
    });
    expect(run('explain', 'tom', '--lang', 'fr').code).toBe(exitCodes.usage.code);
  });

  it('lists the variants when nothing is asked for', () => {
    const { code, stdout } = run('explain');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}tom +TOM-Skype +2004 to 2013$/m);
    const list: unknown = JSON.parse(run('explain', '--format', 'json').stdout);
    expect(list).toMatchObject({
      kind: 'list',
      products: expect.arrayContaining([expect.objectContaining({ id: 'skype' })]),
    });
    expect(run('explain', '--format', 'markdown', '--lang', 'zh').stdout).toMatch(/^## 官方版本$/m);
  });

  it('suggests what an id may have meant', () => {
    expect(run('explain', 'offical').stderr).toMatch(/did you mean official[,?]/);
    expect(run('explain', '\u001b[31m').stderr).not.toMatch(/\u001b/);
  });

  it('explains an id of two products twice, or once where one is named', () => {
    put(
      'second/demo/product.json',
      JSON.stringify({
        id: 'demo',
        name: 'Demo',
        revision: '2026.11',
        platforms: [{ id: 'windows', name: 'Windows', formats: ['pe'] }],
        claims: [
          {
            id: 'a',
            title: 'a',
            strength: 'resembles',
            when: { text: 'demo text' },
            in: ['pe'],
            sources: ['s'],
          },
        ],
      }),
    );
    put(
      'second/demo/sources.json',
      JSON.stringify({
        sources: { s: { title: 'S', short: 'S', kind: 'primary', url: 'https://example.org/' } },
      }),
    );
    put(
      'second/demo/variants/tom.json',
      JSON.stringify({
        id: 'tom',
        name: 'Demo Tom',
        role: 'regional',
        platforms: ['windows'],
        surveillance: { status: 'unknown', sources: [] },
        summary: 'Another Tom.',
        indicators: [],
      }),
    );
    const both = run('explain', 'tom', '--database', 'second').stdout;
    expect(both).toMatch(/^Demo Tom {2}\(tom\)$/m);
    expect(both).toMatch(/^TOM-Skype {2}\(tom\)$/m);
    const document: unknown = JSON.parse(
      run('explain', 'tom', '--database', 'second', '--format', 'json').stdout,
    );
    expect(document).toMatchObject({ kind: 'several', found: [{ product: 'demo' }, { product: 'skype' }] });
    expect(run('explain', 'demo/tom', '--database', 'second').stdout).not.toMatch(/TOM-Skype/);
    rmSync(join(folder, 'second'), { recursive: true });
  });

  it('finds a digest in the ledger, also from sha256sum', () => {
    const digest = 'f3c10149e1eaf6eb407c72b6883f4849829cbbdbb001df1905a9e55d88769f7e';
    expect(run('lookup', digest.toUpperCase()).stdout).toMatch(
      /4\.0\.0\.226 for Windows[\s\S]*bobmitch\/swarm@/,
    );
    const piped = runTelltale(['lookup', '-'], { cwd: folder, input: `${digest}  SkypeSetup.exe\n` });
    expect(piped.code).toBe(0);
  });

  it('checks a database and says what it holds', () => {
    expect(run('db', 'check')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/ 0 errors, \d+ warnings in \d{3} indicators\n$/),
    });
    expect(run('db', 'stats').stdout).toMatch(/indicators\s+\d+ decisive, \d+ strong, \d+ suggestive/);
    put('own/skype/publishers.json', '{ "publishers": [ { "id": "skype", "nmae": "x" } ] }');
    const { code, stdout } = run('db', 'check', '--database', 'own');
    expect(code).toBe(2);
    expect(stdout).toMatch(/^error\[schema\/missing-field\]: name: is missing/m);
    expect(stdout).toMatch(/--> own\/skype\/publishers\.json:1:\d+\n/);
    expect(run('scan', '--database', 'own', 'plain')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/own\/skype\/publishers\.json:1:\d+: publishers\[0\].* \[schema\//),
    });
    rmSync(join(folder, 'own'), { recursive: true });
  });

  it('fails on warnings where that is asked for', () => {
    put(
      'own/skype/sources.json',
      '{ "sources": { "mine": { "title": "x", "short": "x", "kind": "unresolved" } } }',
    );
    const warned = run('db', 'check', '--database', 'own');
    expect(warned).toMatchObject({ code: 0, stdout: expect.stringContaining('warning[source/unused]') });
    const denied = run('db', 'check', '--database', 'own', '--deny-warnings');
    expect(denied).toMatchObject({ code: 2, stdout: expect.stringContaining('error[source/unused]') });
    const json: unknown = JSON.parse(run('db', 'check', '--database', 'own', '--format', 'json').stdout);
    expect(json).toMatchObject({
      schema: 'telltale/db-check/2',
      errors: 0,
      warnings: 1,
      complete: true,
      diagnostics: [
        { code: 'source/unused', severity: 'warning', line: 1, column: 16, length: 6, field: 'sources.mine' },
      ],
      codes: { 'source/unused': { severity: 'warning', title: expect.any(String) } },
    });
    rmSync(join(folder, 'own'), { recursive: true });
  });

  it('explains the codes of the check', () => {
    expect(run('db', 'check', '--explain', 'source/unused')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^source\/unused \(warning\): a source that nothing cites\n {2}why /),
    });
    expect(run('db', 'check', '--explain').stdout.split('\n').length).toBeGreaterThan(40);
    expect(run('db', 'check', '--explain', 'source/unusd')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('did you mean "source/unused"?'),
    });
  });

  it('prints the version', () => {
    expect(run('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
