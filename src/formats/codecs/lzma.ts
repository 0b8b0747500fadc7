/**
 * LZMA1 without a header (as UPX and Inno Setup store it) and LZMA2: LZ77 over an adaptive binary range coder.
 *
 * Specification: https://www.7-zip.org/sdk.html (`lzma-specification.txt`, public domain); LZMA2 chunks as in
 * https://github.com/tukaani-project/xz/blob/master/doc/xz-file-format.txt and the SDK's `Lzma2Dec.c`.
 *
 * Ways in: {@link decodeLzmaInto} and {@link decodeLzma2Into} fill a buffer of the promised size and tell how far they
 * came, {@link decodeLzma} is all or nothing, {@link decodeLzmaChunks} and {@link decodeLzma2Chunks} stream with a
 * bounded window.
 *
 * Not supported: preset dictionaries. Headers (`.lzma`, `.xz`, UPX's two bytes) are for the caller to read.
 */
import type { Budget } from '../../bytes/budget.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import type { Decoded } from './decoded.ts';

/** Literal context bits (0 to 8), literal position bits (0 to 4), position bits (0 to 4). */
export interface LzmaProperties {
  readonly lc: number;
  readonly lp: number;
  readonly pb: number;
}

export interface LzmaOptions extends LzmaProperties {
  /** Size after decoding. */
  readonly outputBytes: number;
  /** How far back a match may reach; without it, to the start. */
  readonly dictionaryBytes?: number;
  /** Charged with `outputBytes` before they are allocated, asked for the time while decoding. */
  readonly budget?: Budget;
}

export interface LzmaStreamOptions extends LzmaProperties {
  /** How far back a match may reach; the window in memory is this and one chunk more. */
  readonly dictionaryBytes: number;
  /** Size after decoding; without it the stream goes on to its end marker. */
  readonly outputBytes?: number;
  /** Asked for the time; bytes are charged by whoever takes the chunks. */
  readonly budget?: Budget;
}

const bytesBetweenTimeChecks = 1 << 18;
/** The SDK's LZMA_REQUIRED_INPUT_MAX: no symbol uses more input than this. */
const maximumBytesPerSymbol = 20;
/** The specification raises smaller dictionaries to this. */
const minimumDictionaryBytes = 1 << 12;
/** Input bytes that start the range coder. */
const rangeCoderStartBytes = 5;

const positionStatesMaximum = 16;
const probabilityInitial = 1024;
// Where each table of probabilities starts, counted in entries.
const isMatchAt = 0;
const isRepAt = isMatchAt + 12 * positionStatesMaximum;
const isRepG0At = isRepAt + 12;
const isRepG1At = isRepG0At + 12;
const isRepG2At = isRepG1At + 12;
const isRep0LongAt = isRepG2At + 12;
const slotAt = isRep0LongAt + 12 * positionStatesMaximum;
const specialPositionAt = slotAt + 4 * 64;
const alignAt = specialPositionAt + 115;
const matchLengthAt = alignAt + 16;
// Inside a length table: choice, choice 2, then low, middle and high trees.
const lengthLow = 2;
const lengthMiddle = lengthLow + positionStatesMaximum * 8;
const lengthHigh = lengthMiddle + positionStatesMaximum * 8;
const lengthTableSize = lengthHigh + 256;
const repLengthAt = matchLengthAt + lengthTableSize;
const literalAt = repLengthAt + lengthTableSize;

function isWithin(value: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= maximum;
}

type Stop = 'limit' | 'end-marker' | 'input';

/**
 * The decoder's state between two runs. Output goes to a buffer that doubles as the dictionary; input and output
 * can be exchanged between runs.
 */
class LzmaCore {
  input: Uint8Array = new Uint8Array(0);
  inputOffset = 0;
  output: Uint8Array;
  outputOffset = 0;
  /** Where in the output the dictionary starts: nothing before it may be copied. */
  dictionaryStart = 0;
  readonly #dictionaryBytes: number;
  #lc = 0;
  #lpMask = 0;
  #pbMask = 0;
  #probabilities = new Uint16Array(0);
  #range = 0;
  #code = 0;
  #state = 0;
  #rep0 = 0;
  #rep1 = 0;
  #rep2 = 0;
  #rep3 = 0;
  /** Bytes of a match that did not fit in the last run. */
  #pendingLength = 0;
  /** Bytes decoded before the start of the output buffer; literal contexts count from the very start. */
  bytesBefore = 0;

