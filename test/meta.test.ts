import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { formats } from '../src/formats/index.ts';
import { recognisedFormats } from '../src/formats/recognised.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

function list(folder: string, pattern: RegExp): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name))
    .sort();
}

const tests = list('test', /\.(?:ts|cjs)$/).map((path) => ({
  path,
  text: readFileSync(join(root, path), 'utf8'),
}));

/** Formats that nobody has published a description of, or that have no structure. */
const undescribed: ReadonlySet<string> = new Set(['data', 'text', 'sklg']);

describe('when a format is in the table', () => {
  it('has an id, a title and a specification of its own', () => {
    expect(new Set(formats.map(({ id }) => id)).size).toBe(formats.length);
    expect(
      formats
        .filter(
          ({ title, references, id }) => title === '' || (references.length === 0 && !undescribed.has(id)),
        )
        .map(({ id }) => id),
    ).toEqual([]);
  });

  it('is read in a test of its own', () => {
    const exported = list('src/formats', /\.ts$/).flatMap((path) =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/^export const (\w+Formats?)\b/gm)].map(
        (match) => match[1] ?? '',
      ),
    );
    expect(exported.length).toBeGreaterThan(30);
    expect(
      exported.filter(
        (name) => name !== 'dataFormat' && !tests.some(({ text }) => new RegExp(`\\b${name}\\b`).test(text)),
      ),
    ).toEqual([]);
  });

  it('survives any head, also an empty one', () => {
    for (const bytes of [
      new Uint8Array(0),
      Uint8Array.of(0x4d),
      new Uint8Array(16),
      new Uint8Array(4096).fill(0xff),
    ]) {
      const source = {
        size: bytes.length,
        read: (offset: number, length: number) => bytes.subarray(offset, offset + length),
      };
      for (const format of formats) expect(typeof format.probe(bytes, source), format.id).toBe('boolean');
    }
  });

  it('says of what it only recognises that it was not opened', () => {
    expect(recognisedFormats.length).toBeGreaterThan(0);
    expect(recognisedFormats.length).toBeLessThan(formats.length / 2);
  });
});

describe('when the engine names a product', () => {
  /** Where a comment has a real file, or a line of a real database, as its example. */
  const examples = [
    'src/authenticity/apple-bundle-seal.ts',
    'src/authenticity/apple-bundle.ts',
    'src/authenticity/publisher-pins.ts',
    'src/cli/arguments.ts',
    'src/formats/app-bundle.ts',
    'src/formats/model.ts',
    'src/formats/msi/content.ts',
    'src/formats/zlib.ts',
    'src/index.ts',
    'src/platform/database-files.ts',
    'src/signatures/data-file.ts',
    'src/signatures/export/statement.ts',
    'src/signatures/vocabulary.ts',
    'src/verdict/model.ts',
    'src/verdict/result.ts',
  ];
  const named = list('src', /\.ts$/).flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .map((line) => ({ path, line }))
      .filter(({ line }) => /skype|gmf|guangming|(?<![a-z])tom(?![a-z])/i.test(line)),
  );

  it('is in a comment, so that a product is data alone', () => {
    expect(named.length).toBeGreaterThan(0);
    expect(
      named.filter(({ line }) => !/^\s*(?:\*|\/\*|\/\/)|\s\/\/\s.*(?:skype|gmf|guangming|tom)/i.test(line)),
    ).toEqual([]);
  });

  it('is in one of the places that are known', () => {
    expect([...new Set(named.map(({ path }) => path))]).toEqual(examples);
  });
});

describe('when a parser reads what attackers write', () => {
  /** Folders and files that hold a parser, and where its mutants are. */
  const parsers = [
    'pe',
    'upx',
    'zip',
    'ar',
    'cfb',
    'msi',
    'inno',
    'asar',
    'rpm',
    'sis',
    'xml',
    'plist',
    'macho',
    'elf',
    'apk',
    'appx',
    'dex',
    'sevenzip',
    'sevenz/',
    'nsis',
    'iso9660',
    'udif',
    'lzma',
    'nrv',
    'bzip2',
    'der',
    'cms',
    'authenticode',
    'database-pack',
  ];

  it.each(parsers)('%s has seeded mutants', (name) => {
    const fuzzed = tests.filter(({ path, text }) => path.includes(name) && /\bmutate\(/.test(text));
    expect(fuzzed.map(({ path }) => path)).not.toEqual([]);
  });
});

describe('when a fixture is in the project', () => {
  it('is used by a test, a recipe or another fixture', () => {
    const users = [
      ...tests.map(({ text }) => text),
      ...list('fixtures', /\.(?:ts|sh|py|c|md)$/).map((path) => readFileSync(join(root, path), 'utf8')),
      readFileSync(join(root, 'package.json'), 'utf8'),
    ];
    const orphans = list('fixtures', /\.[a-z0-9]+$/i)
      .filter((path) => !path.endsWith('.md'))
      .filter((path) => {
        const name = relative(root, join(root, path)).split('/').at(-1) ?? path;
        const stem = name.replace(/\.(?:cut|bin|ts|js|gz)$/, '');
        // Families of files are named by a pattern: what is before the first dash or dot of the name.
        return (
          !users.some((text) => text.includes(name) || text.includes(stem)) &&
          !users.some((text) => text.includes(stem.split('-')[0] ?? stem))
        );
      });
    expect(orphans).toEqual([]);
  });
});

describe('when a test file is in the project', () => {
  it('holds assertions', () => {
    const empty = tests.filter(({ path, text }) => path.endsWith('.test.ts') && !/\bexpect\w*\(/.test(text));
    expect(empty.map(({ path }) => path)).toEqual([]);
  });
});
