import { describe, expect, it } from 'vitest';
import { findBundles, toExecutablePath } from '../../src/formats/app-bundle.ts';

describe('when a list of files holds bundles', () => {
  const mac = [
    'Skype.app/Contents/Info.plist',
    'Skype.app/Contents/MacOS/Skype',
    'Skype.app/Contents/_CodeSignature/CodeResources',
    'Skype.app/Contents/Frameworks/Electron.framework/Versions/A/Resources/Info.plist',
    'Skype.app/Contents/Frameworks/Electron.framework/Versions/A/_CodeSignature/CodeResources',
    'Skype.app/Contents/Frameworks/Electron.framework/Versions/Current',
    'Skype.app/Contents/Frameworks/Skype Helper.app/Contents/Info.plist',
  ];

  it('finds each with its layout, seal and the bundle around it', () => {
    expect(findBundles(mac)).toEqual([
      {
        path: 'Skype.app',
        kind: 'app',
        layout: 'deep',
        contents: 'Skype.app/Contents',
        infoPlist: mac[0],
        codeResources: mac[2],
        parent: undefined,
      },
      {
        path: 'Skype.app/Contents/Frameworks/Electron.framework',
        kind: 'framework',
        layout: 'versioned',
        contents: 'Skype.app/Contents/Frameworks/Electron.framework/Versions/A',
        infoPlist: mac[3],
        codeResources: mac[4],
        parent: 'Skype.app',
      },
      {
        path: 'Skype.app/Contents/Frameworks/Skype Helper.app',
        kind: 'app',
        layout: 'deep',
        contents: 'Skype.app/Contents/Frameworks/Skype Helper.app/Contents',
        infoPlist: mac[6],
        codeResources: undefined,
        parent: 'Skype.app',
      },
    ]);
  });

  it('finds those of iOS in a package', () => {
    const [bundle] = findBundles(['Payload/Skype.app/Info.plist', 'Payload/Skype.app/Skype']);
    expect(bundle).toMatchObject({
      path: 'Payload/Skype.app',
      layout: 'flat',
      contents: 'Payload/Skype.app',
    });
  });

  it('finds none in what only has the names', () => {
    expect(findBundles(['a.app.txt', 'x.app/readme', '.app/Contents/Info.plist', 'a/Info.plist'])).toEqual(
      [],
    );
  });

  it('is not held up by a name with folders without end', () => {
    const path = `${'a.app/'.repeat(20_000)}Contents/Info.plist`;
    const started = performance.now();
    expect(findBundles([path])).toEqual([]);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('when the program of a bundle is named', () => {
  const [deep] = findBundles(['A.app/Contents/Info.plist']);
  const [flat] = findBundles(['A.app/Info.plist']);

  it('gives its place, by the layout', () => {
    if (deep === undefined || flat === undefined) throw new Error('no bundles');
    expect(toExecutablePath(deep, 'A')).toBe('A.app/Contents/MacOS/A');
    expect(toExecutablePath(flat, 'A')).toBe('A.app/A');
  });

  it('does not follow a name out of the bundle', () => {
    if (deep === undefined) throw new Error('no bundle');
    for (const name of ['../../x', '..', '.', '', 'a/b'])
      expect(toExecutablePath(deep, name)).toBeUndefined();
  });
});
