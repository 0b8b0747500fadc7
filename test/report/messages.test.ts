import { describe, expect, it } from 'vitest';
import { messages } from '../../src/report/messages/index.ts';

/** Texts of a catalogue by their place; sentences with something in them are left to the tests of their reports. */
function listTexts(value: unknown, place: string): readonly (readonly [string, string])[] {
  if (typeof value === 'string') return [[place, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => listTexts(inner, `${place}.${name}`));
}

describe('when messages are written in a language', () => {
  const english = new Map(listTexts(messages.en, ''));
  const chinese = new Map(listTexts(messages.zh, ''));

  it('has the same texts in each', () => {
    expect(english.size).toBeGreaterThan(80);
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it('has no empty one, and no English in the Chinese', () => {
    // The link to the other page is in the language of that page.
    const foreign = new Set(['.explain.document.otherLanguage']);
    // A name that is the same everywhere.
    const names = new Set(['.explain.fixtureParts.sha256']);
    for (const [place, text] of chinese) {
      if (foreign.has(place) || names.has(place)) continue;
      expect(text, place).toMatch(/\p{Script=Han}/u);
    }
    for (const [place, text] of english) {
      if (foreign.has(place)) continue;
      expect(text, place).toMatch(/^[\x20-\x7e]+$/);
    }
  });

  it('counts one as one', () => {
    const { explain } = messages.en;
    expect(explain.fixtures(1, 1)).toBe('fires on 1 made-up hit, stays silent on 1 near miss');
    expect(explain.fixtures(2, 3)).toBe('fires on 2 made-up hits, stays silent on 3 near misses');
    expect(explain.seenInRealFiles(0, 1)).toBe(
      '0 of 1 indicator seen in a real file; tested on made-up files only',
    );
    expect(explain.seenInRealFiles(2, 2)).toBe('2 of 2 indicators seen in a real file');
  });

  it.each(['en', 'zh'] as const)('says years that are open at either end, in %s', (language) => {
    const { years } = messages[language].explain;
    const said = [years(2004, 2013), years(2004, 2004), years(2004, undefined), years(undefined, 2013)];
    expect(said).toEqual(
      language === 'en'
        ? ['2004 to 2013', '2004', 'from 2004', 'until 2013']
        : ['2004 年至 2013 年', '2004 年', '自 2004 年起', '至 2013 年'],
    );
  });
});
