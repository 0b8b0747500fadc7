import type { Finding } from './model.ts';

/**
 * A hostile file could fill the report with faults: after `limit` of them one line says that there are more.
 *
 * @param limit - findings that are passed on
 */
export function toBoundedReport(
  report: (finding: Finding) => void,
  limit: number,
): (finding: Finding) => void {
  let count = 0;
  let isIncompleteSaid = false;
  return (finding) => {
    count += 1;
    if (count <= limit) {
      report(finding);
      return;
    }
    // Said once, and once more when it is the first of those left out that keeps something unseen.
    const isFirst = count === limit + 1;
    if (!isFirst && (isIncompleteSaid || !finding.incomplete)) return;
    isIncompleteSaid ||= finding.incomplete;
    report({
      code: 'limit/count',
      message: `has more than ${limit} faults`,
      consequence: finding.incomplete
        ? 'the other faults are not listed, and what they hide was not looked at'
        : 'the other faults are not listed',
      incomplete: finding.incomplete,
    });
  };
}
