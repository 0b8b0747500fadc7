/*
 * The symbols of LZMA in plain TypeScript: used where there is no WebAssembly, and what the kernel is tested against.
 */
import {
  alignAt,
  checkProperties,
  isMatchAt,
  isRep0LongAt,
  isRepAt,
  isRepG0At,
  isRepG1At,
  isRepG2At,
  joinRest,
  lengthHigh,
  lengthLow,
  lengthMiddle,
  literalAt,
  literalContextSize,
  type LzmaCore,
  type LzmaProperties,
  matchLengthAt,
  maximumBytesPerSymbol,
  probabilityInitial,
  rangeCoderStartBytes,
  readRangeCoderStart,
  repLengthAt,
  slotAt,
  specialPositionAt,
  type Stop,
  toBadDistance,
  toTruncated,
} from './lzma-core.ts';

const windowBytesAtFirst = 1 << 18;

/** Room for output behind what has to be kept; the larger, the seldomer that is moved to the front. */
function toSpareBytes(reach: number): number {
  return Math.max(1 << 18, reach >>> 3);
}

/** @see LzmaCoreFactory */
export function createPlainCore(reach: number, dictionaryBytes: number): LzmaCore {
  return new PlainCore(reach, dictionaryBytes);
}

/** Output goes to a buffer that doubles as the dictionary, and grows with what is really decoded. */
class PlainCore implements LzmaCore {
  input: Uint8Array = new Uint8Array(0);
  inputOffset = 0;
  #output = new Uint8Array(windowBytesAtFirst);
  #outputOffset = 0;
  /** Where the output of the last run starts. */
  #freshStart = 0;
  /** Where in the output the dictionary starts: nothing before it may be copied. */
  #dictionaryStart = 0;
  readonly #reach: number;
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
  #bytesBefore = 0;

  constructor(reach: number, dictionaryBytes: number) {
    this.#reach = reach;
    this.#dictionaryBytes = dictionaryBytes;
  }

  get hasPending(): boolean {
    return this.#pendingLength > 0;
  }

  get fresh(): Uint8Array {
    return this.#output.subarray(this.#freshStart, this.#outputOffset);
  }

  replaceInput(input: Uint8Array): void {
    this.input = input;
    this.inputOffset = 0;
  }

  feed(chunk: Uint8Array): void {
    this.replaceInput(joinRest(this.input, this.inputOffset, chunk));
  }

  setProperties(properties: LzmaProperties): void {
    checkProperties(properties);
    const { lc, lp, pb } = properties;
    this.#lc = lc;
    this.#lpMask = (1 << lp) - 1;
    this.#pbMask = (1 << pb) - 1;
    const size = literalAt + (literalContextSize << (lc + lp));
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

  resetDictionary(): void {
    this.#dictionaryStart = this.#outputOffset;
    this.#bytesBefore = -this.#outputOffset;
  }

  startRangeCoder(): void {
    this.#code = readRangeCoderStart(this.input, this.inputOffset);
    this.#range = 0xffffffff;
    this.inputOffset += rangeCoderStartBytes;
  }

  copyInput(bytes: number): void {
    const limit = this.#makeRoom(bytes);
    const length = limit - this.#outputOffset;
    this.#output.set(this.input.subarray(this.inputOffset, this.inputOffset + length), this.#outputOffset);
    this.inputOffset += length;
    this.#outputOffset = limit;
  }

  release(): void {
    this.#output = new Uint8Array(0);
  }

  /** Grows or slides the window when it is full. @returns how far the output may go now */
  #makeRoom(bytes: number): number {
    const largest = this.#reach + toSpareBytes(this.#reach);
    if (this.#outputOffset === this.#output.length) {
      if (this.#output.length < largest) {
        const larger = new Uint8Array(Math.min(this.#output.length * 2, largest));
        larger.set(this.#output);
        this.#output = larger;
      } else {
        const from = this.#outputOffset - this.#reach;
        this.#output.copyWithin(0, from, this.#outputOffset);
        this.#bytesBefore += from;
        this.#dictionaryStart = Math.max(0, this.#dictionaryStart - from);
        this.#outputOffset = this.#reach;
      }
    }
    this.#freshStart = this.#outputOffset;
    return Math.min(this.#output.length, this.#outputOffset + bytes);
  }

  /**
   * The code below is one long function on purpose: with the range coder in local variables and the bit trees spelt
   * out it runs several times as fast as with a method for each bit.
   */
  run(bytes: number, isLast: boolean): Stop {
    const limit = this.#makeRoom(bytes);
    const { input } = this;
    const output = this.#output;
    const dictionaryStart = this.#dictionaryStart;
    const bytesBefore = this.#bytesBefore;
    const probabilities = this.#probabilities;
    const lc = this.#lc;
    const lpMask = this.#lpMask;
    const pbMask = this.#pbMask;
    const dictionaryBytes = this.#dictionaryBytes;
    const inputLength = input.length;
    const safeInputEnd = isLast ? inputLength : inputLength - maximumBytesPerSymbol;
    let inputOffset = this.inputOffset;
    let outputOffset = this.#outputOffset;
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
        const tree = literalAt + literalContextSize * (((position & lpMask) << lc) + (previous >> (8 - lc)));
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
    this.#outputOffset = outputOffset;
    this.#range = range;
    this.#code = code;
    this.#state = state;
    this.#rep0 = rep0;
    this.#rep1 = rep1;
    this.#rep2 = rep2;
    this.#rep3 = rep3;
    this.#pendingLength = length;
    if (fault === 'truncated') throw toTruncated(this.inputOffset);
    if (fault === 'distance') throw toBadDistance(this.inputOffset);
    return stop;
  }
}
