import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildPe } from '../../fixtures/pe-builder.ts';
import { packUpx } from '../../fixtures/upx-builder.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { Budget, defaultLimits } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { toHex } from '../../src/bytes/cursor.ts';
import { toDigest } from '../../src/platform/digests.ts';
import { type Knowledge, toKnowledge } from '../../src/scan/knowledge.ts';
import { type Artifact, walkArtifacts } from '../../src/scan/model.ts';
import { Walk } from '../../src/scan/walk.ts';
import { loadDatabase } from '../../src/signatures/load.ts';
import { toFingerprint } from '../../src/signatures/similarity/fingerprint.ts';
import { assess } from '../../src/verdict/assess.ts';
import { explain } from '../../src/report/explain.ts';
import { english } from '../../src/report/translator.ts';
import type { FileResult } from '../../src/verdict/model.ts';
import { corpus } from '../corpus.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';
import {
  knownBuildHeader,
  product,
  similarBuildHeader,
  sources,
  toRow,
  toSimilarRow,
  toVariant,
  writeFolder,
} from '../signatures/database-fixture.ts';
import { toRandomBytes } from '../signatures/similarity/samples.ts';

const code = toRandomBytes(40_000, 1, 200);
const build = (data: Uint8Array, name = 'Demo'): Uint8Array =>
  buildPe({
    sections: [{ name: '.data', data }],
    versionInfo: { ProductName: name, FileVersion: '1.0.0.0' },
  });
const original = build(code);
const changed = build(Uint8Array.from(code, (byte, index) => (index > 20_000 && index < 20_100 ? 0 : byte)));
const stranger = build(toRandomBytes(40_000, 2, 200));

function toLine(bytes: Uint8Array, change: Parameters<typeof toSimilarRow>[0] = {}): string {
  const { tlsh, ssdeep } = toFingerprint(toByteSource(bytes));
  return toSimilarRow({
    sha256: toHex(toDigest('sha256', bytes)),
    tlsh: tlsh ?? '',
    ssdeep,
    size: String(bytes.length),
    ...change,
  });
}

function toDatabase(lines: readonly string[], ledger: readonly string[] = []): Knowledge {
  return toKnowledge(
    loadDatabase([
      writeFolder({
        'demo/product.json': product,
        'demo/sources.json': sources,
        'demo/variants/official.json': toVariant('official', [], 'official'),
        'demo/known-builds/windows.tsv': [knownBuildHeader, ...ledger].join('\n'),
        'demo/similar/windows.tsv': [similarBuildHeader, ...lines].join('\n'),
      }),
    ]),
  );
}

const knowledge = toDatabase([toLine(original)]);
const told = (file: FileResult, isVerbose = false): readonly string[] =>
  explain(file, { isVerbose, translator: english })
    .filter(({ label }) => label === 'closest to')
    .flatMap(({ text, support }) => [text, ...support.map((line) => line.text)]);

