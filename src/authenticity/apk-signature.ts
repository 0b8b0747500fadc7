/**
 * Signatures of Android packages, checked offline: JAR signatures (v1) and APK Signature Schemes v2, v3 and v3.1.
 *
 * Specification: https://source.android.com/docs/security/features/apksigning
 *
 * Read: every scheme that is there, also those that a newer Android does not look at; proof of rotation; the marks by which
 * the removal of a newer scheme shows.
 * Not supported: scheme v4 (a file beside the package, for installing while it is downloaded), source stamps (noted).
 *
 * Certificates of Android name nobody that anybody has checked, and no timestamp proves when a package was signed: a
 * signer is known by the fingerprint of the certificate, or not at all.
 */
import type { Budget } from '../bytes/budget.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { readUpTo, sliceSource } from '../bytes/byte-source.ts';
import { toHex } from '../bytes/cursor.ts';
import type { AndroidPackage } from '../formats/apk/android-package.ts';
import {
  blockIds,
  hasContent,
  isKnownBlock,
  type SigningBlockPair,
  toBlockName,
} from '../formats/apk/signing-block.ts';
import { toAndroidName } from '../formats/apk/members.ts';
import { isDex } from '../formats/dex.ts';
import { type ContentDigest, digestContent } from './apk-content-digest.ts';
import {
  attributeIds,
  checkSchemeSigner,
  parseSigners,
  schemeBytesMax,
  type SchemeSigner,
} from './apk-scheme-block.ts';
import { toDamage } from './der.ts';
import { checkJarSignatures, type JarSigner } from './jar-signature.ts';
import { toSentence } from './judgement.ts';
import {
  type Authenticity,
  type AuthenticityProblem,
  type Integrity,
  type SignatureOutcome,
  type SignatureResult,
  toProblem,
} from './model.ts';
import { matchAndroidPins, type PublisherPins } from './publisher-pins.ts';
import type { Certificate } from './x509.ts';

type Scheme = 'v1' | 'v2' | 'v3' | 'v3.1';

/** What Android prefers, last first. */
const schemes: readonly Scheme[] = ['v1', 'v2', 'v3', 'v3.1'];
const schemeOfBlock: ReadonlyMap<number, Scheme> = new Map<number, Scheme>([
  [blockIds.v2, 'v2'],
  [blockIds.v3, 'v3'],
  [blockIds.v31, 'v3.1'],
]);
/** Numbers of schemes as signatures name them, as far as they are checked. */
const schemeOfNumber: ReadonlyMap<number, Scheme> = new Map<number, Scheme>([
  [2, 'v2'],
  [3, 'v3'],
  [31, 'v3.1'],
]);
const digestNames: Readonly<Record<ContentDigest, string>> = {
  'chunked-sha256': 'sha256',
  'chunked-sha512': 'sha512',
  'verity-sha256': 'sha256',
};
/** Ranges between the members that are looked at. */
const gapsLimit = 256;

/** A result with what the judgement of the whole package needs. */
interface CheckedSigner {
  readonly scheme: Scheme;
  readonly result: SignatureResult;
  readonly isWeak: boolean;
  readonly publisher: string | undefined;
  /** SHA-256 of the certificates that stand for this signer: its own and those that handed over to it. */
  readonly fingerprints: readonly string[];
  /** Schemes with which the package says to have been signed as well. */
  readonly promised: readonly Scheme[];
}

/**
 * Checks the signatures of an Android package.
 *
 * How several results become one `integrity`, first that applies:
 * 1. no signature at all: `unsigned`; `signature-removed` when lists of signed digests are left; `damaged` when a signing
 *    block cannot be read or the end of the package is missing.
 * 2. a signature says that a newer one was there, and it is not: `modified`.
 * 3. a digest or signature of any scheme does not hold: `modified`, or `damaged` when the end of the package is missing.
 * 4. the package is not laid out as Android wants it, or carries bytes that its strongest scheme does not cover and that do
 *    not belong there: `modified`.
 * 5. schemes name different signers: `modified`, as one of them was added later.
 * 6. the strongest scheme cannot be read or checked: `damaged`. It is no proof of a change, and never `intact`.
 * 7. `intact`.
 *
 * `signer` is that of the strongest scheme, the one that Android takes.
 *
 * @throws TelltaleError `limit/bytes`, `limit/ratio` or `limit/time`, or `unreadable/*` from the source; damage in the file
 *   never throws
 */
