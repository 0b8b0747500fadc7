/** Opening Inno Setup installers; index.ts says which, and from which sources that is known. */
import { type ByteSource, sliceSource, toByteSource } from '../../bytes/byte-source.ts';
import type { Fact, Member, MemberSink, ReadContext, Region } from '../model.ts';
import { findFiles, type InstalledFiles, type OpenSlice } from './files.ts';
import { hasLocation, type SetupData, tryReadSetupData } from './header.ts';
import type { OffsetTable } from './offset-table.ts';
import type { InnoRecord } from './records.ts';
import { decodeSetupProgram, findProgramEnd } from './setup-program.ts';
import { createTextDecode, type TextDecode, toMemberName } from './text.ts';

/** Facts of one kind (languages, tasks, commands) that are listed. */
const listedLimit = 200;
/**
 * Smaller gaps are no parts: behind each chunk, compilers before 6.4 leave an empty compressed stream. Patterns are
 * searched in them all the same, with the bytes of the whole file.
 */
const smallestGapBytes = 64;

/** An installer whose parts are known. */
export interface InnoSetup {
  /** Of the offset table in the file, so that it need not be looked at as a resource. */
  readonly tableOffset: number;
  readonly facts: readonly Fact[];
  readonly regions: readonly Region[];
  /** The setup program, the setup data, the script, and what lies between: in place of the plain overlay. */
  members(): Iterable<Member>;
  /** The installed files; see `Reading.pour`. */
  pour(sink: MemberSink, from: number): Promise<number | undefined>;
}

/** What can be said to {@link tryOpenInno} beside the file. */
export interface InnoOptions {
  /** Opens a file beside the installer, by its name. */
  readonly openSlice?: OpenSlice;
}

/** A range of the file. */
interface Range {
  readonly offset: number;
  readonly size: number;
}

/**
 * Opens an installer whose offset table is known.
 *
 * @param overlay - what lies behind the sections of the loader
 */
export function openInno(
  source: ByteSource,
  table: OffsetTable,
  overlay: Range,
  context: ReadContext,
  options: InnoOptions = {},
): InnoSetup {
  if (table.declaredFileSize > source.size) {
    context.report({
      code: 'malformed/truncated',
      message: `ends ${table.declaredFileSize - source.size} bytes before its Inno Setup loader expects it to`,
      offset: source.size,
      consequence: 'some installed files may be missing or cut off',
      incomplete: true,
    });
  }
  const data = tryReadSetupData(source, table.headerOffset, context);
  if (data === undefined) {
    return {
      tableOffset: table.offset,
      facts: [
        { kind: 'installer', value: 'Inno Setup', region: 'Inno Setup offset table', offset: table.offset },
      ],
      regions: toRegions([['Inno Setup offset table', { offset: table.offset, size: table.size }]], source),
      *members() {
        if (overlay.size > 0) yield toPart('[overlay]', source, overlay);
      },
      pour: () => Promise.resolve(undefined),
    };
  }
  const decode = createTextDecode(data.version, data.languages);
  const files = findFiles(source, data, table.dataOffset, decode, context, options.openSlice);
  const program: Range = {
    offset: table.programOffset,
    size: findProgramEnd(source, table, data.version) - Math.min(table.programOffset, source.size),
  };
  const header: Range = { offset: table.headerOffset, size: data.end - table.headerOffset };
  const parts: readonly (readonly [string, Range])[] = [
    ['Inno Setup offset table', { offset: table.offset, size: table.size }],
    ['Inno Setup program', program],
    ['Inno Setup data', header],
    ['Inno Setup files', toHull(files.ranges)],
  ];
  return {
    tableOffset: table.offset,
    facts: toFacts(data, files, table, decode),
    regions: toRegions(parts, source),
    members: () => listParts(source, table, data, overlay, [program, header, ...files.ranges], context),
    pour: (sink, from) => files.pour(sink, from),
  };
}

function toPart(name: string, source: ByteSource, { offset, size }: Range): Member {
  return {
    name,
    relation: 'part',
    content: { kind: 'source', source: sliceSource(source, offset, size), containerOffset: offset },
  };
}

function toMemoryPart(name: string, bytes: Uint8Array): Member {
  return { name, relation: 'part', content: { kind: 'source', source: toByteSource(bytes) } };
}

