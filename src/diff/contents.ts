import { Budget, type Limits } from '../bytes/budget.ts';
import { type ByteSource, joinBytes, readChunks, sliceSource, toByteSource } from '../bytes/byte-source.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { readArtifacts } from '../jobs/scan-file.ts';
import { openBriefly } from '../platform/files.ts';
import type { Knowledge } from '../scan/knowledge.ts';
import type { Artifact } from '../scan/model.ts';
import { toFinding } from '../scan/finding.ts';
import { type Bytes, compareContent, type ContentChange } from './content.ts';
import { digest } from './regions.ts';
import type { Part, SideTree } from './side.ts';

/** Two members whose bytes are to be compared, or one that the other side does not have. */
export interface Wanted {
  readonly before: Artifact | undefined;
  readonly after: Artifact | undefined;
}

/** What comparing gave, or a sentence that says why there is nothing. */
export type Compared =
  | { readonly kind: 'compared'; readonly content: ContentChange }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Compares the bytes of members. What lies in a file on disk as it is, is read from there; for everything else both
 * trees are walked once more, and the unpacked bytes of the first side are kept, up to the limit of memory, until the
 * second side comes by.
 */
export async function compareContents(
  trees: { readonly before: SideTree; readonly after: SideTree },
  wanted: readonly Wanted[],
  knowledge: Knowledge,
  limits: Limits,
): Promise<ReadonlyMap<Wanted, Compared>> {
  const results = new Map<Wanted, Compared>();
  const left = new Shelf(trees.before);
  const right = new Shelf(trees.after);
  const compare = (one: Wanted, passing?: Bytes): void => {
    if (results.has(one)) return;
    const before = one.before === undefined ? undefined : left.find(one.before, passing);
    const after = one.after === undefined ? undefined : right.find(one.after, passing);
    if (
      (one.before !== undefined && before === undefined) ||
      (one.after !== undefined && after === undefined)
    )
      return;
    results.set(one, tryCompare(before, after, limits));
  };

  const fetch = async (shelf: Shelf, side: 'before' | 'after', keeps: boolean): Promise<void> => {
    const sought = wanted.flatMap((one) => one[side] ?? []).filter((artifact) => !shelf.has(artifact));
    const users = new Map<Artifact, Wanted[]>();
    for (const one of wanted) {
      const artifact = one[side];
      if (artifact !== undefined) users.set(artifact, [...(users.get(artifact) ?? []), one]);
    }
    await shelf.fetch(sought, knowledge, limits, (bytes) => {
      for (const one of users.get(bytes.artifact) ?? []) compare(one, bytes);
      const isNeeded = (users.get(bytes.artifact) ?? []).some((one) => !results.has(one));
      if (keeps && isNeeded) shelf.keep(bytes, limits.memberBytesInMemory);
    });
  };
  await fetch(left, 'before', true);
  await fetch(right, 'after', false);

  for (const one of wanted) {
    compare(one);
    if (results.has(one)) continue;
    const reason = [
      one.before === undefined ? undefined : left.explain(one.before),
      one.after === undefined ? undefined : right.explain(one.after),
    ].find((text) => text !== undefined);
    results.set(one, { kind: 'failed', reason: reason ?? notFoundAgain });
  }
  return results;
}

const notFoundAgain =
  'its bytes could not be had a second time, so its strings, sections and bytes were not compared';

function tryCompare(before: Bytes | undefined, after: Bytes | undefined, limits: Limits): Compared {
  const budget = new Budget(Math.max(before?.source.size ?? 0, after?.source.size ?? 0), limits);
  try {
    return { kind: 'compared', content: compareContent(before, after, () => budget.checkTime()) };
  } catch (error) {
    const { message, consequence } = toFinding(error, 'its strings, sections and bytes were not compared');
    return { kind: 'failed', reason: `${message}; ${consequence}` };
  }
}

/** Where the bytes of the artifacts of one side are. */
class Shelf {
  readonly #stored: ReadonlyMap<Artifact, Stored>;
  readonly #parts: ReadonlyMap<Artifact, Part>;
  readonly #kept = new Map<Artifact, ByteSource>();
  readonly #reasons = new Map<Artifact, string>();
  readonly #open = new Map<Part, ByteSource>();
  #bytesKept = 0;

