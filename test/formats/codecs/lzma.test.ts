import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { encodeLzma } from '../../../fixtures/codecs/encode-lzma.ts';
import { Budget, defaultLimits } from '../../../src/bytes/budget.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import {
  decodeLzma,
  decodeLzma2Into,
  decodeLzmaChunks,
  decodeLzmaInto,
} from '../../../src/formats/codecs/lzma.ts';
import { mutate } from '../../mutation.ts';
import { catchError, plain, readStream } from './streams.ts';

const propertySets = [
  { lc: 3, lp: 0, pb: 2 },
  { lc: 0, lp: 2, pb: 0 },
  { lc: 4, lp: 0, pb: 4 },
  { lc: 0, lp: 4, pb: 1 },
  { lc: 4, lp: 0, pb: 0 },
] as const;
const usual = propertySets[0];
const usualStream = readStream('lzma-3-0-2.bin');

const python = spawnSync('/usr/bin/python3', ['-c', 'import lzma']).status === 0;
// oxlint-disable-next-line no-console
if (!python) console.warn('SKIPPED: our LZMA writer against liblzma, because python3 is not installed');

function* cutInto(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

/** The chunks of a stream, and what ended it. */
function collect(chunks: Iterable<Uint8Array>): { bytes: Buffer; error: unknown } {
  const taken: Uint8Array[] = [];
  try {
    for (const chunk of chunks) taken.push(chunk);
  } catch (error) {
    return { bytes: Buffer.concat(taken), error };
  }
  return { bytes: Buffer.concat(taken), error: undefined };
}

describe('when the stream was made by liblzma', () => {
  it.each(propertySets)('decodes lc $lc, lp $lp, pb $pb', (properties) => {
    const stream = readStream(`lzma-${properties.lc}-${properties.lp}-${properties.pb}.bin`);
    const output = decodeLzma(stream, { ...properties, outputBytes: plain.length });
    expect(Buffer.from(output).equals(plain)).toBe(true);
    for (const step of [1, 7, 5000]) {
      const chunks = decodeLzmaChunks(cutInto(stream, step), { ...properties, dictionaryBytes: 1 << 16 });
      expect(collect(chunks)).toEqual({ bytes: Buffer.from(plain), error: undefined });
    }
  });

  it('decodes LZMA2', () => {
    const stream = readStream('lzma2-3-0-2.bin');
    const output = new Uint8Array(plain.length);
    expect(decodeLzma2Into(stream, output)).toEqual({ outputBytes: plain.length, inputBytes: stream.length });
    expect(Buffer.from(output).equals(plain)).toBe(true);
  });
});

describe('when the stream was made by our own writer', () => {
  const sets = [...propertySets, { lc: 8, lp: 4, pb: 4 }];

  it.each(sets)('decodes lc $lc, lp $lp, pb $pb', (properties) => {
    const output = new Uint8Array(plain.length);
    const stream = encodeLzma(plain, properties);
    expect(decodeLzmaInto(stream, output, properties).fault).toBeUndefined();
    expect(Buffer.from(output).equals(plain)).toBe(true);
  });

  it.skipIf(!python)('is also decoded by liblzma', () => {
    const script = [
      'import lzma, sys',
      'f = [dict(id=lzma.FILTER_LZMA1, lc=3, lp=0, pb=2, dict_size=1 << 20)]',
      'sys.stdout.buffer.write(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=f).decompress(sys.stdin.buffer.read(), 8192))',
    ].join('\n');
    const { stdout } = spawnSync('/usr/bin/python3', ['-c', script], { input: encodeLzma(plain, usual) });
    expect(stdout.equals(plain)).toBe(true);
  });
});

describe('when the window is smaller than the stream', () => {
  it('slides', () => {
    const long = new Uint8Array(1_500_000);
    for (let at = 0; at < long.length; at += 1)
      long[at] = (at >> 8) % 7 === 0 ? at & 0xff : (at >> 11) & 0xff;
    const stream = encodeLzma(long, usual, { endMarker: true, dictionaryBytes: 1 << 16 });
    const reach = decodeLzmaChunks(cutInto(stream, 1000), { ...usual, dictionaryBytes: 1 << 16 });
    const { bytes, error } = collect(reach);
    expect(error).toBeUndefined();
    expect(bytes.equals(long)).toBe(true);
  });

  it('refuses matches from further back', () => {
    const output = new Uint8Array(plain.length);
    const decoded = decodeLzmaInto(usualStream, output, usual, { dictionaryBytes: 64 });
    expect(decoded.fault?.code).toBe('malformed/compressed-data');
    expect(decoded.outputBytes).toBeGreaterThan(64);
    expect(Buffer.from(output.subarray(0, decoded.outputBytes))).toEqual(
      Buffer.from(plain.subarray(0, decoded.outputBytes)),
    );
  });
});

describe('when the stream is cut', () => {
  it('gives what comes before, and says where it ends', () => {
    for (let length = 1600; length >= 0; length -= 41) {
      const output = new Uint8Array(plain.length);
      const cut = usualStream.subarray(0, length);
      const decoded = decodeLzmaInto(cut, output, usual);
      expect(decoded.fault?.code).toBe('malformed/truncated');
      expect(decoded.fault?.offset).toBe(length);
      const expected = Buffer.from(plain.subarray(0, decoded.outputBytes));
      expect(Buffer.from(output.subarray(0, decoded.outputBytes))).toEqual(expected);

      const chunks = collect(decodeLzmaChunks([cut], { ...usual, dictionaryBytes: 1 << 16 }));
      expect(chunks.error).toHaveProperty('code', 'malformed/truncated');
      expect(chunks.bytes).toEqual(expected);
    }
  });

  it('throws without a partial result when all is wanted', () => {
    const error = catchError(() => decodeLzma(usualStream.subarray(0, 900), { ...usual, outputBytes: 8192 }));
    expect(error).toBeInstanceOf(TelltaleError);
    expect(error).toHaveProperty('code', 'malformed/truncated');
  });
});

describe('when the promised size is wrong', () => {
  it('says so', () => {
    const shorter = decodeLzmaInto(usualStream, new Uint8Array(8193), usual);
    expect(shorter.fault?.code).toBe('malformed/size-mismatch');
    expect(shorter.outputBytes).toBe(8192);
    const chunks = collect(
      decodeLzmaChunks([usualStream], { ...usual, dictionaryBytes: 1 << 16, outputBytes: 8193 }),
    );
    expect(chunks.error).toHaveProperty('code', 'malformed/size-mismatch');
    expect(chunks.bytes).toHaveLength(8192);
  });

  it('stops at the size when the stream goes on', () => {
    const output = decodeLzmaInto(encodeLzma(new Uint8Array(1000), usual), new Uint8Array(500), usual);
    expect(output.fault?.code).toBe('malformed/size-mismatch');
    expect(output.outputBytes).toBe(500);
  });
});

describe('when the start is wrong', () => {
  it('refuses properties out of range', () => {
    for (const properties of [
      { lc: 9, lp: 0, pb: 0 },
      { lc: 0, lp: 5, pb: 0 },
      { lc: 0, lp: 0, pb: 5 },
      { lc: -1, lp: 0, pb: 0 },
      { lc: Number.NaN, lp: 0, pb: 0 },
    ]) {
      const { fault } = decodeLzmaInto(usualStream, new Uint8Array(10), properties);
      expect(fault?.code).toBe('malformed/compressed-data');
    }
  });

  it('refuses a first byte that is not zero', () => {
    const stream = Uint8Array.from(usualStream);
    stream[0] = 1;
    expect(decodeLzmaInto(stream, new Uint8Array(10), usual).fault?.code).toBe('malformed/compressed-data');
  });
});

describe('when the budget does not allow it', () => {
  it('refuses before it allocates', () => {
    const memory = new Budget(100, { ...defaultLimits, memberBytesInMemory: 8000 });
    expect(
      catchError(() => decodeLzma(usualStream, { ...usual, outputBytes: 8192, budget: memory })),
    ).toHaveProperty('code', 'limit/memory');
    const bytes = new Budget(100, { ...defaultLimits, bytesProduced: 8000 });
    expect(
      catchError(() => decodeLzma(usualStream, { ...usual, outputBytes: 8192, budget: bytes })),
    ).toHaveProperty('code', 'limit/bytes');
    const huge = decodeLzmaChunks([usualStream], { ...usual, dictionaryBytes: 0xffffffff, budget: memory });
    expect(collect(huge).error).toHaveProperty('code', 'limit/memory');
  });

  it('stops when the time is up', () => {
    let now = 0;
    const budget = new Budget(1, { ...defaultLimits, milliseconds: 5 }, () => now);
    now = 10;
    const decoded = decodeLzmaInto(usualStream, new Uint8Array(8192), usual, { budget });
    expect(decoded.fault?.code).toBe('limit/time');
  });
});

describe('when the LZMA2 chunks are wrong', () => {
  it.each([
    ['no dictionary reset', [0x02, 0, 0, 65, 0]],
    ['an unknown kind', [0x01, 0, 0, 65, 0x03, 0, 0, 65, 0]],
    ['no properties', [0x01, 0, 0, 65, 0x80, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]],
    ['properties out of range', [0xe0, 0, 0, 0, 5, 0xff, 0, 0, 0, 0, 0, 0, 0]],
  ] as const)('finds %s', (_name, bytes) => {
    const decoded = decodeLzma2Into(Uint8Array.from(bytes), new Uint8Array(10));
    expect(decoded.fault?.code).toBe('malformed/compressed-data');
  });

  it('decodes stored chunks', () => {
    const output = new Uint8Array(3);
    const decoded = decodeLzma2Into(Uint8Array.of(0x01, 0, 1, 65, 66, 0x02, 0, 0, 67, 0), output);
    expect(decoded).toEqual({ outputBytes: 3, inputBytes: 10 });
    expect([...output]).toEqual([65, 66, 67]);
  });
});

describe('when the stream is damaged', () => {
  it.each(propertySets)(
    'never throws, hangs or overruns: 500 mutants of lc $lc, lp $lp, pb $pb',
    (properties) => {
      const stream = readStream(`lzma-${properties.lc}-${properties.lp}-${properties.pb}.bin`);
      const output = new Uint8Array(plain.length);
      for (const { bytes, description } of mutate(stream, 500, 11)) {
        const start = performance.now();
        const decoded = decodeLzmaInto(bytes, output, properties);
        expect(performance.now() - start, description).toBeLessThan(1000);
        expect(decoded.outputBytes, description).toBeLessThanOrEqual(output.length);
        expect(decoded.inputBytes, description).toBeLessThanOrEqual(bytes.length);
        if (decoded.fault === undefined) expect(decoded.outputBytes, description).toBe(output.length);
      }
    },
  );

  it('gives the same from the streaming decoder for 500 mutants', () => {
    const output = new Uint8Array(plain.length);
    for (const { bytes, description } of mutate(usualStream, 500, 12)) {
      const whole = decodeLzmaInto(bytes, output, usual);
      const options = { ...usual, dictionaryBytes: 1 << 16, outputBytes: plain.length };
      const { bytes: chunked, error } = collect(decodeLzmaChunks(cutInto(bytes, 100), options));
      expect(chunked.equals(output.subarray(0, whole.outputBytes)), description).toBe(true);
      expect(error instanceof TelltaleError ? error.code : error, description).toBe(whole.fault?.code);
    }
  });

  it('never throws for 500 mutants of LZMA2', () => {
    const output = new Uint8Array(plain.length);
    for (const { bytes, description } of mutate(readStream('lzma2-3-0-2.bin'), 500, 13)) {
      const decoded = decodeLzma2Into(bytes, output);
      expect(decoded.outputBytes, description).toBeLessThanOrEqual(output.length);
    }
  });
});
