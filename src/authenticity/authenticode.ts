/**
 * Authenticode signatures of portable executables, checked offline.
 *
 * Specifications: Windows Authenticode Portable Executable Signature Format
 * https://download.microsoft.com/download/9/c/5/9c5b2167-8017-4bae-9fde-d599bac8184a/Authenticode_PE.docx,
 * PE format, "The Attribute Certificate Table" https://learn.microsoft.com/windows/win32/debug/pe-format
 *
 * Read: every entry of the certificate table, every signer, nested signatures, countersignatures and RFC 3161 tokens;
 * digests MD5, SHA-1, SHA-256, SHA-384, SHA-512.
 * Not supported: page hashes (noted, not checked), revocation, catalogue files, roots that the file does not carry.
 *
 * Not covered by any Authenticode digest, and so free to differ in an intact file: the CheckSum, the directory entry
 * of the certificate table, and inside the table the padding, the certificates and the unsigned attributes.
 */
import type { Budget } from '../bytes/budget.ts';
import type { PeImage } from '../formats/pe/image.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import { digestImage } from './authentihash.ts';
import { type Located, locateTable, tablePadding } from './certificate-table.ts';
import {
  checkSignature,
  collectSignatures,
  type SignedSubject,
  signaturesMax,
} from './embedded-signatures.ts';
import { type FileCondition, judgeIntegrity, judgeSigner } from './judgement.ts';
import { type Authenticity, toProblem } from './model.ts';
import type { PublisherPins } from './publisher-pins.ts';
import { spcOids } from './spc.ts';

const subject: SignedSubject = { oid: spcOids.peImageData, name: 'a portable executable' };

/**
 * Checks the Authenticode signatures of an executable.
 *
 * How several results become one `integrity`, first that applies:
 * 1. headers name no certificate table: `unsigned`.
 * 2. no signature block is there: `signature-removed` when the table is all that is missing, else `damaged`.
 * 3. the block is not where the headers put it: `damaged`.
 * 4. a digest or signature does not hold, nested ones count: `damaged` when the headers promise more bytes than there
 *    are, else `modified`. One signature that holds does not outweigh one that does not.
 * 5. bytes follow the certificate table: `modified`, as nothing says where they belong.
 * 6. a signature cannot be read, or none can be checked: `damaged`. It is no proof of a change, and never `intact`.
 * 7. `intact`. A signature by an unsupported algorithm beside one that holds is a remark.
 *
 * `signer` is `pinned` only on an intact file, when every signature that bears the publisher's name or certificate
 * meets a pin. Nothing here needs the time of day: validity is judged at the verified timestamp.
 *
 * @throws TelltaleError `limit/time`, or `unreadable/*` from the source; damage in the file never throws
 */
export function verifyAuthenticode(
  image: PeImage,
  publishers: PublisherPins,
  context: { readonly budget: Budget },
): Authenticity {
  const { budget } = context;
  const located = locateTable(image, budget);
  if (located.kind === 'none') {
    return {
      integrity: located.integrity,
      integrityDetail: located.detail,
      signer: 'none',
      signerDetail: 'There is no signer.',
      signatures: [],
      weakDigestOnly: false,
      problems: located.problems,
    };
  }
  const fileProblems = [...located.problems];
  const pending = located.blobs.flatMap((blob) => collectSignatures(blob, 0, [], false));
  if (pending.length > signaturesMax) {
    fileProblems.push(
      toProblem('limit', `The file has more than ${signaturesMax} signatures; the rest was not checked.`),
    );
  }
  const examined = pending.slice(0, signaturesMax);
  const algorithms = new Set<DigestAlgorithm>();
  for (const { indirect } of examined) if (indirect?.digest !== undefined) algorithms.add(indirect.digest);
  const actual = digestImage(image, located.table, [...algorithms], budget);
  const signatures = examined.map((signature, index) => {
    budget.checkTime();
    return checkSignature(signature, index, actual, subject, publishers);
  });
  const isIncomplete =
    pending.length > signaturesMax || located.problems.some(({ code }) => code === 'limit');
  const verdict = judgeIntegrity(signatures, toCondition(image, located, isIncomplete));
  const signer = judgeSigner(signatures, verdict.integrity);
  return {
    ...verdict,
    signer: signer.status,
    signerDetail: signer.detail,
    ...(signer.publisher === undefined ? {} : { publisher: signer.publisher }),
    signatures: signatures.map(({ result }) => result),
    weakDigestOnly: signatures.length > 0 && signatures.every(({ isWeak }) => isWeak),
    ...(located.foundElsewhere === undefined ? {} : { foundElsewhere: { offset: located.foundElsewhere } }),
    problems: fileProblems,
  };
}

function toCondition(
  image: PeImage,
  { table, foundElsewhere }: Extract<Located, { kind: 'table' }>,
  isIncomplete: boolean,
): FileCondition {
  const { source } = image;
  const behind = source.size - (table.offset + table.size + tablePadding(source, table));
  return {
    ...(foundElsewhere === undefined
      ? {}
      : {
          displaced: `The certificate table is not where the headers put it; a signature was found at offset ${foundElsewhere}.`,
        }),
    missingBytes: Math.max(0, image.declaredEnd - source.size),
    missing: 'its headers say',
    ...(behind > 0
      ? {
          uncovered: `${behind} bytes follow the certificate table, which has to be the end of the file.`,
        }
      : {}),
    isIncomplete,
  };
}
