import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { toHex } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { toDigest } from './digests.ts';
import { checkSignature, type SignatureCheck } from './public-keys.ts';
import { type Minimum, tryMinimum } from './revisions.ts';

/*
 * Ed25519 keys for database packs, in the forms in which people keep them.
 *
 * Private: PKCS#8 in PEM (RFC 5958, RFC 7468), plain or encrypted. Public: SubjectPublicKeyInfo in PEM, or one line,
 * `ed25519:` and the base64 of its 32 bytes. Other algorithms are refused.
 */

/** A public key. Plain data: it crosses to workers. */
export interface PublicKey {
  /** SHA-256 of its SubjectPublicKeyInfo, in lower-case hexadecimal. */
  readonly id: string;
  /** `ed25519:` and the base64 of its 32 bytes. */
  readonly line: string;
}

/** A private key in use. */
export interface SigningKey {
  readonly publicKey: PublicKey;
  /** 64 bytes; the same for the same message, as Ed25519 is deterministic. */
  sign(message: Uint8Array): Uint8Array;
}

/** What a trust file says. */
export interface Trust {
  readonly keys: readonly PublicKey[];
  readonly minimum: readonly Minimum[];
}

export const publicKeyBytes = 32;
export const signatureBytes = 64;
const linePrefix = 'ed25519:';

/** DER of a SubjectPublicKeyInfo for Ed25519 up to the 32 bytes of the key (RFC 8410, section 4). */
const spkiPrefix = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);

function toSubjectPublicKeyInfo(raw: Uint8Array): Uint8Array {
  return Uint8Array.of(...spkiPrefix, ...raw);
}

/** The key with these 32 bytes. */
export function toPublicKey(raw: Uint8Array): PublicKey {
  return {
    id: toHex(toDigest('sha256', toSubjectPublicKeyInfo(raw))),
    line: linePrefix + Buffer.from(raw).toString('base64'),
  };
}

/** Whether a signature over a message was made with the key of these 32 bytes. */
export function checkPackSignature(
  raw: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): SignatureCheck {
  return checkSignature(toSubjectPublicKeyInfo(raw), { kind: 'ed25519' }, message, signature);
}

/** Bytes of a base64 text of exactly that length, written as base64 is written; undefined for anything else. */
export function tryBase64(text: string, length: number): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === length && bytes.toString('base64') === text ? new Uint8Array(bytes) : undefined;
}

// ----------------------------------------------------------------------------------------- public keys

/** A key in its one-line form; undefined for anything else. */
export function tryKeyLine(text: string): PublicKey | undefined {
  if (!text.startsWith(linePrefix)) return undefined;
  const raw = tryBase64(text.slice(linePrefix.length), publicKeyBytes);
  return raw === undefined ? undefined : toPublicKey(raw);
}

/**
 * Reads a file of trusted keys, line by line: public keys in PEM or as `ed25519:…`, smallest revisions as
 * `min PRODUCT=REVISION`, empty lines, and comments after `#`.
 *
 * @throws TelltaleError `usage/arguments` with the line, for a private key, a key of another kind, a line that is
 *   none of these, or a file without a key
 */
export function parseTrust(text: string): Trust {
  const keys: PublicKey[] = [];
  const minimum: Minimum[] = [];
  let block: { readonly label: string; readonly from: number; base64: string } | undefined;
  for (const [index, written] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = written.trim();
    const complain = (reason: string): never => {
      throw new TelltaleError('usage/arguments', `line ${index + 1}: ${reason}`);
    };
    const [, mark, label = ''] = /^-----(BEGIN|END) ([A-Z0-9 ]{1,60})-----$/.exec(line) ?? [];
    if (mark === 'BEGIN') {
      if (label.endsWith('PRIVATE KEY')) {
        complain('is a private key: trust goes to the public one, and a private key stays where it was made');
      }
      if (block !== undefined || label !== 'PUBLIC KEY') complain(`"${label}" is no public key`);
      block = { label, from: index, base64: '' };
    } else if (mark === 'END') {
      if (block === undefined || block.label !== label) complain(`"${label}" ends here without a beginning`);
      else keys.push(toKeyOfBlock(block.base64, complain));
      block = undefined;
    } else if (block !== undefined) {
      block.base64 += line;
    } else if (line !== '' && !line.startsWith('#')) {
      const key = tryKeyLine(line);
      const least = line.startsWith('min ') ? tryMinimum(line.slice('min '.length).trim()) : undefined;
      if (key !== undefined) keys.push(key);
      else if (least !== undefined) minimum.push(least);
      else complain('is neither a public key (PEM, or ed25519: and base64) nor "min PRODUCT=REVISION"');
    }
  }
  if (block !== undefined) {
    throw new TelltaleError('usage/arguments', `line ${block.from + 1}: the public key has no end`);
  }
  if (keys.length === 0) throw new TelltaleError('usage/arguments', 'holds no public key');
  return { keys, minimum };
}

