import { describe, expect, it } from 'vitest';
import { compile, encodeText } from '../../src/signatures/compile.ts';
import { evaluate, type Evidence, type Subject, tryParseVersion } from '../../src/signatures/evaluate.ts';
import { Hits, Matcher } from '../../src/signatures/match.ts';
import type { Condition } from '../../src/signatures/schema.ts';
import { createRandom } from '../mutation.ts';
import { compileConditions, loadIndicators, toIndicator } from './database-fixture.ts';

const nothing: Subject = {
  formats: ['pe'],
  program: true,
  fileName: 'file.exe',
  facts: [],
  hits: new Hits(),
  memberNames: [],
  signers: [],
  digests: {},
};

/** The evidence of a condition; undefined when it does not hold. */
function tryCondition(
  condition: Condition,
  subject: Partial<Subject> & { readonly content?: string },
  artifacts: readonly string[] = ['any'],
): readonly Evidence[] | undefined {
  const compiled = compileConditions([condition], artifacts);
  const matcher = new Matcher(compiled);
  matcher.update(encodeText(subject.content ?? '', 'ascii'));
  return evaluate(compiled, { ...nothing, ...subject, hits: matcher.finish() }).indicators[0]?.evidence;
}

const holds: readonly Condition[] = [{ text: 'yes!' }, { fileName: 'file.exe' }];
const fails: Condition = { text: 'no!!' };
const pinned = {
  status: 'pinned' as const,
  publisher: 'skype',
  commonName: 'Skype Technologies SA',
  issuerCommonName: 'VeriSign',
  issuerOrganization: 'VeriSign, Inc.',
  sha1: 'a'.repeat(40),
  sha256: 'b'.repeat(64),
};

/** Kind of condition, the condition, what it holds for, and a near miss. */
const cases: readonly (readonly [
  string,
  Condition,
  Parameters<typeof tryCondition>[1],
  Parameters<typeof tryCondition>[1],
])[] = [
  ['text', { text: 'TOM-Skype' }, { content: 'a TOM-Skype' }, { content: 'TOM Skype' }],
  ['host', { host: 'skype.tom.com' }, { content: '//skype.tom.com/' }, { content: '//xskype.tom.com/' }],
  ['bytes', { bytes: '41424344' }, { content: 'ABCD' }, { content: 'ABC' }],
  ['regex', { regex: 'ver=\\d', anchor: 'ver=' }, { content: 'ver=5' }, { content: 'ver=x' }],
  [
    'fileName',
    { fileName: 'Tom-*.exe' },
    { fileName: 'C:\\tom-SkypeSetup.EXE' },
    { fileName: 'Tom-Skype.exe.txt' },
  ],
  [
    'memberName',
    { memberName: 'contentfilter.exe' },
    { memberNames: ['{app}\\ContentFilter.exe'] },
    { memberNames: ['ContentFilter.exe.bak'] },
  ],
  [
    'memberName with a folder',
    { memberName: '*/phone/a.exe' },
    { memberNames: ['{app}\\Phone\\A.exe'] },
    { memberNames: ['A.exe'] },
  ],
  [
    'versionInfo',
    { versionInfo: { field: 'CompanyName', is: { startsWith: 'tom online' } } },
    { facts: [{ kind: 'versionInfo', name: 'companyname', value: ' TOM Online Inc. ' }] },
    { facts: [{ kind: 'versionInfo', name: 'ProductName', value: 'Tom Online' }] },
  ],
  [
    'version',
    { version: [{ min: 4, max: 5 }, null, 4] },
    { facts: [{ kind: 'fileVersion', value: '5.1.4.98' }] },
    { facts: [{ kind: 'fileVersion', value: '5.1.0.98' }] },
  ],
  [
    'packageId',
    { packageId: { equals: 'com.skype.rover' } },
    { facts: [{ kind: 'packageId', value: 'com.skype.rover' }] },
    { facts: [{ kind: 'packageId', value: 'com.skype.rover2' }] },
  ],
  [
    'bundleId',
    { bundleId: { equals: ['a', 'com.skype.tomskype'] } },
    { facts: [{ kind: 'bundleId', value: 'com.skype.TOMskype' }] },
    { facts: [{ kind: 'packageId', value: 'com.skype.tomskype' }] },
  ],
  [
    'msiProperty',
    { msiProperty: { name: 'PartnerCode', is: { contains: '59' } } },
    { facts: [{ kind: 'msiProperty', name: 'PartnerCode', value: 'x59' }] },
    { facts: [{ kind: 'msiProperty', name: 'partnercode', value: 'x59' }] },
  ],
  [
    'fact',
    { fact: 'packer', is: { matches: '^up.$', exact: true } },
    { facts: [{ kind: 'packer', value: 'upX' }] },
    { facts: [{ kind: 'packer', value: 'UPX' }] },
  ],
  [
    'signer',
    {
      signer: {
        status: 'pinned',
        commonName: { contains: 'skype' },
        issuerOrganization: { equals: 'VeriSign, Inc.' },
      },
    },
    { signers: [pinned] },
    { signers: [{ ...pinned, status: 'claimed' }] },
  ],
  [
    'signer by fingerprint',
    { signer: { sha1: 'a'.repeat(40), sha256: 'b'.repeat(64) } },
    { signers: [pinned] },
    { signers: [{ ...pinned, sha1: 'c'.repeat(40) }] },
  ],
  [
    'signer by issuer',
    { signer: { issuerCommonName: { equals: 'verisign' } } },
    { signers: [pinned] },
    { signers: [{ status: 'other', commonName: 'x' }] },
  ],
  [
    'digest',
    { digest: ['a'.repeat(64)] },
    { digests: { sha256: 'a'.repeat(64) } },
    { digests: { sha512: 'a'.repeat(64) } },
  ],
  ['all', { all: holds }, { content: 'yes!' }, { content: 'yes!', fileName: 'other.exe' }],
  ['any', { any: [fails, ...holds] }, { content: 'yes!', fileName: '' }, { content: '', fileName: '' }],
  ['none', { none: [fails] }, {}, { content: 'no!!' }],
  ['atLeast', { atLeast: 2, of: [...holds, fails] }, { content: 'yes!' }, { content: 'yes!', fileName: '' }],
];

