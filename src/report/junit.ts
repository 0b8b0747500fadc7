import type { FileResult } from '../verdict/model.ts';
import { toHeadline } from '../verdict/headline.ts';
import { toXmlText } from './escape.ts';
import type { Violation } from '../verdict/policy.ts';
import { type ScanReport, toViolationsByPath } from './model.ts';

/*
 * JUnit XML, as CI systems read it: a test case a file. There is no specification; this keeps to what Jenkins, GitLab
 * and the readers that follow them have in common: https://github.com/testmoapp/junitxml
 *
 * The suite is green exactly when the exit code is 0: a violation is a failure, and what was not read, or a fault of
 * ours, is an error.
 */

/** What a case says of itself, other than that it passed. */
interface Complaint {
  readonly element: 'failure' | 'error';
  readonly type: string;
  readonly lines: readonly string[];
}

/** The whole scan as one test suite. */
export function toJunit(report: ScanReport): string {
  const violations = toViolationsByPath(report.policy.violations);
  const rows = [
    ...report.files.map((file) => ({
      name: file.path,
      complaint: toComplaint(file, violations.get(file.path) ?? []),
      file,
    })),
    ...listMissing(report),
  ];
  const count = (element: Complaint['element']): number =>
    rows.filter(({ complaint }) => complaint?.element === element).length;
  const sums = `tests="${rows.length}" failures="${count('failure')}" errors="${count('error')}" skipped="0"`;
  const databases = report.database.products.map(({ id, revision }) => `${id} ${revision}`).join(', ');
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="telltale" ${sums}>`,
    `  <testsuite name="telltale scan" ${sums}>`,
    '    <properties>',
    `      <property name="telltale" value="${toXmlText(report.tool.version)}"/>`,
    `      <property name="database" value="${toXmlText(databases)}"/>`,
    `      <property name="outcome" value="${report.outcome}"/>`,
    '    </properties>',
    ...rows.flatMap(({ name, complaint, file }) => toCase(name, complaint, file)),
    '  </testsuite>',
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

interface Row {
  readonly name: string;
  readonly complaint: Complaint | undefined;
  readonly file: FileResult | undefined;
}

/** Files of which only the policy speaks: a lock has them and they are gone; and those that an interrupt left out. */
function listMissing({ files, policy, summary }: ScanReport): readonly Row[] {
  const seen = new Set(files.map(({ path }) => path));
  const rows = policy.violations
    .filter(({ path }) => !seen.has(path))
    .map(({ path, rule, detail }): Row => {
      return { name: path, complaint: { element: 'failure', type: rule, lines: [detail] }, file: undefined };
    });
  if (summary.notScanned > 0) {
    const lines = [`${summary.notScanned} files were not scanned`];
    rows.push({
      name: '(interrupted)',
      complaint: { element: 'error', type: 'interrupted', lines },
      file: undefined,
    });
  }
  return rows;
}

function toComplaint(file: FileResult, violated: readonly Violation[]): Complaint | undefined {
  if (violated.length > 0) {
    return {
      element: 'failure',
      type: violated.map(({ rule }) => rule).join(', '),
      lines: [
        ...violated.map(({ rule, detail }) => `${rule}: ${detail}`),
        `because ${file.reason}`,
        ...file.telltales.map(({ strength, title, evidence }) => {
          return `${strength}: ${title} (${evidence[0]?.path ?? file.path})`;
        }),
      ],
    };
  }
  if (file.complete) return undefined;
  return {
    element: 'error',
    type: file.incompleteReasons.join(', '),
    lines: file.problems
      .filter(({ incomplete }) => incomplete)
      .map(({ code, path, message, consequence }) => `${code}: ${path}: ${message}; ${consequence}`),
  };
}

function toCase(name: string, complaint: Complaint | undefined, file: FileResult | undefined): string[] {
  const verdict = file === undefined ? 'missing' : file.verdict;
  const open = `    <testcase classname="${toXmlText(`telltale.${verdict}`)}" name="${toXmlText(name)}"`;
  const headline = file === undefined ? '' : toHeadline(file);
  if (complaint === undefined) {
    return [
      `${open}>`,
      `      <system-out>${toXmlText(`${verdict}: ${headline}`)}</system-out>`,
      '    </testcase>',
    ];
  }
  const { element, type, lines } = complaint;
  const message = file === undefined ? (lines[0] ?? '') : `${verdict}: ${headline}`;
  return [
    `${open}>`,
    `      <${element} type="${toXmlText(type)}" message="${toXmlText(message)}">${lines.map(toXmlText).join('\n')}</${element}>`,
    '    </testcase>',
  ];
}
