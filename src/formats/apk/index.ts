/**
 * Android packages: APK, the bundles in which several of them travel, and App Bundles, from which a store makes them.
 *
 * Specification: https://developer.android.com/guide/components/fundamentals,
 * https://source.android.com/docs/security/features/apksigning
 *
 * All three are ZIP files, and read as such; here it is said what the package says of itself. Signatures are checked by
 * whoever gets the parsed package.
 */
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { openFile } from '../../platform/files.ts';
import { toBoundedReport } from '../bounded-report.ts';
import { isDex } from '../dex.ts';
import { toQuotedName } from '../member-name.ts';
import type { Fact, Format, Member, ReadContext, Reading } from '../model.ts';
import { readZipArchive, type ZipArchive, zipFormat } from '../zip.ts';
import type { AndroidPackage } from './android-package.ts';
import {
  decodeAsAndroid,
  findListed,
  listNames,
  openAsAndroid,
  toAndroidName,
  tryDescribeTrick,
  tryFindDirectoryStart,
} from './members.ts';
import type { ResourceTable } from './resources-arsc.ts';
import { hasContent, isKnownBlock, toBlockName, toLayout, tryReadSigningBlock } from './signing-block.ts';

export type { AndroidPackage } from './android-package.ts';

const MiB = 1024 * 1024;
/** The largest real ones have a quarter of that. */
const manifestBytesLimit = 8 * MiB;
/** Resources are mostly stored as they are, and then have no limit. */
const resourcesBytesLimit = 64 * MiB;
const bundleManifestBytesLimit = MiB;
const trickFindingsLimit = 16;

const manifestName = 'AndroidManifest.xml';
const bundleManifestName = 'base/manifest/AndroidManifest.xml';

type PackageKind = 'apk' | 'aab' | 'apk-bundle';

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
  let hasContentOfPackage = false;
  let hasBundleConfig = false;
  let hasBundleManifest = false;
  let hasPackage = false;
  let hasTableOfContents = false;
  for (const name of listNames(source)) {
    if (name === manifestName) hasManifest = true;
    else if (name === 'BundleConfig.pb') hasBundleConfig = true;
    else if (name === bundleManifestName) hasBundleManifest = true;
    else if (name === 'toc.pb' || name === 'manifest.json' || name === 'info.json') hasTableOfContents = true;
    else if (name.endsWith('.apk')) hasPackage = true;
    else if (
      name === 'classes.dex' ||
      name === 'resources.arsc' ||
      /^lib\/.+\.so$|^META-INF\/[^/]+\.(?:RSA|DSA|EC)$/i.test(name)
    ) {
      hasContentOfPackage = true;
    }
    if (hasManifest && hasContentOfPackage) return 'apk';
    if (hasBundleConfig && hasBundleManifest) return 'aab';
  }
  // A split that holds nothing but assets shows only by its signature; source trees and libraries have none.
  if (hasManifest && hasSigningBlock(source)) return 'apk';
  return hasPackage && hasTableOfContents && !hasManifest ? 'apk-bundle' : 'none';
}

function hasSigningBlock(source: ByteSource): boolean {
  const start = tryFindDirectoryStart(source);
  return start !== undefined && tryReadSigningBlock(source, start) !== undefined;
}

const references = [
  'https://developer.android.com/guide/components/fundamentals',
  'https://source.android.com/docs/security/features/apksigning',
  'https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/libs/androidfw/include/androidfw/ResourceTypes.h',
] as const;

export const apkFormat: Format = {
  id: 'apk',
  title: 'Android package',
  nature: 'acting',
  extensions: ['apk'],
  references,
  limitations: [
    'Resources other than the texts and names that the manifest refers to are not resolved.',
    'References to resources of Android itself stay numbers.',
    'Signature scheme v4 (a file beside the package) is noted, not checked; so is the source stamp.',
  ],
  probe: (_head, source) => toKind(source) === 'apk',
  read: readApk,
};

export const apkBundleFormat: Format = {
  id: 'apk-bundle',
  title: 'bundle of Android packages',
  nature: 'transport',
  extensions: ['apks', 'xapk', 'apkm'],
  references: ['https://developer.android.com/tools/bundletool'],
  limitations: ['The table of contents of an .apks file is not read; its packages are.'],
  probe: (_head, source) => toKind(source) === 'apk-bundle',
  async read(source, context) {
    const reading = await zipFormat.read(source, context);
    const archive = readZipArchive(source, toSilent(context));
    return { ...reading, facts: [...(await readBundleManifest(source, archive, context)), ...reading.facts] };
  },
};

