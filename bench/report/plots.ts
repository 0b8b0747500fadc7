import { type GrowthRow, toGrowthRows, toShare } from './figures.ts';
import type { Curve, Results } from './results.ts';
import { circle, drawing, line, rectangle, text, title } from './svg.ts';
import { showCount } from './table.ts';

export interface Plot {
  /** Name of the file without its ending. */
  readonly id: string;
  readonly svg: string;
}

/** A plot of the shares, and one for each way of growing. */
export function toPlots(results: Results): readonly Plot[] {
  const shares = toSharePlot(results);
  const rows = toGrowthRows(results);
  return [
    ...(shares === undefined ? [] : [{ id: 'shares', svg: shares }]),
    ...results.curves.map((curve) => ({
      id: curve.id,
      svg: toGrowthPlot(
        curve,
        rows.filter((row) => row.curve === curve),
      ),
    })),
  ];
}

const width = 720;

/** Wall time of telltale as a share of that of each peer, with the target as a stroke. */
function toSharePlot(results: Results): string | undefined {
  const bars = results.comparisons.flatMap((comparison) =>
    comparison.targets.flatMap((target) => {
      const share = toShare(comparison, target.against, 'wallSeconds');
      return share === undefined ? [] : [{ name: comparison.id, target, share: share.median }];
    }),
  );
  if (bars.length === 0) return undefined;
  const left = 230;
  const right = width - 60;
  const rowHeight = 22;
  const top = 48;
  // Shares from a tenth to ten times, on a logarithmic scale.
  const least = Math.min(0.05, ...bars.map(({ share }) => share));
  const most = Math.max(2, ...bars.map(({ share, target }) => Math.max(share, target.atMost)));
  const toX = (share: number): number =>
    left + ((Math.log(share) - Math.log(least)) / (Math.log(most) - Math.log(least))) * (right - left);
  const height = top + bars.length * rowHeight + 30;
  const ticks = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20].filter((tick) => tick >= least && tick <= most);
  return drawing(width, height, 'Wall time of telltale as a share of that of the others', [
    title(16, 24, 'Wall time of telltale as a share of that of the others; the stroke is the target'),
    ...ticks.flatMap((tick) => [
      line(toX(tick), top - 6, toX(tick), height - 26, tick === 1 ? 'axis' : 'grid'),
      text(toX(tick), height - 10, String(tick), 'middle'),
    ]),
    ...bars.flatMap(({ name, target, share }, index) => {
      const y = top + index * rowHeight;
      return [
        text(left - 8, y + 13, `${name} / ${target.against}`, 'end'),
        rectangle(
          left,
          y + 3,
          Math.max(1, toX(share) - left),
          rowHeight - 8,
          share <= target.atMost ? 'good' : 'bad',
        ),
        line(toX(target.atMost), y, toX(target.atMost), y + rowHeight - 2, 'target'),
        text(toX(Math.max(share, target.atMost)) + 6, y + 13, share.toFixed(2), 'start'),
      ];
    }),
  ]);
}

const panelWidth = 330;
const panelHeight = 220;

/** Time with both axes logarithmic, where what is linear rises as the dashed line does; memory from zero. */
function toGrowthPlot(curve: Curve, rows: readonly GrowthRow[]): string {
  const height = panelHeight + 100;
  return drawing(width, height, curve.title, [
    title(16, 24, curve.title),
    ...toPanel(16, 50, 'seconds', curve.unit, rows, ({ seconds }) => seconds, true),
    ...toPanel(376, 50, 'peak MB', curve.unit, rows, ({ peakBytes }) => peakBytes / 1e6, false),
    ...rows.flatMap((row, index) => [
      line(70 + index * 180, height - 12, 94 + index * 180, height - 12, `series${index}`),
      text(100 + index * 180, height - 8, row.name, 'start'),
    ]),
    ...(rows.length === 0 ? [] : [text(width - 16, height - 8, 'dashed: linear', 'end')]),
  ]);
}

