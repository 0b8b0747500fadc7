import type { Integrity, SignerStatus } from '../authenticity/model.ts';
import type { FormatNature } from '../formats/model.ts';
import { type VerdictName, verdicts } from './model.ts';

/**
 * Everything that the decision table looks at, for one artifact and one product.
 * Content comes before signature, and a genuine member never clears its container.
 */
export interface Case {
  readonly nature: FormatNature;
  /**
   * `asserts`: says of itself that it is the product. `resembles`: looks like a piece of it, or is named by a telltale
   * that does not decide. `contains`: something inside it claims the product. `none`: nothing of the kind.
   */
  readonly claim: 'asserts' | 'resembles' | 'contains' | 'none';
  /** Telltales of a documented fake that decide: one decisive, or strong ones of two independent kinds. */
  readonly fake: boolean;
  /** Telltales of another edition that decide. */
  readonly otherEdition: boolean;
  /** A known file that only borrows the product's name. */
  readonly unrelated: boolean;
  /** The digest is in the ledger of known builds. */
  readonly knownBuild: 'other-edition' | 'official' | 'none';
  /** The ledger knows it by MD5 or SHA-1 alone. */
  readonly knownByWeakDigest: boolean;
  /** Undefined where the format carries no signature that is checked. */
  readonly integrity: Integrity | undefined;
  readonly signer: SignerStatus;
  /** A signature bears a pinned certificate, whether or not it holds over these bytes. */
  readonly bearsPinnedCertificate: boolean;
  /** A digest that the file itself holds over its own parts does not hold. */
  readonly sealBroken: boolean;
  /** Bytes that headers or container promise are missing. */
  readonly bytesMissing: boolean;
  /** Gravest verdict among members that concern the product; `other` when there are none. */
  readonly gravestMember: VerdictName;
}

/** A row of the decision table: the first whose condition holds decides. */
export interface Row {
  readonly id: string;
  readonly verdict: VerdictName | 'as-member';
  readonly when: (facts: Case) => boolean;
  /** One plain sentence for the report. */
  readonly reason: string;
}

const claims = ({ claim }: Case): boolean => claim !== 'none';
const transports = ({ nature }: Case): boolean => nature === 'transport';
const provedOwn = ({ integrity, signer }: Case): boolean => integrity === 'intact' && signer === 'pinned';
const memberIs = ({ gravestMember }: Case, ...names: readonly VerdictName[]): boolean =>
  names.includes(gravestMember);

/**
 * The decision table. Order is meaning: content first, then the ledger, then forgery, then the seal, then what is
 * inside, and only then the benefit of the doubt, which is `unverified` and never more.
 */
export const decisionTable: readonly Row[] = [
  {
    id: 'known-fake',
    verdict: 'impostor',
    when: ({ fake }) => fake,
    reason: 'it carries what is documented of a known fake',
  },
  {
    id: 'another-edition',
    verdict: 'variant',
    when: ({ otherEdition }) => otherEdition,
    reason: 'what is inside names another edition; a valid signature would not change that',
  },
  {
    id: 'another-edition-known',
    verdict: 'variant',
    when: ({ knownBuild }) => knownBuild === 'other-edition',
    reason: 'its digest is recorded for a download of another edition',
  },
  {
    id: 'unrelated-file',
    verdict: 'other',
    when: ({ unrelated }) => unrelated,
    reason: 'it is a known file that only borrows the name',
  },
  {
    id: 'known-build',
    verdict: 'official',
    when: ({ knownBuild, knownByWeakDigest }) => knownBuild === 'official' && !knownByWeakDigest,
    reason: 'its digest is recorded for an official download',
  },
  {
    id: 'known-build-weak-digest',
    verdict: 'official',
    when: ({ knownBuild }) => knownBuild === 'official',
    reason:
      'its digest is recorded for an official download, but only under MD5 or SHA-1, which can be forged',
  },
  {
    id: 'forged-signer',
    verdict: 'impostor',
    when: ({ signer, bearsPinnedCertificate }) => signer === 'claimed' && !bearsPinnedCertificate,
    reason:
      "its signature bears the publisher's name, but not a certificate that the publisher is known to have used",
  },
  {
    id: 'seal-broken',
    verdict: 'modified',
    when: (facts) =>
      claims(facts) && (facts.integrity === 'modified' || facts.sealBroken) && !memberIs(facts, 'impostor'),
    reason: 'a signature or a seal is present and does not hold for these bytes',
  },
  {
    id: 'bytes-missing',
    verdict: 'damaged',
    when: (facts) =>
      claims(facts) &&
      !provedOwn(facts) &&
      !memberIs(facts, 'impostor', 'modified', 'variant') &&
      (facts.integrity === 'damaged' || facts.integrity === 'signature-removed' || facts.bytesMissing),
    reason:
      'bytes that its own headers promise are not there; whether by accident or on purpose cannot be told',
  },
  {
    id: 'proved',
    verdict: 'official',
    when: provedOwn,
    reason: 'it is intact and signed with a certificate that the publisher is known to have used',
  },
  {
    id: 'foreign-signer',
    verdict: 'impostor',
    when: ({ claim, signer }) => claim === 'asserts' && signer === 'other',
    reason: 'it says that it is the product, and somebody else signed it',
  },
  {
    id: 'gravest-member',
    verdict: 'as-member',
    when: (facts) => transports(facts) && !memberIs(facts, 'other'),
    reason: 'a transport is judged by the gravest thing in it',
  },
  {
    id: 'carries-worse',
    verdict: 'as-member',
    when: (facts) => memberIs(facts, 'impostor', 'modified', 'variant', 'damaged'),
    reason: 'what it carries is judged so, and nothing proves the file around it',
  },
  {
    id: 'carries-product',
    verdict: 'unverified',
    when: ({ claim }) => claim === 'contains',
    reason: 'it carries the product, but a genuine member does not clear the program around it',
  },
  {
    id: 'unproved',
    verdict: 'unverified',
    when: claims,
    reason: 'it looks like the product; nothing proves or disproves it',
  },
  {
    id: 'no-claim',
    verdict: 'other',
    when: () => true,
    reason: 'nothing in it claims to be the product',
  },
];

const byGravestMember = decisionTable.find(({ id }) => id === 'gravest-member');

/** Whether the first verdict is graver than the second. */
export function isGraver(first: VerdictName, second: VerdictName): boolean {
  return verdicts.indexOf(first) < verdicts.indexOf(second);
}

/**
 * The first row that holds decides; the last one always holds. A transport never hides a graver member behind its own
 * row, unless the ledger knows the transport itself.
 */
export function decide(facts: Case): { readonly row: Row; readonly verdict: VerdictName } {
  const row = decisionTable.find(({ when }) => when(facts));
  if (row === undefined || byGravestMember === undefined)
    throw new Error('the decision table has lost a row');
  const verdict = row.verdict === 'as-member' ? facts.gravestMember : row.verdict;
  if (transports(facts) && facts.knownBuild === 'none' && isGraver(facts.gravestMember, verdict)) {
    return { row: byGravestMember, verdict: facts.gravestMember };
  }
  return { row, verdict };
}
