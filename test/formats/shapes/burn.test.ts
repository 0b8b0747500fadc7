import { describe, expect, it } from 'vitest';
import { buildBurnBundle, type BurnRecipe } from '../../../fixtures/burn-builder.ts';
import { buildPe } from '../../../fixtures/pe-builder.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { parsePe } from '../../../src/formats/pe/parse.ts';
import {
  burnManifestFormat,
  type BurnInfo,
  toBurnMembers,
  tryReadBurn,
} from '../../../src/formats/shapes/burn.ts';
import { mutate } from '../../mutation.ts';
import { codesOf, factsOf, fieldOf } from '../reading-facts.ts';
import { readAll } from '../reading.ts';

const ux = Buffer.from('MSCF\0\0\0\0 the user interface and the manifest');
const attached = Buffer.from('MSCF\0\0\0\0 the packages');
const third = Buffer.from('MSCF\0\0\0\0 more packages');

function tryRead(bytes: Uint8Array): BurnInfo | undefined {
  return tryReadBurn(parsePe(toByteSource(bytes), () => {}));
}
function read(recipe: BurnRecipe): { bytes: Uint8Array; info: BurnInfo } {
  const bytes = buildBurnBundle(recipe);
  const info = tryRead(bytes);
  if (info === undefined) throw new Error('is no bundle');
  return { bytes, info };
}
function contents(bytes: Uint8Array, info: BurnInfo): Record<string, string> {
  const source = toByteSource(bytes);
  return Object.fromEntries(
    [...toBurnMembers(source, info)].map(({ name, content }) => [
      name,
      content.kind === 'source'
        ? Buffer.from(content.source.read(0, content.source.size)).toString()
        : content.kind,
    ]),
  );
}

describe('when a program is a WiX bundle', () => {
  it.each([
    ['WiX 3', { version: 2 }],
    ['WiX 5', { version: 3 }],
    ['signed before containers were attached', { engineSignature: Buffer.alloc(64, 7) }],
    ['signed as a whole', { certificateTable: Buffer.alloc(64, 7) }],
  ])('finds its containers (%s)', (_name, options) => {
    const { bytes, info } = read({ containers: [ux, attached, third], ...options });
    expect(info.findings).toEqual([]);
    expect(info.bundleId).toBe('{00112233-4455-6677-8899-AABBCCDDEEFF}');
    expect(info.facts[0]).toMatchObject({ kind: 'packageId', value: info.bundleId, region: '.wixburn' });
    expect(contents(bytes, info)).toEqual({
      '[ux container]': ux.toString(),
      '[attached container]': attached.toString(),
      '[attached container 2]': third.toString(),
    });
    for (const { name, offset, size } of info.regions) {
      expect(Buffer.from(bytes.subarray(offset, offset + size)).toString(), name).toMatch(/^MSCF/);
    }
  });

  it('is none without the section, with a section too small, or with other bytes in it', () => {
    expect(tryRead(buildPe())).toBeUndefined();
    const other = buildPe({ sections: [{ name: '.wixburn', data: Buffer.alloc(512) }] });
    expect(tryRead(other)).toBeUndefined();
  });
});

describe('when a bundle is malformed', () => {
  it.each([
    ['a version that is not known', { version: 9 }, 'unsupported/version'],
    ['containers of another kind', { format: 2 }, 'unsupported/feature'],
    ['more containers than there is room for', { containerCount: 0xffffffff }, 'malformed/structure'],
    ['containers beyond the end', { containerSizes: [ux.length, 0x7fffffff] }, 'malformed/truncated'],
  ])('tells %s', (_name, options, code) => {
    const { bytes, info } = read({ containers: [ux, attached], ...options });
    expect(info.findings.map((finding) => finding.code)).toContain(code);
    expect(info.findings[0]?.incomplete).toBe(true);
    expect(Object.keys(contents(bytes, info)).length).toBeLessThanOrEqual(116);
  });

  it('survives 2,000 kinds of damage, and yields nothing outside of the file', () => {
    const seed = buildBurnBundle({ containers: [ux, attached] });
    let bundles = 0;
    for (const { bytes, description } of mutate(seed, 2000, 23)) {
      let info: BurnInfo | undefined;
      try {
        info = tryRead(bytes);
      } catch (error) {
        // Headers that are none are the business of their own parser.
        expect(error).toMatchObject({ name: 'TelltaleError' });
        continue;
      }
      if (info === undefined) continue;
      bundles += 1;
      expect(Object.keys(contents(bytes, info)).length, description).toBeLessThanOrEqual(116);
    }
    expect(bundles).toBeGreaterThan(500);
  });
});

describe('when the file is the manifest of a bundle', () => {
  const manifest = (payloads: string): Buffer =>
    Buffer.from(
      `<?xml version="1.0"?><BurnManifest xmlns="http://wixtoolset.org/schemas/v4/2008/Burn"><UX><Payload Id="u0" FilePath="ui.dll" SourcePath="u0"/></UX>${payloads}<Registration Code="{AB}" Version="1.2.3.0"><Arp DisplayName="Demo" Publisher="Somebody"/></Registration><Chain><MsiPackage Id="Demo.msi" ProductCode="{CD}"/><RollbackBoundary Id="r"/></Chain></BurnManifest>`,
    );

  it('gives id, version, publisher, payloads and their digests', async () => {
    const result = await readAll(
      burnManifestFormat,
      manifest(
        `<Payload Id="p" FilePath="Demo.msi" FileSize="12" Hash="${'AB'.repeat(64)}" SourcePath="a0" DownloadUrl="http://example.org/d"/><Payload Id="q" FilePath="x" Hash="none"/>`,
      ),
    );
    expect(result.faults).toBe(0);
    expect(factsOf(result, 'packageId')).toEqual(['{AB}']);
    expect(fieldOf(result, 'Publisher')).toEqual(['Somebody']);
    expect(fieldOf(result, 'MsiPackage')).toEqual(['Demo.msi']);
    expect(factsOf(result, 'memberName')).toEqual(['Demo.msi', 'x', 'ui.dll']);
    expect(result.reading?.facts).toContainEqual({
      kind: 'listedDigest',
      name: 'Demo.msi',
      value: 'ab'.repeat(64),
      offset: expect.any(Number),
      detail: { algorithm: 'sha512', size: 12 },
    });
    expect(factsOf(result, 'listedDigest')).toHaveLength(1);
  });

  it('stops at a limit of payloads, and tells it', async () => {
    const result = await readAll(burnManifestFormat, manifest('<Payload FilePath="x"/>'.repeat(10_001)));
    expect(codesOf(result)).toEqual(['limit/count']);
  });
});
