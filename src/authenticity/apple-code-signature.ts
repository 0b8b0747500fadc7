/**
 * Code signatures of Apple's systems, checked offline.
 *
 * References: https://developer.apple.com/documentation/technotes/tn3126-inside-code-signing-hashes,
 * https://developer.apple.com/documentation/technotes/tn3127-inside-code-signing-requirements,
 * https://github.com/apple-oss-distributions/Security (OSX/libsecurity_codesigning/lib/StaticCode.cpp)
 *
 * Read: every program of a fat file; every code directory (SHA-1, SHA-256, cut to 20 bytes, SHA-384) over all of its
 * pages; requirements and entitlements in the signature; the CMS signature over the first code directory, and the
 * digests of the others among its signed attributes; Apple's timestamps; files of the bundle that the caller has.
 * Not supported: scattered code (only the kernel had it), revocation, notarisation tickets, detached signatures.
 *
 * Not covered by any digest, and so free to differ in an intact file: the list of programs of a fat file as far as
 * it still leads to the same programs, and in the signature the padding, certificates and unsigned attributes.
 */
import type { Budget } from '../bytes/budget.ts';
import { readChunks, sliceSource, type ByteSource } from '../bytes/byte-source.ts';
import { toHex } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import {
  type CodeBlob,
  type CodeDirectory,
  type CodeSignature,
  parseCodeSignature,
  slots,
  toFlagNames,
} from '../formats/macho/code-signature.ts';
import type { MachOImage, MachOProgram } from '../formats/macho/image.ts';
import { findGaps, hasContent } from '../formats/macho/ranges.ts';
import { type DigestAlgorithm, Digester, hasDigest, toDigest } from '../platform/digests.ts';
import { checkCms, toSignatureDamage, tryFindTeam } from './apple-signer.ts';
import { toIsoTime } from './der.ts';
import { type CheckedSignature, judgeSigner, toSentence } from './judgement.ts';
import {
  type AppleSignatureDetail,
  type Authenticity,
  type AuthenticityProblem,
  type CodeDirectoryResult,
  type Integrity,
  type SignatureOutcome,
  toProblem,
} from './model.ts';
import type { PublisherPins } from './publisher-pins.ts';
import { isSame } from './x509.ts';

/** Bytes that are digested at once; a page is 4 or 16 KiB. */
const chunkBytes = 1 << 20;
const adhocFlag = 0x2;
/**
 * Bytes that may be digested, over the size of the file: once for each code directory, of which real programs have
 * one to three. Programs of a fat file may lie on each other, which would cost that much for each.
 */
const digestedRatioMax = 8;

const slotNames: ReadonlyMap<number, string> = new Map([
  [slots.infoPlist, 'Info.plist'],
  [slots.requirements, 'requirements'],
  [slots.resources, 'CodeResources'],
  [slots.application, 'application-specific data'],
  [slots.entitlements, 'entitlements'],
  [slots.diskImage, 'disk image'],
  [slots.derEntitlements, 'DER entitlements'],
]);

/** Slots whose content lies in the signature itself. */
const carriedSlots: readonly number[] = [slots.requirements, slots.entitlements, slots.derEntitlements];

const strength: Readonly<Record<DigestAlgorithm, number>> = {
  md5: 0,
  sha1: 1,
  sha256: 2,
  sha384: 3,
  sha512: 4,
};

export interface AppleContext {
  readonly budget: Budget;
  /**
   * Files of the bundle by the slot that covers them: {@link slots}. What is not given is not compared, and said to be
   * so.
   */
  readonly sealed?: ReadonlyMap<number, ByteSource>;
}

/** The context of one check, with what it may still cost. */
interface CheckContext extends AppleContext {
  readonly allowance: { bytes: number };
}

/** What was found for one program of the file. */
interface ImageCheck {
  readonly image: MachOImage;
  readonly integrity: Integrity;
  /** One sentence. */
  readonly detail: string;
  /** The signature by a signer, when there is one that could be read. */
  readonly checked: CheckedSignature | undefined;
  /** The team that it states without a signature. */
  readonly statedTeam: string | undefined;
  /** SHA-256 of the signer's certificate. */
  readonly leaf: string | undefined;
  readonly problems: readonly AuthenticityProblem[];
}

