import { describe, expect, it } from 'vitest';
import { checkDatabase } from '../../src/signatures/check.ts';
import type { Diagnostic } from '../../src/signatures/diagnostic.ts';
import { toSubject } from '../../src/signatures/lint.ts';
import { readDatabase } from '../../src/signatures/load.ts';
import type { Condition, IndicatorTest } from '../../src/signatures/schema.ts';
import {
  compileConditions,
  product,
  sources,
  toIndicator,
  toVariant,
  writeFolder,
} from './database-fixture.ts';

/** The diagnostics of a database of these variants, but for the source that only some of them cite. */
function checkVariants(variants: Readonly<Record<string, unknown>>): readonly Diagnostic[] {
  const files = Object.entries(variants).map(([id, content]) => [`demo/variants/${id}.json`, content]);
  const reading = readDatabase([
    writeFolder({
      'demo/product.json': product,
      'demo/sources.json': sources,
      ...Object.fromEntries(files),
    }),
  ]);
  expect(reading.problems).toEqual([]);
  return checkDatabase(reading).diagnostics.filter(({ code }) => code !== 'source/unused');
}

function check(
  when: Condition,
  hit: Partial<IndicatorTest>,
  nearMiss: Partial<IndicatorTest>,
  change: Readonly<Record<string, unknown>> = {},
): readonly Diagnostic[] {
  const tests = { hit: [{ format: 'pe', ...hit }], nearMiss: [{ format: 'pe', why: 'close', ...nearMiss }] };
  const indicator = toIndicator(when, { tests, in: ['program'], ...change });
  return checkVariants({ tom: toVariant('tom', [indicator]) });
}

const codesOf = (diagnostics: readonly Diagnostic[]): readonly string[] =>
  diagnostics.map(({ code }) => code);

describe('when indicator tests are run', () => {
  const host = { host: 'skype.tom.com' };

  it('has nothing to say when each fires where it must', () => {
    expect(check(host, { content: ['skype.tom.com'] }, { content: ['skype.tom.community'] })).toEqual([]);
    expect(check(host, { utf16: ['skype.tom.com'] }, { utf16: ['xskype.tom.com'] })).toEqual([]);
    expect(
      check({ bytes: 'fffefdfcaa17' }, { bytes: ['00fffefdfcaa17'] }, { bytes: ['fffefdfc', 'aa17'] }),
    ).toEqual([]);
  });

  it('names indicators that stay silent, and those that fire on a near miss', () => {
    const diagnostics = check(host, { content: ['skype.tom.community'] }, { content: ['skype.tom.com'] });
    expect(diagnostics.map(({ code, field, message }) => [code, field, message])).toEqual([
      ['test/hit-silent', 'indicators[0].tests.hit[0]', '"demo-indicator" does not fire on its hit 1'],
      [
        'test/near-miss-fires',
        'indicators[0].tests.nearMiss[0]',
        '"demo-indicator" fires on its near miss 1 (close)',
      ],
    ]);
  });

  it('counts the kind of artifact', () => {
    const content = ['skype.tom.com'];
    expect(codesOf(check(host, { format: 'html', content }, { format: 'html', content }))).toEqual([
      'test/hit-silent',
    ]);
  });
});

describe('when a near miss is compared with the hits', () => {
  const hit = {
    content: ['skype.tom.com'],
    facts: [{ kind: 'versionInfo', name: 'FileVersion', value: '1.2.3.4' }],
    fileName: 'Client.exe',
    bytes: ['aabbccdd'],
    sha256: 'a'.repeat(64),
  } as const satisfies Partial<IndicatorTest>;

  it.each<readonly [string, Partial<IndicatorTest>]>([
    ['a text', { content: ['my SKYPEs'] }],
    ['a name', { memberNames: ['clients.dll'] }],
    ['bytes', { bytes: ['00bbccdd'] }],
    ['a fact of the same name', { facts: [{ kind: 'versionInfo', name: 'fileversion', value: '9' }] }],
    ['a digest', { sha256: 'b'.repeat(64) }],
  ])('takes %s in common for near', (_, nearMiss) => {
    expect(check({ host: 'skype.tom.com' }, { ...hit, facts: [...hit.facts] }, nearMiss)).toEqual([]);
  });

  it.each<readonly [string, Partial<IndicatorTest>]>([
    ['nothing at all', {}],
    ['three characters', { content: ['skyline'] }],
    ['a fact of another name', { facts: [{ kind: 'versionInfo', name: 'Comments', value: '9' }] }],
    ['two bytes', { bytes: ['aabb00'] }],
  ])('warns of %s', (_, nearMiss) => {
    expect(codesOf(check({ host: 'skype.tom.com' }, { ...hit, facts: [...hit.facts] }, nearMiss))).toEqual([
      'test/near-miss-unrelated',
    ]);
  });
});

