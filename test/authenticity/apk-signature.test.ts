import { beforeAll, describe, expect, it } from 'vitest';
import { type ApkRecipe, toApkEntries } from '../../fixtures/apk-builder.ts';
import { flipIn, putInFront, stripSigningBlock } from '../../fixtures/apk-damage.ts';
import { type ApkScheme, type ApkSignOptions, signApk, toJarEntries } from '../../fixtures/apk-signer.ts';
import { buildProtoXml } from '../../fixtures/android-resources-builder.ts';
import { type CertificateFixture, makeCertificate } from '../../fixtures/certificate-authority.ts';
import { buildDex } from '../../fixtures/dex-builder.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import type { PublisherPins } from '../../src/authenticity/publisher-pins.ts';
import { aabFormat } from '../../src/formats/apk/index.ts';
import { verifyApkBytes } from './verify-apk.ts';

const recipe: ApkRecipe = {
  packageId: 'com.example.rover',
  entries: [{ name: 'assets/stored.txt', data: 'stored as it is', method: 0 }],
};
const entries = toApkEntries(recipe);

let signer: CertificateFixture;
let stranger: CertificateFixture;
let older: CertificateFixture;
let elliptic: CertificateFixture;

beforeAll(() => {
  signer = makeCertificate({ subject: { commonName: 'Fixture signer', country: 'LU' } });
  stranger = makeCertificate({ subject: { commonName: 'Maker Inc.' } });
  older = makeCertificate({ subject: { commonName: 'Fixture older' } });
  elliptic = makeCertificate({ subject: { commonName: 'Fixture elliptic' }, key: 'ec' });
});

function sign(schemes: readonly ApkScheme[], options: Partial<ApkSignOptions> = {}): Buffer {
  return signApk(entries, { schemes, signer, ...options });
}

function toPins(sha256: string): PublisherPins {
  return {
    publishers: [
      {
        id: 'maker',
        name: 'Maker',
        commonNames: ['Maker Inc.'],
        leaves: [],
        intermediates: [],
        androidCertificates: [{ sha256, from: '2010-01-01', to: '2030-01-01' }],
      },
    ],
  };
}

describe('when a package is signed', () => {
  it.each<[string, readonly ApkScheme[], () => Partial<ApkSignOptions>, string]>([
    ['v1', ['v1'], () => ({}), 'sha256'],
    ['v1 with an elliptic key', ['v1'], () => ({ signer: elliptic }), 'sha256'],
    ['v2', ['v2'], () => ({}), 'sha256'],
    ['v2 with an elliptic key', ['v2'], () => ({ signer: elliptic }), 'sha256'],
    ['v2 with PSS', ['v2'], () => ({ padding: 'pss' }), 'sha256'],
    ['v2 with PSS and SHA-512', ['v2'], () => ({ padding: 'pss', contentDigest: 'sha512' }), 'sha512'],
    ['v2 with SHA-512', ['v2'], () => ({ contentDigest: 'sha512' }), 'sha512'],
    ['v2 with a hash tree', ['v2'], () => ({ contentDigest: 'verity' }), 'sha256'],
    ['v1 and v2', ['v1', 'v2'], () => ({}), 'sha256'],
    ['v1, v2 and v3', ['v1', 'v2', 'v3'], () => ({}), 'sha256'],
    ['v3', ['v3'], () => ({}), 'sha256'],
    ['v3 with a comment', ['v3'], () => ({ comment: 'a comment of the archive' }), 'sha256'],
    ['all with rotation', ['v1', 'v2', 'v3', 'v3.1'], () => ({ lineage: [older] }), 'sha256'],
  ])('is intact by every scheme: %s', async (_name, schemes, options, algorithm) => {
    const given = options();
    const result = await verifyApkBytes(sign(schemes, given));
    expect(result.integrity, result.integrityDetail).toBe('intact');
    expect(result.signatures.map(({ scheme }) => scheme)).toEqual(schemes.toReversed());
    expect(result.signatures.map(({ outcome }) => outcome)).toEqual(schemes.map(() => 'holds'));
    expect(result.signatures[0]?.digestAlgorithm).toBe(algorithm);
    expect(result.signatures[0]?.signer?.sha256).toBe((given.signer ?? signer).sha256);
    expect(result.signer).toBe('other');
    expect(result.signerDetail).toContain('Missing proof: no certificate');
    expect(result.problems).toEqual([]);
    expect(result.weakDigestOnly).toBe(false);
  });

  it('says when nothing but SHA-1 protects it', async () => {
    const result = await verifyApkBytes(sign(['v1'], { jarDigest: 'sha1' }));
    expect(result).toMatchObject({ integrity: 'intact', weakDigestOnly: true });
    const both = await verifyApkBytes(sign(['v1', 'v2'], { jarDigest: 'sha1' }));
    expect(both).toMatchObject({ integrity: 'intact', weakDigestOnly: false });
  });

  it('exposes subject, issuer and validity of the certificate', async () => {
    const fake = makeCertificate({ subject: { commonName: 'CN' }, from: '2023-09-11T00:00:00Z' });
    const { signatures } = await verifyApkBytes(sign(['v2'], { signer: fake }));
    expect(signatures[0]?.signer).toMatchObject({
      subject: 'CN=CN',
      issuer: 'CN=CN',
      notBefore: '2023-09-11T00:00:00Z',
    });
  });

  it('checks the JAR signature of an App Bundle', async () => {
    const members = [
      { name: 'BundleConfig.pb', data: 'x' },
      {
        name: 'base/manifest/AndroidManifest.xml',
        data: buildProtoXml({ name: 'manifest', attributes: { package: 'com.example.rover' } }),
      },
    ];
    const signed = signApk(members, { schemes: ['v1'], signer });
    expect(await verifyApkBytes(signed, undefined, aabFormat)).toMatchObject({ integrity: 'intact' });
  });
});

