import { createPrivateKey } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeAndroidProject } from '../../fixtures/android-project.ts';
import { type ApkRecipe, toApkEntries } from '../../fixtures/apk-builder.ts';
import { flipIn, putInFront, stripSigningBlock } from '../../fixtures/apk-damage.ts';
import { signApk, toJarEntries } from '../../fixtures/apk-signer.ts';
import { type CertificateFixture, makeCertificate } from '../../fixtures/certificate-authority.ts';
import { buildDex } from '../../fixtures/dex-builder.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import type { Authenticity } from '../../src/authenticity/model.ts';
import { androidTools, framework, makeWith, runTool } from '../android-tools.ts';
import { verifyApkBytes } from './verify-apk.ts';

const folder = mkdtempSync(join(tmpdir(), 'telltale-apksigner-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What apksigner says of a package. */
interface Verification {
  readonly verifies: boolean;
  readonly schemes: readonly string[];
  readonly certificates: readonly string[];
  readonly output: string;
}

function askApksigner(path: string, ...options: readonly string[]): Verification {
  const { code, output } = runTool('apksigner', 'verify', '--verbose', '--print-certs', ...options, path);
  return {
    verifies: code === 0,
    schemes: [...output.matchAll(/^Verified using (v\d) scheme .*: true$/gm)].map(
      ([, scheme = '']) => scheme,
    ),
    certificates: [...output.matchAll(/certificate SHA-256 digest: ([0-9a-f]{64})/g)].map(
      ([, digest = '']) => digest,
    ),
    output,
  };
}

function askUs(path: string): Promise<Authenticity> {
  return verifyApkBytes(readFileSync(path));
}

/** Both say that it is intact, by the same schemes and the same certificate. */
async function expectIntact(path: string, ...options: readonly string[]): Promise<Authenticity> {
  const theirs = askApksigner(path, ...options);
  const ours = await askUs(path);
  expect(theirs.verifies, theirs.output).toBe(true);
  expect(ours.integrity, ours.integrityDetail).toBe('intact');
  // Schemes that no Android above the package's lowest version would look at, apksigner leaves out.
  const found = ours.signatures.map(({ scheme }) => scheme);
  expect(found).toEqual(expect.arrayContaining([...theirs.schemes]));
  expect(found[0]).toBe(theirs.schemes.at(-1));
  // apksigner shows the signer of the strongest scheme.
  expect([ours.signatures[0]?.signer?.sha256]).toEqual(theirs.certificates);
  return ours;
}

async function expectRefused(path: string, reason: RegExp): Promise<Authenticity> {
  const theirs = askApksigner(path);
  const ours = await askUs(path);
  expect(theirs.verifies, theirs.output).toBe(false);
  expect(theirs.output).toMatch(reason);
  expect(ours.integrity, ours.integrityDetail).not.toBe('intact');
  return ours;
}

/** Key and certificate as files that apksigner takes. @returns its options */
function writeKey(name: string, certificate: CertificateFixture): readonly string[] {
  const key = join(folder, `${name}.pk8`);
  const path = join(folder, `${name}.der`);
  const pkcs8 = createPrivateKey(certificate.privateKey.export({ format: 'pem', type: 'pkcs8' }));
  writeFileSync(key, pkcs8.export({ format: 'der', type: 'pkcs8' }));
  writeFileSync(path, certificate.encoded);
  return ['--key', key, '--cert', path];
}

const signer = makeCertificate({ subject: { commonName: 'Signer', country: 'LU' } });
const stranger = makeCertificate({ subject: { commonName: 'Stranger' } });
const elliptic = makeCertificate({ subject: { commonName: 'Elliptic' }, key: 'ec' });

const hasBuildTools =
  androidTools.apksigner && androidTools.aapt && androidTools.zipalign && androidTools.framework;

describe.skipIf(!hasBuildTools)('when apksigner signs a package that aapt made', () => {
  const base = join(folder, 'base.apk');
  const at = (name: string): string => join(folder, `${name}.apk`);
  const sign = (name: string, ...options: readonly string[]): string => {
    copyFileSync(base, at(name));
    makeWith('apksigner', 'sign', ...options, at(name));
    return at(name);
  };

  beforeAll(() => {
    const { manifest, resources } = writeAndroidProject(folder);
    const raw = join(folder, 'raw.apk');
    makeWith('aapt', 'package', '-f', '-M', manifest, '-S', resources, '-I', framework, '-F', raw);
    const program = join(folder, 'classes.dex');
    writeFileSync(program, buildDex({ classes: ['com.example.raider.Main'] }));
    makeWith('aapt', 'add', '-k', raw, program);
    makeWith('zipalign', '-f', '4', raw, base);
  }, 60_000);

  it('agrees on v1, v2 and v3 together, and on v4 beside them', async () => {
    const path = sign('all', ...writeKey('signer', signer));
    const ours = await expectIntact(path);
    expect(ours.signatures.map(({ scheme }) => scheme)).toEqual(['v3', 'v2', 'v1']);
    expect(ours.problems).toEqual([]);
    expect(existsSync(`${path}.idsig`)).toBe(true);
    // Signed anew by somebody else: whole again, but by another certificate.
    copyFileSync(path, at('again'));
    makeWith('apksigner', 'sign', ...writeKey('stranger', stranger), at('again'));
    const again = await expectIntact(at('again'));
    expect(again.signatures[0]?.signer?.sha256).toBe(stranger.sha256);
  });

  it('agrees on v1 alone, by an elliptic key', async () => {
    const only = ['--v2-signing-enabled', 'false', '--v3-signing-enabled', 'false'];
    const ours = await expectIntact(sign('v1', ...only, ...writeKey('elliptic', elliptic)));
    expect(ours.signatures.map(({ scheme }) => scheme)).toEqual(['v1']);
  });

  it('agrees on a hash tree', async () => {
    const options = ['--verity-enabled', '--min-sdk-version', '28', '--v4-signing-enabled', 'false'];
    await expectIntact(sign('verity', ...options, ...writeKey('signer', signer)), '--min-sdk-version', '28');
  });

  it('agrees on a certificate that was handed over', async () => {
    const lineage = join(folder, 'lineage');
    const older = writeKey('stranger', stranger);
    const newer = writeKey('signer', signer);
    makeWith('apksigner', 'rotate', '--out', lineage, '--old-signer', ...older, '--new-signer', ...newer);
    const path = sign('rotated', '--lineage', lineage, ...older, '--next-signer', ...newer);
    const ours = await expectIntact(path);
    expect(ours.signatures[0]?.lineage?.map(({ sha256 }) => sha256)).toEqual([stranger.sha256]);
    expect(ours.signatures[1]?.signer?.sha256).toBe(stranger.sha256);
  });

  it.skipIf(!androidTools.keytool)('agrees on a DSA key, as old apps have one', async () => {
    const store = join(folder, 'dsa.jks');
    makeWith(
      'keytool',
      ...'-genkeypair -keyalg DSA -keysize 1024 -sigalg SHA1withDSA -alias a -storepass secret -keypass secret -dname CN=Dsa -validity 1000 -keystore'.split(
        ' ',
      ),
      store,
    );
    const only = ['--v3-signing-enabled', 'false', '--v4-signing-enabled', 'false'];
    const path = sign('dsa', ...only, '--ks', store, '--ks-pass', 'pass:secret');
    const ours = await expectIntact(path);
    expect(ours.signatures.map(({ scheme }) => scheme)).toEqual(['v2', 'v1']);
    expect(ours.signatures[0]?.signer?.subject).toBe('CN=Dsa');
  });

  it('agrees on what was done to it afterwards', async () => {
    const signed = readFileSync(sign('victim', ...writeKey('signer', signer)));
    // In the program, which aapt stores as it is or packs; in its name in the list of members otherwise.
    writeFileSync(at('changed'), flipIn(signed, 'classes.dex'));
    await expectRefused(at('changed'), /ERROR|Exception/);
    writeFileSync(at('stripped'), stripSigningBlock(signed));
    const ours = await expectRefused(at('stripped'), /Signature stripped\?/);
    expect(ours).toMatchObject({ integrity: 'modified' });
    expect(ours.integrityDetail).toContain('as well, and that signature is not there');
  });
});

describe.skipIf(!androidTools.apksigner)('when apksigner checks packages that were signed here', () => {
  const recipe: ApkRecipe = {
    packageId: 'com.example.rover',
    entries: [{ name: 'assets/stored.txt', data: 'stored as it is', method: 0 }],
  };
  const entries = toApkEntries(recipe);
  const later = toApkEntries({ ...recipe, minSdk: 28 });
  const older = makeCertificate({ subject: { commonName: 'Older' } });
  const write = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, `own-${name}.apk`);
    writeFileSync(path, bytes);
    return path;
  };

  it('agrees on all schemes, on SHA-512, on rotation and on a hash tree', async () => {
    await expectIntact(write('all', signApk(entries, { schemes: ['v1', 'v2', 'v3'], signer })));
    await expectIntact(write('sha1', signApk(entries, { schemes: ['v1'], signer, jarDigest: 'sha1' })));
    await expectIntact(
      write('lineage', signApk(later, { schemes: ['v3'], signer, lineage: [older, elliptic] })),
    );
    await expectIntact(
      write('long', signApk(later, { schemes: ['v2', 'v3'], signer: elliptic, contentDigest: 'sha512' })),
    );
    await expectIntact(
      write('tree', signApk(later, { schemes: ['v2', 'v3'], signer, contentDigest: 'verity' })),
    );
  });

  it('agrees on changed, doubled, foreign and missing members', async () => {
    const jar = toJarEntries(entries, { schemes: ['v1'], signer });
    const double = { name: 'classes.dex', data: buildDex({ classes: ['evil.Main'] }) };
    const changed = flipIn(signApk(entries, { schemes: ['v1', 'v2', 'v3'], signer }), 'stored as it is');
    await expectRefused(write('changed', changed), /digest/);
    await expectRefused(
      write('double', buildZip({ entries: [...entries, ...jar, double] })),
      /Duplicate entry/,
    );
    const extra = { name: 'assets/extra', data: 'x' };
    await expectRefused(write('extra', buildZip({ entries: [...entries, ...jar, extra] })), /No digest for/);
    await expectRefused(
      write('missing', buildZip({ entries: [...entries.slice(0, -1), ...jar] })),
      /not found/,
    );
    const mixed = signApk(entries, { schemes: ['v1', 'v2'], signer, jarSigner: stranger });
    await expectRefused(write('mixed', mixed), /No APK Signature Scheme v2 signature from this signer/);
  });

  it('agrees that a stripped mark leaves nothing to be seen', async () => {
    const apk = signApk(entries, { schemes: ['v1', 'v2'], signer, withoutMarks: true });
    await expectIntact(write('unmarked', stripSigningBlock(apk)));
  });

  it('is stricter on a program in front of a package that v1 alone protects', async () => {
    const apk = putInFront(
      signApk(entries, { schemes: ['v1'], signer }),
      buildDex({ classes: ['evil.Main'] }),
    );
    const path = write('janus', apk);
    const ours = await askUs(path);
    expect(askApksigner(path)).toMatchObject({ verifies: true, schemes: ['v1'] });
    expect(ours.integrity).toBe('modified');
    expect(ours.integrityDetail).toContain('CVE-2017-13156');
  });
});
