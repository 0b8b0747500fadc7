/*
 * The symbols of LZMA in WebAssembly. The kernel is written by `scripts/lzma-kernel.ts`, its bytes are in
 * `lzma-bytes.ts`; it does what the loop in `lzma-plain.ts` does, and that takes its place where there is no
 * WebAssembly.
 *
 * The kernel's memory holds, one after the other: its state, the tables of fixed size, a piece of the input, the
 * literals' table, and the dictionary. The dictionary is a ring; it comes last because it grows with what is really
 * decoded. What is left in it from an earlier stream is never read: the kernel knows how far back this one goes.
 */
import { TelltaleError } from '../../bytes/errors.ts';
import { tryAllocate, tryInstantiate } from '../../platform/wasm-kernels.ts';
import { lzmaBytes } from './lzma-bytes.ts';
import {
  checkProperties,
  joinRest,
  literalAt,
  literalContextSize,
  type LzmaCore,
  type LzmaProperties,
  maximumBytesPerSymbol,
  probabilityInitial,
  rangeCoderStartBytes,
  readRangeCoderStart,
  type Stop,
  toBadDistance,
  toTruncated,
} from './lzma-core.ts';
import { createPlainCore } from './lzma-plain.ts';

/** Where the kernel finds and leaves what outlives a run; 32 bits each, counted in words. */
export const kernelState = {
  range: 0,
  code: 1,
  state: 2,
  rep0: 3,
  rep1: 4,
  rep2: 5,
  rep3: 6,
  /** Bytes of a match that did not fit in the last run. */
  pendingLength: 7,
  /** Addresses behind the last byte that was read, and the last that was written. */
  input: 8,
  output: 9,
  lc: 10,
  lpMask: 11,
  pbMask: 12,
  /** How far back a match may reach. */
  maximumDistance: 13,
  /** Address of the first byte ever; where that was overwritten, a ring before the dictionary. */
  oldest: 14,
  /** Address and size of the ring. */
  dictionary: 15,
  dictionaryBytes: 16,
} as const;

/** What the kernel returns. */
export const kernelStops = { limit: 0, input: 1, endMarker: 2, truncated: 3, distance: 4 } as const;

const tablesAt = 128;
const inputAt = toMultiple(tablesAt + literalAt * 2, 64);
const inputBytes = 64 * 1024;
/** Zeros behind the end of the input, more than a symbol can use. */
const paddingBytes = 64;
/** Addresses of the tables, and of the literals', which the kernel is written for. */
export const kernelTables = { tablesAt, literalsAt: inputAt + inputBytes + paddingBytes } as const;

/** The kernel copies eight bytes at a time, and so may write seven too many, and read as many. */
const overrunBytes = 64;
const pageBytes = 64 * 1024;
/** The dictionary grows by no less. */
const growthBytes = 1024 * 1024;
/** Larger dictionaries are left to the plain decoder: addresses end at 4 GiB. */
const maximumReach = 1024 * 1024 * 1024;
/** A memory of this size is kept for the next stream: enough for the dictionary of 64 MiB of an installer. */
const keptBytes = 66 * 1024 * 1024;
/** Literal bits of any LZMA2 stream. */
const usualLiteralBits = 4;

type Decode = (input: number, safeEnd: number, inputEnd: number, output: number, limit: number) => number;

interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly decode: Decode;
}

/** The decoder in WebAssembly; the one in TypeScript where there is none, or the dictionary is too large. */
export function createWasmCore(reach: number, dictionaryBytes: number): LzmaCore {
  const kernel = reach > maximumReach ? undefined : tryTakeKernel();
  return kernel === undefined
    ? createPlainCore(reach, dictionaryBytes)
    : new WasmCore(kernel, reach, dictionaryBytes);
}

