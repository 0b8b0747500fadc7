import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { buildElf } from '../../../fixtures/elf-builder.ts';
import { buildDex } from '../../../fixtures/dex-builder.ts';
import { buildMachO } from '../../../fixtures/macho-builder.ts';
import { buildPe } from '../../../fixtures/pe-builder.ts';
import {
  buildGmfSkype,
  buildPlainSkype,
  buildTomSkype,
  tomTexts,
  toTextSection,
} from '../../../fixtures/synthetic-skype.ts';
import { packUpx } from '../../../fixtures/upx-builder.ts';
import { buildZip } from '../../../fixtures/zip-builder.ts';
import { Budget } from '../../../src/bytes/budget.ts';
import { readChunks, toByteSource } from '../../../src/bytes/byte-source.ts';
import { defaultLimits } from '../../../src/index.ts';
import { readArtifacts } from '../../../src/jobs/scan-file.ts';
import type { Visitor } from '../../../src/scan/onlookers.ts';
import { Walk } from '../../../src/scan/walk.ts';
import { encodeText } from '../../../src/signatures/compile.ts';
import { exportYara } from '../../../src/signatures/export/yara.ts';
import type { IndicatorTest } from '../../../src/signatures/schema.ts';
import { toFileResult } from '../../../src/verdict/result.ts';
import { corpus } from '../../corpus.ts';
import { shippedKnowledge } from '../../end-to-end/scan-bytes.ts';
import {
  type Files,
  type Found,
  hasClamscan,
  hasYara,
  isLiteral,
  onlyLiteral,
  runClamscan,
  runTelltaleMatcher,
  runYara,
  writeFiles,
} from './peers.ts';

/*
 * The exports of the database that ships, over everything that telltale unpacks from the fixtures: what YARA and
 * ClamAV find in a member is what telltale finds in it.
 */

const knowledge = shippedKnowledge();
const { database } = knowledge;

const inZip = (name: string, data: Uint8Array): Uint8Array => buildZip({ entries: [{ name, data }] });
const inResource = (data: Uint8Array): Uint8Array => buildPe({ resources: [{ type: 10, name: 101, data }] });

/** Made-up programs of each edition, wrapped as downloads are. */
const fixtures: ReadonlyMap<string, Uint8Array> = new Map(
  (['ascii', 'utf-16le'] as const).flatMap((encoding) =>
    [
      ['tom', buildTomSkype({ encoding })] as const,
      ['gmf', buildGmfSkype({ encoding })] as const,
      ['plain', buildPlainSkype({ encoding })] as const,
    ].flatMap(([edition, program]): readonly (readonly [string, Uint8Array])[] => {
      const name = `${edition}-${encoding}`;
      return [
        [name, program],
        [`${name}-lzma`, packUpx(program, { method: 'lzma' })],
        [`${name}-nrv`, packUpx(program, { method: 'nrv2b' })],
        [`${name}-resource`, inResource(program)],
        [`${name}-deflated`, inResource(deflateSync(program))],
        [`${name}-overlay`, buildPe({ overlay: program })],
        [`${name}-zips`, inZip('inner.zip', inZip('软件/setup.exe', packUpx(program, { method: 'nrv2e' })))],
      ];
    }),
  ),
);

/** What other formats look like, with the texts that only count in programs. */
const others: ReadonlyMap<string, Uint8Array> = new Map([
  ['page', encodeText(`<!DOCTYPE html><html><body>${tomTexts.join(' ')}</body></html>`, 'ascii')],
  ['notes', encodeText(`the client asks ${tomTexts.join(' ')}\n`, 'ascii')],
  [
    'elf',
    buildElf({ sections: [{ name: '.rodata', data: toTextSection(['join-skype.info', ...tomTexts]) }] }),
  ],
  ['macho', buildMachO({ code: toTextSection(['http://a.skypeupdate.com/', ...tomTexts]) }).bytes],
  [
    'dex',
    buildDex({ classes: ['com.skype.Main'], strings: ['com.skype.rover', 'chinaGmf', 'skype.gmw.cn'] }),
  ],
]);

const heads: Readonly<Record<string, (content: Uint8Array) => Uint8Array>> = {
  pe: (content) => buildPe({ sections: [{ name: '.data', data: content }] }),
  elf: (data) => buildElf({ sections: [{ name: '.rodata', data }] }),
  macho: (code) => buildMachO({ code }).bytes,
  dex: (content) => Buffer.concat([Buffer.from('dex\n035\0'), new Uint8Array(104), content]),
  html: (content) => Buffer.concat([Buffer.from('<!DOCTYPE html><html>\n'), content]),
};

