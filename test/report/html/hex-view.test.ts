import { describe, expect, it } from 'vitest';
import { toHexView } from '../../../src/report/html/hex-view.ts';

function view(text: string, offset: number, matchStart: number, matchLength: number): string {
  const hex = Buffer.from(text, 'latin1').toString('hex');
  return toHexView({ hex, offset, matchStart, matchLength, label: 'bytes' }).toString();
}

describe('when bytes are shown', () => {
  it('puts sixteen of them on a line, at offsets that sixteen divides', () => {
    const rows = view('abcdefgh', 0x1c, 0, 0).split('\n');
    expect(rows[0]).toMatch(/>00000010 {2}(?: {3}){12}61 62 63 64 {14}abcd$/);
    expect(rows[1]).toMatch(/^00000020 {2}65 66 67 68 (?: {3}){12} efgh {12}$/);
  });

  it('marks the match in both columns, over the end of a line', () => {
    const shown = view('xxhost.exampleyy', 0x18, 2, 12);
    expect([...shown.matchAll(/<mark>(.*?)<\/mark>/g)].map(([, text]) => text)).toEqual([
      '68 6f 73 74 2e 65',
      'host.e',
      '78 61 6d 70 6c 65',
      'xample',
    ]);
  });

  it('keeps one place a byte, whatever the byte is', () => {
    const shown = view('::##<&>\u0000\u001b\u0080\u00ff', 0, 0, 11);
    expect(shown).toContain('&#58;&#58;&#35;&#35;&lt;&amp;&gt;....');
    expect(shown).not.toMatch(/::|##|[\u0000\u001b\u0080\u00ff]/);
  });

  it('shows nothing of nothing', () => {
    expect(view('', 0, 0, 0)).toContain('></pre>');
  });
});
