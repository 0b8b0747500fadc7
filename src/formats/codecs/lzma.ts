/**
 * LZMA1 without a header (as UPX and Inno Setup store it) and LZMA2: LZ77 over an adaptive binary range coder.
 *
 * Specification: https://www.7-zip.org/sdk.html (`lzma-specification.txt`, public domain); LZMA2 chunks as in
 * https://github.com/tukaani-project/xz/blob/master/doc/xz-file-format.txt and the SDK's `Lzma2Dec.c`.
 *
 * Ways in: {@link decodeLzmaInto} and {@link decodeLzma2Into} fill a buffer of the promised size and tell how far they
 * came, {@link decodeLzma} is all or nothing, {@link decodeLzmaChunks} and {@link decodeLzma2Chunks} stream with a
 * bounded window. The symbols are decoded in WebAssembly (`lzma-wasm.ts`), or else in plain TypeScript
 * (`lzma-plain.ts`), with the same result.
 *
 * Not supported: preset dictionaries. Headers (`.lzma`, `.xz`, UPX's two bytes) are for the caller to read.
 */
import type { Budget } from '../../bytes/budget.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import type { Decoded } from './decoded.ts';
import {
  type LzmaCore,
  type LzmaCoreFactory,
  type LzmaProperties,
  rangeCoderStartBytes,
  type Stop,
  toLzmaProperties,
  toTruncated,
} from './lzma-core.ts';
import { createWasmCore } from './lzma-wasm.ts';

export { type LzmaProperties, toLzmaProperties, tryToLzma2DictionaryBytes } from './lzma-core.ts';

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
  /** Chunks are good only until the next one is asked for; without, each is a copy of its own. */
  readonly usesChunksAgain?: boolean;
}

const bytesBetweenTimeChecks = 1 << 18;
type Lzma2StreamOptions = Pick<LzmaStreamOptions, 'dictionaryBytes' | 'budget' | 'usesChunksAgain'>;

/** The specification raises smaller dictionaries to this. */
const minimumDictionaryBytes = 1 << 12;
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
 * @param createCore - what decodes the symbols; tests choose
 * @returns lengths in bytes, and a fault (`malformed/truncated`, `malformed/compressed-data`,
 *   `malformed/size-mismatch`, `limit/time`, `limit/memory`) when it stopped early
 */
