import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { defaultLimits } from '../../src/bytes/budget.ts';
import { type GoodwareMeasure, listPatterns, measureFile, sumUp } from '../../src/jobs/goodware.ts';
import { toKnowledge } from '../../src/scan/knowledge.ts';
import { compile, encodeText } from '../../src/signatures/compile.ts';
import type { Condition } from '../../src/signatures/schema.ts';
import { loadIndicators, toIndicator, writeFolder } from '../signatures/database-fixture.ts';

interface Recipe {
  readonly when: Condition;
  readonly in?: readonly string[];
  readonly strength?: string;
}

/** Measures files with one indicator for each recipe: `i0`, `i1`, … */
async function measure(
  recipes: readonly Recipe[],
  files: Readonly<Record<string, Uint8Array | string>>,
  extraPaths: readonly string[] = [],
): Promise<GoodwareMeasure> {
  const knowledge = toKnowledge(
    loadIndicators(recipes.map((recipe, index) => toIndicator(recipe.when, { ...recipe, id: `i${index}` }))),
  );
  const folder = writeFolder(files);
  const paths = [...Object.keys(files).map((name) => join(folder, name)), ...extraPaths];
  const measures = [];
  for (const path of paths) measures.push(await measureFile({ path }, knowledge, defaultLimits));
  return sumUp(knowledge.compiled, measures);
}

const mark: Condition = { text: 'quick-brown-fox' };
const counts = ({ patterns }: GoodwareMeasure) =>
  patterns.map(({ text, files, artifacts, occurrences }) => ({ text, files, artifacts, occurrences }));

describe('when an indicator fires', () => {
  it('names the files, the members and the places', async () => {
    const measured = await measure([{ when: mark }], {
      'a.zip': buildZip({
        entries: [
          { name: 'x.txt', data: '..quick-brown-fox' },
          { name: 'y.txt', data: 'nothing' },
        ],
      }),
      'b.txt': 'quick-brown-fox',
      'c.txt': 'slow brown fox',
    });
    const [fired, ...others] = measured.fired;
    expect(others).toEqual([]);
    expect(fired).toMatchObject({
      product: 'demo',
      indicator: 'i0',
      variant: 'tom',
      strength: 'strong',
      files: 2,
      artifacts: 2,
    });
    expect(
      fired?.places.map(({ file, member, offset }) => [file.slice(-5), member.slice(-13), offset]),
    ).toEqual([
      ['a.zip', 'a.zip » x.txt', 2],
      ['b.txt', expect.stringMatching(/b\.txt$/), 0],
    ]);
    expect(measured).toMatchObject({ files: 3, artifacts: 5, filesUnread: 0, filesIncomplete: 0 });
  });

  it('puts the strongest first and keeps the places of one file few', async () => {
    const measured = await measure(
      [
        { when: { text: 'weak-mark' }, strength: 'suggestive' },
        { when: mark, strength: 'decisive' },
      ],
      {
        'a.zip': buildZip({
          entries: Array.from({ length: 12 }, (_, index) => ({
            name: `${index}.txt`,
            data: 'quick-brown-fox weak-mark',
          })),
        }),
      },
    );
    expect(
      measured.fired.map(({ indicator, artifacts, places }) => [indicator, artifacts, places.length]),
    ).toEqual([
      ['i1', 12, 8],
      ['i0', 12, 8],
    ]);
  });
});

describe('when a pattern occurs without firing', () => {
  it('counts it where the indicator does not apply', async () => {
    const measured = await measure([{ when: mark, in: ['pe'] }], {
      'a.txt': 'quick-brown-fox quick-brown-fox',
    });
    expect(measured.fired).toEqual([]);
    expect(counts(measured)).toEqual([{ text: 'quick-brown-fox', files: 1, artifacts: 1, occurrences: 2 }]);
    expect(measured.indicators).toMatchObject([
      { indicator: 'i0', files: 0, artifacts: 0, occursInFiles: 1, occursInArtifacts: 1 },
    ]);
  });

  it('counts it where the rest of the condition does not hold', async () => {
    const measured = await measure([{ when: { all: [mark, { none: [{ text: 'lazy-dog' }] }] } }], {
      'a.txt': 'quick-brown-fox, lazy-dog',
    });
    expect(measured.fired).toEqual([]);
    expect(counts(measured).map(({ occurrences }) => occurrences)).toEqual([1, 1]);
  });

  it('lists what never occurs with zeros', async () => {
    const measured = await measure([{ when: mark }], { 'a.txt': 'nothing' });
    expect(counts(measured)).toEqual([{ text: 'quick-brown-fox', files: 0, artifacts: 0, occurrences: 0 }]);
  });

  it('counts both encodings as one pattern', async () => {
    const wide = encodeText('quick-brown-fox', 'utf-16le');
    const both = new Uint8Array([...encodeText('quick-brown-fox\0', 'ascii'), ...wide]);
    const measured = await measure([{ when: mark }], { 'a.bin': both });
    expect(counts(measured)).toEqual([{ text: 'quick-brown-fox', files: 1, artifacts: 1, occurrences: 2 }]);
  });
});

