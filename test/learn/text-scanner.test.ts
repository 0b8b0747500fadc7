import { describe, expect, it } from 'vitest';
import { type TextFind, TextScanner } from '../../src/learn/text-scanner.ts';

function scan(
  bytes: Uint8Array,
  chunkBytes = bytes.length,
): readonly (readonly [string, string, number, string])[] {
  const found: (readonly [string, string, number, string])[] = [];
  const scanner = new TextScanner(({ kind, bytes: given, from, to, offset, encoding }: TextFind) => {
    const decoder = new TextDecoder(encoding === 'gbk' ? 'gb18030' : 'utf-8');
    found.push([kind, decoder.decode(given.subarray(from, to)), offset, encoding]);
  });
  for (let at = 0; at < bytes.length; at += chunkBytes) scanner.update(bytes.subarray(at, at + chunkBytes));
  scanner.finish();
  return found;
}

const latin = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const wide = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf16le'));

describe('when texts are looked for in bytes', () => {
  it('finds printable runs of six characters and more, without surrounding blanks', () => {
    expect(scan(latin('\0\x01short\0  a longer text \0\xff'))).toEqual([
      ['text', 'a longer text', 10, 'ascii'],
    ]);
  });

  it('finds East Asian text in UTF-8, in UTF-16LE and in GBK', () => {
    expect(scan(utf8('\0聊天记录\0'))).toEqual([['text', '聊天记录', 1, 'ascii']]);
    expect(scan(wide('\0聊天记录\0'))).toContainEqual(['text', '聊天记录', 2, 'utf-16le']);
    const gbk = Uint8Array.of(0, 0xc1, 0xc4, 0xcc, 0xec, 0xbc, 0xc7, 0xc2, 0xbc, 0);
    expect(scan(gbk)).toEqual([['hanzi', '聊天记录', 1, 'gbk']]);
  });

  it('does not take plain text for Chinese read in pairs', () => {
    expect(scan(latin('Bush hid the facts')).map(([, text]) => text)).toEqual(['Bush hid the facts']);
  });

  it('does not take code for Chinese: such a text stands between zeros or behind its length', () => {
    const code = Uint8Array.of(
      0x8b,
      0x55,
      0x10,
      0x52,
      0x8b,
      0x4d,
      0x0c,
      0x51,
      0x3d,
      0x5c,
      0x06,
      0x66,
      0x8b,
      0x55,
    );
    expect(scan(code).filter(([, , , encoding]) => encoding === 'utf-16le')).toEqual([]);
    const table = Uint8Array.of(4, 0, ...wide('聊天记录'), 3, 0);
    expect(scan(table)).toContainEqual(['text', '聊天记录', 2, 'utf-16le']);
  });

  it('finds UTF-16LE at odd places', () => {
    expect(scan(Uint8Array.of(7, ...wide('a wide text'), 0, 0))).toEqual([
      ['text', 'a wide text', 1, 'utf-16le'],
    ]);
  });

  it.each([
    ['an address', 'GET http://Relay.Example-Osten.cn/agent?id=1', 'relay.example-osten.cn', 11],
    ['a bare name', 'name=relay.osten.com.cn;', 'relay.osten.com.cn', 5],
    ['a mail address', 'mail someone@mail.osten.cn', 'mail.osten.cn', 13],
  ])('finds the host in %s', (_, text, host, offset) => {
    expect(scan(latin(text)).filter(([kind]) => kind === 'host')).toEqual([['host', host, offset, 'ascii']]);
  });

  it.each([
    'java.net.Socket',
    'org.json.me',
    'C:\\data\\files.com',
    'System.Net.Mail',
    'version 1.2.3.4',
    'lib/a.io',
  ])('takes %s for no host', (text) => {
    expect(scan(latin(`\0${text}\0`)).filter(([kind]) => kind === 'host')).toEqual([]);
  });

  it('gives the parts of a run that others may share, with their places', () => {
    expect(scan(wide('open /agent/wordlist_u now'))).toEqual([
      ['text', 'open /agent/wordlist_u now', 0, 'utf-16le'],
      ['text', '/agent/wordlist_u', 10, 'utf-16le'],
    ]);
  });

  it('knows long runs by their beginning, never cutting a character', () => {
    const [first] = scan(utf8(`ab${'天'.repeat(60)}`));
    expect(first?.[1]).toBe(`ab${'天'.repeat(39)}`);
  });

  it('finds the same whatever the chunks are', () => {
    const bytes = new Uint8Array(
      Buffer.concat([
        Buffer.alloc(3000, 'noise\0\x01'),
        utf8('http://relay.osten.cn/agent/wordlist_u\0聊天记录上传\0'),
        wide('ein breiter Text\0'),
        Buffer.alloc(3001, '\0'),
        wide('聊天记录上传\0'),
        Buffer.alloc(5000, '\x02'),
        latin('the last text'),
      ]),
    );
    const sort = (list: ReturnType<typeof scan>): readonly string[] =>
      list.map((one) => JSON.stringify(one)).sort();
    const whole = sort(scan(bytes));
    expect(whole).toHaveLength(6);
    for (const chunkBytes of [1, 7, 64, 2047, 2048, 4096])
      expect(sort(scan(bytes, chunkBytes))).toEqual(whole);
  });
});
