/**
 * Authenticode signatures of Windows Installer packages, checked offline.
 *
 * References: osslsigncode, `msi.c` https://github.com/mtrojnar/osslsigncode (where the signature is and what it covers),
 * Windows Authenticode Portable Executable Signature Format
 * https://download.microsoft.com/download/9/c/5/9c5b2167-8017-4bae-9fde-d599bac8184a/Authenticode_PE.docx (what it is)
 *
 * Read: the stream `DigitalSignature` with every signer and nested signatures, the digest of the metadata in
 * `MsiDigitalSignatureEx`.
 * Not supported: as for portable executables: revocation, catalogue files, roots that the file does not carry.
 */
import type { Budget } from '../bytes/budget.ts';
import { toHex } from '../bytes/cursor.ts';
import { hasBytes } from '../formats/cfb/compound-file.ts';
import type { CompoundEntry, CompoundFile } from '../formats/cfb/model.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import { blobBytesMax, type SignatureBlob } from './certificate-table.ts';
import { parseSignedData } from './cms.ts';
import { toDamage } from './der.ts';
import {
  checkSignature,
  collectSignatures,
  type SignedSubject,
  signaturesMax,
} from './embedded-signatures.ts';
import { type FileCondition, judgeIntegrity, judgeSigner } from './judgement.ts';
import { type Authenticity, type AuthenticityProblem, type Integrity, toProblem } from './model.ts';
import { digestPackage, signatureStreamNames } from './msi-digest.ts';
import type { PublisherPins } from './publisher-pins.ts';
import { spcOids } from './spc.ts';

const subject: SignedSubject = { oid: spcOids.sipInfo, name: 'an installer package' };
/** The largest digest. */
const metadataDigestBytesMax = 64;

/**
 * Checks the signatures of an installer package. How several results become one is told at `verifyAuthenticode`, with
 * these differences:
 *
 * - a digest of the metadata without a signature is `signature-removed`; so much is left when only one stream is taken.
 * - a digest of the metadata that is not that of the file is `modified`.
 * - bytes other than zero behind the last sector are `modified`: an archive appended there opens as one, while
 *   software that looks at the streams only finds the signature valid.
 *
 * @throws TelltaleError `limit/time`, or `unreadable/*` from the source; damage in the file never throws
 */
