import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOutcome, findMissingTools, type Recipe, type Tool } from './inputs/recipe.ts';
import { describeMachine, readLoad, readToolVersions } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { createExports } from './parts/exports.ts';
import type { Part, PartContext } from './parts/part.ts';
import type { Results } from './report/results.ts';
import { root } from './root.ts';

/** What every part needs: the wrapper that measures. */
const wrapperTools: readonly Tool[] = [{ program: 'python3', debianPackage: 'python3' }];

export interface RunSetting {
  readonly options: BenchOptions;
  readonly parts: readonly Part[];
  readonly databases: Recipe;
  readonly outcomes: readonly BuildOutcome[];
  /** Program and first arguments. */
  readonly telltale: readonly string[];
  tell(line: string): void;
}

/** Measures every part. One that fails is told, and the others are measured all the same. */
export function runParts(setting: RunSetting): Results {
  const { options, parts, outcomes, telltale, tell } = setting;
  const loadBefore = readLoad();
  const start = performance.now();
  mkdirSync(options.inputs, { recursive: true });
  removeLeftovers(options.inputs);
  const work = mkdtempSync(join(options.inputs, `work-${process.pid}-`));
  const clear = (): void => rmSync(work, { recursive: true, force: true });
  process.on('exit', clear);
  const comparisons: Results['comparisons'] = [];
  const curves: Results['curves'] = [];
  const failures: Results['failures'] = [];
  const exports = createExports(telltale, join(options.inputs, setting.databases.id), join(work, 'exports'));
  for (const part of parts) {
    const absent = findAbsent(part, outcomes);
    if (absent !== undefined) {
      tell(`bench: ${part.id} left out: ${absent}`);
      failures.push({ part: part.id, kind: 'left out', reason: absent });
      continue;
    }
    const context: PartContext = {
      folderOf: ({ id }) => join(options.inputs, id),
      work,
      telltale,
      rounds: options.rounds ?? part.rounds,
      exports,
      tell,
    };
    try {
      const result = part.run(context);
      comparisons.push(...result.comparisons);
      curves.push(...result.curves);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      tell(`bench: ${part.id} failed: ${reason}`);
      failures.push({ part: part.id, kind: 'failed', reason });
    }
  }
  clear();
  return {
    schema: 'telltale/bench/1',
    date: new Date().toISOString().slice(0, 10),
    seconds: Math.round((performance.now() - start) / 1000),
    command: showCommand(options),
    isQuick: options.isQuick,
    commit: readCommit(),
    machine: describeMachine(loadBefore),
    tools: readToolVersions(),
    comparisons,
    curves,
    failures,
  };
}

/** What runs that were interrupted left; those of runs that go on are left alone. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /^work-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Why a part cannot be measured here, or undefined when it can. */
function findAbsent(part: Part, outcomes: readonly BuildOutcome[]): string | undefined {
  const missing = findMissingTools([...wrapperTools, ...part.tools]);
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  for (const recipe of part.needs) {
    const outcome = outcomes.find((one) => one.recipe.id === recipe.id);
    if (outcome === undefined) return `its input ${recipe.id} was not built`;
    if ('reason' in outcome) return `its input ${recipe.id} could not be built: ${outcome.reason}`;
  }
  return undefined;
}

/** The command that gives the same figures, without the folders of this machine. */
export function showCommand({ only, rounds, isQuick, withLarge }: BenchOptions): string {
  const flags = [
    ...(only === undefined ? [] : ['--only', only.join(',')]),
    ...(rounds === undefined || isQuick ? [] : ['--rounds', String(rounds)]),
    ...(withLarge ? ['--large'] : []),
    ...(isQuick ? ['--quick'] : []),
  ];
  return ['npm run bench', ...(flags.length === 0 ? [] : ['--', ...flags])].join(' ');
}

function askGit(...args: readonly string[]): string {
  return spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
}

function readCommit(): string {
  const commit = askGit('rev-parse', '--short=12', 'HEAD');
  if (commit === '') return 'unknown';
  return askGit('status', '--porcelain', '--', 'src', 'signatures') === ''
    ? commit
    : `${commit} with changes`;
}
