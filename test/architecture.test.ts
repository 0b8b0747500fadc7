import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const source = fileURLToPath(new URL('../src/', import.meta.url));

/** From left to right: a file imports from its own folder and from folders to the left of it. */
const order = [
  'bytes',
  'platform',
  'formats',
  'authenticity',
  'signatures',
  'scan',
  'verdict',
  'jobs',
  'learn',
  'diff',
  'report',
  'index.ts',
  'cli',
] as const;

interface Import {
  readonly from: string;
  readonly to: string;
}

function readImports(): { readonly files: readonly string[]; readonly imports: readonly Import[] } {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort();
  const imports = files.flatMap((file) => {
    const text = readFileSync(join(source, file), 'utf8');
    const found = [
      ...text.matchAll(
        /(?:^|\s)(?:import|export)\s[^'";]*?from\s+'([^']+)'|import\('([^']+)'\)|^import '([^']+)'/gm,
      ),
    ];
    return found.map((match): Import => ({ from: file, to: match[1] ?? match[2] ?? match[3] ?? '' }));
  });
  return { files, imports };
}

function toLayer(file: string): number {
  const folder = file.split('/')[0] ?? '';
  return order.findIndex((name) => name === folder);
}

describe('when a file imports another', () => {
  const { files, imports } = readImports();

  it('finds the files and their imports', () => {
    expect(files.length).toBeGreaterThan(40);
    expect(imports.length).toBeGreaterThan(files.length);
  });

  it('puts every file into a known layer', () => {
    expect(files.filter((file) => toLayer(file) < 0)).toEqual([]);
  });

  it('imports from the left only', () => {
    const wrong = imports
      .filter(({ to }) => to.startsWith('.'))
      .map(({ from, to }) => ({ from, to: relative(source, resolve(source, dirname(from), to)) }))
      .filter(({ from, to }) => toLayer(to) > toLayer(from));
    expect(wrong).toEqual([]);
  });

  it('uses node:* only in platform, cli and the library entry', () => {
    const wrong = imports.filter(
      ({ from, to }) => to.startsWith('node:') && !/^(?:platform|cli)\//.test(from),
    );
    expect(wrong).toEqual([]);
  });

  it('names no product in the engine', () => {
    const wrong = files.filter((file) => {
      const text = readFileSync(join(source, file), 'utf8')
        .replaceAll(/\/\*[\s\S]*?\*\//g, '')
        .replaceAll(/(?<!:)\/\/.*$/gm, '')
        .replaceAll(/\.describe\([\s\S]*?\)[,;\n]/g, '');
      return /skype|tom\.com|gmw\.cn/i.test(text);
    });
    expect(wrong).toEqual([]);
  });
});
