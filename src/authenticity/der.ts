/**
 * ASN.1 in its binary encodings: DER, and the parts of BER that signature blobs really use.
 *
 * Specification: ITU-T X.690 https://www.itu.int/rec/T-REC-X.690
 *
 * Read: single-byte tags, definite lengths of up to four bytes, indefinite lengths, strings in pieces.
 * Not supported: multi-byte tags (tag numbers above 30), lengths above 4 GiB.
 *
 * Elements are opened only when asked for. Nothing here recurses over the input: the end of an indefinite
 * length is found with a counter. A tree gives at most {@link elementsMax} elements, however often it is walked.
 */
import { toLatin1 } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';

/** Elements that one blob may have; a large real signature has about 2,000. */
export const elementsMax = 100_000;
/** Indefinite lengths inside each other. */
export const indefiniteDepthMax = 32;
/** Strings in pieces, inside each other. */
const piecesDepthMax = 8;

/** Identifier octets: class, form and number in one byte. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
  constructedOctetString: 0x24,
  /** `[n]` around other elements. */
  context: (number: number): number => 0xa0 | number,
  /** `[n]` in place of a simple type's own tag. */
  contextPrimitive: (number: number): number => 0x80 | number,
} as const;

/** How many more elements a tree may give. */
interface ElementAllowance {
  left: number;
}

/** One element: tag, length, content. Offsets `start` to `end` count within `bytes`. */
export class DerElement {
  readonly bytes: Uint8Array;
  /** The identifier octet. */
  readonly tag: number;
  readonly start: number;
  readonly contentStart: number;
  readonly contentEnd: number;
  readonly end: number;
  /** Offset of `bytes` in the artifact, for places in messages. */
  readonly base: number;
  readonly #allowance: ElementAllowance;
  #children: readonly DerElement[] | undefined;

  constructor(
    bytes: Uint8Array,
    extent: { tag: number; start: number; contentStart: number; contentEnd: number; end: number },
    base: number,
    allowance: ElementAllowance,
  ) {
    this.bytes = bytes;
    this.tag = extent.tag;
    this.start = extent.start;
    this.contentStart = extent.contentStart;
    this.contentEnd = extent.contentEnd;
    this.end = extent.end;
    this.base = base;
    this.#allowance = allowance;
  }

  /** Offset of the element in the artifact. */
  get offset(): number {
    return this.base + this.start;
  }

  /** How many more elements the tree may give. */
  get elementsLeft(): number {
    return this.#allowance.left;
  }

