/**
 * bzip2, decoded as a stream: blocks of Huffman codes over move-to-front over the Burrows-Wheeler transform over
 * run lengths, each block with a CRC-32.
 *
 * Specification: there is none by the author; https://github.com/dsnet/compress/blob/master/doc/bzip2-format.pdf
 * describes the format as https://sourceware.org/bzip2/ writes it.
 * Not supported: blocks that are "randomised", which bzip2 has not written since version 0.9.5 (1999); several streams
 * one after the other (decoding ends with the first).
 */
import type { Budget } from '../../bytes/budget.ts';
import { TelltaleError } from '../../bytes/errors.ts';

const blockUnitBytes = 100_000;
const outputChunkBytes = 64 * 1024;
const symbolsPerSelector = 50;
const maximumSelectors = 18_002;
const maximumCodeBits = 20;
const blockMagic = 0x314159265359;
const endMagic = 0x177245385090;

const crcTable = createCrcTable();

/** CRC-32 with the highest bit first, as bzip2 has it. */
function createCrcTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let index = 0; index < 256; index += 1) {
    let value = index << 24;
    for (let bit = 0; bit < 8; bit += 1) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
    table[index] = value >>> 0;
  }
  return table;
}

/** Bits from chunks, highest first. */
class BitReader {
  readonly #chunks: Iterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  #consumed = 0;
  #bits = 0;
  #count = 0;

  constructor(input: Iterable<Uint8Array>) {
    this.#chunks = input[Symbol.iterator]();
  }

  /** Bytes of input that were begun. */
  get offset(): number {
    return this.#consumed + this.#at;
  }

  #nextByte(): number {
    while (this.#at === this.#chunk.length) {
      this.#consumed += this.#chunk.length;
      this.#at = 0;
      const next = this.#chunks.next();
      if (next.done === true) {
        this.#chunk = new Uint8Array(0);
        throw new TelltaleError('malformed/truncated', 'the compressed stream ends too early', {
          offset: this.#consumed,
        });
      }
      this.#chunk = next.value;
    }
    const byte = this.#chunk[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }

