import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compareNames, comparePairs } from '../../bench/agreement/agreement.ts';
import {
  readClamscanFinds,
  readDigests,
  readVerifiedFiles,
  readYaraFinds,
} from '../../bench/agreement/peer-finds.ts';
import { readOwnReport, toPeerPairs } from '../../bench/agreement/telltale-finds.ts';
import { compareSignatures } from '../../bench/parts/authenticode.ts';
import { parseCsv, readLiteralIndicators } from '../../bench/parts/exports.ts';
import { findLimits } from '../../bench/parts/growth.ts';

const a = { digest: 'aa', indicator: 'one' };
const b = { digest: 'bb', indicator: 'two' };

describe('when pairs of file and literal are compared', () => {
  it('agrees on the same ones, in any order and any number', () => {
    expect(comparePairs([a, b, a], [b, a], ['deeper'], 'pairs')).toEqual({
      kind: 'agreed',
      common: 2,
      deeper: ['deeper'],
      basis: 'pairs',
    });
  });

  it('refuses a hit that only one of them has', () => {
    expect(comparePairs([a], [a, b], [], 'pairs')).toMatchObject({
      kind: 'differs',
      differences: ['only the peer found two in bb'],
    });
    expect(comparePairs([a, b], [a], [], 'pairs')).toMatchObject({
      kind: 'differs',
      differences: ['only telltale found two in bb'],
    });
  });

  it('refuses silence on both sides: nothing would have been compared', () => {
    expect(comparePairs([], [], [], 'pairs').kind).toBe('differs');
  });
});

describe('when only names are known', () => {
  it('refuses a name that telltale does not have', () => {
    expect(compareNames(['one'], ['one', 'two'], 'names')).toMatchObject({
      kind: 'differs',
      differences: ['only the peer found two'],
    });
    expect(compareNames(['one'], [], 'names')).toMatchObject({
      kind: 'differs',
      differences: ['only telltale found anything: one'],
    });
  });

  it('tells what telltale has beyond that', () => {
    expect(compareNames(['one', 'two'], ['one'], 'names')).toMatchObject({ kind: 'agreed', deeper: ['two'] });
  });
});

describe('when the finds of telltale are brought to the files of a peer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-bench-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const report = join(folder, 'report.json');
  const zip = 'a.zip » tool.exe';
  writeFileSync(
    report,
    JSON.stringify({
      files: [
        {
          path: 'a.zip',
          sha256: '00',
          problems: [
            { code: 'limit/count', path: 'a.zip', message: 'too many' },
            { code: 'malformed/truncated', path: 'a.zip', message: 'cut' },
          ],
          telltales: [
            {
              id: 'one',
              evidence: [
                { kind: 'text', path: zip },
                { kind: 'text', path: `${zip} » [part]` },
              ],
            },
            { id: 'two', evidence: [{ kind: 'text', path: `${zip} » [part]` }] },
          ],
          tree: {
            path: 'a.zip',
            sha256: '00',
            members: [{ path: zip, sha256: 'aa', members: [{ path: `${zip} » [part]`, sha256: 'cc' }] }],
          },
        },
      ],
    }),
  );
  const own = readOwnReport(report);

  it('takes the innermost file that the peer had', () => {
    const { pairs, deeper } = toPeerPairs(
      own.finds,
      (digest) => digest === 'aa',
      ({ indicator }) => indicator === 'one',
    );
    expect(new Set(pairs.map(({ digest, indicator }) => `${digest} ${indicator}`))).toEqual(
      new Set(['aa one']),
    );
    expect(deeper).toEqual([`two in ${zip} » [part]`]);
  });

  it('excuses nothing in the very bytes that the peer had', () => {
    const { pairs } = toPeerPairs(
      own.finds,
      (digest) => digest === 'aa',
      () => false,
    );
    expect(pairs).toEqual([{ digest: 'aa', indicator: 'one' }]);
  });

  it('names the limits that were hit', () => {
    expect(own.limits).toEqual(['limit/count: too many']);
  });
});

describe('when the output of a peer is read', () => {
  const digest = 'ab'.repeat(32);

  it('joins the lines of sha256sum and yara by path', () => {
    const text = `${digest}  out/dir/with space.exe\ntelltale_skype_tom_host out/dir/with space.exe\ntelltale_skype_other out/dir/with space.exe\n`;
    const digests = readDigests(text);
    expect(readYaraFinds(text, digests, new Map([['telltale_skype_tom_host', 'tom-host']]))).toEqual([
      { digest, indicator: 'tom-host' },
    ]);
    expect(() => readYaraFinds('telltale_x elsewhere', digests, new Map())).toThrow(/no digest/);
  });

  it('takes each name of clamscan once', () => {
    expect(
      readClamscanFinds(
        'a.zip: Telltale.skype.tom-host.UNOFFICIAL FOUND\na.zip: Telltale.skype.tom-host.UNOFFICIAL FOUND\na.zip: OK\n',
      ),
    ).toEqual(['tom-host']);
  });

  const verified = (calculated: string): string =>
    `telltale-bench-file: one.exe\nSignature Index: 0\nCurrent message digest    : ABCD \nCalculated message digest : ${calculated} \n`;

  it('compares the digests of osslsigncode, and refuses another one', () => {
    expect(readVerifiedFiles(verified('ABCD'))).toEqual([
      { path: 'one.exe', signed: 'abcd', actual: 'abcd' },
    ]);
    const report = JSON.stringify({
      files: [
        { path: 'one.exe', authenticity: { signatures: [{ signedDigest: 'abcd', actualDigest: 'abcd' }] } },
        { path: 'unsigned.exe', authenticity: null },
      ],
    });
    expect(compareSignatures(report, verified('ABCD')).kind).toBe('agreed');
    expect(compareSignatures(report, verified('EF01')).kind).toBe('differs');
  });
});

describe('when the exported indicators are read', () => {
  it('takes those that are literals only, and not only approximated', () => {
    const table =
      'product,indicator,kind,value\nskype,lit,text,"a ""b"", c"\nskype,mixed,text,x\nskype,mixed,version,1\nskype,rough,host,h\nskype,absent,text,y\n';
    const rules =
      'rule telltale_skype_lit : x\n{\n}\nrule telltale_skype_mixed : x\nrule telltale_skype_rough : x\n// approximate: rough: whatever\n';
    expect(parseCsv(table)[1]).toEqual(['skype', 'lit', 'text', 'a "b", c']);
    expect([...readLiteralIndicators(table, rules).values()]).toEqual(['lit']);
  });
});

describe('when a report as text tells of a limit', () => {
  it('names it once', () => {
    const line = '                limit        a.zip at 0x0: has more members than are read\n';
    expect(findLimits(` · other        a.zip\n${line}${line}`)).toEqual([
      'a.zip at 0x0: has more members than are read',
    ]);
    expect(findLimits(' · other        limit.zip\n                ZIP archive\n')).toEqual([]);
  });
});
