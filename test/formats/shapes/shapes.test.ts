import { describe, expect, it } from 'vitest';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { flatPackageFormat } from '../../../src/formats/shapes/flat-package.ts';
import { flatpakMetadataFormat } from '../../../src/formats/shapes/flatpak-metadata.ts';
import { shapeFormats } from '../../../src/formats/shapes/index.ts';
import { nuspecFormat } from '../../../src/formats/shapes/nuspec.ts';
import { portableAppsInfoFormat } from '../../../src/formats/shapes/portableapps-info.ts';
import { snapMetadataFormat } from '../../../src/formats/shapes/snap-metadata.ts';
import { squirrelReleasesFormat } from '../../../src/formats/shapes/squirrel-releases.ts';
import { mutate } from '../../mutation.ts';
import { codesOf, factsOf, fieldOf } from '../reading-facts.ts';
import { readAll } from '../reading.ts';

const digest = 'a'.repeat(40);

const samples = {
  nuspec: `<?xml version="1.0"?>
<package xmlns="http://schemas.microsoft.com/packaging/2010/07/nuspec.xsd">
  <metadata>
    <id>Skype</id>
    <version>8.129.0</version>
    <authors>Skype Technologies &amp; Co</authors>
    <description>Calls</description>
  </metadata>
</package>
`,
  burnManifest: `<?xml version="1.0" encoding="utf-8"?><BurnManifest xmlns="http://schemas.microsoft.com/wix/2008/Burn"><Log PathVariable="WixBundleLog"/><UX><Payload Id="u0" FilePath="wixstdba.dll" FileSize="10" Hash="${digest.toUpperCase()}" SourcePath="u0"/></UX><Payload Id="p" FilePath="Skype.msi" FileSize="12345" Hash="${'b'.repeat(128)}" DownloadUrl="http://example.org/Skype.msi" SourcePath="a0"/><Registration Id="{00112233-4455-6677-8899-AABBCCDDEEFF}" Version="1.2.3.0" ProviderKey="k"><Arp DisplayName="Skype" DisplayVersion="1.2.3" Publisher="Skype Technologies"/></Registration><Chain><MsiPackage Id="Skype.msi" ProductCode="{4E76FF7E-AEBA-4C87-B788-CD47E5425B9D}"/></Chain></BurnManifest>`,
  packageInfo:
    '<?xml version="1.0" encoding="utf-8"?>\n<pkg-info format-version="2" identifier="com.skype.skype.pkg" version="8.23.0.10" install-location="/Applications" auth="root"><payload numberOfFiles="10" installKBytes="20"/><bundle path="./Skype.app" id="com.skype.skype" CFBundleShortVersionString="8.23.0.10"/></pkg-info>\n',
  distribution:
    '<?xml version="1.0" encoding="utf-8"?>\n<installer-gui-script minSpecVersion="1"><title>Skype</title><product id="com.skype.product" version="8"/><pkg-ref id="com.skype.skype.pkg" version="8.23.0.10">#Skype.pkg</pkg-ref></installer-gui-script>\n',
  releases: `\ufeff${digest} Skype-8.129.0-full.nupkg 123456\r\n${'B'.repeat(40)} Skype-8.130.0-delta.nupkg 99 # 10%\r\n`,
  appInfo:
    '[Format]\r\nType=PortableApps.comFormat\r\nVersion=3.0\r\n\r\n[Details]\r\nName=sPortable\r\nAppID=sPortable\r\nPublisher=Somebody & PortableApps.com\r\n\r\n[Version]\r\nPackageVersion=7.41.0.101\r\nDisplayVersion=7.41.0.101\r\n',
  installerIni:
    '[DownloadFiles]\r\nDownloadURL=http://download.example.org/SkypeSetup_7.41.0.101.msi\r\nDownloadName=Skype\r\nDownloadFilename=SkypeSetup_7.41.0.101.msi\r\nDownloadMD5=25d3547da03e4532c54fdbd10ca71810\r\n',
  snap: `name: skype
version: '8.129.0.202'
summary: "Keep the \\"world\\" talking"  # not this
description: |
  One.

  Two.
architectures:
- amd64
- i386
base: core22
grade: stable
confinement: strict
apps:
  skype:
    command: bin/skype
    name: inner
`,
  flatpak:
    '[Application]\nname=com.skype.Client\nruntime=org.freedesktop.Platform/x86_64/23.08\nsdk=org.freedesktop.Sdk/x86_64/23.08\ncommand=skype.sh\n\n[Context]\nshared=network;ipc;\n',
  flatpakRef:
    '[Flatpak Ref]\nName=com.skype.Client\nBranch=stable\nTitle=Skype\nUrl=https://dl.flathub.org/repo/\nRuntimeRepo=https://dl.flathub.org/repo/flathub.flatpakrepo\n',
} as const;

const expectedIds: Readonly<Record<keyof typeof samples, string>> = {
  nuspec: 'nuspec',
  burnManifest: 'burn-manifest',
  packageInfo: 'flat-package-info',
  distribution: 'flat-package-info',
  releases: 'squirrel-releases',
  appInfo: 'portableapps-info',
  installerIni: 'portableapps-info',
  snap: 'snap-metadata',
  flatpak: 'flatpak-metadata',
  flatpakRef: 'flatpak-metadata',
};

