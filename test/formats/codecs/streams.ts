import { readFileSync } from 'node:fs';

/** A committed stream; `fixtures/codecs/README.md` says who made it. */
export function readStream(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../../fixtures/codecs/${name}`, import.meta.url)));
}

/** What all of the streams decode to. */
export const plain = readStream('plain.bin');

/** What a function throws; the test fails when it does not throw. */
export function catchError(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
