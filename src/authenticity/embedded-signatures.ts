/**
 * The signatures of one PKCS#7 blob over a file, whatever the file is: nested ones, signer, chain, timestamps, pins.
 * How the file is digested, and what several results mean for it, is up to the caller.
 *
 * Specification: Windows Authenticode Portable Executable Signature Format
 * https://download.microsoft.com/download/9/c/5/9c5b2167-8017-4bae-9fde-d599bac8184a/Authenticode_PE.docx
 */
import { toHex } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import type { Range, SignatureBlob } from './certificate-table.ts';
import { checkSigner, cmsOids, type SignedData, type SignerInfo, toSignedData } from './cms.ts';
import { type DerElement, toDamage, toIsoTime, toMalformed } from './der.ts';
import { type CheckedSignature, noteValidity, toSentence } from './judgement.ts';
import { type AuthenticityProblem, type SignatureOutcome, type SignatureResult, toProblem } from './model.ts';
import { matchPins, type PublisherPins } from './publisher-pins.ts';
import { type IndirectData, parseIndirectData, parseProgramInfo, spcOids } from './spc.ts';
import { checkTimestamps, timestampOids } from './timestamp.ts';
import { type Certificate, findChain, isFor, keyPurposes } from './x509.ts';

/** Signatures inside each other. */
export const nestingDepthMax = 4;
/** Signatures in one file, nested ones included. */
export const signaturesMax = 32;

/** Microsoft's individual and commercial code signing, from before the standard purpose was usual. */
const codeSigningPurposes: readonly string[] = [
  keyPurposes.codeSigning,
  '1.3.6.1.4.1.311.2.1.21',
  '1.3.6.1.4.1.311.2.1.22',
];

/** What the signed data has to say that it is about. */
export interface SignedSubject {
  /** Object identifier of the kind of data. */
  readonly oid: string;
  /** `a portable executable` */
  readonly name: string;
}

/** A signature before the file was digested. */
export interface PendingSignature {
  readonly place: Range;
  readonly nested: boolean;
  readonly signedData: SignedData | undefined;
  readonly signer: SignerInfo | undefined;
  readonly indirect: IndirectData | undefined;
  /** Why there is nothing to check. */
  readonly problem: TelltaleError | undefined;
  /** Its own certificates and those of the signatures around it. */
  readonly bag: readonly Certificate[];
  readonly problems: readonly AuthenticityProblem[];
}

/** The signers of a blob, each followed by the signatures nested in it. */
export function collectSignatures(
  blob: SignatureBlob,
  depth: number,
  outer: readonly Certificate[],
  nested: boolean,
): PendingSignature[] {
  const { place, signedData } = blob;
  const unreadable = (problem: TelltaleError): PendingSignature => ({
    place,
    nested,
    signedData,
    signer: undefined,
    indirect: undefined,
    problem,
    bag: [],
    problems: [],
  });
  if (signedData === undefined)
    return [unreadable(blob.problem ?? toMalformed('it cannot be read', place.offset))];
  if (signedData.signers.length === 0) return [unreadable(toMalformed('it has no signer', place.offset))];
  let indirect: IndirectData;
  try {
    indirect = parseIndirectData(signedData);
  } catch (error) {
    return [unreadable(toDamage(error))];
  }
  const bag = [...signedData.certificates, ...outer];
  const found: PendingSignature[] = [];
  for (const signer of signedData.signers) {
    const problems: AuthenticityProblem[] = [];
    const inside: PendingSignature[] = [];
    for (const attribute of signer.unsignedAttributes) {
      if (attribute.oid === cmsOids.countersignature || attribute.oid === timestampOids.token) continue;
      if (attribute.oid !== spcOids.nestedSignature) {
        problems.push(
          toProblem(
            'hidden-bytes',
            `An unsigned attribute ${attribute.oid} of ${attribute.size} bytes is in the signature; no digest covers it.`,
            attribute.offset,
          ),
        );
        continue;
      }
      if (depth + 1 > nestingDepthMax) {
        inside.push(
          unreadable(
            new TelltaleError(
              'limit/count',
              `more than ${nestingDepthMax} signatures lie inside each other`,
              { offset: attribute.offset },
            ),
          ),
        );
        continue;
      }
      for (const value of attribute.values.slice(0, signaturesMax + 1)) {
        inside.push(...collectSignatures(toNestedBlob(value), depth + 1, bag, true));
      }
    }
    found.push({ place, nested, signedData, signer, indirect, problem: undefined, bag, problems }, ...inside);
    if (found.length > signaturesMax) break;
  }
  return found;
}

