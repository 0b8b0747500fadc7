/**
 * Flatpak metadata: the `metadata` file of an application or runtime, and `.flatpakref` files that point to one.
 *
 * Specification: https://docs.flatpak.org/en/latest/flatpak-command-reference.html#flatpak-metadata,
 * https://docs.flatpak.org/en/latest/flatpak-command-reference.html#flatpak-flatpakref
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import { type IniSections, parseIni } from '../ini.ts';
import type { Fact, Format, ReadContext, Reading } from '../model.ts';
import { tryDecodeText } from '../text.ts';
import { readMetadataText } from './metadata-text.ts';

/** Sections that begin such files, the key with the id of what they describe, and keys that are told. */
const kinds = [
  {
    section: 'Application',
    idKey: 'name',
    requiredKey: 'runtime',
    keys: ['runtime', 'sdk', 'command', 'base'],
  },
  { section: 'Runtime', idKey: 'name', requiredKey: 'runtime', keys: ['runtime', 'sdk'] },
  {
    section: 'Flatpak Ref',
    idKey: 'Name',
    requiredKey: 'Url',
    keys: ['Title', 'Branch', 'Url', 'RuntimeRepo', 'Homepage', 'IsRuntime'],
  },
] as const;

type Kind = (typeof kinds)[number];

export const flatpakMetadataFormat: Format = {
  id: 'flatpak-metadata',
  title: 'Flatpak metadata',
  nature: 'passive',
  extensions: ['flatpakref'],
  references: ['https://docs.flatpak.org/en/latest/flatpak-command-reference.html#flatpak-metadata'],
  limitations: ['Permissions and extensions are searched as text, not told one by one.'],
  probe(head) {
    const text = head.includes(0x5b) ? tryDecodeText(head) : undefined;
    return text !== undefined && tryFindKind(parseIni(text)) !== undefined;
  },
  read(source: ByteSource, context: ReadContext): Reading {
    const sections = parseIni(readMetadataText(source, context));
    const kind = tryFindKind(sections);
    const values = kind === undefined ? undefined : sections.get(kind.section);
    if (kind === undefined || values === undefined) return { facts: [], regions: [] };
    const facts: Fact[] = [
      { kind: 'packageId', value: values.get(kind.idKey) ?? '' },
      { kind: 'packageField', name: 'Kind', value: kind.section },
    ];
    for (const key of kind.keys) {
      const value = values.get(key);
      if (value !== undefined && value !== '') facts.push({ kind: 'packageField', name: key, value });
    }
    return { facts, regions: [] };
  },
};

/** Ids are names turned around: `com.example.App`. */
function tryFindKind(sections: IniSections): Kind | undefined {
  return kinds.find(({ section, idKey, requiredKey }) => {
    const values = sections.get(section);
    return (
      values !== undefined &&
      /^[A-Za-z_][\w-]*(?:\.[\w-]+)+$/.test(values.get(idKey) ?? '') &&
      values.has(requiredKey)
    );
  });
}
