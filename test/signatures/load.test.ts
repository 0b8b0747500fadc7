import { describe, expect, it } from 'vitest';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { toDiagnosticLine } from '../../src/signatures/diagnostic.ts';
import { loadDatabase, readDatabase } from '../../src/signatures/load.ts';
import { toPublisherPins } from '../../src/signatures/pins.ts';
import { mutate } from '../mutation.ts';
import {
  knownBuildHeader,
  product,
  similarBuildHeader,
  sources,
  toIndicator,
  toRow,
  toSimilarRow,
  toVariant,
  writeFolder,
} from './database-fixture.ts';

const host = { host: 'skype.tom.com' };
const good = {
  'demo/product.json': product,
  'demo/sources.json': sources,
  'demo/publishers.json': {
    publishers: [
      {
        id: 'maker',
        name: 'Maker',
        commonNames: ['Maker Inc.'],
        authenticode: {
          leaves: [
            {
              subject: 'Maker Inc.',
              issuer: 'A CA',
              sha1: '1'.repeat(40),
              from: '2008-01-01',
              to: '2009-01-01',
              sources: ['paper'],
            },
          ],
          intermediates: [],
        },
      },
    ],
  },
  'demo/variants/official.json': toVariant('official', [], 'official'),
  'demo/variants/tom.json': toVariant('tom', [toIndicator(host)]),
  'demo/known-builds/windows.tsv': `${knownBuildHeader}\n${toRow()}\n`,
};

/** The problems of the good database with some files replaced; the folder's name is taken off. */
function problemsOf(changed: Readonly<Record<string, unknown>>): string[] {
  const folder = writeFolder({ ...good, ...changed });
  return readDatabase([folder]).problems.map((problem) =>
    toDiagnosticLine(problem).replaceAll(`${folder}/`, ''),
  );
}

function loadFailure(folders: readonly string[]): TelltaleError {
  try {
    loadDatabase(folders);
  } catch (error) {
    if (error instanceof TelltaleError) return error;
    throw error;
  }
  throw new Error('it loaded');
}