/**
 * Checks the code signatures of a program.
 *
 * `integrity` of one program, first that applies:
 * 1. no load command for a signature: `unsigned`.
 * 2. the signature is missing although it is named: `signature-removed` when the rest of the file is there, else
 *    `damaged`. The same for a code directory that is not ad hoc and has no signature.
 * 3. the signature or a code directory cannot be read, or uses what is not read: `damaged`.
 * 4. a page, a part of the signature, or a file of the bundle does not have its signed digest, bytes are not covered,
 *    a code directory is not the one that was signed, or the signature does not hold: `modified`.
 * 5. an ad hoc seal holds: `unsigned`, as anybody can make one.
 * 6. `intact`.
 *
 * Of several programs the gravest counts. Signed ones beside unsigned ones, different signers, or bytes that belong to
 * no program are `modified`: nothing covers the list of programs, so that anybody can add one.
 *
 * `signer` is `pinned` when all programs are intact and signed with a certificate that Apple issued to a listed team,
 * the chain up to a pinned certificate of Apple included.
 *
 * @throws TelltaleError `limit/time`, or `unreadable/*` from the source; damage in the file never throws
 */
export function verifyMachO(
  program: MachOProgram,
  publishers: PublisherPins,
  context: AppleContext,
): Authenticity {
  const allowance = { bytes: program.source.size * digestedRatioMax };
  const checks = program.images.map((image, index) => {
    context.budget.checkTime();
    return checkImage(image, index, publishers, { ...context, allowance });
  });
  const { integrity, integrityDetail } = judgeProgram(program, checks);
  const signatures = checks.flatMap(({ checked }) => checked ?? []);
  const signer =
    signatures.length > 0 ? judgeSigner(signatures, integrity) : judgeUnsigned(checks, integrity, publishers);
  return {
    integrity,
    integrityDetail,
    signer: signer.status,
    signerDetail: signer.detail,
    ...(signer.publisher === undefined ? {} : { publisher: signer.publisher }),
    signatures: signatures.map(({ result }) => result),
    weakDigestOnly: signatures.length > 0 && signatures.every(({ isWeak }) => isWeak),
    problems: checks.flatMap(({ problems }) => problems),
  };
}

/** From grave to harmless. */
const gravity: readonly Integrity[] = ['modified', 'damaged', 'signature-removed', 'unsigned', 'intact'];

interface ProgramIntegrity {
  readonly integrity: Integrity;
  readonly integrityDetail: string;
}

function modified(integrityDetail: string): ProgramIntegrity {
  return { integrity: 'modified', integrityDetail };
}

function judgeProgram(program: MachOProgram, checks: readonly ImageCheck[]): ProgramIntegrity {
  const gravest = checks.toSorted((a, b) => gravity.indexOf(a.integrity) - gravity.indexOf(b.integrity))[0];
  if (gravest === undefined)
    return { integrity: 'damaged', integrityDetail: 'No program in it could be read.' };
  const where = program.isFat ? `In the program for ${gravest.image.architecture}: ` : '';
  const own = { integrity: gravest.integrity, integrityDetail: `${where}${gravest.detail}` };
  if (!program.isFat || gravest.integrity === 'modified') return own;
  const signed = checks.filter(({ integrity }) => integrity === 'intact');
  if (signed.length === 0) return own;
  if (gravest.integrity === 'unsigned') {
    return modified(`Some of its programs are signed, but not that for ${gravest.image.architecture}.`);
  }
  if (new Set(signed.map(({ leaf }) => leaf)).size > 1) {
    return modified('Its programs are signed by different certificates, as if one was added later.');
  }
  if (program.hasOverlap) return modified('Its programs share bytes with each other or with the header.');
  if (program.uncovered.length > 0) {
    return modified(`Bytes at offset ${program.uncovered[0]?.offset ?? 0} belong to none of its programs.`);
  }
  if (program.unreadable > 0 && gravest.integrity === 'intact') {
    return { integrity: 'damaged', integrityDetail: 'Not all of the programs that it lists could be read.' };
  }
  return own;
}

