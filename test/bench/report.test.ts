import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { replaceFigures, toFigures } from '../../bench/report/docs.ts';
import { toGrowthRows, toPeakRows, toTargetRows } from '../../bench/report/figures.ts';
import { toPlots } from '../../bench/report/plots.ts';
import { resultsSchema } from '../../bench/report/results.ts';
import { toMarkdown } from '../../bench/report/table.ts';
import { makeComparison, makeCurve, makeResults, makeRounds } from './results.ts';

describe('when figures are worked out', () => {
  it('holds the median ratio of wall time against the target', () => {
    const [row] = toTargetRows(makeResults());
    expect(row?.wall?.median).toBe(0.5);
    expect(row?.wall?.least).toBeCloseTo(0.4);
    expect(row?.wall?.most).toBeCloseTo(0.55);
    expect(row?.isMet).toBe(true);
    const missed = makeComparison({ targets: [{ against: 'chain', atMost: 0.49 }] });
    expect(toTargetRows(makeResults({ comparisons: [missed] }))[0]?.isMet).toBe(false);
  });

  it('does not call a target met that was not measured', () => {
    const [row] = toTargetRows(makeResults({ comparisons: [withDifference()] }));
    expect(row?.isMet).toBeUndefined();
  });

  it('judges growth by its power, and by memory where that must be flat', () => {
    const rows = toGrowthRows(
      makeResults({
        curves: [
          makeCurve([1, 1.1, 2, 11]),
          makeCurve([1, 1.01, 2, 101]),
          makeCurve([1, 1.1]),
          makeCurve([1, 1.1, 2, 11], { peakAtMost: 0.9 }),
        ],
      }),
    );
    expect(rows.map(({ isMet }) => isMet)).toEqual([true, false, undefined, false]);
  });

  it('takes the largest peak of all rounds', () => {
    const comparison = makeComparison({ peakBytesAtMost: 300e6 });
    comparison.subjects[0]?.rounds.push({ ...makeRounds(1)[0]!, peakBytes: 301e6 });
    expect(toPeakRows(makeResults({ comparisons: [comparison] }))).toMatchObject([
      { peakBytes: 301e6, isMet: false },
    ]);
  });
});

/** A comparison whose peer found something else. */
function withDifference(): ReturnType<typeof makeComparison> {
  return makeComparison({
    subjects: [
      { name: 'telltale', command: 'telltale scan program.zip', rounds: makeRounds(1) },
      {
        name: 'chain',
        command: '7zz x && …',
        rounds: [],
        agreement: {
          kind: 'differs',
          differences: ['only the peer found literal-7 in abcd'],
          basis: 'pairs',
        },
      },
    ],
  });
}

describe('when a report is written', () => {
  it('has a line for each target, with the command that makes the figure', () => {
    const text = toMarkdown(makeResults());
    expect(text).toContain('1 of 1 targets are met, 0 are missed.');
    expect(text).toContain(
      '| ZIP, deflate | chain | 0.50 | 0.40 to 0.55 | 0.50 | at most 0.5 | met | `npm run bench -- --only zip` |',
    );
    expect(text).toContain('the same 12 finds (pairs)');
  });

  it('gives no figures for a peer that found something else, and says what differs', () => {
    const text = toMarkdown(makeResults({ comparisons: [withDifference()] }));
    expect(text).toContain('**not measured, because they do not find the same**');
    expect(text).toContain('only the peer found literal-7 in abcd');
    expect(text).toContain('| ZIP, deflate | chain | – |  | – | at most 0.5 | not measured |');
  });

  it('names what was left out, and what failed', () => {
    const text = toMarkdown(
      makeResults({
        failures: [{ part: 'cab', kind: 'left out', reason: 'not installed: gcab (Debian package gcab)' }],
      }),
    );
    expect(text).toContain('- cab left out: not installed: gcab (Debian package gcab)');
  });

  it('can be read again as it was written', () => {
    const results = makeResults({ curves: [makeCurve([1, 2, 3])] });
    expect(resultsSchema.parse(JSON.parse(JSON.stringify(results)))).toEqual(results);
  });
});

describe('when plots are drawn', () => {
  const plots = toPlots(makeResults({ curves: [makeCurve([0.1, 0.2, 1])] }));

  it('draws the shares and each way of growing', () => {
    expect(plots.map(({ id }) => id)).toEqual(['shares', 'growth-files']);
  });

  it('is readable on light and dark pages, and loads nothing', () => {
    for (const { svg } of plots) {
      expect(svg).toContain('prefers-color-scheme:dark');
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|<script|@import|url\(/);
      expect(svg.length).toBeLessThan(20_000);
    }
  });

  it('draws nothing of what was not measured', () => {
    expect(toPlots(makeResults({ comparisons: [withDifference()] }))).toEqual([]);
  });
});

describe('when figures are written into the page', () => {
  const page = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8');

  it('replaces what stands between the marks, and nothing else', () => {
    const figures = toFigures(makeResults(), []);
    const once = replaceFigures(page, figures);
    expect(once).toContain('1 of 1 targets are met');
    expect(replaceFigures(once, figures)).toBe(once);
    const start = page.indexOf('<!-- bench:figures');
    expect(once.slice(0, start)).toBe(page.slice(0, start));
    expect(once.slice(once.indexOf('<!-- bench:end'))).toBe(page.slice(page.indexOf('<!-- bench:end')));
  });

  it('refuses a page without the marks', () => {
    expect(() => replaceFigures('# Nothing', 'x')).toThrow(/no block/);
  });
});
