import { describe, expect, it } from 'vitest';
import type { MarkPlaces } from '../../src/bytes/mark-places.ts';
import { type CompiledDatabase, compile, encodeText } from '../../src/signatures/compile.ts';
import { type Hit, type Hits, Matcher } from '../../src/signatures/match.ts';
import type { Condition } from '../../src/signatures/schema.ts';
import { createRandom } from '../mutation.ts';
import { compileConditions, loadIndicators } from './database-fixture.ts';

function find(compiled: CompiledDatabase, bytes: Uint8Array, chunkBytes = bytes.length + 1): Matcher {
  const matcher = new Matcher(compiled);
  for (let at = 0; at < bytes.length; at += chunkBytes) matcher.update(bytes.subarray(at, at + chunkBytes));
  return matcher;
}

/** Offsets at which a condition matches, over all encodings. */
function offsets(condition: Condition, content: Uint8Array | string, chunkBytes?: number): number[] {
  const bytes = typeof content === 'string' ? encodeText(content, 'ascii') : content;
  const compiled = compileConditions([condition]);
  const hits = find(compiled, bytes, chunkBytes).finish();
  return compiled.probes
    .flatMap((probe) => hits.get(probe)?.first.map((hit) => hit.offset) ?? [])
    .sort((a, b) => a - b);
}

describe('when a host is looked for', () => {
  const host = { host: 'skype.tom.com' };
  const cases: readonly (readonly [text: string, plain: boolean, withSubdomains: boolean])[] = [
    ['skype.tom.com', true, true],
    ['SKYPE.Tom.com', true, true],
    ['http://skype.tom.com/download', true, true],
    ['see skype.tom.com.', true, true],
    ['user@skype.tom.com:80', true, true],
    ['.skype.tom.com', true, true],
    ['download.skype.tom.com', false, true],
    ['a_b.skype.tom.com', false, true],
    ['xskype.tom.com', false, false],
    ['x-skype.tom.com', false, false],
    ['-skype.tom.com', false, false],
    ['skype.tom.com.evil.org', false, false],
    ['skype.tom.community', false, false],
    ['skype.tom.com-x', false, false],
    ['skype.tom.com9', false, false],
    ['skypeXtom.com', false, false],
  ];

  it.each(cases)('%s', (text, plain, withSubdomains) => {
    for (const encoding of ['ascii', 'utf-16le'] as const) {
      const bytes = encodeText(text, encoding);
      expect(offsets(host, bytes).length).toBe(plain ? 1 : 0);
      expect(offsets({ ...host, subdomains: true }, bytes).length).toBe(withSubdomains ? 1 : 0);
    }
  });

  it('takes the length before a string of a DEX file for a length, not for a letter', () => {
    const address = `skype.tom.com/${'x'.repeat(0x30 - 14)}`;
    expect(offsets(host, `0${address}\0`)).toEqual([1]);
    expect(offsets(host, `1${address}\0`)).toEqual([]);
    expect(offsets(host, `0${address}x\0`)).toEqual([]);
  });

  it('finds UTF-16 text at odd offsets, and no mixture of encodings', () => {
    const wide = encodeText('skype.tom.com', 'utf-16le');
    expect(offsets(host, Uint8Array.of(1, ...wide))).toEqual([1]);
    expect(
      offsets(
        host,
        encodeText('skype.tom.', 'ascii').map((byte) => byte),
      ),
    ).toEqual([]);
  });
});

