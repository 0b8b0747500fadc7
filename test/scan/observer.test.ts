import { describe, expect, it } from 'vitest';
import { buildPe } from '../../fixtures/pe-builder.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { joinBytes, toByteSource } from '../../src/bytes/byte-source.ts';
import type { ArtifactObserver } from '../../src/scan/observer.ts';
import { Walk } from '../../src/scan/walk.ts';
import { shippedKnowledge } from '../end-to-end/scan-bytes.ts';

interface Seen {
  readonly path: string;
  readonly format: string;
  readonly bytes: number;
}

/** Walks with an observer that is interested in some formats. */
async function observe(bytes: Uint8Array, isWanted: (format: string) => boolean): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  const observer: ArtifactObserver = {
    begin(path, format) {
      if (!isWanted(format)) return undefined;
      const chunks: Uint8Array[] = [];
      return {
        update: (chunk) => {
          chunks.push(chunk.slice());
        },
        finish: () => {
          seen.push({ path, format, bytes: joinBytes([new Uint8Array(0), ...chunks]).length });
        },
      };
    },
  };
  const walk = new Walk(shippedKnowledge(), new Budget(bytes.length), { observer });
  await walk.run('a.zip', toByteSource(bytes));
  return seen;
}

describe('when somebody observes a walk', () => {
  const program = buildPe({ resources: [{ type: 10, name: 7, data: new Uint8Array(400).fill(0) }] });
  const archive = buildZip({
    entries: [
      { name: 'same.exe', data: program },
      { name: 'same.exe', data: program },
      { name: 'note.txt', data: 'a note\n' },
    ],
  });

  it('shows every artifact before its members, with its format and all of its bytes', async () => {
    expect(await observe(archive, () => true)).toEqual([
      { path: 'a.zip', format: 'zip', bytes: archive.length },
      { path: 'a.zip » same.exe', format: 'pe', bytes: program.length },
      { path: 'a.zip » same.exe » .rsrc/RCDATA/7', format: 'data', bytes: 400 },
      { path: 'a.zip » same.exe', format: 'pe', bytes: program.length },
      { path: 'a.zip » same.exe » .rsrc/RCDATA/7', format: 'data', bytes: 400 },
      { path: 'a.zip » note.txt', format: 'text', bytes: 7 },
    ]);
  });

  it('feeds only what is of interest', async () => {
    const seen = await observe(archive, (format) => format === 'text');
    expect(seen.map(({ path }) => path)).toEqual(['a.zip » note.txt']);
  });

  it('makes what goes wrong in the observer a problem of the artifact', async () => {
    const observer: ArtifactObserver = {
      begin: () => ({
        update() {
          throw new Error('no');
        },
        finish() {},
      }),
    };
    const walk = new Walk(shippedKnowledge(), new Budget(program.length), { observer });
    const { problems } = await walk.run('a.exe', toByteSource(program));
    expect(problems.map(({ code }) => code)).toContain('internal/bug');
  });
});
