/**
 * What a ZIP file holds, by both of its lists: the central directory, which ordinary software believes, and the
 * local headers, which streaming software believes. Where the two disagree, that is said.
 */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { toQuotedName, tryDescribeUnsafeName } from '../member-name.ts';
import type { Fact, ReadContext, Region } from '../model.ts';
import {
  type CentralRecord,
  type EndRecord,
  type EntryHeader,
  centralSignature,
  decodeZipText,
  descriptorSignature,
  digitalSignatureSignature,
  endRecordBytes,
  findEndRecordsBackward,
  findRecords,
  flag,
  localSignature,
  maximumCommentBytes,
  toMethodName,
  tryReadCentralRecord,
  tryReadDescriptor,
  tryReadEndRecord,
  tryReadLocalHeader,
  tryReadSignature,
} from './records.ts';

/** Bytes of names and extra fields that a directory may have; they are kept while the archive is read. */
const maximumDirectoryBytes = 512 * 1024 * 1024;
/** End records that are weighed against each other. */
const maximumEndRecords = 16;
/** Regions for bytes that belong to nothing. */
const maximumGapRegions = 256;
const signingBlockMagic = 'APK Sig Block 42';

/** One member, by one of its two descriptions. Sizes and checksum are claims; undefined when nothing states them. */
export interface ZipEntry {
  readonly name: string;
  readonly rawName: Uint8Array;
  /** `directory`: as the central directory has it. `local`: as only its local header has it. */
  readonly view: 'directory' | 'local';
  readonly flags: number;
  readonly method: number;
  readonly crc32: number | undefined;
  readonly compressedSize: number | undefined;
  readonly size: number | undefined;
  /** Offset of the local header in the source. */
  readonly headerOffset: number;
  /** Offset of the data in the source; undefined when there is no local header. */
  readonly dataOffset: number | undefined;
  /** Bytes from there that may belong to the data: the stated size, or up to what comes next. */
  readonly available: number;
  readonly aes: EntryHeader['aes'];
  readonly externalAttributes: number;
  /** How the local header contradicts the directory, or why the directory does not have it. */
  readonly ambiguities: readonly string[];
}

/** A ZIP file taken apart; offsets count from the start of the source. */
export interface ZipArchive {
  /** In the order in which they lie in the file. */
  readonly entries: readonly ZipEntry[];
  readonly facts: readonly Fact[];
  readonly regions: readonly Region[];
  readonly comment: string;
  readonly prefix: { readonly offset: number; readonly size: number } | undefined;
  readonly trailing: { readonly offset: number; readonly size: number } | undefined;
  /** The end record that was believed; undefined when the archive was recovered from local headers. */
  readonly end: EndRecord | undefined;
  /** What has to be added to the offsets that the archive states. */
  readonly baseOffset: number;
  /** Every entry of the directory was read. */
  readonly isWhole: boolean;
}

interface Directory {
  readonly end: EndRecord;
  /** Offset in the source. */
  readonly start: number;
  readonly baseOffset: number;
  readonly otherStart: number | undefined;
}

/** Counts findings of one kind, so that a thousand of them become one line. */
class Tally {
  readonly #kinds = new Map<string, { count: number; first: string; offset: number }>();

  add(kind: string, name: string, offset: number): void {
    const known = this.#kinds.get(kind);
    if (known === undefined) this.#kinds.set(kind, { count: 1, first: toQuotedName(name), offset });
    else known.count += 1;
  }

  *[Symbol.iterator](): Generator<{ kind: string; text: string; offset: number }> {
    for (const [kind, { count, first, offset }] of this.#kinds) {
      yield { kind, text: count === 1 ? first : `${first} and ${count - 1} more`, offset };
    }
  }
}

/**
 * Finds the directory that an end record means. The stated offset counts from where the archive believes to
 * start; behind a stub that is not the start of the source, and the directory lies right before its end record.
 */
