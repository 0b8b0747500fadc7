/**
 * PKCS#7 and CMS SignedData.
 *
 * Specifications: RFC 2315 https://www.rfc-editor.org/rfc/rfc2315, RFC 5652 https://www.rfc-editor.org/rfc/rfc5652
 *
 * Read: content, embedded certificates, every SignerInfo with signed and unsigned attributes; signers named by issuer
 * and serial number or by key identifier; RSA PKCS#1 v1.5, RSA-PSS, ECDSA and DSA.
 * Not supported: revocation lists, attribute certificates.
 */
import { TelltaleError } from '../bytes/errors.ts';
import { type DigestAlgorithm, toDigest } from '../platform/digests.ts';
import { checkSignature, type SignatureScheme } from '../platform/public-keys.ts';
import { type DerElement, parseDer, tags, toMalformed } from './der.ts';
import {
  type Certificate,
  isSame,
  parseCertificate,
  parseDigestAlgorithm,
  parseSignatureScheme,
} from './x509.ts';

/** Certificates that are looked at in one bag. */
export const certificatesPerBagMax = 256;
/** Signers of one blob; Authenticode allows one. */
export const signersMax = 16;
/** Attributes of one signer, signed or unsigned. */
const attributesMax = 256;
/** Certificates with the very issuer and serial number that a signer names. */
const namesakesMax = 4;

export const cmsOids = {
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  countersignature: '1.2.840.113549.1.9.6',
} as const;

export interface Attribute {
  readonly oid: string;
  readonly values: readonly DerElement[];
  readonly offset: number;
  /** Bytes of the attribute in all. */
  readonly size: number;
}

export interface SignerInfo {
  readonly offset: number;
  /** How the signer's certificate is named. */
  readonly signerId:
    | { readonly kind: 'issuer'; readonly issuer: Uint8Array; readonly serial: Uint8Array }
    | { readonly kind: 'key'; readonly keyId: Uint8Array };
  readonly digestOid: string;
  /** Undefined when not supported. */
  readonly digest: DigestAlgorithm | undefined;
  /** Undefined when not supported or when it contradicts the digest. */
  readonly scheme: SignatureScheme | undefined;
  /** Signed attributes as they were signed: encoded as a SET. Undefined when there are none. */
  readonly signedBytes: Uint8Array | undefined;
  readonly signedAttributes: readonly Attribute[];
  readonly unsignedAttributes: readonly Attribute[];
  /** Why the unsigned attributes were not all read. */
  readonly unsignedProblem: TelltaleError | undefined;
  readonly signature: Uint8Array;
}

export interface SignedData {
  /** The blob in the artifact, in bytes. */
  readonly place: { readonly offset: number; readonly size: number };
  readonly contentType: string;
  /** What was signed: the octets of an OCTET STRING, or the inside of another structure (RFC 2315, section 9.3). */
  readonly content: Uint8Array | undefined;
  /** The content as an element; for an OCTET STRING the element inside it. Opened by {@link parseContent}. */
  readonly contentElement: DerElement | undefined;
  readonly certificates: readonly Certificate[];
  /** Certificates that were not read, with the reason. */
  readonly certificateProblems: readonly TelltaleError[];
  readonly signers: readonly SignerInfo[];
}

/**
 * Reads a ContentInfo with SignedData in it; bytes behind it are left alone.
 *
 * @param base - offset of the bytes in the artifact
 * @throws TelltaleError `malformed/signature`, `limit/count`
 */
export function parseSignedData(bytes: Uint8Array, base = 0): SignedData {
  return toSignedData(parseDer(bytes, base));
}

