/** Ranges of bytes, and what lies between them. */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, sliceSource, readPassing } from '../../bytes/byte-source.ts';

export interface Range {
  readonly offset: number;
  readonly size: number;
}

/** Ranges from 0 to `end` that none of the given ones covers, in order. */
export function findGaps(ranges: readonly Range[], end: number): readonly Range[] {
  const gaps: Range[] = [];
  let reached = 0;
  for (const { offset, size } of ranges.toSorted((a, b) => a.offset - b.offset)) {
    if (offset > reached) gaps.push({ offset: reached, size: Math.min(offset, end) - reached });
    reached = Math.max(reached, offset + size);
    if (reached >= end) return gaps;
  }
  if (reached < end) gaps.push({ offset: reached, size: end - reached });
  return gaps;
}

/** Whether a range of a source holds anything but zeros. @throws TelltaleError `limit/time` */
export function hasContent(source: ByteSource, { offset, size }: Range, budget: Budget): boolean {
  for (const chunk of readPassing(sliceSource(source, offset, size))) {
    budget.checkTime();
    if (chunk.some((byte) => byte !== 0)) return true;
  }
  return false;
}
