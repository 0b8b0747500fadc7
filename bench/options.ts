import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Ids of parts; undefined for all that are not large. */
  readonly only: readonly string[] | undefined;
  /** Undefined leaves each part its own. */
  readonly rounds: number | undefined;
  readonly isQuick: boolean;
  readonly withLarge: boolean;
  readonly isBuildOnly: boolean;
  readonly isList: boolean;
  readonly isHelp: boolean;
  /** Results to take instead of measuring. */
  readonly from: string | undefined;
  readonly writesDocs: boolean;
  readonly inputs: string;
  readonly goodware: string;
  /** Folder for results, table and plots. */
  readonly output: string;
}

export const help = `usage: npm run bench -- [options]

Measures telltale against what people use without it, on the same files with the same patterns, and writes the results as
JSON, a table and plots. Figures are only given where both found the same.

  --only LIST       parts, with commas between them: zip,cab,growth-size (--list names them); also the groups
                    containers, folders and growth
  --rounds N        how often everything is measured (each part has a number of its own)
  --large           also the ISO image of 4.3 GB, which takes 9 GB of disk while it is built and measured
  --quick           inputs of a few megabytes, one round: whether everything works, no figures to quote
  --build-only      build the inputs and measure nothing
  --write-docs      write the figures and plots into docs/performance.md and docs/performance/
  --from FILE       take the results of an earlier run, and measure nothing
  --inputs FOLDER   where inputs are built (default: ~/.cache/telltale/bench)
  --goodware FOLDER where the packages are that inputs are made of (default: $TELLTALE_GOODWARE, else
                    ~/.cache/telltale/goodware); node scripts/fetch-goodware.mjs fetches them
  --output FOLDER   where results go (default: results in the folder of the inputs)
  --list            name the parts
  --help            this text

exit codes: 0 everything that was asked for was measured; 1 a peer found something else than telltale, or a part failed;
2 wrong usage; 3 a part was left out, because a program or an input is not there
`;

/** @throws Error with the reason, when the arguments are wrong */
export function readOptions(argv: readonly string[], environment: NodeJS.ProcessEnv): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      large: { type: 'boolean', default: false },
      'build-only': { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      from: { type: 'string' },
      inputs: { type: 'string' },
      goodware: { type: 'string' },
      output: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && (!Number.isInteger(rounds) || rounds < 1 || rounds > 1_000)) {
    throw new Error(`--rounds takes a whole number from 1 to 1000, not "${values.rounds}"`);
  }
  if (values['write-docs'] && values.quick) {
    throw new Error('--write-docs takes no figures of --quick');
  }
  const cache = join(homedir(), '.cache/telltale');
  const fromEnvironment = environment['TELLTALE_GOODWARE'] ?? '';
  const inputs = resolve(values.inputs ?? join(cache, 'bench'));
  return {
    only: values.only?.split(',').filter((id) => id !== ''),
    rounds: rounds ?? (values.quick ? 1 : undefined),
    isQuick: values.quick,
    withLarge: values.large,
    isBuildOnly: values['build-only'],
    isList: values.list,
    isHelp: values.help,
    from: values.from === undefined ? undefined : resolve(values.from),
    writesDocs: values['write-docs'],
    inputs,
    goodware: resolve(
      values.goodware ?? (fromEnvironment === '' ? join(cache, 'goodware') : fromEnvironment),
    ),
    output: resolve(values.output ?? join(inputs, 'results')),
  };
}

const groups: Readonly<Record<string, RegExp>> = {
  containers: /^(?:zip|cab|msi|dmg|raw|7z|nsis|inno|deb)$/,
  folders: /^folder-/,
  growth: /^growth-/,
};

const isNamed = (name: string, id: string): boolean => name === id || groups[name]?.test(id) === true;

/**
 * The parts that were asked for, in their own order.
 *
 * @throws Error that names what there is, for an unknown name
 */
export function chooseParts<Chosen extends { readonly id: string; readonly isLarge?: boolean }>(
  parts: readonly Chosen[],
  { only, withLarge }: Pick<BenchOptions, 'only' | 'withLarge'>,
): readonly Chosen[] {
  if (only === undefined) return parts.filter(({ isLarge }) => isLarge !== true || withLarge);
  const unknown = only.filter((name) => !parts.some(({ id }) => isNamed(name, id)));
  if (unknown.length > 0 || only.length === 0) {
    const names = [...Object.keys(groups), ...parts.map(({ id }) => id)].join(', ');
    throw new Error(`--only: no part is named "${unknown.join('", "')}"; there are ${names}`);
  }
  return parts.filter(({ id }) => only.some((name) => isNamed(name, id)));
}
