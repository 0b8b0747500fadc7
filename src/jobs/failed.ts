import { TelltaleError } from '../bytes/errors.ts';
import { toFinding } from '../scan/finding.ts';
import type { FileResult } from '../verdict/model.ts';
import { toProblemResult, toUnreadResult } from '../verdict/unread.ts';
import type { FileMeasure } from './goodware.ts';

/** The result of a file that could not be read at all. */
export function toFailedResult(path: string, error: unknown): FileResult {
  const finding = toFinding(error, 'nothing is known about this file');
  return toUnreadResult(path, { ...finding, path });
}

/** As {@link toFailedResult}, where occurrences were to be counted. */
export function toFailedMeasure(path: string, error: unknown): FileMeasure {
  const problem = toProblemResult({ ...toFinding(error, 'no pattern was counted in this file'), path });
  return {
    path,
    size: undefined,
    bytesSearched: 0,
    artifacts: 0,
    formats: {},
    patterns: [],
    occurring: [],
    indicators: [],
    claims: [],
    artifactsUnread: 0,
    unread: { [problem.code]: 1 },
    problems: [problem],
  };
}

/** What went wrong with a file whose worker did not answer in time and was stopped. */
export function toTimeout(milliseconds: number): TelltaleError {
  return new TelltaleError('limit/time', `took more than ${milliseconds} ms and was stopped`);
}
