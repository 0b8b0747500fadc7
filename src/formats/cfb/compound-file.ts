/**
 * The reader of compound files: header, allocation tables, directory tree, streams.
 *
 * Specification: [MS-CFB] https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb/
 *
 * Nothing is read whole but the directory: streams are reached by random access over their sectors. Each sector is
 * followed once when the file is opened, which finds cycles, sectors of two streams, and bytes of no stream.
 */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, readUpTo, toByteSource } from '../../bytes/byte-source.ts';
import { Cursor, toHex } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { toQuotedName } from '../member-name.ts';
import type { Finding } from '../model.ts';
import {
  type CompoundEntry,
  type CompoundFile,
  type CompoundRange,
  type CompoundRegion,
  extentsMax,
} from './model.ts';
import {
  ChainLedger,
  ChainSource,
  type ChainWalk,
  type CompoundHeader,
  directoryEntryBytes,
  type FileSpace,
  headerBytes,
  isSector,
  miniCutoffBytes,
  openFileSpace,
  openMiniSpace,
  parseHeader,
  sectorMarks,
} from './sectors.ts';

/** Storages inside each other; Windows Installer uses one level. */
export const storageDepthMax = 128;
/** Faults that are told one by one. */
const findingsMax = 64;
/** Ranges outside of streams that are told one by one. */
const regionsMax = 1024;
const chunkBytes = 1024 * 1024;
const noEntry = 0xffffffff;
const nameFieldBytes = 64;

const entryKinds = { unallocated: 0, storage: 1, stream: 2, root: 5 } as const;

interface RawEntry {
  readonly id: number;
  readonly type: number;
  readonly left: number;
  readonly right: number;
  readonly child: number;
  readonly nameFault: boolean;
  readonly fields: Omit<CompoundEntry, 'kind' | 'size' | 'children'>;
}

interface MutableEntry extends CompoundEntry {
  readonly children: CompoundEntry[];
}

/** `{000C1084-0000-0000-C000-000000000046}`; empty when all bytes are zero. */
export function toClassId(bytes: Uint8Array): string {
  if (bytes.length !== 16 || bytes.every((byte) => byte === 0)) return '';
  const part = (...indexes: readonly number[]): string =>
    toHex(Uint8Array.from(indexes, (index) => bytes[index] ?? 0)).toUpperCase();
  return `{${part(3, 2, 1, 0)}-${part(5, 4)}-${part(7, 6)}-${part(8, 9)}-${part(10, 11, 12, 13, 14, 15)}}`;
}

/** UTF-16LE to text, with a byte order mark kept: in a name it is a character like any other. */
function toName(bytes: Uint8Array): string {
  return new TextDecoder('utf-16le', { ignoreBOM: true }).decode(bytes);
}

function parseEntry(bytes: Uint8Array, id: number, offset: number, majorVersion: number): RawEntry {
  const cursor = new Cursor(bytes, nameFieldBytes);
  const stated = cursor.u16();
  const type = cursor.u8();
  cursor.skip(1);
  const left = cursor.u32();
  const right = cursor.u32();
  const child = cursor.u32();
  // The length counts the terminator of two bytes.
  const nameFault =
    type !== entryKinds.unallocated && (stated < 2 || stated > nameFieldBytes || stated % 2 !== 0);
  const nameBytes = Uint8Array.from(
    bytes.subarray(0, Math.min(nameFieldBytes, Math.max(0, stated - 2)) & ~1),
  );
  const clsidBytes = Uint8Array.from(cursor.bytes(16));
  const stateBits = cursor.u32();
  const created = cursor.u64big();
  const modified = cursor.u64big();
  const firstSector = cursor.u32();
  const low = cursor.u32();
  const high = cursor.u32();
  return {
    id,
    type,
    left,
    right,
    child,
    nameFault,
    fields: {
      id,
      name: toName(nameBytes),
      nameBytes,
      clsidBytes,
      clsid: toClassId(clsidBytes),
      stateBits,
      created,
      modified,
      // Old writers leave the upper half of the size to chance (section 2.6.1).
      declaredSize: majorVersion === 3 ? low : high * 2 ** 32 + low,
      firstSector,
      offset,
    },
  };
}

