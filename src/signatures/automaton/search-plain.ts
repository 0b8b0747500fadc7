import { type Automaton, rowMask } from './automaton.ts';
import type { Kernel } from './kernel.ts';

/** One byte after the other, the way the automaton is explained: the oracle for the fast loop. */
export function createPlainKernel({ table, classes }: Automaton): Kernel {
  return {
    search(window, overlap, sink) {
      const mask = rowMask;
      let row = 0;
      for (let index = 0; index < window.length; index += 1) {
        const entry = table[row + (classes[window[index] ?? 0] ?? 0)] ?? 0;
        row = entry & mask;
        if (entry < 0 && index >= overlap) sink(index, row);
      }
    },
  };
}