describe('when the signer is asked for', () => {
  it.each<[ApkScheme]>([['v1'], ['v2'], ['v3']])('knows a pinned certificate: %s', async (scheme) => {
    const result = await verifyApkBytes(sign([scheme]), toPins(signer.sha256.toUpperCase()));
    expect(result).toMatchObject({ integrity: 'intact', signer: 'pinned', publisher: 'maker' });
    expect(result.signatures[0]?.pin).toEqual({
      publisher: 'maker',
      kind: 'leaf',
      algorithm: 'sha256',
      fingerprint: signer.sha256,
      weak: false,
      timeProved: false,
    });
  });

  it('knows a pinned certificate that handed over to the signer', async () => {
    const apk = sign(['v3'], { lineage: [older, elliptic] });
    const result = await verifyApkBytes(apk, toPins(older.sha256));
    expect(result).toMatchObject({ signer: 'pinned', publisher: 'maker' });
    expect(result.signerDetail).toContain('handed over');
    expect(result.signatures[0]?.lineage?.map(({ sha256 }) => sha256)).toEqual([
      older.sha256,
      elliptic.sha256,
    ]);
  });

  it('takes the name of a publisher for a claim only where the publisher can be known', async () => {
    const apk = sign(['v2'], { signer: stranger });
    const result = await verifyApkBytes(apk, toPins(signer.sha256));
    expect(result).toMatchObject({ integrity: 'intact', signer: 'claimed', publisher: 'maker' });
    const [publisher] = toPins('').publishers;
    if (publisher === undefined) throw new Error('there is a publisher');
    const { androidCertificates, ...unknown } = publisher;
    expect(androidCertificates).toHaveLength(1);
    const open = await verifyApkBytes(apk, { publishers: [unknown] });
    expect(open.signer).toBe('other');
    expect(open.publisher).toBeUndefined();
    expect(open.signerDetail).toContain('Missing proof');
  });

  it('calls a foreign certificate other', async () => {
    const result = await verifyApkBytes(sign(['v2']), toPins(stranger.sha256));
    expect(result).toMatchObject({ integrity: 'intact', signer: 'other' });
    expect(result.signerDetail).toContain('none that a known publisher');
  });

  it('does not count a pinned certificate on bytes that were changed', async () => {
    const apk = flipIn(sign(['v2']), 'stored as it is');
    const result = await verifyApkBytes(apk, toPins(signer.sha256));
    expect(result).toMatchObject({ integrity: 'modified', signer: 'claimed', publisher: 'maker' });
    expect(result.signatures[0]?.certificateOf).toBe('maker');
  });

  it('does not take a pinned certificate that another key stuffed in', async () => {
    const forged = { ...signer, privateKey: stranger.privateKey };
    const result = await verifyApkBytes(sign(['v2'], { signer: forged }), toPins(signer.sha256));
    expect(result).toMatchObject({ integrity: 'modified', signer: 'claimed' });
    expect(result.signatures[0]).toMatchObject({ outcome: 'fails', certificateOf: 'maker' });
    expect(result.signatures[0]?.pin).toBeUndefined();
    const jar = await verifyApkBytes(sign(['v1'], { signer: forged }), toPins(signer.sha256));
    expect(jar).toMatchObject({ integrity: 'modified', signer: 'claimed' });
    expect(jar.signatures[0]?.pin).toBeUndefined();
  });

  it('does not take a proof of rotation that the older key did not make', async () => {
    const forged = { ...older, privateKey: stranger.privateKey };
    const result = await verifyApkBytes(sign(['v3'], { lineage: [forged] }), toPins(older.sha256));
    expect(result.integrity).toBe('modified');
    expect(result.signer).not.toBe('pinned');
    expect(result.signatures[0]?.problems[0]?.message).toContain('proof of rotation does not hold');
  });
});