/**
 * Name and class of the root and the names of all entries, for telling what kind of compound file this is. Reads at
 * most the first part of the directory and reports nothing.
 *
 * @returns undefined when there is no directory
 */
export function trySketch(
  source: ByteSource,
): { readonly rootClsid: string; readonly names: ReadonlySet<string> } | undefined {
  const sectorsMax = 2048;
  try {
    const header = parseHeader(source);
    const space = openFileSpace(source, header);
    const names = new Set<string>();
    let rootClsid = '';
    let sector = header.firstDirectorySector;
    for (let count = 0; count < sectorsMax && isSector(sector) && sector < space.sectors; count += 1) {
      const bytes = readUpTo(source, space.base + sector * space.sectorBytes, space.sectorBytes);
      for (let at = 0; at + directoryEntryBytes <= bytes.length; at += directoryEntryBytes) {
        const entry = parseEntry(bytes.subarray(at, at + directoryEntryBytes), 0, 0, header.majorVersion);
        if (count === 0 && at === 0) rootClsid = entry.fields.clsid;
        if (entry.type === entryKinds.stream) names.add(entry.fields.name);
      }
      sector = space.next(sector) ?? sectorMarks.endOfChain;
    }
    return { rootClsid, names };
  } catch (error) {
    if (error instanceof TelltaleError) return undefined;
    throw error;
  }
}

/**
 * Opens a compound file. Damage is reported and reading goes on with what is left.
 *
 * @param report - called for each fault; faults of one kind that repeat are summed up
 * @throws TelltaleError `malformed/header`, `malformed/truncated` or `unsupported/*` when there is no directory to read,
 *   `limit/time`
 */
export function parseCfb(
  source: ByteSource,
  report: (finding: Finding) => void,
  budget: Budget,
): CompoundFile {
  return new Opening(source, report, budget).run();
}

class Opening {
  readonly #source: ByteSource;
  readonly #report: (finding: Finding) => void;
  readonly #budget: Budget;
  readonly #header: CompoundHeader;
  readonly #space: FileSpace;
  readonly #ledger: ChainLedger;
  #findings = 0;
  #missingBytes = 0;
  #miniSpace: ReturnType<typeof openMiniSpace> | undefined;
  #miniLedger: ChainLedger | undefined;
  #miniStream: ChainSource | undefined;
  #directory: ByteSource = toByteSource(new Uint8Array(0));

  constructor(source: ByteSource, report: (finding: Finding) => void, budget: Budget) {
    this.#source = source;
    this.#report = report;
    this.#budget = budget;
    this.#header = parseHeader(source);
    this.#space = openFileSpace(source, this.#header, budget);
    this.#ledger = new ChainLedger(this.#space, budget);
  }

