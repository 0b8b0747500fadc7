/** Streams of a compound file as a list, and where their bytes and the slack behind them lie. */
import type { Budget } from '../../bytes/budget.ts';
import { type CompoundEntry, type CompoundFile, type CompoundRegion, extentsMax } from './model.ts';
import { hasBytes } from './compound-file.ts';
import { miniCutoffBytes, miniSectorBytes } from './sectors.ts';

/** Regions that are told of one file. */
const regionsMax = 4096;

/** A stream with the names of the storages around it. */
export interface PlacedStream {
  readonly entry: CompoundEntry;
  /** Outermost first, without the root. */
  readonly storages: readonly CompoundEntry[];
  /** Belongs to no storage. */
  readonly isOrphan: boolean;
}

/** Every stream, those of a storage before those of the storages in it, orphans last. */
export function* listStreams(file: CompoundFile): Generator<PlacedStream> {
  const pending: { entry: CompoundEntry; storages: readonly CompoundEntry[] }[] = [
    { entry: file.root, storages: [] },
  ];
  // The list grows while it is walked.
  for (const { entry: storage, storages } of pending) {
    for (const entry of storage.children) {
      if (entry.kind === 'stream') yield { entry, storages, isOrphan: false };
      else pending.push({ entry, storages: [...storages, entry] });
    }
  }
  for (const entry of file.orphans) yield { entry, storages: [], isOrphan: true };
}

/**
 * One region for each run of each stream, one for slack that is not zero, and the unused ranges of the file.
 *
 * @param nameOf - how a stream is called
 */
export function listRegions(
  file: CompoundFile,
  nameOf: (stream: PlacedStream) => string,
  budget: Budget,
): CompoundRegion[] {
  const regions: CompoundRegion[] = [...file.regions];
  for (const stream of listStreams(file)) {
    budget.checkTime();
    if (regions.length >= regionsMax) break;
    const { entry } = stream;
    const ranges = file.locate(entry);
    const name = `stream ${nameOf(stream)}`;
    for (const range of ranges) regions.push({ name, ...range });
    const last = ranges.at(-1);
    if (last === undefined || ranges.length >= extentsMax || entry.size < entry.declaredSize) continue;
    const unit = entry.declaredSize < miniCutoffBytes ? miniSectorBytes : file.sectorBytes;
    const end = last.offset + last.size;
    const slack = {
      offset: end,
      size: Math.min(file.source.size - end, (unit - (entry.size % unit)) % unit),
    };
    if (slack.size > 0 && hasBytes(file.source, slack, budget))
      regions.push({ name: `slack behind ${name}`, ...slack });
  }
  return regions.slice(0, regionsMax);
}

/** Where the bytes of a stream lie in the file, when they lie there together. */
export function tryContainerOffset(file: CompoundFile, entry: CompoundEntry): number | undefined {
  const ranges = file.locate(entry);
  return ranges.length === 1 ? ranges[0]?.offset : undefined;
}
