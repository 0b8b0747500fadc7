import type { Fact, Finding } from '../formats/model.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import type { Artifact } from './model.ts';

/** Formats of packages that state digests of the files in them. */
export const packagesWithDigests: ReadonlySet<string> = new Set(['deb', 'rpm']);

/** At most this many files are named. */
const namedMax = 20;

/**
 * Compares the digests that a package states with those of the files that came out of it. Whoever changes a file and
 * forgets the list breaks this seal; whoever changes both does not, so it proves nothing when it holds.
 *
 * @param facts - of the package
 * @param members - its members, whatever archives lie between
 * @returns a `sealBroken` fact for each file that is another one than the package says
 */
export function checkListedDigests(
  facts: readonly Fact[],
  members: readonly Artifact[],
  report: (finding: Finding) => void,
): readonly Fact[] {
  const listed = facts.filter(({ kind, name }) => kind === 'listedDigest' && name !== undefined);
  if (listed.length === 0) return [];
  const files = new Map<string, Artifact>();
  collectWhole(members, files);
  const broken: Fact[] = [];
  for (const { name = '', value, detail } of listed) {
    const file = files.get(toPlainPath(name));
    if (file === undefined) continue;
    const algorithm = packageAlgorithms.find((one) => one === detail?.['algorithm']);
    const actual = algorithm === undefined ? undefined : file.digests[algorithm];
    if (algorithm === undefined || actual === undefined || actual === value) continue;
    broken.push({ kind: 'sealBroken', name, value: actual, detail: { expected: String(value), algorithm } });
    if (broken.length > namedMax) continue;
    report({
      code: 'malformed/checksum',
      message: `holds "${name}", which does not have the ${algorithm} digest that the package states`,
      consequence: 'the file, or the list, was changed after the package was made',
      incomplete: false,
    });
  }
  return broken;
}

/** The algorithms of the digests that a package states of its files. */
export function findListedAlgorithms(facts: readonly Fact[]): readonly DigestAlgorithm[] {
  const named = new Set(
    facts.flatMap(({ kind, detail }) => (kind === 'listedDigest' ? [detail?.['algorithm']] : [])),
  );
  return packageAlgorithms.filter((algorithm) => named.has(algorithm));
}

/** Files that came out whole. Of an archive that was cut off, or could not be read, nothing is compared. */
function collectWhole(artifacts: readonly Artifact[], files: Map<string, Artifact>): void {
  for (const artifact of artifacts) {
    if (artifact.problems.some(({ incomplete }) => incomplete)) continue;
    if (artifact.relation === 'file') files.set(toPlainPath(artifact.name), artifact);
    collectWhole(artifact.members, files);
  }
}

const packageAlgorithms: readonly DigestAlgorithm[] = ['sha256', 'sha512', 'sha1', 'md5'];

/** `./usr/bin/x`, `/usr/bin/x` and `usr/bin/x` are the same file of a package. */
function toPlainPath(name: string): string {
  return name.replace(/^(?:\.?\/)+/, '');
}
