import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDemoPublisher } from '../../fixtures/demo-publisher.ts';
import {
  buildEdition,
  type EditionOptions,
  frameworkTexts,
  planted,
  plantedTable,
} from '../../fixtures/synthetic-editions.ts';
import { packUpx } from '../../fixtures/upx-builder.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { defaultLimits } from '../../src/bytes/budget.ts';
import { toHex } from '../../src/bytes/cursor.ts';
import { learn, type LearnRequest, type LearnSource } from '../../src/learn/learn.ts';
import type { Learnt, SourceRole } from '../../src/learn/model.ts';
import { toDraftText, toLearningText } from '../../src/report/learning.ts';
import { checkDatabase } from '../../src/signatures/check.ts';
import { loadDatabase, readDatabase } from '../../src/signatures/load.ts';
import { toKnowledge } from '../../src/scan/knowledge.ts';
import { variantSchema } from '../../src/signatures/schema.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';
import { product, sources, toVariant, writeFolder } from '../signatures/database-fixture.ts';
import { Chalk } from 'chalk';

const signer = createDemoPublisher('Paloma Osten Vertrieb');
const hasCabinets = spawnSync('gcab', ['--version']).status === 0;
if (!hasCabinets) console.warn('SKIPPED: a sample in a cabinet, because gcab is not installed');

const zip = (name: string, data: Uint8Array): Uint8Array => buildZip({ entries: [{ name, data }] });
const upx = (program: Uint8Array): Uint8Array => packUpx(program, { method: 'nrv2e' });

let folder = '';

