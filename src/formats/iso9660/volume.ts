/** The volume descriptors of an ISO 9660 image, and the images that a computer may start from (El Torito). */
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { Cursor, cutAtZero, toLatin1 } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import type { Finding } from '../model.ts';

/** Bytes of a sector, and of a logical block: other sizes are allowed, and nobody uses them. */
export const isoBlockBytes = 2048;
const firstDescriptorOffset = 16 * isoBlockBytes;
/** Real images have three to five. */
const descriptorsMax = 64;
const bootEntriesMax = 256;
const bootEntryBytes = 32;

/** A directory, as its record or the volume descriptor gives it. */
export interface DirectoryPlace {
  /** Number of its first block. */
  readonly location: number;
  /** In bytes. */
  readonly size: number;
}

export interface IsoVolume {
  readonly root: DirectoryPlace;
  /** Names are UCS-2, and directories as deep as they like. */
  readonly isJoliet: boolean;
}

/** An image to start from. */
export interface BootImage {
  readonly name: string;
  /** From the start of the disc image, in bytes. */
  readonly offset: number;
  /** As the catalogue has it, or to the end of the disc. */
  readonly size: number;
}

export interface IsoDescriptors {
  /** Whose tree is read. */
  readonly main: IsoVolume;
  /** End of the descriptors and of the volumes that they describe, in bytes. */
  readonly end: number;
  /** Block of the boot catalogue. */
  readonly bootCatalogue: number | undefined;
  /** Numbers whose two forms are not the same. */
  readonly disagreements: number;
}

/** A number that is there in both byte orders; what software reads is the first. */
export function readBoth32(cursor: Cursor): { readonly value: number; readonly agrees: boolean } {
  const value = cursor.u32();
  return { value, agrees: cursor.u32be() === value };
}

/** `%/@`, `%/C` or `%/E`: UCS-2 of three levels. */
function isJoliet(descriptor: Uint8Array): boolean {
  const [first, second, third = 0] = descriptor.subarray(88, 91);
  return (
    ((descriptor[7] ?? 0) & 1) === 0 &&
    first === 0x25 &&
    second === 0x2f &&
    [0x40, 0x43, 0x45].includes(third)
  );
}

/**
 * Reads the volume descriptors (ECMA-119 section 8) and chooses the volume to read: Joliet, where there is one.
 *
 * @throws TelltaleError `malformed/header`, `unsupported/version`, `unsupported/feature`
 */
export function readDescriptors(source: ByteSource): IsoDescriptors {
  const volumes: IsoVolume[] = [];
  let bootCatalogue: number | undefined;
  let disagreements = 0;
  let end = 0;
  for (let index = 0; ; index += 1) {
    const offset = firstDescriptorOffset + index * isoBlockBytes;
    const descriptor = readUpTo(source, offset, isoBlockBytes);
    if (
      index >= descriptorsMax ||
      descriptor.length < isoBlockBytes ||
      toLatin1(descriptor.subarray(1, 6)) !== 'CD001'
    ) {
      throw new TelltaleError('malformed/header', 'has volume descriptors without an end', { offset });
    }
    if ((descriptor[6] ?? 0) > 2) {
      throw new TelltaleError('unsupported/version', 'has a volume descriptor of an unknown version', {
        offset: offset + 6,
      });
    }
    end = Math.max(end, offset + isoBlockBytes);
    const kind = descriptor[0];
    if (kind === 255) break;
    if (kind === 0) bootCatalogue = tryReadBootRecord(descriptor) ?? bootCatalogue;
    if (kind !== 1 && kind !== 2) continue;
    const cursor = new Cursor(descriptor, 80);
    const space = readBoth32(cursor);
    const block = cursor.seek(128).u16();
    if (block !== isoBlockBytes) {
      throw new TelltaleError('unsupported/feature', `has blocks of ${block} bytes`, {
        offset: offset + 128,
      });
    }
    const location = readBoth32(cursor.seek(156 + 2));
    const size = readBoth32(cursor);
    disagreements += [space, location, size].filter(({ agrees }) => !agrees).length;
    end = Math.max(end, space.value * isoBlockBytes);
    volumes.push({
      // An extended attribute record stands in front of the directory.
      root: { location: location.value + (descriptor[157] ?? 0), size: size.value },
      // Some writers leave the mark of Joliet in the primary descriptor as well.
      isJoliet: kind === 2 && isJoliet(descriptor),
    });
  }
  const main = volumes.findLast((volume, index) => volume.isJoliet || index === 0);
  if (main === undefined) {
    throw new TelltaleError('malformed/header', 'has no volume descriptor', {
      offset: firstDescriptorOffset,
    });
  }
  return { main, end, bootCatalogue, disagreements };
}

function tryReadBootRecord(descriptor: Uint8Array): number | undefined {
  const system = toLatin1(cutAtZero(descriptor.subarray(7, 39)));
  return system === 'EL TORITO SPECIFICATION' ? new Cursor(descriptor, 71).u32() : undefined;
}