describe('when bytes are seen twice', () => {
  const inner = buildZip({ entries: [{ name: 'x.txt', data: 'quick-brown-fox', method: 0 }] });

  it('counts an occurrence in stored members once, at the deepest place', async () => {
    const measured = await measure([{ when: mark }], {
      'a.zip': buildZip({
        entries: [{ name: 'inner.zip', data: inner, method: 0 }],
        comment: 'quick-brown-fox',
      }),
    });
    // In x.txt, and in the comment of the outer archive; not in inner.zip, which only holds x.txt.
    expect(counts(measured)).toEqual([{ text: 'quick-brown-fox', files: 1, artifacts: 2, occurrences: 2 }]);
  });

  it('adds up what was unpacked, not what lies in its container as it is', async () => {
    const stored = await measure([{ when: mark }], { 'a.zip': inner });
    expect(stored.bytesSearched).toBe(inner.length);
    const packed = buildZip({ entries: [{ name: 'x.txt', data: 'quick-brown-fox'.repeat(50), method: 8 }] });
    const measured = await measure([{ when: mark }], { 'a.zip': packed });
    expect(measured).toMatchObject({ bytes: packed.length, bytesSearched: packed.length + 15 * 50 });
    expect(counts(measured)).toMatchObject([{ artifacts: 1, occurrences: 50 }]);
  });

  it('counts the members of a bundle once', async () => {
    const plist =
      '<?xml version="1.0"?><plist version="1.0"><dict><key>CFBundleIdentifier</key><string>org.example</string></dict></plist>';
    const measured = await measure([{ when: mark }], {
      'a.zip': buildZip({
        entries: [
          { name: 'Demo.app/Contents/Info.plist', data: plist },
          { name: 'Demo.app/Contents/Resources/x.txt', data: 'quick-brown-fox' },
        ],
      }),
    });
    expect(measured.formats.map(({ format }) => format)).toContain('app-bundle');
    expect(counts(measured)).toEqual([{ text: 'quick-brown-fox', files: 1, artifacts: 1, occurrences: 1 }]);
  });
});

describe('when something cannot be read', () => {
  it('tells the member and counts it', async () => {
    const measured = await measure([{ when: mark }], {
      'a.zip': buildZip({ entries: [{ name: 'secret.exe', data: 'x'.repeat(40), flags: 1 }] }),
      'b.txt': 'fine',
    });
    expect(measured).toMatchObject({
      files: 2,
      filesUnread: 0,
      filesIncomplete: 1,
      artifactsUnread: 1,
      unread: [{ code: 'encrypted/member', count: 1 }],
    });
    expect(measured.problems.map(({ path }) => path)).toEqual([
      expect.stringMatching(/a\.zip » secret\.exe$/),
    ]);
  });

  it('tells a file of which there is nothing', async () => {
    const measured = await measure([{ when: mark }], { 'a.txt': 'fine' }, ['/nowhere/at/all.exe']);
    expect(measured).toMatchObject({
      files: 2,
      filesUnread: 1,
      filesIncomplete: 1,
      bytes: 4,
      unread: [{ code: 'unreadable/missing', count: 1 }],
    });
  });
});

describe('when the patterns of a database are listed', () => {
  it('names each once, with everything that asks for it', () => {
    const compiled = compile(
      loadIndicators([
        toIndicator(mark, { id: 'b' }),
        toIndicator({ any: [mark, { host: 'x.example.org' }] }, { id: 'a' }),
        toIndicator({ text: 'quick-brown-fox', wholeWord: true }, { id: 'c' }),
      ]),
    );
    expect(listPatterns(compiled).map(({ kind, text, usedBy }) => [kind, text, usedBy])).toEqual([
      ['text', 'quick-brown-fox', ['a', 'b']],
      ['host', 'x.example.org', ['a']],
      ['text', 'quick-brown-fox', ['c']],
    ]);
  });
});
