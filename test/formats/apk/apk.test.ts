import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildProtoXml } from '../../../fixtures/android-resources-builder.ts';
import { type ApkRecipe, toApkEntries, toManifest } from '../../../fixtures/apk-builder.ts';
import { putInFront } from '../../../fixtures/apk-damage.ts';
import { signApk } from '../../../fixtures/apk-signer.ts';
import { makeCertificate } from '../../../fixtures/certificate-authority.ts';
import { buildDex } from '../../../fixtures/dex-builder.ts';
import { buildZip, type ZipEntryRecipe } from '../../../fixtures/zip-builder.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { aabFormat, apkBundleFormat, apkFormat } from '../../../src/formats/apk/index.ts';
import { type ReadResult, readAll } from '../reading.ts';
import { toSigned } from '../signed.ts';

const recipe: ApkRecipe = {
  packageId: 'com.example.rover',
  versionName: '8.1.0',
  versionCode: 1234,
  minSdk: 19,
  labels: { '': 'Rover', 'zh-CN': '漫游者' },
  permissions: ['android.permission.CAMERA'],
  activities: ['com.example.raider.Main'],
  debuggable: true,
};
const entries = toApkEntries(recipe);
const formats = [apkFormat, aabFormat, apkBundleFormat];

function toIds(members: readonly ZipEntryRecipe[]): readonly string[] {
  const source = toByteSource(buildZip({ entries: members }));
  return formats.filter((format) => format.probe(source.read(0, 4), source)).map(({ id }) => id);
}

function toFields({ reading }: ReadResult): readonly string[] {
  return (reading?.facts ?? [])
    .filter(({ kind }) => kind === 'packageField' || kind === 'packageId')
    .map(({ name, value, detail }) => `${name ?? ''}=${value} ${JSON.stringify(detail ?? '')}`);
}

const folder = mkdtempSync(join(tmpdir(), 'telltale-apk-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('when a ZIP file is probed', () => {
  const empty = (name: string): ZipEntryRecipe => ({ name, data: '' });

  it.each<[string, readonly string[], readonly string[]]>([
    ['a package', ['AndroidManifest.xml', 'classes.dex'], ['apk']],
    ['resources only', ['AndroidManifest.xml', 'resources.arsc'], ['apk']],
    ['a split with libraries', ['lib/arm64-v8a/libx.so', 'AndroidManifest.xml'], ['apk']],
    ['a split with a JAR signature', ['AndroidManifest.xml', 'assets/a', 'META-INF/CERT.RSA'], ['apk']],
    ['a library', ['AndroidManifest.xml', 'classes.jar', 'R.txt'], []],
    ['a source tree', ['AndroidManifest.xml', 'res/values/strings.xml'], []],
    ['a manifest in a folder', ['app/AndroidManifest.xml', 'classes.dex'], []],
    [
      'an App Bundle',
      ['BundleConfig.pb', 'base/manifest/AndroidManifest.xml', 'base/dex/classes.dex'],
      ['aab'],
    ],
    ['a set of splits', ['toc.pb', 'splits/base-master.apk'], ['apk-bundle']],
    ['an xapk', ['manifest.json', 'com.example.apk', 'icon.png'], ['apk-bundle']],
    ['a browser extension', ['manifest.json', 'background.js'], []],
    ['packages without a list', ['one.apk', 'two.apk'], []],
    ['nothing', ['readme.txt'], []],
  ])('tells %s', (_name, names, ids) => {
    expect(toIds(names.map(empty))).toEqual(ids);
  });

  it('tells a split that only its signature shows', () => {
    const signer = makeCertificate({ subject: { commonName: 'Fixture' } });
    const members = [empty('AndroidManifest.xml'), empty('assets/a')];
    const signed = toByteSource(signApk(members, { schemes: ['v2'], signer }));
    expect(apkFormat.probe(signed.read(0, 4), signed)).toBe(true);
    expect(toIds(members)).toEqual([]);
  });

  it('tells a package whose end is missing, by its first members', () => {
    const whole = buildZip({ entries });
    const source = toByteSource(whole.subarray(0, whole.length - 60));
    expect(apkFormat.probe(source.read(0, 4), source)).toBe(true);
  });

  it('takes nothing for a package that is no ZIP file', () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('PK'),
      Buffer.from('AndroidManifest.xml classes.dex'),
    ]) {
      const source = toByteSource(bytes);
      expect(formats.some((format) => format.probe(bytes, source))).toBe(false);
    }
  });
});

