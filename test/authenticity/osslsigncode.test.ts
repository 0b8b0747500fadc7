import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeSignature, type SignOptions, signPe } from '../../fixtures/authenticode-signer.ts';
import { makeCertificate, makeCertificateSet, toPem } from '../../fixtures/certificate-authority.ts';
import { buildPe } from '../../fixtures/pe-builder.ts';
import type { PublisherPins } from '../../src/authenticity/publisher-pins.ts';
import { hasNewOsslsigncode } from './osslsigncode-version.ts';
import { verifyBytes } from './verify-bytes.ts';

const hasTools = ['osslsigncode', 'openssl'].every(
  (tool) => spawnSync(tool, ['version']).error === undefined,
);
if (!hasTools) console.warn('SKIPPED: comparison with osslsigncode, because it or openssl is not installed');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-authenticode-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function inFolder(name: string): string {
  return join(folder, name);
}

function run(tool: string, ...args: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(tool, args, { cwd: folder, encoding: 'utf8' });
  return { status, text: `${stdout}${stderr}` };
}

function must(tool: string, ...args: string[]): void {
  const { status, text } = run(tool, ...args);
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${text}`);
}

/** `openssl ca` is the only one of its commands that takes both ends of a validity. */
function issue(
  name: string,
  subject: string,
  section: string,
  ca: string,
  from = '20150101000000Z',
  to = '20161231000000Z',
): void {
  must(
    'openssl',
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    subject,
  );
  must(
    'openssl',
    'ca',
    '-batch',
    '-config',
    'ca.cnf',
    '-extensions',
    section,
    ...(ca === name ? ['-selfsign'] : ['-cert', `${ca}.pem`]),
    '-keyfile',
    `${ca}.key`,
    '-in',
    `${name}.csr`,
    '-out',
    `${name}.pem`,
    '-startdate',
    from,
    '-enddate',
    to,
    '-notext',
  );
}

function sign(name: string, from: string, certificates: string, key: string, ...more: string[]): Uint8Array {
  rmSync(inFolder(name), { force: true });
  must('osslsigncode', 'sign', '-certs', certificates, '-key', key, ...more, '-in', from, '-out', name);
  return new Uint8Array(readFileSync(inFolder(name)));
}

const plain = buildPe({
  sections: [{ name: '.data', data: new Uint8Array(2000).fill(3) }],
  overlay: new Uint8Array(21),
});

describe.skipIf(!hasTools)('when osslsigncode reads what our fixtures sign', () => {
  const { root, intermediate, leaf, timestampRoot, timestampAuthority } = makeCertificateSet({
    subject: { commonName: 'Fixture Publisher', organization: 'Fixture', country: 'LU' },
    from: '2015-01-01T00:00:00Z',
    to: '2016-12-31T00:00:00Z',
  });
  const token = {
    kind: 'rfc3161',
    time: '2016-03-01T12:00:00Z',
    authority: timestampAuthority,
    chain: [timestampRoot],
  } as const;
  const stamp = { ...token, kind: 'legacy' } as const;
  const usual: SignOptions = { leaf, chain: [intermediate], digest: 'sha256', timestamp: token };

  function verify(bytes: Uint8Array): { status: number | null; text: string } {
    writeFileSync(inFolder('ours.exe'), bytes);
    writeFileSync(inFolder('root.pem'), toPem(root));
    writeFileSync(inFolder('stamp-root.pem'), toPem(timestampRoot));
    return run(
      'osslsigncode',
      'verify',
      '-CAfile',
      'root.pem',
      '-TSA-CAfile',
      'stamp-root.pem',
      '-in',
      'ours.exe',
    );
  }

  const { timestamp: _, ...unstamped } = usual;
  it.each<[string, SignOptions]>([
    ['SHA-256 with a token', usual],
    ['SHA-1 with a countersignature', { ...usual, digest: 'sha1', timestamp: stamp }],
    ['a program name', { ...usual, programName: 'Fixture', url: 'https://example.org/' }],
    ['SHA-1 with a nested SHA-256', { ...usual, digest: 'sha1', timestamp: stamp, nested: usual }],
  ])('it confirms %s', (_name, options) => {
    const { status, text } = verify(signPe(plain, options));
    expect(text).toContain('Signature verification: ok');
    expect(text).not.toContain('Signature verification: failed');
    expect(status).toBe(0);
  });

  it('it refuses what we call modified, and the expired one without a stamp', () => {
    const signed = signPe(plain, usual);
    expect(verify(Uint8Array.from(signed, (byte, at) => (at === 1100 ? byte ^ 1 : byte))).status).not.toBe(0);
    expect(verify(signPe(plain, unstamped)).status).not.toBe(0);
    expect(verify(removeSignature(signed)).text).toContain('No signature found');
  });
});

describe.skipIf(!hasTools)('when osslsigncode signs', () => {
  const names = { publisher: '/C=LU/O=Tool Publisher/CN=Tool Publisher', other: '/CN=Somebody Else' };
  let pins: PublisherPins = { publishers: [] };

  beforeAll(() => {
    writeFileSync(
      inFolder('ca.cnf'),
      `[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
countryName = optional
organizationName = optional
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[code]
basicConstraints = CA:FALSE
extendedKeyUsage = codeSigning
[stamp]
basicConstraints = CA:FALSE
extendedKeyUsage = critical,timeStamping
[req]
distinguished_name = empty
[empty]
`,
    );
    writeFileSync(inFolder('index.txt'), '');
    issue('root', '/CN=Tool Root', 'authority', 'root', '20100101000000Z', '20300101000000Z');
    issue('middle', '/O=Tool/CN=Tool Code CA', 'authority', 'root', '20100101000000Z', '20300101000000Z');
    issue('leaf', names.publisher, 'code', 'middle');
    issue('other', names.other, 'code', 'middle');
    issue('stamp', '/CN=Tool Stamps', 'stamp', 'root', '20100101000000Z', '20300101000000Z');
    must(
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'forger.key',
      '-out',
      'forger.pem',
      '-days',
      '900',
      '-subj',
      names.publisher,
    );
    writeFileSync(
      inFolder('leaf-chain.pem'),
      Buffer.concat(['leaf.pem', 'middle.pem'].map((name) => readFileSync(inFolder(name)))),
    );
    writeFileSync(
      inFolder('other-chain.pem'),
      Buffer.concat(['other.pem', 'middle.pem'].map((name) => readFileSync(inFolder(name)))),
    );
    writeFileSync(
      inFolder('stamp-chain.pem'),
      Buffer.concat(['stamp.pem', 'root.pem'].map((name) => readFileSync(inFolder(name)))),
    );
    writeFileSync(inFolder('plain.exe'), plain);
    const print =
      /=([0-9A-F:]+)/.exec(
        run('openssl', 'x509', '-in', 'leaf.pem', '-noout', '-fingerprint', '-sha256').text,
      )?.[1] ?? '';
    pins = {
      publishers: [
        {
          id: 'tool',
          name: 'Tool',
          commonNames: ['Tool Publisher'],
          leaves: [{ sha256: print.replaceAll(':', '').toLowerCase(), from: '2015-01-01', to: '2016-12-31' }],
          intermediates: [],
        },
      ],
    };
  });

  const stamped = ['-TSA-certs', 'stamp-chain.pem', '-TSA-key', 'stamp.key', '-TSA-time', '1456833600'];

  it.skipIf(!hasNewOsslsigncode)('an expired certificate with a stamp is intact and pinned', () => {
    const signed = sign(
      'good.exe',
      'plain.exe',
      'leaf-chain.pem',
      'leaf.key',
      '-h',
      'sha256',
      '-n',
      'Tool',
      '-i',
      'https://example.org/',
      ...stamped,
    );
    const authenticity = verifyBytes(signed, pins);
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'pinned' });
    expect(authenticity.signatures).toMatchObject([
      {
        programName: 'Tool',
        url: 'https://example.org/',
        signingTime: '2016-03-01T12:00:00Z',
        expiredAtSigning: false,
        problems: [],
      },
    ]);
    expect(authenticity.signatures[0]?.chain.map(({ subjectCommonName }) => subjectCommonName)).toEqual([
      'Tool Publisher',
      'Tool Code CA',
    ]);
    expect(
      run('osslsigncode', 'verify', '-CAfile', 'root.pem', '-TSA-CAfile', 'root.pem', '-in', 'good.exe')
        .status,
    ).toBe(0);
  });

  it('one without a stamp has no proved time', () => {
    const authenticity = verifyBytes(
      sign('unstamped.exe', 'plain.exe', 'leaf-chain.pem', 'leaf.key', '-h', 'sha256'),
      pins,
    );
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'pinned' });
    expect(authenticity.signatures[0]).toMatchObject({
      pin: { timeProved: false },
      problems: [{ code: 'time-not-proved' }],
    });
    expect(authenticity.signatures[0]?.expiredAtSigning).toBeUndefined();
  });

  it.skipIf(!hasNewOsslsigncode)('a stamp from after the certificate expired is not pinned', () => {
    const late = ['-TSA-certs', 'stamp-chain.pem', '-TSA-key', 'stamp.key', '-TSA-time', '1577880000'];
    const authenticity = verifyBytes(
      sign('late.exe', 'plain.exe', 'leaf-chain.pem', 'leaf.key', '-h', 'sha256', ...late),
      pins,
    );
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'claimed' });
    expect(authenticity.signatures[0]).toMatchObject({
      expiredAtSigning: true,
      signingTime: '2020-01-01T12:00:00Z',
    });
  });

  it.skipIf(!hasNewOsslsigncode)('a changed byte is modified', () => {
    const signed = sign('changed.exe', 'plain.exe', 'leaf-chain.pem', 'leaf.key', '-h', 'sha1', ...stamped);
    const authenticity = verifyBytes(
      Uint8Array.from(signed, (byte, at) => (at === 1100 ? byte ^ 1 : byte)),
      pins,
    );
    expect(authenticity).toMatchObject({
      integrity: 'modified',
      signer: 'claimed',
      publisher: 'tool',
      weakDigestOnly: true,
    });
  });

  it.skipIf(!hasNewOsslsigncode)('a nested signature is checked, and page hashes are told', () => {
    sign('sha1.exe', 'plain.exe', 'leaf-chain.pem', 'leaf.key', '-h', 'sha1', '-ph', ...stamped);
    const authenticity = verifyBytes(
      sign('dual.exe', 'sha1.exe', 'leaf-chain.pem', 'leaf.key', '-h', 'sha256', '-nest', ...stamped),
      pins,
    );
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'pinned', weakDigestOnly: false });
    expect(authenticity.signatures).toMatchObject([
      {
        nested: false,
        digestAlgorithm: 'sha1',
        outcome: 'holds',
        hasPageHashes: true,
        timestamps: [{ verified: true }],
      },
      {
        nested: true,
        digestAlgorithm: 'sha256',
        outcome: 'holds',
        hasPageHashes: false,
        timestamps: [{ verified: true }],
      },
    ]);
  });

  it.each(['sha384', 'sha512', 'md5'])('%s is read', (digest) => {
    const authenticity = verifyBytes(
      sign(`${digest}.exe`, 'plain.exe', 'leaf-chain.pem', 'leaf.key', '-h', digest),
      pins,
    );
    expect(authenticity).toMatchObject({ integrity: 'intact', weakDigestOnly: digest === 'md5' });
    expect(authenticity.signatures[0]?.digestAlgorithm).toBe(digest);
  });

  it('a removed signature is unsigned', () => {
    sign('removed.exe', 'plain.exe', 'leaf-chain.pem', 'leaf.key', '-h', 'sha256');
    must('osslsigncode', 'remove-signature', '-in', 'removed.exe', '-out', 'without.exe');
    expect(verifyBytes(new Uint8Array(readFileSync(inFolder('without.exe'))), pins).integrity).toBe(
      'unsigned',
    );
  });

  it.skipIf(!hasNewOsslsigncode)('another signer is other, the same name on another key is claimed', () => {
    expect(
      verifyBytes(
        sign('other.exe', 'plain.exe', 'other-chain.pem', 'other.key', '-h', 'sha256', ...stamped),
        pins,
      ).signer,
    ).toBe('other');
    const forged = verifyBytes(
      sign('forged.exe', 'plain.exe', 'forger.pem', 'forger.key', '-h', 'sha256', '-ac', 'leaf-chain.pem'),
      pins,
    );
    expect(forged).toMatchObject({ integrity: 'intact', signer: 'claimed', publisher: 'tool' });
    expect(forged.signatures[0]?.problems.map(({ code }) => code)).toContain('unused-certificates');
  });

  it('an unauthenticated blob is remarked on', () => {
    const authenticity = verifyBytes(
      sign('blob.exe', 'plain.exe', 'leaf-chain.pem', 'leaf.key', '-h', 'sha256', '-addUnauthenticatedBlob'),
      pins,
    );
    expect(authenticity.integrity).toBe('intact');
    expect(authenticity.signatures[0]?.problems.map(({ code }) => code)).toContain('hidden-bytes');
  });

  it('our digests are those that it prints', () => {
    const signed = sign('digest.exe', 'plain.exe', 'leaf-chain.pem', 'leaf.key', '-h', 'sha256');
    const { text } = run('osslsigncode', 'verify', '-in', 'digest.exe');
    const printed = /Calculated message digest\s*: ([0-9A-F]+)/.exec(text)?.[1]?.toLowerCase();
    expect(verifyBytes(signed, pins).signatures[0]?.actualDigest).toBe(printed);
  });
});

describe('when a certificate is self-made', () => {
  it('the fixture authority makes one that signs itself', () => {
    const certificate = makeCertificate({ subject: { commonName: 'Self' }, key: 'ec' });
    expect(certificate.subject).toEqual(certificate.issuer);
  });
});
