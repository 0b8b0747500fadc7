/**
 * Apple disk images (UDIF, `.dmg`).
 *
 * The trailer `koly`, a property list, and in it for each partition a table of chunks that are empty, stored or packed.
 * Chunks packed with zlib are unpacked by native zlib. An HFS+ volume in which everything is in order is read here; any
 * other volume is read by 7-Zip, as if the partition were a file. Everything else about an image is read by 7-Zip as a
 * whole: other methods (bzip2, LZMA, LZFSE, ADC), several partitions with files, tables in a resource fork, and whatever
 * is not in order, which it tells.
 *
 * Reference: https://newosxbook.com/DMG.html
 */
import { type ByteSource, readPassing, readUpTo } from '../../bytes/byte-source.ts';
import { type ErrorCode, TelltaleError } from '../../bytes/errors.ts';
import { crc32 } from '../../platform/inflate.ts';
import { listFiles, toVolumeFacts, tryReadPlainVolume } from '../hfsplus/index.ts';
import { FoundFault, type Finding, type Format, type ReadContext, type Reading } from '../model.ts';
import { has, hasFar, isoDescriptorOffset, udifTrailerBytes } from '../recognised.ts';
import { readWithSevenZip, sevenZipLimitations } from '../sevenzip/index.ts';
import { parseUdif, type UdifImage } from './image.ts';
import { UdifPartition } from './partition.ts';

const headBytes = 4096;

export const udifFormat: Format = {
  id: 'udif',
  title: 'Apple disk image',
  nature: 'transport',
  extensions: ['dmg', 'smi'],
  references: ['https://newosxbook.com/DMG.html'],
  limitations: [
    'The volume in the image is opened in one step; partition maps and drivers beside it are not yielded.',
    'The checksum of the partition is checked when all of its chunks are stored or packed with zlib.',
    ...sevenZipLimitations,
  ],
  // The trailer is the only mark: the file itself often begins with a zlib stream.
  probe: (_head, source) => hasFar(source, 'koly\0\0\0\x04', source.size - udifTrailerBytes),
  read,
};

/** @throws TelltaleError when nothing could be listed */
async function read(source: ByteSource, context: ReadContext): Promise<Reading> {
  return (await tryReadPartition(source, context)) ?? (await readWhole(source, context));
}

/** The image as 7-Zip reads it. */
function readWhole(source: ByteSource, context: ReadContext): Promise<Reading> {
  return readWithSevenZip({ type: undefined, archiveName: 'archive.dmg' }, source, context);
}

/** What 7-Zip calls the volume; undefined when it is another, or may be two at once. */
function tryFindVolumeType(partition: ByteSource): string | undefined {
  const head = readUpTo(partition, 0, headBytes);
  const types: readonly (readonly [string, boolean])[] = [
    ['hfs', has(head, 'H+\0\x04', 1024) || has(head, 'HX\0\x05', 1024) || has(head, 'BD', 1024)],
    ['apfs', has(head, 'NXSB', 32)],
    ['iso', hasFar(partition, 'CD001', isoDescriptorOffset)],
  ];
  const [first, second] = types.filter(([, isThere]) => isThere);
  return second === undefined ? first?.[0] : undefined;
}

/** Undefined when the image is better left to 7-Zip, which says what it thinks of it. @throws TelltaleError `limit/*` */
async function tryReadPartition(source: ByteSource, context: ReadContext): Promise<Reading | undefined> {
  const findings: Finding[] = [];
  try {
    const image = parseUdif(source, context.budget);
    const partition = new UdifPartition(source, image.table);
    const type = tryFindVolumeType(partition);
    if (type === undefined) return undefined;
    if (type === 'hfs') {
      const reading = tryReadVolume(image, partition, context);
      if (reading !== undefined) return reading;
    }
    let report = (finding: Finding): void => void findings.push(finding);
    const reading = await readWithSevenZip({ type, isPartition: true }, partition, {
      ...context,
      report: (finding) => report(finding),
    });
    if (findings.some(({ code, incomplete }) => incomplete && !code.startsWith('limit/'))) return undefined;
    report = context.report.bind(context);
    for (const finding of findings) report(finding);
    return { ...reading, pour: (sink, from) => pour(reading, { image, partition, sink, from }, context) };
  } catch (error) {
    if (!(error instanceof TelltaleError) || !isAboutImage(error.code)) throw error;
    return undefined;
  }
}

