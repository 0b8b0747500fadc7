import { describe, expect, it } from 'vitest';
import { buildPe } from '../../../fixtures/pe-builder.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import { peFormat } from '../../../src/formats/pe/index.ts';
import { mutate } from '../../mutation.ts';
import { fullOptions, readPe, toMemberBytes } from './reading.ts';

const longestMilliseconds = 2000;

/** Reads everything; the only errors let through are ours. */
function readEverything(bytes: Uint8Array): number {
  peFormat.probe(bytes.subarray(0, 4096), toByteSource(bytes));
  try {
    const { members, facts, regions, findings } = readPe(bytes);
    for (const member of members) toMemberBytes(member);
    for (const { offset, size } of regions) {
      if (offset + size > bytes.length) throw new Error('a region ends outside the file');
    }
    for (const { offset } of facts) {
      if (offset !== undefined && offset > bytes.length) throw new Error('a fact lies outside the file');
    }
    return findings.length;
  } catch (error) {
    if (error instanceof TelltaleError) return 1;
    throw error;
  }
}

describe('when a good file is damaged at random', () => {
  it.each(['x86', 'x64'] as const)('survives 2,000 mutants of a %s file', (machine) => {
    const seed = buildPe(fullOptions(machine));
    let damaged = 0;
    for (const { bytes, description } of mutate(seed, 2000, machine === 'x86' ? 1 : 2)) {
      const started = performance.now();
      try {
        if (readEverything(bytes) > 0) damaged += 1;
      } catch (error) {
        throw new Error(`mutant ${description}`, { cause: error });
      }
      const took = performance.now() - started;
      if (took > longestMilliseconds) throw new Error(`mutant ${description} took ${took} ms`);
    }
    expect(damaged).toBeGreaterThan(500);
  });
});