  /** @param wanted - at most 24 */
  bits(wanted: number): number {
    while (this.#count < wanted) {
      this.#bits = ((this.#bits << 8) | this.#nextByte()) >>> 0;
      this.#count += 8;
    }
    this.#count -= wanted;
    const value = (this.#bits >>> this.#count) & ((1 << wanted) - 1);
    // What was taken is cleared, so that 32 bits are always enough.
    this.#bits &= (1 << this.#count) - 1;
    return value;
  }

  bit(): number {
    return this.bits(1);
  }

  fault(message: string): TelltaleError {
    return new TelltaleError('malformed/compressed-data', message, { offset: this.offset });
  }
}

/** A canonical Huffman code, decoded by the first code and the count of each length. */
interface Code {
  /** Where the codes of a length start among the symbols, less the first code of that length. */
  readonly base: Int32Array;
  /** One more than the last code of a length. */
  readonly limit: Int32Array;
  readonly symbols: Uint16Array;
  readonly shortest: number;
}

function buildCode(lengths: Uint8Array): Code {
  const counts = new Int32Array(maximumCodeBits + 2);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  const symbols = new Uint16Array(lengths.length);
  let filled = 0;
  for (let bits = 1; bits <= maximumCodeBits; bits += 1) {
    lengths.forEach((length, symbol) => {
      if (length !== bits) return;
      symbols[filled] = symbol;
      filled += 1;
    });
  }
  const base = new Int32Array(maximumCodeBits + 1);
  const limit = new Int32Array(maximumCodeBits + 1);
  let code = 0;
  let start = 0;
  let shortest = maximumCodeBits;
  for (let bits = 1; bits <= maximumCodeBits; bits += 1) {
    const count = counts[bits] ?? 0;
    if (count > 0 && bits < shortest) shortest = bits;
    base[bits] = start - code;
    code += count;
    limit[bits] = code;
    start += count;
    code <<= 1;
  }
  return { base, limit, symbols, shortest };
}

function readSymbol(reader: BitReader, code: Code): number {
  let bits = code.shortest;
  let value = reader.bits(bits);
  for (;;) {
    // Codes of one length follow those of the shorter ones, so anything below the limit is of this length.
    if (value < (code.limit[bits] ?? 0)) return code.symbols[value + (code.base[bits] ?? 0)] ?? 0;
    bits += 1;
    if (bits > maximumCodeBits) throw reader.fault('holds a code that stands for nothing');
    value = (value << 1) | reader.bit();
  }
}

/**
 * Decodes one bzip2 stream.
 *
 * @param input - the compressed bytes, cut anywhere
 * @param budget - asked for the time; bytes are charged by whoever takes the chunks
 * @yields chunks of at most 64 KiB, each with memory of its own
 * @throws TelltaleError `malformed/header`, `malformed/truncated`, `malformed/compressed-data`, `malformed/checksum`,
 *   `unsupported/feature`, `limit/time`; everything that was decoded was yielded before
 */
export function* decodeBzip2(input: Iterable<Uint8Array>, budget?: Budget): Generator<Uint8Array> {
  const reader = new BitReader(input);
  const isMagic = reader.bits(8) === 0x42 && reader.bits(8) === 0x5a && reader.bits(8) === 0x68;
  const level = reader.bits(8) - 0x30;
  if (!isMagic || level < 1 || level > 9) {
    throw new TelltaleError('malformed/header', 'has no bzip2 header', { offset: 0 });
  }
  const block = new Uint32Array(level * blockUnitBytes);
  let combined = 0;
  for (;;) {
    budget?.checkTime();
    const magic = reader.bits(24) * 0x100_0000 + reader.bits(24);
    const checksum = (reader.bits(16) * 0x1_0000 + reader.bits(16)) >>> 0;
    if (magic === endMagic) {
      if (checksum !== combined) {
        throw new TelltaleError('malformed/checksum', 'bzip2 data does not match its checksum', {
          offset: reader.offset,
        });
      }
      return;
    }
    if (magic !== blockMagic) throw reader.fault('has a block of an unknown kind');
    const actual = yield* decodeBlock(reader, block);
    if (actual !== checksum) {
      throw new TelltaleError('malformed/checksum', 'a bzip2 block does not match its checksum', {
        offset: reader.offset,
      });
    }
    combined = (((combined << 1) | (combined >>> 31)) ^ checksum) >>> 0;
  }
}

/** @returns the checksum of what was yielded */
function* decodeBlock(reader: BitReader, block: Uint32Array): Generator<Uint8Array, number> {
  if (reader.bit() === 1) {
    throw new TelltaleError('unsupported/feature', 'has a randomised bzip2 block', { offset: reader.offset });
  }
  const origin = reader.bits(24);
  const alphabet = readAlphabet(reader);
  const { codes, selectors } = readCodes(reader, alphabet.length + 2);
  const { length, counts } = readSymbols(reader, block, alphabet, codes, selectors);
  if (origin >= length) throw reader.fault('has a block whose start lies outside of it');

  // The inverse transform: each place of the sorted block gets, above its byte, the place that follows it in the text.
  const starts = new Uint32Array(256);
  let sum = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    starts[byte] = sum;
    sum += counts[byte] ?? 0;
  }
  for (let index = 0; index < length; index += 1) {
    const byte = (block[index] ?? 0) & 0xff;
    const place = starts[byte] ?? 0;
    starts[byte] = place + 1;
    block[place] = ((block[place] ?? 0) | (index << 8)) >>> 0;
  }
  return yield* expandRuns(block, length, origin);
}

/** The bytes that occur in the block. */
function readAlphabet(reader: BitReader): Uint8Array {
  const groups = reader.bits(16);
  const bytes: number[] = [];
  for (let group = 0; group < 16; group += 1) {
    if (((groups >> (15 - group)) & 1) === 0) continue;
    const used = reader.bits(16);
    for (let index = 0; index < 16; index += 1) {
      if (((used >> (15 - index)) & 1) === 1) bytes.push(group * 16 + index);
    }
  }
  if (bytes.length === 0) throw reader.fault('has a block without any byte');
  return Uint8Array.from(bytes);
}

