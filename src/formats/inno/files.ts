/**
 * The files in an Inno Setup installer: chunks of compressed data, each with one file or, when the installer is solid,
 * many. A chunk is `zlb` 1A, then a stream; what a file says of its place counts in the decoded stream.
 *
 * @see https://github.com/jrsoftware/issrc `Projects/Src/Setup.FileExtractor.pas`
 * @see https://github.com/dscharrer/innoextract `src/stream/chunk.cpp`
 */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, readChunks, readUpTo, sliceSource } from '../../bytes/byte-source.ts';
import { chainSources } from '../../bytes/chain-sources.ts';
import { Cursor, toHex } from '../../bytes/cursor.ts';
import { TelltaleError, toErrorFamily } from '../../bytes/errors.ts';
import { Digester } from '../../platform/digests.ts';
import { adler32, crc32, inflate } from '../../platform/inflate.ts';
import { decodeBzip2 } from '../codecs/bzip2.ts';
import { decodeLzma2Chunks, tryToLzma2DictionaryBytes } from '../codecs/lzma.ts';
import type { Finding, Member, MemberInflow, MemberSink, ReadContext } from '../model.ts';
import { decodeLzmaWithHeader } from './block.ts';
import { type CallFilter, type CallFilterKind, createCallFilter } from './call-filter.ts';
import { type CompressionMethod, hasLocation, type SetupData } from './header.ts';
import type { InnoRecord } from './records.ts';
import { type TextDecode, toMemberName } from './text.ts';
import { type InnoVersion, toVersionNumber } from './version.ts';

const chunkMagic = 0x1a62_6c7a; // `zlb` 1A
const magicBytes = 4;
const inputChunkBytes = 64 * 1024;

/** Opens `setup-1.bin` and so on, which lie beside an installer whose data is not in it. */
export type OpenSlice = (name: string) => ByteSource | undefined;

type MemberHead = Omit<Member, 'content'>;

/** One file in a chunk: the bytes of a location, under each name that it is installed as. */
interface StoredFile {
  /** Number of the member with the first of the names. */
  readonly firstIndex: number;
  readonly heads: readonly MemberHead[];
  /** Place in the decoded chunk. */
  readonly start: number;
  readonly size: number;
  readonly filter: CallFilterKind | undefined;
  readonly checksum: { readonly kind: ChecksumKind; readonly hex: string };
}

type ChecksumKind = 'adler32' | 'crc32' | 'md5' | 'sha1' | 'sha256';

interface Chunk {
  /** For `closed`, why it cannot be decoded. */
  readonly content: { readonly source: ByteSource } | { readonly closed: Finding };
  readonly method: CompressionMethod;
  /** Ordered by place. */
  readonly files: readonly StoredFile[];
  /** In the file; undefined in a slice. */
  readonly range: { readonly offset: number; readonly size: number } | undefined;
}

/** The files of an installer, ready to be decoded. */
export interface InstalledFiles {
  readonly count: number;
  /** Ranges of the installer that chunks take. */
  readonly ranges: readonly { readonly offset: number; readonly size: number }[];
  pour(sink: MemberSink, from: number): Promise<number | undefined>;
}

/**
 * Finds the files; nothing is decoded yet.
 *
 * @param dataOffset - where the first slice starts in the source, or 0 when slices are files of their own
 */