  constructor(output: Uint8Array, dictionaryBytes: number) {
    this.output = output;
    this.#dictionaryBytes = dictionaryBytes;
  }

  /** @throws TelltaleError `malformed/compressed-data` when the properties are out of range */
  setProperties({ lc, lp, pb }: LzmaProperties): void {
    if (!isWithin(lc, 8) || !isWithin(lp, 4) || !isWithin(pb, 4)) {
      throw new TelltaleError(
        'malformed/compressed-data',
        `has LZMA properties out of range (lc ${lc}, lp ${lp}, pb ${pb})`,
        { offset: 0 },
      );
    }
    this.#lc = lc;
    this.#lpMask = (1 << lp) - 1;
    this.#pbMask = (1 << pb) - 1;
    const size = literalAt + (0x300 << (lc + lp));
    if (this.#probabilities.length !== size) this.#probabilities = new Uint16Array(size);
    this.resetState();
  }

  resetState(): void {
    this.#probabilities.fill(probabilityInitial);
    this.#state = 0;
    this.#rep0 = 0;
    this.#rep1 = 0;
    this.#rep2 = 0;
    this.#rep3 = 0;
    this.#pendingLength = 0;
  }

  /** @throws TelltaleError `malformed/truncated`, `malformed/compressed-data` */
  startRangeCoder(): void {
    if (this.input.length - this.inputOffset < rangeCoderStartBytes) {
      throw new TelltaleError('malformed/truncated', 'the compressed stream ends too early', {
        offset: this.input.length,
      });
    }
    if (this.input[this.inputOffset] !== 0) {
      throw new TelltaleError(
        'malformed/compressed-data',
        'the compressed stream does not start with a zero byte',
        {
          offset: this.inputOffset,
        },
      );
    }
    this.#range = 0xffffffff;
    this.#code = 0;
    for (let i = 1; i < rangeCoderStartBytes; i += 1) {
      this.#code = ((this.#code << 8) | (this.input[this.inputOffset + i] ?? 0)) >>> 0;
    }
    this.inputOffset += rangeCoderStartBytes;
  }

  /** Whether a match was cut by the limit of the last run. */
  get hasPending(): boolean {
    return this.#pendingLength > 0;
  }

  /**
   * Decodes until the output reaches `limit`. With more input to come (`isLast` false) it stops before a symbol that
   * might not be complete.
   *
   * The code below is one long function on purpose: with the range coder in local variables and the bit trees spelt
   * out it runs several times as fast as with a method for each bit.
   *
   * @throws TelltaleError `malformed/truncated`, `malformed/compressed-data`; all output before is valid
   */
  run(limit: number, isLast: boolean): Stop {
    const { input, output, dictionaryStart, bytesBefore } = this;
    const probabilities = this.#probabilities;
    const lc = this.#lc;
    const lpMask = this.#lpMask;
    const pbMask = this.#pbMask;
    const dictionaryBytes = this.#dictionaryBytes;
    const inputLength = input.length;
    const safeInputEnd = isLast ? inputLength : inputLength - maximumBytesPerSymbol;
    let inputOffset = this.inputOffset;
    let outputOffset = this.outputOffset;
    let range = this.#range;
    let code = this.#code;
    let state = this.#state;
    let rep0 = this.#rep0;
    let rep1 = this.#rep1;
    let rep2 = this.#rep2;
    let rep3 = this.#rep3;
    let length = this.#pendingLength;
    let stop: Stop = 'limit';
    let fault: 'truncated' | 'distance' | undefined;

    // Reads past the end of the input give zeros; it is noticed before the symbol's output counts.
    for (;;) {
      if (length > 0) {
        const distance = rep0 + 1;
        if (distance > outputOffset - dictionaryStart || distance > dictionaryBytes) {
          fault = 'distance';
          length = 0;
          break;
        }
        const end = Math.min(limit, outputOffset + length);
        length -= end - outputOffset;
        for (let from = outputOffset - distance; outputOffset < end; from += 1, outputOffset += 1) {
          output[outputOffset] = output[from] ?? 0;
        }
        if (length > 0) break;
      }
      if (outputOffset >= limit) break;
      if (inputOffset > safeInputEnd) {
        stop = 'input';
        break;
      }

      const position = outputOffset + bytesBefore;
      const positionState = position & pbMask;
      let at = isMatchAt + (state << 4) + positionState;
      let probability = probabilities[at] ?? 0;
      if (range < 0x1000000) {
        range = (range << 8) >>> 0;
        code = ((code << 8) | (input[inputOffset] ?? 0)) >>> 0;
        inputOffset += 1;
      }
      let bound = Math.imul(range >>> 11, probability) >>> 0;
      if (code < bound) {
        // A literal.
        range = bound;
        probabilities[at] = probability + ((2048 - probability) >> 5);
        const previous = outputOffset > dictionaryStart ? (output[outputOffset - 1] ?? 0) : 0;
        const tree = literalAt + 0x300 * (((position & lpMask) << lc) + (previous >> (8 - lc)));
        let symbol = 1;
        if (state >= 7) {
          if (rep0 >= outputOffset - dictionaryStart) {
            fault = 'distance';
            break;
          }
          let matchByte = output[outputOffset - rep0 - 1] ?? 0;
          do {
            const matchBit = (matchByte >> 7) & 1;
            matchByte <<= 1;
            at = tree + ((1 + matchBit) << 8) + symbol;
            probability = probabilities[at] ?? 0;
            if (range < 0x1000000) {
              range = (range << 8) >>> 0;
              code = ((code << 8) | (input[inputOffset] ?? 0)) >>> 0;
              inputOffset += 1;
            }
            bound = Math.imul(range >>> 11, probability) >>> 0;
            if (code < bound) {
              range = bound;
              probabilities[at] = probability + ((2048 - probability) >> 5);
              symbol <<= 1;
              if (matchBit !== 0) break;
            } else {
              range = (range - bound) >>> 0;
              code = (code - bound) >>> 0;
              probabilities[at] = probability - (probability >> 5);
              symbol = (symbol << 1) | 1;
              if (matchBit === 0) break;
            }
          } while (symbol < 0x100);
        }
        while (symbol < 0x100) {
          at = tree + symbol;
          probability = probabilities[at] ?? 0;
          if (range < 0x1000000) {
            range = (range << 8) >>> 0;
            code = ((code << 8) | (input[inputOffset] ?? 0)) >>> 0;
            inputOffset += 1;
          }
          bound = Math.imul(range >>> 11, probability) >>> 0;
          if (code < bound) {
            range = bound;
            probabilities[at] = probability + ((2048 - probability) >> 5);
            symbol <<= 1;
          } else {
            range = (range - bound) >>> 0;
            code = (code - bound) >>> 0;
            probabilities[at] = probability - (probability >> 5);
            symbol = (symbol << 1) | 1;
          }
        }
        if (inputOffset > inputLength) {
          fault = 'truncated';
          break;
        }
        output[outputOffset] = symbol;
        outputOffset += 1;
        state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
        continue;
      }
      range = (range - bound) >>> 0;
      code = (code - bound) >>> 0;
      probabilities[at] = probability - (probability >> 5);

      // A match. The decisions isRep, isRepG0, isRep0Long, isRepG1, isRepG2 in one loop over a small machine.
      let isRep = false;
      let isShort = false;
      at = isRepAt + state;
      for (;;) {
        probability = probabilities[at] ?? 0;
        if (range < 0x1000000) {
          range = (range << 8) >>> 0;
          code = ((code << 8) | (input[inputOffset] ?? 0)) >>> 0;
          inputOffset += 1;
        }
        bound = Math.imul(range >>> 11, probability) >>> 0;
        let bit = 0;
        if (code < bound) {
          range = bound;
          probabilities[at] = probability + ((2048 - probability) >> 5);
        } else {
          range = (range - bound) >>> 0;
          code = (code - bound) >>> 0;
          probabilities[at] = probability - (probability >> 5);
          bit = 1;
        }
        if (at < isRepG0At) {
          if (bit === 0) break;
          isRep = true;
          at = isRepG0At + state;
        } else if (at < isRepG1At) {
          at = bit === 0 ? isRep0LongAt + (state << 4) + positionState : isRepG1At + state;
        } else if (at < isRepG2At) {
          if (bit === 0) {
            const distance = rep1;
            rep1 = rep0;
            rep0 = distance;
            break;
          }
          at = isRepG2At + state;
        } else if (at < isRep0LongAt) {
          const distance = bit === 0 ? rep2 : rep3;
          if (bit === 1) rep3 = rep2;
          rep2 = rep1;
          rep1 = rep0;
          rep0 = distance;
          break;
        } else {
          isShort = bit === 0;
          break;
        }
      }
      if (isShort) {
        state = state < 7 ? 9 : 11;
        length = 1;
        if (inputOffset > inputLength) {
          fault = 'truncated';
          length = 0;
          break;
        }
        continue;
      }

      // The length: two choices pick the low, middle or high tree.
      const lengthTable = isRep ? repLengthAt : matchLengthAt;
      let choice = 0;
      for (; choice < 2; choice += 1) {
        at = lengthTable + choice;
        probability = probabilities[at] ?? 0;
        if (range < 0x1000000) {
          range = (range << 8) >>> 0;
          code = ((code << 8) | (input[inputOffset] ?? 0)) >>> 0;
          inputOffset += 1;
        }
        bound = Math.imul(range >>> 11, probability) >>> 0;
        if (code < bound) {
          range = bound;
          probabilities[at] = probability + ((2048 - probability) >> 5);
          break;
        }
        range = (range - bound) >>> 0;
        code = (code - bound) >>> 0;
        probabilities[at] = probability - (probability >> 5);
      }
      let tree =
        lengthTable +
        (choice === 0
          ? lengthLow + (positionState << 3)
          : choice === 1
            ? lengthMiddle + (positionState << 3)
            : lengthHigh);
      const lengthTreeSize = choice === 2 ? 256 : 8;
      let symbol = 1;
      while (symbol < lengthTreeSize) {
        at = tree + symbol;
        probability = probabilities[at] ?? 0;
        if (range < 0x1000000) {
          range = (range << 8) >>> 0;
          code = ((code << 8) | (input[inputOffset] ?? 0)) >>> 0;
          inputOffset += 1;
        }
        bound = Math.imul(range >>> 11, probability) >>> 0;
        if (code < bound) {
          range = bound;
          probabilities[at] = probability + ((2048 - probability) >> 5);
          symbol <<= 1;
        } else {
          range = (range - bound) >>> 0;
          code = (code - bound) >>> 0;
          probabilities[at] = probability - (probability >> 5);
          symbol = (symbol << 1) | 1;
        }
      }
      const lengthCode = symbol - lengthTreeSize + choice * 8;

      if (isRep) {
        state = state < 7 ? 8 : 11;
      } else {
        // The distance: a slot by length, then direct and modelled bits.
        tree = slotAt + (Math.min(lengthCode, 3) << 6);
        symbol = 1;
        while (symbol < 64) {
          at = tree + symbol;
          probability = probabilities[at] ?? 0;
          if (range < 0x1000000) {
            range = (range << 8) >>> 0;
            code = ((code << 8) | (input[inputOffset] ?? 0)) >>> 0;
            inputOffset += 1;
          }
          bound = Math.imul(range >>> 11, probability) >>> 0;
          if (code < bound) {
            range = bound;
            probabilities[at] = probability + ((2048 - probability) >> 5);
            symbol <<= 1;
          } else {
            range = (range - bound) >>> 0;
            code = (code - bound) >>> 0;
            probabilities[at] = probability - (probability >> 5);
            symbol = (symbol << 1) | 1;
          }
        }
        const slot = symbol - 64;
        let distance = slot;
        if (slot >= 4) {
          let bits = (slot >> 1) - 1;
          distance = (2 | (slot & 1)) << bits;
          if (slot < 14) {
            tree = specialPositionAt + distance - slot;
          } else {
            distance = 2 | (slot & 1);
            for (bits -= 4; bits > 0; bits -= 1) {
              if (range < 0x1000000) {
                range = (range << 8) >>> 0;
                code = ((code << 8) | (input[inputOffset] ?? 0)) >>> 0;
                inputOffset += 1;
              }
              range >>>= 1;
              distance <<= 1;
              if (code >= range) {
                code = (code - range) >>> 0;
                distance |= 1;
              }
            }
            distance = (distance << 4) >>> 0;
            bits = 4;
            tree = alignAt;
          }
          symbol = 1;
          for (let shift = 0; shift < bits; shift += 1) {
            at = tree + symbol;
            probability = probabilities[at] ?? 0;
            if (range < 0x1000000) {
              range = (range << 8) >>> 0;
              code = ((code << 8) | (input[inputOffset] ?? 0)) >>> 0;
              inputOffset += 1;
            }
            bound = Math.imul(range >>> 11, probability) >>> 0;
            if (code < bound) {
              range = bound;
              probabilities[at] = probability + ((2048 - probability) >> 5);
              symbol <<= 1;
            } else {
              range = (range - bound) >>> 0;
              code = (code - bound) >>> 0;
              probabilities[at] = probability - (probability >> 5);
              symbol = (symbol << 1) | 1;
              distance += 1 << shift;
            }
          }
          distance >>>= 0;
        }
        if (distance === 0xffffffff && inputOffset <= inputLength) {
          stop = 'end-marker';
          break;
        }
        rep3 = rep2;
        rep2 = rep1;
        rep1 = rep0;
        rep0 = distance;
        state = state < 7 ? 7 : 10;
      }
      if (inputOffset > inputLength) {
        fault = 'truncated';
        break;
      }
      length = lengthCode + 2;
    }

    this.inputOffset = Math.min(inputOffset, inputLength);
    this.outputOffset = outputOffset;
    this.#range = range;
    this.#code = code;
    this.#state = state;
    this.#rep0 = rep0;
    this.#rep1 = rep1;
    this.#rep2 = rep2;
    this.#rep3 = rep3;
    this.#pendingLength = length;
    if (fault === 'truncated') {
      throw new TelltaleError('malformed/truncated', 'the compressed stream ends too early', {
        offset: this.inputOffset,
      });
    }
    if (fault === 'distance') {
      throw new TelltaleError(
        'malformed/compressed-data',
        'the compressed stream points before its own start',
        {
          offset: this.inputOffset,
        },
      );
    }
    return stop;
  }

  /** Copies `length` bytes of input as they are, as LZMA2 stores what does not compress. */
  copyInput(length: number): void {
    this.output.set(this.input.subarray(this.inputOffset, this.inputOffset + length), this.outputOffset);
    this.inputOffset += length;
    this.outputOffset += length;
  }

  /** Exchanges the input for one with more bytes behind; the unused rest goes first. */
  feed(chunk: Uint8Array): void {
    const rest = this.input.subarray(this.inputOffset);
    const joined = new Uint8Array(rest.length + chunk.length);
    joined.set(rest);
    joined.set(chunk, rest.length);
    this.input = joined;
    this.inputOffset = 0;
  }

  /** Moves the last `keep` bytes of output to the front, to make room behind them. */
  slide(keep: number): void {
    const from = this.outputOffset - keep;
    this.output.copyWithin(0, from, this.outputOffset);
    this.bytesBefore += from;
    this.dictionaryStart = Math.max(0, this.dictionaryStart - from);
    this.outputOffset = keep;
  }
}

/** Turns what a decoder threw into data; anything that is not ours goes on up. */
function toFault(error: unknown): TelltaleError {
  if (error instanceof TelltaleError) return error;
  throw error;
}

/**
 * Decodes raw LZMA1 as far as it goes into a buffer whose length is the promised size.
 *
 * @param input - starts with the five bytes of the range coder; bytes behind the end of the stream are left alone
 * @param output - filled from its start
 * @param properties - literal context, literal position and position bits
 * @param options - reach of matches in bytes; the budget is asked for the time, not charged
 * @returns lengths in bytes, and a fault (`malformed/truncated`, `malformed/compressed-data`,
 *   `malformed/size-mismatch`, `limit/time`) when it stopped early
 */
export function decodeLzmaInto(
  input: Uint8Array,
  output: Uint8Array,
  properties: LzmaProperties,
  options: { readonly dictionaryBytes?: number; readonly budget?: Budget } = {},
): Decoded {
  const core = new LzmaCore(output, options.dictionaryBytes ?? Number.POSITIVE_INFINITY);
  core.input = input;
  let fault: TelltaleError | undefined;
  try {
    core.setProperties(properties);
    core.startRangeCoder();
    while (core.outputOffset < output.length) {
      const stop = core.run(Math.min(output.length, core.outputOffset + bytesBetweenTimeChecks), true);
      if (stop === 'end-marker') {
        throw new TelltaleError(
          'malformed/size-mismatch',
          `the compressed stream ends after ${core.outputOffset} of ${output.length} bytes`,
          { offset: core.inputOffset },
        );
      }
      options.budget?.checkTime();
    }
    if (core.hasPending) {
      throw new TelltaleError(
        'malformed/size-mismatch',
        `the compressed stream holds more than ${output.length} bytes`,
        { offset: core.inputOffset },
      );
    }
  } catch (error) {
    fault = toFault(error);
  }
  const decoded = { outputBytes: core.outputOffset, inputBytes: core.inputOffset };
  return fault === undefined ? decoded : { ...decoded, fault };
}

/**
 * Decodes raw LZMA1 of known size.
 *
 * @throws TelltaleError `limit/memory` above the budget's memory for one member, `limit/bytes`, `limit/ratio`,
 *   `limit/time`, and what {@link decodeLzmaInto} gives as a fault; the partial output is to be had from there
 */
export function decodeLzma(input: Uint8Array, options: LzmaOptions): Uint8Array {
  const output = allocate(options.outputBytes, options.budget);
  const decoded = decodeLzmaInto(input, output, options, options);
  if (decoded.fault !== undefined) throw decoded.fault;
  return output;
}

function allocate(outputBytes: number, budget: Budget | undefined): Uint8Array {
  if (budget !== undefined) {
    if (outputBytes > budget.limits.memberBytesInMemory) {
      throw new TelltaleError('limit/memory', `would need ${outputBytes} bytes of memory`);
    }
    budget.chargeBytes(outputBytes);
  }
  return new Uint8Array(outputBytes);
}

/**
 * Decodes raw LZMA1 as a stream, in memory of the dictionary and one chunk more.
 *
 * @param input - the compressed bytes, cut anywhere
 * @param options - reach of matches and, where it is known, size after decoding, in bytes
 * @yields chunks of at most 256 KiB, each a copy of its own
 * @throws TelltaleError `malformed/truncated`, `malformed/compressed-data`, `malformed/size-mismatch`, `limit/memory`,
 *   `limit/time`, after everything that could be decoded was yielded
 */
export function* decodeLzmaChunks(
  input: Iterable<Uint8Array>,
  options: LzmaStreamOptions,
): Generator<Uint8Array> {
  const { budget, outputBytes = Number.POSITIVE_INFINITY } = options;
  const reach = Math.min(Math.max(options.dictionaryBytes, minimumDictionaryBytes), outputBytes);
  if (budget !== undefined && reach > budget.limits.memberBytesInMemory) {
    throw new TelltaleError('limit/memory', `would need ${reach} bytes of memory for the dictionary`);
  }
  // The window grows with what is really decoded: a large dictionary may be no more than a claim.
  const core = new LzmaCore(new Uint8Array(bytesBetweenTimeChecks), options.dictionaryBytes);
  core.setProperties(options);
  const chunks = input[Symbol.iterator]();
  let isLast = false;
  /** Adds one chunk of input; false when there is none. */
  const feedOne = (): boolean => {
    const next = chunks.next();
    if (next.done === true) return false;
    core.feed(next.value);
    return true;
  };

  while (core.input.length < rangeCoderStartBytes && feedOne());
  core.startRangeCoder();
  let produced = 0;
  for (;;) {
    makeRoom(core, reach);
    const start = core.outputOffset;
    const limit = Math.min(
      core.output.length,
      start + Math.min(bytesBetweenTimeChecks, outputBytes - produced),
    );
    let stop: Stop | undefined;
    let fault: unknown;
    try {
      stop = core.run(limit, isLast);
    } catch (error) {
      fault = error;
    }
    if (core.outputOffset > start) {
      produced += core.outputOffset - start;
      yield core.output.slice(start, core.outputOffset);
    }
    if (fault !== undefined) throw fault;
    budget?.checkTime();
    if (produced === outputBytes) {
      if (!core.hasPending) return;
      throw new TelltaleError(
        'malformed/size-mismatch',
        `the compressed stream holds more than ${outputBytes} bytes`,
      );
    }
    if (stop === 'end-marker') {
      if (options.outputBytes === undefined) return;
      throw new TelltaleError(
        'malformed/size-mismatch',
        `the compressed stream ends after ${produced} of ${outputBytes} bytes`,
      );
    }
    if (stop === 'input') {
      if (isLast) throw new TelltaleError('malformed/truncated', 'the compressed stream ends too early');
      isLast = !feedOne();
    }
  }
}

/** Grows or slides the window of a stream when it is full. */
function makeRoom(core: LzmaCore, reach: number): void {
  if (core.outputOffset < core.output.length) return;
  if (core.output.length < reach + bytesBetweenTimeChecks) {
    const larger = new Uint8Array(Math.min(core.output.length * 2, reach + bytesBetweenTimeChecks));
    larger.set(core.output);
    core.output = larger;
  } else {
    core.slide(reach);
  }
}

/** Bytes from chunks that are cut anywhere. */
class ChunkedInput {
  readonly #chunks: Iterator<Uint8Array>;
  #chunk = new Uint8Array(0);
  #at = 0;
  /** Bytes taken so far. */
  offset = 0;

  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** @throws TelltaleError `malformed/truncated` */
  take(length: number): Uint8Array {
    const taken = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#at === this.#chunk.length) {
        const next = this.#chunks.next();
        if (next.done === true) {
          throw new TelltaleError('malformed/truncated', 'the compressed stream ends too early', {
            offset: this.offset + filled,
          });
        }
        this.#chunk = new Uint8Array(next.value);
        this.#at = 0;
        continue;
      }
      const part = this.#chunk.subarray(this.#at, this.#at + length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#at += part.length;
    }
    this.offset += length;
    return taken;
  }

  /** Big-endian. */
  takeNumber(length: number): number {
    let value = 0;
    for (const byte of this.take(length)) value = value * 256 + byte;
    return value;
  }
}

