/** Shannon entropy: how evenly the byte values of a range are spread. Packed or encrypted data comes near 8. */
import { type ByteSource, readChunks } from '../../bytes/byte-source.ts';

/**
 * Entropy in bits a byte, 0 to 8, rounded to three decimals so that the same bytes give the same number everywhere.
 *
 * @param limitBytes - only so many bytes from the start are measured
 */
export function measureEntropy(source: ByteSource, limitBytes: number): number {
  const counts = new Uint32Array(256);
  let total = 0;
  for (const chunk of readChunks(source, 1 << 18)) {
    const taken = chunk.subarray(0, Math.min(chunk.length, limitBytes - total));
    for (const byte of taken) counts[byte] = (counts[byte] ?? 0) + 1;
    total += taken.length;
    if (total >= limitBytes) break;
  }
  let entropy = 0;
  for (const count of counts) {
    if (count > 0) entropy -= (count / total) * Math.log2(count / total);
  }
  return Math.round(entropy * 1000) / 1000;
}
