import { describe, expect, it } from 'vitest';
import { shippedDatabase } from '../../src/platform/shipped.ts';
import { loadDatabase } from '../../src/signatures/load.ts';
import { listMissingTranslations, localize } from '../../src/signatures/translations.ts';
import { product, sources, toIndicator, toVariant, writeFolder } from './database-fixture.ts';

interface Pair {
  readonly place: string;
  readonly english: string | undefined;
  readonly chinese: string;
}

/** Every translation below a value, beside the text that it translates. */
function listPairs(value: unknown, place: string): readonly Pair[] {
  if (typeof value !== 'object' || value === null) return [];
  const fields = new Map<string, unknown>(Object.entries(value));
  const zh = fields.get('zh');
  const own = Object.entries(zh ?? {}).map(([field, chinese]) => {
    const english = fields.get(field);
    return {
      place: `${place}.${field}`,
      english: typeof english === 'string' ? english : undefined,
      chinese: String(chinese),
    };
  });
  return [
    ...own,
    ...[...fields]
      .filter(([name]) => name !== 'zh')
      .flatMap(([name, inner]) => listPairs(inner, `${place}.${name}`)),
  ];
}

/**
 * What must stand in a translation as it is: numbers, and words that no dictionary has, such as hosts, paths, file
 * names, ids and names in capitals.
 */
