import type { ChalkInstance } from 'chalk';
import type { ProductDatabase } from '../signatures/load.ts';
import { type Indicator, strengths, type Variant } from '../signatures/schema.ts';
import { toCitations } from '../verdict/result.ts';
import { toVisible } from './escape.ts';
import { padColumns, wrap } from './width.ts';

export interface ExplanationOptions {
  readonly colour: ChalkInstance;
  readonly columns: number;
}

const indent = 2;
const labelColumns = 14;

const surveillanceText = {
  documented: 'documented by researchers',
  'none-found': 'researchers looked and found none added',
  unknown: 'nothing is known',
} as const;

/** What the database says of a variant. */
export function toVariantText(
  variant: Variant,
  product: ProductDatabase,
  options: ExplanationOptions,
): string {
  const page = createPage(options);
  page.title(`${variant.name}  (${variant.id}, ${variant.role})`);
  page.say('', variant.summary);
  if (variant.publisher !== undefined) page.say('publisher', variant.publisher);
  if (variant.region !== undefined) page.say('region', variant.region);
  if (variant.years !== undefined)
    page.say('years', `${variant.years.from ?? '?'} to ${variant.years.to ?? '?'}`);
  page.say('platforms', variant.platforms.join(', '));
  const { status, text, sources } = variant.surveillance;
  page.say('surveillance', surveillanceText[status] + (text === undefined ? '' : `: ${text}`));
  page.cite(sources, product);
  for (const note of variant.notes ?? []) {
    page.say('note', note.text);
    page.cite(note.sources, product);
  }
  for (const note of variant.notConclude ?? []) {
    page.say('do not infer', note.text);
    page.cite(note.sources, product);
  }
  for (const strength of strengths) {
    for (const indicator of variant.indicators.filter((one) => one.strength === strength)) {
      page.say(strength, `${indicator.title}  [${indicator.id}]`);
    }
  }
  const builds = product.knownBuilds.statistics().byVariant[variant.id] ?? 0;
  if (builds > 0) page.say('known builds', `${builds} digests in the ledger`);
  return page.toString();
}

/** What the database says of an indicator. */
export function toIndicatorText(
  indicator: Indicator,
  variant: Variant,
  product: ProductDatabase,
  options: ExplanationOptions,
): string {
  const page = createPage(options);
  page.title(`${indicator.title}  (${indicator.id})`);
  page.say('speaks for', `${variant.name} (${variant.id}), ${indicator.strength}`);
  page.say('looked for in', indicator.in.join(', '));
  page.say('when', JSON.stringify(indicator.when));
  page.say(
    'tested',
    indicator.testedOnRealFile
      ? 'seen in a real file'
      : 'on made-up files only; no real file of this variant was available',
  );
  if (indicator.note !== undefined) page.say('note', indicator.note);
  page.cite(indicator.sources, product);
  return page.toString();
}

interface Page {
  title(text: string): void;
  say(label: string, text: string): void;
  cite(ids: readonly string[], product: ProductDatabase): void;
  toString(): string;
}

function createPage({ colour, columns }: ExplanationOptions): Page {
  const lines: string[] = [];
  const room = Math.max(40, columns - indent - labelColumns);
  const deep = ' '.repeat(indent + labelColumns);
  return {
    title(text) {
      lines.push(colour.bold(toVisible(text)));
    },
    say(label, text) {
      const [first = '', ...rest] = wrap(toVisible(text), room);
      lines.push(' '.repeat(indent) + colour.dim(padColumns(label, labelColumns)) + first);
      for (const line of rest) lines.push(deep + line);
    },
    cite(ids, product) {
      for (const { short, title, link } of toCitations(ids, product)) {
        lines.push(deep + colour.dim(toVisible(`${short}: ${title}`)));
        if (link !== undefined) lines.push(deep + colour.dim(toVisible(link)));
      }
    },
    toString() {
      return `${lines.join('\n')}\n`;
    },
  };
}
