import { constants, createPublicKey, type KeyObject, publicDecrypt, verify } from 'node:crypto';
import { type DigestAlgorithm, toDigest } from './digests.ts';

/** How a signature was made. Lengths in bytes. */
export type SignatureScheme =
  | { readonly kind: 'rsa-pkcs1'; readonly digest: DigestAlgorithm }
  /** PKCS#1 v1.5 padding around the bare digest, without the DigestInfo that names its algorithm. */
  | { readonly kind: 'rsa-bare-digest'; readonly digest: DigestAlgorithm }
  | { readonly kind: 'rsa-pss'; readonly digest: DigestAlgorithm; readonly saltLength: number }
  | { readonly kind: 'ecdsa'; readonly digest: DigestAlgorithm }
  | { readonly kind: 'dsa'; readonly digest: DigestAlgorithm }
  /** RFC 8032, the plain form: no context, no digest before it. */
  | { readonly kind: 'ed25519' };

/** `unusable`: the key is broken or does not go with the scheme. */
export type SignatureCheck = 'valid' | 'invalid' | 'unusable';

/** An RSA key of 16,384 bits has about 2,100 bytes; OpenSSL verifies nothing larger. */
const keyBytesMax = 4096;
const signatureBytesMax = 4096;
const saltBytesMax = 512;

/**
 * Checks a signature. Never throws: hostile keys and signatures are the normal case.
 *
 * @param subjectPublicKeyInfo - the key, DER, as in a certificate
 * @param data - what was signed, not digested
 */
export function checkSignature(
  subjectPublicKeyInfo: Uint8Array,
  scheme: SignatureScheme,
  data: Uint8Array,
  signature: Uint8Array,
): SignatureCheck {
  if (subjectPublicKeyInfo.length > keyBytesMax || signature.length > signatureBytesMax) return 'unusable';
  if (scheme.kind === 'rsa-pss' && scheme.saltLength > saltBytesMax) return 'unusable';
  try {
    const key = toKey(subjectPublicKeyInfo);
    if (!isFor(key, scheme)) return 'unusable';
    if (scheme.kind === 'rsa-bare-digest') {
      const padding = constants.RSA_PKCS1_PADDING;
      const signed = publicDecrypt({ key, padding }, signature);
      return signed.equals(toDigest(scheme.digest, data)) ? 'valid' : 'invalid';
    }
    if (scheme.kind === 'ed25519') return verify(null, data, key, signature) ? 'valid' : 'invalid';
    const isValid = verify(scheme.digest, data, toKeyInput(key, scheme), signature);
    return isValid ? 'valid' : 'invalid';
  } catch {
    // OpenSSL refuses the key or the digest; that is all we need to know.
    return 'unusable';
  }
}

/** Files of one publisher have the same keys, and to read one takes longer than to check a signature with it. */
const keysKept = 64;
const recentKeys = new Map<string, KeyObject>();

function toKey(subjectPublicKeyInfo: Uint8Array): KeyObject {
  const name = Buffer.from(subjectPublicKeyInfo).toString('latin1');
  const known = recentKeys.get(name);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' });
  recentKeys.set(name, key);
  if (recentKeys.size > keysKept) {
    const [oldest] = recentKeys.keys();
    if (oldest !== undefined) recentKeys.delete(oldest);
  }
  return key;
}

function isFor(key: KeyObject, scheme: SignatureScheme): boolean {
  switch (scheme.kind) {
    case 'rsa-pkcs1':
    case 'rsa-bare-digest':
      return key.asymmetricKeyType === 'rsa';
    case 'rsa-pss':
      return key.asymmetricKeyType === 'rsa' || key.asymmetricKeyType === 'rsa-pss';
    case 'ecdsa':
      return key.asymmetricKeyType === 'ec';
    case 'dsa':
      return key.asymmetricKeyType === 'dsa';
    case 'ed25519':
      return key.asymmetricKeyType === 'ed25519';
  }
}

function toKeyInput(
  key: KeyObject,
  scheme: Exclude<SignatureScheme, { kind: 'rsa-bare-digest' | 'ed25519' }>,
): Parameters<typeof verify>[2] {
  switch (scheme.kind) {
    case 'rsa-pkcs1':
      return { key, padding: constants.RSA_PKCS1_PADDING };
    case 'rsa-pss':
      return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltLength };
    case 'ecdsa':
    case 'dsa':
      return { key, dsaEncoding: 'der' };
  }
}
