import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { toDiagnosticsText } from '../../src/report/diagnostics.ts';
import { toColumns } from '../../src/report/width.ts';
import type { Diagnostic } from '../../src/signatures/diagnostic.ts';

const base: Diagnostic = {
  code: 'source/unknown',
  severity: 'error',
  file: 'a.json',
  line: 1,
  column: 1,
  length: 1,
  field: '',
  subject: {},
  message: 'm',
};

/** The line of the file and the line of the carets, without the gutter. */
function show(
  text: string,
  wanted: string,
  columns = 60,
): { readonly line: string; readonly carets: string } {
  const column = text.indexOf(wanted) + 1;
  expect(column).toBeGreaterThan(0);
  const lines = toDiagnosticsText(
    [{ ...base, column, length: wanted.length }],
    { indicators: 0, complete: true },
    { colour: new Chalk({ level: 0 }), columns, tryReadText: () => text },
  ).split('\n');
  return { line: lines[3]?.slice(4) ?? '', carets: lines[4]?.slice(4) ?? '' };
}

/** What stands over the carets, column by column. */
function overCarets({ line, carets }: { readonly line: string; readonly carets: string }): string {
  const from = carets.indexOf('^');
  let column = 0;
  let found = '';
  for (const character of line) {
    if (column >= from && column < carets.length) found += character;
    column += toColumns(character);
  }
  return found;
}

describe('when carets are set', () => {
  it.each([
    ['plain text', '{ "a": "b" }', '"b"'],
    ['tabs before it', '\t\t{ "a":\t"b" }', '"b"'],
    ['wide characters before and in it', '{ "名称": "港灯 x" }', '"港灯 x"'],
    ['characters beyond the first plane', '{ "𝒳😀": "😀!" }', '"😀!"'],
    ['the end of the line', '{ "a": ', ' '],
  ])('%s', (_, text, wanted) => {
    expect(overCarets(show(text, wanted))).toBe(wanted);
  });

  it('escapes what would rewrite the screen, and sets the carets under all of it', () => {
    const shown = show('{ "a\u202eb": "\u001b[2J" }', '"\u001b[2J"');
    expect(shown.line).toBe('{ "a\\u{202e}b": "\\u{1b}[2J" }');
    expect(overCarets(shown)).toBe('"\\u{1b}[2J"');
  });

  it.each([
    ['in the middle', `${'x'.repeat(500)}HERE${'y'.repeat(500)}`],
    ['at the start', `HERE${'y'.repeat(500)}`],
    ['at the end', `${'x'.repeat(500)}HERE`],
    ['among wide characters', `${'港'.repeat(300)}HERE${'灯'.repeat(300)}`],
    ['after surrogates', `${'😀'.repeat(301)}HERE${'😀'.repeat(301)}`],
  ])('shortens a long line around a place %s', (_, text) => {
    const shown = show(text, 'HERE');
    expect(overCarets(shown)).toBe('HERE');
    expect(toColumns(shown.line)).toBeLessThanOrEqual(57);
    expect(toColumns(shown.line)).toBeGreaterThan(40);
    expect(shown.line).toMatch(/…/);
    expect(shown.line).not.toMatch(/\\u/);
  });

  it('cuts carets with the text', () => {
    const shown = show(`a ${'b'.repeat(5000)} c`, 'b'.repeat(5000));
    expect(toColumns(shown.line)).toBeLessThanOrEqual(57);
    expect(shown.carets.length).toBeLessThanOrEqual(57);
    expect(overCarets(shown)).toMatch(/^b{20,}$/);
  });

  it('does not slow down with the length of the line', () => {
    const text = `${'x'.repeat(5_000_000)}HERE${'y'.repeat(5_000_000)}`;
    const began = performance.now();
    expect(overCarets(show(text, 'HERE'))).toBe('HERE');
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('when diagnostics are written', () => {
  it('explains a code once, counts, and escapes messages and paths', () => {
    const text = toDiagnosticsText(
      [
        { ...base, message: 'one\u001b[31m', file: 'b\u202e.json' },
        { ...base, message: 'two' },
        { ...base, code: 'source/unused', severity: 'warning', message: 'three' },
      ],
      { indicators: 1, complete: true },
      { colour: new Chalk({ level: 0 }), columns: 80, tryReadText: () => undefined },
    );
    expect(text.match(/= why:/g)?.length).toBe(2);
    expect(text).toContain('error[source/unknown]: one\\u{1b}[31m\n --> b\\u{202e}.json:1:1\n');
    expect(text).toMatch(/\n 2 errors, 1 warning in 1 indicator\n$/);
  });
});
