/** What all signatures of a file say together. Rules: {@link judgeIntegrity}, {@link judgeSigner}. */
import {
  type AuthenticityProblem,
  type Integrity,
  type SignatureResult,
  type SignerStatus,
  toProblem,
} from './model.ts';
import type { Certificate } from './x509.ts';

/** A result with what only the judgement of the whole file needs. */
export interface CheckedSignature {
  readonly result: SignatureResult;
  readonly isWeak: boolean;
  /** The publisher that the signer is or claims to be. */
  readonly publisher: string | undefined;
  /** Why a pin that fits is not met. */
  readonly refusal: string | undefined;
}

export function toSentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Whether a file was signed outside of the time for which the signer's certificate was valid, which becomes a
 * problem. Undefined when the certificate or the time is not known.
 *
 * @param signingTime - milliseconds since 1970
 * @param offset - of the signer in the file
 */
export function noteValidity(
  leaf: Certificate | undefined,
  signingTime: number | undefined,
  offset: number,
  problems: AuthenticityProblem[],
): boolean | undefined {
  if (leaf === undefined || signingTime === undefined) return undefined;
  const isOutside = signingTime < leaf.notBefore || signingTime > leaf.notAfter;
  if (isOutside) {
    const { notBefore, notAfter } = leaf.summary;
    const message = `The certificate was valid from ${notBefore} to ${notAfter}, not when the file was signed.`;
    problems.push(toProblem('outside-validity', message, offset));
  }
  return isOutside;
}

/** What beside its signatures decides whether a file is intact. */
export interface FileCondition {
  /** One sentence, when the signatures are not where they should be. */
  readonly displaced?: string;
  /** Bytes that the file ends too early. */
  readonly missingBytes: number;
  /** By what the file ends too early: `its headers say`. */
  readonly missing: string;
  /** One sentence, when bytes are there that no digest covers and that do not belong there. */
  readonly uncovered?: string;
  /** More signatures than are looked at. */
  readonly isIncomplete: boolean;
}

/** Several results become one integrity; the rules stand at `verifyAuthenticode`. */
export function judgeIntegrity(
  signatures: readonly CheckedSignature[],
  condition: FileCondition,
): { integrity: Integrity; integrityDetail: string } {
  const results = signatures.map(({ result }) => result);
  const failing = results.find(({ outcome }) => outcome === 'fails');
  const failure = failing === undefined ? undefined : describeFailure(failing);
  if (condition.displaced !== undefined) {
    const state = failure === undefined ? 'Its signed digest holds' : toSentence(failure);
    return { integrity: 'damaged', integrityDetail: `${condition.displaced} ${state}.` };
  }
  if (failure !== undefined) {
    return condition.missingBytes > 0
      ? {
          integrity: 'damaged',
          integrityDetail: `The file ends ${condition.missingBytes} bytes before ${condition.missing}, and ${failure}.`,
        }
      : { integrity: 'modified', integrityDetail: `${toSentence(failure)}.` };
  }
  if (condition.uncovered !== undefined) {
    return { integrity: 'modified', integrityDetail: condition.uncovered };
  }
  const unread = results.find(({ outcome }) => outcome === 'malformed');
  if (unread !== undefined) {
    const reason = unread.problems.at(-1)?.message ?? '';
    return {
      integrity: 'damaged',
      integrityDetail: `A signature at offset ${unread.place.offset} cannot be read. ${reason}`.trim(),
    };
  }
  if (condition.isIncomplete) {
    return { integrity: 'damaged', integrityDetail: 'The file has more signatures than are looked at.' };
  }
  const holding = results.filter(({ outcome }) => outcome === 'holds');
  if (holding.length === 0) {
    return {
      integrity: 'damaged',
      integrityDetail: 'The signature uses an algorithm that is not supported, so nothing is proved.',
    };
  }
  const algorithms = [...new Set(holding.map(({ digestAlgorithm }) => digestAlgorithm))];
  const names = algorithms.join(', ');
  return {
    integrity: 'intact',
    integrityDetail:
      algorithms.length === 1 ? `The signed digest (${names}) holds.` : `All signed digests (${names}) hold.`,
  };
}

function describeFailure({
  digestMatches,
  digestAlgorithm,
  signedDigest,
  nested,
  place,
}: SignatureResult): string {
  const which = `${nested ? 'nested ' : ''}signature at offset ${place.offset}`;
  return digestMatches
    ? `the ${which} is not confirmed by the key of its signer`
    : `the ${digestAlgorithm} digest ${signedDigest} in the ${which} is not that of the file`;
}

/** Only a pin on a signature that holds over this very file counts. */
function isPinned({ outcome, pin }: SignatureResult): boolean {
  return outcome === 'holds' && pin !== undefined;
}

/**
 * Who signed the file. `pinned` wants an intact file and no signature by the same publisher that falls short: a genuine
 * blob stuffed in beside a forged one proves nothing.
 */
export function judgeSigner(
  signatures: readonly CheckedSignature[],
  integrity: Integrity,
): { status: SignerStatus; detail: string; publisher: string | undefined } {
  const pinned = signatures.find(({ result }) => isPinned(result));
  const pin = pinned?.result.pin;
  const doubtful = signatures.find(
    ({ publisher, result }) =>
      publisher !== undefined && !isPinned(result) && (pin === undefined || pin.publisher === publisher),
  );
  if (pin !== undefined && doubtful === undefined && integrity === 'intact') {
    const time = pin.timeProved
      ? `at ${pinned?.result.signingTime ?? ''}`
      : 'at a time that no timestamp proves';
    const what =
      pin.kind === 'leaf'
        ? 'a certificate of the publisher'
        : 'a certificate that a pinned authority issued to the publisher';
    return { status: 'pinned', detail: `Signed with ${what}, ${time}.`, publisher: pin.publisher };
  }
  if (doubtful !== undefined) {
    const name = doubtful.result.signer?.subjectCommonName ?? '';
    const reason =
      doubtful.result.outcome !== 'holds'
        ? 'but that signature does not hold over this file'
        : (doubtful.refusal ?? 'but the certificate is none that the publisher is known to have signed with');
    return {
      status: 'claimed',
      detail: `The signer is named "${name}", ${reason.replace(/^the /, 'but the ')}.`,
      publisher: doubtful.publisher,
    };
  }
  if (pin !== undefined) {
    return {
      status: 'claimed',
      detail: 'A signature by a certificate of the publisher holds, but the file as a whole is not intact.',
      publisher: pin.publisher,
    };
  }
  const named = signatures.find(({ result }) => result.signer !== undefined);
  if (named === undefined) {
    return { status: 'none', detail: 'No signer could be read.', publisher: undefined };
  }
  return {
    status: 'other',
    detail: `The signer "${named.result.signer?.subjectCommonName ?? ''}" is no publisher that is known here.`,
    publisher: undefined,
  };
}
