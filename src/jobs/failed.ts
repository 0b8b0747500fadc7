import { TelltaleError } from '../bytes/errors.ts';
import { toFinding } from '../scan/finding.ts';
import type { FileResult } from '../verdict/model.ts';
import { toUnreadResult } from '../verdict/unread.ts';

/** The result of a file that could not be read at all. */
export function toFailedResult(path: string, error: unknown): FileResult {
  const finding = toFinding(error, 'nothing is known about this file');
  return toUnreadResult(path, { ...finding, path });
}

/** What is told of a file whose worker did not answer in time and was stopped. */
export function toTimedOut(path: string, milliseconds: number): FileResult {
  return toFailedResult(
    path,
    new TelltaleError('limit/time', `took more than ${milliseconds} ms and was stopped`),
  );
}
