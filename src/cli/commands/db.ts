import { TelltaleError } from '../../bytes/errors.ts';
import { toSafeJson, toVisible } from '../../report/escape.ts';
import type { ProductDatabase } from '../../signatures/load.ts';
import { strengths } from '../../signatures/vocabulary.ts';
import type { SharedOptions } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { loadGivenDatabase } from '../given-database.ts';

export interface DatabaseOptions extends SharedOptions {
  readonly format: 'text' | 'json';
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
