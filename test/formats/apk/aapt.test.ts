import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectLabels, writeAndroidProject } from '../../../fixtures/android-project.ts';
import { type ApkRecipe, toApkEntries } from '../../../fixtures/apk-builder.ts';
import { buildZip } from '../../../fixtures/zip-builder.ts';
import { apkFormat } from '../../../src/formats/apk/index.ts';
import type { Fact } from '../../../src/formats/model.ts';
import { openFile } from '../../../src/platform/files.ts';
import { androidTools, framework, makeWith } from '../../android-tools.ts';
import { readAll } from '../reading.ts';

const folder = mkdtempSync(join(tmpdir(), 'telltale-aapt-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What `aapt dump badging` and `aapt dump xmltree` say of a package. */
function askAapt(path: string): {
  readonly head: readonly (string | undefined)[];
  readonly labels: Readonly<Record<string, string>>;
  readonly permissions: readonly string[];
  readonly launchable: string | undefined;
  readonly activities: readonly string[];
} {
  const badging = makeWith('aapt', 'dump', 'badging', path);
  const [, id, code, name] =
    /^package: name='([^']*)' versionCode='([^']*)' versionName='([^']*)'/m.exec(badging) ?? [];
  const tree = makeWith('aapt', 'dump', 'xmltree', path, 'AndroidManifest.xml');
  const activities = [
    ...tree.matchAll(/E: activity \(.*\n(?: +A: (?!android:name).*\n)* +A: android:name\([^)]*\)="([^"]*)"/g),
  ];
  return {
    head: [
      id,
      code,
      name,
      /^sdkVersion:'([^']*)'/m.exec(badging)?.[1],
      /^targetSdkVersion:'([^']*)'/m.exec(badging)?.[1],
    ],
    labels: Object.fromEntries(
      [...badging.matchAll(/^application-label(?:-([^:]*))?:'(.*)'$/gm)].map(
        ([, language = '', label = '']) => [language, label],
      ),
    ),
    permissions: [...badging.matchAll(/^uses-permission: name='([^']*)'/gm)].map(([, one = '']) => one),
    launchable: /^launchable-activity: name='([^']*)'/m.exec(badging)?.[1],
    activities: activities.map(([, one = '']) => one),
  };
}

async function askUs(path: string): Promise<readonly Fact[]> {
  const file = openFile(path);
  try {
    const result = await readAll(apkFormat, file, { keepBytes: false });
    expect(result.findings).toEqual([]);
    return result.reading?.facts ?? [];
  } finally {
    file.close();
  }
}

function valuesOf(facts: readonly Fact[], name: string): readonly string[] {
  return facts
    .filter((fact) => fact.kind === 'packageField' && fact.name === name)
    .map(({ value }) => String(value));
}

function labelsOf(facts: readonly Fact[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    facts
      .filter(({ name }) => name === 'label')
      .map(({ value, detail }) => [String(detail?.['language'] ?? ''), String(value)]),
  );
}

function toHead(facts: readonly Fact[]): readonly (string | undefined)[] {
  return [
    String(facts.find(({ kind }) => kind === 'packageId')?.value),
    ...['versionCode', 'versionName', 'minSdk', 'targetSdk'].map((name) => valuesOf(facts, name)[0]),
  ];
}

/** Class names as they are completed by Android. */
function complete(names: readonly string[], packageId: string): readonly string[] {
  return names.map((name) =>
    name.startsWith('.') ? packageId + name : name.includes('.') ? name : `${packageId}.${name}`,
  );
}

async function compare(path: string): Promise<ReturnType<typeof askAapt>> {
  const theirs = askAapt(path);
  const ours = await askUs(path);
  expect(toHead(ours)).toEqual(theirs.head);
  expect(labelsOf(ours)).toEqual(theirs.labels);
  expect(valuesOf(ours, 'permission')).toEqual(theirs.permissions);
  expect(valuesOf(ours, 'activity')).toEqual(complete(theirs.activities, theirs.head[0] ?? ''));
  expect(valuesOf(ours, 'mainActivity')[0]).toBe(theirs.launchable);
  return theirs;
}

describe.skipIf(!androidTools.aapt)('when our packages are read by aapt', () => {
  it.each([
    ['UTF-16', false],
    ['UTF-8', true],
  ])('says the same (%s)', async (name, utf8) => {
    const recipe: ApkRecipe = {
      packageId: 'com.example.rover',
      versionName: '8.1.0',
      versionCode: 1234,
      labels: { '': 'Rover', de: 'Wanderer', fil: 'Gala', 'zh-Hans-CN': '漫游者', 'zh-TW': '漫遊者' },
      permissions: ['android.permission.INTERNET', 'android.permission.CAMERA'],
      activities: ['com.example.raider.Main', '.Second'],
      utf8,
    };
    const path = join(folder, `own-${name}.apk`);
    writeFileSync(path, buildZip({ entries: toApkEntries(recipe) }));
    const theirs = await compare(path);
    expect(theirs.labels).toEqual(recipe.labels);
    expect(theirs.activities).toEqual(recipe.activities);
  });
});

describe.skipIf(!androidTools.aapt || !androidTools.framework)('when aapt makes a package', () => {
  const path = join(folder, 'made.apk');

  beforeAll(() => {
    const { manifest, resources } = writeAndroidProject(folder);
    makeWith('aapt', 'package', '-f', '-M', manifest, '-S', resources, '-I', framework, '-F', path);
  });

  it('says the same as aapt', async () => {
    const theirs = await compare(path);
    expect(theirs.labels).toEqual(projectLabels);
    expect(theirs.activities).toEqual(['com.example.raider.Main', '.Second']);
  });

  it('finds every component and every icon', async () => {
    const facts = await askUs(path);
    expect(valuesOf(facts, 'service')).toEqual(['com.example.raider.Service']);
    expect(valuesOf(facts, 'receiver')).toEqual(['com.example.rover.Receiver']);
    expect(valuesOf(facts, 'provider')).toEqual(['com.example.rover.Provider']);
    expect(valuesOf(facts, 'authority')).toEqual(['com.example.rover.files']);
    expect(valuesOf(facts, 'application')).toEqual(['com.example.rover.App']);
    expect(valuesOf(facts, 'debuggable')).toEqual(['false']);
    const icons = facts.filter(({ name }) => name === 'icon');
    expect(icons.map(({ detail }) => detail?.['density'])).toEqual([160, 320]);
    const members = facts.filter(({ kind }) => kind === 'memberName').map(({ value }) => value);
    for (const { value } of icons) expect(members).toContain(value);
  });
});

describe.skipIf(!androidTools.aapt || !androidTools.framework)(
  'when the resources of Android are read',
  () => {
    it('says the same as aapt of 30 MiB of resources in some 140 languages', async () => {
      const theirs = askAapt(framework);
      const ours = await askUs(framework);
      expect(toHead(ours)).toEqual(theirs.head);
      expect(valuesOf(ours, 'permission')).toEqual(theirs.permissions);
      expect(valuesOf(ours, 'activity')).toEqual(complete(theirs.activities, 'android'));
      expect(theirs.activities.length).toBeGreaterThan(20);
      const labels = labelsOf(ours);
      expect(Object.keys(labels).length).toBeGreaterThan(80);
      // aapt asks for every language that any resource is in, and gets that of the nearest one.
      for (const [language, label] of Object.entries(labels))
        expect(theirs.labels[language], language).toBe(label);
      const known = new Set(Object.values(labels));
      expect(Object.values(theirs.labels).filter((label) => !known.has(label))).toEqual([]);
      expect(readFileSync(framework).length).toBeGreaterThan(30 << 20);
    });
  },
);