function toNestedBlob(element: DerElement): SignatureBlob {
  const place: Range = { offset: element.offset, size: element.end - element.start };
  try {
    return { place, signedData: toSignedData(element), problem: undefined };
  } catch (error) {
    return { place, signedData: undefined, problem: toDamage(error) };
  }
}

/**
 * Checks one signature against the digests of the file.
 *
 * @param actual - digests of what the signature covers
 */
export function checkSignature(
  pending: PendingSignature,
  index: number,
  actual: Partial<Record<DigestAlgorithm, string>>,
  subject: SignedSubject,
  publishers: PublisherPins,
): CheckedSignature {
  const { place, nested, signedData, signer, indirect } = pending;
  const problems = [...pending.problems];
  if (signedData === undefined || signer === undefined || indirect === undefined) {
    const { message, offset, code } = pending.problem ?? toMalformed('it cannot be read', place.offset);
    problems.push(
      toProblem(
        code === 'limit/count' ? 'limit' : 'malformed',
        `The signature was not read: ${message}.`,
        offset,
      ),
    );
    return {
      result: { ...toEmptyResult(index, nested, place), problems },
      isWeak: false,
      publisher: undefined,
      refusal: undefined,
    };
  }
  for (const { code, message, offset } of signedData.certificateProblems) {
    problems.push(
      toProblem(
        code === 'limit/count' ? 'limit' : 'malformed',
        `A certificate was not read: ${message}.`,
        offset,
      ),
    );
  }
  if (signer.unsignedProblem !== undefined) {
    const { message, offset } = signer.unsignedProblem;
    problems.push(toProblem('malformed', `The unsigned attributes were not read: ${message}.`, offset));
  }
  if (indirect.subject !== subject.oid) {
    problems.push(toProblem('malformed', `The signature was not made for ${subject.name}.`, place.offset));
  }

  const check = checkSigner(
    signer,
    signedData.content ?? new Uint8Array(0),
    signedData.contentType,
    pending.bag,
  );
  const signatureVerifies = check.outcome === 'holds';
  if (check.problem !== undefined) {
    const code =
      check.outcome === 'unsupported'
        ? 'unsupported'
        : check.certificate === undefined
          ? 'signer-certificate-missing'
          : 'signature-invalid';
    problems.push(toProblem(code, `${toSentence(check.problem)}.`, signer.offset));
  }
  const signedDigest = toHex(indirect.signedDigest);
  const actualDigest = (indirect.digest === undefined ? undefined : actual[indirect.digest]) ?? '';
  const digestMatches = actualDigest !== '' && signedDigest === actualDigest;
  if (indirect.digest === undefined) {
    problems.push(
      toProblem('unsupported', `The digest algorithm ${indirect.oid} is not supported.`, place.offset),
    );
  } else if (!digestMatches) {
    problems.push(
      toProblem(
        'digest-mismatch',
        `The signed ${indirect.digest} digest ${signedDigest} is not that of the file, ${actualDigest}.`,
        place.offset,
      ),
    );
  }
  const outcome = toOutcome(check.outcome, indirect.digest !== undefined, digestMatches);

  // A stamp over a signature that does not hold proves no time for this file.
  const timestamps = checkTimestamps(signer, pending.bag);
  for (const { result } of timestamps) {
    if (result.problem !== undefined) {
      problems.push(
        toProblem('timestamp-invalid', `A timestamp does not hold: ${result.problem}.`, signer.offset),
      );
    }
  }
  const verifiedTimes = timestamps.flatMap(({ verifiedTime }) =>
    verifiedTime === undefined ? [] : [verifiedTime],
  );
  const signingTime = verifiedTimes.length === 0 ? undefined : Math.min(...verifiedTimes);
  if (signingTime === undefined) {
    problems.push(
      toProblem('time-not-proved', 'No timestamp proves when the file was signed.', signer.offset),
    );
  }

  const leaf = check.certificate;
  const chain = leaf === undefined ? undefined : findChain(leaf, pending.bag, signingTime);
  for (const problem of chain?.problems ?? [])
    problems.push(toProblem('chain-invalid', `${toSentence(problem)}.`, signer.offset));
  const isForCode = leaf === undefined || codeSigningPurposes.some((purpose) => isFor(leaf, purpose));
  if (leaf !== undefined && !isForCode) {
    problems.push(
      toProblem(
        'not-for-code-signing',
        `"${leaf.summary.subject}" is not a certificate for signing code.`,
        signer.offset,
      ),
    );
  }
  const expiredAtSigning = noteValidity(leaf, signingTime, signer.offset, problems);
  noteUnusedCertificates(
    pending,
    [...(chain?.certificates ?? []), ...timestamps.flatMap(({ used }) => used)],
    problems,
  );

  const isSound =
    chain !== undefined && chain.problems.length === 0 && isForCode && expiredAtSigning !== true;
  const pins = matchPins(publishers, chain?.certificates ?? [], isSound, signingTime);
  if (pins.refusal !== undefined) {
    problems.push(toProblem('outside-pin-period', `${toSentence(pins.refusal)}.`, signer.offset));
  }
  const programInfo = parseProgramInfo(signer);
  return {
    result: {
      index,
      nested,
      place,
      outcome,
      digestAlgorithm: indirect.digest ?? indirect.oid,
      signedDigest,
      actualDigest,
      digestMatches,
      signatureVerifies,
      ...(leaf === undefined ? {} : { signer: leaf.summary }),
      chain: chain?.certificates.map(({ summary }) => summary) ?? [],
      timestamps: timestamps.map(({ result }) => result),
      ...(signingTime === undefined ? {} : { signingTime: toIsoTime(signingTime) }),
      ...programInfo,
      hasPageHashes: indirect.hasPageHashes,
      ...(signatureVerifies && pins.match !== undefined ? { pin: pins.match } : {}),
      ...(expiredAtSigning === undefined ? {} : { expiredAtSigning }),
      problems,
    },
    isWeak: isWeakDigest(indirect.digest) || isWeakDigest(signer.digest),
    publisher: pins.publisher,
    refusal: pins.refusal,
  };
}

