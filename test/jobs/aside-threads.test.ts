import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildCabinet, type CabinetOptions } from '../../fixtures/cabinet-builder.ts';
import { Budget, defaultLimits, type Limits } from '../../src/bytes/budget.ts';
import { AsideThreads } from '../../src/jobs/aside-threads.ts';
import { openFile } from '../../src/platform/files.ts';
import { Walk } from '../../src/scan/walk.ts';
import { toFileResult } from '../../src/verdict/result.ts';
import type { FileResult } from '../../src/verdict/model.ts';
import { hasTools, makePayload, packings, runTool } from '../end-to-end/packing.ts';
import { shippedKnowledge } from '../end-to-end/scan-bytes.ts';
import { makeText } from '../sample-text.ts';

const work = mkdtempSync(join(tmpdir(), 'telltale-aside-'));
const decoderEntry = new URL('../../dist/jobs/decoder.js', import.meta.url);
const threads = new AsideThreads(1, decoderEntry);
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

const isXzThere = hasTools(['xz']);
if (!isXzThere) console.warn('SKIPPED: blocks of an xz file, because xz is not installed');

const isSevenZipThere = hasTools(['7zz']);
if (!isSevenZipThere)
  console.warn('SKIPPED: limits beside the walk, and 7z archives in pieces, because 7zz is not installed');

