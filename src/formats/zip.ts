/**
 * ZIP archives, by our own walker.
 *
 * Specification: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 * Both lists of members are read, the central directory and the local headers, and every disagreement between them
 * is a fact: a file that shows different members to different software is built to deceive some of it.
 */
import { type ByteSource, readPassing, sliceSource } from '../bytes/byte-source.ts';
import { Budget } from '../bytes/budget.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { type InflatedWhole, type InflateEnd, crc32, inflate } from '../platform/inflate.ts';
import { toQuotedName } from './member-name.ts';
import type { Fact, Finding, Format, Member, MemberContent, ReadContext, Reading } from './model.ts';
import { DecodeAhead } from './zip/decode-ahead.ts';
import {
  type ZipArchive,
  type ZipEntry,
  endsAsZip,
  readZipArchive,
  startsWithLocalHeader,
} from './zip/directory.ts';
import { endRecordBytes, flag, maximumCommentBytes, toMethodName, tryReadDescriptor } from './zip/records.ts';

export { readZipArchive, type ZipArchive, type ZipEntry } from './zip/directory.ts';

const stored = 0;
const deflated = 8;
const aes = 99;

/** How a member is encrypted, in the words of the specification; undefined when it is not. */
export function tryDescribeEncryption(entry: ZipEntry): string | undefined {
  if (entry.method === aes || (entry.aes !== undefined && (entry.flags & flag.encrypted) !== 0)) {
    return entry.aes === undefined ? 'AES' : `AES-${entry.aes.bits}`;
  }
  if ((entry.flags & flag.strongEncryption) !== 0) return 'strong encryption';
  if ((entry.flags & flag.maskedHeader) !== 0) return 'strong encryption with a masked header';
  return (entry.flags & flag.encrypted) === 0 ? undefined : 'ZipCrypto';
}

/** A folder has a name that ends in a slash and no bytes; one with bytes is read like any member. */
export function isFolder(entry: ZipEntry): boolean {
  return entry.name.endsWith('/') && entry.size === 0 && (entry.compressedSize ?? 0) <= 2;
}

/**
 * How the bytes of a member are reached. A stored member is read once, here, to check its checksum; what is wrong
 * with it is reported. A deflated one is checked while it is decoded, and its stream throws after its last byte.
 *
 * @param ahead - decodes members beside whoever looks at the ones before
 * @throws TelltaleError `limit/time`
 */
export function openZipEntry(
  source: ByteSource,
  entry: ZipEntry,
  context: ReadContext,
  ahead?: DecodeAhead,
): MemberContent {
  const declared = entry.size === undefined ? {} : { declaredSize: entry.size };
  const unreadable = (code: Finding['code'], message: string, consequence: string): MemberContent => ({
    kind: 'unreadable',
    finding: { code, message, offset: entry.headerOffset, consequence, incomplete: true },
    ...declared,
  });
  const encryption = tryDescribeEncryption(entry);
  if (encryption !== undefined) {
    return unreadable('encrypted/member', `is encrypted (${encryption})`, 'its bytes were not looked at');
  }
  if (entry.dataOffset === undefined) {
    return unreadable(
      'malformed/structure',
      'is listed, but there is no local header where the list says',
      'its bytes were not found',
    );
  }
  if (entry.method !== stored && entry.method !== deflated) {
    return unreadable(
      'unsupported/method',
      `is packed with ${toMethodName(entry.method)}, which is not read here`,
      'its bytes were not looked at',
    );
  }
  const range = sliceSource(source, entry.dataOffset, entry.available);
  if (entry.method === deflated) {
    return { kind: 'stream', open: () => decodeDeflated(source, range, entry, ahead), ...declared };
  }
  checkStored(range, entry, context);
  return { kind: 'source', source: range, containerOffset: entry.dataOffset };
}

