import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { toApkEntries } from '../../fixtures/apk-builder.ts';
import { putInFront, stripSigningBlock } from '../../fixtures/apk-damage.ts';
import { signApk } from '../../fixtures/apk-signer.ts';
import { buildAppx, buildSignedAppx } from '../../fixtures/appx-builder.ts';
import { buildSignedMachO, makeAppleCertificates } from '../../fixtures/apple-signer.ts';
import { makeCertificate, makeCertificateSet } from '../../fixtures/certificate-authority.ts';
import { buildDex } from '../../fixtures/dex-builder.ts';
import { buildXmlPlist } from '../../fixtures/plist-builder.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { defaultLimits } from '../../src/bytes/budget.ts';
import { scanFile } from '../../src/jobs/scan-file.ts';
import type { Knowledge } from '../../src/scan/knowledge.ts';
import type { FileResult } from '../../src/verdict/model.ts';
import { scanBytes, shippedKnowledge } from './scan-bytes.ts';

/** The shipped knowledge with further pins of the publisher, as a person's own database adds them. */
function withPins(
  pins: Partial<Knowledge['pins']['publishers'][number]>,
  anchors?: readonly string[],
): Knowledge {
  const shipped = shippedKnowledge();
  return {
    ...shipped,
    pins: {
      publishers: shipped.pins.publishers.map((one) => ({ ...one, ...pins })),
      ...(anchors === undefined ? {} : { appleAnchors: anchors }),
    },
  };
}

describe('when an Android package is scanned', () => {
  const signer = makeCertificate({ subject: { commonName: 'Somebody' } });
  const build = (options: Parameters<typeof toApkEntries>[0], by = signer): Uint8Array =>
    signApk(toApkEntries(options), { schemes: ['v1', 'v2'], signer: by });
  const official = {
    packageId: 'com.skype.raider',
    versionName: '8.150.0.125',
    activities: ['com.skype.raider.Main'],
  };

  it('cannot verify the official package id without a known certificate, and says which proof is missing', async () => {
    const result = await scanBytes('Skype.apk', build(official));
    expect(result).toMatchObject({
      verdict: 'unverified',
      integrity: 'intact',
      signer: 'other',
      version: '8.150.0.125',
      platform: 'android',
      complete: true,
    });
    expect(result.authenticity?.signerDetail).toMatch(/[Mm]issing proof/);
  });

  it('is closed by a pin of one’s own', async () => {
    const knowledge = withPins({
      androidCertificates: [{ sha256: signer.sha256, from: '2010-01-01', to: '2049-12-31' }],
    });
    const result = await scanBytes('Skype.apk', build(official), { knowledge });
    expect(result).toMatchObject({ verdict: 'official', rule: 'proved', signer: 'pinned' });
    const changed = await scanBytes('Skype.apk', stripSigningBlock(build(official)), { knowledge });
    expect(changed).toMatchObject({ verdict: 'modified', integrity: 'modified' });
  });

  it('names the China package id, whose sources do not let it decide', async () => {
    const result = await scanBytes('skype.apk', build({ ...official, packageId: 'com.skype.rover' }));
    expect(result.verdict).toBe('unverified');
    expect(result.telltales.map(({ variant, strength }) => ({ variant, strength }))).toContainEqual({
      variant: 'china-android',
      strength: 'strong',
    });
  });

  it.each([
    ['com.skype.polaris', 'unconfirmed-polaris'],
    ['com.skype.insiders', 'official-insider'],
    ['com.skype.m2', 'official-lite'],
    ['com.skype.android.verizon', 'operator-verizon'],
    ['com.skype.android.kddi', 'operator-kddi'],
  ])('shows the telltale of %s', async (packageId, variant) => {
    const result = await scanBytes('skype.apk', build({ ...official, packageId }));
    expect(result.telltales.map((telltale) => telltale.variant)).toContain(variant);
    expect(result.verdict).toBe('unverified');
  });

  it('calls the fake of 2023 an impostor, though its version number is genuine', async () => {
    const forger = makeCertificate({ subject: { commonName: 'CN' }, from: '2023-09-11T00:00:00Z' });
    const fake = build(
      {
        packageId: 'com.skype.raider',
        versionName: '8.87.0.403',
        strings: ['bn-download3.com', 'SecShell'],
        classes: ['com.skype.raider.Main', 'com.SecShell.SecShell.H'],
      },
      forger,
    );
    const result = await scanBytes('Skype.apk', fake);
    expect(result).toMatchObject({ verdict: 'impostor', variant: 'fake-slowmist-2023' });
  });

  it.each([
    ['stripped of its newer signature', stripSigningBlock(build(official))],
    [
      'with a program in front',
      putInFront(
        signApk(toApkEntries(official), { schemes: ['v1'], signer }),
        buildDex({ classes: ['evil.A'] }),
      ),
    ],
  ])('is modified %s', async (_, bytes) => {
    expect(await scanBytes('Skype.apk', bytes)).toMatchObject({ verdict: 'modified', integrity: 'modified' });
  });

  it('is found in an archive', async () => {
    const result = await scanBytes(
      'a.zip',
      buildZip({ entries: [{ name: '软件/skype.apk', data: build(official) }] }),
    );
    expect(result).toMatchObject({ verdict: 'unverified', decidedBy: 'a.zip » 软件/skype.apk' });
  });

  it('only mentions the package in a spyware-like app', async () => {
    const spy = build({ packageId: 'org.example.spy', strings: ['com.skype.raider', 'com.whatsapp'] });
    expect((await scanBytes('spy.apk', spy)).verdict).toBe('other');
  });
});