function tryFindDirectory(source: ByteSource, end: EndRecord): Directory | undefined {
  const isDirectoryAt = (offset: number): boolean =>
    offset >= 0 && offset < end.tailOffset && tryReadSignature(source, offset) === centralSignature;
  const computed = end.tailOffset - end.directorySize;
  if (end.entries === 0 && end.directorySize === 0) {
    return {
      end,
      start: end.tailOffset,
      baseOffset: end.tailOffset - end.directoryOffset,
      otherStart: undefined,
    };
  }
  if (isDirectoryAt(computed)) {
    const other = end.directoryOffset;
    return {
      end,
      start: computed,
      baseOffset: computed - end.directoryOffset,
      otherStart: other !== computed && isDirectoryAt(other) ? other : undefined,
    };
  }
  if (end.isDirectoryEncrypted && computed >= 0) {
    return { end, start: computed, baseOffset: computed - end.directoryOffset, otherStart: undefined };
  }
  if (isDirectoryAt(end.directoryOffset)) {
    return { end, start: end.directoryOffset, baseOffset: 0, otherStart: undefined };
  }
  return undefined;
}

/** The end records that lead to a directory, from the end of the source; the first is what most software takes. */
function findDirectories(source: ByteSource, budget: Budget): Directory[] {
  const found: Directory[] = [];
  const tail = Math.max(0, source.size - endRecordBytes - maximumCommentBytes);
  let seen = 0;
  const look = (from: number, to: number, wanted: number): void => {
    for (const offset of findEndRecordsBackward(source, from, to, budget)) {
      const end = tryReadEndRecord(source, offset);
      if (end === undefined) continue;
      seen += 1;
      const directory = tryFindDirectory(source, end);
      if (directory !== undefined) found.push(directory);
      if (found.length >= wanted || seen >= maximumEndRecords) return;
    }
  };
  look(tail, source.size, maximumEndRecords);
  // More than a comment's worth of bytes behind the archive: ordinary software gives up, we look on.
  if (found.length === 0) look(0, tail, 1);
  return found;
}

/**
 * Whether a directory belongs to an archive that is itself a member, stored as it is, of an archive whose own
 * directory is missing.
 */
function isInsideMember(source: ByteSource, directory: Directory, budget: Budget): boolean {
  if (directory.baseOffset <= 0 || !startsWithLocalHeader(source)) return false;
  let seen = 0;
  for (const entry of findLocalEntries(source, 0, directory.end.offset, '', budget)) {
    const dataOffset = entry.dataOffset ?? 0;
    if (dataOffset > directory.start) return false;
    if (dataOffset + entry.available > directory.end.offset) return true;
    seen += 1;
    if (seen > budget.limits.members) return false;
  }
  return false;
}

/**
 * Whether the end of the source is the end of an archive, exactly: the test for archives behind a stub.
 */
export function endsAsZip(source: ByteSource, budget: Budget): boolean {
  const tail = Math.max(0, source.size - endRecordBytes - maximumCommentBytes);
  let seen = 0;
  for (const offset of findEndRecordsBackward(source, tail, source.size, budget)) {
    const end = tryReadEndRecord(source, offset);
    if (end !== undefined && end.offset + endRecordBytes + end.commentLength === source.size) {
      const directory = tryFindDirectory(source, end);
      if (directory !== undefined && end.entries > 0) return true;
    }
    seen += 1;
    if (seen >= maximumEndRecords) return false;
  }
  return false;
}