function checkStored(range: ByteSource, entry: ZipEntry, context: ReadContext): void {
  const report = (code: Finding['code'], message: string, consequence: string): void =>
    context.report({
      code,
      message: `${toQuotedName(entry.name)} ${message}`,
      offset: entry.headerOffset,
      consequence,
      incomplete: false,
    });
  if (entry.compressedSize !== undefined && entry.available < entry.compressedSize) {
    context.report({
      code: 'malformed/truncated',
      message: `${toQuotedName(entry.name)} should have ${entry.compressedSize} bytes, ${entry.available} are there`,
      offset: entry.headerOffset,
      consequence: 'the rest of it is missing',
      incomplete: true,
    });
    return;
  }
  if (entry.size !== undefined && entry.size !== range.size) {
    report(
      'malformed/size-mismatch',
      `is stored in ${range.size} bytes, but should have ${entry.size}`,
      'software may see more or fewer bytes of it',
    );
  }
  if (entry.crc32 === undefined) {
    report(
      'malformed/checksum',
      'has no checksum',
      'whether its bytes are those that were packed is not known',
    );
    return;
  }
  let checksum = 0;
  for (const chunk of readPassing(range)) {
    context.budget.checkTime();
    checksum = crc32(chunk, checksum);
  }
  if (checksum !== entry.crc32) {
    report(
      'malformed/checksum',
      'does not have the checksum that the archive states',
      'its bytes are not those that were packed',
    );
  }
}

