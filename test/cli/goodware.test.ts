import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { product, sources, toIndicator, toVariant, writeFolder } from '../signatures/database-fixture.ts';
import { type Ended, runTelltale } from './run.ts';

const tests = (text: string) => ({
  hit: [{ format: 'text', content: [text] }],
  nearMiss: [{ format: 'text', content: [text.replace('-', ' ')] }],
});

const toFiles = (indicators: readonly unknown[]) => ({
  'demo/product.json': product,
  'demo/sources.json': { sources: { paper: sources.sources.paper } },
  'demo/variants/tom.json': toVariant('tom', indicators),
});

let folder = '';
const check = (...args: readonly string[]): Ended =>
  runTelltale(['db', 'check', '--only-database', '--database', 'database', ...args], { cwd: folder });

beforeAll(() => {
  folder = writeFolder({
    ...Object.fromEntries(
      Object.entries(
        toFiles([
          toIndicator({ text: 'quick-brown-fox' }, { id: 'tom-fox', tests: tests('quick-brown-fox') }),
          toIndicator(
            { text: 'lazy-dog' },
            { id: 'tom-dog', strength: 'suggestive', tests: tests('lazy-dog') },
          ),
        ]),
      ).map(([name, content]) => [`database/${name}`, content]),
    ),
    'broken/demo/product.json': '{',
    'quiet/notes.txt': 'lazy-dog\n',
    'quiet/程序/\u001b[31mred.zip': buildZip({
      entries: [{ name: 'secret.exe', data: 'x'.repeat(40), flags: 1 }],
    }),
    'loud/a.zip': buildZip({
      entries: Array.from({ length: 9 }, (_, index) => ({ name: `${index}.txt`, data: 'quick-brown-fox' })),
    }),
    'loud/b.txt': 'a quick-brown-fox\n',
  });
  mkdirSync(join(folder, 'empty'));
  mkdirSync(join(folder, 'dangling'));
  symlinkSync('nowhere', join(folder, 'dangling/link.exe'));
  writeFileSync(join(folder, 'dangling/fine.txt'), 'fine\n');
});

describe('when a database is checked against goodware', () => {
  it('passes where nothing above suggestive fires, and says how common the patterns are', () => {
    const { code, stdout, stderr } = check('--goodware', 'quiet');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatchInlineSnapshot(`
      "warning[goodware/fires-weakly]: "tom-dog" (suggestive) fires on 1 artifact of 1 file that has nothing to do with it
        --> database/demo/variants/tom.json:50:15
         |
      50 |       "when": {
         |               ^
         = note: quiet/notes.txt at 0x0: text lazy-dog
         = in: indicator tom-dog, indicators[1].when
         = why: It decides nothing, but a hint that is shown on ordinary programs is noise.
         = help: Make the condition narrower, or say in "allow" why the hint is worth it.

       goodware: 2 files, 133 bytes; with everything unpacked 3 artifacts, 133 bytes
         1 text, 1 unread, 1 zip

       patterns that occur at all: 1 of 2, wherever they stand
         files artifacts   times  pattern                              asked for by
             1         1       1  text lazy-dog                        tom-dog

       not read fully: 1 artifact in 1 file
         1 encrypted/member
         encrypted/member  quiet/程序/\\u{1b}[31mred.zip » secret.exe: is encrypted (ZipCrypto)

       0 errors, 1 warning in 2 indicators
      "
    `);
  });

  it('fails where a strong indicator fires, and names the first places', () => {
    const { code, stdout } = check('--goodware', 'loud');
    expect(code).toBe(2);
    expect(stdout).toMatchInlineSnapshot(`
      "error[goodware/fires]: "tom-fox" (strong) fires on 10 artifacts of 2 files that have nothing to do with it
        --> database/demo/variants/tom.json:17:15
         |
      17 |       "when": {
         |               ^
         = note: loud/a.zip » 0.txt at 0x0: text quick-brown-fox
         = note: loud/a.zip » 1.txt at 0x0: text quick-brown-fox
         = note: loud/a.zip » 2.txt at 0x0: text quick-brown-fox
         = note: and 7 more
         = in: indicator tom-fox, indicators[0].when
         = why: It would name the variant on computers that never saw it.
         = help: Look at the files named. Make the condition narrower, or make the indicator "suggestive".
                 Where a file really is the variant, take it out of the collection.

       goodware: 2 files, 967 bytes; with everything unpacked 11 artifacts, 1.1 KiB
         10 text, 1 zip

       patterns that occur at all: 1 of 2, wherever they stand
         files artifacts   times  pattern                              asked for by
             2        10      10  text quick-brown-fox                 tom-fox

       everything was read

       1 error, 0 warnings in 2 indicators
      "
    `);
  });

  it('says the same with any number of workers', () => {
    const reports = ['0', '1', '2'].map((jobs) =>
      check('--goodware', 'loud', '--goodware', 'quiet', '--format', 'json', '--jobs', jobs),
    );
    expect(reports.map(({ code }) => code)).toEqual([2, 2, 2]);
    expect(new Set(reports.map(({ stdout }) => stdout)).size).toBe(1);
    expect(JSON.parse(reports[0]?.stdout ?? '')).toMatchObject({
      schema: 'telltale/db-check/2',
      errors: 1,
      goodware: {
        schema: 'telltale/db-goodware/1',
        folders: ['loud', 'quiet'],
        files: 4,
        fired: [
          { indicator: 'tom-fox', strength: 'strong', files: 2, artifacts: 10 },
          { indicator: 'tom-dog', strength: 'suggestive', files: 1, artifacts: 1 },
        ],
        unread: [{ code: 'encrypted/member', count: 1 }],
      },
    });
  });

  it('does not pass over a file of which nothing could be read', () => {
    const { code, stdout } = check('--goodware', 'dangling');
    expect(code).toBe(3);
    expect(stdout).toContain('of 1 file nothing could be read');
    expect(stdout).toContain('unreadable/missing  dangling/link.exe');
  });

  it('does not call an empty folder read', () => {
    const { code, stdout } = check('--goodware', 'empty');
    expect(code).toBe(4);
    expect(stdout).toContain('goodware: the paths hold no files');
    expect(stdout).not.toContain('everything was read');
  });

  it.each([
    ['a folder that is not there', ['--goodware', 'nowhere'], 2],
    ['a number of workers that is none', ['--goodware', 'quiet', '--jobs', 'many'], 2],
  ])('ends as it should with %s', (_, args, code) => {
    expect(check(...args).code).toBe(code);
  });

  it('does not look at goodware with a database that is broken', () => {
    const { code, stdout } = runTelltale(
      ['db', 'check', '--only-database', '--database', 'broken', '--goodware', 'quiet'],
      { cwd: folder },
    );
    expect(code).toBe(2);
    expect(stdout).toContain('goodware: not looked at, because the database does not load');
  });
});