/** How a local header contradicts the central record; each phrase names the local value. */
function compareHeaders(central: CentralRecord, local: EntryHeader): string[] {
  const differences: string[] = [];
  if (central.name !== local.name) differences.push(`its local header names it ${toQuotedName(local.name)}`);
  else if (!isSame(central.rawName, local.rawName))
    differences.push('its local header spells its name in other bytes');
  if (central.method !== local.method) {
    differences.push(
      `its local header says ${toMethodName(local.method)} instead of ${toMethodName(central.method)}`,
    );
  }
  const security = flag.encrypted | flag.strongEncryption | flag.maskedHeader;
  if (((central.flags ^ local.flags) & security) !== 0) {
    differences.push('its local header disagrees on whether it is encrypted');
  }
  const isStreamed = (local.flags & flag.descriptor) !== 0;
  const disagrees = (stated: number, other: number): boolean =>
    other !== stated && !(isStreamed && other === 0);
  if (disagrees(central.crc32, local.crc32)) differences.push('its local header states another checksum');
  if (disagrees(central.compressedSize, local.compressedSize)) {
    differences.push(`its local header states ${local.compressedSize} packed bytes`);
  }
  if (disagrees(central.size, local.size)) differences.push(`its local header states ${local.size} bytes`);
  return differences;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Whether the bytes after a signature read like a header that some software wrote, not like chance. */
function isPlausible(local: EntryHeader): boolean {
  return (
    local.rawName.length > 0 &&
    !toMethodName(local.method).startsWith('method ') &&
    (local.flags & 0xc000) === 0 &&
    !local.rawName.includes(0)
  );
}

/**
 * Members by their local headers alone, in a range that no directory accounts for.
 */
function* findLocalEntries(
  source: ByteSource,
  from: number,
  to: number,
  why: string,
  budget: Budget,
): Generator<ZipEntry> {
  const signatures = new Set([localSignature]);
  const ends = new Set([localSignature, centralSignature, descriptorSignature]);
  let position = from;
  for (;;) {
    let local: EntryHeader | undefined;
    for (const { offset } of findRecords(source, position, to, signatures, budget)) {
      const header = tryReadLocalHeader(source, offset);
      if (header !== undefined && isPlausible(header) && offset + header.length <= to) {
        local = header;
        break;
      }
    }
    if (local === undefined) return;
    const dataOffset = local.offset + local.length;
    const isStreamed = (local.flags & flag.descriptor) !== 0 && local.compressedSize === 0;
    let stated: Pick<EntryHeader, 'crc32' | 'compressedSize' | 'size'> | undefined = local;
    let available = Math.min(local.compressedSize, source.size - dataOffset);
    let next = dataOffset + available;
    if (isStreamed) {
      stated = undefined;
      available = to - dataOffset;
      next = to;
      for (const { offset, signature } of findRecords(source, dataOffset, to, ends, budget)) {
        if (signature === descriptorSignature) {
          const descriptor = tryReadDescriptor(source, offset, offset - dataOffset);
          if (descriptor === undefined) continue;
          stated = descriptor;
          next = offset + descriptor.length;
        } else if (signature === localSignature) {
          const header = tryReadLocalHeader(source, offset);
          if (header === undefined || !isPlausible(header)) continue;
          next = offset;
        } else {
          if (tryReadCentralRecord(source, offset, source.size) === undefined) continue;
          next = offset;
        }
        available = offset - dataOffset;
        break;
      }
    }
    yield {
      name: local.name,
      rawName: local.rawName,
      view: 'local',
      flags: local.flags,
      method: local.method,
      crc32: stated?.crc32,
      compressedSize: stated?.compressedSize,
      size: stated?.size,
      headerOffset: local.offset,
      dataOffset,
      available,
      aes: local.aes,
      externalAttributes: 0,
      ambiguities: [why],
    };
    // A size that leads out of the range is a lie: what comes next is looked for right behind the header.
    position = next <= to ? next : dataOffset;
  }
}

/**
 * Takes a ZIP file apart. Damage is reported and reading goes on.
 *
 * @throws TelltaleError `malformed/structure` when neither a directory nor a local header is there, `limit/time`
 */
export function readZipArchive(source: ByteSource, context: ReadContext): ZipArchive {
  const { budget } = context;
  const facts: Fact[] = [];
  const regions: Region[] = [];
  const addAmbiguity = (value: string, offset?: number): void => {
    facts.push({
      kind: 'ambiguous',
      name: 'zip.ambiguous',
      value,
      ...(offset === undefined ? {} : { offset }),
    });
  };

  const directories = findDirectories(source, budget);
  // An archive comment may hold an end record of its own. The record whose comment ends where the source ends is
  // what careful software takes; most software takes the last one. Both are looked at: the members of the other
  // directory have local headers that this one does not list.
  const candidates = directories.filter((directory) => !isInsideMember(source, directory, budget));
  const chosen =
    candidates.find(({ end }) => end.offset + endRecordBytes + end.commentLength === source.size) ??
    candidates[0];
  const entries: ZipEntry[] = [];
  /** Ranges that something accounts for. */
  const covered: { start: number; end: number }[] = [];
  let isWhole = true;
  let comment = '';
  let trailing: ZipArchive['trailing'];

  let isLimitTold = false;
  const reportLimit = (offset: number): void => {
    isWhole = false;
    // The directory and the local headers hit it both; once is enough to know.
    if (isLimitTold) return;
    isLimitTold = true;
    context.report({
      code: 'limit/members',
      message: `lists more than ${budget.limits.members} members`,
      offset,
      consequence: `members after the first ${budget.limits.members} were not looked at`,
      incomplete: true,
    });
  };

  if (chosen !== undefined) {
    const { end } = chosen;
    if (chosen.otherStart !== undefined) {
      addAmbiguity(
        `software that believes the stated offset reads another central directory at offset ${chosen.otherStart}`,
        end.offset,
      );
      context.report({
        code: 'malformed/structure',
        message: 'states the offset of one central directory and has another before its end record',
        offset: end.offset,
        consequence: 'members that only the stated directory lists are read by their local headers',
        incomplete: false,
      });
    }
    if (end.zip64 === 'ignored') {
      addAmbiguity('its zip64 end record contradicts its end record', end.offset);
      context.report({
        code: 'malformed/structure',
        message: 'has a zip64 end record that contradicts its end record',
        offset: end.offset,
        consequence: 'software that prefers the zip64 record may see other members',
        incomplete: false,
      });
    }
    if (end.zip64 === 'missing') {
      context.report({
        code: 'malformed/structure',
        message: 'needs a zip64 end record that is not there',
        offset: end.offset,
        consequence: 'the number of members could not be checked',
        incomplete: false,
      });
    }
    if (end.disk !== 0 || end.directoryDisk !== 0) {
      context.report({
        code: 'unsupported/feature',
        message: `is volume ${end.disk + 1} of an archive in several volumes`,
        offset: end.offset,
        consequence: 'members that lie in other volumes were not looked at',
        incomplete: true,
      });
    }
    if (end.isDirectoryEncrypted) {
      facts.push({ kind: 'encrypted', value: 'central directory', offset: chosen.start });
      context.report({
        code: 'encrypted/container',
        message: 'has an encrypted central directory',
        offset: chosen.start,
        consequence: 'members that it lists are found by their local headers only, if at all',
        incomplete: true,
      });
    }

    const commentEnd = end.offset + endRecordBytes + end.commentLength;
    const commentBytes = readUpTo(source, end.offset + endRecordBytes, end.commentLength);
    if (commentBytes.length > 0) {
      comment = decodeZipText(commentBytes);
      facts.push({
        kind: 'archiveComment',
        value: comment,
        region: 'comment',
        offset: end.offset + endRecordBytes,
      });
      regions.push({ name: 'comment', offset: end.offset + endRecordBytes, size: commentBytes.length });
    }
    if (commentEnd > source.size) {
      context.report({
        code: 'malformed/truncated',
        message: `promises a comment of ${end.commentLength} bytes, of which ${commentBytes.length} are there`,
        offset: source.size,
        consequence: 'the rest of the comment is missing; no member is affected',
        incomplete: false,
      });
    } else if (commentEnd < source.size) {
      trailing = { offset: commentEnd, size: source.size - commentEnd };
      regions.push({ name: 'trailing data', ...trailing });
      context.report({
        code: 'malformed/structure',
        message: `is followed by ${trailing.size} bytes that do not belong to it`,
        offset: commentEnd,
        consequence: 'they are looked at as a part of their own',
        incomplete: false,
      });
    }

    const directoryEnd = readDirectory(source, chosen, context, entries, covered, addAmbiguity, reportLimit);
    const others = candidates.filter(
      (other) =>
        other !== chosen &&
        other.start !== chosen.start &&
        // An archive that is a member, stored as it is, has its own directory.
        !covered.some(({ start, end: stop }) => start <= other.start && other.end.tailOffset < stop),
    );
    for (const other of others.slice(0, 4)) {
      addAmbiguity(`a second central directory lies at offset ${other.start}`, other.end.offset);
    }
    if (others.length > 0) {
      context.report({
        code: 'malformed/structure',
        message: `has ${others.length + 1} central directories, of which software may take any`,
        offset: end.offset,
        consequence: 'members that only the other directory lists are read by their local headers',
        incomplete: false,
      });
    }
    if (directoryEnd > chosen.start) {
      regions.push({ name: 'central directory', offset: chosen.start, size: directoryEnd - chosen.start });
    }
    covered.push({ start: chosen.start, end: directoryEnd });
    covered.push({ start: end.tailOffset, end: source.size });
    for (const { end: other } of others) {
      covered.push({ start: other.tailOffset, end: Math.min(other.offset + endRecordBytes, source.size) });
    }
  } else {
    isWhole = false;
    context.report({
      code: 'malformed/truncated',
      message: 'has no readable central directory, as if its end were missing',
      offset: source.size,
      consequence: 'members were recovered by their local headers; those behind the end are missing',
      incomplete: true,
    });
  }

  // What nothing accounts for may be members that ordinary software does not show.
  covered.sort((a, b) => a.start - b.start || a.end - b.end);
  const gaps: { start: number; end: number }[] = [];
  let reached = 0;
  for (const range of covered) {
    if (range.start > reached) gaps.push({ start: reached, end: range.start });
    reached = Math.max(reached, range.end);
  }
  if (reached < source.size) gaps.push({ start: reached, end: source.size });

  let prefix: ZipArchive['prefix'];
  const hidden = new Tally();
  const why =
    chosen === undefined
      ? 'recovered by its local header'
      : 'is not in the central directory: ordinary software does not show it';
  let gapRegions = 0;
  for (const gap of gaps) {
    if (gap.start === 0 && chosen !== undefined && !startsWithLocalHeader(source)) {
      prefix = { offset: 0, size: gap.end };
      regions.push({ name: 'stub', ...prefix });
      context.report({
        code: 'malformed/structure',
        message: `has ${prefix.size} bytes before its first member`,
        offset: 0,
        consequence: 'they are looked at as a part of their own',
        incomplete: false,
      });
    }
    let found = 0;
    for (const entry of findLocalEntries(source, gap.start, gap.end, why, budget)) {
      if (entries.length >= budget.limits.members) {
        reportLimit(entry.headerOffset);
        break;
      }
      entries.push(entry);
      found += 1;
      if (chosen !== undefined) hidden.add('hidden', entry.name, entry.headerOffset);
    }
    if (found === 0 && chosen !== undefined && prefix?.size !== gap.end && gapRegions < maximumGapRegions) {
      gapRegions += 1;
      regions.push({ name: toGapName(source, gap), offset: gap.start, size: gap.end - gap.start });
    }
  }
  for (const { text, offset } of hidden) {
    addAmbiguity(`the central directory does not list ${text}`, offset);
    context.report({
      code: 'malformed/structure',
      message: `holds members that its central directory does not list: ${text}`,
      offset,
      consequence: 'ordinary software does not show them; they are looked at all the same',
      incomplete: false,
    });
  }
  if (chosen === undefined && entries.length === 0) {
    throw new TelltaleError('malformed/structure', 'holds neither a central directory nor a local header');
  }

  entries.sort(
    (a, b) => a.headerOffset - b.headerOffset || (a.view === b.view ? 0 : a.view === 'directory' ? -1 : 1),
  );
  checkEntries(entries, context, addAmbiguity);
  for (const entry of entries) {
    facts.push({
      kind: 'memberName',
      value: entry.name,
      offset: entry.headerOffset,
      ...(entry.view === 'local' ? { detail: { listed: false } } : {}),
    });
  }
  regions.sort((a, b) => a.offset - b.offset);
  return {
    entries,
    facts,
    regions,
    comment,
    prefix,
    trailing,
    end: chosen?.end,
    baseOffset: chosen?.baseOffset ?? 0,
    isWhole,
  };
}

/** A first member, or the marker of an archive that was, or could have been, split (section 8.5.3). */
export function startsWithLocalHeader(source: ByteSource): boolean {
  const first = tryReadSignature(source, 0);
  if (first === localSignature) return true;
  const isMarker = first === descriptorSignature || first === 0x30304b50;
  return isMarker && tryReadSignature(source, 4) === localSignature;
}

function toGapName(source: ByteSource, gap: { start: number; end: number }): string {
  if (gap.end - gap.start >= 32) {
    const tail = source.read(gap.end - signingBlockMagic.length, signingBlockMagic.length);
    if (decodeZipText(tail) === signingBlockMagic) return 'signing block';
  }
  return 'gap';
}

/**
 * Reads the central directory and the local header of each of its entries.
 *
 * @returns offset behind the last record that was read
 */
function readDirectory(
  source: ByteSource,
  directory: Directory,
  context: ReadContext,
  entries: ZipEntry[],
  covered: { start: number; end: number }[],
  addAmbiguity: (value: string, offset?: number) => void,
  reportLimit: (offset: number) => void,
): number {
  const { budget } = context;
  const { end, baseOffset } = directory;
  const differing = new Tally();
  const truncated = new Tally();
  let position = directory.start;
  let count = 0;
  let isStopped = false;
  while (position < end.tailOffset) {
    if (count >= budget.limits.members) {
      isStopped = tryReadSignature(source, position) === centralSignature;
      if (isStopped) reportLimit(position);
      break;
    }
    if (count % 1024 === 0) budget.checkTime();
    const record = tryReadCentralRecord(source, position, end.tailOffset);
    if (record === undefined) break;
    if (position - directory.start > maximumDirectoryBytes) {
      isStopped = true;
      context.report({
        code: 'limit/memory',
        message: `has a central directory of more than ${maximumDirectoryBytes} bytes`,
        offset: position,
        consequence: 'members that the rest of it lists were looked for by their local headers only',
        incomplete: true,
      });
      break;
    }
    count += 1;
    position += record.length;

    // Some software moves the directory behind a stub without adding the stub's length to these offsets, or the
    // other way round.
    const places =
      baseOffset === 0 ? [record.localOffset] : [record.localOffset + baseOffset, record.localOffset];
    let headerOffset = places[0] ?? 0;
    let local: EntryHeader | undefined;
    for (const place of places) {
      local = tryReadLocalHeader(source, place);
      if (local !== undefined) {
        headerOffset = place;
        break;
      }
    }
    const ambiguities = local === undefined ? [] : compareHeaders(record, local);
    const dataOffset = local === undefined ? undefined : local.offset + local.length;
    const available =
      dataOffset === undefined ? 0 : Math.min(record.compressedSize, source.size - dataOffset);
    if (dataOffset !== undefined) {
      let dataEnd = dataOffset + available;
      if (available < record.compressedSize) {
        truncated.add('truncated', record.name, dataOffset);
      } else if (local !== undefined && (local.flags & flag.descriptor) !== 0) {
        const descriptor = tryReadDescriptor(source, dataEnd, record.compressedSize, record);
        if (descriptor === undefined) {
          // Some writers announce sizes behind folders and empty members and leave them out.
          if (record.compressedSize > 0 || record.size > 0) {
            ambiguities.push('its data is not followed by the sizes that its local header announces');
          }
        } else {
          dataEnd += descriptor.length;
          if (descriptor.crc32 !== record.crc32 || descriptor.size !== record.size) {
            ambiguities.push('the checksum or size behind its data is another one');
          }
        }
      }
      covered.push({ start: headerOffset, end: dataEnd });
    }
    entries.push({
      name: record.name,
      rawName: record.rawName,
      view: 'directory',
      flags:
        record.flags | ((local?.flags ?? 0) & (flag.encrypted | flag.strongEncryption | flag.maskedHeader)),
      method: record.method,
      crc32: record.crc32,
      compressedSize: record.compressedSize,
      size: record.size,
      headerOffset,
      dataOffset,
      available,
      aes: record.aes,
      externalAttributes: record.externalAttributes,
      ambiguities,
    });
    if (ambiguities.length > 0) differing.add('differing', record.name, headerOffset);
    if (local === undefined || dataOffset === undefined) continue;
    // Streaming software reads what the local header says. Where that gives other bytes, it is a second member.
    const packed = local.compressedSize === 0 && (local.flags & flag.descriptor) !== 0 ? record : local;
    if (
      (local.method !== record.method || packed.compressedSize !== record.compressedSize) &&
      entries.length < budget.limits.members
    ) {
      entries.push({
        name: local.name,
        rawName: local.rawName,
        view: 'local',
        flags: local.flags,
        method: local.method,
        crc32: packed.crc32,
        compressedSize: packed.compressedSize,
        size: packed.size,
        headerOffset,
        dataOffset,
        available: Math.min(packed.compressedSize, source.size - dataOffset),
        aes: local.aes,
        externalAttributes: 0,
        ambiguities: ['is what software sees that reads from front to back'],
      });
    }
  }

  for (const { text, offset } of differing) {
    addAmbiguity(`local header and central directory disagree on ${text}`, offset);
    context.report({
      code: 'malformed/structure',
      message: `has local headers that contradict its central directory: ${text}`,
      offset,
      consequence: 'software may see other names or bytes; where the bytes differ, both are looked at',
      incomplete: false,
    });
  }
  for (const { text, offset } of truncated) {
    context.report({
      code: 'malformed/truncated',
      message: `ends before the data of ${text} does`,
      offset,
      consequence: 'the rest of that data is missing',
      incomplete: true,
    });
  }
  const next = tryReadSignature(source, position);
  if (!isStopped && position < end.tailOffset && next !== digitalSignatureSignature) {
    context.report({
      code: 'malformed/structure',
      message: `has ${end.tailOffset - position} bytes in its central directory that are no record`,
      offset: position,
      consequence: 'members that they would list are looked for by their local headers',
      incomplete: true,
    });
  }
  const isCountWrong =
    end.zip64 === 'used' ? count !== end.entries : count !== end.entries && end.entries !== 0xffff;
  if (!isStopped && isCountWrong) {
    addAmbiguity(
      `its end record counts ${end.entries} members, its central directory lists ${count}`,
      end.offset,
    );
    context.report({
      code: 'malformed/structure',
      message: `counts ${end.entries} members, but its central directory lists ${count}`,
      offset: end.offset,
      consequence: 'software that believes the count may see other members',
      incomplete: false,
    });
  }
  if (!isStopped && position - directory.start !== end.directorySize && next !== digitalSignatureSignature) {
    context.report({
      code: 'malformed/size-mismatch',
      message: `states a central directory of ${end.directorySize} bytes, but it has ${position - directory.start}`,
      offset: end.offset,
      consequence: 'software that believes the size may see other members',
      incomplete: false,
    });
  }
  return position;
}

/** Names that two members share, names that mislead, and members that share bytes. */
function checkEntries(
  entries: readonly ZipEntry[],
  context: ReadContext,
  addAmbiguity: (value: string, offset?: number) => void,
): void {
  const { budget } = context;
  const unsafe = new Tally();
  const duplicates = new Tally();
  const overlapping = new Tally();
  const byName = new Map<string, ZipEntry>();
  let reached = 0;
  let previous: ZipEntry | undefined;
  for (const [index, entry] of entries.entries()) {
    if (index % 4096 === 0) budget.checkTime();
    const danger = tryDescribeUnsafeName(entry.name);
    if (danger !== undefined) unsafe.add(danger, entry.name, entry.headerOffset);
    const same = byName.get(entry.name);
    if (same === undefined) byName.set(entry.name, entry);
    else if (same.headerOffset !== entry.headerOffset || same.view === entry.view) {
      duplicates.add('duplicate', entry.name, entry.headerOffset);
    }
    if (entry.dataOffset === undefined) continue;
    // The two views of one local header share their bytes by nature.
    const isTwin = previous?.headerOffset === entry.headerOffset && previous.view !== entry.view;
    if (entry.headerOffset < reached && !isTwin) overlapping.add('overlap', entry.name, entry.headerOffset);
    reached = Math.max(reached, entry.dataOffset + entry.available);
    previous = entry;
  }
  for (const { kind, text, offset } of unsafe) {
    context.report({
      code: 'malformed/name',
      message: `holds a member whose name ${kind}: ${text}`,
      offset,
      consequence:
        'nothing is written here, but other software may write outside its folder or show another name',
      incomplete: false,
    });
  }
  for (const { text, offset } of duplicates) {
    addAmbiguity(`more than one member is named ${text}`, offset);
    context.report({
      code: 'malformed/structure',
      message: `holds more than one member of the same name: ${text}`,
      offset,
      consequence: 'ordinary software shows one of them; all are looked at',
      incomplete: false,
    });
  }
  for (const { text, offset } of overlapping) {
    context.report({
      code: 'malformed/overlap',
      message: `holds members that share their bytes: ${text}`,
      offset,
      consequence: 'it may unpack to far more than its size; the limits apply',
      incomplete: false,
    });
  }
}
