import { toHex } from '../../bytes/cursor.ts';
import { toDigest } from '../../platform/digests.ts';
import { strengths } from '../../signatures/vocabulary.ts';
import { verdicts } from '../../verdict/model.ts';
import { type ScanReport, toWord, type Word } from '../model.ts';
import { messages as catalogue, type Messages } from '../messages/index.ts';
import type { ReportOptions } from '../reporters.ts';
import { marks, toSealLine } from '../text.ts';
import { type CardOptions, strengthMarks, toFileCard } from './file-card.ts';
import { type Html, html } from './html.ts';
import { countNodes } from './member-tree.ts';
import { toHtmlPage } from './page.ts';
import { toShare } from './share.ts';
import { scanScript } from './scan-script.ts';
import { scanStyle } from './scan-style.ts';

/*
 * A scan as one page for people. All of it is in the HTML: the script only hides, shows and folds, so that the page
 * reads the same without it. It has an end: of what is found without number the rest is counted, and the JSON report
 * has it.
 */

/** On a page of so many files each card is open; on a longer one those that are in order are folded up. */
const filesOpen = 20;
/** On a page of more files all cards are folded up. */
const filesFolded = 500;
/** Members of one file and of all, places of one telltale and of all: 50,000 members are some 8 MB. */
const membersAFile = 2000;
const membersOnPage = 50_000;
const placesATelltale = 20;
const placesOnPage = 20_000;
/** Cards that a browser passes over together as long as they are out of sight. */
const filesAGroup = 50;
/** Violations that stand in the list without unfolding it. */
const violationsOpen = 20;

/** From the gravest to the least. */
const words = verdicts.flatMap((verdict): Word[] =>
  verdict === 'official' ? ['incomplete', verdict] : [verdict],
);

/** The whole page. */
export function toScanHtml(report: ScanReport, options: ReportOptions): string {
  const { language } = options.translator;
  const messages = catalogue[language];
  const { html: text } = messages;
  const cardOptions: CardOptions = {
    report: options,
    messages,
    places: toShare(
      report.files.flatMap(({ telltales }) => telltales.map(({ evidence }) => evidence.length)),
      placesATelltale,
      placesOnPage,
    ),
    members: toShare(
      report.files.flatMap(({ tree }) => (tree === null ? [] : [countNodes(tree)])),
      membersAFile,
      membersOnPage,
    ),
  };
  const ids = toIds(report);
  const violating = new Set(report.policy.violations.map(({ path }) => path));
  const { products, digest } = report.database;
  const databases = products.map(({ id, revision }) => `${id} ${revision}`);
  const cards = report.files.map((file, at) => {
    const word = toWord(file);
    const isGrave = word !== 'official' && word !== 'other';
    const isOpen = report.files.length <= filesOpen || (isGrave && report.files.length <= filesFolded);
    return toFileCard(
      file,
      { id: ids[at] ?? '', violatesPolicy: violating.has(file.path), isOpen },
      cardOptions,
    );
  });
  return toHtmlPage({
    title: text.title,
    language,
    style: scanStyle,
    script: scanScript,
    colophon: [
      text.tool(report.tool.version),
      text.database(databases, digest.slice(0, 8)),
      ...(report.database.usesKnownBuilds ? [] : [text.withoutKnownBuilds]),
    ].join(' · '),
    body: html`<p class="outcome ${report.outcome}">${toOutcomeText(report, text)}</p>
<p class="quiet">${text.tool(report.tool.version)} · ${text.database(databases, digest.slice(0, 8))}${
      report.database.usesKnownBuilds ? '' : ` ${text.withoutKnownBuilds}`
    }</p>
${(report.database.packs ?? []).map((seal) => html`<p class="quiet">${toSealLine(seal, options.translator.language)}</p>`)}
${toCounts(report, messages)}
${toPolicy(report, text, ids, options)}
<h2 id="files">${text.files}</h2>
${toControls(report, text)}
${toGroups(cards)}
<p id="none" hidden>${text.nothingMatches} <button type="button" class="clear">${text.clear}</button></p>`,
  });
}

function toGroups(cards: readonly Html[]): readonly Html[] {
  return Array.from(
    { length: Math.ceil(cards.length / filesAGroup) },
    (_, at) => html`<div class="group">${cards.slice(at * filesAGroup, (at + 1) * filesAGroup)}</div>
`,
  );
}

/** An address for each file that stays the same when other files come or go. */
function toIds({ files }: ScanReport): readonly string[] {
  const seen = new Map<string, number>();
  return files.map(({ path }) => {
    const digest = toHex(toDigest('sha256', new TextEncoder().encode(path))).slice(0, 16);
    const times = (seen.get(digest) ?? 0) + 1;
    seen.set(digest, times);
    return `file-${digest}${times === 1 ? '' : `-${times}`}`;
  });
}

