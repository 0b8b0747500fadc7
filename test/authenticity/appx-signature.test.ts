import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AppxRecipe,
  type AppxSigningOptions,
  buildAppx,
  buildSignedAppx,
  toAppxEntries,
} from '../../fixtures/appx-builder.ts';
import {
  type CertificateSetFixture,
  makeCertificateSet,
  toPem,
} from '../../fixtures/certificate-authority.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { verifyAppx } from '../../src/authenticity/appx-signature.ts';
import type { Authenticity } from '../../src/authenticity/model.ts';
import type { PublisherPins } from '../../src/authenticity/publisher-pins.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { appxBundleFormat, appxFormat } from '../../src/formats/appx/index.ts';
import { readAll } from '../formats/reading.ts';
import { mutate } from '../mutation.ts';
import { noPins } from './pins.ts';
import { toSigned } from '../formats/signed.ts';
import { hasNewOsslsigncode } from './osslsigncode-version.ts';

const subject = {
  commonName: 'Fixture Publisher',
  organization: 'Fixture Organisation',
  country: 'LU',
} as const;
let certificates: CertificateSetFixture;
let options: AppxSigningOptions;
let pins: PublisherPins;
let folder = '';
beforeAll(() => {
  certificates = makeCertificateSet({ subject, from: '2015-01-01T00:00:00Z', to: '2030-01-01T00:00:00Z' });
  options = toOptions(certificates);
  pins = {
    publishers: [
      {
        id: 'fixture',
        name: 'Fixture',
        commonNames: [subject.commonName],
        leaves: [{ sha256: certificates.leaf.sha256, from: '2015-01-01', to: '2030-01-01' }],
        intermediates: [],
      },
    ],
  };
  folder = mkdtempSync(join(tmpdir(), 'telltale-appx-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function toOptions(set: CertificateSetFixture): AppxSigningOptions {
  return {
    leaf: set.leaf,
    chain: [set.intermediate],
    digest: 'sha256',
    timestamp: {
      kind: 'rfc3161',
      time: '2016-02-26T12:00:00Z',
      authority: set.timestampAuthority,
      chain: [set.timestampRoot],
    },
  };
}

async function verify(bytes: Uint8Array, publishers = noPins, format = appxFormat): Promise<Authenticity> {
  const source = toByteSource(bytes);
  const context = { budget: new Budget(source.size), report: () => {} };
  const appxPackage = toSigned(await format.read(source, context), 'appx')?.package;
  if (appxPackage === undefined) throw new Error('no package');
  return verifyAppx(appxPackage, publishers, context);
}

function change(bytes: Uint8Array, at: number): Uint8Array {
  return Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 1 : byte));
}

describe('when a package is signed', () => {
  const recipes: Record<string, AppxRecipe> = {
    plain: {},
    'with a catalogue of code': { codeIntegrity: 'a catalogue' },
    'with zip64 records': { zip64: true },
    'with sizes behind the data': { descriptor: 'signed' },
    'as MakeAppx writes it': { zip64: true, descriptor: 'zip64' },
    'with blocks by SHA-512': { hash: 'sha512' },
    'with a member of several blocks': {
      files: [{ name: 'big.bin', data: new Uint8Array(200_000).fill(7) }],
    },
  };
  it.each(Object.keys(recipes))('holds: %s', async (name) => {
    const result = await verify(buildSignedAppx(recipes[name] ?? {}, options), pins);
    expect(result.problems).toEqual([]);
    expect(result).toMatchObject({ integrity: 'intact', signer: 'pinned', publisher: 'fixture' });
    expect(result.signatures).toHaveLength(1);
    expect(result.signatures[0]).toMatchObject({ outcome: 'holds', signingTime: '2016-02-26T12:00:00Z' });
  });

  it('holds for a bundle', async () => {
    const recipe: AppxRecipe = {
      kind: 'bundle',
      files: [{ name: 'app_x64.appx', data: buildAppx(), method: 0 }],
    };
    const result = await verify(buildSignedAppx(recipe, options), pins, appxBundleFormat);
    expect(result).toMatchObject({ integrity: 'intact', signer: 'pinned' });
  });

  it('names a signer that is not pinned', async () => {
    const other: AppxRecipe = { publisher: 'CN=Other, C=LU' };
    const set = makeCertificateSet({ subject: { commonName: 'Other', country: 'LU' } });
    const result = await verify(buildSignedAppx(other, toOptions(set)), pins);
    expect(result).toMatchObject({ integrity: 'intact', signer: 'other', problems: [] });
  });

  it('takes a pinned intermediate', async () => {
    const publishers: PublisherPins = {
      publishers: [
        {
          id: 'store',
          name: 'Store',
          commonNames: [subject.commonName],
          leaves: [],
          intermediates: [
            {
              sha256: certificates.intermediate.sha256,
              commonNames: [subject.commonName],
              from: '2010-01-01',
              to: '2030-01-01',
            },
          ],
        },
      ],
    };
    expect(await verify(buildSignedAppx({}, options), publishers)).toMatchObject({
      integrity: 'intact',
      signer: 'pinned',
      publisher: 'store',
    });
  });
});

describe('when names and certificates disagree', () => {
  it('is claimed: a certificate of the same name that is not pinned', async () => {
    const forged = toOptions(makeCertificateSet({ subject }));
    expect(await verify(buildSignedAppx({}, forged), pins)).toMatchObject({
      integrity: 'intact',
      signer: 'claimed',
      publisher: 'fixture',
    });
  });

  it('is claimed: the manifest names a publisher whose certificate it is not signed with', async () => {
    const foreign = toOptions(makeCertificateSet({ subject: { commonName: 'Somebody' } }));
    const result = await verify(buildSignedAppx({}, foreign), pins);
    expect(result).toMatchObject({ integrity: 'intact', signer: 'claimed', publisher: 'fixture' });
    expect(result.problems.map(({ code }) => code)).toContain('publisher-mismatch');
  });

  it('is claimed: by a listed name of a publisher of packages', async () => {
    const foreign = toOptions(makeCertificateSet({ subject: { commonName: 'Somebody' } }));
    const publishers: PublisherPins = {
      publishers: [
        {
          id: 'listed',
          name: 'Listed',
          commonNames: [],
          leaves: [],
          intermediates: [],
          appxPublishers: ['CN="Fixture Publisher", O=Fixture Organisation, C=LU'],
        },
      ],
    };
    expect(await verify(buildSignedAppx({}, foreign), publishers)).toMatchObject({
      signer: 'claimed',
      publisher: 'listed',
    });
  });

  it('is claimed: a pinned certificate over a manifest with another name', async () => {
    const result = await verify(buildSignedAppx({ publisher: 'CN=Another' }, options), pins);
    expect(result).toMatchObject({ integrity: 'intact', signer: 'claimed', publisher: 'fixture' });
  });
});

describe('when a signed package was changed', () => {
  it('sees a changed byte in every covered part', async () => {
    const bytes = buildSignedAppx({}, options);
    const signatureAt = bytes.indexOf('AppxSignature.p7x') - 30;
    const directoryAt = bytes.indexOf(Buffer.from('PK\x01\x02', 'latin1'));
    for (let at = 0; at < signatureAt; at += 97) {
      const result = await verify(change(bytes, at), pins).catch((error: unknown) => error);
      if (result instanceof TelltaleError) continue;
      expect(result, `offset ${at}`).not.toMatchObject({ integrity: 'intact' });
    }
    const result = await verify(change(bytes, directoryAt + 12), pins);
    expect(result.integrity).toBe('modified');
    expect(result.problems.map(({ message }) => message)).toContain(
      'The signed digest of the central directory does not hold.',
    );
  });

  it('is modified: a member was added', async () => {
    const recipe = { files: [{ name: 'App.exe', data: 'program' }] };
    const signed = buildSignedAppx(recipe, options);
    const reading = await appxFormat.read(toByteSource(signed), {
      budget: new Budget(signed.length),
      report: () => {},
    });
    const appxPackage = toSigned(reading, 'appx')?.package;
    const signature = appxPackage?.footprint.get('signature')?.bytes ?? new Uint8Array(0);
    const rebuilt = buildZip({
      entries: [
        ...toAppxEntries(recipe, true),
        { name: 'evil.dll', data: 'added' },
        { name: 'AppxSignature.p7x', data: signature },
      ],
    });
    const result = await verify(rebuilt, pins);
    expect(result).toMatchObject({ integrity: 'modified', signer: 'claimed' });
  });

  it('is modified: bytes follow it', async () => {
    const result = await verify(Buffer.concat([buildSignedAppx({}, options), Buffer.from('more')]), pins);
    expect(result).toMatchObject({ integrity: 'modified' });
    expect(result.integrityDetail).toContain('4 bytes follow');
  });

  it('is damaged: the end is missing', async () => {
    const bytes = buildSignedAppx({}, options);
    expect(await verify(bytes.subarray(0, bytes.length - 40), pins)).toMatchObject({ integrity: 'damaged' });
  });

  it('is not intact: the signature file has another name, which nothing covers', async () => {
    const bytes = Buffer.from(buildSignedAppx({}, options));
    for (
      let at = bytes.indexOf('AppxSignature.p7x', 0);
      at >= 0;
      at = bytes.indexOf('AppxSignature.p7x', at + 1)
    ) {
      bytes[at] = 'a'.charCodeAt(0);
    }
    const result = await verify(bytes, pins);
    expect(result).toMatchObject({ integrity: 'modified', signer: 'claimed' });
    expect(result.problems.map(({ message }) => message)).toContain(
      'The signature file is not named AppxSignature.p7x.',
    );
  });

  it('is signature-removed: the content types still speak of it', async () => {
    expect(await verify(buildAppx({ announcesSignature: true }), pins)).toMatchObject({
      integrity: 'signature-removed',
      signer: 'none',
    });
  });

  it('is damaged: the signature file is none', async () => {
    const entries = [...toAppxEntries({}, true), { name: 'AppxSignature.p7x', data: 'PKCXnothing' }];
    expect(await verify(buildZip({ entries }), pins)).toMatchObject({ integrity: 'damaged', signer: 'none' });
  });

  it('is not intact: a digest that has to be signed was left out', async () => {
    for (const tag of ['AXPC', 'AXCD', 'AXCT', 'AXBM', 'AXCI']) {
      const bytes = buildSignedAppx({ codeIntegrity: 'catalogue' }, { ...options, without: [tag] });
      expect(await verify(bytes, pins), tag).toMatchObject({ integrity: 'modified' });
    }
  });

  it('notes bytes behind the signature', async () => {
    const result = await verify(buildSignedAppx({}, { ...options, behind: Buffer.from('hidden') }), pins);
    expect(result.integrity).toBe('intact');
    expect(result.problems.map(({ code }) => code)).toEqual(['hidden-bytes']);
  });
});

describe('when a package is not signed', () => {
  it('is unsigned', async () => {
    expect(await verify(buildAppx(), pins)).toMatchObject({ integrity: 'unsigned', signer: 'none' });
  });

  it('is modified when its block map does not hold', async () => {
    const result = await verify(buildAppx({ unlisted: [{ name: 'evil.dll', data: 'x' }] }), pins);
    expect(result).toMatchObject({ integrity: 'modified', signer: 'none' });
    expect(result.integrityDetail).toContain('"evil.dll" is not in the map');
  });
});

describe('when a signed package is damaged at random', () => {
  it('never calls a changed package intact, never crashes', async () => {
    const recipe = { files: [{ name: 'a.txt', data: 'some text in a file' }] };
    const { leaf, chain, digest } = options;
    const seed = buildSignedAppx(recipe, { leaf, chain, digest });
    const isPayload = (name: string): boolean =>
      !name.startsWith('AppxSignature') && !name.startsWith('[trailing');
    const toPayload = async (bytes: Uint8Array): Promise<string> => {
      const { members } = await readAll(appxFormat, bytes);
      return members
        .filter(({ name }) => isPayload(name))
        .map(({ name, bytes: content }) => `${name}=${content.toString('latin1')}`)
        .join('\n');
    };
    const expected = await toPayload(seed);
    const outcomes = new Map<string, number>();
    for (const { bytes, description } of mutate(seed, 2000, 11)) {
      const started = performance.now();
      let outcome: string;
      try {
        outcome = (await verify(bytes, pins)).integrity;
      } catch (error) {
        if (!(error instanceof TelltaleError)) throw error;
        outcome = error.code;
      }
      if (outcome === 'intact') expect(await toPayload(bytes), description).toBe(expected);
      expect(performance.now() - started, description).toBeLessThan(10_000);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(outcomes.get('modified')).toBeGreaterThan(100);
    expect(outcomes.size).toBeGreaterThan(2);
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).error === undefined;
if (!hasOpenssl)
  console.warn('SKIPPED: comparison of packages with osslsigncode, because openssl is not installed');

describe.skipIf(!hasOpenssl || !hasNewOsslsigncode)('when osslsigncode signs and verifies', () => {
  const run = (tool: string, ...args: string[]): { status: number | null; text: string } => {
    const { status, stdout, stderr } = spawnSync(tool, args, { cwd: folder, encoding: 'utf8' });
    return { status, text: `${stdout}${stderr}` };
  };
  const place = (name: string): string => join(folder, name);

  const recipes: Record<string, AppxRecipe> = {
    plain: {},
    catalogue: { codeIntegrity: 'a catalogue' },
    descriptors: { descriptor: 'signed' },
    'zip64 records': { zip64: true, descriptor: 'zip64' },
    bundle: { kind: 'bundle', files: [{ name: 'app.appx', data: 'a package', method: 0 }] },
  };

  it.each(Object.keys(recipes))('reads what it signed: %s', async (name) => {
    const recipe = recipes[name] ?? {};
    writeFileSync(place('in.appx'), buildAppx(recipe));
    writeFileSync(place('key.pem'), certificates.leaf.privateKey.export({ format: 'pem', type: 'pkcs8' }));
    writeFileSync(place('chain.pem'), toPem(certificates.leaf, certificates.intermediate));
    rmSync(place('out.appx'), { force: true });
    const signed = run(
      'osslsigncode',
      'sign',
      '-certs',
      'chain.pem',
      '-key',
      'key.pem',
      '-h',
      'sha256',
      'in.appx',
      'out.appx',
    );
    expect(signed.status, signed.text).toBe(0);
    const bytes = readFileSync(place('out.appx'));
    const format = recipe.kind === 'bundle' ? appxBundleFormat : appxFormat;
    expect(await verify(bytes, pins, format)).toMatchObject({ integrity: 'intact', signer: 'pinned' });
    const broken = change(bytes, 40);
    expect(await verify(broken, pins, format)).not.toMatchObject({ integrity: 'intact' });
  });

  it.each(Object.keys(recipes))('verifies what the fixture signed: %s', (name) => {
    writeFileSync(place('ours.appx'), buildSignedAppx(recipes[name] ?? {}, options));
    writeFileSync(place('root.pem'), toPem(certificates.root));
    writeFileSync(place('tsa.pem'), toPem(certificates.timestampRoot));
    const { text } = run(
      'osslsigncode',
      'verify',
      '-CAfile',
      'root.pem',
      '-TSA-CAfile',
      'tsa.pem',
      'ours.appx',
    );
    expect(text).toContain('Signature verification: ok');
    expect(text).not.toContain('Signature hash verification failed');
  });
});
