import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Log, Result, Run } from 'sarif';
import { describe, expect, it } from 'vitest';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { toSarif } from '../../src/report/sarif.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';
import { scanSamples, toReport } from './sample-report.ts';

const samples = await scanSamples();
const text = toSarif(toReport(samples));
const log: Log = JSON.parse(text);
const run: Run | undefined = log.runs[0];
const results: readonly Result[] = run?.results ?? [];

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('when a scan is reported as SARIF', () => {
  it('has the shape that the types made from the schema of SARIF 2.1.0 describe, and no other fields', () => {
    // Inside of the project, so that the types are found.
    mkdirSync(join(root, 'build'), { recursive: true });
    const folder = mkdtempSync(join(root, 'build', 'sarif-'));
    const check = (content: string): string => {
      const path = join(folder, 'log.ts');
      writeFileSync(path, `import type { Log } from 'sarif';\nexport const log: Log = ${content.trim()};\n`);
      const tsc = join(root, 'node_modules', '.bin', 'tsc');
      const { status, stdout } = spawnSync(
        tsc,
        ['--noEmit', '--strict', '--skipLibCheck', '--types', 'sarif', '--ignoreConfig', path],
        { encoding: 'utf8', cwd: root },
      );
      return status === 0 ? '' : stdout;
    };
    expect(check(text)).toBe('');
    expect(check(text.replace('"ruleIndex"', '"ruleNumber"'))).toContain('ruleNumber');
    expect(check(text.replace('"level": "error"', '"level": "fatal"'))).toContain('fatal');
    rmSync(folder, { recursive: true });
  });

  it('names a rule for each result, with help and sources', () => {
    const rules = run?.tool.driver.rules ?? [];
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    for (const result of results) expect(rules[result.ruleIndex ?? -1]?.id).toBe(result.ruleId);
    const telltale = rules.find(({ id }) => id === 'telltale/tom-host-skypetools');
    expect(telltale?.help?.markdown).toMatch(/\]\(https:\/\/nartv\.org/);
    expect(telltale?.help?.text).toMatch(/Sources: /);
    expect(rules.map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        'verdict/variant',
        'verdict/unverified',
        'incomplete',
        'policy/fail-on-variant',
      ]),
    );
  });

  it('says in which member a telltale lies, and at which byte', () => {
    const host = results.find(({ ruleId }) => ruleId === 'telltale/tom-host-skypetools');
    expect(host?.locations?.[0]?.physicalLocation?.artifactLocation?.uri).toBe('downloads/skype_cn.zip');
    expect(host?.locations?.[0]?.logicalLocations?.[0]?.fullyQualifiedName).toMatch(
      /^downloads\/skype_cn\.zip » 软件\/Tom-SkypeSetup\.exe » \.data/,
    );
    const related = host?.relatedLocations?.[0]?.physicalLocation;
    const member = run?.artifacts?.[related?.artifactLocation?.index ?? -1];
    expect(member?.location?.uri).toBe(`/${encodeURIComponent('软件')}/Tom-SkypeSetup.exe`);
    expect(run?.artifacts?.[member?.parentIndex ?? -1]?.location?.uri).toBe('downloads/skype_cn.zip');
    const offset = related?.region?.byteOffset ?? -1;
    expect(
      Buffer.from(buildTomSkype())
        .subarray(offset, offset + 18)
        .toString('latin1'),
    ).toBe('skypetools.tom.com');
  });

  it('gives a region in the file itself where the telltale lies there', async () => {
    const loose: Log = JSON.parse(toSarif(toReport([await scanBytes('a.exe', buildTomSkype())])));
    const host = loose.runs[0]?.results?.find(({ ruleId }) => ruleId === 'telltale/tom-host-skypetools');
    expect(host?.locations?.[0]?.physicalLocation?.region?.byteOffset).toBeGreaterThan(0);
  });

  it('keeps fingerprints while other things change', () => {
    const toPrints = (one: Log): readonly (string | undefined)[] =>
      (one.runs[0]?.results ?? []).map((result) => result.partialFingerprints?.['telltale/v1']);
    const alone: Log = JSON.parse(toSarif(toReport(samples.slice(0, 1))));
    const prints = toPrints(log);
    expect(new Set(prints).size).toBe(prints.length);
    for (const print of toPrints(alone)) expect(prints).toContain(print);
  });

  it('reports what was not read as a result and as a notification', () => {
    const unread = results.find(({ ruleId }) => ruleId === 'incomplete');
    expect(unread?.message.text).toMatch(/encrypted/);
    expect(run?.invocations?.[0]?.toolExecutionNotifications?.[0]?.descriptor?.id).toMatch(/^encrypted\//);
  });

  it('makes no link out of a name', async () => {
    const file = await scanBytes('[click](https://evil.example).exe', buildTomSkype());
    const hostile: Log = JSON.parse(toSarif(toReport([file])));
    for (const { message } of hostile.runs[0]?.results ?? []) {
      expect(message.text).not.toMatch(/(?<!\\)\[/);
    }
  });

  it('does not call an interrupted run a success', () => {
    const cut: Log = JSON.parse(toSarif(toReport(samples, { isInterrupted: true })));
    expect(cut.runs[0]?.invocations?.[0]?.executionSuccessful).toBe(false);
    expect(run?.invocations?.[0]?.executionSuccessful).toBe(true);
  });
});
