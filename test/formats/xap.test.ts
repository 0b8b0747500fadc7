import { describe, expect, it } from 'vitest';
import { buildZip, type ZipEntryRecipe } from '../../fixtures/zip-builder.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { appxFormat } from '../../src/formats/appx/index.ts';
import { xapFormat } from '../../src/formats/xap.ts';
import { mutate } from '../mutation.ts';
import { codesOf, factsOf, fieldOf } from './reading-facts.ts';
import { readAll } from './reading.ts';

const manifest = `<?xml version="1.0" encoding="utf-8"?>
<Deployment xmlns="http://schemas.microsoft.com/windowsphone/2009/deployment" AppPlatformVersion="7.1">
  <App xmlns="" ProductID="{c3f8e570-68b3-4d6a-bdbb-c0a3f4360a51}" Title="Fixture" RuntimeType="Silverlight" Version="2.5.0.0" Genre="apps.normal" Author="An author" Description="" Publisher="A publisher">
    <Capabilities><Capability Name="ID_CAP_NETWORKING"/><Capability Name="ID_CAP_CONTACTS"/></Capabilities>
  </App>
</Deployment>`;

const parts = `<Deployment xmlns="http://schemas.microsoft.com/client/2007/deployment" xmlns:x="http://schemas.microsoft.com/winfx/2006/xaml" EntryPointAssembly="Fixture" EntryPointType="Fixture.App" RuntimeVersion="4.7.50308.0">
  <Deployment.Parts><AssemblyPart x:Name="Fixture" Source="Fixture.dll"/><AssemblyPart x:Name="Other" Source="Other.dll"/></Deployment.Parts>
</Deployment>`;

function buildXap(...more: readonly ZipEntryRecipe[]): Buffer {
  return buildZip({
    entries: [
      { name: 'WMAppManifest.xml', data: manifest },
      { name: 'AppManifest.xaml', data: parts },
      { name: 'Fixture.dll', data: 'assembly' },
      ...more,
    ],
  });
}

describe('when a package for Windows Phone is read', () => {
  it('is told by its manifest', () => {
    const xap = buildXap(
      { name: 'AppxManifest.xml', data: '<Package/>' },
      { name: 'AppxBlockMap.xml', data: 'x' },
    );
    expect(xapFormat.probe(xap.subarray(0, 4096), toByteSource(xap))).toBe(true);
    expect(appxFormat.probe(xap.subarray(0, 4096), toByteSource(xap))).toBe(false);
    const zip = buildZip({ entries: [{ name: 'AppManifest.xaml', data: parts }] });
    expect(xapFormat.probe(zip.subarray(0, 4096), toByteSource(zip))).toBe(false);
  });

  it('tells what it says of itself', async () => {
    const result = await readAll(xapFormat, buildXap());
    expect(result.findings).toEqual([]);
    expect(factsOf(result, 'packageId')).toEqual(['{c3f8e570-68b3-4d6a-bdbb-c0a3f4360a51}']);
    expect(fieldOf(result, 'Title')).toEqual(['Fixture']);
    expect(fieldOf(result, 'Version')).toEqual(['2.5.0.0']);
    expect(fieldOf(result, 'Publisher')).toEqual(['A publisher']);
    expect(fieldOf(result, 'Author')).toEqual(['An author']);
    expect(fieldOf(result, 'Capability')).toEqual(['ID_CAP_NETWORKING', 'ID_CAP_CONTACTS']);
    expect(fieldOf(result, 'AssemblyPart')).toEqual(['Fixture.dll', 'Other.dll']);
    expect(result.members.map(({ name }) => name)).toEqual([
      'WMAppManifest.xml',
      'AppManifest.xaml',
      'Fixture.dll',
    ]);
  });

  it('tells the header of a licence', async () => {
    const result = await readAll(xapFormat, buildXap({ name: 'WMAppPRHeader.xml', data: '<WRMHEADER/>' }));
    expect(factsOf(result, 'encrypted')).toEqual([['licence', 'PlayReady']]);
    expect(codesOf(result)).toEqual(['encrypted/member']);
  });

  it('goes on when its manifest is damaged', async () => {
    const bytes = buildZip({ entries: [{ name: 'WMAppManifest.xml', data: manifest.slice(0, 300) }] });
    const result = await readAll(xapFormat, bytes);
    expect(codesOf(result)).toEqual(['malformed/structure']);
    expect(fieldOf(result, 'Title')).toEqual([]);
    expect(result.members).toHaveLength(1);
  });

  it('survives damage at random', async () => {
    let read = 0;
    for (const { bytes } of mutate(buildXap(), 500, 9)) {
      if ((await readAll(xapFormat, bytes, { keepBytes: false })).thrown === undefined) read += 1;
    }
    expect(read).toBeGreaterThan(100);
  });
});