const mediaNames = ['NoEmul', '1.2M', '1.44M', '2.88M', 'HardDisk'] as const;
const floppyBytes: readonly number[] = [0, 1200 * 1024, 1440 * 1024, 2880 * 1024];

interface BootEntry {
  readonly isBootable: boolean;
  readonly media: number;
  readonly sectors: number;
  readonly block: number;
  /** Language and version, in the form that IBM used. */
  readonly remark: string;
}

/** @throws TelltaleError `malformed/structure` when it is no entry */
function parseBootEntry(bytes: Uint8Array, offset: number): BootEntry {
  const mark = bytes[0];
  if (bytes.length < bootEntryBytes || bytes[5] !== 0 || (mark !== 0x88 && mark !== 0)) {
    throw new TelltaleError('malformed/structure', 'has a boot catalogue with an entry that is none', {
      offset,
    });
  }
  const cursor = new Cursor(bytes, 6);
  const sectors = cursor.u16();
  const block = cursor.u32();
  const vendor = bytes.subarray(12, bootEntryBytes);
  const hasRemark = vendor[0] === 1 && vendor.every((byte) => byte < 0x80);
  return {
    isBootable: mark === 0x88,
    media: bytes[1] ?? 0,
    sectors,
    block,
    remark: hasRemark ? toLatin1(cutAtZero(vendor.subarray(1))).replaceAll(/[/\\]/g, '_') : '',
  };
}

/** The entries as they stand one after the other; a fault ends the reading and is reported. */
function readBootEntries(source: ByteSource, block: number, report: (finding: Finding) => void): BootEntry[] {
  const entries: BootEntry[] = [];
  let offset = block * isoBlockBytes;
  const next = (): Uint8Array => {
    const bytes = source.read(offset, bootEntryBytes);
    offset += bootEntryBytes;
    return bytes;
  };
  try {
    checkValidationEntry(next(), offset - bootEntryBytes);
    entries.push(parseBootEntry(next(), offset - bootEntryBytes));
    for (let isLast = false; !isLast; ) {
      const header = next();
      if (header[0] !== 0x90 && header[0] !== 0x91) break;
      isLast = header[0] === 0x91;
      for (let left = new Cursor(header, 2).u16(); left > 0; left -= 1) {
        if (entries.length >= bootEntriesMax) {
          throw new TelltaleError('limit/count', `has more than ${bootEntriesMax} images to start from`, {
            offset,
          });
        }
        const entry = parseBootEntry(next(), offset - bootEntryBytes);
        entries.push(entry);
        // Extensions of the entry, each of which says whether one more follows.
        for (let goesOn = (entry.media & 0x20) !== 0; goesOn; ) {
          const extension = next();
          goesOn = extension[0] === 0x44 && ((extension[1] ?? 0) & 0x20) !== 0;
        }
      }
    }
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    report({
      code: error.code,
      message: error.message,
      offset: error.offset ?? Math.min(offset, source.size),
      consequence: 'images to start from may be missing among the members',
      incomplete: true,
    });
  }
  return entries;
}

/** @throws TelltaleError `malformed/structure` */
function checkValidationEntry(bytes: Uint8Array, offset: number): void {
  const cursor = new Cursor(bytes);
  let sum = 0;
  for (let word = 0; word < bootEntryBytes / 2; word += 1) sum += cursor.u16();
  if (bytes[0] === 1 && bytes[30] === 0x55 && bytes[31] === 0xaa && (sum & 0xffff) === 0) return;
  throw new TelltaleError('malformed/structure', 'has a boot catalogue whose checksum does not hold', {
    offset,
  });
}

/**
 * The images of a boot catalogue, called as 7-Zip calls them.
 *
 * Specification: https://pdos.csail.mit.edu/6.828/2014/readings/boot-cdrom.pdf; UEFI section 13.3.2.1: a count of 0 or 1
 * means that the image goes on to the end of the disc, because the field cannot hold more than 32 MiB.
 */
export function readBootImages(
  source: ByteSource,
  catalogue: number,
  report: (finding: Finding) => void,
): readonly BootImage[] {
  const entries = readBootEntries(source, catalogue, report);
  const open = entries
    .filter(({ sectors, media }) => sectors <= 1 && media === 0)
    .reduce<BootEntry | undefined>(
      (last, one) => (last === undefined || one.block >= last.block ? one : last),
      undefined,
    );
  return entries.map((entry, index) => {
    const { isBootable, media, sectors, block, remark } = entry;
    const offset = block * isoBlockBytes;
    const rest = Math.max(0, source.size - offset);
    const stated = floppyBytes[media] || sectors * 512;
    const number = entries.length === 1 ? '' : `${index + 1}-`;
    const kind = `${isBootable ? 'Boot' : 'NotBoot'}-${mediaNames[media] ?? media}`;
    return {
      name: `[BOOT]/${number}${kind}${remark === '' ? '' : `-${remark}`}.img`,
      offset,
      size: offset < source.size && (entry === open || rest < stated) ? rest : stated,
    };
  });
}