describe('when text is looked for', () => {
  it('counts case unless told otherwise', () => {
    expect(offsets({ text: 'TOM-Skype' }, 'tom-skype TOM-Skype')).toEqual([10]);
    expect(offsets({ text: 'TOM-Skype', ignoreCase: true }, 'tom-skype TOM-Skype')).toEqual([0, 10]);
  });

  it('looks in the encodings asked for only', () => {
    const wide = encodeText('TOM-Skype', 'utf-16le');
    expect(offsets({ text: 'TOM-Skype', encodings: ['ascii'] }, wide)).toEqual([]);
    expect(offsets({ text: 'TOM-Skype', encodings: ['utf-16le'] }, wide)).toEqual([0]);
  });

  it('finds text beyond ASCII in UTF-8 and in UTF-16', () => {
    expect(offsets({ text: '荣守京' }, 'x荣守京')).toEqual([1]);
    expect(offsets({ text: '荣守京' }, encodeText('x荣守京', 'utf-16le'))).toEqual([2]);
  });

  it('ignores the case of letters only, not of halves of other characters', () => {
    // U+4161 and U+6161 differ where A and a differ.
    expect(offsets({ text: 'ab\u4161', ignoreCase: true }, encodeText('AB\u4161', 'utf-16le'))).toEqual([0]);
    expect(offsets({ text: 'ab\u4161', ignoreCase: true }, encodeText('AB\u6161', 'utf-16le'))).toEqual([]);
  });

  it('asks for whole words where told', () => {
    const rover = { text: 'rover', ignoreCase: true, wholeWord: true };
    expect(offsets(rover, 'Proverite PagerOverwrite rover, Rover')).toEqual([25, 32]);
    expect(offsets(rover, 'rover_2 2rover')).toEqual([]);
    expect(offsets(rover, encodeText('a rover', 'utf-16le'))).toEqual([4]);
  });

  it('finds bytes exactly', () => {
    expect(
      offsets(
        { bytes: '41424344ff' },
        Uint8Array.of(0x61, 0x42, 0x43, 0x44, 0xff, 0x41, 0x42, 0x43, 0x44, 0xff),
      ),
    ).toEqual([5]);
  });

  it('does not find what begins before the first byte', () => {
    expect(offsets({ bytes: '0000000041' }, Uint8Array.of(0, 0, 0, 0x41, 0, 0, 0, 0, 0x41))).toEqual([4]);
  });
});

describe('when a regular expression is looked for', () => {
  const version = { regex: 'skype_ver=[0-9.]+', anchor: 'skype_ver=' };

  it('records the match around its anchor', () => {
    const compiled = compileConditions([version]);
    const bytes = encodeText('?a=1&skype_ver=5.1.4.98&b skype_ver=x', 'ascii');
    const hits = find(compiled, bytes).finish();
    const [first] = compiled.probes;
    expect(first && hits.get(first)).toMatchObject({ count: 1, first: [{ offset: 5, length: 18 }] });
  });

  it('finds it in UTF-16, also behind a byte order mark', () => {
    expect(offsets(version, encodeText('\ufeff?skype_ver=5.1.4.98', 'utf-16le'))).toEqual([4]);
    expect(offsets(version, Uint8Array.of(7, ...encodeText('\ufeff?skype_ver=5.1', 'utf-16le')))).toEqual([
      5,
    ]);
  });

  it('tells offsets in bytes beside text beyond ASCII and broken UTF-8', () => {
    expect(offsets(version, Uint8Array.of(0xff, ...encodeText('荣\u0000skype_ver=5', 'ascii')))).toEqual([5]);
  });

  it('counts one match with two anchors once, and two matches twice', () => {
    const double = { regex: 'tom,(?:tom,)*end', anchor: 'tom,' };
    expect(offsets(double, 'tom,tom,tom,end tom,end')).toEqual([0, 16]);
  });

  it('reaches 512 bytes and no further', () => {
    const far = { regex: 'begin.*tom!', anchor: 'tom!', encodings: ['ascii' as const] };
    expect(offsets(far, `begin${' '.repeat(507)}tom!`)).toEqual([0]);
    expect(offsets(far, `begin${' '.repeat(508)}tom!`)).toEqual([]);
  });

  it('sees case as told', () => {
    expect(offsets({ ...version, ignoreCase: true }, 'SKYPE_VER=5')).toEqual([0]);
    expect(offsets(version, 'SKYPE_VER=5')).toEqual([]);
  });

  it('stops trying when there are too many places, and says so', () => {
    const matcher = find(
      compileConditions([{ regex: 'tom!x', anchor: 'tom!' }]),
      encodeText('tom!'.repeat(5001), 'ascii'),
    );
    expect(matcher.finish().isCutShort).toBe(true);
    const fewer = find(
      compileConditions([{ regex: 'tom!x', anchor: 'tom!' }]),
      encodeText('tom!'.repeat(100), 'ascii'),
    );
    expect(fewer.finish().isCutShort).toBe(false);
  });
});

