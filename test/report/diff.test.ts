import { Ajv2020 } from 'ajv/dist/2020.js';
import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { buildPlainSkype, buildSkypeLike, buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { toDiffHtml } from '../../src/report/diff-html.ts';
import { type DiffReport, toDiffJson } from '../../src/report/diff-model.ts';
import { toDiffText } from '../../src/report/diff-text.ts';
import { compareBytes, type Contents } from '../diff/compare-bytes.ts';

const options = { colour: new Chalk({ level: 0 }), columns: 100, isVerbose: false };

async function report(
  before: readonly [string, Contents],
  after: readonly [string, Contents],
): Promise<DiffReport> {
  return {
    schema: 'telltale/diff/1',
    tool: { name: 'telltale', version: '0.0.0' },
    database: {
      products: [{ id: 'skype', name: 'Skype', revision: 'R' }],
      digest: '0'.repeat(64),
      usesKnownBuilds: true,
    },
    ...(await compareBytes(before, after)),
  };
}

const zip = (entries: Readonly<Record<string, Uint8Array | string>>): Uint8Array =>
  buildZip({ entries: Object.entries(entries).map(([name, data]) => ({ name, data })) });

const official = buildSkypeLike({ version: '5.1.0.112', texts: ['http://ui.skype.com/ui/0/5.1.0.112/'] });
const evil = '<script>alert(1)</script>\u202e\u001b[2J"\'';
const hostile = (): Promise<DiffReport> =>
  report(
    ['a.zip', zip({ [`${evil}.txt`]: `a text ${evil}\n`, [`old${evil}`]: 'it stays', 'x.exe': official })],
    [
      'a.zip',
      zip({
        [`${evil}.txt`]: `new text ${evil}\n`,
        [`new${evil}`]: 'it stays',
        'x.exe': buildTomSkype({ texts: [`http://${evil}.example/`] }),
      }),
    ],
  );

describe('when a comparison is written as text', () => {
  it('begins with what the two are and the sum', async () => {
    const text = toDiffText(
      await report(
        [
          'a.zip',
          zip({ 'one.txt': 'it stays here', 'two.txt': 'it was so', 'three.txt': 'under the old name' }),
        ],
        [
          'a.zip',
          zip({
            'one.txt': 'it stays here',
            'two.txt': 'it is now',
            'drei.txt': 'under the old name',
            'new.txt': '12345',
          }),
        ],
      ),
      { ...options, columns: 400 },
    );
    expect(text.split('\n')[0]).toMatch(
      /a\.zip → .*a\.zip: 5 members: 1 same, 2 changed, 1 renamed, 1 added$/,
    );
    expect(text).toMatch(/~ changed +two\.txt\n/);
    expect(text).toMatch(/> renamed +three\.txt {2}→ {2}drei\.txt\n/);
    expect(text).toMatch(/\+ added +new\.txt\n/);
    expect(text).not.toMatch(/one\.txt/);
    expect(text).toMatch(/ the two differ {4}telltale 0\.0\.0, skype R\n$/);
  });

  it('says of a patch what was where', async () => {
    const patched = official.slice();
    const at = Buffer.from(official).indexOf('http://ui.skype.com');
    patched.set(Buffer.from('ABCDEFGHIJKL'), at);
    const text = toDiffText(await report(['a.exe', official], ['a.exe', patched]), {
      ...options,
      columns: 300,
    });
    const old = Buffer.from('http://ui.sk').toString('hex');
    const now = Buffer.from('ABCDEFGHIJKL').toString('hex');
    expect(text).toMatch(
      new RegExp(`12 bytes at \\.data\\+0x[0-9a-f]+ \\(0x[0-9a-f]+\\): ${old} → ${now}\n`),
    );
  });

  it('shows telltales with place, carrier and source', async () => {
    const text = toDiffText(await report(['a.exe', official], ['b.exe', buildTomSkype()]), options);
    expect(text).toMatch(
      /\+ decisive +host skypetools\.tom\.com[\s\S]*b\.exe » \.data\+0x[\s\S]*carried by[\s\S]*Villeneuve 2006/,
    );
    expect(text).toMatch(/addresses +- "http:\/\/ui\.skype\.com/);
  });

  it('cuts long lists, and shows all when asked', async () => {
    const lines = (word: string): string =>
      Array.from({ length: 60 }, (_, at) => `${word} line ${at}`).join('\n');
    const long = await report(['a.txt', lines('first')], ['a.txt', lines('second')]);
    expect(toDiffText(long, options)).toMatch(/and 56 more \(-v shows all\)/);
    const whole = toDiffText(long, { ...options, isVerbose: true });
    expect(whole).toContain('second line 59');
    expect(whole).not.toMatch(/-v shows all/);
  });

  it('tells what was added as a whole in one place', async () => {
    const inner = zip({ 'a.txt': 'first text', 'b.txt': 'other text' });
    const text = toDiffText(
      await report(['a.zip', zip({ x: '1' })], ['a.zip', zip({ x: '1', 'in.zip': inner })]),
      options,
    );
    expect(text).toMatch(/\+ added +in\.zip {2}and 2 members in it\n/);
    expect(text).not.toMatch(/b\.txt/);
  });
});

describe('when names and strings are hostile', () => {
  it.each([
    ['text', (one: DiffReport) => toDiffText(one, { ...options, isVerbose: true })],
    ['json', toDiffJson],
    ['html', (one: DiffReport) => toDiffHtml(one, { isVerbose: true })],
  ])('lets nothing unprintable through as %s', async (_, write) => {
    const written = write(await hostile());
    // oxlint-disable-next-line no-control-regex
    expect(written).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(written).toMatch(/202e/);
  });

  it('lets no markup through as html', async () => {
    const page = toDiffHtml(await hostile(), { isVerbose: false });
    expect(page).not.toMatch(/<script/i);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    const tags = new Set([...page.matchAll(/<\/?([a-z][a-z\d]*)/gi)].map((match) => match[1]));
    expect([...tags].sort()).toEqual(
      [...tags]
        .filter((tag) =>
          'a body br code dd details div dl dt footer h1 h2 h3 head html li main meta p section span strong style summary title ul'
            .split(' ')
            .includes(tag ?? ''),
        )
        .sort(),
    );
  });
});

describe('when a comparison is written as html', () => {
  it('shows the same facts as the text, and sources as links', async () => {
    const page = toDiffHtml(await report(['a.exe', official], ['b.exe', buildTomSkype()]), {
      isVerbose: false,
    });
    expect(page).toMatch(/Telltales that came[\s\S]*host skypetools\.tom\.com[\s\S]*carried by/);
    expect(page).toMatch(/<a href="https?:\/\/[^"]+" rel="noreferrer noopener nofollow">/);
    expect(page).toMatch(/<dt>version info<\/dt>/);
    expect(page.match(/<section/g)?.length).toBe(page.match(/<\/section>/g)?.length);
    expect(page.match(/<ul/g)?.length).toBe(page.match(/<\/ul>/g)?.length);
  });
});

describe('when a comparison is written as JSON', () => {
  it('follows the published schema', async () => {
    const schema: unknown = JSON.parse(
      readFileSync(new URL('../../schemas/diff.json', import.meta.url), 'utf8'),
    );
    if (typeof schema !== 'object' || schema === null) throw new Error('no schema');
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    const reports = [
      await hostile(),
      await report(['a.exe', official], ['b.exe', buildTomSkype()]),
      await report(['f', { 'a.exe': official, 'b.txt': '' }], ['g', { 'c.exe': buildPlainSkype() }]),
      await report(
        ['a.zip', zip({ x: 'one' })],
        ['a.zip', buildZip({ entries: [{ name: 'x', data: 'x'.repeat(40), flags: 1 }] })],
      ),
    ];
    for (const one of reports) {
      validate(JSON.parse(toDiffJson(one)));
      expect(validate.errors ?? []).toEqual([]);
    }
    expect(validate({ schema: 'telltale/diff/1' })).toBe(false);
  });
});