  /** Counts elements that were read elsewhere as read in this tree; false, and nothing counted, when it has no room. */
  tryCount(elements: number): boolean {
    if (elements > this.#allowance.left) return false;
    this.#allowance.left -= elements;
    return true;
  }

  /** The bytes inside; without the end mark of an indefinite length. */
  get content(): Uint8Array {
    return this.bytes.subarray(this.contentStart, this.contentEnd);
  }

  /** The bytes with tag and length. */
  get encoded(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  get isConstructed(): boolean {
    return (this.tag & 0x20) !== 0;
  }

  /** @throws TelltaleError `malformed/signature` when the tag is another one */
  expect(tag: number, what: string): this {
    if (this.tag !== tag) throw toMalformed(`${what} has the tag 0x${this.tag.toString(16)}`, this.offset);
    return this;
  }

  /**
   * The elements inside.
   *
   * @throws TelltaleError `malformed/signature`, or `limit/count` beyond {@link elementsMax}
   */
  children(): readonly DerElement[] {
    if (this.#children === undefined) {
      if (!this.isConstructed)
        throw toMalformed('a simple value stands where a structure should', this.offset);
      const children: DerElement[] = [];
      let at = this.contentStart;
      while (at < this.contentEnd) {
        const child = readElement(this.bytes, at, this.contentEnd, this.base, this.#allowance);
        children.push(child);
        at = child.end;
      }
      this.#children = children;
    }
    return this.#children;
  }

  /** @throws TelltaleError `malformed/signature` when there are fewer elements inside */
  child(index: number, what: string): DerElement {
    const child = this.children()[index];
    if (child === undefined) throw toMalformed(`${what} is missing`, this.offset);
    return child;
  }

  /** The only element inside. @throws TelltaleError `malformed/signature` when there are none or several */
  only(what: string): DerElement {
    const children = this.children();
    if (children.length !== 1)
      throw toMalformed(`${what} holds ${children.length} values, not one`, this.offset);
    return this.child(0, what);
  }

  /**
   * The octets of an OCTET STRING, put together when it comes in pieces.
   *
   * @throws TelltaleError `malformed/signature`
   */
  octets(depth = 0): Uint8Array {
    if (!this.isConstructed) return this.content;
    if (depth >= piecesDepthMax) throw toMalformed('a string comes in pieces inside pieces', this.offset);
    const pieces = this.children().map((piece) => {
      if (piece.tag !== tags.octetString && piece.tag !== tags.constructedOctetString) {
        throw toMalformed('a piece of a string is not a string', piece.offset);
      }
      return piece.octets(depth + 1);
    });
    const octets = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      octets.set(piece, at);
      at += piece.length;
    }
    return octets;
  }

  /** An element whose encoding lies in the content of this one, as in an OCTET STRING or an extension. */
  inner(): DerElement {
    if (!this.isConstructed) {
      return readElement(this.bytes, this.contentStart, this.contentEnd, this.base, this.#allowance);
    }
    // In pieces: offsets of the artifact are lost, the start of the string stands in for them.
    const octets = this.octets();
    return readElement(octets, 0, octets.length, this.offset, this.#allowance);
  }

  /**
   * An OBJECT IDENTIFIER in dotted form.
   *
   * @throws TelltaleError `malformed/signature`
   */
  toOid(): string {
    this.expect(tags.objectIdentifier, 'an object identifier');
    const content = this.content;
    if (content.length === 0 || content.length > 64 || (content.at(-1) ?? 0) & 0x80) {
      throw toMalformed('an object identifier is cut', this.offset);
    }
    const numbers: number[] = [];
    let number = 0;
    for (const byte of content) {
      number = number * 128 + (byte & 0x7f);
      if (!Number.isSafeInteger(number)) throw toMalformed('an object identifier is too large', this.offset);
      if (byte & 0x80) continue;
      if (numbers.length === 0) {
        const first = Math.min(2, Math.floor(number / 40));
        numbers.push(first, number - first * 40);
      } else {
        numbers.push(number);
      }
      number = 0;
    }
    return numbers.join('.');
  }

  /** As {@link toOid}, undefined when this is no object identifier. */
  tryOid(): string | undefined {
    try {
      return this.toOid();
    } catch {
      return undefined;
    }
  }

  /**
   * A small non-negative INTEGER.
   *
   * @throws TelltaleError `malformed/signature` when negative or above 2^31 - 1
   */
  toSmallInteger(): number {
    this.expect(tags.integer, 'a number');
    const content = this.content;
    if (content.length === 0 || content.length > 4 || (content[0] ?? 0) & 0x80) {
      throw toMalformed('a number is out of range', this.offset);
    }
    return content.reduce((sum, byte) => sum * 256 + byte, 0);
  }

  /**
   * The bytes of a BIT STRING whose length is a whole number of bytes.
   *
   * @throws TelltaleError `malformed/signature`
   */
  toBits(): Uint8Array {
    this.expect(tags.bitString, 'a bit string');
    const content = this.content;
    if (content.length === 0 || content[0] !== 0)
      throw toMalformed('a bit string ends inside a byte', this.offset);
    return content.subarray(1);
  }

  /**
   * UTCTime or GeneralizedTime, in milliseconds since 1970.
   *
   * @throws TelltaleError `malformed/signature`
   */
  toTime(): number {
    const text = String.fromCharCode(...this.content.subarray(0, 40));
    const pattern =
      this.tag === tags.utcTime
        ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?()(Z|[+-]\d{4})$/
        : this.tag === tags.generalizedTime
          ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:[.,](\d{1,9}))?(Z|[+-]\d{4})$/
          : undefined;
    const found = pattern?.exec(text);
    if (found === null || found === undefined) throw toMalformed('a time is not written as one', this.offset);
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
      .slice(1, 7)
      .map((part) => Number(part ?? 0));
    // X.509 (RFC 5280, 4.1.2.5.1): two digits below 50 are in this century.
    const fullYear = this.tag === tags.utcTime ? (year < 50 ? 2000 + year : 1900 + year) : year;
    const zone = found[8] ?? 'Z';
    const zoneMinutes =
      zone === 'Z'
        ? 0
        : (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3)));
    const milliseconds = Math.floor(Number(`0.${found[7] || '0'}`) * 1000);
    const date = new Date(0);
    date.setUTCFullYear(fullYear, month - 1, day);
    date.setUTCHours(hour, minute, second, milliseconds);
    const isReal =
      date.getUTCMonth() === month - 1 &&
      date.getUTCDate() === day &&
      hour < 24 &&
      minute < 60 &&
      second < 60;
    if (!isReal) throw toMalformed('a time names a moment that does not exist', this.offset);
    return date.getTime() - zoneMinutes * 60_000;
  }

  /**
   * A character string of any of the usual types, or undefined for another type.
   * Bytes that are no text in that type become U+FFFD.
   */
  tryText(): string | undefined {
    switch (this.tag) {
      case tags.utf8String:
        return new TextDecoder('utf-8').decode(this.content);
      case tags.bmpString:
        return fromUtf16Be(this.content);
      case tags.universalString: {
        const content = this.content;
        let text = '';
        for (let at = 0; at + 4 <= content.length; at += 4) {
          const view = new DataView(content.buffer, content.byteOffset + at, 4);
          const point = view.getUint32(0);
          text += point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
        }
        return text;
      }
      case tags.printableString:
      case tags.ia5String:
      case tags.t61String:
        return toLatin1(this.content);
      default:
        return undefined;
    }
  }
}

/** UTF-16BE to text; an odd last byte is dropped. */
export function fromUtf16Be(bytes: Uint8Array): string {
  const swapped = Uint8Array.from(bytes.subarray(0, bytes.length & ~1));
  for (let at = 0; at < swapped.length; at += 2) {
    const high = swapped[at] ?? 0;
    swapped[at] = swapped[at + 1] ?? 0;
    swapped[at + 1] = high;
  }
  return new TextDecoder('utf-16le').decode(swapped);
}

/** `2017-10-10T15:21:51Z`, with a fraction only when there is one. */
export function toIsoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z');
}

