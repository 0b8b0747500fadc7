import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/bytes/cursor.ts';
import { toDigest } from '../../../src/platform/digests.ts';
import { shippedDatabase } from '../../../src/platform/shipped.ts';
import { exportClamav } from '../../../src/signatures/export/clamav.ts';
import type { Exported } from '../../../src/signatures/export/statement.ts';
import { exportYara } from '../../../src/signatures/export/yara.ts';
import { type Database, loadDatabase } from '../../../src/signatures/load.ts';
import type { Condition } from '../../../src/signatures/schema.ts';
import { loadIndicators, toIndicator } from '../database-fixture.ts';
import { hasClamscan, hasYara, makeFolder, runClamscan, runYara, writeFiles } from './peers.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const load = (conditions: readonly Condition[], change: Readonly<Record<string, unknown>> = {}): Database =>
  loadIndicators(conditions.map((when, index) => toIndicator(when, { id: `i${index}`, ...change })));
const yara = (database: Database): Exported =>
  exportYara({ database, version: '1.2.3' }, { anyFormat: false });
const clamav = (database: Database): Exported =>
  exportClamav({ database, version: '1.2.3' }, { anyFormat: false });

const shipped = loadDatabase([shippedDatabase]);

describe('when the shipped database is exported', () => {
  it.each([
    ['yara', yara],
    ['clamav', clamav],
  ] as const)('to %s, accounts for every indicator', (_, run) => {
    const exported = run(shipped);
    const all = shipped.products.flatMap(({ variants }) => variants.flatMap(({ indicators }) => indicators));
    const leftOut = exported.omissions.filter(({ kind }) => kind === 'left-out');
    expect(exported.count + leftOut.length).toBe(all.length);
    const text = exported.files.map((file) => file.text).join('');
    for (const { id } of all) expect(text).toContain(id);
    for (const { indicator, reason } of leftOut) expect(text).toContain(`${indicator}: ${reason}`);
    expect(text).toContain(shipped.digest);
    expect(run(loadDatabase([shippedDatabase]))).toEqual(exported);
  });

  it('names a rule after its product and indicator, and says where it comes from', () => {
    const text = yara(shipped).files[0]?.text ?? '';
    const rule = /rule telltale_skype_tom_host_skypetools : ([^\n]*)\n(?:.*\n)*?\}/.exec(text);
    expect(rule?.[1]).toBe('product_skype variant_tom decisive');
    expect(rule?.[0]).toMatch(/reference = "https:\/\//);
    expect(rule?.[0]).toMatch(/tested_on_real_file = false/);
    const skype = shipped.products.find(({ product }) => product.id === 'skype');
    expect(rule?.[0]).toContain(`database = "skype ${skype?.product.revision}"`);
  });
});

describe('when a condition cannot be said', () => {
  const conditions: readonly Condition[] = [
    { fileName: 'a.exe' },
    { all: [{ text: 'known text' }, { fileName: 'a.exe' }] },
    { any: [{ text: 'known text' }, { all: [{ text: 'other text' }, { fileName: 'a.exe' }] }] },
    { all: [{ text: 'known text' }, { none: [{ fileName: 'a.exe' }] }] },
    { all: [{ text: 'known text' }, { none: [{ any: [{ text: 'other text' }, { fileName: 'a.exe' }] }] }] },
    { atLeast: 2, of: [{ text: 'known text' }, { text: 'other text' }, { fileName: 'a.exe' }] },
    { signer: { status: 'pinned' } },
    { all: [{ text: 'known text' }, { digest: ['ab'.repeat(32)] }] },
  ];
  const database = load(conditions);

  it('leaves out what would find more, says in part what finds less, and gives the reason', () => {
    const told = (exported: Exported): readonly string[] =>
      exported.omissions.map(({ indicator, kind }) => `${indicator} ${kind}`);
    const common = [
      'i0 left-out',
      'i1 left-out',
      'i2 in-part',
      'i3 left-out',
      'i4 left-out',
      'i5 in-part',
      'i6 left-out',
    ];
    expect(told(yara(database))).toEqual(common);
    expect(told(clamav(database))).toEqual([...common, 'i7 left-out']);
  });

  it.skipIf(!hasYara)('gives YARA what is left', () => {
    const folder = writeFiles(
      new Map([
        ['known', bytes('some known text')],
        ['both', bytes('known text, other text')],
      ]),
    );
    const { found, stderr } = runYara(database, folder);
    expect({ found, stderr }).toEqual({ found: { known: ['i2'], both: ['i2', 'i5'] }, stderr: '' });
  });

  it.skipIf(!hasClamscan)('gives ClamAV what is left', () => {
    const folder = writeFiles(
      new Map([
        ['known', bytes('some known text')],
        ['both', bytes('known text, other text')],
      ]),
    );
    const { found, stderr } = runClamscan(database, folder);
    expect({ found, stderr }).toEqual({ found: { known: ['i2'], both: ['i2', 'i5'] }, stderr: '' });
  });
});