export const aabFormat: Format = {
  id: 'aab',
  title: 'Android App Bundle',
  nature: 'acting',
  extensions: ['aab'],
  references: ['https://developer.android.com/guide/app-bundle/app-bundle-format'],
  limitations: ['Only the manifest of the base module is read; its resources are not resolved.'],
  probe: (_head, source) => toKind(source) === 'aab',
  async read(source, context) {
    const reading = await zipFormat.read(source, context);
    const archive = readZipArchive(source, toSilent(context));
    const facts = await attempt(context, 'what its manifest says is not known', async () => {
      const entry = findListed(archive, bundleManifestName);
      if (entry === undefined) return [];
      const manifest = await openAsAndroid(source, entry, manifestBytesLimit, context);
      const [{ readManifest }, { readProtoXml }] = await Promise.all([
        import('./manifest.ts'),
        import('./proto-xml.ts'),
      ]);
      return readManifest(readProtoXml(manifest.read(0, manifest.size), context), undefined, context);
    });
    return {
      ...reading,
      facts: [...(facts ?? []), ...reading.facts],
      signed: { kind: 'apk', package: toPackage(source, archive) },
    };
  },
};

async function readApk(source: ByteSource, context: ReadContext): Promise<Reading> {
  const zip = await zipFormat.read(source, context);
  const archive = readZipArchive(source, toSilent(context));
  const androidPackage = toPackage(source, archive);
  const resources = await readResources(source, archive, context);
  const facts = [
    ...(await readPackageManifest(source, archive, resources, context)),
    ...describeSigningBlock(androidPackage),
    ...noteOuterSignature(context),
    ...noteProgramInFront(source, archive, context),
  ];
  return {
    ...zip,
    facts: [...facts, ...zip.facts],
    members: () => toMembers(source, archive, zip, context),
    signed: { kind: 'apk', package: androidPackage },
  };
}

/** The archive is read a second time for its records; what is wrong with it was told the first time. */
function toSilent(context: ReadContext): ReadContext {
  return { ...context, report: () => {} };
}

function toPackage(source: ByteSource, archive: ZipArchive): AndroidPackage {
  const layout = toLayout(source, archive);
  const { end } = archive;
  const start =
    typeof layout === 'string'
      ? end === undefined
        ? undefined
        : end.tailOffset - end.directorySize
      : layout.directoryOffset;
  return {
    source,
    archive,
    layout,
    signingBlock: start === undefined ? undefined : tryReadSigningBlock(source, start),
  };
}

/** Runs a part of the reading; a fault in it is reported and leaves the rest alone. */
async function attempt<Result>(
  context: ReadContext,
  consequence: string,
  part: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await part();
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    context.report({
      code: error.code,
      message: error.message,
      ...(error.offset === undefined ? {} : { offset: error.offset }),
      consequence,
      incomplete: true,
    });
    return undefined;
  }
}

async function readResources(
  source: ByteSource,
  archive: ZipArchive,
  context: ReadContext,
): Promise<ResourceTable | undefined> {
  const entry = findListed(archive, 'resources.arsc');
  if (entry === undefined) return undefined;
  return await attempt(context, 'texts that its manifest takes from there are not known', async () => {
    const { readResourceTable } = await import('./resources-arsc.ts');
    return readResourceTable(await openAsAndroid(source, entry, resourcesBytesLimit, context), context);
  });
}

async function readPackageManifest(
  source: ByteSource,
  archive: ZipArchive,
  resources: ResourceTable | undefined,
  context: ReadContext,
): Promise<readonly Fact[]> {
  const entry = findListed(archive, manifestName);
  if (entry === undefined) {
    context.report({
      code: 'malformed/structure',
      message: 'has no manifest that its central directory lists',
      consequence: 'the name of the package is not known',
      incomplete: true,
    });
    return [];
  }
  const facts = await attempt(context, 'what its manifest says is not known', async () => {
    const manifest = await openAsAndroid(source, entry, manifestBytesLimit, context);
    if (manifest.size > manifestBytesLimit) {
      throw new TelltaleError('limit/memory', `has a manifest of more than ${manifestBytesLimit} bytes`);
    }
    const [{ readManifest }, { readBinaryXml }] = await Promise.all([
      import('./manifest.ts'),
      import('./axml.ts'),
    ]);
    return readManifest(readBinaryXml(manifest.read(0, manifest.size), context), resources, context);
  });
  if (facts !== undefined && !facts.some(({ kind }) => kind === 'packageId')) {
    context.report({
      code: 'malformed/structure',
      message: 'has a manifest that names no package',
      offset: entry.headerOffset,
      consequence: 'the name of the package is not known',
      incomplete: true,
    });
  }
  return facts ?? [];
}