describe('when the bytes come in chunks', () => {
  const conditions: readonly Condition[] = [
    { host: 'skype.tom.com' },
    { text: 'TOM-Skype', wholeWord: true },
    { regex: '/agent/[a-z_]+', anchor: '/agent/' },
    { bytes: 'deadbeef' },
  ];
  const compiled = compileConditions(conditions);

  function collect(
    bytes: Uint8Array,
    chunkBytes?: number,
  ): readonly { count: number; first: readonly Hit[] }[] {
    const hits = find(compiled, bytes, chunkBytes).finish();
    return compiled.probes.map((probe) => hits.get(probe) ?? { count: 0, first: [] });
  }

  it('finds the same for chunks of any size', () => {
    const text = 'xskype.tom.com skype.tom.com/agent/keyfile_u TOM-Skype TOM-Skypes';
    const bytes = Uint8Array.from([
      ...encodeText(text, 'ascii'),
      0xde,
      0xad,
      0xbe,
      0xef,
      ...encodeText(text, 'utf-16le'),
    ]);
    const whole = collect(bytes);
    expect(whole.map(({ count }) => count)).toEqual([1, 1, 1, 1, 1, 1, 1]);
    for (let chunkBytes = 1; chunkBytes < bytes.length; chunkBytes += 1)
      expect(collect(bytes, chunkBytes)).toEqual(whole);
  });

  it('finds what lies across the border of two windows, wherever it lies', () => {
    const mark = encodeText(' skype.tom.com/agent/keyfile ', 'utf-16le');
    for (let shift = -1400; shift <= 100; shift += 13) {
      const bytes = new Uint8Array(600_000).fill(0x2e);
      const at = 256 * 1024 + shift;
      bytes.set(mark, at);
      const [host, , , , , regex] = [...collect(bytes, 100_000)].sort((a, b) => b.count - a.count);
      expect(host?.first[0]?.offset).toBe(at + 2);
      expect(regex?.count).toBe(0);
      expect(offsets({ host: 'skype.tom.com' }, bytes.subarray(0, at + mark.length), 70_000)).toEqual([
        at + 2,
      ]);
    }
  });

  it('keeps the first 16 of many, counts all, and shows 64 bytes at most', () => {
    const bytes = encodeText('skype.tom.com\n'.repeat(50_000), 'ascii');
    const [host] = collect(bytes, 65_536);
    expect(host?.count).toBe(50_000);
    expect(host?.first.map(({ offset }) => offset)).toEqual(
      Array.from({ length: 16 }, (_, index) => index * 14),
    );
    const third = host?.first[2];
    expect(third?.bytes.length).toBe(24 + 13 + 24);
    expect(third?.bytesBefore).toBe(24);
    expect(host?.first[0]?.bytesBefore).toBe(0);
  });

  it('shows the first 64 bytes of a longer match', () => {
    const long = 'y'.repeat(100);
    const one = compileConditions([{ text: long }]);
    const [probe] = one.probes;
    const hits = find(one, encodeText(`ab${long}cd`, 'ascii')).finish();
    expect(probe && hits.get(probe)?.first[0]?.bytes.length).toBe(64);
  });

  it('finds nothing in an empty artifact, and in a database without literals', () => {
    expect(find(compiled, new Uint8Array(0)).finish().isCutShort).toBe(false);
    const none = compileConditions([{ fileName: 'a.exe' }]);
    const matcher = find(none, encodeText('a.exe', 'ascii'));
    expect(matcher.hasPatterns).toBe(false);
    expect(none.probes).toEqual([]);
  });
});