describe('when a program claims the product', () => {
  it('is told what it is closest to', async () => {
    const file = await scanBytes('changed.exe', changed, { knowledge });
    expect(file).toMatchObject({
      verdict: 'unverified',
      knownBuild: null,
      closest: [
        {
          path: 'changed.exe',
          sha256: toHex(toDigest('sha256', original)),
          product: 'Demo',
          version: '1.0',
          variant: 'official',
          platform: 'windows',
          platformName: 'Windows',
          fileName: 'demo.exe',
          part: null,
        },
      ],
    });
    const [closest] = file.closest ?? [];
    expect(closest?.likeness).toBeGreaterThan(80);
    expect(closest?.likeness).toBe(closest?.ssdeep);
    expect(told(file)).toEqual([`Demo 1.0 for Windows, ${closest?.likeness} % alike (a hint, not proof)`]);
    expect(told(file, true)[1]).toMatch(/^ssdeep \d+, TLSH distance \d+; demo\.exe, sha256 [0-9a-f]{64}$/);
  });

  it('is told nothing when nothing is close', async () => {
    expect(await scanBytes('a.exe', stranger, { knowledge })).toMatchObject({
      verdict: 'unverified',
      closest: null,
    });
  });

  it('is told nothing when it is the recorded file itself', async () => {
    expect((await scanBytes('a.exe', original, { knowledge })).closest).toBeNull();
  });

  it('is told nothing when its digest is known', async () => {
    const known = toDatabase([toLine(original)], [toRow({ digest: toHex(toDigest('sha256', changed)) })]);
    const file = await scanBytes('a.exe', changed, { knowledge: known });
    expect(file).toMatchObject({ verdict: 'official', closest: null });
  });

  it('is compared without the ledger, where that is left out', async () => {
    const known = toDatabase([toLine(original)], [toRow({ digest: toHex(toDigest('sha256', changed)) })]);
    const file = await scanBytes('a.exe', changed, { knowledge: { ...known, usesKnownBuilds: false } });
    expect(file.closest).toHaveLength(1);
  });

  it('names at most three builds, each once', async () => {
    const variants = [1, 2, 3, 4, 5].map((version) =>
      toLine(build(Uint8Array.from(code, (byte, at) => (at < version * 500 ? 0 : byte))), {
        version: `${version}.0`,
      }),
    );
    const image = toLine(changed, { sha256: 'f'.repeat(64), version: '1.0', part: '[upx]' });
    const file = await scanBytes('a.exe', changed, { knowledge: toDatabase([...variants, image]) });
    expect(file.closest?.map(({ version, part }) => [version, part])).toEqual([
      ['1.0', '[upx]'],
      ['2.0', null],
      ['3.0', null],
    ]);
    expect(told(file)).toHaveLength(1);
    expect(told(file, true)).toHaveLength(6);
  });
});

describe('when a program claims nothing', () => {
  it('is not compared, however alike it is', async () => {
    const file = await scanBytes('a.exe', build(code, 'Another'), { knowledge });
    expect(file).toMatchObject({ verdict: 'other', closest: null });
  });
});

describe('when the program lies in a container', () => {
  it('names the member', async () => {
    const archive = buildZip({ entries: [{ name: '软件/a.exe', data: changed }] });
    const file = await scanBytes('a.zip', archive, { knowledge });
    expect(file.closest?.map(({ path }) => path)).toEqual(['a.zip » 软件/a.exe']);
    expect(told(file)[1]).toBe('a.zip » 软件/a.exe');
  });
});

describe('when a packed program is unpacked', () => {
  const packed = packUpx(changed, { method: 'nrv2b' });

  it('is recognised by its image where the packed bytes are not alike', async () => {
    const { root } = await walk(packed, knowledge);
    const image = root.members.find(({ relation }) => relation === 'image');
    if (image?.size === undefined) throw new Error('not unpacked');
    const lines = [toLine(await unpack(packUpx(original, { method: 'lzma' })), { part: '[upx]' })];
    const file = await scanBytes('a.exe', packed, { knowledge: toDatabase(lines) });
    expect(file.closest?.map(({ path, part }) => [path, part])).toEqual([['a.exe » [upx]', '[upx]']]);
    expect(told(file)[0]).toMatch(/^Demo 1\.0 for Windows » \[upx\], \d+ % alike/);
  });

  it('says that an image is the same', async () => {
    const lines = [toLine(await unpack(packed), { part: '[upx]' })];
    const file = await scanBytes('a.exe', packed, { knowledge: toDatabase(lines) });
    expect(file.closest).toMatchObject([{ likeness: 100 }]);
    expect(told(file)[0]).toBe('Demo 1.0 for Windows » [upx], the same bytes (a hint, not proof)');
  });

  it('is left alone when the packed file is the recorded one', async () => {
    const lines = [toLine(packed), toLine(await unpack(packed), { part: '[upx]' })];
    const file = await scanBytes('a.exe', packed, { knowledge: toDatabase(lines) });
    expect(file.closest).toBeNull();
  });
});

