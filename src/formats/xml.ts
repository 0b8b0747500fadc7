/**
 * XML, as much of it as metadata in packages needs: elements, attributes, text.
 *
 * Specification: https://www.w3.org/TR/xml/
 * Strict and bounded. Only the five entities of the specification and character references are known. A document type
 * declaration is passed over when it only names a type (Apple's property lists have one) and refused when it declares
 * something: nothing is ever fetched or expanded. Not supported: namespaces (prefixes are split off, not resolved),
 * validation.
 */
import type { Budget } from '../bytes/budget.ts';
import { TelltaleError } from '../bytes/errors.ts';

/** Metadata of packages has a few kilobytes; manifests of large bundles a few megabytes. */
export const xmlBytesLimit = 32 * 1024 * 1024;
const depthLimit = 128;
const elementsLimit = 500_000;
const attributesLimit = 256;

/** One element. The text is that directly inside it, pieces joined. */
export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  /** As written, with prefix; values with entities resolved. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
  /** Byte offset of its `<`; exact for UTF-8 without characters outside of ASCII before it, near otherwise. */
  readonly offset: number;
}

/** What could be read: a fault ends the reading, elements before it are kept. */
export interface XmlDocument {
  readonly root: XmlElement | undefined;
  /** `malformed/structure`, `malformed/encoding`, `unsupported/feature` or `limit/count`. */
  readonly fault: TelltaleError | undefined;
}

interface OpenElement {
  readonly name: string;
  readonly qualifiedName: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
  readonly offset: number;
}

const entities: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

