import { type Boundary, encodeText, type TextEncoding } from '../compile.ts';
import { foldByte } from '../automaton/fold.ts';
import { escapeByte } from './regular-expression.ts';
import type { LeafCondition } from './statement.ts';

/** Bytes that are looked for, as the matcher looks for them. */
export interface Literal {
  readonly bytes: Uint8Array;
  /** Undefined for plain bytes. `ascii` is UTF-8. */
  readonly encoding: TextEncoding | undefined;
  readonly ignoreCase: boolean;
  readonly boundary: Boundary;
}

/** The literals of a condition, any of which will do; undefined when it asks for something else. */
export function tryListLiterals(condition: LeafCondition): readonly Literal[] | undefined {
  if ('text' in condition) {
    const { text, encodings, ignoreCase = false, wholeWord = false } = condition;
    return toLiterals(text, encodings, ignoreCase, wholeWord ? 'word' : 'none');
  }
  if ('host' in condition) {
    const { host, subdomains = false } = condition;
    return toLiterals(host, undefined, true, subdomains ? 'host-with-subdomains' : 'host');
  }
  if ('bytes' in condition) {
    const bytes = Uint8Array.from(condition.bytes.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    return [{ bytes, encoding: undefined, ignoreCase: false, boundary: 'none' }];
  }
  return undefined;
}

/** A text in each of its encodings, both by default. */
export function toLiterals(
  text: string,
  encodings: readonly TextEncoding[] = ['ascii', 'utf-16le'],
  ignoreCase = false,
  boundary: Boundary = 'none',
): readonly Literal[] {
  return [...new Set(encodings)].map((encoding) => ({
    bytes: encodeText(text, encoding),
    encoding,
    ignoreCase,
    boundary,
  }));
}

/** Whether the byte is an ASCII letter whose case does not count: in UTF-16 halves of other letters look like some. */
function isFolded({ bytes, encoding, ignoreCase }: Literal, index: number): boolean {
  const byte = bytes[index] ?? 0;
  if (!ignoreCase || !isLetter(byte)) return false;
  return encoding !== 'utf-16le' || (index % 2 === 0 && bytes[index + 1] === 0);
}

/** Whether folding every letter comes to the same as folding those that {@link isFolded} names. */
export function isFoldedThroughout(literal: Literal): boolean {
  return literal.bytes.every((byte, index) => !isLetter(byte) || isFolded(literal, index));
}

function isLetter(byte: number): boolean {
  const folded = foldByte(byte);
  return folded >= 0x61 && folded <= 0x7a;
}

/** Two hexadecimal digits. */
export function toHexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** As hexadecimal digits, with `(41|61)` for a letter whose case does not count; YARA and ClamAV read it alike. */
export function toHexPattern(literal: Literal, separator: '' | ' '): string {
  return [...literal.bytes]
    .map((byte, index) =>
      isFolded(literal, index)
        ? `(${toHexByte(foldByte(byte) & ~0x20)}|${toHexByte(foldByte(byte))})`
        : toHexByte(byte),
    )
    .join(separator);
}

/**
 * The bytes of a literal as a regular expression.
 *
 * @param letters - whose case does not count: as they are, for a flag of the expression, or as classes of both cases
 */
export function toByteExpression(literal: Literal, letters: 'by-flag' | 'spelled-out'): string {
  return [...literal.bytes]
    .map((byte, index) =>
      letters === 'spelled-out' && isFolded(literal, index)
        ? `[${String.fromCharCode(byte & ~0x20)}${String.fromCharCode(byte | 0x20)}]`
        : escapeByte(byte),
    )
    .join('');
}

/**
 * Units that may not stand beside a literal, as the content of a bracket expression. Both languages know these.
 * A dot beside a host is looked at with the unit beyond it.
 */
export const boundaryClasses = {
  word: 'A-Za-z0-9_',
  host: 'A-Za-z0-9-',
  label: 'A-Za-z0-9_-',
  alphanumeric: 'A-Za-z0-9',
} as const;

/** The units of a class below 0x80 that a length before a text could be taken for. */
export function listClassUnits(content: string): readonly number[] {
  const expression = new RegExp(`[${content}]`);
  return Array.from({ length: 0x80 }, (_, unit) => unit).filter((unit) =>
    expression.test(String.fromCharCode(unit)),
  );
}

/**
 * First bytes of the formats that can be told by them. Several formats share those of their container, and some
 * have none.
 */
const magics: Readonly<Record<string, readonly string[]>> = {
  pe: ['4d5a'],
  inno: ['4d5a'],
  elf: ['7f454c46'],
  macho: ['feedface', 'feedfacf', 'cefaedfe', 'cffaedfe'],
  dex: ['6465780a', '63646578'],
  apk: ['504b0304'],
  aab: ['504b0304'],
  appx: ['504b0304'],
  msix: ['504b0304'],
  ipa: ['504b0304'],
  xap: ['504b0304'],
  jar: ['504b0304'],
  zip: ['504b0304'],
  msi: ['d0cf11e0a1b11ae1'],
  msm: ['d0cf11e0a1b11ae1'],
  msp: ['d0cf11e0a1b11ae1'],
  cfb: ['d0cf11e0a1b11ae1'],
};

/** Formats that no other format begins like. */
const ownMagic: ReadonlySet<string> = new Set(['pe', 'inno', 'elf', 'macho', 'dex', 'zip', 'cfb']);

/** What the first bytes of a file must be, and in what that differs from the formats that an indicator names. */
export interface FormatGuard {
  /** Hexadecimal; any of them. Empty when every file counts. */
  readonly magics: readonly string[];
  readonly remarks: readonly string[];
}

/** The test of the first bytes for the formats in which an indicator counts. */
export function toFormatGuard(formats: readonly string[]): FormatGuard {
  if (formats.includes('any')) return { magics: [], remarks: [] };
  const unknown = formats.filter((format) => !Object.hasOwn(magics, format));
  if (unknown.length > 0) {
    return {
      magics: [],
      remarks: [
        `files of every format count, because ${unknown.join(', ')} cannot be told by the first bytes`,
      ],
    };
  }
  const shared = formats.filter((format) => !ownMagic.has(format));
  return {
    magics: [...new Set(formats.flatMap((format) => magics[format] ?? []))],
    remarks: shared.length === 0 ? [] : [`other files count that begin as ${shared.join(', ')} does`],
  };
}
