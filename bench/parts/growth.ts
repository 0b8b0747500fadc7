import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Inputs } from '../inputs/index.ts';
import { measureBytes } from '../inputs/recipe.ts';
import { type Command, measureAlternately, toStdoutPath } from '../measure/measured-run.ts';
import type { Curve } from '../report/results.ts';
import { type Part, type PartContext, toScan } from './part.ts';

/** A little more than linear is allowed for: garbage collection and caches. */
const exponentAtMost = 1.15;
const peakAtMost = 1.5;

interface Step {
  readonly x: number;
  readonly options: readonly string[];
  readonly paths: readonly string[];
}

interface Growth {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly series: readonly {
    readonly name: string;
    readonly command: string;
    readonly steps: readonly Step[];
  }[];
  /** How often the peak at the smallest may be that at the largest; absent where memory may grow. */
  readonly peakAtMost?: number;
}

function measureGrowth(context: PartContext, growth: Growth): Curve {
  const notes: string[] = [];
  const series = growth.series.map(({ name, command, steps }) => {
    const commands: Command[] = steps.map(({ options, paths }, index) =>
      toScan(context, options, paths, `step-${index}`),
    );
    const measured = measureAlternately(commands, () => context.rounds, context.work);
    // Limits that stop a scan would make a curve flat.
    const report = readFileSync(toStdoutPath(context.work, `step-${steps.length - 1}`), 'utf8');
    for (const limit of findLimits(report)) notes.push(`${name}: telltale hit a limit: ${limit}`);
    return {
      name,
      command,
      points: steps.map(({ x }, index) => ({ x, rounds: [...(measured[index] ?? [])] })),
    };
  });
  context.tell(`bench: ${growth.id} measured`);
  return {
    id: growth.id,
    part: growth.id,
    title: growth.title,
    unit: growth.unit,
    series,
    exponentAtMost,
    ...(growth.peakAtMost === undefined ? {} : { peakAtMost: growth.peakAtMost }),
    notes,
  };
}

/** The lines of a report as text that tell of a limit, each once. */
export function findLimits(report: string): readonly string[] {
  return [...new Set([...report.matchAll(/^ +limit +(\S.*)$/gm)].map((match) => match[1] ?? ''))].sort();
}

function toPart(
  id: string,
  title: string,
  needs: Part['needs'],
  make: (context: PartContext) => Growth,
): Part {
  return {
    id,
    title,
    needs,
    tools: [],
    rounds: 2,
    run: (context) => ({ comparisons: [], curves: [measureGrowth(context, make(context))] }),
  };
}

export function createGrowthParts(inputs: Inputs): readonly Part[] {
  const { growingArchives, growingFolders, growingSizes, smallPrograms, databases, program, scale } = inputs;
  return [
    toPart('growth-size', 'Growth with the size of an archive', [growingSizes, smallPrograms], (context) => {
      const folder = context.folderOf(growingSizes);
      const setBytes = measureBytes(context.folderOf(smallPrograms));
      const toSeries = (kind: string): Growth['series'][number] => ({
        name: kind,
        command: `telltale scan N.${kind}`,
        steps: scale.growthFactors.map((factor) => ({
          x: (factor * setBytes) / 1e6,
          options: [],
          paths: [join(folder, `${factor}.${kind}`)],
        })),
      });
      return {
        id: 'growth-size',
        title: 'Growth with the size of an archive',
        unit: 'MB unpacked',
        series: [toSeries('zip'), toSeries('7z')],
        peakAtMost,
      };
    }),
    toPart('growth-members', 'Growth with the members of an archive', [growingArchives], (context) => ({
      id: 'growth-members',
      title: 'Growth with the members of an archive',
      unit: 'members of 1 kB',
      series: [
        {
          name: 'zip',
          command: 'telltale scan N.zip',
          steps: scale.growthMemberCounts.map((count) => ({
            x: count,
            options: [],
            paths: [join(context.folderOf(growingArchives), `${count}.zip`)],
          })),
        },
      ],
    })),
    toPart(
      'growth-indicators',
      'Growth with the literals of the database',
      [databases, program],
      (context) => ({
        id: 'growth-indicators',
        title: 'Growth with the literals of the database',
        unit: 'literals, each in both encodings',
        series: [
          {
            name: `a program of ${Math.round(measureBytes(join(context.folderOf(program), scale.program.as)) / 1e6)} MB`,
            command: 'telltale scan --only-database --database N program.exe',
            steps: scale.databaseSizes.map((size) => ({
              x: size,
              options: context.exports.literals(size).options,
              paths: [join(context.folderOf(program), scale.program.as)],
            })),
          },
        ],
      }),
    ),
    toPart('growth-files', 'Growth with the files of a folder', [growingFolders], (context) => ({
      id: 'growth-files',
      title: 'Growth with the files of a folder',
      unit: 'files',
      series: ['1', '2'].map((workers) => ({
        name: workers === '1' ? '1 worker' : '2 workers',
        command: `telltale scan --jobs ${workers} FOLDER`,
        steps: scale.growthFileCounts.map((count) => ({
          x: count,
          options: ['--jobs', workers],
          paths: [join(context.folderOf(growingFolders), String(count))],
        })),
      })),
    })),
  ];
}
