/**
 * DEFLATE, decoded without a native library, for streams that are damaged.
 *
 * Native zlib drops what it decoded since its last full output buffer when it meets a fault. This decoder is
 * several times slower but hands out every byte that precedes the fault. It is also the oracle for the native one.
 *
 * Specification: https://www.rfc-editor.org/rfc/rfc1951
 * As strict as zlib: incomplete codes are refused except a single code of one bit.
 */
import { type ByteSource, readUpTo } from './byte-source.ts';
import { TelltaleError } from './errors.ts';

const windowBytes = 32_768;
const outputBytes = 65_536;
const inputBytes = 65_536;
const maximumCodeBits = 15;
const maximumMatchBytes = 258;
/** Literal and length codes; 286 and 287 never occur in valid data (section 3.2.6). */
const maximumLiteralCodes = 286;
const maximumDistanceCodes = 30;
const endOfBlock = 256;

/** Order in which the code length code lengths are stored (section 3.2.7). */
const codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const;
const lengthBase = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
] as const;
const lengthExtraBits = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
] as const;
const distanceBase = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
  6145, 8193, 12289, 16385, 24577,
] as const;
const distanceExtraBits = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
] as const;

/** A lookup table: index is the next 15 bits, entry is symbol * 16 + code length in bits, 0 for no code. */
type CodeTable = Uint16Array;

/** Bits from a source, least significant first. */
class BitReader {
  readonly #source: ByteSource;
  #chunk: Uint8Array = new Uint8Array(0);
  #chunkStart: number;
  #next = 0;
  #bits = 0;
  #count = 0;

  constructor(source: ByteSource, offset: number) {
    this.#source = source;
    this.#chunkStart = offset;
  }

  /** Offset of the first byte of which no bit was taken. */
  get offset(): number {
    return this.#chunkStart + this.#next - (this.#count >> 3);
  }

  #fill(wanted: number): void {
    while (this.#count < wanted) {
      if (this.#next === this.#chunk.length) {
        const start = this.#chunkStart + this.#next;
        const chunk = readUpTo(this.#source, start, inputBytes);
        if (chunk.length === 0) return;
        this.#chunk = chunk;
        this.#chunkStart = start;
        this.#next = 0;
      }
      this.#bits |= (this.#chunk[this.#next] ?? 0) << this.#count;
      this.#next += 1;
      this.#count += 8;
    }
  }