describe('when a database is sound', () => {
  it('loads from its root and from its product folder, with the same digest', () => {
    const folder = writeFolder(good);
    const fromRoot = loadDatabase([folder]);
    expect(fromRoot.products.map((one) => one.product.id)).toEqual(['demo']);
    expect(fromRoot.version).toBe('2026.11');
    expect(fromRoot.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(fromRoot.products[0]?.variants.map(({ id }) => id)).toEqual(['official', 'tom']);
    expect(loadDatabase([`${folder}/demo/`]).digest).toBe(fromRoot.digest);
    expect(loadDatabase([writeFolder(good)]).digest).toBe(fromRoot.digest);
  });

  it('changes its digest with every byte', () => {
    const other = {
      ...good,
      'demo/known-builds/windows.tsv': `${knownBuildHeader}\n${toRow({ note: 'x' })}\n`,
    };
    expect(loadDatabase([writeFolder(other)]).digest).not.toBe(loadDatabase([writeFolder(good)]).digest);
  });

  it('passes over what is no data', () => {
    expect(
      problemsOf({
        'demo/README.md': 'hello',
        'notes.txt': 'x',
        'demo/.hidden.json': '{',
        'empty/a.txt': '',
      }),
    ).toEqual([]);
  });

  it('names the revision of each of several products', () => {
    const zoo = { ...product, id: 'zoo', revision: '2025.01' };
    expect(
      loadDatabase([writeFolder({ ...good, 'zoo/product.json': zoo, 'zoo/sources.json': sources })]).version,
    ).toBe('demo 2026.11, zoo 2025.01');
  });
});

describe('when a file is no JSON', () => {
  it.each([
    ['{\n  "a": 1,\n}', ['demo/sources.json:3:1: expected a text in double quotes here [json/syntax]']],
    ['{\n  "sources": {\n  "a" 1 } }', ["demo/sources.json:3:7: expected ':' here [json/syntax]"]],
    ['', ['demo/sources.json:1:1: ends before the JSON value does [json/syntax]']],
    [
      '{"sources": {}} x',
      ['demo/sources.json:1:17: something stands after the end of the JSON value [json/syntax]'],
    ],
    [
      '{"sources": {},\n "sources": {}}',
      ['demo/sources.json:2:2: the key "sources" is here a second time [json/repeated-key]'],
    ],
    [
      `${'['.repeat(100)}${']'.repeat(100)}`,
      ['demo/sources.json:1:66: nested more than 64 deep [json/too-deep]'],
    ],
    [Uint8Array.of(0x7b, 0xff, 0x7d), ['demo/sources.json: the file is not UTF-8 text [json/encoding]']],
  ])('%j', (content, expected) => {
    expect(problemsOf({ 'demo/sources.json': content })).toEqual(expected);
  });
});

describe('when a file breaks the schema', () => {
  it('names file, line, column and field of everything in it', () => {
    const indicator = toIndicator(
      { host: 'Skype.TOM.com' },
      { strenght: 'strong', strength: 'weak', title: undefined },
    );
    expect(problemsOf({ 'demo/variants/tom.json': toVariant('tom', [indicator]) })).toEqual([
      'demo/variants/tom.json:14:5: indicators[0].title: is missing (string expected) [schema/missing-field]',
      'demo/variants/tom.json:17:17: indicators[0].when.host: a lower-case host name [schema/wrong-value]',
      'demo/variants/tom.json:22:19: indicators[0].strength: Invalid option: expected one of "decisive"|"strong"|"suggestive" [schema/wrong-value]',
      'demo/variants/tom.json:39:7: indicators[0].strenght: unknown field [schema/unknown-field]',
    ]);
  });

  it.each<readonly [unknown, string]>([
    [
      { hots: 'a.b' },
      ':17:15: indicators[0].when: is of none of the kinds that are allowed here [schema/unknown-condition]',
    ],
    [
      { host: 'a.b', subdomain: true },
      ':19:9: indicators[0].when.subdomain: unknown field [schema/unknown-field]',
    ],
    [
      { all: [host, { any: [{ text: '' }] }] },
      ':25:25: indicators[0].when.all[1].any[0].text: Too small: expected string to have >=1 characters [schema/wrong-value]',
    ],
    [
      { bytes: '41' },
      ':18:18: indicators[0].when.bytes: at least four bytes in lower-case hexadecimal [schema/wrong-value]',
    ],
    [
      { version: [1, -1] },
      ':20:11: indicators[0].when.version[1]: Too small: expected number to be >=0 [schema/wrong-value]',
    ],
    [
      { packageId: {} },
      ':18:22: indicators[0].when.packageId: exactly one of equals, startsWith, contains, matches [schema/wrong-value]',
    ],
  ])('%j', (when, expected) => {
    const indicator = { ...toIndicator(host), when };
    expect(problemsOf({ 'demo/variants/tom.json': toVariant('tom', [indicator]) })).toEqual([
      `demo/variants/tom.json${expected}`,
    ]);
  });

  it('lists twenty problems and counts the rest', () => {
    const indicators = Array.from({ length: 30 }, (_, index) => toIndicator(host, { id: `Bad ${index}` }));
    const error = loadFailure([
      writeFolder({ ...good, 'demo/variants/tom.json': toVariant('tom', indicators) }),
    ]);
    const lines = error.message.split('\n');
    expect(error.code).toBe('usage/database');
    expect(lines.length).toBe(21);
    expect(lines[20]).toBe('and 10 more');
  });
});

describe('when names do not agree', () => {
  it.each<readonly [Readonly<Record<string, unknown>>, readonly string[]]>([
    [
      { 'demo/product.json': { ...product, id: 'other' } },
      ['demo/product.json:2:9: id: "other" is not the name of the folder, "demo" [id/file-name]'],
    ],
    [
      { 'demo/variants/tom.json': toVariant('tomm', []) },
      ['demo/variants/tom.json:2:9: id: "tomm" is not the name of the file [id/file-name]'],
    ],
    [
      { 'demo/variants/tom.json': toVariant('tom', [toIndicator(host, { sources: ['paper', 'nobody'] })]) },
      ['demo/variants/tom.json:26:9: indicators[0].sources[1]: there is no source "nobody" [source/unknown]'],
    ],
    [
      {
        'demo/variants/tom.json': toVariant('tom', [
          toIndicator(host, { strength: 'decisive', sources: ['rumour'] }),
        ]),
      },
      [
        'demo/variants/tom.json:24:18: indicators[0].sources: a decisive indicator needs a source that a stranger can open, and these are all unresolved [source/not-openable]',
      ],
    ],
    [
      { 'demo/variants/tom.json': toVariant('tom', [toIndicator({ signer: { publisher: 'nobody' } })]) },
      [
        'demo/variants/tom.json:19:24: indicators[0].when.signer.publisher: there is no publisher "nobody" [reference/unknown-publisher]',
      ],
    ],
    [
      { 'demo/variants/tom.json': toVariant('tom', [toIndicator(host), toIndicator(host)]) },
      [
        'demo/variants/tom.json:42:13: indicators[1].id: "demo-indicator" is here a second time [id/duplicate]',
      ],
    ],
    [
      { 'demo/variants/official.json': toVariant('official', [toIndicator(host)], 'official') },
      [
        'demo/variants/tom.json:15:13: indicators[0].id: "demo-indicator" is an indicator of the variant "official" too [id/duplicate]',
      ],
    ],
    [
      { 'demo/variants/tom.json': toVariant('tom', [toIndicator(host, { id: 'official' })]) },
      [
        'demo/variants/tom.json:15:13: indicators[0].id: "official" is the id of a variant too [id/of-a-variant]',
      ],
    ],
    [
      { 'demo/variants/tom.json': { ...toVariant('tom', []), platforms: ['amiga'] } },
      [
        'demo/variants/tom.json:6:5: platforms[0]: "amiga" is no platform of the product [reference/unknown-platform]',
      ],
    ],
    [
      { 'demo/product.json': { ...product, claims: [...product.claims, ...product.claims] } },
      ['demo/product.json:35:13: claims[1].id: "demo-product-name" is here a second time [id/duplicate]'],
    ],
    [
      { 'demo/product.json': { ...product, claims: [{ ...product.claims[0], sources: ['nobody'] }] } },
      ['demo/product.json:31:9: claims[0].sources[0]: there is no source "nobody" [source/unknown]'],
    ],
  ])('case %#', (changed, expected) => {
    expect(problemsOf(changed)).toEqual(expected);
  });

  it('complains of a regular expression that is none', () => {
    const [problem] = problemsOf({
      'demo/variants/tom.json': toVariant('tom', [toIndicator({ regex: 'tom(', anchor: 'tom!' })]),
    });
    expect(problem).toMatch(
      /^demo\/variants\/tom\.json:18:18: indicators\[0\]\.when\.regex: is no regular expression of RE2: /,
    );
  });
});

describe('when a table of similar builds has faults', () => {
  const table = (...rows: readonly string[]): Readonly<Record<string, string>> => ({
    'demo/similar/windows.tsv': [similarBuildHeader, ...rows].join('\n'),
  });

  it.each<readonly [Readonly<Record<string, string>>, readonly string[]]>([
    [
      { 'demo/similar/windows.tsv': 'sha256\n' },
      [
        '1:1: header: the first line must name the columns, tabs between them: sha256 tlsh ssdeep platform variant product version fileName part size sources note [table/header]',
      ],
    ],
    [table(toSimilarRow(), 'a\tb'), ['3:1: row: has 2 columns instead of 12 [table/columns]']],
    [
      table(toSimilarRow({ sha256: 'a' })),
      ['2:1: sha256: has 64 lower-case hexadecimal digits [table/value]'],
    ],
    [
      table(toSimilarRow({ tlsh: 'a'.repeat(70) })),
      ['2:66: tlsh: must be T1 and 70 upper-case hexadecimal digits, or empty [table/value]'],
    ],
    [
      table(toSimilarRow({ ssdeep: '97:a:b' })),
      ['2:67: ssdeep: is no digest of ssdeep: blocksize:digits:digits [table/value]'],
    ],
    [
      table(toSimilarRow({ product: '', version: '', fileName: '' })),
      [
        '2:94: product: is empty [table/value]',
        '2:95: version: is empty [table/value]',
        '2:96: fileName: is empty [table/value]',
      ],
    ],
    [table(toSimilarRow({ size: '' })), ['2:113: size: is empty [table/value]']],
    [
      table(toSimilarRow({ size: '0x10' })),
      ['2:113: size: must be a number of bytes, or empty [table/value]'],
    ],
    [
      table(toSimilarRow({ size: '4095' })),
      ['2:113: size: is less than the 4096 bytes from which files are compared [table/value]'],
    ],
    [table(toSimilarRow({ sources: '' })), ['2:118: sources: at least one source is needed [source/none]']],
    [
      table(toSimilarRow({ variant: 'nobody' })),
      ['2:85: variant: "nobody" is no variant of the product [reference/unknown-variant]'],
    ],
    [
      table(toSimilarRow({ platform: 'amiga' })),
      ['2:77: platform: "amiga" is no platform of the product [reference/unknown-platform]'],
    ],
    [
      table(toSimilarRow({ sources: 'nobody' })),
      ['2:118: sources: there is no source "nobody" [source/unknown]'],
    ],
    [
      table(toSimilarRow(), toSimilarRow({ ssdeep: '96:abd:de' })),
      ['3:67: ssdeep: another line has "96:abc:de" for this digest, not "96:abd:de" [digest/conflict]'],
    ],
  ])('case %#', (changed, expected) => {
    expect(problemsOf(changed)).toEqual(expected.map((line) => `demo/similar/windows.tsv:${line}`));
  });

  it('joins the lines of several folders, and counts them in the digest', () => {
    const folders = [
      writeFolder({ ...good, ...table(toSimilarRow()) }),
      writeFolder(
        table(toSimilarRow({ sources: 'paper' }), toSimilarRow({ sha256: 'b'.repeat(64), part: '[upx]' })),
      ),
    ];
    const database = loadDatabase(folders);
    expect(database.products[0]?.similarBuilds.rows.map(({ part, sources: cited }) => [part, cited])).toEqual(
      [
        ['', ['owner/name@0123456789abcdef:a/demo.exe', 'paper']],
        ['[upx]', ['owner/name@0123456789abcdef:a/demo.exe']],
      ],
    );
    expect(database.digest).not.toBe(loadDatabase(folders.slice(0, 1)).digest);
    expect(loadDatabase([writeFolder(good)]).products[0]?.similarBuilds.rows).toEqual([]);
  });

  it('refuses another kind of file in its folder', () => {
    expect(loadFailure([writeFolder({ ...good, 'demo/similar/a.json': {} })]).message).toContain(
      'no part of a signature database has this name here',
    );
  });
});

describe('when the ledger has faults', () => {
  const ledger = (...rows: readonly string[]): Readonly<Record<string, string>> => ({
    'demo/known-builds/windows.tsv': [knownBuildHeader, ...rows].join('\n'),
  });

  it.each<readonly [Readonly<Record<string, string>>, readonly string[]]>([
    [
      { 'demo/known-builds/windows.tsv': 'digest\n' },
      [
        '1:1: header: the first line must name the columns, tabs between them: algorithm digest platform variant product version fileName size grade sources note [table/header]',
      ],
    ],
    [ledger(toRow(), 'a\tb'), ['3:1: row: has 2 columns instead of 11 [table/columns]']],
    [
      ledger(toRow({ algorithm: 'crc32' })),
      ['2:1: algorithm: "crc32" is none of sha512, sha384, sha256, sha1, md5 [table/value]'],
    ],
    [
      ledger(toRow({ digest: 'A'.repeat(64) })),
      ['2:8: digest: sha256 has 64 lower-case hexadecimal digits [table/value]'],
    ],
    [
      ledger(toRow({ algorithm: 'md5' })),
      ['2:5: digest: md5 has 32 lower-case hexadecimal digits [table/value]'],
    ],
    [ledger(toRow({ sources: '' })), ['2:114: sources: at least one source is needed [source/none]']],
    [
      ledger(toRow({ sources: 'a b/c' })),
      ['2:114: sources: "b/c" is not owner/name@commit:path, an address or a source id [table/value]'],
    ],
    [
      ledger(toRow({ size: '1k', grade: 'good' })),
      [
        '2:108: size: must be a number of bytes, or empty [table/value]',
        '2:111: grade: "good" is none of high, medium, low [table/value]',
      ],
    ],
    [
      ledger(toRow({ variant: 'nobody' })),
      ['2:81: variant: "nobody" is no variant of the product [reference/unknown-variant]'],
    ],
    [
      ledger(toRow({ platform: 'amiga' })),
      ['2:73: platform: "amiga" is no platform of the product [reference/unknown-platform]'],
    ],
    [ledger(toRow({ sources: 'nobody' })), ['2:114: sources: there is no source "nobody" [source/unknown]']],
    [
      ledger(toRow(), toRow({ version: '2.0' })),
      ['3:95: version: another line has "1.0" for this digest, not "2.0" [digest/conflict]'],
    ],
  ])('case %#', (changed, expected) => {
    expect(problemsOf(changed)).toEqual(expected.map((line) => `demo/known-builds/windows.tsv:${line}`));
  });

  it('joins the sources of lines that agree', () => {
    const folder = writeFolder({
      ...good,
      ...ledger(toRow(), '# a remark', '', `${toRow({ sources: 'paper' })}\r`),
    });
    expect(loadDatabase([folder]).products[0]?.knownBuilds.rows.map((row) => row.sources)).toEqual([
      ['owner/name@0123456789abcdef:a/path.json', 'paper'],
    ]);
  });
});

describe('when folders compose', () => {
  it("adds a person's own pin from publishers.json alone", () => {
    const own = {
      'demo/publishers.json': {
        sources: { own: { title: 'Our certificate', short: 'we', kind: 'unresolved' } },
        publishers: [
          {
            id: 'maker',
            name: 'ignored',
            commonNames: ['Maker GmbH'],
            authenticode: {
              leaves: [
                {
                  subject: 'x',
                  issuer: 'y',
                  sha256: '2'.repeat(64),
                  from: '2020-01-01',
                  to: '2021-01-01',
                  sources: ['own'],
                },
              ],
              intermediates: [],
            },
          },
        ],
      },
    };
    const base = writeFolder(good);
    const root = writeFolder(own);
    const database = loadDatabase([base, root]);
    expect(database.products[0]?.folders).toEqual([`${base}/demo`, `${root}/demo`]);
    expect(toPublisherPins(database)).toEqual({
      publishers: [
        {
          id: 'maker',
          name: 'Maker',
          commonNames: ['Maker Inc.', 'Maker GmbH'],
          leaves: [
            { sha1: '1'.repeat(40), sha256: undefined, from: '2008-01-01', to: '2009-01-01' },
            { sha1: undefined, sha256: '2'.repeat(64), from: '2020-01-01', to: '2021-01-01' },
          ],
          intermediates: [],
          appleTeams: [],
          androidCertificates: [],
          appxPublishers: [],
        },
      ],
    });
    expect(loadDatabase([base, `${root}/demo`]).digest).toBe(database.digest);
    expect(database.digest).not.toBe(loadDatabase([base]).digest);
  });

  it('appends indicators, and replaces those of the same id', () => {
    const overlay = {
      'demo/variants/tom.json': {
        ...toVariant('tom', [
          toIndicator({ host: 'a.example' }),
          toIndicator({ host: 'b.example' }, { id: 'another' }),
        ]),
        name: 'TOM again',
      },
      'demo/variants/own.json': toVariant('own', []),
      'demo/known-builds/more.tsv': `${knownBuildHeader}\n${toRow({ digest: 'b'.repeat(64), variant: 'own' })}`,
      'demo/sources.json': {
        sources: { mine: { ...sources.sources.paper, title: 'Mine' }, paper: sources.sources.paper },
      },
    };
    const [demo] = loadDatabase([writeFolder(good), writeFolder(overlay)]).products;
    expect(demo?.variants.map(({ id, name }) => [id, name])).toEqual([
      ['official', 'official'],
      ['own', 'own'],
      ['tom', 'TOM again'],
    ]);
    expect(demo?.variants[2]?.indicators.map(({ id, when }) => [id, when])).toEqual([
      ['demo-indicator', { host: 'a.example' }],
      ['another', { host: 'b.example' }],
    ]);
    expect(demo?.knownBuilds.rows.length).toBe(2);
    expect([...(demo?.sources.keys() ?? [])]).toEqual(['paper', 'rumour', 'mine']);
  });

  it('adds claims and scopes of a later product file, and keeps the frame of the first', () => {
    const claim = { ...product.claims[0], id: 'extra' };
    const scope = { id: 'stub', title: 'stub', when: host, in: ['pe'], note: 'A stub.', sources: ['paper'] };
    const overlay = {
      'demo/product.json': {
        ...product,
        name: 'Ignored',
        revision: '2030.01',
        claims: [claim],
        scopes: [scope],
        names: ['demo*.exe'],
      },
    };
    const [demo] = loadDatabase([writeFolder(good), writeFolder(overlay)]).products;
    expect(demo?.product).toMatchObject({ name: 'Demo', revision: '2026.11', names: ['demo*.exe'] });
    expect(demo?.product.claims.map(({ id }) => id)).toEqual(['demo-product-name', 'extra']);
    expect(demo?.product.scopes?.map(({ id }) => id)).toEqual(['stub']);
  });

  it('refuses one source id for two sources', () => {
    const base = writeFolder(good);
    const other = writeFolder({
      'demo/sources.json': { sources: { paper: { ...sources.sources.paper, title: 'Another' } } },
    });
    expect(loadFailure([base, other]).message).toBe(
      `${other}/demo/sources.json:3:5: sources.paper: "paper" is another source in a folder before this one [source/conflict]`,
    );
  });

  it('refuses a product without a product file', () => {
    const folder = writeFolder({ 'demo/sources.json': sources });
    expect(loadFailure([folder]).message).toBe(
      `${folder}/demo: no folder has a product.json for "demo" [database/no-product]`,
    );
  });
});

describe('when a folder is no database', () => {
  it('says so', () => {
    const empty = writeFolder({ 'readme.txt': '' });
    expect(loadFailure([empty]).message).toContain('holds no signature database');
    expect(loadFailure([`${empty}/nowhere`]).message).toContain('does not exist');
    expect(loadFailure([`${empty}/readme.txt`]).message).toContain('is neither a folder nor a pack');
    expect(loadFailure([]).message).toContain('no database was given');
  });

  it('refuses data under a name that counts for nothing', () => {
    expect(loadFailure([writeFolder({ ...good, 'demo/publisher.json': {} })]).message).toContain(
      'publisher.json: no part of a signature database has this name here',
    );
    expect(loadFailure([writeFolder({ ...good, 'demo/known-builds/a.json': {} })]).message).toContain(
      'a.json: no part',
    );
  });
});

describe('when files are damaged', () => {
  it('answers every one of 2,000 damaged variant files and ledgers with problems or a database', () => {
    const encoder = new TextEncoder();
    const variant = encoder.encode(
      JSON.stringify(toVariant('tom', [toIndicator({ all: [host, { version: [1, null] }] })]), null, 1),
    );
    const ledger = encoder.encode(`${knownBuildHeader}\n${toRow()}\n${toRow({ digest: 'c'.repeat(64) })}\n`);
    let sound = 0;
    let slowest = 0;
    for (const [seed, name] of [
      [variant, 'demo/variants/tom.json'],
      [ledger, 'demo/known-builds/windows.tsv'],
    ] as const) {
      for (const { bytes, description } of mutate(seed, 1000, 5)) {
        const began = performance.now();
        const { database, problems } = readDatabase([
          writeFolder({
            'demo/product.json': product,
            'demo/sources.json': sources,
            'demo/variants/official.json': good['demo/variants/official.json'],
            [name]: bytes,
          }),
        ]);
        slowest = Math.max(slowest, performance.now() - began);
        expect(database === undefined, description).toBe(problems.length > 0);
        for (const problem of problems) expect(problem.line ?? 1, description).toBeGreaterThan(0);
        if (database !== undefined) sound += 1;
      }
    }
    expect(sound).toBeLessThan(2000);
    expect(slowest).toBeLessThan(2000);
  });
});
