import { Chalk } from 'chalk';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import {
  toMarkdownCellCode,
  toMarkdownCode,
  toMarkdownLink,
  toCommentText,
  toMarkdownText,
} from '../../src/report/markdown.ts';
import { toScanMarkdown } from '../../src/report/scan-markdown.ts';
import { english } from '../../src/report/translator.ts';
import type { FileResult } from '../../src/verdict/model.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';
import { toReport } from './sample-report.ts';

const options = { colour: new Chalk({ level: 0 }), columns: 80, isVerbose: true, translator: english };

/** CommonMark with tables, raw HTML, and links made of bare addresses, as GitHub renders it. */
const renderer = new MarkdownIt({ html: true, linkify: true });
renderer.linkify.set({ fuzzyLink: true, fuzzyEmail: true });

/** What a renderer makes of a markdown text. */
interface Rendered {
  /** Kinds of everything that is no plain text: `link_open`, `image`, `heading_open`… */
  readonly kinds: readonly string[];
  /** Raw HTML, piece by piece. */
  readonly html: readonly string[];
  /** Targets of links and sources of images. */
  readonly targets: readonly string[];
  /** Text outside of code, in which GitHub looks for mentions and references. */
  readonly text: string;
  /** Everything that a reader sees. */
  readonly seen: string;
  readonly cellsByRow: readonly number[];
}

function read(markdown: string): Rendered {
  const kinds: string[] = [];
  const html: string[] = [];
  const targets: string[] = [];
  const cellsByRow: number[] = [];
  const text: string[] = [];
  const seen: string[] = [];
  const visit = (tokens: ReturnType<typeof renderer.parse>): void => {
    for (const { type, content, children, attrs } of tokens) {
      if (type === 'inline') visit(children ?? []);
      else kinds.push(type);
      if (type === 'text' || type === 'text_special') text.push(content);
      if (type === 'text' || type === 'text_special' || type === 'code_inline') seen.push(content);
      if (type.startsWith('html')) html.push(content.trim());
      if (type === 'tr_open') cellsByRow.push(0);
      if (type === 'td_open' || type === 'th_open') cellsByRow.push((cellsByRow.pop() ?? 0) + 1);
      for (const [name, value] of attrs ?? [])
        if (name === 'href' || name === 'src') targets.push(String(value));
    }
  };
  visit(renderer.parse(markdown, {}));
  return { kinds, html, targets, text: text.join(''), seen: seen.join(''), cellsByRow };
}