/** What the control byte of an LZMA2 chunk says. */
interface Lzma2ChunkHeader {
  readonly resetsDictionary: boolean;
  readonly isRaw: boolean;
  /** 0 nothing, 1 state, 2 and 3 state and properties. */
  readonly reset: number;
}

function toLzma2ChunkHeader(control: number): Lzma2ChunkHeader {
  const isRaw = control < 0x80;
  return { resetsDictionary: control === 1 || control >= 0xe0, isRaw, reset: isRaw ? 0 : (control >> 5) & 3 };
}

/** @throws TelltaleError `malformed/compressed-data` */
function toLzma2Properties(byte: number, offset: number): LzmaProperties {
  const lc = byte % 9;
  const lp = Math.floor(byte / 9) % 5;
  const pb = Math.floor(byte / 45);
  if (pb > 4 || lc + lp > 4) {
    throw new TelltaleError('malformed/compressed-data', 'has LZMA2 properties out of range', { offset });
  }
  return { lc, lp, pb };
}

/**
 * Decodes an LZMA2 stream up to the zero byte that ends it, in memory of the dictionary and one chunk more.
 *
 * @param input - starts with the first chunk's control byte; cut anywhere
 * @param options - reach of matches in bytes; the budget is asked for the time, not charged
 * @yields chunks of at most 256 KiB, each a copy of its own
 * @throws TelltaleError `malformed/truncated`, `malformed/compressed-data`, `malformed/size-mismatch`, `limit/memory`,
 *   `limit/time`, after everything that could be decoded was yielded
 */
