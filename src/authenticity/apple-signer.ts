/**
 * Who signed a code directory: the CMS signature in an Apple code signature, its chain, timestamp and team.
 *
 * References: https://github.com/apple-oss-distributions/Security (OSX/libsecurity_cms, libsecurity_codesigning),
 * RFC 5652 https://www.rfc-editor.org/rfc/rfc5652, RFC 3161 https://www.rfc-editor.org/rfc/rfc3161
 */
import type { Budget } from '../bytes/budget.ts';
import { toHex } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { type CodeDirectory, type CodeSignature, toPayload } from '../formats/macho/code-signature.ts';
import { parsePlist, tryGet } from '../formats/plist.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import { appleAnchors, type AppleLeaf, readAppleLeaf } from './apple-certificates.ts';
import { checkSigner, cmsOids, parseSignedData, type SignedData, type SignerInfo } from './cms.ts';
import { tags, toDamage, toIsoTime, toMalformed } from './der.ts';
import { noteValidity, toSentence } from './judgement.ts';
import {
  type AuthenticityProblem,
  type PinMatch,
  type SignatureOutcome,
  type TimestampResult,
  toProblem,
} from './model.ts';
import { type AppleTeamPin, type Publisher, type PublisherPins, tryClaim } from './publisher-pins.ts';
import { checkTimestamps, timestampOids } from './timestamp.ts';
import { type Certificate, type Chain, findChain, isFor, isSame, keyPurposes } from './x509.ts';

const oids = {
  /** A property list with the first 20 bytes of the digest of each code directory. */
  codeDirectoryList: '1.2.840.113635.100.9.1',
  /** One whole digest, with its algorithm, in each value. */
  codeDirectoryDigests: '1.2.840.113635.100.9.2',
  /** The standard's attribute for a timestamp; Microsoft has one of its own. RFC 3161, appendix A. */
  timestamp: '1.2.840.113549.1.9.16.2.14',
} as const;

const algorithmOids: Readonly<Record<string, DigestAlgorithm>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
};

/** As `toDamage`, also for what is only not supported or too much. @throws what is no damage */
export function toSignatureDamage(error: unknown): TelltaleError {
  const isTolerable =
    error instanceof TelltaleError &&
    (error.code.startsWith('unsupported/') || error.code === 'limit/memory');
  return isTolerable ? error : toDamage(error);
}

/** The publisher whose team it is, with the pins of that team. */
export function tryFindTeam(
  { publishers }: PublisherPins,
  team: string,
): { readonly publisher: Publisher; readonly pins: readonly AppleTeamPin[] } | undefined {
  for (const publisher of publishers) {
    const pins = publisher.appleTeams?.filter((pin) => pin.team === team) ?? [];
    if (pins.length > 0) return { publisher, pins };
  }
  return undefined;
}

/** What the CMS signature over a code directory says. */
export interface SignerFinding {
  readonly outcome: SignatureOutcome;
  readonly place: { readonly offset: number; readonly size: number };
  readonly leaf: Certificate | undefined;
  readonly chain: Chain | undefined;
  readonly apple: AppleLeaf | undefined;
  readonly teamId: string | undefined;
  readonly certificateOf: string | undefined;
  readonly bound: ReadonlySet<CodeDirectory>;
  readonly timestamps: readonly TimestampResult[];
  readonly signingTime: number | undefined;
  readonly expiredAtSigning: boolean | undefined;
  readonly pin: PinMatch | undefined;
  readonly publisher: string | undefined;
  readonly refusal: string | undefined;
  readonly isWeak: boolean;
  readonly problems: readonly AuthenticityProblem[];
}

/**
 * Checks the signature over the first code directory. Never throws for damage.
 *
 * @param cms - the blob, with its offset in the program
 * @param fileOffset - of the program in the file
 * @throws TelltaleError `limit/time`
 */
