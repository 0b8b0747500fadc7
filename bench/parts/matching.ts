import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOwnReport } from '../agreement/telltale-finds.ts';
import type { Inputs } from '../inputs/index.ts';
import { measureBytes } from '../inputs/recipe.ts';
import { type Command, type Measurement, measurementSchema, runMeasured } from '../measure/measured-run.ts';
import { root } from '../root.ts';
import type { Comparison, Subject } from '../report/results.ts';
import { compareWithChain, toChain, toChainTools } from './chain.ts';
import { withAgreement } from './measured-scan.ts';
import { type Part, type PartContext, toReportingScan } from './part.ts';

const script = join(root, 'build/bench/measure/matching-run.js');
const counts = [60, 1_000];
/** Three times the throughput. */
const atMost = 1 / 3;

/**
 * How fast literals are looked for, without the rest: telltale's matcher over a file that is in memory, and yara over
 * the same file less what yara takes for an empty one, which is its start and the reading of its rules.
 */
export function createMatchingPart(inputs: Inputs): Part {
  return {
    id: 'matching',
    title: 'Looking for literals, nothing else',
    needs: [inputs.databases, inputs.program],
    tools: toChainTools('nothing'),
    rounds: 7,
    run: (context) => ({
      comparisons: counts.map((count) => measureMatching(context, inputs, count)),
      curves: [],
    }),
  };
}

function measureMatching(
  context: PartContext,
  { databases, program, scale }: Inputs,
  count: number,
): Comparison {
  const { work, rounds, exports } = context;
  const input = join(context.folderOf(program), scale.program.as);
  const database = join(context.folderOf(databases), String(count));
  const rules = exports.literals(count);
  const empty = join(work, 'empty');
  writeFileSync(empty, '');
  const own = readOwnReport(runMeasured(toReportingScan(context, rules.options, [input]), work).stdoutPath);
  const agreement = compareWithChain(toChain('nothing', input, rules, work), own, rules, work);

  const toYara = (path: string): Command => ({
    name: 'yara',
    argv: ['yara', '-w', rules.yara, path],
    goodExits: [0],
  });
  const matcher: Command = {
    name: 'matcher',
    argv: [process.execPath, script, database, input],
    goodExits: [0],
  };
  const measureMatcher = (): Measurement =>
    measurementSchema.parse(JSON.parse(readFileSync(runMeasured(matcher, work).stdoutPath, 'utf8')));
  const measureYara = (): Measurement => {
    const idle = runMeasured(toYara(empty), work);
    const busy = runMeasured(toYara(input), work);
    return {
      wallSeconds: Math.max(0.001, busy.wallSeconds - idle.wallSeconds),
      cpuSeconds: Math.max(0.001, busy.cpuSeconds - idle.cpuSeconds),
      peakBytes: busy.peakBytes,
      exitCode: busy.exitCode,
    };
  };
  const subjects: Subject[] = [
    { name: 'telltale', command: 'the matcher alone, over bytes in memory', rounds: [] },
    {
      name: 'yara',
      command: 'yara RULES FILE, less yara RULES EMPTY-FILE',
      rounds: [],
      ...withAgreement(agreement),
    },
  ];
  if (agreement.kind === 'agreed') {
    for (let round = 0; round < rounds; round += 1) {
      const turns = [
        () => subjects[0]?.rounds.push(measureMatcher()),
        () => subjects[1]?.rounds.push(measureYara()),
      ];
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) turn();
    }
  }
  context.tell(`bench: matching of ${count} literals measured`);
  return {
    id: `matching-${count}`,
    part: 'matching',
    title: `${count} literals in both encodings, the matcher alone`,
    bytes: measureBytes(input),
    files: 1,
    subjects,
    targets: [{ against: 'yara', atMost, text: 'at least 3 times the throughput' }],
    notes: [],
  };
}
