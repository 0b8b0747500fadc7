import { toErrorFamily } from '../bytes/errors.ts';
import type { Problem } from '../scan/model.ts';
import { type FileResult, type IncompleteReason, incompleteReasons, type ProblemResult } from './model.ts';

/** A problem as it is printed. */
export function toProblemResult({
  code,
  path,
  offset,
  message,
  consequence,
  incomplete,
}: Problem): ProblemResult {
  return { code, path, ...(offset === undefined ? {} : { offset }), message, consequence, incomplete };
}

/** The reasons, in a fixed order; the deadline has a name of its own. */
export function toIncompleteReasons(problems: readonly ProblemResult[]): readonly IncompleteReason[] {
  const found = new Set<string>();
  for (const { code, incomplete } of problems) {
    if (incomplete) found.add(code === 'limit/time' ? 'timeout' : toErrorFamily(code));
  }
  return incompleteReasons.filter((reason) => found.has(reason));
}

/** The result of a file of which nothing could be read. */
export function toUnreadResult(path: string, problem: Problem): FileResult {
  const problems = [toProblemResult(problem)];
  return {
    path,
    size: null,
    sha256: null,
    product: null,
    productName: null,
    verdict: 'other',
    rule: 'unread',
    reason: 'nothing of it could be read',
    decidedBy: null,
    variant: null,
    variantName: null,
    variantOrigin: null,
    title: null,
    version: null,
    platform: null,
    platformName: null,
    integrity: null,
    signer: null,
    authenticity: null,
    knownBuild: null,
    closest: null,
    complete: false,
    incompleteReasons: toIncompleteReasons(problems),
    problems,
    telltales: [],
    notes: [],
    readBeside: [],
    rules: [],
    tree: null,
  };
}
