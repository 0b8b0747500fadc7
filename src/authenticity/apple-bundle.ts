/**
 * A bundle as a whole: the signature of its program covers Info.plist and the seal, the seal covers the other files.
 *
 * References: see `apple-code-signature.ts` and `apple-bundle-seal.ts`.
 */
import { toByteSource, type ByteSource } from '../bytes/byte-source.ts';
import type { Budget } from '../bytes/budget.ts';
import { slots } from '../formats/macho/code-signature.ts';
import type { MachOProgram } from '../formats/macho/image.ts';
import { parsePlist } from '../formats/plist.ts';
import { checkSeal, type SealCheck, type SealedFile } from './apple-bundle-seal.ts';
import { verifyMachO } from './apple-code-signature.ts';
import { toSignatureDamage } from './apple-signer.ts';
import { type Authenticity, type AuthenticityProblem, type Integrity, toProblem } from './model.ts';
import type { PublisherPins } from './publisher-pins.ts';

/** Names that one sentence lists. */
const namesMax = 3;

export interface BundleContents {
  /** The program that Info.plist names. */
  readonly program: MachOProgram;
  /** Its path relative to the contents: `MacOS/Skype`. */
  readonly executable: string;
  /** Bytes of Info.plist. */
  readonly infoPlist: Uint8Array;
  /** Bytes of `_CodeSignature/CodeResources`; undefined when it is not there. */
  readonly codeResources: Uint8Array | undefined;
  /** All files and links of the bundle, by path relative to the contents. */
  readonly entries: ReadonlyMap<string, SealedFile>;
  /** See `SealOptions`. */
  readonly nestedCdHashes?: ReadonlyMap<string, readonly string[]>;
}

export interface BundleAuthenticity extends Authenticity {
  /** Undefined when there is no seal, or none that can be read. */
  readonly seal: SealCheck | undefined;
}

/**
 * Checks a bundle. `integrity` is that of its program, then:
 *
 * - `modified` when Info.plist or the seal do not have the digest that the program's signature states, when a file was
 *   altered, added or is missing, or when nested code is of another build. For a program with an ad hoc seal as well.
 * - `damaged` when the seal cannot be read, or when files could not be compared: nothing is proved about these.
 *
 * `signer` is `pinned` only when the bundle as a whole is intact.
 *
 * @throws TelltaleError `limit/time`, or `unreadable/*` from a source; damage never throws
 */
export function verifyBundle(
  bundle: BundleContents,
  publishers: PublisherPins,
  context: { readonly budget: Budget },
): BundleAuthenticity {
  const { budget } = context;
  const sealed = new Map<number, ByteSource>([[slots.infoPlist, toByteSource(bundle.infoPlist)]]);
  if (bundle.codeResources !== undefined) sealed.set(slots.resources, toByteSource(bundle.codeResources));
  const own = verifyMachO(bundle.program, publishers, { budget, sealed });
  // A program without a signature says nothing about the bundle, whatever lies in it.
  if (own.integrity === 'unsigned' && bundle.codeResources === undefined) return { ...own, seal: undefined };
  if (bundle.codeResources === undefined) {
    const isPromised = own.signatures.some(({ apple }) => apple?.unchecked.includes('CodeResources'));
    return isPromised
      ? {
          ...degrade(own, 'modified', 'The seal of the bundle, whose digest is signed, is missing.'),
          seal: undefined,
        }
      : { ...own, seal: undefined };
  }
  let seal: SealCheck;
  try {
    seal = checkSeal(parsePlist(bundle.codeResources, budget), bundle.entries, {
      budget,
      executable: bundle.executable,
      ...(bundle.nestedCdHashes === undefined ? {} : { nestedCdHashes: bundle.nestedCdHashes }),
    });
  } catch (error) {
    const { message } = toSignatureDamage(error);
    return {
      ...degrade(own, 'damaged', `The seal of the bundle cannot be read: ${message}.`),
      seal: undefined,
    };
  }
  switch (seal.state) {
    case 'holds':
      return {
        ...own,
        weakDigestOnly: own.weakDigestOnly || (own.integrity === 'intact' && seal.weak),
        seal,
      };
    case 'broken':
      return { ...degrade(own, 'modified', describeBroken(seal)), seal };
    case 'unproved':
      return {
        ...degrade(
          own,
          'damaged',
          `Files of the bundle could not be compared with its seal: ${toNames(seal.unchecked)}.`,
        ),
        seal,
      };
  }
}

/** From grave to harmless. */
const gravity: readonly Integrity[] = ['modified', 'damaged', 'signature-removed', 'unsigned', 'intact'];

/** The same with a graver integrity; nobody is pinned any more. */
function degrade(own: Authenticity, integrity: Integrity, detail: string): Authenticity {
  const problem: AuthenticityProblem = toProblem(
    integrity === 'modified' ? 'digest-mismatch' : 'malformed',
    detail,
  );
  // An unsigned program with a seal that cannot be compared stays what it is: unsigned.
  const isGraver =
    gravity.indexOf(integrity) < gravity.indexOf(own.integrity) &&
    !(integrity === 'damaged' && own.integrity === 'unsigned');
  return {
    ...own,
    ...(isGraver ? { integrity, integrityDetail: detail } : {}),
    ...(own.signer === 'pinned'
      ? {
          signer: 'claimed',
          signerDetail: 'The program is signed by the publisher, but the bundle as a whole is not intact.',
        }
      : {}),
    problems: [...own.problems, problem],
  };
}

function toNames(paths: readonly string[]): string {
  const names = paths.slice(0, namesMax).map((path) => `"${path.slice(0, 120)}"`);
  return paths.length > namesMax
    ? `${names.join(', ')} and ${paths.length - namesMax} more`
    : names.join(', ');
}

function describeBroken({ altered, missing, added, exchanged }: SealCheck): string {
  const parts = [
    ['altered', altered],
    ['missing', missing],
    ['added', added],
    ['of another build', exchanged],
  ] as const;
  const text = parts
    .filter(([, paths]) => paths.length > 0)
    .map(([what, paths]) => `${what}: ${toNames(paths)}`)
    .join('; ');
  return `The seal of the bundle does not hold (${text}).`;
}
