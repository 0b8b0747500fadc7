/**
 * Bundles of the WiX Toolset (Burn): a program with cabinets behind its sections, and the manifest in the first one.
 *
 * The section `.wixburn` says where they lie: magic 0x00F14300, version (2 in WiX 3, 3 since WiX 5), GUID of the bundle,
 * size of the program without cabinets, its checksum and signature before the further cabinets were attached, kind of
 * container (1 is a cabinet), number of containers, size of each. The first, with the user interface, follows the
 * program; the others follow the signature that was there before them, or else the first.
 *
 * Specification: https://github.com/wixtoolset/wix/blob/main/src/burn/engine/section.cpp,
 * https://github.com/wixtoolset/wix/blob/main/src/burn/stub/StubSection.cpp
 */
import { toGrouped } from '../../bytes/amounts.ts';
import { type ByteSource, readUpTo, sliceSource } from '../../bytes/byte-source.ts';
import { Cursor, toHex } from '../../bytes/cursor.ts';
import type { Fact, Finding, Format, Member, ReadContext, Reading, Region } from '../model.ts';
import { directoryIndex, type PeImage } from '../pe/image.ts';
import { parseXml, tryReadXmlRoot, type XmlElement, xmlBytesLimit } from '../xml.ts';
import { reportXmlFault, toFieldFacts, tryChild } from './xml-facts.ts';

const sectionName = '.wixburn';
const magic = 0x00f14300;
const knownVersions: ReadonlySet<number> = new Set([2, 3]);
const fixedBytes = 48;
/** 512 bytes of section, less the fields before the sizes. */
const containersLimit = 116;
const cabinetFormat = 1;
const payloadsLimit = 10_000;

/** A container of a bundle; offset and size in bytes, as stated. */
export interface BurnContainer {
  /** `ux container` or `attached container`, with a number from the second of these on. */
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** Bytes of it that are in the file. */
  readonly available: number;
}

/** What the section of a bundle says. */
export interface BurnInfo {
  /** GUID in braces, upper case. */
  readonly bundleId: string;
  readonly version: number;
  /** Size of the program without containers, in bytes. */
  readonly stubSize: number;
  /** Offset of the data of the section. */
  readonly sectionOffset: number;
  readonly containers: readonly BurnContainer[];
  readonly facts: readonly Fact[];
  readonly regions: readonly Region[];
  /** What does not fit, to be reported. */
  readonly findings: readonly Finding[];
}

