/**
 * HFS+ and HFSX volumes in which everything is in order: members are ranges of the volume, and nothing is copied.
 *
 * Names, order, streams and sizes are those of 7-Zip: the volume's name stands before every name, resource forks are
 * `name:rsrc`, extended attributes `name:attribute`, the folder of files with several names is `[HFS+ Private Data]`, and
 * a name for one of them is an empty file.
 *
 * Specification: https://developer.apple.com/library/archive/technotes/tn/tn1150.html
 *
 * Not read here, but by 7-Zip: volumes in an HFS wrapper, compressed files (decmpfs), attributes outside of the
 * attributes file, names that no ordinary software writes, and whatever is damaged in any way.
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import type { Member, MemberContent, ReadContext, Reading } from '../model.ts';
import { tryInOrder } from '../sevenzip/in-order.ts';
import { reportTail, toListedFacts } from '../sevenzip/listed.ts';
import { type HfsEntry, readEntries } from './catalog.ts';
import { openExtents, readVolume } from './volume.ts';

export type { Extent } from './volume.ts';

/** A volume and what 7-Zip would list of it. */
export interface PlainVolume {
  /** In bytes; more may follow. */
  readonly size: number;
  readonly entries: readonly HfsEntry[];
}

/**
 * The volume, when everything about it is in order and understood.
 *
 * @throws TelltaleError `limit/time`
 */
export function tryReadPlainVolume(source: ByteSource, { budget }: ReadContext): PlainVolume | undefined {
  return tryInOrder(() => {
    const volume = readVolume(source, budget);
    return { size: volume.blocks * volume.blockBytes, entries: readEntries(volume, budget) };
  });
}

/** What is said of a volume when it is opened. */
export function toVolumeFacts({ entries }: PlainVolume, context: ReadContext): Reading['facts'] {
  return toListedFacts(
    entries.map(({ name, kind, size }) => ({
      name,
      kind,
      size: kind === 'folder' ? undefined : size,
      crc32: undefined,
      isEncrypted: false,
      method: '',
      target: undefined,
    })),
    context,
  );
}

/** Those of the entries that have content of their own, in the order of the catalog. */
export function listFiles({ entries }: PlainVolume): readonly HfsEntry[] {
  return entries.filter(({ kind }) => kind === 'file');
}

/**
 * A volume that stands in a source as it is.
 *
 * @param start - of the volume in the artifact, in bytes
 * @throws TelltaleError `limit/time`
 */
export function tryReadHfsPlus(source: ByteSource, start: number, context: ReadContext): Reading | undefined {
  const volume = tryReadPlainVolume(source, context);
  if (volume === undefined) return undefined;
  if (source.size > volume.size) reportTail(source, source.size - volume.size, start, context);
  const open = ({ extents }: HfsEntry): MemberContent => {
    const content = openExtents(source, extents);
    const [first] = extents;
    return first !== undefined && extents.length === 1
      ? { kind: 'source', source: content, containerOffset: start + first.offset }
      : { kind: 'source', source: content };
  };
  return { facts: toVolumeFacts(volume, context), regions: [], members: () => toMembers(volume, open) };
}

function* toMembers(
  volume: PlainVolume,
  open: (entry: HfsEntry) => MemberContent,
): Generator<Member, void, void> {
  for (const entry of listFiles(volume)) yield { name: entry.path, relation: 'file', content: open(entry) };
}
