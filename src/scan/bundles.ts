import type { BundleAuthenticity } from '../authenticity/apple-bundle.ts';
import type { SealedFile } from '../authenticity/apple-bundle-seal.ts';
import type { PublisherPins } from '../authenticity/publisher-pins.ts';
import type { Budget } from '../bytes/budget.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { type Bundle, findBundles, toExecutablePath } from '../formats/app-bundle.ts';
import type { MachOProgram } from '../formats/macho/image.ts';
import type { Finding, Reading } from '../formats/model.ts';
import { parsePlist, tryGet } from '../formats/plist.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import type { Artifact } from './model.ts';

/** Property lists that are kept for checking a bundle are small; larger ones are no Info.plist and no seal. */
const propertyListBytes = 8 * 1024 * 1024;
const inBundle = /\.(?:app|framework|appex|xpc|bundle|plugin|kext|prefPane)\//;
const propertyListName = /(?:^|\/)(?:Info\.plist|_CodeSignature\/CodeResources)$/;

/** Whether a name says that the file is part of an Apple bundle, whose seal states its digests. */
export function isInBundle(name: string): boolean {
  return inBundle.test(name);
}

/** What has to be at hand to check the bundles of one container, gathered while its members are visited. */
export class BundleBasket {
  readonly #entries = new Map<string, SealedFile>();
  readonly #propertyLists = new Map<string, Uint8Array>();
  readonly #programs = new Map<string, MachOProgram>();

  get isEmpty(): boolean {
    return this.#propertyLists.size === 0;
  }

  /**
   * Takes note of a member.
   *
   * @returns whether its bytes are kept, and must therefore stay readable until the container ends
   */
  offer(
    name: string,
    source: ByteSource,
    reading: Reading,
    digests: Readonly<Partial<Record<DigestAlgorithm, string>>>,
  ): boolean {
    if (!isInBundle(name)) return false;
    this.#entries.set(name, { sha1: digests.sha1, sha256: digests.sha256 });
    if (propertyListName.test(name) && source.size <= propertyListBytes) {
      this.#propertyLists.set(name, source.read(0, source.size).slice());
    }
    if (reading.signed?.kind !== 'macho') return false;
    this.#programs.set(name, reading.signed.program);
    return true;
  }

  /** Takes note of a member that could not be read, or not be kept: it is there, whatever is in it. */
  offerUnread(name: string, digests: Readonly<Partial<Record<DigestAlgorithm, string>>>): void {
    if (inBundle.test(name)) this.#entries.set(name, { sha1: digests.sha1, sha256: digests.sha256 });
  }

  /** Takes note of a link, which has no bytes. */
  offerLink(name: string, target: string): void {
    if (inBundle.test(name)) this.#entries.set(name, { link: target });
  }

  /** Outermost bundles with what is inside them, in the order of their names. */
  findBundles(): readonly { readonly bundle: Bundle; readonly inner: readonly Bundle[] }[] {
    const found = findBundles([...this.#entries.keys()]);
    return found
      .filter(({ parent }) => parent === undefined)
      .map((bundle) => ({ bundle, inner: found.filter(({ path }) => path.startsWith(`${bundle.path}/`)) }));
  }

  /** Checks one bundle; undefined, with a finding, when it has no program that could be checked. */
  async verify(
    bundle: Bundle,
    inner: readonly Bundle[],
    members: ReadonlyMap<string, Artifact>,
    pins: PublisherPins,
    budget: Budget,
    report: (finding: Finding) => void,
  ): Promise<BundleAuthenticity | undefined> {
    const infoPlist = this.#propertyLists.get(bundle.infoPlist);
    const path = this.#toProgramPath(bundle, budget);
    const program = path === undefined ? undefined : this.#programs.get(path);
    if (infoPlist === undefined || path === undefined || program === undefined) {
      report({
        code: 'malformed/structure',
        message: `names ${path === undefined ? 'no program' : `the program "${path}", which could not be read`}`,
        consequence: 'the signature of the bundle was not checked',
        incomplete: true,
      });
      return undefined;
    }
    const toRelative = (name: string): string => name.slice(bundle.contents.length + 1);
    const entries = new Map<string, SealedFile>();
    for (const [name, entry] of this.#entries) {
      if (name.startsWith(`${bundle.contents}/`)) entries.set(toRelative(name), entry);
    }
    const nestedCdHashes = new Map<string, readonly string[]>();
    for (const [name, artifact] of members) {
      const hashes = toCdHashes(artifact);
      if (hashes.length > 0 && name.startsWith(`${bundle.contents}/`))
        nestedCdHashes.set(toRelative(name), hashes);
    }
    for (const one of inner) {
      const innerPath = this.#toProgramPath(one, budget);
      const artifact = innerPath === undefined ? undefined : members.get(innerPath);
      if (artifact !== undefined) nestedCdHashes.set(toRelative(one.path), toCdHashes(artifact));
    }
    const { verifyBundle } = await import('../authenticity/apple-bundle.ts');
    return verifyBundle(
      {
        program,
        executable: toRelative(path),
        infoPlist,
        codeResources:
          bundle.codeResources === undefined ? undefined : this.#propertyLists.get(bundle.codeResources),
        entries,
        nestedCdHashes,
      },
      pins,
      { budget },
    );
  }

  #toProgramPath(bundle: Bundle, budget: Budget): string | undefined {
    const infoPlist = this.#propertyLists.get(bundle.infoPlist);
    if (infoPlist === undefined) return undefined;
    try {
      const name = tryGet(parsePlist(infoPlist, budget), 'CFBundleExecutable');
      return name?.kind === 'string' ? toExecutablePath(bundle, name.value) : undefined;
    } catch (error) {
      // What is wrong with the property list is told where it is read as a member.
      if (error instanceof TelltaleError) return undefined;
      throw error;
    }
  }
}

function toCdHashes({ authenticity }: Artifact): readonly string[] {
  return (authenticity?.signatures ?? []).flatMap(
    ({ apple }) => apple?.codeDirectories.map(({ cdHash }) => cdHash) ?? [],
  );
}