function toOutcomeText(
  { outcome, summary, policy }: ScanReport,
  { outcome: text, leftOut }: Messages['html'],
): Html {
  const violating = new Set(policy.violations.map(({ path }) => path)).size;
  const sentences: string[] = [];
  switch (outcome) {
    case 'interrupted':
      sentences.push(text.interrupted(summary.notScanned));
      if (violating > 0) sentences.push(text.violation(violating));
      break;
    case 'violation':
      sentences.push(text.violation(violating));
      break;
    case 'bug':
      sentences.push(text.bug);
      break;
    case 'incomplete':
      sentences.push(text.incomplete);
      break;
    case 'ok':
      sentences.push(text.ok);
      break;
  }
  if (summary.leftOut > 0) sentences.push(leftOut(summary.leftOut));
  const mark = { interrupted: '…', violation: '✖', bug: '!', incomplete: '…', ok: '✔' }[outcome];
  return html`<span aria-hidden="true">${mark}</span> ${sentences.join(' ')}`;
}

/** How many files have which verdict. The script makes each count a switch of a filter. */
function toCounts({ files, summary }: ScanReport, { html: text, scan }: Messages): Html {
  const found = files.map(toWord);
  const rows = words.flatMap((word) => {
    const count = found.filter((one) => one === word).length;
    return count === 0
      ? []
      : [
          html`<li data-group="word" data-value="${word}"><b>${count}</b> <span class="word ${word}">${marks[word]} ${scan.verdict(word)}</span></li>`,
        ];
  });
  return html`<h2>${text.verdicts}</h2>
<ul class="counts" aria-label="${text.verdicts}">${rows}${
    summary.incomplete === 0
      ? undefined
      : html`<li data-group="states" data-value="unread"><b>${summary.incomplete}</b> <span class="word unread">… ${text.notReadFully}</span></li>`
  }</ul>
<details class="legend"><summary>${text.meaningTitle}</summary><dl>${words.map(
    (word) =>
      html`<dt class="word ${word}">${marks[word]} ${scan.verdict(word)}</dt><dd>${text.meanings[word]}</dd>`,
  )}</dl></details>`;
}

function toPolicy(
  { policy, files }: ScanReport,
  text: Messages['html'],
  ids: readonly string[],
  options: ReportOptions,
): Html {
  const places = new Map(files.map(({ path }, at) => [path, ids[at] ?? '']));
  const toPath = (path: string): Html => {
    const id = places.get(path);
    return id === undefined ? html`<code>${path}</code>` : html`<a href="#${id}"><code>${path}</code></a>`;
  };
  const { violations, exceptions, failOn, file, lock } = policy;
  const origin = [file, lock].filter((path) => path !== null);
  const rows = html`<ul class="violations">${violations.map(
    ({ path, rule, detail }) =>
      html`<li>${toPath(path)}<br><b>${rule}</b>: ${options.translator.translate(detail)}</li>`,
  )}</ul>`;
  return html`<h2>${text.policy}</h2>
<p>${origin.length === 0 ? '' : `${text.policyFiles(origin)} `}${failOn.length === 0 ? '' : `${text.failOn(failOn)} `}${violations.length === 0 ? text.noViolations : ''}</p>
${
  violations.length === 0
    ? undefined
    : html`<details${violations.length <= violationsOpen ? html` open` : undefined}><summary>${text.violations}: ${violations.length}</summary>${rows}</details>`
}${
  exceptions.length === 0
    ? undefined
    : html`<h3>${text.exceptions}</h3><ul class="violations">${exceptions.map(
        ({ path, reason, owner, expires }) =>
          html`<li>${toPath(path)}<br>${text.exception(reason, owner, expires)}</li>`,
      )}</ul>`
}`;
}

/** Hidden until the script is there to answer; its texts stand here, so that it is the same in every language. */
function toControls({ files, policy, summary }: ScanReport, text: Messages['html']): Html {
  const found = new Set(files.flatMap(({ telltales }) => telltales.map(({ strength }) => strength)));
  const shown = strengths.filter((strength) => found.has(strength));
  const themes = text.themes;
  return html`<section id="controls" hidden aria-label="${text.controls}">
<p class="find"><label for="search">${text.search}</label> <input id="search" type="search" placeholder="${text.searchHint}" aria-keyshortcuts="/" autocomplete="off" spellcheck="false"></p>
${shown.length === 0 ? undefined : html`<ul class="counts" aria-label="${text.strengths}">${shown.map((strength) => html`<li data-group="strengths" data-value="${strength}"><span class="strength ${strength}"><span aria-hidden="true">${strengthMarks[strength]}</span> ${text.strengthWords[strength]}</span></li>`)}</ul>`}
${policy.violations.length === 0 ? undefined : html`<ul class="counts" aria-label="${text.states}"><li data-group="states" data-value="violates">${text.violates}</li></ul>`}
<p class="buttons"><button type="button" id="expand">${text.expandAll}</button> <button type="button" id="collapse">${text.collapseAll}</button> <button type="button" id="theme" data-auto="${text.theme(themes.auto)}" data-light="${text.theme(themes.light)}" data-dark="${text.theme(themes.dark)}">${text.theme(themes.auto)}</button> <button type="button" class="clear">${text.clear}</button></p>
<p id="shown" role="status" data-text="${text.shown('{0}', '{1}')}">${text.shown(String(summary.files), String(summary.files))}</p>
</section>`;
}
