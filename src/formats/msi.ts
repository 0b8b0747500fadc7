/**
 * Windows Installer packages (`.msi`), merge modules (`.msm`) and patches (`.msp`): a relational database and cabinets
 * in an OLE compound file.
 *
 * References: https://learn.microsoft.com/windows/win32/msi/windows-installer-portal (tables, columns, properties),
 * [MS-CFB] https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb/ (the file system around it),
 * [MS-OLEPS] https://learn.microsoft.com/openspecs/windows_protocols/ms-oleps/ (summary information),
 * Wine, `dlls/msi` https://gitlab.winehq.org/wine/wine/-/tree/master/dlls/msi (storage of tables)
 *
 * Read: every table with its strings in their code page; properties, files with target paths, media, custom actions,
 * file digests; summary information; all other streams as members; signatures over the package.
 * Not supported: transforms, so what a patch changes is not known; cabinets beside the package; what conditions and
 * custom actions make of paths and properties while installing.
 */
import { type ByteSource, readUpTo } from '../bytes/byte-source.ts';
import { isCompoundFile, toStreamMember, toTrailingMember } from './cfb.ts';
import { parseCfb, trySketch } from './cfb/compound-file.ts';
import type { CompoundFile } from './cfb/model.ts';
import { listRegions, listStreams, type PlacedStream } from './cfb/streams.ts';
import { toQuotedName, tryDescribeUnsafeName } from './member-name.ts';
import type { Fact, Format, Member, ReadContext, Reading } from './model.ts';
import {
  listCustomActions,
  listFiles,
  listMedia,
  listRows,
  type MsiFile,
  type MsiMedium,
  toText,
} from './msi/content.ts';
import { type MsiDatabase, parseMsi } from './msi/database.ts';
import { decodeStreamName, encodeStreamName } from './msi/stream-name.ts';

type PackageKind = 'msi' | 'msm' | 'msp';

const classIds = {
  package: '{000C1084-0000-0000-C000-000000000046}',
  transform: '{000C1082-0000-0000-C000-000000000046}',
  patch: '{000C1086-0000-0000-C000-000000000046}',
} as const;

const mergeModuleCabinet = 'MergeModule.CABinet';
/** Characters of one value that are told. */
const valueCharactersMax = 4096;
/** Characters of a key or of another detail. */
const detailCharactersMax = 260;
/** Facts of one kind. */
const factsPerKindMax = 5000;
/** Faults of one kind that are told one by one. */
const findingsPerKindMax = 16;

/** Streams that carry no payload: the database itself, read as tables, and what is checked elsewhere. */
const catalogueStreams: ReadonlySet<string> = new Set(['_StringPool', '_Tables', '_Columns']);
const signatureStreams: ReadonlySet<string> = new Set([
  '\u0005DigitalSignature',
  '\u0005MsiDigitalSignatureEx',
]);
const summaryStream = '\u0005SummaryInformation';

const kinds = new WeakMap<ByteSource, PackageKind | 'none'>();

/** Tells the kinds apart by the class of the root and by names in the directory; remembered for each source. */
function classify(head: Uint8Array, source: ByteSource): PackageKind | 'none' {
  if (!isCompoundFile(head)) return 'none';
  const known = kinds.get(source);
  if (known !== undefined) return known;
  const sketch = trySketch(source);
  let kind: PackageKind | 'none' = 'none';
  if (sketch !== undefined) {
    const has = (name: string, isTable: boolean): boolean =>
      sketch.names.has(encodeStreamName(name, isTable));
    if (sketch.rootClsid === classIds.patch) kind = 'msp';
    else if (
      sketch.rootClsid === classIds.package ||
      (sketch.rootClsid !== classIds.transform && has('_StringPool', true))
    )
      kind = has(mergeModuleCabinet, false) || has('ModuleSignature', true) ? 'msm' : 'msi';
  }
  kinds.set(source, kind);
  return kind;
}

