import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { encodeLzma } from '../../../fixtures/codecs/encode-lzma.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import {
  decodeLzma2Chunks,
  decodeLzma2Into,
  decodeLzmaChunks,
  decodeLzmaInto,
  type LzmaProperties,
} from '../../../src/formats/codecs/lzma.ts';
import type { LzmaCore, LzmaCoreFactory } from '../../../src/formats/codecs/lzma-core.ts';
import { createPlainCore } from '../../../src/formats/codecs/lzma-plain.ts';
import { createWasmCore } from '../../../src/formats/codecs/lzma-wasm.ts';
import { createRandom, mutate } from '../../mutation.ts';
import { plain, readStream } from './streams.ts';

const hasXz = spawnSync('xz', ['--version']).error === undefined;
if (!hasXz) console.warn('SKIPPED: the LZMA kernel on streams of xz, because xz is not installed');

const usual: LzmaProperties = { lc: 3, lp: 0, pb: 2 };
const propertySets: readonly LzmaProperties[] = [
  usual,
  { lc: 0, lp: 2, pb: 0 },
  { lc: 4, lp: 0, pb: 4 },
  { lc: 0, lp: 4, pb: 1 },
  { lc: 4, lp: 0, pb: 0 },
];
/** A ring of this dictionary is 64 KiB with no byte to spare. */
const tightDictionaryBytes = 65_536 - 64;

type Random = (bound: number) => number;

/** Cuts bytes anywhere: most pieces are small, some empty, some large. */
function* cutAnywhere(bytes: Uint8Array, random: Random): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const length = random(4) === 0 ? random(100_000) : random(60);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** What a stream gives: its bytes, and the error with its place. */
function collect(chunks: Iterable<Uint8Array>): { bytes: Buffer; error: unknown } {
  const parts: Uint8Array[] = [];
  try {
    for (const chunk of chunks) parts.push(chunk);
  } catch (error) {
    return { bytes: Buffer.concat(parts), error: toPlain(error) };
  }
  return { bytes: Buffer.concat(parts), error: undefined };
}

function toPlain(error: unknown): unknown {
  if (!(error instanceof TelltaleError)) throw error;
  return { code: error.code, message: error.message, offset: error.offset };
}

function expectSame(
  decode: (createCore: LzmaCoreFactory) => { bytes: Uint8Array; error: unknown },
  description: string,
): { bytes: Uint8Array; error: unknown } {
  const expected = decode(createPlainCore);
  const actual = decode(createWasmCore);
  expect(actual.error, description).toEqual(expected.error);
  expect(Buffer.compare(actual.bytes, expected.bytes), description).toBe(0);
  return actual;
}

/** Decodes the same bytes in each way there is, with both decoders. @returns what the stream gave */
function compareLzma(
  bytes: Uint8Array,
  options: LzmaProperties & { readonly dictionaryBytes: number; readonly outputBytes?: number },
  size: number,
  seed: number,
  description: string,
): { bytes: Uint8Array; error: unknown } {
  for (const dictionaryBytes of [options.dictionaryBytes, undefined]) {
    expectSame((createCore) => {
      const output = new Uint8Array(size);
      const into = dictionaryBytes === undefined ? {} : { dictionaryBytes };
      const { fault, ...lengths } = decodeLzmaInto(bytes, output, options, into, createCore);
      return { bytes: output, error: [lengths, fault && toPlain(fault)] };
    }, description);
  }
  return expectSame(
    (createCore) => collect(decodeLzmaChunks(cutAnywhere(bytes, createRandom(seed)), options, createCore)),
    description,
  );
}

function compareLzma2(
  bytes: Uint8Array,
  dictionaryBytes: number,
  size: number,
  seed: number,
  description: string,
): { bytes: Uint8Array; error: unknown } {
  expectSame((createCore) => {
    const output = new Uint8Array(size);
    const { fault, ...lengths } = decodeLzma2Into(bytes, output, { dictionaryBytes }, createCore);
    return { bytes: output, error: [lengths, fault && toPlain(fault)] };
  }, description);
  return expectSame(
    (createCore) =>
      collect(decodeLzma2Chunks(cutAnywhere(bytes, createRandom(seed)), { dictionaryBytes }, createCore)),
    description,
  );
}

