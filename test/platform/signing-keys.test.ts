import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isOlder, tryMinimum } from '../../src/platform/revisions.ts';
import {
  checkPackSignature,
  generateSigningKey,
  parseSigningKey,
  parseTrust,
  tryBase64,
  tryKeyLine,
} from '../../src/platform/signing-keys.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

describe('when a signature is checked', () => {
  // RFC 8032, section 7.1, test 2.
  const key = hex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
  const message = hex('72');
  const signature = hex(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  );

  it('accepts the one of the standard, and no other', () => {
    expect(checkPackSignature(key, message, signature)).toBe('valid');
    expect(checkPackSignature(key, hex('73'), signature)).toBe('invalid');
    expect(checkPackSignature(key, message, signature.with(0, 0))).toBe('invalid');
  });

  it('refuses the same signature written with a larger S (RFC 8032, section 5.1.7)', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = signature.slice(32).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n) + order;
    const larger = Uint8Array.from(signature);
    for (let index = 0; index < 32; index += 1) larger[32 + index] = Number((s >> BigInt(8 * index)) & 255n);
    expect(checkPackSignature(key, message, larger)).not.toBe('valid');
  });
});

describe('when a key pair is made', () => {
  it('signs, the same each time, and the public half confirms it', () => {
    const { privatePem, publicPem, publicKey } = generateSigningKey(undefined);
    const signer = parseSigningKey(privatePem, undefined);
    const message = hex('00ff');
    expect(signer.publicKey).toEqual(publicKey);
    expect(parseTrust(publicPem)).toEqual({ keys: [publicKey], minimum: [] });
    expect(tryKeyLine(publicKey.line)).toEqual(publicKey);
    expect(signer.sign(message)).toEqual(signer.sign(message));
    const raw = tryBase64(publicKey.line.slice(8), 32) ?? new Uint8Array(0);
    expect(checkPackSignature(raw, message, signer.sign(message))).toBe('valid');
  });

  it('is another one each time', () => {
    expect(generateSigningKey(undefined).publicKey.id).not.toBe(generateSigningKey(undefined).publicKey.id);
  });

  it('is encrypted with a passphrase, and opens with that one only', () => {
    const { privatePem, publicKey } = generateSigningKey('correct horse');
    expect(privatePem).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    expect(parseSigningKey(privatePem, 'correct horse').publicKey).toEqual(publicKey);
    expect(() => parseSigningKey(privatePem, 'wrong')).toThrow(/cannot be decrypted with this passphrase/);
    expect(() => parseSigningKey(privatePem, undefined)).toThrow(
      /--passphrase-file FILE or from TELLTALE_PASSPHRASE/,
    );
  });
});

describe('when a private key is read', () => {
  it('takes a passphrase that is not needed', () => {
    expect(parseSigningKey(generateSigningKey(undefined).privatePem, 'x').publicKey.id).toHaveLength(64);
  });

  it('refuses other algorithms, public keys and nonsense', () => {
    const export8 = { format: 'pem', type: 'pkcs8' } as const;
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(export8).toString();
    const ed448 = generateKeyPairSync('ed448').privateKey.export(export8).toString();
    expect(() => parseSigningKey(rsa, undefined)).toThrow(/kind "rsa"; packs are signed with Ed25519/);
    expect(() => parseSigningKey(ed448, undefined)).toThrow(/kind "ed448"/);
    expect(() => parseSigningKey(generateSigningKey(undefined).publicPem, undefined)).toThrow(
      /is a public key/,
    );
    expect(() => parseSigningKey('hello', undefined)).toThrow(/holds no private key in PEM form/);
    expect(() =>
      parseSigningKey('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', undefined),
    ).toThrow(/is no private key that can be read/);
  });
});

