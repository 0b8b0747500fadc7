import { describe, expect, it } from 'vitest';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { stringsListed } from '../../src/diff/model.ts';
import { compareStrings, toStringKind } from '../../src/diff/strings.ts';

const side = (text: string): Parameters<typeof compareStrings>[0] => ({
  source: toByteSource(new TextEncoder().encode(text)),
  without: [],
  regions: [{ name: '.data', offset: 0, size: 1 << 20 }],
});
const compare = (before: string, after: string): ReturnType<typeof compareStrings> =>
  compareStrings(side(before), side(after), () => undefined);

describe('when strings are compared', () => {
  it('lists those of one side, addresses first, with their places', () => {
    const { came, went, cutShort } = compare(
      'stays here\0goes away\0',
      'stays here\0comes new\0http://a.example/x\0',
    );
    expect(went).toEqual({
      total: 1,
      listed: [{ text: 'goes away', kind: 'text', encoding: 'ascii', offset: 11, place: '.data+0xb' }],
    });
    expect(came.listed.map(({ text, kind }) => [text, kind])).toEqual([
      ['http://a.example/x', 'url'],
      ['comes new', 'text'],
    ]);
    expect(cutShort).toBe(false);
  });

  it('does not tell what only moved', () => {
    expect(compare('one string\0another\0', 'another\0one string\0')).toMatchObject({
      came: { total: 0 },
      went: { total: 0 },
    });
  });

  it('counts all and lists the first', () => {
    const many = Array.from({ length: stringsListed + 10 }, (_, at) => `string number ${at}`).join('\0');
    const { came } = compare('', many);
    expect([came.total, came.listed.length]).toEqual([stringsListed + 10, stringsListed]);
  });

  it('says that it compared only a part of very many', () => {
    const many = Array.from({ length: 500_010 }, (_, at) => `str ${at}`.padEnd(8, '_')).join('\0');
    expect(compare(many, '').cutShort).toBe(true);
  });

  it('shows the start of a long one', () => {
    expect(compare('', 'x'.repeat(1000)).came.listed[0]?.text).toBe(`${'x'.repeat(400)}…`);
  });
});

describe('when a string may be an address', () => {
  it.each([
    ['see http://skypetools.example/agent', 'url'],
    ['skypetools.tom.com', 'host'],
    ['GET www.skype.com/go', 'host'],
    ['skype.gmw.cn', 'host'],
    ['kernel32.dll', 'text'],
    ['module.py and x.js', 'text'],
    ['!4VI.PT', 'text'],
    ['92C.dV', 'text'],
    ['a sentence. Another', 'text'],
  ])('%s: %s', (text, kind) => {
    expect(toStringKind(text)).toBe(kind);
  });
});