export async function verifyApk(
  apk: AndroidPackage,
  publishers: PublisherPins,
  context: { readonly budget: Budget },
): Promise<Authenticity> {
  const { budget } = context;
  const problems: AuthenticityProblem[] = [];
  const jar = await checkJarSignatures(apk, context);
  const signers: CheckedSigner[] = [
    ...checkSchemes(apk, publishers, problems, budget),
    ...jar.signers.map((signer) => toJarResult(signer, toSchemes(jar.promisedSchemes), publishers)),
  ]
    // What Android takes comes first.
    .sort((a, b) => schemes.indexOf(b.scheme) - schemes.indexOf(a.scheme))
    .map((signer, index) => ({ ...signer, result: { ...signer.result, index } }));
  noteSigningBlock(apk, problems);
  const strongest = schemes.findLast((scheme) => signers.some((signer) => signer.scheme === scheme));
  if (strongest === undefined) return { ...toUnsigned(apk, jar.hasLists), problems };
  if (strongest === 'v1') {
    noteMetadata(apk, problems);
    noteGaps(apk, problems, budget);
  }
  const verdict = judge(apk, signers, strongest, jar.members);
  const deciding = signers.filter(({ scheme }) => scheme === strongest);
  return {
    ...verdict,
    ...judgeSigner(deciding, verdict.integrity, publishers),
    signatures: signers.map(({ result }) => result),
    weakDigestOnly: deciding.every(({ isWeak }) => isWeak),
    problems,
  };
}

function toSchemes(numbers: readonly number[]): readonly Scheme[] {
  return numbers.flatMap((number) => schemeOfNumber.get(number) ?? []);
}

function toAuthenticity(integrity: Integrity, integrityDetail: string): Omit<Authenticity, 'problems'> {
  return {
    integrity,
    integrityDetail,
    signer: 'none',
    signerDetail: 'There is no signer.',
    signatures: [],
    weakDigestOnly: false,
  };
}

function toUnsigned(
  { archive, layout, signingBlock }: AndroidPackage,
  hasLists: boolean,
): Omit<Authenticity, 'problems'> {
  if (signingBlock?.damage !== undefined) {
    return toAuthenticity('damaged', `The signing block cannot be read: ${signingBlock.damage}.`);
  }
  if (archive.end === undefined) {
    return toAuthenticity(
      'damaged',
      'The end of the package is missing, and with it what would prove the rest.',
    );
  }
  if (hasLists) {
    return toAuthenticity(
      'signature-removed',
      'The lists of signed digests are there, the signature is not.',
    );
  }
  if (typeof layout === 'string') return toAuthenticity('unsigned', `There is no signature. ${layout}`);
  return toAuthenticity(
    'unsigned',
    'The package has no signature of any scheme; Android does not install it.',
  );
}

// ------------------------------------------------------------------------------------- schemes v2 to v3.1

/** A signer of a signing block before the content was digested. */
interface PendingSigner {
  readonly scheme: Scheme;
  readonly pair: SigningBlockPair;
  readonly signer: SchemeSigner | TelltaleError;
}