export function findFiles(
  source: ByteSource,
  data: SetupData,
  dataOffset: number,
  decode: TextDecode,
  context: ReadContext,
  openSlice?: OpenSlice,
): InstalledFiles {
  const heads = listHeads(data, decode);
  const slices = new Slices(source, dataOffset, data, decode, toStem(context.file?.path), openSlice);
  const drafts = new Map<
    string,
    { location: InnoRecord; files: { location: InnoRecord; number: number }[] }
  >();
  data.locations.forEach((location, number) => {
    const key = ['FirstSlice', 'StartOffset', 'ChunkCompressedSize']
      .map((name) => location.numbers.get(name) ?? 0)
      .concat(Number(isCompressed(location, data.version)), Number(location.members.has('ChunkEncrypted')))
      .join('/');
    let draft = drafts.get(key);
    if (draft === undefined) {
      draft = { location, files: [] };
      drafts.set(key, draft);
    }
    draft.files.push({ location, number });
  });
  const ordered = [...drafts.values()].sort(
    (a, b) =>
      read(a.location, 'FirstSlice') - read(b.location, 'FirstSlice') ||
      read(a.location, 'StartOffset') - read(b.location, 'StartOffset'),
  );

  let index = 0;
  const chunks: Chunk[] = ordered.map(({ location, files }) => {
    files.sort(
      (a, b) =>
        read(a.location, 'ChunkSuboffset') - read(b.location, 'ChunkSuboffset') ||
        read(a.location, 'OriginalSize') - read(b.location, 'OriginalSize') ||
        a.number - b.number,
    );
    const stored = files.map((file): StoredFile => {
      const named = heads.get(file.number) ?? [toUnnamedHead(file.location, file.number)];
      const firstIndex = index;
      index += named.length;
      return {
        firstIndex,
        heads: named,
        start: read(file.location, 'ChunkSuboffset'),
        size: read(file.location, 'OriginalSize'),
        filter: toFilterKind(file.location, data.version),
        checksum: toChecksum(file.location),
      };
    });
    const isNeeded = stored.some(({ size }) => size > 0);
    return {
      ...openChunk(location, data.version, slices, isNeeded),
      method: toMethod(location, data),
      files: stored,
    };
  });

  const reportedChunks = new Set<Chunk>();
  return {
    count: index,
    ranges: chunks.flatMap(({ range }) => (range === undefined ? [] : [range])),
    async pour(sink, from) {
      for (const chunk of chunks) {
        const last = chunk.files.at(-1);
        if (last === undefined || last.firstIndex + last.heads.length <= from) continue;
        const flow = new ChunkFlow(chunk, sink, from, context.budget);
        const outcome = await flow.run();
        if (flow.hasSurplus && !reportedChunks.has(chunk)) {
          reportedChunks.add(chunk);
          context.report({
            code: 'malformed/structure',
            message: 'has bytes in its compressed data that belong to no file',
            ...(chunk.range === undefined ? {} : { offset: chunk.range.offset }),
            consequence: 'these bytes were not looked at; the installer does not use them',
            incomplete: true,
          });
        }
        if (outcome === 'stop') return undefined;
        if (outcome !== 'done') return outcome;
      }
      return undefined;
    },
  };
}

/** The name of a file without folder and ending. */
function toStem(path: string | undefined): string | undefined {
  return path?.replace(/^.*[/\\]/, '').replace(/\.[^.]*$/, '');
}

function read(location: InnoRecord, name: string): number {
  return location.numbers.get(name) ?? 0;
}

/** What the files with data are called, by the number of their location. */
function listHeads(data: SetupData, decode: TextDecode): Map<number, MemberHead[]> {
  const heads = new Map<number, MemberHead[]>();
  for (const file of data.records.get('file') ?? []) {
    if (!hasLocation(file)) continue;
    const number = read(file, 'LocationEntry');
    const destination = toMemberName(decode(file.bytes.get('DestName')));
    const isUninstaller = (file.numbers.get('FileType') ?? 0) === 1;
    const name = destination === '' ? (isUninstaller ? '[uninstaller]' : `[file ${number}]`) : destination;
    const list = heads.get(number);
    if (list === undefined) heads.set(number, [{ name, relation: 'file' }]);
    else list.push({ name, relation: 'file' });
  }
  return heads;
}

/** Data to which no file entry points: the installer does not install it, which is no reason not to look at it. */
function toUnnamedHead(location: InnoRecord, number: number): MemberHead {
  return {
    name: location.members.has('IsUninstExe') ? '[uninstaller]' : `[location ${number}]`,
    relation: 'file',
  };
}

