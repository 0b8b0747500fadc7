import type { DigestAlgorithm } from '../platform/digests.ts';
import { knownBuildColumns } from './schema.ts';

/*
 * The ledger of known builds: files whose digest a public source recorded.
 *
 * One tab-separated file a platform. The first line names the columns, in the order of `knownBuildColumns`; empty
 * lines and lines that begin with # are passed over. One line a digest.
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

/** What is wrong with a line. */
export interface KnownBuildFault {
  /** 1-based. */
  readonly line: number;
  /** 1-based, in characters of the line. */
  readonly column: number;
  readonly field: string;
  readonly message: string;
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

  /** @param rows - without repetitions of a digest */
  constructor(rows: readonly KnownBuild[]) {
    this.rows = rows;
    this.#byDigest = new Map(rows.map((row) => [toKey(row.algorithm, row.digest), row]));
    this.algorithmsNeeded = new Set<DigestAlgorithm>(['sha256', ...rows.map((row) => row.algorithm)]);
  }

  /**
   * The line for a file, the one of the strongest digest when there are several.
   *
   * @param digests - lower-case hexadecimal by algorithm
   */
  find(digests: Readonly<Partial<Record<DigestAlgorithm, string>>>): KnownBuildMatch | undefined {
    for (const algorithm of algorithmsByStrength) {
      const digest = digests[algorithm];
      const build = digest === undefined ? undefined : this.#byDigest.get(toKey(algorithm, digest));
      if (build !== undefined) return { ...build, weak: weakAlgorithms.has(algorithm) };
    }
    return undefined;
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

function toKey(algorithm: DigestAlgorithm, digest: string): string {
  return `${algorithm}:${digest}`;
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

const source = /^(?:[\w.-]+\/[\w.-]+@[0-9a-f]{7,40}:\S+|https?:\/\/\S+|[a-z0-9]+(?:[-.][a-z0-9]+)*)$/;

/**
 * Reads the text of one ledger file. All faults are collected; a line with a fault gives no row.
 *
 * @returns rows in their order, with 1-based line numbers
 */
export function parseKnownBuilds(text: string): {
  readonly rows: readonly KnownBuildRow[];
  readonly faults: readonly KnownBuildFault[];
} {
  const rows: KnownBuildRow[] = [];
  const faults: KnownBuildFault[] = [];
  const [header, ...lines] = text.split('\n');
  if (header === undefined || header.replace(/\r$/, '') !== knownBuildColumns.join('\t')) {
    faults.push({
      line: 1,
      column: 1,
      field: 'header',
      message: `the first line must name the columns, tabs between them: ${knownBuildColumns.join(' ')}`,
    });
    return { rows, faults };
  }
  for (const [index, raw] of lines.entries()) {
    const content = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (content === '' || content.startsWith('#')) continue;
    const build = parseRow(content, index + 2, faults);
    if (build !== undefined) rows.push({ line: index + 2, build });
  }
  return { rows, faults };
}

function parseRow(content: string, line: number, faults: KnownBuildFault[]): KnownBuild | undefined {
  const cells = content.split('\t');
  if (cells.length !== knownBuildColumns.length) {
    faults.push({
      line,
      column: 1,
      field: 'row',
      message: `has ${cells.length} columns instead of ${knownBuildColumns.length}`,
    });
    return undefined;
  }
  const [algorithm = '', digest = '', platform = '', variant = '', product = '', version = ''] = cells;
  const [fileName = '', size = '', grade = '', cited = '', note = ''] = cells.slice(6);
  const before = faults.length;
  const complain = (field: (typeof knownBuildColumns)[number], message: string): void => {
    const position = knownBuildColumns.indexOf(field);
    const column = cells.slice(0, position).reduce((sum, cell) => sum + cell.length + 1, 1);
    faults.push({ line, column, field, message });
  };
  const sources = cited.split(' ').filter((one) => one !== '');

  if (!isDigestAlgorithm(algorithm)) {
    complain('algorithm', `"${algorithm}" is none of ${Object.keys(digestHexDigits).join(', ')}`);
  } else if (digest.length !== digestHexDigits[algorithm] || !/^[0-9a-f]+$/.test(digest)) {
    complain('digest', `${algorithm} has ${digestHexDigits[algorithm]} lower-case hexadecimal digits`);
  }
  if (platform === '') complain('platform', 'is empty');
  if (variant === '') complain('variant', 'is empty');
  if (!/^(?:|0|[1-9]\d{0,14})$/.test(size)) complain('size', 'must be a number of bytes, or empty');
  if (!isGrade(grade)) complain('grade', `"${grade}" is none of ${knownBuildGrades.join(', ')}`);
  if (sources.length === 0) complain('sources', 'at least one source is needed');
  for (const one of sources) {
    if (!source.test(one))
      complain('sources', `"${one}" is not owner/name@commit:path, an address or a source id`);
  }
  if (faults.length > before || !isDigestAlgorithm(algorithm) || !isGrade(grade)) return undefined;
  return {
    algorithm,
    digest,
    platform,
    variant,
    product,
    version,
    fileName,
    size: size === '' ? undefined : Number(size),
    grade,
    sources,
    note,
  };
}
