import { describe, expect, it } from 'vitest';
import { buildPlainSkype, buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import type { FileResult } from '../../src/verdict/model.ts';
import { applyPolicy, defaultPolicy, type Policy, type Requirements } from '../../src/verdict/policy.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';

const text = new TextEncoder().encode('hello\n');
const today = '2026-03-01';

const tom = await scanBytes('a.exe', buildTomSkype());
const plain = await scanBytes('b.exe', buildPlainSkype());
const readme = await scanBytes('c.txt', text);

const official: FileResult = {
  ...plain,
  verdict: 'official',
  rule: 'known-build',
  variant: 'official',
  version: '7.2.0.103',
  platform: 'windows',
};

function listRules(files: readonly FileResult[], policy: Partial<Policy>): readonly string[] {
  return applyPolicy(files, { ...defaultPolicy, ...policy }, today).violations.map(({ rule }) => rule);
}

function listUnmet(file: FileResult, require: Requirements): readonly string[] {
  return listRules([file], { failOn: [], require });
}

describe('when a policy names verdicts that fail', () => {
  it('fails by default on another edition, not on what is only unknown', () => {
    expect(applyPolicy([tom, plain, readme], defaultPolicy, today).violations).toEqual([
      { path: 'a.exe', rule: 'fail on variant', detail: 'it is variant' },
    ]);
  });

  it('fails on incomplete results where it is asked to', async () => {
    const file = await scanBytes('empty.exe', new Uint8Array(0));
    expect(listRules([file], { failOn: ['incomplete'] })).toEqual(['fail on incomplete']);
    expect(listRules([file], {})).toEqual([]);
  });
});

describe('when a policy requires a verdict', () => {
  it('fails on everything else', () => {
    expect(listRules([plain, readme], { failOn: [], require: { verdict: ['official'] } })).toEqual([
      'require official',
      'require official',
    ]);
    expect(listUnmet(readme, { verdict: ['official', 'other'] })).toEqual([]);
  });

  it('does not let a file through that was not read fully, unless it is proved as a whole', () => {
    const partly = { ...official, complete: false, incompleteReasons: ['limit'] } as const;
    const require: Requirements = { verdict: ['official'] };
    expect(listUnmet({ ...partly, rule: 'gravest-member' }, require)).toEqual(['require official']);
    expect(listUnmet({ ...partly, rule: 'proved' }, require)).toEqual([]);
    expect(listUnmet({ ...partly, rule: 'proved' }, { ...require, complete: true })).toEqual([
      'require complete',
    ]);
    expect(listUnmet({ ...partly, verdict: 'other', rule: 'no-claim' }, { verdict: ['other'] })).toHaveLength(
      1,
    );
  });
});

describe('when a policy requires more of a file', () => {
  it.each<readonly [string, Requirements, Requirements]>([
    ['product', { product: ['skype'] }, { product: ['aim'] }],
    ['variant', { variant: ['tom', 'official'] }, { variant: ['tom'] }],
    ['platform', { platform: ['windows'] }, { platform: ['macos', 'linux'] }],
    ['version', { minimumVersion: '7.2' }, { minimumVersion: '7.10' }],
  ])('compares its %s', (name, met, unmet) => {
    expect(listUnmet(official, met)).toEqual([]);
    expect(listUnmet(official, unmet)).toEqual([`require ${name}`]);
  });

  it('does not take a value that is not known for one that is met', () => {
    const unknown = { ...official, version: null, variant: null, platform: null };
    const require = { minimumVersion: '1', variant: ['official'], platform: ['windows'] };
    expect(listUnmet(unknown, require)).toEqual(['require variant', 'require platform', 'require version']);
    expect(listUnmet({ ...official, version: 'Beta 9' }, { minimumVersion: '1' })).toEqual([
      'require version',
    ]);
  });

  it('takes a publisher only when its signature holds over these bytes', () => {
    const require = { publisher: ['skype'] };
    const authenticity = {
      integrity: 'intact',
      integrityDetail: '',
      signer: 'pinned',
      signerDetail: '',
      publisher: 'skype',
      signatures: [],
      weakDigestOnly: false,
      problems: [],
    } as const;
    expect(listUnmet({ ...official, authenticity }, require)).toEqual([]);
    for (const broken of [
      { ...authenticity, integrity: 'modified' as const },
      { ...authenticity, signer: 'claimed' as const },
      { ...authenticity, publisher: 'other' },
    ]) {
      expect(listUnmet({ ...official, authenticity: broken }, require)).toEqual(['require publisher']);
    }
    expect(listUnmet(official, require)).toEqual(['require publisher']);
  });

  it('asks for the ledger', () => {
    expect(listUnmet({ ...official, knownBuild: null }, { knownBuild: true })).toEqual([
      'require known build',
    ]);
  });

  it('fails a file that claims nothing, unless such files are allowed', () => {
    expect(listUnmet(readme, { minimumVersion: '1' })).toEqual(['require product']);
    expect(listUnmet(readme, { verdict: ['official', 'other'], minimumVersion: '1' })).toEqual([]);
  });
});

describe('when a policy has exceptions', () => {
  const exception = { sha256: tom.sha256 ?? '', reason: 'museum', owner: 'archive@example.org' };

  it('lets a file through to the last day, and says so', () => {
    const policy = { ...defaultPolicy, exceptions: [{ ...exception, expires: today }] };
    expect(applyPolicy([tom], policy, today)).toEqual({
      violations: [],
      exceptions: [{ path: 'a.exe', ...exception, expires: today }],
    });
  });

  it('fails after that, and says that the exception ended', () => {
    const policy = { ...defaultPolicy, exceptions: [{ ...exception, expires: '2026-02-28' }] };
    const { violations, exceptions } = applyPolicy([tom], policy, today);
    expect(violations.map(({ rule }) => rule)).toEqual(['fail on variant', 'exception expired']);
    expect(violations[1]?.detail).toContain('archive@example.org (museum) ended on 2026-02-28');
    expect(exceptions).toEqual([]);
  });

  it('does not speak of exceptions that nothing needs', () => {
    const policy = {
      ...defaultPolicy,
      exceptions: [{ ...exception, sha256: plain.sha256 ?? '', expires: '2020-01-01' }],
    };
    expect(applyPolicy([plain], policy, today)).toEqual({ violations: [], exceptions: [] });
  });
});
