import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const place = join(root, 'THIRD-PARTY.md');

interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      { version?: string; dev?: boolean; optional?: boolean; license?: string; hasInstallScript?: boolean }
    >
  >;
}
const lock: Lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const shipped = Object.entries(lock.packages)
  .filter(([path, { dev }]) => path !== '' && dev !== true)
  .sort(([a], [b]) => (a < b ? -1 : 1));

function toBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Why each direct dependency is there; its own dependencies come with it. */
const reasons: Readonly<Record<string, string>> = {
  commander: 'command line',
  chalk: 'colour on terminals',
  zod: 'definition and validation of the signature database and of the published schemas',
  'node-stream-zip': 'what ordinary software sees in a ZIP archive, for comparison',
  'pe-library': 'structures of the headers of portable executables',
  re2js: 'regular expressions in signatures, in linear time',
  tinypool: 'worker threads that can be stopped',
  'string-width': 'columns of wide characters on terminals',
  '7z-wasm':
    'decoders for containers that are not read by our own code; 7-Zip under LGPL-2.1-or-later with the unRAR restriction: it may not be used to recreate the RAR compression',
};

function toDocument(): string {
  const manifest: { dependencies: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const rows = shipped.map(([path, { version, license }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const kilobytes = Math.max(1, Math.round(toBytes(join(root, path)) / 1024));
    const reason =
      manifest.dependencies[name] === undefined ? 'comes with another' : (reasons[name] ?? 'MISSING REASON');
    return `| ${name} | ${version ?? ''} | ${license ?? 'unknown'} | ${kilobytes} kB | ${reason} |`;
  });
  return `# What ships with telltale

Packages that are installed with it. None of them has an install script, and all are JavaScript or WebAssembly. The database in \`signatures/\` holds facts with their sources, in our own words, under the licence of the project.

| package | version | licence | installed | what for |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

describe('when somebody asks what ships', () => {
  it('lists every package with its licence (UPDATE_DOCS=1 writes it)', () => {
    if (process.env.UPDATE_DOCS === '1') writeFileSync(place, toDocument());
    expect(readFileSync(place, 'utf8')).toBe(toDocument());
    expect(toDocument()).not.toMatch(/MISSING REASON|\| unknown/);
  });

  it('ships no package with an install script', () => {
    expect(shipped.filter(([, { hasInstallScript }]) => hasInstallScript === true)).toEqual([]);
  });
});
