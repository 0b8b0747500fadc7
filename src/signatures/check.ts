import { type AllowableCode, allowableCodes, type Diagnostic } from './diagnostic.ts';
import { type GoodwareFirings, toGoodwareDiagnostics } from './goodware-diagnostic.ts';
import { checkConditions } from './lint-conditions.ts';
import { checkPins } from './lint-pins.ts';
import { checkDigests, checkFormats, checkSources } from './lint-references.ts';
import { checkTranslations } from './lint-translations.ts';
import { checkIndicatorTests } from './lint.ts';
import { toField } from './json-file.ts';
import type { DatabaseReading } from './load.ts';
import { type LocatedStatement, listStatements } from './located-statement.ts';

export interface DatabaseCheck {
  /** Sorted by file, place and code. */
  readonly diagnostics: readonly Diagnostic[];
  /** False when the database does not load: only what loading finds was looked for. */
  readonly complete: boolean;
}

/**
 * Everything that is wrong with a database.
 *
 * @param goodware - what the indicators did on files that have nothing to do with the product, where that was tried
 */
export function checkDatabase(
  { database, problems, statements: products }: DatabaseReading,
  goodware?: GoodwareFirings,
): DatabaseCheck {
  // Statements that contradict each other cannot be compiled, and complaints of what follows would only distract.
  if (database === undefined) return { diagnostics: sortByPlace(problems), complete: false };
  const statements = listStatements(products);
  const found = [
    ...checkSources(products),
    ...checkFormats(products, statements),
    ...checkDigests(products, statements),
    ...checkPins(products),
    ...checkConditions(statements),
    ...checkIndicatorTests(database, statements),
    ...checkTranslations(products),
    ...(goodware === undefined ? [] : toGoodwareDiagnostics(goodware, statements)),
  ];
  const tried = allowableCodes.filter((code) => goodware !== undefined || !code.startsWith('goodware/'));
  return { diagnostics: sortByPlace(applyAllowances(found, statements, tried)), complete: true };
}

/** Takes off what a statement allows, and complains of allowances for what was not found. */
function applyAllowances(
  found: readonly Diagnostic[],
  statements: readonly LocatedStatement[],
  tried: readonly AllowableCode[],
): readonly Diagnostic[] {
  const allowed = new Set<Diagnostic>();
  const unused = statements.flatMap((statement) =>
    statement.allow.flatMap(({ code }, index) => {
      const own = found.filter((one) => one.code === code && isInside(one, statement));
      for (const one of own) allowed.add(one);
      if (own.length > 0 || !tried.includes(code)) return [];
      const path = [...statement.path, 'allow', index];
      return [statement.file.toDiagnostic('allow/unused', path, `"${code}" is not found here`)];
    }),
  );
  return [...found.filter((one) => !allowed.has(one)), ...unused];
}

function isInside({ file, field }: Diagnostic, statement: LocatedStatement): boolean {
  return file === statement.file.path && field.startsWith(`${toField(statement.path)}.`);
}

function sortByPlace(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) =>
      compare(a.file, b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0) ||
      compare(a.code, b.code) ||
      compare(a.message, b.message),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
