/**
 * Adler-32, the checksum of zlib (RFC 1950, section 8.2) and of UPX.
 */

const modulus = 65_521;
/** As many bytes as can be summed before the sums leave 32 bits. */
const bytesPerReduction = 5552;

/** The checksum as an unsigned 32-bit number, continuing from `start`. */
export function toAdler32(bytes: Uint8Array, start = 1): number {
  let low = start & 0xffff;
  let high = start >>> 16;
  for (let offset = 0; offset < bytes.length; offset += bytesPerReduction) {
    const end = Math.min(offset + bytesPerReduction, bytes.length);
    for (let i = offset; i < end; i += 1) {
      low += bytes[i] ?? 0;
      high += low;
    }
    low %= modulus;
    high %= modulus;
  }
  return ((high << 16) | low) >>> 0;
}

/**
 * Looks for a range of `length` bytes with this checksum, sliding over `bytes` in linear time.
 *
 * @returns offset of the first such range, or undefined
 */
export function findAdler32(bytes: Uint8Array, length: number, checksum: number): number | undefined {
  if (length <= 0 || length > bytes.length) return undefined;
  const first = toAdler32(bytes.subarray(0, length));
  let low = first & 0xffff;
  let high = first >>> 16;
  const wantedLow = checksum & 0xffff;
  const wantedHigh = checksum >>> 16;
  const lengthReduced = length % modulus;
  for (let offset = 0; ; offset += 1) {
    if (low === wantedLow && high === wantedHigh) return offset;
    if (offset + length >= bytes.length) return undefined;
    const leaving = bytes[offset] ?? 0;
    low = (low - leaving + (bytes[offset + length] ?? 0) + modulus) % modulus;
    // Every byte counts once for each position it is from the end; the 1 that starts the low sum counts everywhere.
    high = (high + low - 1 + modulus - ((lengthReduced * leaving) % modulus)) % modulus;
  }
}
