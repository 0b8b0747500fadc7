/**
 * CRC-64 as xz files have it: the polynomial of ECMA-182, reflected, with all bits turned before and after.
 *
 * https://tukaani.org/xz/xz-file-format.txt section 6. Numbers of 64 bits are kept in two halves.
 */
import { tryAllocate, tryInstantiate } from '../../platform/wasm-kernels.ts';
import { crc64Bytes } from './crc64-bytes.ts';

/** A sum on its way, bits turned; 32 bits each, with a sign. */
export interface Crc64State {
  low: number;
  high: number;
}

/** Sums bytes, of any number: the one thing worth replacing with something faster. */
export type Crc64Loop = (state: Crc64State, bytes: Uint8Array) => void;

const polynomialLow = 0xd7870f42;
const polynomialHigh = 0xc96c5795;
const tableSize = 256;
const plainStepBytes = 8;
const kernelStepBytes = 16;

/** Table n has what a byte becomes with n zero bytes behind it. */
interface Tables {
  readonly low: Int32Array;
  readonly high: Int32Array;
}

let madeTables: Tables | undefined;

function toTables(): Tables {
  madeTables ??= makeTables();
  return madeTables;
}

function makeTables(): Tables {
  const low = new Int32Array(kernelStepBytes * tableSize);
  const high = new Int32Array(kernelStepBytes * tableSize);
  for (let byte = 0; byte < tableSize; byte += 1) {
    let [a, b] = [byte, 0];
    for (let bit = 0; bit < 8; bit += 1) {
      const isOdd = (a & 1) !== 0;
      a = (a >>> 1) | (b << 31);
      b >>>= 1;
      if (isOdd) {
        a ^= polynomialLow;
        b ^= polynomialHigh;
      }
    }
    low[byte] = a;
    high[byte] = b;
  }
  for (let index = tableSize; index < low.length; index += 1) {
    const a = low[index - tableSize] ?? 0;
    const b = high[index - tableSize] ?? 0;
    low[index] = ((a >>> 8) | (b << 24)) ^ (low[a & 0xff] ?? 0);
    high[index] = (b >>> 8) ^ (high[a & 0xff] ?? 0);
  }
  return { low, high };
}

export const sumPlainly: Crc64Loop = (state, bytes) => {
  const { low, high } = toTables();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % plainStepBytes);
  let a = state.low;
  let b = state.high;
  for (let at = 0; at < whole; at += plainStepBytes) {
    a ^= view.getInt32(at, true);
    b ^= view.getInt32(at + 4, true);
    const i0 = 0x700 + (a & 0xff);
    const i1 = 0x600 + ((a >>> 8) & 0xff);
    const i2 = 0x500 + ((a >>> 16) & 0xff);
    const i3 = 0x400 + (a >>> 24);
    const i4 = 0x300 + (b & 0xff);
    const i5 = 0x200 + ((b >>> 8) & 0xff);
    const i6 = 0x100 + ((b >>> 16) & 0xff);
    const i7 = b >>> 24;
    a =
      (low[i0] ?? 0) ^
      (low[i1] ?? 0) ^
      (low[i2] ?? 0) ^
      (low[i3] ?? 0) ^
      (low[i4] ?? 0) ^
      (low[i5] ?? 0) ^
      (low[i6] ?? 0) ^
      (low[i7] ?? 0);
    b =
      (high[i0] ?? 0) ^
      (high[i1] ?? 0) ^
      (high[i2] ?? 0) ^
      (high[i3] ?? 0) ^
      (high[i4] ?? 0) ^
      (high[i5] ?? 0) ^
      (high[i6] ?? 0) ^
      (high[i7] ?? 0);
  }
  for (let at = whole; at < bytes.length; at += 1) {
    const index = (a ^ (bytes[at] ?? 0)) & 0xff;
    a = ((a >>> 8) | (b << 24)) ^ (low[index] ?? 0);
    b = (b >>> 8) ^ (high[index] ?? 0);
  }
  state.low = a;
  state.high = b;
};

// Where things stand in the memory of the loop in WebAssembly, see crc64.wat.
const stateAt = kernelStepBytes * tableSize * 8;
const bytesAt = stateAt + 16;
const memoryBytes = 192 * 1024;
/** Below this, copying and calling takes longer. */
const kernelBytesMin = 256;

/** The loop in WebAssembly, twice as fast; the plain one where there is none. */
export function createCrc64Loop(): Crc64Loop {
  const memory = tryAllocate(memoryBytes);
  const run = memory && tryInstantiate<(at: number, end: number) => void>(crc64Bytes, memory, 'sum');
  if (memory === undefined || run === undefined) return sumPlainly;
  const { low, high } = toTables();
  const words = new Int32Array(memory.buffer, 0, stateAt / 4 + 2);
  for (const [index, value] of low.entries()) {
    words[2 * index] = value;
    words[2 * index + 1] = high[index] ?? 0;
  }
  const room = new Uint8Array(memory.buffer, bytesAt, 128 * 1024);
  return (state, bytes) => {
    const whole = bytes.length < kernelBytesMin ? 0 : bytes.length - (bytes.length % kernelStepBytes);
    if (whole > 0) {
      words[stateAt / 4] = state.low;
      words[stateAt / 4 + 1] = state.high;
      for (let at = 0; at < whole; at += room.length) {
        const piece = bytes.subarray(at, Math.min(whole, at + room.length));
        room.set(piece);
        run(bytesAt, bytesAt + piece.length);
      }
      state.low = words[stateAt / 4] ?? 0;
      state.high = words[stateAt / 4 + 1] ?? 0;
    }
    if (whole < bytes.length) sumPlainly(state, bytes.subarray(whole));
  };
}

let sharedLoop: Crc64Loop | undefined;

/** Sums data that comes in chunks. */
export class Crc64 {
  readonly #loop: Crc64Loop;
  readonly #state: Crc64State = { low: -1, high: -1 };

  constructor(loop: Crc64Loop = (sharedLoop ??= createCrc64Loop())) {
    this.#loop = loop;
  }

  update(chunk: Uint8Array): void {
    this.#loop(this.#state, chunk);
  }

  /** Eight bytes, lowest first, as they stand in a file. */
  finish(): Uint8Array {
    const sum = new DataView(new ArrayBuffer(8));
    sum.setInt32(0, ~this.#state.low, true);
    sum.setInt32(4, ~this.#state.high, true);
    return new Uint8Array(sum.buffer);
  }
}
