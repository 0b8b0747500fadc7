import { describe, expect, it } from 'vitest';
import { Budget } from '../../src/bytes/budget.ts';
import { parseXml, type XmlElement } from '../../src/formats/xml.ts';
import { toJunit } from '../../src/report/junit.ts';
import type { ScanReport } from '../../src/report/model.ts';
import { scanSamples, toReport } from './sample-report.ts';

const samples = await scanSamples();

/** The suite, read back by a strict parser. */
function readSuite(report: ScanReport): XmlElement {
  const bytes = new TextEncoder().encode(toJunit(report));
  const { root, fault } = parseXml(bytes, new Budget(bytes.length));
  expect(fault).toBeUndefined();
  const suite = root?.children[0];
  if (suite === undefined) throw new Error('no suite');
  return suite;
}

const listCases = (suite: XmlElement): readonly string[] =>
  suite.children
    .filter(({ name }) => name === 'testcase')
    .map(({ attributes, children }) => {
      const complaint = children.find(({ name }) => name !== 'system-out');
      return `${attributes.get('name')}: ${complaint?.name ?? 'passed'} ${complaint?.attributes.get('type') ?? ''}`.trim();
    });

describe('when a scan is reported as JUnit', () => {
  it('has a case for each file', () => {
    const suite = readSuite(toReport(samples));
    expect(listCases(suite)).toEqual([
      'downloads/skype_cn.zip: failure fail on variant',
      'downloads/Skype.exe: passed',
      'downloads/secret.zip: error encrypted',
      'downloads/notes.txt: passed',
    ]);
    expect(['tests', 'failures', 'errors', 'skipped'].map((name) => suite.attributes.get(name))).toEqual([
      '4',
      '1',
      '1',
      '0',
    ]);
  });

  it('is green exactly when the outcome is ok', () => {
    for (const files of [samples, samples.slice(1), samples.slice(2), samples.slice(3)]) {
      const report = toReport(files);
      const suite = readSuite(report);
      const isGreen = suite.attributes.get('failures') === '0' && suite.attributes.get('errors') === '0';
      expect(isGreen).toBe(report.outcome === 'ok');
    }
    expect(readSuite(toReport(samples.slice(3), { isInterrupted: true })).attributes.get('errors')).toBe('1');
  });

  it('has a case for a file that a lock misses', () => {
    const report = toReport(samples.slice(3));
    const violations = [{ path: 'gone.exe', rule: 'lock: missing file', detail: 'it is not there' }];
    const suite = readSuite({ ...report, policy: { ...report.policy, violations } });
    expect(listCases(suite)).toContain('gone.exe: failure lock: missing file');
  });
});