function readCodes(
  reader: BitReader,
  symbols: number,
): { readonly codes: readonly Code[]; readonly selectors: Uint8Array } {
  const count = reader.bits(3);
  const selectorCount = reader.bits(15);
  if (count < 2 || count > 6 || selectorCount === 0)
    throw reader.fault('has a block with an impossible set of codes');
  const order = Array.from({ length: count }, (_, index) => index);
  // Some writers announce more selectors than a block can use: they are read and dropped.
  const selectors = new Uint8Array(Math.min(selectorCount, maximumSelectors));
  for (let index = 0; index < selectorCount; index += 1) {
    let place = 0;
    while (reader.bit() === 1) {
      place += 1;
      if (place >= count) throw reader.fault('selects a code that there is not');
    }
    const [selected = 0] = order.splice(place, 1);
    order.unshift(selected);
    if (index < selectors.length) selectors[index] = selected;
  }
  const codes: Code[] = [];
  for (let index = 0; index < count; index += 1) {
    const lengths = new Uint8Array(symbols);
    let length = reader.bits(5);
    for (let symbol = 0; symbol < symbols; symbol += 1) {
      for (;;) {
        if (length < 1 || length > maximumCodeBits) throw reader.fault('has a code of an impossible length');
        if (reader.bit() === 0) break;
        length += reader.bit() === 0 ? 1 : -1;
      }
      lengths[symbol] = length;
    }
    codes.push(buildCode(lengths));
  }
  return { codes, selectors };
}

/** Decodes the symbols of a block into its bytes, still transformed. */
function readSymbols(
  reader: BitReader,
  block: Uint32Array,
  alphabet: Uint8Array,
  codes: readonly Code[],
  selectors: Uint8Array,
): { readonly length: number; readonly counts: Uint32Array } {
  const endSymbol = alphabet.length + 1;
  const recent = Uint8Array.from(alphabet);
  const counts = new Uint32Array(256);
  let length = 0;
  let selector = -1;
  let left = 0;
  let code: Code | undefined;
  let run = 0;
  let runWeight = 1;
  for (;;) {
    if (left === 0) {
      selector += 1;
      code = selector < selectors.length ? codes[selectors[selector] ?? 0] : undefined;
      left = symbolsPerSelector;
    }
    if (code === undefined) throw reader.fault('has a block with more symbols than it announces');
    left -= 1;
    const symbol = readSymbol(reader, code);
    if (symbol <= 1) {
      // Runs of the most recent byte, in a number system with the digits 1 and 2.
      run += runWeight << symbol;
      runWeight <<= 1;
      if (run > block.length) throw reader.fault('has a block that is too long');
      continue;
    }
    if (run > 0) {
      const byte = recent[0] ?? 0;
      if (length + run > block.length) throw reader.fault('has a block that is too long');
      block.fill(byte, length, length + run);
      length += run;
      counts[byte] = (counts[byte] ?? 0) + run;
      run = 0;
      runWeight = 1;
    }
    if (symbol === endSymbol) return { length, counts };
    if (length >= block.length) throw reader.fault('has a block that is too long');
    const place = symbol - 1;
    const byte = recent[place] ?? 0;
    recent.copyWithin(1, 0, place);
    recent[0] = byte;
    block[length] = byte;
    length += 1;
    counts[byte] = (counts[byte] ?? 0) + 1;
  }
}

/** Follows the links through a block and expands the runs of four and more. */
function* expandRuns(block: Uint32Array, length: number, origin: number): Generator<Uint8Array, number> {
  let crc = 0xffff_ffff;
  let output = new Uint8Array(outputChunkBytes);
  let filled = 0;
  let link = (block[origin] ?? 0) >>> 8;
  let last = -1;
  let same = 0;
  for (let index = 0; index < length; index += 1) {
    const entry = block[link] ?? 0;
    link = entry >>> 8;
    const byte = entry & 0xff;
    let times = 1;
    let value = byte;
    if (same === 4) {
      // The byte behind four equal ones says how often the byte is repeated.
      times = byte;
      value = last;
      same = 0;
      last = -1;
    } else if (byte === last) {
      same += 1;
    } else {
      last = byte;
      same = 1;
    }
    for (; times > 0; times -= 1) {
      if (filled === output.length) {
        yield output;
        output = new Uint8Array(outputChunkBytes);
        filled = 0;
      }
      output[filled] = value;
      filled += 1;
      crc = ((crc << 8) ^ (crcTable[((crc >>> 24) ^ value) & 0xff] ?? 0)) >>> 0;
    }
  }
  if (filled > 0) yield output.subarray(0, filled);
  return ~crc >>> 0;
}
