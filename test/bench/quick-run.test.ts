import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInputs } from '../../bench/inputs/index.ts';
import { buildInputs, findMissingTools, type Recipe, toRecipeDigest } from '../../bench/inputs/recipe.ts';
import { quickScale } from '../../bench/inputs/scale.ts';
import { createParts } from '../../bench/parts/index.ts';
import { resultsSchema } from '../../bench/report/results.ts';
import { goodware } from '../goodware-set.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const ids = ['zip', 'inno', 'authenticode'];
const parts = createParts(createInputs(quickScale)).filter(({ id }) => ids.includes(id));
const collectTools = (recipe: Recipe): Recipe['tools'] => [
  ...(recipe.tools ?? []),
  ...(recipe.needs ?? []).flatMap((need) => collectTools(need) ?? []),
];
const missing = findMissingTools([
  { program: 'python3', debianPackage: 'python3' },
  ...parts.flatMap(({ tools, needs }) => [
    ...tools,
    ...needs.flatMap((recipe) => collectTools(recipe) ?? []),
  ]),
]);
const isReady = missing.length === 0 && goodware.available;
if (missing.length > 0) {
  console.warn(
    `SKIPPED: the benchmark over small inputs; not installed: ${[...new Set(missing)].join(', ')}`,
  );
}

const folder = mkdtempSync(join(tmpdir(), 'telltale-bench-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The benchmark as `npm run bench` starts it, over small inputs. */
function runBench(args: readonly string[], path = process.env['PATH'] ?? ''): ReturnType<typeof spawnSync> {
  return spawnSync(
    process.execPath,
    [
      join(root, 'build/bench/main.js'),
      '--quick',
      '--inputs',
      join(folder, 'inputs'),
      '--goodware',
      goodware.folder,
      '--output',
      join(folder, 'results'),
      ...args,
    ],
    { encoding: 'utf8', cwd: folder, env: { ...process.env, PATH: path } },
  );
}

beforeAll(() => {
  execFileSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.bench.json'],
    {
      cwd: root,
    },
  );
});

describe('when the command line is wrong', () => {
  it('says so and measures nothing', () => {
    const unknown = runBench(['--only', 'rar']);
    expect(unknown.status).toBe(2);
    expect(unknown.stderr).toContain('no part is named "rar"');
    const wrong = runBench(['--rounds', 'none']);
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain('usage: npm run bench');
    expect(runBench(['--from', join(folder, 'nothing.json')]).status).toBe(2);
  });
});

describe.skipIf(!isReady)('when the benchmark runs over small inputs', () => {
  it('measures every part whose peers found the same, and writes the results', () => {
    const { status, stdout, stderr } = runBench(['--only', ids.join(',')]);
    expect(stderr).not.toMatch(/failed|left out/);
    expect(status).toBe(0);
    const text = readFileSync(join(folder, 'results/quick.json'), 'utf8');
    const results = resultsSchema.parse(JSON.parse(text));
    expect(results.failures).toEqual([]);
    expect(results.comparisons.map(({ id }) => id)).toEqual(ids);
    for (const { subjects } of results.comparisons) {
      for (const { rounds, agreement } of subjects) {
        expect(rounds.length).toBe(1);
        expect(rounds[0]?.peakBytes).toBeGreaterThan(1e6);
        expect(agreement?.kind ?? 'agreed').toBe('agreed');
      }
    }
    expect(stdout).toContain('## Targets');
    expect(text).not.toContain(folder);
    expect(existsSync(join(folder, 'results/shares.svg'))).toBe(true);
  });

  it('gives no figures when a peer misses a hit', () => {
    // A yara that passes over the first find of every file.
    const tools = join(folder, 'tools');
    mkdirSync(tools);
    const real = execFileSync('sh', ['-c', 'command -v yara'], { encoding: 'utf8' }).trim();
    writeFileSync(join(tools, 'yara'), `#!/bin/sh\n${real} "$@" | tail -n +2\n`);
    chmodSync(join(tools, 'yara'), 0o755);
    const { status, stdout } = runBench(
      ['--only', 'zip'],
      `${tools}${delimiter}${process.env['PATH'] ?? ''}`,
    );
    expect(status).toBe(1);
    expect(stdout).toContain('not measured, because they do not find the same');
    expect(stdout).toMatch(/only telltale found \S+ in [0-9a-f]{64}/);
    expect(stdout).toMatch(/\| ZIP, deflate \| chain \| – \|/);
  });

  it('names a program that is not installed, and goes on', () => {
    // Only what runs the benchmark itself is there.
    const tools = join(folder, 'few-tools');
    mkdirSync(tools);
    for (const program of ['python3', 'sh', 'git']) {
      const real = execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
      writeFileSync(join(tools, program), `#!/bin/sh\nexec ${real} "$@"\n`);
      chmodSync(join(tools, program), 0o755);
    }
    const { status, stdout } = runBench(['--only', 'zip,startup'], tools);
    expect(status).toBe(3);
    expect(stdout).toContain('7zz (Debian package 7zip)');
    expect(stdout).toContain('yara (Debian package yara)');
  });

  it('builds nothing that is there, and anew what its recipe changed', () => {
    const { databases, zip } = createInputs(quickScale);
    const inputs = join(folder, 'inputs');
    const built = join(inputs, zip.id, 'program.zip');
    const before = statSync(built).mtimeMs;
    const told: string[] = [];
    const provide = (recipe: Recipe): string | undefined =>
      buildInputs([recipe], inputs, goodware.folder, (line) => told.push(line))[0]?.kind;
    expect(provide(zip)).toBe('there');
    expect(statSync(built).mtimeMs).toBe(before);
    const bytes = readFileSync(built);
    const changed: Recipe = { ...zip, parameters: { revision: 'another' } };
    expect(toRecipeDigest(changed)).not.toBe(toRecipeDigest(zip));
    expect(provide(changed)).toBe('built');
    expect(readFileSync(built).equals(bytes)).toBe(true);
    // What needs something that changed is built again as well.
    expect(toRecipeDigest({ ...zip, needs: [databases] })).not.toBe(toRecipeDigest(zip));
    const failing: Recipe = {
      id: 'failing',
      title: 'fails',
      parameters: {},
      build: () => {
        throw new Error('on purpose');
      },
    };
    expect(provide(failing)).toBe('failed');
    expect(provide({ ...failing, id: 'dependent', needs: [failing] })).toBe('skipped');
    expect(told.join('\n')).toContain('on purpose');
  });
});