function idsOf(text: string | Uint8Array): string[] {
  const bytes = Buffer.from(text);
  return shapeFormats
    .filter((format) => format.probe(bytes.subarray(0, 4096), toByteSource(bytes)))
    .map(({ id }) => id);
}

describe('when metadata of a package is told by its content', () => {
  it.each(Object.entries(expectedIds))('%s is %s and nothing else', (name, id) => {
    const text = Object.entries(samples).find(([key]) => key === name)?.[1] ?? '';
    expect(idsOf(text)).toEqual([id]);
  });

  it.each([
    ['a web page', '<!DOCTYPE html><html><body>package</body></html>'],
    ['a package.json', '{"name":"skype","version":"1.0.0"}'],
    ['XML with a root "package"', '<package name="x"><other/></package>'],
    ['XML with a root "pkg-info"', '<pkg-info version="1"/>'],
    ['a Burn manifest of another namespace', '<BurnManifest xmlns="urn:x"/>'],
    ['a list of digests', `${digest}  setup.exe\n`],
    ['a list of digests of executables', `${digest} Setup.exe 1234\n`],
    ['an INI file', '[Details]\nName=x\n[Format]\nType=Other\n'],
    ['a desktop file', '[Desktop Entry]\nName=com.skype.Client\nExec=skype\n'],
    ['a systemd unit', '[Application]\nname=skype\nruntime=x\n'],
    ['a pubspec', 'name: skype\nversion: 1.0.0\ndescription: x\n'],
    ['a compose file', 'name: skype\nversion: "3"\nservices:\n  a:\n    image: b\n'],
    ['nothing', ''],
    ['a program', Buffer.from('4d5a90000300000004000000ffff0000', 'hex')],
    ['binary with brackets', Buffer.from('5b466f726d61745d0000ff00', 'hex')],
  ])('takes %s for none of them', (_name, text) => {
    expect(idsOf(text)).toEqual([]);
  });
});

describe('when the file is a manifest of a NuGet package', () => {
  it('gives id, version and authors', async () => {
    const result = await readAll(nuspecFormat, Buffer.from(samples.nuspec));
    expect(result.faults).toBe(0);
    expect(factsOf(result, 'packageId')).toEqual(['Skype']);
    expect(fieldOf(result, 'version')).toEqual(['8.129.0']);
    expect(fieldOf(result, 'authors')).toEqual(['Skype Technologies & Co']);
  });

  it('gives what precedes a fault, and tells it', async () => {
    const cut = samples.nuspec.slice(0, samples.nuspec.indexOf('</authors>') - 4);
    const result = await readAll(nuspecFormat, Buffer.from(cut));
    expect(codesOf(result)).toEqual(['malformed/structure']);
    expect(result.findings[0]).toMatchObject({ incomplete: true });
    expect(factsOf(result, 'packageId')).toEqual(['Skype']);
  });
});

describe('when the file describes a Mac installer package', () => {
  it('gives identifier, version and bundles of a component', async () => {
    const result = await readAll(flatPackageFormat, Buffer.from(samples.packageInfo));
    expect(factsOf(result, 'packageId')).toEqual(['com.skype.skype.pkg']);
    expect(factsOf(result, 'bundleId')).toEqual(['com.skype.skype']);
    expect(fieldOf(result, 'version')).toEqual(['8.23.0.10']);
    expect(fieldOf(result, 'bundle.path')).toEqual(['./Skype.app']);
  });

  it('gives title, product and packages of a distribution', async () => {
    const result = await readAll(flatPackageFormat, Buffer.from(samples.distribution));
    expect(fieldOf(result, 'title')).toEqual(['Skype']);
    expect(factsOf(result, 'packageId')).toEqual(['com.skype.product']);
    expect(fieldOf(result, 'pkg-ref')).toEqual(['com.skype.skype.pkg']);
    expect(fieldOf(result, 'pkg-ref.file')).toEqual(['#Skype.pkg']);
  });
});

