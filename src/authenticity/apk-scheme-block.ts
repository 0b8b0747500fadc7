/**
 * The values in an APK Signing Block that hold signatures: schemes v2, v3 and v3.1, and the proof that a signing
 * certificate was handed over to the next one.
 *
 * Specification: https://source.android.com/docs/security/features/apksigning/v2#apk-signature-scheme-v2-block,
 * https://source.android.com/docs/security/features/apksigning/v3#format,
 * https://source.android.com/docs/security/features/apksigning/v3-1
 *
 * Read: every signer with digests, certificates, attributes and signatures.
 * Not read: what older certificates of a handed-over package may still do (the flags of the lineage).
 */
import { Cursor } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { checkSignature, type SignatureScheme } from '../platform/public-keys.ts';
import type { ContentDigest } from './apk-content-digest.ts';
import { type Certificate, isSame, parseCertificateBytes } from './x509.ts';

/** The largest value that is read; a real one has a few kilobytes for each signer. */
export const schemeBytesMax = 4 * 1024 * 1024;
/** Android takes ten. */
const signersMax = 10;
const itemsMax = 256;

const saltBytes = { sha256: 32, sha512: 64 } as const;

interface AlgorithmRow {
  readonly scheme: SignatureScheme;
  readonly content: ContentDigest;
}

/** Numbers of signature algorithms, from the specification. */
const algorithms: ReadonlyMap<number, AlgorithmRow> = new Map<number, AlgorithmRow>([
  [
    0x0101,
    {
      scheme: { kind: 'rsa-pss', digest: 'sha256', saltLength: saltBytes.sha256 },
      content: 'chunked-sha256',
    },
  ],
  [
    0x0102,
    {
      scheme: { kind: 'rsa-pss', digest: 'sha512', saltLength: saltBytes.sha512 },
      content: 'chunked-sha512',
    },
  ],
  [0x0103, { scheme: { kind: 'rsa-pkcs1', digest: 'sha256' }, content: 'chunked-sha256' }],
  [0x0104, { scheme: { kind: 'rsa-pkcs1', digest: 'sha512' }, content: 'chunked-sha512' }],
  [0x0201, { scheme: { kind: 'ecdsa', digest: 'sha256' }, content: 'chunked-sha256' }],
  [0x0202, { scheme: { kind: 'ecdsa', digest: 'sha512' }, content: 'chunked-sha512' }],
  [0x0301, { scheme: { kind: 'dsa', digest: 'sha256' }, content: 'chunked-sha256' }],
  [0x0421, { scheme: { kind: 'rsa-pkcs1', digest: 'sha256' }, content: 'verity-sha256' }],
  [0x0423, { scheme: { kind: 'ecdsa', digest: 'sha256' }, content: 'verity-sha256' }],
  [0x0425, { scheme: { kind: 'dsa', digest: 'sha256' }, content: 'verity-sha256' }],
]);

/** Numbers of attributes. */
export const attributeIds = {
  /** In v2: the package was signed with a newer scheme too, whose number is the value. */
  strippingProtection: 0xbeeff00d,
  /** In v3: proof of rotation. */
  lineage: 0x3ba06f8c,
  /** In v3: the package was signed with v3.1 too, for Android from this version on. */
  rotationFrom: 0x559f8b02,
} as const;

export interface SchemeDigest {
  readonly algorithm: number;
  /** Undefined when the algorithm is not known. */
  readonly content: ContentDigest | undefined;
  readonly value: Uint8Array;
}

/** One signer as it stands there. */
export interface SchemeSigner {
  readonly signedData: Uint8Array;
  readonly digests: readonly SchemeDigest[];
  /** The first is the signer's. */
  readonly certificates: readonly Certificate[];
  readonly attributes: readonly { readonly id: number; readonly value: Uint8Array }[];
  readonly signatures: readonly { readonly algorithm: number; readonly value: Uint8Array }[];
  readonly publicKey: Uint8Array;
  /** Versions of Android, signed and beside the signed part; v3 only. */
  readonly sdk:
    | {
        readonly min: number;
        readonly max: number;
        readonly statedMin: number;
        readonly statedMax: number;
      }
    | undefined;
}

/** A part behind its length in 32 bits. */
function readPart(cursor: Cursor): Cursor {
  return new Cursor(cursor.bytes(cursor.u32()));
}

function toBytes(cursor: Cursor): Uint8Array {
  return cursor.bytes(cursor.remaining);
}

/** Parts one after the other, each behind its length, all behind a length of their own. */
function readParts(cursor: Cursor, max = itemsMax): Cursor[] {
  const list = readPart(cursor);
  const parts: Cursor[] = [];
  while (list.remaining > 0) {
    if (parts.length >= max) {
      throw new TelltaleError('limit/count', `a signature has more than ${max} parts of one kind`, {
        offset: list.offset,
      });
    }
    parts.push(readPart(list));
  }
  return parts;
}

/**
 * The signers of a v2 or v3 value.
 *
 * @throws TelltaleError `malformed/*` or `limit/count`
 */
export function parseSigners(value: Uint8Array, isV3: boolean): readonly SchemeSigner[] {
  const cursor = new Cursor(value);
  const signers = readParts(cursor, signersMax).map((signer) => parseSigner(signer, isV3));
  if (signers.length === 0) throw new TelltaleError('malformed/signature', 'it has no signer');
  if (cursor.remaining > 0) {
    throw new TelltaleError(
      'malformed/signature',
      `${cursor.remaining} bytes behind its signers belong to none`,
    );
  }
  return signers;
}