describe('when a bundle for macOS is scanned', () => {
  const team = 'AL798K98FX';
  const certificates = makeAppleCertificates(team);
  const knowledge = withPins({ appleTeams: [{ team }] }, [certificates.root.sha256]);
  const resource = Buffer.from('a resource\n');
  const infoPlist = buildXmlPlist({
    CFBundleIdentifier: 'com.skype.skype',
    CFBundleExecutable: 'Skype',
    CFBundleShortVersionString: '8.23.0.10',
  });
  const codeResources = buildXmlPlist({
    files2: { 'Resources/a.txt': { hash2: createHash('sha256').update(resource).digest() } },
    rules2: { '^Resources/': true, '^Info\\.plist$': { omit: true } },
  });
  const program = buildSignedMachO(
    {},
    {
      identifier: 'com.skype.skype',
      teamId: team,
      signer: { leaf: certificates.leaf, chain: [certificates.authority, certificates.root] },
      sealed: new Map([
        [1, infoPlist],
        [3, codeResources],
      ]),
    },
  );
  const files: Readonly<Record<string, Uint8Array>> = {
    'Contents/Info.plist': infoPlist,
    'Contents/MacOS/Skype': program,
    'Contents/Resources/a.txt': resource,
    'Contents/_CodeSignature/CodeResources': codeResources,
  };
  const folder = mkdtempSync(join(tmpdir(), 'telltale-bundles-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function scanFolder(
    name: string,
    changes: Readonly<Record<string, Uint8Array | undefined>> = {},
  ): Promise<FileResult> {
    const root = join(folder, name, 'Skype.app');
    for (const [path, bytes] of Object.entries({ ...files, ...changes })) {
      if (bytes === undefined) continue;
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), bytes);
    }
    symlinkSync('MacOS/Skype', join(root, 'Contents', '_MASReceipt'));
    return await scanFile({ path: root, isBundle: true }, knowledge, defaultLimits);
  }
  const scanZip = (changes: Readonly<Record<string, Uint8Array | undefined>> = {}): Promise<FileResult> =>
    scanBytes(
      'Skype.zip',
      buildZip({
        entries: Object.entries({ ...files, ...changes }).flatMap(([path, data]) =>
          data === undefined ? [] : [{ name: `Skype.app/${path}`, data }],
        ),
      }),
      { knowledge },
    );

  it('is one entry, official when its seal holds, as a folder and in an archive', async () => {
    for (const result of [await scanFolder('good'), await scanZip()]) {
      expect(result).toMatchObject({
        verdict: 'official',
        version: '8.23.0.10',
        platform: 'macos',
        complete: true,
      });
      expect(result.tree?.members.map(({ name, format, verdict }) => ({ name, format, verdict }))).toEqual([
        { name: 'Skype.app', format: 'app-bundle', verdict: 'official' },
      ]);
    }
  });

  it.each<[string, Readonly<Record<string, Uint8Array | undefined>>, RegExp]>([
    ['altered', { 'Contents/Resources/a.txt': Buffer.from('another\n') }, /altered: "Resources\/a\.txt"/],
    ['added', { 'Contents/Resources/b.txt': Buffer.from('one more\n') }, /added: "Resources\/b\.txt"/],
    ['missing', { 'Contents/Resources/a.txt': undefined }, /missing: "Resources\/a\.txt"/],
    [
      'Info.plist',
      {
        'Contents/Info.plist': buildXmlPlist({
          CFBundleIdentifier: 'com.skype.skype',
          CFBundleExecutable: 'Skype',
        }),
      },
      /Info\.plist/,
    ],
  ])('is modified when a file was changed (%s), and names it', async (name, changes, detail) => {
    for (const result of [await scanFolder(name.replaceAll('.', '-'), changes), await scanZip(changes)]) {
      expect(result.verdict).toBe('modified');
      expect(JSON.stringify(result.tree)).toContain('app-bundle');
      expect(result.reason).toMatch(/seal|gravest/);
      expect(result.authenticity?.integrityDetail).toMatch(detail);
    }
  });

  it('is not accused when the archive around it was cut off', async () => {
    const whole = buildZip({
      entries: Object.entries(files).map(([path, data]) => ({ name: `Skype.app/${path}`, data })),
    });
    const cut = await scanBytes('Skype.zip', whole.subarray(0, whole.length - 300), { knowledge });
    expect(cut.complete).toBe(false);
    expect(cut.verdict).not.toBe('modified');
    expect(cut.verdict).not.toBe('official');
  });

  it('is unverified when nobody signed it', async () => {
    const unsigned = {
      'Contents/_CodeSignature/CodeResources': undefined,
      'Contents/MacOS/Skype': buildSignedMachO({}, { identifier: 'com.skype.skype' }),
    };
    expect((await scanZip(unsigned)).verdict).toBe('unverified');
  });
});