/** A seal without a signature names its team for free. */
function judgeUnsigned(
  checks: readonly ImageCheck[],
  integrity: Integrity,
  publishers: PublisherPins,
): ReturnType<typeof judgeSigner> {
  // What remains of a signature that was taken away still states the team, and claims nothing by that.
  if (integrity === 'unsigned' || integrity === 'modified') {
    for (const { statedTeam } of checks) {
      const publisher = statedTeam === undefined ? undefined : tryFindTeam(publishers, statedTeam)?.publisher;
      if (publisher !== undefined) {
        return {
          status: 'claimed',
          detail: `The code directory states the team "${statedTeam ?? ''}", but nobody signed it.`,
          publisher: publisher.id,
        };
      }
    }
  }
  return { status: 'none', detail: 'There is no signer.', publisher: undefined };
}

// ------------------------------------------------------------------------------------------ one program

function checkImage(
  image: MachOImage,
  index: number,
  publishers: PublisherPins,
  context: CheckContext,
): ImageCheck {
  const plain = (
    integrity: Integrity,
    detail: string,
    problems: readonly AuthenticityProblem[] = [],
  ): ImageCheck => ({
    image,
    integrity,
    detail,
    checked: undefined,
    statedTeam: undefined,
    leaf: undefined,
    problems,
  });
  const { source, codeSignature: place, fileOffset } = image;
  if (place === undefined) return plain('unsigned', 'It is not signed.');
  if (place.offset + place.size > source.size) {
    return place.offset === source.size && place.offset + place.size === image.declaredEnd
      ? plain(
          'signature-removed',
          'The load commands name a signature, all else is there, the signature is not.',
        )
      : plain(
          'damaged',
          `The file ends ${place.offset + place.size - source.size} bytes before the end of the signature.`,
        );
  }
  if (place.size === 0 || !hasContent(source, place, context.budget)) {
    return plain('signature-removed', 'Where the signature should be are only zeros.');
  }
  let signature: CodeSignature;
  try {
    signature = parseCodeSignature(source, place);
  } catch (error) {
    const { message, offset, code } = toSignatureDamage(error);
    return plain('damaged', `The code signature cannot be read: ${message}.`, [
      toProblem(
        code.startsWith('limit/') ? 'limit' : 'malformed',
        `${toSentence(message)}.`,
        fileOffset + (offset ?? 0),
      ),
    ]);
  }
  return checkParsed(image, signature, index, publishers, context);
}

/** Why the program is not as it was signed. */
interface Fault {
  readonly integrity: 'modified' | 'damaged';
  readonly problem: AuthenticityProblem;
}

