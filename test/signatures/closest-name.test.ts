import { describe, expect, it } from 'vitest';
import { toSuggestion, tryClosestName } from '../../src/signatures/closest-name.ts';

describe('when a name is misspelt', () => {
  it.each([
    ['offical', 'official'],
    ['ofifcial', 'official'],
    ['windos', 'windows'],
    ['tmo', 'tom'],
    ['tom', 'tom'],
    ['teapot', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ])('%s', (name, expected) => {
    expect(tryClosestName(name, ['official', 'windows', 'tom'])).toBe(expected);
  });

  it('suggests it in a sentence', () => {
    expect(toSuggestion('tmo', ['tom'])).toBe('; did you mean "tom"?');
    expect(toSuggestion('teapot', ['tom'])).toBe('');
  });
});
