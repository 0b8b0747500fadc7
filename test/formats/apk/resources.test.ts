import { describe, expect, it } from 'vitest';
import {
  buildBinaryXml,
  buildProtoXml,
  buildResourceTable,
  chunk,
  type TableLayout,
  type XmlElementRecipe,
} from '../../../fixtures/android-resources-builder.ts';
import { Budget } from '../../../src/bytes/budget.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import { readBinaryXml } from '../../../src/formats/apk/axml.ts';
import { readManifest } from '../../../src/formats/apk/manifest.ts';
import { readProtoXml } from '../../../src/formats/apk/proto-xml.ts';
import { readResourceTable, type ResourceTable } from '../../../src/formats/apk/resources-arsc.ts';
import type { XmlElement } from '../../../src/formats/apk/xml-elements.ts';
import type { Fact, Finding } from '../../../src/formats/model.ts';

function toContext(findings: Finding[] = []): {
  readonly budget: Budget;
  report(finding: Finding): void;
} {
  return { budget: new Budget(1), report: (finding) => findings.push(finding) };
}

function readXml(bytes: Uint8Array, findings: Finding[] = []): readonly XmlElement[] {
  return [...readBinaryXml(bytes, toContext(findings))];
}

function readTable(bytes: Uint8Array, findings: Finding[] = []): ResourceTable {
  return readResourceTable(toByteSource(bytes), toContext(findings));
}

function toFields(facts: readonly Fact[], name: string): readonly Fact['value'][] {
  return facts.filter((fact) => fact.name === name).map(({ value }) => value);
}

const tree: XmlElementRecipe = {
  name: 'manifest',
  attributes: { package: 'com.example.rover', 'android:versionName': '8.1', 'android:versionCode': -5 },
  children: [
    {
      name: 'application',
      attributes: { 'android:label': { reference: 0x7f010000 }, 'android:debuggable': true },
      children: [{ name: 'activity', attributes: { 'android:name': 'com.example.raider.Main' } }],
    },
  ],
};

describe('when binary XML is read', () => {
  it.each([
    ['UTF-16', false],
    ['UTF-8', true],
  ])('gives elements and typed attributes (%s)', (_name, utf8) => {
    const elements = readXml(buildBinaryXml(tree, { utf8 }));
    expect(elements.map(({ name, depth }) => `${depth} ${name}`)).toEqual([
      '0 manifest',
      '1 application',
      '2 activity',
    ]);
    expect(elements[0]?.attributes).toContainEqual({
      namespace: '',
      name: 'package',
      resourceId: 0,
      value: { kind: 'text', text: 'com.example.rover' },
    });
    expect(elements[0]?.attributes).toContainEqual({
      namespace: 'http://schemas.android.com/apk/res/android',
      name: 'versionCode',
      resourceId: 0x0101021b,
      value: { kind: 'number', number: -5 },
    });
    expect(elements[1]?.attributes.map(({ value }) => value)).toEqual([
      { kind: 'reference', id: 0x7f010000 },
      { kind: 'boolean', isTrue: true },
    ]);
  });

  it('reads long strings in both encodings', () => {
    const long = 'ż'.repeat(300);
    for (const utf8 of [true, false]) {
      const [element] = readXml(buildBinaryXml({ name: 'a', attributes: { b: long } }, { utf8 }));
      expect(element?.attributes[0]?.value).toEqual({ kind: 'text', text: long });
    }
  });

  it('reads a file whose type is forged, and says so', () => {
    const bytes = buildBinaryXml(tree);
    bytes.writeUInt16LE(0, 0);
    const findings: Finding[] = [];
    expect(readXml(bytes, findings)).toHaveLength(3);
    expect(findings.map(({ code }) => code)).toEqual(['malformed/header']);
  });

  it('reports a chunk that says it is larger than the file', () => {
    const bytes = buildBinaryXml(tree);
    const at = bytes.lastIndexOf(Buffer.of(0x02, 0x01, 0x10, 0x00));
    bytes.writeUInt32LE(0x7fffffff, at + 4);
    const findings: Finding[] = [];
    expect(readXml(bytes, findings).map(({ name }) => name)).toEqual(['manifest', 'application']);
    expect(findings).toMatchObject([{ code: 'malformed/structure', offset: at, incomplete: true }]);
  });

  it('reports a chunk of size 0 instead of reading it for ever', () => {
    const bytes = buildBinaryXml(tree);
    const at = bytes.lastIndexOf(Buffer.of(0x02, 0x01, 0x10, 0x00));
    bytes.writeUInt32LE(0, at + 4);
    const findings: Finding[] = [];
    expect(readXml(bytes, findings)).toHaveLength(2);
    expect(findings).toMatchObject([{ code: 'malformed/structure' }]);
  });

  it('reports strings that begin outside of their pool, once', () => {
    const bytes = buildBinaryXml(tree);
    for (let index = 0; index < 8; index += 1) bytes.writeUInt32LE(0x00ffffff, 8 + 28 + index * 4);
    const findings: Finding[] = [];
    expect(readXml(bytes, findings)).toHaveLength(3);
    expect(findings).toMatchObject([{ code: 'malformed/structure', incomplete: false }]);
    expect(findings[0]?.message).toContain('begins outside of its pool');
  });

  it('reports a number of strings for which there is no room', () => {
    const bytes = buildBinaryXml(tree);
    bytes.writeUInt32LE(0xffffffff, 8 + 8);
    const findings: Finding[] = [];
    expect(readXml(bytes, findings)).toHaveLength(3);
    expect(findings[0]?.message).toContain('4294967295 strings');
  });

  it('reports attributes that do not fit into their element, and goes on behind it', () => {
    const bytes = buildBinaryXml(tree);
    const at = bytes.indexOf(Buffer.of(0x02, 0x01, 0x10, 0x00));
    bytes.writeUInt16LE(0xffff, at + 28);
    const findings: Finding[] = [];
    expect(readXml(bytes, findings).map(({ name }) => name)).toEqual(['application', 'activity']);
    expect(findings[0]?.message).toContain('65535 attributes');
  });

  it('stops at a depth that no manifest has', () => {
    let deep: XmlElementRecipe = { name: 'leaf' };
    for (let depth = 0; depth < 300; depth += 1) deep = { name: 'a', children: [deep] };
    const findings: Finding[] = [];
    expect(readXml(buildBinaryXml(deep), findings)).toHaveLength(256);
    expect(findings).toMatchObject([{ code: 'limit/count', incomplete: true }]);
  });

  it('throws on what is no binary XML', () => {
    expect(() => readXml(Buffer.from('<?xml version="1.0"?><manifest/>'))).toThrow(TelltaleError);
    expect(() => readXml(new Uint8Array(4))).toThrow(TelltaleError);
  });
});