describe('when an app for iOS is scanned', () => {
  it.each([
    ['com.skype.tomskype', 'variant', 'china-app-store'],
    ['com.skype.skype', 'unverified', null],
  ])('knows %s', async (bundleId, verdict, variant) => {
    const ipa = buildZip({
      entries: [
        {
          name: 'Payload/Skype.app/Info.plist',
          data: buildXmlPlist({
            CFBundleIdentifier: bundleId,
            CFBundleExecutable: 'Skype',
            CFBundleShortVersionString: '5.0',
          }),
        },
        { name: 'Payload/Skype.app/Skype', data: buildSignedMachO({}, { identifier: bundleId }) },
      ],
    });
    expect(await scanBytes('Skype.ipa', ipa)).toMatchObject({ verdict, variant });
  });
});

describe('when a package of the Windows store is scanned', () => {
  const storePublisher = 'CN=Skype Software Sarl, O=Microsoft Corporation, L=Luxembourg, S=Luxembourg, C=LU';
  const recipe = {
    name: 'Microsoft.SkypeApp',
    publisher: storePublisher,
    version: '14.35.152.0',
    files: [{ name: 'SkypeHost.exe', data: 'a program' }],
  };
  const { leaf, intermediate } = makeCertificateSet({
    subject: { commonName: 'Skype Software Sarl', organization: 'Microsoft Corporation', country: 'LU' },
    from: '2014-01-01T00:00:00Z',
    to: '2030-01-01T00:00:00Z',
    kind: 'code-signing',
  });

  it('names the family that the publisher makes', async () => {
    const result = await scanBytes('Skype.appx', buildAppx(recipe));
    expect(result.verdict).toBe('unverified');
    expect(result.tree?.facts.map(({ value }) => value)).toContain('Microsoft.SkypeApp_kzf8qxf38zg5c');
    expect(result.telltales.map(({ variant }) => variant)).toContain('official-store');
  });

  it('is an impostor under a home-made certificate of that name', async () => {
    const forged = buildSignedAppx(recipe, { leaf, chain: [intermediate], digest: 'sha256' });
    expect(await scanBytes('Skype.appx', forged)).toMatchObject({ verdict: 'impostor', signer: 'claimed' });
  });
});
