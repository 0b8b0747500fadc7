import { type ByteSource, assertRange } from './byte-source.ts';

/**
 * A source over several others, one behind the other; a single one is handed back as it is. What lies in one of them is
 * read from it, without a copy of ours.
 */
export function chainSources(links: readonly ByteSource[]): ByteSource {
  const [only] = links;
  if (links.length === 1 && only !== undefined) return only;
  const ends: number[] = [];
  for (const { size } of links) ends.push((ends.at(-1) ?? 0) + size);
  const size = ends.at(-1) ?? 0;
  /** Number of the link in which an offset lies. */
  const find = (offset: number): number => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ends[middle] ?? 0) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  const readInto = (offset: number, target: Uint8Array): void => {
    assertRange(size, offset, target.length);
    let filled = 0;
    for (let index = find(offset); filled < target.length; index += 1) {
      const link = links[index];
      if (link === undefined) break;
      const at = offset + filled - ((ends[index] ?? 0) - link.size);
      const part = target.subarray(filled, filled + Math.min(target.length - filled, link.size - at));
      if (link.readInto === undefined) part.set(link.read(at, part.length));
      else link.readInto(at, part);
      filled += part.length;
    }
  };
  /** Where the last read was: the next one is mostly near. */
  let [last, lastStart, lastEnd] = [0, 0, ends[0] ?? 0];
  const isInMemory = links.every((link) => link.readInto === undefined);
  return {
    size,
    ...(isInMemory ? { runEnd: (offset: number) => ends[find(offset)] ?? size } : { readInto }),
    read(offset, length) {
      assertRange(size, offset, length);
      if (offset < lastStart || offset >= lastEnd) {
        last = find(offset);
        lastEnd = ends[last] ?? 0;
        lastStart = lastEnd - (links[last]?.size ?? 0);
      }
      const link = offset + length <= lastEnd ? links[last] : undefined;
      if (link !== undefined) return link.read(offset - lastStart, length);
      const bytes = new Uint8Array(length);
      readInto(offset, bytes);
      return bytes;
    },
  };
}
