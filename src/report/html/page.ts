import { toDigest } from '../../platform/digests.ts';
import type { Language } from '../../signatures/schema.ts';
import { type Html, html, type HtmlValue } from './html.ts';

/**
 * A whole page: one file, nothing loaded from anywhere, light or dark as the reader prefers. Nothing runs in it but the
 * script given here, and nothing gives it a style but the rules given here: the page names both by their digests.
 */
export interface PageContent {
  readonly title: string;
  /** Of the page; English unless it is said. */
  readonly language?: Language;
  /** Rules beyond those that every page has. */
  readonly style?: Html;
  /** Runs when the page was read. It must not contain an end tag of a script, nor the beginning of a comment. */
  readonly script?: Html;
  /** Under the title: what made the page. */
  readonly colophon: string;
  readonly body: HtmlValue;
}

/** Whether a reader may be sent there. */
export function isWebAddress(address: string): boolean {
  return /^https?:\/\/[^\s]+$/i.test(address);
}

/** A link that the reader may follow: only to the web, and only by its address. */
export function toWebLink(text: string, address: string | undefined, tooltip?: string): Html {
  const title = tooltip === undefined ? undefined : html` title="${tooltip}"`;
  if (address !== undefined && isWebAddress(address)) {
    return html`<a href="${address}" rel="noreferrer noopener nofollow"${title}>${text}</a>`;
  }
  return title === undefined ? html`${text}` : html`<span${title}>${text}</span>`;
}

const languageTags: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-Hans' };

/** An inline script or style as a content security policy names it: https://www.w3.org/TR/CSP3/#grammardef-hash-source */
function toHashSource(code: Html): Html {
  const digest = toDigest('sha256', new TextEncoder().encode(code.toString()));
  return html`'sha256-${btoa(String.fromCharCode(...digest))}'`;
}

/** The text of the file. */
export function toHtmlPage({ title, language = 'en', style, script, colophon, body }: PageContent): string {
  const rules = html`${baseStyle}${style}`;
  const scripts = script === undefined ? undefined : html`; script-src ${toHashSource(script)}`;
  const policy = html`default-src 'none'; style-src ${toHashSource(rules)}${scripts}; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
<html lang="${languageTags[language]}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${rules}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
<footer>${colophon}</footer>
${script === undefined ? undefined : html`<script>${script}</script>`}
</body>
</html>
`;
  return page.toString();
}

const baseStyle = html`
:root { --text: #1b1f24; --quiet: #59636e; --page: #ffffff; --card: #f6f8fa; --line: #d1d9e0; --came: #116329; --went: #a40e26; --unknown: #7d4e00; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --quiet: #9198a1; --page: #0d1117; --card: #161b22; --line: #3d444d; --came: #56d364; --went: #ff8182; --unknown: #e3b341; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main, footer { max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
footer, .quiet { color: var(--quiet); font-size: 0.9rem; }
a { color: inherit; }
code, .mono { font-family: ui-monospace, monospace; font-size: 0.88rem; overflow-wrap: anywhere; white-space: pre-wrap; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem 1rem; margin: 0 0 0.75rem; overflow-wrap: anywhere; }
.card p { margin: 0.25rem 0; }
.word { font-weight: 600; }
.came, .official { color: var(--came); }
.went, .impostor, .modified, .variant { color: var(--went); }
.unread, .damaged, .unverified, .incomplete { color: var(--unknown); }
dl { margin: 0.5rem 0 0; display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: 0.35rem 1rem; }
dt { color: var(--quiet); }
dd { margin: 0; min-width: 0; }
ul { list-style: none; margin: 0; padding: 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
table { border-collapse: collapse; }
td, th { text-align: left; padding: 0.15rem 1rem 0.15rem 0; }
@media (max-width: 40rem) { dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dt { margin-top: 0.5rem; } }
@media print {
  :root { --text: #000; --quiet: #333; --page: #fff; --card: #fff; --line: #999; --came: #000; --went: #000; --unknown: #000; }
  main, footer { max-width: none; padding: 0; }
  .card { break-inside: auto; }
  details::details-content { content-visibility: visible; }
  h2, h3 { break-after: avoid; }
}
`;