/** What GitHub's filters look for in the text of a page. */
const references = /(?<![\p{L}\p{N}_])(?:@[a-z\d]|#\d|gh-\d)|:[\w+-]+:/iu;

const attacks: readonly (readonly [string, string])[] = [
  ['a mention', '@torvalds and x@torvalds/team'],
  ['an issue reference', '#1 owner/repo#2 GH-3 gh-4'],
  ['an emoji', ':white_check_mark: ok'],
  ['a table break', 'a | b | c \\| d \\\\| e'],
  ['a code fence', '```\n# forged\n```'],
  ['ticks', '` `` ``` x `'],
  ['a link', '[click](https://evil.example) [x]: https://evil.example'],
  ['an autolink', '<https://evil.example> <a@evil.example>'],
  [
    'bare addresses',
    'https://evil.example www.evil.example HTTP://evil.example mailto:a@evil.example a@evil.example',
  ],
  ['an image', '![x](https://evil.example/track.png)'],
  ['an HTML comment', 'a <!-- hidden --> b <!--'],
  ['HTML', '</summary></details><img src=x onerror=alert(1)><script>alert(1)</script>&lt;b&gt;'],
  ['a heading', '# forged'],
  ['an underlined heading', '=== forged'],
  ['a list', '- forged'],
  ['a numbered list', '1. forged'],
  ['a task', '+ [x] forged'],
  ['a quotation', '> [!WARNING]\n> forged'],
  ['a rule', '---'],
  ['emphasis', '**forged** __forged__ ~~forged~~ *a* _b_'],
  ['mathematics', '$\\color{red}x$ $$y$$'],
  ['a footnote', '[^1] [^1]: forged'],
  ['an escape at the end', 'a\\'],
  ['an entity', '&commat;torvalds &#35;1'],
  ['a line of a table', '\n| ✔ official | forged |\n'],
];

describe('when a text is written as markdown', () => {
  it.each(attacks)('stays text: %s', (_, attack) => {
    for (const markdown of [
      toCommentText(attack),
      `- ${toCommentText(attack)}`,
      `**${toCommentText(attack)}**`,
    ]) {
      const { kinds, html, targets, text } = read(markdown);
      expect(html).toEqual([]);
      expect(targets).toEqual([]);
      expect(text).not.toMatch(references);
      expect(
        kinds.filter((kind) =>
          /code|fence|heading|image|^hr|^em_|^s_open|table|blockquote|ordered/.test(kind),
        ),
      ).toEqual([]);
    }
  });

  it.each(attacks)('stays code: %s', (_, attack) => {
    const { kinds, html, targets } = read(`x ${toMarkdownCode(attack)} y`);
    expect({ kinds: kinds.filter((kind) => !/paragraph|^text$/.test(kind)), html, targets }).toEqual({
      kinds: ['code_inline'],
      html: [],
      targets: [],
    });
  });

  it.each(attacks)('stays one cell: %s', (_, attack) => {
    const { html, targets, cellsByRow } = read(
      `| a | b |\n| --- | --- |\n| ${toMarkdownCellCode(attack)} | ${toCommentText(attack)} |\n`,
    );
    expect(cellsByRow).toEqual([2, 2]);
    expect(targets).toEqual([]);
    expect(html.filter((one) => one !== '<code>' && one !== '</code>')).toEqual([]);
  });

  it('shows exactly the text', () => {
    const text = 'a*b_c [d](e) <f> & | # ~ $ ! \\ `g` 1. x@y #1 www.z.example 软件';
    expect(read(toCommentText(text)).seen.replaceAll('\u200b', '')).toBe(text);
  });

  it('is copied whole out of a document, where nobody is mentioned', () => {
    expect(read(toMarkdownText('x@y #1')).seen).toBe('x@y #1');
  });

  it('links to the web alone', () => {
    expect(read(toMarkdownLink('a', 'https://example.org/a b)(c')).targets).toEqual([
      'https://example.org/a%20b%29%28c',
    ]);
    expect(read(toMarkdownLink('a', 'javascript:alert(1)')).targets).toEqual([]);
  });
});

const placeholder = 'PLACEHOLDER';
let scanned: string | undefined;

/** An archive with another edition, whole and cut off, with this in the names; scanned once. */
async function scanNamed(name: string): Promise<readonly FileResult[]> {
  if (scanned === undefined) {
    const archive = buildZip({ entries: [{ name: `${placeholder}.exe`, data: buildTomSkype() }] });
    scanned = JSON.stringify([
      await scanBytes(`downloads/${placeholder}.zip`, archive),
      await scanBytes(`downloads/${placeholder}.cut`, archive.subarray(0, archive.length - 40)),
    ]);
  }
  return JSON.parse(scanned.replaceAll(placeholder, () => JSON.stringify(name).slice(1, -1)));
}

/** The same with a hostile text wherever a file can have put one. */
function poison(file: FileResult, text: string): FileResult {
  return {
    ...file,
    title: text,
    version: text,
    problems: file.problems.map((problem) => ({ ...problem, message: `holds "${text}"` })),
    notes: [...file.notes, { kind: 'name', text: `is named ${text}`, sources: [] }],
    telltales: file.telltales.map((telltale) => ({
      ...telltale,
      evidence: telltale.evidence.map((one) => ({ ...one, text, bytes: text })),
    })),
  };
}

describe('when a file whose name is an attack is reported in markdown', () => {
  it.each(attacks)('lets nothing of it become markup: %s', async (_, attack) => {
    const clean = read(toScanMarkdown(toReport(await scanNamed('name')), options));
    const files = (await scanNamed(attack)).map((file) => poison(file, attack));
    const dirty = read(toScanMarkdown(toReport(files), options));
    // The database speaks of its own sources alone.
    expect(dirty.targets.filter((target) => target.includes('evil'))).toEqual([]);
    expect(dirty.kinds).not.toContain('image');
    expect(dirty.kinds).not.toContain('fence');
    expect(dirty.kinds.filter((kind) => kind === 'heading_open')).toEqual(
      clean.kinds.filter((kind) => kind === 'heading_open'),
    );
    expect(new Set(dirty.cellsByRow)).toEqual(new Set(clean.cellsByRow));
    expect(dirty.cellsByRow).toHaveLength(clean.cellsByRow.length);
    expect(dirty.text).not.toMatch(references);
    const html = dirty.html.join('\n').replaceAll(/<code>[^<]*<\/code>/g, '');
    expect(html.replaceAll(/<\/?(?:details|summary|code)>/g, '')).not.toMatch(/[<]/);
  });
});

describe('when there is more than a comment takes', () => {
  const many = async (count: number, name: string): Promise<readonly FileResult[]> => {
    const [file] = await scanNamed('name');
    if (file === undefined) throw new Error('the sample is gone');
    return Array.from({ length: count }, (_, index) => ({ ...file, path: `${index}/${name}` }));
  };
  const isBalanced = (markdown: string): boolean =>
    markdown.split('<details>').length === markdown.split('</details>').length;

  it('lists fifty files and tells of twenty, and says so', async () => {
    const markdown = toScanMarkdown(toReport(await many(81, 'a.zip')), { ...options, isVerbose: false });
    expect(markdown).toContain('and 31 more; the JSON report has all');
    expect(markdown).toContain('Details of 61 more files are left out; the JSON report has all.');
    expect(markdown.split('<details>')).toHaveLength(21);
    expect(markdown.length).toBeLessThanOrEqual(60_000);
    expect(isBalanced(markdown)).toBe(true);
  });

  it.each(['x'.repeat(4000), '\u202e'.repeat(1300), '|<@'.repeat(1300), '软'.repeat(1300)])(
    'stays within 60,000 characters, and says that it was cut',
    async (name) => {
      const markdown = toScanMarkdown(toReport(await many(60, name)), options);
      expect(markdown.length).toBeLessThanOrEqual(60_000);
      expect(markdown).toContain('the JSON report has');
      expect(isBalanced(markdown)).toBe(true);
      expect(markdown).toMatch(/telltale 1\.2\.3.*\n$/);
    },
  );

  it('puts the gravest first', async () => {
    const files = await many(2, 'a.zip');
    const [first, second] = files;
    if (first === undefined || second === undefined) throw new Error('the sample is gone');
    const markdown = toScanMarkdown(
      toReport([
        { ...first, verdict: 'official', path: 'good' },
        { ...second, path: 'bad' },
      ]),
      options,
    );
    expect(markdown.indexOf('`bad`')).toBeLessThan(markdown.indexOf('`good`'));
  });
});

describe('when nothing was found', () => {
  it('is short', () => {
    expect(toScanMarkdown(toReport([]), options)).toMatch(
      /^## ✔ telltale: in order\n\nNo file violates the policy, and everything was read\.\n\ntelltale 1\.2\.3, .+\n$/,
    );
  });
});
