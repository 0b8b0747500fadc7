import type { Measurement } from '../../bench/measure/measured-run.ts';
import type { Comparison, Curve, Results } from '../../bench/report/results.ts';

export function makeRounds(...seconds: readonly number[]): Measurement[] {
  return seconds.map((wallSeconds) => ({
    wallSeconds,
    cpuSeconds: wallSeconds * 1.5,
    peakBytes: 100e6,
    exitCode: 0,
  }));
}

export const agreed = { kind: 'agreed', common: 12, deeper: [], basis: 'pairs' } as const;

export function makeComparison(change: Partial<Comparison> = {}): Comparison {
  return {
    id: 'zip',
    part: 'zip',
    title: 'ZIP, deflate',
    bytes: 40_000_000,
    files: 1,
    subjects: [
      { name: 'telltale', command: 'telltale scan program.zip', rounds: makeRounds(1, 1.2, 1.1) },
      {
        name: 'chain',
        command: '7zz x && …',
        rounds: makeRounds(2, 3, 2),
        agreement: { ...agreed, deeper: [] },
      },
    ],
    targets: [{ against: 'chain', atMost: 0.5 }],
    notes: [],
    ...change,
  };
}

export function makeCurve(seconds: readonly number[], change: Partial<Curve> = {}): Curve {
  return {
    id: 'growth-files',
    part: 'growth-files',
    title: 'Growth with the files',
    unit: 'files',
    series: [
      {
        name: '1 worker',
        command: 'telltale scan FOLDER',
        points: seconds.map((one, index) => ({ x: 10 ** index, rounds: makeRounds(one) })),
      },
    ],
    exponentAtMost: 1.15,
    notes: [],
    ...change,
  };
}

export function makeResults(change: Partial<Results> = {}): Results {
  return {
    schema: 'telltale/bench/1',
    date: '2026-11-22',
    seconds: 90,
    command: 'npm run bench',
    isQuick: false,
    commit: '0123456789ab',
    machine: {
      processor: 'Some processor',
      cores: 2,
      memoryBytes: 2 ** 34,
      system: 'Debian, Linux 6',
      loadBefore: 0.1,
      loadAfter: 1,
    },
    tools: { node: '20.19.0', yara: '4.2.3' },
    comparisons: [makeComparison()],
    curves: [],
    failures: [],
    ...change,
  };
}
