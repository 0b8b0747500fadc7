import type { Automaton } from './automaton.ts';
import type { KernelFactory } from './kernel.ts';
import { createFilteredKernel } from './search-filtered.ts';

/**
 * @param pattern - index of the pattern
 * @param start - index in the window of its first byte; negative when the match began before the window
 */
export type PatternSink = (pattern: number, start: number) => void;

/** Finds all patterns of an automaton in windows of bytes. */
export interface Searcher {
  /** Bytes of the window before that the next window must repeat. */
  readonly overlap: number;
  /**
   * Tells every occurrence that ends behind the overlap, in rising order of its end, longer patterns first; case of
   * ASCII letters does not count.
   */
  search(window: Uint8Array, overlap: number, sink: PatternSink): void;
}

/** A searcher; the kernel is the loop that reads the tables. */
export function createSearcher(
  automaton: Automaton,
  makeKernel: KernelFactory = createFilteredKernel,
): Searcher {
  const kernel = makeKernel(automaton);
  const {
    classCount,
    firstPattern,
    nextPattern,
    nextState,
    patternLengths,
    overlap: neededOverlap,
  } = automaton;
  return {
    overlap: neededOverlap,
    search(window, overlap, sink) {
      kernel.search(window, overlap, (end, row) => {
        let state = row / classCount;
        while (state >= 0) {
          let pattern = firstPattern[state] ?? -1;
          while (pattern >= 0) {
            sink(pattern, end + 1 - (patternLengths[pattern] ?? 0));
            pattern = nextPattern[pattern] ?? -1;
          }
          state = nextState[state] ?? -1;
        }
      });
    },
  };
}