/** The made-up artifact of an indicator test as bytes: its texts, NUL between them, in a file of its format. */
function render({ format, content = [], utf16 = [], bytes = [] }: IndicatorTest): Uint8Array {
  const separator = new Uint8Array(2);
  const pieces = [
    ...content.map((text) => encodeText(text, 'ascii')),
    ...utf16.map((text) => encodeText(text, 'utf-16le')),
    ...bytes.map((hex) => Buffer.from(hex, 'hex')),
  ].flatMap((piece) => [piece, separator]);
  const whole = Buffer.concat([separator, ...pieces]);
  return heads[format]?.(whole) ?? whole;
}

/** The hits and near misses of every literal indicator. */
function renderIndicatorTests(): Files {
  const files = new Map<string, Uint8Array>();
  for (const { indicator } of knowledge.compiled.indicators) {
    if (!isLiteral(indicator.when)) continue;
    for (const kind of ['hit', 'nearMiss'] as const) {
      for (const [index, test] of indicator.tests[kind].entries())
        files.set(`${indicator.id}-${kind}-${index}`, render(test));
    }
  }
  return files;
}

interface Unpacked {
  /** Every member and the file itself, under `fixture-number`. */
  readonly files: Files;
  /** Literal indicators that telltale tells of each fixture. */
  readonly told: Found;
}

async function unpack(): Promise<Unpacked> {
  const files = new Map<string, Uint8Array>();
  const told: Record<string, string[]> = {};
  for (const [name, bytes] of [...fixtures, ...others]) {
    const visitor: Visitor = (_, source) => {
      files.set(`${name}#${files.size}`, Buffer.concat([...readChunks(source)]));
    };
    const root = await new Walk(knowledge, new Budget(bytes.length), { visitor }).run(
      name,
      toByteSource(bytes),
    );
    const ids = toFileResult(name, root, database).telltales.map(({ id }) => id);
    const literal = Object.values(onlyLiteral({ [name]: ids }, database)).flat();
    if (literal.length > 0) told[name] = literal;
  }
  return { files, told };
}

