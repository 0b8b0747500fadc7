import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type AppleSignOptions,
  buildSignedMachO,
  makeAppleCertificates,
} from '../../fixtures/apple-signer.ts';
import { buildXmlPlist } from '../../fixtures/plist-builder.ts';
import {
  type BundleAuthenticity,
  type BundleContents,
  verifyBundle,
} from '../../src/authenticity/apple-bundle.ts';
import type { SealedFile } from '../../src/authenticity/apple-bundle-seal.ts';
import type { PublisherPins } from '../../src/authenticity/publisher-pins.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { parseMachO } from '../../src/formats/macho/parse.ts';

const team = 'AL798K98FX';
const set = makeAppleCertificates(team);
const pins: PublisherPins = {
  publishers: [
    { id: 'skype', name: 'Fixture', commonNames: [], leaves: [], intermediates: [], appleTeams: [{ team }] },
  ],
  appleAnchors: [set.root.sha256],
};

const resource = Buffer.from('a resource');
const infoPlist = buildXmlPlist({ CFBundleIdentifier: 'com.skype.skype', CFBundleExecutable: 'Skype' });
const codeResources = buildXmlPlist({
  files2: { 'Resources/a': { hash2: createHash('sha256').update(resource).digest() } },
  rules2: { '^Resources/': true, '^Info\\.plist$': { omit: true } },
});
const sealed = new Map([
  [1, infoPlist],
  [3, codeResources],
]);
const signed: AppleSignOptions = {
  identifier: 'com.skype.skype',
  teamId: team,
  signer: { leaf: set.leaf, chain: [set.authority, set.root] },
  sealed,
};

function toFile(content: Uint8Array): SealedFile {
  return { sha256: createHash('sha256').update(content).digest('hex') };
}

function verify(
  changes: Partial<BundleContents> = {},
  options: AppleSignOptions = signed,
): BundleAuthenticity {
  const bytes = buildSignedMachO({}, options);
  const budget = new Budget(bytes.length);
  return verifyBundle(
    {
      program: parseMachO(toByteSource(bytes), { budget, report() {} }),
      executable: 'MacOS/Skype',
      infoPlist,
      codeResources,
      entries: new Map([
        ['Info.plist', {}],
        ['MacOS/Skype', {}],
        ['Resources/a', toFile(resource)],
      ]),
      ...changes,
    },
    pins,
    { budget },
  );
}

describe('when a bundle is as it was signed', () => {
  it('is intact and pinned', () => {
    expect(verify()).toMatchObject({ integrity: 'intact', signer: 'pinned', seal: { state: 'holds' } });
    expect(verify().signatures[0]?.apple?.unchecked).toEqual([]);
  });
});

describe('when a bundle was changed', () => {
  it.each<[string, Partial<BundleContents>, RegExp]>([
    [
      'a file',
      { entries: new Map([['Resources/a', toFile(Buffer.from('other'))]]) },
      /altered: "Resources\/a"/,
    ],
    ['a file less', { entries: new Map() }, /missing: "Resources\/a"/],
    [
      'a file more',
      {
        entries: new Map([
          ['Resources/a', toFile(resource)],
          ['Resources/b', {}],
        ]),
      },
      /added: "Resources\/b"/,
    ],
    ['Info.plist', { infoPlist: buildXmlPlist({ CFBundleIdentifier: 'x' }) }, /Info\.plist in the bundle/],
    ['the seal', { codeResources: buildXmlPlist({ files2: {} }) }, /CodeResources in the bundle/],
    ['no seal', { codeResources: undefined }, /is missing/],
  ])('says so (%s)', (_what, changes, detail) => {
    const result = verify(changes);
    expect(result).toMatchObject({ integrity: 'modified', signer: 'claimed', publisher: 'skype' });
    expect(result.integrityDetail).toMatch(detail);
  });

  it('proves nothing when a file could not be compared', () => {
    expect(verify({ entries: new Map([['Resources/a', {}]]) })).toMatchObject({
      integrity: 'damaged',
      signer: 'claimed',
    });
  });

  it('proves nothing when the seal cannot be read', () => {
    const broken = Buffer.from('bplist00');
    const options = { ...signed, sealed: new Map([...sealed, [3, broken] as const]) };
    expect(verify({ codeResources: broken }, options)).toMatchObject({
      integrity: 'damaged',
      signer: 'claimed',
    });
  });
});

describe('when the program has an ad hoc seal', () => {
  it('is unsigned, and modified when the seal of the bundle does not hold', () => {
    expect(verify({}, { identifier: 'x', sealed })).toMatchObject({ integrity: 'unsigned', signer: 'none' });
    expect(verify({}, { identifier: 'x' })).toMatchObject({ integrity: 'unsigned', signer: 'none' });
    expect(verify({ entries: new Map() }, { identifier: 'x', sealed }).integrity).toBe('modified');
  });
});
