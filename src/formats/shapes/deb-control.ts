/**
 * The control file of a Debian package, wherever it lies: of a package whose control archive is not read by the
 * package format itself (compressed with xz or zstd), it is the only one that says what the package is.
 *
 * Reference: https://manpages.debian.org/bookworm/dpkg-dev/deb-control.5.en.html
 */
import { parseControl } from '../ar.ts';
import type { Fact, Format } from '../model.ts';
import { tryDecodeText } from '../text.ts';
import { readMetadataText } from './metadata-text.ts';

/** Fields that say which package it is and who made it. */
const toldFields: ReadonlySet<string> = new Set([
  'Version',
  'Architecture',
  'Maintainer',
  'Homepage',
  'Vendor',
  'Section',
]);

export const debControlFormat: Format = {
  id: 'deb-control',
  title: 'control file of a Debian package',
  nature: 'passive',
  extensions: [],
  references: ['https://manpages.debian.org/bookworm/dpkg-dev/deb-control.5.en.html'],
  limitations: ['Only the fields that name the package and its maker become facts.'],
  probe(head) {
    if (head[0] !== 0x50) return false; // P
    const text = tryDecodeText(head);
    return (
      text !== undefined &&
      /^Package: [a-z0-9][a-z0-9+.-]+\r?\n/.test(text) &&
      /^Version: \S/m.test(text) &&
      /^Architecture: \S/m.test(text)
    );
  },
  read(source, context) {
    const fields = parseControl(readMetadataText(source, context));
    const facts = fields.flatMap(([name, value]): Fact[] => {
      if (name === 'Package') return [{ kind: 'packageId', value }];
      return toldFields.has(name) ? [{ kind: 'packageField', name, value }] : [];
    });
    return { facts, regions: [] };
  },
};
