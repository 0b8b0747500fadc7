import { describe, expect, it } from 'vitest';
import { buildAppx } from '../../../fixtures/appx-builder.ts';
import { buildZip } from '../../../fixtures/zip-builder.ts';
import { Budget } from '../../../src/bytes/budget.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import { parseBlockMap } from '../../../src/formats/appx/block-map.ts';
import { appxBundleFormat, appxFormat } from '../../../src/formats/appx/index.ts';
import type { BlockMapCheck } from '../../../src/formats/appx/package.ts';
import { mutate } from '../../mutation.ts';
import { codesOf, factsOf, fieldOf } from '../reading-facts.ts';
import { readAll } from '../reading.ts';
import { toSigned } from '../signed.ts';

const skypePublisher = 'CN=Skype Software Sarl, O=Microsoft Corporation, L=Luxembourg, S=Luxembourg, C=LU';

async function check(bytes: Uint8Array): Promise<BlockMapCheck | undefined> {
  return toSigned((await readAll(appxFormat, bytes)).reading, 'appx')?.package.blockMap;
}

describe('when a file is probed', () => {
  const probe = (bytes: Uint8Array): readonly boolean[] =>
    [appxFormat, appxBundleFormat].map((format) =>
      format.probe(bytes.subarray(0, 4096), toByteSource(bytes)),
    );

  it('knows packages and bundles', () => {
    expect(probe(buildAppx())).toEqual([true, false]);
    expect(probe(buildAppx({ kind: 'bundle', files: [{ name: 'a.appx', data: 'x' }] }))).toEqual([
      false,
      true,
    ]);
  });

  it('leaves other archives alone', () => {
    expect(probe(buildZip({ entries: [{ name: 'AppxManifest.xml', data: '<Package/>' }] }))).toEqual([
      false,
      false,
    ]);
    expect(probe(buildZip({ entries: [{ name: 'a.txt', data: 'a' }] }))).toEqual([false, false]);
    expect(probe(new Uint8Array(0))).toEqual([false, false]);
  });
});

describe('when a package is read', () => {
  it('tells what it says of itself', async () => {
    const bytes = buildAppx({
      name: 'Microsoft.SkypeApp',
      publisher: skypePublisher,
      version: '14.35.152.0',
    });
    const result = await readAll(appxFormat, bytes);
    expect(result.findings).toEqual([]);
    expect(factsOf(result, 'packageId')).toEqual(['Microsoft.SkypeApp']);
    expect(fieldOf(result, 'Version')).toEqual(['14.35.152.0']);
    expect(fieldOf(result, 'Publisher')).toEqual([skypePublisher]);
    expect(fieldOf(result, 'PackageFamilyName')).toEqual(['Microsoft.SkypeApp_kzf8qxf38zg5c']);
    expect(fieldOf(result, 'ProcessorArchitecture')).toEqual(['x64']);
    expect(fieldOf(result, 'PublisherDisplayName')).toEqual(['Fixture & Co']);
    expect(fieldOf(result, 'Capability')).toEqual(['internetClient', 'contacts']);
    expect(fieldOf(result, 'Application.Executable')).toEqual(['App.exe']);
  });

  it('yields every member once, with its bytes', async () => {
    const result = await readAll(appxFormat, buildAppx());
    expect(result.members.map(({ name }) => name)).toEqual([
      'App.exe',
      'Assets/read%20me.txt',
      'AppxManifest.xml',
      'AppxBlockMap.xml',
      '[Content_Types].xml',
    ]);
    expect(result.faults).toBe(0);
  });

  it('reads a bundle and does not want its packages in the block map', async () => {
    const inner = buildAppx();
    const bytes = buildAppx({ kind: 'bundle', files: [{ name: 'x64.appx', data: inner, method: 0 }] });
    const result = await readAll(appxBundleFormat, bytes);
    expect(result.findings).toEqual([]);
    expect(factsOf(result, 'packageId')).toEqual(['Fixture.App']);
    expect(fieldOf(result, 'Package')).toEqual(['x64.appx']);
    expect(result.members[0]?.bytes.equals(inner)).toBe(true);
    expect(toSigned(result.reading, 'appx')?.package).toMatchObject({
      kind: 'bundle',
      blockMap: { differenceCount: 0, files: 1 },
    });
  });

  it('says when it has no manifest, or one that is none', async () => {
    const noManifest = buildZip({ entries: [{ name: 'AppxBlockMap.xml', data: 'x' }] });
    expect(codesOf(await readAll(appxFormat, noManifest))).toEqual([
      'malformed/structure',
      'malformed/structure',
    ]);
    const bad = buildZip({ entries: [{ name: 'AppxManifest.xml', data: '<Package><Identity' }] });
    expect((await readAll(appxFormat, bad)).findings[0]).toMatchObject({ incomplete: true });
  });
});

