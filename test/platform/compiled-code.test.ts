import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CompiledCode } from '../../src/platform/compiled-code.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-code-'));
  writeFileSync(
    join(folder, 'one.cjs'),
    `const other = require('./two.cjs');
exports.sum = (from) => { let sum = 0; for (let i = from; i < 9; i += 1) sum += other.value; return sum; };
exports.again = require('./two.cjs') === other;
exports.place = [__filename, __dirname];
exports.late = () => importOther('node:os');`,
  );
  writeFileSync(join(folder, 'two.cjs'), "exports.value = require('node:path').sep.length + 4;");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

interface One {
  readonly sum: (from: number) => number;
  readonly again: boolean;
  readonly place: readonly string[];
  readonly late: () => Promise<unknown>;
}

function isOne(exported: unknown): exported is One {
  return typeof exported === 'object' && exported !== null && 'sum' in exported && 'late' in exported;
}

function load(): { readonly code: CompiledCode; readonly one: One } {
  const code = new CompiledCode();
  const one = code.load(pathToFileURL(at('one.cjs')));
  if (!isOne(one)) throw new Error('it exports something else');
  return { code, one };
}

/** Loads, calls, and writes down. */
function keep(): void {
  const { code, one } = load();
  one.sum(0);
  code.keep();
}

describe('when a file is loaded', () => {
  it('exports what it does, with what it asks for, each once', async () => {
    const { one } = load();
    expect(one.sum(0)).toBe(45);
    expect(one.again).toBe(true);
    expect(one.place).toEqual([at('one.cjs'), folder]);
    await expect(one.late()).resolves.toHaveProperty('cpus');
  });

  it('is compiled at first, and not again once it was written down', () => {
    expect(load().code.compiledCount).toBe(2);
    keep();
    const { code, one } = load();
    expect(code.compiledCount).toBe(0);
    expect(one.sum(8)).toBe(5);
  });

  it('names files and lines of what goes wrong', () => {
    writeFileSync(at('two.cjs'), "\nthrow new Error('no use');");
    expect(() => load()).toThrow('no use');
    const stack = (() => {
      try {
        return load();
      } catch (error) {
        return error instanceof Error ? error.stack : undefined;
      }
    })();
    expect(stack).toMatch(/two\.cjs:2:7\b/);
  });
});

describe('when what was written down is not of the file', () => {
  it.each([
    [
      'the file has changed',
      () => writeFileSync(at('two.cjs'), 'exports.value = 2 + 3; // as long as it was'),
    ],
    [
      'a byte of it has changed',
      () => {
        const bytes = readFileSync(at('two.cjs.code'));
        bytes[100] = (bytes[100] ?? 0) ^ 1;
        writeFileSync(at('two.cjs.code'), bytes);
      },
    ],
    ['it was cut off', () => truncateSync(at('two.cjs.code'), 200)],
    ['it is empty', () => truncateSync(at('two.cjs.code'), 0)],
    ['it is gone', () => rmSync(at('two.cjs.code'))],
    ['it is that of another file', () => writeFileSync(at('two.cjs.code'), readFileSync(at('one.cjs.code')))],
  ])('is compiled when %s', (_, change) => {
    keep();
    change();
    const { code, one } = load();
    expect(code.compiledCount).toBe(1);
    expect(one.sum(0)).toBe(45);
  });
});

describe('when the program was built', () => {
  it('has its own code compiled, for this engine', () => {
    const dist = new URL('../../dist/', import.meta.url);
    expect(existsSync(fileURLToPath(new URL('threads/scanning.cjs.code', dist)))).toBe(true);
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { code } = await import(${JSON.stringify(new URL('platform/program-code.js', dist).href)});
         for (const name of ['threads/scanning', 'threads/formats', 'program/run', 'program/pool'])
           code.load(new URL(\`\${name}.cjs\`, ${JSON.stringify(dist.href)}));
         console.log(code.compiledCount);`,
      ],
      { encoding: 'utf8', env: { ...process.env, NODE_V8_COVERAGE: undefined, NODE_OPTIONS: '' } },
    );
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
  });
});
