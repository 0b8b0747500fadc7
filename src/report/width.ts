import stringWidth from 'string-width';

const plain = /^[\x20-\x7e]*$/;

/** Terminal columns that a text takes: two for wide characters, none for combining marks. */
export function toColumns(text: string): number {
  // Most text is plain, and the library takes a hundred times as long to find that out.
  return plain.test(text) ? text.length : stringWidth(text);
}

/** Spaces behind a text up to a number of columns. */
export function padColumns(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - toColumns(text)));
}

/** A long text with its middle left out, so that it fits in a number of columns; both ends matter in a path. */
export function shortenMiddle(text: string, columns: number): string {
  if (columns < 5) return text;
  // What is that much longer is hardly ever that narrow, and takes long to measure.
  if (text.length <= 4 * columns && toColumns(text) <= columns) return text;
  const characters = [...text];
  const room = columns - 1;
  let left = '';
  let right = '';
  let from = 0;
  let to = characters.length - 1;
  // Measured character by character: to measure both ends anew at every step takes seconds for long names.
  const used = { left: 0, right: 0 };
  while (from <= to) {
    const takesLeft = used.left <= used.right;
    const character = characters[takesLeft ? from : to] ?? '';
    const width = toColumns(character);
    if (used.left + used.right + width > room) break;
    if (takesLeft) {
      left += character;
      used.left += width;
      from += 1;
    } else {
      right = character + right;
      used.right += width;
      to -= 1;
    }
  }
  return from > to ? text : `${left}…${right}`;
}

// Scripts that are written without spaces, and their punctuation: a line may end between any two such characters.
const unspaced =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\u3000-\u303f\uff00-\uffef]/u;
/** No line begins with these, and none ends with those: closing and opening punctuation, as Chinese is set. */
const closing = /^[\p{Pe}\p{Pf}\p{M}、。，．：；？！…—·～％‰℃々ー”’"',.:;?!%)\]}]/u;
const opening = /[\p{Ps}\p{Pi}“‘([{]$/u;

/**
 * Breaks plain text so that no line is longer than a number of columns: at spaces, and between Chinese or Japanese
 * characters, but not before closing or behind opening punctuation. Long words stay whole.
 */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const [index, word] of text.split(' ').entries()) {
    for (const [part, unit] of toUnits(word).entries()) {
      const gap = part === 0 && index > 0 && line !== '' ? ' ' : '';
      const width = toColumns(unit);
      if (line !== '' && used + gap.length + width > columns) {
        lines.push(line.trimEnd());
        line = unit;
        used = width;
      } else {
        line += gap + unit;
        used += gap.length + width;
      }
    }
  }
  lines.push(line);
  return lines;
}

/** The parts of a word between which a line may end; a word of letters is one part. */
function toUnits(word: string): readonly string[] {
  if (!mayBreak.test(word)) return [word];
  const units: string[] = [];
  for (const character of word) {
    const last = units.at(-1);
    const isOpen =
      last !== undefined &&
      !closing.test(character) &&
      !opening.test(last) &&
      (unspaced.test(character) || unspaced.test(lastCharacter(last)));
    if (last === undefined || isOpen) units.push(character);
    else units[units.length - 1] = last + character;
  }
  return units;
}

const mayBreak = new RegExp(unspaced.source.slice(1), 'u');

function lastCharacter(text: string): string {
  const low = text.charCodeAt(text.length - 1);
  return text.slice(low >= 0xdc00 && low <= 0xdfff ? -2 : -1);
}