function clip(text: string, charactersMax = valueCharactersMax): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax)}…`;
}

function clipDetail(text: string): string {
  return clip(text, detailCharactersMax);
}

/** `WiX 2.0.5805.0` of `Windows Installer XML v2.0.5805.0 (candle/light)`; undefined for other tools. */
function tryToolName(application: string): string | undefined {
  const version = /^Windows Installer XML(?: Toolset)? \(?v?([0-9][0-9.]*)/.exec(application)?.[1];
  if (version !== undefined) return `WiX ${version}`;
  return /^WiX Toolset \(([0-9][0-9.]*)/.exec(application)?.[1]?.replace(/^/, 'WiX ');
}

function collectSummary({ summary }: MsiDatabase, kind: PackageKind): Fact[] {
  const facts: Fact[] = [];
  for (const { name, value } of summary.properties) {
    const shown = name === 'RevisionNumber' ? (kind === 'msp' ? 'PatchCode' : 'PackageCode') : name;
    const text = typeof value === 'string' ? clip(value) : value;
    facts.push({ kind: 'msiProperty', name: shown, value: text, detail: { origin: 'summary' } });
    if (name === 'CreatingApplication' && typeof value === 'string') {
      const tool = tryToolName(value);
      facts.push({ kind: 'createdBy', value: clip(value), ...(tool === undefined ? {} : { name: tool }) });
    }
  }
  return facts;
}

/** Takes facts up to a limit, and says when there were more. */
function takeFacts(facts: Iterable<Fact>, what: string, context: ReadContext): Fact[] {
  const taken: Fact[] = [];
  for (const fact of facts) {
    if (taken.length >= factsPerKindMax) {
      context.report({
        code: 'limit/count',
        message: `has more than ${factsPerKindMax} ${what}`,
        consequence: 'the further ones are not told',
        incomplete: true,
      });
      break;
    }
    taken.push(fact);
  }
  return taken;
}

function* toPropertyFacts(database: MsiDatabase): Generator<Fact> {
  for (const row of listRows(database, 'Property')) {
    yield {
      kind: 'msiProperty',
      name: clipDetail(toText(row.get('Property'))),
      value: clip(toText(row.get('Value'))),
      detail: { origin: 'Property' },
    };
  }
  for (const row of listRows(database, 'ModuleSignature')) {
    const detail = { origin: 'ModuleSignature' };
    yield { kind: 'msiProperty', name: 'ModuleID', value: toText(row.get('ModuleID')), detail };
    yield { kind: 'msiProperty', name: 'ModuleVersion', value: toText(row.get('Version')), detail };
    yield { kind: 'msiProperty', name: 'ModuleLanguage', value: toText(row.get('Language')), detail };
  }
}

function* toActionFacts(database: MsiDatabase): Generator<Fact> {
  for (const { name, type, kind, source, target } of listCustomActions(database)) {
    yield {
      kind: 'customAction',
      name: clipDetail(name),
      value: kind,
      detail: { type, source: clipDetail(source), target: clipDetail(target) },
    };
  }
}

/** Rows that describe the product; the others are counted. */
function* toRowFacts(database: MsiDatabase): Generator<Fact> {
  for (const [table, key, columns] of [
    ['Feature', 'Feature', ['Title', 'Level']],
    ['Upgrade', 'UpgradeCode', ['VersionMin', 'VersionMax', 'ActionProperty']],
    ['Media', 'Cabinet', ['DiskId', 'LastSequence']],
    ['MsiPatchMetadata', 'Property', ['Value']],
  ] as const) {
    for (const row of listRows(database, table)) {
      const detail: Record<string, string | number> = {};
      for (const column of columns) {
        const value = row.get(column);
        if (value !== undefined) detail[column] = typeof value === 'string' ? clipDetail(value) : value;
      }
      yield { kind: 'msiRow', name: table, value: clipDetail(toText(row.get(key))), detail };
    }
  }
}

function* toFileFacts(files: ReadonlyMap<string, MsiFile>): Generator<Fact> {
  for (const { key, path, component, size, version, language, sequence, md5 } of files.values()) {
    yield {
      kind: 'memberName',
      value: path,
      detail: {
        key: clipDetail(key),
        component: clipDetail(component),
        ...(size === undefined ? {} : { size }),
        ...(version === '' ? {} : { version: clipDetail(version) }),
        ...(language === '' ? {} : { language: clipDetail(language) }),
        ...(sequence === undefined ? {} : { sequence }),
        ...(md5 === undefined ? {} : { md5 }),
      },
    };
  }
}

/** Says what the package installs from elsewhere, and which cabinet it promises and does not have. */
function reportMissing(
  database: MsiDatabase,
  media: readonly MsiMedium[],
  files: ReadonlyMap<string, MsiFile>,
  kind: PackageKind,
  context: ReadContext,
): void {
  if (kind === 'msp') {
    context.report({
      code: 'unsupported/feature',
      message: 'is a patch, whose changes are stored as transforms',
      consequence: 'the files in it were looked at, what it changes in an installed product is not known',
      incomplete: true,
    });
  }
  if (kind !== 'msi') return;
  const wordCount = database.summary.properties.find(({ name }) => name === 'WordCount')?.value;
  // Bit 1: files are compressed unless they say otherwise.
  const areCompressed =
    typeof wordCount === 'number' ? (wordCount & 2) !== 0 : media.some(({ isEmbedded }) => isEmbedded);
  const needed = [...media].sort((a, b) => a.lastSequence - b.lastSequence);
  const loose: MsiFile[] = [];
  const used = new Set<MsiMedium>();
  for (const file of files.values()) {
    if (!(file.isCompressed ?? areCompressed)) {
      loose.push(file);
      continue;
    }
    const sequence = file.sequence ?? 0;
    const medium = needed.find(({ lastSequence }) => lastSequence >= sequence);
    if (medium !== undefined) used.add(medium);
  }
  let told = 0;
  for (const medium of used) {
    if (medium.cabinet === '' || told >= findingsPerKindMax) continue;
    const isThere = medium.isEmbedded && database.findStream(medium.cabinet) !== undefined;
    if (isThere) continue;
    told += 1;
    context.report({
      code: medium.isEmbedded ? 'malformed/structure' : 'unreadable/missing',
      message: medium.isEmbedded
        ? `promises a cabinet ${toQuotedName(medium.cabinet)} that is not in it`
        : `takes files from the cabinet ${toQuotedName(medium.cabinet)}, a file of its own`,
      consequence: 'the files that it would install from there were not looked at',
      incomplete: true,
    });
  }
  const [first] = loose;
  if (first !== undefined) {
    context.report({
      code: 'unreadable/missing',
      message: `installs ${loose.length} files that lie beside it, the first is ${toQuotedName(first.path)}`,
      consequence: 'these files were not looked at',
      incomplete: true,
    });
  }
}

function reportUnsafeNames(files: ReadonlyMap<string, MsiFile>, context: ReadContext): void {
  let told = 0;
  for (const { path } of files.values()) {
    const danger = tryDescribeUnsafeName(path);
    if (danger === undefined || told >= findingsPerKindMax) continue;
    told += 1;
    context.report({
      code: 'malformed/name',
      message: `installs a file whose path ${danger}: ${toQuotedName(path)}`,
      consequence: 'nothing is written here, but the package may write outside its folder',
      incomplete: false,
    });
  }
}

/** How a stream is called as a member; undefined when the reading itself tells what is in it. */
function tryMemberName(
  stream: PlacedStream,
  database: MsiDatabase,
  cabinets: ReadonlySet<string>,
  file: CompoundFile,
): { readonly name: string; readonly relation: 'file' | 'part'; readonly isCabinet: boolean } | undefined {
  const { text, isTable } = decodeStreamName(stream.entry.name);
  const folders = stream.storages.map(({ name }) => decodeStreamName(name).text);
  const isAtRoot = folders.length === 0 && !stream.isOrphan;
  const toName = (name: string): string =>
    [...(stream.isOrphan ? ['[orphan]'] : []), ...folders, name].join('/');
  if (isTable) {
    if (isAtRoot && text === '_StringData') return { name: '[strings]', relation: 'part', isCabinet: false };
    // Tables are read; a stream that only looks like one could hold anything.
    if (isAtRoot && (catalogueStreams.has(text) || database.tables.has(text))) return undefined;
    return { name: toName(`!${text}`), relation: 'part', isCabinet: false };
  }
  if (isAtRoot && (text === summaryStream || signatureStreams.has(text))) return undefined;
  const isCabinet =
    (isAtRoot && (cabinets.has(text) || text === mergeModuleCabinet)) ||
    startsAsCabinet(file.openStream(stream.entry));
  if (isCabinet) return { name: toName(`[cab] ${text}`), relation: 'file', isCabinet: true };
  const dot = text.indexOf('.');
  const table = dot < 0 ? undefined : database.tables.get(text.slice(0, dot));
  const isRow = isAtRoot && table?.columns.some(({ kind }) => kind === 'binary') === true;
  const name = isRow ? `${text.slice(0, dot)}/${text.slice(dot + 1)}` : text;
  return { name: toName(name), relation: 'file', isCabinet: false };
}

function startsAsCabinet(stream: ByteSource): boolean {
  const head = readUpTo(stream, 0, 4);
  return head.length === 4 && String.fromCharCode(...head) === 'MSCF';
}

function toRegionName({ entry }: PlacedStream): string {
  const { text, isTable } = decodeStreamName(entry.name);
  return `"${isTable ? '!' : ''}${text}"`;
}

function readPackage(kind: PackageKind, source: ByteSource, context: ReadContext): Reading {
  const { budget } = context;
  const report = context.report.bind(context);
  const file = parseCfb(source, report, budget);
  const database = parseMsi(file, report, budget);
  const files = listFiles(database, budget, report);
  const media = listMedia(database);
  reportMissing(database, media, files, kind, context);
  reportUnsafeNames(files, context);
  const cabinets = new Set(media.filter(({ isEmbedded }) => isEmbedded).map(({ cabinet }) => cabinet));
  const trailing = toTrailingMember(file, context);

  const facts: Fact[] = [
    ...takeFacts(toPropertyFacts(database), 'properties', context),
    ...collectSummary(database, kind),
    ...takeFacts(toActionFacts(database), 'custom actions', context),
    ...takeFacts(toRowFacts(database), 'features, media and upgrade codes', context),
  ];
  for (const { name, rowCount } of database.tables.values())
    facts.push({ kind: 'msiTable', name: clipDetail(name), value: rowCount });
  for (const entry of file.root.children) {
    if (signatureStreams.has(entry.name))
      facts.push({ kind: 'signatureStream', name: entry.name, value: entry.size, offset: entry.offset });
  }
  for (const fact of toFileFacts(files)) facts.push(fact);

  return {
    facts,
    regions: listRegions(file, toRegionName, budget),
    signed: { kind: 'msi', file },
    *members(): Generator<Member> {
      for (const stream of listStreams(file)) {
        const called = tryMemberName(stream, database, cabinets, file);
        if (called === undefined) continue;
        yield {
          ...toStreamMember(file, stream, called.name),
          relation: called.relation,
          ...(called.isCabinet ? { rename: (name: string) => files.get(name)?.path } : {}),
        };
      }
      if (trailing !== undefined) yield trailing;
    },
  };
}

const references = [
  'https://learn.microsoft.com/windows/win32/msi/windows-installer-portal',
  'https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb/',
  'https://learn.microsoft.com/openspecs/windows_protocols/ms-oleps/',
  'https://gitlab.winehq.org/wine/wine/-/tree/master/dlls/msi',
] as const;

const limitations = [
  'Paths are those of the tables; what conditions and custom actions make of them while installing is not known.',
  'Cabinets and files beside the package are named, not read.',
] as const;

function toFormat(kind: PackageKind, title: string, further: readonly string[]): Format {
  return {
    id: kind,
    title,
    nature: 'acting',
    extensions: [kind],
    references,
    limitations: [...limitations, ...further],
    probe: (head, source) => classify(head, source) === kind,
    read: (source, context) => readPackage(kind, source, context),
  };
}

export const msiFormat: Format = toFormat('msi', 'Windows Installer package', [
  'Transforms inside the package are members, their changes are not applied.',
]);

export const msmFormat: Format = toFormat('msm', 'Windows Installer merge module', []);

export const mspFormat: Format = toFormat('msp', 'Windows Installer patch', [
  'Transforms are not read: what the patch changes in an installed product is not known.',
]);
