/**
 * ISO 9660 disc images with Joliet and Rock Ridge names and El Torito boot images.
 *
 * Volume descriptors from sector 16 on, directories of records, and files that lie in one piece: a member is a range
 * of the image, and nothing is unpacked. Names, order and boot images are those of 7-Zip: the Joliet tree where there
 * is one, with Rock Ridge names where there is not.
 *
 * Specifications: ECMA-119 (https://ecma-international.org/publications-and-standards/standards/ecma-119/), Joliet
 * (https://pismotec.com/cfs/jolspec.html), SUSP and Rock Ridge (https://wiki.osdev.org/Rock_Ridge), El Torito
 * (https://pdos.csail.mit.edu/6.828/2014/readings/boot-cdrom.pdf).
 *
 * Not supported: UDF, interleaved files, blocks of other sizes than 2,048 bytes (these go to 7-Zip).
 */
import { type ByteSource, readUpTo, sliceSource } from '../../bytes/byte-source.ts';
import { chainSources } from '../../bytes/chain-sources.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { toBoundedReport } from '../bounded-report.ts';
import { toQuotedName } from '../member-name.ts';
import type { Finding, Format, Member, MemberContent, ReadContext, Reading } from '../model.ts';
import { hasFar, isoDescriptorOffset } from '../recognised.ts';
import { readWithSevenZip } from '../sevenzip/index.ts';
import { reportTail, toListedFacts } from '../sevenzip/listed.ts';
import { type Extent, type IsoEntry, TreeReader } from './tree.ts';
import { type IsoDescriptors, isoBlockBytes, readBootImages, readDescriptors } from './volume.ts';

const findingsMax = 64;
/** So much of nothing behind an image is padding. */
const paddingBytesMax = 2 * 1024 * 1024;

export const iso9660Format: Format = {
  id: 'iso9660',
  title: 'ISO 9660 disc image',
  nature: 'transport',
  extensions: ['iso'],
  references: [
    'https://ecma-international.org/publications-and-standards/standards/ecma-119/',
    'https://pismotec.com/cfs/jolspec.html',
    'https://wiki.osdev.org/Rock_Ridge',
  ],
  limitations: [
    'UDF file systems on the same disc are not read.',
    'One tree is read: that of Joliet, where there is one.',
    'Interleaved files are named, not read.',
    'Folders, links and devices are named, not yielded.',
    'Other discs of a set are not looked for.',
  ],
  probe: (_head, source) => hasFar(source, 'CD001', isoDescriptorOffset),
  read,
};

/** @throws TelltaleError `malformed/header`, or a limit, when there is no volume to read */
async function read(source: ByteSource, context: ReadContext): Promise<Reading> {
  let descriptors: IsoDescriptors;
  try {
    descriptors = readDescriptors(source);
  } catch (error) {
    if (!(error instanceof TelltaleError && error.code.startsWith('unsupported/'))) throw error;
    return await readWithSevenZip({ type: 'iso' }, source, context);
  }
  const report = toBoundedReport(context.report.bind(context), findingsMax);
  const tree = new TreeReader(source, descriptors.main, { ...context, report }).read();
  const { bootCatalogue } = descriptors;
  const boot: readonly IsoEntry[] =
    bootCatalogue === undefined || tree.isCut
      ? []
      : readBootImages(source, bootCatalogue, report).map(({ name, offset, size }) => ({
          name,
          kind: 'file',
          offset: bootCatalogue * isoBlockBytes,
          extents: [{ offset, size }],
          target: undefined,
          isInterleaved: false,
        }));
  const entries = [...tree.entries, ...boot];
  const disagreements = descriptors.disagreements + tree.disagreements;
  if (disagreements > 0) {
    report({
      code: 'malformed/structure',
      message: `states ${disagreements} places or sizes differently in its two byte orders`,
      consequence: 'what software sees that goes by the other one was not looked at',
      incomplete: true,
    });
  }
  reportMissing(entries, source, report);
  reportOverlaps(tree.entries, report);
  reportEnd(findEnd(descriptors.end, tree.end, entries), source, { ...context, report });
  const facts = toListedFacts(
    entries.map(({ name, kind, extents, target }) => ({
      name,
      kind,
      size: kind === 'file' ? toSize(extents) : undefined,
      crc32: undefined,
      isEncrypted: false,
      method: '',
      target,
    })),
    context,
  );
  return { facts, regions: [], members: () => toMembers(entries, source) };
}

function toSize(extents: readonly Extent[]): number {
  return extents.reduce((sum, { size }) => sum + size, 0);
}

/** Offset behind everything that the image says it has, in bytes. */
function findEnd(descriptors: number, tree: number, entries: readonly IsoEntry[]): number {
  let end = Math.max(descriptors, tree);
  for (const { extents } of entries) {
    for (const { offset, size } of extents) {
      if (size > 0) end = Math.max(end, offset + Math.ceil(size / isoBlockBytes) * isoBlockBytes);
    }
  }
  return end;
}

