import { describe, expect, it } from 'vitest';
import { findAttribute, parseJarManifest, toDigests } from '../../src/authenticity/jar-manifest.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { mutate } from '../mutation.ts';

const parse = (text: string): ReturnType<typeof parseJarManifest> => parseJarManifest(Buffer.from(text));

describe('when a list of digests is read', () => {
  const text =
    'Manifest-Version: 1.0\r\nCreated-By: x\r\n\r\n' +
    'Name: a/very/long/na\r\n me/in/two/lines\r\nSHA-256-Digest: AQID\r\nSHA1-Digest: /w==\r\n\r\n' +
    'Name: b\nMD5-Digest: no base64!\n\n';

  it('gives sections by the name of the member', () => {
    const manifest = parse(text);
    expect(findAttribute(manifest.main, 'manifest-version')).toBe('1.0');
    expect([...manifest.members.keys()]).toEqual(['a/very/long/name/in/two/lines', 'b']);
    const section = manifest.members.get('a/very/long/name/in/two/lines');
    if (section === undefined) throw new Error('the section is there');
    expect(toDigests(section)).toEqual([
      { algorithm: 'sha256', value: '010203' },
      { algorithm: 'sha1', value: 'ff' },
    ]);
    // With the empty line behind it.
    expect(text.slice(section.start, section.end)).toMatch(/^Name: a[\s\S]*\r\n\r\n$/);
    expect(text.slice(section.end)).toMatch(/^Name: b/);
  });

  it('gives an empty digest for what is no base64, so that it never matches', () => {
    const section = parse(text).members.get('b');
    expect(section === undefined ? [] : toDigests(section)).toEqual([{ algorithm: 'md5', value: '' }]);
  });

  it('takes every line end, and leading empty lines', () => {
    for (const end of ['\r\n', '\n', '\r']) {
      const manifest = parse(`${end}${end}A: 1${end}${end}${end}Name: x${end}SHA-Digest: AA==`);
      expect(findAttribute(manifest.main, 'a')).toBe('1');
      expect([...manifest.members.keys()]).toEqual(['x']);
    }
  });

  it('keeps spaces at the ends of names, which obfuscators use', () => {
    expect([...parse('A: 1\n\nName:  x \n\n').members.keys()]).toEqual([' x ']);
  });

  it('counts repeated and nameless sections', () => {
    const manifest = parse('A: 1\n\nName: x\n\nName: x\n\nB: 2\n\n');
    expect(manifest.repeated).toEqual(['x']);
    expect(manifest.nameless).toBe(1);
  });

  it('refuses more lines and sections than any package has', () => {
    expect(() => parse(`A: 1\n${' \n'.repeat(1_000_001)}`)).toThrow(TelltaleError);
    expect(() => parse('A\n\n'.repeat(200_001))).toThrow(TelltaleError);
  });

  it('takes any bytes', () => {
    for (const { bytes } of mutate(Buffer.from(text), 2000, 31)) {
      const { members, main } = parseJarManifest(bytes);
      for (const { start, end } of [main, ...members.values()])
        expect(end).toBeLessThanOrEqual(bytes.length + start);
    }
    expect(parse('').members.size).toBe(0);
  });
});
