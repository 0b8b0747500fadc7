import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Budget, defaultLimits } from '../../../src/bytes/budget.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import { decodeLzma2Chunks, decodeLzma2Into } from '../../../src/formats/codecs/lzma.ts';
import { createRandom, mutate } from '../../mutation.ts';
import { catchError, plain, readStream } from './streams.ts';

const stream = readStream('lzma2-3-0-2.bin');
const options = { dictionaryBytes: 1 << 16 };

function* cutInto(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function collect(chunks: Iterable<Uint8Array>): { bytes: Buffer; error: unknown } {
  const parts: Uint8Array[] = [];
  try {
    for (const chunk of chunks) parts.push(chunk);
  } catch (error) {
    return { bytes: Buffer.concat(parts), error };
  }
  return { bytes: Buffer.concat(parts), error: undefined };
}

describe('when the stream is good', () => {
  it('decodes it, cut anywhere', () => {
    for (const size of [1, 13, 4096]) {
      const { bytes, error } = collect(decodeLzma2Chunks(cutInto(stream, size), options));
      expect(error).toBeUndefined();
      expect(bytes.equals(plain)).toBe(true);
    }
  });

  it('decodes stored chunks', () => {
    const stored = Uint8Array.of(0x01, 0, 1, 65, 66, 0x02, 0, 0, 67, 0);
    expect(collect(decodeLzma2Chunks([stored], options)).bytes.toString()).toBe('ABC');
  });
});

const hasXz = spawnSync('xz', ['--version']).error === undefined;
if (!hasXz) console.warn('SKIPPED: LZMA2 against xz, because xz is not installed');

describe.skipIf(!hasXz)('when xz wrote the stream', () => {
  it('slides its window over more than the dictionary', () => {
    const random = createRandom(9);
    const words = Array.from({ length: 300 }, () =>
      Buffer.from(Array.from({ length: 2 + random(30) }, () => random(256))),
    );
    const parts: Buffer[] = [];
    let size = 0;
    while (size < 3_000_000) {
      const next =
        random(40) === 0
          ? Buffer.alloc(random(3000), random(256))
          : (words[random(words.length)] ?? Buffer.alloc(1));
      parts.push(next);
      size += next.length;
    }
    const input = Buffer.concat(parts);
    for (const dictionary of ['4KiB', '64KiB', '1MiB', '8MiB']) {
      const packed = execFileSync('xz', ['-c', '--format=raw', `--lzma2=preset=2,dict=${dictionary}`], {
        input,
        maxBuffer: 1 << 26,
      });
      const dictionaryBytes = Number.parseInt(dictionary, 10) * (dictionary.endsWith('KiB') ? 1024 : 1 << 20);
      const { bytes, error } = collect(decodeLzma2Chunks(cutInto(packed, 65_536), { dictionaryBytes }));
      expect(error).toBeUndefined();
      expect(bytes.equals(input)).toBe(true);
    }
  });
});

describe('when the stream is damaged', () => {
  it.each([
    ['no dictionary reset', [0x02, 0, 0, 65, 0], 'malformed/compressed-data'],
    ['an unknown kind', [0x01, 0, 0, 65, 0x03, 0, 0, 65, 0], 'malformed/compressed-data'],
    ['no properties', [0x01, 0, 0, 65, 0x80, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0], 'malformed/compressed-data'],
    ['properties out of range', [0xe0, 0, 0, 0, 5, 0xff, 0, 0, 0, 0, 0, 0, 0], 'malformed/compressed-data'],
    ['an end in the middle', [0x01, 0, 9, 65], 'malformed/truncated'],
    ['nothing', [], 'malformed/truncated'],
  ] as const)('finds %s', (_name, bytes, code) => {
    expect(collect(decodeLzma2Chunks([Uint8Array.from(bytes)], options)).error).toHaveProperty('code', code);
  });

  it('does as the decoder into a buffer for 2,000 mutants', () => {
    // Room for what a damaged chunk may promise.
    const output = new Uint8Array(1 << 23);
    for (const { bytes, description } of mutate(stream, 2000, 31)) {
      const started = performance.now();
      const { bytes: chunked, error } = collect(decodeLzma2Chunks(cutInto(bytes, 100), options));
      expect(performance.now() - started, description).toBeLessThan(1000);
      if (error !== undefined) expect(error, description).toBeInstanceOf(TelltaleError);
      const whole = decodeLzma2Into(bytes, output, options);
      const compared = Math.min(chunked.length, output.length);
      expect(
        chunked.subarray(0, compared).equals(output.subarray(0, Math.min(whole.outputBytes, compared))),
        description,
      ).toBe(true);
    }
  });

  it('refuses a dictionary that does not fit in memory, and stops when the time is up', () => {
    const small = new Budget(1, { ...defaultLimits, memberBytesInMemory: 1 << 20 });
    const huge = { dictionaryBytes: 0xffff_ffff, budget: small };
    expect(catchError(() => [...decodeLzma2Chunks([stream], huge)])).toHaveProperty('code', 'limit/memory');
    let now = 0;
    const late = new Budget(1, { ...defaultLimits, milliseconds: 5 }, () => now);
    now = 10;
    expect(catchError(() => [...decodeLzma2Chunks([stream], { ...options, budget: late })])).toHaveProperty(
      'code',
      'limit/time',
    );
  });
});
