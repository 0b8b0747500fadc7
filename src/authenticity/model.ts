/** What an authenticity check says. Three separate answers, never one flag: integrity, signer, and (elsewhere) known build. */

/**
 * - `intact`: every signature in the file holds over its bytes.
 * - `modified`: a signed digest or a signature is there and does not hold.
 * - `damaged`: bytes that the headers promise are missing, the certificate table is not where they put it, or the
 *   signature in it cannot be read, so nothing is proved either way.
 * - `signature-removed`: the headers name a certificate table, all other bytes are there, the table is not.
 * - `unsigned`: the headers name no certificate table.
 */
export type Integrity = 'intact' | 'modified' | 'damaged' | 'signature-removed' | 'unsigned';

/**
 * - `pinned`: a certificate that a publisher is known to have signed with, in its period, over these very bytes.
 * - `claimed`: the name of a publisher without that proof: a forgery until shown otherwise.
 * - `other`: a signer that is no publisher we know.
 * - `none`: no signer.
 */
export type SignerStatus = 'pinned' | 'claimed' | 'other' | 'none';

/** Everything that a check may remark, as one closed list. */
export const authenticityProblemCodes = [
  'digest-mismatch', // the signed digest is not the digest of the file
  'signature-invalid', // the signer's key does not confirm the signature, or a signed attribute contradicts
  'signer-certificate-missing', // the certificate that the signature names is not in it
  'malformed', // the blob cannot be read as what it claims to be
  'unsupported', // an algorithm or structure that is not read
  'limit', // more of something than is looked at
  'time-not-proved', // no verified timestamp
  'timestamp-invalid', // a timestamp is there and does not hold
  'outside-validity', // the certificate was not valid when the file was signed
  'chain-invalid', // a certificate of the chain may not do what it does here
  'not-for-code-signing', // the leaf certificate is meant for something else
  'outside-pin-period', // a pinned certificate, used at a time at which the publisher did not use it
  'hidden-bytes', // bytes in the certificate table that no digest covers
  'unused-certificates', // certificates in the bag that belong to no chain
  'certificate-table', // the table is not where or what the headers say
  'bytes-after-table', // bytes follow the certificate table
  'stray-signature', // a signature block that no header names
  'publisher-mismatch', // the manifest of a package names another publisher than the certificate
] as const;

export type AuthenticityProblemCode = (typeof authenticityProblemCodes)[number];

export interface AuthenticityProblem {
  readonly code: AuthenticityProblemCode;
  /** One plain sentence. Text from the file may be in it: escape before printing. */
  readonly message: string;
  /** Byte offset in the file. */
  readonly offset?: number;
}

