import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { packUpx } from '../../fixtures/upx-builder.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { RuleSet } from '../../src/platform/yara-rules.ts';
import { hasYaraX } from '../yara-x.ts';
import { type Ended, runTelltale } from './run.ts';

let folder = '';
const run = (...args: readonly string[]): Ended => runTelltale(args, { cwd: folder });
const put = (name: string, bytes: Uint8Array | string): void => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), bytes);
};

interface Report {
  readonly rules: readonly { readonly path: string; readonly sha256: string }[];
  readonly files: readonly {
    readonly path: string;
    readonly verdict: string;
    readonly complete: boolean;
    readonly problems: readonly { readonly code: string; readonly path: string; readonly message: string }[];
    readonly rules: readonly {
      readonly rule: string;
      readonly file: string;
      readonly path: string;
      readonly tags: readonly string[];
      readonly meta: Readonly<Record<string, unknown>>;
      readonly matches: readonly {
        readonly identifier: string;
        readonly offset: number;
        readonly length: number;
      }[];
    }[];
  }[];
}
const readReport = (text: string): Report => JSON.parse(text);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-rules-'));
  put(
    '下载/skype_cn.zip',
    buildZip({
      entries: [
        { name: '软件/Tom-SkypeSetup.exe', data: packUpx(buildTomSkype(), { method: 'nrv2b' }) },
        { name: 'notes.txt', data: 'needle and needle\n' },
      ],
    }),
  );
  put('plain.txt', 'a needle in a haystack\n');
  put(
    'needle.yar',
    'rule needle : zeta alpha { meta: author = "some\u202eone" year = 2026 strings: $n = "needle" condition: $n }\n' +
      'rule named { condition: filename == "Tom-SkypeSetup.exe" and extension == ".exe" }\n',
  );
  put('same.yar', 'rule needle { condition: filesize < 1 }\n');
  put('规则.yar', 'include "needle.yar"\nrule haystack { strings: $h = "haystack" condition: $h }\n');
  put('bad.yar', 'rule x { condition: \u001b[31mnope }\n');
  put('binary.yar', Uint8Array.of(0xff, 0xfe, 0x00));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!hasYaraX)('when rules of one’s own are run', () => {
  it('finds them in every member, and changes no verdict', () => {
    const plain = readReport(run('scan', '--format', 'json', '下载', 'plain.txt').stdout);
    const { stdout, stderr, code } = run(
      'scan',
      '--format',
      'json',
      '下载',
      'plain.txt',
      '--rules',
      'needle.yar',
      '--rules',
      'same.yar',
      '--rules',
      'needle.yar',
    );
    expect({ stderr, code }).toEqual({ stderr: '', code: 1 });
    expect(stdout).not.toContain('\u202e');
    const report = readReport(stdout);
    expect(report.rules.map(({ path }) => path)).toEqual(['needle.yar', 'same.yar']);
    expect(report.files.map(({ verdict, complete }) => [verdict, complete])).toEqual(
      plain.files.map(({ verdict, complete }) => [verdict, complete]),
    );
    expect(plain.files.flatMap(({ rules }) => rules)).toEqual([]);
    const needle = {
      rule: 'needle',
      file: 'needle.yar',
      tags: ['alpha', 'zeta'],
      meta: { author: 'some\u202eone', year: 2026 },
    };
    expect(report.files.toReversed().map(({ rules }) => rules)).toEqual([
      [
        {
          rule: 'named',
          file: 'needle.yar',
          tags: [],
          meta: {},
          path: '下载/skype_cn.zip » 软件/Tom-SkypeSetup.exe',
          matches: [],
        },
        {
          ...needle,
          path: '下载/skype_cn.zip » notes.txt',
          matches: [
            { identifier: '$n', offset: 0, length: 6 },
            { identifier: '$n', offset: 11, length: 6 },
          ],
        },
      ],
      [{ ...needle, path: 'plain.txt', matches: [{ identifier: '$n', offset: 2, length: 6 }] }],
    ]);
    const schema: unknown = JSON.parse(
      readFileSync(new URL('../../schemas/scan.json', import.meta.url), 'utf8'),
    );
    if (typeof schema !== 'object' || schema === null) throw new Error('no schema');
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    validate(report);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('finds the same on any number of workers', () => {
    const args = ['scan', '--format', 'json', '.', '--rules', '规则.yar'];
    const once = run(...args, '--jobs', '1').stdout;
    expect(run(...args, '--jobs', '2').stdout).toBe(once);
    expect(run(...args, '--jobs', '0').stdout).toBe(once);
    expect(once).toContain('"haystack"');
    expect(once).toContain('"needle"');
  });

  it('says so in text, also with --quiet', () => {
    const { stdout } = run('scan', '--quiet', 'plain.txt', 'bad.yar', '--rules', '规则.yar');
    expect(stdout).toMatch(
      /plain\.txt\n(?:.*\n)*? +rule +haystack \(规则\.yar\)\n +plain\.txt\n +\$h at 0xe\n/,
    );
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain('bad.yar');
  });

  it('fails on a rule only when it is asked to', () => {
    expect(run('scan', 'plain.txt', '--rules', 'needle.yar').code).toBe(0);
    const { code, stdout } = run('scan', 'plain.txt', '--rules', 'needle.yar', '--fail-on', 'rule');
    expect(code).toBe(1);
    expect(stdout).toContain('policy violated (fail on rule)');
    expect(run('scan', 'plain.txt', '--rules', 'same.yar', '--fail-on', 'rule').code).toBe(0);
  });

  it('says what was too large to be searched', () => {
    const { code, stdout } = run(
      'scan',
      '--format',
      'json',
      '下载',
      'plain.txt',
      '--rules',
      'needle.yar',
      '--max-memory',
      '64',
    );
    expect(code).toBe(3);
    const [text, archive] = readReport(stdout).files;
    const untried = archive?.problems.filter(({ message }) =>
      /at hand as a whole|larger than 64 bytes/.test(message),
    );
    expect(untried?.map(({ path }) => path)).toEqual([
      '下载/skype_cn.zip',
      '下载/skype_cn.zip » 软件/Tom-SkypeSetup.exe',
    ]);
    expect(archive?.complete).toBe(false);
    expect(archive?.rules.map(({ path }) => path)).toEqual(['下载/skype_cn.zip » notes.txt']);
    expect(text?.complete).toBe(true);
  });

  it('ends a rule that does not come back, and goes on with the next file', () => {
    put('slow/1.txt', `${'a'.repeat(1_000_000)}b`);
    put('slow/2.txt', 'a needle\n');
    put('slow.yar', 'rule slow { strings: $a = /(a+)+$/ condition: $a }\n');
    const began = performance.now();
    const { code, stdout, stderr } = run(
      'scan',
      '--format',
      'json',
      '--timeout',
      '1',
      'slow',
      '--rules',
      'slow.yar',
    );
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^telltale: slow\.yar: warning\[slow_pattern\][^\n]*line:1:\d+\n$/);
    expect(readReport(stdout).files.map(({ problems }) => problems.map((one) => one.code))).toEqual([
      ['limit/time'],
      [],
    ]);
    rmSync(join(folder, 'slow'), { recursive: true });
  });

  it.each([
    ['missing.yar', /^\S+missing\.yar: does not exist$/],
    ['.', /^\S+: is a folder$/],
    ['binary.yar', /^\S+binary\.yar: is not UTF-8 text/],
    ['bad.yar', /^\S+bad\.yar: Compilation error/],
  ])('refuses %s with the reason', async (rules, message) => {
    await expect(RuleSet.load([join(folder, rules)])).rejects.toMatchObject({
      code: 'usage/arguments',
      message: expect.stringMatching(message),
    });
  });

  it('ends with wrong usage when rules cannot be compiled, in a worker and without', () => {
    const { code, stdout, stderr } = run('scan', 'plain.txt', '--rules', 'bad.yar');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^telltale: bad\.yar: Compilation error/);
    expect(stderr).not.toContain('\u001b');
    expect(run('scan', 'plain.txt', '--rules', 'bad.yar', '--jobs', '0').stderr).toBe(stderr);
  });

  it('does not mix with results that were kept', () => {
    const { code, stderr } = run('scan', 'plain.txt', '--rules', 'needle.yar', '--cache', 'kept');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'telltale: --rules cannot be used with --cache or --resume\n',
    });
  });

  it('runs the rules that telltale exports', () => {
    expect(run('db', 'export', '--to', 'yara', '-o', 'telltale.yar').code).toBe(0);
    const { stdout } = run('scan', '--format', 'json', '下载', '--rules', 'telltale.yar');
    const rules = readReport(stdout).files.flatMap((file) => file.rules.map(({ rule }) => rule));
    expect(rules).toContain('telltale_skype_tom_host_skypetools');
    rmSync(join(folder, 'telltale.yar'));
  });
});