describe('when the file lists Squirrel packages', () => {
  it('gives name, digest and size of each', async () => {
    const result = await readAll(squirrelReleasesFormat, Buffer.from(samples.releases));
    expect(result.faults).toBe(0);
    expect(result.reading?.facts).toEqual([
      {
        kind: 'listedDigest',
        name: 'Skype-8.129.0-full.nupkg',
        value: digest,
        detail: { algorithm: 'sha1', size: 123_456 },
      },
      {
        kind: 'listedDigest',
        name: 'Skype-8.130.0-delta.nupkg',
        value: 'b'.repeat(40),
        detail: { algorithm: 'sha1', size: 99 },
      },
    ]);
  });

  it.each([
    ['lines that name no package', `${samples.releases}whatever\n`, 'malformed/structure'],
    ['a name that climbs out', `${samples.releases}${digest} ../x.nupkg 1\n`, 'malformed/name'],
    ['too many lines', samples.releases.repeat(3000), 'limit/count'],
    ['bytes that are no text', `${samples.releases}\0\u0001`, 'malformed/encoding'],
  ])('tells %s', async (_name, text, code) => {
    const result = await readAll(squirrelReleasesFormat, Buffer.from(text));
    expect(codesOf(result)).toContain(code);
    expect(factsOf(result, 'listedDigest').length).toBeGreaterThan(1);
  });

  it('does not take long over a long line', async () => {
    const started = performance.now();
    await readAll(
      squirrelReleasesFormat,
      Buffer.from(`${samples.releases}${digest} x${' '.repeat(900_000)}y\n`),
    );
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('when the file describes a portable application', () => {
  it('gives id, name, publisher and version, in either encoding', async () => {
    for (const bytes of [Buffer.from(samples.appInfo), Buffer.from(`\ufeff${samples.appInfo}`, 'utf16le')]) {
      expect(idsOf(bytes)).toEqual(['portableapps-info']);
      const result = await readAll(portableAppsInfoFormat, bytes);
      expect(result.faults).toBe(0);
      expect(factsOf(result, 'packageId')).toEqual(['sPortable']);
      expect(fieldOf(result, 'Publisher')).toEqual(['Somebody & PortableApps.com']);
      expect(fieldOf(result, 'DisplayVersion')).toEqual(['7.41.0.101']);
    }
  });

  it('gives the address and the digest of what is downloaded', async () => {
    const result = await readAll(portableAppsInfoFormat, Buffer.from(samples.installerIni));
    expect(fieldOf(result, 'DownloadURL')).toEqual(['http://download.example.org/SkypeSetup_7.41.0.101.msi']);
    expect(factsOf(result, 'listedDigest')).toEqual([
      ['SkypeSetup_7.41.0.101.msi', '25d3547da03e4532c54fdbd10ca71810'],
    ]);
  });
});

describe('when the file describes a Snap package', () => {
  it('gives scalars and lists at the top level', async () => {
    const result = await readAll(snapMetadataFormat, Buffer.from(samples.snap));
    expect(result.faults).toBe(0);
    expect(factsOf(result, 'packageId')).toEqual(['skype']);
    expect(fieldOf(result, 'name')).toEqual(['skype']);
    expect(fieldOf(result, 'version')).toEqual(['8.129.0.202']);
    expect(fieldOf(result, 'summary')).toEqual(['Keep the "world" talking']);
    expect(fieldOf(result, 'description')).toEqual(['One.\nTwo.']);
    expect(fieldOf(result, 'architectures')).toEqual(['amd64', 'i386']);
  });

  it.each([
    ['an anchor', 'summary: &a text', undefined],
    ['a flow mapping', 'summary: {a: b}', undefined],
    ['a flow list in a list', 'architectures: [[a]]', undefined],
    ['a flow list', 'architectures: [amd64, arm64]', ['amd64', 'arm64']],
    ['a scalar over two lines', 'summary: one\n  two', ['one two']],
    ['a folded scalar', 'summary: >-\n  one\n  two', ['one two']],
    ['single quotes', "summary: 'it''s'", ["it's"]],
    ['a comment', 'summary: one # two', ['one']],
    ['an empty value', 'summary:', []],
  ])('reads or tells %s', async (_name, line, expected) => {
    const key = line.slice(0, line.indexOf(':'));
    const text = `name: skype\nversion: 1\ngrade: stable\nconfinement: strict\n${line}\n`;
    const result = await readAll(snapMetadataFormat, Buffer.from(text));
    expect(codesOf(result)).toEqual(expected === undefined ? ['unsupported/feature'] : []);
    expect(fieldOf(result, key)).toEqual(expected ?? []);
  });
});

describe('when the file is Flatpak metadata', () => {
  it.each([
    ['metadata', samples.flatpak, 'command', 'skype.sh'],
    ['a reference', samples.flatpakRef, 'Url', 'https://dl.flathub.org/repo/'],
  ])('gives id and origin (%s)', async (_name, text, field, value) => {
    const result = await readAll(flatpakMetadataFormat, Buffer.from(text));
    expect(result.faults).toBe(0);
    expect(factsOf(result, 'packageId')).toEqual(['com.skype.Client']);
    expect(fieldOf(result, field)).toEqual([value]);
  });
});

describe('when metadata is damaged in 2,000 ways', () => {
  it.each(Object.entries(samples))('never crashes or hangs (%s)', async (name, text) => {
    const format = shapeFormats.find(({ id }) =>
      Object.entries(expectedIds).some(([key, one]) => key === name && one === id),
    );
    expect(format).toBeDefined();
    if (format === undefined) return;
    let recognised = 0;
    for (const mutant of mutate(Buffer.from(text), 2000, 19)) {
      const started = performance.now();
      if (format.probe(mutant.bytes.subarray(0, 4096), toByteSource(mutant.bytes))) recognised += 1;
      await readAll(format, mutant.bytes, { limits: { milliseconds: 3000 } });
      expect(performance.now() - started, mutant.description).toBeLessThan(3500);
    }
    expect(recognised).toBeGreaterThan(100);
  });
});
