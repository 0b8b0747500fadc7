/**
 * Looking for data by its Adler-32, the checksum of zlib (RFC 1950, section 8.2) and of UPX.
 */
import { adler32 } from '../../platform/inflate.ts';

const modulus = 65_521;

/**
 * Looks for a range of `length` bytes with this checksum, sliding over `bytes` in linear time.
 *
 * @returns offset of the first such range, or undefined
 */
export function findAdler32(bytes: Uint8Array, length: number, checksum: number): number | undefined {
  if (length <= 0 || length > bytes.length) return undefined;
  const first = adler32(bytes.subarray(0, length));
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
