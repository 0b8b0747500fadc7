/**
 * Portable executables: EXE, DLL, drivers and everything else that Windows and UEFI load.
 *
 * Headers in `parse.ts`; resources, imports, exports, version information and the other facts each in a file of
 * their own. An image packed with UPX is rebuilt first, because its strings and resources lie in the packed part.
 */
import { toGrouped } from '../../bytes/amounts.ts';
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, readUpTo, sliceSource, toByteSource } from '../../bytes/byte-source.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { innoLimitations, type InnoSetup, tryOpenInno } from '../inno/index.ts';
import type {
  Fact,
  FactKind,
  Finding,
  Format,
  Member,
  MemberSink,
  ReadContext,
  Reading,
  Region,
} from '../model.ts';
import { type UpxInfo, tryUnpackUpx, upxLimitations } from '../upx.ts';

import { readDebugPaths, tryReadManifestName, tryReadRuntimeVersion } from './build-traces.ts';
import { measureEntropy } from './entropy.ts';
import { exportedNamesLimit, tryReadExports } from './exports.ts';
import { type PeImage, directoryIndex } from './image.ts';
import { readImports } from './imports.ts';
import { isPe, parsePe, type Report } from './parse.ts';
import { type BurnInfo, toBurnMembers, tryReadBurn } from '../shapes/burn.ts';
import { type PeResource, readResources, resourceType, standardTypes, toTypeName } from './resources.ts';
import { tryReadRichHeader } from './rich-header.ts';
import { readVersionInfo, versionInfoLimitBytes } from './version-info.ts';

/** Entropy is measured over so much of the start of a section, and over so much of all sections together. */
const entropyLimitBytes = 4 * 1024 * 1024;
const entropyLimitBytesInAll = 32 * 1024 * 1024;
const findingsLimit = 64;
const versionResourcesLimit = 16;
const manifestsLimit = 16;
const manifestLimitBytes = 64 * 1024;
/** Below this a resource of the program's own type holds a number or a flag, not text or a file. */
const smallestMemberBytes = 16;

const machines: Readonly<Record<number, string>> = {
  0x14c: 'x86',
  0x8664: 'x64',
  0xaa64: 'arm64',
  0x1c0: 'arm',
  0x1c4: 'armnt',
  0x200: 'ia64',
  0xebc: 'efi-byte-code',
};

const subsystems: Readonly<Record<number, string>> = {
  0: 'unknown',
  1: 'native',
  2: 'windows-gui',
  3: 'windows-console',
  5: 'os2-console',
  7: 'posix-console',
  9: 'windows-ce-gui',
  10: 'efi-application',
  11: 'efi-boot-service-driver',
  12: 'efi-runtime-driver',
  13: 'efi-rom',
  14: 'xbox',
  16: 'windows-boot-application',
};

export const peFormat: Format = {
  id: 'pe',
  title: 'Portable executable',
  nature: 'acting',
  extensions: ['exe', 'dll', 'sys', 'ocx', 'scr', 'cpl', 'com', 'drv', 'efi'],
  references: [
    'https://learn.microsoft.com/windows/win32/debug/pe-format',
    'https://learn.microsoft.com/windows/win32/menurc/vs-versioninfo',
    'https://www.ntcore.com/files/richsign.htm',
    'https://cloud.google.com/blog/topics/threat-intelligence/tracking-malware-import-hashing',
  ],
  limitations: [
    'Packers other than UPX are not unpacked.',
    ...upxLimitations,
    ...innoLimitations,
    `The entropy of a section is measured over its first ${entropyLimitBytes / 1024 / 1024} MiB, and over ${entropyLimitBytesInAll / 1024 / 1024} MiB of all sections together.`,
    `At most ${toGrouped(exportedNamesLimit)} exported names are listed.`,
    'Icons, bitmaps, cursors, dialogs, menus and string tables are searched as bytes of their section, not decoded.',
    'Relocations, exception tables, TLS callbacks and .NET metadata tables are not read.',
    '16-bit programs for DOS, Windows and OS/2 are not portable executables and are not read.',
  ],
  probe: isPe,
  read,
};

/**
 * Facts, regions and members of one portable executable.
 *
 * @throws TelltaleError `malformed/header` or `malformed/truncated` when there is no readable COFF header
 */
