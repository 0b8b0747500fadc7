/**
 * JAR signatures, which Android calls signature scheme v1.
 *
 * Specification: https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html#signed-jar-file,
 * https://source.android.com/docs/security/features/apksigning#v1
 *
 * A .SF file states digests of MANIFEST.MF and of its sections, MANIFEST.MF states a digest of every member, and the
 * .RSA, .DSA or .EC file beside the .SF file is the signature over it.
 *
 * Read: every signer; every digest of every member, by MD5, SHA-1, SHA-256, SHA-384 and SHA-512.
 * As in Android, and unlike other JAR files, nothing in META-INF is covered. What lies between the members, their order,
 * times and attributes, and the comment of the archive are covered by nothing.
 */
import type { Budget } from '../bytes/budget.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { toHex } from '../bytes/cursor.ts';
import type { AndroidPackage } from '../formats/apk/android-package.ts';
import { decodeAsAndroid, openAsAndroid, toAndroidName } from '../formats/apk/members.ts';
import type { ZipEntry } from '../formats/zip.ts';
import { type DigestAlgorithm, Digester, toDigest } from '../platform/digests.ts';
import { checkSigner, parseSignedData, type SignedData } from './cms.ts';
import { toDamage } from './der.ts';
import {
  findAttribute,
  type JarManifest,
  type ManifestSection,
  parseJarManifest,
  type StatedDigest,
  toDigests,
} from './jar-manifest.ts';
import { type AuthenticityProblem, type SignatureOutcome, toProblem } from './model.ts';
import type { Certificate } from './x509.ts';

/** Bytes of MANIFEST.MF or of a .SF file; 100,000 members need about 10 MiB. */
const listBytesMax = 32 * 1024 * 1024;
const blobBytesMax = 1024 * 1024;
const signersMax = 16;
/** Members that are named when they do not hold. */
const membersNamed = 8;
const manifestName = 'META-INF/MANIFEST.MF';
const weakAlgorithms: ReadonlySet<DigestAlgorithm> = new Set(['md5', 'sha1']);

/** One signer of a package. */
export interface JarSigner {
  /** Where its .RSA, .DSA or .EC file lies in the package; packed, in bytes. */
  readonly place: { readonly offset: number; readonly size: number };
  readonly outcome: SignatureOutcome;
  readonly certificate: Certificate | undefined;
  /** All that its file carries. */
  readonly certificates: readonly Certificate[];
  /** Whether the key confirms the signature over the .SF file. */
  readonly signatureVerifies: boolean;
  /** Whether all digests hold. */
  readonly digestMatches: boolean;
  readonly digestAlgorithm: string;
  /** The digest that the .SF file states of MANIFEST.MF, or the first one that does not hold. */
  readonly signedDigest: string;
  readonly actualDigest: string;
  /** Somewhere on the way to a member there is nothing stronger than MD5 or SHA-1. */
  readonly isWeak: boolean;
  readonly problems: readonly AuthenticityProblem[];
}

export interface JarSignatures {
  readonly signers: readonly JarSigner[];
  /** Numbers of further schemes with which the package says to have been signed. */
  readonly promisedSchemes: readonly number[];
  /** Lists of signed digests are there. */
  readonly hasLists: boolean;
  /** Members that the manifest states digests of. */
  readonly members: number;
}

type Context = { readonly budget: Budget };

/** A member whose digests were compared. */
interface MemberCheck {
  readonly name: string;
  /** One phrase; undefined when it is what the manifest states. */
  readonly problem: string | undefined;
  readonly offset: number;
  readonly stated: StatedDigest | undefined;
  readonly actual: string;
  readonly isWeak: boolean;
}

/**
 * Checks all JAR signatures of a package. Damage becomes an outcome.
 *
 * @throws TelltaleError `limit/bytes`, `limit/ratio` or `limit/time`, or `unreadable/*` from the source
 */
