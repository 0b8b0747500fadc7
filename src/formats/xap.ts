/**
 * Packages of Windows Phone apps (XAP).
 *
 * Specification: https://learn.microsoft.com/previous-versions/windows/apps/ff769509(v=vs.105) (WMAppManifest.xml),
 * https://learn.microsoft.com/previous-versions/windows/apps/cc838120(v=vs.105) (AppManifest.xaml)
 *
 * A ZIP file, and read as such; here it is said what the package says of itself. Packages from the store carry the
 * header of a PlayReady licence (`WMAppPRHeader.xml`); with it files in the package may be encrypted one by one, which
 * only their own formats can show.
 */
import type { ByteSource } from '../bytes/byte-source.ts';
import { listNames } from './apk/members.ts';
import { findPart, readPart } from './appx/footprint.ts';
import { toQuotedName } from './member-name.ts';
import type { Fact, Format, ReadContext, Reading } from './model.ts';
import { toFieldFacts, tryChild } from './shapes/xml-facts.ts';
import { parseXml, type XmlElement } from './xml.ts';
import { readZipArchive, type ZipArchive, zipFormat } from './zip.ts';

/** Real ones have a few kilobytes. */
const manifestBytesLimit = 4 * 1024 * 1024;
const listLimit = 256;

const manifestName = 'WMAppManifest.xml';
const partsName = 'AppManifest.xaml';
const licenceName = 'WMAppPRHeader.xml';

const appFields = [
  'ProductID',
  'Title',
  'Version',
  'Publisher',
  'PublisherID',
  'Author',
  'Description',
  'Genre',
  'RuntimeType',
] as const;

/** Whether a ZIP file is one, by the names in it. Its directory is walked once, however many probes ask. */
const known = new WeakMap<ByteSource, boolean>();

function isXap(source: ByteSource): boolean {
  const answer = known.get(source) ?? hasManifest(source);
  known.set(source, answer);
  return answer;
}

function hasManifest(source: ByteSource): boolean {
  for (const name of listNames(source)) {
    if (name.toLowerCase() === manifestName.toLowerCase()) return true;
  }
  return false;
}

export const xapFormat: Format = {
  id: 'xap',
  title: 'Windows Phone app package (XAP)',
  nature: 'acting',
  extensions: ['xap'],
  references: [
    'https://learn.microsoft.com/previous-versions/windows/apps/ff769509(v=vs.105)',
    'https://learn.microsoft.com/previous-versions/windows/apps/cc838120(v=vs.105)',
  ],
  limitations: [
    'Signatures and licences of the store are not checked.',
    'Packages that are encrypted as a whole are not recognised.',
    'Texts that the manifest takes from resources (@AppResLib.dll) stay references.',
  ],
  probe: (_head, source) => isXap(source),
  async read(source, context): Promise<Reading> {
    const zip = await zipFormat.read(source, context);
    // The archive is read a second time for its records; what is wrong with it was told the first time.
    const archive = readZipArchive(source, { ...context, report: () => {} });
    const manifest = await readXml(source, archive, manifestName, context);
    const parts = await readXml(source, archive, partsName, context);
    return {
      ...zip,
      facts: [
        ...(manifest === undefined ? [] : toManifestFacts(manifest)),
        ...(parts === undefined ? [] : toPartFacts(parts)),
        ...noteLicence(archive, context),
        ...zip.facts,
      ],
    };
  },
};

async function readXml(
  source: ByteSource,
  archive: ZipArchive,
  name: string,
  context: ReadContext,
): Promise<XmlElement | undefined> {
  const entry = findPart(archive, name);
  if (entry === undefined) return undefined;
  const { bytes, fault: unread } = await readPart(source, entry, manifestBytesLimit, context);
  const { root, fault } =
    bytes === undefined ? { root: undefined, fault: unread } : parseXml(bytes, context.budget);
  if (fault !== undefined) {
    context.report({
      code: fault.code,
      message: `has ${toQuotedName(entry.name)}, which ${fault.message}`,
      offset: entry.headerOffset,
      consequence: 'what the package says of itself is not known, or not all of it',
      incomplete: true,
    });
  }
  return root;
}

function toManifestFacts(root: XmlElement): Fact[] {
  const app = tryChild(root, 'App');
  if (app === undefined) return [];
  const facts: Fact[] = [];
  const id = app.attributes.get('ProductID')?.trim() ?? '';
  if (id !== '') facts.push({ kind: 'packageId', value: id });
  for (const field of appFields) facts.push(...toFieldFacts(field, app.attributes.get(field)));
  facts.push(...toFieldFacts('AppPlatformVersion', root.attributes.get('AppPlatformVersion')));
  for (const capability of listChildren(app, 'Capabilities')) {
    facts.push(...toFieldFacts('Capability', capability.attributes.get('Name')));
  }
  return facts;
}

/** The program and its assemblies. */
function toPartFacts(root: XmlElement): Fact[] {
  const facts: Fact[] = [];
  for (const field of ['EntryPointAssembly', 'EntryPointType', 'RuntimeVersion']) {
    facts.push(...toFieldFacts(field, root.attributes.get(field)));
  }
  for (const part of listChildren(root, 'Deployment.Parts')) {
    facts.push(...toFieldFacts('AssemblyPart', part.attributes.get('Source')));
  }
  return facts;
}

function listChildren(element: XmlElement, name: string): readonly XmlElement[] {
  return tryChild(element, name)?.children.slice(0, listLimit) ?? [];
}

function noteLicence(archive: ZipArchive, context: ReadContext): Fact[] {
  const entry = findPart(archive, licenceName);
  if (entry === undefined) return [];
  context.report({
    code: 'encrypted/member',
    message: 'has the header of a PlayReady licence',
    offset: entry.headerOffset,
    consequence: 'members that are encrypted with it look like data of an unknown format',
    incomplete: false,
  });
  return [{ kind: 'encrypted', name: 'licence', value: 'PlayReady', offset: entry.headerOffset }];
}