function toKeyOfBlock(base64: string, complain: (reason: string) => never): PublicKey {
  const bytes = Buffer.from(base64, 'base64');
  const isEd25519 =
    bytes.length === spkiPrefix.length + publicKeyBytes &&
    spkiPrefix.every((byte, index) => bytes[index] === byte);
  if (isEd25519) return toPublicKey(bytes.subarray(spkiPrefix.length));
  let kind: string | undefined;
  try {
    kind = createPublicKey({ key: bytes, format: 'der', type: 'spki' }).asymmetricKeyType;
  } catch {
    return complain('is no public key that can be read');
  }
  return complain(`is a key of the kind "${kind ?? 'unknown'}"; packs are signed with Ed25519`);
}

// ---------------------------------------------------------------------------------------- private keys

/** A new key pair, each half in PEM; the private one is encrypted (AES-256, PBES2) when there is a passphrase. */
export function generateSigningKey(passphrase: string | undefined): {
  readonly privatePem: string;
  readonly publicPem: string;
  readonly publicKey: PublicKey;
} {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const form = { format: 'pem', type: 'pkcs8' } as const;
  return {
    privatePem: privateKey
      .export(passphrase === undefined ? form : { ...form, cipher: 'aes-256-cbc', passphrase })
      .toString(),
    publicPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    publicKey: toPublicKeyOf(publicKey),
  };
}

function toPublicKeyOf(key: KeyObject): PublicKey {
  return toPublicKey(key.export({ format: 'der', type: 'spki' }).subarray(spkiPrefix.length));
}

/**
 * Reads a private key. It never asks for a passphrase.
 *
 * @throws TelltaleError `usage/arguments` when it is no Ed25519 key in PKCS#8 PEM, or cannot be decrypted
 */
export function parseSigningKey(pem: string, passphrase: string | undefined): SigningKey {
  const isEncrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    const isPublic = pem.includes('PUBLIC KEY') || pem.includes(linePrefix);
    throw new TelltaleError(
      'usage/arguments',
      isPublic
        ? 'is a public key: signing needs the private one (NAME.key)'
        : 'holds no private key in PEM form',
    );
  }
  if (isEncrypted && passphrase === undefined) {
    throw new TelltaleError(
      'usage/arguments',
      'is encrypted: its passphrase comes from --passphrase-file FILE or from TELLTALE_PASSPHRASE',
    );
  }
  let key: KeyObject;
  try {
    key = createPrivateKey({
      key: pem,
      format: 'pem',
      ...(isEncrypted && passphrase !== undefined ? { passphrase } : {}),
    });
  } catch {
    // OpenSSL's reasons change between its versions, and a wrong passphrase has several of them.
    throw new TelltaleError(
      'usage/arguments',
      isEncrypted ? 'cannot be decrypted with this passphrase' : 'is no private key that can be read',
    );
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new TelltaleError(
      'usage/arguments',
      `is a key of the kind "${key.asymmetricKeyType ?? 'unknown'}"; packs are signed with Ed25519`,
    );
  }
  return {
    publicKey: toPublicKeyOf(createPublicKey(key)),
    sign: (message) => new Uint8Array(sign(null, message, key)),
  };
}
