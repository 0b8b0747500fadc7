import { readFileSync } from 'node:fs';
import { TelltaleError } from '../../bytes/errors.ts';
import type { DigestAlgorithm } from '../../platform/digests.ts';
import { toSafeJson, toVisible } from '../../report/escape.ts';
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
    const builds = database.products.flatMap(({ product, knownBuilds }) => {
      const build = knownBuilds.find({ [algorithm]: digest });
      return build === undefined ? [] : [{ productId: product.id, ...build }];
    });
    return { digest, algorithm, builds };
  });

  if (options.format === 'json') {
    terminal.out(`${toSafeJson({ schema: 'telltale/lookup/1', answers }, 2)}\n`);
  } else {
    for (const { digest, algorithm, builds } of answers) {
      if (builds.length === 0)
        terminal.out(
          ` ? ${digest}\n     not in the ledger by its ${algorithm}; that says nothing about the file\n`,
        );
      for (const { product, version, platform, variant, fileName, grade, weak, sources, note } of builds) {
        const lines = [
          ` ${terminal.colour.green('✔')} ${digest}`,
          `     ${toVisible(`${product} ${version} for ${platform}, ${fileName} (${variant}, ${grade} confidence)`)}`,
          ...(weak ? [`     ${algorithm} can be forged: compare a sha256 where you can`] : []),
          ...(note === '' ? [] : [`     ${toVisible(note)}`]),
          ...sources.map((source) => `     ${toVisible(source)}`),
        ];
        terminal.out(`${lines.join('\n')}\n`);
      }
    }
  }
  return answers.every(({ builds }) => builds.length > 0) ? 'ok' : 'violation';
}

/** Digests on standard input: the first word of each line, so that `sha256sum` can be piped in. */
function readDigests(): readonly string[] {
  return readFileSync(0, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.trim().replace(/^\\/, '').split(/\s/, 1)[0] ?? '')
    .filter((word) => word !== '');
}