describe('when what gives one variant away also gives away another', () => {
  const content = ['skype.tom.com'];
  const tests = { hit: [{ format: 'pe', content }], nearMiss: [{ format: 'html', content }] };
  const toPair = (change: Readonly<Record<string, unknown>>): readonly Diagnostic[] =>
    checkVariants({
      tom: toVariant('tom', [toIndicator({ host: 'skype.tom.com' }, { id: 'one', tests, in: ['pe'] })]),
      filter: toVariant(
        'filter',
        [
          toIndicator(
            { all: [{ text: 'tom.com' }, { text: 'skype.' }] },
            { id: 'two', tests, in: ['pe'], ...change },
          ),
        ],
        'companion',
      ),
    });

  it('points at the indicator that fires, and at the hit', () => {
    const diagnostics = toPair({});
    expect(
      diagnostics.map(({ code, subject, related }) => [code, subject.indicator, related?.message]),
    ).toEqual([
      ['test/fires-on-other-variant', 'two', 'the hit is here'],
      ['test/fires-on-other-variant', 'one', 'the hit is here'],
    ]);
    expect(diagnostics.map(({ message }) => message)).toEqual([
      '"two" also fires on hit 1 of "one" of the variant "tom"',
      '"one" also fires on hit 1 of "two" of the variant "filter"',
    ]);
  });

  it('lets a suggestive indicator fire', () => {
    expect(toPair({ strength: 'suggestive' }).map(({ subject }) => subject.indicator)).toEqual(['one']);
  });

  it('lets an indicator fire that says why', () => {
    const allow = [{ code: 'test/fires-on-other-variant', reason: 'The filter ships with it.' }];
    expect(toPair({ allow }).map(({ subject }) => subject.indicator)).toEqual(['one']);
  });
});

