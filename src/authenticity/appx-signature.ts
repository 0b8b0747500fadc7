/**
 * Signatures of Windows app packages (APPX, MSIX) and their bundles, checked offline.
 *
 * References: https://learn.microsoft.com/windows/msix/package/signing-package-overview, osslsigncode, `appx.c`
 * https://github.com/mtrojnar/osslsigncode (there is no published specification)
 *
 * Read: `AppxSignature.p7x` (`PKCX` and a PKCS#7 blob), the digests in it, every signer, timestamps.
 * Not supported: revocation, roots that the package does not carry, the signatures inside the catalogue of code.
 */
import type { Budget } from '../bytes/budget.ts';
import { toHex, toLatin1 } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { describeDifference } from '../formats/appx/index.ts';
import type { AppxPackage, FootprintFile } from '../formats/appx/package.ts';
import { isSamePublisher, tryParsePublisher } from '../formats/appx/publisher-name.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import {
  type AppxLayout,
  digestAppx,
  recordNames,
  type RecordTag,
  recordTags,
  toLayout,
} from './appx-digest.ts';
import type { SignatureBlob } from './certificate-table.ts';
import { parseSignedData } from './cms.ts';
import { toDamage, toMalformed } from './der.ts';
import {
  checkSignature,
  collectSignatures,
  type PendingSignature,
  type SignedSubject,
  signaturesMax,
} from './embedded-signatures.ts';
import { type CheckedSignature, type FileCondition, judgeIntegrity, judgeSigner } from './judgement.ts';
import {
  type Authenticity,
  type AuthenticityProblem,
  type Integrity,
  type SignerStatus,
  toProblem,
} from './model.ts';
import { type PublisherPins, toComparableName } from './publisher-pins.ts';
import { digestBytes, packageDigestMark, spcOids } from './spc.ts';

const subject: SignedSubject = { oid: spcOids.sipInfo, name: 'a package of a Windows app' };
const signatureMark = 'PKCX';
const tagBytes = 4;
/** Extra fields that the records of a signature file may need for its sizes and times. */
const spareBytesMax = 128;
/** A digest that cannot be made is written so: it equals none. */
const noDigest = '';

/** One digest of the signed blob. */
interface SignedRecord {
  readonly tag: RecordTag;
  readonly digest: string;
}

/**
 * Checks the signature of a package. How several results become one is told at `verifyAuthenticode`, with these
 * differences:
 *
 * - without a signature file the package is `signature-removed` when its list of content types still speaks of one, else
 *   `unsigned`; but `modified` when its files are not those of its block map.
 * - bytes behind the package, and numbers in the end record that contradict it, are `modified`: no digest covers them.
 * - `pinned` also wants that the manifest names the subject of the certificate as its publisher. A manifest that names a
 *   publisher that is known here, in a package signed with a certificate that is not pinned, is `claimed`.
 *
 * @throws TelltaleError `limit/time`, or `unreadable/*` from the source; damage in the file never throws
 */
