/** Where Intel code calls and jumps: for filters that change the targets. */

export const call = 0xe8;
export const jump = 0xe9;

/**
 * The first `call` or `jmp` at or behind an index, or the length. Most words have none: four bytes are looked at at
 * once. With the bit that tells the two apart left out, a byte of either is zero in `differences`, and only where
 * there is such a byte does taking one away from each byte set a highest bit that was not there.
 *
 * @param bytes - at a multiple of four in their buffer
 * @param words - the same memory, without what four does not divide
 */
export function findCall(bytes: Uint8Array, words: Uint32Array, from: number): number {
  let at = from;
  for (; (at & 3) !== 0; at += 1) {
    if (at >= bytes.length || ((bytes[at] ?? 0) & ~1) === call) return at;
  }
  for (at >>= 2; at < words.length; at += 1) {
    const differences = ((words[at] ?? 0) ^ 0xe8e8_e8e8) & 0xfefe_fefe;
    if (((differences - 0x0101_0101) & ~differences & 0x8080_8080) !== 0) break;
  }
  for (at <<= 2; at < bytes.length; at += 1) {
    if (((bytes[at] ?? 0) & ~1) === call) return at;
  }
  return bytes.length;
}
