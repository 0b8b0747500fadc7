import { truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/bytes/budget.ts';
import type { ScanPool } from '../../src/jobs/pool.ts';
import type { ScanSettings } from '../../src/jobs/settings.ts';
import type { WorkerAnswer, WorkerTask } from '../../src/jobs/worker.ts';
import { CompiledCode } from '../../src/platform/compiled-code.ts';
import { readDatabaseFiles } from '../../src/platform/database-files.ts';
import { buildPack } from '../../src/platform/database-pack.ts';
import { createSigner } from '../platform/pack-forge.ts';
import { product, sources, writeFolder } from '../signatures/database-fixture.ts';

const build = (path: string): string => new URL(`../../dist/${path}`, import.meta.url).href;
interface WorkerModule {
  default(task: WorkerTask): Promise<WorkerAnswer>;
}
function isWorkerModule(module: unknown): module is WorkerModule {
  return typeof module === 'object' && module !== null && 'default' in module;
}
const signer = createSigner();

/** A database in a folder and in a pack, the file that is changed during the scan, and a file that takes a while. */
function prepare(kind: 'folder' | 'pack') {
  const folder = writeFolder({
    'db/demo/product.json': product,
    'db/demo/sources.json': sources,
    'large.bin': '',
  });
  const pack = (): Uint8Array => buildPack(readDatabaseFiles(`${folder}/db`), new Map(), signer);
  writeFileSync(`${folder}/demo.telltale`, pack());
  truncateSync(`${folder}/large.bin`, 2 ** 29);
  const settings: ScanSettings = {
    databases:
      kind === 'folder'
        ? [`${folder}/db`]
        : [{ path: `${folder}/demo.telltale`, demands: { trusted: [signer.publicKey], minimum: [] } }],
    usesKnownBuilds: true,
    limits: defaultLimits,
    jobs: 2,
  };
  const change = (): void => {
    writeFileSync(`${folder}/db/demo/product.json`, JSON.stringify({ ...product, name: 'Other' }));
    writeFileSync(`${folder}/demo.telltale`, pack());
  };
  const damage = (): void => {
    writeFileSync(`${folder}/db/demo/product.json`, '{');
    writeFileSync(`${folder}/demo.telltale`, pack().subarray(0, -1));
  };
  return { large: `${folder}/large.bin`, settings, change, damage };
}

describe.each(['folder', 'pack'] as const)('when a %s is changed during a scan', (kind) => {
  it('a worker that finds another database does not judge by it', async () => {
    const { settings, change } = prepare(kind);
    // Each time it is loaded it is a worker of its own, with a database of its own.
    const load = (): WorkerModule => {
      const module = new CompiledCode().load(new URL(build('threads/worker.cjs')));
      if (!isWorkerModule(module)) throw new Error('it is no worker');
      return module;
    };
    const first = await load().default({ settings });
    if (first.kind !== 'database') throw new Error('no database');
    const databaseDigest = first.description.digest;
    expect((await load().default({ settings, databaseDigest })).kind).toBe('database');
    change();
    expect(await load().default({ settings, databaseDigest })).toEqual({
      kind: 'unusable',
      message: expect.stringMatching(
        `changed during the scan: its digest was ${databaseDigest}, and is [0-9a-f]{64}`,
      ),
    });
  });

  it.each(['change', 'damage'] as const)(
    'the pool says so (%s), and no file passes unjudged',
    async (what) => {
      const prepared = prepare(kind);
      const { createPool }: { createPool(settings: ScanSettings): Promise<ScanPool> } = await import(
        build('program/pool.js')
      );
      const pool = await createPool(prepared.settings);
      try {
        await pool.describeDatabase();
        expect(pool.databaseFault()).toBeUndefined();
        prepared[what]();
        // The first worker is busy with one file while the other loads the database for the second.
        const results = await Promise.all([1, 2].map(() => pool.scan({ path: prepared.large })));
        const judged = results.filter(({ complete }) => complete);
        const unjudged = results.filter(({ complete }) => !complete);
        expect([judged.length, unjudged.length]).toEqual([1, 1]);
        expect(unjudged[0]?.problems).toMatchObject([{ code: 'unreadable/changed' }]);
        expect(pool.databaseFault()).toMatch(what === 'change' ? /changed during the scan/ : /\.json:/);
      } finally {
        await pool.close();
      }
    },
  );
});
