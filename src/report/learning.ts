import type { ChalkInstance } from 'chalk';
import type { Learnt, LearntSource, Proposal, Sighting, SourceRole } from '../learn/model.ts';
import { pathSeparator } from '../scan/model.ts';
import { toSafeJson, toVisible } from './escape.ts';
import { padColumns, shortenMiddle, wrap } from './width.ts';

/*
 * What was learnt, as a person reads it, and as data (`telltale/db-learn/1`).
 */

export interface LearningOptions {
  readonly colour: ChalkInstance;
  readonly columns: number;
  /** All places, and everything that comes with a proposal. */
  readonly isVerbose: boolean;
}

const indent = 13;
const labelColumns = 6;
const placesShown = 2;
const alsoShown = 2;

/** The proposals, then what was left out, dropped or cut short, then the sum. */
export function toLearningText(learnt: Learnt, options: LearningOptions): string {
  const lines = [
    ...learnt.proposals.flatMap((proposal) => toProposalLines(proposal, options)),
    ...learnt.sources.flatMap((source) => toSourceLines(source, options)),
    ...learnt.limits.flatMap((limit) => toNoteLines('limit', limit, options)),
    ...toSumLines(learnt),
  ];
  return `${lines.join('\n')}\n`;
}

function toProposalLines(proposal: Proposal, options: LearningOptions): readonly string[] {
  const { indicator, reason, sightings, also } = proposal;
  const { colour, columns, isVerbose } = options;
  const room = Math.max(40, columns - indent - labelColumns);
  const lines: string[] = [];
  const word = padColumns(indicator.strength, indent - 2);
  const [first = '', ...rest] = wrap(toVisible(indicator.title), Math.max(40, columns - indent));
  lines.push(
    ` ${indicator.strength === 'strong' ? colour.green(word) : colour.dim(word)} ${colour.bold(first)}`,
  );
  for (const line of rest) lines.push(' '.repeat(indent) + line);
  const say = (label: string, text: string): void => {
    lines.push(' '.repeat(indent) + colour.dim(padColumns(label, labelColumns)) + text);
  };
  say('why', `${reason} (${proposal.score})`);
  say('in', indicator.in.join(', '));
  const places = sightings.flatMap((one) => one.places.slice(0, isVerbose ? undefined : 1));
  const shown = isVerbose ? places : places.slice(0, placesShown);
  for (const [index, place] of shown.entries()) {
    const text = toVisible(toPlaceText(place));
    say(index === 0 ? 'seen' : '', isVerbose ? text : shortenMiddle(text, room));
  }
  const unseen = places.length - shown.length;
  sayMore(say, unseen, 'in', unseen === 1 ? 'more sample' : 'more samples');
  const companions = isVerbose ? also : also.slice(0, alsoShown);
  for (const [index, { title }] of companions.entries())
    say(
      index === 0 ? 'also' : '',
      shortenMiddle(toVisible(title), isVerbose ? Number.POSITIVE_INFINITY : room),
    );
  sayMore(say, also.length - companions.length, 'and', 'more that come with it');
  return lines;
}

function sayMore(
  say: (label: string, text: string) => void,
  count: number,
  lead: string,
  what: string,
): void {
  if (count > 0) say('', `${lead} ${count} ${what} (-v shows all)`);
}

function toPlaceText({ path, region, offset, encoding }: Sighting): string {
  const at = region ?? (offset === undefined ? undefined : `0x${offset.toString(16)}`);
  return path + (at === undefined ? '' : pathSeparator + at) + (encoding === 'utf-16le' ? ' (UTF-16LE)' : '');
}

function toSourceLines(source: LearntSource, options: LearningOptions): readonly string[] {
  if (source.outcome === 'read') return [];
  const path = source.path;
  const reason = source.reason ?? 'it could not be read';
  const text =
    source.outcome === 'left-out'
      ? `nothing was learnt from ${path}, because ${reason}`
      : `${path} was read in part only: ${reason}`;
  return toNoteLines(source.outcome === 'left-out' ? 'left out' : 'in part', text, options);
}

function toNoteLines(label: string, text: string, { colour, columns }: LearningOptions): readonly string[] {
  const [first = '', ...rest] = wrap(toVisible(text), Math.max(40, columns - indent));
  return [
    ` ${colour.yellow(padColumns(label, indent - 2))} ${first}`,
    ...rest.map((line) => ' '.repeat(indent) + line),
  ];
}

function toSumLines(learnt: Learnt): readonly string[] {
  const { proposals, sources, least, dropped, variant, withheld, untried } = learnt;
  const count = (role: SourceRole): number =>
    sources.filter((source) => source.role === role && source.outcome !== 'left-out').length;
  const samples = count('sample');
  const against = [
    [count('other'), 'of other editions'],
    [count('goodware'), 'of goodware'],
  ].flatMap(([files, what]) => (files === 0 ? [] : [`${files} ${what}`]));
  const reasons: readonly (readonly [number, string])[] = [
    [dropped.weak, 'said too little'],
    [dropped.samples, 'did not fire on the samples'],
    [dropped.others, 'fired on another edition'],
    [dropped.goodware, 'fired on goodware'],
    [dropped.ownTests, 'failed their own tests'],
    [dropped.known, 'are in the database'],
  ];
  const drops = reasons.flatMap(([number, what]) => (number === 0 ? [] : [`${number} ${what}`]));
  return [
    ...(against.length > 0 || samples === 0
      ? []
      : [
          ' compared with nothing: what all programs of this kind share is among the proposals;',
          ' --against and --goodware name files that do not belong to the edition',
        ]),
    ` ${proposals.length} proposals for "${toVisible(variant)}", shared by ${least === samples ? 'all' : `at least ${least} of`} ${samples} samples` +
      `${against.length === 0 ? '' : `; compared with ${against.join(' and ')}`}`,
    ...(drops.length === 0 ? [] : [` dropped: ${drops.join(', ')}`]),
    ...(withheld === 0 ? [] : [` ${withheld} more are not shown (--max)`]),
    ...(untried === 0 ? [] : [` ${untried} more shared features were not tried, because they say less`]),
  ];
}

/** Everything as data; the draft is the variant file as it would be written. */
export function toLearningJson(learnt: Learnt): string {
  return `${toSafeJson({ schema: 'telltale/db-learn/1', ...learnt }, 2)}\n`;
}

/** The variant file. */
export function toDraftText(draft: NonNullable<Learnt['draft']>): string {
  return `${toSafeJson(draft, 2)}\n`;
}
