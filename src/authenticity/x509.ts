/**
 * X.509 certificates, as far as signatures on files need them.
 *
 * Specification: RFC 5280 https://www.rfc-editor.org/rfc/rfc5280
 *
 * Read: names, validity, public key, fingerprints, basicConstraints, keyUsage, extendedKeyUsage; chains among a
 * given set of certificates, each link checked with the issuer's key.
 * Not supported: revocation (that needs the network), name constraints, policies, roots that are not in the set.
 */
import { toHex } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { type DigestAlgorithm, toDigest } from '../platform/digests.ts';
import { checkSignature, type SignatureScheme } from '../platform/public-keys.ts';
import { type DerElement, elementsMax, parseDer, tags, toIsoTime, toMalformed } from './der.ts';
import type { CertificateSummary } from './model.ts';

/** Certificates in one chain, leaf and root included. */
export const chainLengthMax = 10;
/** Public-key checks that finding one chain may cost; a bag can be stuffed with certificates of one name. */
const checksPerChainMax = 16;

/** Object identifiers of extended key usages. */
export const keyPurposes = {
  any: '2.5.29.37.0',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  timeStamping: '1.3.6.1.5.5.7.3.8',
} as const;

const digestNames: Readonly<Record<string, DigestAlgorithm>> = {
  '1.2.840.113549.2.5': 'md5',
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** Signature algorithms whose identifier names the digest. */
const signatureNames: Readonly<
  Record<string, { kind: 'rsa-pkcs1' | 'ecdsa' | 'dsa'; digest: DigestAlgorithm }>
> = {
  '1.2.840.113549.1.1.4': { kind: 'rsa-pkcs1', digest: 'md5' },
  '1.2.840.113549.1.1.5': { kind: 'rsa-pkcs1', digest: 'sha1' },
  '1.2.840.113549.1.1.11': { kind: 'rsa-pkcs1', digest: 'sha256' },
  '1.2.840.113549.1.1.12': { kind: 'rsa-pkcs1', digest: 'sha384' },
  '1.2.840.113549.1.1.13': { kind: 'rsa-pkcs1', digest: 'sha512' },
  '1.3.14.3.2.3': { kind: 'rsa-pkcs1', digest: 'md5' },
  '1.3.14.3.2.29': { kind: 'rsa-pkcs1', digest: 'sha1' },
  '1.2.840.10045.4.1': { kind: 'ecdsa', digest: 'sha1' },
  '1.2.840.10045.4.3.2': { kind: 'ecdsa', digest: 'sha256' },
  '1.2.840.10045.4.3.3': { kind: 'ecdsa', digest: 'sha384' },
  '1.2.840.10045.4.3.4': { kind: 'ecdsa', digest: 'sha512' },
  '1.2.840.10040.4.3': { kind: 'dsa', digest: 'sha1' },
  '2.16.840.1.101.3.4.3.2': { kind: 'dsa', digest: 'sha256' },
};

const oidRsa = '1.2.840.113549.1.1.1';
const oidRsaPss = '1.2.840.113549.1.1.10';
const oidMgf1 = '1.2.840.113549.1.1.8';
const oidEcPublicKey = '1.2.840.10045.2.1';
const oidDsa = '1.2.840.10040.4.1';

const attributeNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.15': 'businessCategory',
  '2.5.4.17': 'postalCode',
  '2.5.4.42': 'GN',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
  '1.3.6.1.4.1.311.60.2.1.1': 'jurisdictionL',
  '1.3.6.1.4.1.311.60.2.1.2': 'jurisdictionST',
  '1.3.6.1.4.1.311.60.2.1.3': 'jurisdictionC',
};

/** A distinguished name, in stored order (most general first). */
export interface DistinguishedName {
  /** RFC 4514 order (most specific first) and escapes. */
  readonly text: string;
  readonly commonNames: readonly string[];
  readonly organizations: readonly string[];
  readonly encoded: Uint8Array;
}

export interface Certificate {
  readonly encoded: Uint8Array;
  readonly summary: CertificateSummary;
  readonly serial: Uint8Array;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly subjectKeyId: Uint8Array | undefined;
  readonly version: number;
  /** basicConstraints; undefined when the extension is absent. */
  readonly isAuthority: boolean | undefined;
  readonly pathLengthMax: number | undefined;
  /** keyUsage allows signing certificates; undefined when the extension is absent. */
  readonly mayCertify: boolean | undefined;
  /** extendedKeyUsage; undefined when the extension is absent. */
  readonly purposes: readonly string[] | undefined;
  /** tbsCertificate, DER: what the issuer signed. */
  readonly signed: Uint8Array;
  /** How the issuer signed; undefined when not supported. */
  readonly scheme: SignatureScheme | undefined;
  readonly signature: Uint8Array;
}

