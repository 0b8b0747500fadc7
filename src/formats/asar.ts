/**
 * asar archives, in which Electron programs keep their JavaScript.
 *
 * A Chromium pickle with the size of the header, a pickle with the header as JSON, then the files one after the other.
 * The header states for each file a SHA-256 of the whole and one for each block; the program around the archive may
 * seal the header itself (`ElectronAsarIntegrity` in Info.plist, the resource INTEGRITY/ELECTRONASAR in an EXE).
 *
 * Specification: https://github.com/electron/asar#format,
 * https://www.electronjs.org/docs/latest/tutorial/asar-integrity
 */
import { toGrouped } from '../bytes/amounts.ts';
import { Cursor } from '../bytes/cursor.ts';
import {
  braceOpen,
  headerBytesLimit,
  headerNestingLimit,
  headerValuesLimit,
  preambleBytes,
} from './asar/limits.ts';
import type { Format } from './model.ts';

export const asarFormat: Format = {
  id: 'asar',
  title: 'Electron archive (asar)',
  nature: 'transport',
  extensions: ['asar'],
  references: [
    'https://github.com/electron/asar#format',
    'https://www.electronjs.org/docs/latest/tutorial/asar-integrity',
  ],
  limitations: [
    'Members that are kept beside the archive (app.asar.unpacked) are named, not looked at.',
    'Links are named, not followed.',
    'Seals are checked when they are SHA-256, the only kind that there is; whether the header itself is the one that the program seals is not checked.',
    `Headers above ${headerBytesLimit / 1024 / 1024} MiB, ${toGrouped(headerValuesLimit)} values or ${headerNestingLimit} levels are not read.`,
  ],
  probe(head) {
    if (head.length <= preambleBytes) return false;
    const cursor = new Cursor(head);
    const [sizeOfSize, headerBytes, payloadBytes, textBytes] = [
      cursor.u32(),
      cursor.u32(),
      cursor.u32(),
      cursor.u32(),
    ];
    return (
      sizeOfSize === 4 &&
      payloadBytes + 4 === headerBytes &&
      textBytes + 4 <= payloadBytes &&
      // Pickles are padded to 4 bytes.
      payloadBytes - textBytes - 4 < 4 &&
      head[preambleBytes] === braceOpen
    );
  },
  read: async (source, context) => (await import('./asar/archive.ts')).readAsar(source, context),
};