describe('when a package is read', () => {
  it('says what the manifest says', async () => {
    const result = await readAll(apkFormat, buildZip({ entries }));
    expect(result.findings).toEqual([]);
    expect(toFields(result)).toEqual([
      '=com.example.rover ""',
      'versionName=8.1.0 ""',
      'versionCode=1234 ""',
      'minSdk=19 ""',
      'targetSdk=28 ""',
      'permission=android.permission.CAMERA ""',
      'debuggable=true ""',
      'label=Rover ""',
      'label=漫游者 {"language":"zh-CN"}',
      'icon=res/drawable/icon.png {"density":160}',
      'activity=com.example.raider.Main ""',
      'mainActivity=com.example.raider.Main ""',
    ]);
    expect(result.members.map(({ name }) => name)).toEqual([
      'AndroidManifest.xml',
      'res/drawable/icon.png',
      'classes.dex',
      'resources.arsc',
    ]);
    expect(toSigned(result.reading, 'apk')?.package.archive.entries).toHaveLength(4);
  });

  it('lists the parts of the signing block', async () => {
    const signer = makeCertificate({ subject: { commonName: 'Fixture' } });
    const apk = signApk(entries, {
      schemes: ['v2', 'v3'],
      signer,
      pairs: [
        [0x42726577, Buffer.alloc(10)],
        [0x71777777, Buffer.from('channel')],
        [0x6dff800d, Buffer.from('stamp')],
      ],
    });
    const { reading } = await readAll(apkFormat, apk);
    const parts = (reading?.facts ?? []).filter(({ region }) => region === 'signing block');
    expect(parts.map(({ kind, name, detail }) => [kind, name, detail])).toEqual([
      ['signatureStream', 'APK Signature Scheme v2', undefined],
      ['signatureStream', 'APK Signature Scheme v3', undefined],
      ['unlistedBytes', 'padding', { known: true, content: false }],
      ['unlistedBytes', '0x71777777', { known: false, content: true }],
      ['signatureStream', 'source stamp v2', undefined],
    ]);
    expect(parts.map(({ value }) => value).slice(2)).toEqual([10, 7, 5]);
    expect(apk.subarray(parts[3]?.offset, (parts[3]?.offset ?? 0) + 7).toString()).toBe('channel');
    expect(reading?.regions.map(({ name }) => name)).toContain('signing block');
  });

  it('notes a v4 signature beside the package', async () => {
    const path = join(folder, 'a.apk');
    const bytes = buildZip({ entries });
    writeFileSync(path, bytes);
    writeFileSync(`${path}.idsig`, Buffer.alloc(33));
    const { reading } = await readAll(apkFormat, bytes, { path });
    expect(reading?.facts.filter(({ kind }) => kind === 'signatureStream')).toEqual([
      { kind: 'signatureStream', name: 'APK Signature Scheme v4 (.idsig)', value: 33 },
    ]);
  });

  it('shows a program in front of the package as a part of its own', async () => {
    const program = buildDex({ classes: ['evil.Main'] });
    const result = await readAll(apkFormat, putInFront(buildZip({ entries }), program));
    expect(result.members[0]).toMatchObject({ name: '[prefix]', relation: 'part' });
    expect(result.members[0]?.bytes.equals(program)).toBe(true);
    expect(result.reading?.facts).toContainEqual(
      expect.objectContaining({ kind: 'ambiguous', name: 'apk.programInFront' }),
    );
    expect(result.findings.map(({ consequence }) => consequence).join()).toContain('CVE-2017-13156');
    expect(toFields(result)[0]).toBe('=com.example.rover ""');
  });

  it('reads as Android does what others take for encrypted or packed otherwise', async () => {
    const [manifest, ...rest] = entries;
    if (manifest === undefined) throw new Error('there is a manifest');
    const apk = buildZip({
      entries: [
        { ...manifest, flags: 1 },
        ...rest.map((entry) =>
          entry.name === 'classes.dex'
            ? { ...entry, method: 0, central: { method: 4660 }, local: { method: 4660 } }
            : entry,
        ),
      ],
    });
    const result = await readAll(apkFormat, apk);
    expect(toFields(result)[0]).toBe('=com.example.rover ""');
    const program = result.members.find(({ name }) => name === 'classes.dex');
    expect(program?.bytes.toString('latin1', 0, 4)).toBe('dex\n');
    expect(program?.facts).toContainEqual(expect.objectContaining({ kind: 'ambiguous', name: 'apk.method' }));
    expect(result.findings.map(({ message }) => message).join()).toContain('method 4660');
    const encrypted = result.members.find(({ name }) => name === 'AndroidManifest.xml');
    expect(encrypted?.fault).toBeUndefined();
  });

  it('reports a manifest that is missing, no XML, or names no package', async () => {
    const [, ...rest] = entries;
    const cases: [readonly ZipEntryRecipe[], string][] = [
      [rest, 'has no manifest'],
      [[{ name: 'AndroidManifest.xml', data: '<manifest package="a.b"/>' }, ...rest], 'chunk'],
      [
        [{ name: 'AndroidManifest.xml', data: Buffer.from('03000800080000000000', 'hex') }, ...rest],
        'names no package',
      ],
    ];
    for (const [members, message] of cases) {
      const result = await readAll(apkFormat, buildZip({ entries: members }));
      expect(result.findings.map((finding) => finding.message).join()).toContain(message);
      expect(result.findings.some(({ incomplete }) => incomplete)).toBe(true);
      expect(result.members.length).toBe(members.length);
    }
  });

  it('does not unpack a manifest without end', async () => {
    const [, ...rest] = entries;
    const result = await readAll(
      apkFormat,
      buildZip({ entries: [{ name: 'AndroidManifest.xml', data: Buffer.alloc(9 << 20) }, ...rest] }),
      { keepBytes: false },
    );
    expect(result.findings).toMatchObject([{ code: 'limit/memory', incomplete: true }]);
  });
});