/** The bundle that a program is, or undefined when it is none. */
export function tryReadBurn(image: PeImage): BurnInfo | undefined {
  const section = image.sections.find(({ name }) => name === sectionName);
  if (section === undefined || section.rawSize < fixedBytes) return undefined;
  const bytes = readUpTo(
    image.source,
    section.rawOffset,
    Math.min(section.rawSize, fixedBytes + containersLimit * 4),
  );
  if (bytes.length < fixedBytes) return undefined;
  const cursor = new Cursor(bytes);
  if (cursor.u32() !== magic) return undefined;
  const version = cursor.u32();
  const bundleId = toGuid(cursor.bytes(16));
  const stubSize = cursor.u32();
  cursor.skip(4);
  const [signatureOffset, signatureSize] = [cursor.u32(), cursor.u32()];
  const [format, count] = [cursor.u32(), cursor.u32()];
  const findings: Finding[] = [];
  const complain = (code: Finding['code'], message: string, consequence: string): void => {
    findings.push({ code, message, offset: section.rawOffset, consequence, incomplete: true });
  };
  const facts: Fact[] = [
    { kind: 'packageId', value: bundleId, region: sectionName, offset: section.rawOffset + 8 },
    {
      kind: 'packageField',
      name: 'BundleFormat',
      value: `WiX Burn ${version}`,
      offset: section.rawOffset + 4,
    },
    { kind: 'packageField', name: 'StubSize', value: stubSize, offset: section.rawOffset + 24 },
  ];
  const none = {
    bundleId,
    version,
    stubSize,
    sectionOffset: section.rawOffset,
    containers: [],
    facts,
    regions: [],
    findings,
  };
  if (!knownVersions.has(version)) {
    complain(
      'unsupported/version',
      `is a bundle of version ${version}`,
      'its containers were not looked for',
    );
    return none;
  }
  const listed = Math.min(count, Math.floor(cursor.remaining / 4), containersLimit);
  if (listed < count) {
    complain(
      'malformed/structure',
      `states ${count} containers, for ${listed} of which there is room`,
      'the others were not found',
    );
  }
  if (format !== cabinetFormat) {
    complain('unsupported/feature', `has containers of kind ${format}`, 'they are shown as bytes');
  }
  const sizes = Array.from({ length: listed }, () => cursor.u32());
  const containers: BurnContainer[] = [];
  let attachedOffset = toEngineEnd(image, stubSize, sizes[0] ?? 0, signatureOffset, signatureSize);
  for (const [index, size] of sizes.entries()) {
    const offset = index === 0 ? stubSize : attachedOffset;
    if (index > 0) attachedOffset += size;
    if (size === 0) continue;
    const name =
      index === 0 ? 'ux container' : index === 1 ? 'attached container' : `attached container ${index}`;
    const available = Math.max(0, Math.min(size, image.source.size - offset));
    containers.push({ name, offset, size, available });
    facts.push({
      kind: 'packageField',
      name: 'ContainerSize',
      value: size,
      region: sectionName,
      offset: section.rawOffset + fixedBytes + index * 4,
      detail: { container: name, containerOffset: offset },
    });
    if (available < size) {
      complain(
        'malformed/truncated',
        `has a container (${name}) that should have ${size} bytes at offset ${offset}, ${available} are there`,
        'what is missing was not looked at; it may have been left to be downloaded',
      );
    }
  }
  const regions = containers
    .filter(({ available }) => available > 0)
    .map(({ name, offset, available }) => ({ name, offset, size: available }));
  return { ...none, containers, regions };
}

/** Where further containers begin: as the engine of a bundle finds them. */
function toEngineEnd(
  image: PeImage,
  stubSize: number,
  firstSize: number,
  signatureOffset: number,
  signatureSize: number,
): number {
  if (signatureOffset > 0) return signatureOffset + signatureSize;
  const first = stubSize + firstSize;
  const certificates = image.directories[directoryIndex.certificate];
  if (certificates === undefined || certificates.rva === 0) return first;
  // A signature over the finished bundle lies behind all containers; one over the program alone before the second.
  return certificates.rva - first >= 0 && certificates.rva - first < 8
    ? certificates.rva + certificates.size
    : first;
}

/** Little-endian fields, then eight bytes in order. */
function toGuid(bytes: Uint8Array): string {
  const turned = (start: number, end: number): string => toHex(bytes.slice(start, end).toReversed());
  return `{${turned(0, 4)}-${turned(4, 6)}-${turned(6, 8)}-${toHex(bytes.subarray(8, 10))}-${toHex(bytes.subarray(10))}}`.toUpperCase();
}

/** The containers of a bundle as members, for the reader of the program around them. */
export function* toBurnMembers(source: ByteSource, info: BurnInfo): Generator<Member, void, void> {
  for (const { name, offset, available } of info.containers) {
    if (available === 0) continue;
    yield {
      name: `[${name}]`,
      relation: 'part',
      content: { kind: 'source', source: sliceSource(source, offset, available), containerOffset: offset },
    };
  }
}

