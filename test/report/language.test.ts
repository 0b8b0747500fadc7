import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Chalk } from 'chalk';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadReporter, type ReportOptions, toWhole } from '../../src/report/reporters.ts';
import { createTranslator, english, type Translator } from '../../src/report/translator.ts';
import type { FileResult } from '../../src/verdict/model.ts';
import { corpus } from '../corpus.ts';
import { scanBytes, shippedKnowledge } from '../end-to-end/scan-bytes.ts';
import { mutate } from '../mutation.ts';
import { scanSamples, toReport } from './sample-report.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));

/** Bytes above this take long to scan again and again. */
const mutatedBytesLimit = 20_000;
const corpusBytesLimit = 1_000_000;

const loadDatabase = (): Promise<ReturnType<typeof shippedKnowledge>['database']> =>
  Promise.resolve(shippedKnowledge().database);

/** A translator that writes down what stays English, as a whole or in a piece of a sentence. */
async function createListener(): Promise<{ readonly translator: Translator; readonly missed: Set<string> }> {
  const chinese = await createTranslator('zh', loadDatabase);
  const missed = new Set<string>();
  return {
    missed,
    translator: {
      language: 'zh',
      translate(text) {
        const translated = chinese.translate(text);
        // Names and quotations stay; three English words in a row are neither.
        const plain = translated.replaceAll(/“[^”]*”|"[^"]*"/g, '');
        if (translated === text ? /[a-z]{2}/.test(text) : /[a-z]{2,} [a-z]{2,} [a-z]{2,}/.test(plain)) {
          missed.add(text);
        }
        return translated;
      },
    },
  };
}

async function render(
  format: 'text' | 'markdown',
  files: readonly FileResult[],
  options: Partial<ReportOptions>,
): Promise<string> {
  const policy = {
    failOn: ['variant', 'incomplete'] as const,
    require: { verdict: ['official'] as const, minimumVersion: '9' },
    exceptions: files
      .filter(({ verdict }) => verdict === 'other')
      .flatMap(({ sha256 }) =>
        sha256 === null ? [] : [{ sha256, reason: 'known', owner: 'Wang', expires: '2026-12-31' }],
      ),
  };
  return toWhole(await loadReporter(format), toReport(files, { policy }), {
    colour: new Chalk({ level: 0 }),
    columns: 100,
    isVerbose: false,
    translator: english,
    ...options,
  });
}

describe('when a result is told in Chinese', () => {
  let files: readonly FileResult[] = [];

  beforeAll(async () => {
    const found: FileResult[] = [...(await scanSamples())];
    for (const folder of ['asar', 'codecs', 'containers', 'inno', 'msi']) {
      for (const name of readdirSync(join(fixtures, folder), { recursive: true, encoding: 'utf8' }).sort()) {
        const path = join(fixtures, folder, name);
        if (!/\.[a-z0-9]+$/i.test(name) || /\.(?:md|txt|sh|ts|json|tsv|iss|wxs)$/.test(name)) continue;
        const bytes = readFileSync(path);
        found.push(await scanBytes(name, bytes));
        if (bytes.length > mutatedBytesLimit) continue;
        for (const mutant of mutate(bytes, 5)) found.push(await scanBytes(name, mutant.bytes));
      }
    }
    files = found;
  }, 120_000);

  it('has no sentence left in English', async () => {
    const { translator, missed } = await createListener();
    for (const format of ['text', 'markdown'] as const) {
      await render(format, files, { isVerbose: true, translator });
    }
    expect(files.length).toBeGreaterThan(100);
    expect([...missed]).toEqual([]);
  });

  it.skipIf(!corpus.available)('has none left for real files', async () => {
    const { translator, missed } = await createListener();
    const real: FileResult[] = [];
    for (const line of readFileSync(corpus.path('files.tsv'), 'utf8').trimEnd().split('\n').slice(1)) {
      const [folder = '', name = '', , size = ''] = line.split('\t');
      if (Number(size) > corpusBytesLimit) continue;
      real.push(await scanBytes(name, readFileSync(corpus.path(`${folder}/${name}`))));
    }
    expect(real.length).toBeGreaterThan(3);
    await render('text', real, { isVerbose: true, translator });
    expect([...missed]).toEqual([]);
  });
});

describe.each(['en', 'zh'] as const)('when the samples are told in %s', (language) => {
  it.each(['text', 'markdown'] as const)('reads so in %s', async (format) => {
    const translator = await createTranslator(language, loadDatabase);
    expect(await render(format, await scanSamples(), { translator })).toMatchSnapshot();
  });
});

describe('when nobody asks for another language', () => {
  it('loads no database', async () => {
    const translator = await createTranslator('en', () => Promise.reject(new Error('not needed')));
    expect(translator.translate('script')).toBe('script');
  });
});
