import { describe, expect, it } from 'vitest';
import { html } from '../../../src/report/html/html.ts';
import { toHtmlPage, toWebLink } from '../../../src/report/html/page.ts';

describe('when text is put into HTML', () => {
  it('lets no markup, no quote and nothing invisible through', () => {
    expect(html`${`<script>"'&\u202e\u001b[31m\u0000</script>`}`.toString()).toBe(
      '&lt;script&gt;&quot;&#39;&amp;\\u{202e}\\u{1b}[31m\\u{0}&lt;/script&gt;',
    );
  });

  it('escapes text once, and what was made by the template not again', () => {
    const inner = html`<b>${'a < b'}</b>`;
    expect(String(html`<p title="${'"'}">${inner}${[inner, ' & ']}${undefined}${7}</p>`)).toBe(
      '<p title="&quot;"><b>a &lt; b</b><b>a &lt; b</b> &amp; 7</p>',
    );
  });

  it('links only to the web', () => {
    expect(String(toWebLink('x', 'https://a.example/?q="<'))).toBe(
      '<a href="https://a.example/?q=&quot;&lt;" rel="noreferrer noopener nofollow">x</a>',
    );
    for (const address of ['javascript:alert(1)', 'data:text/html,x', 'owner/name@commit:path', undefined])
      expect(String(toWebLink('<x>', address))).toBe('&lt;x&gt;');
  });
});

describe('when a page is made', () => {
  const page = toHtmlPage({ title: '<img src=x>', colophon: 'made here', body: html`<p>text</p>` });

  it('loads nothing and runs nothing', () => {
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|<img|<link|<iframe|@import|url\(|\son\w+=/i);
  });

  it('suits dark rooms, phones and paper', () => {
    for (const part of [
      'prefers-color-scheme: dark',
      'width=device-width',
      '@media print',
      'max-width: 40rem',
    ])
      expect(page).toContain(part);
  });
});
