import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { buildMsi, columns } from '../../fixtures/msi-builder.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { parseCfb } from '../../src/formats/cfb/compound-file.ts';
import type { Finding } from '../../src/formats/model.ts';
import { msiFormat } from '../../src/formats/msi.ts';
import { listFiles } from '../../src/formats/msi/content.ts';
import { type MsiColumn, type MsiDatabase, type MsiTable, parseMsi } from '../../src/formats/msi/database.ts';
import { corpus } from '../corpus.ts';
import { readAll } from './reading.ts';

const hasTools = ['msiinfo', 'msiextract', 'wixl'].every(
  (tool) => spawnSync(tool, ['--version']).error === undefined,
);
if (!hasTools)
  console.warn('SKIPPED: packages made by wixl and read by msiinfo, because they are not installed');

const folder = mkdtempSync(join(tmpdir(), 'telltale-msi-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(tool: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(tool, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1e8 });
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function open(path: string): { database: MsiDatabase; findings: Finding[] } {
  const bytes = new Uint8Array(readFileSync(path));
  const findings: Finding[] = [];
  const report = (finding: Finding): void => {
    findings.push(finding);
  };
  const budget = new Budget(bytes.length);
  return { database: parseMsi(parseCfb(toByteSource(bytes), report, budget), report, budget), findings };
}

/** A column type as an exported table spells it. */
function toTypeText({ kind, size, isNullable, isLocalizable }: MsiColumn): string {
  const letter = kind === 'binary' ? 'v' : kind === 'integer' ? 'i' : isLocalizable ? 'l' : 's';
  return `${isNullable ? letter.toUpperCase() : letter}${size}`;
}

/** A table as `msiinfo export` prints it. */
function exportTable(table: MsiTable): string[] {
  const lines = [
    table.columns.map(({ name }) => name).join('\t'),
    table.columns.map(toTypeText).join('\t'),
    [table.name, ...table.columns.filter(({ isKey }) => isKey).map(({ name }) => name)].join('\t'),
  ];
  for (const row of table.rows()) {
    const values = [...row.entries()].map(([name, value]) => {
      const column = table.columns.find((each) => each.name === name);
      // A stream is exported as a file that is named after the row.
      if (column?.kind === 'binary') return value === undefined ? '' : 'STREAM';
      return value === undefined
        ? ''
        : String(value).replaceAll('\t', '\u0010').replaceAll('\n', '\u0019').replaceAll('\r', '\u0011');
    });
    lines.push(values.join('\t'));
  }
  return lines;
}

/** Every table of ours against every table of theirs. */
function compareTables(path: string): number {
  const { database, findings } = open(path);
  expect(findings).toEqual([]);
  const names = run('msiinfo', 'tables', path)
    .split('\n')
    .filter((name) => name !== '' && name !== '_SummaryInformation' && name !== '_ForceCodepage');
  expect([...database.tables.keys()].sort()).toEqual(names.toSorted());
  let rows = 0;
  for (const table of database.tables.values()) {
    const theirs = run('msiinfo', 'export', path, table.name).split('\r\n');
    if (theirs.at(-1) === '') theirs.pop();
    const ours = exportTable(table);
    const binary = table.columns.findIndex(({ kind }) => kind === 'binary');
    const plain = theirs.map((line, index) =>
      binary < 0 || index < 3
        ? line
        : line
            .split('\t')
            .map((value, at) => (at === binary && value !== '' ? 'STREAM' : value))
            .join('\t'),
    );
    // Their third line begins with the code page when the package has one.
    expect(ours.toSpliced(2, 1), table.name).toEqual(plain.toSpliced(2, 1));
    expect(plain[2]?.endsWith(ours[2] ?? 'none'), table.name).toBe(true);
    rows += table.rowCount;
  }
  return rows;
}

describe.skipIf(!hasTools)('when wixl makes a package', () => {
  const path = join(folder, 'phone.msi');

  function build(): void {
    writeFileSync(join(folder, 'main.txt'), 'This stands where a program would be.\n');
    writeFileSync(join(folder, 'readme.txt'), 'readme\n'.repeat(2000));
    writeFileSync(join(folder, 'helper.bin'), 'helper');
    writeFileSync(join(folder, 'icon.bin'), Buffer.alloc(6000, 1));
    run('wixl', '-o', path, fileURLToPath(new URL('../../fixtures/msi/phone.wxs', import.meta.url)));
  }

  it('every table is what msiinfo exports', () => {
    build();
    expect(compareTables(path)).toBeGreaterThan(60);
  });

  it('streams are those that msiinfo extracts', async () => {
    const result = await readAll(msiFormat, new Uint8Array(readFileSync(path)));
    for (const [stream, member] of [
      ['fixture.cab', '[cab] fixture.cab'],
      ['Binary.Helper', 'Binary/Helper'],
      ['Icon.Phone.ico', 'Icon/Phone.ico'],
    ] as const) {
      const { stdout } = spawnSync('msiinfo', ['extract', path, stream], { maxBuffer: 1e8 });
      expect(result.members.find(({ name }) => name === member)?.bytes.equals(stdout), stream).toBe(true);
    }
  });

  it('paths are those that msiextract makes, and digests are those of the files', () => {
    const { database } = open(path);
    const files = [...listFiles(database, new Budget(1), () => {}).values()];
    run('msiextract', '-C', join(folder, 'out'), path);
    const theirs = readdirSync(join(folder, 'out'), {
      recursive: true,
      encoding: 'utf8',
      withFileTypes: true,
    })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    // It gives the system folder a name of its own.
    const ours = files.map((file) =>
      join(folder, 'out', file.path.replace('ProgramFilesFolder', 'Program Files')),
    );
    expect(ours.sort()).toEqual(theirs.sort());
    for (const file of files) {
      const bytes = readFileSync(
        join(folder, 'out', file.path.replace('ProgramFilesFolder', 'Program Files')),
      );
      expect(createHash('md5').update(bytes).digest('hex')).toBe(file.md5);
      expect(bytes.length).toBe(file.size);
    }
  });

  it('summary information is what msiinfo prints', () => {
    const { summary } = open(path).database;
    const text = run('msiinfo', 'suminfo', path);
    for (const [label, name] of [
      ['Title', 'Title'],
      ['Subject', 'Subject'],
      ['Author', 'Author'],
      ['Template', 'Template'],
      ['Revision number (UUID)', 'RevisionNumber'],
      ['Application', 'CreatingApplication'],
    ] as const) {
      const printed = text.split('\n').find((line) => line.startsWith(`${label}: `));
      expect(printed?.trimEnd(), label).toBe(
        `${label}: ${summary.properties.find((one) => one.name === name)?.value}`,
      );
    }
  });
});

describe.skipIf(!hasTools)('when msiinfo reads what our fixtures write', () => {
  it.each([
    ['two', false],
    ['three', true],
  ])('it sees the same tables with string numbers of %s bytes', (name, hasLongReferences) => {
    const path = join(folder, `built-${name}.msi`);
    writeFileSync(
      path,
      buildMsi({
        hasLongReferences,
        tables: [
          {
            name: 'Everything',
            columns: columns('Key:s72*', 'Number:i2*', 'Small:I2', 'Large:I4', 'Text:L0', 'Stream:V0'),
            rows: [
              ['a', 1, 0, 0, 'text', undefined],
              ['a', 2, -32767, -2147483647, undefined, undefined],
              ['b', 1, 32767, 2147483647, 'y'.repeat(70_000), undefined],
              ['c', 1, undefined, undefined, 'text', undefined],
            ],
          },
          { name: 'Empty', columns: columns('Key:s72*'), rows: [] },
        ],
        summary: [[4, 'Fixture Publisher']],
      }),
    );
    expect(compareTables(path)).toBe(4);
  });

  it.each([
    ['version 4', { version: 4 as const }],
    ['in pieces', { isFragmented: true }],
  ])('it opens a package of %s as we do', (name, cfb) => {
    const path = join(folder, `${name.replace(' ', '-')}.msi`);
    const rows = Array.from({ length: 500 }, (_, index) => [`Property${index}`, `value ${index}`]);
    writeFileSync(
      path,
      buildMsi({ tables: [{ name: 'Property', columns: columns('Property:s72*', 'Value:l0'), rows }], cfb }),
    );
    expect(compareTables(path)).toBe(500);
  });
});

const has7zz = spawnSync('7zz', ['i']).error === undefined;
if (!has7zz) console.warn('SKIPPED: names in cabinets, because 7zz is not installed');

describe.skipIf(!has7zz)('when 7-Zip lists the cabinet of a package', () => {
  const packages = [
    [
      'phone.msi',
      fileURLToPath(new URL('../../fixtures/msi/phone.msi', import.meta.url)),
      [
        'ProgramFilesFolder/Fixture Company/Phone/Fixture Phone.exe',
        'ProgramFilesFolder/Fixture Company/readme.txt',
      ],
    ],
    ...(corpus.available
      ? [
          [
            'a real merge module',
            corpus.path('windows-skype4com-1.0.36.0-merge-module/Skype4COM.msm'),
            ['CommonFilesFolder/Skype/Skype4COM.dll'],
          ] as const,
        ]
      : []),
  ] as const;

  it.each(packages)('the names in that of %s become paths', async (_name, path, paths) => {
    const bytes = new Uint8Array(readFileSync(path));
    const reading = await msiFormat.read(toByteSource(bytes), { budget: new Budget(1), report: () => {} });
    const renamed: (string | undefined)[] = [];
    for await (const { content, rename } of reading.members?.() ?? []) {
      if (rename === undefined || content.kind !== 'source') continue;
      writeFileSync(join(folder, 'listed.cab'), content.source.read(0, content.source.size));
      const listed = run('7zz', 'l', '-ba', '-slt', 'listed.cab').matchAll(/^Path = (.*)$/gm);
      for (const [, name = ''] of listed) renamed.push(rename(name));
    }
    expect(renamed).toEqual(paths);
  });
});

describe.skipIf(!hasTools || !corpus.available)('when the merge module is a real one', () => {
  it('every table is what msiinfo exports', () => {
    const rows = compareTables(corpus.path('windows-skype4com-1.0.36.0-merge-module/Skype4COM.msm'));
    expect(rows).toBeGreaterThan(700);
  });
});
