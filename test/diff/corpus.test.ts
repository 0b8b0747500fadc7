import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/bytes/budget.ts';
import { compareFiles } from '../../src/diff/compare.ts';
import type { Comparison } from '../../src/diff/model.ts';
import { corpus } from '../corpus.ts';
import { shippedKnowledge } from '../end-to-end/scan-bytes.ts';
import { memberAt } from './compare-bytes.ts';

const compare = (before: string, after: string): Promise<Comparison> =>
  compareFiles(corpus.path(before), corpus.path(after), shippedKnowledge(), defaultLimits);

const stub = (version: string): string => `windows-stub-${version}/SkypeSetup.exe`;

describe.skipIf(!corpus.available)('when real files are compared', () => {
  it('finds the one edit in an edited installer, and what it cost', async () => {
    const result = await compare(stub('6.3.0.105'), stub('6.3.0.105-edited'));
    expect(result).toMatchObject({
      differs: true,
      complete: false,
      before: { verdict: 'official', complete: true },
      after: { verdict: 'damaged', complete: false },
    });
    const { bytes, signature } = memberAt(result, '');
    expect(bytes).toMatchObject({ kind: 'shifted', commonStart: 0x92d, total: 1 });
    expect(bytes?.ranges[0]).toMatchObject({
      before: { offset: 0x92d, length: 1087 },
      after: { offset: 0x92d, length: 13, hex: Buffer.from('hgfjhgfjfgjhg').toString('hex') },
    });
    expect(signature).toMatchObject({ before: { integrity: 'intact' }, after: { integrity: 'damaged' } });
  });

  it('shows the strings of the unpacked form of packed installers', async () => {
    const result = await compare(stub('7.2.0.103'), stub('7.40.66.104'));
    const packed = memberAt(result, '');
    expect(packed.strings).toBeNull();
    expect(packed.facts).toContainEqual({
      kind: 'fileVersion',
      change: 'changed',
      before: '7.2.0.103',
      after: '7.40.66.104',
    });
    const { strings, regions } = memberAt(result, '[upx]');
    const addresses = (list: readonly { kind: string; text: string }[] = []): readonly string[] =>
      list.filter(({ kind }) => kind === 'url').map(({ text }) => text);
    expect(addresses(strings?.went.listed)).toContain('http://ui.skype.com');
    expect(addresses(strings?.came.listed)).toContain('https://ui.skype.com');
    expect(regions.find(({ before }) => before?.name === '.idata')?.state).toBe('same');
    expect(memberAt(result, '[upx] » .rsrc/BINGCHECKER/BING_CHECKER').state).toBe('removed');
  });

  it('shows what came and went between two versions of a library', async () => {
    const result = await compare(
      'windows-skype4com-1.0.31.0/Skype4COM.dll',
      'windows-skype4com-1.0.36.0/Skype4COM.dll',
    );
    expect(result.summary.states).toMatchObject({ same: 104, changed: 2, added: 0, removed: 0 });
    const { facts, signature } = memberAt(result, '');
    expect(facts).toContainEqual({ kind: 'importedLibrary', change: 'went', before: 'shlwapi.dll' });
    expect(signature?.before?.signatures[0]?.signingTime).toMatch(/^2008-07-02/);
    expect(signature?.after?.signatures[0]?.signingTime).toMatch(/^2011-01-19/);
  });

  it('finds a loose library in the merge module that carries it', async () => {
    const result = await compare(
      'windows-skype4com-1.0.36.0-merge-module/Skype4COM.msm',
      'windows-skype4com-1.0.36.0/Skype4COM.dll',
    );
    expect(result.summary.states).toMatchObject({ changed: 0, renamed: 1, added: 0, removed: 3 });
    expect(result.members.find(({ state }) => state === 'renamed')).toMatchObject({
      pairedBy: 'content',
      before: { inner: '[cab] MergeModule.CABinet » CommonFilesFolder/Skype/Skype4COM.dll' },
      after: { inner: '' },
    });
  });
});
