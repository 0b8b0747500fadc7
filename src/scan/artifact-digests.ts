import type { DigestAlgorithm } from '../platform/digests.ts';

export type Digests = Readonly<Partial<Record<DigestAlgorithm, string>>>;

/**
 * The digests of one artifact. SHA-256 names it and is always there; the others are asked for by the ledger alone, cost
 * several times as much together, and are computed when something speaks for a line of the ledger.
 */
export class ArtifactDigests {
  /** What was computed in the pass over the bytes; lower-case hexadecimal. */
  readonly first: Digests;
  readonly #computeMore: (() => Digests) | undefined;
  #all: Digests | undefined;

  /** @param computeMore - gives the digests that are missing from `first`; absent when none is */
  constructor(first: Digests, computeMore?: () => Digests) {
    this.first = first;
    this.#computeMore = computeMore;
  }

  /** Every digest that a ledger has; computed once. */
  get all(): Digests {
    return (this.#all ??=
      this.#computeMore === undefined ? this.first : { ...this.first, ...this.#computeMore() });
  }

  /** What is known by now. */
  get known(): Digests {
    return this.#all ?? this.first;
  }
}
