/**
 * The code signature at the end of a Mach-O program, taken apart; whether it holds is decided elsewhere.
 *
 * A SuperBlob (all numbers big-endian): an index of slots, each a blob with magic and length. Slot 0 and 0x1000 to
 * 0x1004 hold code directories, one for each digest algorithm: digests of the pages of the program, and of the
 * "special" slots (Info.plist, requirements, the seal of the bundle, entitlements). Slot 0x10000 holds the signature
 * over the first code directory.
 *
 * References: https://github.com/apple-oss-distributions/xnu (osfmk/kern/cs_blobs.h),
 * https://github.com/apple-oss-distributions/Security (OSX/libsecurity_codesigning/lib/codedirectory.h),
 * https://developer.apple.com/documentation/technotes/tn3126-inside-code-signing-hashes
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import { Cursor, cutAtZero, toHex } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { type DigestAlgorithm, toDigest } from '../../platform/digests.ts';
import type { Range } from './ranges.ts';

/** A program of 1 GiB has 9 MiB of digests by SHA-256. */
export const signatureBytesLimit = 64 * 1024 * 1024;
/** The kernel takes as many (CSB_MAX_BLOBS is 64 in newer ones). */
export const blobsLimit = 64;
/** Of one code directory. Eleven are defined. */
const specialSlotsLimit = 64;
const nameBytesLimit = 4096;

const superBlobMagic = 0xfade0cc0;
const codeDirectoryMagic = 0xfade0c02;
const wrapperMagic = 0xfade0b01;

/** Slots of the index, and with a minus sign those of the special digests. */
export const slots = {
  codeDirectory: 0,
  infoPlist: 1,
  requirements: 2,
  resources: 3,
  application: 4,
  entitlements: 5,
  diskImage: 6,
  derEntitlements: 7,
  firstAlternate: 0x1000,
  lastAlternate: 0x1005,
  signature: 0x10000,
} as const;

export const codeFlags: ReadonlyMap<number, string> = new Map([
  [0x1, 'host'],
  [0x2, 'adhoc'],
  [0x100, 'hard'],
  [0x200, 'kill'],
  [0x400, 'expires'],
  [0x800, 'restrict'],
  [0x1000, 'enforcement'],
  [0x2000, 'library-validation'],
  [0x10000, 'runtime'],
  [0x20000, 'linker-signed'],
]);

/** Digest types of code directories: algorithm, and bytes of the digest that are kept. */
const hashTypes: ReadonlyMap<number, { readonly algorithm: DigestAlgorithm; readonly bytes: number }> =
  new Map([
    [1, { algorithm: 'sha1', bytes: 20 }],
    [2, { algorithm: 'sha256', bytes: 32 }],
    [3, { algorithm: 'sha256', bytes: 20 }],
    [4, { algorithm: 'sha384', bytes: 48 }],
  ]);

/** Bytes of the digest by which the system knows a code directory. */
const cdHashBytes = 20;

export interface CodeBlob extends Range {
  readonly slot: number;
  readonly magic: number;
  /** With magic and length; `offset` counts from the start of the program. */
  readonly bytes: Uint8Array;
}

export interface CodeDirectory {
  readonly blob: CodeBlob;
  /** `0x20400` and the like. */
  readonly version: number;
  readonly flags: number;
  readonly identifier: string;
  readonly teamId: string | undefined;
  readonly hashType: number;
  /** Undefined for a type that is not known. */
  readonly algorithm: DigestAlgorithm | undefined;
  readonly hashBytes: number;
  /** Bytes in a page; 0 when all of the code is one. */
  readonly pageBytes: number;
  /** Bytes of the program from its start that the pages cover. */
  readonly codeLimit: number;
  readonly pages: number;
  /** The digests of the pages, one after the other. */
  readonly pageHashes: Uint8Array;
  /** Digests of special slots by positive number; those of only zeros, "not used", are left out. */
  readonly specialHashes: ReadonlyMap<number, Uint8Array>;
  readonly hasScatter: boolean;
  readonly platform: number;
  /** The hardened runtime that it was built for, `10.15.0`. */
  readonly runtime: string | undefined;
  readonly executableSegmentFlags: bigint | undefined;
  /** The whole digest of the code directory; its first 20 bytes are the "cdhash". Empty for an unknown algorithm. */
  readonly digest: Uint8Array;
  readonly cdHash: string;
}

