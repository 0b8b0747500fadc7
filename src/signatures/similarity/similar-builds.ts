import { similarBuildColumns } from '../vocabulary.ts';
import { parseSize, parseSources, parseTable, type TableFault, type TableLine } from '../table.ts';
import type { ComparedFingerprint } from './fingerprint.ts';
import {
  compareSsdeep,
  isSsdeepComparable,
  type SsdeepDigest,
  toSmallerBlock,
  tryParseSsdeep,
} from './ssdeep.ts';
import { type TlshDigest, toLeastTlshDistance, toTlshDistance, tryParseTlsh } from './tlsh.ts';

/*
 * Known builds by digests that are alike for alike bytes. What is found here is a hint and no evidence: whoever makes a
 * file can make it as alike as he likes.
 *
 * Measured over some 4,870 programs and packages that have nothing to do with the builds recorded (ELF, PE, ar, Mach-O
 * and MSI files of a Debian machine): no ssdeep score above 0, no TLSH distance below 120. Between packed installers of
 * neighbouring versions it was 21 to 45, unpacked 20 to 63. docs/similarity.md has the table.
 */

/** Less is a digest of chance. */
export const leastComparedBytes = 4096;
/** A score below rests on one run of seven digits. */
export const leastScore = 25;
/** Half of the least distance that an unrelated program had. */
export const mostDistance = 60;
/** Files that are further apart in size than so many times are not alike enough to be worth reading again. */
const mostTimesLarger = 4;

/** A line of a table. */
export interface SimilarBuild {
  /** Of the bytes that the digests are of. */
  readonly sha256: string;
  /** Empty for bytes that have none. */
  readonly tlsh: string;
  readonly ssdeep: string;
  readonly platform: string;
  /** Id of the variant. */
  readonly variant: string;
  /** Name as people know it. */
  readonly product: string;
  readonly version: string;
  readonly fileName: string;
  /** Path of the member of the file whose bytes these are; empty for the file itself. */
  readonly part: string;
  readonly size: number;
  /** `owner/name@commit:path` or a source id, at least one. */
  readonly sources: readonly string[];
  readonly note: string;
}

/** How alike a file and a known build are. */
export interface Likeness {
  readonly build: SimilarBuild;
  /**
   * 100 only for the same bytes. Otherwise the ssdeep score where it is at least {@link leastScore}, or 100 less the
   * TLSH distance; never above 99.
   */
  readonly percent: number;
  /** 0 to 100. */
  readonly ssdeep: number;
  /** From 0 up; undefined where one of the two has no such digest. */
  readonly tlsh: number | undefined;
}

interface Compared {
  readonly build: SimilarBuild;
  readonly ssdeep: SsdeepDigest | undefined;
  readonly tlsh: TlshDigest | undefined;
}

/** The builds of one product that files are compared with. */
export class SimilarBuilds {
  readonly rows: readonly SimilarBuild[];
  #read: readonly Compared[] | undefined;
  readonly #digests: ReadonlySet<string>;

  /** @param rows - without repetitions of a digest */
  constructor(rows: readonly SimilarBuild[]) {
    this.rows = rows;
    this.#digests = new Set(rows.map(({ sha256 }) => sha256));
  }

  /** The lines with their digests, which are read when the first file is compared. */
  get #compared(): readonly Compared[] {
    this.#read ??= this.rows.map((build) => ({
      build,
      ssdeep: tryParseSsdeep(build.ssdeep),
      tlsh: tryParseTlsh(build.tlsh),
    }));
    return this.#read;
  }

  /** ssdeep digests of smaller blocks cannot be compared with any line; undefined when there is no line to compare with. */
  get leastBlockSize(): number | undefined {
    const sizes = this.#compared.flatMap(({ ssdeep }) => (ssdeep === undefined ? [] : [ssdeep.blockSize]));
    // Comparable are digests of the same and of neighbouring block sizes.
    return sizes.length === 0 ? undefined : toSmallerBlock(Math.min(...sizes));
  }

  /** Whether these very bytes are recorded. */
  has(sha256: string): boolean {
    return this.#digests.has(sha256);
  }

  /** Whether a file of that size could be alike to any of them. */
  mayBeAlike(size: number): boolean {
    return (
      size >= leastComparedBytes &&
      this.rows.some((row) => size <= row.size * mostTimesLarger && row.size <= size * mostTimesLarger)
    );
  }

  /**
   * Builds that are alike, the most alike first; those below the thresholds are not among them. A digest is asked for
   * only when the size leaves it open what it will say.
   *
   * @param size - in bytes
   */
  findAlike(sha256: string | undefined, size: number, fingerprint: ComparedFingerprint): readonly Likeness[] {
    const digests = new ParsedFingerprint(fingerprint);
    return this.#compared
      .flatMap((one): Likeness[] => {
        const score = isComparable(size, one) ? compareOrZero(digests.ssdeep, one.ssdeep) : 0;
        const isSame = one.build.sha256 === sha256;
        // What stands in the table as alike is told with both.
        const isWanted = isSame || score >= leastScore || isNear(size, one);
        const distance = isWanted ? tryDistance(digests.tlsh, one.tlsh) : undefined;
        const percent = isSame ? 100 : toPercent(score, distance);
        return percent === undefined ? [] : [{ build: one.build, percent, ssdeep: score, tlsh: distance }];
      })
      .sort(compareLikeness);
  }
}