export function verifyAppx(
  appxPackage: AppxPackage,
  publishers: PublisherPins,
  context: { readonly budget: Budget },
): Authenticity {
  const { budget } = context;
  const file = appxPackage.footprint.get('signature');
  if (file === undefined) return judgeUnsigned(appxPackage);

  const problems: AuthenticityProblem[] = [];
  const blob = readBlob(file, problems);
  const layout = toLayout(appxPackage, file.entry, budget);
  if (typeof layout === 'string') problems.push(toProblem('malformed', layout, file.entry.headerOffset));
  if (file.entry.ambiguities.length > 0) {
    problems.push(
      toProblem(
        'hidden-bytes',
        'The two records of the signature file contradict each other; no digest covers them.',
        file.entry.headerOffset,
      ),
    );
  }
  if (typeof layout !== 'string' && layout.uncoveredBytes > spareBytesMax) {
    problems.push(
      toProblem(
        'hidden-bytes',
        `${layout.uncoveredBytes} bytes lie in extra fields of the signature file; no digest covers them.`,
        file.entry.headerOffset,
      ),
    );
  }
  const collected = collectSignatures(blob, 0, [], false);
  if (collected.length > signaturesMax) {
    problems.push(
      toProblem('limit', `The package has more than ${signaturesMax} signatures; the rest was not checked.`),
    );
  }
  const digests = new Map<DigestAlgorithm, Partial<Record<RecordTag, string>>>();
  const signatures = collected.slice(0, signaturesMax).map((pending, index) => {
    budget.checkTime();
    return checkOne(appxPackage, layout, pending, index, digests, publishers, problems, budget);
  });

  const condition = toCondition(appxPackage, layout, collected.length > signaturesMax);
  const verdict = withBlockMap(judgeIntegrity(signatures, condition), appxPackage);
  const signer = judgePublisher(
    judgeSigner(signatures, verdict.integrity),
    appxPackage,
    signatures,
    publishers,
    problems,
  );
  return {
    ...verdict,
    signer: signer.status,
    signerDetail: signer.detail,
    ...(signer.publisher === undefined ? {} : { publisher: signer.publisher }),
    signatures: signatures.map(({ result }) => result),
    weakDigestOnly: signatures.length > 0 && signatures.every(({ isWeak }) => isWeak),
    problems,
  };
}

function judgeUnsigned(appxPackage: AppxPackage): Authenticity {
  const { archive, blockMap, footprint, publisher } = appxPackage;
  const verdict = ((): { integrity: Integrity; integrityDetail: string } => {
    const difference = describeBlockMap(appxPackage);
    if (archive.end === undefined) {
      return { integrity: 'damaged', integrityDetail: 'The package has no readable central directory.' };
    }
    if (difference !== undefined && blockMap !== undefined) {
      const isOnlyUnreadable = blockMap.differences.every(({ kind }) => kind === 'unreadable');
      return {
        integrity: isOnlyUnreadable ? 'damaged' : 'modified',
        integrityDetail: `The package is not signed, and not as its block map says: ${difference}.`,
      };
    }
    const types = footprint.get('contentTypes')?.bytes;
    return types !== undefined && toLatin1(types).includes('AppxSignature.p7x')
      ? {
          integrity: 'signature-removed',
          integrityDetail: 'The package lists a signature among its content types, but has none.',
        }
      : { integrity: 'unsigned', integrityDetail: 'The package is not signed.' };
  })();
  return {
    ...verdict,
    signer: 'none',
    signerDetail:
      publisher === undefined
        ? 'There is no signer.'
        : `There is no signer; that the package is by "${publisher}" is only said in its manifest.`,
    signatures: [],
    weakDigestOnly: false,
    problems: [],
  };
}

/** The signature file as a blob. In a packed file no byte of the blob has a place of its own. */
function readBlob({ entry, bytes, fault }: FootprintFile, problems: AuthenticityProblem[]): SignatureBlob {
  const place = { offset: entry.dataOffset ?? entry.headerOffset, size: entry.available };
  const refuse = (message: string): SignatureBlob => ({
    place,
    signedData: undefined,
    problem: toMalformed(message, place.offset),
  });
  if (bytes === undefined) return refuse(`the signature file ${fault?.message ?? 'cannot be unpacked'}`);
  if (toLatin1(bytes.subarray(0, tagBytes)) !== signatureMark) {
    return refuse('the signature file does not begin as one');
  }
  try {
    const signedData = parseSignedData(bytes.subarray(tagBytes), place.offset);
    const behind = bytes.length - tagBytes - signedData.place.size;
    if (behind > 0) {
      problems.push(
        toProblem(
          'hidden-bytes',
          `${behind} bytes lie behind the signature in its file; no digest covers them.`,
          place.offset,
        ),
      );
    }
    return { place, signedData, problem: undefined };
  } catch (error) {
    return { place, signedData: undefined, problem: toDamage(error) };
  }
}

