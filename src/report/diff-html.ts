import type { MemberChange, SideResult, TelltaleChange } from '../diff/model.ts';
import { toBytes } from './amounts.ts';
import type { DiffReport } from './diff-model.ts';
import {
  describeMember,
  type Line,
  type Row,
  selectMembers,
  type Sign,
  stateSigns,
  stateTitles,
  toMemberTitle,
  toOutcome,
  toPlaceTexts,
  toSum,
} from './diff-rows.ts';
import { type Html, html } from './html/html.ts';
import { toHtmlPage, toWebLink } from './html/page.ts';
import { marks, toCount } from './text.ts';

/** Lines that stand open, and lines that are in the page at all unless everything is asked for. */
const linesOpen = 8;
const linesInPage = 200;

/** A comparison as one self-contained page. */
export function toDiffHtml(report: DiffReport, options: { readonly isVerbose: boolean }): string {
  const { before, after, telltales, tool, database, limits } = report;
  const databases = database.products.map(({ id, revision }) => `${id} ${revision}`).join(', ');
  const chosen = selectMembers(report.members, options.isVerbose);
  const hidden = report.summary.states.same;
  return toHtmlPage({
    title: `${before.path} → ${after.path}`,
    colophon: `telltale ${tool.version}, ${databases}, database ${database.digest.slice(0, 8)}`,
    body: html`
<p><strong>${toSum(report)}</strong>; ${toOutcome(report)}.</p>
<div class="sides">
${toSide('before', before)}
${toSide('after', after)}
</div>
${toTelltales('Telltales that came', '+', telltales.came, after)}
${toTelltales('Telltales that went', '-', telltales.went, before)}
${
  telltales.stayed.length === 0
    ? undefined
    : html`<details><summary>${toCount(telltales.stayed.length, 'telltale')} on both sides</summary><ul>${telltales.stayed.map(({ strength, title }) => html`<li>${strength}: ${title}</li>`)}</ul></details>`
}
<h2>Members</h2>
${chosen.map((one) =>
  one.kind === 'member'
    ? toMember(one.member, one.inside, options.isVerbose)
    : html`<p class="quiet">${one.text} that are not on this page</p>`,
)}
${!options.isVerbose && hidden > 0 ? html`<p class="quiet">${toCount(hidden, 'member')} the same on both sides, not shown.</p>` : undefined}
${limits.map((limit) => html`<p class="unread">Limit: ${limit}.</p>`)}`,
  });
}

function toSide(label: string, side: SideResult): Html {
  const word = side.verdict === 'other' && !side.complete ? 'incomplete' : side.verdict;
  const problems = side.problems.filter(({ incomplete }) => incomplete);
  return html`<section class="card">
<h3>${label}: <code>${side.path}</code></h3>
<p><span class="word ${word}">${marks[word]} ${word}</span> ${side.headline}</p>
<p>${side.reason}</p>
<p class="quiet">${side.size === null ? '' : toBytes(side.size)} <code>${side.sha256 === null ? '' : `sha256 ${side.sha256}`}</code></p>
${
  problems.length === 0
    ? undefined
    : html`<details><summary class="unread">${toCount(problems.length, 'thing')} not read</summary><ul>${problems.map(({ path, message, consequence }) => html`<li><code>${path}</code>: ${message}; ${consequence}</li>`)}</ul></details>`
}
</section>`;
}

function toTelltales(
  title: string,
  sign: Sign,
  changes: readonly TelltaleChange[],
  side: SideResult,
): Html | undefined {
  if (changes.length === 0) return undefined;
  return html`<h2>${title}</h2>
${changes.map(
  (change) => html`<section class="card">
<h3><span class="${toClass(sign)}">${sign} ${change.strength}</span> ${change.title}</h3>
<p class="quiet">${change.variantName}, <code>${change.id}</code></p>
<ul>${change.places.map((place) => {
    const { place: where, quote, carrier } = toPlaceTexts(place, side);
    return html`<li><code>${where}</code><br><code>${quote}</code><br>${carrier}</li>`;
  })}</ul>
<p class="quiet">${change.sources.map((source, index) => html`${index === 0 ? '' : ', '}${toWebLink(source.short, source.link)}`)}${change.testedOnRealFile ? '' : '; no real file that carries it was available to us'}</p>
</section>`,
)}`;
}

function toMember(member: MemberChange, inside: number, isVerbose: boolean): Html {
  const rows = describeMember(member);
  return html`<section class="card">
<h3><span class="${toStateClass(member.state)}">${stateSigns[member.state]} ${stateTitles[member.state]}</span> <code>${toMemberTitle(member)}</code>${inside === 0 ? '' : ` and ${toCount(inside, 'member')} in it`}</h3>
${rows.length === 0 ? undefined : html`<dl>${rows.map((row) => toRow(row, isVerbose))}</dl>`}
</section>`;
}

function toRow({ label, lines, further }: Row, isVerbose: boolean): Html {
  const shown = isVerbose ? lines : lines.slice(0, linesInPage);
  const rest = shown.slice(linesOpen);
  const left = lines.length - shown.length + further;
  return html`<dt>${label}</dt><dd><ul>${shown.slice(0, linesOpen).map(toItem)}</ul>${
    rest.length === 0
      ? undefined
      : html`<details><summary>and ${rest.length} more</summary><ul>${rest.map(toItem)}</ul></details>`
  }${left === 0 ? undefined : html`<p class="quiet">and ${left} more that are not on this page</p>`}</dd>`;
}

function toItem({ sign, text }: Line): Html {
  return html`<li class="mono ${toClass(sign)}">${sign === ' ' ? '' : `${sign} `}${text}</li>`;
}

function toClass(sign: Sign): string {
  return sign === '+' ? 'came' : sign === '-' ? 'went' : '';
}

function toStateClass(state: MemberChange['state']): string {
  return state === 'added' ? 'came' : state === 'removed' ? 'went' : state === 'unread' ? 'unread' : '';
}
