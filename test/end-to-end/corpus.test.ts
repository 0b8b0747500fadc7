import { describe, expect, it } from 'vitest';
import { type FileResult, scan, type VerdictName } from '../../src/index.ts';
import { corpus } from '../corpus.ts';

interface Expected {
  readonly file: string;
  readonly verdict: VerdictName;
  readonly integrity: string | null;
  readonly signer: string | null;
  readonly version?: string;
  readonly complete: boolean;
  /** A word that the explanation of an incomplete or odd file must hold. */
  readonly names?: RegExp;
}

const stub = (version: string): Expected => ({
  file: `windows-stub-${version}/SkypeSetup.exe`,
  verdict: 'official',
  integrity: 'intact',
  signer: 'pinned',
  version,
  complete: true,
});

/** What the row of each file and the decision table call for. */
const expectations: readonly Expected[] = [
  stub('4.0.0.226'),
  stub('5.0.0.156'),
  stub('6.3.0.105'),
  stub('6.22.64.107'),
  stub('7.2.0.103'),
  stub('7.40.66.104'),
  {
    file: 'windows-skype4com-1.0.31.0/Skype4COM.dll',
    verdict: 'official',
    integrity: 'intact',
    signer: 'pinned',
    version: '1.0.31.0',
    complete: true,
  },
  {
    file: 'windows-skype4com-1.0.36.0/Skype4COM.dll',
    verdict: 'official',
    integrity: 'intact',
    signer: 'pinned',
    version: '1.0.36.0',
    complete: true,
  },
  {
    file: 'windows-stub-6.3.0.105-edited/SkypeSetup.exe',
    verdict: 'damaged',
    integrity: 'damaged',
    signer: 'claimed',
    complete: false,
    names: /1074 bytes are missing/,
  },
  {
    file: 'windows-unsigned-media-dll-7.41/VideoN.dll',
    verdict: 'unverified',
    integrity: 'unsigned',
    signer: 'none',
    complete: true,
  },
  {
    file: 'portableapps-nsis-launcher/sPortable.exe',
    verdict: 'unverified',
    integrity: 'intact',
    signer: 'other',
    complete: true,
  },
  {
    file: 'windows-skype4com-1.0.36.0-merge-module/Skype4COM.msm',
    verdict: 'unverified',
    integrity: 'unsigned',
    signer: 'none',
    complete: true,
  },
  {
    file: 'macos-skypeframework-2.6.0.142/skype_framework.dmg',
    verdict: 'unverified',
    integrity: 'unsigned',
    signer: 'none',
    complete: true,
  },
  {
    file: 'linux-deb-8.58.0.93-truncated/skypeforlinux-64.deb',
    verdict: 'damaged',
    integrity: null,
    signer: null,
    complete: false,
    names: /data\.tar/,
  },
  {
    file: 'not-skype-ps2exe-wrapper/Skype.exe',
    verdict: 'other',
    integrity: 'unsigned',
    signer: 'none',
    complete: true,
  },
  {
    file: 'not-skype-html-named-deb/skype-install.deb',
    verdict: 'other',
    integrity: null,
    signer: null,
    complete: true,
    names: /web page/,
  },
];

function toSeen(result: FileResult): Omit<Expected, 'file' | 'version' | 'names'> {
  return {
    verdict: result.verdict,
    integrity: result.integrity,
    signer: result.signer,
    complete: result.complete,
  };
}

describe.skipIf(!corpus.available)('when real files are scanned', () => {
  for (const usesKnownBuilds of [true, false]) {
    describe(usesKnownBuilds ? 'with the ledger' : 'without the ledger', () => {
      it.each(expectations)('$file', async ({ file, version, names, ...expected }) => {
        const [result] = await scan([corpus.path(file)], { usesKnownBuilds });
        if (result === undefined) throw new Error('no result');
        expect(toSeen(result)).toEqual(expected);
        if (version !== undefined) expect(result.version).toBe(version);
        if (names !== undefined) expect(JSON.stringify([result.problems, result.notes])).toMatch(names);
        if (expected.verdict === 'other') expect(result.product).toBeNull();
        if (!expected.complete)
          expect(result.problems.filter(({ incomplete }) => incomplete)).not.toEqual([]);
        expect(result.problems.filter(({ code }) => code.startsWith('internal/'))).toEqual([]);
      });
    });
  }

  it('finds in the merge module the same signed library as lies loose beside it', async () => {
    const [module] = await scan([corpus.path('windows-skype4com-1.0.36.0-merge-module/Skype4COM.msm')]);
    const [loose] = await scan([corpus.path('windows-skype4com-1.0.36.0/Skype4COM.dll')]);
    const [cabinet] = module?.tree?.members.filter(({ format }) => format === 'cab') ?? [];
    expect(cabinet?.members.map(({ name, sha256, verdict }) => ({ name, sha256, verdict }))).toEqual([
      { name: 'CommonFilesFolder/Skype/Skype4COM.dll', sha256: loose?.sha256, verdict: 'official' },
    ]);
  });

  it('opens the disk image, and the launcher', async () => {
    const [image] = await scan([corpus.path('macos-skypeframework-2.6.0.142/skype_framework.dmg')]);
    const framework = image?.tree?.members.find(({ name }) => name === 'Skype API for Mac/Skype.framework');
    const binary = framework?.members.find(({ name }) => name.endsWith('/Versions/A/Skype'));
    expect(binary?.sha256).toBe('9c9c0df2754e5a8c026bbde03ee23e094a6e5543251c090f10e2e19f6ff34b98');
    expect(framework?.facts).toContainEqual(
      expect.objectContaining({ kind: 'bundleId', value: 'com.skype.skypeframework' }),
    );
    const [launcher] = await scan([corpus.path('portableapps-nsis-launcher/sPortable.exe')]);
    const overlay = launcher?.tree?.members.find(({ format }) => format === 'nsis');
    expect(overlay?.members.map(({ name }) => name).filter((name) => name.endsWith('.dll'))).toHaveLength(4);
  });

  it('says of every web installer that the client was not seen', async () => {
    for (const { file } of expectations.filter(
      (one) => one.file.startsWith('windows-stub') && one.verdict === 'official',
    )) {
      const [result] = await scan([corpus.path(file)]);
      expect(result?.notes.filter(({ kind }) => kind === 'scope')).toHaveLength(1);
    }
  });

  it('finds no telltale of another edition in any official file', async () => {
    for (const { file, verdict } of expectations) {
      if (verdict !== 'official') continue;
      const [result] = await scan([corpus.path(file)]);
      expect(
        result?.telltales.filter(({ role, strength }) => role !== 'official' && strength !== 'suggestive'),
      ).toEqual([]);
    }
  });
});
