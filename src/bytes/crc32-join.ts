/**
 * The CRC-32 of bytes whose parts have been summed one by one.
 *
 * A checksum is a polynomial over the field of two elements; to put `n` zero bits behind the bytes is to multiply it by
 * x^n, which is linear, so that a table of 32 columns does it. https://www.rfc-editor.org/rfc/rfc1952 section 8.
 */

type Columns = Uint32Array;

/** What appending one zero bit does to each bit of a checksum. */
function toOneBit(): Columns {
  const columns = new Uint32Array(32);
  columns[0] = 0xedb88320;
  for (let bit = 1; bit < 32; bit += 1) columns[bit] = 2 ** (bit - 1);
  return columns;
}

function apply(columns: Columns, value: number): number {
  let sum = 0;
  for (let bit = 0, rest = value; rest !== 0; bit += 1, rest >>>= 1) {
    if ((rest & 1) !== 0) sum ^= columns[bit] ?? 0;
  }
  return sum >>> 0;
}

/** First one, then the other. */
function chain(first: Columns, second: Columns): Columns {
  return first.map((column) => apply(second, column));
}

/** What appending 2^n zero bytes does, by n; filled as far as it was needed. */
const powers: Columns[] = [];

function toPower(exponent: number): Columns {
  const known = powers[exponent];
  if (known !== undefined) return known;
  let columns: Columns;
  if (exponent > 0) {
    const half = toPower(exponent - 1);
    columns = chain(half, half);
  } else {
    columns = toOneBit();
    // Three doublings make a byte of a bit.
    for (let doubling = 0; doubling < 3; doubling += 1) columns = chain(columns, columns);
  }
  powers[exponent] = columns;
  return columns;
}

/** Joins checksums of parts. */
export class Crc32Joiner {
  #sum = 0;

  /** The checksum of everything so far. */
  get sum(): number {
    return this.#sum;
  }

  /**
   * @param crc - of the part that follows
   * @param length - of it, in bytes
   */
  add(crc: number, length: number): void {
    let sum = this.#sum;
    for (let exponent = 0, rest = length; rest > 0; exponent += 1, rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) sum = apply(toPower(exponent), sum);
    }
    this.#sum = (sum ^ crc) >>> 0;
  }
}

/** The CRC-32 of so many zero bytes. */
export function crc32OfZeros(length: number): number {
  const joiner = new Crc32Joiner();
  // A checksum begins and ends with all bits turned; between, zeros do what they do when they are appended.
  joiner.add(0xffffffff, 0);
  joiner.add(0, length);
  return (joiner.sum ^ 0xffffffff) >>> 0;
}