describe('when a table of resources is read', () => {
  const recipes = [
    {
      type: 'string',
      name: 'app_name',
      values: {
        '': 'Rover',
        de: 'Wanderer',
        'zh-TW': '漫遊者',
        fil: 'Gala',
        'zh-Hans-CN': '漫游者',
        'es-419': 'Andante',
      },
    },
    { type: 'string', name: 'other', values: { '': 'Other' } },
    {
      type: 'string',
      name: 'reference',
      values: { '': { reference: 0x7f010000 }, fr: { reference: 0x7f010000 } },
    },
    { type: 'drawable', name: 'icon', values: { '': 'res/icon.png' }, density: 320 },
    { type: 'drawable', name: 'loop', values: { '': { reference: 0x7f020001 } } },
  ];

  it.each<[TableLayout, boolean]>([
    ['full', true],
    ['full', false],
    ['sparse', true],
    ['short-offsets', true],
    ['compact', true],
  ])('resolves texts in every language (%s, UTF-8 %s)', (layout, utf8) => {
    const table = readTable(buildResourceTable('com.example', recipes, { layout, utf8 }));
    expect(table.packages).toEqual([{ id: 0x7f, name: 'com.example' }]);
    const labels = table
      .resolve(0x7f010000)
      .map(({ language, value }) => [language, value.kind === 'text' ? value.text : '']);
    expect(Object.fromEntries(labels)).toEqual(recipes[0]?.values);
    expect(table.resolve(0x7f010001)).toEqual([
      { language: '', density: 0, value: { kind: 'text', text: 'Other' } },
    ]);
    expect(table.resolve(0x7f020000)).toEqual([
      { language: '', density: 320, value: { kind: 'text', text: 'res/icon.png' } },
    ]);
    expect(table.resolve(0x7f010099)).toEqual([]);
    expect(table.resolve(0x01040000)).toEqual([]);
  });

  it('follows references in every language', () => {
    const labels = readTable(buildResourceTable('com.example', recipes)).resolve(0x7f010002);
    const found = Object.fromEntries(
      labels.map(({ language, value }) => [language, value.kind === 'text' ? value.text : '']),
    );
    expect(found).toEqual({ ...recipes[0]?.values, fr: 'Rover' });
  });

  it('reports references that lead to each other', () => {
    const findings: Finding[] = [];
    expect(readTable(buildResourceTable('com.example', recipes), findings).resolve(0x7f020001)).toEqual([]);
    expect(findings).toMatchObject([{ code: 'malformed/cycle', incomplete: true }]);
  });

  it('bounds references that fan out', () => {
    const values = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [
        String.fromCharCode(97 + (index % 26), 97 + Math.floor(index / 26)),
        { reference: 0x7f010000 },
      ]),
    );
    const findings: Finding[] = [];
    const table = readTable(
      buildResourceTable('com.example', [{ type: 'string', name: 'a', values }]),
      findings,
    );
    expect(table.resolve(0x7f010000)).toEqual([]);
    expect(findings).toHaveLength(1);
  });

  it('reports a package whose chunks lie', () => {
    const bytes = buildResourceTable('com.example', recipes);
    const at = bytes.lastIndexOf(Buffer.of(0x01, 0x02, 0x54, 0x00));
    expect(at).toBeGreaterThan(0);
    bytes.writeUInt32LE(0xffffff00, at + 4);
    const findings: Finding[] = [];
    const table = readTable(bytes, findings);
    expect(table.resolve(0x7f010001)).toHaveLength(1);
    expect(findings[0]).toMatchObject({ code: 'malformed/structure', incomplete: true });
    expect(findings[0]?.message).toMatch(/^table of resources has a chunk/);
  });

  it('throws on what is no table', () => {
    expect(() => readTable(chunk(0x0003, Buffer.alloc(4)))).toThrow(TelltaleError);
    expect(() => readTable(new Uint8Array(3))).toThrow(TelltaleError);
  });
});

