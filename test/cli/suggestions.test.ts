import { describe, expect, it } from 'vitest';
import { listSuggestions } from '../../src/cli/suggestions.ts';

const candidates = [
  { id: 'official', names: ['Skype, international build'] },
  { id: 'gmf', names: ['GMF-Skype', '光明方正版 Skype'] },
  { id: 'tom', names: ['TOM-Skype'] },
  { id: 'tom-path-keyfile-u', names: [] },
  { id: 'villeneuve-2006', names: ['Villeneuve 2006'] },
];

describe('when a word is mistyped', () => {
  it.each([
    ['oficial', ['official']],
    ['offical', ['official']],
    ['offciial', ['official']],
    ['tmo', ['tom']],
    ['TOM', ['tom', 'tom-path-keyfile-u']],
    ['villeneuve', ['villeneuve-2006']],
    ['keyfile', ['tom-path-keyfile-u']],
    ['光明方正', ['gmf']],
    ['international', ['official']],
    ['nothing-like-it', []],
    ['', []],
  ])('"%s" means %j', (word, ids) => {
    expect(listSuggestions(word, candidates)).toEqual(ids);
  });

  it('counts a swap of neighbours as one letter, and puts the nearest first', () => {
    expect(
      listSuggestions('abcd', [
        { id: 'abxd', names: [] },
        { id: 'abdc', names: [] },
      ]),
    ).toEqual(['abdc', 'abxd']);
    expect(listSuggestions('ab', [{ id: 'ba', names: [] }])).toEqual(['ba']);
  });

  it('gives no more than asked for, and each once', () => {
    const many = Array.from({ length: 20 }, (_, index) => ({ id: `item-${index}`, names: ['Item'] }));
    expect(listSuggestions('item', many, 3)).toHaveLength(3);
    expect(listSuggestions('tom', [...candidates, ...candidates], 9)).toEqual(['tom', 'tom-path-keyfile-u']);
  });

  it('takes a word without end in its stride', () => {
    expect(listSuggestions('x'.repeat(1_000_000), candidates)).toEqual([]);
  });
});
