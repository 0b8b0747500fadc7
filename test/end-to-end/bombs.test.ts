import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { mainPath } from '../cli/run.ts';
import { hasTools, runTool } from './packing.ts';

const work = mkdtempSync(join(tmpdir(), 'telltale-bombs-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const preload = fileURLToPath(new URL('maximum-memory.cjs', import.meta.url));

interface Blast {
  readonly seconds: number;
  readonly megabytes: number;
  readonly codes: ReadonlySet<string>;
  readonly complete: boolean;
}

/** Scans a file in a process of its own and says what that took. */
function detonate(path: string, ...options: readonly string[]): Blast {
  const start = performance.now();
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--require', preload, mainPath, 'scan', '--format', 'json', ...options, path],
    { encoding: 'utf8', maxBuffer: 1 << 30 },
  );
  expect(status, stderr).toBe(3);
  const report: { files: { complete: boolean; problems: { code: string }[] }[] } = JSON.parse(stdout);
  const [file] = report.files;
  return {
    seconds: (performance.now() - start) / 1000,
    megabytes: Number(/maximum resident kilobytes: (\d+)/.exec(stderr)?.[1]) / 1024,
    codes: new Set(file?.problems.map(({ code }) => code)),
    complete: file?.complete ?? true,
  };
}

function put(name: string, bytes: Uint8Array): string {
  writeFileSync(join(work, name), bytes);
  return join(work, name);
}

/** Generous, because the machine may be busy; an unbounded decoder would need minutes and gigabytes. */
const secondsAtMost = 60;
const megabytesAtMost = 512;

function expectContained(blast: Blast, ...codes: readonly string[]): void {
  expect(blast.complete).toBe(false);
  for (const code of codes) expect([...blast.codes]).toContain(code);
  expect(blast.seconds).toBeLessThan(secondsAtMost);
  expect(blast.megabytes).toBeGreaterThan(30);
  expect(blast.megabytes).toBeLessThan(megabytesAtMost);
}

describe('when a bomb is scanned', () => {
  it('stops in archives of archives of archives', () => {
    let inner: Uint8Array = deflateRawSync(new Uint8Array(1 << 20));
    let level: Uint8Array = buildZip({
      entries: [{ name: '0.bin', packed: inner, data: new Uint8Array(1 << 20) }],
    });
    for (let depth = 0; depth < 6; depth += 1) {
      inner = level;
      level = buildZip({
        entries: Array.from({ length: 16 }, (_, index) => ({ name: `${index}.zip`, data: inner })),
      });
    }
    expectContained(detonate(put('nested.zip', level), '--max-bytes', '2G', '--max-members', '20000'));
  });

  it('stops in one member of ten gigabytes', () => {
    const bytes = deflateRawSync(new Uint8Array(1 << 26));
    // A deflate stream can be put together of whole ones that end on a byte: all but the last lose their final bit.
    const block = Buffer.from(deflateRawSync(new Uint8Array(1 << 26), { finishFlush: 2 }));
    const packed = Buffer.concat([...Array.from({ length: 159 }, () => block), bytes]);
    const path = put(
      'ten-gigabytes.zip',
      buildZip({ entries: [{ name: 'zeros', packed, data: new Uint8Array(0) }] }),
    );
    const blast = detonate(path);
    expect([...blast.codes].some((code) => code.startsWith('limit/'))).toBe(true);
    expectContained(blast);
  });

  it('stops in members that share their bytes', () => {
    const shared = deflateRawSync(new Uint8Array(1 << 22));
    const first = buildZip({ entries: [{ name: 'a', packed: shared, data: new Uint8Array(1 << 22) }] });
    const entries = Array.from({ length: 3000 }, (_, index) => ({
      name: `m${index}`,
      packed: index === 0 ? shared : new Uint8Array(0),
      data: new Uint8Array(1 << 22),
      ...(index === 0
        ? {}
        : { only: 'dangling' as const, central: { localOffset: 0, compressedSize: shared.length } }),
    }));
    expect(first.length).toBeGreaterThan(0);
    expectContained(detonate(put('overlapping.zip', buildZip({ entries })), '--max-bytes', '1G'));
  });

  it('stops at two hundred thousand members', () => {
    const entries = Array.from({ length: 200_000 }, (_, index) => ({
      name: `${index}.txt`,
      data: 'x',
      method: 0,
    }));
    expectContained(detonate(put('many.zip', buildZip({ entries }))), 'limit/members');
  });

  const has7zz = hasTools(['7zz', 'xz', 'sh', 'head']);
  if (!has7zz) console.warn('SKIPPED: bombs in 7z and xz, because 7zz or xz is not installed');

  it.skipIf(!has7zz)('stops in three gigabytes of zeros in a solid 7z', () => {
    runTool('sh', ['-c', 'head -c 3G /dev/zero | 7zz a -bd -bso0 -mx=1 -sizeros zeros.7z'], work);
    const blast = detonate(join(work, 'zeros.7z'));
    expect([...blast.codes].some((code) => code.startsWith('limit/'))).toBe(true);
    // The decoder may take the window that the archive declares, beyond the memory of the scan itself.
    expect(blast.seconds).toBeLessThan(secondsAtMost);
    expect(blast.megabytes).toBeLessThan(megabytesAtMost + 64);
  });

  it('is not led astray by a disk image with a block table of lies', () => {
    // 4 KiB of nothing and a trailer that promises a property list and data far outside the file.
    const image = Buffer.alloc(8192);
    const trailer = image.subarray(8192 - 512);
    trailer.write('koly', 0, 'latin1');
    trailer.writeUInt32BE(4, 4);
    trailer.writeUInt32BE(512, 8);
    trailer.writeBigUInt64BE(2n ** 40n, 32);
    trailer.writeBigUInt64BE(2n ** 41n, 216);
    trailer.writeBigUInt64BE(2n ** 42n, 224);
    expectContained(detonate(put('lies.dmg', image)));
  });

  it('does not allocate what an LZMA header declares', () => {
    // LZMA-alone: properties, a dictionary of 1.5 GiB, an unknown size, then noise.
    const header = Buffer.alloc(13 + 4000, 0x5a);
    header[0] = 0x5d;
    header.writeUInt32LE(0x60000000, 1);
    header.fill(0xff, 5, 13);
    header[13] = 0;
    expectContained(detonate(put('window.lzma', header)));
  });
});

describe('when a file is sparse and huge', () => {
  it('reads two gigabytes in bounded memory', () => {
    const path = join(work, 'disc.iso');
    const descriptor = openSync(path, 'w');
    writeSync(descriptor, Buffer.from([0]), 0, 1, 2 ** 31);
    closeSync(descriptor);
    const { stderr, status } = spawnSync(
      process.execPath,
      ['--require', preload, mainPath, 'scan', '--no-known-builds', path],
      { encoding: 'utf8' },
    );
    expect(status, stderr).toBe(0);
    expect(Number(/maximum resident kilobytes: (\d+)/.exec(stderr)?.[1]) / 1024).toBeLessThan(300);
    rmSync(path);
  });
});
