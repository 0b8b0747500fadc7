import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { type Subject, toDossier } from '../../src/report/dossier.ts';
import { toDossierDocument } from '../../src/report/dossier-json.ts';
import { toDossierMarkdown } from '../../src/report/dossier-markdown.ts';
import { toDossierText } from '../../src/report/dossier-text.ts';
import { toVariantsDocument } from '../../src/report/variants-document.ts';
import { loadDatabase, type ProductDatabase } from '../../src/signatures/load.ts';
import { languages } from '../../src/signatures/schema.ts';
import {
  knownBuildHeader,
  product,
  sources,
  toIndicator,
  toRow,
  toVariant,
  writeFolder,
} from '../signatures/database-fixture.ts';

const plain = { colour: new Chalk({ level: 0 }), columns: 80 };

const edition = {
  ...toVariant('tea', [
    toIndicator(
      { host: 'tea.example' },
      {
        id: 'tea-host',
        title: 'host tea.example',
        zh: { title: '主机 tea.example', note: '只在程序内部才算数。' },
        note: 'It counts only inside a program.',
        in: ['pe', 'dex'],
        strength: 'decisive',
        sources: ['paper', 'rumour'],
        tests: {
          hit: [{ format: 'pe', content: ['http://tea.example/'] }],
          nearMiss: [
            { why: 'a web page is no evidence', format: 'html', content: ['tea.example'] },
            { why: 'another host', format: 'pe', utf16: ['iced.tea.example'] },
          ],
        },
        testedOnRealFile: true,
      },
    ),
    toIndicator(
      { version: [null, null, 4] },
      { id: 'tea-version', title: 'version N.N.4', zh: { title: '版本号 N.N.4' }, in: ['program'] },
    ),
  ]),
  name: 'Demo Tea',
  publisher: 'Tea House',
  region: 'Nowhere',
  years: { from: 2004, to: 2013 },
  summary: 'An edition that was invented for a test.',
  zh: { name: '演示茶版', region: '乌有乡', summary: '为测试而虚构的一个版本。' },
  surveillance: {
    status: 'documented',
    text: 'Somebody wrote it down.',
    zh: { text: '有人记录了它。' },
    sources: ['paper'],
  },
  notes: [{ text: 'It is green.', zh: { text: '它是绿色的。' }, sources: ['repository'] }],
  notConclude: [
    { text: 'That it is hot does not make it tea.', zh: { text: '热的不一定是茶。' }, sources: ['paper'] },
  ],
};

const files = {
  'demo/product.json': product,
  'demo/sources.json': {
    sources: {
      ...sources.sources,
      repository: {
        title: 'A repository',
        short: 'Doe 2012',
        kind: 'third-party',
        repository: 'owner/name',
        commit: '0123456789',
        path: 'a folder/{1,2}/*.txt',
        accessed: '2026-11-01',
      },
    },
  },
  'demo/variants/tea.json': edition,
  'demo/known-builds/windows.tsv': [
    knownBuildHeader,
    toRow({ variant: 'tea', version: '1.9' }),
    toRow({ variant: 'tea', version: '1.10', digest: 'b'.repeat(64), sources: 'paper' }),
    toRow({ variant: 'tea', version: '', product: 'Demo kettle', digest: 'c'.repeat(64) }),
  ].join('\n'),
};

function load(content: Readonly<Record<string, unknown>>): ProductDatabase {
  const [loaded] = loadDatabase([writeFolder(content)]).products;
  if (loaded === undefined) throw new Error('no product');
  return loaded;
}

function toVariantSubject(database: ProductDatabase): Subject {
  const [variant] = database.variants;
  if (variant === undefined) throw new Error('no variant');
  return { kind: 'variant', product: database, variant };
}

function toSourceSubject(database: ProductDatabase, id: string): Subject {
  const source = database.sources.get(id);
  if (source === undefined) throw new Error('no source');
  return { kind: 'source', product: database, id, source };
}

const database = load(files);
const subject = toVariantSubject(database);

describe.each(languages)('when a variant is explained in %s', (language) => {
  const dossier = toDossier(subject, { language, isVerbose: false });

  it('is a page of text', () => {
    expect(toDossierText(dossier, plain)).toMatchSnapshot();
  });

  it('is a page of markdown', () => {
    expect(toDossierMarkdown(dossier)).toMatchSnapshot();
  });

  it('is a part of a document with contents and all sources', () => {
    const document = toVariantsDocument(database, language, 'other.md');
    expect(document).toContain('](#tea)');
    expect(document.match(/<a id="tea"><\/a>/g)).toHaveLength(1);
    expect(document).toContain('](other.md)');
    expect(document.match(/A repository/g)).toHaveLength(1);
  });

  it('tells with -v what the fixtures contain', () => {
    const text = toDossierText(toDossier(subject, { language, isVerbose: true }), {
      ...plain,
      columns: 1000,
    });
    expect(text).toMatch(/html.*tea\.example/);
    expect(text).toMatch(/iced\.tea\.example/);
    expect(toDossierText(dossier, plain)).not.toMatch(/iced\.tea\.example/);
  });

  it('explains a source by what rests on it', () => {
    const paper = toDossierText(
      toDossier(toSourceSubject(database, 'paper'), { language, isVerbose: false }),
      plain,
    );
    expect(paper).toMatch(/\[tea\]/);
    expect(paper).toMatch(/\[tea-host\]/);
    expect(paper).toMatch(/\[demo-product-name\]/);
    expect(paper).toMatch(language === 'en' ? /1 line of the ledger/ : /台账中的 1 行/);
    const rumour = toDossierText(
      toDossier(toSourceSubject(database, 'rumour'), { language, isVerbose: false }),
      plain,
    );
    expect(rumour).toMatch(language === 'en' ? /cannot be opened by a stranger/ : /他人无法打开/);
    expect(rumour).not.toMatch(/demo-product-name/);
  });
});