function checkOne(
  appxPackage: AppxPackage,
  layout: AppxLayout | string,
  pending: PendingSignature,
  index: number,
  digests: Map<DigestAlgorithm, Partial<Record<RecordTag, string>>>,
  publishers: PublisherPins,
  problems: AuthenticityProblem[],
  budget: Budget,
): CheckedSignature {
  const algorithm = pending.indirect?.digest;
  if (pending.indirect === undefined || algorithm === undefined) {
    return checkSignature(pending, index, {}, subject, publishers);
  }
  let records: readonly SignedRecord[];
  try {
    records = parseRecords(pending.indirect.signedDigest, algorithm, pending.place.offset);
  } catch (error) {
    const foreign = { ...pending, indirect: undefined, problem: toDamage(error) };
    return checkSignature(foreign, index, {}, subject, publishers);
  }
  const unread = findUnread(appxPackage);
  if (unread !== undefined) {
    const problem = new TelltaleError(
      'limit/count',
      `"${unread.entry.name}" ${unread.fault?.message ?? ''}`,
      {
        offset: unread.entry.headerOffset,
      },
    );
    return checkSignature({ ...pending, indirect: undefined, problem }, index, {}, subject, publishers);
  }
  let actual = digests.get(algorithm);
  if (actual === undefined) {
    actual = typeof layout === 'string' ? {} : digestAppx(appxPackage, layout, algorithm, budget);
    digests.set(algorithm, actual);
  }
  for (const { tag, digest } of records) {
    if (typeof layout === 'string' || digest === actual[tag]) continue;
    problems.push(
      toProblem(
        'digest-mismatch',
        `The signed digest of ${recordNames[tag]} does not hold.`,
        pending.place.offset,
      ),
    );
  }
  // The signed blob is compared as a whole: the same digests in the same order, and none left out.
  const blob = toBlob(toExpected(records, appxPackage), actual);
  return checkSignature(pending, index, { [algorithm]: blob }, subject, publishers);
}

/** A sealed file that is too large for memory: it proves nothing, and it is no proof of a change. */
function findUnread({ footprint }: AppxPackage): FootprintFile | undefined {
  return (['contentTypes', 'blockMap', 'codeIntegrity'] as const)
    .map((role) => footprint.get(role))
    .find((file) => file?.fault?.code === 'limit/memory');
}

/**
 * The digests in a signature.
 *
 * @throws TelltaleError `malformed/signature`
 */
function parseRecords(blob: Uint8Array, algorithm: DigestAlgorithm, offset: number): SignedRecord[] {
  if (toLatin1(blob.subarray(0, tagBytes)) !== packageDigestMark) {
    throw toMalformed('the signature was not made for a package', offset);
  }
  const records: SignedRecord[] = [];
  const step = tagBytes + digestBytes[algorithm];
  if ((blob.length - tagBytes) % step !== 0)
    throw toMalformed('the signed digests have no whole length', offset);
  for (let at = tagBytes; at < blob.length; at += step) {
    const written = toLatin1(blob.subarray(at, at + tagBytes));
    const tag = recordTags.find((known) => known === written);
    if (tag === undefined || records.some((record) => record.tag === tag)) {
      throw toMalformed(
        'the signature has digests of a kind that is not known, or the same one twice',
        offset,
      );
    }
    records.push({ tag, digest: toHex(blob.subarray(at + tagBytes, at + step)) });
  }
  return records;
}

/** The digests that have to be signed: those that are, and those that may not be left out. */
function toExpected(records: readonly SignedRecord[], { footprint }: AppxPackage): readonly RecordTag[] {
  const signed = records.map(({ tag }) => tag);
  const wanted = recordTags.filter((tag) => tag !== 'AXCI' || footprint.has('codeIntegrity'));
  return [...signed, ...wanted.filter((tag) => !signed.includes(tag))];
}