/**
 * The digest that an AlgorithmIdentifier names.
 *
 * @returns the algorithm, undefined when it is not supported, and the object identifier
 * @throws TelltaleError `malformed/signature`
 */
export function parseDigestAlgorithm(element: DerElement): {
  oid: string;
  digest: DigestAlgorithm | undefined;
} {
  const oid = element.expect(tags.sequence, 'a digest algorithm').child(0, 'a digest algorithm').toOid();
  return { oid, digest: digestNames[oid] };
}

/**
 * How a signature was made.
 *
 * @param element - AlgorithmIdentifier of the signature
 * @param digest - the digest named beside it, for algorithms that do not name one
 * @returns undefined when it is not supported or contradicts the digest beside it
 * @throws TelltaleError `malformed/signature`
 */
export function parseSignatureScheme(
  element: DerElement,
  digest: DigestAlgorithm | undefined,
): SignatureScheme | undefined {
  const parts = element.expect(tags.sequence, 'a signature algorithm').children();
  const oid = element.child(0, 'a signature algorithm').toOid();
  if (oid === oidRsaPss) return parsePssScheme(parts[1], digest);
  const named = signatureNames[oid];
  if (named !== undefined) return digest === undefined || digest === named.digest ? named : undefined;
  if (digest === undefined) return undefined;
  if (oid === oidRsa) return { kind: 'rsa-pkcs1', digest };
  if (oid === oidEcPublicKey) return { kind: 'ecdsa', digest };
  if (oid === oidDsa) return { kind: 'dsa', digest };
  return undefined;
}

/** RSASSA-PSS-params, RFC 4055 section 3.1. */
function parsePssScheme(
  parameters: DerElement | undefined,
  expected: DigestAlgorithm | undefined,
): SignatureScheme | undefined {
  let digest: DigestAlgorithm | undefined = 'sha1';
  let maskDigest: DigestAlgorithm | undefined = 'sha1';
  let saltLength = 20;
  for (const field of parameters?.expect(tags.sequence, 'a PSS parameter list').children() ?? []) {
    const value = field.only('a PSS parameter');
    switch (field.tag) {
      case tags.context(0):
        digest = parseDigestAlgorithm(value).digest;
        break;
      case tags.context(1): {
        const oid = value.child(0, 'a mask function').toOid();
        maskDigest =
          oid === oidMgf1 ? parseDigestAlgorithm(value.child(1, 'a mask digest')).digest : undefined;
        break;
      }
      case tags.context(2):
        saltLength = value.toSmallInteger();
        break;
      default:
        break;
    }
  }
  // node:crypto has one digest for message and mask; no signer mixes them.
  if (digest === undefined || digest !== maskDigest) return undefined;
  return expected === undefined || expected === digest ? { kind: 'rsa-pss', digest, saltLength } : undefined;
}

/** A certificate that was read, and how many elements that took. */
interface KeptCertificate {
  readonly certificate: Certificate;
  readonly elements: number;
}

/** The same authorities stand behind most signatures of a folder. */
const certificatesKept = 256;
const keptBytesMax = 8192;
const recentCertificates = new Map<string, KeptCertificate>();

/**
 * Reads one certificate; the same bytes lately read give the same object.
 *
 * @throws TelltaleError `malformed/signature`
 */
export function parseCertificate(element: DerElement): Certificate {
  const { encoded } = element;
  if (encoded.length > keptBytesMax) return readCertificate(element);
  const name = toHex(toDigest('sha256', encoded));
  const kept = recentCertificates.get(name) ?? tryKeep(element, name);
  // What the limit on elements says must not depend on what was read before.
  if (kept === undefined || !element.tryCount(kept.elements)) return readCertificate(element);
  // The one not used for longest goes first.
  recentCertificates.delete(name);
  recentCertificates.set(name, kept);
  if (recentCertificates.size > certificatesKept) {
    const [oldest] = recentCertificates.keys();
    if (oldest !== undefined) recentCertificates.delete(oldest);
  }
  return kept.certificate;
}

/** Reads a copy, so that a kept certificate does not keep the file in memory; undefined when it cannot be read. */
function tryKeep(element: DerElement, name: string): KeptCertificate | undefined {
  try {
    const copy = parseDer(Uint8Array.from(element.encoded), element.offset);
    const certificate = readCertificate(copy, name);
    return { certificate, elements: elementsMax - 1 - copy.elementsLeft };
  } catch (error) {
    // Reading it where it stands says what is wrong.
    if (error instanceof TelltaleError) return undefined;
    throw error;
  }
}