function listIdentifiers(text: string): readonly string[] {
  const words = text.match(/[\w.\\/*%&=?:@$#-]+/g) ?? [];
  const identifiers = words
    .map((word) => word.replace(/[.:,?]+$/, ''))
    .filter(
      (word) =>
        /[\d_\\/*%=]|\w\.\w|^\.\w/.test(word) || /[a-z\d][A-Z]|[A-Z]{2}/.test(word) || /-[A-Z]/.test(word),
    );
  // "1,455" is one number.
  return [...identifiers, ...(text.match(/\d+(?:,\d{3})+/g) ?? [])];
}

const database = loadDatabase([shippedDatabase]);
const pairs = database.products.flatMap(({ product: own, variants }) => [
  ...listPairs(own, 'product'),
  ...variants.flatMap((variant) => listPairs(variant, variant.id)),
]);

describe('when the database that ships is read in Chinese', () => {
  it('has a translation of every text', () => {
    expect(database.products.flatMap(listMissingTranslations)).toEqual([]);
    expect(pairs.length).toBeGreaterThan(300);
  });

  it('translates no text that is not there', () => {
    expect(pairs.filter(({ english }) => english === undefined)).toEqual([]);
  });

  it('is written in Chinese characters', () => {
    expect(pairs.filter(({ chinese }) => !/\p{Script=Han}/u.test(chinese))).toEqual([]);
  });

  it('keeps every number and identifier as it is', () => {
    const changed = pairs.flatMap(({ place, english = '', chinese }) =>
      listIdentifiers(english)
        .filter((identifier) => !chinese.includes(identifier))
        .map((identifier) => `${place}: ${identifier}`),
    );
    expect(changed).toEqual([]);
  });

  it('adds no host, path, file name or version', () => {
    const added = pairs.flatMap(({ place, english = '', chinese }) =>
      (chinese.match(/[A-Za-z\d_\\/*%-]+(?:\.[A-Za-z\d_\\/*%-]+)+/g) ?? [])
        .filter((identifier) => !english.includes(identifier))
        .map((identifier) => `${place}: ${identifier}`),
    );
    expect(added).toEqual([]);
  });

  it('sets Chinese sentences with Chinese marks', () => {
    const wrong = pairs.filter(({ chinese }) => /\p{Script=Han}[,;:?!]|[,;:?!]\p{Script=Han}/u.test(chinese));
    expect(wrong).toEqual([]);
  });
});

describe('when identifiers are looked for', () => {
  it('finds what must not be translated, and leaves words alone', () => {
    expect(
      listIdentifiers(
        'The host skype.tom.com of TOM-Skype 5.1.4.10 asked for \\Skype\\Phone\\keyfile_u in 2011, 1,455 times. Help, About.',
      ),
    ).toEqual([
      'skype.tom.com',
      'TOM-Skype',
      '5.1.4.10',
      '\\Skype\\Phone\\keyfile_u',
      '2011',
      '1',
      '455',
      '1,455',
    ]);
  });
});

describe('when a text is asked for in a language', () => {
  const owner: { name: string; note: string; zh: { name?: string; note?: string } } = {
    name: 'Edition',
    note: 'A note',
    zh: { name: '版本' },
  };

  it('gives the translation, and the English text where there is none', () => {
    expect(localize(owner, 'name', 'en')).toBe('Edition');
    expect(localize(owner, 'name', 'zh')).toBe('版本');
    expect(localize(owner, 'note', 'zh')).toBe('A note');
    expect(localize({ name: 'Edition' }, 'name', 'zh')).toBe('Edition');
  });

  it('gives nothing for a text that is not there, translated or not', () => {
    const empty: { name?: string; zh?: { name?: string } } = { zh: { name: '版本' } };
    expect(localize(empty, 'name', 'zh')).toBeUndefined();
  });
});

describe('when a translation is missing', () => {
  const variant = {
    ...toVariant('tom', [toIndicator({ text: 'a mark' }, { note: 'A note', zh: { title: '标记' } })]),
    name: 'Tom Edition',
    region: 'China',
    publisher: 'Tom',
    surveillance: { status: 'documented', text: 'A text.', sources: ['paper'] },
    notes: [
      { text: 'One.', zh: { text: '一。' }, sources: ['paper'] },
      { text: 'Two.', sources: ['paper'] },
    ],
    notConclude: [{ text: 'Three.', sources: ['paper'] }],
  };
  const load = (files: Readonly<Record<string, unknown>>): ReturnType<typeof loadDatabase>['products'][0] => {
    const [loaded] = loadDatabase([
      writeFolder({ 'demo/product.json': product, 'demo/sources.json': sources, ...files }),
    ]).products;
    if (loaded === undefined) throw new Error('no product');
    return loaded;
  };

  it('says in which file and at which place', () => {
    const loaded = load({ 'demo/variants/tom.json': variant });
    expect(listMissingTranslations(loaded)).toEqual([
      { file: 'product.json', path: ['claims', 0], field: 'title' },
      { file: 'variants/tom.json', path: [], field: 'name' },
      { file: 'variants/tom.json', path: [], field: 'region' },
      { file: 'variants/tom.json', path: [], field: 'summary' },
      { file: 'variants/tom.json', path: ['surveillance'], field: 'text' },
      { file: 'variants/tom.json', path: ['notes', 1], field: 'text' },
      { file: 'variants/tom.json', path: ['notConclude', 0], field: 'text' },
      { file: 'variants/tom.json', path: ['indicators', 0], field: 'note' },
    ]);
  });

  it('asks for none of a name of one word', () => {
    const loaded = load({ 'demo/variants/tom.json': { ...variant, name: 'PowerTom' } });
    expect(listMissingTranslations(loaded).map(({ field }) => field)).not.toContain('name');
  });
});

describe('when a later folder restates a variant', () => {
  const base = {
    'demo/product.json': product,
    'demo/sources.json': sources,
    'demo/variants/tom.json': {
      ...toVariant('tom', []),
      name: 'Old name',
      region: 'China',
      zh: { name: '旧名', region: '中国', summary: '一个变体。' },
    },
  };
  const compose = (change: Readonly<Record<string, unknown>>): unknown => {
    const own = { 'demo/variants/tom.json': { ...toVariant('tom', []), ...change } };
    return loadDatabase([writeFolder(base), writeFolder(own)]).products[0]?.variants[0]?.zh;
  };

  it('drops the translation of a text that it changed, and keeps the others', () => {
    expect(compose({ name: 'New name' })).toEqual({ region: '中国', summary: '一个变体。' });
  });

  it('takes its own translation', () => {
    expect(compose({ name: 'New name', zh: { name: '新名' } })).toEqual({
      name: '新名',
      region: '中国',
      summary: '一个变体。',
    });
  });
});

describe('when a translation has an unknown field', () => {
  it('refuses the database', () => {
    const folder = writeFolder({
      'demo/product.json': product,
      'demo/sources.json': sources,
      'demo/variants/tom.json': { ...toVariant('tom', []), zh: { nmae: '名' } },
    });
    expect(() => loadDatabase([folder])).toThrow(/zh\.nmae: unknown field/);
  });
});