const compressedFlagSince = toVersionNumber('4.2.5');

function isCompressed(location: InnoRecord, { number }: InnoVersion): boolean {
  return number < compressedFlagSince || location.members.has('ChunkCompressed');
}

function toMethod(location: InnoRecord, data: SetupData): CompressionMethod {
  if (location.members.has('BZipped')) return 'bzip2';
  return isCompressed(location, data.version) ? data.compression : 'stored';
}

function toFilterKind(location: InnoRecord, { number }: InnoVersion): CallFilterKind | undefined {
  if (!location.members.has('CallInstructionOptimized')) return undefined;
  if (number < toVersionNumber('5.2.0')) return '4.1.8';
  return number < toVersionNumber('5.3.9') ? '5.2.0' : '5.3.9';
}

const checksumFields = [
  ['Sha256', 'sha256'],
  ['Sha1', 'sha1'],
  ['Md5', 'md5'],
  ['Crc32', 'crc32'],
  ['Adler32', 'adler32'],
] as const;

function toChecksum(location: InnoRecord): StoredFile['checksum'] {
  for (const [field, kind] of checksumFields) {
    const bytes = location.bytes.get(field);
    if (bytes === undefined) continue;
    // The short ones are stored as numbers, little-endian.
    return { kind, hex: toHex(bytes.length === 4 ? bytes.toReversed() : bytes) };
  }
  return { kind: 'adler32', hex: '' };
}

/** Where the chunks lie: in the installer behind the loader, or in slices beside it. */
class Slices {
  readonly #source: ByteSource;
  readonly #dataOffset: number;
  readonly #firstNumber: number;
  readonly #perDisk: number;
  readonly #baseName: string;
  readonly #headerBytes: number;
  readonly #openSlice: OpenSlice | undefined;
  readonly #opened = new Map<number, ByteSource | undefined>();

  constructor(
    source: ByteSource,
    dataOffset: number,
    data: SetupData,
    decode: TextDecode,
    installerName: string | undefined,
    openSlice: OpenSlice | undefined,
  ) {
    this.#source = source;
    this.#dataOffset = dataOffset;
    this.#openSlice = openSlice;
    this.#firstNumber = data.version.number < toVersionNumber('4.0.0') ? 1 : 0;
    this.#perDisk = Math.max(1, data.header.numbers.get('SlicesPerDisk') ?? 1);
    this.#baseName = installerName ?? (decode(data.header.bytes.get('BaseFilename')) || 'setup');
    this.#headerBytes = data.version.number < toVersionNumber('6.5.2') ? 12 : 16;
  }

  /** `setup-1.bin`, or `setup-1a.bin` where a disk holds several. */
  toName(slice: number): string {
    const number = slice - this.#firstNumber;
    const letter = this.#perDisk === 1 ? '' : String.fromCharCode(0x61 + ((number % this.#perDisk) % 26));
    return `${this.#baseName}-${Math.floor(number / this.#perDisk) + 1}${letter}.bin`;
  }

  get areInside(): boolean {
    return this.#dataOffset !== 0;
  }

  /** @returns offset in the installer of what the location calls its start */
  toOffset(start: number): number {
    return this.#dataOffset + start;
  }

