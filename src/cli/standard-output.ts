import { writeSync } from 'node:fs';
import { exitCodes } from './exit-codes.ts';

/**
 * Writes everything before it returns, so that nothing is lost when the process exits. A reader that went away
 * (`telltale … | head`) ends the program quietly.
 */
export function writeFully(descriptor: number, text: string): void {
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