class WasmCore implements LzmaCore {
  input: Uint8Array = new Uint8Array(0);
  inputOffset = 0;
  #kernel: Kernel;
  /** Views of the memory, made again when it grew. */
  #bytes: Uint8Array;
  #words: Uint32Array;
  /** The part of the input that is in the memory. */
  #pieceStart = 0;
  #pieceEnd = 0;
  readonly #ringBytes: number;
  readonly #dictionaryBytes: number;
  #ringAt = 0;
  /** In the ring, as the next two. */
  #position = 0;
  #freshStart = 0;
  #literalBits = usualLiteralBits;
  #hasWrapped = false;

  constructor(kernel: Kernel, reach: number, dictionaryBytes: number) {
    this.#kernel = kernel;
    this.#bytes = new Uint8Array(kernel.memory.buffer);
    this.#words = new Uint32Array(kernel.memory.buffer, 0, tablesAt / 4);
    // Positions count in the ring, so that it has to be a multiple of all position masks.
    this.#ringBytes = toMultiple(reach + overrunBytes, pageBytes);
    this.#dictionaryBytes = dictionaryBytes;
    // An earlier stream may have left its own.
    this.#words.fill(0);
    this.#placeRing();
  }

  get hasPending(): boolean {
    return this.#words[kernelState.pendingLength] !== 0;
  }

  get fresh(): Uint8Array {
    return this.#bytes.subarray(this.#ringAt + this.#freshStart, this.#ringAt + this.#position);
  }

  replaceInput(input: Uint8Array): void {
    this.input = input;
    this.inputOffset = 0;
    this.#pieceStart = 0;
    this.#pieceEnd = 0;
  }

  feed(chunk: Uint8Array): void {
    this.replaceInput(joinRest(this.input, this.inputOffset, chunk));
  }

  setProperties(properties: LzmaProperties): void {
    checkProperties(properties);
    const { lc, lp, pb } = properties;
    if (lc + lp > this.#literalBits) {
      // Only before the first byte: in LZMA2, where properties may change, the usual bits are all that there are.
      this.#literalBits = lc + lp;
      this.#placeRing();
    }
    const words = this.#words;
    words[kernelState.lc] = lc;
    words[kernelState.lpMask] = (1 << lp) - 1;
    words[kernelState.pbMask] = (1 << pb) - 1;
    this.resetState();
  }

  resetState(): void {
    const { buffer } = this.#kernel.memory;
    new Uint16Array(buffer, tablesAt, literalAt).fill(probabilityInitial);
    new Uint16Array(buffer, kernelTables.literalsAt, literalContextSize << this.#literalBits).fill(
      probabilityInitial,
    );
    this.#words.fill(0, kernelState.state, kernelState.pendingLength + 1);
  }

  resetDictionary(): void {
    this.#position = 0;
    this.#freshStart = 0;
    this.#hasWrapped = false;
    // The kernel takes the byte before the first for the one before a literal.
    this.#bytes[this.#ringAt - 1] = 0;
    this.#words[kernelState.oldest] = this.#ringAt;
  }

  startRangeCoder(): void {
    this.#words[kernelState.code] = readRangeCoderStart(this.input, this.inputOffset);
    this.#words[kernelState.range] = 0xffff_ffff;
    this.inputOffset += rangeCoderStartBytes;
  }

  run(bytes: number, isLast: boolean): Stop {
    const limit = this.#makeRoom(bytes);
    const words = this.#words;
    const ringAt = this.#ringAt;
    for (;;) {
      this.#loadInput();
      const isWhole = this.#pieceEnd === this.input.length;
      const shift = inputAt - this.#pieceStart;
      const end = shift + this.#pieceEnd;
      const safeEnd = isWhole && isLast ? end : end - maximumBytesPerSymbol;
      const stop = this.#kernel.decode(
        shift + this.inputOffset,
        safeEnd,
        end,
        ringAt + this.#position,
        ringAt + limit,
      );
      this.inputOffset = Math.min((words[kernelState.input] ?? 0) - shift, this.#pieceEnd);
      this.#position = (words[kernelState.output] ?? 0) - ringAt;
      switch (stop) {
        case kernelStops.limit:
          return 'limit';
        case kernelStops.endMarker:
          return 'end-marker';
        case kernelStops.truncated:
          throw toTruncated(this.inputOffset);
        case kernelStops.distance:
          throw toBadDistance(this.inputOffset);
        default:
          if (isWhole) return 'input';
      }
    }
  }