export function* decodeLzma2Chunks(
  input: Iterable<Uint8Array>,
  options: { readonly dictionaryBytes: number; readonly budget?: Budget },
): Generator<Uint8Array> {
  const { budget } = options;
  const reach = Math.max(options.dictionaryBytes, minimumDictionaryBytes);
  if (budget !== undefined && reach > budget.limits.memberBytesInMemory) {
    throw new TelltaleError('limit/memory', `would need ${reach} bytes of memory for the dictionary`);
  }
  const stream = new ChunkedInput(input);
  const core = new LzmaCore(new Uint8Array(bytesBetweenTimeChecks), options.dictionaryBytes);
  let needsDictionaryReset = true;
  let needsProperties = true;
  for (;;) {
    budget?.checkTime();
    const control = stream.takeNumber(1);
    if (control === 0) return;
    const fail = (message: string): never => {
      throw new TelltaleError('malformed/compressed-data', message, { offset: stream.offset });
    };
    const { resetsDictionary, isRaw, reset } = toLzma2ChunkHeader(control);
    if (resetsDictionary) {
      core.dictionaryStart = core.outputOffset;
      core.bytesBefore = -core.outputOffset;
      needsDictionaryReset = false;
    } else if (needsDictionaryReset) {
      fail('the first chunk does not reset the dictionary');
    }
    if (isRaw && control > 2) fail(`has a chunk of the unknown kind ${control}`);
    const size = stream.takeNumber(2) + 1 + (isRaw ? 0 : (control & 0x1f) << 16);
    const compressedSize = isRaw ? size : stream.takeNumber(2) + 1;
    if (reset >= 2) {
      core.setProperties(toLzma2Properties(stream.takeNumber(1), stream.offset));
      needsProperties = false;
    } else if (!isRaw && needsProperties) {
      fail('the first compressed chunk has no properties');
    } else if (reset === 1) {
      core.resetState();
    }
    core.input = stream.take(compressedSize);
    core.inputOffset = 0;
    if (!isRaw) core.startRangeCoder();
    for (let left = size; left > 0; ) {
      makeRoom(core, reach);
      const start = core.outputOffset;
      const limit = Math.min(core.output.length, start + left);
      let stop: Stop = 'limit';
      let fault: unknown;
      try {
        if (isRaw) core.copyInput(limit - start);
        else stop = core.run(limit, true);
      } catch (error) {
        fault = error;
      }
      if (core.outputOffset > start) yield core.output.slice(start, core.outputOffset);
      if (fault !== undefined) throw fault;
      left -= core.outputOffset - start;
      if (stop !== 'limit' || (left === 0 && core.hasPending)) {
        throw new TelltaleError('malformed/size-mismatch', 'a chunk does not hold as many bytes as it says', {
          offset: stream.offset,
        });
      }
    }
  }
}

