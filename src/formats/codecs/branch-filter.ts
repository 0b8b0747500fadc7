/**
 * The filters of xz and 7-Zip that make programs pack better, undone: addresses in calls, which are absolute while packed,
 * become relative to their place again (x86, ARM, ARM Thumb, ARM64), and differences become bytes again (delta).
 *
 * Specification: https://tukaani.org/xz/xz-file-format.txt section 5.3; what exactly is changed is in the sources of XZ
 * Utils, `src/liblzma/simple` and `delta` (https://github.com/tukaani-project/xz).
 *
 * Not here: PowerPC, IA-64, SPARC, RISC-V.
 */

export type BranchKind = 'x86' | 'arm' | 'arm-thumb' | 'arm64';

/** Undoes a filter over bytes that come in chunks. */
export interface StreamFilter {
  /** @returns bytes that are done, good until the next call; up to four may be held back */
  write(chunk: Uint8Array): Uint8Array;
  /** @returns what was held back */
  end(): Uint8Array;
}

/**
 * Undoes a filter in the bytes themselves.
 *
 * @param position - of the first byte, 32 bits
 * @returns how many bytes are done; the rest comes again with more behind it
 */
type Convert = (bytes: Uint8Array, position: number) => number;

/** @param position - that the first byte has for the filter */
export function createBranchFilter(kind: BranchKind): StreamFilter {
  const convert = toConvert(kind);
  let held: Uint8Array = new Uint8Array(0);
  let position = 0;
  return {
    write(chunk) {
      const bytes = new Uint8Array(held.length + chunk.length);
      bytes.set(held);
      bytes.set(chunk, held.length);
      const done = convert(bytes, position);
      position = (position + done) >>> 0;
      held = bytes.slice(done);
      return bytes.subarray(0, done);
    },
    end() {
      const rest = held;
      held = new Uint8Array(0);
      return rest;
    },
  };
}

function toConvert(kind: BranchKind): Convert {
  switch (kind) {
    case 'x86':
      return createX86Convert();
    case 'arm':
      return convertArm;
    case 'arm-thumb':
      return convertArmThumb;
    case 'arm64':
      return convertArm64;
  }
}

/** @param distance - 1 to 256 bytes */
export function createDeltaFilter(distance: number): StreamFilter {
  /** The last bytes that came out, as many as the distance. */
  let past: Uint8Array = new Uint8Array(distance);
  return {
    write(chunk) {
      const bytes = new Uint8Array(distance + chunk.length);
      bytes.set(past);
      bytes.set(chunk, distance);
      for (let at = distance; at < bytes.length; at += 1)
        bytes[at] = (bytes[at] ?? 0) + (bytes[at - distance] ?? 0);
      past = bytes.slice(chunk.length);
      return bytes.subarray(distance);
    },
    end: () => new Uint8Array(0),
  };
}

const call = 0xe8;
const instructionBytes = 5;

/** The highest byte of an address that is near. */
function isNear(byte: number): boolean {
  return byte === 0x00 || byte === 0xff;
}

/**
 * `call` (E8) and `jmp` (E9). What looks like one of them may be part of an operand: whether it is taken for one depends
 * on the four bytes before, of which a mask remembers what they looked like.
 */
function createX86Convert(): Convert {
  /** For each byte before, the nearest lowest: whether it looks like an opcode (bits 0 to 3), with a near address (4 to 7). */
  let mask = 0;
  /** Bytes since the last that looked like an opcode; more than five are as good as five. */
  let since = instructionBytes;
  return (bytes, position) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = bytes.length - instructionBytes;
    let at = 0;
    let last = -since;
    while (at <= end) {
      if (((bytes[at] ?? 0) & ~1) !== call) {
        at += 1;
        continue;
      }
      for (let step = Math.min(at - last, instructionBytes); step > 0; step -= 1) mask = (mask & 0x77) << 1;
      last = at;
      const high = bytes[at + 4] ?? 0;
      const shift = overlapShifts.get(mask);
      if (!isNear(high) || (mask !== 0 && shift === undefined)) {
        mask |= isNear(high) ? 0x11 : 0x01;
        at += 1;
        continue;
      }
      const next = position + at + instructionBytes;
      let target = (view.getUint32(at + 1, true) - next) >>> 0;
      // Once more is enough: the byte in question was not near before.
      if (shift !== undefined && isNear((target >>> shift) & 0xff)) {
        target = ((target ^ (2 ** (shift + 8) - 1)) - next) >>> 0;
      }
      view.setInt32(at + 1, (target << 7) >> 7, true);
      at += instructionBytes;
      mask = 0;
    }
    since = Math.min(instructionBytes, at - last);
    return at;
  };
}

/** Where in an address the byte stands that ends another one, which begins one, two or three bytes earlier; by the mask. */
const overlapShifts: ReadonlyMap<number, number> = new Map([
  [0x02, 16],
  [0x04, 8],
  [0x08, 0],
]);

/** `BL`, four bytes. */
function convertArm(bytes: Uint8Array, position: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    if (bytes[at + 3] !== 0xeb) continue;
    const target = (view.getUint32(at, true) << 2) - (position + at + 8);
    view.setUint32(at, (0xeb00_0000 | ((target >>> 2) & 0x00ff_ffff)) >>> 0, true);
  }
  return at;
}

/** `BL`, two times two bytes. */
function convertArmThumb(bytes: Uint8Array, position: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (; at + 4 <= bytes.length; at += 2) {
    const first = view.getUint16(at, true);
    const second = view.getUint16(at + 2, true);
    if ((first & 0xf800) !== 0xf000 || (second & 0xf800) !== 0xf800) continue;
    const target = ((((first & 0x7ff) << 11) | (second & 0x7ff)) << 1) - (position + at + 4);
    view.setUint16(at, 0xf000 | ((target >>> 12) & 0x7ff), true);
    view.setUint16(at + 2, 0xf800 | ((target >>> 1) & 0x7ff), true);
    at += 2;
  }
  return at;
}

/** `BL` and `ADRP`, four bytes. */
function convertArm64(bytes: Uint8Array, position: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    const instruction = view.getUint32(at, true);
    const place = (position + at) >>> 0;
    if (instruction >>> 26 === 0x25) {
      view.setUint32(at, (0x9400_0000 | ((instruction - (place >>> 2)) & 0x03ff_ffff)) >>> 0, true);
    } else if ((instruction & 0x9f00_0000) >>> 0 === 0x9000_0000) {
      const page = ((instruction >>> 29) & 3) | ((instruction >>> 3) & 0x001f_fffc);
      // Only pages within 512 MiB were changed.
      if (((page + 0x0002_0000) & 0x001c_0000) !== 0) continue;
      const target = page - (place >>> 12);
      const high = (target & 0x0002_0000) === 0 ? 0 : 0x00e0_0000;
      const changed =
        (instruction & 0x9000_001f) | ((target & 3) << 29) | ((target & 0x0003_fffc) << 3) | high;
      view.setUint32(at, changed >>> 0, true);
    }
  }
  return at;
}
