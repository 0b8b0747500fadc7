import { type Ratio, toGrowthExponent, toMedian, toRatio } from '../measure/statistics.ts';
import type { Comparison, Curve, Results, Subject, Target } from './results.ts';

/*
 * The figures that tables and plots show, worked out from what was measured.
 */

export type Quantity = 'wallSeconds' | 'cpuSeconds' | 'peakBytes';

/** The median over the rounds, or undefined for what was not measured. */
export function toTypical({ rounds }: Pick<Subject, 'rounds'>, quantity: Quantity): number | undefined {
  return rounds.length === 0 ? undefined : toMedian(rounds.map((round) => round[quantity]));
}

/** telltale as a share of another, round by round. */
export function toShare(comparison: Comparison, against: string, quantity: Quantity): Ratio | undefined {
  const [own] = comparison.subjects;
  const other = comparison.subjects.find(({ name }) => name === against);
  if (own === undefined || other === undefined || own.rounds.length === 0 || other.rounds.length === 0) {
    return undefined;
  }
  return toRatio(
    own.rounds.map((round) => round[quantity]),
    other.rounds.map((round) => round[quantity]),
  );
}

export interface TargetRow {
  readonly comparison: Comparison;
  readonly target: Target;
  readonly wall: Ratio | undefined;
  readonly cpu: Ratio | undefined;
  /** Undefined where nothing could be measured. */
  readonly isMet: boolean | undefined;
}

/** Every target that speaks of a share of wall time. */
export function toTargetRows({ comparisons }: Results): readonly TargetRow[] {
  return comparisons.flatMap((comparison) =>
    comparison.targets.map((target) => {
      const wall = toShare(comparison, target.against, 'wallSeconds');
      const cpu = toShare(comparison, target.against, 'cpuSeconds');
      return {
        comparison,
        target,
        wall,
        cpu,
        isMet: wall === undefined ? undefined : wall.median <= target.atMost,
      };
    }),
  );
}

export interface GrowthRow {
  readonly curve: Curve;
  readonly name: string;
  readonly command: string;
  readonly points: readonly { readonly x: number; readonly seconds: number; readonly peakBytes: number }[];
  /** The power with which processor time grows; undefined where it does not rise. */
  readonly exponent: number | undefined;
  /** The peak at the largest as a multiple of that at the smallest. */
  readonly peakGrowth: number;
  /** Undefined where there are too few points to say. */
  readonly isMet: boolean | undefined;
}

const leastPoints = 3;

/** How everything grows. Processor time is taken for the power: it knows of no other program on the machine. */
export function toGrowthRows({ curves }: Results): readonly GrowthRow[] {
  return curves.flatMap((curve) =>
    curve.series.map(({ name, command, points }) => {
      const known = points
        .filter(({ rounds }) => rounds.length > 0)
        .map(({ x, rounds }) => ({
          x,
          seconds: toMedian(rounds.map(({ wallSeconds }) => wallSeconds)),
          cpu: toMedian(rounds.map(({ cpuSeconds }) => cpuSeconds)),
          peakBytes: toMedian(rounds.map(({ peakBytes }) => peakBytes)),
        }));
      const exponent = toGrowthExponent(known.map(({ x, cpu }) => ({ x, y: cpu })));
      const peakGrowth = (known.at(-1)?.peakBytes ?? 0) / (known[0]?.peakBytes ?? 1);
      const isLinear = exponent === undefined || exponent <= curve.exponentAtMost;
      const isFlat = curve.peakAtMost === undefined || peakGrowth <= curve.peakAtMost;
      return {
        curve,
        name,
        command,
        points: known,
        exponent,
        peakGrowth,
        isMet: known.length < leastPoints ? undefined : isLinear && isFlat,
      };
    }),
  );
}

export interface PeakRow {
  readonly comparison: Comparison;
  readonly atMost: number;
  readonly peakBytes: number | undefined;
  readonly isMet: boolean | undefined;
}

/** Every target that speaks of memory: the largest of all rounds counts. */
export function toPeakRows({ comparisons }: Results): readonly PeakRow[] {
  return comparisons.flatMap((comparison) => {
    const atMost = comparison.peakBytesAtMost;
    if (atMost === undefined) return [];
    const rounds = comparison.subjects[0]?.rounds ?? [];
    const peakBytes = rounds.length === 0 ? undefined : Math.max(...rounds.map((round) => round.peakBytes));
    return [
      { comparison, atMost, peakBytes, isMet: peakBytes === undefined ? undefined : peakBytes <= atMost },
    ];
  });
}
