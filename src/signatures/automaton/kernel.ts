import type { Automaton } from './automaton.ts';

/**
 * Called for each position at which patterns end, in rising order of `end`.
 *
 * @param end - index in the window of the last byte of the match
 * @param row - offset of the row of the state reached, in table entries
 */
export type HitSink = (end: number, row: number) => void;

/** The inner loop of a search: the one thing worth replacing with something faster. */
export interface Kernel {
  /**
   * Runs the automaton over a window from the root state.
   *
   * @param window - the bytes
   * @param overlap - bytes at the front that belong to an earlier window: they lead into the right state, and what
   *   ends in them was told already. At least the `overlap` of the automaton, unless the window starts the artifact
   */
  search(window: Uint8Array, overlap: number, sink: HitSink): void;
}

export type KernelFactory = (automaton: Automaton) => Kernel;
