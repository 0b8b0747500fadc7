import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { type DownloadName, makeWorkplace } from '../examples/downloads.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const action = readFileSync(join(root, 'action.yml'), 'utf8');

let folder = '';
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  folder = '';
});

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** Runs the script of the action as the runner does: inputs in the environment, files for outputs and summary. */
function runAction(names: readonly DownloadName[], inputs: Readonly<Record<string, string>> = {}): Ran {
  if (folder === '') folder = makeWorkplace(...names);
  const [output, summary] = [join(folder, 'output'), join(folder, 'summary')];
  for (const path of [output, summary]) writeFileSync(path, '');
  const { status, stdout } = spawnSync('bash', [join(root, 'scripts/action.sh')], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      TELLTALE_PATHS: 'downloads\n',
      TELLTALE_DATABASE: 'database',
      ...inputs,
    },
  });
  const outputs = Object.fromEntries(
    readFileSync(output, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  return { code: status, stdout, outputs, summary: readFileSync(summary, 'utf8') };
}

describe('when the action is described', () => {
  it('hands its inputs to the script in the environment only', () => {
    const [, steps = ''] = action.split('\nruns:\n');
    for (const line of steps.split('\n')) {
      if (line.includes('${{')) expect(line).toMatch(/^ {8}TELLTALE_[A-Z_]+: \$\{\{ inputs\.[a-z-]+ \}\}$/);
    }
    const inputs = [...action.matchAll(/\$\{\{ inputs\.([a-z-]+) \}\}/g)].map(([, name]) => name);
    const [, declared = ''] = /\ninputs:\n([\s\S]*?)\noutputs:\n/.exec(action) ?? [];
    expect([...declared.matchAll(/^ {2}([a-z-]+):$/gm)].map(([, name]) => name)).toEqual(inputs);
  });

  it('reads each variable in the script, and uses no action of others', () => {
    const script = readFileSync(join(root, 'scripts/action.sh'), 'utf8');
    for (const [, name = ''] of action.matchAll(/^ {8}(TELLTALE_[A-Z_]+):/gm))
      expect(script).toContain(`\${${name}`);
    expect(action).not.toMatch(/^\s*-? *uses:/m);
    expect(script).toContain('npm ci --ignore-scripts');
  });

  it('gives the outputs that it declares', () => {
    const { outputs } = runAction(['official', 'variant']);
    const [, declared = ''] = /\noutputs:\n([\s\S]*?)\nruns:\n/.exec(action) ?? [];
    expect(Object.keys(outputs).sort()).toEqual(
      [...declared.matchAll(/^ {2}([a-z-]+):$/gm)].map(([, name]) => name).sort(),
    );
  });
});

describe('when the action runs', () => {
  it('fails a job on another edition, with annotations, summary, outputs and reports', () => {
    const { code, stdout, outputs, summary } = runAction(['official', 'variant']);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^::error file=downloads\/skype_cn\.zip,title=fail on variant::variant: TOM-Skype/m,
    );
    expect(outputs).toMatchObject({
      outcome: 'violation',
      'exit-code': '1',
      files: '2',
      official: '1',
      variant: '1',
      'report-folder': 'telltale-report',
      sarif: 'telltale-report/telltale.sarif',
    });
    expect(summary).toContain('skype_cn.zip');
    for (const name of ['telltale.json', 'telltale.sarif', 'telltale.html']) {
      expect(existsSync(join(folder, 'telltale-report', name)), name).toBe(true);
    }
  });

  it('passes on official files, and can be told not to fail', () => {
    expect(runAction(['official'], { TELLTALE_REQUIRE: 'official' })).toMatchObject({
      code: 0,
      outputs: { outcome: 'ok', 'exit-code': '0' },
    });
    writeFileSync(join(folder, 'downloads', 'other.exe'), buildTomSkype());
    expect(runAction([], { TELLTALE_FAIL: 'false', TELLTALE_SUMMARY: 'false' })).toMatchObject({
      code: 0,
      summary: '',
      outputs: { outcome: 'violation', 'exit-code': '1' },
    });
  });

  it('stops when the inputs say nothing, or something that is not there', () => {
    expect(runAction(['official'], { TELLTALE_PATHS: '\n' })).toMatchObject({
      code: 2,
      outputs: { outcome: 'usage', 'exit-code': '2' },
      stdout: expect.stringContaining('::error title=telltale::the input paths names nothing'),
    });
    expect(runAction([], { TELLTALE_FORMAT: 'pdf' }).code).toBe(2);
    expect(runAction([], { TELLTALE_POLICY: 'nowhere.json' })).toMatchObject({
      code: 2,
      outputs: { outcome: 'usage', 'exit-code': '2' },
    });
  });

  it('takes inputs for data, never for a part of a command', () => {
    for (const evil of [
      '$(touch evil)',
      '`touch evil`',
      '; touch evil',
      '--output=text=evil',
      '"; touch evil; "',
    ]) {
      for (const name of ['TELLTALE_PATHS', 'TELLTALE_POLICY', 'TELLTALE_REQUIRE', 'TELLTALE_FORMAT']) {
        runAction(['official'], { [name]: evil });
        expect(existsSync(join(folder, 'evil')), `${name} ${evil}`).toBe(false);
      }
    }
  });

  it('lets no file name forge an output or a command', () => {
    folder = makeWorkplace('official');
    writeFileSync(join(folder, 'downloads', 'x\noutcome=ok\n::set-output name=outcome::ok'), buildTomSkype());
    const { code, stdout, outputs } = runAction([]);
    expect(code).toBe(1);
    expect(outputs.outcome).toBe('violation');
    expect(stdout.split('\n').filter((line) => !/^::(?:error|warning|notice) |^$/.test(line))).toEqual([]);
  });
});
