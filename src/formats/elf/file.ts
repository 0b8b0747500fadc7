/** Reading ELF files; elf.ts says what of them, and by which specification. */
import { type ByteSource, readUpTo, sliceSource } from '../../bytes/byte-source.ts';
import { cutAtZero, toHex, toLatin1 } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { toBoundedReport } from '../bounded-report.ts';
import type { Fact, Member, ReadContext, Reading, Region } from '../model.ts';

const programHeadersMax = 4096;
/** Objects compiled with a section for each function have tens of thousands. */
const sectionHeadersMax = 100_000;
const regionsMax = 4096;
const dynamicEntriesMax = 65_536;
const librariesMax = 1024;
const notesMax = 256;
const noteBytesMax = 1024 * 1024;
const commentBytesMax = 64 * 1024;
const commentsMax = 64;
const textBytesMax = 4096;
/** Names of imported functions are looked through for those of a runtime. */
const dynamicNamesBytesMax = 4 * 1024 * 1024;
const findingsMax = 32;

const sectionType = { strings: 3, note: 7, noBits: 8, symbols: 2 } as const;
const segmentType = { load: 1, dynamic: 2, interpreter: 3, note: 4 } as const;
const dynamicTag = {
  end: 0,
  needed: 1,
  stringTable: 5,
  stringBytes: 10,
  soname: 14,
  rpath: 15,
  runpath: 29,
} as const;
const buildIdNote = 3;

const machines: ReadonlyMap<number, string> = new Map([
  [2, 'sparc'],
  [3, 'x86'],
  [4, 'm68k'],
  [8, 'mips'],
  [20, 'ppc'],
  [21, 'ppc64'],
  [22, 's390'],
  [40, 'arm'],
  [42, 'sh'],
  [43, 'sparc64'],
  [50, 'ia64'],
  [62, 'x64'],
  [183, 'arm64'],
  [243, 'riscv'],
  [258, 'loongarch'],
]);

const fileTypes: ReadonlyMap<number, string> = new Map([
  [1, 'relocatable object'],
  [2, 'executable'],
  [3, 'shared object'],
  [4, 'core dump'],
]);

const systems: ReadonlyMap<number, string> = new Map([
  [0, 'System V'],
  [2, 'NetBSD'],
  [3, 'GNU/Linux'],
  [6, 'Solaris'],
  [9, 'FreeBSD'],
  [12, 'OpenBSD'],
]);

/** Sections that only one runtime or framework has. */
const runtimeSections: readonly (readonly [RegExp, string])[] = [
  [/^\.(?:go\.buildinfo|gopclntab|note\.go\.buildid)$/, 'Go'],
  [/^\.(?:qtversion|qtmetadata|qtplugin|qtmimedatabase|note\.qt\.)/, 'Qt'],
  [/^\.rustc$/, 'Rust'],
  [/^\.note\.stapsdt$/, 'SystemTap probes'],
];

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: bigint;
  readonly fileBytes: number;
}

interface Section {
  readonly nameOffset: number;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
}

/** Reads numbers in the byte order and class of the file. */
class ElfReader {
  readonly source: ByteSource;
  readonly is64: boolean;
  readonly isLittle: boolean;

  constructor(source: ByteSource, is64: boolean, isLittle: boolean) {
    this.source = source;
    this.is64 = is64;
    this.isLittle = isLittle;
  }

  #view(offset: number, length: number): DataView {
    const bytes = this.source.read(offset, length);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  u16(offset: number): number {
    return this.#view(offset, 2).getUint16(0, this.isLittle);
  }
  u32(offset: number): number {
    return this.#view(offset, 4).getUint32(0, this.isLittle);
  }
  /** An address or a value as wide as the class. */
  wide(offset: number): bigint {
    if (!this.is64) return BigInt(this.u32(offset));
    return this.#view(offset, 8).getBigUint64(0, this.isLittle);
  }
  /** As {@link wide}, for offsets and sizes: what no file can have becomes the largest safe number. */
  length(offset: number): number {
    const value = this.wide(offset);
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
  }
}

interface ElfHeader {
  readonly type: number;
  readonly machine: number;
  readonly system: number;
  readonly programOffset: number;
  readonly programEntryBytes: number;
  readonly programCount: number;
  readonly sectionOffset: number;
  readonly sectionEntryBytes: number;
  readonly sectionCount: number;
  readonly sectionNames: number;
}

