/**
 * Code requirements: the expressions in which a signature says by what its program is to be recognised.
 *
 * References: https://github.com/apple-oss-distributions/Security (OSX/libsecurity_codesigning/lib/requirement.h,
 * reqdumper.cpp), https://developer.apple.com/documentation/technotes/tn3127-inside-code-signing-requirements
 *
 * The text is that of `codesign -d -r-`. An unknown operation ends the text with `…`: its length is not known.
 */
import { Cursor, toHex, toLatin1 } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';

const requirementMagic = 0xfade0c00;
const requirementSetMagic = 0xfade0c01;
/** The largest real ones have about 20 operations. */
const operationsLimit = 512;
const depthLimit = 64;
const requirementsLimit = 16;

const kinds: readonly string[] = ['', 'host', 'guest', 'designated', 'library', 'plugin'];

export interface CodeRequirement {
  /** `designated`, `library`, `host`, ... */
  readonly kind: string;
  readonly text: string;
  /** Whether all of it could be rendered. */
  readonly isWhole: boolean;
}

/**
 * Renders the requirements of a signature.
 *
 * @param bytes - the blob in the slot of requirements, with magic and length
 * @throws TelltaleError `malformed/structure`, `malformed/out-of-range`, `limit/count`
 */
export function renderRequirements(bytes: Uint8Array): readonly CodeRequirement[] {
  const cursor = new Cursor(bytes);
  const magic = cursor.u32be();
  cursor.skip(4);
  if (magic === requirementMagic) return [{ kind: 'designated', ...render(bytes) }];
  if (magic !== requirementSetMagic) {
    throw new TelltaleError('malformed/structure', 'the requirements do not have the magic of requirements');
  }
  const count = cursor.u32be();
  if (count > requirementsLimit) {
    throw new TelltaleError('limit/count', `there are ${count} requirements, more than ${requirementsLimit}`);
  }
  const requirements: CodeRequirement[] = [];
  for (let index = 0; index < count; index += 1) {
    const kind = cursor.u32be();
    const offset = cursor.u32be();
    const length = new Cursor(bytes, offset).skip(4).u32be();
    requirements.push({
      kind: kinds[kind] || `kind ${kind}`,
      ...render(new Cursor(bytes, offset).bytes(length)),
    });
  }
  return requirements;
}

function render(bytes: Uint8Array): { readonly text: string; readonly isWhole: boolean } {
  const cursor = new Cursor(bytes);
  if (cursor.u32be() !== requirementMagic) {
    throw new TelltaleError('malformed/structure', 'a requirement does not have the magic of one');
  }
  cursor.skip(4);
  const form = cursor.u32be();
  if (form !== 1) return { text: `/* form ${form} */ …`, isWhole: false };
  const renderer = new Renderer(cursor);
  const text = renderer.expression('top', 0);
  return { text, isWhole: renderer.isWhole };
}

/** How tightly the surroundings bind: what is weaker goes into parentheses. */
type Level = 'primary' | 'and' | 'top';

