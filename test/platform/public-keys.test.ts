import { createHash, generateKeyPairSync, privateEncrypt, sign, constants } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkSignature } from '../../src/platform/public-keys.ts';

const data = new TextEncoder().encode('signed');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const curve = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
const rsaKey = new Uint8Array(rsa.publicKey.export({ format: 'der', type: 'spki' }));
const curveKey = new Uint8Array(curve.publicKey.export({ format: 'der', type: 'spki' }));

describe('when a signature is checked', () => {
  it('confirms RSA PKCS#1, RSA-PSS and ECDSA', () => {
    expect(
      checkSignature(rsaKey, { kind: 'rsa-pkcs1', digest: 'sha1' }, data, sign('sha1', data, rsa.privateKey)),
    ).toBe('valid');
    const padded = { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    expect(
      checkSignature(
        rsaKey,
        { kind: 'rsa-pss', digest: 'sha256', saltLength: 32 },
        data,
        sign('sha256', data, padded),
      ),
    ).toBe('valid');
    expect(
      checkSignature(
        curveKey,
        { kind: 'ecdsa', digest: 'sha384' },
        data,
        sign('sha384', data, curve.privateKey),
      ),
    ).toBe('valid');
  });

  it('takes the bare digest only when asked to', () => {
    const bare = privateEncrypt(
      { key: rsa.privateKey, padding: constants.RSA_PKCS1_PADDING },
      createHash('sha1').update(data).digest(),
    );
    expect(checkSignature(rsaKey, { kind: 'rsa-bare-digest', digest: 'sha1' }, data, bare)).toBe('valid');
    expect(checkSignature(rsaKey, { kind: 'rsa-pkcs1', digest: 'sha1' }, data, bare)).toBe('invalid');
    expect(checkSignature(rsaKey, { kind: 'rsa-bare-digest', digest: 'sha256' }, data, bare)).toBe('invalid');
    const usual = sign('sha1', data, rsa.privateKey);
    expect(checkSignature(rsaKey, { kind: 'rsa-bare-digest', digest: 'sha1' }, data, usual)).toBe('invalid');
  });

  it('says invalid for other data', () => {
    const signature = sign('sha256', data, rsa.privateKey);
    expect(checkSignature(rsaKey, { kind: 'rsa-pkcs1', digest: 'sha256' }, data.subarray(1), signature)).toBe(
      'invalid',
    );
  });

  it.each([
    ['a broken key', rsaKey.subarray(0, 100)],
    ['no key', new Uint8Array(0)],
    ['a key of another kind', curveKey],
    ['an endless key', new Uint8Array(1 << 20)],
  ])('says unusable for %s', (_, key) => {
    expect(checkSignature(key, { kind: 'rsa-pkcs1', digest: 'sha256' }, data, new Uint8Array(256))).toBe(
      'unusable',
    );
  });

  it('never throws for a broken signature', () => {
    for (const length of [0, 1, 255, 256, 4000, 1 << 20]) {
      for (const [key, scheme] of [
        [rsaKey, { kind: 'rsa-pkcs1', digest: 'sha256' }],
        [rsaKey, { kind: 'rsa-bare-digest', digest: 'sha256' }],
        [rsaKey, { kind: 'rsa-pss', digest: 'sha256', saltLength: 1 << 20 }],
        [curveKey, { kind: 'ecdsa', digest: 'sha256' }],
      ] as const) {
        expect(checkSignature(key, scheme, data, new Uint8Array(length).fill(0x30))).not.toBe('valid');
      }
    }
  });
});