describe('when a manifest is read', () => {
  const manifest = (root: XmlElementRecipe): readonly Fact[] =>
    readManifest(readXml(buildBinaryXml(root)), undefined, toContext());

  it('completes class names as Android does', () => {
    const facts = manifest({
      name: 'manifest',
      attributes: { package: 'com.example.rover' },
      children: [
        {
          name: 'application',
          attributes: { 'android:name': '.App' },
          children: [
            { name: 'activity', attributes: { 'android:name': 'com.example.raider.Main' } },
            { name: 'activity', attributes: { 'android:name': '.Second' } },
            { name: 'activity', attributes: { 'android:name': 'Third' } },
            {
              name: 'activity-alias',
              attributes: { 'android:name': '.Alias', 'android:targetActivity': '.Second' },
            },
            { name: 'service', attributes: { 'android:name': '.Service' } },
            { name: 'receiver', attributes: { 'android:name': '.Receiver' } },
            {
              name: 'provider',
              attributes: { 'android:name': '.Provider', 'android:authorities': 'one;two' },
            },
          ],
        },
      ],
    });
    expect(toFields(facts, 'application')).toEqual(['com.example.rover.App']);
    expect(toFields(facts, 'activity')).toEqual([
      'com.example.raider.Main',
      'com.example.rover.Second',
      'com.example.rover.Third',
    ]);
    expect(facts.find(({ name }) => name === 'activityAlias')).toMatchObject({
      value: 'com.example.rover.Alias',
      detail: { target: 'com.example.rover.Second' },
    });
    expect(toFields(facts, 'service')).toEqual(['com.example.rover.Service']);
    expect(toFields(facts, 'receiver')).toEqual(['com.example.rover.Receiver']);
    expect(toFields(facts, 'provider')).toEqual(['com.example.rover.Provider']);
    expect(toFields(facts, 'authority')).toEqual(['one', 'two']);
  });

  it('knows attributes by number, whatever they are named', () => {
    const bytes = buildBinaryXml({
      name: 'manifest',
      attributes: { package: 'a.b', 'android:versionName': '8.1' },
    });
    const at = bytes.indexOf(Buffer.from('versionName', 'utf16le'));
    bytes.write('xxxxxxxxxxx', at, 'utf16le');
    const facts = readManifest(readXml(bytes), undefined, toContext());
    expect(toFields(facts, 'versionName')).toEqual(['8.1']);
  });

  it('shows a resource that it cannot resolve by its number', () => {
    const facts = manifest({
      name: 'manifest',
      attributes: { package: 'a.b', 'android:versionName': { reference: 0x7f010000 } },
    });
    expect(toFields(facts, 'versionName')).toEqual(['@0x7f010000']);
  });

  it('stops listing at a bound, and says so', () => {
    const findings: Finding[] = [];
    const permissions = Array.from({ length: 9_000 }, (_, index) => ({
      name: 'uses-permission',
      attributes: { 'android:name': `permission.${index}` },
    }));
    const xml = buildBinaryXml({
      name: 'manifest',
      attributes: { package: 'a.b' },
      children: permissions.slice(0, 20),
    });
    expect(readXml(xml)).toHaveLength(21);
    const elements = permissions.map(
      ({ name, attributes }): XmlElement => ({
        name,
        depth: 1,
        attributes: [
          {
            namespace: '',
            name: 'name',
            resourceId: 0x01010003,
            value: { kind: 'text', text: attributes['android:name'] },
          },
        ],
      }),
    );
    expect(readManifest(elements, undefined, toContext(findings))).toHaveLength(8_192);
    expect(findings).toMatchObject([{ code: 'limit/count', incomplete: true }]);
  });

  it('reads the same from a protocol buffer', () => {
    const elements = [...readProtoXml(buildProtoXml(tree), toContext())];
    const facts = readManifest(elements, undefined, toContext());
    expect(facts[0]).toMatchObject({ kind: 'packageId', value: 'com.example.rover' });
    expect(toFields(facts, 'versionName')).toEqual(['8.1']);
    expect(toFields(facts, 'versionCode')).toEqual([-5]);
    expect(toFields(facts, 'debuggable')).toEqual([true]);
    expect(toFields(facts, 'activity')).toEqual(['com.example.raider.Main']);
  });

  it('reports a protocol buffer that breaks off', () => {
    const whole = buildProtoXml(tree);
    const findings: Finding[] = [];
    expect([...readProtoXml(whole.subarray(0, whole.length - 3), toContext(findings))]).toEqual([]);
    expect(findings).toMatchObject([{ incomplete: true }]);
  });
});
