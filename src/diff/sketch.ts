import type { ByteSource } from '../bytes/byte-source.ts';
import { readUpTo, toByteSource } from '../bytes/byte-source.ts';
import { scanStrings } from './printable-runs.ts';

/** A sample of the strings of a member: the smallest hashes of them, sorted. Bottom-k sketch, A. Broder 1997. */
export type Sketch = readonly number[];

const hashesKept = 128;
const bytesSketched = 4 << 20;
const stringsSketched = 200_000;
/** With fewer strings than this, what two members share says nothing. */
const fewestHashes = 8;

/** The sketch of some bytes; of a long member, of its first 4 MiB. */
export function toSketch(source: ByteSource): Sketch {
  const hashes = new Set<number>();
  let count = 0;
  scanStrings(
    toByteSource(readUpTo(source, 0, bytesSketched)),
    [],
    (text) => {
      count += 1;
      if (count <= stringsSketched) hashes.add(hash(text));
    },
    () => count <= stringsSketched,
  );
  return [...hashes].sort((a, b) => a - b).slice(0, hashesKept);
}

/** About how many of the strings of both are in both, from 0 to 1. */
export function toLikeness(one: Sketch, other: Sketch): number {
  if (one.length < fewestHashes || other.length < fewestHashes) return 0;
  const left = new Set(one);
  const right = new Set(other);
  const union = [...new Set([...one, ...other])].sort((a, b) => a - b).slice(0, hashesKept);
  return union.filter((value) => left.has(value) && right.has(value)).length / union.length;
}

/** FNV-1a over UTF-16 units, 32 bits. Who makes texts collide only makes two members look alike. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  // The last steps of MurmurHash3: FNV alone leaves the high bits of short texts alike.
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
