/**
 * Publisher names of Windows packages, and the short ids that Windows makes of them.
 *
 * Specification: https://learn.microsoft.com/windows/apps/desktop/modernize/package-identity-overview (the id),
 * https://www.rfc-editor.org/rfc/rfc4514 and https://learn.microsoft.com/uwp/schemas/appxpackage/uapmanifestschema/element-identity
 * (the name)
 */
import { toDigest } from '../../platform/digests.ts';

/** The schema allows 8,192 characters. */
const nameCharactersLimit = 8192;
const partsLimit = 128;
/** Of the digest; 64 bits, to which a zero bit is added. */
const idBytes = 8;
const idCharacters = 13;
/** Without i, l, o and u. */
const idAlphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** One part of a distinguished name. */
export interface NamePart {
  /** Short name in lower case, or a dotted object identifier. */
  readonly type: string;
  readonly value: string;
}

/** Windows spells some types in its own way. */
const typeAliases: ReadonlyMap<string, string> = new Map([
  ['s', 'st'],
  ['e', 'emailaddress'],
  ['email', 'emailaddress'],
  ['t', 'title'],
  ['g', 'gn'],
  ['givenname', 'gn'],
  ['2.5.4.3', 'cn'],
  ['2.5.4.5', 'serialnumber'],
  ['2.5.4.6', 'c'],
  ['2.5.4.7', 'l'],
  ['2.5.4.8', 'st'],
  ['2.5.4.9', 'street'],
  ['2.5.4.10', 'o'],
  ['2.5.4.11', 'ou'],
  ['2.5.4.12', 'title'],
  ['2.5.4.15', 'businesscategory'],
  ['2.5.4.17', 'postalcode'],
  ['2.5.4.42', 'gn'],
  ['1.3.6.1.4.1.311.60.2.1.1', 'jurisdictionl'],
  ['1.3.6.1.4.1.311.60.2.1.2', 'jurisdictionst'],
  ['1.3.6.1.4.1.311.60.2.1.3', 'jurisdictionc'],
]);

function toType(written: string): string {
  const type = written
    .trim()
    .toLowerCase()
    .replace(/^oid\./, '');
  return typeAliases.get(type) ?? type;
}

/**
 * The parts of a distinguished name as Windows writes it (quotes around values, quotes in them doubled) or as RFC 4514
 * does (escapes with a backslash), in the order of the text.
 *
 * @returns undefined when it is none
 */
export function tryParsePublisher(text: string): readonly NamePart[] | undefined {
  if (text.length > nameCharactersLimit) return undefined;
  const parts: NamePart[] = [];
  let at = 0;
  while (at < text.length) {
    const equals = text.indexOf('=', at);
    if (equals < 0 || parts.length >= partsLimit) return undefined;
    const type = toType(text.slice(at, equals));
    if (!/^[a-z0-9.-]+$/.test(type)) return undefined;
    at = equals + 1;
    while (text[at] === ' ') at += 1;
    let value = '';
    if (text[at] === '"') {
      at += 1;
      for (;;) {
        if (at >= text.length) return undefined;
        if (text[at] === '"') {
          if (text[at + 1] !== '"') break;
          at += 1;
        }
        value += text[at] ?? '';
        at += 1;
      }
      at += 1;
      while (text[at] === ' ') at += 1;
      if (at < text.length && !isSeparator(text[at])) return undefined;
    } else {
      let kept = 0;
      while (at < text.length && !isSeparator(text[at])) {
        const isEscaped = text[at] === '\\' && at + 1 < text.length;
        if (isEscaped) at += 1;
        value += text[at] ?? '';
        if (isEscaped || text[at] !== ' ') kept = value.length;
        at += 1;
      }
      value = value.slice(0, kept);
    }
    parts.push({ type, value });
    at += 1;
  }
  return parts.length === 0 ? undefined : parts;
}

function isSeparator(character: string | undefined): boolean {
  return character === ',' || character === ';' || character === '+';
}

/** Whether two texts are the same name: the same parts with the same values, in the same order. */
export function isSamePublisher(a: string, b: string): boolean {
  const left = tryParsePublisher(a);
  const right = tryParsePublisher(b);
  return (
    left !== undefined &&
    right !== undefined &&
    left.length === right.length &&
    left.every((part, index) => part.type === right[index]?.type && part.value === right[index]?.value)
  );
}

/**
 * The id at the end of package family names, such as `8wekyb3d8bbwe`: the first 64 bits of the SHA-256 of the name in
 * UTF-16LE and one zero bit, five bits a character. It belongs to the text, not to a key: anybody can have it.
 */
export function toPublisherId(publisher: string): string {
  const bytes = new Uint8Array(publisher.length * 2);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < publisher.length; at += 1) view.setUint16(at * 2, publisher.charCodeAt(at), true);
  const digest = toDigest('sha256', bytes).subarray(0, idBytes);
  let bits = 0n;
  for (const byte of digest) bits = (bits << 8n) | BigInt(byte);
  bits <<= 1n;
  let id = '';
  for (let index = idCharacters - 1; index >= 0; index -= 1) {
    id += idAlphabet[Number((bits >> BigInt(index * 5)) & 31n)] ?? '';
  }
  return id;
}