/**
 * Decodes an LZMA2 stream (chunks up to the zero byte that ends it) as far as it goes.
 *
 * @param input - starts with the first chunk's control byte
 * @param output - filled from its start; its length is the promised size
 * @param options - reach of matches in bytes; the budget is asked for the time, not charged
 * @returns as {@link decodeLzmaInto}
 */
export function decodeLzma2Into(
  input: Uint8Array,
  output: Uint8Array,
  options: { readonly dictionaryBytes?: number; readonly budget?: Budget } = {},
): Decoded {
  const core = new LzmaCore(output, options.dictionaryBytes ?? Number.POSITIVE_INFINITY);
  let fault: TelltaleError | undefined;
  let inputOffset = 0;
  const fail = (code: TelltaleError['code'], message: string): never => {
    throw new TelltaleError(code, message, { offset: inputOffset });
  };
  const take = (length: number): Uint8Array => {
    if (inputOffset + length > input.length)
      fail('malformed/truncated', 'the compressed stream ends too early');
    inputOffset += length;
    return input.subarray(inputOffset - length, inputOffset);
  };
  const takeNumber = (length: number): number => {
    let value = 0;
    for (const byte of take(length)) value = value * 256 + byte;
    return value;
  };
  let needsDictionaryReset = true;
  let needsProperties = true;
  try {
    for (;;) {
      options.budget?.checkTime();
      const control = takeNumber(1);
      if (control === 0) break;
      if (control === 1 || control >= 0xe0) {
        core.dictionaryStart = core.outputOffset;
        core.bytesBefore = -core.outputOffset;
        needsDictionaryReset = false;
      } else if (needsDictionaryReset) {
        fail('malformed/compressed-data', 'the first chunk does not reset the dictionary');
      }
      const isRaw = control < 0x80;
      if (isRaw && control > 2)
        fail('malformed/compressed-data', `has a chunk of the unknown kind ${control}`);
      const size = takeNumber(2) + 1 + (isRaw ? 0 : (control & 0x1f) << 16);
      const compressedSize = isRaw ? size : takeNumber(2) + 1;
      if (!isRaw) {
        const reset = (control >> 5) & 3;
        if (reset >= 2) {
          const properties = takeNumber(1);
          const lc = properties % 9;
          const lp = Math.floor(properties / 9) % 5;
          const pb = Math.floor(properties / 45);
          if (pb > 4 || lc + lp > 4) fail('malformed/compressed-data', 'has LZMA2 properties out of range');
          core.setProperties({ lc, lp, pb });
          needsProperties = false;
        } else if (needsProperties) {
          fail('malformed/compressed-data', 'the first compressed chunk has no properties');
        } else if (reset === 1) {
          core.resetState();
        }
      }
      if (core.outputOffset + size > output.length) {
        fail('malformed/size-mismatch', `the compressed stream holds more than ${output.length} bytes`);
      }
      core.input = take(compressedSize);
      core.inputOffset = 0;
      if (isRaw) {
        core.copyInput(size);
        continue;
      }
      const chunkStart = inputOffset - compressedSize;
      try {
        core.startRangeCoder();
        const end = core.outputOffset + size;
        if (core.run(end, true) !== 'limit' || core.outputOffset !== end || core.hasPending) {
          throw new TelltaleError(
            'malformed/size-mismatch',
            'a chunk does not hold as many bytes as it says',
            {
              offset: core.inputOffset,
            },
          );
        }
      } catch (error) {
        const { code, message, offset = 0 } = toFault(error);
        throw new TelltaleError(code, message, { offset: chunkStart + offset });
      }
    }
    if (core.outputOffset < output.length) {
      fail(
        'malformed/size-mismatch',
        `the compressed stream ends after ${core.outputOffset} of ${output.length} bytes`,
      );
    }
  } catch (error) {
    fault = toFault(error);
  }
  const decoded = { outputBytes: core.outputOffset, inputBytes: inputOffset };
  return fault === undefined ? decoded : { ...decoded, fault };
}
