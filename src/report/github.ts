import { toHeadline } from '../verdict/headline.ts';
import type { FileResult } from '../verdict/model.ts';
import { toVisible } from './escape.ts';
import { type ScanReport, toFilesByPath } from './model.ts';

/*
 * Annotations for GitHub Actions: workflow commands on standard output.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
 *
 * A file name is data of a stranger: in a command it is escaped as the runner unescapes it, so that it can neither end
 * the command nor begin one of its own.
 */

/** Violations are errors, what was not read and what is not proved are warnings, the rest is silent. */
export function toAnnotations(report: ScanReport): string {
  const lines: string[] = [];
  const byPath = toFilesByPath(report.files);
  for (const { path, rule, detail } of report.policy.violations) {
    const file = byPath.get(path);
    const text = file === undefined ? detail : `${file.verdict}: ${toHeadline(file)}. ${toSentence(file)}`;
    lines.push(toCommand('error', path, rule, file === undefined ? text : `${text} (${detail})`));
  }
  const violated = new Set(report.policy.violations.map(({ path }) => path));
  for (const file of report.files) {
    if (violated.has(file.path)) continue;
    for (const { code, path, message, consequence, incomplete } of file.problems) {
      if (incomplete)
        lines.push(toCommand('warning', file.path, code, `${path}: ${message}; ${consequence}`));
    }
    if (file.verdict === 'unverified' || file.verdict === 'damaged') {
      lines.push(toCommand('warning', file.path, file.verdict, `${toHeadline(file)}. ${toSentence(file)}`));
    }
  }
  const { files, verdicts, incomplete } = report.summary;
  const counts = Object.entries(verdicts).flatMap(([verdict, count]) =>
    count > 0 ? [`${count} ${verdict}`] : [],
  );
  lines.push(
    toCommand(
      'notice',
      undefined,
      'telltale',
      `${report.outcome}: ${files} files: ${counts.join(', ')}; ${incomplete} not read fully`,
    ),
  );
  return `${lines.join('\n')}\n`;
}

function toSentence({ reason, telltales }: FileResult): string {
  const titles = telltales
    .filter(({ strength }) => strength !== 'suggestive')
    .slice(0, 3)
    .map(({ title }) => title);
  const sentence = `${reason.charAt(0).toUpperCase()}${reason.slice(1)}`;
  return titles.length === 0 ? sentence : `${sentence}: ${titles.join('; ')}`;
}

function toCommand(
  kind: 'error' | 'warning' | 'notice',
  path: string | undefined,
  title: string,
  message: string,
): string {
  const properties = [
    ...(path === undefined ? [] : [`file=${escapeProperty(path)}`]),
    `title=${escapeProperty(title)}`,
  ];
  return `::${kind} ${properties.join(',')}::${escapeMessage(message)}`;
}

/** As the runner's own toolkit escapes: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts */
function escapeMessage(text: string): string {
  return toVisible(text).replaceAll('%', '%25');
}

function escapeProperty(text: string): string {
  return escapeMessage(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