export function verifyMsi(
  file: CompoundFile,
  publishers: PublisherPins,
  context: { readonly budget: Budget },
): Authenticity {
  const { budget } = context;
  const problems: AuthenticityProblem[] = [];
  const find = (name: string): CompoundEntry | undefined =>
    file.root.children.find((entry) => entry.kind === 'stream' && entry.name === name);
  const signature = find(signatureStreamNames.signature);
  const metadata = find(signatureStreamNames.metadataDigest);
  noteStrays(file, problems);
  if (signature === undefined || signature.declaredSize === 0) {
    const isRemoved = signature !== undefined || metadata !== undefined;
    return toUnsigned(
      isRemoved ? 'signature-removed' : 'unsigned',
      isRemoved
        ? 'What belongs to a signature is in the package, the signature itself is not.'
        : 'The package is not signed.',
      problems,
    );
  }

  const blob = readBlob(file, signature);
  noteUncovered(file, signature, blob, problems, budget);
  const pending = collectSignatures(blob, 0, [], false);
  if (pending.length > signaturesMax) {
    problems.push(
      toProblem('limit', `The file has more than ${signaturesMax} signatures; the rest was not checked.`),
    );
  }
  const examined = pending.slice(0, signaturesMax);
  const algorithms = new Set<DigestAlgorithm>();
  for (const { indirect } of examined) if (indirect?.digest !== undefined) algorithms.add(indirect.digest);
  const digests = digestPackage(file, [...algorithms], metadata !== undefined, budget);
  const signatures = examined.map((each, index) => {
    budget.checkTime();
    return checkSignature(each, index, digests.content, subject, publishers);
  });
  const condition: FileCondition = {
    missingBytes: file.missingBytes,
    missing: 'its directory says',
    ...toUncovered(file, metadata, Object.values(digests.metadata), budget),
    isIncomplete: pending.length > signaturesMax,
  };
  const verdict = judgeIntegrity(signatures, condition);
  const signer = judgeSigner(signatures, verdict.integrity);
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

function toUnsigned(
  integrity: Integrity,
  integrityDetail: string,
  problems: readonly AuthenticityProblem[],
): Authenticity {
  return {
    integrity,
    integrityDetail,
    signer: 'none',
    signerDetail: 'There is no signer.',
    signatures: [],
    weakDigestOnly: false,
    problems,
  };
}

/** The stream as a blob. Its place is where its first byte lies; a stream may lie in several pieces. */
function readBlob(file: CompoundFile, entry: CompoundEntry): SignatureBlob {
  const offset = file.locate(entry)[0]?.offset ?? entry.offset;
  const stream = file.openStream(entry);
  const size = Math.min(stream.size, blobBytesMax);
  try {
    const signedData = parseSignedData(stream.read(0, size), offset);
    return { place: signedData.place, signedData, problem: undefined };
  } catch (error) {
    return { place: { offset, size }, signedData: undefined, problem: toDamage(error) };
  }
}

/** Streams whose name is that of a signature but for upper and lower case: Windows does not tell these apart. */
function noteStrays(file: CompoundFile, problems: AuthenticityProblem[]): void {
  const names: readonly string[] = Object.values(signatureStreamNames);
  for (const entry of [...file.root.children, ...file.orphans]) {
    const isExact = names.includes(entry.name) && entry.kind === 'stream' && !file.orphans.includes(entry);
    if (isExact || !names.some((name) => name.toUpperCase() === entry.name.toUpperCase())) continue;
    problems.push(
      toProblem('stray-signature', 'An entry bears the name of a signature, but is none.', entry.offset),
    );
  }
}

/** What lies in the file or in the signature stream and is covered by no digest. */
function noteUncovered(
  file: CompoundFile,
  entry: CompoundEntry,
  blob: SignatureBlob,
  problems: AuthenticityProblem[],
  budget: Budget,
): void {
  const stream = file.openStream(entry);
  const behind = { offset: blob.place.size, size: stream.size - blob.place.size };
  if (blob.signedData !== undefined && behind.size > 0 && hasBytes(stream, behind, budget)) {
    problems.push(
      toProblem(
        'hidden-bytes',
        `${behind.size} bytes lie behind the signature in its stream; no digest covers them.`,
        blob.place.offset,
      ),
    );
  }
  const hidden = file.regions.filter(
    (region) => region.offset !== file.trailing?.offset && hasBytes(file.source, region, budget),
  );
  const [first] = hidden;
  if (first !== undefined) {
    const size = hidden.reduce((sum, region) => sum + region.size, 0);
    problems.push(
      toProblem(
        'hidden-bytes',
        `${size} bytes lie in sectors that belong to no stream; no digest covers them.`,
        first.offset,
      ),
    );
  }
}

function toUncovered(
  file: CompoundFile,
  metadata: CompoundEntry | undefined,
  expected: readonly string[],
  budget: Budget,
): Pick<FileCondition, 'uncovered'> {
  const { trailing } = file;
  if (trailing !== undefined && hasBytes(file.source, trailing, budget)) {
    return {
      uncovered: `${trailing.size} bytes lie behind the last sector, which has to be the end of the file.`,
    };
  }
  if (metadata === undefined || expected.length === 0) return {};
  const stream = file.openStream(metadata);
  const stored = toHex(stream.read(0, Math.min(stream.size, metadataDigestBytesMax + 1)));
  return expected.includes(stored)
    ? {}
    : { uncovered: 'The digest of names, sizes and times in the package is not that of the file.' };
}