describe('when a condition is evaluated', () => {
  it.each(cases)('%s holds for its hit and not for its near miss', (_, condition, hit, nearMiss) => {
    expect(tryCondition(condition, hit)).toBeDefined();
    expect(tryCondition(condition, nearMiss)).toBeUndefined();
  });

  it('needs all of a signer condition from the same signature', () => {
    const two = [pinned, { ...pinned, status: 'other' as const, commonName: 'Tom Online' }];
    expect(
      tryCondition({ signer: { status: 'pinned', commonName: { equals: 'Tom Online' } } }, { signers: two }),
    ).toBeUndefined();
  });

  it('gives no evidence for what is not there', () => {
    expect(tryCondition({ none: [fails] }, {})).toEqual([]);
  });

  it('says what was found, where, and how often', () => {
    expect(tryCondition({ host: 'skype.tom.com' }, { content: 'ab skype.tom.com skype.tom.com' })).toEqual([
      {
        kind: 'host',
        offset: 3,
        length: 13,
        encoding: 'ascii',
        bytes: encodeText('ab skype.tom.com skype.tom.com', 'ascii'),
        bytesBefore: 3,
        count: 2,
        furtherOffsets: [17],
        text: 'host skype.tom.com',
      },
    ]);
    expect(tryCondition({ memberName: '*filter.exe' }, { memberNames: ['{app}/ContentFilter.exe'] })).toEqual(
      [{ kind: 'memberName', text: 'contains {app}/ContentFilter.exe' }],
    );
  });

  it('cuts long values of a file in its text', () => {
    const [evidence] =
      tryCondition(
        { versionInfo: { field: 'Comments', is: { contains: 'x' } } },
        {
          facts: [
            { kind: 'versionInfo', name: 'Comments', value: 'x'.repeat(5000), region: '.rsrc', offset: 7 },
          ],
        },
      ) ?? [];
    expect(evidence).toMatchObject({ kind: 'versionInfo', region: '.rsrc', offset: 7 });
    expect(evidence?.text.length).toBe(210);
  });
});

describe('when versions are compared', () => {
  const anyVersion: Condition = { version: [5, null, 4, null] };
  const inBlock = (value: string, name = 'FileVersion'): Partial<Subject> => ({
    facts: [{ kind: 'versionInfo', name, value }],
  });

  it('compares components as numbers', () => {
    expect(tryParseVersion('1, 0, 36, 0')).toEqual([1, 0, 36, 0]);
    expect(tryParseVersion(' 6.3.0.105 (release 2)')).toEqual([6, 3, 0, 105]);
    expect(tryParseVersion('v8.10')).toEqual([8, 10]);
    expect(tryParseVersion('Skype 5')).toBeUndefined();
    expect(tryParseVersion('')).toBeUndefined();
  });

  it('reads the fields of the version block too', () => {
    expect(tryCondition(anyVersion, inBlock('5, 1, 04, 98'))).toMatchObject([
      { kind: 'version', text: 'version 5.1.4.98' },
    ]);
    expect(tryCondition(anyVersion, inBlock('5.1.4.98', 'PRODUCTVERSION'))).toBeDefined();
    expect(tryCondition(anyVersion, inBlock('5.1.4.98', 'versionName'))).toBeDefined();
    expect(tryCondition(anyVersion, inBlock('5.1.4.98', 'Comments'))).toBeUndefined();
  });

  it('does not take a missing component for zero', () => {
    expect(tryCondition({ version: [5, 1, 0] }, inBlock('5.1'))).toBeUndefined();
    expect(tryCondition({ version: [5, 1, null] }, inBlock('5.1'))).toBeDefined();
  });
});

