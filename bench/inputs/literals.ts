import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '../../test/mutation.ts';
import type { Recipe } from './recipe.ts';
import type { Scale } from './scale.ts';

/** Texts that real programs hold, so that there are hits which nobody planted. */
const naturalLiterals = [
  'This program cannot be run in DOS mode',
  'Igor Pavlov',
  'Jordan Russell',
  'Nullsoft Install System',
  'libavcodec',
  'libvips',
  'WebRTC-',
  'OpenSSL 3.',
  'zlib version',
  'IsDebuggerPresent',
  'CryptProtectData',
  'libsignal',
] as const;

const onsets = [
  'b',
  'br',
  'd',
  'dr',
  'f',
  'g',
  'gl',
  'h',
  'k',
  'kr',
  'l',
  'm',
  'n',
  'p',
  'qu',
  'r',
  's',
  'st',
  't',
  'tr',
  'v',
  'z',
];
const vowels = ['a', 'e', 'i', 'o', 'u', 'ai', 'ei', 'ou'];
const codas = ['', '', 'l', 'm', 'n', 'nd', 'r', 'rk', 's', 'st', 'x'];

/**
 * Literals as databases of indicators have them: names, hosts, requests, paths; none occurs in another. The first ones
 * are the same however many are asked for.
 */
export function makeLiterals(count: number): readonly string[] {
  const random = createRandom(20_261_122);
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? '';
  const word = (syllables: number): string =>
    Array.from({ length: syllables }, () => `${pick(onsets)}${pick(vowels)}${pick(codas)}`).join('');
  const literals: string[] = [...naturalLiterals];
  const known = new Set(literals);
  while (literals.length < count) {
    const name = word(3);
    const made = [
      `${name.charAt(0).toUpperCase()}${name.slice(1)} ${word(2)} service`,
      `${word(2)}.${name}.example`,
      `/${word(2)}/${name}.php?${word(1)}=`,
      `\\${name}\\${word(2)}.dat`,
      `${name}_${word(3)}`,
    ][random(5)];
    if (made === undefined || made.length < 10 || known.has(made)) continue;
    known.add(made);
    literals.push(made);
  }
  return literals.slice(0, count);
}

/** Some literals of the database that ships; those that are planted into members. */
export const ownLiterals = [
  'skypetools.tom.com',
  '/agent/keyfile_u',
  'TOM-Skype (TM)',
  'TBrowserBaseForm',
  'ui.skype.com/ui/0/',
  'skypeupdate.ru',
  'us06webzoomus.pro',
  'Kitphone for Skype',
  'count.e-jok.cn',
  'Znxkai@if8qa9w9489',
] as const;

const formats = ['pe', 'dex', 'elf', 'macho'];

/** `bench-literal-00042` for the literal with that index. */
export function toIndicatorId(index: number): string {
  return `bench-literal-${String(index).padStart(5, '0')}`;
}

/**
 * Writes a database whose only knowledge is literals, an indicator each: a product of its own, or an addition to a
 * product that is there. A report lists the telltales of one product, so what is to be found beside those of the
 * database that ships has to be an addition to its product.
 */
export function writeLiteralDatabase(folder: string, literals: readonly string[], addTo?: string): void {
  const product = join(folder, addTo ?? 'bench');
  mkdirSync(join(product, 'variants'), { recursive: true });
  const write = (name: string, value: unknown): void =>
    writeFileSync(join(product, name), `${JSON.stringify(value, undefined, 1)}\n`);
  const sources = ['bench-recipe'];
  write('sources.json', {
    sources: {
      'bench-recipe': {
        title: 'Made-up literals for measuring',
        short: 'benchmark',
        kind: 'primary',
        url: 'https://example.org/benchmark',
      },
    },
  });
  if (addTo === undefined) {
    write('publishers.json', { publishers: [] });
    write('product.json', {
      id: 'bench',
      name: 'Literals of the benchmark',
      revision: '2026.11',
      platforms: [{ id: 'windows', name: 'Windows', formats }],
      claims: [
        {
          id: 'claims',
          title: 'claims to be the benchmark',
          strength: 'resembles',
          when: { text: 'claims-to-be-the-benchmark-itself' },
          in: formats,
          sources,
        },
      ],
    });
  }
  write('variants/bench-literals.json', {
    id: 'bench-literals',
    name: 'Literals of the benchmark',
    role: 'regional',
    platforms: ['windows'],
    surveillance: { status: 'unknown', sources: [] },
    summary: 'Made-up literals for measuring.',
    indicators: literals.map((text, index) => ({
      id: toIndicatorId(index),
      title: `text ${text}`,
      when: { text },
      in: formats,
      strength: 'suggestive',
      sources,
      tests: {
        hit: [{ format: 'pe', content: [text] }],
        nearMiss: [{ why: 'cut short', format: 'pe', content: [text.slice(0, -1)] }],
      },
      testedOnRealFile: false,
    })),
  });
}

/** Databases of so many literals. The first literals of a larger one are those of a smaller one. */
export function createDatabases({ prefix, databaseSizes }: Scale): Recipe {
  return {
    id: `${prefix}databases`,
    title: `databases of ${databaseSizes.join(', ')} literals, as products and as additions to the database that ships`,
    parameters: { revision: 2, databaseSizes, literals: makeLiterals(Math.max(...databaseSizes)) },
    build(folder) {
      for (const size of databaseSizes) {
        writeLiteralDatabase(join(folder, String(size)), makeLiterals(size));
        writeLiteralDatabase(join(folder, `${size}-added`), makeLiterals(size), 'skype');
      }
    },
  };
}