/** What a person wants to know of a certificate. Names are as in the file: escape before printing. Times in ISO 8601. */
export interface CertificateSummary {
  /** RFC 4514 order and escapes: `CN=…, O=…, C=…`. */
  readonly subject: string;
  /** The most specific common name; empty when there is none. */
  readonly subjectCommonName: string;
  readonly subjectOrganization: string;
  readonly issuer: string;
  readonly issuerCommonName: string;
  /** Hexadecimal, lower case, without a sign byte. */
  readonly serial: string;
  readonly sha1: string;
  readonly sha256: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

export interface TimestampResult {
  /** `legacy`: a PKCS#9 countersignature. `rfc3161`: a timestamp token. */
  readonly kind: 'legacy' | 'rfc3161';
  /** What it says, whether or not it holds. */
  readonly time?: string;
  /**
   * Whether the stamp is over this very signature, its own signature holds, and its certificate is one for
   * timestamping, valid at that time, with a sound chain as far as the file carries it. Roots are not shipped,
   * so the end of that chain is not judged: {@link authority} names it.
   */
  readonly verified: boolean;
  readonly authority?: CertificateSummary;
  /** Why it does not hold. */
  readonly problem?: string;
}

/** A publisher's pin that a signature meets. */
export interface PinMatch {
  /** Id of the publisher. */
  readonly publisher: string;
  /**
   * `leaf`: the signer's own certificate is pinned. `intermediate`: its issuer is, and the name is listed. `team`: Apple
   * issued it to a team that is listed; the fingerprint is that of Apple's certificate.
   */
  readonly kind: 'leaf' | 'intermediate' | 'team';
  readonly algorithm: 'sha256' | 'sha1';
  readonly fingerprint: string;
  /** The pin is by SHA-1 only. */
  readonly weak: boolean;
  /** A verified timestamp lies in the pin's period; false when no timestamp proves the time. */
  readonly timeProved: boolean;
}

/**
 * - `holds`: digest and signature hold.
 * - `fails`: digest or signature does not hold.
 * - `unsupported`: made with an algorithm that is not read; proves nothing.
 * - `malformed`: not readable; proves nothing.
 */
export type SignatureOutcome = 'holds' | 'fails' | 'unsupported' | 'malformed';

/** One code directory of an Apple code signature. */
export interface CodeDirectoryResult {
  readonly algorithm: string;
  /** The digests are cut to 20 bytes. */
  readonly truncated: boolean;
  /** First 20 bytes of its own digest, hexadecimal: by this the system knows the program. */
  readonly cdHash: string;
  readonly pages: number;
  readonly changedPages: number;
  /** Whether the signature is over it, by its content or by its digest. */
  readonly signed: boolean;
}

/** What is particular to a code signature of Apple's systems. */
export interface AppleSignatureDetail {
  /** `x86_64`, `arm64`: which program of the file. */
  readonly architecture: string;
  readonly identifier: string;
  /** The team that the code directory states. */
  readonly statedTeam?: string;
  readonly flags: readonly string[];
  readonly codeDirectories: readonly CodeDirectoryResult[];
  /** `Info.plist`, `CodeResources` and the like: files of the bundle whose digests are signed, but were not compared. */
  readonly unchecked: readonly string[];
  /** What Apple issued the certificate for: `Developer ID Application`, `App Store`, ... */
  readonly certificateKind?: string;
}

export interface SignatureResult {
  readonly index: number;
  /** What kind of signature it is, where it is not Authenticode: `apple`; `v1`, `v2`, `v3`, `v3.1` of Android. */
  readonly scheme?: string;
  /** For an Android package: certificates that handed over to the signer's, oldest first; each confirmed the next. */
  readonly lineage?: readonly CertificateSummary[];
  /** The team to which Apple issued the certificate, or which Apple's store states. */
  readonly teamId?: string;
  /** Id of the publisher whose pin the signer's certificate meets, whether or not its key made this signature. */
  readonly certificateOf?: string;
  readonly apple?: AppleSignatureDetail;
  /** Whether it lies in the unsigned attributes of another signature. */
  readonly nested: boolean;
  /** The PKCS#7 blob in the file, in bytes. */
  readonly place: { readonly offset: number; readonly size: number };
  readonly outcome: SignatureOutcome;
  /** `md5`, `sha1`, `sha256`, `sha384`, `sha512`, the object identifier of another one, or empty. */
  readonly digestAlgorithm: string;
  readonly signedDigest: string;
  readonly actualDigest: string;
  readonly digestMatches: boolean;
  readonly signatureVerifies: boolean;
  readonly signer?: CertificateSummary;
  /** Leaf first; each certificate is signed with the key of the next, all from the file. */
  readonly chain: readonly CertificateSummary[];
  readonly timestamps: readonly TimestampResult[];
  /** The earliest verified timestamp. */
  readonly signingTime?: string;
  readonly programName?: string;
  readonly url?: string;
  /** Whether digests of single pages are signed too; they are not checked. */
  readonly hasPageHashes: boolean;
  /**
   * Present when the signer's certificate meets a pin and its key made this signature. Whether the signature is over
   * this file is another question: only an `outcome` of `holds` makes the pin count.
   */
  readonly pin?: PinMatch;
  /** Whether the signer's certificate was out of its validity at the verified time; undefined without one. */
  readonly expiredAtSigning?: boolean;
  readonly problems: readonly AuthenticityProblem[];
}

export interface Authenticity {
  readonly integrity: Integrity;
  /** One plain sentence. */
  readonly integrityDetail: string;
  readonly signer: SignerStatus;
  /** One plain sentence. */
  readonly signerDetail: string;
  /** Id of the publisher, when pinned or claimed. */
  readonly publisher?: string;
  /** In the order of the certificate table, nested ones behind the one that carries them. */
  readonly signatures: readonly SignatureResult[];
  /** Signed, and every signature rests on MD5 or SHA-1 alone. */
  readonly weakDigestOnly: boolean;
  /** A signature block that is not where the headers put it. */
  readonly foundElsewhere?: { readonly offset: number };
  /** Remarks about the file and its certificate table as a whole. */
  readonly problems: readonly AuthenticityProblem[];
}

export function toProblem(
  code: AuthenticityProblemCode,
  message: string,
  offset?: number,
): AuthenticityProblem {
  return offset === undefined ? { code, message } : { code, message, offset };
}
