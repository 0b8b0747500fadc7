/** How Mach-O files begin, and how much of them is read. */
import { Cursor, toHex } from '../../bytes/cursor.ts';

/** Fat files and Java classes share a magic. Java's next number is at least 45 (JDK 1.1), fat files have few programs. */
export const slicesLimit = 30;
/** The largest real programs have a few hundred. */
export const loadCommandsLimit = 10_000;

export const magics = { fat: 0xcafebabe, fat64: 0xcafebabf } as const;

/** The byte order and the width that the first four bytes of a program state. */
export function tryReadMagic(
  head: Uint8Array,
): { readonly is64: boolean; readonly isBigEndian: boolean } | undefined {
  if (head.length < 4) return undefined;
  switch (toHex(head.subarray(0, 4))) {
    case 'feedface':
      return { is64: false, isBigEndian: true };
    case 'cefaedfe':
      return { is64: false, isBigEndian: false };
    case 'feedfacf':
      return { is64: true, isBigEndian: true };
    case 'cffaedfe':
      return { is64: true, isBigEndian: false };
    default:
      return undefined;
  }
}

/** Whether a file begins like a fat one, and not like a Java class. */
export function isFatHead(head: Uint8Array): boolean {
  if (head.length < 8) return false;
  const cursor = new Cursor(head);
  const magic = cursor.u32be();
  if (magic !== magics.fat && magic !== magics.fat64) return false;
  const count = cursor.u32be();
  return count > 0 && count <= slicesLimit;
}