describe('when a container has pieces that are independent', () => {
  const path = join(work, 'folders.cab');
  /** Offset of the first block of each folder. */
  const build = (
    options: CabinetOptions = {},
  ): { readonly bytes: Buffer; readonly starts: readonly number[] } => {
    const folders = Array.from({ length: 8 }, (_, folder) => ({
      // One in the middle is not packed, and is no piece.
      isPacked: folder !== 3,
      files: Array.from({ length: 3 }, (__, file) => ({
        name: `${folder}/${file}.txt`,
        content: makeText(130_000 * (1 + (folder % 3)), folder * 3 + file),
      })),
    }));
    const bytes = Buffer.from(buildCabinet(folders, options));
    return { bytes, starts: folders.map((_, folder) => bytes.readUInt32LE(36 + folder * 8)) };
  };

  it('gives the same result with threads for pieces and without', async () => {
    writeFileSync(path, build().bytes);
    const manyThreads = new AsideThreads(3, decoderEntry);
    const alone = await scanFile(path, undefined);
    expect(alone.problems).toEqual([]);
    expect(alone.tree?.members).toHaveLength(24);
    for (const aside of [threads, manyThreads]) {
      expect(await scanFile(path, aside)).toEqual(alone);
      expect(await scanFile(path, aside)).toEqual(alone);
    }
    await manyThreads.close();
  });

  it.skipIf(!existsSync('/proc/self/task'))(
    'starts one thread before a large file, and none before a small one',
    async () => {
      const countThreads = (): number => readdirSync('/proc/self/task').length;
      const aside = new AsideThreads(0, decoderEntry);
      const before = countThreads();
      aside.prepare(1000);
      expect(countThreads()).toBe(before);
      aside.prepare(10_000_000);
      const prepared = countThreads();
      expect(prepared).toBeGreaterThan(before);
      aside.prepare(10_000_000);
      // It is the one that decodes.
      expect(await scanFile(path, aside)).toEqual(await scanFile(path, undefined));
      expect(countThreads()).toBe(prepared);
      await aside.close();
    },
  );

  it.skipIf(!existsSync('/proc/self/task'))('has so many threads for pieces as it may', async () => {
    const countThreads = (): number => readdirSync('/proc/self/task').length;
    const count = async (pieceThreads: number): Promise<number> => {
      const aside = new AsideThreads(pieceThreads, decoderEntry);
      const before = countThreads();
      await scanFile(path, aside);
      const after = countThreads();
      await aside.close();
      expect(countThreads()).toBe(before);
      return after - before;
    };
    const decoderAlone = await count(0);
    expect(await count(0)).toBe(decoderAlone);
    expect(await count(1)).toBe(decoderAlone + 1);
    expect(await count(3)).toBe(decoderAlone + 3);
  });

  it('gives the same result when pieces are damaged, and when it is cut off', async () => {
    // Without checksums damage shows only when a piece is unpacked.
    const { bytes, starts } = build({ areUnchecked: true });
    for (const folder of [0, 2, 5, 7]) {
      const damaged = Buffer.from(bytes);
      damaged.fill(0x5a, (starts[folder] ?? 0) + 5_000, (starts[folder] ?? 0) + 5_016);
      writeFileSync(path, damaged);
      const alone = await scanFile(path, undefined);
      expect(alone.problems.map(({ code }) => code)).toContain('malformed/compressed-data');
      expect(await scanFile(path, threads)).toEqual(alone);
    }
    writeFileSync(path, bytes.subarray(0, (starts[6] ?? 0) + 1000));
    expect(await scanFile(path, threads)).toEqual(await scanFile(path, undefined));
  });

  it('stops at the same limits, and goes on with the next file', async () => {
    writeFileSync(path, build().bytes);
    for (const limits of [
      { bytesProduced: 2_500_000 },
      { members: 11 },
      { memberBytesInMemory: 200_000 },
      { milliseconds: 0 },
    ]) {
      const aside = await scanFile(path, threads, limits);
      const here = await scanFile(path, undefined, limits);
      expect(here.problems.length).toBeGreaterThan(0);
      expect(aside.incompleteReasons).toEqual(here.incompleteReasons);
      expect(aside.problems.map(({ code }) => code)).toEqual(here.problems.map(({ code }) => code));
    }
    expect(await scanFile(path, threads)).toEqual(await scanFile(path, undefined));
  });

  it.skipIf(!isXzThere)('gives the same result for an xz file of several blocks', async () => {
    const xz = join(work, 'blocks.xz');
    const plain = Buffer.concat(Array.from({ length: 8 }, (_, block) => makeText(900_000, block)));
    const bytes = runTool('xz', ['-0', '--block-size=900000', '-c'], work, plain);
    const middle = Math.floor(bytes.length / 2);
    const damaged = Buffer.from(bytes);
    damaged.fill(0x5a, middle, middle + 16);
    for (const given of [bytes, damaged, bytes.subarray(0, middle)]) {
      writeFileSync(xz, given);
      expect(await scanFile(xz, threads)).toEqual(await scanFile(xz, undefined));
    }
  });

  it.skipIf(!isSevenZipThere)('gives the same result for a 7z archive that is not solid', async () => {
    const archive = join(work, 'members.7z');
    for (let member = 0; member < 8; member += 1)
      writeFileSync(join(work, `member-${member}.txt`), makeText(900_000, member));
    runTool('7zz', ['a', '-bd', '-ms=off', '-mx=1', archive, 'member-*.txt'], work);
    const bytes = readFileSync(archive);
    const middle = Math.floor(bytes.length / 2);
    const damaged = Buffer.from(bytes);
    damaged.fill(0x5a, middle, middle + 16);
    for (const given of [bytes, damaged, bytes.subarray(0, middle)]) {
      writeFileSync(archive, given);
      expect(await scanFile(archive, threads)).toEqual(await scanFile(archive, undefined));
    }
  });

  it('ends while pieces are being unpacked', async () => {
    const aside = new AsideThreads(2, decoderEntry);
    const source = openFile(path);
    const members = aside.toDecoder({ packedBytesMin: 0 }).tryPour({
      format: { id: 'cab' },
      source,
      budget: new Budget(source.size),
      report: () => expect.unreachable(),
    });
    for await (const member of members ?? []) {
      expect(member.name).toBe('0/0.txt');
      break;
    }
    source.close();
    // The same threads are there for the next file.
    expect(await scanFile(path, aside)).toEqual(await scanFile(path, undefined));
    await aside.close();
  });
});

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
    const dying = new AsideThreads(0, new URL(`file://${entry}`));
    const result = await scanFile(join(work, 'zeros.7z'), dying);
    expect(result.problems.map(({ code, message }) => [code, message])).toEqual([
      ['internal/bug', 'the decoder failed (gone)'],
    ]);
    expect(result.complete).toBe(false);
    await dying.close();
  });
});
