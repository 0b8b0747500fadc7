import { type Statement, explain, type Support, toLocalHeadline } from '../explain.ts';
import { pathSeparator } from '../../scan/model.ts';
import { toBaseName } from '../../scan/names.ts';
import type { Strength } from '../../signatures/schema.ts';
import type { Citation, FileResult, Telltale, TelltaleEvidence } from '../../verdict/model.ts';
import type { Messages } from '../messages/index.ts';
import type { ReportOptions } from '../reporters.ts';
import { toWord } from '../model.ts';
import { marks } from '../text.ts';
import { toHexView } from './hex-view.ts';
import { type Html, html } from './html.ts';
import { toMemberTree } from './member-tree.ts';
import { isWebAddress, toWebLink } from './page.ts';

/** Statements of one file. */
const statementsAFile = 200;

/** What cards are made with. */
export interface CardOptions {
  readonly report: ReportOptions;
  readonly messages: Messages;
  /** Places shown of one telltale, at most. */
  readonly places: number;
  /** Members shown of one file, at most. */
  readonly members: number;
}

/** What the page knows of a file beside its result. */
export interface CardContext {
  readonly id: string;
  readonly violatesPolicy: boolean;
  /** Whether more than the headline can be seen at first. */
  readonly isOpen: boolean;
}

/** Marks for strengths, which say the same without colour. */
export const strengthMarks: Readonly<Record<Strength, string>> = {
  decisive: '●●●',
  strong: '●●○',
  suggestive: '●○○',
};

/** Everything that is said about one file. */
export function toFileCard(file: FileResult, context: CardContext, options: CardOptions): Html {
  const { messages, report } = options;
  const translate = (text: string): string => report.translator.translate(text);
  const word = toWord(file);
  const strengths = [...new Set(file.telltales.map(({ strength }) => strength))].join(' ');
  const states = [...(context.violatesPolicy ? ['violates'] : []), ...(file.complete ? [] : ['unread'])].join(
    ' ',
  );
  return html`<article class="card file ${word}" id="${context.id}" tabindex="-1" data-word="${word}" data-strengths="${strengths}" data-states="${states}">
<h3><span class="word ${word}">${marks[word]} ${messages.scan.verdict(word)}</span> <span class="path">${file.path}</span> <a class="here" href="#${context.id}" aria-label="${messages.html.linkHere(file.path)}">#</a></h3>
<p class="headline">${toLocalHeadline(file, report.translator)}</p>
<details class="why"${context.isOpen ? html` open` : undefined}><summary>${messages.html.why}</summary>
${toBody(file, options, translate)}
${toMemberTree(file, { messages: messages.html, limit: options.members, translate })}
</details>
</article>
`;
}

function toBody(file: FileResult, options: CardOptions, translate: (text: string) => string): Html {
  const { messages, report } = options;
  const all = explain(file, { ...report, isVerbose: true });
  const told = all.filter(({ telltale }) => telltale === undefined);
  const shown = told.slice(0, statementsAFile);
  const toRow = ({ label, text, support }: Statement): Html =>
    html`<dt>${translate(label)}</dt><dd>${translate(text)}${support.map((line) => toSupport(line, messages.html, translate))}</dd>`;
  // What decided stands above the telltales, everything else below them, as in the text.
  const first = all.findIndex(({ telltale }) => telltale !== undefined);
  const above = Math.max(0, first);
  const product = [file.productName, file.variantName, file.version, file.platformName]
    .filter((part) => part !== null)
    .map(translate)
    .join(' · ');
  return html`${toList(shown.slice(0, above).map(toRow))}${
    file.telltales.length === 0
      ? undefined
      : html`<h4>${messages.html.telltales}</h4><ul>${file.telltales.map((telltale) => toTelltale(telltale, file, options, translate))}</ul>`
  }${toList([
    ...shown.slice(above).map(toRow),
    ...(told.length > shown.length
      ? [html`<dt></dt><dd>${messages.html.more(told.length - shown.length)}</dd>`]
      : []),
    ...(product === '' ? [] : [html`<dt>${messages.explain.labels.product}</dt><dd>${product}</dd>`]),
    ...(file.size === null
      ? []
      : [html`<dt>${messages.html.size}</dt><dd>${messages.html.bytes(file.size)}</dd>`]),
    ...(file.sha256 === null
      ? []
      : [html`<dt>${messages.html.sha256}</dt><dd><code class="sha">${file.sha256}</code></dd>`]),
  ])}`;
}

