import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TelltaleError } from '../../bytes/errors.ts';
import { readVersion } from '../../platform/shipped.ts';
import { toVisible } from '../../report/escape.ts';
import { exportClamav } from '../../signatures/export/clamav.ts';
import { exportCsv } from '../../signatures/export/csv.ts';
import type { Exported, ExportOrigin } from '../../signatures/export/statement.ts';
import { exportStix } from '../../signatures/export/stix.ts';
import { exportYara } from '../../signatures/export/yara.ts';
import { loadDatabase } from '../../signatures/load.ts';
import { type SharedOptions, toDatabases } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';

export const exportTargets = ['yara', 'clamav', 'stix', 'csv'] as const;
export type ExportTarget = (typeof exportTargets)[number];

export interface ExportOptions extends SharedOptions {
  readonly to: ExportTarget;
  readonly output?: string;
  readonly anyFormat?: boolean;
}

/** `telltale db export`: the database in the language of another tool. */
export function runDatabaseExport(options: ExportOptions, terminal: Terminal): ExitName {
  const origin: ExportOrigin = { database: loadDatabase(toDatabases(options)), version: readVersion() };
  const isFolder = options.to === 'clamav';
  if (isFolder && (options.output === undefined || options.output === '-')) {
    throw new TelltaleError(
      'usage/arguments',
      'a ClamAV database is several files: --output FOLDER says where they go',
    );
  }
  if (options.to === 'csv' && options.anyFormat === true) {
    throw new TelltaleError('usage/arguments', '--any-format has no meaning for csv, which tests nothing');
  }
  const exported = toExport(options, origin);
  const { output = '-' } = options;
  if (isFolder) makeFolder(output);
  for (const { name, text } of exported.files) {
    if (output === '-') terminal.out(text);
    else writeExport(isFolder ? join(output, name) : output, text);
  }
  terminal.err(`telltale: ${summarize(exported, options.to)}\n`);
  return 'ok';
}

function toExport({ to, anyFormat = false, knownBuilds }: ExportOptions, origin: ExportOrigin): Exported {
  switch (to) {
    case 'yara':
      return exportYara(origin, { anyFormat });
    case 'clamav':
      return exportClamav(origin, { anyFormat });
    case 'stix':
      return exportStix(origin, { anyFormat, knownBuilds });
    case 'csv':
      return exportCsv(origin);
  }
}

/** `100 indicators exported, 12 of them approximate; 47 left out (listed at the end of the export)` */
function summarize({ count, omissions }: Exported, target: ExportTarget): string {
  const toCount = (kind: (typeof omissions)[number]['kind']): number =>
    new Set(
      omissions.filter((one) => one.kind === kind).map(({ product, indicator }) => `${product} ${indicator}`),
    ).size;
  const [leftOut, inPart, approximate] = [toCount('left-out'), toCount('in-part'), toCount('approximate')];
  const limits = [
    ...(inPart === 0 ? [] : [`${inPart} in part`]),
    ...(approximate === 0 ? [] : [`${approximate} approximately`]),
  ];
  const place = target === 'clamav' ? 'telltale.ldb' : 'the export';
  return [
    `${count} indicators exported${limits.length === 0 ? '' : ` (${limits.join(', ')})`}`,
    `${leftOut} left out${omissions.length === 0 ? '' : `; the reasons stand at the end of ${place}`}`,
  ].join(', ');
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw toUnwritable(path, error);
  }
}

function writeExport(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw toUnwritable(path, error);
  }
}

function toUnwritable(path: string, error: unknown): TelltaleError {
  const reason = error instanceof Error ? error.message : String(error);
  return new TelltaleError('usage/arguments', `${toVisible(path)} cannot be written: ${reason}`);
}
