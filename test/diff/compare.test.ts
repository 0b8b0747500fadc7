import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Arbitrary, assert, asyncProperty, constantFrom, dictionary, oneof } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { removeSignature } from '../../fixtures/authenticode-signer.ts';
import { createDemoPublisher } from '../../fixtures/demo-publisher.ts';
import { buildPe } from '../../fixtures/pe-builder.ts';
import {
  buildPlainSkype,
  buildSkypeLike,
  buildTomSkype,
  skypeVersionInfo,
  tomTexts,
} from '../../fixtures/synthetic-skype.ts';
import { packUpx } from '../../fixtures/upx-builder.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { compareFiles } from '../../src/diff/compare.ts';
import { defaultLimits } from '../../src/bytes/budget.ts';
import type { Comparison } from '../../src/diff/model.ts';
import { shippedKnowledge } from '../end-to-end/scan-bytes.ts';
import { compareBytes, type Contents, memberAt, mirror, outline, sortedAsSet } from './compare-bytes.ts';

const official = buildSkypeLike({ version: '5.1.0.112', texts: ['http://ui.skype.com/ui/0/5.1.0.112/'] });
const tom = buildTomSkype({ version: '5.1.4.10' });
const signed = createDemoPublisher().sign(buildPlainSkype());
const zip = (entries: Readonly<Record<string, Uint8Array | string>>): Uint8Array =>
  buildZip({ entries: Object.entries(entries).map(([name, data]) => ({ name, data })) });

describe('when the official build and another edition are compared', () => {
  it('names the telltales that the difference carries, with place and sources', async () => {
    const result = await compareBytes(['SkypeSetup.exe', official], ['SkypeSetup.exe', tom]);
    expect(result).toMatchObject({
      differs: true,
      complete: true,
      before: { verdict: 'unverified' },
      after: { verdict: 'variant', variant: 'tom' },
    });
    const decisive = result.telltales.came.filter(({ strength }) => strength === 'decisive');
    expect(decisive.length).toBeGreaterThan(0);
    for (const { places, sources } of decisive) {
      expect(sources.length).toBeGreaterThan(0);
      expect(places.length).toBeGreaterThan(0);
      for (const { path, region, offset, carriedBy } of places) {
        expect(path.endsWith('SkypeSetup.exe')).toBe(true);
        expect(region).toMatch(/^\.data/);
        expect(offset).toBeGreaterThan(0);
        expect(['bytes', 'region']).toContain(carriedBy);
      }
    }
    const { strings, facts } = memberAt(result, '');
    expect(strings?.came.listed.filter(({ kind }) => kind === 'url').map(({ text }) => text)).toEqual(
      [...tomTexts].sort(),
    );
    expect(facts).toContainEqual({
      kind: 'versionInfo',
      name: 'FileVersion',
      change: 'changed',
      before: expect.stringContaining('5.1.0.112'),
      after: expect.stringContaining('5.1.4.10'),
    });
  });

  const packed = (program: Uint8Array): Uint8Array => packUpx(program, { method: 'lzma' });
  it.each([
    ['packed on one side', official, packed(tom), 'form'],
    ['packed on the other', packed(official), tom, 'form'],
    ['packed on both in different ways', packed(official), packUpx(tom, { method: 'nrv2b' }), 'path'],
  ])('finds the strings that came where a program is %s', async (_, before, after, by) => {
    const result = await compareBytes(['a.exe', before], ['b.exe', after]);
    const unpacked = result.members.filter(
      ({ pairedBy, before: left, after: right }) =>
        pairedBy === by && (left?.inner === '[upx]' || right?.inner === '[upx]'),
    );
    expect(unpacked).toHaveLength(1);
    const came = unpacked[0]?.strings?.came.listed.map(({ text }) => text);
    for (const text of tomTexts) expect(came).toContain(text);
    expect(unpacked[0]?.strings?.came.total).toBeLessThan(10);
  });

  it('finds the program in an archive by what it calls itself', async () => {
    const archive = zip({ '软件/Tom-SkypeSetup.exe': tom, 'readme.txt': 'A text that says nothing.\n' });
    const result = await compareBytes(['SkypeSetup.exe', official], ['skype_cn.zip', archive]);
    expect(outline(result)).toEqual([
      'added | - | - | ',
      'renamed-and-changed | identity |  | 软件/Tom-SkypeSetup.exe',
      'added | - | - | readme.txt',
    ]);
  });
});

