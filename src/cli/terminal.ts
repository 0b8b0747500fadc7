import { writeSync } from 'node:fs';
import chalk, { Chalk, type ChalkInstance } from 'chalk';
import { exitCodes } from './exit-codes.ts';

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

/**
 * Writes everything before it returns, so that nothing is lost when the process exits. A reader that went away
 * (`telltale … | head`) ends the program quietly.
 */
function writeFully(descriptor: number, text: string): void {
  let from = 0;
  while (from < text.length) {
    let to = Math.min(text.length, from + charactersAtOnce);
    // A pair of surrogates stays together.
    if (to < text.length && /[\ud800-\udbff]/.test(text.charAt(to - 1))) to += 1;
    writeBytes(descriptor, Buffer.from(text.slice(from, to), 'utf8'));
    from = to;
  }
}

/** A report of a whole archive is large: it is encoded piece by piece. */
const charactersAtOnce = 1 << 20;

function writeBytes(descriptor: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EAGAIN') continue;
      if (code === 'EPIPE') process.exit(exitCodes.readerGone.code);
      throw error;
    }
  }
}
