import { Budget } from '../../../src/bytes/budget.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import type { Format } from '../../../src/formats/model.ts';
import { type PlainArchive, tryReadPlainArchive } from '../../../src/formats/sevenz/archive.ts';
import { readWithSevenZip, sevenZipArchiveFormats } from '../../../src/formats/sevenzip/index.ts';
import { type PouredMember, type PourOptions, pourAll, type PourResult } from '../sevenzip-pouring.ts';

const found = sevenZipArchiveFormats.find(({ id }) => id === '7z');
if (found === undefined) throw new Error('there is no 7z format');

/** The format as everyone gets it. */
export const ours: Format = found;
/** The same without the reader of ours. */
export const theirs: Format = {
  ...found,
  read: (source, context) => readWithSevenZip({ type: '7z' }, source, context),
};

/** What the reader of ours makes of an archive; undefined when it leaves it to 7-Zip. */
export function readPlain(bytes: Uint8Array): PlainArchive | undefined {
  return tryReadPlainArchive(toByteSource(bytes), new Budget(bytes.length));
}

export async function pourBoth(
  bytes: Uint8Array,
  options: PourOptions = {},
): Promise<readonly [PourResult, PourResult]> {
  return [await pourAll(bytes, options, ours), await pourAll(bytes, options, theirs)];
}

/** A member without how far a decoder came in damaged data, which is not the same to the byte. */
export function withoutExtent({ name, declaredSize, size, sha256, finding }: PouredMember): object {
  const isDamaged = finding?.code === 'malformed/compressed-data';
  return { name, declaredSize, finding, ...(isDamaged ? {} : { size, sha256 }) };
}
