import { TelltaleError } from '../../bytes/errors.ts';
import { toSafeJson, toVisible } from '../../report/escape.ts';
import { compile } from '../../signatures/compile.ts';
import { checkIndicatorTests, checkLiterals, type LintProblem } from '../../signatures/lint.ts';
import { type ProductDatabase, readDatabase, toProblemLine } from '../../signatures/load.ts';
import { strengths } from '../../signatures/schema.ts';
import { listFaults, toGoodwareText } from '../../report/goodware.ts';
import { toDatabases } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { type GoodwareOptions, measureGoodware, toGoodwareExit } from './db-goodware.ts';
import { loadGivenDatabase, notePacks } from '../given-database.ts';

export interface DatabaseOptions extends GoodwareOptions {
  readonly format: 'text' | 'json';
}

/** `telltale db check`: whether a database can be loaded, and whether its indicators do what their tests say. */
export async function runDatabaseCheck(options: DatabaseOptions, terminal: Terminal): Promise<ExitName> {
  const databases = toDatabases(options);
  const { database, problems } = readDatabase(databases);
  notePacks(database?.packs ?? [], terminal);
  const faults = problems.map((problem) => ({ severity: 'error' as const, ...problem }));
  // Indicators can only be tried in a database that holds together.
  const lint =
    problems.length > 0 || database === undefined
      ? []
      : [...checkIndicatorTests(database), ...checkLiterals(compile(database))];
  const goodware =
    options.goodware === undefined || problems.length > 0 || database === undefined
      ? undefined
      : await measureGoodware(database, databases, options, terminal);
  const fired = goodware === undefined ? 0 : listFaults(goodware).length;
  const errors = faults.length + fired + lint.filter(({ severity }) => severity === 'error').length;
  const warnings = lint.length + faults.length + fired - errors;

  if (options.format === 'json') {
    terminal.out(
      `${toSafeJson({ schema: 'telltale/db-check/1', errors, warnings, problems: [...faults, ...lint], ...(goodware === undefined ? {} : { goodware }) }, 2)}\n`,
    );
  } else {
    for (const problem of problems)
      terminal.out(`${terminal.colour.red('error')}   ${toVisible(toProblemLine(problem))}\n`);
    for (const problem of lint)
      terminal.out(`${toWord(problem, terminal)} ${toVisible(`${problem.indicator}: ${problem.message}`)}\n`);
    if (goodware !== undefined) {
      const { colour, columns } = terminal;
      terminal.out(`${toGoodwareText(goodware, { colour, columns, isVerbose: options.verbose ?? false })}\n`);
    } else if (options.goodware !== undefined) {
      terminal.out(' goodware: not looked at, because the database has errors\n');
    }
    const indicators = (database?.products ?? []).flatMap(({ variants }) =>
      variants.flatMap((variant) => variant.indicators),
    );
    terminal.out(` ${errors} errors, ${warnings} warnings in ${indicators.length} indicators\n`);
  }
  const end = goodware === undefined ? 'ok' : toGoodwareExit(goodware);
  return end === 'bug' || errors === 0 ? end : 'usage';
}

function toWord({ severity }: LintProblem, { colour }: Terminal): string {
  return severity === 'error' ? `${colour.red('error')}  ` : `${colour.yellow('warning')}`;
}

/** `telltale db stats`: what a database holds. */
export function runDatabaseStatistics(options: DatabaseOptions, terminal: Terminal): ExitName {
  const database = loadGivenDatabase(options, terminal);
  const [first] = database.products;
  if (first === undefined) throw new TelltaleError('usage/database', 'the database holds no product');
  const products = database.products.map(toStatistics);
  if (options.format === 'json') {
    terminal.out(`${toSafeJson({ schema: 'telltale/db-stats/1', digest: database.digest, products }, 2)}\n`);
    return 'ok';
  }
  for (const one of products) {
    terminal.out(
      [
        `${terminal.colour.bold(toVisible(one.name))} ${one.revision}`,
        `  variants      ${one.variants}`,
        `  indicators    ${strengths.map((strength) => `${one.indicators[strength]} ${strength}`).join(', ')}`,
        `  pins          ${one.pins}`,
        `  sources       ${one.sources} (${one.unresolvedSources} that cannot be opened by a stranger)`,
        `  known builds  ${one.knownBuilds.rows}`,
        `  similar       ${one.similarBuilds} that files are compared with`,
        '',
      ].join('\n'),
    );
  }
  terminal.out(`  sha256        ${database.digest}\n`);
  return 'ok';
}

function toStatistics({
  product,
  variants,
  publishers,
  sources,
  knownBuilds,
  similarBuilds,
}: ProductDatabase) {
  const indicators = variants.flatMap((variant) => variant.indicators);
  const count = (strength: (typeof strengths)[number]): number =>
    indicators.filter((indicator) => indicator.strength === strength).length;
  return {
    id: product.id,
    name: product.name,
    revision: product.revision,
    variants: variants.length,
    indicators: { decisive: count('decisive'), strong: count('strong'), suggestive: count('suggestive') },
    pins: publishers.reduce(
      (sum, { authenticode, appleTeams = [], appxPublishers = [], androidCertificates = [] }) =>
        sum +
        authenticode.leaves.length +
        authenticode.intermediates.length +
        appleTeams.length +
        appxPublishers.length +
        androidCertificates.length,
      0,
    ),
    sources: sources.size,
    unresolvedSources: [...sources.values()].filter(({ kind }) => kind === 'unresolved').length,
    knownBuilds: knownBuilds.statistics(),
    similarBuilds: similarBuilds.rows.length,
  };
}