describe('when conditions are looked at', () => {
  const codesOfCondition = (when: Condition): readonly string[] =>
    codesOf(check(when, {}, {}).filter(({ code }) => !code.startsWith('test/')));

  it.each<readonly [string, Condition, readonly string[]]>([
    ['four bytes', { text: 'abcd' }, ['pattern/too-short']],
    ['four characters in UTF-16 alone', { text: 'Qzkx', encodings: ['utf-16le'] }, ['pattern/too-short']],
    ['five letters', { text: 'abcde' }, ['pattern/too-common']],
    ['a word of programs', { text: 'MICROSOFT', ignoreCase: true }, ['pattern/too-common']],
    ['the start of an address', { text: 'http://' }, ['pattern/too-common']],
    ['a run of zeros', { bytes: '00'.repeat(12) }, ['pattern/too-common']],
    ['a mark of a format', { bytes: '4d5a900003000000' }, ['pattern/too-common']],
    ['a rare text', { text: 'skypetools' }, []],
    ['two together', { all: [{ text: 'Microsoft' }, { text: 'skypetools' }] }, []],
    ['one or the other', { any: [{ text: 'Microsoft' }, { text: 'skypetools' }] }, ['pattern/too-common']],
    [
      'two of three',
      { atLeast: 2, of: [{ text: 'Microsoft' }, { text: 'kernel32' }, { text: 'skypetools' }] },
      ['pattern/too-common', 'pattern/too-common'],
    ],
    [
      'a field beside it',
      { all: [{ text: 'Microsoft' }, { versionInfo: { field: 'A', is: { equals: 'b' } } }] },
      [],
    ],
    ['an exclusion', { all: [{ text: 'skypetools' }, { none: [{ text: 'Microsoft' }] }] }, []],
    [
      'a short exclusion',
      { all: [{ text: 'skypetools' }, { none: [{ text: 'abc' }] }] },
      ['pattern/too-short'],
    ],
    ['a short anchor', { regex: 'id=1\\d', anchor: 'id=1' }, ['pattern/too-short']],
    ['any text', { packageId: { matches: '.*' } }, ['pattern/matches-everything']],
    ['any value of a named fact', { fact: 'resource', name: 'TABLE/1', is: { matches: '.' } }, []],
    ['any value of any fact', { fact: 'resource', is: { matches: '.' } }, ['pattern/matches-everything']],
    ['any member', { memberName: '*.*' }, ['pattern/matches-everything']],
    ['any signer', { signer: { commonName: { matches: '.' } } }, ['pattern/matches-everything']],
    [
      'three of two',
      { atLeast: 3, of: [{ text: 'skypetools' }, { text: 'skypetoils' }] },
      ['condition/impossible'],
    ],
    [
      'itself and not itself',
      { all: [{ text: 'skypetools' }, { none: [{ text: 'skypetools' }] }] },
      ['condition/impossible'],
    ],
    [
      'itself twice in another order',
      {
        any: [
          { text: 'skypetools', wholeWord: true },
          { wholeWord: true, text: 'skypetools' },
        ],
      },
      ['condition/repeated'],
    ],
  ])('judges %s', (_, when, codes) => {
    expect(codesOfCondition(when)).toEqual(codes);
  });
});

describe('when two folders compose', () => {
  it('points at the statement that counts', () => {
    const tests = {
      hit: [{ format: 'pe', content: ['skype.tom.com'] }],
      nearMiss: [{ format: 'html', content: ['skype.tom.com'] }],
    };
    const base = writeFolder({
      'demo/product.json': product,
      'demo/sources.json': sources,
      'demo/variants/tom.json': toVariant('tom', [
        toIndicator({ text: 'abcd' }, { sources: ['paper', 'rumour'] }),
      ]),
    });
    const own = writeFolder({
      'demo/variants/tom.json': toVariant('tom', [
        toIndicator({ host: 'skype.tom.com' }, { id: 'other', in: ['pe'], tests }),
        toIndicator({ text: 'efgh' }, { in: ['pe'], tests }),
      ]),
    });
    const { diagnostics } = checkDatabase(readDatabase([base, own]));
    expect(diagnostics.map(({ code, file, field }) => [code, file, field])).toEqual([
      ['pattern/too-short', `${own}/demo/variants/tom.json`, 'indicators[1].when.text'],
      ['test/hit-silent', `${own}/demo/variants/tom.json`, 'indicators[1].tests.hit[0]'],
    ]);
  });
});

describe('when an artifact is made up', () => {
  it('has what the test says', () => {
    const subject = toSubject(
      {
        format: 'pe',
        fileName: 'a.exe',
        facts: [{ kind: 'machine', value: 'x86' }],
        memberNames: ['b.dll'],
        signer: {
          status: 'claimed',
          publisher: 'p',
          commonName: 'c',
          issuerCommonName: 'i',
          issuerOrganization: 'o',
          sha1: 's',
          sha256: 't',
        },
        sha256: 'f',
      },
      compileConditions([{ text: 'abcde' }]),
    );
    expect(subject).toMatchObject({
      formats: ['pe'],
      program: true,
      fileName: 'a.exe',
      facts: [{ kind: 'machine', value: 'x86' }],
      memberNames: ['b.dll'],
      signers: [
        {
          status: 'claimed',
          publisher: 'p',
          commonName: 'c',
          issuerCommonName: 'i',
          issuerOrganization: 'o',
          sha1: 's',
          sha256: 't',
        },
      ],
      digests: { sha256: 'f' },
    });
  });
});