describe('when a package is compared with its block map', () => {
  it.each(['sha256', 'sha384', 'sha512'] as const)('agrees by %s, over several blocks', async (hash) => {
    const data = Uint8Array.from({ length: 150_000 }, (_, at) => (at * 7) & 0xff);
    const bytes = buildAppx({
      hash,
      files: [
        { name: 'big.bin', data },
        { name: 'stored.bin', data: data.subarray(0, 131_072), method: 0 },
        { name: 'empty.txt', data: '' },
        { name: 'with [brackets] & more/ä.txt', data: 'x' },
      ],
    });
    expect(await check(bytes)).toMatchObject({ algorithm: hash, files: 5, blocks: 7, differenceCount: 0 });
  });

  it('names the block that was changed', async () => {
    const data = new Uint8Array(140_000).fill(1);
    const bytes = buildAppx({ files: [{ name: 'big.bin', data, method: 0 }] });
    bytes[30 + 'big.bin'.length + 70_000] = 9;
    const result = await readAll(appxFormat, bytes);
    expect(toSigned(result.reading, 'appx')?.package.blockMap?.differences).toMatchObject([
      { kind: 'changed', name: 'big.bin', block: 1 },
    ]);
    expect(result.reading?.facts.filter(({ kind }) => kind === 'sealBroken')).toMatchObject([
      { name: 'big.bin', detail: { algorithm: 'sha256', block: 1 } },
    ]);
    expect(result.findings.map(({ message }) => message)).toContain(
      'does not agree with its block map: block 1 of "big.bin" has other bytes',
    );
  });

  it('names what is missing, what is too much, and what has another header', async () => {
    const bytes = buildAppx({ missing: ['gone.dll'], unlisted: [{ name: 'evil.dll', data: 'x' }] });
    const result = await check(bytes);
    expect(result?.differences).toMatchObject([
      { kind: 'unlisted', name: 'evil.dll' },
      { kind: 'missing', name: 'gone.dll' },
    ]);
    const blockMap =
      '<BlockMap HashMethod="http://www.w3.org/2001/04/xmlenc#sha256"><File Name="a" Size="0" LfhSize="99"/><File Name="A" Size="0"/></BlockMap>';
    const odd = await check(buildAppx({ files: [{ name: 'a', data: '' }], blockMap }));
    expect(odd?.differences.map(({ kind }) => kind)).toEqual(['repeated', 'header', 'unlisted']);
  });

  it('sees a member that the central directory does not list', async () => {
    const entries = [
      { name: 'AppxManifest.xml', data: '<Package/>' },
      { name: 'hidden.dll', data: 'x', only: 'hidden' as const },
      {
        name: 'AppxBlockMap.xml',
        data: '<BlockMap HashMethod="http://www.w3.org/2001/04/xmlenc#sha256"/>',
      },
    ];
    const result = await check(buildZip({ entries }));
    expect(result?.differences).toMatchObject([
      { name: 'AppxManifest.xml' },
      { kind: 'unlisted', name: 'hidden.dll' },
    ]);
  });

  it('keeps a bounded list', async () => {
    const missing = Array.from({ length: 500 }, (_, index) => `gone${index}`);
    const result = await check(buildAppx({ missing }));
    expect(result?.differenceCount).toBe(500);
    expect(result?.differences).toHaveLength(64);
  });

  it('says that a map by another digest was not compared', async () => {
    const blockMap = '<BlockMap HashMethod="http://www.w3.org/2000/09/xmldsig#sha1"/>';
    const result = await readAll(appxFormat, buildAppx({ blockMap }));
    expect(result.findings).toMatchObject([{ code: 'unsupported/method', incomplete: true }]);
    expect(toSigned(result.reading, 'appx')?.package.blockMap).toBeUndefined();
  });

  it('stops at the limits of the file', async () => {
    const bytes = buildAppx({ files: [{ name: 'zeros', data: new Uint8Array(5_000_000) }] });
    const result = await readAll(appxFormat, bytes, { limits: { bytesProduced: 1_000_000 } });
    expect(result.thrown?.code ?? codesOf(result).join()).toContain('limit/bytes');
  });
});

describe('when a block map is damaged at random', () => {
  it('gives a map or a typed error', () => {
    const seed = new TextEncoder().encode(
      '<?xml version="1.0"?><BlockMap HashMethod="http://www.w3.org/2001/04/xmlenc#sha256"><File Name="a\\b.txt" Size="3" LfhSize="37"><Block Size="5" Hash="ORIk+3QF9mSpuOq51oT3Xqn0Gy0vcGbnBRn5lBg5irM="/></File><File Name="c" Size="0" LfhSize="31"/></BlockMap>',
    );
    let read = 0;
    for (const { bytes, description } of mutate(seed, 2000, 3)) {
      try {
        for (const { blocks } of parseBlockMap(bytes, new Budget(bytes.length)).files) {
          for (const block of blocks) expect(block, description).toMatch(/^[0-9a-f]*$/);
        }
        read += 1;
      } catch (error) {
        if (!(error instanceof TelltaleError)) throw error;
      }
    }
    expect(read).toBeGreaterThan(50);
    expect(read).toBeLessThan(1900);
  });
});

describe('when a package is damaged at random', () => {
  it('reads on or throws a typed error, in time', async () => {
    const seed = buildAppx({ files: [{ name: 'a.txt', data: 'some text' }] });
    let agreed = 0;
    for (const { bytes, description } of mutate(seed, 2000, 5)) {
      const started = performance.now();
      const result = await readAll(appxFormat, bytes, { keepBytes: false });
      if (toSigned(result.reading, 'appx')?.package.blockMap?.differenceCount === 0) agreed += 1;
      expect(performance.now() - started, description).toBeLessThan(10_000);
    }
    expect(agreed).toBeGreaterThan(0);
    expect(agreed).toBeLessThan(1500);
  });
});