class Renderer {
  readonly #cursor: Cursor;
  #operations = 0;
  isWhole = true;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  expression(level: Level, depth: number): string {
    const cursor = this.#cursor;
    this.#operations += 1;
    if (this.#operations > operationsLimit || depth > depthLimit) {
      throw new TelltaleError('limit/count', 'a requirement has too many operations', {
        offset: cursor.offset,
      });
    }
    const operation = cursor.u32be();
    switch (operation & 0xffffff) {
      case 0:
        return 'never';
      case 1:
        return 'always';
      case 2:
        return `identifier ${this.#string(true)}`;
      case 3:
        return 'anchor apple';
      case 4: {
        const slot = this.#slot();
        return `certificate ${slot} = H"${toHex(this.#data())}"`;
      }
      case 5:
        return `info[${this.#string()}] = ${this.#string()}`;
      case 6: {
        const text = `${this.expression('and', depth + 1)} and ${this.expression('and', depth + 1)}`;
        return level === 'primary' ? `(${text})` : text;
      }
      case 7: {
        const text = `${this.expression('top', depth + 1)} or ${this.expression('top', depth + 1)}`;
        return level === 'top' ? text : `(${text})`;
      }
      case 8:
        return `cdhash H"${toHex(this.#data())}"`;
      case 9:
        return `! ${this.expression('primary', depth + 1)}`;
      case 10:
        return `info[${this.#string()}]${this.#match()}`;
      case 11: {
        const slot = this.#slot();
        return `certificate ${slot}[${this.#string(true, true)}]${this.#match()}`;
      }
      case 12:
        return `certificate ${this.#slot()} trusted`;
      case 13:
        return 'anchor trusted';
      case 14: {
        const slot = this.#slot();
        return `certificate ${slot}[field.${this.#oid()}]${this.#match()}`;
      }
      case 15:
        return 'anchor apple generic';
      case 16:
        return `entitlement[${this.#string()}]${this.#match()}`;
      case 17: {
        const slot = this.#slot();
        return `certificate ${slot}[policy.${this.#oid()}]${this.#match()}`;
      }
      case 18:
        return `anchor apple ${this.#string()}`;
      case 19:
        return `(${this.#string()})`;
      case 20:
        return `platform = ${cursor.u32be() | 0}`;
      case 21:
        return 'notarized';
      case 22: {
        const slot = this.#slot();
        return `certificate ${slot}[timestamp.${this.#oid()}]${this.#match()}`;
      }
      case 23:
        return 'legacy';
      default:
        this.isWhole = false;
        // The rest is of unknown length; nothing behind it can be read.
        cursor.seek(cursor.source.size);
        return `/* operation ${operation & 0xffffff} */ …`;
    }
  }

  #slot(): string {
    const slot = this.#cursor.u32be() | 0;
    return slot === 0 ? 'leaf' : slot === -1 ? 'root' : String(slot);
  }

  /** Bytes with their length before them, padded to four. */
  #data(): Uint8Array {
    const bytes = this.#cursor.bytes(this.#cursor.u32be());
    const padding = (4 - (bytes.length % 4)) % 4;
    this.#cursor.skip(Math.min(padding, this.#cursor.remaining));
    return bytes;
  }

  /**
   * @param isQuotedWithDots - as the tools do it: an identifier with dots in quotes
   * @param isPlainWithDots - a name of a field, `subject.OU`, without
   */
  #string(isQuotedWithDots = false, isPlainWithDots = false): string {
    const bytes = this.#data();
    const text = toLatin1(bytes);
    const plain = isPlainWithDots ? /^[A-Za-z][A-Za-z0-9.]*$/ : /^[A-Za-z][A-Za-z0-9]*$/;
    if (plain.test(text)) return text;
    if (!/^[\x20-\x7e]*$/.test(text))
      return isQuotedWithDots ? toQuoted(new TextDecoder().decode(bytes)) : `0x${toHex(bytes)}`;
    return toQuoted(text);
  }

  #oid(): string {
    const numbers: number[] = [];
    let number = 0;
    for (const byte of this.#data()) {
      number = number * 128 + (byte & 0x7f);
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

  #match(): string {
    const operation = this.#cursor.u32be();
    switch (operation) {
      case 0:
        return ' /* exists */';
      case 1:
        return ` = ${this.#string()}`;
      case 2:
        return ` ~ ${this.#string()}`;
      case 3:
        return ` = ${this.#string()}*`;
      case 4:
        return ` = *${this.#string()}`;
      case 5:
        return ` < ${this.#string()}`;
      case 6:
        return ` > ${this.#string()}`;
      case 7:
        return ` <= ${this.#string()}`;
      case 8:
        return ` >= ${this.#string()}`;
      case 9:
      case 10:
      case 11:
      case 12:
      case 13: {
        // Seconds since 2001, 64 bits, signed.
        const high = this.#cursor.u32be() | 0;
        const seconds = high * 0x1_0000_0000 + this.#cursor.u32be();
        const sign = ['=', '<', '>', '<=', '>='][operation - 9] ?? '=';
        const moment = (seconds + 978_307_200) * 1000;
        const text = Math.abs(moment) <= 8.64e15 ? new Date(moment).toISOString() : String(seconds);
        return ` ${sign} timestamp "${text}"`;
      }
      case 14:
        return ' absent';
      default:
        this.isWhole = false;
        this.#cursor.seek(this.#cursor.source.size);
        return ` /* comparison ${operation} */ …`;
    }
  }
}

function toQuoted(text: string): string {
  return `"${text.replace(/["\\]/g, (character) => `\\${character}`)}"`;
}
