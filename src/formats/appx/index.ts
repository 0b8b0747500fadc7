/**
 * Packages of Windows apps: APPX and MSIX, and the bundles in which several of them travel.
 *
 * Specification: https://learn.microsoft.com/windows/msix/overview, https://learn.microsoft.com/windows/win32/appxpkg/appx-portal
 *
 * Both are ZIP files, and read as such. Here it is said what the package says of itself, and every file is compared
 * with the block map of the package. The signature is checked by whoever gets the parsed package.
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { listNames } from '../apk/members.ts';
import { toQuotedName } from '../member-name.ts';
import type { Fact, Format, ReadContext, Reading } from '../model.ts';
import { parseXml, type XmlElement, xmlBytesLimit } from '../xml.ts';
import { readZipArchive, type ZipArchive, zipFormat } from '../zip.ts';
import { checkBlockMap, parseBlockMap } from './block-map.ts';
import { findPart, footprintNames, readPart } from './footprint.ts';
import { readBundlePackages, readIdentity, readPackageDetails } from './manifest.ts';
import type {
  AppxPackage,
  BlockMapCheck,
  BlockMapDifference,
  FootprintFile,
  FootprintRole,
} from './package.ts';

export type { AppxPackage, BlockMapCheck, BlockMapDifference } from './package.ts';
export { isSamePublisher, toPublisherId, tryParsePublisher } from './publisher-name.ts';

/** A signature has tens of kilobytes; a catalogue of code up to a few megabytes. */
const footprintBytesLimit = 32 * 1024 * 1024;

type PackageKind = AppxPackage['kind'];

/** What a ZIP file is, by the names in it. Its directory is walked once, however many probes ask. */
const kinds = new WeakMap<ByteSource, PackageKind | 'none'>();

function toKind(source: ByteSource): PackageKind | 'none' {
  const known = kinds.get(source);
  if (known !== undefined) return known;
  const kind = classify(source);
  kinds.set(source, kind);
  return kind;
}

function classify(source: ByteSource): PackageKind | 'none' {
  let hasManifest = false;
  let hasContainerPart = false;
  for (const name of listNames(source)) {
    const lower = name.toLowerCase();
    if (lower === footprintNames.bundleManifest.toLowerCase()) return 'bundle';
    // A package for Windows Phone may hold a manifest of this name as well.
    if (lower === 'wmappmanifest.xml') return 'none';
    if (lower === footprintNames.packageManifest.toLowerCase()) hasManifest = true;
    else if (
      lower === footprintNames.blockMap.toLowerCase() ||
      lower === footprintNames.signature.toLowerCase() ||
      lower === footprintNames.contentTypes.toLowerCase()
    ) {
      hasContainerPart = true;
    }
  }
  return hasManifest && hasContainerPart ? 'package' : 'none';
}

const references = [
  'https://learn.microsoft.com/windows/msix/overview',
  'https://learn.microsoft.com/uwp/schemas/appxpackage/uapmanifestschema/schema-root',
  'https://learn.microsoft.com/uwp/schemas/blockmapschema/app-package-block-map',
] as const;

const limitations = [
  'Encrypted packages (.eappx, .emsix) are not recognised.',
  'Texts that the manifest takes from resources (ms-resource:) stay references.',
  'Packed sizes of blocks and digests of whole files in the block map are not compared.',
] as const;

export const appxFormat: Format = {
  id: 'appx',
  title: 'Windows app package (APPX, MSIX)',
  nature: 'acting',
  extensions: ['appx', 'msix'],
  references,
  limitations,
  probe: (_head, source) => toKind(source) === 'package',
  read: (source, context) => read(source, 'package', context),
};

export const appxBundleFormat: Format = {
  id: 'appx-bundle',
  title: 'bundle of Windows app packages',
  nature: 'acting',
  extensions: ['appxbundle', 'msixbundle'],
  references: [...references, 'https://learn.microsoft.com/uwp/schemas/bundlemanifestschema/bundle-manifest'],
  limitations: [...limitations, 'Offsets and sizes of packages in the bundle manifest are not compared.'],
  probe: (_head, source) => toKind(source) === 'bundle',
  read: (source, context) => read(source, 'bundle', context),
};

async function read(source: ByteSource, kind: PackageKind, context: ReadContext): Promise<Reading> {
  const zip = await zipFormat.read(source, context);
  // The archive is read a second time for its records; what is wrong with it was told the first time.
  const archive = readZipArchive(source, { ...context, report: () => {} });
  const footprint = await readFootprint(source, archive, kind, context);
  const manifest = readManifest(footprint.get('manifest'), context);
  const identity = manifest === undefined ? undefined : readIdentity(manifest);
  const bundle =
    manifest === undefined || kind === 'package'
      ? { facts: [], partNames: new Set<string>() }
      : readBundlePackages(manifest);
  const details = manifest === undefined || kind === 'bundle' ? [] : readPackageDetails(manifest);
  const blockMap = await checkMap(source, archive, footprint.get('blockMap'), bundle.partNames, context);
  const appxPackage: AppxPackage = {
    source,
    archive,
    kind,
    publisher: identity?.publisher,
    footprint,
    blockMap,
  };
  return {
    ...zip,
    facts: [
      ...(identity?.facts ?? []),
      ...details,
      ...bundle.facts,
      ...describeSignature(footprint.get('signature')),
      ...toSealFacts(blockMap),
      ...zip.facts,
    ],
    signed: { kind: 'appx', package: appxPackage },
  };
}

