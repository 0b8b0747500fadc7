import type { PublisherPins } from '../authenticity/publisher-pins.ts';
import { carveMarks } from '../formats/carve.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import type { Automaton } from '../signatures/automaton/automaton.ts';
import { createFilteredKernel } from '../signatures/automaton/search-filtered.ts';
import { type CompiledDatabase, compile } from '../signatures/compile.ts';
import type { Database } from '../signatures/compose.ts';
import { toPublisherPins } from '../signatures/pins.ts';

/** Everything that a scan knows beforehand; made once, used for every file. */
export interface Knowledge {
  readonly database: Database;
  readonly compiled: CompiledDatabase;
  readonly pins: PublisherPins;
  /** False when the person asked to judge without the ledger of known builds. */
  readonly usesKnownBuilds: boolean;
  /** sha256 always; the others where a ledger has them. */
  readonly digestAlgorithms: readonly DigestAlgorithm[];
}

/**
 * Compiles a database for scanning.
 *
 * @param kept - its automaton, where it was built before
 */
export function toKnowledge(database: Database, usesKnownBuilds = true, kept?: Automaton): Knowledge {
  const algorithms = new Set<DigestAlgorithm>(['sha256']);
  if (usesKnownBuilds) {
    for (const product of database.products) {
      for (const algorithm of product.knownBuilds.algorithmsNeeded) algorithms.add(algorithm);
    }
  }
  return {
    database,
    compiled: compile(database, createFilteredKernel, carveMarks, kept),
    pins: toPublisherPins(database),
    usesKnownBuilds,
    digestAlgorithms: [...algorithms].sort(),
  };
}