describe('when an indicator counts in some formats', () => {
  it('says which formats it cannot tell', () => {
    const remarks = (formats: readonly string[]): readonly string[] =>
      yara(load([{ text: 'known text' }], { in: formats })).omissions.map(({ reason }) => reason);
    expect(remarks(['pe', 'elf', 'dex', 'macho'])).toEqual([]);
    expect(remarks(['apk', 'pe'])).toEqual(['other files count that begin as apk does']);
    expect(remarks(['program'])).toEqual([
      'files of every format count, because program cannot be told by the first bytes',
    ]);
  });
});

describe('when a database holds odd texts', () => {
  const odd = 'quote " backslash \\ star */ newline \n tab \t bidi \u202e 软件 ; : / # \u0000';
  const database = load([{ text: 'known text' }, { fileName: 'x' }], { title: odd });

  it('writes them so that no line is broken and nothing is hidden', () => {
    for (const { text } of [...yara(database).files, ...clamav(database).files]) {
      expect(text).not.toMatch(/[\u202e\u0000\t]/);
    }
    expect(yara(database).files[0]?.text).toContain('软件');
  });

  it.skipIf(!hasYara)('loads', () => {
    const folder = writeFiles(new Map([['a', bytes('known text')]]));
    expect(runYara(database, folder)).toMatchObject({ status: 0, stderr: '' });
  });

  it('gives every rule a name of its own', () => {
    const long = 'x'.repeat(150);
    const exported = yara(
      loadIndicators([
        toIndicator({ text: 'known text' }, { id: 'a-b' }),
        toIndicator({ text: 'known text' }, { id: 'a.b' }),
        toIndicator({ text: 'known text' }, { id: `${long}-1` }),
        toIndicator({ text: 'known text' }, { id: `${long}-2` }),
      ]),
    );
    const names = [...(exported.files[0]?.text ?? '').matchAll(/^rule (\w+)/gm)].map(([, name = '']) => name);
    expect(new Set(names).size).toBe(4);
    expect(names.slice(0, 2)).toEqual(['telltale_demo_a_b', 'telltale_demo_a_b_2']);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(128);
  });
});

describe('when an indicator is a regular expression', () => {
  const cases: readonly (readonly [regex: string, text: string, isFound: boolean])[] = [
    ['agent/key[a-z]+_[0-9]{2,4}', 'x/agent/keyfile_123;', true],
    ['agent/key[a-z]+_[0-9]{2,4}', 'x/agent/keyfile_1;', false],
    ['(?:http|ftp)s?:\\/\\/agent/key', 'ftps://agent/key', true],
    ['agent/key.*?end', 'agent/key and the end', true],
    ['\\bagent/key\\b', 'xagent/key', false],
    ['agent/key[^/;"]\\x41', 'agent/key-A', true],
    ['agent/key|agent/key2', 'agent/key', true],
  ];
  const database = load(cases.map(([regex]) => ({ regex, anchor: 'agent/key' })));
  const folder = writeFiles(new Map(cases.map(([, text], index) => [`i${index}`, bytes(text)])));
  const expected = cases.flatMap(([, , isFound], index) => (isFound ? [`i${index}`] : []));

  it.skipIf(!hasYara)('is found by YARA where it matches', () => {
    const { found, stderr } = runYara(database, folder);
    expect(stderr).toBe('');
    expect(Object.keys(found).filter((name) => found[name]?.includes(name))).toEqual(expected);
  });

  it.skipIf(!hasClamscan)('is found by ClamAV where it matches', () => {
    const { found, stderr } = runClamscan(database, folder);
    expect(stderr).toBe('');
    expect(Object.keys(found).filter((name) => found[name]?.includes(name))).toEqual(expected);
  });

  it.each([
    '^agent/key',
    '(?i)agent/key',
    'agent/key\\pL',
    'agent/key[[:alpha:]]',
    'agent/key件',
    'agent/key\\Qx\\E',
    'agent/key\\x{4e00}',
    'agent/key\\xff',
  ])('is left out when it is %s', (regex) => {
    const { omissions } = yara(load([{ regex, anchor: 'agent/key' }]));
    expect(omissions.map(({ kind }) => kind)).toEqual(['left-out']);
  });
});

describe.skipIf(!hasClamscan)('when ClamAV looks for digests', () => {
  it('finds the file whatever its size', () => {
    const [hello, known] = [bytes('hello, hello'), bytes('known text')];
    const digest = [toHex(toDigest('sha256', hello))];
    const database = load([{ digest }, { any: [{ digest: ['ab'.repeat(32)] }, { text: 'known text' }] }]);
    const folder = writeFiles(
      new Map([
        ['hello', hello],
        ['known', known],
      ]),
    );
    const { found, stderr } = runClamscan(database, folder);
    expect(stderr).toBe('');
    expect(found).toEqual({ hello: ['i0'], known: ['i1'] });
  });
});

describe.skipIf(!hasYara)('when YARA is told to fail on warnings', () => {
  it('does not', () => {
    const path = join(makeFolder(), 'telltale.yar');
    writeFileSync(path, yara(shipped).files[0]?.text ?? '');
    const { status, stdout, stderr } = spawnSync('yara', ['--fail-on-warnings', path, path], {
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});