function toList(rows: readonly Html[]): Html | undefined {
  return rows.length === 0 ? undefined : html`<dl>${rows}</dl>`;
}

function toSupport(
  { citation, text }: Support,
  words: Messages['html'],
  translate: (text: string) => string,
): Html {
  const line =
    citation === undefined
      ? toWebLink(translate(text), text)
      : html`${toSource(citation, words)}: ${citation.title}`;
  return html`<br><span class="quiet">${line}</span>`;
}

function toTelltale(
  telltale: Telltale,
  file: FileResult,
  options: CardOptions,
  translate: (text: string) => string,
): Html {
  const { strength, title, variant, variantName, note, evidence, sources } = telltale;
  const { html: words, common, explain: dossier } = options.messages;
  const count = Math.min(options.places, evidence.length);
  const [first, ...further] = toInnermostFirst(evidence)
    .slice(0, count)
    .map((place) => toPlace(place, file, words, translate));
  const missing = evidence.length - count;
  const rest = missing === 0 ? undefined : html`<p class="quiet">${words.more(missing)}</p>`;
  return html`<li class="telltale"><p><span class="strength ${strength}" title="${common.strengths[strength]}"><span aria-hidden="true">${strengthMarks[strength]}</span> ${words.strengthWords[strength]}</span> <strong>${translate(title)}</strong>${variant === file.variant ? undefined : html` (${translate(variantName)})`}</p>
${note === undefined ? undefined : html`<p class="quiet">${translate(note)}</p>`}${first}${
  further.length === 0
    ? rest
    : html`<details><summary>${words.morePlaces(evidence.length - 1)}</summary>${further}${rest}</details>`
}${
  sources.length === 0
    ? undefined
    : html`<p class="sources">${dossier.labelled(words.sources, '')}${sources.map((source, at) => html`${at === 0 ? '' : '; '}${toSource(source, words)}`)}</p>`
}</li>
`;
}

/** Author and year, as a link where there is an address of the web, else with the place in words. */
function toSource({ short, link, title }: Citation, words: Messages['html']): Html {
  const name = toWebLink(short, link, title);
  if (link === undefined) return html`${name} <span class="quiet">(${words.notToOpen})</span>`;
  return isWebAddress(link) ? name : html`${name} <span class="quiet">(${link})</span>`;
}

/** What was unpacked says more than the packed bytes around it. */
function toInnermostFirst(evidence: readonly TelltaleEvidence[]): readonly TelltaleEvidence[] {
  const depths = new Map(evidence.map((one) => [one, one.path.split(pathSeparator).length]));
  return evidence.toSorted((a, b) => (depths.get(b) ?? 0) - (depths.get(a) ?? 0));
}

function toPlace(
  { path, region, offset, text, bytes, hex, matchStart, matchLength, count }: TelltaleEvidence,
  file: FileResult,
  words: Messages['html'],
  translate: (text: string) => string,
): Html {
  const inner = path.startsWith(file.path) ? toBaseName(file.path) + path.slice(file.path.length) : path;
  const address = offset === undefined ? undefined : `0x${offset.toString(16)}`;
  const place = [inner, region ?? address].filter((part) => part !== undefined).join(pathSeparator);
  const times = count === undefined || count < 2 ? undefined : html`, ${words.times(count)}`;
  const view =
    hex === undefined || matchStart === undefined || matchLength === undefined
      ? html`${bytes === undefined ? undefined : html`<pre class="hex" tabindex="0">${bytes}</pre>`}`
      : toHexView({
          hex,
          offset: Math.max(0, (offset ?? 0) - matchStart),
          matchStart,
          matchLength,
          label: words.bytesAt(address ?? '0x0'),
        });
  return html`<div class="place"><p><code>${place}</code></p><p>${translate(text)}${times}</p>${view}</div>`;
}