export async function checkJarSignatures(
  { source, archive }: AndroidPackage,
  context: Context,
): Promise<JarSignatures> {
  const listed = archive.entries.filter(({ view }) => view === 'directory');
  const metadata = new Map<string, ZipEntry>();
  for (const entry of listed) {
    const name = toAndroidName(entry).toUpperCase();
    if (name.startsWith('META-INF/') && !metadata.has(name)) metadata.set(name, entry);
  }
  const read = async (entry: ZipEntry, limit: number): Promise<Uint8Array> => {
    const member = await openAsAndroid(source, entry, limit, context);
    if (member.size > limit) {
      throw new TelltaleError('limit/count', `a file of the signature has more than ${limit} bytes`);
    }
    return member.read(0, member.size);
  };
  const blobs = [...metadata].filter(([name]) => /^META-INF\/[^/]+\.(?:RSA|DSA|EC)$/.test(name));
  const manifestEntry = metadata.get(manifestName);
  const lists = [...metadata.keys()].filter((name) => /^META-INF\/[^/]+\.SF$/.test(name));
  if (blobs.length === 0 || manifestEntry === undefined) {
    const manifest =
      manifestEntry === undefined
        ? undefined
        : await attempt(async () => parseJarManifest(await read(manifestEntry, listBytesMax)));
    const isListed =
      manifest !== undefined &&
      !(manifest instanceof TelltaleError) &&
      [...manifest.members.values()].some((section) => toDigests(section).length > 0);
    const signers = blobs.map(([name, entry]) =>
      toUnreadable(entry, 'malformed', `${name} is a signature over lists that are not there`),
    );
    return { signers, promisedSchemes: [], hasLists: isListed || lists.length > 0, members: 0 };
  }

  const manifest = await attempt(async () => parseJarManifest(await read(manifestEntry, listBytesMax)));
  const signers: JarSigner[] = [];
  const promised = new Set<number>();
  const checks =
    manifest instanceof TelltaleError ? [] : await checkMembers(source, listed, manifest, context);
  for (const [name, entry] of blobs.slice(0, signersMax)) {
    context.budget.checkTime();
    const listEntry = metadata.get(name.replace(/\.[^.]+$/, '.SF'));
    if (manifest instanceof TelltaleError) {
      signers.push(
        toUnreadable(entry, 'malformed', `the list of digests cannot be read: ${manifest.message}`),
      );
      continue;
    }
    if (listEntry === undefined) {
      signers.push(toUnreadable(entry, 'malformed', `${name} is a signature over a list that is not there`));
      continue;
    }
    const files = await attempt(async () => ({
      list: parseJarManifest(await read(listEntry, listBytesMax)),
      signedData: parseSignedData(await read(entry, blobBytesMax), entry.dataOffset),
    }));
    if (files instanceof TelltaleError) {
      signers.push(toUnreadable(entry, 'malformed', files.message));
      continue;
    }
    for (const id of toPromised(files.list)) promised.add(id);
    signers.push(checkOneSigner(entry, files.list, files.signedData, manifest, checks));
  }
  if (blobs.length > signersMax) {
    const [, entry] = blobs[signersMax] ?? blobs[0] ?? ['', manifestEntry];
    signers.push(toUnreadable(entry, 'limit', `the package has more than ${signersMax} signers`));
  }
  return {
    signers,
    promisedSchemes: [...promised],
    hasLists: true,
    members: manifest instanceof TelltaleError ? 0 : manifest.members.size,
  };
}

/** A fault of the bytes as a value. @throws anything else: the budget, the file system, a bug */
async function attempt<Result>(part: () => Promise<Result>): Promise<Result | TelltaleError> {
  try {
    return await part();
  } catch (error) {
    if (error instanceof TelltaleError && error.code === 'limit/memory') return error;
    return toDamage(error);
  }
}

function toUnreadable(entry: ZipEntry, code: 'malformed' | 'limit', message: string): JarSigner {
  return {
    place: toPlace(entry),
    outcome: 'malformed',
    certificate: undefined,
    certificates: [],
    signatureVerifies: false,
    digestMatches: false,
    digestAlgorithm: '',
    signedDigest: '',
    actualDigest: '',
    isWeak: false,
    problems: [toProblem(code, `A v1 signature was not read: ${message}.`, entry.headerOffset)],
  };
}

function toPlace(entry: ZipEntry): JarSigner['place'] {
  return { offset: entry.dataOffset ?? entry.headerOffset, size: entry.available };
}

/** https://source.android.com/docs/security/features/apksigning/v2#v1-verification */
function toPromised({ main }: JarManifest): readonly number[] {
  return (findAttribute(main, 'x-android-apk-signed') ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => /^\d{1,4}$/.test(part))
    .map(Number);
}