function reportEnd(end: number, source: ByteSource, context: ReadContext): void {
  const rest = source.size - end;
  if (rest < 0) {
    context.report({
      code: 'malformed/truncated',
      message: 'ends too early',
      offset: source.size,
      consequence: 'members that are not there or not whole were not looked at',
      incomplete: true,
    });
  } else if (rest > 0 && (rest > paddingBytesMax || readUpTo(source, end, rest).some((byte) => byte !== 0))) {
    reportTail(source, rest, 0, context);
  }
}

/** The part of an extent that is there. */
function clip({ offset, size }: Extent, source: ByteSource): Extent {
  const start = Math.min(offset, source.size);
  return { offset: start, size: Math.min(size, source.size - start) };
}

function reportMissing(
  entries: readonly IsoEntry[],
  source: ByteSource,
  report: (finding: Finding) => void,
): void {
  for (const { name, extents } of entries) {
    const cut = extents.find((extent) => clip(extent, source).size < extent.size);
    if (cut === undefined) continue;
    const { size: available } = clip(cut, source);
    report({
      code: available > 0 ? 'malformed/truncated' : 'malformed/out-of-range',
      message: `${toQuotedName(name)} should have ${cut.size} bytes at offset ${cut.offset}, ${available} are there`,
      offset: Math.min(cut.offset, source.size),
      consequence: available > 0 ? 'the rest of it is missing' : 'it is missing',
      incomplete: true,
    });
  }
}

/** Files may share all of their bytes, as hard links do; to share some is a disguise. */
function reportOverlaps(entries: readonly IsoEntry[], report: (finding: Finding) => void): void {
  const pieces = entries
    .flatMap(({ name, extents }) => extents.map(({ offset, size }) => ({ name, offset, size })))
    .filter(({ size }) => size > 0)
    .sort((a, b) => a.offset - b.offset || b.size - a.size);
  let furthest = pieces[0];
  for (const piece of pieces) {
    if (furthest === undefined) return;
    const isSame = piece.offset === furthest.offset && piece.size === furthest.size;
    if (!isSame && piece.offset < furthest.offset + furthest.size) {
      report({
        code: 'malformed/overlap',
        message: `${toQuotedName(piece.name)} shares bytes with ${toQuotedName(furthest.name)}`,
        offset: piece.offset,
        consequence: 'one file is a disguised part of another; both were looked at',
        incomplete: false,
      });
    }
    if (piece.offset + piece.size > furthest.offset + furthest.size) furthest = piece;
  }
}

function* toMembers(entries: readonly IsoEntry[], source: ByteSource): Generator<Member, void, void> {
  for (const entry of entries) {
    if (entry.kind !== 'file') continue;
    yield {
      name: entry.name === '' ? '[unnamed]' : entry.name,
      relation: 'file',
      content: toContent(entry, source),
    };
  }
}

function toContent({ extents, isInterleaved }: IsoEntry, source: ByteSource): MemberContent {
  const declaredSize = toSize(extents);
  if (isInterleaved) {
    return {
      kind: 'unreadable',
      finding: {
        code: 'unsupported/feature',
        message: 'is stored in pieces with gaps between them (interleaved)',
        consequence: 'its content was searched as part of the image, not as a file',
        incomplete: true,
      },
      declaredSize,
    };
  }
  const pieces = joinNeighbours(extents).map((extent) => clip(extent, source));
  const [first = { offset: 0, size: 0 }] = pieces;
  if (declaredSize > 0 && toSize(pieces) === 0) {
    return {
      kind: 'unreadable',
      finding: {
        code: 'malformed/out-of-range',
        message: `lies at offset ${extents[0]?.offset ?? 0}, behind the end of the image`,
        consequence: 'it is missing',
        incomplete: true,
      },
      declaredSize,
    };
  }
  if (pieces.length === 1) {
    return {
      kind: 'source',
      source: sliceSource(source, first.offset, first.size),
      containerOffset: first.offset,
    };
  }
  return {
    kind: 'source',
    source: chainSources(pieces.map(({ offset, size }) => sliceSource(source, offset, size))),
  };
}

/** Files above 4 GiB are in several extents that mostly lie one behind the other. */
function joinNeighbours(extents: readonly Extent[]): readonly Extent[] {
  const joined: Extent[] = [];
  for (const extent of extents) {
    const last = joined.at(-1);
    if (extent.size === 0 && last !== undefined) continue;
    if (last !== undefined && (last.size === 0 || last.offset + last.size === extent.offset)) {
      joined[joined.length - 1] =
        last.size === 0 ? extent : { offset: last.offset, size: last.size + extent.size };
    } else joined.push(extent);
  }
  return joined;
}
