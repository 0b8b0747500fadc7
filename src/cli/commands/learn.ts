import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { TelltaleError } from '../../bytes/errors.ts';
import { isBundleName } from '../../formats/app-bundle.ts';
import { learn, type LearnSource } from '../../learn/learn.ts';
import type { Learnt, SourceRole } from '../../learn/model.ts';
import { toFileJob } from '../../jobs/settings.ts';
import { listFiles } from '../../platform/folders.ts';
import { toVisible } from '../../report/escape.ts';
import { toDraftText, toLearningJson, toLearningText } from '../../report/learning.ts';
import { shortenMiddle } from '../../report/width.ts';
import type { ProductDatabase } from '../../signatures/load.ts';
import { type VariantRole, variantRoles } from '../../signatures/schema.ts';
import { type SharedOptions, toLimits } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import { loadGivenDatabase } from '../given-database.ts';
import { writeFile } from '../output-file.ts';
import type { Terminal } from '../terminal.ts';

export interface LearnOptions extends SharedOptions {
  readonly variant: string;
  readonly against?: readonly string[];
  readonly goodware?: readonly string[];
  readonly product?: string;
  readonly role: string;
  readonly minShare: number;
  readonly max: number;
  readonly real?: boolean;
  readonly output?: string;
  readonly force?: boolean;
  readonly format: 'text' | 'json';
  readonly verbose?: boolean;
}

/** `telltale db learn`: proposes indicators from samples of an edition, and writes them as a draft. */
export async function runDatabaseLearn(
  paths: readonly string[],
  options: LearnOptions,
  terminal: Terminal,
): Promise<ExitName> {
  const product = chooseProduct(loadGivenDatabase(options, terminal).products, options);
  checkVariant(product, options.variant);
  const variantRole = toRole(options.role);
  const { output } = options;
  if (output !== undefined && output !== '-' && options.force !== true && existsSync(output))
    throw new TelltaleError('usage/arguments', `${output} is there already; --force writes over it`);

  const sources: LearnSource[] = [];
  const unread: string[] = [];
  const add = (role: SourceRole, given: readonly string[]): void => {
    for (const path of given) {
      for (const entry of listFiles(path, isBundleName)) {
        if (entry.kind === 'problem') {
          unread.push(`telltale: nothing was learnt from ${entry.path}, because it ${entry.error.message}`);
        } else sources.push({ role, job: toFileJob(entry) });
      }
    }
  };
  add('sample', paths);
  add('other', options.against ?? []);
  add('goodware', options.goodware ?? []);
  for (const line of unread) terminal.err(`${toVisible(line)}\n`);
  if (!sources.some(({ role }) => role === 'sample')) {
    terminal.err('telltale: nothing to learn from: the paths hold no files\n');
    return 'nothing';
  }

  let learnt: Learnt;
  try {
    learnt = await learn({
      product,
      variant: options.variant,
      role: variantRole,
      sources,
      minShare: options.minShare,
      max: options.max,
      isReal: options.real ?? false,
      limits: toLimits(options),
      progress: (text) =>
        terminal.progress(` ${shortenMiddle(toVisible(text), Math.max(20, terminal.columns - 2))}`),
    });
  } finally {
    terminal.progress('');
  }
  // With the draft on standard output, the report goes where messages go.
  const tell = output === '-' ? (text: string) => terminal.err(text) : (text: string) => terminal.out(text);
  tell(
    options.format === 'json'
      ? toLearningJson(learnt)
      : toLearningText(learnt, {
          colour: terminal.colour,
          columns: terminal.columns,
          isVerbose: options.verbose ?? false,
        }),
  );
  if (learnt.draft !== undefined) writeDraft(learnt.draft, options, terminal);
  else if (output !== undefined)
    terminal.err('telltale: there is nothing to propose; no draft was written\n');
  if (!learnt.sources.some(({ role, outcome }) => role === 'sample' && outcome !== 'left-out'))
    return 'incomplete';
  const isWhole = unread.length === 0 && learnt.sources.every(({ outcome }) => outcome === 'read');
  return isWhole ? 'ok' : 'incomplete';
}

function writeDraft(
  draft: NonNullable<Learnt['draft']>,
  { output, force }: LearnOptions,
  terminal: Terminal,
): void {
  if (output === undefined) {
    terminal.err('telltale: --output FILE writes the proposals as a draft\n');
    return;
  }
  const text = toDraftText(draft);
  if (output === '-') {
    terminal.out(text);
    return;
  }
  writeFile(output, [new TextEncoder().encode(text)], { force: force ?? false });
  terminal.err(
    `telltale: wrote ${toVisible(output)}; telltale db check refuses it until each indicator cites a source\n`,
  );
  if (basename(output) !== `${draft.id}.json`)
    terminal.err(`telltale: in a database the file has to be named variants/${draft.id}.json\n`);
}

function chooseProduct(products: readonly ProductDatabase[], options: LearnOptions): ProductDatabase {
  const ids = products.map(({ product }) => product.id).join(', ');
  if (options.product !== undefined) {
    const found = products.find(({ product }) => product.id === options.product);
    if (found === undefined)
      throw new TelltaleError(
        'usage/arguments',
        `there is no product "${options.product}"; there are ${ids}`,
      );
    return found;
  }
  const [only, ...others] = products;
  if (only === undefined) throw new TelltaleError('usage/database', 'the database holds no product');
  if (others.length > 0)
    throw new TelltaleError(
      'usage/arguments',
      `the database holds several products (${ids}); --product names one`,
    );
  return only;
}

function toRole(given: string): VariantRole {
  const role = variantRoles.find((one) => one === given);
  if (role === undefined)
    throw new TelltaleError('usage/arguments', `"${given}" is no role; there are ${variantRoles.join(', ')}`);
  return role;
}

function checkVariant({ variants }: ProductDatabase, id: string): void {
  if (!/^[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(id))
    throw new TelltaleError(
      'usage/arguments',
      `"${id}" is no id: lower-case words joined by - or . are needed`,
    );
  if (variants.some(({ indicators }) => indicators.some((indicator) => indicator.id === id)))
    throw new TelltaleError('usage/arguments', `"${id}" is the id of an indicator already`);
}