describe('when members are paired', () => {
  it('takes path, then content, then likeness, and says which', async () => {
    const lines = (word: string): string =>
      Array.from({ length: 40 }, (_, at) => `the line ${at % 37} of the text ${word}`).join('\n');
    const before = zip({
      'same.txt': 'nothing happens here\n',
      'changed.txt': 'it was like this\n',
      'old-name.txt': 'the content stays\n',
      'docs/manual.txt': 'first edition of it\n',
      'program.exe': buildPe({ versionInfo: skypeVersionInfo('1.0.0.0', 'Phone.exe') }),
      'essay.txt': lines(''),
      'gone.txt': 'went away\n',
    });
    const after = zip({
      'same.txt': 'nothing happens here\n',
      'changed.txt': 'it is like that now\n',
      'new-name.txt': 'the content stays\n',
      'help/manual.txt': 'second edition, all new\n',
      'client.exe': buildPe({ versionInfo: skypeVersionInfo('2.0.0.0', 'Phone.exe') }),
      'treatise.txt': `${lines('')}\nand a line at the end\n`,
      'fresh.txt': '0123456789 came along\n',
    });
    const result = await compareBytes(['a.zip', before], ['a.zip', after]);
    expect(outline(result)).toEqual([
      'changed | root |  | ',
      'changed | path | changed.txt | changed.txt',
      'renamed-and-changed | identity | program.exe | client.exe',
      'renamed-and-changed | name | docs/manual.txt | help/manual.txt',
      'renamed-and-changed | strings | essay.txt | treatise.txt',
      'added | - | - | fresh.txt',
      'removed | - | gone.txt | -',
      'renamed | content | old-name.txt | new-name.txt',
      'same | path | same.txt | same.txt',
    ]);
    expect(memberAt(result, 'essay.txt').likeness).toBeGreaterThan(0.9);
    expect(result.summary.states).toMatchObject({
      same: 1,
      changed: 2,
      renamed: 1,
      'renamed-and-changed': 3,
      added: 1,
      removed: 1,
    });
  });

  it('keeps several members of one name apart by their content', async () => {
    const twice = (first: string, second: string): Uint8Array =>
      buildZip({
        entries: [
          { name: 'x.txt', data: first },
          { name: 'x.txt', data: second },
        ],
      });
    const result = await compareBytes(['a.zip', twice('one', 'two')], ['a.zip', twice('two', 'three')]);
    expect(outline(result)).toEqual([
      'changed | root |  | ',
      'same | path | x.txt | x.txt',
      'changed | path | x.txt | x.txt',
    ]);
  });
});

describe('when bytes were patched', () => {
  const patch = (program: Uint8Array): Uint8Array => {
    const patched = program.slice();
    const at = Buffer.from(program).indexOf('http://ui.skype.com');
    patched.set(Buffer.from('http://xx.exampl'), at);
    return patched;
  };

  it('says how many, where, and what they were and are', async () => {
    const { bytes } = memberAt(await compareBytes(['a.exe', official], ['a.exe', patch(official)]), '');
    expect(bytes).toMatchObject({ kind: 'patched', total: 1 });
    const [range] = bytes?.ranges ?? [];
    expect(range?.before.place).toMatch(/^\.data\+0x/);
    expect(Buffer.from(range?.before.hex ?? '', 'hex').toString()).toMatch(/^ui\.skype/);
    expect(Buffer.from(range?.after.hex ?? '', 'hex').toString()).toMatch(/^xx\.exampl/);
  });

  it('says the same of a member that has to be unpacked again', async () => {
    const result = await compareBytes(
      ['a.zip', zip({ 'inner.zip': zip({ 'a.exe': official }) })],
      ['a.zip', zip({ 'inner.zip': zip({ 'a.exe': patch(official) }) })],
    );
    expect(memberAt(result, 'inner.zip » a.exe').bytes).toMatchObject({ kind: 'patched', total: 1 });
  });

  it('names the section that changed and those that did not', async () => {
    const { regions } = memberAt(await compareBytes(['a.exe', official], ['a.exe', patch(official)]), '');
    const states = Object.fromEntries(regions.map(({ state, before }) => [before?.name, state]));
    expect(states).toMatchObject({ header: 'same', '.text': 'same', '.data': 'changed', '.rsrc': 'same' });
  });
});