/** As {@link parseSignedData}, of an element already open. */
export function toSignedData(contentInfo: DerElement): SignedData {
  contentInfo.expect(tags.sequence, 'a PKCS#7 blob');
  const type = contentInfo.child(0, 'a content type').toOid();
  if (type !== cmsOids.signedData)
    throw toMalformed(`the PKCS#7 blob holds ${type}, not signed data`, contentInfo.offset);
  const signedData = contentInfo
    .child(1, 'the signed data')
    .expect(tags.context(0), 'the signed data')
    .only('the signed data')
    .expect(tags.sequence, 'the signed data');
  const encapsulated = signedData.child(2, 'the content').expect(tags.sequence, 'the content');
  const contentElement = encapsulated
    .children()[1]
    ?.expect(tags.context(0), 'the content')
    .only('the content');
  const certificates: Certificate[] = [];
  const certificateProblems: TelltaleError[] = [];
  let signerSet: DerElement | undefined;
  for (const field of signedData.children().slice(3)) {
    if (field.tag === tags.context(0)) collectCertificates(field, certificates, certificateProblems);
    if (field.tag === tags.set) signerSet = field;
  }
  if (signerSet === undefined) throw toMalformed('the list of signers is missing', signedData.offset);
  const signers = signerSet.children();
  if (signers.length > signersMax) {
    throw new TelltaleError(
      'limit/count',
      `a signature has ${signers.length} signers, more than ${signersMax}`,
      {
        offset: signerSet.offset,
      },
    );
  }
  return {
    place: { offset: contentInfo.offset, size: contentInfo.end - contentInfo.start },
    contentType: encapsulated.child(0, 'a content type').toOid(),
    content: contentElement === undefined ? undefined : toContent(contentElement),
    contentElement,
    certificates,
    certificateProblems,
    signers: signers.map(parseSignerInfo),
  };
}

function toContent(element: DerElement): Uint8Array {
  return element.tag === tags.octetString || element.tag === tags.constructedOctetString
    ? element.octets()
    : element.content;
}

/**
 * The structure that was signed.
 *
 * @throws TelltaleError `malformed/signature` when there is none
 */
export function parseContent(signedData: SignedData): DerElement {
  const element = signedData.contentElement;
  if (element === undefined) throw toMalformed('the signature carries no content', signedData.place.offset);
  return element.tag === tags.octetString || element.tag === tags.constructedOctetString
    ? element.inner()
    : element;
}

function collectCertificates(
  field: DerElement,
  certificates: Certificate[],
  problems: TelltaleError[],
): void {
  for (const element of field.children()) {
    // Other tags are attribute certificates and the like.
    if (element.tag !== tags.sequence) continue;
    if (certificates.length + problems.length >= certificatesPerBagMax) {
      problems.push(
        new TelltaleError(
          'limit/count',
          `the signature carries more than ${certificatesPerBagMax} certificates`,
          {
            offset: element.offset,
          },
        ),
      );
      return;
    }
    try {
      certificates.push(parseCertificate(element));
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error;
      problems.push(error);
    }
  }
}

/**
 * Reads one SignerInfo, as in SignedData and in countersignatures.
 *
 * @throws TelltaleError `malformed/signature`
 */
export function parseSignerInfo(element: DerElement): SignerInfo {
  const fields = element.expect(tags.sequence, 'a signer').children();
  const id = element.child(1, 'the name of a signer');
  const { oid: digestOid, digest } = parseDigestAlgorithm(element.child(2, 'a digest algorithm'));
  let at = 3;
  const signed = fields[at]?.tag === tags.context(0) ? fields[at] : undefined;
  if (signed !== undefined) at += 1;
  const scheme = parseSignatureScheme(element.child(at, 'a signature algorithm'), digest);
  const signature = element.child(at + 1, 'a signature').octets();
  const unsigned = fields.slice(at + 2).find((field) => field.tag === tags.context(1));
  let unsignedAttributes: readonly Attribute[] = [];
  let unsignedProblem: TelltaleError | undefined;
  try {
    // Nothing protects these: damage in them says nothing about the signature.
    unsignedAttributes = unsigned === undefined ? [] : parseAttributes(unsigned);
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    unsignedProblem = error;
  }
  return {
    offset: element.offset,
    signerId: parseSignerId(id),
    digestOid,
    digest,
    scheme,
    signedBytes: signed === undefined ? undefined : toSet(signed),
    signedAttributes: signed === undefined ? [] : parseAttributes(signed),
    unsignedAttributes,
    unsignedProblem,
    signature,
  };
}

function parseSignerId(element: DerElement): SignerInfo['signerId'] {
  if (element.tag === tags.contextPrimitive(0)) return { kind: 'key', keyId: element.content };
  element.expect(tags.sequence, 'the name of a signer');
  return {
    kind: 'issuer',
    issuer: element.child(0, 'an issuer').expect(tags.sequence, 'an issuer').encoded,
    serial: element.child(1, 'a serial number').expect(tags.integer, 'a serial number').content,
  };
}

