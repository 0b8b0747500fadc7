import { describe, expect, it } from 'vitest';
import { toColumns, wrap } from '../../src/report/width.ts';

describe('when plain text is wrapped', () => {
  it('breaks at spaces and leaves long words whole', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('a https://example.org/very/long b', 6)).toEqual(['a', 'https://example.org/very/long', 'b']);
    expect(wrap('', 10)).toEqual(['']);
  });

  it('ends no line with a space', () => {
    expect(wrap('one  two', 5)).toEqual(['one', 'two']);
  });

  it('keeps what stands between spaces', () => {
    const text = 'a  b \\u{202e}c';
    expect(wrap(text, 80)).toEqual([text]);
  });
});

describe('when Chinese text is wrapped', () => {
  it('breaks between characters, two columns each', () => {
    expect(wrap('一二三四五', 4)).toEqual(['一二', '三四', '五']);
    expect(wrap('一二三四五', 5)).toEqual(['一二', '三四', '五']);
  });

  it('begins no line with closing punctuation', () => {
    expect(wrap('一二三，四五。', 6)).toEqual(['一二', '三，四', '五。']);
    expect(wrap('一二三）四', 6)).toEqual(['一二', '三）四']);
    expect(wrap('一二三", 四', 6)).toEqual(['一二', '三",', '四']);
  });

  it('ends no line with opening punctuation', () => {
    expect(wrap('一二（三四', 6)).toEqual(['一二', '（三四']);
    expect(wrap('一二“三四', 5)).toEqual(['一二', '“三四']);
  });

  it('keeps identifiers whole between the characters', () => {
    expect(wrap('主机skype.tom.com在', 8)).toEqual(['主机', 'skype.tom.com', '在']);
    expect(wrap('版本 5.1.4.10 的', 9)).toEqual(['版本', '5.1.4.10', '的']);
  });

  it('keeps a combining mark and a character of two units with what it belongs to', () => {
    expect(wrap('𠀀𠀁\u0301𠀂', 2)).toEqual(['𠀀', '𠀁\u0301', '𠀂']);
  });

  it('loses nothing, and stays within the columns where it can', () => {
    const text =
      '研究者记录了 2.0 至 6.1 各版本系列的关键词过滤，以及消息的上传和存储。“帮助”菜单的“关于”中写有 TOM（主窗口）。';
    for (let columns = 10; columns < 100; columns += 1) {
      const lines = wrap(text, columns);
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      for (const line of lines) {
        expect(toColumns(line), line).toBeLessThanOrEqual(columns);
        expect(line).not.toMatch(/^[，。、）”]|[（“]$/);
      }
    }
  });
});