describe('when a package was changed after it was signed', () => {
  it.each<[string, readonly ApkScheme[]]>([
    ['v1', ['v1']],
    ['v2', ['v2']],
    ['v2 hash tree', ['v2']],
    ['v3', ['v3']],
    ['all', ['v1', 'v2', 'v3']],
  ])('is modified: %s', async (name, schemes) => {
    const options = name.includes('tree') ? ({ contentDigest: 'verity' } as const) : {};
    const result = await verifyApkBytes(flipIn(sign(schemes, options), 'stored as it is'));
    expect(result.integrity, result.integrityDetail).toBe('modified');
    expect(result.signatures.every(({ outcome }) => outcome === 'fails')).toBe(true);
    expect(result.signatures.every(({ signatureVerifies }) => signatureVerifies)).toBe(true);
    const [first] = result.signatures;
    expect(first?.signedDigest).not.toBe(first?.actualDigest);
  });

  it('names the member whose v1 digest does not hold', async () => {
    const result = await verifyApkBytes(flipIn(sign(['v1']), 'stored as it is'));
    expect(result.integrityDetail).toBe(
      'By its v1 signature "assets/stored.txt" does not have the sha256 digest that is stated.',
    );
  });

  it('knows that v2 was taken away, by the mark in v1', async () => {
    const result = await verifyApkBytes(stripSigningBlock(sign(['v1', 'v2'])));
    expect(result.integrity).toBe('modified');
    expect(result.integrityDetail).toContain('signed with v2 as well, and that signature is not there');
  });

  it('cannot know it without the mark', async () => {
    const result = await verifyApkBytes(stripSigningBlock(sign(['v1', 'v2'], { withoutMarks: true })));
    expect(result.integrity).toBe('intact');
    expect(result.signatures.map(({ scheme }) => scheme)).toEqual(['v1']);
  });

  it('knows that v3 was taken away, by the mark in v2', async () => {
    const apk = sign(['v2', 'v3']);
    const at = apk.indexOf(Buffer.from('c06853f0', 'hex'));
    apk.writeUInt32LE(0x11111111, at);
    const result = await verifyApkBytes(apk);
    expect(result.integrity).toBe('modified');
    expect(result.integrityDetail).toContain('The v2 signature says');
  });

  it('knows that v3.1 was taken away, by the mark in v3', async () => {
    const apk = sign(['v3', 'v3.1'], { lineage: [older] });
    const at = apk.indexOf(Buffer.from('61ad931b', 'hex'));
    apk.writeUInt32LE(0x11111111, at);
    const result = await verifyApkBytes(apk);
    expect(result.integrity).toBe('modified');
    expect(result.integrityDetail).toContain('signed with v3.1 as well');
  });

  it('knows that lists of digests are left without their signature', async () => {
    const lists = toJarEntries(entries, { schemes: ['v1'], signer }).filter(
      ({ name }) => name !== 'META-INF/CERT.RSA',
    );
    const result = await verifyApkBytes(buildZip({ entries: [...entries, ...lists] }));
    expect(result).toMatchObject({ integrity: 'signature-removed', signer: 'none' });
  });

  it('refuses schemes by different signers', async () => {
    const result = await verifyApkBytes(sign(['v1', 'v2'], { jarSigner: stranger }));
    expect(result.integrity).toBe('modified');
    expect(result.integrityDetail).toContain('by different signers');
  });
});

