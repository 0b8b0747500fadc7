import { describe, expect, it } from 'vitest';
import { engineTexts, rewrittenTexts } from '../../src/report/messages/engine-zh.ts';
import { listHoles, TemplateCatalogue } from '../../src/report/templates.ts';
import { listEngineTexts, listTemplates, technicalTexts } from './engine-texts.ts';

const texts = listEngineTexts();
const english = new Set(texts.map(({ template }) => template));
const catalogue = new TemplateCatalogue({ ...engineTexts, ...rewrittenTexts });

/** What stands in the holes: no part of any template. */
function fill(template: string): string {
  return template.replaceAll(/\{(\d+)!?\}/g, (_, hole: string) => `⟨${hole}⟩`);
}

describe('when the source is read for texts', () => {
  const read = (code: string): readonly string[] =>
    listTemplates('sample.ts', code).map(({ template }) => template);

  it('numbers what is put in', () => {
    expect(read('report(`has ${a} bytes at ${b.c(1)}`)')).toEqual(['has {0} bytes at {1}']);
  });

  it('joins what is joined, and writes the sides of a condition out', () => {
    expect(read("x = 'one ' + (a ? 'two' : 'three') + ` of ${b} texts`")).toEqual([
      'one two of {0} texts',
      'one three of {0} texts',
    ]);
  });

  it('finds texts inside what is put in', () => {
    expect(read("x = `a text (${a === undefined ? 'not known' : `part of ${a}`}) of it`")).toEqual([
      'a text ({0}) of it',
      'not known',
      'part of {0}',
    ]);
  });

  it('takes one word where a text is expected, and nowhere else', () => {
    expect(read("x = { title: 'script', id: 'script' }")).toEqual(['script']);
  });

  it('leaves out what no result holds', () => {
    expect(
      read(
        "import { a } from 'no text here'; throw new Error('a bug of ours'); throw new TelltaleError('usage/arguments', 'wrong use of it'); type A = 'a type of it'; const limitations = ['Not read at all.'];",
      ),
    ).toEqual([]);
  });
});

describe('when the engine speaks Chinese', () => {
  it('finds the texts of the source', () => {
    expect(texts.length).toBeGreaterThan(1200);
  });

  it('has a translation of every text', () => {
    expect(
      texts.filter(({ template }) => !(template in engineTexts) && !technicalTexts.has(template)),
    ).toEqual([]);
  });

  it('has no translation and no exception of a text that is gone', () => {
    const known = [...Object.keys(engineTexts), ...technicalTexts];
    expect(known.filter((template) => !english.has(template))).toEqual([]);
    expect(Object.keys(engineTexts).filter((template) => technicalTexts.has(template))).toEqual([]);
  });

  it('has the same holes on both sides, each once', () => {
    const wrong = Object.entries({ ...engineTexts, ...rewrittenTexts }).filter(([template, translation]) => {
      const [holes, given] = [listHoles(template), listHoles(translation)].map((list) => [...list].sort());
      return JSON.stringify(holes) !== JSON.stringify(given) || new Set(holes).size !== holes?.length;
    });
    expect(wrong).toEqual([]);
  });

  it('says nothing in English', () => {
    const wrong = Object.values({ ...engineTexts, ...rewrittenTexts }).filter(
      (translation) => !/\p{Script=Han}/u.test(translation) && /[a-z]{2} [a-z]{2}/.test(translation),
    );
    expect(wrong).toEqual([]);
  });

  it('takes no template for another', () => {
    const wrong = Object.entries({ ...engineTexts, ...rewrittenTexts }).filter(([template, translation]) => {
      const rest = template.endsWith(' ') ? '⟨rest⟩' : '';
      return catalogue.tryTranslate(fill(template) + rest) !== fill(translation) + rest;
    });
    expect(wrong).toEqual([]);
  });
});

describe('when a text is translated', () => {
  const small = new TemplateCatalogue({
    'it is {0}': '它是{0!}',
    'it is {0} of {1}': '{1} 的 {0!}',
    'a program': '程序',
    'holds "{0}", which {1}': '含有“{0}”，它{1!}',
    'ends too early': '过早结束',
    'By the {0}: ': '按 {0}：',
  });

  it('fills the holes, and translates where the translation says so', () => {
    expect(small.tryTranslate('holds "a program", which ends too early')).toBe('含有“a program”，它过早结束');
  });

  it('prefers what leaves the least to the holes', () => {
    expect(small.tryTranslate('it is a program of 3')).toBe('3 的 程序');
  });

  it('tells holes apart by what can be translated', () => {
    expect(small.tryTranslate('holds "x", which is", which ends too early')).toBe(
      '含有“x", which is”，它过早结束',
    );
  });

  it('translates each of several texts in one hole', () => {
    expect(small.tryTranslate('it is a program, x and a program')).toBe('它是程序、x、程序');
  });

  it('knows a text by its beginning', () => {
    expect(small.tryTranslate('By the list: it is a program')).toBe('按 list：它是程序');
  });

  it('knows a text that became a sentence, and two that follow each other', () => {
    expect(small.tryTranslate('It is a program.')).toBe('它是程序。');
    expect(small.tryTranslate('It is a program. Ends too early.')).toBe('它是程序。过早结束。');
  });

  it('leaves alone what it does not know', () => {
    expect(small.tryTranslate('nothing of the kind')).toBeUndefined();
    expect(small.tryTranslate('')).toBeUndefined();
  });

  it('puts nothing of a hole into the template', () => {
    expect(small.tryTranslate('it is {0!} $& {1}')).toBe('它是{0!} $& {1}');
  });

  it.each([
    ['parts of a template over and over', `holds "${'", which '.repeat(1500)}`],
    ['beginnings over and over', 'By the x: '.repeat(1500)],
    ['sentences over and over', 'Ends. '.repeat(2500)],
    ['one letter', 'i'.repeat(16_000)],
    ['more than any sentence', `it is ${' of '.repeat(300_000)}`],
  ])('takes no long time over %s', (_, text) => {
    const start = performance.now();
    for (const one of [small, catalogue]) one.tryTranslate(text);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