export function decodeLzmaInto(
  input: Uint8Array,
  output: Uint8Array,
  properties: LzmaProperties,
  options: DecodeIntoOptions = {},
  createCore: LzmaCoreFactory = createWasmCore,
): Decoded {
  const filling = new Filling(output, options.dictionaryBytes, createCore);
  const { core } = filling;
  core.replaceInput(input);
  let fault: TelltaleError | undefined;
  try {
    core.setProperties(properties);
    core.startRangeCoder();
    while (filling.filled < output.length) {
      if (filling.run(Math.min(output.length - filling.filled, bytesBetweenTimeChecks)) === 'end-marker') {
        throw new TelltaleError(
          'malformed/size-mismatch',
          `the compressed stream ends after ${filling.filled} of ${output.length} bytes`,
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
  const decoded = { outputBytes: filling.filled, inputBytes: core.inputOffset };
  core.release();
  return fault === undefined ? decoded : { ...decoded, fault };
}

interface DecodeIntoOptions {
  readonly dictionaryBytes?: number;
  readonly budget?: Budget;
}

/** A buffer that is filled from its start with what a core decodes. */
class Filling {
  readonly core: LzmaCore;
  readonly #output: Uint8Array;
  filled = 0;

  constructor(output: Uint8Array, dictionaryBytes: number | undefined, createCore: LzmaCoreFactory) {
    const reach = Math.max(dictionaryBytes ?? Number.POSITIVE_INFINITY, minimumDictionaryBytes);
    this.core = createCore(Math.min(reach, output.length), dictionaryBytes ?? Number.POSITIVE_INFINITY);
    this.#output = output;
  }

  /** Decodes until `bytes` are there, or it cannot go on. @throws TelltaleError as the core's run */
  run(bytes: number): Stop {
    const end = this.filled + bytes;
    for (;;) {
      let stop: Stop;
      try {
        stop = this.core.run(end - this.filled, true);
      } finally {
        this.#takeFresh();
      }
      if (stop !== 'limit' || this.filled === end) return stop;
    }
  }

  copyInput(bytes: number): void {
    for (const end = this.filled + bytes; this.filled < end; ) {
      this.core.copyInput(end - this.filled);
      this.#takeFresh();
    }
  }

  #takeFresh(): void {
    const { fresh } = this.core;
    this.#output.set(fresh, this.filled);
    this.filled += fresh.length;
  }
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
 * @param createCore - what decodes the symbols; tests choose
 * @yields chunks of at most 256 KiB
 * @throws TelltaleError `malformed/truncated`, `malformed/compressed-data`, `malformed/size-mismatch`, `limit/memory`,
 *   `limit/time`, after everything that could be decoded was yielded
 */
export function* decodeLzmaChunks(
  input: Iterable<Uint8Array>,
  options: LzmaStreamOptions,
  createCore: LzmaCoreFactory = createWasmCore,
): Generator<Uint8Array> {
  const { budget, outputBytes = Number.POSITIVE_INFINITY } = options;
  const reach = Math.min(Math.max(options.dictionaryBytes, minimumDictionaryBytes), outputBytes);
  if (budget !== undefined && reach > budget.limits.memberBytesInMemory) {
    throw new TelltaleError('limit/memory', `would need ${reach} bytes of memory for the dictionary`);
  }
  const core = createCore(reach, options.dictionaryBytes);
  try {
    core.setProperties(options);
    yield* decodeSymbols(core, input[Symbol.iterator](), options);
  } finally {
    core.release();
  }
}

function* decodeSymbols(
  core: LzmaCore,
  chunks: Iterator<Uint8Array>,
  { budget, outputBytes, usesChunksAgain = false }: LzmaStreamOptions,
): Generator<Uint8Array> {
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
  for (let produced = 0; ; ) {
    let stop: Stop | undefined;
    let fault: unknown;
    try {
      // Where the size is zero there is nothing to decode.
      const wanted = Math.min(bytesBetweenTimeChecks, (outputBytes ?? Number.POSITIVE_INFINITY) - produced);
      stop = wanted === 0 ? 'limit' : core.run(wanted, isLast);
    } catch (error) {
      fault = error;
    }
    const { fresh } = core;
    if (fresh.length > 0) {
      produced += fresh.length;
      yield usesChunksAgain ? fresh : fresh.slice();
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
      if (outputBytes === undefined) return;
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

/** Bytes from chunks that are cut anywhere. */
class ChunkedInput {
  readonly #chunks: Iterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Bytes taken so far. */
  offset = 0;

  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** @throws TelltaleError `malformed/truncated` */
  take(length: number): Uint8Array {
    const taken = this.takeUpTo(length);
    if (taken.length < length) throw toTruncated(this.offset);
    return taken;
  }

  /** Fewer bytes at the end. */
  takeUpTo(length: number): Uint8Array {
    const taken = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#at === this.#chunk.length) {
        const next = this.#chunks.next();
        if (next.done === true) break;
        this.#chunk = next.value;
        this.#at = 0;
        continue;
      }
      const part = this.#chunk.subarray(this.#at, this.#at + length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#at += part.length;
    }
    this.offset += filled;
    return taken.subarray(0, filled);
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
  const properties = toLzmaProperties(byte);
  const { lc, lp, pb } = properties;
  if (pb > 4 || lc + lp > 4) {
    throw new TelltaleError('malformed/compressed-data', 'has LZMA2 properties out of range', { offset });
  }
  return properties;
}

/**
 * Decodes an LZMA2 stream up to the zero byte that ends it, in memory of the dictionary and one chunk more.
 *
 * @param input - starts with the first chunk's control byte; cut anywhere
 * @param options - reach of matches in bytes; the budget is asked for the time, not charged
 * @param createCore - what decodes the symbols; tests choose
 * @yields chunks of at most 256 KiB
 * @returns how many bytes of the input belong to the stream
 * @throws TelltaleError `malformed/truncated`, `malformed/compressed-data`, `malformed/size-mismatch`, `limit/memory`,
 *   `limit/time`, after everything that could be decoded was yielded
 */
export function* decodeLzma2Chunks(
  input: Iterable<Uint8Array>,
  options: Lzma2StreamOptions,
  createCore: LzmaCoreFactory = createWasmCore,
): Generator<Uint8Array, number> {
  const { budget } = options;
  const reach = Math.max(options.dictionaryBytes, minimumDictionaryBytes);
  if (budget !== undefined && reach > budget.limits.memberBytesInMemory) {
    throw new TelltaleError('limit/memory', `would need ${reach} bytes of memory for the dictionary`);
  }
  const core = createCore(reach, options.dictionaryBytes);
  try {
    return yield* decodeLzma2Stream(core, new ChunkedInput(input), options);
  } finally {
    core.release();
  }
}

function* decodeLzma2Stream(
  core: LzmaCore,
  stream: ChunkedInput,
  { budget, usesChunksAgain = false }: Lzma2StreamOptions,
): Generator<Uint8Array, number> {
  let needsDictionaryReset = true;
  let needsProperties = true;
  for (;;) {
    budget?.checkTime();
    const control = stream.takeNumber(1);
    if (control === 0) return stream.offset;
    const fail = (message: string): never => {
      throw new TelltaleError('malformed/compressed-data', message, { offset: stream.offset });
    };
    const { resetsDictionary, isRaw, reset } = toLzma2ChunkHeader(control);
    if (resetsDictionary) {
      core.resetDictionary();
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
    const compressed = stream.takeUpTo(compressedSize);
    core.replaceInput(compressed);
    if (!isRaw) core.startRangeCoder();
    // Of a chunk that is cut, what there is: packed bytes show where they end by themselves.
    for (let left = isRaw ? compressed.length : size; left > 0; ) {
      const wanted = Math.min(bytesBetweenTimeChecks, left);
      let stop: Stop = 'limit';
      let fault: unknown;
      try {
        if (isRaw) core.copyInput(wanted);
        else stop = core.run(wanted, true);
      } catch (error) {
        fault = error;
      }
      const { fresh } = core;
      left -= fresh.length;
      if (fresh.length > 0) yield usesChunksAgain ? fresh : fresh.slice();
      if (fault !== undefined) throw fault;
      if (stop !== 'limit' || (left === 0 && core.hasPending)) {
        throw new TelltaleError('malformed/size-mismatch', 'a chunk does not hold as many bytes as it says', {
          offset: stream.offset,
        });
      }
    }
    if (isRaw && compressed.length < size) throw toTruncated(stream.offset);
  }
}

/**
 * Decodes an LZMA2 stream (chunks up to the zero byte that ends it) as far as it goes.
 *
 * @param input - starts with the first chunk's control byte
 * @param output - filled from its start; its length is the promised size
 * @param options - reach of matches in bytes; the budget is asked for the time, not charged
 * @param createCore - what decodes the symbols; tests choose
 * @returns as {@link decodeLzmaInto}
 */
export function decodeLzma2Into(
  input: Uint8Array,
  output: Uint8Array,
  options: DecodeIntoOptions = {},
  createCore: LzmaCoreFactory = createWasmCore,
): Decoded {
  const filling = new Filling(output, options.dictionaryBytes, createCore);
  const { core } = filling;
  let fault: TelltaleError | undefined;
  let inputOffset = 0;
  const fail = (code: TelltaleError['code'], message: string): never => {
    throw new TelltaleError(code, message, { offset: inputOffset });
  };
  const takeUpTo = (length: number): Uint8Array => {
    const taken = input.subarray(inputOffset, inputOffset + length);
    inputOffset += taken.length;
    return taken;
  };
  const failIfShort = (taken: Uint8Array, length: number): void => {
    if (taken.length < length) fail('malformed/truncated', 'the compressed stream ends too early');
  };
  const takeNumber = (length: number): number => {
    const taken = takeUpTo(length);
    failIfShort(taken, length);
    let value = 0;
    for (const byte of taken) value = value * 256 + byte;
    return value;
  };
  let needsDictionaryReset = true;
  let needsProperties = true;
  try {
    for (;;) {
      options.budget?.checkTime();
      const control = takeNumber(1);
      if (control === 0) break;
      const { resetsDictionary, isRaw, reset } = toLzma2ChunkHeader(control);
      if (resetsDictionary) {
        core.resetDictionary();
        needsDictionaryReset = false;
      } else if (needsDictionaryReset) {
        fail('malformed/compressed-data', 'the first chunk does not reset the dictionary');
      }
      if (isRaw && control > 2)
        fail('malformed/compressed-data', `has a chunk of the unknown kind ${control}`);
      const size = takeNumber(2) + 1 + (isRaw ? 0 : (control & 0x1f) << 16);
      const compressedSize = isRaw ? size : takeNumber(2) + 1;
      if (reset >= 2) {
        core.setProperties(toLzma2Properties(takeNumber(1), inputOffset));
        needsProperties = false;
      } else if (!isRaw && needsProperties) {
        fail('malformed/compressed-data', 'the first compressed chunk has no properties');
      } else if (reset === 1) {
        core.resetState();
      }
      if (filling.filled + size > output.length) {
        fail('malformed/size-mismatch', `the compressed stream holds more than ${output.length} bytes`);
      }
      const compressed = takeUpTo(compressedSize);
      core.replaceInput(compressed);
      if (isRaw) {
        filling.copyInput(compressed.length);
        failIfShort(compressed, size);
        continue;
      }
      const chunkStart = inputOffset - compressed.length;
      try {
        core.startRangeCoder();
        if (filling.run(size) !== 'limit' || core.hasPending) {
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
    if (filling.filled < output.length) {
      fail(
        'malformed/size-mismatch',
        `the compressed stream ends after ${filling.filled} of ${output.length} bytes`,
      );
    }
  } catch (error) {
    fault = toFault(error);
  }
  const decoded = { outputBytes: filling.filled, inputBytes: inputOffset };
  core.release();
  return fault === undefined ? decoded : { ...decoded, fault };
}
