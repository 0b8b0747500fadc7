import { readFileSync } from 'node:fs';
import { TelltaleError } from '../../bytes/errors.ts';
import type { DigestAlgorithm } from '../../platform/digests.ts';
import { toSafeJson, toVisible } from '../../report/escape.ts';
import type { ProductDatabase } from '../../signatures/load.ts';
import { toLink } from '../../signatures/source-link.ts';
import type { SharedOptions } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { loadGivenDatabase } from '../given-database.ts';

export interface LookupOptions extends SharedOptions {
  readonly format: 'text' | 'json';
}

const algorithmByLength: Readonly<Record<number, DigestAlgorithm>> = {
  32: 'md5',
  40: 'sha1',
  64: 'sha256',
  128: 'sha512',
};

/** `telltale lookup`: what the ledger of known builds says of digests. */
export function runLookup(given: readonly string[], options: LookupOptions, terminal: Terminal): ExitName {
  const database = loadGivenDatabase(options, terminal);
  const digests = given.flatMap((word) => (word === '-' ? readDigests() : [word]));
  const answers = digests.map((written) => {
    const digest = written.trim().toLowerCase();
    const algorithm = /^[0-9a-f]+$/.test(digest) ? algorithmByLength[digest.length] : undefined;
    if (algorithm === undefined) {
      throw new TelltaleError(
        'usage/arguments',
        `"${toVisible(written)}" is no digest: 32, 40, 64 or 128 hexadecimal digits are (md5, sha1, sha256, sha512)`,
      );
    }
    const found = database.products.flatMap((product) => {
      const build = product.knownBuilds.find({ [algorithm]: digest });
      return build === undefined ? [] : [{ product, build }];
    });
    return { digest, algorithm, found };
  });

  if (options.format === 'json') {
    const document = answers.map(({ found, ...answer }) => ({
      ...answer,
      builds: found.map(({ product, build }) => ({ productId: product.product.id, ...build })),
    }));
    terminal.out(`${toSafeJson({ schema: 'telltale/lookup/1', answers: document }, 2)}\n`);
  } else {
    for (const { digest, algorithm, found } of answers) {
      if (found.length === 0)
        terminal.out(
          ` ? ${digest}\n     not in the ledger by its ${algorithm}; that says nothing about the file\n`,
        );
      for (const { product: known, build } of found) {
        const { product, version, variant, fileName, grade, weak, sources, note } = build;
        const platform =
          known.product.platforms.find(({ id }) => id === build.platform)?.name ?? build.platform;
        const lines = [
          ` ${terminal.colour.green('✔')} ${digest}`,
          `     ${toVisible(`${product} ${version} for ${platform}, ${fileName} (${variant}, ${grade} confidence)`)}`,
          ...(weak ? [`     ${algorithm} can be forged: compare a sha256 where you can`] : []),
          ...(note === '' ? [] : [`     ${toVisible(note)}`]),
          ...sources.map((source) => `     ${toVisible(toSourceText(source, known))}`),
        ];
        terminal.out(`${lines.join('\n')}\n`);
      }
    }
  }
  return answers.every(({ found }) => found.length > 0) ? 'ok' : 'violation';
}

/** `owner/name@commit:path` as it stands in the ledger; of the id of a source, what it is and where to open it. */
function toSourceText(source: string, { sources }: ProductDatabase): string {
  const cited = sources.get(source);
  if (cited === undefined) return source;
  const link = toLink(cited);
  return link === undefined ? cited.title : `${cited.title}  ${link}`;
}

/** Digests on standard input: the first word of each line, so that `sha256sum` can be piped in. */
function readDigests(): readonly string[] {
  return readFileSync(0, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.trim().replace(/^\\/, '').split(/\s/, 1)[0] ?? '')
    .filter((word) => word !== '');
}
