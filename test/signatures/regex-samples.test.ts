import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import {
  matchesEverything,
  toRegexSamples,
  tryMatchWithoutAnchor,
} from '../../src/signatures/regex-samples.ts';

describe('when texts are made from an expression', () => {
  it.each([
    'abc',
    'a(?:b|cd)+e?',
    '^[a-f0-9]{4}-\\d+\\.\\d*$',
    '(?P<name>[^/]+)/x',
    '\\bTom Word Review\\b',
    '^Skype(?:4COM|[\\x{2122}\\x{ae}]| ?\\(TM\\))?$',
    '[\\]\\\\]+[^\\n]',
    '\\pL\\p{Greek}?.',
    'a{2,3}b{0,}?c{2}',
    '港|灯',
  ])('%s matches all of them', (pattern) => {
    const samples = toRegexSamples(pattern);
    expect(samples.length).toBeGreaterThan(0);
    const regex = RE2JS.compile(pattern);
    // What is made is a guess: a boundary may not hold. Most guesses must be right.
    const right = samples.filter((sample) => regex.matcher(sample).find());
    expect(right.length * 2).toBeGreaterThan(samples.length);
  });

  it.each(['(?i)abc', '(?i:abc)', '\\Qa.b\\E'])('%s is left alone', (pattern) => {
    expect(toRegexSamples(pattern)).toEqual([]);
  });

  it('ends soon on nesting and on many alternatives', () => {
    const began = performance.now();
    expect(toRegexSamples(`${'(?:'.repeat(60)}a${')'.repeat(60)}`)).toEqual([]);
    expect(toRegexSamples('(?:a|b|c|d)'.repeat(200)).length).toBeLessThanOrEqual(64);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

describe('when an anchor is compared with what its expression matches', () => {
  it.each<readonly [string, string, boolean, string | undefined]>([
    ['id=\\d+', 'id=', false, undefined],
    ['(?:key|id)=\\d+', 'key=', false, 'id=0'],
    ['Harbour(?:Lantern)?', 'Lantern', false, 'Harbour'],
    ['HARBOUR\\d', 'harbour', true, undefined],
    ['HARBOUR\\d', 'harbour', false, 'HARBOUR0'],
    ['\\bharbour\\b', 'harbour', false, undefined],
  ])('%s with %s', (pattern, anchor, ignoresCase, expected) => {
    expect(tryMatchWithoutAnchor(pattern, anchor, ignoresCase)).toBe(expected);
  });
});

describe('when an expression asks for nothing', () => {
  it.each([
    ['.*', true],
    ['', true],
    ['[^\\n]', true],
    ['a*', true],
    ['^$', false],
    ['\\d', false],
    ['.{3}', false],
  ])('%s', (pattern, expected) => {
    expect(matchesEverything(pattern)).toBe(expected);
  });
});
