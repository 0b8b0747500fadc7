import { describe, expect, it } from 'vitest';
import { shippedDatabase } from '../../../src/platform/shipped.ts';
import { csvColumns, exportCsv } from '../../../src/signatures/export/csv.ts';
import { exportStix } from '../../../src/signatures/export/stix.ts';
import { type Database, loadDatabase } from '../../../src/signatures/load.ts';
import type { Condition } from '../../../src/signatures/schema.ts';
import { loadIndicators, toIndicator } from '../database-fixture.ts';

const shipped = loadDatabase([shippedDatabase]);

/** Reads RFC 4180, strictly: every record ends with CR LF, and a quote stands only where it may. */
function parseCsv(text: string): readonly (readonly string[])[] {
  const records: string[][] = [];
  let record: string[] = [];
  let at = 0;
  while (at < text.length) {
    const cell = /"((?:[^"]|"")*)"|([^",\r\n]*)/y;
    cell.lastIndex = at;
    const match = cell.exec(text);
    if (match === null) throw new Error(`no cell at ${at}`);
    record.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    at = cell.lastIndex;
    if (text.startsWith('\r\n', at)) {
      records.push(record);
      record = [];
      at += 2;
    } else if (text[at] === ',') at += 1;
    else throw new Error(`a cell does not end at ${at}`);
  }
  expect(record).toEqual([]);
  return records;
}

