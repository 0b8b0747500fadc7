/**
 * Descriptions in a flat Mac installer package (`.pkg`): `PackageInfo` of a component, `Distribution` of a product.
 *
 * Specification: https://developer.apple.com/library/archive/documentation/DeveloperTools/Reference/DistributionDefinitionRef/
 * for Distribution; PackageInfo has none.
 */
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import type { Fact, Format, ReadContext, Reading } from '../model.ts';
import { parseXml, tryReadXmlRoot, type XmlElement, xmlBytesLimit } from '../xml.ts';
import { reportXmlFault, toFieldFacts } from './xml-facts.ts';

const factsLimit = 1024;

export const flatPackageFormat: Format = {
  id: 'flat-package-info',
  title: 'description in a Mac installer package (PackageInfo, Distribution)',
  nature: 'passive',
  extensions: ['dist', 'xml'],
  references: [
    'https://developer.apple.com/library/archive/documentation/DeveloperTools/Reference/DistributionDefinitionRef/',
  ],
  limitations: ['Scripts in a Distribution are searched as text, not run.'],
  probe(head) {
    const root = tryReadXmlRoot(head);
    if (root === undefined) return false;
    if (root.name === 'pkg-info') return root.attributes.has('identifier');
    return root.name === 'installer-gui-script' || root.name === 'installer-script';
  },
  read,
};

/** @throws TelltaleError `limit/time` */
function read(source: ByteSource, context: ReadContext): Reading {
  const { root, fault } = parseXml(readUpTo(source, 0, xmlBytesLimit), context.budget);
  reportXmlFault(fault, context);
  if (root === undefined) return { facts: [], regions: [] };
  const facts: Fact[] = [];
  const add = (name: string, element: XmlElement, attribute: string): void => {
    facts.push(...toFieldFacts(name, element.attributes.get(attribute), element.offset));
  };
  const addBundle = (element: XmlElement, attribute: string): void => {
    const value = element.attributes.get(attribute);
    if (value !== undefined) facts.push({ kind: 'bundleId', value, offset: element.offset });
  };
  if (root.name === 'pkg-info') {
    const identifier = root.attributes.get('identifier');
    if (identifier !== undefined) facts.push({ kind: 'packageId', value: identifier, offset: root.offset });
    add('version', root, 'version');
    add('install-location', root, 'install-location');
    add('auth', root, 'auth');
  }
  for (const element of eachElement(root)) {
    if (facts.length >= factsLimit) break;
    if (element.name === 'title') facts.push(...toFieldFacts('title', element.text, element.offset));
    else if (element.name === 'product') {
      const id = element.attributes.get('id');
      if (id !== undefined) facts.push({ kind: 'packageId', value: id, offset: element.offset });
      add('version', element, 'version');
    } else if (element.name === 'pkg-ref') {
      add('pkg-ref', element, 'id');
      facts.push(...toFieldFacts('pkg-ref.file', element.text, element.offset));
      add('pkg-ref.version', element, 'version');
    } else if (element.name === 'bundle') {
      addBundle(element, element.attributes.has('CFBundleIdentifier') ? 'CFBundleIdentifier' : 'id');
      add('bundle.version', element, 'CFBundleShortVersionString');
      add('bundle.path', element, 'path');
    }
  }
  return { facts: facts.slice(0, factsLimit), regions: [] };
}

/** Depth first; with a list of its own, not with calls. */
function* eachElement(root: XmlElement): Generator<XmlElement, void, void> {
  const pending = [...root.children].toReversed();
  for (let element = pending.pop(); element !== undefined; element = pending.pop()) {
    yield element;
    for (const child of element.children.toReversed()) pending.push(child);
  }
}
