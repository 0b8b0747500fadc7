import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { buildZip } from '../../../fixtures/zip-builder.ts';
import { toScanHtml } from '../../../src/report/html/scan-page.ts';
import type { FileResult } from '../../../src/verdict/model.ts';
import { scanBytes } from '../../end-to-end/scan-bytes.ts';
import { scanSamples, toReport } from '../sample-report.ts';
import { poison, toOptions, toPage } from './pages.ts';

const samples = await scanSamples();

function toHashes(page: string, element: string): readonly string[] {
  return [...page.matchAll(new RegExp(`<${element}>([\\s\\S]*?)</${element}>`, 'g'))].map(
    ([, code]) =>
      `'sha256-${createHash('sha256')
        .update(code ?? '')
        .digest('base64')}'`,
  );
}

describe('when a scan is written as a page', () => {
  const page = toPage(samples);

  it('is the same each time', () => {
    expect(toPage(samples)).toBe(page);
  });

  it('lets run its own script alone, and nothing be loaded', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
    const [script, ...scripts] = toHashes(page, 'script');
    const [style, ...styles] = toHashes(page, 'style');
    expect([...scripts, ...styles]).toEqual([]);
    expect(policy).toBe(
      `default-src 'none'; style-src ${style}; script-src ${script}; base-uri 'none'; form-action 'none'`,
    );
    expect(page).not.toMatch(/<(?:link|img|iframe|object|embed|base)\b|@import|url\(|\sstyle=/);
  });

  it('says the outcome, the counts and everything that the JSON says of a file in words', () => {
    expect(page).toContain('1 file violates the policy.');
    expect(page).toContain('<b>1</b> <span class="word variant">✖ variant</span>');
    expect(page).toContain('downloads/skype_cn.zip');
    for (const { title, sources } of samples.flatMap(({ telltales }) => telltales)) {
      expect(page).toContain(title.replaceAll("'", '&#39;').replaceAll('"', '&quot;'));
      for (const { short } of sources) expect(page).toContain(short.replaceAll('&', '&amp;'));
    }
    expect(page).toContain('encrypted');
  });

  it('puts only addresses of the web behind links to sources', () => {
    const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, link]) => link ?? '');
    expect(links.some((link) => link.startsWith('https://'))).toBe(true);
    expect(links.filter((link) => !/^(?:https?:\/\/|#)/.test(link))).toEqual([]);
  });

  it('gives each file one address that other files do not change', () => {
    const ids = (text: string): readonly string[] =>
      [...text.matchAll(/<article[^>]* id="([^"]*)"/g)].map(([, id]) => id ?? '');
    expect(new Set(ids(page)).size).toBe(samples.length);
    expect(ids(toPage(samples.slice(1)))).toEqual(ids(page).slice(1));
    const twice = ids(toPage([...samples, ...samples]));
    expect(new Set(twice).size).toBe(2 * samples.length);
  });

  it('says who was let through, what was interrupted and that the policy was met', () => {
    const sha256 = samples[0]?.sha256 ?? '';
    const exceptions = [
      {
        path: 'downloads/skype_cn.zip',
        sha256,
        reason: 'kept <for> study',
        owner: 'me',
        expires: '2027-01-01',
      },
    ];
    const report = toReport(samples, { isInterrupted: true });
    const text = toScanHtml(
      { ...report, policy: { ...report.policy, violations: [], exceptions } },
      toOptions(),
    );
    expect(text).toContain('kept &lt;for&gt; study (me, until 2027-01-01)');
    expect(text).toContain('The scan was interrupted with 3 files left to scan.');
    expect(text).toContain('No file violates it.');
  });

  it('passes every text of a result to the translator', () => {
    const text = toScanHtml(
      toReport(samples),
      toOptions('zh', (english) => `«${english}»`),
    );
    expect(text).toContain('<html lang="zh-Hans">');
    for (const { reason, telltales, notes } of samples.filter(({ verdict }) => verdict !== 'other')) {
      for (const said of [
        reason,
        ...telltales.map(({ title }) => title),
        ...notes.map((note) => note.text),
      ]) {
        const shown = said.slice(said.lastIndexOf(':') + 1).trim();
        expect(text.replaceAll('&#39;', "'").replaceAll('&quot;', '"')).toMatch(
          new RegExp(`«[^»]*${shown.slice(0, 30).replaceAll(/[.*+?^$()[\]{}|\\]/g, '\\$&')}`),
        );
      }
    }
  });
});

describe('when a result holds more than a page can', () => {
  it('shows what matters and counts the rest', async () => {
    const entries = Array.from({ length: 2600 }, (_, at) => ({ name: `folder/${at}.txt`, data: `${at}` }));
    const file = await scanBytes('many.zip', buildZip({ entries }));
    const last = file.tree?.members.at(-1);
    const marked: FileResult = { ...file, decidedBy: last?.path ?? null };
    const text = toPage([marked]);
    expect(file.tree?.members.length).toBe(2600);
    expect(text.match(/<span class="n">/g)?.length).toBe(2000);
    expect(text).toContain('and 601 more; the JSON report has them');
    expect(text).toContain(`<span class="n">${last?.name}</span>`);
    expect(text).toContain('decided the verdict');
  });

  it('shares the room among many files, so that none is left without', () => {
    const first = samples[0];
    if (first?.tree === undefined || first.tree === null) throw new Error('a sample without a tree');
    const member = first.tree.members[0];
    if (member === undefined) throw new Error('a sample without members');
    const large: FileResult = {
      ...first,
      tree: { ...first.tree, members: Array.from({ length: 1999 }, () => ({ ...member, members: [] })) },
    };
    const many = Array.from({ length: 40 }, (_, at) => [{ ...large, path: `large/${at}` }, ...samples]);
    const text = toPage(many.flat());
    const cards = text.split('<article').slice(1);
    expect(cards.length).toBe(200);
    const counts = cards.filter((_, at) => at % 5 === 0).map((card) => card.match(/class="n"/g)?.length ?? 0);
    expect(Math.min(...counts)).toBeGreaterThan(1000);
    expect(Math.max(...counts)).toBe(Math.min(...counts));
    expect(text.match(/class="n"/g)?.length).toBeLessThanOrEqual(50_000);
  });
});

describe('when texts of a result are attacks', () => {
  it.each([
    'javascript:alert(1)',
    '</script><script>alert(1)</script>',
    '</style><img src=x onerror=alert(1)>',
    '<!--<script>',
    '" onmouseover="alert(1)" x="',
    "' onfocus='alert(1)' autofocus='",
    '&lt;script&gt;alert(1)&#x3c;',
    '${alert(1)}{{alert(1)}}<template>',
    'https://example.org/" onclick="alert(1)',
    '{0} of {1}',
  ])('writes %s as text', (attack) => {
    const clean = toPage(samples);
    const text = toPage(samples.map((file) => poison(file, attack)));
    const toTags = (page: string): ReadonlySet<string> =>
      new Set([...page.matchAll(/<(?:!--|[/a-z][a-z0-9]*)/g)].map(([tag]) => tag));
    expect([...toTags(text)].filter((tag) => !toTags(clean).has(tag))).toEqual([]);
    expect(text.match(/<script/g)?.length).toBe(1);
    expect(text).not.toMatch(/href="javascript|<[^>]*\son[a-z]+="/i);
  });
});
