import { describe, expect, it } from 'vitest';
import { toApkEntries } from '../../fixtures/apk-builder.ts';
import { stripSigningBlock } from '../../fixtures/apk-damage.ts';
import { type ApkScheme, signApk } from '../../fixtures/apk-signer.ts';
import { makeCertificate } from '../../fixtures/certificate-authority.ts';
import type { Authenticity } from '../../src/authenticity/model.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { apkFormat } from '../../src/formats/apk/index.ts';
import { readAll } from '../formats/reading.ts';
import { mutate } from '../mutation.ts';
import { verifyApkBytes } from './verify-apk.ts';

// Elliptic keys: small and quick.
const older = makeCertificate({ subject: { commonName: 'Older' }, key: 'ec' });
const signer = makeCertificate({ subject: { commonName: 'Signer' }, key: 'ec' });
const pins = {
  publishers: [
    {
      id: 'maker',
      name: 'Maker',
      commonNames: [],
      leaves: [],
      intermediates: [],
      androidCertificates: [{ sha256: older.sha256, from: '2010-01-01', to: '2040-01-01' }],
    },
  ],
};
const [manifest, icon] = toApkEntries({ packageId: 'a.b', labels: { '': 'A' } });
if (manifest === undefined || icon === undefined) throw new Error('there are members');
const entries = [manifest, icon];

function sign(...schemes: readonly ApkScheme[]): Buffer {
  return signApk(entries, { schemes, signer, lineage: [older] });
}

/** What was signed: everything outside the signing block. */
function tryStrip(apk: Uint8Array): string | undefined {
  try {
    return stripSigningBlock(apk).toString('base64');
  } catch {
    return undefined;
  }
}

/** What v1 covers: names and bytes of the members that the package lists, outside of META-INF. */
async function toCovered(apk: Uint8Array): Promise<string> {
  const { members } = await readAll(apkFormat, apk);
  return members
    .filter(({ name }) => !name.startsWith('META-INF/'))
    .map(({ name, bytes }) => `${name} ${bytes.toString('base64')}`)
    .sort()
    .join('\n');
}

/** @param isUnchanged - whether a mutant still is what was signed */
async function endure(
  seed: Buffer,
  count: number,
  prngSeed: number,
  isUnchanged: (bytes: Uint8Array) => Promise<boolean> | boolean,
): Promise<number> {
  let refused = 0;
  for (const { bytes, description } of mutate(seed, count, prngSeed)) {
    const started = performance.now();
    let result: Authenticity | undefined;
    try {
      result = await verifyApkBytes(bytes, pins, apkFormat, 5000);
    } catch (error) {
      if (!(error instanceof TelltaleError)) {
        throw new Error(`${description}: ${String(error)}`, { cause: error });
      }
    }
    expect(performance.now() - started, description).toBeLessThan(6000);
    if (result?.integrity === 'intact' || result?.signer === 'pinned') {
      expect(await isUnchanged(bytes), `${description}: ${result.integrityDetail}`).toBe(true);
    } else refused += 1;
  }
  return refused;
}

describe('when a signed package is damaged in 2,000 ways', () => {
  it('is never intact when anything outside the signing block was changed', async () => {
    const seed = sign('v2', 'v3');
    expect(await verifyApkBytes(seed, pins)).toMatchObject({ integrity: 'intact', signer: 'pinned' });
    const expected = tryStrip(seed);
    const refused = await endure(seed, 2000, 21, (bytes) => tryStrip(bytes) === expected);
    expect(refused).toBeGreaterThan(1000);
  });

  it('is never intact when the damage is in the signing block alone', async () => {
    const seed = sign('v3');
    const magic = seed.indexOf('APK Sig Block 42');
    const size = Number(seed.readBigUInt64LE(magic - 8));
    const start = magic + 16 - size - 8;
    const block = seed.subarray(start, magic + 16);
    let refused = 0;
    for (const { bytes, description } of mutate(block, 2000, 22)) {
      if (block.equals(bytes)) continue;
      const apk = Buffer.concat([seed.subarray(0, start), bytes, seed.subarray(magic + 16)]);
      apk.writeUInt32LE(start + bytes.length, apk.length - 22 + 16);
      const result = await verifyApkBytes(apk, pins);
      expect(result.integrity, description).not.toBe('intact');
      expect(result.signer, description).not.toBe('pinned');
      refused += 1;
    }
    expect(refused).toBeGreaterThan(1800);
  });

  it('is never intact by v1 when a member was changed', async () => {
    const seed = signApk(entries, { schemes: ['v1'], signer: older });
    expect(await verifyApkBytes(seed, pins)).toMatchObject({ integrity: 'intact', signer: 'pinned' });
    const expected = await toCovered(seed);
    const refused = await endure(seed, 2000, 23, async (bytes) => (await toCovered(bytes)) === expected);
    expect(refused).toBeGreaterThan(1000);
  });
});