function checkParsed(
  image: MachOImage,
  signature: CodeSignature,
  index: number,
  publishers: PublisherPins,
  context: CheckContext,
): ImageCheck {
  const { fileOffset } = image;
  const problems: AuthenticityProblem[] = [];
  const faults: Fault[] = [];
  noteUncovered(image, signature, problems, faults, context.budget);
  const pages = signature.directories.map((directory) =>
    checkDirectory(image, signature, directory, faults, context),
  );
  const checkedSlots = checkSlots(signature, image, faults, context);
  const [primary] = signature.directories;
  if (primary === undefined)
    throw new TelltaleError('internal/bug', 'a code signature without a code directory');

  const cms = signature.cms;
  const signer =
    cms === undefined ? undefined : checkCms(cms, fileOffset, signature, primary, publishers, context.budget);
  const seal = faults.find(({ integrity }) => integrity === 'modified') ?? faults[0];
  problems.push(...faults.map(({ problem }) => problem));
  const base = { image, statedTeam: primary.teamId, leaf: undefined, checked: undefined, problems };
  if (signer === undefined) {
    if (seal !== undefined) return { ...base, integrity: seal.integrity, detail: seal.problem.message };
    const pagesText = `The digests of its ${primary.pages} pages hold`;
    return (primary.flags & adhocFlag) !== 0
      ? {
          ...base,
          integrity: 'unsigned',
          detail: `It has an ad hoc seal only, which anybody can make. ${pagesText}.`,
        }
      : {
          ...base,
          integrity: 'signature-removed',
          detail: `The signature over its code directory is missing. ${pagesText}.`,
        };
  }

  const sealHolds = seal === undefined;
  const directories: CodeDirectoryResult[] = signature.directories.map((directory, at) => ({
    algorithm: directory.algorithm ?? `type ${directory.hashType}`,
    truncated: directory.hashType === 3,
    cdHash: directory.cdHash,
    pages: directory.pages,
    changedPages: pages[at]?.changed ?? 0,
    signed: signer.bound.has(directory),
  }));
  const strongest = signature.directories
    .filter((directory) => signer.bound.has(directory) && directory.algorithm !== undefined)
    .toSorted((a, b) => strength[b.algorithm ?? 'md5'] - strength[a.algorithm ?? 'md5'])[0];
  const changed = pages.find(({ stated }) => stated !== undefined);
  const outcome: SignatureOutcome =
    signer.outcome === 'fails' || seal?.integrity === 'modified'
      ? 'fails'
      : seal !== undefined
        ? 'unsupported'
        : signer.outcome;
  const apple: AppleSignatureDetail = {
    architecture: image.architecture,
    identifier: primary.identifier,
    ...(primary.teamId === undefined ? {} : { statedTeam: primary.teamId }),
    flags: toFlagNames(primary.flags),
    codeDirectories: directories,
    unchecked: [...primary.specialHashes.keys()]
      .filter((slot) => !checkedSlots.has(slot))
      .toSorted((a, b) => a - b)
      .map((slot) => slotNames.get(slot) ?? `slot ${slot}`),
    ...(signer.apple?.kind === undefined ? {} : { certificateKind: signer.apple.kind }),
  };
  const checked: CheckedSignature = {
    result: {
      index,
      scheme: 'apple',
      ...(signer.teamId === undefined ? {} : { teamId: signer.teamId }),
      ...(signer.certificateOf === undefined ? {} : { certificateOf: signer.certificateOf }),
      apple,
      nested: false,
      place: signer.place,
      outcome,
      digestAlgorithm: strongest?.algorithm ?? '',
      signedDigest: changed?.stated ?? strongest?.cdHash ?? '',
      actualDigest: changed?.actual ?? strongest?.cdHash ?? '',
      digestMatches: sealHolds,
      signatureVerifies: signer.outcome === 'holds',
      ...(signer.leaf === undefined ? {} : { signer: signer.leaf.summary }),
      chain: signer.chain?.certificates.map(({ summary }) => summary) ?? [],
      timestamps: signer.timestamps,
      ...(signer.signingTime === undefined ? {} : { signingTime: toIsoTime(signer.signingTime) }),
      hasPageHashes: true,
      ...(signer.outcome === 'holds' && signer.pin !== undefined ? { pin: signer.pin } : {}),
      ...(signer.expiredAtSigning === undefined ? {} : { expiredAtSigning: signer.expiredAtSigning }),
      problems: [...signer.problems],
    },
    isWeak: strongest === undefined || strongest.algorithm === 'sha1' || signer.isWeak,
    publisher: signer.publisher,
    refusal: signer.refusal,
  };
  const integrity: Integrity =
    seal?.integrity ??
    (signer.outcome === 'holds' ? 'intact' : signer.outcome === 'fails' ? 'modified' : 'damaged');
  return {
    image,
    integrity,
    detail:
      seal?.problem.message ??
      (signer.outcome === 'holds'
        ? `The digests of its ${primary.pages} pages hold, and they are signed.`
        : (signer.problems.find(({ code }) => code !== 'time-not-proved')?.message ??
          'The signature over its code directory does not hold.')),
    checked,
    statedTeam: primary.teamId,
    leaf: signer.leaf?.summary.sha256,
    problems,
  };
}