/** The findings in members, by the fixture that they came from. */
function byFixture(found: Found): Found {
  const sums: Record<string, Set<string>> = {};
  for (const [file, ids] of Object.entries(found)) {
    const name = file.slice(0, file.indexOf('#'));
    for (const id of ids) (sums[name] ??= new Set()).add(id);
  }
  return Object.fromEntries(
    Object.entries(sums)
      .map(([name, ids]) => [name, [...ids].sort()] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const unpacked = await unpack();
const indicatorTests = renderIndicatorTests();

const peers = [
  ['YARA', hasYara, runYara],
  ['ClamAV', hasClamscan, runClamscan],
] as const;

for (const [title, isThere, run] of peers) {
  describe.skipIf(!isThere)(`when ${title} looks for what the shipped database knows`, () => {
    it('finds in every unpacked member exactly what telltale finds there', () => {
      const { found, stderr } = run(database, writeFiles(unpacked.files));
      expect(stderr).toBe('');
      const expected = runTelltaleMatcher(database, unpacked.files);
      expect(Object.keys(expected).length).toBeGreaterThan(20);
      expect(onlyLiteral(found, database)).toEqual(expected);
      // What telltale says of the file as a whole is what is found in it or in its members, and nothing is missing.
      const sorted = Object.fromEntries(Object.entries(unpacked.told).sort(([a], [b]) => (a < b ? -1 : 1)));
      expect(byFixture(onlyLiteral(found, database))).toEqual(sorted);
    });

    it('fires on the hits of every literal indicator, and on none of its near misses', () => {
      const { found, stderr } = run(database, writeFiles(indicatorTests));
      expect(stderr).toBe('');
      expect(onlyLiteral(found, database)).toEqual(runTelltaleMatcher(database, indicatorTests));
      const silent = [...indicatorTests.keys()].filter((name) => {
        const [, id = '', kind] = /^(.*)-(hit|nearMiss)-\d+$/.exec(name) ?? [];
        // A digest cannot be made to measure.
        const isDigest = knowledge.compiled.indicators.some(
          ({ indicator }) => indicator.id === id && 'digest' in indicator.when,
        );
        return !isDigest && (found[name]?.includes(id) ?? false) !== (kind === 'hit');
      });
      expect(silent).toEqual([]);
    });

    it('looks into files of every format when it is told to', () => {
      const { found, stderr } = run(database, writeFiles(unpacked.files), true);
      expect(stderr).toBe('');
      expect(onlyLiteral(found, database)).toEqual(runTelltaleMatcher(database, unpacked.files, true));
      expect(Object.keys(found).filter((name) => name.startsWith('page#'))).toHaveLength(1);
    });
  });

  describe.skipIf(!isThere || !corpus.available)(`when ${title} looks at real files`, () => {
    it('finds in their members exactly what telltale finds there, and no edition in an official one', async () => {
      const { files, folder } = await unpackCorpus();
      const { found, stderr } = run(database, folder);
      expect(stderr).toBe('');
      expect(onlyLiteral(found, database)).toEqual(runTelltaleMatcher(database, files));
      const strong = new Set(
        knowledge.compiled.indicators
          .filter(
            ({ variant, indicator }) => variant.role !== 'official' && indicator.strength !== 'suggestive',
          )
          .map(({ indicator }) => indicator.id),
      );
      for (const [name, ids] of Object.entries(found)) {
        if (name.startsWith('windows-'))
          expect(
            ids.filter((id) => strong.has(id)),
            name,
          ).toEqual([]);
      }
    });
  });
}

let unpackedCorpus: Promise<{ readonly files: Files; readonly folder: string }> | undefined;

async function unpackCorpus(): Promise<{ readonly files: Files; readonly folder: string }> {
  unpackedCorpus ??= (async () => {
    const files = new Map<string, Uint8Array>();
    for (const name of corpusFiles) {
      const visitor: Visitor = (_, source) => {
        files.set(`${name.replaceAll(/\W/g, '-')}#${files.size}`, Buffer.concat([...readChunks(source)]));
      };
      await readArtifacts({ path: corpus.path(name) }, knowledge, defaultLimits, { visitor });
    }
    expect(files.size).toBeGreaterThan(corpusFiles.length);
    return { files, folder: writeFiles(files) };
  })();
  return await unpackedCorpus;
}

const corpusFiles = [
  'windows-stub-4.0.0.226/SkypeSetup.exe',
  'windows-stub-6.22.64.107/SkypeSetup.exe',
  'windows-skype4com-1.0.36.0/Skype4COM.dll',
  'windows-skype4com-1.0.36.0-merge-module/Skype4COM.msm',
  'portableapps-nsis-launcher/sPortable.exe',
];

describe.skipIf(!hasYara)('when YARA looks at version blocks', () => {
  it('fires on the hits of every indicator that it can say, and on none of its near misses', () => {
    const files = new Map<string, Uint8Array>();
    const saidOf = exportYara({ database, version: '0' }, { anyFormat: false });
    const silent = new Set(
      saidOf.omissions.filter(({ kind }) => kind === 'left-out').map(({ indicator }) => indicator),
    );
    for (const { indicator } of knowledge.compiled.indicators) {
      if (isLiteral(indicator.when) || silent.has(indicator.id)) continue;
      for (const kind of ['hit', 'nearMiss'] as const) {
        for (const [index, test] of indicator.tests[kind].entries()) {
          // The version in the fixed part of the block is none that YARA shows: the export says so.
          if (test.format !== 'pe' || test.facts?.some((fact) => fact.kind !== 'versionInfo') === true)
            continue;
          const versionInfo = Object.fromEntries(
            (test.facts ?? [])
              .filter((fact) => fact.kind === 'versionInfo')
              .map(({ name = '', value }) => [name, value]),
          );
          files.set(`${indicator.id}-${kind}-${index}`, buildPe({ versionInfo }));
        }
      }
    }
    const { found, stderr } = runYara(database, writeFiles(files));
    expect(stderr).toBe('');
    expect(files.size).toBeGreaterThan(10);
    const wrong = [...files.keys()].filter((name) => {
      const [, id = '', kind] = /^(.*)-(hit|nearMiss)-\d+$/.exec(name) ?? [];
      return (found[name]?.includes(id) ?? false) !== (kind === 'hit');
    });
    expect(wrong).toEqual([]);
  });
});
