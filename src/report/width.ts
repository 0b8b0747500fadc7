import stringWidth from 'string-width';

/** Terminal columns that a text takes: two for wide characters, none for combining marks. */
export function toColumns(text: string): number {
  return stringWidth(text);
}

/** Spaces behind a text up to a number of columns. */
export function padColumns(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - toColumns(text)));
}

/** A long text with its middle left out, so that it fits in a number of columns; both ends matter in a path. */
export function shortenMiddle(text: string, columns: number): string {
  if (toColumns(text) <= columns || columns < 5) return text;
  const characters = [...text];
  const room = columns - 1;
  let left = '';
  let right = '';
  let from = 0;
  let to = characters.length - 1;
  let used = 0;
  while (from <= to) {
    const takesLeft = toColumns(left) <= toColumns(right);
    const character = characters[takesLeft ? from : to] ?? '';
    used += toColumns(character);
    if (used > room) break;
    if (takesLeft) {
      left += character;
      from += 1;
    } else {
      right = character + right;
      to -= 1;
    }
  }
  return `${left}…${right}`;
}

/** Breaks plain text at spaces so that no line is longer than a number of columns; long words stay whole. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && toColumns(line) + 1 + toColumns(word) > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}