function readRows(database: Database): readonly Readonly<Record<string, string>>[] {
  const text = exportCsv({ database, version: '1.2.3' }).files[0]?.text ?? '';
  const [header = [], ...rows] = parseCsv(text);
  expect(header).toEqual([...csvColumns]);
  return rows.map((row) => {
    expect(row).toHaveLength(header.length);
    return Object.fromEntries(row.map((cell, index) => [header[index] ?? '', cell.replace(/^'/, '')]));
  });
}

describe('when a database is exported as a table', () => {
  it('has a line for every condition of every indicator', () => {
    const rows = readRows(shipped);
    const count = (condition: Condition): number =>
      [
        ...('all' in condition ? condition.all : []),
        ...('any' in condition ? condition.any : []),
        ...('none' in condition ? condition.none : []),
        ...('of' in condition ? condition.of : []),
      ].reduce((sum, one) => sum + count(one), 0) || 1;
    const indicators = shipped.products.flatMap(({ variants }) =>
      variants.flatMap((variant) => variant.indicators),
    );
    expect(rows).toHaveLength(indicators.reduce((sum, { when }) => sum + count(when), 0));
    expect(new Set(rows.map(({ indicator }) => indicator)).size).toBe(indicators.length);
    expect(rows).toContainEqual(
      expect.objectContaining({
        variant: 'tom',
        indicator: 'tom-host-skypetools',
        kind: 'host',
        value: 'skypetools.tom.com',
        encodings: 'ascii utf-16le',
        in: 'pe',
        tested_on_real_file: 'false',
        revision: `skype ${shipped.products.find(({ product }) => product.id === 'skype')?.product.revision}`,
        database_sha256: shipped.digest,
        tool: 'telltale 1.2.3',
      }),
    );
  });

  it('gives every value back, also those that a spreadsheet would calculate', () => {
    const texts = [
      '=HYPERLINK("https://example.org")',
      '+1',
      '-1',
      '@sum',
      "'quoted",
      'a,b',
      'two\r\nlines',
      '\tx',
      '软件',
    ];
    const database = loadIndicators(
      texts.map((text, index) => toIndicator({ text }, { id: `i${index}`, title: text })),
    );
    const raw = exportCsv({ database, version: '1' }).files[0]?.text ?? '';
    for (const cells of parseCsv(raw)) {
      for (const cell of cells) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
    }
    expect(readRows(database).map(({ value }) => value)).toEqual(texts);
    expect(readRows(database).map(({ title }) => title)).toEqual(texts);
  });
});

interface AnyObject {
  readonly type: string;
  readonly id: string;
  readonly [name: string]: unknown;
}

const isObject = (value: unknown): value is AnyObject =>
  typeof value === 'object' && value !== null && 'type' in value && 'id' in value;

function readBundle(database: Database, knownBuilds = true): readonly AnyObject[] {
  const text =
    exportStix({ database, version: '1.2.3' }, { anyFormat: false, knownBuilds }).files[0]?.text ?? '';
  const bundle: unknown = JSON.parse(text);
  if (!isObject(bundle) || !Array.isArray(bundle.objects)) throw new Error('no bundle');
  expect(Object.keys(bundle).sort()).toEqual(['id', 'objects', 'type']);
  expect(bundle.id).toMatch(/^bundle--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  return bundle.objects.filter(isObject);
}

/** Properties that STIX 2.1 demands of each kind beyond those of all (sections 4.5, 4.7, 4.8 and 4.12). */
const demanded: Readonly<Record<string, readonly string[]>> = {
  identity: ['name'],
  indicator: ['pattern', 'pattern_type', 'valid_from'],
  grouping: ['context', 'object_refs'],
  note: ['content', 'object_refs'],
};
const allowed: Readonly<Record<string, readonly string[]>> = {
  identity: ['description', 'roles', 'identity_class', 'sectors', 'contact_information'],
  indicator: [
    'name',
    'description',
    'indicator_types',
    'pattern_version',
    'valid_until',
    'kill_chain_phases',
  ],
  grouping: ['name', 'description'],
  note: ['abstract', 'authors'],
};
const common = ['type', 'spec_version', 'id', 'created', 'modified'];
const commonAllowed = ['created_by_ref', 'labels', 'confidence', 'lang', 'external_references'];

/** What is wrong with an object by the rules of STIX 2.1. */
function complain(object: AnyObject, ids: ReadonlySet<string>): readonly string[] {
  const faults: string[] = [];
  const check = (isRight: boolean, fault: string): void => {
    if (!isRight) faults.push(`${object.id}: ${fault}`);
  };
  const needed = [...common, ...(demanded[object.type] ?? ['?'])];
  for (const name of needed) check(name in object, `no ${name}`);
  for (const [name, value] of Object.entries(object)) {
    check([...needed, ...commonAllowed, ...(allowed[object.type] ?? [])].includes(name), `unknown ${name}`);
    check(value !== '' && value !== null && !(Array.isArray(value) && value.length === 0), `empty ${name}`);
  }
  check(object.spec_version === '2.1', 'version');
  check(
    new RegExp(`^${object.type}--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).test(
      object.id,
    ),
    'id',
  );
  for (const name of ['created', 'modified', 'valid_from']) {
    if (!(name in object)) continue;
    const time = String(object[name]);
    check(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time) && !Number.isNaN(Date.parse(time)), name);
  }
  check(String(object.modified) >= String(object.created), 'modified before it was created');
  for (const reference of [
    object.created_by_ref,
    ...(Array.isArray(object.object_refs) ? object.object_refs : []),
  ]) {
    check(reference === undefined || ids.has(String(reference)), `reference to ${String(reference)}`);
  }
  for (const reference of Array.isArray(object.external_references) ? object.external_references : []) {
    const { source_name: name, description, url, external_id: id } = reference;
    check(typeof name === 'string' && name !== '', 'reference without a name');
    check(
      [description, url, id].some((one) => one !== undefined),
      'reference to nothing',
    );
    check(url === undefined || URL.canParse(url), `address ${url}`);
  }
  if (object.type === 'indicator') {
    const pattern = String(object.pattern);
    const comparison = String.raw`(?:file:hashes\.'(?:MD5|SHA-1|SHA-256|SHA-384|SHA-512)' = '[0-9a-f]+'|domain-name:value = '[a-z0-9.-]+')`;
    if (object.pattern_type === 'stix')
      check(new RegExp(`^\\[${comparison}(?: OR ${comparison})*\\]$`).test(pattern), 'pattern');
    else
      check(
        object.pattern_type === 'yara' && /^(?:import "\w+"\n+)*rule telltale_\w+ : /.test(pattern),
        'rule',
      );
    const types = new Set<unknown>([
      'anomalous-activity',
      'anonymization',
      'benign',
      'compromised',
      'malicious-activity',
      'attribution',
      'unknown',
    ]);
    for (const type of Array.isArray(object.indicator_types) ? object.indicator_types : ['?'])
      check(types.has(type), `type ${type}`);
  }
  return faults;
}

describe('when a database is exported as a STIX bundle', () => {
  const objects = readBundle(shipped);

  it('keeps the rules of STIX 2.1', () => {
    const ids = new Set(objects.map(({ id }) => id));
    expect(ids.size).toBe(objects.length);
    expect(objects.flatMap((object) => complain(object, ids))).toEqual([]);
  });

  it('calls official downloads benign, documented fakes malicious, and other editions neither', () => {
    const typesOf = (variant: string): unknown =>
      [
        ...new Set(
          objects
            .filter(
              ({ type, labels }) =>
                type === 'indicator' && Array.isArray(labels) && labels.includes(`variant:${variant}`),
            )
            .map(({ indicator_types: types }) => JSON.stringify(types)),
        ),
      ].join();
    expect(typesOf('official')).toBe('["benign"]');
    expect(typesOf('tom')).toBe('["unknown"]');
    expect(typesOf('gmf')).toBe('["unknown"]');
    expect(typesOf('fake-lookalike-domains')).toBe('["malicious-activity"]');
    expect(objects.filter(({ type }) => type === 'malware' || type === 'tool')).toEqual([]);
  });

  it('holds every known build, unless the ledger is left out', () => {
    const builds = (list: readonly AnyObject[]): number =>
      list.filter(({ labels }) => Array.isArray(labels) && labels.includes('known-build')).length;
    expect(builds(objects)).toBe(
      shipped.products.reduce((sum, { knownBuilds }) => sum + knownBuilds.rows.length, 0),
    );
    expect(builds(readBundle(shipped, false))).toBe(0);
  });

  it('watches for hosts of other editions and fakes, not for those of the publisher', () => {
    const hosts = objects.filter(({ pattern }) => String(pattern).startsWith('[domain-name:value'));
    expect(hosts.map(({ pattern }) => pattern)).toContain("[domain-name:value = 'skypetools.tom.com']");
    expect(hosts.filter(({ labels }) => JSON.stringify(labels).includes('role:official'))).toEqual([]);
  });

  it('gives the same object the same id when the database changes, and a later time', () => {
    const one = loadIndicators([toIndicator({ text: 'known text' })]);
    const [product] = one.products;
    if (product === undefined) throw new Error('no product');
    const later: Database = {
      ...one,
      products: [{ ...product, product: { ...product.product, revision: '2027.01.2' } }],
    };
    const [before, after] = [one, later].map((database) =>
      readBundle(database).find(({ type }) => type === 'indicator'),
    );
    expect(after?.id).toBe(before?.id);
    expect(before?.modified).toBe('2026-11-01T00:00:00.000Z');
    expect(after?.modified).toBe('2027-01-01T00:00:02.000Z');
    expect(after?.created).toBe(before?.created);
  });
});
