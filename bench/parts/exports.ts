import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ExportedRules, Exports } from './part.ts';

/** Kinds of conditions that other tools see as telltale does: bytes of a file, and nothing else. */
const literalKinds: ReadonlySet<string> = new Set(['text', 'host', 'bytes']);

/**
 * Exports databases by `telltale db export`, once each.
 *
 * @param databases - folder with the databases of the recipe
 * @param target - where the exports go
 */
export function createExports(telltale: readonly string[], databases: string, target: string): Exports {
  const done = new Map<string, ExportedRules>();
  const provide = (name: string, options: readonly string[]): ExportedRules => {
    const known = done.get(name);
    if (known !== undefined) return known;
    const folder = join(target, name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const [program = '', ...first] = telltale;
    const run = (to: string, output: string): void => {
      execFileSync(program, [...first, 'db', 'export', ...options, '--to', to, '--output', output], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
    };
    const yara = join(folder, 'rules.yar');
    const clamav = join(folder, 'clamav');
    run('yara', yara);
    run('clamav', clamav);
    const table = join(folder, 'indicators.csv');
    run('csv', table);
    const rules = readFileSync(yara, 'utf8');
    const exported: ExportedRules = {
      options,
      yara,
      clamav,
      indicators: readLiteralIndicators(readFileSync(table, 'utf8'), rules),
    };
    done.set(name, exported);
    return exported;
  };
  return {
    everything: () => provide('everything', ['--database', join(databases, '1000-added')]),
    literals: (count) =>
      provide(`literals-${count}`, ['--only-database', '--database', join(databases, String(count))]),
  };
}

/**
 * Indicators whose conditions are all literals, by the name of their rule.
 *
 * @param table - the export as CSV
 * @param rules - the export for yara, whose end names the indicators that it only approximates
 */
export function readLiteralIndicators(table: string, rules: string): ReadonlyMap<string, string> {
  const [head = [], ...rows] = parseCsv(table);
  const column = (name: string): number => {
    const index = head.indexOf(name);
    if (index < 0) throw new Error(`the export has no column "${name}"`);
    return index;
  };
  const [product, indicator, kind] = [column('product'), column('indicator'), column('kind')];
  const kinds = new Map<string, Set<string>>();
  const names = new Map<string, string>();
  for (const row of rows) {
    const id = row[indicator] ?? '';
    const rule = `telltale_${row[product] ?? ''}_${id}`.replaceAll(/[^A-Za-z0-9]/g, '_');
    names.set(rule, id);
    const known = kinds.get(rule) ?? new Set();
    known.add(row[kind] ?? '');
    kinds.set(rule, known);
  }
  const notes = rules.split('\n').filter((line) => line.startsWith('//'));
  return new Map(
    [...names].filter(
      ([rule, id]) =>
        [...(kinds.get(rule) ?? [])].every((one) => literalKinds.has(one)) &&
        rules.includes(`rule ${rule} `) &&
        !notes.some((line) => line.includes(id)),
    ),
  );
}

/** Rows of a CSV file (RFC 4180). */
export function parseCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const match of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    if (match[0] === '' && row.length === 0) break;
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] !== ',') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}