function readCertificate(element: DerElement, sha256?: string): Certificate {
  element.expect(tags.sequence, 'a certificate');
  const tbs = element.child(0, 'the signed part of a certificate').expect(tags.sequence, 'a certificate');
  const fields = tbs.children();
  const versionField = fields[0]?.tag === tags.context(0) ? fields[0] : undefined;
  const version = versionField === undefined ? 1 : versionField.only('a version').toSmallInteger() + 1;
  const first = versionField === undefined ? 0 : 1;
  const serial = tbs.child(first, 'a serial number').expect(tags.integer, 'a serial number').content;
  const issuer = parseName(tbs.child(first + 2, 'an issuer'));
  const validity = tbs.child(first + 3, 'a validity').expect(tags.sequence, 'a validity');
  const notBefore = validity.child(0, 'a start of validity').toTime();
  const notAfter = validity.child(1, 'an end of validity').toTime();
  const subject = parseName(tbs.child(first + 4, 'a subject'));
  const publicKey = tbs.child(first + 5, 'a public key').expect(tags.sequence, 'a public key').encoded;
  const extensions = parseExtensions(fields.slice(first + 6).find((field) => field.tag === tags.context(3)));
  const scheme = parseSignatureScheme(element.child(1, 'a signature algorithm'), undefined);
  const signature = element.child(2, 'a signature').toBits();
  const encoded = element.encoded;
  return {
    encoded,
    serial,
    subject,
    issuer,
    notBefore,
    notAfter,
    publicKey,
    version,
    ...extensions,
    signed: tbs.encoded,
    scheme,
    signature,
    summary: {
      subject: subject.text,
      subjectCommonName: subject.commonNames.at(-1) ?? '',
      subjectOrganization: subject.organizations.at(-1) ?? '',
      issuer: issuer.text,
      issuerCommonName: issuer.commonNames.at(-1) ?? '',
      serial: toHex(serial.length > 1 && serial[0] === 0 ? serial.subarray(1) : serial),
      sha1: toHex(toDigest('sha1', encoded)),
      sha256: sha256 ?? toHex(toDigest('sha256', encoded)),
      notBefore: toIsoTime(notBefore),
      notAfter: toIsoTime(notAfter),
    },
  };
}

/** Reads a certificate from its own bytes. @throws TelltaleError `malformed/signature` */
export function parseCertificateBytes(bytes: Uint8Array): Certificate {
  return parseCertificate(parseDer(bytes));
}

/**
 * Reads a distinguished name.
 *
 * @throws TelltaleError `malformed/signature`
 */
export function parseName(element: DerElement): DistinguishedName {
  const commonNames: string[] = [];
  const organizations: string[] = [];
  const parts: string[] = [];
  for (const set of element.expect(tags.sequence, 'a name').children()) {
    const attributes = set
      .expect(tags.set, 'a part of a name')
      .children()
      .map((pair) => {
        const oid = pair.expect(tags.sequence, 'a part of a name').child(0, 'the type of a name').toOid();
        const value = pair.child(1, 'the value of a name');
        const text = value.tryText();
        if (oid === '2.5.4.3' && text !== undefined) commonNames.push(text);
        if (oid === '2.5.4.10' && text !== undefined) organizations.push(text);
        return `${attributeNames[oid] ?? oid}=${text === undefined ? `#${toHex(value.encoded)}` : escapeName(text)}`;
      });
    parts.push(attributes.join('+'));
  }
  return { text: parts.toReversed().join(', '), commonNames, organizations, encoded: element.encoded };
}

