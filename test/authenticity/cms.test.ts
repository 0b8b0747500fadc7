import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeSignature } from '../../fixtures/authenticode-signer.ts';
import { makeCertificate, toPem } from '../../fixtures/certificate-authority.ts';
import * as writer from '../../fixtures/der-writer.ts';
import { buildPe } from '../../fixtures/pe-builder.ts';
import { checkSigner, parseSignedData, type SignerCheck } from '../../src/authenticity/cms.ts';
import { parseDer } from '../../src/authenticity/der.ts';
import { parseSignatureScheme } from '../../src/authenticity/x509.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { mutate } from '../mutation.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.warn('SKIPPED: signatures made by openssl cms, because openssl is not installed');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-cms-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function check(blob: Uint8Array): SignerCheck[] {
  const { signers, content, contentType, certificates } = parseSignedData(blob);
  return signers.map((signer) =>
    checkSigner(signer, content ?? new Uint8Array(0), contentType, certificates),
  );
}

describe.skipIf(!hasOpenssl)('when openssl cms signs', () => {
  const content = 'signed by a tool '.repeat(600);

  function signWith(key: 'rsa' | 'ec', ...more: string[]): Uint8Array {
    const certificate = makeCertificate({ subject: { commonName: 'Tool' }, key });
    writeFileSync(join(folder, 'certificate.pem'), toPem(certificate));
    writeFileSync(join(folder, 'key.pem'), certificate.privateKey.export({ format: 'pem', type: 'pkcs8' }));
    writeFileSync(join(folder, 'content'), content);
    const { status, stderr } = spawnSync(
      'openssl',
      [
        'cms',
        '-sign',
        '-binary',
        '-nodetach',
        '-outform',
        'DER',
        '-in',
        'content',
        '-out',
        'blob',
        '-signer',
        'certificate.pem',
        '-inkey',
        'key.pem',
        ...more,
      ],
      { cwd: folder, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
    return new Uint8Array(readFileSync(join(folder, 'blob')));
  }

  it.each<[string, 'rsa' | 'ec', string[]]>([
    ['RSA', 'rsa', []],
    ['RSA-PSS', 'rsa', ['-keyopt', 'rsa_padding_mode:pss']],
    [
      'RSA-PSS with a chosen salt',
      'rsa',
      ['-md', 'sha384', '-keyopt', 'rsa_padding_mode:pss', '-keyopt', 'rsa_pss_saltlen:20'],
    ],
    ['ECDSA', 'ec', ['-md', 'sha512']],
    ['a key identifier', 'rsa', ['-keyid']],
    ['no signed attributes', 'rsa', ['-noattr']],
    ['indefinite lengths and a string in pieces', 'rsa', ['-stream']],
  ])('%s holds, and does not with a changed byte', (_, key, more) => {
    const blob = signWith(key, ...more);
    expect(check(blob)).toMatchObject([
      { outcome: 'holds', problem: undefined, certificate: { summary: { subjectCommonName: 'Tool' } } },
    ]);
    const at = Buffer.from(blob).indexOf('signed by');
    expect(check(Uint8Array.from(blob, (byte, index) => (index === at ? byte ^ 1 : byte)))).toMatchObject([
      { outcome: 'fails' },
    ]);
  });

  it('a stream really has an indefinite length', () => {
    expect(signWith('rsa', '-stream')[1]).toBe(0x80);
  });

  it('an unsupported digest proves nothing', () => {
    expect(check(signWith('rsa', '-md', 'sha224'))).toMatchObject([{ outcome: 'unsupported' }]);
  });
});

describe('when a signature algorithm is read', () => {
  const sha256 = writer.sequence(writer.oid('2.16.840.1.101.3.4.2.1'));
  const sha1 = writer.sequence(writer.oid('1.3.14.3.2.26'));
  const mask = (digest: Uint8Array): Uint8Array =>
    writer.sequence(writer.oid('1.2.840.113549.1.1.8'), digest);
  const pss = (...fields: Uint8Array[]): Uint8Array =>
    writer.sequence(writer.oid('1.2.840.113549.1.1.10'), writer.sequence(...fields));

  it('takes the defaults of PSS', () => {
    expect(parseSignatureScheme(parseDer(pss()), 'sha1')).toEqual({
      kind: 'rsa-pss',
      digest: 'sha1',
      saltLength: 20,
    });
  });

  it('does not take a mask with another digest, or one that contradicts', () => {
    expect(
      parseSignatureScheme(
        parseDer(
          pss(
            writer.context(0, sha256),
            writer.context(1, mask(sha256)),
            writer.context(2, writer.integer(32)),
          ),
        ),
        'sha256',
      ),
    ).toEqual({
      kind: 'rsa-pss',
      digest: 'sha256',
      saltLength: 32,
    });
    expect(
      parseSignatureScheme(parseDer(pss(writer.context(0, sha256), writer.context(1, mask(sha1)))), 'sha256'),
    ).toBeUndefined();
    expect(parseSignatureScheme(parseDer(pss()), 'sha256')).toBeUndefined();
    const sha1WithRsa = writer.sequence(writer.oid('1.2.840.113549.1.1.5'));
    expect(parseSignatureScheme(parseDer(sha1WithRsa), 'sha256')).toBeUndefined();
  });
});

describe('when a blob is damaged at random', () => {
  it('2,000 mutants throw nothing but our own errors', () => {
    const leaf = makeCertificate({ subject: { commonName: 'Mutant' }, key: 'ec' });
    const seed = makeSignature(buildPe(), { leaf, chain: [], digest: 'sha256', programName: 'M' });
    expect(check(seed)).toMatchObject([{ outcome: 'holds' }]);
    let opened = 0;
    for (const { bytes, description } of mutate(seed, 2000, 9)) {
      try {
        check(bytes);
        opened += 1;
      } catch (error) {
        expect(error, description).toBeInstanceOf(TelltaleError);
      }
    }
    expect(opened).toBeGreaterThan(50);
  });
});