function parseSigner(signer: Cursor, isV3: boolean): SchemeSigner {
  const signedData = toBytes(readPart(signer));
  const data = new Cursor(signedData);
  const digests = readParts(data).map((digest): SchemeDigest => {
    const algorithm = digest.u32();
    return { algorithm, content: algorithms.get(algorithm)?.content, value: toBytes(readPart(digest)) };
  });
  const certificates = readParts(data).map((certificate) => parseCertificateBytes(toBytes(certificate)));
  const signedSdk = isV3 ? { min: data.u32(), max: data.u32() } : undefined;
  const attributes = readParts(data).map((attribute) => ({ id: attribute.u32(), value: toBytes(attribute) }));
  const statedSdk = isV3 ? { statedMin: signer.u32(), statedMax: signer.u32() } : undefined;
  const signatures = readParts(signer).map((signature) => ({
    algorithm: signature.u32(),
    value: toBytes(readPart(signature)),
  }));
  const publicKey = toBytes(readPart(signer));
  return {
    signedData,
    digests,
    certificates,
    attributes,
    signatures,
    publicKey,
    sdk: signedSdk === undefined || statedSdk === undefined ? undefined : { ...signedSdk, ...statedSdk },
  };
}

export interface SignerVerdict {
  readonly outcome: 'holds' | 'fails' | 'unsupported';
  /** One phrase; undefined when it holds. */
  readonly problem: string | undefined;
  /** Certificates that handed over to the signer's, oldest first, each confirmed. */
  readonly lineage: readonly Certificate[];
}

function fails(problem: string): SignerVerdict {
  return { outcome: 'fails', problem, lineage: [] };
}

/**
 * Checks what a signer says against its own keys; not yet its digests against the content. Stricter than Android, which
 * looks at the best signature only: every signature of a known algorithm has to hold.
 */
export function checkSchemeSigner(signer: SchemeSigner): SignerVerdict {
  const [certificate] = signer.certificates;
  if (certificate === undefined) return fails('it has no certificate');
  if (signer.signatures.length === 0) return fails('it has no signature');
  let known = 0;
  for (const { algorithm, value } of signer.signatures) {
    const row = algorithms.get(algorithm);
    if (row === undefined) continue;
    known += 1;
    if (checkSignature(signer.publicKey, row.scheme, signer.signedData, value) !== 'valid') {
      return fails('the key of the signer does not confirm the signature');
    }
  }
  if (known === 0) {
    return { outcome: 'unsupported', problem: 'none of its signature algorithms is supported', lineage: [] };
  }
  if (!isSame(certificate.publicKey, signer.publicKey)) {
    return fails('the key that made the signature is not that of the certificate');
  }
  const isSameList =
    signer.digests.length === signer.signatures.length &&
    signer.digests.every(({ algorithm }, index) => algorithm === signer.signatures[index]?.algorithm);
  if (!isSameList) return fails('its digests and its signatures are not by the same algorithms');
  const { sdk } = signer;
  if (sdk !== undefined && (sdk.min !== sdk.statedMin || sdk.max !== sdk.statedMax || sdk.min > sdk.max)) {
    return fails('the versions of Android that it is for are not those that were signed');
  }
  const stated = signer.attributes.filter(({ id }) => id === attributeIds.lineage);
  const [proof] = stated;
  if (proof === undefined || sdk === undefined) return { outcome: 'holds', problem: undefined, lineage: [] };
  if (stated.length > 1) return fails('it has more than one proof of rotation');
  try {
    const certificates = parseLineage(proof.value);
    const newest = certificates.at(-1);
    if (newest === undefined || !isSame(newest.encoded, certificate.encoded)) {
      return fails('its proof of rotation ends at another certificate');
    }
    return { outcome: 'holds', problem: undefined, lineage: certificates.slice(0, -1) };
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    return fails(`its proof of rotation does not hold: ${error.message}`);
  }
}

/**
 * The certificates of a proof of rotation, oldest first; each but the first is confirmed by the key of the one before.
 *
 * @throws TelltaleError `malformed/*` when one is not, or when it cannot be read
 */
function parseLineage(value: Uint8Array): readonly Certificate[] {
  const cursor = new Cursor(value);
  const version = cursor.u32();
  if (version !== 1) throw new TelltaleError('malformed/signature', `it is of version ${version}`);
  const certificates: Certificate[] = [];
  let algorithm = 0;
  while (cursor.remaining > 0) {
    if (certificates.length >= itemsMax) {
      throw new TelltaleError('limit/count', `it has more than ${itemsMax} certificates`);
    }
    const level = readPart(cursor);
    const signedData = toBytes(readPart(level));
    level.skip(4);
    const nextAlgorithm = level.u32();
    const signature = toBytes(readPart(level));
    const data = new Cursor(signedData);
    const certificate = parseCertificateBytes(toBytes(readPart(data)));
    const previous = certificates.at(-1);
    if (previous !== undefined) {
      const row = algorithms.get(algorithm);
      const isConfirmed =
        row !== undefined &&
        data.u32() === algorithm &&
        checkSignature(previous.publicKey, row.scheme, signedData, signature) === 'valid';
      if (!isConfirmed) {
        throw new TelltaleError('malformed/signature', 'a certificate is not confirmed by the one before it');
      }
    }
    if (certificates.some((one) => isSame(one.encoded, certificate.encoded))) {
      throw new TelltaleError('malformed/cycle', 'a certificate hands over to itself');
    }
    certificates.push(certificate);
    algorithm = nextAlgorithm;
  }
  return certificates;
}
