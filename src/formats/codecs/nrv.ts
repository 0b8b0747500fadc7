/**
 * NRV2B, NRV2D and NRV2E: the byte-oriented LZ77 codes of the UCL library, the classic methods of UPX.
 *
 * A stream mixes two things: whole bytes, and words of 8, 16 or 32 bits (little-endian, highest bit first) that stand
 * where their first bit is needed. A set bit announces a literal byte; a clear one an offset in an interleaved
 * variable-length code, then a length. The offset 2 in that code repeats the last one; 0xffffffff ends the stream.
 *
 * Specification: none was ever written; the reference is UCL 1.03, http://www.oberhumer.com/opensource/ucl/
 * (`n2b_d.c`, `n2d_d.c`, `n2e_d.c`). This is our own reading of the stream, checked against that library by the
 * streams in `fixtures/codecs`.
 *
 * Not supported: big-endian words (no Windows, Linux or Mac file that UPX makes for Intel uses them).
 */
import type { Budget } from '../../bytes/budget.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import type { Decoded } from './decoded.ts';

export type NrvVariant = 'nrv2b' | 'nrv2d' | 'nrv2e';
/** Width of the little-endian words that hold the bits. */
export type NrvWordBits = 8 | 16 | 32;

/** The value whose offset code ends the stream: (0x1000002 - 3) * 256 + 0xff = 0xffffffff. */
const endOfStream = 0xff_ff_ff_ff;
/** The largest offset code; a longer one cannot come from a compressor. */
const maximumOffsetCode = 0x1_00_00_02;
/** No match is longer than what fits in memory; a length code beyond this is cut and then found too long. */
const maximumLengthCode = 0x40_00_00_00;
/** Matches from further back than this are one byte longer than their code says. */
const farOffsetBytes: Readonly<Record<NrvVariant, number>> = { nrv2b: 0xd00, nrv2d: 0x500, nrv2e: 0x500 };
const bytesBetweenTimeChecks = 1 << 18;

/**
 * Decodes as far as it goes into a buffer whose length is the promised size.
 *
 * @param variant - which of the three codes
 * @param input - the compressed stream; bytes behind its end marker are left alone
 * @param output - filled from its start
 * @param wordBits - width of the bit words
 * @param budget - asked for the time now and then; bytes are charged by whoever made the buffer
 * @returns lengths in bytes, and a fault (`malformed/truncated`, `malformed/compressed-data`,
 *   `malformed/size-mismatch`, `limit/time`) when it stopped early
 */