  constructor(tree: SideTree) {
    const stored = new Map<Artifact, Stored>();
    const parts = new Map<Artifact, Part>();
    for (const part of tree.parts)
      list(part.artifact, part, part.job.isBundle === true ? undefined : 0, stored, parts);
    this.#stored = stored;
    this.#parts = parts;
  }

  /** Whether the bytes can be had without walking. */
  has(artifact: Artifact): boolean {
    return this.#stored.has(artifact) || this.#kept.has(artifact);
  }

  /** @param passing - bytes that are at hand just now */
  find(artifact: Artifact, passing?: Bytes): Bytes | undefined {
    if (passing?.artifact === artifact) return passing;
    const kept = this.#kept.get(artifact);
    if (kept !== undefined) return { artifact, source: kept };
    const stored = this.#stored.get(artifact);
    if (stored === undefined) return undefined;
    try {
      const source = this.#openPart(stored.part);
      return { artifact, source: sliceSource(source, stored.offset, stored.size) };
    } catch (error) {
      this.#reasons.set(artifact, toReason(error));
      return undefined;
    }
  }

  explain(artifact: Artifact): string | undefined {
    return this.#reasons.get(artifact);
  }

  /** Keeps a copy while there is room. */
  keep({ artifact, source }: Bytes, limit: number): void {
    if (this.#bytesKept + source.size > limit) {
      this.#reasons.set(
        artifact,
        `more than ${limit} bytes of unpacked members would have to be kept, so its strings, sections and bytes were not compared`,
      );
      return;
    }
    this.#bytesKept += source.size;
    this.#kept.set(artifact, toByteSource(joinBytes([...readChunks(source)]).slice()));
  }

  /**
   * Walks the files in which the artifacts lie, and shows the bytes of each. An artifact is known again by its path and
   * its digest.
   */
  async fetch(
    sought: readonly Artifact[],
    knowledge: Knowledge,
    limits: Limits,
    show: (bytes: Bytes) => void,
  ): Promise<void> {
    const byPart = new Map<Part, Map<string, Artifact[]>>();
    for (const artifact of new Set(sought)) {
      const part = this.#parts.get(artifact);
      if (part === undefined || artifact.digests.sha256 === undefined) continue;
      const byPath = byPart.get(part) ?? new Map<string, Artifact[]>();
      byPart.set(part, byPath);
      byPath.set(artifact.path, [...(byPath.get(artifact.path) ?? []), artifact]);
    }
    for (const [{ job }, byPath] of byPart) {
      try {
        await readArtifacts(job, knowledge, limits, {
          visitor: (path, source) => {
            const waiting = byPath.get(path);
            if (waiting === undefined || waiting.length === 0) return;
            try {
              const sha256 = digest(source, () => undefined);
              const index = waiting.findIndex((artifact) => artifact.digests.sha256 === sha256);
              const [artifact] = index < 0 ? [] : waiting.splice(index, 1);
              if (artifact !== undefined) show({ artifact, source });
            } catch (error) {
              // The walk must not take this for a fault of the file.
              for (const artifact of waiting) this.#reasons.set(artifact, toReason(error));
            }
          },
        });
      } catch (error) {
        if (!(error instanceof TelltaleError)) throw error;
        for (const artifact of [...byPath.values()].flat()) this.#reasons.set(artifact, toReason(error));
      }
    }
  }

  #openPart(part: Part): ByteSource {
    let source = this.#open.get(part);
    if (source === undefined) {
      source = openBriefly(part.job.rawPath ?? part.job.path);
      this.#open.set(part, source);
    }
    return source;
  }
}

function toReason(error: unknown): string {
  const { message, consequence } = toFinding(error, 'its strings, sections and bytes were not compared');
  return `${message}; ${consequence}`;
}

interface Stored {
  readonly part: Part;
  readonly offset: number;
  readonly size: number;
}

/** @param offset - of the artifact in the file on disk; undefined when it does not lie there as it is */
function list(
  artifact: Artifact,
  part: Part,
  offset: number | undefined,
  stored: Map<Artifact, Stored>,
  parts: Map<Artifact, Part>,
): void {
  parts.set(artifact, part);
  const { size } = artifact;
  const isThere = offset !== undefined && size !== undefined && artifact.format.id !== 'unread';
  if (isThere) stored.set(artifact, { part, offset, size });
  for (const member of artifact.members) {
    const { containerOffset } = member;
    const inner = isThere && containerOffset !== undefined ? offset + containerOffset : undefined;
    list(member, part, inner, stored, parts);
  }
}