export function checkCms(
  cms: { readonly bytes: Uint8Array; readonly offset: number },
  fileOffset: number,
  signature: CodeSignature,
  primary: CodeDirectory,
  publishers: PublisherPins,
  budget: Budget,
): SignerFinding {
  const offset = fileOffset + cms.offset;
  let signedData: SignedData;
  let signer: SignerInfo;
  try {
    signedData = parseSignedData(cms.bytes, offset);
    const [first, ...others] = signedData.signers;
    // Forgeries have put a genuine signer beside one of their own, for checks that look at either.
    if (first === undefined || others.length > 0) {
      throw toMalformed(`it has ${signedData.signers.length} signers, not one`, signedData.place.offset);
    }
    signer = first;
  } catch (error) {
    const damage = toDamage(error);
    return {
      outcome: 'malformed',
      place: { offset, size: cms.bytes.length },
      leaf: undefined,
      chain: undefined,
      apple: undefined,
      teamId: undefined,
      certificateOf: undefined,
      bound: new Set(),
      timestamps: [],
      signingTime: undefined,
      expiredAtSigning: undefined,
      pin: undefined,
      publisher: undefined,
      refusal: undefined,
      isWeak: false,
      problems: [
        toProblem(
          damage.code === 'limit/count' ? 'limit' : 'malformed',
          `The signature was not read: ${damage.message}.`,
          damage.offset,
        ),
      ],
    };
  }
  const problems: AuthenticityProblem[] = signedData.certificateProblems.map(
    ({ code, message, offset: at }) =>
      toProblem(
        code === 'limit/count' ? 'limit' : 'malformed',
        `A certificate was not read: ${message}.`,
        at,
      ),
  );
  const check = checkSigner(signer, primary.blob.bytes, signedData.contentType, signedData.certificates);
  if (check.problem !== undefined) {
    const code =
      check.outcome === 'unsupported'
        ? 'unsupported'
        : check.certificate === undefined
          ? 'signer-certificate-missing'
          : 'signature-invalid';
    problems.push(toProblem(code, `${toSentence(check.problem)}.`, signer.offset));
  }
  let outcome: SignatureOutcome = check.outcome;
  const binding = bindDirectories(signer, signature, problems, budget);
  if (!binding.holds) outcome = 'fails';

  const timestamps = checkTimestamps(withStandardTimestamps(signer), signedData.certificates);
  for (const { result } of timestamps) {
    if (result.problem !== undefined) {
      problems.push(
        toProblem('timestamp-invalid', `A timestamp does not hold: ${result.problem}.`, signer.offset),
      );
    }
  }
  const times = timestamps.flatMap(({ verifiedTime }) => verifiedTime ?? []);
  const signingTime = times.length === 0 ? undefined : Math.min(...times);
  if (signingTime === undefined) {
    problems.push(
      toProblem('time-not-proved', 'No timestamp proves when the file was signed.', signer.offset),
    );
  }
  noteHiddenAttributes(signer, problems);

  const leaf = check.certificate;
  const chain = leaf === undefined ? undefined : findChain(leaf, signedData.certificates, signingTime);
  for (const problem of chain?.problems ?? []) {
    problems.push(toProblem('chain-invalid', `${toSentence(problem)}.`, signer.offset));
  }
  const expiredAtSigning = noteValidity(leaf, signingTime, signer.offset, problems);
  const identity = identify(leaf, chain, signature, primary, publishers, {
    signingTime,
    expired: expiredAtSigning === true,
    budget,
  });
  if (identity.refusal !== undefined) {
    const code = identity.isOutsidePeriod ? 'outside-pin-period' : 'chain-invalid';
    problems.push(toProblem(code, `${toSentence(identity.refusal)}.`, signer.offset));
  }
  if (leaf !== undefined && !isFor(leaf, keyPurposes.codeSigning)) {
    problems.push(
      toProblem(
        'not-for-code-signing',
        `"${leaf.summary.subject}" is not a certificate for signing code.`,
        signer.offset,
      ),
    );
  }
  noteUnused(
    signedData,
    [...(chain?.certificates ?? []), ...timestamps.flatMap(({ used }) => used)],
    problems,
  );
  return {
    outcome,
    place: signedData.place,
    leaf,
    chain,
    bound: binding.bound,
    timestamps: timestamps.map(({ result }) => result),
    signingTime,
    expiredAtSigning,
    isWeak: signer.digest === 'sha1' || signer.digest === 'md5',
    problems,
    ...identity,
  };
}

/** Apple stamps with the attribute of the standard, where the reader of timestamps knows Microsoft's. */
function withStandardTimestamps(signer: SignerInfo): SignerInfo {
  return {
    ...signer,
    unsignedAttributes: signer.unsignedAttributes.map((attribute) =>
      attribute.oid === oids.timestamp ? { ...attribute, oid: timestampOids.token } : attribute,
    ),
  };
}

