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
const installed = Object.entries(lock.packages)
  .filter(([path, { dev }]) => path !== '' && dev !== true)
  .sort(([a], [b]) => (a < b ? -1 : 1));

/** Packages whose code the build found in the program. */
const bundled: readonly string[] = JSON.parse(readFileSync(join(root, 'dist/bundled.json'), 'utf8'));

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
  const manifest: { dependencies: Record<string, string>; devDependencies: Record<string, string> } =
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const toReason = (name: string): string =>
    manifest.dependencies[name] === undefined && manifest.devDependencies[name] === undefined
      ? 'comes with another'
      : (reasons[name] ?? 'MISSING REASON');
  const installedRows = installed.map(([path, { version, license }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const kilobytes = Math.max(1, Math.round(toBytes(join(root, path)) / 1024));
    return `| ${name} | ${version ?? ''} | ${license ?? 'unknown'} | ${kilobytes} kB | ${toReason(name)} |`;
  });
  const bundledRows = bundled.map((name) => {
    const { version, license } = lock.packages[`node_modules/${name}`] ?? {};
    return `| ${name} | ${version ?? 'unknown'} | ${license ?? 'unknown'} | ${toReason(name)} |`;
  });
  const texts = bundled.map((name) => `### ${name}\n\n\`\`\`text\n${readLicence(name)}\n\`\`\``);
  return `# What ships with telltale

The database in \`signatures/\` holds facts with their sources, in our own words, under the licence of the project.

## Packages that are installed with it

None of them has an install script, and all are JavaScript or WebAssembly.

| package | version | licence | installed | what for |
|---|---|---|---|---|
${installedRows.join('\n')}

## Packages whose code is part of the program

The build joins them with our own code in \`dist/\`; their licences are below.

| package | version | licence | what for |
|---|---|---|---|
${bundledRows.join('\n')}

${texts.join('\n\n')}
`;
}

function readLicence(name: string): string {
  const folder = join(root, 'node_modules', name);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no licence`);
  return readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim();
}

describe('when somebody asks what ships', () => {
  it('lists every package with its licence (UPDATE_DOCS=1 writes it)', () => {
    if (process.env.UPDATE_DOCS === '1') writeFileSync(place, toDocument());
    expect(readFileSync(place, 'utf8')).toBe(toDocument());
    expect(toDocument()).not.toMatch(/MISSING REASON|\| unknown/);
  });

  it('knows a part of the program by its licence', () => {
    expect(bundled).toContain('commander');
    expect(bundled.filter((name) => lock.packages[`node_modules/${name}`]?.license !== 'MIT')).toEqual([]);
  });

  it('ships no package with an install script', () => {
    expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript === true)).toEqual([]);
  });
});
