import type { Comparison } from '../diff/model.ts';
import { toSafeJson } from './escape.ts';
import type { ScanReport } from './model.ts';

/** A comparison with what made it: what every report of it is a pure function of. */
export interface DiffReport extends Comparison {
  readonly schema: 'telltale/diff/1';
  readonly tool: ScanReport['tool'];
  readonly database: ScanReport['database'];
}

/** One JSON document; its shape is the published schema `telltale/diff/1`. */
export function toDiffJson(report: DiffReport): string {
  return `${toSafeJson(report, 2)}\n`;
}