function* listParts(
  source: ByteSource,
  table: OffsetTable,
  data: SetupData,
  overlay: Range,
  taken: readonly Range[],
  { budget }: ReadContext,
): Generator<Member> {
  if (table.programOffset > 0) {
    yield {
      name: '[setup program]',
      relation: 'part',
      content: {
        kind: 'stream',
        open: () => decodeSetupProgram(source, table, data.version, budget),
        declaredSize: table.programSize,
      },
    };
  }
  yield toMemoryPart('[setup data]', data.bytes);
  const code = data.header.bytes.get('CompiledCode');
  if (code !== undefined && code.length > 0) yield toMemoryPart('[code]', code);
  for (const { name, bytes } of data.libraries) if (bytes.length > 0) yield toMemoryPart(name, bytes);
  for (const gap of findGaps(overlay, taken)) {
    if (gap.size < smallestGapBytes && gap.size < overlay.size) continue;
    const isAll = gap.size === overlay.size;
    yield toPart(
      isAll ? '[overlay]' : `[overlay+0x${(gap.offset - overlay.offset).toString(16)}]`,
      source,
      gap,
    );
  }
}

/** What of the overlay no part takes. */
function findGaps(overlay: Range, taken: readonly Range[]): Range[] {
  const gaps: Range[] = [];
  const end = overlay.offset + overlay.size;
  let at = overlay.offset;
  for (const range of taken.toSorted((a, b) => a.offset - b.offset)) {
    const start = Math.min(range.offset, end);
    if (start > at) gaps.push({ offset: at, size: start - at });
    at = Math.max(at, Math.min(end, range.offset + range.size));
  }
  if (end > at) gaps.push({ offset: at, size: end - at });
  return gaps;
}

/** From the first to the last of some ranges. */
function toHull(ranges: readonly Range[]): Range {
  if (ranges.length === 0) return { offset: 0, size: 0 };
  const offset = ranges.reduce((least, range) => Math.min(least, range.offset), Number.MAX_SAFE_INTEGER);
  const end = ranges.reduce((most, range) => Math.max(most, range.offset + range.size), 0);
  return { offset, size: end - offset };
}

function toRegions(parts: readonly (readonly [string, Range])[], source: ByteSource): Region[] {
  return parts.flatMap(([name, { offset, size }]) => {
    const start = Math.min(offset, source.size);
    const stored = Math.min(size, source.size - start);
    return stored > 0 ? [{ name, offset: start, size: stored }] : [];
  });
}

/** Fields of the header that say what is installed, by whom and where. */
const properties = [
  'AppName',
  'AppVerName',
  'AppId',
  'AppVersion',
  'AppCopyright',
  'AppPublisher',
  'AppPublisherURL',
  'AppSupportURL',
  'AppUpdatesURL',
  'AppContact',
  'AppComments',
  'DefaultDirName',
  'DefaultGroupName',
  'BaseFilename',
  'UninstallDisplayName',
  'CreateUninstallRegKey',
  'AppMutex',
] as const;

function toFacts(data: SetupData, files: InstalledFiles, table: OffsetTable, decode: TextDecode): Fact[] {
  const region = 'Inno Setup data';
  const offset = table.headerOffset;
  const isEncrypted =
    data.header.members.has('EncryptionUsed') ||
    data.locations.some(({ members }) => members.has('ChunkEncrypted'));
  const facts: Fact[] = [
    {
      kind: 'installer',
      value: `Inno Setup ${data.version.label}`,
      region,
      offset,
      detail: {
        compression: data.compression,
        members: files.count,
        filesBeside: table.dataOffset === 0,
        hasPassword: data.header.members.has('Password'),
      },
    },
  ];
  const addProperty = (name: string, value: string): void => {
    if (value !== '') facts.push({ kind: 'installerProperty', name, value, region, offset });
  };
  for (const name of properties) addProperty(name, decode(data.header.bytes.get(name)).replaceAll('{{', '{'));
  const addRecords = (
    name: string,
    records: readonly InnoRecord[],
    toValue: (record: InnoRecord) => string,
  ): void => {
    for (const record of records.slice(0, listedLimit)) addProperty(name, toValue(record));
  };
  const list = (kind: Parameters<typeof data.records.get>[0]): readonly InnoRecord[] =>
    data.records.get(kind) ?? [];
  const toName = (record: InnoRecord): string => decode(record.bytes.get('Name'));
  addRecords('Language', data.languages, toName);
  addRecords('Type', list('type'), toName);
  addRecords('Component', list('component'), toName);
  addRecords('Task', list('task'), toName);
  addRecords('Directory', list('directory'), (record) => toMemberName(decode(record.bytes.get('DirName'))));
  const toCommand = (record: InnoRecord): string =>
    [toName(record), decode(record.bytes.get('Parameters'))].filter((text) => text !== '').join(' ');
  addRecords('Run', list('run'), toCommand);
  addRecords('UninstallRun', list('uninstallRun'), toCommand);
  const external = list('file').filter((file) => !hasLocation(file) && file.numbers.get('FileType') !== 1);
  addRecords('ExternalFile', external, (record) => decode(record.bytes.get('SourceFilename')));
  if (isEncrypted) facts.push({ kind: 'encrypted', value: 'password', region, offset });
  return facts;
}
