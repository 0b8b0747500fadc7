import type { ByteSource } from '../bytes/byte-source.ts';
import type { Region } from '../formats/model.ts';
import { toPlace } from '../scan/place.ts';
import { type ByteChanges, type ByteRange, type RangeChange, rangesListed } from './model.ts';

const chunkBytes = 1 << 20;
/** So many equal bytes end a range; fewer are told as a part of it. */
const equalBytesBetween = 8;
const bytesShown = 32;

/** One side of a comparison of bytes. */
export interface ByteSide {
  readonly source: ByteSource;
  readonly regions: readonly Region[];
}

/**
 * Where two members differ: range by range when they are equally long, otherwise the range between what they have in
 * common at the start and at the end.
 *
 * @throws TelltaleError `limit/time`, through `checkTime`; what the sources throw
 */
export function compareBytes(before: ByteSide, after: ByteSide, checkTime: () => void): ByteChanges {
  return before.source.size === after.source.size
    ? comparePatched(before, after, checkTime)
    : compareShifted(before, after, checkTime);
}

function comparePatched(before: ByteSide, after: ByteSide, checkTime: () => void): ByteChanges {
  const { size } = before.source;
  const ranges: RangeChange[] = [];
  let total = 0;
  let differing = 0;
  let start = -1;
  let end = -1;
  let commonStart = size;
  const close = (): void => {
    if (start < 0) return;
    total += 1;
    if (ranges.length < rangesListed)
      ranges.push(toRangeChange(before, after, start, end - start, start, end - start));
  };
  for (let offset = 0; offset < size; offset += chunkBytes) {
    checkTime();
    const length = Math.min(chunkBytes, size - offset);
    const left = before.source.read(offset, length);
    const right = after.source.read(offset, length);
    for (let at = 0; at < length; at += 1) {
      if (left[at] === right[at]) continue;
      const place = offset + at;
      differing += 1;
      if (start < 0 || place - end >= equalBytesBetween) {
        close();
        start = place;
        if (total === 0 && commonStart === size) commonStart = place;
      }
      end = place + 1;
    }
  }
  close();
  return { kind: 'patched', commonStart, commonEnd: size - Math.max(end, 0), differing, total, ranges };
}

function compareShifted(before: ByteSide, after: ByteSide, checkTime: () => void): ByteChanges {
  const left = before.source;
  const right = after.source;
  const shorter = Math.min(left.size, right.size);
  const commonStart = countEqual(shorter, checkTime, (offset, length) => [
    left.read(offset, length),
    right.read(offset, length),
  ]);
  const commonEnd = countEqual(shorter - commonStart, checkTime, (offset, length) => [
    left.read(left.size - offset - length, length).toReversed(),
    right.read(right.size - offset - length, length).toReversed(),
  ]);
  const between = (size: number): number => size - commonStart - commonEnd;
  const range = toRangeChange(
    before,
    after,
    commonStart,
    between(left.size),
    commonStart,
    between(right.size),
  );
  return { kind: 'shifted', commonStart, commonEnd, total: 1, ranges: [range] };
}

/** How many bytes two views have in common from their start. */
function countEqual(
  size: number,
  checkTime: () => void,
  read: (offset: number, length: number) => readonly [Uint8Array, Uint8Array],
): number {
  for (let offset = 0; offset < size; offset += chunkBytes) {
    checkTime();
    const length = Math.min(chunkBytes, size - offset);
    const [left, right] = read(offset, length);
    for (let at = 0; at < length; at += 1) if (left[at] !== right[at]) return offset + at;
  }
  return Math.max(0, size);
}

function toRangeChange(
  before: ByteSide,
  after: ByteSide,
  beforeOffset: number,
  beforeLength: number,
  afterOffset: number,
  afterLength: number,
): RangeChange {
  return {
    before: toRange(before, beforeOffset, beforeLength),
    after: toRange(after, afterOffset, afterLength),
  };
}

function toRange({ source, regions }: ByteSide, offset: number, length: number): ByteRange {
  const place = toPlace(regions, offset);
  const shown = source.read(offset, Math.min(length, bytesShown));
  return {
    offset,
    length,
    ...(place === undefined ? {} : { place }),
    hex: Array.from(shown, (byte) => byte.toString(16).padStart(2, '0')).join(''),
  };
}
