import { html } from './html.ts';

/** Colours of the dark theme, which is taken by the wish of the system or by that of the reader. */
const dark = html`color-scheme: dark; --text: #e6edf3; --quiet: #9da7b1; --page: #0d1117; --card: #161b22; --line: #3d444d; --came: #56d364; --went: #ff8182; --unknown: #e3b341; --mark: #5c4409; --focus: #79c0ff; --press: #1f3a5f;`;
const light = html`color-scheme: light; --text: #1b1f24; --quiet: #59636e; --page: #ffffff; --card: #f6f8fa; --line: #d1d9e0; --came: #116329; --went: #a40e26; --unknown: #7d4e00; --mark: #fff0b3; --focus: #0550ae; --press: #d8e8fb;`;

/** What the page of a scan looks like beyond what every page looks like. */
export const scanStyle = html`
:root { ${light} }
@media (prefers-color-scheme: dark) { :root { ${dark} } }
:root[data-theme="light"] { ${light} }
:root[data-theme="dark"] { ${dark} }
[hidden] { display: none !important; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.file:focus { outline: 3px solid var(--focus); outline-offset: 2px; }
h1 { margin: 0.5rem 0; }
.outcome { font-size: 1.2rem; font-weight: 600; margin: 0.5rem 0; }
.outcome.violation, .outcome.bug { color: var(--went); }
.outcome.interrupted, .outcome.incomplete { color: var(--unknown); }
.outcome.ok { color: var(--came); }
.counts { display: flex; flex-wrap: wrap; gap: 0.5rem; margin: 0.5rem 0; }
.counts li { border: 1px solid var(--line); border-radius: 6px; padding: 0.2rem 0.7rem; }
.counts li.switch { border: 0; padding: 0; }
button, input { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--quiet); border-radius: 6px; padding: 0.2rem 0.7rem; min-height: 2rem; }
button { cursor: pointer; }
button:hover { background: var(--card); }
button[aria-pressed="true"] { background: var(--press); border-color: var(--focus); box-shadow: inset 0 0 0 1px var(--focus); }
button[aria-pressed="true"]::before { content: "✓ "; }
#controls { border: 1px solid var(--line); border-radius: 6px; padding: 0.5rem 1rem; margin: 0 0 1rem; }
#controls p { margin: 0.5rem 0; }
.find { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; align-items: center; }
#search { flex: 1 1 14rem; min-width: 0; }
#search::placeholder { color: var(--quiet); opacity: 1; }
.buttons { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.legend, .violations { margin: 0.5rem 0; }
.violations li { margin: 0.4rem 0; overflow-wrap: anywhere; }
.legend dt { color: var(--text); }
.group { content-visibility: auto; contain-intrinsic-height: 400rem; }
.file { content-visibility: auto; contain-intrinsic-height: auto 7rem; border-left: 4px solid var(--quiet); scroll-margin-top: 0.5rem; }
/* To take thousands of cards out of the layout takes a browser long; to pass them over does not. */
.group.out, .file.out { content-visibility: hidden; height: 0; margin: 0; padding: 0; border: 0; contain-intrinsic-height: 0; }
@supports not (content-visibility: hidden) { .group.out, .file.out { display: none; } }
.file.official { border-left-color: var(--came); color: inherit; }
.file.impostor, .file.modified, .file.variant { border-left-color: var(--went); color: inherit; }
.file.damaged, .file.unverified, .file.incomplete { border-left-color: var(--unknown); color: inherit; }
.file h3 { font-weight: 400; }
.file .path { font-weight: 600; }
.file .word, .counts .word { white-space: nowrap; }
.file .here { color: var(--quiet); text-decoration: none; padding: 0 0.4rem; }
.file .here:hover { text-decoration: underline; }
.headline { font-size: 1.05rem; }
h4 { font-size: 1rem; margin: 1rem 0 0.25rem; }
dd { overflow-wrap: anywhere; }
summary { color: var(--quiet); padding: 0.15rem 0; }
.telltale { border-top: 1px solid var(--line); padding: 0.5rem 0; }
.telltale .strength { white-space: nowrap; }
.strength [aria-hidden] { letter-spacing: 0.05em; color: var(--quiet); }
.place { margin: 0.25rem 0 0.5rem; padding-left: 0.75rem; border-left: 2px solid var(--line); }
.hex { font: 0.82rem/1.45 ui-monospace, "DejaVu Sans Mono", Consolas, monospace; overflow-x: auto; margin: 0.35rem 0; padding: 0.4rem 0.6rem; background: var(--page); border: 1px solid var(--line); border-radius: 4px; width: fit-content; max-width: 100%; white-space: pre; }
mark { background: var(--mark); color: var(--text); font-weight: 700; text-decoration: underline; }
.sources { font-size: 0.92rem; }
.tree ul { padding-left: 1.1rem; margin: 0; }
.tree > ul { padding-left: 0; }
.tree li { margin: 0.2rem 0; overflow-wrap: anywhere; }
.tree summary { color: inherit; }
.tree > summary { color: var(--quiet); }
.n { font-weight: 600; }
.v { white-space: nowrap; font-size: 0.9rem; }
.v.other { color: var(--quiet); }
.q, .p { color: var(--quiet); font-size: 0.9rem; }
.p { display: block; color: var(--unknown); }
.role { font-size: 0.8rem; font-weight: 600; border: 1px solid var(--quiet); border-radius: 4px; padding: 0 0.35rem; white-space: nowrap; }
#none { padding: 1rem; text-align: center; }
@media (max-width: 40rem) { main, footer { padding: 0.75rem; } .card { padding: 0.6rem 0.7rem; } .tree ul { padding-left: 0.7rem; } }
@media print {
  :root, :root[data-theme] { color-scheme: light; --text: #000; --quiet: #333; --page: #fff; --card: #fff; --line: #999; --came: #000; --went: #000; --unknown: #000; --mark: #ddd; }
  body { font-size: 10pt; }
  #controls, #none, .here { display: none !important; }
  button { border: 1px solid #999; }
  .group, .file { content-visibility: visible; }
  .group.out, .file.out { display: none; }
  .telltale, .place, .hex, dd, .file > h3, .headline { break-inside: avoid; }
  .file > h3, .headline, h4, summary { break-after: avoid; }
  .hex { white-space: pre-wrap; overflow: visible; font-size: 7.5pt; }
  details::details-content { display: block; content-visibility: visible; }
  a[href^="http"]::after { content: " <" attr(href) ">"; font-weight: 400; overflow-wrap: anywhere; }
}
`;
