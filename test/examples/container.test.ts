import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('when a container is described', () => {
  const lines = readFileSync(join(root, 'Containerfile'), 'utf8').split('\n');
  const copied = lines
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(' ').slice(1, -1));

  it('copies only what is there, and what the ignore file lets through', () => {
    const allowed = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    expect(copied.length).toBeGreaterThan(5);
    for (const name of copied) {
      expect(existsSync(join(root, name)), name).toBe(true);
      expect(allowed).toContain(`!${name.replace(/^\.\//, '')}`);
    }
  });

  it('runs no install script, and nothing as root', () => {
    for (const line of lines)
      if (/npm (?:ci|prune|install)/.test(line)) expect(line).toContain('--ignore-scripts');
    expect(lines.indexOf('USER node')).toBeGreaterThan(lines.lastIndexOf('FROM node:20-slim'));
  });
});

describe('when a hook of pre-commit is described', () => {
  it('calls a command that there is, on the kinds of files that carry programs', () => {
    const text = readFileSync(join(root, '.pre-commit-hooks.yaml'), 'utf8');
    expect(text).toContain('entry: telltale scan --quiet');
    const [, pattern = ''] = /files: (.*)/.exec(text) ?? [];
    const files = new RegExp(pattern);
    expect(['a/SkypeSetup.exe', 'x.msi', 'y.zip'].every((name) => files.test(name))).toBe(true);
    expect(['readme.md', 'exe', 'a.exe.txt'].some((name) => files.test(name))).toBe(false);
  });
});