/** Text of one byte a character, in hexadecimal. */
function toHexText(text: string): string {
  return toHex(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}

function toBlob(expected: readonly RecordTag[], actual: Partial<Record<RecordTag, string>>): string {
  return (
    toHexText(packageDigestMark) + expected.map((tag) => toHexText(tag) + (actual[tag] ?? noDigest)).join('')
  );
}

function toCondition(
  { archive }: AppxPackage,
  layout: AppxLayout | string,
  isIncomplete: boolean,
): FileCondition {
  const condition = { missingBytes: 0, missing: 'its records say', isIncomplete };
  if (typeof layout === 'string') {
    return archive.end === undefined
      ? { ...condition, displaced: layout }
      : { ...condition, uncovered: layout };
  }
  const [uncovered] = layout.contradictions;
  return uncovered === undefined ? condition : { ...condition, uncovered };
}

function describeBlockMap({ blockMap }: AppxPackage): string | undefined {
  const [first] = blockMap?.differences ?? [];
  return first === undefined ? undefined : describeDifference(first);
}

/** A package whose signature holds can still be made wrong: Windows does not install it. */
function withBlockMap(
  verdict: { integrity: Integrity; integrityDetail: string },
  appxPackage: AppxPackage,
): { integrity: Integrity; integrityDetail: string } {
  const difference = describeBlockMap(appxPackage);
  if (verdict.integrity !== 'intact' || difference === undefined) return verdict;
  return {
    integrity: 'modified',
    integrityDetail: `The package is not as its block map says: ${difference}.`,
  };
}

/** Weighs what the manifest says of the publisher against the certificate. */
function judgePublisher(
  signer: { status: SignerStatus; detail: string; publisher: string | undefined },
  { publisher: named, footprint }: AppxPackage,
  signatures: readonly CheckedSignature[],
  publishers: PublisherPins,
  problems: AuthenticityProblem[],
): { status: SignerStatus; detail: string; publisher: string | undefined } {
  const offset = footprint.get('manifest')?.entry.headerOffset;
  if (named === undefined) {
    problems.push(
      toProblem('publisher-mismatch', 'The manifest names no publisher that could be read.', offset),
    );
    return signer;
  }
  const certificates = signatures.flatMap(({ result }) =>
    result.signer === undefined ? [] : [result.signer],
  );
  const isNamed =
    certificates.length > 0 &&
    certificates.every((certificate) => isSamePublisher(certificate.subject, named));
  if (!isNamed && certificates.length > 0) {
    problems.push(
      toProblem(
        'publisher-mismatch',
        `The manifest names "${named}" as publisher, the certificate "${certificates[0]?.subject ?? ''}".`,
        offset,
      ),
    );
  }
  if (signer.status === 'claimed' || signer.status === 'none') return signer;
  if (signer.status === 'pinned') {
    return isNamed
      ? signer
      : {
          status: 'claimed',
          detail: 'Signed with a pinned certificate, but the manifest names another publisher than it does.',
          publisher: signer.publisher,
        };
  }
  const claimed = tryClaimByManifest(publishers, named);
  if (claimed === undefined) return signer;
  return {
    status: 'claimed',
    detail: `The manifest names "${named}" as publisher, but the package is not signed with a certificate of that publisher.`,
    publisher: claimed,
  };
}

/** The publisher that a manifest names, however it is written. */
function tryClaimByManifest(publishers: PublisherPins, named: string): string | undefined {
  const commonNames = new Set(
    (tryParsePublisher(named) ?? [])
      .filter(({ type }) => type === 'cn')
      .map(({ value }) => toComparableName(value)),
  );
  return publishers.publishers.find(
    (publisher) =>
      publisher.appxPublishers?.some((name) => name === named || isSamePublisher(name, named)) === true ||
      publisher.commonNames.some((name) => commonNames.has(toComparableName(name))),
  )?.id;
}