function put(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

/** Eastern builds, each packed in another way; western ones and strangers as they are. */
function putFiles(): void {
  const eastern = (build: number): Uint8Array => buildEdition({ edition: 'eastern', build });
  put('samples/1.exe', signer.sign(eastern(1)));
  put('samples/2.exe', signer.sign(upx(eastern(2))));
  put('samples/3.zip', zip('innen.zip', zip('软件/client.exe', signer.sign(eastern(3)))));
  if (hasCabinets) {
    const client = put('work/client.exe', signer.sign(eastern(4)));
    const { status } = spawnSync('gcab', ['-c', '-z', '-n', put('samples/4.cab', new Uint8Array(0)), client]);
    expect(status).toBe(0);
  }
  const others: readonly (readonly [string, EditionOptions])[] = [
    ['others/1.exe', { edition: 'western', build: 1 }],
    ['others/2.exe', { edition: 'western', build: 9 }],
    ['goodware/stranger.exe', { edition: 'stranger', build: 5 }],
  ];
  for (const [name, options] of others) put(name, buildEdition(options));
}

const samplePaths = (): readonly string[] =>
  ['1.exe', '2.exe', '3.zip', ...(hasCabinets ? ['4.cab'] : [])].map((name) => join(folder, 'samples', name));
const otherPaths = (): readonly string[] => ['1.exe', '2.exe'].map((name) => join(folder, 'others', name));

function toSources(role: SourceRole, paths: readonly string[]): readonly LearnSource[] {
  return paths.map((path) => ({ role, job: { path } }));
}

function toDatabase(files: Readonly<Record<string, unknown>> = {}): string {
  return writeFolder({
    'demo/product.json': product,
    'demo/sources.json': { sources: { paper: sources.sources.paper } },
    'demo/variants/official.json': toVariant('official', [], 'official'),
    ...files,
  });
}

async function run(change: Partial<LearnRequest> = {}, database = toDatabase()): Promise<Learnt> {
  const [only] = loadDatabase([database]).products;
  if (only === undefined) throw new Error('the database holds no product');
  return await learn({
    product: only,
    variant: 'eastern',
    role: 'regional',
    sources: [...toSources('sample', samplePaths()), ...toSources('other', otherPaths())],
    minShare: 1,
    max: 50,
    isReal: false,
    limits: defaultLimits,
    ...change,
  });
}

const titles = ({ proposals }: Learnt): readonly string[] =>
  proposals.flatMap(({ indicator, also }) => [indicator.title, ...also.map(({ title }) => title)]);

beforeAll(() => {
  folder = writeFolder({});
  putFiles();
});

describe('when an edition is learnt from samples that are packed in different ways', () => {
  let learnt: Learnt;
  beforeAll(async () => {
    learnt = await run();
  });
  const find = (test: (when: object) => boolean) =>
    learnt.proposals.find(({ indicator }) => test(indicator.when));

  it('reads all of them', () => {
    expect(learnt.sources.filter(({ outcome }) => outcome !== 'read')).toEqual([]);
    expect(learnt.least).toBe(samplePaths().length);
  });

  it('finds the host, with the request as what comes with it', () => {
    const host = learnt.proposals.find(({ kind }) => kind === 'host');
    expect(host?.indicator).toMatchObject({ when: { host: planted.host }, in: ['pe'], strength: 'strong' });
    expect(titles(learnt).some((title) => title.includes('/agent/wordlist_u'))).toBe(true);
  });

  it('names the place in each sample: nested path, region and offset', () => {
    const places = learnt.proposals
      .find(({ kind }) => kind === 'host')
      ?.sightings.map((one) => one.places[0])
      .map((place) => `${place?.path.slice(folder.length) ?? ''} » ${place?.region ?? ''}`);
    expect(places).toHaveLength(samplePaths().length);
    expect(places?.[1]).toMatch(/^\/samples\/2\.exe » \[upx\] » \.data\+0x[0-9a-f]+$/);
    expect(places?.[2]).toMatch(/^\/samples\/3\.zip » innen\.zip » 软件\/client\.exe » \.data\+0x[0-9a-f]+$/);
  });

  it.each([
    [
      'the field of the version block',
      { versionInfo: { field: planted.field, is: { equals: planted.fieldValue } } },
    ],
    ['a text in UTF-16', { text: planted.wide }],
    ['a Chinese text in UTF-16', { text: planted.wideChinese }],
    ['the resource', { fact: 'resource', name: `${planted.resourceType}/TABLE/1033`, is: { matches: '.' } }],
    ['the certificate', { signer: { sha256: signer.certificates.leaf.sha256 } }],
    ['the third number of the version', { version: [null, 4] }],
  ])('finds %s', (_, when) => {
    expect(find((one) => JSON.stringify(one) === JSON.stringify(when))).toBeDefined();
  });

  it('finds the imported library and the path of the build machine, where no packer hid them', async () => {
    const bare = [0, 2].flatMap((at) => samplePaths()[at] ?? []);
    const bareOnly = await run({
      sources: [...toSources('sample', bare), ...toSources('other', otherPaths())],
    });
    expect(titles(bareOnly)).toContain(`imported library ${planted.library}`);
    expect(titles(bareOnly)).toContain(`debug path ${planted.pdbPath}`);
  });

  it('finds a Chinese text in GBK as bytes', () => {
    expect(titles(learnt)).toContain(`text ${planted.gbk} in GBK`);
  });

  it('finds the byte run, and a piece of it alone', () => {
    const runs = learnt.proposals.filter(({ kind }) => kind === 'bytes');
    const [when] = runs.map(({ indicator }) => indicator.when);
    const bytes = when !== undefined && 'bytes' in when ? when.bytes : '';
    expect(bytes).toHaveLength(64);
    expect(toHex(plantedTable)).toContain(bytes);
  });

  it('proposes nothing that the others have, and no framework', () => {
    for (const text of [...frameworkTexts, 'Hauptfenster', 'updates.paloma', 'Paloma Example', 'KERNEL32'])
      expect(titles(learnt).filter((title) => title.includes(text))).toEqual([]);
  });

  it('suggests nothing decisive, cites nothing, and claims no real file', () => {
    for (const { indicator } of learnt.proposals) {
      expect(indicator.strength).not.toBe('decisive');
      expect(indicator.sources).toEqual([]);
      expect(indicator.testedOnRealFile).toBe(false);
      expect(indicator.note).toMatch(/^Learnt: .* samples and in none of the 2 files .* Places: /);
      expect(indicator.note).not.toContain(folder);
    }
  });

  it('writes a draft that the check refuses for its sources, and for nothing else', () => {
    const database = toDatabase({ 'demo/variants/eastern.json': toDraftText(learnt.draft ?? fail()) });
    const { problems } = readDatabase([database]);
    expect(problems).toHaveLength(learnt.proposals.length);
    expect(problems.map(({ field }) => field)).toEqual(
      learnt.proposals.map((_, at) => `indicators[${at}].sources`),
    );
  });

  it('gives a variant that is found again when a person has filled the sources in', async () => {
    const draft = learnt.draft ?? fail();
    const filled = { ...draft, indicators: draft.indicators.map((one) => ({ ...one, sources: ['paper'] })) };
    const reference = toDatabase({ 'demo/variants/eastern.json': filled });
    expect(checkDatabase(readDatabase([reference])).diagnostics).toEqual([]);
    const database = loadDatabase([reference]);
    const knowledge = toKnowledge(database);
    for (const path of samplePaths()) {
      const result = await scanBytes(path, readFileSync(path), { knowledge });
      expect({ verdict: result.verdict, variant: result.variant }).toEqual({
        verdict: 'variant',
        variant: 'eastern',
      });
    }
    const unseen = await scanBytes('new.exe', buildEdition({ edition: 'eastern', build: 77 }), { knowledge });
    expect(unseen.variant).toBe('eastern');
    for (const path of otherPaths()) {
      const result = await scanBytes(path, readFileSync(path), { knowledge });
      expect(result.telltales).toEqual([]);
    }
  });

  it('says the same whatever the order of the files', async () => {
    const again = await run({
      sources: [
        ...toSources('other', otherPaths().toReversed()),
        ...toSources('sample', samplePaths().toReversed()),
      ],
    });
    expect(JSON.stringify(again)).toBe(JSON.stringify(learnt));
  });

  it('tells it to a person', () => {
    const text = toLearningText(learnt, { colour: new Chalk({ level: 0 }), columns: 100, isVerbose: false });
    expect(text).toContain(`host ${planted.host}`);
    expect(text).toMatch(
      /\n \d+ proposals for "eastern", shared by all \d samples; compared with 2 of other editions\n/,
    );
  });
});

describe('when the request changes', () => {
  it('leaves out what goodware has', async () => {
    const only = toSources('sample', samplePaths());
    const alone = await run({ sources: only });
    expect(titles(alone).some((title) => title.includes('paloma-messenger.com'))).toBe(true);
    const goodware = toSources('goodware', [join(folder, 'goodware/stranger.exe')]);
    const compared = await run({ sources: [...only, ...goodware] });
    expect(titles(compared).filter((title) => title.includes('paloma-messenger.com'))).toEqual([]);
    expect(titles(compared)).toContain(`host ${planted.host}`);
  });

  it('suggests nothing strong when nothing was compared', async () => {
    const { proposals } = await run({ sources: toSources('sample', samplePaths()) });
    expect(new Set(proposals.map(({ indicator }) => indicator.strength))).toEqual(new Set(['suggestive']));
  });

  it('drops a text that stands within a longer one of the others', async () => {
    const other = put('within/other.exe', buildEdition({ edition: 'western', build: 3 }));
    const bytes = readFileSync(other);
    const longer = Buffer.from(`x${planted.wide}x`, 'utf16le');
    const path = put('within/longer.exe', new Uint8Array(Buffer.concat([bytes, longer])));
    const learnt = await run({
      sources: [...toSources('sample', samplePaths()), ...toSources('other', [path])],
    });
    expect(titles(learnt)).not.toContain(`text ${planted.wide}`);
    expect(learnt.dropped.others).toBeGreaterThan(0);
  });

  it('is content with a share of the samples', async () => {
    const odd = put('odd/5.exe', buildEdition({ edition: 'western', build: 33 }));
    const all = [...toSources('sample', [...samplePaths(), odd]), ...toSources('other', otherPaths())];
    expect(titles(await run({ sources: all }))).not.toContain(`host ${planted.host}`);
    const learnt = await run({ sources: all, minShare: 0.7 });
    expect(learnt.least).toBe(Math.ceil(0.7 * all.filter(({ role }) => role === 'sample').length));
    expect(titles(learnt)).toContain(`host ${planted.host}`);
  });

  it('shows as many as were asked for, and says how many there are', async () => {
    const learnt = await run({ max: 3 });
    expect(learnt.proposals).toHaveLength(3);
    expect(learnt.withheld).toBeGreaterThan(3);
    expect(new Set(learnt.proposals.map(({ kind }) => kind)).size).toBe(3);
  });

  it('adds only what is new to a variant of the database', async () => {
    const known = {
      ...toVariant('eastern', [
        {
          id: 'eastern-relay',
          title: 'host',
          when: { any: [{ host: planted.host }, { text: planted.wide }] },
          in: ['pe'],
          strength: 'strong',
          sources: ['paper'],
          tests: {
            hit: [{ format: 'pe', content: [planted.host] }],
            nearMiss: [{ format: 'pe', content: ['nothing'] }],
          },
          testedOnRealFile: false,
        },
      ]),
      name: 'Paloma Osten',
    };
    const database = toDatabase({ 'demo/variants/eastern.json': known });
    const learnt = await run({ role: 'impostor' }, database);
    expect(learnt.draft).toMatchObject({ name: 'Paloma Osten', role: 'regional' });
    expect(titles(learnt)).not.toContain(`host ${planted.host}`);
    expect(learnt.dropped.known).toBe(2);
    const overlay = writeFolder({ 'demo/variants/eastern.json': filledIn(learnt.draft) });
    const [joined] = loadDatabase([database, overlay]).products;
    expect(joined?.variants.find(({ id }) => id === 'eastern')?.indicators).toHaveLength(
      1 + learnt.proposals.length,
    );
  });
});

function filledIn(draft: Learnt['draft']): unknown {
  return variantSchema.parse({
    ...draft,
    indicators: draft?.indicators.map((indicator) => ({ ...indicator, sources: ['paper'] })),
  });
}

describe('when a file cannot be learnt from', () => {
  it('leaves out a sample that is cut off, and says why', async () => {
    const whole = readFileSync(join(folder, 'samples/3.zip'));
    const cut = put('cut/3.zip', whole.subarray(0, whole.length - 300));
    const learnt = await run({
      sources: [...toSources('sample', [...samplePaths(), cut]), ...toSources('other', otherPaths())],
    });
    const told = learnt.sources.find(({ path }) => path === cut);
    expect(told).toMatchObject({ outcome: 'left-out', role: 'sample' });
    expect(told?.reason).toMatch(/^it .+; .+/);
    expect(titles(learnt)).toContain(`host ${planted.host}`);
  });

  it('leaves out a bomb', async () => {
    const bomb = put('bomb/bomb.zip', zip('zeros', new Uint8Array(1 << 22)));
    const learnt = await run({
      sources: [...toSources('sample', [...samplePaths(), bomb]), ...toSources('other', otherPaths())],
      limits: { ...defaultLimits, bytesProduced: 1 << 21 },
    });
    expect(learnt.sources.find(({ path }) => path === bomb)).toMatchObject({
      outcome: 'left-out',
      reason: expect.stringMatching(/^it unpacked more than 2097152 bytes in all/),
    });
    expect(titles(learnt)).toContain(`host ${planted.host}`);
  });

  it('counts the same bytes once, and does not let a sample strike itself out', async () => {
    const twin = put('twin/1.exe', readFileSync(join(folder, 'samples/1.exe')));
    const learnt = await run({
      sources: [
        ...toSources('sample', [...samplePaths(), twin]),
        ...toSources('other', [...otherPaths(), join(folder, 'samples/2.exe')]),
      ],
    });
    expect(learnt.least).toBe(samplePaths().length);
    expect(
      learnt.sources.filter(({ outcome }) => outcome === 'left-out').map(({ reason }) => reason),
    ).toEqual([
      expect.stringMatching(/^it is byte for byte the same file as .*1\.exe, and counts once$/),
      expect.stringMatching(/^it is byte for byte the sample .*2\.exe, which would strike out everything$/),
    ]);
    expect(titles(learnt)).toContain(`host ${planted.host}`);
  });

  it('proposes nothing when nothing could be read', async () => {
    const learnt = await run({ sources: toSources('sample', [join(folder, 'no-such-file')]) });
    expect(learnt).toMatchObject({ proposals: [], draft: undefined, least: 0 });
    expect(learnt.sources).toMatchObject([{ outcome: 'left-out', reason: 'it does not exist' }]);
  });
});

function fail(): never {
  throw new Error('nothing was learnt');
}
