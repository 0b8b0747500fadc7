/**
 * The manifest of a NuGet package (`*.nuspec` in a `.nupkg`): what Squirrel updates and Chocolatey packages are.
 *
 * Specification: https://learn.microsoft.com/nuget/reference/nuspec
 */
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import type { Fact, Format, ReadContext, Reading } from '../model.ts';
import { parseXml, tryReadXmlRoot, xmlBytesLimit } from '../xml.ts';
import { reportXmlFault, toFieldFacts, tryChild } from './xml-facts.ts';

/** Child elements of `metadata` that are told. */
const fields = [
  'version',
  'title',
  'authors',
  'owners',
  'projectUrl',
  'copyright',
  'description',
  'language',
] as const;

export const nuspecFormat: Format = {
  id: 'nuspec',
  title: 'manifest of a NuGet package',
  nature: 'passive',
  extensions: ['nuspec'],
  references: ['https://learn.microsoft.com/nuget/reference/nuspec'],
  limitations: ['Dependencies and file lists are searched as text, not told one by one.'],
  probe(head) {
    const root = tryReadXmlRoot(head);
    if (root?.name !== 'package') return false;
    // Other XML has a root of this name; the namespace, or the shape of a manifest, tells it.
    const namespace = root.attributes.get('xmlns') ?? '';
    return /\/packaging\/\d{4}\/\d{2}\/nuspec\.xsd$/.test(namespace) || root.childName === 'metadata';
  },
  read,
};

/** @throws TelltaleError `limit/time` */
function read(source: ByteSource, context: ReadContext): Reading {
  const { root, fault } = parseXml(readUpTo(source, 0, xmlBytesLimit), context.budget);
  reportXmlFault(fault, context);
  const metadata = root === undefined ? undefined : tryChild(root, 'metadata');
  if (metadata === undefined) return { facts: [], regions: [] };
  const facts: Fact[] = [];
  const id = tryChild(metadata, 'id');
  if (id !== undefined && id.text.trim() !== '') {
    facts.push({ kind: 'packageId', value: id.text.trim(), offset: id.offset });
  }
  for (const name of fields) {
    const element = tryChild(metadata, name);
    facts.push(...toFieldFacts(name, element?.text, element?.offset));
  }
  return { facts, regions: [] };
}