const namePattern = /[A-Za-z_:\u0080-\uffff][\w:.\u0080-\uffff-]*/y;
/** Section 2.8; any number is read like 1.0. */
const declarationPattern =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"[\w.:-]{1,40}"|'[\w.:-]{1,40}')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"[A-Za-z][\w.-]{0,40}"|'[A-Za-z][\w.-]{0,40}'))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>/;
const spacePattern = /[ \t\r\n]*/y;
// eslint-disable-next-line no-control-regex -- exactly the characters that section 2.2 excludes
const forbiddenCharacters = /[\0-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** Encodings that a declaration may name; UTF-16 is told by its mark. */
const decoders: ReadonlyMap<string, string> = new Map([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['us-ascii', 'utf-8'],
  ['ascii', 'utf-8'],
  ['iso-8859-1', 'windows-1252'],
  ['windows-1252', 'windows-1252'],
  ['gb2312', 'gb18030'],
  ['gbk', 'gb18030'],
  ['gb18030', 'gb18030'],
]);

interface XmlText {
  readonly text: string;
  readonly bytesPerCharacter: number;
  readonly markBytes: number;
}

/**
 * @param isStart - the bytes may end inside a character
 * @throws TelltaleError `malformed/encoding`, `unsupported/feature`
 */
function decodeXml(bytes: Uint8Array, isStart: boolean): XmlText {
  const decode = (label: string, markBytes: number, bytesPerCharacter: number): XmlText => {
    try {
      const text = new TextDecoder(label, { fatal: true }).decode(bytes.subarray(markBytes), {
        stream: isStart,
      });
      return { text, bytesPerCharacter, markBytes };
    } catch {
      throw new TelltaleError('malformed/encoding', `is not valid ${label}`, { offset: 0 });
    }
  };
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decode('utf-16le', 2, 2);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decode('utf-16be', 2, 2);
  if (bytes[0] === 0x3c && bytes[1] === 0) return decode('utf-16le', 0, 2);
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return decode('utf-8', 3, 1);
  const start = String.fromCharCode(...bytes.subarray(0, 256));
  const stated = /^<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']/.exec(start)?.[1]?.toLowerCase() ?? 'utf-8';
  const label = decoders.get(stated);
  if (label === undefined) {
    throw new TelltaleError('unsupported/feature', `is XML in an encoding that is not read (${stated})`, {
      offset: 0,
    });
  }
  return decode(label, 0, 1);
}

/**
 * Reads a document up to its end or its first fault.
 *
 * @param bytes - the whole document, or its start
 * @throws TelltaleError `limit/time`
 */
export function parseXml(bytes: Uint8Array, budget: Budget): XmlDocument {
  let decoded: XmlText;
  try {
    if (bytes.length > xmlBytesLimit) {
      throw new TelltaleError('limit/memory', `is XML of more than ${xmlBytesLimit} bytes`, { offset: 0 });
    }
    decoded = decodeXml(bytes, false);
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    return { root: undefined, fault: error };
  }
  const reader = new XmlReader(decoded);
  try {
    reader.read(() => budget.checkTime());
    return { root: reader.root, fault: undefined };
  } catch (error) {
    if (!(error instanceof TelltaleError) || error.code === 'limit/time') throw error;
    return { root: reader.root, fault: error };
  }
}

/** One pass over the text, with a stack of its own: nesting costs no call frames. */
class XmlReader {
  readonly #text: string;
  /** Where a character lies that XML does not allow: the text is read up to there. */
  readonly #forbiddenAt: number | undefined;
  readonly #decoded: XmlText;
  readonly #open: OpenElement[] = [];
  #root: OpenElement | undefined;
  #position = 0;
  #elements = 0;

  constructor(decoded: XmlText) {
    this.#decoded = decoded;
    this.#forbiddenAt = forbiddenCharacters.exec(decoded.text)?.index;
    this.#text = decoded.text.slice(0, this.#forbiddenAt);
  }

  get root(): XmlElement | undefined {
    return this.#root;
  }

  read(checkTime: () => void): void {
    try {
      this.#readDocument(checkTime);
    } catch (error) {
      // Up to there the text is often not whole, which is no fault of its own.
      const isLimit = error instanceof TelltaleError && error.code.startsWith('limit/');
      if (this.#forbiddenAt === undefined || isLimit) throw error;
    }
    if (this.#forbiddenAt !== undefined) {
      throw this.#fault('holds a character that XML does not allow', this.#forbiddenAt);
    }
  }

  #readDocument(checkTime: () => void): void {
    this.#readProlog();
    for (let count = 0; this.#root === undefined || this.#open.length > 0; count += 1) {
      if (count % 1024 === 0) checkTime();
      if (this.#position >= this.#text.length) throw this.#fault('ends inside an element');
      if (this.#text[this.#position] === '<') this.#readMarkup();
      else this.#readText();
    }
    while (this.#position < this.#text.length) {
      this.#skipSpace();
      if (this.#startsWith('<!--')) this.#skipComment();
      else if (this.#startsWith('<?')) this.#skipInstruction();
      else if (this.#position < this.#text.length) throw this.#fault('goes on behind its root element');
    }
  }

  #readProlog(): void {
    if (/^<\?xml[ \t\r\n]/.test(this.#text.slice(0, 6))) {
      const declaration = declarationPattern.exec(this.#text.slice(0, 512))?.[0];
      if (declaration === undefined) throw this.#fault('has a declaration that is none');
      this.#position = declaration.length;
    }
    for (let hasType = false; ; ) {
      this.#skipSpace();
      if (this.#startsWith('<?')) this.#skipInstruction();
      else if (this.#startsWith('<!--')) this.#skipComment();
      else if (this.#startsWith('<!DOCTYPE') && !hasType) {
        hasType = true;
        this.#skipDocumentType();
      } else if (this.#text[this.#position] === '<') return;
      else throw this.#fault('does not begin with an element');
    }
  }

  #skipDocumentType(): void {
    const end = this.#text.indexOf('>', this.#position);
    const subset = this.#text.indexOf('[', this.#position);
    if (subset >= 0 && (end < 0 || subset < end)) {
      throw new TelltaleError(
        'unsupported/feature',
        'declares entities or elements of its own, which are not read',
        {
          offset: this.#toOffset(this.#position),
        },
      );
    }
    this.#skipPast('>');
  }

  #readMarkup(): void {
    if (this.#startsWith('<!--')) this.#skipComment();
    else if (this.#startsWith('<![CDATA[')) {
      const start = this.#position + 9;
      this.#skipPast(']]>');
      this.#append(this.#text.slice(start, this.#position - 3));
    } else if (this.#startsWith('<?')) this.#skipInstruction();
    else if (this.#startsWith('</')) this.#readEndTag();
    else this.#readStartTag();
  }

  #readEndTag(): void {
    this.#position += 2;
    const name = this.#takeName();
    this.#skipSpace();
    const open = this.#open.pop();
    if (open === undefined || open.qualifiedName !== name)
      throw this.#fault('closes an element that is not open');
    if (this.#text[this.#position] !== '>') throw this.#fault('has an end tag that does not end');
    this.#position += 1;
  }

  #readStartTag(): void {
    const start = this.#position;
    this.#position += 1;
    const qualifiedName = this.#takeName();
    const attributes = new Map<string, string>();
    for (;;) {
      const before = this.#position;
      this.#skipSpace();
      const next = this.#text[this.#position];
      if (next === '>' || next === '/') break;
      if (this.#position === before) throw this.#fault('has a start tag that does not end');
      const name = this.#takeName();
      if (attributes.has(name)) throw this.#fault('has the same attribute twice');
      if (attributes.size >= attributesLimit)
        throw this.#limit(`more than ${attributesLimit} attributes in a tag`);
      attributes.set(name, this.#takeAttributeValue());
    }
    const isEmpty = this.#text[this.#position] === '/';
    if (isEmpty) this.#position += 1;
    if (this.#text[this.#position] !== '>') throw this.#fault('has a start tag that does not end');
    this.#position += 1;
    this.#elements += 1;
    if (this.#elements > elementsLimit) throw this.#limit(`more than ${elementsLimit} elements`);
    if (this.#open.length >= depthLimit) throw this.#limit(`elements nested more than ${depthLimit} deep`);
    const element: OpenElement = {
      name: qualifiedName.slice(qualifiedName.indexOf(':') + 1),
      qualifiedName,
      attributes,
      children: [],
      text: '',
      offset: this.#toNearOffset(start),
    };
    this.#root ??= element;
    this.#open.at(-1)?.children.push(element);
    if (!isEmpty) this.#open.push(element);
  }

  #takeAttributeValue(): string {
    this.#skipSpace();
    if (this.#text[this.#position] !== '=') throw this.#fault('has an attribute without a value');
    this.#position += 1;
    this.#skipSpace();
    const quote = this.#text[this.#position];
    if (quote !== '"' && quote !== "'") throw this.#fault('has an attribute without quotes');
    const end = this.#text.indexOf(quote, this.#position + 1);
    if (end < 0) throw this.#fault('has an attribute that does not end');
    const raw = this.#text.slice(this.#position + 1, end);
    if (raw.includes('<')) throw this.#fault('has an attribute that does not end');
    const value = this.#resolve(raw.replaceAll(/[\t\r\n]/g, ' '));
    this.#position = end + 1;
    return value;
  }

  #readText(): void {
    const end = this.#text.indexOf('<', this.#position);
    const raw = this.#text.slice(this.#position, end < 0 ? undefined : end);
    if (raw.includes(']]>')) throw this.#fault('ends a section that was not begun');
    this.#append(this.#resolve(raw.replaceAll(/\r\n?/g, '\n')));
    this.#position = end < 0 ? this.#text.length : end;
  }

  #append(text: string): void {
    const open = this.#open.at(-1);
    if (open !== undefined) open.text += text;
  }

  #resolve(raw: string): string {
    if (!raw.includes('&')) return raw;
    return raw.replaceAll(/&([^;&]{0,16};)?/g, (_, found: string | undefined) => {
      const name = found?.slice(0, -1) ?? '';
      const known = entities.get(name);
      if (known !== undefined) return known;
      const digits = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
      const code =
        digits === null
          ? -1
          : Number.parseInt(digits[1] ?? digits[2] ?? '', digits[1] === undefined ? 10 : 16);
      const isCharacter =
        code > 0 &&
        code <= 0x10ffff &&
        !(code >= 0xd800 && code < 0xe000) &&
        !forbiddenCharacters.test(String.fromCodePoint(code));
      if (!isCharacter) throw this.#fault('refers to an entity that is not known');
      return String.fromCodePoint(code);
    });
  }

  #takeName(): string {
    namePattern.lastIndex = this.#position;
    const name = namePattern.exec(this.#text)?.[0];
    if (name === undefined) throw this.#fault('has markup that is none');
    this.#position += name.length;
    return name;
  }

  #skipSpace(): void {
    spacePattern.lastIndex = this.#position;
    this.#position += spacePattern.exec(this.#text)?.[0].length ?? 0;
  }

  #skipComment(): void {
    this.#position += 4;
    const end = this.#text.indexOf('--', this.#position);
    if (end < 0 || this.#text[end + 2] !== '>')
      throw this.#fault('has a comment that does not end with "-->"');
    this.#position = end + 3;
  }

  #skipInstruction(): void {
    this.#position += 2;
    const name = this.#takeName();
    if (name.toLowerCase() === 'xml') throw this.#fault('has a declaration that is not at its start');
    if (!this.#startsWith('?>') && !/[ \t\r\n]/.test(this.#text[this.#position] ?? '')) {
      throw this.#fault('has a processing instruction that is none');
    }
    this.#skipPast('?>');
  }

  #skipPast(end: string): void {
    const found = this.#text.indexOf(end, this.#position);
    if (found < 0) throw this.#fault(`has markup that does not end with "${end}"`);
    this.#position = found + end.length;
  }

  #startsWith(text: string): boolean {
    return this.#text.startsWith(text, this.#position);
  }

  /** Of each element: counting the bytes before every one would take time that grows with the square of the length. */
  #toNearOffset(position: number): number {
    return this.#decoded.markBytes + position * this.#decoded.bytesPerCharacter;
  }

  #toOffset(position: number): number {
    if (this.#decoded.bytesPerCharacter === 2) return this.#toNearOffset(position);
    return this.#decoded.markBytes + new TextEncoder().encode(this.#text.slice(0, position)).length;
  }

  #fault(message: string, position = this.#position): TelltaleError {
    return new TelltaleError('malformed/structure', `is XML that ${message}`, {
      offset: this.#toOffset(position),
    });
  }

  #limit(message: string): TelltaleError {
    return new TelltaleError('limit/count', `is XML with ${message}`, {
      offset: this.#toOffset(this.#position),
    });
  }
}

/** The tag of the root element in the start of a document. */
export interface XmlRootTag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Name of the first element in it, without prefix, when it is at hand. */
  readonly childName: string | undefined;
}

/**
 * The root element of a document whose start is at hand, or undefined when it does not begin like XML: for telling
 * kinds of documents apart.
 *
 * @param head - the first bytes, 4,096 or fewer
 */
export function tryReadXmlRoot(head: Uint8Array): XmlRootTag | undefined {
  const isMarked = head[0] === 0xef || head[0] === 0xff || head[0] === 0xfe;
  if (!isMarked && head[0] !== 0x3c && !(head[0] !== undefined && head[0] <= 0x20)) return undefined;
  let decoded: XmlText;
  try {
    decoded = decodeXml(head, true);
  } catch {
    return undefined;
  }
  const reader = new XmlReader(decoded);
  try {
    reader.read(() => {});
  } catch {
    // The head ends inside the document; the root tag is what is wanted.
  }
  const { root } = reader;
  if (root === undefined) return undefined;
  return { name: root.name, attributes: root.attributes, childName: root.children[0]?.name };
}