function read(source: ByteSource, context: ReadContext): Reading | Promise<Reading> {
  const { budget } = context;
  const reportAll = limitFindings(context.report.bind(context));
  const image = parsePe(source, reportAll);
  const regions = toRegions(image);
  const facts: Fact[] = readHeaderFacts(image, regions);

  const unpacked = unpack(image, { budget, report: reportAll });
  if (unpacked !== undefined) {
    facts.push(toPackerFact(unpacked.info, regions));
  }
  const stored = unpacked === undefined ? image : toStoredView(image);
  const report = unpacked === undefined ? reportAll : ignoreDirectories(image, reportAll);

  const resources = readResources(stored, budget, report);
  if (unpacked === undefined) reportMissingResources(resources, report);
  for (const resource of resources) {
    const name = [toTypeName(resource.type), resource.name, resource.language].join('/');
    facts.push({ kind: 'resource', name, value: resource.size, ...placeAt(regions, resource.offset) });
  }
  readVersionFacts(stored, resources, regions, facts, report);
  readManifestFacts(stored, resources, regions, facts);
  readSymbolFacts(stored, regions, budget, facts, report);
  readTraceFacts(stored, regions, facts, report);

  const finish = (inno: InnoSetup | undefined): Reading => {
    if (inno !== undefined) {
      facts.push(...inno.facts);
      regions.push(...inno.regions);
    }
    const burn = tryReadBurn(image);
    if (burn !== undefined) {
      facts.push(...burn.facts);
      regions.push(...burn.regions);
      for (const finding of burn.findings) reportAll(finding);
    }
    return {
      facts,
      regions,
      members: () => toMembers(image, resources, unpacked?.image, inno, burn),
      ...(inno === undefined ? {} : { pour: (sink: MemberSink, from: number) => inno.pour(sink, from) }),
      signed: { kind: 'pe', image },
    };
  };
  // What opens an installer has to be loaded first; most programs are none.
  const opening = openInstaller(image, resources, { ...context, report: reportAll });
  return opening === undefined ? finish(undefined) : opening.then(finish);
}

function readSymbolFacts(
  image: PeImage,
  regions: readonly Region[],
  budget: Budget,
  facts: Fact[],
  report: Report,
): void {
  const imports = readImports(image, budget, report);
  for (const { name, offset, delayed } of imports.libraries) {
    const fact = { kind: 'importedLibrary', value: name.toLowerCase(), ...placeAt(regions, offset) } as const;
    facts.push(delayed ? { ...fact, detail: { delayed } } : fact);
  }
  if (imports.hash !== undefined) facts.push({ kind: 'importHash', value: imports.hash });

  const exports = tryReadExports(image, budget, report);
  if (exports === undefined) return;
  const place = placeAt(regions, exports.offset);
  if (exports.moduleName !== undefined) {
    facts.push({ kind: 'moduleName', value: exports.moduleName, ...place });
  }
  for (const name of exports.names) facts.push({ kind: 'exportedName', value: name, ...place });
}

function readTraceFacts(image: PeImage, regions: readonly Region[], facts: Fact[], report: Report): void {
  const rich = tryReadRichHeader(image);
  if (rich !== undefined) {
    facts.push({ kind: 'richHeader', value: rich.md5, ...placeAt(regions, rich.offset) });
  }
  for (const path of readDebugPaths(image, report)) {
    facts.push({ kind: 'debugPath', value: path.text, ...placeAt(regions, path.offset) });
  }
  const runtime = tryReadRuntimeVersion(image, report);
  if (runtime !== undefined) {
    facts.push({ kind: 'dotnet', value: runtime.text, ...placeAt(regions, runtime.offset) });
  }
}

/** A hostile file could fill the report with faults: after so many only their number grows. */
function limitFindings(report: Report): Report {
  let count = 0;
  return (finding: Finding) => {
    count += 1;
    if (count < findingsLimit) report(finding);
    if (count === findingsLimit) {
      report({
        code: 'limit/count',
        message: `has more than ${findingsLimit - 1} faults`,
        consequence: 'the other faults are not listed, and what they hide was not looked at',
        incomplete: true,
      });
    }
  };
}