/** Parts of the signing block: signatures by their scheme, everything else by its number and size. */
function describeSigningBlock({ source, signingBlock }: AndroidPackage): Fact[] {
  return (signingBlock?.pairs ?? []).map((pair) => {
    const { id, offset, size } = pair;
    const name = toBlockName(id);
    const place = { region: 'signing block', offset };
    if (name.startsWith('APK Signature Scheme') || name.startsWith('source stamp')) {
      return { kind: 'signatureStream', name, value: size, ...place };
    }
    return {
      kind: 'unlistedBytes',
      name,
      value: size,
      ...place,
      detail: { known: isKnownBlock(id), content: hasContent(source, pair) },
    };
  });
}

/** Scheme v4 lies in a file beside the package. */
function noteOuterSignature({ file }: ReadContext): Fact[] {
  if (file === undefined) return [];
  try {
    const signature = openFile(`${file.path}.idsig`);
    signature.close();
    return [{ kind: 'signatureStream', name: 'APK Signature Scheme v4 (.idsig)', value: signature.size }];
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    return [];
  }
}

function noteProgramInFront(source: ByteSource, { prefix }: ZipArchive, context: ReadContext): Fact[] {
  if (prefix === undefined || !isDex(readUpTo(source, prefix.offset, 8))) return [];
  context.report({
    code: 'malformed/structure',
    message: `begins with an Android program of ${prefix.size} bytes and is a package as well`,
    offset: prefix.offset,
    consequence:
      'Android 5 to 8 may run the program in front, which no v1 signature covers (CVE-2017-13156); it is looked at as a part of its own',
    incomplete: false,
  });
  return [
    {
      kind: 'ambiguous',
      name: 'apk.programInFront',
      value: 'old versions of Android run the program in front of the package instead of the one in it',
      offset: prefix.offset,
    },
  ];
}

/** The members of the archive; those that only Android can read are read as Android reads them. */
async function* toMembers(
  source: ByteSource,
  archive: ZipArchive,
  zip: Reading,
  context: ReadContext,
): AsyncGenerator<Member, void, void> {
  const report = toBoundedReport(context.report.bind(context), trickFindingsLimit);
  const tricky = new Map(
    archive.entries
      .filter((entry) => entry.view === 'directory' && tryDescribeTrick(entry) !== undefined)
      .map((entry) => [entry.name, entry]),
  );
  for await (const member of zip.members?.() ?? []) {
    const entry = member.content.kind === 'unreadable' ? tricky.get(member.name) : undefined;
    const trick = entry === undefined ? undefined : tryDescribeTrick(entry);
    if (entry?.dataOffset === undefined || trick === undefined) {
      yield member;
      continue;
    }
    report({
      code: 'malformed/structure',
      message: `has a member that ${trick}: ${toQuotedName(toAndroidName(entry))}`,
      offset: entry.headerOffset,
      consequence: 'it is read as Android reads it; other software reads something else or nothing',
      incomplete: false,
    });
    yield {
      ...member,
      content: { kind: 'stream', open: () => decodeAsAndroid(source, entry) },
      facts: [...(member.facts ?? []), { kind: 'ambiguous', name: 'apk.method', value: trick }],
    };
  }
}

/** What the list of an .xapk or .apkm file says; its packages answer for themselves. */
async function readBundleManifest(
  source: ByteSource,
  archive: ZipArchive,
  context: ReadContext,
): Promise<readonly Fact[]> {
  const entry = findListed(archive, 'manifest.json') ?? findListed(archive, 'info.json');
  if (entry === undefined) return [];
  const facts = await attempt(context, 'what the list of the packages says is not known', async () => {
    const list = await openAsAndroid(source, entry, bundleManifestBytesLimit, context);
    return toBundleFacts(new TextDecoder().decode(readUpTo(list, 0, bundleManifestBytesLimit)));
  });
  return facts ?? [];
}

const bundleFields: ReadonlySet<string> = new Set([
  'package_name',
  'name',
  'version_code',
  'version_name',
  'pname',
  'release_version',
  'versioncode',
  'app_name',
]);

function toBundleFacts(text: string): Fact[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new TelltaleError('malformed/structure', 'has a list of its packages that is no JSON');
  }
  if (typeof parsed !== 'object' || parsed === null) return [];
  return Object.entries(parsed).flatMap(([name, value]): Fact[] =>
    bundleFields.has(name) && (typeof value === 'string' || typeof value === 'number')
      ? [{ kind: 'packageField', name, value: typeof value === 'string' ? value.slice(0, 1024) : value }]
      : [],
  );
}
