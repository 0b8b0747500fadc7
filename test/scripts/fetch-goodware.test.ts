import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Ended } from '../cli/run.ts';
import { fetchGoodware } from '../goodware-set.ts';

/*
 * The script against a registry of our own on this machine: packages of a few hundred bytes, and a count of what was
 * asked for.
 */

/** A tar archive with one file. */
function buildPackage(name: string, version: string): Buffer {
  const content = Buffer.from(JSON.stringify({ name, version }));
  const header = Buffer.alloc(512);
  header.write('package/package.json', 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return gzipSync(Buffer.concat([header, content, Buffer.alloc(512 - content.length + 1024)]));
}

const sha512 = (bytes: Uint8Array): string => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

const packages = new Map([
  ['plain', buildPackage('plain', '1.0.0')],
  ['@scope/other', buildPackage('@scope/other', '1.0.0')],
]);
const asked: string[] = [];
let server: Server;
let registry = '';
let folder = '';
const cache = (...names: readonly string[]): string => join(folder, 'cache', ...names);

beforeAll(async () => {
  server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    const name = [...packages.keys()].find((one) => path === `/${one}` || path === `/${one}.tgz`);
    const bytes = packages.get(name ?? '');
    if (name === undefined || bytes === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}');
    } else if (path.endsWith('.tgz')) {
      asked.push(name);
      response.end(bytes);
    } else {
      const dist = { tarball: `${registry}${name}.tgz`, integrity: sha512(bytes) };
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          name,
          'dist-tags': { latest: '1.0.0' },
          versions: { '1.0.0': { name, version: '1.0.0', dist } },
        }),
      );
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the registry has no port');
  registry = `http://127.0.0.1:${address.port}/`;
});
afterAll(() => server.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-goodware-'));
  asked.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Listed {
  readonly name: string;
  readonly version?: string;
  readonly integrity?: string;
  readonly bytes?: number;
  readonly small?: boolean;
}

async function run(listed: readonly Listed[], ...args: readonly string[]): Promise<Ended> {
  const manifest = join(folder, 'manifest.json');
  writeFileSync(
    manifest,
    JSON.stringify({
      packages: listed.map((one) => {
        const bytes = packages.get(one.name) ?? Buffer.from('x');
        return { version: '1.0.0', integrity: sha512(bytes), bytes: bytes.length, small: false, ...one };
      }),
    }),
  );
  const child = spawn(process.execPath, [fetchGoodware, '--manifest', manifest, '--into', cache(), ...args], {
    env: { ...process.env, npm_config_registry: registry, npm_config_loglevel: 'error' },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, stdout, stderr };
}

const both: readonly Listed[] = [{ name: 'plain', small: true }, { name: '@scope/other' }];

describe('when goodware is fetched', () => {
  it('takes each package as it is, and nothing on the second run', async () => {
    const first = await run(both);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('0 were there, 2 fetched') });
    expect(readdirSync(cache()).sort()).toEqual(['plain-1.0.0.tgz', 'scope-other-1.0.0.tgz']);
    expect(readFileSync(cache('plain-1.0.0.tgz')).equals(packages.get('plain') ?? Buffer.of())).toBe(true);
    expect(asked.toSorted()).toEqual(['@scope/other', 'plain']);

    const second = await run(both);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toContain('2 were there, 0 fetched');
    expect(asked).toHaveLength(2);
  });

  it('takes the small part alone', async () => {
    expect(await run(both, '--small')).toMatchObject({ code: 0 });
    expect(readdirSync(cache())).toEqual(['plain-1.0.0.tgz']);
  });

  it('refuses what does not match the manifest', async () => {
    const { code, stderr } = await run([{ name: 'plain', integrity: sha512(Buffer.from('other')) }]);
    expect(code).toBe(1);
    expect(stderr).toContain('plain@1.0.0: what the registry sent does not match the manifest');
    expect(readdirSync(cache())).toEqual([]);
  });

  it('takes no partial file for a whole one, and clears away what a killed run left', async () => {
    mkdirSync(cache('.part-999999999-abc'), { recursive: true });
    writeFileSync(cache('.part-999999999-abc', 'plain-1.0.0.tgz'), 'half');
    writeFileSync(cache('plain-1.0.0.tgz'), packages.get('plain')?.subarray(0, 100) ?? '');
    expect(await run(both, '--check', '--small')).toMatchObject({ code: 1 });
    expect(asked).toEqual([]);

    const { code, stderr } = await run(both, '--small');
    expect(code).toBe(0);
    expect(stderr).toContain('does not match the manifest; it is fetched again');
    expect(readdirSync(cache())).toEqual(['plain-1.0.0.tgz']);
    expect(readFileSync(cache('plain-1.0.0.tgz')).equals(packages.get('plain') ?? Buffer.of())).toBe(true);
  });

  it('says loudly what the registry does not have, and fetches the rest', async () => {
    const { code, stdout, stderr } = await run([{ name: 'nowhere' }, { name: 'plain' }]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: expect.stringContaining('1 fetched, 1 missing') });
    expect(stderr).toContain('nowhere@1.0.0: the registry does not have it (E404)');
    expect(stderr).toContain('SKIPPED: 1 of 2 goodware packages are not there');
    expect(existsSync(cache('plain-1.0.0.tgz'))).toBe(true);
  });

  it('says loudly that there is no registry', async () => {
    const kept = registry;
    registry = 'http://127.0.0.1:9/';
    try {
      const { code, stderr } = await run([{ name: 'plain' }]);
      expect(code).toBe(3);
      expect(stderr).toMatch(/the registry could not be reached \(E\w+\); nothing more is fetched/);
      expect(stderr).toContain('SKIPPED: 1 of 1 goodware packages');
    } finally {
      registry = kept;
    }
  });

  it('says loudly that the folder cannot be used', async () => {
    writeFileSync(cache(), 'a file where the folder should be');
    const { code, stderr } = await run(both);
    expect(code).toBe(3);
    expect(stderr).toContain('SKIPPED: no goodware is fetched');
    expect(asked).toEqual([]);
  });

  it.each([
    ['../evil', '1.0.0', 'is no name of a package'],
    ['plain', '^1.0.0', 'is no exact version'],
  ])('does not follow the odd entry %s %s', async (name, version, reason) => {
    const { code, stderr } = await run([{ name, version }]);
    expect(code).toBe(2);
    expect(stderr).toContain(reason);
    expect(asked).toEqual([]);
    expect(readdirSync(folder)).toEqual(['manifest.json']);
  });
});
