/*
 * Regular expressions of RE2 in the part of the syntax that YARA and PCRE read alike. What lies outside is refused
 * rather than guessed. It only matters whether there is a match: laziness and groups make no difference.
 */

/** How `^` and `$` are meant. */
export type Anchoring =
  /** Not to be used: what they stand for is not there. */
  | 'refused'
  /** Start and end of the value. */
  | 'value'
  /** Start and end of the value without the white space around it. */
  | 'trimmed-value';

export type TranslatedExpression =
  | { readonly kind: 'expression'; readonly source: string; readonly hasAnyCharacter: boolean }
  | { readonly kind: 'refused'; readonly reason: string };

/** One printable ASCII character as itself, with a backslash where it needs one; others as `\xNN`. */
export function escapeByte(byte: number): string {
  const character = String.fromCharCode(byte);
  if (/[A-Za-z0-9_ ]/.test(character)) return character;
  if (byte > 0x20 && byte < 0x7f && !/["';:]/.test(character)) return `\\${character}`;
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

const tokens =
  /\\x([0-9a-fA-F]{2})|\\([dDwWsSb])|\\([tnrf])|\\([^A-Za-z0-9])|(\((?:\?:|\?P?<\w+>)?)(?!\?)|(\[\^?(?:\\.|[^\]\\[])+\])|([*+?]|\{\d{1,4}(?:,\d{0,4})?\})\??|([|)])|(\.)|([\^$])|([^\\()[\]{}*+?|.^$])/y;

const namedControls: Readonly<Record<string, string>> = { t: '\\x09', n: '\\x0a', r: '\\x0d', f: '\\x0c' };

/** How far telltale looks around an anchor; YARA warns of a dot without such an end. */
const repeatsMost = 512;

function toBoundedRepeat(repeat: string): string {
  switch (repeat) {
    case '*':
      return `{0,${repeatsMost}}`;
    case '+':
      return `{1,${repeatsMost}}`;
    default:
      return repeat.endsWith(',}') ? `${repeat.slice(0, -1)}${repeatsMost}}` : repeat;
  }
}

const beyondAscii = { kind: 'refused', reason: 'its regular expression holds text beyond ASCII' } as const;

/** Translates an expression that RE2 accepts. */
export function translateExpression(expression: string, anchoring: Anchoring): TranslatedExpression {
  let source = '';
  let hasAnyCharacter = false;
  let wasDot = false;
  tokens.lastIndex = 0;
  while (tokens.lastIndex < expression.length) {
    const at = tokens.lastIndex;
    const match = tokens.exec(expression);
    if (match === null)
      return {
        kind: 'refused',
        reason: `its regular expression is not common syntax: ${expression.slice(at, at + 20)}`,
      };
    const isBehindDot = wasDot;
    wasDot = match[0] === '.';
    const [, hex, type, control, escaped, group, bracket, repeat, structure, dot, anchor, literal] = match;
    if (hex !== undefined) {
      if (Number.parseInt(hex, 16) > 0x7f) return beyondAscii;
      source += `\\x${hex.toLowerCase()}`;
    } else if (type !== undefined) {
      source += `\\${type}`;
      hasAnyCharacter ||= /[DWS]/.test(type);
    } else if (control !== undefined) source += namedControls[control] ?? '';
    else if (group !== undefined) source += '(';
    else if (bracket !== undefined) {
      if (!isCommonBracket(bracket))
        return {
          kind: 'refused',
          reason: `its regular expression holds a class that is not common syntax: ${bracket}`,
        };
      source += bracket
        .replaceAll('/', '\\/')
        .replaceAll(/["';:]/g, (character) => escapeByte(character.charCodeAt(0)));
      hasAnyCharacter ||= bracket.startsWith('[^');
    } else if (repeat !== undefined) source += isBehindDot ? toBoundedRepeat(repeat) : repeat;
    else if (structure !== undefined) source += structure;
    else if (dot !== undefined) {
      source += '.';
      hasAnyCharacter = true;
    } else if (anchor !== undefined) {
      if (anchoring === 'refused')
        return {
          kind: 'refused',
          reason: 'its regular expression is anchored to the place at which it is tried',
        };
      const space = anchoring === 'trimmed-value' ? '\\s*' : '';
      source += anchor === '^' ? `^${space}` : `${space}$`;
    } else {
      const character = escaped ?? literal ?? '';
      const byte = character.charCodeAt(0);
      if (character.length !== 1 || byte > 0x7f) return beyondAscii;
      source += escapeByte(byte);
    }
  }
  return { kind: 'expression', source, hasAnyCharacter };
}

/** Characters, ranges and `\d`, `\w`, `\s` within ASCII; no named classes. */
function isCommonBracket(bracket: string): boolean {
  return (
    /^\[\^?(?:\\[dws\\\]^.\-/]|\\x[0-7][0-9a-fA-F]|[\x20-\x5a\x5e-\x7e])+\]$/.test(bracket) &&
    !bracket.includes('[:')
  );
}