describe('when parts are looked through in the same pass', () => {
  const conditions: readonly Condition[] = [
    { host: 'skype.tom.com' },
    { text: 'TOM-Skype', wholeWord: true },
    { regex: '/agent/[a-z_]+', anchor: '/agent/' },
    { bytes: 'deadbeef' },
  ];
  const marks = [Buffer.from('MZ!'), Buffer.from('tom')].map((one) => new Uint8Array(one));
  const compiled = compileConditions(conditions, ['any'], marks);

  /** Everything that hits tell, as a text: quicker to compare. */
  const toTold = (hits: Hits): string =>
    JSON.stringify([compiled.probes.map((probe) => hits.get(probe)), hits.isCutShort, hits.marks]);

  /** Words of all kinds, close to each other, so that there is always one across a border. */
  function makeText(size: number, seed: number): Uint8Array {
    const random = createRandom(seed);
    const words = [
      'skype.tom.com',
      'TOM-Skype',
      '77/agent/keyfile_u',
      'MZ!',
      ' ',
      '.',
      'x',
      '\u00de\u00ad\u00be\u00ef',
      'x'.repeat(300),
    ];
    const pieces: Uint8Array[] = [];
    for (let length = 0; length < size; length += pieces.at(-1)?.length ?? 0) {
      const word = words[random(words.length)] ?? '';
      pieces.push(
        random(3) === 0 ? encodeText(word, 'utf-16le') : new Uint8Array(Buffer.from(word, 'latin1')),
      );
    }
    return new Uint8Array(Buffer.concat(pieces).subarray(0, size));
  }

  it('finds in each what is found in it alone, and in the whole what is found without parts', () => {
    for (const [seed, partBytes] of [700, 40_000, 262_144, 300_001].entries()) {
      const bytes = makeText(620_000, seed);
      const random = createRandom(seed);
      const matcher = new Matcher(compiled);
      const parts: { readonly bytes: Uint8Array; readonly hits: () => Hits }[] = [];
      for (let at = random(50); at + partBytes <= bytes.length; at += partBytes + random(3) * random(900)) {
        const part = bytes.subarray(at, at + partBytes);
        parts.push({ bytes: part, hits: matcher.addPart(at, partBytes) });
      }
      for (let at = 0; at < bytes.length; at += 99_999) matcher.update(bytes.subarray(at, at + 99_999));
      expect(toTold(matcher.finish())).toEqual(toTold(find(compiled, bytes).finish()));
      expect(parts.length).toBeGreaterThan(1);
      for (const part of parts)
        expect(toTold(part.hits())).toEqual(toTold(find(compiled, part.bytes).finish()));
    }
  });

  it('finds nothing in parts when there is nothing to look for', () => {
    const matcher = new Matcher(compileConditions([]));
    const hits = matcher.addPart(0, 10);
    matcher.update(new Uint8Array(10));
    expect([...matcher.finish().probes]).toEqual([]);
    expect([...hits().probes]).toEqual([]);
  });
});

describe('when a thousand literals are looked for', () => {
  it('reads at least 100 MB/s', () => {
    const random = createRandom(5);
    const letters = 'abcdefghijklmnopqrstuvwxyz./-_0123456789';
    const words = Array.from({ length: 1000 }, () =>
      Array.from({ length: 10 + random(12) }, () => letters[random(40)]).join(''),
    );
    const compiled = compileConditions(words.map((text) => ({ text })));
    const bytes = Uint8Array.from({ length: 8 << 20 }, () => random(256));
    for (let at = 0; at < bytes.length; at += 50_000)
      bytes.set(encodeText(words[(at / 50_000) % 1000] ?? '', 'ascii'), at);
    // The best of some rounds: the machine does other things too.
    let best = 0;
    for (let round = 0; round < 8 && best < 100; round += 1) {
      const began = performance.now();
      find(compiled, bytes, 1 << 20).finish();
      best = Math.max(best, bytes.length / 1e3 / (performance.now() - began));
    }
    expect(best).toBeGreaterThan(100);
  });
});

describe('when the places of marks are wanted', () => {
  const marks = [Buffer.from('MARK'), Buffer.from('ARK\0'), Buffer.from('tom')].map(
    (one) => new Uint8Array(one),
  );
  const compiled = compile(loadIndicators([]), undefined, marks);
  const placesOf = (bytes: Uint8Array, chunkBytes?: number): MarkPlaces =>
    find(compiled, bytes, chunkBytes).finish().marks;

  it('notes them all in their order, with their exact bytes, whatever the chunks', () => {
    const random = createRandom(5);
    const bytes = Uint8Array.from({ length: 300_000 }, () => random(256));
    const all = Buffer.from(bytes.buffer);
    for (const word of ['MARK\0', 'mark\0', 'Mark', 'tom', 'TOM', 'MARtom'])
      for (let copy = 0; copy < 30; copy += 1) all.write(word, random(bytes.length - 8), 'latin1');
    const expected = marks
      .flatMap((mark, index) => {
        const places: [number, number][] = [];
        for (let at = all.indexOf(mark); at >= 0; at = all.indexOf(mark, at + 1)) places.push([index, at]);
        return places;
      })
      .sort(([, a], [, b]) => a - b);
    expect(expected.length).toBeGreaterThan(100);
    for (const chunkBytes of [undefined, 1000, 262_144])
      expect(placesOf(bytes, chunkBytes)).toEqual({ found: expected, end: Number.POSITIVE_INFINITY });
  });

  it('stops noting them where there are too many, and says from where on', () => {
    const bytes = new Uint8Array(Buffer.from('tom'.repeat(120_000)));
    const { found, end } = placesOf(bytes);
    expect(found).toEqual(Array.from({ length: found.length }, (_, index) => [2, index * 3]));
    expect(end).toBeLessThan(bytes.length);
    expect(found.length).toBe(Math.ceil(end / 3));
  });
});