/** Header fields, sections and what lies behind them. */
function readHeaderFacts(image: PeImage, regions: readonly Region[]): Fact[] {
  const machine = machines[image.machine] ?? toHexNumber(image.machine);
  const subsystem = subsystems[image.subsystem] ?? toHexNumber(image.subsystem);
  const built = new Date(image.timeDateStamp * 1000).toISOString().replace('.000Z', 'Z');
  const optional = image.optionalHeaderOffset;
  const facts: Fact[] = [];
  const addField = (kind: FactKind, value: string, offset: number, bytes: number): void => {
    // What the end of the file cut off reads as zero, which is no observation.
    if (offset + bytes <= image.source.size) facts.push({ kind, value, region: 'header', offset });
  };
  addField('machine', machine, image.peOffset + 4, 2);
  addField('subsystem', subsystem, optional + 68, 2);
  addField('timeDateStamp', built, image.peOffset + 8, 4);
  addField('linkerVersion', image.linkerVersion, optional + 2, 2);
  let left = entropyLimitBytesInAll;
  for (const section of image.sections) {
    const stored = toStoredRange(image, section.rawOffset, section.rawSize);
    const measured = Math.min(stored.size, entropyLimitBytes);
    const isMeasured = measured <= left;
    if (isMeasured) left -= measured;
    const { virtualAddress, virtualSize, rawOffset, rawSize, characteristics } = section;
    facts.push({
      kind: 'section',
      name: section.name,
      value: isMeasured
        ? measureEntropy(sliceSource(image.source, stored.offset, stored.size), entropyLimitBytes)
        : 'not measured',
      region: 'header',
      offset: section.headerOffset,
      detail: { virtualAddress, virtualSize, rawOffset, rawSize, characteristics },
    });
  }
  for (const region of regions) {
    if (region.name === 'overlay' || region.name === 'behind certificate table') {
      facts.push({ kind: 'overlay', value: region.size, region: region.name, offset: region.offset });
    }
  }
  return facts;
}

/** The part of a range that is in the file; possibly empty. */
function toStoredRange(image: PeImage, offset: number, size: number): { offset: number; size: number } {
  const start = Math.min(offset, image.source.size);
  return { offset: start, size: Math.min(size, image.source.size - start) };
}

/** In the order of the file, except that VERSIONINFO, which lies in a section, is added when it was found. */
function toRegions(image: PeImage): Region[] {
  const regions: Region[] = [];
  const add = (name: string, offset: number, size: number): void => {
    const stored = toStoredRange(image, offset, size);
    if (stored.size > 0) regions.push({ name, ...stored });
  };
  add('header', 0, image.sizeOfHeaders);
  image.sections.forEach((section, index) => {
    add(section.name === '' ? `section ${index + 1}` : section.name, section.rawOffset, section.rawSize);
  });
  const { overlay, trailing } = image;
  if (overlay !== undefined) add('overlay', overlay.offset, overlay.size);
  const certificates = image.directories[directoryIndex.certificate];
  if (certificates !== undefined && certificates.rva > 0) {
    add('certificate table', certificates.rva, certificates.size);
  }
  if (trailing !== undefined && trailing.offset !== overlay?.offset) {
    add('behind certificate table', trailing.offset, trailing.size);
  }
  return regions;
}

/** The offset of a fact and the region around it. */
function placeAt(regions: readonly Region[], offset: number | undefined): Pick<Fact, 'offset' | 'region'> {
  if (offset === undefined) return {};
  const region = regions.find((candidate) => {
    return offset >= candidate.offset && offset < candidate.offset + candidate.size;
  });
  return region === undefined ? { offset } : { offset, region: region.name };
}

function toHexNumber(value: number): string {
  return `0x${value.toString(16)}`;
}

function toPackerFact(info: UpxInfo, regions: readonly Region[]): Fact {
  const { version, format, method, level, filter, compressedBytes, uncompressedBytes, checksums } = info;
  const checksumsHold = checksums.header && checksums.compressed && checksums.uncompressed;
  return {
    kind: 'packer',
    value: 'UPX',
    ...placeAt(regions, info.headerOffset),
    detail: { version, format, method, level, filter, compressedBytes, uncompressedBytes, checksumsHold },
  };
}

/**
 * In an image packed with UPX only the sections behind the packed one, with icons, version, manifest and the stub's
 * imports, are stored as they are; every other address means the unpacked image.
 */