export function toMalformed(message: string, offset?: number): TelltaleError {
  return new TelltaleError('malformed/signature', message, offset === undefined ? {} : { offset });
}

/**
 * A caught error, when it is about the bytes of a signature.
 *
 * @throws the error itself when it is anything else: the budget, the file system, a bug
 */
export function toDamage(error: unknown): TelltaleError {
  if (error instanceof TelltaleError && (error.code.startsWith('malformed/') || error.code === 'limit/count'))
    return error;
  throw error;
}

/**
 * Opens the element at the start of some bytes; bytes behind it are left alone.
 *
 * @param base - offset of the bytes in the artifact
 * @throws TelltaleError `malformed/signature` when it does not lie inside the bytes
 */
export function parseDer(bytes: Uint8Array, base = 0): DerElement {
  return readElement(bytes, 0, bytes.length, base, { left: elementsMax });
}

/** Length of tag and length bytes, and of the content; undefined length means indefinite. */
function readHeader(
  bytes: Uint8Array,
  at: number,
  end: number,
  base: number,
): { tag: number; headerLength: number; length: number | undefined } {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (at + 2 > end || tag === undefined || first === undefined) {
    throw toMalformed('an element is cut', base + at);
  }
  if ((tag & 0x1f) === 0x1f) throw toMalformed('an element has a tag of several bytes', base + at);
  if (first < 0x80) return { tag, headerLength: 2, length: first };
  if (first === 0x80) {
    if ((tag & 0x20) === 0) throw toMalformed('a simple value has no length', base + at);
    return { tag, headerLength: 2, length: undefined };
  }
  const count = first & 0x7f;
  if (count > 4 || at + 2 + count > end) throw toMalformed('a length has a wrong form', base + at);
  let length = 0;
  for (let index = 0; index < count; index += 1) length = length * 256 + (bytes[at + 2 + index] ?? 0);
  return { tag, headerLength: 2 + count, length };
}

/**
 * What the first bytes of an element say about its size in all, or undefined when they say nothing usable.
 * For an indefinite length that is 0.
 */
export function tryDeclaredLength(head: Uint8Array): number | undefined {
  try {
    const { headerLength, length } = readHeader(head, 0, head.length, 0);
    return length === undefined ? 0 : headerLength + length;
  } catch {
    return undefined;
  }
}

function spend(allowance: ElementAllowance, base: number, at: number): void {
  allowance.left -= 1;
  if (allowance.left < 0) {
    throw new TelltaleError('limit/count', `a signature has more than ${elementsMax} elements`, {
      offset: base + at,
    });
  }
}

function readElement(
  bytes: Uint8Array,
  start: number,
  limit: number,
  base: number,
  allowance: ElementAllowance,
): DerElement {
  spend(allowance, base, start);
  const { tag, headerLength, length } = readHeader(bytes, start, limit, base);
  const contentStart = start + headerLength;
  if (length !== undefined) {
    const end = contentStart + length;
    if (end > limit) throw toMalformed(`an element wants ${length} bytes, but there are fewer`, base + start);
    return new DerElement(bytes, { tag, start, contentStart, contentEnd: end, end }, base, allowance);
  }
  let at = contentStart;
  let open = 1;
  while (open > 0) {
    spend(allowance, base, at);
    if (at + 2 <= limit && bytes[at] === 0 && bytes[at + 1] === 0) {
      open -= 1;
      at += 2;
      continue;
    }
    const inside = readHeader(bytes, at, limit, base);
    at += inside.headerLength;
    if (inside.length === undefined) {
      open += 1;
      if (open > indefiniteDepthMax)
        throw toMalformed('elements without length are nested too deep', base + at);
    } else {
      at += inside.length;
      if (at > limit) throw toMalformed('an element wants more bytes than there are', base + start);
    }
  }
  return new DerElement(bytes, { tag, start, contentStart, contentEnd: at - 2, end: at }, base, allowance);
}