/** RFC 5652, section 5.4: signed is the SET, in the file stands `[0]` in place of its tag. */
function toSet(element: DerElement): Uint8Array {
  const encoded = Uint8Array.from(element.encoded);
  encoded[0] = tags.set;
  return encoded;
}

function parseAttributes(field: DerElement): Attribute[] {
  const elements = field.children();
  if (elements.length > attributesMax) {
    throw new TelltaleError('limit/count', `a signer has more than ${attributesMax} attributes`, {
      offset: field.offset,
    });
  }
  return elements.map((element) => ({
    oid: element.expect(tags.sequence, 'an attribute').child(0, 'the type of an attribute').toOid(),
    values: element
      .child(1, 'the value of an attribute')
      .expect(tags.set, 'the value of an attribute')
      .children(),
    offset: element.offset,
    size: element.end - element.start,
  }));
}

/** The one value of the one attribute of a type; undefined when there is none or more than one. */
export function findAttribute(attributes: readonly Attribute[], oid: string): DerElement | undefined {
  const found = attributes.filter((attribute) => attribute.oid === oid);
  return found.length === 1 && found[0]?.values.length === 1 ? found[0].values[0] : undefined;
}

export interface SignerCheck {
  readonly outcome: 'holds' | 'fails' | 'unsupported';
  /** The certificate whose key confirms the signature, or else the one that the signer names. */
  readonly certificate: Certificate | undefined;
  /** One plain sentence; undefined when it holds. */
  readonly problem: string | undefined;
}

/**
 * Checks one signer: messageDigest and contentType against the content, the signature against the certificate named.
 *
 * @param content - what was signed
 * @param contentType - its type; undefined for a countersignature, which may state any or none
 * @param mayBeBare - whether RSA over the bare digest, without DigestInfo, is taken as well
 */
export function checkSigner(
  signer: SignerInfo,
  content: Uint8Array,
  contentType: string | undefined,
  certificates: readonly Certificate[],
  mayBeBare = false,
): SignerCheck {
  const named = certificates
    .filter(({ issuer, serial, subjectKeyId }) =>
      signer.signerId.kind === 'issuer'
        ? isSame(serial, signer.signerId.serial) && isSame(issuer.encoded, signer.signerId.issuer)
        : subjectKeyId !== undefined && isSame(subjectKeyId, signer.signerId.keyId),
    )
    .slice(0, namesakesMax);
  const certificate = named[0];
  const { digest, scheme } = signer;
  if (digest === undefined) {
    return {
      outcome: 'unsupported',
      certificate,
      problem: `the digest algorithm ${signer.digestOid} is not supported`,
    };
  }
  if (scheme === undefined) {
    return { outcome: 'unsupported', certificate, problem: 'the signature algorithm is not supported' };
  }
  let signed = content;
  if (signer.signedBytes !== undefined) {
    const stated = findAttribute(signer.signedAttributes, cmsOids.messageDigest);
    if (stated === undefined || !isSame(stated.content, toDigest(digest, content))) {
      return {
        outcome: 'fails',
        certificate,
        problem: 'the signed digest of the content does not match the content',
      };
    }
    const type = findAttribute(signer.signedAttributes, cmsOids.contentType);
    if (contentType !== undefined && type?.tryOid() !== contentType) {
      return { outcome: 'fails', certificate, problem: 'the signed content type is not that of the content' };
    }
    signed = signer.signedBytes;
  }
  if (certificate === undefined) {
    return {
      outcome: 'fails',
      certificate,
      problem: 'the certificate of the signer is not in the signature',
    };
  }
  const schemes: SignatureScheme[] = [scheme];
  if (mayBeBare && scheme.kind === 'rsa-pkcs1')
    schemes.push({ kind: 'rsa-bare-digest', digest: scheme.digest });
  const confirmed = named.find(({ publicKey }) =>
    schemes.some((each) => checkSignature(publicKey, each, signed, signer.signature) === 'valid'),
  );
  return confirmed === undefined
    ? { outcome: 'fails', certificate, problem: 'the key of the signer does not confirm the signature' }
    : { outcome: 'holds', certificate: confirmed, problem: undefined };
}
