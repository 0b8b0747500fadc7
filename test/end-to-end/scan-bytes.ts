import { Budget, defaultLimits, type Limits } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { shippedDatabase } from '../../src/platform/shipped.ts';
import { type Knowledge, toKnowledge } from '../../src/scan/knowledge.ts';
import { Walk } from '../../src/scan/walk.ts';
import { loadDatabase } from '../../src/signatures/load.ts';
import type { FileResult } from '../../src/verdict/model.ts';
import { toFileResult } from '../../src/verdict/result.ts';

let shipped: Knowledge | undefined;

/** The database that ships, compiled once for all tests of a file. */
export function shippedKnowledge(): Knowledge {
  shipped ??= toKnowledge(loadDatabase([shippedDatabase]));
  return shipped;
}

/** Scans bytes as if they were a file of that name. */
export async function scanBytes(
  name: string,
  bytes: Uint8Array,
  options: { readonly knowledge?: Knowledge; readonly limits?: Partial<Limits> } = {},
): Promise<FileResult> {
  const knowledge = options.knowledge ?? shippedKnowledge();
  const budget = new Budget(bytes.length, { ...defaultLimits, ...options.limits });
  return toFileResult(
    name,
    await new Walk(knowledge, budget).run(name, toByteSource(bytes)),
    knowledge.database,
  );
}
