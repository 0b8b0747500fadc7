import { createRandom } from './mutation.ts';

/** Words in a random order, the same for the same numbers: packs well, and refers far back. */
export function makeText(size: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  const words: string[] = [];
  for (let length = 0; length < size; length += (words.at(-1)?.length ?? 0) + 1)
    words.push(random(4000).toString(36));
  return new Uint8Array(Buffer.from(words.join(' ').padEnd(size).slice(0, size), 'latin1'));
}
