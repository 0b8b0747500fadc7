/**
 * Inno Setup's filter for Intel code, undone: before compressing, the compiler replaces the target of each `call` (E8)
 * and `jmp` (E9), which is relative, by one from the start of the file.
 *
 * Three variants: since 4.1.8 all four bytes of a target, anywhere; since 5.2.0 only three bytes, where the fourth is
 * 00 or FF and the instruction does not reach over a multiple of 64 KiB; since 5.3.9 the fourth byte is also turned
 * over when the third has its highest bit set.
 *
 * @see https://github.com/jrsoftware/issrc `TransformCallInstructions` in `Projects/Src/Compression.Base.pas`
 * @see https://github.com/dscharrer/innoextract `src/stream/exefilter.hpp`
 */

import { call, findCall, jump } from '../codecs/call-places.ts';

export type CallFilterKind = '4.1.8' | '5.2.0' | '5.3.9';

const instructionBytes = 5;
export const filterBlockBytes = 64 * 1024;

/** Undoes the filter over one file that comes in chunks. */
export interface CallFilter {
  /** @returns bytes that are done, with memory of their own; up to four may be held back */
  write(chunk: Uint8Array): Uint8Array;
  /** @returns what was held back */
  end(): Uint8Array;
}

/** @param blockBytes - instructions do not reach over multiples of it; the setup program is one block */
export function createCallFilter(kind: CallFilterKind, blockBytes = filterBlockBytes): CallFilter {
  return kind === '4.1.8' ? createByteFilter() : createBlockFilter(kind === '5.3.9', blockBytes);
}

function createByteFilter(): CallFilter {
  /** Of the byte after the instruction that would start at the next byte. */
  let next = instructionBytes;
  let target = 0;
  let left = 0;
  return {
    write(chunk) {
      const bytes = Uint8Array.from(chunk);
      for (let index = 0; index < bytes.length; index += 1) {
        const byte = bytes[index] ?? 0;
        if (left === 0) {
          if (byte === call || byte === jump) {
            target = -next >>> 0;
            left = 4;
          }
        } else {
          target = (target + byte) >>> 0;
          bytes[index] = target & 0xff;
          target >>>= 8;
          left -= 1;
        }
        next = (next + 1) >>> 0;
      }
      return bytes;
    },
    end: () => new Uint8Array(0),
  };
}

function createBlockFilter(turnsHighByte: boolean, blockBytes: number): CallFilter {
  let held: Uint8Array = new Uint8Array(0);
  /** Position in the file of the first byte that is held. */
  let position = 0;
  return {
    write(chunk) {
      const bytes = new Uint8Array(held.length + chunk.length);
      bytes.set(held);
      bytes.set(chunk, held.length);
      const words = new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
      let at = 0;
      while ((at = findCall(bytes, words, at)) < bytes.length) {
        if (blockBytes - ((position + at) % blockBytes) < instructionBytes) {
          at += 1;
          continue;
        }
        if (at + instructionBytes > bytes.length) break;
        const high = bytes[at + 4] ?? 0;
        if (high === 0x00 || high === 0xff) {
          const absolute = (bytes[at + 1] ?? 0) | ((bytes[at + 2] ?? 0) << 8) | ((bytes[at + 3] ?? 0) << 16);
          const relative = (absolute - ((position + at + instructionBytes) % 0x100_0000)) & 0xff_ffff;
          bytes[at + 1] = relative & 0xff;
          bytes[at + 2] = (relative >> 8) & 0xff;
          bytes[at + 3] = relative >> 16;
          if (turnsHighByte && (relative & 0x80_0000) !== 0) bytes[at + 4] = ~high & 0xff;
        }
        at += instructionBytes;
      }
      position += at;
      held = bytes.slice(at);
      return bytes.subarray(0, at);
    },
    end() {
      const rest = held;
      position += rest.length;
      held = new Uint8Array(0);
      return rest;
    },
  };
}