  copyInput(bytes: number): void {
    const length = this.#makeRoom(bytes) - this.#position;
    this.#bytes.set(
      this.input.subarray(this.inputOffset, this.inputOffset + length),
      this.#ringAt + this.#position,
    );
    this.inputOffset += length;
    this.#position += length;
  }

  release(): void {
    putBackKernel(this.#kernel);
  }

  #placeRing(): void {
    this.#ringAt = toRingAddress(this.#literalBits);
    this.#reserve(this.#ringAt);
    const words = this.#words;
    words[kernelState.dictionary] = this.#ringAt;
    words[kernelState.dictionaryBytes] = this.#ringBytes;
    words[kernelState.maximumDistance] = Math.min(this.#dictionaryBytes, 0xffff_ffff);
    this.resetDictionary();
  }

  /** Wraps the ring when it is full, and grows the memory. @returns how far the output may go now, in the ring */
  #makeRoom(bytes: number): number {
    if (this.#position === this.#ringBytes) {
      this.#bytes[this.#ringAt - 1] = this.#bytes[this.#ringAt + this.#ringBytes - 1] ?? 0;
      this.#position = 0;
      if (!this.#hasWrapped) {
        this.#hasWrapped = true;
        // May be below zero: the kernel only subtracts it.
        this.#words[kernelState.oldest] = this.#ringAt - this.#ringBytes;
      }
    }
    this.#freshStart = this.#position;
    const limit = Math.min(this.#ringBytes, this.#position + bytes);
    this.#reserve(this.#ringAt + limit + overrunBytes);
    return limit;
  }

  /** @throws TelltaleError `limit/memory` */
  #reserve(end: number): void {
    const { memory } = this.#kernel;
    const missing = end - memory.buffer.byteLength;
    if (missing <= 0) return;
    const largest = toMultiple(this.#ringAt + this.#ringBytes + overrunBytes, pageBytes);
    const wanted = Math.min(largest, end + Math.max(growthBytes, this.#position));
    try {
      memory.grow(toMultiple(wanted - memory.buffer.byteLength, pageBytes) / pageBytes);
    } catch {
      throw new TelltaleError('limit/memory', `would need ${wanted} bytes of memory for the dictionary`);
    }
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer, 0, tablesAt / 4);
  }

  /** Takes care that the memory holds the next symbol, or all of the input that there is, with zeros behind it. */
  #loadInput(): void {
    const isWhole = this.#pieceEnd === this.input.length && this.#pieceEnd > 0;
    if (isWhole || this.#pieceEnd - this.inputOffset > maximumBytesPerSymbol) return;
    this.#pieceStart = this.inputOffset;
    this.#pieceEnd = Math.min(this.input.length, this.inputOffset + inputBytes);
    const end = inputAt + this.#pieceEnd - this.#pieceStart;
    this.#bytes.set(this.input.subarray(this.#pieceStart, this.#pieceEnd), inputAt);
    this.#bytes.fill(0, end, end + paddingBytes);
  }
}

/** Behind the literals' table, and a byte for what comes before the first. */
function toRingAddress(literalBits: number): number {
  return toMultiple(kernelTables.literalsAt + (literalContextSize << literalBits) * 2 + 1, pageBytes);
}

function toMultiple(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/** What a stream has left for the next one; streams at the same time have a memory each. */
let idle: Kernel | undefined;

function tryTakeKernel(): Kernel | undefined {
  if (idle !== undefined) {
    const kernel = idle;
    idle = undefined;
    return kernel;
  }
  const memory = tryAllocate(toRingAddress(usualLiteralBits), true);
  const decode = memory && tryInstantiate<Decode>(lzmaBytes, memory, 'decode');
  return memory === undefined || decode === undefined ? undefined : { memory, decode };
}

function putBackKernel(kernel: Kernel): void {
  if (kernel.memory.buffer.byteLength <= keptBytes) idle = kernel;
}