  #tell(finding: Finding): void {
    this.#findings += 1;
    if (this.#findings <= findingsMax) this.#report(finding);
    if (this.#findings === findingsMax + 1) {
      this.#report({
        code: 'malformed/structure',
        message: `has more than ${findingsMax} faults in its structure`,
        consequence: 'further faults of its structure are not told',
        incomplete: true,
      });
    }
  }

  run(): CompoundFile {
    this.#checkHeader();
    this.#openDirectory();
    const first = this.#readRaw(0);
    if (first === undefined) {
      throw new TelltaleError('malformed/structure', 'has no directory that could be read', {
        offset: this.#space.base + this.#header.firstDirectorySector * this.#space.sectorBytes,
      });
    }
    if (first.type !== entryKinds.root) {
      this.#tell({
        code: 'malformed/structure',
        message: 'has a directory that does not begin with the root',
        offset: first.fields.offset,
        consequence: 'its first entry was taken for the root, other software may refuse the file',
        incomplete: false,
      });
    }
    this.#openMiniStream(first);
    const visited = new Set<number>([0]);
    const root: MutableEntry = {
      ...first.fields,
      kind: 'root',
      size: this.#miniStream?.size ?? 0,
      children: [],
    };
    this.#growTree(root, first.child, visited);
    const orphans = this.#collectOrphans(visited);
    return this.#toFile(root, orphans);
  }

  #checkHeader(): void {
    const { majorVersion, sectorBytes, byteOrder, miniSectorShift, miniCutoff, fatSectors } = this.#header;
    const odd: string[] = [];
    if ((majorVersion === 3) !== (sectorBytes === 512))
      odd.push(`sectors of ${sectorBytes} bytes in version ${majorVersion}`);
    if (byteOrder !== 0xfffe) odd.push('an unknown byte order');
    if (miniSectorShift !== 6) odd.push(`small sectors of 2^${miniSectorShift} bytes`);
    if (miniCutoff !== miniCutoffBytes) odd.push(`a limit of ${miniCutoff} bytes for small streams`);
    if (odd.length > 0) {
      this.#tell({
        code: 'malformed/header',
        message: `states ${odd.join(' and ')} in its header`,
        offset: 0x18,
        consequence:
          'it was read with the usual values; other software may refuse the file or see other bytes',
        incomplete: true,
      });
    }
    if (this.#space.fault !== undefined || fatSectors !== this.#space.fatSectors.length) {
      this.#tell({
        code: 'malformed/structure',
        message:
          this.#space.fault ??
          `counts ${fatSectors} sectors of its allocation table, but lists ${this.#space.fatSectors.length}`,
        offset: 0x2c,
        consequence: 'streams may end early or be missing',
        incomplete: true,
      });
    }
    this.#ledger.claim([...this.#space.fatSectors, ...this.#space.difatSectors].filter(isSector));
  }

  /** The bytes of a chain that belongs to the structure itself. */
  #openChain(first: number, wanted: number | undefined, what: string): ChainSource {
    const walk = this.#ledger.follow(first, wanted);
    if (walk.ending !== 'end' || walk.isCrossLinked) {
      this.#missingBytes += walk.missing;
      this.#tell({
        code: toChainCode(walk),
        message: `has ${what} whose chain of sectors ${describeWalk(walk)}`,
        offset: this.#space.base,
        consequence: 'streams may end early or be missing',
        incomplete: true,
      });
    }
    return new ChainSource(this.#space, first, walk.bytes, this.#budget);
  }

  #openDirectory(): void {
    this.#directory = this.#openChain(this.#header.firstDirectorySector, undefined, 'a directory');
  }

  #openMiniStream(root: RawEntry): void {
    const { firstMiniFatSector, miniFatSectors } = this.#header;
    const { firstSector, declaredSize } = root.fields;
    const hasMiniFat = isSector(firstMiniFatSector) && miniFatSectors > 0;
    const miniFat = hasMiniFat
      ? this.#openChain(firstMiniFatSector, undefined, 'a table of small sectors')
      : undefined;
    if (declaredSize === 0 || !isSector(firstSector)) return;
    const miniStream = this.#openChain(firstSector, declaredSize, 'a stream of small sectors');
    if (miniStream.size < declaredSize) {
      this.#tell({
        code: 'malformed/truncated',
        message: `should have ${declaredSize} bytes of small streams, ${miniStream.size} are there`,
        offset: root.fields.offset,
        consequence: 'small streams are cut or missing',
        incomplete: true,
      });
    }
    this.#miniStream = miniStream;
    this.#miniSpace = openMiniSpace(miniStream, miniFat ?? toByteSource(new Uint8Array(0)));
    this.#miniLedger = new ChainLedger(this.#miniSpace, this.#budget);
  }

  get #entryCount(): number {
    return Math.floor(this.#directory.size / directoryEntryBytes);
  }

  #readRaw(id: number): RawEntry | undefined {
    if (id >= this.#entryCount) return undefined;
    const bytes = this.#directory.read(id * directoryEntryBytes, directoryEntryBytes);
    return parseEntry(bytes, id, this.#toFileOffset(id * directoryEntryBytes), this.#header.majorVersion);
  }

  /** Where a byte of the directory lies in the file. */
  #toFileOffset(position: number): number {
    if (!(this.#directory instanceof ChainSource)) return 0;
    const { extents } = this.#directory;
    let low = 0;
    let high = extents.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((extents[middle]?.position ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    const extent = extents[low];
    return extent === undefined ? 0 : extent.offset + position - extent.position;
  }

  /** Storage by storage, without recursion: the depth of the tree of a hostile file has no limit. */
  #growTree(root: MutableEntry, firstChild: number, visited: Set<number>): void {
    const pending: { parent: MutableEntry; child: number; depth: number }[] = [
      { parent: root, child: firstChild, depth: 1 },
    ];
    for (let storage = pending.pop(); storage !== undefined; storage = pending.pop()) {
      const { parent, child, depth } = storage;
      const siblings = this.#readSiblings(child, parent, visited);
      this.#noteNamesakes(siblings, parent);
      for (const raw of siblings) {
        const entry = this.#toEntry(raw);
        parent.children.push(entry);
        if (entry.kind !== 'storage' || raw.child === noEntry) continue;
        if (depth >= storageDepthMax) {
          this.#tell({
            code: 'limit/depth',
            message: `nests storages more than ${storageDepthMax} deep`,
            offset: entry.offset,
            consequence: 'what is deeper was not looked at',
            incomplete: true,
          });
          continue;
        }
        pending.push({ parent: entry, child: raw.child, depth: depth + 1 });
      }
    }
  }

  /** The entries of one storage in the order of their tree (left, itself, right). */
  #readSiblings(first: number, parent: CompoundEntry, visited: Set<number>): RawEntry[] {
    const found: RawEntry[] = [];
    const above: RawEntry[] = [];
    let current = first;
    for (;;) {
      if (visited.size % 1024 === 0) this.#budget.checkTime();
      const raw = current === noEntry ? undefined : this.#visit(current, parent, visited);
      if (raw !== undefined) {
        above.push(raw);
        current = raw.left;
        continue;
      }
      const middle = above.pop();
      if (middle === undefined) return found;
      found.push(middle);
      current = middle.right;
    }
  }

  #visit(id: number, parent: CompoundEntry, visited: Set<number>): RawEntry | undefined {
    const fail = (code: Finding['code'], what: string, offset = parent.offset): undefined => {
      this.#tell({
        code,
        message: `has a directory that ${what}`,
        offset,
        consequence: 'entries behind that place are missing, or are listed as belonging to no storage',
        incomplete: true,
      });
      return undefined;
    };
    if (id >= this.#entryCount)
      return fail('malformed/structure', `names entry ${id} of ${this.#entryCount}`);
    if (visited.has(id)) return fail('malformed/cycle', `names entry ${id} twice`);
    if (visited.size > this.#budget.limits.members) {
      return fail('limit/members', `has more than ${this.#budget.limits.members} entries`);
    }
    visited.add(id);
    const raw = this.#readRaw(id);
    if (raw === undefined) return undefined;
    if (raw.type !== entryKinds.storage && raw.type !== entryKinds.stream) {
      return fail(
        'malformed/structure',
        `names entry ${id}, which is of the unknown type ${raw.type}`,
        raw.fields.offset,
      );
    }
    return raw;
  }

  /** Windows compares names without regard to case; of two that are the same nobody knows which one is opened. */
  #noteNamesakes(siblings: readonly RawEntry[], parent: CompoundEntry): void {
    const seen = new Set<string>();
    for (const { fields } of siblings) {
      const key = fields.name.toUpperCase();
      if (seen.has(key)) {
        this.#tell({
          code: 'malformed/structure',
          message: `has two entries named ${toQuotedName(fields.name)} in ${toQuotedName(parent.name)}`,
          offset: fields.offset,
          consequence: 'both were looked at; other software sees only one of them',
          incomplete: false,
        });
      }
      seen.add(key);
    }
  }

  #toEntry(raw: RawEntry): MutableEntry {
    const { fields } = raw;
    if (raw.nameFault) {
      this.#tell({
        code: 'malformed/name',
        message: 'has an entry whose name has an impossible length',
        offset: fields.offset,
        consequence: 'the name was read as far as it goes',
        incomplete: false,
      });
    }
    if (raw.type !== entryKinds.stream) return { ...fields, kind: 'storage', size: 0, children: [] };
    return { ...fields, kind: 'stream', size: this.#followStream(raw), children: [] };
  }

  /** @returns bytes of the stream that are there */
  #followStream({ fields }: RawEntry): number {
    const { declaredSize, firstSector, name, offset } = fields;
    if (declaredSize === 0) return 0;
    const isSmall = declaredSize < miniCutoffBytes;
    const ledger = isSmall ? this.#miniLedger : this.#ledger;
    const walk = ledger?.follow(firstSector, declaredSize);
    const size = walk?.bytes ?? 0;
    if (!isSmall) this.#missingBytes += walk?.missing ?? 0;
    if (size < declaredSize) {
      this.#tell({
        code:
          walk?.ending === 'cycle' || walk?.ending === 'limit' ? toChainCode(walk) : 'malformed/truncated',
        message: `has a stream ${toQuotedName(name)} that should have ${declaredSize} bytes, ${size} are there${walk === undefined ? '' : `: its chain of sectors ${describeWalk(walk)}`}`,
        offset,
        consequence: 'the rest of the stream is missing',
        incomplete: true,
      });
    } else if (walk !== undefined && (walk.isCrossLinked || walk.ending === 'cycle')) {
      this.#tell({
        code: toChainCode(walk),
        message: `has a stream ${toQuotedName(name)} whose chain of sectors ${describeWalk(walk)}`,
        offset,
        consequence: 'the bytes were read as the chain gives them; other software may refuse the file',
        incomplete: false,
      });
    }
    return size;
  }

  /** Entries that are filled in, but that the tree does not reach. */
  #collectOrphans(visited: ReadonlySet<number>): CompoundEntry[] {
    const orphans: CompoundEntry[] = [];
    for (let id = 1; id < this.#entryCount; id += 1) {
      if (id % 1024 === 0) this.#budget.checkTime();
      if (visited.has(id)) continue;
      const raw = this.#readRaw(id);
      if (raw === undefined || raw.type !== entryKinds.stream || raw.fields.declaredSize === 0) continue;
      if (visited.size + orphans.length > this.#budget.limits.members) break;
      orphans.push(this.#toEntry(raw));
    }
    const [first] = orphans;
    if (first !== undefined) {
      this.#tell({
        code: 'malformed/structure',
        message: `has ${orphans.length} streams that belong to no storage, the first is ${toQuotedName(first.name)}`,
        offset: first.offset,
        consequence: 'they were looked at; other software does not show them',
        incomplete: false,
      });
    }
    return orphans;
  }

  #toFile(root: CompoundEntry, orphans: readonly CompoundEntry[]): CompoundFile {
    const space = this.#space;
    const budget = this.#budget;
    const miniSpace = this.#miniSpace;
    const miniStream = this.#miniStream;
    const openStream = (entry: CompoundEntry): ByteSource => {
      if (entry.kind !== 'stream') return toByteSource(new Uint8Array(0));
      const home = entry.declaredSize < miniCutoffBytes ? miniSpace : space;
      return home === undefined || entry.size === 0
        ? toByteSource(new Uint8Array(0))
        : new ChainSource(home, entry.firstSector, entry.size, budget);
    };
    const { regions, trailing } = this.#findUnusedBytes();
    return {
      source: this.#source,
      majorVersion: this.#header.majorVersion,
      sectorBytes: space.sectorBytes,
      root,
      orphans,
      regions,
      trailing,
      missingBytes: this.#missingBytes,
      openStream,
      locate(entry) {
        const stream = openStream(entry);
        if (!(stream instanceof ChainSource)) return [];
        if (entry.declaredSize >= miniCutoffBytes) return stream.extents.slice(0, extentsMax);
        return miniStream === undefined ? [] : toFileRanges(stream, miniStream);
      },
    };
  }

  /** Everything that belongs to no stream: this is where bytes can hide. */
  #findUnusedBytes(): { regions: CompoundRegion[]; trailing: CompoundRange | undefined } {
    const space = this.#space;
    const regions: CompoundRegion[] = [];
    let usedEnd = Math.min(this.#source.size, Math.max(headerBytes, space.base));
    let name: string | undefined;
    let start = 0;
    const flush = (end: number): void => {
      if (name !== undefined && regions.length < regionsMax)
        regions.push({ name, offset: start, size: end - start });
      name = undefined;
    };
    for (let sector = 0; sector < space.sectors; sector += 1) {
      if (sector % 65_536 === 0) this.#budget.checkTime();
      const offset = space.base + sector * space.sectorBytes;
      const isOwned = this.#ledger.isOwned(sector);
      const found = isOwned
        ? undefined
        : (space.next(sector) ?? sectorMarks.free) === sectorMarks.free
          ? 'free sectors'
          : 'sectors of no stream';
      if (found !== name) {
        flush(offset);
        name = found;
        start = offset;
      }
      if (isOwned) usedEnd = Math.min(this.#source.size, offset + space.sectorBytes);
    }
    flush(this.#source.size);
    if (usedEnd >= this.#source.size) return { regions, trailing: undefined };
    const trailing = { offset: usedEnd, size: this.#source.size - usedEnd };
    return {
      regions: [
        ...regions.filter(({ offset }) => offset < usedEnd),
        { name: 'data behind the last sector', ...trailing },
      ],
      trailing,
    };
  }
}

/** Ranges in the file of a stream that lies in the mini stream. */
function toFileRanges(stream: ChainSource, miniStream: ChainSource): CompoundRange[] {
  const ranges: CompoundRange[] = [];
  for (const inner of stream.extents) {
    let from = inner.offset;
    const end = inner.offset + inner.size;
    for (const outer of miniStream.extents) {
      if (outer.position + outer.size <= from) continue;
      if (outer.position >= end || ranges.length >= extentsMax) break;
      const size = Math.min(end, outer.position + outer.size) - from;
      const offset = outer.offset + from - outer.position;
      const before = ranges.at(-1);
      if (before !== undefined && before.offset + before.size === offset) {
        ranges[ranges.length - 1] = { offset: before.offset, size: before.size + size };
      } else {
        ranges.push({ offset, size });
      }
      from += size;
    }
  }
  return ranges;
}

function toChainCode(walk: ChainWalk): Finding['code'] {
  switch (walk.ending) {
    case 'cycle':
      return 'malformed/cycle';
    case 'limit':
      return 'limit/count';
    case 'outside':
    case 'unlinked':
      return 'malformed/truncated';
    case 'open':
    case 'end':
      return walk.isCrossLinked ? 'malformed/overlap' : 'malformed/structure';
  }
}

function describeWalk(walk: ChainWalk): string {
  const shared = walk.isCrossLinked ? 'shares sectors with another one' : '';
  const how = {
    end: shared === '' ? 'ends there' : '',
    open: 'leads to a sector that is not in use',
    unlinked: `goes on from sector ${walk.last}, which the allocation table does not reach`,
    outside: `leads out of the file, to sector ${walk.last}`,
    cycle: 'runs in a circle',
    limit: 'runs over sectors of other streams for too long',
  }[walk.ending];
  return [shared, how].filter((part) => part !== '').join(' and ');
}

/** Whether a range holds anything but zeros. */
export function hasBytes(source: ByteSource, range: CompoundRange, budget: Budget): boolean {
  for (let at = 0; at < range.size; at += chunkBytes) {
    budget.checkTime();
    const chunk = source.read(range.offset + at, Math.min(chunkBytes, range.size - at));
    if (chunk.some((byte) => byte !== 0)) return true;
  }
  return false;
}