describe('when a dossier is given as data', () => {
  it('keeps the fields of the database and adds words, counts and sources', () => {
    expect(toDossierDocument(subject, 'zh')).toMatchObject({
      schema: 'telltale/explain/1',
      kind: 'variant',
      language: 'zh',
      product: 'demo',
      id: 'tea',
      name: 'Demo Tea',
      zh: { name: '演示茶版' },
      counts: { decisive: 1, strong: 1, suggestive: 0, total: 2, seenInRealFile: 1 },
      indicators: [
        { id: 'tea-host', conditionText: '主机 tea.example，前面不带子域名' },
        { id: 'tea-version', conditionText: '版本号：第三位为 4' },
      ],
      knownBuilds: [
        { name: 'Demo', digests: 2, versions: 2, oldest: '1.9', newest: '1.10' },
        { name: 'Demo kettle', digests: 1, versions: 0, oldest: '', newest: '' },
      ],
      citations: [{ id: 'paper' }, { id: 'repository', accessed: '2026-11-01' }, { id: 'rumour' }],
    });
  });

  it('names what rests on a source, and keeps the kind of the document', () => {
    expect(toDossierDocument(toSourceSubject(database, 'paper'), 'en')).toMatchObject({
      kind: 'source',
      id: 'paper',
      title: 'A paper',
      restsOnIt: {
        variants: ['tea'],
        indicators: ['tea-host', 'tea-version'],
        claims: ['demo-product-name'],
        pins: [],
        ledgerLines: 1,
      },
      citations: [{ id: 'paper', kind: 'primary' }],
    });
  });
});

describe('when a database is hostile', () => {
  const nasty =
    '<img src=x onerror=alert(1)> [x](javascript:alert(1)) **b** `c` | \u001b[31m \u202e\n# h www.evil.example http://evil.example';
  const hostile = load({
    ...files,
    'demo/sources.json': {
      sources: {
        ...files['demo/sources.json'].sources,
        paper: { title: nasty, short: nasty, kind: 'primary', url: 'javascript:alert(1)' },
        rumour: {
          title: '- list',
          short: '1. list',
          kind: 'primary',
          url: 'https://example.org/a)b<c>"d e|f',
        },
      },
    },
    'demo/variants/tea.json': {
      ...edition,
      name: nasty,
      summary: nasty,
      zh: { name: nasty, summary: nasty },
      notes: [{ text: '- not a list', sources: ['rumour'] }],
      indicators: [
        toIndicator(
          { text: nasty },
          {
            id: 'tea-nasty',
            title: nasty,
            note: nasty,
            tests: { hit: [{ format: 'pe', content: [nasty] }], nearMiss: [{ format: 'pe', why: nasty }] },
          },
        ),
      ],
    },
  });

  it.each(languages)('shows control characters as what they are, in %s', (language) => {
    const dossier = toDossier(toVariantSubject(hostile), { language, isVerbose: true });
    const written = [toDossierText(dossier, plain), toDossierMarkdown(dossier)];
    for (const text of written) {
      expect(text).not.toMatch(/[\u001b\u202e]/);
      expect(text).not.toMatch(/^# h/m);
    }
  });

  it.each(languages)('makes no markup of a text, in %s', (language) => {
    const dossier = toDossier(toVariantSubject(hostile), { language, isVerbose: true });
    const markdown = `${toDossierMarkdown(dossier)}${toVariantsDocument(hostile, language, 'other.md')}`;
    const own = markdown.replaceAll(/<a id="[a-z-]+"><\/a>/g, '');
    expect(own).not.toMatch(/<[a-z]/i);
    expect(own).not.toMatch(/(?<!\\)\[x(?<!\\)\]/);
    expect(own).not.toMatch(/(?<!\\)\]\(javascript:/i);
    expect(own).not.toMatch(/(?<!\\)\*\*b/);
    expect(own).not.toMatch(/(?<!\\)`c/);
    expect(own).not.toMatch(/(?<!\\)\|/);
    expect(own).not.toMatch(/^\s*- - /m);
    expect(own).not.toMatch(/(?<!\()http:\/\/evil|www\.evil/);
    expect(own).toContain('](https://example.org/a%29b%3Cc%3E%22d%20e%7Cf)');
  });
});
