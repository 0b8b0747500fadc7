/**
 * ELF: programs and libraries of Linux and its relatives.
 *
 * Specification: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html,
 * https://man7.org/linux/man-pages/man5/elf.5.html (structures of both classes),
 * https://github.com/AppImage/AppImageSpec/blob/master/draft.md (AppImage)
 *
 * What runs is described by the program header, what tools show by the section header. Both are read, either may be
 * missing. The bytes behind everything that they describe are the overlay, as with AppImages.
 * Not read: symbols (but that there are some), relocations, signatures of kernel modules.
 */
import type { Format } from './model.ts';

export const elfFormat: Format = {
  id: 'elf',
  title: 'ELF program or library',
  nature: 'acting',
  extensions: ['so', 'elf', 'o', 'appimage'],
  references: [
    'https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html',
    'https://man7.org/linux/man-pages/man5/elf.5.html',
    'https://github.com/AppImage/AppImageSpec/blob/master/draft.md',
  ],
  limitations: [
    'Symbols and relocations are not read; imported functions are not told.',
    'Signatures (of AppImages, of kernel modules) are not checked.',
    'Bytes between the parts that the headers describe are searched, not named.',
  ],
  probe: (head) => head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46,
  read: async (source, context) => (await import('./elf/file.ts')).readElf(source, context),
};
