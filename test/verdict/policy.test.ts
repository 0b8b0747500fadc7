import { describe, expect, it } from 'vitest';
import { buildPlainSkype, buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { defaultPolicy, findViolations } from '../../src/verdict/policy.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';

const text = new TextEncoder().encode('hello\n');

describe('when a policy is asked', () => {
  it('fails by default on another edition, not on what is only unknown', async () => {
    const files = [
      await scanBytes('a.exe', buildTomSkype()),
      await scanBytes('b.exe', buildPlainSkype()),
      await scanBytes('c.txt', text),
    ];
    expect(findViolations(files, defaultPolicy)).toEqual([{ path: 'a.exe', rule: 'fail on variant' }]);
  });

  it('fails on everything but official files where they are required', async () => {
    const files = [await scanBytes('b.exe', buildPlainSkype()), await scanBytes('c.txt', text)];
    expect(findViolations(files, { failOn: [], require: 'official' }).map(({ rule }) => rule)).toEqual([
      'require official',
      'require official',
    ]);
  });

  it('fails on incomplete results where it is asked to', async () => {
    const file = await scanBytes('empty.exe', new Uint8Array(0));
    expect(findViolations([file], { failOn: ['incomplete'], require: undefined })).toEqual([
      { path: 'empty.exe', rule: 'fail on incomplete' },
    ]);
    expect(findViolations([file], defaultPolicy)).toEqual([]);
  });

  it('does not let an official file through that was not read fully, unless it is proved as a whole', async () => {
    const file = {
      ...(await scanBytes('b.exe', buildPlainSkype())),
      verdict: 'official',
      complete: false,
    } as const;
    const policy = { failOn: [], require: 'official' } as const;
    expect(findViolations([{ ...file, rule: 'gravest-member' }], policy)).toHaveLength(1);
    expect(findViolations([{ ...file, rule: 'proved' }], policy)).toHaveLength(0);
  });
});