/** Bytes behind the signature, and in it between its parts. */
function noteUncovered(
  { source, fileOffset }: MachOImage,
  { place, length, blobs, repeatedSlots }: CodeSignature,
  problems: AuthenticityProblem[],
  faults: Fault[],
  budget: Budget,
): void {
  const end = place.offset + place.size;
  if (end < source.size) {
    faults.push({
      integrity: 'modified',
      problem: toProblem(
        'bytes-after-table',
        `${source.size - end} bytes follow the code signature, which has to be the end.`,
        fileOffset + end,
      ),
    });
  }
  for (const slot of repeatedSlots) {
    faults.push({
      integrity: 'modified',
      problem: toProblem(
        'malformed',
        `The code signature has two parts for slot ${slot}.`,
        fileOffset + place.offset,
      ),
    });
  }
  const inside = findGaps(
    [
      { offset: 0, size: 12 + (blobs.length + repeatedSlots.length) * 8 },
      ...blobs.map(({ offset, size }) => ({ offset: offset - place.offset, size })),
    ],
    place.size,
  ).find((gap) => hasContent(source, { offset: place.offset + gap.offset, size: gap.size }, budget));
  if (inside !== undefined) {
    const where = inside.offset >= length ? 'behind' : 'between';
    problems.push(
      toProblem(
        'hidden-bytes',
        `${inside.size} bytes lie ${where} the parts of the code signature; no digest covers them.`,
        fileOffset + place.offset + inside.offset,
      ),
    );
  }
}

interface PagesCheck {
  readonly changed: number;
  /** Digests of the first changed page, hexadecimal. */
  readonly stated?: string;
  readonly actual?: string;
}

function checkDirectory(
  image: MachOImage,
  { place }: CodeSignature,
  directory: CodeDirectory,
  faults: Fault[],
  { budget, allowance }: CheckContext,
): PagesCheck {
  const { source, fileOffset } = image;
  const at = fileOffset + directory.blob.offset;
  const fail = (
    integrity: Fault['integrity'],
    code: AuthenticityProblem['code'],
    message: string,
    offset = at,
  ): PagesCheck => {
    faults.push({ integrity, problem: toProblem(code, message, offset) });
    return { changed: 0 };
  };
  const { algorithm, codeLimit, pageBytes, pages, pageHashes, hashBytes } = directory;
  if (algorithm === undefined) {
    return fail(
      'damaged',
      'unsupported',
      `A code directory uses the digest type ${directory.hashType}, which is not read.`,
    );
  }
  if (directory.hasScatter) {
    return fail(
      'damaged',
      'unsupported',
      'A code directory covers the program in pieces, which is not read.',
    );
  }
  if (codeLimit !== place.offset) {
    return fail(
      'modified',
      'hidden-bytes',
      `The code directory covers ${codeLimit} bytes, but the signature begins at ${place.offset}.`,
    );
  }
  allowance.bytes -= codeLimit;
  if (allowance.bytes < 0) {
    return fail('damaged', 'limit', 'The code directories cover far more bytes than the file has.');
  }
  const needed = pageBytes === 0 ? Math.min(1, codeLimit) : Math.ceil(codeLimit / pageBytes);
  if (pages !== needed) {
    return fail('modified', 'malformed', `The code directory has ${pages} digests for ${needed} pages.`);
  }
  let changed = 0;
  let first: { readonly offset: number; readonly stated: string; readonly actual: string } | undefined;
  for (const page of findChangedPages(source, directory, algorithm, budget)) {
    changed += 1;
    if (first !== undefined) continue;
    const stated = pageHashes.subarray(page * hashBytes, (page + 1) * hashBytes);
    const offset = page * pageBytes;
    const actual = digestPage(source, directory, page, algorithm, budget).subarray(0, hashBytes);
    first = { offset, stated: toHex(stated), actual: toHex(actual) };
  }
  if (first === undefined) return { changed };
  fail(
    'modified',
    'digest-mismatch',
    `${changed} of ${pages} pages do not have the ${algorithm} digest that was signed, the first at offset ${fileOffset + first.offset}.`,
    fileOffset + first.offset,
  );
  return { changed, stated: first.stated, actual: first.actual };
}

type Pages = Pick<CodeDirectory, 'codeLimit' | 'pageBytes' | 'pages' | 'pageHashes' | 'hashBytes'>;