/** @throws TelltaleError `malformed/header`, `malformed/out-of-range` */
function readHeader(source: ByteSource): { reader: ElfReader; header: ElfHeader } {
  const identification = readUpTo(source, 0, 16);
  const [, , , , wordClass, byteOrder, , system] = identification;
  if ((wordClass !== 1 && wordClass !== 2) || (byteOrder !== 1 && byteOrder !== 2)) {
    throw new TelltaleError('malformed/header', 'has a class or byte order that does not exist', {
      offset: 4,
    });
  }
  const reader = new ElfReader(source, wordClass === 2, byteOrder === 1);
  const [programs, sections, rest] = reader.is64 ? [32, 40, 52] : [28, 32, 40];
  return {
    reader,
    header: {
      type: reader.u16(16),
      machine: reader.u16(18),
      system: system ?? 0,
      programOffset: reader.length(programs),
      sectionOffset: reader.length(sections),
      programEntryBytes: reader.u16(rest + 2),
      programCount: reader.u16(rest + 4),
      sectionEntryBytes: reader.u16(rest + 6),
      sectionCount: reader.u16(rest + 8),
      sectionNames: reader.u16(rest + 10),
    },
  };
}

function readSection(reader: ElfReader, at: number): Section {
  return reader.is64
    ? {
        nameOffset: reader.u32(at),
        type: reader.u32(at + 4),
        offset: reader.length(at + 24),
        size: reader.length(at + 32),
        link: reader.u32(at + 40),
        info: reader.u32(at + 44),
      }
    : {
        nameOffset: reader.u32(at),
        type: reader.u32(at + 4),
        offset: reader.length(at + 16),
        size: reader.length(at + 20),
        link: reader.u32(at + 24),
        info: reader.u32(at + 28),
      };
}

function readSegment(reader: ElfReader, at: number): Segment {
  return reader.is64
    ? {
        type: reader.u32(at),
        offset: reader.length(at + 8),
        address: reader.wide(at + 16),
        fileBytes: reader.length(at + 32),
      }
    : {
        type: reader.u32(at),
        offset: reader.length(at + 4),
        address: reader.wide(at + 8),
        fileBytes: reader.length(at + 16),
      };
}

/** Everything that is read of one file, with its faults. */
class ElfFile {
  readonly #source: ByteSource;
  readonly #context: ReadContext;
  readonly #reader: ElfReader;
  readonly #header: ElfHeader;
  readonly #segments: readonly Segment[];
  readonly #sections: readonly (Section & { readonly name: string })[];
  /** End of what the headers describe. */
  readonly #describedEnd: number;

