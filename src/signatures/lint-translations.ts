import { type DataFile, walk } from './data-file.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Located, Statements } from './load.ts';
import { listMissingInProduct, listMissingInVariant, type MissingTranslation } from './translations.ts';

/**
 * Texts without Chinese in a folder that has Chinese. A folder without any is not asked for it: an addition of one's
 * own may well be in one language.
 */
export function checkTranslations(products: readonly Statements[]): readonly Diagnostic[] {
  return products.flatMap(({ products: frames, variants }) => {
    const files = [...frames, ...variants];
    const translated = new Set(files.filter(hasTranslation).map(({ file }) => file.folder));
    const missing = [
      ...frames.map(({ file, value }) => ({ file, list: listMissingInProduct(value, file.name) })),
      ...variants.map(({ file, value }) => ({ file, list: listMissingInVariant(value, file.name) })),
    ];
    return missing
      .filter(({ file }) => translated.has(file.folder))
      .flatMap(({ file, list }) => list.map((one) => toDiagnostic(file, one)));
  });
}

function hasTranslation({ value }: Located<unknown>): boolean {
  let found = false;
  walk(value, [], (_, path) => {
    found ||= path.includes('zh');
  });
  return found;
}

function toDiagnostic(file: DataFile, { path, field }: MissingTranslation): Diagnostic {
  return file.toDiagnostic('translation/missing', [...path, field], `"${field}" has no Chinese under "zh"`);
}