describe('when resources and signatures change', () => {
  it('tells an added resource', async () => {
    const more = buildPlainSkype({
      resources: [{ type: 'PAYLOAD', name: 'A', data: Buffer.from('a text of some length') }],
    });
    const result = await compareBytes(['a.exe', buildPlainSkype()], ['a.exe', more]);
    expect(memberAt(result, '.rsrc/PAYLOAD/A')).toMatchObject({ state: 'added' });
  });

  it('tells another content of the same size', async () => {
    const icon = (byte: number): Uint8Array =>
      buildPe({ resources: [{ type: 3, name: 1, data: new Uint8Array(64).fill(byte) }] });
    const { resources } = memberAt(await compareBytes(['a.exe', icon(1)], ['a.exe', icon(2)]), '');
    expect(resources).toEqual([
      { name: expect.stringMatching(/^ICON\/1/), change: 'changed', before: 64, after: 64 },
    ]);
  });

  it('tells a removed signature, and what it was', async () => {
    const { signature } = memberAt(
      await compareBytes(['a.exe', signed], ['a.exe', removeSignature(signed)]),
      '',
    );
    expect(signature).toMatchObject({
      before: {
        integrity: 'intact',
        signatures: [
          {
            outcome: 'holds',
            signer: 'telltale demonstration publisher',
            signingTime: expect.stringMatching(/^2015-02-26/),
          },
        ],
      },
      after: { integrity: 'unsigned', signatures: [] },
    });
  });
});

