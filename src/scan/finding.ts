import { TelltaleError, toErrorFamily } from '../bytes/errors.ts';
import { type Finding, FoundFault } from '../formats/model.ts';

/** Turns anything thrown into a finding; what we did not throw on purpose is a bug of ours, and is said to be one. */
export function toFinding(error: unknown, consequence: string): Finding {
  if (error instanceof FoundFault) return error.finding;
  if (error instanceof TelltaleError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.offset === undefined ? {} : { offset: error.offset }),
      consequence:
        toErrorFamily(error.code) === 'limit' ? `the limit stopped the work: ${consequence}` : consequence,
      incomplete: true,
    };
  }
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: 'internal/bug', message: `telltale failed here (${reason})`, consequence, incomplete: true };
}
