import { TelltaleError } from '../../bytes/errors.ts';
import { countSeverity, toCodeList, toCodeText, toDiagnosticsText } from '../../report/diagnostics.ts';
import { toSafeJson } from '../../report/escape.ts';
import { toGoodwareText } from '../../report/goodware.ts';
import { checkDatabase } from '../../signatures/check.ts';
import { toSuggestion } from '../../signatures/closest-name.ts';
import {
  type Diagnostic,
  diagnosticCodes,
  isDiagnosticCode,
  toDiagnosticKind,
} from '../../signatures/diagnostic.ts';
import { type Database, readDatabase } from '../../signatures/load.ts';
import { toDatabases } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import { notePacks } from '../given-database.ts';
import type { Terminal } from '../terminal.ts';
import { type GoodwareOptions, measureGoodware, toGoodwareExit } from './db-goodware.ts';

const placesShown = 3;

export interface DatabaseCheckOptions extends GoodwareOptions {
  readonly format: 'text' | 'json';
  readonly denyWarnings?: true;
  /** A code, or true for all of them. */
  readonly explain?: string | true;
}

/** `telltale db check`: everything that is wrong with a database, and what that means. */
export async function runDatabaseCheck(options: DatabaseCheckOptions, terminal: Terminal): Promise<ExitName> {
  if (options.explain !== undefined) return explainCode(options.explain, options, terminal);

  const databases = toDatabases(options);
  const reading = readDatabase(databases);
  const { database } = reading;
  notePacks(database?.packs ?? [], terminal);
  // Indicators can only be tried in a database that holds together.
  const goodware =
    options.goodware === undefined || database === undefined
      ? undefined
      : await measureGoodware(database, databases, options, terminal);
  const isJson = options.format === 'json';
  const isVerbose = options.verbose ?? false;
  const { diagnostics: found, complete } = checkDatabase(
    reading,
    goodware === undefined
      ? undefined
      : {
          fired: goodware.fired,
          placesShown: isJson || isVerbose ? Number.POSITIVE_INFINITY : placesShown,
        },
  );
  const diagnostics: readonly Diagnostic[] =
    options.denyWarnings === true ? found.map((one) => ({ ...one, severity: 'error' })) : found;
  const errors = countSeverity(diagnostics, 'error');
  if (isJson) {
    terminal.out(
      `${toSafeJson(
        {
          schema: 'telltale/db-check/2',
          errors,
          warnings: countSeverity(diagnostics, 'warning'),
          complete,
          diagnostics,
          codes: toCodeObject(new Set(diagnostics.map(({ code }) => code))),
          ...(goodware === undefined ? {} : { goodware }),
        },
        2,
      )}\n`,
    );
  } else {
    const { colour, columns } = terminal;
    const texts = new Map(reading.files.map(({ path, text }) => [path, text]));
    terminal.out(
      toDiagnosticsText(
        diagnostics,
        { indicators: countIndicators(database), complete },
        { colour, columns, tryReadText: (file) => texts.get(file) },
        goodware === undefined
          ? toSkippedText(options)
          : `${toGoodwareText(goodware, { colour, columns, isVerbose })}\n`,
      ),
    );
  }
  const end = goodware === undefined ? 'ok' : toGoodwareExit(goodware);
  return end === 'bug' || errors === 0 ? end : 'usage';
}

function toSkippedText({ goodware }: DatabaseCheckOptions): string {
  return goodware === undefined ? '' : ' goodware: not looked at, because the database does not load\n';
}

function countIndicators(database: Database | undefined): number {
  return (database?.products ?? []).reduce(
    (sum, { variants }) => sum + variants.reduce((inner, { indicators }) => inner + indicators.length, 0),
    0,
  );
}

/** Severity, title, why and help of each code, in the order of the table. */
function toCodeObject(codes: ReadonlySet<string>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    diagnosticCodes.filter((code) => codes.has(code)).map((code) => [code, toDiagnosticKind(code)]),
  );
}

function explainCode(code: string | true, { format }: DatabaseCheckOptions, terminal: Terminal): ExitName {
  if (code !== true && !isDiagnosticCode(code)) {
    throw new TelltaleError(
      'usage/arguments',
      `there is no code "${code}"${toSuggestion(code, diagnosticCodes)} (telltale db check --explain lists all)`,
    );
  }
  if (format === 'json') {
    const codes = toCodeObject(new Set(code === true ? diagnosticCodes : [code]));
    terminal.out(`${toSafeJson({ schema: 'telltale/db-check-codes/1', codes }, 2)}\n`);
  } else {
    terminal.out(code === true ? toCodeList(terminal) : toCodeText(code, terminal));
  }
  return 'ok';
}
