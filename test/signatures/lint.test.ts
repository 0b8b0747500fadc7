import { describe, expect, it } from 'vitest';
import { compile } from '../../src/signatures/compile.ts';
import {
  checkIndicatorTests,
  checkLiterals,
  type LintProblem,
  toSubject,
} from '../../src/signatures/lint.ts';
import { loadDatabase } from '../../src/signatures/load.ts';
import type { Condition, IndicatorTest } from '../../src/signatures/schema.ts';
import {
  compileConditions,
  loadIndicators,
  product,
  sources,
  toIndicator,
  toVariant,
  writeFolder,
} from './database-fixture.ts';

function check(
  when: Condition,
  hit: Partial<IndicatorTest>,
  nearMiss: Partial<IndicatorTest>,
): readonly LintProblem[] {
  const tests = { hit: [{ format: 'pe', ...hit }], nearMiss: [{ format: 'pe', why: 'close', ...nearMiss }] };
  return checkIndicatorTests(loadIndicators([toIndicator(when, { tests, in: ['program'] })]));
}

describe('when indicator tests are run', () => {
  const host = { host: 'skype.tom.com' };

  it('has nothing to say when each fires where it must', () => {
    expect(check(host, { content: ['skype.tom.com'] }, { content: ['skype.tom.community'] })).toEqual([]);
    expect(check(host, { utf16: ['skype.tom.com'] }, { utf16: ['xskype.tom.com'] })).toEqual([]);
    expect(check({ bytes: 'fffefdfc' }, { bytes: ['00fffefdfc'] }, { bytes: ['fffefd', 'fc'] })).toEqual([]);
  });

  it('names indicators that stay silent, and those that fire on a near miss', () => {
    const problems = check(host, { content: ['skype.tom.community'] }, { content: ['skype.tom.com'] });
    expect(problems.map(({ kind, severity, message }) => [kind, severity, message])).toEqual([
      ['silent', 'error', 'does not fire on its hit 1'],
      ['near-miss', 'error', 'fires on its near miss 1 (close)'],
    ]);
  });

  it('counts the kind of artifact', () => {
    expect(check(host, { format: 'html', content: ['skype.tom.com'] }, {}).map(({ kind }) => kind)).toEqual([
      'silent',
    ]);
  });

  it('points out what gives two variants away at once', () => {
    const tests = { hit: [{ format: 'pe', content: ['skype.tom.com'] }], nearMiss: [{ format: 'pe' }] };
    const database = loadDatabase([
      writeFolder({
        'demo/product.json': product,
        'demo/sources.json': sources,
        'demo/variants/tom.json': toVariant('tom', [toIndicator(host, { id: 'one', tests })]),
        'demo/variants/gmf.json': toVariant('gmf', [toIndicator({ text: 'tom.com' }, { id: 'two', tests })]),
        'demo/variants/filter.json': toVariant(
          'filter',
          [toIndicator({ text: 'tom.c' }, { id: 'three', tests })],
          'companion',
        ),
      }),
    ]);
    expect(
      checkIndicatorTests(database).map(({ kind, indicator, message }) => [kind, indicator, message]),
    ).toEqual([
      ['cross-fire', 'two', 'its hit 1 also fires "one" of the variant "tom"'],
      ['cross-fire', 'one', 'its hit 1 also fires "two" of the variant "gmf"'],
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

describe('when literals are short', () => {
  it('warns of each', () => {
    const short = compile(
      loadIndicators([toIndicator({ any: [{ text: 'abcd' }, { text: 'abcde' }, { fileName: 'a' }] })]),
    );
    expect(checkLiterals(short).map(({ message }) => message)).toEqual([
      '"abcd" is only 4 bytes long and will be found by chance',
    ]);
  });
});