/** Words, runs of short periods, noise, and copies from up to `reach` bytes before. */
function makeData(size: number, reach: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  const data = new Uint8Array(size);
  for (let at = 0; at < size; ) {
    const kind = random(6);
    const length = Math.min(size - at, 1 + random(kind === 0 ? 1200 : 40));
    const distance = kind < 2 ? 1 + random(20) : 1 + random(reach);
    for (const end = at + length; at < end; at += 1) {
      data[at] = kind === 5 || distance > at ? random(256) : (data[at - distance] ?? 0);
    }
  }
  return data;
}

function pack(input: Uint8Array, filter: string): Uint8Array {
  return execFileSync('xz', ['-c', '--format=raw', filter], { input, maxBuffer: 1 << 26 });
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe('when a stream is decoded in WebAssembly', () => {
  it('gives what the plain decoder gives, for all properties, with and without an end', () => {
    for (const [index, properties] of [...propertySets, { lc: 8, lp: 4, pb: 4 }].entries()) {
      for (const endMarker of [false, true]) {
        const stream = encodeLzma(plain, properties, { endMarker });
        const size = endMarker ? {} : { outputBytes: plain.length };
        const options = { ...properties, dictionaryBytes: 1 << 16, ...size };
        const { bytes, error } = compareLzma(stream, options, plain.length, index, 'whole');
        expect(error).toBeUndefined();
        expect(Buffer.compare(bytes, plain)).toBe(0);
      }
    }
  });

  it('does so when properties change from one stream to the next', () => {
    for (const properties of [{ lc: 8, lp: 4, pb: 4 }, usual, { lc: 0, lp: 4, pb: 1 }, usual]) {
      const stream = encodeLzma(plain, properties);
      const output = new Uint8Array(plain.length);
      expect(decodeLzmaInto(stream, output, properties, {}, createWasmCore).fault).toBeUndefined();
      expect(Buffer.compare(output, plain)).toBe(0);
    }
  });

  it('wraps its ring as often as needed', () => {
    const data = makeData(400_000, 60_000, 3);
    const stream = encodeLzma(data, usual, { endMarker: true, dictionaryBytes: tightDictionaryBytes });
    const options = { ...usual, dictionaryBytes: tightDictionaryBytes };
    const { bytes, error } = compareLzma(stream, options, data.length, 4, 'ring');
    expect(error).toBeUndefined();
    expect(Buffer.compare(bytes, data)).toBe(0);
  });

  it.skipIf(!hasXz)('decodes what xz wrote, with dictionaries that are smaller than the data', () => {
    const sizes = [4096, 5000, tightDictionaryBytes, tightDictionaryBytes + 1, 1 << 17, 1 << 20];
    for (const [index, dictionaryBytes] of sizes.entries()) {
      const data = makeData(600_000, dictionaryBytes, index);
      const options = { ...usual, dictionaryBytes, outputBytes: data.length };
      const one = compareLzma(
        pack(data, `--lzma1=preset=1,dict=${dictionaryBytes}`),
        options,
        data.length,
        index,
        `LZMA ${dictionaryBytes}`,
      );
      expect([one.error, Buffer.compare(one.bytes, data)]).toEqual([undefined, 0]);
      const two = compareLzma2(
        pack(data, `--lzma2=preset=1,dict=${dictionaryBytes},lc=1,lp=3`),
        dictionaryBytes,
        data.length,
        index,
        `LZMA2 ${dictionaryBytes}`,
      );
      expect([two.error, Buffer.compare(two.bytes, data)]).toEqual([undefined, 0]);
    }
  });

  it.skipIf(!hasXz)('wraps its ring in what LZMA2 stores as it is', () => {
    const random = createRandom(12);
    const noise = Uint8Array.from({ length: 200_001 }, () => random(256));
    const data = Buffer.concat([noise, plain, noise.subarray(0, 70_000), plain]);
    const stream = pack(data, '--lzma2=preset=1,dict=16KiB');
    expect(stream.length).toBeGreaterThan(270_000);
    const { bytes, error } = compareLzma2(stream, 1 << 14, data.length, 3, 'stored');
    expect(error).toBeUndefined();
    expect(Buffer.compare(bytes, data)).toBe(0);
  });

  it('decodes two streams at the same time, and after one that was left', () => {
    const stream = encodeLzma(makeData(600_000, 60_000, 8), usual, { dictionaryBytes: 1 << 16 });
    const options = { ...usual, dictionaryBytes: 1 << 16, outputBytes: 600_000 };
    const expected = collect(decodeLzmaChunks([stream], options, createPlainCore));
    expect(expected.error).toBeUndefined();
    for (const _ of decodeLzmaChunks([stream], options, createWasmCore)) break;
    const first = decodeLzmaChunks([stream], options, createWasmCore);
    const second = decodeLzmaChunks([stream], options, createWasmCore);
    const parts: [Uint8Array[], Uint8Array[]] = [[], []];
    for (const chunk of first) {
      parts[0].push(chunk);
      const next = second.next();
      if (next.done !== true) parts[1].push(next.value);
    }
    for (const part of parts) expect(Buffer.concat(part).equals(expected.bytes)).toBe(true);
  });
});

describe('when input and output are cut anywhere', () => {
  /** Asks for a number of bytes until they are there, or the core cannot go on. */
  const runFor = (core: LzmaCore, wanted: number, isLast: boolean, output: Uint8Array[]): string => {
    for (let left = wanted; ; ) {
      let stop: string;
      try {
        stop = core.run(left, isLast);
      } catch (error) {
        stop = JSON.stringify(toPlain(error));
      }
      output.push(core.fresh.slice());
      left -= core.fresh.length;
      if (stop !== 'limit' || left === 0) {
        return `${stop} at ${core.inputOffset}, ${left} left, ${core.hasPending ? 'in' : 'not in'} a match`;
      }
    }
  };

  it('stops at the same places, for the same reasons', () => {
    const stream = encodeLzma(makeData(90_000, 60_000, 2), usual, {
      endMarker: true,
      dictionaryBytes: tightDictionaryBytes,
    });
    for (let seed = 0; seed < 20; seed += 1) {
      const trace = (createCore: LzmaCoreFactory): readonly string[] => {
        const random = createRandom(seed);
        const cut = stream.slice(0, seed < 10 ? stream.length : random(stream.length));
        const chunks = cutAnywhere(cut, random);
        const core = createCore(tightDictionaryBytes, tightDictionaryBytes);
        const log: string[] = [];
        const output: Uint8Array[] = [];
        core.setProperties(usual);
        while (core.input.length < 5) core.feed(chunks.next().value ?? new Uint8Array(5));
        core.startRangeCoder();
        for (let isLast = false; ; ) {
          const stopped = runFor(core, 1 + random(random(3) === 0 ? 20_000 : 20), isLast, output);
          log.push(stopped);
          if (stopped.startsWith('input') && !isLast) {
            const next = chunks.next();
            if (next.done === true) isLast = true;
            else core.feed(next.value);
          } else if (!stopped.startsWith('limit')) {
            break;
          }
        }
        core.release();
        return [...log, Buffer.concat(output).toString('latin1')];
      };
      expect(trace(createWasmCore)).toEqual(trace(createPlainCore));
    }
  });
});

describe('when a stream is damaged', () => {
  it('gives the same bytes and the same error as the plain decoder, for 1,500 mutants of LZMA', () => {
    for (const [index, properties] of propertySets.entries()) {
      const stream = readStream(`lzma-${properties.lc}-${properties.lp}-${properties.pb}.bin`);
      for (const { bytes, description } of mutate(stream, 300, 40 + index)) {
        for (const outputBytes of [{}, { outputBytes: plain.length }]) {
          const options = { ...properties, dictionaryBytes: 4096 + index * 1000, ...outputBytes };
          compareLzma(bytes, options, plain.length, index, description);
        }
      }
    }
  });

  it('does so for 1,500 mutants of LZMA2, and of streams of several parts', () => {
    const stream = readStream('lzma2-3-0-2.bin');
    const random = createRandom(77);
    const parts = Buffer.concat([stream.subarray(0, -1), stream.subarray(0, -1), stream]);
    // The second and the third part start with what they need less and less of.
    const [second, third] = [stream.length - 1, 2 * (stream.length - 1)];
    for (const [index, { bytes, description }] of [...mutate(parts, 1500, 41)].entries()) {
      if (index % 3 === 0) {
        bytes[second] = [0xc0, 0xa0, 0x80, 0xe0, 1, 2][random(6)] ?? 0;
        bytes[third] = [0xc0, 0xa0, 0x80, 0xe0, 1, 2][random(6)] ?? 0;
      }
      compareLzma2(bytes, 4096 + random(30_000), 1 << 16, index, description);
    }
  });

  it('does so for every cut of a stream', () => {
    const stream = readStream('lzma-3-0-2.bin').subarray(0, 700);
    for (let length = 0; length <= stream.length; length += 1) {
      const options = { ...usual, dictionaryBytes: 1 << 16 };
      compareLzma(stream.subarray(0, length), options, plain.length, length, `cut at ${length}`);
    }
  });

  it('does so for damage deep in a stream that wraps the ring', () => {
    const data = makeData(150_000, tightDictionaryBytes, 5);
    const stream = encodeLzma(data, usual, { dictionaryBytes: tightDictionaryBytes });
    const random = createRandom(6);
    let reachesTooFar = 0;
    for (let round = 0; round < 40; round += 1) {
      const bytes = Uint8Array.from(stream);
      bytes[Math.floor(stream.length / 2) + random(stream.length / 2)] = random(256);
      const options = { ...usual, dictionaryBytes: tightDictionaryBytes };
      const { error } = compareLzma(bytes, options, data.length, round, `round ${round}`);
      if (JSON.stringify(error)?.includes('points before')) reachesTooFar += 1;
    }
    expect(reachesTooFar).toBeGreaterThan(0);
  });

  it('reads nothing that an earlier stream has left', () => {
    const secret = encodeLzma(new Uint8Array(300_000).fill(0xaa), usual);
    const taken = new Uint8Array(300_000);
    for (let seed = 0; seed < 200; seed += 1) {
      decodeLzmaInto(secret, taken, usual, {}, createWasmCore);
      const random = createRandom(seed);
      const noise = Uint8Array.from({ length: 200 }, (_, at) => (at === 0 ? 0 : random(256)));
      compareLzma(noise, { ...usual, dictionaryBytes: 1 << 20 }, 4000, seed, `noise ${seed}`);
    }
    expect(taken.every((byte) => byte === 0xaa)).toBe(true);
  });
});

describe('when memory is short', () => {
  it('takes what is decoded, not what the stream says it needs', () => {
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow');
    const stream = encodeLzma(plain, usual);
    const options = { ...usual, dictionaryBytes: 1 << 30, outputBytes: 1 << 30 };
    // Two at the same time, so that one of them starts with a memory of its own.
    const streams = [0, 1].map(() => decodeLzmaChunks([stream], options, createWasmCore));
    for (const one of streams) expect(one.next().value?.length).toBeGreaterThan(8000);
    for (const one of streams) one.return(undefined);
    const pages = grow.mock.calls.reduce((sum, [delta]) => sum + delta, 0);
    expect(pages).toBeGreaterThan(0);
    expect(pages * 65_536).toBeLessThan(4 << 20);
  });

  it('says so when the dictionary cannot grow', () => {
    const zeros = encodeLzma(new Uint8Array(3 << 20), usual);
    const options = { ...usual, dictionaryBytes: 1 << 25 };
    // One that goes on has the memory that is there, and that is large enough already.
    const going = decodeLzmaChunks([zeros], options, createWasmCore);
    going.next();
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
      throw new RangeError('no memory');
    });
    const { error } = collect(decodeLzmaChunks([zeros], options, createWasmCore));
    expect(error).toHaveProperty('code', 'limit/memory');
    const { fault } = decodeLzmaInto(zeros, new Uint8Array(3 << 20), usual, {}, createWasmCore);
    expect(fault?.code).toBe('limit/memory');
    grow.mockRestore();
    going.return(undefined);
    expect(collect(decodeLzmaChunks([zeros], options, createWasmCore)).bytes).toHaveLength(3 << 20);
  });

  it('decodes without WebAssembly', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    vi.resetModules();
    const fresh = await import('../../../src/formats/codecs/lzma.ts');
    const output = new Uint8Array(plain.length);
    expect(fresh.decodeLzmaInto(readStream('lzma-3-0-2.bin'), output, usual)).toMatchObject({
      outputBytes: plain.length,
    });
    expect(Buffer.compare(output, plain)).toBe(0);
  });
});