describe('when trusted keys are read', () => {
  const one = generateSigningKey(undefined);
  const two = generateSigningKey(undefined);

  it('takes several keys, comments and smallest revisions, with any line ends', () => {
    const text = `\ufeff# ours\n${one.publicPem}\n  ${two.publicKey.line}\nmin skype=2026.11\n`;
    const expected = {
      keys: [one.publicKey, two.publicKey],
      minimum: [{ product: 'skype', revision: '2026.11' }],
    };
    expect(parseTrust(text)).toEqual(expected);
    expect(parseTrust(text.replaceAll('\n', '\r\n'))).toEqual(expected);
  });

  it('reads the example in the documents', () => {
    const text = readFileSync(new URL('../../docs/packs.md', import.meta.url), 'utf8');
    const [, example = ''] = /<!-- trust-file -->\n```\n([\s\S]*?)```/.exec(text) ?? [];
    expect(parseTrust(example)).toMatchObject({
      keys: [{ line: expect.any(String) }, { line: expect.any(String) }],
      minimum: [{ product: 'skype', revision: '2026.11' }],
    });
  });

  const spki = { format: 'pem', type: 'spki' } as const;
  const toPem = (der: Buffer): string =>
    `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`;
  it.each([
    ['a private key', one.privatePem, /line 1: is a private key: trust goes to the public one/],
    ['an encrypted private key', generateSigningKey('x').privatePem, /line 1: is a private key/],
    ['a private key behind a public one', one.publicPem + one.privatePem, /line 4: is a private key/],
    [
      'an RSA key',
      generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export(spki).toString(),
      /kind "rsa"; packs are signed with Ed25519/,
    ],
    [
      'a key for key exchange',
      generateKeyPairSync('x25519').publicKey.export(spki).toString(),
      /kind "x25519"/,
    ],
    [
      'a certificate',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      /"CERTIFICATE" is no public key/,
    ],
    ['a broken key', toPem(Buffer.from('302a300506', 'hex')), /line 3: is no public key that can be read/],
    ['a key that is cut', one.publicPem.slice(0, 60), /line 1: the public key has no end/],
    ['an end alone', '-----END PUBLIC KEY-----\n', /ends here without a beginning/],
    ['a key in another form', 'ssh-ed25519 AAAAC3Nz someone\n', /line 1: is neither a public key/],
    ['a short key', 'ed25519:AAAA\n', /line 1: is neither/],
    ['a revision that is none', `${one.publicKey.line}\nmin skype=new\n`, /line 2: is neither/],
    ['nothing', '# nothing yet\n', /holds no public key/],
    ['bytes', '\u0000\u0001\u0002', /line 1: is neither/],
  ])('refuses %s', (_, text, complaint) => {
    expect(() => parseTrust(text)).toThrow(complaint);
  });

  it('takes base64 only as it is written', () => {
    const text = one.publicKey.line.slice(8);
    expect(tryBase64(text, 32)).toHaveLength(32);
    expect(tryBase64(text.replace('=', ''), 32)).toBeUndefined();
    expect(tryBase64(`${text} `, 32)).toBeUndefined();
    // The last character before the padding holds two bits that are not used.
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.indexOf(text.charAt(42));
    const twin = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.charAt(last + 1);
    expect(tryBase64(`${text.slice(0, 42)}${twin}=`, 32)).toBeUndefined();
  });
});

describe('when revisions are compared', () => {
  it.each([
    ['2026.09', '2026.11', true],
    ['2026.9', '2026.11', true],
    ['2026.11', '2026.11.0', false],
    ['2026.11', '2026.11.1', true],
    ['2026.11.9', '2026.11.10', true],
    ['2026.11.10', '2026.11.9', false],
    ['2025.12.99', '2026.01', true],
    ['2026.11', '2026.11', false],
  ])('%s is older than %s: %s', (revision, than, expected) => {
    expect(isOlder(revision, than)).toBe(expected);
  });

  it('takes a product and a revision, and nothing else', () => {
    expect(tryMinimum('my-product.b=2026.11.2')).toEqual({ product: 'my-product.b', revision: '2026.11.2' });
    for (const text of [
      'skype',
      '=2026.11',
      'skype=',
      'skype=2026',
      'skype=2026.11 ',
      'Skype=2026.11',
      'a=b=2026.11',
    ])
      expect(tryMinimum(text)).toBeUndefined();
  });
});