/** An HFS+ volume in which everything is in order: its files are unpacked as they are asked for, and a little ahead. */
function tryReadVolume(
  image: UdifImage,
  partition: UdifPartition,
  context: ReadContext,
): Reading | undefined {
  const volume = tryReadPlainVolume(partition, context);
  if (volume === undefined) return undefined;
  const facts = toVolumeFacts(volume, context);
  return {
    facts,
    regions: [],
    async *members() {
      const files = listFiles(volume);
      const readFile = partition.readAhead(files.map(({ extents }) => extents));
      try {
        for (const [number, { path, size }] of files.entries()) {
          const open = (): AsyncIterable<Uint8Array> => toWholeOrFault(readFile(number));
          yield { name: path, relation: 'file', content: { kind: 'stream', open, declaredSize: size } };
        }
      } finally {
        partition.close();
      }
      checkSums(image, partition, context);
    },
  };
}

/** The bytes of a file as far as they can be unpacked; that they end there is told in the words of 7-Zip's way. */
async function* toWholeOrFault(
  chunks: AsyncGenerator<Uint8Array, void, void>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* chunks;
  } catch (error) {
    if (!(error instanceof TelltaleError && error.code === 'malformed/compressed-data')) throw error;
    const { code, message } = error;
    throw new FoundFault({
      code,
      message,
      consequence: 'what could be unpacked of it was searched, the rest was not',
      incomplete: true,
    });
  }
}

/** Whether 7-Zip may fare better; not when time is up or the file cannot be read. */
function isAboutImage(code: ErrorCode): boolean {
  return /^(?:malformed\/|unsupported\/|limit\/(?:memory|count|depth)$)/.test(code);
}

interface Pouring {
  readonly image: UdifImage;
  readonly partition: UdifPartition;
  readonly sink: Parameters<NonNullable<Reading['pour']>>[0];
  readonly from: number;
}

async function pour(
  reading: Reading,
  { image, partition, sink, from }: Pouring,
  context: ReadContext,
): Promise<number | undefined> {
  let isWanted = true;
  const next = await reading.pour?.(
    {
      begin(member, declaredSize) {
        const inflow = sink.begin(member, declaredSize);
        if (inflow === 'later' || inflow === 'stop') isWanted = false;
        return inflow;
      },
      refuse: (member, finding, declaredSize) => sink.refuse(member, finding, declaredSize),
    },
    from,
  );
  if (next === undefined && isWanted) checkSums(image, partition, context);
  return next;
}

/** Compares what was read with the checksums of the image, once all members were poured. */
function checkSums(image: UdifImage, partition: UdifPartition, context: ReadContext): void {
  const isRight = (): boolean => {
    let sum = 0;
    if (image.packedCrc !== undefined) {
      for (const chunk of readPassing(image.packed)) {
        context.budget.checkTime();
        sum = crc32(chunk, sum);
      }
      if (sum !== image.packedCrc) return false;
    }
    try {
      return partition.hasStatedChecksum(context.budget);
    } catch (error) {
      if (error instanceof TelltaleError && error.code === 'malformed/compressed-data') return false;
      throw error;
    }
  };
  if (isRight()) return;
  context.report({
    code: 'malformed/checksum',
    message: 'does not have the checksum that the container states',
    consequence: 'members that are not there or not whole were not looked at',
    incomplete: true,
  });
}
