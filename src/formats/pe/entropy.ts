/** Shannon entropy: how evenly the byte values of a range are spread. Packed or encrypted data comes near 8. */
import { type ByteSource, readPassing, sliceSource } from '../../bytes/byte-source.ts';

/** A byte that repeats would wait for its own counter; neighbours count in tables of their own. */
const tables = 4;

/**
 * Entropy in bits a byte, 0 to 8, rounded to three decimals so that the same bytes give the same number everywhere.
 *
 * @param limitBytes - only so many bytes from the start are measured
 */
export function measureEntropy(source: ByteSource, limitBytes: number): number {
  const measured = Math.min(source.size, limitBytes);
  const counts = new Uint32Array(tables * 256);
  for (const chunk of readPassing(sliceSource(source, 0, measured))) countBytes(chunk, counts);
  let entropy = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    let count = 0;
    for (let table = byte; table < counts.length; table += 256) count += counts[table] ?? 0;
    if (count > 0) entropy -= (count / measured) * Math.log2(count / measured);
  }
  return Math.round(entropy * 1000) / 1000;
}

/** Four bytes at a time; a function for the counting would be called for each byte. */
function countBytes(bytes: Uint8Array, counts: Uint32Array): void {
  const even = bytes.length - (bytes.length % tables);
  for (let at = 0; at < even; at += tables) {
    const one = bytes[at] ?? 0;
    const two = 256 + (bytes[at + 1] ?? 0);
    const three = 512 + (bytes[at + 2] ?? 0);
    const four = 768 + (bytes[at + 3] ?? 0);
    counts[one] = (counts[one] ?? 0) + 1;
    counts[two] = (counts[two] ?? 0) + 1;
    counts[three] = (counts[three] ?? 0) + 1;
    counts[four] = (counts[four] ?? 0) + 1;
  }
  for (let at = even; at < bytes.length; at += 1) {
    const one = bytes[at] ?? 0;
    counts[one] = (counts[one] ?? 0) + 1;
  }
}
