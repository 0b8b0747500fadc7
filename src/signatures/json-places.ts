/**
 * Where things stand in a JSON text (RFC 8259), so that a complaint can name line and column.
 *
 * `JSON.parse` decides what is valid and makes the values; this reader only finds places, and two faults that
 * `JSON.parse` lets through: a key that occurs twice (the first would silently vanish) and nesting without end.
 */

/** The place of one value, as offsets into the text in UTF-16 code units. */
export interface JsonPlace {
  readonly start: number;
  /** Behind its last character. */
  readonly end: number;
  /** Where its key stands with its quotes, for members of an object. */
  readonly key: { readonly start: number; readonly end: number } | undefined;
  readonly children: ReadonlyMap<string | number, JsonPlace>;
}

/** What is wrong with the text, and where. */
export interface JsonFault {
  readonly kind: 'syntax' | 'repeated-key' | 'too-deep';
  readonly offset: number;
  /** How much text is at fault, in UTF-16 code units. */
  readonly length: number;
  readonly message: string;
}

export interface JsonPlaces {
  readonly root: JsonPlace;
  /** Repeated keys, then at most one fault that ended the reading. */
  readonly faults: readonly JsonFault[];
}

/** Deeper than any database needs; validation recurses, and must not run out of stack. */
const maxDepth = 64;

const noChildren: ReadonlyMap<string | number, JsonPlace> = new Map();

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const whiteSpace = /[ \t\r\n]*/y;

/** Finds every value of a JSON text. Never throws; reading ends at the first thing that is no JSON. */
export function readJsonPlaces(text: string): JsonPlaces {
  const reader = new PlaceReader(text);
  return { root: reader.readDocument(), faults: reader.faults };
}

/**
 * Whether a parsed text needs a second look: it repeats a key, or nests deeper than allowed. Much faster than
 * finding all places.
 *
 * @param value - what `JSON.parse` made of the text
 */
export function isSuspectJson(text: string, value: unknown): boolean {
  const keys = countKeys(value, 0);
  return keys < 0 || keys !== countColons(text);
}

/** Colons outside of strings, in valid JSON: as many as keys are written. */
function countColons(text: string): number {
  let colons = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x3a) {
      colons += 1;
    } else if (unit === 0x22) {
      at += 1;
      for (let inner = text.charCodeAt(at); inner !== 0x22 && at < text.length; inner = text.charCodeAt(at)) {
        at += inner === 0x5c ? 2 : 1;
      }
    }
  }
  return colons;
}

/** Keys of all objects in a value; negative when it nests too deep. */
function countKeys(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > maxDepth) return Number.NEGATIVE_INFINITY;
  const children: readonly unknown[] = Object.values(value);
  let keys = Array.isArray(value) ? 0 : children.length;
  for (const child of children) keys += countKeys(child, depth + 1);
  return keys;
}

/** 1-based line and column (in characters of the line) of an offset. */
export function toLineAndColumn(
  text: string,
  offset: number,
): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const lastBreak = before.lastIndexOf('\n');
  let line = 1;
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line += 1;
  return { line, column: offset - lastBreak };
}

/** The place of the value at a path, or of the deepest ancestor that is there. */
export function findPlace(root: JsonPlace, path: readonly PropertyKey[]): JsonPlace {
  let place = root;
  for (const step of path) {
    const child = typeof step === 'symbol' ? undefined : place.children.get(step);
    if (child === undefined) break;
    place = child;
  }
  return place;
}

class Unreadable extends Error {
  readonly fault: JsonFault;

  constructor(offset: number, message: string, kind: JsonFault['kind'] = 'syntax') {
    super(message);
    this.fault = { kind, offset, length: 1, message };
  }
}

class PlaceReader {
  readonly faults: JsonFault[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): JsonPlace {
    let root: JsonPlace = { start: 0, end: 0, key: undefined, children: noChildren };
    try {
      this.#match(whiteSpace);
      root = this.#readValue(undefined, 0);
      this.#match(whiteSpace);
      if (this.#at < this.#text.length)
        throw new Unreadable(this.#at, 'something stands after the end of the JSON value');
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.faults.push(error.fault);
    }
    return root;
  }

  #readValue(key: JsonPlace['key'], depth: number): JsonPlace {
    const start = this.#at;
    const children = this.#readContent(start, depth);
    return { start, end: this.#at, key, children };
  }

  #readContent(start: number, depth: number): JsonPlace['children'] {
    if (depth > maxDepth) throw new Unreadable(start, `nested more than ${maxDepth} deep`, 'too-deep');
    const first = this.#text[start];
    if (first === '{') return this.#readObject(depth);
    if (first === '[') return this.#readArray(depth);
    if (first === '"') this.#readString();
    else if (
      !this.#takeWord('true') &&
      !this.#takeWord('false') &&
      !this.#takeWord('null') &&
      this.#match(number) === ''
    ) {
      throw new Unreadable(
        start,
        first === undefined ? 'ends before the JSON value does' : 'expected a JSON value here',
      );
    }
    return noChildren;
  }

  #readObject(depth: number): ReadonlyMap<string, JsonPlace> {
    const children = new Map<string, JsonPlace>();
    this.#at += 1;
    this.#match(whiteSpace);
    if (this.#take('}')) return children;
    for (;;) {
      const keyStart = this.#at;
      const key = this.#readString();
      const keyEnd = this.#at;
      this.#match(whiteSpace);
      if (!this.#take(':')) throw new Unreadable(this.#at, "expected ':' here");
      this.#match(whiteSpace);
      if (children.has(key)) {
        this.faults.push({
          kind: 'repeated-key',
          offset: keyStart,
          length: keyEnd - keyStart,
          message: `the key "${key}" is here a second time`,
        });
      }
      children.set(key, this.#readValue({ start: keyStart, end: keyEnd }, depth + 1));
      this.#match(whiteSpace);
      if (this.#take('}')) return children;
      if (!this.#take(',')) throw new Unreadable(this.#at, "expected ',' or '}' here");
      this.#match(whiteSpace);
    }
  }

  #readArray(depth: number): ReadonlyMap<number, JsonPlace> {
    const children = new Map<number, JsonPlace>();
    this.#at += 1;
    this.#match(whiteSpace);
    if (this.#take(']')) return children;
    for (let index = 0; ; index += 1) {
      children.set(index, this.#readValue(undefined, depth + 1));
      this.#match(whiteSpace);
      if (this.#take(']')) return children;
      if (!this.#take(',')) throw new Unreadable(this.#at, "expected ',' or ']' here");
      this.#match(whiteSpace);
    }
  }

  #readString(): string {
    const start = this.#at;
    if (!this.#take('"')) throw new Unreadable(start, 'expected a text in double quotes here');
    let hasEscapes = false;
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit === 0x22) break;
      if (Number.isNaN(unit)) throw new Unreadable(start, 'this text has no closing double quote');
      if (unit < 0x20)
        throw new Unreadable(this.#at, 'a control character in a text must be written as an escape');
      if (unit === 0x5c) {
        hasEscapes = true;
        if (this.#match(escape) === '') throw new Unreadable(this.#at, 'no escape of JSON begins like this');
      } else {
        this.#at += 1;
      }
    }
    this.#at += 1;
    const literal = this.#text.slice(start, this.#at);
    return hasEscapes ? String(JSON.parse(literal)) : literal.slice(1, -1);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #takeWord(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }
}
