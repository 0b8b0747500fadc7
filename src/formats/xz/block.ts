/** Blocks of xz files, each unpacked without any other. */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, readChunks, sliceSource } from '../../bytes/byte-source.ts';
import { toHex } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { Digester } from '../../platform/digests.ts';
import { crc32 } from '../../platform/inflate.ts';
import { createBranchFilter, createDeltaFilter, type StreamFilter } from '../codecs/branch-filter.ts';
import { Crc64 } from '../codecs/crc64.ts';
import { decodeLzma2Chunks } from '../codecs/lzma.ts';
import { checkBytes, type XzBlock, type XzCheck, type XzFilter } from './layout.ts';

/** Larger dictionaries are taken to be no larger than what is unpacked with them. */
const believedDictionaryBytes = 64 * 1024 * 1024;
const packedChunkBytes = 64 * 1024;

/** How far back a match of the block may reach, in bytes: what has to be kept while it is unpacked. */
export function toReach({ dictionaryBytes, bytes }: XzBlock): number {
  return Math.min(dictionaryBytes, Math.max(bytes, believedDictionaryBytes));
}

/**
 * Unpacks a block in memory of its dictionary and one chunk more.
 *
 * @param source - the whole file
 * @param budget - asked for the time, not charged
 * @yields chunks that are good only until the next one is asked for: what the block holds, up to where it is damaged
 * @returns whether the block is whole, has the sizes that the index states, and its check holds
 * @throws TelltaleError `limit/time`, `limit/memory`, and what the source throws
 */
export function* unpackXzBlock(
  source: ByteSource,
  block: XzBlock,
  budget: Budget,
): Generator<Uint8Array, boolean> {
  const input = new PackedInput(sliceSource(source, block.offset, block.packedBytes));
  const unpacking = decodeLzma2Chunks(input.chunks(), { dictionaryBytes: toReach(block), budget });
  const filters = block.filters.map(toStreamFilter);
  const summing = createSumming(block.check);
  let size = 0;
  const see = (chunk: Uint8Array): Uint8Array => {
    summing?.update(chunk);
    size += chunk.length;
    return chunk;
  };
  for (;;) {
    let next: IteratorResult<Uint8Array, number>;
    try {
      next = unpacking.next();
    } catch (error) {
      if (error === input.fault || !isDamage(error)) throw error;
      return false;
    }
    if (next.done !== true) {
      yield see(filters.reduce((chunk, filter) => filter.write(chunk), next.value));
      continue;
    }
    for (const chunk of endFilters(filters)) yield see(chunk);
    return (
      next.value === block.packedBytes && size === block.bytes && hasCheck(source, block, summing?.finish())
    );
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof TelltaleError && error.code.startsWith('malformed/');
}

/** The packed bytes; where they cannot be read, that is told apart from what is wrong with them. */
class PackedInput {
  fault: unknown;
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  *chunks(): Generator<Uint8Array> {
    try {
      yield* readChunks(this.#source, packedChunkBytes);
    } catch (error) {
      this.fault = error;
      throw error;
    }
  }
}

/** What filters have held back goes through those behind them. */
function* endFilters(filters: readonly StreamFilter[]): Generator<Uint8Array> {
  for (const [index, filter] of filters.entries()) {
    const rest = filter.end();
    if (rest.length > 0) yield filters.slice(index + 1).reduce((chunk, later) => later.write(chunk), rest);
  }
}

/**
 * Unpacks a block at once, its check included.
 *
 * @param source - the whole file
 * @param output - of the size that the index states
 * @param budget - asked for the time, not charged
 * @returns as {@link unpackXzBlock}, which gives what there is of a damaged block
 * @throws TelltaleError as {@link unpackXzBlock}
 */
export function tryUnpackXzBlock(
  source: ByteSource,
  block: XzBlock,
  output: Uint8Array,
  budget: Budget,
): boolean {
  const unpacking = unpackXzBlock(source, block, budget);
  let filled = 0;
  for (;;) {
    const next = unpacking.next();
    if (next.done === true) return next.value;
    if (filled + next.value.length > output.length) return false;
    output.set(next.value, filled);
    filled += next.value.length;
  }
}

function toStreamFilter(filter: XzFilter): StreamFilter {
  switch (filter.kind) {
    case 'branch':
      return createBranchFilter(filter.of);
    case 'delta':
      return createDeltaFilter(filter.distance);
  }
}

/** The check of a block on its way. */
interface Summing {
  update(chunk: Uint8Array): void;
  /** In hexadecimal, byte by byte as it stands in the file. */
  finish(): string;
}

function createSumming(check: XzCheck): Summing | undefined {
  switch (check) {
    case 'none':
      return undefined;
    case 'crc32': {
      let sum = 0;
      return {
        update(chunk) {
          sum = crc32(chunk, sum);
        },
        finish: () => toHex(Uint8Array.of(sum, sum >>> 8, sum >>> 16, sum >>> 24)),
      };
    }
    case 'crc64': {
      const crc = new Crc64();
      return { update: (chunk) => crc.update(chunk), finish: () => toHex(crc.finish()) };
    }
    case 'sha256': {
      const digester = new Digester(['sha256']);
      return { update: (chunk) => digester.update(chunk), finish: () => digester.finish().sha256 ?? '' };
    }
  }
}

/** Whether zeros up to a multiple of four bytes follow, and then the check. */
function hasCheck(
  source: ByteSource,
  { offset, packedBytes, check }: XzBlock,
  sum: string | undefined,
): boolean {
  const end = offset + packedBytes;
  // Headers are a multiple of four bytes long, and blocks begin at one.
  const padding = source.read(end, -end & 3);
  return (
    padding.every((byte) => byte === 0) &&
    (sum === undefined || toHex(source.read(end + padding.length, checkBytes[check])) === sum)
  );
}
