/**
 * Timestamps over a signature: who else saw it, and when.
 *
 * Specifications: PKCS#9 countersignature, RFC 2985 section 5.3.6 https://www.rfc-editor.org/rfc/rfc2985;
 * timestamp tokens, RFC 3161 https://www.rfc-editor.org/rfc/rfc3161
 *
 * Read: countersignatures with a signing time, tokens with their imprint.
 * Not supported: ESSCertID (the signer is found by name and confirmed by key), accuracy, revocation.
 */
import { TelltaleError } from '../bytes/errors.ts';
import { toDigest } from '../platform/digests.ts';
import {
  type Attribute,
  checkSigner,
  cmsOids,
  findAttribute,
  parseContent,
  parseSignerInfo,
  type SignerInfo,
  toSignedData,
} from './cms.ts';
import { type DerElement, tags, toIsoTime, toMalformed } from './der.ts';
import type { TimestampResult } from './model.ts';
import { type Certificate, findChain, isSame, keyPurposes, parseDigestAlgorithm } from './x509.ts';

/** Timestamps that are looked at on one signature. */
export const timestampsMax = 4;

export const timestampOids = {
  /** Microsoft's attribute for a timestamp token. */
  token: '1.3.6.1.4.1.311.3.3.1',
  tokenInfo: '1.2.840.113549.1.9.16.1.4',
} as const;

/** A timestamp with what is needed to judge the signature under it. */
export interface Timestamp {
  readonly result: TimestampResult;
  /** Milliseconds since 1970, when it is verified. */
  readonly verifiedTime: number | undefined;
  /** Certificates that the stamp uses. */
  readonly used: readonly Certificate[];
}

/**
 * Checks every timestamp in a signer's unsigned attributes. Never throws for damage: a stamp that cannot be read is
 * one that does not hold.
 *
 * @param bag - certificates of the signature; a token brings its own as well
 */
export function checkTimestamps(signer: SignerInfo, bag: readonly Certificate[]): readonly Timestamp[] {
  const timestamps: Timestamp[] = [];
  for (const attribute of signer.unsignedAttributes) {
    const kind = toKind(attribute);
    if (kind === undefined) continue;
    for (const value of attribute.values) {
      if (timestamps.length >= timestampsMax) return timestamps;
      try {
        timestamps.push(
          kind === 'legacy' ? checkCountersignature(value, signer, bag) : checkToken(value, signer, bag),
        );
      } catch (error) {
        if (!(error instanceof TelltaleError)) throw error;
        timestamps.push(toFailed({ kind }, `it cannot be read: ${error.message}`));
      }
    }
  }
  return timestamps;
}

function toKind(attribute: Attribute): TimestampResult['kind'] | undefined {
  if (attribute.oid === cmsOids.countersignature) return 'legacy';
  return attribute.oid === timestampOids.token ? 'rfc3161' : undefined;
}

function toFailed(known: Pick<TimestampResult, 'kind' | 'time' | 'authority'>, problem: string): Timestamp {
  return { result: { ...known, verified: false, problem }, verifiedTime: undefined, used: [] };
}

function checkCountersignature(
  value: DerElement,
  signer: SignerInfo,
  bag: readonly Certificate[],
): Timestamp {
  const countersigner = parseSignerInfo(value);
  const time = findAttribute(countersigner.signedAttributes, cmsOids.signingTime)?.toTime();
  // VeriSign's and Symantec's services signed the bare digest (measured on files of 2008 to 2017); Windows takes it.
  const check = checkSigner(countersigner, signer.signature, undefined, bag, true);
  return judge('legacy', time, check.certificate, check.problem, bag);
}

function checkToken(value: DerElement, signer: SignerInfo, bag: readonly Certificate[]): Timestamp {
  const token = toSignedData(value);
  if (token.contentType !== timestampOids.tokenInfo) {
    throw toMalformed(`its content is ${token.contentType}, no timestamp`, token.place.offset);
  }
  const info = parseContent(token).expect(tags.sequence, 'the timestamp');
  const imprint = info.child(2, 'the imprint').expect(tags.sequence, 'the imprint');
  const { oid, digest } = parseDigestAlgorithm(imprint.child(0, 'the digest of the imprint'));
  const time = info.child(4, 'the time').expect(tags.generalizedTime, 'the time').toTime();
  const pool = [...token.certificates, ...bag];
  const [tokenSigner, ...others] = token.signers;
  if (tokenSigner === undefined || others.length > 0) {
    throw toMalformed(`it has ${token.signers.length} signers, not one`, token.place.offset);
  }
  const check = checkSigner(tokenSigner, token.content ?? new Uint8Array(0), token.contentType, pool);
  let problem = check.problem;
  if (tokenSigner.signedBytes === undefined) problem ??= 'it has no signed attributes';
  if (digest === undefined) {
    problem ??= `the digest ${oid} of its imprint is not supported`;
  } else if (!isSame(imprint.child(1, 'the imprint').octets(), toDigest(digest, signer.signature))) {
    problem = 'it was made for another signature';
  }
  return judge('rfc3161', time, check.certificate, problem, pool);
}

function judge(
  kind: TimestampResult['kind'],
  time: number | undefined,
  certificate: Certificate | undefined,
  problem: string | undefined,
  pool: readonly Certificate[],
): Timestamp {
  const known = {
    kind,
    ...(time === undefined ? {} : { time: toIsoTime(time) }),
    ...(certificate === undefined ? {} : { authority: certificate.summary }),
  };
  if (problem !== undefined || certificate === undefined)
    return toFailed(known, problem ?? 'it has no signer');
  if (time === undefined) return toFailed(known, 'it states no time');
  // Without this purpose anybody with any certificate could make a timestamp.
  if (certificate.purposes?.includes(keyPurposes.timeStamping) !== true) {
    return toFailed(known, `"${certificate.summary.subject}" is not a certificate for timestamping`);
  }
  if (time < certificate.notBefore || time > certificate.notAfter) {
    return toFailed(known, `"${certificate.summary.subject}" was not valid at that time`);
  }
  const chain = findChain(certificate, pool, time);
  const [chainProblem] = chain.problems;
  if (chainProblem !== undefined) return toFailed(known, chainProblem);
  return { result: { ...known, verified: true }, verifiedTime: time, used: chain.certificates };
}
