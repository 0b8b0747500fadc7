/**
 * ar archives and the Debian packages that are made of one.
 *
 * Specification: https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html (deb),
 * https://sourceware.org/binutils/docs/binutils/ar.html (GNU), https://man.freebsd.org/cgi/man.cgi?query=ar&sektion=5.
 */
import { type ByteSource, joinBytes, readUpTo, sliceSource, toByteSource } from '../bytes/byte-source.ts';
import { toLatin1 } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { inflate } from '../platform/inflate.ts';
import { toQuotedName, tryFindUnsafeName } from './member-name.ts';
import type { Fact, Format, Member, ReadContext, Reading, StoredMembers } from './model.ts';
import { readTarEntries, type TarEntry } from './tar.ts';
import { decodeZipText } from './zip/records.ts';

const magic = '!<arch>\n';
const thinMagic = '!<thin>\n';
const headerBytes = 60;
/** GNU keeps long names in a member of its own; BSD in front of the data. */
const longNameBytes = 1024 * 1024;
/** A control archive has a few kilobytes; a larger one is left to the walker. */
const controlArchiveBytes = 1024 * 1024;
const controlTarBytes = 16 * 1024 * 1024;
const controlFileBytes = 256 * 1024;
const controlFields = 64;
/** Lists a line for each installed file; real ones have thousands. */
const digestListBytes = 4 * 1024 * 1024;
const listedFilesLimit = 50_000;

/** One member; offsets and sizes in bytes. */
interface ArEntry {
  readonly name: string;
  readonly dataOffset: number;
  readonly size: number;
  readonly available: number;
}

function startsWith(head: Uint8Array, text: string): boolean {
  return toLatin1(head.subarray(0, text.length)) === text;
}

/** The size that a header states; undefined when it is no header. */
function tryToStatedSize(header: string): number | undefined {
  const field = header.slice(48, 58).trim();
  return header.length < headerBytes || !header.endsWith('`\n') || !/^\d+$/.test(field)
    ? undefined
    : Number(field);
}

const storedMembers: StoredMembers = {
  start: magic.length,
  headerBytes,
  parse(header) {
    const size = tryToStatedSize(toLatin1(header));
    return size === undefined ? undefined : { memberBytes: size, bytesToNext: size + (size & 1) };
  },
};

/** @throws TelltaleError `limit/time` */
function readArEntries(source: ByteSource, context: ReadContext): readonly ArEntry[] {
  const { budget } = context;
  const entries: ArEntry[] = [];
  let longNames = new Uint8Array(0);
  let position = magic.length;
  while (position < source.size) {
    budget.checkTime();
    if (entries.length >= budget.limits.members) {
      context.report({
        code: 'limit/members',
        message: `holds more than ${budget.limits.members} members`,
        offset: position,
        consequence: 'the rest was not looked at',
        incomplete: true,
      });
      break;
    }
    const header = toLatin1(readUpTo(source, position, headerBytes));
    const size = tryToStatedSize(header);
    if (size === undefined) {
      const isCut = header.length < headerBytes;
      context.report({
        code: isCut ? 'malformed/truncated' : 'malformed/header',
        message: isCut ? 'ends inside the header of a member' : 'has a member header that is none',
        offset: position,
        consequence: 'this member and those behind it were not looked at',
        incomplete: true,
      });
      break;
    }
    let dataOffset = position + headerBytes;
    let available = Math.max(0, Math.min(size, source.size - dataOffset));
    let promised = size;
    let name = decodeZipText(readUpTo(source, position, 16)).trimEnd();
    if (name === '//') {
      longNames = Uint8Array.from(readUpTo(source, dataOffset, Math.min(available, longNameBytes)));
    }
    const longName = /^\/(\d+)$/.exec(name);
    const bsdName = /^#1\/(\d+)$/.exec(name);
    if (longName !== null) {
      const start = Number(longName[1]);
      const end = longNames.indexOf(0x0a, start);
      if (start < longNames.length)
        name = decodeZipText(longNames.subarray(start, end < 0 ? undefined : end));
    } else if (bsdName !== null) {
      const length = Math.min(Number(bsdName[1]), available, longNameBytes);
      name = decodeZipText(readUpTo(source, dataOffset, length)).replace(/\0+$/, '');
      dataOffset += length;
      available -= length;
      promised -= length;
    }
    if (name.length > 1 && name.endsWith('/') && name !== '//') name = name.slice(0, -1);
    // Tables of symbols and of names are of the archive, not in it.
    const isTable = name === '/' || name === '//' || name === '/SYM64';
    if (!isTable) entries.push({ name, dataOffset, size: promised, available });
    if (available < promised) {
      context.report({
        code: 'malformed/truncated',
        message: `${toQuotedName(name)} should have ${promised} bytes, ${available} are there`,
        offset: dataOffset,
        consequence: 'the rest of it and members behind it are missing',
        incomplete: true,
      });
      break;
    }
    position += headerBytes + size + (size & 1);
  }
  return entries;
}

function toReading(
  source: ByteSource,
  context: ReadContext,
  entries: readonly ArEntry[],
  facts: Fact[],
): Reading {
  for (const entry of entries) {
    facts.push({ kind: 'memberName', value: entry.name, offset: entry.dataOffset });
    const unsafe = tryFindUnsafeName(entry.name, entry.dataOffset);
    if (unsafe !== undefined) context.report(unsafe);
  }
  return {
    facts,
    regions: [],
    members: (): Iterable<Member> =>
      entries.map((entry) => ({
        name: entry.name === '' ? '[unnamed]' : entry.name,
        relation: 'file',
        content: {
          kind: 'source',
          source: sliceSource(source, entry.dataOffset, entry.available),
          containerOffset: entry.dataOffset,
        },
      })),
  };
}