describe('when nothing differs', () => {
  it('says so, of files and of folders', async () => {
    const file = await compareBytes(['a.zip', zip({ 'x.exe': tom })], ['b.zip', zip({ 'x.exe': tom })]);
    expect(file).toMatchObject({ differs: false, complete: true });
    const tree = { 'one.exe': tom, more: { 'two.txt': 'a text' } };
    const folder = await compareBytes(['f', tree], ['g', tree]);
    expect(folder).toMatchObject({ differs: false, complete: true, before: { kind: 'folder' } });
    expect(outline(folder)).toEqual([
      'same | root |  | ',
      'same | path | more/two.txt | more/two.txt',
      'same | path | one.exe | one.exe',
    ]);
  });

  it('calls two identical files the same, even where they cannot be opened', async () => {
    const locked = buildZip({ entries: [{ name: 'secret.exe', data: 'x'.repeat(40), flags: 1 }] });
    const result = await compareBytes(['a.zip', locked], ['b.zip', locked]);
    expect(result).toMatchObject({ differs: false, complete: true, before: { complete: false } });
    expect(memberAt(result, 'secret.exe').state).toBe('same');
  });

  it('does not say so of what it could not read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'telltale-diff-'));
    try {
      for (const name of ['a', 'b']) {
        mkdirSync(join(folder, name));
        writeFileSync(join(folder, name, 'x.txt'), 'the same');
        symlinkSync('nowhere', join(folder, name, 'dangling'));
      }
      const result = await compareFiles(
        join(folder, 'a'),
        join(folder, 'b'),
        shippedKnowledge(),
        defaultLimits,
      );
      expect(result).toMatchObject({ differs: false, complete: false });
      expect(memberAt(result, 'dangling')).toMatchObject({
        state: 'unread',
        notCompared: [expect.stringContaining('does not exist')],
      });
      expect(memberAt(result, '').state).toBe('unread');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('when something cannot be read', () => {
  it('says what of a truncated file was not seen', async () => {
    const result = await compareBytes(['a.exe', signed], ['a.exe', signed.subarray(0, signed.length - 500)]);
    expect(result).toMatchObject({
      differs: true,
      complete: false,
      after: { complete: false, verdict: 'damaged' },
    });
    expect(memberAt(result, '').bytes?.ranges[0]?.after.length).toBe(0);
  });

  it('tells an encrypted member from one that is not there', async () => {
    const locked = buildZip({ entries: [{ name: 'a.exe', data: 'x'.repeat(40), flags: 1 }] });
    const result = await compareBytes(['a.zip', zip({ 'a.exe': tom })], ['a.zip', locked]);
    expect(memberAt(result, 'a.exe').state).toBe('unread');
    expect(result.complete).toBe(false);
  });

  it('says that there was no room to keep a member', async () => {
    const text = (word: string): string => `${word} `.repeat(30_000);
    const result = await compareBytes(
      ['a.zip', zip({ 'a.txt': text('one'), 'b.txt': text('two') })],
      ['a.zip', zip({ 'a.txt': text('six'), 'b.txt': text('ten') })],
      { limits: { memberBytesInMemory: 150_000 } },
    );
    const said = result.members.flatMap(({ notCompared }) => notCompared);
    expect(said).toEqual([expect.stringContaining('more than 150000 bytes')]);
    expect(result.complete).toBe(false);
  });

  it('throws when a path is not there, and names it', async () => {
    await expect(
      compareFiles('nowhere.exe', 'nowhere.exe', shippedKnowledge(), defaultLimits),
    ).rejects.toThrow(TelltaleError);
    await expect(
      compareFiles('nowhere.exe', 'nowhere.exe', shippedKnowledge(), defaultLimits),
    ).rejects.toThrow(/^nowhere\.exe does not exist/);
  });
});

describe('when a telltale lies in a name', () => {
  it('says that names carry it', async () => {
    const result = await compareBytes(['SkypeSetup.exe', official], ['Tom-SkypeSetup.exe', official]);
    expect(result.differs).toBe(false);
    const carried = result.telltales.came.flatMap(({ places }) => places.map(({ carriedBy }) => carriedBy));
    expect(carried).toContain('name');
  });
});

/** Without the folders of one run, and lists as sets. */
function toPlain(comparison: unknown): unknown {
  const text = JSON.stringify(comparison, (_, value: unknown) =>
    Array.isArray(value) ? sortedAsSet(value) : value,
  );
  return JSON.parse(text.replaceAll(/telltale-diff-\w+\/[ab]\//g, ''));
}

describe('when the two are swapped', () => {
  const text = constantFrom('one text here', 'two texts here', 'a third text', 'something of length', '');
  const name = constantFrom('a.txt', 'b.txt', 'x/a.txt', 'x/c.bin', 'y/b.txt');
  const file: Arbitrary<Uint8Array | string> = oneof(
    text,
    constantFrom(official, tom, buildPe(), buildPlainSkype()),
    dictionary(name, text, { maxKeys: 4 }).map(zip),
  );
  const tree: Arbitrary<Contents> = dictionary(
    constantFrom('a.zip', 'b.zip', 'setup.exe', 'Tom-Skype.exe', 'c.txt'),
    file,
    {
      maxKeys: 4,
    },
  ).map((files) => files);

  it('gives the mirror image', async () => {
    await assert(
      asyncProperty(tree, tree, async (left, right) => {
        const there = await compareBytes(['t', left], ['t', right]);
        const back = await compareBytes(['t', right], ['t', left]);
        expect(toPlain(back)).toEqual(toPlain(mirror(there)));
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  it('gives the same bytes each time', async () => {
    const files = { 'a.zip': zip({ 'x.exe': tom, 'y.txt': 'a text' }), 'b.exe': official };
    const clean = (one: Comparison): string => JSON.stringify(one).replaceAll(/telltale-diff-\w+/g, '');
    const run = async (): Promise<string> => clean(await compareBytes(['t', files], ['u', { 'a.zip': tom }]));
    expect(await run()).toBe(await run());
  });
});
