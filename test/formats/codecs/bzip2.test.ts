import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Budget, defaultLimits } from '../../../src/bytes/budget.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import { decodeBzip2 } from '../../../src/formats/codecs/bzip2.ts';
import { createRandom, mutate } from '../../mutation.ts';
import { catchError, plain, readStream } from './streams.ts';

function* cutInto(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Everything that came before the fault, and the fault. */
function collect(chunks: Iterable<Uint8Array>): { bytes: Buffer; error: unknown } {
  const parts: Uint8Array[] = [];
  try {
    for (const chunk of chunks) parts.push(chunk);
  } catch (error) {
    return { bytes: Buffer.concat(parts), error };
  }
  return { bytes: Buffer.concat(parts), error: undefined };
}

const decode = (bytes: Uint8Array): ReturnType<typeof collect> => collect(decodeBzip2([bytes]));

describe('when the stream is good', () => {
  it('decodes what libbz2 wrote', () => {
    const { bytes, error } = decode(readStream('bzip2-plain.bin'));
    expect(error).toBeUndefined();
    expect(bytes.equals(plain)).toBe(true);
  });

  it('decodes several blocks, cut anywhere', () => {
    const stream = readStream('bzip2-blocks.bin');
    for (const size of [1, 7, 1000]) {
      const { bytes, error } = collect(decodeBzip2(cutInto(stream, size)));
      expect(error).toBeUndefined();
      expect(bytes.equals(Buffer.concat(Array.from({ length: 32 }, () => plain)))).toBe(true);
    }
  });

  it('decodes runs that are longer than one count', () => {
    const parts = Array.from({ length: 3000 }, (_, index) => Buffer.alloc((index * index) % 700, index % 7));
    const { bytes, error } = decode(readStream('bzip2-runs.bin'));
    expect(error).toBeUndefined();
    expect(bytes.equals(Buffer.concat(parts))).toBe(true);
  });

  it('decodes a stream without any block', () => {
    expect(decode(readStream('bzip2-empty.bin'))).toEqual({ bytes: Buffer.alloc(0), error: undefined });
  });

  it('leaves alone what stands behind the stream', () => {
    const stream = Buffer.concat([readStream('bzip2-plain.bin'), Buffer.from('more')]);
    expect(decode(stream).error).toBeUndefined();
  });
});

const hasBzip2 = spawnSync('bzip2', ['--help']).error === undefined;
if (!hasBzip2) console.warn('SKIPPED: bzip2 against its own program, because bzip2 is not installed');

describe.skipIf(!hasBzip2)('when bzip2 itself wrote the stream', () => {
  it('gives the same for 60 inputs of many kinds', () => {
    const random = createRandom(5);
    for (let round = 0; round < 60; round += 1) {
      const symbols = 1 + random(round % 2 === 0 ? 256 : 4);
      const input = Buffer.alloc(1 + random(30_000));
      for (let at = 0; at < input.length; ) {
        const run = random(5) === 0 ? random(600) : 1;
        input.fill(random(symbols), at, Math.min(input.length, at + run));
        at += run;
      }
      const packed = execFileSync('bzip2', [`-${1 + random(9)}`, '-c'], { input });
      const { bytes, error } = decode(packed);
      expect(error).toBeUndefined();
      expect(bytes.equals(input)).toBe(true);
    }
  });
});

describe('when the stream is damaged', () => {
  const stream = readStream('bzip2-plain.bin');

  it.each([
    ['no header', Uint8Array.of(0x42, 0x5a, 0x30, 0x39, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 'malformed/header'],
    [
      'an impossible level',
      Uint8Array.from([...Buffer.from('BZh0'), ...stream.subarray(4)]),
      'malformed/header',
    ],
    ['nothing', new Uint8Array(0), 'malformed/truncated'],
    ['no end', stream.subarray(0, stream.length - 4), 'malformed/truncated'],
    [
      'another block',
      Uint8Array.from([...Buffer.from('BZh9'), ...Buffer.alloc(20)]),
      'malformed/compressed-data',
    ],
  ] as const)('finds %s', (_name, bytes, code) => {
    expect(decode(bytes).error).toHaveProperty('code', code);
  });

  it('finds a wrong checksum of a block, after all its bytes', () => {
    const wrong = Uint8Array.from(stream);
    wrong[10] = (wrong[10] ?? 0) ^ 1;
    const { bytes, error } = decode(wrong);
    expect(bytes.equals(plain)).toBe(true);
    expect(error).toHaveProperty('code', 'malformed/checksum');
  });

  it('refuses a randomised block', () => {
    const wrong = Uint8Array.from(stream);
    wrong[14] = (wrong[14] ?? 0) | 0x80;
    expect(decode(wrong).error).toHaveProperty('code', 'unsupported/feature');
  });

  it('stops when the time is up', () => {
    let now = 0;
    const budget = new Budget(1, { ...defaultLimits, milliseconds: 5 }, () => now);
    now = 10;
    expect(catchError(() => [...decodeBzip2([stream], budget)])).toHaveProperty('code', 'limit/time');
  });

  it('never hangs, and is never silently wrong, for 2,000 mutants', () => {
    let silent = 0;
    for (const { bytes, description } of mutate(stream, 2000, 21)) {
      const started = performance.now();
      const { bytes: output, error } = decode(bytes);
      expect(performance.now() - started, description).toBeLessThan(2000);
      if (error !== undefined) expect(error, description).toBeInstanceOf(TelltaleError);
      else if (!output.equals(plain)) silent += 1;
    }
    expect(silent).toBe(0);
  });
});