export interface CodeSignature {
  /** Of the region in the program. */
  readonly place: Range;
  /** Bytes of the region that the SuperBlob takes. */
  readonly length: number;
  readonly blobs: readonly CodeBlob[];
  /** The first is that of slot 0, which the signature is over. */
  readonly directories: readonly CodeDirectory[];
  /** The CMS blob without its wrapper; undefined when there is none or an empty one. */
  readonly cms: { readonly bytes: Uint8Array; readonly offset: number } | undefined;
  readonly requirements: CodeBlob | undefined;
  readonly entitlements: CodeBlob | undefined;
  readonly derEntitlements: CodeBlob | undefined;
  /** Slots that are in the index more than once. */
  readonly repeatedSlots: readonly number[];
}

/** The content of a blob behind magic and length. */
export function toPayload({ bytes }: CodeBlob): Uint8Array {
  return bytes.subarray(8);
}

/**
 * Takes the signature of a program apart.
 *
 * @param place - of the region in the program, as the load command has it
 * @throws TelltaleError `malformed/*`, `limit/*`
 */
export function parseCodeSignature(source: ByteSource, place: Range): CodeSignature {
  if (place.size > signatureBytesLimit) {
    throw new TelltaleError('limit/memory', `the code signature has more than ${signatureBytesLimit} bytes`, {
      offset: place.offset,
    });
  }
  const region = source.read(place.offset, place.size);
  const cursor = new Cursor(region);
  const fail = (message: string, at = 0): TelltaleError =>
    new TelltaleError('malformed/structure', message, { offset: place.offset + at });
  if (cursor.u32be() !== superBlobMagic) throw fail('the code signature does not have the magic of one');
  const length = cursor.u32be();
  if (length < 12 || length > region.length) {
    throw fail(`the code signature states ${length} bytes, and has ${region.length}`);
  }
  const count = cursor.u32be();
  if (count > blobsLimit) {
    throw new TelltaleError('limit/count', `the code signature has ${count} parts, more than ${blobsLimit}`, {
      offset: place.offset,
    });
  }
  const bySlot = new Map<number, CodeBlob>();
  const repeatedSlots: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const slot = cursor.u32be();
    const offset = cursor.u32be();
    if (offset < 12 + count * 8 || offset > length - 8) {
      throw fail(`a part of the code signature lies at ${offset}, outside of it`, 12 + index * 8);
    }
    const head = new Cursor(region, offset);
    const magic = head.u32be();
    const size = head.u32be();
    if (size < 8 || size > length - offset) {
      throw fail(`a part of the code signature states ${size} bytes, which cannot be`, offset);
    }
    // The system takes the first one of a slot.
    if (bySlot.has(slot)) {
      repeatedSlots.push(slot);
      continue;
    }
    bySlot.set(slot, {
      slot,
      magic,
      offset: place.offset + offset,
      size,
      bytes: region.subarray(offset, offset + size),
    });
  }
  const blobs = [...bySlot.values()];
  const isDirectory = ({ slot }: CodeBlob): boolean =>
    slot === slots.codeDirectory || (slot >= slots.firstAlternate && slot <= slots.lastAlternate);
  const directories = blobs
    .filter(isDirectory)
    .toSorted((a, b) => a.slot - b.slot)
    .map(parseCodeDirectory);
  if (directories[0]?.blob.slot !== slots.codeDirectory)
    throw fail('the code signature has no code directory');
  const wrapper = bySlot.get(slots.signature);
  if (wrapper !== undefined && wrapper.magic !== wrapperMagic) {
    throw fail('the signature does not have the magic of one', wrapper.offset - place.offset);
  }
  return {
    place,
    length,
    blobs,
    directories,
    cms:
      wrapper === undefined || wrapper.size === 8
        ? undefined
        : { bytes: toPayload(wrapper), offset: wrapper.offset + 8 },
    requirements: bySlot.get(slots.requirements),
    entitlements: bySlot.get(slots.entitlements),
    derEntitlements: bySlot.get(slots.derEntitlements),
    repeatedSlots,
  };
}

