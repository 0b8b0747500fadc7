import { toHex } from '../bytes/cursor.ts';
import type { TestBody } from './model.ts';

/** The text with its middle letter or digit replaced by the next one: as near as something else can come. */
export function changeLetter(text: string): string {
  const characters = [...text];
  const middle = Math.floor(characters.length / 2);
  const order = characters
    .map((_, index) => index)
    .sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle) || a - b);
  for (const at of order) {
    const character = characters[at] ?? '';
    const next = toNext(character);
    if (next !== undefined) return characters.with(at, next).join('');
  }
  return `${text}x`;
}

function toNext(character: string): string | undefined {
  if (/[a-yA-Y0-8]/.test(character)) return String.fromCharCode(character.charCodeAt(0) + 1);
  if (/[zZ9]/.test(character)) return String.fromCharCode(character.charCodeAt(0) - 1);
  return /[\u4e00-\u9ffe]/.test(character) ? String.fromCharCode(character.charCodeAt(0) + 1) : undefined;
}

/** A digest or fingerprint with another last digit. */
export function changeDigest(digest: string): string {
  return digest.slice(0, -1) + (digest.endsWith('0') ? '1' : '0');
}

export function changeByte(bytes: Uint8Array): string {
  const middle = Math.floor(bytes.length / 2);
  return toHex(bytes.with(middle, (bytes[middle] ?? 0) ^ 0x01));
}

const oneLetter = 'one letter is another';

export function missText(text: string, isWide: boolean): readonly TestBody[] {
  const changed = changeLetter(text);
  return [{ why: oneLetter, ...(isWide ? { utf16: [changed] } : { content: [changed] }) }];
}

export function missHost(host: string): readonly TestBody[] {
  return [
    {
      why: 'the same letters inside a longer name are another host',
      content: [`http://my-${host}/`, `http://${host}x/`],
    },
    { why: 'a further label behind it names another host', content: [`http://${host}.example/`] },
  ];
}

export { oneLetter };
