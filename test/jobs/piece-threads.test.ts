import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { buildCabinet } from '../../fixtures/cabinet-builder.ts';
import { type ByteSource, toByteSource } from '../../src/bytes/byte-source.ts';
import type { Piece, PiecesAhead } from '../../src/formats/pieces.ts';
import { type PieceLimits, PieceThreads } from '../../src/jobs/piece-threads.ts';
import { PieceMemory } from '../../src/jobs/piece-memory.ts';
import { createRandom } from '../mutation.ts';

const work = mkdtempSync(join(tmpdir(), 'telltale-pieces-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const entry = new URL('../../dist/jobs/unpacker.js', import.meta.url);

const contents = Array.from(
  { length: 9 },
  (_, index) => new Uint8Array(Buffer.from(`piece ${index} `.repeat(7000 + index * 1000))),
);
const cabinet = buildCabinet(
  contents.map((content, index) => ({ isPacked: true, files: [{ name: `${index}`, content }] })),
);
const view = new DataView(cabinet.buffer);
const offsets = contents.map((_, index) => view.getUint32(36 + 8 * index, true));
const pieces: readonly Piece[] = contents.map(({ length }, index) => ({
  method: 'cabinet-folder',
  offset: offsets[index] ?? 0,
  blockCount: view.getUint16(40 + 8 * index, true),
  reserve: 0,
  size: length,
}));

function toShared(bytes: Uint8Array): ByteSource {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return toByteSource(shared);
}

interface Used {
  readonly threads: PieceThreads;
  readonly ahead: PiecesAhead | undefined;
}

function begin(
  source: ByteSource,
  {
    count = 2,
    limits = {},
    given = entry,
    isOver = () => false,
  }: { count?: number; limits?: Partial<PieceLimits>; given?: URL; isOver?: () => boolean } = {},
): Used {
  const threads = new PieceThreads(given, { worthBytesMin: 0, ...limits });
  return { threads, ahead: threads.toUnpackers(count, isOver).begin(source, pieces) };
}

/** Takes all pieces; gives the threads time to unpack before each. */
async function takeAll(
  ahead: PiecesAhead | undefined,
  milliseconds = 20,
): Promise<readonly (Uint8Array | undefined)[]> {
  const taken: (Uint8Array | undefined)[] = [];
  for (const index of pieces.keys()) {
    await sleep(index === 1 ? milliseconds * 20 : milliseconds);
    taken.push(ahead?.take(index)?.slice());
  }
  return taken;
}

function expectRight(taken: readonly (Uint8Array | undefined)[]): number {
  let count = 0;
  for (const [index, bytes] of taken.entries()) {
    if (bytes === undefined) continue;
    count += 1;
    expect(Buffer.compare(bytes, contents[index] ?? new Uint8Array(0)), `piece ${index}`).toBe(0);
  }
  return count;
}

describe('when pieces are unpacked ahead', () => {
  it('gives what each of them is, but the first, and leaves some to the reader', async () => {
    for (const count of [1, 3]) {
      const { threads, ahead } = begin(toShared(cabinet), { count });
      const taken = await takeAll(ahead);
      expect(taken[0]).toBeUndefined();
      // What was taken is not there a second time.
      for (const index of pieces.keys()) expect(ahead?.take(index)).toBeUndefined();
      const got = expectRight(taken);
      expect(got).toBeGreaterThanOrEqual(count === 1 ? 3 : 5);
      expect(got).toBeLessThan(pieces.length);
      await threads.settle();
      await threads.close();
    }
  });

  it('takes no more memory than it may, and leaves what is too large', async () => {
    const largest = Math.max(...pieces.map(({ size }) => size));
    const { threads, ahead } = begin(toShared(cabinet), { limits: { waitingBytesMax: largest + 1 } });
    expect(expectRight(await takeAll(ahead))).toBeGreaterThan(1);
    await threads.close();
    const small = begin(toShared(cabinet), { limits: { pieceBytesMax: 90_000 } });
    const taken = await takeAll(small.ahead);
    for (const [index, { size }] of pieces.entries()) if (size > 90_000) expect(taken[index]).toBeUndefined();
    expect(expectRight(taken)).toBeGreaterThan(0);
    await small.threads.close();
  });

  it('leaves a damaged piece to the reader', async () => {
    const damaged = cabinet.slice();
    // The signature of its first block.
    damaged[(offsets[1] ?? 0) + 8] = 0x58;
    const { threads, ahead } = begin(toShared(damaged), { count: 3 });
    const taken = await takeAll(ahead);
    expect(taken[1]).toBeUndefined();
    expect(expectRight(taken)).toBeGreaterThan(2);
    await threads.close();
  });

  it('can be left half way, and begins with the next container', async () => {
    const threads = new PieceThreads(entry, { worthBytesMin: 0 });
    const unpackers = threads.toUnpackers(2, () => false);
    for (let round = 0; round < 5; round += 1) {
      const ahead = unpackers.begin(toShared(cabinet), pieces);
      ahead?.take(round);
      if (round % 2 === 0) await threads.settle();
    }
    const ahead = unpackers.begin(toShared(cabinet), pieces);
    expect(expectRight(await takeAll(ahead))).toBeGreaterThan(3);
    await threads.settle();
    await threads.close();
  });

  it('does not begin where it is not worth it, or where nobody else can read the source', () => {
    expect(begin(toShared(cabinet), { count: 0 }).ahead).toBeUndefined();
    expect(begin(toShared(cabinet), { limits: { worthBytesMin: 10_000_000 } }).ahead).toBeUndefined();
    expect(begin(toByteSource(cabinet)).ahead).toBeUndefined();
  });
});

describe('when a thread is no more', () => {
  const write = (name: string, code: string): URL => {
    const path = join(work, name);
    writeFileSync(path, `import { parentPort } from 'node:worker_threads';\n${code}`);
    return new URL(`file://${path}`);
  };
  // Claims the first piece that is offered, as the real one does, and then does not go on.
  const claims = `parentPort.on('message', ({ board }) => {
    const numbers = new Int32Array(board);
    for (let at = 3; at < numbers.length; at += 2) if (Atomics.compareExchange(numbers, at, 1, 2) === 1) break;
    FATE
  });`;

  it('leaves all pieces to the reader, when it never began', async () => {
    for (const given of [
      write('throws.mjs', "throw new Error('gone');"),
      new URL(`file://${join(work, 'not-there.mjs')}`),
    ]) {
      const { threads, ahead } = begin(toShared(cabinet), { given });
      const start = performance.now();
      for (const index of pieces.keys()) expect(ahead?.take(index)).toBeUndefined();
      expect(performance.now() - start).toBeLessThan(1000);
      await threads.settle();
      await threads.close();
    }
  });

  it('goes on without threads when none can be started', async () => {
    const { threads, ahead } = begin(toShared(cabinet), { given: new URL('http://localhost/unpacker.js') });
    expect(ahead).toBeUndefined();
    await threads.settle();
  });

  it.each(['process.exit(3);', 'for (;;);'])('waits for a piece so long and no longer: %s', async (fate) => {
    const given = write('claims.mjs', claims.replace('FATE', fate));
    const { threads, ahead } = begin(toShared(cabinet), { given, count: 1, limits: { milliseconds: 300 } });
    await sleep(400);
    const start = performance.now();
    for (const index of pieces.keys()) expect(ahead?.take(index)).toBeUndefined();
    const took = performance.now() - start;
    expect(took).toBeGreaterThan(200);
    expect(took).toBeLessThan(2000);
    await threads.settle();
    // What was given up does not come back.
    await threads.close();
  });

  it('does not wait when nothing more is wanted', async () => {
    const given = write('stays.mjs', claims.replace('FATE', 'for (;;);'));
    let isOver = false;
    const { threads, ahead } = begin(toShared(cabinet), {
      given,
      isOver: () => isOver,
      limits: { milliseconds: 1000 },
    });
    await sleep(400);
    isOver = true;
    const start = performance.now();
    expect(ahead?.take(1)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(900);
    await threads.settle();
    await threads.close();
  });
});

describe('when memory is given out round and round', () => {
  it('gives no byte twice, and all of it', () => {
    const random = createRandom(7);
    const memory = new PieceMemory(1000);
    const used: { piece: number; start: number; end: number }[] = [];
    let full = 0;
    for (let piece = 0, tries = 0; tries < 20_000; tries += 1) {
      const size = 1 + random(random(4) === 0 ? 1000 : 200);
      const start = memory.tryTake(piece, size);
      if (start === undefined) {
        full += 1;
        // Frees some of the oldest.
        const kept = used.slice(1 + random(Math.max(1, used.length)));
        used.splice(0, used.length, ...kept);
        memory.freeBefore(kept[0]?.piece ?? piece);
        continue;
      }
      const end = start + size;
      const isApart = used.every((other) => end <= other.start || start >= other.end);
      if (start < 0 || end > 1000 || !isApart) expect.unreachable(`${start} to ${end}`);
      used.push({ piece, start, end });
      piece += 1;
    }
    expect(full).toBeGreaterThan(100);
    memory.freeBefore(Number.POSITIVE_INFINITY);
    expect(memory.tryTake(0, 1000)).toBe(0);
    expect(memory.tryTake(1, 1)).toBeUndefined();
  });
});
