import { createRandom } from '../../test/mutation.ts';
import { makeLiterals, ownLiterals } from './literals.ts';

/** Free room on both sides of a planted text, so that it stands as a word of its own. */
const marginBytes = 16;
/** Headers are left alone. */
const firstOffset = 0x1000;

const smallLiterals = makeLiterals(60);
const allLiterals = makeLiterals(1_000);

/**
 * Writes a text into a run of zeros of a program, at a place that follows from the seed.
 *
 * @returns the offset, or undefined when there is no run that is long enough
 */
export function plantText(
  bytes: Buffer,
  text: string,
  encoding: 'latin1' | 'utf16le',
  random: (bound: number) => number,
): number | undefined {
  const written = Buffer.from(text, encoding);
  const room = Buffer.alloc(written.length + 2 * marginBytes);
  if (bytes.length < firstOffset + room.length) return undefined;
  const start = firstOffset + random(bytes.length - firstOffset);
  let found = bytes.indexOf(room, start);
  if (found < 0) found = bytes.indexOf(room, firstOffset);
  if (found < 0) return undefined;
  // Runs begin at odd places; UTF-16 of programs does not.
  const at = found + marginBytes + (found & 1);
  if (at + written.length + 1 > found + room.length) return undefined;
  written.copy(bytes, at);
  return at;
}

/**
 * Plants literals into a copy of a program: of the database that ships, of the first 60 and of the 1,000 made-up ones,
 * in both encodings. Which ones follows from the seed.
 *
 * @param first - which of the three kinds comes first
 */
export function plantLiterals(content: Uint8Array, seed: number, count = 4, first = 0): Buffer {
  const bytes = Buffer.from(content);
  const random = createRandom(seed);
  for (let index = 0; index < count; index += 1) {
    const list = [ownLiterals, smallLiterals, allLiterals][(first + index) % 3] ?? allLiterals;
    const text = list[random(list.length)] ?? '';
    plantText(bytes, text, random(2) === 0 ? 'latin1' : 'utf16le', random);
  }
  return bytes;
}

/** A copy of a program that no other copy equals: its number stands in a run of zeros, or behind its end. */
export function makeDistinct(content: Uint8Array, number: number): Buffer {
  const bytes = Buffer.from(content);
  const text = `copy ${String(number).padStart(8, '0')}`;
  return plantText(bytes, text, 'latin1', () => 0) === undefined
    ? Buffer.concat([bytes, Buffer.from(text, 'latin1')])
    : bytes;
}
