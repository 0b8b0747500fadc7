/**
 * tar archives: ustar, GNU and pax.
 *
 * Specification: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html (ustar and pax),
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html (GNU).
 */
import { type ByteSource, readUpTo, sliceSource } from '../bytes/byte-source.ts';
import { cutAtZero, toLatin1 } from '../bytes/cursor.ts';
import { toQuotedName, tryFindUnsafeName } from './member-name.ts';
import type { Fact, Format, Member, ReadContext, StoredMembers } from './model.ts';
import { decodeZipText } from './zip/records.ts';

const blockBytes = 512;
/** A long name or a pax header; real ones have a few hundred bytes. */
const extensionBytes = 1024 * 1024;

/** One member; offsets and sizes in bytes. */
export interface TarEntry {
  readonly name: string;
  /** One character: `0` file, `5` folder, `2` symbolic link, ... */
  readonly type: string;
  readonly headerOffset: number;
  readonly dataOffset: number;
  readonly size: number;
  /** Bytes of the data that are there. */
  readonly available: number;
}

/** The checksum counts the header's bytes with its own field as blanks; old software summed them as signed. */
export function hasTarChecksum(header: Uint8Array): boolean {
  if (header.length < blockBytes) return false;
  const stated = tryParseNumber(header.subarray(148, 156));
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < blockBytes; i += 1) {
    const byte = i >= 148 && i < 156 ? 0x20 : (header[i] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return stated !== undefined && (stated === unsigned || stated === signed);
}

/** Octal digits, or base 256 when the first bit is set (GNU). */
function tryParseNumber(field: Uint8Array): number | undefined {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    let value = (field[0] ?? 0) & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const text = toLatin1(cutAtZero(field)).trim();
  if (text === '') return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

/** The records of a pax header: `length key=value\n`. */
function parsePax(bytes: Uint8Array): Map<string, string> {
  const values = new Map<string, string>();
  let position = 0;
  while (position < bytes.length) {
    const blank = bytes.indexOf(0x20, position);
    const length = blank < 0 ? 0 : Number(toLatin1(bytes.subarray(position, Math.min(blank, position + 10))));
    if (!Number.isSafeInteger(length) || length <= blank - position || position + length > bytes.length)
      break;
    const record = bytes.subarray(blank + 1, position + length - 1);
    const equals = record.indexOf(0x3d);
    if (equals > 0)
      values.set(toLatin1(record.subarray(0, equals)), decodeZipText(record.subarray(equals + 1)));
    position += length;
  }
  return values;
}

/**
 * The entries of an archive in stored order, lazily. Damage is reported and ends the reading.
 *
 * @throws TelltaleError `limit/time`
 */
export function* readTarEntries(source: ByteSource, context: ReadContext): Generator<TarEntry, void, void> {
  const { budget } = context;
  let position = 0;
  let longName: string | undefined;
  let pax = new Map<string, string>();
  for (let count = 0; ; count += 1) {
    if (count % 256 === 0) budget.checkTime();
    if (count >= budget.limits.members) {
      context.report({
        code: 'limit/members',
        message: `holds more than ${budget.limits.members} members`,
        offset: position,
        consequence: 'the rest was not looked at',
        incomplete: true,
      });
      return;
    }
    const header = readUpTo(source, position, blockBytes);
    if (header.length < blockBytes) {
      context.report({
        code: 'malformed/truncated',
        message: 'ends without its end mark',
        offset: source.size,
        consequence: 'members that followed are missing, if there were any',
        incomplete: true,
      });
      return;
    }
    if (header.every((byte) => byte === 0)) {
      reportTrailing(source, position, context);
      return;
    }
    const size = tryParseNumber(header.subarray(124, 136));
    if (!hasTarChecksum(header) || size === undefined) {
      context.report({
        code: 'malformed/checksum',
        message: 'has a header whose checksum does not hold',
        offset: position,
        consequence: 'this member and those behind it were not looked at',
        incomplete: true,
      });
      return;
    }
    const type = toType(header);
    const paxSize = Number(pax.get('size') ?? size);
    const isExtension = type === 'L' || type === 'K' || type === 'x' || type === 'g';
    const dataSize = isExtension || !Number.isSafeInteger(paxSize) || paxSize < 0 ? size : paxSize;
    const dataOffset = position + blockBytes;
    const available = hasData(type) ? Math.max(0, Math.min(dataSize, source.size - dataOffset)) : 0;
    if (isExtension) {
      const bytes = readUpTo(source, dataOffset, Math.min(available, extensionBytes));
      if (type === 'L') longName = decodeZipText(cutAtZero(bytes));
      else if (type === 'x') pax = parsePax(bytes);
    } else {
      const isUstar = toLatin1(header.subarray(257, 262)) === 'ustar';
      const shortName = decodeZipText(cutAtZero(header.subarray(0, 100)));
      // GNU uses the prefix field for other things; its magic is "ustar " with a blank.
      const prefix = isUstar && header[262] === 0 ? decodeZipText(cutAtZero(header.subarray(345, 500))) : '';
      const name = pax.get('path') ?? longName ?? (prefix === '' ? shortName : `${prefix}/${shortName}`);
      if (hasData(type) && available < dataSize) {
        context.report({
          code: 'malformed/truncated',
          message: `${toQuotedName(name)} should have ${dataSize} bytes, ${available} are there`,
          offset: dataOffset,
          consequence: 'the rest of it and members behind it are missing',
          incomplete: true,
        });
      }
      if (type === 'S' || pax.has('GNU.sparse.major')) {
        context.report({
          code: 'unsupported/feature',
          message: `${toQuotedName(name)} is stored with holes`,
          offset: position,
          consequence: 'it was looked at without its holes, so its digest is not that of the file',
          incomplete: true,
        });
      }
      yield { name, type, headerOffset: position, dataOffset, size: dataSize, available };
      longName = undefined;
      pax = new Map();
    }
    if (hasData(type) && dataOffset + dataSize > source.size) return;
    position = dataOffset + (hasData(type) ? toWholeBlocks(dataSize) : 0);
  }
}

function reportTrailing(source: ByteSource, end: number, context: ReadContext): void {
  for (let offset = end; offset < source.size; offset += 65_536) {
    context.budget.checkTime();
    if (readUpTo(source, offset, 65_536).some((byte) => byte !== 0)) {
      context.report({
        code: 'malformed/structure',
        message: 'has data behind its end mark',
        offset,
        consequence: 'ordinary software does not show it; it was searched as bytes, not unpacked',
        incomplete: true,
      });
      return;
    }
  }
}

/** Whether a type is one of folders, links and devices: they have a name and no bytes. */
function hasData(type: string): boolean {
  return !/[1-6]/.test(type);
}

function toType(header: Uint8Array): string {
  return String.fromCharCode(header[156] ?? 0);
}

function toWholeBlocks(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

/** Sizes that stand in a pax header, before the one of a file, are not seen here. */
const storedMembers: StoredMembers = {
  start: 0,
  headerBytes: blockBytes,
  parse(header) {
    const stated = tryParseNumber(header.subarray(124, 136));
    // The header that ends the archive has a wrong checksum too.
    if (stated === undefined || !hasTarChecksum(header)) return undefined;
    const size = hasData(toType(header)) ? stated : 0;
    return { memberBytes: size, bytesToNext: toWholeBlocks(size) };
  },
};

export const tarFormat: Format = {
  id: 'tar',
  title: 'tar archive',
  nature: 'transport',
  extensions: ['tar'],
  references: [
    'https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html',
    'https://www.gnu.org/software/tar/manual/html_node/Standard.html',
  ],
  limitations: [
    'Folders, links and devices are named, not yielded.',
    'Sparse members are read without their holes.',
    'A header whose checksum does not hold ends the reading.',
  ],
  probe(head) {
    return head.length >= blockBytes && head[0] !== 0 && hasTarChecksum(head.subarray(0, blockBytes));
  },
  storedMembers,
  read(source, context) {
    const facts: Fact[] = [];
    const entries = [...readTarEntries(source, context)];
    for (const entry of entries) {
      facts.push({ kind: 'memberName', value: entry.name, offset: entry.headerOffset });
      const unsafe = tryFindUnsafeName(entry.name, entry.headerOffset);
      if (unsafe !== undefined) context.report(unsafe);
    }
    return {
      facts,
      regions: [],
      members: (): Iterable<Member> =>
        entries
          .filter(({ type }) => hasData(type))
          .map((entry) => ({
            name: entry.name,
            relation: 'file',
            content: {
              kind: 'source',
              source: sliceSource(source, Math.min(entry.dataOffset, source.size), entry.available),
              containerOffset: entry.dataOffset,
            },
          })),
    };
  },
};
