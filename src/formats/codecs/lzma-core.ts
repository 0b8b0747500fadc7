/*
 * What the two decoders of LZMA symbols share: `lzma-plain.ts`, which is the reference, and `lzma-wasm.ts`, which does
 * the same in WebAssembly.
 */
import { TelltaleError } from '../../bytes/errors.ts';

/** Literal context bits (0 to 8), literal position bits (0 to 4), position bits (0 to 4). */
export interface LzmaProperties {
  readonly lc: number;
  readonly lp: number;
  readonly pb: number;
}

/**
 * Why a run ended: it has decoded as much as it was asked for, or as there is room for (`limit`); it met the end
 * marker; or it needs more input.
 */
export type Stop = 'limit' | 'end-marker' | 'input';

/**
 * A decoder of LZMA symbols between two runs: it holds its input, and as much of its output as a match may reach.
 * Who has made one releases it in the end, and does not use it afterwards.
 */
export interface LzmaCore {
  /** Compressed bytes; what {@link feed} and {@link replaceInput} were given. */
  readonly input: Uint8Array;
  /** How many of them are used. */
  readonly inputOffset: number;
  /** Whether a match was cut by the limit of the last run. */
  readonly hasPending: boolean;
  /** What the last run, or {@link copyInput}, has added to the output. A view that holds until the next call. */
  readonly fresh: Uint8Array;

  /** Exchanges the input; nothing of it is used yet. */
  replaceInput(input: Uint8Array): void;
  /** Exchanges the input for one with more bytes behind; the unused rest goes first. */
  feed(chunk: Uint8Array): void;
  /**
   * Sets the properties and resets the state.
   *
   * @throws TelltaleError `malformed/compressed-data` when the properties are out of range
   */
  setProperties(properties: LzmaProperties): void;
  resetState(): void;
  /** Forgets the output: no match may reach it, and positions count from here. */
  resetDictionary(): void;
  /** @throws TelltaleError `malformed/truncated`, `malformed/compressed-data` */
  startRangeCoder(): void;
  /**
   * Decodes up to `bytes`, above zero. With more input to come (`isLast` false) it stops before a symbol that might
   * not be complete.
   *
   * @throws TelltaleError `malformed/truncated`, `malformed/compressed-data`; all of {@link fresh} is valid;
   *   `limit/memory` when there is no memory for the dictionary
   */
  run(bytes: number, isLast: boolean): Stop;
  /** Copies up to `bytes` of input as they are, as LZMA2 stores what does not compress. */
  copyInput(bytes: number): void;
  release(): void;
}

/**
 * @param reach - how many bytes of output have to be kept, at least as many as matches may reach or as there are;
 *   not allocated before they are decoded
 * @param dictionaryBytes - how far back a match may reach; may be infinite
 */
export type LzmaCoreFactory = (reach: number, dictionaryBytes: number) => LzmaCore;

/** The SDK's LZMA_REQUIRED_INPUT_MAX: no symbol uses more input than this. */
export const maximumBytesPerSymbol = 20;

export const probabilityInitial = 1024;
const positionStatesMaximum = 16;
// Where each table of probabilities starts, counted in entries.
export const isMatchAt = 0;
export const isRepAt = isMatchAt + 12 * positionStatesMaximum;
export const isRepG0At = isRepAt + 12;
export const isRepG1At = isRepG0At + 12;
export const isRepG2At = isRepG1At + 12;
export const isRep0LongAt = isRepG2At + 12;
export const slotAt = isRep0LongAt + 12 * positionStatesMaximum;
export const specialPositionAt = slotAt + 4 * 64;
export const alignAt = specialPositionAt + 115;
export const matchLengthAt = alignAt + 16;
// Inside a length table: choice, choice 2, then low, middle and high trees.
export const lengthLow = 2;
export const lengthMiddle = lengthLow + positionStatesMaximum * 8;
export const lengthHigh = lengthMiddle + positionStatesMaximum * 8;
const lengthTableSize = lengthHigh + 256;
export const repLengthAt = matchLengthAt + lengthTableSize;
/** The literals' table comes last, because its size depends on the properties. */
export const literalAt = repLengthAt + lengthTableSize;
/** Entries of one literal context: a tree of plain literals, and two of literals where a match ended. */
export const literalContextSize = 0x300;

/** The properties as every container packs them into one byte; where it is above 224, they are out of range. */
export function toLzmaProperties(byte: number): LzmaProperties {
  return { lc: byte % 9, lp: Math.floor(byte / 9) % 5, pb: Math.floor(byte / 45) };
}

/** The dictionary of LZMA2 as every container states it in one byte: up to 4 GiB, which is 40; undefined above. */
export function tryToLzma2DictionaryBytes(byte: number): number | undefined {
  if (byte > 40) return undefined;
  return byte === 40 ? 0xffff_ffff : (2 | (byte & 1)) * 2 ** ((byte >> 1) + 11);
}

function isWithin(value: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= maximum;
}

/** @throws TelltaleError `malformed/compressed-data` when the properties are out of range */
export function checkProperties({ lc, lp, pb }: LzmaProperties): void {
  if (isWithin(lc, 8) && isWithin(lp, 4) && isWithin(pb, 4)) return;
  throw new TelltaleError(
    'malformed/compressed-data',
    `has LZMA properties out of range (lc ${lc}, lp ${lp}, pb ${pb})`,
    { offset: 0 },
  );
}

/** Input bytes that start the range coder. */
export const rangeCoderStartBytes = 5;

/**
 * Reads what starts the range coder.
 *
 * @returns the code, 32 bits without sign
 * @throws TelltaleError `malformed/truncated`, `malformed/compressed-data`
 */
export function readRangeCoderStart(input: Uint8Array, offset: number): number {
  if (input.length - offset < rangeCoderStartBytes) throw toTruncated(input.length);
  if (input[offset] !== 0) {
    throw new TelltaleError(
      'malformed/compressed-data',
      'the compressed stream does not start with a zero byte',
      { offset },
    );
  }
  let code = 0;
  for (let at = offset + 1; at < offset + rangeCoderStartBytes; at += 1) {
    code = ((code << 8) | (input[at] ?? 0)) >>> 0;
  }
  return code;
}

/** The error of a stream that ends at this place of the input, but should not. */
export function toTruncated(offset: number): TelltaleError {
  return new TelltaleError('malformed/truncated', 'the compressed stream ends too early', { offset });
}

/** The error of a match from before the start of the output, or the dictionary. */
export function toBadDistance(offset: number): TelltaleError {
  return new TelltaleError('malformed/compressed-data', 'the compressed stream points before its own start', {
    offset,
  });
}

/** Puts the unused rest of an input in front of a chunk. */
export function joinRest(input: Uint8Array, offset: number, chunk: Uint8Array): Uint8Array {
  const rest = input.length - offset;
  const joined = new Uint8Array(rest + chunk.length);
  joined.set(input.subarray(offset));
  joined.set(chunk, rest);
  return joined;
}