  constructor(source: ByteSource, context: ReadContext) {
    this.#source = source;
    this.#context = { ...context, report: toBoundedReport(context.report, findingsMax) };
    const { reader, header } = readHeader(source);
    this.#reader = reader;
    this.#header = header;
    const first = this.#tryFirstSection();
    const programCount =
      header.programCount === 0xffff && first !== undefined ? first.info : header.programCount;
    const sectionCount = header.sectionCount === 0 && first !== undefined ? first.size : header.sectionCount;
    const namesIndex =
      header.sectionNames === 0xffff && first !== undefined ? first.link : header.sectionNames;
    this.#segments = this.#readTable(
      'program header',
      header.programOffset,
      header.programEntryBytes,
      programCount,
      reader.is64 ? 56 : 32,
      programHeadersMax,
      readSegment,
    );
    const sections = this.#readTable(
      'section header',
      header.sectionOffset,
      header.sectionEntryBytes,
      header.sectionOffset === 0 ? 0 : sectionCount,
      reader.is64 ? 64 : 40,
      sectionHeadersMax,
      readSection,
    );
    const names = sections[namesIndex];
    this.#sections = sections.map((section) => ({
      ...section,
      name: names === undefined ? '' : this.#text(names.offset, names.size, section.nameOffset),
    }));
    const described = [
      // Not what the header says of itself: an overlay that begins at 0 would be the file again.
      reader.is64 ? 64 : 52,
      this.#segments.length === 0 ? 0 : header.programOffset + programCount * header.programEntryBytes,
      sections.length === 0 ? 0 : header.sectionOffset + sectionCount * header.sectionEntryBytes,
    ];
    for (const { offset, fileBytes } of this.#segments) if (fileBytes > 0) described.push(offset + fileBytes);
    for (const { type, offset, size } of sections) {
      if (type !== sectionType.noBits && type !== 0 && size > 0) described.push(offset + size);
    }
    this.#describedEnd = described.reduce((most, end) => Math.max(most, end), 0);
  }

  /** Counts that do not fit into the header stand in the first section (section "ELF Header" of the specification). */
  #tryFirstSection(): Section | undefined {
    const { sectionOffset, sectionCount, programCount, sectionNames } = this.#header;
    const isNeeded = sectionCount === 0 || programCount === 0xffff || sectionNames === 0xffff;
    const bytes = this.#reader.is64 ? 64 : 40;
    if (!isNeeded || sectionOffset === 0 || sectionOffset + bytes > this.#source.size) return undefined;
    return readSection(this.#reader, sectionOffset);
  }

  #readTable<Entry>(
    what: string,
    offset: number,
    entryBytes: number,
    count: number,
    leastBytes: number,
    limit: number,
    readEntry: (reader: ElfReader, at: number) => Entry,
  ): Entry[] {
    if (count === 0 || offset === 0) return [];
    const report = (
      code: 'malformed/header' | 'malformed/truncated' | 'limit/count',
      message: string,
    ): void =>
      this.#context.report({
        code,
        message: `has a ${what} ${message}`,
        offset,
        consequence:
          'what the rest of it describes was not looked at by its structure; its bytes were searched',
        incomplete: true,
      });
    if (entryBytes < leastBytes) {
      report('malformed/header', `with entries of ${entryBytes} bytes, too few`);
      return [];
    }
    const room = Math.max(0, Math.floor((this.#source.size - offset) / entryBytes));
    if (room < count) report('malformed/truncated', `of ${count} entries, of which ${room} are there`);
    if (count > limit) report('limit/count', `of more than ${limit} entries`);
    const entries: Entry[] = [];
    for (let index = 0; index < Math.min(count, room, limit); index += 1) {
      if (index % 1024 === 0) this.#context.budget.checkTime();
      entries.push(readEntry(this.#reader, offset + index * entryBytes));
    }
    return entries;
  }

  /** A text in a table of texts; empty when it does not lie inside. */
  #text(tableOffset: number, tableBytes: number, at: number): string {
    if (at >= tableBytes) return '';
    return toText(readUpTo(this.#source, tableOffset + at, Math.min(textBytesMax, tableBytes - at)));
  }

  /** File offset of an address in memory. */
  #toOffset(address: bigint): { offset: number; room: number } | undefined {
    for (const { type, address: start, offset, fileBytes } of this.#segments) {
      if (type !== segmentType.load || address < start || address >= start + BigInt(fileBytes)) continue;
      const within = Number(address - start);
      return { offset: offset + within, room: fileBytes - within };
    }
    return undefined;
  }

  read(): Reading {
    const facts = [...this.#describeHeader(), ...this.#readInterpreter(), ...this.#readDynamic()];
    facts.push(
      ...this.#readNotes(),
      ...this.#readComments(),
      ...this.#findRuntimes(),
      ...this.#noteAppImage(),
    );
    const missing = this.#describedEnd - this.#source.size;
    if (missing > 0) {
      this.#context.report({
        code: 'malformed/truncated',
        message: `should have ${missing} more bytes by its headers`,
        offset: this.#source.size,
        consequence: 'what would be in them is missing',
        incomplete: true,
      });
    }
    const overlay = { offset: this.#describedEnd, size: Math.max(0, -missing) };
    const regions = this.#toRegions();
    if (overlay.size === 0) return { facts, regions };
    facts.push({ kind: 'overlay', value: overlay.size, region: 'overlay', offset: overlay.offset });
    regions.push({ name: 'overlay', ...overlay });
    const member: Member = {
      name: '[overlay]',
      relation: 'part',
      content: {
        kind: 'source',
        source: sliceSource(this.#source, overlay.offset, overlay.size),
        containerOffset: overlay.offset,
      },
    };
    return { facts, regions, members: () => [member] };
  }

  #describeHeader(): Fact[] {
    const { type, machine, system } = this.#header;
    const has = (wanted: number): boolean => this.#segments.some((segment) => segment.type === wanted);
    const isPie = type === 3 && has(segmentType.interpreter);
    const fields: (readonly [string, string])[] = [
      ['fileType', isPie ? 'position-independent executable' : (fileTypes.get(type) ?? toHexNumber(type))],
      ['class', this.#reader.is64 ? '64-bit' : '32-bit'],
      ['byteOrder', this.#reader.isLittle ? 'little-endian' : 'big-endian'],
      ['system', systems.get(system) ?? toHexNumber(system)],
    ];
    if (type === 2 || type === 3) {
      fields.push([
        'linkage',
        has(segmentType.interpreter) || has(segmentType.dynamic) ? 'dynamic' : 'static',
      ]);
    }
    if (this.#sections.length > 0) {
      const isStripped = !this.#sections.some((section) => section.type === sectionType.symbols);
      fields.push(['symbols', isStripped ? 'stripped' : 'present']);
    }
    return [
      { kind: 'machine', value: machines.get(machine) ?? toHexNumber(machine), offset: 18 },
      ...fields.map(([name, value]): Fact => ({ kind: 'programField', name, value })),
    ];
  }

  #readInterpreter(): Fact[] {
    const segment = this.#segments.find(({ type }) => type === segmentType.interpreter);
    if (segment === undefined) return [];
    const value = this.#text(segment.offset, segment.fileBytes, 0);
    return value === '' ? [] : [{ kind: 'programField', name: 'interpreter', value, offset: segment.offset }];
  }

  #readDynamic(): Fact[] {
    const segment = this.#segments.find(({ type }) => type === segmentType.dynamic);
    if (segment === undefined) return [];
    const width = this.#reader.is64 ? 8 : 4;
    const present = Math.max(0, Math.min(segment.fileBytes, this.#source.size - segment.offset));
    const count = Math.min(dynamicEntriesMax, Math.floor(present / (2 * width)));
    const texts: { readonly tag: number; readonly value: number; readonly offset: number }[] = [];
    let stringTable: bigint | undefined;
    let stringBytes: number | undefined;
    for (let index = 0; index < count; index += 1) {
      if (index % 1024 === 0) this.#context.budget.checkTime();
      const offset = segment.offset + index * 2 * width;
      const tag = this.#reader.length(offset);
      if (tag === dynamicTag.end) break;
      if (tag === dynamicTag.stringTable) stringTable = this.#reader.wide(offset + width);
      else if (tag === dynamicTag.stringBytes) stringBytes = this.#reader.length(offset + width);
      else if (
        tag === dynamicTag.needed ||
        tag === dynamicTag.soname ||
        tag === dynamicTag.rpath ||
        tag === dynamicTag.runpath
      ) {
        if (texts.length < librariesMax)
          texts.push({ tag, value: this.#reader.length(offset + width), offset });
      }
    }
    const table = stringTable === undefined ? undefined : this.#toOffset(stringTable);
    if (table === undefined) {
      if (texts.length > 0) {
        this.#context.report({
          code: 'malformed/structure',
          message: 'has a table of names for linking that lies in no loaded part',
          offset: segment.offset,
          consequence: 'the libraries that it needs are not known',
          incomplete: true,
        });
      }
      return [];
    }
    const bytes = Math.min(table.room, stringBytes ?? table.room);
    return texts.flatMap(({ tag, value, offset }): Fact[] => {
      const text = this.#text(table.offset, bytes, value);
      if (text === '') return [];
      switch (tag) {
        case dynamicTag.needed:
          return [{ kind: 'importedLibrary', value: text.toLowerCase(), offset }];
        case dynamicTag.soname:
          return [{ kind: 'moduleName', value: text, offset }];
        case dynamicTag.rpath:
          return [{ kind: 'programField', name: 'rpath', value: text, offset }];
        default:
          return [{ kind: 'programField', name: 'runPath', value: text, offset }];
      }
    });
  }

  #readNotes(): Fact[] {
    const ranges = this.#segments
      .filter(({ type }) => type === segmentType.note)
      .map(({ offset, fileBytes }) => ({ offset, size: fileBytes }));
    // Objects have no segments; where there are some, sections say the same.
    if (ranges.length === 0) ranges.push(...this.#sections.filter(({ type }) => type === sectionType.note));
    const facts: Fact[] = [];
    for (const { offset, size } of ranges) {
      const bytes = Math.min(size, noteBytesMax);
      let at = 0;
      while (at + 12 <= bytes && facts.length < notesMax) {
        this.#context.budget.checkTime();
        if (offset + at + 12 > this.#source.size) return facts;
        const nameBytes = this.#reader.u32(offset + at);
        const contentBytes = this.#reader.u32(offset + at + 4);
        const type = this.#reader.u32(offset + at + 8);
        const contentAt = at + 12 + alignToWord(nameBytes);
        if (contentAt + contentBytes > bytes || offset + contentAt + contentBytes > this.#source.size) break;
        const owner = this.#text(offset + at + 12, nameBytes, 0);
        const place = { offset: offset + at };
        if (owner === 'GNU' && type === buildIdNote) {
          const id = toHex(readUpTo(this.#source, offset + contentAt, Math.min(contentBytes, 64)));
          facts.push({ kind: 'programField', name: 'buildId', value: id, ...place });
        }
        facts.push({
          kind: 'programField',
          name: 'note',
          value: owner,
          ...place,
          detail: { type, size: contentBytes },
        });
        at = contentAt + alignToWord(contentBytes);
      }
    }
    return facts;
  }

  /** What compilers and linkers left of themselves. */
  #readComments(): Fact[] {
    const section = this.#sections.find(({ name }) => name === '.comment');
    if (section === undefined || section.type === sectionType.noBits) return [];
    const bytes = readUpTo(this.#source, section.offset, Math.min(section.size, commentBytesMax));
    const texts = new Set(
      toLatin1(bytes)
        .split('\0')
        .map((text) => text.trim().slice(0, textBytesMax))
        .filter((text) => text !== ''),
    );
    return [...texts]
      .slice(0, commentsMax)
      .map((value): Fact => ({ kind: 'createdBy', value, region: '.comment', offset: section.offset }));
  }

  /** Runtimes and frameworks, by what only they leave in a file. */
  #findRuntimes(): Fact[] {
    const found = new Map<string, number>();
    for (const { name, offset } of this.#sections) {
      for (const [pattern, runtime] of runtimeSections) {
        if (pattern.test(name) && !found.has(runtime)) found.set(runtime, offset);
      }
    }
    const names = this.#sections.find(({ name }) => name === '.dynstr');
    if (names !== undefined) {
      const text = toLatin1(readUpTo(this.#source, names.offset, Math.min(names.size, dynamicNamesBytesMax)));
      if (/(?:^|\0)(?:napi_|node_api_|node_module_register)/.test(text)) found.set('Node.js', names.offset);
      if (/(?:^|\0)rust_(?:begin_unwind|eh_personality|panic)/.test(text)) found.set('Rust', names.offset);
    }
    const comment = this.#sections.find(({ name }) => name === '.comment');
    if (comment !== undefined) {
      const text = toLatin1(readUpTo(this.#source, comment.offset, Math.min(comment.size, commentBytesMax)));
      if (text.includes('rustc version ')) found.set('Rust', comment.offset);
    }
    return [...found].map(
      ([value, offset]): Fact => ({ kind: 'programField', name: 'runtime', value, offset }),
    );
  }

  /** `AI`, then 1 (an ISO image) or 2 (a file system behind the program), in unused bytes of the header. */
  #noteAppImage(): Fact[] {
    const [first, second, type] = readUpTo(this.#source, 8, 3);
    if (first !== 0x41 || second !== 0x49 || (type !== 1 && type !== 2)) return [];
    return [{ kind: 'programField', name: 'appImage', value: `type ${type}`, offset: 8 }];
  }

  #toRegions(): Region[] {
    const size = this.#source.size;
    const named = this.#sections.flatMap((section): Region[] =>
      section.type === 0 || section.type === sectionType.noBits
        ? []
        : [
            {
              name: section.name === '' ? 'section' : section.name,
              offset: section.offset,
              size: section.size,
            },
          ],
    );
    // Without sections, loaded parts are all that places can be named by.
    const ranges =
      named.length > 0
        ? named
        : this.#segments
            .filter(({ type }) => type === segmentType.load)
            .map(
              ({ offset, fileBytes }, index): Region => ({
                name: `segment ${index}`,
                offset,
                size: fileBytes,
              }),
            );
    return ranges
      .filter((range) => range.size > 0 && range.offset < size)
      .slice(0, regionsMax)
      .map((range) => ({ ...range, size: Math.min(range.size, size - range.offset) }))
      .sort((a, b) => a.offset - b.offset || a.size - b.size);
  }
}

function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(cutAtZero(bytes));
}

function toHexNumber(value: number): string {
  return `0x${value.toString(16)}`;
}

function alignToWord(length: number): number {
  return Math.ceil(length / 4) * 4;
}

/**
 * Facts, regions and parts of one program or library.
 *
 * @throws TelltaleError `malformed/header` when there is no header that can be read
 */
export function readElf(source: ByteSource, context: ReadContext): Reading {
  return new ElfFile(source, context).read();
}