function toStoredView(image: PeImage): PeImage {
  const stored = image.sections.filter(({ virtualAddress, virtualSize, rawSize }) => {
    const holdsEntry =
      image.entryPointRva >= virtualAddress && image.entryPointRva - virtualAddress < virtualSize;
    return rawSize > 0 && !holdsEntry;
  });
  const isStored = (rva: number): boolean =>
    stored.some(({ virtualAddress, rawSize }) => rva >= virtualAddress && rva - virtualAddress < rawSize);
  return { ...image, toOffset: (rva) => (isStored(rva) ? image.toOffset(rva) : undefined) };
}

/** A packed program that cannot be unpacked, for whatever reason, still has facts of its own. */
function unpack(image: PeImage, context: ReadContext): ReturnType<typeof tryUnpackUpx> {
  try {
    return tryUnpackUpx(image, context);
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    context.report({
      code: error.code,
      message: `is packed with UPX and could not be unpacked: ${error.message}`,
      ...(error.offset === undefined ? {} : { offset: error.offset }),
      consequence: 'the packed program was not looked at',
      incomplete: true,
    });
    return undefined;
  }
}

/** An installer that cannot be opened, for whatever reason, is still a program with facts of its own. */
function openInstaller(
  image: PeImage,
  resources: readonly PeResource[],
  context: ReadContext,
): Promise<InnoSetup | undefined> | undefined {
  const giveUp = (error: unknown): undefined => {
    if (!(error instanceof TelltaleError)) throw error;
    context.report({
      code: error.code,
      message: `is an Inno Setup installer and could not be opened: ${error.message}`,
      ...(error.offset === undefined ? {} : { offset: error.offset }),
      consequence: 'the installed files were not looked at',
      incomplete: true,
    });
  };
  const openSibling = context.file?.openSibling;
  try {
    return tryOpenInno(
      image,
      resources,
      context,
      openSibling === undefined ? {} : { openSlice: openSibling },
    )?.catch(giveUp);
  } catch (error) {
    return giveUp(error);
  }
}

/**
 * Directories that are not stored in a packed image are no fault: they are read in the unpacked one. UPX always
 * stores a resource tree and imports for its stub.
 */
function ignoreDirectories(image: PeImage, report: Report): Report {
  const { resource, import: imports } = directoryIndex;
  const packed = image.directories.filter((_, index) => index !== resource && index !== imports);
  const entries = new Set(packed.map((directory) => directory.entryOffset));
  return (finding) => {
    const isDirectory = finding.offset !== undefined && entries.has(finding.offset);
    if (!(isDirectory && finding.code === 'malformed/out-of-range')) report(finding);
  };
}

function reportMissingResources(resources: readonly PeResource[], report: Report): void {
  const missing = resources.filter((resource) => resource.offset === undefined && resource.size > 0);
  const first = missing[0];
  if (first === undefined) return;
  report({
    code: 'malformed/out-of-range',
    message:
      `keeps ${missing.length} of ${resources.length} resources at addresses that are not in the file, ` +
      `the first at 0x${first.rva.toString(16)} with ${first.size} bytes`,
    offset: first.entryOffset,
    consequence: 'these resources were not looked at',
    incomplete: true,
  });
}

function readVersionFacts(
  image: PeImage,
  resources: readonly PeResource[],
  regions: Region[],
  facts: Fact[],
  report: Report,
): void {
  const versions = resources.filter(
    ({ type, offset }) => type === resourceType.version && offset !== undefined,
  );
  if (versions.length > versionResourcesLimit) {
    report({
      code: 'limit/count',
      message: `has ${versions.length} version resources; at most ${versionResourcesLimit} are read`,
      consequence: 'the other version resources were not read',
      incomplete: true,
    });
  }
  for (const { offset = 0, size } of versions.slice(0, versionResourcesLimit)) {
    const region = 'VERSIONINFO';
    regions.push({ name: region, offset, size });
    const bytes = image.source.read(offset, Math.min(size, versionInfoLimitBytes));
    const version = readVersionInfo(bytes, (finding) =>
      report({ ...finding, offset: offset + (finding.offset ?? 0) }),
    );
    const fixedAt = offset + (version.fixedInfoOffset ?? 0);
    if (version.fileVersion !== undefined) {
      facts.push({ kind: 'fileVersion', value: version.fileVersion, region, offset: fixedAt + 8 });
    }
    if (version.productVersion !== undefined) {
      facts.push({ kind: 'productVersion', value: version.productVersion, region, offset: fixedAt + 16 });
    }
    for (const { key, value, language, offset: at } of version.strings) {
      const detail = { language };
      facts.push({ kind: 'versionInfo', name: key, value, region, offset: offset + at, detail });
    }
  }
}