describe('when several packages travel together', () => {
  const base = buildZip({ entries });

  it('gives the packages in a set of splits', async () => {
    const result = await readAll(
      apkBundleFormat,
      buildZip({
        entries: [
          { name: 'toc.pb', data: 'x' },
          { name: 'splits/base-master.apk', data: base, method: 0 },
        ],
      }),
    );
    expect(result.findings).toEqual([]);
    expect(result.members[1]?.bytes.equals(base)).toBe(true);
  });

  it('says what the list of an xapk says, but not as its package id', async () => {
    const list = { package_name: 'com.example.rover', version_name: '8.1', xapk_version: 2, split_apks: [] };
    const result = await readAll(
      apkBundleFormat,
      buildZip({
        entries: [
          { name: 'manifest.json', data: JSON.stringify(list) },
          { name: 'a.apk', data: base },
        ],
      }),
    );
    expect(toFields(result)).toEqual(['package_name=com.example.rover ""', 'version_name=8.1 ""']);
  });

  it('reports a list that is no JSON', async () => {
    const result = await readAll(
      apkBundleFormat,
      buildZip({
        entries: [
          { name: 'manifest.json', data: '{' },
          { name: 'a.apk', data: base },
        ],
      }),
    );
    expect(result.findings).toMatchObject([{ code: 'malformed/structure' }]);
  });

  it('reads the manifest of an App Bundle', async () => {
    const result = await readAll(
      aabFormat,
      buildZip({
        entries: [
          { name: 'BundleConfig.pb', data: 'x' },
          { name: 'base/manifest/AndroidManifest.xml', data: buildProtoXml(toManifest(recipe)) },
          { name: 'base/dex/classes.dex', data: buildDex({ classes: ['a.B'] }) },
        ],
      }),
    );
    expect(result.findings).toEqual([]);
    expect(toFields(result)).toContain('=com.example.rover ""');
    expect(toFields(result)).toContain('activity=com.example.raider.Main ""');
    expect(toSigned(result.reading, 'apk')).toBeDefined();
  });
});
