import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildElf, type ElfRecipe } from '../../fixtures/elf-builder.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { elfFormat } from '../../src/formats/elf.ts';
import { mutate } from '../mutation.ts';
import { codesOf, factsOf } from './reading-facts.ts';
import { type ReadResult, readAll } from './reading.ts';

const full: ElfRecipe = {
  interpreter: '/lib64/ld-linux-x86-64.so.2',
  needed: ['libc.so.6', 'libQt5Core.so.5'],
  soname: 'libfixture.so.1',
  rpath: '/opt/old',
  runpath: '$ORIGIN/lib',
  buildId: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]),
  sections: [
    { name: '.text', data: new Uint8Array(32).fill(0x90) },
    { name: '.qtversion', data: new Uint8Array(8) },
    { name: '.bss', type: 8 },
    { name: '.comment', data: Buffer.from('GCC: (fixture) 1.0\0GCC: (fixture) 1.0\0rustc version 1.70\0') },
    { name: '.dynstr', type: 3, data: Buffer.from('\0free\0napi_create_function\0') },
  ],
};

/** Values of one field. */
function field(result: ReadResult, wanted: string): unknown[] {
  return (result.reading?.facts ?? [])
    .filter(({ kind, name }) => kind === 'programField' && name === wanted)
    .map(({ value }) => value);
}

describe('when a program is read', () => {
  it.each([
    [true, true, 62, 'x64'],
    [true, false, 21, 'ppc64'],
    [false, true, 3, 'x86'],
    [false, false, 8, 'mips'],
  ] as const)('64-bit %s, little-endian %s', async (is64, isLittle, machine, name) => {
    const result = await readAll(elfFormat, buildElf({ ...full, is64, isLittle, machine }));
    expect(result.findings).toEqual([]);
    expect(factsOf(result, 'machine')).toEqual([name]);
    expect(field(result, 'fileType')).toEqual(['executable']);
    expect(field(result, 'class')).toEqual([is64 ? '64-bit' : '32-bit']);
    expect(field(result, 'interpreter')).toEqual(['/lib64/ld-linux-x86-64.so.2']);
    expect(factsOf(result, 'importedLibrary')).toEqual(['libc.so.6', 'libqt5core.so.5']);
    expect(factsOf(result, 'moduleName')).toEqual(['libfixture.so.1']);
    expect(field(result, 'rpath')).toEqual(['/opt/old']);
    expect(field(result, 'runPath')).toEqual(['$ORIGIN/lib']);
    expect(field(result, 'buildId')).toEqual(['0102030405060708']);
    expect(field(result, 'note')).toEqual(['GNU']);
    expect(factsOf(result, 'createdBy')).toEqual(['GCC: (fixture) 1.0', 'rustc version 1.70']);
    expect(new Set(field(result, 'runtime'))).toEqual(new Set(['Qt', 'Rust', 'Node.js']));
    expect(field(result, 'linkage')).toEqual(['dynamic']);
    expect(field(result, 'symbols')).toEqual(['stripped']);
    expect(result.members).toEqual([]);
    expect(result.reading?.regions.map((region) => region.name)).toContain('.text');
  });

  it('tells a static program with symbols', async () => {
    const result = await readAll(
      elfFormat,
      buildElf({ sections: [{ name: '.symtab', type: 2, data: new Uint8Array(24) }] }),
    );
    expect(field(result, 'linkage')).toEqual(['static']);
    expect(field(result, 'symbols')).toEqual(['present']);
  });

  it('names places by loaded parts when there are no sections', async () => {
    const result = await readAll(elfFormat, buildElf({ interpreter: '/lib/ld.so' }));
    expect(result.reading?.regions.map(({ name }) => name)).toEqual(['segment 0']);
    expect(field(result, 'symbols')).toEqual([]);
  });
});

describe('when bytes follow a program', () => {
  it('gives them as its overlay', async () => {
    const program = buildElf(full);
    const result = await readAll(
      elfFormat,
      buildElf({ ...full, appImage: 2, overlay: Buffer.from('hsqs a file system') }),
    );
    expect(field(result, 'appImage')).toEqual(['type 2']);
    expect(factsOf(result, 'overlay')).toEqual([18]);
    expect(result.members).toMatchObject([
      { name: '[overlay]', relation: 'part', containerOffset: program.length, kind: 'source' },
    ]);
    expect(result.members[0]?.bytes.toString()).toBe('hsqs a file system');
  });

  it('never gives the file itself as its overlay', async () => {
    const bytes = Buffer.alloc(400);
    bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
    const result = await readAll(elfFormat, bytes);
    expect(result.members).toMatchObject([{ name: '[overlay]', containerOffset: 52 }]);
  });
});