/** The fields of a control file: `Name: value`, continued on lines that begin with a blank (deb-control(5)). */
export function parseControl(text: string): readonly (readonly [string, string])[] {
  const fields: [string, string][] = [];
  for (const line of text.split(/\r?\n/)) {
    const last = fields.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) last[1] += `\n${line.trim()}`;
    else {
      const match = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line);
      if (match !== null && fields.length < controlFields)
        fields.push([match[1] ?? '', (match[2] ?? '').trimEnd()]);
    }
  }
  return fields;
}

/** What the control archive of a package says; undefined for files that are not in it. */
interface ControlFiles {
  readonly control: string | undefined;
  readonly md5sums: string | undefined;
}

async function readControlFiles(
  archive: ByteSource,
  isGzip: boolean,
  context: ReadContext,
): Promise<ControlFiles> {
  let tar = archive;
  if (isGzip) {
    const chunks: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const chunk of inflate(archive, 'gzip')) {
        context.budget.chargeBytes(chunk.length);
        length += chunk.length;
        chunks.push(chunk);
        if (length > controlTarBytes) break;
      }
    } catch (error) {
      // The member is walked by itself, and what is wrong with it is said there. What was decoded counts here.
      if (!(error instanceof TelltaleError) || error.code.startsWith('limit/')) throw error;
    }
    tar = toByteSource(joinBytes(chunks));
  }
  const silent: ReadContext = { budget: context.budget, report: () => {} };
  let control: string | undefined;
  let md5sums: string | undefined;
  for (const entry of readTarEntries(tar, silent)) {
    const name = entry.name.replace(/^\.\//, '');
    if (name === 'control') control ??= readText(tar, entry, controlFileBytes);
    if (name === 'md5sums') md5sums ??= readText(tar, entry, digestListBytes);
    if (control !== undefined && md5sums !== undefined) break;
  }
  return { control, md5sums };
}

function readText(tar: ByteSource, { dataOffset, available }: TarEntry, limitBytes: number): string {
  return decodeZipText(readUpTo(tar, dataOffset, Math.min(available, limitBytes)));
}

/**
 * The files that a package installs, as its list of digests names them (`md5  path`): known even when the data archive
 * is cut off.
 */
function addDigestList(text: string, facts: Fact[], context: ReadContext): void {
  let listed = 0;
  for (const line of text.split('\n')) {
    if (listed % 1024 === 0) context.budget.checkTime();
    const [, value, name] = /^([0-9a-f]{32}) [ *](.+)$/is.exec(line) ?? [];
    if (value === undefined || name === undefined) continue;
    if (listed >= listedFilesLimit) {
      context.report({
        code: 'limit/count',
        message: `lists the digests of more than ${listedFilesLimit} files`,
        consequence: 'the others are known only from the data archive',
        incomplete: false,
      });
      break;
    }
    listed += 1;
    facts.push({
      kind: 'listedDigest',
      name: name.trimEnd(),
      value: value.toLowerCase(),
      detail: { algorithm: 'md5' },
    });
  }
}

const references = [
  'https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html',
  'https://sourceware.org/binutils/docs/binutils/ar.html',
  'https://man.freebsd.org/cgi/man.cgi?query=ar&sektion=5',
] as const;

export const debFormat: Format = {
  id: 'deb',
  title: 'Debian package',
  nature: 'acting',
  extensions: ['deb', 'udeb'],
  references,
  limitations: [
    'The control file and the list of digests are read from control.tar and control.tar.gz up to 1 MiB; other compressions are left to their own formats.',
    'Signatures inside packages (debsigs, dpkg-sig) are not checked.',
  ],
  probe(head) {
    return startsWith(head, `${magic}debian-binary`);
  },
  storedMembers,
  async read(source, context) {
    const entries = readArEntries(source, context);
    const facts: Fact[] = [];
    const control = entries.find(({ name }) => name === 'control.tar.gz' || name === 'control.tar');
    if (control !== undefined && control.available <= controlArchiveBytes) {
      const archive = sliceSource(source, control.dataOffset, control.available);
      const files = await readControlFiles(archive, control.name.endsWith('.gz'), context);
      for (const [name, value] of files.control === undefined ? [] : parseControl(files.control)) {
        if (name === 'Package') facts.push({ kind: 'packageId', value });
        facts.push({ kind: 'packageField', name, value });
      }
      if (files.md5sums !== undefined) addDigestList(files.md5sums, facts, context);
    }
    return toReading(source, context, entries, facts);
  },
};

export const arFormat: Format = {
  id: 'ar',
  title: 'ar archive',
  nature: 'transport',
  extensions: ['a', 'ar', 'lib'],
  references,
  limitations: ['Thin archives name files that lie elsewhere; nothing of them is read.'],
  probe(head) {
    return startsWith(head, magic) || startsWith(head, thinMagic);
  },
  storedMembers,
  read(source, context) {
    if (startsWith(readUpTo(source, 0, thinMagic.length), thinMagic)) {
      context.report({
        code: 'unsupported/feature',
        message: 'is a thin archive, whose members lie in other files',
        offset: 0,
        consequence: 'its members were not looked at',
        incomplete: true,
      });
      return { facts: [], regions: [] };
    }
    return toReading(source, context, readArEntries(source, context), []);
  },
};
