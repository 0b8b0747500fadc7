import { joinBytes } from '../bytes/byte-source.ts';
import type { RuleHit, RuleSet } from '../platform/yara-rules.ts';
import { toFinding } from './finding.ts';
import { type Artifact, pathSeparator, type Problem, walkArtifacts } from './model.ts';
import { toBaseName } from './names.ts';
import type { ArtifactObserver, ArtifactTap } from './observer.ts';

/** A rule of the person's own that matched in an artifact. */
export interface RuleFinding extends RuleHit {
  /** Nested path of the artifact. */
  readonly path: string;
}

/** A rule that is always true would otherwise be told for every member of an archive. */
const findingsMost = 10_000;

/**
 * Runs rules over every artifact of a walk. Rules want all bytes of an artifact at once: one that is too large, or
 * was not at hand as a whole, has a problem that says so.
 */
export class RuleSearch implements ArtifactObserver {
  readonly #rules: RuleSet;
  readonly #bytesMost: number;
  readonly #findings: RuleFinding[] = [];
  readonly #problems: Problem[] = [];

  /** @param bytesMost - size of the largest artifact that is searched */
  constructor(rules: RuleSet, bytesMost: number) {
    this.#rules = rules;
    this.#bytesMost = bytesMost;
  }

  begin(path: string): ArtifactTap {
    let chunks: Uint8Array[] = [];
    let size = 0;
    return {
      update: (chunk) => {
        size += chunk.length;
        if (size <= this.#bytesMost) chunks.push(chunk.slice());
        else chunks = [];
      },
      finish: () => {
        if (size <= this.#bytesMost) this.#search(path, joinBytes(chunks));
        else {
          this.#complain(
            path,
            `is larger than ${this.#bytesMost} bytes, which may be kept in memory at once`,
          );
        }
      },
    };
  }

  /** Sorted by rule, file and path. */
  get findings(): readonly RuleFinding[] {
    return this.#findings.toSorted(
      (a, b) => compare(a.rule, b.rule) || compare(a.file, b.file) || compare(a.path, b.path),
    );
  }

  /** Where rules were not tried, those artifacts of a finished walk among them whose bytes could not be had. */
  listProblems(root: Artifact): readonly Problem[] {
    const unread = [...walkArtifacts(root)].filter(({ format }) => format.id === 'unread');
    return [
      ...this.#problems,
      ...unread.map(
        ({ path, problems }): Problem => ({
          code: problems.find(({ incomplete }) => incomplete)?.code ?? 'limit/memory',
          path,
          message: 'was not at hand as a whole',
          consequence: untried,
          incomplete: true,
        }),
      ),
    ];
  }

  #search(path: string, bytes: Uint8Array): void {
    const filename = toBaseName(path.split(pathSeparator).at(-1) ?? path);
    const extension = /\.[^.]*$/.exec(filename)?.[0] ?? '';
    try {
      for (const hit of this.#rules.scan(bytes, { filename, filepath: path, extension })) {
        if (this.#findings.length < findingsMost) this.#findings.push({ ...hit, path });
        else if (this.#findings.length === findingsMost) {
          this.#complain(path, `is behind the first ${findingsMost} matches of rules`, 'limit/count');
          return;
        }
      }
    } catch (error) {
      this.#problems.push({ ...toFinding(error, untried), path });
    }
  }

  #complain(path: string, message: string, code: Problem['code'] = 'limit/memory'): void {
    const isRepeated = code === 'limit/count' && this.#problems.some((problem) => problem.code === code);
    if (!isRepeated) {
      const consequence = code === 'limit/count' ? 'matches from there on are not told' : untried;
      this.#problems.push({ code, path, message, consequence, incomplete: true });
    }
  }
}

const untried = 'the rules given with --rules were not tried on it';

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