const knownUnsignedAttributes: ReadonlySet<string> = new Set([
  oids.timestamp,
  timestampOids.token,
  cmsOids.countersignature,
]);

function noteHiddenAttributes({ unsignedAttributes }: SignerInfo, problems: AuthenticityProblem[]): void {
  for (const { oid, size, offset } of unsignedAttributes) {
    if (knownUnsignedAttributes.has(oid)) continue;
    problems.push(
      toProblem(
        'hidden-bytes',
        `An unsigned attribute ${oid} of ${size} bytes is in the signature; no digest covers it.`,
        offset,
      ),
    );
  }
}

/** Genuine certificates are stuffed into forgeries to impress a reader of the bag. */
function noteUnused(
  { certificates, place }: SignedData,
  used: readonly Certificate[],
  problems: AuthenticityProblem[],
): void {
  const usedPrints = new Set(used.map(({ summary }) => summary.sha256));
  const unused = certificates.filter(({ summary }) => !usedPrints.has(summary.sha256));
  if (unused.length === 0) return;
  const names = unused.slice(0, 4).map(({ summary }) => `"${summary.subjectCommonName || summary.subject}"`);
  problems.push(
    toProblem(
      'unused-certificates',
      `Certificates that belong to no chain are in the signature: ${names.join(', ')}.`,
      place.offset,
    ),
  );
}

/**
 * Which code directories the signature is over: the first by its bytes, the others by digests among the signed
 * attributes. Once there are such digests they have to be those of all code directories, or a stronger one could be
 * taken away or exchanged.
 */
function bindDirectories(
  signer: SignerInfo,
  { directories }: CodeSignature,
  problems: AuthenticityProblem[],
  budget: Budget,
): { readonly holds: boolean; readonly bound: ReadonlySet<CodeDirectory> } {
  const bound = new Set<CodeDirectory>(directories.slice(0, 1));
  let holds = true;
  let isListed = false;
  const fail = (message: string): void => {
    holds = false;
    problems.push(toProblem('signature-invalid', message, signer.offset));
  };
  for (const { oid, values } of signer.signedAttributes) {
    if (oid !== oids.codeDirectoryList && oid !== oids.codeDirectoryDigests) continue;
    for (const value of values) {
      isListed = true;
      try {
        const listed =
          oid === oids.codeDirectoryList ? readHashList(value.octets(), budget) : [readDigest(value)];
        for (const { algorithm, digest } of listed) {
          const match = directories.find(
            (directory) =>
              (algorithm === undefined || algorithm === directory.algorithm) &&
              digest.length >= 20 &&
              isSame(digest, directory.digest.subarray(0, digest.length)),
          );
          if (match === undefined) {
            fail(
              `A code directory that was signed, ${toHex(digest.subarray(0, 20))}, is not in the signature or was changed.`,
            );
          } else {
            bound.add(match);
          }
        }
      } catch (error) {
        fail(`A signed list of code directories cannot be read: ${toSignatureDamage(error).message}.`);
      }
    }
  }
  for (const directory of directories) {
    if (bound.has(directory)) continue;
    if (isListed) fail(`The code directory ${directory.cdHash} is not among those that were signed.`);
    else {
      problems.push(
        toProblem(
          'hidden-bytes',
          `The code directory ${directory.cdHash} is not signed; nothing rests on it.`,
          signer.offset,
        ),
      );
    }
  }
  return { holds, bound };
}

interface ListedDigest {
  readonly algorithm: DigestAlgorithm | undefined;
  readonly digest: Uint8Array;
}

function readHashList(bytes: Uint8Array, budget: Budget): readonly ListedDigest[] {
  const list = tryGet(parsePlist(bytes, budget), 'cdhashes');
  if (list?.kind !== 'array') throw toMalformed('it is no list');
  return list.items.map((item) => {
    if (item.kind !== 'data') throw toMalformed('an entry of it is no digest');
    return { algorithm: undefined, digest: item.value };
  });
}

function readDigest(value: SignedDataAttribute): ListedDigest {
  const pair = value.expect(tags.sequence, 'a digest of a code directory');
  const oid = pair.child(0, 'its algorithm').toOid();
  return { algorithm: algorithmOids[oid], digest: pair.child(1, 'the digest').octets() };
}