/** RFC 4514, section 2.4: so that a name cannot pretend to be several. */
function escapeName(text: string): string {
  return text
    .replace(/[\\,+"<>;]/g, (character) => `\\${character}`)
    .replace(/^[ #]/, (character) => `\\${character}`)
    .replace(/ $/, '\\ ');
}

function parseExtensions(
  field: DerElement | undefined,
): Pick<Certificate, 'isAuthority' | 'pathLengthMax' | 'mayCertify' | 'purposes' | 'subjectKeyId'> {
  let isAuthority: boolean | undefined;
  let pathLengthMax: number | undefined;
  let mayCertify: boolean | undefined;
  let purposes: string[] | undefined;
  let subjectKeyId: Uint8Array | undefined;
  for (const extension of field?.only('the extensions').expect(tags.sequence, 'the extensions').children() ??
    []) {
    const parts = extension.expect(tags.sequence, 'an extension').children();
    const value = parts.at(-1)?.expect(tags.octetString, 'the value of an extension');
    if (value === undefined) throw toMalformed('an extension is empty', extension.offset);
    switch (extension.child(0, 'the type of an extension').toOid()) {
      case '2.5.29.19': {
        const [flag, length] = value.inner().expect(tags.sequence, 'basic constraints').children();
        isAuthority = flag?.tag === tags.boolean && flag.content[0] !== undefined && flag.content[0] !== 0;
        pathLengthMax = length?.toSmallInteger();
        break;
      }
      case '2.5.29.15': {
        const bits = value.inner().expect(tags.bitString, 'a key usage').content;
        // Bit 5, keyCertSign; the first byte counts unused bits.
        mayCertify = ((bits[1] ?? 0) & 0x04) !== 0;
        break;
      }
      case '2.5.29.37':
        purposes = value
          .inner()
          .expect(tags.sequence, 'key purposes')
          .children()
          .map((purpose) => purpose.toOid());
        break;
      case '2.5.29.14':
        subjectKeyId = value.inner().expect(tags.octetString, 'a key identifier').content;
        break;
      default:
        break;
    }
  }
  return { isAuthority, pathLengthMax, mayCertify, purposes, subjectKeyId };
}

/** Whether two byte strings are the same. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  // Names are compared with those of every certificate at hand; a call for each byte takes several times as long.
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

/** Whether a certificate may be used for a purpose; one without extendedKeyUsage may be used for any. */
export function isFor(certificate: Certificate, purpose: string): boolean {
  return (
    certificate.purposes === undefined ||
    certificate.purposes.includes(purpose) ||
    certificate.purposes.includes(keyPurposes.any)
  );
}

/** A leaf with its issuers, as far as they are in the set. */
export interface Chain {
  /** Leaf first; each is signed with the key of the next. */
  readonly certificates: readonly Certificate[];
  /** Why the chain may not be relied on, one plain sentence each. */
  readonly problems: readonly string[];
}

/**
 * Follows a certificate to its issuers among the given ones. Every link is checked with the issuer's key; an issuer
 * that is not in the set ends the chain without a problem.
 *
 * @param time - milliseconds since 1970 at which the chain has to be valid; undefined leaves validity unjudged
 */
export function findChain(
  leaf: Certificate,
  candidates: readonly Certificate[],
  time: number | undefined,
): Chain {
  const certificates: Certificate[] = [leaf];
  const problems: string[] = [];
  let checks = 0;
  let current = leaf;
  while (!isSame(current.subject.encoded, current.issuer.encoded)) {
    if (certificates.length >= chainLengthMax) {
      problems.push(`the chain has more than ${chainLengthMax} certificates`);
      break;
    }
    const issued = current;
    let issuer: Certificate | undefined;
    let hasNamesake = false;
    for (const candidate of candidates) {
      if (!isSame(candidate.subject.encoded, issued.issuer.encoded) || certificates.includes(candidate))
        continue;
      if (checks >= checksPerChainMax) {
        problems.push(`more than ${checksPerChainMax} certificates could be the issuer`);
        break;
      }
      checks += 1;
      hasNamesake = true;
      if (isIssuedBy(issued, candidate)) {
        issuer = candidate;
        break;
      }
    }
    if (issuer === undefined) {
      if (hasNamesake)
        problems.push(
          `"${issued.summary.subject}" is not signed by the certificate that bears the name of its issuer`,
        );
      break;
    }
    problems.push(...toIssuerProblems(issuer, certificates.length - 1));
    certificates.push(issuer);
    current = issuer;
  }
  if (time !== undefined) {
    for (const issuer of certificates.slice(1)) {
      if (time < issuer.notBefore || time > issuer.notAfter) {
        problems.push(`"${issuer.summary.subject}" was not valid at ${toIsoTime(time)}`);
      }
    }
  }
  return { certificates, problems };
}

/** Links that were checked, of certificates that are still in use, by the certificate and its issuer. */
const checkedLinks = new WeakMap<Certificate, WeakMap<Certificate, boolean>>();

/** Whether a certificate carries a signature by the key of another one. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  const { scheme } = certificate;
  if (scheme === undefined) return false;
  const byIssuer = checkedLinks.get(certificate) ?? new WeakMap<Certificate, boolean>();
  const known = byIssuer.get(issuer);
  if (known !== undefined) return known;
  const isValid =
    checkSignature(issuer.publicKey, scheme, certificate.signed, certificate.signature) === 'valid';
  byIssuer.set(issuer, isValid);
  checkedLinks.set(certificate, byIssuer);
  return isValid;
}

/** @param below - certificate authorities between this one and the leaf */
function toIssuerProblems(issuer: Certificate, below: number): string[] {
  const problems: string[] = [];
  const name = `"${issuer.summary.subject}"`;
  // Version 1 roots have no extensions; they are trusted by pin or not at all.
  if (issuer.version >= 3 && issuer.isAuthority !== true)
    problems.push(`${name} is not a certificate authority`);
  if (issuer.mayCertify === false) problems.push(`${name} may not sign certificates`);
  if (issuer.pathLengthMax !== undefined && below > issuer.pathLengthMax) {
    problems.push(`${name} may not have so many authorities below it`);
  }
  return problems;
}
