import chalk, { Chalk, type ChalkInstance } from 'chalk';
import { writeFully } from './standard-output.ts';

/** Where a command writes. Reports go to `out`, everything else to `err`. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly columns: number;
  readonly colour: ChalkInstance;
  /** A line on stderr that is overwritten; a no-op where stderr is no terminal. */
  progress(text: string): void;
}

/** The terminal of this process. Colour only on a terminal, and never with NO_COLOR. */
export function createTerminal(isQuiet: boolean): Terminal {
  const usesColour = process.stdout.isTTY && (process.env.NO_COLOR ?? '') === '';
  const showsProgress = process.stderr.isTTY && !isQuiet;
  let progressShown = false;
  const clear = (): void => {
    if (progressShown) process.stderr.write('\r\u001b[K');
    progressShown = false;
  };
  return {
    out(text) {
      clear();
      writeFully(1, text);
    },
    err(text) {
      clear();
      process.stderr.write(text);
    },
    columns: process.stdout.columns > 0 ? process.stdout.columns : 100,
    colour: usesColour ? chalk : new Chalk({ level: 0 }),
    progress(text) {
      if (!showsProgress) return;
      clear();
      process.stderr.write(text);
      progressShown = true;
    },
  };
}