type SignedDataAttribute = SignerInfo['signedAttributes'][number]['values'][number];

// ----------------------------------------------------------------------------------------------- whose

interface Identity {
  readonly apple: AppleLeaf | undefined;
  readonly teamId: string | undefined;
  readonly certificateOf: string | undefined;
  readonly pin: PinMatch | undefined;
  readonly publisher: string | undefined;
  readonly refusal: string | undefined;
  readonly isOutsidePeriod: boolean;
}

function identify(
  leaf: Certificate | undefined,
  chain: Chain | undefined,
  signature: CodeSignature,
  primary: CodeDirectory,
  publishers: PublisherPins,
  {
    signingTime,
    expired,
    budget,
  }: { readonly signingTime: number | undefined; readonly expired: boolean; readonly budget: Budget },
): Identity {
  const nobody: Identity = {
    apple: undefined,
    teamId: undefined,
    certificateOf: undefined,
    pin: undefined,
    publisher:
      primary.teamId === undefined ? undefined : tryFindTeam(publishers, primary.teamId)?.publisher.id,
    refusal: undefined,
    isOutsidePeriod: false,
  };
  if (leaf === undefined || chain === undefined) return nobody;
  let apple: AppleLeaf;
  try {
    apple = readAppleLeaf(leaf);
  } catch (error) {
    toDamage(error);
    return nobody;
  }
  const [unit, ...otherUnits] = apple.organizationalUnits;
  const storeTeam = primary.teamId ?? tryReadEntitledTeam(signature, budget);
  const teamId = apple.isStore ? storeTeam : otherUnits.length === 0 ? unit : undefined;
  const found = teamId === undefined ? undefined : tryFindTeam(publishers, teamId);
  const claimed = found?.publisher.id ?? nobody.publisher ?? tryClaim(publishers, leaf);
  const base: Identity = { ...nobody, apple, teamId, publisher: claimed };
  if (found === undefined) return base;

  const anchors = publishers.appleAnchors ?? appleAnchors;
  const anchor = chain.certificates.slice(1).find(({ summary }) => anchors.includes(summary.sha256));
  const refuse = (refusal: string, isOutsidePeriod = false): Identity => ({
    ...base,
    refusal,
    isOutsidePeriod,
  });
  if (anchor === undefined) {
    return refuse('the chain of its certificate does not lead to a certificate that is known to be of Apple');
  }
  if (chain.problems.length > 0) return refuse('the chain of its certificate is not sound');
  if (!isFor(leaf, keyPurposes.codeSigning)) return refuse('the certificate is not for signing code');
  if (primary.teamId !== undefined && primary.teamId !== teamId) {
    return refuse(`the code directory states another team, "${primary.teamId}", than the certificate`);
  }
  const ours: Identity = { ...base, publisher: found.publisher.id, certificateOf: found.publisher.id };
  if (expired) return { ...ours, refusal: 'the certificate was not valid when the file was signed' };
  const day = signingTime === undefined ? undefined : toIsoTime(signingTime).slice(0, 10);
  const isInPeriod = ({ from, to }: AppleTeamPin): boolean =>
    day === undefined || ((from === undefined || day >= from) && (to === undefined || day <= to));
  if (!found.pins.some(isInPeriod)) {
    return {
      ...ours,
      refusal: `the team is not known to have signed for the publisher on ${day ?? ''}`,
      isOutsidePeriod: true,
    };
  }
  return {
    ...ours,
    pin: {
      publisher: found.publisher.id,
      kind: 'team',
      algorithm: 'sha256',
      fingerprint: anchor.summary.sha256,
      weak: false,
      timeProved: signingTime !== undefined,
    },
  };
}

/** The team that the entitlements name; they are covered by the code directory. */
function tryReadEntitledTeam({ entitlements }: CodeSignature, budget: Budget): string | undefined {
  if (entitlements === undefined) return undefined;
  try {
    const team = tryGet(parsePlist(toPayload(entitlements), budget), 'com.apple.developer.team-identifier');
    return team?.kind === 'string' ? team.value : undefined;
  } catch (error) {
    toSignatureDamage(error);
    return undefined;
  }
}
