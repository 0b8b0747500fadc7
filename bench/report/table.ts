import type { Ratio } from '../measure/statistics.ts';
import {
  type GrowthRow,
  type PeakRow,
  type TargetRow,
  toGrowthRows,
  toPeakRows,
  toShare,
  toTargetRows,
  toTypical,
} from './figures.ts';
import type { Comparison, Results, Subject } from './results.ts';

/** The whole report for people, in Markdown. */
export function toMarkdown(results: Results): string {
  const parts = [
    `# Benchmark of ${results.date}`,
    ...(results.isQuick
      ? ['Inputs of a few megabytes: these figures show that everything works, and are none to quote.']
      : []),
    toSetting(results),
    '## Targets',
    toTargetTable(results),
    '## Time and memory',
    toMeasurementTable(results),
    ...(results.curves.length === 0 ? [] : ['## Growth', toGrowthTable(results)]),
    '## What was compared',
    toAgreementList(results),
    ...toRemarks(results),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Machine, versions, and how quiet it was. */
export function toSetting(results: Results): string {
  const { machine, tools } = results;
  const versions = Object.entries(tools).map(([name, version]) => `${name} ${version}`);
  return [
    `Measured on ${results.date} in ${Math.ceil(results.seconds / 60)} minutes by \`${results.command}\`, telltale at ${results.commit}.`,
    `${machine.processor}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB of memory, ${machine.system}; load ${machine.loadBefore.toFixed(2)} before and ${machine.loadAfter.toFixed(2)} after.`,
    `${versions.join(', ')}.`,
  ].join('\n');
}

export function toTargetTable(results: Results): string {
  const rows = toTargetRows(results);
  const growth = toGrowthRows(results);
  const peaks = toPeakRows(results);
  const isMet = [...rows, ...peaks, ...growth].map((row) => row.isMet);
  const count = (wanted: boolean | undefined): number => isMet.filter((one) => one === wanted).length;
  const sum = `${count(true)} of ${isMet.length} targets are met, ${count(false)} are missed${count(undefined) === 0 ? '' : `, ${count(undefined)} could not be measured`}.`;
  return [
    sum,
    toTable(
      ['what', 'against', 'wall time', 'rounds', 'CPU time, growth or memory', 'target', '', 'command'],
      [...rows.map(toTargetCells), ...peaks.map(toPeakCells), ...growth.map(toGrowthTargetCells)],
    ),
  ].join('\n\n');
}

function toTargetCells({ comparison, target, wall, cpu, isMet }: TargetRow): readonly string[] {
  return [
    comparison.title,
    target.against,
    showRatio(wall),
    wall === undefined ? '' : `${wall.least.toFixed(2)} to ${wall.most.toFixed(2)}`,
    showRatio(cpu),
    `${target.text ?? 'at most'}${target.text === undefined ? ` ${target.atMost}` : ` (${target.atMost.toFixed(2)})`}`,
    showMet(isMet),
    toPartCommand(comparison.part),
  ];
}

function toPeakCells({ comparison, atMost, peakBytes, isMet }: PeakRow): readonly string[] {
  return [
    `${comparison.title}: peak memory`,
    'itself',
    '',
    '',
    peakBytes === undefined ? '–' : `${showNumber(peakBytes, 1e6)} MB`,
    `at most ${showNumber(atMost, 1e6)} MB`,
    showMet(isMet),
    toPartCommand(comparison.part),
  ];
}

const toPartCommand = (part: string): string => `\`npm run bench -- --only ${part}\``;

function toGrowthTargetCells(row: GrowthRow): readonly string[] {
  const { curve } = row;
  const peak = curve.peakAtMost === undefined ? '' : `, peak times ${row.peakGrowth.toFixed(2)}`;
  return [
    `${curve.title}: ${row.name}`,
    'itself',
    '',
    '',
    row.exponent === undefined ? `no rise${peak}` : `power ${row.exponent.toFixed(2)}${peak}`,
    `power at most ${curve.exponentAtMost}${curve.peakAtMost === undefined ? '' : `, peak at most times ${curve.peakAtMost}`}`,
    showMet(row.isMet),
    toPartCommand(curve.part),
  ];
}

const showRatio = (ratio: Ratio | undefined): string => (ratio === undefined ? '–' : ratio.median.toFixed(2));

function showMet(isMet: boolean | undefined): string {
  if (isMet === undefined) return 'not measured';
  return isMet ? 'met' : '**missed**';
}

/** Every program over every input: medians. */
export function toMeasurementTable({ comparisons }: Results): string {
  return toTable(
    ['input', 'MB', 'program', 'wall s', 'CPU s', 'peak MB', 'rounds', 'telltale is'],
    comparisons.flatMap((comparison) =>
      comparison.subjects.map((subject, index) => [
        index === 0 ? comparison.title : '',
        index === 0 && comparison.bytes > 0 ? (comparison.bytes / 1e6).toFixed(1) : '',
        `${subject.name}: \`${subject.command}\``,
        showNumber(toTypical(subject, 'wallSeconds'), 1),
        showNumber(toTypical(subject, 'cpuSeconds'), 1),
        showNumber(toTypical(subject, 'peakBytes'), 1e6),
        String(subject.rounds.length),
        index === 0 ? '' : showSpeed(comparison, subject),
      ]),
    ),
  );
}

function showSpeed(comparison: Comparison, { name }: Subject): string {
  const share = toShare(comparison, name, 'wallSeconds');
  if (share === undefined) return '–';
  return share.median <= 1
    ? `${(1 / share.median).toFixed(1)} times as fast`
    : `${share.median.toFixed(1)} times as slow`;
}

function showNumber(value: number | undefined, unit: number): string {
  if (value === undefined) return '–';
  const scaled = value / unit;
  return scaled >= 20 ? scaled.toFixed(0) : scaled >= 2 ? scaled.toFixed(2) : scaled.toFixed(3);
}

export function toGrowthTable(results: Results): string {
  return toGrowthRows(results)
    .map((row) =>
      [
        `${row.curve.title}: ${row.name} (\`${row.command}\`)`,
        toTable(
          [row.curve.unit, ...row.points.map(({ x }) => showCount(x))],
          [
            ['wall s', ...row.points.map(({ seconds }) => showNumber(seconds, 1))],
            ['peak MB', ...row.points.map(({ peakBytes }) => showNumber(peakBytes, 1e6))],
          ],
        ),
      ].join('\n\n'),
    )
    .join('\n\n');
}

export function showCount(x: number): string {
  return Math.round(x).toLocaleString('en-US');
}

/** What both found, for every comparison; differences in full. */
export function toAgreementList({ comparisons }: Results): string {
  const lines = comparisons.flatMap((comparison) =>
    comparison.subjects.flatMap(({ name, agreement }) => {
      if (agreement === undefined || agreement.kind === 'none') return [];
      const start = `- ${comparison.title}, ${name}:`;
      if (agreement.kind === 'agreed') {
        const deeper =
          agreement.deeper.length === 0
            ? ''
            : `; telltale sees ${agreement.deeper.length} more, in what the other does not open`;
        return [`${start} the same ${agreement.common} finds (${agreement.basis})${deeper}`];
      }
      return [
        `${start} **not measured, because they do not find the same** (${agreement.basis}):`,
        ...agreement.differences.slice(0, shownDifferences).map((difference) => `  - ${difference}`),
        ...(agreement.differences.length > shownDifferences
          ? [`  - and ${agreement.differences.length - shownDifferences} more`]
          : []),
      ];
    }),
  );
  return lines.length === 0 ? 'Nothing.' : lines.join('\n');
}

const shownDifferences = 20;

function toRemarks({ comparisons, curves, failures }: Results): readonly string[] {
  const notes = [
    ...comparisons.flatMap(({ title, notes: own }) => own.map((note) => `- ${title}: ${note}`)),
    ...curves.flatMap(({ title, notes: own }) => own.map((note) => `- ${title}: ${note}`)),
  ];
  const failed = failures.map(
    ({ part, kind, reason }) => `- ${part} ${kind}: ${reason.split('\n')[0] ?? ''}`,
  );
  return [
    ...(notes.length === 0 ? [] : ['## Notes', notes.join('\n')]),
    ...(failed.length === 0 ? [] : ['## Not measured', failed.join('\n')]),
  ];
}

function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [toLine(head), toLine(head.map(() => '---')), ...rows.map(toLine)].join('\n');
}

function toLine(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