function checkSchemes(
  { source, layout, signingBlock }: AndroidPackage,
  publishers: PublisherPins,
  problems: AuthenticityProblem[],
  budget: Budget,
): readonly CheckedSigner[] {
  const pending: PendingSigner[] = [];
  const seen = new Set<Scheme>();
  for (const pair of signingBlock?.pairs ?? []) {
    const scheme = schemeOfBlock.get(pair.id);
    if (scheme === undefined) continue;
    if (seen.has(scheme)) {
      problems.push(
        toProblem(
          'hidden-bytes',
          `A second ${toBlockName(pair.id)} of ${pair.size} bytes is in the signing block; Android takes the first.`,
          pair.offset,
        ),
      );
      continue;
    }
    seen.add(scheme);
    const found = readSigners(source, pair, scheme);
    if (found instanceof TelltaleError) pending.push({ scheme, pair, signer: found });
    else for (const signer of found) pending.push({ scheme, pair, signer });
  }
  const wanted = new Set<ContentDigest>();
  for (const { signer } of pending) {
    if (signer instanceof TelltaleError) continue;
    for (const { content } of signer.digests) if (content !== undefined) wanted.add(content);
  }
  const actual =
    signingBlock === undefined || typeof layout === 'string' || wanted.size === 0
      ? {}
      : digestContent(source, layout, signingBlock.offset, wanted, budget);
  return pending.map(({ scheme, pair, signer }) =>
    signer instanceof TelltaleError
      ? toUnreadSigner(scheme, pair, signer)
      : checkSigner(scheme, pair, signer, actual, publishers),
  );
}

function readSigners(
  source: AndroidPackage['source'],
  { offset, size }: SigningBlockPair,
  scheme: Scheme,
): readonly SchemeSigner[] | TelltaleError {
  if (size > schemeBytesMax) {
    return new TelltaleError('limit/count', `it has ${size} bytes, more than ${schemeBytesMax}`, { offset });
  }
  try {
    return parseSigners(source.read(offset, size), scheme !== 'v2');
  } catch (error) {
    return toDamage(error);
  }
}

function toUnreadSigner(scheme: Scheme, pair: SigningBlockPair, error: TelltaleError): CheckedSigner {
  const code = error.code === 'limit/count' ? 'limit' : 'malformed';
  return {
    scheme,
    result: {
      ...toResult(scheme, pair, 'malformed'),
      problems: [toProblem(code, `The ${scheme} signature was not read: ${error.message}.`, pair.offset)],
    },
    isWeak: false,
    publisher: undefined,
    fingerprints: [],
    promised: [],
  };
}

