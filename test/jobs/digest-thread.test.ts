import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { Budget } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { AsideThreads } from '../../src/jobs/aside-threads.ts';
import { DigestThread } from '../../src/jobs/digest-thread.ts';
import { openFile } from '../../src/platform/files.ts';
import { Walk } from '../../src/scan/walk.ts';
import { toFileResult } from '../../src/verdict/result.ts';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { shippedKnowledge } from '../end-to-end/scan-bytes.ts';
import { createRandom } from '../mutation.ts';

const work = mkdtempSync(join(tmpdir(), 'telltale-digest-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const at = (name: string): string => join(work, name);

const random = createRandom(1);
const bytes = Uint8Array.from({ length: 5_000_000 }, () => random(256));
writeFileSync(at('file'), bytes);
const entry = new URL('../../dist/jobs/digester.js', import.meta.url);
const algorithms = ['md5', 'sha1', 'sha512'] as const;
const expected = Object.fromEntries(
  algorithms.map((algorithm) => [algorithm, createHash(algorithm).update(bytes).digest('hex')]),
);

describe('when a file is digested in another thread', () => {
  it('gives its digests, one file after the other', async () => {
    const thread = new DigestThread(entry);
    const source = openFile(at('file'));
    for (let turn = 0; turn < 3; turn += 1) {
      const digests = thread.tryDigest(source, algorithms);
      digests?.start();
      digests?.start();
      expect(digests?.take()).toEqual(expected);
      expect(digests?.take()).toEqual(expected);
      digests?.cancel();
    }
    source.close();
    await thread.close();
  });

  it('gives nothing when it was not begun, is cancelled, or cannot be', async () => {
    const thread = new DigestThread(entry);
    const source = openFile(at('file'));
    const never = thread.tryDigest(source, algorithms);
    expect(never?.take()).toBeUndefined();
    never?.cancel();
    const cancelled = thread.tryDigest(source, algorithms);
    cancelled?.start();
    cancelled?.cancel();
    expect(cancelled?.take()).toBeUndefined();
    expect(thread.tryDigest(toByteSource(bytes), algorithms)).toBeUndefined();
    expect(thread.tryDigest(source, [])).toBeUndefined();
    const next = thread.tryDigest(source, ['md5']);
    next?.start();
    expect(next?.take()).toEqual({ md5: expected.md5 });
    source.close();
    await thread.close();
  });

  it.each(['process.exit(3);', 'for (;;);', "throw new Error('gone');"])(
    'is given up when the thread does not come forward: %s',
    async (fate) => {
      const path = at(`${fate.length}.mjs`);
      writeFileSync(
        path,
        `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { ${fate} });`,
      );
      const thread = new DigestThread(pathToFileURL(path), 300);
      const source = openFile(at('file'));
      const digests = thread.tryDigest(source, algorithms);
      digests?.start();
      expect(digests?.take()).toBeUndefined();
      expect(thread.tryDigest(source, algorithms)).toBeUndefined();
      source.close();
      await thread.close();
    },
  );
});

describe('when the file given tells of a product', () => {
  it('has the same result with the thread and without', async () => {
    // What it holds is found while it is read, and not only at its end.
    writeFileSync(at('setup.exe'), Buffer.concat([buildTomSkype(), new Uint8Array(4_000_000)]));
    const scan = async (aside?: AsideThreads): Promise<unknown> => {
      const source = openFile(at('setup.exe'));
      const knowledge = shippedKnowledge();
      const given = aside?.toDecoder({ digestedBytesMin: 0 });
      const walk = new Walk(knowledge, new Budget(source.size), {}, given);
      const result = toFileResult('setup.exe', await walk.run('setup.exe', source), knowledge.database);
      source.close();
      return result;
    };
    let begun = 0;
    class Counted extends DigestThread {
      override tryDigest(
        ...given: Parameters<DigestThread['tryDigest']>
      ): ReturnType<DigestThread['tryDigest']> {
        const digests = super.tryDigest(...given);
        return (
          digests && {
            ...digests,
            take: () => {
              const taken = digests.take();
              if (taken !== undefined) begun += 1;
              return taken;
            },
          }
        );
      }
    }
    const aside = new AsideThreads(0, undefined, new Counted(entry));
    const alone = await scan();
    expect(await scan(aside)).toEqual(alone);
    expect(begun).toBe(1);
    await aside.close();
  });
});