/** The digests of a file, each taken apart when it is asked for. */
class ParsedFingerprint {
  readonly #fingerprint: ComparedFingerprint;
  #ssdeep: SsdeepDigest | undefined;
  #tlsh: TlshDigest | undefined;

  constructor(fingerprint: ComparedFingerprint) {
    this.#fingerprint = fingerprint;
  }

  get ssdeep(): SsdeepDigest | undefined {
    const { ssdeep } = this.#fingerprint;
    return (this.#ssdeep ??= ssdeep === undefined ? undefined : tryParseSsdeep(ssdeep));
  }

  get tlsh(): TlshDigest | undefined {
    const { tlsh } = this.#fingerprint;
    return (this.#tlsh ??= tlsh === undefined ? undefined : tryParseTlsh(tlsh));
  }
}

function isComparable(size: number, { ssdeep }: Compared): boolean {
  return ssdeep !== undefined && isSsdeepComparable(size, ssdeep);
}

function isNear(size: number, { tlsh }: Compared): boolean {
  return tlsh !== undefined && toLeastTlshDistance(size, tlsh) <= mostDistance;
}

function compareOrZero(one: SsdeepDigest | undefined, other: SsdeepDigest | undefined): number {
  return one === undefined || other === undefined ? 0 : compareSsdeep(one, other);
}

function tryDistance(one: TlshDigest | undefined, other: TlshDigest | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : toTlshDistance(one, other);
}

/** Undefined below the thresholds. */
function toPercent(score: number, distance: number | undefined): number | undefined {
  if (score >= leastScore) return Math.min(score, 99);
  if (distance !== undefined && distance <= mostDistance) return Math.min(100 - distance, 99);
  return undefined;
}

/** The most alike first; where two are as alike, in the order of their names. */
export function compareLikeness(one: Likeness, other: Likeness): number {
  return (
    other.percent - one.percent ||
    (one.tlsh ?? Number.MAX_VALUE) - (other.tlsh ?? Number.MAX_VALUE) ||
    other.ssdeep - one.ssdeep ||
    (toName(one.build) < toName(other.build) ? -1 : 1)
  );
}

function toName({ product, version, fileName, part, sha256 }: SimilarBuild): string {
  return [product, version, fileName, part, sha256].join('\t');
}

/** A line for a table, without its end. */
export function toSimilarLine(cells: Readonly<Record<(typeof similarBuildColumns)[number], string>>): string {
  return similarBuildColumns.map((column) => cells[column].replaceAll(/[\t\r\n]/g, ' ')).join('\t');
}

/**
 * Reads the text of one table. All faults are collected; a line with a fault gives no row.
 *
 * @returns rows in their order, with 1-based line numbers
 */
export function parseSimilarBuilds(text: string): {
  readonly rows: readonly { readonly line: number; readonly build: SimilarBuild }[];
  readonly faults: readonly TableFault[];
} {
  return parseTable(text, similarBuildColumns, (line) => {
    const build = parseBuild(line);
    return build === undefined ? undefined : { line: line.line, build };
  });
}

function parseBuild({
  cells,
  complain,
}: TableLine<(typeof similarBuildColumns)[number]>): SimilarBuild | undefined {
  const { sha256, tlsh, ssdeep, platform, variant, product, version, fileName, part, note } = cells;
  if (!/^[0-9a-f]{64}$/.test(sha256)) complain('sha256', 'has 64 lower-case hexadecimal digits');
  if (tlsh !== '' && tryParseTlsh(tlsh) === undefined)
    complain('tlsh', 'must be T1 and 70 upper-case hexadecimal digits, or empty');
  if (tryParseSsdeep(ssdeep) === undefined)
    complain('ssdeep', 'is no digest of ssdeep: blocksize:digits:digits');
  for (const column of ['platform', 'variant', 'product', 'version', 'fileName'] as const) {
    if (cells[column] === '') complain(column, 'is empty');
  }
  const size = parseSize(cells.size, (message) => complain('size', message));
  if (size === undefined && cells.size === '') complain('size', 'is empty');
  if (size !== undefined && size < leastComparedBytes)
    complain('size', `is less than the ${leastComparedBytes} bytes from which files are compared`);
  const sources = parseSources(cells.sources, (message, kind) => complain('sources', message, kind));
  if (size === undefined) return undefined;
  return { sha256, tlsh, ssdeep, platform, variant, product, version, fileName, part, size, sources, note };
}