function toResult(
  scheme: Scheme,
  place: { readonly offset: number; readonly size: number },
  outcome: SignatureOutcome,
): Omit<SignatureResult, 'problems'> {
  return {
    index: 0,
    scheme,
    nested: false,
    place: { offset: place.offset, size: place.size },
    outcome,
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

function checkSigner(
  scheme: Scheme,
  pair: SigningBlockPair,
  signer: SchemeSigner,
  actual: Partial<Record<ContentDigest, string>>,
  publishers: PublisherPins,
): CheckedSigner {
  const problems: AuthenticityProblem[] = [];
  const check = checkSchemeSigner(signer);
  if (check.problem !== undefined) {
    const code = check.outcome === 'unsupported' ? 'unsupported' : 'signature-invalid';
    problems.push(toProblem(code, `${scheme}: ${check.problem}.`, pair.offset));
  }
  const known = signer.digests.filter(({ content }) => content !== undefined);
  const wrong = known.find(({ content, value }) => content === undefined || actual[content] !== toHex(value));
  const shown = wrong ?? known[0];
  const algorithm = shown?.content === undefined ? '' : digestNames[shown.content];
  const signedDigest = shown === undefined ? '' : toHex(shown.value);
  const actualDigest = (shown?.content === undefined ? undefined : actual[shown.content]) ?? '';
  const digestMatches = known.length > 0 && wrong === undefined;
  if (wrong !== undefined) {
    problems.push(
      toProblem(
        'digest-mismatch',
        `${scheme}: the signed ${algorithm} digest ${signedDigest} is not that of the package${actualDigest === '' ? '' : `, ${actualDigest}`}.`,
        pair.offset,
      ),
    );
  }
  const [certificate] = signer.certificates;
  const certificates = certificate === undefined ? [] : [certificate, ...check.lineage.toReversed()];
  // Without its own confirmation the certificate is just bytes that anybody can put there.
  const pins = matchAndroidPins(publishers, certificates);
  const signatureVerifies = check.outcome === 'holds';
  return {
    scheme,
    result: {
      ...toResult(scheme, pair, toOutcome(check.outcome, known.length > 0, digestMatches)),
      digestAlgorithm: algorithm,
      signedDigest,
      actualDigest,
      digestMatches,
      signatureVerifies,
      ...(certificate === undefined ? {} : { signer: certificate.summary }),
      chain: signer.certificates.slice(0, 1).map(({ summary }) => summary),
      ...(check.lineage.length === 0 ? {} : { lineage: check.lineage.map(({ summary }) => summary) }),
      ...(pins.match === undefined ? {} : { certificateOf: pins.match.publisher }),
      ...(pins.match === undefined || !signatureVerifies ? {} : { pin: pins.match }),
      problems,
    },
    isWeak: false,
    publisher: pins.publisher,
    fingerprints: certificates.map(({ summary }) => summary.sha256),
    promised: toPromised(scheme, signer),
  };
}

function toOutcome(
  check: 'holds' | 'fails' | 'unsupported',
  isDigestKnown: boolean,
  digestMatches: boolean,
): SignatureOutcome {
  if (check === 'fails' || (isDigestKnown && !digestMatches)) return 'fails';
  return check === 'holds' && isDigestKnown ? 'holds' : 'unsupported';
}

/** Newer schemes that a signature names, so that nobody can take them away. */
function toPromised(scheme: Scheme, { attributes }: SchemeSigner): readonly Scheme[] {
  if (scheme === 'v3' && attributes.some(({ id }) => id === attributeIds.rotationFrom)) return ['v3.1'];
  if (scheme !== 'v2') return [];
  return toSchemes(
    attributes
      .filter(({ id, value }) => id === attributeIds.strippingProtection && value.length === 4)
      .map(({ value }) => new DataView(value.buffer, value.byteOffset, 4).getUint32(0, true)),
  );
}

// ------------------------------------------------------------------------------------------------- v1

function toJarResult(
  signer: JarSigner,
  promised: readonly Scheme[],
  publishers: PublisherPins,
): CheckedSigner {
  const { certificate, signatureVerifies } = signer;
  const certificates: readonly Certificate[] = certificate === undefined ? [] : [certificate];
  const pins = matchAndroidPins(publishers, certificates);
  return {
    scheme: 'v1',
    result: {
      ...toResult('v1', signer.place, signer.outcome),
      digestAlgorithm: signer.digestAlgorithm,
      signedDigest: signer.signedDigest,
      actualDigest: signer.actualDigest,
      digestMatches: signer.digestMatches,
      signatureVerifies,
      ...(certificate === undefined ? {} : { signer: certificate.summary }),
      chain: certificates.map(({ summary }) => summary),
      ...(pins.match === undefined ? {} : { certificateOf: pins.match.publisher }),
      ...(pins.match === undefined || !signatureVerifies ? {} : { pin: pins.match }),
      problems: signer.problems,
    },
    isWeak: signer.isWeak,
    publisher: pins.publisher,
    fingerprints: certificates.map(({ summary }) => summary.sha256),
    promised,
  };
}

// ------------------------------------------------------------------------------------------- judgement

type IntegrityVerdict = Pick<Authenticity, 'integrity' | 'integrityDetail'>;

function modified(integrityDetail: string): IntegrityVerdict {
  return { integrity: 'modified', integrityDetail };
}

function damaged(integrityDetail: string): IntegrityVerdict {
  return { integrity: 'damaged', integrityDetail };
}

function judge(
  apk: AndroidPackage,
  signers: readonly CheckedSigner[],
  strongest: Scheme,
  members: number,
): IntegrityVerdict {
  const present = new Set(signers.map(({ scheme }) => scheme));
  for (const { scheme, promised } of signers) {
    const missing = promised.find((one) => !present.has(one));
    if (missing !== undefined && apk.archive.end !== undefined) {
      return modified(
        `The ${scheme} signature says that the package was signed with ${missing} as well, and that signature is not there: it was taken away, or the package was changed after it was signed.`,
      );
    }
  }
  if (strongest !== 'v1' && typeof apk.layout === 'string') {
    return modified(`${apk.layout} Android does not find the ${strongest} signature there.`);
  }
  const failing = signers.findLast(({ result }) => result.outcome === 'fails');
  if (failing !== undefined) {
    const reason = toSentence(describeFailure(failing));
    return apk.archive.end === undefined
      ? damaged(`The end of the package is missing. ${reason}`)
      : modified(reason);
  }
  const uncovered = tryDescribeUncovered(apk, strongest);
  if (uncovered !== undefined)
    return apk.archive.end === undefined ? damaged(uncovered) : modified(uncovered);
  const stranger = tryFindStranger(signers, strongest);
  if (stranger !== undefined) {
    return modified(
      `The ${stranger} and the ${strongest} signatures are by different signers: one of them was added by somebody else.`,
    );
  }
  const deciding = signers.filter(({ scheme }) => scheme === strongest);
  const unread = deciding.find(({ result }) => result.outcome !== 'holds');
  if (unread !== undefined) {
    return damaged(unread.result.problems.at(-1)?.message ?? `The ${strongest} signature cannot be checked.`);
  }
  if (apk.signingBlock?.damage !== undefined) {
    return damaged(`The signing block cannot be read to its end: ${apk.signingBlock.damage}.`);
  }
  return {
    integrity: 'intact',
    integrityDetail:
      strongest === 'v1'
        ? `The digests that were signed (v1) are those of all ${members} members; what lies between them is not covered.`
        : `The ${deciding[0]?.result.digestAlgorithm ?? ''} digest that was signed (${strongest}) is that of the package.`,
  };
}

function describeFailure({ scheme, result }: CheckedSigner): string {
  const problem = result.problems.find(
    ({ code }) =>
      code === 'digest-mismatch' || code === 'signature-invalid' || code === 'signer-certificate-missing',
  );
  return (problem?.message ?? `the ${scheme} signature does not hold.`).replace(
    /^v[\d.]+: /,
    `By its ${scheme} signature `,
  );
}

/** Bytes that the strongest scheme does not cover and that do not belong there. */
function tryDescribeUncovered({ archive, source }: AndroidPackage, strongest: Scheme): string | undefined {
  if (strongest !== 'v1') return undefined;
  if (archive.end === undefined) return 'The end of the package is missing.';
  if (archive.trailing !== undefined) return `${archive.trailing.size} bytes follow the end of the package.`;
  const { prefix } = archive;
  if (prefix !== undefined) {
    const what = isDex(readUpTo(source, prefix.offset, 8))
      ? `An Android program of ${prefix.size} bytes stands in front of the package (CVE-2017-13156)`
      : `${prefix.size} bytes stand in front of the package`;
    return `${what}, which its v1 signature does not cover.`;
  }
  const hidden = archive.entries.filter(({ view }) => view === 'local').length;
  return hidden === 0
    ? undefined
    : `The package holds ${hidden} members that its list does not name, which its v1 signature does not cover.`;
}

/** A scheme whose signers have nothing in common with those of the strongest; undefined when there is none. */
function tryFindStranger(signers: readonly CheckedSigner[], strongest: Scheme): Scheme | undefined {
  const known = new Set(
    signers.flatMap(({ scheme, fingerprints }) => (scheme === strongest ? fingerprints : [])),
  );
  return signers.find(
    ({ scheme, result, fingerprints }) =>
      scheme !== strongest &&
      result.outcome === 'holds' &&
      !fingerprints.some((fingerprint) => known.has(fingerprint)),
  )?.scheme;
}

/** Who signed the package, by the scheme that Android takes. */
function judgeSigner(
  deciding: readonly CheckedSigner[],
  integrity: Integrity,
  { publishers }: PublisherPins,
): Pick<Authenticity, 'signer' | 'signerDetail' | 'publisher'> {
  const pinned = deciding.find(({ result }) => result.outcome === 'holds' && result.pin !== undefined);
  if (pinned?.result.pin !== undefined) {
    const { publisher, fingerprint } = pinned.result.pin;
    const isOwn = pinned.result.signer?.sha256 === fingerprint;
    return integrity === 'intact'
      ? {
          signer: 'pinned',
          signerDetail: isOwn
            ? 'Signed with a certificate of the publisher; no timestamp proves when.'
            : 'Signed with a certificate to which a certificate of the publisher handed over; no timestamp proves when.',
          publisher,
        }
      : {
          signer: 'claimed',
          signerDetail:
            'A signature by a certificate of the publisher holds, but the package as a whole is not intact.',
          publisher,
        };
  }
  const named = deciding.find(({ result }) => result.signer !== undefined);
  const summary = named?.result.signer;
  if (named === undefined || summary === undefined) {
    return { signer: 'none', signerDetail: 'No signer could be read.' };
  }
  if (named.publisher !== undefined) {
    const reason =
      named.result.certificateOf === undefined
        ? 'but the certificate is none that the publisher is known to have signed Android packages with'
        : 'but that signature does not hold over this package';
    return {
      signer: 'claimed',
      signerDetail: `The certificate bears the name "${summary.subjectCommonName}", ${reason}.`,
      publisher: named.publisher,
    };
  }
  const who = `Signed by "${summary.subject}", certificate ${summary.sha256}.`;
  const isAnyKnown = publishers.some(({ androidCertificates = [] }) => androidCertificates.length > 0);
  return {
    signer: 'other',
    signerDetail: isAnyKnown
      ? `${who} It is none that a known publisher signs Android packages with; the name in it was checked by nobody.`
      : `${who} Missing proof: no certificate with which a publisher signs Android packages is known here, so this signer can neither be confirmed nor refuted; the name in it was checked by nobody.`,
  };
}

// ------------------------------------------------------------------------------------------- remarks

/** Parts of the signing block that no digest covers: they are free to hold anything. */
function noteSigningBlock({ source, signingBlock }: AndroidPackage, problems: AuthenticityProblem[]): void {
  if (signingBlock === undefined) return;
  for (const pair of signingBlock.pairs) {
    const { id, offset, size } = pair;
    if (schemeOfBlock.has(id)) continue;
    if (isKnownBlock(id) && (id !== blockIds.padding || !hasContent(source, pair))) continue;
    problems.push(
      toProblem(
        'hidden-bytes',
        `The signing block holds ${size} bytes under ${toBlockName(id)}; no digest covers them.`,
        offset,
      ),
    );
  }
}

/** Members of META-INF that are no part of the signature: Android's v1 covers none of them. */
function noteMetadata({ archive }: AndroidPackage, problems: AuthenticityProblem[]): void {
  const names = archive.entries
    .filter(({ view }) => view === 'directory')
    .map((entry) => toAndroidName(entry))
    .filter((name) => name.startsWith('META-INF/') && !name.endsWith('/'))
    .filter((name) => !/^META-INF\/(?:MANIFEST\.MF|[^/]+\.(?:SF|RSA|DSA|EC))$/i.test(name));
  const [first] = names;
  if (first === undefined) return;
  const more = names.length === 1 ? '' : ` and ${names.length - 1} more`;
  problems.push(
    toProblem(
      'hidden-bytes',
      `"${first.slice(0, 200)}"${more} in META-INF: the v1 signature covers nothing there but itself.`,
    ),
  );
}

/** Bytes between the members, which v1 does not cover. */
function noteGaps(
  { source, archive }: AndroidPackage,
  problems: AuthenticityProblem[],
  budget: Budget,
): void {
  let count = 0;
  let size = 0;
  let first: number | undefined;
  for (const region of archive.regions.filter(({ name }) => name === 'gap').slice(0, gapsLimit)) {
    budget.checkTime();
    const range = sliceSource(source, region.offset, region.size);
    if (!hasContent(range, { id: 0, offset: 0, size: region.size })) continue;
    count += 1;
    size += region.size;
    first ??= region.offset;
  }
  if (count === 0) return;
  problems.push(
    toProblem(
      'hidden-bytes',
      `${size} bytes in ${count} places between the members belong to none; the v1 signature does not cover them.`,
      first,
    ),
  );
}