export const burnManifestFormat: Format = {
  id: 'burn-manifest',
  title: 'manifest of a WiX bundle',
  nature: 'passive',
  extensions: ['xml'],
  references: [
    'https://github.com/wixtoolset/wix/blob/main/src/burn/engine/manifest.cpp',
    'https://docs.firegiant.com/wix/schema/wxs/bundle/',
  ],
  limitations: [
    `At most ${toGrouped(payloadsLimit)} payloads are listed.`,
    'Conditions, searches and command lines are searched as text, not read.',
  ],
  probe(head) {
    const root = tryReadXmlRoot(head);
    return root?.name === 'BurnManifest' && (root.attributes.get('xmlns') ?? '').endsWith('/2008/Burn');
  },
  read,
};

/** @throws TelltaleError `limit/time` */
function read(source: ByteSource, context: ReadContext): Reading {
  const { root, fault } = parseXml(readUpTo(source, 0, xmlBytesLimit), context.budget);
  reportXmlFault(fault, context);
  if (root === undefined) return { facts: [], regions: [] };
  const facts: Fact[] = [];
  const registration = tryChild(root, 'Registration');
  if (registration !== undefined) addRegistrationFacts(registration, facts);
  const payloads = [...root.children, ...(tryChild(root, 'UX')?.children ?? [])].filter(
    ({ name }) => name === 'Payload',
  );
  for (const payload of payloads.slice(0, payloadsLimit)) addPayloadFacts(payload, facts);
  if (payloads.length > payloadsLimit) {
    context.report({
      code: 'limit/count',
      message: `lists more than ${payloadsLimit} payloads`,
      consequence: 'the others were searched as text, not read',
      incomplete: true,
    });
  }
  for (const chained of tryChild(root, 'Chain')?.children ?? []) {
    if (facts.length > payloadsLimit * 4) break;
    if (!chained.name.endsWith('Package')) continue;
    facts.push(...toFieldFacts(chained.name, chained.attributes.get('Id'), chained.offset));
    facts.push(...toFieldFacts('ProductCode', chained.attributes.get('ProductCode'), chained.offset));
  }
  return { facts, regions: [] };
}

function addRegistrationFacts(registration: XmlElement, facts: Fact[]): void {
  const { attributes, offset } = registration;
  const id = attributes.get('Id') ?? attributes.get('Code');
  if (id !== undefined) facts.push({ kind: 'packageId', value: id, offset });
  for (const name of ['Version', 'ProviderKey', 'ExecutableName', 'Tag']) {
    facts.push(...toFieldFacts(name, attributes.get(name), offset));
  }
  const arp = tryChild(registration, 'Arp');
  for (const name of ['DisplayName', 'DisplayVersion', 'Publisher', 'InProgressDisplayName']) {
    facts.push(...toFieldFacts(name, arp?.attributes.get(name), arp?.offset));
  }
}

/** Digests have 40 digits (SHA-1, WiX 3) or 128 (SHA-512, since WiX 4). */
const digestAlgorithms: ReadonlyMap<number, string> = new Map([
  [40, 'sha1'],
  [64, 'sha256'],
  [128, 'sha512'],
]);

function addPayloadFacts(payload: XmlElement, facts: Fact[]): void {
  const { attributes, offset } = payload;
  const name = attributes.get('FilePath') ?? attributes.get('Id') ?? '';
  const sourcePath = attributes.get('SourcePath');
  const downloadUrl = attributes.get('DownloadUrl');
  facts.push({
    kind: 'memberName',
    value: name,
    offset,
    detail: {
      ...(sourcePath === undefined ? {} : { storedAs: sourcePath }),
      ...(downloadUrl === undefined ? {} : { downloadUrl }),
    },
  });
  const hash = attributes.get('Hash') ?? '';
  const algorithm = digestAlgorithms.get(hash.length);
  if (algorithm === undefined || !/^[0-9a-f]+$/i.test(hash)) return;
  const size = Number(attributes.get('FileSize') ?? Number.NaN);
  facts.push({
    kind: 'listedDigest',
    name,
    value: hash.toLowerCase(),
    offset,
    detail: { algorithm, ...(Number.isSafeInteger(size) ? { size } : {}) },
  });
}