/** Compares every member with the manifest; members that it states and that are not there as well. */
async function checkMembers(
  source: AndroidPackage['source'],
  listed: readonly ZipEntry[],
  manifest: JarManifest,
  context: Context,
): Promise<readonly MemberCheck[]> {
  const checks: MemberCheck[] = [];
  const seen = new Set<string>();
  for (const entry of listed) {
    const name = toAndroidName(entry);
    const problem = (text: string): MemberCheck => ({
      name,
      problem: text,
      offset: entry.headerOffset,
      stated: undefined,
      actual: '',
      isWeak: false,
    });
    if (seen.has(name)) checks.push(problem('is there more than once'));
    seen.add(name);
    // As Android has it: nothing in META-INF, and no folders.
    if (name.startsWith('META-INF/') || name.endsWith('/')) continue;
    const section = manifest.members.get(name);
    if (section === undefined) {
      checks.push(problem('is not in the list of digests'));
      continue;
    }
    checks.push(await checkMember(source, entry, name, toDigests(section), context));
  }
  for (const [name, section] of manifest.members) {
    if (seen.has(name)) continue;
    checks.push({
      name,
      problem: 'is in the list of digests, but not in the package',
      offset: section.start,
      stated: undefined,
      actual: '',
      isWeak: false,
    });
  }
  return checks;
}

async function checkMember(
  source: AndroidPackage['source'],
  entry: ZipEntry,
  name: string,
  stated: readonly StatedDigest[],
  { budget }: Context,
): Promise<MemberCheck> {
  const algorithms = [...new Set(stated.map(({ algorithm }) => algorithm))];
  const isWeak = algorithms.every((algorithm) => weakAlgorithms.has(algorithm));
  const toCheck = (problem: string | undefined, wrong?: StatedDigest, actual = ''): MemberCheck => ({
    name,
    problem,
    offset: entry.headerOffset,
    stated: wrong,
    actual,
    isWeak,
  });
  if (algorithms.length === 0) return toCheck('has no digest that can be checked');
  const digester = new Digester(algorithms);
  let fault = '';
  try {
    for await (const chunk of decodeAsAndroid(source, entry)) {
      budget.chargeBytes(chunk.length);
      digester.update(chunk);
    }
  } catch (error) {
    // The digest decides: what could be decoded may be all of it.
    fault = `, because it ${toDamage(error).message}`;
  }
  const actual = digester.finish();
  const wrong = stated.find(({ algorithm, value }) => actual[algorithm] !== value);
  return wrong === undefined
    ? toCheck(undefined)
    : toCheck(
        `does not have the ${wrong.algorithm} digest that is stated${fault}`,
        wrong,
        actual[wrong.algorithm],
      );
}

function checkOneSigner(
  entry: ZipEntry,
  list: JarManifest,
  signedData: SignedData,
  manifest: JarManifest,
  checks: readonly MemberCheck[],
): JarSigner {
  const problems: AuthenticityProblem[] = [];
  const [signer, ...others] = signedData.signers;
  if (signer === undefined) return toUnreadable(entry, 'malformed', 'it has no signer');
  if (others.length > 0) {
    problems.push(
      toProblem(
        'limit',
        `Of ${others.length + 1} signers in one file the first is checked, as Android does.`,
      ),
    );
  }
  const check = checkSigner(signer, list.bytes, signedData.contentType, signedData.certificates);
  const signatureVerifies = check.outcome === 'holds';
  if (check.problem !== undefined) {
    const code = check.outcome === 'unsupported' ? 'unsupported' : 'signature-invalid';
    problems.push(toProblem(code, `v1: ${check.problem}.`, signer.offset));
  }
  const seal = checkList(list, manifest);
  let digests = seal.problem === undefined;
  let { stated, actual } = seal;
  if (seal.problem !== undefined) {
    problems.push(toProblem('digest-mismatch', `v1: ${seal.problem}.`, entry.headerOffset));
  }
  const faults: MemberCheck[] = [];
  let isWeak = seal.isWeak || (signer.digest !== undefined && weakAlgorithms.has(signer.digest));
  for (const member of checks) {
    isWeak ||= member.isWeak;
    if (member.problem !== undefined) faults.push(member);
    else if (!list.members.has(member.name))
      faults.push({ ...member, problem: 'is not signed by this signer' });
  }
  const [first] = faults;
  if (first !== undefined) {
    if (digests && first.stated !== undefined) ({ stated, actual } = first);
    digests = false;
    for (const { name, problem, offset } of faults.slice(0, membersNamed)) {
      problems.push(toProblem('digest-mismatch', `v1: "${name.slice(0, 200)}" ${problem ?? ''}.`, offset));
    }
    if (faults.length > membersNamed) {
      problems.push(
        toProblem('digest-mismatch', `v1: ${faults.length - membersNamed} more members do not hold.`),
      );
    }
  }
  return {
    place: toPlace(entry),
    outcome: !digests
      ? 'fails'
      : check.outcome === 'holds' || check.outcome === 'fails'
        ? check.outcome
        : 'unsupported',
    certificate: check.certificate,
    certificates: signedData.certificates,
    signatureVerifies,
    digestMatches: digests,
    digestAlgorithm: stated?.algorithm ?? '',
    signedDigest: stated?.value ?? '',
    actualDigest: actual,
    isWeak,
    problems,
  };
}