describe('when a v1 signature leaves room', () => {
  const jar = (): ReturnType<typeof toJarEntries> => toJarEntries(entries, { schemes: ['v1'], signer });

  it('refuses a member of the same name, before or behind the signed one', async () => {
    const other = { name: 'classes.dex', data: buildDex({ classes: ['evil.Main'] }) };
    for (const members of [
      [other, ...entries, ...jar()],
      [...entries, ...jar(), other],
    ]) {
      const result = await verifyApkBytes(buildZip({ entries: members }));
      expect(result.integrity).toBe('modified');
      expect(result.signatures[0]?.problems.map(({ message }) => message).join()).toContain('more than once');
    }
  });

  it('refuses a program in front of the package', async () => {
    const result = await verifyApkBytes(putInFront(sign(['v1']), buildDex({ classes: ['evil.Main'] })));
    expect(result.integrity).toBe('modified');
    expect(result.integrityDetail).toContain('CVE-2017-13156');
    expect(result.signatures[0]?.outcome).toBe('holds');
  });

  it('refuses members that are not signed, missing, hidden, or behind the end', async () => {
    const extra = { name: 'assets/extra', data: 'x' };
    const cases = [
      buildZip({ entries: [...entries, ...jar(), extra] }),
      buildZip({ entries: [...entries.slice(1), ...jar()] }),
      buildZip({ entries: [...entries, ...jar(), { ...extra, only: 'hidden' }] }),
      Buffer.concat([sign(['v1']), Buffer.from('behind the end')]),
    ];
    const results = await Promise.all(cases.map((bytes) => verifyApkBytes(bytes)));
    expect(results.map(({ integrity }) => integrity)).toEqual(cases.map(() => 'modified'));
  });

  it('remarks what lies in META-INF, which v1 never covers', async () => {
    const result = await verifyApkBytes(
      buildZip({ entries: [...entries, ...jar(), { name: 'META-INF/channel_7', data: '' }] }),
    );
    expect(result.integrity).toBe('intact');
    expect(result.problems).toEqual([
      {
        code: 'hidden-bytes',
        message: '"META-INF/channel_7" in META-INF: the v1 signature covers nothing there but itself.',
      },
    ]);
  });

  it('takes the digests of single sections where the manifest got more of them', async () => {
    // A tool that appends to the manifest breaks the digest of the whole, not those of the sections.
    const changed = jar().map((entry) =>
      entry.name === 'META-INF/MANIFEST.MF'
        ? { ...entry, data: `${String(entry.data)}Name: none\r\n\r\n` }
        : entry,
    );
    const result = await verifyApkBytes(buildZip({ entries: [...entries, ...changed] }));
    expect(result.signatures[0]?.problems.map(({ message }) => message)).toEqual([
      'v1: "none" is in the list of digests, but not in the package.',
    ]);
  });
});

describe('when the signing block is odd', () => {
  it('names bytes under unknown numbers, and leaves the known ones alone', async () => {
    const result = await verifyApkBytes(
      sign(['v2'], {
        pairs: [
          [0x71777777, Buffer.from('channel')],
          [0x42726577, Buffer.alloc(100)],
          [0x6dff800d, Buffer.from('a stamp')],
        ],
      }),
    );
    expect(result.integrity).toBe('intact');
    expect(result.problems.map(({ message }) => message)).toEqual([
      'The signing block holds 7 bytes under 0x71777777; no digest covers them.',
    ]);
    const padded = await verifyApkBytes(sign(['v2'], { pairs: [[0x42726577, Buffer.from('hidden')]] }));
    expect(padded.problems[0]?.message).toContain('6 bytes under padding');
  });

  it('is damaged, never intact, when its only signature cannot be read', async () => {
    const result = await verifyApkBytes(sign([], { pairs: [[0x7109871a, Buffer.from('not a signature')]] }));
    expect(result.integrity).toBe('damaged');
    expect(result.signatures[0]?.outcome).toBe('malformed');
  });

  it('is damaged when its sizes disagree', async () => {
    const apk = sign(['v2']);
    const magic = apk.indexOf('APK Sig Block 42');
    apk.writeBigUInt64LE(apk.readBigUInt64LE(magic - 8) - 8n, magic - 8);
    const result = await verifyApkBytes(apk);
    expect(result.integrity).toBe('damaged');
    expect(result.integrityDetail).toContain('signing block cannot be read');
  });

  it('wants the end of the package where Android looks for it', async () => {
    const trailing = await verifyApkBytes(Buffer.concat([sign(['v2']), Buffer.from('more')]));
    expect(trailing).toMatchObject({ integrity: 'modified' });
    expect(trailing.integrityDetail).toContain('4 bytes follow the end');
    const prefixed = await verifyApkBytes(Buffer.concat([Buffer.from('stub'), sign(['v2'])]));
    expect(prefixed.integrity).toBe('modified');
  });

  it('is damaged when the end is missing', async () => {
    const apk = sign(['v1', 'v2']);
    const result = await verifyApkBytes(apk.subarray(0, apk.indexOf('APK Sig Block 42')));
    expect(result).toMatchObject({ integrity: 'damaged', signer: 'none' });
  });
});

describe('when a package has no signature', () => {
  it('is unsigned', async () => {
    const result = await verifyApkBytes(buildZip({ entries }));
    expect(result).toMatchObject({ integrity: 'unsigned', signer: 'none', signatures: [] });
  });
});
