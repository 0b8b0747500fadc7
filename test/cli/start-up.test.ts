import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildElf } from '../../fixtures/elf-builder.ts';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { product, sources, toIndicator, toVariant, writeFolder } from '../signatures/database-fixture.ts';
import { type Ended, mainPath, runTelltale } from './run.ts';

const dist = dirname(dirname(mainPath));
let folder = '';
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-start-'));
  writeFileSync(at('setup.exe'), buildTomSkype());
  writeFileSync(at('notes.txt'), 'nothing of interest\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Everything that was loaded from `dist` and from packages, by the record that V8 keeps of it. */
function listLoaded(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): {
  readonly ended: Ended;
  readonly loaded: readonly string[];
} {
  const place = mkdtempSync(join(folder, 'loaded-'));
  const ended = runTelltale(args, { cwd: folder, env: { ...env, NODE_V8_COVERAGE: place } });
  const loaded = readdirSync(place).flatMap((name) => {
    const { result }: { result: readonly { url: string }[] } = JSON.parse(
      readFileSync(join(place, name), 'utf8'),
    );
    return result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
  });
  const names = loaded.map((url) => fileURLToPath(url).replaceAll('\\', '/'));
  return {
    ended,
    loaded: [...new Set(names.map((name) => name.replace(/^.*\/(?=(?:node_modules|dist)\/)/, '')))].sort(),
  };
}

describe('when only the version is asked for', () => {
  it('answers before anything else is loaded', () => {
    const { ended, loaded } = listLoaded(['--version']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(loaded).toContain('dist/cli/main.js');
    const most = ['cli/main', 'chunks/start', 'chunks/rolldown-runtime'];
    expect(loaded.filter((name) => !most.some((one) => name === `dist/${one}.js`))).toEqual([]);
  });

  it('answers as every other way of asking does', () => {
    const { stdout } = runTelltale(['--version'], { cwd: folder });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(runTelltale(['-V'], { cwd: folder }).stdout).toBe(stdout);
    expect(runTelltale(['scan', '--version'], { cwd: folder })).toEqual({ code: 0, stdout, stderr: '' });
  });
});

describe('when a file is scanned', () => {
  it('loads the report that is asked for, and what reads the files that there are', () => {
    const text = listLoaded(['scan', 'notes.txt']);
    expect(text.ended.code).toBe(0);
    const json = listLoaded(['scan', '--format', 'json', 'notes.txt']);
    const html = listLoaded(['scan', '--format', 'html', 'notes.txt']);
    const has = (one: typeof text, name: RegExp): boolean => one.loaded.some((path) => name.test(path));
    expect(has(text, /program\/scanning/)).toBe(true);
    expect(has(html, /program\/scan-page/)).toBe(true);
    for (const one of [text, json]) {
      expect(has(one, /jobs\/worker/)).toBe(true);
      expect(
        has(one, /scan-page|sarif|translator-zh|commands|learn|diff|node_modules\/(?:zod|re2js|7z-wasm)/),
      ).toBe(false);
    }
  });

  it('loads what reads a format when it meets the first file of it', () => {
    const readers = /^dist\/threads\/(?:installer|archive|package|reading|file|axml|.*-signature)\.cjs$/;
    expect(listLoaded(['scan', 'notes.txt']).loaded.filter((name) => readers.test(name))).toEqual([]);
    writeFileSync(at('program'), buildElf());
    const { loaded } = listLoaded(['scan', 'program']);
    expect(loaded.filter((name) => readers.test(name))).toEqual(['dist/threads/file.cjs']);
  });

  it('finds the decoder, the database and the worker from the bundle', () => {
    const { stdout, code } = runTelltale(['scan', '--format', 'json', 'setup.exe'], { cwd: folder });
    expect(code).toBe(1);
    expect(JSON.parse(stdout).files[0]).toMatchObject({ verdict: 'variant', complete: true });
  });
});

describe('when the library is imported by its name', () => {
  it('scans in this thread and in workers', () => {
    const program = `import { scan, inspect, loadDatabase, TelltaleError } from 'telltale';
      const path = process.argv[2];
      const results = [await scan([path]), await scan([path], { jobs: 1 })].flat();
      const root = await inspect(path);
      console.log(JSON.stringify([results.map(({ verdict }) => verdict), root.format.id, typeof loadDatabase, TelltaleError.name]));`;
    mkdirSync(at('node_modules'));
    symlinkSync(dirname(dist), at('node_modules/telltale'), 'dir');
    writeFileSync(at('use.mjs'), program);
    const { stdout, stderr } = spawnSync(process.execPath, [at('use.mjs'), at('setup.exe')], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([['variant', 'variant'], 'pe', 'function', 'TelltaleError']);
  });
});

// --------------------------------------------------------------------------------------------- the cache

interface Place {
  readonly database: string;
  readonly variant: string;
  readonly cache: string;
}

function prepare(): Place {
  const database = writeFolder({
    'demo/product.json': product,
    'demo/sources.json': sources,
    'demo/variants/own.json': toVariant('own', [toIndicator({ text: 'of interest' })]),
  });
  return {
    database,
    variant: join(database, 'demo/variants/own.json'),
    cache: join(mkdtempSync(join(folder, 'cache-')), 'telltale'),
  };
}

const toArguments = ({ database }: Place, ...more: readonly string[]): readonly string[] => [
  'scan',
  '--format',
  'json',
  ...more,
  '--only-database',
  '--database',
  database,
  'notes.txt',
];

function scan(place: Place, ...more: readonly string[]): Ended {
  return runTelltale(toArguments(place, ...more), { cwd: folder, env: { TELLTALE_CACHE_DIR: place.cache } });
}

const listCache = ({ cache }: Place): readonly string[] => {
  try {
    return readdirSync(cache);
  } catch {
    return [];
  }
};

describe('when a database of the user is checked', () => {
  it('keeps that it passed, and does not load what checks it again', () => {
    const place = prepare();
    const first = scan(place);
    expect(listCache(place)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.compiled$/)]);
    expect(scan(place)).toEqual(first);
    const { loaded } = listLoaded(toArguments(place), { TELLTALE_CACHE_DIR: place.cache });
    expect(loaded.filter((name) => /node_modules\/zod|program\/schema/.test(name))).toEqual([]);
  });

  it('keeps nothing with --no-cache, and uses nothing that was kept', () => {
    const place = prepare();
    const { stdout } = scan(place, '--no-cache');
    expect(listCache(place)).toEqual([]);
    expect(scan(place).stdout).toBe(stdout);
  });

  it('judges by the database as it is now', () => {
    const place = prepare();
    scan(place);
    writeFileSync(place.variant, readFileSync(place.variant, 'utf8').replace('of interest', 'of no avail'));
    const changed = scan(place);
    expect(JSON.parse(changed.stdout).files[0].telltales).toEqual([]);
    expect(listCache(place)).toHaveLength(2);
    writeFileSync(place.variant, '{}');
    expect(scan(place)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('own.json') });
    expect(listCache(place)).toHaveLength(2);
  });

  it('is not kept when it is not valid', () => {
    const place = prepare();
    writeFileSync(place.variant, '{}');
    expect(scan(place).code).toBe(2);
    expect(listCache(place)).toEqual([]);
  });

  it('says the same, whatever was done to the entry', () => {
    const place = prepare();
    const { stdout } = scan(place);
    const entry = join(place.cache, listCache(place)[0] ?? '');
    for (const damage of [
      () => truncateSync(entry, 10),
      () => writeFileSync(entry, 'x'.repeat(1 << 20)),
      () => chmodSync(entry, 0o666),
      () => {
        rmSync(entry);
        symlinkSync('/dev/zero', entry);
      },
    ]) {
      damage();
      expect(scan(place)).toMatchObject({ code: 0, stdout, stderr: '' });
    }
  });

  it('says the same, and uses nothing of it, when another user of the name filled the folder', () => {
    const place = prepare();
    const { stdout } = scan(place);
    const entry = join(place.cache, listCache(place)[0] ?? '');
    const before = readFileSync(entry);
    const env = { TELLTALE_CACHE_DIR: place.cache, XDG_STATE_HOME: mkdtempSync(join(folder, 'state-')) };
    expect(runTelltale(toArguments(place), { cwd: folder, env })).toMatchObject({ code: 0, stdout });
    expect(readFileSync(entry).equals(before)).toBe(false);
    expect(readdirSync(join(env.XDG_STATE_HOME, 'telltale'))).toEqual(['cache-secret']);
  });

  it('is checked by each of several processes at once, and kept whole', async () => {
    const place = prepare();
    const ended = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const child = spawn(process.execPath, [mainPath, ...toArguments(place)], {
          cwd: folder,
          env: { ...process.env, TELLTALE_CACHE_DIR: place.cache },
        });
        let stdout = '';
        child.stdout.on('data', (chunk) => {
          stdout += String(chunk);
        });
        const code = await new Promise((resolve) => child.on('close', resolve));
        return { code, stdout };
      }),
    );
    expect(new Set(ended.map(({ stdout }) => stdout)).size).toBe(1);
    expect(ended.every(({ code }) => code === 0)).toBe(true);
    expect(listCache(place)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.compiled$/)]);
  });

  it('says with --verbose why a folder is not used', () => {
    const place = prepare();
    scan(place);
    chmodSync(place.cache, 0o777);
    const { stderr, code } = scan(place, '--verbose');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^telltale: the cache .* is not used: it is writable by other users\n$/);
    expect(scan(place).stderr).toBe('');
  });

  it('is checked all the same where there is no home and no place to write', () => {
    const place = prepare();
    const { stdout } = scan(place);
    for (const env of [
      { TELLTALE_CACHE_DIR: '/proc/nowhere/telltale' },
      { TELLTALE_CACHE_DIR: '/dev/null' },
      { TELLTALE_CACHE_DIR: '', XDG_CACHE_HOME: '/proc/nowhere', HOME: '' },
      { TELLTALE_CACHE_DIR: '', XDG_CACHE_HOME: 'relative', HOME: at('home') },
    ]) {
      const ended = runTelltale(toArguments(place), { cwd: folder, env });
      expect(ended).toMatchObject({ code: 0, stdout, stderr: '' });
    }
    expect(readdirSync(at('home/.cache/telltale'))).toHaveLength(1);
    expect(readdirSync(folder)).not.toContain('relative');
  });
});

describe('when it is built', () => {
  it('has few files to load, and no map that nobody needs', () => {
    const names = readdirSync(dist, { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => name.endsWith('.js')).length).toBeLessThan(200);
    expect(names).toContain('index.d.ts');
    expect(names.filter((name) => name.endsWith('.map'))).toEqual([]);
  });
});
