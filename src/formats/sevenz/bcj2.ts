/**
 * BCJ2, the filter for Intel code that older 7-Zip takes for programs, undone: targets of `call` are in a stream of
 * their own, those of `jmp` and `jcc` in another, and a third one tells by a range coder which of them are there.
 *
 * Specification: `Bcj2.c` of the LZMA SDK (https://www.7-zip.org/sdk.html, public domain).
 */
import { TelltaleError } from '../../bytes/errors.ts';
import { call, jump } from '../codecs/call-places.ts';

const chunkBytes = 64 * 1024;
/** One for each byte before a `call`, one for `jmp`, one for `jcc`. */
const probabilities = 256 + 2;
const probabilityBits = 11;
const adaptionBits = 5;
const smallestRange = 2 ** 24;
const startBytes = 5;

/** Bytes from chunks. */
class Feed {
  readonly #chunks: Iterator<Uint8Array>;
  chunk: Uint8Array = new Uint8Array(0);
  /** Of the next byte in the chunk. */
  at = 0;

  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** Takes care that there is a byte. @throws TelltaleError `malformed/truncated` */
  fill(): void {
    while (this.at === this.chunk.length) {
      const next = this.#chunks.next();
      if (next.done === true)
        throw new TelltaleError('malformed/truncated', 'the compressed stream ends too early');
      this.chunk = next.value;
      this.at = 0;
    }
  }

  take(): number {
    if (this.at === this.chunk.length) this.fill();
    const byte = this.chunk[this.at] ?? 0;
    this.at += 1;
    return byte;
  }

  close(): void {
    this.#chunks.return?.();
  }
}

/** Binary decisions. */
class Choices {
  readonly #feed: Feed;
  readonly #probabilities = new Uint16Array(probabilities).fill(1 << (probabilityBits - 1));
  #range = 0xffff_ffff;
  #code = 0;

  /** @throws TelltaleError `malformed/compressed-data`, `malformed/truncated` */
  constructor(feed: Feed) {
    this.#feed = feed;
    if (feed.take() !== 0)
      throw new TelltaleError(
        'malformed/compressed-data',
        'the compressed stream does not start with a zero byte',
      );
    for (let index = 1; index < startBytes; index += 1) this.#code = this.#code * 256 + feed.take();
  }

  next(place: number): boolean {
    if (this.#range < smallestRange) {
      this.#range = (this.#range << 8) >>> 0;
      this.#code = ((this.#code << 8) | this.#feed.take()) >>> 0;
    }
    const probability = this.#probabilities[place] ?? 0;
    const bound = (this.#range >>> probabilityBits) * probability;
    const isSet = this.#code >= bound;
    if (isSet) {
      this.#range -= bound;
      this.#code -= bound;
      this.#probabilities[place] = probability - (probability >> adaptionBits);
    } else {
      this.#range = bound;
      this.#probabilities[place] = probability + (((1 << probabilityBits) - probability) >> adaptionBits);
    }
    return isSet;
  }
}

/**
 * Undoes BCJ2.
 *
 * @param inputs - the program without targets, targets of calls, those of jumps, choices
 * @param bytes - of the program
 * @yields chunks of at most 64 KiB that are good only until the next one is asked for
 * @throws TelltaleError `malformed/truncated`, `malformed/compressed-data`, and what the inputs throw, after everything
 *   that could be decoded was yielded
 */
export function* decodeBcj2(
  inputs: readonly [Iterable<Uint8Array>, Iterable<Uint8Array>, Iterable<Uint8Array>, Iterable<Uint8Array>],
  bytes: number,
): Generator<Uint8Array> {
  const [program, calls, jumps, choices] = inputs.map((chunks) => new Feed(chunks));
  if (program === undefined || calls === undefined || jumps === undefined || choices === undefined) return;
  const room = new Uint8Array(chunkBytes);
  let filled = 0;
  let fault: unknown;
  let isOver = bytes === 0;
  try {
    let chooser: Choices | undefined;
    let last = 0;
    for (let position = 0; !isOver; ) {
      const end = Math.min(room.length - 4, bytes - position);
      filled = 0;
      try {
        chooser ??= new Choices(choices);
        while (filled < end) {
          program.fill();
          const { chunk } = program;
          const chunkEnd = Math.min(chunk.length, program.at + end - filled);
          let at = program.at;
          let byte = 0;
          let isBranch = false;
          while (at < chunkEnd && !isBranch) {
            byte = chunk[at] ?? 0;
            room[filled] = byte;
            at += 1;
            filled += 1;
            isBranch = (byte & ~1) === call || (last === 0x0f && (byte & 0xf0) === 0x80);
            last = isBranch ? last : byte;
          }
          program.at = at;
          if (!isBranch || position + filled === bytes) continue;
          const place = byte === call ? last : byte === jump ? 256 : 257;
          if (!chooser.next(place)) {
            last = byte;
            continue;
          }
          const feed = byte === call ? calls : jumps;
          let target = 0;
          for (let index = 0; index < 4; index += 1) target = (target << 8) | feed.take();
          target = (target - (position + filled + 4)) | 0;
          const written = Math.min(4, bytes - position - filled);
          for (let index = 0; index < written; index += 1)
            room[filled + index] = (target >> (index * 8)) & 0xff;
          filled += written;
          last = target >>> 24;
        }
      } catch (error) {
        fault = error;
        isOver = true;
      }
      position += filled;
      if (filled > 0) yield room.subarray(0, filled);
      if (position === bytes) isOver = true;
    }
  } finally {
    for (const feed of [program, calls, jumps, choices]) feed.close();
  }
  if (fault !== undefined) throw fault;
}
