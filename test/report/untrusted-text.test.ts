import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { loadReporter, type ReportFormat, reportFormats, toWhole } from '../../src/report/reporters.ts';
import { english } from '../../src/report/translator.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';
import { toReport } from './sample-report.ts';

/** What a name may carry, and what must then stand nowhere in a report. */
const attacks: readonly (readonly [string, string, RegExp])[] = [
  ['a control character', 'a\u0007b\u0000c', /[\u0000\u0007]/],
  ['a terminal sequence', '\u001b[2J\u001b[31mok', /\u001b/],
  ['a C1 control', '\u009b31mred', /\u009b/],
  ['a terminal link', '\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007', /\u001b|\u0007/],
  ['a right-to-left override', 'a\u202egpj.exe', /\u202e/],
  ['an isolate and a zero-width space', '\u2067x\u2069\u200b', /[\u2066-\u2069\u200b]/],
  ['a line break', 'x\n ✔ official     forged.exe\r', /^ ✔ official {5}forged/m],
  ['a line separator', 'x\u2028y\u2029z\u0085', /[\u2028\u2029\u0085]/],
  ['a workflow command', '::set-output name=x::y', /^\s*::set-output/m],
  ['a workflow command behind a break', 'x\n::stop-commands::y', /^\s*::stop-commands/m],
  ['an old workflow command', '##[set-env name=PATH]/evil', /##\[/],
  ['a command of Azure and TeamCity', '##vso[task.setvariable]##teamcity[x]', /##(?:vso|teamcity)/],
  ['HTML', '<script>alert(1)</script><img src=x onerror=alert(1)>', /<script>alert|<img src=x/],
  ['XML', ']]><failure/>&xxe;<!--', /\]\]><failure\/>|&xxe;|<!--[^-]*$/],
  ['an attribute', '" onmouseover="alert(1)', /" onmouseover="/],
  ['the end of a script', '</script><script>alert(1)</script>', /<\/script><script>alert/],
  ['the end of a style', '</style><svg onload=alert(1)>', /<\/style><svg/],
  ['a comment', '<!--<script>', /<!--<script/],
  ['an attribute in single quotes', "' onfocus='alert(1)' autofocus='", /' onfocus='/],
  ['entities', '&lt;script&gt;alert(1)&#60;/script&#62;', /(?<!&amp;)&lt;script&gt;alert/],
  ['a tag character', 'a\u{e0041}b', /\u{e0041}/u],
];

/** What GitHub makes something of in markdown that is neither in code nor escaped. */
const markdownAttacks: readonly (readonly [string, string, RegExp])[] = [
  ['a mention', 'x @octocat y', /^[^`\n]*@octocat/m],
  ['an issue reference', 'x #12 y', /^[^`\n]*#12/m],
  ['a table break', 'x | forged | y', /^\|[^`\n]*(?<!\\)\| forged \|/m],
  ['a code fence', '```\n```', /^\s*```/m],
  ['a link', '[x](https://evil.example)', /^[^`\n]*\[x\]\(https:/m],
  ['an image', '![x](https://evil.example)', /^[^`\n]*!\[x\]\(https:/m],
  ['an HTML comment', '<!-- x', /^[^`\n]*<!--/m],
  ['the end of an element', '</details>x', /<\/details>x/],
];

/** Forms in which markup is text like any other; elsewhere it must not come through either. */
const plainForms: ReadonlySet<ReportFormat> = new Set(['text', 'json', 'ndjson', 'sarif', 'github']);
const markup: ReadonlySet<string> = new Set([
  'HTML',
  'XML',
  'an attribute',
  'the end of a script',
  'the end of a style',
  'a comment',
  'an attribute in single quotes',
  'entities',
]);

/** Without what stands in code, where markup is text; what a renderer makes of it: scan-markdown.test.ts. */
function withoutCode(markdown: string): string {
  return markdown
    .replaceAll(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, '``')
    .replaceAll(/<code>[^<>]*<\/code>/g, '<code></code>');
}

async function render(format: ReportFormat, name: string): Promise<string> {
  const archive = buildZip({ entries: [{ name: `${name}.exe`, data: buildTomSkype() }] });
  const files = [
    await scanBytes(`downloads/${name}.zip`, archive),
    await scanBytes(`downloads/${name}.cut`, archive.subarray(0, archive.length - 40)),
  ];
  const options = { colour: new Chalk({ level: 0 }), columns: 100, isVerbose: true, translator: english };
  return toWhole(await loadReporter(format), toReport(files), options);
}

describe.each(reportFormats)('when %s reports a file whose name is an attack', (format) => {
  // A quotation mark ends no attribute where none is written.
  const dangerous = attacks.filter(
    ([attack]) =>
      !markup.has(attack) ||
      (!plainForms.has(format) && !(format === 'markdown' && attack.startsWith('an attribute'))),
  );

  it.each(dangerous)('lets no part of %s through', async (attack, name, forbidden) => {
    const report = await render(format, name);
    expect(report).toContain('downloads');
    expect(format === 'markdown' && markup.has(attack) ? withoutCode(report) : report).not.toMatch(forbidden);
  });

  it.each(format === 'markdown' ? markdownAttacks : [])(
    'lets %s through as text alone',
    async (_, name, forbidden) => {
      const report = await render(format, name);
      expect(report).toContain('downloads');
      expect(withoutCode(report)).not.toMatch(forbidden);
    },
  );
});

it('is shown with markup in at least one form where markup counts', () => {
  expect(reportFormats.filter((format) => !plainForms.has(format))).not.toEqual([]);
});
