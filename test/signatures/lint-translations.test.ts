import { describe, expect, it } from 'vitest';
import { checkTranslations } from '../../src/signatures/lint-translations.ts';
import { readDatabase } from '../../src/signatures/load.ts';
import { listMissingTranslations } from '../../src/signatures/translations.ts';
import { product, sources, toIndicator, toVariant, writeFolder } from './database-fixture.ts';

const translated = toIndicator({ text: 'first mark' }, { id: 'tom-1', zh: { title: '第一个标记' } });
const plain = toIndicator({ text: 'second mark' }, { id: 'tom-2' });

const toFolder = (indicators: readonly unknown[]): string =>
  writeFolder({
    'demo/product.json': product,
    'demo/sources.json': sources,
    'demo/variants/tom.json': toVariant('tom', indicators),
  });

const listFields = (...folders: readonly string[]): readonly string[] =>
  checkTranslations(readDatabase(folders).statements).map(({ field }) => field);

describe('when a folder has Chinese', () => {
  it('asks for that of every text that has none, and of no other', () => {
    const { database, statements } = readDatabase([toFolder([translated, plain])]);
    const found = checkTranslations(statements).map(({ file, field }) => `${file} ${field}`);
    expect(found.length).toBeGreaterThan(2);
    expect(found).toEqual(
      (database?.products ?? []).flatMap((one) =>
        listMissingTranslations(one).map(({ file, path, field }) => {
          const [list, index] = path;
          const owner = list === undefined ? '' : `${list}${index === undefined ? '' : `[${index}]`}.`;
          return `${one.folders[0]}/${file} ${owner}${field}`;
        }),
      ),
    );
    expect(found.filter((line) => line.includes('indicators'))).toEqual([
      expect.stringMatching(/indicators\[1\]\.title$/),
    ]);
  });
});

describe('when a folder has no Chinese', () => {
  it('asks for none', () => {
    expect(listFields(toFolder([plain]))).toEqual([]);
  });

  it('asks for none although another folder has it', () => {
    const own = writeFolder({ 'demo/variants/eve.json': toVariant('eve', [{ ...plain, id: 'eve-1' }]) });
    const base = toFolder([translated]);
    expect(listFields(base, own)).toEqual(listFields(base));
  });
});
