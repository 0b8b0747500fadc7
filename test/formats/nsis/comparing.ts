import { expect } from 'vitest';
import { Budget } from '../../../src/bytes/budget.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import type { Format } from '../../../src/formats/model.ts';
import { tryReadInstaller } from '../../../src/formats/nsis/index.ts';
import { readWithSevenZip, sevenZipVolumeFormats } from '../../../src/formats/sevenzip/index.ts';
import { pourAll, type PourOptions, type PourResult } from '../sevenzip-pouring.ts';

const found = sevenZipVolumeFormats.find(({ id }) => id === 'nsis');
if (found === undefined) throw new Error('there is no format for NSIS');
export const ours: Format = found;
/** The same without the reader of ours. */
export const theirs: Format = {
  ...found,
  read: (source, context) => readWithSevenZip({ type: 'nsis', guessesSizes: true }, source, context),
};

/** Whether it is read without 7-Zip. */
export function isReadHere(data: Uint8Array): boolean {
  const source = toByteSource(data);
  const context = { budget: new Budget(source.size), report: () => undefined };
  return tryReadInstaller(source, 0, context) !== undefined;
}

/** What anybody can see of a result. */
function toSeen({ facts, findings, members, thrown }: PourResult): unknown {
  return {
    facts,
    findings,
    thrown: thrown?.message,
    members: members.map(({ name, declaredSize, size, sha256, finding }) => ({
      name,
      declaredSize,
      size,
      sha256,
      finding,
    })),
  };
}

/** Reads it with the reader of ours and without, and gives back the former. */
export async function expectSame(data: Uint8Array, options: PourOptions = {}): Promise<PourResult> {
  const result = await pourAll(data, options, ours);
  expect(toSeen(result)).toEqual(toSeen(await pourAll(data, {}, theirs)));
  return result;
}
