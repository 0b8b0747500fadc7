import { describe, expect, it } from 'vitest';
import { toSafeJson, toVisible } from '../../src/report/escape.ts';
import { padColumns, shortenMiddle, toColumns, wrap } from '../../src/report/width.ts';

describe('when text from a file is shown', () => {
  it.each([
    ['a terminal sequence', '\u001b[31mred', '\\u{1b}[31mred'],
    ['a line break', 'a\nb\r', 'a\\u{a}b\\u{d}'],
    ['a right-to-left override', 'a\u202egpj.exe', 'a\\u{202e}gpj.exe'],
    ['isolates', '\u2066x\u2069', '\\u{2066}x\\u{2069}'],
    ['zero width', 'a\u200bb\ufeff', 'a\\u{200b}b\\u{feff}'],
    ['a C1 control', '\u009b31m', '\\u{9b}31m'],
    ['a tag character', 'a\u{e0041}', 'a\\u{e0041}'],
    ['a lone surrogate', 'a\ud800', 'a\\u{d800}'],
    ['a terminal link', '\u001b]8;;http://x\u0007', '\\u{1b}]8;;http://x\\u{7}'],
  ])('makes %s visible', (_, text, visible) => {
    expect(toVisible(text)).toBe(visible);
  });

  it('leaves names in any script as they are', () => {
    for (const name of ['软件/安装.exe', 'Скайп', 'سكايب', '👍🏽.txt', 'é'])
      expect(toVisible(name)).toBe(name);
  });

  it('keeps the value of JSON', () => {
    const value = { name: 'a\u202e\u001b\u{e0041}\ud800\n', list: [1, '\u2028'] };
    const text = toSafeJson(value, 2);
    expect(text).not.toMatch(/[\u202e\u001b\u2028\ud800-\udfff]/);
    expect(JSON.parse(text)).toEqual(value);
  });
});

describe('when text is set in columns', () => {
  it('counts wide characters twice', () => {
    expect([toColumns('软件'), toColumns('ab'), toColumns('é')]).toEqual([4, 2, 1]);
    expect(padColumns('软', 4)).toBe('软  ');
  });

  it('shortens in the middle and keeps both ends', () => {
    const short = shortenMiddle('a very long path » with a member at its end', 21);
    expect(toColumns(short)).toBeLessThanOrEqual(21);
    expect(short).toMatch(/^a very.*…/);
    expect(short).toMatch(/its end$/);
    expect(toColumns(shortenMiddle('软'.repeat(40), 21))).toBeLessThanOrEqual(21);
    expect(shortenMiddle('short', 21)).toBe('short');
  });

  it('wraps at spaces', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('averylongword', 5)).toEqual(['averylongword']);
  });
});