async function* decodeDeflated(
  source: ByteSource,
  range: ByteSource,
  entry: ZipEntry,
  ahead: DecodeAhead | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  let checksum = 0;
  let end: InflateEnd | undefined;
  const whole: InflatedWhole | undefined = await ahead?.take(entry);
  if (whole !== undefined) {
    const { bytes, consumedBytes } = whole;
    end = { consumedBytes, producedBytes: bytes.length };
    checksum = crc32(bytes);
    yield bytes;
  } else {
    const stream = inflate(range, 'raw', (at) => {
      end = at;
    });
    for await (const chunk of stream) {
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
  }
  if (end === undefined) throw new TelltaleError('internal/bug', 'a stream ended without saying where');
  const dataOffset = entry.dataOffset ?? 0;
  const stated =
    entry.crc32 !== undefined && entry.size !== undefined
      ? { crc32: entry.crc32, size: entry.size }
      : tryReadDescriptor(source, dataOffset + end.consumedBytes, end.consumedBytes);
  if (stated === undefined) {
    throw new TelltaleError(
      'malformed/checksum',
      'has no checksum: whether its bytes are those that were packed is not known',
      { offset: end.producedBytes },
    );
  }
  if (end.producedBytes !== stated.size) {
    throw new TelltaleError(
      'malformed/size-mismatch',
      `unpacks to ${end.producedBytes} bytes, but the archive states ${stated.size}`,
      { offset: end.producedBytes },
    );
  }
  if (checksum !== stated.crc32) {
    throw new TelltaleError('malformed/checksum', 'does not have the checksum that the archive states', {
      offset: end.producedBytes,
    });
  }
  if (entry.compressedSize !== undefined && end.consumedBytes < entry.compressedSize) {
    throw new TelltaleError(
      'malformed/size-mismatch',
      `has ${entry.compressedSize - end.consumedBytes} more packed bytes than it needs`,
      { offset: end.producedBytes },
    );
  }
}

function* toMembers(
  source: ByteSource,
  archive: ZipArchive,
  context: ReadContext,
): Generator<Member, void, void> {
  if (archive.prefix !== undefined) {
    const { offset, size } = archive.prefix;
    yield {
      name: '[prefix]',
      relation: 'part',
      content: { kind: 'source', source: sliceSource(source, offset, size), containerOffset: offset },
    };
  }
  const ahead = new DecodeAhead(
    source,
    archive.entries.filter(
      (entry) => entry.method === deflated && tryDescribeEncryption(entry) === undefined,
    ),
  );
  for (const entry of archive.entries) {
    if (isFolder(entry)) continue;
    const facts: Fact[] = entry.ambiguities.map((value) => ({
      kind: 'ambiguous',
      name: 'zip.ambiguous',
      value,
    }));
    const encryption = tryDescribeEncryption(entry);
    if (encryption !== undefined) facts.push({ kind: 'encrypted', value: encryption });
    yield {
      name: entry.name === '' ? '[unnamed]' : entry.name,
      relation: 'file',
      content: openZipEntry(source, entry, context, ahead),
      facts,
    };
  }
  if (archive.trailing !== undefined) {
    const { offset, size } = archive.trailing;
    yield {
      name: '[trailing]',
      relation: 'part',
      content: { kind: 'source', source: sliceSource(source, offset, size), containerOffset: offset },
    };
  }
}

function toKey(name: string, size: number, checksum: number): string {
  return `${checksum} ${size} ${name}`;
}

/**
 * Compares our view of a file on disk with that of a widely used reader.
 *
 * @returns what differs, in plain words; empty when nothing does or the archive is one that the reader cannot take
 */
async function compareWithOrdinarySoftware(
  path: string,
  source: ByteSource,
  archive: ZipArchive,
): Promise<readonly string[]> {
  const { end } = archive;
  // The reader searches the last 64 KiB only, and trusts offsets in records that ours has checked.
  if (
    end === undefined ||
    !archive.isWhole ||
    source.size - end.offset > endRecordBytes + maximumCommentBytes
  )
    return [];
  const isSane = end.directoryOffset + end.directorySize <= source.size && end.zip64 !== 'missing';
  if (!isSane || end.zip64 === 'ignored') return [];
  const listed = archive.entries.filter(({ view }) => view === 'directory');
  const { listAsOrdinarySoftware } = await import('../platform/ordinary-zip.ts');
  let theirs: Awaited<ReturnType<typeof listAsOrdinarySoftware>>;
  try {
    theirs = await listAsOrdinarySoftware(path, listed.length + 1);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  const loose = new TextDecoder('utf-8', { ignoreBOM: true });
  const ours = new Map<string, number>();
  for (const entry of listed) {
    const key = toKey(loose.decode(entry.rawName), entry.size ?? 0, entry.crc32 ?? 0);
    ours.set(key, (ours.get(key) ?? 0) + 1);
  }
  const onlyTheirs = theirs.filter((entry) => {
    const key = toKey(entry.name, entry.size, entry.crc32);
    const left = ours.get(key) ?? 0;
    if (left > 0) ours.set(key, left - 1);
    return left === 0;
  });
  const differences: string[] = [];
  if (theirs.length !== listed.length) {
    differences.push(
      `ordinary software lists ${theirs.length} members, the central directory has ${listed.length}`,
    );
  }
  const [first] = onlyTheirs;
  if (first !== undefined) {
    differences.push(
      `ordinary software sees ${toQuotedName(first.name)} with other bytes or under another name` +
        (onlyTheirs.length > 1 ? `, and ${onlyTheirs.length - 1} more` : ''),
    );
  }
  return differences;
}

export const zipFormat: Format = {
  id: 'zip',
  title: 'ZIP archive',
  nature: 'transport',
  extensions: ['zip', 'jar', 'xpi', 'nupkg', 'war', 'vsix'],
  references: [
    'https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT',
    'https://www.bamsoftware.com/hacks/zipbomb/',
    'https://libzip.org/specifications/extrafld.txt',
  ],
  limitations: [
    'Members packed with anything but Deflate are named, not read.',
    'Encrypted members are named, not read; no password is tried.',
    'Archives in several volumes: only members in the volume at hand are read.',
    'A hidden or recovered member of unknown size that itself holds ZIP members uncompressed ends at the first of these.',
  ],
  probe(head, source) {
    if (head.length < 4 || head[0] === undefined) return false;
    if (startsWithLocalHeader(source)) return true;
    // An empty archive begins with its end record; a stub may stand before any archive.
    return endsAsZip(source, new Budget(source.size)) || isEmptyArchive(head);
  },
  async read(source, context): Promise<Reading> {
    const archive = readZipArchive(source, context);
    const facts = [...archive.facts];
    if (context.file !== undefined) {
      for (const value of await compareWithOrdinarySoftware(context.file.path, source, archive)) {
        facts.push({ kind: 'ambiguous', name: 'zip.ambiguous', value });
      }
    }
    return {
      facts,
      regions: archive.regions,
      members: () => toMembers(source, archive, context),
    };
  },
};

function isEmptyArchive(head: Uint8Array): boolean {
  return (
    head.length >= endRecordBytes && head[0] === 0x50 && head[1] === 0x4b && head[2] === 5 && head[3] === 6
  );
}
