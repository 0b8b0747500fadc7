import { describe, expect, it } from 'vitest';
import { encodeNrv } from '../../../fixtures/codecs/encode-nrv.ts';
import { Budget, defaultLimits } from '../../../src/bytes/budget.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import {
  type NrvVariant,
  type NrvWordBits,
  decodeNrv2b,
  decodeNrv2d,
  decodeNrv2e,
  decodeNrvInto,
} from '../../../src/formats/codecs/nrv.ts';
import { mutate } from '../../mutation.ts';
import { catchError, plain, readStream } from './streams.ts';

const decoders = { nrv2b: decodeNrv2b, nrv2d: decodeNrv2d, nrv2e: decodeNrv2e } as const;
const variants: readonly NrvVariant[] = ['nrv2b', 'nrv2d', 'nrv2e'];
const widths: readonly NrvWordBits[] = [8, 16, 32];
const cases = variants.flatMap((variant) => widths.map((width) => [variant, width] as const));

describe('when the stream was made by the UCL library', () => {
  it.each(cases)('decodes %s with words of %i bits', (variant, width) => {
    const stream = readStream(`${variant}-${width}.bin`);
    expect(Buffer.from(decoders[variant](stream, plain.length, width)).equals(plain)).toBe(true);
    expect(decodeNrvInto(variant, stream, new Uint8Array(plain.length), width)).toEqual({
      outputBytes: plain.length,
      inputBytes: stream.length,
    });
  });
});

describe('when the stream was made by our own writer', () => {
  it.each(cases)('decodes %s with words of %i bits', (variant, width) => {
    const stream = encodeNrv(variant, plain, width);
    expect(Buffer.from(decoders[variant](stream, plain.length, width)).equals(plain)).toBe(true);
  });

  it.each(variants)('decodes nothing but the end marker of %s', (variant) => {
    expect(decoders[variant](encodeNrv(variant, new Uint8Array(0)), 0, 32)).toHaveLength(0);
  });
});

describe('when the stream is cut', () => {
  it.each(cases)('gives what comes before, %s with words of %i bits', (variant, width) => {
    const stream = readStream(`${variant}-${width}.bin`);
    let least = plain.length;
    for (let length = stream.length - 1; length >= 0; length -= 37) {
      const output = new Uint8Array(plain.length);
      const decoded = decodeNrvInto(variant, stream.subarray(0, length), output, width);
      expect(decoded.fault?.code).toBe('malformed/truncated');
      expect(decoded.outputBytes).toBeLessThanOrEqual(least);
      expect(decoded.inputBytes).toBeLessThanOrEqual(length);
      least = decoded.outputBytes;
      expect(Buffer.from(output.subarray(0, least)).equals(plain.subarray(0, least))).toBe(true);
    }
    expect(least).toBeLessThan(100);
  });
});

describe('when the promised size is wrong', () => {
  it.each(variants)('says so for %s', (variant) => {
    const stream = readStream(`${variant}-32.bin`);
    for (const size of [plain.length - 1, plain.length + 1, 10]) {
      const output = new Uint8Array(size);
      const decoded = decodeNrvInto(variant, stream, output, 32);
      expect(decoded.fault?.code).toBe('malformed/size-mismatch');
      expect(decoded.outputBytes).toBe(Math.min(size, plain.length));
    }
    const error = catchError(() => decoders[variant](stream, 10, 32));
    expect(error).toBeInstanceOf(TelltaleError);
    expect(error).toHaveProperty('code', 'malformed/size-mismatch');
  });
});

describe('when an offset points before the start', () => {
  it('stops there', () => {
    // One literal, then a match 257 bytes back.
    const stream = encodeNrv('nrv2b', Uint8Array.of(1, 2, 3));
    // Literal; match; offset code 1 -> 2 -> 4, which is not 2, so a byte follows; length 2.
    const bits = [1, 0, 0, 0, 0, 1, 1, 0];
    let word = 0;
    bits.forEach((bit, index) => {
      word |= bit << (31 - index);
    });
    const crafted = Uint8Array.of(...new Uint8Array(Int32Array.of(word).buffer), 0x41, 0xfe, ...stream);
    const decoded = decodeNrvInto('nrv2b', crafted, new Uint8Array(100), 32);
    expect(decoded.fault?.code).toBe('malformed/compressed-data');
    expect(decoded.outputBytes).toBe(1);
    expect(decoded.fault?.offset).toBe(6);
  });
});

describe('when the time is up', () => {
  it('stops with what it has', () => {
    let now = 0;
    const budget = new Budget(1, { ...defaultLimits, milliseconds: 5 }, () => now);
    now = 10;
    const bytes = new Uint8Array(1 << 20);
    const decoded = decodeNrvInto(
      'nrv2e',
      encodeNrv('nrv2e', bytes),
      new Uint8Array(bytes.length),
      32,
      budget,
    );
    expect(decoded.fault?.code).toBe('limit/time');
    expect(decoded.outputBytes).toBeGreaterThan(1000);
  });
});

describe('when the stream is damaged', () => {
  it.each(cases)(
    'never throws, hangs or overruns: 500 mutants of %s with words of %i bits',
    (variant, width) => {
      const stream = readStream(`${variant}-${width}.bin`);
      const output = new Uint8Array(plain.length);
      for (const { bytes, description } of mutate(stream, 500, width)) {
        const start = performance.now();
        const decoded = decodeNrvInto(variant, bytes, output, width);
        expect(performance.now() - start, description).toBeLessThan(1000);
        expect(decoded.outputBytes, description).toBeLessThanOrEqual(output.length);
        expect(decoded.inputBytes, description).toBeLessThanOrEqual(bytes.length);
        if (decoded.fault === undefined) expect(decoded.outputBytes, description).toBe(output.length);
      }
    },
  );
});
