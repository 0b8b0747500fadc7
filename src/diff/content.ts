import { type ByteSource, sliceSource } from '../bytes/byte-source.ts';
import { measureEntropy } from '../formats/pe/entropy.ts';
import type { Artifact } from '../scan/model.ts';
import { compareBytes } from './bytes.ts';
import type { ByteChanges, RegionChange, ResourceChange, StringChanges, StringList } from './model.ts';
import type { ByteSpan } from './printable-runs.ts';
import { compareRegions, compareResources } from './regions.ts';
import { compareStrings, type StringSide } from './strings.ts';

/** An artifact with its bytes. */
export interface Bytes {
  readonly artifact: Artifact;
  readonly source: ByteSource;
}

/** What the bytes of a member say. */
export interface ContentChange {
  readonly regions: readonly RegionChange[];
  readonly resources: readonly ResourceChange[];
  readonly strings: StringChanges | null;
  readonly bytes: ByteChanges | null;
}

/**
 * Compares the bytes of two members, or lists what is worth knowing in a member of one side.
 *
 * @throws TelltaleError `limit/time`, through `checkTime`; what the sources throw
 */
export function compareContent(
  before: Bytes | undefined,
  after: Bytes | undefined,
  checkTime: () => void,
): ContentChange {
  const left = before === undefined ? undefined : toStringSide(before);
  const right = after === undefined ? undefined : toStringSide(after);
  if (before === undefined || after === undefined) {
    const all = left === undefined && right === undefined ? null : compareStrings(left, right, checkTime);
    return {
      regions: [],
      resources: [],
      strings: all && { came: toAddresses(all.came), went: toAddresses(all.went), cutShort: all.cutShort },
      bytes: null,
    };
  }
  return {
    regions: compareRegions(before, after, checkTime),
    resources: compareResources(before, after, checkTime),
    strings: left === undefined || right === undefined ? null : compareStrings(left, right, checkTime),
    bytes: compareBytes(toPlaced(before), toPlaced(after), checkTime),
  };
}

function toPlaced({ artifact, source }: Bytes): Parameters<typeof compareBytes>[0] {
  return { source, regions: artifact.regions };
}

/** From here on, bytes are compressed or encrypted, and what looks like a string in them is chance. */
const opaqueEntropyBits = 7;
const entropyBytes = 1 << 20;
/** Over fewer bytes entropy says nothing. */
const fewestBytes = 1024;
const regionsMeasured = 500;

/**
 * Undefined where strings would be chance: in archives, in packed programs and in unknown compressed data. Those of an
 * archive are told for its members, those of a packed program for its unpacked form. Packed sections and streams are left
 * out of the search.
 */
function toStringSide({ artifact, source }: Bytes): StringSide | undefined {
  const { format, members, regions } = artifact;
  if (format.nature === 'transport' || members.some(({ relation }) => relation === 'image')) return undefined;
  if (format.id === 'data' && isOpaque({ offset: 0, size: source.size }, source)) return undefined;
  const stored = members.flatMap(({ containerOffset, size }): readonly ByteSpan[] =>
    containerOffset === undefined || size === undefined ? [] : [{ offset: containerOffset, size }],
  );
  const without = regions.filter(
    (region, index) =>
      region.name === 'certificate table' || (index < regionsMeasured && isOpaque(region, source)),
  );
  return { source, without: [...stored, ...without], regions };
}

function isOpaque({ offset, size }: ByteSpan, source: ByteSource): boolean {
  if (size < fewestBytes || offset + size > source.size) return false;
  return measureEntropy(sliceSource(source, offset, size), entropyBytes) > opaqueEntropyBits;
}

/** Every string of a member that only one side has is new: its addresses are what a person looks for. */
function toAddresses({ listed }: StringList): StringList {
  const addresses = listed.filter(({ kind }) => kind !== 'text');
  return { total: addresses.length, listed: addresses };
}
