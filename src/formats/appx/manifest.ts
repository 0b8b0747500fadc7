/**
 * Manifests of Windows packages and bundles: who they say that they are.
 *
 * Specification: https://learn.microsoft.com/uwp/schemas/appxpackage/uapmanifestschema/schema-root,
 * https://learn.microsoft.com/uwp/schemas/bundlemanifestschema/bundle-manifest
 */
import type { Fact } from '../model.ts';
import { toFieldFacts, tryChild } from '../shapes/xml-facts.ts';
import type { XmlElement } from '../xml.ts';
import { toPartName } from './footprint.ts';
import { toPublisherId } from './publisher-name.ts';

/** Capabilities, applications and the like that are told one by one. */
const listLimit = 256;
/** Packages of a bundle; the schema has no limit. */
const packagesLimit = 10_000;

const identityFields = ['Version', 'Publisher', 'ProcessorArchitecture', 'ResourceId'] as const;
const propertyFields = ['DisplayName', 'PublisherDisplayName', 'Description', 'Framework'] as const;

export interface ManifestReading {
  readonly facts: readonly Fact[];
  /** As written; undefined when it is not there. */
  readonly publisher: string | undefined;
}

/** The facts of `AppxManifest.xml` or `AppxBundleManifest.xml`; offsets are left out, as they would be of the member. */
export function readIdentity(root: XmlElement): ManifestReading {
  const identity = tryChild(root, 'Identity');
  const name = identity?.attributes.get('Name')?.trim() ?? '';
  // Not trimmed: the id is made of the very text.
  const publisher = identity?.attributes.get('Publisher');
  const facts: Fact[] = [];
  if (name !== '') facts.push({ kind: 'packageId', value: name });
  for (const field of identityFields) facts.push(...toFieldFacts(field, identity?.attributes.get(field)));
  if (publisher !== undefined && publisher !== '') {
    const id = toPublisherId(publisher);
    facts.push(...toFieldFacts('PublisherId', id));
    if (name !== '') facts.push(...toFieldFacts('PackageFamilyName', `${name}_${id}`));
  }
  const properties = tryChild(root, 'Properties');
  for (const field of propertyFields) {
    facts.push(
      ...toFieldFacts(field, properties === undefined ? undefined : tryChild(properties, field)?.text),
    );
  }
  return { facts, publisher };
}

/** Applications, capabilities and systems of a package. */
export function readPackageDetails(root: XmlElement): Fact[] {
  const facts: Fact[] = [];
  for (const application of listChildren(root, 'Applications')) {
    for (const field of ['Id', 'Executable', 'EntryPoint', 'StartPage']) {
      facts.push(...toFieldFacts(`Application.${field}`, application.attributes.get(field)));
    }
  }
  for (const capability of listChildren(root, 'Capabilities')) {
    facts.push(...toFieldFacts('Capability', capability.attributes.get('Name')));
  }
  for (const dependency of listChildren(root, 'Dependencies')) {
    facts.push(...toFieldFacts(dependency.name, dependency.attributes.get('Name')));
  }
  return facts;
}

function listChildren(root: XmlElement, name: string): readonly XmlElement[] {
  return tryChild(root, name)?.children.slice(0, listLimit) ?? [];
}

/** The packages that a bundle lists. */
export function readBundlePackages(root: XmlElement): { facts: Fact[]; partNames: ReadonlySet<string> } {
  const packages = (tryChild(root, 'Packages')?.children ?? []).filter(({ name }) => name === 'Package');
  const partNames = new Set<string>();
  const facts: Fact[] = [];
  for (const [index, element] of packages.slice(0, packagesLimit).entries()) {
    const name = element.attributes.get('FileName') ?? '';
    if (name === '') continue;
    partNames.add(toPartName(name));
    if (index < listLimit) facts.push(...toFieldFacts('Package', name));
  }
  return { facts, partNames };
}