  bits(wanted: number): number {
    this.#fill(wanted);
    if (this.#count < wanted) throw this.#truncated();
    const value = this.#bits & ((1 << wanted) - 1);
    this.#bits >>>= wanted;
    this.#count -= wanted;
    return value;
  }

  symbol(table: CodeTable): number {
    this.#fill(maximumCodeBits);
    const entry = table[this.#bits & 0x7fff] ?? 0;
    const length = entry & 15;
    if (length === 0 || length > this.#count) {
      if (length > this.#count || this.#count < maximumCodeBits) throw this.#truncated();
      throw this.malformed('holds a code that stands for nothing');
    }
    this.#bits >>>= length;
    this.#count -= length;
    return entry >> 4;
  }

  alignToByte(): void {
    const surplus = this.#count & 7;
    this.#bits >>>= surplus;
    this.#count -= surplus;
  }

  malformed(message: string): TelltaleError {
    return new TelltaleError('malformed/compressed-data', `compressed data ${message}`, {
      offset: this.offset,
    });
  }

  #truncated(): TelltaleError {
    return new TelltaleError('malformed/truncated', 'compressed data ends before its end mark', {
      offset: this.#source.size,
    });
  }
}

/** @returns undefined when the lengths do not form a usable code, by the rules of zlib */
function tryBuildTable(lengths: Uint8Array, isCodeLengthCode: boolean): CodeTable | undefined {
  const counts = new Uint16Array(maximumCodeBits + 1);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  counts[0] = 0;
  let left = 1;
  let longest = 0;
  const firstCodes = new Uint16Array(maximumCodeBits + 2);
  let code = 0;
  for (let bits = 1; bits <= maximumCodeBits; bits += 1) {
    const count = counts[bits] ?? 0;
    left = left * 2 - count;
    if (left < 0) return undefined;
    if (count > 0) longest = bits;
    code = (code + (counts[bits - 1] ?? 0)) << 1;
    firstCodes[bits] = code;
  }
  const table = new Uint16Array(1 << maximumCodeBits);
  if (longest === 0) return isCodeLengthCode ? undefined : table;
  if (left > 0 && (isCodeLengthCode || longest !== 1)) return undefined;
  for (let symbol = 0; symbol < lengths.length; symbol += 1) {
    const length = lengths[symbol] ?? 0;
    if (length === 0) continue;
    const own = firstCodes[length] ?? 0;
    firstCodes[length] = own + 1;
    let reversed = 0;
    for (let bit = 0; bit < length; bit += 1) reversed |= ((own >> bit) & 1) << (length - 1 - bit);
    const entry = (symbol << 4) | length;
    for (let index = reversed; index < table.length; index += 1 << length) table[index] = entry;
  }
  return table;
}

let fixedTables: readonly [CodeTable, CodeTable] | undefined;

/** The fixed codes of section 3.2.6. */
function toFixedTables(): readonly [CodeTable, CodeTable] {
  if (fixedTables === undefined) {
    const lengths = new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280);
    const empty = new Uint16Array(1 << maximumCodeBits);
    fixedTables = [
      tryBuildTable(lengths, false) ?? empty,
      tryBuildTable(new Uint8Array(32).fill(5), false) ?? empty,
    ];
  }
  return fixedTables;
}

function readDynamicTables(reader: BitReader): readonly [CodeTable, CodeTable] {
  const literalCodes = reader.bits(5) + 257;
  const distanceCodes = reader.bits(5) + 1;
  const codeLengthCodes = reader.bits(4) + 4;
  if (literalCodes > maximumLiteralCodes || distanceCodes > maximumDistanceCodes) {
    throw reader.malformed('announces more codes than there are');
  }
  const codeLengths = new Uint8Array(19);
  for (let i = 0; i < codeLengthCodes; i += 1) codeLengths[codeLengthOrder[i] ?? 0] = reader.bits(3);
  const codeLengthTable = tryBuildTable(codeLengths, true);
  if (codeLengthTable === undefined) throw reader.malformed('has an invalid code for its code lengths');
  const lengths = new Uint8Array(literalCodes + distanceCodes);
  let filled = 0;
  while (filled < lengths.length) {
    const symbol = reader.symbol(codeLengthTable);
    if (symbol < 16) {
      lengths[filled] = symbol;
      filled += 1;
      continue;
    }
    if (symbol === 16 && filled === 0) throw reader.malformed('repeats a code length before the first one');
    const value = symbol === 16 ? (lengths[filled - 1] ?? 0) : 0;
    const repeat =
      symbol === 16 ? 3 + reader.bits(2) : symbol === 17 ? 3 + reader.bits(3) : 11 + reader.bits(7);
    if (filled + repeat > lengths.length) throw reader.malformed('repeats a code length too often');
    lengths.fill(value, filled, filled + repeat);
    filled += repeat;
  }
  if (lengths[endOfBlock] === 0) throw reader.malformed('has no code for the end of a block');
  const literals = tryBuildTable(lengths.subarray(0, literalCodes), false);
  const distances = tryBuildTable(lengths.subarray(literalCodes), false);
  if (literals === undefined || distances === undefined)
    throw reader.malformed('has an invalid set of codes');
  return [literals, distances];
}

/**
 * Decodes a raw DEFLATE stream. Every byte before a fault is yielded before the fault is thrown.
 *
 * @param offset - where the stream starts in the source
 * @returns offset of the first byte behind the stream
 * @throws TelltaleError `malformed/compressed-data` or `malformed/truncated`, offset into the source
 */
export function* decodeDeflate(source: ByteSource, offset = 0): Generator<Uint8Array, number, void> {
  const reader = new BitReader(source, offset);
  const output = new Uint8Array(windowBytes + outputBytes);
  /** Start of the bytes that are still there to be copied from. */
  let historyStart = windowBytes;
  let flushed = windowBytes;
  let position = windowBytes;

  const takeChunk = (): Uint8Array => {
    const chunk = output.slice(flushed, position);
    output.copyWithin(0, position - windowBytes, position);
    historyStart = Math.max(0, historyStart - (position - windowBytes));
    position = windowBytes;
    flushed = windowBytes;
    return chunk;
  };

  try {
    for (;;) {
      const isLast = reader.bits(1) === 1;
      const type = reader.bits(2);
      if (type === 3) throw reader.malformed('has a block of an unknown type');
      if (type === 0) {
        reader.alignToByte();
        const length = reader.bits(16);
        if (length !== (reader.bits(16) ^ 0xffff))
          throw reader.malformed('has a stored block whose lengths disagree');
        for (let i = 0; i < length; i += 1) {
          output[position] = reader.bits(8);
          position += 1;
          if (position === output.length) yield takeChunk();
        }
      } else {
        const [literals, distances] = type === 1 ? toFixedTables() : readDynamicTables(reader);
        for (;;) {
          if (position + maximumMatchBytes > output.length) yield takeChunk();
          const symbol = reader.symbol(literals);
          if (symbol < endOfBlock) {
            output[position] = symbol;
            position += 1;
            continue;
          }
          if (symbol === endOfBlock) break;
          const base = lengthBase[symbol - 257];
          if (base === undefined) throw reader.malformed('has an invalid length code');
          const length = base + reader.bits(lengthExtraBits[symbol - 257] ?? 0);
          const distanceSymbol = reader.symbol(distances);
          const start = distanceBase[distanceSymbol];
          if (start === undefined) throw reader.malformed('has an invalid distance code');
          const distance = start + reader.bits(distanceExtraBits[distanceSymbol] ?? 0);
          if (distance > position - historyStart) throw reader.malformed('points back before its own start');
          if (distance >= length) {
            output.copyWithin(position, position - distance, position - distance + length);
          } else {
            for (let i = 0; i < length; i += 1) output[position + i] = output[position + i - distance] ?? 0;
          }
          position += length;
        }
      }
      if (isLast) break;
    }
  } catch (error) {
    if (position > flushed) yield takeChunk();
    throw error;
  }
  reader.alignToByte();
  if (position > flushed) yield takeChunk();
  return reader.offset;
}