  /**
   * `length` bytes from a place in a slice, going on in the slices behind it.
   *
   * @throws TelltaleError `unreadable/missing` when a slice was not given
   */
  open(slice: number, start: number, length: number): ByteSource {
    if (this.areInside) {
      const offset = Math.min(this.toOffset(start), this.#source.size);
      return sliceSource(this.#source, offset, Math.min(length, this.#source.size - offset));
    }
    const parts: ByteSource[] = [];
    let left = length;
    let at = start;
    for (let number = slice; left > 0; number += 1) {
      const opened = this.#openOne(number);
      if (opened === undefined) {
        if (parts.length > 0) break;
        throw new TelltaleError(
          'unreadable/missing',
          `its data is in "${this.toName(number)}", which was not given`,
        );
      }
      const size = Math.min(left, Math.max(0, opened.size - at));
      if (size === 0 && parts.length > 0) break;
      parts.push(sliceSource(opened, Math.min(at, opened.size), size));
      left -= size;
      at = this.#headerBytes;
      if (size === 0) break;
    }
    return chainSources(parts);
  }

  #openOne(slice: number): ByteSource | undefined {
    if (!this.#opened.has(slice)) this.#opened.set(slice, this.#openSlice?.(this.toName(slice)));
    return this.#opened.get(slice);
  }
}

function openChunk(
  location: InnoRecord,
  version: InnoVersion,
  slices: Slices,
  isNeeded: boolean,
): Pick<Chunk, 'content' | 'range'> {
  const start = read(location, 'StartOffset');
  const size = read(location, 'ChunkCompressedSize');
  const offset = slices.areInside ? slices.toOffset(start) : undefined;
  const close = (code: TelltaleError['code'], message: string): Pick<Chunk, 'content' | 'range'> => ({
    content: {
      closed: {
        code,
        message,
        ...(offset === undefined ? {} : { offset }),
        consequence: 'it was not looked at',
        incomplete: true,
      },
    },
    range: undefined,
  });
  if (!Number.isSafeInteger(start + size + magicBytes)) {
    return close('malformed/out-of-range', 'its data lies at an impossible place');
  }
  const isEncrypted = location.members.has('ChunkEncrypted');
  // What stands in front of encrypted data, and is not counted, belongs to it; the newer kind has nothing there.
  const saltBytes = isEncrypted && version.number < saltUntil ? 8 : 0;
  let whole: ByteSource;
  try {
    whole = slices.open(read(location, 'FirstSlice'), start, magicBytes + saltBytes + size);
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    return isNeeded ? close(error.code, error.message) : nothing;
  }
  const magic = readUpTo(whole, 0, magicBytes);
  const isChunk = magic.length === magicBytes && new Cursor(magic).u32() === chunkMagic;
  const range = offset === undefined || !isChunk ? undefined : { offset, size: whole.size };
  // A chunk of empty files is there, but what is in it does not matter.
  if (!isNeeded) return { ...nothing, range };
  if (magic.length < magicBytes) return close('malformed/truncated', 'the installer ends before its data');
  if (isEncrypted) return { ...close('encrypted/member', 'is encrypted with a password'), range };
  if (!isChunk) {
    return close('malformed/header', 'there is no compressed data at the place where its data should be');
  }
  return { content: { source: sliceSource(whole, magicBytes, whole.size - magicBytes) }, range };
}

const nothing: Pick<Chunk, 'content' | 'range'> = {
  content: { source: { size: 0, read: () => new Uint8Array(0) } },
  range: undefined,
};
const saltUntil = toVersionNumber('6.4.0');

/** The bytes of a chunk, decoded. */
async function* decodeChunk(
  source: ByteSource,
  method: CompressionMethod,
  budget: Budget,
): AsyncGenerator<Uint8Array, void, void> {
  const input = (): Iterable<Uint8Array> => readChunks(source, inputChunkBytes);
  switch (method) {
    case 'stored':
      yield* input();
      return;
    case 'zlib':
      yield* inflate(source, 'zlib');
      return;
    case 'bzip2':
      yield* decodeBzip2(input(), budget);
      return;
    case 'lzma':
      yield* decodeLzmaWithHeader(input(), budget);
      return;
    case 'lzma2': {
      const [property] = readUpTo(source, 0, 1);
      if (property === undefined)
        throw new TelltaleError('malformed/truncated', 'ends before its compressed data');
      const dictionaryBytes = tryToLzma2DictionaryBytes(property);
      if (dictionaryBytes === undefined) {
        throw new TelltaleError('malformed/compressed-data', 'has an LZMA2 dictionary of an impossible size');
      }
      const stream = sliceSource(source, 1, source.size - 1);
      yield* decodeLzma2Chunks(readChunks(stream, inputChunkBytes), { dictionaryBytes, budget });
    }
  }
}

/** The checksum of a file while its bytes come. */
class RunningChecksum {
  readonly #expected: StoredFile['checksum'];
  readonly #digester: Digester | undefined;
  #value: number;

  constructor(expected: StoredFile['checksum']) {
    this.#expected = expected;
    const { kind } = expected;
    this.#digester =
      kind === 'md5' || kind === 'sha1' || kind === 'sha256' ? new Digester([kind]) : undefined;
    this.#value = kind === 'adler32' ? 1 : 0;
  }

  update(bytes: Uint8Array): void {
    if (this.#digester !== undefined) this.#digester.update(bytes);
    else if (this.#expected.kind === 'crc32') this.#value = crc32(bytes, this.#value);
    else this.#value = adler32(bytes, this.#value);
  }

  holds(): boolean {
    const { kind, hex } = this.#expected;
    if (this.#digester === undefined) return this.#value.toString(16).padStart(8, '0') === hex;
    const digests: Readonly<Record<string, string>> = this.#digester.finish();
    return digests[kind] === hex;
  }
}

/** A file that is being poured. */
interface OpenFile {
  readonly file: StoredFile;
  readonly inflows: readonly MemberInflow[];
  readonly filter: CallFilter | undefined;
  readonly checksum: RunningChecksum;
  /** Bytes that came, before the filter. */
  taken: number;
}

/** One pass over one chunk. */
class ChunkFlow {
  readonly #chunk: Chunk;
  readonly #sink: MemberSink;
  readonly #from: number;
  readonly #budget: Budget;
  /** Files that were not begun, in order. */
  #waiting: StoredFile[];
  #open: OpenFile[] = [];
  #position = 0;
  /** The first member for which there was no room. */
  #later: number | undefined;
  #isStopped = false;
  /** Whether more was decoded than the files need. */
  hasSurplus = false;

  constructor(chunk: Chunk, sink: MemberSink, from: number, budget: Budget) {
    this.#chunk = chunk;
    this.#sink = sink;
    this.#from = from;
    this.#budget = budget;
    this.#waiting = chunk.files.filter(({ firstIndex, heads }) => firstIndex + heads.length > from);
  }

  /** @returns `stop`, or the number of the first member that is still to come from this chunk */
  async run(): Promise<'done' | 'stop' | number> {
    const { content, method } = this.#chunk;
    if ('closed' in content) {
      for (const file of this.#waiting) this.#refuse(file, content.closed);
      return 'done';
    }
    this.#begin();
    let fault: TelltaleError | undefined;
    if (this.#isBusy) {
      try {
        for await (const bytes of decodeChunk(content.source, method, this.#budget)) {
          if (!this.#isBusy) {
            this.hasSurplus = bytes.length > 0 && !this.#isStopped;
            break;
          }
          this.#take(bytes);
          if (this.#isStopped || this.#later !== undefined) if (this.#open.length === 0) break;
        }
      } catch (error) {
        if (!(error instanceof TelltaleError)) throw error;
        fault = error;
      }
    }
    if (this.#isStopped) {
      for (const { inflows } of this.#open) for (const inflow of inflows) inflow.end();
      return 'stop';
    }
    this.#close(fault);
    // A limit is for whoever asked to report; nothing more can be decoded.
    if (fault !== undefined && this.#later === undefined && toErrorFamily(fault.code) === 'limit') {
      if (fault.code !== 'limit/memory') throw fault;
    }
    return this.#later ?? 'done';
  }

  get #isBusy(): boolean {
    return (
      this.#open.length > 0 || (this.#waiting.length > 0 && this.#later === undefined && !this.#isStopped)
    );
  }

  /** Begins the files that start here. */
  #begin(): void {
    for (;;) {
      const [file] = this.#waiting;
      if (file === undefined || file.start > this.#position || this.#later !== undefined || this.#isStopped)
        return;
      this.#waiting.shift();
      const inflows: MemberInflow[] = [];
      for (const [offset, head] of file.heads.entries()) {
        const index = file.firstIndex + offset;
        if (index < this.#from) continue;
        const inflow = this.#sink.begin(head, file.size);
        if (inflow === 'stop') {
          this.#isStopped = true;
          break;
        }
        if (inflow === 'later') {
          this.#later = index;
          break;
        }
        inflows.push(inflow);
      }
      if (inflows.length === 0) continue;
      const filter = file.filter === undefined ? undefined : createCallFilter(file.filter);
      const open = { file, inflows, filter, checksum: new RunningChecksum(file.checksum), taken: 0 };
      if (file.size === 0) this.#finish(open);
      else this.#open.push(open);
    }
  }

  /** Gives decoded bytes to the files that they belong to. */
  #take(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.#isStopped) {
      this.#begin();
      if (!this.#isBusy) {
        this.hasSurplus = true;
        return;
      }
      const next = this.#waiting[0];
      let end = bytes.length;
      if (next !== undefined && this.#later === undefined)
        end = Math.min(end, at + next.start - this.#position);
      for (const { file, taken } of this.#open) end = Math.min(end, at + file.size - taken);
      const part = bytes.subarray(at, end);
      // Nobody else charges bytes that are decoded only to come to those behind them.
      if (this.#open.length === 0) this.#budget.chargeBytes(part.length);
      for (const open of this.#open) this.#pass(open, part);
      this.#position += part.length;
      at = end;
      const done = this.#open.filter(({ file, taken }) => taken >= file.size);
      if (done.length > 0) {
        this.#open = this.#open.filter(({ file, taken }) => taken < file.size);
        for (const open of done) this.#finish(open);
      }
    }
    this.#begin();
  }

  #pass(open: OpenFile, part: Uint8Array): void {
    open.taken += part.length;
    this.#deliver(open, open.filter === undefined ? part : open.filter.write(part));
  }

  #deliver(open: OpenFile, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    open.checksum.update(bytes);
    for (const inflow of open.inflows) if (!inflow.write(bytes)) this.#isStopped = true;
  }

  #finish(open: OpenFile): void {
    if (open.filter !== undefined) this.#deliver(open, open.filter.end());
    const holds = open.checksum.holds();
    for (const inflow of open.inflows) {
      if (holds) inflow.end();
      else inflow.end(wrongChecksum);
    }
  }

  /** Ends what the chunk did not fill. */
  #close(fault: TelltaleError | undefined): void {
    const finding = this.#toFinding(fault);
    for (const open of this.#open) {
      if (open.filter !== undefined) this.#deliver(open, open.filter.end());
      for (const inflow of open.inflows) inflow.end(finding);
    }
    this.#open = [];
    if (this.#later !== undefined) return;
    for (const file of this.#waiting) this.#refuse(file, finding);
    this.#waiting = [];
  }

  #toFinding(fault: TelltaleError | undefined): Finding {
    const offset = this.#chunk.range?.offset;
    return {
      code: fault?.code ?? 'malformed/truncated',
      message:
        fault === undefined
          ? 'its compressed data ends too early'
          : `its compressed data is damaged: ${fault.message}`,
      ...(offset === undefined ? {} : { offset }),
      consequence: 'what was unpacked before that place was searched, the rest was not',
      incomplete: true,
    };
  }

  #refuse(file: StoredFile, finding: Finding): void {
    for (const [offset, head] of file.heads.entries()) {
      if (file.firstIndex + offset >= this.#from) this.#sink.refuse(head, finding, file.size);
    }
  }
}

const wrongChecksum: Finding = {
  code: 'malformed/checksum',
  message: 'does not have the checksum that the installer holds for it',
  consequence:
    'the installer was changed or damaged after it was made; what was unpacked was searched as it is',
  incomplete: true,
};