function toPanel(
  x0: number,
  y0: number,
  label: string,
  unit: string,
  rows: readonly GrowthRow[],
  toValue: (point: GrowthRow['points'][number]) => number,
  isTime: boolean,
): readonly string[] {
  const points = rows.flatMap((row) => row.points);
  const xs = points.map(({ x }) => x);
  const values = points.map(toValue);
  if (points.length === 0) return [];
  const [leastX, mostX] = toRange(xs);
  const left = x0 + 44;
  const right = x0 + panelWidth - 6;
  const bottom = y0 + panelHeight - 20;
  const toX = (x: number): number =>
    left + (Math.log(x / leastX) / Math.log(mostX / leastX)) * (right - left);
  const axis = isTime ? toDecadeAxis(values) : toLinearAxis(values);
  const toY = (y: number): number => bottom - axis.toShare(y) * (bottom - y0);
  const last = rows[0]?.points.at(-1);
  const reference =
    !isTime || last === undefined
      ? []
      : [
          line(
            toX(last.x),
            toY(toValue(last)),
            ...toReferenceEnd(last.x, toValue(last), leastX, axis.ticks[0] ?? 1, toX, toY),
            'reference',
          ),
        ];
  return [
    text(x0 + 4, y0 - 8, label, 'start'),
    ...axis.ticks.flatMap((tick) => [
      line(left, toY(tick), right, toY(tick), 'grid'),
      text(left - 6, toY(tick) + 4, tick < 1 ? String(tick) : showCount(tick), 'end'),
    ]),
    ...toDecades(leastX, mostX).flatMap((tick) => [
      line(toX(tick), y0, toX(tick), bottom, 'grid'),
      text(toX(tick), bottom + 14, showCount(tick), 'middle'),
    ]),
    text((left + right) / 2, bottom + 30, unit, 'middle'),
    ...reference,
    ...rows.flatMap((row, index) =>
      row.points.flatMap((point, at) => {
        const next = row.points[at + 1];
        return [
          circle(toX(point.x), toY(toValue(point)), `point${index}`),
          ...(next === undefined
            ? []
            : [line(toX(point.x), toY(toValue(point)), toX(next.x), toY(toValue(next)), `series${index}`)]),
        ];
      }),
    ),
  ];
}

interface Axis {
  readonly ticks: readonly number[];
  /** From 0 at the lower end to 1 at the upper. */
  toShare(value: number): number;
}

function toDecadeAxis(values: readonly number[]): Axis {
  const [least, most] = toRange(values);
  return {
    ticks: toDecades(least, most),
    toShare: (value) => Math.log(value / least) / Math.log(most / least),
  };
}

/** From zero, in at most five round steps. */
function toLinearAxis(values: readonly number[]): Axis {
  const largest = Math.max(...values);
  const decade = 10 ** Math.floor(Math.log10(largest / 5));
  const step = [1, 2, 5, 10].map((factor) => factor * decade).find((one) => one * 5 >= largest) ?? largest;
  const most = step * Math.ceil(largest / step);
  return {
    ticks: Array.from({ length: Math.round(most / step) + 1 }, (_, index) => index * step),
    toShare: (value) => value / most,
  };
}

/** The powers of ten around all values. */
function toRange(values: readonly number[]): readonly [number, number] {
  return [
    10 ** Math.floor(Math.log10(Math.min(...values))),
    10 **
      Math.max(
        Math.ceil(Math.log10(Math.max(...values)) - 1e-9),
        Math.floor(Math.log10(Math.min(...values))) + 1,
      ),
  ];
}

/** Where a straight line of slope 1 from a point leaves the panel, to the left or below. */
function toReferenceEnd(
  x: number,
  y: number,
  leastX: number,
  leastY: number,
  toX: (x: number) => number,
  toY: (y: number) => number,
): readonly [number, number] {
  const factor = Math.min(x / leastX, y / leastY);
  return [toX(x / factor), toY(y / factor)];
}

function toDecades(least: number, most: number): readonly number[] {
  const ticks: number[] = [];
  for (
    let exponent = Math.round(Math.log10(least));
    exponent <= Math.round(Math.log10(most));
    exponent += 1
  ) {
    ticks.push(10 ** exponent);
  }
  return ticks;
}
