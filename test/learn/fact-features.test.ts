import { describe, expect, it } from 'vitest';
import { listFactFeatures } from '../../src/learn/fact-features.ts';
import type { Fact } from '../../src/formats/model.ts';
import type { Artifact } from '../../src/scan/model.ts';

const digest = 'ab'.repeat(32);

function toArtifact(change: Partial<Artifact> = {}): Artifact {
  return {
    path: 'sample.exe',
    name: 'sample.exe',
    relation: 'root',
    format: { id: 'pe', title: 'program', nature: 'acting' },
    size: 1000,
    digests: {},
    facts: [],
    regions: [],
    authenticity: undefined,
    observations: [],
    problems: [],
    members: [],
    ...change,
  };
}

const list = (artifact: Artifact) => [...listFactFeatures(artifact)];
const ofFact = (fact: Fact) =>
  list(toArtifact({ facts: [fact] })).filter(({ feature }) => feature.kind !== 'name');

describe('when a file says something of itself', () => {
  it.each<readonly [Fact, object]>([
    [{ kind: 'packageId', value: 'com.example.paloma' }, { packageId: { equals: 'com.example.paloma' } }],
    [{ kind: 'bundleId', value: 'com.example.Paloma' }, { bundleId: { equals: 'com.example.Paloma' } }],
    [
      { kind: 'msiProperty', name: 'UpgradeCode', value: '{66666666-0000-0000-0000-000000000000}' },
      { msiProperty: { name: 'UpgradeCode', is: { equals: '{66666666-0000-0000-0000-000000000000}' } } },
    ],
    [
      { kind: 'versionInfo', name: 'Comments', value: ' Osten ' },
      { versionInfo: { field: 'Comments', is: { equals: 'Osten' } } },
    ],
    [
      { kind: 'exportedName', value: 'FilterWords' },
      { fact: 'exportedName', is: { equals: 'FilterWords' } },
    ],
    [
      { kind: 'section', name: '.osten', value: 5.1 },
      { fact: 'section', name: '.osten', is: { matches: '.' } },
    ],
    [
      { kind: 'installerProperty', name: 'AppId', value: 'Paloma Osten' },
      { fact: 'installerProperty', name: 'AppId', is: { equals: 'Paloma Osten' } },
    ],
  ])('asks for %o', (fact, when) => {
    expect(ofFact(fact).map(({ feature }) => feature.when)).toEqual([when]);
  });

  it('asks for the whole version, and for each number of it', () => {
    const features = ofFact({ kind: 'fileVersion', value: '5.1.4.0' });
    expect(features.map(({ feature }) => feature.when)).toEqual([
      { version: [5, 1, 4, 0] },
      { version: [null, 1] },
      { version: [null, null, 4] },
    ]);
  });

  it.each<Fact>([
    { kind: 'machine', value: 'x86' },
    { kind: 'overlay', value: 512 },
    { kind: 'packageId', value: '' },
    { kind: 'packageId', value: 'com.example\u202egpj' },
    { kind: 'packageId', value: 'x'.repeat(300) },
    { kind: 'versionInfo', name: 'Com\0ments', value: 'Osten' },
    { kind: 'fileVersion', value: '5.1' },
  ])('asks for nothing that tells nothing or cannot be written: %o', (fact) => {
    expect(ofFact(fact)).toEqual([]);
  });

  it('puts ids before names, and names before numbers', () => {
    const scores = (
      [
        { kind: 'packageId', value: 'com.example.paloma' },
        { kind: 'versionInfo', name: 'ProductName', value: 'Paloma' },
        { kind: 'versionInfo', name: 'FileVersion', value: '5.1.4.0' },
        { kind: 'section', name: '.text', value: 6 },
      ] satisfies Fact[]
    ).map((fact) => ofFact(fact)[0]?.feature.specificity.score ?? 0);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(new Set(scores).size).toBe(4);
  });

  it('reaches a part of a program as that program', () => {
    const part = toArtifact({
      path: 'sample.exe » .rsrc/RCDATA/1',
      name: '.rsrc/RCDATA/1',
      relation: 'part',
      format: { id: 'data', title: 'data', nature: 'passive' },
      digests: { sha256: digest },
    });
    const found = list(toArtifact({ members: [part] })).find(({ feature }) => feature.kind === 'digest');
    expect(found?.sighting.format).toBe('pe');
    expect(found?.feature.when).toEqual({ digest: [digest] });
  });

  it('asks the container for the name of a member that could not be read', () => {
    const member = toArtifact({
      path: 'a.zip » 聊天/wordfilter.dll',
      name: '聊天/wordfilter.dll',
      relation: 'file',
      format: { id: 'unread', title: 'not read', nature: 'passive' },
    });
    const zip = toArtifact({
      path: 'a.zip',
      name: 'a.zip',
      format: { id: 'zip', title: 'ZIP', nature: 'transport' },
      members: [member],
    });
    const found = list(zip).find(({ feature }) => feature.value === 'wordfilter.dll');
    expect(found).toMatchObject({
      feature: { when: { memberName: 'wordfilter.dll' } },
      sighting: { path: 'a.zip', format: 'zip' },
    });
  });

  it('does not take the digest of a member that was cut off', () => {
    const member = toArtifact({
      path: 'a » b',
      name: 'b.exe',
      relation: 'file',
      digests: { sha256: digest },
    });
    const damaged = {
      ...member,
      problems: [
        {
          code: 'malformed/truncated',
          message: 'ends',
          consequence: 'nothing',
          incomplete: true,
          path: 'a » b',
        },
      ],
    } satisfies Artifact;
    const digests = (one: Artifact): number =>
      list(toArtifact({ members: [one] })).filter(({ feature }) => feature.kind === 'digest').length;
    expect([digests(member), digests(damaged)]).toEqual([1, 0]);
  });
});