describe('when there is no time left', () => {
  it('says that nothing was compared', async () => {
    let now = 0;
    const budget = new Budget(changed.length, defaultLimits, () => now);
    const source = toByteSource(changed);
    let seen = false;
    const visit = (): void => {
      seen = true;
      now = defaultLimits.milliseconds + 1;
    };
    const root = await new Walk(knowledge, budget, { visitor: visit }).run('a.exe', source);
    expect(seen).toBe(true);
    expect(root.closest).toBeUndefined();
    expect(root.problems).toMatchObject([
      {
        code: 'limit/time',
        consequence: 'the limit stopped the work: it was not compared with known builds',
        incomplete: true,
      },
    ]);
  });
});

async function walk(bytes: Uint8Array, known: Knowledge): Promise<{ readonly root: Artifact }> {
  const root = await new Walk(known, new Budget(bytes.length, defaultLimits)).run(
    'a.exe',
    toByteSource(bytes),
  );
  return { root };
}

async function unpack(bytes: Uint8Array): Promise<Uint8Array> {
  let image: Uint8Array | undefined;
  const visit = (
    path: string,
    source: { readonly size: number; read(at: number, length: number): Uint8Array },
  ): void => {
    if (path === 'a.exe » [upx]') image = source.read(0, source.size).slice();
  };
  await new Walk(knowledge, new Budget(bytes.length, defaultLimits), { visitor: visit }).run(
    'a.exe',
    toByteSource(bytes),
  );
  if (image === undefined) throw new Error('not unpacked');
  return image;
}

/** The tree, in which looking at what is alike is an error. */
function forbidClosest(artifact: Artifact): Artifact {
  const copy = { ...artifact, members: artifact.members.map(forbidClosest) };
  return Object.defineProperty(copy, 'closest', {
    get() {
      throw new Error('a judgement looked at what is alike');
    },
  });
}

describe('when a file is judged', () => {
  const demo = knowledge.database.products[0];

  it.each([
    ['alike', changed],
    ['packed', packUpx(changed, { method: 'nrv2b' })],
    ['in an archive', buildZip({ entries: [{ name: 'a.exe', data: changed }] })],
  ])('does not look at what is alike: %s', async (_, bytes) => {
    const { root } = await walk(bytes, knowledge);
    if (demo === undefined) throw new Error('no product');
    const judged = [...assess(root, demo)].map(([artifact, judgement]) => [artifact.path, judgement]);
    const blind = [...assess(forbidClosest(root), demo)].map(([artifact, judgement]) => [
      artifact.path,
      judgement,
    ]);
    expect(blind).toEqual(judged);
    const without = await walk(bytes, toDatabase([]));
    expect(
      [...assess(without.root, demo)].map(([artifact, judgement]) => [artifact.path, judgement]),
    ).toEqual(judged);
  });

  it('has something to look away from', async () => {
    const { root } = await walk(changed, knowledge);
    expect([...walkArtifacts(root)].filter(({ closest = [] }) => closest.length > 0)).toHaveLength(1);
    expect(() => forbidClosest(root).closest).toThrow('looked at what is alike');
  });
});

describe.skipIf(!corpus.available)('when a real installer was edited', () => {
  it('is closest to the one that it was', async () => {
    const bytes = readFileSync(corpus.path('windows-stub-6.3.0.105-edited/SkypeSetup.exe'));
    const file = await scanBytes('SkypeSetup.exe', bytes);
    expect(file).toMatchObject({ verdict: 'damaged' });
    expect(file.closest?.[0]).toMatchObject({ version: '6.3.0.105', part: null, likeness: 99 });
    expect(told(file)).toEqual([
      'Skype (web installer) 6.3.0.105 for Windows, 99 % alike (a hint, not proof)',
    ]);
  });

  it.each(['4.0.0.226', '5.0.0.156', '6.3.0.105', '6.22.64.107', '7.2.0.103', '7.40.66.104'])(
    'says nothing of the genuine %s',
    async (version) => {
      const bytes = readFileSync(corpus.path(`windows-stub-${version}/SkypeSetup.exe`));
      const file = await scanBytes('SkypeSetup.exe', bytes);
      expect(file.closest).toBeNull();
      expect(told(file, true)).toEqual([]);
    },
  );
});
