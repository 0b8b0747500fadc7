/**
 * How Windows Installer spells the names of streams: a directory entry has room for 31 characters, so two characters
 * of a small alphabet are put into one. There is no published specification; the alphabet is the same in Wine
 * (`dlls/msi/table.c`) and in every other reader.
 */

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._';
const firstPair = 0x3800;
const firstSingle = 0x4800;
const tableMark = 0x4840;

export interface StreamName {
  /** `Property`, `Binary.WixCA`, `\x05SummaryInformation`. */
  readonly text: string;
  /** Begins with the mark of a table; tools write it as `!`. */
  readonly isTable: boolean;
}

/** Characters that are not of the scheme stand for themselves. */
export function decodeStreamName(name: string): StreamName {
  let text = '';
  let isTable = false;
  for (let at = 0; at < name.length; at += 1) {
    const unit = name.charCodeAt(at);
    if (at === 0 && unit === tableMark) {
      isTable = true;
    } else if (unit >= firstPair && unit < firstSingle) {
      const pair = unit - firstPair;
      text += (alphabet[pair & 0x3f] ?? '') + (alphabet[pair >> 6] ?? '');
    } else if (unit >= firstSingle && unit < tableMark) {
      text += alphabet[unit - firstSingle] ?? '';
    } else {
      text += name[at] ?? '';
    }
  }
  return { text, isTable };
}

/** The opposite of {@link decodeStreamName}. */
export function encodeStreamName(text: string, isTable: boolean): string {
  let name = isTable ? String.fromCharCode(tableMark) : '';
  for (let at = 0; at < text.length; at += 1) {
    const first = alphabet.indexOf(text[at] ?? '');
    const second = at + 1 < text.length ? alphabet.indexOf(text[at + 1] ?? '') : -1;
    if (first < 0) {
      name += text[at] ?? '';
    } else if (second < 0) {
      name += String.fromCharCode(firstSingle + first);
    } else {
      name += String.fromCharCode(firstPair + first + (second << 6));
      at += 1;
    }
  }
  return name;
}
