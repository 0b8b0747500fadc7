import { Chalk } from 'chalk';
import { toScanHtml } from '../../../src/report/html/scan-page.ts';
import type { ReportOptions } from '../../../src/report/reporters.ts';
import { english } from '../../../src/report/translator.ts';
import type { Language } from '../../../src/signatures/schema.ts';
import type { FileResult } from '../../../src/verdict/model.ts';
import { toReport } from '../sample-report.ts';

/** The options of a page; a translator that has no texts of its own but marks what it was given. */
export function toOptions(language: Language = 'en', translate = english.translate): ReportOptions {
  return {
    colour: new Chalk({ level: 0 }),
    columns: 100,
    isVerbose: false,
    translator: { language, translate },
  };
}

/** The page of these files, with the policy that the command line takes by itself. */
export function toPage(files: readonly FileResult[], language: Language = 'en'): string {
  return toScanHtml(toReport(files), toOptions(language));
}

/** As many results as wanted, each under a path of its own. */
export function toMany(files: readonly FileResult[], count: number): readonly FileResult[] {
  return Array.from({ length: count }, (_, at) => {
    const file = files[at % files.length];
    if (file === undefined) throw new Error('no result to repeat');
    const path = `many/${String(at).padStart(5, '0')}-${file.path}`;
    const renamed: FileResult = JSON.parse(
      JSON.stringify(file, (key, value: unknown) =>
        (key === 'path' || key === 'decidedBy') && typeof value === 'string'
          ? value.replace(file.path, () => path)
          : value,
      ),
    );
    return renamed;
  });
}

const freeTexts: ReadonlySet<string> = new Set(
  [
    ['path', 'name', 'formatTitle', 'title', 'variantName', 'variantOrigin', 'version', 'platformName'],
    ['productName', 'reason', 'decidedBy', 'text', 'bytes', 'region', 'note', 'short', 'link', 'value'],
    [
      'message',
      'consequence',
      'integrityDetail',
      'signerDetail',
      'sha256',
      'hex',
      'rule',
      'file',
      'identifier',
      'fileName',
      'platform',
      'part',
    ],
  ].flat(),
);

/** A result in which every text that could come from a file or a database is the given one. */
export function poison(file: FileResult, text: string): FileResult {
  const poisoned: FileResult = JSON.parse(
    JSON.stringify(file, (key, value: unknown) =>
      freeTexts.has(key) && typeof value === 'string' ? text : value,
    ),
  );
  return poisoned;
}
