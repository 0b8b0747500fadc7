import { describe, expect, it } from 'vitest';
import { tryReadOpenPgpIssuer } from '../../src/formats/openpgp-signature.ts';
import { mutate } from '../mutation.ts';

const fingerprint = '0102030405060708090a0b0c0d0e0f1011121314';

/** A version 4 signature packet with the given subpackets, in hex; lengths are filled in. */
function version4(hashed: string, unhashed: string, isNewFormat = false): Uint8Array {
  const area = (hex: string): string => (hex.length / 2).toString(16).padStart(4, '0') + hex;
  const body = `04000108${area(hashed)}${area(unhashed)}abcd`;
  const length = (body.length / 2).toString(16).padStart(2, '0');
  return Buffer.from(`${isNewFormat ? 'c2' : '88'}${length}${body}`, 'hex');
}

const created = '0502536fa1b0';
const issuer = '0910aabbccddeeff0011';
const issuerFingerprint = `162104${fingerprint}`;

describe('when a signature names its key', () => {
  it.each([
    ['version 3', Buffer.from('88160305 00536fa1b0 aabbccddeeff0011 11020000'.replaceAll(' ', ''), 'hex')],
    ['version 4, not hashed', version4(created, issuer)],
    ['version 4, hashed', version4(created + issuer, '')],
    ['version 4, new packet format', version4(created, issuer, true)],
  ])('gives its id (%s)', (_name, bytes) => {
    expect(tryReadOpenPgpIssuer(bytes)).toEqual({ keyId: 'aabbccddeeff0011' });
  });

  it('gives the fingerprint where it is stated, whichever part it is in', () => {
    const expected = { keyId: fingerprint.slice(-16), fingerprint };
    expect(tryReadOpenPgpIssuer(version4(created + issuerFingerprint, issuer))).toEqual(expected);
    expect(tryReadOpenPgpIssuer(version4(created, issuer + issuerFingerprint))).toEqual(expected);
  });

  it.each([
    ['nothing', ''],
    ['a packet of another kind', '990100'],
    ['text', '41424344'],
    ['an unknown version', '880407000000'],
    ['a signature that names none', '880a040001080000000000ab'],
    ['a subpacket that goes on past its area', '880c0400010800020910aabb0000'],
  ])('gives nothing for %s', (_name, hex) => {
    expect(tryReadOpenPgpIssuer(Buffer.from(hex, 'hex'))).toBeUndefined();
  });

  it('survives 2,000 kinds of damage', () => {
    let named = 0;
    for (const { bytes } of mutate(version4(created + issuerFingerprint, issuer), 2000, 11)) {
      if (tryReadOpenPgpIssuer(bytes) !== undefined) named += 1;
    }
    expect(named).toBeGreaterThan(100);
    expect(named).toBeLessThan(2000);
  });
});
