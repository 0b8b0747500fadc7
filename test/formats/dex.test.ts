import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildDex, sealDex } from '../../fixtures/dex-builder.ts';
import { dexFormat } from '../../src/formats/dex.ts';
import { mutate } from '../mutation.ts';
import { type ReadResult, readAll } from './reading.ts';

const hasDexdump = spawnSync('dexdump', ['-h']).error === undefined;
if (!hasDexdump)
  console.warn('SKIPPED: comparison with dexdump, because it is not installed (package dexdump)');

const folder = mkdtempSync(join(tmpdir(), 'telltale-dex-'));
afterAll(() => rmSync(folder, { recursive: true }));

const classes = [
  'com.example.raider.Main',
  'com.example.raider.ui.Window',
  'com.example.raider.ui.Dialog$1',
  'org.short.Name',
  'Unpackaged',
];
const program = buildDex({ classes, strings: ['http://example.com/'] });

function toPrefixes({ reading }: ReadResult): Record<string, unknown> {
  return Object.fromEntries(
    (reading?.facts ?? [])
      .filter(({ name }) => name === 'classPrefix')
      .map(({ value, detail }) => [value, detail?.['classes']]),
  );
}

describe('when an Android program is read', () => {
  it('says how many texts and classes it has, and where they belong', async () => {
    const result = await readAll(dexFormat, program);
    expect(result.findings).toEqual([]);
    expect(toPrefixes(result)).toEqual({ 'com.example.raider': 3, 'org.short': 1, '': 1 });
    expect(result.reading?.facts.slice(0, 4)).toEqual([
      { kind: 'packageField', name: 'dexVersion', value: '035' },
      { kind: 'packageField', name: 'strings', value: 7 },
      { kind: 'packageField', name: 'classes', value: 5 },
      { kind: 'packageField', name: 'methods', value: 0 },
    ]);
  });

  it('shows the 40 most frequent packages', async () => {
    const many = Array.from({ length: 300 }, (_, index) => `com.p${index % 60}.q.C${index}`);
    const result = await readAll(dexFormat, buildDex({ classes: [...many, 'com.p7.q.More'] }));
    const prefixes = Object.entries(toPrefixes(result));
    expect(prefixes).toHaveLength(40);
    expect(prefixes[0]).toEqual(['com.p7.q', 6]);
  });

  it('reports bytes that were changed, by checksum and SHA-1', async () => {
    const changed = Buffer.from(program);
    changed[changed.indexOf('http')] = 0x48;
    const { findings } = await readAll(dexFormat, changed);
    expect(findings.map(({ code, offset }) => [code, offset])).toEqual([
      ['malformed/checksum', 8],
      ['malformed/checksum', 12],
    ]);
    // A tool that mends the checksum, which Android looks at, and forgets the rest.
    const mended = sealDex(changed);
    changed.copy(mended, 12, 12, 32);
    const { findings: left } = await readAll(dexFormat, mended);
    expect(left.map(({ message }) => message).join()).toContain('SHA-1');
  });

  it('reports bytes behind the program', async () => {
    const { findings, reading } = await readAll(
      dexFormat,
      Buffer.concat([program, Buffer.from('hidden behind')]),
    );
    expect(findings).toMatchObject([{ code: 'malformed/size-mismatch', offset: program.length }]);
    expect(reading?.facts).toContainEqual({ kind: 'overlay', value: 13, offset: program.length });
  });

  it('reports a program that is cut', async () => {
    const { findings } = await readAll(dexFormat, program.subarray(0, program.length - 20));
    expect(findings[0]).toMatchObject({ code: 'malformed/truncated', incomplete: true });
    const { thrown } = await readAll(dexFormat, program.subarray(0, 50));
    expect(thrown?.code).toBe('malformed/out-of-range');
  });

  it('reports reversed byte order and Compact DEX as not supported', async () => {
    const reversed = Buffer.from(program);
    reversed.writeUInt32LE(0x78563412, 40);
    const { findings } = await readAll(dexFormat, sealDex(reversed));
    expect(findings).toMatchObject([{ code: 'unsupported/feature', incomplete: true }]);
    const compact = Buffer.from('cdex001\0'.padEnd(200, '\0'), 'latin1');
    expect(dexFormat.probe(compact, { size: 200, read: () => compact })).toBe(true);
    const { thrown } = await readAll(dexFormat, compact);
    expect(thrown?.code).toBe('unsupported/format');
  });

  it('reports classes that it cannot name', async () => {
    const lying = Buffer.from(program);
    lying.writeUInt32LE(1000, 96);
    const { findings } = await readAll(dexFormat, sealDex(lying));
    expect(findings).toMatchObject([{ code: 'malformed/structure', offset: 96, incomplete: true }]);
  });

  it.skipIf(!hasDexdump)('finds the classes and numbers that dexdump finds', async () => {
    const path = join(folder, 'classes.dex');
    writeFileSync(path, program);
    const shown = execFileSync('dexdump', ['-f', path], { encoding: 'utf8' });
    const theirs = [...shown.matchAll(/Class descriptor {2}: 'L([^;]+);'/g)].map(([, name]) => name);
    expect(theirs.map((name) => name?.replaceAll('/', '.')).toSorted()).toEqual(classes.toSorted());
    const { reading } = await readAll(dexFormat, program);
    const number = (name: string): number => Number(new RegExp(`${name}\\s+: (\\d+)`).exec(shown)?.[1]);
    expect(reading?.facts.find(({ name }) => name === 'strings')?.value).toBe(number('string_ids_size'));
    expect(reading?.facts.find(({ name }) => name === 'classes')?.value).toBe(number('class_defs_size'));
  });
});

describe('when a program is damaged in 2,000 ways', () => {
  it('never crashes or hangs, and never takes changed bytes for sealed ones', async () => {
    let silent = 0;
    for (const mutant of mutate(program, 2000, 7)) {
      const started = performance.now();
      const result = await readAll(dexFormat, mutant.bytes, { limits: { milliseconds: 5000 } });
      expect(performance.now() - started, mutant.description).toBeLessThan(6000);
      if (result.faults === 0 && !program.equals(mutant.bytes)) {
        // Only the magic is covered by neither checksum.
        expect(program.subarray(8).equals(mutant.bytes.subarray(8)), mutant.description).toBe(true);
        silent += 1;
      }
    }
    expect(silent).toBeLessThan(50);
  });
});