function readManifestFacts(
  image: PeImage,
  resources: readonly PeResource[],
  regions: readonly Region[],
  facts: Fact[],
): void {
  const manifests = resources.filter(
    ({ type, offset }) => type === resourceType.manifest && offset !== undefined,
  );
  for (const { offset = 0, size } of manifests.slice(0, manifestsLimit)) {
    const name = tryReadManifestName(image.source.read(offset, Math.min(size, manifestLimitBytes)));
    if (name !== undefined) facts.push({ kind: 'manifest', value: name, ...placeAt(regions, offset) });
  }
}

/** First bytes of the kinds of files that programs carry in resources. */
const magics: readonly (readonly number[])[] = [
  [0x4d, 0x5a], // MZ
  [0x50, 0x4b, 0x03, 0x04], // ZIP
  [0x4d, 0x53, 0x43, 0x46], // MSCF
  [0xd0, 0xcf, 0x11, 0xe0], // compound file: MSI
  [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], // 7z
  [0x1f, 0x8b, 0x08], // gzip
  [0x42, 0x5a, 0x68], // bzip2
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], // xz
  [0x52, 0x61, 0x72, 0x21], // Rar!
  [0x21, 0x3c, 0x61, 0x72, 0x63, 0x68, 0x3e], // !<arch>
  [0x25, 0x50, 0x44, 0x46], // %PDF
  [0x7f, 0x45, 0x4c, 0x46], // ELF
  [0x64, 0x65, 0x78, 0x0a], // DEX
];

function startsLikeFile(head: Uint8Array): boolean {
  if (magics.some((magic) => magic.every((byte, index) => head[index] === byte))) return true;
  // zlib (RFC 1950, section 2.2): deflate with a 32 KiB window, and a header that is a multiple of 31
  const [first = 0, second = 0] = head;
  return first === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(second) && ((first << 8) | second) % 31 === 0;
}

function isMember(image: PeImage, { type, size, offset }: PeResource): boolean {
  if (offset === undefined || size === 0) return false;
  const isOwnType = typeof type === 'string' || type === resourceType.rcdata || !standardTypes.has(type);
  if (isOwnType && size >= smallestMemberBytes) return true;
  return startsLikeFile(readUpTo(image.source, offset, Math.min(size, 8)));
}

/** The name of a resource without its language. */
function toStem({ type, name }: PeResource): string {
  return `.rsrc/${toTypeName(type)}/${name}`;
}

/**
 * The unpacked image, then resources that are or may hold files, then what lies behind the sections: of an installer,
 * its parts.
 */
function* toMembers(
  image: PeImage,
  resources: readonly PeResource[],
  unpacked: Uint8Array | undefined,
  inno: InnoSetup | undefined,
  burn: BurnInfo | undefined,
): Generator<Member> {
  const toStoredPart = (name: string, offset: number, size: number): Member => ({
    name,
    relation: 'part',
    content: { kind: 'source', source: sliceSource(image.source, offset, size), containerOffset: offset },
  });
  if (unpacked !== undefined) {
    yield {
      name: '[upx]',
      relation: 'image',
      content: { kind: 'source', source: toByteSource(unpacked) },
    };
  }
  const languages = new Map<string, number>();
  for (const resource of resources) {
    const stem = toStem(resource);
    languages.set(stem, (languages.get(stem) ?? 0) + 1);
  }
  for (const resource of resources) {
    if (!isMember(image, resource) || resource.offset === inno?.tableOffset) continue;
    const stem = toStem(resource);
    const name = languages.get(stem) === 1 ? stem : `${stem}/${resource.language}`;
    yield toStoredPart(name, resource.offset ?? 0, resource.size);
  }
  const { overlay, trailing } = image;
  if (inno !== undefined) yield* inno.members();
  else if (burn !== undefined) yield* toBurnMembers(image.source, burn);
  else if (overlay !== undefined) yield toStoredPart('[overlay]', overlay.offset, overlay.size);
  if (trailing !== undefined && trailing.offset !== overlay?.offset) {
    yield toStoredPart('[behind certificate table]', trailing.offset, trailing.size);
  }
}
