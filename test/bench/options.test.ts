import { describe, expect, it } from 'vitest';
import { createInputs } from '../../bench/inputs/index.ts';
import { fullScale, quickScale } from '../../bench/inputs/scale.ts';
import { chooseParts, readOptions } from '../../bench/options.ts';
import { createParts } from '../../bench/parts/index.ts';

const parts = createParts(createInputs(fullScale));

describe('when options are read', () => {
  it('measures everything that is not large, each part with its own rounds', () => {
    const options = readOptions([], {});
    expect(options.rounds).toBeUndefined();
    const chosen = chooseParts(parts, options).map(({ id }) => id);
    expect(chosen).not.toContain('iso');
    expect(chosen.length).toBe(parts.length - 1);
    expect(chooseParts(parts, readOptions(['--large'], {})).length).toBe(parts.length);
  });

  it('takes parts by name and by group, in their own order', () => {
    const choose = (list: string): readonly string[] =>
      chooseParts(parts, readOptions(['--only', list], {})).map(({ id }) => id);
    expect(choose('cab,zip')).toEqual(['zip', 'cab']);
    expect(choose('iso')).toEqual(['iso']);
    expect(choose('containers').length).toBe(9);
    expect(choose('growth')).toEqual(['growth-size', 'growth-members', 'growth-indicators', 'growth-files']);
  });

  it('refuses what it does not know', () => {
    expect(() => chooseParts(parts, readOptions(['--only', 'zip,rar'], {}))).toThrow(
      /"rar"; there are .*zip/,
    );
    expect(() => chooseParts(parts, readOptions(['--only', ''], {}))).toThrow(/there are/);
    expect(() => readOptions(['--rounds', '0'], {})).toThrow(/--rounds/);
    expect(() => readOptions(['--rounds', 'many'], {})).toThrow(/"many"/);
    expect(() => readOptions(['--fast'], {})).toThrow();
    expect(() => readOptions(['--quick', '--write-docs'], {})).toThrow(/no figures of --quick/);
  });
});

describe('when inputs are chosen', () => {
  it('uses packages of the manifest only, and keeps the scales apart', () => {
    const ids = (scale: typeof fullScale): readonly string[] =>
      Object.values(createInputs(scale)).flatMap((one) => ('build' in one ? [one.id] : []));
    const all = [...ids(fullScale), ...ids(quickScale)];
    expect(new Set(all).size).toBe(all.length);
  });

  it('has a part for every target, by the names that the documentation uses', () => {
    expect(parts.map(({ id }) => id)).toEqual([
      'startup',
      'zip',
      'cab',
      'msi',
      'dmg',
      'raw',
      '7z',
      'nsis',
      'inno',
      'deb',
      'iso',
      'authenticode',
      'matching',
      'folder-small',
      'folder-installers',
      'growth-size',
      'growth-members',
      'growth-indicators',
      'growth-files',
    ]);
  });
});
