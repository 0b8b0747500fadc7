/** Text in the code pages of Windows, by their numbers. */
import { toLatin1 } from '../../bytes/cursor.ts';
import { decodeZipText } from '../zip/records.ts';

/** Names of the WHATWG Encoding Standard for Windows code pages. https://encoding.spec.whatwg.org/ */
const labels: Readonly<Record<number, string>> = {
  866: 'ibm866',
  874: 'windows-874',
  932: 'shift_jis',
  936: 'gbk',
  949: 'euc-kr',
  950: 'big5',
  1250: 'windows-1250',
  1251: 'windows-1251',
  1252: 'windows-1252',
  1253: 'windows-1253',
  1254: 'windows-1254',
  1255: 'windows-1255',
  1256: 'windows-1256',
  1257: 'windows-1257',
  1258: 'windows-1258',
  10000: 'macintosh',
  20866: 'koi8-r',
  21866: 'koi8-u',
  28591: 'windows-1252',
  28592: 'iso-8859-2',
  54936: 'gb18030',
  65001: 'utf-8',
};

const decoders = new Map<number, TextDecoder>();

/** Whether text in a code page can be read for sure. 0 is neutral: only ASCII should occur. */
export function isKnownCodePage(codePage: number): boolean {
  return codePage === 0 || codePage === 20127 || labels[codePage] !== undefined;
}

/** Text in a code page. Neutral text is tried as UTF-8 and as Chinese first; an unknown code page is taken for Latin. */
export function decodeText(bytes: Uint8Array, codePage: number): string {
  let isAscii = true;
  for (let at = 0; at < bytes.length && isAscii; at += 1) isAscii = (bytes[at] ?? 0) < 0x80;
  if (isAscii) return toLatin1(bytes);
  if (codePage === 0) return decodeZipText(bytes);
  let decoder = decoders.get(codePage);
  if (decoder === undefined) {
    decoder = new TextDecoder(labels[codePage] ?? 'windows-1252', { ignoreBOM: true });
    decoders.set(codePage, decoder);
  }
  return decoder.decode(bytes);
}