describe('when a statement is about some artifacts only', () => {
  const condition: Condition = { fileName: 'file.exe' };

  it.each([
    [['any'], { formats: ['html'], program: false }, true],
    [['program'], { formats: ['script'], program: true }, true],
    [['program'], { formats: ['html'], program: false }, false],
    [['pe', 'dex'], { formats: ['dex'], program: false }, true],
    [['pe'], { formats: ['blob', 'pe'], program: false }, true],
    [['pe'], { formats: ['elf'], program: true }, false],
  ])('in %j: %j', (artifacts, subject, expected) => {
    expect(tryCondition(condition, subject, artifacts) !== undefined).toBe(expected);
  });
});

describe('when several indicators match', () => {
  it('lists them by strength and id, with the kinds of facts that they rest on', () => {
    const compiled = compile(
      loadIndicators([
        toIndicator({ fileName: '*.exe' }, { id: 'a-name', strength: 'suggestive' }),
        toIndicator(
          { all: [{ version: [5] }, { fact: 'bundleId', is: { contains: 'x' } }] },
          { id: 'c-version' },
        ),
        toIndicator({ fileName: 'file.*' }, { id: 'b-name' }),
        toIndicator({ digest: ['a'.repeat(64)] }, { id: 'z-digest', strength: 'decisive' }),
      ]),
    );
    const { indicators, claims, scopes } = evaluate(compiled, {
      ...nothing,
      digests: { sha256: 'a'.repeat(64) },
      facts: [
        { kind: 'fileVersion', value: '5.0' },
        { kind: 'bundleId', value: 'xyz' },
        { kind: 'versionInfo', name: 'ProductName', value: 'Demo' },
      ],
    });
    expect(indicators.map(({ indicator, kinds, product }) => [product, indicator.id, [...kinds]])).toEqual([
      ['demo', 'z-digest', ['digest']],
      ['demo', 'b-name', ['name']],
      ['demo', 'c-version', ['version', 'identity']],
      ['demo', 'a-name', ['name']],
    ]);
    expect(claims.map(({ claim, product }) => [product, claim.id])).toEqual([['demo', 'demo-product-name']]);
    expect(scopes).toEqual([]);
  });
});

describe('when conditions ask for the same literal', () => {
  it('looks for it once', () => {
    const compiled = compileConditions([
      { host: 'skype.tom.com' },
      { any: [{ host: 'skype.tom.com' }, { text: 'SKYPE.TOM.COM' }] },
    ]);
    expect(compiled.probes.length).toBe(4);
    expect(compiled.patterns.length).toBe(2);
  });
});

describe('when statements are left out that ask for bytes that are not there', () => {
  const texts = ['alpha', 'bravo', 'carol', 'delta'];

  /** A condition, and whether it holds for a file of that content, worked out without the database. */
  function grow(
    random: (bound: number) => number,
    depth: number,
  ): { readonly condition: Condition; holds(content: string): boolean } {
    const kind = depth === 0 ? random(2) : random(6);
    if (kind === 0) {
      const text = texts[random(texts.length)] ?? '';
      return { condition: { text }, holds: (content) => content.includes(text) };
    }
    if (kind === 1) {
      const isName = random(2) === 0;
      return { condition: { fileName: isName ? 'file.exe' : 'other.exe' }, holds: () => isName };
    }
    const of = Array.from({ length: 1 + random(3) }, () => grow(random, depth - 1));
    const conditions = of.map(({ condition }) => condition);
    const count = (content: string): number => of.filter((one) => one.holds(content)).length;
    if (kind === 2)
      return { condition: { all: conditions }, holds: (content) => count(content) === of.length };
    if (kind === 3) return { condition: { any: conditions }, holds: (content) => count(content) > 0 };
    // A condition that holds when nothing is found needs something that is.
    if (kind === 4) {
      const first = grow(random, 0);
      return {
        condition: { all: [first.condition, { none: conditions }] },
        holds: (content) => first.holds(content) && count(content) === 0,
      };
    }
    const least = 1 + random(of.length);
    return {
      condition: { atLeast: least, of: conditions },
      holds: (content) => count(content) >= least,
    };
  }

  it('holds what holds and nothing else, for conditions of every shape', () => {
    const random = createRandom(17);
    let held = 0;
    for (let round = 0; round < 40; round += 1) {
      const grown = Array.from({ length: 12 }, () => grow(random, 3));
      const compiled = compileConditions(grown.map(({ condition }) => condition));
      for (const chosen of [[], [0], [1, 2], [0, 1, 2, 3]]) {
        const content = chosen.map((index) => `<${texts[index] ?? ''}>`).join(' ');
        const matcher = new Matcher(compiled);
        matcher.update(encodeText(content, 'ascii'));
        const found = evaluate(compiled, { ...nothing, hits: matcher.finish() }).indicators;
        const expected = grown.flatMap((one, index) => (one.holds(content) ? [`i${index}`] : []));
        held += expected.length;
        expect(found.map(({ indicator }) => indicator.id).sort()).toEqual(expected.sort());
      }
    }
    expect(held).toBeGreaterThan(300);
  });
});