interface ListCheck {
  readonly problem: string | undefined;
  readonly stated: StatedDigest | undefined;
  readonly actual: string;
  readonly isWeak: boolean;
}

/** Compares a .SF file with the manifest: the digest of the whole, or else that of each section. */
function checkList(list: JarManifest, manifest: JarManifest): ListCheck {
  if (manifest.repeated.length > 0 || list.repeated.length > 0) {
    const name = manifest.repeated[0] ?? list.repeated[0] ?? '';
    return toListCheck(`the list of digests names "${name.slice(0, 200)}" more than once`, undefined, '');
  }
  if (manifest.nameless > 0 || list.nameless > 0) {
    return toListCheck('the list of digests has sections that name no member', undefined, '');
  }
  if (findAttribute(list.main, 'signature-version') === undefined) {
    return toListCheck('the signed list does not say that it is one', undefined, '');
  }
  const whole = toDigests(list.main, '-digest-manifest');
  const [first] = whole;
  const isWhole =
    whole.length > 0 &&
    whole.every(({ algorithm, value }) => toHex(toDigest(algorithm, manifest.bytes)) === value);
  if (first !== undefined && isWhole) {
    const isWeak = whole.every(({ algorithm }) => weakAlgorithms.has(algorithm));
    return { problem: undefined, stated: first, actual: first.value, isWeak };
  }
  const actual = first === undefined ? '' : toHex(toDigest(first.algorithm, manifest.bytes));
  // Android asks for this only where the digest of the whole is another one.
  const isMadeBySigntool = (findAttribute(list.main, 'created-by') ?? '').includes('signtool');
  const main = toDigests(list.main, '-digest-manifest-main-attributes');
  if (!isMadeBySigntool && main.some((stated) => !isOf(stated, manifest, manifest.main, false))) {
    return toListCheck(
      'the signed digest of the head of the manifest is not that of the manifest',
      first,
      actual,
    );
  }
  let isWeak = false;
  for (const [name, section] of list.members) {
    const digests = toDigests(section);
    const target = manifest.members.get(name);
    const isRight =
      target !== undefined &&
      digests.length > 0 &&
      digests.every((stated) => isOf(stated, manifest, target, isMadeBySigntool));
    if (!isRight) {
      return toListCheck(
        `the signed digest of what the manifest says of "${name.slice(0, 200)}" is not that of the manifest`,
        first,
        actual,
      );
    }
    isWeak ||= digests.every(({ algorithm }) => weakAlgorithms.has(algorithm));
  }
  if (list.members.size === 0) {
    return toListCheck('the signed digest of the manifest is not that of the manifest', first, actual);
  }
  return { problem: undefined, stated: first, actual, isWeak };
}

function toListCheck(problem: string, stated: StatedDigest | undefined, actual: string): ListCheck {
  return { problem, stated, actual, isWeak: false };
}

/** @param isMadeBySigntool - that tool leaves the empty line behind a section out of the digest */
function isOf(
  { algorithm, value }: StatedDigest,
  { bytes }: JarManifest,
  { start, end }: ManifestSection,
  isMadeBySigntool: boolean,
): boolean {
  const isCut = isMadeBySigntool && bytes[end - 1] === 0x0a && bytes[end - 2] === 0x0a;
  return toHex(toDigest(algorithm, bytes.subarray(start, isCut ? end - 1 : end))) === value;
}
