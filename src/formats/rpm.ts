/**
 * RPM packages: what the headers say, and where the payload begins.
 *
 * A lead of 96 bytes, a header with signatures, padding to 8 bytes, the header proper, then the payload: an archive
 * (cpio) in a compressed stream. A header is an index of tags and a store of values, all numbers big-endian.
 *
 * Specification: https://rpm-software-management.github.io/rpm/manual/format_v4.html,
 * https://rpm-software-management.github.io/rpm/manual/tags.html,
 * https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/pkgformat.html
 */
import { toGrouped } from '../bytes/amounts.ts';
import { Cursor } from '../bytes/cursor.ts';
import type { Format } from './model.ts';
import { leadBytes, leadMagic, listedFilesLimit } from './rpm/limits.ts';

export const rpmFormat: Format = {
  id: 'rpm',
  title: 'RPM package',
  nature: 'acting',
  extensions: ['rpm', 'drpm', 'srpm'],
  references: [
    'https://rpm-software-management.github.io/rpm/manual/format_v4.html',
    'https://rpm-software-management.github.io/rpm/manual/tags.html',
  ],
  limitations: [
    'Signatures are named with their key, not checked; the digests of header and payload are checked.',
    `At most ${toGrouped(listedFilesLimit)} listed files are named.`,
    'Packages of version 2 and older, and of version 6, are read only as far as they are like versions 3 and 4.',
  ],
  probe(head) {
    return head.length >= leadBytes && new Cursor(head).u32be() === leadMagic;
  },
  read: async (source, context) => (await import('./rpm/package.ts')).readRpm(source, context),
};