/** Numbers of the pages that do not have the digest that is stated. @throws TelltaleError `limit/time` */
function* findChangedPages(
  source: ByteSource,
  directory: Pages,
  algorithm: DigestAlgorithm,
  budget: Budget,
): Generator<number, void, void> {
  const { codeLimit, pageBytes, pages, pageHashes, hashBytes } = directory;
  if (pageBytes === 0 || pageBytes > chunkBytes) {
    for (let page = 0; page < pages; page += 1) {
      const stated = pageHashes.subarray(page * hashBytes, (page + 1) * hashBytes);
      const actual = digestPage(source, directory, page, algorithm, budget).subarray(0, hashBytes);
      if (!isSame(stated, actual)) yield page;
    }
    return;
  }
  for (let page = 0; page < pages; ) {
    budget.checkTime();
    const offset = page * pageBytes;
    // A run of memory is not copied for that; a page that lies in two of them is.
    const run = (source.runEnd?.(offset) ?? source.size) - offset;
    const taken = Math.min(Math.max(Math.floor(Math.min(run, chunkBytes) / pageBytes), 1), pages - page);
    const chunk = source.read(offset, Math.min(taken * pageBytes, codeLimit - offset));
    for (let at = 0; at < chunk.length; at += pageBytes, page += 1) {
      const stated = pageHashes.subarray(page * hashBytes, (page + 1) * hashBytes);
      const isThere = stated.length === hashBytes;
      if (!isThere || !hasDigest(algorithm, chunk.subarray(at, at + pageBytes), stated)) yield page;
    }
  }
}

/** @param page - its number; without pages, the whole code is one */
function digestPage(
  source: ByteSource,
  { codeLimit, pageBytes }: Pages,
  page: number,
  algorithm: DigestAlgorithm,
  budget: Budget,
): Uint8Array {
  const start = page * pageBytes;
  const length = pageBytes === 0 ? codeLimit : Math.min(pageBytes, codeLimit - start);
  const digester = new Digester([algorithm]);
  for (const chunk of readChunks(sliceSource(source, start, length), chunkBytes)) {
    budget.checkTime();
    digester.update(chunk);
  }
  return fromHex(digester.finish()[algorithm] ?? '');
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/**
 * Compares what is at hand with the digests of the special slots, in every code directory.
 *
 * @returns the slots that were compared
 */
function checkSlots(
  signature: CodeSignature,
  { fileOffset }: MachOImage,
  faults: Fault[],
  { budget, sealed }: CheckContext,
): ReadonlySet<number> {
  const checked = new Set<number>();
  const blobs = new Map<number, CodeBlob>(signature.blobs.map((blob) => [blob.slot, blob]));
  for (const directory of signature.directories) {
    const { algorithm, specialHashes, hashBytes, blob: own } = directory;
    if (algorithm === undefined) continue;
    const fail = (slot: number, what: string): void => {
      const name = slotNames.get(slot) ?? `slot ${slot}`;
      faults.push({
        integrity: 'modified',
        problem: toProblem(
          'digest-mismatch',
          `${toSentence(name)} ${what}.`,
          fileOffset + (blobs.get(slot)?.offset ?? own.offset),
        ),
      });
    };
    for (const slot of carriedSlots) {
      const carried = blobs.get(slot);
      const stated = specialHashes.get(slot);
      if (carried === undefined && stated === undefined) continue;
      checked.add(slot);
      if (carried === undefined) fail(slot, 'whose digest is signed are missing from the signature');
      else if (stated === undefined) fail(slot, 'are in the signature, but no digest covers them');
      else if (!isSame(stated, toDigest(algorithm, carried.bytes).subarray(0, hashBytes))) {
        fail(slot, 'in the signature do not have the digest that was signed');
      }
    }
    for (const [slot, content] of sealed ?? []) {
      const stated = specialHashes.get(slot);
      checked.add(slot);
      if (stated === undefined) {
        // A linker seals the program alone, before there is a bundle.
        if ((directory.flags & adhocFlag) === 0) fail(slot, 'is in the bundle, but no digest covers it');
        continue;
      }
      const digester = new Digester([algorithm]);
      for (const chunk of readChunks(content, chunkBytes)) {
        budget.checkTime();
        digester.update(chunk);
      }
      const actual = (digester.finish()[algorithm] ?? '').slice(0, hashBytes * 2);
      if (actual !== toHex(stated)) fail(slot, 'in the bundle does not have the digest that was signed');
    }
  }
  return checked;
}
