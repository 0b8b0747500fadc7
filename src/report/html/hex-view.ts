import { type Html, html } from './html.ts';

const bytesARow = 16;

/** Bytes as a hex view shows them. */
export interface HexContent {
  /** Two hexadecimal digits a byte. */
  readonly hex: string;
  /** Offset of the first of them in its artifact. */
  readonly offset: number;
  /** The first byte that is marked, counted from the first shown. */
  readonly matchStart: number;
  readonly matchLength: number;
  /** What a screen reader calls it. */
  readonly label: string;
}

/** Rows of sixteen bytes at offsets that sixteen divides: the offset, the bytes, and what of them is ASCII. */
export function toHexView({ hex, offset, matchStart, matchLength, label }: HexContent): Html {
  const bytes = hex.match(/../g) ?? [];
  const lead = offset % bytesARow;
  const rows: Html[] = [];
  const isMatch = (at: number): boolean => at >= matchStart && at < matchStart + matchLength;
  for (let first = -lead; first < bytes.length; first += bytesARow) {
    const places = Array.from({ length: bytesARow }, (_, column) => first + column);
    const digits = places.map((at) => `${bytes[at] ?? '  '} `);
    const letters = places.map((at) => toLetter(bytes[at]));
    rows.push(
      html`${(offset + first).toString(16).padStart(8, '0')}  ${toMarked(digits, places, isMatch)} ${toMarked(letters, places, isMatch)}\n`,
    );
  }
  // It may be wider than the page, so it scrolls, and what scrolls must be reachable by the keyboard.
  return html`<pre class="hex" tabindex="0" role="group" aria-label="${label}">${rows}</pre>`;
}

function toLetter(pair: string | undefined): string {
  if (pair === undefined) return ' ';
  const byte = Number.parseInt(pair, 16);
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
}

/** The cells in one line, with the run of those that match marked. */
function toMarked(
  cells: readonly string[],
  places: readonly number[],
  isMatch: (at: number) => boolean,
): Html {
  const from = places.findIndex(isMatch);
  if (from < 0) return toExact(cells.join(''));
  const to = places.findLastIndex(isMatch) + 1;
  const matched = cells.slice(from, to).join('');
  // The space behind the last pair of digits is no part of the match; a matched space in the column of letters is.
  const end = cells[from]?.length === 3 ? matched.length - 1 : matched.length;
  const rest = matched.slice(end) + cells.slice(to).join('');
  return html`${toExact(cells.slice(0, from).join(''))}<mark>${toExact(matched.slice(0, end))}</mark>${toExact(rest)}`;
}

/** Two characters that may stand in a command for a CI system become references: a column has one place a byte. */
function toExact(text: string): Html {
  const pieces = text.split(/([:#])/).map((piece) => {
    if (piece === ':') return html`&#58;`;
    return piece === '#' ? html`&#35;` : piece;
  });
  return html`${pieces}`;
}