describe('when a program is damaged', () => {
  it('says what is missing at its end', async () => {
    const bytes = buildElf(full);
    const result = await readAll(elfFormat, bytes.subarray(0, bytes.length - 100));
    expect(codesOf(result)).toEqual(['malformed/truncated', 'malformed/truncated']);
    expect(factsOf(result, 'importedLibrary')).toHaveLength(2);
  });

  it('refuses a class that does not exist, and a header that is not whole', async () => {
    const bytes = buildElf();
    bytes[4] = 9;
    expect((await readAll(elfFormat, bytes)).thrown?.code).toBe('malformed/header');
    expect((await readAll(elfFormat, buildElf().subarray(0, 20))).thrown?.code).toBe(
      'malformed/out-of-range',
    );
  });

  it('says that a table is too long, and reads on', async () => {
    const bytes = buildElf(full);
    bytes.writeUInt16LE(0xfff0, 56);
    const result = await readAll(elfFormat, bytes);
    expect(codesOf(result)).toContain('malformed/truncated');
    expect(field(result, 'interpreter')).toEqual(['/lib64/ld-linux-x86-64.so.2']);
  });

  it('says that names for linking lie nowhere', async () => {
    const bytes = buildElf(full);
    // The address of the only loaded part.
    bytes.writeBigUInt64LE(0x123456n, 64 + 16);
    const result = await readAll(elfFormat, bytes);
    expect(codesOf(result)).toEqual(['malformed/structure']);
    expect(factsOf(result, 'importedLibrary')).toEqual([]);
  });

  it('survives damage at random', async () => {
    for (const seed of [buildElf(full), buildElf({ ...full, is64: false, isLittle: false })]) {
      let read = 0;
      for (const { bytes, description } of mutate(seed, 1000, seed.length)) {
        const started = performance.now();
        const result = await readAll(elfFormat, bytes, { keepBytes: false });
        for (const { offset, size } of result.reading?.regions ?? []) {
          expect(offset + size, description).toBeLessThanOrEqual(bytes.length);
        }
        if (result.thrown === undefined) read += 1;
        expect(performance.now() - started, description).toBeLessThan(10_000);
      }
      expect(read).toBeGreaterThan(500);
    }
  });

  it('is not slowed down by a hundred thousand sections that share a name', async () => {
    const count = 60_000;
    const bytes = Buffer.alloc(64 + count * 64 + 4 * 1024 * 1024, 0x41);
    buildElf().copy(bytes, 0, 0, 64);
    bytes.writeUInt16LE(0, 56);
    bytes.writeBigUInt64LE(64n, 40);
    bytes.writeUInt16LE(count, 60);
    bytes.writeUInt16LE(0, 62);
    for (let index = 0; index < count; index += 1) {
      bytes.fill(0, 64 + index * 64, 128 + index * 64);
      bytes.writeUInt32LE(1, 64 + index * 64 + 4);
      bytes.writeBigUInt64LE(BigInt(64 + count * 64), 64 + index * 64 + 24);
      bytes.writeBigUInt64LE(4n * 1024n * 1024n, 64 + index * 64 + 32);
    }
    const started = performance.now();
    const result = await readAll(elfFormat, bytes, { keepBytes: false });
    expect(result.reading?.regions.length).toBeLessThanOrEqual(4096);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

const hasTools = ['gcc', 'readelf', 'strip'].every((tool) => spawnSync(tool, ['--version']).status === 0);
if (!hasTools) console.warn('SKIPPED: comparison of ELF with readelf, because it or gcc is not installed');

describe.skipIf(!hasTools)('when readelf reads the same program', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'telltale-elf-'));
    writeFileSync(join(folder, 'library.c'), 'int answer(void) { return 42; }\n');
    writeFileSync(join(folder, 'program.c'), 'int answer(void);\nint main(void) { return answer(); }\n');
    must('gcc', '-shared', '-fPIC', '-Wl,-soname,libanswer.so.3', '-o', 'libanswer.so', 'library.c');
    must('gcc', '-o', 'program', 'program.c', 'libanswer.so', '-Wl,-rpath,/opt/fixture', '-Wl,--build-id');
    must('gcc', '-c', '-ffunction-sections', '-o', 'object.o', 'library.c');
    must('strip', '-o', 'stripped', 'program');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function run(tool: string, ...args: string[]): { status: number | null; text: string } {
    const { status, stdout, stderr } = spawnSync(tool, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      maxBuffer: 64 * 1024 * 1024,
    });
    return { status, text: `${stdout}${stderr}` };
  }

  function must(tool: string, ...args: string[]): void {
    const { status, text } = run(tool, ...args);
    if (status !== 0) throw new Error(`${tool}: ${text}`);
  }

  async function compare(path: string): Promise<ReadResult> {
    const result = await readAll(elfFormat, readFileSync(path), { keepBytes: false });
    expect(result.findings).toEqual([]);
    const { text } = run('readelf', '-W', '-d', '-n', '-S', '-l', path);
    const find = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? '');
    expect(factsOf(result, 'importedLibrary')).toEqual(
      find(/\(NEEDED\)\s+Shared library: \[(.*)\]/g).map((name) => name.toLowerCase()),
    );
    expect(factsOf(result, 'moduleName')).toEqual(find(/\(SONAME\)\s+Library soname: \[(.*)\]/g));
    expect(field(result, 'runPath')).toEqual(find(/\(RUNPATH\)\s+Library runpath: \[(.*)\]/g));
    expect(field(result, 'interpreter')).toEqual(find(/program interpreter: (.*)\]/g));
    expect(field(result, 'buildId')).toEqual([...new Set(find(/Build ID: ([0-9a-f]+)/g))]);
    const sections = [
      ...text.matchAll(/^\s*\[\s*\d+\]\s(\S+)\s+(\S+)\s+[0-9a-f]+\s([0-9a-f]+)\s([0-9a-f]+)\s/gm),
    ]
      .filter(
        ([, , type, , size]) => type !== 'NOBITS' && type !== 'NULL' && Number.parseInt(size ?? '', 16) > 0,
      )
      .map(([, name, , offset]) => `${name}@${Number.parseInt(offset ?? '', 16)}`);
    const regions = (result.reading?.regions ?? []).map(({ name, offset }) => `${name}@${offset}`);
    expect(regions.filter((name) => !name.startsWith('overlay')).sort()).toEqual(sections.sort());
    return result;
  }

  it('agrees on a program, a library, an object and a stripped program', async () => {
    const program = await compare(join(folder, 'program'));
    expect(field(program, 'fileType')).toEqual(['position-independent executable']);
    expect(field(program, 'runPath')).toEqual(['/opt/fixture']);
    expect(field(program, 'symbols')).toEqual(['present']);
    expect(factsOf(program, 'createdBy').join()).toContain('GCC');
    const library = await compare(join(folder, 'libanswer.so'));
    expect(factsOf(library, 'moduleName')).toEqual(['libanswer.so.3']);
    await compare(join(folder, 'object.o'));
    expect(field(await compare(join(folder, 'stripped')), 'symbols')).toEqual(['stripped']);
  });

  it.each(['/bin/ls', '/bin/sh', '/lib/x86_64-linux-gnu/libc.so.6', process.execPath])(
    'agrees on %s',
    async (path) => {
      if (!existsSync(path)) {
        console.warn(`SKIPPED: comparison with readelf on ${path}, because it is not there`);
        expect(path).not.toBe('');
        return;
      }
      const result = await compare(path);
      expect(result.members).toEqual([]);
    },
  );

  it('agrees that the fixtures are programs', async () => {
    // With sections, readelf takes the names from `.dynstr`; a loader takes them from where DT_STRTAB says, as here.
    const { sections: _, ...withoutSections } = full;
    for (const [index, is64] of [true, false].entries()) {
      const path = join(folder, `fixture${index}`);
      writeFileSync(path, buildElf({ ...withoutSections, is64 }));
      const result = await readAll(elfFormat, toByteSource(readFileSync(path)));
      const { text } = run('readelf', '-W', '-d', '-n', '-l', path);
      expect(text).toContain('/lib64/ld-linux-x86-64.so.2');
      expect(text).toContain('Build ID: 0102030405060708');
      expect(text).toContain('libQt5Core.so.5');
      expect(result.findings).toEqual([]);
    }
  });
});
