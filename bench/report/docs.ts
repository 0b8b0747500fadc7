import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../root.ts';
import type { Plot } from './plots.ts';
import type { Results } from './results.ts';
import { toAgreementList, toGrowthTable, toMeasurementTable, toSetting, toTargetTable } from './table.ts';

const begin = '<!-- bench:figures: written by npm run bench -- --write-docs; not by hand -->';
const end = '<!-- bench:end -->';

/**
 * Puts the figures of a run into the page, and its plots beside it.
 *
 * @throws Error when the page has no place for them, or the results are those of a quick run
 */
export function writeDocs(results: Results, plots: readonly Plot[]): void {
  if (results.isQuick) throw new Error('figures of a quick run are none to write down');
  const page = join(root, 'docs/performance.md');
  writeFileSync(page, replaceFigures(readFileSync(page, 'utf8'), toFigures(results, plots)));
  const folder = join(root, 'docs/performance');
  mkdirSync(folder, { recursive: true });
  for (const { id, svg } of plots) writeFileSync(join(folder, `${id}.svg`), svg);
}

/** The page with another block of figures. */
export function replaceFigures(page: string, figures: string): string {
  const start = page.indexOf(begin);
  const stop = page.indexOf(end);
  if (start < 0 || stop < start) throw new Error(`the page has no block between "${begin}" and "${end}"`);
  return `${page.slice(0, start)}${begin}\n\n${figures}\n\n${page.slice(stop)}`;
}

/** Everything between the marks. */
export function toFigures(results: Results, plots: readonly Plot[]): string {
  const failures = results.failures.map(
    ({ part, kind, reason }) => `- ${part} ${kind}: ${reason.split('\n')[0] ?? ''}`,
  );
  const notes = [...results.comparisons, ...results.curves].flatMap(({ title, notes: own }) =>
    own.map((note) => `- ${title}: ${note}`),
  );
  return [
    toSetting(results),
    '### Targets',
    toTargetTable(results),
    ...plots.filter(({ id }) => id === 'shares').map(showPlot),
    '### Time and memory',
    toMeasurementTable(results),
    ...(results.curves.length === 0
      ? []
      : ['### Growth', ...plots.filter(({ id }) => id !== 'shares').map(showPlot), toGrowthTable(results)]),
    '### What both found',
    toAgreementList(results),
    ...(notes.length === 0 ? [] : ['### Remarks', [...new Set(notes)].join('\n')]),
    ...(failures.length === 0 ? [] : ['### Not measured', failures.join('\n')]),
  ].join('\n\n');
}

function showPlot({ id }: Plot): string {
  return `![${id === 'shares' ? 'wall time as a share of that of the others' : id.replace('-', ' with ')}](performance/${id}.svg)`;
}
