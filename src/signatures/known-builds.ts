import type { DigestAlgorithm } from '../platform/digests.ts';
import { knownBuildColumns } from './vocabulary.ts';
import { parseSize, parseSources, parseTable, type TableFault, type TableLine } from './table.ts';

/*
 * The ledger of known builds: files whose digest a public source recorded.
 *
 * One tab-separated table a platform, with the columns of `knownBuildColumns`. One line a digest.
 */

const digestHexDigits = { sha512: 128, sha384: 96, sha256: 64, sha1: 40, md5: 32 } as const satisfies Record<
  DigestAlgorithm,
  number
>;

/** From the strongest: a match by a strong digest is preferred. */
const algorithmsByStrength: readonly DigestAlgorithm[] = ['sha512', 'sha384', 'sha256', 'sha1', 'md5'];
const weakAlgorithms: ReadonlySet<DigestAlgorithm> = new Set<DigestAlgorithm>(['sha1', 'md5']);

export const knownBuildGrades = ['high', 'medium', 'low'] as const;
export type KnownBuildGrade = (typeof knownBuildGrades)[number];

/** One line of the ledger. */
export interface KnownBuild {
  readonly algorithm: DigestAlgorithm;
  /** Lower-case hexadecimal. */
  readonly digest: string;
  readonly platform: string;
  /** Id of the variant. */
  readonly variant: string;
  /** Name as people know it; empty when the source gives none. */
  readonly product: string;
  /** Empty when the source gives none. */
  readonly version: string;
  /** Empty when the source gives none. */
  readonly fileName: string;
  /** Bytes, where a source records it. */
  readonly size: number | undefined;
  /** How far the record can be trusted. */
  readonly grade: KnownBuildGrade;
  /** `owner/name@commit:path`, at least one. */
  readonly sources: readonly string[];
  readonly note: string;
}

/** A line of the ledger that a file met. */
export interface KnownBuildMatch extends KnownBuild {
  /** Matched by MD5 or SHA-1 alone, for which other files with the same digest can be made. */
  readonly weak: boolean;
}

export interface KnownBuildStatistics {
  readonly rows: number;
  readonly byAlgorithm: Readonly<Partial<Record<DigestAlgorithm, number>>>;
  readonly byPlatform: Readonly<Record<string, number>>;
  readonly byVariant: Readonly<Record<string, number>>;
}

/** A line and where it stands. */
export interface KnownBuildRow {
  readonly line: number;
  readonly build: KnownBuild;
}

/** The ledger of one product. */
export class KnownBuilds {
  readonly rows: readonly KnownBuild[];
  /** Digests that a scan must compute to use the ledger; sha256 is always among them. */
  readonly algorithmsNeeded: ReadonlySet<DigestAlgorithm>;
  readonly #byDigest: ReadonlyMap<string, KnownBuild>;
  /** Of lines by another digest than SHA-256. */
  readonly #names: ReadonlySet<string>;
  readonly #sizes: ReadonlySet<number>;

  /** @param rows - without repetitions of a digest */
  constructor(rows: readonly KnownBuild[]) {
    this.rows = rows;
    // A program that scans one small file has hardly begun to run fast when it comes here: one loop over all.
    const byDigest = new Map<string, KnownBuild>();
    const names = new Set<string>();
    const sizes = new Set<number>();
    const algorithms = new Set<DigestAlgorithm>(['sha256']);
    for (const row of rows) {
      const { algorithm, digest, fileName, size } = row;
      // Each algorithm has digests of another length.
      byDigest.set(digest, row);
      if (algorithm === 'sha256') continue;
      algorithms.add(algorithm);
      if (fileName !== '') names.add(fileName.toLowerCase());
      if (size !== undefined) sizes.add(size);
    }
    this.#byDigest = byDigest;
    this.#names = names;
    this.#sizes = sizes;
    this.algorithmsNeeded = algorithms;
  }

  /**
   * The line for a file, the one of the strongest digest when there are several.
   *
   * @param digests - lower-case hexadecimal by algorithm
   */
  find(digests: Readonly<Partial<Record<DigestAlgorithm, string>>>): KnownBuildMatch | undefined {
    for (const algorithm of algorithmsByStrength) {
      const digest = digests[algorithm];
      const build = digest === undefined ? undefined : this.#byDigest.get(digest);
      if (build?.algorithm === algorithm) return { ...build, weak: weakAlgorithms.has(algorithm) };
    }
    return undefined;
  }

  /**
   * Whether a line that has another digest than SHA-256 gives a file this name or this size.
   *
   * @param fileName - without its folder; case does not count
   * @param size - in bytes
   */
  isListed(fileName: string, size: number): boolean {
    return this.#names.has(fileName.toLowerCase()) || this.#sizes.has(size);
  }

  statistics(): KnownBuildStatistics {
    return {
      rows: this.rows.length,
      byAlgorithm: count(this.rows.map((row) => row.algorithm)),
      byPlatform: count(this.rows.map((row) => row.platform)),
      byVariant: count(this.rows.map((row) => row.variant)),
    };
  }
}

function count(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isDigestAlgorithm(name: string): name is DigestAlgorithm {
  return Object.hasOwn(digestHexDigits, name);
}

function isGrade(name: string): name is KnownBuildGrade {
  return knownBuildGrades.some((grade) => grade === name);
}

/**
 * Reads the text of one ledger file. All faults are collected; a line with a fault gives no row.
 *
 * @returns rows in their order, with 1-based line numbers
 */
export function parseKnownBuilds(text: string): {
  readonly rows: readonly KnownBuildRow[];
  readonly faults: readonly TableFault[];
} {
  return parseTable(text, knownBuildColumns, (line) => {
    const build = parseBuild(line);
    return build === undefined ? undefined : { line: line.line, build };
  });
}

function parseBuild({
  cells,
  complain,
}: TableLine<(typeof knownBuildColumns)[number]>): KnownBuild | undefined {
  const { algorithm, digest, platform, variant, product, version, fileName, grade, note } = cells;
  if (!isDigestAlgorithm(algorithm)) {
    complain('algorithm', `"${algorithm}" is none of ${Object.keys(digestHexDigits).join(', ')}`);
  } else if (digest.length !== digestHexDigits[algorithm] || !/^[0-9a-f]+$/.test(digest)) {
    complain('digest', `${algorithm} has ${digestHexDigits[algorithm]} lower-case hexadecimal digits`);
  }
  if (platform === '') complain('platform', 'is empty');
  if (variant === '') complain('variant', 'is empty');
  const size = parseSize(cells.size, (message) => complain('size', message));
  if (!isGrade(grade)) complain('grade', `"${grade}" is none of ${knownBuildGrades.join(', ')}`);
  const sources = parseSources(cells.sources, (message, kind) => complain('sources', message, kind));
  if (!isDigestAlgorithm(algorithm) || !isGrade(grade)) return undefined;
  return { algorithm, digest, platform, variant, product, version, fileName, size, grade, sources, note };
}