export function decodeNrvInto(
  variant: NrvVariant,
  input: Uint8Array,
  output: Uint8Array,
  wordBits: NrvWordBits,
  budget?: Budget,
): Decoded {
  const farOffset = farOffsetBytes[variant];
  const isPlain = variant === 'nrv2b';
  const isE = variant === 'nrv2e';
  const inputLength = input.length;
  const outputLength = output.length;
  let inputOffset = 0;
  let outputOffset = 0;
  let word = 0;
  let bitsLeft = 0;
  let lastOffset = 1;
  let nextTimeCheck = bytesBetweenTimeChecks;

  const stop = (code: TelltaleError['code'], message: string): Decoded => ({
    outputBytes: outputOffset,
    inputBytes: Math.min(inputOffset, inputLength),
    fault: new TelltaleError(code, message, { offset: Math.min(inputOffset, inputLength) }),
  });

  // Past the end of the input all bits are ones and all bytes zero; the loop below notices it once a symbol. A code
  // of ones stops every inner loop, so none of them can run away.
  const readBit = (): number => {
    if (bitsLeft === 0) {
      bitsLeft = wordBits;
      if (inputOffset + wordBits / 8 > inputLength) {
        inputOffset = inputLength + 1;
        word = -1;
      } else {
        word = input[inputOffset] ?? 0;
        if (wordBits !== 8) word |= (input[inputOffset + 1] ?? 0) << 8;
        if (wordBits === 32)
          word |= ((input[inputOffset + 2] ?? 0) << 16) | ((input[inputOffset + 3] ?? 0) << 24);
        inputOffset += wordBits / 8;
      }
    }
    bitsLeft -= 1;
    return (word >>> bitsLeft) & 1;
  };

  const readGamma = (): number => {
    let value = 1;
    do value = value * 2 + readBit();
    while (readBit() === 0 && value < maximumLengthCode);
    return value;
  };

  for (;;) {
    if (inputOffset > inputLength) return stop('malformed/truncated', 'the compressed stream ends too early');
    if (outputOffset >= nextTimeCheck) {
      nextTimeCheck = outputOffset + bytesBetweenTimeChecks;
      try {
        budget?.checkTime();
      } catch (error) {
        if (error instanceof TelltaleError) {
          return { outputBytes: outputOffset, inputBytes: inputOffset, fault: error };
        }
        throw error;
      }
    }
    if (readBit() === 1) {
      if (inputOffset >= inputLength)
        return stop('malformed/truncated', 'the compressed stream ends too early');
      if (outputOffset === outputLength) {
        return stop('malformed/size-mismatch', `the compressed stream holds more than ${outputLength} bytes`);
      }
      output[outputOffset] = input[inputOffset] ?? 0;
      outputOffset += 1;
      inputOffset += 1;
      continue;
    }

    let offset = 1;
    for (;;) {
      offset = offset * 2 + readBit();
      if (readBit() === 1) break;
      if (!isPlain) offset = (offset - 1) * 2 + readBit();
      if (offset > maximumOffsetCode) break;
    }
    if (offset > maximumOffsetCode) {
      return stop('malformed/compressed-data', 'the compressed stream holds an offset that is too large');
    }
    let length: number;
    if (offset === 2) {
      offset = lastOffset;
      length = readBit();
    } else {
      if (inputOffset >= inputLength)
        return stop('malformed/truncated', 'the compressed stream ends too early');
      offset = (offset - 3) * 256 + (input[inputOffset] ?? 0);
      inputOffset += 1;
      if (offset === endOfStream) break;
      if (isPlain) {
        length = readBit();
      } else {
        // The lowest bit, inverted, is the first bit of the length.
        length = offset % 2 === 0 ? 1 : 0;
        offset = Math.floor(offset / 2);
      }
      offset += 1;
      lastOffset = offset;
    }
    if (isE) {
      if (length === 1) length = 1 + readBit();
      else if (readBit() === 1) length = 3 + readBit();
      else length = readGamma() + 3;
    } else {
      length = length * 2 + readBit();
      if (length === 0) length = readGamma() + 2;
    }
    length += offset > farOffset ? 2 : 1;

    if (inputOffset > inputLength) return stop('malformed/truncated', 'the compressed stream ends too early');
    if (offset > outputOffset) {
      return stop('malformed/compressed-data', 'the compressed stream points before its own start');
    }
    const end = Math.min(outputOffset + length, outputLength);
    const isTooLong = outputOffset + length > outputLength;
    for (let from = outputOffset - offset; outputOffset < end; from += 1, outputOffset += 1) {
      output[outputOffset] = output[from] ?? 0;
    }
    if (isTooLong) {
      return stop('malformed/size-mismatch', `the compressed stream holds more than ${outputLength} bytes`);
    }
  }
  if (outputOffset < outputLength) {
    return stop(
      'malformed/size-mismatch',
      `the compressed stream ends after ${outputOffset} of ${outputLength} bytes`,
    );
  }
  return { outputBytes: outputOffset, inputBytes: inputOffset };
}

/**
 * Decodes an NRV2B stream of known size.
 *
 * @param outputBytes - size after decoding; the caller has charged the budget for it
 * @throws TelltaleError as {@link decodeNrvInto} gives it; the partial output is to be had from there
 */
export function decodeNrv2b(input: Uint8Array, outputBytes: number, wordBits: NrvWordBits): Uint8Array {
  return decodeWhole('nrv2b', input, outputBytes, wordBits);
}

/** As {@link decodeNrv2b}, for NRV2D. */
export function decodeNrv2d(input: Uint8Array, outputBytes: number, wordBits: NrvWordBits): Uint8Array {
  return decodeWhole('nrv2d', input, outputBytes, wordBits);
}

/** As {@link decodeNrv2b}, for NRV2E. */
export function decodeNrv2e(input: Uint8Array, outputBytes: number, wordBits: NrvWordBits): Uint8Array {
  return decodeWhole('nrv2e', input, outputBytes, wordBits);
}

function decodeWhole(
  variant: NrvVariant,
  input: Uint8Array,
  outputBytes: number,
  wordBits: NrvWordBits,
): Uint8Array {
  const output = new Uint8Array(outputBytes);
  const decoded = decodeNrvInto(variant, input, output, wordBits);
  if (decoded.fault !== undefined) throw decoded.fault;
  return output;
}
