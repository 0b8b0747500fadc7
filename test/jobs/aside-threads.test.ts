import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Budget, defaultLimits, type Limits } from '../../src/bytes/budget.ts';
import { AsideThreads } from '../../src/jobs/aside-threads.ts';
import { openFile } from '../../src/platform/files.ts';
import { Walk } from '../../src/scan/walk.ts';
import { toFileResult } from '../../src/verdict/result.ts';
import type { FileResult } from '../../src/verdict/model.ts';
import { hasTools, makePayload, packings, runTool } from '../end-to-end/packing.ts';
import { shippedKnowledge } from '../end-to-end/scan-bytes.ts';

const work = mkdtempSync(join(tmpdir(), 'telltale-aside-'));
const threads = new AsideThreads(new URL('../../dist/jobs/decoder.js', import.meta.url));
afterAll(async () => {
  await threads.close();
  rmSync(work, { recursive: true, force: true });
});
const payload = join(work, 'payload');
mkdirSync(payload);
makePayload(payload);

/** How many containers were decoded by a thread. */
let poured = 0;

async function scanFile(
  path: string,
  aside: AsideThreads | undefined,
  limits: Partial<Limits> = {},
): Promise<FileResult> {
  const knowledge = shippedKnowledge();
  const source = openFile(path);
  try {
    const decoder = aside?.toDecoder({ packedBytesMin: 0 });
    const walk = new Walk(
      knowledge,
      new Budget(source.size, { ...defaultLimits, ...limits }),
      {},
      decoder && {
        tryPour(request) {
          const members = decoder.tryPour(request);
          if (members !== undefined) poured += 1;
          return members;
        },
      },
    );
    return toFileResult(path, await walk.run(path, source, { path }), knowledge.database);
  } finally {
    source.close();
  }
}

describe('when containers are decoded in another thread', () => {
  packings.forEach(({ name, tools, pack }, index) => {
    const isPossible = hasTools(tools);
    if (!isPossible) console.warn(`SKIPPED: ${name}, because one of ${tools.join(', ')} is not installed`);
    it.skipIf(!isPossible)(`${name}: the result is the same, whole or damaged`, async () => {
      const folder = join(work, String(index));
      mkdirSync(folder);
      const packed = pack(payload, folder);
      expect(await scanFile(packed, threads)).toEqual(await scanFile(packed, undefined));

      const bytes = readFileSync(packed);
      const middle = Math.floor(bytes.length / 2);
      bytes.fill(0x5a, middle, middle + 16);
      writeFileSync(packed, bytes);
      expect(await scanFile(packed, threads)).toEqual(await scanFile(packed, undefined));

      truncateSync(packed, Math.floor((bytes.length * 2) / 3));
      expect(await scanFile(packed, threads)).toEqual(await scanFile(packed, undefined));
    });
  });

  it('was really another thread', () => {
    expect(poured).toBeGreaterThan(10);
  });
});

const isSevenZipThere = hasTools(['7zz']);
if (!isSevenZipThere) console.warn('SKIPPED: limits beside the walk, because 7zz is not installed');

describe.skipIf(!isSevenZipThere)('when the walk wants no more', () => {
  const archive = join(work, 'zeros.7z');
  const pack = (): void => {
    const folder = join(work, 'zeros');
    mkdirSync(folder);
    for (let index = 0; index < 6; index += 1)
      writeFileSync(join(folder, `${index}.bin`), new Uint8Array(4_000_000).fill(index));
    runTool('7zz', ['a', '-bd', archive, folder], work);
  };

  it('stops the thread at the same limits, and goes on with it for the next file', async () => {
    pack();
    for (const limits of [{ bytesProduced: 6_000_000 }, { members: 3 }, { memberBytesInMemory: 1_000_000 }]) {
      const aside = await scanFile(archive, threads, limits);
      const here = await scanFile(archive, undefined, limits);
      expect(aside.incompleteReasons).toEqual(['limit']);
      expect(aside.incompleteReasons).toEqual(here.incompleteReasons);
      expect(aside.problems.map(({ code }) => code)).toEqual(here.problems.map(({ code }) => code));
    }
    expect(await scanFile(archive, threads)).toEqual(await scanFile(archive, undefined));
  });

  it('keeps no more members in memory than the walk has room for', async () => {
    // One after the other is examined and let go, so that each may have all of the room.
    const result = await scanFile(archive, threads, { memberBytesInMemory: 4_000_000 });
    expect(result.problems).toEqual([]);
    expect(result.tree?.members).toHaveLength(6);
  });
});

describe.skipIf(!isSevenZipThere)('when the thread dies', () => {
  it('says so, and the scan ends', async () => {
    const entry = join(work, 'dies.mjs');
    writeFileSync(
      entry,
      "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { throw new Error('gone') });",
    );
    const dying = new AsideThreads(new URL(`file://${entry}`));
    const result = await scanFile(join(work, 'zeros.7z'), dying);
    expect(result.problems.map(({ code, message }) => [code, message])).toEqual([
      ['internal/bug', 'the decoder failed (gone)'],
    ]);
    expect(result.complete).toBe(false);
    await dying.close();
  });
});
