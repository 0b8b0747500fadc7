import type { Region } from '../formats/model.ts';

/** An offset as region and distance, `.data+0x59`, by the smallest region that holds it. */
export function toPlace(regions: readonly Region[], offset: number): string | undefined {
  let smallest: Region | undefined;
  for (const region of regions) {
    if (offset < region.offset || offset >= region.offset + region.size) continue;
    if (smallest === undefined || region.size < smallest.size) smallest = region;
  }
  if (smallest === undefined) return undefined;
  const distance = offset - smallest.offset;
  return distance === 0 ? smallest.name : `${smallest.name}+0x${distance.toString(16)}`;
}
