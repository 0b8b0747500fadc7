import { TelltaleError } from '../../bytes/errors.ts';

/** Something in a container is not understood by a reader of ours; nobody is shown why. */
export class Unfamiliar extends Error {}

/**
 * What a reader of ours gives for a container in which everything is in order. Undefined where it throws because
 * something is not, or not understood: what that is, is told by 7-Zip.
 *
 * @throws TelltaleError `limit/time`, and everything that is no fault of the container
 */
export function tryInOrder<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    const isFault = error instanceof TelltaleError && error.code !== 'limit/time';
    if (isFault || error instanceof Unfamiliar) return undefined;
    throw error;
  }
}
