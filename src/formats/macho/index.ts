/**
 * Mach-O: programs and libraries of macOS and iOS, for one processor or for several.
 *
 * Specifications: https://github.com/apple-oss-distributions/xnu (EXTERNAL_HEADERS/mach-o/loader.h, fat.h),
 * https://github.com/apple-oss-distributions/cctools
 *
 * Read: 32 and 64 bits, both byte orders, fat files with 32- and 64-bit lists; segments and sections, libraries,
 * versions, what is encrypted, the property list that a tool carries, and what the code signature says of itself.
 * Not supported: symbols, relocations, the contents of kernel collections and of the shared cache.
 */
import { toGrouped } from '../../bytes/amounts.ts';
import type { Format } from '../model.ts';
import { isFatHead, loadCommandsLimit, slicesLimit, tryReadMagic } from './magic.ts';

export const machoFormat: Format = {
  id: 'macho',
  title: 'Mach-O program or library',
  nature: 'acting',
  extensions: ['dylib', 'bundle'],
  references: [
    'https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h',
    'https://github.com/apple-oss-distributions/cctools',
    'https://developer.apple.com/documentation/technotes/tn3126-inside-code-signing-hashes',
  ],
  limitations: [
    'Symbols, relocations and the contents of kernel collections and of the shared cache are not read.',
    'Code that the App Store encrypted is named, not read.',
    `Programs with more than ${toGrouped(loadCommandsLimit)} load commands are read in part.`,
  ],
  probe(head) {
    return tryReadMagic(head) !== undefined;
  },
  read: async (source, context) => (await import('./reading.ts')).readMachO(source, context),
};

export const fatMachoFormat: Format = {
  id: 'macho-fat',
  title: 'Mach-O program for several processors',
  nature: 'acting',
  extensions: ['dylib', 'bundle'],
  references: [
    'https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/fat.h',
    'https://github.com/apple-oss-distributions/cctools',
  ],
  limitations: [
    `Files with more than ${slicesLimit} programs are taken for Java classes, which have the same magic.`,
  ],
  probe(head) {
    return isFatHead(head);
  },
  read: async (source, context) => (await import('./reading.ts')).readFatMachO(source, context),
};
