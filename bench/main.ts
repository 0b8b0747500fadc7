import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInputs } from './inputs/index.ts';
import { type BuildOutcome, buildInputs, measureBytes } from './inputs/recipe.ts';
import { fullScale, quickScale } from './inputs/scale.ts';
import { type BenchOptions, chooseParts, help, readOptions } from './options.ts';
import { createParts } from './parts/index.ts';
import { writeDocs } from './report/docs.ts';
import { toPlots } from './report/plots.ts';
import { type Results, resultsSchema } from './report/results.ts';
import { toMarkdown } from './report/table.ts';
import { root } from './root.ts';
import { runParts } from './run.ts';

const argv = process.argv.slice(2);

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

process.exitCode = runBench();

function runBench(): number {
  let options: BenchOptions;
  try {
    options = readOptions(argv, process.env);
  } catch (error) {
    tell(`bench: ${toReason(error)}\n\n${help}`);
    return 2;
  }
  if (options.isHelp) {
    process.stdout.write(help);
    return 0;
  }
  if (options.from !== undefined) return reportEarlier(options, options.from);

  const inputs = createInputs(options.isQuick ? quickScale : fullScale);
  const all = createParts(inputs);
  if (options.isList) {
    for (const { id, title, rounds } of all)
      process.stdout.write(`${id.padEnd(18)} ${title}, ${rounds} rounds\n`);
    return 0;
  }
  let parts: typeof all;
  try {
    parts = chooseParts(all, options);
  } catch (error) {
    tell(`bench: ${toReason(error)}`);
    return 2;
  }
  const program = resolve(root, 'dist/cli/main.js');
  if (!existsSync(program)) {
    tell('bench: telltale is not built; npm run bench builds it');
    return 2;
  }
  const needs = [...new Set([inputs.databases, ...parts.flatMap((part) => part.needs)])];
  const outcomes = buildInputs(needs, options.inputs, options.goodware, tell);
  if (options.isBuildOnly) {
    for (const outcome of outcomes) process.stdout.write(`${toOutcomeLine(outcome)}\n`);
    return toBuildExit(outcomes);
  }

  const results = runParts({
    options,
    parts,
    databases: inputs.databases,
    outcomes,
    telltale: [process.execPath, program],
    tell,
  });
  report(results, options);
  return toExitCode(results);
}

/** Tables and plots of a run that was measured before. */
function reportEarlier(options: BenchOptions, from: string): number {
  let results: Results;
  try {
    results = resultsSchema.parse(JSON.parse(readFileSync(from, 'utf8')));
  } catch (error) {
    tell(`bench: ${from} holds no results: ${toReason(error)}`);
    return 2;
  }
  report(results, options);
  return toExitCode(results);
}

function report(results: Results, options: BenchOptions): void {
  mkdirSync(options.output, { recursive: true });
  const markdown = toMarkdown(results);
  const name = results.isQuick ? 'quick' : 'latest';
  writeFileSync(join(options.output, `${name}.json`), `${JSON.stringify(results, undefined, 1)}\n`);
  writeFileSync(join(options.output, `${name}.md`), markdown);
  const plots = toPlots(results);
  for (const { id, svg } of plots) writeFileSync(join(options.output, `${id}.svg`), svg);
  process.stdout.write(markdown);
  tell(`bench: results are in ${options.output}`);
  if (options.writesDocs) {
    writeDocs(results, plots);
    tell('bench: docs/performance.md has the figures');
  }
}

/** 1 outweighs 3: what went wrong is graver than what was left out. */
export function toExitCode({ comparisons, failures }: Results): number {
  const differs = comparisons.some(({ subjects }) =>
    subjects.some(({ agreement }) => agreement?.kind === 'differs'),
  );
  if (differs || failures.some(({ kind }) => kind === 'failed')) return 1;
  return failures.length > 0 ? 3 : 0;
}

function toOutcomeLine(outcome: BuildOutcome): string {
  if ('reason' in outcome) return `${outcome.recipe.id.padEnd(18)} ${outcome.kind}: ${outcome.reason}`;
  const size = `${(measureBytes(outcome.folder) / 1e6).toFixed(1)} MB`;
  return `${outcome.recipe.id.padEnd(18)} ${size.padStart(10)}  ${outcome.folder}`;
}

function toBuildExit(outcomes: readonly BuildOutcome[]): number {
  if (outcomes.some(({ kind }) => kind === 'failed')) return 1;
  return outcomes.some(({ kind }) => kind === 'skipped') ? 3 : 0;
}

function toReason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