function isWeakDigest(digest: DigestAlgorithm | undefined): boolean {
  return digest === 'md5' || digest === 'sha1';
}

function toOutcome(
  check: 'holds' | 'fails' | 'unsupported',
  isDigestRead: boolean,
  digestMatches: boolean,
): SignatureOutcome {
  if (check === 'fails' || (isDigestRead && !digestMatches)) return 'fails';
  return check === 'unsupported' || !isDigestRead ? 'unsupported' : 'holds';
}

function toEmptyResult(index: number, nested: boolean, place: Range): Omit<SignatureResult, 'problems'> {
  return {
    index,
    nested,
    place,
    outcome: 'malformed',
    digestAlgorithm: '',
    signedDigest: '',
    actualDigest: '',
    digestMatches: false,
    signatureVerifies: false,
    chain: [],
    timestamps: [],
    hasPageHashes: false,
  };
}

/** Genuine certificates are stuffed into forgeries to impress a reader of the bag. */
function noteUnusedCertificates(
  { signedData, place }: PendingSignature,
  used: readonly Certificate[],
  problems: AuthenticityProblem[],
): void {
  const usedPrints = new Set(used.map(({ summary }) => summary.sha256));
  const unused = signedData?.certificates.filter(({ summary }) => !usedPrints.has(summary.sha256)) ?? [];
  if (unused.length === 0) return;
  const names = unused.slice(0, 4).map(({ summary }) => `"${summary.subjectCommonName || summary.subject}"`);
  const more = unused.length > names.length ? ` and ${unused.length - names.length} more` : '';
  problems.push(
    toProblem(
      'unused-certificates',
      `Certificates that belong to no chain are in the signature: ${names.join(', ')}${more}.`,
      place.offset,
    ),
  );
}