async function readFootprint(
  source: ByteSource,
  archive: ZipArchive,
  kind: PackageKind,
  context: ReadContext,
): Promise<ReadonlyMap<FootprintRole, FootprintFile>> {
  const names: readonly (readonly [FootprintRole, string])[] = [
    ['signature', footprintNames.signature],
    ['contentTypes', footprintNames.contentTypes],
    ['blockMap', footprintNames.blockMap],
    ['codeIntegrity', footprintNames.codeIntegrity],
    ['manifest', kind === 'bundle' ? footprintNames.bundleManifest : footprintNames.packageManifest],
  ];
  const files = new Map<FootprintRole, FootprintFile>();
  for (const [role, name] of names) {
    const entry = findPart(archive, name);
    if (entry === undefined) continue;
    const limit = role === 'blockMap' || role === 'manifest' ? xmlBytesLimit : footprintBytesLimit;
    const file = await readPart(source, entry, limit, context);
    files.set(role, file);
    if (file.fault !== undefined) {
      context.report({
        code: file.fault.code,
        message: `${toQuotedName(entry.name)} ${file.fault.message}`,
        offset: entry.headerOffset,
        consequence: 'what it says about the package is not known',
        incomplete: true,
      });
    }
  }
  return files;
}

function readManifest(file: FootprintFile | undefined, context: ReadContext): XmlElement | undefined {
  const consequence = 'what the package says of itself is not known, or not all of it';
  if (file === undefined) {
    context.report({
      code: 'malformed/structure',
      message: 'has no manifest',
      consequence,
      incomplete: true,
    });
    return undefined;
  }
  if (file.bytes === undefined) return undefined;
  const { root, fault } = parseXml(file.bytes, context.budget);
  if (fault !== undefined) {
    context.report({
      code: fault.code,
      message: `has a manifest that ${fault.message}`,
      offset: file.entry.headerOffset,
      consequence,
      incomplete: true,
    });
  }
  return root;
}

async function checkMap(
  source: ByteSource,
  archive: ZipArchive,
  file: FootprintFile | undefined,
  nested: ReadonlySet<string>,
  context: ReadContext,
): Promise<BlockMapCheck | undefined> {
  const consequence = 'its files were not compared with the digests that it states';
  if (file === undefined) {
    context.report({
      code: 'malformed/structure',
      message: 'has no block map',
      consequence,
      incomplete: false,
    });
    return undefined;
  }
  if (file.bytes === undefined) return undefined;
  let check: BlockMapCheck;
  try {
    const map = parseBlockMap(file.bytes, context.budget);
    check = await checkBlockMap(source, archive, map, nested, context);
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    context.report({
      code: error.code,
      message: `has a block map that was not compared: it ${error.message}`,
      offset: file.entry.headerOffset,
      consequence,
      incomplete: true,
    });
    return undefined;
  }
  const [first] = check.differences;
  if (first !== undefined) {
    const more = check.differenceCount > 1 ? ` (and ${check.differenceCount - 1} more differences)` : '';
    context.report({
      code: 'malformed/checksum',
      message: `does not agree with its block map: ${describeDifference(first)}${more}`,
      ...(first.offset === undefined ? {} : { offset: first.offset }),
      consequence: 'it is not as it was packed; Windows does not install it',
      incomplete: false,
    });
  }
  return check;
}

/** One difference in plain words; names are as in the file. */
export function describeDifference({ kind, name, block }: BlockMapDifference): string {
  const quoted = toQuotedName(name);
  switch (kind) {
    case 'changed':
      return block === undefined
        ? `${quoted} has another size`
        : `block ${block} of ${quoted} has other bytes`;
    case 'header':
      return `the local header of ${quoted} has another size`;
    case 'missing':
      return `${quoted} is missing`;
    case 'unlisted':
      return `${quoted} is not in the map`;
    case 'unreadable':
      return `${quoted} cannot be unpacked whole`;
    case 'repeated':
      return `${quoted} is in the map twice`;
  }
}

function describeSignature(file: FootprintFile | undefined): Fact[] {
  if (file === undefined) return [];
  return [
    {
      kind: 'signatureStream',
      name: footprintNames.signature,
      value: file.bytes?.length ?? file.entry.size ?? 0,
      offset: file.entry.headerOffset,
    },
  ];
}

function toSealFacts(check: BlockMapCheck | undefined): Fact[] {
  if (check === undefined) return [];
  return check.differences.flatMap(({ kind, name, actual, expected, block, offset }): Fact[] => {
    if (kind !== 'changed' || actual === undefined) return [];
    return [
      {
        kind: 'sealBroken',
        name,
        value: actual,
        ...(offset === undefined ? {} : { offset }),
        detail: {
          ...(expected === undefined ? {} : { expected }),
          algorithm: check.algorithm,
          block: block ?? 0,
        },
      },
    ];
  });
}