function parseCodeDirectory(blob: CodeBlob): CodeDirectory {
  const { bytes, offset: base } = blob;
  const fail = (message: string): TelltaleError =>
    new TelltaleError('malformed/structure', `the code directory ${message}`, { offset: base });
  if (blob.magic !== codeDirectoryMagic) throw fail('does not have the magic of one');
  const cursor = new Cursor(bytes, 8);
  const version = cursor.u32be();
  if (version < 0x20000 || version >= 0x30000) {
    throw new TelltaleError(
      'unsupported/version',
      `a code directory has the version 0x${version.toString(16)}`,
      {
        offset: base,
      },
    );
  }
  const flags = cursor.u32be();
  const [hashOffset, identifierOffset, specialCount, pages] = [
    cursor.u32be(),
    cursor.u32be(),
    cursor.u32be(),
    cursor.u32be(),
  ];
  const limit32 = cursor.u32be();
  const [hashBytes, hashType, platform, pageShift] = [cursor.u8(), cursor.u8(), cursor.u8(), cursor.u8()];
  cursor.skip(4);
  const scatter = version >= 0x20100 ? cursor.u32be() : 0;
  const teamOffset = version >= 0x20200 ? cursor.u32be() : 0;
  let limit64 = 0;
  if (version >= 0x20300) {
    cursor.skip(4);
    limit64 = cursor.u64be();
  }
  let executableSegmentFlags: bigint | undefined;
  if (version >= 0x20400) {
    cursor.skip(16);
    executableSegmentFlags = (BigInt(cursor.u32be()) << 32n) | BigInt(cursor.u32be());
  }
  const runtime = version >= 0x20500 ? cursor.u32be() : 0;
  const known = hashTypes.get(hashType);
  if (hashBytes === 0 || (known !== undefined && known.bytes !== hashBytes)) {
    throw fail(`states ${hashBytes} bytes a digest for the digest type ${hashType}`);
  }
  if (pageShift > 31) throw fail(`states pages of 2^${pageShift} bytes`);
  if (specialCount > specialSlotsLimit) throw fail(`states ${specialCount} special digests`);
  if (
    hashOffset > bytes.length ||
    specialCount * hashBytes > hashOffset ||
    pages * hashBytes > bytes.length - hashOffset
  ) {
    throw fail(`has no room for its ${pages} digests`);
  }
  const specialHashes = new Map<number, Uint8Array>();
  for (let slot = 1; slot <= specialCount; slot += 1) {
    const hash = bytes.subarray(hashOffset - slot * hashBytes, hashOffset - (slot - 1) * hashBytes);
    if (hash.some((byte) => byte !== 0)) specialHashes.set(slot, hash);
  }
  const digest = known === undefined ? new Uint8Array(0) : toDigest(known.algorithm, bytes);
  return {
    blob,
    version,
    flags,
    identifier: readName(bytes, identifierOffset),
    teamId: teamOffset === 0 ? undefined : readName(bytes, teamOffset),
    hashType,
    algorithm: known?.algorithm,
    hashBytes,
    pageBytes: pageShift === 0 ? 0 : 2 ** pageShift,
    codeLimit: limit64 === 0 ? limit32 : limit64,
    pages,
    pageHashes: bytes.subarray(hashOffset, hashOffset + pages * hashBytes),
    specialHashes,
    hasScatter: scatter !== 0,
    platform,
    runtime: runtime === 0 ? undefined : `${runtime >>> 16}.${(runtime >>> 8) & 0xff}.${runtime & 0xff}`,
    executableSegmentFlags,
    digest,
    cdHash: toHex(digest.subarray(0, cdHashBytes)),
  };
}

function readName(bytes: Uint8Array, offset: number): string {
  const cursor = new Cursor(bytes, offset);
  return new TextDecoder('utf-8').decode(cutAtZero(cursor.bytes(Math.min(cursor.remaining, nameBytesLimit))));
}

/** The names of the flags of a code directory. */
export function toFlagNames(flags: number): readonly string[] {
  return [...codeFlags].filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}
