/**
 * The rich header: statistics of the tools that made the objects, which Microsoft's linker leaves, masked, between
 * the DOS stub and the PE header. Its digest is the same for programs built by the same tools from as many objects.
 *
 * The clear text runs from `DanS` up to, not including, `Rich`; for a header at the usual offset 0x80 its MD5 equals
 * pefile's `get_rich_header_hash()`. pefile finds no header elsewhere, this reader does.
 *
 * @see https://www.ntcore.com/files/richsign.htm
 */
import { readUpTo } from '../../bytes/byte-source.ts';
import { toHex } from '../../bytes/cursor.ts';
import { toDigest } from '../../platform/digests.ts';
import type { PeImage } from './image.ts';

/** Headers are near the front; a DOS stub of this size is already unheard of. */
const searchLimitBytes = 4096;
const dosHeaderBytes = 0x40;
const dansTag = 0x536e6144;
const richTag = 0x68636952;

export interface RichHeader {
  /** MD5 of the clear text, lower-case hexadecimal. */
  readonly md5: string;
  /** File offset of the masked `DanS`. */
  readonly offset: number;
}

/** The rich header, or undefined when there is none or it is not whole. */
export function tryReadRichHeader(image: PeImage): RichHeader | undefined {
  const head = readUpTo(image.source, 0, Math.min(image.peOffset, searchLimitBytes));
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let end = dosHeaderBytes; end + 8 <= head.length; end += 4) {
    if (view.getUint32(end, true) !== richTag) continue;
    const mask = view.getUint32(end + 4, true);
    for (let start = end - 16; start >= dosHeaderBytes; start -= 4) {
      const isStart =
        (view.getUint32(start, true) ^ mask) >>> 0 === dansTag &&
        [4, 8, 12].every((step) => view.getUint32(start + step, true) === mask);
      if (!isStart) continue;
      const clear = head.slice(start, end);
      for (let i = 0; i < clear.length; i += 1)
        clear[i] = (clear[i] ?? 0) ^ ((mask >>> (8 * (i % 4))) & 0xff);
      return { md5: toHex(toDigest('md5', clear)), offset: start };
    }
  }
  return undefined;
}
